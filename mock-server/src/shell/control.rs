//! The control plane over HTTP, under `/_mock/`: a world is staged, its clock moved and its tape read by whoever runs the
//! server, in the words of [`crate::control_api`].
//!
//! No page of a browser may: it is told nothing of another origin's, a request with an `Origin` or of a page by
//! `Sec-Fetch-Site` is refused whatever it says, and so is a POST whose Content-Type is not JSON, which a form cannot
//! send. Who can reach the port and is no browser may do all of this; by default that is this machine alone.

mod index;
mod look;

use std::rc::Rc;

use hyper::body::Incoming;
use hyper::header::{self, HeaderMap};
use hyper::{Method, Request as HttpRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::api;
use super::content::{self, Answer};
use super::world::World;
use super::worlds::{Founding, Worlds};
use crate::control::{Control, Settings};
use crate::control_api::{
    ClockAt, ClockMove, CommandResult, CommandResults, JournalAnswer, KeepTape, NewWorld, Refused,
    TAPE_ROWS_MAX,
};
use crate::machine::{AppKey, Config, Millis, Server, excerpt};

/// A refusal, in words for the person who meets it.
struct Refusal {
    status: u16,
    error: &'static str,
    description: String,
}

/// What stands behind an app key in a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Door {
    World,
    Control,
    Clock,
    Tape,
    Quiet,
    Rest,
    Findings,
    Journal,
}

/// A stage is set in some hundred commands; a slip in a loop should show.
const COMMANDS_MAX: usize = 10_000;

const DOORS: [(&str, Door); 8] = [
    ("world", Door::World),
    ("control", Door::Control),
    ("clock", Door::Clock),
    ("tape", Door::Tape),
    ("quiet", Door::Quiet),
    ("rest", Door::Rest),
    ("findings", Door::Findings),
    ("journal", Door::Journal),
];

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
            told(status, &Refused { error: error.to_owned(), error_description: description, results: None })
        }
    }
}

async fn routed(worlds: &Worlds, request: HttpRequest<Incoming>, path: &str) -> Result<Answer, Refusal> {
    if is_of_a_page(request.headers()) {
        let description = "a page may not stage this server; send the request from the test's own process, without \
                           an Origin header";
        return Err(Refusal { status: 403, error: "not_for_pages", description: description.into() });
    }
    if matches!(path, "" | "/") {
        return match *request.method() {
            Method::GET | Method::HEAD => Ok(index::answer(worlds, request.headers())),
            _ => Err(wrong_method("GET")),
        };
    }
    let (app_key, door) = place(path)?;
    let app_key = app_key?;
    let query = request.uri().query().unwrap_or_default().to_owned();
    match (door, request.method()) {
        (Door::World, &Method::DELETE) => {
            worlds.forget(&app_key);
            Ok(told(200, &serde_json::Map::new()))
        }
        (Door::World | Door::Control | Door::Clock | Door::Tape, &Method::POST) => {
            post(worlds, &app_key, door, request).await
        }
        (Door::Clock, &Method::GET) => {
            look::refuse_query(&query)?;
            Ok(told(200, &ClockAt { now_ms: known(worlds, &app_key)?.now().0 }))
        }
        (Door::Tape, &Method::GET) => look::tape(&*known(worlds, &app_key)?, &query),
        (Door::Quiet, &Method::GET) => look::quiet(&*known(worlds, &app_key)?, &query).await,
        (Door::Rest, &Method::GET) => look::rest(&*known(worlds, &app_key)?, &query).await,
        (Door::Findings, &Method::GET) => {
            look::refuse_query(&query)?;
            Ok(look::findings(&*known(worlds, &app_key)?))
        }
        (Door::Journal, &Method::GET) => {
            look::refuse_query(&query)?;
            Ok(told(200, &JournalAnswer { entries: known(worlds, &app_key)?.journal() }))
        }
        (Door::World, _) => Err(wrong_method("POST and DELETE")),
        (Door::Control, _) => Err(wrong_method("POST")),
        (Door::Clock | Door::Tape, _) => Err(wrong_method("GET and POST")),
        (Door::Quiet | Door::Rest | Door::Findings | Door::Journal, _) => Err(wrong_method("GET")),
    }
}

/// The app key that a path names, if it is one, and what is behind it.
fn place(path: &str) -> Result<(Result<AppKey, Refusal>, Door), Refusal> {
    let mut segments = path[1..].split('/');
    let (org, app, what) = (segments.next(), segments.next(), segments.next());
    let door = what.and_then(|what| DOORS.iter().find(|(word, _)| *word == what));
    let (Some(org), Some(app), Some(&(_, door)), None) = (org, app, door, segments.next()) else {
        let words: Vec<&str> = DOORS.iter().map(|(word, _)| *word).collect();
        let description = format!("there are /_mock/ and /_mock/{{org}}/{{app}}/ with {}", words.join(", "));
        return Err(Refusal { status: 404, error: "no_such_path", description });
    };
    let app_key = api::percent_decoded(&format!("{org}#{app}")).and_then(|text| AppKey::parse(&text));
    let app_key = app_key.ok_or_else(|| {
        bad("no_app_key", "the path names no app key: /_mock/{org}/{app}/… with both halves".into())
    });
    Ok((app_key, door))
}

async fn post(
    worlds: &Worlds,
    app_key: &AppKey,
    door: Door,
    request: HttpRequest<Incoming>,
) -> Result<Answer, Refusal> {
    if !is_json(request.headers()) {
        let description = "the Content-Type must be application/json, so that no form of a page can send it";
        return Err(Refusal { status: 415, error: "not_json", description: description.into() });
    }
    let body = api::json_body(request.into_body())
        .await
        .map_err(|failure| bad("body", failure.description().to_owned()))?;
    // Read before the world is made: what is refused leaves nothing behind.
    match door {
        Door::Control => {
            let commands = commands(&body)?;
            Ok(control(&*made(worlds, app_key)?, commands))
        }
        Door::World => anew(worlds, app_key, parsed(&body)?),
        Door::Tape => {
            let KeepTape { rows_max } = parsed(&body)?;
            tape_rows(rows_max)?;
            made(worlds, app_key)?.keep_tape(rows_max);
            Ok(told(200, &KeepTape { rows_max }))
        }
        Door::Clock => {
            let to: ClockMove = parsed(&body)?;
            let world = made(worlds, app_key)?;
            match to {
                ClockMove::AdvanceMs(ms) => world.advance(ms),
                ClockMove::SetMs(ms) => world.set_clock(Millis(ms)),
            }
            Ok(told(200, &ClockAt { now_ms: world.now().0 }))
        }
        Door::Quiet | Door::Rest | Door::Findings | Door::Journal => {
            unreachable!("none of them takes a POST")
        }
    }
}

fn anew(worlds: &Worlds, app_key: &AppKey, new: NewWorld) -> Result<Answer, Refusal> {
    let NewWorld { settings: patch, clock_ms, tape_rows_max } = new;
    tape_rows_max.map_or(Ok(()), tape_rows)?;
    let mut settings = Settings::default();
    if let Some(patch) = patch {
        // A rule that makes no sense is refused before anything is forgotten.
        let mut trial = Server::new(Config::new(app_key.clone()));
        trial
            .control(Millis(0), Control::Settings((*patch).clone()))
            .map_err(|error| bad("settings", format!("nothing was done: {error}")))?;
        settings.apply(*patch);
    }
    let founding = Founding { settings, tape_rows_max };
    let world = worlds.make_anew(app_key, founding).ok_or_else(no_room)?;
    if let Some(ms) = clock_ms {
        world.set_clock(Millis(ms));
    }
    Ok(told(200, &ClockAt { now_ms: world.now().0 }))
}

fn tape_rows(rows_max: usize) -> Result<(), Refusal> {
    if (1..=TAPE_ROWS_MAX).contains(&rows_max) {
        return Ok(());
    }
    Err(bad("rows", format!("a tape keeps 1 to {TAPE_ROWS_MAX} rows, not {rows_max}")))
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

/// Does each, whatever became of those before, and says which were refused.
fn control(world: &World, commands: Vec<Control>) -> Answer {
    let results: Vec<CommandResult> = commands
        .into_iter()
        .map(|command| match world.control(command) {
            Ok(()) => CommandResult { done: true, error: None },
            Err(error) => CommandResult { done: false, error: Some(error.to_string()) },
        })
        .collect();
    if results.iter().all(|result| result.done) {
        return told(200, &CommandResults { results });
    }
    let description = "results tells for each command whether it was done; one that was not changed nothing";
    let refused = Refused {
        error: "refused".to_owned(),
        error_description: description.to_owned(),
        results: Some(results),
    };
    told(400, &refused)
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

/// A page of another origin says so by `Origin`, at least where it changes something; one that has rebound this
/// address's name is of no other origin, but every browser of today still says that a page asks.
fn is_of_a_page(headers: &HeaderMap) -> bool {
    let fetched_by = headers.get("sec-fetch-site").map(|site| site.as_bytes() != b"none");
    headers.contains_key(header::ORIGIN) || fetched_by.unwrap_or(false)
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn told(status: u16, body: &impl Serialize) -> Answer {
    let json = serde_json::to_vec(body).expect("an answer has only string keys");
    content::json(status, json.into())
}
