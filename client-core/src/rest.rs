//! HTTP as this side sees it: requests to carry out, answers to read, and the two requests of a login. The
//! bodies are this side's own reading of rest.md; the server has another of its own.
//!
//! What the user may ask for is in `calls` and in the files of its topics; when it goes out, `lane` says.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::client::Config;
use crate::timer::Millis;

/// The largest answer in JSON that is taken, in bytes: a member list of tens of thousands of names, or a page
/// of history of a thousand messages of 3 KiB in base64.
pub(crate) const JSON_LIMIT_BYTES: usize = 4 * 1024 * 1024;

/// Which request an answer belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CallId(pub(crate) u64);

/// A request to carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// To be given back with the answer.
    pub call: CallId,
    /// The method.
    pub method: HttpMethod,
    /// The whole address, escaped.
    pub url: String,
    /// The access token for `Authorization: Bearer`.
    pub bearer: Option<String>,
    /// Other headers. The values are the user's own and may be none that HTTP allows: such a request fails.
    pub headers: Vec<(&'static str, String)>,
    /// What is sent along.
    pub body: Option<HttpBody>,
    /// The largest answer that is of any use, in bytes; a longer one counts as a failure.
    pub answer_limit_bytes: usize,
}

impl HttpRequest {
    /// A request for JSON, without a body.
    pub(crate) fn new(call: CallId, method: HttpMethod, url: String) -> Self {
        let headers = Vec::new();
        Self { call, method, url, bearer: None, headers, body: None, answer_limit_bytes: JSON_LIMIT_BYTES }
    }
}

/// The body of a request, in pieces that lie where they are: a file is not copied to stand between the lines
/// around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpBody {
    /// For `Content-Type`.
    pub media_type: String,
    /// What is sent, one after another.
    pub pieces: Vec<Bytes>,
    /// Whether the client wants to be told how much has gone out.
    pub progress: Progress,
}

/// Whether the way of a body is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// [`crate::Received::HttpProgress`] is wanted, as bytes go out.
    Told,
    /// Nobody asks.
    Untold,
}

impl HttpBody {
    /// A JSON text.
    pub(crate) fn json(text: String) -> Self {
        let pieces = vec![Bytes::from(text)];
        Self { media_type: "application/json".to_owned(), pieces, progress: Progress::Untold }
    }

    /// How many bytes there are.
    pub fn bytes(&self) -> u64 {
        self.pieces.iter().map(|piece| piece.len() as u64).sum()
    }
}

/// The methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `DELETE`
    Delete,
}

/// What came back, whatever the status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code; only 200 is success (rest.md 0.3).
    pub status: u16,
    /// The value of `Content-Type`, if there is one.
    pub media_type: Option<String>,
    /// The whole body.
    pub body: Bytes,
}

impl HttpAnswer {
    /// The sentence of the service's error envelope (rest.md 0.5).
    pub(crate) fn error_description(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct ErrorEnvelope {
            error_description: String,
        }
        serde_json::from_slice::<ErrorEnvelope>(&self.body).ok().map(|envelope| envelope.error_description)
    }

    pub(crate) fn read<'body, T: Deserialize<'body>>(&'body self) -> Result<T, Refusal> {
        if self.status != 200 {
            return Err(Refusal::Refused);
        }
        serde_json::from_slice(&self.body).map_err(|error| Refusal::Unreadable(error.to_string()))
    }
}

/// Why an answer is not the one hoped for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Refused,
    Unreadable(String),
}

/// The request for a token (rest.md A.3).
pub(crate) fn token_request(call: CallId, now: Millis, config: &Config, password: &str) -> HttpRequest {
    #[derive(Serialize)]
    struct TokenBody<'a> {
        grant_type: &'static str,
        username: &'a str,
        password: &'a str,
        timestamp: u64,
    }
    let body = TokenBody { grant_type: "password", username: &config.username, password, timestamp: now.0 };
    let body = Some(HttpBody::json(json(&body)));
    HttpRequest { body, ..HttpRequest::new(call, HttpMethod::Post, config.rest_url("/token")) }
}

/// The token in a 200 answer; an empty one counts as none.
pub(crate) fn read_token(answer: &HttpAnswer) -> Result<String, Refusal> {
    #[derive(Deserialize)]
    struct TokenAnswer {
        access_token: String,
    }
    let token = answer.read::<TokenAnswer>()?.access_token;
    if token.is_empty() { Err(Refusal::Unreadable("access_token is empty".to_owned())) } else { Ok(token) }
}

/// Whether a SockJS `/info` answer lets a WebSocket in; the reason when not (wire-3x §1.1).
pub(crate) fn read_info(answer: &HttpAnswer) -> Result<(), String> {
    #[derive(Deserialize)]
    struct Info {
        #[serde(default = "yes")]
        websocket: bool,
    }
    fn yes() -> bool {
        true
    }
    match answer.read::<Info>() {
        Ok(Info { websocket: true }) => Ok(()),
        Ok(Info { websocket: false }) => Err("the SockJS server offers no WebSocket".to_owned()),
        Err(Refusal::Refused) => Err(format!("/info was answered with HTTP {}", answer.status)),
        Err(Refusal::Unreadable(reason)) => Err(format!("/info cannot be read: {reason}")),
    }
}

/// A path segment with everything escaped that could be taken for anything else.
pub(crate) fn segment(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// For bodies that are structs of this crate.
pub(crate) fn json<T: Serialize>(body: &T) -> String {
    serde_json::to_string(body).expect("bodies are structs of strings, numbers and booleans")
}
