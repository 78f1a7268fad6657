//! What the harness needs of a server, wherever that runs: in this process ([`MockServer`](mock_server::shell::MockServer)), or
//! already somewhere ([`Remote`]), where the same is asked over HTTP.
//!
//! Both give the same answers, so that a verdict never depends on where the server is. Neither judges anything.

mod in_process;
mod link;
mod remote;

use std::sync::Arc;
use std::time::Duration;

use mock_server::control::Control;
use mock_server::control_api::{ArmedDoor, RuleRow};
use mock_server::journal::Entry;
use mock_server::machine::Millis;
use mock_server::shell::{NotQuiet, Quiet, Rest};
use mock_server::tape::Row;

use crate::judge::Finding;

pub use remote::{ConnectError, Remote};

/// A server that scenarios run against, each in a world of its own.
pub trait Host: Sync {
    /// Where clients reach it.
    fn addresses(&self) -> Addresses;

    /// What becomes of a client that names another app key than the one it was given.
    fn strangers(&self) -> Strangers;

    /// An empty world for the scenario of this name, with a clock that stands still at `clock`, or with the host's.
    /// What an earlier run left under its app key is forgotten first.
    fn open(&self, scenario: &str, clock: Option<Millis>) -> Result<Box<dyn HostWorld + '_>, HostError>;
}

/// One world of a host. It stays until it is dropped by name: whoever holds the run open may still look at it.
pub trait HostWorld {
    /// Its app key, `org#app`.
    fn app_key(&self) -> &str;

    /// Does one thing to it.
    fn control(&self, control: Control) -> Result<(), HostError>;

    /// Moves its clock.
    fn advance(&self, ms: u64) -> Result<(), HostError>;

    /// Waits until it is quiet, or says what it still waits for.
    fn quiet(&self, within: Duration) -> Result<Result<Quiet, NotQuiet>, HostError>;

    /// Waits until the server itself has nothing left to do in it.
    fn rest(&self, within: Duration) -> Result<Rest, HostError>;

    /// What has gone over its wires by now.
    fn tape(&self) -> Result<Vec<Row>, HostError>;

    /// All that its machine was given by now, for a replay; `None` where the server does not tell, or where it became too
    /// much.
    fn journal(&self) -> Result<Option<Vec<Entry>>, HostError>;

    /// How long its tape is, now and from now on.
    fn tape_length(&self) -> Arc<dyn RowCount>;

    /// What the server found wrong by now.
    fn findings(&self) -> Result<Vec<Finding>, HostError>;

    /// The fault rules that were armed in it, oldest first, and how often each has acted.
    fn rules(&self) -> Result<Vec<RuleRow>, HostError>;

    /// The door faults of its own path that were armed and not taken away, oldest first, and how often each has struck.
    fn doors(&self) -> Result<Vec<ArmedDoor>, HostError>;

    /// Forgets it and closes its connections.
    fn forget(&self) -> Result<(), HostError>;
}

/// A tape that grows: how many rows it has had by now, those that made room for others among them.
pub trait RowCount: std::fmt::Debug + Send + Sync {
    /// The number. Where the server cannot be asked any more, the last that was known: whoever asks it for something
    /// else learns of that.
    fn rows(&self) -> usize;
}

/// Where clients reach a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// REST and SockJS, such as `http://127.0.0.1:8989`.
    pub http: String,
    /// WebSockets, such as `ws://127.0.0.1:8989`.
    pub ws: String,
}

/// What a host does with app keys that no scenario gave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strangers {
    /// Their worlds know no users: a login there fails.
    Refused,
    /// Anybody may log in there, so that a client in the wrong world looks well: the tape has to tell.
    LetIn,
}

/// Why a host did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// A control command was refused, in the server's words; nothing was changed.
    #[error("the server refused the step: {0}")]
    Refused(String),
    /// The world is gone though the server answers: somebody dropped it, or the server was started anew.
    #[error(
        "the server at {url} forgot the world {app_key} meanwhile: was it started anew, or the world dropped?"
    )]
    WorldGone {
        /// Where.
        url: String,
        /// Which.
        app_key: String,
    },
    /// It answered something that the harness does not understand.
    #[error("the server at {url} answered {path} otherwise than mock-server does: {why}")]
    Strange {
        /// Where.
        url: String,
        /// What was asked.
        path: String,
        /// What is wrong with the answer.
        why: String,
    },
    /// Nobody answers there any more.
    #[error("the server at {url} does not answer any more: {why}")]
    Gone {
        /// Where.
        url: String,
        /// What the system says.
        why: String,
    },
}

impl Addresses {
    /// Those of a server that listens there.
    pub fn of(authority: impl std::fmt::Display) -> Self {
        Self { http: format!("http://{authority}"), ws: format!("ws://{authority}") }
    }
}

impl HostError {
    /// Whether it says that the server, not the scenario, is at fault.
    pub fn is_of_the_server(&self) -> bool {
        match self {
            Self::Refused(_) => false,
            Self::WorldGone { .. } | Self::Strange { .. } | Self::Gone { .. } => true,
        }
    }

    /// Whether asking for anything else is of no use either.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Refused(_) | Self::WorldGone { .. } | Self::Strange { .. } => false,
            Self::Gone { .. } => true,
        }
    }
}

/// The first half of every app key of a scenario; on a server that others use too, a number for the run follows.
pub const ORG: &str = "conformance";

/// A world's app: the scenario's name, so that a log or a record names it without a table.
fn app_of(scenario: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    scenario.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_is_named_after_its_scenario() {
        assert_eq!(app_of("send/Text_single"), "send-text-single");
    }
}
