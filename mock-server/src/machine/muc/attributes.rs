//! What users write on a room and on members of a group: small texts by key (rest.md B.5, B.6), and who is told
//! (wire-4x §6.1, operations 43 to 45).
//!
//! Who may write, and what a key may be, is decided by the caller.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::notice::{Act, Notice, Operation};
use super::{MucIx, Mucs};
use crate::machine::Server;
use crate::machine::account::UserIx;

/// One text on a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::machine) struct Attribute {
    pub(in crate::machine) value: Box<str>,
    /// Who wrote it: nobody else changes it, unless by force.
    pub(in crate::machine) owner: UserIx,
    pub(in crate::machine) lifetime: Lifetime,
}

/// How long a text stays on a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) enum Lifetime {
    /// Until somebody removes it.
    Lasting,
    /// It goes with the one who wrote it.
    OfItsOwner,
}

/// Whether others' texts are spared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) enum Force {
    Spares,
    Overrules,
}

/// Texts on a member of a group.
pub(in crate::machine) type MemberAttributes = BTreeMap<Box<str>, Box<str>>;

/// The words that 4.x looks for (its reasons by key of a room's texts).
pub(in crate::machine) const NOT_YOURS: &str = "is not part of you";
const ROOM_IS_FULL: &str = "size of metadata for this single chatroom exceeds the user defined limit";
const WORLD_IS_FULL: &str = "total size of chatroom metadata for this app exceeds the user defined limit";

/// The vendor's page on rooms' attributes.
const ROOM_ATTRIBUTES_MAX: usize = 100;
/// A bound on what strangers can make a world keep, rooms and groups together; the vendor's page has 10 GB an app.
const WORLD_BYTES_MAX: usize = 64 * 1024 * 1024;

impl Server {
    /// Writes on a room; all of the keys are good ones. Gives the keys that were not written, and why.
    pub(in crate::machine) fn set_room_attributes(
        &mut self,
        act: Act,
        muc: MucIx,
        attributes: BTreeMap<Box<str>, Box<str>>,
        lifetime: Lifetime,
        force: Force,
    ) -> BTreeMap<Box<str>, &'static str> {
        let (mut written, mut failed) = (serde_json::Map::new(), BTreeMap::new());
        for (key, value) in attributes {
            let state = self.mucs.muc(muc);
            let before = state.attributes.get(&key);
            let growth = key.len() + value.len();
            let freed = before.map_or(0, |before| key.len() + before.value.len());
            let fault = match before {
                Some(before) if force == Force::Spares && before.owner != act.by => Some(NOT_YOURS),
                None if state.attributes.len() >= ROOM_ATTRIBUTES_MAX => Some(ROOM_IS_FULL),
                _ if self.mucs.attribute_bytes + growth - freed > WORLD_BYTES_MAX => Some(WORLD_IS_FULL),
                _ => None,
            };
            if let Some(fault) = fault {
                failed.insert(key, fault);
                continue;
            }
            self.mucs.attribute_bytes = self.mucs.attribute_bytes + growth - freed;
            written.insert(key.to_string(), (&*value).into());
            let attribute = Attribute { value, owner: act.by, lifetime };
            self.mucs.muc_mut(muc).attributes.insert(key, attribute);
        }
        self.tell_attributes(act, muc, Operation::SetMetadata, written, &failed);
        failed
    }

    /// Takes texts off a room. What is not there is as good as taken off.
    pub(in crate::machine) fn remove_room_attributes(
        &mut self,
        act: Act,
        muc: MucIx,
        keys: Vec<Box<str>>,
        force: Force,
    ) -> BTreeMap<Box<str>, &'static str> {
        let (mut removed, mut failed) = (serde_json::Map::new(), BTreeMap::new());
        for key in keys {
            let state = self.mucs.muc_mut(muc);
            let Some(before) = state.attributes.get(&key) else { continue };
            if force == Force::Spares && before.owner != act.by {
                failed.insert(key, NOT_YOURS);
                continue;
            }
            let value = before.value.to_string();
            state.attributes.shift_remove(&key);
            self.mucs.attribute_bytes -= key.len() + value.len();
            removed.insert(key.into(), value.into());
        }
        self.tell_attributes(act, muc, Operation::DeleteMetadata, removed, &failed);
        failed
    }

    /// A user who goes takes along what was to go with it, and what is written on it.
    pub(super) fn take_attributes_along(&mut self, act: Act, muc: MucIx, user: UserIx) {
        let of_the_user =
            |attribute: &Attribute| attribute.owner == user && attribute.lifetime == Lifetime::OfItsOwner;
        let state = self.mucs.muc(muc);
        let gone = state.attributes.iter().filter(|(_, attribute)| of_the_user(attribute));
        let keys: Vec<Box<str>> = gone.map(|(key, _)| key.clone()).collect();
        if !keys.is_empty() {
            self.remove_room_attributes(Act { by: user, ..act }, muc, keys, Force::Overrules);
        }
    }

    fn tell_attributes(
        &mut self,
        act: Act,
        muc: MucIx,
        operation: Operation,
        properties: serde_json::Map<String, Value>,
        failed: &BTreeMap<Box<str>, &'static str>,
    ) {
        if properties.is_empty() {
            return;
        }
        let keys: Vec<&String> = properties.keys().collect();
        let detail =
            json!({ "result": { "successKeys": keys, "errorKeys": failed }, "properties": properties });
        let notice = Notice { detail: Some(detail.to_string()), ..Notice::new(operation, act.by, &[]) };
        self.tell_members(act, muc, &notice, &[]);
    }

    /// Writes on a member of a group; an empty text takes one off. The members are told, and of the user who wrote
    /// the devices but the one of that resource. False when the world keeps no more.
    pub(in crate::machine) fn set_member_attributes(
        &mut self,
        act: Act,
        muc: MucIx,
        user: UserIx,
        attributes: &MemberAttributes,
        resource: Option<&str>,
    ) -> bool {
        let before = self.mucs.muc(muc).member_attributes.get(&user);
        let mut after = before.cloned().unwrap_or_default();
        for (key, value) in attributes {
            if value.is_empty() {
                after.remove(key);
            } else {
                after.insert(key.clone(), value.clone());
            }
        }
        let freed = before.map_or(0, bytes_of);
        let total = self.mucs.attribute_bytes - freed + bytes_of(&after);
        if total > WORLD_BYTES_MAX {
            return false;
        }
        self.mucs.attribute_bytes = total;
        let of = &mut self.mucs.muc_mut(muc).member_attributes;
        if after.is_empty() {
            of.shift_remove(&user);
        } else {
            of.insert(user, after);
        }
        let detail = json!({ "properties": attributes, "username": self.accounts.name(user) });
        let to = [user];
        let notice = Notice {
            detail: Some(detail.to_string()),
            ..Notice::new(Operation::GroupMemberMetadataUpdate, act.by, &to)
        };
        self.tell_members(act, muc, &notice, &[]);
        self.tell_own_devices(act, muc, &notice, resource);
        true
    }
}

impl Mucs {
    /// Nobody reads what was written on this member any more.
    pub(super) fn forget_attributes_of(&mut self, muc: MucIx, user: UserIx) {
        if let Some(attributes) = self.muc_mut(muc).member_attributes.shift_remove(&user) {
            self.attribute_bytes -= bytes_of(&attributes);
        }
    }

    /// What is written in a group or room that is gone.
    pub(super) fn forget_attributes(&mut self, gone: &super::Muc) {
        let rooms = gone.attributes.iter().map(|(key, attribute)| key.len() + attribute.value.len());
        let members = gone.member_attributes.values().map(bytes_of);
        self.attribute_bytes -= rooms.sum::<usize>() + members.sum::<usize>();
    }
}

/// Keys and values together.
pub(in crate::machine) fn bytes_of(attributes: &MemberAttributes) -> usize {
    attributes.iter().map(|(key, value)| key.len() + value.len()).sum()
}
