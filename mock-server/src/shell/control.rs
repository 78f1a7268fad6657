//! The control plane over HTTP, under `/_mock/`: a world is staged and its clock moved by whoever runs the server.
//!
//! No page of a browser may: it is told nothing of another origin's, a request with an `Origin` is refused whatever
//! it says, and so is a POST whose Content-Type is not JSON, which a form cannot send. Who can reach the port and is
//! no browser may do all of this; by default that is this machine alone.

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Request as HttpRequest};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::api;
use super::content::{self, Answer, Content};
use super::world::World;
use super::worlds::Worlds;
use crate::control::Control;
use crate::machine::{AppKey, Millis, excerpt};

/// What moves a world's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum ClockMove {
    /// So much later.
    AdvanceMs(u64),
    /// It stands still at this moment, in ms since 1970, until it is moved again.
    SetMs(u64),
}

/// A refusal, in words for the person who meets it.
struct Refusal {
    status: u16,
    error: &'static str,
    description: String,
}

/// A stage is set in some hundred commands; a slip in a loop should show.
const COMMANDS_MAX: usize = 10_000;

const INDEX: &str = include_str!("control.html");

/// What stands behind `/_mock` in a path that begins so.
pub(super) fn path_of(path: &str) -> Option<&str> {
    path.strip_prefix("/_mock").filter(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers a request for the path behind `/_mock`.
pub(super) async fn answer(worlds: &Worlds, request: HttpRequest<Incoming>, path: &str) -> Answer {
    match routed(worlds, request, path).await {
        Ok(answer) => answer,
        Err(Refusal { status, error, description }) => {
            tracing::info!("{status}: /_mock{}: {description}", excerpt(path));
            json_answer(status, &json!({ "error": error, "error_description": description }))
        }
    }
}

async fn routed(worlds: &Worlds, request: HttpRequest<Incoming>, path: &str) -> Result<Answer, Refusal> {
    if request.headers().contains_key(header::ORIGIN) {
        let description = "a page may not stage this server; send the request from the test's own process, without \
                           an Origin header";
        return Err(Refusal { status: 403, error: "not_for_pages", description: description.into() });
    }
    if matches!(path, "" | "/") {
        return match *request.method() {
            Method::GET | Method::HEAD => Ok(index(request.headers())),
            _ => Err(wrong_method("GET")),
        };
    }
    let mut segments = path[1..].split('/');
    let (org, app, what) = (segments.next(), segments.next(), segments.next());
    let (Some(org), Some(app), Some(what @ ("control" | "clock")), None) = (org, app, what, segments.next())
    else {
        let description = "there are /_mock/, /_mock/{org}/{app}/control and /_mock/{org}/{app}/clock";
        return Err(Refusal { status: 404, error: "no_such_path", description: description.into() });
    };
    if request.method() != Method::POST {
        return Err(wrong_method("POST"));
    }
    if !is_json(request.headers()) {
        let description = "the Content-Type must be application/json, so that no form of a page can send it";
        return Err(Refusal { status: 415, error: "not_json", description: description.into() });
    }
    let app_key =
        api::percent_decoded(&format!("{org}#{app}")).and_then(|text| AppKey::parse(&text)).ok_or_else(
            || bad("no_app_key", "the path names no app key: /_mock/{org}/{app}/… with both halves".into()),
        )?;
    let body = api::json_body(request.into_body())
        .await
        .map_err(|failure| bad("body", failure.description().to_owned()))?;
    // Read before the world is made: what is refused leaves nothing behind.
    match what {
        "control" => {
            let commands = commands(&body)?;
            Ok(control(&*found(worlds, &app_key)?, commands))
        }
        _ => {
            let to: ClockMove = parsed(&body)?;
            let world = found(worlds, &app_key)?;
            match to {
                ClockMove::AdvanceMs(ms) => world.advance(ms),
                ClockMove::SetMs(ms) => world.set_clock(Millis(ms)),
            }
            Ok(json_answer(200, &json!({ "now_ms": world.now().0 })))
        }
    }
}

fn found(worlds: &Worlds, app_key: &AppKey) -> Result<std::rc::Rc<World>, Refusal> {
    worlds.find_or_make(app_key).ok_or_else(|| Refusal {
        status: 503,
        error: "no_room",
        description: "every world that the server can hold is in use; close some of their connections".into(),
    })
}

/// Does each, whatever became of those before, and says which were refused.
fn control(world: &World, commands: Vec<Control>) -> Answer {
    let mut refused = false;
    let results: Vec<Value> = commands
        .into_iter()
        .map(|command| match world.control(command) {
            Ok(()) => json!({ "done": true }),
            Err(error) => {
                refused = true;
                json!({ "done": false, "error": error.to_string() })
            }
        })
        .collect();
    if refused {
        let description =
            "results tells for each command whether it was done; one that was not changed nothing";
        let told = json!({ "error": "refused", "error_description": description, "results": results });
        return json_answer(400, &told);
    }
    json_answer(200, &json!({ "results": results }))
}

/// One command, or an array of them.
fn commands(body: &[u8]) -> Result<Vec<Control>, Refusal> {
    let is_array = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let commands = if is_array { parsed(body)? } else { vec![parsed(body)?] };
    if commands.len() > COMMANDS_MAX {
        return Err(bad("too_many", format!("at most {COMMANDS_MAX} commands come in one request")));
    }
    Ok(commands)
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        bad("json", format!("nothing was done: {error}; GET /_mock/ shows what a body may be"))
    })
}

fn bad(error: &'static str, description: String) -> Refusal {
    Refusal { status: 400, error, description }
}

fn wrong_method(right: &str) -> Refusal {
    Refusal { status: 405, error: "method", description: format!("this path takes {right}") }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn index(headers: &HeaderMap) -> Answer {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/html") {
        let mut answer = Answer::new(Content::Whole(Bytes::from_static(INDEX.as_bytes())));
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        answer.headers_mut().insert(header::CONTENT_TYPE, html);
        return answer;
    }
    json_answer(
        200,
        &json!({
            "POST /_mock/{org}/{app}/control": {
                "does": "one command, or an array of them, to the world of that app key; made if it is new",
                "example": [
                    { "user": { "name": "alice", "password": "pw" } },
                    { "user": { "name": "bob", "password": "pw" } },
                    { "group": { "id": "g1", "owner": "alice", "members": ["bob"] } },
                    { "settings": { "recall_window_ms": 1000 } },
                    { "fault": { "cut": { "user": "alice" } } },
                ],
            },
            "POST /_mock/{org}/{app}/clock": {
                "does": "moves that world's clock, or stops it at a moment",
                "example": [{ "advance_ms": 120_000 }, { "set_ms": 1_640_908_800_000_u64 }],
            },
            "headers": "Content-Type: application/json, and no Origin",
        }),
    )
}

fn json_answer(status: u16, body: &Value) -> Answer {
    content::json(status, body.to_string().into())
}
