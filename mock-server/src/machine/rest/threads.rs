//! `/thread` and `/threads`: what hangs on messages of groups (rest.md A.11, B.5).
//!
//! What is done is done by `machine::thread`; here is who may do it, with the numbers by which 4.x tells why not.

use serde::Deserialize;
use serde_json::{Value, json};

use super::muc::existing_user;
use super::page::Page;
use super::{Answer, Call, Failure, Success};
use crate::machine::Server;
use crate::machine::account::{Caller, UserIx};
use crate::machine::muc::{Act, MucFault, MucIx, MucKind, Told};
use crate::machine::thread::ThreadFault;

#[derive(Deserialize)]
struct NewThread {
    name: String,
    msg_id: String,
    group_id: String,
    /// For whom the app makes it. A user's own is the user's, whatever stands here.
    owner: Option<String>,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct Ids {
    #[serde(rename = "threadIds")]
    thread_ids: Vec<String>,
}

/// `error_code`s by which 4.x tells what is wrong (rest.md 0.11).
const NOT_OPEN: u32 = 40_000;
const EXISTS: u32 = 40_002;
const IS_IN: u32 = 40_004;
const TOO_MANY: u32 = 40_005;
const FULL: u32 = 40_007;
const NO_THREAD: u32 = 40_011;
const NOT_PERMITTED: u32 = 40_012;

/// The vendor's page on threads.
const NAME_CHARS_MAX: usize = 64;
/// The vendor's page on threads: of how many the last message can be asked for at once.
const IDS_MAX: usize = 20;
/// As many as the SDK asks for by default at most; our guess.
const PAGE_MAX: usize = 50;

/// A thread, and who wants something of it.
struct Asked {
    thread: MucIx,
    act: Act,
    rank: Rank,
}

/// What somebody is to a thread; each may do what those before may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// In its group.
    Fellow,
    /// Made it.
    Maker,
    /// Owns or administers its group.
    Leader,
}

impl Asked {
    /// Only the members of a group know of its threads.
    fn of(server: &Server, call: &Call<'_>, least: Rank) -> Result<Self, Failure> {
        let caller = call.authority(server)?;
        on(server)?;
        let thread = existing(server, call.first)?;
        let parent = server.threads.get(thread).map(|of| of.parent);
        let group = server.mucs.muc(parent.expect("a thread has its group for as long as it lives"));
        let (by, rank) = match caller {
            Caller::App => (group.owner, Rank::Leader),
            Caller::User(user) if !group.has(user) => return Err(not_in_group(server, user)),
            Caller::User(user) if group.is_led_by(user) => (user, Rank::Leader),
            Caller::User(user) if server.mucs.muc(thread).owner == user => (user, Rank::Maker),
            Caller::User(user) => (user, Rank::Fellow),
        };
        if group.disabled && caller != Caller::App {
            return Err(Failure::forbidden("can not operate this group, reason: group is disabled"));
        }
        if rank < least {
            let description = match least {
                Rank::Fellow | Rank::Maker => "only who made the thread and who leads its group may do this",
                Rank::Leader => "only the owner and administrators of the thread's group may do this",
            };
            return Err(Failure::missing(description).coded(NOT_PERMITTED));
        }
        Ok(Self { thread, act: Act { now: call.now, by, told: Told::Everyone }, rank })
    }

    /// The user of the path, who is the one who asks unless a leader does.
    fn subject(&self, server: &Server, name: &str) -> Result<UserIx, Failure> {
        let user = existing_user(server, name)?;
        if user != self.act.by && self.rank != Rank::Leader {
            return Err(Failure::forbidden(format!("{name} is not you")));
        }
        Ok(user)
    }
}

pub(super) fn create(server: &mut Server, call: &Call<'_>) -> Answer {
    let caller = call.authority(server)?;
    on(server)?;
    let NewThread { name, msg_id, group_id, owner } = call.json()?;
    let found = server.mucs.find(&group_id).filter(|&muc| server.mucs.muc(muc).kind == MucKind::Group);
    let group = found.ok_or_else(|| Failure::no_muc(&group_id))?;
    let by = match (caller, owner) {
        (Caller::User(user), _) => user,
        (Caller::App, Some(owner)) => existing_user(server, &owner)?,
        (Caller::App, None) => return Err(Failure::illegal("the owner is missing")),
    };
    if !server.mucs.muc(group).has(by) {
        return Err(not_in_group(server, by));
    }
    if server.mucs.muc(group).disabled {
        return Err(Failure::forbidden("can not operate this group, reason: group is disabled"));
    }
    named(&name)?;
    let act = Act { now: call.now, by, told: Told::Everyone };
    let message = msg_id.parse().map_err(|_| Failure::no_message(&msg_id))?;
    let made = server.make_thread(act, group, message, &name, call.parameter("resource"));
    let thread = made.map_err(|fault| match fault {
        ThreadFault::Exists => Failure::illegal(format!("a thread of message {msg_id} exists")).coded(EXISTS),
        ThreadFault::NoMessage => Failure::no_message(&msg_id),
        ThreadFault::TooMany => Failure::forbidden("this world holds no more threads").coded(TOO_MANY),
    })?;
    Ok(Success::data(json!({ "thread_id": &*server.mucs.muc(thread).id })))
}

pub(super) fn details(server: &mut Server, call: &Call<'_>) -> Answer {
    let asked = Asked::of(server, call, Rank::Fellow)?;
    Ok(Success::data(described(server, asked.thread)))
}

pub(super) fn rename(server: &mut Server, call: &Call<'_>) -> Answer {
    let asked = Asked::of(server, call, Rank::Maker)?;
    let Name { name } = call.json()?;
    named(&name)?;
    server.rename_thread(asked.act, asked.thread, &name, call.parameter("resource"));
    Ok(Success::data(json!({ "name": name })))
}

pub(super) fn end(server: &mut Server, call: &Call<'_>) -> Answer {
    let asked = Asked::of(server, call, Rank::Leader)?;
    server.end_thread(asked.act, asked.thread, call.parameter("resource"));
    Ok(Success::data(json!({ "status": "ok" })))
}

pub(super) fn join(server: &mut Server, call: &Call<'_>) -> Answer {
    let asked = Asked::of(server, call, Rank::Fellow)?;
    let user = asked.subject(server, call.second)?;
    let group = server.threads.get(asked.thread).map(|of| of.parent);
    if !group.is_some_and(|group| server.mucs.muc(group).has(user)) {
        return Err(not_in_group(server, user));
    }
    let act = Act { by: user, ..asked.act };
    let joined = server.join_thread(act, asked.thread, call.parameter("resource"));
    joined.map_err(|fault| match fault {
        MucFault::AlreadyIn(_) => Failure::forbidden("the user is in the thread already").coded(IS_IN),
        other => refused(server, other).coded(FULL),
    })?;
    Ok(Success::data(json!({ "status": "ok", "detail": described(server, asked.thread) })))
}

pub(super) fn quit(server: &mut Server, call: &Call<'_>) -> Answer {
    let asked = Asked::of(server, call, Rank::Fellow)?;
    let user = asked.subject(server, call.second)?;
    let act = Act { by: user, ..asked.act };
    let left = server.leave_thread(act, asked.thread, call.parameter("resource"));
    left.map_err(|fault| refused(server, fault))?;
    Ok(Success::data(json!({ "status": "ok" })))
}

pub(super) fn members(server: &mut Server, call: &Call<'_>) -> Answer {
    let asked = Asked::of(server, call, Rank::Fellow)?;
    let members = &server.mucs.muc(asked.thread).members;
    let page = Page::after_cursor(call).at_most(PAGE_MAX);
    let cursor = page.next_cursor(members.len());
    let names = server.accounts.names(page.of(members.keys().copied()));
    Ok(Success::data(json!({ "affiliations": names })).with_cursor(cursor))
}

pub(super) fn remove(server: &mut Server, call: &Call<'_>) -> Answer {
    let asked = Asked::of(server, call, Rank::Leader)?;
    let user = existing_user(server, call.second)?;
    server.remove_from_thread(asked.act, asked.thread, user).map_err(|fault| refused(server, fault))?;
    Ok(Success::data(json!({ "result": true, "user": server.accounts.name(user) })))
}

/// Of a group, all, or those that a user is in.
pub(super) fn of_group(server: &mut Server, call: &Call<'_>, whose: Whose) -> Answer {
    let caller = call.authority(server)?;
    on(server)?;
    let found = server.mucs.find(call.first).filter(|&muc| server.mucs.muc(muc).kind == MucKind::Group);
    let group = found.ok_or_else(|| Failure::no_muc(call.first))?;
    if let Caller::User(user) = caller
        && !server.mucs.muc(group).has(user)
    {
        return Err(not_in_group(server, user));
    }
    let user = match whose {
        Whose::All => None,
        Whose::Users => Some(call.owner(server, call.second)?),
    };
    let threads = server.threads.of_group(group);
    Ok(listed(server, call, threads, user))
}

/// Those that a user is in, of all groups.
pub(super) fn of_user(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    on(server)?;
    let threads: Vec<MucIx> = server.threads.all().collect();
    Ok(listed(server, call, threads, Some(user)))
}

/// Which threads of a group.
#[derive(Clone, Copy, Debug)]
pub(super) enum Whose {
    All,
    Users,
}

/// The last message of each. Threads that are not there, or not the user's to see, are left out.
pub(super) fn last_messages(server: &mut Server, call: &Call<'_>) -> Answer {
    let caller = call.authority(server)?;
    on(server)?;
    let Ids { thread_ids } = call.json()?;
    if thread_ids.len() > IDS_MAX {
        return Err(Failure::illegal(format!("at most {IDS_MAX} threads can be asked for at once")));
    }
    server.forget_old(call.now);
    let entities = thread_ids.iter().filter_map(|id| {
        let thread = existing(server, id).ok()?;
        let parent = server.threads.get(thread)?.parent;
        let sees = match caller {
            Caller::App => true,
            Caller::User(user) => server.mucs.muc(parent).has(user),
        };
        sees.then(|| json!({ "thread_id": id, "last_message": server.last_in_thread(thread) }))
    });
    Ok(Success::entities(entities.collect(), None, None))
}

/// The newest first.
fn listed(server: &Server, call: &Call<'_>, threads: Vec<MucIx>, of: Option<UserIx>) -> Success {
    let is_in = |thread: &MucIx| of.is_none_or(|user| server.mucs.muc(*thread).has(user));
    let threads: Vec<MucIx> = threads.into_iter().rev().filter(is_in).collect();
    let page = Page::after_cursor(call).at_most(PAGE_MAX);
    let cursor = page.next_cursor(threads.len());
    let entities = page.of(threads.into_iter()).map(|thread| described(server, thread));
    Success::entities(entities.collect(), None, None).with_cursor(cursor)
}

fn described(server: &Server, thread: MucIx) -> Value {
    let state = server.mucs.muc(thread);
    let of = server.threads.get(thread);
    json!({
        "id": &*state.id,
        "name": state.profile.name,
        "owner": server.accounts.name(state.owner),
        "created": state.created.0,
        "msgId": of.map(|of| of.message.to_string()),
        "groupId": of.map(|of| &*server.mucs.muc(of.parent).id),
        "affiliations_count": state.members.len(),
        "message_count": of.map(|of| of.messages),
    })
}

fn named(name: &str) -> Result<(), Failure> {
    if (1..=NAME_CHARS_MAX).contains(&name.chars().count()) {
        return Ok(());
    }
    Err(Failure::illegal(format!("the name of a thread has 1 to {NAME_CHARS_MAX} characters")))
}

fn existing(server: &Server, id: &str) -> Result<MucIx, Failure> {
    let found = server.mucs.find(id).filter(|&muc| server.mucs.muc(muc).kind == MucKind::Thread);
    found.ok_or_else(|| Failure::missing(format!("thread {id} is not there")).coded(NO_THREAD))
}

/// The words that 4.x looks for (rest.md 0.11).
fn not_in_group(server: &Server, user: UserIx) -> Failure {
    Failure::forbidden(format!("users [{}] are not members of this group!", server.accounts.name(user)))
}

fn refused(server: &Server, fault: MucFault) -> Failure {
    match fault {
        MucFault::NotIn(user) => {
            let description = format!("user {} is not in the thread", server.accounts.name(user));
            Failure::missing(description).coded(NOT_PERMITTED)
        }
        MucFault::Full => Failure::forbidden("the thread is full"),
        MucFault::AlreadyIn(_)
        | MucFault::Blocked(_)
        | MucFault::IsOwner(_)
        | MucFault::TooSmall
        | MucFault::AdminsFull
        | MucFault::NotAdmin(_)
        | MucFault::NotBlocked(_)
        | MucFault::NothingWaits(..)
        | MucFault::TooManyWait
        | MucFault::TooManyBlocked
        | MucFault::TooManyFiles => unreachable!("a thread has no doors, files or administrators"),
    }
}

fn on(server: &Server) -> Result<(), Failure> {
    if server.settings.threads {
        return Ok(());
    }
    Err(Failure::forbidden("threads are not open for this app").coded(NOT_OPEN))
}
