//! A frame in a word or two, as a list or a diagram names it: its command, and what of it tells one frame of that command
//! from another.

use mock_server::tape::Direction;

use super::leaf;
use crate::dissect::{Field, Tree, Value};

/// What a frame without a command is called.
pub(super) const NO_COMMAND: &str = "(no command)";

/// The field that says what a frame is; of several the last, as protobuf has it.
pub(super) fn command<'f, 'a>(frame: &'f Tree<'a>) -> Option<&'f Field<'a>> {
    frame.fields.iter().rev().find(|field| field.name() == "command")
}

/// `SYNC CHAT/TEXT`, `SYNC pull`, `SYNC page of 3`, `NOTICE`.
pub(super) fn of_frame(frame: &Tree<'_>, direction: Direction) -> String {
    let word = command(frame).map_or_else(|| NO_COMMAND.to_owned(), leaf);
    let Some(payload) = frame.tree("payload") else { return word };
    match direction {
        Direction::Up => {
            if let Some(words) = payload.tree("meta").map(of_meta).filter(|words| !words.is_empty()) {
                format!("{word} {words}")
            } else if payload.name == "CommSyncUL" && payload.field("queue").is_some() {
                let what = if payload.field("key").is_some() { "acknowledgement" } else { "pull" };
                format!("{word} {what}")
            } else {
                word
            }
        }
        Direction::Down if payload.name != "CommSyncDL" => word,
        Direction::Down => {
            let mut metas = payload.all("metas").filter_map(tree);
            match (metas.next(), metas.count()) {
                (Some(one), 0) => format!("{word} page {}", of_meta(one)).trim_end().to_owned(),
                (Some(_), more) => format!("{word} page of {}", more + 1),
                (None, _) if payload.field("metaId").is_some() => format!("{word} answer"),
                (None, _) => format!("{word} empty page"),
            }
        }
    }
}

/// `CHAT/TEXT`: the namespace, the body's type, the content's type, and what a management message does.
fn of_meta(meta: &Tree<'_>) -> String {
    let body = meta.tree("payload");
    let content = body.and_then(|body| body.all("contents").find_map(tree));
    let words = [
        meta.field("ns"),
        body.and_then(|body| body.field("type")),
        content.and_then(|content| content.field("type")),
        body.and_then(|body| body.field("operation")),
    ];
    let mut words: Vec<String> = words.into_iter().flatten().map(leaf).collect();
    // A namespace and a body's type go by the same word.
    words.dedup();
    words.join("/")
}

fn tree<'f, 'a>(field: &'f Field<'a>) -> Option<&'f Tree<'a>> {
    match &field.value {
        Value::Tree(tree) => Some(tree),
        Value::Varint(_)
        | Value::Fixed64(_)
        | Value::Fixed32(_)
        | Value::Text(_)
        | Value::Bytes(_)
        | Value::Packed(_)
        | Value::Broken { .. } => None,
    }
}
