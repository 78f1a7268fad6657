//! What 4.x does with a user's own conversations: lists with a cursor, pins, marks, deletion (rest.md A.7, A.11;
//! wire-4x §7).
//!
//! The list and its last messages are `sessions`'; what becomes of a call is `conversation`'s.

use serde::Deserialize;
use serde_json::{Value, json};

use super::page::parameter;
use super::sessions::{Session, key_of, last_meta, opened, sessions, shown};
use super::{Answer, Call, Failure, Success};
use crate::machine::account::UserIx;
use crate::machine::conversation::{ConversationFault, Mark, Removal, Set};
use crate::machine::log::ConvKey;
use crate::machine::{Millis, Server, excerpt};

/// With whom a conversation is whose history goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    User,
    Group,
}

/// What a call names a conversation by.
#[derive(Deserialize)]
struct Target {
    to: String,
    r#type: String,
}

#[derive(Deserialize)]
struct Marking {
    mark: String,
    targets: Vec<Target>,
}

/// Where a page ended: what it was sorted by, then the conversation, as none is twice in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    rank: u64,
    conv: u32,
}

/// What 4.x asks for by default (rest.md A.11).
const PAGE_DEFAULT: usize = 20;
/// The vendor's documents.
const PAGE_MAX: usize = 50;
/// The vendor's documents.
const TARGETS_MAX: usize = 20;
/// 4.x takes 50 (the vendor's documents); a URL of a few KB holds 400.
const REMOVED_AT_ONCE_MAX: usize = 400;

/// All of them, the one that was written in last at first; `is_top`: the pinned ones, the one pinned last at first.
pub(super) fn list(server: &mut Server, call: &Call<'_>) -> Answer {
    let pinned = call.parameter("is_top") == Some("true");
    paged(server, call, |session| match (pinned, session.membership.pinned) {
        (false, _) => Some(session.last_id),
        (true, pinned) => pinned.map(|pinned| pinned.turn),
    })
}

/// Those that bear a mark.
pub(super) fn marked(server: &mut Server, call: &Call<'_>) -> Answer {
    opened(server, call)?;
    let mark = call.parameter("mark").unwrap_or_default();
    let mark = Mark::parse(mark).ok_or_else(|| no_mark(mark))?;
    paged(server, call, |session| session.membership.marks.has(mark).then_some(session.last_id))
}

pub(super) fn pin(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = opener(server, call)?;
    let Target { to, r#type } = call.json()?;
    put_to_the_top(server, call, user, &r#type, &to, Set::On)
}

/// The target stands in the query (wire-4x §7); in a body it will do too.
pub(super) fn unpin(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = opener(server, call)?;
    match (call.parameter("type"), call.parameter("to")) {
        (Some(kind), Some(to)) => put_to_the_top(server, call, user, kind, to, Set::Off),
        (None, _) | (_, None) => {
            let Target { to, r#type } = call.json()?;
            put_to_the_top(server, call, user, &r#type, &to, Set::Off)
        }
    }
}

/// Conversations that are not in the list are told as ignored; the others are marked all the same.
pub(super) fn mark(server: &mut Server, call: &Call<'_>, set: Set) -> Answer {
    let user = opener(server, call)?;
    let marking: Marking = call.json()?;
    let mark = Mark::parse(&marking.mark).ok_or_else(|| no_mark(&marking.mark))?;
    if marking.targets.is_empty() || marking.targets.len() > TARGETS_MAX {
        return Err(Failure::illegal(format!("param mark targets: 1 to {TARGETS_MAX} conversations")));
    }
    let keys = marking.targets.iter().map(|target| key_of(server, user, &target.r#type, &target.to).ok());
    let keys: Vec<Option<ConvKey>> = keys.collect();
    let actor = call.actor(server, user);
    let mut ignored = Vec::new();
    for (target, key) in marking.targets.iter().zip(keys) {
        let done = key.is_some_and(|key| server.mark_conversation(call.now, &actor, key, mark, set));
        if !done {
            ignored.push(json!({ "to": target.to, "type": target.r#type }));
        }
    }
    Ok(Success::data(json!({ "result": "ok", "ignore": ignored })))
}

pub(super) fn remove_everything(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = opener(server, call)?;
    let actor = call.actor(server, user);
    server.delete_everything(call.now, &actor);
    Ok(Success::data(json!({ "result": "ok" })))
}

/// `msgIdList`: ids parted by commas. Those that are not there are passed over.
pub(super) fn remove_some(server: &mut Server, call: &Call<'_>, of: Of) -> Answer {
    let user = opener(server, call)?;
    let list = call.parameter("msgIdList").unwrap_or_default();
    let ids: Result<Vec<u64>, _> =
        list.split(',').filter(|id| !id.is_empty()).map(|id| id.trim().parse()).collect();
    let ids = ids.map_err(|_| Failure::illegal("msgIdList holds ids of digits, parted by commas"))?;
    if ids.is_empty() || ids.len() > REMOVED_AT_ONCE_MAX {
        return Err(Failure::illegal(format!("msgIdList holds 1 to {REMOVED_AT_ONCE_MAX} ids")));
    }
    remove(server, call, user, of, Removal::Ids(&ids))
}

/// `delTime`: what was sent then, in ms, or before.
pub(super) fn remove_until(server: &mut Server, call: &Call<'_>, of: Of) -> Answer {
    let user = opener(server, call)?;
    let until = call.parameter("delTime").and_then(|text| text.parse().ok());
    let until = until.ok_or_else(|| Failure::illegal("delTime is a moment in ms"))?;
    remove(server, call, user, of, Removal::Until(Millis(until)))
}

fn remove(server: &mut Server, call: &Call<'_>, user: UserIx, of: Of, removal: Removal<'_>) -> Answer {
    let (kind, name) = match of {
        Of::User => ("chat", "userId"),
        Of::Group => ("groupchat", "groupId"),
    };
    let key = key_of(server, user, kind, call.parameter(name).unwrap_or_default())?;
    server.forget_old(call.now);
    let actor = call.actor(server, user);
    server.remove_history(call.now, &actor, key, removal).map_err(refused)?;
    Ok(Success::data(json!({ "result": "ok" })))
}

fn put_to_the_top(
    server: &mut Server,
    call: &Call<'_>,
    user: UserIx,
    kind: &str,
    to: &str,
    set: Set,
) -> Answer {
    // A name that is nobody's is in no list either.
    let key = key_of(server, user, kind, to).map_err(|failure| failure.or_no_conversation())?;
    let actor = call.actor(server, user);
    let since = server.pin_conversation(call.now, &actor, key, set).map_err(refused)?;
    Ok(Success::data(json!({
        "to": to,
        "type": kind,
        "is_top": since.is_some(),
        "update_top_status_time": since.unwrap_or(call.now).0,
    })))
}

/// One page of those that have a rank, the highest first. It goes on behind the last one of the page before, wherever
/// that is by now: what is written in meanwhile moves to the front, where the walk has been.
fn paged(server: &mut Server, call: &Call<'_>, rank: impl Fn(&Session) -> Option<u64>) -> Answer {
    let Some(user) = opened(server, call)? else { return Ok(answer(Vec::new(), String::new())) };
    let take = parameter(call, "limit").unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let behind = call.parameter("cursor").and_then(Place::parse);
    let empty_too = call.parameter("needEmptySession") != Some("false");
    let mut ranked: Vec<(Place, Session)> = sessions(server, user)
        .into_iter()
        .filter(|session| empty_too || session.last_id != 0)
        .filter_map(|session| Some((Place { rank: rank(&session)?, conv: session.conv.number() }, session)))
        .filter(|(place, _)| behind.is_none_or(|behind| *place < behind))
        .collect();
    ranked.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    let more = ranked.len() > take;
    ranked.truncate(take);
    let cursor = ranked.last().filter(|_| more).map(|(place, _)| place.text()).unwrap_or_default();
    let infos = ranked.iter().map(|(_, session)| info(server, user, session)).collect();
    Ok(answer(infos, cursor))
}

fn info(server: &Server, user: UserIx, session: &Session) -> Value {
    let (to, kind) = server.conversation_name(user, server.queues.key(session.conv));
    let membership = &session.membership;
    let mut info = json!({
        "session_to": to,
        "session_type": kind,
        "is_top": membership.pinned.is_some(),
        "update_top_status_time": membership.pinned.map_or(0, |pinned| pinned.at.0),
        "unread_num": membership.unread,
        "meta": last_meta(server, user, session.conv).map_or_else(|| json!({}), |meta| shown(&meta)),
    });
    // Without any, 4.x leaves them out of what it shows as well.
    let marks = membership.marks.words();
    if !marks.is_empty() {
        info["marks"] = marks.into();
    }
    info
}

fn answer(infos: Vec<Value>, cursor: String) -> Success {
    Success::data(json!({ "channel_infos": infos, "cursor": cursor }))
}

/// Whose conversations the call changes.
fn opener(server: &mut Server, call: &Call<'_>) -> Result<UserIx, Failure> {
    opened(server, call)?.ok_or_else(Failure::user_not_found)
}

fn refused(fault: ConversationFault) -> Failure {
    match fault {
        ConversationFault::NotListed => Failure::no_conversation(),
        ConversationFault::TooManyPinned => Failure::too_many_pinned(),
        ConversationFault::TooManyRemoved => Failure::illegal("The quantity has exceeded the limit!"),
    }
}

fn no_mark(text: &str) -> Failure {
    Failure::illegal(format!("param mark illegal: {:?} is none of mark_0 to mark_19", excerpt(text)))
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        let (rank, conv) = text.split_once('-')?;
        Some(Self { rank: rank.parse().ok()?, conv: conv.parse().ok()? })
    }

    fn text(self) -> String {
        format!("{}-{}", self.rank, self.conv)
    }
}
