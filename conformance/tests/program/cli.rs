//! The program as people call it: what it says of bad input and with which code it ends, and that nothing is left when it
//! is interrupted or its clients are killed.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;
use serde_json::{Value, json};
use tempfile::TempDir;

const SHIM: &str = env!("CARGO_BIN_EXE_misbehaving-client");

/// A repository with a client, `some`, and two scenarios that it passes.
fn repository() -> TempDir {
    let root = tempfile::tempdir().expect("a folder");
    let login = |user: &str| {
        json!({
            "why": "Somebody logs in.", "clauses": ["conn.login"], "given": {"users": [user]},
            "steps": [
                {"tell": {"user": user, "command": {"login_password": {"password": "pw"}}}},
                {"expect": {"user": user, "event": {"opened": {}}}}],
        })
    };
    write(&root, "fixtures/scenarios/conn/alice.json", &login("alice").to_string());
    write(&root, "fixtures/scenarios/conn/bob.json", &login("bob").to_string());
    let clause = json!([{"id": "conn.login", "statement": "It holds.", "level": "must"}]);
    write(&root, "fixtures/clauses.json", &clause.to_string());
    let client = json!({"name": "some", "command": [SHIM], "records": []});
    write(&root, "conformance/clients/some.json", &client.to_string());
    root
}

fn write(root: &TempDir, path: &str, text: &str) {
    let path = root.path().join(path);
    fs::create_dir_all(path.parent().expect("a folder above it")).expect("a folder");
    fs::write(path, text).expect("a file");
}

fn command(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
    command.args(words).current_dir(folder).env_remove(conformance::results::FOLDER_VARIABLE);
    // What the tests themselves run under is no business of theirs.
    for variable in ["CI", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"] {
        command.env_remove(variable);
    }
    command
}

fn run(folder: &Path, words: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } = command(folder, words).output().expect("it starts");
    let said = [stdout, stderr].concat();
    (status.code().expect("a code"), String::from_utf8_lossy(&said).into_owned())
}

#[rstest]
#[case::unknown_flag(&["--clients", "some"], 2, "unexpected argument '--clients' found")]
#[case::misspelt_flag(&["run", "--retry", "1"], 2, "a similar argument exists: '--retries'")]
#[case::no_number(&["--retries", "x"], 2, "invalid value 'x' for '--retries <N>'")]
#[case::no_time(&["--timeout", "5"], 2, "\"5\" has no unit; write 5ms or 5s")]
#[case::no_shard(&["--shard", "5/4"], 2, "there are 4 shards, so none is number 5")]
#[case::no_seed(&["--seed", "x"], 2, "invalid value 'x' for '--seed <N>'")]
#[case::no_url(&["--client", "some", "--server", "localhost"], 2, "localhost")]
#[case::unreachable(&["--client", "some", "--server", "http://127.0.0.1:1"], 5, "http://127.0.0.1:1")]
#[case::no_command(&["--"], 2, "nothing behind `--`: write the shim's command there, such as `-- node shim.mjs`")]
#[case::client_and_command(&["--client", "some", "--", "x"], 2, "cannot be used with")]
#[case::same_client_twice(&["--client", "some", "--client", "some"], 2, "--client some: some is meant twice")]
#[case::no_client(
    &["--client", "sone"], 2,
    "no client \"sone\" (did you mean some?): conformance/clients has some; or give the path of a .json file"
)]
#[case::no_scenario(
    &["--client", "some", "conn/alicia"], 4,
    "no scenario is meant by \"conn/alicia\" (did you mean conn/alice"
)]
#[case::no_clause(&["list", "--clause", "recall"], 4, "no scenario evaluates a clause that is meant by \"recall\"")]
#[case::no_area(&["list", "--area", "con"], 4, "no area is meant by \"con\" (did you mean conn?)")]
#[case::no_program(&["--", "no-such-shim"], 3, "no-such-shim")]
#[case::other_protocol(
    &["--", SHIM, "another protocol"], 3,
    "the client broke the line protocol (DRIVER.md): it speaks version 2, this harness speaks 1"
)]
#[case::dies_at_once(&["--", SHIM, "dies before hello"], 3, "cannot find the module")]
#[case::floods(&["--", SHIM, "floods"], 1, "events or 67108864 bytes of them wait for a step")]
#[case::no_end_of_line(&["--", SHIM, "a line without end"], 1, "a line longer than 1048576 bytes: xxx")]
#[case::not_utf_8(&["--", SHIM, "not UTF-8"], 1, "a line that is not UTF-8")]
#[case::no_report(&["--client", "some", "--report", "no/such/folder.json"], 5, "--report no/such/folder.json: ")]
#[case::all_is_well(&["--client", "some"], 0, "2 passed, 0 failed")]
#[case::old_spelling_of_the_time(&["--client", "some", "--timeout-ms", "5000"], 0, "2 passed")]
fn bad_input_is_told_in_a_sentence(#[case] words: &[&str], #[case] code: i32, #[case] said: &str) {
    let (got, text) = run(repository().path(), words);
    assert_eq!(got, code, "{text}");
    assert!(text.contains(said), "{text}");
}

#[rstest]
#[case::no_file("conformance/clients/other.json", None, &["--client", "conformance/clients/other.json"], "other.json: ")]
#[case::no_json("conformance/clients/other.json", Some("{"), &["--client", "other"], "other.json:1:1: EOF while parsing")]
#[case::unknown_member(
    "conformance/clients/other.json", Some(r#"{"name": "other", "comand": ["x"]}"#), &["--client", "other"],
    "unknown field `comand`"
)]
#[case::scenario(
    "fixtures/scenarios/conn/wrong.json", Some(r#"{"why": "x", "clauses": ["conn.login"], "step": []}"#), &["list"],
    "fixtures/scenarios/conn/wrong.json:1:"
)]
#[case::scenario_in_no_area("fixtures/scenarios/wrong.json", Some("{}"), &["list"], "a scenario lies in the folder of its area")]
#[case::clauses("fixtures/clauses.json", Some("[1]"), &["list"], "clauses.json: invalid type")]
fn a_file_that_is_wrong_is_told_with_its_place(
    #[case] path: &str,
    #[case] text: Option<&str>,
    #[case] words: &[&str],
    #[case] said: &str,
) {
    let root = repository();
    if let Some(text) = text {
        write(&root, path, text);
    }
    let (code, told) = run(root.path(), words);
    assert_eq!(code, 2, "{told}");
    assert!(told.contains(said), "{told}");
}

#[cfg(target_os = "linux")]
#[rstest]
#[case("--report", "/dev/full", "--report /dev/full: No space left on device")]
#[case("--reports", "/dev/null/x", "the report /dev/null/x could not be written: Not a directory")]
fn a_report_that_cannot_be_written_is_the_harness_s_fault(
    #[case] flag: &str,
    #[case] path: &str,
    #[case] said: &str,
) {
    let (code, text) = run(repository().path(), &["--client", "some", flag, path]);
    assert_eq!(code, 5, "{text}");
    assert!(text.contains(said), "{text}");
}

#[test]
fn several_clients_are_one_report() {
    let root = repository();
    let other = json!({"name": "other", "command": [SHIM, "refuses"], "records": []});
    write(&root, "conformance/clients/other.json", &other.to_string());
    let missing = json!({"name": "missing", "command": ["no-such-shim"], "records": []});
    write(&root, "conformance/clients/missing.json", &missing.to_string());
    let (code, text) = run(root.path(), &["run", "--all-clients", "--reports", "out", "--bundles", "none"]);
    // Who could not be started is graver than who failed, and keeps nobody else from running.
    assert_eq!(code, 3, "{text}");
    let report: Value =
        serde_json::from_slice(&fs::read(root.path().join("out/report.json")).expect("it is there"))
            .expect("JSON");
    let tallies: Vec<_> = report["clients"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|client| {
            let count = |what: &str| client["tally"][what].as_u64().expect("a number");
            (client["name"].as_str().expect("a name"), count("passed"), count("failed"), count("not_run"))
        })
        .collect();
    assert_eq!(tallies, [("missing", 0, 0, 2), ("other", 0, 2, 0), ("some", 2, 0, 0)]);
    assert!(root.path().join("out/junit.xml").is_file() && root.path().join("out/report.html").is_file());
}

/// It dies the first time that somebody logs in, and a new one does not.
#[rstest]
#[case(&["--retries", "1"], 1)]
#[case(&["--retries", "1", "--allow-flaky"], 0)]
fn a_flaky_scenario_fails_unless_it_is_allowed(#[case] flags: &[&str], #[case] code: i32) {
    let root = repository();
    let words = [flags, &["conn/alice", "--bundles", "none", "--", SHIM, "dies once", "died"]].concat();
    let (got, text) = run(root.path(), &words);
    assert_eq!(got, code, "{text}");
    assert!(text.contains("\n0 passed, 0 failed, 0 known failures, 0 unsupported, 1 flaky\n"), "{text}");
}

#[test]
fn all_shards_together_are_all_scenarios() {
    let root = repository();
    let of = |shard: &str| {
        let (code, text) = run(root.path(), &["list", "--json", "--shard", shard]);
        let listed: Vec<Value> =
            if code == 0 { serde_json::from_str(&text).expect("JSON") } else { Vec::new() };
        listed.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let mut names = [of("1/3"), of("2/3"), of("3/3")].concat();
    names.sort();
    assert_eq!(names, ["conn/alice", "conn/bob"]);
}

#[test]
fn without_a_repository_the_scenarios_are_inside() {
    let empty = tempfile::tempdir().expect("a folder");
    let (code, text) = run(empty.path(), &["list", "send/text-to-user"]);
    assert_eq!(code, 0, "{text}");
    assert!(text.starts_with("send/text-to-user  ["), "{text}");
    let (code, text) = run(empty.path(), &["run", "send/text-to-user", "--", SHIM, "refuses"]);
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("fixtures/scenarios/send/text-to-user.json"), "{text}");
    assert!(text.contains("conformance run send/text-to-user -- "), "{text}");
    assert!(!text.contains("cargo xtask"), "{text}");
    let (code, text) = run(empty.path(), &["run", "--client", "core", "send/text-to-user"]);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("no repository is around, so \"core\" is no client"), "{text}");
}

#[rstest]
#[case("bash")]
#[case("zsh")]
#[case("fish")]
#[case("powershell")]
fn a_shell_can_complete_it(#[case] shell: &str) {
    let (code, text) = run(Path::new("."), &["completions", shell]);
    assert_eq!(code, 0);
    assert!(text.contains("all-clients"), "{text}");
}

/// Before, during and after any call: the scenario ends, and nothing of the harness breaks.
#[test]
fn a_client_that_is_killed_at_any_moment_only_fails_its_scenario() {
    let root = repository();
    for seed in 1..40 {
        let words = ["--client", "some", "--kill-clients", "--seed", &seed.to_string()];
        let (code, text) = run(root.path(), &words);
        assert_eq!(code, 0, "seed {seed}: {text}");
    }
}

#[cfg(unix)]
mod interrupted {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::net::TcpListener;
    use std::process::Stdio;

    use rustix::process::{Pid, Signal, kill_process};

    use super::*;

    /// The client connects when it is told to log in, and goes on to say nothing.
    fn interrupt(signals: &[Signal]) -> (i32, Option<Value>) {
        let root = repository();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port().to_string();
        let words = [
            "run",
            "--reports",
            "out",
            "--jobs",
            "1",
            "--timeout",
            "60s",
            "--",
            SHIM,
            "calls and hangs",
            &port,
        ];
        let mut harness = command(root.path(), &words)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let (mut client, _) = listener.accept().expect("the client logs in");
        let pid = Pid::from_raw(i32::try_from(harness.id()).expect("a number")).expect("not 0");
        let mut heard = BufReader::new(harness.stderr.take().expect("it was asked for"));
        for signal in signals {
            // After the first signal the harness says what it does; one more is a second one only then.
            kill_process(pid, *signal).expect("it lives");
            let mut line = String::new();
            heard.read_line(&mut line).expect("UTF-8");
        }
        let code = harness.wait().expect("it ends").code().expect("a code");
        // The end of what the client could say: it is gone.
        assert_eq!(client.read(&mut [0; 1]).expect("the end"), 0);
        let report = fs::read(root.path().join("out/report.json")).ok();
        (code, report.map(|bytes| serde_json::from_slice(&bytes).expect("JSON")))
    }

    #[rstest]
    #[case(Signal::INT)]
    #[case(Signal::TERM)]
    fn an_interrupted_run_tells_what_ran_and_leaves_no_child(#[case] signal: Signal) {
        let (code, report) = interrupt(&[signal]);
        assert_eq!(code, 130);
        let report = report.expect("it was written");
        assert_eq!(report["interrupted"], true);
        assert_eq!(report["clients"][0]["tally"]["not_run"], 2);
        assert_eq!(report["clients"][0]["tally"]["failed"], 0);
    }

    #[test]
    fn interrupted_twice_it_ends_at_once() {
        let (code, _) = interrupt(&[Signal::INT, Signal::INT]);
        assert_eq!(code, 130);
    }
}
