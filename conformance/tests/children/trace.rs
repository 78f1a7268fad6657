//! What a run of a scenario leaves behind besides its outcome, on a real child and the real server.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use conformance::driver::subprocess::{Limits, Program, Subprocess};
use conformance::run::{self, run};
use conformance::scenario::Scenario;
use conformance::trace::Marked;
use mock_server::shell::{MockServer, Options};

const PATIENT: Duration = Duration::from_secs(10);

/// One scenario of two steps against the client that does this one thing wrong; a line for each mark.
fn marks(wrong: &str) -> Vec<String> {
    let source = r#"{"why": "She logs in.", "clauses": ["a"], "given": {"users": ["alice"]}, "steps": [
        {"tell": {"user": "alice", "command": {"login_password": {"password": "pw"}}}},
        {"expect": {"user": "alice", "event": {"opened": {}}}}]}"#;
    let clauses = BTreeSet::from(["a".to_owned()]);
    let scenario = Scenario::parse(source, "a/b", Path::new("x.json"), &clauses).expect("a scenario");
    let options = Options { tape: true, tape_rows_max: 100, ..Options::default() };
    let server = MockServer::start(options).expect("a free port");
    let program = Program {
        program: env!("CARGO_BIN_EXE_misbehaving-client").into(),
        args: vec![wrong.into()],
        folder: ".".into(),
    };
    let limits = Limits { hello: PATIENT, answer: PATIENT };
    let mut client = Subprocess::start(&program, limits).expect("it starts");
    let limits = run::Limits { expect: PATIENT, quiet: PATIENT };
    let trace = run(&server, &mut client, &scenario, limits).trace;
    assert_eq!(trace.app_key, "conformance#a-b");
    let line = |text: &str| {
        // The addresses have a port of the day.
        let value: serde_json::Value = serde_json::from_str(text).unwrap_or_else(|_| text.into());
        match value.pointer("/command/create") {
            Some(_) => "create".to_owned(),
            None => value.to_string(),
        }
    };
    let marks = trace.marks.iter().map(|mark| {
        let what = match &mark.what {
            Marked::Step { line } => format!("step in line {line}"),
            Marked::Asked(text) => format!("asked {}", line(text)),
            Marked::Said(text) => format!("said {}", line(text)),
            Marked::Control(text) => format!("control {}", line(text)),
            Marked::Advanced { ms } => format!("advanced {ms}"),
        };
        format!("{}: {what}", mark.step.map_or_else(|| "-".to_owned(), |step| step.to_string()))
    });
    marks.collect()
}

/// No `sync`, whose answers tell nobody anything.
#[test]
fn a_trace_has_every_line_and_the_step_that_was_taken() {
    insta::assert_snapshot!(marks("nothing").join("\n"), @r#"
-: control {"settings":{"strict":true}}
-: control {"user":{"name":"alice","password":"pw-alice"}}
1: step in line 2
1: asked create
1: said {"id":1,"ok":{}}
1: asked {"command":{"login_password":{"password":"pw"}},"id":2,"user":"alice"}
1: said {"id":2,"ok":{}}
2: step in line 3
2: said {"event":{"opened":{}},"user":"alice"}
"#);
}

/// Also what broke the protocol is there, as it was said.
#[test]
fn what_is_no_line_of_the_protocol_is_in_the_trace() {
    assert_eq!(marks("prints").last().map(String::as_str), Some("1: said \"connecting…\""));
}
