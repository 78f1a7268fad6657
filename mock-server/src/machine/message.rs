//! A message from a client: is it taken, what is its answer, who gets it.
//!
//! The order of the checks is ours; the codes and words are those that SDKs map to their error types
//! (wire-3x §7, wire-4x §5.3). A refused message reaches nobody and is kept nowhere.

use std::collections::VecDeque;
use std::hash::Hasher as _;

use fixtures::wire::view::{BodyView, JidView, MetaView};
use fixtures::wire::{CONFERENCE_DOMAIN, Jid, MessageBody, Meta, USER_DOMAIN, message_body, meta, status};
use prost::Message as _;
use rustc_hash::FxHasher;

use super::account::UserIx;
use super::encode::Stamp;
use super::fault::AnswerFault;
use super::log::{ConvIx, ConvKey, EntryKind, NewEntry};
use super::muc::MucKind;
use super::session::Session;
use super::{Close, ConnId, Millis, Server, encode, excerpt};

/// The local ids that one device has used lately, so that a message sent again after a lost answer is
/// answered as before and not delivered twice (clause send.dedupe).
#[derive(Clone, Debug, Default)]
pub(super) struct SentIds {
    recent: VecDeque<Sent>,
    highest: u64,
}

#[derive(Clone, Copy, Debug)]
struct Sent {
    local_id: u64,
    server_id: u64,
    timestamp: Millis,
    body_hash: u64,
}

/// What a refused sender is told.
pub(super) struct Refused(pub(super) status::ErrorCode, pub(super) String);

/// A client resends what was in flight when its link went: far fewer than this.
const SENT_IDS_MAX: usize = 512;

impl SentIds {
    fn find(&self, local_id: u64) -> Option<Sent> {
        // Local ids rise, so nearly every message is known to be new without looking.
        if local_id > self.highest {
            return None;
        }
        self.recent.iter().rev().find(|sent| sent.local_id == local_id).copied()
    }

    fn note(&mut self, sent: Sent) {
        if self.recent.len() == SENT_IDS_MAX {
            self.recent.pop_front();
        }
        self.highest = self.highest.max(sent.local_id);
        self.recent.push_back(sent);
    }
}

impl Server {
    /// A SYNC that carries a meta.
    pub(super) fn meta(&mut self, now: Millis, conn: ConnId, meta: &MetaView<'_>) {
        match meta::NameSpace::try_from(meta.ns) {
            Ok(meta::NameSpace::Chat) => self.chat(now, conn, meta),
            // Clients want no answer to their statistics (wire-4x §3.4).
            Ok(meta::NameSpace::Statistic) => {}
            Ok(meta::NameSpace::Roster) => self.roster(now, conn, meta),
            Ok(
                other @ (meta::NameSpace::Muc
                | meta::NameSpace::Conference
                | meta::NameSpace::Notify
                | meta::NameSpace::Query),
            ) => {
                let reason = format!("namespace {} is not served", other.as_str_name());
                self.refuse_sync(conn, meta.id, status::ErrorCode::UnknownCommand, &reason);
            }
            Err(_) => {
                self.finding(conn, "recv.bad-frame", format!("Meta.ns is {}, not 0 to 6", meta.ns));
                self.refuse_sync(conn, meta.id, status::ErrorCode::UnknownCommand, "unknown namespace");
            }
        }
    }

    fn chat(&mut self, now: Millis, conn: ConnId, meta: &MetaView<'_>) {
        let Some(live) = self.sessions.get(&conn).and_then(Session::live) else { return };
        let user = live.reader.user;
        let Some(local_id) = meta.id else {
            self.finding(conn, "send.ids", "payload.meta.id is missing".into());
            let reason = "meta.id is missing";
            return self.refuse_sync(conn, None, status::ErrorCode::MissingParameter, reason);
        };
        let body_hash = hash(meta.payload);
        if let Some(sent) = live.sent.find(local_id) {
            if sent.body_hash != body_hash {
                let text = format!("payload.meta.id {local_id} was used before, for another message");
                self.finding(conn, "build.unique-id", text);
            }
            return self.send(conn, encode::accepted(local_id, sent.server_id, sent.timestamp));
        }
        let fault = self.faults.take_answer(user);
        if let Some(AnswerFault::Status { code, reason }) = &fault {
            return self.send(conn, encode::refusal(Some(local_id), *code, reason));
        }
        let Routed { conv, kind, readers } = match self.route(now, conn, user, meta) {
            Ok(routed) => routed,
            Err(Refused(code, reason)) => {
                return match fault {
                    None => self.refuse_sync(conn, Some(local_id), code, &reason),
                    // A refusal is an answer too.
                    Some(AnswerFault::Drop | AnswerFault::Status { .. }) => {}
                    Some(AnswerFault::Cut) => self.end(conn, Close::Cut),
                };
            }
        };
        let server_id = self.allot_id();
        let Some(live) = self.sessions.get_mut(&conn).and_then(Session::live_mut) else { return };
        let stamp = Stamp { id: server_id, from: &live.jid, app_key: self.app.as_str(), at: now };
        let stored = encode::stored_meta(meta, &stamp);
        let origin = Some(live.reader.device);
        live.sent.note(Sent { local_id, server_id, timestamp: now, body_hash });
        match fault {
            None => self.send(conn, encode::accepted(local_id, server_id, now)),
            Some(AnswerFault::Drop | AnswerFault::Status { .. }) => {}
            Some(AnswerFault::Cut) => self.end(conn, Close::Cut),
        }
        let entry = NewEntry { id: server_id, sender: Some(user), origin, kind, only: None, meta: stored };
        self.append(now, conv, entry, readers.as_slice());
    }

    /// Stores a text as if `from` had sent it from no device at all.
    pub(super) fn stage_text(&mut self, now: Millis, from: UserIx, to: UserIx, text: &str) -> bool {
        let Some(conv) = self.queues.open(ConvKey::single(from, to)) else { return false };
        let short = |user: UserIx| Jid { name: Some(self.accounts.name(user).to_owned()), ..Jid::default() };
        let content = message_body::Content {
            r#type: Some(message_body::content::Type::Text as i32),
            text: Some(text.to_owned()),
            ..message_body::Content::default()
        };
        let body = MessageBody {
            r#type: Some(message_body::Type::Chat as i32),
            from: Some(short(from)),
            to: Some(short(to)),
            contents: vec![content],
            ..MessageBody::default()
        };
        let id = self.allot_id();
        let meta = Meta {
            id: Some(id),
            from: Some(self.jid(from, None)),
            to: Some(self.jid(to, None)),
            timestamp: Some(now.0),
            ns: Some(meta::NameSpace::Chat as i32),
            payload: Some(body.encode_to_vec().into()),
            ..Meta::default()
        };
        let (kind, meta) = (EntryKind::Content, meta.encode_to_vec().into());
        let entry = NewEntry { id, sender: Some(from), origin: None, kind, only: None, meta };
        self.append(now, conv, entry, Readers::pair(from, to).as_slice());
        true
    }

    fn route(
        &mut self,
        now: Millis,
        conn: ConnId,
        user: UserIx,
        meta: &MetaView<'_>,
    ) -> Result<Routed, Refused> {
        use message_body::Type;
        use status::ErrorCode;
        let refused = |code: ErrorCode, reason: &str| Err(Refused(code, reason.to_owned()));
        if meta.payload.len() > self.settings.message_bytes_max as usize {
            return refused(ErrorCode::PermissionDenied, "Sorry, data is too large");
        }
        if meta.payload.is_empty() {
            return refused(ErrorCode::MissingParameter, "meta.payload is missing");
        }
        let body = match BodyView::read(meta.payload) {
            Ok(body) => body,
            Err(error) => {
                self.finding(
                    conn,
                    "recv.bad-frame",
                    format!("payload.meta.payload is not a MessageBody: {error}"),
                );
                return refused(ErrorCode::PbParserError, "meta.payload is not a MessageBody");
            }
        };
        let to = meta.to.unwrap_or_default();
        if to.name.is_empty() {
            return refused(ErrorCode::MissingParameter, "meta.to.name is missing");
        }
        let kind = match body.content {
            Some(kind) if kind == message_body::content::Type::Command as i32 => EntryKind::Command,
            Some(_) | None => EntryKind::Content,
        };
        let (conv, readers) = match Type::try_from(body.kind) {
            Ok(Type::Normal | Type::Chat) => {
                self.look_at_names(conn, user, &to, &body, USER_DOMAIN);
                self.route_to_user(now, user, to.name)
            }
            Ok(Type::Groupchat) => {
                self.look_at_names(conn, user, &to, &body, CONFERENCE_DOMAIN);
                self.route_to_muc(user, to.name, MucKind::Group)
            }
            Ok(Type::Chatroom) => {
                self.look_at_names(conn, user, &to, &body, CONFERENCE_DOMAIN);
                self.route_to_muc(user, to.name, MucKind::Room)
            }
            Ok(Type::Recall) => return refused(ErrorCode::Fail, "message recall disabled"),
            Ok(Type::Edit) => return refused(ErrorCode::Fail, "Sorry, edit is not available"),
            Ok(other @ (Type::ReadAck | Type::DeliverAck | Type::ChannelAck)) => {
                let reason = format!("{} is not served", other.as_str_name());
                return Err(Refused(ErrorCode::UnknownCommand, reason));
            }
            Err(_) => {
                let text = format!("payload.meta.payload.type is {}, not 0 to 8", body.kind);
                self.finding(conn, "build.chat-type", text);
                return refused(ErrorCode::WrongParameter, "unknown body type");
            }
        }?;
        Ok(Routed { conv, kind, readers })
    }

    fn route_to_user(&mut self, now: Millis, user: UserIx, name: &str) -> Result<(ConvIx, Readers), Refused> {
        let unknown = || Refused(status::ErrorCode::Fail, format!("username {name} doesn't exist!"));
        let strict = self.settings.strict;
        let found = self.accounts.find(name);
        let to = match found.filter(|&to| !strict || self.accounts.user(to).password.is_some()) {
            Some(to) => to,
            None if strict => return Err(unknown()),
            None => {
                let to = self.accounts.find_or_make(now, name).map_err(|_| unknown())?;
                self.warn(format!("{}: a message to {name:?}, whom nobody registered, is kept", self.app));
                to
            }
        };
        let stopped = self.accounts.user(to).blocked.contains(&user)
            || self.accounts.user(user).blocked_both.contains(&to);
        if stopped {
            return Err(Refused(status::ErrorCode::Fail, "blocked".into()));
        }
        let conv = self.open_conversation(ConvKey::single(user, to))?;
        Ok((conv, Readers::pair(user, to)))
    }

    fn route_to_muc(&mut self, user: UserIx, id: &str, kind: MucKind) -> Result<(ConvIx, Readers), Refused> {
        let found = self.mucs.find(id).filter(|&muc| self.mucs.muc(muc).kind == kind);
        let Some(muc) = found else { return Err(Refused(status::ErrorCode::Fail, "group not found".into())) };
        if !self.mucs.muc(muc).has(user) {
            return Err(Refused(status::ErrorCode::Fail, "not in group or chatroom".into()));
        }
        let conv = self.open_conversation(ConvKey::Muc(muc))?;
        Ok((conv, Readers::Members(self.mucs.muc(muc).members.keys().copied().collect())))
    }

    fn open_conversation(&mut self, key: ConvKey) -> Result<ConvIx, Refused> {
        // The one reason of status 7 that both generations know for "not now" (wire-4x §5.3).
        self.queues
            .open(key)
            .ok_or_else(|| Refused(status::ErrorCode::PermissionDenied, "traffic limit".into()))
    }

    /// What receivers show is `MessageBody.from` and `.to`, and what routes is `Meta.to`: they must agree.
    fn look_at_names(
        &mut self,
        conn: ConnId,
        user: UserIx,
        to: &JidView<'_>,
        body: &BodyView<'_>,
        domain: &'static str,
    ) {
        let sender = self.accounts.name(user);
        let agree = body.from.eq_ignore_ascii_case(sender)
            && body.to.eq_ignore_ascii_case(to.name)
            && to.domain == domain;
        if agree {
            return;
        }
        let kind = message_body::Type::try_from(body.kind).map_or("message", |kind| kind.as_str_name());
        let facts = [
            ("payload.meta.payload.from.name", sender, body.from),
            ("payload.meta.payload.to.name", to.name, body.to),
            ("payload.meta.to.domain", domain, to.domain),
        ];
        let wrong = facts.iter().filter(|(_, expected, got)| !got.eq_ignore_ascii_case(expected));
        let texts: Vec<String> = wrong
            .map(|(field, expected, got)| {
                let (expected, got) = (excerpt(expected), excerpt(got));
                format!("{field} of a {kind}: expected {expected:?}, got {got:?}")
            })
            .collect();
        for text in texts {
            self.finding(conn, "build.chat-type", text);
        }
    }
}

/// Where a message goes.
struct Routed {
    conv: ConvIx,
    kind: EntryKind,
    readers: Readers,
}

/// Whose devices a message goes to.
enum Readers {
    Pair([UserIx; 2]),
    /// Notes to oneself.
    One([UserIx; 1]),
    Members(Vec<UserIx>),
}

impl Readers {
    fn pair(a: UserIx, b: UserIx) -> Self {
        if a == b { Self::One([a]) } else { Self::Pair([a, b]) }
    }

    fn as_slice(&self) -> &[UserIx] {
        match self {
            Self::Pair(two) => two,
            Self::One(one) => one,
            Self::Members(members) => members,
        }
    }
}

/// Tells two bodies apart; never leaves the process.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}
