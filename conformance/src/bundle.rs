//! One run of one scenario as a file: what `conformance replay` needs to have it happen again, without the client or
//! without the server. [`Bundle::write`] never leaves half a file behind, [`Bundle::read`] takes nothing on trust.
//!
//! Users, passwords and tokens in it are those that the scenario made up for its own world: nothing in a bundle is
//! secret, unless the client's stderr or its lines say what they should not.

mod file;

use std::path::PathBuf;

use mock_server::journal::Entry;
use mock_server::machine::Millis;
use mock_server::redact::Redaction;
use mock_server::tape::Row;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::driver::Hello;
use crate::judge::Finding;
use crate::report::model::VerdictWord;
use crate::run::{Failure, Limits, Outcome, Run};
use crate::scenario::Scenario;
use crate::trace::{Mark, Marked};
use crate::verdict::Verdict;

pub use file::{BUNDLE_BYTES_MAX, BundleError};

/// The version of this format. Fields are never taken away within one; with a field more it counts up, for an older
/// program must not overlook what a replay needs.
pub const FORMAT: u32 = 2;

/// One run of one scenario.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// [`FORMAT`]; its name says what the file is.
    pub bundle: u32,
    /// The version of the harness that wrote it.
    pub harness: String,
    /// The seed of the run.
    pub seed: u64,
    /// What was run.
    pub scenario: ScenarioOf,
    /// Whom it was run on.
    pub client: ClientOf,
    /// How long a step waited for an event, in ms.
    pub expect_ms: u64,
    /// How long it waited for quiet, in ms.
    pub quiet_ms: u64,
    /// How far the scenario came.
    pub ended: Ended,
    /// The judgement.
    pub verdict: VerdictWord,
    /// What the client did wrong on the wire, as server and judge found it.
    pub findings: Vec<FindingOf>,
    /// The world, `org#app`.
    pub app_key: String,
    /// How many rows at the start of the tape are only logins.
    pub staged: usize,
    /// The world's time at the end, where the harness moved its clock.
    pub ended_at: Option<Millis>,
    /// What went over the world's wires.
    pub tape: Vec<Row>,
    /// What its machine was given; `None`: the server did not tell, or it was too much.
    pub journal: Option<Vec<Entry>>,
    /// What harness and client said and did.
    pub marks: Vec<Mark>,
    /// How many marks at the beginning had to go.
    pub marks_left_out: usize,
    /// What the client wrote to its stderr; of much the end.
    pub stderr: String,
    /// What was replaced in it, and by what: a running server's `GET …/bundle` has them, a scenario has no secrets. Since
    /// format 2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redactions: Vec<Redaction>,
    /// What a recorder noted beside the tape, and changed of it. Since format 2.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioOf {
    /// `area/name`.
    pub name: String,
    /// Its file, as failures name it.
    pub path: String,
    /// The file's text.
    pub source: String,
}

/// Whom it was run on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientOf {
    /// The name of its file; `command` for one of the command line.
    pub name: String,
    /// How it was started.
    pub command: Vec<String>,
    /// What it said first.
    pub hello: Hello,
}

/// How far a scenario came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Ended {
    /// To its end.
    Finished,
    /// To a step that did not hold.
    Failed {
        /// The step, from 1; `None`: before the first or after the last.
        step: Option<usize>,
        /// Its line.
        line: Option<usize>,
        /// What was expected and what came.
        message: String,
    },
    /// To something that the client does not have.
    Unsupported(String),
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindingOf {
    /// The clause.
    pub clause: String,
    /// Whose connection.
    pub user: String,
    /// What is wrong.
    pub text: String,
    /// How often.
    pub times: usize,
}

/// What is known of a run beside the run itself.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The client's name.
    pub client: &'a str,
    /// How it was started.
    pub command: &'a [String],
    /// What it said first.
    pub hello: &'a Hello,
    /// The seed of the run.
    pub seed: u64,
    /// How long a step waited.
    pub limits: Limits,
}

impl Bundle {
    /// Whether it was taken from a running server, or by a recorder in front of one: no scenario was run.
    pub fn is_live(&self) -> bool {
        self.scenario.source.is_empty()
    }

    /// Whether all it has of that is a tape, as from a recorder: nothing can be given again to a server.
    pub fn is_tape_alone(&self) -> bool {
        self.is_live() && self.journal.is_none()
    }

    /// Of a run, with its judgement.
    pub fn of(
        scenario: &Scenario,
        run: &Run,
        verdict: &Verdict,
        findings: &[(Finding, usize)],
        of: Circumstances<'_>,
    ) -> Self {
        let ms = |within: std::time::Duration| u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
        let finding = |(Finding { clause, user, text }, times): &(Finding, usize)| FindingOf {
            clause: clause.clone(),
            user: user.clone(),
            text: text.clone(),
            times: *times,
        };
        let trace = &run.trace;
        Self {
            bundle: FORMAT,
            harness: env!("CARGO_PKG_VERSION").to_owned(),
            seed: of.seed,
            scenario: ScenarioOf {
                name: scenario.name.clone(),
                path: scenario.path.display().to_string(),
                source: scenario.source.clone(),
            },
            client: ClientOf {
                name: of.client.to_owned(),
                command: of.command.to_vec(),
                hello: of.hello.clone(),
            },
            expect_ms: ms(of.limits.expect),
            quiet_ms: ms(of.limits.quiet),
            ended: Ended::of(&run.outcome),
            verdict: VerdictWord::from(verdict),
            findings: findings.iter().map(finding).collect(),
            app_key: trace.app_key.clone(),
            staged: trace.staged,
            ended_at: run.ended_at,
            tape: trace.rows.clone(),
            journal: trace.journal.clone(),
            marks: trace.marks.clone(),
            marks_left_out: trace.marks_left_out,
            stderr: trace.stderr.clone(),
            redactions: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Where it lies below a folder: `<client>/<area>__<name>.bundle.json`.
    pub fn place(client: &str, scenario: &str) -> PathBuf {
        PathBuf::from(client).join(format!("{}.bundle.json", scenario.replace('/', "__")))
    }

    /// The step that was being taken when the row of this index came: its number and its line.
    pub fn step_of(&self, row: usize) -> Option<(usize, usize)> {
        self.steps().take_while(|(at, _, _)| *at <= row).last().map(|(_, step, line)| (step, line))
    }

    /// How many rows there were when each step began, with its number and its line.
    pub fn steps(&self) -> impl Iterator<Item = (usize, usize, usize)> {
        self.marks.iter().filter_map(|mark| match (&mark.what, mark.step) {
            (Marked::Step { line }, Some(step)) => Some((mark.row, step, *line)),
            (_, _) => None,
        })
    }
}

impl Ended {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Finished => Self::Finished,
            Outcome::Failed(Failure { step, message }) => Self::Failed {
                step: step.map(|(step, _)| step),
                line: step.map(|(_, line)| line),
                message: message.clone(),
            },
            Outcome::Unsupported(what) => Self::Unsupported(what.clone()),
        }
    }

    /// As the run had it.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Finished => Outcome::Finished,
            Self::Failed { step, line, message } => {
                Outcome::Failed(Failure { step: step.zip(*line), message: message.clone() })
            }
            Self::Unsupported(what) => Outcome::Unsupported(what.clone()),
        }
    }
}
