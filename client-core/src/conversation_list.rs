//! The conversation list as 4.x has it: pages with a cursor, conversations at the top, and the twenty marks that a
//! user may put on them (rest.md A.7, A.11). The list of 3.x, and deletions, are in `conversations`.
//!
//! All over REST. What another device of the user does to the list comes as [`crate::Event::Device`].

use serde::{Deserialize, Serialize};

use crate::calls::{Ask, Call};
use crate::client::{Client, Config, not_empty};
use crate::conversations::{RowMeta, StoredMessage};
use crate::error::CommandError;
use crate::event::Event;
use crate::message::Chat;
use crate::rest::{CallId, HttpAnswer, HttpMethod, Refusal, json, segment};
use crate::timer::Millis;

/// How many rows are asked for when the caller does not say: what the SDK asks for (rest.md A.11).
const PAGE_ROWS: u32 = 20;
/// The same of the rows that bear a mark.
const MARKED_PAGE_ROWS: u32 = 10;
/// How many marks there are (the vendor's type declarations).
const MARKS: u32 = 20;

/// One of the twenty marks; what each means is the application's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u8);

impl Mark {
    /// The mark with this number, 0 to 19.
    pub fn new(number: u32) -> Result<Self, CommandError> {
        let mark = u8::try_from(number).ok().filter(|_| number < MARKS);
        mark.map(Self).ok_or(CommandError::NoSuchMark { number, marks: MARKS })
    }

    /// Its number, 0 to 19.
    pub fn number(self) -> u8 {
        self.0
    }

    fn word(self) -> String {
        format!("mark_{}", self.0)
    }

    /// Reads `mark_3`; `None` for marks that are not known here.
    pub(crate) fn read(word: &str) -> Option<Self> {
        Self::new(word.strip_prefix("mark_")?.parse().ok()?).ok()
    }
}

/// Which conversations are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// All of them: those at the top first, then by their last message.
    All,
    /// Those that were put at the top.
    Pinned,
    /// Those that bear a mark.
    Marked(Mark),
}

/// A conversation in a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// A user or a group: rooms have no conversations.
    pub chat: Chat,
    /// The user's name, or the group's id.
    pub to: String,
}

/// On or off: a pin, a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It is put on.
    On,
    /// It is taken off.
    Off,
}

/// A row of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationRow {
    /// With a user or in a group.
    pub chat: Chat,
    /// The user's name, or the group's id.
    pub with: String,
    /// Since when it is at the top, if it is.
    pub pinned: Option<Millis>,
    /// How many of its messages the user has not read.
    pub unread: u64,
    /// The marks that it bears.
    pub marks: Vec<Mark>,
    /// The last message, if there is one.
    pub last: Option<StoredMessage>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListCall {
    Page { listed: Listed, limit: Option<u32>, cursor: String },
    Pin { target: Target, switch: Switch },
    Mark { targets: Vec<Target>, mark: Mark, switch: Switch },
}

impl Client {
    /// Asks for a page of the conversation list: [`Event::ConversationPage`]. `limit` is how many rows are wanted
    /// at most (20 when `None`, 10 of those with a mark), `cursor` that of the page before.
    pub fn page_conversations(
        &mut self,
        now: Millis,
        listed: Listed,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<CallId, CommandError> {
        let cursor = cursor.unwrap_or_default().to_owned();
        self.call(now, "page_conversations", Call::List(ListCall::Page { listed, limit, cursor }))
    }

    /// Puts a conversation at the top of the list, or no longer: [`Event::Done`].
    pub fn pin_conversation(
        &mut self,
        now: Millis,
        target: Target,
        switch: Switch,
    ) -> Result<CallId, CommandError> {
        const COMMAND: &str = "pin_conversation";
        target.check(COMMAND)?;
        self.call(now, COMMAND, Call::List(ListCall::Pin { target, switch }))
    }

    /// Puts a mark on conversations, or takes it off: [`Event::Done`].
    pub fn mark_conversations(
        &mut self,
        now: Millis,
        targets: Vec<Target>,
        mark: Mark,
        switch: Switch,
    ) -> Result<CallId, CommandError> {
        const COMMAND: &str = "mark_conversations";
        if targets.is_empty() {
            return Err(CommandError::NoName { command: COMMAND });
        }
        targets.iter().try_for_each(|target| target.check(COMMAND))?;
        self.call(now, COMMAND, Call::List(ListCall::Mark { targets, mark, switch }))
    }
}

impl Target {
    fn check(&self, command: &'static str) -> Result<(), CommandError> {
        match self.chat {
            Chat::Single | Chat::Group => not_empty(command, &self.to).map(drop),
            Chat::Room => Err(CommandError::NotForRooms { command }),
        }
    }
}

impl Switch {
    /// The method that does it.
    pub(crate) fn method(self) -> HttpMethod {
        match self {
            Self::On => HttpMethod::Post,
            Self::Off => HttpMethod::Delete,
        }
    }
}

impl ListCall {
    /// What the user calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Page { .. } => "conversation list",
            Self::Pin { .. } => "pin conversation",
            Self::Mark { .. } => "mark conversations",
        }
    }

    pub(crate) fn ask(&self, config: &Config) -> Ask {
        let (me, resource) = (segment(&config.username), segment(&config.resource()));
        match self {
            Self::Page { listed, limit, cursor } => {
                let (path, rows, which) = match listed {
                    Listed::All => ("list", PAGE_ROWS, "&needEmptySession=false".to_owned()),
                    Listed::Pinned => ("list", PAGE_ROWS, "&is_top=true&needEmptySession=false".to_owned()),
                    Listed::Marked(mark) => {
                        ("mark/search", MARKED_PAGE_ROWS, format!("&mark={}", mark.word()))
                    }
                };
                let (limit, cursor) = (limit.unwrap_or(rows), segment(cursor));
                let query = format!("limit={limit}&cursor={cursor}&need_mark=true{which}");
                Ask::bare(HttpMethod::Get, format!("/sdk/user/{me}/user_channels/{path}?{query}"))
            }
            Self::Pin { target, switch } => {
                let kind = match target.chat {
                    Chat::Single => "chat",
                    // Spelt so here and in deletions, and nowhere else.
                    Chat::Group | Chat::Room => "groupChat",
                };
                let path = format!("/sdk/user/{me}/user_channel/top");
                match switch {
                    Switch::On => {
                        let body = TargetBody { to: &target.to, r#type: kind };
                        Ask::with(switch.method(), format!("{path}?resource={resource}"), json(&body))
                    }
                    Switch::Off => {
                        let query = format!("type={kind}&to={}&resource={resource}", segment(&target.to));
                        Ask::bare(switch.method(), format!("{path}?{query}"))
                    }
                }
            }
            Self::Mark { targets, mark, switch } => {
                let targets = targets.iter().map(|target| {
                    let r#type = match target.chat {
                        Chat::Single => "chat",
                        Chat::Group | Chat::Room => "groupchat",
                    };
                    TargetBody { to: &target.to, r#type }
                });
                let body = MarkBody { mark: mark.word(), targets: targets.collect() };
                let path = format!("/sdk/user/{me}/user_channels/mark?resource={resource}");
                Ask::with(switch.method(), path, json(&body))
            }
        }
    }

    pub(crate) fn read(&self, call: CallId, answer: &HttpAnswer) -> Result<Event, Refusal> {
        match self {
            Self::Page { .. } => {
                let List { channel_infos, cursor } = answer.read::<ListAnswer>()?.data;
                let rows = channel_infos.into_iter().map(Row::shown).collect();
                let cursor = cursor.filter(|cursor| !cursor.is_empty());
                Ok(Event::ConversationPage { call, rows, cursor })
            }
            Self::Pin { .. } | Self::Mark { .. } => {
                answer.read::<serde::de::IgnoredAny>().map(|_| Event::Done { call })
            }
        }
    }
}

#[derive(Serialize)]
struct TargetBody<'a> {
    to: &'a str,
    r#type: &'static str,
}

#[derive(Serialize)]
struct MarkBody<'a> {
    mark: String,
    targets: Vec<TargetBody<'a>>,
}

#[derive(Deserialize)]
struct ListAnswer {
    data: List,
}

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    channel_infos: Vec<Row>,
    #[serde(default)]
    cursor: Option<String>,
}

#[derive(Deserialize)]
struct Row {
    session_to: String,
    session_type: String,
    #[serde(default)]
    is_top: bool,
    #[serde(default)]
    update_top_status_time: u64,
    #[serde(default)]
    unread_num: u64,
    #[serde(default)]
    marks: Vec<String>,
    #[serde(default)]
    meta: RowMeta,
}

impl Row {
    fn shown(self) -> ConversationRow {
        ConversationRow {
            chat: if self.session_type == "chat" { Chat::Single } else { Chat::Group },
            with: self.session_to,
            pinned: self.is_top.then_some(Millis(self.update_top_status_time)),
            unread: self.unread_num,
            marks: self.marks.iter().filter_map(|word| Mark::read(word)).collect(),
            last: self.meta.shown(),
        }
    }
}
