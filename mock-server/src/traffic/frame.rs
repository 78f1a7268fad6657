//! What a frame is, for the rows of a tape: its fields and kinds as [`crate::decoded`] reads them.

use std::borrow::Cow;

use bytes::Bytes;
use serde_json::Value as Json;

use crate::decoded::{Frame, Kind, Message, Value};
use crate::tape::Direction;

/// A frame, read.
pub(crate) struct Decoded {
    frame: Frame,
    /// The kinds of the messages in it, where it is a page.
    messages: Vec<Kind>,
}

impl Decoded {
    pub(crate) fn read(bytes: &Bytes, direction: Direction) -> Self {
        let frame = Frame::read(bytes, direction);
        let metas = if frame.kind == Kind::Page { frame.all("metas") } else { Vec::new() };
        let messages = metas.into_iter().filter_map(|meta| match meta {
            Value::Message(meta) => Some(Kind::of_meta(meta)),
            _ => None,
        });
        let messages = messages.collect();
        Self { frame, messages }
    }

    pub(crate) fn frame(&self) -> &Frame {
        &self.frame
    }

    pub(crate) fn kind(&self) -> Kind {
        self.frame.kind
    }

    pub(crate) fn messages(&self) -> &[Kind] {
        &self.messages
    }

    pub(crate) fn json(&self) -> Json {
        serde_json::to_value(&self.frame).expect("a frame has only string keys")
    }

    /// What stands at the end of a path, as text; empty: nothing.
    pub(crate) fn text(&self, path: &str) -> Cow<'_, str> {
        self.frame.get(path).map(text_of).unwrap_or_default()
    }

    /// The same of all that are there.
    pub(crate) fn texts(&self, path: &str) -> Vec<Cow<'_, str>> {
        self.frame.all(path).into_iter().map(text_of).collect()
    }

    /// Whether a text, number or word in it holds this one, which is in lower case.
    pub(crate) fn holds(&self, text: &str) -> bool {
        holds_message(&self.frame.message, text)
    }
}

/// A value in words; of messages and bytes there are none.
fn text_of(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Text(text) => text.into(),
        Value::Enum { name: Some(name), .. } => (*name).into(),
        Value::Enum { number, name: None } | Value::Int32(number) => number.to_string().into(),
        Value::Bool(value) => value.to_string().into(),
        Value::Uint32(number) => number.to_string().into(),
        Value::Int64(number) | Value::Whole(number) => number.to_string().into(),
        Value::Uint64(number) => number.to_string().into(),
        Value::Double(number) => number.to_string().into(),
        Value::Bytes(_) | Value::Message(_) | Value::List(_) | Value::Null => "".into(),
    }
}

fn holds_message(message: &Message, text: &str) -> bool {
    message.fields().any(|(_, value)| holds(value, text))
}

fn holds(value: &Value, text: &str) -> bool {
    match value {
        Value::Message(message) => holds_message(message, text),
        Value::List(list) => list.iter().any(|value| holds(value, text)),
        value => text_of(value).to_lowercase().contains(text),
    }
}
