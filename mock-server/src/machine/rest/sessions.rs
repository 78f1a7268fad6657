//! The list of a user's conversations, as both generations have it (rest.md A.7, A.8, B.4).
//!
//! What 4.x has over it, with pins and marks, is `conversations`'.

use fixtures::wire::{CONFERENCE_DOMAIN, Jid, MessageBody, Meta, USER_DOMAIN};
use prost::Message as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::parameter;
use super::{Answer, Call, Failure, Success};
use crate::machine::account::{Membership, UserIx};
use crate::machine::log::{ConvIx, ConvKey};
use crate::machine::muc::MucKind;
use crate::machine::payload;
use crate::machine::{Millis, Server};

#[derive(Deserialize)]
struct Deletion {
    /// A user, or the id of a group.
    channel: String,
    /// `chat` or `groupchat`; SDKs write `groupChat`.
    r#type: String,
    /// The history goes too, for this user only.
    #[serde(default)]
    delete_roam: bool,
}

/// web/message_retrieve.md: what the list holds when no page is asked for.
const UNPAGED_MAX: usize = 10;
const UNPAGED_MS_MAX: u64 = 7 * 24 * 3_600_000;
/// web/message_retrieve.md.
const PAGE_MAX: usize = 20;

pub(super) fn list(server: &mut Server, call: &Call<'_>) -> Answer {
    let Some(user) = opened(server, call)? else { return Ok(channels(Vec::new())) };
    let since = Millis(call.now.0.saturating_sub(UNPAGED_MS_MAX));
    let newest_first = sessions(server, user);
    let infos = newest_first.into_iter().map(|session| info(server, user, &session));
    // One without any message has no age; one that the app imported may be older than those before it.
    let recent = infos.filter(|info| info.at.is_none_or(|at| at >= since));
    Ok(channels(recent.take(UNPAGED_MAX).map(|info| info.shown).collect()))
}

pub(super) fn page(server: &mut Server, call: &Call<'_>) -> Answer {
    let Some(user) = opened(server, call)? else { return Ok(channels(Vec::new())) };
    let size = parameter(call, "pageSize").unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let number = parameter(call, "pageNum").unwrap_or(1).max(1);
    let page = sessions(server, user).into_iter().skip((number - 1).saturating_mul(size)).take(size);
    Ok(channels(page.map(|session| info(server, user, &session).shown).collect()))
}

pub(super) fn delete(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let deletion: Deletion = call.json()?;
    on(server)?;
    let key = key_of(server, user, &deletion.r#type, &deletion.channel)?;
    let actor = call.actor(server, user);
    server.delete_conversation(call.now, &actor, key, deletion.delete_roam);
    Ok(Success::data(json!({ "result": "ok" })))
}

/// The conversation that a call names by a word and a name.
pub(super) fn key_of(server: &Server, user: UserIx, kind: &str, name: &str) -> Result<ConvKey, Failure> {
    if kind == "chat" {
        let peer = server.accounts.find(name).ok_or_else(Failure::user_not_found)?;
        Ok(ConvKey::single(user, peer))
    } else if kind.eq_ignore_ascii_case("groupchat") {
        let group = server.mucs.find(name);
        let group = group.filter(|&group| server.mucs.muc(group).kind == MucKind::Group);
        Ok(ConvKey::Muc(group.ok_or_else(|| Failure::no_muc(name))?))
    } else {
        Err(Failure::illegal("type is chat or groupchat"))
    }
}

/// One conversation of the list.
pub(super) struct Session {
    pub(super) conv: ConvIx,
    pub(super) membership: Membership,
    /// The id of its last message; 0 when none is kept.
    pub(super) last_id: u64,
}

/// As the API shows it, and when its last message was sent.
struct Info {
    shown: Value,
    at: Option<Millis>,
}

/// Whose list is asked for; `None` where the name is spelt with capitals, which finds nothing (clause
/// session.lower-case).
pub(super) fn opened(server: &mut Server, call: &Call<'_>) -> Result<Option<UserIx>, Failure> {
    let user = call.owner(server, call.first)?;
    on(server)?;
    server.forget_old(call.now);
    Ok((server.accounts.name(user) == call.first).then_some(user))
}

/// The words by which 4.x tells a service that is off (rest.md 0.11).
fn on(server: &Server) -> Result<(), Failure> {
    if server.settings.sessions { Ok(()) } else { Err(Failure::forbidden("service not open!")) }
}

/// Those in the list, the one that was written in last at first.
pub(super) fn sessions(server: &Server, user: UserIx) -> Vec<Session> {
    let listed = server.accounts.user(user).conversations.iter().filter(|(_, membership)| membership.listed);
    let mut sessions: Vec<Session> = listed
        .map(|(&conv, &membership)| {
            let last = server.shown(user, conv).and_then(|shown| server.queues.last_content(conv, shown));
            Session { conv, membership, last_id: last.map_or(0, |last| last.id) }
        })
        .collect();
    sessions.sort_by_key(|session| std::cmp::Reverse(session.last_id));
    sessions
}

fn info(server: &Server, user: UserIx, session: &Session) -> Info {
    let app = &server.app;
    let channel = match server.queues.key(session.conv) {
        ConvKey::Single(a, b) => {
            format!("{app}_{}@{USER_DOMAIN}", server.accounts.name(if a == user { b } else { a }))
        }
        ConvKey::Muc(muc) => format!("{app}_{}@{CONFERENCE_DOMAIN}", server.mucs.muc(muc).id),
        ConvKey::Service(_) => unreachable!("what the service tells is never listed"),
    };
    let meta = last_meta(server, user, session.conv);
    let at = meta.as_ref().and_then(|meta| meta.timestamp).map(Millis);
    let meta = meta.map_or_else(|| json!({}), |meta| shown(&meta));
    let shown = json!({ "channel_id": channel, "unread_num": session.membership.unread, "meta": meta });
    Info { shown, at }
}

/// The last message of a conversation that the user sees.
pub(super) fn last_meta(server: &Server, user: UserIx, conv: ConvIx) -> Option<Meta> {
    let last = server.queues.last_content(conv, server.shown(user, conv)?)?;
    Meta::decode(&last.meta[..]).ok()
}

/// A message as lists show it: its payload is JSON in a string inside of JSON.
pub(super) fn shown(meta: &Meta) -> Value {
    let body = MessageBody::decode(meta.payload.clone().unwrap_or_default()).unwrap_or_default();
    json!({
        "id": meta.id.unwrap_or_default().to_string(),
        "from": address(meta.from.as_ref()),
        "to": address(meta.to.as_ref()),
        "timestamp": meta.timestamp.unwrap_or_default(),
        "payload": payload::listed(&body).to_string(),
    })
}

/// `org#app_name@domain/resource`.
fn address(jid: Option<&Jid>) -> String {
    let Some(jid) = jid else { return String::new() };
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    let device = part(&jid.client_resource);
    let slash = if device.is_empty() { "" } else { "/" };
    format!("{}_{}@{}{slash}{device}", part(&jid.app_key), part(&jid.name), part(&jid.domain))
}

fn channels(infos: Vec<Value>) -> Success {
    Success::data(json!({ "channel_infos": infos }))
}
