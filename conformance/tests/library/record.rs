//! Records: written only when asked for, proposed beside the old one otherwise, never on a build server.

use std::collections::BTreeSet;
use std::path::Path;

use conformance::client::Client;
use conformance::record::pending::{Line, pending, unreferenced};
use conformance::record::{Mode, Records};
use conformance::scenario::Scenario;

fn scenario() -> Scenario {
    let source = r#"{ "why": "A \"test\".", "clauses": ["a"], "given": {"online": ["alice"]}, "steps": [{"silent": {"user": "alice"}}] }"#;
    let path = Path::new("fixtures/scenarios/send/text.json");
    Scenario::parse(source, "send/text", path, &BTreeSet::from(["a".to_owned()])).expect("a scenario")
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_record_is_written_when_accepted_and_compared_after() {
    let folder = tempfile::tempdir().expect("a folder");
    let records = |mode| Records::new(folder.path().to_owned(), mode);
    assert_eq!(records(Mode::Accept).compare(&scenario(), "> SYNC\n< SYNC\n"), None);
    let text = std::fs::read_to_string(folder.path().join("send__text.snap")).expect("a record");
    insta::assert_snapshot!(text, @r#"
    ---
    source: conformance/src/record.rs
    description: "A \"test\"."
    input_file: "fixtures/scenarios/send/text.json"
    ---
    > SYNC
    < SYNC
    "#);
    let read = insta::Snapshot::from_file(&folder.path().join("send__text.snap")).expect("insta reads it");
    assert_eq!(read.metadata().description(), Some("A \"test\"."));
    let contents = read.contents().as_text().map(ToString::to_string);
    assert_eq!(contents.as_deref(), Some("> SYNC\n< SYNC"));
    assert_eq!(records(Mode::Check).compare(&scenario(), "> SYNC\n< SYNC\n"), None);
    // As git checks it out on Windows.
    std::fs::write(folder.path().join("send__text.snap"), text.replace('\n', "\r\n")).expect("a file");
    assert_eq!(records(Mode::Check).compare(&scenario(), "> SYNC\n< SYNC\n"), None);
}

#[test]
fn a_difference_is_shown_line_by_line_and_left_to_a_person() {
    let folder = tempfile::tempdir().expect("a folder");
    let records = |mode| Records::new(folder.path().to_owned(), mode);
    records(Mode::Accept).compare(&scenario(), "> SYNC a:1\n< SYNC");
    let said = records(Mode::Check).compare(&scenario(), "> SYNC a:2\n< SYNC").expect("they differ");
    assert!(said.contains("\n-> SYNC a:1\n+> SYNC a:2\n < SYNC\n"), "{said}");
    assert_eq!(files(folder.path()), ["send__text.snap"]);
    records(Mode::Propose).compare(&scenario(), "> SYNC a:2\n< SYNC").expect("they differ");
    assert_eq!(files(folder.path()), ["send__text.snap", "send__text.snap.new"]);
    // The next run that is as recorded takes the proposal back.
    assert_eq!(records(Mode::Propose).compare(&scenario(), "> SYNC a:1\n< SYNC"), None);
    assert_eq!(files(folder.path()), ["send__text.snap"]);
}

#[test]
fn a_missing_record_fails_and_is_proposed() {
    let folder = tempfile::tempdir().expect("a folder");
    let said = Records::new(folder.path().to_owned(), Mode::Check).compare(&scenario(), "> SYNC");
    assert!(said.expect("there is none").contains("there is no record"));
    assert_eq!(files(folder.path()), [""; 0]);
    Records::new(folder.path().to_owned(), Mode::Propose)
        .compare(&scenario(), "> SYNC")
        .expect("there is none");
    assert_eq!(files(folder.path()), ["send__text.snap.new"]);
}

#[test]
fn a_record_that_nothing_is_compared_with_is_told_and_goes_when_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("send__gone.snap"), "").expect("a file");
    let compared = BTreeSet::from(["send/text"]);
    let said = Records::new(folder.path().to_owned(), Mode::Check).unreferenced(&compared);
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("send__gone.snap: the record of no scenario"), "{said:?}");
    let accepted = Records::new(folder.path().to_owned(), Mode::Accept);
    assert_eq!(accepted.unreferenced(&compared), [""; 0]);
    assert_eq!(files(folder.path()), [""; 0]);
}

/// A folder of records: `core` has one that is pending and one that is new, `gone` is no client any more.
fn kept() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let records = |client: &str, mode| Records::new(folder.path().join(client), mode);
    records("core", Mode::Accept).compare(&scenario(), "> SYNC a:1\n< SYNC");
    records("core", Mode::Propose).compare(&scenario(), "> SYNC a:2\n< SYNC").expect("they differ");
    let new = Scenario { name: "send/new".to_owned(), why: "It is new.".to_owned(), ..scenario() };
    records("core", Mode::Propose).compare(&new, "> SYNC").expect("there is none");
    records("gone", Mode::Accept).compare(&scenario(), "> SYNC");
    folder
}

#[test]
fn what_a_run_proposed_is_looked_at_and_taken_or_not() {
    let folder = kept();
    let found = pending(folder.path()).expect("a folder");
    let told: Vec<_> = found.iter().map(|one| (&*one.client, &*one.scenario, &*one.why)).collect();
    assert_eq!(told, [("core", "send/new", "It is new."), ("core", "send/text", "A \"test\".")]);
    assert_eq!(found[0].lines().expect("readable"), [Line::Proposed("> SYNC".to_owned())]);
    assert_eq!(
        found[1].lines().expect("readable"),
        [
            Line::Recorded("> SYNC a:1".to_owned()),
            Line::Proposed("> SYNC a:2".to_owned()),
            Line::Same("< SYNC".to_owned())
        ]
    );
    found[0].reject().expect("it goes");
    found[1].accept().expect("it is taken");
    assert_eq!(files(&folder.path().join("core")), ["send__text.snap"]);
    let core = Records::new(folder.path().join("core"), Mode::Check);
    assert_eq!(core.compare(&scenario(), "> SYNC a:2\n< SYNC"), None);
    assert_eq!(pending(folder.path()).expect("a folder"), []);
    assert_eq!(pending(&folder.path().join("nothing")).expect("no folder is no error"), []);
}

#[test]
fn a_record_that_nobody_needs_is_found_with_its_reason() {
    let folder = kept();
    std::fs::write(folder.path().join("core/send__old.snap"), "").expect("a file");
    let core = |records: &str| {
        let path = folder.path().join("core.json");
        std::fs::write(&path, format!(r#"{{"name": "core", "command": ["x"], "records": {records}}}"#))
            .expect("a file");
        Client::load(&path).expect("a client")
    };
    let new = Scenario { name: "send/new".to_owned(), unrecorded: Some("A race.".to_owned()), ..scenario() };
    let why = |client: Client, scenarios: &[Scenario]| {
        let found = unreferenced(folder.path(), &[client], scenarios).expect("a folder");
        found
            .into_iter()
            .map(|one| format!("{}: {}", one.path.file_name().expect("a name").display(), one.why))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        why(core("\"all\""), &[scenario(), new]),
        [
            "send__new.snap.new: send/new says \"record\": false",
            "send__old.snap: there is no scenario send/old",
            "send__text.snap: there is no client gone"
        ]
    );
    assert_eq!(
        why(core("[\"recv/*\"]"), &[scenario()])[2..],
        [
            "send__text.snap: \"records\" of core does not name send/text",
            "send__text.snap.new: \"records\" of core does not name send/text",
            "send__text.snap: there is no client gone"
        ]
    );
}
