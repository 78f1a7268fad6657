//! Reactions of 4.x: what users stick to a message (wire-4x §5.4, §6.3, rest.md A.11).
//!
//! Everybody in the conversation is told of each change, on every device, and history shows what a message bears. They
//! last as long as the message is kept and not recalled. Rooms have none, which the SDK's own types say.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::account::UserIx;
use super::log::{ConvKey, EntryKind};
use super::muc::MucKind;
use super::{Map, Millis, Server, Set, enrichment};

/// What the messages of a world bear, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Reactions {
    pub(super) of: BTreeMap<u64, Map<Box<str>, Set<UserIx>>>,
    /// How many users are kept, of all of them.
    pub(super) users: usize,
}

/// Why a reaction is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReactionFault {
    /// The user has given it already.
    Given,
    /// The message bears [`REACTIONS_PER_MESSAGE_MAX`].
    TooMany,
    /// The user is not in the message's group.
    NotInGroup,
    /// There is no such message in a conversation of the user's, or it is none that bears reactions, or the user never
    /// gave what is to be taken back.
    Illegal,
    /// Empty, or longer than [`REACTION_CHARS_MAX`].
    Length,
}

/// What one reaction to a message is, for one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reacted {
    pub(super) users: Vec<UserIx>,
    /// The user is one of them.
    pub(super) mine: bool,
}

/// What becomes of a reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Add,
    Remove,
}

/// The SDK's own types: what a reaction may be.
pub(super) const REACTION_CHARS_MAX: usize = 128;
/// The vendor's page on reactions: how many different ones a message bears.
const REACTIONS_PER_MESSAGE_MAX: usize = 20;
/// The vendor's page on reactions: lists name the first users alone, the details of one reaction all of them.
pub(super) const USERS_LISTED: usize = 3;
/// Bounds on what strangers can make a world keep; what the oldest messages bear goes then.
const MESSAGES_MAX: usize = 10_000;
const USERS_MAX: usize = 1_000_000;

impl Reactions {
    /// Nobody sees the message any more.
    pub(super) fn forget(&mut self, id: u64) {
        if let Some(reactions) = self.of.remove(&id) {
            self.users -= reactions.values().map(Set::len).sum::<usize>();
        }
    }

    /// The user is no more; what it gave goes, and nobody is told.
    pub(super) fn forget_user(&mut self, user: UserIx) {
        for reactions in self.of.values_mut() {
            for users in reactions.values_mut() {
                self.users -= usize::from(users.shift_remove(&user));
            }
            reactions.retain(|_, users| !users.is_empty());
        }
        self.of.retain(|_, reactions| !reactions.is_empty());
    }

    fn add(&mut self, id: u64, reaction: &str, user: UserIx) -> Result<(), ReactionFault> {
        let reactions = self.of.entry(id).or_default();
        if reactions.len() >= REACTIONS_PER_MESSAGE_MAX && !reactions.contains_key(reaction) {
            return Err(ReactionFault::TooMany);
        }
        if !reactions.entry(reaction.into()).or_default().insert(user) {
            return Err(ReactionFault::Given);
        }
        self.users += 1;
        while self.of.len() > MESSAGES_MAX || self.users > USERS_MAX {
            let Some(&oldest) = self.of.keys().next() else { break };
            self.forget(oldest);
        }
        Ok(())
    }

    fn remove(&mut self, id: u64, reaction: &str, user: UserIx) -> Result<(), ReactionFault> {
        let reactions = self.of.get_mut(&id).ok_or(ReactionFault::Illegal)?;
        let users = reactions.get_mut(reaction).ok_or(ReactionFault::Illegal)?;
        if !users.shift_remove(&user) {
            return Err(ReactionFault::Illegal);
        }
        self.users -= 1;
        if users.is_empty() {
            reactions.shift_remove(reaction);
        }
        if reactions.is_empty() {
            self.of.remove(&id);
        }
        Ok(())
    }
}

impl Server {
    /// A user gives a reaction or takes it back, and everybody in the conversation is told.
    pub(super) fn react(
        &mut self,
        now: Millis,
        user: UserIx,
        id: u64,
        reaction: &str,
        change: Change,
    ) -> Result<(), ReactionFault> {
        let key = self.bears_reactions(id, user)?;
        let operation = match change {
            Change::Add => {
                if reaction.is_empty() || reaction.chars().count() > REACTION_CHARS_MAX {
                    return Err(ReactionFault::Length);
                }
                self.reactions.add(id, reaction, user)?;
                "create"
            }
            Change::Remove => {
                self.reactions.remove(id, reaction, user)?;
                "delete"
            }
        };
        let (kind, to, readers) = match key {
            ConvKey::Single(a, b) => {
                let other = if a == user { b } else { a };
                let readers = if a == b { vec![a] } else { vec![a, b] };
                ("chat", self.accounts.name(other).to_owned(), readers)
            }
            ConvKey::Muc(muc) => {
                let state = self.mucs.muc(muc);
                ("groupchat", state.id.to_string(), state.members.keys().copied().collect())
            }
            ConvKey::Service(_) => return Err(ReactionFault::Illegal),
        };
        let name = self.accounts.name(user).to_owned();
        let op = json!([{ "operator": name, "reactionType": operation }]);
        for reader in readers {
            // Each sees whether it is among them, hence news of its own for each.
            let mut list = self.listed_reactions(id, reader);
            match list.iter_mut().find(|one| one["reaction"] == reaction) {
                Some(one) => one["op"] = op.clone(),
                None => list.push(json!({
                    "reaction": reaction, "count": 0, "userList": [], "state": false, "op": op,
                })),
            }
            let data = json!([{
                "from": name, "to": to, "channel_type": kind, "messageId": id.to_string(),
                "reactions": list, "ts": now.0,
            }]);
            self.notify(now, reader, None, &json!({ "type": "reaction", "data": data }));
        }
        Ok(())
    }

    /// Who has given a reaction to a message of a conversation of the user's.
    pub(super) fn reacted(&self, user: UserIx, id: u64, reaction: &str) -> Result<Reacted, ReactionFault> {
        self.bears_reactions(id, user)?;
        let users = self.reactions.of.get(&id).and_then(|reactions| reactions.get(reaction));
        Ok(Reacted {
            users: users.into_iter().flatten().copied().collect(),
            mine: users.is_some_and(|users| users.contains(&user)),
        })
    }

    /// What a message bears, by reaction, for one user.
    pub(super) fn all_reacted(&self, user: UserIx, id: u64) -> Vec<(&str, Reacted)> {
        let reactions = self.reactions.of.get(&id).into_iter().flatten();
        reactions
            .map(|(reaction, users)| {
                let mine = users.contains(&user);
                (&**reaction, Reacted { users: users.iter().copied().collect(), mine })
            })
            .collect()
    }

    /// The message as history shows it to a user: with what it bears.
    pub(super) fn with_reactions(&self, user: UserIx, id: u64, meta: &Arc<[u8]>) -> Arc<[u8]> {
        let list = self.listed_reactions(id, user);
        if list.is_empty() {
            return Arc::clone(meta);
        }
        enrichment::with(meta, "reaction", list.into()).map_or_else(|| Arc::clone(meta), Into::into)
    }

    /// The conversation of a message that bears reactions and that the user may see.
    pub(super) fn bears_reactions(&self, id: u64, user: UserIx) -> Result<ConvKey, ReactionFault> {
        let (found, _) = self.find_open(user, id).ok_or(ReactionFault::Illegal)?;
        let entry = self.queues.entry(found.conv, found.position).ok_or(ReactionFault::Illegal)?;
        if entry.kind != EntryKind::Content {
            return Err(ReactionFault::Illegal);
        }
        let key = self.queues.key(found.conv);
        match key {
            ConvKey::Single(a, b) if a == user || b == user => Ok(key),
            ConvKey::Single(..) | ConvKey::Service(_) => Err(ReactionFault::Illegal),
            ConvKey::Muc(muc) => match self.mucs.get(muc) {
                Some(state) if state.kind == MucKind::Room => Err(ReactionFault::Illegal),
                Some(state) if state.members.contains_key(&user) => Ok(key),
                Some(_) | None => Err(ReactionFault::NotInGroup),
            },
        }
    }

    /// As the news and history spell what a message bears (wire-4x §6).
    fn listed_reactions(&self, id: u64, user: UserIx) -> Vec<Value> {
        let reactions = self.reactions.of.get(&id).into_iter().flatten();
        reactions
            .map(|(reaction, users)| {
                let listed = self.accounts.names(users.iter().copied().take(USERS_LISTED));
                let mine = users.contains(&user);
                json!({ "reaction": reaction, "count": users.len(), "userList": listed, "state": mine })
            })
            .collect()
    }
}
