//! Groups and chat rooms ("multi-user chats" on the wire): who is in, who owns.
//!
//! They appear by REST or by a control command, never by themselves. A dissolved one is gone: its id is unknown
//! again, and the server gives no id out twice.

use std::collections::VecDeque;

use super::account::{Membership, UserIx};
use super::queue::ConvKey;
use super::{Map, Millis, Server, Set};

/// A group or room of the world; of one that was dissolved, nobody holds the number any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct MucIx(u32);

/// The two families; on the wire only the body's type tells them apart (wire-3x §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MucKind {
    Group,
    Room,
}

#[derive(Debug, Default)]
pub(super) struct Mucs {
    mucs: Map<MucIx, Muc>,
    by_id: Map<Box<str>, MucIx>,
    made: u32,
    /// The ids of those that were dissolved last: a client may still pull what it was told of.
    dissolved: VecDeque<Box<str>>,
}

#[derive(Debug)]
pub(super) struct Muc {
    pub(super) kind: MucKind,
    pub(super) id: Box<str>,
    pub(super) created: Millis,
    pub(super) owner: UserIx,
    /// The owner among them.
    pub(super) members: Set<UserIx>,
    pub(super) profile: Profile,
    /// Users who asked to come in, where the owner decides.
    pub(super) applicants: Set<UserIx>,
    /// Users who were asked in and have not answered.
    pub(super) invited: Set<UserIx>,
}

/// What the owner says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) name: String,
    pub(super) description: String,
    /// Shown in the list of public groups; anyone may ask to come in.
    pub(super) public: bool,
    /// Who asks to come in waits for the owner.
    pub(super) approval: bool,
    pub(super) members_invite: bool,
    /// Who is invited must say yes first.
    pub(super) invite_need_confirm: bool,
    pub(super) users_max: usize,
}

/// Why somebody cannot come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JoinFault {
    AlreadyIn,
    Full,
}

/// A bound on what strangers can make a world keep: one for every ten users that it may have.
const MUCS_MAX: usize = 10_000;
/// A client pulls within seconds of a NOTICE.
const DISSOLVED_MAX: usize = 1_000;

impl Mucs {
    pub(super) fn find(&self, id: &str) -> Option<MucIx> {
        self.by_id.get(id).copied()
    }

    pub(super) fn muc(&self, muc: MucIx) -> &Muc {
        &self.mucs[&muc]
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
            owner,
            members: Set::default(),
            profile,
            applicants: Set::default(),
            invited: Set::default(),
        };
        self.mucs.mucs.insert(muc, state);
        self.mucs.by_id.insert(id.into(), muc);
        for &member in [owner].iter().chain(members) {
            self.enter(muc, member);
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

    pub(super) fn join(&mut self, muc: MucIx, user: UserIx) -> Result<(), JoinFault> {
        let state = self.mucs.muc(muc);
        if state.members.contains(&user) {
            return Err(JoinFault::AlreadyIn);
        }
        if state.members.len() >= state.profile.users_max {
            return Err(JoinFault::Full);
        }
        self.enter(muc, user);
        Ok(())
    }

    /// Whether the user was in.
    pub(super) fn leave(&mut self, muc: MucIx, user: UserIx) -> bool {
        let was_in = self.mucs.muc_mut(muc).members.shift_remove(&user);
        if was_in && let Some(conv) = self.queues.find(ConvKey::Muc(muc)) {
            self.leave_conversation(conv, user);
        }
        was_in
    }

    pub(super) fn dissolve(&mut self, muc: MucIx) {
        let members: Vec<UserIx> = self.mucs.muc(muc).members.iter().copied().collect();
        for member in members {
            self.leave(muc, member);
        }
        if let Some(gone) = self.mucs.mucs.shift_remove(&muc) {
            self.mucs.by_id.shift_remove(&gone.id);
            if self.mucs.dissolved.len() == DISSOLVED_MAX {
                self.mucs.dissolved.pop_front();
            }
            self.mucs.dissolved.push_back(gone.id);
        }
    }

    /// A member gets what is written from now on.
    fn enter(&mut self, muc: MucIx, user: UserIx) {
        let state = self.mucs.muc_mut(muc);
        state.applicants.shift_remove(&user);
        state.invited.shift_remove(&user);
        state.members.insert(user);
        if let Some(conv) = self.queues.open(ConvKey::Muc(muc)) {
            let end = self.queues.end(conv);
            let membership = Membership { since: end, watermark: end };
            self.accounts.user_mut(user).conversations.insert(conv, membership);
        }
    }
}

impl Profile {
    /// A group of which nothing but its name is said; rest.md B.5: 200 users by default.
    pub(super) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: String::new(),
            public: true,
            approval: false,
            members_invite: true,
            invite_need_confirm: false,
            users_max: 200,
        }
    }
}
