//! What the client tells its user. Types only: the machine fills them, the user reads them.

use std::fmt;

use serde_json::{Map, Value};

use crate::error::Failure;
use crate::ext::Ext;
use crate::message::{Chat, LocalId};
use crate::timer::Millis;

/// Something the user of the client should know. The order of events is the order in which things happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Logged in: PROVISION was answered. Comes again after each reconnect.
    Opened,
    /// Gone for good, once: after `close()`, after a kick, or when the reconnect budget is used up. A login
    /// that was refused ends with its [`Event::Error`] instead, since nothing had been opened.
    Closed,
    /// A failure that belongs to no message.
    Error(Failure),
    /// The server took a message.
    Sent {
        /// As [`crate::Client::send`] returned it.
        local: LocalId,
        /// The server's id for it.
        server: ServerId,
    },
    /// The server's receipt for the same message, right after [`Event::Sent`]: the protocol has both
    /// callbacks (wire-3x §3.5).
    Received {
        /// As [`crate::Client::send`] returned it.
        local: LocalId,
        /// The server's id for it.
        server: ServerId,
    },
    /// A message was not taken. It reached nobody, unless the failure is 510 or 512: then it is unknown.
    Failed {
        /// As [`crate::Client::send`] returned it.
        local: LocalId,
        /// Why.
        failure: Failure,
    },
    /// A message came.
    Message(Incoming),
    /// The whole block list as it is now.
    BlacklistUpdate(Vec<String>),
    /// A group was made.
    GroupCreated {
        /// Its id.
        group: String,
    },
    /// A chat room was made.
    RoomCreated {
        /// Its id.
        room: String,
    },
    /// Contacts, groups or rooms changed.
    Presence(Presence),
    /// The host told that the local network went.
    Offline,
    /// The host told that the local network came.
    Online,
}

/// The server's id of a message: 64 bits, above 2^53 on purpose (wire-3x §10.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServerId(pub u64);

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A message from somebody, or from another device of one's own.
#[derive(Clone, Debug, PartialEq)]
pub struct Incoming {
    /// The same number that its sender got.
    pub id: ServerId,
    /// The sender's name, as the sender spells it.
    pub from: String,
    /// The name of a user, or the id of a group or a room.
    pub to: String,
    /// Which of the three.
    pub chat: Chat,
    /// When the server took it.
    pub time: Millis,
    /// What the sender put beside the message; empty when nothing.
    pub ext: Ext,
    /// What it says.
    pub content: IncomingContent,
}

/// What a received message says.
#[derive(Clone, Debug, PartialEq)]
pub enum IncomingContent {
    /// A text.
    Text(String),
    /// A command for the program at the other end.
    Command {
        /// What to do; empty when the sender left it out.
        action: String,
    },
    /// An application's own kind of message.
    Custom {
        /// Its name.
        event: String,
        /// Its fields. Clients older than ours may have put more than strings in.
        exts: Map<String, Value>,
    },
    /// A place.
    Location {
        /// Degrees, north positive.
        latitude: f64,
        /// Degrees, east positive.
        longitude: f64,
        /// In words.
        address: String,
    },
}

/// A change of contacts, of a group or of a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// The `type` that the 3.x Web SDK gives it, such as `invite` (wire-3x §5.3, §5.4).
    pub kind: &'static str,
    /// Who did it.
    pub from: String,
    /// Where.
    pub place: Place,
}

/// Where a [`Presence`] happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In the contact list.
    Contacts,
    /// In the group with this id.
    Group(String),
    /// In the room with this id.
    Room(String),
}
