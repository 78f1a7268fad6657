//! A world as a document, and a document put in the place of a world.

use std::collections::BTreeSet;
use std::io;

use bytes::Bytes;

use super::World;
use super::choice::Choices;
use crate::journal::NoJournal;
use crate::machine::state::{At, CONTENT_BYTES_MAX, ClockState, StateFault, WorldState};
use crate::machine::{BlobId, Close, Server};
use crate::shell::blobs::Blobs;
use crate::shell::clock::Clock;
use crate::shell::doors::Doors;

/// A world that was read from a document and is nowhere yet. Dropped, its attachments go.
pub(in crate::shell) struct Loaded<'a> {
    machine: Server,
    clock: ClockState,
    doors: Doors,
    kept: Kept<'a>,
}

struct Kept<'a> {
    blobs: &'a Blobs,
    ids: BTreeSet<BlobId>,
}

/// The attachments that still fit into a document.
pub(in crate::shell) struct Contents<'a> {
    blobs: &'a Blobs,
    left_bytes: u64,
    /// How many did not fit, and their bytes.
    pub(in crate::shell) left_out: (usize, u64),
}

impl<'a> Contents<'a> {
    pub(in crate::shell) fn new(blobs: &'a Blobs) -> Self {
        Self { blobs, left_bytes: CONTENT_BYTES_MAX, left_out: (0, 0) }
    }

    fn read(&mut self, blob: BlobId) -> Option<Bytes> {
        let blob = self.blobs.find(blob)?;
        if blob.bytes() > self.left_bytes {
            self.left_out = (self.left_out.0 + 1, self.left_out.1 + blob.bytes());
            return None;
        }
        match blob.whole() {
            Ok(content) => {
                self.left_bytes -= blob.bytes();
                Some(content)
            }
            Err(error) => {
                tracing::error!("an attachment cannot be read, and its state goes without it: {error}");
                None
            }
        }
    }
}

impl<'a> Loaded<'a> {
    /// Reads a world. Whatever does not fit, nothing of it is left.
    pub(in crate::shell) fn read(
        state: &WorldState,
        at: &At<'_>,
        blobs: &'a Blobs,
    ) -> Result<Self, StateFault> {
        let mut kept = Kept { blobs, ids: BTreeSet::new() };
        let machine = Server::from_state(state, at, &mut |content| {
            let blob = blobs.keep_whole(&content).map_err(|error| cannot_keep(&error))?;
            kept.ids.insert(blob);
            Ok(blob)
        })?;
        let doors = Doors::resumed(&state.faults, &at.field("faults"))?;
        Ok(Self { machine, clock: state.clock, doors, kept })
    }
}

fn cannot_keep(error: &io::Error) -> String {
    format!("the attachment cannot be kept: {error}; make room in the system's temporary folder")
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        self.ids.iter().for_each(|blob| self.blobs.forget(*blob));
    }
}

impl World {
    /// What it is just now.
    pub(in crate::shell) fn state(&self, contents: &mut Contents<'_>) -> WorldState {
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        let clock = state.clock.saved();
        let mut whole = state.machine.state(now, &mut |blob| contents.read(blob));
        whole.clock = clock;
        (whole.faults.doors, whole.faults.doors_ever) = self.doors().saved();
        whole
    }

    /// Rises with all that is done to it.
    pub(in crate::shell) fn changes(&self) -> u64 {
        self.changes.get()
    }

    pub(super) fn has_changed(&self) {
        self.changes.set(self.changes.get() + 1);
    }

    /// Puts another world in the place of what it was, and cuts every connection: clients come again, into what is
    /// there now. Says how many those were.
    pub(in crate::shell) fn place(&self, loaded: Loaded<'_>) -> usize {
        let Loaded { mut machine, clock, doors, mut kept } = loaded;
        *self.doors_mut() = doors;
        let mut state = self.state.borrow_mut();
        machine.succeed(&state.machine);
        state.machine = machine;
        state.clock = Clock::of(&clock);
        state.ghosts.clear();
        // Their rules are gone, and others may have the same numbers.
        state.choices = Choices::default();
        // Whoever waits for an answer learns that there will be none.
        state.asked.clear();
        for blob in std::mem::replace(&mut state.kept, std::mem::take(&mut kept.ids)) {
            self.blobs.forget(blob);
        }
        if let Some(tape) = &state.tape {
            // What went before belongs to another world.
            tape.give_up_journal(NoJournal::Placed);
        }
        let conns: Vec<_> = state.conns.values().cloned().collect();
        self.set_timer(&mut state);
        drop(state);
        conns.iter().for_each(|conn| conn.end(Close::Cut));
        // What is slow on purpose goes by this world's time from now on.
        self.wake_sleepers();
        self.has_changed();
        self.tell_watchers();
        conns.len()
    }
}
