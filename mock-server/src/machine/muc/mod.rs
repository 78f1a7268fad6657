//! Groups and chat rooms ("multi-user chats" on the wire): who is in, who owns.
//!
//! They appear by REST or by a control command, never by themselves. A dissolved one is gone: its id is unknown
//! again, and the server gives no id out twice.

mod attributes;
mod entry;
mod files;
mod notice;
mod profile;
mod roles;
mod silence;

use std::collections::VecDeque;

use super::account::{Membership, UserIx};
use super::log::ConvKey;
use super::notification::Subject;
use super::{Map, Millis, Server, Set};
pub(super) use attributes::{Attribute, Force, Lifetime, MemberAttributes, bytes_of as attribute_bytes};
pub(super) use entry::{Door, Entrance, Verdict};
pub(super) use files::SharedFile;
pub(super) use notice::{Act, Told};
pub(super) use profile::Profile;
pub(super) use silence::{Ban, Silence, shown_end};

/// A group or room of the world; of one that was dissolved, nobody holds the number any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct MucIx(pub(super) u32);

/// The families; on the wire only the body's type, and of threads its `meta`, tells them apart (wire-3x §4.1,
/// wire-4x §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MucKind {
    Group,
    Room,
    /// A small group that hangs on a message of a group (4.x).
    Thread,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Mucs {
    pub(super) mucs: Map<MucIx, Muc>,
    pub(super) by_id: Map<Box<str>, MucIx>,
    pub(super) made: u32,
    /// While there are any, they alone make rooms.
    pub(super) super_admins: Set<UserIx>,
    /// What is written on rooms and on members of groups, keys and values together.
    pub(super) attribute_bytes: usize,
    /// The ids of those that were dissolved last: a client may still pull what it was told of.
    pub(super) dissolved: VecDeque<Box<str>>,
}

#[derive(Clone, Debug)]
pub(super) struct Muc {
    pub(super) kind: MucKind,
    pub(super) id: Box<str>,
    pub(super) created: Millis,
    /// When its owner, its profile or its announcement changed last.
    pub(super) modified: Millis,
    pub(super) owner: UserIx,
    /// The owner among them; since when each is in.
    pub(super) members: Map<UserIx, Millis>,
    pub(super) profile: Profile,
    /// Users who asked to come in, where the owner decides.
    pub(super) applicants: Set<UserIx>,
    /// Users who were asked in and have not answered, and by whom.
    pub(super) invited: Map<UserIx, UserIx>,
    /// Members whom the owner made administrators; the owner is none of them.
    pub(super) admins: Set<UserIx>,
    /// Members who may not write, and until when; `u64::MAX` is for ever.
    pub(super) muted: Map<UserIx, Millis>,
    /// Only the owner, administrators and `allowed` may write.
    pub(super) all_banned: bool,
    pub(super) allowed: Set<UserIx>,
    /// Users who were put out and cannot come back.
    pub(super) blocked: Set<UserIx>,
    pub(super) announcement: String,
    /// By id, oldest first.
    pub(super) files: Map<Box<str>, SharedFile>,
    /// What is written on a room, oldest first.
    pub(super) attributes: Map<Box<str>, Attribute>,
    /// What is written on members of a group.
    pub(super) member_attributes: Map<UserIx, MemberAttributes>,
    /// The app switched it off: nothing can be done in it until it is on again.
    pub(super) disabled: bool,
}

/// Why something cannot be done to a group or room, or to one of its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MucFault {
    AlreadyIn(UserIx),
    NotIn(UserIx),
    /// The user is on its block list.
    Blocked(UserIx),
    /// What is done to others is not done to the owner.
    IsOwner(UserIx),
    /// It would have room for fewer than are in.
    TooSmall,
    /// It has as many members as it may.
    Full,
    /// It has [`ADMINS_MAX`] administrators.
    AdminsFull,
    NotAdmin(UserIx),
    NotBlocked(UserIx),
    /// Nobody waits at that door under that name.
    NothingWaits(UserIx, Door),
    /// [`PENDING_MAX`] wait for an answer.
    TooManyWait,
    /// [`BLOCKED_MAX`] users are on its block list.
    TooManyBlocked,
    /// As many files are shared as it keeps.
    TooManyFiles,
}

/// A bound on what strangers can make a world keep: one for every ten users that it may have.
pub(super) const MUCS_MAX: usize = 10_000;
/// rest.md B.5.
pub(super) const ADMINS_MAX: usize = 99;
/// A bound on what strangers can make a group keep; an owner who has not answered so many answers nobody.
const PENDING_MAX: usize = 1_000;
/// As many as the largest groups of rest.md B.8 have members.
const BLOCKED_MAX: usize = 8_000;
/// A client pulls within seconds of a NOTICE.
pub(super) const DISSOLVED_MAX: usize = 1_000;

impl Mucs {
    pub(super) fn find(&self, id: &str) -> Option<MucIx> {
        self.by_id.get(id).copied()
    }

    pub(super) fn muc(&self, muc: MucIx) -> &Muc {
        &self.mucs[&muc]
    }

    /// As [`Mucs::muc`]; `None` for one that was dissolved, of which a log may still tell.
    pub(super) fn get(&self, muc: MucIx) -> Option<&Muc> {
        self.mucs.get(&muc)
    }

    pub(super) fn muc_mut(&mut self, muc: MucIx) -> &mut Muc {
        &mut self.mucs[&muc]
    }

    pub(super) fn is_full(&self) -> bool {
        self.by_id.len() >= MUCS_MAX
    }

    /// Whether there is such a group or room, or was one of late.
    pub(super) fn has_existed(&self, id: &str) -> bool {
        self.by_id.contains_key(id) || self.dissolved.iter().any(|gone| &**gone == id)
    }

    /// As [`Mucs::existing`], by their numbers.
    pub(super) fn all(&self) -> Vec<MucIx> {
        self.by_id.values().copied().collect()
    }

    /// Those that exist, oldest first.
    pub(super) fn existing(&self) -> impl Iterator<Item = &Muc> + Clone {
        self.by_id.values().map(|&muc| self.muc(muc))
    }
}

impl Server {
    /// Makes a group or room. `id` is new, and `members` may or may not name the owner.
    pub(super) fn make_muc(
        &mut self,
        now: Millis,
        kind: MucKind,
        id: &str,
        owner: UserIx,
        members: &[UserIx],
        profile: Profile,
    ) -> MucIx {
        let muc = MucIx(self.mucs.made);
        self.mucs.made += 1;
        let state = Muc {
            kind,
            id: id.into(),
            created: now,
            modified: now,
            owner,
            members: Map::default(),
            profile,
            applicants: Set::default(),
            invited: Map::default(),
            admins: Set::default(),
            muted: Map::default(),
            all_banned: false,
            allowed: Set::default(),
            blocked: Set::default(),
            announcement: String::new(),
            files: Map::default(),
            attributes: Map::default(),
            member_attributes: Map::default(),
            disabled: false,
        };
        self.mucs.mucs.insert(muc, state);
        self.mucs.by_id.insert(id.into(), muc);
        for &member in [owner].iter().chain(members) {
            self.enter(now, muc, member);
        }
        muc
    }

    /// An id of digits that is neither a group's, a room's nor a user's: 3.x tells queues by name alone.
    pub(super) fn allot_muc_id(&mut self) -> String {
        loop {
            let id = self.next_muc_id.to_string();
            self.next_muc_id += 1;
            if self.mucs.find(&id).is_none() && self.accounts.find(&id).is_none() {
                return id;
            }
        }
    }

    /// A member gets what is written from now on.
    pub(super) fn enter(&mut self, now: Millis, muc: MucIx, user: UserIx) {
        let state = self.mucs.muc_mut(muc);
        state.applicants.shift_remove(&user);
        state.invited.shift_remove(&user);
        state.members.insert(user, now);
        if let Some(conv) = self.queues.open(ConvKey::Muc(muc)) {
            let end = self.queues.end(conv);
            self.accounts.user_mut(user).conversations.insert(conv, Membership::at(end));
        }
    }

    /// Who is out has no part in anything of it, nor a mute that would meet them when they come again.
    pub(super) fn go_out(&mut self, muc: MucIx, user: UserIx) {
        self.leave_threads_of(muc, user);
        let state = self.mucs.muc_mut(muc);
        state.members.shift_remove(&user);
        state.admins.shift_remove(&user);
        state.muted.shift_remove(&user);
        state.allowed.shift_remove(&user);
        self.mucs.forget_attributes_of(muc, user);
        if let Some(conv) = self.queues.find(ConvKey::Muc(muc)) {
            self.leave_conversation(conv, user);
        }
    }

    pub(super) fn forget_muc(&mut self, muc: MucIx) {
        self.forget_threads_of(muc);
        self.threads.forget(muc);
        let Some(gone) = self.mucs.mucs.shift_remove(&muc) else { return };
        if let Some(conv) = self.queues.find(ConvKey::Muc(muc)) {
            self.pins.forget_all(conv);
            for &member in gone.members.keys() {
                self.leave_conversation(conv, member);
            }
        }
        let subject = Subject::Group(gone.id.clone());
        for &member in gone.members.keys() {
            self.accounts.user_mut(member).notification.forget(&subject);
        }
        for file in gone.files.values() {
            self.let_go(file.blob);
        }
        self.mucs.forget_attributes(&gone);
        self.mucs.by_id.shift_remove(&gone.id);
        if self.mucs.dissolved.len() == DISSOLVED_MAX {
            self.mucs.dissolved.pop_front();
        }
        self.mucs.dissolved.push_back(gone.id);
    }
}

impl Muc {
    pub(super) fn has(&self, user: UserIx) -> bool {
        self.members.contains_key(&user)
    }

    /// Whether the user is the owner or an administrator.
    pub(super) fn is_led_by(&self, user: UserIx) -> bool {
        self.owner == user || self.admins.contains(&user)
    }

    pub(super) fn member(&self, user: UserIx) -> Result<(), MucFault> {
        if self.has(user) { Ok(()) } else { Err(MucFault::NotIn(user)) }
    }

    fn member_but_the_owner(&self, user: UserIx) -> Result<(), MucFault> {
        if self.owner == user { Err(MucFault::IsOwner(user)) } else { self.member(user) }
    }
}
