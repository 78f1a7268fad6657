//! The one thin shell: sockets, HTTP and clocks around the machine.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::control::{Control, ControlError};
use crate::machine::{Finding, Millis};
use crate::tape::Row;

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The rules that every new world starts with.
    pub settings: crate::control::Settings,
    /// Whether each world keeps its tape (bounded, see [`Options::tape_rows_max`]).
    pub tape: bool,
    /// How many rows a tape holds before the oldest go.
    pub tape_rows_max: usize,
}

/// A running server on a thread of its own; dropped, it stops.
#[derive(Debug)]
pub struct MockServer {}

/// A world with nothing left to do: every queue pulled and acknowledged, no request open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Counts what clients ever sent this world; two equal marks mean that nothing came between them.
    pub mark: u64,
}

/// What a world still waits for, in words, such as `bob/web has 3 messages of queue alice to acknowledge`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotQuiet(pub Vec<String>);

impl MockServer {
    /// Binds and serves from a new thread.
    pub fn start(_options: Options) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        unreachable!("no MockServer can be made yet")
    }
    /// Does one thing to one world, making the world if it is new. `app_key` is `org#app`.
    pub fn control(&self, _app_key: &str, _control: Control) -> Result<(), ControlError> {
        Ok(())
    }
    /// Gives a world a clock that stands still at `now` until it is advanced. Call it before anything else.
    pub fn manual_clock(&self, _app_key: &str, _now: Millis) {}
    /// Moves a manual clock and runs what falls due.
    pub fn advance(&self, _app_key: &str, _ms: u64) {}
    /// Waits until the world is quiet.
    pub fn quiet(&self, _app_key: &str, _within: Duration) -> Result<Quiet, NotQuiet> {
        Err(NotQuiet(Vec::new()))
    }
    /// The world's tape so far.
    pub fn tape(&self, _app_key: &str) -> Vec<Row> {
        Vec::new()
    }
    /// What its clients did wrong so far.
    pub fn findings(&self, _app_key: &str) -> Vec<Finding> {
        Vec::new()
    }
    /// Forgets a world and closes its connections.
    pub fn drop_world(&self, _app_key: &str) {}
}
