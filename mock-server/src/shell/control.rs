//! The control plane over HTTP, under `/_mock/`: a world is staged, its clock moved and its tape read by whoever runs the
//! server, in the words of [`crate::control_api`].
//!
//! No page of another origin may ([`guard`]), and a POST whose Content-Type is not JSON is refused, which a form cannot
//! send. Who can reach the port and is no browser may do all of this; by default that is this machine alone, and on a
//! network whoever has the token.

mod bundle;
mod catalog;
mod commands;
mod doors;
mod guard;
mod har;
mod index;
mod live;
mod look;
mod openapi;
mod overview;
mod parsed;
mod route;
mod rules;
mod stage;
mod state;
mod table;
mod traffic;

use std::rc::Rc;

use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request as HttpRequest};
use serde::Serialize;

use super::api;
use super::content::{self, Answer};
use super::inspector;
use super::listen::Entrance;
use super::world::World;
use super::worlds::Worlds;
use crate::control_api::Refused;
use crate::machine::{AppKey, excerpt};
use guard::Admission;
#[cfg(feature = "schema")]
pub use openapi::document;
use parsed::parsed;
use route::{Asked, Handler, ROOT, Route};
use table::ROUTES;

pub(super) use guard::Guard;
pub(super) use traffic::{CLAUSES, page};

/// A refusal, in words for the person who meets it.
struct Refusal {
    status: u16,
    error: &'static str,
    description: String,
}

/// What stands behind `/_mock` in a path that begins so.
pub(super) fn path_of(path: &str) -> Option<&str> {
    path.strip_prefix(ROOT).filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers a request for the path behind `/_mock`.
pub(super) async fn answer(
    worlds: &Worlds,
    entrance: Entrance,
    request: HttpRequest<Incoming>,
    path: &str,
) -> Answer {
    let admitted = worlds.guard().admit(&entrance, request.uri(), request.headers());
    let answered = match admitted {
        Ok(Admission::Granted) => routed(worlds, entrance, request, path).await,
        Ok(Admission::Link(answer)) => Ok(answer),
        Err(refusal) => Err(refusal),
    };
    match answered {
        Ok(answer) => answer,
        Err(Refusal { status, error, description }) => {
            tracing::info!("{status}: /_mock{}: {description}", excerpt(path));
            told(status, &Refused { error: error.to_owned(), error_description: description, results: None })
        }
    }
}

async fn routed(
    worlds: &Worlds,
    entrance: Entrance,
    request: HttpRequest<Incoming>,
    path: &str,
) -> Result<Answer, Refusal> {
    let path = if path.is_empty() { "/" } else { path };
    // The files of a page are no calls, and stand in no document of them.
    if let (&Method::GET | &Method::HEAD, Some(answer)) =
        (request.method(), inspector::answer(path, request.headers()))
    {
        return Ok(answer);
    }
    let here: Vec<(&Route, _)> =
        ROUTES.iter().filter_map(|route| Some((route, route.names(path)?))).collect();
    if here.is_empty() {
        return Err(no_such_path(path));
    }
    let (head, body) = request.into_parts();
    let Some((route, names)) = here.iter().find(|(route, _)| route.method.is(&head.method)) else {
        return Ok(wrong_method(&here));
    };
    let query = head.uri.query().unwrap_or_default();
    let asked = Asked::new(worlds, entrance.scheme(), &head.headers, query, names)?;
    route.refuse_query(query)?;
    let body = match &route.takes {
        None => None,
        Some(_) if !is_json(&head.headers) => {
            let description =
                "the Content-Type must be application/json, so that no form of a page can send it";
            return Err(Refusal { status: 415, error: "not_json", description: description.into() });
        }
        Some(takes) => Some(
            api::json_body(body, takes.bytes_max)
                .await
                .map_err(|failure| bad("body", failure.description().to_owned()))?,
        ),
    };
    let body = body.unwrap_or_default();
    let answered = match &route.handler {
        Handler::Look(handler) => handler(&asked),
        Handler::Wait(handler) => handler(&asked).await,
        Handler::Do(handler) => handler(&asked, &body),
        Handler::DoAndWait(handler) => handler(&asked, body).await,
    };
    answered.map_err(|refusal| Refusal { description: asked.with_seed(refusal.description), ..refusal })
}

/// The world, made if it is new.
fn made(worlds: &Worlds, app_key: &AppKey) -> Result<Rc<World>, Refusal> {
    worlds.find_or_make(app_key).ok_or_else(no_room)
}

/// The world, if it is there: looking makes none.
fn known(worlds: &Worlds, app_key: &AppKey) -> Result<Rc<World>, Refusal> {
    worlds.find(app_key).ok_or_else(|| Refusal {
        status: 404,
        error: "no_such_world",
        description: format!(
            "there is no world {}; a login, a registration or a command makes one",
            app_key.as_str()
        ),
    })
}

fn no_room() -> Refusal {
    Refusal {
        status: 503,
        error: "no_room",
        description: "every world that the server can hold is in use; close some of their connections".into(),
    }
}

fn no_such_path(path: &str) -> Refusal {
    let mut words: Vec<&str> = ROUTES.iter().map(|route| route.path).collect();
    words.dedup();
    let description =
        format!("/_mock{} is none of {}; GET /_mock/ tells of each", excerpt(path), words.join(" "));
    Refusal { status: 404, error: "no_such_path", description }
}

fn wrong_method(here: &[(&Route, Vec<(&'static str, &str)>)]) -> Answer {
    let methods: Vec<&str> = here.iter().map(|(route, _)| route.method.word()).collect();
    let refused = Refused {
        error: "method".to_owned(),
        error_description: format!("this path takes {}", methods.join(" and ")),
        results: None,
    };
    let mut answer = told(405, &refused);
    let allowed = HeaderValue::from_str(&methods.join(", ")).expect("methods are words");
    answer.headers_mut().insert(header::ALLOW, allowed);
    answer
}

fn bad(error: &'static str, description: String) -> Refusal {
    Refusal { status: 400, error, description }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn told(status: u16, body: &impl Serialize) -> Answer {
    let json = serde_json::to_vec(body).expect("an answer has only string keys");
    content::json(status, json.into())
}
