//! One world of the service as a pure state machine: no socket, no clock, no log.
//!
//! The host calls [`Server::handle`] with what happened and when, then [`Server::poll_output`] until it is
//! empty. The machine never fails: a bad peer is data, and leaves as an answer, a close or a [`Finding`].
//! Time must not go backwards.

mod account;
mod contacts;
mod conversation;
mod dismissal;
mod edit;
mod encode;
mod enrichment;
mod fault;
mod log;
mod message;
mod muc;
mod mutes;
mod nasty;
mod notification;
mod notify;
mod part_upload;
mod payload;
mod pins;
mod policy;
mod presence;
mod queue;
mod reaction;
mod recall;
mod receipt;
mod report;
pub mod rest;
mod room;
mod roster;
mod route;
mod rules;
mod session;
mod staging;
pub mod state;
mod thread;
mod timer;
mod upload;
mod view;
mod webhook;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroU64;

use bytes::Bytes;
use fixtures::wire::view::{MSyncView, SyncUpView};
use fixtures::wire::{Provision, m_sync, status};
use rustc_hash::FxBuildHasher;
use serde::{Deserialize, Serialize};

use crate::control::Settings;
use crate::rule::Side;
use crate::tape::Deed;
use account::Accounts;
#[cfg(feature = "shell")]
pub(crate) use account::TOKEN_BYTES_MAX;
pub(crate) use account::is_legal as is_legal_name;
use fault::Faults;
use log::Queues;
use muc::Mucs;
use nasty::Nasty;
pub use nasty::{Decision, Drawn};
use part_upload::PartUploads;
use pins::Pins;
use policy::SaidLately;
use presence::Presence;
use reaction::Reactions;
use receipt::Receipts;
use report::Reports;
pub use rules::RuleState;
use rules::Rules;
use session::Session;
use thread::Threads;
use timer::Timers;
use upload::Attachments;
pub use upload::{BlobId, Upload};
pub use view::View;
use webhook::Webhooks;
pub use webhook::{WebhookAnswer, WebhookId, WebhookRequest};

/// Ordered by insertion, so that a run can be replayed; hashed fast, since every frame looks three of them up.
type Map<K, V> = indexmap::IndexMap<K, V, FxBuildHasher>;
/// As [`Map`].
type Set<T> = indexmap::IndexSet<T, FxBuildHasher>;

/// A moment in ms since 1970; time is an argument everywhere in the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Millis(pub u64);

/// A connection of one world; the host never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ConnId(pub u64);

/// A REST request of one world, until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// What a world is made with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The tenant.
    pub app_key: AppKey,
    /// The rules it starts with.
    pub settings: Settings,
    /// The first message id. Above 2^53, so that a client that keeps ids as doubles is caught.
    pub first_id: u64,
    /// What decides wherever chance does: the same inputs and the same seed give the same outputs.
    pub seed: u64,
    /// The seed of nasty mode, in which whatever the protocol leaves open happens; `None`: as kind as it can be.
    pub nasty: Option<u64>,
}

/// `org#app`, the tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppKey {
    text: Box<str>,
    /// Where `#` is.
    hash_at: usize,
}

/// What happened to a world.
#[derive(Clone, Debug)]
pub enum Input {
    /// A socket asks to log in here; its frames follow.
    Opened {
        /// The connection.
        conn: ConnId,
    },
    /// One frame, unwrapped.
    Frame {
        /// The connection.
        conn: ConnId,
        /// As it was on the wire.
        bytes: Bytes,
    },
    /// The socket is gone, whoever closed it.
    Closed {
        /// The connection.
        conn: ConnId,
    },
    /// A REST request.
    Http {
        /// Names it in the answer.
        id: RequestId,
        /// What was asked; boxed, as a frame is far smaller.
        request: Box<rest::Request>,
    },
    /// What became of an [`Output::Webhook`].
    Webhook {
        /// Which.
        id: WebhookId,
        /// What came back, if anything.
        answer: WebhookAnswer,
    },
    /// It is as late as [`Server::next_deadline`] said, or later.
    Timeout,
}

/// What a world wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send one frame. The same bytes may go to many connections.
    Frame {
        /// To whom.
        conn: ConnId,
        /// The frame.
        bytes: Bytes,
    },
    /// Write out what was sent to the connection, then end it as `how` says. [`Input::Closed`] is still expected.
    Close {
        /// Which.
        conn: ConnId,
        /// How.
        how: Close,
    },
    /// A sign of life, out of turn: SockJS says `h`, WebSocket pings.
    Heartbeat {
        /// To whom.
        conn: ConnId,
    },
    /// The answer to a request.
    Http {
        /// Which.
        id: RequestId,
        /// The answer.
        response: rest::Response,
    },
    /// Nobody will ask for these bytes any more.
    ForgetBlob(BlobId),
    /// These are one from now on, in this order, and have the number of the first; there are two or more.
    JoinBlobs(Vec<BlobId>),
    /// Ask an app's own server; [`Input::Webhook`] is expected for it, once, and within the time that it names.
    Webhook {
        /// Names it in the answer.
        id: WebhookId,
        /// What to ask, and whom.
        request: WebhookRequest,
    },
    /// The connection is this device now: for the record of the run.
    LoggedIn {
        /// The connection.
        conn: ConnId,
        /// The user, folded.
        user: String,
        /// The device.
        resource: String,
    },
    /// A rule did something: for the record of the run. What is damaged comes right behind it.
    Fault {
        /// To whose frame; of a request none.
        conn: Option<ConnId>,
        /// The rule's number.
        rule: u64,
        /// What.
        deed: Deed,
        /// The same in words.
        text: String,
    },
    /// A client did something wrong that the server forgave.
    Finding(Finding),
    /// Something the person at the desk should know.
    Warning(String),
}

/// How a connection is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// With a close frame of this code.
    Code(u16),
    /// Without any: as if the link had gone.
    Cut,
    /// By a reset: what was not written yet is lost.
    Reset,
    /// Not at all: nothing more is sent, not even what was waiting, and the stream is read until the peer ends it.
    Mute,
}

/// Something a client did wrong that the server forgave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The clause it offends, as in fixtures/clauses.json.
    pub clause: &'static str,
    /// Whose connection, as `user/resource`; empty before login.
    pub user: String,
    /// Field, what was expected and what came.
    pub text: String,
}

/// What may be due.
#[derive(Clone, Debug)]
enum Due {
    /// The first thing that waits for or from a connection.
    Lane { conn: ConnId, side: Side },
    /// A request, or its answer.
    Request { id: RequestId, request: Box<rest::Request>, response: Option<Box<rest::Response>> },
}

/// One world.
#[derive(Clone, Debug)]
pub struct Server {
    app: AppKey,
    settings: Settings,
    next_id: u64,
    next_muc_id: u64,
    next_device: NonZeroU64,
    accounts: Accounts,
    mucs: Mucs,
    threads: Threads,
    queues: Queues,
    sessions: Map<ConnId, Session>,
    faults: Faults,
    rules: Rules,
    said_lately: SaidLately,
    receipts: Receipts,
    reactions: Reactions,
    reports: Reports,
    presence: Presence,
    pins: Pins,
    webhooks: Webhooks,
    attachments: Attachments,
    part_uploads: PartUploads,
    timers: Timers<Due>,
    seed: u64,
    /// Boxed: nearly always there is none.
    nasty: Option<Box<Nasty>>,
    outputs: VecDeque<Output>,
    inputs: u64,
}

impl Server {
    /// An empty world.
    pub fn new(config: Config) -> Self {
        Self {
            nasty: config.nasty.map(|seed| Box::new(Nasty::new(seed, &config.app_key))),
            app: config.app_key,
            settings: config.settings,
            next_id: config.first_id,
            next_muc_id: FIRST_MUC_ID,
            next_device: NonZeroU64::MIN,
            accounts: Accounts::default(),
            mucs: Mucs::default(),
            threads: Threads::default(),
            queues: Queues::default(),
            sessions: Map::default(),
            faults: Faults::default(),
            rules: Rules::default(),
            said_lately: SaidLately::default(),
            receipts: Receipts::default(),
            reactions: Reactions::default(),
            reports: Reports::default(),
            presence: Presence::default(),
            pins: Pins::default(),
            webhooks: Webhooks::default(),
            attachments: Attachments::default(),
            part_uploads: PartUploads::default(),
            timers: Timers::default(),
            seed: config.seed,
            outputs: VecDeque::new(),
            inputs: 0,
        }
    }

    /// Takes what happened at `now`.
    pub fn handle(&mut self, now: Millis, input: Input) {
        let mut from = self.outputs.len();
        match input {
            Input::Opened { conn } => {
                self.sessions.insert(conn, Session::opened());
            }
            Input::Frame { conn, bytes } => {
                self.inputs += 1;
                if self.rules.is_idle() {
                    self.frame(now, conn, bytes);
                } else {
                    self.ruled_frame(now, conn, bytes);
                }
            }
            Input::Closed { conn } => {
                self.rules_forget(conn);
                self.closed(conn);
                self.nasty_closed(conn);
            }
            Input::Http { id, request } => {
                self.inputs += 1;
                if self.rules.is_idle() {
                    let response = rest::answer(self, now, &request);
                    self.outputs.push_back(Output::Http { id, response });
                } else {
                    self.ruled_request(now, id, request);
                }
            }
            Input::Webhook { id, answer } => self.webhook_answered(now, id, answer),
            Input::Timeout => {
                self.nasty_timeout(now);
                // What was late has been decided upon.
                from = self.outputs.len();
                self.time_out(now);
            }
        }
        self.conclude(now, from);
    }

    /// What comes of what happened: who is told of whom, and what nasty mode makes of the outputs from the `from`th on,
    /// and rules of all.
    fn conclude(&mut self, now: Millis, from: usize) {
        self.tell_moves(now);
        if self.nasty.is_some() {
            self.decide_outputs(now, from);
        }
        if !self.rules.is_idle() {
            self.rule_outputs(now);
        }
    }

    /// When something is due here of itself; the host then gives [`Input::Timeout`], and asks again. Until something
    /// else is given, that moment stays the same.
    pub fn next_deadline(&self) -> Option<Millis> {
        self.timers.next().into_iter().chain(self.nasty_deadline()).min()
    }

    /// The world's seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The next thing to do, until `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How many frames and requests clients have sent.
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// Whether no connection is left, so that forgetting the world harms nobody.
    pub fn is_idle(&self) -> bool {
        self.sessions.is_empty()
    }

    /// What live devices still have to pull or acknowledge, in words; empty when the world is quiet.
    pub fn unfinished(&self) -> Vec<String> {
        let mut waits = Vec::new();
        for session in self.sessions.values() {
            if let Some(live) = session.live() {
                self.queues.unfinished(live, &self.accounts, &self.mucs, &mut waits);
            }
        }
        self.webhooks.unfinished(&self.accounts, &mut waits);
        self.nasty_unfinished(&mut waits);
        waits
    }

    /// Whether an app's own server has been asked for something and has not answered.
    pub fn asks(&self) -> bool {
        self.webhooks.asks()
    }

    /// Whose access token this is, while it has not expired.
    pub fn token_user(&self, now: Millis, token: &str) -> Option<&str> {
        self.accounts.token(now, token).ok().map(|user| self.accounts.name(user))
    }

    fn time_out(&mut self, now: Millis) {
        while let Some(due) = self.timers.take_due(now) {
            match due {
                Due::Lane { conn, side } => self.lane_due(now, conn, side),
                Due::Request { id, request, response } => {
                    self.request_due(now, id, request, response.map(|response| *response));
                }
            }
        }
    }

    /// The names of all users, folded.
    #[cfg(feature = "shell")]
    pub(crate) fn user_names(&self) -> impl Iterator<Item = &str> {
        self.accounts.all_names()
    }

    fn frame(&mut self, now: Millis, conn: ConnId, bytes: Bytes) {
        let Some(session) = self.sessions.get(&conn) else { return };
        if session.is_closing() {
            return;
        }
        let live = session.live().is_some();
        let view = match MSyncView::read(&bytes) {
            Ok(view) => view,
            Err(error) => {
                self.finding(conn, "recv.bad-frame", format!("not an MSync frame: {error}"));
                return self.refuse_sync(conn, None, status::ErrorCode::PbParserError, "not an MSync frame");
            }
        };
        let command = view.command.unwrap_or(m_sync::Command::Sync as i32);
        match m_sync::Command::try_from(command) {
            Ok(m_sync::Command::Sync) if live => self.sync(now, conn, view.payload),
            Ok(m_sync::Command::Provision) => self.provision(now, conn, bytes),
            Ok(m_sync::Command::Unread) if live => self.unread(now, conn),
            Ok(m_sync::Command::Logout) if live => self.logout(conn),
            Ok(m_sync::Command::Notice) => {
                self.finding(conn, "recv.bad-frame", "NOTICE goes from the server to clients only".into());
            }
            Ok(command @ (m_sync::Command::Sync | m_sync::Command::Unread | m_sync::Command::Logout)) => {
                self.finding(conn, "send.not-logged-in", format!("{command:?} before PROVISION"));
                self.refuse_sync(conn, None, status::ErrorCode::Unauthorized, "not logged in");
                self.end(conn, Close::Code(CLOSE_POLICY));
            }
            Err(_) => {
                self.finding(conn, "recv.bad-frame", format!("MSync.command is {command}, not 0 to 4"));
                self.refuse_sync(conn, None, status::ErrorCode::UnknownCommand, "unknown command");
            }
        }
    }

    fn sync(&mut self, now: Millis, conn: ConnId, payload: &[u8]) {
        let sync = match SyncUpView::read(payload) {
            Ok(sync) => sync,
            Err(error) => {
                self.finding(conn, "recv.bad-frame", format!("payload is not a CommSyncUL: {error}"));
                let reason = "payload is not a CommSyncUL";
                return self.refuse_sync(conn, None, status::ErrorCode::PbParserError, reason);
            }
        };
        if let Some(meta) = sync.meta {
            self.meta(now, conn, &meta);
        } else if let Some(queue) = sync.queue {
            self.pull(now, conn, &queue, sync.key);
        } else {
            self.finding(conn, "recv.bad-frame", "a SYNC with neither meta nor queue".into());
            let reason = "neither meta nor queue";
            self.refuse_sync(conn, None, status::ErrorCode::MissingParameter, reason);
        }
    }

    /// Also of what waited for a webhook, whose connection may be gone by now: then nobody is told.
    fn refuse_sync(&mut self, conn: ConnId, meta_id: Option<u64>, code: status::ErrorCode, reason: &str) {
        if self.sessions.get(&conn).is_none_or(Session::is_closing) {
            return;
        }
        let bytes = encode::refusal(meta_id, None, code as i32, reason);
        self.send(conn, bytes);
    }

    fn send(&mut self, conn: ConnId, bytes: Bytes) {
        self.outputs.push_back(Output::Frame { conn, bytes });
    }

    fn send_provision(&mut self, conn: ConnId, provision: &Provision) {
        self.send(conn, encode::provision(provision));
    }

    /// Ends a connection; its frames are not looked at any more.
    fn end(&mut self, conn: ConnId, how: Close) {
        self.retire(conn);
        self.outputs.push_back(Output::Close { conn, how });
    }

    fn finding(&mut self, conn: ConnId, clause: &'static str, text: String) {
        let user = self.sessions.get(&conn).and_then(Session::live).map_or_else(String::new, |live| {
            format!("{}/{}", self.accounts.name(live.reader.user), live.resource)
        });
        let text = self.with_seed(text);
        self.outputs.push_back(Output::Finding(Finding { clause, user, text }));
    }

    fn warn(&mut self, text: String) {
        let text = self.with_seed(text);
        self.outputs.push_back(Output::Warning(text));
    }

    fn allot_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }
}

/// What is quoted of a peer's words in a finding, a warning or a log: enough to find the place by, and a bound on
/// what a stranger can make us keep and print.
const EXCERPT_CHARS_MAX: usize = 300;

/// The beginning of a peer's words, with `…` where more follow.
pub(crate) fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(EXCERPT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// Group and room ids are digits, as long as the vendor's own (rest.md A.7).
const FIRST_MUC_ID: u64 = 100_000_000_000_001;
/// RFC 6455 §7.4.1: the peer broke a rule of ours.
const CLOSE_POLICY: u16 = 1008;

impl AppKey {
    /// Parses `org#app`; both halves are non-empty, and neither holds `#` or `/`.
    pub fn parse(text: &str) -> Option<Self> {
        /// Longer than any real one; a bound on what a stranger can make us keep.
        const HALF_BYTES_MAX: usize = 128;
        let (org, app) = text.split_once('#')?;
        let fits = |half: &str| {
            !half.is_empty()
                && half.len() <= HALF_BYTES_MAX
                && !half.contains(['#', '/'])
                && half.trim() == half
        };
        (fits(org) && fits(app)).then(|| Self { text: text.into(), hash_at: org.len() })
    }

    /// The half before `#`.
    pub fn org(&self) -> &str {
        &self.text[..self.hash_at]
    }

    /// The half after `#`.
    pub fn app(&self) -> &str {
        &self.text[self.hash_at + 1..]
    }

    /// `org#app`.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Config {
    /// What a developer's laptop gets.
    pub fn new(app_key: AppKey) -> Self {
        Self {
            app_key,
            settings: Settings::default(),
            // 19 digits, as real ids have; adjacent ids fall together when kept as doubles.
            first_id: 1_160_000_000_000_000_001,
            seed: 0,
            nasty: None,
        }
    }
}
