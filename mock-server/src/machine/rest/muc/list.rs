//! Lists of groups and rooms: all of the app's, the public ones, and those that a user is in.

use serde_json::{Value, json};

use crate::machine::Server;
use crate::machine::muc::{Muc, MucKind};
use crate::machine::rest::page::Page;
use crate::machine::rest::{Answer, Call, Success};

pub(super) fn all(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    match kind {
        MucKind::Group => call.app_only(server)?,
        MucKind::Room => drop(call.authority(server)?),
    }
    let mucs = server.mucs.existing().filter(|muc| muc.kind == kind);
    let page = Page::asked(call);
    let cursor = page.next_cursor(mucs.clone().count());
    let shown = page.of(mucs).map(|muc| match kind {
        MucKind::Group => json!({
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
    let groups = server.mucs.existing().filter(|muc| muc.kind == MucKind::Group && muc.has(user));
    Ok(Success::list(Page::numbered(call).of(groups).map(named).collect()))
}

/// 4.21.1 reads id and name, all others groupid and groupname (rest.md §6.16).
fn named(muc: &Muc) -> Value {
    json!({ "groupid": &*muc.id, "groupname": muc.profile.name, "id": &*muc.id, "name": muc.profile.name })
}
