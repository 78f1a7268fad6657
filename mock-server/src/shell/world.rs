//! One world of a server: its machine, clock, connections, attachments and tape.
//!
//! [`World::feed`] is the only way into a machine: it takes the input, and carries out all that comes of it
//! before it returns.

mod taped;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::rc::{Rc, Weak};

use bytes::Bytes;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::spawn_local;

use super::blobs::Blobs;
use super::clock::Clock;
use super::webhook;
use super::ws::{Conn, Wrapped};
use super::{NotQuiet, Quiet};
use crate::control::{Control, ControlError};
use crate::machine::rest::{Body, Request, Response};
use crate::machine::{BlobId, Close, ConnId, Finding, Input, Millis, Output, RequestId, Server, Upload};
use crate::tape::{Direction, Event, Row, TapeLength};

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
}

struct Tape {
    rows: VecDeque<Row>,
    rows_max: usize,
    length: TapeLength,
}

/// More findings than this tell nobody more.
const FINDINGS_MAX: usize = 1_000;

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
        machine: Server,
        tape_rows_max: Option<usize>,
        uses: &Rc<Cell<u64>>,
        blobs: &Rc<Blobs>,
    ) -> Rc<Self> {
        let tape = tape_rows_max.map(|rows_max| Tape {
            rows: VecDeque::new(),
            rows_max,
            length: TapeLength::default(),
        });
        let state = State {
            machine,
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
        };
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
        let id = {
            let mut state = self.state.borrow_mut();
            let id = ConnId(state.next_conn);
            state.next_conn += 1;
            state.conns.insert(id, Rc::clone(conn));
            state.record(Event::Opened { conn: id, door: conn.door() });
            id
        };
        self.feed(Input::Opened { conn: id });
        id
    }

    /// A frame came.
    pub(super) fn frame(&self, conn: ConnId, bytes: Bytes) {
        let mut state = self.state.borrow_mut();
        if state.tape.is_some() {
            // Copied: a slice would hold the socket's read buffer alive for as long as the tape.
            let bytes = Bytes::copy_from_slice(&bytes);
            state.record(Event::Frame { conn, direction: Direction::Up, bytes });
        }
        drop(state);
        self.feed(Input::Frame { conn, bytes });
    }

    /// The socket is gone.
    fn closed(&self, conn: ConnId, why: &str) {
        self.touch();
        let mut state = self.state.borrow_mut();
        state.conns.shift_remove(&conn);
        state.record(Event::Closed { conn, why: why.to_owned() });
        drop(state);
        self.feed(Input::Closed { conn });
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
        let id = {
            let mut state = self.state.borrow_mut();
            if let Some(Upload::File { blob, .. }) = &request.upload {
                state.kept.insert(*blob);
            }
            let id = RequestId(state.next_request);
            state.next_request += 1;
            id
        };
        let told = self.state.borrow().tape.is_some().then(|| request.clone());
        self.feed(Input::Http { id, request: Box::new(request) });
        let mut state = self.state.borrow_mut();
        let response = state.answers.swap_remove(&id)?;
        if let Some(Request { method, path, query, token, body, upload, .. }) = told {
            let body = upload.as_ref().map_or(body, shown_upload);
            let now = state.clock.now();
            let user = token.and_then(|token| state.machine.token_user(now, &token).map(str::to_owned));
            let path = if query.is_empty() { path } else { format!("{path}?{query}") };
            state.record(Event::Http {
                method: method.word().to_uppercase(),
                path,
                user,
                body,
                status: response.status,
                answer: shown(&response.body),
            });
        }
        Some(response)
    }

    pub(super) fn now(&self) -> Millis {
        self.state.borrow_mut().clock.now()
    }

    pub(super) fn control(&self, control: Control) -> Result<(), ControlError> {
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        let outcome = state.machine.control(now, control);
        self.carry_out(state);
        outcome
    }

    pub(super) fn set_clock(&self, now: Millis) {
        self.state.borrow_mut().clock = Clock::Manual { now };
    }

    pub(super) fn advance(&self, ms: u64) {
        self.state.borrow_mut().clock.advance(ms);
    }

    /// Of no tape, it stays 0.
    pub(super) fn tape_len(&self) -> TapeLength {
        self.state.borrow().tape.as_ref().map(|tape| tape.length.clone()).unwrap_or_default()
    }

    pub(super) fn tape(&self) -> Vec<Row> {
        self.state.borrow().tape.iter().flat_map(|tape| tape.rows.iter().cloned()).collect()
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

    fn feed(&self, input: Input) {
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        state.machine.handle(now, input);
        self.carry_out(state);
    }

    /// Does what the machine wants done, and flushes each socket once.
    fn carry_out(&self, mut state: std::cell::RefMut<'_, State>) {
        let mut touched: Touched = Touched::default();
        while let Some(output) = state.machine.poll_output() {
            match output {
                Output::Frame { conn, bytes } => {
                    if state.tape.is_some() {
                        state.record(Event::Frame { conn, direction: Direction::Down, bytes: bytes.clone() });
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
                        state.record(Event::Muted { conn });
                    }
                    if let Some(socket) = state.conns.get(&conn) {
                        socket.end(how);
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
                            world.feed(Input::Webhook { id, answer });
                        }
                    });
                }
                Output::LoggedIn { conn, user, resource } => {
                    state.record(Event::LoggedIn { conn, user, resource });
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
    fn record(&mut self, event: Event) {
        let at = self.clock.now();
        if let Some(tape) = &mut self.tape {
            if tape.rows.len() == tape.rows_max {
                tape.rows.pop_front();
            }
            tape.rows.push_back(Row { at, event });
            tape.length.count();
        }
    }
}

/// An upload as the tape shows it: a JSON object that says what came.
fn shown_upload(upload: &Upload) -> Bytes {
    let told = match upload {
        Upload::File { name, media_type, bytes, fields, .. } => {
            json!({ "file": name, "media_type": media_type, "bytes": bytes, "fields": fields })
        }
        Upload::TooLarge => json!({ "too_large": true }),
        Upload::Bad(why) | Upload::Lost(why) => json!({ "bad": why }),
    };
    told.to_string().into()
}

/// An answer as the tape shows it: of what is not JSON, a JSON object that says what it was.
fn shown(body: &Body) -> Bytes {
    let told = match body {
        Body::Json(json) => return json.clone(),
        Body::Text(text) => json!({ "text": String::from_utf8_lossy(text) }),
        Body::Blob { media_type, name, .. } => json!({ "file": name, "media_type": media_type }),
        Body::Reset => json!({ "reset": true }),
    };
    told.to_string().into()
}

/// The words for a world that did not become quiet in time.
pub(super) fn not_quiet(world: &World) -> NotQuiet {
    let mut waits = world.waits();
    if waits.is_empty() {
        waits.push("frames keep coming".into());
    }
    NotQuiet(waits)
}
