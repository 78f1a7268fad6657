//! Modification: a message whose content is changed after it was sent (clauses v4.modify.*; wire-4x §5.3, §6).
//!
//! What is kept changes where it lies, so that history, session lists and whoever has not pulled it yet see the
//! changed message alone; the news of it goes to those who had it. Who may change what, besides a sender its own
//! texts, and how the real service keeps it, is our guess.

use std::sync::Arc;

use fixtures::wire::view::{Fields, JidView, MetaView};
use fixtures::wire::{MessageBody, Meta, message_body, status};
use prost::Message as _;
use serde_json::{Value, json};

use super::account::UserIx;
use super::encode::{self, Stamp};
use super::log::{Audience, ConvKey, EntryKind, Found, NewEntry};
use super::message::{Refused, Ticket};
use super::muc::MucKind;
use super::route::{Act, Delivery, Readers};
use super::session::Session;
use super::{Millis, Server, enrichment};

/// A modification that may be made.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) found: Found,
    pub(super) delivery: Delivery,
    part: Part,
}

/// What of the message is exchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Contents,
    Ext,
    Both,
}

/// Numbers of `MessageBody`.
mod body_field {
    pub(super) const CONTENTS: u32 = 4;
    pub(super) const EXT: u32 = 5;
}

impl Server {
    /// A client's modification of a message. The reasons are those that 4.x maps to its numbers.
    pub(super) fn route_edit(
        &mut self,
        user: UserIx,
        to: &JidView<'_>,
        meta: &MetaView<'_>,
    ) -> Result<Act, Refused> {
        use status::ErrorCode;
        let refuse = |reason: &str| Refused::new(ErrorCode::Fail, reason);
        if !self.settings.modify {
            return Err(refuse("Sorry, edit is not available"));
        }
        let body = MessageBody::decode(meta.payload).expect("BodyView refuses what cannot be decoded");
        let Some(id) = body.edit_message_id else {
            return Err(Refused::new(ErrorCode::MissingParameter, "editMessageId is missing"));
        };
        // Whoever may not know of a message is told the same as of one that there never was.
        let unknown = || refuse("Sorry, message does not exist");
        let (found, sender) = self.find_open(user, id).ok_or_else(unknown)?;
        let (readers, muc, leads) = match self.queues.key(found.conv) {
            ConvKey::Single(a, b) => {
                let other = if a == user { b } else { a };
                if (a != user && b != user) || self.accounts.find(to.name) != Some(other) {
                    return Err(unknown());
                }
                (Readers::pair(a, b), None, false)
            }
            ConvKey::Muc(muc) => {
                let readers = self.fellows(user, muc)?;
                let state = self.mucs.muc(muc);
                if &*state.id != to.name {
                    return Err(unknown());
                }
                (readers, Some(muc), state.is_led_by(user))
            }
            ConvKey::Service(_) => return Err(unknown()),
        };
        if sender != Some(user) && !leads {
            return Err(refuse("Sorry, You do not have permission"));
        }
        let part = self.part_of(found, &body).ok_or_else(|| refuse("Sorry, format is incorrect"))?;
        if self.queues.edits(found) >= self.settings.modify_count_max {
            return Err(refuse("Sorry, edit limit reached"));
        }
        let delivery = Delivery { muc, ..Delivery::new(found.conv, EntryKind::Edit, readers) };
        Ok(Act::Edit(Box::new(Edit { found, delivery, part })))
    }

    /// What the modification may exchange of the message; `None` where it is of another kind than the message, or of
    /// one that is not modified at all: texts and custom messages are, and of attachments what the app put beside.
    fn part_of(&self, found: Found, body: &MessageBody) -> Option<Part> {
        use message_body::EditScope;
        use message_body::content::Type;
        let kind =
            |body: &MessageBody| body.contents.first().map(|content| content.r#type.unwrap_or_default());
        let kept = self.queues.meta_at(found.conv, found.position)?;
        let kept = Meta::decode(&kept[..]).ok()?.payload?;
        let kept = kind(&MessageBody::decode(kept).ok()?)?;
        if kind(body) != Some(kept) {
            return None;
        }
        let with_ext = body.edit_scope == Some(EditScope::BodyAndExt as i32);
        match (Type::try_from(kept).ok()?, with_ext) {
            (Type::Text | Type::Custom, true) => Some(Part::Both),
            (Type::Text | Type::Custom, false) => Some(Part::Contents),
            (Type::Image | Type::Video | Type::Voice | Type::File | Type::Combine, true) => Some(Part::Ext),
            (Type::Image | Type::Video | Type::Voice | Type::File | Type::Combine, false)
            | (Type::Location | Type::Command, _) => None,
        }
    }

    /// The message is changed, its sender told so, and whoever had it as it was.
    pub(super) fn edit(
        &mut self,
        now: Millis,
        ticket: &Ticket,
        meta: &MetaView<'_>,
        edit: Edit,
        server_id: u64,
    ) {
        let Edit { found, delivery, part } = edit;
        let origin = ticket.origin;
        let Some(kept) = self.queues.meta_at(found.conv, found.position).cloned() else {
            let refused = Refused::new(status::ErrorCode::Fail, "Sorry, edit fail");
            return self.refuse_message(ticket, &refused);
        };
        let audience = self.audience_of_edit(found, delivery.readers.as_slice());
        let old = Meta::decode(&kept[..]).expect("what is kept was encoded here");
        let old_body = old.payload.clone().unwrap_or_default();
        let count = self.queues.edits(found) + 1;
        let told = self.edit_news(now, origin.user, found, &old, count);
        let changed = encode::with_payload(&kept, &changed_body(&old_body, meta.payload, part));
        let stored = with_news(&changed, &told);
        self.queues.replace(found.conv, found.position, stored);
        let from = match self.sessions.get(&origin.conn).and_then(Session::live) {
            Some(live) => live.jid.to_vec(),
            None => self.jid(origin.user, None).encode_to_vec(),
        };
        let stamp = Stamp { id: server_id, from: &from, app_key: self.app.as_str(), at: now };
        let news = encode::stored_meta(meta, &stamp);
        let news = with_news(&news, &told);
        self.answer_edit(now, ticket, server_id, &json!({ "edit_msg": told }));
        let entry = NewEntry {
            id: server_id,
            sender: Some(origin.user),
            origin: Some(origin.device),
            kind: EntryKind::Edit,
            audience,
            meta: news,
        };
        self.append_edit(now, found, entry, delivery.readers.as_slice());
    }

    /// Whoever never got the message learns nothing of what it says now: who was left out, and in a group, whose
    /// members see what was said since they came, who came later.
    fn audience_of_edit(&self, found: Found, readers: &[UserIx]) -> Audience {
        let Some(entry) = self.queues.entry(found.conv, found.position) else { return Audience::Everyone };
        let is_of_group = match self.queues.key(found.conv) {
            ConvKey::Muc(muc) => self.mucs.muc(muc).kind == MucKind::Group,
            ConvKey::Single(..) | ConvKey::Service(_) => false,
        };
        if !is_of_group || *entry.audience() != Audience::Everyone {
            return entry.audience().clone();
        }
        let had_it = |user: &UserIx| {
            let membership = self.accounts.user(*user).conversations.get(&found.conv);
            membership.is_some_and(|membership| membership.since <= found.position)
        };
        if readers.iter().all(had_it) {
            return Audience::Everyone;
        }
        Audience::Among(readers.iter().copied().filter(had_it).collect())
    }

    /// `edit_msg` of wire-4x §6.
    fn edit_news(&self, now: Millis, user: UserIx, found: Found, old: &Meta, count: u32) -> Value {
        let chat = match self.queues.key(found.conv) {
            ConvKey::Single(..) | ConvKey::Service(_) => "chat:user",
            ConvKey::Muc(muc) => match self.mucs.muc(muc).kind {
                MucKind::Group | MucKind::Thread => "chat:group",
                MucKind::Room => "chat:room",
            },
        };
        json!({
            "count": count,
            "operator": self.accounts.name(user),
            "edit_time": now.0,
            "sender": old.from.as_ref().and_then(|from| from.name.as_deref()).unwrap_or_default(),
            "send_time": old.timestamp.unwrap_or_default(),
            "chat_type": chat,
        })
    }
}

/// What was changed, and who did it, in the body's `meta`; what else stands there, such as a thread, stays.
fn with_news(meta: &[u8], told: &Value) -> Arc<[u8]> {
    enrichment::with(meta, "edit_msg", told.clone()).expect("what was read once can be read again").into()
}

/// The kept body with what the modification exchanges of it.
fn changed_body(old: &[u8], edit: &[u8], part: Part) -> Vec<u8> {
    let exchanged: &[u32] = match part {
        Part::Contents => &[body_field::CONTENTS],
        Part::Ext => &[body_field::EXT],
        Part::Both => &[body_field::CONTENTS, body_field::EXT],
    };
    let fields = |body| Fields::of(body).flatten();
    let mut changed: Vec<u8> = Vec::with_capacity(old.len() + edit.len());
    for field in fields(old).filter(|field| !exchanged.contains(&field.number)) {
        changed.extend_from_slice(field.raw);
    }
    for field in fields(edit).filter(|field| exchanged.contains(&field.number)) {
        changed.extend_from_slice(field.raw);
    }
    changed
}
