//! The call to an app's own server that a webhook is: one POST, one answer, one time limit.
//!
//! It goes nowhere that the rule does not name: no redirect is followed, and nothing is tried again (rest.md B.9).

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{CONNECTION, CONTENT_TYPE, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::timeout;

use crate::machine::{WebhookAnswer, WebhookRequest};

/// A verdict and 1 KB of rewritten text (rest.md B.9), with room for whatever else an app's framework adds.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Asks, and waits for the answer by the host's clock, whatever the world's says.
pub(super) async fn ask(request: WebhookRequest) -> WebhookAnswer {
    let WebhookRequest { url, body, timeout_ms } = request;
    match timeout(Duration::from_millis(timeout_ms), post(&url, body)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(why)) => {
            tracing::warn!("webhook {url}: {why}");
            WebhookAnswer::Failed(why)
        }
        Err(_) => {
            tracing::warn!("webhook {url}: no answer within {timeout_ms} ms");
            WebhookAnswer::TimedOut
        }
    }
}

async fn post(url: &str, body: Bytes) -> Result<WebhookAnswer, String> {
    let uri: Uri = url.parse().map_err(|error| format!("not a URL: {error}"))?;
    if uri.scheme_str() != Some("http") {
        return Err("only http:// addresses are called; put a proxy that speaks TLS between".into());
    }
    let authority = uri.authority().ok_or("the URL names no host")?.clone();
    let path = uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    // An IPv6 address stands in brackets in a URL, and without them everywhere else.
    let host = authority.host().trim_start_matches('[').trim_end_matches(']');
    let stream = TcpStream::connect((host, authority.port_u16().unwrap_or(80)))
        .await
        .map_err(|error| format!("cannot connect: {error}"))?;
    let broken = |error: hyper::Error| format!("HTTP: {error}");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let connection = spawn_local(connection);
    // However this ends, a call that nobody waits for any more goes with its connection.
    let _guard = Aborts(connection.abort_handle());
    let request = Request::post(path)
        .header(HOST, authority.as_str())
        .header(CONTENT_TYPE, "application/json")
        .header(CONNECTION, "close")
        .body(Full::new(body))
        .map_err(|error| format!("no request can be made of it: {error}"))?;
    let response = sender.send_request(request).await.map_err(broken)?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX)
        .collect()
        .await
        .map_err(|error| format!("the answer cannot be read (at most {ANSWER_BYTES_MAX} bytes): {error}"))?;
    Ok(WebhookAnswer::Answered { status, body: body.to_bytes() })
}

struct Aborts(tokio::task::AbortHandle);

impl Drop for Aborts {
    fn drop(&mut self) {
        self.0.abort();
    }
}
