//! The one door to a client under test: commands in, answers and events out, as `DRIVER.md` spells them.
//!
//! Nothing here knows what a client should do; a driver only carries.

pub mod subprocess;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::trace::Recorder;

mod command;
mod event;
pub(crate) mod lines;
mod process;

pub use command::{Chat, Command, Emoji, Priority, v4};
pub use event::{Event, EventKind};
pub use lines::LINE_BYTES_MAX;

/// The version of `DRIVER.md` that this harness speaks.
pub const PROTOCOL: u32 = 1;

/// A client under test. Calls never wait for an effect, only for the answer.
pub trait Driver {
    /// Who the client says it is.
    fn hello(&self) -> &Hello;
    /// Has one device make a call.
    fn command(&mut self, device: &Device, command: &Command) -> Result<Answer, DriverError>;
    /// Asks something of the client's process. After [`ProcessCommand::Reset`] no earlier event is left.
    fn process(&mut self, command: ProcessCommand) -> Result<Answer, DriverError>;
    /// The next event of any device, waiting for it at most so long.
    fn event(&mut self, within: Duration) -> Result<Option<(Device, Event)>, DriverError>;
    /// From now on each line that is asked and said is noted there, as it is on the pipe; with `None` no longer. A driver
    /// without lines notes nothing.
    fn record(&mut self, _recorder: Option<Recorder>) {}
    /// What the client wrote to its stderr since this was last asked, or the end of it.
    fn remarks(&mut self) -> String;
}

/// The first line of a shim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// Which version of the line protocol it speaks.
    pub protocol: u32,
    /// The client's name.
    pub name: String,
    /// The client's version.
    pub version: String,
    /// What the shim can do beyond the rest.
    pub capabilities: BTreeSet<Capability>,
}

/// What a shim may or may not be able to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// The client's timers run by `advance` alone.
    VirtualClock,
    /// The host can tell the client that the local network went or came.
    Network,
    /// It keeps 64-bit integers in `ext`: a language whose only numbers are doubles cannot.
    #[serde(rename = "integers_64")]
    Integers64,
    /// It runs in a page of a browser, where a user pastes and attachments are shown.
    Page,
}

/// `alice`, or `alice/phone` for another device of hers.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Device {
    /// The user's name as typed, upper case kept.
    pub user: String,
    /// The device's name; `None` for the one that needs none.
    pub name: Option<String>,
}

/// Something asked of the process that hosts the devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "DRIVER.md has each command and field")]
pub enum ProcessCommand {
    Sync {},
    Advance { ms: u64 },
    Reset {},
}

/// What a client says to a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The call was made; the fields are those that DRIVER.md gives the command, for most none.
    Ok(Map<String, Value>),
    /// The client has no such call; its name.
    Unsupported(String),
    /// The call itself refused.
    Error(String),
}

/// The client is of no use any more; a new process is the only way on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DriverError {
    /// It never said a good hello.
    #[error("the client could not be started: {0}")]
    Start(String),
    /// It went.
    #[error("the client's process ended: {0}")]
    Died(String),
    /// It did not answer in time.
    #[error("the client did not answer {what} within {within:?}")]
    Silent {
        /// Which request.
        what: String,
        /// The time it had.
        within: Duration,
    },
    /// The run was ended meanwhile; the client is not to blame.
    #[error("the run was ended")]
    Interrupted,
    /// It broke the line protocol.
    #[error("the client broke the line protocol (DRIVER.md): {0}")]
    Protocol(String),
}

impl Device {
    /// What a device is called that a scenario gives no name.
    pub const UNNAMED: &'static str = "web";

    /// The name that the client is made with.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(Self::UNNAMED)
    }
}

impl std::str::FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (user, name) = match text.split_once('/') {
            None => (text, None),
            Some((user, name)) => (user, Some(name)),
        };
        let slashes = name.is_some_and(|name| name.is_empty() || name.contains('/'));
        if user.is_empty() || slashes {
            return Err(format!("{text:?} names no device; write \"alice\" or \"alice/phone\""));
        }
        if name == Some(Self::UNNAMED) {
            return Err(format!("the device {text:?} is written {user:?}"));
        }
        Ok(Self { user: user.to_owned(), name: name.map(str::to_owned) })
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => f.write_str(&self.user),
            Some(name) => write!(f, "{}/{name}", self.user),
        }
    }
}

impl Serialize for Device {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Device {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Device {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Device".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A device: `alice`, or `alice/phone` for another device of hers.",
            "type": "string",
            "pattern": format!("^[^/]+(/(?!{}$)[^/]+)?$", Self::UNNAMED)
        })
    }
}

impl Capability {
    /// As `DRIVER.md` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::VirtualClock => "virtual_clock",
            Self::Network => "network",
            Self::Integers64 => "integers_64",
            Self::Page => "page",
        }
    }
}
