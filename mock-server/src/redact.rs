//! What may leave this machine of a run: passwords, secrets and brought tokens are replaced, each by one alias wherever it
//! stands, so that a machine that is given the journal again still finds them equal.
//!
//! What the server itself gave out stays: it is made from a count, opens nothing elsewhere, and a replay gives out the
//! same. So does what somebody writes in a message, unless a longer secret stands in it.

#[cfg(feature = "shell")]
mod secrets;
#[cfg(feature = "shell")]
pub(crate) mod words;

use serde::{Deserialize, Serialize};

#[cfg(feature = "shell")]
pub(crate) use secrets::{Redactor, Secrets};

/// Something that was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Redaction {
    /// What it was: `password`, `secret`, `token` or `cookie`.
    pub what: String,
    /// What stands for it, wherever it stood.
    pub alias: String,
    /// How often it was replaced, where that was counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<usize>,
}
