//! What time it is in a world.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::machine::Millis;
use crate::machine::state::ClockState;

/// A world's clock.
#[derive(Clone, Copy, Debug)]
pub(super) enum Clock {
    /// The host's, so much ahead of it or behind it, and never going backwards.
    Wall { latest: Millis, ahead_ms: i64 },
    /// One that stands still until it is moved.
    Manual { now: Millis },
}

impl Clock {
    pub(super) fn wall() -> Self {
        Self::Wall { latest: Millis(0), ahead_ms: 0 }
    }

    /// The clock of a saved world: one that runs never goes back behind the moment at which it was saved.
    pub(super) fn of(saved: &ClockState) -> Self {
        let now = Millis(saved.now_ms);
        if saved.runs { Self::Wall { latest: now, ahead_ms: saved.ahead_ms } } else { Self::Manual { now } }
    }

    pub(super) fn saved(&mut self) -> ClockState {
        let now_ms = self.now().0;
        match *self {
            Self::Wall { ahead_ms, .. } => ClockState { now_ms, runs: true, ahead_ms },
            Self::Manual { .. } => ClockState { now_ms, runs: false, ahead_ms: 0 },
        }
    }

    pub(super) fn now(&mut self) -> Millis {
        match self {
            Self::Wall { latest, ahead_ms } => {
                let now = Millis(wall_now().0.saturating_add_signed(*ahead_ms));
                *latest = now.max(*latest);
                *latest
            }
            Self::Manual { now } => *now,
        }
    }

    /// Whether it moves of itself.
    pub(super) fn runs(&self) -> bool {
        matches!(self, Self::Wall { .. })
    }

    /// Has it go on by itself from where it is.
    pub(super) fn run(&mut self) {
        if let Self::Manual { now } = *self {
            let ahead_ms = i64::try_from(i128::from(now.0) - i128::from(wall_now().0)).unwrap_or(i64::MAX);
            *self = Self::Wall { latest: now, ahead_ms };
        }
    }

    pub(super) fn advance(&mut self, ms: u64) {
        match self {
            Self::Wall { ahead_ms, .. } => *ahead_ms = ahead_ms.saturating_add_unsigned(ms),
            Self::Manual { now } => now.0 = now.0.saturating_add(ms),
        }
    }
}

/// The host's time.
pub(super) fn wall_now() -> Millis {
    #[expect(clippy::disallowed_methods, reason = "here the shell lets time in")]
    let now = SystemTime::now();
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_stood_still_runs_from_where_it_is() {
        for start in [1_640_908_800_000, 4_102_444_800_000] {
            let mut clock = Clock::Manual { now: Millis(start) };
            clock.run();
            let now = clock.now();
            assert!(clock.runs() && (start..start + 60_000).contains(&now.0), "{now:?}");
            clock.advance(1_000_000);
            assert!(clock.now().0 >= now.0 + 1_000_000);
        }
    }

    #[test]
    fn a_wall_clock_goes_on_from_where_it_was_moved() {
        let mut clock = Clock::wall();
        let before = clock.now();
        clock.advance(1_000_000);
        let moved = clock.now();
        assert!(moved.0 >= before.0 + 1_000_000, "{moved:?} after {before:?}");
        assert!(clock.now() >= moved);
    }
}
