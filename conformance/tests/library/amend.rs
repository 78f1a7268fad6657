//! `--update-known-failures` on copies of the real clients' files: whatever a run shows, the file that it leaves makes
//! the next run green, nothing else of it changes, and a second update changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use conformance::amend::{Amendment, amend, write_whole};
use conformance::client::{Client, Day};
use conformance::exceptions::{Exceptions, Seen, Sight};
use conformance::judge::Finding;
use conformance::pattern::is_match;
use conformance::run::{Failure, Outcome};
use conformance::verdict::{Verdict, verdict};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;
use similar::TextDiff;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What a client did in each scenario that ran.
type World = BTreeMap<String, (Outcome, Vec<(Finding, usize)>)>;

/// The clients' files in a folder of their own.
struct Copies(tempfile::TempDir);

impl Copies {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        for file in fs::read_dir(Path::new(REPOSITORY).join("conformance/clients")).expect("the clients") {
            let file = file.expect("a file").path();
            fs::copy(&file, folder.path().join(file.file_name().expect("a name"))).expect("a copy");
        }
        Self(folder)
    }

    fn path(&self, client: &str) -> PathBuf {
        self.0.path().join(format!("{client}.json"))
    }

    fn load(&self, client: &str) -> Client {
        Client::load(&self.path(client)).expect("a client's file")
    }

    fn text(&self, client: &str) -> String {
        fs::read_to_string(self.path(client)).expect("a client's file")
    }
}

fn today() -> Day {
    Day::parse("2026-11-23").expect("a day")
}

/// All scenarios that there are.
fn names() -> BTreeSet<String> {
    let scenarios = Path::new(REPOSITORY).join("fixtures/scenarios");
    let areas = fs::read_dir(scenarios).expect("areas").map(|area| area.expect("an area").path());
    areas
        .flat_map(|area| {
            let files = fs::read_dir(&area).expect("scenarios");
            files.map(move |file| {
                let file = file.expect("a scenario").path();
                let part = |path: &Path| path.file_stem().expect("a name").to_string_lossy().into_owned();
                format!("{}/{}", part(&area), part(&file))
            })
        })
        .collect()
}

fn verdicts(client: &Client, world: &World) -> BTreeMap<String, Verdict> {
    let exceptions = Exceptions::of(client, "4.21.1");
    let judge = |(name, (outcome, findings)): (&String, &(Outcome, Vec<_>))| {
        (name.clone(), verdict(&exceptions, name, outcome, findings, || None))
    };
    world.iter().map(judge).collect()
}

/// The file of a client after a run that showed this; and what is still wrong with it as it is.
fn amended(source: &str, client: &Client, world: &World, all: &BTreeSet<&str>) -> (Amendment, Vec<String>) {
    let verdicts = verdicts(client, world);
    let seen =
        verdicts.iter().map(|(scenario, verdict)| Seen { scenario, verdict, findings: &world[scenario].1 });
    let sight = Sight::new(seen, Some(all));
    let exceptions = Exceptions::of(client, "4.21.1");
    let mut wrong: Vec<String> =
        exceptions.stale(&sight, today()).into_iter().map(|stale| stale.message).collect();
    wrong.extend(verdicts.iter().filter_map(|(name, verdict)| match verdict {
        Verdict::Failed(mismatches) | Verdict::Flaky(mismatches) => {
            Some(format!("{name} failed: {mismatches:?}"))
        }
        Verdict::StaleKnownFailure(_) => Some(format!("{name} passed")),
        Verdict::Passed | Verdict::KnownFailure { .. } | Verdict::Unsupported { .. } => None,
    }));
    (amend(source, &exceptions, &sight, today()), wrong)
}

fn failed(message: &str) -> Outcome {
    Outcome::Failed(Failure { step: Some((2, 9)), message: message.to_owned() })
}

/// A run that shows what a client's file says, and nothing else.
fn as_declared(client: &Client, names: &BTreeSet<String>) -> World {
    let mut world: World = names.iter().map(|name| (name.clone(), (Outcome::Finished, Vec::new()))).collect();
    let exceptions = Exceptions::of(client, "4.21.1");
    let mut free: Vec<&String> = Vec::new();
    for name in names {
        // A message that has the words of all entries that are for it.
        let words: Vec<&str> = exceptions.failures(name).map(|(_, known)| &*known.message).collect();
        if words.is_empty() {
            free.push(name);
        } else {
            world.insert(name.clone(), (failed(&words.join("\n  ")), Vec::new()));
        }
    }
    let mut free = free.into_iter();
    for what in client.unsupported.keys() {
        let name = free.next().expect("more scenarios than words");
        world.insert(name.clone(), (Outcome::Unsupported(what.clone()), Vec::new()));
    }
    for known in &client.known_findings {
        let pattern = known.scenario.as_deref().unwrap_or("*");
        let fits =
            |name: &&String| is_match(pattern, name) && !matches!(world[*name].0, Outcome::Unsupported(_));
        let name = names.iter().find(fits).expect("a scenario");
        let finding =
            Finding { clause: known.clause.clone(), user: "alice".to_owned(), text: known.text.clone() };
        world.get_mut(name).expect("it is there").1.push((finding, 1));
    }
    world
}

/// One change of what a client does in a scenario.
#[derive(Clone, Debug)]
enum Change {
    Passes,
    Fails(String),
    Lacks(String),
    Sends(String),
    DoesNotRun,
}

fn change() -> impl Strategy<Value = Change> {
    let field = ("[a-z]{2,9}", 1_u64.., "\\PC{0,80}").prop_map(|(field, id, rest)| {
        format!("alice showed text and not as expected\n  {field}: expected \"{id}\", got {rest}")
    });
    prop_oneof![
        Just(Change::Passes),
        Just(Change::DoesNotRun),
        field.prop_map(Change::Fails),
        "[a-z]{6,9} \\PC{0,80}".prop_map(Change::Fails),
        "[a-z_\"\\\\ü]{3,12}".prop_map(Change::Lacks),
        "[a-z.]{5,12}: expected \\PC{0,20}, got nothing".prop_map(Change::Sends),
    ]
}

fn clients() -> impl Strategy<Value = &'static str> {
    select(vec![
        "core",
        "core-sockjs",
        "node-3.0.6",
        "node-3.6.3",
        "chromium-3.6.3",
        "node-4.21.1",
        "chromium-4.21.1",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Only some of the scenarios are changed, so that much of a file has to stay.
    #[test]
    fn an_update_is_all_that_is_needed(
        name in clients(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), change()), 0..60),
    ) {
        let copies = Copies::new();
        let client = copies.load(name);
        let names = names();
        let all: BTreeSet<&str> = names.iter().map(String::as_str).collect();
        let mut world = as_declared(&client, &names);
        for (index, change) in &changes {
            let scenario = index.get(&names.iter().collect::<Vec<_>>()).to_string();
            match change.clone() {
                Change::Passes => drop(world.insert(scenario, (Outcome::Finished, Vec::new()))),
                Change::Fails(message) => drop(world.insert(scenario, (failed(&message), Vec::new()))),
                Change::Lacks(what) => drop(world.insert(scenario, (Outcome::Unsupported(what), Vec::new()))),
                Change::Sends(text) => {
                    let finding = Finding { clause: "send.ids".to_owned(), user: "alice".to_owned(), text };
                    drop(world.insert(scenario, (Outcome::Finished, vec![(finding, 2)])));
                }
                Change::DoesNotRun => drop(world.remove(&scenario)),
            }
        }
        let (first, wrong) = amended(&copies.text(name), &client, &world, &all);
        prop_assert!(first.left.is_empty(), "{:?}", first.left);
        prop_assert_eq!(first.done.is_empty(), wrong.is_empty(), "{:?} {:?}", first.done, wrong);
        if first.done.is_empty() {
            prop_assert_eq!(&first.text, &copies.text(name));
        }
        write_whole(&copies.path(name), &first.text).expect("it is written");
        let (second, wrong) = amended(&first.text, &copies.load(name), &world, &all);
        prop_assert_eq!(wrong, Vec::<String>::new(), "{}", first.text);
        prop_assert_eq!(second.done, Vec::<String>::new());
        prop_assert_eq!(second.text, first.text);
    }
}

/// What an update of a client's file changes, as a patch.
fn patch(copies: &Copies, name: &str, change: impl FnOnce(&mut World)) -> String {
    let client = copies.load(name);
    let names = names();
    let all: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let mut world = as_declared(&client, &names);
    change(&mut world);
    let source = copies.text(name);
    let (amendment, _) = amended(&source, &client, &world, &all);
    let diff = TextDiff::from_lines(&source, &amendment.text);
    let diff = diff.unified_diff().context_radius(1).to_string();
    // Behind `@@` are numbers of lines that change whenever somebody explains something.
    let lines = diff.lines().map(|line| if line.starts_with("@@") { "@@" } else { line });
    lines.chain(amendment.done.iter().map(String::as_str)).collect::<Vec<_>>().join("\n")
}

/// The refusal was known with another message: that entry goes, and the new one comes at the end.
#[test]
fn another_failure_of_a_scenario_takes_the_place_of_the_old_one() {
    let patch = patch(&Copies::new(), "node-3.6.3", |world| {
        let message = "alice showed failed and not as expected\n  type: expected 505, got 17\n  whole: failed {\"id\":\"1160000000000000007\"}";
        world.insert("build/ext-null-refused".to_owned(), (failed(message), Vec::new()));
    });
    insta::assert_snapshot!(patch, @r#"
    @@
         {
    -      "scenario": "build/ext-null-refused",
    -      "message": "should be refused",
    -      "reason": "3.6.3 quietly makes an ext of null an empty one (clause build.ext-null).",
    -      "outcome": "fails"
    -    },
    -    {
           "scenario": "build/ext-numbers-of-any-size",
    @@
           "outcome": "fails"
    +    },
    +    {
    +      "scenario": "build/ext-null-refused",
    +      "message": "type: expected 505, got 17",
    +      "reason": "not yet explained; written by --update-known-failures on 2026-11-23",
    +      "outcome": "fails"
         }
    removed build/ext-null-refused with "should be refused"
    added build/ext-null-refused with "type: expected 505, got 17"
    "#);
}

#[test]
fn what_comes_from_another_client_is_left_out_by_name() {
    let patch = patch(&Copies::new(), "chromium-4.21.1", |world| {
        for (_, (outcome, _)) in world.iter_mut() {
            if matches!(outcome, Outcome::Unsupported(what) if what == "integers_64") {
                *outcome = Outcome::Unsupported("call me".to_owned());
            }
        }
    });
    insta::assert_snapshot!(patch, @r#"
    @@
           "page",
    -      "network"
    +      "network",
    +      "integers_64"
         ]
    @@
         }
    -  ]
    +  ],
    +  "unsupported": {
    +    "call me": "not yet explained; written by --update-known-failures on 2026-11-23"
    +  }
     }
    removed unsupported "integers_64"
    added unsupported "call me"
    "#);
}

/// A small file of a shape that people write by hand.
#[test]
fn the_rest_of_a_file_stays_as_it_was_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.json");
    let source = r#"{ "name": "x",
  "command": ["x"],   "unsupported": {"a": "It has none.", "b": "Nor that."},
  "known_failures": [
    {"scenario": "send/*",   "message": "605", "reason": "It is old.", "outcome": "fails"},
    {"scenario": "recv/text", "message": "606", "reason": "It is new.", "outcome": "fails", "until": "2026-11-22"},

    {"scenario": "recv/gone", "message": "606", "reason": "It was.", "outcome": "varies"}
  ],
  "known_findings": []
}"#;
    fs::write(&path, source).expect("a file");
    let client = Client::load(&path).expect("a client's file");
    let all = BTreeSet::from(["recv/text", "send/a", "send/b", "send/c"]);
    let world: World = [
        ("recv/text", failed("type: expected 606, got 1")),
        ("send/a", failed("type: expected 605, got 1")),
        ("send/b", Outcome::Finished),
        ("send/c", Outcome::Unsupported("b".to_owned())),
    ]
    .into_iter()
    .map(|(name, outcome)| (name.to_owned(), (outcome, Vec::new())))
    .collect();
    let (amendment, wrong) = amended(source, &client, &world, &all);
    insta::assert_snapshot!(wrong.join("\n"), @r#"
    known_failures: "recv/text" with message "606" was good until 2026-11-22, and that is over; look at it again
    known_failures: "recv/gone" names no scenario, nearest: recv/text; correct it, or remove it
    unsupported: "a" was never met; remove it
    send/b passed
    "#);
    insta::assert_snapshot!(amendment.text, @r#"
    { "name": "x",
      "command": ["x"],   "unsupported": { "b": "Nor that."},
      "known_failures": [
        {"scenario": "send/a",   "message": "605", "reason": "It is old.", "outcome": "fails"},
        {"scenario": "recv/text", "message": "606", "reason": "not yet explained; written by --update-known-failures on 2026-11-23; it was good until 2026-11-22: It is new.", "outcome": "fails"}

      ],
      "known_findings": []
    }
    "#);
    insta::assert_snapshot!(amendment.done.join("\n"), @r#"
    rewrote send/* with "605", now for send/a
    rewrote recv/text with "606", now for recv/text
    removed recv/gone with "606"
    removed unsupported "a"
    "#);
}

#[test]
fn what_no_entry_can_mend_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.json");
    let source = json!({"name": "x", "command": ["x"]}).to_string();
    fs::write(&path, &source).expect("a file");
    let client = Client::load(&path).expect("a client's file");
    let exceptions = Exceptions::of(&client, "1.0.0");
    let not_run = verdict(
        &exceptions,
        "a/b",
        &failed("not run: the client could not be started 3 times in a row"),
        &[],
        || None,
    );
    let differs = verdict(&exceptions, "a/c", &Outcome::Finished, &[], || {
        Some("the wire is not as recorded".to_owned())
    });
    let seen = [("a/b", &not_run), ("a/c", &differs)].map(|(scenario, verdict)| Seen {
        scenario,
        verdict,
        findings: &[],
    });
    let all = BTreeSet::from(["a/b", "a/c"]);
    let amendment = amend(&source, &exceptions, &Sight::new(seen, Some(&all)), today());
    assert_eq!(amendment.text, source);
    insta::assert_snapshot!(amendment.left.join("\n"), @"
    a/b: nothing that a known failure could be known by: not run: the client could not be started 3 times in a row
    a/c: its record differs; `conformance review` shows it
    ");
}
