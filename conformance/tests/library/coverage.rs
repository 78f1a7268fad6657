//! The table of clauses: what it counts as proven, what it says of a client, and what a change makes of old results.

use std::collections::BTreeSet;
use std::path::Path;

use conformance::clause::{Clause, Level, load};
use conformance::coverage::{Coverage, Standing};
use conformance::results::Results;
use conformance::scenario::Scenario;
use rstest::rstest;

fn clause(id: &str) -> Clause {
    Clause { id: id.to_owned(), statement: "It holds.".to_owned(), level: Level::Must }
}

fn scenario(name: &str, clauses: &[&str], why: &str) -> Scenario {
    let source = format!(
        r#"{{"why": "{why}", "clauses": {clauses:?}, "given": {{"online": ["a"]}}, "steps": [{{"silent": {{"user": "a"}}}}]}}"#
    );
    let known: BTreeSet<String> = clauses.iter().map(|id| (*id).to_owned()).collect();
    Scenario::parse(&source, name, Path::new("x.json"), &known).unwrap_or_else(|error| panic!("{error}"))
}

/// The table's line that begins with this label.
fn line<'t>(text: &'t str, label: &str) -> Vec<&'t str> {
    let line = text.lines().find(|line| line.trim_start().split("  ").next() == Some(label));
    line.unwrap_or_else(|| panic!("no {label} in\n{text}"))
        .split("  ")
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .collect()
}

#[test]
fn a_clause_is_proven_by_a_scenario_that_the_reference_passes() {
    let clauses = ["a.passed", "a.failed", "a.elsewhere", "a.lacking", "a.nowhere", "a.later"].map(clause);
    let scenarios = [
        scenario("x/one", &["a.passed", "a.failed"], "One."),
        scenario("x/two", &["a.passed"], "Two."),
        scenario("x/three", &["a.failed"], "Three."),
        scenario("x/four", &["a.elsewhere"], "Four."),
        scenario("x/five", &["a.lacking"], "Five."),
        scenario("x/six", &["a.later"], "Six."),
    ];
    let (mut core, mut node) = (Results::new("core", "{}"), Results::new("node", "{}"));
    core.set(&scenarios[0], Standing::Unsupported, &[]);
    core.set(&scenarios[1], Standing::Passes, &[]);
    core.set(&scenarios[2], Standing::Fails, &[]);
    core.set(&scenarios[3], Standing::KnownFailure, &[]);
    core.set(&scenarios[4], Standing::Unsupported, &[]);
    core.set(&scenarios[5], Standing::Unsupported, &[]);
    node.set(&scenarios[3], Standing::Passes, &[]);
    node.set(&scenarios[4], Standing::Passes, &[]);
    let clients = [core, node];
    let coverage = Coverage::new(&clauses, &scenarios, &clients);
    assert_eq!(coverage.unproven(), ["a.failed", "a.elsewhere", "a.nowhere", "a.later"]);

    let text = coverage.text();
    assert_eq!(line(&text, "clause / scenario"), ["clause / scenario", "core", "node"]);
    assert_eq!(line(&text, "a.passed"), ["a.passed", "1 of 2 pass", "not run"]);
    assert_eq!(line(&text, "a.failed"), ["a.failed", "FAILS", "not run"]);
    assert_eq!(line(&text, "a.elsewhere"), ["a.elsewhere", "known failure", "passes"]);
    assert_eq!(line(&text, "a.nowhere"), ["a.nowhere", "-", "-"]);
    assert_eq!(line(&text, "x/one"), ["x/one", "unsupported", "not run"]);
    assert!(
        text.contains(
            "1 of 6 clauses have a scenario that core passes\n\
             1 more need what core lacks, and another client passes one\nwithout one: a.failed, a.elsewhere, a.nowhere\n\
             not known, for core lacks the calls and no other client was run on them: a.later\n"
        ),
        "{text}"
    );

    let json = serde_json::to_value(&coverage).expect("JSON");
    assert_eq!(json["clients"], serde_json::json!(["core", "node"]));
    assert_eq!(json["clauses"][2]["scenarios"][0]["clients"], serde_json::json!(["known_failure", "passes"]));
}

#[rstest]
#[case::as_it_was("{}", "One.", Standing::Passes)]
#[case::the_clients_file_changed("{ }", "One.", Standing::NotRun)]
#[case::the_scenario_changed("{}", "Another.", Standing::NotRun)]
fn a_result_holds_for_what_it_was_made_with(
    #[case] file: &str,
    #[case] why: &str,
    #[case] expected: Standing,
) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut results = Results::new("core", "{}");
    results.set(&scenario("x/one", &["a.passed"], "One."), Standing::Passes, &[]);
    results.save(folder.path()).expect("kept");
    let kept = Results::load(folder.path(), "core", file);
    assert_eq!(kept.standing(&scenario("x/one", &["a.passed"], why)), expected);
    assert_eq!(Results::load(folder.path(), "node", file), Results::new("node", file));
}

/// The list of the seed's statements: as many as were asked for, and each once.
#[test]
fn every_clause_of_the_seed_is_there_with_its_statement() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/clauses.json");
    let clauses = load(&path).unwrap_or_else(|error| panic!("{error}"));
    let is_later = |clause: &&Clause| ["v4.", "error."].iter().any(|area| clause.id.starts_with(area));
    let of_the_seed = clauses.iter().filter(|clause| !is_later(clause)).count();
    assert_eq!(of_the_seed, 91);
    for Clause { id, statement, .. } in &clauses {
        assert!(statement.ends_with('.') && statement.len() > 30, "{id}: {statement:?}");
        assert!(!id.contains(['{', '}', ',']), "{id}: braces are expanded");
    }
}
