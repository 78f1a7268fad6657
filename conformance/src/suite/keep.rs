//! What outlives a scenario beyond its judgement. Each worker makes it of the trace, which goes with the scenario: what
//! nobody asked for is never kept.

use std::path::{Path, PathBuf};

use crate::bundle::{Bundle, Circumstances};
use crate::judge::Finding;
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
    /// The seed of the run, which each tells.
    pub seed: u64,
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
    /// Why there is none, though it was to be written.
    pub(super) unwritten: Option<String>,
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
    pub(super) fn of(
        self,
        scenario: &Scenario,
        run: &Run,
        verdict: &Verdict,
        findings: &[(Finding, usize)],
        by: Circumstances<'_>,
    ) -> Remains {
        let trace = &run.trace;
        let devices = scenario.devices();
        let sent =
            if self.sent.has(verdict) { sent(&trace.rows, &trace.app_key, &devices) } else { Vec::new() };
        let evidence = self.evidence.has(verdict).then(|| Evidence::of(trace, &devices));
        let meant = self.bundles.filter(|bundles| match bundles.of {
            // Of a scenario that never came to the client there is nothing to play.
            _ if trace.rows.is_empty() && trace.marks.is_empty() => false,
            BundlesOf::All => true,
            BundlesOf::Failures => is_failure(verdict),
        });
        let written = meant.map(|Bundles { folder, seed, .. }| {
            let of = Circumstances { seed, ..by };
            Bundle::of(scenario, run, verdict, findings, of).write(folder)
        });
        let (bundle, unwritten) = match written {
            None => (None, None),
            Some(Ok(path)) => (Some(path), None),
            Some(Err(error)) => (None, Some(error.to_string())),
        };
        Remains { sent, evidence, bundle, unwritten }
    }
}

/// Whether somebody will want to know what happened.
pub(super) fn is_failure(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::Failed(_) | Verdict::Flaky(_) | Verdict::StaleKnownFailure(_) => true,
        Verdict::Passed | Verdict::KnownFailure { .. } | Verdict::Unsupported { .. } => false,
    }
}
