//! Conversations as the service keeps them for a user: their list with unread counts, their deletion, and who
//! has read a group message (rest.md A.7–A.9). All over REST; the messages themselves are in `history`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::calls::{Ask, Call};
use crate::client::{Client, Config, not_empty};
use crate::error::CommandError;
use crate::event::ServerId;
use crate::message::Chat;
use crate::rest::{CallId, HttpAnswer, HttpMethod, Refusal, json, segment};
use crate::timer::Millis;

/// How many readers are asked for when the caller does not say: what the SDKs ask for (rest.md A.9).
const READERS_LIMIT: u32 = 500;

/// A row of the conversation list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// `bob@easemob.com`, or the id of a group `@conference.easemob.com`; without the app key before it.
    pub channel: String,
    /// How many of its messages the user has not read.
    pub unread: u64,
    /// The last message, if there is one.
    pub last: Option<StoredMessage>,
}

/// A message as the service writes it in JSON: the last of a conversation, or one that was pinned (rest.md A.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMessage {
    /// The server's id of it.
    pub id: String,
    /// The whole address of its sender, such as `org#app_bob@easemob.com/webim_1`.
    pub from: String,
    /// The whole address that it went to.
    pub to: String,
    /// When the server took it.
    pub time: Millis,
    /// `{"bodies": […], "ext": {…}, "from", "to"}`; `None` when it is no JSON.
    pub payload: Option<Value>,
}

impl StoredMessage {
    /// The text, when it is one.
    pub fn text(&self) -> Option<&str> {
        let body = self.payload.as_ref()?.get("bodies")?.get(0)?;
        if body.get("type")? == "txt" { body.get("msg")?.as_str() } else { None }
    }
}

/// What becomes of a conversation's messages when it is deleted, for this user alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WithHistory {
    /// They are deleted too.
    Delete,
    /// They stay.
    Keep,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConversationCall {
    List,
    Delete { channel: String, chat: Chat, with_history: WithHistory },
    Readers { group: String, message: ServerId, limit: u32, key: Option<String> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Conversations(Vec<Conversation>),
    Deleted,
    Readers { users: Vec<String>, total: u64, next: Option<String> },
}

impl Client {
    /// Asks for the conversations, newest first: [`crate::Event::Conversations`].
    pub fn list_conversations(&mut self, now: Millis) -> Result<CallId, CommandError> {
        self.call(now, "list_conversations", Call::Conversation(ConversationCall::List))
    }

    /// Deletes a conversation with a user or a group: [`crate::Event::ConversationDeleted`]. Rooms have none.
    pub fn delete_conversation(
        &mut self,
        now: Millis,
        chat: Chat,
        channel: &str,
        with_history: WithHistory,
    ) -> Result<CallId, CommandError> {
        const COMMAND: &str = "delete_conversation";
        let channel = not_empty(COMMAND, channel)?;
        if chat == Chat::Room {
            return Err(CommandError::NotForRooms { command: COMMAND });
        }
        let call = ConversationCall::Delete { channel, chat, with_history };
        self.call(now, COMMAND, Call::Conversation(call))
    }

    /// Asks who has read a group message that asked for receipts: [`crate::Event::Readers`]. `limit` is how many
    /// are wanted at most (500 when `None`), `key` the `next` of the page before.
    pub fn list_readers(
        &mut self,
        now: Millis,
        group: &str,
        message: ServerId,
        limit: Option<u32>,
        key: Option<&str>,
    ) -> Result<CallId, CommandError> {
        let group = not_empty("list_readers", group)?;
        let (limit, key) = (limit.unwrap_or(READERS_LIMIT), key.map(str::to_owned));
        let call = ConversationCall::Readers { group, message, limit, key };
        self.call(now, "list_readers", Call::Conversation(call))
    }
}

impl ConversationCall {
    /// What the user calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::List => "conversations",
            Self::Delete { .. } => "delete conversation",
            Self::Readers { .. } => "readers",
        }
    }

    pub(crate) fn ask(&self, config: &Config) -> Ask {
        let me = segment(&config.username);
        match self {
            Self::List => Ask::bare(HttpMethod::Get, format!("/users/{me}/user_channels")),
            Self::Delete { channel, chat, with_history } => {
                let path = format!("/user/{me}/user_channel?resource={}", segment(&config.resource()));
                let kind = match chat {
                    Chat::Single => "chat",
                    Chat::Group | Chat::Room => "groupChat",
                };
                let delete_roam = *with_history == WithHistory::Delete;
                Ask::with(HttpMethod::Delete, path, json(&DeleteBody { channel, r#type: kind, delete_roam }))
            }
            Self::Readers { group, message, limit, key } => {
                let mut path = format!("/chatgroups/{}/acks/{message}?limit={limit}", segment(group));
                if let Some(key) = key {
                    path = format!("{path}&key={}", segment(key));
                }
                Ask::bare(HttpMethod::Get, path)
            }
        }
    }

    pub(crate) fn read(&self, app_key: &str, answer: &HttpAnswer) -> Result<Outcome, Refusal> {
        match self {
            Self::List => {
                let prefix = format!("{app_key}_");
                let list = answer.read::<ListAnswer>()?.data.channel_infos;
                Ok(Outcome::Conversations(list.into_iter().map(|row| row.shown(&prefix)).collect()))
            }
            Self::Delete { .. } => answer.read::<serde::de::IgnoredAny>().map(|_| Outcome::Deleted),
            Self::Readers { .. } => {
                let ReadersPage { is_last, next_key, total, userlist } = answer.read::<ReadersAnswer>()?.data;
                let next = next_key.filter(|key| !is_last && !key.is_empty());
                Ok(Outcome::Readers { users: userlist, total, next })
            }
        }
    }
}

#[derive(Serialize)]
struct DeleteBody<'a> {
    channel: &'a str,
    r#type: &'static str,
    delete_roam: bool,
}

#[derive(Deserialize)]
struct ListAnswer {
    data: List,
}

#[derive(Deserialize)]
struct List {
    channel_infos: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    channel_id: String,
    #[serde(default)]
    meta: RowMeta,
    #[serde(default)]
    unread_num: u64,
}

/// `{}` where there is no message.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct RowMeta {
    id: Option<String>,
    from: String,
    to: String,
    timestamp: u64,
    payload: String,
}

impl Row {
    fn shown(self, prefix: &str) -> Conversation {
        let Self { channel_id, meta, unread_num } = self;
        let channel = channel_id.strip_prefix(prefix).map(str::to_owned).unwrap_or(channel_id);
        Conversation { channel, unread: unread_num, last: meta.shown() }
    }
}

impl RowMeta {
    pub(crate) fn shown(self) -> Option<StoredMessage> {
        let Self { id, from, to, timestamp, payload } = self;
        let payload = serde_json::from_str(&payload).ok();
        id.map(|id| StoredMessage { id, from, to, time: Millis(timestamp), payload })
    }
}

#[derive(Deserialize)]
struct ReadersAnswer {
    data: ReadersPage,
}

#[derive(Deserialize)]
struct ReadersPage {
    #[serde(default)]
    is_last: bool,
    #[serde(default)]
    next_key: Option<String>,
    #[serde(default)]
    total: u64,
    userlist: Vec<String>,
}
