//! What GitHub shows of a run: annotations beside the scenario's lines, and a summary of the step.
//!
//! Annotations are workflow commands on stdout; the summary is Markdown in the file that `GITHUB_STEP_SUMMARY` names.
//! Both are escaped, so that nothing that a client says is taken for a command or for Markdown.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::Path;

use crate::selection::drawn;

use super::failure::{Failure, plain};
use super::model::{ClientReport, MismatchReport, PlaceWord, Report, Tally, VerdictWord};

/// Set to `true` where GitHub runs a workflow.
pub const VARIABLE: &str = "GITHUB_ACTIONS";
/// Names the file of the step's summary.
pub const SUMMARY_VARIABLE: &str = "GITHUB_STEP_SUMMARY";

/// How many annotations of a kind GitHub shows of a step.
const ANNOTATIONS_MAX: usize = 10;
/// How large the summary of a step may be; GitHub shows nothing of a larger one.
pub const SUMMARY_BYTES_MAX: usize = 1 << 20;
/// How much of the failure a detail shows: room for dozens of them.
const DETAIL_BYTES_MAX: usize = 16 << 10;
/// What the last lines of a summary may take.
const END_BYTES: usize = 512;

/// One annotation.
struct Annotation {
    level: &'static str,
    file: Option<String>,
    line: Option<usize>,
    title: String,
    message: String,
}

/// The workflow commands, a line each.
pub fn annotations(report: &Report) -> String {
    let mut all: BTreeMap<&str, Vec<Annotation>> = BTreeMap::new();
    for client in &report.clients {
        for annotation in of_client(report, client) {
            all.entry(annotation.level).or_default().push(annotation);
        }
    }
    let mut text = String::new();
    for (level, annotations) in all {
        let count = annotations.len();
        let shown = if count > ANNOTATIONS_MAX { ANNOTATIONS_MAX - 1 } else { count };
        for annotation in annotations.iter().take(shown) {
            command(&mut text, annotation);
        }
        if shown < count {
            let message =
                format!("{} more; GitHub shows {ANNOTATIONS_MAX}: see the step's summary", count - shown);
            let title = "conformance".to_owned();
            command(&mut text, &Annotation { level, file: None, line: None, title, message });
        }
    }
    text
}

/// A text of which GitHub takes no line for a command: what clients have written to stderr stands in it.
pub fn without_commands(text: &str) -> String {
    // Commands begin again with a word that nobody knew who wrote some of the text.
    let word = drawn(0, "stop-commands", text);
    format!("::stop-commands::{word:016x}\n{text}::{word:016x}::\n")
}

fn of_client(report: &Report, client: &ClientReport) -> Vec<Annotation> {
    let name = &client.name;
    let mut annotations = Vec::new();
    if let Some(why) = &client.not_started {
        let title = format!("{name} could not be started");
        let (file, message) = (client.file.clone(), why.clone());
        annotations.push(Annotation { level: "error", file, line: None, title, message });
    }
    for failure in Failure::all(report, client) {
        let one = failure.scenario;
        let (level, word) = match one.verdict {
            VerdictWord::Flaky => ("warning", "flaky"),
            VerdictWord::StaleKnownFailure => ("error", "stale"),
            VerdictWord::Failed
            | VerdictWord::Passed
            | VerdictWord::KnownFailure
            | VerdictWord::Unsupported
            | VerdictWord::NotRun => ("error", "failed"),
        };
        let first = one.mismatches.first();
        let of_file = first.is_some_and(|first| first.place == PlaceWord::ClientFile);
        let file = match (of_file, failure.source()) {
            (false, Some(source)) => Some(source.path.clone()),
            (true, _) | (false, None) => client.file.clone(),
        };
        let line = first.and_then(|first| first.line).or_else(|| file.as_ref().map(|_| 1));
        let said = first.map_or_else(String::new, |first: &MismatchReport| format!("{}\n", first.message));
        let message = plain(&format!("{said}run it again: {}", failure.again()));
        let title = format!("{} {word} on {name}", one.name);
        annotations.push(Annotation { level, file, line, title, message });
    }
    if !client.stale.is_empty() {
        let mut lines = client.stale.clone();
        lines.extend(client.mend.iter().map(|mend| format!("mend it with: {mend}")));
        let title = format!("{} of the exceptions of {name} are stale", client.stale.len());
        let (file, message) = (client.file.clone(), lines.join("\n"));
        let line = file.as_ref().map(|_| 1);
        annotations.push(Annotation { level: "warning", file, line, title, message });
    }
    annotations
}

/// `::error file=…,line=…,title=…::message`.
fn command(text: &mut String, annotation: &Annotation) {
    let Annotation { level, file, line, title, message } = annotation;
    let mut properties = Vec::new();
    properties.extend(file.as_ref().map(|file| format!("file={}", property(file))));
    properties.extend(line.map(|line| format!("line={line}")));
    properties.push(format!("title={}", property(title)));
    writeln!(text, "::{level} {}::{}", properties.join(","), data(message))
        .expect("a String takes every write");
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The summary, of at most `bytes`.
pub fn summary(report: &Report, bytes: usize) -> String {
    let mut text = head(report);
    if text.len() + END_BYTES > bytes {
        let said = format!(
            "## Conformance\n\n{}\n\nThere is no room for more in this step's summary.\n",
            report.tally()
        );
        return if said.len() > bytes { String::new() } else { said };
    }
    let end = covered(report);
    let room = bytes - END_BYTES;
    let end = if text.len() + end.len() > room { String::new() } else { end };
    let mut failures = report.clients.iter().flat_map(|client| Failure::all(report, client));
    let last = failures.by_ref().map(|failure| detail(&failure)).find(|detail| {
        let fits = text.len() + end.len() + detail.len() <= room;
        if fits {
            text.push_str(detail);
        }
        !fits
    });
    let left_out = usize::from(last.is_some()) + failures.count();
    if left_out > 0 {
        writeln!(text, "… and {left_out} more, for which a summary has no room: see the other reports.\n")
            .expect("a String takes every write");
    }
    text.push_str(&end);
    text
}

fn head(report: &Report) -> String {
    let mut text = String::from("## Conformance\n\n");
    text.push_str(
        "| client | version | passed | failed | flaky | known failures | unsupported | not run |\n",
    );
    text.push_str("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for client in &report.clients {
        let Tally { passed, failed, flaky, known_failures, unsupported, not_run } = client.tally;
        let name = cell(&client.name);
        let version = cell(&format!("{} {}", client.calls_itself, client.version));
        writeln!(
            text,
            "| {name} | {version} | {passed} | {failed} | {flaky} | {known_failures} | {unsupported} | {not_run} |"
        )
        .expect("a String takes every write");
    }
    text.push('\n');
    if report.interrupted {
        text.push_str("**The run was interrupted.**\n\n");
    }
    for client in &report.clients {
        if let Some(why) = &client.not_started {
            let (name, why) = (cell(&client.name), cell(why));
            writeln!(text, "**{name} could not be started**: {why}\n").expect("a String takes every write");
        }
        if !client.stale.is_empty() {
            let file = cell(client.file.as_deref().unwrap_or(&client.name));
            writeln!(text, "**Stale in {file}**:\n").expect("a String takes every write");
            for stale in &client.stale {
                writeln!(text, "- {}", cell(stale)).expect("a String takes every write");
            }
            if let Some(mend) = &client.mend {
                writeln!(text, "\nmend it with:\n\n{}", fenced(mend)).expect("a String takes every write");
            }
            text.push('\n');
        }
    }
    text
}

fn detail(failure: &Failure<'_>) -> String {
    let Failure { client, scenario, .. } = failure;
    let word = if scenario.verdict == VerdictWord::Flaky { "flaky" } else { "failed" };
    let mut shown = plain(&failure.text());
    if shown.len() > DETAIL_BYTES_MAX {
        let end = (0..=DETAIL_BYTES_MAX).rfind(|at| shown.is_char_boundary(*at)).unwrap_or_default();
        shown.truncate(end);
        shown.push_str("\n…");
    }
    format!(
        "<details><summary><b>{}</b> {word} on {}: {}</summary>\n\n{}\n</details>\n\n",
        html(&scenario.name),
        html(&client.name),
        html(failure.sentence()),
        fenced(&shown)
    )
}

/// How many clauses each client has been shown to keep, and which nobody has.
fn covered(report: &Report) -> String {
    let clauses_of: BTreeMap<&str, &[String]> =
        report.scenarios.iter().map(|one| (&*one.name, &*one.clauses)).collect();
    let passed = |client: &ClientReport, clause: &str| {
        client.scenarios.iter().any(|one| {
            matches!(one.verdict, VerdictWord::Passed | VerdictWord::Flaky)
                && clauses_of.get(&*one.name).is_some_and(|of| of.iter().any(|id| id == clause))
        })
    };
    let mut text =
        String::from("### Clauses\n\n| client | passes a scenario of | of |\n| --- | ---: | ---: |\n");
    for client in &report.clients {
        let count = report.clauses.iter().filter(|clause| passed(client, &clause.id)).count();
        writeln!(text, "| {} | {count} | {} |", cell(&client.name), report.clauses.len())
            .expect("a String takes every write");
    }
    let nobody = |clause: &&super::model::ClauseReport| {
        !report.clients.iter().any(|client| passed(client, &clause.id))
    };
    let open: Vec<_> = report.clauses.iter().filter(nobody).collect();
    if !open.is_empty() {
        let count = open.len();
        write!(text, "\n<details><summary>No client here passes a scenario of {count}</summary>\n\n")
            .expect("a String takes every write");
        for clause in open {
            writeln!(text, "- `{}`: {}", clause.id.replace('`', "'"), cell(&clause.statement))
                .expect("a String takes every write");
        }
        text.push_str("\n</details>\n");
    }
    text
}

/// Adds to the step's summary what there is room for.
pub fn append_summary(report: &Report, path: &Path) -> io::Result<()> {
    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(path)?;
    let written = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    file.write_all(summary(report, SUMMARY_BYTES_MAX.saturating_sub(written)).as_bytes())?;
    file.flush()
}

/// A text in a code block that nothing in it ends.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

fn html(text: &str) -> String {
    let text = plain(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace(['\n', '\r'], " ")
}

/// A text in a cell of a table, or in a line: none of it is Markdown.
fn cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in html(text).chars() {
        if matches!(c, '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '#') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
