//! The call to an app's own server that a webhook is: one POST, one answer, one time limit.
//!
//! It goes nowhere that the rule does not name: no redirect is followed, and nothing is tried again (rest.md B.9).

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::CONTENT_TYPE;
use hyper::{Request, Uri};
use tokio::time::timeout;

use super::outgoing;
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
    let request = Request::post(uri).header(CONTENT_TYPE, "application/json").body(Full::new(body));
    let request = request.map_err(|error| format!("no request can be made of it: {error}"))?;
    let (status, body) =
        outgoing::call(request, ANSWER_BYTES_MAX).await.map_err(|error| error.to_string())?;
    Ok(WebhookAnswer::Answered { status, body })
}
