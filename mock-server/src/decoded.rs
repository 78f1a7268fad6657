//! Frames by the names of the protocol's schema, for whoever looks at them: rules that match, rows that people read.
//!
//! Pure. It reads what is there: nothing is defaulted, nothing dropped, unknown fields stand by their number, and no
//! bytes make it panic. It decides nothing about the protocol, and the machine reads no message through it.

mod kind;
pub(crate) mod rewrite;
mod schema;

use std::fmt;

use fixtures::wire::view::{Field, Fields, Value as Wire};
use serde::ser::{Serialize, SerializeMap as _, Serializer};

pub use kind::{Kind, Way};
use schema::{MessageShape, Shape, msync};

use crate::tape::Direction;

/// How deep messages may lie in one another; the deepest of the schema is 7 (frame to a content's size).
const DEPTH_MAX: usize = 16;
/// How many fields of one message are told apart; the schema's largest has 25. Each is looked for among those before
/// it, and a frame of 1 MiB has room for 300,000 that no schema knows.
const FIELDS_MAX: usize = 256;

/// One frame of a socket, as far as it can be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// The envelope, an `MSync`. Its `payload` is the message that its command says, read in place; the `payload` of a
    /// `Meta` is the one that its name space says.
    pub message: Message,
    /// What kind of frame it is.
    pub kind: Kind,
    /// Why it is not what it should be; what was read up to there stands in `message`.
    pub damaged: Option<String>,
}

/// A message and its fields in the order of the wire; those of a repeated field are one list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    fields: Vec<(Name, Value)>,
}

/// What a field is called.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    Known(&'static str),
    /// In no schema of ours.
    Unknown(u32),
    /// In JSON inside a frame.
    Json(String),
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `bool`.
    Bool(bool),
    /// `int32`.
    Int32(i32),
    /// `uint32`.
    Uint32(u32),
    /// `int64`; as JSON a string.
    Int64(i64),
    /// `uint64`, and what an unknown field has as a varint; as JSON a string.
    Uint64(u64),
    /// `float`, `double`, and numbers of JSON that are not whole.
    Double(f64),
    /// A whole number of JSON inside a frame; as JSON a number.
    Whole(i64),
    /// An enum's value.
    Enum {
        /// Its number.
        number: i32,
        /// Its name, if the schema has one for the number.
        name: Option<&'static str>,
    },
    /// `string`.
    Text(String),
    /// `bytes`, what an unknown field holds, and what should be something else and is not; as JSON hexadecimal digits.
    Bytes(Vec<u8>),
    /// A message.
    Message(Message),
    /// A repeated field.
    List(Vec<Self>),
    /// `null` of JSON inside a frame.
    Null,
}

impl Frame {
    /// Reads one frame, after the door's unwrapping.
    pub fn read(bytes: &[u8], direction: Direction) -> Self {
        let mut reader = Reader { damaged: None };
        let mut message = reader.message(bytes, msync().message("MSync"), "", 0);
        // Machine and SDKs take a frame without a command for a SYNC.
        let command = message.number("command").unwrap_or(0);
        let payload = match (command, direction) {
            (0, Direction::Up) => Some("CommSyncUL"),
            (0, Direction::Down) => Some("CommSyncDL"),
            (1, Direction::Up) => Some("CommUnreadUL"),
            (1, Direction::Down) => Some("CommUnreadDL"),
            (2, _) => Some("CommNotice"),
            (3, _) => Some("Provision"),
            (4, _) => Some("Logout"),
            (_, _) => None,
        };
        if let Some(payload) = payload {
            reader.payload(&mut message, payload, "payload", 1);
        }
        let kind = kind::of(&message, direction, reader.damaged.is_some());
        Self { message, kind, damaged: reader.damaged }
    }

    /// The value at the end of a path of names with dots between them, which begins at the payload or, where that has
    /// no such field, at the frame. Of a list it goes through the first; [`Frame::all`] has the others.
    pub fn get(&self, path: &str) -> Option<&Value> {
        self.all(path).into_iter().next()
    }

    /// The number there, if it is one that cannot be less than nothing.
    pub(crate) fn number(&self, path: &str) -> Option<u64> {
        match self.get(path)? {
            Value::Uint64(number) => Some(*number),
            Value::Uint32(number) => Some((*number).into()),
            _ => None,
        }
    }

    /// As [`Frame::get`]: all values there, where fields on the way are repeated.
    pub fn all(&self, path: &str) -> Vec<&Value> {
        let mut found = Vec::new();
        if let Some(Value::Message(payload)) = self.message.field("payload") {
            payload.collect(path, &mut found);
        }
        if found.is_empty() {
            self.message.collect(path, &mut found);
        }
        found
    }
}

impl Message {
    /// The field of this name; of an unknown one the name is `?` and its number.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.iter().find(|(field, _)| field.is(name)).map(|(_, value)| value)
    }

    /// The fields in the order of the wire, each with its name.
    pub fn fields(&self) -> impl Iterator<Item = (String, &Value)> {
        self.fields.iter().map(|(name, value)| (name.to_string(), value))
    }

    fn number(&self, name: &str) -> Option<i32> {
        match self.field(name)? {
            Value::Enum { number, .. } | Value::Int32(number) => Some(*number),
            Value::Bool(_)
            | Value::Uint32(_)
            | Value::Int64(_)
            | Value::Uint64(_)
            | Value::Double(_)
            | Value::Whole(_)
            | Value::Text(_)
            | Value::Bytes(_)
            | Value::Message(_)
            | Value::List(_)
            | Value::Null => None,
        }
    }

    fn message(&self, name: &str) -> Option<&Self> {
        match self.field(name)? {
            Value::Message(message) => Some(message),
            Value::List(list) => match list.first()? {
                Value::Message(message) => Some(message),
                _ => None,
            },
            _ => None,
        }
    }

    fn collect<'a>(&'a self, path: &str, found: &mut Vec<&'a Value>) {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let Some(value) = self.field(first) else { return };
        value.collect(rest, found);
    }

    /// The last one of a field that may come once wins, as protobuf has it.
    fn put(&mut self, name: Name, repeated: bool, value: Value) {
        let at = self.fields.iter().position(|(field, _)| *field == name);
        match (at.map(|at| &mut self.fields[at].1), repeated) {
            (None, true) => self.fields.push((name, Value::List(vec![value]))),
            (Some(Value::List(list)), true) => list.push(value),
            (Some(old), _) => *old = value,
            (None, false) => self.fields.push((name, value)),
        }
    }
}

impl Value {
    fn collect<'a>(&'a self, path: Option<&str>, found: &mut Vec<&'a Self>) {
        match (self, path) {
            (Self::List(list), path) => list.iter().for_each(|value| value.collect(path, found)),
            (Self::Message(message), Some(path)) => message.collect(path, found),
            (value, None) => found.push(value),
            (_, Some(_)) => {}
        }
    }

    /// What JSON inside a frame or a body says.
    pub fn of_json(json: &serde_json::Value) -> Self {
        match json {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::String(text) => Self::Text(text.clone()),
            serde_json::Value::Array(list) => Self::List(list.iter().map(Self::of_json).collect()),
            serde_json::Value::Object(fields) => Self::Message(Message {
                fields: fields
                    .iter()
                    .map(|(name, value)| (Name::Json(name.clone()), Self::of_json(value)))
                    .collect(),
            }),
            serde_json::Value::Number(number) => match (number.as_i64(), number.as_u64()) {
                (Some(number), _) => Self::Whole(number),
                (None, Some(number)) => Self::Uint64(number),
                (None, None) => Self::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
        }
    }

    /// As [`Frame::all`], from here on.
    pub fn all(&self, path: &str) -> Vec<&Self> {
        let mut found = Vec::new();
        self.collect(Some(path), &mut found);
        found
    }
}

impl Name {
    fn is(&self, name: &str) -> bool {
        match self {
            Self::Known(known) => *known == name,
            Self::Json(own) => own == name,
            Self::Unknown(number) => name.strip_prefix('?').is_some_and(|text| text == number.to_string()),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(name) => f.write_str(name),
            Self::Json(name) => f.write_str(name),
            Self::Unknown(number) => write!(f, "?{number}"),
        }
    }
}

impl Serialize for Frame {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.message.fields() {
            map.serialize_entry(&name, value)?;
        }
        if let Some(why) = &self.damaged {
            map.serialize_entry("damaged", why)?;
        }
        map.end()
    }
}

impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.fields())
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int32(number) => serializer.serialize_i32(*number),
            Self::Uint32(number) => serializer.serialize_u32(*number),
            Self::Int64(number) => serializer.collect_str(number),
            Self::Uint64(number) => serializer.collect_str(number),
            Self::Double(number) => serializer.serialize_f64(*number),
            Self::Whole(number) => serializer.serialize_i64(*number),
            Self::Enum { name: Some(name), .. } => serializer.serialize_str(name),
            Self::Enum { number, name: None } => serializer.serialize_i32(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Bytes(bytes) => serializer.serialize_str(&hex(bytes)),
            Self::Message(message) => message.serialize(serializer),
            Self::List(list) => serializer.collect_seq(list),
            Self::Null => serializer.serialize_unit(),
        }
    }
}

/// What a path into a frame that goes this way may begin with: the fields of every payload, then of the envelope.
pub(crate) fn fields_of(up: bool) -> Vec<&'static str> {
    let payloads: &[&str] = if up {
        &["CommSyncUL", "CommUnreadUL", "Provision", "Logout", "MSync"]
    } else {
        &["CommSyncDL", "CommUnreadDL", "CommNotice", "Provision", "MSync"]
    };
    payloads.iter().flat_map(|name| msync().message(name).names()).collect()
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes every write");
    }
    text
}

struct Reader {
    /// What was wrong first.
    damaged: Option<String>,
}

impl Reader {
    fn note(&mut self, place: &str, what: fmt::Arguments<'_>) {
        if self.damaged.is_none() {
            let place = if place.is_empty() { "the frame" } else { place };
            self.damaged = Some(format!("{place}: {what}"));
        }
    }

    fn message(&mut self, bytes: &[u8], of: &'static MessageShape, place: &str, depth: usize) -> Message {
        let mut message = Message::default();
        if depth > DEPTH_MAX {
            self.note(place, format_args!("messages lie too deep in one another"));
            return message;
        }
        let mut at = 0;
        for field in Fields::of(bytes) {
            let field = match field {
                Ok(field) => field,
                Err(error) => {
                    self.note(place, format_args!("byte {at}: {error}"));
                    break;
                }
            };
            at += field.raw.len();
            if message.fields.len() == FIELDS_MAX {
                self.note(
                    place,
                    format_args!("byte {}: more than {FIELDS_MAX} fields", at - field.raw.len()),
                );
                break;
            }
            let Some(shape) = of.field(field.number) else {
                message.put(Name::Unknown(field.number), false, untyped(&field));
                continue;
            };
            let place = if place.is_empty() { shape.name.clone() } else { format!("{place}.{}", shape.name) };
            match (shape.shape, field.value) {
                (shape_of, Wire::Bytes(packed)) if shape.repeated && shape_of.is_number() => {
                    for number in self.packed(packed, &place) {
                        message.put(Name::Known(&shape.name), true, of_varint(shape_of, number));
                    }
                }
                (shape_of, _) => {
                    let value = self.value(&field, shape_of, &place, depth);
                    message.put(Name::Known(&shape.name), shape.repeated, value);
                }
            }
        }
        message
    }

    fn value(&mut self, field: &Field<'_>, shape: Shape, place: &str, depth: usize) -> Value {
        match (shape, field.value) {
            (shape, Wire::Varint(number)) if shape.is_number() => of_varint(shape, number),
            (Shape::Double, Wire::Fixed64) => Value::Double(f64::from_bits(fixed64(field.raw))),
            (Shape::Float, Wire::Fixed32) => Value::Double(f32::from_bits(fixed32(field.raw)).into()),
            (Shape::Message(index), Wire::Bytes(bytes)) => {
                Value::Message(self.message(bytes, msync().message_at(index), place, depth + 1))
            }
            (Shape::Bytes, Wire::Bytes(bytes)) => Value::Bytes(bytes.to_vec()),
            (Shape::Text, Wire::Bytes(bytes)) => match std::str::from_utf8(bytes) {
                Ok(text) => Value::Text(text.to_owned()),
                Err(error) => {
                    self.note(place, format_args!("byte {}: not UTF-8", error.valid_up_to()));
                    Value::Bytes(bytes.to_vec())
                }
            },
            (
                Shape::Bool
                | Shape::Int32
                | Shape::Int64
                | Shape::Uint32
                | Shape::Uint64
                | Shape::Enum(_)
                | Shape::Float
                | Shape::Double
                | Shape::Text
                | Shape::Bytes
                | Shape::Message(_),
                Wire::Varint(_) | Wire::Fixed64 | Wire::Fixed32 | Wire::Bytes(_),
            ) => {
                self.note(place, format_args!("another wire type than the schema's"));
                untyped(field)
            }
        }
    }

    /// Reads the `payload` of an envelope as the message that the envelope says it is.
    fn payload(&mut self, envelope: &mut Message, name: &'static str, place: &str, depth: usize) {
        for (field, value) in &mut envelope.fields {
            let (true, Value::Bytes(bytes)) = (field.is("payload"), &value) else { continue };
            let mut message = self.message(bytes, msync().message(name), place, depth);
            for (field, value) in &mut message.fields {
                if !(field.is("meta") || field.is("metas")) {
                    continue;
                }
                let place = format!("{place}.{field}.payload");
                match value {
                    Value::Message(meta) => self.meta(meta, &place, depth + 1),
                    Value::List(metas) => {
                        for value in metas {
                            if let Value::Message(meta) = value {
                                self.meta(meta, &place, depth + 1);
                            }
                        }
                    }
                    _ => {}
                }
            }
            *value = Value::Message(message);
        }
    }

    fn meta(&mut self, meta: &mut Message, place: &str, depth: usize) {
        let name = match meta.number("ns") {
            None | Some(0) => "StatisticsBody",
            Some(1) => "MessageBody",
            Some(2) => "MUCBody",
            Some(3) => "RosterBody",
            Some(4) => "ConferenceBody",
            Some(5) => return notification(meta),
            Some(_) => return,
        };
        if meta.field("ns").is_some() {
            self.payload(meta, name, place, depth);
        }
    }

    fn packed(&mut self, bytes: &[u8], place: &str) -> Vec<u64> {
        let mut numbers = Vec::new();
        let (mut number, mut shift) = (0_u64, 0);
        for byte in bytes {
            if shift >= 64 {
                self.note(place, format_args!("a varint of more than ten bytes"));
                return numbers;
            }
            number |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                numbers.push(number);
                (number, shift) = (0, 0);
            }
        }
        if shift > 0 {
            self.note(place, format_args!("ends inside a number"));
        }
        numbers
    }
}

/// A notification's payload is JSON in text; what is no JSON stays bytes.
fn notification(meta: &mut Message) {
    for (field, value) in &mut meta.fields {
        if let (true, Value::Bytes(bytes)) = (field.is("payload"), &value)
            && let Ok(json) = serde_json::from_slice(bytes)
        {
            *value = Value::of_json(&json);
        }
    }
}

fn of_varint(shape: Shape, number: u64) -> Value {
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "as protobuf reads it")]
    match shape {
        Shape::Bool => Value::Bool(number != 0),
        Shape::Int32 => Value::Int32(number as i32),
        Shape::Uint32 => Value::Uint32(number as u32),
        Shape::Int64 => Value::Int64(number as i64),
        Shape::Enum(of) => {
            let number = number as i32;
            Value::Enum { number, name: msync().value_name(of, number) }
        }
        Shape::Uint64 | Shape::Float | Shape::Double | Shape::Text | Shape::Bytes | Shape::Message(_) => {
            Value::Uint64(number)
        }
    }
}

fn untyped(field: &Field<'_>) -> Value {
    match field.value {
        Wire::Varint(number) => Value::Uint64(number),
        Wire::Fixed64 => Value::Bytes(fixed64(field.raw).to_le_bytes().to_vec()),
        Wire::Fixed32 => Value::Bytes(fixed32(field.raw).to_le_bytes().to_vec()),
        Wire::Bytes(bytes) => Value::Bytes(bytes.to_vec()),
    }
}

fn fixed64(raw: &[u8]) -> u64 {
    raw.last_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

fn fixed32(raw: &[u8]) -> u32 {
    raw.last_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests;
