//! The first line of a shim, field by field.

use std::collections::BTreeSet;

use serde::Deserialize as _;
use serde_json::Value;

use super::patient::Patient;
use super::{Examination, Patience};
use crate::driver::lines::excerpt;
use crate::driver::{Capability, PROTOCOL};
use crate::real_time::{Deadline, Stopwatch};

const SHAPE: &str = "write {\"hello\":{\"protocol\":1,\"name\":\"my-client\",\"version\":\"1.2.0\",\"capabilities\":[]}} as the \
                     first line on stdout, end it with a newline and flush";

/// What of a hello is needed to go on.
pub(super) struct Introduced {
    pub(super) capabilities: BTreeSet<Capability>,
}

/// `None`: nothing can be asked of it.
pub(super) fn check(
    examination: &mut Examination,
    patient: &mut Patient,
    patience: Patience,
) -> Option<Introduced> {
    let started = Stopwatch::start();
    let deadline = Deadline::after(patience.hello);
    let hello = loop {
        let line = match patient.raw_line(deadline) {
            Ok(Some(line)) => line,
            Ok(None) => {
                examination.healthy("start", "it runs");
                let mut seen = format!("no hello within {:?}", patience.hello);
                if let Some(first) = patient.garbage.first() {
                    seen = format!("{seen}; instead: {first}");
                }
                examination.wrong("hello", seen, SHAPE);
                return None;
            }
            Err(ended) => {
                let first = patient.garbage.first().map(|line| format!("; before that: {line}"));
                examination.wrong(
                    "start",
                    format!("no hello: {ended}{}", first.unwrap_or_default()),
                    "run the command by hand in the same folder: it should wait for lines on stdin",
                );
                return None;
            }
        };
        let parsed: Option<Value> = serde_json::from_slice(&line).ok();
        match parsed.as_ref().and_then(|line| line.get("hello")) {
            Some(_) => break parsed?,
            None => patient.note_garbage(format!("before the hello: {}", excerpt(&line))),
        }
    };
    examination.healthy("start", "it runs");
    examine(examination, &hello, started)
}

fn examine(examination: &mut Examination, line: &Value, started: Stopwatch) -> Option<Introduced> {
    let after = started.elapsed().as_millis();
    let hello = &line["hello"];
    let mut wrong = Vec::new();
    match hello.get("protocol") {
        Some(version) if version.as_u64() == Some(u64::from(PROTOCOL)) => {}
        Some(version) => {
            examination.wrong(
                "hello",
                format!("\"protocol\" is {version}; this harness speaks {PROTOCOL}"),
                format!("say \"protocol\":{PROTOCOL}, a number, once the shim does what that version of DRIVER.md asks for"),
            );
            return None;
        }
        None => wrong.push(format!("\"protocol\" is missing: the number {PROTOCOL}")),
    }
    for field in ["name", "version"] {
        match hello.get(field) {
            Some(Value::String(text)) if !text.trim().is_empty() => {}
            Some(other) => wrong.push(format!("{field:?} is {other}: a string that says something")),
            None => wrong.push(format!("{field:?} is missing")),
        }
    }
    let mut capabilities = BTreeSet::new();
    match hello.get("capabilities") {
        Some(Value::Array(words)) => {
            for word in words {
                match Capability::deserialize(word) {
                    Ok(capability) => {
                        capabilities.insert(capability);
                    }
                    Err(error) => wrong.push(format!("\"capabilities\": {error}")),
                }
            }
        }
        Some(other) => wrong.push(format!("\"capabilities\" is {other}: a list, [] if there is none")),
        None => wrong.push("\"capabilities\" is missing: a list, [] if there is none".to_owned()),
    }
    let known = ["protocol", "name", "version", "capabilities"];
    let strange: Vec<&String> = hello
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, _)| key)
        .filter(|key| !known.contains(&key.as_str()))
        .collect();
    if !strange.is_empty() {
        wrong.push(format!("fields that the protocol does not have: {strange:?}"));
    }
    if line.as_object().is_some_and(|line| line.len() > 1) {
        wrong.push("something beside \"hello\" in its line".to_owned());
    }
    if wrong.is_empty() {
        let words: Vec<&str> = capabilities.iter().map(|one| one.as_str()).collect();
        let words = if words.is_empty() { "no capabilities".to_owned() } else { words.join(", ") };
        let text = |field: &str| hello[field].as_str().unwrap_or_default().to_owned();
        examination.healthy(
            "hello",
            format!("{} {}, protocol {PROTOCOL}; {words}; after {after} ms", text("name"), text("version")),
        );
    } else {
        examination.not_started = true;
        examination.wrong("hello", wrong.join("\n"), SHAPE);
    }
    Some(Introduced { capabilities })
}
