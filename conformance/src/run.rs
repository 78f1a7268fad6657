//! One scenario, from an empty world to the last step.
//!
//! It knows what a step means and when to stop. Whether the outcome is good or bad is for the verdict.

mod evidence;
mod given;
mod progress;
mod rules;
pub(crate) mod shown;
mod stage;
mod webhook;

use std::time::Duration;

use mock_server::catalog::catalog;
use mock_server::machine::Millis;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::driver::{
    Answer, Capability, Command, Device, Driver, DriverError, Event, EventKind, ProcessCommand,
};
use crate::hold::After;
use crate::host::{Host, HostError, HostWorld};
use crate::judge::Finding;
use crate::matching::{Difference, numbered};
use crate::scenario::{Action, Scenario};
use crate::trace::Trace;
pub use shown::{ShownError, WRITE as SHOWN_WRITE};
pub(crate) use stage::START;
use stage::Stage;

/// How long things are waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// An event that a step expects. Nothing on this machine takes seconds: 5 s is for one under load.
    pub expect: Duration,
    /// The world to become quiet.
    pub quiet: Duration,
}

/// What became of a scenario.
#[derive(Debug)]
pub struct Run {
    /// Whether it came to its end.
    pub outcome: Outcome,
    /// What happened.
    pub trace: Trace,
    /// What the server found wrong.
    pub findings: Vec<Finding>,
    /// The world's time at the end, where the harness moved its clock.
    pub ended_at: Option<Millis>,
    /// The client is of no use any more.
    pub lost: bool,
    /// The server did not do its part, whatever the client did.
    pub server_fault: Option<HostError>,
    /// What the client showed of errors of the catalog.
    pub shown: Vec<ShownError>,
}

/// How far a scenario came.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// To its end.
    Finished,
    /// To a step that did not hold.
    Failed(Failure),
    /// To something that the client does not have.
    Unsupported(String),
}

/// Why a scenario did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The step, from 1, and its line; `None` before the first step and after the last.
    pub step: Option<(usize, usize)>,
    /// What was expected and what came: a sentence, then a line for each field.
    pub message: String,
}

/// Runs a scenario in a world of its own, and leaves the client as it was found.
pub fn run(host: &dyn Host, driver: &mut dyn Driver, scenario: &Scenario, limits: Limits) -> Run {
    run_and(host, driver, scenario, limits, |_| After::Forget)
}

/// As [`run`]; once it is known how far the scenario came, and while the client and the world are still as it left them,
/// `meanwhile` is called.
pub fn run_and(
    host: &dyn Host,
    driver: &mut dyn Driver,
    scenario: &Scenario,
    limits: Limits,
    meanwhile: impl FnOnce(&Run) -> After,
) -> Run {
    let missing = scenario.needs.iter().find(|need| !driver.hello().capabilities.contains(need));
    if let Some(need) = missing {
        return Run {
            outcome: Outcome::Unsupported(need.as_str().to_owned()),
            trace: Trace::default(),
            findings: Vec::new(),
            ended_at: None,
            lost: false,
            server_fault: None,
            shown: Vec::new(),
        };
    }
    let clock = driver.hello().capabilities.contains(&Capability::VirtualClock).then_some(START);
    let world = match host.open(&scenario.name, clock) {
        Ok(world) => world,
        Err(error) => return Run::not_begun(&error),
    };
    let mut run = perform(host, &*world, driver, scenario, limits);
    let after = meanwhile(&run);
    leave(&*world, driver, after, &mut run);
    run
}

impl Run {
    fn not_begun(error: &HostError) -> Self {
        Self {
            outcome: Outcome::Failed(Failure { step: None, message: error.to_string() }),
            trace: Trace::default(),
            findings: Vec::new(),
            ended_at: None,
            lost: false,
            server_fault: Some(error.clone()),
            shown: Vec::new(),
        }
    }

    /// The server was of no help: whatever else was wrong, this is told.
    fn blame(&mut self, error: HostError) {
        self.outcome = Outcome::Failed(Failure { step: None, message: error.to_string() });
        self.server_fault.get_or_insert(error);
    }
}

/// The steps, and what is known after them. Client and world are left as they are then.
fn perform(
    host: &dyn Host,
    world: &dyn HostWorld,
    driver: &mut dyn Driver,
    scenario: &Scenario,
    limits: Limits,
) -> Run {
    let mut stage = Stage::new(host, world, driver, scenario, limits);
    let mut server_fault = None;
    let (mut lost, mut staged) = (false, 0);
    let outcome = match act(&mut stage, scenario, &mut staged) {
        Ok(()) => Outcome::Finished,
        Err((_, Stop::Unsupported(what))) => Outcome::Unsupported(what),
        Err((step, Stop::Failed(message))) => {
            // What the client had just sent belongs to the evidence, whether or not it has arrived by now.
            let message = match stage.catch_up() {
                // Most likely the reason: a server refuses what is to happen to a device that has just gone.
                Err(Stop::Lost(error)) => {
                    lost = true;
                    format!("{message}\nand meanwhile: {error}")
                }
                Ok(()) | Err(Stop::Failed(_) | Stop::Unsupported(_) | Stop::Server(_)) => message,
            };
            Outcome::Failed(Failure { step, message })
        }
        Err((step, Stop::Lost(error))) => {
            lost = true;
            Outcome::Failed(Failure { step, message: error.to_string() })
        }
        Err((step, Stop::Server(error))) => {
            let message = error.to_string();
            server_fault = Some(error);
            Outcome::Failed(Failure { step, message })
        }
    };
    let ended_at = stage.world_time();
    let shown = stage.shown_errors();
    let recorder = stage.recorder().clone();
    recorder.steps_are_over();
    driver.record(None);
    let (findings, tape) = (world.findings(), world.tape());
    let rows = tape.clone().unwrap_or_default();
    let mut trace = recorder.trace(world.app_key().to_owned(), staged, || rows);
    // After the tape, so that it is no shorter. Nobody's verdict needs it.
    trace.journal = world.journal().ok().flatten();
    let (found, missing) = match findings {
        Ok(findings) => (findings, tape.err()),
        Err(error) => (Vec::new(), Some(error)),
    };
    let mut run = Run { outcome, trace, findings: found, ended_at, lost, server_fault, shown };
    if run.server_fault.is_none()
        && let Some(error) = missing
    {
        // Without its tape nobody can say that it passed.
        run.blame(error);
    }
    run
}

/// Leaves the client as it was found, and the world to nobody unless it is to be kept.
fn leave(world: &dyn HostWorld, driver: &mut dyn Driver, after: After, run: &mut Run) {
    if !run.lost {
        let reset = driver.process(ProcessCommand::Reset {});
        let failed = match reset {
            Ok(Answer::Ok(_)) => None,
            Ok(Answer::Unsupported(what)) => Some(format!("reset is not optional: unsupported {what}")),
            Ok(Answer::Error(why)) => Some(format!("reset was refused: {why}")),
            Err(error) => Some(format!("at the reset after the scenario: {error}")),
        };
        if let Some(message) = failed {
            run.lost = true;
            if run.outcome == Outcome::Finished {
                run.outcome = Outcome::Failed(Failure { step: None, message });
            }
        }
    }
    run.trace.stderr = driver.remarks();
    if after == After::Forget
        && let Err(error) = world.forget()
        && run.server_fault.is_none()
    {
        run.blame(error);
    }
}

/// Why the steps stop.
enum Stop {
    Failed(String),
    Unsupported(String),
    Lost(DriverError),
    Server(HostError),
}

impl From<HostError> for Stop {
    fn from(error: HostError) -> Self {
        if error.is_of_the_server() { Self::Server(error) } else { Self::Failed(error.to_string()) }
    }
}

impl From<DriverError> for Stop {
    fn from(error: DriverError) -> Self {
        Self::Lost(error)
    }
}

fn act(
    stage: &mut Stage<'_>,
    scenario: &Scenario,
    staged: &mut usize,
) -> Result<(), (Option<(usize, usize)>, Stop)> {
    stage.set_up(&scenario.given).map_err(|stop| (None, stop))?;
    // A login that fetches what was stored is not like any other.
    if scenario.given.stored.is_empty() {
        *staged = stage.recorder().rows();
    }
    let mut wrong_progress = None;
    let mut calm = !scenario.given.online.is_empty();
    for (index, step) in scenario.steps.iter().enumerate() {
        let place = Some((index + 1, step.line));
        stage.recorder().step(index + 1, step.line);
        // Where the wire is recorded, what a step brings about must not race with what the one before it left
        // behind: the acknowledgement of a text that has just been shown may still be on its way.
        let begins = matches!(
            step.action,
            Action::Tell { .. } | Action::Fault(_) | Action::Control(_) | Action::Stage { .. }
        );
        if begins && calm && scenario.unrecorded.is_none() {
            stage.catch_up().map_err(|stop| (place, stop))?;
        }
        calm = stays_calm(&step.action, calm);
        take(stage, &step.action, (index + 1, step.line)).map_err(|stop| (place, stop))?;
        wrong_progress = wrong_progress.or_else(|| Some((place, stage.take_wrong_progress()?)));
    }
    stage.recorder().steps_are_over();
    stage.settle().map_err(|stop| (None, stop))?;
    if let Some((device, event)) = stage.left_over() {
        let message = format!("{device} showed what no step expects: {event}");
        return Err((None, Stop::Failed(message)));
    }
    if let Some(message) = stage.wrong_questions() {
        return Err((None, Stop::Failed(message)));
    }
    if let Some((place, message)) = stage.idle_rule(scenario).map_err(|stop| (None, stop))? {
        return Err((place, Stop::Failed(message)));
    }
    if let Some((place, message)) = stage.wrong_time().map_err(|stop| (None, stop))? {
        return Err((Some(place), Stop::Failed(message)));
    }
    match wrong_progress.or_else(|| Some((None, stage.take_wrong_progress()?))) {
        None => Ok(()),
        Some((place, message)) => Err((place, Stop::Failed(message))),
    }
}

/// Whether the step after this one may wait until nothing is under way. While a link is lost it may not: what
/// follows is meant to happen before the client has taken it up again.
fn stays_calm(action: &Action, calm: bool) -> bool {
    match action {
        Action::Expect { event, .. } => {
            !matches!(event.kind, EventKind::Error | EventKind::Closed | EventKind::Offline)
        }
        Action::Fault(_) | Action::Stage { .. } => false,
        Action::Silent { .. } | Action::Shows { .. } => true,
        Action::Tell { .. } | Action::Advance { .. } | Action::Elapse { .. } | Action::Control(_) => calm,
    }
}

fn take(stage: &mut Stage<'_>, action: &Action, place: (usize, usize)) -> Result<(), Stop> {
    match action {
        Action::Tell { user, command, refused, count } => {
            let template = serde_json::to_value(command).expect("a command has only string keys");
            for number in 1..=count.unwrap_or(1) {
                let numbered = if count.is_some() { numbered(&template, number) } else { template.clone() };
                let mut command: Command = resolved(stage, &numbered)?;
                stage.place_file(user, &mut command)?;
                stage.place_url(&mut command);
                tell(stage, user, &command, refused.as_deref())?;
            }
            Ok(())
        }
        Action::Expect { user, event, count: None } => expect(stage, user, event, place),
        Action::Expect { user, event, count: Some(count) } => {
            let template = Value::Object(event.fields.clone());
            for number in 1..=*count {
                let Value::Object(fields) = numbered(&template, number) else {
                    unreachable!("an object stays one")
                };
                expect(stage, user, &Event { kind: event.kind, fields }, place)?;
            }
            Ok(())
        }
        Action::Silent { user } => {
            stage.settle()?;
            match stage.waiting(user) {
                None => Ok(()),
                Some(event) => Err(Stop::Failed(format!("{user} should be silent and showed {event}"))),
            }
        }
        Action::Advance { ms } => stage.advance(*ms),
        Action::Elapse { ms } => stage.elapse(*ms),
        Action::Fault(fault) => stage.control(mock_server::control::Control::Fault(fault.clone())),
        Action::Control(control) => {
            let template = serde_json::to_value(control).expect("a control command has only string keys");
            let control = resolved(stage, &template)?;
            stage.control(control)
        }
        Action::Stage { name, user } => {
            let staging = catalog().stage(name, user);
            let staging = staging.map_err(|unknown| Stop::Failed(unknown.to_string()))?;
            staging.armed.into_iter().try_for_each(|control| stage.control(control))
        }
        Action::Shows { user, of } => {
            stage.settle()?;
            stage.take_shown(user, of, place);
            Ok(())
        }
    }
}

/// A call with `$names` as what they stand for by now, such as the id of a group that a client has made.
fn resolved<C: DeserializeOwned>(stage: &mut Stage<'_>, template: &Value) -> Result<C, Stop> {
    let value = stage.bindings().resolve(template).map_err(|name| {
        Stop::Failed(format!("{name} stands for nothing yet: no event that a step expects has bound it"))
    })?;
    serde_json::from_value(value).map_err(|error| {
        Stop::Failed(format!("a $name in this step stands for something that does not belong there: {error}"))
    })
}

fn tell(stage: &mut Stage<'_>, user: &Device, command: &Command, refused: Option<&str>) -> Result<(), Stop> {
    let answer = stage.tell(user, command)?;
    match (answer, refused) {
        (Answer::Unsupported(what), _) => Err(Stop::Unsupported(what)),
        (Answer::Error(why), Some(words)) if why.contains(words) => Ok(()),
        (Answer::Error(why), Some(words)) => {
            let name = command.name();
            Err(Stop::Failed(format!(
                "{user}'s {name} was refused for another reason\n  error: expected words with {words:?}, got {why:?}"
            )))
        }
        (Answer::Error(why), None) => {
            Err(Stop::Failed(format!("{user}'s {} was refused: {why:?}", command.name())))
        }
        (Answer::Ok(_), Some(words)) => Err(Stop::Failed(format!(
            "{user}'s {} should be refused with words like {words:?}, and was made",
            command.name()
        ))),
        (Answer::Ok(ok), None) => {
            if let Command::UniqueIds { count } = command {
                check_ids(&ok, *count)
                    .map_err(|wrong| Stop::Failed(format!("{user}'s unique_ids: {wrong}")))?;
            }
            Ok(())
        }
    }
}

fn expect(stage: &mut Stage<'_>, user: &Device, expected: &Event, place: (usize, usize)) -> Result<(), Stop> {
    let expected = &stage.of_files(expected)?;
    let unheard_of = |stage: &Stage<'_>| {
        if expected.kind == EventKind::Opened { stage.never_reached(user) } else { String::new() }
    };
    let Some(got) = stage.next_event(user)? else {
        return Err(Stop::Failed(format!(
            "{user} showed nothing {}\n  event: expected {expected}, got nothing{}{}",
            stage.how_long(),
            stage.what_is_open(),
            unheard_of(stage),
        )));
    };
    stage.took(place, user, &got);
    let differences = stage.bindings().compare(expected, &got);
    if differences.is_empty() {
        return if expected.kind == EventKind::Opened { stage.opened(user) } else { Ok(()) };
    }
    let mut message = format!("{user} showed {} and not as expected", got.kind.as_str());
    for Difference { field, expected, got } in differences {
        message.push_str(&format!("\n  {field}: expected {expected}, got {got}"));
    }
    message.push_str(&format!("\n  whole: {got}"));
    message.push_str(&unheard_of(stage));
    Err(Stop::Failed(message))
}

/// The clause build.unique-id: decimal strings, as many as asked for, each above the one before.
fn check_ids(ok: &Map<String, Value>, count: u32) -> Result<(), String> {
    let Some(Value::Array(ids)) = ok.get("ids") else {
        return Err(format!("expected {{\"ids\": […]}}, got {}", Value::Object(ok.clone())));
    };
    if ids.len() != usize::try_from(count).expect("a count fits") {
        return Err(format!("expected {count} ids, got {}", ids.len()));
    }
    let mut before = None;
    for (index, id) in ids.iter().enumerate() {
        let decimal = id.as_str().filter(|id| id.bytes().all(|b| b.is_ascii_digit()));
        let Some(number) = decimal.and_then(|id| id.parse::<u64>().ok()) else {
            return Err(format!("id {index}: expected a decimal string of 64 bits, got {id}"));
        };
        if before.is_some_and(|before| number <= before) {
            return Err(format!("id {index}: expected more than the one before it, got {id}"));
        }
        before = Some(number);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case(json!({"ids": ["530407024864", "530407024865"]}), "")]
    #[case(json!({"ids": ["1"]}), "expected 2 ids, got 1")]
    #[case(json!({"ids": [1, 2]}), "id 0: expected a decimal string of 64 bits, got 1")]
    #[case(json!({"ids": ["1", "a-2"]}), "id 1: expected a decimal string of 64 bits, got \"a-2\"")]
    #[case(json!({"ids": ["7", "7"]}), "id 1: expected more than the one before it, got \"7\"")]
    #[case(json!({"ids": ["1", "18446744073709551616"]}), "id 1: expected a decimal string of 64 bits, got \"18446744073709551616\"")]
    #[case(json!({}), "expected {\"ids\": […]}, got {}")]
    fn ids_are_decimal_and_rise(#[case] ok: Value, #[case] wrong: &str) {
        let said = check_ids(ok.as_object().expect("an object"), 2);
        assert_eq!(said.err().unwrap_or_default(), wrong);
    }
}
