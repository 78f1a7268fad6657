//! Faults that wait for a user's next message or upload. Those that strike at once are in `staging`.

use std::collections::VecDeque;

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

/// Armed faults, oldest first.
#[derive(Debug, Default)]
pub(super) struct Faults {
    answers: VecDeque<(UserIx, AnswerFault)>,
    /// Whose next uploads meet a reset connection.
    uploads: Vec<UserIx>,
}

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
}
