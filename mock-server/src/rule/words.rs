//! The words of the rule language, and what was probably meant by one that is none of them.

use super::Command;
use crate::decoded::{Kind, Way};
use crate::machine::rest::Method;

pub(super) const COMMANDS: [(Command, &str); 5] = [
    (Command::Sync, "SYNC"),
    (Command::Unread, "UNREAD"),
    (Command::Notice, "NOTICE"),
    (Command::Provision, "PROVISION"),
    (Command::Logout, "LOGOUT"),
];

pub(super) const METHODS: [(Method, &str); 4] =
    [(Method::Get, "GET"), (Method::Post, "POST"), (Method::Put, "PUT"), (Method::Delete, "DELETE")];

pub(super) const ACTIONS: [&str; 11] =
    ["drop", "delay", "duplicate", "hold", "truncate", "flip", "answer", "close", "cut", "reset", "go"];

pub(super) const CLAUSES: [&str; 8] = ["from", "to", "where", "times", "within", "after", "with", "seed"];

/// What a condition on a request may begin with.
pub(super) const REQUEST_FIELDS: [&str; 5] = ["path", "query", "body", "status", "answer"];

/// The kinds of frames that have a word of their own in rules: a command's kind is the command.
pub(super) fn kinds() -> impl Iterator<Item = (Kind, &'static str, Way)> {
    let is_frame = |way: Way| match way {
        Way::Up | Way::Down | Way::Both => true,
        Way::Neither => false,
    };
    let has_word = move |&(kind, word, way): &(Kind, &'static str, Way)| {
        let is_command = COMMANDS.iter().any(|(_, command)| command.eq_ignore_ascii_case(word));
        is_frame(way) && !is_command && kind != Kind::Message
    };
    Kind::ALL.into_iter().filter(has_word)
}

/// Every word that may say what a rule is about.
pub(super) fn whats() -> Vec<&'static str> {
    let mut words: Vec<&str> = COMMANDS.iter().map(|(_, word)| *word).collect();
    words.extend(kinds().map(|(_, word, _)| word));
    words.extend(["message", "frame", "request", "upload"]);
    words.extend(METHODS.iter().map(|(_, word)| *word));
    words
}

/// `; did you mean …?`, where a word is near enough to one of those that would do.
pub(super) fn meant<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let lower = word.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&lower, &known.to_lowercase());
    let nearest = known.into_iter().map(|known| (distance(known), known)).min_by_key(|(far, _)| *far);
    match nearest {
        Some((far, known)) if far <= 1 + lower.chars().count() / 4 => format!("; did you mean {known}?"),
        Some(_) | None => String::new(),
    }
}
