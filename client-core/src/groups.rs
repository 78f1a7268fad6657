//! Groups and chat rooms: what can be asked of them (rest.md A.10); as which requests is in `request`. What others do to
//! a group comes as a [`crate::Presence`] and is read in `presence`.

mod request;

use crate::calls::Call;
use crate::client::{Client, named_users, not_empty};
use crate::door::Door;
use crate::error::CommandError;
use crate::timer::Millis;

/// A group or a chat room, by its id: most of what can be done to the one can be done to the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Muc {
    /// The group with this id.
    Group(String),
    /// The room with this id.
    Room(String),
}

impl Muc {
    fn id(&self) -> &str {
        match self {
            Self::Group(id) | Self::Room(id) => id,
        }
    }
}

/// A group to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewGroup {
    /// Its name, not empty.
    pub name: String,
    /// Who is in it besides its owner.
    pub members: Vec<String>,
    /// Whether it can be found and joined by others.
    pub public: bool,
    /// Whether the owner must let in those who apply.
    pub approval: bool,
    /// Whether those who are invited must accept before they are in.
    pub confirm_invites: bool,
}

impl NewGroup {
    /// A public group that anyone may join, without members yet.
    pub fn named(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { name, members: Vec::new(), public: true, approval: false, confirm_invites: false }
    }
}

/// The answer to an invitation or an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes.
    Accept,
    /// No.
    Decline,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GroupCall {
    CreateGroup(NewGroup),
    CreateRoom { name: String, members: Vec<String> },
    Join(Muc),
    Leave(Muc),
    Dissolve { group: String },
    Invite { group: String, users: Vec<String> },
    Remove { from: Muc, users: Vec<String> },
    AnswerInvite { group: String, verdict: Verdict },
    AnswerApplicant { group: String, applicant: String, verdict: Verdict },
    Mute { in_muc: Muc, users: Vec<String>, ms: i64 },
    Unmute { in_muc: Muc, user: String },
    BanAll(Muc),
    UnbanAll(Muc),
    Allow { in_muc: Muc, users: Vec<String> },
    Disallow { in_muc: Muc, user: String },
    SetAdmin { of: Muc, user: String },
    RemoveAdmin { of: Muc, user: String },
    ChangeOwner { group: String, user: String },
    Announce { to: Muc, text: String },
}

impl Client {
    /// Makes a group owned by the user: [`crate::Event::GroupCreated`].
    pub fn create_group(&mut self, now: Millis, group: NewGroup) -> Result<(), CommandError> {
        not_empty("create_group", &group.name)?;
        self.group_call(now, "create_group", GroupCall::CreateGroup(group))
    }

    /// Makes a chat room owned by the user: [`crate::Event::RoomCreated`].
    pub fn create_room(&mut self, now: Millis, name: &str, members: Vec<String>) -> Result<(), CommandError> {
        let name = not_empty("create_room", name)?;
        self.group_call(now, "create_room", GroupCall::CreateRoom { name, members })
    }

    /// Joins a group, or applies for it where its owner decides. There is no event of success here or below; a
    /// refusal is an [`crate::Event::Error`], in the numbers of 4.x.
    pub fn join_group(&mut self, now: Millis, group: &str) -> Result<(), CommandError> {
        self.muc_call(now, "join_group", Muc::Group(group.to_owned()), GroupCall::Join)
    }

    /// Leaves a group.
    pub fn leave_group(&mut self, now: Millis, group: &str) -> Result<(), CommandError> {
        self.muc_call(now, "leave_group", Muc::Group(group.to_owned()), GroupCall::Leave)
    }

    /// Joins a chat room: over the socket on the door of 4.x, by REST on that of 3.x. [`Client::enter_room`] does it with
    /// an event.
    pub fn join_room(&mut self, now: Millis, room: &str) -> Result<(), CommandError> {
        if let Door::WebSocket { .. } = self.config.door {
            return self.join_room_by_socket(now, room);
        }
        self.muc_call(now, "join_room", Muc::Room(room.to_owned()), GroupCall::Join)
    }

    /// Leaves a chat room, the way that [`Client::join_room`] takes.
    pub fn leave_room(&mut self, now: Millis, room: &str) -> Result<(), CommandError> {
        if let Door::WebSocket { .. } = self.config.door {
            return self.leave_room_by_socket(now, room);
        }
        self.muc_call(now, "leave_room", Muc::Room(room.to_owned()), GroupCall::Leave)
    }

    /// Dissolves a group, by its owner.
    pub fn dissolve_group(&mut self, now: Millis, group: &str) -> Result<(), CommandError> {
        let group = not_empty("dissolve_group", group)?;
        self.group_call(now, "dissolve_group", GroupCall::Dissolve { group })
    }

    /// Brings users into a group, or asks them in where invitations are to be confirmed.
    pub fn invite_to_group(
        &mut self,
        now: Millis,
        group: &str,
        users: Vec<String>,
    ) -> Result<(), CommandError> {
        let group = not_empty("invite_to_group", group)?;
        let users = named_users("invite_to_group", users)?;
        self.group_call(now, "invite_to_group", GroupCall::Invite { group, users })
    }

    /// Removes users from a group, by its owner.
    pub fn remove_from_group(
        &mut self,
        now: Millis,
        group: &str,
        users: Vec<String>,
    ) -> Result<(), CommandError> {
        self.remove(now, "remove_from_group", Muc::Group(group.to_owned()), users)
    }

    /// Removes users from a chat room, by its owner.
    pub fn remove_from_room(
        &mut self,
        now: Millis,
        room: &str,
        users: Vec<String>,
    ) -> Result<(), CommandError> {
        self.remove(now, "remove_from_room", Muc::Room(room.to_owned()), users)
    }

    /// Answers an invitation into a group.
    pub fn answer_invite(&mut self, now: Millis, group: &str, verdict: Verdict) -> Result<(), CommandError> {
        let group = not_empty("answer_invite", group)?;
        self.group_call(now, "answer_invite", GroupCall::AnswerInvite { group, verdict })
    }

    /// Answers somebody who applied for a group, by its owner.
    pub fn answer_applicant(
        &mut self,
        now: Millis,
        group: &str,
        applicant: &str,
        verdict: Verdict,
    ) -> Result<(), CommandError> {
        let group = not_empty("answer_applicant", group)?;
        let applicant = named_user("answer_applicant", applicant)?;
        self.group_call(now, "answer_applicant", GroupCall::AnswerApplicant { group, applicant, verdict })
    }

    /// Silences members for so many ms; a negative number is for ever.
    pub fn mute(&mut self, now: Millis, muc: Muc, users: Vec<String>, ms: i64) -> Result<(), CommandError> {
        let users = named_users("mute", users)?;
        self.muc_call(now, "mute", muc, |in_muc| GroupCall::Mute { in_muc, users, ms })
    }

    /// Lets muted members speak again: one call each, as the SDK knows no other.
    pub fn unmute(&mut self, now: Millis, muc: &Muc, users: Vec<String>) -> Result<(), CommandError> {
        for user in named_users("unmute", users)? {
            self.muc_call(now, "unmute", muc.clone(), |in_muc| GroupCall::Unmute { in_muc, user })?;
        }
        Ok(())
    }

    /// Silences everybody but the owner, admins and those on the allow list.
    pub fn ban_all(&mut self, now: Millis, muc: Muc) -> Result<(), CommandError> {
        self.muc_call(now, "ban_all", muc, GroupCall::BanAll)
    }

    /// Ends what [`Client::ban_all`] began.
    pub fn unban_all(&mut self, now: Millis, muc: Muc) -> Result<(), CommandError> {
        self.muc_call(now, "unban_all", muc, GroupCall::UnbanAll)
    }

    /// Puts members on the allow list.
    pub fn allow(&mut self, now: Millis, muc: Muc, users: Vec<String>) -> Result<(), CommandError> {
        let users = named_users("allow", users)?;
        self.muc_call(now, "allow", muc, |in_muc| GroupCall::Allow { in_muc, users })
    }

    /// Takes members off the allow list: one call each, as the SDK knows no other.
    pub fn disallow(&mut self, now: Millis, muc: &Muc, users: Vec<String>) -> Result<(), CommandError> {
        for user in named_users("disallow", users)? {
            self.muc_call(now, "disallow", muc.clone(), |in_muc| GroupCall::Disallow { in_muc, user })?;
        }
        Ok(())
    }

    /// Makes a member an admin, by the owner.
    pub fn set_admin(&mut self, now: Millis, muc: Muc, user: &str) -> Result<(), CommandError> {
        let user = named_user("set_admin", user)?;
        self.muc_call(now, "set_admin", muc, |of| GroupCall::SetAdmin { of, user })
    }

    /// Makes an admin a plain member, by the owner.
    pub fn remove_admin(&mut self, now: Millis, muc: Muc, user: &str) -> Result<(), CommandError> {
        let user = named_user("remove_admin", user)?;
        self.muc_call(now, "remove_admin", muc, |of| GroupCall::RemoveAdmin { of, user })
    }

    /// Gives a group to another member, by its owner.
    pub fn change_owner(&mut self, now: Millis, group: &str, user: &str) -> Result<(), CommandError> {
        let group = not_empty("change_owner", group)?;
        let user = named_user("change_owner", user)?;
        self.group_call(now, "change_owner", GroupCall::ChangeOwner { group, user })
    }

    /// Writes the announcement.
    pub fn announce(&mut self, now: Millis, muc: Muc, text: &str) -> Result<(), CommandError> {
        let text = text.to_owned();
        self.muc_call(now, "announce", muc, |to| GroupCall::Announce { to, text })
    }

    fn remove(
        &mut self,
        now: Millis,
        command: &'static str,
        from: Muc,
        users: Vec<String>,
    ) -> Result<(), CommandError> {
        let users = named_users(command, users)?;
        self.muc_call(now, command, from, |from| GroupCall::Remove { from, users })
    }

    fn muc_call(
        &mut self,
        now: Millis,
        command: &'static str,
        muc: Muc,
        call: impl FnOnce(Muc) -> GroupCall,
    ) -> Result<(), CommandError> {
        not_empty(command, muc.id())?;
        self.group_call(now, command, call(muc))
    }

    fn group_call(
        &mut self,
        now: Millis,
        command: &'static str,
        call: GroupCall,
    ) -> Result<(), CommandError> {
        self.call(now, command, Call::Group(call)).map(drop)
    }
}

fn named_user(command: &'static str, user: &str) -> Result<String, CommandError> {
    if user.is_empty() { Err(CommandError::NoUsers { command }) } else { Ok(user.to_owned()) }
}
