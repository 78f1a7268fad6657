//! A recording on disk: of each world a bundle, a draft of a scenario, and notes for whoever reads them. Each file is
//! written whole or not at all, and nothing that lay there before the recorder began is replaced.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::draft::{self, Draft};
use super::kept::Snapshot;
use super::redact::{Redacted, Redactor, Texts};
use crate::machine::Millis;
use crate::redact::Redaction;
use crate::tape::Row;

/// Where recordings go, and what of them is there by now.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    texts: Texts,
    /// The world's own name of a file, without what comes behind it.
    names: BTreeMap<String, String>,
    /// Of the snapshot that was written last.
    written: Option<u64>,
}

/// The format of bundles that have redactions and notes.
const BUNDLE_FORMAT: u32 = 2;

impl Folder {
    /// Fails where it cannot be made, so that nobody records for an hour into nothing.
    pub(super) fn new(path: PathBuf, texts: Texts) -> io::Result<Self> {
        fs::create_dir_all(&path)?;
        Ok(Self { path, texts, names: BTreeMap::new(), written: None })
    }

    /// Whether a snapshot of this version was written last.
    pub(super) fn has(&self, version: u64) -> bool {
        self.written == Some(version)
    }

    /// Writes what there is, unless that is written already. Gives the files.
    pub(super) fn write(&mut self, snapshot: &Snapshot) -> io::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        if self.has(snapshot.version) {
            return Ok(files);
        }
        // Each counts what it has replaced.
        let unused = Redactor::new(&snapshot.secrets, self.texts);
        for (app_key, rows) in &snapshot.worlds {
            let name = self.name(app_key);
            let mut redactor = unused.clone();
            let rows: Vec<Row> = rows.iter().map(|row| redactor.row(row.clone())).collect();
            let notes: Vec<String> = notes(snapshot, &mut redactor);
            let draft = draft::of(&rows);
            let redacted = redactor.redacted();
            let text = for_people(app_key, rows.len(), &redacted, &notes, &draft);
            let texts = [Some(bundle(app_key, &name, &rows, &redacted, &notes)), Some(text), draft.source];
            for (place, text) in places(&name).into_iter().zip(texts) {
                let Some(text) = text else { continue };
                let path = self.path.join(place);
                write_whole(&path, text.as_bytes())?;
                files.push(path);
            }
        }
        self.written = Some(snapshot.version);
        Ok(files)
    }

    /// As [`Folder::write`], and gives all files of the recording, written now or before.
    pub(super) fn write_last(&mut self, snapshot: &Snapshot) -> io::Result<Vec<PathBuf>> {
        self.written = None;
        self.write(snapshot)
    }

    /// A name that no earlier recording has.
    fn name(&mut self, app_key: &str) -> String {
        if let Some(name) = self.names.get(app_key) {
            return name.clone();
        }
        let letter = |char: char| {
            if char.is_ascii_alphanumeric() || char == '-' { char.to_ascii_lowercase() } else { '-' }
        };
        let plain: String = app_key.chars().map(letter).take(100).collect();
        let is_taken = |name: &String| {
            self.names.values().any(|taken| taken == name)
                || places(name).iter().any(|place| self.path.join(place).exists())
        };
        let numbered = (2_u64..).map(|number| format!("{plain}-{number}"));
        let name = std::iter::once(plain.clone()).chain(numbered).find(|name| !is_taken(name));
        let name = name.expect("one of all numbers is free");
        self.names.insert(app_key.to_owned(), name.clone());
        name
    }
}

/// Of a world's bundle, of its notes and of its draft.
fn places(name: &str) -> [String; 3] {
    [format!("{name}.bundle.json"), format!("{name}.notes.txt"), format!("scenarios/recorded/{name}.json")]
}

/// What `conformance` reads as a bundle, which tests hold against it; the first field says what it is.
#[derive(Serialize)]
struct Bundle<'a> {
    bundle: u32,
    harness: &'a str,
    seed: u64,
    scenario: Json,
    client: Json,
    expect_ms: u64,
    quiet_ms: u64,
    ended: &'a str,
    verdict: &'a str,
    findings: [(); 0],
    app_key: &'a str,
    staged: usize,
    ended_at: Option<Millis>,
    tape: &'a [Row],
    journal: Option<()>,
    marks: [(); 0],
    marks_left_out: usize,
    stderr: &'a str,
    redactions: Vec<Redaction>,
    notes: &'a [String],
}

fn bundle(app_key: &str, name: &str, rows: &[Row], redacted: &[Redacted], notes: &[String]) -> String {
    let redacted = redacted.iter();
    let bundle = Bundle {
        bundle: BUNDLE_FORMAT,
        harness: env!("CARGO_PKG_VERSION"),
        seed: 0,
        scenario: json!({ "name": format!("recorded/{name}"), "path": "", "source": "" }),
        // Nobody was told what to do: whoever it was came by itself.
        client: json!({
            "name": "recorded",
            "command": [],
            "hello": { "protocol": 1, "name": "recorded", "version": "0.0.0", "capabilities": [] },
        }),
        expect_ms: 0,
        quiet_ms: 0,
        ended: "finished",
        verdict: "not_run",
        findings: [],
        app_key,
        staged: 0,
        // The clients have time of their own: when their heartbeats came was chance.
        ended_at: None,
        tape: rows,
        // What a foreign server was given is not what ours can be given: its ids are its own.
        journal: None,
        marks: [],
        marks_left_out: 0,
        stderr: "",
        redactions: redacted
            .map(|one| Redaction {
                what: one.what.to_string(),
                alias: one.alias.clone(),
                times: Some(one.times),
            })
            .collect(),
        notes,
    };
    serde_json::to_string(&bundle).expect("a bundle has only string keys") + "\n"
}

fn notes(snapshot: &Snapshot, redactor: &mut Redactor<'_>) -> Vec<String> {
    let told = |note: &super::kept::Note| {
        let times = if note.times == 1 { String::new() } else { format!(" ({} times)", note.times) };
        format!("{}{times}", note.text)
    };
    let mut notes: Vec<String> = snapshot.notes.iter().map(|note| redactor.text(&told(note))).collect();
    if snapshot.notes_left_out > 0 {
        notes.push(format!("{} notes more are left out", snapshot.notes_left_out));
    }
    if snapshot.rows_left_out > 0 {
        notes.push(format!("{} rows at the end are left out: the record was full", snapshot.rows_left_out));
    }
    notes
}

fn for_people(app_key: &str, rows: usize, redacted: &[Redacted], notes: &[String], draft: &Draft) -> String {
    let mut text = format!("A recording of {app_key}: {rows} rows\n\nReplaced\n");
    for Redacted { alias, times, .. } in redacted {
        let times = if *times == 1 { "once".to_owned() } else { format!("{times} times") };
        let _infallible = writeln!(text, "  {alias}  {times}");
    }
    if redacted.is_empty() {
        text.push_str("  nothing\n");
    }
    text.push_str("\nWhat happened besides\n");
    for note in notes {
        let _infallible = writeln!(text, "  {note}");
    }
    if notes.is_empty() {
        text.push_str("  nothing\n");
    }
    text.push_str("\nTo do in the draft\n");
    for todo in &draft.todo {
        let _infallible = writeln!(text, "  {todo}");
    }
    if draft.todo.is_empty() {
        text.push_str("  nothing: all that went by is in it\n");
    }
    text
}

/// Beside its place first: only within a file system a file is moved at once.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().expect("each lies in a folder");
    let named = |error: io::Error| {
        io::Error::new(error.kind(), format!("{} cannot be written: {error}", path.display()))
    };
    fs::create_dir_all(folder).map_err(named)?;
    let mut file = tempfile::Builder::new().prefix(".").tempfile_in(folder).map_err(named)?;
    file.write_all(bytes).map_err(named)?;
    file.persist(path).map_err(|error| named(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_that_was_there_before_is_replaced() {
        for place in places("org-app") {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join(place);
            fs::create_dir_all(path.parent().expect("it has one")).expect("room");
            fs::write(&path, "somebody's own").expect("room");
            let mut folder = Folder::new(folder.path().to_owned(), Texts::Kept).expect("it is there");
            assert_eq!(folder.name("org#app"), "org-app-2", "{}", path.display());
        }
    }
}
