//! Where scenarios, clauses and clients are, and where a run leaves what it writes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use conformance::clause::{self, Clause};
use conformance::client::Client;
use conformance::exceptions::nearest;
use conformance::results::FOLDER_VARIABLE;
use conformance::scenario::{self, Scenario};

use crate::cli::ClientArgs;
use crate::exit::{Problem, usage};

/// The client of whom nobody says another.
const REFERENCE: &str = "core";

/// Whether this is a build server: nobody looks at what is written there.
pub(crate) fn is_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty())
}

/// Where things are.
pub(crate) struct Places {
    /// The repository; `None` when there is none around.
    pub(crate) root: Option<PathBuf>,
    pub(crate) scenarios: PathBuf,
    /// How failures name that folder.
    pub(crate) shown_as: PathBuf,
    pub(crate) clauses: PathBuf,
    /// Whether the scenarios are the repository's own.
    pub(crate) usual: bool,
}

/// All that can be run.
pub(crate) struct Shelf {
    /// In the order of their file.
    pub(crate) clauses: Vec<Clause>,
    /// In the order of their names.
    pub(crate) scenarios: Vec<Scenario>,
}

impl Places {
    /// Those around the working directory; `folder` is that of `--scenarios`.
    pub(crate) fn around(folder: Option<&Path>) -> Result<Self, Problem> {
        let here = here()?;
        let root =
            here.ancestors().find(|folder| folder.join("fixtures/scenarios").is_dir()).map(Path::to_owned);
        let Some(root) = root else {
            return Err(usage("no fixtures/scenarios here or in a folder above; run it in the repository"));
        };
        Ok(Self {
            scenarios: folder.map_or_else(|| root.join("fixtures/scenarios"), Path::to_owned),
            shown_as: folder.map_or_else(|| "fixtures/scenarios".into(), Path::to_owned),
            clauses: root.join("fixtures/clauses.json"),
            root: Some(root),
            usual: folder.is_none(),
        })
    }

    /// Reads clauses and scenarios.
    pub(crate) fn shelf(&self) -> Result<Shelf, Problem> {
        let clauses = clause::load(&self.clauses).map_err(usage)?;
        let ids: BTreeSet<String> = clauses.iter().map(|clause| clause.id.clone()).collect();
        let scenarios = scenario::load(&self.scenarios, &self.shown_as, &ids).map_err(usage)?;
        Ok(Shelf { clauses, scenarios })
    }

    /// The clients that a command line means, each with how failures name its file; the reference if it names none.
    pub(crate) fn clients(&self, args: &ClientArgs) -> Result<Vec<(Client, String)>, Problem> {
        if !args.command.is_empty() {
            let client = Client::of_command(args.command.clone(), &here()?);
            return Ok(vec![(client, "the command line".to_owned())]);
        }
        let names = if args.all_clients {
            self.client_names()
        } else if args.client.is_empty() {
            vec![REFERENCE.to_owned()]
        } else {
            args.client.clone()
        };
        if names.is_empty() {
            return Err(usage("--all-clients: there is no file in conformance/clients"));
        }
        let mut clients: Vec<(Client, String)> = Vec::new();
        for name in &names {
            let (client, file) = self.client(name)?;
            if clients.iter().any(|(other, _)| other.name == client.name) {
                return Err(usage(format!("--client {name}: {} is meant twice", client.name)));
            }
            clients.push((client, file));
        }
        Ok(clients)
    }

    /// The client of this name in conformance/clients, or of the file that a path names, and how failures name its file.
    pub(crate) fn client(&self, named: &str) -> Result<(Client, String), Problem> {
        if Path::new(named).extension().is_some_and(|extension| extension == "json") {
            let client = Client::load(Path::new(named)).map_err(usage)?;
            return Ok((client, named.to_owned()));
        }
        let folder = self
            .clients_folder()
            .ok_or_else(|| usage("no repository around: name the client by its file"))?;
        let file = format!("{named}.json");
        if !folder.join(&file).is_file() {
            let names = self.client_names();
            let nearest = nearest(named, names.iter().map(String::as_str));
            let nearest =
                if nearest.is_empty() { String::new() } else { format!(" (did you mean {nearest}?)") };
            return Err(usage(format!(
                "no client {named:?}{nearest}: conformance/clients has {}; or give the path of a .json file",
                names.join(", ")
            )));
        }
        let client = Client::load(&folder.join(&file)).map_err(usage)?;
        Ok((client, format!("conformance/clients/{file}")))
    }

    /// The clients of the repository, by name.
    pub(crate) fn client_names(&self) -> Vec<String> {
        let entries = self.clients_folder().and_then(|folder| std::fs::read_dir(folder).ok());
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".json")?.to_owned()))
            .collect();
        names.sort();
        names
    }

    /// The folder of the client files; `None` without a repository.
    pub(crate) fn clients_folder(&self) -> Option<PathBuf> {
        self.root.as_ref().map(|root| root.join("conformance/clients"))
    }

    /// Below which a run leaves what nobody named a place for.
    pub(crate) fn out(&self) -> PathBuf {
        match (std::env::var_os(FOLDER_VARIABLE), &self.root) {
            (Some(folder), _) => folder.into(),
            (None, Some(root)) => root.join("target/conformance"),
            (None, None) => "conformance-out".into(),
        }
    }

    /// How a person calls this program here.
    pub(crate) fn program(&self) -> &'static str {
        match self.root {
            Some(_) => "cargo xtask conformance",
            None => "conformance",
        }
    }
}

fn here() -> Result<PathBuf, Problem> {
    std::env::current_dir().map_err(|error| usage(format!("the working directory: {error}")))
}
