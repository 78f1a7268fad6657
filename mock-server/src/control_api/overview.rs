//! `GET …/overview` and `GET /_mock/worlds`: what a world is like at one moment, for people and for programs that wait
//! for nothing. Messages are not in it; the tape has them.

use serde::{Deserialize, Serialize};

use crate::control::Settings;
use crate::machine::ConnId;

/// How many users, groups and rooms one overview names, each: what a page can show and a program read in one go.
pub const OVERVIEW_MAX: usize = 1_000;
/// How many queues of one user it names: those with something in them, oldest conversation first.
pub const OVERVIEW_QUEUES_MAX: usize = 100;
/// Up to how many messages of a queue are counted: whoever has more waiting has many.
pub const OVERVIEW_COUNT_MAX: usize = 1_000;

/// The answer of `GET /_mock/worlds`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorldList {
    /// Every world of the server, by its app key.
    pub worlds: Vec<WorldLine>,
}

/// One world in a few numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WorldLine {
    /// `org#app`.
    pub app_key: String,
    /// How many names it knows.
    pub users: usize,
    /// How many of those are logged in.
    pub online: usize,
    /// How many rows its tape has had; 0 where none is kept.
    pub rows: usize,
    /// What time it is there, in ms since 1970.
    pub now_ms: u64,
}

/// The answer of `GET …/overview`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Overview {
    /// `org#app`.
    pub app_key: String,
    /// Its clock.
    pub clock: ClockView,
    /// The rules that hold.
    pub settings: Settings,
    /// The first [`OVERVIEW_MAX`] names that it knows, oldest first. Who was removed is none of them, until somebody makes or
    /// writes to the name again.
    pub users: Vec<UserView>,
    /// Its first [`OVERVIEW_MAX`] groups, oldest first.
    pub groups: Vec<MucView>,
    /// Its first [`OVERVIEW_MAX`] rooms, oldest first.
    pub rooms: Vec<MucView>,
    /// How many users, groups and rooms there are besides.
    pub more: usize,
    /// How many fault rules are armed.
    pub rules: usize,
}

/// A world's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClockView {
    /// In ms since 1970.
    pub now_ms: u64,
    /// Whether it goes on by itself; one that does not stands still until it is moved.
    pub runs: bool,
}

/// A user, or a name that somebody wrote to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserView {
    /// Folded to lower case.
    pub name: String,
    /// Its devices, oldest first; none: it is away.
    pub online: Vec<DeviceView>,
    /// What the server counts as unread for it, over all conversations.
    pub unread: u64,
    /// The queues that have something for it, at most [`OVERVIEW_QUEUES_MAX`].
    pub queues: Vec<QueueView>,
    /// Until when the app lets it speak nowhere, in ms since 1970; `null`: it may speak.
    pub muted_until_ms: Option<u64>,
}

/// A device that is logged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeviceView {
    /// The resource that it logged in with.
    pub device: String,
    /// Its connection.
    pub conn: ConnId,
}

/// A queue of one user: what its devices have still to be given, or have been given and have not acknowledged. Of several
/// devices it is the one that is furthest behind; of a user who is away, what a new device would be given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct QueueView {
    /// The other user, the group or the room; empty: what the service itself tells.
    pub queue: String,
    /// Which of them.
    pub kind: QueueKind,
    /// How many messages wait to be pulled, counted up to [`OVERVIEW_COUNT_MAX`].
    pub waiting: usize,
    /// How many lie in a page whose key has not come back, counted so too.
    pub unacknowledged: usize,
}

/// What a queue is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum QueueKind {
    /// Another user's messages.
    User,
    /// A group's.
    Group,
    /// A chat room's.
    Room,
    /// Those of a thread in a group (4.x).
    Thread,
    /// What the service tells.
    Service,
}

/// A group or room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MucView {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Who owns it.
    pub owner: String,
    /// Who is in, the owner among them; the first [`OVERVIEW_MAX`].
    pub members: Vec<String>,
    /// How many are in besides.
    pub more: usize,
}
