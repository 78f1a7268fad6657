//! The statements that scenarios are about, as `fixtures/clauses.json` has them.

use std::collections::BTreeSet;
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One statement of what a client and its server do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Such as `send.text.single`; for ever.
    pub id: String,
    /// What holds, in a sentence.
    pub statement: String,
    /// Who promises it.
    pub level: Level,
}

/// Who promises a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The vendor's page.
    Must,
    /// Nobody, but its users meet it at once.
    Should,
}

/// Reads the file. The error names it.
pub fn load(path: &Path) -> Result<Vec<Clause>, String> {
    let error = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let text = std::fs::read_to_string(path).map_err(|why| error(&why))?;
    parse(&text, path)
}

/// Those inside of this program, for when no repository is around.
pub fn embedded() -> Result<Vec<Clause>, String> {
    let path = Path::new("fixtures/clauses.json");
    let text = fixtures::embedded::clauses().map_err(|why| format!("{}: {why}", path.display()))?;
    parse(&text, path)
}

fn parse(text: &str, path: &Path) -> Result<Vec<Clause>, String> {
    let error = |what: &dyn std::fmt::Display| format!("{}: {what}", path.display());
    let clauses: Vec<Clause> = serde_json::from_str(text).map_err(|why| error(&why))?;
    let mut ids = BTreeSet::new();
    match clauses.iter().find(|clause| !ids.insert(&clause.id)) {
        None => Ok(clauses),
        Some(twice) => Err(error(&format!("the clause {:?} is there twice", twice.id))),
    }
}
