//! The tokio runner: real sockets, real HTTP, the clock of the host.
//!
//! [`Connection`] is a whole IM client for a Rust program; [`Io`] is the lower half of it, for runners that
//! keep a clock of their own. One task does everything: nothing is spawned, nothing is shared, and what is
//! dropped is gone. Addresses are `http:` and `ws:`; there is no TLS here, since a mock server has none.
//!
//! ```no_run
#![doc = include_str!("../examples/first_message.rs")]
//! ```

mod http;
mod io;

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, timeout_at};

pub use io::Io;

use crate::client::{Client, Config, Received};
use crate::error::CommandError;
use crate::event::Event;
use crate::message::{LocalId, Message};
use crate::timer::Millis;

/// A client with its sockets. Commands return at once; [`Connection::event`] does the work and must be
/// awaited for anything to happen.
#[derive(Debug)]
pub struct Connection {
    client: Client,
    io: Io,
    clock: Clock,
}

impl Connection {
    /// A client that is not logged in.
    pub fn new(config: Config) -> Self {
        Self { client: Client::new(config), io: Io::default(), clock: Clock::start() }
    }

    /// As [`Client::login_password`].
    pub fn login_password(&mut self, password: &str) -> Result<(), CommandError> {
        self.command(|client, now| client.login_password(now, password))
    }

    /// As [`Client::login_token`].
    pub fn login_token(&mut self, token: &str) -> Result<(), CommandError> {
        self.command(|client, now| client.login_token(now, token))
    }

    /// As [`Client::send`].
    pub fn send(&mut self, message: Message) -> Result<LocalId, CommandError> {
        self.command(|client, now| client.send(now, message))
    }

    /// As [`Client::close`].
    pub fn close(&mut self) {
        self.command(|client, _| client.close());
    }

    /// Any command of [`Client`]: `connection.command(|client, now| client.join_group(now, "1"))`.
    pub fn command<T>(&mut self, command: impl FnOnce(&mut Client, Millis) -> T) -> T {
        command(&mut self.client, self.clock.now())
    }

    /// Runs the client until it has something to tell. Waits for ever when there is nothing to wait for.
    /// Dropping the future loses nothing.
    ///
    /// As long as there is something to tell, nothing is read: what commands wanted sent is written and the
    /// heart beats, no more. So at most one page of 50 messages, the one whose messages are being returned,
    /// is acknowledged before the caller has seen it, and a slow caller slows the server down instead of
    /// filling memory. That an answer is late is found only when the sockets hold nothing unread.
    pub async fn event(&mut self) -> Event {
        loop {
            self.client.keep_alive(self.clock.now());
            self.carry_out();
            // Before anything is told, so that what a command wanted sent is sent before its caller hears of
            // it.
            poll_fn(|cx| {
                self.io.write(cx);
                Poll::Ready(())
            })
            .await;
            if let Some(event) = self.client.poll_event() {
                return event;
            }
            let received = match self.client.next_deadline() {
                None => self.io.received().await,
                Some(deadline) => {
                    let waited = timeout_at(self.clock.instant(deadline), self.io.received()).await;
                    match waited {
                        Ok(received) => received,
                        Err(_) => self.overdue().await,
                    }
                }
            };
            self.client.handle(self.clock.now(), received);
        }
    }

    /// A deadline has passed. When the caller was away for long the runtime has not looked at the sockets
    /// meanwhile, and what is waited for may lie there: it looks while we yield.
    async fn overdue(&mut self) -> Received {
        tokio::task::yield_now().await;
        match poll_fn(|cx| Poll::Ready(self.io.poll_received(cx))).await {
            Poll::Ready(received) => received,
            Poll::Pending => Received::Timeout,
        }
    }

    fn carry_out(&mut self) {
        while let Some(transmit) = self.client.poll_transmit() {
            self.io.carry_out(transmit);
        }
    }
}

/// The host's time of day at the start, and from then on its steady clock, which nobody sets back.
#[derive(Debug)]
struct Clock {
    start: Millis,
    started: Instant,
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "here time comes in; the client gets it as an argument")]
    fn start() -> Self {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Millis(whole_millis(since_1970)), started: Instant::now() }
    }

    fn now(&self) -> Millis {
        self.start.after(whole_millis(self.started.elapsed()))
    }

    /// When [`Clock::now`] says `at`.
    fn instant(&self, at: Millis) -> Instant {
        self.started + Duration::from_millis(at.since(self.start))
    }
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
