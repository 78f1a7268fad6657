//! Contacts and block lists over REST (rest.md A.10, A.11, B.3). 3.x changes them over the socket, 4.x here, and the
//! app for anybody; what they do to the lists, and who is told, is the same (`contacts`).

use serde::Deserialize;
use serde_json::{Value, json};

use super::page::Page;
use super::users::entity;
use super::{Answer, Call, Failure, Success, text};
use crate::machine::Server;
use crate::machine::account::UserIx;
use crate::machine::contacts::{ContactFault, Direction};
use crate::machine::roster::REASON_CHARS_MAX;

#[derive(Deserialize)]
struct Names {
    usernames: Vec<String>,
}

#[derive(Deserialize)]
struct Application {
    usernames: Vec<String>,
    #[serde(default)]
    reason: String,
}

#[derive(Deserialize)]
struct NewRemark {
    remark: String,
}

/// As many as a group takes at a time (rest.md B.5).
const NAMES_MAX: usize = 60;
/// The vendor's page on contacts: the length of a remark. How long the real service lets it be is our guess.
const REMARK_CHARS_MAX: usize = 100;

/// The names, and with `needReturnRemark` the remarks as well: 4.x reads them from `entities` (wire-4x §7).
pub(super) fn contacts(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let list = names(server, server.accounts.user(user).contacts.keys().copied());
    if call.parameter("needReturnRemark") != Some("true") {
        return Ok(list);
    }
    Ok(list.with_entities(remarked(server, user)))
}

/// A page of them with their remarks.
pub(super) fn contact_page(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let page = Page::after_cursor(call);
    let all = remarked(server, user);
    let cursor = page.next_cursor(all.len());
    let contacts: Vec<Value> = page.of(all.into_iter()).collect();
    Ok(Success::data(json!({ "contacts": contacts, "cursor": cursor.unwrap_or_default() })))
}

/// Asks others to become contacts, one after the other, until one of them is refused.
pub(super) fn apply(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let Application { usernames, reason } = call.json()?;
    if reason.chars().count() > REASON_CHARS_MAX {
        return Err(Failure::illegal(format!("reason holds at most {REASON_CHARS_MAX} characters")));
    }
    for other in all_existing(server, &usernames)? {
        server.ask_contact(call.now, user, other, &reason).map_err(refused)?;
    }
    Ok(done())
}

pub(super) fn accept(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let other = existing(server, call.second)?;
    server.accept_contact(call.now, user, other).map_err(refused)?;
    Ok(done())
}

pub(super) fn decline(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let other = existing(server, call.second)?;
    let device = call.device(server, user);
    server.decline_contact(call.now, user, other, device, "").map_err(refused)?;
    Ok(done())
}

pub(super) fn set_remark(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let other = existing(server, call.second)?;
    let NewRemark { remark } = call.json()?;
    if remark.chars().count() > REMARK_CHARS_MAX {
        // The beginning is what 4.x knows it by (rest.md 0.11).
        return Err(Failure::illegal(format!("remark length must less than {}", REMARK_CHARS_MAX + 1)));
    }
    server.set_remark(user, other, &remark).map_err(refused)?;
    Ok(done())
}

pub(super) fn add_contact(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let friend = existing(server, call.second)?;
    server.add_contact(call.now, user, friend).map_err(refused)?;
    Ok(Success::entity(entity(server, friend)))
}

pub(super) fn remove_contact(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let friend = existing(server, call.second)?;
    if !server.remove_contact(call.now, user, friend) {
        return Err(Failure::illegal(format!("{} is no contact of {}", call.second, call.first)));
    }
    Ok(Success::entity(entity(server, friend)))
}

pub(super) fn blocks(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    Ok(names(server, server.accounts.user(user).blocked.iter().copied()))
}

/// All of the named, or none.
pub(super) fn block(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let Names { usernames } = call.json()?;
    let others = all_existing(server, &usernames)?;
    server.block_all(call.now, user, &others, Direction::Theirs).map_err(refused)?;
    Ok(names(server, others))
}

pub(super) fn unblock(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let other = existing(server, call.second)?;
    if !server.accounts.user(user).blocked.contains(&other) {
        let reason = format!("{} is not on the block list of {}", call.second, call.first);
        return Err(Failure::illegal(reason));
    }
    server.unblock_all(call.now, user, &[other]);
    Ok(Success::entity(entity(server, other)))
}

/// All of the named, whether they are on the list or not: what 4.x asks (rest.md A.11).
pub(super) fn unblock_many(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let Names { usernames } = call.json()?;
    let others = all_existing(server, &usernames)?;
    server.unblock_all(call.now, user, &others);
    Ok(names(server, others))
}

/// Each contact with the user's own name for it, `null` where there is none.
fn remarked(server: &Server, user: UserIx) -> Vec<Value> {
    let contacts = server.accounts.user(user).contacts.iter();
    contacts
        .map(|(&other, remark)| {
            let remark = (!remark.is_empty()).then_some(remark);
            json!({ "username": server.accounts.name(other), "remark": remark })
        })
        .collect()
}

fn done() -> Success {
    Success::data(json!({ "result": "ok" }))
}

fn names(server: &Server, users: impl IntoIterator<Item = UserIx>) -> Success {
    Success::list(server.accounts.names(users).iter().map(|name| text(name)).collect())
}

fn existing(server: &Server, name: &str) -> Result<UserIx, Failure> {
    server.accounts.find(name).ok_or_else(Failure::user_not_found)
}

fn all_existing(server: &Server, names: &[String]) -> Result<Vec<UserIx>, Failure> {
    if names.is_empty() || names.len() > NAMES_MAX {
        return Err(Failure::illegal(format!("usernames holds 1 to {NAMES_MAX} names")));
    }
    names.iter().map(|name| existing(server, name)).collect()
}

fn refused(fault: ContactFault) -> Failure {
    match fault {
        // 4.x looks for its words in an answer of this status alone (rest.md 0.11).
        ContactFault::NoContact => Failure::illegal(fault.reason()),
        ContactFault::Oneself
        | ContactFault::Blocked
        | ContactFault::NotInvited
        | ContactFault::InviterFull
        | ContactFault::InviteeFull
        | ContactFault::TooManyWait
        | ContactFault::TooManyBlocked => Failure::forbidden(fault.reason()),
    }
}
