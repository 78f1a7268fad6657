//! The commands of a device, as this side reads DRIVER.md: types only. What each does is in `device`.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::line::BadCommand;

/// One entry of `command`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum DeviceCommand {
    Create(Create),
    LoginPassword { password: String },
    LoginToken { token: String },
    Close {},
    SendText(SendText),
    SendCmd(SendCmd),
    SendCustom(SendCustom),
    SendLocation(SendLocation),
    SendImage(SendImage),
    SendImageTwoStep(SendImage),
    SendImageUrl(SendImageUrl),
    SendFile(SendFile),
    SendAudio(SendLasting),
    SendVideo(SendLasting),
    Download { handle: String, url: String, secret: Option<String>, accept: Option<String> },
    Recall { handle: String, id: String, to: String, chat: Chat },
    SendRead { handle: String, id: String, to: String, chat: Chat, content: Option<String> },
    SendChannelAck { handle: String, to: String, chat: Chat },
    FetchHistory { handle: String, with: String, chat: Chat, count: Count, start: Option<String> },
    ResetHistory {},
    ListSessions { handle: String },
    DeleteSession { handle: String, to: String, chat: Chat, with_history: bool },
    ListReaders { handle: String, group: String, id: String, limit: Option<u32>, key: Option<String> },
    ListContacts {},
    AddContact { user: String, reason: String },
    AcceptContact { user: String },
    DeclineContact { user: String },
    RemoveContact { user: String },
    Block { users: Vec<String> },
    Unblock { users: Vec<String> },
    ListBlocked {},
    CreateGroup(CreateGroup),
    JoinGroup { group: String },
    LeaveGroup { group: String },
    DissolveGroup { group: String },
    InviteToGroup { group: String, users: Vec<String> },
    RemoveFromGroup { group: String, users: Vec<String> },
    AcceptInvite { group: String },
    DeclineInvite { group: String },
    AcceptApplicant { group: String, user: String },
    DeclineApplicant { group: String, user: String },
    ChangeOwner { group: String, user: String },
    CreateRoom { name: String, members: Vec<String> },
    JoinRoom { room: String },
    LeaveRoom { room: String },
    RemoveFromRoom { room: String, users: Vec<String> },
    Mute { chat: Chat, id: String, users: Vec<String>, ms: i64 },
    Unmute { chat: Chat, id: String, users: Vec<String> },
    BanAll { chat: Chat, id: String },
    UnbanAll { chat: Chat, id: String },
    Allow { chat: Chat, id: String, users: Vec<String> },
    Disallow { chat: Chat, id: String, users: Vec<String> },
    SetAdmin { chat: Chat, id: String, user: String },
    RemoveAdmin { chat: Chat, id: String, user: String },
    Announce { chat: Chat, id: String, text: String },
    ListConversations(ListConversations),
    PinConversation { handle: String, to: String, chat: Chat, pinned: bool },
    MarkConversations { handle: String, targets: Vec<Target>, mark: u32, set: bool },
    SearchHistory(SearchHistory),
    RemoveHistory(RemoveHistory),
    RemoveEverything { handle: String },
    ModifyText(ModifyText),
    AddReaction { handle: String, id: String, reaction: String },
    RemoveReaction { handle: String, id: String, reaction: String },
    ListReactions { handle: String, ids: Vec<String>, chat: Chat, group: Option<String> },
    ListReactors(ListReactors),
    PinMessage { handle: String, id: String, to: String, chat: Chat, pinned: bool },
    ListPinnedMessages(ListPinnedMessages),
    ListGroups { handle: String },
    ListRooms { handle: String },
    EnterRoom { handle: String, room: String, ext: Option<String>, leave_others: Option<bool> },
    UniqueIds { count: usize },
    Network { up: bool },
}

impl DeviceCommand {
    pub(crate) fn read(name: String, arguments: Value) -> Result<Self, BadCommand> {
        let entry = Value::Object(Map::from_iter([(name.clone(), arguments)]));
        serde_json::from_value(entry).map_err(|error| {
            // What stands in an argument is told apart by its own words.
            if error.to_string().starts_with(&format!("unknown variant `{name}`")) {
                BadCommand::Unknown(name)
            } else {
                BadCommand::Arguments(format!("{name}: {error}"))
            }
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Create {
    pub(crate) app_key: String,
    pub(crate) username: String,
    pub(crate) device: String,
    pub(crate) rest: String,
    pub(crate) sockjs: String,
    pub(crate) websocket: String,
    pub(crate) reconnects: u32,
    pub(crate) delivery: bool,
    #[serde(default)]
    pub(crate) own_upload: bool,
    pub(crate) emoji: Option<Emoji>,
    /// The reference client takes every time from the server.
    #[serde(rename = "now_ms")]
    pub(crate) _now_ms: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Emoji {
    pub(crate) path: String,
    pub(crate) map: BTreeMap<String, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Chat {
    Single,
    Group,
    Room,
}

/// A number, or a string of digits.
#[derive(Debug, Deserialize)]
#[serde(try_from = "Value")]
pub(crate) struct Count(pub(crate) usize);

impl TryFrom<Value> for Count {
    type Error = String;

    fn try_from(count: Value) -> Result<Self, String> {
        let number = match &count {
            Value::Number(number) => number.as_u64().and_then(|number| usize::try_from(number).ok()),
            Value::String(digits) => digits.parse().ok(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        };
        number.map(Self).ok_or_else(|| format!("count must be a whole number or its digits, not {count}"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendText {
    pub(crate) handle: String,
    pub(crate) to: String,
    pub(crate) chat: Chat,
    pub(crate) text: String,
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) ext: Option<Value>,
    #[serde(default)]
    pub(crate) ask_receipts: bool,
    pub(crate) only_for: Option<Vec<String>>,
    pub(crate) priority: Option<Priority>,
    #[serde(default)]
    pub(crate) online_only: bool,
    #[serde(default)]
    pub(crate) thread: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Priority {
    High,
    Normal,
    Low,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendCmd {
    pub(crate) handle: String,
    pub(crate) to: String,
    pub(crate) chat: Chat,
    #[serde(default)]
    pub(crate) action: Option<String>,
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) ext: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendCustom {
    pub(crate) handle: String,
    pub(crate) to: String,
    pub(crate) chat: Chat,
    pub(crate) event: String,
    pub(crate) exts: Value,
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) ext: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendLocation {
    pub(crate) handle: String,
    pub(crate) to: String,
    pub(crate) chat: Chat,
    pub(crate) lat: f64,
    pub(crate) lng: f64,
    pub(crate) addr: String,
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) ext: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendImage {
    pub(crate) handle: String,
    pub(crate) to: String,
    pub(crate) chat: Chat,
    pub(crate) file: String,
    pub(crate) filename: String,
    pub(crate) media_type: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) ext: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendImageUrl {
    pub(crate) handle: String,
    pub(crate) to: String,
    pub(crate) chat: Chat,
    pub(crate) url: String,
    pub(crate) filename: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) ext: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendFile {
    pub(crate) handle: String,
    pub(crate) to: String,
    pub(crate) chat: Chat,
    pub(crate) file: String,
    pub(crate) filename: String,
    pub(crate) media_type: String,
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) ext: Option<Value>,
}

/// A sound, whose length is in seconds, or a film, whose length is in ms.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SendLasting {
    pub(crate) handle: String,
    pub(crate) to: String,
    pub(crate) chat: Chat,
    pub(crate) file: String,
    pub(crate) filename: String,
    pub(crate) media_type: String,
    pub(crate) length: u32,
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) ext: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateGroup {
    pub(crate) name: String,
    pub(crate) members: Vec<String>,
    pub(crate) public: Option<bool>,
    pub(crate) approval: Option<bool>,
    pub(crate) confirm_invites: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListConversations {
    pub(crate) handle: String,
    pub(crate) limit: Option<u32>,
    pub(crate) cursor: Option<String>,
    #[serde(default)]
    pub(crate) pinned: bool,
    pub(crate) mark: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Target {
    pub(crate) to: String,
    pub(crate) chat: Chat,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchHistory {
    pub(crate) handle: String,
    pub(crate) with: String,
    pub(crate) chat: Chat,
    pub(crate) limit: Option<u32>,
    pub(crate) cursor: Option<String>,
    #[serde(default)]
    pub(crate) forwards: bool,
    #[serde(default)]
    pub(crate) kinds: Vec<String>,
    pub(crate) from: Option<String>,
    pub(crate) since: Option<u64>,
    pub(crate) until: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RemoveHistory {
    pub(crate) handle: String,
    pub(crate) to: String,
    pub(crate) chat: Chat,
    pub(crate) ids: Option<Vec<String>>,
    pub(crate) until: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ModifyText {
    pub(crate) handle: String,
    pub(crate) id: String,
    pub(crate) to: String,
    pub(crate) chat: Chat,
    pub(crate) text: String,
    #[serde(default, deserialize_with = "even_null")]
    pub(crate) ext: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListReactors {
    pub(crate) handle: String,
    pub(crate) id: String,
    pub(crate) reaction: String,
    pub(crate) limit: Option<u32>,
    pub(crate) cursor: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListPinnedMessages {
    pub(crate) handle: String,
    pub(crate) to: String,
    pub(crate) chat: Chat,
    pub(crate) limit: Option<u32>,
    pub(crate) cursor: Option<String>,
}

/// `null` given is not the same as nothing given.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
