//! DRIVER.md, held: its tables have each command and each event of the types, with all fields, and nothing else.
//!
//! It never judges the sentences beside them. What the types have is asked of serde, which lists it in its refusals.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use conformance::driver::{Capability, Command, EventKind, ProcessCommand};
use serde_json::{Value, json};

#[test]
fn each_command_stands_there_with_its_fields() {
    let types: BTreeMap<String, Fields> = words(refusal_of::<Command>(&json!({"no such word": {}})))
        .into_iter()
        .chain(words(refusal_of::<ProcessCommand>(&json!({"no such word": {}}))))
        .map(|name| (name.clone(), fields_of(&name)))
        .collect();
    let page = Page::read();
    for entry in &page.commands {
        let fields =
            types.get(&entry.name).unwrap_or_else(|| panic!("DRIVER.md has {}, no type has", entry.name));
        let Some(said) = &entry.fields else {
            continue;
        };
        assert_fields(&entry.name, &fields.all, said, &page.commands);
        for field in said.names.iter().filter(|field| fields.all.contains(*field)) {
            // `emoji` may be null, and is always there.
            let is_required = fields.required.contains(field) || field == "emoji";
            assert!(
                is_required != said.optional.contains(field),
                "{}: is {field} required, as the type says ({is_required}), or not?",
                entry.name
            );
        }
    }
    assert_same("commands", &types.into_keys().collect(), &page.commands);
}

#[test]
fn each_event_stands_there_with_its_fields() {
    let names = words(refusal_of::<EventKind>(&json!("no such word")));
    let page = Page::read();
    for entry in &page.events {
        let kind: EventKind = serde_json::from_value(json!(entry.name))
            .unwrap_or_else(|_| panic!("DRIVER.md has {}, no type has", entry.name));
        let Some(said) = &entry.fields else {
            continue;
        };
        let fields = kind.fields().iter().map(|&field| field.to_owned()).collect();
        assert_fields(&entry.name, &fields, said, &page.events);
    }
    assert_same("events", &names.into_iter().collect(), &page.events);
}

#[test]
fn what_a_command_shows_is_an_event() {
    let page = Page::read();
    let events: BTreeSet<&str> = page.events.iter().map(|entry| entry.name.as_str()).collect();
    let commands: BTreeSet<&str> = page.commands.iter().map(|entry| entry.name.as_str()).collect();
    assert!(page.shown.len() > 10, "only {:?} were found", page.shown);
    for name in &page.shown {
        // "as `send_image`" is as good.
        let is_known = events.contains(name.as_str()) || commands.contains(name.as_str());
        assert!(is_known, "a command shows {name}, which is no event");
    }
}

#[test]
fn each_capability_stands_there() {
    let names = words(refusal_of::<Capability>(&json!("no such word")));
    let page = Page::read();
    assert_same("capabilities", &names.into_iter().collect(), &page.capabilities);
}

/// What a command takes.
struct Fields {
    all: BTreeSet<String>,
    required: BTreeSet<String>,
}

/// One command, event or capability as the page spells it.
struct Entry {
    name: String,
    /// `None`: bare, "as the one before".
    fields: Option<Said>,
}

struct Said {
    names: BTreeSet<String>,
    /// Those with a `?`.
    optional: BTreeSet<String>,
    /// Whether `…` stands for more.
    has_more: bool,
}

#[derive(Default)]
struct Page {
    commands: Vec<Entry>,
    events: Vec<Entry>,
    capabilities: Vec<Entry>,
    /// The names in a column `event` of a table of commands.
    shown: BTreeSet<String>,
}

impl Page {
    fn read() -> Self {
        let text = include_str!("../../DRIVER.md");
        let mut page = Self::default();
        let mut head: Option<Vec<&str>> = None;
        for line in text.lines() {
            let Some(row) = line.strip_prefix("| ").and_then(|line| line.strip_suffix('|')) else {
                if !line.starts_with("|---") {
                    head = None;
                }
                continue;
            };
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let Some(columns) = &head else {
                head = Some(cells);
                continue;
            };
            match columns[0] {
                "command" => page.commands.extend(spans(cells[0]).map(Entry::parse)),
                "event" => page.events.extend(spans(cells[0]).map(Entry::parse)),
                "capability" => page.capabilities.extend(spans(cells[0]).map(Entry::parse)),
                _ => {}
            }
            if columns.get(2) == Some(&"event") {
                page.shown.extend(spans(cells[2]).map(str::to_owned));
            }
        }
        page
    }
}

impl Entry {
    /// `name`, or `name {field, field?, …}`.
    fn parse(span: &str) -> Self {
        let Some((name, rest)) = span.split_once(" {") else {
            return Self { name: span.to_owned(), fields: None };
        };
        let inner =
            rest.strip_suffix('}').unwrap_or_else(|| panic!("{span}: a brace without its other half"));
        let mut said = Said { names: BTreeSet::new(), optional: BTreeSet::new(), has_more: false };
        for field in outer_parts(inner) {
            let field = field.split(':').next().unwrap_or_default().trim().trim_matches('"');
            match field {
                "" => {}
                "…" => said.has_more = true,
                _ => {
                    let name = field.trim_end_matches('?').to_owned();
                    if field.ends_with('?') {
                        said.optional.insert(name.clone());
                    }
                    assert!(said.names.insert(name), "{span}: {field} stands there twice");
                }
            }
        }
        Self { name: name.to_owned(), fields: Some(said) }
    }
}

/// Parts between commas that are in no bracket.
fn outer_parts(text: &str) -> Vec<String> {
    let mut depth = 0;
    let mut parts = vec![String::new()];
    for c in text.chars() {
        match c {
            '[' | '{' => depth += 1,
            ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

fn spans(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// What a `…` leaves out is in the last entry before that is spelt out: for an event it may be in `text`'s fields too.
fn assert_fields(name: &str, fields: &BTreeSet<String>, said: &Said, entries: &[Entry]) {
    let strange: Vec<&String> = said.names.difference(fields).collect();
    assert!(strange.is_empty(), "{name}: DRIVER.md has {strange:?}, the type has not");
    let missing: BTreeSet<&String> = fields.difference(&said.names).collect();
    if !said.has_more {
        assert!(missing.is_empty(), "{name}: DRIVER.md lacks {missing:?}");
        return;
    }
    let whole = |entry: &&Entry| entry.fields.as_ref().is_some_and(|fields| !fields.has_more);
    let at = entries.iter().position(|entry| entry.name == name).unwrap_or_default();
    let before = entries[..at].iter().rev().find(whole);
    let text = entries.iter().find(|entry| entry.name == "text");
    let stood_for: BTreeSet<&String> = before
        .into_iter()
        .chain(text)
        .filter_map(|entry| entry.fields.as_ref())
        .flat_map(|f| &f.names)
        .collect();
    let missing: Vec<&&String> = missing.difference(&stood_for).collect();
    assert!(missing.is_empty(), "{name}: {missing:?} are more than … stands for");
}

fn assert_same(what: &str, types: &BTreeSet<String>, entries: &[Entry]) {
    let mut page = BTreeSet::new();
    for entry in entries {
        assert!(page.insert(entry.name.clone()), "DRIVER.md has {} twice", entry.name);
    }
    let missing: Vec<&String> = types.difference(&page).collect();
    assert!(missing.is_empty(), "DRIVER.md lacks the {what} {missing:?}");
    let strange: Vec<&String> = page.difference(types).collect();
    assert!(strange.is_empty(), "DRIVER.md has the {what} {strange:?}, the types have not");
}

/// Each field is found by giving those that came before a value that fits.
fn fields_of(command: &str) -> Fields {
    let refused = |fields: &Value| {
        let line = json!({command: fields});
        serde_json::from_value::<Command>(line.clone()).err().map(|error| error.to_string()).and_then(
            |error| {
                if error.starts_with("unknown variant `") && error.contains(&format!("`{command}`")) {
                    serde_json::from_value::<ProcessCommand>(line).err().map(|error| error.to_string())
                } else {
                    Some(error)
                }
            },
        )
    };
    let all = words(refused(&json!({"no such word": 0})).unwrap_or_default());
    let values = [json!("single"), json!(1), json!(true), json!([]), json!({}), json!("img")];
    let mut given = serde_json::Map::new();
    while let Some(error) = refused(&Value::Object(given.clone())) {
        let missing = error.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let field = missing.unwrap_or_else(|| panic!("{command}: {error}")).to_owned();
        let fits = values.iter().find(|value| {
            given.insert(field.clone(), (*value).clone());
            refused(&Value::Object(given.clone())).is_none_or(|error| error.starts_with("missing field"))
        });
        assert!(fits.is_some(), "{command}: no value at hand fits {field}");
    }
    Fields { all: all.into_iter().collect(), required: given.keys().cloned().collect() }
}

fn refusal_of<T: serde::de::DeserializeOwned>(value: &Value) -> impl Display + use<T> {
    match serde_json::from_value::<T>(value.clone()) {
        Ok(_) => panic!("{value} was taken"),
        Err(error) => error,
    }
}

/// The words that a refusal of serde's expects: `unknown field `x`, expected one of `a`, `b``.
fn words(refusal: impl Display) -> Vec<String> {
    let refusal = refusal.to_string();
    match refusal.split_once(", expected ") {
        Some((_, expected)) => spans(expected).map(str::to_owned).collect(),
        None => {
            assert!(refusal.ends_with("there are no fields"), "{refusal}: lists nothing");
            Vec::new()
        }
    }
}
