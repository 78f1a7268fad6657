//! The server's part of a record: what it says next, and what it waits for first.
//!
//! One cursor goes through the tape. A frame to the client is due when every frame and request that came before it in the
//! record has come again, and every line that was asked before it has been asked: for a client that does the same when
//! it is told the same, that is always so sooner or later. Order within a connection is the record's, but for what the
//! client sends: of two frames of different kinds either may come first.

use std::collections::BTreeMap;

use bytes::Bytes;
use mock_server::machine::ConnId;
use mock_server::tape::{Direction, Door, Event, Row};
use serde_json::Value as Json;

use super::difference::{label, whose};
use super::renamed::Renamed;
use crate::dissect::{Tree, dissect};

/// How many differences are told: after the first ones everything differs.
pub(super) const DIFFERENCES_MAX: usize = 20;

/// What the server does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Do {
    /// Sends a frame.
    Send(ConnId, Bytes),
    /// Closes with a close frame.
    Close(ConnId),
    /// Lets the connection go without one.
    Cut(ConnId),
}

/// The script and how far it has come.
#[derive(Debug)]
pub(super) struct Script {
    rows: Vec<Row>,
    /// Which have happened, of those that the client brings about.
    came: Vec<bool>,
    cursor: usize,
    /// How many rows there were when each line was asked.
    lines: Vec<usize>,
    asked: usize,
    taken: BTreeMap<ConnId, bool>,
    pub(super) renamed: Renamed,
    pub(super) differences: Vec<String>,
    /// Counts what happened of the record, so that a standstill is noticed: no client makes it grow for ever.
    pub(super) progress: u64,
}

impl Script {
    pub(super) fn new(rows: Vec<Row>, lines: Vec<usize>, renamed: Renamed) -> Self {
        let came = vec![false; rows.len()];
        let (taken, differences) = (BTreeMap::new(), Vec::new());
        Self { rows, came, cursor: 0, lines, asked: 0, taken, renamed, differences, progress: 0 }
    }

    /// Whether everything before this row has happened.
    pub(super) fn is_past(&self, row: usize) -> bool {
        self.cursor >= row.min(self.rows.len())
    }

    /// One more line was asked.
    pub(super) fn line_asked(&mut self) {
        self.asked += 1;
        self.progress += 1;
    }

    /// What the server waits for, in words.
    pub(super) fn waits_for(&self) -> Option<String> {
        self.rows.get(self.cursor).map(|row| label(&self.rows, &row.event))
    }

    pub(super) fn differs(&mut self, difference: String) {
        if self.differences.len() < DIFFERENCES_MAX {
            self.differences.push(difference);
        }
    }

    /// A socket came in and sent its first frame: which of the record's it is.
    pub(super) fn opened(&mut self, door: Door, first: &[u8]) -> Option<ConnId> {
        let who = name_of(first);
        let free = |row: &&Row| match &row.event {
            Event::Opened { conn, door: of } => *of == door && !self.taken.contains_key(conn),
            _other => false,
        };
        let conns: Vec<ConnId> = self
            .rows
            .iter()
            .filter(free)
            .filter_map(|row| match &row.event {
                Event::Opened { conn, .. } => Some(*conn),
                _other => None,
            })
            .collect();
        let of_record = |conn: &ConnId| {
            self.rows.iter().find_map(|row| match &row.event {
                Event::Frame { conn: of, direction: Direction::Up, bytes } if of == conn => {
                    Some(name_of(bytes))
                }
                _other => None,
            })
        };
        let same_device = conns.iter().find(|conn| of_record(conn).as_ref() == Some(&who));
        let same_user = || conns.iter().find(|conn| of_record(conn).is_some_and(|(user, _)| user == who.0));
        let conn = same_device.or_else(same_user).copied();
        match conn {
            Some(conn) => {
                self.taken.insert(conn, true);
                self.progress += 1;
            }
            None => self.differs(format!("{} opens a connection that is not in the record", who.0)),
        }
        conn
    }

    /// The client's end of a connection is gone.
    pub(super) fn gone(&mut self, conn: ConnId) {
        self.taken.insert(conn, false);
        self.progress += 1;
    }

    /// A frame came.
    pub(super) fn frame(&mut self, conn: ConnId, bytes: &[u8]) {
        let kind = Asks::of(bytes);
        let meant = self.rows.iter().enumerate().find(|(index, row)| match &row.event {
            Event::Frame { conn: of, direction: Direction::Up, bytes } => {
                *of == conn && !self.came[*index] && Asks::of(bytes) == kind
            }
            _other => false,
        });
        let Some((index, Row { event: Event::Frame { bytes: recorded, .. }, .. })) = meant else {
            // A heartbeat is sent whenever its time has come.
            if kind.command != Some(1) {
                let what = super::difference::command(bytes, Direction::Up);
                let who = whose(&self.rows, conn);
                self.differs(format!("{who} sends what is not in the record: {what}\n  {}", short(bytes)));
            }
            return;
        };
        let lines = self.renamed.compare(recorded, bytes);
        self.came[index] = true;
        self.progress += 1;
        if !lines.is_empty() {
            let what = label(&self.rows, &self.rows[index].event);
            self.differs(format!("row {}: {what}\n  {}", index + 1, lines.join("\n  ")));
        }
    }

    /// A request came, its path as the tape has it: the row of the record's that it is.
    pub(super) fn request(&mut self, method: &str, path: &str, body: Option<&[u8]>) -> Option<usize> {
        let bare = |path: &str| path.split('?').next().unwrap_or_default().to_owned();
        let is = |index: usize, row: &Row, exact: bool| match &row.event {
            Event::Http { method: of, path: recorded, .. } => {
                of == method
                    && !self.came[index]
                    && if exact { recorded == path } else { bare(recorded) == bare(path) }
            }
            _other => false,
        };
        let find = |exact| self.rows.iter().enumerate().position(|(index, row)| is(index, row, exact));
        let Some(index) = find(true).or_else(|| find(false)) else {
            self.differs(format!("a request that is not in the record: {method} {path}"));
            return None;
        };
        self.came[index] = true;
        self.progress += 1;
        if let (Event::Http { body: recorded, .. }, Some(body)) = (&self.rows[index].event, body) {
            let json = |bytes: &[u8]| serde_json::from_slice::<Json>(bytes).unwrap_or(Json::Null);
            let lines = self.renamed.compare_json(&json(recorded), &json(body));
            if !lines.is_empty() {
                self.differs(format!("row {}: {method} {path}\n  {}", index + 1, lines.join("\n  ")));
            }
        }
        Some(index)
    }

    /// The recorded answer to a request.
    pub(super) fn answer(&self, row: usize) -> Option<(u16, Bytes)> {
        match &self.rows.get(row)?.event {
            Event::Http { status, answer, .. } => Some((*status, answer.clone())),
            _other => None,
        }
    }

    /// What is due now, in order.
    pub(super) fn due(&mut self) -> Vec<Do> {
        let mut due = Vec::new();
        while let Some(row) = self.rows.get(self.cursor) {
            let asked = self.lines.iter().take_while(|line| **line <= self.cursor).count() <= self.asked;
            let ready = match &row.event {
                Event::Opened { .. }
                | Event::LoggedIn { .. }
                | Event::Muted { .. }
                | Event::Fault { .. }
                | Event::AtDoor { .. } => true,
                Event::Frame { direction: Direction::Up, .. } | Event::Http { .. } => self.came[self.cursor],
                Event::Frame { direction: Direction::Down, conn, bytes } => {
                    if asked && self.is_open(*conn) {
                        due.push(Do::Send(*conn, self.renamed.rewrite(bytes)));
                    }
                    asked
                }
                Event::Closed { conn, why } => match why.as_str() {
                    "closed by the server" if asked => {
                        due.push(Do::Close(*conn));
                        true
                    }
                    "cut by the server" | "reset by the server" if asked => {
                        due.push(Do::Cut(*conn));
                        true
                    }
                    "closed by the server" | "cut by the server" | "reset by the server" => false,
                    // The client's own doing, in its own time.
                    _other => true,
                },
            };
            if !ready {
                break;
            }
            self.cursor += 1;
            self.progress += 1;
        }
        due
    }

    fn is_open(&self, conn: ConnId) -> bool {
        self.taken.get(&conn).copied().unwrap_or(false)
    }
}

/// What a frame of a client is about: two of the same kind keep their order.
#[derive(PartialEq, Eq)]
struct Asks {
    command: Option<u64>,
    ns: Option<u64>,
    to: Option<String>,
    queue: Option<String>,
}

impl Asks {
    fn of(bytes: &[u8]) -> Self {
        let tree = dissect(bytes, Direction::Up).ok();
        let name = |tree: Option<&Tree<'_>>| tree.and_then(|tree| tree.text("name")).map(str::to_owned);
        let payload = tree.as_ref().and_then(|tree| tree.tree("payload"));
        let meta = payload.and_then(|payload| payload.tree("meta"));
        Self {
            command: tree.as_ref().and_then(|tree| tree.number("command")),
            ns: meta.and_then(|meta| meta.number("ns")),
            to: name(meta.and_then(|meta| meta.tree("to"))),
            queue: name(payload.and_then(|payload| payload.tree("queue"))),
        }
    }
}

/// Who a first frame says it is: the user, folded, and the device.
fn name_of(bytes: &[u8]) -> (String, String) {
    let Ok(tree) = dissect(bytes, Direction::Up) else { return Default::default() };
    let guid = tree.tree("guid");
    let text = |name| guid.and_then(|guid| guid.text(name)).unwrap_or_default();
    (text("name").to_lowercase(), text("clientResource").to_owned())
}

fn short(bytes: &[u8]) -> String {
    dissect(bytes, Direction::Up).map_or_else(
        |why| why.to_string(),
        |tree| {
            let json = tree.json().to_string();
            json.chars().take(400).collect()
        },
    )
}
