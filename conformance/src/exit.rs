//! What the exit code of `conformance` says: an interface that build servers rely on, so a number never changes its
//! meaning.

use std::process::ExitCode;

/// How a run of the program ended.
///
/// Where several apply, the one that comes first in [`Exit::ORDER`] is told: an interrupted run says so even if
/// something had failed by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Everything as expected.
    AsExpected = 0,
    /// A scenario failed, or passed only when it was tried again, or an exception has become stale or has expired.
    Failures = 1,
    /// The command line, or a scenario, client, report or bundle that it names, is wrong or cannot be read.
    Usage = 2,
    /// The client could not be started: no such program, no hello in time, another version of the protocol.
    NotStarted = 3,
    /// No scenario was evaluated: none is meant by the filters, or the client supports none of them.
    NothingRan = 4,
    /// The harness itself is at fault: its server did not start, a report could not be written, it panicked.
    Harness = 5,
    /// Nothing failed but records: `conformance review` shows them.
    SnapshotsPending = 6,
    /// Ctrl-C or SIGTERM: the reports tell of what ran until then. As shells have it, 128 and the signal's number.
    Interrupted = 130,
}

impl Exit {
    /// Which is told first where several apply.
    pub const ORDER: [Self; 8] = [
        Self::Interrupted,
        Self::Harness,
        Self::NotStarted,
        Self::Usage,
        Self::Failures,
        Self::SnapshotsPending,
        Self::NothingRan,
        Self::AsExpected,
    ];

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// The one of two that is told.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        let place = |one: Self| Self::ORDER.iter().position(|other| *other == one);
        if place(self) <= place(other) { self } else { other }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}
