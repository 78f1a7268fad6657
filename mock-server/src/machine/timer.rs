//! What a world does later without being asked: whatever is due, by the moment at which it is.
//!
//! No clock: the host asks [`super::Server::next_deadline`] and gives [`super::Input::Timeout`] when it has come.

use std::collections::BTreeMap;

use super::Millis;

/// What waits, in the order in which it is due; of one moment, in the order in which it was armed.
#[derive(Clone, Debug)]
pub(super) struct Timers<T> {
    waiting: BTreeMap<(Millis, u64), T>,
    armed_ever: u64,
}

/// Names something that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimerId(Millis, u64);

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), armed_ever: 0 }
    }
}

impl<T> Timers<T> {
    pub(super) fn arm(&mut self, due: Millis, what: T) -> TimerId {
        self.armed_ever += 1;
        self.waiting.insert((due, self.armed_ever), what);
        TimerId(due, self.armed_ever)
    }

    /// What will not happen any more; `None` when it has.
    pub(super) fn disarm(&mut self, TimerId(due, number): TimerId) -> Option<T> {
        self.waiting.remove(&(due, number))
    }

    /// When the next of them is due.
    pub(super) fn next(&self) -> Option<Millis> {
        self.waiting.first_key_value().map(|((due, _), _)| *due)
    }

    /// The next of those that are due by now.
    pub(super) fn take_due(&mut self, now: Millis) -> Option<T> {
        self.next().filter(|due| *due <= now)?;
        self.waiting.pop_first().map(|(_, what)| what)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_comes_in_order_of_time_and_then_of_arming() {
        let mut timers = Timers::default();
        timers.arm(Millis(7), "late");
        timers.arm(Millis(5), "first");
        let gone = timers.arm(Millis(5), "disarmed");
        timers.arm(Millis(5), "second");
        assert_eq!(timers.disarm(gone), Some("disarmed"));
        assert_eq!(timers.disarm(gone), None);
        assert_eq!(timers.next(), Some(Millis(5)));
        assert_eq!(timers.take_due(Millis(4)), None);
        let due =
            |timers: &mut Timers<_>| std::iter::from_fn(|| timers.take_due(Millis(6))).collect::<Vec<_>>();
        assert_eq!(due(&mut timers), ["first", "second"]);
        assert_eq!(timers.next(), Some(Millis(7)));
    }
}
