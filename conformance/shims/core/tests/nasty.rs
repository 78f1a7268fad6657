//! A nasty server does the same for the same seed, however many scenarios run beside each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use conformance::bundle::Bundle;
use conformance::clause;
use conformance::client::Client;
use conformance::scenario::Scenario;
use conformance::suite::{Bundles, BundlesOf, Keep, Plan, run_all};
use conformance::transcript::Transcript;
use conformance::verdict::Verdict;
use mock_server::control::Settings;
use mock_server::shell::{MockServer, Options};

/// Of several areas, those in which nothing but the server decides in which order things come. Elsewhere clients decide,
/// too. Seen in the bytes of whole runs with one job and with eight: of 514 scenarios 56 differ on a kind server, 41 of them
/// because the addresses of attachments have its port, 15 by how far a burst or a cut had come (14 have no record for that
/// reason). On a nasty one whose clock stands, a turn is over when nothing more has come in, which clients race: 14 more.
const NAMES: [&str; 10] = [
    "send/text-to-user",
    "conn/absent-one-message",
    "recall/while-away",
    "receipt/group-read-counts",
    "roam/single",
    "session/newest-first",
    "fail/muted-for-a-minute-in-a-group",
    "v4/reaction-in-a-group",
    "v4/pin-group",
    "v4/room-entered-and-left",
];

fn scenarios() -> Vec<Scenario> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let clauses: BTreeSet<String> =
        clause::embedded().expect("they are in the program").into_iter().map(|clause| clause.id).collect();
    let scenario = |name: &&str| {
        let path = format!("fixtures/scenarios/{name}.json");
        let source = std::fs::read_to_string(root.join(&path)).expect("the scenario is there");
        Scenario::parse(&source, name, Path::new(&path), &clauses).expect("a scenario")
    };
    NAMES.iter().map(scenario).collect()
}

/// What went over the wires of each scenario, lane by lane: between lanes order is chance.
fn traces(seed: u64, jobs: usize) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().expect("a folder");
    let server = MockServer::start(Options {
        tape: true,
        settings: Settings { strict: true, ..Settings::default() },
        nasty: Some(seed),
        ..Options::default()
    });
    let server = server.expect("a free port");
    let client = Client::of_command(vec![env!("CARGO_BIN_EXE_shim-core").into()], Path::new("."));
    let scenarios = scenarios();
    let chosen: Vec<&Scenario> = scenarios.iter().collect();
    let bundles = Bundles { folder: folder.path(), of: BundlesOf::All, seed: 0 };
    let keep = Keep { bundles: Some(bundles), ..Keep::default() };
    let plan = Plan { jobs, keep, nasty: Some(seed), ..Plan::new(&client, &chosen) };
    let suite = run_all(&server, plan, |_, _| {}).expect("the shim starts");
    let trace = |one: conformance::suite::Evaluated<'_>| {
        assert_eq!(one.verdict, Verdict::Passed, "{} by seed {seed}", one.scenario.name);
        let bundle = Bundle::read(&one.bundle.expect("each has one")).expect("it is whole");
        let text = Transcript::new(&bundle.tape, &bundle.app_key, 0).text();
        (one.scenario.name.clone(), text)
    };
    suite.evaluated.into_iter().map(trace).collect()
}

#[test]
fn the_same_seed_gives_the_same_traces_however_many_run_at_once() {
    let alone = traces(7, 1);
    assert_eq!(alone.len(), NAMES.len());
    assert_eq!(alone, traces(7, 8));
    assert_ne!(alone, traces(8, 8), "another seed is another course of things");
}
