//! A server in the state of a record, on a port, for a person to look at: by `curl`, or with a client.
//!
//! It says where and as whom; what anybody does there is theirs.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use mock_server::control::{Control, Settings};
use mock_server::journal::{Entry, Given};
use mock_server::shell::{MockServer, Options};
use mock_server::tape::Event;
use mock_server::{machine::Millis, replay};
use serde_json::Value as Json;

use super::{Place, Unplayable};
use crate::bundle::Bundle;
use crate::command_line::{curl, for_shell};
use crate::hold::looks;

/// A server that holds a state; dropped, it stops.
#[derive(Debug)]
pub struct Held {
    server: MockServer,
    /// What a person needs to know.
    pub told: String,
}

/// How many control commands are spelt out: a state that took more is got by the bundle.
const CONTROLS_MAX: usize = 40;

impl Held {
    /// Where it listens, as `127.0.0.1:40123`.
    pub fn authority(&self) -> String {
        self.server.addr().to_string()
    }
}

/// Brings a server to a place of the record.
pub fn hold(bundle: &Bundle, place: &Place) -> Result<Held, Unplayable> {
    let journal = bundle.journal.as_ref().ok_or(Unplayable::NoJournal)?;
    let entries = &journal[..place.entries];
    let options = Options {
        tape: true,
        settings: Settings { strict: true, ..Settings::default() },
        ..Options::default()
    };
    let server = MockServer::start(options)
        .map_err(|error| Unplayable::Harness(format!("the server could not be started: {error}")))?;
    server.replay(entries.to_vec()).map_err(Unplayable::Journal)?;
    let told = told(bundle, place, entries, &server.addr().to_string());
    Ok(Held { server, told })
}

/// Who can log in, and how.
#[derive(Default)]
struct People {
    passwords: BTreeMap<String, String>,
    tokens: BTreeMap<String, String>,
    online: Vec<String>,
}

impl People {
    fn of(entries: &[Entry]) -> Self {
        let mut people = Self::default();
        for Entry { given, .. } in entries {
            match given {
                Given::Control(control) => people.controlled(control),
                Given::Http { request, .. } => people.asked(&request.body),
                Given::Made { .. }
                | Given::Opened { .. }
                | Given::Frame { .. }
                | Given::Closed { .. }
                | Given::Webhook { .. }
                | Given::AtDoor { .. }
                | Given::Timeout
                | Given::Stopped(_)
                | Given::Running
                | Given::Advanced { .. } => {}
            }
        }
        // What cannot be replayed was refused before anybody asks.
        let rows = replay::replay(entries).map(|replayed| replayed.rows).unwrap_or_default();
        let mut conns = BTreeMap::new();
        for row in &rows {
            match &row.event {
                Event::LoggedIn { conn, user, resource } => {
                    conns.insert(*conn, format!("{user}/{resource}"));
                }
                Event::Closed { conn, .. } => {
                    conns.remove(conn);
                }
                Event::Http { answer, .. } => people.answered(answer),
                Event::Opened { .. }
                | Event::Frame { .. }
                | Event::Fault { .. }
                | Event::AtDoor { .. }
                | Event::Muted { .. } => {}
            }
        }
        people.online = conns.into_values().collect();
        people
    }

    fn controlled(&mut self, control: &Control) {
        match control {
            Control::User { name, password } => {
                self.passwords.insert(name.clone(), password.clone());
            }
            Control::Password { user, password } => {
                self.passwords.insert(user.clone(), password.clone());
                self.tokens.remove(user);
            }
            Control::Token { user, token, .. } => {
                self.tokens.insert(user.clone(), token.clone());
            }
            Control::RemoveUser { user } => {
                self.passwords.remove(user);
                self.tokens.remove(user);
            }
            _other => {}
        }
    }

    fn asked(&mut self, body: &[u8]) {
        let Ok(body) = serde_json::from_slice::<Json>(body) else { return };
        let text = |name: &str| Some(body.get(name)?.as_str()?.to_owned());
        if let (Some(user), Some(password)) = (text("username"), text("password")) {
            self.passwords.entry(user).or_insert(password);
        }
    }

    fn answered(&mut self, answer: &[u8]) {
        let Ok(answer) = serde_json::from_slice::<Json>(answer) else { return };
        let token = answer.get("access_token").and_then(Json::as_str);
        let user = answer.get("user").and_then(|user| user.get("username")).and_then(Json::as_str);
        if let (Some(token), Some(user)) = (token, user) {
            self.tokens.insert(user.to_owned(), token.to_owned());
        }
    }
}

fn told(bundle: &Bundle, place: &Place, entries: &[Entry], at: &str) -> String {
    let scenario = &bundle.scenario;
    let when = match place.step {
        Some((step, line)) => {
            format!("just before step {step} of {} ({}:{line})", scenario.name, scenario.path)
        }
        None => format!("at the end of {} ({})", scenario.name, scenario.path),
    };
    let people = People::of(entries);
    let tenant = bundle.app_key.replace('#', "/");
    let list = |of: Vec<String>| if of.is_empty() { "nobody".to_owned() } else { of.join(", ") };
    let users = people.passwords.iter().map(|(user, password)| format!("{user} (password {password})"));
    let tokens = people.tokens.iter().map(|(user, token)| format!("{user} {token}"));
    let stands = clock(entries);
    let clock = stands.map_or_else(
        || "the host's".to_owned(),
        |now| format!("stands at {} ms since 1970 until it is moved", now.0),
    );
    let mut text = String::new();
    let mut line = |words: String| writeln!(text, "{words}").expect("a String takes every write");
    line(format!("The server is as it was {when}, with client {}.", bundle.client.name));
    line(String::new());
    line(format!("  REST       http://{at}/{tenant}"));
    line(format!("  SockJS     http://{at}/ws"));
    line(format!("  WebSocket  ws://{at}/websocket"));
    line(format!("  app key    {}", bundle.app_key));
    line(format!("  users      {}", list(users.collect())));
    line(format!("  tokens     {}", list(tokens.collect())));
    line(format!("  online     {}", list(people.online)));
    line(
        "             (with nobody behind; a client that logs in as the same device takes its place)"
            .to_owned(),
    );
    line(format!("  clock      {clock}"));
    line(String::new());
    line("Look at it:".to_owned());
    let world = format!("http://{at}/_mock/{tenant}");
    let posted = |what: &str, body: &str| curl("POST", &for_shell(&format!("{world}/{what}")), None, body);
    looks(&world).for_each(|look| line(format!("  {look}")));
    if stands.is_some() {
        line("Move its clock by a second:".to_owned());
        line(format!("  {}", posted("clock", r#"{"advance_ms":1000}"#)));
    }
    if let Some((user, password)) = people.passwords.first_key_value() {
        let body = serde_json::json!({"grant_type": "password", "username": user, "password": password});
        line("A token of a user:".to_owned());
        let address = format!("http://{at}/{tenant}/token");
        line(format!("  {}", curl("POST", &for_shell(&address), None, &body.to_string())));
    }
    if let Some(controls) = controls_alone(entries) {
        line("Nothing but these has happened so far, so they stage the same on any mock-server:".to_owned());
        controls.iter().for_each(|control| line(format!("  {}", posted("control", control))));
    }
    text
}

/// The control commands of a state that they alone have brought about.
fn controls_alone(entries: &[Entry]) -> Option<Vec<String>> {
    let mut controls = Vec::new();
    for Entry { given, .. } in entries {
        match given {
            Given::Control(control) => {
                controls
                    .push(serde_json::to_string(control).expect("a control command has only string keys"));
            }
            Given::Made { .. } | Given::Stopped(_) => {}
            Given::Opened { .. }
            | Given::Frame { .. }
            | Given::Closed { .. }
            | Given::Http { .. }
            | Given::Webhook { .. }
            | Given::AtDoor { .. }
            | Given::Timeout
            | Given::Running
            | Given::Advanced { .. } => return None,
        }
    }
    (!controls.is_empty() && controls.len() <= CONTROLS_MAX).then_some(controls)
}

/// Where a clock stands; `None`: it goes on by itself.
fn clock(entries: &[Entry]) -> Option<Millis> {
    let mut clock = None;
    for Entry { given, .. } in entries {
        match given {
            Given::Stopped(now) => clock = Some(*now),
            Given::Running => clock = None,
            Given::Advanced { ms } => clock = clock.map(|Millis(now)| Millis(now.saturating_add(*ms))),
            Given::Made { .. }
            | Given::Opened { .. }
            | Given::Frame { .. }
            | Given::Closed { .. }
            | Given::Http { .. }
            | Given::Webhook { .. }
            | Given::AtDoor { .. }
            | Given::Timeout
            | Given::Control(_) => {}
        }
    }
    clock
}
