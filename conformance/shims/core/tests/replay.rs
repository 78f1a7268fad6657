//! Bundles of this shim's runs: this build's server says what it said, a frame that was another is found, and this shim
//! does before the record what it did before the server.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use conformance::bundle::{Bundle, Circumstances};
use conformance::client::Client;
use conformance::driver::Driver as _;
use conformance::driver::subprocess::{Limits, Program, Subprocess};
use conformance::exceptions::Exceptions;
use conformance::replay::{client, server};
use conformance::run::{self, Outcome};
use conformance::scenario::Scenario;
use conformance::schema::Name;
use conformance::trace::Marked;
use conformance::verdict::Verdict;
use conformance::{clause, doctor};
use mock_server::tape::{Direction, Event};
use rstest::rstest;

/// Nothing takes half as long.
const WITHIN: Duration = Duration::from_secs(20);

fn shim() -> Subprocess {
    let program =
        Program { program: env!("CARGO_BIN_EXE_shim-core").into(), args: Vec::new(), folder: ".".into() };
    Subprocess::start(&program, Limits::default()).expect("it starts")
}

/// Runs a scenario on the shim, and gives what would be written of it.
fn recorded(name: &str) -> Bundle {
    let path = format!("fixtures/scenarios/{name}.json");
    let source = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").join(&path));
    let source = source.expect("the scenario is there");
    let clauses: BTreeSet<String> =
        clause::embedded().expect("they are in the program").into_iter().map(|clause| clause.id).collect();
    let scenario = Scenario::parse(&source, name, Path::new(&path), &clauses).expect("a scenario");
    let server = doctor::server().expect("a free port");
    let mut driver = shim();
    let limits = run::Limits { expect: WITHIN, quiet: WITHIN };
    let run = run::run(&server, &mut driver, &scenario, limits);
    assert_eq!(run.outcome, Outcome::Finished);
    let circumstances =
        Circumstances { client: "core", command: &[], hello: driver.hello(), seed: 7, limits };
    Bundle::of(&scenario, &run, &Verdict::Passed, &[], circumstances)
}

/// A scenario of each area, and of what is special in it.
#[rstest]
#[case::send("send/text-to-user")]
#[case::upload("send/image-to-user")]
#[case::absent("conn/absent-one-message")]
#[case::kicked("conn/kicked-one-device")]
#[case::cut("conn/cut-without-close-frame")]
#[case::a_clock_that_moves("conn/heartbeat-keeps-the-link")]
#[case::download("recv/download-image")]
#[case::recall("recall/while-away")]
#[case::receipt("receipt/group-read-counts")]
#[case::history("roam/single")]
#[case::session("session/newest-first")]
#[case::refused("fail/muted-for-a-minute-in-a-group")]
#[case::an_apps_own_server("fail/callback-rewrites-a-text")]
#[case::reaction("v4/reaction-in-a-group")]
#[case::pin("v4/pin-group")]
#[case::room("v4/room-entered-and-left")]
fn the_server_says_again_what_it_said(#[case] name: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = recorded(name).write(folder.path()).expect("room");
    let bundle = Bundle::read(&path).expect("it is whole");
    let validator = jsonschema::draft202012::new(&Name::Bundle.schema()).expect("a schema");
    let written = serde_json::to_value(&bundle).expect("it has only string keys");
    assert_eq!(validator.validate(&written).err().map(|error| error.to_string()), None);
    let played = server::play(&bundle).expect("the server told what it was given");
    assert_eq!(played.difference.map(|difference| difference.to_string()), None);
    let scenario = server::scenario(&bundle).expect("this build reads it");
    let client = Client::of_command(Vec::new(), Path::new("."));
    let exceptions = Exceptions::of(&client, "1");
    let played = server::play(&bundle).expect("as before");
    assert_eq!(played.verdict(&bundle, Some(&scenario), &exceptions, None), Verdict::Passed);

    // Each frame of the server in its middle, and the last: one bit of it is another.
    let down: Vec<usize> = bundle
        .tape
        .iter()
        .enumerate()
        .filter(|(_, row)| matches!(row.event, Event::Frame { direction: Direction::Down, .. }))
        .map(|(index, _)| index)
        .collect();
    for at in [down[down.len() / 2], down[down.len() - 1]] {
        let mut changed = bundle.clone();
        let Event::Frame { bytes, .. } = &mut changed.tape[at].event else { unreachable!("it is one") };
        let mut other = bytes.to_vec();
        *other.last_mut().expect("no frame is empty") ^= 1;
        *bytes = other.into();
        let difference = server::play(&changed).expect("as before").difference.expect("it is found");
        assert_eq!((difference.row, difference.step), (at, bundle.step_of(at)));
        assert!(!difference.fields.is_empty(), "{difference}");
    }
}

/// What a frame holds that is another is said field by field, at its step.
#[test]
fn a_text_that_was_another_is_told_where_it_was_sent() {
    let mut bundle = recorded("send/text-to-user");
    let (at, frame) = bundle
        .tape
        .iter()
        .enumerate()
        .find_map(|(at, row)| match &row.event {
            Event::Frame { direction: Direction::Down, bytes, .. } => {
                let text = bytes.windows(5).position(|five| five == b"alice")?;
                Some((at, (bytes.clone(), text)))
            }
            _ => None,
        })
        .expect("bob is told from whom it is");
    let (bytes, text) = frame;
    let mut other = bytes.to_vec();
    other[text..text + 5].copy_from_slice(b"alicf");
    let Event::Frame { bytes, .. } = &mut bundle.tape[at].event else { unreachable!("it is one") };
    *bytes = other.into();
    let told = server::play(&bundle).expect("the server told").difference.expect("one").to_string();
    assert!(told.contains(&format!("row {} of the tape", at + 1)), "{told}");
    assert!(told.contains("recorded \"alicf\", now \"alice\""), "{told}");
}

#[rstest]
#[case::send("send/text-to-user")]
#[case::absent("conn/absent-one-message")]
#[case::recall("recall/single")]
#[case::upload("send/image-to-user")]
#[case::history("roam/single")]
fn the_client_does_again_what_it_did(#[case] name: &str) {
    let bundle = recorded(name);
    let played = client::play(&bundle, &mut shim(), WITHIN).expect("it can be played");
    assert_eq!(played.differences, Vec::<String>::new());
    assert!(played.events > 0 && played.lines > 0, "{played:?}");
}

/// A line of the record that asks for something else stands for a client that does something else.
#[test]
fn a_client_that_sends_something_else_is_told_field_by_field() {
    let mut bundle = recorded("send/text-to-user");
    for mark in &mut bundle.marks {
        if let Marked::Asked(line) = &mut mark.what
            && line.contains("send_text")
        {
            let mut request: serde_json::Value = serde_json::from_str(line).expect("the harness writes JSON");
            request["command"]["send_text"]["text"] = "something else".into();
            *line = request.to_string();
        }
    }
    let played = client::play(&bundle, &mut shim(), WITHIN).expect("it can be played");
    let told = played.differences.join("\n");
    assert!(told.contains(": SYNC from alice/webim_web\n"), "{told}");
    let field = "\n  payload.meta.payload.contents.text: recorded hi, now something else";
    assert!(told.contains(field), "{told}");
}

/// What a client lacked then it may lack now; what it has now is another client's.
#[test]
fn an_answer_is_held_against_the_recorded_one() {
    let mut bundle = recorded("send/text-to-user");
    // The line asks for what this client lacks, and was answered so.
    let mut lacked = None;
    for mark in &mut bundle.marks {
        match &mut mark.what {
            Marked::Asked(line) if line.contains("send_text") => {
                let mut request: serde_json::Value = serde_json::from_str(line).expect("JSON");
                request["command"] =
                    serde_json::json!({"set_remark": {"handle": "r", "user": "bob", "remark": "b"}});
                lacked = Some(request["id"].clone());
                *line = request.to_string();
            }
            Marked::Said(line) => {
                let said: serde_json::Value = serde_json::from_str(line).expect("JSON");
                if lacked.as_ref() == said.get("id") {
                    *line = serde_json::json!({"id": said["id"], "unsupported": "set_remark"}).to_string();
                }
            }
            _ => {}
        }
    }
    let answers = |bundle: &Bundle| {
        let played = client::play(bundle, &mut shim(), Duration::from_secs(1)).expect("it can be played");
        let otherwise = |told: &&String| told.starts_with("answered otherwise: ");
        played.differences.iter().filter(otherwise).cloned().collect::<Vec<_>>()
    };
    assert_eq!(answers(&bundle), Vec::<String>::new());
    for mark in &mut bundle.marks {
        if let Marked::Said(line) = &mut mark.what
            && line.contains("unsupported")
        {
            *line = line.replace("\"unsupported\":\"set_remark\"", "\"ok\":{}");
        }
    }
    let told = answers(&bundle).join("\n");
    assert!(told.starts_with("answered otherwise: recorded ok, now unsupported (set_remark)\n"), "{told}");
}
