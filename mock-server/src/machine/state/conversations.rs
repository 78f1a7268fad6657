//! Conversations and messages in a state file.
//!
//! A conversation is called `users:alice,bob`, `group:ID`, `service:alice` (what the service tells alice) or
//! `dissolved:0` (of a group that is no more, by a number of the file). Messages are in the order in which they came;
//! where each lies in its conversation follows from that. Of each there are the exact bytes in base64, and what people
//! read of them: that is held against the bytes, so that nobody changes the one without the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use fixtures::wire::view::MetaView;
use fixtures::wire::{MessageBody, Meta, message_body, meta};
use message_body::content::Type;
use prost::Message as _;
use serde::{Deserialize, Serialize};

use super::users::{load_device, load_one, load_users};
use super::{At, Names, Number, StateFault, WorldState, is_default};
use crate::base64_bytes;
use crate::machine::conversation::Pinned;
use crate::machine::log::{
    Audience, CONVERSATIONS_MAX, ConvIx, ConvKey, Conversation, Entry, EntryKind, Ring, Slot,
};
use crate::machine::muc::MucIx;
use crate::machine::pins::Pin;
use crate::machine::{Millis, Server, excerpt};

/// A conversation that has had a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ConversationState {
    /// What messages and users call it.
    pub name: String,
    /// The position of the first message that is kept: as many were there before it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub first: u64,
    /// The one that was pinned last at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pins: Vec<PinState>,
}

/// A pinned message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PinState {
    /// Its id; it may be kept no longer.
    pub id: Number,
    /// Who pinned it.
    pub by: String,
    /// When.
    pub pinned: PinnedState,
}

/// When something was pinned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PinnedState {
    /// In ms since 1970.
    pub at_ms: u64,
    /// How many frames and requests there had been.
    pub turn: Number,
}

/// A message, or what is left of its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MessageState {
    /// What clients know it by.
    pub id: Number,
    /// Where it stands among all, if that is not by its id: it had waited while others were taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Number>,
    /// When it was taken, in ms since 1970.
    pub at_ms: u64,
    /// The conversations that have it: one, but for what the service tells many users at once.
    #[serde(rename = "in")]
    pub within: Vec<String>,
    /// Who sent it; `None`: the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The device that sent it and needs no copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_device: Option<Number>,
    /// What it is.
    pub kind: KindState,
    /// The kind of a message's content, or the namespace of what is none: as its bytes say.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
    /// The beginning of its text: as its bytes say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// For whom of the conversation it is.
    #[serde(default, skip_serializing_if = "is_default")]
    pub audience: AudienceState,
    /// It made unread counts rise.
    #[serde(default, skip_serializing_if = "is_default")]
    pub counted: bool,
    /// How often it was modified.
    #[serde(default, skip_serializing_if = "is_default")]
    pub modified: u32,
    /// The position of the message of which it says that it was modified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub news_of: Option<u64>,
    /// The encoded `Meta`, in base64; `None`: it was recalled, and its place is nobody's.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "base64_bytes::optional")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub meta: Option<Bytes>,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum KindState {
    /// For people.
    Content,
    /// For programs.
    Command,
    /// That something was read or delivered.
    Receipt,
    /// That a message was recalled.
    Recall,
    /// That a message was modified.
    Edit,
    /// What the service tells.
    Notice,
}

/// For whom of its conversation a message is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AudienceState {
    /// Everyone.
    #[default]
    Everyone,
    /// One user.
    Only(String),
    /// All but one.
    AllBut(String),
    /// Some, and its sender.
    Among(Vec<String>),
    /// The devices that were there, by number.
    Present(Vec<Number>),
}

/// Where each name of the document leads.
#[derive(Debug, Default)]
pub(super) struct Refs {
    conversations: BTreeMap<String, ConvIx>,
}

impl Refs {
    pub(super) fn find(&self, name: &str, at: &At<'_>) -> Result<ConvIx, StateFault> {
        let known = self.conversations.get(name).copied();
        known.ok_or_else(|| at.fault(format!("{:?} is not among `conversations`", excerpt(name))))
    }
}

pub(super) fn save(server: &Server, names: &Names<'_>) -> Vec<ConversationState> {
    let all = server.queues.convs.values().enumerate();
    all.map(|(index, conversation)| {
        let conv = ConvIx::new(index);
        let pins = server.pins.by_conv.get(&conv).into_iter().flatten();
        ConversationState {
            name: names.conversation(conv),
            first: conversation.base,
            pins: pins
                .map(|pin| PinState {
                    id: Number(pin.id),
                    by: names.user(pin.operator),
                    pinned: PinnedState::of(pin.pinned),
                })
                .collect(),
        }
    })
    .collect()
}

/// What the ring holds, oldest first.
pub(super) fn save_messages(server: &Server, ring: &Ring, names: &Names<'_>) -> Vec<MessageState> {
    let mut positions: BTreeMap<ConvIx, u64> = BTreeMap::new();
    let mut messages: Vec<MessageState> = Vec::with_capacity(ring.slots.len());
    for slot in &ring.slots {
        let conversation = server.queues.at(slot.conv);
        let position = positions.entry(slot.conv).or_insert(conversation.base);
        let entry =
            server.queues.entry(slot.conv, *position).expect("each slot has its entry, in this order");
        let message = save_message(conversation, *position, entry, slot, names);
        *position += 1;
        match messages.last_mut().filter(|last| is_same(last, &message)) {
            Some(last) => last.within.extend(message.within),
            None => messages.push(message),
        }
    }
    messages
}

/// Whether two differ but in their conversations.
fn is_same(one: &MessageState, other: &MessageState) -> bool {
    if one.id != other.id || one.meta != other.meta {
        return false;
    }
    MessageState { within: Vec::new(), ..one.clone() } == MessageState { within: Vec::new(), ..other.clone() }
}

fn save_message(
    conversation: &Conversation,
    position: u64,
    entry: &Entry,
    slot: &Slot,
    names: &Names<'_>,
) -> MessageState {
    let shown = entry.meta.as_deref().map(|meta| Shown::of(meta, entry.kind)).unwrap_or_default();
    MessageState {
        id: Number(entry.id),
        order: (entry.seq != entry.id).then_some(Number(entry.seq)),
        at_ms: slot.at.0,
        within: vec![names.conversation(slot.conv)],
        from: entry.sender.map(|user| names.user(user)),
        from_device: entry.origin.map(|device| Number(device.0.get())),
        kind: match entry.kind {
            EntryKind::Content => KindState::Content,
            EntryKind::Command => KindState::Command,
            EntryKind::Receipt => KindState::Receipt,
            EntryKind::Recall => KindState::Recall,
            EntryKind::Edit => KindState::Edit,
            EntryKind::Notice => KindState::Notice,
        },
        content: shown.content,
        text: shown.text,
        audience: match &entry.audience {
            Audience::Everyone => AudienceState::Everyone,
            Audience::Only(user) => AudienceState::Only(names.user(*user)),
            Audience::AllBut(user) => AudienceState::AllBut(names.user(*user)),
            Audience::Among(users) => AudienceState::Among(names.users(users.iter())),
            Audience::Present(devices) => {
                AudienceState::Present(devices.iter().map(|device| Number(device.0.get())).collect())
            }
        },
        counted: entry.counted,
        modified: conversation.edited.get(&position).copied().unwrap_or_default(),
        news_of: conversation.edits.get(&position).copied(),
        meta: entry.meta.as_deref().map(Bytes::copy_from_slice),
    }
}

/// What people read of a message.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    content: Option<String>,
    text: Option<String>,
}

impl Shown {
    fn of(meta: &[u8], kind: EntryKind) -> Self {
        let Ok(meta) = Meta::decode(meta) else { return Self::default() };
        let ns = meta::NameSpace::try_from(meta.ns.unwrap_or_default());
        let body = match kind {
            EntryKind::Content | EntryKind::Command | EntryKind::Edit => {
                MessageBody::decode(meta.payload.unwrap_or_default()).ok()
            }
            EntryKind::Receipt | EntryKind::Recall | EntryKind::Notice => None,
        };
        let Some(first) = body.and_then(|body| body.contents.into_iter().next()) else {
            let word = ns.ok().map(|ns| ns.as_str_name().to_ascii_lowercase());
            return Self { content: word, text: None };
        };
        let kind = Type::try_from(first.r#type.unwrap_or_default()).ok();
        Self {
            content: kind.map(|kind| kind.as_str_name().to_ascii_lowercase()),
            text: first.text.map(|text| excerpt(&text).into_owned()),
        }
    }
}

/// Conversations and all that is kept of them. Users and groups are known by name.
pub(super) fn load(server: &mut Server, state: &WorldState, at: &At<'_>) -> Result<Refs, StateFault> {
    let conversations = at.field("conversations");
    if state.conversations.len() > CONVERSATIONS_MAX {
        let reason = format!("{}, at most {CONVERSATIONS_MAX} are held", state.conversations.len());
        return Err(conversations.fault(reason));
    }
    let mut refs = Refs::default();
    for (index, conversation) in state.conversations.iter().enumerate() {
        let at = conversations.index(index);
        let key = load_key(server, &conversation.name, &at.field("name"))?;
        if server.queues.find(key).is_some() {
            return Err(at.field("name").fault(format!("{:?} is there already", conversation.name)));
        }
        if conversation.first > POSITION_MAX {
            return Err(at.field("first").fault(format!("at most {POSITION_MAX}")));
        }
        let conv = server.queues.open(key).expect("CONVERSATIONS_MAX are not there yet");
        server.queues.at_mut(conv).base = conversation.first;
        refs.conversations.insert(conversation.name.clone(), conv);
    }
    load_messages(server, &state.messages, &refs, &at.field("messages"), Lane::Messages)?;
    load_messages(server, &state.notices, &refs, &at.field("notices"), Lane::Notices)?;
    Ok(refs)
}

/// Positions are multiplied into keys that clients give back.
const POSITION_MAX: u64 = 1_000_000_000_000_000;

/// Reads `users:alice,bob` and the like.
fn load_key(server: &mut Server, name: &str, at: &At<'_>) -> Result<ConvKey, StateFault> {
    let wrong = || {
        let name = excerpt(name);
        at.fault(format!(
            "{name:?} is no conversation: users:ONE,OTHER, group:ID, service:USER or dissolved:NUMBER is"
        ))
    };
    let (what, rest) = name.split_once(':').ok_or_else(wrong)?;
    match what {
        "users" => {
            let (one, other) = rest.split_once(',').ok_or_else(wrong)?;
            Ok(ConvKey::single(load_one(server, one, at)?, load_one(server, other, at)?))
        }
        "service" => Ok(ConvKey::Service(load_one(server, rest, at)?)),
        "group" => {
            let muc = server.mucs.find(rest);
            muc.map(ConvKey::Muc)
                .ok_or_else(|| at.fault(format!("{:?} is no group of this world", excerpt(rest))))
        }
        "dissolved" => load_dissolved(server, rest).map(ConvKey::Muc).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

/// The numbers behind those of the groups that are there.
fn load_dissolved(server: &mut Server, number: &str) -> Option<MucIx> {
    let number: u32 = number.parse().ok().filter(|&number| (number as usize) < CONVERSATIONS_MAX)?;
    let groups = u32::try_from(server.mucs.mucs.len()).expect("MUCS_MAX fits");
    let muc = MucIx(groups + number);
    server.mucs.made = server.mucs.made.max(muc.0 + 1);
    Some(muc)
}

/// The group of `group:ID` or `dissolved:NUMBER`.
pub(super) fn load_muc(server: &mut Server, name: &str, at: &At<'_>) -> Result<MucIx, StateFault> {
    match load_key(server, name, at)? {
        ConvKey::Muc(muc) => Ok(muc),
        ConvKey::Single(..) | ConvKey::Service(_) => {
            Err(at.fault(format!("{:?} is no group", excerpt(name))))
        }
    }
}

/// Which of a world's two allowances something is kept by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lane {
    Messages,
    Notices,
}

fn load_messages(
    server: &mut Server,
    messages: &[MessageState],
    refs: &Refs,
    at: &At<'_>,
    lane: Lane,
) -> Result<(), StateFault> {
    let mut before = None;
    for (index, message) in messages.iter().enumerate() {
        let at = at.index(index);
        let seq = message.order.unwrap_or(message.id).0;
        for (field, Number(id)) in [("id", message.id), ("order", message.order.unwrap_or_default())] {
            if id >= server.next_id {
                let reason = format!("{id} is not below counters.next_id, which is {}", server.next_id);
                return Err(at.field(field).fault(reason));
            }
        }
        if before.is_some_and(|before| seq < before || (seq == before && lane == Lane::Messages)) {
            let reason =
                format!("{seq} is not behind the one before it, which is {}", before.unwrap_or_default());
            return Err(at.field("id").fault(reason));
        }
        before = Some(seq);
        if lane == Lane::Messages && message.within.len() != 1 {
            return Err(at.field("in").fault("a message is in one conversation"));
        }
        load_message(server, message, seq, refs, &at, lane)?;
    }
    Ok(())
}

fn load_message(
    server: &mut Server,
    message: &MessageState,
    seq: u64,
    refs: &Refs,
    at: &At<'_>,
    lane: Lane,
) -> Result<(), StateFault> {
    let kind = message.kind.loaded();
    let sender = message.from.as_deref().map(|from| load_one(server, from, &at.field("from"))).transpose()?;
    let device = |number| load_device(server, number, &at.field("from_device"));
    let origin = message.from_device.map(device).transpose()?;
    let audience = load_audience(server, &message.audience, &at.field("audience"))?;
    let meta = message.meta.as_deref().map(|meta| load_meta(meta, message, kind, at)).transpose()?;
    for (number, name) in message.within.iter().enumerate() {
        let at = at.field("in");
        let at = at.index(number);
        let conv = refs.find(name, &at)?;
        let is_told = matches!(server.queues.key(conv), ConvKey::Service(_));
        if is_told != (lane == Lane::Notices) {
            let lane = if is_told { "notices" } else { "messages" };
            return Err(at.fault(format!("what is in {name:?} stands among `{lane}`")));
        }
        let ring = match lane {
            Lane::Messages => &mut server.queues.messages,
            Lane::Notices => &mut server.queues.notices,
        };
        ring.bytes += meta.as_ref().map_or(0, |meta| meta.len());
        ring.slots.push_back(Slot { seq, at: Millis(message.at_ms), conv });
        if message.id.0 != seq {
            server.queues.late.insert(message.id.0, seq);
        }
        let conversation = server.queues.at_mut(conv);
        let position = conversation.end();
        if conversation.log.back().is_some_and(|last| last.seq >= seq) {
            return Err(at.fault(format!("{name:?} is there twice")));
        }
        if kind == EntryKind::Content && meta.is_some() && !matches!(audience, Audience::Present(_)) {
            conversation.contents.push_back(position);
        }
        if message.modified > 0 {
            conversation.edited.insert(position, message.modified);
        }
        if let Some(of) = message.news_of {
            conversation.edits.insert(position, of);
        }
        conversation.log.push_back(Entry {
            seq,
            id: message.id.0,
            sender,
            origin,
            audience: audience.clone(),
            kind,
            counted: message.counted,
            meta: meta.clone(),
        });
    }
    Ok(())
}

/// The bytes, which are what the rest of the message says.
fn load_meta(
    bytes: &[u8],
    message: &MessageState,
    kind: EntryKind,
    at: &At<'_>,
) -> Result<Arc<[u8]>, StateFault> {
    let bad = |reason: String| at.field("meta").fault(reason);
    MetaView::read(bytes).map_err(|error| bad(format!("these bytes are no Meta: {error}")))?;
    let meta = Meta::decode(bytes).map_err(|error| bad(format!("these bytes are no Meta: {error}")))?;
    let id = meta.id.unwrap_or_default();
    if id != message.id.0 {
        return Err(bad(format!("these bytes are of message {id}, not {}", message.id.0)));
    }
    let is_for_people = match kind {
        EntryKind::Content | EntryKind::Command => true,
        EntryKind::Receipt | EntryKind::Recall | EntryKind::Edit | EntryKind::Notice => false,
    };
    if is_for_people && let Err(error) = MessageBody::decode(meta.payload.unwrap_or_default()) {
        return Err(bad(format!("the payload is no MessageBody: {error}")));
    }
    let shown = Shown::of(bytes, kind);
    let said = [("type", &message.content, &shown.content), ("text", &message.text, &shown.text)];
    for (field, said, shown) in said {
        if said.is_some() && said != shown {
            let of_bytes =
                shown.as_deref().map_or_else(|| "nothing".to_owned(), |shown| format!("{shown:?}"));
            let reason = format!(
                "the bytes of `meta` say {of_bytes}, and they are what clients get: this field only shows them; \
                 change both or leave it out"
            );
            return Err(at.field(field).fault(reason));
        }
    }
    Ok(bytes.into())
}

fn load_audience(server: &Server, state: &AudienceState, at: &At<'_>) -> Result<Audience, StateFault> {
    Ok(match state {
        AudienceState::Everyone => Audience::Everyone,
        AudienceState::Only(user) => Audience::Only(load_one(server, user, at)?),
        AudienceState::AllBut(user) => Audience::AllBut(load_one(server, user, at)?),
        AudienceState::Among(users) => Audience::Among(load_users(server, users, at)?.into_iter().collect()),
        AudienceState::Present(devices) => {
            let devices = devices.iter().enumerate();
            let devices = devices.map(|(index, number)| load_device(server, *number, &at.index(index)));
            Audience::Present(devices.collect::<Result<Vec<_>, _>>()?.into())
        }
    })
}

pub(super) fn load_pins(
    server: &mut Server,
    state: &WorldState,
    refs: &Refs,
    at: &At<'_>,
) -> Result<(), StateFault> {
    for (index, conversation) in state.conversations.iter().enumerate() {
        let at = at.field("conversations");
        let at = at.index(index);
        let at = at.field("pins");
        let conv = refs.find(&conversation.name, &at)?;
        let mut pins: Vec<Pin> = Vec::new();
        for (number, pin) in conversation.pins.iter().enumerate() {
            let at = at.index(number);
            let operator = load_one(server, &pin.by, &at.field("by"))?;
            if pins.iter().any(|other| other.id == pin.id.0) {
                return Err(at.field("id").fault(format!("{} is there twice", pin.id.0)));
            }
            pins.push(Pin { id: pin.id.0, operator, pinned: pin.pinned.loaded() });
        }
        if !pins.is_empty() {
            server.pins.by_conv.insert(conv, pins);
        }
    }
    Ok(())
}

impl KindState {
    fn loaded(self) -> EntryKind {
        match self {
            Self::Content => EntryKind::Content,
            Self::Command => EntryKind::Command,
            Self::Receipt => EntryKind::Receipt,
            Self::Recall => EntryKind::Recall,
            Self::Edit => EntryKind::Edit,
            Self::Notice => EntryKind::Notice,
        }
    }
}

impl PinnedState {
    pub(super) fn of(pinned: Pinned) -> Self {
        Self { at_ms: pinned.at.0, turn: Number(pinned.turn) }
    }

    pub(super) fn loaded(self) -> Pinned {
        Pinned { at: Millis(self.at_ms), turn: self.turn.0 }
    }
}
