//! This shim as the harness sees it: its doctor finds it healthy, its lines fit the schema, and the conversation that
//! DRIVER.md shows is one that it has.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use conformance::doctor::{self, Patience, examine};
use conformance::driver::Driver as _;
use conformance::driver::subprocess::{Limits, Program, Subprocess};
use conformance::exit::Exit;
use conformance::run::{self, Outcome};
use conformance::scenario::Scenario;
use conformance::schema::Name;
use conformance::trace::Marked;
use serde_json::Value;

fn program() -> Program {
    Program { program: env!("CARGO_BIN_EXE_shim-core").into(), args: Vec::new(), folder: ".".into() }
}

#[test]
fn the_doctor_finds_it_healthy() {
    let server = doctor::server().expect("the server starts");
    let examination = examine(&program(), &server, 1, Patience::default());
    assert_eq!(examination.exit(), Exit::AsExpected, "{}", examination.text());
    assert!(!examination.text().contains("skipped"), "{}", examination.text());
}

/// The scenario is the page's own. What is asked only to pass time (`sync`, `advance`) is left out there, and the rest
/// numbered anew; whose events come first is chance, so each device's lines are held by themselves.
#[test]
fn its_lines_fit_the_schema_and_the_conversation_of_driver_md() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../DRIVER.md"));
    let page = page.expect("it is there").replace('\r', "");
    let section = page.split("## A whole conversation").nth(1).expect("the section");
    let mut blocks = section.split("```").skip(1).step_by(2);
    let source = blocks.next().and_then(|block| block.strip_prefix("json\n")).expect("a scenario");
    let shown = blocks.next().expect("a conversation").trim();

    let clauses = ["send.text.single".to_owned()].into();
    let path = Path::new("conformance/DRIVER.md");
    let scenario = Scenario::parse(source, "send/hello", path, &clauses).expect("a scenario");
    let server = doctor::server().expect("the server starts");
    let mut driver = Subprocess::start(&program(), Limits::default()).expect("it starts");
    let hello = serde_json::json!({"hello": driver.hello()});
    let within = Duration::from_secs(5);
    let run = run::run(&server, &mut driver, &scenario, run::Limits { expect: within, quiet: within });
    assert_eq!(run.outcome, Outcome::Finished);

    let validator = jsonschema::draft202012::new(&Name::Driver.schema()).expect("a schema");
    let mut lines = vec![("shim", hello)];
    for mark in &run.trace.marks {
        match &mark.what {
            Marked::Asked(line) => lines.push(("harness", read(line))),
            Marked::Said(line) => lines.push(("shim", read(line))),
            _ => {}
        }
    }
    for (_, line) in &lines {
        let complaint = validator.validate(line).err().map(|error| error.to_string());
        assert_eq!(complaint, None, "{line}");
    }
    let said = by_device(&without_passing_time(lines), &server.addr().to_string());
    let shown: Vec<(&str, Value)> = shown
        .lines()
        .map(|line| {
            let (who, line) = line.split_once('→').expect("an arrow");
            (who.trim(), read(line))
        })
        .collect();
    assert_eq!(by_device(&shown, "127.0.0.1:4000"), said);
}

fn read(line: &str) -> Value {
    serde_json::from_str(line).expect("JSON")
}

fn without_passing_time(lines: Vec<(&'static str, Value)>) -> Vec<(&'static str, Value)> {
    let passes = |line: &Value| ["sync", "advance"].iter().any(|name| line["command"].get(name).is_some());
    let left_out: Vec<Value> =
        lines.iter().filter(|(_, line)| passes(line)).map(|(_, line)| line["id"].clone()).collect();
    let mut ids = Vec::new();
    let mut kept = Vec::new();
    for (who, mut line) in lines {
        if let Some(id) = line.get("id").cloned() {
            if left_out.contains(&id) {
                continue;
            }
            if !ids.contains(&id) {
                ids.push(id.clone());
            }
            let place = ids.iter().position(|one| *one == id).expect("it was put there");
            line["id"] = (place + 1).into();
        }
        kept.push((who, line));
    }
    kept
}

/// The lines of each device, answers with their requests.
fn by_device(lines: &[(&str, Value)], address: &str) -> BTreeMap<String, Vec<String>> {
    let mut users = BTreeMap::new();
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (who, line) in lines {
        let id = line["id"].to_string();
        if let Some(user) = line["user"].as_str() {
            users.insert(id.clone(), user.to_owned());
        }
        let user = line["user"].as_str().or_else(|| users.get(&id).map(String::as_str)).unwrap_or("process");
        let text = format!("{who} → {line}").replace(address, "ADDRESS");
        all.entry(user.to_owned()).or_default().push(text);
    }
    all
}
