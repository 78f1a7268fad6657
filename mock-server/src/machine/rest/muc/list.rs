//! Lists of groups and rooms: all of the app's, the public ones, and those that a user is in.

use serde_json::{Value, json};

use super::rank_of;
use crate::machine::Server;
use crate::machine::account::UserIx;
use crate::machine::muc::{Muc, MucKind};
use crate::machine::rest::page::Page;
use crate::machine::rest::{Answer, Call, Success};

pub(super) fn all(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    match kind {
        MucKind::Group | MucKind::Thread => call.app_only(server)?,
        MucKind::Room => drop(call.authority(server)?),
    }
    let mucs = server.mucs.existing().filter(|muc| muc.kind == kind);
    let page = Page::asked(call);
    let cursor = page.next_cursor(mucs.clone().count());
    let shown = page.of(mucs).map(|muc| match kind {
        MucKind::Group | MucKind::Thread => json!({
            "owner": format!("{}_{}", server.app, server.accounts.name(muc.owner)),
            "groupid": &*muc.id,
            "affiliations": muc.members.len(),
            "type": "group",
            "last_modified": muc.modified.0.to_string(),
            "groupname": muc.profile.name,
        }),
        MucKind::Room => json!({
            "id": &*muc.id,
            "name": muc.profile.name,
            "owner": server.accounts.name(muc.owner),
            "affiliations_count": muc.members.len(),
        }),
    });
    Ok(Success::page(shown.collect(), cursor))
}

pub(in crate::machine::rest) fn public(server: &mut Server, call: &Call<'_>) -> Answer {
    call.authority(server)?;
    let groups = server.mucs.existing().filter(|muc| muc.kind == MucKind::Group && muc.profile.public);
    let page = Page::after_cursor(call);
    let cursor = page.next_cursor(groups.clone().count());
    Ok(Success::page(page.of(groups).map(named).collect(), cursor))
}

pub(in crate::machine::rest) fn joined(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let groups = groups_of(server, user);
    let shown = page(call).of(groups).map(|muc| {
        let mut shown = named(muc);
        shown["disabled"] = muc.disabled.into();
        shown["permission"] = permission(muc, user).into();
        shown
    });
    Ok(Success::list(shown.collect()))
}

/// What 4.x reads of its groups when it asks for more than their names: `entities`, and `uri` without the word of the
/// shorter list (rest.md A.11).
pub(in crate::machine::rest) fn joined_details(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let wants = |name: &str| call.parameter(name) == Some("true");
    let (counts, roles) = (wants("needAffiliations"), wants("needRole"));
    let entities = page(call).of(groups_of(server, user)).map(|muc| {
        let mut shown = json!({
            "groupId": &*muc.id,
            "id": &*muc.id,
            "name": muc.profile.name,
            "description": muc.profile.description,
            "avatar": muc.profile.avatar,
            "custom": muc.profile.custom,
            "owner": server.accounts.name(muc.owner),
            "created": muc.created.0,
            "public": muc.profile.public,
            "membersonly": muc.profile.approval,
            "allowinvites": muc.profile.members_invite,
            "maxusers": muc.profile.users_max,
            "disabled": muc.disabled,
        });
        if counts {
            shown["affiliations_count"] = muc.members.len().into();
        }
        if roles {
            shown["permission"] = permission(muc, user).into();
        }
        shown
    });
    Ok(Success::entities(entities.collect(), None, None))
}

pub(in crate::machine::rest) fn joined_count(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    Ok(Success::data(groups_of(server, user).count().into()))
}

/// 4.x cuts the owner's name out of its address.
pub(in crate::machine::rest) fn joined_rooms(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let rooms = server.mucs.existing().filter(|muc| muc.kind == MucKind::Room && muc.has(user));
    let shown = Page::numbered(call).of(rooms).map(|muc| {
        json!({
            "id": &*muc.id,
            "title": muc.profile.name,
            "name": muc.profile.name,
            "owner": format!("{}_{}", server.app, server.accounts.name(muc.owner)),
            "created": muc.created.0,
            "description": muc.profile.description,
            "max_users": muc.profile.users_max,
            "affiliations_count": muc.members.len(),
        })
    });
    Ok(Success::list(shown.collect()))
}

fn groups_of(server: &Server, user: UserIx) -> impl Iterator<Item = &Muc> {
    server.mucs.existing().filter(move |muc| muc.kind == MucKind::Group && muc.has(user))
}

/// 4.x counts the pages of its groups from 0, and says which version it speaks.
fn page(call: &Call<'_>) -> Page {
    if call.parameter("version") == Some("v3") { Page::numbered_from_0(call) } else { Page::numbered(call) }
}

fn permission(muc: &Muc, user: UserIx) -> &'static str {
    rank_of(muc, user).permission()
}

/// 4.21.1 reads id and name, all others groupid and groupname (rest.md §6.16).
fn named(muc: &Muc) -> Value {
    json!({ "groupid": &*muc.id, "groupname": muc.profile.name, "id": &*muc.id, "name": muc.profile.name })
}
