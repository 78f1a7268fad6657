//! Users, their passwords and block lists, and the access tokens of users and of the app.
//!
//! Names are kept in lower case (rest.md B.2: user ids are case-insensitive); how a user spells the own name, only
//! the own messages say.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use super::conversation::{Marks, Pinned};
use super::log::ConvIx;
use super::message::SentIds;
use super::muc::Mucs;
use super::mutes::Mutes;
use super::notification::{Notification, Subject};
use super::presence::Said;
use super::session::DeviceId;
use super::{ConnId, Map, Millis, Server, Set};

/// A user of the world, for as long as the world lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct UserIx(pub(super) u32);

/// Every user and token of a world.
#[derive(Clone, Debug, Default)]
pub(super) struct Accounts {
    pub(super) users: Map<Box<str>, User>,
    pub(super) tokens: Map<Box<str>, Token>,
    /// The app's own tokens, oldest first.
    pub(super) app_tokens: VecDeque<Box<str>>,
}

/// On whose behalf something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// The app itself: its own server, or whoever holds its client secret (rest.md B.1).
    App,
    User(UserIx),
}

#[derive(Clone, Debug, Default)]
pub(super) struct User {
    /// `None`: known only because somebody wrote to the name.
    pub(super) password: Option<Box<str>>,
    pub(super) nickname: String,
    pub(super) created: Millis,
    pub(super) modified: Millis,
    /// An operator has shut the user out until further notice.
    pub(super) deactivated: bool,
    /// It was removed and not made again since.
    pub(super) is_removed: bool,
    /// What `PUT /users/{user}` was told and nobody here acts upon: push settings.
    pub(super) properties: BTreeMap<String, Value>,
    /// What users tell about themselves: nickname, avatar and the like (rest.md B.2, metadata).
    pub(super) metadata: BTreeMap<String, String>,
    /// When pushes are silent.
    pub(super) notification: Notification,
    /// What the user says of itself to who wants to know.
    pub(super) presence: Said,
    /// Where the user may not speak in the whole app.
    pub(super) mutes: Mutes,
    /// Folded names that may not write to this user.
    pub(super) blocked: Set<UserIx>,
    /// Those of them to whom this user may not write either (`RosterBody.biDirection`).
    pub(super) blocked_both: Set<UserIx>,
    /// Whose contact this user is, and who is this user's: always both. With each the user's own name for it, empty
    /// where it gave none.
    pub(super) contacts: Map<UserIx, Box<str>>,
    /// Who has asked to become a contact and waits for an answer.
    pub(super) invited_by: Set<UserIx>,
    /// Live devices, oldest first.
    pub(super) devices: Vec<ConnId>,
    /// The conversations the user is part of.
    pub(super) conversations: BTreeMap<ConvIx, Membership>,
    /// The positions of single messages that the user has deleted and others still see.
    pub(super) removed: BTreeMap<ConvIx, BTreeSet<u64>>,
    /// Tokens, oldest first.
    pub(super) tokens: VecDeque<Box<str>>,
    /// What is known of devices that are gone, the one that went last at the end.
    pub(super) gone: Map<Box<str>, GoneDevice>,
}

/// How far a user is in one conversation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Membership {
    /// The position at which the user came in.
    pub(super) since: u64,
    /// Up to where some device has acknowledged.
    pub(super) watermark: u64,
    /// The conversation is in the user's session list.
    pub(super) listed: bool,
    /// How many messages of others came since the user last said that the conversation is read. One that is dropped
    /// for want of room or for its age still counts: our guess.
    pub(super) unread: u32,
    /// The position up to which that was said.
    pub(super) read_to: u64,
    /// Of the history the user sees what is at this position or behind it: where it came in, or where it deleted
    /// what there was.
    pub(super) history_from: u64,
    /// Since when it is at the top of the list.
    pub(super) pinned: Option<Pinned>,
    pub(super) marks: Marks,
}

/// What a device is given back when it comes again under its name.
#[derive(Clone, Debug)]
pub(super) struct GoneDevice {
    pub(super) device: DeviceId,
    pub(super) first_own_id: u64,
    pub(super) sent: SentIds,
    /// Where it was in the conversations that it had not had to their end.
    pub(super) positions: BTreeMap<ConvIx, u64>,
    /// Of all others it had had every message below this id.
    pub(super) next_id: u64,
    /// How often it had come back before it went.
    pub(super) returned: u16,
}

impl GoneDevice {
    /// How often it will have come back once it is here again.
    pub(super) fn returns(&self) -> u16 {
        self.returned.wrapping_add(1)
    }
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) bearer: Caller,
    pub(super) expires: Millis,
    pub(super) origin: TokenOrigin,
}

/// Where a token comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenOrigin {
    /// `/token` gave it out, or a test staged it: it is one user's.
    Issued,
    /// A user of a lax world brought it: it is whoever's brings it next.
    Brought,
}

/// Why a token opens nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenFault {
    Unknown,
    Expired,
    /// It is the app's, and opens what no user's does, but nothing that is one user's own.
    Apps,
}

/// Why there is no such user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NameFault {
    /// rest.md B.2: up to 64 bytes of `[a-zA-Z0-9_.-]`.
    Illegal,
    /// [`USERS_MAX`] are there.
    TooMany,
    /// A group or room has it for an id, and 3.x tells queues by name alone (wire-3x §3.4).
    Mucs,
}

/// A bound on what strangers can make a world keep; five for each connection that a
/// server takes.
pub(super) const USERS_MAX: usize = 100_000;
/// A device logs in again and again for months; the oldest token of a user goes then.
pub(super) const TOKENS_PER_USER_MAX: usize = 64;
/// A backend asks for one when its old one ends, a test suite for one a test; the oldest goes then.
pub(super) const APP_TOKENS_MAX: usize = 1_024;
/// Larger than signed tokens with a page of claims, and half of what most servers take as a whole HTTP header; a
/// lax world keeps whatever tokens strangers bring.
pub(crate) const TOKEN_BYTES_MAX: usize = 4 * 1024;
const NAME_BYTES_MAX: usize = 64;
/// A device comes back under its name soon or never; 3.x takes a new name at each login.
pub(super) const GONE_DEVICES_MAX: usize = 8;

impl Accounts {
    pub(super) fn find(&self, name: &str) -> Option<UserIx> {
        let index = match fold(name) {
            Some(folded) => self.users.get_index_of(folded.as_str()),
            None => self.users.get_index_of(name),
        };
        index.map(UserIx::new)
    }

    fn find_or_make(&mut self, now: Millis, name: &str) -> Result<UserIx, NameFault> {
        if let Some(user) = self.find(name) {
            let state = self.user_mut(user);
            if std::mem::take(&mut state.is_removed) {
                (state.created, state.modified) = (now, now);
            }
            return Ok(user);
        }
        if !is_legal(name) {
            return Err(NameFault::Illegal);
        }
        if self.users.len() >= USERS_MAX {
            return Err(NameFault::TooMany);
        }
        let user = User { created: now, modified: now, ..User::default() };
        let (index, _) = self.users.insert_full(name.to_ascii_lowercase().into(), user);
        Ok(UserIx::new(index))
    }

    /// Why not all of these could be made.
    pub(super) fn fault_of<'a>(&self, names: &'a [String], mucs: &Mucs) -> Option<(&'a str, NameFault)> {
        let illegal =
            names.iter().find(|name| !is_legal(name)).map(|name| (name.as_str(), NameFault::Illegal));
        let mucs = names.iter().find(|name| self.find(name).is_none() && mucs.find(name).is_some());
        let taken = mucs.map(|name| (name.as_str(), NameFault::Mucs));
        let room = USERS_MAX - self.users.len();
        illegal.or(taken).or_else(|| names.get(room).map(|name| (name.as_str(), NameFault::TooMany)))
    }

    pub(super) fn user(&self, user: UserIx) -> &User {
        &self.users[user.index()]
    }

    pub(super) fn user_mut(&mut self, user: UserIx) -> &mut User {
        &mut self.users[user.index()]
    }

    /// Those who exist, oldest first, from the one with this number on; the number of the next is one more.
    pub(super) fn existing_from(&self, first: usize) -> impl Iterator<Item = (usize, UserIx)> {
        (first..self.users.len())
            .filter(|&index| self.users[index].exists())
            .map(|index| (index, UserIx::new(index)))
    }

    /// Everybody that people speak of, oldest first: users, and names that are none yet; those who are gone are not.
    pub(super) fn present(&self) -> impl Iterator<Item = UserIx> {
        self.all().filter(|&user| !self.user(user).is_gone())
    }

    /// Every name, whether it is a user's by now or not, oldest first.
    pub(super) fn all(&self) -> impl ExactSizeIterator<Item = UserIx> + use<> {
        (0..self.users.len()).map(UserIx::new)
    }

    /// The user of that name, if there is one.
    pub(super) fn existing(&self, name: &str) -> Option<UserIx> {
        self.find(name).filter(|&user| self.user(user).exists())
    }

    /// Ends every token of the user.
    pub(super) fn end_tokens(&mut self, user: UserIx) {
        for token in std::mem::take(&mut self.user_mut(user).tokens) {
            self.tokens.swap_remove(&token);
        }
    }

    /// Leaves nothing of a user but the name, which is free again: others may still have messages of it. The user
    /// has no live device any more.
    pub(super) fn clear(&mut self, user: UserIx) {
        self.end_tokens(user);
        *self.user_mut(user) = User { is_removed: true, ..User::default() };
        let subject = Subject::User(self.name(user).into());
        for other in self.users.values_mut() {
            other.blocked.shift_remove(&user);
            other.blocked_both.shift_remove(&user);
            other.contacts.shift_remove(&user);
            other.invited_by.shift_remove(&user);
            other.notification.forget(&subject);
        }
    }

    /// The folded name.
    pub(super) fn name(&self, user: UserIx) -> &str {
        self.users.get_index(user.index()).map_or("", |(name, _)| name)
    }

    /// Those of all, also of users that nobody has registered.
    #[cfg(feature = "shell")]
    pub(super) fn all_names(&self) -> impl Iterator<Item = &str> {
        self.users.keys().map(|name| &**name)
    }

    pub(super) fn names(&self, users: impl IntoIterator<Item = UserIx>) -> Vec<String> {
        users.into_iter().map(|user| self.name(user).to_owned()).collect()
    }

    pub(super) fn add_token(&mut self, user: UserIx, token: &str, expires: Millis, origin: TokenOrigin) {
        // A brought one may have been another user's until now.
        self.end_token(token);
        let oldest = {
            let tokens = &mut self.user_mut(user).tokens;
            tokens.push_back(token.into());
            if tokens.len() > TOKENS_PER_USER_MAX { tokens.pop_front() } else { None }
        };
        if let Some(oldest) = oldest {
            self.tokens.swap_remove(&oldest);
        }
        self.tokens.insert(token.into(), Token { bearer: Caller::User(user), expires, origin });
    }

    pub(super) fn add_app_token(&mut self, token: &str, expires: Millis) {
        self.end_token(token);
        if self.app_tokens.len() == APP_TOKENS_MAX
            && let Some(oldest) = self.app_tokens.pop_front()
        {
            self.tokens.swap_remove(&oldest);
        }
        self.app_tokens.push_back(token.into());
        let issued = Token { bearer: Caller::App, expires, origin: TokenOrigin::Issued };
        self.tokens.insert(token.into(), issued);
    }

    fn end_token(&mut self, token: &str) {
        match self.tokens.swap_remove(token).map(|known| known.bearer) {
            Some(Caller::User(user)) => self.user_mut(user).tokens.retain(|other| &**other != token),
            Some(Caller::App) => self.app_tokens.retain(|other| &**other != token),
            None => {}
        }
    }

    /// Has one token of the user end then, or all of them. False: it has no such token.
    pub(super) fn expire_tokens(&mut self, user: UserIx, token: Option<&str>, at: Millis) -> bool {
        let held = self.user(user).tokens.iter();
        let held: Vec<Box<str>> =
            held.filter(|held| token.is_none_or(|token| ***held == *token)).cloned().collect();
        for token in &held {
            self.tokens.get_mut(token).expect("what a user holds is a token").expires = at;
        }
        !held.is_empty()
    }

    /// Whether the token is nobody's in particular.
    pub(super) fn is_brought(&self, token: &str) -> bool {
        self.tokens.get(token).is_some_and(|known| known.origin == TokenOrigin::Brought)
    }

    pub(super) fn bearer(&self, now: Millis, token: &str) -> Result<Caller, TokenFault> {
        self.living(now, token).map(|known| known.bearer)
    }

    /// Whose token it is, and when it ends.
    pub(super) fn token_until(&self, now: Millis, token: &str) -> Result<(UserIx, Millis), TokenFault> {
        let known = self.living(now, token)?;
        match known.bearer {
            Caller::User(user) => Ok((user, known.expires)),
            Caller::App => Err(TokenFault::Apps),
        }
    }

    fn living(&self, now: Millis, token: &str) -> Result<&Token, TokenFault> {
        match self.tokens.get(token) {
            Some(known) if now < known.expires => Ok(known),
            Some(_) => Err(TokenFault::Expired),
            None => Err(TokenFault::Unknown),
        }
    }

    /// As [`Accounts::bearer`], where only a user will do.
    pub(super) fn token(&self, now: Millis, token: &str) -> Result<UserIx, TokenFault> {
        self.token_until(now, token).map(|(user, _)| user)
    }
}

impl Membership {
    /// Of somebody who comes in at this position.
    pub(super) fn at(position: u64) -> Self {
        Self {
            since: position,
            watermark: position,
            listed: false,
            unread: 0,
            read_to: position,
            history_from: position,
            pinned: None,
            marks: Marks::default(),
        }
    }
}

impl Server {
    /// The user of that name, made if need be, without a password.
    pub(super) fn find_or_make_user(&mut self, now: Millis, name: &str) -> Result<UserIx, NameFault> {
        if self.accounts.find(name).is_none() && self.mucs.find(name).is_some() {
            return Err(NameFault::Mucs);
        }
        self.accounts.find_or_make(now, name)
    }
}

impl User {
    /// Whether nothing of it is left but the name: it was removed, and nobody has made it, come by it or written to it
    /// since.
    pub(super) fn is_gone(&self) -> bool {
        self.is_removed && !self.exists() && self.conversations.is_empty()
    }

    /// Whether it is a user, rather than a name that somebody wrote to: it has a password, or came in by a token of
    /// its own.
    pub(super) fn exists(&self) -> bool {
        self.password.is_some() || !self.tokens.is_empty()
    }

    pub(super) fn remember(&mut self, resource: &str, device: GoneDevice) {
        if self.gone.len() == GONE_DEVICES_MAX {
            self.gone.shift_remove_index(0);
        }
        self.gone.insert(resource.into(), device);
    }

    /// The resource of the device that went last.
    pub(super) fn last_gone(&self) -> Option<&str> {
        self.gone.last().map(|(resource, _)| &**resource)
    }

    pub(super) fn take_gone(&mut self, resource: &str) -> Option<GoneDevice> {
        self.gone.shift_remove(resource)
    }

    /// Whether there is another device than one, live or gone.
    pub(super) fn has_other_devices(&self) -> bool {
        self.devices.len() + self.gone.len() > 1
    }

    /// The device that had this resource and is gone.
    pub(super) fn gone_device(&self, resource: &str) -> Option<DeviceId> {
        self.gone.get(resource).map(|gone| gone.device)
    }

    /// What a device that is gone has sent.
    pub(super) fn gone_sent_ids(&mut self, device: DeviceId) -> Option<&mut SentIds> {
        self.gone.values_mut().find(|gone| gone.device == device).map(|gone| &mut gone.sent)
    }

    /// No device that is gone was in this conversation.
    pub(super) fn forget_conversation(&mut self, conv: ConvIx) {
        self.conversations.remove(&conv);
        self.removed.remove(&conv);
        for device in self.gone.values_mut() {
            device.positions.remove(&conv);
        }
    }
}

impl UserIx {
    pub(super) fn new(index: usize) -> Self {
        Self(u32::try_from(index).expect("USERS_MAX fits"))
    }

    fn index(self) -> usize {
        self.0 as usize
    }
}

/// rest.md B.2.
pub(crate) fn is_legal(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.bytes().all(legal)
}

/// The lower-case name, when it differs.
fn fold(name: &str) -> Option<String> {
    name.bytes().any(|b| b.is_ascii_uppercase()).then(|| name.to_ascii_lowercase())
}
