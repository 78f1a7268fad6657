//! `/mutes`: whom the app lets speak nowhere (rest.md B.2).

use serde::Deserialize;
use serde_json::{Value, json};

use super::page::Page;
use super::{Answer, Call, Failure, Success};
use crate::machine::Server;
use crate::machine::mutes::ChatKind;

/// Durations in s; 0 ends a mute, -1 is for ever, what is left out stays as it is.
#[derive(Deserialize)]
struct Mute {
    username: String,
    #[serde(default)]
    chat: Option<i64>,
    #[serde(default)]
    groupchat: Option<i64>,
    #[serde(default)]
    chatroom: Option<i64>,
}

pub(super) fn set(server: &mut Server, call: &Call<'_>) -> Answer {
    call.app_only(server)?;
    let mute: Mute = call.json()?;
    let user = server.accounts.existing(&mute.username).ok_or_else(Failure::user_not_found)?;
    let durations = [
        (ChatKind::Chat, mute.chat),
        (ChatKind::Groupchat, mute.groupchat),
        (ChatKind::Chatroom, mute.chatroom),
    ];
    if durations.iter().any(|&(_, seconds)| seconds.is_some_and(|seconds| seconds < -1)) {
        return Err(Failure::illegal("a mute lasts 0 s or more, or -1 for ever"));
    }
    for (kind, seconds) in durations {
        if let Some(seconds) = seconds {
            server.accounts.user_mut(user).mutes.set(kind, call.now, seconds);
        }
    }
    Ok(Success::data(json!({ "result": "ok" })))
}

pub(super) fn of(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.subject(server, call.first)?;
    let mutes = &server.accounts.user(user).mutes;
    let mut data = json!({
        "userid": format!("{}_{}", server.app, server.accounts.name(user)),
        "unixtime": call.now.0 / 1_000,
    });
    for kind in ChatKind::ALL {
        data[kind.word()] = mutes.seconds_left(kind, call.now).into();
    }
    Ok(Success::data(data))
}

/// An entry for each user and kind.
pub(super) fn list(server: &mut Server, call: &Call<'_>) -> Answer {
    call.app_only(server)?;
    let server = &*server;
    let mute = server.accounts.existing_from(0).flat_map(|(_, user)| {
        ChatKind::ALL.into_iter().filter_map(move |kind| {
            let seconds = server.accounts.user(user).mutes.seconds_left(kind, call.now);
            (seconds != 0).then(|| json!({ "username": server.accounts.name(user), kind.word(): seconds }))
        })
    });
    let page: Vec<Value> = Page::numbered(call).of(mute).collect();
    Ok(Success::data(json!({ "data": page, "unixtime": call.now.0 / 1_000 })))
}
