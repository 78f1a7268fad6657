//! Messages pinned in their conversation, for all who are in it (clause v4.pin; wire-4x §6.3, §7).
//!
//! A message that is recalled or no longer kept is pinned no more. Who may pin, and how many, is our guess where no
//! document is named.

use super::account::UserIx;
use super::conversation::{Actor, Pinned, Set};
use super::log::{ConvIx, ConvKey, Found};
use super::{Map, Millis, Server};

/// The pinned messages of a world's conversations.
#[derive(Clone, Debug, Default)]
pub(super) struct Pins {
    /// In each the one that was pinned last at the end.
    pub(super) by_conv: Map<ConvIx, Vec<Pin>>,
}

/// A pinned message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pin {
    pub(super) id: u64,
    pub(super) operator: UserIx,
    pub(super) pinned: Pinned,
}

/// Why nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PinFault {
    /// No such message is kept in this conversation.
    NoMessage,
    /// It is not pinned.
    NotPinned,
    /// As many are pinned as a conversation has.
    TooMany,
}

/// The vendor's documents.
const PINS_MAX: usize = 20;

impl Pins {
    /// Of one conversation, the one that was pinned last at first.
    pub(super) fn of(&self, conv: ConvIx) -> impl Iterator<Item = Pin> + use<'_> {
        self.by_conv.get(&conv).into_iter().flatten().rev().copied()
    }

    /// The message is there no more. Whether it was pinned.
    pub(super) fn forget(&mut self, conv: ConvIx, id: u64) -> bool {
        let Some(pins) = self.by_conv.get_mut(&conv) else { return false };
        let before = pins.len();
        pins.retain(|pin| pin.id != id);
        let was_pinned = pins.len() < before;
        if pins.is_empty() {
            self.by_conv.swap_remove(&conv);
        }
        was_pinned
    }

    /// The conversation is no more.
    pub(super) fn forget_all(&mut self, conv: ConvIx) {
        self.by_conv.swap_remove(&conv);
    }
}

impl Server {
    /// Pins a message, or no longer, and tells everybody who is in the conversation. Pinned again, it comes to the
    /// front.
    pub(super) fn pin_message(
        &mut self,
        now: Millis,
        actor: &Actor<'_>,
        key: ConvKey,
        id: u64,
        set: Set,
    ) -> Result<(), PinFault> {
        let Found { conv, .. } = self.find_pinnable(actor.user, key, id).ok_or(PinFault::NoMessage)?;
        let was_pinned = self.pins.forget(conv, id);
        let op = match set {
            Set::On => {
                self.drop_gone_pins(conv);
                if self.pins.of(conv).count() >= PINS_MAX {
                    return Err(PinFault::TooMany);
                }
                let pin = Pin { id, operator: actor.user, pinned: Pinned { at: now, turn: self.inputs } };
                self.pins.by_conv.entry(conv).or_default().push(pin);
                "pin"
            }
            Set::Off if was_pinned => "pin_delete",
            Set::Off => return Err(PinFault::NotPinned),
        };
        // The id as it is, no JSON (rest.md, surprise 17).
        let news = self.conversation_news(now, actor, key, op, Some(&id.to_string()));
        let others: Vec<UserIx> = match key {
            ConvKey::Single(a, b) => vec![a, b],
            ConvKey::Muc(muc) => self.mucs.muc(muc).members.keys().copied().collect(),
            ConvKey::Service(_) => Vec::new(),
        };
        let others: Vec<UserIx> = others.into_iter().filter(|&user| user != actor.user).collect();
        let from = self.jid(actor.user, None);
        self.notify_all(now, &others, from, &news);
        self.notify_own_devices(now, actor, &news);
        Ok(())
    }

    /// What is pinned in a conversation and still kept, the one that was pinned last at first.
    pub(super) fn pinned(&self, conv: ConvIx) -> Vec<Pin> {
        let pins = self.pins.of(conv);
        pins.filter(|pin| self.queues.find_message(pin.id).is_some_and(|found| found.conv == conv)).collect()
    }

    fn drop_gone_pins(&mut self, conv: ConvIx) {
        let kept = self.pinned(conv);
        if let Some(pins) = self.pins.by_conv.get_mut(&conv) {
            pins.retain(|pin| kept.contains(pin));
        }
    }

    /// A message for people of that conversation.
    fn find_pinnable(&self, user: UserIx, key: ConvKey, id: u64) -> Option<Found> {
        let (found, _) = self.find_open(user, id)?;
        (self.queues.key(found.conv) == key).then_some(found)
    }
}
