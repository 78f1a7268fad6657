//! Groups and chat rooms: what can be asked of them, all over REST (rest.md A.10). Paths and bodies are as the
//! 3.x SDK has them. What others do to a group comes as a [`crate::Presence`] and is read in `presence`.

use serde::Serialize;

use crate::calls::{Ask, Call};
use crate::client::{Client, Config, named_users, not_empty};
use crate::error::CommandError;
use crate::rest::{HttpMethod, json, segment};
use crate::timer::Millis;

/// Members that a new group or room has room for, as the SDK's examples ask (rest.md A.10).
const MAX_USERS: u32 = 200;

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

    fn path(&self, below: &str) -> String {
        match self {
            Self::Group(id) => format!("/chatgroups/{}{below}", segment(id)),
            Self::Room(id) => format!("/chatrooms/{}{below}", segment(id)),
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
    /// refusal is an [`crate::Event::Error`], type 17.
    pub fn join_group(&mut self, now: Millis, group: &str) -> Result<(), CommandError> {
        self.muc_call(now, "join_group", Muc::Group(group.to_owned()), GroupCall::Join)
    }

    /// Leaves a group.
    pub fn leave_group(&mut self, now: Millis, group: &str) -> Result<(), CommandError> {
        self.muc_call(now, "leave_group", Muc::Group(group.to_owned()), GroupCall::Leave)
    }

    /// Joins a chat room.
    pub fn join_room(&mut self, now: Millis, room: &str) -> Result<(), CommandError> {
        self.muc_call(now, "join_room", Muc::Room(room.to_owned()), GroupCall::Join)
    }

    /// Leaves a chat room.
    pub fn leave_room(&mut self, now: Millis, room: &str) -> Result<(), CommandError> {
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

impl GroupCall {
    /// What the user calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::CreateGroup(_) => "create group",
            Self::CreateRoom { .. } => "create room",
            Self::Join(Muc::Group(_)) => "join group",
            Self::Join(Muc::Room(_)) => "join room",
            Self::Leave(Muc::Group(_)) => "leave group",
            Self::Leave(Muc::Room(_)) => "leave room",
            Self::Dissolve { .. } => "dissolve group",
            Self::Invite { .. } => "invite to group",
            Self::Remove { from: Muc::Group(_), .. } => "remove from group",
            Self::Remove { from: Muc::Room(_), .. } => "remove from room",
            Self::AnswerInvite { .. } => "answer invitation",
            Self::AnswerApplicant { .. } => "answer applicant",
            Self::Mute { .. } => "mute",
            Self::Unmute { .. } => "unmute",
            Self::BanAll(_) => "ban all",
            Self::UnbanAll(_) => "unban all",
            Self::Allow { .. } => "allow",
            Self::Disallow { .. } => "disallow",
            Self::SetAdmin { .. } => "set admin",
            Self::RemoveAdmin { .. } => "remove admin",
            Self::ChangeOwner { .. } => "change owner",
            Self::Announce { .. } => "announce",
        }
    }

    pub(crate) fn ask(&self, config: &Config) -> Ask {
        let me = &config.username;
        match self {
            Self::CreateGroup(new) => {
                let body = NewGroupBody {
                    groupname: &new.name,
                    desc: "",
                    members: &new.members,
                    public: new.public,
                    approval: new.approval,
                    allowinvites: true,
                    maxusers: MAX_USERS,
                    owner: me,
                    invite_need_confirm: new.confirm_invites,
                };
                Ask::with(HttpMethod::Post, "/chatgroups", json(&body))
            }
            Self::CreateRoom { name, members } => {
                let body = NewRoomBody { name, description: "", maxusers: MAX_USERS, owner: me, members };
                Ask::with(HttpMethod::Post, "/chatrooms", json(&body))
            }
            Self::Join(muc) => {
                let message = match muc {
                    Muc::Group(_) => "join group",
                    Muc::Room(_) => "join room",
                };
                Ask::with(HttpMethod::Post, muc.path("/apply"), json(&ApplyBody { message }))
            }
            Self::Leave(muc) => Ask::bare(HttpMethod::Delete, muc.path("/quit")),
            Self::Dissolve { group } => {
                Ask::bare(HttpMethod::Delete, format!("/chatgroups/{}?version=v3", segment(group)))
            }
            Self::Invite { group, users } => {
                let path = format!("/chatgroups/{}/invite", segment(group));
                Ask::with(HttpMethod::Post, path, json(&UsersBody { usernames: users }))
            }
            Self::Remove { from, users } => {
                let users: Vec<String> = users.iter().map(|user| segment(user)).collect();
                Ask::bare(HttpMethod::Delete, from.path(&format!("/users/{}", users.join(","))))
            }
            Self::AnswerInvite { group, verdict } => {
                let path = format!("/chatgroups/{}/invite_verify", segment(group));
                let body = InviteVerifyBody { invitee: me, verify_result: *verdict == Verdict::Accept };
                Ask::with(HttpMethod::Post, path, json(&body))
            }
            Self::AnswerApplicant { group, applicant, verdict } => {
                let path = format!("/chatgroups/{}/apply_verify", segment(group));
                let verify_result = *verdict == Verdict::Accept;
                let body = ApplyVerifyBody { applicant, verify_result, reason: "" };
                Ask::with(HttpMethod::Post, path, json(&body))
            }
            Self::Mute { in_muc, users, ms } => {
                let body = MuteBody { usernames: users, mute_duration: *ms };
                Ask::with(HttpMethod::Post, in_muc.path("/mute"), json(&body))
            }
            Self::Unmute { in_muc, user } => {
                Ask::bare(HttpMethod::Delete, in_muc.path(&format!("/mute/{}", segment(user))))
            }
            Self::BanAll(muc) => Ask::bare(HttpMethod::Post, muc.path("/ban")),
            Self::UnbanAll(muc) => Ask::bare(HttpMethod::Delete, muc.path("/ban")),
            Self::Allow { in_muc, users } => {
                let path = in_muc.path("/white/users");
                Ask::with(HttpMethod::Post, path, json(&UsersBody { usernames: users }))
            }
            Self::Disallow { in_muc, user } => {
                Ask::bare(HttpMethod::Delete, in_muc.path(&format!("/white/users/{}", segment(user))))
            }
            Self::SetAdmin { of, user } => {
                Ask::with(HttpMethod::Post, of.path("/admin"), json(&AdminBody { newadmin: user }))
            }
            Self::RemoveAdmin { of, user } => {
                Ask::bare(HttpMethod::Delete, of.path(&format!("/admin/{}", segment(user))))
            }
            Self::ChangeOwner { group, user } => {
                let path = format!("/chatgroups/{}", segment(group));
                Ask::with(HttpMethod::Put, path, json(&OwnerBody { newowner: user }))
            }
            Self::Announce { to, text } => {
                let body = AnnouncementBody { announcement: text };
                Ask::with(HttpMethod::Post, to.path("/announcement"), json(&body))
            }
        }
    }
}

fn named_user(command: &'static str, user: &str) -> Result<String, CommandError> {
    if user.is_empty() { Err(CommandError::NoUsers { command }) } else { Ok(user.to_owned()) }
}

#[derive(Serialize)]
struct NewGroupBody<'a> {
    groupname: &'a str,
    desc: &'static str,
    members: &'a [String],
    public: bool,
    approval: bool,
    allowinvites: bool,
    maxusers: u32,
    owner: &'a str,
    invite_need_confirm: bool,
}

#[derive(Serialize)]
struct NewRoomBody<'a> {
    name: &'a str,
    description: &'static str,
    maxusers: u32,
    owner: &'a str,
    members: &'a [String],
}

#[derive(Serialize)]
struct ApplyBody {
    message: &'static str,
}

#[derive(Serialize)]
struct UsersBody<'a> {
    usernames: &'a [String],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct InviteVerifyBody<'a> {
    invitee: &'a str,
    verify_result: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApplyVerifyBody<'a> {
    applicant: &'a str,
    verify_result: bool,
    reason: &'static str,
}

#[derive(Serialize)]
struct MuteBody<'a> {
    usernames: &'a [String],
    mute_duration: i64,
}

#[derive(Serialize)]
struct AdminBody<'a> {
    newadmin: &'a str,
}

#[derive(Serialize)]
struct OwnerBody<'a> {
    newowner: &'a str,
}

#[derive(Serialize)]
struct AnnouncementBody<'a> {
    announcement: &'a str,
}
