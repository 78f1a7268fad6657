//! A world's tape, for those who read it whole or in parts, or want one of a world that has none.

use std::rc::Rc;

use super::{TapeBounds, World};
use crate::journal::{Entry, Journal, NoJournal};
use crate::shell::tapes::Tape;
use crate::tape::{Row, TapeLength};

impl World {
    /// Its tape, if one is kept.
    pub(in crate::shell) fn taped(&self) -> Option<Rc<Tape>> {
        self.state.borrow().tape.clone()
    }

    /// Of no tape, it stays 0.
    pub(in crate::shell) fn tape_len(&self) -> TapeLength {
        self.taped().map(|tape| tape.length().clone()).unwrap_or_default()
    }

    pub(in crate::shell) fn tape(&self) -> Vec<Row> {
        let rows = |tape: Rc<Tape>| tape.look(|kept| kept.rows(0).map(|seen| seen.row().clone()).collect());
        self.taped().map(rows).unwrap_or_default()
    }

    /// What the machine was given. `None`: no tape is kept.
    pub(in crate::shell) fn journal(&self) -> Option<Result<Vec<Entry>, NoJournal>> {
        Some(self.taped()?.look(|kept| kept.journal().map(<[Entry]>::to_vec)))
    }

    /// Keeps a tape within these bounds from now on; of one that is kept already, only the rows are bounded anew, and the
    /// oldest go that are too many.
    pub(in crate::shell) fn keep_tape(&self, TapeBounds { rows_max, bytes_max }: TapeBounds) {
        let mut state = self.state.borrow_mut();
        match &state.tape {
            Some(tape) => tape.keep(rows_max),
            None => {
                let tape = self.tapes.begin(rows_max, bytes_max, Journal::begun_late());
                // Their logins are on no row.
                for (conn, user, device) in state.machine.logged_in() {
                    tape.behind(conn, user, device);
                }
                state.tape = Some(tape);
            }
        }
    }

    /// Looks at the names of its users.
    pub(in crate::shell) fn with_users<T>(&self, look: impl FnOnce(&[&str]) -> T) -> T {
        let state = self.state.borrow();
        let users: Vec<&str> = state.machine.user_names().collect();
        look(&users)
    }

    /// How many rows the tape has had, and of those from number `from` on the first `rows_max`, with the number of the
    /// first: fewer where they weigh more than `bytes_max`, but one at least. `None`: no tape is kept.
    pub(in crate::shell) fn tape_part(
        &self,
        from: usize,
        rows_max: usize,
        bytes_max: usize,
    ) -> Option<(usize, usize, Vec<Row>)> {
        let part = |tape: Rc<Tape>| {
            tape.look(|kept| {
                let mut bytes = 0;
                let first = from.max(kept.first()).min(kept.rows_ever());
                let rows = kept.rows(from).take(rows_max).enumerate().take_while(|(index, seen)| {
                    bytes += seen.row().event.long_bytes();
                    *index == 0 || bytes <= bytes_max
                });
                let rows = rows.map(|(_, seen)| seen.row().clone()).collect();
                (kept.rows_ever(), first, rows)
            })
        };
        self.taped().map(part)
    }
}
