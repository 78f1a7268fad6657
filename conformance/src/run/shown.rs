//! What a client showed of an error of the catalog, in a line, and whether that is what the catalog says of the client.
//!
//! The line is made of events alone. Nothing of it is right or wrong: what a client should show is for clauses, and the
//! scenarios of `fail`, `conn` and `v4` hold it to them.

use mock_server::catalog::catalog;
use serde_json::Value;

use super::{Failure, Outcome, Run};
use crate::client::Client;
use crate::driver::Event;

/// What a client showed of one error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownError {
    /// The error's name in the catalog.
    pub name: String,
    /// The step that took it: its number from 1, and its line.
    place: (usize, usize),
    /// Each event by its name, its number and its words, in order; `nothing` where none came.
    pub line: String,
}

/// The command that writes what runs have shown into the catalog.
pub const WRITE: &str = "cargo xtask conformance errors --write";
/// A line of a table: an SDK may put a whole answer into its words.
const WORDS_CHARS_MAX: usize = 80;

impl ShownError {
    pub(super) fn of<'e>(name: &str, place: (usize, usize), events: impl Iterator<Item = &'e Event>) -> Self {
        let shown: Vec<String> = events.map(in_a_word).collect();
        let line = if shown.is_empty() { "nothing".to_owned() } else { shown.join(", then ") };
        Self { name: name.to_owned(), place, line }
    }
}

/// The outcome of a run, after what it showed of errors is held against the catalog. Of a client that the catalog tells
/// nothing of, nothing is held.
pub(crate) fn outcome(run: &Run, client: &Client) -> Outcome {
    if run.outcome != Outcome::Finished || !catalog().tells_of(&client.name) {
        return run.outcome.clone();
    }
    let other = run.shown.iter().find_map(|shown| {
        let expected = catalog().seen(&shown.name, &client.name).unwrap_or("what nobody has seen yet");
        (expected != shown.line).then_some((shown, expected))
    });
    match other {
        None => Outcome::Finished,
        Some((shown, expected)) => Outcome::Failed(Failure {
            step: Some(shown.place),
            message: format!(
                "{} of the catalog is shown otherwise than mock-server/catalog/seen.json says\n  \
                 shows: expected {expected}, got {}\n  if that is right now: {WRITE}",
                shown.name, shown.line
            ),
        }),
    }
}

fn in_a_word(event: &Event) -> String {
    let mut text = event.kind.as_str().to_owned();
    match event.fields.get("type") {
        None | Some(Value::Null) => {}
        Some(Value::String(kind)) => text.push_str(&format!(" {kind}")),
        Some(number) => text.push_str(&format!(" {number}")),
    }
    let words = ["reason", "message"].iter().find_map(|field| event.fields.get(*field)?.as_str());
    if let Some(words) = words.filter(|words| !words.is_empty()) {
        let end = words.char_indices().nth(WORDS_CHARS_MAX).map_or(words.len(), |(at, _)| at);
        let more = if end < words.len() { "…" } else { "" };
        text.push_str(&format!(" {:?}", format!("{}{more}", &words[..end])));
    }
    text
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::nothing(json!([]), "nothing")]
    #[case::number_and_words(json!([{"failed": {"handle": "x1", "type": 504, "reason": "too late"}}]), r#"failed 504 "too late""#)]
    #[case::no_words(json!([{"error": {"type": 16, "message": "", "data": null}}]), "error 16")]
    #[case::no_number(json!([{"failed": {"handle": "x1", "type": null}}]), "failed")]
    #[case::in_order(json!([{"error": {"type": 206}}, {"closed": {}}]), "error 206, then closed")]
    #[case::a_page_of_words(json!([{"error": {"type": 1, "message": "é".repeat(81)}}]), &format!("error 1 \"{}…\"", "é".repeat(80)))]
    fn events_are_told_in_a_line(#[case] events: Value, #[case] line: &str) {
        let events: Vec<Event> = serde_json::from_value(events).expect("events");
        assert_eq!(ShownError::of("504", (1, 2), events.iter()).line, line);
    }
}
