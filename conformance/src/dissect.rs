//! The judge's own eyes: a protobuf walker that knows no generated type and takes only names from the schema.
//!
//! A wrong field number shows as `?12`, a wrong wire type as itself; nothing is dropped, defaulted or
//! re-encoded, and no bytes make it panic.

mod schema;

use std::borrow::Cow;

use mock_server::tape::Direction;
use serde_json::Value as Json;

pub use schema::{FieldType, Kind, MessageType, Schema, msync};

/// How deep messages may lie in one another; the deepest of the schema is 7 (frame to a content's size), the
/// rest is room for fields that we do not know.
const DEPTH_MAX: usize = 16;

/// A message and its fields in the order of the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree<'a> {
    /// The message's name in the schema.
    pub name: &'static str,
    /// The fields as they came, repeated ones one by one.
    pub fields: Vec<Field<'a>>,
    /// The bytes of it all.
    pub bytes: &'a [u8],
}

/// One field as it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Field<'a> {
    /// Its number.
    pub number: u32,
    /// Its place in the schema; `None` shows as `?number`.
    pub known: Option<&'static FieldType>,
    /// What it holds.
    pub value: Value<'a>,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Wire type 0.
    Varint(u64),
    /// Wire type 1.
    Fixed64(u64),
    /// Wire type 5.
    Fixed32(u32),
    /// Wire type 2 holding text, where the schema says so.
    Text(&'a str),
    /// Wire type 2 holding whatever else.
    Bytes(&'a [u8]),
    /// Wire type 2 holding varints, where the schema has a repeated number.
    Packed(Vec<u64>),
    /// Wire type 2 holding a message, by the schema or by the envelope's command or name space.
    Tree(Tree<'a>),
    /// Wire type 2 that should hold text or a message and does not.
    Broken {
        /// What came.
        bytes: &'a [u8],
        /// Why it is not what it should be.
        why: Malformed,
    },
}

/// Bytes that are not protobuf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {at}: {what}")]
pub struct Malformed {
    /// Where, from the start of the message that is malformed.
    pub at: usize,
    /// What is wrong there.
    pub what: &'static str,
}

/// Reads one frame. Only an envelope that is no protobuf is an error: what is wrong deeper stands in the tree.
pub fn dissect(bytes: &[u8], direction: Direction) -> Result<Tree<'_>, Malformed> {
    let mut tree = walk(bytes, msync().message("MSync"), 0)?;
    let name = match (tree.number("command"), direction) {
        (Some(0), Direction::Up) => "CommSyncUL",
        (Some(0), Direction::Down) => "CommSyncDL",
        (Some(1), Direction::Up) => "CommUnreadUL",
        (Some(1), Direction::Down) => "CommUnreadDL",
        (Some(2), _) => "CommNotice",
        (Some(3), _) => "Provision",
        (Some(4), _) => "Logout",
        (Some(_) | None, _) => return Ok(tree),
    };
    read_payload(&mut tree, name, 1);
    for field in &mut tree.fields {
        let Value::Tree(sync) = &mut field.value else { continue };
        for meta in sync.fields.iter_mut().filter(|field| matches!(field.name(), "meta" | "metas")) {
            let Value::Tree(meta) = &mut meta.value else { continue };
            read_meta(meta, 3);
        }
    }
    Ok(tree)
}

/// Reads one `Meta` by itself, as a page of history holds it (rest.md A.6).
pub fn dissect_meta(bytes: &[u8]) -> Result<Tree<'_>, Malformed> {
    let mut meta = walk(bytes, msync().message("Meta"), 0)?;
    read_meta(&mut meta, 1);
    Ok(meta)
}

impl<'a> Tree<'a> {
    /// The last field of this name, as protobuf has it for fields that may come once.
    pub fn field(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().rev().find(|field| field.name() == name)
    }

    /// Every field of this name, in order.
    pub fn all<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t Field<'a>> {
        self.fields.iter().filter(move |field| field.name() == name)
    }

    /// The field at the end of a path of names with dots between them; `None` when any of them is missing.
    pub fn at(&self, path: &str) -> Option<&Field<'a>> {
        match path.split_once('.') {
            None => self.field(path),
            Some((first, rest)) => self.tree(first)?.at(rest),
        }
    }

    /// Every field that holds no other, in the order of the wire, with the message that it stands in and its path: names
    /// with dots between them, and its number behind one that is met again.
    pub fn leaves(&self, each: &mut dyn FnMut(&str, &Self, &Field<'a>)) {
        self.leaves_below("", each);
    }

    fn leaves_below(&self, path: &str, each: &mut dyn FnMut(&str, &Self, &Field<'a>)) {
        for (index, field) in self.fields.iter().enumerate() {
            let label = field.label();
            let nth = self.fields[..index].iter().filter(|other| other.label() == label).count();
            let dot = if path.is_empty() { "" } else { "." };
            let number = if nth == 0 { String::new() } else { format!("[{nth}]") };
            let here = format!("{path}{dot}{label}{number}");
            match &field.value {
                Value::Tree(inner) if !inner.fields.is_empty() => inner.leaves_below(&here, each),
                Value::Tree(_)
                | Value::Text(_)
                | Value::Varint(_)
                | Value::Fixed64(_)
                | Value::Fixed32(_)
                | Value::Bytes(_)
                | Value::Packed(_)
                | Value::Broken { .. } => each(&here, self, field),
            }
        }
    }

    /// The message in the field of this name.
    pub fn tree(&self, name: &str) -> Option<&Self> {
        match &self.field(name)?.value {
            Value::Tree(tree) => Some(tree),
            _ => None,
        }
    }

    /// The number in the field of this name.
    pub fn number(&self, name: &str) -> Option<u64> {
        match self.field(name)?.value {
            Value::Varint(number) => Some(number),
            _ => None,
        }
    }

    /// The text in the field of this name.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        match self.field(name)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The tree as JSON, spelt as protobuf.js spells it: 64-bit numbers as decimal strings, enums by name.
    pub fn json(&self) -> Json {
        let mut object = serde_json::Map::new();
        for field in &self.fields {
            let (key, repeated) = match field.known {
                Some(known) => (known.name.clone(), known.repeated),
                None => (field.label(), false),
            };
            let value = field.json();
            match (repeated, value) {
                (true, Json::Array(values)) => {
                    match object.entry(key).or_insert_with(|| Json::Array(Vec::new())) {
                        Json::Array(list) => list.extend(values),
                        other => *other = Json::Array(values),
                    }
                }
                (true, value) => match object.entry(key).or_insert_with(|| Json::Array(Vec::new())) {
                    Json::Array(list) => list.push(value),
                    other => *other = value,
                },
                (false, value) => {
                    object.insert(key, value);
                }
            }
        }
        Json::Object(object)
    }
}

impl<'a> Field<'a> {
    /// Its name; empty when the schema has none.
    pub fn name(&self) -> &str {
        self.known.map_or("", |known| &known.name)
    }

    /// Its name, or `?12`.
    pub fn label(&self) -> String {
        self.known.map_or_else(|| format!("?{}", self.number), |known| known.name.clone())
    }

    /// Whether the value has the wire type that the schema gives the field.
    pub fn fits(&self) -> bool {
        let Some(known) = self.known else { return false };
        match (known.kind, &self.value) {
            (
                Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Bool | Kind::Enum(_),
                Value::Varint(_) | Value::Packed(_),
            )
            | (Kind::Float, Value::Fixed32(_))
            | (Kind::Double, Value::Fixed64(_))
            | (Kind::String, Value::Text(_))
            | (Kind::Bytes, Value::Bytes(_) | Value::Tree(_) | Value::Text(_))
            | (Kind::Message(_), Value::Tree(_)) => true,
            (
                Kind::Int32
                | Kind::Int64
                | Kind::Uint32
                | Kind::Uint64
                | Kind::Bool
                | Kind::Enum(_)
                | Kind::Float
                | Kind::Double
                | Kind::String
                | Kind::Bytes
                | Kind::Message(_),
                _,
            ) => false,
        }
    }

    /// What it holds as one word: an enum value's name, a number, a text.
    pub fn word(&self) -> Cow<'a, str> {
        match &self.value {
            Value::Varint(number) => match self.enum_name() {
                Some(name) => Cow::Borrowed(name),
                None => Cow::Owned(number.to_string()),
            },
            Value::Text(text) => Cow::Borrowed(text),
            Value::Fixed64(_)
            | Value::Fixed32(_)
            | Value::Bytes(_)
            | Value::Packed(_)
            | Value::Tree(_)
            | Value::Broken { .. } => Cow::Owned(self.json().to_string()),
        }
    }

    /// An enum value's name; `None` for anything else.
    pub fn enum_name(&self) -> Option<&'static str> {
        match self.value {
            Value::Varint(number) => msync().value_name(self.known?.kind, number),
            _ => None,
        }
    }

    fn json(&self) -> Json {
        let kind = self.known.map(|known| known.kind);
        match &self.value {
            Value::Varint(number) => varint_json(kind, *number),
            Value::Packed(numbers) => numbers.iter().map(|number| varint_json(kind, *number)).collect(),
            Value::Fixed64(bits) if kind == Some(Kind::Double) => f64::from_bits(*bits).into(),
            Value::Fixed64(bits) => format!("fixed64 {bits:#x}").into(),
            Value::Fixed32(bits) if kind == Some(Kind::Float) => f32::from_bits(*bits).into(),
            Value::Fixed32(bits) => format!("fixed32 {bits:#x}").into(),
            Value::Text(text) => (*text).into(),
            Value::Bytes(bytes) => format!("bytes {}", hex(bytes)).into(),
            Value::Tree(tree) => tree.json(),
            Value::Broken { bytes, why } => format!("broken ({why}) {}", hex(bytes)).into(),
        }
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a String takes every write");
    }
    text
}

fn varint_json(kind: Option<Kind>, number: u64) -> Json {
    match kind {
        // Protobuf writes a negative int32 as a 64-bit varint and reads the low half: so do we.
        Some(Kind::Int32) => (number as u32 as i32).into(),
        Some(Kind::Int64) => (number as i64).to_string().into(),
        Some(Kind::Uint32) => number.into(),
        Some(Kind::Bool) => (number != 0).into(),
        Some(kind @ Kind::Enum(_)) => match msync().value_name(kind, number) {
            Some(name) => name.into(),
            None => number.into(),
        },
        Some(Kind::Uint64 | Kind::Float | Kind::Double | Kind::String | Kind::Bytes | Kind::Message(_))
        | None => number.to_string().into(),
    }
}

/// Reads the payload of a `Meta` as its name space has it.
fn read_meta(meta: &mut Tree<'_>, depth: usize) {
    let name = match meta.number("ns") {
        Some(0) => "StatisticsBody",
        Some(1) => "MessageBody",
        Some(2) => "MUCBody",
        Some(3) => "RosterBody",
        Some(4) => "ConferenceBody",
        Some(5) => return read_notification(meta),
        Some(_) | None => return,
    };
    read_payload(meta, name, depth);
}

/// Turns the `payload` bytes of an envelope into the message that the envelope says they are.
fn read_payload(envelope: &mut Tree<'_>, name: &'static str, depth: usize) {
    for field in &mut envelope.fields {
        if let (true, Value::Bytes(bytes)) = (field.name() == "payload", &field.value) {
            field.value = match walk(bytes, msync().message(name), depth) {
                Ok(tree) => Value::Tree(tree),
                Err(why) => Value::Broken { bytes, why },
            };
        }
    }
}

/// A notification's payload is JSON in text.
fn read_notification(meta: &mut Tree<'_>) {
    for field in &mut meta.fields {
        if let (true, Value::Bytes(bytes)) = (field.name() == "payload", &field.value)
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            field.value = Value::Text(text);
        }
    }
}

fn walk<'a>(bytes: &'a [u8], of: &'static MessageType, depth: usize) -> Result<Tree<'a>, Malformed> {
    let mut fields = Vec::with_capacity(8);
    let mut rest = Cursor { bytes, at: 0 };
    if depth > DEPTH_MAX {
        return Err(rest.malformed("messages lie too deep in one another"));
    }
    while rest.at < bytes.len() {
        let key = rest.varint()?;
        let Some(number) = u32::try_from(key >> 3).ok().filter(|number| (1..1 << 29).contains(number)) else {
            return Err(rest.malformed("no field has this number"));
        };
        let known = of.field(number);
        let value = match key & 7 {
            0 => Value::Varint(rest.varint()?),
            1 => Value::Fixed64(u64::from_le_bytes(rest.array()?)),
            2 => delimited(rest.delimited()?, known, depth),
            5 => Value::Fixed32(u32::from_le_bytes(rest.array()?)),
            3 | 4 => return Err(rest.malformed("a group, which this protocol does not have")),
            _ => return Err(rest.malformed("a wire type that protobuf does not have")),
        };
        fields.push(Field { number, known, value });
    }
    Ok(Tree { name: &of.name, fields, bytes })
}

fn delimited<'a>(bytes: &'a [u8], known: Option<&'static FieldType>, depth: usize) -> Value<'a> {
    let Some(known) = known else { return Value::Bytes(bytes) };
    match known.kind {
        Kind::Message(index) => match walk(bytes, msync().message_at(index), depth + 1) {
            Ok(tree) => Value::Tree(tree),
            Err(why) => Value::Broken { bytes, why },
        },
        Kind::String => match std::str::from_utf8(bytes) {
            Ok(text) => Value::Text(text),
            Err(error) => {
                Value::Broken { bytes, why: Malformed { at: error.valid_up_to(), what: "not UTF-8" } }
            }
        },
        Kind::Int32 | Kind::Int64 | Kind::Uint32 | Kind::Uint64 | Kind::Bool | Kind::Enum(_) => {
            if !known.repeated {
                return Value::Bytes(bytes);
            }
            let mut rest = Cursor { bytes, at: 0 };
            let mut numbers = Vec::new();
            while rest.at < bytes.len() {
                match rest.varint() {
                    Ok(number) => numbers.push(number),
                    Err(why) => return Value::Broken { bytes, why },
                }
            }
            Value::Packed(numbers)
        }
        Kind::Bytes | Kind::Float | Kind::Double => Value::Bytes(bytes),
    }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn malformed(&self, what: &'static str) -> Malformed {
        Malformed { at: self.at, what }
    }

    fn varint(&mut self) -> Result<u64, Malformed> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.array()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(self.malformed("a varint of more than ten bytes"))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let Some(array) = self.bytes[self.at..].first_chunk() else {
            return Err(self.malformed("ends inside a field"));
        };
        self.at += N;
        Ok(*array)
    }

    fn delimited(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.varint()?;
        let left = &self.bytes[self.at..];
        let Some(bytes) = usize::try_from(length).ok().and_then(|length| left.get(..length)) else {
            return Err(self.malformed("a length that goes past the end"));
        };
        self.at += bytes.len();
        Ok(bytes)
    }
}
