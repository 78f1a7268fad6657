//! The control plane over HTTP, `/_mock/`: what goes into its requests and comes in its answers, for the server and for
//! programs that talk to one.
//!
//! Only shapes are here; the commands themselves are in [`crate::control`].

use serde::{Deserialize, Serialize};

use crate::control::SettingsPatch;
use crate::journal::Entry;
use crate::tape::Row;

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
pub struct Hello {
    /// `mock-server`.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// [`CONTROL_PROTOCOL`].
    pub control_protocol: u32,
    /// Whether worlds that nobody has made otherwise know only the users that were made.
    pub strict: bool,
}

/// `POST …/world`: an empty world in the place of the one that may be there. Neither rules nor groups of the command
/// line hold in it, so that it is the same on every server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
}

/// `POST …/clock`: what moves a world's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClockMove {
    /// So much later.
    AdvanceMs(u64),
    /// It stands still at this moment, in ms since 1970, until it is moved again.
    SetMs(u64),
}

/// The answer to it, and to `GET …/clock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockAt {
    /// The world's time, in ms since 1970.
    pub now_ms: u64,
}

/// What became of one control command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandResult {
    /// Whether it was done.
    pub done: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The answer of `POST …/control`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandResults {
    /// One for each command.
    pub results: Vec<CommandResult>,
}

/// The answer of `GET …/quiet?within_ms=N`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[serde(deny_unknown_fields)]
pub struct KeepTape {
    /// How many rows before the oldest go: 1 to [`TAPE_ROWS_MAX`].
    pub rows_max: usize,
}

/// The answer of `GET …/tape?from=N&rows=M`: a part of the tape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
pub struct Findings {
    /// What clients did wrong, in order.
    pub findings: Vec<Found>,
}

/// As [`Finding`](crate::machine::Finding), with a clause that need not be one of this program's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
pub struct JournalAnswer {
    /// All that the world's machine was given; `null` when no tape is kept, or it was too much.
    pub entries: Option<Vec<Entry>>,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// A word for programs.
    pub error: String,
    /// For the person who meets it.
    pub error_description: String,
    /// Of commands, what became of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub results: Option<Vec<CommandResult>>,
}
