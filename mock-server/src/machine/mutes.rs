//! Mutes in the whole app: where a user may not speak, whatever the group (rest.md B.2, `/mutes`).

use super::Millis;
use super::account::User;

/// The kinds of conversation that a mute tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChatKind {
    Chat,
    Groupchat,
    Chatroom,
}

/// Until when a user is mute in each kind of conversation.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mutes {
    pub(super) chat: Option<Millis>,
    pub(super) groupchat: Option<Millis>,
    pub(super) chatroom: Option<Millis>,
}

/// Later than any clock: until it is taken back.
const FOR_EVER: Millis = Millis(u64::MAX);

impl ChatKind {
    pub(super) const ALL: [Self; 3] = [Self::Chat, Self::Groupchat, Self::Chatroom];

    /// As the API spells it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Groupchat => "groupchat",
            Self::Chatroom => "chatroom",
        }
    }
}

impl Mutes {
    /// For so many seconds; 0 ends the mute, less than 0 is for ever.
    pub(super) fn set(&mut self, kind: ChatKind, now: Millis, seconds: i64) {
        let until = match u64::try_from(seconds) {
            Ok(0) => None,
            Ok(seconds) => Some(Millis(now.0.saturating_add(seconds.saturating_mul(1_000)))),
            Err(_) => Some(FOR_EVER),
        };
        *self.until_mut(kind) = until;
    }

    /// How many seconds are left, begun ones whole; 0: not mute, -1: for ever.
    pub(super) fn seconds_left(&self, kind: ChatKind, now: Millis) -> i64 {
        match self.until(kind) {
            Some(FOR_EVER) => -1,
            Some(until) => i64::try_from(until.0.saturating_sub(now.0).div_ceil(1_000)).unwrap_or(i64::MAX),
            None => 0,
        }
    }

    pub(super) fn until(&self, kind: ChatKind) -> Option<Millis> {
        match kind {
            ChatKind::Chat => self.chat,
            ChatKind::Groupchat => self.groupchat,
            ChatKind::Chatroom => self.chatroom,
        }
    }

    fn until_mut(&mut self, kind: ChatKind) -> &mut Option<Millis> {
        match kind {
            ChatKind::Chat => &mut self.chat,
            ChatKind::Groupchat => &mut self.groupchat,
            ChatKind::Chatroom => &mut self.chatroom,
        }
    }
}

impl User {
    /// Whether the user may not speak in conversations of this kind, whichever they are.
    pub(super) fn is_mute(&self, kind: ChatKind, now: Millis) -> bool {
        self.mutes.until(kind).is_some_and(|until| now < until)
    }
}
