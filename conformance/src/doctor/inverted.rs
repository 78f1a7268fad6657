//! The inverted control: a scenario that must fail. One that "passes" means that a shim makes its events up, or that the
//! harness would let anything pass; either way no green run is worth anything.

use std::path::Path;

use mock_server::shell::MockServer;
use serde_json::json;

use super::{Examination, Patience, word};
use crate::driver::subprocess::{self, Program, Subprocess};
use crate::run::{self, Limits, Outcome, Run};
use crate::scenario::Scenario;
use crate::trace::Marked;

const ABOUT: &str = "must fail";
/// The step at which it must.
const STEP: usize = 2;

pub(super) fn check(
    examination: &mut Examination,
    program: &Program,
    server: &MockServer,
    seed: u64,
    patience: Patience,
) {
    let never_sent = format!("never sent {}", word(seed, "never sent"));
    let scenario = scenario(&format!("sent {}", word(seed, "sent")), &never_sent);
    let limits = subprocess::Limits { hello: patience.hello, answer: patience.answer };
    let mut driver = match Subprocess::start(program, limits) {
        Ok(driver) => driver,
        Err(error) => return examination.skipped(ABOUT, error.to_string()),
    };
    let within = Limits { expect: patience.event, quiet: patience.event };
    judge(examination, &run::run(server, &mut driver, &scenario, within), &never_sent);
}

/// Bob is expected to show another text than he is sent. Which, nobody is told but the harness.
fn scenario(sent: &str, never_sent: &str) -> Scenario {
    let source = json!({
        "why": "A text that nobody has sent is not shown.",
        "clauses": ["doctor"],
        "given": {"online": ["alice", "bob"]},
        "ignore": ["sent", "received"],
        "steps": [
            {"tell": {"user": "alice", "command": {"send_text":
                {"handle": "m1", "to": "bob", "chat": "single", "text": sent}}}},
            {"expect": {"user": "bob", "event": {"text": {"data": never_sent}}}}
        ]
    });
    let clauses = ["doctor".to_owned()].into();
    Scenario::parse(&source.to_string(), "doctor/must-fail", Path::new("doctor/must-fail.json"), &clauses)
        .expect("it is a scenario")
}

fn judge(examination: &mut Examination, run: &Run, never_sent: &str) {
    let shown = run
        .trace
        .marks
        .iter()
        .any(|mark| matches!(&mark.what, Marked::Said(line) if line.contains(never_sent)));
    let made_up = "a shim shows what its client does, and nothing that it makes up";
    match &run.outcome {
        Outcome::Finished if shown => {
            examination.wrong(
                ABOUT,
                "a scenario that must fail passed: bob showed a text that nobody has sent",
                made_up,
            );
        }
        Outcome::Finished => {
            examination.harness_at_fault = true;
            examination.wrong(
                ABOUT,
                "a scenario that must fail passed, though the shim never showed what it expects",
                "this is a mistake of the harness: trust none of its runs, and report it",
            );
        }
        Outcome::Failed(failure) => {
            let first = failure.message.lines().next().unwrap_or_default();
            let at = failure.step.map(|(step, _)| step);
            if at == Some(STEP) && failure.message.contains("\n  data: expected") {
                examination.healthy(
                    ABOUT,
                    format!("a scenario that expects another text than was sent fails: {first}"),
                );
            } else {
                examination.wrong(
                    ABOUT,
                    format!("a scenario fails, and not where it must: {first}"),
                    "mend what stands above first; then run send/text-to-user",
                );
            }
        }
        Outcome::Unsupported(what) => examination.wrong(
            ABOUT,
            format!("a text could not be sent: unsupported {what:?}"),
            "login_password and send_text are what every client under test has",
        ),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::exit::Exit;
    use crate::run::Failure;
    use crate::trace::{Mark, Trace};

    fn failed(step: usize, message: &str) -> Outcome {
        Outcome::Failed(Failure { step: Some((step, 1)), message: message.to_owned() })
    }

    #[rstest]
    #[case::as_it_must(
        failed(2, "bob showed text\n  data: expected \"a\", got \"b\""),
        "sent",
        Exit::AsExpected
    )]
    #[case::too_early(failed(1, "alice's send_text was refused"), "sent", Exit::Failures)]
    #[case::for_another_reason(failed(2, "bob showed nothing"), "sent", Exit::Failures)]
    #[case::made_up(Outcome::Finished, "never sent", Exit::Failures)]
    #[case::let_through(Outcome::Finished, "sent", Exit::Harness)]
    fn whose_fault_a_pass_is_is_told_apart(
        #[case] outcome: Outcome,
        #[case] shown: &str,
        #[case] exit: Exit,
    ) {
        let said = Mark { row: 0, step: None, what: Marked::Said(format!("{{\"data\":\"{shown}\"}}")) };
        let trace = Trace { marks: vec![said], ..Trace::default() };
        let run = Run {
            outcome,
            trace,
            findings: Vec::new(),
            ended_at: None,
            lost: false,
            server_fault: None,
            shown: Vec::new(),
        };
        let mut examination = Examination::default();
        judge(&mut examination, &run, "never sent");
        assert_eq!(examination.exit(), exit, "{}", examination.text());
    }
}
