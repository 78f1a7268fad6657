//! A frame with other texts in it: what is replaced may be longer or shorter, and the lengths around it are right again.
//!
//! Everything else stays as it was, byte by byte. What no schema knows, and what is damaged, is shown as bytes.

use std::borrow::Cow;

use fixtures::wire::view::{Field, Fields, Value as Wire};

use super::DEPTH_MAX;
use super::schema::{MessageShape, Shape, msync};
use crate::tape::Direction;

/// Is told the field's name, which is empty where there is none, and what stands there; gives what is to stand there
/// instead.
pub(crate) type Edit<'a> = dyn FnMut(&str, &[u8]) -> Option<Vec<u8>> + 'a;

/// Goes through the texts of a frame in the order of the wire, and has each edited.
pub(crate) fn rewrite(frame: &[u8], direction: Direction, edit: &mut Edit<'_>) -> Option<Vec<u8>> {
    let mut rewriter = Rewriter { direction, edit, is_other: false };
    let rewritten = rewriter.message(frame, msync().message("MSync"), 0);
    rewriter.is_other.then_some(rewritten)
}

/// As [`rewrite`], of a `Meta` alone, as histories have them.
pub(crate) fn rewrite_meta(meta: &[u8], edit: &mut Edit<'_>) -> Option<Vec<u8>> {
    let mut rewriter = Rewriter { direction: Direction::Down, edit, is_other: false };
    let rewritten = rewriter.message(meta, msync().message("Meta"), 0);
    rewriter.is_other.then_some(rewritten)
}

struct Rewriter<'a> {
    direction: Direction,
    edit: &'a mut Edit<'a>,
    is_other: bool,
}

impl Rewriter<'_> {
    fn message(&mut self, bytes: &[u8], of: &'static MessageShape, depth: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 16);
        let payload = payload_of(bytes, of, self.direction);
        let mut at = 0;
        for field in Fields::of(bytes) {
            let Ok(field) = field else { break };
            at += field.raw.len();
            self.field(&field, of, payload, depth, &mut out);
        }
        // What cannot be read may hold a secret all the same.
        if at < bytes.len() {
            out.extend_from_slice(&self.edited("", &bytes[at..]));
        }
        out
    }

    fn field(
        &mut self,
        field: &Field<'_>,
        of: &'static MessageShape,
        payload: Option<&'static MessageShape>,
        depth: usize,
        out: &mut Vec<u8>,
    ) {
        let Wire::Bytes(value) = field.value else { return out.extend_from_slice(field.raw) };
        let shape = of.field(field.number);
        let below = match shape.map(|shape| shape.shape) {
            Some(Shape::Message(index)) => Some(msync().message_at(index)),
            Some(Shape::Bytes) if shape.is_some_and(|shape| shape.name == "payload") => payload,
            Some(
                Shape::Bool
                | Shape::Int32
                | Shape::Int64
                | Shape::Uint32
                | Shape::Uint64
                | Shape::Enum(_)
                | Shape::Float
                | Shape::Double
                | Shape::Text
                | Shape::Bytes,
            )
            | None => None,
        };
        let new = match below {
            Some(below) if depth < DEPTH_MAX => Cow::Owned(self.message(value, below, depth + 1)),
            Some(_) | None => self.edited(shape.map_or("", |shape| &shape.name), value),
        };
        if *new == *value {
            return out.extend_from_slice(field.raw);
        }
        varint(u64::from(field.number) << 3 | 2, out);
        varint(new.len() as u64, out);
        out.extend_from_slice(&new);
    }

    fn edited<'b>(&mut self, name: &str, value: &'b [u8]) -> Cow<'b, [u8]> {
        match (self.edit)(name, value) {
            Some(new) if new != value => {
                self.is_other = true;
                new.into()
            }
            Some(_) | None => value.into(),
        }
    }
}

/// What the payload of an envelope is, by its command or name space.
fn payload_of(bytes: &[u8], of: &MessageShape, direction: Direction) -> Option<&'static MessageShape> {
    let number = |wanted: u32| {
        let fields = Fields::of(bytes).map_while(Result::ok).filter(|field| field.number == wanted);
        fields
            .filter_map(|field| if let Wire::Varint(number) = field.value { Some(number) } else { None })
            .last()
    };
    let name = match of.name() {
        "MSync" => match (number(8).unwrap_or(0), direction) {
            (0, Direction::Up) => "CommSyncUL",
            (0, Direction::Down) => "CommSyncDL",
            (1, Direction::Up) => "CommUnreadUL",
            (1, Direction::Down) => "CommUnreadDL",
            (2, _) => "CommNotice",
            (3, _) => "Provision",
            (4, _) => "Logout",
            (_, _) => return None,
        },
        "Meta" => match number(5)? {
            0 => "StatisticsBody",
            1 => "MessageBody",
            2 => "MUCBody",
            3 => "RosterBody",
            4 => "ConferenceBody",
            _ => return None,
        },
        _ => return None,
    };
    Some(msync().message(name))
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            return out.push(low);
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use fixtures::wire::{Jid, MSync, Provision, m_sync};
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;

    fn frame(auth: &str, device: &str) -> MSync {
        let provision =
            Provision { device_uuid: Some(device.into()), auth: Some(auth.into()), ..Provision::default() };
        MSync {
            command: Some(m_sync::Command::Provision as i32),
            guid: Some(Jid { name: Some("alice".into()), ..Jid::default() }),
            auth: Some(auth.into()),
            payload: Some(provision.encode_to_vec().into()),
            ..MSync::default()
        }
    }

    proptest! {
        #[test]
        fn lengths_are_right_around_what_is_replaced(
            old in "[a-z]{8,200}", new in "[A-Z]{1,300}", device in "[0-9]{0,20}",
        ) {
            let before = frame(&old, &device).encode_to_vec();
            let mut edit = |_: &str, text: &[u8]| (text == old.as_bytes()).then(|| new.clone().into_bytes());
            let after = rewrite(&before, Direction::Up, &mut edit).expect("it stands there");
            prop_assert_eq!(after, frame(&new, &device).encode_to_vec());
        }

        #[test]
        fn what_is_left_alone_is_as_it_was(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut same = |_: &str, text: &[u8]| Some(text.to_vec());
            prop_assert_eq!(rewrite(&bytes, Direction::Down, &mut same), None);
        }
    }
}
