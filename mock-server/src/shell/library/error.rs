//! Why a call of a world's handle was refused, in words for whoever reads a failed test. What was refused changed nothing.

use std::fmt::{self, Write as _};

use crate::catalog::StageError;
use crate::control::{ClockBackwards, CommandsRefused, ControlError};
use crate::control_api::{CLOCK_MS_MAX, NotInTime};
use crate::machine::state::{CONTENT_BYTES_MAX, StateFault};
use crate::rule::RuleError;
use crate::traffic::Unasked;

/// Why a call of a [`WorldHandle`](super::WorldHandle) was refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WorldError {
    /// What was to be an app key is none.
    #[error("{0:?} is no app key: org#app is expected, such as easemob#demo")]
    NoAppKey(String),
    /// The server holds no more worlds.
    #[error("every world that the server can hold is in use; close some of their connections")]
    NoRoom,
    /// The server is gone.
    #[error("the server has stopped: keep its MockServer for as long as its worlds are used")]
    Stopped,
    /// A command that makes no sense in this world.
    #[error(transparent)]
    Refused(#[from] ControlError),
    /// One of several commands, none of which was done.
    #[error(transparent)]
    CommandsRefused(#[from] CommandsRefused),
    /// A rule that cannot be read.
    #[error(transparent)]
    BadRule(#[from] RuleError),
    /// The rule was taken back, or its world made anew.
    #[error("rule {0} is not armed in this world any more: it was cleared, or the world reset")]
    RuleGone(u64),
    /// A name that the catalog lacks, or that nobody can have.
    #[error(transparent)]
    NotStaged(#[from] StageError),
    /// A question of rows that makes no sense.
    #[error(transparent)]
    Unasked(#[from] Unasked),
    /// Nothing was to be waited for.
    #[error("count: at least one row can be waited for, not 0")]
    NothingWanted,
    /// What was waited for did not come; what came nearest is told.
    #[error("{}", NotInTimeInWords(.0))]
    NotInTime(Box<NotInTime>),
    /// The world was forgotten, reset or made anew while it was waited for.
    #[error("the world was forgotten or made anew meanwhile, and its rows with it")]
    Gone,
    /// The world's rows are not kept.
    #[error(
        "no tape is kept of this world: start the server with Options {{ tape: true, ..Options::default() }}"
    )]
    NoTape,
    /// What the world still waits for.
    #[error("not quiet in time: {}", .0.join("; "))]
    NotQuiet(Vec<String>),
    /// Time never goes backwards.
    #[error(transparent)]
    ClockBackwards(#[from] ClockBackwards),
    /// Behind that moment dates have no common spelling.
    #[error("a clock goes to {CLOCK_MS_MAX} ms, the end of the year 9999, and {0} ms is behind it")]
    ClockTooFar(u64),
    /// A state that does not hold together.
    #[error("nothing was done: {0}")]
    BadState(#[from] StateFault),
    /// A state of other worlds than the one it was to be put in the place of.
    #[error("nothing was done: a state of {wanted} alone is expected, and this has {}", there(found))]
    OtherWorld {
        /// The world's app key.
        wanted: String,
        /// Those of the state.
        found: Vec<String>,
    },
    /// A state would lack attachments.
    #[error(
        "{files} attachments with {bytes} bytes do not fit: a state has at most {CONTENT_BYTES_MAX} bytes of them"
    )]
    AttachmentsTooLarge {
        /// How many do not fit.
        files: usize,
        /// What they weigh.
        bytes: u64,
    },
}

fn there(app_keys: &[String]) -> String {
    match app_keys {
        [] => "no world".to_owned(),
        several => several.join(", "),
    }
}

struct NotInTimeInWords<'a>(&'a NotInTime);

impl fmt::Display for NotInTimeInWords<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let NotInTime { error: _, error_description, rows, near } = self.0;
        f.write_str(error_description)?;
        for row in rows {
            write!(f, "\n  came: row {}, {}", row.n, row.line)?;
        }
        for miss in near {
            write!(f, "\n  near: row {}, {}", miss.row.n, miss.row.line)?;
            write!(f, "\n        but {}", miss.why)?;
        }
        f.write_char('\n')
    }
}
