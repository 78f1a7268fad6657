//! Requests that go out one at a time, in the order given, so that "join, then leave" never arrives the other
//! way round: one under way, the others waiting. What is asked and what an answer means is not known here.
//!
//! A client has three lanes: for its calls, for its uploads and for its downloads, so that a large file holds
//! up no call. A login's requests (token, `/info`) do not queue: they belong to the session.

use std::collections::VecDeque;

use crate::rest::CallId;
use crate::timer::Millis;

#[derive(Debug)]
pub(crate) struct Lane<T> {
    current: Option<Current<T>>,
    waiting: VecDeque<(CallId, T)>,
}

#[derive(Debug)]
struct Current<T> {
    id: CallId,
    what: T,
    answer_by: Millis,
}

impl<T> Default for Lane<T> {
    fn default() -> Self {
        Self { current: None, waiting: VecDeque::new() }
    }
}

impl<T> Lane<T> {
    pub(crate) fn push(&mut self, id: CallId, what: T) {
        self.waiting.push_back((id, what));
    }

    /// For what needs another request before anything else has its turn.
    pub(crate) fn again(&mut self, id: CallId, what: T) {
        self.waiting.push_front((id, what));
    }

    /// How many wait for their turn.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Everything that is here, the one under way first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &T> {
        let current = self.current.iter().map(|current| &current.what);
        current.chain(self.waiting.iter().map(|(_, what)| what))
    }

    /// Takes out what has its turn now: nothing while a request is under way.
    pub(crate) fn next(&mut self) -> Option<(CallId, T)> {
        if self.current.is_some() { None } else { self.waiting.pop_front() }
    }

    /// Its request is under way.
    pub(crate) fn started(&mut self, id: CallId, what: T, answer_by: Millis) {
        self.current = Some(Current { id, what, answer_by });
    }

    /// What is under way, if it goes by this id.
    pub(crate) fn under_way(&mut self, id: CallId) -> Option<&mut T> {
        self.current.as_mut().filter(|current| current.id == id).map(|current| &mut current.what)
    }

    /// Takes out what was answered; `None` when nobody waits for it any more.
    pub(crate) fn answered(&mut self, id: CallId) -> Option<T> {
        self.current.take_if(|current| current.id == id).map(|current| current.what)
    }

    /// Takes out what got no answer in time.
    pub(crate) fn take_overdue(&mut self, now: Millis) -> Option<(CallId, T)> {
        self.current.take_if(|current| current.answer_by <= now).map(|current| (current.id, current.what))
    }

    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.current.as_ref().map(|current| current.answer_by)
    }

    /// Forgets everything, in order. The id apart is of the one under way, to be cancelled.
    pub(crate) fn drain(&mut self) -> (Option<CallId>, Vec<(CallId, T)>) {
        let current = self.current.take().map(|current| (current.id, current.what));
        let under_way = current.as_ref().map(|(id, _)| *id);
        (under_way, current.into_iter().chain(self.waiting.drain(..)).collect())
    }
}
