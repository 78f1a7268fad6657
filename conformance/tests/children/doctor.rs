//! What the doctor says of each illness of a shim. The shims here have no client, which the doctor notices each time; that
//! it finds nothing wrong with a real one, `shims/core/tests/doctor.rs` shows.

use std::fmt::Write as _;
use std::time::Duration;

use conformance::doctor::{self, Examination, Finding, Patience, examine};
use conformance::driver::subprocess::Program;
use conformance::exit::Exit;
use rstest::rstest;

/// What is waited for in vain is not waited for long; what must come comes on a busy machine too.
const PATIENCE: Patience = Patience {
    hello: Duration::from_secs(10),
    answer: Duration::from_secs(10),
    event: Duration::from_millis(1_500),
    leave: Duration::from_millis(1_500),
    nothing: Duration::from_millis(60),
};

fn of(wrong: &str, patience: Patience) -> Examination {
    let server = doctor::server().expect("the server starts");
    let program = Program {
        program: env!("CARGO_BIN_EXE_misbehaving-client").into(),
        args: vec![wrong.into()],
        folder: ".".into(),
    };
    examine(&program, &server, 7, patience)
}

/// The complaints alone, but for those that a shim without a client earns by that.
fn complaints(examination: &Examination) -> String {
    let mut text = String::new();
    for check in &examination.checks {
        let Finding::Wrong { seen, mend } = &check.finding else { continue };
        let no_client =
            seen.contains("the server has never had the text") || check.about == "the server's text";
        if !no_client {
            writeln!(text, "{}: {seen}\n  do: {mend}", check.about).expect("a String takes all");
        }
    }
    text.replace("exit code", "exit status")
}

#[test]
fn a_shim_without_a_client_is_known_by_what_the_server_has_not_seen() {
    let examination = of("ill: no client", PATIENCE);
    assert_eq!(examination.exit(), Exit::Failures);
    assert_eq!(complaints(&examination), "");
    let told: Vec<(&str, bool)> = examination
        .checks
        .iter()
        .map(|check| (check.about, !matches!(check.finding, Finding::Wrong { .. })))
        .collect();
    let good = |about| (about, true);
    assert_eq!(
        told,
        [
            good("start"),
            good("hello"),
            good("sync"),
            good("speed of sync"),
            good("several devices"),
            good("login"),
            good("events"),
            good("their logins"),
            good("wrong password"),
            ("sending", false),
            ("the server's text", false),
            good("clock"),
            good("reset"),
            good("end of stdin"),
            good("answers"),
            good("stdout"),
            good("stderr"),
            good("unknown command"),
            good("unknown field"),
            good("malformed line"),
            good("must fail"),
        ]
    );
}

#[rstest]
#[case::hello_without_a_version("hello without a version", Exit::NotStarted)]
#[case::hello_with_a_number_for_a_name("hello with a number for a name", Exit::NotStarted)]
#[case::hello_with_a_capability_of_its_own("hello with a capability of its own", Exit::NotStarted)]
#[case::hello_with_more("hello with more", Exit::NotStarted)]
#[case::hello_with_its_protocol_in_words("hello with its protocol in words", Exit::NotStarted)]
#[case::chats_before_hello("chats before hello", Exit::Failures)]
#[case::logs_to_stdout("logs to stdout", Exit::Failures)]
#[case::answers_twice("answers twice", Exit::Failures)]
#[case::refuses_sync("refuses sync", Exit::Failures)]
#[case::takes_every_command("takes every command", Exit::Failures)]
#[case::calls_what_it_does_not_know_an_error("calls what it does not know an error", Exit::Failures)]
#[case::names_something_else("names something else", Exit::Failures)]
#[case::dies_of_an_unknown_command("dies of an unknown command", Exit::Failures)]
#[case::dies_of_an_unknown_field("dies of an unknown field", Exit::Failures)]
#[case::ends_without_a_word("ends without a word at a malformed line", Exit::Failures)]
#[case::one_user_only("one user only", Exit::Failures)]
#[case::names_devices_its_own_way("names devices its own way", Exit::Failures)]
#[case::takes_any_password("takes any password", Exit::Failures)]
#[case::says_nothing_of_a_wrong_password("says nothing of a wrong password", Exit::Failures)]
#[case::never_logs_in("never logs in", Exit::Failures)]
#[case::holds_events_back("holds events back", Exit::Failures)]
#[case::ids_are_numbers("ids are numbers", Exit::Failures)]
#[case::reports_after_reset("reports after reset", Exit::Failures)]
#[case::forgets_nothing("forgets nothing", Exit::Failures)]
#[case::stays("stays", Exit::Failures)]
#[case::leaves_a_process_behind("leaves a process behind", Exit::Failures)]
#[case::clock_that_advance_does_not_move("clock that advance does not move", Exit::Failures)]
#[case::clock_without_next_due("clock without next_due_ms", Exit::Failures)]
#[case::advances_without_saying_so("advances without saying so", Exit::Failures)]
fn an_illness_is_told_in_plain_words(#[case] illness: &str, #[case] exit: Exit) {
    let examination = of(&format!("ill: {illness}"), PATIENCE);
    assert_eq!(examination.exit(), exit, "{}", examination.text());
    let complaints = complaints(&examination);
    assert!(!complaints.is_empty(), "{}", examination.text());
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("doctor");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(illness.replace(' ', "_"), complaints));
}

/// These are seen only by waiting for what does not come, or tell a time of the host.
#[rstest]
#[case(
    "hangs at a malformed line",
    "malformed line: after a line that is no JSON it lived on and answered nothing\n  do: say so on"
)]
#[case(
    "does not answer sync",
    "sync: sync was not answered within 1s\n  do: answer each request once, with its id"
)]
#[case("clock that runs by itself", "clock: 60ms of the host's time later the next timer, due in 2")]
fn an_illness_that_takes_time_is_told_too(#[case] illness: &str, #[case] said: &str) {
    let examination = of(&format!("ill: {illness}"), Patience { answer: Duration::from_secs(1), ..PATIENCE });
    assert_eq!(examination.exit(), Exit::Failures);
    let complaints = complaints(&examination);
    assert!(complaints.contains(said), "{complaints}");
}

#[test]
fn a_shim_that_never_says_hello_is_not_waited_for_longer_than_that() {
    let examination = of("never says hello", Patience { hello: Duration::from_millis(300), ..PATIENCE });
    assert_eq!(examination.exit(), Exit::NotStarted);
    let text = [
        "     ok  start              it runs",
        "  WRONG  hello              no hello within 300ms",
        "                            do: write {\"hello\":{\"protocol\":1,\"name\":\"my-client\",\"version\":\"1.2.0\",\
         \"capabilities\":[]}} as the first line on stdout, end it with a newline and flush",
        "1 check says what is wrong; conformance/DRIVER.md says what is asked for",
        "",
    ];
    assert_eq!(examination.text(), text.join("\n"));
}

/// Each wait has its end, however much there always is to read.
#[test]
fn a_shim_that_never_stops_writing_is_told_so() {
    let short = Duration::from_millis(300);
    let examination =
        of("ill: never stops writing", Patience { answer: short, event: short, leave: short, ..PATIENCE });
    assert_eq!(examination.exit(), Exit::Failures);
    let complaints = complaints(&examination);
    let said = " lines are none of the protocol:\nnot a line of the protocol (";
    assert!(complaints.contains(said), "{complaints}");
}

#[test]
fn a_shim_that_is_not_there_is_told_by_its_name() {
    let server = doctor::server().expect("the server starts");
    let program = Program { program: "no-such-shim".into(), args: Vec::new(), folder: ".".into() };
    let examination = examine(&program, &server, 7, PATIENCE);
    assert_eq!(examination.exit(), Exit::NotStarted);
    assert!(
        examination.text().contains("WRONG  start              no-such-shim: "),
        "{}",
        examination.text()
    );
}
