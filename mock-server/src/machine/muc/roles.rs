//! Who leads a group or room: its owner, its administrators; and the super administrators of a world's rooms.
//!
//! Who may appoint them is decided by the caller.

use super::notice::{Act, Notice, Operation};
use super::{ADMINS_MAX, Muc, MucFault, MucIx};
use crate::machine::Server;
use crate::machine::account::UserIx;

impl Server {
    pub(in crate::machine) fn add_admin(
        &mut self,
        act: Act,
        muc: MucIx,
        user: UserIx,
    ) -> Result<(), MucFault> {
        self.mucs.muc(muc).may_administer(user)?;
        if self.mucs.muc_mut(muc).admins.insert(user) {
            self.tell_leaders(act, muc, &Notice::new(Operation::AddAdmin, act.by, &[user]));
        }
        Ok(())
    }

    pub(in crate::machine) fn remove_admin(
        &mut self,
        act: Act,
        muc: MucIx,
        user: UserIx,
    ) -> Result<(), MucFault> {
        if !self.mucs.muc_mut(muc).admins.shift_remove(&user) {
            return Err(MucFault::NotAdmin(user));
        }
        self.tell_leaders(act, muc, &Notice::new(Operation::RemoveAdmin, act.by, &[user]));
        Ok(())
    }

    /// The owner before stays in as a plain member.
    pub(in crate::machine) fn change_owner(
        &mut self,
        act: Act,
        muc: MucIx,
        user: UserIx,
    ) -> Result<(), MucFault> {
        let state = self.mucs.muc_mut(muc);
        state.member_but_the_owner(user)?;
        state.owner = user;
        state.modified = act.now;
        // An owner is above all of these.
        state.admins.shift_remove(&user);
        state.muted.shift_remove(&user);
        state.allowed.shift_remove(&user);
        self.tell_members(act, muc, &Notice::new(Operation::AssignOwner, act.by, &[user]), &[]);
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
