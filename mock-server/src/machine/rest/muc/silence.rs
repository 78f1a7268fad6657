//! Who may write: mutes, the ban for all, and the allow list.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{Asked, NAMES_MAX, Rank, Shape, each, existing_user, list_id_key, named_in_path, users_of};
use crate::machine::account::UserIx;
use crate::machine::muc::{Ban, MucKind, shown_end};
use crate::machine::rest::{Answer, Call, Failure, Success, text};
use crate::machine::{Millis, Server, excerpt};

#[derive(Deserialize)]
struct Mute {
    usernames: Vec<String>,
    /// In ms. Below 0: for ever; 3.6.3 writes -1000 for it (rest.md A.10).
    #[serde(deserialize_with = "duration")]
    mute_duration: i64,
}

/// rest.md B.5.
const MUTED_AT_ONCE_MAX: usize = 10;

pub(super) fn mutes(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let muted = server.mucs.muc(asked.muc).muted.iter().filter(|&(_, &until)| call.now < until);
    let shown = muted
        .map(|(&user, &until)| json!({ "expire": shown_end(until), "user": server.accounts.name(user) }));
    Ok(Success::list(shown.collect()))
}

/// All of the named, or none.
pub(super) fn mute(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let Mute { usernames, mute_duration } = call.json()?;
    let users = users_of(server, usernames.iter().map(String::as_str), MUTED_AT_ONCE_MAX)?;
    let until = Millis(u64::try_from(mute_duration).map_or(u64::MAX, |ms| call.now.0.saturating_add(ms)));
    users.iter().try_for_each(|&user| asked.outranks(server, user))?;
    server.mute(asked.act, asked.muc, &users, until).map_err(|fault| asked.refused(server, fault))?;
    let shown = |user: &UserIx| json!({ "result": true, "expire": shown_end(until), "user": server.accounts.name(*user) });
    Ok(Success::list(users.iter().map(shown).collect()))
}

/// All of the named, or none.
pub(super) fn unmute(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let users = named_in_path(server, call)?;
    users.iter().try_for_each(|&user| asked.outranks(server, user))?;
    server.unmute(asked.act, asked.muc, &users).map_err(|fault| asked.refused(server, fault))?;
    let shown = |user: &UserIx| json!({ "result": true, "user": server.accounts.name(*user) });
    Ok(Success::list(users.iter().map(shown).collect()))
}

pub(super) fn ban(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    server.ban_all(asked.act, asked.muc, Ban::On);
    Ok(Success::data(json!({ "mute": true })))
}

pub(super) fn unban(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    server.ban_all(asked.act, asked.muc, Ban::Off);
    Ok(Success::data(json!({ "mute": false })))
}

pub(super) fn allow_list(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let allowed = server.mucs.muc(asked.muc).allowed.iter().copied();
    Ok(Success::list(server.accounts.names(allowed).iter().map(|name| text(name)).collect()))
}

/// Members ask about themselves, leaders about anybody.
pub(super) fn is_allowed(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Member)?;
    let user = existing_user(server, call.second)?;
    if asked.rank == Rank::Member && user != asked.by {
        return Err(Failure::forbidden("only the owner or an administrator may ask about others"));
    }
    let is_allowed = server.mucs.muc(asked.muc).allowed.contains(&user);
    Ok(Success::data(json!({ "white": is_allowed, "member": server.accounts.name(user) })))
}

/// As [`is_allowed`], of a mute that has not ended.
pub(in crate::machine::rest) fn is_muted(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Member)?;
    let user = existing_user(server, call.second)?;
    if asked.rank == Rank::Member && user != asked.by {
        return Err(Failure::forbidden("only the owner or an administrator may ask about others"));
    }
    let muted = server.mucs.muc(asked.muc).muted.get(&user).is_some_and(|&until| call.now < until);
    Ok(Success::data(muted.into()))
}

pub(super) fn allow(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let users = super::named_in_body(server, call, NAMES_MAX)?;
    put_on(server, call, kind, asked, &users, Shape::List)
}

pub(super) fn allow_one(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let users = named_in_path(server, call)?;
    put_on(server, call, kind, asked, &users, Shape::OneOrList)
}

fn put_on(
    server: &mut Server,
    call: &Call<'_>,
    kind: MucKind,
    asked: Asked,
    users: &[UserIx],
    shape: Shape,
) -> Answer {
    each(server, asked, users, shape, |server, user| {
        let done = server.allow(asked.act, asked.muc, user);
        (json!({ "action": "add_user_whitelist", list_id_key(kind): call.first }), done)
    })
}

pub(super) fn disallow(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let users = named_in_path(server, call)?;
    each(server, asked, &users, Shape::in_path(call), |server, user| {
        let done = server.disallow(asked.act, asked.muc, user);
        (json!({ "action": "remove_user_whitelist", list_id_key(kind): call.first }), done)
    })
}

/// A form's fields are strings, and apps send them as they are. 0 would be no mute at all.
fn duration<'de, D: Deserializer<'de>>(field: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(field)?;
    let ms = match &value {
        Value::String(digits) => digits.parse().ok(),
        other => other.as_i64(),
    };
    ms.filter(|&ms| ms != 0).ok_or_else(|| {
        D::Error::custom(format!(
            "a number of ms is expected, below 0 for ever, got {}",
            excerpt(&value.to_string())
        ))
    })
}
