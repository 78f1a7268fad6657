//! Groups and chat rooms over REST (rest.md A.10, A.12, B.5, B.6): which path is what, and who may do it.
//!
//! The two families are the same but for their path, a key in their answers, and what only groups have: invitations
//! and applications that wait. What is done is done by `machine::muc`, as a control command does it.

mod announcement;
mod files;
mod list;
mod members;
mod pending;
mod profile;
mod roles;
mod silence;

use serde::Deserialize;
use serde_json::Value;

use super::{Answer, Call, Failure, Method, Success};
use crate::machine::account::{Caller, UserIx};
use crate::machine::muc::{ADMINS_MAX, Act, Door, Muc, MucFault, MucIx, MucKind, Told};
use crate::machine::{Server, Set};
pub(super) use list::{joined, joined_count, joined_details, joined_rooms, public};
pub(super) use silence::is_muted;

/// What stands behind `/chatgroups` or `/chatrooms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of them.
    All,
    One,
    Users,
    User,
    Apply,
    ApplyVerify,
    Invite,
    InviteVerify,
    Quit,
    Admins,
    Admin,
    Mutes,
    Mute,
    Blocks,
    Block,
    AllowList,
    Allowed,
    Ban,
    Announcement,
    Files,
    File,
    Disable,
    Enable,
    SuperAdmins,
    SuperAdmin,
}

/// Where each is, and which families have it.
pub(super) const PARTS: [(&str, Part, &[MucKind]); 25] = {
    const BOTH: &[MucKind] = &[MucKind::Group, MucKind::Room];
    const GROUP: &[MucKind] = &[MucKind::Group];
    const ROOM: &[MucKind] = &[MucKind::Room];
    [
        ("", Part::All, BOTH),
        ("/{id}", Part::One, BOTH),
        ("/{id}/users", Part::Users, BOTH),
        ("/{id}/users/{users}", Part::User, BOTH),
        ("/{id}/apply", Part::Apply, BOTH),
        ("/{id}/apply_verify", Part::ApplyVerify, GROUP),
        ("/{id}/invite", Part::Invite, GROUP),
        ("/{id}/invite_verify", Part::InviteVerify, GROUP),
        ("/{id}/quit", Part::Quit, BOTH),
        ("/{id}/admin", Part::Admins, BOTH),
        ("/{id}/admin/{user}", Part::Admin, BOTH),
        ("/{id}/mute", Part::Mutes, BOTH),
        ("/{id}/mute/{users}", Part::Mute, BOTH),
        ("/{id}/blocks/users", Part::Blocks, BOTH),
        ("/{id}/blocks/users/{users}", Part::Block, BOTH),
        ("/{id}/white/users", Part::AllowList, BOTH),
        ("/{id}/white/users/{users}", Part::Allowed, BOTH),
        ("/{id}/ban", Part::Ban, BOTH),
        ("/{id}/announcement", Part::Announcement, BOTH),
        ("/{id}/share_files", Part::Files, BOTH),
        ("/{id}/share_files/{file}", Part::File, BOTH),
        ("/{id}/disable", Part::Disable, BOTH),
        ("/{id}/enable", Part::Enable, BOTH),
        ("/super_admin", Part::SuperAdmins, ROOM),
        ("/super_admin/{user}", Part::SuperAdmin, ROOM),
    ]
};

pub(super) fn answer(server: &mut Server, call: &Call<'_>, kind: MucKind, part: Part) -> Answer {
    use Method::{Delete, Get, Post, Put};
    match (part, call.request.method) {
        (Part::All, Post) => profile::create(server, call, kind),
        (Part::All, Get) => list::all(server, call, kind),
        (Part::One, Get) => profile::details(server, call, kind),
        (Part::One, Put) => profile::modify(server, call, kind),
        (Part::One, Delete) => profile::dissolve(server, call, kind),
        (Part::Users, Get) => members::list(server, call, kind),
        (Part::Users, Post) => members::add(server, call, kind),
        (Part::User, Post) => members::add_one(server, call, kind),
        (Part::User, Delete) => members::remove(server, call, kind),
        (Part::Apply, Post) => pending::apply(server, call, kind),
        (Part::ApplyVerify, Post) => pending::verify(server, call, Door::Application),
        (Part::Invite, Post) => pending::invite(server, call),
        (Part::InviteVerify, Post) => pending::verify(server, call, Door::Invitation),
        (Part::Quit, Delete) => members::quit(server, call, kind),
        (Part::Admins, Get) => roles::admins(server, call, kind),
        (Part::Admins, Post) => roles::add_admin(server, call, kind),
        (Part::Admin, Delete) => roles::remove_admin(server, call, kind),
        (Part::Mutes, Get) => silence::mutes(server, call, kind),
        (Part::Mutes, Post) => silence::mute(server, call, kind),
        (Part::Mute, Delete) => silence::unmute(server, call, kind),
        (Part::Blocks, Get) => members::blocks(server, call, kind),
        (Part::Blocks, Post) => members::block(server, call, kind),
        (Part::Block, Post) => members::block_one(server, call, kind),
        (Part::Block, Delete) => members::unblock(server, call, kind),
        (Part::AllowList, Get) => silence::allow_list(server, call, kind),
        (Part::AllowList, Post) => silence::allow(server, call, kind),
        (Part::Allowed, Get) => silence::is_allowed(server, call, kind),
        (Part::Allowed, Post) => silence::allow_one(server, call, kind),
        (Part::Allowed, Delete) => silence::disallow(server, call, kind),
        (Part::Ban, Post) => silence::ban(server, call, kind),
        (Part::Ban, Delete) => silence::unban(server, call, kind),
        (Part::Announcement, Get) => announcement::read(server, call, kind),
        (Part::Announcement, Post) => announcement::write(server, call, kind),
        (Part::Files, Get) => files::list(server, call, kind),
        (Part::Files, Post) => files::upload(server, call, kind),
        (Part::File, Get) => files::download(server, call, kind),
        (Part::File, Delete) => files::delete(server, call, kind),
        (Part::Disable, Post) => profile::disable(server, call, kind),
        (Part::Enable, Post) => profile::enable(server, call, kind),
        (Part::SuperAdmins, Get) => roles::super_admins(server, call),
        (Part::SuperAdmins, Post) => roles::add_super_admin(server, call),
        (Part::SuperAdmin, Delete) => roles::remove_super_admin(server, call),
        (_, method) => Err(Failure::wrong_method(method, &call.request.path)),
    }
}

/// What somebody is to a group or room; each may do what those before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Outsider,
    Member,
    Admin,
    Owner,
    App,
}

impl Rank {
    /// What 4.x calls a user's role.
    fn permission(self) -> &'static str {
        match self {
            Self::Outsider => "none",
            Self::Member => "member",
            Self::Admin => "admin",
            Self::Owner | Self::App => "owner",
        }
    }
}

/// A group or room, and who wants something of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) muc: MucIx,
    /// In the app's name the owner acts.
    pub(super) by: UserIx,
    pub(super) rank: Rank,
    pub(super) act: Act,
}

impl Asked {
    /// By somebody of this rank at least. What is switched off is the app's alone.
    pub(super) fn of(server: &Server, call: &Call<'_>, kind: MucKind, least: Rank) -> Result<Self, Failure> {
        let caller = call.authority(server)?;
        let muc = existing(server, call.first, kind)?;
        let state = server.mucs.muc(muc);
        let (by, rank) = match caller {
            Caller::App => (state.owner, Rank::App),
            Caller::User(user) => (user, rank_of(state, user)),
        };
        if state.disabled && rank != Rank::App {
            return Err(Failure::forbidden("can not operate this group, reason: group is disabled"));
        }
        if rank < least {
            return Err(Failure::forbidden(match least {
                Rank::Outsider => unreachable!("nobody is less than an outsider"),
                // The words that 4.x looks for (rest.md 0.11).
                Rank::Member => {
                    format!("users [{}] are not members of this group!", server.accounts.name(by))
                }
                Rank::Admin => "only the owner or an administrator may do this".to_owned(),
                Rank::Owner => "only the owner may do this".to_owned(),
                Rank::App => "this call needs an app token".to_owned(),
            }));
        }
        let act = Act { now: call.now, by, told: Told::Everyone };
        Ok(Self { muc, by, rank, act })
    }

    /// Administrators have no say over the owner and over each other.
    fn outranks(self, server: &Server, user: UserIx) -> Result<(), Failure> {
        let state = server.mucs.muc(self.muc);
        if self.rank == Rank::Admin && user != self.by && state.is_led_by(user) {
            let name = server.accounts.name(user);
            return Err(Failure::forbidden(format!("only the owner may do this to {name}")));
        }
        Ok(())
    }

    fn refused(self, server: &Server, fault: MucFault) -> Failure {
        refused(server, self.muc, fault)
    }
}

fn rank_of(muc: &Muc, user: UserIx) -> Rank {
    if muc.owner == user {
        Rank::Owner
    } else if muc.admins.contains(&user) {
        Rank::Admin
    } else if muc.has(user) {
        Rank::Member
    } else {
        Rank::Outsider
    }
}

#[derive(Deserialize)]
struct Names {
    usernames: Vec<String>,
}

/// How many users one call may name, unless it is said otherwise (rest.md B.5).
const NAMES_MAX: usize = 60;

/// Users of a body, each once; all exist.
fn named_in_body(server: &Server, call: &Call<'_>, names_max: usize) -> Result<Vec<UserIx>, Failure> {
    let Names { usernames } = call.json()?;
    users_of(server, usernames.iter().map(String::as_str), names_max)
}

/// Users of the path, `u1,u2`, each once; all exist.
fn named_in_path(server: &Server, call: &Call<'_>) -> Result<Vec<UserIx>, Failure> {
    users_of(server, call.second.split(',').filter(|name| !name.is_empty()), NAMES_MAX)
}

fn users_of<'a>(
    server: &Server,
    names: impl Iterator<Item = &'a str>,
    names_max: usize,
) -> Result<Vec<UserIx>, Failure> {
    let users: Set<UserIx> = names.map(|name| existing_user(server, name)).collect::<Result<_, _>>()?;
    match users.len() {
        0 => Err(Failure::illegal("usernames is empty")),
        n if n > names_max => Err(Failure::illegal(format!("at most {names_max} users at a time"))),
        _ => Ok(users.into_iter().collect()),
    }
}

/// What became of each user: of one, an object or the refusal; of several, a list that gives the reasons. Names in a
/// body are answered by a list even when there is but one.
enum Shape {
    OneOrList,
    List,
}

impl Shape {
    /// Of users named in the path. 4.x says which version it speaks, and reads a list there too.
    fn in_path(call: &Call<'_>) -> Self {
        if call.parameter("version") == Some("v3") { Self::List } else { Self::OneOrList }
    }
}

fn each(
    server: &mut Server,
    asked: Asked,
    users: &[UserIx],
    shape: Shape,
    mut one: impl FnMut(&mut Server, UserIx) -> (Value, Result<(), MucFault>),
) -> Answer {
    let mut results = Vec::with_capacity(users.len());
    for &user in users {
        let (mut result, done) = match asked.outranks(server, user) {
            Ok(()) => one(server, user),
            Err(failure) => return Err(failure),
        };
        result["result"] = done.is_ok().into();
        result["user"] = server.accounts.name(user).into();
        if let Err(fault) = done {
            let failure = asked.refused(server, fault);
            if users.len() == 1 {
                return Err(failure);
            }
            result["reason"] = failure.description().into();
        }
        results.push(result);
    }
    match (shape, results.len()) {
        (Shape::OneOrList, 1) => Ok(Success::data(results.swap_remove(0))),
        (Shape::OneOrList | Shape::List, _) => Ok(Success::list(results)),
    }
}

/// The words that 4.x looks for, or that the documents list (rest.md 0.11, B.5).
fn refused(server: &Server, muc: MucIx, fault: MucFault) -> Failure {
    let id = &server.mucs.muc(muc).id;
    let name = |user| server.accounts.name(user);
    Failure::forbidden(match fault {
        MucFault::AlreadyIn(user) => {
            format!("can not join this group, reason:user: {} already in group: {id}\n", name(user))
        }
        MucFault::NotIn(user) => format!("users [{}] are not members of this group!", name(user)),
        MucFault::Blocked(user) => {
            format!(
                "can not join this group, reason:user: {} is on the block list of group: {id}",
                name(user)
            )
        }
        MucFault::IsOwner(_) => "forbidden operation on group owner!".to_owned(),
        MucFault::TooSmall => "members size is greater than max user size !".to_owned(),
        MucFault::Full => "group member list is full!".to_owned(),
        MucFault::AdminsFull => format!("a group has at most {ADMINS_MAX} administrators"),
        MucFault::NotAdmin(user) => format!("user: {} is no administrator of group: {id}", name(user)),
        MucFault::NotBlocked(user) => format!("user: {} is not on the block list of group: {id}", name(user)),
        MucFault::NothingWaits(user, Door::Application) => {
            format!("user {} has not applied to {id}", name(user))
        }
        MucFault::NothingWaits(user, Door::Invitation) => {
            format!("user {} is not invited to {id}", name(user))
        }
        MucFault::TooManyWait => format!("too many wait for an answer of group: {id}"),
        MucFault::TooManyFiles => format!("group: {id} keeps no more files"),
        MucFault::TooManyBlocked => format!("the block list of group: {id} is full"),
    })
}

fn existing(server: &Server, id: &str, kind: MucKind) -> Result<MucIx, Failure> {
    let found = server.mucs.find(id).filter(|&muc| server.mucs.muc(muc).kind == kind);
    found.ok_or_else(|| Failure::no_muc(id))
}

pub(super) fn existing_user(server: &Server, name: &str) -> Result<UserIx, Failure> {
    server.accounts.find(name).ok_or_else(|| Failure::illegal(format!("group member {name} doesn't exist")))
}

/// The key of an id where members come and go.
fn id_key(kind: MucKind) -> &'static str {
    match kind {
        MucKind::Group | MucKind::Thread => "groupid",
        MucKind::Room => "id",
    }
}

/// The key of an id in the answers on block and allow lists (rest.md B.6).
fn list_id_key(kind: MucKind) -> &'static str {
    match kind {
        MucKind::Group | MucKind::Thread => "groupid",
        MucKind::Room => "chatroomid",
    }
}
