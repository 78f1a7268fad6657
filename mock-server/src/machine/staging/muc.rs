//! Control commands on groups, rooms, contacts and block lists: what their owner could do over REST, by the same
//! code.

use crate::control::ControlError;
use crate::machine::account::UserIx;
use crate::machine::muc::{Ban, Muc, MucFault, MucIx, MucKind, Profile};
use crate::machine::{Millis, Server, Set};

/// As the largest rooms of rest.md B.8.
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

    pub(super) fn stage_join(&mut self, now: Millis, id: &str, users: &[String]) -> Result<(), ControlError> {
        let (muc, users) = self.stage(id, users, Muc::may_enter)?;
        let state = self.mucs.muc(muc);
        if state.members.len() + users.len() > state.profile.users_max {
            return Err(self.muc_error(MucFault::Full));
        }
        self.for_each(&users, |server, user| server.join(now, muc, user))
    }

    pub(super) fn stage_leave(&mut self, id: &str, users: &[String]) -> Result<(), ControlError> {
        let (muc, users) = self.stage(id, users, Muc::may_go)?;
        self.for_each(&users, |server, user| server.leave(muc, user))
    }

    pub(super) fn stage_remove(&mut self, id: &str, users: &[String]) -> Result<(), ControlError> {
        let (muc, users) = self.stage(id, users, Muc::may_go)?;
        self.for_each(&users, |server, user| server.remove(muc, user))
    }

    pub(super) fn stage_dissolve(&mut self, id: &str) -> Result<(), ControlError> {
        let muc = self.known_muc(id)?;
        self.dissolve(muc);
        Ok(())
    }

    pub(super) fn stage_admins(&mut self, id: &str, users: &[String]) -> Result<(), ControlError> {
        let (muc, users) = self.stage(id, users, Muc::may_administer)?;
        let admins = &self.mucs.muc(muc).admins;
        if admins.union(&users).count() > crate::machine::muc::ADMINS_MAX {
            return Err(self.muc_error(MucFault::AdminsFull));
        }
        self.for_each(&users, |server, user| server.add_admin(muc, user))
    }

    pub(super) fn stage_mute(
        &mut self,
        now: Millis,
        id: &str,
        users: &[String],
        ms: Option<u64>,
    ) -> Result<(), ControlError> {
        let (muc, users) = self.stage(id, users, Muc::may_be_muted)?;
        let until = Millis(ms.map_or(u64::MAX, |ms| now.0.saturating_add(ms)));
        self.for_each(&users, |server, user| server.mute(muc, user, until))
    }

    pub(super) fn stage_unmute(&mut self, id: &str, users: &[String]) -> Result<(), ControlError> {
        let (muc, users) = self.stage(id, users, Muc::may_be_muted)?;
        self.for_each(&users, |server, user| server.unmute(muc, user))
    }

    pub(super) fn stage_ban(&mut self, id: &str, ban: Ban) -> Result<(), ControlError> {
        let muc = self.known_muc(id)?;
        self.ban_all(muc, ban);
        Ok(())
    }

    pub(super) fn stage_allow(&mut self, id: &str, users: &[String]) -> Result<(), ControlError> {
        let (muc, users) = self.stage(id, users, Muc::may_be_allowed)?;
        self.for_each(&users, |server, user| server.allow(muc, user))
    }

    pub(super) fn stage_disallow(&mut self, id: &str, users: &[String]) -> Result<(), ControlError> {
        let (muc, users) = self.stage(id, users, Muc::may_be_allowed)?;
        self.for_each(&users, |server, user| server.disallow(muc, user))
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
        for other in with {
            self.befriend(user, other);
        }
        Ok(())
    }

    /// The group or room and its users, of whom each may have done to them what is to be done.
    fn stage(
        &self,
        id: &str,
        users: &[String],
        may: impl Fn(&Muc, UserIx) -> Result<(), MucFault>,
    ) -> Result<(MucIx, Set<UserIx>), ControlError> {
        let muc = self.known_muc(id)?;
        let users: Set<UserIx> = self.all_known(users)?.into_iter().collect();
        for &user in &users {
            may(self.mucs.muc(muc), user).map_err(|fault| self.muc_error(fault))?;
        }
        Ok((muc, users))
    }

    fn for_each(
        &mut self,
        users: &Set<UserIx>,
        mut act: impl FnMut(&mut Self, UserIx) -> Result<(), MucFault>,
    ) -> Result<(), ControlError> {
        for &user in users {
            act(self, user).map_err(|fault| self.muc_error(fault))?;
        }
        Ok(())
    }

    fn known_muc(&self, id: &str) -> Result<MucIx, ControlError> {
        self.mucs.find(id).ok_or_else(|| ControlError::BadValue {
            what: "id",
            value: id.to_owned(),
            reason: "no such group or room in this world; make it first",
        })
    }

    fn muc_error(&self, fault: MucFault) -> ControlError {
        let (user, reason) = match fault {
            MucFault::AlreadyIn(user) => (Some(user), "is in already"),
            MucFault::NotIn(user) => (Some(user), "is not in"),
            MucFault::Blocked(user) => (Some(user), "is on its block list"),
            MucFault::IsOwner(user) => (Some(user), "is the owner"),
            MucFault::Full => (None, "it has no room for so many members"),
            MucFault::AdminsFull => (None, "it has no room for so many administrators"),
        };
        let value = user.map_or_else(String::new, |user| self.accounts.name(user).to_owned());
        ControlError::BadValue { what: "users", value, reason }
    }
}
