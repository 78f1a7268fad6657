//! HTTP: which door, which world, and what a browser on another origin must be told.
//!
//! REST requests become [`Request`]s of a world; nothing here looks into their bodies.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method as HttpMethod, Request as HttpRequest, Response as HttpResponse, StatusCode};
use serde_json::json;
use tokio::time::timeout;
use tungstenite::handshake::derive_accept_key;

use super::clock::wall_now;
use super::world::{World, Worlds};
use crate::machine::rest::{self, Body, Failure, Method, Request, Response};
use crate::machine::{AppKey, excerpt};
use crate::tape::Door;

type Answer = HttpResponse<Full<Bytes>>;

/// No call takes a body this large; messages and attachments have limits of their own.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// What is read of a body that is too large: more than the largest attachment of rest.md B.8.
const DISCARDED_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long a body may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// Tells the connection's task that the answer was an upgrade, and to which door.
#[derive(Clone, Default)]
pub(super) struct Upgrade(Rc<Cell<Option<Door>>>);

impl Upgrade {
    pub(super) fn door(&self) -> Option<Door> {
        self.0.get()
    }
}

/// Answers one request, whatever it is.
pub(super) async fn answer(worlds: &Worlds, upgrade: &Upgrade, request: HttpRequest<Incoming>) -> Answer {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let asked_headers = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let path = request.uri().path().to_owned();
    let mut answer = if request.method() == HttpMethod::OPTIONS {
        preflight(asked_headers)
    } else if let Some(door) = door(&path) {
        open(door, upgrade, request.headers())
    } else if path.strip_suffix('/').unwrap_or(&path) == "/ws/info" {
        info()
    } else if path == "/easemob/server.json" {
        json_answer(StatusCode::OK, servers(&base(request.headers())))
    } else {
        rest_answer(worlds, request, &path).await
    };
    allow(answer.headers_mut(), origin, &path);
    answer
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
        return enveloped(rest::refused(wall_now(), &failure));
    };
    let mut answer = HttpResponse::new(Full::default());
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
    json_answer(
        StatusCode::OK,
        json!({ "websocket": true, "origins": ["*:*"], "cookie_needed": false, "entropy": entropy }),
    )
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

async fn rest_answer(worlds: &Worlds, request: HttpRequest<Incoming>, path: &str) -> Answer {
    let method = match *request.method() {
        HttpMethod::GET => Method::Get,
        HttpMethod::POST => Method::Post,
        HttpMethod::PUT => Method::Put,
        HttpMethod::DELETE => Method::Delete,
        _ => {
            let failure = Failure::unknown_method(request.method().as_str());
            return enveloped(rest::refused(wall_now(), &failure));
        }
    };
    let Some((app_key, path)) = tenant(path) else {
        tracing::info!("404: {} {}: no path of this server", request.method(), excerpt(path));
        return enveloped(rest::not_found(wall_now(), path));
    };
    // A world is made by a login or a registration, never by looking.
    let makes = method == Method::Post && matches!(path.as_str(), "/token" | "/users");
    let world = if makes { worlds.find_or_make(&app_key) } else { worlds.find(&app_key) };
    let Some(world) = world else {
        tracing::info!("404: world {app_key} is not there: {} {}", request.method(), excerpt(&path));
        let failure = Failure::no_application(app_key.org(), app_key.app(), &path);
        return enveloped(rest::refused(wall_now(), &failure));
    };
    let open = OpenRequest::new(&world);
    let token = bearer(request.headers());
    let base = base(request.headers());
    let word = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let says_true = |name: &str| word(name).is_some_and(|word| word.eq_ignore_ascii_case("true"));
    let share_secret = word("share-secret").map(str::to_owned);
    let (thumbnail, restrict_access) = (says_true("thumbnail"), says_true("restrict-access"));
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = match read(request.into_body()).await {
        Ok(body) => body,
        Err(failure) => return enveloped(rest::refused(world.now(), &failure)),
    };
    let asked = path.clone();
    let response = world.request(Request {
        method,
        base,
        path,
        query,
        token,
        body,
        upload: None,
        share_secret,
        thumbnail,
        restrict_access,
    });
    drop(open);
    match response {
        Some(response) => {
            if response.status == 404 {
                tracing::info!("404: {app_key}: {} {}", method.word().to_uppercase(), excerpt(&asked));
            }
            enveloped(response)
        }
        None => unreachable!("the machine answers every request at once"),
    }
}

/// Counts a request in for as long as it is being answered, whichever way that ends.
struct OpenRequest<'a>(&'a World);

impl<'a> OpenRequest<'a> {
    fn new(world: &'a World) -> Self {
        world.request_begins();
        Self(world)
    }
}

impl Drop for OpenRequest<'_> {
    fn drop(&mut self) {
        self.0.request_ends();
    }
}

/// `/{org}/{app}` and what is behind, percent-decoded: SDKs mostly do not encode (rest.md 0.6).
fn tenant(path: &str) -> Option<(AppKey, String)> {
    let path = String::from_utf8(rest::percent_decoded(path.as_bytes())).ok()?;
    let mut parts = path.strip_prefix('/')?.splitn(3, '/');
    let (org, app, rest) = (parts.next()?, parts.next()?, parts.next()?);
    Some((AppKey::parse(&format!("{org}#{app}"))?, format!("/{rest}")))
}

async fn read(body: Incoming) -> Result<Bytes, Failure> {
    match timeout(BODY_WITHIN, collect(body)).await {
        Ok(Ok(Some(body))) => Ok(body),
        Ok(Ok(None)) => Err(Failure::too_large(BODY_BYTES_MAX)),
        Ok(Err(error)) => Err(Failure::bad_request(format!("the body broke off: {error}"))),
        Err(_) => Err(Failure::bad_request("the body did not come in time")),
    }
}

/// The whole body, or `None` when it is too large. That is read as well, and thrown away: a peer that is still
/// writing when the connection ends may lose the answer that says why.
async fn collect(mut body: Incoming) -> hyper::Result<Option<Bytes>> {
    let (mut kept, mut bytes) = (BytesMut::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        bytes += data.len();
        if bytes <= BODY_BYTES_MAX {
            kept.extend_from_slice(&data);
        } else if bytes <= DISCARDED_BYTES_MAX {
            kept = BytesMut::new();
        } else {
            break;
        }
    }
    Ok((bytes <= BODY_BYTES_MAX).then(|| kept.freeze()))
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

/// How the client reached us: `uri` in answers must be reachable from there (rest.md A.4).
fn base(headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    format!("http://{host}")
}

fn preflight(asked_headers: Option<HeaderValue>) -> Answer {
    let mut answer = HttpResponse::new(Full::default());
    let headers = answer.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, PUT, DELETE, OPTIONS"),
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
}

fn json_answer(status: StatusCode, body: serde_json::Value) -> Answer {
    enveloped(Response { status: status.as_u16(), body: Body::Json(body.to_string().into()) })
}

fn enveloped(response: Response) -> Answer {
    let body = match response.body {
        Body::Json(json) => json,
        Body::Blob { .. } | Body::Reset => unreachable!("the machine keeps no attachment yet"),
    };
    let mut answer = HttpResponse::new(Full::new(body));
    *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
