//! Who may write in a group or room: muted members, the ban for all, and the allow list that it spares.
//!
//! Who may silence others is decided by the caller.

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
    /// `until` is the first moment at which the member may write again; `u64::MAX`: never.
    pub(in crate::machine) fn mute(
        &mut self,
        muc: MucIx,
        user: UserIx,
        until: Millis,
    ) -> Result<(), MucFault> {
        self.mucs.muc(muc).may_be_muted(user)?;
        self.mucs.muc_mut(muc).muted.insert(user, until);
        Ok(())
    }

    pub(in crate::machine) fn unmute(&mut self, muc: MucIx, user: UserIx) -> Result<(), MucFault> {
        self.mucs.muc(muc).member(user)?;
        self.mucs.muc_mut(muc).muted.shift_remove(&user);
        Ok(())
    }

    pub(in crate::machine) fn ban_all(&mut self, muc: MucIx, ban: Ban) {
        self.mucs.muc_mut(muc).all_banned = ban == Ban::On;
    }

    pub(in crate::machine) fn allow(&mut self, muc: MucIx, user: UserIx) -> Result<(), MucFault> {
        self.mucs.muc(muc).member(user)?;
        self.mucs.muc_mut(muc).allowed.insert(user);
        Ok(())
    }

    pub(in crate::machine) fn disallow(&mut self, muc: MucIx, user: UserIx) -> Result<(), MucFault> {
        self.mucs.muc(muc).member(user)?;
        self.mucs.muc_mut(muc).allowed.shift_remove(&user);
        Ok(())
    }
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

    pub(in crate::machine) fn may_be_allowed(&self, user: UserIx) -> Result<(), MucFault> {
        self.member(user)
    }
}
