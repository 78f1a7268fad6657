//! `conformance doctor`: what is wrong with a shim, in plain words.

use std::io::Write as _;

use clap::Args;
use conformance::client::Client;
use conformance::doctor::{self, Patience, examine};
use conformance::exit::Exit;

use super::places::{client_of, places};
use super::{Problem, usage};

#[derive(Args)]
pub(super) struct DoctorArgs {
    /// The client: a name in conformance/clients, or the path of such a file
    #[arg(long, value_name = "NAME|PATH.json", default_value = "core", conflicts_with = "command")]
    client: String,
    /// Decides the names that the shim is asked for and cannot know
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// A shim that no file describes, and its arguments
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

pub(super) fn run(args: &DoctorArgs) -> Result<u8, Problem> {
    let client = if args.command.is_empty() {
        client_of(&args.client, &places(None)?)?.0
    } else {
        let folder =
            std::env::current_dir().map_err(|error| usage(format!("the working directory: {error}")))?;
        Client::of_command(args.command.clone(), &folder)
    };
    let server = doctor::server().map_err(|error| Problem {
        code: Exit::Harness.code(),
        message: format!("the mock server could not be started: {error}"),
    })?;
    let examination = examine(&client.program(), &server, args.seed, Patience::default());
    // Whoever reads this may have seen enough of it; the exit code says the rest.
    std::io::stdout().lock().write_all(examination.text().as_bytes()).ok();
    Ok(examination.exit().code())
}
