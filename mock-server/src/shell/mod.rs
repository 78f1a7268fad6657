//! The one thin shell: sockets, HTTP and clocks around the machine.
//!
//! One thread, one current-thread runtime: the machine is called inline wherever a frame is read, and what it
//! sends is written from there, without a lock or a hop between tasks. It decides nothing about the protocol.

mod announce;
mod api;
mod blobs;
mod clock;
mod content;
mod control;
mod desk;
mod door;
mod doors;
mod flags;
mod http;
mod inspector;
mod library;
mod listen;
mod multipart;
mod outgoing;
pub mod record;
pub mod run;
mod serve;
mod signals;
mod state;
mod stream;
mod tapes;
mod tls;
mod wait;
mod webhook;
mod world;
mod worlds;
mod ws;

#[cfg(feature = "schema")]
pub use control::document as openapi;

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::catalog::Profile;
use crate::control::{ClockBackwards, CommandsRefused, Control, ControlError, Settings};
use crate::control_api::{ArmedDoor, Overview, RuleRow};
use crate::journal::Entry;
use crate::machine::{Finding, Millis};
use crate::tape::{Row, TapeLength};
pub use library::{RuleHandle, WorldError, WorldHandle};
use listen::Listeners;
use state::Opening;
pub use state::{Keep, Save};
use worlds::Worlds;

pub use tls::Tls;

/// How a server is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The rules that every new world starts with.
    pub settings: Settings,
    /// What is done to every new world before anybody is in it.
    pub stage: Vec<Control>,
    /// Whether each world keeps its tape (bounded, see [`Options::tape_rows_max`]).
    pub tape: bool,
    /// How many rows a tape holds before the oldest go.
    pub tape_rows_max: usize,
    /// What a tape weighs at most, in bytes, before the oldest rows go; one of many rows has room for all that are small.
    pub tape_bytes_max: usize,
    /// What all tapes weigh at most together, in bytes, before the oldest rows go, of whichever world.
    pub tapes_bytes_max: usize,
    /// Where the worlds are kept while the server does not run; `None`: nowhere.
    pub keep: Option<Keep>,
    /// A socket that does not say who it is within this time is closed; SDKs wait 10 s for their own answer.
    pub first_frame_within: Duration,
    /// Where the control plane (`/_mock/`) is, if not where clients connect.
    pub control: Option<SocketAddr>,
    /// What every request to the control plane must show; 8 to 128 letters, digits and `-._~`. Left out, one is made where
    /// others than this machine can reach it ([`MockServer::control_token`]).
    pub control_token: Option<String>,
    /// Whatever the protocol leaves open happens, drawn from this seed; `None`: the server is as kind as it can be.
    pub nasty: Option<u64>,
    /// TLS on the port of the clients, and on that of the control plane unless that is this machine's alone; left out, plain
    /// HTTP and WebSockets.
    pub tls: Option<Tls>,
    /// Fault profiles beside those of the catalog, for whoever can choose no more than a name at a login.
    pub profiles: Vec<Profile>,
}

/// A running server on a thread of its own; dropped, it stops.
///
/// Its own calls block the thread that makes them until the server has answered: for programs without a runtime, such as
/// the conformance harness. A test that has one takes a [`WorldHandle`], whose calls are awaited, and which alone looks at
/// rows and waits for them.
///
/// Dropping it panics when the server itself has panicked, so that no test passes over a bug of the server.
#[derive(Debug)]
pub struct MockServer {
    addr: SocketAddr,
    control_addr: SocketAddr,
    control_token: Option<String>,
    orders: UnboundedSender<Order>,
    thread: Option<JoinHandle<usize>>,
}

/// A world with nothing left to do: every queue pulled and acknowledged, no request open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Counts what clients ever sent this world; two equal marks mean that nothing came between them.
    pub mark: u64,
}

/// What a world still waits for, in words, such as `bob/web has not pulled queue alice (3 waiting)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotQuiet(pub Vec<String>);

/// What a world is like once the server itself has nothing more to do in it: what is still open, only a client can end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// As [`Quiet::mark`].
    pub mark: u64,
    /// What clients owe, as in [`NotQuiet`].
    pub open: Vec<String>,
    /// Whether that was so within the time: no request is being read, no app's own server asked.
    pub reached: bool,
}

/// What another thread has done on the server's.
type Call = Box<dyn FnOnce(&Rc<Worlds>) + Send>;

/// What another thread asks of the server's. The answer goes through the sender.
enum Order {
    /// To be done there.
    Call(Call),
    Rules {
        app_key: String,
        answer: SyncSender<Vec<RuleRow>>,
    },
    Doors {
        app_key: String,
        answer: SyncSender<Vec<ArmedDoor>>,
    },
    Control {
        app_key: String,
        control: Box<Control>,
        answer: SyncSender<Result<(), ControlError>>,
    },
    ControlAll {
        app_key: String,
        controls: Vec<Control>,
        answer: SyncSender<Result<(), CommandsRefused>>,
    },
    ManualClock {
        app_key: String,
        now: Millis,
        answer: SyncSender<Result<(), ClockBackwards>>,
    },
    RunClock {
        app_key: String,
        answer: SyncSender<()>,
    },
    Overview {
        app_key: String,
        answer: SyncSender<Option<Box<Overview>>>,
    },
    Reset {
        app_key: String,
        answer: SyncSender<bool>,
    },
    Advance {
        app_key: String,
        ms: u64,
        answer: SyncSender<()>,
    },
    Quiet {
        app_key: String,
        within: Duration,
        answer: SyncSender<Result<Quiet, NotQuiet>>,
    },
    Rest {
        app_key: String,
        within: Duration,
        answer: SyncSender<Rest>,
    },
    Tape {
        app_key: String,
        answer: SyncSender<Vec<Row>>,
    },
    TapeLength {
        app_key: String,
        answer: SyncSender<TapeLength>,
    },
    Journal {
        app_key: String,
        answer: SyncSender<Option<Vec<Entry>>>,
    },
    Replay {
        entries: Vec<Entry>,
        answer: SyncSender<Result<(), String>>,
    },
    Findings {
        app_key: String,
        answer: SyncSender<Vec<Finding>>,
    },
    DropWorld {
        app_key: String,
        answer: SyncSender<()>,
    },
    Stop,
}

impl MockServer {
    /// Binds and serves from a new thread. Fails as binding fails, when no thread or runtime can be had, when an option
    /// makes no sense, or when the file of [`Options::keep`] is there and cannot be loaded.
    pub fn start(mut options: Options) -> io::Result<Self> {
        let invalid = |why| io::Error::new(io::ErrorKind::InvalidData, why);
        let opening = options.keep.clone().map(Opening::read).transpose().map_err(invalid)?;
        opening.iter().flat_map(|opening| &opening.notes).for_each(|note| tracing::warn!("{note}"));
        let listeners = Listeners::bind(&options)?;
        listeners.guard(&mut options)?;
        let (addr, control_addr) = (listeners.addr()?, listeners.control_addr()?);
        let control_token = options.control_token.clone();
        let (orders, inbox) = unbounded_channel();
        let thread = std::thread::Builder::new()
            .name("mock-server".into())
            .spawn(move || serve::run(listeners, options, opening, serve::Until::Ordered, inbox).panics)?;
        Ok(Self { addr, control_addr, control_token, orders, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where its control plane is: [`MockServer::addr`], unless it has a port of its own.
    pub fn control_addr(&self) -> SocketAddr {
        self.control_addr
    }

    /// What requests to the control plane must show, if anything.
    pub fn control_token(&self) -> Option<&str> {
        self.control_token.as_deref()
    }

    /// Does one thing to one world, making the world if it is new. `app_key` is `org#app`.
    pub fn control(&self, app_key: &str, control: Control) -> Result<(), ControlError> {
        let control = Box::new(control);
        self.ask(|answer| Order::Control { app_key: app_key.into(), control, answer })
    }

    /// Does several things to one world at one moment, in this order, or none of them; the world is made if it is new.
    pub fn control_all(&self, app_key: &str, controls: Vec<Control>) -> Result<(), CommandsRefused> {
        self.ask(|answer| Order::ControlAll { app_key: app_key.into(), controls, answer })
    }

    /// Gives a world a clock that stands still at `now` until it is moved. Once a connection or a request has come to the
    /// world, that is not before its present. What control commands have done by then has the time of the clock before.
    pub fn manual_clock(&self, app_key: &str, now: Millis) -> Result<(), ClockBackwards> {
        self.ask(|answer| Order::ManualClock { app_key: app_key.into(), now, answer })
    }

    /// Has a world's clock go on by itself from where it is.
    pub fn run_clock(&self, app_key: &str) {
        self.ask(|answer| Order::RunClock { app_key: app_key.into(), answer });
    }

    /// What a world is like just now; `None`: there is none.
    pub fn overview(&self, app_key: &str) -> Option<Overview> {
        self.ask(|answer| Order::Overview { app_key: app_key.into(), answer }).map(|overview| *overview)
    }

    /// Empties a world: users, groups, messages, connections and faults go; its rules, its clock and
    /// [`Options::stage`] stay. `false`: there is none.
    pub fn reset(&self, app_key: &str) -> bool {
        self.ask(|answer| Order::Reset { app_key: app_key.into(), answer })
    }

    /// Moves a clock: a manual one then stands there, a wall clock goes on from there.
    pub fn advance(&self, app_key: &str, ms: u64) {
        self.ask(|answer| Order::Advance { app_key: app_key.into(), ms, answer });
    }

    /// Waits until the world is quiet.
    pub fn quiet(&self, app_key: &str, within: Duration) -> Result<Quiet, NotQuiet> {
        self.ask(|answer| Order::Quiet { app_key: app_key.into(), within, answer })
    }

    /// Reads what clients have written by now, and waits until the server has done its part of it. Unlike
    /// [`MockServer::quiet`] it does not wait for what a client owes, such as the acknowledgement of a page: a client
    /// whose link is dead never gives it.
    pub fn rest(&self, app_key: &str, within: Duration) -> Rest {
        self.ask(|answer| Order::Rest { app_key: app_key.into(), within, answer })
    }

    /// The world's tape so far.
    pub fn tape(&self, app_key: &str) -> Vec<Row> {
        self.ask(|answer| Order::Tape { app_key: app_key.into(), answer })
    }

    /// How long the world's tape is, now and from now on; the world is made if it is new. Ask once: looking at it again
    /// costs nothing. Of an app key that is none, and of a server that keeps no tapes, it stays 0.
    pub fn tape_len(&self, app_key: &str) -> TapeLength {
        self.ask(|answer| Order::TapeLength { app_key: app_key.into(), answer })
    }

    /// All that the world's machine was given so far; `None` when no tape is kept, or it was too much
    /// ([`Options::tape_rows_max`]).
    pub fn journal(&self, app_key: &str) -> Option<Vec<Entry>> {
        self.ask(|answer| Order::Journal { app_key: app_key.into(), answer })
    }

    /// Makes the world of a journal as it was at the journal's end; one of that app key that is there is forgotten. Who
    /// was logged in then is logged in, with nobody behind the connection; a clock that stood still stands still.
    /// Fails, in words, when the journal has no beginning or there is no room.
    pub fn replay(&self, journal: Vec<Entry>) -> Result<(), String> {
        self.ask(|answer| Order::Replay { entries: journal, answer })
    }

    /// The fault rules that were armed in a world, oldest first, and how often each has acted.
    pub fn rules(&self, app_key: &str) -> Vec<RuleRow> {
        self.ask(|answer| Order::Rules { app_key: app_key.into(), answer })
    }

    /// The door faults that were armed on a world's own path and not taken away, with how often each has struck.
    pub fn doors(&self, app_key: &str) -> Vec<ArmedDoor> {
        self.ask(|answer| Order::Doors { app_key: app_key.into(), answer })
    }

    /// What its clients did wrong so far.
    pub fn findings(&self, app_key: &str) -> Vec<Finding> {
        self.ask(|answer| Order::Findings { app_key: app_key.into(), answer })
    }

    /// Forgets a world and closes its connections.
    pub fn drop_world(&self, app_key: &str) {
        self.ask(|answer| Order::DropWorld { app_key: app_key.into(), answer });
    }

    fn ask<T>(&self, order: impl FnOnce(SyncSender<T>) -> Order) -> T {
        let (answer, question) = sync_channel(1);
        let sent = self.orders.send(order(answer));
        assert!(sent.is_ok(), "the server's thread lives as long as its handle");
        question.recv().expect("the server's thread answers every order")
    }
}

impl Drop for MockServer {
    fn drop(&mut self) {
        // Fails only when the thread is gone already.
        let _gone = self.orders.send(Order::Stop);
        if let Some(thread) = self.thread.take() {
            let panics = thread.join().unwrap_or(1);
            assert!(
                panics == 0 || std::thread::panicking(),
                "mock-server: {panics} tasks of the server panicked, see above: that is a bug of the server"
            );
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            settings: Settings::default(),
            stage: Vec::new(),
            tape: false,
            tape_rows_max: 200_000,
            // A run of a test is far below it, and a test that runs away should not take the machine with it.
            tape_bytes_max: 64 << 20,
            tapes_bytes_max: 256 << 20,
            keep: None,
            first_frame_within: Duration::from_secs(30),
            control: None,
            control_token: None,
            nasty: None,
            tls: None,
            profiles: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "2 tasks of the server panicked")]
    fn a_panic_of_the_server_is_the_holders_too() {
        let (orders, _inbox) = unbounded_channel();
        let thread = std::thread::spawn(|| 2);
        let addr = Options::default().listen;
        drop(MockServer { addr, control_addr: addr, control_token: None, orders, thread: Some(thread) });
    }
}
