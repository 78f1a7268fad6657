//! Which part of a list a caller asks for: `pagenum` and `pagesize`, or `limit` and `cursor` (rest.md A.10, A.12).
//!
//! Neither is a mistake: SDKs write `undefined` and empty values into queries, and then want what they would get
//! without.

use super::Call;

/// Entries `skip..skip + take` of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Page {
    skip: usize,
    take: usize,
}

/// What one answer lists at most: every member of the largest group, and every group or room of a world.
const ENTRIES_MAX: usize = 10_000;

impl Page {
    /// Pages are counted from 1; a 0 means the first one too, since 4.x counts some lists from there.
    pub(super) fn numbered(call: &Call<'_>) -> Self {
        Self::of_number(parameter(call, "pagenum"), parameter(call, "pagesize"))
    }

    /// As [`Page::numbered`], where the query has other names for the two.
    pub(super) fn of_number(number: Option<usize>, size: Option<usize>) -> Self {
        let take = size.filter(|&size| size > 0).unwrap_or(ENTRIES_MAX).min(ENTRIES_MAX);
        let number = number.unwrap_or(1).max(1);
        Self { skip: (number - 1).saturating_mul(take), take }
    }

    /// As [`Page::numbered`], counted from 0.
    pub(super) fn numbered_from_0(call: &Call<'_>) -> Self {
        let take = size(call, "pagesize");
        Self { skip: parameter(call, "pagenum").unwrap_or(0).saturating_mul(take), take }
    }

    /// A cursor is the number of entries that came before.
    pub(super) fn after_cursor(call: &Call<'_>) -> Self {
        Self { skip: parameter(call, "cursor").unwrap_or(0), take: size(call, "limit") }
    }

    /// Whichever of the two the query speaks of.
    pub(super) fn asked(call: &Call<'_>) -> Self {
        let by_cursor = parameter(call, "cursor").is_some() || parameter(call, "limit").is_some();
        if by_cursor { Self::after_cursor(call) } else { Self::numbered(call) }
    }

    /// Of a list that gives no more at once, and fewer by default.
    pub(super) fn at_most(self, take_max: usize) -> Self {
        Self { take: self.take.min(take_max), ..self }
    }

    pub(super) fn of<T>(self, list: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
        list.skip(self.skip).take(self.take)
    }

    /// The cursor of the page behind this one, if the list of `len` entries has one.
    pub(super) fn next_cursor(self, len: usize) -> Option<String> {
        let next = self.skip.saturating_add(self.take);
        (next < len).then(|| next.to_string())
    }
}

fn size(call: &Call<'_>, name: &str) -> usize {
    parameter(call, name).filter(|&size| size > 0).unwrap_or(ENTRIES_MAX).min(ENTRIES_MAX)
}

/// A number of the query; `None` when it is not there or is none.
pub(super) fn parameter(call: &Call<'_>, name: &str) -> Option<usize> {
    call.parameter(name).and_then(|value| value.parse().ok())
}
