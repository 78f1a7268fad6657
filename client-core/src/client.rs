//! The client as its user and its runner see it: configuration, the commands of a session, and the three polls.
//!
//! What happens on a link is in `session`. Other commands are with what they are about: `receipt`, `transfer`,
//! `history`, `search`, `conversations`, `conversation_list`, `contacts`, `groups`, `room`, `modify`, `reaction`, `pin`.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::attachment::AttachmentUrls;
use crate::calls::Call;
use crate::door::Door;
use crate::emoji::EmojiTable;
use crate::error::{CommandError, Failure};
use crate::event::Event;
use crate::history::History;
use crate::inbox::Inbox;
use crate::lane::Lane;
use crate::message::{LocalId, LocalIds, Message};
use crate::outbox::{Outbox, Outgoing};
use crate::rest::{CallId, HttpAnswer, HttpRequest, segment, token_request};
use crate::session::{Login, Session};
use crate::timer::{Millis, Timer, Timers};
use crate::transfer::{Download, Upload};

/// Who a client is, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `org#app`.
    pub app_key: String,
    /// The user's name. Names are told apart without regard to case by the server; this one goes out as it
    /// is.
    pub username: String,
    /// Names the device for as long as it lives: logging in with it again replaces the old session, another
    /// name is another device.
    pub device: String,
    /// The base of REST addresses, such as `http://127.0.0.1:4000`.
    pub rest: String,
    /// Which way in.
    pub door: Door,
    /// How often a lost link is dialled again before the client gives up. Each successful login gives the
    /// whole number back; how long a redial waits starts afresh only when a link lasted (5 s, with an UNREAD
    /// answered), so that two devices of one name do not chase each other without a pause.
    pub reconnects: u32,
    /// Whether each message from another user to this one is acknowledged by itself when it has come.
    pub delivery: bool,
    /// How the addresses of received attachments are shown.
    pub attachment_urls: AttachmentUrls,
    /// What is taken out of received texts as [`crate::IncomingContent::Emoji`]; an empty table takes out nothing.
    pub emoji: EmojiTable,
}

impl Config {
    /// What a login would fail of without a word to the server.
    fn check(&self) -> Result<(), Failure> {
        if self.username.is_empty() {
            return Err(Failure::no_user());
        }
        let mut halves = self.app_key.split('#');
        match (halves.next(), halves.next(), halves.next()) {
            (Some(org), Some(app), None) if !org.is_empty() && !app.is_empty() => {}
            _ => return Err(Failure::bad_app_key(&self.app_key)),
        }
        self.door.check().map_err(Failure::bad_address)
    }

    /// As the 3.x SDK names it when it was given a device id (wire-3x §2.2).
    pub(crate) fn resource(&self) -> String {
        format!("webim_{}", self.device)
    }

    /// Whether an address lies on our own REST base.
    pub(crate) fn is_ours(&self, url: &str) -> bool {
        url.strip_prefix(self.rest.trim_end_matches('/')).is_some_and(|path| path.starts_with('/'))
    }

    pub(crate) fn rest_url(&self, path: &str) -> String {
        let (org, app) = self.app_key.split_once('#').unwrap_or((&self.app_key, ""));
        format!("{}/{}/{}{path}", self.rest.trim_end_matches('/'), segment(org), segment(app))
    }
}

/// One WebSocket of a client's life; each dial makes a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LinkId(pub(crate) u64);

/// A whole WebSocket message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireMessage {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Bytes),
}

/// Something the client wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transmit {
    /// Open a WebSocket; answer with [`Received::Dialed`], or with [`Received::HungUp`] if that fails.
    Dial {
        /// Its name from now on.
        link: LinkId,
        /// Where to.
        url: String,
    },
    /// Send a message. Messages of one link keep their order.
    Frame {
        /// On which.
        link: LinkId,
        /// What.
        message: WireMessage,
    },
    /// Close the WebSocket, after what was given to send. Nothing need be told of it any more.
    HangUp {
        /// Which.
        link: LinkId,
    },
    /// Make an HTTP request; answer with [`Received::Http`].
    Http(HttpRequest),
    /// Give up an HTTP request: nobody waits for its answer any more. Nothing need be told of it.
    Cancel {
        /// Which; it may have come to its end meanwhile.
        call: CallId,
    },
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A WebSocket is open.
    Dialed {
        /// Which.
        link: LinkId,
    },
    /// A message came.
    Message {
        /// On which.
        link: LinkId,
        /// What.
        message: WireMessage,
    },
    /// A WebSocket is gone, or could not be opened.
    HungUp {
        /// Which.
        link: LinkId,
        /// Why, for a person.
        reason: String,
    },
    /// So much of a request's body has gone out; only where it wants to be told, any number of times, and never
    /// after its end.
    HttpProgress {
        /// Which.
        call: CallId,
        /// Bytes of the body that were handed to the system.
        sent: u64,
    },
    /// An HTTP request came to its end.
    Http {
        /// Which.
        call: CallId,
        /// The answer, or why there is none, for a person.
        answer: Result<HttpAnswer, String>,
    },
    /// It is later now, perhaps later than [`Client::next_deadline`].
    Timeout,
}

/// A client: see the crate's documentation for how to run one.
#[derive(Debug)]
pub struct Client {
    pub(crate) config: Config,
    pub(crate) session: Session,
    pub(crate) outbox: Outbox,
    pub(crate) inbox: Inbox,
    pub(crate) calls: Lane<Call>,
    pub(crate) uploads: Lane<Upload>,
    pub(crate) downloads: Lane<Download>,
    pub(crate) history: History,
    pub(crate) timers: Timers,
    pub(crate) network_up: bool,
    pub(crate) links: u64,
    ids: LocalIds,
    last_call: u64,
    transmits: VecDeque<Transmit>,
    events: VecDeque<Event>,
}

impl Client {
    /// A client that is not logged in.
    pub fn new(config: Config) -> Self {
        Self {
            config,
            session: Session::Out,
            outbox: Outbox::default(),
            inbox: Inbox::default(),
            calls: Lane::default(),
            uploads: Lane::default(),
            downloads: Lane::default(),
            history: History::default(),
            timers: Timers::default(),
            network_up: true,
            links: 0,
            ids: LocalIds::default(),
            last_call: 0,
            transmits: VecDeque::new(),
            events: VecDeque::new(),
        }
    }

    /// Who the client is.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Logs in with a password: a token by REST, then the link. Ends in [`Event::Opened`], in
    /// [`Event::Error`] when refused, or in [`Event::Closed`] when there is no way through. An empty user
    /// (type 0) and an app key that is not `org#app` (type 27) are refused with nothing sent.
    pub fn login_password(&mut self, now: Millis, password: &str) -> Result<(), CommandError> {
        self.session.must_be_out()?;
        if let Err(failure) = self.config.check() {
            self.tell(Event::Error(failure));
            return Ok(());
        }
        let call = self.next_call_id();
        self.transmit(Transmit::Http(token_request(call, now, &self.config, password)));
        self.session = Session::Token { call };
        self.start_login_timer(now);
        Ok(())
    }

    /// Logs in with an access token, without REST. As [`Client::login_password`] otherwise; an empty token is
    /// type 28.
    pub fn login_token(&mut self, now: Millis, token: &str) -> Result<(), CommandError> {
        self.session.must_be_out()?;
        let checked = self.config.check();
        if let Err(failure) =
            checked.and_then(|()| if token.is_empty() { Err(Failure::no_token()) } else { Ok(()) })
        {
            self.tell(Event::Error(failure));
            return Ok(());
        }
        self.dial(now, Login::new(token.to_owned()));
        Ok(())
    }

    /// Logs out. Messages without an answer fail (510), then [`Event::Closed`] comes, and nothing after it.
    /// Does nothing when there is nothing to close.
    pub fn close(&mut self) {
        let session = std::mem::take(&mut self.session);
        if let Session::Out = session {
            return;
        }
        if let Some(call) = session.login_call() {
            self.transmit(Transmit::Cancel { call });
        }
        self.end(session.link());
        self.tell(Event::Closed);
    }

    /// Sends a message, or queues it while the link is down. The outcome comes as [`Event::Sent`] or
    /// [`Event::Failed`] with the returned id. When not logged in the outcome is a failure of type 32, and
    /// nothing is queued.
    pub fn send(&mut self, now: Millis, message: Message) -> Result<LocalId, CommandError> {
        message.check()?;
        self.dispatch(now, Outgoing::Message(message))
    }

    pub(crate) fn dispatch(&mut self, now: Millis, outgoing: Outgoing) -> Result<LocalId, CommandError> {
        let local = self.ids.next(now);
        if self.session.is_open() {
            self.outbox.push(local, outgoing)?;
            self.pump(now);
        } else {
            self.tell(Event::Failed { local, failure: Failure::not_logged_in() });
        }
        Ok(local)
    }

    /// A new local message id, never to be given again.
    pub fn unique_id(&mut self, now: Millis) -> LocalId {
        self.ids.next(now)
    }

    /// The host tells that the local network went or came. While it is away no dial is made; when it comes
    /// back a lost link is dialled at once with the whole budget, and a link that seems up is asked for a
    /// sign of life. The same news twice is no news.
    pub fn network(&mut self, now: Millis, up: bool) {
        if up == self.network_up {
            return;
        }
        self.network_up = up;
        self.tell(if up { Event::Online } else { Event::Offline });
        self.network_changed(now);
        self.pump(now);
    }

    /// Takes in something that happened at `now`, which must not be earlier than any `now` before.
    pub fn handle(&mut self, now: Millis, received: Received) {
        match received {
            Received::Dialed { link } => self.dialed(now, link),
            Received::Message { link, message } => self.heard(now, link, message),
            Received::HungUp { link, reason } => self.hung_up(now, link, &reason),
            Received::HttpProgress { call, sent } => self.progressed(call, sent),
            Received::Http { call, answer } => self.http_answered(now, call, answer),
            Received::Timeout => self.timeout(now),
        }
        self.pump(now);
    }

    /// The next thing to carry out.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next thing to show.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When the client wants [`Received::Timeout`], if at all.
    pub fn next_deadline(&self) -> Option<Millis> {
        let deadlines = [
            self.timers.next_deadline(),
            self.outbox.next_deadline(),
            self.inbox.next_deadline(),
            self.calls.next_deadline(),
            self.uploads.next_deadline(),
            self.downloads.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(crate) fn transmit(&mut self, transmit: Transmit) {
        self.transmits.push_back(transmit);
    }

    /// Sends on whatever can go out now.
    pub(crate) fn pump(&mut self, now: Millis) {
        if let Session::Online { link, me, .. } = &self.session {
            let link = *link;
            while let Some(frame) = self.outbox.next_frame(now, me) {
                let message = self.config.door.wrap(prost::Message::encode_to_vec(&frame));
                self.transmits.push_back(Transmit::Frame { link, message });
            }
        }
        if self.session.is_open() {
            self.next_call(now);
            self.next_transfers(now);
        }
    }

    pub(crate) fn next_call_id(&mut self) -> CallId {
        self.last_call += 1;
        CallId(self.last_call)
    }

    pub(crate) fn start_login_timer(&mut self, now: Millis) {
        self.timers.set(Timer::Login, now.after(crate::session::LOGIN_LIMIT_MS));
    }
}

pub(crate) fn not_empty(command: &'static str, name: &str) -> Result<String, CommandError> {
    if name.is_empty() { Err(CommandError::NoName { command }) } else { Ok(name.to_owned()) }
}

pub(crate) fn named_users(command: &'static str, users: Vec<String>) -> Result<Vec<String>, CommandError> {
    if users.is_empty() || users.iter().any(String::is_empty) {
        return Err(CommandError::NoUsers { command });
    }
    Ok(users)
}
