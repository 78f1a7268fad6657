//! Messages that were changed after they were sent: saying so, and hearing of it (wire-4x §6).
//!
//! Spelling and reading. Whether a message may be changed, and how often, is for the service to say.

use fixtures::wire::message_body::{EditScope, Type as BodyType};
use fixtures::wire::{CONFERENCE_DOMAIN, MSync, MessageBody, USER_DOMAIN};
use serde::Deserialize;

use crate::client::{Client, not_empty};
use crate::error::CommandError;
use crate::event::{Incoming, ServerId};
use crate::ext::Ext;
use crate::message::{Chat, Content, Identity, LocalId, chat_frame, named};
use crate::outbox::Outgoing;
use crate::timer::Millis;

/// A message that was changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Modified {
    /// The message as it is now: its id, sender and time are those that it had.
    pub message: Incoming,
    /// Who changed it.
    pub operator: String,
    /// When.
    pub edited: Millis,
    /// How often it has been changed by now; 0 where the service does not say.
    pub count: u64,
}

/// A change of a text of one's own, or of another's where one may.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Edit {
    pub(crate) message: ServerId,
    chat: Chat,
    to: String,
    text: String,
    /// `None` leaves the one that it has.
    ext: Option<Ext>,
}

impl Client {
    /// Changes a text that was sent, and its `ext` if one is given. The outcome is [`crate::Event::Sent`] with the
    /// message's own id, or [`crate::Event::Failed`]: 50 is too often, 505 that the service is off, 603 that it is
    /// another's, 1302 that there is no such message (wire-4x §5.3).
    pub fn modify_text(
        &mut self,
        now: Millis,
        chat: Chat,
        to: &str,
        message: ServerId,
        text: &str,
        ext: Option<Ext>,
    ) -> Result<LocalId, CommandError> {
        let to = not_empty("modify_text", to)?;
        self.dispatch(now, Outgoing::Edit(Edit { message, chat, to, text: text.to_owned(), ext }))
    }
}

impl Edit {
    pub(crate) fn to_wire(&self, id: LocalId, me: &Identity) -> MSync {
        let domain = match self.chat {
            Chat::Single => USER_DOMAIN,
            Chat::Group | Chat::Room => CONFERENCE_DOMAIN,
        };
        let scope = if self.ext.is_some() { EditScope::BodyAndExt } else { EditScope::Body };
        let body = MessageBody {
            r#type: Some(BodyType::Edit.into()),
            from: Some(named(&me.username)),
            to: Some(named(&self.to)),
            contents: vec![Content::Text(self.text.clone()).to_wire()],
            ext: self.ext.as_ref().map(Ext::to_wire).unwrap_or_default(),
            edit_message_id: Some(self.message.0),
            edit_scope: Some(scope.into()),
            ..MessageBody::default()
        };
        chat_frame(id, me, me.jid(), me.neighbour(&self.to, domain), &body)
    }
}

/// A received change, but for what the message is now.
#[derive(Clone, Debug)]
pub(crate) struct ReadEdit {
    message: ServerId,
    info: Option<EditInfo>,
}

/// What the service says of a change, in the body's `meta`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct EditInfo {
    count: u64,
    operator: String,
    edit_time: u64,
    sender: String,
    send_time: u64,
    chat_type: String,
}

/// Reads what a body of type EDIT is about.
pub(crate) fn read_edit(body: &MessageBody) -> Result<ReadEdit, String> {
    #[derive(Default, Deserialize)]
    struct BodyMeta {
        #[serde(default)]
        edit_msg: Option<EditInfo>,
    }
    let message = body.edit_message_id.filter(|id| *id != 0).ok_or("an EDIT names no message")?;
    let meta = body.meta.as_deref().filter(|meta| !meta.is_empty()).map(serde_json::from_str::<BodyMeta>);
    let meta = meta.transpose().map_err(|error| format!("meta: {error}"))?.unwrap_or_default();
    Ok(ReadEdit { message: ServerId(message), info: meta.edit_msg })
}

impl ReadEdit {
    /// The message as it is now, of which `edit` is what the change would be as a message of its own. Where the service
    /// says nothing of the change, who sent it and when stand for who wrote the message and when.
    pub(crate) fn applied_to(&self, edit: Incoming) -> Modified {
        let Some(info) = self.info.clone() else {
            let (operator, edited) = (edit.from.clone(), edit.time);
            return Modified { message: Incoming { id: self.message, ..edit }, operator, edited, count: 0 };
        };
        let chat = match info.chat_type.as_str() {
            "chat:user" => Chat::Single,
            "chat:group" => Chat::Group,
            "chat:room" => Chat::Room,
            _ => edit.chat,
        };
        let (from, time) = (info.sender, Millis(info.send_time));
        Modified {
            message: Incoming { id: self.message, from, time, chat, ..edit },
            operator: info.operator,
            edited: Millis(info.edit_time),
            count: info.count,
        }
    }
}
