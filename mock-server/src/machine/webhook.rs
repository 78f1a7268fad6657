//! Webhooks: an app's own server is asked before a message is taken (rest.md B.9, the pre-send callback).
//!
//! Up to four rules, one after another: the first refusal is the last word, and what a rule has rewritten is what the
//! next is asked about. Meanwhile the message waits, and whatever else the same device sends waits behind it, so
//! that order is kept; others go on. Nothing here knows HTTP beyond a status and a body: the host makes the call.

use std::collections::VecDeque;

use bytes::Bytes;
use fixtures::wire::view::{Fields, MetaView, Value as FieldValue};
use fixtures::wire::{MessageBody, message_body, status};
use md5::{Digest as _, Md5};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::account::Accounts;
use super::log::{ConvKey, EntryKind};
use super::message::{Origin, Refused, Ticket};
use super::muc::MucKind;
use super::payload;
use super::rest::uuid_of;
use super::route::{Act, Delivery};
use super::session::DeviceId;
use super::{ConnId, Map, Millis, Server, excerpt};
use crate::control::{MessageKind, Verdict, Webhook};

/// A call of a world to an app's own server, until it has been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WebhookId(pub u64);

/// What an app's server is asked: a POST of `application/json`, made once, without retry (rest.md B.9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookRequest {
    /// An `http://` address.
    pub url: String,
    /// JSON in UTF-8.
    pub body: Bytes,
    /// How long the answer may take, from now to its last byte, in ms.
    pub timeout_ms: u64,
}

/// What became of a [`WebhookRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WebhookAnswer {
    /// The app's server answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The whole body.
        #[serde(with = "crate::base64_bytes")]
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        body: Bytes,
    },
    /// It did not in time.
    TimedOut,
    /// It could not be asked, or its answer could not be read: why.
    Failed(String),
}

/// What waits for an app's server.
#[derive(Clone, Debug, Default)]
pub(super) struct Webhooks {
    pub(super) asked: u64,
    pub(super) open: Map<WebhookId, DeviceId>,
    pub(super) lines: Map<DeviceId, Line>,
}

/// What one device has sent and is not decided yet.
#[derive(Clone, Debug)]
pub(super) struct Line {
    first: Held,
    /// What came behind it, with the connection that it came over.
    behind: VecDeque<(ConnId, Bytes)>,
    behind_bytes: usize,
}

/// The message that an app's server is asked about.
#[derive(Clone, Debug)]
struct Held {
    ticket: Ticket,
    server_id: u64,
    /// The encoded `Meta`, as it came or as a rule rewrote it.
    meta: Bytes,
    /// Those that are still to be asked, the present one first.
    rules: VecDeque<Webhook>,
}

/// rest.md B.9.
pub(crate) const WEBHOOKS_MAX: usize = 4;
/// Longer than any browser's address, and the url is kept with every world's settings.
const URL_BYTES_MAX: usize = 2_048;
/// rest.md B.9: what a rule may put in the place of a message.
const PAYLOAD_BYTES_MAX: usize = 1_024;
/// A device that sends faster than its webhook answers: ten seconds of the fastest typist's, or a burst of an app's.
const BEHIND_MAX: usize = 1_000;
/// As [`BEHIND_MAX`], for large ones.
const BEHIND_BYTES_MAX: usize = 1024 * 1024;

/// What an app's server says about a message.
enum Answer {
    Pass,
    /// It passes with this text in place of its own.
    Rewrite(String),
    /// With what the sender is told.
    Refuse(String),
}

impl Webhooks {
    /// Whether something of this device waits, so that what it sends next waits too.
    pub(super) fn is_waiting(&self, device: DeviceId) -> bool {
        !self.lines.is_empty() && self.lines.contains_key(&device)
    }

    /// Whether any call has not been answered.
    pub(super) fn asks(&self) -> bool {
        !self.lines.is_empty()
    }

    /// A line for each call that has not been answered.
    pub(super) fn unfinished(&self, accounts: &Accounts, waits: &mut Vec<String>) {
        for line in self.lines.values() {
            let (user, url) = (line.first.ticket.origin.user, line.first.rules.front().map(|rule| &rule.url));
            let url = url.map_or("", String::as_str);
            waits
                .push(format!("the webhook {url} has not answered for a message of {}", accounts.name(user)));
        }
    }
}

impl Server {
    /// Asks the app's server, if a rule wants to be asked about such a message: then the message waits. Otherwise the
    /// ticket comes back.
    pub(super) fn ask_first(
        &mut self,
        now: Millis,
        ticket: Ticket,
        meta: &MetaView<'_>,
        act: &Act,
    ) -> Option<Ticket> {
        if self.settings.webhooks.is_empty() {
            return Some(ticket);
        }
        let Act::Deliver(delivery) = act else { return Some(ticket) };
        let Some(kind) = kind_of(delivery.kind, meta.payload) else { return Some(ticket) };
        let wants = |rule: &&Webhook| rule.kinds.is_empty() || rule.kinds.contains(&kind);
        let rules: VecDeque<Webhook> =
            self.settings.webhooks.iter().take(WEBHOOKS_MAX).filter(wants).cloned().collect();
        if rules.is_empty() {
            return Some(ticket);
        }
        let device = ticket.origin.device;
        let server_id = self.allot_id();
        let first = Held { ticket, server_id, meta: Bytes::copy_from_slice(meta.raw), rules };
        self.ask(now, &first, delivery);
        self.webhooks.lines.insert(device, Line { first, behind: VecDeque::new(), behind_bytes: 0 });
        None
    }

    /// The device has sent something while a message of its own waits.
    pub(super) fn hold_behind(&mut self, origin: Origin, meta: &MetaView<'_>) {
        let Some(line) = self.webhooks.lines.get_mut(&origin.device) else { return };
        if line.behind.len() >= BEHIND_MAX || line.behind_bytes + meta.raw.len() > BEHIND_BYTES_MAX {
            // The one reason of status 7 that both generations know for "not now" (wire-4x §5.3).
            let code = status::ErrorCode::PermissionDenied;
            return self.refuse_sync(origin.conn, meta.id, code, "traffic limit");
        }
        line.behind_bytes += meta.raw.len();
        line.behind.push_back((origin.conn, Bytes::copy_from_slice(meta.raw)));
    }

    pub(super) fn webhook_answered(&mut self, now: Millis, id: WebhookId, answer: WebhookAnswer) {
        let device = self.webhooks.open.swap_remove(&id);
        let Some(mut line) = device.and_then(|device| self.webhooks.lines.shift_remove(&device)) else {
            return self.warn(format!("{}: an answer to webhook {}, for which nobody waits", self.app, id.0));
        };
        let Some(rule) = line.first.rules.pop_front() else { return };
        match self.verdict(&rule, answer) {
            Answer::Pass => {}
            Answer::Rewrite(text) => line.first.meta = with_text(&line.first.meta, &text).into(),
            Answer::Refuse(reason) => {
                let Held { ticket, server_id, .. } = &line.first;
                if rule.report_error {
                    let code = status::ErrorCode::PermissionDeniedExternal;
                    self.refuse_message(ticket, &Refused::new(code, reason));
                } else {
                    self.answer_taken(now, ticket, *server_id);
                }
                return self.go_on(now, line);
            }
        }
        // The world may have changed: a group dissolved, a list entered.
        let raw = line.first.meta.clone();
        let meta = MetaView::read(&raw).expect("it was read when it came, and rewritten in its own form");
        let origin = line.first.ticket.origin;
        let body = self.read_body(origin.conn, &meta);
        let act = body.and_then(|body| self.route(now, origin, &meta, &body));
        match act {
            Err(refused) => self.refuse_message(&line.first.ticket, &refused),
            Ok(Act::Deliver(delivery)) if !line.first.rules.is_empty() => {
                self.ask(now, &line.first, &delivery);
                self.webhooks.lines.insert(origin.device, line);
                return;
            }
            Ok(act) => self.take(now, &line.first.ticket, &meta, act, line.first.server_id),
        }
        self.go_on(now, line);
    }

    /// What waited behind a message has its turn; if one of it is asked about too, the rest waits on.
    fn go_on(&mut self, now: Millis, line: Line) {
        let Origin { user, device, .. } = line.first.ticket.origin;
        let (mut behind, mut behind_bytes) = (line.behind, line.behind_bytes);
        while let Some((conn, raw)) = behind.pop_front() {
            behind_bytes -= raw.len();
            let meta = MetaView::read(&raw).expect("it was read when it came");
            self.meta_from(now, Origin { conn, user, device }, &meta);
            if let Some(next) = self.webhooks.lines.get_mut(&device) {
                (next.behind, next.behind_bytes) = (behind, behind_bytes);
                return;
            }
        }
    }

    /// Asks the first of the rules.
    fn ask(&mut self, now: Millis, held: &Held, delivery: &Delivery) {
        let Some(rule) = held.rules.front() else { return };
        let meta = MetaView::read(&held.meta).expect("it was read when it came");
        let body = MessageBody::decode(meta.payload).expect("BodyView refuses what cannot be decoded");
        self.webhooks.asked += 1;
        let id = WebhookId(self.webhooks.asked);
        let call_id = format!("{}_{}", self.app, uuid_of(&format!("{}/webhook/{}", self.app, id.0)));
        let user = held.ticket.origin.user;
        let (chat_type, group_id, to) = match self.queues.key(delivery.conv) {
            ConvKey::Single(a, b) => {
                ("chat", None, self.accounts.name(if a == user { b } else { a }).to_owned())
            }
            ConvKey::Muc(muc) => {
                let muc = self.mucs.muc(muc);
                // rest.md B.9: `groupchat` covers rooms too.
                ("groupchat", (muc.kind == MucKind::Group).then_some(&*muc.id), muc.id.to_string())
            }
            ConvKey::Service(_) => return,
        };
        let question = Question {
            security: signature(&call_id, &rule.secret, now),
            call_id: &call_id,
            timestamp: now.0,
            chat_type,
            group_id,
            from: self.accounts.name(user),
            to: &to,
            msg_id: held.server_id.to_string(),
            payload: payload::json(&body),
            security_version: "1.0.0",
        };
        let body = serde_json::to_vec(&question).expect("it holds strings, numbers and JSON only");
        let request =
            WebhookRequest { url: rule.url.clone(), body: body.into(), timeout_ms: rule.timeout_ms };
        self.webhooks.open.insert(id, held.ticket.origin.device);
        self.outputs.push_back(super::Output::Webhook { id, request });
    }

    fn verdict(&mut self, rule: &Webhook, answer: WebhookAnswer) -> Answer {
        let wrong = match answer {
            WebhookAnswer::Answered { status: 200, body } => match read_answer(&body) {
                Ok(answer) => return answer,
                Err(wrong) => wrong,
            },
            WebhookAnswer::Answered { status, .. } => format!("HTTP status {status}, 200 was expected"),
            WebhookAnswer::TimedOut => format!("no answer within {} ms", rule.timeout_ms),
            WebhookAnswer::Failed(why) => why,
        };
        let (what, answer) = match rule.on_timeout {
            Verdict::Pass => ("passes", Answer::Pass),
            Verdict::Refuse => ("is refused", Answer::Refuse("custom internal error".into())),
        };
        self.warn(format!("{}: webhook {}: {wrong}; the message {what}", self.app, rule.url));
        answer
    }
}

/// What an app's server is told (rest.md B.9).
#[derive(Serialize)]
struct Question<'a> {
    #[serde(rename = "callId")]
    call_id: &'a str,
    timestamp: u64,
    chat_type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<&'a str>,
    from: &'a str,
    to: &'a str,
    msg_id: String,
    payload: Value,
    #[serde(rename = "securityVersion")]
    security_version: &'a str,
    security: String,
}

/// Lower-case hexadecimal MD5 of call id, secret and time (rest.md B.9).
fn signature(call_id: &str, secret: &str, now: Millis) -> String {
    let digest = Md5::digest(format!("{call_id}{secret}{}", now.0));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text says what is wrong with an answer.
fn read_answer(body: &[u8]) -> Result<Answer, String> {
    #[derive(Deserialize)]
    struct Said {
        valid: bool,
        code: Option<String>,
        payload: Option<Value>,
    }
    let said: Said = serde_json::from_slice(body)
        .map_err(|error| format!(r#"not {{"valid": true or false, …}}: {error}"#))?;
    if !said.valid {
        let code = said.code.filter(|code| !code.is_empty());
        return Ok(Answer::Refuse(code.unwrap_or_else(|| "custom logic denied".into())));
    }
    let Some(payload) = said.payload.filter(|payload| payload.as_object().is_none_or(|map| !map.is_empty()))
    else {
        return Ok(Answer::Pass);
    };
    let bytes = payload.to_string().len();
    if bytes > PAYLOAD_BYTES_MAX {
        return Err(format!("a payload of {bytes} bytes, at most {PAYLOAD_BYTES_MAX} are taken"));
    }
    let body = &payload["bodies"][0];
    match (body["type"].as_str(), body["msg"].as_str()) {
        (Some("txt"), Some(text)) => Ok(Answer::Rewrite(text.to_owned())),
        _ => {
            Err(r#"a payload without {"bodies":[{"type":"txt","msg":…}]}: only texts can be rewritten"#
                .into())
        }
    }
}

/// What a rule goes by; `None` for what the contract does not list: commands, and what 3.x does not know.
fn kind_of(kind: EntryKind, body: &[u8]) -> Option<MessageKind> {
    use message_body::content::Type;
    match kind {
        EntryKind::Content => {}
        EntryKind::Command | EntryKind::Receipt | EntryKind::Recall | EntryKind::Edit | EntryKind::Notice => {
            return None;
        }
    }
    let body = MessageBody::decode(body).expect("BodyView refuses what cannot be decoded");
    match Type::try_from(body.contents.first()?.r#type.unwrap_or_default()).ok()? {
        Type::Text => Some(MessageKind::Text),
        Type::Image => Some(MessageKind::Image),
        Type::Video => Some(MessageKind::Video),
        Type::Location => Some(MessageKind::Location),
        Type::Voice => Some(MessageKind::Voice),
        Type::File => Some(MessageKind::File),
        Type::Custom => Some(MessageKind::Custom),
        Type::Command | Type::Combine => None,
    }
}

/// The encoded `Meta` with another text: all else is carried over as it lies. What is no text is left as it is.
fn with_text(meta: &[u8], text: &str) -> Vec<u8> {
    /// `Meta.payload`, `MessageBody.contents`, `Content.type`, `Content.text`
    const PATH: [u32; 2] = [6, 4];
    const KIND: u32 = 1;
    const TEXT: u32 = 2;
    fn put(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
        encode_key(number, WireType::LengthDelimited, out);
        encode_varint(bytes.len() as u64, out);
        out.extend_from_slice(bytes);
    }
    fn within(message: &[u8], path: &[u32], text: &str) -> Vec<u8> {
        let mut out = Vec::with_capacity(message.len() + text.len() + 8);
        let Some((&next, deeper)) = path.split_first() else {
            let is_text = !Fields::of(message).flatten().any(|field| {
                field.number == KIND && !matches!(field.value, FieldValue::Varint(kind) if kind == 0)
            });
            if !is_text {
                return message.to_vec();
            }
            for field in Fields::of(message).flatten().filter(|field| field.number != TEXT) {
                out.extend_from_slice(field.raw);
            }
            put(&mut out, TEXT, text.as_bytes());
            return out;
        };
        for field in Fields::of(message).flatten() {
            match field.value {
                FieldValue::Bytes(inner) if field.number == next => {
                    put(&mut out, next, &within(inner, deeper, text));
                }
                FieldValue::Bytes(_) | FieldValue::Varint(_) | FieldValue::Fixed32 | FieldValue::Fixed64 => {
                    out.extend_from_slice(field.raw)
                }
            }
        }
        out
    }
    within(meta, &PATH, text)
}

/// How a world's rule must be; the text says what is wrong.
pub(super) fn rule_fault(webhooks: &[Webhook]) -> Option<(String, &'static str)> {
    if webhooks.len() > WEBHOOKS_MAX {
        return Some((webhooks.len().to_string(), "at most 4 rules"));
    }
    webhooks.iter().find_map(|rule| Some((excerpt(&rule.url).into_owned(), url_fault(&rule.url)?)))
}

/// Why nobody can be asked there. Whether anybody listens is seen when they are.
fn url_fault(url: &str) -> Option<&'static str> {
    let Some(rest) = url.strip_prefix("http://") else { return Some("its url must begin with http://") };
    if url.len() > URL_BYTES_MAX || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("its url has at most 2048 bytes, which are letters, digits and signs of ASCII");
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // The address of IPv6 has colons, and stands in brackets.
    let (host, port) = match authority.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
        Some((host, port)) => (host, Some(port)),
        None => (authority, None),
    };
    if host.is_empty() || host.contains('@') {
        return Some("its url must name a host, such as http://127.0.0.1:8000/callback");
    }
    let is_port = |port: &str| port.parse().is_ok_and(|port: u16| port > 0);
    if port.is_some_and(|port| !is_port(port)) {
        return Some("the port in its url must be a number from 1 to 65535");
    }
    None
}
