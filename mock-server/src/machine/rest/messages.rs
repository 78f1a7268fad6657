//! Messages that the app's server sends, imports and takes back (rest.md B.4).
//!
//! They are the app's word: block lists, mutes, words and webhooks do not stand in their way, and they make no
//! conversation appear in anybody's list.

use std::sync::Arc;

use fixtures::wire::message_body::Content;
use fixtures::wire::{Jid, MessageBody, Meta, message_body, meta};
use prost::Message as _;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Call, Failure, Success};
use crate::machine::account::{NameFault, UserIx};
use crate::machine::log::{Audience, ConvKey, EntryKind, NewEntry};
use crate::machine::muc::{MucIx, MucKind};
use crate::machine::mutes::ChatKind;
use crate::machine::queue::{Counts, Listing};
use crate::machine::recall::{RecallFault, RecalledTo, Window};
use crate::machine::route::Readers;
use crate::machine::{Millis, Server, excerpt, payload};

#[derive(Deserialize)]
struct Sending {
    #[serde(default = "admin")]
    from: String,
    to: Vec<String>,
    r#type: String,
    body: Map<String, Value>,
    #[serde(default)]
    ext: Map<String, Value>,
    /// The sender's own devices get it too.
    #[serde(default)]
    sync_device: bool,
    #[serde(default)]
    routetype: Option<String>,
    /// When it was sent, in ms since 1970; left out, now.
    #[serde(default)]
    msg_timestamp: Option<u64>,
    #[serde(default)]
    chatroom_msg_level: Option<String>,
}

#[derive(Deserialize)]
struct Import {
    from: String,
    target: String,
    r#type: String,
    body: Map<String, Value>,
    #[serde(default)]
    ext: Map<String, Value>,
    /// Nobody has it still to read.
    #[serde(default)]
    is_ack_read: bool,
    #[serde(default)]
    msg_timestamp: Option<u64>,
    #[serde(default)]
    need_download: bool,
}

#[derive(Deserialize)]
struct Recall {
    msg_id: String,
    #[serde(default)]
    to: String,
    chat_type: String,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    force: bool,
}

/// A message as it is sent to each of its targets.
struct Draft {
    from: UserIx,
    content: Content,
    ext: Map<String, Value>,
    at: Millis,
    route: meta::RouteType,
    copies: Copies,
    counts: Counts,
}

/// Whether the sender's own devices get the message.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Copies {
    Sent,
    Kept,
}

#[derive(Clone, Copy)]
enum Target {
    User(UserIx),
    Muc(MucIx),
}

/// rest.md B.4.
const USERS_MAX: usize = 600;
const GROUPS_MAX: usize = 3;
const ROOMS_MAX: usize = 10;
/// rest.md B.8, for the request without the names of its targets: 600 of them alone may be longer.
const REQUEST_BYTES_MAX: usize = 5 * 1_024;
/// Whom a message is from when nobody is named.
const ADMIN: &str = "admin";

pub(super) fn send(server: &mut Server, call: &Call<'_>, kind: ChatKind) -> Answer {
    call.app_only(server)?;
    let sending: Sending = call.json()?;
    no_null_ext(call)?;
    let names: usize = sending.to.iter().map(|name| name.len() + r#""","#.len()).sum();
    if call.request.body.len().saturating_sub(names) > REQUEST_BYTES_MAX {
        return Err(Failure::too_large(REQUEST_BYTES_MAX));
    }
    let targets_max = match kind {
        ChatKind::Chat => USERS_MAX,
        ChatKind::Groupchat => GROUPS_MAX,
        ChatKind::Chatroom => ROOMS_MAX,
    };
    if sending.to.is_empty() || sending.to.len() > targets_max {
        return Err(Failure::illegal(format!("to names 1 to {targets_max} targets")));
    }
    if sending.chatroom_msg_level.is_some_and(|level| !matches!(level.as_str(), "high" | "normal" | "low")) {
        return Err(Failure::illegal("chatroom_msg_level is high, normal or low"));
    }
    let route = match sending.routetype.as_deref() {
        None => meta::RouteType::RouteAll,
        Some("ROUTE_ONLINE") => meta::RouteType::RouteOnline,
        Some(other) => {
            return Err(Failure::illegal(format!(
                "routetype {:?} is unknown; ROUTE_ONLINE is known",
                excerpt(other)
            )));
        }
    };
    let content = payload::content_of(&sending.r#type, &sending.body).map_err(Failure::illegal)?;
    fits(server, &content, &sending.ext)?;
    // All are looked up before anything is sent, and the sender's name is kept last: a call is refused whole.
    let targets = sending
        .to
        .iter()
        .map(|name| Ok((name.clone(), target(server, call.now, kind, name)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let from = sender(server, call.now, &sending.from)?;
    let draft = Draft {
        from,
        content,
        ext: sending.ext,
        at: sending.msg_timestamp.map_or(call.now, Millis),
        route,
        copies: if sending.sync_device { Copies::Sent } else { Copies::Kept },
        counts: Counts::Unread,
    };
    let mut ids = Map::new();
    for (name, target) in targets {
        ids.insert(name, server.deliver(call.now, &draft, target)?.to_string().into());
    }
    Ok(Success::data(ids.into()))
}

pub(super) fn import(server: &mut Server, call: &Call<'_>, kind: ChatKind) -> Answer {
    call.app_only(server)?;
    let import: Import = call.json()?;
    no_null_ext(call)?;
    if import.need_download {
        return Err(Failure::illegal(
            "need_download: this server fetches nothing; upload the file to it first",
        ));
    }
    let content = payload::content_of(&import.r#type, &import.body).map_err(Failure::illegal)?;
    fits(server, &content, &import.ext)?;
    let target = target(server, call.now, kind, &import.target)?;
    let from = sender(server, call.now, &import.from)?;
    let draft = Draft {
        from,
        content,
        ext: import.ext,
        at: import.msg_timestamp.map_or(call.now, Millis),
        route: meta::RouteType::RouteAll,
        copies: Copies::Sent,
        counts: if import.is_ack_read { Counts::Read } else { Counts::Unread },
    };
    let id = server.deliver(call.now, &draft, target)?;
    Ok(Success::data(json!({ "msg_id": id.to_string() })))
}

/// A message that cannot be taken back is told with status 200 (rest.md B.4).
pub(super) fn recall(server: &mut Server, call: &Call<'_>) -> Answer {
    call.app_only(server)?;
    let recall: Recall = call.json()?;
    if !server.settings.recall {
        return Err(Failure::recall_off());
    }
    let to = match recall.chat_type.as_str() {
        "chat" => server.accounts.find(&recall.to).map(RecalledTo::User),
        "groupchat" => find_muc(server, MucKind::Group, &recall.to).map(RecalledTo::Muc),
        "chatroom" => find_muc(server, MucKind::Room, &recall.to).map(RecalledTo::Muc),
        _ => return Err(Failure::illegal("chat_type is chat, groupchat or chatroom")),
    };
    let from = match &recall.from {
        Some(name) => Some(server.accounts.find(name).ok_or_else(Failure::user_not_found)?),
        None => None,
    };
    let window = if recall.force { Window::Forced } else { Window::Kept };
    server.forget_old(call.now);
    let fault = match (to, recall.msg_id.parse()) {
        (None, _) => "can't find msg to",
        (Some(_), Err(_)) => "not_found msg",
        (Some(to), Ok(id)) => match server.recall_from_server(call.now, id, from, to, window) {
            Ok(()) => {
                return Ok(Success::data(json!({
                    "recalled": "yes",
                    "chattype": recall.chat_type,
                    "from": recall.from.as_deref().unwrap_or(ADMIN),
                    "to": recall.to,
                    "msg_id": recall.msg_id,
                })));
            }
            Err(RecallFault::NotFound) => "not_found msg",
            Err(RecallFault::TooLate) => "exceed recall time limit",
        },
    };
    let msgs = json!([{ "msg_id": excerpt(&recall.msg_id), "recalled": fault }]);
    Ok(Success::bare(call, "msgs", msgs))
}

/// `GET /chatmessages/{hour}`: this server writes no files of history; messageroaming has what is kept.
pub(super) fn history_file(server: &mut Server, call: &Call<'_>) -> Answer {
    call.app_only(server)?;
    let hour = call.first;
    let digits = hour.len() == "2021123108".len() && hour.bytes().all(|b| b.is_ascii_digit());
    let part = |range: std::ops::Range<usize>| hour.get(range).and_then(|part| part.parse::<u8>().ok());
    let is_hour = digits
        && part(4..6).is_some_and(|month| (1..=12).contains(&month))
        && part(6..8).is_some_and(|day| (1..=31).contains(&day))
        && part(8..10).is_some_and(|hour| hour < 24);
    if !is_hour {
        return Err(Failure::illegal("the hour is yyyyMMddHH, in UTC"));
    }
    Err(Failure::no_history_file())
}

impl Draft {
    fn body(&self, server: &Server, target: Target) -> MessageBody {
        let name = |name: &str| Some(Jid { name: Some(name.to_owned()), ..Jid::default() });
        let (kind, to) = match target {
            Target::User(user) => (message_body::Type::Chat, name(server.accounts.name(user))),
            Target::Muc(muc) => {
                let state = server.mucs.muc(muc);
                let kind = match state.kind {
                    MucKind::Group | MucKind::Thread => message_body::Type::Groupchat,
                    MucKind::Room => message_body::Type::Chatroom,
                };
                (kind, name(&state.id))
            }
        };
        MessageBody {
            r#type: Some(kind as i32),
            from: name(server.accounts.name(self.from)),
            to,
            contents: vec![self.content.clone()],
            ext: payload::key_values(&self.ext),
            ..MessageBody::default()
        }
    }
}

impl Server {
    /// Sends a draft to one target and gives the message's id.
    fn deliver(&mut self, now: Millis, draft: &Draft, target: Target) -> Result<u64, Failure> {
        let (key, to, readers) = match target {
            Target::User(user) => {
                (ConvKey::single(draft.from, user), self.jid(user, None), Readers::pair(draft.from, user))
            }
            Target::Muc(muc) => {
                let members = self.mucs.muc(muc).members.keys().copied().collect();
                (ConvKey::Muc(muc), self.muc_jid(muc), Readers::Members(members))
            }
        };
        let conv =
            self.queues.open(key).ok_or_else(|| Failure::limit("this world holds no more conversations"))?;
        let id = self.allot_id();
        // Whoever is away never gets it: nothing is kept for them.
        if let Target::User(user) = target
            && draft.route == meta::RouteType::RouteOnline
            && self.accounts.user(user).devices.is_empty()
        {
            return Ok(id);
        }
        let kind = match draft.content.r#type() {
            message_body::content::Type::Command => EntryKind::Command,
            message_body::content::Type::Text
            | message_body::content::Type::Image
            | message_body::content::Type::Video
            | message_body::content::Type::Location
            | message_body::content::Type::Voice
            | message_body::content::Type::File
            | message_body::content::Type::Custom
            | message_body::content::Type::Combine => EntryKind::Content,
        };
        let meta = Meta {
            id: Some(id),
            from: Some(self.jid(draft.from, None)),
            to: Some(to),
            timestamp: Some(draft.at.0),
            ns: Some(meta::NameSpace::Chat as i32),
            payload: Some(draft.body(self, target).encode_to_vec().into()),
            routetype: (draft.route != meta::RouteType::RouteAll).then_some(draft.route as i32),
            ..Meta::default()
        };
        let meta: Arc<[u8]> = meta.encode_to_vec().into();
        let audience = match (target, draft.copies) {
            // Also where somebody is sent something in the own name.
            (Target::User(user), Copies::Kept) => Audience::Only(user),
            (Target::Muc(_), Copies::Kept) => Audience::AllBut(draft.from),
            (Target::User(_) | Target::Muc(_), Copies::Sent) => Audience::Everyone,
        };
        let counts = match kind {
            EntryKind::Command if !self.settings.commands_count => Counts::Read,
            EntryKind::Content
            | EntryKind::Command
            | EntryKind::Receipt
            | EntryKind::Recall
            | EntryKind::Edit
            | EntryKind::Notice => draft.counts,
        };
        let entry = NewEntry { id, sender: Some(draft.from), origin: None, kind, audience, meta };
        // Messages of the app's server do not make a conversation appear (rest.md A.7).
        self.append_as(now, conv, entry, readers.as_slice(), counts, Listing::AsBefore);
        Ok(id)
    }
}

/// A sender need not be a user: our guess, as for `admin`, who is none either.
fn sender(server: &mut Server, now: Millis, name: &str) -> Result<UserIx, Failure> {
    if name.is_empty() {
        return Err(Failure::illegal("from can't be empty"));
    }
    server.find_or_make_user(now, name).map_err(|fault| match fault {
        NameFault::Illegal => Failure::illegal("from is not legal"),
        NameFault::Mucs => Failure::illegal(format!("from is not legal: a group has the id {name}")),
        NameFault::TooMany => Failure::limit("this world holds no more users"),
    })
}

fn target(server: &mut Server, now: Millis, kind: ChatKind, name: &str) -> Result<Target, Failure> {
    match kind {
        ChatKind::Chat => match server.accounts.existing(name) {
            Some(user) => Ok(Target::User(user)),
            None if server.settings.strict => Err(Failure::user_not_found()),
            // As a client's message makes it in a lax world.
            None => server
                .find_or_make_user(now, name)
                .map(Target::User)
                .map_err(|_| Failure::illegal(format!("username {} is not legal", excerpt(name)))),
        },
        ChatKind::Groupchat => {
            find_muc(server, MucKind::Group, name).map(Target::Muc).ok_or_else(|| Failure::no_muc(name))
        }
        ChatKind::Chatroom => {
            find_muc(server, MucKind::Room, name).map(Target::Muc).ok_or_else(|| Failure::no_muc(name))
        }
    }
}

fn find_muc(server: &Server, kind: MucKind, id: &str) -> Option<MucIx> {
    server.mucs.find(id).filter(|&muc| server.mucs.muc(muc).kind == kind)
}

/// Body and ext together, as clients' messages are measured (rest.md B.8).
fn fits(server: &Server, content: &Content, ext: &Map<String, Value>) -> Result<(), Failure> {
    let bytes_max = server.settings.message_bytes_max as usize;
    let body = MessageBody {
        contents: vec![content.clone()],
        ext: payload::key_values(ext),
        ..MessageBody::default()
    };
    if body.encoded_len() > bytes_max {
        return Err(Failure::illegal(format!(
            "message is too large: body and ext hold at most {bytes_max} bytes"
        )));
    }
    Ok(())
}

/// What `Call::json` forgives elsewhere is a mistake here (rest.md B.4).
fn no_null_ext(call: &Call<'_>) -> Result<(), Failure> {
    let body: Map<String, Value> =
        serde_json::from_slice(&call.request.body).map_err(|error| Failure::json(&error))?;
    if body.get("ext").is_some_and(Value::is_null) {
        return Err(Failure::illegal("ext can't be null; leave it out"));
    }
    Ok(())
}

fn admin() -> String {
    ADMIN.to_owned()
}
