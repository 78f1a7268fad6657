//! What a run is told as: lines for a person, JSON for a program.

mod difference;
pub mod evidence;
mod failure;
pub mod github;
pub mod html;
pub mod json;
pub mod junit;
pub mod model;
mod pointer;
pub mod terminal;

use crate::suite::Suite;
use crate::verdict::Verdict;

/// How many scenarios came to which end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As expected.
    pub passed: usize,
    /// Not as expected, or a known failure that passed.
    pub failed: usize,
    /// Not as expected, as the client's file says.
    pub known_failures: usize,
    /// The client lacks something, as its file says.
    pub unsupported: usize,
}

impl Tally {
    /// Counts.
    pub fn of(suite: &Suite<'_>) -> Self {
        let mut tally = Self::default();
        for one in &suite.evaluated {
            match one.verdict {
                Verdict::Passed => tally.passed += 1,
                Verdict::Failed(_) | Verdict::StaleKnownFailure(_) => tally.failed += 1,
                Verdict::KnownFailure { .. } => tally.known_failures += 1,
                Verdict::Unsupported { .. } => tally.unsupported += 1,
            }
        }
        tally
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { passed, failed, known_failures, unsupported } = self;
        write!(
            f,
            "{passed} passed, {failed} failed, {known_failures} known failures, {unsupported} unsupported"
        )
    }
}
