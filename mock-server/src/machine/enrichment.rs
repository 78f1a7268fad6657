//! `MessageBody.meta`: the JSON in which the server tells 4.x what became of a message (wire-4x §6).
//!
//! All else stays as the bytes that came.

use bytes::BufMut as _;
use fixtures::wire::view::{self, Field, Fields};
use prost::encoding::{WireType, encode_key, encode_varint};
use serde_json::{Map, Value};

/// `Meta.payload`
const PAYLOAD: u32 = 6;
/// `MessageBody.meta`
const BODY_META: u32 = 9;

/// An encoded `Meta` with something beside what its body's `meta` has; `None`: it cannot be read.
pub(super) fn with(meta: &[u8], key: &str, value: Value) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(meta.len() + 256);
    for field in Fields::of(meta) {
        let field = field.ok()?;
        if field.number == PAYLOAD {
            put_bytes(&mut out, PAYLOAD, &body_with(bytes_of(&field)?, key, value.clone())?);
        } else {
            out.put_slice(field.raw);
        }
    }
    Some(out)
}

fn body_with(body: &[u8], key: &str, value: Value) -> Option<Vec<u8>> {
    let (mut out, mut told) = (Vec::with_capacity(body.len() + 256), Map::new());
    for field in Fields::of(body) {
        let field = field.ok()?;
        if field.number == BODY_META {
            // What is no object says nothing.
            told = serde_json::from_slice(bytes_of(&field)?).unwrap_or_default();
        } else {
            out.put_slice(field.raw);
        }
    }
    told.insert(key.to_owned(), value);
    let told = serde_json::to_vec(&Value::Object(told)).expect("a Value is always JSON");
    put_bytes(&mut out, BODY_META, &told);
    Some(out)
}

fn bytes_of<'a>(field: &Field<'a>) -> Option<&'a [u8]> {
    if let view::Value::Bytes(bytes) = field.value { Some(bytes) } else { None }
}

fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.put_slice(bytes);
}
