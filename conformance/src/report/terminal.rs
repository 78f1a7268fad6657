//! Lines for a person: failures last, and what to do about each.

use anstyle::{AnsiColor, Style};

use super::failure::{Failure, clean};
use super::model::{self, ClientReport, Report, VerdictWord};

const BAD: Style = AnsiColor::Red.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default().bold();

/// The end of a run, with colour: the failures of each client, what is stale, and how many scenarios came to which end as
/// the last line.
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    for client in &report.clients {
        of_client(&mut text, report, client);
    }
    if let [_, _, ..] = &report.clients[..] {
        line(&mut text, &format!("all {} clients", report.clients.len()));
        line(&mut text, &report.tally().to_string());
    }
    text
}

fn of_client(text: &mut String, report: &Report, client: &ClientReport) {
    let name = &client.name;
    for failure in Failure::all(report, client) {
        text.push_str(&failure.text());
        text.push('\n');
    }
    // What a file says is known; what a shim alone says is told once, in a line.
    if client.file.is_none() {
        for one in client.scenarios.iter().filter(|one| one.verdict == VerdictWord::Unsupported) {
            let reason = clean(one.reason.as_deref().unwrap_or_default());
            line(text, &format!("unsupported {}: {reason}", one.name));
        }
    }
    // Where a scenario that was to fail has passed, it has said so above; here is what mends the file.
    if !client.stale.is_empty() || client.mend.is_some() {
        line(text, &format!("{BAD}STALE{BAD:#} {}", client.file.as_deref().unwrap_or(name)));
        for stale in &client.stale {
            line(text, &format!("  {stale}"));
        }
        if let Some(mend) = &client.mend {
            line(text, &format!("  mend it with:  {mend}"));
        }
        text.push('\n');
    }
    if !client.unexplained.is_empty() {
        let file = client.file.as_deref().unwrap_or(name);
        line(text, &format!("{ODD}UNEXPLAINED{ODD:#} {file}: these entries still lack their reason"));
        for one in &client.unexplained {
            line(text, &format!("  {one}"));
        }
        text.push('\n');
    }
    match &client.not_started {
        Some(why) => line(text, &format!("{BAD}NOT STARTED{BAD:#} {name}: {}", clean(why))),
        None => {
            // Several may call themselves the same.
            let of = if report.clients.len() > 1 { format!(" ({name})") } else { String::new() };
            let (name, version) = (clean(&client.calls_itself), clean(&client.version));
            line(text, &format!("client: {name} {version}{of}"));
        }
    }
    if report.interrupted && client.tally.not_run > 0 {
        line(
            text,
            &format!("{ODD}INTERRUPTED{ODD:#} before {} scenarios of {name} had begun", client.tally.not_run),
        );
    }
    if let Some(shards) = &report.shard {
        line(
            text,
            &format!("{ODD}SHARD{ODD:#} {shards} alone: the scenarios of the others are not counted here"),
        );
    }
    line(text, &client.tally.to_string());
    if report.clients.len() > 1 {
        text.push('\n');
    }
}

impl std::fmt::Display for model::Tally {
    /// What is always told comes first, for programs look for it; the rest only where it is.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { passed, failed, flaky, known_failures, unsupported, not_run } = self;
        write!(
            f,
            "{passed} passed, {failed} failed, {known_failures} known failures, {unsupported} unsupported"
        )?;
        if *flaky > 0 {
            write!(f, ", {flaky} flaky")?;
        }
        if *not_run > 0 {
            write!(f, ", {not_run} not run")?;
        }
        Ok(())
    }
}

fn line(text: &mut String, content: &str) {
    text.push_str(content);
    text.push('\n');
}
