//! What time it is in a world.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::machine::Millis;

/// A world's clock.
#[derive(Clone, Copy, Debug)]
pub(super) enum Clock {
    /// The host's, so much ahead of it, and never going backwards.
    Wall { latest: Millis, ahead_ms: u64 },
    /// One that stands still until it is moved.
    Manual { now: Millis },
}

impl Clock {
    pub(super) fn wall() -> Self {
        Self::Wall { latest: Millis(0), ahead_ms: 0 }
    }

    pub(super) fn now(&mut self) -> Millis {
        match self {
            Self::Wall { latest, ahead_ms } => {
                let now = Millis(wall_now().0.saturating_add(*ahead_ms));
                *latest = now.max(*latest);
                *latest
            }
            Self::Manual { now } => *now,
        }
    }

    pub(super) fn advance(&mut self, ms: u64) {
        match self {
            Self::Wall { ahead_ms, .. } => *ahead_ms = ahead_ms.saturating_add(ms),
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
    fn a_wall_clock_goes_on_from_where_it_was_moved() {
        let mut clock = Clock::wall();
        let before = clock.now();
        clock.advance(1_000_000);
        let moved = clock.now();
        assert!(moved.0 >= before.0 + 1_000_000, "{moved:?} after {before:?}");
        assert!(clock.now() >= moved);
    }
}
