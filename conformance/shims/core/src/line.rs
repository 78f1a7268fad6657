//! The lines of the driver protocol, as this side reads DRIVER.md: requests, hello, answers. The commands of a
//! device are in `command`, events in `event`.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::command::DeviceCommand;
use crate::event::Event;

/// A line from the harness.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) id: u64,
    #[serde(default)]
    pub(crate) user: Option<String>,
    command: Map<String, Value>,
}

/// A command, read.
#[derive(Debug)]
pub(crate) enum Command {
    Process(ProcessCommand),
    Device(Box<DeviceCommand>),
}

#[derive(Debug)]
pub(crate) enum ProcessCommand {
    Sync,
    Advance(Advance),
    Reset,
}

/// Why a request is no command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadCommand {
    /// Nothing is known by this name.
    Unknown(String),
    /// Known, but not with these arguments.
    Arguments(String),
}

impl Request {
    /// What is asked for; the one entry of `command`.
    pub(crate) fn read_command(self) -> Result<Command, BadCommand> {
        let mut entries = self.command.into_iter();
        let (Some((name, arguments)), None) = (entries.next(), entries.next()) else {
            return Err(BadCommand::Arguments("command must hold exactly one entry".to_owned()));
        };
        let command = match name.as_str() {
            "sync" => Command::Process(nothing(&name, arguments, ProcessCommand::Sync)?),
            "advance" => Command::Process(ProcessCommand::Advance(read(&name, arguments)?)),
            "reset" => Command::Process(nothing(&name, arguments, ProcessCommand::Reset)?),
            _ => Command::Device(Box::new(DeviceCommand::read(name, arguments)?)),
        };
        Ok(command)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Advance {
    pub(crate) ms: u64,
}

/// A line to the harness.
#[derive(Debug, Serialize)]
pub(crate) struct HelloLine {
    pub(crate) hello: Hello,
}

#[derive(Debug, Serialize)]
pub(crate) struct Hello {
    pub(crate) protocol: u32,
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) capabilities: &'static [&'static str],
}

/// A line to the harness.
#[derive(Debug, Serialize)]
pub(crate) struct AnswerLine {
    id: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    ok: Option<Answer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsupported: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// What an `ok` holds: `{}` but for two commands.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Answer {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_due_ms: Option<NextDue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ids: Option<Vec<String>>,
}

/// A number, or `null` when nothing will ever fall due.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct NextDue(pub(crate) Option<u64>);

/// Why a command was not made.
#[derive(Debug)]
pub(crate) enum Refused {
    Unsupported(String),
    Error(String),
}

impl AnswerLine {
    pub(crate) fn new(id: u64, outcome: Result<Answer, Refused>) -> Self {
        let (ok, unsupported, error) = match outcome {
            Ok(answer) => (Some(answer), None, None),
            Err(Refused::Unsupported(what)) => (None, Some(what), None),
            Err(Refused::Error(reason)) => (None, None, Some(reason)),
        };
        Self { id, ok, unsupported, error }
    }
}

/// A line to the harness.
#[derive(Debug, Serialize)]
pub(crate) struct EventLine<'a> {
    pub(crate) user: &'a str,
    pub(crate) event: Event,
}

fn read<T: DeserializeOwned>(name: &str, arguments: Value) -> Result<T, BadCommand> {
    serde_json::from_value(arguments).map_err(|error| BadCommand::Arguments(format!("{name}: {error}")))
}

/// `{}` and nothing else.
fn nothing<T>(name: &str, arguments: Value, command: T) -> Result<T, BadCommand> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}
    read::<Nothing>(name, arguments).map(|Nothing {}| command)
}
