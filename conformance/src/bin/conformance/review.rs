//! `conformance review` and `conformance accept`: somebody looks at the records that the last runs proposed.
//!
//! Nothing is written where CI is set: a record that appears there would be looked at by nobody.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use clap::Args;
use conformance::client::Client;
use conformance::exit::Exit;
use conformance::pattern::is_meant;
use conformance::record::pending::{Line, Pending, pending, unreferenced};

use crate::exit::{Problem, usage};
use crate::output::{complain, tell, tell_line};
use crate::places::{Places, is_ci};

pub(crate) const EXAMPLES: &str = "\
Examples:
  conformance review                     every record that the last runs proposed, one after another
  conformance review 'send/*' --client core";

pub(crate) const ACCEPT_EXAMPLES: &str = "\
Examples:
  conformance accept send/text-to-user   take what the last run proposed
  conformance accept --unreferenced      remove records that nothing is compared with";

const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();
const FAINT: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

#[derive(Args)]
pub(crate) struct ReviewArgs {
    /// Of which scenarios: a part of area/name, or a pattern with `*`; left out, all
    filter: Vec<String>,
    /// Of this client alone
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Ask also where the input is no terminal: one answer a line
    #[arg(long, hide = true)]
    ask: bool,
}

#[derive(Args)]
pub(crate) struct AcceptArgs {
    /// Of which scenarios: a part of area/name, or a pattern with `*`; left out, all
    filter: Vec<String>,
    /// Of this client alone
    #[arg(long, value_name = "NAME")]
    client: Option<String>,
    /// Instead, remove the records of clients and scenarios that are not there any more, or that nothing is kept of
    #[arg(long, conflicts_with_all = ["filter", "client"])]
    unreferenced: bool,
}

/// What somebody says to a proposal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Accept,
    Reject,
    Skip,
    Quit,
}

pub(crate) fn review(args: &ReviewArgs) -> Result<Exit, Problem> {
    refuse_in_ci("review")?;
    let found = meant(&args.filter, args.client.as_deref())?;
    if found.is_empty() {
        tell_line!("no record is waiting");
        return Ok(Exit::AsExpected);
    }
    if !args.ask && !io::stdin().is_terminal() {
        for one in &found {
            tell_line!("{} {}: {}", one.client, one.scenario, one.path.display());
        }
        tell_line!(
            "{} waiting; run it on a terminal to look at what is new, or `conformance accept`",
            records(found.len())
        );
        return Ok(Exit::SnapshotsPending);
    }
    let mut left = found.len();
    for (number, one) in found.iter().enumerate() {
        show(one, number + 1, found.len())?;
        match ask()? {
            Answer::Accept => one.accept().map_err(usage)?,
            Answer::Reject => one.reject().map_err(usage)?,
            Answer::Skip => continue,
            Answer::Quit => break,
        }
        left -= 1;
    }
    if left == 0 {
        return Ok(Exit::AsExpected);
    }
    tell_line!("{} still waiting", records(left));
    Ok(Exit::SnapshotsPending)
}

pub(crate) fn accept(args: &AcceptArgs) -> Result<Exit, Problem> {
    refuse_in_ci("accept")?;
    if args.unreferenced {
        return remove_unreferenced();
    }
    let found = meant(&args.filter, args.client.as_deref())?;
    for one in &found {
        one.accept().map_err(usage)?;
        tell_line!("accepted {} {}", one.client, one.scenario);
    }
    tell_line!("{} accepted", records(found.len()));
    Ok(Exit::AsExpected)
}

fn remove_unreferenced() -> Result<Exit, Problem> {
    let places = Places::around(None)?;
    let shelf = places.shelf()?;
    let load = |name: &String| places.client(name).map(|(client, _)| client);
    let clients: Vec<Client> = places.client_names().iter().map(load).collect::<Result<_, _>>()?;
    let found = unreferenced(&snapshots(&places)?, &clients, &shelf.scenarios).map_err(usage)?;
    for one in &found {
        std::fs::remove_file(&one.path).map_err(|error| usage(format!("{}: {error}", one.path.display())))?;
        tell_line!("removed {}: {}", one.path.display(), one.why);
    }
    tell_line!("{} removed", records(found.len()));
    Ok(Exit::AsExpected)
}

/// The proposals that a command line means. A filter that means none is told: it may be mistyped.
fn meant(filter: &[String], client: Option<&str>) -> Result<Vec<Pending>, Problem> {
    let places = Places::around(None)?;
    let all = pending(&snapshots(&places)?).map_err(usage)?;
    let of_client = |one: &Pending| client.is_none_or(|client| client == one.client);
    let useless =
        filter.iter().find(|filter| !all.iter().any(|one| of_client(one) && is_meant(filter, &one.scenario)));
    if let Some(useless) = useless {
        return Err(usage(format!(
            "no record that waits is meant by {useless:?}; `conformance review` lists them"
        )));
    }
    if let Some(client) = client.filter(|client| !all.iter().any(|one| one.client == **client)) {
        return Err(usage(format!("no record of {client:?} waits; `conformance review` lists them")));
    }
    let is_meant =
        |one: &Pending| filter.is_empty() || filter.iter().any(|filter| is_meant(filter, &one.scenario));
    Ok(all.into_iter().filter(|one| of_client(one) && is_meant(one)).collect())
}

fn snapshots(places: &Places) -> Result<PathBuf, Problem> {
    let root =
        places.root.as_ref().ok_or_else(|| usage("records are kept in the repository; run it there"))?;
    Ok(root.join("conformance/tests/snapshots"))
}

fn refuse_in_ci(verb: &str) -> Result<(), Problem> {
    if is_ci() {
        return Err(usage(format!(
            "`{verb}` writes records, and nothing is written where CI is set; run it on your own machine"
        )));
    }
    Ok(())
}

fn show(one: &Pending, number: usize, of: usize) -> Result<(), Problem> {
    let lines = one.lines().map_err(usage)?;
    tell_line!("{BOLD}{number}/{of}  {}  {}{BOLD:#}", one.client, one.scenario);
    tell_line!("{FAINT}{}{FAINT:#}\n", one.why);
    for line in lines {
        match line {
            Line::Same(text) => tell_line!("  {text}"),
            Line::Recorded(text) => tell_line!("{REMOVED}- {text}{REMOVED:#}"),
            Line::Proposed(text) => tell_line!("{ADDED}+ {text}{ADDED:#}"),
            Line::Gap => tell_line!("{FAINT}  …{FAINT:#}"),
        }
    }
    tell_line!("");
    Ok(())
}

/// Asks until the answer is one. The end of the input is `q`.
fn ask() -> Result<Answer, Problem> {
    loop {
        tell!("(a)ccept, (r)eject, (s)kip, (q)uit: ");
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line).map_err(usage)? == 0 {
            tell_line!("");
            return Ok(Answer::Quit);
        }
        match line.trim() {
            "a" | "accept" => return Ok(Answer::Accept),
            "r" | "reject" => return Ok(Answer::Reject),
            "s" | "skip" => return Ok(Answer::Skip),
            "q" | "quit" => return Ok(Answer::Quit),
            other => complain(format_args!("{other:?} is none of a, r, s and q")),
        }
    }
}

fn records(count: usize) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}
