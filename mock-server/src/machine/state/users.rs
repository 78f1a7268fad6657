//! Users in a state file: what is known of each, whom it knows, how far it and its devices are, and its tokens.
//!
//! Devices of the document are those that have gone; one that is there while the document is written is among them.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::conversations::{PinnedState, Refs};
use super::{At, Names, Number, StateFault, WorldState, is_default, live_devices};
use crate::machine::account::{
    APP_TOKENS_MAX, Caller, GONE_DEVICES_MAX, GoneDevice, Membership, TOKEN_BYTES_MAX, TOKENS_PER_USER_MAX,
    Token, TokenOrigin, USERS_MAX, User, UserIx, is_legal,
};
use crate::machine::conversation::{Mark, Marks, Set as Put};
use crate::machine::log::ConvKey;
use crate::machine::message::{SENT_IDS_MAX, Sent, SentIds};
use crate::machine::mutes::Mutes;
use crate::machine::notification::{CONVERSATIONS_MAX, Notification, Remind, Silence, Subject};
use crate::machine::presence::Said;
use crate::machine::session::{DeviceId, Live};
use crate::machine::{Map, Millis, Server, Set};

/// A user, or a name that somebody wrote to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UserState {
    /// In lower case.
    pub name: String,
    /// As `/token` must be given it; `None`: nobody has set one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// What others are shown.
    #[serde(default, skip_serializing_if = "is_default")]
    pub nickname: String,
    /// In ms since 1970.
    #[serde(default, skip_serializing_if = "is_default")]
    pub created_ms: u64,
    /// In ms since 1970.
    #[serde(default, skip_serializing_if = "is_default")]
    pub modified_ms: u64,
    /// Shut out by an operator.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deactivated: bool,
    /// It was removed and not made again: the name is kept for who has messages of it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub removed: bool,
    /// Push settings that nobody here acts upon.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, Value>,
    /// What the user tells about itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, String>,
    /// When pushes are silent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub notification: NotificationState,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "is_default")]
    pub presence: PresenceState,
    /// Where it may not speak in the whole app.
    #[serde(default, skip_serializing_if = "is_default")]
    pub mutes: MutesState,
    /// Who may not write to it, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked: Vec<String>,
    /// Those of them to whom it may not write either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocked_both: Vec<String>,
    /// Oldest first; each has this user, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<ContactState>,
    /// Who waits for its answer, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub invited_by: Vec<String>,
    /// Of whose presence it is told, in the order in which it asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscribed_to: Vec<String>,
    /// Oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<TokenState>,
    /// What it is part of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conversations: Vec<MembershipState>,
    /// The one that went last at the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<DeviceState>,
}

/// A contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ContactState {
    /// Who.
    pub user: String,
    /// The user's own name for it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub remark: String,
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TokenState {
    /// As clients send it.
    pub token: String,
    /// In ms since 1970.
    pub expires_ms: Number,
    /// Where it is from.
    #[serde(default, skip_serializing_if = "is_default")]
    pub origin: TokenOriginState,
}

/// Where a token is from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TokenOriginState {
    /// The world gave it out.
    #[default]
    Issued,
    /// A user of a lax world brought it.
    Brought,
}

/// How far a user is in one conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MembershipState {
    /// Which.
    pub of: String,
    /// The position at which the user came in.
    #[serde(default, skip_serializing_if = "is_default")]
    pub since: u64,
    /// Up to where some device has acknowledged.
    #[serde(default, skip_serializing_if = "is_default")]
    pub watermark: u64,
    /// It is in the user's list.
    #[serde(default, skip_serializing_if = "is_default")]
    pub listed: bool,
    /// How many messages are unread.
    #[serde(default, skip_serializing_if = "is_default")]
    pub unread: u32,
    /// Up to where it is read.
    #[serde(default, skip_serializing_if = "is_default")]
    pub read_to: u64,
    /// From where on history is shown.
    #[serde(default, skip_serializing_if = "is_default")]
    pub history_from: u64,
    /// Positions behind that which the user has deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<u64>,
    /// At the top of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pinned: Option<PinnedState>,
    /// `mark_0` to `mark_19`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<String>,
}

/// A device that comes back under its resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeviceState {
    /// As it calls itself.
    pub resource: String,
    /// Its number.
    pub number: Number,
    /// Of the user's own messages it is given those from this id on.
    pub first_own_id: Number,
    /// Of conversations that are not below it has had every message before this id.
    pub next_id: Number,
    /// How often it has come back.
    #[serde(default, skip_serializing_if = "is_default")]
    pub returned: u16,
    /// The next position for it, by conversation.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub positions: BTreeMap<String, u64>,
    /// The messages that it sent last, so that none is taken twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<SentState>,
    /// The highest of its own ids.
    #[serde(default, skip_serializing_if = "is_default")]
    pub highest_sent: Number,
}

/// A message that a device has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SentState {
    /// The device's own id for it.
    pub local_id: Number,
    /// The world's.
    pub id: Number,
    /// When it was taken, in ms since 1970.
    pub at_ms: u64,
    /// What tells its body from another one's.
    pub body_hash: Number,
}

/// When pushes are silent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NotificationState {
    /// Of all that comes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub all: QuietState,
    /// Of conversations with users of these names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub users: BTreeMap<String, QuietState>,
    /// Of groups and rooms of these ids.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, QuietState>,
    /// What pushes are to be translated into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// When nothing is pushed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct QuietState {
    /// What is pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind: Option<RemindState>,
    /// Until when nothing is, in ms since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<Number>,
    /// `h:m-h:m`, every day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
}

/// What is pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RemindState {
    /// Everything.
    All,
    /// What mentions the user.
    At,
    /// Nothing.
    None,
}

/// What a user says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PresenceState {
    /// In its own words.
    #[serde(default, skip_serializing_if = "is_default")]
    pub ext: String,
    /// When that or a device of the user changed, in ms since 1970.
    #[serde(default, skip_serializing_if = "is_default")]
    pub at_ms: u64,
}

/// Until when a user may not speak, in ms since 1970; 18446744073709551615 is for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MutesState {
    /// To single users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat_ms: Option<Number>,
    /// In groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groupchat_ms: Option<Number>,
    /// In rooms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chatroom_ms: Option<Number>,
}

pub(super) fn save(server: &Server, now: Millis, names: &Names<'_>) -> Vec<UserState> {
    let mut live: BTreeMap<UserIx, Vec<&Live>> = BTreeMap::new();
    for device in live_devices(server) {
        live.entry(device.reader.user).or_default().push(device);
    }
    let users = server.accounts.users.iter().enumerate();
    users
        .map(|(index, (name, user))| {
            let index = UserIx::new(index);
            let live = live.get(&index).map_or(&[][..], Vec::as_slice);
            let watched = server.presence.watched.get(&index).into_iter().flatten();
            let at = if live.is_empty() { user.presence.at } else { now };
            UserState {
                name: name.to_string(),
                password: user.password.as_deref().map(str::to_owned),
                nickname: user.nickname.clone(),
                created_ms: user.created.0,
                modified_ms: user.modified.0,
                deactivated: user.deactivated,
                removed: user.is_removed,
                properties: user.properties.clone(),
                attributes: user.metadata.clone(),
                notification: save_notification(&user.notification),
                presence: PresenceState { ext: user.presence.ext.to_string(), at_ms: at.0 },
                mutes: MutesState {
                    chat_ms: user.mutes.chat.map(|until| Number(until.0)),
                    groupchat_ms: user.mutes.groupchat.map(|until| Number(until.0)),
                    chatroom_ms: user.mutes.chatroom.map(|until| Number(until.0)),
                },
                blocked: names.users(&user.blocked),
                blocked_both: names.users(&user.blocked_both),
                contacts: user
                    .contacts
                    .iter()
                    .map(|(&with, remark)| ContactState {
                        user: names.user(with),
                        remark: remark.to_string(),
                    })
                    .collect(),
                invited_by: names.users(&user.invited_by),
                subscribed_to: names.users(watched),
                tokens: user.tokens.iter().filter_map(|token| save_token(server, token)).collect(),
                conversations: save_memberships(user, names),
                devices: save_devices(server, user, live, names),
            }
        })
        .collect()
}

pub(super) fn save_app_tokens(server: &Server) -> Vec<TokenState> {
    server.accounts.app_tokens.iter().filter_map(|token| save_token(server, token)).collect()
}

fn save_token(server: &Server, token: &str) -> Option<TokenState> {
    let known = server.accounts.tokens.get(token)?;
    let origin = match known.origin {
        TokenOrigin::Issued => TokenOriginState::Issued,
        TokenOrigin::Brought => TokenOriginState::Brought,
    };
    Some(TokenState { token: token.to_owned(), expires_ms: Number(known.expires.0), origin })
}

fn save_memberships(user: &User, names: &Names<'_>) -> Vec<MembershipState> {
    let conversations = user.conversations.iter();
    conversations
        .map(|(conv, membership)| {
            let removed = user.removed.get(conv).into_iter().flatten();
            MembershipState {
                of: names.conversation(*conv),
                since: membership.since,
                watermark: membership.watermark,
                listed: membership.listed,
                unread: membership.unread,
                read_to: membership.read_to,
                history_from: membership.history_from,
                removed: removed.copied().collect(),
                pinned: membership.pinned.map(PinnedState::of),
                marks: membership.marks.words(),
            }
        })
        .collect()
}

/// Those that are gone, and behind them those that are there, as they will be remembered.
fn save_devices(server: &Server, user: &User, live: &[&Live], names: &Names<'_>) -> Vec<DeviceState> {
    let saved = |resource: &str, gone: &GoneDevice| DeviceState {
        resource: resource.to_owned(),
        number: Number(gone.device.0.get()),
        first_own_id: Number(gone.first_own_id),
        next_id: Number(gone.next_id),
        returned: gone.returned,
        positions: gone.positions.iter().map(|(&conv, &at)| (names.conversation(conv), at)).collect(),
        sent: gone.sent.recent.iter().map(SentState::of).collect(),
        highest_sent: Number(gone.sent.highest),
    };
    let mut devices: Vec<DeviceState> =
        user.gone.iter().map(|(resource, gone)| saved(resource, gone)).collect();
    for device in live {
        if devices.len() == GONE_DEVICES_MAX {
            devices.remove(0);
        }
        let device = saved(&device.resource, &device.leaving(server.next_id));
        match devices.iter_mut().find(|other| other.resource == device.resource) {
            Some(other) => *other = device,
            None => devices.push(device),
        }
    }
    devices
}

fn save_notification(notification: &Notification) -> NotificationState {
    let saved = |silence: &Silence| QuietState {
        remind: silence.remind.map(|remind| match remind {
            Remind::All => RemindState::All,
            Remind::At => RemindState::At,
            Remind::None => RemindState::None,
        }),
        until_ms: silence.until.map(|until| Number(until.0)),
        interval: silence.interval.as_deref().map(str::to_owned),
    };
    let mut state = NotificationState {
        all: saved(&notification.all),
        language: notification.language.as_deref().map(str::to_owned),
        ..NotificationState::default()
    };
    for (subject, silence) in &notification.of {
        match subject {
            Subject::All => {}
            Subject::User(name) => drop(state.users.insert(name.to_string(), saved(silence))),
            Subject::Group(id) => drop(state.groups.insert(id.to_string(), saved(silence))),
        }
    }
    state
}

/// Every name, so that whatever follows can speak of any of them.
pub(super) fn load_names(server: &mut Server, users: &[UserState], at: &At<'_>) -> Result<(), StateFault> {
    let at = at.field("users");
    if users.len() > USERS_MAX {
        return Err(at.fault(format!("{} users, at most {USERS_MAX} are held", users.len())));
    }
    for (index, user) in users.iter().enumerate() {
        let at = at.index(index);
        let at = at.field("name");
        if !is_legal(&user.name) || user.name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let reason = format!("{:?} is no user's name: up to 64 of a-z, 0-9, _, . and -", user.name);
            return Err(at.fault(reason));
        }
        if server.accounts.users.insert(user.name.as_str().into(), User::default()).is_some() {
            return Err(at.fault(format!("a user {:?} is there already", user.name)));
        }
    }
    Ok(())
}

/// All but the names. Groups and conversations are there.
pub(super) fn load(
    server: &mut Server,
    state: &WorldState,
    refs: &Refs,
    at: &At<'_>,
) -> Result<(), StateFault> {
    let users = at.field("users");
    for (index, user) in state.users.iter().enumerate() {
        load_user(server, UserIx::new(index), user, refs, &users.index(index))?;
    }
    let mut devices = BTreeSet::new();
    for (index, user) in state.users.iter().enumerate() {
        let me = UserIx::new(index);
        let at = users.index(index);
        for (number, contact) in user.contacts.iter().enumerate() {
            let with = server.accounts.find(&contact.user);
            if !with.is_some_and(|with| server.accounts.user(with).contacts.contains_key(&me)) {
                let reason = format!(
                    "{:?} does not have {:?} for a contact: both do or neither",
                    contact.user, user.name
                );
                return Err(at.field("contacts").index(number).fault(reason));
            }
        }
        for (number, device) in user.devices.iter().enumerate() {
            if !devices.insert(device.number) {
                let reason = format!("another device has the number {}", device.number.0);
                return Err(at.field("devices").index(number).field("number").fault(reason));
            }
        }
    }
    let at = at.field("app_tokens");
    if state.app_tokens.len() > APP_TOKENS_MAX {
        return Err(at.fault(format!("{} tokens, at most {APP_TOKENS_MAX} are kept", state.app_tokens.len())));
    }
    for (index, token) in state.app_tokens.iter().enumerate() {
        load_token(server, token, Caller::App, &at.index(index))?;
        server.accounts.app_tokens.push_back(token.token.as_str().into());
    }
    Ok(())
}

fn load_user(
    server: &mut Server,
    index: UserIx,
    user: &UserState,
    refs: &Refs,
    at: &At<'_>,
) -> Result<(), StateFault> {
    let mut loaded = User {
        password: user.password.as_deref().map(Into::into),
        nickname: user.nickname.clone(),
        created: Millis(user.created_ms),
        modified: Millis(user.modified_ms),
        deactivated: user.deactivated,
        is_removed: user.removed,
        properties: user.properties.clone(),
        metadata: user.attributes.clone(),
        notification: load_notification(&user.notification, &at.field("notification"))?,
        presence: Said { ext: user.presence.ext.as_str().into(), at: Millis(user.presence.at_ms) },
        mutes: Mutes {
            chat: user.mutes.chat_ms.map(|until| Millis(until.0)),
            groupchat: user.mutes.groupchat_ms.map(|until| Millis(until.0)),
            chatroom: user.mutes.chatroom_ms.map(|until| Millis(until.0)),
        },
        blocked: load_users(server, &user.blocked, &at.field("blocked"))?,
        blocked_both: load_users(server, &user.blocked_both, &at.field("blocked_both"))?,
        invited_by: load_users(server, &user.invited_by, &at.field("invited_by"))?,
        ..User::default()
    };
    if let Some(number) = loaded.blocked_both.iter().position(|other| !loaded.blocked.contains(other)) {
        let reason = format!("{:?} is not among `blocked`", user.blocked_both[number]);
        return Err(at.field("blocked_both").index(number).fault(reason));
    }
    let contacts = at.field("contacts");
    for (number, contact) in user.contacts.iter().enumerate() {
        let at = contacts.index(number);
        let at = at.field("user");
        let with = load_one(server, &contact.user, &at)?;
        if with == index {
            return Err(at.fault("nobody is their own contact"));
        }
        if loaded.contacts.insert(with, contact.remark.as_str().into()).is_some() {
            return Err(at.fault(format!("{:?} is there twice", contact.user)));
        }
    }
    let tokens = at.field("tokens");
    if user.tokens.len() > TOKENS_PER_USER_MAX {
        return Err(
            tokens.fault(format!("{} tokens, at most {TOKENS_PER_USER_MAX} are kept", user.tokens.len()))
        );
    }
    for (number, token) in user.tokens.iter().enumerate() {
        load_token(server, token, Caller::User(index), &tokens.index(number))?;
        loaded.tokens.push_back(token.token.as_str().into());
    }
    let conversations = at.field("conversations");
    for (number, membership) in user.conversations.iter().enumerate() {
        let at = conversations.index(number);
        let conv = refs.find(&membership.of, &at.field("of"))?;
        is_open_to(server, server.queues.key(conv), index, &at)?;
        let known = load_membership(server, membership, conv, &at)?;
        if loaded.conversations.insert(conv, known).is_some() {
            return Err(at.field("of").fault(format!("{:?} is there twice", membership.of)));
        }
        if !membership.removed.is_empty() {
            loaded.removed.insert(conv, membership.removed.iter().copied().collect());
        }
    }
    loaded.gone = load_devices(server, user, refs, &at.field("devices"))?;
    *server.accounts.user_mut(index) = loaded;
    Ok(())
}

/// A user's part in a conversation that it is no part of would be read by the wrong one.
fn is_open_to(server: &Server, key: ConvKey, user: UserIx, at: &At<'_>) -> Result<(), StateFault> {
    let name = server.accounts.name(user);
    let reason = match key {
        ConvKey::Single(a, b) if a == user || b == user => return Ok(()),
        ConvKey::Service(one) if one == user => return Ok(()),
        ConvKey::Single(..) | ConvKey::Service(_) => format!("this conversation is none of {name:?}"),
        ConvKey::Muc(muc) => match server.mucs.get(muc) {
            Some(state) if state.has(user) => return Ok(()),
            Some(state) => format!("{name:?} is no member of {:?}", &*state.id),
            None => format!("{name:?} cannot be in a group that was dissolved"),
        },
    };
    Err(at.field("of").fault(reason))
}

fn load_membership(
    server: &Server,
    state: &MembershipState,
    conv: crate::machine::log::ConvIx,
    at: &At<'_>,
) -> Result<Membership, StateFault> {
    let end = server.queues.end(conv);
    let positions = [
        ("since", state.since),
        ("watermark", state.watermark),
        ("read_to", state.read_to),
        ("history_from", state.history_from),
    ];
    for (name, position) in positions {
        if position > end {
            let reason = format!("{position} is past the end of {:?}, which is at {end}", state.of);
            return Err(at.field(name).fault(reason));
        }
    }
    for (number, &position) in state.removed.iter().enumerate() {
        if position >= end {
            let reason = format!("{position} is past the end of {:?}, which is at {end}", state.of);
            return Err(at.field("removed").index(number).fault(reason));
        }
    }
    let mut marks = Marks::default();
    for (number, word) in state.marks.iter().enumerate() {
        let mark = Mark::parse(word).ok_or_else(|| {
            at.field("marks").index(number).fault(format!("{word:?} is no mark: mark_0 to mark_19 are"))
        })?;
        marks.put(mark, Put::On);
    }
    let is_told = matches!(server.queues.key(conv), ConvKey::Service(_));
    if is_told && (state.listed || state.pinned.is_some() || !state.marks.is_empty()) {
        return Err(at.field("listed").fault("what the service tells is in no list, pinned or marked"));
    }
    Ok(Membership {
        since: state.since,
        watermark: state.watermark,
        listed: state.listed,
        unread: state.unread,
        read_to: state.read_to,
        history_from: state.history_from,
        pinned: state.pinned.map(PinnedState::loaded),
        marks,
    })
}

fn load_devices(
    server: &Server,
    user: &UserState,
    refs: &Refs,
    at: &At<'_>,
) -> Result<Map<Box<str>, GoneDevice>, StateFault> {
    if user.devices.len() > GONE_DEVICES_MAX {
        return Err(at.fault(format!("{} devices, at most {GONE_DEVICES_MAX} are kept", user.devices.len())));
    }
    let mut devices = Map::default();
    for (number, device) in user.devices.iter().enumerate() {
        let at = at.index(number);
        let mut positions = BTreeMap::new();
        for (of, &position) in &device.positions {
            let at = at.field("positions");
            let conv = refs.find(of, &at)?;
            let end = server.queues.end(conv);
            if position > end {
                return Err(at.fault(format!("{position} is past the end of {of:?}, which is at {end}")));
            }
            positions.insert(conv, position);
        }
        if device.sent.len() > SENT_IDS_MAX {
            let reason = format!("{} messages, at most {SENT_IDS_MAX} are kept", device.sent.len());
            return Err(at.field("sent").fault(reason));
        }
        for (name, Number(id)) in [("first_own_id", device.first_own_id), ("next_id", device.next_id)] {
            if id > server.next_id {
                return Err(at.field(name).fault(format!("{id} is past counters.next_id")));
            }
        }
        let gone = GoneDevice {
            device: load_device(server, device.number, &at.field("number"))?,
            first_own_id: device.first_own_id.0,
            sent: SentIds {
                recent: device.sent.iter().map(SentState::loaded).collect(),
                highest: device.sent.iter().map(|sent| sent.local_id.0).fold(device.highest_sent.0, u64::max),
            },
            positions,
            next_id: device.next_id.0,
            returned: device.returned,
        };
        if devices.insert(device.resource.as_str().into(), gone).is_some() {
            return Err(at.field("resource").fault(format!("{:?} is there twice", device.resource)));
        }
    }
    Ok(devices)
}

/// The device of that number, which was given out.
pub(super) fn load_device(server: &Server, number: Number, at: &At<'_>) -> Result<DeviceId, StateFault> {
    let given = NonZeroU64::new(number.0).filter(|&number| number < server.next_device);
    given.map(DeviceId).ok_or_else(|| {
        at.fault(format!("no device has the number {}: it is not below counters.next_device", number.0))
    })
}

fn load_token(
    server: &mut Server,
    state: &TokenState,
    bearer: Caller,
    at: &At<'_>,
) -> Result<(), StateFault> {
    let at = at.field("token");
    if state.token.len() > TOKEN_BYTES_MAX {
        return Err(at.fault(format!("at most {TOKEN_BYTES_MAX} bytes")));
    }
    let origin = match state.origin {
        TokenOriginState::Issued => TokenOrigin::Issued,
        TokenOriginState::Brought => TokenOrigin::Brought,
    };
    let token = Token { bearer, expires: Millis(state.expires_ms.0), origin };
    match server.accounts.tokens.insert(state.token.as_str().into(), token) {
        None => Ok(()),
        Some(_) => Err(at.fault("this token is there twice")),
    }
}

fn load_notification(state: &NotificationState, at: &At<'_>) -> Result<Notification, StateFault> {
    let loaded = |silence: &QuietState| Silence {
        remind: silence.remind.map(|remind| match remind {
            RemindState::All => Remind::All,
            RemindState::At => Remind::At,
            RemindState::None => Remind::None,
        }),
        until: silence.until_ms.map(|until| Millis(until.0)),
        interval: silence.interval.as_deref().map(Into::into),
    };
    if state.users.len() + state.groups.len() > CONVERSATIONS_MAX {
        return Err(at.fault(format!("at most {CONVERSATIONS_MAX} conversations have settings")));
    }
    let users = state.users.iter().map(|(name, quiet)| (Subject::User(name.as_str().into()), loaded(quiet)));
    let groups = state.groups.iter().map(|(id, quiet)| (Subject::Group(id.as_str().into()), loaded(quiet)));
    Ok(Notification {
        all: loaded(&state.all),
        of: users.chain(groups).collect(),
        language: state.language.as_deref().map(Into::into),
    })
}

/// The user of that name, as the document spells it.
pub(super) fn load_one(server: &Server, name: &str, at: &At<'_>) -> Result<UserIx, StateFault> {
    let known = server.accounts.users.get_index_of(name);
    known.map(UserIx::new).ok_or_else(|| at.fault(format!("{name:?} is no user of this world")))
}

/// Some users, each once.
pub(super) fn load_users(server: &Server, names: &[String], at: &At<'_>) -> Result<Set<UserIx>, StateFault> {
    let mut users = Set::default();
    for (number, name) in names.iter().enumerate() {
        let at = at.index(number);
        if !users.insert(load_one(server, name, &at)?) {
            return Err(at.fault(format!("{name:?} is there twice")));
        }
    }
    Ok(users)
}

impl SentState {
    fn of(sent: &Sent) -> Self {
        Self {
            local_id: Number(sent.local_id),
            id: Number(sent.server_id),
            at_ms: sent.timestamp.0,
            body_hash: Number(sent.body_hash),
        }
    }

    fn loaded(&self) -> Sent {
        Sent {
            local_id: self.local_id.0,
            server_id: self.id.0,
            timestamp: Millis(self.at_ms),
            body_hash: self.body_hash.0,
        }
    }
}
