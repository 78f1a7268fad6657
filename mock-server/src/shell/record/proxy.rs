//! One request: forwarded to the upstream, its answer forwarded back, and both kept. A handshake becomes a socket.
//!
//! Bodies stream. Only JSON answers are held up until they are whole, for they may name the upstream's own address.

use std::cell::RefCell;
use std::error::Error;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde_json::{Value as Json, json};
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::spawn_local;

use super::kept::{Kept, place};
use super::sockets::relay;
use super::upstream::{self, Upstream};
use crate::machine::AppKey;
use crate::redact::words::decoded;
use crate::tape::{Door, Event};

type Problem = Box<dyn Error + Send + Sync>;

/// What the client is answered.
pub(super) enum AnyBody {
    Whole(Full<Bytes>),
    Passing(Passing),
}

/// Where everything goes, and where it is kept.
pub(super) struct Proxy {
    pub(super) rest: Upstream,
    /// Where sockets go, if elsewhere.
    pub(super) sockets: Option<Upstream>,
    pub(super) kept: Rc<RefCell<Kept>>,
}

/// One of the connections that there may be at a time.
pub(super) type Permit = Rc<OwnedSemaphorePermit>;

/// There is no answer, so the client gets none: its connection ends, as the upstream's did.
#[derive(Debug, thiserror::Error)]
#[error("the upstream gave no answer")]
pub(super) struct NoAnswer;

/// What is kept of a body; what is longer is told by its length.
const BODY_KEPT_BYTES_MAX: usize = 1 << 20;
/// A JSON answer that says it is larger is forwarded as it comes, with whatever addresses it has. One that does not say so
/// beforehand is not forwarded, which is noted.
const REWRITTEN_BYTES_MAX: usize = 8 << 20;
/// Of one connection (RFC 9110 §7.6.1), not of the request.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
];

impl Proxy {
    pub(super) async fn answer(
        &self,
        mut request: Request<Incoming>,
        permit: Permit,
    ) -> Result<Response<AnyBody>, NoAnswer> {
        let path = request.uri().path().to_owned();
        if path == "/_mock" || path.starts_with("/_mock/") {
            // With the recorder's name in Host, the guard of the upstream's control plane would be walked around.
            return Ok(own(
                404,
                "the recorder forwards what clients ask, and no control plane: ask the upstream itself\n",
            ));
        }
        let door = door(&path).filter(|_| request.headers().contains_key(header::UPGRADE));
        let upstream = match &self.sockets {
            Some(sockets) if is_of_sockets(&path) => sockets,
            Some(_) | None => &self.rest,
        };
        self.kept.borrow_mut().headers(request.headers());
        let base = base(request.headers());
        let asked = self.asked(&request);
        let method = request.method().as_str().to_owned();
        let client = door.map(|_| hyper::upgrade::on(&mut request));
        let sent = self.send(upstream, request, door, &asked).await;
        let mut response = match sent {
            Ok(response) => response,
            Err(why) => {
                tracing::warn!("{}: {why}", place(&method, &path));
                self.kept
                    .borrow_mut()
                    .note(format!("{}: {why}; the client got no answer", place(&method, &path)));
                return Err(NoAnswer);
            }
        };
        self.kept.borrow_mut().headers(response.headers());
        match (door, client) {
            (Some(door), Some(client)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                let upstream = hyper::upgrade::on(&mut response);
                let kept = Rc::clone(&self.kept);
                spawn_local(async move {
                    // A socket is a connection still, though HTTP is done with it.
                    let _permit = permit;
                    match tokio::try_join!(client, upstream) {
                        Ok((client, upstream)) => relay(client, upstream, door, kept).await,
                        Err(error) => kept.borrow_mut().note(format!("a socket was never opened: {error}")),
                    }
                });
                let mut answer = Response::new(empty());
                *answer.status_mut() = response.status();
                *answer.headers_mut() = response.headers().clone();
                return Ok(answer);
            }
            (Some(_), _) => {
                let text = format!(
                    "{path}: the upstream refused the handshake with HTTP {}",
                    response.status().as_u16()
                );
                // Without a login there is no world, and no file that would have the note.
                tracing::warn!("{text}");
                self.kept.borrow_mut().note(text);
            }
            (None, _) => {}
        }
        self.forward(upstream, response, &base, &path, asked).await
    }

    /// Sends it on, as to whom it is for.
    async fn send(
        &self,
        upstream: &Upstream,
        request: Request<Incoming>,
        door: Option<Door>,
        asked: &Asked,
    ) -> Result<Response<Incoming>, String> {
        let link = upstream.connect().await?;
        let broken = |error: hyper::Error| format!("{} broke off: {}", upstream.authority(), causes(&error));
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(link)).await.map_err(broken)?;
        spawn_local(connection.with_upgrades());
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = path.parse::<Uri>().map_err(|error| format!("no path to ask for: {error}"))?;
        let mut headers = end_to_end(&parts.headers);
        // What is compressed could be neither read nor replaced.
        headers.remove(header::ACCEPT_ENCODING);
        headers.remove(header::SEC_WEBSOCKET_EXTENSIONS);
        headers.remove(header::EXPECT);
        let host = HeaderValue::from_str(upstream.authority()).map_err(|error| error.to_string())?;
        headers.insert(header::HOST, host);
        if door.is_some() {
            headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
            headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        }
        parts.headers = headers;
        let body = Passing { inner: body, sample: Arc::clone(&asked.body), ends: None };
        sender.send_request(Request::from_parts(parts, body)).await.map_err(broken)
    }

    async fn forward(
        &self,
        upstream: &Upstream,
        response: Response<Incoming>,
        base: &str,
        path: &str,
        asked: Asked,
    ) -> Result<Response<AnyBody>, NoAnswer> {
        let (mut parts, body) = response.into_parts();
        parts.headers = end_to_end(&parts.headers);
        if let Some(location) = parts.headers.get(header::LOCATION).and_then(|value| value.to_str().ok())
            && let Some((new, _)) = upstream.replaced(location, base)
            && let Ok(new) = HeaderValue::from_str(&new)
        {
            parts.headers.insert(header::LOCATION, new);
            self.rewrote("Location", 1);
        }
        let is_json = of_type(&parts.headers, "json");
        let size = body.size_hint().upper();
        let is_short = size.is_none_or(|bytes| bytes <= REWRITTEN_BYTES_MAX as u64);
        let is_plain = !parts.headers.contains_key(header::CONTENT_ENCODING);
        let ends = self.ends(asked, parts.status.as_u16(), &parts.headers);
        if !(is_json && is_short && is_plain) || size == Some(0) {
            let sample = Arc::default();
            return Ok(Response::from_parts(
                parts,
                AnyBody::Passing(Passing { inner: body, sample, ends: Some(ends) }),
            ));
        }
        let whole = match Limited::new(body, REWRITTEN_BYTES_MAX).collect().await {
            Ok(whole) => whole.to_bytes(),
            Err(error) => {
                let why = match error.downcast_ref::<LengthLimitError>() {
                    Some(_) => format!("the JSON answer has more than {REWRITTEN_BYTES_MAX} bytes"),
                    None => format!("the upstream broke off in its answer: {error}"),
                };
                self.kept.borrow_mut().note(format!("{path}: {why}; the client got no answer"));
                return Err(NoAnswer);
            }
        };
        let body = self.readdressed(upstream, whole, base, path);
        ends.end(&Sample::of(&body));
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        Ok(Response::from_parts(parts, AnyBody::Whole(Full::new(body))))
    }

    /// With the recorder's address where the upstream has its own.
    fn readdressed(&self, upstream: &Upstream, body: Bytes, base: &str, path: &str) -> Bytes {
        if path.ends_with("/easemob/server.json")
            && let Ok(mut json) = serde_json::from_slice::<Json>(&body)
        {
            let count = upstream::hosts(&mut json, base);
            if count > 0 {
                self.rewrote("hosts of HTTP DNS", count);
                return json.to_string().into();
            }
        }
        let Ok(text) = std::str::from_utf8(&body) else { return body };
        let mut text = text.to_owned();
        let mut all = 0;
        for upstream in [Some(upstream), self.sockets.as_ref()].into_iter().flatten() {
            if let Some((new, count)) = upstream.replaced(&text, base) {
                (text, all) = (new, all + count);
            }
        }
        if all == 0 {
            return body;
        }
        self.rewrote("addresses in JSON", all);
        text.into()
    }

    fn rewrote(&self, what: &str, count: usize) {
        let text = format!("{what}: the upstream's own address was replaced by the recorder's");
        self.kept.borrow_mut().note_times(text, count);
    }

    /// What is asked, by whom and of which world.
    fn asked(&self, request: &Request<Incoming>) -> Asked {
        let uri = request.uri();
        let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
        let bearer = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let (app_key, path) = match world(uri.path()) {
            Some((app_key, rest)) => (Some(app_key), format!("{rest}{query}")),
            None => (None, uri.path().to_owned()),
        };
        Asked {
            app_key,
            method: request.method().as_str().to_owned(),
            path,
            user: self.kept.borrow().user_of(token.trim()),
            media_type: media_type(request.headers()),
            body: Arc::default(),
        }
    }

    fn ends(&self, asked: Asked, status: u16, headers: &HeaderMap) -> Ends {
        Ends { asked, status, media_type: media_type(headers), kept: Rc::clone(&self.kept) }
    }
}

/// A request, until its answer is there.
struct Asked {
    app_key: Option<AppKey>,
    method: String,
    path: String,
    user: Option<String>,
    media_type: String,
    body: Arc<Mutex<Sample>>,
}

/// What becomes of an answer that has ended.
struct Ends {
    asked: Asked,
    status: u16,
    media_type: String,
    kept: Rc<RefCell<Kept>>,
}

impl Ends {
    fn end(self, answer: &Sample) {
        let Self { asked, status, media_type, kept } = self;
        let Some(app_key) = asked.app_key else { return };
        let body = asked.body.lock().unwrap_or_else(PoisonError::into_inner).shown(&asked.media_type);
        let answer = answer.shown(&media_type);
        let Asked { method, path, user, .. } = asked;
        kept.borrow_mut().row(&app_key, Event::Http { method, path, user, body, status, answer });
    }
}

/// The beginning of a body, and how long it was.
#[derive(Default)]
struct Sample {
    bytes: Vec<u8>,
    whole: usize,
}

impl Sample {
    fn of(body: &Bytes) -> Self {
        let mut sample = Self::default();
        sample.add(body);
        sample
    }

    fn add(&mut self, bytes: &[u8]) {
        let room = BODY_KEPT_BYTES_MAX - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.whole += bytes.len();
    }

    /// As a tape has it: JSON and forms as they are, of anything else an object that says what it was.
    fn shown(&self, media_type: &str) -> Bytes {
        let is_whole = self.whole == self.bytes.len();
        let is_form = media_type.starts_with("application/x-www-form-urlencoded");
        if self.whole == 0 || (is_whole && (is_form || serde_json::from_slice::<Json>(&self.bytes).is_ok())) {
            return self.bytes.clone().into();
        }
        if media_type.starts_with("multipart/") {
            let head = String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(4096)]).into_owned();
            let name = head.split_once("filename=\"").and_then(|(_, rest)| rest.split_once('"'));
            let name = name.map(|(name, _)| name);
            return json!({ "file": name, "media_type": media_type, "bytes": self.whole }).to_string().into();
        }
        match std::str::from_utf8(&self.bytes) {
            Ok(text) if is_whole && media_type.starts_with("text/") => json!({ "text": text }),
            Ok(_) | Err(_) => json!({ "media_type": media_type, "bytes": self.whole }),
        }
        .to_string()
        .into()
    }
}

/// A body that goes by.
pub(super) struct Passing {
    inner: Incoming,
    sample: Arc<Mutex<Sample>>,
    ends: Option<Ends>,
}

impl Body for AnyBody {
    type Data = Bytes;
    type Error = Problem;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Problem>>> {
        match &mut *self {
            Self::Whole(body) => Pin::new(body)
                .poll_frame(cx)
                .map(|frame| frame.map(|frame| frame.map_err(|never| match never {}))),
            Self::Passing(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Passing(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Passing(body) => body.size_hint(),
        }
    }
}

impl Body for Passing {
    type Data = Bytes;
    type Error = Problem;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Problem>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.sample.lock().unwrap_or_else(PoisonError::into_inner).add(data);
        }
        if let Some(Err(error)) = &frame
            && let Some(ends) = &self.ends
        {
            let text = format!(
                "{}: the upstream broke off in its answer ({}); the client's ends there, too",
                place(&ends.asked.method, &ends.asked.path),
                causes(error)
            );
            ends.kept.borrow_mut().note(text);
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Problem::from)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        if let Some(ends) = self.ends.take() {
            ends.end(&self.sample.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

fn empty() -> AnyBody {
    AnyBody::Whole(Full::new(Bytes::new()))
}

/// An answer of the recorder itself.
fn own(status: u16, words: &'static str) -> Response<AnyBody> {
    let mut answer = Response::new(AnyBody::Whole(Full::new(Bytes::from_static(words.as_bytes()))));
    *answer.status_mut() = StatusCode::from_u16(status).expect("one of HTTP's");
    answer
}

/// Where the client thinks that it is.
fn base(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    format!("http://{host}")
}

/// The headers that are for the other end: all, but for those of the connection itself (RFC 9110 §7.6.1).
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(',').map(|name| name.trim().to_ascii_lowercase()))
        .collect();
    let mut through = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let is_hop = HOP_BY_HOP.contains(name)
            || name.as_str() == "keep-alive"
            || name.as_str() == "proxy-connection"
            || named.iter().any(|named| named == name.as_str());
        if !is_hop {
            through.append(name.clone(), value.clone());
        }
    }
    through
}

fn media_type(headers: &HeaderMap) -> String {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

fn of_type(headers: &HeaderMap, word: &str) -> bool {
    media_type(headers).split(';').next().unwrap_or_default().to_ascii_lowercase().contains(word)
}

/// The two doors, below a path of the world's own, too (`/w/{org}~{app}/…`).
fn door(path: &str) -> Option<Door> {
    let path = below_world(path);
    if path == "/websocket" {
        return Some(Door::WebSocket);
    }
    let segments: Vec<&str> = path.strip_prefix("/ws/")?.split('/').collect();
    match segments[..] {
        [_, _, "websocket"] => Some(Door::SockJs),
        _ => None,
    }
}

fn is_of_sockets(path: &str) -> bool {
    let path = below_world(path);
    path == "/websocket" || path == "/ws" || path.starts_with("/ws/")
}

fn below_world(path: &str) -> &str {
    let below = path.strip_prefix("/w/").and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    below.unwrap_or(path)
}

/// `/{org}/{app}/…` and what is behind it.
fn world(path: &str) -> Option<(AppKey, String)> {
    let path = below_world(path);
    if is_of_sockets(path) || path.starts_with("/easemob/") {
        return None;
    }
    let (org, rest) = path.strip_prefix('/')?.split_once('/')?;
    let (app, rest) = rest.split_once('/').unwrap_or((rest, ""));
    let app_key = AppKey::parse(&format!("{}#{}", decoded(org), decoded(app)))?;
    Some((app_key, format!("/{rest}")))
}

/// An error and what is behind it.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
