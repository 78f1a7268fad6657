//! Who comes into a group or room and who goes: by themselves, by another's hand, or because it is dissolved.
//!
//! Who may do it is decided by the caller.

use super::{Muc, MucFault, MucIx};
use crate::machine::account::UserIx;
use crate::machine::{Millis, Server};

impl Server {
    pub(in crate::machine) fn join(&mut self, now: Millis, muc: MucIx, user: UserIx) -> Result<(), MucFault> {
        self.mucs.muc(muc).may_enter(user)?;
        self.enter(now, muc, user);
        Ok(())
    }

    /// A member goes by itself.
    pub(in crate::machine) fn leave(&mut self, muc: MucIx, user: UserIx) -> Result<(), MucFault> {
        self.mucs.muc(muc).may_go(user)?;
        self.go_out(muc, user);
        Ok(())
    }

    /// A member is put out.
    pub(in crate::machine) fn remove(&mut self, muc: MucIx, user: UserIx) -> Result<(), MucFault> {
        self.mucs.muc(muc).may_go(user)?;
        self.go_out(muc, user);
        Ok(())
    }

    pub(in crate::machine) fn dissolve(&mut self, muc: MucIx) {
        self.forget_muc(muc);
    }
}

impl Muc {
    pub(in crate::machine) fn may_enter(&self, user: UserIx) -> Result<(), MucFault> {
        if self.has(user) {
            Err(MucFault::AlreadyIn(user))
        } else if self.blocked.contains(&user) {
            Err(MucFault::Blocked(user))
        } else if self.members.len() >= self.profile.users_max {
            Err(MucFault::Full)
        } else {
            Ok(())
        }
    }

    /// The owner stays until it is another's, or nobody's.
    pub(in crate::machine) fn may_go(&self, user: UserIx) -> Result<(), MucFault> {
        self.member_but_the_owner(user)
    }
}
