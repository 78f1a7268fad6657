//! How much of a journal happened before a step.

use mock_server::journal::{Entry, Given};

use super::Unplayable;
use crate::bundle::Bundle;
use crate::trace::Marked;

/// A moment of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The step that was about to be taken, and its line; `None`: the end.
    pub step: Option<(usize, usize)>,
    /// How many entries of the journal were before.
    pub entries: usize,
}

/// Just before a step, counted from 1; at the end without one.
pub fn until(bundle: &Bundle, step: Option<usize>) -> Result<Place, Unplayable> {
    let journal = bundle.journal.as_ref().ok_or(Unplayable::NoJournal)?;
    let Some(step) = step else { return Ok(Place { step: None, entries: journal.len() }) };
    let began = bundle.marks.iter().enumerate().find_map(|(index, mark)| match mark.what {
        Marked::Step { line } if mark.step == Some(step) => Some((index, mark.row, line)),
        Marked::Step { .. }
        | Marked::Asked(_)
        | Marked::Said(_)
        | Marked::Control(_)
        | Marked::Advanced { .. } => None,
    });
    let Some((mark, row, line)) = began else { return Err(no_such_step(bundle, step)) };
    let did = |what: &Marked| matches!(what, Marked::Control(_) | Marked::Advanced { .. });
    let done = bundle.marks[..mark].iter().filter(|mark| did(&mark.what)).count();
    // With marks left out, what the harness did cannot be counted, and the tape alone has to tell.
    let counted = (bundle.marks_left_out == 0).then_some(done);
    let mut seen = 0;
    let is_after = |entry: &Entry| match entry.given {
        Given::Made { .. } | Given::Stopped(_) | Given::Running => false,
        Given::Opened { .. }
        | Given::Frame { .. }
        | Given::Closed { .. }
        | Given::Http { .. }
        | Given::Webhook { .. }
        | Given::AtDoor { .. }
        | Given::Timeout => entry.row >= row,
        Given::Control(_) | Given::Advanced { .. } => {
            seen += 1;
            counted.map_or(entry.row >= row, |counted| seen > counted)
        }
    };
    let entries = journal.iter().position(is_after).unwrap_or(journal.len());
    Ok(Place { step: Some((step, line)), entries })
}

fn no_such_step(bundle: &Bundle, step: usize) -> Unplayable {
    let last = bundle.steps().last().map(|(_, step, _)| step);
    let (ends, hint) = match last {
        None => ("before the first step".to_owned(), "leave --until out for its end".to_owned()),
        Some(last) => (
            format!("in step {last}"),
            format!("give a number from 1 to {last}, or leave --until out for its end"),
        ),
    };
    Unplayable::NoSuchStep { step, ends, hint }
}
