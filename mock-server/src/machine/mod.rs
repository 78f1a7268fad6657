//! placeholder while the machine is being written
use serde::{Deserialize, Serialize};

/// A moment in ms since 1970; time is an argument everywhere in the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Millis(pub u64);

/// A connection of one world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// Something a client did wrong that the server forgave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The clause it offends, as in fixtures/clauses.json.
    pub clause: &'static str,
    /// Whose connection; empty before login.
    pub user: String,
    /// Field, what was expected and what came.
    pub text: String,
}
