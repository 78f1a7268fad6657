//! Reports as large and as varied as those of real runs, made of the scenarios and the reference client's records
//! without running anything.

use std::path::{Path, PathBuf};

use conformance::clause;
use conformance::report::model::{
    ClauseReport, ClientReport, Evidence, FORMAT, FindingReport, LaneKind, LaneReport, MismatchReport,
    Moment, PlaceWord, Report, ScenarioReport, ScenarioText, Tally, VerdictWord, Way,
};
use serde_json::Value;

/// As many clients as a run of all has, and one more.
pub(crate) const CLIENTS: [(&str, &str, &str); 8] = [
    ("core", "webim-client-core", "0.1.0"),
    ("core-sockjs", "webim-client-core", "0.1.0"),
    ("node-3.0.6", "easemob-websdk", "3.0.6"),
    ("node-3.6.3", "easemob-websdk", "3.6.3"),
    ("node-4.21.1", "easemob-websdk", "4.21.1"),
    ("chromium-3.6.3", "easemob-websdk", "3.6.3"),
    ("chromium-4.21.1", "easemob-websdk", "4.21.1"),
    ("python-min", "python-min", "0.1.0"),
];

/// A report of every scenario on every client, with evidence of each run.
pub(crate) fn of_everything() -> Report {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the repository");
    let clauses = clause::load(&root.join("fixtures/clauses.json")).expect("the clauses are read");
    let clauses = clauses
        .into_iter()
        .map(|one| ClauseReport { id: one.id, level: one.level, statement: one.statement })
        .collect();
    let scenarios: Vec<ScenarioText> =
        files(&root.join("fixtures/scenarios")).iter().map(|file| text(file)).collect();
    let evidence: Vec<Evidence> = scenarios.iter().map(|one| evidence(root, one)).collect();
    let clients =
        CLIENTS.iter().enumerate().map(|(at, names)| client(at, *names, &scenarios, &evidence)).collect();
    Report {
        format: FORMAT,
        harness: "0.1.0".to_owned(),
        program: "cargo xtask conformance".to_owned(),
        started_ms: 1_795_430_000_000,
        ms: 341_250,
        seed: u64::MAX,
        nasty: None,
        shard: None,
        interrupted: false,
        clauses,
        scenarios,
        clients,
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = |folder: &Path| {
        let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
            .expect("the folder is read")
            .map(|entry| entry.expect("the folder is read").path())
            .collect();
        entries.sort();
        entries
    };
    entries(folder).iter().flat_map(|area| entries(area)).collect()
}

fn text(file: &Path) -> ScenarioText {
    let source = std::fs::read_to_string(file).expect("the scenario is read");
    let json: Value = serde_json::from_str(&source).expect("a scenario is JSON");
    let area = file.parent().and_then(Path::file_name).expect("an area").to_string_lossy();
    let stem = file.file_stem().expect("a name").to_string_lossy();
    let strings = |key: &str| {
        json[key].as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_owned)).collect()
    };
    ScenarioText {
        name: format!("{area}/{stem}"),
        path: format!("fixtures/scenarios/{area}/{stem}.json"),
        why: json["why"].as_str().unwrap_or_default().to_owned(),
        clauses: strings("clauses"),
        source,
    }
}

/// The frames of the record, lane by lane, spread over the steps, with the driver's lines between them.
fn evidence(root: &Path, scenario: &ScenarioText) -> Evidence {
    let record = format!("conformance/tests/snapshots/core/{}.snap", scenario.name.replace('/', "__"));
    let record = std::fs::read_to_string(root.join(record)).unwrap_or_default();
    let mut lanes = vec![LaneReport { title: "driver".to_owned(), kind: LaneKind::Driver }];
    let mut frames: Vec<(usize, String)> = Vec::new();
    for line in record.lines() {
        if let Some(title) = line.strip_prefix("== ") {
            let kind = if title.contains("HTTP") { LaneKind::Http } else { LaneKind::Socket };
            lanes.push(LaneReport { title: title.replace(" (", ", ").replace(')', ""), kind });
        } else if line.starts_with(['>', '<']) {
            frames.push((lanes.len() - 1, line.to_owned()));
        } else if let (Some((_, frame)), true) = (frames.last_mut(), lanes.len() > 1) {
            frame.push('\n');
            frame.push_str(line);
        }
    }
    let json: Value = serde_json::from_str(&scenario.source).expect("a scenario is JSON");
    let steps = json["steps"].as_array().map_or(&[][..], |steps| &steps[..]);
    let mut moments = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        let share = frames.len() * at / steps.len()..frames.len() * (at + 1) / steps.len();
        let at_ms = Some(at as u64 * 37 + if at > 8 { 120_000 } else { 0 });
        let (verb, what) = step.as_object().and_then(|step| step.iter().next()).expect("a step");
        let inner = what.get("command").or_else(|| what.get("event"));
        let label = inner.and_then(Value::as_object).and_then(|inner| inner.keys().next()).unwrap_or(verb);
        let way = match &**verb {
            "tell" => Way::ToClient,
            "expect" => Way::FromClient,
            _ => Way::Here,
        };
        let said =
            Moment { lane: 0, way, label: label.clone(), text: what.to_string(), step: Some(at + 1), at_ms };
        if verb == "tell" {
            moments.push(said.clone());
        }
        for (lane, frame) in &frames[share] {
            let way = if frame.starts_with('>') { Way::Up } else { Way::Down };
            let label = frame[2..].lines().next().unwrap_or_default();
            let label = match lanes[*lane].kind {
                LaneKind::Http => label.split(' ').take(2).collect::<Vec<_>>().join(" "),
                LaneKind::Socket | LaneKind::Driver | LaneKind::Control => {
                    label.split(' ').next().unwrap_or_default().to_owned()
                }
            };
            let text = frame[2..].to_owned();
            moments.push(Moment { lane: *lane, way, label, text, step: Some(at + 1), at_ms });
        }
        if verb != "tell" {
            moments.push(said);
        }
    }
    let left_out = moments.len().saturating_sub(400);
    moments.drain(100.min(moments.len())..100.min(moments.len()) + left_out);
    Evidence { lanes, moments, left_out, left_out_after: 99, stderr: String::new() }
}

fn client(
    at: usize,
    (name, calls_itself, version): (&str, &str, &str),
    scenarios: &[ScenarioText],
    evidence: &[Evidence],
) -> ClientReport {
    let ended: Vec<ScenarioReport> = scenarios
        .iter()
        .zip(evidence)
        .enumerate()
        .map(|(index, (scenario, evidence))| ended(at, index, name, scenario, evidence))
        .collect();
    let count = |word: VerdictWord| ended.iter().filter(|one| one.verdict == word).count();
    ClientReport {
        name: name.to_owned(),
        calls_itself: calls_itself.to_owned(),
        version: version.to_owned(),
        capabilities: vec!["virtual_clock".to_owned(), "network".to_owned()],
        not_started: None,
        tally: Tally {
            passed: count(VerdictWord::Passed),
            failed: count(VerdictWord::Failed) + count(VerdictWord::StaleKnownFailure),
            flaky: count(VerdictWord::Flaky),
            known_failures: count(VerdictWord::KnownFailure),
            unsupported: count(VerdictWord::Unsupported),
            not_run: count(VerdictWord::NotRun),
        },
        stale: if at == 3 {
            vec![
                "known_failures: \"roam/*\" with message \"expected 20\" matches no failure; remove the entry"
                    .to_owned(),
            ]
        } else {
            Vec::new()
        },
        mend: (at == 3).then(|| format!("conformance run --client {name} --update-known-failures")),
        unexplained: Vec::new(),
        file: Some(format!("conformance/clients/{name}.json")),
        again: format!("--client {name} --seed 18446744073709551615 {{}}"),
        scenarios: ended,
    }
}

/// Clients are worse the further to the right they are; the last knows little.
fn ended(
    at: usize,
    index: usize,
    client: &str,
    scenario: &ScenarioText,
    evidence: &Evidence,
) -> ScenarioReport {
    let chance = (index * 7919 + at * 104_729) % 1000;
    let v4 = scenario.name.starts_with("v4/");
    let verdict = match (at, chance) {
        (_, 990..) => VerdictWord::Failed,
        (4, 985..) => VerdictWord::Flaky,
        (3, 985..) => VerdictWord::StaleKnownFailure,
        (2 | 3 | 5, _) if v4 => VerdictWord::Unsupported,
        (7, 200..) => VerdictWord::Unsupported,
        (2..=6, 900..) => VerdictWord::KnownFailure,
        _ => VerdictWord::Passed,
    };
    let mut mismatches = Vec::new();
    let mut findings = Vec::new();
    if !matches!(verdict, VerdictWord::Passed | VerdictWord::Unsupported) {
        let step = evidence.moments.len() / 2;
        let step = evidence.moments.get(step).and_then(|moment| moment.step).unwrap_or(1);
        let line =
            scenario.source.lines().position(|line| line.contains("\"steps\"")).map(|line| line + 1 + step);
        mismatches.push(MismatchReport {
            place: PlaceWord::Step,
            step: Some(step),
            line,
            message: "bob showed another text than expected\n  data: expected \"hi\", got \"hi, hi\"\n  ext: expected {\"key\":\"value\",\"key2\":{\"key3\":\"value2\"}}, got {\"key\":\"value\",\"key2\":\"{\\\"key3\\\":\\\"value2\\\"}\"}\n  time: expected $t1 = 1640908800000, got nothing: the field is missing".to_owned(),
        });
        mismatches.push(MismatchReport {
            place: PlaceWord::Wire,
            step: None,
            line: None,
            message: "alice sent what send.ids forbids, 2 times\n  id: expected 1160000000000000001, got 1160000000000000000".to_owned(),
        });
        findings.push(FindingReport {
            clause: "send.ids".to_owned(),
            user: "alice".to_owned(),
            text: "id: expected 1160000000000000001, got 1160000000000000000".to_owned(),
            times: 2,
        });
    }
    let reason = match verdict {
        VerdictWord::KnownFailure => {
            Some("The SDK shows the reason of the last refusal for every later one.")
        }
        VerdictWord::Unsupported => Some("3.x has no such call."),
        _ => None,
    };
    let mut evidence = evidence.clone();
    // No two clients say the same word by word.
    for moment in &mut evidence.moments {
        moment.text = moment.text.replace("<resource 1>", &format!("webim_{client}"));
    }
    if verdict != VerdictWord::Passed {
        evidence.stderr =
            "(node:41) Warning: something that the SDK says\n    at somewhere (bundle.js:1:20411)".to_owned();
    }
    let bundle = (verdict == VerdictWord::Failed).then(|| {
        format!("target/conformance/bundles/{client}/{}.bundle.json", scenario.name.replace('/', "__"))
    });
    ScenarioReport {
        name: scenario.name.clone(),
        verdict,
        reason: reason.map(str::to_owned),
        mismatches,
        findings,
        ms: 12 + chance as u64,
        tries: if verdict == VerdictWord::Flaky { 2 } else { 1 },
        bundle,
        evidence: Some(evidence),
    }
}
