//! What outlives a scenario beyond its judgement. Each worker makes it of the trace, which goes with the scenario: what
//! nobody asked for is never kept.

use std::path::{Path, PathBuf};

use crate::report::model::Evidence;
use crate::run::Run;
use crate::scenario::Scenario;
use crate::transcript::{Sent, sent};
use crate::verdict::Verdict;

/// What is to be kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep<'a> {
    /// All that the client sent, for a comparison of two clients.
    pub sent: Kept,
    /// What a report shows of a run.
    pub evidence: Kept,
    /// Where bundles go, and of which scenarios; `None`: none is written.
    pub bundles: Option<Bundles<'a>>,
}

/// Whether something is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    /// Of no scenario.
    #[default]
    Nothing,
    /// Of those that were not as expected.
    Failures,
    /// Of every scenario.
    All,
}

/// Which bundles are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bundles<'a> {
    /// The folder; a client has one of its own below it.
    pub folder: &'a Path,
    /// Of which scenarios.
    pub of: BundlesOf,
}

/// Of which scenarios a bundle is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BundlesOf {
    /// Of those that were not as expected.
    Failures,
    /// Of every scenario that was begun.
    All,
}

/// What was kept of one scenario.
#[derive(Debug, Default)]
pub(super) struct Remains {
    pub(super) sent: Vec<Sent>,
    pub(super) evidence: Option<Evidence>,
    pub(super) bundle: Option<PathBuf>,
}

impl Kept {
    fn has(self, verdict: &Verdict) -> bool {
        match self {
            Self::Nothing => false,
            Self::Failures => is_failure(verdict),
            Self::All => true,
        }
    }
}

impl Keep<'_> {
    /// Takes from a run what is to be kept.
    pub(super) fn of(self, scenario: &Scenario, run: &Run, verdict: &Verdict) -> Remains {
        let trace = &run.trace;
        let devices = scenario.devices();
        let sent =
            if self.sent.has(verdict) { sent(&trace.rows, &trace.app_key, &devices) } else { Vec::new() };
        let evidence = self.evidence.has(verdict).then(|| Evidence::of(trace, &devices));
        let bundle = self.bundles.filter(|bundles| match bundles.of {
            BundlesOf::All => true,
            BundlesOf::Failures => is_failure(verdict),
        });
        let bundle = bundle.and(None);
        Remains { sent, evidence, bundle }
    }
}

/// Whether somebody will want to know what happened.
pub(super) fn is_failure(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Failed(_) | Verdict::Flaky(_) | Verdict::StaleKnownFailure(_) => true,
        Verdict::Passed | Verdict::KnownFailure { .. } | Verdict::Unsupported { .. } => false,
    }
}
