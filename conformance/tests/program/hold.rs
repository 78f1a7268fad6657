//! What is printed for a world that is held: taken literally, its lines bring a fresh server to the same state.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use std::time::Duration;

use conformance::driver::{
    Answer, Capability, Command, Device, Driver, DriverError, Event, Hello, ProcessCommand,
};
use conformance::hold::{After, Held, staging};
use conformance::host::{Addresses, Host as _};
use conformance::run::{Limits, Outcome, run_and};
use conformance::scenario::Scenario;
use conformance::verdict::{Mismatch, Place};
use mock_server::control::{Control, Settings};
use mock_server::shell::{MockServer, Options};
use serde_json::{Map, Value, json};

use crate::curl::{http, run_lines};

const SCENARIO: &str = r##"{ "why": "Alice makes a group.", "clauses": ["a"],
  "given": {
    "online": ["alice"], "users": ["bob", "carol", "dave"],
    "groups": {"g1": ["alice", "bob"]}, "rooms": {"r1": ["bob", "alice"]}, "admins": {"g1": ["bob"]},
    "contacts": {"alice": ["carol"]}, "blocks": {"alice": ["dave"]},
    "stored": [{"from": "carol", "to": "alice", "text": "# it's $HOME `id` \"\\ \n", "count": 2}],
    "tokens": {"t-alice": {"user": "alice", "ttl_ms": 100000000}},
    "settings": {"recall_window_ms": 5}},
  "steps": [
    {"tell": {"user": "alice", "command": {"create_group": {"name": "it's $one", "members": ["carol"]}}}},
    {"elapse": {"ms": 60000}},
    {"control": {"join": {"id": "r1", "users": ["carol"]}}},
    {"expect": {"user": "alice", "event": {"text": {"data": "what nobody sends"}}}},
    {"control": {"join": {"id": "g1", "users": ["carol"]}}} ] }"##;

/// A client that knows two calls, both by REST, and has no socket.
struct Caller {
    hello: Hello,
    base: String,
    token: String,
    events: VecDeque<(Device, Event)>,
}

impl Caller {
    fn post(&self, path: &str, body: &Value) -> Value {
        let (authority, app) = self.base.split_once('/').expect("both");
        let bearer = format!("Authorization: Bearer {}", self.token);
        let (_, body) = http(authority, "POST", &format!("/{app}/{path}"), &[bearer], &body.to_string());
        serde_json::from_str(&body).expect("JSON")
    }
}

impl Driver for Caller {
    fn hello(&self) -> &Hello {
        &self.hello
    }

    fn command(&mut self, device: &Device, command: &Command) -> Result<Answer, DriverError> {
        match command {
            Command::Create { rest, app_key, .. } => {
                self.base = format!("{}/{}", rest.replace("http://", ""), app_key.replace('#', "/"));
            }
            Command::LoginPassword { password } => {
                let grant = json!({"grant_type": "password", "username": device.user, "password": password});
                let token = self.post("token", &grant)["access_token"].clone();
                self.token = token.as_str().expect("she may").to_owned();
                let opened = serde_json::from_value(json!({"opened": {}})).expect("an event");
                self.events.push_back((device.clone(), opened));
            }
            other => {
                assert_eq!(other.name(), "create_group");
                let group = &serde_json::to_value(other).expect("JSON")["create_group"];
                let body = json!({"groupname": group["name"], "desc": "", "public": true, "maxusers": 200,
                    "approval": false, "owner": "alice", "members": group["members"]});
                let answer = self.post("chatgroups", &body);
                assert!(answer["data"]["groupid"].is_string(), "{answer}");
            }
        }
        Ok(Answer::Ok(Map::new()))
    }

    fn process(&mut self, command: ProcessCommand) -> Result<Answer, DriverError> {
        let due = json!({"next_due_ms": null});
        match command {
            ProcessCommand::Advance { .. } => Ok(Answer::Ok(due.as_object().cloned().expect("an object"))),
            ProcessCommand::Sync {} | ProcessCommand::Reset {} => Ok(Answer::Ok(Map::new())),
        }
    }

    fn event(&mut self, _within: Duration) -> Result<Option<(Device, Event)>, DriverError> {
        Ok(self.events.pop_front())
    }

    fn remarks(&mut self) -> String {
        String::new()
    }
}

fn start() -> MockServer {
    let settings = Settings { strict: true, ..Settings::default() };
    MockServer::start(Options { tape: true, settings, ..Options::default() }).expect("a free port")
}

/// What users see of a world, but for what tells when they looked.
fn state(server: &MockServer, app_key: &str) -> BTreeMap<String, Value> {
    let authority = server.addr().to_string();
    let token = Control::Token { user: "bob".into(), token: "t-bob".into(), ttl_ms: 100_000_000 };
    server.control(app_key, token).expect("bob is there");
    let app = app_key.replace('#', "/");
    let looks = [
        ("alice", "users/alice"),
        ("alice", "chatgroups/g1"),
        ("alice", "chatgroups/g1/users"),
        ("alice", "users/alice/joined_chatgroups"),
        ("alice", "users/alice/contacts/users"),
        ("alice", "users/alice/blocks/users"),
        ("alice", "users/alice/user_channels"),
        ("bob", "chatrooms/r1"),
        ("bob", "users/bob/joined_chatgroups"),
    ];
    let see = |(user, path): (&str, &str)| {
        let bearer = format!("Authorization: Bearer t-{user}");
        let (status, body) = http(&authority, "GET", &format!("/{app}/{path}"), &[bearer], "");
        assert_eq!(status, 200, "{path}: {body}");
        let mut body: Value = serde_json::from_str(&body).expect("JSON");
        let members = body.as_object_mut().expect("an object");
        members.retain(|name, _| !matches!(name.as_str(), "duration" | "uri"));
        (path.to_owned(), body)
    };
    let mut state: BTreeMap<String, Value> = looks.into_iter().map(see).collect();
    let (_, clock) = http(&authority, "GET", &format!("/_mock/{app}/clock"), &[], "");
    state.insert("clock".into(), serde_json::from_str(&clock).expect("JSON"));
    state
}

/// Runs the scenario, and gives what is held at its failure: the text, the lines, and the state of the world.
fn hold(server: &MockServer) -> (String, Vec<String>, BTreeMap<String, Value>) {
    let scenario =
        Scenario::parse(SCENARIO, "a/held", Path::new("held.json"), &BTreeSet::from(["a".to_owned()]))
            .unwrap_or_else(|error| panic!("{error}"));
    let hello = Hello {
        protocol: 1,
        name: "caller".to_owned(),
        version: "0".to_owned(),
        capabilities: BTreeSet::from([Capability::VirtualClock]),
    };
    let (base, token) = (String::new(), String::new());
    let mut client = Caller { hello, base, token, events: VecDeque::new() };
    let limits = Limits { expect: Duration::from_secs(1), quiet: Duration::from_secs(10) };
    let addresses: Addresses = server.addresses();
    let mut held = None;
    run_and(server, &mut client, &scenario, limits, |run| {
        let Outcome::Failed(failure) = &run.outcome else { panic!("it cannot pass: {:?}", run.outcome) };
        let step = failure.step.map(|(number, _)| number);
        assert_eq!(step, Some(4), "{}", failure.message);
        let mismatches =
            &[Mismatch { place: Place::Step(4, 12), message: failure.message.clone(), lacks: None }];
        let world = Held { scenario: &scenario, run, mismatches, addresses: &addresses };
        let lines = staging(run, step, &addresses).lines;
        held = Some((world.text("until Enter"), lines, state(server, &run.trace.app_key)));
        After::Forget
    });
    held.expect("it is held before it is forgotten")
}

#[test]
fn the_lines_bring_a_fresh_server_to_the_same_state() {
    let server = start();
    let (text, lines, before) = hold(&server);
    for line in &lines {
        assert!(text.contains(line.as_str()), "{line}");
    }
    let fresh = start();
    let there = format!("SERVER=http://{}", fresh.addr());
    let lines: Vec<String> = std::iter::once(there).chain(lines.into_iter().skip(1)).collect();
    run_lines(&lines);
    assert_eq!(state(&fresh, "conformance#a-held"), before);
    // Again, on a world that is not fresh any more.
    run_lines(&lines);
    assert_eq!(state(&fresh, "conformance#a-held"), before);
}

#[cfg(unix)]
#[test]
fn a_shell_takes_the_lines_literally() {
    let server = start();
    let (_, lines, before) = hold(&server);
    let fresh = start();
    let there = format!("SERVER=http://{}", fresh.addr());
    let script: Vec<String> = std::iter::once(there).chain(lines.into_iter().skip(1)).collect();
    // Where there is no curl, the other test has to do.
    let curl = "command -v curl >/dev/null || curl() { return 3; }";
    let script = format!("set -e\n{curl}\n{}\n", script.join("\n"));
    let done = std::process::Command::new("sh").arg("-c").arg(&script).env("NO_PROXY", "*").output();
    let done = done.expect("a POSIX shell");
    if done.status.code() == Some(3) {
        eprintln!("not tried: there is no curl here");
        return;
    }
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(state(&fresh, "conformance#a-held"), before, "{}", String::from_utf8_lossy(&done.stdout));
}

#[test]
fn the_text_says_where_who_and_how() {
    let server = start();
    let (text, _, _) = hold(&server);
    let text = text.replace(&server.addr().to_string(), "127.0.0.1:4000");
    insta::assert_snapshot!(text);
}

/// What the program says of a scenario that a client refuses, or passes.
fn program(wrong: &str, more: &[&str]) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let area = folder.path().join("a");
    std::fs::create_dir(&area).expect("a folder in it");
    let source = r#"{ "why": "Alice logs in.", "clauses": ["conn.login-password"], "given": {"users": ["alice"]},
      "steps": [
        {"tell": {"user": "alice", "command": {"login_password": {"password": "pw-alice"}}}},
        {"expect": {"user": "alice", "event": {"opened": {}}}} ] }"#;
    for name in ["one", "two"] {
        std::fs::write(area.join(format!("{name}.json")), source).expect("it can be written");
    }
    let scenarios = folder.path().to_str().expect("a name in UTF-8");
    let out = std::process::Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args(["run", "--hold", "--bundles", "none", "--scenarios", scenarios])
        .args(more)
        .args(["--", env!("CARGO_BIN_EXE_misbehaving-client"), wrong])
        // Its end is as good as Enter.
        .stdin(std::process::Stdio::null())
        .output()
        .expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (out.status.code(), text(out.stdout), text(out.stderr))
}

#[test]
fn the_first_failure_is_held_and_nothing_is_run_after_it() {
    let (code, said, errors) = program("refuses", &[]);
    assert_eq!(code, Some(1), "{said}{errors}");
    assert_eq!(said.matches("its world is held until Enter or Ctrl-C\n").count(), 1, "{said}");
    assert!(
        said.starts_with("FAILED a/one\n  alice's login_password was refused: \"no such user\"\n"),
        "{said}"
    );
    assert!(said.contains("  user:     alice  password: pw-alice\n"), "{said}");
    assert!(said.contains("stage it as it was before step 1: "), "{said}");
}

#[test]
fn where_nothing_fails_nothing_is_held_and_that_is_said() {
    let (code, said, errors) = program("", &[]);
    assert_eq!(code, Some(0), "{said}{errors}");
    assert!(errors.contains("--hold: nothing failed, so no world is held\n"), "{errors}");
    assert!(!said.contains("is held"), "{said}");
}

#[test]
fn on_a_server_of_its_own_the_world_stays() {
    let server = start();
    let url = format!("http://{}", server.addr());
    let (code, said, errors) = program("refuses", &["--server", &url]);
    assert_eq!(code, Some(1), "{said}{errors}");
    assert!(said.contains("its world is held on its server until somebody drops it\n"), "{said}");
    let key = said.lines().find_map(|line| line.strip_prefix("  app key:  ")).expect("it is told");
    let clock = || {
        http(&server.addr().to_string(), "GET", &format!("/_mock/{}/clock", key.replace('#', "/")), &[], "")
    };
    assert_eq!(clock().0, 200, "it is there, and the run is over");
    server.drop_world(key);
    assert_eq!(clock().0, 404);
}
