//! What an HTTP answer carries: some JSON, or a file or a part of one, which is read as it is sent.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response as HttpResponse, StatusCode};
use tokio::sync::mpsc::Receiver;

use super::blobs::Blob;
use crate::machine::rest::{Failure, refused};
use crate::machine::{Millis, rest};

pub(super) type Answer = HttpResponse<Content>;

/// The body of an answer.
pub(super) enum Content {
    /// At hand as a whole.
    Whole(Bytes),
    /// These bytes of a file.
    Part { blob: Rc<Blob>, range: Range<u64> },
    /// Whatever comes, until nobody sends any more.
    Stream(Receiver<Bytes>),
}

/// What a `Range` header asks for (RFC 9110 §14.2).
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// All of it: no header, or one that may be ignored.
    Whole,
    Part(Range<u64>),
    /// Nothing that there is.
    Nothing,
}

impl Content {
    pub(super) fn empty() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let frame = match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => return Poll::Ready(None),
            Self::Whole(bytes) => Ok(Frame::data(std::mem::take(bytes))),
            Self::Stream(chunks) => {
                return chunks.poll_recv(cx).map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))));
            }
            Self::Part { range, .. } if range.is_empty() => return Poll::Ready(None),
            Self::Part { blob, range } => blob.read(range.start).map(|mut bytes| {
                let left = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
                bytes.truncate(left);
                range.start += bytes.len() as u64;
                Frame::data(bytes)
            }),
        };
        Poll::Ready(Some(frame))
    }

    fn is_end_stream(&self) -> bool {
        self.size_hint().exact() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Part { range, .. } => SizeHint::with_exact(range.end - range.start),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// The JSON of an answer, or nothing where there is none.
pub(super) fn json(status: u16, json: Bytes) -> Answer {
    let mut answer = HttpResponse::new(Content::Whole(json));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// What is not JSON, though it stands where some should.
pub(super) fn text(status: u16, text: Bytes) -> Answer {
    let mut answer = json(status, text);
    set(answer.headers_mut(), header::CONTENT_TYPE, "text/plain; charset=utf-8");
    answer
}

/// A refusal in the API's envelope.
pub(super) fn refusal(now: Millis, failure: &Failure) -> Answer {
    let response = refused(now, failure);
    match response.body {
        rest::Body::Json(body) => json(response.status, body),
        rest::Body::Text(_) | rest::Body::Blob { .. } | rest::Body::Reset | rest::Body::Cut => {
            unreachable!("a refusal is JSON")
        }
    }
}

/// A file, or the part of it that a media element asks for.
pub(super) fn file(now: Millis, blob: Rc<Blob>, media_type: &str, name: &str, asked: &HeaderMap) -> Answer {
    let bytes = blob.bytes();
    // Nothing here has an entity tag, so whatever `If-Range` names is not what there is (RFC 9110 §13.1.5).
    let asked = match asked.get(header::RANGE).filter(|_| !asked.contains_key(header::IF_RANGE)) {
        Some(range) => range_of(range.to_str().unwrap_or_default(), bytes),
        None => Asked::Whole,
    };
    let (status, range) = match asked {
        Asked::Whole => (StatusCode::OK, 0..bytes),
        Asked::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Asked::Nothing => {
            let mut answer = refusal(now, &Failure::no_such_range(bytes));
            set(answer.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{bytes}"));
            return answer;
        }
    };
    let content_range = format!("bytes {}-{}/{bytes}", range.start, range.end.saturating_sub(1));
    let mut answer = HttpResponse::new(Content::Part { blob, range });
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    if status == StatusCode::PARTIAL_CONTENT {
        set(headers, header::CONTENT_RANGE, &content_range);
    }
    set(headers, header::ACCEPT_RANGES, "bytes");
    set(headers, header::CONTENT_TYPE, "application/octet-stream");
    set(headers, header::CONTENT_TYPE, media_type);
    set(headers, header::CONTENT_DISPOSITION, &format!("inline; filename*=UTF-8''{}", percent_encoded(name)));
    // A page or drawing that somebody uploaded must not act as one of this server's own, which may stage worlds.
    set(headers, header::CONTENT_SECURITY_POLICY, "sandbox");
    answer
}

/// A value that a header cannot hold leaves the header as it was.
fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// RFC 8187 §3.2.
fn percent_encoded(name: &str) -> String {
    name.bytes().fold(String::with_capacity(name.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_') {
            encoded.push(byte.into());
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

/// One range is served; several, other units and what makes no sense may be ignored (RFC 9110 §14.2).
fn range_of(text: &str, bytes: u64) -> Asked {
    let Some((first, last)) = text.trim().strip_prefix("bytes=").and_then(|range| range.split_once('-'))
    else {
        return Asked::Whole;
    };
    let (first, last) = (first.trim(), last.trim());
    let number = |digits: &str| {
        let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        // One that no u64 holds is beyond every file.
        is_number.then(|| digits.parse::<u64>().unwrap_or(u64::MAX))
    };
    let range = match (number(first), number(last)) {
        (Some(first), Some(last)) if first > last => return Asked::Whole,
        (Some(first), Some(last)) => first..last.saturating_add(1).min(bytes),
        (Some(first), None) if last.is_empty() => first..bytes,
        (None, Some(suffix)) if first.is_empty() => bytes.saturating_sub(suffix)..bytes,
        (Some(_) | None, Some(_) | None) => return Asked::Whole,
    };
    if range.is_empty() { Asked::Nothing } else { Asked::Part(range) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::first("bytes=0-9", Asked::Part(0..10))]
    #[case::rest("bytes=90-", Asked::Part(90..100))]
    #[case::beyond("bytes=90-200", Asked::Part(90..100))]
    #[case::huge("bytes=5-99999999999999999999999", Asked::Part(5..100))]
    #[case::suffix("bytes=-10", Asked::Part(90..100))]
    #[case::long_suffix("bytes=-1000", Asked::Part(0..100))]
    #[case::behind("bytes=100-", Asked::Nothing)]
    #[case::no_suffix("bytes=-0", Asked::Nothing)]
    #[case::several("bytes=0-1,5-6", Asked::Whole)]
    #[case::backwards("bytes=9-0", Asked::Whole)]
    #[case::other_unit("lines=0-9", Asked::Whole)]
    #[case::no_number("bytes=a-b", Asked::Whole)]
    #[case::nothing("bytes=-", Asked::Whole)]
    fn a_range_is_what_it_says(#[case] text: &str, #[case] expected: Asked) {
        assert_eq!(range_of(text, 100), expected);
    }
}
