//! The schema's names and numbers, read once from its text.
//!
//! The generated types have no names at run time, and a descriptor set would be a second copy of the schema to keep.
//! The judge reads the text by itself (conformance), so that the two agree or show it.

use std::sync::LazyLock;

/// What `msync.proto` defines.
#[derive(Debug)]
pub(super) struct Schema {
    messages: Vec<MessageShape>,
    enums: Vec<EnumType>,
}

/// A message of the schema.
#[derive(Debug)]
pub(super) struct MessageShape {
    /// Its full name, `MessageBody.Content`.
    name: String,
    fields: Vec<FieldShape>,
}

/// A field of a message.
#[derive(Debug)]
pub(super) struct FieldShape {
    number: u32,
    pub(super) name: String,
    pub(super) repeated: bool,
    pub(super) shape: Shape,
}

/// What may stand in a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Bool,
    Int32,
    Int64,
    Uint32,
    Uint64,
    /// Its place among the enums.
    Enum(usize),
    Float,
    Double,
    Text,
    Bytes,
    /// Its place among the messages.
    Message(usize),
}

#[derive(Debug)]
struct EnumType {
    name: String,
    values: Vec<(i32, String)>,
}

static MSYNC: LazyLock<Schema> = LazyLock::new(|| Schema::parse(fixtures::MSYNC_PROTO));

/// The schema of the protocol.
pub(super) fn msync() -> &'static Schema {
    &MSYNC
}

impl Schema {
    /// Panics when there is none of this full name: callers name messages of our own schema.
    pub(super) fn message(&self, name: &str) -> &MessageShape {
        let found = self.messages.iter().find(|message| message.name == name);
        found.unwrap_or_else(|| panic!("msync.proto has no message {name}"))
    }

    pub(super) fn message_at(&self, index: usize) -> &MessageShape {
        &self.messages[index]
    }

    /// The name of an enum's value; `None` for a number that the enum does not list.
    pub(super) fn value_name(&self, of: usize, value: i32) -> Option<&str> {
        let values = &self.enums[of].values;
        values.iter().find(|(number, _)| *number == value).map(|(_, name)| name.as_str())
    }

    /// Panics on text outside the grammar: the file is part of this repository, so that is a bug of ours.
    fn parse(text: &str) -> Self {
        let tokens = tokens(text);
        let mut parser = Parser { tokens: &tokens, at: 0, messages: Vec::new(), enums: Vec::new() };
        while let Some(word) = parser.next() {
            match word {
                "syntax" | "package" => parser.skip_statement(),
                "message" => parser.message(""),
                "enum" => parser.enumeration(""),
                other => panic!("msync.proto: {other:?} at the top level"),
            }
        }
        parser.resolve()
    }
}

impl MessageShape {
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str())
    }

    /// Its full name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn field(&self, number: u32) -> Option<&FieldShape> {
        self.fields.iter().find(|field| field.number == number)
    }
}

impl Shape {
    /// Whether it is a varint on the wire.
    pub(super) fn is_number(self) -> bool {
        match self {
            Self::Bool | Self::Int32 | Self::Int64 | Self::Uint32 | Self::Uint64 | Self::Enum(_) => true,
            Self::Float | Self::Double | Self::Text | Self::Bytes | Self::Message(_) => false,
        }
    }
}

struct Parser<'t> {
    tokens: &'t [&'t str],
    at: usize,
    messages: Vec<(String, Vec<Unresolved<'t>>)>,
    enums: Vec<EnumType>,
}

struct Unresolved<'t> {
    number: u32,
    name: &'t str,
    repeated: bool,
    kind: &'t str,
}

impl<'t> Parser<'t> {
    fn next(&mut self) -> Option<&'t str> {
        let token = self.tokens.get(self.at).copied();
        self.at += 1;
        token
    }

    fn word(&mut self) -> &'t str {
        self.next().expect("msync.proto ends inside a definition")
    }

    fn number(&mut self) -> u32 {
        assert_eq!(self.word(), "=", "msync.proto: a field or value without a number");
        let token = self.word();
        token.parse().unwrap_or_else(|_| panic!("msync.proto: {token:?} is no number"))
    }

    fn skip_statement(&mut self) {
        while self.word() != ";" {}
    }

    fn message(&mut self, scope: &str) {
        let name = qualified(scope, self.word());
        assert_eq!(self.word(), "{");
        let slot = self.messages.len();
        self.messages.push((name.clone(), Vec::new()));
        let mut oneof = false;
        loop {
            match self.word() {
                "}" if oneof => oneof = false,
                "}" => return,
                ";" => {}
                "message" => self.message(&name),
                "enum" => self.enumeration(&name),
                "oneof" => {
                    self.word();
                    assert_eq!(self.word(), "{");
                    oneof = true;
                }
                label @ ("optional" | "repeated") => {
                    let kind = self.word();
                    self.field(slot, kind, label == "repeated");
                }
                kind => self.field(slot, kind, false),
            }
        }
    }

    fn field(&mut self, slot: usize, kind: &'t str, repeated: bool) {
        let name = self.word();
        let number = self.number();
        self.skip_statement();
        self.messages[slot].1.push(Unresolved { number, name, repeated, kind });
    }

    fn enumeration(&mut self, scope: &str) {
        let name = qualified(scope, self.word());
        assert_eq!(self.word(), "{");
        let mut values = Vec::new();
        loop {
            match self.word() {
                "}" => break,
                value => {
                    let number = self.number();
                    self.skip_statement();
                    let number = i32::try_from(number).expect("an enum's number has 32 bits");
                    values.push((number, value.to_owned()));
                }
            }
        }
        self.enums.push(EnumType { name, values });
    }

    fn resolve(self) -> Schema {
        let names: Vec<&str> = self.messages.iter().map(|(name, _)| name.as_str()).collect();
        let shape = |scope: &str, word: &str| match word {
            "int32" => Shape::Int32,
            "int64" => Shape::Int64,
            "uint32" => Shape::Uint32,
            "uint64" => Shape::Uint64,
            "bool" => Shape::Bool,
            "float" => Shape::Float,
            "double" => Shape::Double,
            "string" => Shape::Text,
            "bytes" => Shape::Bytes,
            named => {
                // Innermost scope first, as protobuf has it.
                let mut scope = scope;
                loop {
                    let full = qualified(scope, named);
                    if let Some(index) = names.iter().position(|name| *name == full) {
                        return Shape::Message(index);
                    }
                    if let Some(index) = self.enums.iter().position(|one| one.name == full) {
                        return Shape::Enum(index);
                    }
                    assert!(!scope.is_empty(), "msync.proto: no type {named:?}");
                    scope = scope.rsplit_once('.').map_or("", |(outer, _)| outer);
                }
            }
        };
        let messages = self.messages.iter().map(|(name, fields)| MessageShape {
            name: name.clone(),
            fields: fields
                .iter()
                .map(|field| FieldShape {
                    number: field.number,
                    name: field.name.to_owned(),
                    repeated: field.repeated,
                    shape: shape(name, field.kind),
                })
                .collect(),
        });
        Schema { messages: messages.collect(), enums: self.enums }
    }
}

fn qualified(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

fn tokens(text: &str) -> Vec<&str> {
    let code = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    let mut tokens = Vec::new();
    for mut rest in code {
        loop {
            rest = rest.trim_start();
            let Some(first) = rest.chars().next() else { break };
            let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '"');
            let end = if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            tokens.push(&rest[..end]);
            rest = &rest[end..];
        }
    }
    tokens
}
