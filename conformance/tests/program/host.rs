//! A server that is already running gives the same answers as one of our own, and one that is gone, forgetful or no
//! mock-server at all is told of in words that help.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use conformance::client::Client;
use conformance::driver::subprocess;
use conformance::exit::Exit;
use conformance::host::{Addresses, Host, HostError, HostWorld, Remote, Strangers};
use conformance::run::Limits;
use conformance::scenario::Scenario;
use conformance::suite::{Plan, Suite, run_all};
use conformance::verdict::Verdict;
use mock_server::control::{Control, Settings};
use mock_server::machine::Millis;
use mock_server::shell::{MockServer, Options, Tls};
use mock_server::tape::Event;
use rstest::rstest;

const START: Millis = Millis(1_640_908_800_000);
const LONG: Duration = Duration::from_secs(30);

fn strict() -> MockServer {
    let settings = Settings { strict: true, ..Settings::default() };
    MockServer::start(Options { tape: true, settings, ..Options::default() }).expect("a free port")
}

fn remote(server: &MockServer) -> Remote {
    Remote::connect(&format!("http://{}", server.addr()), None).expect("it is there")
}

/// A login of alice by REST, whether or not she may.
fn log_in(host: &dyn Host, world: &dyn HostWorld, password: &str) {
    let authority = host.addresses().http.replace("http://", "");
    let body = format!(r#"{{"grant_type":"password","username":"alice","password":"{password}"}}"#);
    let mut stream = TcpStream::connect(&authority).expect("the server listens");
    let path = world.app_key().replace('#', "/");
    let length = body.len();
    write!(
        stream,
        "POST /{path}/token HTTP/1.1\r\nHost: {authority}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .expect("it takes it");
    stream.read_to_string(&mut String::new()).expect("it answers");
}

/// What a host says to all that it can be asked, without what differs from run to run.
fn story(host: &dyn Host) -> String {
    let world = host.open("send/text-to-user", Some(START)).expect("a world");
    let length = world.tape_length();
    let mut told = vec![format!("{} rows", length.rows())];
    let mut tell = |what: &dyn std::fmt::Debug| told.push(format!("{what:?}"));
    let user = |name: &str| Control::User { name: name.into(), password: "pw".into() };
    tell(&world.control(user("alice")));
    let group =
        |owner: &str| Control::Group { id: "g1".into(), owner: owner.into(), members: vec!["alice".into()] };
    tell(&world.control(group("nobody")));
    tell(&world.control(group("alice")));
    log_in(host, &*world, "pw");
    tell(&world.advance(1_000));
    log_in(host, &*world, "wrong");
    tell(&length.rows());
    tell(&world.quiet(LONG));
    tell(&world.rest(LONG));
    // Tokens and uuids are made of the app key, which differs.
    let rows = world.tape().expect("it is kept").into_iter().map(|row| match row.event {
        Event::Http { method, path, user, body, status, answer } => {
            format!("{:?} {method} {path} {user:?} {body:?} {status} {}", row.at, answer.len())
        }
        other => format!("{other:?}"),
    });
    tell(&rows.collect::<Vec<_>>());
    log_in(host, &*world, "pw");
    tell(&world.tape().map(|rows| rows.len()));
    tell(&world.journal().map(|journal| journal.map(|entries| entries.len())));
    tell(&world.findings());
    tell(&world.forget());
    let again = host.open("send/text-to-user", Some(START)).expect("a world");
    tell(&again.tape());
    told.join("\n")
}

#[test]
fn a_server_that_is_already_running_says_what_one_of_our_own_says() {
    let server = strict();
    let own = story(&server);
    assert!(own.contains("POST /token None") && own.contains("no user \\\"nobody\\\""), "{own}");
    // Without its flags: of those of its worlds that others make, the harness's know nothing.
    let stage = vec![Control::Known { users: vec!["nobody".into()] }];
    let foreign =
        MockServer::start(Options { stage, tape: false, ..Options::default() }).expect("a free port");
    assert_eq!(own, story(&remote(&foreign)));
}

#[test]
fn clients_go_where_the_server_has_them_come() {
    let control = Some("127.0.0.1:0".parse().expect("it is one"));
    let server = MockServer::start(Options { control, ..Options::default() }).expect("free ports");
    let remote = Remote::connect(&format!("http://{}", server.control_addr()), None).expect("it is there");
    assert_eq!(remote.addresses(), Addresses::of(server.addr()));
}

#[test]
fn two_runs_at_once_have_worlds_of_their_own() {
    let server = strict();
    let (one, other) = (remote(&server), remote(&server));
    let (mine, yours) = (one.open("a/b", None).expect("a world"), other.open("a/b", None).expect("a world"));
    assert_ne!(mine.app_key(), yours.app_key());
    log_in(&one, &*mine, "pw");
    assert_eq!((mine.tape().map(|rows| rows.len()), yours.tape().map(|rows| rows.len())), (Ok(1), Ok(0)));
}

#[test]
fn a_world_that_somebody_dropped_is_told_of() {
    let server = strict();
    let host = remote(&server);
    let world = host.open("a/b", None).expect("a world");
    server.drop_world(world.app_key());
    let error = world.quiet(LONG).expect_err("it is gone");
    let url = format!("http://{}", server.addr());
    assert_eq!(
        error.to_string(),
        format!(
            "the server at {url} forgot the world {} meanwhile: was it started anew, or the world dropped?",
            world.app_key()
        )
    );
    assert!(error.is_of_the_server() && !error.is_final());
}

#[rstest]
#[case::garbage(
    "hello",
    "what answers at {url} is no mock-server (200 \"hello\": expected value at line 1 column 1); start one with: mock-server --strict"
)]
#[case::another(
    "{\"name\":\"other\",\"version\":\"1\",\"control_protocol\":1,\"strict\":false}",
    "what answers at {url} is no mock-server (it calls itself \"other\"); start one with: mock-server --strict"
)]
#[case::older(
    "{\"name\":\"mock-server\",\"version\":\"9.9\",\"control_protocol\":7,\"strict\":true}",
    "the mock-server at {url} is version 9.9 with version 7 of the control plane, and this harness speaks version 1 of it: use a server and a harness of one version"
)]
fn another_server_is_refused(#[case] body: &'static str, #[case] words: &str) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a peer");
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("a request");
            request.extend(byte);
        }
        let length = body.len();
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{body}").expect("it is read");
    });
    let error = Remote::connect(&url, None).expect_err("it is none");
    answering.join().expect("it answered");
    assert_eq!(error.to_string(), words.replace("{url}", &url));
    assert_eq!(error.exit(), Exit::Harness);
}

#[test]
fn where_nobody_is_the_command_that_starts_one_is_told() {
    let authority = strict().addr();
    // It is stopped by now.
    let error = Remote::connect(&format!("http://{authority}/"), None).expect_err("nobody is there");
    let text = error.to_string();
    assert!(text.starts_with(&format!("no server answers at http://{authority} (")), "{text}");
    assert!(
        text.ends_with(&format!("; start one with: mock-server --strict --listen {authority}")),
        "{text}"
    );
    assert_eq!(error.exit(), Exit::Harness);
    let error = Remote::connect("127.0.0.1:8989", None).expect_err("that is no URL");
    assert_eq!(
        (error.to_string(), error.exit()),
        (
            "--server \"127.0.0.1:8989\": expected the address of a mock-server, such as http://127.0.0.1:8989".into(),
            Exit::Usage
        )
    );
}

#[test]
fn a_server_that_speaks_tls_is_refused_with_what_to_start_instead() {
    let tls = Some(Tls::SelfMade { dir: None, names: Vec::new() });
    let server = MockServer::start(Options { tls, ..Options::default() }).expect("a free port");
    for scheme in ["http", "https"] {
        let url = format!("{scheme}://{}", server.addr());
        let error = Remote::connect(&url, None).expect_err("it speaks TLS");
        let words = format!(
            "--server {url}: the harness and its clients speak plain HTTP to it; TLS changes nothing of the protocol, so \
             start one without --tls, such as: mock-server --strict --listen 127.0.0.1:0"
        );
        assert_eq!((error.to_string(), error.exit()), (words, Exit::Usage));
    }
}

#[test]
fn a_server_that_wants_its_token_is_used_with_it_alone() {
    let server = MockServer::start(Options {
        tape: true,
        control_token: Some("a-token-of-the-test".into()),
        ..Options::default()
    })
    .expect("a free port");
    let url = format!("http://{}", server.addr());
    let refused = |token| {
        let error = Remote::connect(&url, token).expect_err("it lets nobody in");
        assert_eq!(error.exit(), Exit::Usage);
        error.to_string()
    };
    let begins = format!("the mock-server at {url} lets nobody in without its token (--token TOKEN): ");
    assert!(refused(None).starts_with(&format!("{begins}the control plane of this server wants its token")));
    assert!(
        refused(Some("another-of-the-test")).starts_with(&format!("{begins}that is not this server's token"))
    );
    let remote = Remote::connect(&url, Some("a-token-of-the-test")).expect("it is let in");
    let world = remote.open("conn/some", None).expect("a world");
    world.advance(1).expect("what is posted has it too");
    world.forget().expect("what is deleted, too");
}

fn scenario(name: &str) -> Scenario {
    let source = r#"{ "why": "Alice logs in.", "clauses": ["conn.login-password"], "given": {"users": ["alice"]},
              "steps": [
                {"tell": {"user": "alice", "command": {"login_password": {"password": "pw"}}}},
                {"expect": {"user": "alice", "event": {"opened": {}}}} ] }"#;
    let clauses = BTreeSet::from(["conn.login-password".to_owned()]);
    Scenario::parse(source, name, Path::new("some.json"), &clauses).expect("a scenario")
}

/// With a client that shows `opened` and never dials.
fn evaluate<'a>(host: &dyn Host, client: &'a Client, scenarios: &'a [&'a Scenario]) -> Suite<'a> {
    let plan = Plan {
        limits: Limits { expect: LONG, quiet: LONG },
        process: subprocess::Limits { hello: LONG, answer: LONG },
        ..Plan::new(client, scenarios)
    };
    run_all(host, plan, |_, _| {}).expect("it starts")
}

fn client() -> Client {
    let program = env!("CARGO_BIN_EXE_misbehaving-client").to_owned();
    Client::of_command(vec![program], Path::new("."))
}

fn said(suite: &Suite<'_>) -> Vec<String> {
    let verdicts = suite.evaluated.iter().map(|one| match &one.verdict {
        Verdict::Failed(mismatches) => mismatches[0].message.clone(),
        other => format!("{other:?}"),
    });
    verdicts.collect()
}

#[test]
fn where_anybody_may_log_in_a_client_in_the_wrong_world_is_noticed() {
    let (client, scenario) = (client(), scenario("a/b"));
    let scenarios = [&scenario];
    let strict = strict();
    assert_eq!(remote(&strict).strangers(), Strangers::Refused);
    assert_eq!(said(&evaluate(&remote(&strict), &client, &scenarios)), ["Passed"]);
    let lax = MockServer::start(Options::default()).expect("a free port");
    let host = remote(&lax);
    let said = said(&evaluate(&host, &client, &scenarios)).remove(0);
    let key = host.open("a/b", None).expect("a world").app_key().to_owned();
    assert_eq!(
        said,
        format!(
            "alice opened, but not in the world of this scenario\n  no socket and no request of alice reached the world \
             {key}: did it use create's app_key?"
        )
    );
}

#[test]
fn when_the_server_is_gone_nothing_is_blamed_on_the_client() {
    let server = strict();
    let host = remote(&server);
    let url = format!("http://{}", server.addr());
    drop(server);
    let (client, scenarios) = (client(), [scenario("a/one"), scenario("b/two")]);
    let scenarios: Vec<&Scenario> = scenarios.iter().collect();
    let suite = evaluate(&host, &client, &scenarios);
    let gone = format!("the server at {url} does not answer any more: ");
    assert!(matches!(&suite.server_fault, Some(HostError::Gone { .. })), "{:?}", suite.server_fault);
    let said = said(&suite);
    assert!(said[0].starts_with(&gone), "{said:?}");
    assert!(said[1].starts_with(&format!("not run: {gone}")), "{said:?}");
}
