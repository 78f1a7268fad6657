//! The control plane: what a test says to one world, as typed commands.
//!
//! The same commands serve a scenario's `given` and `fault` steps and the library's callers. Every command
//! names things of one world; which world, the caller says beside it.

use serde::{Deserialize, Serialize};

/// One thing to do to a world. Refused whole or done whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Control {
    /// Registers a user, or gives an existing one this password.
    User {
        /// As typed; folded to lower case for every comparison.
        name: String,
        /// What `/token` must be given.
        password: String,
    },
    /// Makes an access token for a user, as if by an earlier login.
    Token {
        /// Whose.
        user: String,
        /// The token itself.
        token: String,
        /// How long it lives from now, in ms; 0 or less: it has expired.
        ttl_ms: i64,
    },
    /// Makes a group under an id that the caller chooses.
    Group {
        /// Its id; free of every user's name, since 3.x tells queues by name alone (wire-3x §3.4).
        id: String,
        /// A user that exists.
        owner: String,
        /// Users that exist, besides the owner.
        members: Vec<String>,
    },
    /// Makes a chat room under an id that the caller chooses.
    Room {
        /// Its id.
        id: String,
        /// A user that exists.
        owner: String,
        /// Users that exist, besides the owner.
        members: Vec<String>,
    },
    /// Puts users on somebody's block list.
    Block {
        /// Whose list.
        user: String,
        /// Who may no longer write to `user`.
        blocked: Vec<String>,
    },
    /// Stores texts as if `from` had sent them just now: `data` is the text, `#` in it the running number from 1.
    Texts {
        /// The sender.
        from: String,
        /// A user.
        to: String,
        /// What each says.
        text: String,
        /// How many.
        count: u32,
    },
    /// Changes the world's rules.
    Settings(SettingsPatch),
    /// Stages a fault.
    Fault(Fault),
}

/// The rules of a world; every field has the default of a developer's laptop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// No user appears by login, no unknown token is taken for its bearer, no message goes to an unknown user.
    pub strict: bool,
    /// A second device of a user logs the first one out (206).
    pub one_device: bool,
    /// The app is served at all; off, every login is refused (status 12).
    pub serving: bool,
    /// Anyone may register over REST.
    pub open_registration: bool,
    /// The largest message body, in bytes of `Meta.payload` (rest.md B.8: 3 KB).
    pub message_bytes_max: u32,
    /// How long a token from `/token` lives, in ms (rest.md B.1: 60 days).
    pub token_ttl_ms: u64,
}

/// Some of the [`Settings`], to change just those.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(missing_docs, reason = "each field is the one of the same name in Settings")]
pub struct SettingsPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_device: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serving: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_registration: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_bytes_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_ttl_ms: Option<u64>,
}

/// Something that goes wrong for one user. `device` names one of several; left out, all of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The socket goes without a close frame.
    Cut {
        /// Whose.
        user: String,
        /// Which device, by the resource it logged in with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<String>,
    },
    /// The socket is closed with a WebSocket close frame (SockJS: a `c[…]` message before it).
    Close {
        /// Whose.
        user: String,
        /// Which device.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        device: Option<String>,
        /// The close code.
        code: u16,
    },
    /// The user's present connections stay, but nobody is at their other end any more: nothing is sent to them, and
    /// what they send is read and thrown away until they go. Their devices are gone as if cut; new connections of
    /// the user are served.
    Mute {
        /// Whose.
        user: String,
    },
    /// The user's next message is taken as ever, but its sender gets no answer.
    DropNextAnswer {
        /// Whose.
        user: String,
    },
    /// The user's next message is taken, its answer is lost, and the socket is cut: what a train tunnel does.
    CutInsteadOfAnswer {
        /// Whose.
        user: String,
    },
    /// These bytes go to the user's sockets as one frame.
    SendRaw {
        /// Whose.
        user: String,
        /// The frame in hexadecimal; it need not be a frame.
        hex: String,
    },
    /// The user's next message is refused with this status and has no effect.
    AnswerStatus {
        /// Whose.
        user: String,
        /// The number of a `Status.ErrorCode`.
        code: i32,
        /// The exact words; SDKs map them to their error types.
        reason: String,
    },
}

/// Why a [`Control`] was refused; nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// No such user.
    #[error("no user {0:?} in this world; make it first")]
    UnknownUser(String),
    /// A name or id that the protocol cannot carry, or that is taken.
    #[error("{what} {value:?}: {reason}")]
    BadValue {
        /// Which field.
        what: &'static str,
        /// What it held.
        value: String,
        /// What would do.
        reason: &'static str,
    },
    /// A fault for a device that is not connected.
    #[error("{0} has no connected device that this fault could hit")]
    NotConnected(String),
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            strict: false,
            one_device: false,
            serving: true,
            open_registration: true,
            message_bytes_max: 3_072,
            token_ttl_ms: 60 * 24 * 3_600_000,
        }
    }
}
