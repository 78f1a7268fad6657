//! `report.json`, format 2: what one or several runs have shown, complete enough that every other report is made of it
//! alone. Its schema is `conformance/schemas/report.schema.json`.
//!
//! Within a format fields are only ever added.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clause::Level;

/// The version of this format.
pub const FORMAT: u32 = 2;

/// A run of scenarios on one or several clients, or several such runs put together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`FORMAT`].
    pub format: u32,
    /// The version of the harness.
    pub harness: String,
    /// How the harness was called: `cargo xtask conformance` in the repository, `conformance` elsewhere. Commands that a
    /// report tells begin with it.
    pub program: String,
    /// When the run began, in ms since 1970.
    pub started_ms: u64,
    /// How long it took.
    pub ms: u64,
    /// The seed of `--seed`; 0: scenarios ran in the order of their names.
    pub seed: u64,
    /// The seed of `--nasty`, by which the server did whatever the protocol leaves open; `None`: it was kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nasty: Option<u64>,
    /// The shard, such as `1/4`; `None`: all.
    pub shard: Option<String>,
    /// It was ended before everything had run.
    pub interrupted: bool,
    /// The clauses, in the order of their file.
    pub clauses: Vec<ClauseReport>,
    /// The scenarios that were to be run, in the order of their names.
    pub scenarios: Vec<ScenarioText>,
    /// What each client did.
    pub clients: Vec<ClientReport>,
}

impl Report {
    /// How many scenarios came to which end, of all clients.
    pub fn tally(&self) -> Tally {
        let mut all = Tally::default();
        for Tally { passed, failed, flaky, known_failures, unsupported, not_run } in
            self.clients.iter().map(|client| client.tally)
        {
            all.passed += passed;
            all.failed += failed;
            all.flaky += flaky;
            all.known_failures += known_failures;
            all.unsupported += unsupported;
            all.not_run += not_run;
        }
        all
    }
}

/// A clause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClauseReport {
    /// Such as `send.text.single`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// What must hold.
    pub statement: String,
}

/// A scenario as it was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioText {
    /// `area/name`.
    pub name: String,
    /// Its file, as failures name it.
    pub path: String,
    /// What it shows, in a sentence.
    pub why: String,
    /// The clauses that it evaluates.
    pub clauses: Vec<String>,
    /// The text of its file.
    pub source: String,
}

/// What one client did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientReport {
    /// The name of its file; `command` for a client of the command line.
    pub name: String,
    /// What it calls itself in its hello; empty when it could not be started.
    pub calls_itself: String,
    /// The version of its hello; empty when it could not be started.
    pub version: String,
    /// The capabilities of its hello.
    pub capabilities: Vec<String>,
    /// Why it could not be started; `None`: it was.
    pub not_started: Option<String>,
    /// How many scenarios came to which end.
    pub tally: Tally,
    /// Entries of its file, and records, that nothing needs any more or whose time is over; each with what to do.
    pub stale: Vec<String>,
    /// The command that mends what `stale` tells; `None`: nothing is stale, or no command mends it.
    pub mend: Option<String>,
    /// Entries of its file, known failures and words of `unsupported`, that the harness wrote down itself and nobody has
    /// explained yet. They fail nothing.
    pub unexplained: Vec<String>,
    /// The file that `stale` is about, as failures name it.
    pub file: Option<String>,
    /// How to run the client again: the words behind `conformance run`, with `{}` where a scenario's name belongs, such as
    /// `--client core --seed 7 {}` or `{} -- node shim.mjs`. Words that a shell would take apart are quoted.
    pub again: String,
    /// Each scenario that was to be run, in the order of their names.
    pub scenarios: Vec<ScenarioReport>,
}

/// How many scenarios came to which end. They add up to all that were to be run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// As expected.
    pub passed: usize,
    /// Not as expected, or a known failure that passed.
    pub failed: usize,
    /// Passed only when tried again.
    pub flaky: usize,
    /// Not as expected, as the client's file says.
    pub known_failures: usize,
    /// The client lacks something, as its file says.
    pub unsupported: usize,
    /// Never begun: the run was ended before.
    pub not_run: usize,
}

/// What became of one scenario on one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScenarioReport {
    /// `area/name`.
    pub name: String,
    /// The judgement.
    pub verdict: VerdictWord,
    /// Why it is a known failure or unsupported.
    pub reason: Option<String>,
    /// What was not as expected; of a known failure and of a flaky scenario too.
    pub mismatches: Vec<MismatchReport>,
    /// What the client did wrong on the wire, known or not.
    pub findings: Vec<FindingReport>,
    /// How long it took, in ms.
    pub ms: u64,
    /// How often it was tried: 1 without retries.
    pub tries: u32,
    /// The bundle, relative to the working directory; `None`: none was written.
    pub bundle: Option<String>,
    /// What was seen; `None`: nobody asked for it, or it was never begun.
    pub evidence: Option<Evidence>,
}

/// A judgement in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerdictWord {
    /// As expected.
    Passed,
    /// Not as expected.
    Failed,
    /// Passed only when tried again.
    Flaky,
    /// Passed, though the client's file says that it fails.
    StaleKnownFailure,
    /// Not as expected, as the client's file says.
    KnownFailure,
    /// The client lacks something.
    Unsupported,
    /// Never begun.
    NotRun,
}

/// One thing that was not as expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MismatchReport {
    /// Where it was noticed.
    pub place: PlaceWord,
    /// The step, from 1.
    pub step: Option<usize>,
    /// The step's line in the scenario's file, from 1.
    pub line: Option<usize>,
    /// What was expected and what came: a sentence, then a line for each field.
    pub message: String,
}

/// Where a mismatch was noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlaceWord {
    /// At a step.
    Step,
    /// Before the first step or after the last.
    Around,
    /// In a frame of the client.
    Wire,
    /// In the record.
    Record,
    /// In the client's file.
    ClientFile,
}

/// Something that a client did wrong and got away with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindingReport {
    /// The clause that it offends.
    pub clause: String,
    /// Whose connection.
    pub user: String,
    /// The field, what was expected and what came.
    pub text: String,
    /// How often.
    pub times: usize,
}

/// What was seen of one run, decoded; the same for passes as for failures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// Who took part: a device's driver, its connections, its HTTP requests.
    pub lanes: Vec<LaneReport>,
    /// What happened, in order.
    pub moments: Vec<Moment>,
    /// How many moments are left out in the middle of a long run.
    pub left_out: usize,
    /// The index in `moments` behind which they are left out.
    pub left_out_after: usize,
    /// What the client wrote to its stderr; of much the end.
    pub stderr: String,
}

/// One lane.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LaneReport {
    /// Such as `alice, SockJS` or `alice/phone, HTTP`.
    pub title: String,
    /// What kind of lane.
    pub kind: LaneKind,
}

/// What a lane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LaneKind {
    /// The lines between the harness and the client.
    Driver,
    /// A connection.
    Socket,
    /// The requests of one user.
    Http,
    /// What the harness did to the world.
    Control,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Moment {
    /// The index of its lane.
    pub lane: usize,
    /// Which way it went.
    pub way: Way,
    /// In a word or two: `SYNC`, `send_text`, `POST token`.
    pub label: String,
    /// All of it, decoded, with one name for one value throughout; may have several lines.
    pub text: String,
    /// The step that was being taken, from 1.
    pub step: Option<usize>,
    /// The world's clock, in ms since the scenario began; `None` where it is not known.
    pub at_ms: Option<u64>,
}

/// Which way something went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// From the harness to the client.
    ToClient,
    /// From the client to the harness.
    FromClient,
    /// From the client to the server.
    Up,
    /// From the server to the client.
    Down,
    /// An end, a fault, a move of the clock.
    Here,
}
