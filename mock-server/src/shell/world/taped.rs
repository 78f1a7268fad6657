//! A world's tape, for those who read it in parts or want one of a world that has none.

use std::collections::VecDeque;

use super::{Tape, World};
use crate::journal::Journal;
use crate::tape::{Event, Row, TapeLength};

impl World {
    /// Keeps a tape of so many rows from now on; of one that is kept already, the oldest rows go that are too many.
    pub(in crate::shell) fn keep_tape(&self, rows_max: usize) {
        let mut state = self.state.borrow_mut();
        let tape = state.tape.get_or_insert_with(|| Tape {
            rows: VecDeque::new(),
            rows_max,
            length: TapeLength::default(),
            journal: Journal::given_up(rows_max),
        });
        tape.rows_max = rows_max;
        let surplus = tape.rows.len().saturating_sub(rows_max);
        tape.rows.drain(..surplus);
    }

    /// How many rows the tape has had, and of those from number `from` on the first `rows_max`, with the number of the
    /// first: fewer where they weigh more than `bytes_max`, but one at least. `None`: no tape is kept.
    pub(in crate::shell) fn tape_part(
        &self,
        from: usize,
        rows_max: usize,
        bytes_max: usize,
    ) -> Option<(usize, usize, Vec<Row>)> {
        let state = self.state.borrow();
        let tape = state.tape.as_ref()?;
        let rows_ever = tape.length.get();
        let gone = rows_ever - tape.rows.len();
        let skipped = from.saturating_sub(gone).min(tape.rows.len());
        let mut bytes = 0;
        let rows = tape.rows.range(skipped..).take(rows_max).enumerate().take_while(|(index, row)| {
            bytes += weight(&row.event);
            *index == 0 || bytes <= bytes_max
        });
        let rows = rows.map(|(_, row)| row.clone()).collect();
        Some((rows_ever, gone + skipped, rows))
    }
}

/// What strangers can make long in a row.
fn weight(event: &Event) -> usize {
    match event {
        Event::Frame { bytes, .. } => bytes.len(),
        Event::Http { path, body, answer, .. } => path.len() + body.len() + answer.len(),
        Event::Closed { why, .. } => why.len(),
        Event::LoggedIn { user, resource, .. } => user.len() + resource.len(),
        Event::Opened { .. } | Event::Muted { .. } => 0,
    }
}
