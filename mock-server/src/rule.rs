//! A rule: what goes wrong, for which frame or request, in one line of text or as JSON of the same content.
//!
//! Pure. It says what is meant and whether that makes sense; `machine` has it happen. docs/stage.md is the guide.

mod check;
mod conditions;
mod display;
mod json;
mod matching;
mod parse;
mod words;

use serde::{Deserialize, Serialize};

use crate::decoded::Kind;
use crate::machine::rest::Method;
pub use check::RuleError;
pub use conditions::Conditions;
pub(crate) use conditions::{Among, Held, RequestFields};
pub(crate) use display::Duration;
pub(crate) use matching::{Asked, Draw};

/// A rule that makes sense. `Display` is its canonical text, which parses to the same rule; as JSON it is that text, and
/// read from JSON it may also be an object of [`Parts`].
#[derive(Clone, Debug, PartialEq)]
pub struct Rule(Parts);

/// What a rule says, word by word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "RuleParts"))]
pub struct Parts {
    /// Which of those that fit.
    pub which: Which,
    /// What fits.
    pub what: What,
    /// Whose frames or requests, on their way to the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Party>,
    /// Whose frames or answers, on their way from the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Party>,
    /// What has to be so, all of it.
    #[serde(default, rename = "where", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// How often it acts at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// For how long it acts, in ms of the world's time since it was armed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within_ms: Option<u64>,
    /// From when on it looks at anything, in ms of the world's time since it was armed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<u64>,
    /// How probable it is, from 0 to 1, that it acts on one that fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// What decides by that probability, in place of the world's seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What it does, in order.
    #[serde(rename = "do")]
    pub actions: Vec<Action>,
}

/// Which of those that fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The first so many.
    Next(u32),
    /// That one alone, counted from 1.
    Nth(u32),
    /// Each so manyth; 1: all.
    Every(u32),
}

/// What a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Frames of one command.
    Command(Command),
    /// Frames of one kind.
    Kind(Kind),
    /// Whatever a client sends with a meta.
    Message,
    /// Any frame.
    Frame,
    /// Requests.
    Request {
        /// Those of this method alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        method: Option<Method>,
        /// Those with this in their path, behind `/{org}/{app}`; empty: any.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        path: String,
    },
    /// Requests that bring a file.
    Upload {
        /// As of any other request.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        path: String,
    },
}

/// The commands of frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "schema", schemars(rename = "FrameCommand"))]
#[expect(missing_docs, reason = "the words of the protocol")]
pub enum Command {
    Sync,
    Unread,
    Notice,
    Provision,
    Logout,
}

/// Whose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The user; left out: anyone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The device, by the resource that it logged in with; left out: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
}

/// What has to be so of one field. Of a field that is repeated, it is enough that it is so of one of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Names with dots between them.
    pub path: String,
    /// What has to be so.
    pub test: Test,
}

/// What has to be so of a field's value. Only the last two hold or fail by whether it is there; the others never hold of
/// a field that is not there, but for `is_not`, which always does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// `==`
    Is(Literal),
    /// `!=`
    IsNot(Literal),
    /// `<`
    Below(Literal),
    /// `>`
    Above(Literal),
    /// `<=`
    AtMost(Literal),
    /// `>=`
    AtLeast(Literal),
    /// `contains`, of texts.
    Contains(Literal),
    /// `exists`
    Exists,
    /// `is absent`
    Absent,
}

/// What a field is held against.
#[derive(Clone, Debug, PartialEq)]
pub enum Literal {
    /// `true` and `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other.
    Decimal(f64),
    /// A text, or the name of an enum's value.
    Text(String),
}

/// What a rule does to what it meets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// It is lost.
    Drop,
    /// It is late; what follows it in its direction on its connection waits behind it.
    Delay {
        /// By how much.
        ms: u64,
    },
    /// It goes twice.
    Duplicate,
    /// It goes behind the next frame of its connection that the rule would fit.
    HoldUntilNext,
    /// So many bytes of its end are lost.
    Truncate {
        /// How many.
        bytes: u32,
    },
    /// One bit is another than it was.
    FlipBit {
        /// Which: 0 is the lowest of the first byte; past the end it is counted on from the beginning.
        bit: u32,
    },
    /// It has no effect and is answered with this status.
    AnswerStatus {
        /// The number of a `Status.ErrorCode`.
        code: i32,
        /// The exact words; SDKs map them to their error types.
        #[serde(default)]
        reason: String,
    },
    /// It has no effect and is answered with this.
    AnswerHttp {
        /// 200 to 599.
        status: u16,
        /// The whole body: JSON, which is sent as such, or any other text.
        #[serde(default)]
        body: String,
    },
    /// It is lost, and the connection closed with a close frame.
    Close {
        /// The close code.
        code: u16,
    },
    /// It is lost, and the connection ended without a close frame.
    Cut,
    /// It is lost, and the connection reset.
    Reset,
    /// It is lost, and so is all that follows on its connection, either way; the connection stays open.
    GoSilent,
}

/// Which way something goes that a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// To the server.
    Up,
    /// From the server.
    Down,
}

impl Rule {
    /// What it says.
    pub fn parts(&self) -> &Parts {
        &self.0
    }

    /// Which way that goes which it looks at.
    pub(crate) fn side(&self) -> Side {
        self.0.side().expect("a rule has been checked")
    }

    /// Whether it is about requests.
    pub(crate) fn is_of_requests(&self) -> bool {
        self.0.what.is_request()
    }
}

impl What {
    fn is_request(&self) -> bool {
        match self {
            Self::Request { .. } | Self::Upload { .. } => true,
            Self::Command(_) | Self::Kind(_) | Self::Message | Self::Frame => false,
        }
    }
}

#[cfg(test)]
mod tests;
