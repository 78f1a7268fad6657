//! One page of a conversation's past with the filters of 4.x, and what a user deletes of it for itself alone
//! (rest.md A.6, A.11). The walk of 3.x, which keeps what it was not asked for, is in `history`.
//!
//! Nothing is kept here: each page stands for itself, and its cursor is the caller's to hold.

use serde::Serialize;

use crate::calls::{Ask, Call};
use crate::client::{Client, Config, not_empty};
use crate::error::{CommandError, Failure};
use crate::event::{Event, ServerId};
use crate::history::{queue_of, read_page};
use crate::message::Chat;
use crate::rest::{CallId, HttpAnswer, HttpMethod, Refusal, json, segment};
use crate::timer::Millis;

/// How many messages a page has when the caller does not say (rest.md A.6).
const PAGE_MESSAGES: u32 = 20;
/// How many messages one call deletes at most (the SDK's own limit).
const DELETIONS_LIMIT: usize = 20;

/// What of a conversation's past is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// With a user, in a group or in a room.
    pub chat: Chat,
    /// The user's name in lower case, or the id of the group or room.
    pub with: String,
    /// How many messages at most: 1 to 50, 20 when `None`.
    pub limit: Option<u32>,
    /// Where to go on: that of the page before, or a message's id.
    pub cursor: Option<String>,
    /// Which way.
    pub direction: Direction,
    /// Only these kinds, by the protocol's words such as `txt` and `img`; all when empty.
    pub kinds: Vec<String>,
    /// Only what this member wrote, in a group or a room.
    pub from: Option<String>,
    /// Not before this.
    pub since: Option<Millis>,
    /// Not after this.
    pub until: Option<Millis>,
}

impl Search {
    /// The newest messages, whatever they are.
    pub fn newest(chat: Chat, with: impl Into<String>) -> Self {
        Self {
            chat,
            with: with.into(),
            limit: None,
            cursor: None,
            direction: Direction::Backwards,
            kinds: Vec::new(),
            from: None,
            since: None,
            until: None,
        }
    }
}

/// The order of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From new to old.
    Backwards,
    /// From old to new.
    Forwards,
}

/// What is deleted of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// These messages: 1 to 20.
    Messages(Vec<ServerId>),
    /// Everything up to this moment.
    Until(Millis),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SearchCall {
    Page(Search),
    Remove { chat: Chat, with: String, removed: Removed },
    RemoveEverything,
}

impl Client {
    /// Asks for one page of the past: [`Event::HistoryPage`]. With a conversation that is not there, and with a name
    /// that is not in lower case, the page is empty.
    pub fn search_history(&mut self, now: Millis, search: Search) -> Result<CallId, CommandError> {
        not_empty("search_history", &search.with)?;
        self.call(now, "search_history", Call::Search(SearchCall::Page(search)))
    }

    /// Deletes messages of a conversation for this user alone: [`Event::Done`]. Others keep them.
    pub fn remove_history(
        &mut self,
        now: Millis,
        chat: Chat,
        with: &str,
        removed: Removed,
    ) -> Result<CallId, CommandError> {
        let with = not_empty("remove_history", with)?;
        if let Removed::Messages(messages) = &removed
            && !(1..=DELETIONS_LIMIT).contains(&messages.len())
        {
            return Err(CommandError::Deletions { limit: DELETIONS_LIMIT });
        }
        self.call(now, "remove_history", Call::Search(SearchCall::Remove { chat, with, removed }))
    }

    /// Deletes every conversation with its messages for this user alone: [`Event::Done`].
    pub fn remove_everything(&mut self, now: Millis) -> Result<CallId, CommandError> {
        self.call(now, "remove_everything", Call::Search(SearchCall::RemoveEverything))
    }

    /// Shows a page; what of it cannot be read is told and costs none of its neighbours.
    pub(crate) fn search_answered(&mut self, call: CallId, answer: &HttpAnswer) -> Result<(), Refusal> {
        let page = read_page(answer, &self.config)?;
        for reason in page.unreadable {
            self.tell(Event::Error(Failure::unreadable("history", reason)));
        }
        let is_last = page.is_last || page.entries == 0;
        let cursor = page.next_key.filter(|_| !is_last);
        self.tell(Event::HistoryPage { call, messages: page.messages, cursor });
        Ok(())
    }
}

impl SearchCall {
    /// What the user calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Page(_) => "history",
            Self::Remove { .. } => "remove history",
            Self::RemoveEverything => "remove everything",
        }
    }

    pub(crate) fn ask(&self, config: &Config) -> Ask {
        let (me, resource) = (segment(&config.username), segment(&config.resource()));
        match self {
            Self::Page(search) => {
                let body = PageBody {
                    queue: queue_of(search.chat, &search.with),
                    start: search.cursor.as_deref().map_or(Start::Newest(-1), Start::At),
                    pull_number: search.limit.unwrap_or(PAGE_MESSAGES),
                    is_positive: search.direction == Direction::Forwards,
                    msg_type: search.kinds.join(","),
                    end: -1,
                    start_time: search.since.map(|since| since.0),
                    end_time: search.until.map(|until| until.0),
                    user_id: search.from.as_deref().filter(|_| search.chat != Chat::Single),
                };
                Ask::with(HttpMethod::Post, format!("/users/{me}/messageroaming"), json(&body))
            }
            Self::Remove { chat, with, removed } => {
                let (kind, name) = match chat {
                    Chat::Single => ("chat", "userId"),
                    Chat::Group | Chat::Room => ("group", "groupId"),
                };
                let (below, which) = match removed {
                    Removed::Messages(messages) => {
                        let ids: Vec<String> = messages.iter().map(ServerId::to_string).collect();
                        ("", format!("msgIdList={}", ids.join(",")))
                    }
                    Removed::Until(moment) => ("/time", format!("delTime={}", moment.0)),
                };
                let query = format!("{name}={}&{which}&resource={resource}", segment(with));
                let path = format!("/sdk/message/roaming/{kind}/user/{me}{below}?{query}");
                Ask::bare(HttpMethod::Delete, path)
            }
            Self::RemoveEverything => {
                let path = format!("/sdk/message/roaming/user/{me}/delete/all?resource={resource}");
                Ask::bare(HttpMethod::Post, path)
            }
        }
    }
}

/// A position on its way out: the SDK writes a number where it has none.
#[derive(Clone, Copy)]
enum Start<'a> {
    Newest(i8),
    At(&'a str),
}

impl Serialize for Start<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Newest(none) => serializer.serialize_i8(*none),
            Self::At(key) => serializer.serialize_str(key),
        }
    }
}

#[derive(Serialize)]
struct PageBody<'a> {
    queue: String,
    start: Start<'a>,
    pull_number: u32,
    is_positive: bool,
    #[serde(rename = "msgType")]
    msg_type: String,
    end: i8,
    #[serde(rename = "startTime")]
    start_time: Option<u64>,
    #[serde(rename = "endTime")]
    end_time: Option<u64>,
    #[serde(rename = "userId")]
    user_id: Option<&'a str>,
}
