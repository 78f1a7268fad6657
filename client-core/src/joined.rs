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
                format!("/users/{me}/joined_chatgroups?pagenum={page}&pagesize={PAGE_ROWS}")
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
                let rows = answer.read::<GroupsAnswer>()?.data.into_iter();
                Event::JoinedGroups { call, groups: rows.filter_map(GroupRow::shown).collect() }
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
    data: Vec<GroupRow>,
}

/// The documents have other names for the fields than 4.x reads; a service may write both.
#[derive(Deserialize)]
struct GroupRow {
    id: Option<String>,
    groupid: Option<String>,
    name: Option<String>,
    groupname: Option<String>,
}

impl GroupRow {
    /// One without an id is none.
    fn shown(self) -> Option<Joined> {
        let name = self.name.or(self.groupname).unwrap_or_default();
        Some(Joined { id: self.id.or(self.groupid)?, name })
    }
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
