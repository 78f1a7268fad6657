//! `--update-known-failures`: the client's file becomes what the run has shown, and the run is judged by it.
//!
//! It never writes where CI is set: an exception that appears there would be explained by nobody.

use std::collections::BTreeSet;
use std::path::Path;

use conformance::amend::{amend, write_whole};
use conformance::client::Client;
use conformance::exceptions::{Exceptions, Sight};
use conformance::real_time::today;
use conformance::suite::Suite;
use conformance::verdict::{Verdict, again};

use crate::exit::{Problem, harness, usage};
use crate::output::say;
use crate::places::is_ci;

/// Whether there is a file to write and somebody to look at it: known before the run, not after it.
pub(crate) fn may_write<'c>(clients: impl IntoIterator<Item = &'c Client>) -> Result<(), Problem> {
    if is_ci() {
        return Err(usage(
            "--update-known-failures writes a client's file, and nothing is written where CI is set; \
             run it on your own machine",
        ));
    }
    for client in clients {
        if client.file.is_none() {
            return Err(usage(format!(
                "--update-known-failures: no file describes {}; write one, and name it with --client PATH.json",
                client.name
            )));
        }
    }
    Ok(())
}

/// The client as its file describes it after this run. `all` are the names of all scenarios that the file is about.
pub(crate) fn update(
    suite: &mut Suite<'_>,
    client: &Client,
    all: Option<&BTreeSet<&str>>,
) -> Result<Client, Problem> {
    let path: &Path = client.file.as_deref().expect("may_write has asked");
    let unreadable = |error: std::io::Error| usage(format!("{}: {error}", path.display()));
    let source = std::fs::read_to_string(path).map_err(unreadable)?;
    let version = suite.hello.version.clone();
    let sight = Sight::new(suite.evaluated.iter().map(Into::into), all);
    let amendment = amend(&source, &Exceptions::of(client, &version), &sight, today());
    if amendment.text != source {
        let unwritten =
            |error: std::io::Error| harness(format!("{} was not changed: {error}", path.display()));
        write_whole(path, &amendment.text).map_err(unwritten)?;
    }
    for line in &amendment.done {
        say(format_args!("{}: {line}\n", client.name));
    }
    for line in &amendment.left {
        say(format_args!("{}: left as it is: {line}\n", client.name));
    }
    match amendment.done.len() {
        0 => say(format_args!("{} is as it should be\n", path.display())),
        _ => say(format_args!(
            "{} was changed: look at it, and give each new entry its reason\n",
            path.display()
        )),
    }
    let updated = Client::load(path).map_err(usage)?;
    let exceptions = Exceptions::of(&updated, &version);
    for one in &mut suite.evaluated {
        one.verdict = again(&exceptions, &one.scenario.name, &one.verdict);
    }
    Ok(updated)
}

/// Whether an update would mend something: what is stale may also be a record.
pub(crate) fn mend(suite: &Suite<'_>, client: &Client, stale: &[String]) -> bool {
    let lists = ["known_failures: ", "known_findings: ", "unsupported: "];
    let is_entry = |line: &String| lists.iter().any(|list| line.starts_with(list));
    let passes = suite.evaluated.iter().any(|one| matches!(one.verdict, Verdict::StaleKnownFailure(_)));
    client.file.is_some() && (passes || stale.iter().any(is_entry))
}
