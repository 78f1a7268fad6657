//! A world that is held after a failure, for a person to look at: where it is, who is in it, and the command lines that
//! bring another one to the state just before the step that failed.
//!
//! It writes text. Who waits, and for how long, is the program's affair.

mod shell_lines;

use std::fmt::Write as _;

use mock_server::control::Control;

use crate::command_line::{curl_get, for_shell};
use crate::host::Addresses;
use crate::run::Run;
use crate::scenario::Scenario;
use crate::trace::Marked;
use crate::verdict::{Mismatch, Place};

pub use shell_lines::staging;

/// What happens to a world whose scenario failed, before it would be forgotten.
pub trait Holder: Sync + std::fmt::Debug {
    /// The world and its client are as the failure left them until this returns.
    fn hold(&self, held: &Held<'_>) -> After;
}

/// What becomes of a world that was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It is forgotten, as every other.
    Forget,
    /// It stays on its server.
    Keep,
}

/// A world that is held.
#[derive(Clone, Copy, Debug)]
pub struct Held<'a> {
    /// Whose.
    pub scenario: &'a Scenario,
    /// What became of it.
    pub run: &'a Run,
    /// What failed.
    pub mismatches: &'a [Mismatch],
    /// Where its server is.
    pub addresses: &'a Addresses,
}

impl Held<'_> {
    /// The step that failed, from 1; `None`: what failed was known only after the last.
    fn step(&self) -> Option<usize> {
        self.mismatches.iter().find_map(|mismatch| match mismatch.place {
            Place::Step(number, _) => Some(number),
            Place::Around | Place::Wire | Place::Record | Place::ClientFile => None,
        })
    }

    /// What a person needs, in plain words and command lines. `ends` says how the holding ends.
    pub fn text(&self, ends: &str) -> String {
        let Self { scenario, run, mismatches, addresses } = self;
        let step = self.step();
        let trace = &run.trace;
        let Some((org, app)) = trace.app_key.split_once('#') else {
            return format!("{} did not get as far as a world: there is nothing to hold\n", scenario.name);
        };
        let mut text = String::new();
        let mut line = |words: std::fmt::Arguments<'_>| {
            text.write_fmt(words).expect("a String takes all");
            text.push('\n');
        };
        line(format_args!("FAILED {}", scenario.name));
        for (number, words) in mismatches.iter().flat_map(|mismatch| mismatch.message.lines().enumerate()) {
            line(format_args!("{}{words}", if number == 0 { "  " } else { "    " }));
        }
        line(format_args!("its world is held {ends}"));
        line(format_args!("  server:   {}", addresses.http));
        line(format_args!("  app key:  {}", trace.app_key));
        line(format_args!("  3.x url:  {}/ws    4.x url:  {}/websocket", addresses.http, addresses.ws));
        for (name, password) in users(run) {
            line(format_args!("  user:     {name}  password: {password}"));
        }
        let world = format!("{}/_mock/{org}/{app}", addresses.http);
        line(format_args!("look at it:"));
        for look in looks(&world) {
            line(format_args!("  {look}"));
        }
        let before = match step {
            Some(step) => format!("as it was before step {step}"),
            None => "as it was after the last step".to_owned(),
        };
        line(format_args!(
            "stage it {before}: these lines, in a POSIX shell, on this server in the place of the held world or on another"
        ));
        let staging = staging(run, step, addresses);
        for command in &staging.lines {
            line(format_args!("  {command}"));
        }
        for note in &staging.notes {
            line(format_args!("  # {note}"));
        }
        text
    }
}

const LOOKS: [(&str, &str); 4] = [
    ("tape?rows=100", "the first frames and requests, bytes in base64"),
    ("findings", "what the client did wrong that the server forgave"),
    ("quiet", "what the world still waits for"),
    ("clock", "what time it is there"),
];

/// The lines that look into a world, each with what it shows; `world` is its address behind `/_mock/`.
pub(crate) fn looks(world: &str) -> impl Iterator<Item = String> {
    LOOKS
        .iter()
        .map(move |(what, does)| format!("{}  # {does}", curl_get(&for_shell(&format!("{world}/{what}")))))
}

/// The users that the harness made, with their passwords of now.
fn users(run: &Run) -> Vec<(String, String)> {
    let mut users: Vec<(String, String)> = Vec::new();
    for mark in &run.trace.marks {
        let Marked::Control(said) = &mark.what else { continue };
        match serde_json::from_str(said) {
            Ok(Control::User { name, password }) => {
                users.retain(|(known, _)| *known != name);
                users.push((name, password));
            }
            Ok(Control::Password { user, password }) => {
                users.retain(|(known, _)| !known.eq_ignore_ascii_case(&user));
                users.push((user, password));
            }
            Ok(_) | Err(_) => {}
        }
    }
    users
}
