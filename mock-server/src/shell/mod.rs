//! The one thin shell: sockets, HTTP and clocks around the machine.
//!
//! One thread, one current-thread runtime: the machine is called inline wherever a frame is read, and what it
//! sends is written from there, without a lock or a hop between tasks. It decides nothing about the protocol.

mod api;
mod blobs;
mod clock;
mod content;
mod control;
mod door;
mod flags;
mod http;
mod multipart;
pub mod run;
mod serve;
mod webhook;
mod world;
mod worlds;
mod ws;

use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::control::{Control, ControlError, Settings};
use crate::journal::Entry;
use crate::machine::{Finding, Millis};
use crate::tape::{Row, TapeLength};

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
    /// A socket that does not say who it is within this time is closed; SDKs wait 10 s for their own answer.
    pub first_frame_within: Duration,
}

/// A running server on a thread of its own; dropped, it stops.
///
/// Dropping it panics when the server itself has panicked, so that no test passes over a bug of the server.
#[derive(Debug)]
pub struct MockServer {
    addr: SocketAddr,
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

/// What another thread asks of the server's. The answer goes through the sender.
enum Order {
    Control { app_key: String, control: Box<Control>, answer: SyncSender<Result<(), ControlError>> },
    ManualClock { app_key: String, now: Millis, answer: SyncSender<()> },
    Advance { app_key: String, ms: u64, answer: SyncSender<()> },
    Quiet { app_key: String, within: Duration, answer: SyncSender<Result<Quiet, NotQuiet>> },
    Rest { app_key: String, within: Duration, answer: SyncSender<Rest> },
    Tape { app_key: String, answer: SyncSender<Vec<Row>> },
    TapeLength { app_key: String, answer: SyncSender<TapeLength> },
    Journal { app_key: String, answer: SyncSender<Option<Vec<Entry>>> },
    Replay { entries: Vec<Entry>, answer: SyncSender<Result<(), String>> },
    Findings { app_key: String, answer: SyncSender<Vec<Finding>> },
    DropWorld { app_key: String, answer: SyncSender<()> },
    Stop,
}

impl MockServer {
    /// Binds and serves from a new thread. Fails as binding fails, or when no thread or runtime can be had.
    pub fn start(options: Options) -> io::Result<Self> {
        let listener = bind(options.listen)?;
        let addr = listener.local_addr()?;
        let (orders, inbox) = unbounded_channel();
        let thread = std::thread::Builder::new()
            .name("mock-server".into())
            .spawn(move || serve::run(listener, options, inbox))?;
        Ok(Self { addr, orders, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Does one thing to one world, making the world if it is new. `app_key` is `org#app`.
    pub fn control(&self, app_key: &str, control: Control) -> Result<(), ControlError> {
        let control = Box::new(control);
        self.ask(|answer| Order::Control { app_key: app_key.into(), control, answer })
    }

    /// Gives a world a clock that stands still at `now` until it is advanced. Call it before anything else.
    pub fn manual_clock(&self, app_key: &str, now: Millis) {
        self.ask(|answer| Order::ManualClock { app_key: app_key.into(), now, answer });
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

fn bind(listen: SocketAddr) -> io::Result<std::net::TcpListener> {
    let listener = std::net::TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
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
            first_frame_within: Duration::from_secs(30),
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
        drop(MockServer { addr: Options::default().listen, orders, thread: Some(thread) });
    }
}
