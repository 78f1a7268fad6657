//! A group or room itself: made, shown, changed, switched off, dissolved.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use super::{Asked, Rank, existing, existing_user, members, rank_of};
use crate::machine::account::{Caller, UserIx};
use crate::machine::muc::{Act, Muc, MucKind, Profile, Told};
use crate::machine::rest::{Answer, Call, Failure, Success};
use crate::machine::{Server, Set, excerpt};

/// What 3.x, 4.x and the server-side API send; each spells some keys in its own way.
#[derive(Deserialize)]
struct NewMuc {
    /// Whom the app makes it for. A user's own is the user's, whatever stands here.
    owner: Option<String>,
    #[serde(default)]
    members: Vec<String>,
}

/// The profile as a body says it, in each SDK's spelling.
#[derive(Deserialize)]
struct Changes {
    #[serde(alias = "groupname")]
    name: Option<String>,
    #[serde(alias = "desc")]
    description: Option<String>,
    public: Option<bool>,
    #[serde(alias = "membersonly")]
    approval: Option<bool>,
    allowinvites: Option<bool>,
    invite_need_confirm: Option<bool>,
    #[serde(default, deserialize_with = "count")]
    maxusers: Option<usize>,
    custom: Option<String>,
    /// Where the group's picture lies.
    avatar: Option<String>,
}

/// The keys of [`Changes`], as they may be spelt.
const CHANGEABLE: [&str; 12] = [
    "name",
    "groupname",
    "description",
    "desc",
    "public",
    "approval",
    "membersonly",
    "allowinvites",
    "invite_need_confirm",
    "maxusers",
    "custom",
    "avatar",
];
/// rest.md B.5 and B.8.
const NAME_CHARS_MAX: usize = 128;
const DESCRIPTION_CHARS_MAX: usize = 512;
const CUSTOM_CHARS_MAX: usize = 1_024;
/// An address; our guess.
const AVATAR_CHARS_MAX: usize = 1_024;
/// Above the 8,000 of the largest plan (rest.md B.8): our guess for rooms.
const MEMBERS_MAX: usize = 10_000;
/// How many one call may ask about; the answer lists the members of each.
const DETAILS_MAX: usize = 100;

pub(super) fn create(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let caller = call.authority(server)?;
    let super_admins = &server.mucs.super_admins;
    if let Caller::User(user) = caller
        && kind == MucKind::Room
        && !super_admins.is_empty()
        && !super_admins.contains(&user)
    {
        return Err(Failure::forbidden("only a super administrator makes rooms in this world"));
    }
    let new: NewMuc = call.json()?;
    let changes: Changes = call.json()?;
    let before = Profile { members_invite: false, ..Profile::named("") };
    let profile = changes.applied_to(before)?;
    let owner = match (caller, &new.owner) {
        (Caller::User(user), _) => user,
        (Caller::App, Some(owner)) => existing_user(server, owner)?,
        (Caller::App, None) => return Err(Failure::illegal("the owner is missing")),
    };
    if new.members.len() >= MEMBERS_MAX {
        return Err(Failure::illegal(format!("a group is made with fewer than {MEMBERS_MAX} members")));
    }
    if server.mucs.is_full() {
        return Err(Failure::limit("this world holds no more groups"));
    }
    let mut members = Set::default();
    for name in &new.members {
        members.insert(existing_user(server, name)?);
    }
    members.shift_remove(&owner);
    if members.len() + 1 > profile.users_max {
        return Err(Failure::forbidden("members size is greater than max user size !"));
    }
    let id = server.allot_muc_id();
    let asks = kind == MucKind::Group && profile.invite_need_confirm;
    let muc = server.make_muc(call.now, kind, &id, owner, &[], profile);
    let act = Act { now: call.now, by: owner, told: Told::Everyone };
    let members: Vec<UserIx> = members.into_iter().collect();
    if asks {
        for user in members {
            server.invite(act, muc, user).map_err(|fault| super::refused(server, muc, fault))?;
        }
    } else {
        server.found(act, muc, &members);
    }
    Ok(Success::data(match kind {
        MucKind::Group | MucKind::Thread => json!({ "groupid": id }),
        MucKind::Room => json!({ "id": id }),
    }))
}

/// `{id}` or `{id,id}`; of several, those that are not there are left out.
pub(super) fn details(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let caller = call.authority(server)?;
    let ids: Vec<&str> = call.first.split(',').filter(|id| !id.is_empty()).collect();
    if ids.len() > DETAILS_MAX {
        return Err(Failure::illegal(format!("at most {DETAILS_MAX} groups at a time")));
    }
    let found: Vec<&Muc> =
        ids.iter().filter_map(|id| existing(server, id, kind).ok()).map(|muc| server.mucs.muc(muc)).collect();
    if found.is_empty() {
        return Err(Failure::no_muc(call.first));
    }
    let describe = |muc| describe(server, call, muc, caller);
    Ok(Success::list(found.into_iter().map(describe).collect()))
}

fn describe(server: &Server, call: &Call<'_>, muc: &Muc, caller: Caller) -> Value {
    let rank = match caller {
        Caller::App => Rank::App,
        Caller::User(user) => rank_of(muc, user),
    };
    json!({
        "id": &*muc.id,
        "name": muc.profile.name,
        "description": muc.profile.description,
        "owner": server.accounts.name(muc.owner),
        "created": muc.created.0,
        "affiliations_count": muc.members.len(),
        "affiliations": members::affiliations(server, call, muc).collect::<Vec<_>>(),
        "public": muc.profile.public,
        "membersonly": muc.profile.approval,
        "allowinvites": muc.profile.members_invite,
        "maxusers": muc.profile.users_max,
        "custom": muc.profile.custom,
        "avatar": muc.profile.avatar,
        "mute": muc.all_banned,
        "disabled": muc.disabled,
        "permission": rank.permission(),
    })
}

/// Any of the profile's keys, or `newowner` alone.
pub(super) fn modify(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let body: Map<String, Value> = call.json()?;
    if body.contains_key("newowner") {
        return super::roles::change_owner(server, call, kind);
    }
    let unknown: Vec<&str> =
        body.keys().map(String::as_str).filter(|key| !CHANGEABLE.contains(key)).collect();
    if !unknown.is_empty() {
        return Err(Failure::invalid(format!("some of {unknown:?} are not valid fields")));
    }
    let changes: Changes = call.json()?;
    let profile = changes.applied_to(server.mucs.muc(asked.muc).profile.clone())?;
    server.change_profile(asked.act, asked.muc, profile).map_err(|fault| asked.refused(server, fault))?;
    let changed: Map<String, Value> = body.into_iter().map(|(key, _)| (key, true.into())).collect();
    Ok(Success::data(Value::Object(changed)))
}

pub(super) fn dissolve(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Owner)?;
    server.dissolve(asked.act, asked.muc);
    // The type declarations say `id`, the documents `groupid` (rest.md A.12).
    Ok(Success::data(json!({ "success": true, "id": call.first, "groupid": call.first })))
}

/// Whether anything can be done in a group.
enum Switch {
    On,
    Off,
}

pub(super) fn disable(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    switch(server, call, kind, Switch::Off)
}

pub(super) fn enable(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    switch(server, call, kind, Switch::On)
}

/// Rooms too: our guess, as the documents name groups alone.
fn switch(server: &mut Server, call: &Call<'_>, kind: MucKind, switch: Switch) -> Answer {
    call.app_only(server)?;
    let asked = Asked::of(server, call, kind, Rank::App)?;
    let disabled = matches!(switch, Switch::Off);
    server.mucs.muc_mut(asked.muc).disabled = disabled;
    Ok(Success::data(json!({ "disabled": disabled })))
}

impl Changes {
    fn applied_to(self, before: Profile) -> Result<Profile, Failure> {
        let profile = Profile {
            name: self.name.unwrap_or(before.name),
            description: self.description.unwrap_or(before.description),
            public: self.public.unwrap_or(before.public),
            approval: self.approval.unwrap_or(before.approval),
            members_invite: self.allowinvites.unwrap_or(before.members_invite),
            invite_need_confirm: self.invite_need_confirm.unwrap_or(before.invite_need_confirm),
            users_max: self.maxusers.unwrap_or(before.users_max),
            custom: self.custom.unwrap_or(before.custom),
            avatar: self.avatar.unwrap_or(before.avatar),
        };
        for (what, text, chars_max) in [
            ("name", &profile.name, NAME_CHARS_MAX),
            ("description", &profile.description, DESCRIPTION_CHARS_MAX),
            ("custom", &profile.custom, CUSTOM_CHARS_MAX),
            ("avatar", &profile.avatar, AVATAR_CHARS_MAX),
        ] {
            if text.chars().count() > chars_max {
                return Err(Failure::illegal(format!("{what} holds at most {chars_max} characters")));
            }
        }
        if !(1..=MEMBERS_MAX).contains(&profile.users_max) {
            return Err(Failure::illegal(format!("maxusers is 1 to {MEMBERS_MAX}")));
        }
        Ok(profile)
    }
}

/// A form's fields are strings, and apps send them as they are.
fn count<'de, D: Deserializer<'de>>(field: D) -> Result<Option<usize>, D::Error> {
    let value = Value::deserialize(field)?;
    let count = match &value {
        Value::String(digits) => digits.parse().ok(),
        other => other.as_u64().and_then(|count| usize::try_from(count).ok()),
    };
    let count = count.ok_or_else(|| {
        D::Error::custom(format!("a number is expected, got {}", excerpt(&value.to_string())))
    })?;
    Ok(Some(count))
}
