//! Conversations as logs: what is kept of them, for how long, and where a message is.
//!
//! One log per conversation, whose positions only rise. A message's bytes are kept once, whoever reads them. What
//! devices have had of a log is `queue`'s; nothing here knows sockets or names, or decides who may write where.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;

use super::account::UserIx;
use super::encode::QueueFrames;
use super::muc::{MucIx, MucKind, Mucs};
use super::session::{DeviceId, Reader};
use super::{Map, Millis, Server};
use crate::control::Settings;

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
    /// What the service itself tells one user. Its queue has no name (wire-3x §3.4).
    Service(UserIx),
}

/// What an entry of a log is: history, session lists and unread counts go by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A message for people: text, attachment, location, custom.
    Content,
    /// A message for programs (`cmd`).
    Command,
    /// A read, delivery or channel receipt.
    Receipt,
    /// The news that a message was recalled.
    Recall,
    /// The news that a message was changed.
    Edit,
    /// What the service tells: groups, roster, statistics.
    Notice,
}

/// Which of a conversation's users get an entry of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    Everyone,
    Only(UserIx),
    /// Its sender, whose devices need no copy.
    AllBut(UserIx),
    /// Some members of a group or room, and the sender (4.x).
    Among(Arc<[UserIx]>),
    /// The devices that were there when it was sent (4.x). It is in nobody's history and waits for nobody.
    Present(Arc<[DeviceId]>),
}

/// A message to keep and hand out.
#[derive(Clone, Debug)]
pub(super) struct NewEntry {
    /// What clients know it by.
    pub(super) id: u64,
    pub(super) sender: Option<UserIx>,
    /// The device that sent it and needs no copy.
    pub(super) origin: Option<DeviceId>,
    pub(super) kind: EntryKind,
    pub(super) audience: Audience,
    /// The encoded `Meta`; the same bytes may lie in many logs.
    pub(super) meta: Arc<[u8]>,
}

/// A message that is kept.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Rises with each entry of the world. It is the id, but for a message that waited (for a webhook) while others
    /// were taken.
    pub(super) seq: u64,
    pub(super) id: u64,
    pub(super) sender: Option<UserIx>,
    pub(super) origin: Option<DeviceId>,
    pub(super) audience: Audience,
    pub(super) kind: EntryKind,
    /// It made its readers' unread counts rise.
    pub(super) counted: bool,
    /// `None` once it was recalled: a position, and for nobody any more.
    pub(super) meta: Option<Arc<[u8]>>,
}

/// An entry that is for nobody any more.
#[derive(Clone, Debug)]
pub(super) struct Voided {
    pub(super) id: u64,
    pub(super) sender: Option<UserIx>,
    /// It had made its readers' unread counts rise.
    pub(super) counted: bool,
    /// Who those were.
    pub(super) audience: Audience,
}

/// Where a message lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) conv: ConvIx,
    pub(super) position: u64,
    /// When it was taken.
    pub(super) at: Millis,
}

/// A message for people, as history and session lists show it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept<'a> {
    pub(super) id: u64,
    pub(super) sender: Option<UserIx>,
    pub(super) meta: &'a Arc<[u8]>,
}

/// How much of a conversation's history one user may see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    /// What is at this position or behind it,
    pub(super) from: u64,
    /// but for these positions.
    pub(super) removed: Option<&'a BTreeSet<u64>>,
    /// Who looks: what is for others is not shown; `None`: what is for all.
    pub(super) reader: Option<UserIx>,
}

/// Every log of a world.
#[derive(Clone, Debug, Default)]
pub(super) struct Queues {
    pub(super) convs: Map<ConvKey, Conversation>,
    pub(super) messages: Ring,
    /// What the service tells has an allowance of its own: the news of a large group must not push messages out.
    pub(super) notices: Ring,
    /// The `seq` of kept messages whose id is another.
    pub(super) late: Map<u64, u64>,
    pub(super) dropped: u64,
}

/// What is kept, oldest first: who goes next.
#[derive(Clone, Debug, Default)]
pub(super) struct Ring {
    pub(super) slots: VecDeque<Slot>,
    pub(super) bytes: usize,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) seq: u64,
    pub(super) at: Millis,
    pub(super) conv: ConvIx,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Conversation {
    pub(super) log: VecDeque<Entry>,
    /// The position of the log's first entry.
    pub(super) base: u64,
    /// Where the [`EntryKind::Content`] lies: a page of history costs the page, however many receipts lie between.
    pub(super) contents: VecDeque<u64>,
    /// The news of modifications by their positions: where the modified message lies.
    pub(super) edits: BTreeMap<u64, u64>,
    /// How often the messages at these positions were modified.
    pub(super) edited: BTreeMap<u64, u32>,
    /// For a single conversation what the first user sees, then what the second does; one otherwise.
    pub(super) frames: [Option<QueueFrames>; 2],
    /// The page that was made last, for the other members of a group.
    pub(super) last_page: Option<(u64, u64, Bytes)>,
}

/// A bound on what strangers can make a world keep: two of them for each user that a world may have.
pub(super) const CONVERSATIONS_MAX: usize = 200_000;
/// How often the log repeats that messages are being dropped.
const DROPPED_PER_WARNING: u64 = 10_000;

impl Queues {
    /// The conversation, made if need be; `None` when a world holds no more.
    pub(super) fn open(&mut self, key: ConvKey) -> Option<ConvIx> {
        if let Some(index) = self.convs.get_index_of(&key) {
            return Some(ConvIx::new(index));
        }
        if self.convs.len() >= CONVERSATIONS_MAX {
            return None;
        }
        Some(ConvIx::new(self.convs.insert_full(key, Conversation::default()).0))
    }

    pub(super) fn find(&self, key: ConvKey) -> Option<ConvIx> {
        self.convs.get_index_of(&key).map(ConvIx::new)
    }

    /// Where the message with this id is kept; `None` for one that is unknown, dropped or recalled, and for what
    /// the service told.
    pub(super) fn find_message(&self, id: u64) -> Option<Found> {
        let seq = self.late.get(&id).copied().unwrap_or(id);
        let slot = self.messages.slots.binary_search_by_key(&seq, |slot| slot.seq).ok()?;
        let Slot { conv, at, .. } = self.messages.slots[slot];
        let position = self.position_from(conv, seq);
        let entry = self.entry(conv, position)?;
        (entry.id == id && entry.meta.is_some()).then_some(Found { conv, position, at })
    }

    /// The entry at that position, while it is kept.
    pub(super) fn entry(&self, conv: ConvIx, position: u64) -> Option<&Entry> {
        self.at(conv).from(position).next().filter(|_| position >= self.at(conv).base)
    }

    /// Messages for people that this member may see, newest first: those before the one with the id `before`, if
    /// there is such a bound. It costs what is taken of it.
    pub(super) fn history<'a>(
        &'a self,
        conv: ConvIx,
        shown: Shown<'a>,
        before: Option<u64>,
    ) -> impl Iterator<Item = Kept<'a>> + use<'a> {
        let conversation = self.at(conv);
        let end =
            before.map_or(u64::MAX, |id| self.position_from(conv, self.late.get(&id).copied().unwrap_or(id)));
        let first = conversation.contents.partition_point(|&position| position < shown.from);
        let last = conversation.contents.partition_point(|&position| position < end).max(first);
        let positions = conversation.contents.range(first..last).rev().copied();
        positions
            .filter(move |&position| shown.holds(position))
            .filter_map(move |at| self.kept(conv, at, shown.reader))
    }

    /// As [`Queues::history`], oldest first: those behind the one with the id `after`, or all.
    pub(super) fn history_after<'a>(
        &'a self,
        conv: ConvIx,
        shown: Shown<'a>,
        after: Option<u64>,
    ) -> impl Iterator<Item = Kept<'a>> + use<'a> {
        let behind = after.map_or(0, |id| {
            self.position_from(conv, self.late.get(&id).copied().unwrap_or(id).saturating_add(1))
        });
        let shown = Shown { from: shown.from.max(behind), ..shown };
        self.history_at(conv, shown).map(|(_, kept)| kept)
    }

    /// As [`Queues::history`], oldest first, each with its position.
    pub(super) fn history_at<'a>(
        &'a self,
        conv: ConvIx,
        shown: Shown<'a>,
    ) -> impl Iterator<Item = (u64, Kept<'a>)> + use<'a> {
        let contents = &self.at(conv).contents;
        let first = contents.partition_point(|&position| position < shown.from);
        let positions = contents.range(first..).copied().filter(move |&position| shown.holds(position));
        positions.filter_map(move |position| Some((position, self.kept(conv, position, shown.reader)?)))
    }

    /// The newest message for people that this user sees.
    pub(super) fn last_content<'a>(&'a self, conv: ConvIx, shown: Shown<'a>) -> Option<Kept<'a>> {
        let newest_first = self.at(conv).contents.iter().rev().copied();
        let mut seen = newest_first.take_while(|&position| position >= shown.from);
        seen.find_map(|at| shown.holds(at).then(|| self.kept(conv, at, shown.reader)).flatten())
    }

    fn kept(&self, conv: ConvIx, position: u64, reader: Option<UserIx>) -> Option<Kept<'_>> {
        let suits = |audience: &Audience| match reader {
            Some(reader) => audience.is_shown_to(reader),
            None => *audience == Audience::Everyone,
        };
        let entry = self.entry(conv, position).filter(|entry| suits(&entry.audience))?;
        Some(Kept { id: entry.id, sender: entry.sender, meta: entry.meta.as_ref()? })
    }

    /// The position after the newest message.
    pub(super) fn end(&self, conv: ConvIx) -> u64 {
        self.at(conv).end()
    }

    /// The position of the first message that is kept and came at `seq` or later.
    pub(super) fn position_from(&self, conv: ConvIx, seq: u64) -> u64 {
        let conversation = self.at(conv);
        conversation.base + conversation.log.partition_point(|entry| entry.seq < seq) as u64
    }

    /// Whether session lists have it.
    pub(super) fn is_listed(&self, conv: ConvIx, mucs: &Mucs) -> bool {
        match self.key(conv) {
            ConvKey::Muc(muc) => mucs.muc(muc).kind == MucKind::Group,
            ConvKey::Single(..) | ConvKey::Service(_) => true,
        }
    }

    pub(super) fn is_room(&self, conv: ConvIx, mucs: &Mucs) -> bool {
        match self.key(conv) {
            ConvKey::Muc(muc) => mucs.muc(muc).kind == MucKind::Room,
            ConvKey::Single(..) | ConvKey::Service(_) => false,
        }
    }

    pub(super) fn key(&self, conv: ConvIx) -> ConvKey {
        *self.convs.get_index(conv.index()).expect("conversations are never removed").0
    }

    pub(super) fn at(&self, conv: ConvIx) -> &Conversation {
        &self.convs[conv.index()]
    }

    pub(super) fn at_mut(&mut self, conv: ConvIx) -> &mut Conversation {
        &mut self.convs[conv.index()]
    }

    /// Keeps an entry and gives its position.
    pub(super) fn push(
        &mut self,
        now: Millis,
        seq: u64,
        conv: ConvIx,
        entry: NewEntry,
        counted: bool,
    ) -> u64 {
        let NewEntry { id, sender, origin, kind, audience, meta } = entry;
        let ring = self.ring(conv);
        ring.bytes += meta.len();
        ring.slots.push_back(Slot { seq, at: now, conv });
        if id != seq {
            self.late.insert(id, seq);
        }
        let conversation = self.at_mut(conv);
        let position = conversation.end();
        if kind == EntryKind::Content && !matches!(audience, Audience::Present(_)) {
            conversation.contents.push_back(position);
        }
        conversation.log.push_back(Entry {
            seq,
            id,
            sender,
            origin,
            audience,
            kind,
            counted,
            meta: Some(meta),
        });
        position
    }

    /// The bytes of the entry there, while it is kept and not recalled.
    pub(super) fn meta_at(&self, conv: ConvIx, position: u64) -> Option<&Arc<[u8]>> {
        self.entry(conv, position)?.meta.as_ref()
    }

    /// How often the message there was modified.
    pub(super) fn edits(&self, found: Found) -> u32 {
        self.at(found.conv).edited.get(&found.position).copied().unwrap_or_default()
    }

    /// Keeps other bytes of a message than before, and counts that.
    pub(super) fn replace(&mut self, conv: ConvIx, position: u64, meta: Arc<[u8]>) {
        let conversation = self.at_mut(conv);
        let at = position.checked_sub(conversation.base).and_then(|at| usize::try_from(at).ok());
        let Some(entry) = at.and_then(|at| conversation.log.get_mut(at)) else { return };
        let bytes = meta.len();
        let Some(before) = entry.meta.replace(meta) else { return };
        conversation.last_page = None;
        *conversation.edited.entry(position).or_default() += 1;
        let ring = self.ring(conv);
        ring.bytes = ring.bytes + bytes - before.len();
    }

    /// Makes an entry be for nobody, and says what it was.
    pub(super) fn void(&mut self, conv: ConvIx, position: u64) -> Option<Voided> {
        let conversation = self.at_mut(conv);
        let at = usize::try_from(position.checked_sub(conversation.base)?).ok()?;
        let entry = conversation.log.get_mut(at)?;
        let meta = entry.meta.take()?;
        let voided = Voided {
            id: entry.id,
            sender: entry.sender,
            counted: entry.counted,
            audience: entry.audience.clone(),
        };
        conversation.last_page = None;
        if let Ok(at) = conversation.contents.binary_search(&position) {
            conversation.contents.remove(at);
        }
        self.ring(conv).bytes -= meta.len();
        Some(voided)
    }

    /// Drops what is too much or too old. Says how many went for want of room when it is time to tell of it again.
    fn trim(&mut self, now: Millis, settings: &Settings) -> Option<u64> {
        let before = self.dropped;
        while let Some(over) = self.messages.over(now, settings) {
            let slot = self.messages.slots.pop_front().expect("there is one that is over");
            self.messages.bytes -= self.drop_first(slot.conv);
            self.dropped += u64::from(over == Over::Full);
        }
        while self.notices.over(now, settings).is_some() {
            let slot = self.notices.slots.pop_front().expect("there is one that is over");
            self.notices.bytes -= self.drop_first(slot.conv);
        }
        let due = before == 0 || before / DROPPED_PER_WARNING != self.dropped / DROPPED_PER_WARNING;
        (before != self.dropped && due).then_some(self.dropped)
    }

    /// Forgets the first entry of the log and says how many bytes that frees.
    fn drop_first(&mut self, conv: ConvIx) -> usize {
        let conversation = self.at_mut(conv);
        let Some(entry) = conversation.log.pop_front() else { return 0 };
        if conversation.contents.front() == Some(&conversation.base) {
            conversation.contents.pop_front();
        }
        conversation.edits.remove(&conversation.base);
        conversation.edited.remove(&conversation.base);
        conversation.base += 1;
        if entry.id != entry.seq {
            self.late.swap_remove(&entry.id);
        }
        entry.meta.map_or(0, |meta| meta.len())
    }

    fn ring(&mut self, conv: ConvIx) -> &mut Ring {
        match self.key(conv) {
            ConvKey::Single(..) | ConvKey::Muc(_) => &mut self.messages,
            ConvKey::Service(_) => &mut self.notices,
        }
    }
}

/// Why the oldest goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Full,
    Old,
}

impl Ring {
    fn over(&self, now: Millis, settings: &Settings) -> Option<Over> {
        let oldest = self.slots.front()?;
        if self.slots.len() as u64 > settings.kept_messages_max || self.bytes as u64 > settings.kept_bytes_max
        {
            return Some(Over::Full);
        }
        (now.0.saturating_sub(oldest.at.0) > settings.kept_ms_max).then_some(Over::Old)
    }
}

impl Conversation {
    pub(super) fn end(&self) -> u64 {
        self.base + self.log.len() as u64
    }

    /// What is kept from `position` on.
    pub(super) fn from(&self, position: u64) -> impl Iterator<Item = &Entry> + Clone {
        let skip = usize::try_from(position.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.log.range(skip.min(self.log.len())..)
    }
}

impl Shown<'_> {
    fn holds(self, position: u64) -> bool {
        position >= self.from && self.removed.is_none_or(|removed| !removed.contains(&position))
    }
}

impl Audience {
    /// Whether it is for the user, wherever and whenever the user looks.
    pub(super) fn holds(&self, user: UserIx) -> bool {
        match self {
            Self::Everyone => true,
            Self::Only(one) => user == *one,
            Self::AllBut(one) => user != *one,
            Self::Among(users) => users.contains(&user),
            Self::Present(_) => false,
        }
    }

    /// Whether the user's history and lists show it: also what a user sent and needs no copy of.
    pub(super) fn is_shown_to(&self, user: UserIx) -> bool {
        match self {
            Self::Everyone | Self::Only(_) | Self::AllBut(_) => true,
            Self::Among(users) => users.contains(&user),
            Self::Present(_) => false,
        }
    }

    /// Whether the user may know of it at all: what is for some members is nobody else's.
    pub(super) fn is_open_to(&self, user: UserIx) -> bool {
        match self {
            Self::Among(users) => users.contains(&user),
            Self::Everyone | Self::Only(_) | Self::AllBut(_) | Self::Present(_) => true,
        }
    }

    /// Whom the news that it was taken back is for: whoever was left out never had it.
    pub(super) fn of_recall(&self) -> Self {
        match self {
            Self::Among(_) | Self::Present(_) => self.clone(),
            Self::Everyone | Self::Only(_) | Self::AllBut(_) => Self::Everyone,
        }
    }

    /// Whether it is for that device.
    pub(super) fn concerns(&self, reader: &Reader) -> bool {
        match self {
            Self::Present(devices) => devices.contains(&reader.device),
            Self::Everyone | Self::Only(_) | Self::AllBut(_) | Self::Among(_) => self.holds(reader.user),
        }
    }
}

impl Entry {
    /// The bytes, for a device that is to have them: that is everything, but for what the device sent itself, what
    /// its user sent before it logged in, and what is for somebody else or nobody.
    pub(super) fn meta_for(&self, reader: &Reader) -> Option<&[u8]> {
        let is_copy = self.sender != Some(reader.user)
            || (self.origin != Some(reader.device) && self.seq >= reader.first_own_id);
        let meta = self.meta.as_deref()?;
        (is_copy && self.audience.concerns(reader)).then_some(meta)
    }

    pub(super) fn audience(&self) -> &Audience {
        &self.audience
    }

    /// Whether it is a message that the user is waiting for while no device is there.
    fn is_message_for(&self, user: UserIx) -> bool {
        let is_message = match self.kind {
            EntryKind::Content | EntryKind::Command => true,
            EntryKind::Receipt | EntryKind::Recall | EntryKind::Edit | EntryKind::Notice => false,
        };
        is_message && self.meta.is_some() && self.sender != Some(user) && self.audience.holds(user)
    }

    /// Whether it was taken back: its position stays, for nobody, and a page that leaves it out is as good for any
    /// other device.
    pub(super) fn is_recalled(&self) -> bool {
        self.meta.is_none()
    }
}

impl Server {
    /// Drops what the world's rules say is too much or too old. Whoever reads what is kept calls it first.
    pub(super) fn forget_old(&mut self, now: Millis) {
        if let Some(dropped) = self.queues.trim(now, &self.settings) {
            self.warn(format!(
                "{}: {dropped} of the oldest messages dropped so far: the world is full",
                self.app
            ));
        }
    }
}

impl Server {
    /// How many messages no device of the user has acknowledged. Of rooms, none waits for who is away.
    pub(super) fn waiting_for(&self, user: UserIx) -> usize {
        let conversations = self.accounts.user(user).conversations.iter();
        let waiting = conversations.filter(|&(&conv, _)| !self.queues.is_room(conv, &self.mucs));
        waiting
            .map(|(&conv, membership)| {
                let behind = self.queues.at(conv).from(membership.watermark);
                behind.filter(|entry| entry.is_message_for(user)).count()
            })
            .sum()
    }
}

impl ConvKey {
    /// The conversation of two users, whoever asks.
    pub(super) fn single(a: UserIx, b: UserIx) -> Self {
        Self::Single(a.min(b), a.max(b))
    }
}

impl ConvIx {
    pub(super) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("CONVERSATIONS_MAX fits"))
    }

    fn index(self) -> usize {
        self.0 as usize
    }

    /// The same for as long as the world lives.
    pub(super) fn number(self) -> u32 {
        self.0
    }
}

#[cfg(test)]
mod tests;
