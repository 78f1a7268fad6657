//! Reading chat metas: messages and their contents, receipts (wire-3x §5.1).
//!
//! Decoding alone: what is new, what is acknowledged and what is shown is decided by who asks.

use bytes::Bytes;
use fixtures::wire::message_body::content::Type as ContentType;
use fixtures::wire::message_body::{Content as WireContent, MessageConfig, Type as BodyType};
use fixtures::wire::{CONFERENCE_DOMAIN, Jid, MessageBody, Meta};
use prost::Message as _;
use serde::Deserialize;

use crate::attachment::{Media, read_attachment};
use crate::client::Config;
use crate::event::{Event, Incoming, IncomingContent, ServerId};
use crate::ext::{Ext, fields_from_wire};
use crate::message::{Chat, Priority, Receipts};
use crate::modify::{Modified, read_edit};
use crate::receipt::read_receipt;
use crate::timer::Millis;

/// What a chat meta holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ChatMeta {
    /// One [`Incoming`] for each content that is understood; none for kinds that are not known here.
    Messages(Vec<Incoming>),
    /// A message that was changed; one for each content that is understood.
    Modified(Vec<Modified>),
    /// What is said about messages.
    Receipt(Box<Event>),
    /// Something that 3.x is silent about.
    Nothing,
}

/// Reads the payload of a chat meta.
pub(crate) fn read_chat(meta: &Meta, payload: Bytes, config: &Config) -> Result<ChatMeta, String> {
    let body = MessageBody::decode(payload).map_err(|error| error.to_string())?;
    let in_conference = meta.to.as_ref().is_some_and(|to| to.domain.as_deref() == Some(CONFERENCE_DOMAIN));
    let chat = match BodyType::try_from(body.r#type.unwrap_or_default()) {
        Ok(BodyType::Chat) => Chat::Single,
        Ok(BodyType::Groupchat) => Chat::Group,
        Ok(BodyType::Chatroom) => Chat::Room,
        // Both SDKs deliver bodies of type 0 and of types to come (wire-3x §5.1).
        // A change says what it is about beside its body.
        Ok(BodyType::Normal | BodyType::Edit) | Err(_) if in_conference => Chat::Group,
        Ok(BodyType::Normal | BodyType::Edit) | Err(_) => Chat::Single,
        Ok(kind @ (BodyType::ReadAck | BodyType::DeliverAck | BodyType::Recall | BodyType::ChannelAck)) => {
            let from = name_of(body.from.as_ref(), meta.from.as_ref());
            let to = name_of(body.to.as_ref(), meta.to.as_ref());
            return Ok(read_receipt(kind, &body, from, to)
                .map_or(ChatMeta::Nothing, |event| ChatMeta::Receipt(Box::new(event))));
        }
    };
    let ext = Ext::from_wire(&body.ext).map_err(|error| format!("ext: {error}"))?;
    let edit = if body.r#type == Some(BodyType::Edit.into()) { Some(read_edit(&body)?) } else { None };
    let mut shown = Vec::new();
    for content in body.contents {
        let Some(content) = read_content(content, config)? else { continue };
        shown.push(Incoming {
            id: ServerId(meta.id.unwrap_or_default()),
            from: name_of(body.from.as_ref(), meta.from.as_ref()),
            to: name_of(body.to.as_ref(), meta.to.as_ref()),
            chat,
            time: Millis(meta.timestamp.unwrap_or_default()),
            ext: ext.clone(),
            receipts: asked_for(&body.msg_config),
            was_online: read_was_online(meta),
            priority: (chat == Chat::Room).then(|| Priority::from_wire(&meta.ext)),
            content,
        });
    }
    Ok(match edit {
        Some(edit) => ChatMeta::Modified(shown.into_iter().map(|message| edit.applied_to(message)).collect()),
        None => ChatMeta::Messages(shown),
    })
}

/// What the service notes of the receiver in the envelope's own JSON (wire-4x §6): `{"is_online":1}`. Anything else there
/// says nothing.
fn read_was_online(meta: &Meta) -> Option<bool> {
    #[derive(Deserialize)]
    struct Note {
        is_online: u8,
    }
    let note: Note = serde_json::from_slice(meta.meta.as_ref()?).ok()?;
    Some(note.is_online != 0)
}

fn asked_for(config: &Option<MessageConfig>) -> Receipts {
    match config {
        Some(MessageConfig { allow_group_ack: Some(true) }) => Receipts::Asked,
        Some(_) | None => Receipts::NotAsked,
    }
}

fn read_content(content: WireContent, config: &Config) -> Result<Option<IncomingContent>, String> {
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
        Ok(ContentType::Image) => attachment(Media::image_of(content.size.as_ref()), content, config),
        Ok(ContentType::File) => attachment(Media::File, content, config),
        Ok(ContentType::Voice) => {
            attachment(Media::Audio { length_s: length(content.duration) }, content, config)
        }
        Ok(ContentType::Video) => {
            attachment(Media::Video { length_ms: length(content.duration) }, content, config)
        }
        Ok(ContentType::Combine) | Err(_) => return Ok(None),
    };
    Ok(Some(content))
}

/// The name in the body counts, which is as the sender spells it; the envelope's stands in (wire-3x §5).
fn name_of(body: Option<&Jid>, envelope: Option<&Jid>) -> String {
    let name = |jid: Option<&Jid>| jid.and_then(|jid| jid.name.clone()).filter(|name| !name.is_empty());
    name(body).or_else(|| name(envelope)).unwrap_or_default()
}

fn attachment(media: Media, content: WireContent, config: &Config) -> IncomingContent {
    IncomingContent::Attachment(read_attachment(media, content, config))
}

/// A negative length is none.
fn length(duration: Option<i32>) -> u32 {
    duration.and_then(|duration| u32::try_from(duration).ok()).unwrap_or_default()
}
