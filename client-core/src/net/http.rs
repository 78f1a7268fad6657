//! HTTP requests under way: one connection each, the body in pieces as the connection takes them, the answer up
//! to the limit that the request sets. Polled from the task that polls `Io`; no clock, no decisions.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;

use super::io::connect;
use crate::client::Received;
use crate::rest::{CallId, HttpAnswer, HttpMethod, HttpRequest, Progress};

/// How much of a body is handed over at a time, in bytes: what a person takes for a steady progress, in few
/// steps.
const PIECE_BYTES: usize = 64 * 1024;
/// How much a connection may hold that the socket has not taken, in bytes: what counts as gone out is ahead of
/// the truth by no more than this and a piece.
const BUFFER_BYTES: usize = 64 * 1024;

/// How much of a body goes out before it is told, in bytes, however fast the socket takes it: a large file has
/// a progress even next door.
const STEP_BYTES: u64 = 1024 * 1024;

/// How far a body is on its way.
#[derive(Default)]
struct Way {
    /// Bytes that have been handed over.
    sent: AtomicU64,
    /// Of these, how many were told.
    told: AtomicU64,
}

/// Leaving the list cancels a call. A client has a handful at a time.
#[derive(Default)]
pub(super) struct Calls(Vec<Call>);

struct Call {
    id: CallId,
    exchange: Pin<Box<dyn Future<Output = Result<HttpAnswer, String>> + Send>>,
    /// Where somebody asks.
    way: Option<Arc<Way>>,
    ended: Option<Result<HttpAnswer, String>>,
}

impl Calls {
    pub(super) fn start(&mut self, request: HttpRequest) {
        let wants = request.body.as_ref().is_some_and(|body| body.progress == Progress::Told);
        let way = wants.then(Arc::default);
        let id = request.call;
        let exchange = Box::pin(exchange(request, way.clone()));
        self.0.push(Call { id, exchange, way, ended: None });
    }

    pub(super) fn cancel(&mut self, call: CallId) {
        self.0.retain(|known| known.id != call);
    }

    /// What a call came to: what has gone out before its end.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        for place in 0..self.0.len() {
            let call = &mut self.0[place];
            if call.ended.is_none()
                && let Poll::Ready(answer) = call.exchange.as_mut().poll(cx)
            {
                call.ended = Some(answer);
            }
            if let Some(way) = &call.way {
                let sent = way.sent.load(Ordering::Relaxed);
                if way.told.swap(sent, Ordering::Relaxed) < sent {
                    return Poll::Ready(Received::HttpProgress { call: call.id, sent });
                }
            }
            if let Some(answer) = call.ended.take() {
                let id = self.0.remove(place).id;
                return Poll::Ready(Received::Http { call: id, answer });
            }
        }
        Poll::Pending
    }
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|call| call.id)).finish()
    }
}

/// One request on a connection of its own: a test server is next door, and nothing is kept that could go
/// stale.
async fn exchange(request: HttpRequest, way: Option<Arc<Way>>) -> Result<HttpAnswer, String> {
    let uri: Uri = request.url.parse().map_err(|error| format!("{}: {error}", request.url))?;
    let limit = request.answer_limit_bytes;
    let outgoing = outgoing(request, &uri, way)?;
    let stream = connect(&uri, "http").await?;
    let mut builder = hyper::client::conn::http1::Builder::new();
    let handshake = builder.max_buf_size(BUFFER_BYTES).handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(|error| error.to_string())?;
    let exchange = async move {
        let answer = sender.send_request(outgoing).await.map_err(|error| error.to_string())?;
        let status = answer.status().as_u16();
        let media_type = answer.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.map(str::to_owned);
        let body = Limited::new(answer.into_body(), limit).collect().await;
        let body = body.map_err(|error| format!("the answer, at most {limit} bytes of it: {error}"))?;
        Ok(HttpAnswer { status, media_type, body: body.to_bytes() })
    };
    let (mut connection, mut exchange) = (pin!(connection), pin!(exchange));
    tokio::select! {
        biased;
        // Whether it ended well or not, the exchange knows what came of it.
        _ = &mut connection => exchange.await,
        answer = &mut exchange => answer,
    }
}

fn outgoing(request: HttpRequest, uri: &Uri, way: Option<Arc<Way>>) -> Result<Request<Outgoing>, String> {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let host = uri.authority().map_or_else(String::new, |authority| authority.as_str().to_owned());
    let method = match request.method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
    };
    let mut builder =
        Request::builder().method(method).uri(path).header(HOST, host).header(CONNECTION, "close");
    if let Some(token) = request.bearer {
        builder = builder.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    for (name, value) in request.headers {
        builder = builder.header(name, value);
    }
    let mut pieces = VecDeque::new();
    if let Some(body) = request.body {
        builder = builder.header(CONTENT_TYPE, body.media_type);
        pieces = body.pieces.into();
    }
    let left = pieces.iter().map(|piece| piece.len() as u64).sum();
    builder.body(Outgoing { pieces, left, way }).map_err(|error| error.to_string())
}

/// A body that counts what was taken of it, and stops until that has been told.
struct Outgoing {
    pieces: VecDeque<Bytes>,
    left: u64,
    way: Option<Arc<Way>>,
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(way) = &self.way
            && way.sent.load(Ordering::Relaxed) - way.told.load(Ordering::Relaxed) >= STEP_BYTES
        {
            // It is told as soon as this poll is over.
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        while let Some(piece) = self.pieces.front_mut() {
            let part = piece.split_to(piece.len().min(PIECE_BYTES));
            if part.is_empty() {
                self.pieces.pop_front();
                continue;
            }
            let bytes = part.len() as u64;
            self.left -= bytes;
            if let Some(way) = &self.way {
                way.sent.fetch_add(bytes, Ordering::Relaxed);
            }
            return Poll::Ready(Some(Ok(Frame::data(part))));
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
