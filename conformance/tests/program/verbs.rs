//! The verbs that write: `review`, `accept`, `new`, and `watch`, as people call them.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

use rstest::rstest;
use serde_json::json;
use tempfile::TempDir;

/// A repository with one scenario and one client that passes it.
struct Repository(TempDir);

const LOGIN: &str = "fixtures/scenarios/conn/login.json";

impl Repository {
    fn new() -> Self {
        let root = Self(tempfile::tempdir().expect("a folder"));
        root.write(LOGIN, &login("opened"));
        let clause = |id: &str| json!({"id": id, "statement": "It holds.", "level": "must"});
        root.write(
            "fixtures/clauses.json",
            &json!([clause("conn.login-password"), clause("recall.single")]).to_string(),
        );
        let client =
            json!({"name": "some", "command": [env!("CARGO_BIN_EXE_misbehaving-client")], "records": []});
        root.write("conformance/clients/some.json", &client.to_string());
        root
    }

    /// Two records wait there.
    fn with_records() -> Self {
        let root = Self::new();
        for name in ["conn__login", "conn__old"] {
            let record = |line: &str| format!("---\ndescription: \"She logs in.\"\n---\n> {line}\n");
            let path = format!("conformance/tests/snapshots/some/{name}.snap");
            root.write(&path, &record("PROVISION a:1"));
            root.write(&format!("{path}.new"), &record("PROVISION a:2"));
        }
        root
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// At once, as editors do: nobody ever reads half of it.
    fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a folder above it")).expect("a folder");
        let beside = self.path().join("written");
        fs::write(&beside, text).expect("a file");
        fs::rename(beside, path).expect("it takes its place");
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path().join(path)).expect("a file")
    }

    fn records(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path().join("conformance/tests/snapshots/some")).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
        command.args(words).current_dir(self.path());
        command.env_remove("CI").env_remove(conformance::results::FOLDER_VARIABLE).stderr(Stdio::piped());
        command
    }

    fn run(&self, words: &[&str], input: &str) -> (Option<i32>, String) {
        let mut child =
            self.command(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it starts");
        // Whoever does not ask does not read.
        child.stdin.take().expect("piped").write_all(input.as_bytes()).ok();
        told(&child.wait_with_output().expect("it ends"), self.path())
    }
}

fn login(event: &str) -> String {
    let steps = json!([
        {"tell": {"user": "alice", "command": {"login_password": {"password": "pw"}}}},
        {"expect": {"user": "alice", "event": {event: {}}}}]);
    json!({"why": "She logs in.", "clauses": ["conn.login-password"], "given": {"users": ["alice"]}, "steps": steps})
        .to_string()
}

/// The exit code, and what was said, without the folder's name.
fn told(output: &Output, root: &Path) -> (Option<i32>, String) {
    let text = [&*output.stdout, &output.stderr].concat();
    let root = fs::canonicalize(root).expect("a folder");
    let text = String::from_utf8_lossy(&text).replace(&*root.to_string_lossy(), "[root]").replace('\\', "/");
    (output.status.code(), text)
}

#[test]
fn whoever_has_read_enough_costs_nobody_the_report() {
    let repository = Repository::new();
    let mut child = repository
        .command(&["run", "--client", "some", "--report", "report.json"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let (code, said) = told(&child.wait_with_output().expect("it ends"), repository.path());
    assert_eq!((code, &*said), (Some(0), ""));
    assert!(repository.read("report.json").contains("\"passed\":1"));
}

#[test]
fn a_table_for_a_program_is_alone_on_stdout() {
    let repository = Repository::new();
    let words = ["coverage", "--client", "some", "--json"];
    let run = repository.command(&words).output().expect("it runs");
    let table: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON and nothing else");
    assert_eq!(table["clients"], json!(["some"]));
    assert!(String::from_utf8_lossy(&run.stderr).contains("1 passed, 0 failed"), "{run:?}");
}

/// A client outside of the repository has no other name that would be understood.
#[test]
fn a_run_is_repeated_with_the_client_as_it_was_named() {
    let repository = Repository::new();
    repository.write(LOGIN, &login("closed"));
    let (code, said) = repository.run(&["run", "--client", "conformance/clients/some.json"], "");
    let line =
        "  run it again:  cargo xtask conformance run --client conformance/clients/some.json conn/login\n";
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains(line), "{said}");
}

#[test]
fn records_alone_have_an_exit_code_of_their_own() {
    let repository = Repository::new();
    let client =
        json!({"name": "some", "command": [env!("CARGO_BIN_EXE_misbehaving-client")], "records": "all"});
    repository.write("conformance/clients/some.json", &client.to_string());
    let (code, said) = repository.run(&["run", "--client", "some"], "");
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("take it with `conformance review` or `conformance accept`"), "{said}");
    assert_eq!(repository.records(), ["conn__login.snap.new"]);
    repository.write(LOGIN, &login("closed"));
    assert_eq!(repository.run(&["run", "--client", "some"], "").0, Some(1), "a failure is worse");
}

#[rstest]
#[case::beside_the_reports(&["--reports", "out"], "out/bundles")]
#[case::where_they_are_asked_for(&["--reports", "out", "--bundle-dir", "elsewhere"], "elsewhere")]
#[case::without_reports(&[], "target/conformance/bundles")]
fn a_failure_leaves_its_bundle(#[case] words: &[&str], #[case] folder: &str) {
    let repository = Repository::new();
    repository.write(LOGIN, &login("closed"));
    let (code, said) = repository.run(&[&["run", "--client", "some"], words].concat(), "");
    assert_eq!(code, Some(1), "{said}");
    let bundle = repository.path().join(folder).join("some/conn__login.bundle.json");
    assert!(bundle.is_file(), "{said}");
}

#[test]
fn results_that_cannot_be_kept_cost_nobody_the_report() {
    let repository = Repository::new();
    repository.write("no-folder", "");
    let run = repository
        .command(&["run", "--client", "some", "--report", "report.json", "--bundles", "none"])
        .env(conformance::results::FOLDER_VARIABLE, repository.path().join("no-folder"))
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&run.stderr);
    assert_eq!(run.status.code(), Some(5), "{said}");
    assert!(said.starts_with("error: "), "{said}");
    assert!(repository.read("report.json").contains("\"passed\":1"));
}

#[rstest]
#[case("run")]
#[case("doctor")]
fn a_command_that_is_missing_is_told(#[case] verb: &str) {
    let (code, said) = Repository::new().run(&[verb, "--"], "");
    let message = "error: nothing behind `--`: write the shim's command there, such as `-- node shim.mjs`\n";
    assert_eq!((code, &*said), (Some(2), message));
}

#[test]
fn without_a_terminal_what_waits_is_listed() {
    let repository = Repository::with_records();
    let (code, said) = repository.run(&["review"], "");
    assert_eq!(code, Some(6), "{said}");
    insta::assert_snapshot!(said, @r#"
    some conn/login: [root]/conformance/tests/snapshots/some/conn__login.snap.new
    some conn/old: [root]/conformance/tests/snapshots/some/conn__old.snap.new
    2 records waiting; run it on a terminal to look at what is new, or `conformance accept`
    "#);
    assert_eq!(repository.records().len(), 4);
}

#[rstest]
#[case::taken_and_thrown_away("a\nr\n", 0, &["conn__login.snap", "conn__old.snap"], "2")]
#[case::asked_again("what?\naccept\nreject\n", 0, &["conn__login.snap", "conn__old.snap"], "2")]
#[case::skipped("s\na\n", 6, &["conn__login.snap", "conn__login.snap.new", "conn__old.snap"], "1")]
#[case::quit("a\nq\n", 6, &["conn__login.snap", "conn__old.snap", "conn__old.snap.new"], "2")]
#[case::the_input_ends("", 6, &["conn__login.snap", "conn__login.snap.new", "conn__old.snap", "conn__old.snap.new"], "1")]
fn somebody_decides_about_each(
    #[case] input: &str,
    #[case] code: i32,
    #[case] left: &[&str],
    #[case] login_is: &str,
) {
    let repository = Repository::with_records();
    let (ended, said) = repository.run(&["review", "--ask"], input);
    assert_eq!(ended, Some(code), "{said}");
    assert_eq!(repository.records(), left, "{said}");
    let record = repository.read("conformance/tests/snapshots/some/conn__login.snap");
    assert!(record.contains(&format!("PROVISION a:{login_is}")), "{record}");
}

#[test]
fn each_is_shown_as_a_difference() {
    let (_, said) = Repository::with_records().run(&["review", "--ask", "login"], "s\n");
    insta::assert_snapshot!(said, @r#"
    1/1  some  conn/login
    She logs in.

    - > PROVISION a:1
    + > PROVISION a:2

    (a)ccept, (r)eject, (s)kip, (q)uit: 1 record still waiting
    "#);
}

#[rstest]
#[case::all(&["accept"], 0, 2, "2 records accepted")]
#[case::one(&["accept", "conn/login"], 0, 3, "accepted some conn/login")]
#[case::of_a_client(&["accept", "--client", "some", "old"], 0, 3, "accepted some conn/old")]
#[case::of_none(&["accept", "--client", "core"], 2, 4, "error: no record of \"core\" waits")]
#[case::mistyped(&["accept", "conn/lgoin"], 2, 4, "error: no record that waits is meant by \"conn/lgoin\"")]
// Nothing is kept of any scenario there, and one of the two is no scenario at all.
#[case::unreferenced(&["accept", "--unreferenced"], 0, 0, "conn__old.snap: there is no scenario conn/old")]
fn what_waits_is_taken(
    #[case] words: &[&str],
    #[case] code: i32,
    #[case] left: usize,
    #[case] words_said: &str,
) {
    let repository = Repository::with_records();
    let (ended, said) = repository.run(words, "");
    assert_eq!((ended, repository.records().len()), (Some(code), left), "{said}");
    assert!(said.contains(words_said), "{said}");
}

#[rstest]
#[case("review")]
#[case("accept")]
fn a_build_server_writes_nothing(#[case] verb: &str) {
    let repository = Repository::with_records();
    let output = repository.command(&[verb]).env("CI", "true").output().expect("it starts");
    let (code, said) = told(&output, repository.path());
    assert_eq!(code, Some(2));
    assert_eq!(
        said.trim(),
        format!(
            "error: `{verb}` writes records, and nothing is written where CI is set; run it on your own machine"
        )
    );
    assert_eq!(repository.records().len(), 4);
}

#[test]
fn a_new_scenario_fails_until_somebody_has_filled_it_in() {
    let repository = Repository::new();
    let (code, said) = repository.run(&["new", "conn.login-password"], "");
    assert_eq!(code, Some(0), "{said}");
    insta::assert_snapshot!(said, @r#"
    fixtures/scenarios/conn/login-password.json
    it fails until you have said what conn.login-password asks for:
      - "why" is the clause's statement; say what this scenario shows of it
      - "FILL IN: …" stands for what should be shown; more steps may have to come before it
    run it:            cargo xtask conformance run conn/login-password
    at every save:     cargo xtask conformance watch conn/login-password
    "#);
    let (code, said) = repository.run(&["--client", "some", "conn/login-password"], "");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("FILL IN: what alice is shown"), "{said}");
}

#[rstest]
#[case(&["new", "recall.signle"], "error: no clause \"recall.signle\" in fixtures/clauses.json; nearest: recall.single")]
#[case(&["new", "recall.single", "--name", "conn/login"], "error: there is a scenario conn/login; name this one with --name AREA/NAME")]
#[case(&["new", "recall.single", "--name", "Login"], "error: \"Login\" is no scenario's name; write area/name")]
fn a_new_scenario_needs_a_clause_and_a_name(#[case] words: &[&str], #[case] beginning: &str) {
    let repository = Repository::new();
    let before = repository.read(LOGIN);
    let (code, said) = repository.run(words, "");
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with(beginning), "{said}");
    assert_eq!(repository.read(LOGIN), before);
}

const UPDATE: [&str; 4] = ["run", "--client", "some", "--update-known-failures"];

/// The day on which it is written differs from run to run.
fn undated(text: &str) -> String {
    // As JSON has it: a path of Windows has backslashes.
    let shim = serde_json::Value::from(env!("CARGO_BIN_EXE_misbehaving-client")).to_string();
    let text = text.replace(&shim, "\"[shim]\"");
    let Some((before, after)) = text.split_once("failures on ") else { return text };
    format!("{before}failures on [day]{}", &after["2026-11-23".len()..])
}

#[test]
fn an_update_makes_the_next_run_green_and_what_passes_later_is_stale() {
    let repository = Repository::new();
    const CLIENT: &str = "conformance/clients/some.json";
    let before = repository.read(CLIENT);
    repository.write(LOGIN, &login("closed"));
    assert_eq!(repository.run(&["run", "--client", "some"], "").0, Some(1));

    let (code, said) = repository.run(&UPDATE, "");
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.starts_with("some: added conn/login with \"event: expected closed {}, got opened {}\"\n"),
        "{said}"
    );
    insta::assert_snapshot!(undated(&repository.read(CLIENT)), @r#"
    {
      "command":["[shim]"],
      "name":"some",
      "records":[],
      "known_failures": [
        {
          "scenario": "conn/login",
          "message": "event: expected closed {}, got opened {}",
          "reason": "not yet explained; written by --update-known-failures on [day]",
          "outcome": "fails"
        }
      ]
    }
    "#);
    let (code, said) = repository.run(&["run", "--client", "some"], "");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("known_failures: \"conn/login\""), "it is not yet explained: {said}");

    repository.write(LOGIN, &login("opened"));
    let (code, said) = repository.run(&["run", "--client", "some"], "");
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("mend it with:  cargo xtask conformance run --client some --update-known-failures"),
        "{said}"
    );
    let (code, said) = repository.run(&UPDATE, "");
    assert_eq!(code, Some(0), "{said}");
    let left: serde_json::Value = serde_json::from_str(&repository.read(CLIENT)).expect("JSON");
    let mut expected: serde_json::Value = serde_json::from_str(&before).expect("JSON");
    expected["known_failures"] = json!([]);
    assert_eq!(left, expected);
}

#[rstest]
#[case::on_a_build_server(&UPDATE, "true", "error: --update-known-failures writes a client's file, and nothing is written where CI is set; run it on your own machine\n")]
#[case::without_a_file(&["run", "--update-known-failures", "--", "shim"], "", "error: --update-known-failures: no file describes command; write one, and name it with --client PATH.json\n")]
fn where_nobody_could_look_nothing_is_updated(
    #[case] words: &[&str],
    #[case] ci: &str,
    #[case] expected: &str,
) {
    let repository = Repository::new();
    let before = repository.read("conformance/clients/some.json");
    let output = repository.command(words).env("CI", ci).output().expect("it starts");
    let (code, said) = told(&output, repository.path());
    assert_eq!((code, said.as_str()), (Some(2), expected));
    assert_eq!(repository.read("conformance/clients/some.json"), before);
}

/// `watch`, ended when it is dropped.
struct Watching {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Watching {
    fn new(repository: &Repository, words: &[&str]) -> Self {
        let mut child = repository
            .command(&[&["watch"], words].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self { child, lines }
    }

    /// Waits for a round that ends so and says this. Some systems tell of one save several times, so that there is a
    /// round too many.
    fn round(&mut self, expected: &str, says: &str) -> Vec<String> {
        const ROUNDS_MAX: usize = 4;
        let mut said = Vec::new();
        let mut rounds = 0;
        for line in &mut self.lines {
            let line = line.expect("it is text");
            let Some(ended) = line.strip_prefix("watching: ") else {
                said.push(line);
                continue;
            };
            if ended.starts_with(expected) && (says.is_empty() || said.iter().any(|line| line.contains(says)))
            {
                return said;
            }
            rounds += 1;
            assert!(rounds < ROUNDS_MAX, "expected {expected}, {says}; got {ended}, {said:?}");
            said.clear();
        }
        panic!("it ended: {said:?}");
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn what_is_saved_is_run() {
    let repository = Repository::new();
    repository.write("fixtures/scenarios/conn/other.json", &login("opened"));
    let mut watching = Watching::new(&repository, &["--client", "some"]);
    watching.round("as expected;", "2 passed");

    // Only what was saved.
    repository.write(LOGIN, &login("closed"));
    let said = watching.round("ended with 1;", "1 failed");
    assert!(!said.iter().any(|line| line.contains("2 passed") || line.contains("1 passed")), "{said:?}");

    // A file that is broken is told of, and the next save is heard all the same.
    repository.write(LOGIN, "{");
    watching.round("ended with 2;", "");
    repository.write(LOGIN, &login("opened"));
    watching.round("as expected;", "1 passed");

    // What every scenario depends on.
    repository.write("fixtures/clauses.json", &repository.read("fixtures/clauses.json"));
    watching.round("as expected;", "2 passed");
}
