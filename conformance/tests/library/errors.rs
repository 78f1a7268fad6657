//! The catalog and the scenarios of `error` and `situation`: each entry is brought about by one, by its own name, and what
//! it tells of clients comes from runs.

use std::collections::BTreeSet;
use std::path::Path;

use conformance::clause;
use conformance::scenario::{Action, Scenario, load};
use mock_server::catalog::catalog;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the repository")
}

fn scenarios() -> Vec<Scenario> {
    let clauses = clause::load(&root().join("fixtures/clauses.json")).expect("clauses");
    let ids = clauses.into_iter().map(|clause| clause.id).collect();
    load(&root().join("fixtures/scenarios"), Path::new("fixtures/scenarios"), &ids).expect("scenarios")
}

#[test]
fn every_error_is_brought_about_by_the_scenario_of_its_name() {
    let scenarios = scenarios();
    for error in &catalog().errors {
        let name = format!("error/{}", error.name);
        let scenario = scenarios.iter().find(|scenario| scenario.name == name);
        let scenario = scenario.unwrap_or_else(|| panic!("no scenario {name}"));
        let staged = scenario.steps.iter().any(|step| {
            matches!(&step.action, Action::Stage { name, user } if *name == error.name && user == "alice")
        });
        let shows = scenario.steps.iter().any(|step| {
            matches!(&step.action, Action::Shows { user, of } if *of == error.name && user.user == "alice")
        });
        assert!(staged && shows, "{name} needs a step of each kind, stage and shows, for {}", error.name);
    }
}

#[test]
fn every_situation_is_staged_by_the_scenario_of_its_name() {
    let scenarios = scenarios();
    for situation in &catalog().situations {
        let name = format!("situation/{}", situation.name);
        let scenario = scenarios.iter().find(|scenario| scenario.name == name);
        let scenario = scenario.unwrap_or_else(|| panic!("no scenario {name}"));
        let staged = scenario.steps.iter().any(|step| {
            matches!(&step.action, Action::Stage { name, user } if *name == situation.name && user == "alice")
        });
        assert!(staged, "{name} needs a step stage for {}", situation.name);
        assert_eq!(
            situation.scenarios.first(),
            Some(&name),
            "{}: its own scenario comes first",
            situation.name
        );
    }
}

#[test]
fn every_situation_names_scenarios_that_there_are() {
    let scenarios = scenarios();
    let names: BTreeSet<&str> = scenarios.iter().map(|scenario| &*scenario.name).collect();
    for situation in &catalog().situations {
        assert!(!situation.scenarios.is_empty(), "{}", situation.name);
        for name in &situation.scenarios {
            assert!(names.contains(&**name), "{}: no scenario {name}", situation.name);
        }
    }
}

#[test]
fn every_error_has_a_clause_that_there_is() {
    let clauses = clause::load(&root().join("fixtures/clauses.json")).expect("clauses");
    for error in &catalog().errors {
        assert!(clauses.iter().any(|clause| clause.id == error.clause), "{}: {}", error.name, error.clause);
    }
}

/// What these clients show is known of every entry, but for calls that a client does not have.
#[test]
fn what_the_reference_and_the_newest_sdk_show_is_known_of_each() {
    for error in &catalog().errors {
        for client in ["core", "node-4.21.1", "chromium-4.21.1"] {
            let known = catalog().seen(&error.name, client);
            assert!(known.is_some(), "{}: nothing is known of {client}", error.name);
        }
    }
}
