//! The program as ci calls it: what a clause that nothing proves makes of its exit code.

use std::fs;
use std::process::Command;

use rstest::rstest;
use serde_json::json;

/// The only scenario there is evaluates conn.login-password, and the client passes it.
#[rstest]
#[case::every_clause_is_proven(&["conn.login-password"], &["--coverage"], 0, "1 of 1 clauses")]
#[case::one_is_not(&["conn.login-password", "conn.closed"], &["--coverage"], 1, "without one: conn.closed")]
#[case::nobody_asked(&["conn.login-password", "conn.closed"], &[], 0, "1 passed")]
fn a_clause_that_nothing_proves_fails_the_run(
    #[case] clauses: &[&str],
    #[case] words: &[&str],
    #[case] code: i32,
    #[case] said: &str,
) {
    let root = tempfile::tempdir().expect("a folder");
    let write = |path: &str, text: String| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder above it")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    let scenario = json!({
        "why": "She logs in.", "clauses": ["conn.login-password"], "given": {"users": ["alice"]},
        "steps": [
            {"tell": {"user": "alice", "command": {"login_password": {"password": "pw"}}}},
            {"expect": {"user": "alice", "event": {"opened": {}}}}],
    });
    write("fixtures/scenarios/conn/login.json", scenario.to_string());
    let clause = |id: &&str| json!({"id": id, "statement": "It holds.", "level": "must"});
    write("fixtures/clauses.json", json!(clauses.iter().map(clause).collect::<Vec<_>>()).to_string());
    let client =
        json!({"name": "some", "command": [env!("CARGO_BIN_EXE_misbehaving-client")], "records": []});
    write("conformance/clients/some.json", client.to_string());
    let run = Command::new(env!("CARGO_BIN_EXE_conformance"))
        .args(["--client", "some"])
        .args(words)
        .current_dir(root.path())
        .env_remove(conformance::results::FOLDER_VARIABLE)
        .output()
        .expect("it starts");
    let (out, err) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert_eq!(run.status.code(), Some(code), "{out}{err}");
    assert!(out.contains(said), "{out}{err}");
}
