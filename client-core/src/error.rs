//! What can go wrong, and the number that the protocol's clients give it.
//!
//! Two kinds: a [`CommandError`] is the caller's mistake and nothing was sent; a [`Failure`] is what the
//! service, or the way to it, said no with. The tables here turn statuses into numbers and do nothing else.

use fixtures::wire::Status;
use fixtures::wire::status::ErrorCode;
use serde_json::{Value, json};

use crate::event::ServerId;
use crate::outbox::SEND_TRIES;
use crate::rest::HttpAnswer;

/// A command that was refused before anything was sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// `ext: null`; leave the field out when there is none (clause build.ext-null).
    #[error("ext must not be null: leave it out, or give an object")]
    ExtNull,
    /// The wire carries ext as a list of keys and values, so its top level is an object.
    #[error("ext must be a JSON object, not {found}")]
    ExtNotObject {
        /// What was given instead.
        found: &'static str,
    },
    /// `customExts` is a map of strings (clause send.custom).
    #[error("customExts must be a JSON object of strings, not {found}")]
    CustomExtsNotObject {
        /// What was given instead.
        found: &'static str,
    },
    /// A value of `customExts` that is not a string (clause send.custom).
    #[error("customExts.{key} must be a string, not {found}")]
    CustomExtNotString {
        /// The key in question.
        key: String,
        /// What its value is.
        found: &'static str,
    },
    /// A command message without an action (clause send.cmd).
    #[error("a command message needs an action")]
    NoAction,
    /// Nobody to send to.
    #[error("a message needs a recipient: the name of a user, or the id of a group or a room")]
    NoRecipient,
    /// A latitude or longitude that is no number.
    #[error("{field} must be a finite number")]
    NotFinite {
        /// `latitude` or `longitude`.
        field: &'static str,
    },
    /// A list of users that is empty, or a name in it that is.
    #[error("{command} needs at least one user, and no empty names")]
    NoUsers {
        /// Which command.
        command: &'static str,
    },
    /// An empty name or id of a group or a room.
    #[error("{command} needs a name or an id that is not empty")]
    NoName {
        /// Which command.
        command: &'static str,
    },
    /// Only a logged-in client can do this.
    #[error("{command}: not logged in")]
    NotLoggedIn {
        /// Which command.
        command: &'static str,
    },
    /// The client is logged in already; close first.
    #[error("already logged in: close() before another login")]
    AlreadyLoggedIn,
    /// A login is under way; wait for its outcome, or close.
    #[error("currently logging in: wait for `opened` or `error`, or close()")]
    LoginInProgress,
    /// Only a group message can ask for receipts (clause receipt.group.ask).
    #[error("only a message to a group can ask for receipts")]
    ReceiptsOutsideGroup,
    /// Rooms have no sessions and no read receipts.
    #[error("{command} is for users and groups, not for rooms")]
    NotForRooms {
        /// Which command.
        command: &'static str,
    },
    /// A media type that cannot stand in a header.
    #[error("{media_type:?} is no media type: it should look like image/png")]
    BadMediaType {
        /// What was given.
        media_type: String,
    },
    /// A length that does not fit on the wire.
    #[error("a sound or a film is at most {limit} of its unit long")]
    LengthTooLarge {
        /// The largest number that fits.
        limit: u32,
    },
    /// So many bytes wait to be uploaded that no more are taken.
    #[error("at most {limit_bytes} bytes of attachments wait to be uploaded at a time")]
    AttachmentsFull {
        /// How many are taken at most, one file or several.
        limit_bytes: usize,
    },
    /// An emoji without a key would be found everywhere.
    #[error("the key of an emoji cannot be empty")]
    EmptyEmojiKey,
    /// So many conversations are being walked back through that no more are taken.
    #[error("the history of {limit} conversations is being fetched already: reset it first")]
    HistoryFull {
        /// How many are taken at most.
        limit: usize,
    },
    /// There are twenty marks.
    #[error("there is no mark {number}: they go from 0 to {}", marks - 1)]
    NoSuchMark {
        /// What was given.
        number: u32,
        /// How many there are.
        marks: u32,
    },
    /// A deletion of no messages, or of too many.
    #[error("from 1 to {limit} messages are deleted at a time")]
    Deletions {
        /// How many at most.
        limit: usize,
    },
    /// Only those in a group or a room can be picked out.
    #[error("only a message to a group or a room can be for some of its members")]
    DirectedOutsideGroup,
    /// Only rooms have priorities.
    #[error("only a message to a room has a priority")]
    PriorityOutsideRoom,
    /// A reaction of no characters.
    #[error("a reaction cannot be empty")]
    NoReaction,
    /// So many messages wait for an answer that no more are taken.
    #[error("{limit} messages wait for an answer already: send again when some have been answered")]
    OutboxFull {
        /// How many are taken at most.
        limit: usize,
    },
    /// So many REST calls wait for their turn that no more are taken.
    #[error("{limit} REST calls of this kind wait for their turn already")]
    CallsFull {
        /// How many are taken at most.
        limit: usize,
    },
}

/// A refusal or a breakdown, with the number that applications know it by.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// The numeric `type` of the vendor's clients (wire-3x §7, wire-4x §3.3, rest.md Part C).
    pub code: i32,
    /// For a person.
    pub message: String,
    /// What the service said, as it said it, when there is more than the message.
    pub detail: Option<Value>,
}

/// How much of a body that is not understood is shown, in characters: enough to recognise a proxy's page.
const EXCERPT_CHARS: usize = 500;

impl Failure {
    /// Why a call, an upload or a download ends that nobody refused.
    pub(crate) const CLOSED: &str = "the connection was closed before the answer came";

    pub(crate) fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), detail: None }
    }

    pub(crate) fn with(self, detail: Value) -> Self {
        Self { detail: Some(detail), ..self }
    }

    /// 0 (rest.md Part C, USER_NOT_ASSIGN_ERROR).
    pub(crate) fn no_user() -> Self {
        Self::new(0, "the user cannot be empty")
    }

    /// 27 (wire-3x §2.1).
    pub(crate) fn bad_app_key(app_key: &str) -> Self {
        Self::new(27, "the app key must be two names joined by #, such as org#app")
            .with(json!({ "appKey": app_key }))
    }

    /// 28: a login by token without a token.
    pub(crate) fn no_token() -> Self {
        Self::new(28, "the access token cannot be empty")
    }

    /// 1: the address of the door is of no use.
    pub(crate) fn bad_address(reason: String) -> Self {
        Self::new(1, reason)
    }

    /// 16: a link that was lost, or never came about (wire-3x §6.1).
    pub(crate) fn disconnected(reason: &str) -> Self {
        Self::new(16, "websocket has been disconnected").with(json!({ "reason": reason }))
    }

    /// 32: a send before login or after close (wire-3x §6.3).
    pub(crate) fn not_logged_in() -> Self {
        Self::new(32, "Not logged in")
    }

    /// 510: the connection ended for good while a message was unanswered (wire-4x §5.2).
    pub(crate) fn gone() -> Self {
        Self::new(510, "the connection was closed before the message was answered")
    }

    /// 512: no answer, however often it was sent (wire-4x §5.2).
    pub(crate) fn send_timeout() -> Self {
        Self::new(512, "send message timeout")
    }

    /// 512 too: the link was lost each time, and nobody knows which of the two ended it.
    pub(crate) fn link_lost_each_time() -> Self {
        Self::new(
            512,
            format!("sent {SEND_TRIES} times, and the link was lost each time before an answer came"),
        )
    }

    /// 604: something from the server that cannot be read (wire-3x §6.4).
    pub(crate) fn unreadable(what: &str, reason: impl Into<String>) -> Self {
        Self::new(604, "decode message error").with(json!({ "what": what, "reason": reason.into() }))
    }

    /// The kick of a STATISTIC operation, if it is one (wire-3x §5.2).
    pub(crate) fn kicked(operation: i32) -> Option<Self> {
        match operation {
            1 => Some(Self::new(207, "user has been removed")),
            2 => Some(Self::new(206, "the user is already logged on another device")),
            3 => Some(Self::new(216, "the user was kicked by changing password")),
            4 => Some(Self::new(217, "the user was kicked by other device")),
            _ => None,
        }
    }

    /// Why a send, a recall, a change or a move into a room failed: the table of wire-4x §5.3, which has that of 3.x in
    /// it. A sender who is muted is 507 (of what the user sends that is an event of its own, and only of receipts sent
    /// by themselves a failure). Where 4.x says nothing at all, which is a refusal for a reason that it does not know
    /// or an answer without status, this is 604.
    pub(crate) fn of_send(status: Option<&Status>) -> Self {
        let Some(status) = status else {
            return Self::new(604, "the answer has no status");
        };
        let number = status.error_code.unwrap_or_default();
        let reason = status.reason.as_deref().unwrap_or_default();
        let (code, message) = match ErrorCode::try_from(number) {
            Ok(ErrorCode::Fail) => refused_send(reason),
            Ok(ErrorCode::PermissionDenied) => (not_permitted_send(reason), reason),
            Ok(ErrorCode::PermissionDeniedExternal) => (502, reason),
            Ok(ErrorCode::UserMuted) => (507, "you were muted"),
            Ok(_) | Err(_) => (604, reason),
        };
        Self::new(code, message).with(status_detail(status))
    }

    /// 101: a file of no bytes, which the service does not take (rest.md A.4).
    pub(crate) fn empty_file() -> Self {
        Self::new(101, "the file is empty")
    }

    /// 510: an uploaded file whose message finds no room among those that wait.
    pub(crate) fn no_room(error: &CommandError) -> Self {
        Self::new(510, error.to_string())
    }

    /// 31: a delivery receipt that could not be sent.
    pub(crate) fn of_delivery(message: ServerId, error: &CommandError) -> Self {
        Self::new(31, format!("the delivery of {message} is not acknowledged: {error}"))
    }

    /// Why a block, unblock or other roster operation failed: 31 (wire-3x §3.5).
    pub(crate) fn of_roster(status: Option<&Status>) -> Self {
        let failure = Self::new(31, "on message error");
        match status {
            Some(status) => failure.with(status_detail(status)),
            None => failure,
        }
    }

    /// Why a pull or an UNREAD was refused.
    pub(crate) fn of_pull(status: &Status) -> Self {
        Self::new(604, "the server refused to hand over messages").with(status_detail(status))
    }

    /// Why PROVISION was refused: the table of wire-4x §3.3.
    pub(crate) fn of_provision(status: &Status) -> Self {
        let number = status.error_code.unwrap_or_default();
        let reason = status.reason.as_deref().unwrap_or_default();
        let (code, message) = match (ErrorCode::try_from(number), reason) {
            (Ok(ErrorCode::Fail), "Sorry, token expired") => (56, "Sorry, token expired"),
            (Ok(ErrorCode::Fail), "Sorry, token or password does not match login info") => {
                (28, "INVALID_TOKEN")
            }
            (Ok(ErrorCode::Fail), "Sorry, user not found") => (204, "User not found"),
            (Ok(ErrorCode::Fail), limit)
                if limit.ends_with("register limit") || limit.ends_with("rate limit") =>
            {
                (50, limit)
            }
            (Ok(ErrorCode::PermissionDenied), limit) if limit.ends_with("count limit") => (50, limit),
            (Ok(ErrorCode::Fail | ErrorCode::Unauthorized | ErrorCode::PermissionDenied), _) => {
                (2, "Auth failed")
            }
            (Ok(ErrorCode::WrongParameter), _) => (-3, "Invalid parameter"),
            (Ok(ErrorCode::ImForbidden), _) => (57, "Server serving disabled."),
            (Ok(ErrorCode::TooManyDevices), _) => {
                (214, "the number of devices the user is logged in to exceeds the limit")
            }
            (Ok(ErrorCode::ResourceChanged), _) => (220, "user device is changed"),
            (_, other) => (2, other),
        };
        Self::new(code, message).with(status_detail(status))
    }

    /// Why the token was refused: 1 whatever the cause, as every version of the vendor's clients has it; the
    /// cause is in the message, and in the detail as `type` 204 (no such user) or 17 (wire-4x §3.1).
    pub(crate) fn of_token(answer: Result<&HttpAnswer, &str>) -> Self {
        let answer = match answer {
            Ok(answer) => answer,
            Err(reason) => return Self::new(1, "login failed").with(json!({ "type": 17, "reason": reason })),
        };
        let message = match answer.status {
            429 | 503 => "Server is busy.".to_owned(),
            _ => answer.error_description().unwrap_or_else(|| excerpt(&answer.body)),
        };
        let cause = if answer.status == 404 && message == "user not found" { 204 } else { 17 };
        Self::new(1, message).with(json!({
            "type": cause, "status": answer.status, "data": excerpt(&answer.body),
        }))
    }
}

/// The rows of wire-4x §5.3 for status 1. The sentences are part of the protocol: there is no other sign of the cause.
fn refused_send(reason: &str) -> (i32, &str) {
    match reason {
        "blocked" => (603, reason),
        "group not found" => (605, reason),
        "not in group or chatroom" => (602, reason),
        "exceed recall time limit" => (504, reason),
        "message recall disabled" => (505, reason),
        "not in group or chatroom white list" => (506, reason),
        "nonroster" => (221, "not contact"),
        "group is disabled" | "can not operate this group, reason: group is disabled" => (608, reason),
        "limit directed users" => (50, reason),
        "Sorry, edit limit reached" => (50, "Modify message limit reached"),
        "Sorry, message does not exist" => (1302, "The message does not exist."),
        "Sorry, You do not have permission" => (603, "You do not have the modified permission."),
        "Sorry, format is incorrect" => (1303, "The modify messaged format error."),
        "Sorry, edit is not available" => (505, "The message modify function is not activated."),
        "Sorry, edit fail" => (1304, "Modify message failed."),
        "group member list is full!" => (704, reason),
        _ if holds(reason, &["grpID", "does not exist!"]) => (705, "The chat room dose not exist."),
        _ if holds(reason, &["username", "doesn't exist!"]) => (204, reason),
        _ if holds(reason, &["can not join this group", "is in the blacklist"]) => (603, "permission denied"),
        _ if holds(reason, &["moderation"]) => (508, reason),
        _ if holds(reason, &["group ID illegal, please check it"]) => (-3, "Invalid parameter"),
        _ if holds(reason, &["has create too many chatrooms"])
            || holds(reason, &["has joined too many chatrooms"]) =>
        {
            (50, reason)
        }
        _ if holds(reason, &["auto create failed"]) => (500, reason),
        _ => (503, reason),
    }
}

/// The rows of wire-4x §5.3 for status 7.
fn not_permitted_send(reason: &str) -> i32 {
    match reason {
        "sensitive words" | "blocked by mod_antispam" => 501,
        "user is mute" => 219,
        "traffic limit" => 509,
        "Sorry, data is too large" => 511,
        _ => 604,
    }
}

fn holds(reason: &str, parts: &[&str]) -> bool {
    parts.iter().all(|part| reason.contains(part))
}

fn status_detail(status: &Status) -> Value {
    json!({ "errorCode": status.error_code.unwrap_or_default(), "reason": status.reason })
}

pub(crate) fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(EXCERPT_CHARS).collect()
}
