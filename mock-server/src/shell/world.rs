//! One world of a server: its machine, clock, connections, attachments and tape.
//!
//! [`World::feed`] is the only way into a machine: it takes the input, and carries out all that comes of it
//! before it returns.

mod choice;
mod overview;
mod requests;
mod sleep;
pub(super) mod state;
mod taped;
mod timeout;

use std::cell::{Cell, RefCell, RefMut};
use std::collections::BTreeSet;
use std::rc::{Rc, Weak};

use bytes::{Bytes, BytesMut};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use tokio::sync::Notify;
use tokio::task::spawn_local;

use super::blobs::Blobs;
use super::clock::Clock;
use super::tapes::{Tape, Tapes};
use super::webhook;
use super::ws::{Conn, Wrapped};
use super::{NotQuiet, Quiet};
use crate::control::{CommandsRefused, Control, ControlError};
use crate::journal::{Entry, Given, Journal};
use crate::machine::rest::Request;
use crate::machine::{
    BlobId, Close, Config, ConnId, Finding, Input, Millis, Output, RequestId, Server, Upload, WebhookAnswer,
    WebhookId,
};
use crate::replay::{BlobChange, Replay};
use crate::tape::{Event, FINDINGS_MAX};
use choice::Choices;
use requests::Asked;
use sleep::Sleepers;
use timeout::Timer;

pub(super) use sleep::Pace;

/// A socket in a world, until it leaves, however that comes about.
pub(super) struct Member {
    world: Rc<World>,
    id: ConnId,
    why: Option<String>,
}

/// How much of its run a world keeps.
#[derive(Clone, Copy, Debug)]
pub(super) struct TapeBounds {
    pub(super) rows_max: usize,
    pub(super) bytes_max: usize,
}

/// One world and what belongs to it.
pub(super) struct World {
    /// For tasks that outlast the call that began them.
    itself: Weak<Self>,
    state: RefCell<State>,
    timer: Timer,
    sleepers: Sleepers,
    blobs: Rc<Blobs>,
    tapes: Rc<Tapes>,
    /// Something happened: whoever waits for quiet looks again.
    changed: Notify,
    /// How many wait; nearly always none, and a frame then need not tell anybody.
    watchers: Cell<usize>,
    /// When it was used last, as its server counts uses: a socket came or went, a request or a command came.
    last_use: Cell<u64>,
    is_staged: Cell<bool>,
    uses: Rc<Cell<u64>>,
    /// How often something was done to it: whoever saves it knows by that whether it has to.
    changes: Cell<u64>,
}

struct State {
    machine: Server,
    clock: Clock,
    conns: IndexMap<ConnId, Rc<Conn>, FxBuildHasher>,
    next_conn: u64,
    next_request: u64,
    open_requests: usize,
    /// A connection or a request has come: from then on time does not go backwards.
    has_begun: bool,
    /// Requests that the machine has not answered yet.
    asked: IndexMap<RequestId, Asked>,
    tape: Option<Rc<Tape>>,
    /// The row of the frame that is being handled.
    cause: Option<usize>,
    findings: Vec<Finding>,
    /// Whose bytes the world has in the server's keeping.
    kept: BTreeSet<BlobId>,
    wrapped: Wrapped,
    /// Connections of a journal that was replayed: logged in, and nobody is behind them.
    ghosts: BTreeSet<ConnId>,
    /// What users have chosen by the names that they log in with.
    choices: Choices,
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
    /// A world without a soul. It keeps a tape within these bounds.
    pub(super) fn new(
        config: Config,
        tape: Option<TapeBounds>,
        uses: &Rc<Cell<u64>>,
        blobs: &Rc<Blobs>,
        tapes: &Rc<Tapes>,
    ) -> Rc<Self> {
        let tape = tape.map(|TapeBounds { rows_max, bytes_max }| {
            tapes.begin(rows_max, bytes_max, Journal::new(rows_max))
        });
        let made = tape.is_some().then(|| Given::Made {
            app_key: config.app_key.to_string(),
            settings: Box::new(config.settings.clone()),
            first_id: config.first_id,
            seed: config.seed,
            nasty: config.nasty,
        });
        let mut state = State {
            machine: Server::new(config),
            clock: Clock::wall(),
            conns: IndexMap::default(),
            next_conn: 1,
            next_request: 1,
            open_requests: 0,
            has_begun: false,
            asked: IndexMap::new(),
            tape,
            cause: None,
            findings: Vec::new(),
            kept: BTreeSet::new(),
            wrapped: Wrapped::default(),
            ghosts: BTreeSet::new(),
            choices: Choices::default(),
        };
        if let Some(made) = made {
            let now = state.clock.now();
            state.note(now, made);
        }
        let world = Rc::new_cyclic(|itself| Self {
            itself: Weak::clone(itself),
            state: RefCell::new(state),
            timer: Timer::default(),
            sleepers: Sleepers::default(),
            blobs: Rc::clone(blobs),
            tapes: Rc::clone(tapes),
            changed: Notify::new(),
            watchers: Cell::new(0),
            last_use: Cell::new(0),
            is_staged: Cell::new(false),
            uses: Rc::clone(uses),
            changes: Cell::new(0),
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
        self.end_sleepers();
        let mut state = self.state.borrow_mut();
        state.conns.values().for_each(|conn| conn.end(Close::Cut));
        state.tape.iter().for_each(|tape| tape.end());
        // Whoever waits for an answer learns that there will be none.
        state.asked.clear();
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
        state.has_begun = true;
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
        let due = self.due_behind(conn);
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        if let Some(tape) = &state.tape {
            let row = tape.length().get();
            tape.frame_up(now, conn, &bytes);
            state.cause = Some(row);
        }
        self.feed(state, now, Input::Frame { conn, bytes });
        if !due.is_empty() {
            self.strike(conn, due);
        }
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

    /// Whether its clock moves of itself.
    pub(super) fn clock_runs(&self) -> bool {
        self.state.borrow().clock.runs()
    }

    pub(super) fn now(&self) -> Millis {
        self.state.borrow_mut().clock.now()
    }

    pub(super) fn control(&self, control: Control) -> Result<(), ControlError> {
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        let doors =
            self.doors_after(std::slice::from_ref(&control)).map_err(|(_, error)| state.refused(error))?;
        if state.tape.is_some() {
            state.note(now, Given::Control(Box::new(control.clone())));
        }
        let outcome = state.machine.control(now, control).map_err(|error| state.refused(error));
        if let (Ok(()), Some(doors)) = (&outcome, doors) {
            *self.doors_mut() = doors;
        }
        let tape = state.tape.clone();
        self.carry_out(state, now);
        tape.iter().for_each(|tape| tape.changed());
        outcome
    }

    /// Does several things at one moment, or none of them.
    pub(super) fn control_all(&self, mut controls: Vec<Control>) -> Result<(), CommandsRefused> {
        // Each is done whole or not at all: of one alone no copy is needed.
        if controls.len() == 1 {
            let one = controls.remove(0);
            return self.control(one).map_err(|error| CommandsRefused { index: 0, count: 1, error });
        }
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        let noted = state.tape.is_some().then(|| controls.clone());
        let count = controls.len();
        let doors = self.doors_after(&controls).map_err(|(index, error)| CommandsRefused {
            index,
            count,
            error: state.refused(error),
        })?;
        let done = state.machine.control_all(now, controls);
        done.map_err(|refused| CommandsRefused { error: state.refused(refused.error), ..refused })?;
        if let Some(doors) = doors {
            *self.doors_mut() = doors;
        }
        for control in noted.into_iter().flatten() {
            state.note(now, Given::Control(Box::new(control)));
        }
        let tape = state.tape.clone();
        self.carry_out(state, now);
        tape.iter().for_each(|tape| tape.changed());
        Ok(())
    }

    /// Puts a world that nobody has been in where a journal ends. The connections that are open there stay logged in,
    /// with nobody behind them.
    pub(super) fn resume(&self, entries: Vec<Entry>, replay: Replay) {
        let Replay { app_key: _, machine, replayed, open, leaving, unanswered, asked: _, requests, blobs } =
            replay;
        let mut state = self.state.borrow_mut();
        state.machine = machine;
        for Entry { given, .. } in &entries {
            match given {
                Given::Stopped(now) => state.clock = Clock::Manual { now: *now },
                Given::Running => state.clock.run(),
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
                | Given::AtDoor { .. }
                | Given::Timeout
                | Given::Control(_) => {}
            }
        }
        state.next_conn = open.iter().map(|conn| conn.0 + 1).max().unwrap_or(1).max(state.next_conn);
        state.next_request = requests + 1;
        state.ghosts = open;
        state.findings = replayed.findings;
        if let Some(tape) = &state.tape {
            tape.resume(replayed.rows, entries);
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
        self.set_timer(&mut state);
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
                state.open_requests > self.standing_requests()
                    || state.machine.asks()
                    || state.machine.holds_back()
            };
            if !is_working {
                return;
            }
            changed.await;
        }
    }

    /// How much clients have sent by now.
    pub(super) fn mark(&self) -> u64 {
        self.state.borrow().machine.inputs() + self.knocks()
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
        self.changes.set(self.changes.get() + 1);
        let mut touched: Touched = Touched::default();
        let mut gone = Vec::new();
        let mut answers = Vec::new();
        while let Some(output) = state.machine.poll_output() {
            match output {
                Output::Frame { conn, bytes } => {
                    if let Some(tape) = &state.tape {
                        tape.frame_down(now, conn, &bytes);
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
                    if !state.choices.is_empty() {
                        state.choices.ended(conn, how);
                    }
                    if let Some(socket) = state.conns.get(&conn) {
                        socket.end(how);
                    } else if how != Close::Mute && state.ghosts.remove(&conn) {
                        gone.push(conn);
                    }
                }
                Output::Heartbeat { conn } => {
                    if let Some(socket) = state.conns.get(&conn) {
                        socket.heartbeat();
                    }
                }
                Output::Http { id, response } => answers.push((id, response)),
                Output::Fault { conn, rule, deed, text } => {
                    tracing::info!("rule {rule}: {text}");
                    state.record(now, Event::Fault { conn, rule, deed, text });
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
                    if !state.choices.is_empty() {
                        state.choices.logged_in(conn);
                    }
                    state.record(now, Event::LoggedIn { conn, user, resource });
                }
                Output::Finding(finding) => {
                    if let (Some(tape), Some(cause)) = (&state.tape, state.cause) {
                        tape.offend(cause, &finding);
                    }
                    tracing::warn!(user = finding.user, "{}: {}", finding.clause, finding.text);
                    if state.findings.len() < FINDINGS_MAX {
                        state.findings.push(finding);
                    }
                }
                Output::Warning(text) => tracing::warn!("{text}"),
            }
        }
        answers.into_iter().for_each(|(id, response)| state.answer(now, id, response));
        self.set_timer(&mut state);
        state.cause = None;
        drop(state);
        touched.flush();
        self.tell_watchers();
        // Nobody is behind these who would close.
        gone.into_iter().for_each(|conn| self.closed(conn, "closed by the server"));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.state.get_mut().tape.iter().for_each(|tape| tape.end());
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
    /// For a message to a person, which seed it takes to see this again.
    fn refused(&self, error: ControlError) -> ControlError {
        match self.machine.nasty_seed() {
            None => error,
            Some(seed) => ControlError::InNastyWorld { seed, error: Box::new(error) },
        }
    }

    fn record(&self, at: Millis, event: Event) {
        if let Some(tape) = &self.tape {
            tape.record(at, event);
        }
    }

    fn note(&self, at: Millis, given: Given) {
        if let Some(tape) = &self.tape {
            tape.note(at, given);
        }
    }

    /// The bytes of a request's file, as far as the journal keeps them.
    fn content(&self, blobs: &Blobs, request: &Request) -> Option<Bytes> {
        let Some(Upload::File { blob, bytes, .. }) = request.upload.as_ref() else { return None };
        let tape = self.tape.as_ref()?;
        if !tape.takes(*bytes) {
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
