//! Records: written only when asked for, proposed beside the old one otherwise, never on a build server.

use std::collections::BTreeSet;
use std::path::Path;

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
