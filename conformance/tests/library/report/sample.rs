//! Reports made by hand, for the tests to tell.

use conformance::clause::Level;
use conformance::report::model::{
    ClauseReport, ClientReport, Evidence, FORMAT, FindingReport, LaneKind, LaneReport, MismatchReport,
    Moment, PlaceWord, Report, ScenarioReport, ScenarioText, Tally, VerdictWord, Way,
};

/// A scenario of which every client in the sample does something else.
pub(crate) const SOURCE: &str = r#"{ "why": "A text sent to a user arrives once.",
  "clauses": ["send.text.single", "recv.received"],
  "given": {"online": ["alice", "bob"]},
  "steps": [
    {"tell":   {"user": "alice", "command": {"send_text": {"handle": "m1", "to": "bob", "chat": "single", "text": "hi"}}}},
    {"expect": {"user": "alice", "event": {"sent": {"handle": "m1", "id": "$m1"}}}},
    {"expect": {"user": "bob", "event": {"text": {"id": "$m1", "from": "alice", "to": "bob", "chat": "single", "data": "hi"}}}},
    {"silent": {"user": "bob"}} ] }
"#;

/// Two clients: one fails in many ways, one is as its file says.
pub(crate) fn report() -> Report {
    let texts = ["conn/login", "recv/late", "send/text", "send/twice", "v4/pin"];
    let scenarios = texts.map(|name| ScenarioText {
        name: name.to_owned(),
        path: format!("fixtures/scenarios/{name}.json"),
        why: "A text sent to a user arrives once.".to_owned(),
        clauses: vec!["send.text.single".to_owned(), "recv.received".to_owned()],
        source: SOURCE.to_owned(),
    });
    let clause = |id: &str, level, statement: &str| ClauseReport {
        id: id.to_owned(),
        level,
        statement: statement.to_owned(),
    };
    Report {
        format: FORMAT,
        harness: "0.1.0".to_owned(),
        program: "cargo xtask conformance".to_owned(),
        started_ms: 1_640_908_800_123,
        ms: 5_250,
        seed: 7,
        nasty: None,
        shard: None,
        interrupted: false,
        clauses: vec![
            clause("send.text.single", Level::Must, "A text to a user arrives."),
            clause("recv.received", Level::Should, "The sender hears of it."),
            clause("v4.pin", Level::Must, "A message is pinned | for all."),
        ],
        scenarios: scenarios.into(),
        clients: vec![failing(), as_expected()],
    }
}

fn failing() -> ClientReport {
    let scenarios = vec![
        ScenarioReport {
            mismatches: vec![mismatch(PlaceWord::Around, None, "the client's process ended: exit status: 1")],
            ..scenario("conn/login", VerdictWord::Failed)
        },
        ScenarioReport {
            mismatches: vec![mismatch(
                PlaceWord::Step,
                Some((2, 6)),
                "alice showed nothing within 5s\n  event: expected sent {\"handle\":\"m1\"}, got nothing",
            )],
            tries: 2,
            ..scenario("recv/late", VerdictWord::Flaky)
        },
        ScenarioReport {
            mismatches: vec![
                mismatch(
                    PlaceWord::Step,
                    Some((3, 7)),
                    "bob showed text and not as expected\n  data: expected \"hi\", got \"ho, <b>got \\\"it\\\"</b>\"\n  chat: expected \"single\", got nothing: the field is missing\n  whole: text {\"data\":\"ho\",\"from\":\"alice\",\"id\":\"1160000000000000001\",\"to\":\"bob\"}",
                ),
                mismatch(
                    PlaceWord::Wire,
                    None,
                    "alice sent what send.text.single forbids, 2 times\n  payload.meta.to: expected bob, got none",
                ),
            ],
            findings: vec![FindingReport {
                clause: "send.text.single".to_owned(),
                user: "alice".to_owned(),
                text: "payload.meta.to: expected bob, got none".to_owned(),
                times: 2,
            }],
            bundle: Some("target/conformance/bundles/node-4.21.1/send__text.bundle.json".to_owned()),
            evidence: Some(evidence()),
            ..scenario("send/text", VerdictWord::Failed)
        },
        ScenarioReport {
            mismatches: vec![mismatch(
                PlaceWord::ClientFile,
                None,
                "it passes, and \"known_failures\" says that it fails\n  send/twice: expected 1\n  remove the entry in conformance/clients/node-4.21.1.json",
            )],
            ..scenario("send/twice", VerdictWord::StaleKnownFailure)
        },
        ScenarioReport {
            reason: Some("The SDK has no such call: pin_message".to_owned()),
            ..scenario("v4/pin", VerdictWord::Unsupported)
        },
    ];
    let stale = "known_failures: \"send/old\" with message \"x\" matches no failure; remove the entry";
    ClientReport {
        tally: Tally { failed: 3, flaky: 1, unsupported: 1, ..Tally::default() },
        stale: vec![stale.to_owned()],
        mend: Some("cargo xtask conformance run --client node-4.21.1 --update-known-failures".to_owned()),
        ..client("node-4.21.1", scenarios)
    }
}

fn as_expected() -> ClientReport {
    let mut scenarios = vec![
        scenario("conn/login", VerdictWord::Passed),
        scenario("recv/late", VerdictWord::Passed),
        scenario("send/text", VerdictWord::KnownFailure),
        scenario("send/twice", VerdictWord::Passed),
        scenario("v4/pin", VerdictWord::NotRun),
    ];
    scenarios[2].reason = Some("It forgets the text & shows \"\".".to_owned());
    scenarios[2].mismatches.push(mismatch(
        PlaceWord::Step,
        Some((3, 7)),
        "bob showed text and not as expected",
    ));
    let tally = Tally { passed: 3, known_failures: 1, not_run: 1, ..Tally::default() };
    ClientReport { tally, ..client("core", scenarios) }
}

fn client(name: &str, scenarios: Vec<ScenarioReport>) -> ClientReport {
    ClientReport {
        name: name.to_owned(),
        calls_itself: "a client".to_owned(),
        version: "4.21.1".to_owned(),
        capabilities: vec!["virtual_clock".to_owned()],
        not_started: None,
        tally: Tally::default(),
        stale: Vec::new(),
        mend: None,
        unexplained: Vec::new(),
        file: Some(format!("conformance/clients/{name}.json")),
        again: format!("--client {name} --seed 7 {{}}"),
        scenarios,
    }
}

fn scenario(name: &str, verdict: VerdictWord) -> ScenarioReport {
    ScenarioReport {
        name: name.to_owned(),
        verdict,
        reason: None,
        mismatches: Vec::new(),
        findings: Vec::new(),
        ms: 1_050,
        tries: 1,
        bundle: None,
        evidence: None,
    }
}

fn mismatch(place: PlaceWord, at: Option<(usize, usize)>, message: &str) -> MismatchReport {
    MismatchReport {
        place,
        step: at.map(|(step, _)| step),
        line: at.map(|(_, line)| line),
        message: message.to_owned(),
    }
}

fn evidence() -> Evidence {
    let lane = |title: &str, kind| LaneReport { title: title.to_owned(), kind };
    let moment = |lane, way, label: &str, text: &str, step| Moment {
        lane,
        way,
        label: label.to_owned(),
        text: text.to_owned(),
        step,
        at_ms: Some(5),
    };
    let page = "SYNC\n    version:MSYNC_V1\n    payload{metas{id:<id 1> ns:CHAT}}";
    Evidence {
        lanes: vec![
            lane("alice", LaneKind::Driver),
            lane("alice, WebSocket", LaneKind::Socket),
            lane("bob", LaneKind::Driver),
            lane("bob, WebSocket", LaneKind::Socket),
        ],
        moments: vec![
            moment(0, Way::ToClient, "login_token", "login_token token:\"<token 1>\"", None),
            moment(0, Way::FromClient, "opened", "opened", None),
            moment(1, Way::Up, "UNREAD", "UNREAD", None),
            moment(1, Way::Down, "UNREAD", "UNREAD", None),
            moment(0, Way::ToClient, "send_text", "send_text handle:\"m1\" text:\"hi\" to:\"bob\"", Some(1)),
            moment(1, Way::Up, "SYNC CHAT", "SYNC payload{meta{id:<local 1> ns:CHAT}}", Some(1)),
            moment(1, Way::Down, "SYNC answer", "SYNC payload{metaId:<local 1> serverId:<id 1>}", Some(1)),
            moment(0, Way::FromClient, "sent", "sent handle:\"m1\" id:<id 1>", Some(2)),
            moment(3, Way::Down, "SYNC page CHAT", page, Some(2)),
            moment(2, Way::FromClient, "text", "text data:\"ho\" id:<id 1>", Some(3)),
            moment(3, Way::Here, "closed", "closed: the client went", None),
        ],
        left_out: 0,
        left_out_after: 0,
        stderr: (1..=22).map(|line| format!("\u{1b}[31mline {line}\u{1b}[0m\tend\u{7}\n")).collect(),
    }
}
