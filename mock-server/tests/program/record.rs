//! The program `mock-server record`: each of its flags, and upstreams by https.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Output, Stdio};
use std::thread;

use mock_server::shell::{MockServer, Options, Tls};
use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;

use crate::running::{Program, command};

/// The program, and where it writes.
struct Recording {
    program: Program,
    out: TempDir,
}

impl Recording {
    fn start(upstream: &str, more: &[&str]) -> Self {
        Self::start_trusting(upstream, more, None)
    }

    /// `authorities`: a file of certificates in the place of this machine's.
    fn start_trusting(upstream: &str, more: &[&str], authorities: Option<&Path>) -> Self {
        let out = tempfile::tempdir().expect("a folder");
        let mut command = command();
        command.args(["record", "--listen", "127.0.0.1:0", "--upstream", upstream, "--out"]).arg(out.path());
        if let Some(file) = authorities {
            command.env("SSL_CERT_FILE", file).env_remove("SSL_CERT_DIR");
        }
        let program = Program::start(command.args(more).stdin(Stdio::null()), "recording on http://");
        Self { program, out }
    }

    /// A request, and all that comes until the connection ends.
    fn get(&self, path: &str) -> String {
        self.ask("GET", path, "")
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(self.program.addr).expect("it listens");
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.program.addr,
            body.len()
        )
        .expect("it reads");
        let mut answer = Vec::new();
        // Where the upstream gives no answer, there is none.
        let _cut = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.out.path().join(name)).unwrap_or_default()
    }
}

fn server() -> MockServer {
    MockServer::start(Options::default()).expect("a free port")
}

fn url(server: &MockServer) -> String {
    format!("http://{}", server.addr())
}

const GRANT: &str = r#"{"grant_type":"password","username":"alice","password":"a-word-of-alice"}"#;

#[cfg(unix)]
#[test]
fn it_writes_at_its_end_and_names_the_files() {
    let upstream = server();
    let mut recording = Recording::start(&url(&upstream), &["--every", "1h"]);
    let answer = recording.ask("POST", "/org/app/token", GRANT);
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).expect("a head");
    let token = serde_json::from_str::<Value>(body).expect("JSON")["access_token"].clone();
    let said = recording.program.terminate();
    let addr = recording.program.addr;
    assert!(said.starts_with(&format!("recording {} into ", url(&upstream))), "{said}");
    assert!(said.contains(&format!("url: 'http://{addr}/ws', apiUrl: 'http://{addr}'")), "{said}");
    for name in ["org-app.bundle.json", "org-app.notes.txt"] {
        let path = recording.out.path().join(name);
        assert!(said.contains(&format!("wrote {}", path.display())), "{said}");
        let text = recording.file(name);
        assert!(!text.is_empty());
        for secret in ["a-word-of-alice", token.as_str().expect("a token")] {
            assert!(!text.contains(secret), "{secret} in {name}");
        }
    }
}

#[test]
fn it_writes_while_it_goes_on() {
    let upstream = server();
    let recording = Recording::start(&url(&upstream), &["--every", "5ms"]);
    assert!(recording.ask("POST", "/org/app/token", GRANT).contains("access_token"));
    // It comes, or this hangs.
    while !recording.file("org-app.notes.txt").contains("<token 1>") {
        thread::yield_now();
    }
    assert!(serde_json::from_str::<Value>(&recording.file("org-app.bundle.json")).is_ok(), "whole each time");
}

#[cfg(unix)]
#[rstest]
#[case::rows(&["--rows", "1"], "the record is full (1 rows, 0 MB, 1 worlds)")]
// Each request is kept with its 60 KB and its answer's.
#[case::megabytes(&["--megabytes", "1"], "rows, 0 MB, 1 worlds)")]
fn a_full_record_says_which_flag_allows_more(#[case] flags: &[&str], #[case] words: &str) {
    let upstream = server();
    let mut recording = Recording::start(&url(&upstream), flags);
    // A login is read whole before it is answered.
    let grant = GRANT.replace('}', &format!(r#","note":"{}"}}"#, "n".repeat(60 << 10)));
    for _ in 0..18 {
        let answer = recording.ask("POST", "/org/app/token", &grant);
        assert!(answer.starts_with("HTTP/1.1 "), "it is forwarded, and answered: {answer}");
    }
    let said = recording.program.terminate();
    let notes = recording.file("org-app.notes.txt");
    for text in [&said, &notes] {
        assert!(text.contains(words) && text.contains("--rows and --megabytes allow more"), "{text}");
    }
}

#[cfg(unix)]
#[rstest]
#[case::kept(&[], true)]
#[case::redacted(&["--redact-texts"], false)]
fn texts_are_kept_unless_they_are_to_be_redacted(#[case] flags: &[&str], #[case] kept: bool) {
    let upstream = server();
    let mut recording = Recording::start(&url(&upstream), flags);
    let message = r#"{"from":"alice","target_type":"users","target":["bob"],"msg":{"type":"txt","msg":"meet me at nine"}}"#;
    assert!(!recording.ask("POST", "/org/app/messages", message).is_empty());
    recording.program.terminate();
    let bundle: Value = serde_json::from_str(&recording.file("org-app.bundle.json")).expect("JSON");
    let tape: Vec<mock_server::tape::Row> = serde_json::from_value(bundle["tape"].clone()).expect("a tape");
    let bodies: Vec<String> = tape
        .iter()
        .filter_map(|row| match &row.event {
            mock_server::tape::Event::Http { body, .. } => Some(String::from_utf8_lossy(body).into_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(bodies.iter().any(|body| body.contains("meet me at nine")), kept, "{bodies:?}");
    assert_eq!(bodies.iter().any(|body| body.contains("xxxx xx xx xxxx")), !kept, "{bodies:?}");
}

/// A server that answers one request with a word.
fn answering(word: &'static str) -> (String, thread::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("it is bound"));
    let thread = thread::spawn(move || {
        let (stream, _) = listener.accept().expect("the recorder comes");
        let mut head = BufReader::new(stream.try_clone().expect("it is open"));
        let mut line = String::new();
        while head.read_line(&mut line).is_ok_and(|read| read > 2) {
            line.clear();
        }
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{word}", word.len());
        (&stream).write_all(answer.as_bytes()).expect("it is read");
    });
    (url, thread)
}

#[test]
fn sockets_may_be_elsewhere_than_rest() {
    let (rest, of_rest) = answering("of rest");
    let (sockets, of_sockets) = answering("of sockets");
    let recording = Recording::start(&rest, &["--upstream-sockets", &sockets]);
    assert!(recording.get("/org/app/users").ends_with("of rest"));
    assert!(recording.get("/ws/info").ends_with("of sockets"));
    of_rest.join().expect("it answered");
    of_sockets.join().expect("it answered");
}

/// A server with a certificate of its own making, and a file with the authority that made it.
fn secure_server() -> (MockServer, tempfile::NamedTempFile) {
    let tls = Tls::SelfMade { dir: None, names: Vec::new() };
    let server = MockServer::start(Options { tls: Some(tls), ..Options::default() }).expect("a free port");
    let mut stream = TcpStream::connect(server.addr()).expect("it listens");
    write!(stream, "GET /_mock/ca.crt HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (_, authority) = answer.split_once("\r\n\r\n").expect("a head");
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(authority.as_bytes()).expect("room");
    (server, file)
}

#[derive(Clone, Copy, PartialEq)]
enum Trusts {
    Its,
    Anothers,
    Anybody,
}

#[rstest]
#[case::of_whom_this_machine_trusts(Trusts::Its)]
#[case::of_a_stranger(Trusts::Anothers)]
#[case::whichever(Trusts::Anybody)]
fn an_upstream_by_https_is_recorded_if_it_is_trusted(#[case] trusts: Trusts) {
    let (upstream, its) = secure_server();
    let (_another, anothers) = secure_server();
    let url = format!("https://{}", upstream.addr());
    let flags: &[&str] = if trusts == Trusts::Anybody { &["--upstream-insecure"] } else { &[] };
    let authority = if trusts == Trusts::Its { &its } else { &anothers };
    let mut recording = Recording::start_trusting(&url, flags, Some(authority.path()));
    let answer = recording.ask("POST", "/org/app/token", GRANT);
    let info = recording.get("/ws/info");
    let said = recording.program.kill();
    if trusts == Trusts::Anothers {
        assert_eq!((&*answer, &*info), ("", ""), "no answer is none");
        let expected = format!(
            "POST /org/app/token: {}: its certificate is not one that this machine trusts (",
            upstream.addr()
        );
        assert!(
            said.contains(&expected) && said.contains("--upstream-insecure records it all the same"),
            "{said}"
        );
    } else {
        assert!(answer.contains("access_token"), "{answer}{said}");
        assert!(info.contains("\"websocket\":true"), "{info}{said}");
    }
}

#[rstest]
#[case::no_upstream(&[], "--upstream <URL>")]
#[case::no_http(&["--upstream", "ftp://im.test"], "--upstream: expected http:// or https:// and a host")]
#[case::no_sockets(&["--upstream", "http://im.test", "--upstream-sockets", "ws://im.test"], "--upstream-sockets: expected http://")]
#[case::no_time(&["--upstream", "http://im.test", "--every", "soon"], "--every <TIME>")]
#[case::no_rows(&["--upstream", "http://im.test", "--rows", "0"], "--rows <ROWS>")]
#[case::more_than_a_bundle_has(&["--upstream", "http://im.test", "--megabytes", "65"], "--megabytes <MB>")]
fn flags_that_make_no_sense_are_refused(#[case] flags: &[&str], #[case] words: &str) {
    let Output { status, stdout, stderr } =
        command().arg("record").args(flags).output().expect("it was built");
    let stderr = String::from_utf8(stderr).expect("UTF-8");
    assert!(!status.success() && stdout.is_empty(), "{stderr}");
    assert!(stderr.contains(words), "{stderr}");
}

#[test]
fn an_address_that_is_taken_is_told_with_the_flag() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = taken.local_addr().expect("it is bound").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let output = command()
        .args(["record", "--upstream", "http://im.test", "--listen", &addr, "--out"])
        .arg(folder.path())
        .output()
        .expect("it was built");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(!output.status.success(), "{stderr}");
    assert!(stderr.starts_with(&format!("mock-server: cannot listen on {addr}: ")), "{stderr}");
    assert!(stderr.trim_end().ends_with("; --listen says where else"), "{stderr}");
}
