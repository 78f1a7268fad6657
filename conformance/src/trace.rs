//! All that is known of one run of a scenario, raw: what went over the wires, what the harness and the client said to
//! each other, and which step was being taken meanwhile. Evidence for people and bundles for replays are made of it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mock_server::journal::{Entry, Given};
use mock_server::tape::Row;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::host::RowCount;

/// How many marks a trace keeps; then the oldest go. The largest scenario has some ten thousand.
pub const MARKS_MAX: usize = 50_000;
/// The same in bytes of their text: a client may show events of a megabyte, and a worker should not need more than its
/// server does.
pub const MARK_BYTES_MAX: usize = 16 << 20;

/// One run of a scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The world that it ran in, `org#app`.
    pub app_key: String,
    /// The world's tape.
    pub rows: Vec<Row>,
    /// How many rows at its start are only the logins of `given.online`, the same in every scenario.
    pub staged: usize,
    /// What was said and done, in order. Of `sync` and its answers, which come by the hundred, there is none.
    pub marks: Vec<Mark>,
    /// How many marks at the beginning had to go, by [`MARKS_MAX`] and [`MARK_BYTES_MAX`].
    pub marks_left_out: usize,
    /// All that the world's machine was given, for a replay; `None` where it is not known.
    pub journal: Option<Vec<Entry>>,
    /// What the client wrote to its stderr; of much the end.
    pub stderr: String,
}

/// Something that the harness did or heard, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// How many rows the tape had by then: the mark stands before the row of this index.
    pub row: usize,
    /// The step that was being taken, from 1; `None` before the first and after the last.
    pub step: Option<usize>,
    /// What it was.
    pub what: Marked,
}

/// What a mark tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Marked {
    /// A step began; the line in the scenario's file.
    Step {
        /// From 1.
        line: usize,
    },
    /// The harness wrote this line to the client.
    Asked(String),
    /// The client wrote this line: an answer or an event.
    Said(String),
    /// The harness did this to the world: a control command, as JSON.
    Control(String),
    /// The harness moved the world's clock by so many ms.
    Advanced {
        /// How much.
        ms: u64,
    },
}

/// Where marks are made while a scenario runs, by the harness and by the driver alike: clones note in the same place.
#[derive(Clone, Debug)]
pub struct Recorder {
    length: Arc<dyn RowCount>,
    notes: Arc<Mutex<Notes>>,
}

#[derive(Debug, Default)]
struct Notes {
    marks: VecDeque<Mark>,
    bytes: usize,
    left_out: usize,
    step: Option<usize>,
}

impl Trace {
    /// The seed by which the world was nasty; `None`: it was not, or that is not known.
    pub fn nasty(&self) -> Option<u64> {
        match self.journal.as_ref()?.first()?.given {
            Given::Made { nasty, .. } => nasty,
            Given::Opened { .. }
            | Given::Frame { .. }
            | Given::Closed { .. }
            | Given::Http { .. }
            | Given::Webhook { .. }
            | Given::AtDoor { .. }
            | Given::Timeout
            | Given::Control(_)
            | Given::Stopped(_)
            | Given::Running
            | Given::Advanced { .. } => None,
        }
    }
}

impl Recorder {
    /// For the world whose tape has this length.
    pub fn new(length: Arc<dyn RowCount>) -> Self {
        Self { length, notes: Arc::default() }
    }

    /// How many rows the tape has had by now.
    pub fn rows(&self) -> usize {
        self.length.rows()
    }

    /// The step of this number begins, which stands in this line. What follows belongs to it.
    pub fn step(&self, number: usize, line: usize) {
        self.notes().step = Some(number);
        self.note(Marked::Step { line });
    }

    /// The last step is over.
    pub fn steps_are_over(&self) {
        self.notes().step = None;
    }

    /// Something was said or done.
    pub fn note(&self, what: Marked) {
        let row = self.length.rows();
        let mut notes = self.notes();
        let step = notes.step;
        notes.bytes += what.bytes();
        notes.marks.push_back(Mark { row, step, what });
        while notes.marks.len() > MARKS_MAX || notes.bytes > MARK_BYTES_MAX {
            let Some(oldest) = notes.marks.pop_front() else { break };
            notes.bytes -= oldest.what.bytes();
            notes.left_out += 1;
        }
    }

    /// What was noted since this was last asked, beside the tape of the world, of whose rows the first `staged` are only
    /// logins.
    pub fn trace(&self, app_key: String, staged: usize, tape: impl FnOnce() -> Vec<Row>) -> Trace {
        // Rows that have made room are counted, and are no rows of the trace.
        let counted = self.length.rows();
        let rows = tape();
        let gone = counted.saturating_sub(rows.len());
        let Notes { mut marks, left_out, .. } = std::mem::take(&mut *self.notes());
        for mark in &mut marks {
            mark.row = mark.row.saturating_sub(gone);
        }
        let staged = staged.saturating_sub(gone);
        Trace { app_key, rows, staged, marks: marks.into(), marks_left_out: left_out, ..Trace::default() }
    }

    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Marked {
    /// What it takes beside the mark itself.
    fn bytes(&self) -> usize {
        match self {
            Self::Asked(text) | Self::Said(text) | Self::Control(text) => text.len(),
            Self::Step { .. } | Self::Advanced { .. } => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use mock_server::tape::TapeLength;

    use super::*;

    #[test]
    fn a_mark_stands_where_the_tape_was() {
        let length = TapeLength::default();
        let recorder = Recorder::new(Arc::new(length.clone()));
        recorder.note(Marked::Asked("create".to_owned()));
        length.count();
        recorder.step(1, 7);
        length.count();
        recorder.note(Marked::Said("opened".to_owned()));
        recorder.steps_are_over();
        recorder.note(Marked::Advanced { ms: 5 });
        let trace = recorder.trace("org#app".to_owned(), 0, Vec::new);
        // The two rows have made room for others.
        let places: Vec<_> = trace.marks.iter().map(|mark| (mark.row, mark.step)).collect();
        assert_eq!(places, [(0, None), (0, Some(1)), (0, Some(1)), (0, None)]);
        assert!(recorder.trace(String::new(), 0, Vec::new).marks.is_empty());
    }

    #[test]
    fn of_too_much_the_end_is_kept() {
        let recorder = Recorder::new(Arc::new(TapeLength::default()));
        let line = "x".repeat(1 << 20);
        for _ in 0..20 {
            recorder.note(Marked::Said(line.clone()));
        }
        recorder.note(Marked::Asked("the last".to_owned()));
        let trace = recorder.trace(String::new(), 0, Vec::new);
        assert_eq!((trace.marks.len(), trace.marks_left_out), (16, 5));
        assert_eq!(trace.marks.last().map(|mark| &mark.what), Some(&Marked::Asked("the last".to_owned())));
    }
}
