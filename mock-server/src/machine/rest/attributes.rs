//! `/metadata/chatroom` and `/metadata/chatgroup`: what users write on rooms and on members of groups (rest.md A.11,
//! B.5, B.6). Answers have no envelope.
//!
//! Of a room each key is taken or refused by itself; on a member all are written, or none.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::muc::{Asked, Rank, existing_user};
use super::{Answer, Call, Failure, Success};
use crate::machine::account::UserIx;
use crate::machine::muc::{Force, Lifetime, MemberAttributes, MucKind, attribute_bytes};
use crate::machine::{Server, excerpt};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RoomTexts {
    meta_data: BTreeMap<Box<str>, Box<str>>,
    #[serde(default)]
    auto_delete: AutoDelete,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum AutoDelete {
    #[default]
    Delete,
    NoDelete,
}

#[derive(Deserialize)]
struct Keys {
    #[serde(default)]
    keys: Vec<Box<str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MemberTexts {
    meta_data: MemberAttributes,
}

#[derive(Deserialize)]
struct MembersQuery {
    targets: Vec<String>,
    /// Which keys; left out or empty, all.
    #[serde(default)]
    properties: Vec<String>,
}

/// The vendor's pages on attributes: of a room, …
const ROOM_KEYS_AT_ONCE_MAX: usize = 10;
const ROOM_KEY_CHARS_MAX: usize = 128;
const ROOM_VALUE_CHARS_MAX: usize = 4_096;
/// … and of a member of a group.
const MEMBER_KEY_BYTES_MAX: usize = 16;
const MEMBER_VALUE_BYTES_MAX: usize = 512;
const MEMBER_BYTES_MAX: usize = 4_096;
const TARGETS_MAX: usize = 10;

pub(super) fn set_on_room(server: &mut Server, call: &Call<'_>, force: Force) -> Answer {
    let asked = Asked::of(server, call, MucKind::Room, Rank::Member)?;
    its_own(server, call, asked)?;
    let RoomTexts { meta_data, auto_delete } = call.json()?;
    at_once(meta_data.len())?;
    let (good, bad): (BTreeMap<_, _>, BTreeMap<_, _>) =
        meta_data.into_iter().partition(|(key, value)| fault_of(key, Some(value)).is_none());
    let lifetime = match auto_delete {
        AutoDelete::Delete => Lifetime::OfItsOwner,
        AutoDelete::NoDelete => Lifetime::Lasting,
    };
    let keys: Vec<Box<str>> = good.keys().cloned().collect();
    let failed = server.set_room_attributes(asked.act, asked.muc, good, lifetime, force);
    let bad = bad.iter().filter_map(|(key, value)| Some((key.clone(), fault_of(key, Some(value))?)));
    Ok(outcome(call, keys, failed.into_iter().chain(bad)))
}

pub(super) fn remove_from_room(server: &mut Server, call: &Call<'_>, force: Force) -> Answer {
    let asked = Asked::of(server, call, MucKind::Room, Rank::Member)?;
    its_own(server, call, asked)?;
    let Keys { keys } = call.json()?;
    at_once(keys.len())?;
    let (good, bad): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| fault_of(key, None).is_none());
    let failed = server.remove_room_attributes(asked.act, asked.muc, good.clone(), force);
    let bad = bad.into_iter().filter_map(|key| Some((key.clone(), fault_of(&key, None)?)));
    Ok(outcome(call, good, failed.into_iter().chain(bad)))
}

/// Those of the named keys that are there; without any named, all.
pub(super) fn of_room(server: &mut Server, call: &Call<'_>) -> Answer {
    let asked = Asked::of(server, call, MucKind::Room, Rank::Member)?;
    let Keys { keys } = call.json()?;
    let attributes = &server.mucs.muc(asked.muc).attributes;
    let wanted = attributes.iter().filter(|(key, _)| keys.is_empty() || keys.contains(key));
    let shown: Map<String, Value> =
        wanted.map(|(key, attribute)| (key.to_string(), (&*attribute.value).into())).collect();
    Ok(Success::bare(call, "data", shown.into()))
}

/// Members write on themselves, owner and administrators on anybody.
pub(super) fn set_on_member(server: &mut Server, call: &Call<'_>) -> Answer {
    let asked = member(server, call)?;
    let user = existing_user(server, call.second)?;
    if user != asked.by && asked.rank == Rank::Member {
        let reason = "only the owner or an administrator may write on other members";
        return Err(Failure::forbidden(reason).coded(NOT_PERMITTED));
    }
    if !server.mucs.muc(asked.muc).has(user) {
        return Err(not_in(server, user));
    }
    let MemberTexts { meta_data } = call.json()?;
    if meta_data.is_empty() {
        return Err(Failure::illegal("metaData is empty"));
    }
    let mut after = server.mucs.muc(asked.muc).member_attributes.get(&user).cloned().unwrap_or_default();
    for (key, value) in &meta_data {
        if key.is_empty() || key.len() > MEMBER_KEY_BYTES_MAX {
            let reason = format!("a key is 1 to {MEMBER_KEY_BYTES_MAX} bytes long: {}", excerpt(key));
            return Err(Failure::illegal(reason).coded(LIMIT));
        }
        if value.len() > MEMBER_VALUE_BYTES_MAX {
            // The words that 4.x looks for (rest.md 0.11).
            let reason = format!(
                "the value of {key} exceeds chatgroup user metadata single value limit of {MEMBER_VALUE_BYTES_MAX} bytes"
            );
            return Err(Failure::illegal(reason).coded(VALUE_LIMIT));
        }
        after.insert(key.clone(), value.clone());
    }
    after.retain(|_, value| !value.is_empty());
    if attribute_bytes(&after) > MEMBER_BYTES_MAX {
        let reason = format!("the attributes of a member hold at most {MEMBER_BYTES_MAX} bytes together");
        return Err(Failure::illegal(reason).coded(LIMIT));
    }
    let resource = call.parameter("resource");
    if !server.set_member_attributes(asked.act, asked.muc, user, &meta_data, resource) {
        return Err(Failure::illegal("this world keeps no more attributes").coded(NOT_SET));
    }
    Ok(Success::bare(call, "data", json!(meta_data)))
}

pub(super) fn of_one_member(server: &mut Server, call: &Call<'_>) -> Answer {
    let asked = member(server, call)?;
    let user = existing_user(server, call.second)?;
    let attributes = server.mucs.muc(asked.muc).member_attributes.get(&user);
    Ok(Success::bare(call, "data", json!(attributes.cloned().unwrap_or_default())))
}

/// By name. Who is not there has no attributes, and is left out.
pub(super) fn of_members(server: &mut Server, call: &Call<'_>) -> Answer {
    let asked = member(server, call)?;
    let MembersQuery { targets, properties } = call.json()?;
    if targets.len() > TARGETS_MAX {
        let reason = format!("at most {TARGETS_MAX} members can be asked for at once");
        return Err(Failure::illegal(reason).coded(LIMIT));
    }
    let of = &server.mucs.muc(asked.muc).member_attributes;
    let wanted = |key: &str| properties.is_empty() || properties.iter().any(|asked| asked == key);
    let shown = targets.iter().filter_map(|name| {
        let attributes = of.get(&server.accounts.find(name)?)?;
        let shown = attributes.iter().filter(|(key, _)| wanted(key));
        let shown: Map<String, Value> =
            shown.map(|(key, value)| (key.to_string(), (&**value).into())).collect();
        Some((name.clone(), shown.into()))
    });
    let shown: Map<String, Value> = shown.collect();
    Ok(Success::bare(call, "data", shown.into()))
}

/// `error_code`s by which 4.x tells what is wrong with a member's attributes (rest.md 0.11).
const NOT_PERMITTED: u32 = 60_002;
const NOT_A_MEMBER: u32 = 60_003;
const NOT_SET: u32 = 60_005;
const LIMIT: u32 = 60_006;
const VALUE_LIMIT: u32 = 60_010;

fn member(server: &Server, call: &Call<'_>) -> Result<Asked, Failure> {
    let asked = Asked::of(server, call, MucKind::Group, Rank::Outsider)?;
    if asked.rank == Rank::Outsider { Err(not_in(server, asked.by)) } else { Ok(asked) }
}

fn not_in(server: &Server, user: UserIx) -> Failure {
    let description = format!("user {} is not a member of this group", server.accounts.name(user));
    Failure::missing(description).coded(NOT_A_MEMBER)
}

/// Nobody writes in another's name.
fn its_own(server: &Server, call: &Call<'_>, asked: Asked) -> Result<(), Failure> {
    let user = existing_user(server, call.second)?;
    if user != asked.by && asked.rank != Rank::App {
        return Err(Failure::forbidden(format!("{} is not yours", call.request.path)));
    }
    Ok(())
}

fn at_once(keys: usize) -> Result<(), Failure> {
    if (1..=ROOM_KEYS_AT_ONCE_MAX).contains(&keys) {
        return Ok(());
    }
    Err(Failure::illegal(format!("1 to {ROOM_KEYS_AT_ONCE_MAX} keys at a time")))
}

/// In the words that 4.x looks for.
fn fault_of(key: &str, value: Option<&str>) -> Option<&'static str> {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if key.is_empty() || !key.bytes().all(legal) {
        Some("key is not Legal: it is made of a-z A-Z 0-9 - _ .")
    } else if key.len() > ROOM_KEY_CHARS_MAX {
        Some("the length of key is exceeding maximum limit of 128 characters")
    } else if value.is_some_and(|value| value.chars().count() > ROOM_VALUE_CHARS_MAX) {
        Some("the length of value is exceeding maximum limit of 4096 characters")
    } else {
        None
    }
}

/// What became of each key.
fn outcome(
    call: &Call<'_>,
    tried: Vec<Box<str>>,
    failed: impl Iterator<Item = (Box<str>, &'static str)>,
) -> Success {
    let failed: BTreeMap<Box<str>, String> =
        failed.map(|(key, fault)| (key.clone(), format!("{key} {fault}"))).collect();
    let done: Vec<Box<str>> = tried.into_iter().filter(|key| !failed.contains_key(key)).collect();
    Success::bare(call, "data", json!({ "successKeys": done, "errorKeys": failed }))
}
