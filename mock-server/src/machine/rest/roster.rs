//! Contacts and block lists over REST (rest.md A.10, B.3). 3.x changes them over the socket; here they are read, and
//! changed by the app, or by the user they belong to.

use serde::Deserialize;

use super::users::entity;
use super::{Answer, Call, Failure, Success, text};
use crate::machine::Server;
use crate::machine::account::UserIx;
use crate::machine::contacts::{ContactFault, Direction};

#[derive(Deserialize)]
struct Names {
    usernames: Vec<String>,
}

/// As many as a group takes at a time (rest.md B.5).
const NAMES_MAX: usize = 60;

pub(super) fn contacts(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    Ok(names(server, server.accounts.user(user).contacts.iter().copied()))
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
    if usernames.is_empty() || usernames.len() > NAMES_MAX {
        return Err(Failure::illegal(format!("usernames holds 1 to {NAMES_MAX} names")));
    }
    let others: Vec<UserIx> =
        usernames.iter().map(|name| existing(server, name)).collect::<Result<_, Failure>>()?;
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

fn names(server: &Server, users: impl IntoIterator<Item = UserIx>) -> Success {
    Success::list(server.accounts.names(users).iter().map(|name| text(name)).collect())
}

fn existing(server: &Server, name: &str) -> Result<UserIx, Failure> {
    server.accounts.find(name).ok_or_else(Failure::user_not_found)
}

fn refused(fault: ContactFault) -> Failure {
    Failure::forbidden(fault.reason())
}
