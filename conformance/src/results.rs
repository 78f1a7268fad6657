//! What runs of a client have shown, kept beside the build from run to run, so that a table over all clients needs no
//! run of any.
//!
//! A result is worth something only for the scenario and the client's file that it was made with: each is known by its
//! digest, and a result of another is no result.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::coverage::Standing;
use crate::run::ShownError;
use crate::scenario::Scenario;

/// The environment variable that names the folder; without it nothing is kept.
pub const FOLDER_VARIABLE: &str = "CONFORMANCE_RESULTS";

/// What one client did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// The client's name.
    pub client: String,
    /// Of its file.
    digest: String,
    scenarios: BTreeMap<String, Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Of the scenario's file.
    digest: String,
    standing: Standing,
    /// What the client showed of errors of the catalog, by their names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    shown: BTreeMap<String, String>,
}

impl Results {
    /// None yet. `file` is the text of the client's file.
    pub fn new(client: &str, file: &str) -> Self {
        Self { client: client.to_owned(), digest: digest(file), scenarios: BTreeMap::new() }
    }

    /// Those that are kept in a folder; none, if there are none or they were made with another file of the client.
    pub fn load(folder: &Path, client: &str, file: &str) -> Self {
        let none = Self::new(client, file);
        let kept = std::fs::read(folder.join(format!("{client}.json"))).ok();
        let kept: Option<Self> = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        kept.filter(|kept| kept.client == none.client && kept.digest == none.digest).unwrap_or(none)
    }

    /// Keeps them, in the place of those that were kept before.
    pub fn save(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let text = serde_json::to_string_pretty(self).expect("results have only string keys");
        // Renamed at the end: another run may be reading.
        let path = folder.join(format!("{}.json", self.client));
        let written = path.with_extension(format!("json.{}", std::process::id()));
        std::fs::write(&written, text)?;
        std::fs::rename(&written, &path)
    }

    /// What a run has shown.
    pub fn set(&mut self, scenario: &Scenario, standing: Standing, shown: &[ShownError]) {
        let shown = shown.iter().map(|shown| (shown.name.clone(), shown.line.clone())).collect();
        let entry = Entry { digest: scenario.digest.clone(), standing, shown };
        self.scenarios.insert(scenario.name.clone(), entry);
    }

    /// What the client showed of errors of the catalog in a scenario as it is now: names and lines.
    pub fn shown(&self, scenario: &Scenario) -> impl Iterator<Item = (&str, &str)> {
        let entry = self.scenarios.get(&scenario.name).filter(|entry| entry.digest == scenario.digest);
        let shown = entry.into_iter().flat_map(|entry| &entry.shown);
        shown.map(|(name, line)| (&**name, &**line))
    }

    /// What the client does on a scenario as it is now.
    pub fn standing(&self, scenario: &Scenario) -> Standing {
        let entry = self.scenarios.get(&scenario.name).filter(|entry| entry.digest == scenario.digest);
        entry.map_or(Standing::NotRun, |entry| entry.standing)
    }
}

/// The digest of a file's text, whatever its line ends.
pub fn digest(text: &str) -> String {
    crate::dissect::hex(&Sha256::digest(text.replace("\r\n", "\n")))
}
