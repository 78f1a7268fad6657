//! Two clients on the same scenarios: what is called different, and how it is told.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use conformance::diff::Diff;
use conformance::driver::Hello;
use conformance::scenario::Scenario;
use conformance::suite::{Evaluated, Suite};
use conformance::transcript::{Piece, Sent};
use conformance::verdict::Verdict;

fn scenario(name: &str) -> Scenario {
    let source = r#"{"why": "It is so.", "clauses": ["a.b"], "given": {"online": ["a"]}, "steps": [{"silent": {"user": "a"}}]}"#;
    let known = BTreeSet::from(["a.b".to_owned()]);
    Scenario::parse(source, name, Path::new("x.json"), &known).unwrap_or_else(|error| panic!("{error}"))
}

fn piece(what: &str, fields: &[(&str, &str)]) -> Piece {
    let fields = fields.iter().map(|(place, value)| ((*place).to_owned(), (*value).to_owned()));
    Piece { what: what.to_owned(), fields: fields.collect() }
}

fn alice(pieces: &[Piece]) -> Vec<Sent> {
    vec![Sent { lane: "alice".to_owned(), pieces: pieces.to_vec() }]
}

fn suite<'a>(runs: Vec<(&'a Scenario, Verdict, Vec<Sent>)>) -> Suite<'a> {
    let hello = Hello { protocol: 1, name: "x".into(), version: "1".into(), capabilities: BTreeSet::new() };
    let evaluated = runs.into_iter().map(|(scenario, verdict, sent)| Evaluated {
        scenario,
        verdict,
        findings: Vec::new(),
        sent,
        evidence: None,
        bundle: None,
        unwritten: None,
        took: Duration::ZERO,
        tries: 1,
        recorded: false,
        shown: Vec::new(),
    });
    Suite { hello, evaluated: evaluated.collect(), not_run: Vec::new(), server_fault: None }
}

#[test]
fn what_differs_is_told_by_frame_and_by_field() {
    let names = ["x/same", "x/fields", "x/order", "x/extra", "x/verdict", "x/lacking"];
    let scenarios = names.map(scenario);
    let login = |version: &str| piece("PROVISION", &[("payload.version", version), ("version", "MSYNC_V1")]);
    let unread = || piece("UNREAD", &[]);
    let known = || Verdict::KnownFailure { reason: "It is known.".into(), mismatches: Vec::new() };
    let lacking = || Verdict::Unsupported { what: "f".into(), reason: "It has none.".into(), declared: true };
    let left = suite(vec![
        (&scenarios[0], Verdict::Passed, alice(&[login("3"), unread()])),
        (&scenarios[1], Verdict::Passed, alice(&[login("3"), piece("UNREAD", &[("a", "1")])])),
        (&scenarios[2], Verdict::Passed, alice(&[login("3"), unread(), piece("SYNC pull", &[])])),
        (&scenarios[3], Verdict::Passed, alice(&[login("3"), unread(), unread(), unread()])),
        (&scenarios[4], Verdict::Passed, alice(&[login("3")])),
        (&scenarios[5], lacking(), alice(&[login("3")])),
    ]);
    let right = suite(vec![
        (&scenarios[0], Verdict::Passed, alice(&[login("3"), unread()])),
        (&scenarios[1], Verdict::Passed, alice(&[login("4"), piece("UNREAD", &[("b", "2")])])),
        (&scenarios[2], Verdict::Passed, alice(&[login("3"), piece("SYNC pull", &[]), unread()])),
        (&scenarios[3], Verdict::Passed, alice(&[login("4"), unread(), piece("LOGOUT", &[])])),
        (&scenarios[4], known(), alice(&[login("3")])),
        (&scenarios[5], Verdict::Passed, alice(&[login("4"), unread()])),
    ]);
    let diff = Diff::new(("old", &left), ("new", &right));
    insta::assert_snapshot!(diff.text(), @r"
    old | new: 6 scenarios
         1  same frames
         2  other fields
         1  other order
         1  extra frames
         2  other verdict

    fields, in how many scenarios, and the first values

    PROVISION
         2  payload.version: 3 | 4

    UNREAD
         1  a: 1 | –
         1  b: – | 2

    scenario by scenario
      x/same: same frames
      x/fields: other fields
      x/order: other order
          in another order: alice
      x/extra: extra frames, other fields
          only old, alice: 2 × UNREAD
          only new, alice: LOGOUT
      x/verdict: other verdict
          old passes, new known failure
      x/lacking: other verdict
          old unsupported, new passes
    ");
    let json: serde_json::Value = serde_json::from_str(&diff.json()).expect("JSON");
    let extra = &json["scenarios"][3];
    assert_eq!(extra["lanes"][0]["only_left"], serde_json::json!(["UNREAD", "UNREAD"]));
    assert_eq!(extra["lanes"][0]["only_right"], serde_json::json!(["LOGOUT"]));
    assert_eq!(extra["fields"][0]["field"], "payload.version");
    assert_eq!(json["scenarios"][4]["right"], "known_failure");
}
