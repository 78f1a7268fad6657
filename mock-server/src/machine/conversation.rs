//! What a user makes of its own conversations: pins and marks them, deletes them and what was said in them
//! (rest.md A.7, A.8, A.11; wire-4x §7).
//!
//! All of it is the user's alone: nobody else's list or history changes. The user's other devices are told (`conv`,
//! `roaming_delete`; wire-4x §6.3). Limits and what is refused with which words are our guess where no section is
//! named.

use std::collections::BTreeSet;

use prost::Message as _;
use serde_json::{Value, json};

use super::account::{Membership, UserIx};
use super::log::{ConvIx, ConvKey, Shown};
use super::muc::MucKind;
use super::session::DeviceId;
use super::{Millis, Server};

/// One of the twenty marks, `mark_0` to `mark_19`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark(u8);

/// The marks of one conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks(u32);

/// Whether something is put on or taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Set {
    On,
    Off,
}

/// When something was pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pinned {
    pub(super) at: Millis,
    /// Rises with each call, where the clock may stand still.
    pub(super) turn: u64,
}

/// Who did it, and on which device, as far as the call says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Actor<'a> {
    pub(super) user: UserIx,
    /// As the call spells it; empty where it says nothing.
    pub(super) resource: &'a str,
    pub(super) device: Option<DeviceId>,
}

/// Why nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConversationFault {
    /// It is not in the user's list.
    NotListed,
    /// More are pinned than the service takes.
    TooManyPinned,
    /// More single messages are deleted than is kept track of.
    TooManyRemoved,
}

/// What of a conversation's history a user deletes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Removal<'a> {
    /// The messages with these ids, as far as they are there.
    Ids(&'a [u64]),
    /// What was sent at that moment or before.
    Until(Millis),
}

/// The vendor's documents: so many conversations are at the top at most.
const PINNED_MAX: usize = 50;
/// Single messages that a user has deleted of one conversation, while others still see them. A client deletes what a
/// person has picked by hand.
const REMOVED_MAX: usize = 10_000;

impl Mark {
    const COUNT: u8 = 20;

    /// `mark_7`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix("mark_")?;
        // "+7" and "07" are numbers too.
        let plain = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
        let number: u8 = digits.parse().ok().filter(|_| plain)?;
        (number < Self::COUNT).then_some(Self(number))
    }

    pub(super) fn word(self) -> String {
        format!("mark_{}", self.0)
    }
}

impl Marks {
    pub(super) fn has(self, mark: Mark) -> bool {
        self.0 & (1 << mark.0) != 0
    }

    pub(super) fn put(&mut self, mark: Mark, set: Set) {
        match set {
            Set::On => self.0 |= 1 << mark.0,
            Set::Off => self.0 &= !(1 << mark.0),
        }
    }

    pub(super) fn words(self) -> Vec<String> {
        (0..Mark::COUNT).map(Mark).filter(|&mark| self.has(mark)).map(Mark::word).collect()
    }
}

impl Server {
    /// How much of a conversation's history the user may see; `None` where it is no part of it.
    pub(super) fn shown(&self, user: UserIx, conv: ConvIx) -> Option<Shown<'_>> {
        let state = self.accounts.user(user);
        let membership = state.conversations.get(&conv)?;
        Some(Shown { from: membership.history_from, removed: state.removed.get(&conv), reader: Some(user) })
    }

    /// Puts a conversation to the top of the list, or no longer; says since when it is there.
    pub(super) fn pin_conversation(
        &mut self,
        now: Millis,
        actor: &Actor<'_>,
        key: ConvKey,
        set: Set,
    ) -> Result<Option<Millis>, ConversationFault> {
        let conv = self.listed(actor.user, key).ok_or(ConversationFault::NotListed)?;
        let conversations = &self.accounts.user(actor.user).conversations;
        let turn = self.inputs;
        let pinned = conversations.values().filter(|membership| membership.pinned.is_some()).count();
        let membership = self.membership_mut(actor.user, conv).expect("a listed conversation is the user's");
        let op = match set {
            Set::On if membership.pinned.is_none() && pinned >= PINNED_MAX => {
                return Err(ConversationFault::TooManyPinned);
            }
            Set::On => {
                membership.pinned.get_or_insert(Pinned { at: now, turn });
                "top"
            }
            Set::Off => {
                membership.pinned = None;
                "not_top"
            }
        };
        let since = membership.pinned.map(|pinned| pinned.at);
        self.tell_conversation(now, actor, key, op, None);
        Ok(since)
    }

    /// Puts a mark on a conversation, or takes it off. False where it is not in the list.
    pub(super) fn mark_conversation(
        &mut self,
        now: Millis,
        actor: &Actor<'_>,
        key: ConvKey,
        mark: Mark,
        set: Set,
    ) -> bool {
        let Some(conv) = self.listed(actor.user, key) else { return false };
        let membership = self.membership_mut(actor.user, conv).expect("a listed conversation is the user's");
        membership.marks.put(mark, set);
        let op = match set {
            Set::On => "mark",
            Set::Off => "mark_delete",
        };
        self.tell_conversation(now, actor, key, op, Some(&mark.word()));
        true
    }

    /// Takes a conversation off the list, pinned or marked as it may be; with `history`, what was said goes too.
    pub(super) fn delete_conversation(
        &mut self,
        now: Millis,
        actor: &Actor<'_>,
        key: ConvKey,
        history: bool,
    ) {
        if let Some(conv) = self.queues.find(key) {
            self.clear_conversation(actor.user, conv, history);
        }
        self.tell_conversation(now, actor, key, "del", None);
    }

    /// Every conversation of the user goes with its history. The other devices are told of each that was listed:
    /// there is no word for all of them.
    pub(super) fn delete_everything(&mut self, now: Millis, actor: &Actor<'_>) {
        let all = self.accounts.user(actor.user).conversations.iter();
        let all: Vec<(ConvIx, bool)> = all.map(|(&conv, membership)| (conv, membership.listed)).collect();
        for (conv, listed) in all {
            let key = self.queues.key(conv);
            if let ConvKey::Service(_) = key {
                continue;
            }
            self.clear_conversation(actor.user, conv, true);
            if listed {
                self.tell_conversation(now, actor, key, "del", None);
            }
        }
    }

    /// Deletes some of what was said in a conversation. What is unread and what a device has not been given yet stay
    /// as they are.
    pub(super) fn remove_history(
        &mut self,
        now: Millis,
        actor: &Actor<'_>,
        key: ConvKey,
        removal: Removal<'_>,
    ) -> Result<(), ConversationFault> {
        if let Some(conv) = self.queues.find(key)
            && let Some(shown) = self.shown(actor.user, conv)
        {
            let going: BTreeSet<u64> = match removal {
                Removal::Ids(ids) => {
                    let found = ids.iter().filter_map(|&id| self.queues.find_message(id));
                    found.filter(|found| found.conv == conv).map(|found| found.position).collect()
                }
                Removal::Until(until) => {
                    let kept = self.queues.history_at(conv, shown);
                    let early = kept.filter(|(_, kept)| sent_at(kept.meta).is_none_or(|at| at <= until));
                    early.map(|(position, _)| position).collect()
                }
            };
            self.forget_messages(actor.user, conv, going)?;
        }
        let (to, kind) = self.conversation_name(actor.user, key);
        let news = json!({
            "type": "roaming_delete",
            "data": { "to": to, "chatType": kind, "resource": actor.resource },
        });
        self.notify_own_devices(now, actor, &news);
        Ok(())
    }

    /// What the other side of a conversation is called, and `chat`, `groupchat` or `chatroom`.
    pub(super) fn conversation_name(&self, user: UserIx, key: ConvKey) -> (String, &'static str) {
        match key {
            ConvKey::Single(a, b) => (self.accounts.name(if a == user { b } else { a }).to_owned(), "chat"),
            ConvKey::Muc(muc) => {
                let muc = self.mucs.muc(muc);
                let kind = match muc.kind {
                    MucKind::Group | MucKind::Thread => "groupchat",
                    MucKind::Room => "chatroom",
                };
                (muc.id.to_string(), kind)
            }
            ConvKey::Service(_) => unreachable!("nobody names what the service tells"),
        }
    }

    /// From the oldest on, what lies before everything that stays is told by one position; the rest is listed.
    fn forget_messages(
        &mut self,
        user: UserIx,
        conv: ConvIx,
        mut going: BTreeSet<u64>,
    ) -> Result<(), ConversationFault> {
        let Some(shown) = self.shown(user, conv) else { return Ok(()) };
        going.extend(shown.removed.into_iter().flatten());
        let mut from = shown.from;
        for (position, _) in self.queues.history_at(conv, Shown { removed: None, ..shown }) {
            if !going.remove(&position) {
                break;
            }
            from = position + 1;
        }
        let base = self.queues.at(conv).base;
        going.retain(|&position| position >= from && position >= base);
        if going.len() > REMOVED_MAX {
            return Err(ConversationFault::TooManyRemoved);
        }
        let state = self.accounts.user_mut(user);
        if let Some(membership) = state.conversations.get_mut(&conv) {
            membership.history_from = from;
        }
        if going.is_empty() {
            state.removed.remove(&conv);
        } else {
            state.removed.insert(conv, going);
        }
        Ok(())
    }

    fn clear_conversation(&mut self, user: UserIx, conv: ConvIx, history: bool) {
        let end = self.queues.end(conv);
        let state = self.accounts.user_mut(user);
        let Some(membership) = state.conversations.get_mut(&conv) else { return };
        *membership = Membership {
            listed: false,
            pinned: None,
            marks: Marks::default(),
            unread: 0,
            read_to: end,
            history_from: if history { end } else { membership.history_from },
            ..*membership
        };
        if history {
            state.removed.remove(&conv);
        }
    }

    fn listed(&self, user: UserIx, key: ConvKey) -> Option<ConvIx> {
        let conv = self.queues.find(key)?;
        let membership = self.accounts.user(user).conversations.get(&conv)?;
        membership.listed.then_some(conv)
    }

    fn membership_mut(&mut self, user: UserIx, conv: ConvIx) -> Option<&mut Membership> {
        self.accounts.user_mut(user).conversations.get_mut(&conv)
    }

    fn tell_conversation(
        &mut self,
        now: Millis,
        actor: &Actor<'_>,
        key: ConvKey,
        op: &str,
        ext: Option<&str>,
    ) {
        let news = self.conversation_news(now, actor, key, op, ext);
        self.notify_own_devices(now, actor, &news);
    }

    /// `conv` of wire-4x §6.3.
    pub(super) fn conversation_news(
        &self,
        now: Millis,
        actor: &Actor<'_>,
        key: ConvKey,
        op: &str,
        ext: Option<&str>,
    ) -> Value {
        let (id, kind) = self.conversation_name(actor.user, key);
        let mut data = json!({
            "op": op,
            "id": id,
            "type": kind,
            "ts": now.0,
            "res": actor.resource,
            "from": self.accounts.name(actor.user),
        });
        if let Some(ext) = ext {
            data["ext"] = ext.into();
        }
        json!({ "type": "conv", "data": data })
    }

    /// Tells the user's devices but the one that did it. Of a call that names none (3.x, the app's server) nobody is
    /// told, and nothing waits where there is no other device.
    pub(super) fn notify_own_devices(&mut self, now: Millis, actor: &Actor<'_>, news: &Value) {
        let alone = actor.device.is_some() && !self.accounts.user(actor.user).has_other_devices();
        if !actor.resource.is_empty() && !alone {
            self.notify(now, actor.user, actor.device, news);
        }
    }
}

fn sent_at(meta: &[u8]) -> Option<Millis> {
    fixtures::wire::Meta::decode(meta).ok()?.timestamp.map(Millis)
}
