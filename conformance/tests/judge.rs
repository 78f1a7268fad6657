//! The judge against frames that vendor SDKs really sent: what it finds there is either a quirk of that SDK
//! that the wire notes know, or a rule that is wrong.

use conformance::judge::findings;
use mock_server::machine::{ConnId, Millis};
use mock_server::tape::{Direction, Door, Event, Row};
use rstest::rstest;
use serde_json::Value;

#[rstest]
// `undefined` in an ext has a type and no value in 3.x (wire-3x §4.3).
#[case("easemob-websdk-3.0.6", &[
    r#"txt-ext-single: build.ext payload.meta.payload.ext["und"]: expected doubleValue for DOUBLE, got nothing"#,
    r#"txt-ext-group: build.ext payload.meta.payload.ext["und"]: expected doubleValue for DOUBLE, got nothing"#,
])]
// The app key of `to` comes from the constructor alone (wire-3x §1.2).
#[case("easemob-websdk-3.6.3", &[
    r#"txt-ext-single: build.ext payload.meta.payload.ext["und"]: expected doubleValue for DOUBLE, got nothing"#,
    r#"txt-ext-group: build.ext payload.meta.payload.ext["und"]: expected doubleValue for DOUBLE, got nothing"#,
    r#"no-appkey-in-ctor: build.kinds payload.meta.to.appKey: expected "org#app", got """#,
])]
#[case("easemob-websdk-4.21.1", &[])]
fn finds_only_known_quirks_in_captured_frames(#[case] sdk: &str, #[case] expected: &[&str]) {
    let path = format!("{}/../fixtures/frames/{sdk}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect(&path);
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    let mut found = Vec::new();
    let mut conns = Vec::new();
    // Each case is a connection of its own for each user.
    let mut tapes: Vec<Vec<Row>> = Vec::new();
    for row in &rows {
        let whose = (row["case"].as_str().expect("case"), row["user"].as_str().unwrap_or_default());
        let index = conns.iter().position(|conn| *conn == whose).unwrap_or_else(|| {
            conns.push(whose);
            tapes.push(vec![at(Event::Opened { conn: ConnId(1), door: Door::WebSocket })]);
            conns.len() - 1
        });
        let direction = if row["dir"] == "c2s" { Direction::Up } else { Direction::Down };
        let bytes = unhex(row["hex"].as_str().expect("hex")).into();
        tapes[index].push(at(Event::Frame { conn: ConnId(1), direction, bytes }));
    }
    for ((case, _), tape) in conns.iter().zip(&tapes) {
        for (finding, _times) in findings(tape, "org#app") {
            found.push(format!("{case}: {} {}", finding.clause, finding.text));
        }
    }
    assert_eq!(found, expected);
}

fn at(event: Event) -> Row {
    Row { at: Millis(0), event }
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2) && text.is_ascii(), "{text}");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}
