//! Webhooks: an app's own server is asked before a message is taken (rest.md B.9, the pre-send callback).
//!
//! Nothing here knows HTTP beyond a status and a body: the host makes the call and says what came back.

use bytes::Bytes;

use super::{Millis, Server};

/// A call of a world to an app's own server, until it has been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookAnswer {
    /// The app's server answered.
    Answered {
        /// The HTTP status.
        status: u16,
        /// The whole body.
        body: Bytes,
    },
    /// It did not in time.
    TimedOut,
    /// It could not be asked, or its answer could not be read: why.
    Failed(String),
}

impl Server {
    pub(super) fn webhook_answered(&mut self, _now: Millis, id: WebhookId, answer: WebhookAnswer) {
        self.warn(format!("{}: nobody waits for webhook {}: {answer:?}", self.app, id.0));
    }
}
