//! HTTP: which door, which world, and what a browser on another origin must be told.
//!
//! What is none of its own doors goes to `api`.

use std::cell::Cell;
use std::rc::Rc;

use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method as HttpMethod, Request as HttpRequest, Response as HttpResponse, StatusCode};
use serde_json::json;
use tungstenite::handshake::derive_accept_key;

use super::clock::wall_now;
use super::content::{Answer, Content};
use super::worlds::Worlds;
use super::{api, content, control};
use crate::machine::rest::Failure;
use crate::tape::Door;

/// Tells the connection's task that the answer was an upgrade, and to which door.
#[derive(Clone, Default)]
pub(super) struct Upgrade(Rc<Cell<Option<Door>>>);

/// No answer at all: the connection is to be reset.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("reset, as a staged fault wants it")]
pub(super) struct Reset;

impl Upgrade {
    pub(super) fn door(&self) -> Option<Door> {
        self.0.get()
    }
}

/// Answers one request, whatever it is.
pub(super) async fn answer(
    worlds: &Worlds,
    upgrade: &Upgrade,
    request: HttpRequest<Incoming>,
) -> Result<Answer, Reset> {
    let path = request.uri().path().to_owned();
    if let Some(path) = control::path_of(&path) {
        // Without a word to pages of other origins.
        return Ok(control::answer(worlds, request, path).await);
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let asked_headers = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let mut answer = if request.method() == HttpMethod::OPTIONS {
        preflight(asked_headers)
    } else if let Some(door) = door(&path) {
        open(door, upgrade, request.headers())
    } else if path.strip_suffix('/').unwrap_or(&path) == "/ws/info" {
        info()
    } else if path == "/easemob/server.json" {
        json_answer(&servers(&api::base(request.headers())))
    } else {
        api::answer(worlds, request, &path).await?
    };
    allow(answer.headers_mut(), origin, &path);
    Ok(answer)
}

/// `/websocket`, or SockJS' `/ws/{server}/{session}/websocket` whose two names mean nothing.
fn door(path: &str) -> Option<Door> {
    if path == "/websocket" {
        return Some(Door::WebSocket);
    }
    let mut segments = path.strip_prefix("/ws/")?.split('/');
    let (server, session, last) = (segments.next()?, segments.next()?, segments.next()?);
    let whole = !server.is_empty() && !session.is_empty() && last == "websocket" && segments.next().is_none();
    whole.then_some(Door::SockJs)
}

fn open(door: Door, upgrade: &Upgrade, headers: &HeaderMap) -> Answer {
    let holds = |name: HeaderName, word: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word))
    };
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|_| {
        holds(header::UPGRADE, "websocket")
            && holds(header::CONNECTION, "upgrade")
            && holds(header::SEC_WEBSOCKET_VERSION, "13")
    });
    let Some(key) = key else {
        let failure = Failure::bad_request("this path takes a WebSocket handshake (RFC 6455, version 13)");
        return content::refusal(wall_now(), &failure);
    };
    let mut answer = HttpResponse::new(Content::empty());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    upgrade.0.set(Some(door));
    answer
}

/// What sockjs-client asks before it dials (wire-3x §1.1).
fn info() -> Answer {
    let entropy = wall_now().0 & 0xffff_ffff;
    json_answer(&json!({ "websocket": true, "origins": ["*:*"], "cookie_needed": false, "entropy": entropy }))
}

/// HTTP DNS: this server, for both generations (rest.md A.1).
fn servers(base: &str) -> serde_json::Value {
    let authority = base.strip_prefix("http://").unwrap_or(base);
    let (domain, port) = match authority.rsplit_once(':') {
        Some((domain, port)) => (domain, port.parse::<u16>().unwrap_or(80)),
        None => (authority, 80),
    };
    let hosts = json!({ "hosts": [{ "protocol": "http", "domain": domain, "ip": domain, "port": port }] });
    json!({
        "rest": hosts, "msync-ws": hosts, "msync-wx": hosts,
        "enableReportLogs": "false", "enableDataReport": "false", "uploadinparts_enable": "false",
    })
}

fn preflight(asked_headers: Option<HeaderValue>) -> Answer {
    let mut answer = HttpResponse::new(Content::empty());
    let headers = answer.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE, OPTIONS"),
    );
    // `*` would not cover Authorization (rest.md 0.8).
    if let Some(asked) = asked_headers {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
    }
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    answer
}

/// SockJS asks for `/info` with credentials, which `*` does not allow; everything else comes without
/// (rest.md 0.8).
fn allow(headers: &mut HeaderMap, origin: Option<HeaderValue>, path: &str) {
    match origin {
        Some(origin) if path.starts_with("/ws/") => {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            headers.insert(header::VARY, HeaderValue::from_static("Origin"));
        }
        Some(_) | None => {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
    }
    // What a page may not read otherwise of a download.
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Accept-Ranges, Content-Disposition, Content-Length, Content-Range"),
    );
}

fn json_answer(body: &serde_json::Value) -> Answer {
    content::json(200, body.to_string().into())
}
