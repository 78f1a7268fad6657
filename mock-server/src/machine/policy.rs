//! What an app forbids: mutes, silence for all, sensitive words, spam, receipts that a member may not ask for.
//!
//! Only messages are looked at, never receipts or recalls. With no rule set it costs a few comparisons.

use std::collections::VecDeque;
use std::hash::Hasher as _;

use fixtures::wire::view::{Fields, MetaView};
use fixtures::wire::{KeyValue, MessageBody, key_value, message_body, status};
use prost::Message as _;
use rustc_hash::FxHasher;

use super::account::UserIx;
use super::log::EntryKind;
use super::message::Refused;
use super::muc::{MucKind, Silence};
use super::mutes::ChatKind;
use super::route::Delivery;
use super::{Map, Millis, Server};

/// What users have said lately, as long as the app watches for spam.
#[derive(Clone, Debug, Default)]
pub(super) struct SaidLately {
    /// Oldest first.
    pub(super) said: VecDeque<(Millis, UserIx, u64)>,
    pub(super) times: Map<(UserIx, u64), u32>,
}

/// control.rs, `Settings::antispam`: the fourth is refused. Our guess.
const SAME_MAX: u32 = 3;
const SPAM_WINDOW_MS: u64 = 10_000;
/// A bound on what strangers can make a world keep: 10,000 messages a second for the whole window.
pub(super) const SAID_MAX: usize = 100_000;

impl SaidLately {
    /// Whether the user has said this so often that it is spam; if not, it is noted.
    fn is_spam(&mut self, now: Millis, user: UserIx, content: u64) -> bool {
        while let Some(&(at, user, content)) = self.said.front() {
            if now.0.saturating_sub(at.0) <= SPAM_WINDOW_MS && self.said.len() < SAID_MAX {
                break;
            }
            self.said.pop_front();
            let times = self.times.get_mut(&(user, content)).expect("what is noted is counted");
            *times -= 1;
            if *times == 0 {
                self.times.swap_remove(&(user, content));
            }
        }
        let times = self.times.get(&(user, content)).copied().unwrap_or_default();
        if times >= SAME_MAX {
            return true;
        }
        self.times.insert((user, content), times + 1);
        self.said.push_back((now, user, content));
        false
    }
}

impl Server {
    /// Whether the app lets this message of the user through.
    pub(super) fn check_policies(
        &mut self,
        now: Millis,
        user: UserIx,
        delivery: &Delivery,
        meta: &MetaView<'_>,
    ) -> Result<(), Refused> {
        use status::ErrorCode;
        match delivery.kind {
            EntryKind::Content | EntryKind::Command | EntryKind::Edit => {}
            EntryKind::Receipt | EntryKind::Recall | EntryKind::Notice => return Ok(()),
        }
        let muc = delivery.muc.map(|muc| self.mucs.muc(muc));
        let chat = match muc.map(|muc| muc.kind) {
            None => ChatKind::Chat,
            Some(MucKind::Group | MucKind::Thread) => ChatKind::Groupchat,
            Some(MucKind::Room) => ChatKind::Chatroom,
        };
        // 4.x has a number for the app's mute, 219, by these words (wire-4x §5.3); 3.x shows 604.
        if self.accounts.user(user).is_mute(chat, now) {
            return Err(Refused::new(ErrorCode::PermissionDenied, "user is mute"));
        }
        // Who may not write in a group may not write in its threads: our guess.
        let of_thread = delivery.thread.and_then(|thread| self.threads.get(thread));
        let muc = of_thread.map(|of| self.mucs.muc(of.parent)).or(muc);
        match muc.and_then(|muc| muc.silence(user, now)) {
            // The reason is a guess; SDKs look at the code alone (wire-3x §7).
            Some(Silence::Muted) => return Err(Refused::new(ErrorCode::UserMuted, "muted")),
            Some(Silence::BannedAll) => {
                return Err(Refused::new(ErrorCode::Fail, "not in group or chatroom white list"));
            }
            None => {}
        }
        if !self.settings.words.is_empty() && holds_a_word(&self.settings.words, meta.payload) {
            return Err(Refused::new(ErrorCode::PermissionDenied, "sensitive words"));
        }
        if self.settings.antispam && self.said_lately.is_spam(now, user, content_hash(meta.payload)) {
            return Err(Refused::new(ErrorCode::PermissionDenied, "blocked by mod_antispam"));
        }
        if delivery.asks_receipts {
            // Both reasons are our guess: outside the list of wire-3x §7, so that SDKs say 503.
            if !self.settings.group_receipts {
                return Err(Refused::new(ErrorCode::Fail, GROUP_RECEIPTS_OFF));
            }
            if !delivery.muc.is_some_and(|muc| self.mucs.muc(muc).is_led_by(user)) {
                let reason = "only the owner and administrators may ask for read receipts";
                return Err(Refused::new(ErrorCode::Fail, reason));
            }
        }
        Ok(())
    }
}

/// What asking for receipts of a group, and giving one, is refused with where the app has none.
pub(super) const GROUP_RECEIPTS_OFF: &str = "group message receipts are not enabled";

/// Whether what people see of the message holds one of the words, in any case: texts, commands, custom events and
/// their fields, names of files and places. `ext` is the app's own and is not looked at: our guess.
fn holds_a_word(words: &[String], body: &[u8]) -> bool {
    let body = MessageBody::decode(body).expect("BodyView refuses what cannot be decoded");
    let holds = |text: &str| {
        let text = text.to_lowercase();
        // An empty word would be in every text.
        words.iter().any(|word| !word.is_empty() && text.contains(&word.to_lowercase()))
    };
    body.contents.iter().flat_map(seen_texts).any(holds)
}

fn seen_texts(content: &message_body::Content) -> impl Iterator<Item = &str> {
    let fields = [
        &content.text,
        &content.action,
        &content.custom_event,
        &content.display_name,
        &content.address,
        &content.building_name,
        &content.title,
        &content.summary,
    ];
    let exts = content.custom_exts.iter().chain(&content.params);
    fields.into_iter().flatten().map(String::as_str).chain(exts.filter_map(text_of))
}

fn text_of(ext: &KeyValue) -> Option<&str> {
    match ext.value.as_ref()? {
        key_value::Value::StringValue(text) => Some(text),
        key_value::Value::VarintValue(_)
        | key_value::Value::FloatValue(_)
        | key_value::Value::DoubleValue(_) => None,
    }
}

/// Tells contents apart, whomever they are for; never leaves the process.
fn content_hash(body: &[u8]) -> u64 {
    /// `MessageBody.contents`
    const CONTENTS: u32 = 4;
    let mut hasher = FxHasher::default();
    for field in Fields::of(body).flatten().filter(|field| field.number == CONTENTS) {
        hasher.write(field.raw);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::super::{AppKey, Config};
    use super::*;

    #[test]
    fn of_what_was_said_lately_so_much_is_known() {
        let app_key = AppKey::parse("org#app").expect("a good app key");
        let mut server = Server::new(Config::new(app_key));
        let user = server.find_or_make_user(Millis(0), "alice").expect("a good name");
        let mut lately = SaidLately::default();
        for content in 0..SAID_MAX as u64 + 10 {
            assert!(!lately.is_spam(Millis(0), user, content));
        }
        assert_eq!((lately.said.len(), lately.times.len()), (SAID_MAX, SAID_MAX));
    }
}
