//! Rules on requests: before they have an effect, and on their answers.

use super::super::rest::{self, Body, Request, Response};
use super::super::upload::Upload;
use super::super::{Due, Millis, Output, RequestId, Server};
use super::BYTES_HELD_MAX;
use crate::rule::{Action, Asked, Duration, Rule, Side};
use crate::tape::Deed;

/// Requests and answers that wait, of one world; a browser opens six connections at a time. They wait on when their client
/// has gone, with bodies of up to 1 MiB: together they weigh no more than frames that wait, [`BYTES_HELD_MAX`].
const REQUESTS_WAITING_MAX: usize = 1_000;

impl Server {
    /// A request came, and there are rules.
    pub(in super::super) fn ruled_request(&mut self, now: Millis, id: RequestId, request: Box<Request>) {
        let acts = self.decide_request(now, Side::Up, &request, None);
        match acts {
            None => self.answer_request(now, id, request),
            Some((rule, actions)) => self.act_on_request(now, rule, &actions, id, request),
        }
    }

    /// What was late goes on.
    pub(in super::super) fn request_due(
        &mut self,
        now: Millis,
        id: RequestId,
        request: Box<Request>,
        response: Option<Response>,
    ) {
        self.rules.requests_waiting = self.rules.requests_waiting.saturating_sub(1);
        self.rules.requests_bytes =
            self.rules.requests_bytes.saturating_sub(weighs(&request, response.as_ref()));
        match response {
            None => self.answer_request(now, id, request),
            Some(response) => self.outputs.push_back(Output::Http { id, response }),
        }
    }

    fn decide_request(
        &mut self,
        now: Millis,
        side: Side,
        request: &Request,
        response: Option<&Response>,
    ) -> Option<(u64, Vec<Action>)> {
        let token = request.token.as_deref();
        let user = token.and_then(|token| self.accounts.token(now, token).ok());
        let user = user.map(|user| self.accounts.name(user));
        let answer = response.map(|response| {
            let body: &[u8] = match &response.body {
                Body::Json(body) | Body::Text(body) => body,
                Body::Blob { .. } | Body::Reset | Body::Cut => &[],
            };
            (response.status, body)
        });
        let asked = Asked {
            method: request.method,
            path: &request.path,
            query: &request.query,
            user,
            has_file: request.upload.is_some(),
            body: &request.body,
            answer,
        };
        let seed = self.seed;
        self.rules.decide(now, seed, side, true, &[], |rule: &Rule| rule.fits_request(&asked))
    }

    fn answer_request(&mut self, now: Millis, id: RequestId, request: Box<Request>) {
        let response = rest::answer(self, now, &request);
        match self.decide_request(now, Side::Down, &request, Some(&response)) {
            None => self.outputs.push_back(Output::Http { id, response }),
            Some((rule, actions)) => self.act_on_answer(now, rule, &actions, id, request, response),
        }
    }

    fn act_on_request(
        &mut self,
        now: Millis,
        rule: u64,
        actions: &[Action],
        id: RequestId,
        request: Box<Request>,
    ) {
        let what = shown(&request);
        match fate(actions) {
            Fate::Lost => {
                self.request_told(rule, Deed::Dropped, format!("{what}: lost, never answered"));
                self.forget_upload(&request);
            }
            Fate::Late(ms) => {
                self.request_told(rule, Deed::Delayed, format!("{what}: delayed by {}", Duration(ms)));
                self.delay_request(now, ms, id, request, None);
            }
            Fate::Answered { after_ms, response, text } => {
                self.request_told(rule, Deed::Answered, format!("{what}: no effect, {text}"));
                self.forget_upload(&request);
                self.delay_request(now, after_ms, id, request, Some(response));
            }
        }
    }

    fn act_on_answer(
        &mut self,
        now: Millis,
        rule: u64,
        actions: &[Action],
        id: RequestId,
        request: Box<Request>,
        response: Response,
    ) {
        let what = format!("answer {} to {}", response.status, shown(&request));
        match fate(actions) {
            Fate::Lost => self.request_told(rule, Deed::Dropped, format!("{what}: lost")),
            Fate::Late(ms) => {
                self.request_told(rule, Deed::Delayed, format!("{what}: delayed by {}", Duration(ms)));
                self.delay_request(now, ms, id, request, Some(response));
            }
            Fate::Answered { after_ms, response, text } => {
                self.request_told(rule, Deed::Answered, format!("{what}: {text}"));
                self.delay_request(now, after_ms, id, request, Some(response));
            }
        }
    }

    /// Goes on in so many ms: with this answer, or to get one.
    fn delay_request(
        &mut self,
        now: Millis,
        ms: u64,
        id: RequestId,
        request: Box<Request>,
        response: Option<Response>,
    ) {
        let bytes = weighs(&request, response.as_ref());
        let full = self.rules.requests_waiting >= REQUESTS_WAITING_MAX
            || self.rules.requests_bytes + bytes > BYTES_HELD_MAX;
        if full && ms > 0 {
            self.warn(format!(
                "a request is not delayed: {REQUESTS_WAITING_MAX} requests or {BYTES_HELD_MAX} bytes wait already"
            ));
        }
        self.rules.requests_waiting += 1;
        self.rules.requests_bytes += bytes;
        if full || ms == 0 {
            return self.request_due(now, id, request, response);
        }
        let due = Millis(now.0.saturating_add(ms));
        self.timers.arm(due, Due::Request { id, request, response: response.map(Box::new) });
    }

    /// Nobody will ask for the bytes of an upload that had no effect.
    fn forget_upload(&mut self, request: &Request) {
        if let Some(Upload::File { blob, .. }) = &request.upload {
            self.outputs.push_back(Output::ForgetBlob(*blob));
        }
    }

    fn request_told(&mut self, rule: u64, deed: Deed, text: String) {
        self.rules.ready.push_back(Output::Fault { conn: None, rule, deed, text });
    }
}

/// What a rule's actions come to.
enum Fate {
    Lost,
    Late(u64),
    Answered { after_ms: u64, response: Response, text: String },
}

fn fate(actions: &[Action]) -> Fate {
    let mut after_ms = 0;
    for action in actions {
        let (response, text) = match action {
            Action::Delay { ms } => {
                after_ms = *ms;
                continue;
            }
            Action::Drop => return Fate::Lost,
            Action::AnswerHttp { status, body } => {
                let response = rest::staged_response(*status, body.clone().into());
                (response, format!("answered with {status}"))
            }
            Action::Cut => (Response { status: 0, body: Body::Cut }, "the connection ended".to_owned()),
            Action::Reset => (Response { status: 0, body: Body::Reset }, "the connection reset".to_owned()),
            Action::Duplicate
            | Action::HoldUntilNext
            | Action::Truncate { .. }
            | Action::FlipBit { .. }
            | Action::AnswerStatus { .. }
            | Action::Close { .. }
            | Action::GoSilent => unreachable!("a rule of requests has none"),
        };
        return Fate::Answered { after_ms, response, text };
    }
    Fate::Late(after_ms)
}

/// The bytes of both bodies; a file's are no part of them.
fn weighs(request: &Request, response: Option<&Response>) -> usize {
    let answer = match response.map(|response| &response.body) {
        Some(Body::Json(body) | Body::Text(body)) => body.len(),
        Some(Body::Blob { .. } | Body::Reset | Body::Cut) | None => 0,
    };
    request.body.len() + answer
}

fn shown(request: &Request) -> String {
    format!("{} {}", request.method.word().to_uppercase(), super::super::excerpt(&request.path))
}
