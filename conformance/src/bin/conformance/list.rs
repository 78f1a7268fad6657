//! `conformance list`: what there is to be run.

use std::io::Write as _;

use clap::Args;
use conformance::clause::Level;
use conformance::exit::Exit;
use serde_json::json;

use crate::cli::SelectionArgs;
use crate::exit::{Problem, nothing_meant};
use crate::places::{Places, Shelf};

pub(crate) const EXAMPLES: &str = "\
Examples:
  conformance list                        every scenario
  conformance list --clause recall        those about recall
  conformance list --clauses --json       every clause and its scenarios, for a program";

#[derive(Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    selection: SelectionArgs,
    /// The clauses that these scenarios evaluate, instead of the scenarios
    #[arg(long)]
    clauses: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &ListArgs) -> Result<Exit, Problem> {
    let places = Places::around(args.selection.scenarios.as_deref())?;
    let Shelf { clauses, scenarios } = places.shelf()?;
    let meant = args.selection.selection().choose(&scenarios).map_err(nothing_meant)?;
    let mut lines = Vec::new();
    let mut values = Vec::new();
    if args.clauses {
        for clause in &clauses {
            let of: Vec<&str> = meant
                .iter()
                .filter(|scenario| scenario.clauses.contains(&clause.id))
                .map(|scenario| &*scenario.name)
                .collect();
            // Asked for some scenarios, their clauses; asked for all, those without a scenario too.
            if of.is_empty() && meant.len() < scenarios.len() {
                continue;
            }
            let level = match clause.level {
                Level::Must => "must",
                Level::Should => "should",
            };
            lines.push(format!("{}  [{level}]  {}  ({})", clause.id, clause.statement, of.join(", ")));
            values.push(json!({
                "id": clause.id, "level": clause.level, "statement": clause.statement, "scenarios": of,
            }));
        }
    } else {
        for one in &meant {
            lines.push(format!("{}  [{}]  {}", one.name, one.clauses.join(" "), one.why));
            let needs: Vec<&str> = one.needs.iter().map(|need| need.as_str()).collect();
            values.push(json!({
                "name": one.name, "path": one.path, "why": one.why, "clauses": one.clauses, "needs": needs,
            }));
        }
    }
    let text = if args.json {
        serde_json::to_string_pretty(&values).expect("a list has only string keys")
    } else {
        lines.join("\n")
    };
    // Whoever reads this may have seen enough before its end.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
    Ok(Exit::AsExpected)
}
