//! All that a world's machine was given, in order and with its time: enough to bring another machine of this build to
//! the same state, frame by frame. The [tape](crate::tape) shows what went over the wires; this is what it takes to
//! have it happen again.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::base64_bytes;
use crate::control::{Control, Settings};
use crate::machine::rest::Request;
use crate::machine::{ConnId, Millis, WebhookAnswer, WebhookId};
use crate::tape::Door;

/// One thing that a machine was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The world's clock.
    pub at: Millis,
    /// How many rows the tape had before it.
    pub row: usize,
    /// What it was.
    pub given: Given,
}

/// What a machine was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Given {
    /// The world was made: the first entry of every journal, and no other.
    Made {
        /// Its app key, `org#app`.
        app_key: String,
        /// The rules that it began with.
        settings: Box<Settings>,
        /// Its first message id.
        first_id: u64,
    },
    /// A socket was handed to the world.
    Opened {
        /// The connection.
        conn: ConnId,
        /// How it came in.
        door: Door,
    },
    /// A frame came.
    Frame {
        /// The connection.
        conn: ConnId,
        /// As it was, unwrapped.
        #[serde(with = "base64_bytes")]
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        bytes: Bytes,
    },
    /// A socket went.
    Closed {
        /// The connection.
        conn: ConnId,
        /// Who ended it, and how, in words.
        why: String,
    },
    /// A request came.
    Http {
        /// It, with its token and the headers that matter.
        request: Box<Request>,
        /// The bytes of its file, up to [`CONTENT_BYTES_MAX`] a world; `None`: it has none, or they were too many.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "base64_bytes::optional")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
        content: Option<Bytes>,
    },
    /// An app's own server answered, or did not.
    Webhook {
        /// What.
        id: WebhookId,
        /// What came of it.
        answer: WebhookAnswer,
    },
    /// A control command; whether it was refused, the machine says again.
    Control(Box<Control>),
    /// The clock was stopped at this moment, or moved while it stands still.
    Stopped(Millis),
    /// The clock was moved by so many ms.
    Advanced {
        /// How much.
        ms: u64,
    },
}

/// How many bytes of attachments a journal keeps: what scenarios send is far below it, and a world that is used for a
/// day must not hold all of them twice.
pub const CONTENT_BYTES_MAX: usize = 4 << 20;

/// A journal as it grows. One that has become too long is of no use, and is given up.
#[cfg(feature = "shell")]
#[derive(Debug)]
pub(crate) struct Journal {
    entries: Option<Vec<Entry>>,
    entries_max: usize,
    content_bytes: usize,
}

#[cfg(feature = "shell")]
impl Journal {
    pub(crate) fn new(entries_max: usize) -> Self {
        Self { entries: Some(Vec::new()), entries_max, content_bytes: 0 }
    }

    /// That of a world of which the beginning is not known.
    pub(crate) fn given_up(entries_max: usize) -> Self {
        Self { entries: None, entries_max, content_bytes: 0 }
    }

    /// One that goes on from here.
    pub(crate) fn resume(entries: Vec<Entry>, entries_max: usize) -> Self {
        let content = |entry: &Entry| match &entry.given {
            Given::Http { content, .. } => content.as_ref().map_or(0, Bytes::len),
            Given::Made { .. }
            | Given::Opened { .. }
            | Given::Frame { .. }
            | Given::Closed { .. }
            | Given::Webhook { .. }
            | Given::Control(_)
            | Given::Stopped(_)
            | Given::Advanced { .. } => 0,
        };
        let content_bytes = entries.iter().map(content).sum::<usize>().min(CONTENT_BYTES_MAX);
        let entries = (entries.len() <= entries_max).then_some(entries);
        Self { entries, entries_max, content_bytes }
    }

    pub(crate) fn note(&mut self, entry: Entry) {
        let Some(entries) = &mut self.entries else { return };
        if entries.len() == self.entries_max {
            self.entries = None;
            return;
        }
        entries.push(entry);
    }

    /// Whether so many bytes of an attachment may still be kept; they are counted then.
    pub(crate) fn takes(&mut self, bytes: u64) -> bool {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let fits = self.entries.is_some() && bytes <= CONTENT_BYTES_MAX - self.content_bytes;
        if fits {
            self.content_bytes += bytes;
        }
        fits
    }

    /// All of it; `None` when it has become too long.
    pub(crate) fn entries(&self) -> Option<&[Entry]> {
        self.entries.as_deref()
    }
}
