//! Time as an argument: what an instant is, and the reasons of one session to wake up.
//!
//! Nothing here reads a clock. Deadlines that belong to one message, pull or call live with it (`outbox`,
//! `inbox`, `rest`); this table holds those of which there is one a session.

use std::fmt;

/// Milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

impl Millis {
    /// This instant and `ms` more; stays at the end of time rather than wrap.
    #[must_use]
    pub fn after(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// How many milliseconds lie between `earlier` and this instant; 0 when it is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

/// Every reason of a session to wake up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The present step of a login (token, `/info`, dial, PROVISION) took too long.
    Login,
    /// The back-off before the next dial is over.
    Redial,
    /// The next UNREAD is due.
    Heartbeat,
    /// Nothing at all came since the last heartbeat: the peer is dead.
    Silence,
}

const TIMERS: [Timer; 4] = [Timer::Login, Timer::Redial, Timer::Heartbeat, Timer::Silence];

/// At most one deadline for each [`Timer`].
#[derive(Debug, Default)]
pub(crate) struct Timers([Option<Millis>; TIMERS.len()]);

impl Timers {
    pub(crate) fn set(&mut self, timer: Timer, at: Millis) {
        self.0[timer as usize] = Some(at);
    }

    pub(crate) fn stop(&mut self, timer: Timer) {
        self.0[timer as usize] = None;
    }

    pub(crate) fn stop_all(&mut self) {
        *self = Self::default();
    }

    pub(crate) fn is_set(&self, timer: Timer) -> bool {
        self.0[timer as usize].is_some()
    }

    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.0.iter().flatten().min().copied()
    }

    /// Stops the timer if it is due, and tells whether it was.
    #[cfg(feature = "net")]
    pub(crate) fn take_if_due(&mut self, now: Millis, timer: Timer) -> bool {
        self.0[timer as usize].take_if(|at| *at <= now).is_some()
    }

    /// Stops and returns the timer that has been due for longest.
    pub(crate) fn take_due(&mut self, now: Millis) -> Option<Timer> {
        let due =
            TIMERS.into_iter().filter_map(|timer| Some((self.0[timer as usize]?, timer as usize, timer)));
        let (_, _, timer) =
            due.filter(|(at, _, _)| *at <= now).min_by_key(|(at, position, _)| (*at, *position))?;
        self.stop(timer);
        Some(timer)
    }
}

#[cfg(test)]
mod tests {
    use super::{Millis, Timer, Timers};

    #[test]
    fn timers_fall_due_in_the_order_of_their_deadlines() {
        let mut timers = Timers::default();
        timers.set(Timer::Login, Millis(30));
        timers.set(Timer::Silence, Millis(10));
        timers.set(Timer::Redial, Millis(20));
        assert_eq!(timers.next_deadline(), Some(Millis(10)));
        assert_eq!(timers.take_due(Millis(9)), None);
        assert_eq!(timers.take_due(Millis(25)), Some(Timer::Silence));
        assert_eq!(timers.take_due(Millis(25)), Some(Timer::Redial));
        assert_eq!(timers.take_due(Millis(25)), None);
        assert_eq!(timers.next_deadline(), Some(Millis(30)));
    }
}
