//! What can be said, and how it is spelt in a frame (wire-3x §3.5, §4).
//!
//! Encoding of chat messages, and nothing of when they are sent or whether they arrive. Reading is in
//! `incoming`, what is said about messages in `receipt`.

use std::fmt;

use fixtures::wire::key_value::{Value as WireValue, ValueType};
use fixtures::wire::message_body::content::Type as ContentType;
use fixtures::wire::message_body::{Content as WireContent, MessageConfig, Type as BodyType};
use fixtures::wire::meta::{NameSpace, RouteType};
use fixtures::wire::{
    CONFERENCE_DOMAIN, CommSyncUl, Jid, KeyValue, MSync, MessageBody, Meta, USER_DOMAIN, m_sync,
};
use prost::Message as _;

use crate::attachment::Attachment;
use crate::error::CommandError;
use crate::ext::{CustomExts, Ext};
use crate::timer::Millis;

/// A client's own id of a message: unique and rising within a client, below 2^53.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalId(pub u64);

impl fmt::Display for LocalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Whom a message is for: a user, a group or a chat room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chat {
    /// One user.
    Single,
    /// The members of a group.
    Group,
    /// Whoever is in a chat room.
    Room,
}

/// A message to send.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Whether `to` is a user, a group or a room.
    pub chat: Chat,
    /// The name of a user, as it should go out, or the id of a group or a room.
    pub to: String,
    /// What it says.
    pub content: Content,
    /// What else should travel with it.
    pub ext: Ext,
    /// Whether its readers are asked to say so; to a group, by its owner or an admin.
    pub receipts: Receipts,
    /// Who of those at the other end gets it.
    pub route: Route,
    /// What is dropped first where a room has more to say than it can deliver; the service's own when `None`.
    pub priority: Option<Priority>,
}

/// Who gets a message of those that it is for (wire-4x §5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Route {
    /// Everybody, who is away later.
    #[default]
    All,
    /// Who is online now; the others never.
    OnlineOnly,
    /// These members of a group or a room alone.
    Directed(Vec<String>),
}

/// How much a message to a room matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// More than others.
    High,
    /// As much as others.
    Normal,
    /// Less than others.
    Low,
}

/// Whether a message asks its readers for receipts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Receipts {
    /// It does.
    Asked,
    /// It does not.
    #[default]
    NotAsked,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A text.
    Text(String),
    /// A command for the program at the other end; it has an action.
    Command {
        /// What to do; not empty.
        action: String,
    },
    /// An application's own kind of message.
    Custom {
        /// Its name.
        event: String,
        /// Its fields.
        exts: CustomExts,
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
    /// A file that lies somewhere already, such as an image by its URL. [`crate::Client::send_file`] uploads one
    /// first.
    Attachment(Attachment),
}

impl Message {
    /// A message without ext that asks for no receipts.
    pub fn new(chat: Chat, to: impl Into<String>, content: Content) -> Self {
        Self {
            chat,
            to: to.into(),
            content,
            ext: Ext::default(),
            receipts: Receipts::default(),
            route: Route::default(),
            priority: None,
        }
    }

    /// The same with this ext.
    #[must_use]
    pub fn with_ext(self, ext: Ext) -> Self {
        Self { ext, ..self }
    }

    /// The same to fewer.
    #[must_use]
    pub fn routed(self, route: Route) -> Self {
        Self { route, ..self }
    }

    /// The same with this priority.
    #[must_use]
    pub fn with_priority(self, priority: Priority) -> Self {
        Self { priority: Some(priority), ..self }
    }

    /// The same, asking its readers for receipts.
    #[must_use]
    pub fn asking_for_receipts(self) -> Self {
        Self { receipts: Receipts::Asked, ..self }
    }

    /// What of a message no type can hold off.
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        if self.to.is_empty() {
            return Err(CommandError::NoRecipient);
        }
        if self.receipts == Receipts::Asked && self.chat != Chat::Group {
            return Err(CommandError::ReceiptsOutsideGroup);
        }
        if self.priority.is_some() && self.chat != Chat::Room {
            return Err(CommandError::PriorityOutsideRoom);
        }
        match &self.route {
            Route::Directed(_) if self.chat == Chat::Single => {
                return Err(CommandError::DirectedOutsideGroup);
            }
            Route::Directed(users) if users.is_empty() || users.iter().any(String::is_empty) => {
                return Err(CommandError::NoUsers { command: "send" });
            }
            Route::All | Route::OnlineOnly | Route::Directed(_) => {}
        }
        match &self.content {
            Content::Command { action } if action.is_empty() => Err(CommandError::NoAction),
            Content::Location { latitude, .. } if !latitude.is_finite() => {
                Err(CommandError::NotFinite { field: "latitude" })
            }
            Content::Location { longitude, .. } if !longitude.is_finite() => {
                Err(CommandError::NotFinite { field: "longitude" })
            }
            Content::Attachment(attachment) => attachment.media.check(),
            Content::Text(_)
            | Content::Command { .. }
            | Content::Custom { .. }
            | Content::Location { .. } => Ok(()),
        }
    }

    pub(crate) fn to_wire(&self, id: LocalId, me: &Identity) -> MSync {
        let (body_type, domain, from) = match self.chat {
            Chat::Single => (BodyType::Chat, USER_DOMAIN, me.jid()),
            Chat::Group => (BodyType::Groupchat, CONFERENCE_DOMAIN, me.conference_jid()),
            Chat::Room => (BodyType::Chatroom, CONFERENCE_DOMAIN, me.conference_jid()),
        };
        let body = MessageBody {
            r#type: Some(body_type.into()),
            from: Some(named(&me.username)),
            to: Some(named(&self.to)),
            contents: vec![self.content.to_wire()],
            ext: self.ext.to_wire(),
            msg_config: match self.receipts {
                Receipts::Asked => Some(MessageConfig { allow_group_ack: Some(true) }),
                Receipts::NotAsked => None,
            },
            ..MessageBody::default()
        };
        let meta = Meta {
            routetype: self.route.to_wire().map(Into::into),
            directed_users: match &self.route {
                Route::Directed(users) => users.clone(),
                Route::All | Route::OnlineOnly => Vec::new(),
            },
            ext: self.priority.map(Priority::to_wire).into_iter().collect(),
            ..chat_meta(id, from, me.neighbour(&self.to, domain), &body)
        };
        meta_frame(me, meta)
    }
}

impl Route {
    /// The plain way is not said, as in 3.x.
    fn to_wire(&self) -> Option<RouteType> {
        match self {
            Self::All => None,
            Self::OnlineOnly => Some(RouteType::RouteOnline),
            Self::Directed(_) => Some(RouteType::RouteDirect),
        }
    }
}

/// Where the envelope of a message to a room has its priority (wire-4x §5.1).
const PRIORITY_KEY: &str = "chatroom_msg_tag";

impl Priority {
    /// Normal where there is none, or one that has no name.
    pub(crate) fn from_wire(envelope: &[KeyValue]) -> Self {
        let tag = envelope.iter().find(|pair| pair.key.as_deref() == Some(PRIORITY_KEY));
        match tag.and_then(|pair| pair.value.as_ref()) {
            Some(WireValue::VarintValue(0)) => Self::High,
            Some(WireValue::VarintValue(2)) => Self::Low,
            Some(_) | None => Self::Normal,
        }
    }

    fn to_wire(self) -> KeyValue {
        let tag = match self {
            Self::High => 0,
            Self::Normal => 1,
            Self::Low => 2,
        };
        KeyValue {
            key: Some(PRIORITY_KEY.to_owned()),
            r#type: Some(ValueType::Int.into()),
            value: Some(WireValue::VarintValue(tag)),
        }
    }
}

impl Content {
    pub(crate) fn to_wire(&self) -> WireContent {
        match self {
            Self::Text(text) => WireContent { text: Some(text.clone()), ..typed(ContentType::Text) },
            Self::Command { action } => {
                WireContent { action: Some(action.clone()), ..typed(ContentType::Command) }
            }
            Self::Custom { event, exts } => WireContent {
                custom_event: Some(event.clone()),
                custom_exts: exts.to_wire(),
                ..typed(ContentType::Custom)
            },
            Self::Location { latitude, longitude, address } => WireContent {
                latitude: Some(*latitude),
                longitude: Some(*longitude),
                address: Some(address.clone()),
                ..typed(ContentType::Location)
            },
            Self::Attachment(attachment) => attachment.to_wire(),
        }
    }
}

/// Who this client is on the wire, once logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) app_key: String,
    pub(crate) username: String,
    pub(crate) resource: String,
}

impl Identity {
    pub(crate) fn jid(&self) -> Jid {
        Jid { client_resource: Some(self.resource.clone()), ..self.neighbour(&self.username, USER_DOMAIN) }
    }

    /// The sender of a message to a group or room has the conference's domain and no resource (wire-3x §4.1).
    fn conference_jid(&self) -> Jid {
        self.neighbour(&self.username, CONFERENCE_DOMAIN)
    }

    pub(crate) fn neighbour(&self, name: &str, domain: &str) -> Jid {
        Jid {
            app_key: Some(self.app_key.clone()),
            name: Some(name.to_owned()),
            domain: Some(domain.to_owned()),
            client_resource: None,
        }
    }
}

/// A frame that carries a chat body, be it a message or a receipt.
pub(crate) fn chat_frame(id: LocalId, me: &Identity, from: Jid, to: Jid, body: &MessageBody) -> MSync {
    meta_frame(me, chat_meta(id, from, to, body))
}

fn chat_meta(id: LocalId, from: Jid, to: Jid, body: &MessageBody) -> Meta {
    Meta {
        id: Some(id.0),
        from: Some(from),
        to: Some(to),
        ns: Some(NameSpace::Chat.into()),
        payload: Some(body.encode_to_vec().into()),
        ..Meta::default()
    }
}

fn meta_frame(me: &Identity, meta: Meta) -> MSync {
    let payload = CommSyncUl { meta: Some(meta), ..CommSyncUl::default() };
    MSync { guid: Some(me.jid()), ..sync_frame(&payload) }
}

/// A SYNC frame without a guid: pulls and roster operations have none (wire-3x §3).
pub(crate) fn sync_frame(payload: &CommSyncUl) -> MSync {
    MSync { payload: Some(payload.encode_to_vec().into()), ..bare_frame(m_sync::Command::Sync) }
}

/// What every frame of the SDK has: version 0, a command, no encryption.
pub(crate) fn bare_frame(command: m_sync::Command) -> MSync {
    MSync {
        version: Some(m_sync::Version::MsyncV1.into()),
        command: Some(command.into()),
        encrypt_type: vec![fixtures::wire::EncryptType::EncryptNone.into()],
        ..MSync::default()
    }
}

pub(crate) fn named(name: &str) -> Jid {
    Jid { name: Some(name.to_owned()), ..Jid::default() }
}

pub(crate) fn typed(content_type: ContentType) -> WireContent {
    WireContent { r#type: Some(content_type.into()), ..WireContent::default() }
}

/// Where local ids come from: milliseconds since 2010-02-01 UTC, or one more than the last when that has
/// been given already (wire-3x §3.5).
#[derive(Debug, Default)]
pub(crate) struct LocalIds {
    last: u64,
}

impl LocalIds {
    pub(crate) fn next(&mut self, now: Millis) -> LocalId {
        const FEBRUARY_2010: Millis = Millis(1_264_982_400_000);
        self.last = now.since(FEBRUARY_2010).max(self.last + 1);
        LocalId(self.last)
    }
}
