//! Messages that users reported to the app's moderators: kept, and acted upon by nobody here.

use std::collections::VecDeque;

use super::account::UserIx;

/// What was reported, the oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Reports(pub(super) VecDeque<Report>);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) by: UserIx,
    pub(super) message: u64,
    pub(super) kind: Box<str>,
    pub(super) reason: Box<str>,
}

/// A bound on what strangers can make a world keep; the oldest goes then.
const REPORTS_MAX: usize = 1_000;

impl Reports {
    /// False: the user has said the same before.
    pub(super) fn keep(&mut self, by: UserIx, message: u64, kind: &str, reason: &str) -> bool {
        let report = Report { by, message, kind: kind.into(), reason: reason.into() };
        let is_new = !self.0.contains(&report);
        if is_new {
            self.0.push_back(report);
            if self.0.len() > REPORTS_MAX {
                self.0.pop_front();
            }
        }
        is_new
    }

    /// The user is no more: the name may be somebody else's soon.
    pub(super) fn forget_user(&mut self, user: UserIx) {
        self.0.retain(|report| report.by != user);
    }
}
