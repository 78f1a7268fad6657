//! What a group or room says about itself: its profile and its announcement.
//!
//! Limits and who may change it are the caller's.

use serde_json::json;

use super::notice::{Act, Notice, Operation};
use super::{MucFault, MucIx};
use crate::machine::Server;

/// What the owner says about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::machine) struct Profile {
    pub(in crate::machine) name: String,
    pub(in crate::machine) description: String,
    /// Shown in the list of public groups; anyone may ask to come in.
    pub(in crate::machine) public: bool,
    /// Who asks to come in waits for the owner.
    pub(in crate::machine) approval: bool,
    pub(in crate::machine) members_invite: bool,
    /// Who is invited must say yes first.
    pub(in crate::machine) invite_need_confirm: bool,
    pub(in crate::machine) users_max: usize,
    /// The app's own words; clients hand them on unread.
    pub(in crate::machine) custom: String,
    /// Where its picture lies; 4.x hands it on unread.
    pub(in crate::machine) avatar: String,
}

impl Server {
    /// It never has room for fewer than are in.
    pub(in crate::machine) fn change_profile(
        &mut self,
        act: Act,
        muc: MucIx,
        profile: Profile,
    ) -> Result<(), MucFault> {
        let state = self.mucs.muc_mut(muc);
        if profile.users_max < state.members.len() {
            return Err(MucFault::TooSmall);
        }
        let detail = json!({
            "name": profile.name,
            "description": profile.description,
            "public": profile.public,
            "approval": profile.approval,
            "allow_user_invites": profile.members_invite,
            "invite_need_confirm": profile.invite_need_confirm,
            "max_users": profile.users_max,
            "custom": profile.custom,
            "avatar": profile.avatar,
        });
        state.profile = profile;
        state.modified = act.now;
        let notice =
            Notice { detail: Some(detail.to_string()), ..Notice::new(Operation::Update, act.by, &[]) };
        self.tell_members(act, muc, &notice, &[]);
        Ok(())
    }

    /// An empty one takes it down.
    pub(in crate::machine) fn announce(&mut self, act: Act, muc: MucIx, announcement: &str) {
        let state = self.mucs.muc_mut(muc);
        announcement.clone_into(&mut state.announcement);
        state.modified = act.now;
        let operation = match announcement {
            "" => Operation::DeleteAnnouncement,
            _ => Operation::UpdateAnnouncement,
        };
        let notice = Notice { reason: announcement, ..Notice::new(operation, act.by, &[]) };
        self.tell_members(act, muc, &notice, &[]);
    }
}

impl Profile {
    /// A group of which nothing but its name is said; rest.md B.5: 200 users by default.
    pub(in crate::machine) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            description: String::new(),
            public: true,
            approval: false,
            members_invite: true,
            invite_need_confirm: false,
            users_max: 200,
            custom: String::new(),
            avatar: String::new(),
        }
    }
}
