//! The control plane over HTTP, `/_mock/`: what goes into its requests and comes in its answers, for the server and for
//! programs that talk to one.
//!
//! Only shapes are here; the commands themselves are in [`crate::control`].

mod overview;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::control::{Control, SettingsPatch};
use crate::door_fault::DoorFault;
use crate::journal::Entry;
use crate::machine::RuleState;
use crate::machine::excerpt;
use crate::tape::{Direction, Row};
use crate::traffic::{NearMiss, Rows, TrafficRow};
pub use overview::{
    ClockView, DeviceView, MucView, OVERVIEW_COUNT_MAX, OVERVIEW_MAX, OVERVIEW_QUEUES_MAX, Overview,
    QueueKind, QueueView, UserView, WorldLine, WorldList,
};

/// The version of this control plane. It counts up when a program that knows the one before would go wrong.
pub const CONTROL_PROTOCOL: u32 = 1;
/// How long a request may wait for quiet or rest, in ms: below what proxies and clients give up after.
pub const WITHIN_MS_MAX: u64 = 60_000;
/// How many rows a tape may be told to keep: a row has some 100 bytes, and a frame at most some 10 KiB.
pub const TAPE_ROWS_MAX: usize = 1_000_000;
/// How many rows one answer holds: some hundred KiB.
pub const PAGE_ROWS_MAX: usize = 2_000;

/// Who answers: the beginning of `GET /_mock/`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Hello {
    /// `mock-server`.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// [`CONTROL_PROTOCOL`].
    pub control_protocol: u32,
    /// Whether worlds that nobody has made otherwise know only the users that were made.
    pub strict: bool,
    /// The seed of `--nasty`, by which worlds that were not made otherwise do whatever the protocol leaves open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nasty: Option<u64>,
    /// Where clients find the server, such as `http://127.0.0.1:8989`: the control plane may be elsewhere. A program that
    /// is another has none.
    #[serde(default)]
    pub clients: String,
}

/// The answer of `GET /_mock/`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Index {
    /// As [`Hello::name`].
    pub name: String,
    /// As [`Hello::version`].
    pub version: String,
    /// As [`Hello::control_protocol`].
    pub control_protocol: u32,
    /// As [`Hello::strict`].
    pub strict: bool,
    /// As [`Hello::nasty`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nasty: Option<u64>,
    /// As [`Hello::clients`].
    pub clients: String,
    /// Where all of this is told in OpenAPI 3.1.
    pub openapi: String,
    /// What every request needs.
    pub headers: String,
    /// By method and path, such as `GET /_mock/worlds`.
    pub calls: BTreeMap<String, IndexCall>,
}

/// One call of the control plane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct IndexCall {
    /// What it does.
    pub does: String,
    /// The parameters that its query may have, and what each is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub query: BTreeMap<String, String>,
    /// Bodies that it takes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<serde_json::Value>,
}

/// `POST …/control`: one command, or an array of them.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
#[derive(Clone, Debug, PartialEq)]
pub enum Commands {
    /// A single one.
    One(Box<Control>),
    /// Several, in this order.
    Many(Vec<Control>),
}

/// `POST …/doors`: one door fault, or an array of them, each as a line or as an object. All are armed, or none.
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(untagged))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DoorFaults {
    /// A single one.
    One(DoorFault),
    /// Several; of each try, the first that is meant for it strikes.
    Many(Vec<DoorFault>),
}

/// The answer of `GET`, `POST` and `DELETE …/doors`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DoorList {
    /// Those that were armed and not taken away, oldest first.
    pub doors: Vec<ArmedDoor>,
}

/// A door fault that was armed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ArmedDoor {
    /// Counts up from 1, on the server or in its world.
    pub id: u64,
    /// Its line.
    pub text: String,
    /// The same as an object.
    pub fault: DoorFault,
    /// How many tries it struck.
    pub hits: u32,
    /// Whether it strikes again: false once it is used up.
    pub armed: bool,
}

/// An answer that says nothing more than that all went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Done {}

/// `POST …/world`: an empty world in the place of the one that may be there. Neither rules nor groups of the command
/// line hold in it, so that it is the same on every server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct NewWorld {
    /// The rules that differ from the server's defaults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<Box<SettingsPatch>>,
    /// Where its clock stands still, in ms since 1970; left out, it is the host's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_ms: Option<u64>,
    /// How many rows its tape keeps before the oldest go, at most [`TAPE_ROWS_MAX`]; left out, as the server was started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tape_rows_max: Option<usize>,
    /// Whatever the protocol leaves open happens in it, drawn from this seed; left out, it is as kind as it can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nasty: Option<u64>,
}

/// `POST …/clock`: what moves a world's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClockMove {
    /// So much later.
    AdvanceMs(u64),
    /// It stands still at this moment, in ms since 1970, until it is moved again. Once somebody has been in the world, that
    /// is not before its present.
    SetMs(u64),
    /// It stands still where it is.
    Stop {},
    /// It goes on by itself from where it is.
    Run {},
}

/// The answer to it, and to `GET …/clock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClockAt {
    /// The world's time, in ms since 1970.
    pub now_ms: u64,
    /// Whether it goes on by itself.
    #[serde(default)]
    pub runs: bool,
}

/// `POST …/reset`: users, messages, groups, connections and faults go; rules and clock stay, and the groups and rules of the
/// server's flags are there again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Reset {}

/// The last moment that a clock can be moved to, in ms since 1970: the end of the year 9999, behind which dates have no
/// common spelling.
pub const CLOCK_MS_MAX: u64 = 253_402_300_799_999;

/// What became of one control command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommandResult {
    /// Whether it was done.
    pub done: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Of a command that armed a rule, the rule's number, as `GET …/rules` tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<u64>,
}

/// The answer of `POST …/control`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CommandResults {
    /// One for each command.
    pub results: Vec<CommandResult>,
}

/// `POST …/stage`: an error or a situation of the catalog happens to one user. The answer is a
/// [`Staging`](crate::catalog::Staging).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StageNamed {
    /// A name of `GET /_mock/catalog`, such as `504`.
    pub name: String,
    /// To whom; as typed, folded as ever.
    pub user: String,
}

/// The answer of `GET …/quiet?within_ms=N`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct QuietAnswer {
    /// Whether the world became quiet within the time.
    pub quiet: bool,
    /// If so, how much clients ever sent it: two equal marks mean that nothing came between them.
    pub mark: Option<u64>,
    /// If not, what it still waits for, in words.
    pub open: Vec<String>,
}

/// The answer of `GET …/rest?within_ms=N`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RestAnswer {
    /// Whether the server itself had nothing left to do within the time.
    pub reached: bool,
    /// As [`QuietAnswer::mark`].
    pub mark: u64,
    /// What clients owe, in words.
    pub open: Vec<String>,
}

/// `POST …/tape`: a tape is kept from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct KeepTape {
    /// How many rows before the oldest go: 1 to [`TAPE_ROWS_MAX`].
    pub rows_max: usize,
}

/// The answer of `GET …/tape?from=N&rows=M`: a part of the tape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TapePage {
    /// How many rows the tape has had by now, those that made room for others among them.
    pub rows_ever: usize,
    /// The number of the first of `rows`, counted from 0: `from`, or more where that row is gone.
    pub from: usize,
    /// The rows; at most [`PAGE_ROWS_MAX`], and fewer where they are long.
    pub rows: Vec<Row>,
}

/// The answer of `GET …/findings`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Findings {
    /// What clients did wrong, in order.
    pub findings: Vec<Found>,
}

/// As [`Finding`](crate::machine::Finding), with a clause that need not be one of this program's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Found {
    /// The clause it offends.
    pub clause: String,
    /// Whose connection, as `user/resource`; empty before login.
    pub user: String,
    /// Field, what was expected and what came.
    pub text: String,
}

/// The answer of `GET …/journal`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct JournalAnswer {
    /// All that the world's machine was given; `null` when no tape is kept, or it was too much.
    pub entries: Option<Vec<Entry>>,
    /// Why `entries` is `null`, and what to do, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_not: Option<String>,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Refused {
    /// A word for programs.
    pub error: String,
    /// For the person who meets it.
    pub error_description: String,
    /// Of commands, what became of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<CommandResult>>,
}

/// `POST …/wait`: what is waited for. Each field of a row that is named must be so; see [`Rows`] for each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "but for the last three, each field is the one of the same name in Rows")]
pub struct WaitFor {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none", rename = "where")]
    pub conditions: Option<String>,
    /// How many, 1 to [`PAGE_ROWS_MAX`]. A page counts for each message in it that is of the kind.
    pub count: usize,
    /// Only rows behind the one of this number; left out, whatever is kept counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<usize>,
    /// How long, in ms of real time, at most [`WITHIN_MS_MAX`]: also where the world's clock stands still.
    pub within_ms: u64,
}

/// Of [`WaitFor`] what bounds it.
#[cfg(feature = "shell")]
pub(crate) struct Bounds {
    pub(crate) count: usize,
    pub(crate) after: Option<usize>,
    pub(crate) within_ms: u64,
}

impl Default for WaitFor {
    fn default() -> Self {
        Self {
            user: None,
            device: None,
            kind: None,
            direction: None,
            clause: None,
            since_ms: None,
            until_ms: None,
            text: None,
            method: None,
            path: None,
            status: None,
            conditions: None,
            count: 1,
            after: None,
            // As long as SDKs wait for an answer that they show as missing, and longer than any answer takes.
            within_ms: 5_000,
        }
    }
}

#[cfg(feature = "shell")]
impl WaitFor {
    /// What is asked of the rows, and what bounds the wait.
    pub(crate) fn split(self) -> (Rows, Bounds) {
        let Self {
            user,
            device,
            kind,
            direction,
            clause,
            since_ms,
            until_ms,
            text,
            method,
            path,
            status,
            conditions,
            count,
            after,
            within_ms,
        } = self;
        let rows = Rows {
            user,
            device,
            kind,
            direction,
            clause,
            since_ms,
            until_ms,
            text,
            method,
            path,
            status,
            conditions,
        };
        (rows, Bounds { count, after, within_ms })
    }
}

/// The answer of `POST …/wait`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Waited {
    /// The rows in which what was waited for came.
    pub rows: Vec<TrafficRow>,
    /// The number of the last of them: with it as `after`, the next wait goes on.
    pub last: usize,
}

/// The answer of `POST …/wait`, with status 408, when that did not come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NotInTime {
    /// `not_in_time`.
    pub error: String,
    /// How many came, in words.
    pub error_description: String,
    /// Those that came.
    pub rows: Vec<TrafficRow>,
    /// What came nearest, the nearest first.
    pub near: Vec<NearMiss>,
}

/// A name that nothing has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Unknown {
    what: &'static str,
    name: String,
    nearest: Vec<String>,
}

impl Unknown {
    /// Of what kind the name was to be, what it is, and those that there are.
    pub fn new(what: &'static str, name: &str, names: &[&str]) -> Self {
        /// More are no help.
        const NEAREST_MAX: usize = 3;
        /// Below it, two words have nothing to do with each other.
        const LIKE_MIN: f64 = 0.6;
        let likeness = |other: &&str| strsim::normalized_damerau_levenshtein(name, other);
        let mut near: Vec<(f64, &str)> = names.iter().map(|other| (likeness(other), *other)).collect();
        near.retain(|(likeness, _)| *likeness >= LIKE_MIN);
        near.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let mut nearest: Vec<String> =
            near.into_iter().take(NEAREST_MAX).map(|(_, name)| name.to_owned()).collect();
        // Where nothing is like it and there are only a few, these are the help.
        if nearest.is_empty() && names.len() <= 2 * NEAREST_MAX {
            nearest = names.iter().map(|&name| name.to_owned()).collect();
        }
        Self { what, name: excerpt(name).into_owned(), nearest }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, name, nearest } = self;
        write!(f, "there is no {what} {name:?}")?;
        match &nearest[..] {
            [] => Ok(()),
            [only] => write!(f, "; {only} there is"),
            several => write!(f, "; there are {}", several.join(", ")),
        }
    }
}

/// What became of worlds in whose place a state was put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Placed {
    /// Those of the document.
    pub worlds: Vec<PlacedWorld>,
    /// Those that it does not have, which are no more.
    pub forgotten: Vec<String>,
}

/// A world in whose place a state was put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PlacedWorld {
    /// `org#app`.
    pub app_key: String,
    /// How many connections were cut: their clients come again, if they do as real ones.
    pub connections_cut: usize,
}

/// `GET …/rules`: the fault rules that were armed and not taken back, oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RuleList {
    /// Each of them.
    pub rules: Vec<RuleRow>,
}

/// A fault rule and what has become of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct RuleRow {
    /// Its number in its world, from 1; none is used twice.
    pub id: u64,
    /// What it says.
    pub text: String,
    /// How often it has acted.
    pub hits: u64,
    /// How many frames or requests it has looked at.
    pub looked_at: u64,
    /// Whether it may still act.
    pub armed: bool,
}

impl From<RuleState> for RuleRow {
    fn from(RuleState { id, rule, hits, looked_at, armed }: RuleState) -> Self {
        Self { id, text: rule.to_string(), hits, looked_at, armed }
    }
}
