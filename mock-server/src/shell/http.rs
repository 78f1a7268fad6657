//! HTTP: which door, which world, and what a browser on another origin must be told.
//!
//! What is none of its own doors goes to `api`.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method as HttpMethod, Request as HttpRequest, Response as HttpResponse, StatusCode};
use serde_json::json;
use tungstenite::handshake::derive_accept_key;

use super::clock::wall_now;
use super::content::{Answer, Content};
use super::doors::{Opening, Strike, Try, Wait};
use super::listen::{Entrance, Serves, Speaks};
use super::tls::Identity;
use super::world::World;
use super::worlds::Worlds;
use super::{api, content, control};
use crate::machine::rest::Failure;
use crate::machine::{AppKey, Millis, excerpt};
use crate::tape::Door;

/// Tells the connection's task that the answer was an upgrade, and to what.
#[derive(Clone, Default)]
pub(super) struct Upgrade(Rc<Cell<Option<Upgraded>>>);

/// A connection that is to become a socket.
pub(super) struct Upgraded {
    pub(super) door: Door,
    pub(super) opening: Opening,
    /// The world that it leads to, where its path says so; else its first frame does.
    pub(super) of: Option<AppKey>,
}

/// No answer at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoAnswer {
    /// The connection is to be reset.
    #[error("reset, as a staged fault wants it")]
    Reset,
    /// The connection is to be ended.
    #[error("ended, as a rule or a door fault wants it")]
    Cut,
}

/// How a request found its way: by which scheme, and perhaps by a world's own path, `/w/{org}~{app}`, behind which are the
/// same doors and calls.
pub(super) struct Way<'a> {
    scheme: &'static str,
    /// What the path began with, if it was a world's own.
    prefix: &'a str,
    /// That world.
    pub(super) of: Option<AppKey>,
    /// What is behind.
    pub(super) path: &'a str,
}

impl Upgrade {
    pub(super) fn take(&self) -> Option<Upgraded> {
        self.0.take()
    }
}

impl<'a> Way<'a> {
    fn new(entrance: Entrance, path: &'a str) -> Self {
        let own = path.strip_prefix("/w/").and_then(|rest| {
            let segment = &rest[..rest.find('/').unwrap_or(rest.len())];
            let (org, app) = segment.split_once('~')?;
            let app_key = AppKey::parse(&api::percent_decoded(&format!("{org}#{app}"))?)?;
            Some((app_key, path.split_at("/w/".len() + segment.len())))
        });
        let (of, (prefix, path)) = match own {
            Some((app_key, split)) => (Some(app_key), split),
            None => (None, ("", path)),
        };
        Self { scheme: entrance.scheme(), prefix, of, path }
    }

    /// How the client reached us: `uri` in answers must be reachable from there (rest.md A.4).
    pub(super) fn base(&self, headers: &HeaderMap) -> String {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        format!("{}://{host}{}", self.scheme, self.prefix)
    }
}

/// Where the certificate is that clients must trust, of a server that makes its own. Everybody may have it, by plain HTTP
/// too: it is no secret, and nobody trusts this server before they have it.
const AUTHORITY_PATH: &str = "/_mock/ca.crt";

/// Answers one request, whatever it is.
pub(super) async fn answer(
    worlds: &Worlds,
    entrance: Entrance,
    upgrade: &Upgrade,
    request: HttpRequest<Incoming>,
) -> Result<Answer, NoAnswer> {
    let path = request.uri().path().to_owned();
    if path == AUTHORITY_PATH
        && let Some(pem) = worlds.identity().and_then(Identity::authority)
    {
        return Ok(authority(pem));
    }
    if entrance.speaks == Speaks::HttpByMistake {
        return Ok(by_mistake(request.headers(), &path));
    }
    match (control::path_of(&path), entrance.serves) {
        // Without a word to pages of other origins.
        (Some(path), Serves::All | Serves::Control) => {
            return Ok(control::answer(worlds, entrance, request, path).await);
        }
        (Some(_), Serves::Clients) => {
            return Ok(elsewhere("the control plane has a port of its own (--control)"));
        }
        (None, Serves::Control) => {
            return Ok(elsewhere("this port is for the control plane, /_mock/, alone"));
        }
        (None, Serves::All | Serves::Clients) => {}
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let asked_headers = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let way = Way::new(entrance, &path);
    let mut answer = if request.method() == HttpMethod::OPTIONS {
        preflight(asked_headers)
    } else if let Some(door) = door(way.path) {
        open(worlds, door, upgrade, request.headers(), &way).await?
    } else if way.path.strip_suffix('/').unwrap_or(way.path) == "/ws/info" {
        match strike(worlds, &way, Try::Info) {
            None => info(),
            Some(struck) => struck.answered()?,
        }
    } else if way.path == "/easemob/server.json" {
        json_answer(&servers(&way.base(request.headers())))
    } else {
        api::answer(worlds, request, &way).await?
    };
    allow(answer.headers_mut(), origin, way.path);
    Ok(answer)
}

/// What clients must be made to trust; they ask for it before they do.
fn authority(pem: &str) -> Answer {
    let mut answer = content::text(200, Bytes::copy_from_slice(pem.as_bytes()));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-x509-ca-cert"));
    headers.insert(
        header::CONTENT_DISPOSITION,
        HeaderValue::from_static("attachment; filename=\"mock-server-ca.crt\""),
    );
    answer
}

/// How a port that speaks TLS begins its answer to who does not.
pub(super) const FORGOT_TLS: &str = "this port speaks TLS";

/// Who speaks HTTP to a port that speaks TLS.
fn by_mistake(headers: &HeaderMap, path: &str) -> Answer {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("THIS-HOST");
    let text = format!(
        "{FORGOT_TLS}: https://{host}{} (and wss:// for WebSockets); what to trust first: http://{host}\
         {AUTHORITY_PATH}\n",
        excerpt(path)
    );
    content::text(400, text.into())
}

/// Of what another port of this server has.
fn elsewhere(why: &str) -> Answer {
    content::text(404, format!("{why}\n").into())
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

/// What a door fault does to a try, and in which world, if it is one's own.
struct Struck {
    strike: Strike,
    world: Option<Rc<World>>,
}

/// The world's own faults come first.
fn strike(worlds: &Worlds, way: &Way<'_>, tried: Try) -> Option<Struck> {
    if let Some(world) = way.of.as_ref().and_then(|app_key| worlds.find(app_key))
        && let Some(strike) = world.at_door(tried)
    {
        return Some(Struck { strike, world: Some(world) });
    }
    let hit = worlds.doors_mut().strike(tried)?;
    Some(Struck { strike: hit.strike, world: None })
}

impl Struck {
    /// Of what is turned away. A status comes as a proxy in front of the service would give it: with what CORS needs.
    fn answered(&self) -> Result<Answer, NoAnswer> {
        match self.strike {
            Strike::Close => Err(NoAnswer::Cut),
            Strike::Reset => Err(NoAnswer::Reset),
            Strike::Status(status) => {
                let text = format!("{status}, as a staged door fault wants it\n");
                Ok(content::text(status, text.into()))
            }
            Strike::NeverOpen | Strike::SlowOpen { .. } => unreachable!("they strike at handshakes alone"),
        }
    }
}

async fn open(
    worlds: &Worlds,
    door: Door,
    upgrade: &Upgrade,
    headers: &HeaderMap,
    way: &Way<'_>,
) -> Result<Answer, NoAnswer> {
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
        return Ok(content::refusal(wall_now(), &failure));
    };
    let opening = match strike(worlds, way, Try::Handshake) {
        None => Opening::AtOnce,
        Some(Struck { strike: Strike::NeverOpen, .. }) => Opening::Never,
        Some(Struck { strike: Strike::SlowOpen { ms }, world: None }) => {
            Opening::After(Wait::Host(Duration::from_millis(ms)))
        }
        Some(Struck { strike: Strike::SlowOpen { ms }, world: Some(world) }) => {
            let due = Millis(world.now().0.saturating_add(ms));
            Opening::After(Wait::World(world, due))
        }
        Some(struck) => return struck.answered(),
    };
    // SockJS is open when it says so, behind the upgrade; a plain WebSocket is with the upgrade itself.
    let opening = match door {
        Door::SockJs => opening,
        Door::WebSocket => {
            opening.opened().await;
            Opening::AtOnce
        }
    };
    let mut answer = HttpResponse::new(Content::empty());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    upgrade.0.set(Some(Upgraded { door, opening, of: way.of.clone() }));
    Ok(answer)
}

/// What sockjs-client asks before it dials (wire-3x §1.1).
fn info() -> Answer {
    let entropy = wall_now().0 & 0xffff_ffff;
    json_answer(&json!({ "websocket": true, "origins": ["*:*"], "cookie_needed": false, "entropy": entropy }))
}

/// HTTP DNS: this server, for both generations (rest.md A.1).
fn servers(base: &str) -> serde_json::Value {
    let (protocol, rest) = base.split_once("://").unwrap_or(("http", base));
    let usual = if protocol == "https" { 443 } else { 80 };
    let authority = &rest[..rest.find('/').unwrap_or(rest.len())];
    let (domain, port) = match authority.rsplit_once(':') {
        Some((domain, port)) => (domain, port.parse::<u16>().unwrap_or(usual)),
        None => (authority, usual),
    };
    let hosts = json!({ "hosts": [{ "protocol": protocol, "domain": domain, "ip": domain, "port": port }] });
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
