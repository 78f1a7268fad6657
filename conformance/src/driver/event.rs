//! The events of `DRIVER.md` and the fields that each may have.
//!
//! Values are kept as the client shows them: a number where a string should be is for the step to refuse.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};
use strum::{IntoStaticStr, VariantArray};

/// What a device showed, or, in a step, the part of it that must be so.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Which callback fired.
    pub kind: EventKind,
    /// What it was given; only names that [`EventKind::fields`] lists.
    pub fields: Map<String, Value>,
}

/// The callbacks.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[expect(missing_docs, reason = "DRIVER.md has each event")]
pub enum EventKind {
    Opened,
    Closed,
    Error,
    Sent,
    Failed,
    Received,
    Muted,
    Text,
    Emoji,
    Cmd,
    Custom,
    Location,
    Picture,
    File,
    Audio,
    Video,
    UploadProgress,
    Uploaded,
    UploadFailed,
    Downloaded,
    DownloadFailed,
    Recall,
    Delivered,
    Read,
    Channel,
    Statistic,
    History,
    Sessions,
    SessionDeleted,
    Readers,
    CallFailed,
    Roster,
    BlacklistUpdate,
    CreateGroup,
    CreateRoom,
    Presence,
    Offline,
    Online,
    Done,
    Conversations,
    HistoryPage,
    Modified,
    Reaction,
    Reactions,
    Reactors,
    Pin,
    PinnedMessages,
    Combined,
    CombinedMessages,
    Translations,
    Languages,
    Contacts,
    Presences,
    Subscriptions,
    PresenceStatus,
    UserInfo,
    SilentMode,
    PushLanguage,
    OwnDevices,
    Device,
    TokenWillExpire,
    TokenExpired,
    Groups,
    Rooms,
    Entered,
    Attributes,
    AttributesSet,
    MemberAttributes,
    AttributesChanged,
    ThreadCreated,
    Thread,
    Threads,
    ThreadMembers,
    ThreadMessages,
    ThreadChange,
    Rendered,
    RenderFailed,
}

impl EventKind {
    /// As `DRIVER.md` spells it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The fields it may have.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Opened
            | Self::Closed
            | Self::Offline
            | Self::Online
            | Self::TokenWillExpire
            | Self::TokenExpired => &[],
            Self::Error => &["type", "message", "data"],
            Self::Sent | Self::Received => &["handle", "id"],
            Self::Failed => &["handle", "type", "reason"],
            Self::Muted | Self::SessionDeleted => &["handle"],
            Self::Text => {
                &["id", "from", "to", "chat", "data", "ext", "time", "online", "thread", "priority"]
            }
            Self::Emoji => &["id", "from", "to", "chat", "data", "ext", "time"],
            Self::Cmd => &["id", "from", "to", "chat", "ext", "time", "action"],
            Self::Custom => &["id", "from", "to", "chat", "ext", "time", "event", "exts"],
            Self::Location => &["id", "from", "to", "chat", "ext", "time", "lat", "lng", "addr"],
            Self::Picture => &[
                "id",
                "from",
                "to",
                "chat",
                "ext",
                "time",
                "url",
                "secret",
                "filename",
                "width",
                "height",
                "file_length",
            ],
            Self::File => {
                &["id", "from", "to", "chat", "ext", "time", "url", "secret", "filename", "file_length"]
            }
            Self::Audio | Self::Video => &[
                "id",
                "from",
                "to",
                "chat",
                "ext",
                "time",
                "url",
                "secret",
                "filename",
                "file_length",
                "length",
            ],
            Self::UploadProgress => &["handle", "loaded", "total"],
            Self::Uploaded => &["handle", "uuid", "secret"],
            Self::UploadFailed | Self::DownloadFailed => &["handle", "type"],
            Self::Downloaded => &["handle", "media_type", "bytes", "sha256"],
            Self::Recall => &["mid", "from", "to"],
            Self::Delivered => &["mid"],
            Self::Read => &["mid", "count", "content"],
            Self::Channel => &["from", "to"],
            Self::Statistic => &["group_ack"],
            Self::History => &["handle", "ids", "kinds", "froms", "texts"],
            Self::Sessions => &["handle", "channels", "unread", "last_ids", "last_texts"],
            Self::Readers => &["handle", "users", "total", "next"],
            Self::CallFailed => &["handle", "type", "message"],
            Self::Roster | Self::BlacklistUpdate => &["users"],
            Self::CreateGroup => &["group"],
            Self::CreateRoom => &["room"],
            Self::Presence => &["type", "from", "to", "group", "room", "status"],
            Self::Done | Self::RenderFailed => &["handle"],
            Self::Conversations => {
                &["handle", "with", "chats", "pinned", "unread", "marks", "last_ids", "last_texts", "cursor"]
            }
            Self::HistoryPage => &["handle", "ids", "kinds", "froms", "texts", "cursor", "last"],
            Self::Modified => &["id", "from", "to", "chat", "data", "ext", "time", "operator", "count"],
            Self::Reaction => &["mid", "from", "to", "chat", "list"],
            Self::Reactions => &["handle", "list"],
            Self::Reactors => &["handle", "users", "count", "cursor"],
            Self::Pin => &["mid", "with", "chat", "operator", "pinned", "time"],
            Self::PinnedMessages => &["handle", "ids", "operators", "texts", "cursor"],
            Self::Combined => &[
                "id",
                "from",
                "to",
                "chat",
                "ext",
                "time",
                "title",
                "summary",
                "text",
                "level",
                "url",
                "secret",
                "filename",
                "file_length",
            ],
            Self::CombinedMessages => &["handle", "kinds", "froms", "texts"],
            Self::Translations => &["handle", "languages", "texts"],
            Self::Languages => &["handle", "codes"],
            Self::Contacts => &["handle", "users", "remarks", "cursor"],
            Self::Presences => &["handle", "users", "texts", "devices"],
            Self::Subscriptions => &["handle", "users", "expiries"],
            Self::PresenceStatus => &["user", "text", "devices"],
            Self::UserInfo => &["handle", "users"],
            Self::SilentMode => &["handle", "kind", "until"],
            Self::PushLanguage => &["handle", "language"],
            Self::OwnDevices => &["handle", "resources"],
            Self::Device => &["operation", "id", "chat", "from", "detail"],
            Self::Groups | Self::Rooms => &["handle", "ids", "names"],
            Self::Entered => &["handle", "room", "members", "all_muted", "allowed", "mute_ms", "created"],
            Self::Attributes | Self::MemberAttributes => &["handle", "attributes"],
            Self::AttributesSet => &["handle", "keys", "failed"],
            Self::AttributesChanged => &["chat", "id", "from", "user", "attributes", "removed"],
            Self::ThreadCreated => &["handle", "thread"],
            Self::Thread => &["handle", "thread", "name", "group", "mid", "owner", "messages"],
            Self::Threads => &["handle", "ids", "names", "cursor"],
            Self::ThreadMembers => &["handle", "users", "cursor"],
            Self::ThreadMessages => &["handle", "threads", "ids", "texts"],
            Self::ThreadChange => &["thread", "group", "mid", "name", "operation", "from", "messages"],
            Self::Rendered => &["handle", "width", "height"],
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.as_str())?;
        f.write_str(" {")?;
        for (index, (name, value)) in self.fields.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{name:?}:{value}")?;
        }
        f.write_str("}")
    }
}

/// From the same tables as the parser: one property, the callback's name, with no fields but its own.
impl JsonSchema for Event {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Event".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kinds = EventKind::VARIANTS.iter().map(|kind| {
            let fields: Map<String, Value> =
                kind.fields().iter().map(|&field| (field.to_owned(), Value::Bool(true))).collect();
            json_schema!({
                "type": "object",
                "properties": {
                    kind.as_str(): {"type": "object", "properties": fields, "additionalProperties": false}
                },
                "required": [kind.as_str()],
                "additionalProperties": false
            })
        });
        json_schema!({"oneOf": kinds.collect::<Vec<_>>()})
    }
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.kind.as_str(), &self.fields)])
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Tagged;
        impl<'de> Visitor<'de> for Tagged {
            type Value = Event;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event such as {\"text\": {\"data\": \"hi\"}}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Event, A::Error> {
                let Some(kind) = map.next_key::<EventKind>()? else {
                    return Err(de::Error::custom("an event without a name"));
                };
                let fields = map.next_value_seed(Fields(kind))?;
                if let Some(second) = map.next_key::<String>()? {
                    return Err(de::Error::custom(format_args!(
                        "a second event {second:?} beside {:?}",
                        kind.as_str()
                    )));
                }
                Ok(Event { kind, fields })
            }
        }
        deserializer.deserialize_map(Tagged)
    }
}

struct Fields(EventKind);

impl<'de> de::DeserializeSeed<'de> for Fields {
    type Value = Map<String, Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Fields {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the fields of {:?}", self.0.as_str())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let known = self.0.fields();
        let mut fields = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if !known.contains(&name.as_str()) {
                return Err(de::Error::unknown_field(&name, known));
            }
            let value = map.next_value()?;
            if fields.insert(name.clone(), value).is_some() {
                return Err(de::Error::custom(format_args!("duplicate field `{name}`")));
            }
        }
        Ok(fields)
    }
}
