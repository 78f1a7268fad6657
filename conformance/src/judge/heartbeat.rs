//! Whether a client that has logged in lets its server know that it lives, by the world's clock.
//!
//! Only for a world whose clock the harness moves: by the host's clock, when a frame came would be chance.

use std::collections::BTreeMap;

use mock_server::machine::{ConnId, Millis};
use mock_server::tape::{Direction, Event, Row};

use super::Finding;

/// How long an idle client may say nothing (clause conn.heartbeat): SDKs send UNREAD every 30 s (wire-3x §3.1).
const SILENCE_MS_MAX: u64 = 30_000;
/// Clocks move from timer to timer, the world's first: a client that counts from its own `opened`, or rounds, is
/// late by less than this.
const SLACK_MS: u64 = 1_000;

/// Every connection that was silent for too long between its login and its end, or `until` if it never ended.
pub fn silences(tape: &[Row], until: Millis) -> Vec<(Finding, usize)> {
    let mut live: BTreeMap<ConnId, Live<'_>> = BTreeMap::new();
    let mut found: BTreeMap<Finding, usize> = BTreeMap::new();
    let mut ended = |live: Live<'_>, at: Millis| {
        if let Some(finding) = live.heard(at).finding() {
            *found.entry(finding).or_default() += 1;
        }
    };
    for Row { at, event } in tape {
        match event {
            Event::LoggedIn { conn, user, .. } => {
                live.entry(*conn).or_insert(Live { user, last: *at, silence_ms: 0 });
            }
            Event::Frame { conn, direction: Direction::Up, .. } => {
                if let Some(one) = live.remove(conn) {
                    live.insert(*conn, one.heard(*at));
                }
            }
            Event::Closed { conn, .. } => {
                if let Some(one) = live.remove(conn) {
                    ended(one, *at);
                }
            }
            // What it says from here on, nobody hears: it may well say something.
            Event::Muted { conn } => {
                if let Some(one) = live.remove(conn) {
                    ended(one, *at);
                }
            }
            Event::Opened { .. }
            | Event::Frame { direction: Direction::Down, .. }
            | Event::Fault { .. }
            | Event::AtDoor { .. }
            | Event::Http { .. } => {}
        }
    }
    live.into_values().for_each(|one| ended(one, until));
    found.into_iter().collect()
}

/// A connection that has logged in.
struct Live<'t> {
    user: &'t str,
    last: Millis,
    /// The longest silence so far.
    silence_ms: u64,
}

impl Live<'_> {
    fn heard(self, at: Millis) -> Self {
        let silence_ms = self.silence_ms.max(at.0.saturating_sub(self.last.0));
        Self { last: at, silence_ms, ..self }
    }

    fn finding(&self) -> Option<Finding> {
        (self.silence_ms > SILENCE_MS_MAX + SLACK_MS).then(|| Finding {
            clause: "conn.heartbeat".to_owned(),
            user: self.user.to_owned(),
            text: format!(
                "silence: expected a frame every {SILENCE_MS_MAX} ms, got none for {} ms",
                self.silence_ms
            ),
        })
    }
}
