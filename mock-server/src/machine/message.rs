//! A message from a client: is it taken, what is its answer, what comes of it.
//!
//! `route` knows where it goes, `policy` what the app forbids, `webhook` whom to ask first; `recall` and `receipt` do
//! what is no delivery. A refused message reaches nobody and is kept nowhere.

use std::collections::VecDeque;
use std::hash::Hasher as _;
use std::sync::Arc;

use fixtures::wire::view::{self, Fields, MetaView};
use fixtures::wire::{Jid, MessageBody, Meta, message_body, meta, status};
use prost::Message as _;
use rustc_hash::FxHasher;
use serde_json::Value;

use super::account::UserIx;
use super::encode::Stamp;
use super::fault::AnswerFault;
use super::log::{Audience, ConvKey, EntryKind, NewEntry};
use super::muc::{MucIx, MucKind};
use super::route::{Act, Readers};
use super::session::{DeviceId, Session};
use super::{Close, ConnId, Millis, Server, encode};

/// The local ids that one device has used lately, so that a message sent again after a lost answer is
/// answered as before and not delivered twice (clause send.dedupe).
#[derive(Clone, Debug, Default)]
pub(super) struct SentIds {
    pub(super) recent: VecDeque<Sent>,
    pub(super) highest: u64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) local_id: u64,
    pub(super) server_id: u64,
    pub(super) timestamp: Millis,
    pub(super) body_hash: u64,
}

/// What a refused sender is told.
#[derive(Debug)]
pub(super) struct Refused(pub(super) status::ErrorCode, pub(super) String);

/// Who sent something, and over which connection, which may be gone when the answer is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Origin {
    pub(super) conn: ConnId,
    pub(super) user: UserIx,
    pub(super) device: DeviceId,
}

/// What is known of a message while it is decided upon.
#[derive(Clone, Debug)]
pub(super) struct Ticket {
    pub(super) origin: Origin,
    pub(super) local_id: u64,
    pub(super) body_hash: u64,
    /// What happens to its answer.
    pub(super) fault: Option<AnswerFault>,
}

/// A client resends what was in flight when its link went: far fewer than this.
pub(super) const SENT_IDS_MAX: usize = 512;

impl SentIds {
    fn find(&self, local_id: u64, body_hash: u64) -> Option<Sent> {
        // Local ids rise, so nearly every message is known to be new without looking.
        if local_id > self.highest {
            return None;
        }
        let is_of_same_count = |sent: &&Sent| sent.body_hash & APART == body_hash & APART;
        self.recent.iter().rev().filter(is_of_same_count).find(|sent| sent.local_id == local_id).copied()
    }

    fn note(&mut self, sent: Sent) {
        if self.recent.len() == SENT_IDS_MAX {
            self.recent.pop_front();
        }
        self.highest = self.highest.max(sent.local_id);
        self.recent.push_back(sent);
    }
}

impl Ticket {
    pub(super) fn new(origin: Origin, local_id: u64, payload: &[u8]) -> Self {
        Self { origin, local_id, body_hash: hash(payload), fault: None }
    }
}

impl Refused {
    pub(super) fn new(code: status::ErrorCode, reason: impl Into<String>) -> Self {
        Self(code, reason.into())
    }
}

impl Server {
    /// A SYNC that carries a meta.
    pub(super) fn meta(&mut self, now: Millis, conn: ConnId, meta: &MetaView<'_>) {
        let Some(live) = self.sessions.get(&conn).and_then(Session::live) else { return };
        let origin = Origin { conn, user: live.reader.user, device: live.reader.device };
        if self.webhooks.is_waiting(origin.device) {
            return self.hold_behind(origin, meta);
        }
        self.meta_from(now, origin, meta);
    }

    pub(super) fn meta_from(&mut self, now: Millis, origin: Origin, meta: &MetaView<'_>) {
        let conn = origin.conn;
        match meta::NameSpace::try_from(meta.ns) {
            Ok(meta::NameSpace::Chat) => self.chat(now, origin, meta),
            // Clients want no answer to their statistics (wire-4x §3.4).
            Ok(meta::NameSpace::Statistic) => {}
            Ok(meta::NameSpace::Roster) => self.roster(now, origin, meta),
            Ok(meta::NameSpace::Muc) => self.muc_request(now, origin, meta),
            Ok(other @ (meta::NameSpace::Conference | meta::NameSpace::Notify | meta::NameSpace::Query)) => {
                let reason = format!("namespace {} is not served", other.as_str_name());
                self.refuse_sync(conn, meta.id, status::ErrorCode::UnknownCommand, &reason);
            }
            Err(_) => {
                self.finding(conn, "recv.bad-frame", format!("Meta.ns is {}, not 0 to 6", meta.ns));
                self.refuse_sync(conn, meta.id, status::ErrorCode::UnknownCommand, "unknown namespace");
            }
        }
    }

    fn chat(&mut self, now: Millis, origin: Origin, meta: &MetaView<'_>) {
        let Origin { conn, user, .. } = origin;
        let Some(local_id) = meta.id else {
            self.finding(conn, "send.ids", "payload.meta.id is missing".into());
            let reason = "meta.id is missing";
            return self.refuse_sync(conn, None, status::ErrorCode::MissingParameter, reason);
        };
        let mut ticket = Ticket::new(origin, local_id, meta.payload);
        if self.is_sent_again(&ticket) {
            return;
        }
        ticket.fault = self.faults.take_answer(user);
        if let Some(AnswerFault::Status { code, reason }) = &ticket.fault {
            return self.reply(conn, encode::refusal(Some(local_id), None, *code, reason));
        }
        match self.judge(now, origin, meta) {
            Err(refused) => self.refuse_message(&ticket, &refused),
            Ok(act) => {
                if let Some(ticket) = self.ask_first(now, ticket, meta, &act) {
                    let server_id = self.allot_id();
                    self.take(now, &ticket, meta, act, server_id);
                }
            }
        }
    }

    /// Whether the device has sent this before, under the same local id: then it is answered as before.
    pub(super) fn is_sent_again(&mut self, ticket: &Ticket) -> bool {
        let &Ticket { origin, local_id, body_hash, .. } = ticket;
        let Some(sent) = self.sent_ids(origin).and_then(|ids| ids.find(local_id, body_hash)) else {
            return false;
        };
        if sent.body_hash != body_hash {
            let text = format!("payload.meta.id {local_id} was used before, for another message");
            self.finding(origin.conn, "build.unique-id", text);
        }
        self.reply(origin.conn, encode::accepted(local_id, sent.server_id, sent.timestamp));
        true
    }

    pub(super) fn judge(&mut self, now: Millis, origin: Origin, meta: &MetaView<'_>) -> Result<Act, Refused> {
        let body = self.read_body(origin.conn, meta)?;
        let act = self.route(now, origin, meta, &body)?;
        match &act {
            Act::Deliver(delivery) => self.check_policies(now, origin.user, delivery, meta)?,
            Act::Edit(edit) => self.check_policies(now, origin.user, &edit.delivery, meta)?,
            Act::Recall(..) | Act::GroupRead { .. } | Act::ChannelRead(_) | Act::Nothing => {}
        }
        Ok(act)
    }

    /// A refusal is an answer too, and may be lost.
    pub(super) fn refuse_message(&mut self, ticket: &Ticket, Refused(code, reason): &Refused) {
        // 3.x names a muted message by the server's id alone (wire-3x §7). That such a message has one is our guess.
        let server_id = (*code == status::ErrorCode::UserMuted).then(|| self.allot_id());
        let bytes = encode::refusal(Some(ticket.local_id), server_id, *code as i32, reason);
        self.answer_message(ticket, bytes);
    }

    fn answer_message(&mut self, ticket: &Ticket, bytes: bytes::Bytes) {
        let conn = ticket.origin.conn;
        match ticket.fault {
            None => self.reply(conn, bytes),
            Some(AnswerFault::Drop | AnswerFault::Status { .. }) => {}
            Some(AnswerFault::Cut) if self.is_live(conn) => self.end(conn, Close::Cut),
            Some(AnswerFault::Cut) => {}
        }
    }

    /// The sender is told that the message was taken, and that is all that comes of it.
    pub(super) fn answer_taken(&mut self, now: Millis, ticket: &Ticket, server_id: u64) {
        self.note_taken(now, ticket, server_id);
        self.answer_message(ticket, encode::accepted(ticket.local_id, server_id, now));
    }

    /// As [`Server::answer_taken`], with what has become of it. An answer to the same again does without.
    pub(super) fn answer_taken_showing(&mut self, now: Millis, ticket: &Ticket, server_id: u64, shown: Meta) {
        self.note_taken(now, ticket, server_id);
        self.answer_message(ticket, encode::accepted_showing(ticket.local_id, server_id, now, shown));
    }

    fn note_taken(&mut self, now: Millis, ticket: &Ticket, server_id: u64) {
        let &Ticket { origin, local_id, body_hash, .. } = ticket;
        if let Some(ids) = self.sent_ids(origin) {
            ids.note(Sent { local_id, server_id, timestamp: now, body_hash });
        }
    }

    /// As [`Server::answer_taken_showing`]: what became of the message that was modified (wire-4x §6).
    pub(super) fn answer_edit(&mut self, now: Millis, ticket: &Ticket, server_id: u64, news: &Value) {
        let me = self.jid(ticket.origin.user, None);
        let news = serde_json::to_vec(news).expect("a Value is always JSON");
        let beside = Meta {
            id: Some(server_id),
            from: Some(me.clone()),
            to: Some(me),
            timestamp: Some(now.0),
            ns: Some(meta::NameSpace::Notify as i32),
            payload: Some(news.into()),
            ..Meta::default()
        };
        self.answer_taken_showing(now, ticket, server_id, beside);
    }

    /// The message is taken: its sender is answered, and what is to come of it comes.
    pub(super) fn take(
        &mut self,
        now: Millis,
        ticket: &Ticket,
        meta: &MetaView<'_>,
        act: Act,
        server_id: u64,
    ) {
        let origin = ticket.origin;
        let act = match act {
            Act::Edit(edit) => return self.edit(now, ticket, meta, *edit, server_id),
            other => other,
        };
        let app_key = self.app.as_str();
        let stored = match self.sessions.get(&origin.conn).and_then(Session::live) {
            Some(live) => {
                encode::stored_meta(meta, &Stamp { id: server_id, from: &live.jid, app_key, at: now })
            }
            None => {
                let from = self.jid(origin.user, None).encode_to_vec();
                encode::stored_meta(meta, &Stamp { id: server_id, from: &from, app_key, at: now })
            }
        };
        self.answer_taken(now, ticket, server_id);
        let delivery = match act {
            Act::Deliver(delivery) => {
                if delivery.asks_receipts {
                    self.expect_readers(server_id, origin.user, &delivery);
                }
                delivery
            }
            Act::Recall(found, delivery) => {
                self.void(found, delivery.readers.as_slice());
                delivery
            }
            Act::ChannelRead(delivery) => {
                self.channel_read(delivery.conv, origin.user);
                delivery
            }
            Act::GroupRead { about } => return self.group_read(now, origin, about, meta, server_id),
            Act::Edit(_) => unreachable!("taken above"),
            Act::Nothing => return,
        };
        let stored = match delivery.thread {
            Some(thread) => self.with_thread(thread, stored),
            None => stored,
        };
        let entry = NewEntry {
            id: server_id,
            sender: Some(origin.user),
            origin: Some(origin.device),
            kind: delivery.kind,
            audience: delivery.audience,
            meta: stored,
        };
        self.append(now, delivery.conv, entry, delivery.readers.as_slice());
        if let Some(thread) = delivery.thread {
            match delivery.kind {
                EntryKind::Content => self.written_in_thread(now, thread, origin.user),
                EntryKind::Recall => self.recalled_in_thread(now, thread, origin.user),
                EntryKind::Command | EntryKind::Receipt | EntryKind::Edit | EntryKind::Notice => {}
            }
        }
    }

    /// Stores a text as if `from` had sent it from no device at all. False when there is no more room.
    pub(super) fn stage_text(&mut self, now: Millis, from: UserIx, to: StagedTo, text: &str) -> bool {
        let short = |name: &str| Jid { name: Some(name.to_owned()), ..Jid::default() };
        let (key, kind, jid, readers) = match to {
            StagedTo::User(to) => {
                let readers = Readers::pair(from, to);
                (ConvKey::single(from, to), message_body::Type::Chat, self.jid(to, None), readers)
            }
            StagedTo::Muc(muc) => {
                let state = self.mucs.muc(muc);
                let kind = match state.kind {
                    MucKind::Group | MucKind::Thread => message_body::Type::Groupchat,
                    MucKind::Room => message_body::Type::Chatroom,
                };
                let readers = Readers::Members(state.members.keys().copied().collect());
                (ConvKey::Muc(muc), kind, self.muc_jid(muc), readers)
            }
        };
        let Some(conv) = self.queues.open(key) else { return false };
        let content = message_body::Content {
            r#type: Some(message_body::content::Type::Text as i32),
            text: Some(text.to_owned()),
            ..message_body::Content::default()
        };
        let body = MessageBody {
            r#type: Some(kind as i32),
            from: Some(short(self.accounts.name(from))),
            to: Some(short(jid.name.as_deref().unwrap_or_default())),
            contents: vec![content],
            ..MessageBody::default()
        };
        let id = self.allot_id();
        let meta = Meta {
            id: Some(id),
            from: Some(self.jid(from, None)),
            to: Some(jid),
            timestamp: Some(now.0),
            ns: Some(meta::NameSpace::Chat as i32),
            payload: Some(body.encode_to_vec().into()),
            ..Meta::default()
        };
        let (kind, meta): (_, Arc<[u8]>) = (EntryKind::Content, meta.encode_to_vec().into());
        let thread = match to {
            StagedTo::Muc(muc) if self.mucs.muc(muc).kind == MucKind::Thread => Some(muc),
            StagedTo::Muc(_) | StagedTo::User(_) => None,
        };
        let meta = match thread {
            Some(thread) => self.with_thread(thread, meta),
            None => meta,
        };
        let entry =
            NewEntry { id, sender: Some(from), origin: None, kind, audience: Audience::Everyone, meta };
        self.append(now, conv, entry, readers.as_slice());
        if let Some(thread) = thread {
            self.written_in_thread(now, thread, from);
        }
        true
    }

    /// Sends to a device that may be gone.
    fn reply(&mut self, conn: ConnId, bytes: bytes::Bytes) {
        if self.is_live(conn) {
            self.send(conn, bytes);
        }
    }

    fn is_live(&self, conn: ConnId) -> bool {
        self.sessions.get(&conn).and_then(Session::live).is_some()
    }

    /// What the device has sent, wherever it is now: on its connection, back on another, or gone.
    fn sent_ids(&mut self, origin: Origin) -> Option<&mut SentIds> {
        let is_it =
            |session: &Session| session.live().is_some_and(|live| live.reader.device == origin.device);
        let conn = if self.sessions.get(&origin.conn).is_some_and(is_it) {
            origin.conn
        } else {
            let devices = &self.accounts.user(origin.user).devices;
            let back = devices.iter().find(|conn| self.sessions.get(*conn).is_some_and(is_it));
            match back {
                Some(&conn) => conn,
                None => return self.accounts.user_mut(origin.user).gone_sent_ids(origin.device),
            }
        };
        self.sessions.get_mut(&conn).and_then(Session::live_mut).map(|live| &mut live.sent)
    }
}

/// Whom a staged text is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum StagedTo {
    User(UserIx),
    Muc(MucIx),
}

/// Tells two bodies apart; leaves the process in the state of a world alone.
/// Of a hash, the bit that says by which count a local id was given. SDKs of 4.x count recalls and delivered
/// acknowledgements apart from everything else, and begin both counts at the time of day (seen in 4.21.1): one id may be
/// used in each, for two things.
const APART: u64 = 1;

fn hash(payload: &[u8]) -> u64 {
    /// `MessageBody.type`; encoders put it first.
    const TYPE: u32 = 1;
    let mut hasher = FxHasher::default();
    hasher.write(payload);
    let kind = Fields::of(payload).filter_map(Result::ok).find(|field| field.number == TYPE);
    let is_apart = kind.is_some_and(|kind| {
        let apart = [message_body::Type::Recall, message_body::Type::DeliverAck];
        apart.into_iter().any(|apart| matches!(kind.value, view::Value::Varint(kind) if kind == apart as u64))
    });
    hasher.finish() & !APART | u64::from(is_apart)
}
