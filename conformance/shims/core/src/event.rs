//! The events of a device, as DRIVER.md spells them, and how each of the client's is shown as one.

use client_core::{
    Attachment, Conversation, EmojiPart, Failure, Incoming, IncomingContent, Media, Place, Presence,
};
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::command::{Chat, Priority};

mod since_4x;

pub(crate) use since_4x::ids_and_names;

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
    Muted {
        handle: String,
    },
    UploadProgress {
        handle: String,
        loaded: u64,
        total: u64,
    },
    Uploaded {
        handle: String,
        uuid: String,
        secret: Option<String>,
    },
    UploadFailed {
        handle: String,
        r#type: i32,
    },
    Downloaded {
        handle: String,
        media_type: String,
        bytes: usize,
        sha256: String,
    },
    DownloadFailed {
        handle: String,
        r#type: i32,
    },
    Text {
        id: String,
        from: String,
        to: String,
        chat: Chat,
        data: String,
        ext: Value,
        time: u64,
        online: u8,
        #[serde(skip_serializing_if = "Option::is_none")]
        priority: Option<Priority>,
    },
    Emoji {
        id: String,
        from: String,
        to: String,
        chat: Chat,
        data: Vec<Value>,
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
    Picture {
        id: String,
        from: String,
        to: String,
        chat: Chat,
        ext: Value,
        time: u64,
        url: String,
        secret: Option<String>,
        filename: String,
        width: u32,
        height: u32,
        file_length: u64,
    },
    File {
        id: String,
        from: String,
        to: String,
        chat: Chat,
        ext: Value,
        time: u64,
        url: String,
        secret: Option<String>,
        filename: String,
        file_length: u64,
    },
    Audio {
        id: String,
        from: String,
        to: String,
        chat: Chat,
        ext: Value,
        time: u64,
        url: String,
        secret: Option<String>,
        filename: String,
        file_length: u64,
        length: u32,
    },
    Video {
        id: String,
        from: String,
        to: String,
        chat: Chat,
        ext: Value,
        time: u64,
        url: String,
        secret: Option<String>,
        filename: String,
        file_length: u64,
        length: u32,
    },
    Recall {
        mid: String,
        from: String,
        to: String,
    },
    Delivered {
        mid: String,
    },
    Read {
        mid: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        count: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<String>,
    },
    Channel {
        from: String,
        to: String,
    },
    Statistic {
        group_ack: Value,
    },
    History {
        handle: String,
        ids: Vec<String>,
        kinds: Vec<&'static str>,
        froms: Vec<String>,
        texts: Vec<Option<String>>,
    },
    Sessions {
        handle: String,
        channels: Vec<String>,
        unread: Vec<u64>,
        last_ids: Vec<Option<String>>,
        last_texts: Vec<Option<String>>,
    },
    SessionDeleted {
        handle: String,
    },
    Readers {
        handle: String,
        users: Vec<String>,
        total: u64,
        next: Option<String>,
    },
    CallFailed {
        handle: String,
        r#type: i32,
        message: String,
    },
    Done {
        handle: String,
    },
    Conversations {
        handle: String,
        with: Vec<String>,
        chats: Vec<Chat>,
        pinned: Vec<bool>,
        unread: Vec<u64>,
        marks: Vec<Vec<u8>>,
        last_ids: Vec<Option<String>>,
        last_texts: Vec<Option<String>>,
        cursor: Option<String>,
    },
    HistoryPage {
        handle: String,
        ids: Vec<String>,
        kinds: Vec<&'static str>,
        froms: Vec<String>,
        texts: Vec<Option<String>>,
        cursor: Option<String>,
        last: bool,
    },
    Modified {
        id: String,
        from: String,
        to: String,
        chat: Chat,
        data: Option<String>,
        ext: Value,
        time: u64,
        operator: String,
        count: u64,
    },
    Reaction {
        mid: String,
        from: String,
        to: String,
        chat: Chat,
        list: Vec<Value>,
    },
    Reactions {
        handle: String,
        list: Vec<Vec<Value>>,
    },
    Reactors {
        handle: String,
        users: Vec<String>,
        count: u64,
        cursor: Option<String>,
    },
    Pin {
        mid: String,
        with: String,
        chat: Chat,
        operator: String,
        pinned: bool,
        time: u64,
    },
    PinnedMessages {
        handle: String,
        ids: Vec<String>,
        operators: Vec<String>,
        texts: Vec<Option<String>>,
        cursor: Option<String>,
    },
    Device {
        operation: &'static str,
        id: Option<String>,
        chat: Option<Chat>,
        from: Option<String>,
        detail: Value,
    },
    Groups {
        handle: String,
        ids: Vec<String>,
        names: Vec<String>,
    },
    Rooms {
        handle: String,
        ids: Vec<String>,
        names: Vec<String>,
    },
    Entered {
        handle: String,
        room: String,
        members: Option<u64>,
        all_muted: Option<bool>,
        allowed: Option<bool>,
        mute_ms: i64,
        created: Option<u64>,
    },
    Roster {
        users: Vec<String>,
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
        to: String,
        status: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        group: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<String>,
    },
    Offline {},
    Online {},
}

impl Event {
    pub(crate) fn error(failure: Failure) -> Self {
        Self::Error { r#type: failure.code, message: failure.message, data: failure.detail }
    }

    pub(crate) fn downloaded(handle: String, media_type: String, bytes: &[u8]) -> Self {
        let digest = Sha256::digest(bytes);
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Self::Downloaded { handle, media_type, bytes: bytes.len(), sha256 }
    }

    pub(crate) fn presence(presence: Presence) -> Self {
        let Presence { kind, from, to, status, place } = presence;
        let (group, room) = match place {
            Place::Contacts => (None, None),
            Place::Group(group) => (Some(group), None),
            Place::Room(room) => (None, Some(room)),
        };
        Self::Presence { r#type: kind, from, to, status, group, room }
    }

    pub(crate) fn history(handle: String, messages: Vec<Incoming>) -> Self {
        let Columns { ids, kinds, froms, texts } = Columns::of(messages);
        Self::History { handle, ids, kinds, froms, texts }
    }

    pub(crate) fn sessions(handle: String, conversations: &[Conversation]) -> Self {
        let last = || conversations.iter().map(|row| row.last.as_ref());
        Self::Sessions {
            handle,
            channels: conversations.iter().map(|row| row.channel.clone()).collect(),
            unread: conversations.iter().map(|row| row.unread).collect(),
            last_ids: last().map(|last| last.map(|last| last.id.clone())).collect(),
            last_texts: last().map(|last| last?.text().map(str::to_owned)).collect(),
        }
    }

    pub(crate) fn message(message: Incoming) -> Self {
        let Incoming { id, from, to, chat, time, ext, receipts: _, was_online, priority, content } = message;
        let (id, time, ext) = (id.to_string(), time.0, ext.into_json());
        let chat = chat.into();
        match content {
            IncomingContent::Text(data) => {
                // As 4.x shows it: 3 where the service does not say.
                let online = was_online.map_or(3, u8::from);
                Self::Text { id, from, to, chat, data, ext, time, online, priority: priority.map(Into::into) }
            }
            IncomingContent::Emoji(parts) => {
                let data = parts.into_iter().map(|part| match part {
                    EmojiPart::Text(text) => json!({ "type": "txt", "data": text }),
                    EmojiPart::Emoji(image) => json!({ "type": "emoji", "data": image }),
                });
                Self::Emoji { id, from, to, chat, data: data.collect(), ext, time }
            }
            IncomingContent::Command { action } => Self::Cmd { id, from, to, chat, ext, time, action },
            IncomingContent::Custom { event, exts } => {
                Self::Custom { id, from, to, chat, ext, time, event, exts: Value::Object(exts) }
            }
            IncomingContent::Location { latitude: lat, longitude: lng, address: addr } => {
                Self::Location { id, from, to, chat, ext, time, lat, lng, addr }
            }
            IncomingContent::Attachment(attachment) => {
                let Attachment { media, url, secret, filename, bytes: file_length } = attachment;
                match media {
                    Media::Image { width, height } => Self::Picture {
                        id,
                        from,
                        to,
                        chat,
                        ext,
                        time,
                        url,
                        secret,
                        filename,
                        width,
                        height,
                        file_length,
                    },
                    Media::File => {
                        Self::File { id, from, to, chat, ext, time, url, secret, filename, file_length }
                    }
                    Media::Audio { length_s: length } => Self::Audio {
                        id,
                        from,
                        to,
                        chat,
                        ext,
                        time,
                        url,
                        secret,
                        filename,
                        file_length,
                        length,
                    },
                    Media::Video { length_ms: length } => Self::Video {
                        id,
                        from,
                        to,
                        chat,
                        ext,
                        time,
                        url,
                        secret,
                        filename,
                        file_length,
                        length,
                    },
                }
            }
        }
    }
}

impl From<client_core::Chat> for Chat {
    fn from(chat: client_core::Chat) -> Self {
        match chat {
            client_core::Chat::Single => Self::Single,
            client_core::Chat::Group => Self::Group,
            client_core::Chat::Room => Self::Room,
        }
    }
}

impl From<client_core::Priority> for Priority {
    fn from(priority: client_core::Priority) -> Self {
        match priority {
            client_core::Priority::High => Self::High,
            client_core::Priority::Normal => Self::Normal,
            client_core::Priority::Low => Self::Low,
        }
    }
}

/// Messages of the past, in the order shown.
#[derive(Default)]
struct Columns {
    ids: Vec<String>,
    kinds: Vec<&'static str>,
    froms: Vec<String>,
    texts: Vec<Option<String>>,
}

impl Columns {
    fn of(messages: Vec<Incoming>) -> Self {
        let mut columns = Self::default();
        for Incoming { id, from, content, .. } in messages {
            columns.ids.push(id.to_string());
            columns.kinds.push(kind_of(&content));
            columns.froms.push(from);
            columns.texts.push(text_of(content));
        }
        columns
    }
}

/// What a text says; emojis are taken out of what is new alone.
fn text_of(content: IncomingContent) -> Option<String> {
    match content {
        IncomingContent::Text(text) => Some(text),
        IncomingContent::Emoji(_)
        | IncomingContent::Attachment(_)
        | IncomingContent::Command { .. }
        | IncomingContent::Custom { .. }
        | IncomingContent::Location { .. } => None,
    }
}

/// The name of the event that a message is.
fn kind_of(content: &IncomingContent) -> &'static str {
    match content {
        IncomingContent::Text(_) => "text",
        IncomingContent::Emoji(_) => "emoji",
        IncomingContent::Command { .. } => "cmd",
        IncomingContent::Custom { .. } => "custom",
        IncomingContent::Location { .. } => "location",
        IncomingContent::Attachment(attachment) => match attachment.media {
            Media::Image { .. } => "picture",
            Media::File => "file",
            Media::Audio { .. } => "audio",
            Media::Video { .. } => "video",
        },
    }
}
