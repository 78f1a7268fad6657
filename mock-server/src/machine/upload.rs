//! Attachments as the machine knows them: whose they are, what opens them, and under which number the host keeps
//! their bytes. It never sees those bytes.

use std::collections::BTreeMap;

/// Bytes that the host keeps for a world; it never uses a number twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub u64);

/// What became of a multipart body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upload {
    /// The file of its `file` part, and the text of its other parts.
    File {
        /// Where the bytes are. From here on the machine says when they may go.
        blob: BlobId,
        /// As the client named it.
        name: String,
        /// As the client called its kind; empty when it did not.
        media_type: String,
        /// How many.
        bytes: u64,
        /// Such as `thumbnail-width` of 4.x (rest.md A.4).
        fields: BTreeMap<String, String>,
    },
    /// More bytes than the world takes; none were kept.
    TooLarge,
    /// Not a multipart body with a file, and why.
    Bad(String),
    /// The host could not keep it, and why.
    Lost(String),
}
