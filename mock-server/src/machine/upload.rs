//! Attachments as the machine knows them: whose they are, what opens them, and under which number the host keeps
//! their bytes. It never sees those bytes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::account::{Caller, UserIx};
use super::{Map, Millis, Output, Server, Set};

/// Bytes that the host keeps for a world; it never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BlobId(pub u64);

/// What became of a multipart body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Upload {
    /// The file of its [`file_part`](super::rest::file_part), and the text of its other parts. The host keeps the bytes until
    /// [`Output::ForgetBlob`], which comes at once when the call is refused.
    File {
        /// Where the bytes are.
        blob: BlobId,
        /// As the client named it.
        name: String,
        /// As the client called its kind; empty when it did not.
        media_type: String,
        /// How many.
        bytes: u64,
        /// Such as `thumbnail-width` of 4.x (rest.md A.4), and `part_number` (A.4.2).
        fields: BTreeMap<String, String>,
    },
    /// More bytes than the world or the host takes; none were kept.
    TooLarge,
    /// Not a multipart body with a file, and why.
    Bad(String),
    /// The host could not keep it, and why.
    Lost(String),
}

/// The attachments of a world.
#[derive(Clone, Debug, Default)]
pub(super) struct Attachments {
    /// By uuid, oldest first.
    pub(super) files: Map<Box<str>, Attachment>,
    /// Every blob that the world keeps, of whichever family of calls.
    pub(super) kept: Set<BlobId>,
    pub(super) made: u64,
}

/// A file of `/chatfiles`.
#[derive(Clone, Debug)]
pub(super) struct Attachment {
    pub(super) blob: BlobId,
    pub(super) name: String,
    pub(super) media_type: String,
    /// What opens it; `None`: everybody's token does.
    pub(super) secret: Option<Box<str>>,
}

/// A world of a long test day; each costs some 300 bytes beside its blob, which the host bounds by itself.
const ATTACHMENTS_MAX: usize = 10_000;

impl Attachments {
    pub(super) fn find(&self, uuid: &str) -> Option<&Attachment> {
        self.files.get(uuid)
    }

    /// A number that no attachment of this world had before.
    pub(super) fn next_number(&mut self) -> u64 {
        self.made += 1;
        self.made
    }
}

impl Server {
    /// How many bytes of a file are worth keeping that comes with this token; `None`: none, since the call will be
    /// refused.
    pub fn upload_bytes_max(&self, now: Millis, token: Option<&str>) -> Option<u64> {
        self.accounts.bearer(now, token?).ok().map(|_| self.settings.attachment_bytes_max)
    }

    /// How many bytes a second of an upload with this token the server reads, if that is staged ([`Fault::SlowUploads`]).
    ///
    /// [`Fault::SlowUploads`]: crate::control::Fault::SlowUploads
    pub fn take_upload_rate(&mut self, now: Millis, token: Option<&str>) -> Option<u64> {
        match self.accounts.bearer(now, token?).ok()? {
            Caller::User(user) => self.faults.take_slow_upload(user),
            Caller::App => None,
        }
    }

    pub(super) fn add_attachment(&mut self, uuid: &str, attachment: Attachment) {
        self.keep_blob(attachment.blob);
        self.attachments.files.insert(uuid.into(), attachment);
        if self.attachments.files.len() > ATTACHMENTS_MAX
            && let Some((uuid, oldest)) = self.attachments.files.shift_remove_index(0)
        {
            self.let_go(oldest.blob);
            self.warn(format!(
                "{}: attachment {uuid} ({:?}) is forgotten: {ATTACHMENTS_MAX} newer ones are kept",
                self.app, oldest.name
            ));
        }
    }

    /// Holds on to the blob of an upload; one that nobody holds on to is forgotten as soon as its call is answered.
    pub(super) fn keep_blob(&mut self, blob: BlobId) {
        self.attachments.kept.insert(blob);
    }

    /// Lets go of a blob, kept or just come.
    pub(super) fn let_go(&mut self, blob: BlobId) {
        self.attachments.kept.swap_remove(&blob);
        self.outputs.push_back(Output::ForgetBlob(blob));
    }

    /// A blob whose bytes are part of another one by now.
    pub(super) fn joined_blob(&mut self, blob: BlobId) {
        self.attachments.kept.swap_remove(&blob);
    }

    /// What becomes of an upload when its call has been answered.
    pub(super) fn settle_upload(&mut self, upload: &Upload) {
        match upload {
            Upload::File { blob, .. } if !self.attachments.kept.contains(blob) => self.let_go(*blob),
            Upload::File { .. } | Upload::TooLarge | Upload::Bad(_) | Upload::Lost(_) => {}
        }
    }

    /// Whether this upload of the user is to meet a reset connection; the fault is used up.
    pub(super) fn resets_upload(&mut self, user: UserIx) -> bool {
        self.faults.take_upload(user)
    }
}
