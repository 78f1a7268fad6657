//! Bundles: what is written is read, what is damaged is told, and a record that was changed does not pass for the same.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use bytes::Bytes;
use conformance::bundle::{Bundle, BundleError, ClientOf, Ended, FORMAT, ScenarioOf};
use conformance::driver::Hello;
use conformance::replay::{Place, Unplayable, hold, server, until};
use conformance::report::model::VerdictWord;
use conformance::trace::{Mark, Marked};
use mock_server::control::Control;
use mock_server::journal::{Entry, Given};
use mock_server::machine::{ConnId, Millis};
use mock_server::replay::replay;
use mock_server::shell::{MockServer, Options};
use mock_server::tape::{Direction, Door, Event, Row};
use rstest::rstest;

const START: Millis = Millis(1_640_908_800_000);

/// A field of wire type 2.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("it is short");
    [&[number << 3 | 2, length][..], bytes].concat()
}

fn login(user: &str, token: &str) -> Bytes {
    let auth = format!("$t${token}");
    let jid = [(1, "org#app"), (2, user), (3, "easemob.com"), (4, "webim_web")];
    let jid: Vec<u8> = jid.iter().flat_map(|(number, text)| field(*number, text.as_bytes())).collect();
    // guid, auth, command PROVISION
    [field(2, &jid), field(3, auth.as_bytes()), vec![8 << 3, 3]].concat().into()
}

/// Alice logs in, a clock moves, alice is cut.
fn bundle() -> Bundle {
    let conn = ConnId(1);
    let given = [
        Given::Made {
            app_key: "org#app".into(),
            settings: Box::default(),
            first_id: 7,
            seed: 0,
            nasty: None,
        },
        Given::Stopped(START),
        Given::Control(Box::new(Control::User { name: "alice".into(), password: "pw".into() })),
        Given::Control(Box::new(Control::Token { user: "alice".into(), token: "t".into(), ttl_ms: 9_000 })),
        Given::Opened { conn, door: Door::SockJs },
        Given::Frame { conn, bytes: login("alice", "t") },
        Given::Advanced { ms: 5 },
        Given::Closed { conn, why: "closed by the client".into() },
    ];
    let mut journal: Vec<Entry> = given.into_iter().map(|given| Entry { at: START, row: 0, given }).collect();
    // Where each stood on the tape: after what those before it brought about.
    for index in 0..journal.len() {
        journal[index].row = replay(&journal[..index.max(1)]).expect("a beginning").rows.len();
    }
    let tape = replay(&journal).expect("a beginning").rows;
    let mark = |row, step, what| Mark { row, step, what };
    let marks = vec![
        mark(0, None, Marked::Control("{}".to_owned())),
        mark(0, None, Marked::Control("{}".to_owned())),
        mark(0, Some(1), Marked::Step { line: 5 }),
        mark(tape.len() - 1, Some(2), Marked::Step { line: 6 }),
        mark(tape.len() - 1, Some(2), Marked::Advanced { ms: 5 }),
        mark(tape.len() - 1, Some(3), Marked::Step { line: 7 }),
    ];
    let hello =
        Hello { protocol: 1, name: "x".into(), version: "1".into(), capabilities: Default::default() };
    Bundle {
        bundle: FORMAT,
        harness: "0.1.0".into(),
        seed: 0,
        scenario: ScenarioOf { name: "conn/one".into(), path: "conn/one.json".into(), source: "{}".into() },
        client: ClientOf { name: "x".into(), command: vec!["x".into()], hello },
        expect_ms: 5_000,
        quiet_ms: 5_000,
        ended: Ended::Finished,
        verdict: VerdictWord::Passed,
        findings: Vec::new(),
        app_key: "org#app".into(),
        staged: 0,
        ended_at: None,
        tape,
        journal: Some(journal),
        marks,
        marks_left_out: 0,
        stderr: String::new(),
        redactions: Vec::new(),
        notes: Vec::new(),
    }
}

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let bundle = bundle();
    let path = bundle.write(folder.path()).expect("room");
    assert_eq!(path, folder.path().join("x").join("conn__one.bundle.json"));
    assert_eq!(Bundle::read(&path).expect("it is whole"), bundle);
    let files = std::fs::read_dir(folder.path().join("x")).expect("the client's folder").count();
    assert_eq!(files, 1, "nothing else is left behind");
}

#[cfg(unix)]
#[test]
fn a_bundle_is_read_by_whom_any_other_file_is() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("other");
    std::fs::write(&other, "").expect("room");
    let path = bundle().write(folder.path()).expect("room");
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode();
    assert_eq!(mode(&path), mode(&other));
}

#[test]
fn a_bundle_that_has_no_place_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("x"), "a file where the folder should be").expect("room");
    let error = bundle().write(folder.path()).expect_err("there is no room for a folder");
    assert!(matches!(error, BundleError::Unwritable { .. }));
    assert!(error.to_string().starts_with("the bundle "), "{error}");
}

fn changed(change: impl FnOnce(String) -> String) -> String {
    change(serde_json::to_string(&bundle()).expect("it has only string keys"))
}

#[rstest]
#[case::of_something_else("{\"format\": 2}".to_owned(), "f.json is no bundle; `conformance run` writes one beside a failure, and its name ends in .bundle.json")]
#[case::empty(String::new(), "f.json is no bundle; ")]
#[case::newer(changed(|text| text.replacen("\"bundle\":2", "\"bundle\":3", 1)), "f.json is a bundle of format 3, and this program knows 2: replay it with the conformance that wrote it, or a later one")]
#[case::cut(changed(|text| text[..text.len() / 2].to_owned()), "the bundle f.json ends in the middle: it was not copied whole; fetch it again")]
#[case::a_byte(changed(|text| text.replacen("\"bytes\":\"", "\"bytes\":\"!", 1)), "the bundle f.json is damaged: damaged base64: ")]
#[case::a_field_more(changed(|text| text.replacen("\"seed\"", "\"sead\"", 1)), "the bundle f.json is damaged: unknown field `sead`")]
#[case::marks(changed(|text| text.replacen("\"row\":0,\"step\":1", "\"row\":99,\"step\":1", 1)), "the bundle f.json is damaged: a mark stands at row 99, and its tape has ")]
fn what_is_no_good_bundle_is_told(#[case] text: String, #[case] said: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.json");
    std::fs::write(&path, text).expect("room");
    let error = Bundle::read(&path).expect_err("it is no good").to_string();
    let as_told = |error: String| error.replace(&path.display().to_string(), "f.json");
    let error = as_told(error);
    assert!(error.starts_with(said), "{error}");
    let (code, _, errors) = program(&path, &[]);
    assert_eq!((code, as_told(errors)), (Some(2), format!("error: {error}\n")));
}

#[test]
fn a_bundle_that_is_not_there_is_told() {
    let path = PathBuf::from("no").join("such.json");
    let error = Bundle::read(&path).expect_err("it is not there").to_string();
    assert!(
        error.starts_with(&format!("the bundle {} cannot be read: ", Path::new("no/such.json").display())),
        "{error}"
    );
    assert_eq!(program(&path, &[]).0, Some(2));
    let folder = tempfile::tempdir().expect("a folder");
    let (code, _, errors) = program(folder.path(), &[]);
    assert_eq!(code, Some(2));
    assert!(errors.contains(" cannot be read: "), "{errors}");
}

#[test]
fn a_record_of_this_build_is_played_as_it_was() {
    let played = server::play(&bundle()).expect("it has its journal");
    assert_eq!(played.difference, None);
    assert_eq!(played.rows, bundle().tape);
    assert_eq!(played.counts(), (2, 0));
}

#[test]
fn a_frame_that_was_another_is_told_field_by_field() {
    let mut bundle = bundle();
    let down = |row: &&mut Row| matches!(&row.event, Event::Frame { direction: Direction::Down, .. });
    let row = bundle.tape.iter_mut().find(down).expect("a login is answered");
    let Event::Frame { bytes, .. } = &mut row.event else { unreachable!("it was looked for") };
    // The command is another.
    let mut other = bytes.to_vec();
    let at = other.windows(2).position(|pair| pair == [8 << 3, 3]).expect("a PROVISION");
    other[at + 1] = 2;
    *bytes = other.into();
    let difference = server::play(&bundle).expect("it has its journal").difference.expect("one");
    let told = difference.to_string();
    assert!(told.starts_with("in step 1 (line 5), row "), "{told}");
    let first = "  recorded: NOTICE to alice/webim_web\n  now:      PROVISION to alice/webim_web\n  command: recorded NOTICE, now PROVISION";
    assert!(told.contains(first), "{told}");
}

#[test]
fn a_row_that_does_not_come_is_told() {
    let mut bundle = bundle();
    let more = bundle.tape.last().cloned().expect("a row");
    bundle.tape.push(more);
    let difference = server::play(&bundle).expect("it has its journal").difference.expect("one");
    assert_eq!((difference.row, difference.now.as_str()), (bundle.tape.len() - 1, "nothing"));
}

#[rstest]
#[case::first(Some(1), 4)]
#[case::before_the_clock_moves(Some(2), 6)]
#[case::after_it(Some(3), 7)]
#[case::the_end(None, 8)]
fn a_step_begins_where_it_began(#[case] step: Option<usize>, #[case] entries: usize) {
    assert_eq!(until(&bundle(), step).map(|place| place.entries), Ok(entries));
}

#[test]
fn a_step_that_was_not_reached_is_told() {
    let error = until(&bundle(), Some(4)).expect_err("three began").to_string();
    assert_eq!(
        error,
        "--until 4: the record ends in step 3; give a number from 1 to 3, or leave --until out for its end"
    );
}

#[test]
fn without_a_journal_nothing_is_played() {
    let bundle = Bundle { journal: None, ..bundle() };
    assert_eq!(server::play(&bundle), Err(Unplayable::NoJournal));
    let broken = Bundle { journal: Some(Vec::new()), ..bundle };
    assert!(matches!(server::play(&broken), Err(Unplayable::Journal(_))));
}

#[test]
fn a_state_is_held_and_says_how_it_is_reached() {
    let bundle = bundle();
    let place: Place = until(&bundle, Some(1)).expect("it began");
    let held = hold::hold(&bundle, &place).expect("a free port");
    let told = held.told.replace(&held.authority(), "HOST");
    assert!(
        told.starts_with(
            "The server is as it was just before step 1 of conn/one (conn/one.json:5), with client x."
        ),
        "{told}"
    );
    for line in [
        "  REST       http://HOST/org/app",
        "  users      alice (password pw)",
        "  tokens     alice t",
        "  online     nobody",
        "  clock      stands at 1640908800000 ms since 1970 until it is moved",
    ] {
        assert!(told.lines().any(|other| other == line), "{line} is not in {told}");
    }
    let staged = told.lines().filter(|line| line.contains("/_mock/org/app/control")).count();
    assert_eq!(staged, 2, "nothing but control commands came before: {told}");
}

/// The program on a bundle: how it ended, and what it said.
fn program(path: &Path, more: &[&str]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } =
        command(path, more).stdin(Stdio::null()).output().expect("it starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

fn command(path: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
    command.arg("replay").arg(path).args(more);
    command
}

/// A bundle in a folder that lasts as long as the test.
fn written(bundle: &Bundle) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = bundle.write(folder.path()).expect("room");
    (folder, path)
}

#[test]
fn the_program_says_that_a_record_is_the_same() {
    let (_folder, path) = written(&bundle());
    let (code, said, errors) = program(&path, &[]);
    assert_eq!(code, Some(0), "{said}{errors}");
    assert_eq!(
        said,
        "conn/one on x 1, recorded by conformance 0.1.0\n\
         the server's side: 2 frames and 0 requests, all as recorded\n\
         the verdict would be: failed\n  \
         alice sent what conn.login-password forbids\n    \
         payload.resource: expected \"webim_web\", as in guid.clientResource, got nothing\n  \
         alice sent what conn.login-password forbids\n    \
         payload.resource: expected any value, got nothing\n",
        "this build's judge has its say, too"
    );
}

#[test]
fn the_program_says_that_a_record_is_another() {
    let mut other = bundle();
    other.tape.remove(2);
    let (_folder, path) = written(&other);
    let (code, said, errors) = program(&path, &[]);
    assert_eq!(code, Some(1), "{said}{errors}");
    assert!(said.contains("\nthe server's side is not as recorded, first "), "{said}");
}

#[test]
fn the_program_says_where_a_step_begins() {
    let (_folder, path) = written(&bundle());
    let (code, said, _) = program(&path, &["--until", "2"]);
    assert_eq!(
        (code, &*said),
        (
            Some(0),
            "step 2 (line 6) begins after 6 things that the server was given; --hold serves that state\n"
        )
    );
    let (code, _, errors) = program(&path, &["--until", "9"]);
    assert_eq!(
        (code, &*errors),
        (
            Some(2),
            "error: --until 9: the record ends in step 3; give a number from 1 to 3, or leave --until out for its end\n"
        )
    );
}

/// The program while it holds a state, and what it has told by then.
fn held(path: &Path, step: &str) -> (Child, Vec<String>) {
    let mut child = command(path, &["--until", step, "--hold"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let stdout = BufReader::new(child.stdout.take().expect("it was asked for"));
    let mut told = Vec::new();
    let ends = "Enter or Ctrl-C ends it.";
    for line in stdout.lines() {
        told.push(line.expect("UTF-8"));
        if told.last().is_some_and(|line| line == ends) {
            break;
        }
    }
    assert_eq!(told.last().map(String::as_str), Some(ends), "{told:?}");
    (child, told)
}

#[rstest]
#[case::before_anything("1", 8)]
#[case::after_a_login("2", 6)]
fn the_lines_of_a_held_state_can_be_typed_and_enter_ends_it(#[case] step: &str, #[case] lines: usize) {
    let (_folder, path) = written(&bundle());
    let (mut child, told) = held(&path, step);
    let typed: Vec<String> = told
        .iter()
        .filter_map(|line| line.strip_prefix("  curl "))
        .map(|rest| format!("curl {rest}"))
        .collect();
    assert_eq!(typed.len(), lines, "{told:?}");
    crate::curl::run_lines(&typed);
    child.stdin.take().expect("it was asked for").write_all(b"\n").expect("it reads");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_what_is_held() {
    use rustix::process::{Pid, Signal, kill_process};

    let (_folder, path) = written(&bundle());
    let (mut child, _) = held(&path, "1");
    kill_process(Pid::from_child(&child), Signal::INT).expect("it is there");
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
}

/// The bundle of a client that was asked to make a device and to log in.
fn asked() -> Bundle {
    let asked = [
        r#"{"id":1,"user":"alice","command":{"create":{"app_key":"org#app","username":"alice","device":"web","rest":"http://127.0.0.1:9/org/app","sockjs":"http://127.0.0.1:9/ws","websocket":"ws://127.0.0.1:9/websocket","reconnects":3,"delivery":false,"own_upload":false,"emoji":null}}}"#,
        r#"{"id":2,"user":"alice","command":{"login_password":{"password":"pw"}}}"#,
    ];
    let said = [r#"{"id":1,"ok":{}}"#, r#"{"id":2,"ok":{}}"#];
    let mark = |what| Mark { row: 0, step: None, what };
    let mut bundle = bundle();
    bundle.marks = vec![
        mark(Marked::Asked(asked[0].to_owned())),
        mark(Marked::Said(said[0].to_owned())),
        mark(Marked::Asked(asked[1].to_owned())),
        mark(Marked::Said(said[1].to_owned())),
    ];
    bundle
}

#[rstest]
#[case::does_nothing(
    "",
    "the client did nothing more within 300ms, and there lacks this, which is in the record: "
)]
#[case::refuses("refuses", "answered otherwise: recorded ok, now error (no such user)")]
#[case::floods("floods", "the client broke the line protocol (DRIVER.md): more than 16384 events ")]
#[case::dies("dies", "the client's process ended: ")]
fn a_client_that_does_otherwise_is_told(#[case] wrong: &str, #[case] said: &str) {
    let (_folder, path) = written(&asked());
    let shim = env!("CARGO_BIN_EXE_misbehaving-client");
    let (code, told, errors) = program(&path, &["--against-client", "--timeout", "300ms", "--", shim, wrong]);
    assert_eq!(code, Some(1), "{told}{errors}");
    assert!(told.starts_with("conn/one as recorded on x, played to command 0\n"), "{told}");
    assert!(told.contains(&format!("- {said}")), "{told}");
}

#[test]
fn a_client_that_cannot_be_started_is_told() {
    let (_folder, path) = written(&asked());
    let shim = env!("CARGO_BIN_EXE_misbehaving-client");
    let (code, _, errors) = program(&path, &["--against-client", "--", shim, "dies before hello"]);
    assert_eq!(code, Some(3), "{errors}");
    assert!(errors.starts_with("error: command: the client could not be started: "), "{errors}");
}

/// A running server's world in which alice got a token, logged in over REST and sent something, as a bundle on disk.
fn live() -> (tempfile::TempDir, PathBuf) {
    let server = MockServer::start(Options { tape: true, ..Options::default() }).expect("a free port");
    let controls = vec![
        Control::User { name: "alice".into(), password: "alice-s-password".into() },
        Control::User { name: "bob".into(), password: "bob-s-password".into() },
        Control::Token { user: "alice".into(), token: "alice-s-token".into(), ttl_ms: 90_000 },
    ];
    server.control_all("org#app", controls).expect("they are taken");
    let grant = r#"{"grant_type":"password","username":"bob","password":"bob-s-password"}"#;
    assert!(answer_of(&server, "POST /org/app/token", "", grant.as_bytes()).contains("access_token"));
    let token = "Authorization: Bearer alice-s-token\r\n";
    assert!(answer_of(&server, "GET /org/app/users/bob", token, b"").contains("bob"));
    let bundle = answer_of(&server, "GET /_mock/org/app/bundle", "", b"");
    for secret in ["alice-s-password", "bob-s-password", "alice-s-token"] {
        assert!(!bundle.contains(secret), "{secret}");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("org-app.bundle.json");
    std::fs::write(&path, bundle).expect("room");
    (folder, path)
}

/// The body of an answer.
fn answer_of(server: &MockServer, line: &str, headers: &str, body: &[u8]) -> String {
    let mut stream = std::net::TcpStream::connect(server.addr()).expect("it listens");
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer in UTF-8");
    answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).expect("a head ends")
}

#[test]
fn a_running_servers_bundle_is_played_to_the_server() {
    let (_folder, path) = live();
    let bundle = Bundle::read(&path).expect("it is one");
    assert!(bundle.is_live());
    let played = server::play(&bundle).expect("it has its journal");
    assert_eq!((played.difference.clone(), played.counts()), (None, (0, 2)));
    let (code, told, errors) = program(&path, &[]);
    assert_eq!(code, Some(0), "{told}{errors}");
    assert!(
        told.ends_with(
            "the server's side: 0 frames and 2 requests, all as recorded\n\
             its clients did nothing wrong that this build's server and judge find\n"
        ),
        "{told}"
    );
}

#[test]
fn a_running_servers_bundle_is_not_played_to_a_client_and_says_why() {
    let (_folder, path) = live();
    let (code, told, errors) = program(&path, &["--against-client"]);
    assert_eq!((code, &*told), (Some(2), ""), "{errors}");
    assert!(
        errors.starts_with(
            "error: this bundle was taken from a running server, and nobody knows what its clients were asked"
        ),
        "{errors}"
    );
}
