//! What is kept of each world's run, and how much of it: tapes are bounded by rows and bytes, each for itself and all of
//! a server together. Whatever is too much, the oldest goes first.
//!
//! Nothing here reads what is in a row; [`crate::traffic`] does, when somebody asks.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::rc::{Rc, Weak};

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;

use crate::journal::{Entry, Given, Journal, NoJournal};
use crate::machine::{ConnId, Finding, Millis};
use crate::tape::{Direction, Event, Row, TapeLength};
use crate::traffic::{Seen, Whose};

/// All tapes of a server.
pub(super) struct Tapes {
    bytes: Cell<usize>,
    bytes_max: usize,
    /// Numbers the rows of all worlds, so that the oldest is known.
    ages: Cell<u64>,
    all: RefCell<Vec<Weak<Tape>>>,
}

/// The tape of one world.
pub(super) struct Tape {
    tapes: Rc<Tapes>,
    kept: RefCell<Kept>,
    length: TapeLength,
    /// How often the world was changed by what leaves no row.
    changes: Cell<u64>,
    /// The world is gone.
    ended: Cell<bool>,
    grown: Notify,
    /// How many wait for rows; nearly always none, and a frame then need not tell anybody.
    readers: Cell<usize>,
}

/// The rows of a tape, and what is known of them.
pub(super) struct Kept {
    rows: VecDeque<Aged>,
    rows_max: usize,
    bytes: usize,
    bytes_max: usize,
    /// How many rows have made room.
    gone: usize,
    /// Who logged in on which connection, while a row of it may be kept.
    whose: BTreeMap<ConnId, Whose>,
    /// Which clauses a row offends, by its number.
    offended: BTreeMap<usize, Vec<&'static str>>,
    journal: Journal,
    /// How old its beginning is, as a row's age.
    begun: u64,
    blocks: Blocks,
}

/// Copies of frames, many to an allocation. One each would be taken from memory that is long out of the caches when its
/// row goes, for every frame of a busy world. Rows go in the order in which they came, and blocks with their last.
#[derive(Default)]
struct Blocks {
    block: BytesMut,
    /// How large the newest was.
    size: usize,
}

struct Aged {
    age: u64,
    row: KeptRow,
}

/// A row as it is kept. Nearly all are frames, and a [`Row`] has room for a request: what a busy world touches for each
/// frame is a line of the caches here.
enum KeptRow {
    Frame { at: Millis, conn: ConnId, direction: Direction, bytes: Bytes },
    Other(Box<Row>),
}

const _: () = assert!(size_of::<Aged>() <= 64);

/// One that waits for rows is counted in for as long as this lives.
pub(super) struct Reader(Rc<Tape>);

/// Blocks grow to this, so that a world in which little happens takes little. Beside what is counted, a tape holds at most
/// one that is not full yet, and one of which rows are gone.
const BLOCK_BYTES_MAX: usize = 64 << 10;
const BLOCK_BYTES_MIN: usize = 1 << 10;

/// Longer frames have an allocation of their own.
const LONG_FRAME_BYTES: usize = 1 << 10;

/// Room is made for so much at once when all tapes together are too heavy, so that looking for the oldest is rare: one
/// part of these of the whole bound.
const ROOM_PARTS: usize = 64;

impl Tapes {
    pub(super) fn new(bytes_max: usize) -> Rc<Self> {
        Rc::new(Self { bytes: Cell::new(0), bytes_max, ages: Cell::new(0), all: RefCell::default() })
    }

    /// The tape of a world whose beginning is seen, or of one that is there already.
    pub(super) fn begin(self: &Rc<Self>, rows_max: usize, bytes_max: usize, journal: Journal) -> Rc<Tape> {
        let tape = Rc::new(Tape {
            tapes: Rc::clone(self),
            kept: RefCell::new(Kept {
                rows: VecDeque::new(),
                rows_max,
                bytes: 0,
                bytes_max,
                gone: 0,
                whose: BTreeMap::new(),
                offended: BTreeMap::new(),
                journal,
                begun: self.next_age(),
                blocks: Blocks::default(),
            }),
            length: TapeLength::default(),
            changes: Cell::new(0),
            ended: Cell::new(false),
            grown: Notify::new(),
            readers: Cell::new(0),
        });
        self.all.borrow_mut().push(Rc::downgrade(&tape));
        tape
    }

    fn next_age(&self) -> u64 {
        self.ages.set(self.ages.get() + 1);
        self.ages.get()
    }

    /// Lets the oldest rows go, of whichever world, until there is room. Nobody may be holding a tape's rows.
    fn make_room(&self) {
        let enough = self.bytes_max - self.bytes_max / ROOM_PARTS;
        let tapes: Vec<Rc<Tape>> = self.all.borrow().iter().filter_map(Weak::upgrade).collect();
        let oldest = |tape: &Tape| tape.kept.borrow().oldest();
        let ages = tapes.iter().enumerate().filter_map(|(index, tape)| Some(Reverse((oldest(tape)?, index))));
        let mut queue: BinaryHeap<Reverse<(u64, usize)>> = ages.collect();
        while self.bytes.get() > enough
            && let Some(Reverse((_, index))) = queue.pop()
        {
            let tape = &tapes[index];
            let until = queue.peek().map_or(u64::MAX, |Reverse((age, _))| *age);
            while self.bytes.get() > enough && oldest(tape).is_some_and(|age| age < until) {
                tape.change(Kept::forget_oldest);
            }
            tape.kept.borrow_mut().rows.shrink_to_fit();
            if let Some(age) = oldest(tape) {
                queue.push(Reverse((age, index)));
            }
        }
    }
}

impl Tape {
    /// A row more.
    pub(super) fn record(&self, at: Millis, event: Event) {
        let age = self.tapes.next_age();
        self.change(|kept| kept.push(Aged { age, row: KeptRow::new(Row { at, event }) }));
        self.length.count();
        self.tell();
    }

    /// A frame came and is given to the machine. It is copied: a slice would hold the socket's read buffer for as long as
    /// the row is kept.
    pub(super) fn frame_up(&self, at: Millis, conn: ConnId, frame: &Bytes) {
        let (age, row) = (self.tapes.next_age(), self.length.get());
        self.change(|kept| {
            let bytes = kept.blocks.copy(frame).unwrap_or_else(|| Bytes::copy_from_slice(frame));
            if kept.journal.entries().is_ok() {
                kept.note(Entry { at, row, given: Given::Frame { conn, bytes: bytes.clone() } });
            }
            kept.push(Aged { age, row: KeptRow::Frame { at, conn, direction: Direction::Up, bytes } });
        });
        self.length.count();
        self.tell();
    }

    /// A frame goes out.
    pub(super) fn frame_down(&self, at: Millis, conn: ConnId, frame: &Bytes) {
        let age = self.tapes.next_age();
        self.change(|kept| {
            // A long one may go to many, and is there once.
            let bytes = kept.blocks.copy(frame).unwrap_or_else(|| frame.clone());
            kept.push(Aged { age, row: KeptRow::Frame { at, conn, direction: Direction::Down, bytes } });
        });
        self.length.count();
        self.tell();
    }

    /// Something was given to the machine.
    pub(super) fn note(&self, at: Millis, given: Given) {
        let entry = Entry { at, row: self.length.get(), given };
        self.change(|kept| kept.note(entry));
    }

    /// This user's device is behind a connection whose login is on no row.
    pub(super) fn behind(&self, conn: ConnId, user: &str, device: &str) {
        let whose = Whose { user: user.to_owned(), device: device.to_owned() };
        self.change(|kept| {
            kept.know(conn, whose);
            kept.fit();
        });
    }

    /// The row of this number, which is kept or comes next, offends a clause.
    pub(super) fn offend(&self, number: usize, finding: &Finding) {
        self.change(|kept| kept.offend(number, finding.clause));
    }

    /// Something was changed that leaves no row.
    pub(super) fn changed(&self) {
        self.changes.set(self.changes.get() + 1);
        self.tell();
    }

    /// The world is gone: nothing more is kept of it, whoever still reads, and whoever waits is told.
    pub(super) fn end(&self) {
        self.ended.set(true);
        self.change(|kept| {
            kept.rows_max = 0;
            kept.fit();
            kept.rows = VecDeque::new();
            kept.blocks = Blocks::default();
            kept.journal.give_up(NoJournal::TooMuch);
        });
        self.grown.notify_waiters();
    }

    /// How many wait for rows of it.
    pub(super) fn readers(&self) -> usize {
        self.readers.get()
    }

    pub(super) fn is_ended(&self) -> bool {
        self.ended.get()
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes.get()
    }

    /// How many rows it has had.
    pub(super) fn length(&self) -> &TapeLength {
        &self.length
    }

    /// Keeps so many rows from now on.
    pub(super) fn keep(&self, rows_max: usize) {
        self.change(|kept| {
            kept.rows_max = rows_max;
            kept.fit();
        });
    }

    /// How many rows it keeps.
    pub(super) fn rows_max(&self) -> usize {
        self.kept.borrow().rows_max
    }

    /// Looks at what is kept. What looks records nothing meanwhile.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Kept) -> T) -> T {
        look(&self.kept.borrow())
    }

    /// Whether so many bytes of an attachment are still kept; they are counted then.
    pub(super) fn takes(&self, bytes: u64) -> bool {
        self.kept.borrow_mut().journal.takes(bytes)
    }

    /// What comes from now on brings no new machine to where this one is.
    pub(super) fn give_up_journal(&self, why: NoJournal) {
        self.kept.borrow_mut().journal.give_up(why);
    }

    /// Goes on behind what was replayed.
    pub(super) fn resume(&self, rows: Vec<Row>, entries: Vec<Entry>) {
        let rows_max = self.kept.borrow().rows_max;
        self.change(|kept| kept.take_up(Journal::resume(entries, rows_max)));
        for Row { at, event } in rows {
            self.record(at, event);
        }
    }

    /// Something more than this is there, or the world is gone. Whoever waits has a [`Reader`].
    pub(super) async fn more_than(&self, rows_ever: usize, changes: u64) {
        loop {
            let grown = self.grown.notified();
            if self.length.get() > rows_ever || self.changes.get() > changes || self.ended.get() {
                return;
            }
            grown.await;
        }
    }

    fn tell(&self) {
        if self.readers.get() > 0 {
            self.grown.notify_waiters();
        }
    }

    /// Changes what is kept, and sees to it that all tapes together stay within their bound.
    fn change(&self, change: impl FnOnce(&mut Kept)) {
        let (before, after) = {
            let mut kept = self.kept.borrow_mut();
            let before = kept.weighs();
            change(&mut kept);
            (before, kept.weighs())
        };
        let tapes = &self.tapes;
        tapes.bytes.set(tapes.bytes.get() - before + after);
        if after > before && tapes.bytes.get() > tapes.bytes_max {
            tapes.make_room();
        }
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        let tapes = &self.tapes;
        tapes.bytes.set(tapes.bytes.get() - self.kept.get_mut().weighs());
        tapes.all.borrow_mut().retain(|tape| tape.strong_count() > 0);
    }
}

impl Reader {
    pub(super) fn new(tape: &Rc<Tape>) -> Self {
        tape.readers.set(tape.readers.get() + 1);
        Self(Rc::clone(tape))
    }

    pub(super) fn tape(&self) -> &Rc<Tape> {
        &self.0
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.0.readers.set(self.0.readers.get() - 1);
    }
}

impl KeptRow {
    fn new(row: Row) -> Self {
        match row {
            Row { at, event: Event::Frame { conn, direction, bytes } } => {
                Self::Frame { at, conn, direction, bytes }
            }
            other => Self::Other(Box::new(other)),
        }
    }

    fn shown(&self) -> Cow<'_, Row> {
        match self {
            Self::Frame { at, conn, direction, bytes } => {
                let event = Event::Frame { conn: *conn, direction: *direction, bytes: bytes.clone() };
                Cow::Owned(Row { at: *at, event })
            }
            Self::Other(row) => Cow::Borrowed(row),
        }
    }

    /// What it takes: its place, and what strangers can make long in it. A frame that is kept elsewhere too counts in
    /// full, so that the bound holds whoever lets go of it last.
    fn weighs(&self) -> usize {
        let beside = match self {
            Self::Frame { bytes, .. } => bytes.len(),
            Self::Other(row) => size_of::<Row>() + row.event.long_bytes(),
        };
        size_of::<Aged>() + beside
    }
}

impl Blocks {
    /// A copy of a frame; `None`: it is too long for a block.
    fn copy(&mut self, frame: &[u8]) -> Option<Bytes> {
        if frame.len() > LONG_FRAME_BYTES {
            return None;
        }
        if self.block.capacity() - self.block.len() < frame.len() {
            self.size = (2 * self.size).clamp(BLOCK_BYTES_MIN, BLOCK_BYTES_MAX);
            self.block = BytesMut::with_capacity(self.size);
        }
        self.block.extend_from_slice(frame);
        Some(self.block.split().freeze())
    }
}

impl Kept {
    /// The number of the first row that is kept, or would be.
    pub(super) fn first(&self) -> usize {
        self.gone
    }

    /// How many rows there have been.
    pub(super) fn rows_ever(&self) -> usize {
        self.gone + self.rows.len()
    }

    /// The rows from this number on, with what is known of each.
    pub(super) fn rows(&self, from: usize) -> impl DoubleEndedIterator<Item = Seen<'_>> {
        let skipped = from.saturating_sub(self.gone).min(self.rows.len());
        let first = self.gone + skipped;
        self.rows.range(skipped..).enumerate().map(move |(index, Aged { row, .. })| {
            let number = first + index;
            let row = row.shown();
            let whose = row.event.conn().and_then(|conn| self.whose.get(&conn));
            let offended = self.offended.get(&number).map(Vec::as_slice).unwrap_or_default();
            Seen::new(number, row, whose, offended)
        })
    }

    /// What the machine was given, or why that is not known.
    pub(super) fn journal(&self) -> Result<&[Entry], NoJournal> {
        self.journal.entries()
    }

    fn weighs(&self) -> usize {
        self.bytes + self.journal.bytes()
    }

    /// How old the oldest is that could be forgotten.
    fn oldest(&self) -> Option<u64> {
        let begun = (self.journal.bytes() > 0).then_some(self.begun);
        self.rows.front().map(|aged| aged.age).or(begun)
    }

    fn push(&mut self, aged: Aged) {
        if let KeptRow::Other(row) = &aged.row
            && let Event::LoggedIn { conn, user, resource } = &row.event
        {
            self.know(*conn, Whose { user: user.clone(), device: resource.clone() });
        }
        self.bytes += aged.row.weighs();
        self.rows.push_back(aged);
        self.fit();
    }

    fn know(&mut self, conn: ConnId, whose: Whose) {
        self.bytes += whose_weighs(&whose);
        if let Some(before) = self.whose.insert(conn, whose) {
            self.bytes -= whose_weighs(&before);
        }
    }

    fn note(&mut self, entry: Entry) {
        self.journal.note(entry);
        self.fit();
    }

    fn take_up(&mut self, journal: Journal) {
        self.journal = journal;
        self.fit();
    }

    fn offend(&mut self, number: usize, clause: &'static str) {
        // A tape that keeps next to nothing may have forgotten the row already.
        if number < self.gone {
            return;
        }
        let clauses = self.offended.entry(number).or_default();
        if !clauses.contains(&clause) {
            clauses.push(clause);
            self.bytes += OFFENCE_BYTES;
        }
        self.fit();
    }

    /// Lets rows go until the rest is within this tape's own bounds.
    fn fit(&mut self) {
        while self.rows.len() > self.rows_max || (self.weighs() > self.bytes_max && !self.is_bare()) {
            self.forget_oldest();
        }
    }

    fn is_bare(&self) -> bool {
        self.rows.is_empty() && self.journal.bytes() == 0
    }

    /// Without its beginning a journal brings no machine to where this one is, so that goes with the first row.
    fn forget_oldest(&mut self) {
        self.journal.give_up(NoJournal::TooMuch);
        let Some(Aged { row, .. }) = self.rows.pop_front() else { return };
        self.bytes -= row.weighs();
        if let Some(clauses) = self.offended.remove(&self.gone) {
            self.bytes -= clauses.len() * OFFENCE_BYTES;
        }
        self.gone += 1;
        if let KeptRow::Other(row) = row
            && let Event::Closed { conn, .. } = row.event
            && let Some(whose) = self.whose.remove(&conn)
        {
            self.bytes -= whose_weighs(&whose);
        }
    }
}

/// What one offence takes, with its place in the map, roundly.
const OFFENCE_BYTES: usize = 64;

fn whose_weighs(Whose { user, device }: &Whose) -> usize {
    size_of::<(ConnId, Whose)>() + user.len() + device.len()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::tape::Direction;

    /// What happens to one of the worlds.
    #[derive(Clone, Debug)]
    enum Happens {
        Frame(usize, usize),
        Login(usize, u64),
        Closed(usize, u64),
        Given(usize),
        Keep(usize, usize),
        Gone(usize),
    }

    fn happens() -> impl Strategy<Value = Happens> {
        let world = 0..3_usize;
        prop_oneof![
            6 => (world.clone(), 0..600_usize).prop_map(|(world, bytes)| Happens::Frame(world, bytes)),
            1 => (world.clone(), 0..4_u64).prop_map(|(world, conn)| Happens::Login(world, conn)),
            1 => (world.clone(), 0..4_u64).prop_map(|(world, conn)| Happens::Closed(world, conn)),
            2 => world.clone().prop_map(Happens::Given),
            1 => (world.clone(), 1..20_usize).prop_map(|(world, rows)| Happens::Keep(world, rows)),
            1 => world.prop_map(Happens::Gone),
        ]
    }

    const ROWS_MAX: usize = 12;
    const BYTES_MAX: usize = 4_000;
    const ALL_BYTES_MAX: usize = 9_000;

    proptest! {
        #[test]
        fn whatever_comes_nothing_passes_its_bounds(happenings in prop::collection::vec(happens(), 0..300)) {
            let tapes = Tapes::new(ALL_BYTES_MAX);
            let begin = || tapes.begin(ROWS_MAX, BYTES_MAX, Journal::new(ROWS_MAX));
            let mut worlds = [begin(), begin(), begin()];
            let mut rows_max = [ROWS_MAX; 3];
            let mut counts = [0_usize; 3];
            let conn = ConnId;
            for happening in happenings {
                match happening {
                    Happens::Frame(world, bytes) => {
                        let bytes = Bytes::from(vec![0; bytes]);
                        let event = Event::Frame { conn: conn(1), direction: Direction::Up, bytes };
                        worlds[world].record(Millis(0), event);
                        counts[world] += 1;
                    }
                    Happens::Login(world, number) => {
                        let (user, resource) = ("u".repeat(20), "r".repeat(20));
                        worlds[world].record(Millis(0), Event::LoggedIn { conn: conn(number), user, resource });
                        counts[world] += 1;
                    }
                    Happens::Closed(world, number) => {
                        worlds[world].record(Millis(0), Event::Closed { conn: conn(number), why: "gone".into() });
                        counts[world] += 1;
                    }
                    Happens::Given(world) => worlds[world].note(Millis(0), Given::Stopped(Millis(0))),
                    Happens::Keep(world, rows) => {
                        rows_max[world] = rows;
                        worlds[world].keep(rows);
                    }
                    Happens::Gone(world) => {
                        worlds[world] = begin();
                        (rows_max[world], counts[world]) = (ROWS_MAX, 0);
                    }
                }
                let mut all = 0;
                for (world, tape) in worlds.iter().enumerate() {
                    let kept = tape.kept.borrow();
                    all += kept.weighs();
                    prop_assert!(kept.rows.len() <= rows_max[world]);
                    prop_assert!(kept.weighs() <= BYTES_MAX, "{} bytes", kept.weighs());
                    prop_assert_eq!((kept.rows_ever(), tape.length.get()), (counts[world], counts[world]));
                    let numbers: Vec<usize> = kept.rows(0).map(|seen| seen.number()).collect();
                    prop_assert_eq!(numbers, (kept.first()..kept.rows_ever()).collect::<Vec<_>>());
                    let rows: usize = kept.rows.iter().map(|aged| aged.row.weighs()).sum();
                    let whose: usize = kept.whose.values().map(whose_weighs).sum();
                    prop_assert_eq!(kept.bytes, rows + whose, "what is counted is what is there");
                    prop_assert!(kept.first() == 0 || kept.journal().is_err(), "a journal has its beginning or is none");
                }
                prop_assert_eq!(tapes.bytes.get(), all);
                prop_assert!(all <= ALL_BYTES_MAX, "{all} bytes");
                prop_assert_eq!(tapes.all.borrow().len(), 3, "a world that went left nothing");
            }
        }
    }

    proptest! {
        #[test]
        fn frames_are_kept_as_they_were(frames in prop::collection::vec((any::<bool>(), any::<u8>(), 0..3_000_usize), 0..200)) {
            let tapes = Tapes::new(64 << 20);
            let tape = tapes.begin(100, 64 << 20, Journal::new(100));
            let mut expected = VecDeque::new();
            for (number, (is_up, byte, bytes)) in frames.into_iter().enumerate() {
                let bytes = Bytes::from(vec![byte; bytes]);
                let (at, conn) = (Millis(number as u64), ConnId(1));
                let (record, direction): (fn(&Tape, _, _, &_), _) =
                    if is_up { (Tape::frame_up, Direction::Up) } else { (Tape::frame_down, Direction::Down) };
                record(&tape, at, conn, &bytes);
                expected.push_back(Row { at, event: Event::Frame { conn, direction, bytes } });
                expected.drain(..expected.len().saturating_sub(100));
            }
            let kept = tape.kept.borrow();
            prop_assert_eq!(kept.rows(0).map(|seen| seen.row().clone()).collect::<VecDeque<_>>(), expected);
        }
    }

    #[test]
    fn what_a_forgotten_row_offends_is_forgotten_too() {
        let tapes = Tapes::new(64_000);
        let tape = tapes.begin(1, 64_000, Journal::begun_late());
        for _ in 0..2 {
            tape.record(Millis(0), Event::Muted { conn: ConnId(1) });
        }
        for number in 0..2 {
            tape.offend(number, &Finding { clause: "conn.login", user: String::new(), text: String::new() });
        }
        assert_eq!(tape.kept.borrow().offended.keys().collect::<Vec<_>>(), [&1]);
    }

    #[test]
    fn the_oldest_go_first_of_whichever_world() {
        let tapes = Tapes::new(64 * 1_000);
        let one = tapes.begin(1_000, 64_000, Journal::begun_late());
        let two = tapes.begin(1_000, 64_000, Journal::begun_late());
        let frame = || Event::Frame {
            conn: ConnId(1),
            direction: Direction::Down,
            bytes: Bytes::from(vec![0; 1_000]),
        };
        for tape in [&one, &two].into_iter().cycle().take(200) {
            tape.record(Millis(0), frame());
        }
        let (one, two) = (one.look(Kept::first), two.look(Kept::first));
        assert!(one > 60 && one.abs_diff(two) <= 1, "each has lost as many: {one} and {two}");
    }
}
