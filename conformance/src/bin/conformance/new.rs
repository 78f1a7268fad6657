//! `conformance new CLAUSE`: the beginning of a scenario, in its file.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};

use clap::Args;
use conformance::exceptions::nearest;
use conformance::exit::Exit;
use conformance::scaffold::{FILL_IN, Scaffold};

use crate::exit::{Problem, usage};
use crate::output::tell_line;
use crate::places::{Places, Shelf};

pub(crate) const EXAMPLES: &str = "\
Examples:
  conformance new recall.single
  conformance new send.text.group --name send/text-to-a-large-group";

#[derive(Args)]
pub(crate) struct NewArgs {
    /// The clause; `conformance list --clauses` names them
    clause: String,
    /// What the scenario is called; left out, as its clause
    #[arg(long, value_name = "AREA/NAME")]
    name: Option<String>,
}

pub(crate) fn run(args: &NewArgs) -> Result<Exit, Problem> {
    let places = Places::around(None)?;
    let Shelf { clauses, scenarios: all } = places.shelf()?;
    let Some(clause) = clauses.iter().find(|clause| clause.id == args.clause) else {
        let nearest = nearest(&args.clause, clauses.iter().map(|clause| &*clause.id));
        let nearest = if nearest.is_empty() { String::new() } else { format!("; nearest: {nearest}") };
        return Err(usage(format!("no clause {:?} in fixtures/clauses.json{nearest}", args.clause)));
    };
    let scaffold = Scaffold::of(clause, args.name.as_deref()).map_err(usage)?;
    let exists =
        || usage(format!("there is a scenario {}; name this one with --name AREA/NAME", scaffold.name));
    // A file system that knows no small letters would take another scenario's file.
    if all.iter().any(|scenario| scenario.name.eq_ignore_ascii_case(&scaffold.name)) {
        return Err(exists());
    }
    let (folder, shown_as) = places.scenarios()?;
    let path = folder.join(format!("{}.json", scaffold.name));
    let shown = shown_as.join(format!("{}.json", scaffold.name));
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => exists(),
        _ => usage(format!("{}: {error}", shown.display())),
    };
    fs::create_dir_all(path.parent().expect("a scenario lies in the folder of its area")).map_err(failed)?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path).map_err(failed)?;
    file.write_all(scaffold.text.as_bytes()).map_err(failed)?;
    tell_line!("{}", shown.display());
    tell_line!("it fails until you have said what {} asks for:", clause.id);
    tell_line!("  - \"why\" is the clause's statement; say what this scenario shows of it");
    tell_line!("  - \"{}…\" stands for what should be shown; more steps may have to come before it", FILL_IN);
    tell_line!("run it:            {} run {}", places.program(), scaffold.name);
    tell_line!("at every save:     {} watch {}", places.program(), scaffold.name);
    Ok(Exit::AsExpected)
}
