//! The kept record of how a client spelt a scenario on the wire: an insta snapshot, so that its review tool
//! works on it, written and compared here, so that it works for any client and any number of scenarios.
//!
//! Where somebody looks at what has changed is [`pending`]'s.

pub mod pending;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use similar::TextDiff;

use crate::scenario::Scenario;

/// The records of one client.
#[derive(Clone, Debug)]
pub struct Records {
    folder: PathBuf,
    mode: Mode,
}

/// What to do where the record and the wire differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Fail, and write nothing: nobody looks at files on a build server.
    Check,
    /// Fail, and leave the new record beside the old one, for `cargo insta review`.
    Propose,
    /// Take the new one.
    Accept,
}

impl Mode {
    fn how_to_take_it(self) -> &'static str {
        match self {
            // Nothing is kept there that could be looked at later.
            Self::Check => "run it where CI is not set, and then `conformance review`",
            Self::Propose | Self::Accept => "take it with `conformance review` or `conformance accept`",
        }
    }
}

/// How many unchanged lines stand around a changed one.
const CONTEXT_LINES: usize = 2;

impl Records {
    /// Those in a folder.
    pub fn new(folder: PathBuf, mode: Mode) -> Self {
        Self { folder, mode }
    }

    /// Compares a scenario's wire with its record. `Some` says how they differ, or that there is none, or that
    /// the file cannot be used.
    pub fn compare(&self, scenario: &Scenario, wire: &str) -> Option<String> {
        let path = self.path(&scenario.name);
        let proposed = path.with_extension("snap.new");
        let kept = match std::fs::read_to_string(&path) {
            Ok(text) => Some(text.replace("\r\n", "\n")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Some(format!("{}: {error}", path.display())),
        };
        let body = kept.as_deref().map(body_of);
        if body.is_some_and(|body| body.trim_end() == wire.trim_end()) {
            // A proposal of an earlier run has been overtaken.
            std::fs::remove_file(&proposed).ok();
            if self.mode == Mode::Accept && kept.as_deref() != Some(&*snapshot(scenario, wire)) {
                return write(&path, &snapshot(scenario, wire));
            }
            return None;
        }
        match self.mode {
            Mode::Accept => {
                std::fs::remove_file(&proposed).ok();
                return write(&path, &snapshot(scenario, wire));
            }
            Mode::Propose => {
                if let Some(error) = write(&proposed, &snapshot(scenario, wire)) {
                    return Some(error);
                }
            }
            Mode::Check => {}
        }
        let name = path.display();
        Some(match body {
            None => {
                format!("there is no record {name} yet\n  look at the wire, {}", self.mode.how_to_take_it())
            }
            Some(body) => {
                let diff = TextDiff::from_lines(body.trim_end(), wire.trim_end());
                let mut unified = diff.unified_diff();
                let shown = unified.context_radius(CONTEXT_LINES).missing_newline_hint(false).to_string();
                format!(
                    "the wire is not as recorded in {name} (- recorded, + now)\n{}\n  \
                     if the change is meant, {}",
                    shown.trim_end(),
                    self.mode.how_to_take_it()
                )
            }
        })
    }

    /// Records of scenarios that are not compared any more; with [`Mode::Accept`] they are removed.
    pub fn unreferenced(&self, compared: &BTreeSet<&str>) -> Vec<String> {
        let expected: BTreeSet<PathBuf> = compared.iter().map(|name| self.path(name)).collect();
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let mut left: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "snap"))
            .filter(|path| !expected.contains(path))
            .collect();
        left.sort();
        if self.mode == Mode::Accept {
            left.retain(|path| std::fs::remove_file(path).is_err());
        }
        left.iter()
            .map(|path| {
                format!(
                    "{}: the record of no scenario that is compared; a run with --accept removes it",
                    path.display()
                )
            })
            .collect()
    }

    fn path(&self, scenario: &str) -> PathBuf {
        self.folder.join(format!("{}.snap", scenario.replace('/', "__")))
    }
}

/// What insta writes around a snapshot. JSON strings are YAML strings.
fn snapshot(scenario: &Scenario, wire: &str) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let input: Vec<_> = scenario.path.iter().map(|part| part.to_string_lossy()).collect();
    format!(
        "---\nsource: conformance/src/record.rs\ndescription: {}\ninput_file: {}\n---\n{}\n",
        quoted(&scenario.why),
        quoted(&input.join("/")),
        wire.trim_end()
    )
}

fn body_of(snapshot: &str) -> &str {
    let after_header =
        snapshot.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n")).map(|(_, body)| body);
    after_header.unwrap_or(snapshot)
}

fn write(path: &Path, text: &str) -> Option<String> {
    let folder = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    let written = folder.and_then(|()| std::fs::write(path, text));
    written.err().map(|error| format!("{}: {error}", path.display()))
}
