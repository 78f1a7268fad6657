//! The program's commands against a server that strangers can reach: one with a token, one that speaks TLS.

use std::fs;
use std::path::Path;
use std::process::Command;

use mock_server::shell::{MockServer, Options, Tls};
use rstest::rstest;

use crate::peer::{APP_KEY, http, start_with};

const TOKEN: &str = "s3cret-of-the-test";

/// Arms an entry of the catalog for alice by either command: whether that was done, and what was said.
fn arm(command: &str, name: &str, server: &str, more: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_mock-server"))
        .args([command, name])
        .args(if command == "errors" { &["--arm"][..] } else { &[] })
        .args(["--user", "alice", "--server", server, "--world", APP_KEY])
        .args(more)
        .output()
        .expect("the program was built");
    let said = if output.status.success() { output.stdout } else { output.stderr };
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn start_tls(dir: &Path) -> MockServer {
    let tls = Tls::SelfMade { dir: Some(dir.to_owned()), names: Vec::new() };
    start_with(Options { tls: Some(tls), control_token: Some(TOKEN.into()), ..Options::default() })
}

#[rstest]
#[case::error("errors", "504")]
#[case::situation("stage", "no-answer")]
fn a_server_that_wants_its_token_is_shown_it(#[case] command: &str, #[case] name: &str) {
    let server = start_with(Options { control_token: Some(TOKEN.into()), ..Options::default() });
    let url = format!("http://{}", server.addr());
    let (done, said) = arm(command, name, &url, &[]);
    assert!(
        !done && said.contains(&format!("--server {url} wants its token")) && said.contains("--token TOKEN"),
        "{said}"
    );
    let (done, said) = arm(command, name, &url, &["--token", "another-of-the-test"]);
    assert!(!done && said.contains("that is not this server's token"), "{said}");
    let (done, said) = arm(command, name, &url, &["--token", TOKEN]);
    assert!(done && said.starts_with(&format!("{APP_KEY}: {name} is armed for alice")), "{said}");
}

#[rstest]
#[case::error("errors", "504")]
#[case::situation("stage", "no-answer")]
fn a_server_that_speaks_tls_is_trusted_by_its_authority(#[case] command: &str, #[case] name: &str) {
    let dir = tempfile::tempdir().expect("a folder");
    let server = start_tls(dir.path());
    let ca = dir.path().join("mock-server-ca.crt");
    let ca = ca.to_str().expect("Unicode");
    let url = format!("https://{}", server.addr());
    let (done, said) = arm(command, name, &url, &["--token", TOKEN, "--ca", ca]);
    assert!(done && said.starts_with(&format!("{APP_KEY}: {name} is armed for alice")), "{said}");
    let (done, said) = arm(command, name, &url, &["--ca", ca]);
    assert!(!done && said.contains("wants its token"), "{said}");
}

#[test]
fn who_is_not_trusted_is_not_shown_the_token() {
    let (dir, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("another"));
    let server = start_tls(dir.path());
    let _elsewhere = start_tls(other.path());
    let url = format!("https://{}", server.addr());
    let told = |more: &[&str]| {
        let (done, said) = arm("errors", "504", &url, &[&["--token", TOKEN], more].concat());
        assert!(!done, "{said}");
        said
    };
    let ca = other.path().join("mock-server-ca.crt");
    let said = told(&["--ca", ca.to_str().expect("Unicode")]);
    assert!(
        said.starts_with(&format!("mock-server: what listens on {url} is not what --ca vouches for: ")),
        "{said}"
    );
    assert_eq!(
        told(&[]),
        format!(
            "mock-server: --server {url}: say whom to trust by --ca FILE: the mock-server-ca.crt that --tls-dir keeps, or \
             what --tls-cert is signed by\n"
        )
    );
    let none = dir.path().join("none.crt");
    fs::write(&none, "nothing").expect("it is ours");
    let none = none.to_str().expect("Unicode");
    assert_eq!(
        told(&["--ca", none]),
        format!(
            "mock-server: --ca {none}: holds no certificate; PEM is expected, which begins with -----BEGIN \
             CERTIFICATE-----\n"
        )
    );
}

#[test]
fn who_forgot_the_s_is_told() {
    let dir = tempfile::tempdir().expect("a folder");
    let server = start_tls(dir.path());
    let url = format!("http://{}", server.addr());
    let (done, said) = arm("errors", "504", &url, &[]);
    assert_eq!(
        (done, said),
        (
            false,
            format!(
                "mock-server: --server {url}: this port speaks TLS; begin with https://, and say whom to trust by --ca \
                 FILE: the mock-server-ca.crt that --tls-dir keeps\n"
            )
        )
    );
    assert_eq!(http(server.addr(), "GET /_mock/ HTTP/1.1", b"").status, 400);
}
