//! Scenario files: what is given, what is told, what must be shown; read strictly, with errors that name the
//! line.
//!
//! The format has no loops, conditions or templates: a script that needs an `if` is two scripts.

mod action;
mod webhook;
mod world;

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::attachment::Files;
use crate::driver::{Capability, Device, EventKind};

pub use action::Action;
pub use webhook::{GivenWebhook, WebhookAnswer};
pub use world::{Stored, Token, World};

/// The largest scenario file: a thousand times the usual one.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A script and its reason.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// `area/name`, from the file's path.
    pub name: String,
    /// The file, as failures name it.
    pub path: PathBuf,
    /// Of its text, so that what was found with another text is known to be old.
    pub digest: String,
    /// The text of its file.
    pub source: String,
    /// What it shows, in a sentence.
    pub why: String,
    /// The clauses that it evaluates.
    pub clauses: Vec<String>,
    /// What a client must be able to do for it.
    pub needs: BTreeSet<Capability>,
    /// The world that it starts in.
    pub given: World,
    /// Events that may come at any time.
    pub ignore: BTreeSet<EventKind>,
    /// Why its wire is never recorded; `None`: it may be.
    pub unrecorded: Option<String>,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One step and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The line in the scenario's file.
    pub line: usize,
    /// What it does.
    pub action: Action,
}

/// A scenario file that is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ScenarioError {
    /// The file.
    pub path: PathBuf,
    /// Where, from 1; 0 when it is about the file as a whole.
    pub line: usize,
    /// Where in the line, from 1.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.line {
            0 => write!(f, "{path}: {}", self.message),
            line => write!(f, "{path}:{line}:{}: {}", self.column, self.message),
        }
    }
}

/// Reads every `area/name.json` under a folder, in the order of their names. `clauses` are the ids that a
/// scenario may name.
pub fn load(
    folder: &Path,
    shown_as: &Path,
    clauses: &BTreeSet<String>,
) -> Result<Vec<Scenario>, ScenarioError> {
    let mut scenarios = Vec::new();
    for area in entries(folder)? {
        let area_name = area.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !area.is_dir() {
            let message =
                "a scenario lies in the folder of its area, such as send/text-single.json".to_owned();
            return Err(ScenarioError { path: shown_as.join(&area_name), line: 0, column: 0, message });
        }
        for file in entries(&area)? {
            let file_name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let path = shown_as.join(&area_name).join(&file_name);
            let whole = |message: String| ScenarioError { path: path.clone(), line: 0, column: 0, message };
            let Some(stem) = file_name.strip_suffix(".json") else {
                return Err(whole("a scenario is a .json file".to_owned()));
            };
            let bytes = file.metadata().map_err(|error| whole(error.to_string()))?.len();
            if bytes > FILE_BYTES_MAX {
                return Err(whole(format!("{bytes} bytes; a scenario has at most {FILE_BYTES_MAX}")));
            }
            let source = std::fs::read_to_string(&file).map_err(|error| whole(error.to_string()))?;
            scenarios.push(Scenario::parse(&source, &format!("{area_name}/{stem}"), &path, clauses)?);
        }
    }
    Ok(scenarios)
}

/// Those inside of this program, for when no repository is around; failures name their files all the same.
pub fn embedded(clauses: &BTreeSet<String>) -> Result<Vec<Scenario>, ScenarioError> {
    let folder = Path::new("fixtures/scenarios");
    let whole =
        |path: &Path, message: String| ScenarioError { path: path.to_owned(), line: 0, column: 0, message };
    let files = fixtures::embedded::scenarios().map_err(|error| whole(folder, error.to_string()))?;
    let scenarios = files.iter().map(|file| {
        let path = folder.join(&*file.path);
        let name = file.path.strip_suffix(".json");
        let name = name.ok_or_else(|| whole(&path, "a scenario is a .json file".to_owned()))?;
        Scenario::parse(&file.text, name, &path, clauses)
    });
    scenarios.collect()
}

impl Scenario {
    /// Reads one file's text.
    pub fn parse(
        source: &str,
        name: &str,
        path: &Path,
        clauses: &BTreeSet<String>,
    ) -> Result<Self, ScenarioError> {
        let source = Source { text: source, path };
        let head: Head<'_> = serde_json::from_str(source.text).map_err(|error| source.json(&error, 0))?;
        let unrecorded = match (head.record, head.record_why) {
            (None | Some(true), None) => None,
            (Some(false), Some(why)) if !why.trim().is_empty() => Some(why),
            (Some(false), _) => {
                return Err(source.near("\"record\"", "\"record\": false needs its reason in \"record_why\""));
            }
            (None | Some(true), Some(_)) => {
                return Err(
                    source.near("\"record_why\"", "\"record_why\" is the reason of \"record\": false")
                );
            }
        };
        if head.why.trim().is_empty() {
            return Err(source.near("\"why\"", "\"why\" says in a sentence what the scenario shows"));
        }
        if head.clauses.is_empty() {
            return Err(source.near("\"clauses\"", "a scenario evaluates at least one clause"));
        }
        if let Some(unknown) = head.clauses.iter().find(|clause| !clauses.contains(*clause)) {
            let message = format!("no clause {unknown:?} in fixtures/clauses.json");
            return Err(source.near(&format!("{unknown:?}"), &message));
        }
        head.given.check().map_err(|(needle, message)| source.near(&format!("{needle:?}"), &message))?;
        if head.steps.is_empty() {
            return Err(source
                .near("\"steps\"", "a scenario has at least one step: without any, nothing is evaluated"));
        }
        let files = Files::new(head.given.files.clone());
        let mut steps = Vec::with_capacity(head.steps.len());
        for raw in &head.steps {
            let offset = raw.get().as_ptr().addr() - source.text.as_ptr().addr();
            let action: Action =
                serde_json::from_str(raw.get()).map_err(|error| source.json(&error, offset))?;
            let (line, column) = source.place(offset);
            action.check(&head.needs, &files).map_err(|message| source.error(line, column, message))?;
            steps.push(Step { line, action });
        }
        let scenario = Self {
            name: name.to_owned(),
            path: path.to_owned(),
            digest: crate::results::digest(source.text),
            source: source.text.to_owned(),
            why: head.why,
            clauses: head.clauses,
            needs: head.needs,
            given: head.given,
            ignore: head.ignore,
            unrecorded,
            steps,
        };
        scenario.check_devices().map_err(|(line, message)| source.error(line, 1, message))?;
        Ok(scenario)
    }

    /// The devices that are online at the start or told something, each once.
    pub fn devices(&self) -> Vec<&Device> {
        let told = self.steps.iter().filter_map(|step| match &step.action {
            Action::Tell { user, .. } => Some(user),
            Action::Expect { .. }
            | Action::Silent { .. }
            | Action::Advance { .. }
            | Action::Elapse { .. }
            | Action::Fault(_)
            | Action::Control(_)
            | Action::Stage { .. }
            | Action::Shows { .. } => None,
        });
        let devices: BTreeSet<&Device> = self.given.online.iter().chain(told).collect();
        devices.into_iter().collect()
    }

    /// An expectation of a device that nothing ever makes would only fail by its time limit.
    fn check_devices(&self) -> Result<(), (usize, String)> {
        let mut made: BTreeSet<&Device> = self.given.online.iter().collect();
        for step in &self.steps {
            match &step.action {
                Action::Tell { user, .. } => {
                    made.insert(user);
                }
                Action::Expect { user, .. } | Action::Silent { user } | Action::Shows { user, .. }
                    if !made.contains(user) =>
                {
                    let message =
                        format!("{user} is not in given.online, and no step before tells it anything");
                    return Err((step.line, message));
                }
                Action::Expect { .. }
                | Action::Silent { .. }
                | Action::Advance { .. }
                | Action::Elapse { .. }
                | Action::Fault(_)
                | Action::Control(_)
                | Action::Stage { .. }
                | Action::Shows { .. } => {}
            }
        }
        Ok(())
    }
}

/// The schema of a scenario's file, for [`crate::schema`].
pub(crate) fn file_schema(generator: &mut SchemaGenerator) -> Schema {
    generator.root_schema_for::<Head<'_>>()
}

/// A scenario: what is given, what is told, what must be shown.
///
/// The file as it is written; the steps are read one by one, so that each knows its line.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Head<'a> {
    /// For editors: where the schema of scenarios is. Nothing reads it.
    #[serde(rename = "$schema")]
    _schema: Option<String>,
    /// What it shows, in a sentence.
    #[schemars(regex(pattern = r"\S"))]
    why: String,
    /// The clauses that it evaluates: ids of fixtures/clauses.json.
    #[schemars(length(min = 1))]
    clauses: Vec<String>,
    /// What a client must be able to do for it.
    #[serde(default)]
    needs: BTreeSet<Capability>,
    /// The world that it starts in.
    #[serde(default)]
    given: World,
    /// Events that may come at any time.
    #[serde(default)]
    ignore: BTreeSet<EventKind>,
    /// `false`: its wire is never recorded, for the reason of `record_why`.
    record: Option<bool>,
    /// Why its wire is never recorded.
    #[schemars(regex(pattern = r"\S"))]
    record_why: Option<String>,
    /// What happens, in order.
    #[serde(borrow)]
    #[schemars(with = "Vec<Action>", length(min = 1))]
    steps: Vec<&'a RawValue>,
}

struct Source<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Source<'_> {
    fn error(&self, line: usize, column: usize, message: String) -> ScenarioError {
        ScenarioError { path: self.path.to_owned(), line, column, message }
    }

    /// The error of a parser that began at `offset`.
    fn json(&self, error: &serde_json::Error, offset: usize) -> ScenarioError {
        let (first_line, first_column) = self.place(offset);
        let column = if error.line() == 1 { first_column - 1 + error.column() } else { error.column() };
        let said = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        let message = said.strip_suffix(&place).unwrap_or(&said);
        self.error(first_line - 1 + error.line(), column, message.to_owned())
    }

    /// An error about a value that the parser has left behind: found again by its text.
    fn near(&self, needle: &str, message: &str) -> ScenarioError {
        match self.text.find(needle) {
            Some(offset) => {
                let (line, column) = self.place(offset);
                self.error(line, column, message.to_owned())
            }
            None => self.error(1, 1, message.to_owned()),
        }
    }

    fn place(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, ScenarioError> {
    let whole = |error: std::io::Error| ScenarioError {
        path: folder.to_owned(),
        line: 0,
        column: 0,
        message: error.to_string(),
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(whole)? {
        let path = entry.map_err(whole)?.path();
        // What an editor or a file manager leaves behind.
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}
