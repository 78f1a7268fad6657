//! What each step means, with a client that exists in memory only: the world is the real server's, and nothing
//! ever goes over its wires.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::time::Duration;

use conformance::driver::{
    Answer, Capability, Command, Device, Driver, DriverError, Event, Hello, ProcessCommand,
};
use conformance::host::{Host, Remote};
use conformance::run::{Limits, Outcome, Run, run};
use conformance::scenario::Scenario;
use mock_server::shell::{MockServer, Options};
use rstest::rstest;
use serde_json::{Map, Value, json};

/// A call's name, its answer, and the events that it brings about.
type Scene = (&'static str, Value, Vec<(&'static str, Value)>);

/// A client that shows what its script says after each call.
struct Scripted {
    hello: Hello,
    /// What calls bring about, each once.
    script: Vec<Scene>,
    events: VecDeque<(Device, Event)>,
    calls: Vec<String>,
    /// The client's own timer, in ms from now, and what it shows when it has run out.
    timer: Option<(u64, &'static str, Value)>,
    /// The longest that anybody was ready to wait for an event.
    waited: Duration,
}

impl Scripted {
    fn new(script: Vec<Scene>) -> Self {
        let hello = Hello {
            protocol: 1,
            name: "scripted".to_owned(),
            version: "0".to_owned(),
            capabilities: BTreeSet::new(),
        };
        Self {
            hello,
            script,
            events: VecDeque::new(),
            calls: Vec::new(),
            timer: None,
            waited: Duration::ZERO,
        }
    }

    fn show(&mut self, user: &str, event: Value) {
        let device = user.parse().expect("a device");
        self.events.push_back((device, serde_json::from_value(event).expect("an event")));
    }
}

impl Driver for Scripted {
    fn hello(&self) -> &Hello {
        &self.hello
    }

    fn command(&mut self, device: &Device, command: &Command) -> Result<Answer, DriverError> {
        self.calls.push(format!("{device} {}", serde_json::to_string(command).expect("JSON")));
        let name = command.name();
        let Some(at) = self.script.iter().position(|(call, _, _)| *call == name) else {
            return Ok(Answer::Ok(Map::new()));
        };
        let (_, answer, events) = self.script.remove(at);
        for (user, event) in events {
            self.show(user, event);
        }
        let text = |key: &str| answer[key].as_str().map(str::to_owned);
        Ok(match (text("unsupported"), text("error")) {
            (Some(what), _) => Answer::Unsupported(what),
            (None, Some(why)) => Answer::Error(why),
            (None, None) => Answer::Ok(answer.as_object().cloned().unwrap_or_default()),
        })
    }

    fn process(&mut self, command: ProcessCommand) -> Result<Answer, DriverError> {
        if let ProcessCommand::Advance { ms } = command {
            if let Some((due, user, event)) = self.timer.take() {
                if due <= ms {
                    self.show(user, event);
                } else {
                    self.timer = Some((due - ms, user, event));
                }
            }
            let due = self.timer.as_ref().map(|(due, _, _)| *due);
            let answer = json!({"next_due_ms": due});
            return Ok(Answer::Ok(answer.as_object().cloned().expect("an object")));
        }
        Ok(Answer::Ok(Map::new()))
    }

    fn event(&mut self, within: Duration) -> Result<Option<(Device, Event)>, DriverError> {
        self.waited = self.waited.max(within);
        Ok(self.events.pop_front())
    }

    fn remarks(&mut self) -> String {
        String::new()
    }
}

fn scenario(given: &Value, members: &str, steps: &[Value]) -> Scenario {
    let steps: Vec<String> = steps.iter().map(Value::to_string).collect();
    let source = format!(
        "{{\"why\": \"A test.\", \"clauses\": [\"a\"], \"given\": {given},{members} \"steps\": [\n{}]}}",
        steps.join(",\n")
    );
    let clauses = BTreeSet::from(["a".to_owned()]);
    Scenario::parse(&source, "a/test", Path::new("test.json"), &clauses)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn evaluate(client: &mut Scripted, scenario: &Scenario) -> Run {
    let options = Options { tape: true, tape_rows_max: 100, ..Options::default() };
    let server = MockServer::start(options).expect("a free port");
    // No test waits for any of this: what a scripted client shows is there at once.
    let limits = Limits { expect: Duration::from_secs(1), quiet: Duration::from_secs(10) };
    run(&server, client, scenario, limits)
}

fn tell(user: &str, command: Value) -> Value {
    json!({"tell": {"user": user, "command": command}})
}

fn expect(user: &str, event: Value) -> Value {
    json!({"expect": {"user": user, "event": event}})
}

fn login() -> Value {
    json!({"login_password": {"password": "pw-alice"}})
}

fn text(data: &str) -> Value {
    json!({"text": {"id": "7", "from": "bob", "data": data, "time": 1_640_908_800_000_i64}})
}

/// `finished`, or why not.
fn outcome(client: &mut Scripted, scenario: &Scenario) -> String {
    said(evaluate(client, scenario).outcome)
}

fn said(outcome: Outcome) -> String {
    match outcome {
        Outcome::Finished => "finished".to_owned(),
        Outcome::Unsupported(what) => format!("unsupported {what}"),
        Outcome::Failed(failure) => match failure.step {
            Some((number, line)) => format!("step {number}, line {line}: {}", failure.message),
            None => failure.message,
        },
    }
}

/// Which rule did nothing, where it was armed, and at how much it looked: by a server of our own and by another's alike.
#[test]
fn a_rule_that_never_fired_fails_its_scenario() {
    let armed = |rule: &str| json!({"fault": {"rule": rule}});
    let given = json!({"users": ["alice"]});
    let steps = [
        tell("alice", login()),
        armed("on next text from alice: drop"),
        json!({"silent": {"user": "alice"}}),
        armed("on next page to alice: delay 3s"),
    ];
    let server = MockServer::start(Options { tape: true, tape_rows_max: 100, ..Options::default() });
    let server = server.expect("a free port");
    let remote = Remote::connect(&format!("http://{}", server.addr()), None).expect("it is there");
    let limits = Limits { expect: Duration::from_secs(1), quiet: Duration::from_secs(10) };
    for host in [&server as &dyn Host, &remote] {
        let run = run(host, &mut Scripted::new(vec![]), &scenario(&given, "", &steps), limits);
        insta::allow_duplicates! {
            insta::assert_snapshot!(said(run.outcome), @"step 2, line 3: rule `on next text from alice: drop` never fired (it looked at 0 frames or requests)");
        }
    }
}

#[rstest]
#[case::as_expected(&[text("hi")], &[expect("alice", json!({"text": {"data": "hi"}}))], "finished")]
#[case::otherwise(
    &[text("ho")],
    &[expect("alice", json!({"text": {"data": "hi"}}))],
    "step 2, line 3: alice showed text and not as expected\n  data: expected \"hi\", got \"ho\"\n  whole: text {"
)]
#[case::in_another_order(
    &[text("2"), text("1")],
    &[expect("alice", json!({"text": {"data": "1"}})), expect("alice", json!({"text": {"data": "2"}}))],
    "step 2, line 3: alice showed text and not as expected\n  data: expected \"1\", got \"2\""
)]
#[case::one_too_many(
    &[text("hi"), text("again")],
    &[expect("alice", json!({"text": {"data": "hi"}}))],
    "alice showed what no step expects: text {"
)]
#[case::one_too_few(
    &[],
    &[expect("alice", json!({"text": {"data": "hi"}}))],
    "step 2, line 3: alice showed nothing within 1s\n  event: expected text {\"data\":\"hi\"}, got nothing\n  the server has nothing left to do"
)]
#[case::silent(&[], &[json!({"silent": {"user": "alice"}})], "finished")]
#[case::not_silent(
    &[text("hi")],
    &[json!({"silent": {"user": "alice"}})],
    "step 2, line 3: alice should be silent and showed text {"
)]
fn a_device_shows_what_is_expected_and_nothing_else(
    #[case] shown: &[Value],
    #[case] steps: &[Value],
    #[case] said: &str,
) {
    let events = shown.iter().map(|event| ("alice", event.clone())).collect();
    let mut client = Scripted::new(vec![("login_password", json!({}), events)]);
    let steps: Vec<Value> = std::iter::once(tell("alice", login())).chain(steps.iter().cloned()).collect();
    let outcome = outcome(&mut client, &scenario(&json!({"users": ["alice"]}), "", &steps));
    assert!(outcome.starts_with(said), "{outcome}");
}

#[test]
fn ignored_events_are_no_events() {
    let presence = ("alice", json!({"presence": {"type": "join"}}));
    let mut client = Scripted::new(vec![(
        "login_password",
        json!({}),
        vec![presence.clone(), ("alice", text("hi")), presence],
    )]);
    let steps =
        [tell("alice", login()), expect("alice", json!({"text": {}})), json!({"silent": {"user": "alice"}})];
    let given = json!({"users": ["alice"]});
    assert_eq!(outcome(&mut client, &scenario(&given, "\"ignore\": [\"presence\"],", &steps)), "finished");
}

#[test]
fn one_step_stands_for_many_and_names_carry_over() {
    let sent = |n: u32| {
        let handle = format!("m{n}");
        ("send_text", json!({}), vec![("alice", json!({"sent": {"handle": handle, "id": format!("9{n}")}}))])
    };
    let mut client = Scripted::new(vec![sent(1), sent(2)]);
    let send = json!({"send_text": {"handle": "m#", "to": "bob", "chat": "single", "text": "# of 2"}});
    let steps = [
        json!({"tell": {"user": "alice", "command": send, "count": 2}}),
        json!({"expect": {"user": "alice", "event": {"sent": {"handle": "m#", "id": "$m#"}}, "count": 2}}),
        tell(
            "alice",
            json!({"send_text": {"handle": "m3", "to": "$m2", "chat": "group", "text": "$$ and $m1"}}),
        ),
        tell("alice", json!({"send_text": {"handle": "m4", "to": "$m4", "chat": "group", "text": ""}})),
    ];
    let outcome = outcome(&mut client, &scenario(&json!({"users": ["alice"]}), "", &steps));
    assert!(outcome.starts_with("step 4, line 5: $m4 stands for nothing yet"), "{outcome}");
    assert!(client.calls[1].contains(r#""text":"1 of 2""#), "{:?}", client.calls);
    assert!(client.calls[2].contains(r#""handle":"m2""#), "{:?}", client.calls);
    // Only a string that is a name as a whole is one.
    assert!(client.calls[3].contains(r#""to":"92","chat":"group","text":"$ and $m1""#), "{:?}", client.calls);
}

#[rstest]
#[case(json!({"error": "ext must not be null"}), json!("null"), "finished")]
#[case(json!({"error": "no"}), json!("null"), "step 1, line 2: alice's login_password was refused for another reason")]
#[case(json!({}), json!("null"), "step 1, line 2: alice's login_password should be refused with words like \"null\", and was made")]
#[case(json!({"error": "no"}), Value::Null, "step 1, line 2: alice's login_password was refused: \"no\"")]
#[case(json!({"unsupported": "open"}), json!("null"), "unsupported open")]
fn a_call_is_made_or_refused_as_the_step_says(
    #[case] answer: Value,
    #[case] refused: Value,
    #[case] said: &str,
) {
    let mut client = Scripted::new(vec![("login_password", answer, Vec::new())]);
    let step = json!({"tell": {"user": "alice", "command": login(), "refused": refused}});
    let outcome = outcome(&mut client, &scenario(&json!({"users": ["alice"]}), "", &[step]));
    assert!(outcome.starts_with(said), "{outcome}");
}

#[test]
fn devices_are_made_once_each_with_their_names_as_typed() {
    let opened = |user| ("login_password", json!({}), vec![(user, json!({"opened": {}}))]);
    let mut client = Scripted::new(vec![opened("Alice"), opened("Alice/phone")]);
    let given = json!({"online": ["Alice", "Alice/phone"], "reconnects": 1, "delivery": true, "own_upload": true, "emoji": {"path": "faces/", "map": {"[):]": "smile.png"}}});
    assert_eq!(
        outcome(&mut client, &scenario(&given, "", &[json!({"silent": {"user": "Alice"}})])),
        "finished"
    );
    let calls = client.calls.join("\n");
    assert!(
        calls.starts_with(
            "Alice {\"create\":{\"app_key\":\"conformance#a-test\",\"username\":\"Alice\",\"device\":\"web\","
        ),
        "{calls}"
    );
    assert!(calls.contains("\"reconnects\":1,\"delivery\":true,\"own_upload\":true,\"emoji\":{\"path\":\"faces/\",\"map\":{\"[):]\":\"smile.png\"}}}}\nAlice {\"login_password\":{\"password\":\"pw-alice\"}}\nAlice/phone "), "{calls}");
    assert!(calls.contains("\"username\":\"Alice\",\"device\":\"phone\""), "{calls}");
    assert_eq!(client.calls.len(), 4);
}

#[test]
fn a_login_that_does_not_open_is_told_as_such() {
    let mut client =
        Scripted::new(vec![("login_password", json!({}), vec![("alice", json!({"error": {"type": 1}}))])]);
    assert_eq!(
        outcome(
            &mut client,
            &scenario(&json!({"online": ["alice"]}), "", &[json!({"silent": {"user": "alice"}})])
        ),
        "alice could not log in: expected opened {}, got error {\"type\":1}\n  no socket and no request of alice reached the world conformance#a-test: did it use create's app_key?"
    );
}

#[test]
fn an_event_of_a_device_that_nobody_made_is_a_failure() {
    let mut client = Scripted::new(vec![("login_password", json!({}), vec![("bob", json!({"opened": {}}))])]);
    let steps = [tell("alice", login())];
    assert_eq!(
        outcome(&mut client, &scenario(&json!({"users": ["alice"]}), "", &steps)),
        "bob showed opened {}, and there is no such device"
    );
}

#[test]
fn what_a_scenario_needs_is_asked_before_anything_is_done() {
    let mut client = Scripted::new(Vec::new());
    let steps = [json!({"advance": {"ms": 5}})];
    let scenario = scenario(&json!({"users": ["alice"]}), "\"needs\": [\"virtual_clock\"],", &steps);
    assert_eq!(outcome(&mut client, &scenario), "unsupported virtual_clock");
    assert_eq!(client.calls, [""; 0]);
}

#[test]
fn an_advance_runs_the_timers_that_fall_due() {
    let steps = [
        tell("alice", login()),
        json!({"advance": {"ms": 29_999}}),
        json!({"silent": {"user": "alice"}}),
        json!({"advance": {"ms": 1}}),
        expect("alice", json!({"online": {}})),
    ];
    let scenario = scenario(&json!({"users": ["alice"]}), "\"needs\": [\"virtual_clock\"],", &steps);
    let mut client = Scripted::new(Vec::new());
    client.hello.capabilities.insert(Capability::VirtualClock);
    client.timer = Some((30_000, "alice", json!({"online": {}})));
    assert_eq!(outcome(&mut client, &scenario), "finished");
}

#[test]
fn a_clock_that_stands_still_moves_while_an_event_is_waited_for_but_not_for_ever() {
    let steps = [tell("alice", login()), expect("alice", json!({"online": {}}))];
    let scenario = scenario(&json!({"users": ["alice"]}), "", &steps);
    let mut client = Scripted::new(Vec::new());
    client.hello.capabilities.insert(Capability::VirtualClock);
    client.timer = Some((500, "alice", json!({"online": {}})));
    assert_eq!(outcome(&mut client, &scenario), "finished");
    // 1 s is all that any client is given here.
    client.timer = Some((1_001, "alice", json!({"online": {}})));
    let outcome = outcome(&mut client, &scenario);
    assert!(outcome.starts_with("step 2, line 3: alice showed nothing within 1s"), "{outcome}");
}

#[test]
fn a_client_whose_clock_stands_still_is_not_waited_for_once_both_sides_rest() {
    let steps = [tell("alice", login()), expect("alice", json!({"online": {}}))];
    let scenario = scenario(&json!({"users": ["alice"]}), "", &steps);
    let mut client = Scripted::new(Vec::new());
    assert!(outcome(&mut client, &scenario).contains("nothing within 1s"));
    assert!(client.waited > Duration::from_millis(900), "its timers run by themselves");
    let mut client = Scripted::new(Vec::new());
    client.hello.capabilities.insert(Capability::VirtualClock);
    assert!(outcome(&mut client, &scenario).contains("nothing within 1s"));
    assert!(client.waited < Duration::from_millis(900), "no timer is going to bring it");
}

fn send_photo() -> Value {
    let mut fields = json!({"handle": "m1", "to": "bob", "chat": "single", "file": "photo.png"});
    fields["filename"] = "photo.png".into();
    fields["media_type"] = "image/png".into();
    (fields["width"], fields["height"]) = (96.into(), 72.into());
    json!({"send_image": fields})
}

fn progress(loaded: u64) -> (&'static str, Value) {
    ("alice", json!({"upload_progress": {"handle": "m1", "loaded": loaded, "total": 20_000}}))
}

fn uploaded() -> (&'static str, Value) {
    ("alice", json!({"uploaded": {"handle": "m1", "uuid": "u", "secret": null}}))
}

#[rstest]
#[case::rising(vec![progress(10_000), progress(20_000), uploaded()], "finished")]
#[case::not_to_the_end(vec![progress(10_000), uploaded()], "step 2, line 3: alice's upload \"m1\" is done, and its progress is not")]
#[case::none(vec![uploaded()], "step 2, line 3: alice's upload \"m1\" is done, and it showed no progress")]
fn steps_do_not_see_progress_but_it_must_be_one(
    #[case] events: Vec<(&'static str, Value)>,
    #[case] said: &str,
) {
    let mut client = Scripted::new(vec![("send_image", json!({}), events)]);
    let steps = [tell("alice", send_photo()), expect("alice", json!({"uploaded": {"secret": null}}))];
    let outcome = outcome(&mut client, &scenario(&json!({"users": ["alice", "bob"]}), "", &steps));
    assert!(outcome.starts_with(said), "{outcome}");
}

#[test]
fn steps_go_on_behind_progress_that_is_none() {
    let failed = ("alice", json!({"failed": {"handle": "m1", "type": 603, "reason": "blocked"}}));
    let mut client = Scripted::new(vec![("send_image", json!({}), vec![uploaded(), failed])]);
    let steps = [
        tell("alice", send_photo()),
        expect("alice", json!({"uploaded": {"secret": null}})),
        expect("alice", json!({"sent": {"handle": "m1"}})),
    ];
    let outcome = outcome(&mut client, &scenario(&json!({"users": ["alice", "bob"]}), "", &steps));
    assert!(outcome.starts_with("step 3, line 4: alice showed failed and not as expected"), "{outcome}");
}

#[test]
fn a_file_is_a_path_to_the_client_and_its_values_to_a_step() {
    let photo = fixtures::media::MEDIA.iter().find(|file| file.name == "photo.png").expect("a photo");
    let shown = |bytes: usize| {
        let sha256 = "de61f033c79648a13016b6bebef8b1569e0032c65cd97aaef17c9722c172f729";
        vec![("alice", json!({"downloaded": {"handle": "m1", "bytes": bytes, "sha256": sha256}}))]
    };
    let expected = json!({"downloaded": {"bytes": "file:photo.png", "sha256": "file:photo.png"}});
    let scenario = scenario(
        &json!({"users": ["alice", "bob"]}),
        "",
        &[tell("alice", send_photo()), expect("alice", expected)],
    );
    let mut client = Scripted::new(vec![("send_image", json!({}), shown(photo.bytes.len()))]);
    assert_eq!(outcome(&mut client, &scenario), "finished");
    let call: Value =
        serde_json::from_str(client.calls[1].trim_start_matches("alice ")).expect("a command in JSON");
    let path = Path::new(call["send_image"]["file"].as_str().expect("a path"));
    assert!(path.is_absolute() && path.ends_with("photo.png"), "{}", path.display());
    assert!(!path.exists(), "it goes with its scenario");

    let mut client = Scripted::new(vec![("send_image", json!({}), shown(7))]);
    let outcome = outcome(&mut client, &scenario);
    assert!(outcome.contains(&format!("bytes: expected {}, got 7", photo.bytes.len())), "{outcome}");
}

#[rstest]
#[case(json!({"answer": "silence"}), "given.webhook was never asked: nothing here needs it")]
#[case(json!({"answer": "silence", "asked": 0}), "finished")]
#[case(
    json!({"answer": {"status": 200, "body": {"valid": true}}, "asked": 2}),
    "given.webhook was not asked as often as expected\n  asked: expected 2, got 0"
)]
fn a_webhook_is_asked_as_often_as_the_scenario_says(#[case] webhook: Value, #[case] said: &str) {
    let given = json!({"users": ["alice"], "webhook": webhook});
    let steps = [json!({"silent": {"user": "alice"}})];
    let steps: Vec<Value> = std::iter::once(tell("alice", login())).chain(steps).collect();
    assert_eq!(outcome(&mut Scripted::new(Vec::new()), &scenario(&given, "", &steps)), said);
}

#[rstest]
#[case::step(json!({"fault": {"door": "refuse next 2 connections"}}))]
#[case::command(json!({"control": {"fault": {"door": "refuse next 2 connections"}}}))]
fn a_door_fault_that_befell_nobody_fails_its_step(#[case] step: Value) {
    let mut client = Scripted::new(Vec::new());
    let said = outcome(&mut client, &scenario(&json!({"users": ["alice"]}), "", &[step]));
    let words = "step 1, line 2: door fault `refuse next 2 connections` never struck: nobody tried that door after it";
    assert_eq!(said, words);
}
