//! What is said about messages: that they arrived, that they were read, that they are taken back. Spelling and
//! reading (wire-3x §4.1, §5.1), and when a receipt is sent by itself.

use fixtures::wire::message_body::{Content as WireContent, MessageConfig, Type as BodyType};
use fixtures::wire::{CONFERENCE_DOMAIN, MSync, MessageBody, StatisticsBody, USER_DOMAIN};
use serde_json::{Map, Value};

use crate::client::{Client, not_empty};
use crate::error::{CommandError, Failure};
use crate::event::{Event, Incoming, ServerId};
use crate::message::{Chat, Identity, LocalId, chat_frame, named};
use crate::outbox::Outgoing;
use crate::timer::Millis;

/// Something to say about a message, or about all of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) chat: Chat,
    pub(crate) to: String,
    pub(crate) kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Recall(ServerId),
    Read { message: ServerId, content: Option<String> },
    Delivered(ServerId),
    Channel,
}

impl Client {
    /// Takes a message of one's own back. The outcome comes as that of [`Client::send`]; 504 is too late, 505
    /// that the service is off, 503 that there is no such message.
    pub fn recall(
        &mut self,
        now: Millis,
        chat: Chat,
        to: &str,
        message: ServerId,
    ) -> Result<LocalId, CommandError> {
        self.send_receipt(now, "recall", Receipt { chat, to: to.to_owned(), kind: Kind::Recall(message) })
    }

    /// Tells that a message was read. For a group message that asked for it, `to` is its sender, as in the
    /// vendor's examples, or the group, and `content` is handed to the sender; rooms have no such receipts. The
    /// outcome is [`Event::Received`], or that of a [`Client::send`] which failed.
    pub fn send_read(
        &mut self,
        now: Millis,
        chat: Chat,
        to: &str,
        message: ServerId,
        content: Option<&str>,
    ) -> Result<LocalId, CommandError> {
        if chat == Chat::Room {
            return Err(CommandError::NotForRooms { command: "send_read" });
        }
        let kind = Kind::Read { message, content: content.map(str::to_owned) };
        self.send_receipt(now, "send_read", Receipt { chat, to: to.to_owned(), kind })
    }

    /// Tells that everything in a conversation was read: its unread count is 0. The outcome comes as that of
    /// [`Client::send_read`].
    pub fn send_channel_ack(&mut self, now: Millis, chat: Chat, to: &str) -> Result<LocalId, CommandError> {
        self.send_receipt(now, "send_channel_ack", Receipt { chat, to: to.to_owned(), kind: Kind::Channel })
    }

    fn send_receipt(
        &mut self,
        now: Millis,
        command: &'static str,
        receipt: Receipt,
    ) -> Result<LocalId, CommandError> {
        not_empty(command, &receipt.to)?;
        self.dispatch(now, Outgoing::Receipt(receipt))
    }

    /// Acknowledges a message that came, if the client is to: single ones, and never one's own from another
    /// device (clause receipt.delivered). The outbox holds it until the server has it.
    pub(crate) fn acknowledge_delivery(&mut self, now: Millis, message: &Incoming) {
        let is_own = message.from.to_lowercase() == self.config.username.to_lowercase();
        if !self.config.delivery || message.chat != Chat::Single || message.id.0 == 0 || is_own {
            return;
        }
        let kind = Kind::Delivered(message.id);
        let receipt = Receipt { chat: Chat::Single, to: message.from.clone(), kind };
        let local = self.unique_id(now);
        if let Err(error) = self.outbox.push(local, Outgoing::Receipt(receipt)) {
            self.tell(Event::Error(Failure::of_delivery(message.id, &error)));
        }
    }
}

impl Receipt {
    pub(crate) fn to_wire(&self, id: LocalId, me: &Identity) -> MSync {
        let in_conference = match (&self.kind, self.chat) {
            (_, Chat::Single) | (Kind::Delivered(_), _) => false,
            (_, Chat::Group) | (Kind::Recall(_) | Kind::Read { .. }, Chat::Room) => true,
            // The SDK sends a room's channel ack to the users' domain.
            (Kind::Channel, Chat::Room) => false,
        };
        let (body_type, message) = match &self.kind {
            Kind::Recall(message) => (BodyType::Recall, Some(message)),
            Kind::Read { message, .. } => (BodyType::ReadAck, Some(message)),
            Kind::Delivered(message) => (BodyType::DeliverAck, Some(message)),
            Kind::Channel => (BodyType::ChannelAck, None),
        };
        let mut body = MessageBody {
            r#type: Some(body_type.into()),
            from: Some(named(&me.username)),
            to: Some(named(&self.to)),
            // Every receipt carries an empty content (wire-3x §4.1).
            contents: vec![WireContent::default()],
            ack_message_id: message.map(|message| message.0),
            ..MessageBody::default()
        };
        if let (Kind::Read { content, .. }, Chat::Group) = (&self.kind, self.chat) {
            body.msg_config = Some(MessageConfig { allow_group_ack: Some(true) });
            body.ack_content.clone_from(content);
        }
        let domain = if in_conference { CONFERENCE_DOMAIN } else { USER_DOMAIN };
        chat_frame(id, me, me.jid(), me.neighbour(&self.to, domain), &body)
    }
}

/// What a received receipt tells; `None` for a body that is no receipt, and for one that 3.x has no word for.
pub(crate) fn read_receipt(kind: BodyType, body: &MessageBody, from: String, to: String) -> Option<Event> {
    let message = ServerId(body.ack_message_id.unwrap_or_default());
    match kind {
        BodyType::ReadAck if body.msg_config.is_none() => {
            Some(Event::Read { message, count: None, content: None })
        }
        BodyType::ReadAck => {
            let content = body.ack_content.clone();
            Some(Event::Read { message, count: group_read_count(body, message), content })
        }
        BodyType::DeliverAck => Some(Event::Delivered { message }),
        BodyType::Recall => Some(Event::Recall { message, from, to }),
        BodyType::ChannelAck => Some(Event::Channel { from, to }),
        BodyType::Normal | BodyType::Chat | BodyType::Groupchat | BodyType::Chatroom | BodyType::Edit => None,
    }
}

/// What a statistic tells that is no kick: receipts of group messages that came while the user was away, in
/// `location` (wire-3x §5.2). Empty when the JSON there holds none.
pub(crate) fn read_statistic(body: &StatisticsBody) -> Result<Option<Event>, String> {
    let Some(location) = body.location.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
    let mut location: Map<String, Value> =
        serde_json::from_str(location).map_err(|error| format!("location: {error}"))?;
    let group_ack = location.remove("group_ack").unwrap_or_else(|| Value::Array(Vec::new()));
    Ok(Some(Event::Statistic { group_ack }))
}

/// How many have read the message: JSON such as `{"1160000000000000001":2}` in the first ext, whatever its key
/// (wire-3x §5.1).
fn group_read_count(body: &MessageBody, message: ServerId) -> Option<u64> {
    use fixtures::wire::key_value::Value as WireValue;
    let Some(WireValue::StringValue(text)) = &body.ext.first()?.value else { return None };
    serde_json::from_str::<Map<String, Value>>(text).ok()?.get(&message.to_string())?.as_u64()
}
