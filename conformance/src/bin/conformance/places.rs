//! Where scenarios, clauses and clients are, and which of them a command line means.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use conformance::clause::Clause;
use conformance::client::Client;
use conformance::pattern::is_meant;
use conformance::scenario::{self, Scenario};

use super::{NOTHING_RAN, Problem, usage};

/// Where things are.
pub(super) struct Places {
    /// The repository; `None` when there is none around.
    pub(super) root: Option<PathBuf>,
    pub(super) scenarios: PathBuf,
    /// How failures name that folder.
    pub(super) shown_as: PathBuf,
    pub(super) clauses: PathBuf,
    /// Whether the scenarios are the repository's own.
    pub(super) usual: bool,
}

pub(super) fn places(folder: Option<&Path>) -> Result<Places, Problem> {
    let here = std::env::current_dir().map_err(|error| usage(format!("the working directory: {error}")))?;
    let root = here.ancestors().find(|folder| folder.join("fixtures/scenarios").is_dir()).map(Path::to_owned);
    match (folder, &root) {
        (Some(folder), Some(root)) => Ok(Places {
            scenarios: folder.to_owned(),
            shown_as: folder.to_owned(),
            clauses: root.join("fixtures/clauses.json"),
            root: Some(root.clone()),
            usual: false,
        }),
        (None, Some(root)) => Ok(Places {
            scenarios: root.join("fixtures/scenarios"),
            shown_as: "fixtures/scenarios".into(),
            clauses: root.join("fixtures/clauses.json"),
            root: Some(root.clone()),
            usual: true,
        }),
        (_, None) => Err(usage("no fixtures/scenarios here or in a folder above; run it in the repository")),
    }
}

pub(super) fn load(places: &Places, clauses: &[Clause]) -> Result<Vec<Scenario>, Problem> {
    let ids: BTreeSet<String> = clauses.iter().map(|clause| clause.id.clone()).collect();
    scenario::load(&places.scenarios, &places.shown_as, &ids).map_err(usage)
}

/// Each filter must be of use: one that is mistyped would quietly run less.
pub(super) fn chosen<'a>(all: &'a [Scenario], filter: &[String]) -> Result<Vec<&'a Scenario>, Problem> {
    let useless = filter.iter().find(|filter| !all.iter().any(|scenario| is_meant(filter, &scenario.name)));
    if let Some(useless) = useless {
        let message = format!("no scenario is meant by {useless:?}; `conformance list` names them");
        return Err(Problem { code: NOTHING_RAN, message });
    }
    if all.is_empty() {
        let message = "the folder of the scenarios is empty".to_owned();
        return Err(Problem { code: NOTHING_RAN, message });
    }
    let meant = |name: &str| filter.is_empty() || filter.iter().any(|filter| is_meant(filter, name));
    Ok(all.iter().filter(|scenario| meant(&scenario.name)).collect())
}

/// The client of this name in conformance/clients, or of the file that a path names, and how failures name its file.
pub(super) fn client_of(named: &str, places: &Places) -> Result<(Client, String), Problem> {
    if Path::new(named).extension().is_some_and(|extension| extension == "json") {
        let client = Client::load(Path::new(named)).map_err(usage)?;
        return Ok((client, named.to_owned()));
    }
    let folder = places.root.as_ref().map(|root| root.join("conformance/clients"));
    let folder = folder.ok_or_else(|| usage("no repository around: name the client by its file"))?;
    let file = format!("{named}.json");
    if !folder.join(&file).is_file() {
        return Err(usage(format!(
            "no client {named:?}: conformance/clients has {}; or give the path of a .json file",
            names_in(&folder).join(", ")
        )));
    }
    let client = Client::load(&folder.join(&file)).map_err(usage)?;
    Ok((client, format!("conformance/clients/{file}")))
}

/// The clients that have a file in this folder.
pub(super) fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names =
        entries.filter_map(|entry| Some(entry.file_name().to_str()?.strip_suffix(".json")?.to_owned()));
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}
