//! What is kept of what went by: rows of each world, the secrets in them, and notes of what no row can tell. It is bounded,
//! and says when it is full.
//!
//! In memory it has secrets; whoever writes it takes a [`Snapshot`] and replaces them.

use std::collections::BTreeMap;

use hyper::HeaderMap;
use indexmap::IndexMap;
use serde_json::Value as Json;

use super::redact::{Secrets, What};
use crate::machine::{AppKey, ConnId, Millis, excerpt};
use crate::shell::clock::wall_now;
use crate::tape::{Event, Row};

/// Everything that is kept, of all worlds.
#[derive(Debug, Default)]
pub(super) struct Kept {
    worlds: IndexMap<String, Vec<Row>>,
    secrets: Secrets,
    /// Whose token it is, where that was said.
    users: BTreeMap<String, String>,
    notes: Vec<Note>,
    notes_left_out: usize,
    rows: usize,
    bytes: usize,
    rows_max: usize,
    bytes_max: usize,
    /// Rows that came when it was full.
    rows_left_out: usize,
    conns: u64,
    /// Counts up with whatever is kept.
    pub(super) version: u64,
}

/// Something that happened to the recorder rather than in a world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) at: Millis,
    pub(super) text: String,
    /// It came again, so often.
    pub(super) times: usize,
}

/// What there is at a moment, to be written elsewhere; its bytes are shared.
#[derive(Clone, Debug)]
pub(super) struct Snapshot {
    pub(super) worlds: Vec<(String, Vec<Row>)>,
    pub(super) secrets: Secrets,
    pub(super) notes: Vec<Note>,
    pub(super) notes_left_out: usize,
    pub(super) rows_left_out: usize,
    pub(super) version: u64,
}

/// Worlds of one recording: a tester has one or two, a suite of scenarios some hundred; each is three files.
const WORLDS_MAX: usize = 1_024;
/// Notes are for people: nobody reads more.
const NOTES_MAX: usize = 1_000;
/// Who has more tokens than this is no tester; rows then do not say whose request it was.
const USERS_MAX: usize = 10_000;
/// What a row costs beside its bytes.
const ROW_BYTES: usize = 128;

impl Kept {
    pub(super) fn new(rows_max: usize, bytes_max: usize) -> Self {
        Self { rows_max, bytes_max, ..Self::default() }
    }

    /// The next connection's name.
    pub(super) fn conn(&mut self) -> ConnId {
        self.conns += 1;
        ConnId(self.conns)
    }

    /// One row more, unless it is full: the beginning of a record is what the rest of it needs.
    pub(super) fn row(&mut self, app_key: &AppKey, event: Event) {
        let row = Row { at: wall_now(), event };
        let bytes = row.event.long_bytes() + ROW_BYTES;
        let is_new_world = !self.worlds.contains_key(app_key.as_str());
        let has_room = self.rows < self.rows_max
            && self.bytes + bytes <= self.bytes_max
            && (!is_new_world || self.worlds.len() < WORLDS_MAX);
        // Once something is missing, nothing behind it would make sense.
        if !has_room || self.rows_left_out > 0 || !self.secrets.learn_row(&row) {
            self.rows_left_out += 1;
            if self.rows_left_out == 1 {
                let text = format!(
                    "the record is full ({} rows, {} MB, {} worlds): from here on everything is forwarded and nothing kept; \
                     --rows and --megabytes allow more",
                    self.rows,
                    self.bytes >> 20,
                    self.worlds.len()
                );
                tracing::warn!("{text}");
                self.note(text);
            }
            return;
        }
        if is_new_world {
            app_key.as_str().split('#').for_each(|half| self.secrets.word(half));
        }
        self.learn_names(&row.event);
        self.rows += 1;
        self.bytes += bytes;
        self.worlds.entry(app_key.as_str().to_owned()).or_default().push(row);
        self.version += 1;
    }

    /// Something to tell of, once however often it comes.
    pub(super) fn note(&mut self, text: String) {
        self.note_times(text, 1);
    }

    /// The same of something that came so often at once.
    pub(super) fn note_times(&mut self, text: String, times: usize) {
        self.version += 1;
        if let Some(note) = self.notes.iter_mut().find(|note| note.text == text) {
            note.times += times;
        } else if self.notes.len() < NOTES_MAX {
            self.notes.push(Note { at: wall_now(), text, times });
        } else {
            self.notes_left_out += times;
        }
    }

    pub(super) fn headers(&mut self, headers: &HeaderMap) {
        // A secret that is not known could not be replaced.
        if !self.secrets.learn_headers(headers) {
            self.rows_max = 0;
        }
    }

    /// A token and whose it is.
    pub(super) fn token(&mut self, token: &str, user: &str) {
        self.secrets.learn(What::Token, token);
        if self.users.len() < USERS_MAX {
            self.users.insert(token.to_owned(), user.to_lowercase());
        }
    }

    pub(super) fn user_of(&self, token: &str) -> Option<String> {
        self.users.get(token).cloned()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        Snapshot {
            worlds: self.worlds.iter().map(|(app_key, rows)| (app_key.clone(), rows.clone())).collect(),
            secrets: self.secrets.clone(),
            notes: self.notes.clone(),
            notes_left_out: self.notes_left_out,
            rows_left_out: self.rows_left_out,
            version: self.version,
        }
    }

    fn learn_names(&mut self, event: &Event) {
        match event {
            Event::LoggedIn { user, resource, .. } => {
                self.secrets.word(user);
                self.secrets.word(resource);
            }
            Event::Http { body, answer, .. } => {
                let read = |bytes: &[u8]| serde_json::from_slice::<Json>(bytes).ok();
                let name = read(body).and_then(|body| Some(body.get("username")?.as_str()?.to_owned()));
                if let Some(name) = &name {
                    self.secrets.word(name);
                    self.secrets.word(&name.to_lowercase());
                }
                let token = read(answer).and_then(|answer| {
                    let token = answer.get("access_token")?.as_str()?.to_owned();
                    let user = answer.pointer("/user/username").and_then(Json::as_str).map(str::to_owned);
                    Some((token, user.or(name)?))
                });
                if let Some((token, user)) = token {
                    self.token(&token, &user);
                }
            }
            Event::Opened { .. }
            | Event::Frame { .. }
            | Event::Muted { .. }
            | Event::Fault { .. }
            | Event::AtDoor { .. }
            | Event::Closed { .. } => {}
        }
    }
}

/// A path as a note may have it: without its query, and not endless.
pub(super) fn place(method: &str, path: &str) -> String {
    format!("{method} {}", excerpt(path.split('?').next().unwrap_or_default()))
}
