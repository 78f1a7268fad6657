//! Requests of a world: most are answered at once, and some late or never, as rules want it.

use tokio::sync::oneshot;

use super::{State, World};
use crate::journal::Given;
use crate::machine::rest::{Request, Response};
use crate::machine::{Input, Millis, RequestId, Upload};
use crate::tape::Event;

/// A request until it is answered.
pub(super) struct Asked {
    answer: oneshot::Sender<Response>,
    /// What the tape will say of it.
    told: Option<Request>,
}

impl World {
    /// Answers a request. `None`: it never will be, since the world is gone. One that a rule has lost waits until its
    /// client goes, which is to drop this.
    pub(in crate::shell) async fn request(&self, request: Request) -> Option<Response> {
        let (id, mut answer) = self.ask(request);
        if let Ok(response) = answer.try_recv() {
            return Some(response);
        }
        let _waiting = Waiting::new(self, id);
        answer.await.ok()
    }

    fn ask(&self, request: Request) -> (RequestId, oneshot::Receiver<Response>) {
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        if let Some(Upload::File { blob, .. }) = &request.upload {
            state.kept.insert(*blob);
        }
        state.has_begun = true;
        let id = RequestId(state.next_request);
        state.next_request += 1;
        let told = state.tape.is_some().then(|| request.clone());
        if told.is_some() {
            let content = state.content(&self.blobs, &request);
            state.note(now, Given::Http { request: Box::new(request.clone()), content });
        }
        let (answer, answered) = oneshot::channel();
        state.asked.insert(id, Asked { answer, told });
        self.feed(state, now, Input::Http { id, request: Box::new(request) });
        (id, answered)
    }
}

impl State {
    pub(super) fn answer(&mut self, now: Millis, id: RequestId, response: Response) {
        // Of a client that has gone meanwhile, or of a journal that was replayed.
        let Some(Asked { answer, told }) = self.asked.swap_remove(&id) else { return };
        if let Some(request) = told {
            let user = request.token.as_deref().and_then(|token| self.machine.token_user(now, token));
            let event = Event::asked(&request, user, &response);
            self.record(now, event);
        }
        // Whoever asked has gone in this very moment.
        let _gone = answer.send(response);
    }
}

/// A request that waits for time to pass, or for nothing: the world can be quiet meanwhile.
struct Waiting<'a> {
    world: &'a World,
    id: RequestId,
}

impl<'a> Waiting<'a> {
    fn new(world: &'a World, id: RequestId) -> Self {
        world.request_ends();
        Self { world, id }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.world.request_begins();
        self.world.state.borrow_mut().asked.swap_remove(&self.id);
    }
}
