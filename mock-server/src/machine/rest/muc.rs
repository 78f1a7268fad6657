//! Groups and chat rooms over REST: made, entered, left, dissolved (rest.md A.10, A.12, B.5, B.6).
//!
//! The two families are the same but for their path, and a key in their answers.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::page::Page;
use super::{Answer, Call, Failure, Success, text};
use crate::machine::account::UserIx;
use crate::machine::muc::{ADMINS_MAX, Muc, MucFault, MucIx, MucKind, Profile};
use crate::machine::{Millis, Server, Set, excerpt};

/// What 3.x, 4.x and the server-side API send; each spells some keys in its own way.
#[derive(Deserialize)]
struct NewMuc {
    #[serde(default, alias = "groupname")]
    name: String,
    #[serde(default, alias = "desc")]
    description: String,
    #[serde(default)]
    members: Vec<String>,
    #[serde(default = "yes")]
    public: bool,
    #[serde(default, alias = "membersonly")]
    approval: bool,
    #[serde(default)]
    allowinvites: bool,
    #[serde(default)]
    invite_need_confirm: bool,
    #[serde(default = "users_default", deserialize_with = "count")]
    maxusers: usize,
}

#[derive(Deserialize)]
struct Names {
    usernames: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verdict {
    #[serde(alias = "invitee")]
    applicant: String,
    verify_result: bool,
}

/// rest.md B.5 and B.8.
const NAME_CHARS_MAX: usize = 128;
const DESCRIPTION_CHARS_MAX: usize = 512;
/// The largest plan of rest.md B.8; rooms hold more there, groups do not.
const MEMBERS_MAX: usize = 10_000;

pub(super) fn create(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let owner = call.caller(server)?;
    let new: NewMuc = call.json()?;
    if new.name.chars().count() > NAME_CHARS_MAX {
        return Err(Failure::illegal(format!("the name holds at most {NAME_CHARS_MAX} characters")));
    }
    if new.description.chars().count() > DESCRIPTION_CHARS_MAX {
        return Err(Failure::illegal(format!(
            "the description holds at most {DESCRIPTION_CHARS_MAX} characters"
        )));
    }
    if new.maxusers == 0 || new.maxusers > MEMBERS_MAX || new.members.len() >= MEMBERS_MAX {
        return Err(Failure::illegal(format!("maxusers is 1 to {MEMBERS_MAX}")));
    }
    if server.mucs.is_full() {
        return Err(Failure::limit("this world holds no more groups"));
    }
    let mut members = Set::default();
    for name in &new.members {
        members.insert(existing_user(server, name)?);
    }
    members.shift_remove(&owner);
    if members.len() + 1 > new.maxusers {
        return Err(Failure::forbidden("members size is greater than max user size !"));
    }
    let profile = Profile {
        name: new.name,
        description: new.description,
        public: new.public,
        approval: new.approval,
        members_invite: new.allowinvites,
        invite_need_confirm: new.invite_need_confirm,
        users_max: new.maxusers,
    };
    let id = server.allot_muc_id();
    let invited = if kind == MucKind::Group && profile.invite_need_confirm {
        std::mem::take(&mut members)
    } else {
        Set::default()
    };
    let members: Vec<UserIx> = members.into_iter().collect();
    let muc = server.make_muc(call.now, kind, &id, owner, &members, profile);
    server.mucs.muc_mut(muc).invited = invited;
    Ok(Success::data(match kind {
        MucKind::Group => json!({ "groupid": id }),
        MucKind::Room => json!({ "id": id }),
    }))
}

pub(super) fn details(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    call.caller(server)?;
    let muc = existing(server, call.first, kind)?;
    Ok(Success::list(vec![describe(server, server.mucs.muc(muc))]))
}

pub(super) fn rooms(server: &mut Server, call: &Call<'_>) -> Answer {
    call.caller(server)?;
    let rooms = server.mucs.existing().filter(|muc| muc.kind == MucKind::Room);
    Ok(Success::list(
        Page::numbered(call)
            .of(rooms)
            .map(|room| {
                json!({
                    "id": &*room.id,
                    "name": room.profile.name,
                    "owner": server.accounts.name(room.owner),
                    "affiliations_count": room.members.len(),
                })
            })
            .collect(),
    ))
}

pub(super) fn public(server: &mut Server, call: &Call<'_>) -> Answer {
    call.caller(server)?;
    let groups = server.mucs.existing().filter(|muc| muc.kind == MucKind::Group && muc.profile.public);
    // 4.21.1 reads id and name, all others groupid and groupname (rest.md §6.16).
    let page = Page::after_cursor(call);
    let cursor = page.next_cursor(groups.clone().count());
    Ok(Success::page(page.of(groups).map(named).collect(), cursor))
}

pub(super) fn joined(server: &mut Server, call: &Call<'_>) -> Answer {
    let caller = call.caller(server)?;
    if server.accounts.find(call.first) != Some(caller) {
        return Err(Failure::forbidden(format!("the groups of {} are not yours", call.first)));
    }
    let groups =
        server.mucs.existing().filter(|muc| muc.kind == MucKind::Group && muc.members.contains_key(&caller));
    Ok(Success::list(Page::numbered(call).of(groups).map(named).collect()))
}

pub(super) fn members(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    call.caller(server)?;
    let muc = existing(server, call.first, kind)?;
    let muc = server.mucs.muc(muc);
    Ok(Success::list(Page::numbered(call).of(affiliations(server, muc)).collect()))
}

pub(super) fn dissolve(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let caller = call.caller(server)?;
    let muc = existing(server, call.first, kind)?;
    owner_only(server, muc, caller)?;
    server.dissolve(muc);
    // The type declarations say `id`, the documents `groupid` (rest.md A.12).
    Ok(Success::data(json!({ "success": true, "id": call.first, "groupid": call.first })))
}

pub(super) fn quit(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let caller = call.caller(server)?;
    let muc = existing(server, call.first, kind)?;
    server.leave(muc, caller).map_err(|fault| refused(server, muc, fault))?;
    Ok(Success::data(json!({ "result": true })))
}

pub(super) fn apply(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let caller = call.caller(server)?;
    let muc = existing(server, call.first, kind)?;
    let profile = &server.mucs.muc(muc).profile;
    let (public, approval) = (profile.public, profile.approval);
    if kind == MucKind::Room {
        // Entering a room one is in already is no mistake: apps do it at each page load.
        if !server.mucs.muc(muc).members.contains_key(&caller) {
            enter(server, call.now, muc, caller)?;
        }
    } else if !public {
        return Err(Failure::forbidden(format!(
            "can not join this group, reason: group {} is private",
            call.first
        )));
    } else if approval {
        if server.mucs.muc(muc).members.contains_key(&caller) {
            return Err(refused(server, muc, MucFault::AlreadyIn(caller)));
        }
        server.mucs.muc_mut(muc).applicants.insert(caller);
    } else {
        enter(server, call.now, muc, caller)?;
    }
    let user = server.accounts.name(caller);
    Ok(Success::data(json!({ "action": "apply", "result": true, "id": call.first, "user": user })))
}

pub(super) fn apply_verify(server: &mut Server, call: &Call<'_>) -> Answer {
    let caller = call.caller(server)?;
    let muc = existing(server, call.first, MucKind::Group)?;
    owner_only(server, muc, caller)?;
    let verdict: Verdict = call.json()?;
    let applicant = existing_user(server, &verdict.applicant)?;
    if !server.mucs.muc(muc).applicants.contains(&applicant) {
        return Err(Failure::forbidden(format!(
            "user {} has not applied to {}",
            verdict.applicant, call.first
        )));
    }
    if verdict.verify_result {
        enter(server, call.now, muc, applicant)?;
    }
    server.mucs.muc_mut(muc).applicants.shift_remove(&applicant);
    Ok(Success::data(json!({
        "action": "apply_verify", "result": true, "groupid": call.first, "user": server.accounts.name(applicant),
    })))
}

pub(super) fn invite(server: &mut Server, call: &Call<'_>) -> Answer {
    let caller = call.caller(server)?;
    let muc = existing(server, call.first, MucKind::Group)?;
    let state = server.mucs.muc(muc);
    if !state.members.contains_key(&caller) {
        return Err(refused(server, muc, MucFault::NotIn(caller)));
    }
    if state.owner != caller && !state.profile.members_invite {
        return Err(Failure::forbidden("only the owner may invite to this group"));
    }
    let need_confirm = state.profile.invite_need_confirm;
    let names: Names = call.json()?;
    let mut results = Vec::new();
    for name in names.usernames {
        let outcome = existing_user(server, &name).and_then(|user| {
            if need_confirm && !server.mucs.muc(muc).members.contains_key(&user) {
                server.mucs.muc_mut(muc).invited.insert(user);
                return Ok(());
            }
            enter(server, call.now, muc, user)
        });
        let mut result =
            json!({ "action": "invite", "result": outcome.is_ok(), "id": call.first, "user": name });
        if let Err(failure) = outcome {
            result["reason"] = failure.description().into();
        }
        results.push(result);
    }
    Ok(Success::list(results))
}

pub(super) fn invite_verify(server: &mut Server, call: &Call<'_>) -> Answer {
    let caller = call.caller(server)?;
    let muc = existing(server, call.first, MucKind::Group)?;
    let verdict: Verdict = call.json()?;
    if server.accounts.find(&verdict.applicant) != Some(caller) {
        return Err(Failure::forbidden(format!("the invitation of {} is not yours", verdict.applicant)));
    }
    if !server.mucs.muc(muc).invited.contains(&caller) {
        return Err(Failure::forbidden(format!(
            "user {} is not invited to {}",
            verdict.applicant, call.first
        )));
    }
    if verdict.verify_result {
        enter(server, call.now, muc, caller)?;
    }
    server.mucs.muc_mut(muc).invited.shift_remove(&caller);
    Ok(Success::data(json!({
        "action": "invite_verify", "result": true, "groupid": call.first, "user": server.accounts.name(caller),
    })))
}

pub(super) fn add(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let caller = call.caller(server)?;
    let muc = existing(server, call.first, kind)?;
    owner_only(server, muc, caller)?;
    let names: Names = call.json()?;
    let mut users = Set::default();
    for name in &names.usernames {
        users.insert(existing_user(server, name)?);
    }
    users.retain(|user| !server.mucs.muc(muc).members.contains_key(user));
    if server.mucs.muc(muc).members.len() + users.len() > server.mucs.muc(muc).profile.users_max {
        return Err(refused(server, muc, MucFault::Full));
    }
    let mut added = Vec::new();
    for user in users {
        enter(server, call.now, muc, user)?;
        added.push(text(server.accounts.name(user)));
    }
    Ok(Success::data(json!({
        "newmembers": added, id_key(kind): call.first, "action": "add_member",
    })))
}

pub(super) fn remove(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let caller = call.caller(server)?;
    let muc = existing(server, call.first, kind)?;
    owner_only(server, muc, caller)?;
    let names = call.second.split(',').filter(|name| !name.is_empty());
    let users: Vec<_> =
        names.map(|name| Ok((name, existing_user(server, name)?))).collect::<Result<_, Failure>>()?;
    let mut results = Vec::new();
    for (name, user) in users {
        let removed = server.remove(muc, user).is_ok();
        let mut result = json!({
            "result": removed, "action": "remove_member", "user": name, id_key(kind): call.first,
        });
        if !removed {
            result["reason"] = format!("user: {name} doesn't exist in group: {}", call.first).into();
        }
        results.push(result);
    }
    match (results.len(), results.pop()) {
        (1, Some(one)) if one["result"] == false => {
            Err(Failure::forbidden(format!("users [{}] are not members of this group!", call.second)))
        }
        (1, Some(one)) => Ok(Success::data(one)),
        (_, last) => {
            results.extend(last);
            Ok(Success::list(results))
        }
    }
}

fn enter(server: &mut Server, now: Millis, muc: MucIx, user: UserIx) -> Result<(), Failure> {
    server.join(now, muc, user).map_err(|fault| refused(server, muc, fault))
}

/// The words that 4.x looks for, or that the documents list (rest.md 0.11, B.5).
fn refused(server: &Server, muc: MucIx, fault: MucFault) -> Failure {
    let id = &server.mucs.muc(muc).id;
    let name = |user| server.accounts.name(user);
    match fault {
        MucFault::AlreadyIn(user) => {
            let name = name(user);
            Failure::forbidden(format!(
                "can not join this group, reason:user: {name} already in group: {id}\n"
            ))
        }
        MucFault::NotIn(user) => {
            Failure::forbidden(format!("user: {} doesn't exist in group: {id}", name(user)))
        }
        MucFault::Blocked(user) => Failure::forbidden(format!(
            "can not join this group, reason:user: {} is in the blacklist of group: {id}",
            name(user)
        )),
        MucFault::IsOwner(_) => Failure::forbidden("forbidden operation on group owner!"),
        MucFault::Full => Failure::forbidden("group member list is full!"),
        MucFault::AdminsFull => Failure::forbidden(format!("a group has at most {ADMINS_MAX} admins")),
    }
}

fn existing(server: &Server, id: &str, kind: MucKind) -> Result<MucIx, Failure> {
    let found = server.mucs.find(id).filter(|&muc| server.mucs.muc(muc).kind == kind);
    found.ok_or_else(|| Failure::no_muc(id))
}

fn existing_user(server: &Server, name: &str) -> Result<UserIx, Failure> {
    server.accounts.find(name).ok_or_else(|| Failure::illegal(format!("group member {name} doesn't exist")))
}

fn owner_only(server: &Server, muc: MucIx, caller: UserIx) -> Result<(), Failure> {
    if server.mucs.muc(muc).owner == caller {
        return Ok(());
    }
    Err(Failure::forbidden("only the owner may do this"))
}

fn named(muc: &Muc) -> Value {
    json!({ "groupid": &*muc.id, "groupname": muc.profile.name, "id": &*muc.id, "name": muc.profile.name })
}

fn affiliations(server: &Server, muc: &Muc) -> impl Iterator<Item = Value> {
    muc.members.keys().map(|&user| {
        let role = if user == muc.owner { "owner" } else { "member" };
        json!({ role: server.accounts.name(user) })
    })
}

fn describe(server: &Server, muc: &Muc) -> Value {
    json!({
        "id": &*muc.id,
        "name": muc.profile.name,
        "description": muc.profile.description,
        "owner": server.accounts.name(muc.owner),
        "created": muc.created.0,
        "affiliations_count": muc.members.len(),
        "affiliations": affiliations(server, muc).collect::<Vec<_>>(),
        "public": muc.profile.public,
        "membersonly": muc.profile.approval,
        "allowinvites": muc.profile.members_invite,
        "maxusers": muc.profile.users_max,
        "custom": "",
        "mute": false,
        "disabled": false,
    })
}

fn id_key(kind: MucKind) -> &'static str {
    match kind {
        MucKind::Group => "groupid",
        MucKind::Room => "id",
    }
}

/// A form's fields are strings, and apps send them as they are.
fn count<'de, D: Deserializer<'de>>(field: D) -> Result<usize, D::Error> {
    let value = Value::deserialize(field)?;
    let count = match &value {
        Value::String(digits) => digits.parse().ok(),
        other => other.as_u64().and_then(|count| usize::try_from(count).ok()),
    };
    count
        .ok_or_else(|| D::Error::custom(format!("a number is expected, got {}", excerpt(&value.to_string()))))
}

fn yes() -> bool {
    true
}

fn users_default() -> usize {
    Profile::named("").users_max
}
