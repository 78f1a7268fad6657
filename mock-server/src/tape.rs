//! The record of what went over one world's wires: every frame and request, in the order the machine saw them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::base64_bytes;
use crate::machine::rest::{Body, Request, Response};
use crate::machine::{ConnId, Millis, Upload};

/// Which way a frame went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client.
    Up,
    /// To the client.
    Down,
}

/// The way a socket came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Door {
    /// `/ws/{server}/{session}/websocket`: base64 in JSON in text messages (3.x, 4.0.1).
    SockJs,
    /// `/websocket`: one frame a binary message (4.x).
    WebSocket,
}

/// How many rows a tape has had so far, those that made room for others among them: for whoever wants to know where on
/// it something belongs, without asking the server's thread or copying the tape.
#[derive(Clone, Debug, Default)]
pub struct TapeLength(Arc<AtomicUsize>);

impl TapeLength {
    /// The number by now.
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    /// One row more.
    pub fn count(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }
}

/// One row of a tape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The world's clock.
    pub at: Millis,
    /// What happened.
    pub event: Event,
}

/// What a row tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", schemars(rename = "TapeEvent"))]
pub enum Event {
    /// A socket was handed to this world, by the first frame it sent.
    Opened {
        /// The connection.
        conn: ConnId,
        /// How it came in.
        door: Door,
    },
    /// The connection logged in; rows before it belong to the same lane.
    LoggedIn {
        /// The connection.
        conn: ConnId,
        /// The user, folded.
        user: String,
        /// The device.
        resource: String,
    },
    /// One frame, its bytes after the door's unwrapping.
    Frame {
        /// The connection.
        conn: ConnId,
        /// Which way.
        direction: Direction,
        /// As they were on the wire.
        #[serde(with = "base64_bytes")]
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        bytes: Bytes,
    },
    /// The server fell mute on the connection: what it sends from here on is read by nobody, and not on the tape.
    Muted {
        /// The connection.
        conn: ConnId,
    },
    /// A rule did something. A frame from the server that it damaged is the next one down of the connection.
    Fault {
        /// To whose frame; of a request none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conn: Option<ConnId>,
        /// The rule's number in its world.
        rule: u64,
        /// What.
        deed: Deed,
        /// The same in words.
        text: String,
    },
    /// A door fault befell somebody who tried to come in by the world's own path: no connection of the world yet, and
    /// nobody that it knows.
    AtDoor {
        /// The fault's number in its world.
        fault: u64,
        /// What.
        deed: Deed,
        /// The same in words.
        text: String,
    },
    /// The connection is gone.
    Closed {
        /// The connection.
        conn: ConnId,
        /// Who ended it, and how, in words.
        why: String,
    },
    /// A REST request and its answer.
    Http {
        /// The method.
        method: String,
        /// Path and query, after `/{org}/{app}`.
        path: String,
        /// Whose token it carried, if it is a known one.
        user: Option<String>,
        /// The request body.
        #[serde(with = "base64_bytes")]
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        body: Bytes,
        /// The answer's status.
        status: u16,
        /// The answer's body.
        #[serde(with = "base64_bytes")]
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        answer: Bytes,
    },
}

/// What a rule does to a frame or request, or a door fault to a try at a door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Deed {
    /// It is lost.
    Dropped,
    /// It is late.
    Delayed,
    /// It goes twice.
    Doubled,
    /// It is held until another goes.
    Held,
    /// It is held no longer.
    Released,
    /// It is not what its sender wrote.
    Damaged,
    /// It has no effect and is answered.
    Answered,
    /// It is lost, and its connection ends or falls silent.
    Ended,
}

/// More findings than this tell nobody more.
pub(crate) const FINDINGS_MAX: usize = 1_000;

impl Event {
    /// The connection that it is about.
    pub fn conn(&self) -> Option<ConnId> {
        match self {
            Self::Opened { conn, .. }
            | Self::LoggedIn { conn, .. }
            | Self::Frame { conn, .. }
            | Self::Muted { conn }
            | Self::Closed { conn, .. } => Some(*conn),
            Self::Fault { conn, .. } => *conn,
            Self::Http { .. } | Self::AtDoor { .. } => None,
        }
    }

    /// What strangers can make long in it, in bytes.
    pub(crate) fn long_bytes(&self) -> usize {
        match self {
            Self::Frame { bytes, .. } => bytes.len(),
            Self::Http { method, path, user, body, answer, .. } => {
                method.len() + path.len() + user.as_ref().map_or(0, String::len) + body.len() + answer.len()
            }
            Self::Closed { why, .. } => why.len(),
            Self::LoggedIn { user, resource, .. } => user.len() + resource.len(),
            Self::Fault { text, .. } | Self::AtDoor { text, .. } => text.len(),
            Self::Opened { .. } | Self::Muted { .. } => 0,
        }
    }

    /// A request with its answer. `user` is whose token it carried.
    pub(crate) fn asked(request: &Request, user: Option<&str>, response: &Response) -> Self {
        let Request { method, path, query, body, upload, .. } = request;
        Self::Http {
            method: method.word().to_uppercase(),
            path: if query.is_empty() { path.clone() } else { format!("{path}?{query}") },
            user: user.map(str::to_owned),
            body: upload.as_ref().map_or_else(|| body.clone(), shown_upload),
            status: response.status,
            answer: shown(&response.body),
        }
    }
}

/// An upload as the tape shows it: a JSON object that says what came.
fn shown_upload(upload: &Upload) -> Bytes {
    let told = match upload {
        Upload::File { name, media_type, bytes, fields, .. } => {
            json!({ "file": name, "media_type": media_type, "bytes": bytes, "fields": fields })
        }
        Upload::TooLarge => json!({ "too_large": true }),
        Upload::Bad(why) | Upload::Lost(why) => json!({ "bad": why }),
    };
    told.to_string().into()
}

/// An answer as the tape shows it: of what is not JSON, a JSON object that says what it was.
fn shown(body: &Body) -> Bytes {
    let told = match body {
        Body::Json(json) => return json.clone(),
        Body::Text(text) => json!({ "text": String::from_utf8_lossy(text) }),
        Body::Blob { media_type, name, .. } => json!({ "file": name, "media_type": media_type }),
        Body::Reset => json!({ "reset": true }),
        Body::Cut => json!({ "cut": true }),
    };
    told.to_string().into()
}
