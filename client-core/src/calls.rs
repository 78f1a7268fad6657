//! Calls of the user over REST: what each is as a request, and what its answer is as an event.
//!
//! A call with an id of its own ends in an event that names it, [`Event::CallFailed`] at worst; of the others
//! a failure is an [`Event::Error`], as clients of the vendor show it.

use serde::Deserialize;

use crate::client::{Client, Config};
use crate::conversation_list::ListCall;
use crate::conversations::{ConversationCall, Outcome as ConversationOutcome};
use crate::error::{CommandError, Failure};
use crate::event::Event;
use crate::groups::GroupCall;
use crate::history::Fetch;
use crate::joined::JoinedCall;
use crate::pin::PinCall;
use crate::reaction::ReactionCall;
use crate::rest::{CallId, HttpAnswer, HttpBody, HttpMethod, HttpRequest, Refusal, segment};
use crate::search::SearchCall;
use crate::timer::Millis;

/// How many calls may wait for their turn.
const CALLS_LIMIT: usize = 1_000;
/// How long an answer may take, in ms, as in 4.x (rest.md 0.9).
pub(crate) const CALL_LIMIT_MS: u64 = 15_000;

/// A call that a user may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    BlockList,
    Contacts,
    Group(GroupCall),
    Conversation(ConversationCall),
    History(Fetch),
    List(ListCall),
    Search(SearchCall),
    Reaction(ReactionCall),
    Pin(PinCall),
    Joined(JoinedCall),
}

/// A request but for what every request of a call has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    method: HttpMethod,
    path: String,
    body: Option<String>,
}

impl Ask {
    pub(crate) fn bare(method: HttpMethod, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), body: None }
    }

    pub(crate) fn with(method: HttpMethod, path: impl Into<String>, body: String) -> Self {
        Self { body: Some(body), ..Self::bare(method, path) }
    }

    pub(crate) fn request(self, id: CallId, config: &Config, token: &str) -> HttpRequest {
        HttpRequest {
            bearer: Some(token.to_owned()),
            body: self.body.map(HttpBody::json),
            ..HttpRequest::new(id, self.method, config.rest_url(&self.path))
        }
    }
}

impl Call {
    /// What the user calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::BlockList => "block list",
            Self::Contacts => "contacts",
            Self::Group(call) => call.name(),
            Self::Conversation(call) => call.name(),
            Self::History(_) => "history",
            Self::List(call) => call.name(),
            Self::Search(call) => call.name(),
            Self::Reaction(call) => call.name(),
            Self::Pin(call) => call.name(),
            Self::Joined(call) => call.name(),
        }
    }

    /// Paths as the 3.x SDK has them (rest.md A.10).
    fn ask(&self, config: &Config) -> Ask {
        let me = segment(&config.username);
        match self {
            Self::BlockList => Ask::bare(HttpMethod::Get, format!("/users/{me}/blocks/users")),
            Self::Contacts => Ask::bare(HttpMethod::Get, format!("/users/{me}/contacts/users")),
            Self::Group(call) => call.ask(config),
            Self::Conversation(call) => call.ask(config),
            Self::History(fetch) => fetch.ask(config),
            Self::List(call) => call.ask(config),
            Self::Search(call) => call.ask(config),
            Self::Reaction(call) => call.ask(config),
            Self::Pin(call) => call.ask(config),
            Self::Joined(call) => call.ask(config),
        }
    }

    /// The event of its failure.
    fn failed(&self, id: CallId, failure: Failure) -> Event {
        match self {
            Self::BlockList | Self::Contacts | Self::Group(_) => Event::Error(failure),
            Self::Conversation(_)
            | Self::History(_)
            | Self::List(_)
            | Self::Search(_)
            | Self::Reaction(_)
            | Self::Pin(_)
            | Self::Joined(_) => Event::CallFailed { call: id, failure },
        }
    }

    /// Why it was refused, in the numbers of 4.x, whichever generation the call comes from.
    pub(crate) fn failure(&self, config: &Config, answer: Result<&HttpAnswer, &str>) -> Failure {
        Failure::of_service(self.name(), &self.ask(config).path, answer)
    }
}

impl Client {
    /// Takes a call on, to be made in its turn.
    pub(crate) fn call(
        &mut self,
        now: Millis,
        command: &'static str,
        call: Call,
    ) -> Result<CallId, CommandError> {
        if !self.session.is_open() {
            return Err(CommandError::NotLoggedIn { command });
        }
        let id = self.queue_call(call)?;
        self.pump(now);
        Ok(id)
    }

    pub(crate) fn queue_call(&mut self, call: Call) -> Result<CallId, CommandError> {
        if self.calls.waiting() >= CALLS_LIMIT {
            return Err(CommandError::CallsFull { limit: CALLS_LIMIT });
        }
        let id = self.next_call_id();
        self.calls.push(id, call);
        Ok(id)
    }

    /// Makes the next call, unless one is under way. What history has at hand needs no request.
    pub(crate) fn next_call(&mut self, now: Millis) {
        while let Some((id, mut call)) = self.calls.next() {
            if let Call::History(fetch) = &mut call
                && let Some(messages) = self.history.begin(fetch)
            {
                self.tell(Event::History { call: id, messages });
                continue;
            }
            let Some(login) = self.session.open_login() else { return };
            let request = call.ask(&self.config).request(id, &self.config, &login.token);
            self.transmit(crate::client::Transmit::Http(request));
            self.calls.started(id, call, now.after(CALL_LIMIT_MS));
        }
    }

    /// A call came to its end, or at least one of its requests.
    pub(crate) fn call_answered(&mut self, id: CallId, call: Call, answer: Result<HttpAnswer, String>) {
        let outcome = match (&call, &answer) {
            (_, Err(reason)) => Err(call.failure(&self.config, Err(reason))),
            (Call::History(fetch), Ok(answer)) => {
                let shown = self.history_answered(id, fetch.clone(), answer);
                shown.map(|()| None).map_err(|refusal| refusal.of(&call, &self.config, answer))
            }
            (Call::Search(SearchCall::Page(_)), Ok(answer)) => {
                let shown = self.search_answered(id, answer);
                shown.map(|()| None).map_err(|refusal| refusal.of(&call, &self.config, answer))
            }
            (_, Ok(answer)) => call
                .event(id, &self.config, answer)
                .map_err(|refusal| refusal.of(&call, &self.config, answer)),
        };
        match outcome {
            Ok(Some(event)) => self.tell(event),
            Ok(None) => {}
            Err(failure) => self.tell(call.failed(id, failure)),
        }
    }

    /// The session is over: what ends by an event ends now.
    pub(crate) fn call_dropped(&mut self, id: CallId, call: &Call) {
        match call {
            Call::BlockList | Call::Contacts | Call::Group(_) => {}
            Call::Conversation(_)
            | Call::History(_)
            | Call::List(_)
            | Call::Search(_)
            | Call::Reaction(_)
            | Call::Pin(_)
            | Call::Joined(_) => {
                let failure = call.failure(&self.config, Err(Failure::CLOSED));
                self.tell(Event::CallFailed { call: id, failure });
            }
        }
    }
}

impl Call {
    /// What a good answer tells, if anything.
    fn event(&self, id: CallId, config: &Config, answer: &HttpAnswer) -> Result<Option<Event>, Refusal> {
        #[derive(Deserialize)]
        struct Envelope<T> {
            data: T,
        }
        #[derive(Deserialize)]
        struct NewGroup {
            groupid: String,
        }
        #[derive(Deserialize)]
        struct NewRoom {
            id: String,
        }
        let event = match self {
            Self::BlockList => Event::BlacklistUpdate(answer.read::<Envelope<Vec<String>>>()?.data),
            Self::Contacts => Event::Roster(answer.read::<Envelope<Vec<String>>>()?.data),
            Self::Group(GroupCall::CreateGroup(_)) => {
                Event::GroupCreated { group: answer.read::<Envelope<NewGroup>>()?.data.groupid }
            }
            Self::Group(GroupCall::CreateRoom { .. }) => {
                Event::RoomCreated { room: answer.read::<Envelope<NewRoom>>()?.data.id }
            }
            Self::Group(_) => return answer.read::<serde::de::IgnoredAny>().map(|_| None),
            Self::Conversation(call) => {
                return call.read(&config.app_key, answer).map(|outcome| Some(outcome.event(id)));
            }
            // Read where the cache is, or where what cannot be read is told.
            Self::History(_) | Self::Search(SearchCall::Page(_)) => return Ok(None),
            Self::Search(SearchCall::Remove { .. } | SearchCall::RemoveEverything) => {
                answer.read::<serde::de::IgnoredAny>().map(|_| Event::Done { call: id })?
            }
            Self::List(call) => call.read(id, answer)?,
            Self::Reaction(call) => call.read(id, answer)?,
            Self::Pin(call) => call.read(id, answer)?,
            Self::Joined(call) => call.read(id, answer)?,
        };
        Ok(Some(event))
    }
}

impl ConversationOutcome {
    fn event(self, call: CallId) -> Event {
        match self {
            Self::Conversations(conversations) => Event::Conversations { call, conversations },
            Self::Deleted => Event::ConversationDeleted { call },
            Self::Readers { users, total, next } => Event::Readers { call, users, total, next },
        }
    }
}

impl Refusal {
    fn of(self, call: &Call, config: &Config, answer: &HttpAnswer) -> Failure {
        match self {
            Self::Refused => call.failure(config, Ok(answer)),
            Self::Unreadable(reason) => call.failure(config, Err(&reason)),
        }
    }
}
