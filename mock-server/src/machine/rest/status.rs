//! Who is there, what waits for those who are not, and who is sent away (rest.md B.2).

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::users::entity;
use super::{Answer, Call, Failure, Success};
use crate::machine::Server;
use crate::machine::account::UserIx;
use crate::machine::session::Kick;

#[derive(Deserialize)]
struct Names {
    usernames: Vec<String>,
}

/// rest.md B.2.
const STATUSES_MAX: usize = 100;

pub(super) fn one(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    Ok(Success::data(keyed(server.accounts.name(user), word(server, user).into())))
}

/// Users who are not there are offline.
pub(super) fn batch(server: &mut Server, call: &Call<'_>) -> Answer {
    call.app_only(server)?;
    let names: Names = call.json()?;
    if names.usernames.len() > STATUSES_MAX {
        return Err(Failure::illegal(format!("at most {STATUSES_MAX} users can be asked for at once")));
    }
    let status = |name: &String| {
        let user = server.accounts.existing(name);
        keyed(name, user.map_or("offline", |user| word(server, user)).into())
    };
    let data = names.usernames.iter().map(status).collect();
    Ok(Success::list(data).acted("get batch user status"))
}

/// Messages that no device of the user has acknowledged yet.
pub(super) fn offline_count(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    server.forget_old(call.now);
    let count = server.waiting_for(user);
    Ok(Success::data(keyed(server.accounts.name(user), count.into())))
}

pub(super) fn offline_status(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    server.forget_old(call.now);
    let found = call.second.parse().ok().and_then(|id| server.queues.find_message(id));
    let place = found.and_then(|found| {
        let membership = server.accounts.user(user).conversations.get(&found.conv)?;
        (found.position >= membership.since).then_some(found.position < membership.watermark)
    });
    let Some(delivered) = place else { return Err(Failure::no_message(call.second)) };
    let word = if delivered { "delivered" } else { "undelivered" };
    Ok(Success::data(keyed(call.second, word.into())))
}

pub(super) fn deactivate(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.subject(server, call.first)?;
    server.deactivate(call.now, user);
    Ok(Success::entity(entity(server, user)).acted("Deactivate user"))
}

pub(super) fn activate(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.subject(server, call.first)?;
    let state = server.accounts.user_mut(user);
    state.deactivated = false;
    state.modified = call.now;
    Ok(Success::bare(call, "action", "activate user".into()))
}

pub(super) fn disconnect(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.subject(server, call.first)?;
    server.send_away(call.now, user, Kick::Disconnected);
    Ok(Success::data(json!({ "result": true })))
}

fn word(server: &Server, user: UserIx) -> &'static str {
    if server.accounts.user(user).devices.is_empty() { "offline" } else { "online" }
}

fn keyed(name: &str, value: Value) -> Value {
    Value::Object(Map::from_iter([(name.to_owned(), value)]))
}
