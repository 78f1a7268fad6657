//! Members of a group or room: listed, put in, put out, barred; and those who go by themselves.

use serde_json::{Value, json};

use super::{
    Asked, NAMES_MAX, Rank, Shape, each, existing_user, id_key, list_id_key, named_in_body, named_in_path,
};
use crate::machine::Server;
use crate::machine::account::UserIx;
use crate::machine::muc::{Entrance, Muc, MucFault, MucKind};
use crate::machine::rest::page::Page;
use crate::machine::rest::{Answer, Call, Success, text};

pub(super) fn list(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Outsider)?;
    let muc = server.mucs.muc(asked.muc);
    let page = Page::asked(call);
    let cursor = page.next_cursor(muc.members.len());
    let with_admins = call.parameter("joined_time") == Some("true");
    let shown =
        page.of(muc.members.iter().zip(affiliations(server, call, muc))).map(|((&user, _), shown)| {
            // The list of 4.x tells administrators apart, those of before do not.
            if with_admins && muc.admins.contains(&user) { administrator(shown) } else { shown }
        });
    Ok(Success::page(shown.collect(), cursor))
}

/// The same under another role.
fn administrator(mut shown: Value) -> Value {
    if let Some(name) = shown.as_object_mut().and_then(|shown| shown.remove("member")) {
        shown["admin"] = name;
    }
    shown
}

/// Each member under its role, and with `joined_time=true` since when.
pub(super) fn affiliations<'a>(
    server: &'a Server,
    call: &Call<'_>,
    muc: &'a Muc,
) -> impl Iterator<Item = Value> + 'a {
    let with_time = call.request.query.split('&').any(|pair| pair == "joined_time=true");
    muc.members.iter().map(move |(&user, since)| {
        let role = if user == muc.owner { "owner" } else { "member" };
        let name = server.accounts.name(user);
        if with_time { json!({ role: name, "joined_time": since.0 }) } else { json!({ role: name }) }
    })
}

/// All of the named, or none. Who is in already stays.
pub(super) fn add(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let mut users = named_in_body(server, call, NAMES_MAX)?;
    let muc = server.mucs.muc(asked.muc);
    users.retain(|&user| !muc.has(user));
    if muc.members.len() + users.len() > muc.profile.users_max {
        return Err(asked.refused(server, MucFault::Full));
    }
    for &user in &users {
        server.mucs.muc(asked.muc).may_enter(user).map_err(|fault| asked.refused(server, fault))?;
    }
    let mut added = Vec::with_capacity(users.len());
    for user in users {
        server
            .join(asked.act, asked.muc, user, Entrance::Added)
            .map_err(|fault| asked.refused(server, fault))?;
        added.push(text(server.accounts.name(user)));
    }
    Ok(Success::data(json!({ "newmembers": added, id_key(kind): call.first, "action": "add_member" })))
}

pub(super) fn add_one(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let user = existing_user(server, call.second)?;
    server.join(asked.act, asked.muc, user, Entrance::Added).map_err(|fault| asked.refused(server, fault))?;
    Ok(Success::data(json!({
        "result": true, id_key(kind): call.first, "action": "add_member", "user": server.accounts.name(user),
    })))
}

pub(super) fn remove(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let users = named_in_path(server, call)?;
    each(server, asked, &users, Shape::OneOrList, |server, user| {
        let done = server.remove(asked.act, asked.muc, user);
        (json!({ "action": "remove_member", id_key(kind): call.first }), done)
    })
}

pub(super) fn quit(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    call.caller(server)?;
    let asked = Asked::of(server, call, kind, Rank::Member)?;
    server.leave(asked.act, asked.muc, asked.by).map_err(|fault| asked.refused(server, fault))?;
    Ok(Success::data(json!({ "result": true })))
}

pub(super) fn blocks(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let blocked = server.mucs.muc(asked.muc).blocked.iter().copied();
    Ok(Success::list(server.accounts.names(blocked).iter().map(|name| text(name)).collect()))
}

pub(super) fn block(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let users = named_in_body(server, call, NAMES_MAX)?;
    bar(server, call, kind, asked, &users, Shape::List)
}

pub(super) fn block_one(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let users = named_in_path(server, call)?;
    bar(server, call, kind, asked, &users, Shape::in_path(call))
}

fn bar(
    server: &mut Server,
    call: &Call<'_>,
    kind: MucKind,
    asked: Asked,
    users: &[UserIx],
    shape: Shape,
) -> Answer {
    each(server, asked, users, shape, |server, user| {
        let done = server.bar(asked.act, asked.muc, user);
        (json!({ "action": "add_blocks", list_id_key(kind): call.first }), done)
    })
}

pub(super) fn unblock(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let users = named_in_path(server, call)?;
    each(server, asked, &users, Shape::in_path(call), |server, user| {
        let done = server.unbar(asked.act, asked.muc, user);
        (json!({ "action": "remove_blocks", list_id_key(kind): call.first }), done)
    })
}
