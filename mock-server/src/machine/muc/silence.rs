//! Who may write in a group or room: muted members, the ban for all, and the allow list that it spares.
//!
//! Who may silence others is decided by the caller.

use super::notice::{Act, Notice, Operation};
use super::{Muc, MucFault, MucIx};
use crate::machine::account::UserIx;
use crate::machine::{Millis, Server};

/// Why a member may not write just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) enum Silence {
    /// This one was muted (status 15).
    Muted,
    /// All are, but the owner, administrators and the allow list (506).
    BannedAll,
}

/// Whether all are silenced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::machine) enum Ban {
    On,
    Off,
}

impl Server {
    /// `until` is the first moment at which the members may write again; `u64::MAX`: never. All or none.
    pub(in crate::machine) fn mute(
        &mut self,
        act: Act,
        muc: MucIx,
        users: &[UserIx],
        until: Millis,
    ) -> Result<(), MucFault> {
        let state = self.mucs.muc_mut(muc);
        users.iter().try_for_each(|&user| state.may_be_muted(user))?;
        state.muted.retain(|_, &mut until| act.now < until);
        state.muted.extend(users.iter().map(|&user| (user, until)));
        self.tell_leaders(act, muc, &Notice::new(Operation::AddMute, act.by, users));
        Ok(())
    }

    pub(in crate::machine) fn unmute(
        &mut self,
        act: Act,
        muc: MucIx,
        users: &[UserIx],
    ) -> Result<(), MucFault> {
        let state = self.mucs.muc_mut(muc);
        users.iter().try_for_each(|&user| state.member(user))?;
        state.muted.retain(|user, _| !users.contains(user));
        self.tell_leaders(act, muc, &Notice::new(Operation::RemoveMute, act.by, users));
        Ok(())
    }

    pub(in crate::machine) fn ban_all(&mut self, act: Act, muc: MucIx, ban: Ban) {
        let (all_banned, operation) = match ban {
            Ban::On => (true, Operation::BanGroup),
            Ban::Off => (false, Operation::RemoveBanGroup),
        };
        if std::mem::replace(&mut self.mucs.muc_mut(muc).all_banned, all_banned) != all_banned {
            self.tell_members(act, muc, &Notice::new(operation, act.by, &[]), &[]);
        }
    }

    pub(in crate::machine) fn allow(&mut self, act: Act, muc: MucIx, user: UserIx) -> Result<(), MucFault> {
        self.mucs.muc(muc).member(user)?;
        if self.mucs.muc_mut(muc).allowed.insert(user) {
            self.tell_leaders(act, muc, &Notice::new(Operation::AddUserWhiteList, act.by, &[user]));
        }
        Ok(())
    }

    pub(in crate::machine) fn disallow(
        &mut self,
        act: Act,
        muc: MucIx,
        user: UserIx,
    ) -> Result<(), MucFault> {
        self.mucs.muc(muc).member(user)?;
        if self.mucs.muc_mut(muc).allowed.shift_remove(&user) {
            self.tell_leaders(act, muc, &Notice::new(Operation::RemoveUserWhiteList, act.by, &[user]));
        }
        Ok(())
    }
}

/// What stands for "for ever" in the vendor's own samples: a day in the year 2117. Ours is beyond JavaScript's numbers.
const FOR_EVER_MS: u64 = 4_638_873_600_000;

/// The end of a mute as clients are shown it, in ms since 1970.
pub(in crate::machine) fn shown_end(until: Millis) -> u64 {
    if until.0 == u64::MAX { FOR_EVER_MS } else { until.0 }
}

impl Muc {
    pub(in crate::machine) fn silence(&self, user: UserIx, now: Millis) -> Option<Silence> {
        if self.muted.get(&user).is_some_and(|&until| now < until) {
            return Some(Silence::Muted);
        }
        let spared = || self.is_led_by(user) || self.allowed.contains(&user);
        (self.all_banned && !spared()).then_some(Silence::BannedAll)
    }

    pub(in crate::machine) fn may_be_muted(&self, user: UserIx) -> Result<(), MucFault> {
        self.member_but_the_owner(user)
    }
}
