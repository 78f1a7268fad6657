//! A message from a client: is it taken, what is its answer, who gets it.
//!
//! The order of the checks is ours; the codes and words are those that SDKs map to their error types
//! (wire-3x §7, wire-4x §5.3). A refused message reaches nobody and is kept nowhere.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use fixtures::wire::{CONFERENCE_DOMAIN, Jid, MessageBody, Meta, USER_DOMAIN, message_body, meta, status};
use prost::Message as _;

use super::account::UserIx;
use super::fault::AnswerFault;
use super::muc::MucKind;
use super::queue::{ConvIx, ConvKey, NewEntry};
use super::{Close, ConnId, Millis, Server, encode};

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

    pub(super) fn is_empty(&self) -> bool {
        self.recent.is_empty()
    }
}

impl Server {
    /// A SYNC that carries a meta.
    pub(super) fn meta(&mut self, now: Millis, conn: ConnId, meta: Meta, sync_payload: &[u8]) {
        match meta::NameSpace::try_from(meta.ns.unwrap_or_default()) {
            // Clients want no answer to their statistics (wire-4x §3.4).
            Ok(meta::NameSpace::Statistic) => {}
            Ok(meta::NameSpace::Chat) => self.chat(now, conn, meta, sync_payload),
            Ok(meta::NameSpace::Roster) => self.roster(now, conn, &meta),
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
                self.finding(conn, "recv.bad-frame", format!("Meta.ns is {:?}, not 0 to 6", meta.ns));
                self.refuse_sync(conn, meta.id, status::ErrorCode::UnknownCommand, "unknown namespace");
            }
        }
    }

    fn chat(&mut self, now: Millis, conn: ConnId, mut meta: Meta, sync_payload: &[u8]) {
        let Some(live) = self.sessions.get(&conn).and_then(|session| session.live()) else { return };
        let (user, resource) = (live.user, live.resource.to_string());
        let Some(local_id) = meta.id else {
            self.finding(conn, "send.ids", "payload.meta.id is missing".into());
            let reason = "meta.id is missing";
            return self.refuse_sync(conn, None, status::ErrorCode::MissingParameter, reason);
        };
        let body_hash = hash(meta.payload.as_deref().unwrap_or_default());
        if let Some(sent) = live.sent.find(local_id) {
            if sent.body_hash != body_hash {
                let text = format!("payload.meta.id {local_id} was used before, for another message");
                self.finding(conn, "build.unique-id", text);
            }
            return self.send(conn, encode::accepted(local_id, sent.server_id, sent.timestamp.0));
        }
        let fault = self.faults.take_answer(user);
        if let Some(AnswerFault::Status { code, reason }) = &fault {
            return self.send(conn, encode::refusal(Some(local_id), *code, reason));
        }
        let (conv, readers) = match self.route(now, conn, user, &meta) {
            Ok(routed) => routed,
            Err(Refused(code, reason)) => return self.refuse_sync(conn, Some(local_id), code, &reason),
        };
        let server_id = self.allot_id();
        let app_key = self.app.to_string();
        meta.id = Some(server_id);
        meta.timestamp = Some(now.0);
        meta.from = Some(Jid {
            app_key: Some(app_key.clone()),
            name: Some(self.accounts.name(user).to_owned()),
            domain: Some(USER_DOMAIN.into()),
            client_resource: Some(resource),
        });
        if let Some(to) = &mut meta.to {
            // 3.x leaves it empty when its app key came by open() alone (wire-3x §1.2).
            if to.app_key.as_deref().unwrap_or_default().is_empty() {
                to.app_key = Some(app_key);
            }
        }
        let stored = encode::stored_meta(&meta, sync_payload);
        if let Some(live) = self.sessions.get_mut(&conn).and_then(|session| session.live_mut()) {
            live.sent.note(Sent { local_id, server_id, timestamp: now, body_hash });
        }
        match fault {
            None => self.send(conn, encode::accepted(local_id, server_id, now.0)),
            Some(AnswerFault::Drop | AnswerFault::Status { .. }) => {}
            Some(AnswerFault::Cut) => self.end(conn, Close::Cut),
        }
        let entry = NewEntry { id: server_id, sender: Some(user), origin: Some(conn), meta: stored };
        self.append(conv, entry, &readers);
    }

    /// Stores a text as if `from` had sent it from no device at all.
    pub(super) fn stage_text(&mut self, now: Millis, from: UserIx, to: UserIx, text: &str) -> bool {
        let Some(conv) = self.queues.open(ConvKey::single(from, to)) else { return false };
        let jid = |user: UserIx| Jid {
            app_key: Some(self.app.to_string()),
            name: Some(self.accounts.name(user).to_owned()),
            domain: Some(USER_DOMAIN.into()),
            client_resource: None,
        };
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
        let mut meta = Meta {
            id: None,
            from: Some(jid(from)),
            to: Some(jid(to)),
            timestamp: Some(now.0),
            ns: Some(meta::NameSpace::Chat as i32),
            payload: Some(body.encode_to_vec().into()),
            ..Meta::default()
        };
        let id = self.allot_id();
        meta.id = Some(id);
        let entry = NewEntry { id, sender: Some(from), origin: None, meta: meta.encode_to_vec().into() };
        self.append(conv, entry, &readers_of_two(from, to));
        true
    }

    /// Keeps what a device has sent, for when it comes back.
    pub(super) fn remember_sent(&mut self, user: UserIx, resource: &str, sent: SentIds) {
        if !sent.is_empty() {
            self.accounts.user_mut(user).remember_sent(resource, sent);
        }
    }

    pub(super) fn recall_sent(&mut self, user: UserIx, resource: &str) -> SentIds {
        self.accounts.user_mut(user).recall_sent(resource)
    }

    fn route(
        &mut self,
        now: Millis,
        conn: ConnId,
        user: UserIx,
        meta: &Meta,
    ) -> Result<(ConvIx, Vec<UserIx>), Refused> {
        use message_body::Type;
        use status::ErrorCode;
        let refused = |code: ErrorCode, reason: &str| Err(Refused(code, reason.to_owned()));
        let payload: Bytes = meta.payload.clone().unwrap_or_default();
        if payload.len() > self.settings.message_bytes_max as usize {
            return refused(ErrorCode::PermissionDenied, "Sorry, data is too large");
        }
        let body = match MessageBody::decode(payload) {
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
        let Some(name) = meta.to.as_ref().and_then(|to| to.name.as_deref()).filter(|name| !name.is_empty())
        else {
            return refused(ErrorCode::MissingParameter, "meta.to.name is missing");
        };
        let kind = body.r#type.unwrap_or_default();
        match Type::try_from(kind) {
            Ok(Type::Normal | Type::Chat) => {
                self.look_at_names(conn, user, meta, &body, USER_DOMAIN);
                self.route_to_user(now, user, name)
            }
            Ok(Type::Groupchat) => {
                self.look_at_names(conn, user, meta, &body, CONFERENCE_DOMAIN);
                self.route_to_muc(user, name, MucKind::Group)
            }
            Ok(Type::Chatroom) => {
                self.look_at_names(conn, user, meta, &body, CONFERENCE_DOMAIN);
                self.route_to_muc(user, name, MucKind::Room)
            }
            Ok(Type::Recall) => refused(ErrorCode::Fail, "message recall disabled"),
            Ok(Type::Edit) => refused(ErrorCode::Fail, "Sorry, edit is not available"),
            Ok(other @ (Type::ReadAck | Type::DeliverAck | Type::ChannelAck)) => {
                let reason = format!("{} is not served", other.as_str_name());
                Err(Refused(ErrorCode::UnknownCommand, reason))
            }
            Err(_) => {
                self.finding(
                    conn,
                    "build.chat-type",
                    format!("payload.meta.payload.type is {kind}, not 0 to 8"),
                );
                refused(ErrorCode::WrongParameter, "unknown body type")
            }
        }
    }

    fn route_to_user(
        &mut self,
        now: Millis,
        user: UserIx,
        name: &str,
    ) -> Result<(ConvIx, Vec<UserIx>), Refused> {
        let known = self
            .accounts
            .find(name)
            .filter(|&to| !self.settings.strict || self.accounts.user(to).password.is_some());
        let to = match known {
            Some(to) => to,
            None if self.settings.strict => {
                let reason = format!("username {name} doesn't exist!");
                return Err(Refused(status::ErrorCode::Fail, reason));
            }
            None => {
                let made = self.accounts.find_or_make(now, name);
                let to = made.map_err(|_| {
                    Refused(status::ErrorCode::Fail, format!("username {name} doesn't exist!"))
                })?;
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
        Ok((conv, readers_of_two(user, to)))
    }

    fn route_to_muc(
        &mut self,
        user: UserIx,
        id: &str,
        kind: MucKind,
    ) -> Result<(ConvIx, Vec<UserIx>), Refused> {
        let found = self.mucs.find(id).filter(|&muc| self.mucs.muc(muc).kind == kind);
        let Some(muc) = found else { return Err(Refused(status::ErrorCode::Fail, "group not found".into())) };
        if !self.mucs.muc(muc).members.contains(&user) {
            return Err(Refused(status::ErrorCode::Fail, "not in group or chatroom".into()));
        }
        let conv = self.open_conversation(ConvKey::Muc(muc))?;
        Ok((conv, self.mucs.muc(muc).members.iter().copied().collect()))
    }

    fn open_conversation(&mut self, key: ConvKey) -> Result<ConvIx, Refused> {
        // The one reason of status 7 that both generations know for "not now" (wire-4x §5.3).
        self.queues
            .open(key)
            .ok_or_else(|| Refused(status::ErrorCode::PermissionDenied, "traffic limit".into()))
    }

    /// What receivers show is `MessageBody.from` and `.to`, and what routes is `Meta.to`: they must agree.
    fn look_at_names(&mut self, conn: ConnId, user: UserIx, meta: &Meta, body: &MessageBody, domain: &str) {
        let name = |jid: &Option<Jid>| jid.as_ref().and_then(|jid| jid.name.clone()).unwrap_or_default();
        let sender = self.accounts.name(user);
        let shown = name(&body.from);
        let mut wrong = Vec::new();
        if !shown.eq_ignore_ascii_case(sender) {
            wrong.push(format!("payload.meta.payload.from.name: expected {sender}, got {shown:?}"));
        }
        let (to, shown) = (name(&meta.to), name(&body.to));
        if !shown.eq_ignore_ascii_case(&to) {
            wrong.push(format!("payload.meta.payload.to.name: expected {to} as in meta.to, got {shown:?}"));
        }
        let got = meta.to.as_ref().and_then(|to| to.domain.as_deref()).unwrap_or_default();
        if got != domain {
            let kind = body.r#type.and_then(|kind| message_body::Type::try_from(kind).ok());
            let kind = kind.map_or("NORMAL", |kind| kind.as_str_name());
            wrong.push(format!("payload.meta.to.domain of a {kind}: expected {domain}, got {got:?}"));
        }
        for text in wrong {
            self.finding(conn, "build.chat-type", text);
        }
    }
}

fn readers_of_two(a: UserIx, b: UserIx) -> Vec<UserIx> {
    if a == b { vec![a] } else { vec![a, b] }
}

/// Tells two bodies apart; never leaves the process.
fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
