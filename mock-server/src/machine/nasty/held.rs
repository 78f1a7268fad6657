//! Frames that are late: when each is due, and what must not overtake what.
//!
//! A lane is what keeps its order: the answers of a connection, one queue's NOTICEs and pages (an SDK drops a NOTICE for a
//! queue whose last page it has not seen, wire-3x §3.4). A late login holds up everything behind it.

use std::collections::BTreeMap;

use bytes::Bytes;
use fixtures::wire::{CommNotice, CommSyncDl, Jid, MSync, m_sync};
use prost::Message as _;

use super::super::{ConnId, Millis};

/// What keeps its order on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    /// The answer to PROVISION.
    Login,
    /// The answer to UNREAD.
    Unread,
    /// Answers to messages.
    Answers,
    /// A NOTICE of a queue.
    Notice(QueueName),
    /// A page of a queue.
    Page(QueueName),
}

/// Name and domain.
pub(super) type QueueName = (String, String);

/// When a frame goes: in ms since 1970, or at which turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due(u64);

/// What is held back.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    /// By when they are due, and then in the order in which they came.
    frames: BTreeMap<(Due, u64), Late>,
    held_ever: u64,
    /// How often the world has gone round; `None`: its clock runs.
    turns: Option<u64>,
}

#[derive(Clone, Debug)]
struct Late {
    conn: ConnId,
    lane: Lane,
    bytes: Bytes,
}

impl Lane {
    /// Of a frame of ours. `None`: it goes at once, whatever waits; there is none such.
    pub(super) fn of(frame: &Bytes) -> Option<Self> {
        let msync = MSync::decode(frame.clone()).ok()?;
        let payload = msync.payload.clone().unwrap_or_default();
        match msync.command() {
            m_sync::Command::Provision => Some(Self::Login),
            m_sync::Command::Unread => Some(Self::Unread),
            m_sync::Command::Notice => {
                Some(Self::Notice(name_of(CommNotice::decode(payload).ok()?.queue.unwrap_or_default())))
            }
            m_sync::Command::Sync => {
                let sync = CommSyncDl::decode(payload).ok()?;
                Some(sync.queue.map_or(Self::Answers, |queue| Self::Page(name_of(queue))))
            }
            m_sync::Command::Logout => None,
        }
    }

    /// Whether a frame of `later` waits for one of this lane.
    fn holds_up(&self, later: &Self) -> bool {
        match (self, later) {
            (Self::Login, _) => true,
            (Self::Notice(one) | Self::Page(one), Self::Notice(other) | Self::Page(other)) => one == other,
            // It lists the queues: one that it names as having something was not told of before.
            (Self::Unread | Self::Answers, _) | (Self::Notice(_) | Self::Page(_), _) => self == later,
        }
    }
}

impl Held {
    pub(super) fn count_turns(&mut self) {
        self.turns.get_or_insert(0);
    }

    pub(super) fn is_by_turns(&self) -> bool {
        self.turns.is_some()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.frames.len()
    }

    /// When the first of them is due, on a clock that runs.
    pub(super) fn next(&self) -> Option<Millis> {
        let ((Due(at), _), _) = self.frames.first_key_value()?;
        self.turns.is_none().then_some(Millis(*at))
    }

    /// When a frame of that lane is due which is late by so much, behind all that it must not overtake; `None`: at once.
    pub(super) fn due(&self, now: Millis, conn: ConnId, lane: &Lane, late: Option<u64>) -> Option<Due> {
        let own = late.map(|late| Due(self.turns.unwrap_or(now.0).saturating_add(late)));
        let before = { self.frames.iter() }
            .filter(|(_, held)| held.conn == conn && held.lane.holds_up(lane))
            .map(|((due, _), _)| *due);
        before.chain(own).max()
    }

    pub(super) fn hold(&mut self, due: Due, conn: ConnId, lane: Lane, bytes: Bytes) {
        self.held_ever += 1;
        self.frames.insert((due, self.held_ever), Late { conn, lane, bytes });
    }

    /// The world has gone round, or time has passed: what is due by now, in its order.
    pub(super) fn take_due(&mut self, now: Millis) -> Vec<(ConnId, Bytes)> {
        let by = match &mut self.turns {
            Some(turns) => {
                *turns += 1;
                *turns
            }
            None => now.0,
        };
        let mut due = Vec::new();
        while let Some(first) = self.frames.first_entry().filter(|first| first.key().0 <= Due(by)) {
            let Late { conn, bytes, .. } = first.remove();
            due.push((conn, bytes));
        }
        due
    }

    /// All that waits for a connection, in its order.
    pub(super) fn take_all(&mut self, conn: ConnId) -> Vec<Bytes> {
        let of_conn = self.frames.iter().filter(|(_, held)| held.conn == conn);
        let places: Vec<_> = of_conn.map(|(place, _)| *place).collect();
        places.iter().filter_map(|place| self.frames.remove(place)).map(|held| held.bytes).collect()
    }

    pub(super) fn forget(&mut self, conn: ConnId) {
        self.frames.retain(|_, held| held.conn != conn);
    }
}

fn name_of(queue: Jid) -> QueueName {
    (queue.name.unwrap_or_default(), queue.domain.unwrap_or_default())
}
