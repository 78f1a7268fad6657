//! Waiting for rows of a world's tape instead of sleeping: whoever waits is woken by each row, and told what came nearest
//! when it was not what was asked for.

use std::rc::Rc;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::timeout;

use super::tapes::{Reader, Tape};
use crate::control_api::{NotInTime, Waited};
use crate::traffic::{Question, TrafficRow};

/// What is waited for.
pub(super) struct Wanted {
    pub(super) question: Question,
    /// Only rows behind this one.
    pub(super) after: Option<usize>,
    /// How many; at least one. A page counts for each message in it that is asked for.
    pub(super) count: usize,
    /// How long, in real time: a world's clock may stand still.
    pub(super) within: Duration,
}

/// Why what was waited for did not come.
pub(super) enum Unmet {
    NotInTime(Box<NotInTime>),
    /// The world is gone.
    Gone,
}

/// How many rows are looked at before others are served: reading a frame takes some µs.
const LOOKED_AT_MAX: usize = 1_000;

/// Waits until the rows are there.
pub(super) async fn wait(tape: &Rc<Tape>, wanted: Wanted) -> Result<Waited, Unmet> {
    let Wanted { question, after, count, within } = wanted;
    let reader = Reader::new(tape);
    let from = after.map_or(0, |after| after.saturating_add(1));
    let mut found = Found { rows: Vec::new(), count: 0, next: from, lost: 0 };
    // What is there already is looked at whole, however little time there is.
    let there = tape.length().get();
    while found.next < there && found.count < count && !tape.is_ended() {
        found.look(tape, &question, count);
        yield_now().await;
    }
    let come = async {
        while found.count < count && !tape.is_ended() {
            if found.next < tape.length().get() {
                found.look(tape, &question, count);
                yield_now().await;
            } else {
                // Changes without a row are none of its business.
                reader.tape().more_than(found.next, u64::MAX).await;
            }
        }
    };
    let _late = timeout(within, come).await;
    let Found { rows, count: came, next, lost } = found;
    if came >= count {
        return Ok(Waited { last: next.saturating_sub(1), rows });
    }
    if tape.is_ended() {
        return Err(Unmet::Gone);
    }
    let near = tape.look(|kept| question.nearest(kept.rows(from)));
    let ms = within.as_millis();
    let mut description = format!("of {count} {came} came within {ms} ms of real time");
    if near.is_empty() && came == 0 {
        description.push_str("; nothing came that is like it");
    }
    if lost > 0 {
        description.push_str(&format!(
            "; {lost} rows made room before they were looked at: make the world anew with a larger tape_rows_max"
        ));
    }
    Err(Unmet::NotInTime(Box::new(NotInTime {
        error: "not_in_time".to_owned(),
        error_description: description,
        rows,
        near,
    })))
}

struct Found {
    rows: Vec<TrafficRow>,
    /// How many of what is wanted are in them.
    count: usize,
    /// The number of the next row to look at.
    next: usize,
    /// How many rows went before they were looked at.
    lost: usize,
}

impl Found {
    /// Goes on by some rows.
    fn look(&mut self, tape: &Tape, question: &Question, count: usize) {
        tape.look(|kept| {
            // What made room before anybody waited is not missed.
            if self.next > 0 {
                self.lost += kept.first().saturating_sub(self.next);
            }
            self.next = self.next.max(kept.first());
            for seen in kept.rows(self.next).take(LOOKED_AT_MAX) {
                self.next = seen.number() + 1;
                let there = question.count(&seen);
                if there > 0 {
                    self.count += there;
                    self.rows.push(TrafficRow::of(&seen));
                }
                if self.count >= count {
                    return;
                }
            }
        });
    }
}
