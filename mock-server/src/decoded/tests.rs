//! Frames that neither side here made, and rubbish.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;
use rstest::rstest;
use serde_json::Value as Json;

use super::*;

/// Every captured frame: where it stands, its direction, its bytes and what an independent decoder said of it.
static CAPTURED: LazyLock<Vec<Captured>> = LazyLock::new(captured);

type Captured = (String, Direction, Vec<u8>, Json);

fn captured() -> Vec<Captured> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/frames");
    let mut rows = Vec::new();
    for entry in fs::read_dir(folder).expect("fixtures/frames is there") {
        let path = entry.expect("a file").path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a captured file is text");
        for (index, line) in text.lines().enumerate() {
            let row: Json = serde_json::from_str(line).expect("a line is JSON");
            let up = row["dir"] == "c2s";
            let hex = row["hex"].as_str().expect("hex");
            let bytes = (0..hex.len())
                .step_by(2)
                .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("pairs of digits"))
                .collect();
            let direction = if up { Direction::Up } else { Direction::Down };
            rows.push((
                format!("{}:{}", path.display(), index + 1),
                direction,
                bytes,
                row["decoded"].clone(),
            ));
        }
    }
    assert!(rows.len() > 1_000, "only {} rows were read", rows.len());
    rows
}

/// How the capture spells what we spell otherwise, or leaves out: see `frames/README.md`.
fn same(path: &str, theirs: &Json, ours: &Json) -> Result<(), String> {
    match (theirs, ours) {
        (theirs, Json::Object(ours)) if ours.is_empty() && theirs["_payloadBytes"] == 0 => Ok(()),
        (Json::Object(theirs), Json::Object(ours)) => {
            for (name, value) in theirs {
                match ours.get(name) {
                    Some(ours) => same(&format!("{path}.{name}"), value, ours)?,
                    // An empty list is no field on the wire.
                    None if value.as_array().is_some_and(Vec::is_empty) => {}
                    // What the capture says of an UNREAD without a payload.
                    None if value["_payloadBytes"] == 0 => {}
                    None => return Err(format!("{path}.{name}: {value} is missing")),
                }
            }
            Ok(())
        }
        (Json::Array(theirs), Json::Array(ours)) if theirs.len() == ours.len() => theirs
            .iter()
            .zip(ours)
            .enumerate()
            .try_for_each(|(index, (theirs, ours))| same(&format!("{path}[{index}]"), theirs, ours)),
        (theirs, ours) if theirs == ours => Ok(()),
        // JSON inside a frame is read in place, and there it is a text.
        (Json::String(theirs), Json::Object(_))
            if serde_json::from_str(theirs).ok().as_ref() == Some(ours) =>
        {
            Ok(())
        }
        // Renamed in our schema, since protobuf scopes enum values to the enclosing message.
        (Json::String(theirs), Json::String(ours)) if ours.strip_prefix("SUB_") == Some(theirs) => Ok(()),
        (Json::Number(theirs), Json::Number(ours)) if theirs.as_f64() == ours.as_f64() => Ok(()),
        (Json::Number(theirs), Json::String(ours)) if theirs.to_string() == *ours => Ok(()),
        (theirs, ours) => Err(format!("{path}: {theirs} there, {ours} here")),
    }
}

#[test]
fn every_captured_frame_reads_as_an_independent_decoder_read_it() {
    for (place, direction, bytes, theirs) in CAPTURED.iter() {
        let frame = Frame::read(bytes, *direction);
        assert_eq!(frame.damaged, None, "{place}");
        assert_ne!(frame.kind, Kind::Unknown, "{place}");
        assert!(matches!(frame.kind.way(), Way::Up | Way::Down | Way::Both), "{place}: {:?}", frame.kind);
        let ours = serde_json::to_value(&frame).expect("a frame has only string keys");
        same("", theirs, &ours).unwrap_or_else(|why| panic!("{place}: {why}"));
    }
}

#[test]
fn captured_frames_are_of_every_kind_that_they_should_be() {
    let mut kinds = std::collections::BTreeMap::<(bool, Kind), usize>::new();
    for (_, direction, bytes, _) in CAPTURED.iter() {
        *kinds.entry((*direction == Direction::Down, Frame::read(bytes, *direction).kind)).or_default() += 1;
    }
    for (down, kind) in [
        (false, Kind::Provision),
        (false, Kind::Unread),
        (false, Kind::Pull),
        (false, Kind::Ack),
        (false, Kind::Text),
        (false, Kind::Cmd),
        (false, Kind::Recall),
        (false, Kind::ReadAck),
        (true, Kind::Provision),
        (true, Kind::Unread),
        (true, Kind::Notice),
        (true, Kind::Answer),
        (true, Kind::Page),
    ] {
        assert!(kinds.contains_key(&(down, kind)), "no {kind:?} (down: {down}) among {kinds:?}");
    }
    let odd = kinds.keys().find(|(_, kind)| matches!(kind, Kind::Sync | Kind::Message | Kind::Unknown));
    assert_eq!(odd, None, "{kinds:?}");
}

#[rstest]
#[case::cut_short(b"\x08\x00\x40\x00\x4a\x05\x0a", "the frame: byte 4: cut short or not protobuf")]
#[case::no_utf8(b"\x32\x01\xff\x40\x03", "userAgent: byte 0: not UTF-8")]
#[case::wire_type(b"\x40\x01\x10\x01", "guid: another wire type than the schema's")]
fn a_damaged_frame_says_where(#[case] bytes: &[u8], #[case] why: &str) {
    let frame = Frame::read(bytes, Direction::Up);
    assert_eq!(frame.damaged.as_deref(), Some(why));
    assert_eq!(serde_json::to_value(&frame).expect("string keys")["damaged"], why);
}

#[test]
fn of_more_unknown_fields_than_anybody_sends_the_first_are_read() {
    let field = |number: u32| [(number << 3 & 0x7f) as u8 | 0x80, (number >> 4) as u8, 0];
    let bytes: Vec<u8> = (100..400).flat_map(field).collect();
    let frame = Frame::read(&bytes, Direction::Up);
    assert_eq!(frame.message.fields().count(), FIELDS_MAX);
    assert_eq!(frame.damaged.as_deref(), Some("the frame: byte 768: more than 256 fields"));
}

#[test]
fn words_and_kinds_are_one() {
    for (kind, word, _) in Kind::ALL {
        assert_eq!(serde_json::to_value(kind).expect("a word"), word);
        assert_eq!((kind.word(), Kind::parse(word)), (word, Some(kind)));
    }
}

proptest! {
    #[test]
    fn rubbish_is_read_as_far_as_it_goes(bytes in proptest::collection::vec(any::<u8>(), 0..200), up: bool) {
        let direction = if up { Direction::Up } else { Direction::Down };
        let frame = Frame::read(&bytes, direction);
        serde_json::to_string(&frame).expect("string keys");
    }

    #[test]
    fn a_frame_with_a_bit_flipped_is_read(index: prop::sample::Index, at: prop::sample::Index, bit in 0..8_u8) {
        let (_, direction, bytes, _) = index.get(&CAPTURED);
        let mut bytes = bytes.clone();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        serde_json::to_string(&Frame::read(&bytes, *direction)).expect("string keys");
        serde_json::to_string(&Frame::read(&bytes[..at], *direction)).expect("string keys");
    }
}
