//! All that a world's machine was given, in order and with its time: enough to bring another machine of this build to
//! the same state, frame by frame. The [tape](crate::tape) shows what went over the wires; this is what it takes to
//! have it happen again.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::base64_bytes;
use crate::control::{Control, Settings};
use crate::machine::rest::Request;
use crate::machine::{ConnId, Millis, WebhookAnswer, WebhookId};
use crate::tape::{Deed, Door};

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
        /// What decided wherever chance does.
        #[serde(default)]
        seed: u64,
        /// The seed of nasty mode, if it was on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        nasty: Option<u64>,
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
    /// A door fault befell somebody on the world's own path. The machine learns nothing of it; the tape tells.
    AtDoor {
        /// As on the tape.
        fault: u64,
        /// As there.
        deed: Deed,
        /// As there.
        text: String,
    },
    /// Something was due of itself.
    Timeout,
    /// A control command; whether it was refused, the machine says again.
    Control(Box<Control>),
    /// The clock was stopped at this moment, or moved while it stands still.
    Stopped(Millis),
    /// The clock goes on by itself from here.
    Running,
    /// The clock was moved by so many ms.
    Advanced {
        /// How much.
        ms: u64,
    },
}

/// How many bytes of attachments a journal keeps: what scenarios send is far below it, and a world that is used for a
/// day must not hold all of them twice.
pub const CONTENT_BYTES_MAX: usize = 4 << 20;

/// Why what a machine was given is not known.
#[cfg(feature = "shell")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoJournal {
    /// The tape was begun in the middle of the world's life.
    #[error(
        "the tape was begun when the world was there already, so what it was given before is not known; a world made \
         anew with tape_rows_max keeps all"
    )]
    BegunLate,
    /// Something of it had to make room.
    #[error(
        "the tape has forgotten its beginning, so what the world was given is not known as a whole; make the world anew \
         with a larger tape_rows_max, or start the server with more rows: --journal ROWS"
    )]
    TooMuch,
    /// The world was put aside for another one.
    #[error(
        "a state was put in the place of the world, which no journal tells of; a world made anew with tape_rows_max \
         keeps all"
    )]
    Placed,
}

/// A journal as it grows. One that has become too long is of no use, and is given up.
#[cfg(feature = "shell")]
#[derive(Debug)]
pub(crate) struct Journal {
    entries: Result<Vec<Entry>, NoJournal>,
    entries_max: usize,
    content_bytes: usize,
    bytes: usize,
}

#[cfg(feature = "shell")]
impl Journal {
    pub(crate) fn new(entries_max: usize) -> Self {
        Self { entries: Ok(Vec::new()), entries_max, content_bytes: 0, bytes: 0 }
    }

    /// That of a world of which the beginning is not known.
    pub(crate) fn begun_late() -> Self {
        Self { entries: Err(NoJournal::BegunLate), entries_max: 0, content_bytes: 0, bytes: 0 }
    }

    /// One that goes on from here.
    pub(crate) fn resume(entries: Vec<Entry>, entries_max: usize) -> Self {
        let mut journal = Self::new(entries_max);
        for entry in entries {
            if let Given::Http { content: Some(content), .. } = &entry.given {
                journal.content_bytes =
                    journal.content_bytes.saturating_add(content.len()).min(CONTENT_BYTES_MAX);
            }
            journal.note(entry);
        }
        journal
    }

    pub(crate) fn note(&mut self, entry: Entry) {
        let Ok(entries) = &mut self.entries else { return };
        if entries.len() == self.entries_max {
            return self.give_up(NoJournal::TooMuch);
        }
        self.bytes += size_of::<Entry>() + entry.given.own_bytes();
        entries.push(entry);
    }

    /// Forgets it all, for this reason.
    pub(crate) fn give_up(&mut self, why: NoJournal) {
        if self.entries.is_ok() {
            self.entries = Err(why);
            self.bytes = 0;
        }
    }

    /// Whether so many bytes of an attachment may still be kept; they are counted then.
    pub(crate) fn takes(&mut self, bytes: u64) -> bool {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let fits = self.entries.is_ok() && bytes <= CONTENT_BYTES_MAX - self.content_bytes;
        if fits {
            self.content_bytes += bytes;
        }
        fits
    }

    /// All of it, or why that is not known.
    pub(crate) fn entries(&self) -> Result<&[Entry], NoJournal> {
        self.entries.as_deref().map_err(|why| *why)
    }

    /// What it weighs; nothing when it is given up.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(feature = "shell")]
impl Given {
    /// What it takes that no row of the tape counts: a frame's bytes are the row's, and a request's body too.
    fn own_bytes(&self) -> usize {
        match self {
            Self::Made { .. } => size_of::<Settings>(),
            Self::Closed { why, .. } => why.len(),
            Self::AtDoor { text, .. } => text.len(),
            Self::Http { request, content } => {
                let Request { base, path, query, token, .. } = &**request;
                let words = [base, path, query].into_iter().chain(token).map(String::len).sum::<usize>();
                size_of::<Request>() + words + content.as_ref().map_or(0, Bytes::len)
            }
            // A command is text for the most part, so its JSON is about as long. Commands are rare.
            Self::Control(control) => {
                size_of::<Control>() + serde_json::to_vec(control).map_or(0, |json| json.len())
            }
            Self::Webhook { answer: WebhookAnswer::Answered { body, .. }, .. } => body.len(),
            Self::Webhook { answer: WebhookAnswer::Failed(why), .. } => why.len(),
            Self::Webhook { answer: WebhookAnswer::TimedOut, .. }
            | Self::Opened { .. }
            | Self::Frame { .. }
            | Self::Timeout
            | Self::Stopped(_)
            | Self::Running
            | Self::Advanced { .. } => 0,
        }
    }
}
