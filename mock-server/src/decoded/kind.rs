//! What kinds of rows there are: one word for each frame, request and change of a socket, for people and for rules.

use serde::{Deserialize, Serialize};

use super::{Message, Value};
use crate::tape::Direction;

/// What a row of the journal is, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Either way: a login, and its answer.
    Provision,
    /// Either way: what waits, and the heartbeat.
    Unread,
    /// Up: a device of 4.x logs out.
    Logout,
    /// Up: a SYNC that asks for what a queue has.
    Pull,
    /// Up: a SYNC that gives a page's key back, and pulls on.
    Ack,
    /// Up: a text message.
    Text,
    /// Up: a picture.
    Image,
    /// Up: a file.
    File,
    /// Up: a voice message.
    Audio,
    /// Up: a film.
    Video,
    /// Up: a place.
    Location,
    /// Up: a command message.
    Cmd,
    /// Up: a custom message.
    Custom,
    /// Up: combined messages.
    Combine,
    /// Up: a message is taken back.
    Recall,
    /// Up: a message is modified.
    Edit,
    /// Up: messages were read.
    ReadAck,
    /// Up: a message was delivered.
    DeliveredAck,
    /// Up: a conversation was read.
    ChannelAck,
    /// Up: of contacts.
    Roster,
    /// Up: of groups and rooms.
    Muc,
    /// Up: what a client says of itself.
    Statistics,
    /// Up: any other SYNC with a meta.
    Message,
    /// Down: a queue has something.
    Notice,
    /// Down: the answer to what was sent, or a refusal.
    Answer,
    /// Down: messages of a queue, or its end.
    Page,
    /// Either way: a SYNC that is none of these.
    Sync,
    /// A frame of no known command, or one that nobody can read.
    Unknown,
    /// A request and its answer.
    Http,
    /// The same, with a file.
    Upload,
    /// A socket was handed to the world.
    Opened,
    /// A connection is a device now.
    LoggedIn,
    /// The server fell mute on a connection.
    Muted,
    /// A connection is gone.
    Closed,
    /// A rule did something.
    Fault,
}

/// Which way frames of a kind go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From clients alone.
    Up,
    /// To clients alone.
    Down,
    /// Both.
    Both,
    /// It is no frame.
    Neither,
}

impl Kind {
    /// Every kind, with its word and the way that its frames go.
    pub const ALL: [(Self, &'static str, Way); 35] = [
        (Self::Provision, "provision", Way::Both),
        (Self::Unread, "unread", Way::Both),
        (Self::Logout, "logout", Way::Both),
        (Self::Pull, "pull", Way::Up),
        (Self::Ack, "ack", Way::Up),
        (Self::Text, "text", Way::Up),
        (Self::Image, "image", Way::Up),
        (Self::File, "file", Way::Up),
        (Self::Audio, "audio", Way::Up),
        (Self::Video, "video", Way::Up),
        (Self::Location, "location", Way::Up),
        (Self::Cmd, "cmd", Way::Up),
        (Self::Custom, "custom", Way::Up),
        (Self::Combine, "combine", Way::Up),
        (Self::Recall, "recall", Way::Up),
        (Self::Edit, "edit", Way::Up),
        (Self::ReadAck, "read_ack", Way::Up),
        (Self::DeliveredAck, "delivered_ack", Way::Up),
        (Self::ChannelAck, "channel_ack", Way::Up),
        (Self::Roster, "roster", Way::Up),
        (Self::Muc, "muc", Way::Up),
        (Self::Statistics, "statistics", Way::Up),
        (Self::Message, "message", Way::Up),
        (Self::Notice, "notice", Way::Down),
        (Self::Answer, "answer", Way::Down),
        (Self::Page, "page", Way::Down),
        (Self::Sync, "sync", Way::Both),
        (Self::Unknown, "unknown", Way::Both),
        (Self::Http, "http", Way::Neither),
        (Self::Upload, "upload", Way::Neither),
        (Self::Opened, "opened", Way::Neither),
        (Self::LoggedIn, "logged_in", Way::Neither),
        (Self::Muted, "muted", Way::Neither),
        (Self::Closed, "closed", Way::Neither),
        (Self::Fault, "fault", Way::Neither),
    ];

    /// Its word, as rules, queries and rows have it.
    pub fn word(self) -> &'static str {
        let found = Self::ALL.iter().find(|(kind, _, _)| *kind == self);
        found.map(|(_, word, _)| *word).expect("ALL has every kind")
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known, _)| *known == word).map(|(kind, _, _)| *kind)
    }

    /// What a `Meta` carries, whichever way it goes.
    pub fn of_meta(meta: &Message) -> Self {
        match meta.number("ns") {
            Some(0) => Self::Statistics,
            Some(1) => meta.message("payload").map_or(Self::Message, content),
            Some(2) => Self::Muc,
            Some(3) => Self::Roster,
            Some(_) | None => Self::Message,
        }
    }

    /// Which way its frames go.
    pub fn way(self) -> Way {
        let found = Self::ALL.iter().find(|(kind, _, _)| *kind == self);
        found.map(|(_, _, way)| *way).expect("ALL has every kind")
    }

    /// Whether it is a SYNC that carries something to somebody or about somebody: any with a meta.
    pub fn has_meta(self) -> bool {
        match self {
            Self::Text
            | Self::Image
            | Self::File
            | Self::Audio
            | Self::Video
            | Self::Location
            | Self::Cmd
            | Self::Custom
            | Self::Combine
            | Self::Recall
            | Self::Edit
            | Self::ReadAck
            | Self::DeliveredAck
            | Self::ChannelAck
            | Self::Roster
            | Self::Muc
            | Self::Statistics
            | Self::Message => true,
            Self::Provision
            | Self::Unread
            | Self::Logout
            | Self::Pull
            | Self::Ack
            | Self::Notice
            | Self::Answer
            | Self::Page
            | Self::Sync
            | Self::Unknown
            | Self::Http
            | Self::Upload
            | Self::Opened
            | Self::LoggedIn
            | Self::Muted
            | Self::Closed
            | Self::Fault => false,
        }
    }
}

/// The kind of a frame that was read. One that is damaged in its envelope is unknown.
pub(super) fn of(frame: &Message, direction: Direction, damaged: bool) -> Kind {
    let empty = Message::default();
    let payload = match frame.field("payload") {
        Some(Value::Message(payload)) => payload,
        _ if damaged => return Kind::Unknown,
        _ => &empty,
    };
    match (frame.number("command").unwrap_or(0), direction) {
        (0, Direction::Up) => up(payload),
        (0, Direction::Down) => down(payload),
        (1, _) => Kind::Unread,
        (2, _) => Kind::Notice,
        (3, _) => Kind::Provision,
        (4, _) => Kind::Logout,
        (_, _) => Kind::Unknown,
    }
}

fn up(sync: &Message) -> Kind {
    let Some(meta) = sync.message("meta") else {
        return match (sync.field("queue"), sync.field("key")) {
            (Some(_), Some(_)) => Kind::Ack,
            (Some(_), None) => Kind::Pull,
            (None, _) => Kind::Sync,
        };
    };
    Kind::of_meta(meta)
}

fn content(body: &Message) -> Kind {
    match body.number("type") {
        Some(4) => return Kind::ReadAck,
        Some(5) => return Kind::DeliveredAck,
        Some(6) => return Kind::Recall,
        Some(7) => return Kind::ChannelAck,
        Some(8) => return Kind::Edit,
        Some(_) | None => {}
    }
    match body.message("contents").and_then(|content| content.number("type")) {
        Some(0) => Kind::Text,
        Some(1) => Kind::Image,
        Some(2) => Kind::Video,
        Some(3) => Kind::Location,
        Some(4) => Kind::Audio,
        Some(5) => Kind::File,
        Some(6) => Kind::Cmd,
        Some(7) => Kind::Custom,
        Some(8) => Kind::Combine,
        Some(_) | None => Kind::Message,
    }
}

fn down(sync: &Message) -> Kind {
    let has = |name: &str| sync.field(name).is_some();
    if has("metas") || has("isLast") {
        Kind::Page
    } else if has("metaId") || has("serverId") || has("status") {
        Kind::Answer
    } else {
        Kind::Sync
    }
}
