//! The names of the wire: messages, fields and enum values, read from the text of `msync.proto`.
//!
//! It reads just as much of the proto2 grammar as that file uses, and never touches generated types: a
//! mistake in those must not be able to hide here.

use std::sync::LazyLock;

/// Every message and enum of `fixtures::MSYNC_PROTO`.
#[derive(Debug)]
pub struct Schema {
    messages: Vec<MessageType>,
    enums: Vec<EnumType>,
}

/// One message of the schema.
#[derive(Debug)]
pub struct MessageType {
    /// Its full name, such as `MessageBody.Content`.
    pub name: String,
    fields: Vec<FieldType>,
}

/// One field of a message.
#[derive(Debug, PartialEq)]
pub struct FieldType {
    /// Its number on the wire.
    pub number: u32,
    /// Its name in the schema.
    pub name: String,
    /// Whether it may come more than once.
    pub repeated: bool,
    /// What its bytes mean.
    pub kind: Kind,
}

/// What the bytes of a field mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words of the proto language")]
pub enum Kind {
    Int32,
    Int64,
    Uint32,
    Uint64,
    Bool,
    Float,
    Double,
    String,
    Bytes,
    Message(usize),
    Enum(usize),
}

#[derive(Debug)]
struct EnumType {
    name: String,
    values: Vec<(u64, String)>,
}

static MSYNC: LazyLock<Schema> = LazyLock::new(|| Schema::parse(fixtures::MSYNC_PROTO));

/// The schema of the protocol.
pub fn msync() -> &'static Schema {
    &MSYNC
}

impl Schema {
    /// The message of this full name. Panics when there is none: callers name messages of our own schema.
    pub fn message(&self, name: &str) -> &MessageType {
        let found = self.messages.iter().find(|message| message.name == name);
        found.unwrap_or_else(|| panic!("msync.proto has no message {name}"))
    }

    pub(super) fn message_at(&self, index: usize) -> &MessageType {
        &self.messages[index]
    }

    /// The name of an enum value; `None` for a number that the enum does not list.
    pub fn value_name(&self, kind: Kind, value: u64) -> Option<&str> {
        let Kind::Enum(index) = kind else { return None };
        let values = &self.enums[index].values;
        values.iter().find(|(number, _)| *number == value).map(|(_, name)| name.as_str())
    }

    /// The number of an enum value, such as `("MessageBody.Type", "CHAT")`.
    pub fn value_number(&self, of: &str, name: &str) -> Option<u64> {
        let found = self.enums.iter().find(|one| one.name == of)?;
        found.values.iter().find(|(_, value)| value == name).map(|(number, _)| *number)
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

impl MessageType {
    /// The field of this number.
    pub fn field(&self, number: u32) -> Option<&FieldType> {
        self.fields.iter().find(|field| field.number == number)
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
                    values.push((u64::from(number), value.to_owned()));
                }
            }
        }
        self.enums.push(EnumType { name, values });
    }

    fn resolve(self) -> Schema {
        let names: Vec<&str> = self.messages.iter().map(|(name, _)| name.as_str()).collect();
        let kind = |scope: &str, word: &str| match word {
            "int32" => Kind::Int32,
            "int64" => Kind::Int64,
            "uint32" => Kind::Uint32,
            "uint64" => Kind::Uint64,
            "bool" => Kind::Bool,
            "float" => Kind::Float,
            "double" => Kind::Double,
            "string" => Kind::String,
            "bytes" => Kind::Bytes,
            named => {
                // Innermost scope first, as protobuf has it.
                let mut scope = scope;
                loop {
                    let full = qualified(scope, named);
                    if let Some(index) = names.iter().position(|name| *name == full) {
                        return Kind::Message(index);
                    }
                    if let Some(index) = self.enums.iter().position(|one| one.name == full) {
                        return Kind::Enum(index);
                    }
                    assert!(!scope.is_empty(), "msync.proto: no type {named:?}");
                    scope = scope.rsplit_once('.').map_or("", |(outer, _)| outer);
                }
            }
        };
        let messages = self.messages.iter().map(|(name, fields)| MessageType {
            name: name.clone(),
            fields: fields
                .iter()
                .map(|field| FieldType {
                    number: field.number,
                    name: field.name.to_owned(),
                    repeated: field.repeated,
                    kind: kind(name, field.kind),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_types_are_found_from_the_inside_out() {
        let schema = msync();
        let content = schema.message("MessageBody.Content");
        let size = content.field(13).expect("size");
        assert_eq!((size.name.as_str(), size.repeated), ("size", false));
        let Kind::Message(index) = size.kind else { panic!("{size:?}") };
        assert_eq!(schema.message_at(index).name, "MessageBody.Content.Size");
        // `Type` means another enum in Content than in MessageBody.
        assert_eq!(schema.value_name(content.field(1).expect("type").kind, 7), Some("CUSTOM"));
        let body = schema.message("MessageBody");
        assert_eq!(schema.value_name(body.field(1).expect("type").kind, 7), Some("CHANNEL_ACK"));
        // A oneof's members are fields of the message, and what follows the oneof is not lost.
        assert_eq!(schema.message("KeyValue").field(6).expect("stringValue").kind, Kind::String);
        assert_eq!(schema.value_number("Meta.NameSpace", "ROSTER"), Some(3));
    }
}
