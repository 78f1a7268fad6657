//! `/users/{me}/presence`: what a user publishes, and whom it is told of (rest.md A.11, B.7). Answers have no envelope,
//! and numbers in them are strings.

use serde::Deserialize;
use serde_json::{Value, json};

use super::page::{Page, parameter};
use super::{Answer, Call, Failure, Success};
use crate::machine::account::UserIx;
use crate::machine::presence::{PresenceFault, seconds};
use crate::machine::{Millis, Server};

#[derive(Deserialize)]
struct Publication {
    #[serde(default)]
    ext: String,
}

#[derive(Deserialize)]
struct Names {
    usernames: Vec<String>,
}

/// The vendor's page on presence: how many users one call names.
const NAMES_MAX: usize = 100;
/// The vendor's page on presence: 30 days.
const EXPIRY_S_MAX: u64 = 30 * 24 * 3_600;

pub(super) fn publish(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = opened(server, call)?;
    let Publication { ext } = call.json()?;
    let code = call.third.parse().map_err(|_| Failure::illegal("the status of a device is 0 to 255"))?;
    if server.device_of(user, call.second).is_none() {
        return Err(Failure::no_device(call.second));
    }
    server.publish_presence(call.now, user, call.second, code, &ext).map_err(refused)?;
    Ok(Success::bare(call, "result", "ok".into()))
}

/// Tells what is known of each now; the news follow over the socket for as many seconds as the path says.
pub(super) fn subscribe(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = opened(server, call)?;
    let expiry = call.second.parse().ok().filter(|expiry| (1..=EXPIRY_S_MAX).contains(expiry));
    let expiry = expiry.ok_or_else(|| Failure::illegal(format!("the expiry is 1 to {EXPIRY_S_MAX} s")))?;
    let others = named(server, &call.json::<Names>()?.usernames)?;
    let until = Millis(call.now.0.saturating_add(expiry * 1_000));
    server.subscribe_presence(call.now, user, &others, until).map_err(refused)?;
    Ok(presences(server, call, user, &others))
}

/// The body is a bare list of names.
pub(super) fn unsubscribe(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = opened(server, call)?;
    let names: Vec<String> =
        serde_json::from_slice(&call.request.body).map_err(|error| Failure::json(&error))?;
    let others = named(server, &names)?;
    server.unsubscribe_presence(user, &others);
    Ok(Success::bare(call, "result", "ok".into()))
}

pub(super) fn of(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = opened(server, call)?;
    let others = named(server, &call.json::<Names>()?.usernames)?;
    Ok(presences(server, call, user, &others))
}

/// Those that have not run out.
pub(super) fn subscriptions(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = opened(server, call)?;
    let all = server.presence_subscriptions(call.now, user);
    let page = Page::of_number(parameter(call, "pageNum"), parameter(call, "pageSize"));
    let total = all.len().to_string();
    let one = |(about, until): (UserIx, Millis)| {
        let expiry = seconds(until).to_string();
        json!({ "uid": server.accounts.name(about), "expiry": expiry })
    };
    let sublist: Vec<Value> = page.of(all.into_iter()).map(one).collect();
    Ok(Success::bare(call, "result", json!({ "totalnum": total, "sublist": sublist })))
}

fn presences(server: &Server, call: &Call<'_>, watcher: UserIx, others: &[UserIx]) -> Success {
    let list: Vec<Value> = others.iter().map(|&other| server.presence_of(call.now, other, watcher)).collect();
    Success::bare(call, "result", list.into())
}

/// Whose presence it is, in an app that has it.
fn opened(server: &Server, call: &Call<'_>) -> Result<UserIx, Failure> {
    let user = call.owner(server, call.first)?;
    if server.settings.presence { Ok(user) } else { Err(Failure::presence_off()) }
}

fn named(server: &Server, names: &[String]) -> Result<Vec<UserIx>, Failure> {
    if names.is_empty() || names.len() > NAMES_MAX {
        return Err(Failure::illegal(format!("1 to {NAMES_MAX} users are named")));
    }
    names.iter().map(|name| server.accounts.find(name).ok_or_else(Failure::user_not_found)).collect()
}

/// The words are those that 4.x looks for (rest.md 0.11).
fn refused(fault: PresenceFault) -> Failure {
    Failure::illegal(match fault {
        PresenceFault::TooLong => "ext is too big ",
        PresenceFault::TooMany => "The quantity has exceeded the limit!",
    })
}
