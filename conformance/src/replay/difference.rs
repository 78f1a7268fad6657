//! Two rows of a tape that should be the same, and where they are not: field by field, in the words of the schema.

use std::collections::BTreeSet;
use std::fmt;

use bytes::Bytes;
use mock_server::machine::ConnId;
use mock_server::tape::{Direction, Event, Row};
use serde_json::Value as Json;

use crate::bundle::Bundle;
use crate::dissect::{Value, dissect, hex};

/// How many fields are told; a frame of which more differ is another frame.
const FIELDS_MAX: usize = 12;
/// How much of a value is told.
const VALUE_CHARS_MAX: usize = 160;

/// The first row that is not as recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The row, from 0.
    pub row: usize,
    /// The step that was being taken, and its line.
    pub step: Option<(usize, usize)>,
    /// What it was in the record, such as `SYNC to alice/phone`.
    pub recorded: String,
    /// What it is now.
    pub now: String,
    /// A line for each field that differs.
    pub fields: Vec<String>,
}

impl Difference {
    /// Of the record and what came now; `None`: they are the same. What came after the record's end is none.
    pub fn first(bundle: &Bundle, now: &[Row]) -> Option<Self> {
        let rows = &bundle.tape;
        let row = rows.iter().enumerate().position(|(index, row)| now.get(index) != Some(row))?;
        let (recorded, got) = (&rows[row], now.get(row));
        Some(Self {
            row,
            step: bundle.step_of(row),
            recorded: label(rows, &recorded.event),
            now: got.map_or_else(|| "nothing".to_owned(), |row| label(now, &row.event)),
            fields: got.map(|got| fields(recorded, got)).unwrap_or_default(),
        })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { row, step, recorded, now, fields } = self;
        match step {
            Some((step, line)) => write!(f, "in step {step} (line {line})")?,
            None => f.write_str("before the first step")?,
        }
        write!(f, ", row {} of the tape", row + 1)?;
        if recorded == now {
            write!(f, ": {recorded}")?;
        } else {
            write!(f, "\n  recorded: {recorded}\n  now:      {now}")?;
        }
        for field in fields {
            write!(f, "\n  {field}")?;
        }
        Ok(())
    }
}

/// Who is behind a connection, by the rows that say so.
pub(super) fn whose(rows: &[Row], conn: ConnId) -> String {
    let named = rows.iter().find_map(|row| match &row.event {
        Event::LoggedIn { conn: of, user, resource } if *of == conn => Some(format!("{user}/{resource}")),
        _other => None,
    });
    named.unwrap_or_else(|| format!("connection {}", conn.0))
}

/// What a row is, in a few words.
pub(super) fn label(rows: &[Row], event: &Event) -> String {
    match event {
        Event::Opened { conn, .. } => format!("{} opens", whose(rows, *conn)),
        Event::LoggedIn { user, resource, .. } => format!("{user}/{resource} is logged in"),
        Event::Frame { conn, direction, bytes } => {
            let way = match direction {
                Direction::Up => "from",
                Direction::Down => "to",
            };
            format!("{} {way} {}", command(bytes, *direction), whose(rows, *conn))
        }
        Event::Muted { conn } => format!("the server falls mute towards {}", whose(rows, *conn)),
        Event::Closed { conn, why } => format!("{} is {why}", whose(rows, *conn)),
        Event::Fault { rule, text, .. } => format!("rule {rule}: {text}"),
        Event::AtDoor { fault, text, .. } => format!("door fault {fault}: {text}"),
        Event::Http { method, path, user, status, .. } => {
            let user = user.as_deref().map(|user| format!(" of {user}")).unwrap_or_default();
            format!("{method} {path}{user}, answered {status}")
        }
    }
}

/// The command of a frame.
pub(super) fn command(bytes: &[u8], direction: Direction) -> String {
    match dissect(bytes, direction) {
        Ok(tree) => {
            tree.field("command").map_or_else(|| "a frame".to_owned(), |field| field.word().into_owned())
        }
        Err(_) => "bytes that are no frame".to_owned(),
    }
}

fn fields(recorded: &Row, now: &Row) -> Vec<String> {
    let mut lines = Vec::new();
    if recorded.at != now.at {
        lines.push(format!("the world's clock: recorded {}, now {}", recorded.at.0, now.at.0));
    }
    match (&recorded.event, &now.event) {
        (
            Event::Frame { direction, bytes: recorded, .. },
            Event::Frame { direction: way, bytes: now, .. },
        ) if direction == way => lines.extend(frames(recorded, now, *direction)),
        (
            Event::Http { body, answer, status, .. },
            Event::Http { body: body_now, answer: answer_now, status: status_now, .. },
        ) => {
            if status != status_now {
                lines.push(format!("status: recorded {status}, now {status_now}"));
            }
            lines.extend(compare("body", &jsons(body), &jsons(body_now)));
            lines.extend(compare("answer", &jsons(answer), &jsons(answer_now)));
        }
        (_, _) => {}
    }
    lines
}

/// Where two frames differ; empty when they do not.
pub(super) fn frames(recorded: &[u8], now: &[u8], direction: Direction) -> Vec<String> {
    if recorded == now {
        return Vec::new();
    }
    let of = |bytes: &[u8]| match dissect(bytes, direction) {
        Ok(tree) => {
            let mut leaves = Vec::new();
            tree.leaves(&mut |path, _, field| {
                let word = match &field.value {
                    Value::Tree(_) => "{}".to_owned(),
                    Value::Text(text) => Json::from(*text).to_string(),
                    Value::Varint(_)
                    | Value::Fixed64(_)
                    | Value::Fixed32(_)
                    | Value::Bytes(_)
                    | Value::Packed(_)
                    | Value::Broken { .. } => field.word().into_owned(),
                };
                leaves.push((path.to_owned(), word));
            });
            leaves
        }
        Err(why) => vec![("(no frame)".to_owned(), format!("{why}: {}", hex(bytes)))],
    };
    let lines = compare("", &of(recorded), &of(now));
    if lines.is_empty() {
        return vec![format!("the same fields in other bytes: recorded {}, now {}", hex(recorded), hex(now))];
    }
    lines
}

/// A body's leaves; of what is no JSON, one.
pub(super) fn jsons(body: &Bytes) -> Vec<(String, String)> {
    let mut leaves = Vec::new();
    match serde_json::from_slice::<Json>(body) {
        Ok(json) => gather_json(&json, "", &mut leaves),
        Err(_) if body.is_empty() => {}
        Err(_) => leaves.push((String::new(), String::from_utf8_lossy(body).into_owned())),
    }
    leaves
}

fn gather_json(json: &Json, path: &str, leaves: &mut Vec<(String, String)>) {
    match json {
        Json::Object(fields) if !fields.is_empty() => {
            let dot = if path.is_empty() { "" } else { "." };
            fields.iter().for_each(|(key, value)| gather_json(value, &format!("{path}{dot}{key}"), leaves));
        }
        Json::Array(values) if !values.is_empty() => {
            let nth = |(index, value)| gather_json(value, &format!("{path}[{index}]"), leaves);
            values.iter().enumerate().for_each(nth);
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
            leaves.push((path.to_owned(), json.to_string()));
        }
    }
}

/// A line for each path whose value is not the same.
pub(super) fn compare(of: &str, recorded: &[(String, String)], now: &[(String, String)]) -> Vec<String> {
    let value = |leaves: &[(String, String)], path: &str| {
        let found = leaves.iter().find(|(other, _)| other == path);
        found.map_or_else(|| "nothing".to_owned(), |(_, value)| shortened(value))
    };
    let paths: BTreeSet<&str> = recorded.iter().chain(now).map(|(path, _)| path.as_str()).collect();
    let dot = if of.is_empty() { "" } else { "." };
    let mut lines: Vec<String> = Vec::new();
    for path in paths {
        let whole = |leaves: &[(String, String)]| {
            leaves.iter().find(|(other, _)| other == path).map(|(_, value)| value.clone())
        };
        if whole(recorded) != whole(now) {
            let dot = if path.is_empty() { "" } else { dot };
            let (was, is) = (value(recorded, path), value(now, path));
            lines.push(format!("{of}{dot}{path}: recorded {was}, now {is}"));
        }
    }
    let more = lines.len().saturating_sub(FIELDS_MAX);
    if more > 0 {
        lines.truncate(FIELDS_MAX);
        lines.push(format!("… and {more} more fields"));
    }
    lines
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}… ({} bytes)", &text[..at], text.len()),
    }
}
