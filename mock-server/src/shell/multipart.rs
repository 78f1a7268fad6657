//! An upload's body: its file goes into the server's keeping as it comes, its other parts into a map.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use http_body_util::BodyDataStream;
use hyper::body::Incoming;
use multer::{Constraints, Field, Multipart, SizeLimit};
use tokio::time::timeout;

use super::blobs::{Blobs, Draft, Unkept};
use super::world::Pace;
use crate::machine::Upload;

/// As long as 4.x waits for an upload to end (rest.md 0.9).
const UPLOAD_WITHIN: Duration = Duration::from_secs(300);
/// What may stand around a file: boundaries, the heads of parts, and short texts.
const AROUND_BYTES_MAX: u64 = 64 * 1024;
/// 4.x sends two texts beside the file (rest.md A.4).
const FIELDS_MAX: usize = 16;
const FIELD_BYTES_MAX: usize = 1024;
/// The longest that file systems take.
const NAME_BYTES_MAX: usize = 255;

/// What is known of a multipart body before it is read.
pub(super) struct Expected<'a> {
    pub(super) content_type: Option<&'a str>,
    /// The part that is the file.
    pub(super) file_part: &'a str,
    /// How many bytes of it are kept at most.
    pub(super) bytes_max: u64,
    /// How much is read on of a body that is not kept.
    pub(super) discarded_bytes_max: u64,
}

/// Reads a multipart body, its file into `blobs`, no faster than `pace`. Of one that is too large or makes no sense it reads
/// on and keeps nothing.
pub(super) async fn read(
    body: &mut Incoming,
    expected: Expected<'_>,
    blobs: &Blobs,
    pace: Option<&Pace<'_>>,
) -> Upload {
    let Expected { content_type, file_part, bytes_max, discarded_bytes_max } = expected;
    let Some(boundary) = content_type.and_then(|content_type| multer::parse_boundary(content_type).ok())
    else {
        return Upload::Bad("Content-Type is not multipart/form-data with a boundary".into());
    };
    let whole = bytes_max.saturating_add(AROUND_BYTES_MAX).saturating_add(discarded_bytes_max);
    let limits = Constraints::new().size_limit(SizeLimit::new().whole_stream(whole));
    let unparsed = Arc::default();
    let stream = Metered { body: BodyDataStream::new(body), pauses: false, unparsed: Arc::clone(&unparsed) };
    let multipart = Multipart::with_constraints(stream, boundary, limits);
    let mut upload =
        Parts { file_part, blobs, pace, bytes_max, unparsed, file: None, fields: BTreeMap::new() };
    match timeout(UPLOAD_WITHIN, upload.read(multipart)).await {
        Ok(Ok(())) => upload.finish(),
        Ok(Err(Refused::Upload(refused))) => refused,
        Ok(Err(Refused::Body(multer::Error::StreamSizeExceeded { .. }))) => Upload::TooLarge,
        Ok(Err(Refused::Body(error))) => Upload::Bad(broken(&error)),
        Err(_) => Upload::Bad(format!("the body did not come within {} s", UPLOAD_WITHIN.as_secs())),
    }
}

struct Parts<'a> {
    /// The name of the part that is the file.
    file_part: &'a str,
    blobs: &'a Blobs,
    pace: Option<&'a Pace<'a>>,
    bytes_max: u64,
    /// As in [`Metered`].
    unparsed: Arc<AtomicU64>,
    file: Option<FilePart<'a>>,
    fields: BTreeMap<String, String>,
}

struct FilePart<'a> {
    name: String,
    media_type: String,
    content: Result<Draft<'a>, Unkept>,
}

/// A body in such pieces as multer bears: it takes in all that is ready before it looks at any of it, and looks for
/// the end of a part's head for as long as bytes come, again and again through all of them. So there is a pause
/// behind each piece, and an error when too much came without making sense.
struct Metered<'a> {
    body: BodyDataStream<&'a mut Incoming>,
    /// A piece was just given.
    pauses: bool,
    /// How many bytes came since multer last found something in them.
    unparsed: Arc<AtomicU64>,
}

impl Stream for Metered<'_> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if std::mem::take(&mut self.pauses) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.unparsed.load(Ordering::Relaxed) > AROUND_BYTES_MAX {
            let why = format!("the head of a part holds at most {AROUND_BYTES_MAX} bytes");
            return Poll::Ready(Some(Err(io::Error::other(why))));
        }
        let next = Pin::new(&mut self.body).poll_next(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &next {
            self.unparsed.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            self.pauses = true;
        }
        next.map_err(io::Error::other)
    }
}

enum Refused {
    Upload(Upload),
    Body(multer::Error),
}

impl From<multer::Error> for Refused {
    fn from(error: multer::Error) -> Self {
        Self::Body(error)
    }
}

impl Parts<'_> {
    async fn read(&mut self, mut multipart: Multipart<'_>) -> Result<(), Refused> {
        while let Some(part) = multipart.next_field().await? {
            if part.name() == Some(self.file_part) && self.file.is_none() {
                self.file(part).await?;
            } else {
                self.field(part).await?;
            }
        }
        Ok(())
    }

    async fn file(&mut self, mut part: Field<'_>) -> Result<(), Refused> {
        self.unparsed.store(0, Ordering::Relaxed);
        let name = part.file_name().unwrap_or("file").to_owned();
        if name.len() > NAME_BYTES_MAX {
            let why = format!("the file's name holds at most {NAME_BYTES_MAX} bytes");
            return Err(Refused::Upload(Upload::Bad(why)));
        }
        let media_type = part.content_type().map(ToString::to_string).unwrap_or_default();
        let (mut content, mut bytes) = (Ok(self.blobs.draft()), 0);
        while let Some(chunk) = part.chunk().await? {
            self.unparsed.store(0, Ordering::Relaxed);
            bytes += chunk.len() as u64;
            if let Some(pace) = self.pace {
                pace.keep(bytes).await;
            }
            if let Ok(draft) = &mut content {
                let fits = draft.bytes() + chunk.len() as u64 <= self.bytes_max;
                let written = if fits { draft.write(&chunk) } else { Err(Unkept::TooLarge) };
                // Read to its end all the same: a peer that is still writing may lose the answer.
                if let Err(unkept) = written {
                    content = Err(unkept);
                }
            }
        }
        self.file = Some(FilePart { name, media_type, content });
        Ok(())
    }

    async fn field(&mut self, mut part: Field<'_>) -> Result<(), Refused> {
        let too_much = || {
            let why = format!("beside the file, {FIELDS_MAX} parts of {FIELD_BYTES_MAX} bytes are taken");
            Refused::Upload(Upload::Bad(why))
        };
        self.unparsed.store(0, Ordering::Relaxed);
        let name = part.name().unwrap_or_default().to_owned();
        let mut text = Vec::new();
        while let Some(chunk) = part.chunk().await? {
            text.extend_from_slice(&chunk);
            if text.len() > FIELD_BYTES_MAX {
                return Err(too_much());
            }
        }
        if name.len() > FIELD_BYTES_MAX || self.fields.len() == FIELDS_MAX {
            return Err(too_much());
        }
        self.fields.insert(name, String::from_utf8_lossy(&text).into_owned());
        Ok(())
    }

    fn finish(self) -> Upload {
        let Some(FilePart { name, media_type, content }) = self.file else {
            return Upload::Bad(format!("no part of the body is named {}", self.file_part));
        };
        match content {
            Ok(draft) => {
                let bytes = draft.bytes();
                Upload::File { blob: draft.keep(), name, media_type, bytes, fields: self.fields }
            }
            Err(Unkept::TooLarge) => Upload::TooLarge,
            Err(Unkept::Disk(error)) => {
                tracing::warn!("an attachment cannot be kept in the temporary directory: {error}");
                Upload::Lost(format!("the server's temporary directory takes no more: {error}"))
            }
        }
    }
}

/// An error with what it comes from: multer's own words stop before that.
fn broken(error: &multer::Error) -> String {
    let cause = std::error::Error::source(error).map_or_else(String::new, |cause| format!(": {cause}"));
    format!("the multipart body makes no sense: {error}{cause}")
}
