//! The command line: its verbs, and the flags that several of them share. What a verb does stands in its own file.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, ColorChoice, Parser, Subcommand};
use conformance::run::Limits;
use conformance::selection::{Selection, Shard};

use crate::coverage::CoverageArgs;
use crate::diff::DiffArgs;
use crate::doctor::DoctorArgs;
use crate::errors::ErrorsArgs;
use crate::exit::TABLE;
use crate::list::ListArgs;
use crate::new::NewArgs;
use crate::replay::ReplayArgs;
use crate::report::ReportArgs;
use crate::review::{AcceptArgs, ReviewArgs};
use crate::run::RunArgs;
use crate::schema::SchemaArgs;
use crate::watch::WatchArgs;
use crate::within::Within;

/// As cargo has it.
const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Runs scenarios against a client core and judges what it shows and every frame that it sends
///
/// Without a verb it runs, as `conformance run` does.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, styles = STYLES, after_help = TABLE)]
pub(crate) struct CommandLine {
    #[command(subcommand)]
    pub(crate) verb: Option<Verb>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
    /// Colours: where the output is a terminal and NO_COLOR is not set, or always, or never
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto", hide_possible_values = true)]
    pub(crate) color: ColorChoice,
}

#[derive(Subcommand)]
pub(crate) enum Verb {
    /// Runs scenarios on one or several clients; what happens without a verb
    #[command(after_help = crate::run::EXAMPLES)]
    Run(RunArgs),
    /// Lists scenarios, the clauses that each evaluates, and why; or clauses
    #[command(after_help = crate::list::EXAMPLES)]
    List(ListArgs),
    /// Runs scenarios on two clients and shows where they differ: frames, their order, fields, verdicts
    #[command(after_help = crate::diff::EXAMPLES)]
    Diff(DiffArgs),
    /// Shows each record that a run proposed as a difference, and asks whether to take it
    #[command(after_help = crate::review::EXAMPLES)]
    Review(ReviewArgs),
    /// Takes the records that runs proposed
    #[command(after_help = crate::review::ACCEPT_EXAMPLES)]
    Accept(AcceptArgs),
    /// Runs what a saved scenario or shim touches, until Ctrl-C
    #[command(after_help = crate::watch::EXAMPLES)]
    Watch(WatchArgs),
    /// Writes the beginning of a scenario for a clause
    #[command(after_help = crate::new::EXAMPLES)]
    New(NewArgs),
    /// Shows for each clause which scenarios evaluate it and what each client does there
    #[command(after_help = crate::coverage::EXAMPLES)]
    Coverage(CoverageArgs),
    /// Holds what the catalog of errors says of each client against what its last run showed
    #[command(after_help = crate::errors::EXAMPLES)]
    Errors(ErrorsArgs),
    /// Talks to a shim and says in plain words what is wrong with it and how to mend it
    #[command(after_help = crate::doctor::EXAMPLES)]
    Doctor(DoctorArgs),
    /// Puts the reports of several runs or shards together, and writes every kind of report again
    #[command(after_help = crate::report::EXAMPLES)]
    Report(ReportArgs),
    /// Plays a bundle: to this build's server, to a client, or up to a step for a person to look
    #[command(after_help = crate::replay::EXAMPLES)]
    Replay(ReplayArgs),
    /// Prints the JSON Schema of the driver's lines, of scenarios, client files or reports
    #[command(after_help = crate::schema::EXAMPLES)]
    Schema(SchemaArgs),
    /// Writes what a shell needs to complete this command line
    #[command(after_help = "\
Examples:
  conformance completions bash > ~/.local/share/bash-completion/completions/conformance
  conformance completions zsh > ~/.zfunc/_conformance")]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
}

/// Which scenarios.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Which scenarios")]
pub(crate) struct SelectionArgs {
    /// Which scenarios: a part of area/name, or a pattern with `*`; left out, all
    pub(crate) filter: Vec<String>,
    /// Those that evaluate this clause, or one whose id is meant by a part or a pattern; may be repeated
    #[arg(long, value_name = "ID")]
    pub(crate) clause: Vec<String>,
    /// Those of this area, such as `send`; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) area: Vec<String>,
    /// The k-th of n parts of them, such as 1/4; a scenario stays in its part when others are added
    #[arg(long, value_name = "K/N")]
    pub(crate) shard: Option<Shard>,
    /// In the order that this number gives them; 0 is that of their names
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) seed: u64,
    /// The folder of the scenarios, instead of fixtures/scenarios of the repository; nothing is recorded then
    #[arg(long, value_name = "DIR")]
    pub(crate) scenarios: Option<PathBuf>,
}

impl SelectionArgs {
    pub(crate) fn selection(&self) -> Selection {
        Selection {
            filters: self.filter.clone(),
            clauses: self.clause.clone(),
            areas: self.area.clone(),
            shard: self.shard,
            seed: self.seed,
        }
    }
}

/// Which clients.
#[derive(Args, Clone, Default)]
#[command(next_help_heading = "Which clients")]
pub(crate) struct ClientArgs {
    /// The client: a name in conformance/clients, or the path of such a file; may be repeated; left out, `core`
    #[arg(long, value_name = "NAME|PATH.json", conflicts_with_all = ["all_clients", "command"])]
    pub(crate) client: Vec<String>,
    /// Every client of conformance/clients, one after another
    #[arg(long, conflicts_with = "command")]
    pub(crate) all_clients: bool,
    /// A shim that no file describes, and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
}

/// How fast, and how patient.
#[derive(Args, Clone)]
#[command(next_help_heading = "How")]
pub(crate) struct PaceArgs {
    /// How many scenarios run at once; left out, as many as there are processors
    #[arg(long, value_name = "N")]
    pub(crate) jobs: Option<NonZeroUsize>,
    /// Use the mock-server that is already running there, instead of one of our own
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// The control token of that server, where it has one
    #[arg(long, value_name = "TOKEN", requires = "server")]
    pub(crate) token: Option<String>,
    /// Let the server do whatever the protocol leaves open, drawn from this number: small pages, frames that come late or
    /// twice; nothing is recorded then
    #[arg(long, value_name = "SEED")]
    pub(crate) nasty: Option<u64>,
    /// How long an expected event, or a world that should become quiet, is waited for: 5s, 500ms
    #[arg(long, value_name = "TIME", default_value_t = TIMEOUT)]
    pub(crate) timeout: Within,
    /// The same in ms, as it was spelt before
    #[arg(long, value_name = "MS", hide = true, conflicts_with = "timeout")]
    pub(crate) timeout_ms: Option<NonZeroU64>,
}

/// How long a step waits if nobody says otherwise: nothing on this machine takes seconds.
pub(crate) const TIMEOUT: Within = Within::ms(NonZeroU64::new(5_000).expect("it is not 0"));

impl PaceArgs {
    pub(crate) fn jobs(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.jobs.map_or_else(processors, NonZeroUsize::get)
    }

    pub(crate) fn timeout(&self) -> Within {
        self.timeout_ms.map_or(self.timeout, Within::ms)
    }

    pub(crate) fn limits(&self) -> Limits {
        let within: Duration = self.timeout().duration();
        Limits { expect: within, quiet: within }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn the_table_of_exit_codes_has_each() {
        for exit in conformance::exit::Exit::ORDER {
            let code = format!("{:5}  ", exit.code());
            assert!(TABLE.lines().any(|line| line.starts_with(&code)), "{code} is not in the table");
        }
        let order = conformance::exit::Exit::ORDER.map(|exit| exit.code().to_string());
        let told = order[..order.len() - 1].join(", ");
        assert!(TABLE.ends_with(&format!("the first of {told} is told.")), "{TABLE}");
    }

    #[test]
    fn every_verb_has_examples() {
        for verb in CommandLine::command().get_subcommands() {
            let help = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Examples:\n  conformance "), "{}: {help}", verb.get_name());
        }
    }
}
