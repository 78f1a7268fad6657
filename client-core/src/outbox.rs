//! What was given to be sent and has not been answered: messages, receipts, changes of messages, roster
//! operations and moves between rooms, in order.
//!
//! An entry leaves by its answer, by giving up, or with the client. When the link goes, everything that is
//! still here counts as unsent and goes out again on the next link under the same id, which lets the server
//! recognise what it has had already (clause send.dedupe); what was sent often enough leaves then, so that a
//! message on which the server closes the link does not close every link to come. Nothing here knows links
//! or events.

use std::collections::{BTreeMap, VecDeque};

use fixtures::wire::MSync;

use crate::contacts::RosterChange;
use crate::error::CommandError;
use crate::message::{Identity, LocalId, Message};
use crate::modify::Edit;
use crate::receipt::Receipt;
use crate::room::RoomMove;
use crate::timer::Millis;

/// How many may wait for an answer: ten times the largest burst that the scenarios send.
pub(crate) const OUTBOX_LIMIT: usize = 10_000;
/// How long an answer may take, in ms, as in 4.x (wire-4x §5.2).
pub(crate) const ANSWER_LIMIT_MS: u64 = 15_000;
/// How often one entry is sent before it fails: an answer that is lost twice in a row is no accident.
pub(crate) const SEND_TRIES: u32 = 3;

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    entries: BTreeMap<LocalId, Entry>,
    /// Ids of `entries` that are yet to go out on the present link.
    unsent: VecDeque<LocalId>,
    /// What is out on the present link and until when its answer may take, in the order sent, which is not that
    /// of the ids: the message of an upload goes out when that is done. An entry that was answered stays until it
    /// comes to the front.
    awaited: VecDeque<(Millis, LocalId)>,
}

#[derive(Debug)]
struct Entry {
    outgoing: Outgoing,
    tries: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outgoing {
    Message(Message),
    Receipt(Receipt),
    Roster(RosterChange),
    Edit(Edit),
    Room(RoomMove),
}

/// What is to be done about answers that did not come.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Overdue {
    /// Tried often enough: taken out.
    pub(crate) given_up: Vec<(LocalId, Outgoing)>,
    /// Others should be sent again, on another link.
    pub(crate) retry: bool,
}

impl Outbox {
    pub(crate) fn push(&mut self, id: LocalId, outgoing: Outgoing) -> Result<(), CommandError> {
        if self.entries.len() >= OUTBOX_LIMIT {
            return Err(CommandError::OutboxFull { limit: OUTBOX_LIMIT });
        }
        self.entries.insert(id, Entry { outgoing, tries: 0 });
        self.unsent.push_back(id);
        Ok(())
    }

    /// The next frame that should go out now.
    pub(crate) fn next_frame(&mut self, now: Millis, me: &Identity) -> Option<MSync> {
        while let Some(id) = self.unsent.pop_front() {
            let Some(entry) = self.entries.get_mut(&id) else { continue };
            entry.tries += 1;
            self.awaited.push_back((now.after(ANSWER_LIMIT_MS), id));
            return Some(entry.outgoing.to_wire(id, me));
        }
        None
    }

    /// The link is gone: whatever has no answer is to be sent again, in the old order.
    ///
    /// Takes out the oldest entry if it has been sent [`SEND_TRIES`] times. Only that one: a server answers in
    /// order, so what stands behind a message on which it closes the link was sent as often through no fault
    /// of its own. If the next is no better, the next loss takes it.
    pub(crate) fn link_lost(&mut self) -> Option<(LocalId, Outgoing)> {
        let worn_out = self.entries.first_entry().filter(|entry| entry.get().tries >= SEND_TRIES);
        let given_up = worn_out.map(|entry| (*entry.key(), entry.remove().outgoing));
        self.awaited.clear();
        self.unsent = self.entries.keys().copied().collect();
        given_up
    }

    /// Takes out what was answered; `None` when the answer was had before.
    pub(crate) fn answered(&mut self, id: LocalId) -> Option<Outgoing> {
        let entry = self.entries.remove(&id)?;
        while self.awaited.front().is_some_and(|(_, first)| !self.entries.contains_key(first)) {
            self.awaited.pop_front();
        }
        Some(entry.outgoing)
    }

    pub(crate) fn overdue(&mut self, now: Millis) -> Overdue {
        let mut overdue = Overdue::default();
        while let Some((_, id)) = self.awaited.front().copied().filter(|(answer_by, _)| *answer_by <= now) {
            self.awaited.pop_front();
            let Some(entry) = self.entries.get(&id) else { continue };
            if entry.tries < SEND_TRIES {
                overdue.retry = true;
            } else if let Some(outgoing) = self.answered(id) {
                overdue.given_up.push((id, outgoing));
            }
        }
        overdue
    }

    /// All wait equally long, so the first that was sent is due first.
    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.awaited.front().map(|(answer_by, _)| *answer_by)
    }

    /// Everything, in order: the connection is gone for good.
    pub(crate) fn drain(&mut self) -> Vec<(LocalId, Outgoing)> {
        self.unsent.clear();
        self.awaited.clear();
        std::mem::take(&mut self.entries).into_iter().map(|(id, entry)| (id, entry.outgoing)).collect()
    }
}

impl Outgoing {
    fn to_wire(&self, id: LocalId, me: &Identity) -> MSync {
        match self {
            Self::Message(message) => message.to_wire(id, me),
            Self::Receipt(receipt) => receipt.to_wire(id, me),
            Self::Roster(change) => change.to_wire(id, me),
            Self::Edit(edit) => edit.to_wire(id, me),
            Self::Room(going) => going.to_wire(id, me),
        }
    }
}
