//! What time it is in a world.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::machine::Millis;

/// A world's clock.
#[derive(Clone, Copy, Debug)]
pub(super) enum Clock {
    /// The host's, though never going backwards.
    Wall { latest: Millis },
    /// One that stands still until it is moved.
    Manual { now: Millis },
}

impl Clock {
    pub(super) fn wall() -> Self {
        Self::Wall { latest: Millis(0) }
    }

    pub(super) fn now(&mut self) -> Millis {
        match self {
            Self::Wall { latest } => {
                *latest = wall_now().max(*latest);
                *latest
            }
            Self::Manual { now } => *now,
        }
    }

    pub(super) fn advance(&mut self, ms: u64) {
        if let Self::Manual { now } = self {
            now.0 = now.0.saturating_add(ms);
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
