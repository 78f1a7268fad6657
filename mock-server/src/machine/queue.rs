//! What each live device has had of the logs: NOTICE, pull, page, acknowledgement.
//!
//! A cursor per device that has something to pull; a watermark per user, moved by the first device that
//! acknowledges, at which a new device starts (one that comes back goes on where it was). One NOTICE per queue is
//! open at a time: a burst is one NOTICE and a few pages. Who may write where is decided before
//! [`Server::append`].

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use fixtures::wire::view::JidView;
use fixtures::wire::{CONFERENCE_DOMAIN, CommUnreadDl, Jid, Meta, MetaQueue, USER_DOMAIN, meta};
use prost::Message as _;

use super::account::{Accounts, GoneDevice, Membership, UserIx};
use super::encode::{self, QueueFrames};
use super::log::{Audience, ConvIx, ConvKey, Conversation, Entry, EntryKind, Found, NewEntry, Queues};
use super::muc::{MucIx, Mucs};
use super::nasty::AGAIN_METAS_MAX;
use super::session::{DeviceId, Live, Reader, Session};
use super::{AppKey, ConnId, Millis, Output, Server, excerpt};
use crate::control_api::OVERVIEW_COUNT_MAX;

/// What one device has had of one conversation.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    /// The next position to hand out.
    position: u64,
    /// The device was told of the queue and has not pulled it to its end since.
    told: bool,
    /// The page that waits for its key.
    page: Option<Given>,
    /// Those that were given before it and wait for theirs: a client that pulls twice acknowledges twice, or does not.
    /// Nearly always empty.
    earlier_pages: Vec<Given>,
    /// The key that was given back last.
    acknowledged: Option<u64>,
    /// How often the device had come back before: part of its keys.
    returns: u16,
    /// Positions of news of modifications that the device need not have: it is given the messages as they are by now.
    /// They rise; nearly always there are none.
    outdated: Vec<u64>,
    /// What a nasty world did to the device.
    teased: Teased,
}

/// A page that was given.
#[derive(Clone, Copy, Debug)]
struct Given {
    /// The position behind it.
    end: u64,
    /// Its `nextKey`.
    key: u64,
}

/// What a nasty world did to a device, so that it ends.
#[derive(Clone, Debug, Default)]
struct Teased {
    /// Where the pages end that were given again, or not: each comes twice at most.
    again_end: u64,
    /// How many: part of the keys, since 4.x gives up a queue whose next key is the one that it had last.
    again: u16,
    /// The device was told of the queue though it had it all, and nothing has come since.
    of_empty: bool,
}

/// Whether an entry makes its readers' unread counts rise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    Unread,
    Read,
}

/// Whether an entry makes the conversation appear in its readers' session lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    Shown,
    AsBefore,
}

/// What a device has still to do with a queue; both together are counted up to [`OVERVIEW_COUNT_MAX`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Owed {
    /// Messages that it has not been given.
    pub(super) waiting: usize,
    /// Those of the page whose key it has not given back.
    pub(super) unacknowledged: usize,
}

/// Clients remember only about 101 ids for telling duplicates (wire-3x §5), and a page may come twice.
const PAGE_METAS_MAX: usize = 50;
/// A page is copied into each recipient's write buffer, which keeps its size: 50 messages of the default limit
/// fit, and larger ones come in more pages.
const PAGE_BYTES_MAX: usize = 192 * 1024;

impl Queues {
    /// Adds a line for each queue that the device has still to pull or acknowledge.
    pub(super) fn unfinished(&self, live: &Live, accounts: &Accounts, mucs: &Mucs, waits: &mut Vec<String>) {
        for (&conv, cursor) in &live.cursors {
            let waiting = self.waiting(conv, cursor, &live.reader);
            if waiting == 0 && !cursor.told && cursor.page.is_none() {
                continue;
            }
            let device = format!("{}/{}", accounts.name(live.reader.user), live.resource);
            let queue = match self.key(conv) {
                ConvKey::Single(a, b) => accounts.name(if a == live.reader.user { b } else { a }),
                ConvKey::Muc(muc) => &mucs.muc(muc).id,
                ConvKey::Service(_) => "(service)",
            };
            waits.push(match cursor.page {
                Some(Given { key, .. }) => {
                    format!("{device} has not acknowledged queue {queue} with key {key}")
                }
                None => format!("{device} has not pulled queue {queue} ({waiting} waiting)"),
            });
        }
    }

    /// How many messages of the queue the device has still to be given.
    fn waiting(&self, conv: ConvIx, cursor: &Cursor, reader: &Reader) -> usize {
        let entries = self.at(conv).numbered_from(cursor.position);
        entries.filter(|&(at, entry)| cursor.wants(at) && entry.meta_for(reader).is_some()).count()
    }

    /// What the device has still to be given, and what it has been given and has not acknowledged.
    pub(super) fn owed(&self, conv: ConvIx, cursor: &Cursor, reader: &Reader) -> Owed {
        let mut owed = Owed::default();
        let entries = self.at(conv).numbered_from(cursor.position);
        let wanted = entries.filter(|&(at, entry)| cursor.wants(at) && entry.meta_for(reader).is_some());
        for (at, _) in wanted.take(OVERVIEW_COUNT_MAX) {
            if cursor.page.is_some_and(|page| at < page.end) {
                owed.unacknowledged += 1;
            } else {
                owed.waiting += 1;
            }
        }
        owed
    }

    /// As [`Queues::owed`], for a device that begins at this position.
    pub(super) fn owed_to_a_new_device(&self, conv: ConvIx, position: u64, reader: &Reader) -> Owed {
        self.owed(conv, &Cursor::at(position), reader)
    }

    fn frames(&mut self, conv: ConvIx, reader: UserIx, naming: &Naming<'_>) -> &QueueFrames {
        let key = self.key(conv);
        let side = self.side(conv, reader);
        self.at_mut(conv).frames[side].get_or_insert_with(|| QueueFrames::new(naming.jid(key, reader)))
    }

    /// Which of the queue's frames the reader sees.
    fn side(&self, conv: ConvIx, reader: UserIx) -> usize {
        match self.key(conv) {
            ConvKey::Single(a, _) => usize::from(a != reader),
            ConvKey::Muc(_) | ConvKey::Service(_) => 0,
        }
    }

    /// The next page for the device, moving its cursor over what it needs no copy of.
    fn page(
        &mut self,
        conv: ConvIx,
        cursor: &mut Cursor,
        reader: &Reader,
        naming: &Naming<'_>,
        metas_max: usize,
    ) -> Bytes {
        let conversation = self.at(conv);
        let Span { first, end, whole } = conversation.span(cursor, reader, metas_max);
        cursor.position = first;
        if first == end {
            cursor.restart_at(end);
            return self.frames(conv, reader.user, naming).last.clone();
        }
        cursor.give(end);
        let shared = whole && cursor.key_salt() == 0 && matches!(self.key(conv), ConvKey::Muc(_));
        if shared
            && let Some((from, to, page)) = &self.at(conv).last_page
            && (*from, *to) == (first, end)
        {
            return page.clone();
        }
        self.frames(conv, reader.user, naming);
        let side = self.side(conv, reader.user);
        let conversation = self.at_mut(conv);
        let frames = conversation.frames[side].as_ref().expect("made two lines above");
        let entries = conversation.numbered_from(first).take((end - first) as usize);
        let wanted = entries.filter(|&(at, _)| cursor.wants(at));
        let page = frames.page(wanted.filter_map(|(_, entry)| entry.meta_for(reader)), cursor.key_of(end));
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
    /// The next page of the cursor: it begins and ends with something for the device, if there is anything.
    fn span(&self, cursor: &Cursor, reader: &Reader, metas_max: usize) -> Span {
        let (mut first, mut end, mut whole) = (cursor.position.max(self.base), None, true);
        let (mut metas, mut bytes) = (0, 0);
        for (at, entry) in self.numbered_from(first) {
            let Some(meta) = entry.meta_for(reader).filter(|_| cursor.wants(at)) else {
                match end {
                    None => first = at + 1,
                    Some(_) => whole &= entry.is_recalled(),
                }
                continue;
            };
            if metas == metas_max || (metas > 0 && bytes + meta.len() > PAGE_BYTES_MAX) {
                break;
            }
            metas += 1;
            bytes += meta.len();
            end = Some(at + 1);
        }
        Span { first, end: end.unwrap_or(first), whole }
    }
}

impl Conversation {
    /// What is kept from `position` on, with the positions.
    fn numbered_from(&self, position: u64) -> impl Iterator<Item = (u64, &Entry)> + Clone {
        let first = position.max(self.base);
        (first..).zip(self.from(first))
    }
}

/// The keys from one position to the next: one that is off by a little is no page's, and a device that comes back
/// has others than before, for as many times.
const KEYS_PER_POSITION: u64 = 1_000;

fn wrong_key(queue: &str, key: u64, expected: Option<u64>) -> String {
    let queue = if queue.is_empty() { "(service)" } else { queue };
    match expected {
        Some(expected) => {
            format!("payload.key of queue {queue}: expected nextKey {expected} of the last page, got {key}")
        }
        None => format!("payload.key of queue {queue}: expected none, no page is waiting for one, got {key}"),
    }
}

/// What the service tells, but for its id, its time and whom it concerns.
fn notice(ns: meta::NameSpace, payload: Vec<u8>) -> Meta {
    Meta { ns: Some(ns as i32), payload: Some(payload.into()), ..Meta::default() }
}

/// What it takes to name a queue.
struct Naming<'a> {
    app: &'a AppKey,
    accounts: &'a Accounts,
    mucs: &'a Mucs,
}

impl Server {
    /// Keeps a message and tells every live device of `readers`, which are to be part of the conversation. Unread
    /// counts and session lists follow.
    pub(super) fn append(&mut self, now: Millis, conv: ConvIx, entry: NewEntry, readers: &[UserIx]) {
        let counts = match entry.kind {
            EntryKind::Content => Counts::Unread,
            EntryKind::Command if self.settings.commands_count => Counts::Unread,
            EntryKind::Command
            | EntryKind::Receipt
            | EntryKind::Recall
            | EntryKind::Edit
            | EntryKind::Notice => Counts::Read,
        };
        let shows = entry.kind == EntryKind::Content && self.queues.is_listed(conv, &self.mucs);
        let listing = if shows { Listing::Shown } else { Listing::AsBefore };
        self.append_as(now, conv, entry, readers, counts, listing);
    }

    /// As [`Server::append`], where the entry's kind does not decide what follows.
    pub(super) fn append_as(
        &mut self,
        now: Millis,
        conv: ConvIx,
        entry: NewEntry,
        readers: &[UserIx],
        counts: Counts,
        listing: Listing,
    ) {
        let NewEntry { id, sender, origin, .. } = entry;
        let audience = entry.audience.clone();
        let is_receipt = entry.kind == EntryKind::Receipt;
        // An id that was allotted just now is the newest; one that waited would lie behind later ones.
        let seq = if id + 1 == self.next_id { id } else { self.allot_id() };
        let counted = counts == Counts::Unread;
        let position = self.queues.push(now, seq, conv, entry, counted);
        let end = position + 1;
        if let Some(nasty) = &mut self.nasty {
            nasty.is_receipt = is_receipt;
        }
        let naming = Naming { app: &self.app, accounts: &self.accounts, mucs: &self.mucs };
        for &reader in readers {
            let mut notice = None;
            for &conn in &naming.accounts.user(reader).devices {
                let Some(live) = self.sessions.get_mut(&conn).and_then(Session::live_mut) else {
                    continue;
                };
                let cursor = live.cursors.entry(conv).or_insert_with(|| Cursor::at(position));
                if !audience.concerns(&live.reader) || origin == Some(live.reader.device) {
                    if cursor.position == position && cursor.page.is_none() {
                        cursor.position = end;
                    }
                } else if !cursor.told {
                    cursor.told = true;
                    cursor.teased.of_empty = false;
                    let bytes = notice
                        .get_or_insert_with(|| self.queues.frames(conv, reader, &naming).notice.clone())
                        .clone();
                    self.outputs.push_back(Output::Frame { conn, bytes });
                }
            }
        }
        for &reader in readers {
            let conversations = &mut self.accounts.user_mut(reader).conversations;
            let membership = conversations.entry(conv).or_insert_with(|| Membership::at(position));
            let concerned = audience.holds(reader);
            membership.listed |= listing == Listing::Shown && audience.is_shown_to(reader);
            if counted && concerned && sender != Some(reader) {
                membership.unread = membership.unread.saturating_add(1);
            }
            // One's own message is nothing to wait for, unless others wait before it.
            let nothing_new = sender == Some(reader) || !concerned;
            if nothing_new && membership.watermark == position {
                membership.watermark = end;
            }
        }
        self.forget_old(now);
    }

    /// The news of a modification: for devices that had the message as it was. Whoever is still to be given it gets
    /// it as it is now, and nothing more (clause v4.modify.text).
    pub(super) fn append_edit(&mut self, now: Millis, found: Found, entry: NewEntry, readers: &[UserIx]) {
        self.append(now, found.conv, entry, readers);
        let Some(position) = self.queues.end(found.conv).checked_sub(1) else { return };
        self.queues.at_mut(found.conv).edits.insert(position, found.position);
        for &reader in readers {
            for &conn in &self.accounts.user(reader).devices {
                let live = self.sessions.get_mut(&conn).and_then(Session::live_mut);
                let Some(cursor) = live.and_then(|live| live.cursors.get_mut(&found.conv)) else { continue };
                if cursor.given() <= found.position {
                    cursor.outdated.push(position);
                }
            }
        }
    }

    /// The service tells one user something of this namespace, on every device, each once.
    pub(super) fn tell_service(&mut self, now: Millis, user: UserIx, ns: meta::NameSpace, payload: Vec<u8>) {
        let me = self.jid(user, None);
        self.tell(now, &[user], None, Meta { from: Some(me.clone()), to: Some(me), ..notice(ns, payload) });
    }

    /// As [`Server::tell_service`], the same to many users; `from` is whom it is about and has a name, or 3.x loses
    /// what is behind it in a page (wire-3x §5). The bytes are kept once.
    pub(super) fn tell_service_all(
        &mut self,
        now: Millis,
        users: &[UserIx],
        from: Jid,
        ns: meta::NameSpace,
        payload: Vec<u8>,
    ) {
        self.tell(now, users, None, Meta { from: Some(from), ..notice(ns, payload) });
    }

    /// As [`Server::tell_service`], but for the device that knows already.
    pub(super) fn tell_other_devices(
        &mut self,
        now: Millis,
        user: UserIx,
        device: DeviceId,
        ns: meta::NameSpace,
        payload: Vec<u8>,
    ) {
        let me = self.jid(user, None);
        self.tell(
            now,
            &[user],
            Some(device),
            Meta { from: Some(me.clone()), to: Some(me), ..notice(ns, payload) },
        );
    }

    fn tell(&mut self, now: Millis, users: &[UserIx], origin: Option<DeviceId>, meta: Meta) {
        let id = self.allot_id();
        let meta = Meta { id: Some(id), timestamp: Some(now.0), ..meta };
        let bytes: Arc<[u8]> = meta.encode_to_vec().into();
        for &user in users {
            let Some(conv) = self.queues.open(ConvKey::Service(user)) else { continue };
            let (kind, meta) = (EntryKind::Notice, Arc::clone(&bytes));
            let sender = origin.map(|_| user);
            let entry = NewEntry { id, sender, origin, kind, audience: Audience::Everyone, meta };
            self.append(now, conv, entry, &[user]);
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
        let returns = gone.map_or(0, GoneDevice::returns);
        let in_question = conversations.filter(|&(&conv, _)| !self.queues.is_room(conv, &self.mucs));
        in_question
            .filter_map(|(&conv, membership)| {
                let position = match gone {
                    None => membership.watermark,
                    Some(gone) => {
                        let position = gone.positions.get(&conv).copied();
                        position
                            .unwrap_or_else(|| self.queues.position_from(conv, gone.next_id))
                            .max(membership.since)
                    }
                };
                let outdated = || {
                    let edits = &self.queues.at(conv).edits;
                    let news = edits.range(position..).filter(|&(_, &about)| about >= position);
                    news.map(|(&news, _)| news).collect()
                };
                let cursor = |outdated| Cursor { outdated, returns, ..Cursor::at(position) };
                (position < self.queues.end(conv)).then(|| (conv, cursor(outdated())))
            })
            .collect()
    }

    /// UNREAD: which queues have something for the device (wire-3x §3.1).
    pub(super) fn unread(&mut self, now: Millis, conn: ConnId) {
        self.forget_old(now);
        let naming = Naming { app: &self.app, accounts: &self.accounts, mucs: &self.mucs };
        let Some(live) = self.sessions.get_mut(&conn).and_then(Session::live_mut) else { return };
        let mut answer =
            CommUnreadDl { status: Some(encode::ok()), timestamp: Some(now.0), ..CommUnreadDl::default() };
        let mut waiting: Vec<(ConvIx, usize)> = live
            .cursors
            .iter()
            .map(|(&conv, cursor)| (conv, self.queues.waiting(conv, cursor, &live.reader)))
            .filter(|&(_, n)| n > 0)
            .collect();
        if let Some(nasty) = &mut self.nasty {
            nasty.shuffle(conn, &mut waiting);
        }
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
    pub(super) fn pull(&mut self, now: Millis, conn: ConnId, queue: &JidView<'_>, key: Option<u64>) {
        self.forget_old(now);
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
        let before = cursor.position;
        // 0 is what an SDK writes for "no key".
        if let Some(key) = key.filter(|&key| key != 0)
            && !cursor.acknowledge(key)
        {
            let expected = cursor.page.map(|page| page.key);
            // An empty last page, so that a client that is wrong every time does not go round for ever; what it
            // has not acknowledged it is told of again.
            cursor.restart_at(cursor.position);
            self.finding(conn, "conn.offline-sync", wrong_key(queue.name, key, expected));
            return self.send(conn, encode::empty_last(queue));
        }
        let naming = Naming { app: &self.app, accounts: &self.accounts, mucs: &self.mucs };
        let mut metas_max = PAGE_METAS_MAX;
        let mut teasing = None;
        if let Some(nasty) = &mut self.nasty {
            let page_end = cursor.position;
            if cursor.may_come_again(before) && nasty.gives_again(conn) {
                cursor.give_again(before);
            }
            cursor.teased.again_end = cursor.teased.again_end.max(page_end);
            metas_max = nasty.page_size(conn, metas_max);
            teasing = Some(nasty);
        }
        let page = self.queues.page(conv, cursor, &reader, &naming, metas_max);
        let position = cursor.position;
        let mut notice = None;
        if let Some(nasty) = teasing
            && !cursor.told
            && !cursor.teased.of_empty
            && nasty.tells_of_empty(conn)
        {
            (cursor.told, cursor.teased.of_empty) = (true, true);
            notice = Some(self.queues.frames(conv, reader.user, &naming).notice.clone());
        }
        if let Some(membership) = self.accounts.user_mut(reader.user).conversations.get_mut(&conv) {
            membership.watermark = membership.watermark.max(position);
        }
        self.send(conn, page);
        if let Some(notice) = notice {
            self.send(conn, notice);
        }
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

impl Server {
    /// How the server names a group or room.
    pub(super) fn muc_jid(&self, muc: MucIx) -> Jid {
        Jid {
            app_key: Some(self.app.to_string()),
            name: Some(self.mucs.muc(muc).id.to_string()),
            domain: Some(CONFERENCE_DOMAIN.into()),
            client_resource: None,
        }
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

impl Cursor {
    /// The next position to hand out to the device should it come back: not what it has had and acknowledged.
    pub(super) fn position(&self) -> u64 {
        self.position.max(self.teased.again_end)
    }

    fn at(position: u64) -> Self {
        Self {
            position,
            told: false,
            page: None,
            earlier_pages: Vec::new(),
            acknowledged: None,
            returns: 0,
            outdated: Vec::new(),
            teased: Teased::default(),
        }
    }

    /// Whether the page that began at `before` and was just acknowledged may be given once more.
    fn may_come_again(&self, before: u64) -> bool {
        let is_short = self.position.saturating_sub(before) <= AGAIN_METAS_MAX as u64;
        let is_new = before >= self.teased.again_end && before < self.position;
        is_new && is_short && self.outdated.is_empty()
    }

    fn give_again(&mut self, from: u64) {
        self.position = from;
        self.told = true;
        self.teased.again = self.teased.again.wrapping_add(1);
    }

    /// What sets keys apart that would be the same.
    fn key_salt(&self) -> u64 {
        // From the other end, so that the two do not meet.
        let again = KEYS_PER_POSITION - u64::from(self.teased.again) % KEYS_PER_POSITION;
        (u64::from(self.returns) + again) % KEYS_PER_POSITION
    }

    /// Whether the device is to have what lies there, as far as that goes by what it has had.
    fn wants(&self, position: u64) -> bool {
        self.outdated.is_empty() || self.outdated.binary_search(&position).is_err()
    }

    /// The position behind all that was given, acknowledged or not.
    fn given(&self) -> u64 {
        self.page.map_or(self.position, |page| page.end).max(self.position).max(self.teased.again_end)
    }

    /// Nothing is under way any more; the next message there is told of.
    fn restart_at(&mut self, position: u64) {
        self.position = position;
        self.told = false;
        self.supersede();
        self.outdated.retain(|&at| at >= position);
    }

    /// A page that ends there goes out.
    fn give(&mut self, end: u64) {
        self.told = true;
        self.supersede();
        self.page = Some(Given { end, key: self.key_of(end) });
    }

    /// Nothing waits for the page's key any more, and it may still come.
    fn supersede(&mut self) {
        /// A client pulls a queue once for a NOTICE and once for an UNREAD; more at a time is a storm.
        const EARLIER_PAGES_MAX: usize = 16;
        if let Some(page) = self.page.take() {
            if self.earlier_pages.len() == EARLIER_PAGES_MAX {
                self.earlier_pages.remove(0);
            }
            self.earlier_pages.push(page);
        }
    }

    /// Takes a key back. False when no page of this queue had it.
    fn acknowledge(&mut self, key: u64) -> bool {
        let page = self.page.take_if(|page| page.key == key).or_else(|| {
            let at = self.earlier_pages.iter().position(|page| page.key == key);
            at.map(|at| self.earlier_pages.remove(at))
        });
        if let Some(Given { end, .. }) = page {
            self.position = self.position.max(end);
            self.outdated.retain(|&at| at >= end);
            self.acknowledged = Some(key);
            return true;
        }
        // Given back twice: pulls are idempotent.
        self.acknowledged == Some(key)
    }

    /// The `nextKey` of a page that ends there. Not the one that the device was given before it lost its link: 4.x
    /// gives up a queue whose next key is the one that it had last (wire-4x §4).
    fn key_of(&self, end: u64) -> u64 {
        end * KEYS_PER_POSITION + self.key_salt()
    }
}
