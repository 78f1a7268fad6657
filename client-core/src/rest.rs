//! Calls over HTTP: what is asked, and what the answers say. The bodies are this side's own reading of
//! rest.md; the server has another of its own.
//!
//! Calls of the user go out one at a time, in the order given, so that "join, then leave" never arrives the
//! other way round. A login's calls (token, `/info`) do not queue: they belong to the session.

use std::collections::VecDeque;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::client::Config;
use crate::error::CommandError;
use crate::timer::Millis;

/// How many calls may wait for their turn.
const CALLS_LIMIT: usize = 1_000;
/// How long an answer may take, in ms, as in 4.x (rest.md 0.9).
const CALL_LIMIT_MS: u64 = 15_000;
/// Members that a new group or room has room for, as the SDK's examples ask (rest.md A.10).
const MAX_USERS: u32 = 200;

/// Which request an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub(crate) u64);

/// A request to carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// To be given back with the answer.
    pub call: CallId,
    /// The method.
    pub method: HttpMethod,
    /// The whole address, escaped.
    pub url: String,
    /// The access token for `Authorization: Bearer`.
    pub bearer: Option<String>,
    /// A JSON body, to be sent as `application/json`.
    pub body: Option<String>,
}

/// The methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
}

/// What came back, whatever the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code; only 200 is success (rest.md 0.3).
    pub status: u16,
    /// The whole body.
    pub body: Bytes,
}

impl HttpAnswer {
    /// The sentence of the service's error envelope (rest.md 0.5).
    pub(crate) fn error_description(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct ErrorEnvelope {
            error_description: String,
        }
        serde_json::from_slice::<ErrorEnvelope>(&self.body).ok().map(|envelope| envelope.error_description)
    }

    fn read<'body, T: Deserialize<'body>>(&'body self) -> Result<T, Refusal> {
        if self.status != 200 {
            return Err(Refusal::Refused);
        }
        serde_json::from_slice(&self.body).map_err(|error| Refusal::Unreadable(error.to_string()))
    }
}

/// Why an answer is not the one hoped for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Refused,
    Unreadable(String),
}

/// A call that a user may ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    BlockList,
    CreateGroup { name: String, members: Vec<String> },
    JoinGroup { group: String },
    LeaveGroup { group: String },
    DissolveGroup { group: String },
    InviteToGroup { group: String, users: Vec<String> },
    RemoveFromGroup { group: String, users: Vec<String> },
    CreateRoom { name: String, members: Vec<String> },
    JoinRoom { room: String },
    LeaveRoom { room: String },
}

/// What a call brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    BlockList(Vec<String>),
    GroupCreated { group: String },
    RoomCreated { room: String },
    Done,
}

/// The calls of the user, one under way and the others waiting.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    last_id: u64,
    current: Option<(CallId, Call, Millis)>,
    waiting: VecDeque<Call>,
}

impl Calls {
    pub(crate) fn next_id(&mut self) -> CallId {
        self.last_id += 1;
        CallId(self.last_id)
    }

    pub(crate) fn push(&mut self, call: Call) -> Result<(), CommandError> {
        if self.waiting.len() >= CALLS_LIMIT {
            return Err(CommandError::CallsFull { limit: CALLS_LIMIT });
        }
        self.waiting.push_back(call);
        Ok(())
    }

    /// The next request, unless one is under way.
    pub(crate) fn next_request(&mut self, now: Millis, config: &Config, token: &str) -> Option<HttpRequest> {
        if self.current.is_some() {
            return None;
        }
        let call = self.waiting.pop_front()?;
        let id = self.next_id();
        let request = call.request(id, config, token);
        self.current = Some((id, call, now.after(CALL_LIMIT_MS)));
        Some(request)
    }

    /// The call that was answered; `None` when nobody waits for it any more.
    pub(crate) fn answered(&mut self, id: CallId) -> Option<Call> {
        match self.current.take() {
            Some((current, call, _)) if current == id => Some(call),
            other => {
                self.current = other;
                None
            }
        }
    }

    pub(crate) fn take_overdue(&mut self, now: Millis) -> Option<(CallId, Call)> {
        let (id, call, _) = self.current.take_if(|(_, _, answer_by)| *answer_by <= now)?;
        Some((id, call))
    }

    pub(crate) fn next_deadline(&self) -> Option<Millis> {
        self.current.as_ref().map(|(_, _, answer_by)| *answer_by)
    }

    /// Forgets everything; the call that was under way is returned, to be cancelled.
    pub(crate) fn clear(&mut self) -> Option<CallId> {
        self.waiting.clear();
        self.current.take().map(|(id, _, _)| id)
    }
}

impl Call {
    /// What the user calls it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::BlockList => "block list",
            Self::CreateGroup { .. } => "create group",
            Self::JoinGroup { .. } => "join group",
            Self::LeaveGroup { .. } => "leave group",
            Self::DissolveGroup { .. } => "dissolve group",
            Self::InviteToGroup { .. } => "invite to group",
            Self::RemoveFromGroup { .. } => "remove from group",
            Self::CreateRoom { .. } => "create room",
            Self::JoinRoom { .. } => "join room",
            Self::LeaveRoom { .. } => "leave room",
        }
    }

    /// What an answer with status 200 brought.
    pub(crate) fn outcome(&self, answer: &HttpAnswer) -> Result<Outcome, Refusal> {
        #[derive(Deserialize)]
        struct Envelope<T> {
            data: T,
        }
        #[derive(Deserialize)]
        struct NewGroup {
            groupid: String,
        }
        #[derive(Deserialize)]
        struct NewRoom {
            id: String,
        }
        match self {
            Self::BlockList => {
                answer.read::<Envelope<Vec<String>>>().map(|answer| Outcome::BlockList(answer.data))
            }
            Self::CreateGroup { .. } => answer
                .read::<Envelope<NewGroup>>()
                .map(|answer| Outcome::GroupCreated { group: answer.data.groupid }),
            Self::CreateRoom { .. } => {
                answer.read::<Envelope<NewRoom>>().map(|answer| Outcome::RoomCreated { room: answer.data.id })
            }
            Self::JoinGroup { .. }
            | Self::LeaveGroup { .. }
            | Self::DissolveGroup { .. }
            | Self::InviteToGroup { .. }
            | Self::RemoveFromGroup { .. }
            | Self::JoinRoom { .. }
            | Self::LeaveRoom { .. } => answer.read::<serde::de::IgnoredAny>().map(|_| Outcome::Done),
        }
    }

    /// Paths and bodies as the 3.x SDK has them (rest.md A.10).
    fn request(&self, call: CallId, config: &Config, token: &str) -> HttpRequest {
        let me = &config.username;
        let (method, path, body) = match self {
            Self::BlockList => (HttpMethod::Get, format!("/users/{}/blocks/users", segment(me)), None),
            Self::CreateGroup { name, members } => {
                let body = NewGroupBody {
                    groupname: name,
                    desc: "",
                    members,
                    public: true,
                    approval: false,
                    allowinvites: true,
                    maxusers: MAX_USERS,
                    owner: me,
                    invite_need_confirm: false,
                };
                (HttpMethod::Post, "/chatgroups".to_owned(), Some(json(&body)))
            }
            Self::JoinGroup { group } => {
                let path = format!("/chatgroups/{}/apply", segment(group));
                (HttpMethod::Post, path, Some(json(&ApplyBody { message: "join group" })))
            }
            Self::LeaveGroup { group } => {
                (HttpMethod::Delete, format!("/chatgroups/{}/quit", segment(group)), None)
            }
            Self::DissolveGroup { group } => {
                (HttpMethod::Delete, format!("/chatgroups/{}?version=v3", segment(group)), None)
            }
            Self::InviteToGroup { group, users } => {
                let path = format!("/chatgroups/{}/invite", segment(group));
                (HttpMethod::Post, path, Some(json(&UsersBody { usernames: users })))
            }
            Self::RemoveFromGroup { group, users } => {
                let users: Vec<String> = users.iter().map(|user| segment(user)).collect();
                let path = format!("/chatgroups/{}/users/{}", segment(group), users.join(","));
                (HttpMethod::Delete, path, None)
            }
            Self::CreateRoom { name, members } => {
                let body = NewRoomBody { name, description: "", maxusers: MAX_USERS, owner: me, members };
                (HttpMethod::Post, "/chatrooms".to_owned(), Some(json(&body)))
            }
            Self::JoinRoom { room } => {
                let path = format!("/chatrooms/{}/apply", segment(room));
                (HttpMethod::Post, path, Some(json(&ApplyBody { message: "join room" })))
            }
            Self::LeaveRoom { room } => {
                (HttpMethod::Delete, format!("/chatrooms/{}/quit", segment(room)), None)
            }
        };
        HttpRequest { call, method, url: config.rest_url(&path), bearer: Some(token.to_owned()), body }
    }
}

/// The request for a token (rest.md A.3).
pub(crate) fn token_request(call: CallId, now: Millis, config: &Config, password: &str) -> HttpRequest {
    #[derive(Serialize)]
    struct TokenBody<'a> {
        grant_type: &'static str,
        username: &'a str,
        password: &'a str,
        timestamp: u64,
    }
    let body = TokenBody { grant_type: "password", username: &config.username, password, timestamp: now.0 };
    HttpRequest {
        call,
        method: HttpMethod::Post,
        url: config.rest_url("/token"),
        bearer: None,
        body: Some(json(&body)),
    }
}

/// The token in a 200 answer; an empty one counts as none.
pub(crate) fn read_token(answer: &HttpAnswer) -> Result<String, Refusal> {
    #[derive(Deserialize)]
    struct TokenAnswer {
        access_token: String,
    }
    let token = answer.read::<TokenAnswer>()?.access_token;
    if token.is_empty() { Err(Refusal::Unreadable("access_token is empty".to_owned())) } else { Ok(token) }
}

/// Whether a SockJS `/info` answer lets a WebSocket in; the reason when not (wire-3x §1.1).
pub(crate) fn read_info(answer: &HttpAnswer) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Info {
        #[serde(default = "yes")]
        websocket: bool,
    }
    fn yes() -> bool {
        true
    }
    match answer.read::<Info>() {
        Ok(Info { websocket: true }) => Ok(()),
        Ok(Info { websocket: false }) => Err("the SockJS server offers no WebSocket".to_owned()),
        Err(Refusal::Refused) => Err(format!("/info was answered with HTTP {}", answer.status)),
        Err(Refusal::Unreadable(reason)) => Err(format!("/info cannot be read: {reason}")),
    }
}

/// A path segment with everything escaped that could be taken for anything else.
pub(crate) fn segment(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[derive(Serialize)]
struct NewGroupBody<'a> {
    groupname: &'a str,
    desc: &'static str,
    members: &'a [String],
    public: bool,
    approval: bool,
    allowinvites: bool,
    maxusers: u32,
    owner: &'a str,
    invite_need_confirm: bool,
}

#[derive(Serialize)]
struct NewRoomBody<'a> {
    name: &'a str,
    description: &'static str,
    maxusers: u32,
    owner: &'a str,
    members: &'a [String],
}

#[derive(Serialize)]
struct ApplyBody {
    message: &'static str,
}

#[derive(Serialize)]
struct UsersBody<'a> {
    usernames: &'a [String],
}

fn json<T: Serialize>(body: &T) -> String {
    serde_json::to_string(body).expect("bodies are structs of strings, numbers and booleans")
}
