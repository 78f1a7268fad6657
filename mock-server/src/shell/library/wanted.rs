//! Rows that are waited for or looked at, in words that read as a sentence: `WaitFor::rows("text").to("bob").count(3)`.

use std::time::Duration;

use crate::control_api::WaitFor;
use crate::tape::Direction;
use crate::traffic::Rows;

impl WaitFor {
    /// One row of this kind, such as `text`, `answer` or `http`: the words of [`Kind`](crate::decoded::Kind).
    pub fn rows(kind: &str) -> Self {
        Self { kind: Some(kind.to_owned()), ..Self::default() }
    }

    /// Sent by a device of this user, over a socket.
    pub fn from(self, user: &str) -> Self {
        Self { user: Some(user.to_owned()), direction: Some(Direction::Up), ..self }
    }

    /// Sent to a device of this user, over a socket.
    pub fn to(self, user: &str) -> Self {
        Self { user: Some(user.to_owned()), direction: Some(Direction::Down), ..self }
    }

    /// With this text anywhere in it, in any case.
    pub fn with_text(self, text: &str) -> Self {
        Self { text: Some(text.to_owned()), ..self }
    }

    /// So many of them; a page counts for each message in it.
    pub fn count(self, count: usize) -> Self {
        Self { count, ..self }
    }

    /// Only those behind the row of this number: [`Waited::last`](crate::control_api::Waited::last) of the wait before.
    pub fn after(self, row: usize) -> Self {
        Self { after: Some(row), ..self }
    }

    /// For so long at most, in real time, whole milliseconds; 5 s if nothing is said.
    pub fn within(self, time: Duration) -> Self {
        Self { within_ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX), ..self }
    }
}

impl Rows {
    /// Those of this kind.
    pub fn of(kind: &str) -> Self {
        Self { kind: Some(kind.to_owned()), ..Self::default() }
    }
}
