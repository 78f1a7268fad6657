//! `conformance errors`: what each client showed of each error of the catalog in its last run, beside what the catalog says
//! of it; `--write` puts it there. No client is run.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use conformance::client::Client;
use conformance::exit::Exit;
use conformance::results::{FOLDER_VARIABLE, Results};
use conformance::run::SHOWN_WRITE;
use mock_server::catalog::{Shows, catalog};

use crate::exit::{Problem, harness, usage};
use crate::output::say;
use crate::places::{Places, no_repository};

pub(crate) const EXAMPLES: &str = "\
Examples:
  conformance run --all-clients error   runs what the catalog is written from
  conformance errors                    tells where the catalog says otherwise, or nothing
  conformance errors --write            writes mock-server/catalog/seen.json; the server has it when it is built again

Fails when the catalog says anything else than runs showed.";

#[derive(Args)]
pub(crate) struct ErrorsArgs {
    /// Write what runs have shown into the catalog
    #[arg(long)]
    write: bool,
}

/// By error and by client, what was shown.
type Seen = BTreeMap<String, BTreeMap<String, String>>;

pub(crate) fn run(args: &ErrorsArgs) -> Result<Exit, Problem> {
    let places = Places::around(None)?;
    let root = places.root.clone().ok_or_else(no_repository)?;
    let folder = std::env::var_os(FOLDER_VARIABLE).map(PathBuf::from).ok_or_else(|| {
        usage(format!(
            "{FOLDER_VARIABLE} names no folder of results; `cargo xtask conformance errors` sets it"
        ))
    })?;
    let path = root.join("mock-server/catalog/seen.json");
    let failed = |error: std::io::Error| harness(format!("{}: {error}", path.display()));
    let before: Seen = serde_json::from_str(&std::fs::read_to_string(&path).map_err(failed)?)
        .map_err(|error| usage(format!("{}: {error}", path.display())))?;
    let now = shown(&places, &folder, &before)?;
    if args.write {
        let text = serde_json::to_string_pretty(&now).expect("it has only string keys");
        std::fs::write(&path, text + "\n").map_err(failed)?;
        return Ok(Exit::AsExpected);
    }
    let mut lines = String::new();
    for (name, by_client) in &now {
        for (client, line) in by_client {
            let said = before.get(name).and_then(|by_client| by_client.get(client));
            if said != Some(line) {
                let said = said.map_or("nothing yet", String::as_str);
                lines.push_str(&format!("{name}, {client}\n  the catalog says {said}\n  shown: {line}\n"));
            }
        }
    }
    if lines.is_empty() && now == before {
        return Ok(Exit::AsExpected);
    }
    say(format_args!("{lines}the catalog does not say what runs have shown; to write it: {SHOWN_WRITE}\n"));
    Ok(Exit::Failures)
}

/// What the last runs showed of the errors of the catalog; what no run is known of stays as it is.
fn shown(places: &Places, folder: &std::path::Path, before: &Seen) -> Result<Seen, Problem> {
    let mut seen: Seen = before
        .iter()
        .filter(|(name, _)| catalog().error(name).is_some())
        .map(|(n, c)| (n.clone(), c.clone()))
        .collect();
    let scenarios = places.shelf()?.scenarios;
    let clients = places.clients_folder().unwrap_or_default();
    for name in places.client_names().into_iter().filter(|name| Shows::tells_of(name)) {
        let client = Client::load(&clients.join(format!("{name}.json"))).map_err(usage)?;
        let results = Results::load(folder, &name, &client.source);
        for (error, line) in scenarios.iter().flat_map(|scenario| results.shown(scenario)) {
            seen.entry(error.to_owned()).or_default().insert(name.clone(), line.to_owned());
        }
    }
    Ok(seen)
}
