//! A message that somebody sends without a device: by the same way as a device's, from its encoding on.

use fixtures::wire::message_body::Content;
use fixtures::wire::view::MetaView;
use fixtures::wire::{CONFERENCE_DOMAIN, Jid, MessageBody, Meta, USER_DOMAIN, message_body, meta};
use prost::Message as _;
use serde_json::{Map, Value};

use crate::control::{Chat, ControlError, Sending};
use crate::machine::message::{Origin, Ticket};
use crate::machine::muc::MucKind;
use crate::machine::{ConnId, Millis, Server, excerpt, payload};

/// No connection has this number: what would be sent there goes nowhere.
const NO_CONN: ConnId = ConnId(0);

impl Server {
    pub(super) fn send_as(&mut self, now: Millis, sending: Sending) -> Result<(), ControlError> {
        let Sending { from, to, chat, text, body, ext } = sending;
        let user = self.known(&from)?;
        let content = content(text, body)?;
        let chat = match chat {
            Some(chat) => chat,
            None => match self.mucs.find(&to).map(|muc| self.mucs.muc(muc).kind) {
                None => Chat::Single,
                Some(MucKind::Group | MucKind::Thread) => Chat::Group,
                Some(MucKind::Room) => Chat::Room,
            },
        };
        let (kind, domain) = match chat {
            Chat::Single => (message_body::Type::Chat, USER_DOMAIN),
            Chat::Group => (message_body::Type::Groupchat, CONFERENCE_DOMAIN),
            Chat::Room => (message_body::Type::Chatroom, CONFERENCE_DOMAIN),
        };
        let jid = |name: &str| Jid { name: Some(name.to_owned()), ..Jid::default() };
        let body = MessageBody {
            r#type: Some(kind as i32),
            from: Some(jid(self.accounts.name(user))),
            to: Some(jid(&to)),
            contents: vec![content],
            ext: payload::key_values(&ext),
            ..MessageBody::default()
        };
        let local_id = self.allot_id();
        let meta = Meta {
            id: Some(local_id),
            to: Some(Jid { app_key: Some(self.app.to_string()), domain: Some(domain.into()), ..jid(&to) }),
            ns: Some(meta::NameSpace::Chat as i32),
            payload: Some(body.encode_to_vec().into()),
            ..Meta::default()
        };
        let bytes = meta.encode_to_vec();
        let meta = MetaView::read(&bytes).expect("what was encoded two lines above can be read");
        // A device that nobody has: each of the sender's own gets its copy, and none is asked to wait.
        let origin = Origin { conn: NO_CONN, user, device: self.allot_device() };
        let act = self.judge(now, origin, &meta).map_err(|refused| {
            let code = refused.0;
            ControlError::MessageRefused {
                from,
                code: code as i32,
                status: code.as_str_name(),
                reason: refused.1,
            }
        })?;
        let ticket = Ticket::new(origin, local_id, meta.payload);
        if let Some(ticket) = self.ask_first(now, ticket, &meta, &act) {
            let server_id = self.allot_id();
            self.take(now, &ticket, &meta, act, server_id);
        }
        Ok(())
    }
}

fn content(text: Option<String>, body: Option<Map<String, Value>>) -> Result<Content, ControlError> {
    let bad = |value: &str, reason| ControlError::BadValue {
        what: "body",
        value: excerpt(value).into_owned(),
        reason,
    };
    let (kind, body) = match (text, body) {
        (Some(text), None) => ("txt".to_owned(), Map::from_iter([("msg".to_owned(), Value::String(text))])),
        (None, Some(mut body)) => match body.remove("type") {
            Some(Value::String(kind)) => (kind, body),
            Some(_) | None => {
                let reason = "type says what it is: txt, img, audio, video, file, loc, cmd or custom";
                return Err(bad(&Value::Object(body).to_string(), reason));
            }
        },
        (Some(text), Some(_)) => return Err(bad(&text, "a message has text or body, not both")),
        (None, None) => return Err(bad("", "a message has text or body")),
    };
    payload::content_of(&kind, &body)
        .map_err(|why| ControlError::BadBody { kind: excerpt(&kind).into_owned(), why })
}
