//! The receiving side: which queues are being pulled, and which messages were had already.
//!
//! It answers "what to pull next" and "is this new", and shows nothing to anybody.
//!
//! A pull with a page's `nextKey` is the only acknowledgement there is (wire-3x §3.2), so every page that
//! has a key gets one, `isLast` or not: a server that counted the page as delivered answers it with an empty
//! page.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use fixtures::wire::{CommSyncUl, Jid, Status};

use crate::event::ServerId;
use crate::timer::Millis;

/// How long the answer to a pull may take, in ms, before the queue is pulled anew (wire-3x §3.4).
const PULL_LIMIT_MS: u64 = 10_000;
/// How often a queue is pulled in vain before it is left to the next UNREAD.
const PULL_TRIES: u32 = 3;
/// How many queues may be under way; more are left to the next UNREAD.
const QUEUES_LIMIT: usize = 10_000;
/// How many message ids are remembered. A server repeats what was not acknowledged, at most one page of 50
/// in each queue under way: room for 80 of those, in 64 KiB.
const SEEN_LIMIT: usize = 4_096;

/// `CommSyncDL` with its metas left as bytes, so that one that cannot be read does not take the page along.
#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Page {
    #[prost(message, optional, tag = "1")]
    pub(crate) status: Option<Status>,
    #[prost(uint64, optional, tag = "2")]
    pub(crate) meta_id: Option<u64>,
    #[prost(uint64, optional, tag = "3")]
    pub(crate) server_id: Option<u64>,
    #[prost(bytes = "bytes", repeated, tag = "4")]
    pub(crate) metas: Vec<Bytes>,
    #[prost(uint64, optional, tag = "5")]
    pub(crate) next_key: Option<u64>,
    #[prost(message, optional, tag = "6")]
    pub(crate) queue: Option<Jid>,
    #[prost(bool, optional, tag = "7")]
    pub(crate) is_last: Option<bool>,
}

#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pulls: BTreeMap<QueueName, Pull>,
    seen: Seen,
    delivered: Seen,
}

type QueueName = (String, String);

/// A queue of which an answer is awaited.
#[derive(Debug)]
struct Pull {
    queue: Jid,
    /// The key sent last; a page that repeats it is not acknowledged twice.
    key: Option<u64>,
    /// A NOTICE came after the pull went out, so the answer may be too old to hold what it told of.
    stale: bool,
    /// Something that could not be read came meanwhile; perhaps it was the answer.
    doubtful: bool,
    answer_by: Millis,
    tries: u32,
}

impl Inbox {
    /// A NOTICE for the queue.
    pub(crate) fn noticed(&mut self, now: Millis, queue: Jid) -> Option<CommSyncUl> {
        if let Some(pull) = self.pulls.get_mut(&name_of(&queue)) {
            pull.stale = true;
            return None;
        }
        self.start(now, queue)
    }

    /// The queue was in an answer to UNREAD.
    pub(crate) fn unread(&mut self, now: Millis, queue: Jid) -> Option<CommSyncUl> {
        match self.pulls.get(&name_of(&queue)) {
            Some(pull) if !pull.doubtful => None,
            Some(_) | None => self.start(now, queue),
        }
    }

    /// A page came: what to pull next, if anything.
    pub(crate) fn page(&mut self, now: Millis, page: &Page) -> Option<CommSyncUl> {
        let queue = page.queue.clone()?;
        let name = name_of(&queue);
        let more = !page.metas.is_empty() || page.is_last != Some(true);
        let Some(key) = page.next_key.filter(|_| more) else {
            let stale = self.pulls.remove(&name).is_some_and(|pull| pull.stale);
            return if stale { self.start(now, queue) } else { None };
        };
        if let Some(pull) = self.pulls.get_mut(&name)
            && pull.key == Some(key)
        {
            pull.doubtful = false;
            return None;
        }
        if !self.pulls.contains_key(&name) && self.pulls.len() >= QUEUES_LIMIT {
            // A page that nobody asked for. Not acknowledged, it is told of by the next UNREAD.
            return None;
        }
        let pull = Pull {
            queue: queue.clone(),
            key: Some(key),
            stale: false,
            doubtful: false,
            answer_by: now.after(PULL_LIMIT_MS),
            tries: 1,
        };
        self.pulls.insert(name, pull);
        Some(CommSyncUl { key: Some(key), queue: Some(queue), ..CommSyncUl::default() })
    }

    /// Something could not be read: it may have been an answer to any pull.
    pub(crate) fn doubt(&mut self) {
        for pull in self.pulls.values_mut() {
            pull.doubtful = true;
        }
    }

    /// Pulls anew what got no answer in time.
    pub(crate) fn overdue(&mut self, now: Millis) -> Vec<CommSyncUl> {
        self.pulls.retain(|_, pull| pull.answer_by > now || pull.tries < PULL_TRIES);
        let late = self.pulls.values_mut().filter(|pull| pull.answer_by <= now);
        late.map(|pull| {
            pull.tries += 1;
            pull.key = None;
            pull.stale = false;
            pull.answer_by = now.after(PULL_LIMIT_MS);
            plain_pull(&pull.queue)
        })
        .collect()
    }

    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.pulls.values().map(|pull| pull.answer_by).min()
    }

    /// The link is gone and every pull with it. What was seen stays: the server repeats what was not
    /// acknowledged.
    pub(crate) fn link_lost(&mut self) {
        self.pulls.clear();
    }

    /// Whether a message with this id comes for the first time.
    pub(crate) fn is_new(&mut self, id: u64) -> bool {
        self.seen.insert(id)
    }

    /// Whether a message of one's own is acknowledged for the first time, as far as is remembered.
    pub(crate) fn is_first_delivery(&mut self, message: ServerId) -> bool {
        self.delivered.insert(message.0)
    }

    fn start(&mut self, now: Millis, queue: Jid) -> Option<CommSyncUl> {
        if self.pulls.len() >= QUEUES_LIMIT {
            return None;
        }
        let request = plain_pull(&queue);
        let pull = Pull {
            key: None,
            stale: false,
            doubtful: false,
            answer_by: now.after(PULL_LIMIT_MS),
            tries: 1,
            queue: queue.clone(),
        };
        self.pulls.insert(name_of(&queue), pull);
        Some(request)
    }
}

/// The ids seen last, oldest first.
#[derive(Debug, Default)]
struct Seen {
    order: VecDeque<u64>,
    ids: BTreeSet<u64>,
}

impl Seen {
    fn insert(&mut self, id: u64) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > SEEN_LIMIT
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

fn plain_pull(queue: &Jid) -> CommSyncUl {
    CommSyncUl { queue: Some(queue.clone()), ..CommSyncUl::default() }
}

/// Queues are told apart by name and domain: a user and a group may share a name (wire-3x §10.8).
fn name_of(queue: &Jid) -> QueueName {
    (queue.name.clone().unwrap_or_default(), queue.domain.clone().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(number: usize) -> Jid {
        Jid { name: Some(number.to_string()), ..Jid::default() }
    }

    fn page(number: usize) -> Page {
        Page { next_key: Some(1), queue: Some(queue(number)), ..Page::default() }
    }

    #[test]
    fn pages_that_nobody_asked_for_do_not_grow_the_table_past_its_limit() {
        let mut inbox = Inbox::default();
        for number in 0..QUEUES_LIMIT - 1 {
            assert!(inbox.noticed(Millis(0), queue(number)).is_some());
        }
        assert!(inbox.page(Millis(0), &page(QUEUES_LIMIT)).is_some(), "room for one more");
        assert_eq!(inbox.page(Millis(0), &page(QUEUES_LIMIT + 1)), None);
        assert_eq!(inbox.pulls.len(), QUEUES_LIMIT);
        assert!(inbox.page(Millis(0), &page(0)).is_some(), "the others go on");
    }

    #[test]
    fn the_window_forgets_the_oldest_id_first() {
        let mut seen = Seen::default();
        for id in 0..=SEEN_LIMIT as u64 {
            assert!(seen.insert(id));
        }
        assert!(!seen.insert(SEEN_LIMIT as u64));
        assert!(!seen.insert(1));
        assert!(seen.insert(0));
    }
}
