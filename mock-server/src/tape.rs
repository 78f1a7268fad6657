//! The record of what went over one world's wires: every frame and request, in the order the machine saw them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::base64_bytes;
use crate::machine::{ConnId, Millis};

/// Which way a frame went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the client.
    Up,
    /// To the client.
    Down,
}

/// The way a socket came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The world's clock.
    pub at: Millis,
    /// What happened.
    pub event: Event,
}

/// What a row tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
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
        bytes: Bytes,
    },
    /// The server fell mute on the connection: what it sends from here on is read by nobody, and not on the tape.
    Muted {
        /// The connection.
        conn: ConnId,
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
        body: Bytes,
        /// The answer's status.
        status: u16,
        /// The answer's body.
        #[serde(with = "base64_bytes")]
        answer: Bytes,
    },
}
