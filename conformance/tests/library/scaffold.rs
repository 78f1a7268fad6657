//! What `conformance new` writes, for every clause that there is: a scenario that parses, and that no client passes.

use std::collections::BTreeSet;
use std::path::Path;

use conformance::clause::{self, Clause, Level};
use conformance::scaffold::{FILL_IN, Scaffold};
use conformance::scenario::{Action, Scenario};
use rstest::rstest;
use serde_json::Value;

fn clauses() -> Vec<Clause> {
    clause::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/clauses.json"))
        .expect("the clauses")
}

fn clause(id: &str) -> Clause {
    Clause { id: id.to_owned(), statement: "A \"text\" arrives.".to_owned(), level: Level::Must }
}

/// The last thing that is expected is a text that no client shows: who leaves it there does not pass.
#[test]
fn every_clause_has_a_beginning_that_parses_and_does_not_pass() {
    let clauses = clauses();
    let ids: BTreeSet<String> = clauses.iter().map(|clause| clause.id.clone()).collect();
    for clause in &clauses {
        let scaffold = Scaffold::of(clause, None).expect("a name");
        let path = Path::new("fixtures/scenarios").join(format!("{}.json", scaffold.name));
        let scenario = Scenario::parse(&scaffold.text, &scaffold.name, &path, &ids)
            .unwrap_or_else(|error| panic!("{}: {error}\n{}", clause.id, scaffold.text));
        assert_eq!(scenario.clauses, [&*clause.id]);
        assert_eq!(scenario.why, clause.statement);
        let last = scenario.steps.last().expect("it has steps");
        let Action::Expect { event, .. } = &last.action else { panic!("{}: {last:?}", clause.id) };
        let asked = |value: &Value| value.as_str().is_some_and(|text| text.starts_with(FILL_IN));
        assert!(event.fields.values().any(asked), "{}: {event}", clause.id);
        assert!(scenario.steps.len() > 1, "{}: nothing is told", clause.id);
    }
}

#[test]
fn a_beginning_looks_like_what_people_write() {
    let scaffold = Scaffold::of(&clause("recall.group"), None).expect("a name");
    assert_eq!(scaffold.name, "recall/group");
    insta::assert_snapshot!(scaffold.text, @r#"
    { "why": "A \"text\" arrives.",
      "clauses": ["recall.group"],
      "given": {"online": ["alice", "bob"], "groups": {"g1": ["alice", "bob"]}},
      "steps": [
        {"tell":   {"user": "alice", "command": {"send_text": {"handle": "m1", "to": "g1", "chat": "group", "text": "hi"}}}},
        {"expect": {"user": "alice", "event": {"sent": {"handle": "m1", "id": "$m1"}}}},
        {"expect": {"user": "alice", "event": {"received": {"handle": "m1", "id": "$m1"}}}},
        {"expect": {"user": "bob", "event": {"text": {"id": "$m1", "from": "alice", "to": "g1", "chat": "group", "data": "hi"}}}},
        {"tell":   {"user": "alice", "command": {"recall": {"handle": "r1", "id": "$m1", "to": "g1", "chat": "group"}}}},
        {"expect": {"user": "bob", "event": {"recall": {"from": "FILL IN: what bob is shown"}}}} ] }
    "#);
}

#[rstest]
#[case("send.text.single", None, Ok("send/text-single"))]
#[case("v4.room.join", Some("v4/join-a-room"), Ok("v4/join-a-room"))]
#[case("alert.unread", Some("alert"), Err("\"alert\" is no scenario's name"))]
#[case("alert.unread", Some("../evil"), Err("\"../evil\" is no scenario's name"))]
#[case("alert.unread", Some("alert/a/b"), Err("\"alert/a/b\" is no scenario's name"))]
#[case("alert.unread", Some("alert/Big"), Err("\"alert/Big\" is no scenario's name"))]
fn a_name_is_an_area_and_words(
    #[case] id: &str,
    #[case] name: Option<&str>,
    #[case] expected: Result<&str, &str>,
) {
    match (Scaffold::of(&clause(id), name), expected) {
        (Ok(scaffold), Ok(name)) => assert_eq!(scaffold.name, name),
        (Err(error), Err(said)) => assert!(error.starts_with(said), "{error}"),
        (got, expected) => panic!("expected {expected:?}, got {got:?}"),
    }
}
