//! Nasty mode: whatever the protocol leaves open happens, drawn from one seed, and the same again from the same seed.
//!
//! Each decision has a stream of its own, of the seed, the app, the device, how often that had come back, and the
//! decision's word: one that is new shifts no other, and what other devices do shifts none. Nothing that a client may
//! rely on is broken: nothing is lost, and within a conversation and between the answers of one connection order is
//! kept. Off, which is the default, it costs one check an input. What is held back meanwhile is in `held`.

mod held;

use std::collections::{BTreeMap, VecDeque};

use md5::{Digest as _, Md5};
use rand_xoshiro::Xoshiro128PlusPlus;
use rand_xoshiro::rand_core::{Rng as _, SeedableRng as _};

use super::session::Session;
use super::{AppKey, Close, ConnId, Map, Millis, Output, Server};
use held::{Held, Lane};

/// Where the service decides by itself what the protocol leaves open. The word is part of the stream: it stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// In which order an answer to UNREAD names the queues: it is a list without an order (wire-3x §3.1); clause
    /// conn.offline-sync promises one within a conversation only.
    QueueOrder,
    /// How many messages a page holds, 1 to 50: "some" (wire-3x §3.3, wire-4x §4), and the client asks on until the
    /// last page (clause conn.offline-sync: however many pages).
    PageSize,
    /// A page comes behind what is sent to the device later, but for its queue: pulls of several queues are under way
    /// at a time (wire-4x §4), and nothing says which is answered first.
    PageLate,
    /// A page comes once more, with another key, as if its key had not been read yet: a pull is idempotent (wire-3x §3.4),
    /// only a key acknowledges (§3.2), and clients know a message by its id (wire-3x §5, wire-4x §4). Of short pages
    /// only, since clients remember about 101 ids.
    PageAgain,
    /// A NOTICE comes twice: one for a queue that is listed already is dropped (wire-3x §3.4, wire-4x §4).
    NoticeAgain,
    /// A NOTICE comes behind what is sent to the device later, so that it tells of several messages or is overtaken by
    /// the NOTICE of another queue: nothing says when it comes (wire-3x §11 leaves the timing open).
    NoticeLate,
    /// A NOTICE for a queue that the device has just pulled to its end: another device may have been faster, and an
    /// empty last page is an answer (wire-3x §3.3).
    NoticeOfEmpty,
    /// The news of a receipt comes late, and then together with what came after it: clause receipt.delivered promises
    /// that it comes once, not when.
    ReceiptLate,
    /// The answer to a message comes behind NOTICEs and pages that are sent later: a client finds its message by the
    /// `metaId` (wire-3x §3.5), and nothing ties answers to queues.
    AnswerLate,
    /// The message is taken, its answer lost and the link cut: clauses send.dedupe and conn.reconnect. Only where the
    /// clock runs: on one that stands still nobody would come back.
    AnswerLost,
    /// The answer to a login takes its time: SDKs wait 10 s for it (wire-4x §3.3), and may send meanwhile (wire-3x §6.3).
    LoginLate,
    /// A SockJS `h`, or a WebSocket ping, out of turn (wire-3x §1.1: optional; RFC 6455 §5.5.2).
    Heartbeat,
}

/// What became of one decision so far, over all devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// How often it was drawn.
    pub times: u64,
    /// What came of it, folded: other outcomes, or others in between, give another number.
    pub outcomes: u64,
}

/// The nastiness of a world.
#[derive(Clone, Debug)]
pub(super) struct Nasty {
    pub(super) seed: u64,
    app: Box<str>,
    streams: Map<ConnId, Streams>,
    held: Held,
    drawn: BTreeMap<Decision, Drawn>,
    /// What is being handled is a receipt.
    pub(super) is_receipt: bool,
}

/// The streams of one connection, made as they are needed.
#[derive(Clone, Debug)]
struct Streams {
    /// All that they have in common.
    stem: Md5,
    rngs: BTreeMap<Decision, Xoshiro128PlusPlus>,
}

/// Clients give up a login after 10 s and a message after 15 (wire-4x §3.3, §5.2); the SDKs' own patience is not what is
/// put to the test.
const LATE_MS_MAX: u64 = 1_500;
/// As often as the shell lets a world go round with nothing coming in, for a clock that stands still.
const LATE_TURNS_MAX: u64 = 3;
/// Of a world, of all its connections: far more than the devices of a laptop are sent in [`LATE_MS_MAX`].
const LATE_FRAMES_MAX: usize = 2_000;
/// Clients remember about 101 ids (wire-3x §5), and pages of other queues come in between.
pub(super) const AGAIN_METAS_MAX: usize = 10;

impl Decision {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::QueueOrder,
        Self::PageSize,
        Self::PageLate,
        Self::PageAgain,
        Self::NoticeAgain,
        Self::NoticeLate,
        Self::NoticeOfEmpty,
        Self::ReceiptLate,
        Self::AnswerLate,
        Self::AnswerLost,
        Self::LoginLate,
        Self::Heartbeat,
    ];

    /// How it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::QueueOrder => "queue-order",
            Self::PageSize => "page-size",
            Self::PageLate => "page-late",
            Self::PageAgain => "page-again",
            Self::NoticeAgain => "notice-again",
            Self::NoticeLate => "notice-late",
            Self::NoticeOfEmpty => "notice-of-empty",
            Self::ReceiptLate => "receipt-late",
            Self::AnswerLate => "answer-late",
            Self::AnswerLost => "answer-lost",
            Self::LoginLate => "login-late",
            Self::Heartbeat => "heartbeat",
        }
    }
}

impl Nasty {
    pub(super) fn new(seed: u64, app: &AppKey) -> Self {
        Self {
            seed,
            // Not the org: a harness has one for each of its runs on a server that others use too.
            app: app.app().into(),
            streams: Map::default(),
            held: Held::default(),
            drawn: BTreeMap::new(),
            is_receipt: false,
        }
    }

    /// A number below `bound`, of this decision's stream of that connection; 0 for one that is no device.
    fn below(&mut self, conn: ConnId, decision: Decision, bound: u64) -> u64 {
        let Some(streams) = self.streams.get_mut(&conn) else { return 0 };
        let Streams { stem, rngs } = streams;
        let rng = rngs.entry(decision).or_insert_with(|| {
            let digest = stem.clone().chain_update(decision.word()).finalize();
            Xoshiro128PlusPlus::from_seed(digest.into())
        });
        // The high bits of a product: no division, and a bias of bound / 2^32 that nobody can see.
        let drawn = (u64::from(rng.next_u32()) * bound) >> 32;
        let told = self.drawn.entry(decision).or_default();
        told.times += 1;
        told.outcomes = (told.outcomes.rotate_left(5) ^ drawn).wrapping_mul(FOLD);
        drawn
    }

    /// Whether it happens, once in so many times.
    fn happens(&mut self, conn: ConnId, decision: Decision, once_in: u64) -> bool {
        self.streams.contains_key(&conn) && self.below(conn, decision, once_in) == once_in - 1
    }

    /// How many messages the next page has at most, of as many as it could have.
    pub(super) fn page_size(&mut self, conn: ConnId, most: usize) -> usize {
        if !self.streams.contains_key(&conn) {
            return most;
        }
        // Few of them half of the time: queues are seldom long.
        let bound = if self.below(conn, Decision::PageSize, 2) == 0 { 3 } else { most as u64 };
        1 + usize::try_from(self.below(conn, Decision::PageSize, bound)).expect("below a page's length")
    }

    /// Whether the page whose key has just come is given again.
    pub(super) fn gives_again(&mut self, conn: ConnId) -> bool {
        self.happens(conn, Decision::PageAgain, 4)
    }

    /// Whether a queue that was just pulled to its end is told of.
    pub(super) fn tells_of_empty(&mut self, conn: ConnId) -> bool {
        self.happens(conn, Decision::NoticeOfEmpty, 4)
    }

    /// Brings the queues of an answer to UNREAD into some order.
    pub(super) fn shuffle<T>(&mut self, conn: ConnId, queues: &mut [T]) {
        for last in (1..queues.len()).rev() {
            let other = self.below(conn, Decision::QueueOrder, last as u64 + 1);
            queues.swap(last, usize::try_from(other).expect("below a length"));
        }
    }

    /// How late something is, if it is, once in so many times.
    fn lateness(&mut self, conn: ConnId, decision: Decision, once_in: u64) -> Option<u64> {
        let is_late = self.happens(conn, decision, once_in);
        let most = if self.held.is_by_turns() { LATE_TURNS_MAX } else { LATE_MS_MAX };
        is_late.then(|| 1 + self.below(conn, decision, most))
    }

    /// The connection is a device from now on.
    fn admit(&mut self, conn: ConnId, user: &str, resource: &str, returns: u16) {
        let mut stem = Md5::new();
        stem.update(self.seed.to_le_bytes());
        for part in [&*self.app, user, resource] {
            stem.update((part.len() as u64).to_le_bytes());
            stem.update(part);
        }
        stem.update(returns.to_le_bytes());
        self.streams.insert(conn, Streams { stem, rngs: BTreeMap::new() });
    }

    fn forget(&mut self, conn: ConnId) {
        self.streams.swap_remove(&conn);
        self.held.forget(conn);
    }

    /// Decides about one frame that is about to go out: when it goes, how often, and whether the link goes instead.
    fn decide(&mut self, now: Millis, conn: ConnId, bytes: bytes::Bytes, out: &mut Out) {
        let Some(lane) = Lane::of(&bytes) else { return out.send(conn, bytes) };
        let late = match &lane {
            Lane::Login => self.lateness(conn, Decision::LoginLate, 2),
            Lane::Answers => {
                if !self.held.is_by_turns() && self.happens(conn, Decision::AnswerLost, 24) {
                    out.cuts.push(conn);
                    return;
                }
                self.lateness(conn, Decision::AnswerLate, 4)
            }
            Lane::Notice(_) => {
                let receipt =
                    if self.is_receipt { self.lateness(conn, Decision::ReceiptLate, 2) } else { None };
                receipt.or_else(|| self.lateness(conn, Decision::NoticeLate, 4))
            }
            Lane::Page(_) => self.lateness(conn, Decision::PageLate, 4),
            Lane::Unread => None,
        };
        let again = matches!(lane, Lane::Notice(_)) && self.happens(conn, Decision::NoticeAgain, 4);
        if self.held.len() >= LATE_FRAMES_MAX {
            // Earlier than it was decided, and in its order all the same: what is late is never too much to hold.
            let waited = self.held.take_all(conn);
            waited.into_iter().chain([bytes]).for_each(|bytes| out.send(conn, bytes));
            return;
        }
        for bytes in std::iter::repeat_n(bytes, 1 + usize::from(again)) {
            match self.held.due(now, conn, &lane, late) {
                Some(due) => self.held.hold(due, conn, lane.clone(), bytes),
                None => out.send(conn, bytes),
            }
        }
        if self.happens(conn, Decision::Heartbeat, 16) {
            out.outputs.push_back(Output::Heartbeat { conn });
        }
    }
}

/// Odd, and its bits well mixed: that of FxHash.
const FOLD: u64 = 0x517c_c1b7_2722_0a95;

/// What is to go out.
#[derive(Default)]
struct Out {
    outputs: VecDeque<Output>,
    /// Whose links are cut instead.
    cuts: Vec<ConnId>,
}

impl Out {
    fn send(&mut self, conn: ConnId, bytes: bytes::Bytes) {
        self.outputs.push_back(Output::Frame { conn, bytes });
    }
}

impl Server {
    /// What has been decided so far, for a test that wants each decision to heed the seed; empty unless nasty.
    pub fn decisions(&self) -> BTreeMap<Decision, Drawn> {
        self.nasty.as_ref().map(|nasty| nasty.drawn.clone()).unwrap_or_default()
    }

    /// The host's clock stands still from now on: what is late waits for [`Input::Timeout`](super::Input::Timeout), which
    /// the host gives as soon as nothing else comes, rather than for a time that may never be.
    pub fn clock_stands(&mut self) {
        if let Some(nasty) = &mut self.nasty {
            nasty.held.count_turns();
        }
    }

    /// Whether something waits for the world to go round once more: see [`Server::clock_stands`].
    pub fn waits_for_turn(&self) -> bool {
        self.nasty.as_ref().is_some_and(|nasty| nasty.held.is_by_turns() && !nasty.held.is_empty())
    }

    /// The seed by which whatever the protocol leaves open happens here; `None`: none of it does.
    pub fn nasty_seed(&self) -> Option<u64> {
        self.nasty.as_ref().map(|nasty| nasty.seed)
    }

    /// Whether frames are held back, for a time or a turn.
    pub fn holds_back(&self) -> bool {
        self.nasty.as_ref().is_some_and(|nasty| !nasty.held.is_empty())
    }

    /// When something that is late is due.
    pub(super) fn nasty_deadline(&self) -> Option<Millis> {
        self.nasty.as_ref().and_then(|nasty| nasty.held.next())
    }

    /// What is held back, in words; that is what a quiet world has nothing of.
    pub(super) fn nasty_unfinished(&self, waits: &mut Vec<String>) {
        if let Some(nasty) = self.nasty.as_ref().filter(|nasty| !nasty.held.is_empty()) {
            waits.push(format!("{} frames are late (nasty seed {})", nasty.held.len(), nasty.seed));
        }
    }

    /// For a message to a person: which seed it takes to see this again.
    pub(super) fn with_seed(&self, text: String) -> String {
        match &self.nasty {
            None => text,
            Some(nasty) => format!("{text} (nasty seed {})", nasty.seed),
        }
    }

    /// What is late and due goes out.
    pub(super) fn nasty_timeout(&mut self, now: Millis) {
        if let Some(nasty) = &mut self.nasty {
            for (conn, bytes) in nasty.held.take_due(now) {
                self.outputs.push_back(Output::Frame { conn, bytes });
            }
        }
    }

    /// Decides about the outputs from the `from`th on.
    pub(super) fn decide_outputs(&mut self, now: Millis, from: usize) {
        let Some(mut nasty) = self.nasty.take() else { return };
        let cuts = self.decide_with(&mut nasty, now, from);
        nasty.is_receipt = false;
        self.nasty = Some(nasty);
        if cuts.is_empty() {
            return;
        }
        let from = self.outputs.len();
        for conn in cuts {
            if self.sessions.get(&conn).is_some_and(|session| session.live().is_some()) {
                self.end(conn, Close::Cut);
            }
        }
        self.tell_moves(now);
        self.decide_outputs(now, from);
    }

    fn decide_with(&mut self, nasty: &mut Nasty, now: Millis, from: usize) -> Vec<ConnId> {
        let mut out = Out::default();
        for output in self.outputs.split_off(from) {
            match output {
                Output::Frame { conn, bytes } => {
                    if !nasty.streams.contains_key(&conn)
                        && let Some(live) = self.sessions.get(&conn).and_then(Session::live)
                    {
                        let user = self.accounts.name(live.reader.user);
                        nasty.admit(conn, user, &live.resource, live.returns);
                    }
                    nasty.decide(now, conn, bytes, &mut out);
                }
                Output::Close { conn, how } => {
                    // What was sent is written out, and then the connection ends.
                    for bytes in nasty.held.take_all(conn) {
                        out.send(conn, bytes);
                    }
                    out.outputs.push_back(Output::Close { conn, how });
                }
                other => out.outputs.push_back(other),
            }
        }
        self.outputs.append(&mut out.outputs);
        out.cuts
    }

    /// The connection is gone, and whatever was on its way to it.
    pub(super) fn nasty_closed(&mut self, conn: ConnId) {
        if let Some(nasty) = &mut self.nasty {
            nasty.forget(conn);
        }
    }
}

#[cfg(test)]
mod tests;
