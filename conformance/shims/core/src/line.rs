//! The lines of the driver protocol, as this side reads DRIVER.md: types only.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

/// A line from the harness.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) user: Option<String>,
    command: Map<String, Value>,
}

/// A command, read.
#[derive(Debug)]
pub(crate) enum Command {
    Process(ProcessCommand),
    Device(DeviceCommand),
}

#[derive(Debug)]
pub(crate) enum ProcessCommand {
    Sync,
    Advance(Advance),
    Reset,
}

#[derive(Debug)]
pub(crate) enum DeviceCommand {
    Create(Create),
    LoginPassword(LoginPassword),
    LoginToken(LoginToken),
    Close,
    SendText(SendText),
    SendCmd(SendCmd),
    SendCustom(SendCustom),
    SendLocation(SendLocation),
    Block(Users),
    Unblock(Users),
    CreateGroup(NewPlace),
    JoinGroup(Group),
    LeaveGroup(Group),
    DissolveGroup(Group),
    InviteToGroup(GroupUsers),
    RemoveFromGroup(GroupUsers),
    CreateRoom(NewPlace),
    JoinRoom(Room),
    LeaveRoom(Room),
    UniqueIds(UniqueIds),
    Network(Network),
}

/// Why a request is no command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadCommand {
    /// Nothing is known by this name.
    Unknown(String),
    /// Known, but not with these arguments.
    Arguments(String),
}

impl Request {
    /// What is asked for; the one entry of `command`.
    pub(crate) fn read_command(self) -> Result<Command, BadCommand> {
        let mut entries = self.command.into_iter();
        let (Some((name, arguments)), None) = (entries.next(), entries.next()) else {
            return Err(BadCommand::Arguments("command must hold exactly one entry".to_owned()));
        };
        let command = match name.as_str() {
            "sync" => Command::Process(nothing(&name, arguments, ProcessCommand::Sync)?),
            "advance" => Command::Process(ProcessCommand::Advance(read(&name, arguments)?)),
            "reset" => Command::Process(nothing(&name, arguments, ProcessCommand::Reset)?),
            _ => Command::Device(DeviceCommand::read(name, arguments)?),
        };
        Ok(command)
    }
}

impl DeviceCommand {
    fn read(name: String, arguments: Value) -> Result<Self, BadCommand> {
        Ok(match name.as_str() {
            "create" => Self::Create(read(&name, arguments)?),
            "login_password" => Self::LoginPassword(read(&name, arguments)?),
            "login_token" => Self::LoginToken(read(&name, arguments)?),
            "close" => nothing(&name, arguments, Self::Close)?,
            "send_text" => Self::SendText(read(&name, arguments)?),
            "send_cmd" => Self::SendCmd(read(&name, arguments)?),
            "send_custom" => Self::SendCustom(read(&name, arguments)?),
            "send_location" => Self::SendLocation(read(&name, arguments)?),
            "block" => Self::Block(read(&name, arguments)?),
            "unblock" => Self::Unblock(read(&name, arguments)?),
            "create_group" => Self::CreateGroup(read(&name, arguments)?),
            "join_group" => Self::JoinGroup(read(&name, arguments)?),
            "leave_group" => Self::LeaveGroup(read(&name, arguments)?),
            "dissolve_group" => Self::DissolveGroup(read(&name, arguments)?),
            "invite_to_group" => Self::InviteToGroup(read(&name, arguments)?),
            "remove_from_group" => Self::RemoveFromGroup(read(&name, arguments)?),
            "create_room" => Self::CreateRoom(read(&name, arguments)?),
            "join_room" => Self::JoinRoom(read(&name, arguments)?),
            "leave_room" => Self::LeaveRoom(read(&name, arguments)?),
            "unique_ids" => Self::UniqueIds(read(&name, arguments)?),
            "network" => Self::Network(read(&name, arguments)?),
            _ => return Err(BadCommand::Unknown(name)),
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Advance {
    pub(crate) ms: u64,
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
    pub(crate) own_upload: bool,
    pub(crate) emoji: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginPassword {
    pub(crate) password: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LoginToken {
    pub(crate) token: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Chat {
    Single,
    Group,
    Room,
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
pub(crate) struct Users {
    pub(crate) users: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPlace {
    pub(crate) name: String,
    pub(crate) members: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Group {
    pub(crate) group: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct GroupUsers {
    pub(crate) group: String,
    pub(crate) users: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Room {
    pub(crate) room: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UniqueIds {
    pub(crate) count: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Network {
    pub(crate) up: bool,
}

/// A line to the harness.
#[derive(Debug, Serialize)]
pub(crate) struct HelloLine {
    pub(crate) hello: Hello,
}

#[derive(Debug, Serialize)]
pub(crate) struct Hello {
    pub(crate) protocol: u32,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) capabilities: &'static [&'static str],
}

/// A line to the harness.
#[derive(Debug, Serialize)]
pub(crate) struct AnswerLine {
    id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<Answer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsupported: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What an `ok` holds: `{}` but for two commands.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_due_ms: Option<NextDue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ids: Option<Vec<String>>,
}

/// A number, or `null` when nothing will ever fall due.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct NextDue(pub(crate) Option<u64>);

/// Why a command was not made.
#[derive(Debug)]
pub(crate) enum Refused {
    Unsupported(String),
    Error(String),
}

impl AnswerLine {
    pub(crate) fn new(id: u64, outcome: Result<Answer, Refused>) -> Self {
        let (ok, unsupported, error) = match outcome {
            Ok(answer) => (Some(answer), None, None),
            Err(Refused::Unsupported(what)) => (None, Some(what), None),
            Err(Refused::Error(reason)) => (None, None, Some(reason)),
        };
        Self { id, ok, unsupported, error }
    }
}

/// A line to the harness.
#[derive(Debug, Serialize)]
pub(crate) struct EventLine<'a> {
    pub(crate) user: &'a str,
    pub(crate) event: Event,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Event {
    Opened {},
    Closed {},
    Error {
        r#type: i32,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<Value>,
    },
    Sent {
        handle: String,
        id: String,
    },
    Failed {
        handle: String,
        r#type: i32,
        reason: String,
    },
    Received {
        handle: String,
        id: String,
    },
    Text {
        id: String,
        from: String,
        to: String,
        chat: Chat,
        data: String,
        ext: Value,
        time: u64,
    },
    Cmd {
        id: String,
        from: String,
        to: String,
        chat: Chat,
        ext: Value,
        time: u64,
        action: String,
    },
    Custom {
        id: String,
        from: String,
        to: String,
        chat: Chat,
        ext: Value,
        time: u64,
        event: String,
        exts: Value,
    },
    Location {
        id: String,
        from: String,
        to: String,
        chat: Chat,
        ext: Value,
        time: u64,
        lat: f64,
        lng: f64,
        addr: String,
    },
    BlacklistUpdate {
        users: Vec<String>,
    },
    CreateGroup {
        group: String,
    },
    CreateRoom {
        room: String,
    },
    Presence {
        r#type: &'static str,
        from: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        group: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<String>,
    },
    Offline {},
    Online {},
}

fn read<T: DeserializeOwned>(name: &str, arguments: Value) -> Result<T, BadCommand> {
    serde_json::from_value(arguments).map_err(|error| BadCommand::Arguments(format!("{name}: {error}")))
}

/// `{}` and nothing else.
fn nothing<T>(name: &str, arguments: Value, command: T) -> Result<T, BadCommand> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    read::<Nothing>(name, arguments).map(|Nothing {}| command)
}

/// `null` given is not the same as nothing given.
fn even_null<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
