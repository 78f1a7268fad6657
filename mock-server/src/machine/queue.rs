//! Conversations as logs, and what each live device has had of them.
//!
//! One log per conversation, whose positions only rise; a cursor per device that has something to pull; a
//! watermark per user, moved by the first device that acknowledges, at which a new device starts (one that comes
//! back goes on where it was). One NOTICE
//! per queue is open at a time: a burst is one NOTICE and a few pages. Nothing here knows sockets or users'
//! names: who may write where is decided before [`Server::append`].

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use fixtures::wire::view::JidView;
use fixtures::wire::{CONFERENCE_DOMAIN, CommUnreadDl, Jid, MetaQueue, USER_DOMAIN};

use super::account::{Accounts, GoneDevice, Membership, UserIx};
use super::encode::{self, QueueFrames};
use super::muc::{MucIx, MucKind, Mucs};
use super::session::{DeviceId, Live, Reader, Session};
use super::{AppKey, ConnId, Map, Millis, Output, Server, excerpt};

/// A conversation of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ConvIx(u32);

/// What a conversation is between.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum ConvKey {
    /// Two users, the lesser first; twice the same for notes to oneself.
    Single(UserIx, UserIx),
    /// A group or room.
    Muc(MucIx),
    /// What the service itself tells one user: block list changes. Its queue has no name (wire-3x §3.4).
    Service(UserIx),
}

#[derive(Debug)]
pub(super) struct Queues {
    convs: Map<ConvKey, Conversation>,
    /// The conversation of each kept message, oldest first: who is dropped next.
    order: VecDeque<ConvIx>,
    bytes: usize,
    dropped: u64,
    messages_max: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Conversation {
    log: VecDeque<Entry>,
    /// The position of the log's first entry.
    base: u64,
    /// For a single conversation what the first user sees, then what the second does; one otherwise.
    frames: [Option<QueueFrames>; 2],
    /// The page that was made last, for the other members of a group.
    last_page: Option<(u64, u64, Bytes)>,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    sender: Option<UserIx>,
    /// The device that sent it and needs no copy.
    origin: Option<DeviceId>,
    meta: Box<[u8]>,
}

/// A message to keep and hand out.
#[derive(Debug)]
pub(super) struct NewEntry {
    pub(super) id: u64,
    pub(super) sender: Option<UserIx>,
    pub(super) origin: Option<DeviceId>,
    pub(super) meta: Box<[u8]>,
}

/// What one device has had of one conversation.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    /// The next position to hand out.
    position: u64,
    /// The device was told of the queue and has not pulled it to its end since.
    told: bool,
    /// Where the page that waits for its key ends.
    page_end: Option<u64>,
    /// Where it ended when it was given before: a client that pulls twice acknowledges twice. Nearly always empty.
    earlier_ends: Vec<u64>,
    /// What was acknowledged last.
    acknowledged: Option<u64>,
}

/// Clients remember only about 101 ids for telling duplicates (wire-3x §5), and a page may come twice.
const PAGE_METAS_MAX: usize = 50;
/// A page is copied into each recipient's write buffer, which keeps its size: 50 messages of the default limit
/// fit, and larger ones come in more pages.
const PAGE_BYTES_MAX: usize = 192 * 1024;
/// A bound on what strangers can make a world keep: two of them for each user that a world may have.
const CONVERSATIONS_MAX: usize = 200_000;
/// How often the log repeats that messages are being dropped.
const DROPPED_PER_WARNING: u64 = 10_000;

impl Queues {
    pub(super) fn new(messages_max: usize, bytes_max: usize) -> Self {
        Self { convs: Map::default(), order: VecDeque::new(), bytes: 0, dropped: 0, messages_max, bytes_max }
    }

    /// The conversation, made if need be; `None` when a world holds no more.
    pub(super) fn open(&mut self, key: ConvKey) -> Option<ConvIx> {
        if let Some(index) = self.convs.get_index_of(&key) {
            return Some(ConvIx::new(index));
        }
        if self.convs.len() >= CONVERSATIONS_MAX {
            return None;
        }
        let conv = Conversation { log: VecDeque::new(), base: 0, frames: [None, None], last_page: None };
        Some(ConvIx::new(self.convs.insert_full(key, conv).0))
    }

    pub(super) fn find(&self, key: ConvKey) -> Option<ConvIx> {
        self.convs.get_index_of(&key).map(ConvIx::new)
    }

    /// The position after the newest message.
    pub(super) fn end(&self, conv: ConvIx) -> u64 {
        self.at(conv).end()
    }

    /// The position of the first message that is kept and has this id or a later one.
    fn position_of(&self, conv: ConvIx, id: u64) -> u64 {
        let conversation = self.at(conv);
        conversation.base + conversation.log.partition_point(|entry| entry.id < id) as u64
    }

    pub(super) fn is_room(&self, conv: ConvIx, mucs: &Mucs) -> bool {
        match self.key(conv) {
            ConvKey::Muc(muc) => mucs.muc(muc).kind == MucKind::Room,
            ConvKey::Single(..) | ConvKey::Service(_) => false,
        }
    }

    /// Adds a line for each queue that the device has still to pull or acknowledge.
    pub(super) fn unfinished(&self, live: &Live, accounts: &Accounts, mucs: &Mucs, waits: &mut Vec<String>) {
        for (&conv, cursor) in &live.cursors {
            let waiting = self.waiting(conv, cursor, &live.reader);
            if waiting == 0 && !cursor.told && cursor.page_end.is_none() {
                continue;
            }
            let device = format!("{}/{}", accounts.name(live.reader.user), live.resource);
            let queue = match self.key(conv) {
                ConvKey::Single(a, b) => accounts.name(if a == live.reader.user { b } else { a }),
                ConvKey::Muc(muc) => &mucs.muc(muc).id,
                ConvKey::Service(_) => "(service)",
            };
            waits.push(match cursor.page_end {
                Some(end) => format!("{device} has not acknowledged queue {queue} with key {}", key_of(end)),
                None => format!("{device} has not pulled queue {queue} ({waiting} waiting)"),
            });
        }
    }

    fn key(&self, conv: ConvIx) -> ConvKey {
        *self.convs.get_index(conv.index()).expect("conversations are never removed").0
    }

    fn at(&self, conv: ConvIx) -> &Conversation {
        &self.convs[conv.index()]
    }

    /// How many messages of the queue the device has still to be given.
    fn waiting(&self, conv: ConvIx, cursor: &Cursor, reader: &Reader) -> usize {
        self.at(conv).from(cursor.position).filter(|entry| entry.is_for(reader)).count()
    }

    fn push(&mut self, conv: ConvIx, entry: NewEntry) -> u64 {
        let NewEntry { id, sender, origin, meta } = entry;
        self.bytes += meta.len();
        self.order.push_back(conv);
        let conversation = &mut self.convs[conv.index()];
        conversation.log.push_back(Entry { id, sender, origin, meta });
        conversation.end() - 1
    }

    /// Drops what is over the limits. Says how many went when it is time to tell of it again.
    fn trim(&mut self) -> Option<u64> {
        let before = self.dropped;
        while self.order.len() > self.messages_max || self.bytes > self.bytes_max {
            let Some(conv) = self.order.pop_front() else { break };
            let conversation = &mut self.convs[conv.index()];
            if let Some(entry) = conversation.log.pop_front() {
                conversation.base += 1;
                self.bytes -= entry.meta.len();
                self.dropped += 1;
            }
        }
        let due = before == 0 || before / DROPPED_PER_WARNING != self.dropped / DROPPED_PER_WARNING;
        (before != self.dropped && due).then_some(self.dropped)
    }

    fn frames(&mut self, conv: ConvIx, reader: UserIx, naming: &Naming<'_>) -> &QueueFrames {
        let key = self.key(conv);
        let side = self.side(conv, reader);
        self.convs[conv.index()].frames[side].get_or_insert_with(|| QueueFrames::new(naming.jid(key, reader)))
    }

    /// Which of the queue's frames the reader sees.
    fn side(&self, conv: ConvIx, reader: UserIx) -> usize {
        match self.key(conv) {
            ConvKey::Single(a, _) => usize::from(a != reader),
            ConvKey::Muc(_) | ConvKey::Service(_) => 0,
        }
    }

    /// The next page for the device, moving its cursor over what it needs no copy of.
    fn page(&mut self, conv: ConvIx, cursor: &mut Cursor, reader: &Reader, naming: &Naming<'_>) -> Bytes {
        let conversation = self.at(conv);
        let Span { first, end, whole } = conversation.span(cursor.position, reader);
        cursor.position = first;
        if first == end {
            cursor.restart_at(end);
            return self.frames(conv, reader.user, naming).last.clone();
        }
        cursor.give(end);
        let shared = whole && matches!(self.key(conv), ConvKey::Muc(_));
        if shared
            && let Some((from, to, page)) = &self.at(conv).last_page
            && (*from, *to) == (first, end)
        {
            return page.clone();
        }
        self.frames(conv, reader.user, naming);
        let side = self.side(conv, reader.user);
        let conversation = &mut self.convs[conv.index()];
        let frames = conversation.frames[side].as_ref().expect("made two lines above");
        let entries = conversation.from(first).take((end - first) as usize);
        let page =
            frames.page(entries.filter(|entry| entry.is_for(reader)).map(|entry| &*entry.meta), key_of(end));
        if shared {
            conversation.last_page = Some((first, end, page.clone()));
        }
        page
    }
}

/// The positions of one page.
struct Span {
    first: u64,
    end: u64,
    /// Whether the device gets everything in it, so that the page is anybody's.
    whole: bool,
}

impl Conversation {
    fn end(&self) -> u64 {
        self.base + self.log.len() as u64
    }

    /// The next page from `position` on: it begins and ends with something for the device, if there is anything.
    fn span(&self, position: u64, reader: &Reader) -> Span {
        let (mut first, mut end, mut whole) = (position.max(self.base), None, true);
        let (mut metas, mut bytes) = (0, 0);
        for (at, entry) in (first..).zip(self.from(first)) {
            if !entry.is_for(reader) {
                match end {
                    None => first = at + 1,
                    Some(_) => whole = false,
                }
                continue;
            }
            if metas == PAGE_METAS_MAX || (metas > 0 && bytes + entry.meta.len() > PAGE_BYTES_MAX) {
                break;
            }
            metas += 1;
            bytes += entry.meta.len();
            end = Some(at + 1);
        }
        Span { first, end: end.unwrap_or(first), whole }
    }

    fn from(&self, position: u64) -> impl Iterator<Item = &Entry> + Clone {
        let skip = usize::try_from(position.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.log.range(skip.min(self.log.len())..)
    }
}

impl Entry {
    /// Everything, but for what the device sent itself and what its user sent before it logged in.
    fn is_for(&self, reader: &Reader) -> bool {
        self.sender != Some(reader.user)
            || (self.origin != Some(reader.device) && self.id >= reader.first_own_id)
    }
}

/// The `nextKey` of a page that ends there. Spaced, so that a key that is off by a little is no page's.
fn key_of(end: u64) -> u64 {
    end * 1_000
}

fn wrong_key(queue: &str, key: u64, expected: Option<u64>) -> String {
    let queue = if queue.is_empty() { "(service)" } else { queue };
    match expected {
        Some(expected) => {
            format!("payload.key of queue {queue}: expected nextKey {expected} of the last page, got {key}")
        }
        None => format!("payload.key of queue {queue}: expected none, no page is waiting for one, got {key}"),
    }
}

/// What it takes to name a queue.
struct Naming<'a> {
    app: &'a AppKey,
    accounts: &'a Accounts,
    mucs: &'a Mucs,
}

impl Server {
    /// Keeps a message and tells every live device of `readers`, which are to be part of the conversation.
    pub(super) fn append(&mut self, conv: ConvIx, entry: NewEntry, readers: &[UserIx]) {
        let (sender, origin) = (entry.sender, entry.origin);
        let position = self.queues.push(conv, entry);
        let end = position + 1;
        let naming = Naming { app: &self.app, accounts: &self.accounts, mucs: &self.mucs };
        for &reader in readers {
            let mut notice = None;
            for &conn in &naming.accounts.user(reader).devices {
                let Some(live) = self.sessions.get_mut(&conn).and_then(Session::live_mut) else {
                    continue;
                };
                let cursor = live.cursors.entry(conv).or_insert_with(|| Cursor::at(position));
                if origin == Some(live.reader.device) {
                    if cursor.position == position && cursor.page_end.is_none() {
                        cursor.position = end;
                    }
                } else if !cursor.told {
                    cursor.told = true;
                    let bytes = notice
                        .get_or_insert_with(|| self.queues.frames(conv, reader, &naming).notice.clone())
                        .clone();
                    self.outputs.push_back(Output::Frame { conn, bytes });
                }
            }
        }
        for &reader in readers {
            let membership = self
                .accounts
                .user_mut(reader)
                .conversations
                .entry(conv)
                .or_insert(Membership { since: position, watermark: position });
            // One's own message is nothing to wait for, unless others wait before it.
            if sender == Some(reader) && membership.watermark == position {
                membership.watermark = end;
            }
        }
        if let Some(dropped) = self.queues.trim() {
            self.warn(format!(
                "{}: {dropped} of the oldest messages dropped so far: the world is full",
                self.app
            ));
        }
    }

    /// A new device starts at what its user has acknowledged, one that comes back at what it had itself had: else
    /// the messages of its gap would be lost to it as soon as another device takes them (clause conn.reconnect).
    /// Of a room, both get what comes from now on.
    pub(super) fn initial_cursors(
        &self,
        user: UserIx,
        gone: Option<&GoneDevice>,
    ) -> BTreeMap<ConvIx, Cursor> {
        let conversations = self.accounts.user(user).conversations.iter();
        let in_question = conversations.filter(|&(&conv, _)| !self.queues.is_room(conv, &self.mucs));
        in_question
            .filter_map(|(&conv, membership)| {
                let position = match gone {
                    None => membership.watermark,
                    Some(gone) => {
                        let position = gone.positions.get(&conv).copied();
                        position
                            .unwrap_or_else(|| self.queues.position_of(conv, gone.next_id))
                            .max(membership.since)
                    }
                };
                (position < self.queues.end(conv)).then(|| (conv, Cursor::at(position)))
            })
            .collect()
    }

    /// UNREAD: which queues have something for the device (wire-3x §3.1).
    pub(super) fn unread(&mut self, now: Millis, conn: ConnId) {
        let naming = Naming { app: &self.app, accounts: &self.accounts, mucs: &self.mucs };
        let Some(live) = self.sessions.get_mut(&conn).and_then(Session::live_mut) else { return };
        let mut answer =
            CommUnreadDl { status: Some(encode::ok()), timestamp: Some(now.0), ..CommUnreadDl::default() };
        let waiting: Vec<(ConvIx, usize)> = live
            .cursors
            .iter()
            .map(|(&conv, cursor)| (conv, self.queues.waiting(conv, cursor, &live.reader)))
            .filter(|&(_, n)| n > 0)
            .collect();
        for (conv, n) in waiting {
            let queue = naming.jid(self.queues.key(conv), live.reader.user);
            answer.unread.push(MetaQueue { queue: Some(queue), n: u32::try_from(n).ok() });
            if let Some(cursor) = live.cursors.get_mut(&conv) {
                cursor.told = true;
            }
        }
        self.send(conn, encode::unread(&answer));
    }

    /// A pull of a queue, and with a key the acknowledgement of its last page (wire-3x §3.2).
    pub(super) fn pull(&mut self, conn: ConnId, queue: &JidView<'_>, key: Option<u64>) {
        let Some(conv) = self.queue_of(conn, queue) else {
            // A pull may cross the news that its group is gone.
            if !self.mucs.has_existed(queue.name) {
                let (name, domain) = (excerpt(queue.name), excerpt(queue.domain));
                let text = format!("pull of queue {name:?}@{domain}, of which nobody told");
                self.finding(conn, "conn.offline-sync", text);
            }
            return self.send(conn, encode::empty_last(queue));
        };
        let Some(live) = self.sessions.get_mut(&conn).and_then(Session::live_mut) else { return };
        let reader = live.reader;
        let Some(cursor) = live.cursors.get_mut(&conv) else {
            return self.send(conn, encode::empty_last(queue));
        };
        // 0 is what an SDK writes for "no key".
        if let Some(key) = key.filter(|&key| key != 0)
            && !cursor.acknowledge(key)
        {
            let expected = cursor.page_end.map(key_of);
            // An empty last page, so that a client that is wrong every time does not go round for ever; what it
            // has not acknowledged it is told of again.
            cursor.restart_at(cursor.position);
            self.finding(conn, "conn.offline-sync", wrong_key(queue.name, key, expected));
            return self.send(conn, encode::empty_last(queue));
        }
        let naming = Naming { app: &self.app, accounts: &self.accounts, mucs: &self.mucs };
        let page = self.queues.page(conv, cursor, &reader, &naming);
        let position = cursor.position;
        if let Some(membership) = self.accounts.user_mut(reader.user).conversations.get_mut(&conv) {
            membership.watermark = membership.watermark.max(position);
        }
        self.send(conn, page);
    }

    /// Forgets what a user had of a conversation it has left.
    pub(super) fn leave_conversation(&mut self, conv: ConvIx, user: UserIx) {
        let user = self.accounts.user_mut(user);
        user.forget_conversation(conv);
        for device in &user.devices {
            if let Some(live) = self.sessions.get_mut(device).and_then(Session::live_mut) {
                live.cursors.remove(&conv);
            }
        }
    }

    fn queue_of(&self, conn: ConnId, queue: &JidView<'_>) -> Option<ConvIx> {
        let reader = self.sessions.get(&conn)?.live()?.reader.user;
        let key = if queue.name.is_empty() {
            ConvKey::Service(reader)
        } else if queue.domain == CONFERENCE_DOMAIN {
            ConvKey::Muc(self.mucs.find(queue.name)?)
        } else {
            ConvKey::single(reader, self.accounts.find(queue.name)?)
        };
        self.queues.find(key)
    }
}

impl Naming<'_> {
    fn jid(&self, key: ConvKey, reader: UserIx) -> Jid {
        let (name, domain) = match key {
            ConvKey::Single(a, b) => {
                (Some(self.accounts.name(if a == reader { b } else { a }).to_owned()), USER_DOMAIN)
            }
            ConvKey::Muc(muc) => (Some(self.mucs.muc(muc).id.to_string()), CONFERENCE_DOMAIN),
            ConvKey::Service(_) => (None, USER_DOMAIN),
        };
        Jid { app_key: Some(self.app.to_string()), name, domain: Some(domain.into()), client_resource: None }
    }
}

impl ConvKey {
    /// The conversation of two users, whoever asks.
    pub(super) fn single(a: UserIx, b: UserIx) -> Self {
        Self::Single(a.min(b), a.max(b))
    }
}

impl Cursor {
    /// The next position to hand out.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    fn at(position: u64) -> Self {
        Self { position, told: false, page_end: None, earlier_ends: Vec::new(), acknowledged: None }
    }

    /// Nothing is under way any more; the next message there is told of.
    fn restart_at(&mut self, position: u64) {
        self.position = position;
        self.told = false;
        self.page_end = None;
        self.earlier_ends.clear();
    }

    /// A page that ends there goes out.
    fn give(&mut self, end: u64) {
        /// A client pulls a queue once for a NOTICE and once for an UNREAD; more at a time is a storm.
        const EARLIER_ENDS_MAX: usize = 16;
        self.told = true;
        if let Some(earlier) = self.page_end.replace(end).filter(|&earlier| earlier != end) {
            if self.earlier_ends.len() == EARLIER_ENDS_MAX {
                self.earlier_ends.remove(0);
            }
            self.earlier_ends.push(earlier);
        }
    }

    /// Takes a key back. False when no page of this queue had it.
    fn acknowledge(&mut self, key: u64) -> bool {
        let end = if self.page_end.is_some_and(|end| key_of(end) == key) {
            self.page_end.take()
        } else {
            let at = self.earlier_ends.iter().position(|&end| key_of(end) == key);
            at.map(|at| self.earlier_ends.remove(at))
        };
        if let Some(end) = end {
            self.position = self.position.max(end);
            self.acknowledged = Some(end);
            return true;
        }
        // Given back twice: pulls are idempotent.
        self.acknowledged.is_some_and(|end| key_of(end) == key)
    }
}

impl ConvIx {
    fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("CONVERSATIONS_MAX fits"))
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}
