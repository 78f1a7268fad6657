//! Control commands on groups, rooms, contacts and block lists: what their owner could do over REST, by the same
//! code.

use crate::control::{ControlError, nearest};
use crate::machine::account::UserIx;
use crate::machine::contacts::ContactFault;
use crate::machine::muc::{ADMINS_MAX, Act, Ban, Entrance, Muc, MucFault, MucIx, MucKind, Profile, Told};
use crate::machine::{Millis, Server, Set, excerpt};

/// What is done to users of a group or room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberChange {
    Join,
    Leave,
    Remove,
    Admins,
    /// For so many ms; `None`: until unmuted.
    Mute(Option<u64>),
    Unmute,
    Allow,
    Disallow,
}

/// As a group or room made over REST may hold.
const STAGED_MEMBERS_MAX: usize = 10_000;

impl Server {
    pub(super) fn stage_muc(
        &mut self,
        now: Millis,
        kind: MucKind,
        id: String,
        owner: &str,
        members: &[String],
    ) -> Result<(), ControlError> {
        let bad = |reason| ControlError::BadValue { what: "id", value: id.clone(), reason };
        if id.is_empty() || self.mucs.find(&id).is_some() {
            return Err(bad("it must be new and not empty"));
        }
        if self.accounts.find(&id).is_some() {
            return Err(bad("a user has that name, and 3.x tells queues by name alone"));
        }
        if self.mucs.is_full() || members.len() > STAGED_MEMBERS_MAX {
            return Err(bad("the world has as many groups, or the group as many members, as it can hold"));
        }
        let owner = self.known(owner)?;
        let members = self.all_known(members)?;
        let profile = Profile { users_max: STAGED_MEMBERS_MAX, ..Profile::named(&id) };
        self.make_muc(now, kind, &id, owner, &members, profile);
        Ok(())
    }

    /// Whoever is away finds no news of it: stages are set before anybody logs in.
    pub(super) fn stage_members(
        &mut self,
        now: Millis,
        id: &str,
        users: &[String],
        change: MemberChange,
    ) -> Result<(), ControlError> {
        let muc = self.known_muc(id)?;
        let users: Set<UserIx> = self.all_known(users)?.into_iter().collect();
        for &user in &users {
            change.may(self.mucs.muc(muc), user).map_err(|fault| self.muc_error(fault))?;
        }
        let state = self.mucs.muc(muc);
        let act = Act { now, by: state.owner, told: Told::Present };
        let all: Vec<UserIx> = users.iter().copied().collect();
        match change {
            MemberChange::Join if state.members.len() + users.len() > state.profile.users_max => {
                return Err(self.muc_error(MucFault::Full));
            }
            MemberChange::Admins if state.admins.union(&users).count() > ADMINS_MAX => {
                return Err(self.muc_error(MucFault::AdminsFull));
            }
            MemberChange::Join
            | MemberChange::Leave
            | MemberChange::Remove
            | MemberChange::Admins
            | MemberChange::Mute(_)
            | MemberChange::Unmute
            | MemberChange::Allow
            | MemberChange::Disallow => {}
        }
        let each = |one: fn(&mut Self, Act, MucIx, UserIx) -> Result<(), MucFault>| {
            move |server: &mut Self| users.iter().try_for_each(|&user| one(server, act, muc, user))
        };
        let done =
            match change {
                MemberChange::Join => each(|server, act, muc, user| {
                    server.join(Act { by: user, ..act }, muc, user, Entrance::Open)
                })(self),
                MemberChange::Leave => {
                    each(|server, act, muc, user| server.leave(Act { by: user, ..act }, muc, user))(self)
                }
                MemberChange::Remove => each(Self::remove)(self),
                MemberChange::Admins => each(Self::add_admin)(self),
                MemberChange::Mute(ms) => {
                    let until = Millis(ms.map_or(u64::MAX, |ms| now.0.saturating_add(ms)));
                    self.mute(act, muc, &all, until)
                }
                MemberChange::Unmute => self.unmute(act, muc, &all),
                MemberChange::Allow => each(Self::allow)(self),
                MemberChange::Disallow => each(Self::disallow)(self),
            };
        done.map_err(|fault| self.muc_error(fault))
    }

    pub(super) fn stage_dissolve(&mut self, now: Millis, id: &str) -> Result<(), ControlError> {
        let muc = self.known_muc(id)?;
        let by = self.mucs.muc(muc).owner;
        self.dissolve(Act { now, by, told: Told::Present }, muc);
        Ok(())
    }

    pub(super) fn stage_ban(&mut self, now: Millis, id: &str, ban: Ban) -> Result<(), ControlError> {
        let muc = self.known_muc(id)?;
        let by = self.mucs.muc(muc).owner;
        self.ban_all(Act { now, by, told: Told::Present }, muc, ban);
        Ok(())
    }

    /// Silent: it is how the stage is before anybody looks.
    pub(super) fn stage_contacts(&mut self, user: &str, with: &[String]) -> Result<(), ControlError> {
        let (user, with) = (self.known(user)?, self.all_known(with)?);
        if with.contains(&user) {
            let value = self.accounts.name(user).to_owned();
            return Err(ControlError::BadValue {
                what: "with",
                value,
                reason: "nobody is their own contact",
            });
        }
        let refused = |other: UserIx, fault: ContactFault| ControlError::BadValue {
            what: "with",
            value: self.accounts.name(other).to_owned(),
            reason: fault.reason(),
        };
        let known = &self.accounts.user(user).contacts;
        let more: Set<UserIx> = with.into_iter().filter(|other| !known.contains_key(other)).collect();
        for &other in &more {
            self.hold_one_more(user, other).map_err(|fault| refused(other, fault))?;
        }
        let contacts_max = usize::try_from(self.settings.contacts_max).unwrap_or(usize::MAX);
        if let Some(&first_too_many) = more.get_index(contacts_max.saturating_sub(known.len())) {
            return Err(refused(first_too_many, ContactFault::InviterFull));
        }
        for other in more {
            self.befriend(user, other).expect("both have room, as was seen above");
        }
        Ok(())
    }

    fn known_muc(&self, id: &str) -> Result<MucIx, ControlError> {
        self.mucs.find(id).ok_or_else(|| self.unknown_muc(id))
    }

    pub(super) fn unknown_muc(&self, id: &str) -> ControlError {
        let near = nearest(id, self.mucs.existing().map(|muc| &*muc.id)).map(str::to_owned);
        ControlError::UnknownMuc { id: excerpt(id).into_owned(), near }
    }

    fn muc_error(&self, fault: MucFault) -> ControlError {
        let (user, reason) = match fault {
            MucFault::AlreadyIn(user) => (Some(user), "is in already"),
            MucFault::NotIn(user) => (Some(user), "is not in"),
            MucFault::Blocked(user) => (Some(user), "is on its block list"),
            MucFault::IsOwner(user) => (Some(user), "is the owner"),
            MucFault::Full => (None, "it has no room for so many members"),
            MucFault::AdminsFull => (None, "it has no room for so many administrators"),
            MucFault::NotAdmin(user) => (Some(user), "is no administrator"),
            MucFault::NotBlocked(user) => (Some(user), "is not on its block list"),
            MucFault::NothingWaits(user, _) => (Some(user), "has neither applied nor been invited"),
            MucFault::TooSmall => (None, "it would have room for fewer than are in"),
            MucFault::TooManyWait => (None, "too many wait for an answer"),
            MucFault::TooManyFiles => (None, "it keeps no more files"),
            MucFault::TooManyBlocked => (None, "its block list is full"),
        };
        let value = user.map_or_else(String::new, |user| self.accounts.name(user).to_owned());
        ControlError::BadValue { what: "users", value, reason }
    }
}

impl MemberChange {
    fn may(self, muc: &Muc, user: UserIx) -> Result<(), MucFault> {
        match self {
            Self::Join => muc.may_enter(user),
            Self::Leave | Self::Remove => muc.may_go(user),
            Self::Admins => muc.may_administer(user),
            Self::Mute(_) => muc.may_be_muted(user),
            Self::Unmute | Self::Allow | Self::Disallow => muc.member(user),
        }
    }
}
