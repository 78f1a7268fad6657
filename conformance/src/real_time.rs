//! The host's clock, for what cannot be told otherwise: a child process is waited for in real time.
//!
//! Nothing else in this package reads a clock.

use std::time::{Duration, Instant, SystemTime};

use crate::client::Day;

/// A moment by which something must have come.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// So long from now.
    pub fn after(within: Duration) -> Self {
        Self(now() + within)
    }

    /// What is left of it; zero once it has passed.
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(now())
    }
}

/// How long something took.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// From now on.
    pub fn start() -> Self {
        Self(now())
    }

    /// Until now.
    pub fn elapsed(self) -> Duration {
        now().saturating_duration_since(self.0)
    }
}

/// Which day it is, in UTC: what `until` in a client's file is held against.
pub fn today() -> Day {
    Day::of_unix_s(i64::try_from(since_1970().as_secs()).unwrap_or(i64::MAX))
}

/// The host's time in ms since 1970: when a run began.
pub fn unix_ms() -> u64 {
    u64::try_from(since_1970().as_millis()).unwrap_or(u64::MAX)
}

#[expect(clippy::disallowed_methods, reason = "whether a known failure has expired depends on the day")]
fn since_1970() -> Duration {
    // A clock before 1970 is one that nobody has set: nothing has expired then.
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[expect(clippy::disallowed_methods, reason = "a child process is waited for in real time")]
fn now() -> Instant {
    Instant::now()
}
