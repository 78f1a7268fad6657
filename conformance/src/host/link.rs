//! HTTP to one server: a request, its answer, and what is wrong with it. Connections are kept and used again.

use std::time::Duration;

use mock_server::control_api::Refused;
use serde::Serialize;
use serde::de::DeserializeOwned;
use ureq::http::Uri;
use ureq::{Agent, Body, RequestBuilder};

/// How long a connection may take; a server that is near answers within a few ms.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long an answer may take, beyond the time that the request itself asks for: a machine under load may be busy.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// The largest answer: a page of a tape has at most some 6 MiB unless a single row is larger.
const ANSWER_BYTES_MAX: u64 = 64 << 20;
/// How much of a strange answer is quoted.
const EXCERPT_CHARS_MAX: usize = 100;

#[derive(Debug)]
pub(super) struct Link {
    agent: Agent,
    /// `http://HOST:PORT`.
    url: String,
    /// What proves who asks, as a header has it.
    authorization: Option<String>,
}

/// An answer, whatever it says.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    body: Vec<u8>,
}

/// An answer that is not what was asked for.
#[derive(Debug)]
pub(super) enum Failed {
    Refused(Box<Refused>),
    /// In words.
    Strange(String),
}

impl Link {
    /// `None`: that is no `http://HOST:PORT`.
    pub(super) fn new(url: &str, token: Option<&str>) -> Option<Self> {
        let uri: Uri = url.parse().ok()?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let is_whole =
            uri.scheme_str() == Some("http") && matches!(uri.path(), "" | "/") && uri.query().is_none();
        let has_port = authority.as_str().rsplit_once(':').is_some() == authority.port_u16().is_some();
        if !is_whole || !has_port || authority.host().is_empty() {
            return None;
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            // A proxy of the environment is for the network, and no clients are sent through it either.
            .proxy(None)
            .timeout_connect(Some(CONNECT_WITHIN))
            .user_agent(concat!("conformance/", env!("CARGO_PKG_VERSION")))
            .build();
        let authorization = token.map(|token| format!("Bearer {token}"));
        Some(Self { agent: config.into(), url: format!("http://{authority}"), authorization })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn authority(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Asks, for something that itself may take so long. Fails, in words, when no whole answer came.
    pub(super) fn get(&self, path: &str, takes: Duration) -> Result<Answer, String> {
        let request = self.signed(self.agent.get(format!("{}{path}", self.url)));
        let request = request.config().timeout_global(Some(takes + ANSWER_WITHIN)).build();
        read(request.call())
    }

    pub(super) fn post(&self, path: &str, body: &impl Serialize) -> Result<Answer, String> {
        let body = serde_json::to_vec(body).expect("what is asked has only string keys");
        let request = self.agent.post(format!("{}{path}", self.url)).content_type("application/json");
        let request = self.signed(request);
        read(request.config().timeout_global(Some(ANSWER_WITHIN)).build().send(body))
    }

    pub(super) fn delete(&self, path: &str) -> Result<Answer, String> {
        let request = self.signed(self.agent.delete(format!("{}{path}", self.url)));
        read(request.config().timeout_global(Some(ANSWER_WITHIN)).build().call())
    }

    fn signed<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        match &self.authorization {
            Some(authorization) => request.header("Authorization", authorization),
            None => request,
        }
    }
}

impl Answer {
    /// What it holds. Fails, in words, when that is something else.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let text = String::from_utf8_lossy(&self.body);
            let excerpt: String = text.chars().take(EXCERPT_CHARS_MAX).collect();
            format!("{} {excerpt:?}: {error}", self.status)
        })
    }

    /// Whether a port that speaks TLS says so.
    pub(super) fn is_of_tls_port(&self) -> bool {
        self.status == 400 && self.body.starts_with(b"this port speaks TLS")
    }

    /// As [`Answer::read`], of an answer with the status of success.
    pub(super) fn read_if_done<T: DeserializeOwned>(&self) -> Result<T, Failed> {
        if self.status == 200 {
            return self.read().map_err(Failed::Strange);
        }
        Err(self.read().map_or_else(Failed::Strange, Failed::Refused))
    }
}

fn read(answer: Result<ureq::http::Response<Body>, ureq::Error>) -> Result<Answer, String> {
    let mut answer = answer.map_err(|error| in_words(&error))?;
    let status = answer.status().as_u16();
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
    Ok(Answer { status, body: body.map_err(|error| in_words(&error))? })
}

fn in_words(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) => error.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("http://127.0.0.1:8989", "127.0.0.1:8989")]
    #[case("http://127.0.0.1:8989/", "127.0.0.1:8989")]
    #[case("http://localhost:1", "localhost:1")]
    #[case("http://[::1]:8989", "[::1]:8989")]
    #[case("http://server", "server")]
    fn an_address_is_taken(#[case] url: &str, #[case] authority: &str) {
        assert_eq!(Link::new(url, None).expect("an address").authority(), authority);
    }

    #[rstest]
    #[case("")]
    #[case("127.0.0.1:8989")]
    #[case("https://127.0.0.1:8989")]
    #[case("ws://127.0.0.1:8989")]
    #[case("http://")]
    #[case("http://127.0.0.1:99999")]
    #[case("http://127.0.0.1:8989/_mock/")]
    #[case("http://127.0.0.1:8989?a=1")]
    #[case("http://me:secret@127.0.0.1:8989")]
    #[case("a b")]
    fn what_is_no_address_is_none(#[case] url: &str) {
        assert!(Link::new(url, None).is_none());
    }
}
