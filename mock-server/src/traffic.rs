//! A tape as people and tests read it: rows with their kind, their user, their bytes decoded and a line in words, and
//! questions that choose among them.
//!
//! No socket and no clock: it reads what is kept. Nothing is decoded before somebody asks for it.

mod frame;
mod line;
mod query;

use std::borrow::Cow;
use std::cell::OnceCell;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::decoded::{Kind, hex};
use crate::rule::{Held, RequestFields};
use crate::tape::{Direction, Door, Event, Row};
use frame::Decoded;
pub use query::{Condition, NearMiss, Question, Rows, Unasked};

/// A row of a tape, read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TrafficRow {
    /// Its number: the first row of a world has 0, and none is given twice.
    pub n: usize,
    /// The world's time, in ms since 1970.
    pub at_ms: u64,
    /// What it is.
    pub kind: Kind,
    /// The socket, numbered in its world; of requests there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conn: Option<u64>,
    /// Whose: of a socket the user that logged in on it, of a request the one of its token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The device, by the resource it logged in with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Of a frame, which way it went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// All of it in a short line, for people.
    pub line: String,
    /// How long the frame is, or the request's body with the answer's, in bytes.
    pub bytes: usize,
    /// Of a frame, its fields by their names in the schema, payloads within.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decoded: Option<Value>,
    /// Of a frame, its bytes in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hex: Option<String>,
    /// Of a socket that came, the way it came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub door: Option<Door>,
    /// Of a request, its method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Of a request, path and query after `/{org}/{app}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Of a request, the status of its answer; 0: the connection was reset instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// The request's body: the JSON that it is, or a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Value>,
    /// The answer's body, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Value>,
    /// The clauses that it offends, by their ids in the project's list of clauses.
    pub clauses: Vec<String>,
}

/// The answer of `GET …/traffic`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Traffic {
    /// How many rows the world has had, those that are forgotten among them.
    pub rows_ever: usize,
    /// The number of the oldest row that is kept.
    pub first: usize,
    /// The number of the last row that was looked at: `after=` this goes on. `null`: none was.
    pub last: Option<usize>,
    /// Those that were asked for.
    pub rows: Vec<TrafficRow>,
}

/// Who is behind a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Whose {
    pub(crate) user: String,
    pub(crate) device: String,
}

/// A row with what is known of it. It is decoded at most once, and only where somebody needs it.
pub(crate) struct Seen<'a> {
    number: usize,
    row: Cow<'a, Row>,
    whose: Option<&'a Whose>,
    offended: &'a [&'static str],
    decoded: OnceCell<Decoded>,
}

impl<'a> Seen<'a> {
    pub(crate) fn new(
        number: usize,
        row: Cow<'a, Row>,
        whose: Option<&'a Whose>,
        offended: &'a [&'static str],
    ) -> Self {
        Self { number, row, whose, offended, decoded: OnceCell::new() }
    }

    pub(crate) fn number(&self) -> usize {
        self.number
    }

    pub(crate) fn row(&self) -> &Row {
        &self.row
    }

    pub(crate) fn user(&self) -> Option<&str> {
        match &self.row.event {
            Event::Http { user, .. } => user.as_deref(),
            Event::LoggedIn { user, .. } => Some(user),
            Event::Opened { .. }
            | Event::Frame { .. }
            | Event::Muted { .. }
            | Event::Fault { .. }
            | Event::AtDoor { .. }
            | Event::Closed { .. } => self.whose.map(|whose| &*whose.user),
        }
    }

    pub(crate) fn device(&self) -> Option<&str> {
        match &self.row.event {
            Event::Http { .. } => None,
            Event::LoggedIn { resource, .. } => Some(resource),
            Event::Opened { .. }
            | Event::Frame { .. }
            | Event::Muted { .. }
            | Event::Fault { .. }
            | Event::AtDoor { .. }
            | Event::Closed { .. } => self.whose.map(|whose| &*whose.device),
        }
    }

    pub(crate) fn direction(&self) -> Option<Direction> {
        match &self.row.event {
            Event::Frame { direction, .. } => Some(*direction),
            Event::Opened { .. }
            | Event::LoggedIn { .. }
            | Event::Muted { .. }
            | Event::Fault { .. }
            | Event::AtDoor { .. }
            | Event::Closed { .. }
            | Event::Http { .. } => None,
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        match &self.row.event {
            Event::Frame { .. } => self.decoded().map_or(Kind::Unknown, Decoded::kind),
            Event::Opened { .. } => Kind::Opened,
            Event::LoggedIn { .. } => Kind::LoggedIn,
            Event::Muted { .. } => Kind::Muted,
            Event::Fault { .. } | Event::AtDoor { .. } => Kind::Fault,
            Event::Closed { .. } => Kind::Closed,
            // An upload's file is not in the row; what stands there for it says so.
            Event::Http { method, path, .. } if method == "POST" && path.starts_with("/chatfiles") => {
                Kind::Upload
            }
            Event::Http { .. } => Kind::Http,
        }
    }

    /// How many things of a kind are in it: itself, or messages of a page that goes down.
    pub(crate) fn count_of(&self, kind: Kind) -> usize {
        let messages = self
            .decoded()
            .map_or(0, |decoded| decoded.messages().iter().filter(|message| **message == kind).count());
        messages.max(usize::from(self.kind() == kind))
    }

    pub(crate) fn method(&self) -> Option<&str> {
        self.request().map(|(method, _, _)| method)
    }

    pub(crate) fn path(&self) -> Option<&str> {
        self.request().map(|(_, path, _)| path)
    }

    pub(crate) fn status(&self) -> Option<u16> {
        self.request().map(|(_, _, status)| status)
    }

    fn request(&self) -> Option<(&str, &str, u16)> {
        match &self.row.event {
            Event::Http { method, path, status, .. } => Some((method, path, *status)),
            Event::Opened { .. }
            | Event::LoggedIn { .. }
            | Event::Frame { .. }
            | Event::Muted { .. }
            | Event::Fault { .. }
            | Event::AtDoor { .. }
            | Event::Closed { .. } => None,
        }
    }

    pub(crate) fn clauses(&self) -> &'a [&'static str] {
        self.offended
    }

    /// Of a frame, its fields.
    pub(crate) fn decoded(&self) -> Option<&Decoded> {
        let Event::Frame { bytes, direction, .. } = &self.row.event else { return None };
        Some(self.decoded.get_or_init(|| Decoded::read(bytes, *direction)))
    }

    /// What conditions look at; of what is neither frame nor request there is nothing.
    pub(crate) fn held(&self) -> Option<Held<'_>> {
        if let Event::Http { path, body, status, answer, .. } = &self.row.event {
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            return Some(Held::Request(RequestFields { path, query, body, answer: Some((*status, answer)) }));
        }
        self.decoded().map(|decoded| Held::Frame(decoded.frame()))
    }

    pub(crate) fn line(&self) -> String {
        line::line(self)
    }

    /// Whether it holds this text, which is in lower case, in whatever case.
    pub(crate) fn holds(&self, text: &str) -> bool {
        let in_bytes = |bytes: &Bytes| match serde_json::from_slice::<Value>(bytes) {
            Ok(json) => holds(&json, text),
            Err(_) => String::from_utf8_lossy(bytes).to_lowercase().contains(text),
        };
        let held = match &self.row.event {
            Event::Frame { .. } => self.decoded().is_some_and(|decoded| decoded.holds(text)),
            Event::Http { body, answer, .. } => in_bytes(body) || in_bytes(answer),
            Event::Opened { .. }
            | Event::LoggedIn { .. }
            | Event::Muted { .. }
            | Event::Fault { .. }
            | Event::AtDoor { .. }
            | Event::Closed { .. } => false,
        };
        held || self.line().to_lowercase().contains(text)
    }
}

impl TrafficRow {
    pub(crate) fn of(seen: &Seen<'_>) -> Self {
        let Row { at, event } = &*seen.row;
        let mut row = Self {
            n: seen.number,
            at_ms: at.0,
            kind: seen.kind(),
            conn: event.conn().map(|conn| conn.0),
            user: seen.user().map(str::to_owned),
            device: seen.device().map(str::to_owned),
            direction: seen.direction(),
            line: seen.line(),
            bytes: 0,
            decoded: seen.decoded().map(Decoded::json),
            hex: None,
            door: None,
            method: None,
            path: None,
            status: None,
            request: None,
            response: None,
            clauses: seen.clauses().iter().map(|&clause| clause.to_owned()).collect(),
        };
        match event {
            Event::Frame { bytes, .. } => {
                row.bytes = bytes.len();
                row.hex = Some(hex(bytes));
            }
            Event::Http { method, path, status, body, answer, .. } => {
                row.bytes = body.len() + answer.len();
                row.method = Some(method.clone());
                row.path = Some(path.clone());
                row.status = Some(*status);
                row.request = told(body);
                row.response = told(answer);
            }
            Event::Opened { door, .. } => row.door = Some(*door),
            Event::LoggedIn { .. }
            | Event::Muted { .. }
            | Event::Fault { .. }
            | Event::AtDoor { .. }
            | Event::Closed { .. } => {}
        }
        row
    }
}

/// A body as JSON, or as the text that it is; nothing of an empty one.
fn told(body: &Bytes) -> Option<Value> {
    if body.is_empty() {
        return None;
    }
    let json = serde_json::from_slice(body);
    Some(json.unwrap_or_else(|_| String::from_utf8_lossy(body).into_owned().into()))
}

/// Whether a string, number or name within holds the text, which is in lower case.
fn holds(json: &Value, text: &str) -> bool {
    match json {
        Value::Null => false,
        Value::Bool(bool) => bool.to_string().contains(text),
        Value::Number(number) => number.to_string().contains(text),
        Value::String(string) => string.to_lowercase().contains(text),
        Value::Array(items) => items.iter().any(|item| holds(item, text)),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| name.to_lowercase().contains(text) || holds(value, text))
        }
    }
}
