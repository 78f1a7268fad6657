//! NOTIFY metas: what the service tells in JSON since 4.x (wire-4x §6.3), as events: reactions, pinned messages, and
//! what other devices of the user did.
//!
//! Reads and decides nothing; kinds that this client has no use for (presence, threads) are passed over.

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::conversation_list::{Mark, Switch};
use crate::event::{Event, ServerId};
use crate::message::{Chat, Identity};
use crate::reaction::ReactionItem;
use crate::timer::Millis;

/// Something that another device of the user did.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceNews {
    /// What.
    pub operation: DeviceOperation,
    /// Where: with a user or in a group, and which. `None` where it is about everything.
    pub target: Option<(Chat, String)>,
}

/// What a device did that the user's others should know.
#[derive(Clone, Debug, PartialEq)]
pub enum DeviceOperation {
    /// It deleted a conversation.
    DeleteConversation,
    /// It put a conversation at the top of the list.
    PinConversation,
    /// It put one there no longer.
    UnpinConversation,
    /// It put a mark on a conversation, `None` being one that is not known here.
    Mark(Option<Mark>),
    /// It took a mark off.
    Unmark(Option<Mark>),
    /// It deleted messages of a conversation.
    DeleteHistory,
    /// It set when pushes are silent; this is what the service says of it.
    SetSilentMode(Map<String, Value>),
    /// It no longer has a conversation's pushes go otherwise than all.
    ClearSilentMode,
}

impl DeviceOperation {
    /// The word of the 4.x SDK for it. `target` tells apart two words for one thing.
    pub fn word(&self, target: Option<&(Chat, String)>) -> &'static str {
        match self {
            Self::DeleteConversation => "deleteConversation",
            Self::PinConversation => "pinnedConversation",
            Self::UnpinConversation => "unpinnedConversation",
            Self::Mark(_) => "markConversation",
            Self::Unmark(_) => "unMarkConversation",
            Self::DeleteHistory => "deleteRoaming",
            Self::SetSilentMode(_) if target.is_none() => "setSilentModeForUser",
            Self::SetSilentMode(_) => "setSilentModeForConversation",
            Self::ClearSilentMode => "removeSilentModeForConversation",
        }
    }
}

/// Reads what is told to `me`; nothing of what this device did itself.
pub(crate) fn read_notify(payload: &[u8], me: &Identity) -> Result<Vec<Event>, String> {
    #[derive(Deserialize)]
    struct Kind {
        #[serde(default)]
        r#type: String,
    }
    let Kind { r#type: kind } = read(payload)?;
    match kind.as_str() {
        "reaction" => {
            let items = read::<Data<Vec<ReactionItem>>>(payload)?.data;
            Ok(items.into_iter().map(ReactionItem::event).collect())
        }
        "conv" => Ok(read::<Data<Conversation>>(payload)?.data.event(me)?.into_iter().collect()),
        "roaming_delete" => Ok(read::<Data<Deletion>>(payload)?.data.event(me).into_iter().collect()),
        "user_notification_mute" => {
            let values = read::<Values>(payload)?.values;
            Ok(values.into_iter().filter_map(|silence| silence.event(me)).collect())
        }
        _ => Ok(Vec::new()),
    }
}

/// An id as the service writes it in JSON: digits in a string, or a number.
pub(crate) fn id_in_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ServerId, D::Error> {
    let id = Value::deserialize(deserializer)?;
    id_of(&id).ok_or_else(|| serde::de::Error::custom(format_args!("{id} is no message id")))
}

fn id_of(id: &Value) -> Option<ServerId> {
    let number = match id {
        Value::String(digits) => digits.parse().ok(),
        Value::Number(number) => number.as_u64(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    number.map(ServerId)
}

fn read<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(payload).map_err(|error| error.to_string())
}

#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct Values {
    #[serde(default)]
    values: Vec<Silence>,
}

/// News of a conversation. `ext` is the mark, or the message that was pinned.
#[derive(Deserialize)]
struct Conversation {
    op: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    ts: u64,
    #[serde(default)]
    res: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    ext: Value,
}

impl Conversation {
    fn event(self, me: &Identity) -> Result<Option<Event>, String> {
        let is_mine = self.from.to_lowercase() == me.username.to_lowercase();
        if is_mine && self.res == me.resource {
            return Ok(None);
        }
        let mark = || self.ext.as_str().and_then(Mark::read);
        let operation = match self.op.as_str() {
            "del" => DeviceOperation::DeleteConversation,
            "top" => DeviceOperation::PinConversation,
            "not_top" => DeviceOperation::UnpinConversation,
            "mark" => DeviceOperation::Mark(mark()),
            "mark_delete" => DeviceOperation::Unmark(mark()),
            "pin" => return self.pin(Switch::On, is_mine).map(Some),
            "pin_delete" => return self.pin(Switch::Off, is_mine).map(Some),
            _ => return Ok(None),
        };
        let target = Some((chat_of(&self.r#type), self.id));
        Ok(Some(Event::Device(DeviceNews { operation, target })))
    }

    /// A conversation with a user is named from this user's side: by the other one, whoever pinned.
    fn pin(self, switch: Switch, is_mine: bool) -> Result<Event, String> {
        let message = id_of(&self.ext).ok_or_else(|| format!("ext {} is no message id", self.ext))?;
        let chat = chat_of(&self.r#type);
        let with = if chat == Chat::Single && !is_mine { self.from.clone() } else { self.id };
        Ok(Event::Pin { message, chat, with, operator: self.from, switch, time: Millis(self.ts) })
    }
}

#[derive(Deserialize)]
struct Deletion {
    #[serde(default)]
    to: String,
    #[serde(default, rename = "chatType")]
    chat_type: String,
    #[serde(default)]
    resource: String,
}

impl Deletion {
    fn event(self, me: &Identity) -> Option<Event> {
        let news = DeviceNews {
            operation: DeviceOperation::DeleteHistory,
            target: Some((chat_of(&self.chat_type), self.to)),
        };
        (self.resource != me.resource).then_some(Event::Device(news))
    }
}

#[derive(Deserialize)]
struct Silence {
    #[serde(default)]
    operator_resource: String,
    #[serde(default)]
    user: Option<String>,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    data: Map<String, Value>,
}

impl Silence {
    fn event(self, me: &Identity) -> Option<Event> {
        if self.operator_resource == me.resource {
            return None;
        }
        let is_of_all = self.data.contains_key("ignoreInterval");
        let target = match (is_of_all, self.group, self.user) {
            (true, _, _) | (false, None, None) => None,
            (false, Some(group), _) => Some((Chat::Group, group)),
            (false, None, Some(user)) => Some((Chat::Single, user)),
        };
        let operation = if target.is_some() && self.data.is_empty() {
            DeviceOperation::ClearSilentMode
        } else {
            DeviceOperation::SetSilentMode(self.data)
        };
        Some(Event::Device(DeviceNews { operation, target }))
    }
}

/// The words for a kind of conversation differ from place to place; that for one with a user does not.
pub(crate) fn chat_of(word: &str) -> Chat {
    match word {
        "chat" => Chat::Single,
        "chatroom" => Chat::Room,
        _ => Chat::Group,
    }
}
