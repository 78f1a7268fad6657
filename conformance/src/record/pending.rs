//! Records that wait for a person: proposals that a run has left beside them, and records that nothing is compared
//! with any more.
//!
//! It takes, refuses and removes what it is told to; whether it may write at all (never on a build server) its caller
//! decides.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use similar::{ChangeTag, TextDiff};

use super::body_of;
use crate::client::Client;
use crate::scenario::Scenario;

/// How a record is named, and how what a run proposes for it.
const RECORD: &str = "snap";
const PROPOSAL: &str = "snap.new";
/// How many unchanged lines stand around a changed one: more than a failure shows, for here somebody decides.
const CONTEXT_LINES: usize = 4;

/// A proposal of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The client, as its folder is named.
    pub client: String,
    /// The scenario.
    pub scenario: String,
    /// What it shows, as the proposal says.
    pub why: String,
    /// The proposal; the record is beside it.
    pub path: PathBuf,
    record: PathBuf,
}

/// A file that nothing needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreferenced {
    /// Which.
    pub path: PathBuf,
    /// Why nothing does.
    pub why: String,
}

/// A line of what would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// As it was.
    Same(String),
    /// Only recorded.
    Recorded(String),
    /// Only in the proposal.
    Proposed(String),
    /// Lines that are as they were are left out here.
    Gap,
}

/// All proposals under the folder of all clients' records, in the order of clients and scenarios.
pub fn pending(folder: &Path) -> io::Result<Vec<Pending>> {
    let mut found = Vec::new();
    for Kept { client, path, scenario, kind } in files(folder)? {
        if kind != PROPOSAL {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|error| of_file(&path, &error))?;
        let record = path.with_extension("");
        found.push(Pending { client, scenario, why: why_of(&text), path, record });
    }
    Ok(found)
}

/// Records and proposals of clients that are not there any more, of scenarios that are not there any more, and of those
/// that the client's file says nothing is kept of.
pub fn unreferenced(
    folder: &Path,
    clients: &[Client],
    scenarios: &[Scenario],
) -> io::Result<Vec<Unreferenced>> {
    let clients: BTreeMap<&str, &Client> = clients.iter().map(|client| (&*client.name, client)).collect();
    let all: BTreeSet<&str> = scenarios.iter().map(|scenario| &*scenario.name).collect();
    let unrecorded = scenarios.iter().filter(|scenario| scenario.unrecorded.is_some());
    let unrecorded: BTreeSet<&str> = unrecorded.map(|scenario| &*scenario.name).collect();
    let mut found = Vec::new();
    for Kept { client, path, scenario, kind: _ } in files(folder)? {
        let why = match clients.get(&*client) {
            None => format!("there is no client {client}"),
            Some(_) if !all.contains(&*scenario) => format!("there is no scenario {scenario}"),
            Some(_) if unrecorded.contains(&*scenario) => format!("{scenario} says \"record\": false"),
            Some(of) if !of.records(&scenario) => format!("\"records\" of {client} does not name {scenario}"),
            Some(_) => continue,
        };
        found.push(Unreferenced { path, why });
    }
    Ok(found)
}

impl Pending {
    /// What would change; every line of the proposal, if there is no record yet.
    pub fn lines(&self) -> io::Result<Vec<Line>> {
        let proposed = fs::read_to_string(&self.path).map_err(|error| of_file(&self.path, &error))?;
        let recorded = match fs::read_to_string(&self.record) {
            Ok(text) => text.replace("\r\n", "\n"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(of_file(&self.record, &error)),
        };
        let proposed = proposed.replace("\r\n", "\n");
        let diff = TextDiff::from_lines(body_of(&recorded).trim_end(), body_of(&proposed).trim_end());
        let mut lines = Vec::new();
        for (number, group) in diff.grouped_ops(CONTEXT_LINES).iter().enumerate() {
            if number > 0 {
                lines.push(Line::Gap);
            }
            for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
                let text = change.value().trim_end_matches('\n').to_owned();
                lines.push(match change.tag() {
                    ChangeTag::Equal => Line::Same(text),
                    ChangeTag::Delete => Line::Recorded(text),
                    ChangeTag::Insert => Line::Proposed(text),
                });
            }
        }
        Ok(lines)
    }

    /// Makes the proposal the record.
    pub fn accept(&self) -> io::Result<()> {
        fs::rename(&self.path, &self.record).map_err(|error| of_file(&self.path, &error))
    }

    /// Throws the proposal away; the record stays.
    pub fn reject(&self) -> io::Result<()> {
        fs::remove_file(&self.path).map_err(|error| of_file(&self.path, &error))
    }
}

/// A record or a proposal.
struct Kept {
    client: String,
    path: PathBuf,
    scenario: String,
    /// Its ending.
    kind: &'static str,
}

/// Records and proposals in the folders of clients.
fn files(folder: &Path) -> io::Result<Vec<Kept>> {
    let mut found = Vec::new();
    for of_client in entries(folder)? {
        if !of_client.is_dir() {
            continue;
        }
        let client = name_of(&of_client);
        for path in entries(&of_client)? {
            let name = name_of(&path);
            let kinds = [PROPOSAL, RECORD].into_iter();
            let kind = kinds.filter_map(|kind| Some((name.strip_suffix(&format!(".{kind}"))?, kind))).next();
            if let Some((stem, kind)) = kind {
                let (client, scenario) = (client.clone(), stem.replacen("__", "/", 1));
                found.push(Kept { client, path: path.clone(), scenario, kind });
            }
        }
    }
    Ok(found)
}

/// In the order of their names; none, if there is no such folder.
fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(of_file(folder, &error)),
    };
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The `description` that the record's head has.
fn why_of(text: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix("description: "));
    line.and_then(|quoted| serde_json::from_str(quoted).ok()).unwrap_or_default()
}

fn of_file(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
