//! `conformance doctor`: what is wrong with a shim, in plain words.

use std::io::Write as _;

use clap::Args;
use conformance::doctor::{self, Patience, examine};
use conformance::exit::Exit;

use crate::cli::ClientArgs;
use crate::exit::{Problem, harness};
use crate::places::Places;

pub(crate) const EXAMPLES: &str = "\
Examples:
  conformance doctor --client conformance/clients/my-client.json
  conformance doctor -- python3 shim.py           a shim that no file describes

Exit codes: 0 healthy, 1 something is wrong, 3 it could not be started, 5 the harness is at fault.";

#[derive(Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    clients: ClientArgs,
    /// Decides the names that the shim is asked for and cannot know
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

pub(crate) fn run(args: &DoctorArgs) -> Result<Exit, Problem> {
    let clients = Places::around(None)?.clients(&args.clients)?;
    let server = doctor::server()
        .map_err(|error| harness(format!("the mock server could not be started: {error}")))?;
    let mut exit = Exit::AsExpected;
    for (client, _) in &clients {
        let examination = examine(&client.program(), &server, args.seed, Patience::default());
        let text = format!("{}\n{}", client.name, examination.text());
        // Whoever reads this may have seen enough of it; the exit code says the rest.
        std::io::stdout().lock().write_all(text.as_bytes()).ok();
        exit = exit.worse(examination.exit());
    }
    Ok(exit)
}
