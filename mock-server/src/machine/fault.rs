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
#[derive(Clone, Debug, Default)]
pub(super) struct Faults {
    pub(super) answers: VecDeque<(UserIx, AnswerFault)>,
    /// Whose next uploads meet a reset connection.
    pub(super) uploads: Vec<UserIx>,
    /// Whose next uploads come at how many bytes a second, and how many of them.
    pub(super) slow_uploads: Vec<(UserIx, u64, u32)>,
    pub(super) logins: Vec<(UserIx, LoginFault)>,
    pub(super) requests: Vec<HttpFault>,
}

/// How many faults of a kind wait at most: what they wait for may never come, and a scenario has a dozen.
pub(super) const ARMED_MAX: usize = 1_000;

/// [`ARMED_MAX`] faults of the kind wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// Whether one more may wait.
fn room(waiting: usize) -> Result<(), Full> {
    if waiting < ARMED_MAX { Ok(()) } else { Err(Full) }
}

impl Faults {
    pub(super) fn arm(&mut self, user: UserIx, fault: AnswerFault) -> Result<(), Full> {
        room(self.answers.len())?;
        self.answers.push_back((user, fault));
        Ok(())
    }

    /// The fault for this message of the user, if one is armed; it is used up.
    pub(super) fn take_answer(&mut self, user: UserIx) -> Option<AnswerFault> {
        if self.answers.is_empty() {
            return None;
        }
        let index = self.answers.iter().position(|(whose, _)| *whose == user)?;
        self.answers.remove(index).map(|(_, fault)| fault)
    }

    pub(super) fn arm_upload(&mut self, user: UserIx) -> Result<(), Full> {
        room(self.uploads.len())?;
        self.uploads.push(user);
        Ok(())
    }

    /// Whether this upload of the user is to be reset; the fault is used up.
    pub(super) fn take_upload(&mut self, user: UserIx) -> bool {
        let index = self.uploads.iter().position(|whose| *whose == user);
        index.map(|index| self.uploads.swap_remove(index)).is_some()
    }

    pub(super) fn arm_slow_uploads(
        &mut self,
        user: UserIx,
        bytes_per_second: u64,
        count: u32,
    ) -> Result<(), Full> {
        room(self.slow_uploads.len())?;
        self.slow_uploads.push((user, bytes_per_second, count));
        Ok(())
    }

    /// How many bytes a second this upload of the user brings, if that is staged; it is counted.
    pub(super) fn take_slow_upload(&mut self, user: UserIx) -> Option<u64> {
        let index = self.slow_uploads.iter().position(|(whose, ..)| *whose == user)?;
        let (_, bytes_per_second, left) = &mut self.slow_uploads[index];
        let rate = *bytes_per_second;
        *left -= 1;
        if *left == 0 {
            self.slow_uploads.remove(index);
        }
        Some(rate)
    }

    pub(super) fn arm_login(&mut self, user: UserIx, fault: LoginFault) -> Result<(), Full> {
        room(self.logins.len())?;
        self.logins.push((user, fault));
        Ok(())
    }

    /// The fault for this login of the user, if one is armed; it is used up.
    pub(super) fn take_login(&mut self, user: UserIx) -> Option<LoginFault> {
        let index = self.logins.iter().position(|(whose, _)| *whose == user)?;
        Some(self.logins.remove(index).1)
    }

    pub(super) fn arm_request(&mut self, fault: HttpFault) -> Result<(), Full> {
        room(self.requests.len())?;
        self.requests.push(fault);
        Ok(())
    }

    /// The fault for this request of the user, or of nobody in particular, if one is armed; it is used up.
    pub(super) fn take_request(&mut self, path: &str, user: Option<UserIx>) -> Option<HttpFault> {
        let meant =
            |fault: &HttpFault| path.contains(&fault.path) && (fault.user.is_none() || fault.user == user);
        let index = self.requests.iter().position(meant)?;
        Some(self.requests.remove(index))
    }
}
