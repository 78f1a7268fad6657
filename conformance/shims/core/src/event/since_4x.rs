//! How the client shows what came with 4.x: lists become the parallel lists of DRIVER.md.

use client_core::{
    ConversationRow, DeviceNews, DeviceOperation, Incoming, Joined, Mark, Modified, PinnedMessage, Reaction,
    ReactionNews, RoomInfo, ServerId,
};
use serde_json::{Value, json};

use super::{Columns, Event, text_of};
use crate::command::Chat;

/// How `mute_ms` says that the user is not muted.
const NOT_MUTED: i64 = -1;

pub(crate) fn ids_and_names(joined: Vec<Joined>) -> (Vec<String>, Vec<String>) {
    joined.into_iter().map(|one| (one.id, one.name)).unzip()
}

impl Event {
    pub(crate) fn conversations(handle: String, rows: Vec<ConversationRow>, cursor: Option<String>) -> Self {
        let last = || rows.iter().map(|row| row.last.as_ref());
        let marks = |row: &ConversationRow| row.marks.iter().map(|mark| mark.number()).collect();
        Self::Conversations {
            handle,
            with: rows.iter().map(|row| row.with.clone()).collect(),
            chats: rows.iter().map(|row| row.chat.into()).collect(),
            pinned: rows.iter().map(|row| row.pinned.is_some()).collect(),
            unread: rows.iter().map(|row| row.unread).collect(),
            marks: rows.iter().map(marks).collect(),
            last_ids: last().map(|last| last.map(|last| last.id.clone())).collect(),
            last_texts: last().map(|last| last?.text().map(str::to_owned)).collect(),
            cursor,
        }
    }

    pub(crate) fn history_page(handle: String, messages: Vec<Incoming>, cursor: Option<String>) -> Self {
        let Columns { ids, kinds, froms, texts } = Columns::of(messages);
        let last = cursor.is_none();
        Self::HistoryPage { handle, ids, kinds, froms, texts, cursor, last }
    }

    pub(crate) fn modified(modified: Modified) -> Self {
        let Modified { message, operator, edited: _, count } = modified;
        let Incoming { id, from, to, chat, time, ext, content, .. } = message;
        Self::Modified {
            id: id.to_string(),
            from,
            to,
            chat: chat.into(),
            data: text_of(content),
            ext: ext.into_json(),
            time: time.0,
            operator,
            count,
        }
    }

    pub(crate) fn reaction(
        message: ServerId,
        from: String,
        to: String,
        chat: client_core::Chat,
        reactions: Vec<ReactionNews>,
    ) -> Self {
        let list = reactions.into_iter().map(|news| {
            let op = news.changes.iter().map(|op| json!({ "operator": op.operator, "type": op.kind }));
            let op: Vec<Value> = op.collect();
            json!({ "reaction": news.reaction, "count": news.count, "users": news.users, "op": op })
        });
        Self::Reaction { mid: message.to_string(), from, to, chat: chat.into(), list: list.collect() }
    }

    pub(crate) fn reactions(handle: String, messages: Vec<(ServerId, Vec<Reaction>)>) -> Self {
        let shown = |given: Reaction| {
            let Reaction { reaction, count, users, mine } = given;
            json!({ "reaction": reaction, "count": count, "users": users, "mine": mine })
        };
        let list = messages.into_iter().map(|(_, given)| given.into_iter().map(shown).collect());
        Self::Reactions { handle, list: list.collect() }
    }

    pub(crate) fn pinned_messages(
        handle: String,
        messages: Vec<PinnedMessage>,
        cursor: Option<String>,
    ) -> Self {
        Self::PinnedMessages {
            handle,
            ids: messages.iter().map(|pinned| pinned.message.id.clone()).collect(),
            operators: messages.iter().map(|pinned| pinned.operator.clone()).collect(),
            texts: messages.iter().map(|pinned| pinned.message.text().map(str::to_owned)).collect(),
            cursor,
        }
    }

    pub(crate) fn device(news: DeviceNews) -> Self {
        let DeviceNews { operation, target } = news;
        let mark = |mark: Option<Mark>| mark.map_or(Value::Null, |mark| json!(mark.number()));
        let word = operation.word(target.as_ref());
        let detail = match operation {
            DeviceOperation::DeleteConversation
            | DeviceOperation::PinConversation
            | DeviceOperation::UnpinConversation
            | DeviceOperation::DeleteHistory
            | DeviceOperation::ClearSilentMode => Value::Null,
            DeviceOperation::Mark(put) | DeviceOperation::Unmark(put) => mark(put),
            DeviceOperation::SetSilentMode(settings) => Value::Object(settings),
        };
        let (chat, id): (Option<Chat>, _) = match target {
            Some((chat, id)) => (Some(chat.into()), Some(id)),
            None => (None, None),
        };
        Self::Device { operation: word, id, chat, from: None, detail }
    }

    pub(crate) fn entered(handle: String, room: String, info: RoomInfo) -> Self {
        let RoomInfo { members, all_muted, allowed, muted_until, created } = info;
        let mute_ms = muted_until.and_then(|until| i64::try_from(until.0).ok()).unwrap_or(NOT_MUTED);
        let created = created.map(|created| created.0);
        Self::Entered { handle, room, members, all_muted, allowed, mute_ms, created }
    }
}
