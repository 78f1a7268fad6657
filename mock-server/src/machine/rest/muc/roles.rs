//! Owner, administrators, and the super administrators of rooms.

use serde::Deserialize;
use serde_json::json;

use super::{Asked, Rank, existing_user};
use crate::machine::Server;
use crate::machine::muc::{MucFault, MucKind};
use crate::machine::rest::page::Page;
use crate::machine::rest::{Answer, Call, Failure, Success, text};

#[derive(Deserialize)]
struct NewOwner {
    newowner: String,
}

#[derive(Deserialize)]
struct NewAdmin {
    newadmin: String,
}

#[derive(Deserialize)]
struct SuperAdmin {
    superadmin: String,
}

/// A bound on what a world keeps; as many as a group has administrators.
const SUPER_ADMINS_MAX: usize = 99;

pub(super) fn change_owner(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Owner)?;
    let NewOwner { newowner } = call.json()?;
    let user = existing_user(server, &newowner)?;
    server.change_owner(asked.act, asked.muc, user).map_err(|fault| match fault {
        MucFault::IsOwner(_) => Failure::forbidden("new owner and old owner are the same"),
        other => asked.refused(server, other),
    })?;
    Ok(Success::data(json!({ "newowner": true })))
}

pub(super) fn admins(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Member)?;
    let admins = server.mucs.muc(asked.muc).admins.iter().copied();
    Ok(Success::list(server.accounts.names(admins).iter().map(|name| text(name)).collect()))
}

pub(super) fn add_admin(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Owner)?;
    let NewAdmin { newadmin } = call.json()?;
    let user = existing_user(server, &newadmin)?;
    server.add_admin(asked.act, asked.muc, user).map_err(|fault| asked.refused(server, fault))?;
    Ok(Success::data(json!({ "result": "success", "newadmin": server.accounts.name(user) })))
}

pub(super) fn remove_admin(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Owner)?;
    let user = existing_user(server, call.second)?;
    server.remove_admin(asked.act, asked.muc, user).map_err(|fault| asked.refused(server, fault))?;
    Ok(Success::data(json!({ "result": "success", "oldadmin": server.accounts.name(user) })))
}

pub(super) fn super_admins(server: &mut Server, call: &Call<'_>) -> Answer {
    call.app_only(server)?;
    let admins = Page::asked(call).of(server.mucs.super_admins.iter().copied());
    Ok(Success::list(server.accounts.names(admins).iter().map(|name| text(name)).collect()))
}

pub(super) fn add_super_admin(server: &mut Server, call: &Call<'_>) -> Answer {
    call.app_only(server)?;
    let SuperAdmin { superadmin } = call.json()?;
    let user = existing_user(server, &superadmin)?;
    if server.mucs.super_admins.len() >= SUPER_ADMINS_MAX && !server.mucs.super_admins.contains(&user) {
        return Err(Failure::limit(format!("a world has at most {SUPER_ADMINS_MAX} super administrators")));
    }
    server.mucs.super_admins.insert(user);
    Ok(Success::data(json!({ "result": "success" })))
}

pub(super) fn remove_super_admin(server: &mut Server, call: &Call<'_>) -> Answer {
    call.app_only(server)?;
    let user = existing_user(server, call.first)?;
    if !server.mucs.super_admins.shift_remove(&user) {
        return Err(Failure::forbidden(format!("user: {} is no super administrator", call.first)));
    }
    Ok(Success::data(json!({ "result": "success" })))
}
