//! Faults that wait for a user's next message, upload or login, or for the next request. Those that strike at once are
//! in `staging`.

use std::collections::VecDeque;

use bytes::Bytes;

use super::account::UserIx;

/// What happens to the answer of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AnswerFault {
    /// The message is taken; no answer.
    Drop,
    /// The message is taken; no answer, and the link goes.
    Cut,
    /// The message is refused with this.
    Status { code: i32, reason: String },
}

/// What happens to a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum LoginFault {
    /// No answer.
    Drop,
    /// It is refused with this.
    Refuse { code: i32, reason: String },
}

/// What a request is answered with, in place of what it would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HttpFault {
    /// Part of its path.
    pub(super) path: String,
    /// Whose token it carries, where that matters.
    pub(super) user: Option<UserIx>,
    pub(super) status: u16,
    pub(super) body: Bytes,
}

/// Armed faults, oldest first.
#[derive(Debug, Default)]
pub(super) struct Faults {
    answers: VecDeque<(UserIx, AnswerFault)>,
    /// Whose next uploads meet a reset connection.
    uploads: Vec<UserIx>,
    logins: Vec<(UserIx, LoginFault)>,
    requests: Vec<HttpFault>,
}

/// Answers that wait for a request which may never come; a scenario has a dozen.
pub(super) const HTTP_FAULTS_MAX: usize = 1_000;

impl Faults {
    pub(super) fn arm(&mut self, user: UserIx, fault: AnswerFault) {
        self.answers.push_back((user, fault));
    }

    /// The fault for this message of the user, if one is armed; it is used up.
    pub(super) fn take_answer(&mut self, user: UserIx) -> Option<AnswerFault> {
        if self.answers.is_empty() {
            return None;
        }
        let index = self.answers.iter().position(|(whose, _)| *whose == user)?;
        self.answers.remove(index).map(|(_, fault)| fault)
    }

    pub(super) fn arm_upload(&mut self, user: UserIx) {
        self.uploads.push(user);
    }

    /// Whether this upload of the user is to be reset; the fault is used up.
    pub(super) fn take_upload(&mut self, user: UserIx) -> bool {
        let index = self.uploads.iter().position(|whose| *whose == user);
        index.map(|index| self.uploads.swap_remove(index)).is_some()
    }

    pub(super) fn arm_login(&mut self, user: UserIx, fault: LoginFault) {
        self.logins.push((user, fault));
    }

    /// The fault for this login of the user, if one is armed; it is used up.
    pub(super) fn take_login(&mut self, user: UserIx) -> Option<LoginFault> {
        let index = self.logins.iter().position(|(whose, _)| *whose == user)?;
        Some(self.logins.remove(index).1)
    }

    /// False when [`HTTP_FAULTS_MAX`] wait already.
    pub(super) fn arm_request(&mut self, fault: HttpFault) -> bool {
        let fits = self.requests.len() < HTTP_FAULTS_MAX;
        if fits {
            self.requests.push(fault);
        }
        fits
    }

    /// The fault for this request of the user, or of nobody in particular, if one is armed; it is used up.
    pub(super) fn take_request(&mut self, path: &str, user: Option<UserIx>) -> Option<HttpFault> {
        let meant =
            |fault: &HttpFault| path.contains(&fault.path) && (fault.user.is_none() || fault.user == user);
        let index = self.requests.iter().position(meant)?;
        Some(self.requests.remove(index))
    }
}
