//! `/sdk/user/{me}/user_channel/pin`: messages pinned in their conversation (rest.md A.11, A.12; wire-4x §7).

use fixtures::wire::Meta;
use prost::Message as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::page::parameter;
use super::sessions::{key_of, shown};
use super::{Answer, Call, Failure, Success};
use crate::machine::Server;
use crate::machine::account::UserIx;
use crate::machine::conversation::Set;
use crate::machine::log::ConvKey;
use crate::machine::muc::MucKind;
use crate::machine::pins::{Pin, PinFault};

#[derive(Deserialize)]
struct Target {
    to: String,
    r#type: String,
    pin_msg_id: String,
}

/// What 4.x asks for by default, and what the vendor's documents allow.
const PAGE_DEFAULT: usize = 10;
const PAGE_MAX: usize = 50;

pub(super) fn change(server: &mut Server, call: &Call<'_>, set: Set) -> Answer {
    let user = call.owner(server, call.first)?;
    let Target { to, r#type, pin_msg_id } = call.json()?;
    on(server)?;
    let key = open_to(server, user, &r#type, &to)?;
    server.forget_old(call.now);
    // The words by which 4.x tells the three (rest.md 0.11).
    let no_message = || Failure::illegal("param pin_msg_id illegal, please check it!");
    let id = pin_msg_id.parse().map_err(|_| no_message())?;
    let actor = call.actor(server, user);
    server.pin_message(call.now, &actor, key, id, set).map_err(|fault| match fault {
        PinFault::NoMessage => no_message(),
        PinFault::NotPinned => Failure::not_pinned(),
        PinFault::TooMany => Failure::illegal("The quantity has exceeded the limit!"),
    })?;
    Ok(Success::data(json!({ "result": "ok" })))
}

/// A cursor is the turn in which the last one that was listed was pinned: it stays right while others come and go.
pub(super) fn list(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    on(server)?;
    let target = |name| call.parameter(name).unwrap_or_default();
    let key = open_to(server, user, target("type"), target("to"))?;
    server.forget_old(call.now);
    let take = parameter(call, "limit").unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let behind: Option<u64> = call.parameter("cursor").and_then(|text| text.parse().ok());
    let pins = server.queues.find(key).map(|conv| server.pinned(conv)).unwrap_or_default();
    let is_wanted = |pin: &Pin| behind.is_none_or(|behind| pin.pinned.turn < behind);
    // What was for some members only is pinned for them alone.
    let is_open = |pin: &Pin| server.find_open(user, pin.id).is_some();
    let mut pins: Vec<Pin> = pins.into_iter().filter(|pin| is_wanted(pin) && is_open(pin)).collect();
    let more = pins.len() > take;
    pins.truncate(take);
    let cursor = pins.last().filter(|_| more).map(|pin| pin.pinned.turn.to_string());
    let infos: Vec<Value> = pins.iter().filter_map(|pin| info(server, pin)).collect();
    Ok(Success::data(json!({ "msg_infos": infos, "cursor": cursor.unwrap_or_default() })))
}

fn info(server: &Server, pin: &Pin) -> Option<Value> {
    let found = server.queues.find_message(pin.id)?;
    let meta = Meta::decode(&server.queues.meta_at(found.conv, found.position)?[..]).ok()?;
    Some(json!({
        "message": shown(&meta),
        "pin_opt_at": pin.pinned.at.0,
        "pin_operator": server.accounts.name(pin.operator),
    }))
}

/// A conversation that the user is in.
fn open_to(server: &Server, user: UserIx, kind: &str, name: &str) -> Result<ConvKey, Failure> {
    let key = if kind.eq_ignore_ascii_case("chatroom") {
        let room = server.mucs.find(name).filter(|&room| server.mucs.muc(room).kind == MucKind::Room);
        ConvKey::Muc(room.ok_or_else(|| Failure::no_muc(name))?)
    } else {
        key_of(server, user, kind, name)?
    };
    match key {
        // The words by which 4.x tells it (rest.md 0.11).
        ConvKey::Muc(muc) if !server.mucs.muc(muc).has(user) => {
            Err(Failure::illegal("The user not in this group!"))
        }
        key => Ok(key),
    }
}

fn on(server: &Server) -> Result<(), Failure> {
    if server.settings.pins { Ok(()) } else { Err(Failure::forbidden("service not open!")) }
}
