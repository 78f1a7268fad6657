//! What has to be run because files were saved: from paths alone, so that it can be told without a file system.
//!
//! It watches nothing and runs nothing; the verb `watch` does.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Names of folders in which nothing is written by hand.
const NOT_BY_HAND: [&str; 4] = ["node_modules", "target", "__pycache__", ".git"];

/// Where the files are that a run depends on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ground {
    /// The folder of the scenarios, `area/name.json` below it.
    pub scenarios: PathBuf,
    /// Files and folders that every scenario depends on: the clauses, the media.
    pub shared: Vec<PathBuf>,
    /// Each client that is run.
    pub clients: Vec<OfClient>,
}

/// Where a client's files are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfClient {
    /// Its name, as the command line names it.
    pub name: String,
    /// Its own file, those of the clients that it is like, its program, and folders of its shim.
    pub files: Vec<PathBuf>,
}

/// What is to be run. Where several are asked for, the largest is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Round {
    /// Nothing that a run depends on was saved.
    Nothing,
    /// These scenarios, on every client.
    Scenarios(BTreeSet<String>),
    /// On these clients what failed last, and all that is meant if that passes by now, or if nothing had failed.
    Clients(BTreeSet<String>),
    /// All that is meant, on every client.
    All,
}

impl Ground {
    /// What is to be run now that these were saved, made or removed. All paths are absolute.
    pub fn round<'p>(&self, saved: impl IntoIterator<Item = &'p Path>) -> Round {
        let (mut scenarios, mut clients) = (BTreeSet::new(), BTreeSet::new());
        for path in saved {
            if self.shared.iter().any(|shared| is_in(path, shared)) {
                return Round::All;
            }
            if let Some(name) = self.scenario(path) {
                scenarios.insert(name);
            }
            let of = self.clients.iter().filter(|client| client.files.iter().any(|file| is_in(path, file)));
            clients.extend(of.map(|client| client.name.clone()));
        }
        if !clients.is_empty() && !scenarios.is_empty() {
            Round::All
        } else if !clients.is_empty() {
            Round::Clients(clients)
        } else if !scenarios.is_empty() {
            Round::Scenarios(scenarios)
        } else {
            Round::Nothing
        }
    }

    /// The name of the scenario in this file, if it is one.
    fn scenario(&self, path: &Path) -> Option<String> {
        let below = path.strip_prefix(&self.scenarios).ok()?.to_str()?.replace('\\', "/");
        let (area, file) = below.split_once('/')?;
        let name = file.strip_suffix(".json")?;
        let is_name = |word: &str| !word.is_empty() && !word.starts_with('.') && !word.contains('/');
        (is_name(area) && is_name(name)).then(|| format!("{area}/{name}"))
    }
}

/// Whether a path is this file, or something in this folder that a person writes.
fn is_in(path: &Path, place: &Path) -> bool {
    let Ok(below) = path.strip_prefix(place) else { return false };
    let by_hand = |part: &str| {
        // What editors write for themselves beside a file.
        let by_editor = part.starts_with(['.', '#']) || part.ends_with(['~', '#']) || part.ends_with(".swp");
        !by_editor && !NOT_BY_HAND.contains(&part) && part != "4913"
    };
    below.components().all(|part| by_hand(&part.as_os_str().to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn ground() -> Ground {
        let of = |name: &str, files: &[&str]| OfClient {
            name: name.to_owned(),
            files: files.iter().map(PathBuf::from).collect(),
        };
        Ground {
            scenarios: "/r/scenarios".into(),
            shared: vec!["/r/clauses.json".into(), "/r/media".into()],
            clients: vec![
                of("node", &["/r/clients/node.json", "/r/shims/node"]),
                of("chromium", &["/r/clients/chromium.json", "/r/clients/node.json", "/r/shims/chromium"]),
                of("core", &["/r/clients/core.json", "/r/target/debug/shim-core"]),
            ],
        }
    }

    fn scenarios(names: &[&str]) -> Round {
        Round::Scenarios(names.iter().map(|&name| name.to_owned()).collect())
    }

    fn clients(names: &[&str]) -> Round {
        Round::Clients(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[rstest]
    #[case::a_scenario(&["/r/scenarios/send/text.json"], scenarios(&["send/text"]))]
    #[case::two(&["/r/scenarios/send/text.json", "/r/scenarios/recv/a.json", "/r/scenarios/send/text.json"], scenarios(&["recv/a", "send/text"]))]
    #[case::no_scenario(&["/r/scenarios/send/text.json~", "/r/scenarios/send/.text.json", "/r/scenarios/send", "/r/scenarios/x.json", "/r/scenarios/a/b/c.json"], Round::Nothing)]
    #[case::a_file_of_the_shim(&["/r/shims/node/adapters/a.js"], clients(&["node"]))]
    #[case::not_by_hand(&["/r/shims/node/node_modules/x/y.js", "/r/shims/node/.shim.mjs.swp", "/r/shims/node/4913", "/r/shims/node/shim.mjs~"], Round::Nothing)]
    #[case::the_clients_file(&["/r/clients/core.json"], clients(&["core"]))]
    #[case::that_of_another_that_is_like_it(&["/r/clients/node.json"], clients(&["chromium", "node"]))]
    #[case::the_program_was_built(&["/r/target/debug/shim-core"], clients(&["core"]))]
    #[case::another_was(&["/r/target/debug/shim-core.d", "/r/target/debug/mock-server"], Round::Nothing)]
    #[case::the_clauses(&["/r/clauses.json"], Round::All)]
    #[case::a_medium(&["/r/media/photo.png", "/r/scenarios/send/text.json"], Round::All)]
    #[case::a_scenario_and_a_shim(&["/r/shims/node/shim.mjs", "/r/scenarios/send/text.json"], Round::All)]
    #[case::nothing(&[], Round::Nothing)]
    #[case::elsewhere(&["/r/README.md", "/elsewhere/scenarios/send/text.json"], Round::Nothing)]
    fn what_was_saved_says_what_is_run(#[case] saved: &[&str], #[case] round: Round) {
        assert_eq!(ground().round(saved.iter().map(Path::new)), round);
    }
}
