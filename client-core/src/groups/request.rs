//! Calls of groups and rooms as requests: paths and bodies as the 3.x SDK has them (rest.md A.10).
//!
//! Nothing here is checked: what is empty was refused by who took the call on.

use serde::Serialize;

use super::{GroupCall, Muc, Verdict};
use crate::calls::Ask;
use crate::client::Config;
use crate::rest::{HttpMethod, json, segment};

/// Members that a new group or room has room for, as the SDK's examples ask (rest.md A.10).
const MAX_USERS: u32 = 200;

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

impl Muc {
    fn path(&self, below: &str) -> String {
        match self {
            Self::Group(id) => format!("/chatgroups/{}{below}", segment(id)),
            Self::Room(id) => format!("/chatrooms/{}{below}", segment(id)),
        }
    }
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
