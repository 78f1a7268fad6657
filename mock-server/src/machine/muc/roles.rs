//! Administrators of a group or room.
//!
//! Who may appoint them is decided by the caller.

use super::{ADMINS_MAX, Muc, MucFault, MucIx};
use crate::machine::Server;
use crate::machine::account::UserIx;

impl Server {
    pub(in crate::machine) fn add_admin(&mut self, muc: MucIx, user: UserIx) -> Result<(), MucFault> {
        self.mucs.muc(muc).may_administer(user)?;
        self.mucs.muc_mut(muc).admins.insert(user);
        Ok(())
    }
}

impl Muc {
    pub(in crate::machine) fn may_administer(&self, user: UserIx) -> Result<(), MucFault> {
        self.member_but_the_owner(user)?;
        if !self.admins.contains(&user) && self.admins.len() >= ADMINS_MAX {
            return Err(MucFault::AdminsFull);
        }
        Ok(())
    }
}
