//! All that is known of one run of a scenario, raw: what went over the wires, what the harness and the client said to
//! each other, and which step was being taken meanwhile. Evidence for people and bundles for replays are made of it.

use mock_server::tape::Row;
use serde::{Deserialize, Serialize};

/// One run of a scenario.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The world that it ran in, `org#app`.
    pub app_key: String,
    /// The world's tape.
    pub rows: Vec<Row>,
    /// How many rows at its start are only the logins of `given.online`, the same in every scenario.
    pub staged: usize,
    /// What was said and done, in order.
    pub marks: Vec<Mark>,
    /// What the client wrote to its stderr; of much the end.
    pub stderr: String,
}

/// Something that the harness did or heard, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// How many rows the tape had by then: the mark stands before the row of this index.
    pub row: usize,
    /// The step that was being taken, from 1; `None` before the first and after the last.
    pub step: Option<usize>,
    /// What it was.
    pub what: Marked,
}

/// What a mark tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Marked {
    /// A step began; the line in the scenario's file.
    Step {
        /// From 1.
        line: usize,
    },
    /// The harness wrote this line to the client.
    Asked(String),
    /// The client wrote this line: an answer or an event.
    Said(String),
    /// The harness did this to the world: a control command, as JSON.
    Control(String),
    /// The harness moved the world's clock by so many ms.
    Advanced {
        /// How much.
        ms: u64,
    },
}
