//! One world of a server: its machine, clock, connections, attachments and tape.
//!
//! [`World::feed`] is the only way into a machine: it takes the input, and carries out all that comes of it
//! before it returns.

mod taped;

use std::cell::{Cell, RefCell, RefMut};
use std::collections::{BTreeSet, VecDeque};
use std::rc::{Rc, Weak};

use bytes::{Bytes, BytesMut};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use tokio::sync::Notify;
use tokio::task::spawn_local;

use super::blobs::Blobs;
use super::clock::Clock;
use super::webhook;
use super::ws::{Conn, Wrapped};
use super::{NotQuiet, Quiet};
use crate::control::{Control, ControlError};
use crate::journal::{Entry, Given, Journal};
use crate::machine::rest::{Request, Response};
use crate::machine::{
    BlobId, Close, Config, ConnId, Finding, Input, Millis, Output, RequestId, Server, Upload, WebhookAnswer,
    WebhookId,
};
use crate::replay::{BlobChange, Replay};
use crate::tape::{Direction, Event, FINDINGS_MAX, Row, TapeLength};

/// A socket in a world, until it leaves, however that comes about.
pub(super) struct Member {
    world: Rc<World>,
    id: ConnId,
    why: Option<String>,
}

/// One world and what belongs to it.
pub(super) struct World {
    /// For tasks that outlast the call that began them.
    itself: Weak<Self>,
    state: RefCell<State>,
    blobs: Rc<Blobs>,
    /// Something happened: whoever waits for quiet looks again.
    changed: Notify,
    /// How many wait; nearly always none, and a frame then need not tell anybody.
    watchers: Cell<usize>,
    /// When it was used last, as its server counts uses: a socket came or went, a request or a command came.
    last_use: Cell<u64>,
    uses: Rc<Cell<u64>>,
}

struct State {
    machine: Server,
    clock: Clock,
    conns: IndexMap<ConnId, Rc<Conn>, FxBuildHasher>,
    next_conn: u64,
    next_request: u64,
    open_requests: usize,
    answers: IndexMap<RequestId, Response>,
    tape: Option<Tape>,
    findings: Vec<Finding>,
    /// Whose bytes the world has in the server's keeping.
    kept: BTreeSet<BlobId>,
    wrapped: Wrapped,
    /// Connections of a journal that was replayed: logged in, and nobody is behind them.
    ghosts: BTreeSet<ConnId>,
}

struct Tape {
    rows: VecDeque<Row>,
    rows_max: usize,
    length: TapeLength,
    journal: Journal,
}

impl Member {
    /// The socket joins the world.
    pub(super) fn new(world: Rc<World>, conn: &Rc<Conn>) -> Self {
        let id = world.open(conn);
        Self { world, id, why: None }
    }

    pub(super) fn id(&self) -> ConnId {
        self.id
    }

    pub(super) fn leave(mut self, why: &str) {
        self.why = Some(why.to_owned());
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.world.closed(self.id, self.why.as_deref().unwrap_or("the server's task ended"));
    }
}

impl World {
    /// A world without a soul. It keeps a tape of so many rows.
    pub(super) fn new(
        config: Config,
        tape_rows_max: Option<usize>,
        uses: &Rc<Cell<u64>>,
        blobs: &Rc<Blobs>,
    ) -> Rc<Self> {
        let tape = tape_rows_max.map(|rows_max| Tape {
            rows: VecDeque::new(),
            rows_max,
            length: TapeLength::default(),
            journal: Journal::new(rows_max),
        });
        let made = tape.is_some().then(|| Given::Made {
            app_key: config.app_key.to_string(),
            settings: Box::new(config.settings.clone()),
            first_id: config.first_id,
        });
        let mut state = State {
            machine: Server::new(config),
            clock: Clock::wall(),
            conns: IndexMap::default(),
            next_conn: 1,
            next_request: 1,
            open_requests: 0,
            answers: IndexMap::new(),
            tape,
            findings: Vec::new(),
            kept: BTreeSet::new(),
            wrapped: Wrapped::default(),
            ghosts: BTreeSet::new(),
        };
        if let Some(made) = made {
            let now = state.clock.now();
            state.note(now, made);
        }
        let world = Rc::new_cyclic(|itself| Self {
            itself: Weak::clone(itself),
            state: RefCell::new(state),
            blobs: Rc::clone(blobs),
            changed: Notify::new(),
            watchers: Cell::new(0),
            last_use: Cell::new(0),
            uses: Rc::clone(uses),
        });
        world.touch();
        world
    }

    pub(super) fn touch(&self) {
        self.uses.set(self.uses.get() + 1);
        self.last_use.set(self.uses.get());
    }

    pub(super) fn last_use(&self) -> u64 {
        self.last_use.get()
    }

    /// Where the bytes of its attachments are, and those of all others.
    pub(super) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// How many bytes of an upload with this token are worth keeping; `None`: none.
    pub(super) fn upload_bytes_max(&self, token: Option<&str>) -> Option<u64> {
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        state.machine.upload_bytes_max(now, token)
    }

    pub(super) fn heartbeat(&self) {
        self.state.borrow().conns.values().for_each(|conn| conn.heartbeat());
    }

    /// Cuts every connection: the world is forgotten.
    pub(super) fn cut(&self) {
        self.state.borrow().conns.values().for_each(|conn| conn.end(Close::Cut));
    }

    /// Whether forgetting it harms nobody.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.state.borrow();
        state.machine.is_idle() && state.open_requests == 0
    }

    /// A socket joins the world.
    fn open(&self, conn: &Rc<Conn>) -> ConnId {
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        let id = ConnId(state.next_conn);
        state.next_conn += 1;
        state.conns.insert(id, Rc::clone(conn));
        state.note(now, Given::Opened { conn: id, door: conn.door() });
        state.record(now, Event::Opened { conn: id, door: conn.door() });
        self.feed(state, now, Input::Opened { conn: id });
        id
    }

    /// A frame came.
    pub(super) fn frame(&self, conn: ConnId, bytes: Bytes) {
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        if state.tape.is_some() {
            // Copied: a slice would hold the socket's read buffer alive for as long as the tape.
            let bytes = Bytes::copy_from_slice(&bytes);
            state.note(now, Given::Frame { conn, bytes: bytes.clone() });
            state.record(now, Event::Frame { conn, direction: Direction::Up, bytes });
        }
        self.feed(state, now, Input::Frame { conn, bytes });
    }

    /// The socket is gone.
    fn closed(&self, conn: ConnId, why: &str) {
        self.touch();
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        state.conns.shift_remove(&conn);
        if state.tape.is_some() {
            state.note(now, Given::Closed { conn, why: why.to_owned() });
            state.record(now, Event::Closed { conn, why: why.to_owned() });
        }
        self.feed(state, now, Input::Closed { conn });
    }

    /// A request is being read; the world is not quiet until [`World::request`] has answered it.
    pub(super) fn request_begins(&self) {
        self.state.borrow_mut().open_requests += 1;
    }

    /// The request broke off.
    pub(super) fn request_ends(&self) {
        self.state.borrow_mut().open_requests -= 1;
        self.tell_watchers();
    }

    pub(super) fn request(&self, request: Request) -> Option<Response> {
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        if let Some(Upload::File { blob, .. }) = &request.upload {
            state.kept.insert(*blob);
        }
        let id = RequestId(state.next_request);
        state.next_request += 1;
        let told = state.tape.is_some().then(|| request.clone());
        if told.is_some() {
            let content = state.content(&self.blobs, &request);
            state.note(now, Given::Http { request: Box::new(request.clone()), content });
        }
        self.feed(state, now, Input::Http { id, request: Box::new(request) });
        let mut state = self.state.borrow_mut();
        let response = state.answers.swap_remove(&id)?;
        if let Some(request) = told {
            let user = request.token.as_deref().and_then(|token| state.machine.token_user(now, token));
            let event = Event::asked(&request, user, &response);
            state.record(now, event);
        }
        Some(response)
    }

    pub(super) fn now(&self) -> Millis {
        self.state.borrow_mut().clock.now()
    }

    pub(super) fn control(&self, control: Control) -> Result<(), ControlError> {
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        if state.tape.is_some() {
            state.note(now, Given::Control(Box::new(control.clone())));
        }
        let outcome = state.machine.control(now, control);
        self.carry_out(state, now);
        outcome
    }

    pub(super) fn set_clock(&self, now: Millis) {
        let mut state = self.state.borrow_mut();
        state.clock = Clock::Manual { now };
        state.note(now, Given::Stopped(now));
    }

    pub(super) fn advance(&self, ms: u64) {
        let mut state = self.state.borrow_mut();
        state.clock.advance(ms);
        let now = state.clock.now();
        state.note(now, Given::Advanced { ms });
    }

    /// Of no tape, it stays 0.
    pub(super) fn tape_len(&self) -> TapeLength {
        self.state.borrow().tape.as_ref().map(|tape| tape.length.clone()).unwrap_or_default()
    }

    pub(super) fn tape(&self) -> Vec<Row> {
        self.state.borrow().tape.iter().flat_map(|tape| tape.rows.iter().cloned()).collect()
    }

    /// `None`: no tape is kept, or the journal became too long.
    pub(super) fn journal(&self) -> Option<Vec<Entry>> {
        let state = self.state.borrow();
        state.tape.as_ref()?.journal.entries().map(<[Entry]>::to_vec)
    }

    /// Puts a world that nobody has been in where a journal ends. The connections that are open there stay logged in,
    /// with nobody behind them.
    pub(super) fn resume(&self, entries: Vec<Entry>, replay: Replay) {
        let Replay { app_key: _, machine, replayed, open, leaving, unanswered, blobs } = replay;
        let mut state = self.state.borrow_mut();
        state.machine = machine;
        for Entry { given, .. } in &entries {
            match given {
                Given::Stopped(now) => state.clock = Clock::Manual { now: *now },
                Given::Advanced { ms } => state.clock.advance(*ms),
                Given::Http { request, .. } => {
                    if let Some(Upload::File { blob, .. }) = &request.upload {
                        state.kept.insert(*blob);
                    }
                }
                Given::Made { .. }
                | Given::Opened { .. }
                | Given::Frame { .. }
                | Given::Closed { .. }
                | Given::Webhook { .. }
                | Given::Control(_) => {}
            }
        }
        state.next_conn = open.iter().map(|conn| conn.0 + 1).max().unwrap_or(1).max(state.next_conn);
        state.ghosts = open;
        state.findings = replayed.findings;
        if let Some(tape) = &mut state.tape {
            replayed.rows.iter().for_each(|_| tape.length.count());
            tape.rows = replayed.rows.into_iter().rev().take(tape.rows_max).rev().collect();
            tape.journal = Journal::resume(entries, tape.rows_max);
        }
        for change in blobs {
            match change {
                BlobChange::Forgotten(blob) => {
                    state.kept.remove(&blob);
                    self.blobs.forget(blob);
                }
                BlobChange::Joined(parts) => {
                    for part in parts.iter().skip(1) {
                        state.kept.remove(part);
                    }
                    self.blobs.join(&parts);
                }
            }
        }
        drop(state);
        leaving.into_iter().for_each(|conn| self.closed(conn, "closed by the server"));
        for id in unanswered {
            let why = "an app's own server is no part of a replay".to_owned();
            self.webhook_answered(id, WebhookAnswer::Failed(why));
        }
    }

    pub(super) fn findings(&self) -> Vec<Finding> {
        self.state.borrow().findings.clone()
    }

    /// Waits until nothing is left to do. Whoever asks bounds the wait.
    pub(super) async fn quiet(&self) -> Quiet {
        let _watching = Watch::new(self);
        loop {
            let changed = self.changed.notified();
            let before = self.mark();
            let mark = self.after_io().await;
            if self.waits().is_empty() {
                if mark == before {
                    return Quiet { mark };
                }
                continue;
            }
            changed.await;
        }
    }

    /// Waits until the server itself has nothing to do here. Whoever asks bounds the wait.
    pub(super) async fn rest(&self) {
        let _watching = Watch::new(self);
        loop {
            let changed = self.changed.notified();
            self.after_io().await;
            let is_working = {
                let state = self.state.borrow();
                state.open_requests > 0 || state.machine.asks()
            };
            if !is_working {
                return;
            }
            changed.await;
        }
    }

    /// How much clients have sent by now.
    pub(super) fn mark(&self) -> u64 {
        self.state.borrow().machine.inputs()
    }

    /// The mark, when what clients have written by now is read: each yield lets the runtime look at the sockets.
    async fn after_io(&self) -> u64 {
        for _ in 0..IO_TURNS {
            tokio::task::yield_now().await;
        }
        self.mark()
    }

    fn tell_watchers(&self) {
        if self.watchers.get() > 0 {
            self.changed.notify_waiters();
        }
    }

    /// What the world waits for, in words.
    pub(super) fn waits(&self) -> Vec<String> {
        let state = self.state.borrow();
        let mut waits = state.machine.unfinished();
        if state.open_requests > 0 {
            waits.push(format!("{} requests are not answered", state.open_requests));
        }
        waits
    }

    fn feed(&self, mut state: RefMut<'_, State>, now: Millis, input: Input) {
        state.machine.handle(now, input);
        self.carry_out(state, now);
    }

    fn webhook_answered(&self, id: WebhookId, answer: WebhookAnswer) {
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        if state.tape.is_some() {
            state.note(now, Given::Webhook { id, answer: answer.clone() });
        }
        self.feed(state, now, Input::Webhook { id, answer });
    }

    /// Does what the machine wants done, and flushes each socket once.
    fn carry_out(&self, mut state: RefMut<'_, State>, now: Millis) {
        let mut touched: Touched = Touched::default();
        let mut gone = Vec::new();
        while let Some(output) = state.machine.poll_output() {
            match output {
                Output::Frame { conn, bytes } => {
                    if state.tape.is_some() {
                        state.record(
                            now,
                            Event::Frame { conn, direction: Direction::Down, bytes: bytes.clone() },
                        );
                    }
                    let State { conns, wrapped, .. } = &mut *state;
                    if let Some(socket) = conns.get(&conn) {
                        let first = !socket.is_unflushed();
                        socket.send(bytes, wrapped);
                        if first {
                            touched.push(socket);
                        }
                    }
                }
                Output::Close { conn, how } => {
                    if how == Close::Mute {
                        state.record(now, Event::Muted { conn });
                    }
                    if let Some(socket) = state.conns.get(&conn) {
                        socket.end(how);
                    } else if how != Close::Mute && state.ghosts.remove(&conn) {
                        gone.push(conn);
                    }
                }
                Output::Http { id, response } => {
                    state.answers.insert(id, response);
                }
                Output::ForgetBlob(blob) => {
                    state.kept.remove(&blob);
                    self.blobs.forget(blob);
                }
                Output::JoinBlobs(parts) => {
                    for part in parts.iter().skip(1) {
                        state.kept.remove(part);
                    }
                    self.blobs.join(&parts);
                }
                Output::Webhook { id, request } => {
                    let world = Weak::clone(&self.itself);
                    spawn_local(async move {
                        let answer = webhook::ask(request).await;
                        // A world that was forgotten meanwhile needs no answer.
                        if let Some(world) = world.upgrade() {
                            world.webhook_answered(id, answer);
                        }
                    });
                }
                Output::LoggedIn { conn, user, resource } => {
                    state.record(now, Event::LoggedIn { conn, user, resource });
                }
                Output::Finding(finding) => {
                    tracing::warn!(user = finding.user, "{}: {}", finding.clause, finding.text);
                    if state.findings.len() < FINDINGS_MAX {
                        state.findings.push(finding);
                    }
                }
                Output::Warning(text) => tracing::warn!("{text}"),
            }
        }
        drop(state);
        touched.flush();
        self.tell_watchers();
        // Nobody is behind these who would close.
        gone.into_iter().for_each(|conn| self.closed(conn, "closed by the server"));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for blob in &self.state.get_mut().kept {
            self.blobs.forget(*blob);
        }
    }
}

/// Counts a watcher in for as long as it waits, however that ends.
struct Watch<'a>(&'a World);

impl<'a> Watch<'a> {
    fn new(world: &'a World) -> Self {
        world.watchers.set(world.watchers.get() + 1);
        Self(world)
    }
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        self.0.watchers.set(self.0.watchers.get() - 1);
    }
}

/// The sockets that one input wrote to: most often one or two, so the first ones need no allocation.
#[derive(Default)]
struct Touched {
    first: Option<Rc<Conn>>,
    second: Option<Rc<Conn>>,
    more: Vec<Rc<Conn>>,
}

impl Touched {
    fn push(&mut self, conn: &Rc<Conn>) {
        let conn = Rc::clone(conn);
        if self.first.is_none() {
            self.first = Some(conn);
        } else if self.second.is_none() {
            self.second = Some(conn);
        } else {
            self.more.push(conn);
        }
    }

    fn flush(self) {
        for conn in self.first.into_iter().chain(self.second).chain(self.more) {
            conn.flush();
        }
    }
}

/// A frame on its way through the kernel needs one turn, its answer's consequences another; the third is margin.
const IO_TURNS: usize = 3;

impl State {
    fn record(&mut self, at: Millis, event: Event) {
        if let Some(tape) = &mut self.tape {
            if tape.rows.len() == tape.rows_max {
                tape.rows.pop_front();
            }
            tape.rows.push_back(Row { at, event });
            tape.length.count();
        }
    }

    fn note(&mut self, at: Millis, given: Given) {
        if let Some(tape) = &mut self.tape {
            let row = tape.length.get();
            tape.journal.note(Entry { at, row, given });
        }
    }

    /// The bytes of a request's file, as far as the journal keeps them.
    fn content(&mut self, blobs: &Blobs, request: &Request) -> Option<Bytes> {
        let Some(Upload::File { blob, bytes, .. }) = request.upload.as_ref() else { return None };
        let tape = self.tape.as_mut()?;
        if !tape.journal.takes(*bytes) {
            return None;
        }
        let blob = blobs.find(*blob)?;
        let mut content = BytesMut::new();
        loop {
            match blob.read(content.len() as u64) {
                Ok(piece) if piece.is_empty() => return Some(content.freeze()),
                Ok(piece) => content.extend_from_slice(&piece),
                Err(error) => {
                    tracing::warn!("an attachment cannot be read for the journal: {error}");
                    return None;
                }
            }
        }
    }
}

/// The words for a world that did not become quiet in time.
pub(super) fn not_quiet(world: &World) -> NotQuiet {
    let mut waits = world.waits();
    if waits.is_empty() {
        waits.push("frames keep coming".into());
    }
    NotQuiet(waits)
}
