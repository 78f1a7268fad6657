//! The REST API without a socket: a request in, a response out (rest.md §0).
//!
//! Success is 200 and nothing else, every body is JSON, and every failure is the service's error envelope: the
//! SDKs parse all of them and hang on anything different (rest.md 0.3, 0.10).

mod acks;
mod attributes;
mod call;
mod chatfiles;
mod conversations;
mod devices;
mod envelope;
mod form;
mod messages;
mod metadata;
mod muc;
mod mutes;
mod notification;
mod page;
mod part_upload;
mod pins;
mod presence;
mod reactions;
mod reports;
mod roaming;
mod roster;
mod routing;
mod sessions;
mod status;
mod threads;
mod token;
mod translate;
mod users;

use bytes::Bytes;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::upload::{BlobId, Upload};
use super::{Millis, Server};
use call::{Answer, Call};
pub use envelope::Failure;
use envelope::Success;
pub(super) use envelope::uuid_of;
pub(crate) use form::percent_decoded;
use routing::routed;
pub use routing::{file_part, paths};
#[cfg(feature = "shell")]
pub(crate) use token::asked_for as token_asked_for;

/// A request of one world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Scheme and authority that the client used, such as `http://127.0.0.1:8989`.
    pub base: String,
    /// The path after `/{org}/{app}`, percent-decoded.
    pub path: String,
    /// What stands behind `?`, undecoded.
    pub query: String,
    /// The access token of `Authorization: Bearer`.
    pub token: Option<String>,
    /// Whatever its Content-Type says: SDKs send JSON as text/plain too (rest.md 0.7).
    #[serde(with = "crate::base64_bytes")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub body: Bytes,
    /// The file of a multipart body on a path that [takes one](file_part); `body` is empty then.
    pub upload: Option<Upload>,
    /// The header `share-secret`: opens an attachment (rest.md A.5).
    pub share_secret: Option<String>,
    /// The header `restrict-access: true`: the upload opens by a secret only (rest.md A.4).
    pub restrict_access: bool,
}

/// The methods that the API knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names of HTTP")]
pub enum Method {
    Get,
    Post,
    Put,
    Delete,
}

/// An answer: a status and a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 200, or an error's; 0 with [`Body::Reset`] and [`Body::Cut`].
    pub status: u16,
    /// What follows it.
    pub body: Body,
}

/// What an answer carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Of every call but a download, and of every refusal.
    Json(Bytes),
    /// What no call answers, but a staged fault may.
    Text(Bytes),
    /// The bytes of an attachment.
    Blob {
        /// Which.
        blob: BlobId,
        /// Its Content-Type; never that of JSON, by which SDKs tell a refusal (rest.md A.5).
        media_type: String,
        /// As its sender named the file.
        name: String,
    },
    /// No answer: the connection is reset, as a staged fault wants it.
    Reset,
    /// No answer: the connection is ended, as a rule wants it.
    Cut,
}

/// Answers a request.
pub(super) fn answer(server: &mut Server, now: Millis, request: &Request) -> Response {
    let staged = staged(server, now, request);
    let response = staged.unwrap_or_else(|| routed(server, now, request));
    if let Some(upload) = &request.upload {
        server.settle_upload(upload);
    }
    response
}

/// What a fault answers in place of the API.
fn staged(server: &mut Server, now: Millis, request: &Request) -> Option<Response> {
    let user = request.token.as_deref().and_then(|token| server.accounts.token(now, token).ok());
    let fault = server.faults.take_request(&request.path, user)?;
    Some(staged_response(fault.status, fault.body))
}

/// An answer whose body is JSON or whatever else.
pub(super) fn staged_response(status: u16, body: Bytes) -> Response {
    // A proxy's page of an error is no JSON, which some clients do not expect.
    let is_json = serde_json::from_slice::<IgnoredAny>(&body).is_ok();
    Response { status, body: if is_json { Body::Json(body) } else { Body::Text(body) } }
}

/// The answer to a request that the shell could not read to its end.
pub fn refused(now: Millis, failure: &Failure) -> Response {
    failure.response(now)
}

impl Body {
    /// The JSON, unless it is something else.
    pub fn json(&self) -> Option<&Bytes> {
        match self {
            Self::Json(json) => Some(json),
            Self::Text(_) | Self::Blob { .. } | Self::Reset | Self::Cut => None,
        }
    }
}

/// A number that is a string on this API, or a string that may be one.
fn text(value: &str) -> Value {
    Value::from(value)
}
