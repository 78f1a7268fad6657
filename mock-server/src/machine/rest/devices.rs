//! The devices of a user, and what 4.x asks before a call over another network (rest.md A.11).

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Call, Failure, Success, uuid_of};
use crate::machine::session::Session;
use crate::machine::{Server, excerpt};

#[derive(Deserialize)]
struct Numbers {
    data: Vec<u64>,
}

/// The vendor's page on calls: how many users one call asks about.
const NUMBERS_MAX: usize = 100;

/// Those that are there, the oldest first; 4.x leaves out the one that asks.
pub(super) fn list(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let devices = server.accounts.user(user).devices.iter();
    let live = devices.filter_map(|conn| server.sessions.get(conn).and_then(Session::live));
    Ok(Success::list(live.map(|live| json!({ "res": live.resource })).collect()))
}

/// A token for a call, which nothing here takes; the number is the user's for as long as the world lives.
pub(super) fn call_token(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let channel = call.text("channelName").unwrap_or_default();
    let name = server.accounts.name(user);
    Ok(Success::Bare(json!({
        "app_id": uuid_of(server.app.as_str()).replace('-', ""),
        "rtc_token": uuid_of(&format!("{} {name} {} {}", server.app, excerpt(&channel), call.now.0)),
        "channel_name": excerpt(&channel),
        "rtcUid": user.0 + 1,
        "expires_in": server.settings.token_ttl_ms / 1_000,
        "timestamp": call.now.0,
        "duration": 0,
    })))
}

/// Whose numbers these are; what is nobody's is left out.
pub(super) fn of_numbers(server: &mut Server, call: &Call<'_>) -> Answer {
    call.authority(server)?;
    let Numbers { data } = call.json()?;
    if data.is_empty() || data.len() > NUMBERS_MAX {
        return Err(Failure::illegal(format!("data holds 1 to {NUMBERS_MAX} numbers")));
    }
    let named = |&number: &u64| {
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        let (_, user) = server.accounts.existing_from(index).next().filter(|&(at, _)| at == index)?;
        Some((number.to_string(), server.accounts.name(user).into()))
    };
    Ok(Success::data(data.iter().filter_map(named).collect::<Map<String, Value>>().into()))
}
