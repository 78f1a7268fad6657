//! What is late: one lane a connection and direction, in which nothing overtakes.

use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::super::timer::TimerId;
use super::super::{Close, ConnId, Due, Millis, Server};
use super::{BYTES_HELD_MAX, FRAMES_HELD_MAX};
use crate::decoded::Kind;
use crate::rule::Side;

/// What is on its way.
#[derive(Clone, Debug)]
pub(super) enum Parcel {
    Frame {
        bytes: Bytes,
        /// The rule that damaged it, and how.
        damage: Option<(u64, String)>,
    },
    /// The world ends the connection, behind what it has sent.
    Close(Close),
    /// A rule ends it.
    End(Close),
    /// What a client sent has no effect and is refused.
    Refuse { kind: Kind, meta_id: Option<u64>, code: i32, reason: String },
}

#[derive(Clone, Debug)]
struct Waiting {
    due: Millis,
    timer: TimerId,
    parcel: Parcel,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Lanes {
    lanes: BTreeMap<(ConnId, bool), VecDeque<Waiting>>,
    /// Connections that were ended and are not gone yet: what nasty mode still held for one is not sent.
    ended: BTreeSet<ConnId>,
    /// Those of them of which the host knows.
    closed: BTreeSet<ConnId>,
    frames: usize,
    bytes: usize,
}

impl Lanes {
    pub(super) fn is_empty(&self) -> bool {
        self.lanes.is_empty() && self.ended.is_empty()
    }

    pub(super) fn frames(&self) -> usize {
        self.frames
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn is_ended(&self, conn: ConnId) -> bool {
        self.ended.contains(&conn)
    }

    pub(super) fn ends(&mut self, conn: ConnId) {
        self.ended.insert(conn);
    }

    /// The host is about to be told; `false` when it was before.
    pub(super) fn closes(&mut self, conn: ConnId) -> bool {
        self.ended.insert(conn);
        self.closed.insert(conn)
    }

    pub(super) fn gone(&mut self, conn: ConnId) {
        self.ended.remove(&conn);
        self.closed.remove(&conn);
    }

    fn last_due(&self, lane: (ConnId, bool)) -> Option<Millis> {
        self.lanes.get(&lane)?.back().map(|waiting| waiting.due)
    }

    fn push(&mut self, lane: (ConnId, bool), waiting: Waiting) {
        self.frames += 1;
        self.bytes += waiting.parcel.bytes();
        self.lanes.entry(lane).or_default().push_back(waiting);
    }

    fn pop_due(&mut self, lane: (ConnId, bool), now: Millis) -> Option<Parcel> {
        let waiting = self.lanes.get_mut(&lane)?;
        waiting.front().filter(|first| first.due <= now)?;
        let parcel = waiting.pop_front()?.parcel;
        if waiting.is_empty() {
            self.lanes.remove(&lane);
        }
        self.frames -= 1;
        self.bytes -= parcel.bytes();
        Some(parcel)
    }

    fn take(&mut self, conn: ConnId) -> Vec<Waiting> {
        let lanes = [(conn, true), (conn, false)].map(|lane| self.lanes.remove(&lane).unwrap_or_default());
        let taken: Vec<Waiting> = lanes.into_iter().flatten().collect();
        self.frames -= taken.len();
        self.bytes -= taken.iter().map(|waiting| waiting.parcel.bytes()).sum::<usize>();
        taken
    }
}

impl Parcel {
    fn bytes(&self) -> usize {
        match self {
            Self::Frame { bytes, .. } => bytes.len(),
            Self::Refuse { reason, .. } => reason.len(),
            Self::Close(_) | Self::End(_) => 0,
        }
    }
}

impl Server {
    /// Sends something on its way: at once, or behind what waits there already.
    pub(super) fn submit(&mut self, now: Millis, conn: ConnId, side: Side, parcel: Parcel, delay_ms: u64) {
        let lane = (conn, side == Side::Up);
        let last = self.rules.lanes.last_due(lane);
        if delay_ms == 0 && last.is_none() {
            return self.arrive(now, conn, side, parcel);
        }
        if !self.rules.has_room(parcel.bytes()) {
            self.warn(format!(
                "a frame is not delayed: {FRAMES_HELD_MAX} frames or {BYTES_HELD_MAX} bytes wait already"
            ));
            return self.arrive(now, conn, side, parcel);
        }
        let due = Millis(now.0.saturating_add(delay_ms)).max(last.unwrap_or_default());
        let timer = self.timers.arm(due, Due::Lane { conn, side });
        self.rules.lanes.push(lane, Waiting { due, timer, parcel });
    }

    /// What was late in that lane goes.
    pub(in super::super) fn lane_due(&mut self, now: Millis, conn: ConnId, side: Side) {
        if let Some(parcel) = self.rules.lanes.pop_due((conn, side == Side::Up), now) {
            self.arrive(now, conn, side, parcel);
        }
    }

    /// Nothing that waits for or from the connection will ever come.
    pub(super) fn forget_waiting(&mut self, conn: ConnId) {
        for waiting in self.rules.lanes.take(conn) {
            self.timers.disarm(waiting.timer);
        }
        self.rules.held.retain(|held| held.conn != conn);
    }
}
