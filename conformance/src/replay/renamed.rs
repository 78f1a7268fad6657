//! What a client chose then and what it chose now: its own message ids, the names of its devices, and where the server
//! was. What differs in nothing else is the same.

use std::collections::BTreeMap;

use bytes::{BufMut as _, Bytes, BytesMut};
use mock_server::tape::Direction;
use serde_json::Value as Json;

use crate::alias::Kind;
use crate::dissect::{Field, Tree, Value, dissect};

/// Names of the record, each with the one that stands for it now.
#[derive(Clone, Debug, Default)]
pub(super) struct Renamed {
    /// Where the recorded server was and where this one is, as `127.0.0.1:40123`.
    authority: Option<(String, String)>,
    names: BTreeMap<(Kind, String), String>,
}

/// A value and its path.
type Leaf = (String, String, Option<Kind>);

impl Renamed {
    pub(super) fn new(authority: Option<(String, String)>) -> Self {
        Self { authority, names: BTreeMap::new() }
    }

    /// A text of the record, as it is spelt now.
    pub(super) fn text(&self, text: &str) -> String {
        match &self.authority {
            Some((then, now)) => text.replace(then, now),
            None => text.to_owned(),
        }
    }

    /// Holds a frame of the client against the recorded one, and learns what it calls things now. A line for each field
    /// that is not the same.
    pub(super) fn compare(&mut self, recorded: &[u8], now: &[u8]) -> Vec<String> {
        let of = |bytes: &[u8]| {
            dissect(bytes, Direction::Up).ok().map(|tree| {
                let mut leaves = Vec::new();
                tree.leaves(&mut |path, message, field| {
                    // Only some JIDs' names are the server's: a user keeps hers.
                    let kind = Kind::of_field(message.name, field.name(), Direction::Up).filter(|kind| {
                        matches!(
                            kind,
                            Kind::Local
                                | Kind::Resource
                                | Kind::Uuid
                                | Kind::Time
                                | Kind::Trace
                                | Kind::Session
                        )
                    });
                    leaves.push((path.to_owned(), field.word().into_owned(), kind));
                });
                leaves
            })
        };
        match (of(recorded), of(now)) {
            (Some(recorded), Some(now)) => self.leaves(&recorded, &now),
            (_, _) if recorded == now => Vec::new(),
            (_, _) => super::difference::frames(recorded, now, Direction::Up),
        }
    }

    /// The same for JSON of the client: a body, an event.
    pub(super) fn compare_json(&mut self, recorded: &Json, now: &Json) -> Vec<String> {
        let of = |json: &Json| {
            let mut leaves = Vec::new();
            gather_json(json, "", "", &mut leaves);
            leaves
        };
        self.leaves(&of(recorded), &of(now))
    }

    fn leaves(&mut self, recorded: &[Leaf], now: &[Leaf]) -> Vec<String> {
        let mut lines = Vec::new();
        for (path, was, kind) in recorded {
            let Some((_, is, _)) = now.iter().find(|(other, _, _)| other == path) else {
                lines.push(format!("{path}: recorded {was}, now nothing"));
                continue;
            };
            let expected = match kind {
                Some(Kind::Time | Kind::Trace | Kind::Session) => continue,
                Some(kind) => self.names.entry((*kind, was.clone())).or_insert_with(|| is.clone()).clone(),
                None => self.named_anyhow(was).unwrap_or_else(|| self.text(was)),
            };
            if expected != *is && self.text(was) != *is {
                lines.push(format!("{path}: recorded {expected}, now {is}"));
            }
        }
        let extra = now.iter().filter(|(path, _, _)| !recorded.iter().any(|(other, _, _)| other == path));
        lines.extend(extra.map(|(path, is, _)| format!("{path}: recorded nothing, now {is}")));
        lines
    }

    /// What the client calls by another name now, wherever it says so.
    fn named_anyhow(&self, was: &str) -> Option<String> {
        let of = |kind, was: &str| self.names.get(&(kind, was.to_owned())).cloned();
        let bare = was.trim_matches('"');
        let found = of(Kind::Local, bare).or_else(|| of(Kind::Resource, bare))?;
        Some(if bare == was { found } else { format!("\"{found}\"") })
    }

    /// A recorded frame of the server, in the names of now. One that holds none of them keeps its bytes.
    pub(super) fn rewrite(&self, bytes: &Bytes) -> Bytes {
        match dissect(bytes, Direction::Down) {
            Ok(tree) if self.concerns(&tree) => self.encode(&tree),
            Ok(_) | Err(_) => bytes.clone(),
        }
    }

    fn concerns(&self, tree: &Tree<'_>) -> bool {
        tree.fields.iter().any(|field| match &field.value {
            Value::Tree(inner) => self.concerns(inner),
            Value::Varint(_) | Value::Text(_) | Value::Bytes(_) => {
                self.replacement(tree.name, field).is_some()
            }
            Value::Fixed64(_) | Value::Fixed32(_) | Value::Packed(_) | Value::Broken { .. } => false,
        })
    }

    fn replacement(&self, message: &str, field: &Field<'_>) -> Option<String> {
        let kind = Kind::of_field(message, field.name(), Direction::Down);
        let was = match &field.value {
            Value::Varint(number) => number.to_string(),
            Value::Text(text) => (*text).to_owned(),
            Value::Bytes(_)
            | Value::Fixed64(_)
            | Value::Fixed32(_)
            | Value::Packed(_)
            | Value::Tree(_)
            | Value::Broken { .. } => return None,
        };
        let named = match kind {
            Some(kind @ (Kind::Local | Kind::Resource | Kind::Uuid)) => {
                self.names.get(&(kind, was.clone())).cloned()
            }
            _other => None,
        };
        named.or_else(|| Some(self.text(&was))).filter(|now| *now != was)
    }

    fn encode(&self, tree: &Tree<'_>) -> Bytes {
        let mut out = BytesMut::with_capacity(tree.bytes.len() + 16);
        for field in &tree.fields {
            let mut tagged = |wire: u64| varint(&mut out, u64::from(field.number) << 3 | wire);
            let replacement = self.replacement(tree.name, field);
            match &field.value {
                Value::Varint(number) => {
                    tagged(0);
                    varint(&mut out, replacement.and_then(|now| now.parse().ok()).unwrap_or(*number));
                }
                Value::Fixed64(bits) => {
                    tagged(1);
                    out.put_u64_le(*bits);
                }
                Value::Fixed32(bits) => {
                    tagged(5);
                    out.put_u32_le(*bits);
                }
                Value::Text(text) => {
                    tagged(2);
                    block(&mut out, replacement.as_deref().unwrap_or(text).as_bytes());
                }
                Value::Bytes(bytes) | Value::Broken { bytes, .. } => {
                    tagged(2);
                    block(&mut out, bytes);
                }
                Value::Packed(numbers) => {
                    tagged(2);
                    let mut packed = BytesMut::new();
                    numbers.iter().for_each(|number| varint(&mut packed, *number));
                    block(&mut out, &packed);
                }
                Value::Tree(inner) => {
                    tagged(2);
                    let inner = if self.concerns(inner) {
                        self.encode(inner)
                    } else {
                        Bytes::copy_from_slice(inner.bytes)
                    };
                    block(&mut out, &inner);
                }
            }
        }
        out.freeze()
    }
}

fn varint(out: &mut BytesMut, mut number: u64) {
    while number >= 0x80 {
        out.put_u8((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.put_u8(number as u8);
}

fn block(out: &mut BytesMut, bytes: &[u8]) {
    varint(out, bytes.len() as u64);
    out.put_slice(bytes);
}

fn gather_json(json: &Json, path: &str, name: &str, leaves: &mut Vec<Leaf>) {
    match json {
        Json::Object(fields) => {
            let dot = if path.is_empty() { "" } else { "." };
            for (key, value) in fields {
                gather_json(value, &format!("{path}{dot}{key}"), key, leaves);
            }
        }
        Json::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                gather_json(value, &format!("{path}[{index}]"), name, leaves);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            let kind = Kind::of_member(name).filter(|kind| *kind == Kind::Time);
            leaves.push((path.to_owned(), json.to_string(), kind));
        }
    }
}
