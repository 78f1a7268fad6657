//! JSON Schemas (2020-12) of all that people write or read: the driver's lines, scenarios, client files, reports and
//! bundles. They are generated from the types that the harness itself reads with; `schemas/` keeps them for editors and
//! other programs, and `tests/library/schema.rs` holds those files against this.
//!
//! Nothing here judges a file: the harness reads with its parsers, whose errors name the line.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use strum::{IntoStaticStr, VariantArray};

use crate::bundle::Bundle;
use crate::client::Client;
use crate::driver::{Command, Device, Event, Hello, ProcessCommand};
use crate::report::model::Report;
use crate::scenario;

/// How the files in `schemas/` are mended when a type has changed.
pub const MEND: &str = "cargo xtask conformance schema --write conformance/schemas";

/// One of the schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Name {
    /// Lines between the harness and a shim, as DRIVER.md has them.
    Driver,
    /// `fixtures/scenarios/AREA/NAME.json`.
    Scenario,
    /// `conformance/clients/NAME.json`, known failures included.
    Client,
    /// `report.json`.
    Report,
    /// `NAME.bundle.json`.
    Bundle,
}

impl Name {
    /// As the command line spells it.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The file in `schemas/`.
    pub fn file(self) -> String {
        format!("{}.schema.json", self.as_str())
    }

    /// The schema.
    pub fn schema(self) -> Value {
        let mut schema = match self {
            Self::Driver => driver(),
            Self::Scenario => scenario(),
            Self::Client => root::<Client>("A client's file (conformance/clients/NAME.json)"),
            Self::Report => root::<Report>("report.json, format 2"),
            Self::Bundle => root::<Bundle>("A bundle (NAME.bundle.json), format 1"),
        };
        if let Some(defs) = schema.get_mut("$defs").and_then(Value::as_object_mut) {
            describe(defs);
        }
        tidy(&mut schema);
        schema
    }

    /// The schema as its file has it.
    pub fn text(self) -> String {
        let text = serde_json::to_string_pretty(&self.schema()).expect("a schema has only string keys");
        text + "\n"
    }
}

impl std::str::FromStr for Name {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = Self::VARIANTS;
        all.iter().copied().find(|name| name.as_str() == text).ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|name| name.as_str()).collect();
            format!("no schema {text:?}; there are {}", names.join(", "))
        })
    }
}

fn root<T: schemars::JsonSchema>(title: &str) -> Value {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

fn scenario() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = scenario::file_schema(&mut generator).to_value();
    schema["title"] = "A scenario (fixtures/scenarios/AREA/NAME.json)".into();
    // What the parser says of several fields together.
    let needs = |step: Value, capability: &str| {
        json!({
            "if": {"properties": {"steps": {"contains": step}}},
            "then": {"properties": {"needs": {"contains": {"const": capability}}}, "required": ["needs"]}
        })
    };
    let tells = |command: &str| {
        json!({
            "type": "object",
            "required": ["tell"],
            "properties": {"tell": {
                "type": "object",
                "required": ["command"],
                "properties": {"command": {"type": "object", "required": [command]}}
            }}
        })
    };
    schema["allOf"] = json!([
        {
            "if": {"properties": {"record": {"const": false}}, "required": ["record"]},
            "then": {"properties": {"record_why": {"type": "string"}}, "required": ["record_why"]},
            "else": {"properties": {"record_why": {"type": "null"}}}
        },
        needs(json!({"type": "object", "required": ["advance"]}), "virtual_clock"),
        needs(tells("network"), "network"),
        {"properties": {"steps": {"items": {"not": tells("create")}}}}
    ]);
    schema
}

/// Lines of both sides: what the harness writes is told as it is written, what a shim writes as it is read.
fn driver() -> Value {
    let mut written = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut read = SchemaSettings::draft2020_12().into_generator();
    let id = json!({
        "description": "Of the request; the harness counts them up from 1 in each process.",
        "type": "integer",
        "minimum": 0
    });
    let line = |description: &str, properties: Value| {
        let required: Vec<&String> = properties.as_object().into_iter().flat_map(Map::keys).collect();
        json!({
            "description": description,
            "type": "object",
            "required": required,
            "properties": properties,
            "additionalProperties": false
        })
    };
    let mut command = written.subschema_for::<Command>().to_value();
    let mut process = written.subschema_for::<ProcessCommand>().to_value();
    let device = written.subschema_for::<Device>().to_value();
    command["description"] = "What the device is to do.".into();
    process["description"] = "What the process is to do.".into();
    let hello = read.subschema_for::<Hello>().to_value();
    let event = read.subschema_for::<Event>().to_value();
    let lines = [
        ("HelloLine", line("Of the shim: its first line.", json!({"hello": hello}))),
        (
            "DeviceRequest",
            line(
                "Of the harness: a call of one device.",
                json!({"id": id, "user": device, "command": command}),
            ),
        ),
        (
            "ProcessRequest",
            line("Of the harness: something for the process.", json!({"id": id, "command": process})),
        ),
        (
            "OkAnswer",
            line(
                "Of the shim: the call was made.",
                json!({"id": id, "ok": {
                    "type": "object",
                    "properties": {
                        "next_due_ms": {
                            "description": "Of `advance`: when the client's next timer is due, from now; null: never.",
                            "type": ["integer", "null"],
                            "minimum": 0
                        },
                        "ids": {
                            "description": "Of `unique_ids`: as many decimal strings as were asked for.",
                            "type": "array",
                            "items": {"type": "string", "pattern": "^[0-9]+$"}
                        }
                    }
                }}),
            ),
        ),
        (
            "UnsupportedAnswer",
            line(
                "Of the shim: the client has no such call.",
                json!({"id": id, "unsupported": {"description": "What it lacks.", "type": "string"}}),
            ),
        ),
        (
            "ErrorAnswer",
            line(
                "Of the shim: the call itself refused.",
                json!({"id": id, "error": {"description": "In whose words it did.", "type": "string"}}),
            ),
        ),
        ("EventLine", line("Of the shim: what a device showed.", json!({"user": device, "event": event}))),
    ];
    let mut defs = written.take_definitions(true);
    for (name, definition) in read.take_definitions(true) {
        let other = defs.insert(name.clone(), definition.clone());
        assert!(other.is_none_or(|other| other == definition), "two types are named {name}");
    }
    let all: Vec<Value> = lines.iter().map(|(name, _)| json!({"$ref": format!("#/$defs/{name}")})).collect();
    defs.extend(lines.into_iter().map(|(name, line)| (name.to_owned(), line)));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line between the harness and a shim (conformance/DRIVER.md)",
        "oneOf": all,
        "$defs": defs
    })
}

/// Gives commands and events the words that DRIVER.md's tables have for them: they stand there alone.
fn describe(defs: &mut Map<String, Value>) {
    for (name, column) in [("Command", "command"), ("ProcessCommand", "command"), ("Event", "event")] {
        let words = words(column);
        let variants = defs.get_mut(name).and_then(|definition| definition.get_mut("oneOf"));
        for variant in variants.and_then(Value::as_array_mut).into_iter().flatten() {
            let known = variant["required"][0].as_str().and_then(|name| words.get(name)).cloned();
            if let Some(known) = known {
                variant["description"] = known;
            }
        }
    }
}

/// What stands in DRIVER.md beside each name of the tables whose first column has this title. A row for several names
/// stands for each.
fn words(column: &str) -> Map<String, Value> {
    let mut words = Map::new();
    let mut title = None;
    for line in include_str!("../DRIVER.md").lines() {
        let Some(row) = line.strip_prefix("| ").and_then(|line| line.strip_suffix('|')) else {
            if !line.starts_with("|---") {
                title = None;
            }
            continue;
        };
        let mut cells = row.split('|').map(str::trim);
        let names = cells.next().unwrap_or_default();
        let text = cells.next().unwrap_or_default();
        if *title.get_or_insert(names) != column || text.is_empty() {
            continue;
        }
        for span in names.split('`').skip(1).step_by(2) {
            let name = span.split([' ', '{']).next().unwrap_or_default();
            words.entry(name.to_owned()).or_insert_with(|| text.into());
        }
    }
    words
}

/// Says in JSON Schema's own words what stands in formats that only Rust knows, and drops defaults that say nothing.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let range = object.get("format").and_then(Value::as_str).and_then(range);
            if let Some((minimum, maximum)) = range {
                object.remove("format");
                object.entry("minimum").or_insert(minimum);
                object.entry("maximum").or_insert(maximum);
            }
            if object.get("default").is_some_and(Value::is_null) {
                object.remove("default");
            }
            object.values_mut().for_each(tidy);
        }
        Value::Array(list) => list.iter_mut().for_each(tidy),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn range(format: &str) -> Option<(Value, Value)> {
    Some(match format {
        "uint8" => (0.into(), u8::MAX.into()),
        "uint16" => (0.into(), u16::MAX.into()),
        "uint32" => (0.into(), u32::MAX.into()),
        "uint" | "uint64" => (0.into(), u64::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" => (i64::MIN.into(), i64::MAX.into()),
        _ => return None,
    })
}
