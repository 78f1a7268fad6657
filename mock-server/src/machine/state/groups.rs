//! Groups, rooms and threads in a state file.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::users::{load_one, load_users};
use super::{At, KeepContent, Names, Number, ReadContent, StateFault, is_default};
use crate::base64_bytes;
use crate::machine::muc::{
    Attribute, Lifetime, MUCS_MAX, MemberAttributes, Muc, MucIx, MucKind, Profile, SharedFile,
    attribute_bytes,
};
use crate::machine::thread::Thread;
use crate::machine::{BlobId, Map, Millis, Server};

/// A group, a room or a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct GroupState {
    /// What clients know it by.
    pub id: String,
    /// Which of the three.
    pub kind: GroupKindState,
    /// What a thread hangs on; of no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread: Option<ThreadState>,
    /// One of the members; only of a thread its maker may have left.
    pub owner: String,
    /// Oldest first.
    pub members: Vec<MemberState>,
    /// In ms since 1970.
    #[serde(default, skip_serializing_if = "is_default")]
    pub created_ms: u64,
    /// In ms since 1970.
    #[serde(default, skip_serializing_if = "is_default")]
    pub modified_ms: u64,
    /// What it says about itself.
    pub profile: ProfileState,
    /// Empty: there is none.
    #[serde(default, skip_serializing_if = "is_default")]
    pub announcement: String,
    /// Members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub admins: Vec<String>,
    /// Who asked to come in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub applicants: Vec<String>,
    /// Who was asked in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invited: Vec<InvitedState>,
    /// Who may not write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub muted: Vec<MutedState>,
    /// Only the owner, administrators and `allowed` may write.
    #[serde(default, skip_serializing_if = "is_default")]
    pub all_banned: bool,
    /// The allow list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed: Vec<String>,
    /// Who cannot come in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<String>,
    /// Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<SharedFileState>,
    /// What is written on a room, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<AttributeState>,
    /// What is written on members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub member_attributes: Vec<MemberAttributesState>,
    /// The app switched it off.
    #[serde(default, skip_serializing_if = "is_default")]
    pub disabled: bool,
}

/// Which of the three a group is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of the protocol")]
pub enum GroupKindState {
    Group,
    Room,
    Thread,
}

/// What a thread has over a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ThreadState {
    /// The id of its group.
    pub group: String,
    /// The message that it hangs on.
    pub message: Number,
    /// In ms since 1970.
    pub updated_ms: u64,
    /// How many messages it has.
    #[serde(default, skip_serializing_if = "is_default")]
    pub messages: u32,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MemberState {
    /// Who.
    pub user: String,
    /// In ms since 1970.
    #[serde(default, skip_serializing_if = "is_default")]
    pub since_ms: u64,
}

/// What a group says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ProfileState {
    /// Its name.
    pub name: String,
    /// What it is about.
    #[serde(default, skip_serializing_if = "is_default")]
    pub description: String,
    /// In the list of public groups.
    #[serde(default, skip_serializing_if = "is_default")]
    pub public: bool,
    /// Who asks to come in waits for the owner.
    #[serde(default, skip_serializing_if = "is_default")]
    pub approval: bool,
    /// Members ask others in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub members_invite: bool,
    /// Who is asked in must say yes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub invite_need_confirm: bool,
    /// For how many it has room.
    pub users_max: usize,
    /// The app's own words.
    #[serde(default, skip_serializing_if = "is_default")]
    pub custom: String,
    /// Where its picture lies.
    #[serde(default, skip_serializing_if = "is_default")]
    pub avatar: String,
}

/// A user who was asked in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct InvitedState {
    /// Who.
    pub user: String,
    /// By whom.
    pub by: String,
}

/// A user who may not write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MutedState {
    /// Who.
    pub user: String,
    /// Until when, in ms since 1970; 18446744073709551615 is for ever.
    pub until_ms: Number,
}

/// A file that members share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SharedFileState {
    /// What clients know it by.
    pub id: String,
    /// As it was named.
    pub name: String,
    /// As its kind was called.
    #[serde(default, skip_serializing_if = "is_default")]
    pub media_type: String,
    /// How many.
    pub bytes: u64,
    /// Who shared it.
    pub owner: String,
    /// In ms since 1970.
    pub created_ms: u64,
    /// In base64; `None`: the bytes were no longer to be had.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "base64_bytes::optional")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub content: Option<Bytes>,
}

/// A text on a room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct AttributeState {
    /// Its key.
    pub key: String,
    /// The text.
    pub value: String,
    /// Who wrote it.
    pub owner: String,
    /// It goes when its owner does.
    #[serde(default, skip_serializing_if = "is_default")]
    pub goes_with_owner: bool,
}

/// Texts on a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MemberAttributesState {
    /// On whom.
    pub user: String,
    /// By key.
    pub attributes: BTreeMap<String, String>,
}

pub(super) fn save(server: &Server, names: &Names<'_>, read: &mut ReadContent<'_>) -> Vec<GroupState> {
    let mut groups = Vec::with_capacity(server.mucs.mucs.len());
    for (&index, muc) in &server.mucs.mucs {
        groups.push(GroupState {
            id: muc.id.to_string(),
            kind: match muc.kind {
                MucKind::Group => GroupKindState::Group,
                MucKind::Room => GroupKindState::Room,
                MucKind::Thread => GroupKindState::Thread,
            },
            thread: server.threads.get(index).map(|thread| ThreadState {
                group: server.mucs.muc(thread.parent).id.to_string(),
                message: Number(thread.message),
                updated_ms: thread.updated.0,
                messages: thread.messages,
            }),
            owner: names.user(muc.owner),
            members: muc
                .members
                .iter()
                .map(|(&user, since)| MemberState { user: names.user(user), since_ms: since.0 })
                .collect(),
            created_ms: muc.created.0,
            modified_ms: muc.modified.0,
            profile: save_profile(&muc.profile),
            announcement: muc.announcement.clone(),
            admins: names.users(&muc.admins),
            applicants: names.users(&muc.applicants),
            invited: muc
                .invited
                .iter()
                .map(|(&user, &by)| InvitedState { user: names.user(user), by: names.user(by) })
                .collect(),
            muted: muc
                .muted
                .iter()
                .map(|(&user, until)| MutedState { user: names.user(user), until_ms: Number(until.0) })
                .collect(),
            all_banned: muc.all_banned,
            allowed: names.users(&muc.allowed),
            blocked: names.users(&muc.blocked),
            files: muc.files.iter().map(|(id, file)| save_file(id, file, names, read)).collect(),
            attributes: muc
                .attributes
                .iter()
                .map(|(key, attribute)| AttributeState {
                    key: key.to_string(),
                    value: attribute.value.to_string(),
                    owner: names.user(attribute.owner),
                    goes_with_owner: attribute.lifetime == Lifetime::OfItsOwner,
                })
                .collect(),
            member_attributes: muc
                .member_attributes
                .iter()
                .map(|(&user, attributes)| MemberAttributesState {
                    user: names.user(user),
                    attributes: attributes
                        .iter()
                        .map(|(key, value)| (key.to_string(), value.to_string()))
                        .collect(),
                })
                .collect(),
            disabled: muc.disabled,
        });
    }
    groups
}

fn save_profile(profile: &Profile) -> ProfileState {
    let profile = profile.clone();
    ProfileState {
        name: profile.name,
        description: profile.description,
        public: profile.public,
        approval: profile.approval,
        members_invite: profile.members_invite,
        invite_need_confirm: profile.invite_need_confirm,
        users_max: profile.users_max,
        custom: profile.custom,
        avatar: profile.avatar,
    }
}

fn save_file(id: &str, file: &SharedFile, names: &Names<'_>, read: &mut ReadContent<'_>) -> SharedFileState {
    SharedFileState {
        id: id.to_owned(),
        name: file.name.clone(),
        media_type: file.media_type.clone(),
        bytes: file.bytes,
        owner: names.user(file.owner),
        created_ms: file.created.0,
        content: read(file.blob),
    }
}

/// Groups as conversations know them: their ids and who is in. Everything else comes with [`load`].
pub(super) fn load_ids(server: &mut Server, groups: &[GroupState], at: &At<'_>) -> Result<(), StateFault> {
    let at = at.field("groups");
    if groups.len() > MUCS_MAX {
        return Err(at.fault(format!("{} groups, at most {MUCS_MAX} are held", groups.len())));
    }
    for (index, group) in groups.iter().enumerate() {
        let at = at.index(index);
        let muc = muc_ix(index);
        if group.id.is_empty() {
            return Err(at.field("id").fault("a group has an id"));
        }
        if server.mucs.by_id.insert(group.id.as_str().into(), muc).is_some() {
            return Err(at.field("id").fault(format!("a group {:?} is there already", group.id)));
        }
        if server.accounts.find(&group.id).is_some() {
            let reason = format!("{:?} is a user's name, and 3.x tells queues by name alone", group.id);
            return Err(at.field("id").fault(reason));
        }
        let loaded = load_group(server, group, &at)?;
        server.mucs.mucs.insert(muc, loaded);
        server.mucs.made += 1;
    }
    Ok(())
}

/// The group of that place in the list.
fn muc_ix(index: usize) -> MucIx {
    MucIx(u32::try_from(index).expect("MUCS_MAX fits"))
}

fn load_group(server: &Server, group: &GroupState, at: &At<'_>) -> Result<Muc, StateFault> {
    let owner = load_one(server, &group.owner, &at.field("owner"))?;
    let list = |names: &[String], field: &'static str| load_users(server, names, &at.field(field));
    let mut members = Map::default();
    for (number, member) in group.members.iter().enumerate() {
        let at = at.field("members");
        let at = at.index(number);
        let user = load_one(server, &member.user, &at.field("user"))?;
        if members.insert(user, Millis(member.since_ms)).is_some() {
            return Err(at.field("user").fault(format!("{:?} is there twice", member.user)));
        }
    }
    if !members.contains_key(&owner) && group.kind != GroupKindState::Thread {
        return Err(at.field("owner").fault(format!("{:?} is no member, and an owner is one", group.owner)));
    }
    let admins = list(&group.admins, "admins")?;
    if let Some(number) = admins.iter().position(|admin| *admin == owner || !members.contains_key(admin)) {
        let reason = format!("{:?} is no member besides the owner", group.admins[number]);
        return Err(at.field("admins").index(number).fault(reason));
    }
    let mut invited = Map::default();
    for (number, one) in group.invited.iter().enumerate() {
        let at = at.field("invited");
        let at = at.index(number);
        let (user, by) =
            (load_one(server, &one.user, &at.field("user"))?, load_one(server, &one.by, &at.field("by"))?);
        if invited.insert(user, by).is_some() {
            return Err(at.field("user").fault(format!("{:?} is there twice", one.user)));
        }
    }
    let mut muted = Map::default();
    for (number, one) in group.muted.iter().enumerate() {
        let at = at.field("muted");
        let at = at.index(number);
        if muted.insert(load_one(server, &one.user, &at.field("user"))?, Millis(one.until_ms.0)).is_some() {
            return Err(at.field("user").fault(format!("{:?} is there twice", one.user)));
        }
    }
    let profile = group.profile.clone();
    Ok(Muc {
        kind: match group.kind {
            GroupKindState::Group => MucKind::Group,
            GroupKindState::Room => MucKind::Room,
            GroupKindState::Thread => MucKind::Thread,
        },
        id: group.id.as_str().into(),
        created: Millis(group.created_ms),
        modified: Millis(group.modified_ms),
        owner,
        members,
        profile: Profile {
            name: profile.name,
            description: profile.description,
            public: profile.public,
            approval: profile.approval,
            members_invite: profile.members_invite,
            invite_need_confirm: profile.invite_need_confirm,
            users_max: profile.users_max,
            custom: profile.custom,
            avatar: profile.avatar,
        },
        applicants: list(&group.applicants, "applicants")?,
        invited,
        admins,
        muted,
        all_banned: group.all_banned,
        allowed: list(&group.allowed, "allowed")?,
        blocked: list(&group.blocked, "blocked")?,
        announcement: group.announcement.clone(),
        files: Map::default(),
        attributes: Map::default(),
        member_attributes: Map::default(),
        disabled: group.disabled,
    })
}

/// What hangs on groups and on other groups: files, texts, threads.
pub(super) fn load(
    server: &mut Server,
    groups: &[GroupState],
    at: &At<'_>,
    keep: &mut KeepContent<'_>,
) -> Result<(), StateFault> {
    let at = at.field("groups");
    for (index, group) in groups.iter().enumerate() {
        let at = at.index(index);
        let muc = muc_ix(index);
        load_files(server, muc, group, &at, keep)?;
        load_attributes(server, muc, group, &at)?;
        load_thread(server, muc, group, &at)?;
    }
    Ok(())
}

fn load_files(
    server: &mut Server,
    muc: MucIx,
    group: &GroupState,
    at: &At<'_>,
    keep: &mut KeepContent<'_>,
) -> Result<(), StateFault> {
    for (number, file) in group.files.iter().enumerate() {
        let at = at.field("files");
        let at = at.index(number);
        let owner = load_one(server, &file.owner, &at.field("owner"))?;
        let blob = load_content(server, file.content.as_ref(), &at, keep)?;
        let shared = SharedFile {
            blob,
            name: file.name.clone(),
            media_type: file.media_type.clone(),
            bytes: file.bytes,
            owner,
            created: Millis(file.created_ms),
        };
        if server.mucs.muc_mut(muc).files.insert(file.id.as_str().into(), shared).is_some() {
            return Err(at.field("id").fault(format!("{:?} is there twice", file.id)));
        }
    }
    Ok(())
}

/// Keeps the bytes of a file; of one that has none, asking for it finds nothing.
pub(super) fn load_content(
    server: &mut Server,
    content: Option<&Bytes>,
    at: &At<'_>,
    keep: &mut KeepContent<'_>,
) -> Result<BlobId, StateFault> {
    /// Hosts count from 1.
    const NOWHERE: BlobId = BlobId(0);
    let Some(content) = content else { return Ok(NOWHERE) };
    let blob = keep(content.clone()).map_err(|why| at.field("content").fault(why))?;
    server.attachments.kept.insert(blob);
    Ok(blob)
}

fn load_attributes(
    server: &mut Server,
    muc: MucIx,
    group: &GroupState,
    at: &At<'_>,
) -> Result<(), StateFault> {
    for (number, attribute) in group.attributes.iter().enumerate() {
        let at = at.field("attributes");
        let at = at.index(number);
        let owner = load_one(server, &attribute.owner, &at.field("owner"))?;
        let lifetime = if attribute.goes_with_owner { Lifetime::OfItsOwner } else { Lifetime::Lasting };
        let loaded = Attribute { value: attribute.value.as_str().into(), owner, lifetime };
        server.mucs.attribute_bytes += attribute.key.len() + attribute.value.len();
        if server.mucs.muc_mut(muc).attributes.insert(attribute.key.as_str().into(), loaded).is_some() {
            return Err(at.field("key").fault(format!("{:?} is there twice", attribute.key)));
        }
    }
    for (number, of) in group.member_attributes.iter().enumerate() {
        let at = at.field("member_attributes");
        let at = at.index(number);
        let user = load_one(server, &of.user, &at.field("user"))?;
        if !server.mucs.muc(muc).has(user) {
            return Err(at.field("user").fault(format!("{:?} is no member of {:?}", of.user, group.id)));
        }
        let texts = of.attributes.iter().map(|(key, value)| (key.as_str().into(), value.as_str().into()));
        let texts: MemberAttributes = texts.collect();
        server.mucs.attribute_bytes += attribute_bytes(&texts);
        if server.mucs.muc_mut(muc).member_attributes.insert(user, texts).is_some() {
            return Err(at.field("user").fault(format!("{:?} is there twice", of.user)));
        }
    }
    Ok(())
}

fn load_thread(server: &mut Server, muc: MucIx, group: &GroupState, at: &At<'_>) -> Result<(), StateFault> {
    let is_thread = group.kind == GroupKindState::Thread;
    let Some(thread) = &group.thread else {
        return if is_thread {
            Err(at.field("thread").fault("a thread says what it hangs on"))
        } else {
            Ok(())
        };
    };
    let at = at.field("thread");
    if !is_thread {
        return Err(at.fault("only a group of the kind thread hangs on a message"));
    }
    let parent = server.mucs.find(&thread.group);
    let parent = parent.filter(|&parent| server.mucs.muc(parent).kind == MucKind::Group);
    let parent = parent
        .ok_or_else(|| at.field("group").fault(format!("{:?} is no group of this world", thread.group)))?;
    let loaded = Thread {
        parent,
        message: thread.message.0,
        updated: Millis(thread.updated_ms),
        messages: thread.messages,
    };
    server.threads.of.insert(muc, loaded);
    server.threads.by_group.entry(parent).or_default().insert(muc);
    if server.threads.by_message.insert(thread.message.0, muc).is_some() {
        let reason = format!("another thread hangs on message {}", thread.message.0);
        return Err(at.field("message").fault(reason));
    }
    Ok(())
}
