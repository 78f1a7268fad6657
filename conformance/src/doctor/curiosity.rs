//! What a shim makes of requests that it cannot know: a newer harness sends such. Each in a process of its own, since a
//! shim that falls over them should not hide everything else.

use std::time::Duration;

use mock_server::shell::MockServer;
use serde_json::{Value, json};

use super::conversation::create;
use super::patient::{Patient, Reply};
use super::{APP_KEY, Examination, Patience, word};
use crate::driver::Answer;
use crate::driver::subprocess::Program;
use crate::real_time::Deadline;

pub(super) fn check(
    examination: &mut Examination,
    program: &Program,
    server: &MockServer,
    seed: u64,
    patience: Patience,
) {
    match again(program, patience.hello) {
        Ok(mut patient) => unknown_commands(examination, &mut patient, server, seed, patience),
        Err(why) => examination.skipped("unknown command", why),
    }
    match again(program, patience.hello) {
        Ok(mut patient) => unknown_field(examination, &mut patient, server, seed, patience),
        Err(why) => examination.skipped("unknown field", why),
    }
    match again(program, patience.hello) {
        Ok(mut patient) => malformed_line(examination, &mut patient, patience),
        Err(why) => examination.skipped("malformed line", why),
    }
}

/// A fresh process that has said its hello.
fn again(program: &Program, within: Duration) -> Result<Patient, String> {
    let mut patient = Patient::start(program)?;
    let deadline = Deadline::after(within);
    loop {
        match patient.raw_line(deadline) {
            Ok(Some(line)) => {
                let line: Option<Value> = serde_json::from_slice(&line).ok();
                if line.is_some_and(|line| line.get("hello").is_some()) {
                    return Ok(patient);
                }
            }
            Ok(None) => return Err("started once more, it said no hello in time".to_owned()),
            Err(ended) => return Err(format!("started once more, it said no hello: {ended}")),
        }
    }
}

fn unknown_commands(
    examination: &mut Examination,
    patient: &mut Patient,
    server: &MockServer,
    seed: u64,
    patience: Patience,
) {
    let about = "unknown command";
    patient.ask(Some("alice"), &create(server, APP_KEY, "alice", None, None), patience.answer);
    let name = format!("command_{}", word(seed, "command"));
    let mend = format!(
        "answer what you do not know {{\"id\":…,\"unsupported\":\"{name}\"}}: with the command's own name"
    );
    for user in [Some("alice"), None] {
        let whose = if user.is_some() { "of a device" } else { "of the process" };
        let seen = match patient.ask(user, &json!({&name: {}}), patience.answer) {
            Reply::Answer(Answer::Unsupported(what)) if what.contains(&name) => continue,
            Reply::Answer(Answer::Unsupported(what)) => {
                format!("{name} {whose}, a command that nobody knows, was answered unsupported {what:?}")
            }
            Reply::Answer(Answer::Ok(_)) => {
                format!("{name} {whose}, a command that nobody knows, was answered ok")
            }
            Reply::Answer(Answer::Error(why)) => format!(
                "{name} {whose}, a command that nobody knows, was answered error {why:?}; an error is a call that the \
                 client has and that refused"
            ),
            Reply::Late => format!("{name} {whose}, a command that nobody knows, was not answered"),
            Reply::Ended(how) => format!("{name} {whose}, a command that nobody knows: {how}"),
        };
        examination.wrong(about, seen, mend);
        return;
    }
    examination.healthy(about, format!("{name} was answered unsupported"));
}

fn unknown_field(
    examination: &mut Examination,
    patient: &mut Patient,
    server: &MockServer,
    seed: u64,
    patience: Patience,
) {
    let about = "unknown field";
    patient.ask(Some("alice"), &create(server, APP_KEY, "alice", None, None), patience.answer);
    let field = format!("field_{}", word(seed, "field"));
    let command = json!({"login_password": {"password": "pw-alice", &field: true}});
    match patient.ask(Some("alice"), &command, patience.answer) {
        Reply::Answer(Answer::Unsupported(_) | Answer::Error(_)) => {
            examination.healthy(about, "a call with a field that nobody knows was not made");
        }
        Reply::Answer(Answer::Ok(_)) => examination.told(
            about,
            "a call with a field that nobody knows was made as if it were not there; better answer unsupported \
             \"COMMAND.FIELD\", or a newer harness gets another call than it asked for",
        ),
        Reply::Late => examination.wrong(
            about,
            "a call with a field that nobody knows was not answered",
            "answer it unsupported, \"COMMAND.FIELD\"; a request without an answer stops the run",
        ),
        Reply::Ended(how) => examination.wrong(
            about,
            format!("a call with a field that nobody knows: {how}"),
            "answer it unsupported, \"COMMAND.FIELD\"; the process is shared by all devices and must not end",
        ),
    }
}

fn malformed_line(examination: &mut Examination, patient: &mut Patient, patience: Patience) {
    let about = "malformed line";
    patient.write("this is no JSON");
    match patient.ask(None, &json!({"sync": {}}), patience.answer) {
        Reply::Answer(_) => examination.healthy(about, "it went on"),
        Reply::Late => examination.wrong(
            about,
            "after a line that is no JSON it lived on and answered nothing",
            "say so on stderr and go on with the next line, or exit with a status that is not 0",
        ),
        Reply::Ended(how)
            if how.contains("stderr ends")
                && !how.contains("(exit status: 0)")
                && !how.contains("(exit code: 0)") =>
        {
            let how = how.split(';').next().unwrap_or_default();
            examination.healthy(about, format!("after it {how} and said why on stderr"));
        }
        Reply::Ended(how) => examination.wrong(
            about,
            format!("after a line that is no JSON {how}"),
            "say so on stderr and go on with the next line, or exit with a status that is not 0",
        ),
    }
}
