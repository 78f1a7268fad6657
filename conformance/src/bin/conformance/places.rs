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
    /// That of `--scenarios`.
    folder: Option<PathBuf>,
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
        let is_root = |folder: &&Path| folder.join("fixtures/scenarios").is_dir();
        let root = here.ancestors().find(is_root).map(Path::to_owned);
        Ok(Self { root, folder: folder.map(Path::to_owned), usual: folder.is_none() })
    }

    /// Reads clauses and scenarios: those of the repository, or those inside of this program.
    pub(crate) fn shelf(&self) -> Result<Shelf, Problem> {
        let clauses = match &self.root {
            Some(root) => clause::load(&root.join("fixtures/clauses.json")),
            None => clause::embedded(),
        };
        let clauses = clauses.map_err(usage)?;
        let ids: BTreeSet<String> = clauses.iter().map(|clause| clause.id.clone()).collect();
        let scenarios = match (&self.folder, &self.root) {
            (Some(folder), _) => scenario::load(folder, folder, &ids),
            (None, Some(root)) => {
                scenario::load(&root.join("fixtures/scenarios"), Path::new("fixtures/scenarios"), &ids)
            }
            (None, None) => scenario::embedded(&ids),
        };
        Ok(Shelf { clauses, scenarios: scenarios.map_err(usage)? })
    }

    /// The folder of the scenarios, and how failures name it. Fails where they are only inside of this program.
    pub(crate) fn scenarios(&self) -> Result<(PathBuf, PathBuf), Problem> {
        match (&self.folder, &self.root) {
            (Some(folder), _) => Ok((folder.clone(), folder.clone())),
            (None, Some(root)) => Ok((root.join("fixtures/scenarios"), "fixtures/scenarios".into())),
            (None, None) => Err(no_repository()),
        }
    }

    /// The file of the clauses. Fails where they are only inside of this program.
    pub(crate) fn clauses(&self) -> Result<PathBuf, Problem> {
        self.root.as_ref().map(|root| root.join("fixtures/clauses.json")).ok_or_else(no_repository)
    }

    /// The clients that a command line means, each with how failures name its file; the reference if it names none.
    pub(crate) fn clients(&self, args: &ClientArgs) -> Result<Vec<(Client, String)>, Problem> {
        if !args.command.is_empty() {
            let client = Client::of_command(args.command.clone(), &here()?);
            return Ok(vec![(client, "the command line".to_owned())]);
        }
        // clap takes a `--` with nothing behind it for none at all, and the default client would be run.
        if std::env::args_os().any(|word| word == "--") {
            return Err(usage(
                "nothing behind `--`: write the shim's command there, such as `-- node shim.mjs`",
            ));
        }
        let names = if args.all_clients {
            self.client_names()
        } else if args.client.is_empty() {
            vec![REFERENCE.to_owned()]
        } else {
            args.client.clone()
        };
        if names.is_empty() {
            return Err(usage("--all-clients: no repository is around, or its conformance/clients is empty"));
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
            .ok_or_else(|| usage(format!(
                "no repository is around, so {named:?} is no client: write the shim's command behind `--`, such as \
                 `-- node shim.mjs`, or give --client the path of a client's .json file"
            )))?;
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

    /// Below which a run leaves what nobody named a place for; relative to the working directory where it is in it.
    pub(crate) fn out(&self) -> PathBuf {
        let folder = match (std::env::var_os(FOLDER_VARIABLE), &self.root) {
            (Some(folder), _) => folder.into(),
            (None, Some(root)) => root.join("target/conformance"),
            (None, None) => PathBuf::from("conformance-out"),
        };
        let below = here().ok().and_then(|here| Some(folder.strip_prefix(here).ok()?.to_owned()));
        below.unwrap_or(folder)
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

pub(crate) fn no_repository() -> Problem {
    usage("no fixtures/scenarios here or in a folder above: this is done in the repository")
}
