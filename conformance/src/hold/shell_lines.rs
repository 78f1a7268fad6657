//! The command lines, for a POSIX shell with curl, that bring an empty world to where a run's was: what the harness
//! commanded and what clients asked of REST, in their order, up to a step.
//!
//! What went over sockets is not in them; a replay of the run's bundle has all of it.

use std::collections::BTreeSet;

use mock_server::control::SettingsPatch;
use mock_server::control_api::{ClockMove, NewWorld};
use mock_server::tape::{Direction, Event, Row};
use serde::Serialize;
use serde_json::json;

use crate::command_line::{curl, for_shell};
use crate::host::Addresses;
use crate::run::{Run, START};
use crate::trace::Marked;

/// Lines to run, and what they leave out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Staging {
    /// One command each. The first two name the server and the world for those that follow.
    pub lines: Vec<String>,
    /// In words.
    pub notes: Vec<String>,
}

/// How long the tokens of these lines live: a person may take a day.
const TOKEN_TTL_MS: u64 = 24 * 3_600_000;
/// How many rows the tape of the new world keeps.
const TAPE_ROWS_MAX: usize = 200_000;

/// What leads to the state just before `step`; `None`: to the end.
pub fn staging(run: &Run, step: Option<usize>, addresses: &Addresses) -> Staging {
    let trace = &run.trace;
    let (org, app) = trace.app_key.split_once('#').unwrap_or_default();
    let mut writer = Writer::default();
    writer.lines.push(format!("SERVER={}", for_shell(&addresses.http)));
    writer.lines.push(format!("WORLD=\"$SERVER\"/_mock/{}", for_shell(&format!("{org}/{app}"))));
    writer.lines.push(format!("APP=\"$SERVER\"/{}", for_shell(&format!("{org}/{app}"))));
    let settings = SettingsPatch { strict: Some(true), ..SettingsPatch::default() };
    let new = NewWorld {
        settings: Some(Box::new(settings)),
        clock_ms: run.ended_at.map(|_| START.0),
        tape_rows_max: Some(TAPE_ROWS_MAX),
        nasty: trace.nasty(),
    };
    writer.post("world", &new);
    let is_before = |at: Option<usize>| match (at, step) {
        (Some(at), Some(step)) => at < step,
        (None | Some(_), _) => true,
    };
    // What follows the last step is marked with none, as is what precedes the first.
    let mut marks = trace.marks.iter().take_while(|mark| is_before(mark.step)).peekable();
    let until =
        trace.marks.iter().find(|mark| !is_before(mark.step)).map_or(trace.rows.len(), |mark| mark.row);
    for (index, row) in trace.rows.iter().enumerate().take(until) {
        while let Some(mark) = marks.next_if(|mark| mark.row <= index) {
            writer.mark(&mark.what);
        }
        writer.row(row);
    }
    marks.for_each(|mark| writer.mark(&mark.what));
    writer.end(trace.marks_left_out)
}

#[derive(Default)]
struct Writer {
    lines: Vec<String>,
    /// Who has a token that these lines know.
    tokens: BTreeSet<String>,
    logins: BTreeSet<String>,
    frames: usize,
    uploads: usize,
}

impl Writer {
    fn post(&mut self, what: &str, body: &impl Serialize) {
        let body = serde_json::to_string(body).expect("it has only string keys");
        self.lines.push(curl("POST", &format!("\"$WORLD\"/{what}"), None, &body));
    }

    fn mark(&mut self, what: &Marked) {
        match what {
            Marked::Control(said) => {
                self.lines.push(curl("POST", "\"$WORLD\"/control", None, said));
            }
            Marked::Advanced { ms } => self.post("clock", &ClockMove::AdvanceMs(*ms)),
            Marked::Step { .. } | Marked::Asked(_) | Marked::Said(_) => {}
        }
    }

    fn row(&mut self, row: &Row) {
        match &row.event {
            Event::Http { method, path, user, body, status, .. } => {
                self.request(method, path, user.as_deref(), body, *status);
            }
            Event::LoggedIn { user, resource, .. } => {
                self.logins.insert(format!("{user}/{resource}"));
            }
            Event::Frame { direction: Direction::Up, .. } => self.frames += 1,
            Event::Frame { direction: Direction::Down, .. }
            | Event::Opened { .. }
            | Event::Muted { .. }
            | Event::Fault { .. }
            | Event::AtDoor { .. }
            | Event::Closed { .. } => {}
        }
    }

    /// A request that changed something.
    fn request(&mut self, method: &str, path: &str, user: Option<&str>, body: &[u8], status: u16) {
        let place = path.split_once('?').map_or(path, |(place, _)| place);
        // A login is no part of the state: its token is another each time.
        let is_login = method == "POST" && place == "/token";
        if method == "GET" || is_login || !(200..300).contains(&status) {
            return;
        }
        // Of an upload the tape has no bytes.
        if place.starts_with("/chatfiles") || place.starts_with("/sdk/chatfiles") {
            self.uploads += 1;
            return;
        }
        let token = user.map(|user| {
            let token = format!("held-{user}");
            if self.tokens.insert(user.to_owned()) {
                let made = json!({ "token": { "user": user, "token": token, "ttl_ms": TOKEN_TTL_MS } });
                self.post("control", &made);
            }
            token
        });
        let place = percent_encoded(path);
        let address = format!("\"$APP\"{}", for_shell(&place));
        self.lines.push(curl(method, &address, token.as_deref(), &String::from_utf8_lossy(body)));
    }

    fn end(self, marks_left_out: usize) -> Staging {
        let Self { lines, logins, frames, uploads, .. } = self;
        let mut notes = Vec::new();
        if !logins.is_empty() {
            let logins: Vec<String> = logins.into_iter().collect();
            notes.push(format!(
                "{} had logged in and sent {frames} frames: that takes a client, or `conformance replay` of the bundle",
                logins.join(", ")
            ));
        }
        if uploads > 0 {
            notes.push(format!("{uploads} attachments had been uploaded: only the bundle has their bytes"));
        }
        if marks_left_out > 0 {
            notes.push(format!("the first {marks_left_out} things that happened are not known any more"));
        }
        Staging { lines, notes }
    }
}

/// A path and query as an address may hold it: of a path, the tape has it decoded, and a query as it came.
fn percent_encoded(path: &str) -> String {
    let mut text = String::new();
    let query_at = path.find('?').unwrap_or(path.len());
    for (at, byte) in path.bytes().enumerate() {
        let is_plain = byte.is_ascii_alphanumeric() || b"-_.~/?&=:@,;+!*$".contains(&byte);
        if is_plain || (byte == b'%' && at > query_at) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("/chatgroups/7/users/bob", "/chatgroups/7/users/bob")]
    #[case("/users/ü b?x=[1]&y={z}", "/users/%C3%BC%20b?x=%5B1%5D&y=%7Bz%7D")]
    #[case("/a#b'c", "/a%23b%27c")]
    #[case("/100%25?q=%20", "/100%2525?q=%20")]
    fn a_path_is_an_address_again(#[case] path: &str, #[case] encoded: &str) {
        assert_eq!(percent_encoded(path), encoded);
    }
}
