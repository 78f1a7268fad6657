//! Who comes into a group or room and who goes: by themselves, by another's hand, or because it is dissolved.
//!
//! Who may do it is decided by the caller.

use super::notice::{Act, Notice, Operation, Told};
use super::{Muc, MucFault, MucIx, MucKind, PENDING_MAX};
use crate::machine::account::UserIx;
use crate::machine::{Millis, Server};

/// How somebody comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) enum Entrance<'a> {
    /// It is open to whoever comes.
    Open,
    /// The same, with words for those who are there (4.x, rooms).
    Visit { ext: &'a str },
    /// A leader said yes to the user's application.
    Accepted,
    /// The user said yes to an invitation of this one.
    Invited(UserIx),
    /// Another put the user in.
    Added,
}

/// Two ways in that wait for somebody's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) enum Door {
    /// A user asks, a leader answers.
    Application,
    /// A member asks, the user answers.
    Invitation,
}

/// The word that was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) enum Verdict<'a> {
    Yes,
    /// With the reason, which may be empty.
    No(&'a str),
}

impl Server {
    pub(in crate::machine) fn join(
        &mut self,
        act: Act,
        muc: MucIx,
        user: UserIx,
        entrance: Entrance<'_>,
    ) -> Result<(), MucFault> {
        self.mucs.muc(muc).may_enter(user)?;
        self.enter(act.now, muc, user);
        let mut notice = Notice::new(Operation::Presence, user, &[]);
        match entrance {
            Entrance::Open => {}
            Entrance::Visit { ext } => notice.ext = ext,
            Entrance::Accepted => self.tell_user(act, muc, Operation::ApplyAccept, act.by, user, ""),
            Entrance::Invited(by) => self.tell_user(act, muc, Operation::InviteAccept, user, by, ""),
            Entrance::Added => self.tell_user(act, muc, Operation::DirectJoined, act.by, user, ""),
        }
        self.tell_members(act, muc, &notice, &[user]);
        Ok(())
    }

    /// Puts in those with whom it was made; each is told, but not of the others.
    pub(in crate::machine) fn found(&mut self, act: Act, muc: MucIx, members: &[UserIx]) {
        for &user in members {
            self.enter(act.now, muc, user);
            self.tell_user(act, muc, Operation::DirectJoined, act.by, user, "");
        }
    }

    /// A user asks to come in. Asked again, it is as if asked once: nobody is told twice.
    pub(in crate::machine) fn apply(&mut self, act: Act, muc: MucIx, reason: &str) -> Result<(), MucFault> {
        let state = self.mucs.muc(muc);
        state.may_enter_some_day(act.by)?;
        if state.applicants.len() >= PENDING_MAX {
            return Err(MucFault::TooManyWait);
        }
        if self.mucs.muc_mut(muc).applicants.insert(act.by) {
            let leaders = self.mucs.muc(muc).leaders();
            let owner = self.mucs.muc(muc).owner;
            let to = [owner];
            let notice = Notice { reason, ..Notice::new(Operation::Apply, act.by, &to) };
            self.tell_muc(act, muc, &notice, &leaders);
        }
        Ok(())
    }

    /// A user is asked in, who must say yes first. Asked again, as [`Server::apply`]:
    /// the first who asked has the answer.
    pub(in crate::machine) fn invite(&mut self, act: Act, muc: MucIx, user: UserIx) -> Result<(), MucFault> {
        let state = self.mucs.muc(muc);
        state.may_enter_some_day(user)?;
        if state.invited.len() >= PENDING_MAX {
            return Err(MucFault::TooManyWait);
        }
        if !state.invited.contains_key(&user) {
            self.mucs.muc_mut(muc).invited.insert(user, act.by);
            self.tell_user(act, muc, Operation::Invite, act.by, user, "");
        }
        Ok(())
    }

    /// The word on an application or an invitation. While there is no room, both stay.
    pub(in crate::machine) fn settle(
        &mut self,
        act: Act,
        muc: MucIx,
        user: UserIx,
        door: Door,
        verdict: Verdict<'_>,
    ) -> Result<(), MucFault> {
        let state = self.mucs.muc(muc);
        let entrance = match door {
            Door::Application => state.applicants.contains(&user).then_some(Entrance::Accepted),
            Door::Invitation => state.invited.get(&user).map(|&by| Entrance::Invited(by)),
        };
        let Some(entrance) = entrance else { return Err(MucFault::NothingWaits(user, door)) };
        match verdict {
            Verdict::Yes => self.join(act, muc, user, entrance),
            Verdict::No(reason) => {
                let state = self.mucs.muc_mut(muc);
                let (operation, from, to) = match door {
                    Door::Application => {
                        state.applicants.shift_remove(&user);
                        (Operation::ApplyDecline, act.by, user)
                    }
                    Door::Invitation => {
                        let by = state.invited.shift_remove(&user).unwrap_or(state.owner);
                        (Operation::InviteDecline, user, by)
                    }
                };
                self.tell_user(act, muc, operation, from, to, reason);
                Ok(())
            }
        }
    }

    /// A member goes by itself.
    pub(in crate::machine) fn leave(&mut self, act: Act, muc: MucIx, user: UserIx) -> Result<(), MucFault> {
        self.mucs.muc(muc).may_go(user)?;
        self.go_out(muc, user);
        self.tell_members(act, muc, &Notice::new(Operation::Absence, user, &[]), &[]);
        self.take_attributes_along(act, muc, user);
        Ok(())
    }

    /// A member is put out.
    pub(in crate::machine) fn remove(&mut self, act: Act, muc: MucIx, user: UserIx) -> Result<(), MucFault> {
        self.mucs.muc(muc).may_go(user)?;
        self.go_out(muc, user);
        self.tell_user(act, muc, Operation::Kick, act.by, user, "");
        self.tell_members(act, muc, &Notice::new(Operation::Absence, user, &[]), &[]);
        self.take_attributes_along(act, muc, user);
        Ok(())
    }

    /// A member is put out and cannot come back.
    pub(in crate::machine) fn bar(&mut self, act: Act, muc: MucIx, user: UserIx) -> Result<(), MucFault> {
        self.mucs.muc(muc).may_be_barred(user)?;
        self.remove(act, muc, user)?;
        self.mucs.muc_mut(muc).blocked.insert(user);
        let leaders = self.mucs.muc(muc).leaders();
        self.tell_muc(act, muc, &Notice::new(Operation::Ban, act.by, &[user]), &leaders);
        Ok(())
    }

    /// A user who was barred may come back, but is not in.
    pub(in crate::machine) fn unbar(&mut self, act: Act, muc: MucIx, user: UserIx) -> Result<(), MucFault> {
        if !self.mucs.muc_mut(muc).blocked.shift_remove(&user) {
            return Err(MucFault::NotBlocked(user));
        }
        self.tell_leaders(act, muc, &Notice::new(Operation::Allow, act.by, &[user]));
        Ok(())
    }

    pub(in crate::machine) fn dissolve(&mut self, act: Act, muc: MucIx) {
        self.tell_members(act, muc, &Notice::new(Operation::Destroy, act.by, &[]), &[]);
        self.forget_muc(muc);
    }

    /// A user who is no more leaves everything: what was the user's is dissolved.
    pub(in crate::machine) fn leave_all(&mut self, now: Millis, user: UserIx) {
        let act = Act { now, by: user, told: Told::Everyone };
        for muc in self.mucs.all() {
            // A thread goes with the group, and from a thread its owner may go.
            if self.mucs.get(muc).is_none_or(|state| state.kind == MucKind::Thread) {
                continue;
            }
            let state = self.mucs.muc_mut(muc);
            state.applicants.shift_remove(&user);
            state.invited.shift_remove(&user);
            state.blocked.shift_remove(&user);
            // The owner has the answer to what this one asked.
            let owner = state.owner;
            state.invited.values_mut().filter(|by| **by == user).for_each(|by| *by = owner);
            if state.owner == user {
                self.dissolve(act, muc);
            } else if state.has(user) {
                self.leave(act, muc, user).expect("a member who is not the owner may go");
            }
        }
    }
}

impl Muc {
    pub(in crate::machine) fn may_enter(&self, user: UserIx) -> Result<(), MucFault> {
        self.may_enter_some_day(user)?;
        if self.members.len() >= self.profile.users_max {
            return Err(MucFault::Full);
        }
        Ok(())
    }

    /// As soon as there is room.
    fn may_enter_some_day(&self, user: UserIx) -> Result<(), MucFault> {
        if self.has(user) {
            Err(MucFault::AlreadyIn(user))
        } else if self.blocked.contains(&user) {
            Err(MucFault::Blocked(user))
        } else {
            Ok(())
        }
    }

    /// The owner stays until it is another's, or nobody's.
    pub(in crate::machine) fn may_go(&self, user: UserIx) -> Result<(), MucFault> {
        self.member_but_the_owner(user)
    }

    fn may_be_barred(&self, user: UserIx) -> Result<(), MucFault> {
        self.may_go(user)?;
        if self.blocked.len() >= super::BLOCKED_MAX { Err(MucFault::TooManyBlocked) } else { Ok(()) }
    }
}
