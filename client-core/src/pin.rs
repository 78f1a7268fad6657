//! Messages that are pinned in their conversation: pinning, the list of them, and what others pin (rest.md A.11,
//! wire-4x §6.3). Conversations that are pinned in the list are another thing: `conversation_list`.

use serde::{Deserialize, Serialize};

use crate::calls::{Ask, Call};
use crate::client::{Client, Config, not_empty};
use crate::conversation_list::Switch;
use crate::conversations::{RowMeta, StoredMessage};
use crate::error::CommandError;
use crate::event::{Event, ServerId};
use crate::message::Chat;
use crate::rest::{CallId, HttpAnswer, HttpMethod, Refusal, json, segment};
use crate::timer::Millis;

/// How many messages are asked for when the caller does not say: what the SDK asks for (rest.md A.11).
const PAGE_MESSAGES: u32 = 10;

/// A message that is pinned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedMessage {
    /// It.
    pub message: StoredMessage,
    /// Who pinned it.
    pub operator: String,
    /// When.
    pub time: Millis,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PinCall {
    Pin { chat: Chat, with: String, message: ServerId, switch: Switch },
    List { chat: Chat, with: String, limit: Option<u32>, cursor: String },
}

impl Client {
    /// Pins a message in its conversation for everybody who is in it, or no longer: [`Event::Done`]. The others are told
    /// by [`Event::Pin`].
    pub fn pin_message(
        &mut self,
        now: Millis,
        chat: Chat,
        with: &str,
        message: ServerId,
        switch: Switch,
    ) -> Result<CallId, CommandError> {
        let with = not_empty("pin_message", with)?;
        self.call(now, "pin_message", Call::Pin(PinCall::Pin { chat, with, message, switch }))
    }

    /// Asks for the pinned messages of a conversation: [`Event::PinnedMessages`]. `limit` is how many are wanted at most
    /// (10 when `None`), `cursor` that of the page before.
    pub fn list_pinned_messages(
        &mut self,
        now: Millis,
        chat: Chat,
        with: &str,
        limit: Option<u32>,
        cursor: Option<&str>,
    ) -> Result<CallId, CommandError> {
        let with = not_empty("list_pinned_messages", with)?;
        let cursor = cursor.unwrap_or_default().to_owned();
        self.call(now, "list_pinned_messages", Call::Pin(PinCall::List { chat, with, limit, cursor }))
    }
}

impl PinCall {
    /// What the user calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Pin { .. } => "pin message",
            Self::List { .. } => "pinned messages",
        }
    }

    pub(crate) fn ask(&self, config: &Config) -> Ask {
        let path = format!("/sdk/user/{}/user_channel/pin", segment(&config.username));
        match self {
            Self::Pin { chat, with, message, switch } => {
                let body = PinBody { to: with, r#type: word(*chat), pin_msg_id: message.to_string() };
                let path = format!("{path}?resource={}", segment(&config.resource()));
                Ask::with(switch.method(), path, json(&body))
            }
            Self::List { chat, with, limit, cursor } => {
                let (limit, cursor) = (limit.unwrap_or(PAGE_MESSAGES), segment(cursor));
                let query =
                    format!("to={}&type={}&limit={limit}&cursor={cursor}", segment(with), word(*chat));
                Ask::bare(HttpMethod::Get, format!("{path}?{query}"))
            }
        }
    }

    pub(crate) fn read(&self, call: CallId, answer: &HttpAnswer) -> Result<Event, Refusal> {
        match self {
            Self::Pin { .. } => answer.read::<serde::de::IgnoredAny>().map(|_| Event::Done { call }),
            Self::List { .. } => {
                let Page { msg_infos, cursor } = answer.read::<PageAnswer>()?.data;
                let messages = msg_infos.into_iter().filter_map(Pinned::shown).collect();
                let cursor = cursor.filter(|cursor| !cursor.is_empty());
                Ok(Event::PinnedMessages { call, messages, cursor })
            }
        }
    }
}

fn word(chat: Chat) -> &'static str {
    match chat {
        Chat::Single => "chat",
        Chat::Group => "groupchat",
        Chat::Room => "chatroom",
    }
}

#[derive(Serialize)]
struct PinBody<'a> {
    to: &'a str,
    r#type: &'static str,
    pin_msg_id: String,
}

#[derive(Deserialize)]
struct PageAnswer {
    data: Page,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    msg_infos: Vec<Pinned>,
    #[serde(default)]
    cursor: Option<String>,
}

#[derive(Deserialize)]
struct Pinned {
    message: RowMeta,
    #[serde(default)]
    pin_opt_at: u64,
    #[serde(default)]
    pin_operator: String,
}

impl Pinned {
    /// One without an id is none.
    fn shown(self) -> Option<PinnedMessage> {
        let message = self.message.shown()?;
        Some(PinnedMessage { message, operator: self.pin_operator, time: Millis(self.pin_opt_at) })
    }
}
