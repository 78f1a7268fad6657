//! Recall: a message that its sender, an administrator or the app's server takes back (clauses recall.*).
//!
//! The entry stays as a position of its log and is for nobody any more; the news of it is an entry of its own with a
//! fresh id, since SDKs drop what comes under an id that they know (wire-3x §5). How the real service keeps its logs
//! is our guess.

use std::sync::Arc;

use fixtures::wire::view::{BodyView, JidView};
use fixtures::wire::{Jid, MessageBody, Meta, message_body, meta, status};
use prost::Message as _;

use super::account::UserIx;
use super::log::{Audience, ConvKey, EntryKind, Found, NewEntry};
use super::message::Refused;
use super::muc::{MucIx, MucKind};
use super::route::{Act, Delivery, Readers};
use super::{Millis, Server};

/// To whom a message was sent that the app's server takes back.
#[derive(Clone, Copy, Debug)]
pub(super) enum RecalledTo {
    /// One side of a single conversation.
    User(UserIx),
    Muc(MucIx),
}

/// What a recall over REST goes by besides the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Window {
    /// The world's `recall_window_ms`.
    Kept,
    /// `force` (rest.md B.4): as long as the message is kept.
    Forced,
}

/// Why the app's server cannot take a message back (rest.md B.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecallFault {
    /// There is no such message, or it was recalled before, or it was sent to somebody else.
    NotFound,
    /// The window is over.
    TooLate,
}

impl Server {
    /// A client's recall of a message.
    pub(super) fn route_recall(
        &mut self,
        now: Millis,
        user: UserIx,
        to: &JidView<'_>,
        body: &BodyView<'_>,
    ) -> Result<Act, Refused> {
        use status::ErrorCode;
        if !self.settings.recall {
            return Err(Refused::new(ErrorCode::Fail, "message recall disabled"));
        }
        let Some(id) = body.about else {
            return Err(Refused::new(ErrorCode::MissingParameter, "ackMessageId is missing"));
        };
        // Outside the list of wire-3x §7, so that SDKs say 503. Whoever may not know of a message is told the same.
        let unknown = || Refused::new(ErrorCode::Fail, "message not found");
        let (found, sender) = self.find_open(user, id).ok_or_else(unknown)?;
        let (readers, leads) = match self.queues.key(found.conv) {
            ConvKey::Single(a, b) => {
                let other = if a == user { b } else { a };
                if (a != user && b != user) || self.accounts.find(to.name) != Some(other) {
                    return Err(unknown());
                }
                (Readers::pair(a, b), false)
            }
            ConvKey::Muc(muc) => {
                let readers = self.fellows(user, muc)?;
                let state = self.mucs.muc(muc);
                if &*state.id != to.name {
                    return Err(unknown());
                }
                (readers, self.settings.admins_recall && state.is_led_by(user))
            }
            ConvKey::Service(_) => return Err(unknown()),
        };
        if sender != Some(user) && !leads {
            return Err(Refused::new(ErrorCode::Fail, "only the sender may recall a message"));
        }
        if self.is_too_late(now, found) {
            return Err(Refused::new(ErrorCode::Fail, "exceed recall time limit"));
        }
        let thread = match self.queues.key(found.conv) {
            ConvKey::Muc(muc) if self.mucs.muc(muc).kind == MucKind::Thread => Some(muc),
            ConvKey::Muc(_) | ConvKey::Single(..) | ConvKey::Service(_) => None,
        };
        let audience = self.audience_of_recall(found);
        let delivery = Delivery::new(found.conv, EntryKind::Recall, readers);
        Ok(Act::Recall(found, Delivery { thread, audience, ..delivery }))
    }

    /// Takes a message back in the name of the app's server. `from` is shown as who did it; `None` is `admin`, whom
    /// SDKs show when nobody is named (wire-4x §5.6).
    pub(super) fn recall_from_server(
        &mut self,
        now: Millis,
        id: u64,
        from: Option<UserIx>,
        to: RecalledTo,
        window: Window,
    ) -> Result<(), RecallFault> {
        let (found, _) = self.find_sent(id).ok_or(RecallFault::NotFound)?;
        let (readers, to) = match (self.queues.key(found.conv), to) {
            (ConvKey::Single(a, b), RecalledTo::User(user)) if user == a || user == b => {
                (Readers::pair(a, b), self.jid(user, None))
            }
            (ConvKey::Muc(muc), RecalledTo::Muc(named)) if muc == named => {
                let state = self.mucs.get(muc).ok_or(RecallFault::NotFound)?;
                (Readers::Members(state.members.keys().copied().collect()), self.muc_jid(muc))
            }
            (ConvKey::Single(..) | ConvKey::Muc(_) | ConvKey::Service(_), _) => {
                return Err(RecallFault::NotFound);
            }
        };
        if window == Window::Kept && self.is_too_late(now, found) {
            return Err(RecallFault::TooLate);
        }
        let from = match from {
            Some(user) => self.jid(user, None),
            None => Jid { name: Some("admin".into()), ..to.clone() },
        };
        let short = |jid: &Jid| Some(Jid { name: jid.name.clone(), ..Jid::default() });
        let body = MessageBody {
            r#type: Some(message_body::Type::Recall as i32),
            from: short(&from),
            to: short(&to),
            // As SDKs write it (wire-3x §4.1).
            contents: vec![message_body::Content::default()],
            ack_message_id: Some(id),
            ..MessageBody::default()
        };
        let news = self.allot_id();
        let meta = Meta {
            id: Some(news),
            from: Some(from),
            to: Some(to),
            timestamp: Some(now.0),
            ns: Some(meta::NameSpace::Chat as i32),
            payload: Some(body.encode_to_vec().into()),
            ..Meta::default()
        };
        let audience = self.audience_of_recall(found);
        self.void(found, readers.as_slice());
        let meta: Arc<[u8]> = meta.encode_to_vec().into();
        let entry =
            NewEntry { id: news, sender: None, origin: None, kind: EntryKind::Recall, audience, meta };
        self.append(now, found.conv, entry, readers.as_slice());
        Ok(())
    }

    /// A message for people or programs, and who sent it.
    pub(super) fn find_sent(&self, id: u64) -> Option<(Found, Option<UserIx>)> {
        let found = self.queues.find_message(id)?;
        let entry = self.queues.entry(found.conv, found.position)?;
        match entry.kind {
            EntryKind::Content | EntryKind::Command => Some((found, entry.sender)),
            EntryKind::Receipt | EntryKind::Recall | EntryKind::Edit | EntryKind::Notice => None,
        }
    }

    /// As [`Server::find_sent`], for a user: what was for some members only is not there for others, nor what
    /// somebody removed wrote or was written for whoever has the name now.
    pub(super) fn find_open(&self, user: UserIx, id: u64) -> Option<(Found, Option<UserIx>)> {
        let (found, sender) = self.find_sent(id)?;
        let entry = self.queues.entry(found.conv, found.position)?;
        let was_there = match self.queues.key(found.conv) {
            ConvKey::Single(..) => {
                let membership = self.accounts.user(user).conversations.get(&found.conv);
                membership.is_some_and(|membership| membership.since <= found.position)
            }
            ConvKey::Muc(_) | ConvKey::Service(_) => true,
        };
        (was_there && entry.audience().is_open_to(user)).then_some((found, sender))
    }

    /// As [`Server::find_open`], where the user is part of the conversation.
    pub(super) fn may_see(&self, user: UserIx, id: u64) -> bool {
        self.find_open(user, id).is_some_and(|(found, _)| match self.queues.key(found.conv) {
            ConvKey::Single(a, b) => a == user || b == user,
            ConvKey::Muc(muc) => self.mucs.get(muc).is_some_and(|muc| muc.has(user)),
            ConvKey::Service(_) => false,
        })
    }

    fn audience_of_recall(&self, found: Found) -> Audience {
        let entry = self.queues.entry(found.conv, found.position);
        entry.map_or(Audience::Everyone, |entry| entry.audience().of_recall())
    }

    /// Nobody gets the message any more, and whoever has not read it has one less to read.
    pub(super) fn void(&mut self, found: Found, readers: &[UserIx]) {
        let Some(voided) = self.queues.void(found.conv, found.position) else { return };
        self.receipts.forget(voided.id);
        self.reactions.forget(voided.id);
        self.pins.forget(found.conv, voided.id);
        for &reader in readers.iter().filter(|&&reader| {
            voided.counted && voided.sender != Some(reader) && voided.audience.holds(reader)
        }) {
            let conversations = &mut self.accounts.user_mut(reader).conversations;
            if let Some(membership) = conversations.get_mut(&found.conv)
                && found.position >= membership.read_to
            {
                membership.unread = membership.unread.saturating_sub(1);
            }
        }
    }

    /// At the limit it still works (clause recall.window).
    fn is_too_late(&self, now: Millis, found: Found) -> bool {
        now.0.saturating_sub(found.at.0) > self.settings.recall_window_ms
    }
}
