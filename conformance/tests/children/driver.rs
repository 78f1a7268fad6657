//! A child process that misbehaves is told by what it did, whatever that was, and never hangs the harness.

use std::time::Duration;

use conformance::driver::subprocess::{Limits, Program, Subprocess};
use conformance::driver::{
    Answer, Capability, Command, Device, Driver, DriverError, Event, LINE_BYTES_MAX, ProcessCommand,
};
use rstest::rstest;

/// Long enough for a process to start on a busy machine; only children that say nothing use it up.
const LIMITS: Limits = Limits { hello: Duration::from_secs(10), answer: Duration::from_secs(10) };
/// For children that never say anything: the test waits this long.
const SHORT: Duration = Duration::from_millis(300);

fn program(wrong: &str) -> Program {
    Program {
        program: env!("CARGO_BIN_EXE_misbehaving-client").into(),
        args: vec![wrong.into()],
        folder: ".".into(),
    }
}

fn alice() -> Device {
    "alice".parse().expect("a device")
}

fn log_in() -> Command {
    Command::LoginPassword { password: "pw-alice".to_owned() }
}

#[rstest]
#[case(
    "dies before hello",
    "the client's process ended: its stdout was closed, exit status: 3; its stderr ends:\ncannot find the module"
)]
#[case(
    "another protocol",
    "the client broke the line protocol (DRIVER.md): it speaks version 2, this harness speaks 1"
)]
#[case(
    "unknown capability",
    "unknown variant `time_travel`, expected one of `virtual_clock`, `network`, `integers_64`, `page`"
)]
#[case("chats before hello", "listening on port 4000")]
fn a_bad_start_says_why(#[case] wrong: &str, #[case] said: &str) {
    let error = Subprocess::start(&program(wrong), LIMITS).expect_err("no good hello");
    assert!(matches!(error, DriverError::Start(_)), "{error:?}");
    assert!(error.to_string().contains(&said.replace("exit status", EXIT)), "{error}");
}

#[cfg(unix)]
const EXIT: &str = "exit status";
#[cfg(windows)]
const EXIT: &str = "exit code";

#[test]
fn a_program_that_is_not_there_says_its_name() {
    let missing = Program { program: "no-such-shim".into(), args: Vec::new(), folder: ".".into() };
    let error = Subprocess::start(&missing, LIMITS).expect_err("no such program");
    assert!(error.to_string().starts_with("the client could not be started: no-such-shim: "), "{error}");
}

#[test]
fn no_hello_in_time_is_no_start() {
    let limits = Limits { hello: SHORT, ..LIMITS };
    let error = Subprocess::start(&program("never says hello"), limits).expect_err("no hello");
    assert_eq!(
        error,
        DriverError::Start("the client did not answer with a hello line within 300ms".to_owned())
    );
}

#[rstest]
#[case("dies", "the client's process ended: its stdout was closed, exit status: 7")]
#[case("answers what was never asked", "an answer to request 99, which was never made")]
#[case("prints", "not a line of the protocol (expected value at line 1 column 1): connecting…")]
#[case("prints an empty line", "not a line of the protocol")]
#[case("prints other JSON", "unknown field `level`")]
#[case("ends inside a line", "in the middle of the line")]
#[case("not UTF-8", "a line that is not UTF-8")]
#[case("two outcomes", "an answer has one of ok, unsupported and error")]
#[case("no outcome", "an answer has one of ok, unsupported and error")]
#[case("unknown event", "unknown variant `txt`, expected one of `opened`, `closed`")]
#[case("unknown event field", "unknown field `body`, expected one of `id`, `from`, `to`")]
#[case("event of nobody", "neither a hello, nor an answer (id), nor an event (user and event)")]
#[case("second hello", "a second hello")]
#[case("a line without end", "a line longer than 1048576 bytes: xxx")]
#[case("floods", "more than 16384 events")]
fn a_child_that_breaks_the_protocol_is_told_by_what_it_did(#[case] wrong: &str, #[case] said: &str) {
    let mut child = Subprocess::start(&program(wrong), LIMITS).expect("a good hello");
    let error = child.command(&alice(), &log_in()).expect_err("no good answer");
    assert!(error.to_string().contains(&said.replace("exit status", EXIT)), "{error}");
    // It is of no use any more, and says so again instead of waiting.
    assert_eq!(child.process(ProcessCommand::Sync {}), Err(error));
}

#[test]
fn a_second_answer_is_noticed_with_the_next_line() {
    let mut child = Subprocess::start(&program("answers twice"), LIMITS).expect("a good hello");
    assert_eq!(child.command(&alice(), &log_in()), Ok(Answer::Ok(Default::default())));
    let error = child.process(ProcessCommand::Sync {}).expect_err("the second answer comes first");
    assert!(error.to_string().ends_with("request 1 was answered twice"), "{error}");
}

#[test]
fn what_it_wrote_to_stderr_before_it_died_is_kept() {
    let mut child = Subprocess::start(&program("dies"), LIMITS).expect("a good hello");
    child.command(&alice(), &log_in()).expect_err("it dies");
    assert_eq!(child.remarks(), "TypeError: undefined is not a function");
}

#[rstest]
#[case("says nothing", 1)]
// More than any pipe holds: the harness must not wait in `write` for a child that never reads.
#[case("never reads", 4 << 20)]
fn a_child_that_hangs_is_given_up(#[case] wrong: &str, #[case] bytes: usize) {
    let limits = Limits { answer: SHORT, ..LIMITS };
    let mut child = Subprocess::start(&program(wrong), limits).expect("a good hello");
    let long = Command::LoginPassword { password: "x".repeat(bytes) };
    let error = child.command(&alice(), &long).expect_err("no answer");
    assert_eq!(error.to_string(), "the client did not answer request 1 (login_password) within 300ms");
}

#[test]
fn answers_and_events_come_as_they_are_said() {
    let mut child =
        Subprocess::start(&program("hello with a carriage return"), LIMITS).expect("a good hello");
    assert_eq!(child.hello().name, "misbehaving");
    assert!(!child.hello().capabilities.contains(&Capability::VirtualClock));
    assert_eq!(child.event(Duration::ZERO), Ok(None));
    assert_eq!(child.command(&alice(), &log_in()), Ok(Answer::Ok(Default::default())));
    let opened: Event = serde_json::from_str(r#"{"opened":{}}"#).expect("an event");
    assert_eq!(child.event(LIMITS.answer), Ok(Some((alice(), opened))));
    // What was said before a reset is not heard after it.
    assert_eq!(child.command(&alice(), &log_in()), Ok(Answer::Ok(Default::default())));
    assert_eq!(child.process(ProcessCommand::Reset {}), Ok(Answer::Ok(Default::default())));
    assert_eq!(child.event(Duration::ZERO), Ok(None));
}

#[rstest]
#[case("unsupported", Answer::Unsupported("conn.open".to_owned()))]
#[case("refuses", Answer::Error("no such user".to_owned()))]
fn an_answer_may_say_no(#[case] wrong: &str, #[case] answer: Answer) {
    let mut child = Subprocess::start(&program(wrong), LIMITS).expect("a good hello");
    assert_eq!(child.command(&alice(), &log_in()), Ok(answer));
}

/// The bound is part of the protocol: DRIVER.md names it.
#[test]
fn the_longest_line_is_a_mebibyte() {
    assert_eq!(LINE_BYTES_MAX, 1 << 20);
}
