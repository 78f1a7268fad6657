//! What can be said, and how it is spelt in a frame (wire-3x §3.5, §4).
//!
//! Encoding and decoding of chat messages, and nothing of when they are sent or whether they arrive.

use std::fmt;

use bytes::Bytes;
use fixtures::wire::message_body::content::Type as ContentType;
use fixtures::wire::message_body::{Content as WireContent, Type as BodyType};
use fixtures::wire::meta::NameSpace;
use fixtures::wire::{CONFERENCE_DOMAIN, CommSyncUl, Jid, MSync, MessageBody, Meta, USER_DOMAIN, m_sync};
use prost::Message as _;

use crate::error::CommandError;
use crate::event::{Incoming, IncomingContent, ServerId};
use crate::ext::{CustomExts, Ext, fields_from_wire};
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
}

impl Message {
    /// A message without ext.
    pub fn new(chat: Chat, to: impl Into<String>, content: Content) -> Self {
        Self { chat, to: to.into(), content, ext: Ext::default() }
    }

    /// The same with this ext.
    #[must_use]
    pub fn with_ext(self, ext: Ext) -> Self {
        Self { ext, ..self }
    }

    /// What of a message no type can hold off.
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        if self.to.is_empty() {
            return Err(CommandError::NoRecipient);
        }
        match &self.content {
            Content::Command { action } if action.is_empty() => Err(CommandError::NoAction),
            Content::Location { latitude, .. } if !latitude.is_finite() => {
                Err(CommandError::NotFinite { field: "latitude" })
            }
            Content::Location { longitude, .. } if !longitude.is_finite() => {
                Err(CommandError::NotFinite { field: "longitude" })
            }
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
            ..MessageBody::default()
        };
        let meta = Meta {
            id: Some(id.0),
            from: Some(from),
            to: Some(me.neighbour(&self.to, domain)),
            ns: Some(NameSpace::Chat.into()),
            payload: Some(body.encode_to_vec().into()),
            ..Meta::default()
        };
        let payload = CommSyncUl { meta: Some(meta), ..CommSyncUl::default() };
        MSync { guid: Some(me.jid()), ..sync_frame(&payload) }
    }
}

impl Content {
    fn to_wire(&self) -> WireContent {
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

/// Reads the payload of a chat meta: one [`Incoming`] for each content that is understood. Receipts and
/// recalls give none, nor do contents of a kind that is not known here.
pub(crate) fn read_chat(meta: &Meta, payload: Bytes) -> Result<Vec<Incoming>, String> {
    let body = MessageBody::decode(payload).map_err(|error| error.to_string())?;
    let in_conference = meta.to.as_ref().is_some_and(|to| to.domain.as_deref() == Some(CONFERENCE_DOMAIN));
    let chat = match BodyType::try_from(body.r#type.unwrap_or_default()) {
        Ok(BodyType::Chat) => Chat::Single,
        Ok(BodyType::Groupchat) => Chat::Group,
        Ok(BodyType::Chatroom) => Chat::Room,
        // Both SDKs deliver bodies of type 0 and of types to come (wire-3x §5.1).
        Ok(BodyType::Normal) | Err(_) if in_conference => Chat::Group,
        Ok(BodyType::Normal) | Err(_) => Chat::Single,
        Ok(
            BodyType::ReadAck
            | BodyType::DeliverAck
            | BodyType::Recall
            | BodyType::ChannelAck
            | BodyType::Edit,
        ) => return Ok(Vec::new()),
    };
    let ext = Ext::from_wire(&body.ext).map_err(|error| format!("ext: {error}"))?;
    let mut shown = Vec::new();
    for content in body.contents {
        let Some(content) = read_content(content)? else { continue };
        shown.push(Incoming {
            id: ServerId(meta.id.unwrap_or_default()),
            from: name_of(body.from.as_ref(), meta.from.as_ref()),
            to: name_of(body.to.as_ref(), meta.to.as_ref()),
            chat,
            time: Millis(meta.timestamp.unwrap_or_default()),
            ext: ext.clone(),
            content,
        });
    }
    Ok(shown)
}

fn read_content(content: WireContent) -> Result<Option<IncomingContent>, String> {
    let content = match ContentType::try_from(content.r#type.unwrap_or_default()) {
        Ok(ContentType::Text) => IncomingContent::Text(content.text.unwrap_or_default()),
        Ok(ContentType::Command) => IncomingContent::Command { action: content.action.unwrap_or_default() },
        Ok(ContentType::Custom) => IncomingContent::Custom {
            event: content.custom_event.unwrap_or_default(),
            exts: fields_from_wire(&content.custom_exts).map_err(|error| format!("customExts: {error}"))?,
        },
        Ok(ContentType::Location) => IncomingContent::Location {
            latitude: content.latitude.unwrap_or_default(),
            longitude: content.longitude.unwrap_or_default(),
            address: content.address.unwrap_or_default(),
        },
        Ok(
            ContentType::Image
            | ContentType::Video
            | ContentType::Voice
            | ContentType::File
            | ContentType::Combine,
        )
        | Err(_) => return Ok(None),
    };
    Ok(Some(content))
}

/// The name in the body counts, which is as the sender spells it; the envelope's stands in (wire-3x §5).
fn name_of(body: Option<&Jid>, envelope: Option<&Jid>) -> String {
    let name = |jid: Option<&Jid>| jid.and_then(|jid| jid.name.clone()).filter(|name| !name.is_empty());
    name(body).or_else(|| name(envelope)).unwrap_or_default()
}

fn named(name: &str) -> Jid {
    Jid { name: Some(name.to_owned()), ..Jid::default() }
}

fn typed(content_type: ContentType) -> WireContent {
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
