//! The REST API over HTTP: a request becomes a [`Request`] of its world, whose answer goes back.
//!
//! It looks into no body but a multipart one, whose file it keeps.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::Request as HttpRequest;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use tokio::time::timeout;

use super::clock::wall_now;
use super::content::{self, Answer};
use super::http::{NoAnswer, Way};
use super::multipart;
use super::world::World;
use super::worlds::Worlds;
use crate::machine::rest::{self, Body, Failure, Method, Request, Response};
use crate::machine::{AppKey, Upload, excerpt};

/// No call takes a body this large; messages and attachments have limits of their own.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// What is read of a body that is too large: more than the largest attachment of rest.md B.8.
const DISCARDED_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// How long a body may take to come.
const BODY_WITHIN: Duration = Duration::from_secs(30);

/// Answers a request that no other door takes.
pub(super) async fn answer(
    worlds: &Worlds,
    request: HttpRequest<Incoming>,
    way: &Way<'_>,
) -> Result<Answer, NoAnswer> {
    let path = way.path;
    let method = match *request.method() {
        // Of what a GET would answer, hyper sends the head alone.
        hyper::Method::GET | hyper::Method::HEAD => Method::Get,
        hyper::Method::POST => Method::Post,
        hyper::Method::PUT => Method::Put,
        hyper::Method::DELETE => Method::Delete,
        _ => {
            let failure = Failure::unknown_method(request.method().as_str());
            return Ok(content::refusal(wall_now(), &failure));
        }
    };
    let Some((app_key, path)) = tenant(path) else {
        tracing::info!("404: {} {}: no path of this server", request.method(), excerpt(path));
        return Ok(content::refusal(wall_now(), &Failure::no_such_path(path)));
    };
    if let Some(own) = way.of.as_ref().filter(|own| **own != app_key) {
        let why = format!("this address leads to {own} alone, and the request names {app_key}");
        tracing::info!("404: {why}");
        return Ok(content::refusal(wall_now(), &Failure::no_such_path(&why)));
    }
    // A world is made by a login or a registration, never by looking.
    let makes = method == Method::Post && matches!(path.as_str(), "/token" | "/users");
    let world = if makes { worlds.find_or_make(&app_key) } else { worlds.find(&app_key) };
    let Some(world) = world else {
        tracing::info!("404: world {app_key} is not there: {} {}", request.method(), excerpt(&path));
        let failure = Failure::no_application(app_key.org(), app_key.app(), &path);
        return Ok(content::refusal(wall_now(), &failure));
    };
    let open = OpenRequest::new(&world);
    let (head, body) = request.into_parts();
    let token = bearer(&head.headers);
    let file = rest::file_part(method, &path).map(|part| FileBody {
        part,
        headers: &head.headers,
        token: token.as_deref(),
    });
    let (body, upload) = match read(&world, body, file).await {
        Ok(read) => read,
        Err(failure) => return Ok(content::refusal(world.now(), &failure)),
    };
    if makes && let Some(user) = rest::token_asked_for(&path, &body) {
        world.login_begins(worlds.catalog(), None, &user, "");
    }
    let asked = path.clone();
    let response = world.request(Request {
        method,
        base: way.base(&head.headers),
        path,
        query: head.uri.query().unwrap_or_default().to_owned(),
        token,
        body,
        upload,
        share_secret: word(&head.headers, "share-secret").map(str::to_owned),
        restrict_access: word(&head.headers, "restrict-access").is_some_and(|word| word == "true"),
    });
    let response = response.await;
    drop(open);
    // The world was forgotten while the request waited.
    let Some(Response { status, body }) = response else { return Err(NoAnswer::Cut) };
    if status == 404 {
        tracing::info!("404: {app_key}: {} {}", method.word().to_uppercase(), excerpt(&asked));
    }
    match body {
        Body::Json(json) => Ok(content::json(status, json)),
        Body::Text(text) => Ok(content::text(status, text)),
        Body::Blob { blob, media_type, name } => Ok(match world.blobs().find(blob) {
            Some(blob) => content::file(world.now(), blob, &media_type, &name, &head.headers),
            None => content::refusal(world.now(), &Failure::file_expired()),
        }),
        Body::Reset => Err(NoAnswer::Reset),
        Body::Cut => Err(NoAnswer::Cut),
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
    let path = percent_decoded(path)?;
    let mut parts = path.strip_prefix('/')?.splitn(3, '/');
    let (org, app, rest) = (parts.next()?, parts.next()?, parts.next()?);
    Some((AppKey::parse(&format!("{org}#{app}"))?, format!("/{rest}")))
}

pub(super) fn percent_decoded(path: &str) -> Option<String> {
    String::from_utf8(rest::percent_decoded(path.as_bytes())).ok()
}

/// A whole body that holds no file.
pub(super) async fn json_body(mut body: Incoming, bytes_max: usize) -> Result<Bytes, Failure> {
    match timeout(BODY_WITHIN, collect(&mut body, bytes_max)).await {
        Ok(Ok(Some(body))) => Ok(body),
        Ok(Ok(None)) => Err(Failure::too_large(bytes_max)),
        Ok(Err(error)) => Err(Failure::bad_request(format!("the body broke off: {error}"))),
        Err(_) => Err(Failure::bad_request("the body did not come in time")),
    }
}

/// What is known of a body that may hold a file.
struct FileBody<'a> {
    /// The part that it is in.
    part: &'static str,
    headers: &'a HeaderMap,
    token: Option<&'a str>,
}

/// The body, or the file in it.
async fn read(
    world: &World,
    mut body: Incoming,
    file: Option<FileBody<'_>>,
) -> Result<(Bytes, Option<Upload>), Failure> {
    let Some(FileBody { part, headers, token }) = file else {
        return Ok((json_body(body, BODY_BYTES_MAX).await?, None));
    };
    let upload = match world.upload_bytes_max(token) {
        Some(bytes_max) => {
            let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
            let blobs = world.blobs();
            Some(
                multipart::read(
                    &mut body,
                    multipart::Expected {
                        content_type,
                        file_part: part,
                        bytes_max,
                        discarded_bytes_max: DISCARDED_BYTES_MAX,
                    },
                    blobs,
                    world.pace(token).as_ref(),
                )
                .await,
            )
        }
        // The call will be refused, and none of it is worth keeping.
        None => None,
    };
    // Of what is not taken, the rest is read and thrown away.
    let _unread = timeout(BODY_WITHIN, collect(&mut body, 0)).await;
    Ok((Bytes::new(), upload))
}

/// The whole body, or `None` when it is too large. That is read as well, and thrown away: a peer that is still
/// writing when the connection ends may lose the answer that says why.
async fn collect(body: &mut Incoming, bytes_max: usize) -> hyper::Result<Option<Bytes>> {
    let (mut kept, mut bytes) = (BytesMut::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        bytes += data.len();
        if bytes <= bytes_max {
            kept.extend_from_slice(&data);
        } else if bytes as u64 <= DISCARDED_BYTES_MAX {
            kept = BytesMut::new();
        } else {
            break;
        }
    }
    Ok((bytes <= bytes_max).then(|| kept.freeze()))
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())
}

fn word<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}
