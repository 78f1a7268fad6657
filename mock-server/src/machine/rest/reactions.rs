//! `/reaction/user/{me}`: what users stick to messages, given, taken back and listed (rest.md A.11, 0.11).

use serde::Deserialize;
use serde_json::{Value, json};

use super::page::parameter;
use super::{Answer, Call, Failure, Success};
use crate::machine::Server;
use crate::machine::account::UserIx;
use crate::machine::reaction::{Change, REACTION_CHARS_MAX, Reacted, ReactionFault, USERS_LISTED};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reaction {
    msg_id: String,
    message: String,
}

/// How many messages one call asks about; our guess, as many as a page of history holds.
const MESSAGES_MAX: usize = 50;
/// The SDK's own types: users on a page, by default and at most.
const PAGE_DEFAULT: usize = 20;
const PAGE_MAX: usize = 100;

pub(super) fn add(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = opened(server, call)?;
    let Reaction { msg_id, message } = call.json()?;
    server.react(call.now, user, id_of(&msg_id)?, &message, Change::Add).map_err(refused)?;
    Ok(done())
}

/// The query names the message and the reaction.
pub(super) fn remove(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = opened(server, call)?;
    let (id, reaction) = (id_of(&needed(call, "msgId")?)?, needed(call, "message")?);
    server.react(call.now, user, id, &reaction, Change::Remove).map_err(refused)?;
    Ok(done())
}

/// What some messages bear; those of a group to its members only.
pub(super) fn list(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = opened(server, call)?;
    if call.text("msgType").as_deref() == Some("groupchat") {
        let group = call.text("groupId").filter(|group| !matches!(group.as_str(), "" | "null" | "undefined"));
        let group = group.ok_or_else(|| Failure::illegal("groupId can not be null!"))?;
        let muc = server.mucs.find(&group).ok_or_else(|| Failure::no_muc(&group))?;
        if !server.mucs.muc(muc).members.contains_key(&user) {
            return Err(refused(ReactionFault::NotInGroup));
        }
    }
    let ids = needed(call, "msgIdList")?;
    let ids: Vec<&str> = ids.split(',').filter(|id| !id.is_empty()).collect();
    if ids.is_empty() || ids.len() > MESSAGES_MAX {
        return Err(Failure::illegal(format!("msgIdList names 1 to {MESSAGES_MAX} messages")));
    }
    let mut data = Vec::new();
    for id in ids {
        let number = id_of(id)?;
        server.bears_reactions(number, user).map_err(refused)?;
        let all = server.all_reacted(user, number).into_iter();
        let list: Vec<Value> =
            all.map(|(reaction, reacted)| shown(server, number, reaction, &reacted, USERS_LISTED)).collect();
        data.push(json!({ "msgId": id, "reactionList": list }));
    }
    Ok(Success::data(data.into()))
}

/// All who gave one reaction, page by page; a cursor is the number of users before.
pub(super) fn detail(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = opened(server, call)?;
    let (id, reaction) = (id_of(&needed(call, "msgId")?)?, needed(call, "message")?);
    let mut reacted = server.reacted(user, id, &reaction).map_err(refused)?;
    let skip = parameter(call, "currentPage").unwrap_or(0).min(reacted.users.len());
    let take = parameter(call, "pageSize").unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let count = reacted.users.len();
    let page: Vec<UserIx> = reacted.users.drain(..).skip(skip).take(take).collect();
    let next = skip + page.len();
    let mut data = shown(server, id, &reaction, &Reacted { users: page, ..reacted }, take);
    data["userCount"] = count.into();
    data["cursor"] = if next < count { next.to_string() } else { String::new() }.into();
    Ok(Success::data(data))
}

/// `state` is what 4.x shows as `isAddedBySelf`; `reactionId` it drops.
fn shown(server: &Server, id: u64, reaction: &str, reacted: &Reacted, listed: usize) -> Value {
    json!({
        "reactionId": super::uuid_of(&format!("{id} {reaction}")),
        "reaction": reaction,
        "userCount": reacted.users.len(),
        "state": reacted.mine,
        "userList": server.accounts.names(reacted.users.iter().copied().take(listed)),
    })
}

fn opened(server: &Server, call: &Call<'_>) -> Result<UserIx, Failure> {
    let user = call.owner(server, call.first)?;
    if server.settings.reactions {
        Ok(user)
    } else {
        Err(Failure::illegal("this appKey is not open reaction service!"))
    }
}

fn needed(call: &Call<'_>, name: &str) -> Result<String, Failure> {
    call.text(name)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| Failure::illegal(format!("{name} is missing from the query")))
}

/// What is no id is no message's.
fn id_of(text: &str) -> Result<u64, Failure> {
    text.parse().map_err(|_| refused(ReactionFault::Illegal))
}

fn done() -> Success {
    Success::data(json!({ "result": "ok" }))
}

/// The words are those that 4.x looks for (rest.md 0.11); which of them an unknown message has is our guess.
fn refused(fault: ReactionFault) -> Failure {
    Failure::illegal(match fault {
        ReactionFault::Given => "the user is already operation this message".to_owned(),
        ReactionFault::TooMany => "The quantity has exceeded the limit!".to_owned(),
        ReactionFault::NotInGroup => "The user not in this group!".to_owned(),
        ReactionFault::Illegal => "the user operation is illegal!".to_owned(),
        ReactionFault::Length => format!("a reaction holds 1 to {REACTION_CHARS_MAX} characters"),
    })
}
