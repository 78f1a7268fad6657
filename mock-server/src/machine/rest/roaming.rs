//! `POST /users/{me}/messageroaming`: the history of a conversation, page by page (rest.md A.6, wire-3x §5.5).
//!
//! Messages for people only: no receipts, recalls or commands, and nothing that was recalled. A page without a
//! filter costs what it holds; with one, what it passes over.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fixtures::wire::{CONFERENCE_DOMAIN, MessageBody, Meta, USER_DOMAIN};
use prost::Message as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{Answer, Call, Failure, Success};
use crate::machine::account::UserIx;
use crate::machine::log::{ConvIx, ConvKey, Kept, Shown};
use crate::machine::muc::MucKind;
use crate::machine::{Server, payload};

/// Both generations use the route; 3.x sends `queue` and `start` alone.
#[derive(Deserialize)]
struct Query {
    queue: String,
    /// -1, or the id of a message: the page begins behind it.
    #[serde(default, deserialize_with = "whole")]
    start: Option<i128>,
    #[serde(default, deserialize_with = "whole")]
    pull_number: Option<i128>,
    /// From the oldest on rather than from the newest back.
    #[serde(default)]
    is_positive: bool,
    /// Words of message kinds, parted by commas; empty: all.
    #[serde(default, rename = "msgType")]
    kinds: String,
    /// ms since 1970, the moment itself included.
    #[serde(default, rename = "startTime", deserialize_with = "whole")]
    not_before: Option<i128>,
    #[serde(default, rename = "endTime", deserialize_with = "whole")]
    not_after: Option<i128>,
    /// Only what this member of a group sent.
    #[serde(default, rename = "userId")]
    sender: String,
}

/// What a page holds when nobody says: 3.x never does. Our guess; it is what 4.x asks for by default.
const PAGE_DEFAULT: usize = 20;
/// rest.md A.6.
const PAGE_MAX: usize = 50;

pub(super) fn page(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let query: Query = call.json()?;
    if !server.settings.roaming {
        // The words by which 4.x tells a service that is off (rest.md 0.11); 3.x shows them as they are.
        return Err(Failure::forbidden("messageroaming function not open"));
    }
    server.forget_old(call.now);
    let Some((conv, shown)) = server.shown_to(user, &query.queue) else { return Ok(answer(&[], true)) };
    let take = match query.pull_number.map(usize::try_from) {
        None | Some(Ok(0) | Err(_)) => PAGE_DEFAULT,
        Some(Ok(number)) => number.min(PAGE_MAX),
    };
    let start = query.start.and_then(|id| u64::try_from(id).ok());
    let filter = Filter::of(server, &query);
    // One more than the page: whether there is any.
    let mut page: Vec<(u64, Arc<[u8]>)> = if query.is_positive {
        let history = server.queues.history_after(conv, shown, start);
        filter.of_page(history, take + 1)
    } else {
        filter.of_page(server.queues.history(conv, shown, start), take + 1)
    };
    let is_last = page.len() <= take;
    page.truncate(take);
    for (id, meta) in &mut page {
        *meta = server.with_thread_overview(*id, server.with_reactions(user, *id, meta));
    }
    Ok(answer(&page, is_last))
}

impl Server {
    /// The conversation of that queue and how much of it the user may see. The name is compared as it is, and names
    /// are kept in lower case: a mixed one finds nothing (clause roam.lower-case).
    fn shown_to(&self, user: UserIx, queue: &str) -> Option<(ConvIx, Shown<'_>)> {
        let (name, domain) = queue.rsplit_once('@')?;
        let (key, room) = match domain {
            USER_DOMAIN => {
                let peer = self.accounts.find(name).filter(|&peer| self.accounts.name(peer) == name)?;
                (ConvKey::single(user, peer), false)
            }
            CONFERENCE_DOMAIN => {
                let muc = self.mucs.find(name)?;
                (ConvKey::Muc(muc), self.mucs.muc(muc).kind != MucKind::Group)
            }
            _ => return None,
        };
        let conv = self.queues.find(key)?;
        let shown = self.shown(user, conv)?;
        // Who comes into a room or thread sees what was said before, and deletes nothing of it: our guess, as that
        // members of a group see what was said since they came.
        Some((conv, if room { Shown { from: 0, ..shown } } else { shown }))
    }
}

/// Which messages are wanted.
struct Filter<'a> {
    kinds: Vec<&'a str>,
    not_before: Option<i128>,
    not_after: Option<i128>,
    sender: Sender,
}

/// Whose messages are wanted.
enum Sender {
    Anybody,
    One(UserIx),
    /// A name that is nobody's.
    Nobody,
}

impl<'a> Filter<'a> {
    fn of(server: &Server, query: &'a Query) -> Self {
        let sender = match (query.sender.as_str(), server.accounts.find(&query.sender)) {
            ("", _) => Sender::Anybody,
            (_, Some(user)) => Sender::One(user),
            (_, None) => Sender::Nobody,
        };
        let kinds = query.kinds.split(',').map(str::trim).filter(|kind| !kind.is_empty()).collect();
        Self { kinds, not_before: query.not_before, not_after: query.not_after, sender }
    }

    fn of_page<'k>(&self, history: impl Iterator<Item = Kept<'k>>, take: usize) -> Vec<(u64, Arc<[u8]>)> {
        let wanted = history.filter(|kept| self.wants(kept));
        wanted.take(take).map(|kept| (kept.id, Arc::clone(kept.meta))).collect()
    }

    fn wants(&self, kept: &Kept<'_>) -> bool {
        let by = match self.sender {
            Sender::Anybody => true,
            Sender::One(user) => kept.sender == Some(user),
            Sender::Nobody => false,
        };
        let timed = self.not_before.is_some() || self.not_after.is_some();
        if !by || (!timed && self.kinds.is_empty()) {
            return by;
        }
        let Ok(meta) = Meta::decode(&kept.meta[..]) else { return false };
        let at = i128::from(meta.timestamp.unwrap_or_default());
        let in_time =
            self.not_before.is_none_or(|from| from <= at) && self.not_after.is_none_or(|to| at <= to);
        in_time && (self.kinds.is_empty() || self.has_kind(&meta))
    }

    fn has_kind(&self, meta: &Meta) -> bool {
        let body = meta.payload.as_ref().and_then(|payload| MessageBody::decode(payload.clone()).ok());
        let kind = body.as_ref().and_then(|body| body.contents.first()).map(payload::kind_word);
        kind.is_some_and(|kind| self.kinds.contains(&kind))
    }
}

fn answer(page: &[(u64, Arc<[u8]>)], is_last: bool) -> Success {
    let msgs: Vec<Value> = page.iter().map(|(_, meta)| json!({ "msg": STANDARD.encode(meta) })).collect();
    let next_key = page.last().map(|(id, _)| id.to_string()).unwrap_or_default();
    Success::data(json!({ "msgs": msgs, "is_last": is_last, "next_key": next_key }))
}

/// A whole number, or a string of its digits; an empty one is as good as none. Wide enough for ids and for -1.
fn whole<'de, D: Deserializer<'de>>(field: D) -> Result<Option<i128>, D::Error> {
    use serde::de::Error as _;
    let bad = || D::Error::custom("a whole number or a string of its digits is expected");
    match Value::deserialize(field)? {
        Value::Number(number) => number.as_i128().map(Some).ok_or_else(bad),
        Value::String(text) if matches!(text.as_str(), "" | "undefined" | "null") => Ok(None),
        Value::String(text) => text.parse().map(Some).map_err(|_| bad()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(bad()),
    }
}
