//! The groups and chat rooms that the user is in, as 4.x lists them (rest.md A.11). What can be done to them is in
//! `groups` and `room`.

use serde::Deserialize;

use crate::calls::{Ask, Call};
use crate::client::{Client, Config};
use crate::error::CommandError;
use crate::event::Event;
use crate::rest::{CallId, HttpAnswer, HttpMethod, Refusal, segment};
use crate::timer::Millis;

/// How many rows a page has: what the SDK asks for (rest.md A.11).
const PAGE_ROWS: u32 = 20;

/// A group or a room in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JoinedCall {
    Groups { page: u32 },
    Rooms { page: u32 },
}

impl Client {
    /// Asks for a page of the groups that the user is in: [`Event::JoinedGroups`]. Pages of 20 count from 0.
    pub fn list_groups(&mut self, now: Millis, page: u32) -> Result<CallId, CommandError> {
        self.call(now, "list_groups", Call::Joined(JoinedCall::Groups { page }))
    }

    /// Asks for a page of the rooms that the user is in: [`Event::JoinedRooms`]. Pages of 20 count from 0.
    pub fn list_rooms(&mut self, now: Millis, page: u32) -> Result<CallId, CommandError> {
        self.call(now, "list_rooms", Call::Joined(JoinedCall::Rooms { page }))
    }
}

impl JoinedCall {
    /// What the user calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Groups { .. } => "joined groups",
            Self::Rooms { .. } => "joined rooms",
        }
    }

    pub(crate) fn ask(self, config: &Config) -> Ask {
        let me = segment(&config.username);
        let path = match self {
            Self::Groups { page } => {
                let query =
                    format!("pagenum={page}&pagesize={PAGE_ROWS}&needAffiliations=true&needRole=true");
                format!("/chatgroups/user/{me}?{query}&version=v3")
            }
            // The service counts these pages from 1, and those of groups from 0.
            Self::Rooms { page } => {
                let page = page.saturating_add(1);
                format!("/users/{me}/joined_chatrooms?pagenum={page}&pagesize={PAGE_ROWS}&detail=true")
            }
        };
        Ask::bare(HttpMethod::Get, path)
    }

    pub(crate) fn read(self, call: CallId, answer: &HttpAnswer) -> Result<Event, Refusal> {
        Ok(match self {
            Self::Groups { .. } => {
                let rows = answer.read::<GroupsAnswer>()?.entities.into_iter();
                let groups = rows.map(|row| Joined { id: row.group_id, name: row.name });
                Event::JoinedGroups { call, groups: groups.collect() }
            }
            Self::Rooms { .. } => {
                let rows = answer.read::<RoomsAnswer>()?.data.into_iter();
                let rooms = rows.map(|row| Joined { id: row.id, name: row.title });
                Event::JoinedRooms { call, rooms: rooms.collect() }
            }
        })
    }
}

#[derive(Deserialize)]
struct GroupsAnswer {
    entities: Vec<GroupRow>,
}

#[derive(Deserialize)]
struct GroupRow {
    #[serde(rename = "groupId")]
    group_id: String,
    #[serde(default)]
    name: String,
}

/// Who is in no room may have no list.
#[derive(Deserialize)]
struct RoomsAnswer {
    #[serde(default)]
    data: Vec<RoomRow>,
}

#[derive(Deserialize)]
struct RoomRow {
    id: String,
    #[serde(default)]
    title: String,
}
