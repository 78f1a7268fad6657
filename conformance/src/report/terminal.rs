//! Lines for a person: a line a scenario while it runs, failures last, and what to do about each.

use std::fmt::Write as _;

use crate::suite::{Evaluated, Suite};
use crate::verdict::{Mismatch, Place, Verdict};

use super::Tally;

/// How much of a client's stderr a failure shows.
const REMARK_LINES: usize = 20;

/// The line of a scenario that has ended.
pub fn progress(one: &Evaluated<'_>, left: usize) -> String {
    let word = match &one.verdict {
        Verdict::Passed => "passed",
        Verdict::Failed(_) => "FAILED",
        Verdict::StaleKnownFailure(_) => "STALE",
        Verdict::KnownFailure { .. } => "known failure",
        Verdict::Unsupported { .. } => "unsupported",
    };
    format!("{left:4} left  {word:13}  {}", one.scenario.name)
}

/// The end of a run: failures, what is stale, and the count as the last line. `again` makes the command line
/// that runs one scenario again.
pub fn summary(
    suite: &Suite<'_>,
    stale: &[String],
    client_file: &str,
    again: impl Fn(&str) -> String,
) -> String {
    let mut text = String::new();
    for one in &suite.evaluated {
        let (word, mismatches) = match &one.verdict {
            Verdict::Failed(mismatches) => ("FAILED", &mismatches[..]),
            Verdict::StaleKnownFailure(mismatch) => ("STALE", std::slice::from_ref(mismatch)),
            // What a file says is known; what a shim alone says is told once, in a line.
            Verdict::Unsupported { what, declared: false, .. } => {
                writeln!(text, "unsupported {}: {what}", one.scenario.name)
                    .expect("a String takes every write");
                continue;
            }
            Verdict::Passed | Verdict::KnownFailure { .. } | Verdict::Unsupported { .. } => continue,
        };
        failure(&mut text, word, one, mismatches, client_file);
        writeln!(text, "  run it again: {}\n", again(&one.scenario.name))
            .expect("a String takes every write");
    }
    if !stale.is_empty() {
        writeln!(text, "STALE {client_file}").expect("a String takes every write");
        for line in stale {
            writeln!(text, "  {line}").expect("a String takes every write");
        }
        text.push('\n');
    }
    let hello = &suite.hello;
    writeln!(text, "client: {} {}", hello.name, hello.version).expect("a String takes every write");
    writeln!(text, "{}", Tally::of(suite)).expect("a String takes every write");
    text
}

fn failure(text: &mut String, word: &str, one: &Evaluated<'_>, mismatches: &[Mismatch], client_file: &str) {
    let path = one.scenario.path.display();
    writeln!(text, "{word} {}", one.scenario.name).expect("a String takes every write");
    for mismatch in mismatches {
        let place = match mismatch.place {
            Place::Step(number, line) => format!("{path}:{line} (step {number})"),
            Place::Around => format!("{path} (before the first step or after the last)"),
            Place::Wire => format!("{path} (on the wire)"),
            Place::Record => format!("{path} (its record)"),
            Place::ClientFile => client_file.to_owned(),
        };
        writeln!(text, "  {place}").expect("a String takes every write");
        indented(text, &mismatch.message, "    ");
    }
    if !one.wire.is_empty() {
        writeln!(text, "  the wire, up to there (> by the client, < by the server)")
            .expect("a String takes every write");
        indented(text, &one.wire, "    ");
    }
    if !one.remarks.is_empty() {
        let lines: Vec<&str> = one.remarks.lines().collect();
        writeln!(text, "  the client's stderr").expect("a String takes every write");
        indented(text, &lines[lines.len().saturating_sub(REMARK_LINES)..].join("\n"), "    ");
    }
}

fn indented(text: &mut String, lines: &str, margin: &str) {
    for line in lines.lines() {
        writeln!(text, "{margin}{line}").expect("a String takes every write");
    }
}
