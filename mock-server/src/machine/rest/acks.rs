//! `GET /chatgroups/{group}/acks/{message}`: who has read a message that asked for receipts (rest.md A.9).

use serde_json::json;

use super::page::parameter;
use super::{Answer, Call, Failure, Success};
use crate::machine::Server;
use crate::machine::account::Caller;
use crate::machine::muc::MucKind;

/// What SDKs ask for, always (rest.md A.9).
const PAGE_MAX: usize = 500;

/// A key is the number of readers that came before; SDKs write `undefined` for the first page.
pub(super) fn list(server: &mut Server, call: &Call<'_>) -> Answer {
    let caller = call.authority(server)?;
    let found = server.mucs.find(call.first);
    let group = found.filter(|&group| server.mucs.muc(group).kind == MucKind::Group);
    let group = group.ok_or_else(|| Failure::no_muc(call.first))?;
    if let Caller::User(user) = caller
        && !server.mucs.muc(group).has(user)
    {
        let (name, id) = (server.accounts.name(user), call.first);
        return Err(Failure::forbidden(format!("user: {name} doesn't exist in group: {id}")));
    }
    if !server.settings.group_receipts {
        return Err(Failure::forbidden("service not open!"));
    }
    let asked = call.second.parse().ok().and_then(|id| server.receipts.of(id));
    let Some(asked) = asked.filter(|asked| asked.muc == group) else {
        return Err(Failure::no_message(call.second));
    };
    let take = parameter(call, "limit").unwrap_or(PAGE_MAX).clamp(1, PAGE_MAX);
    let first = parameter(call, "key").unwrap_or(0);
    let total = asked.readers.len();
    let next = first.saturating_add(take);
    let page = asked.readers.iter().skip(first).take(take).copied();
    Ok(Success::data(json!({
        "ackmid": call.second,
        "userlist": server.accounts.names(page),
        "total": total,
        "is_last": next >= total,
        "next_key": if next < total { next.to_string() } else { String::new() },
        "timestamp": call.now.0,
    })))
}
