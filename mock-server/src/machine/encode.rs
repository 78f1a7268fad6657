//! Frames to clients, written field by field, so that a stored message is spliced in as the bytes it is.
//!
//! What clients insist on is spelt here once: `status` in every answer, `queue` in every page, no `isLast` on
//! a page with messages (wire-3x §3.3, wire-4x §4).

use bytes::{BufMut, Bytes, BytesMut};
use fixtures::wire::{CommSyncDl, Jid, MSync, Meta, Provision, Status, m_sync, status};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

/// `CommSyncDL.metas`
const METAS: u32 = 4;
/// `CommSyncDL.nextKey`
const NEXT_KEY: u32 = 5;
/// `MSync.payload`
const PAYLOAD: u32 = 9;
/// The highest field of `Meta` that the schema knows; what lies above is carried over untouched.
const META_FIELDS: u32 = 10;

/// The frames of one queue that never change, kept encoded for every recipient.
#[derive(Clone, Debug)]
pub(super) struct QueueFrames {
    /// NOTICE: the queue has something.
    pub(super) notice: Bytes,
    /// An empty last page.
    pub(super) last: Bytes,
    /// The fields of a page behind its metas and key: `queue` and `isLast: false`.
    tail: Bytes,
}

impl QueueFrames {
    pub(super) fn new(queue: Jid) -> Self {
        let notice = frame(
            m_sync::Command::Notice,
            &fixtures::wire::CommNotice { queue: Some(queue.clone()) }.encode_to_vec(),
        );
        let last = frame(
            m_sync::Command::Sync,
            &CommSyncDl {
                status: Some(ok()),
                queue: Some(queue.clone()),
                is_last: Some(true),
                ..CommSyncDl::default()
            }
            .encode_to_vec(),
        );
        let tail = CommSyncDl { queue: Some(queue), is_last: Some(false), ..CommSyncDl::default() };
        Self { notice, last, tail: tail.encode_to_vec().into() }
    }

    /// One page. `next_key` is what the client must give back.
    pub(super) fn page<'a>(&self, metas: impl Iterator<Item = &'a Bytes> + Clone, next_key: u64) -> Bytes {
        let status: &[u8] = &[0x0a, 0x02, 0x08, 0x00];
        let metas_len: usize =
            metas.clone().map(|meta| 1 + encoded_len_varint(meta.len() as u64) + meta.len()).sum();
        let payload_len = status.len() + metas_len + 1 + encoded_len_varint(next_key) + self.tail.len();
        let mut out = open_frame(m_sync::Command::Sync, payload_len);
        out.put_slice(status);
        for meta in metas {
            encode_key(METAS, WireType::LengthDelimited, &mut out);
            encode_varint(meta.len() as u64, &mut out);
            out.put_slice(meta);
        }
        encode_key(NEXT_KEY, WireType::Varint, &mut out);
        encode_varint(next_key, &mut out);
        out.put_slice(&self.tail);
        out.freeze()
    }
}

/// The answer to a message that was taken.
pub(super) fn accepted(meta_id: u64, server_id: u64, timestamp_ms: u64) -> Bytes {
    sync(&CommSyncDl {
        status: Some(ok()),
        meta_id: Some(meta_id),
        server_id: Some(server_id),
        timestamp: Some(timestamp_ms),
        ..CommSyncDl::default()
    })
}

/// The answer to a message, or a frame, that was not.
pub(super) fn refusal(meta_id: Option<u64>, code: i32, reason: &str) -> Bytes {
    let reason = (!reason.is_empty()).then(|| reason.to_owned());
    sync(&CommSyncDl {
        status: Some(Status { error_code: Some(code), reason, redirect_info: Vec::new() }),
        meta_id,
        ..CommSyncDl::default()
    })
}

/// A page for a queue that the server does not have: nothing, and the last.
pub(super) fn empty_last(queue: &Jid) -> Bytes {
    sync(&CommSyncDl {
        status: Some(ok()),
        queue: Some(queue.clone()),
        is_last: Some(true),
        ..CommSyncDl::default()
    })
}

/// One meta pushed without NOTICE and pull, as kicks are: the client is about to lose its socket.
pub(super) fn pushed(meta: Meta, queue: Jid) -> Bytes {
    sync(&CommSyncDl {
        status: Some(ok()),
        metas: vec![meta],
        queue: Some(queue),
        is_last: Some(true),
        ..CommSyncDl::default()
    })
}

pub(super) fn unread(answer: &fixtures::wire::CommUnreadDl) -> Bytes {
    frame(m_sync::Command::Unread, &answer.encode_to_vec())
}

pub(super) fn provision(answer: &Provision) -> Bytes {
    frame(m_sync::Command::Provision, &answer.encode_to_vec())
}

pub(super) fn ok() -> Status {
    Status { error_code: Some(status::ErrorCode::Ok as i32), ..Status::default() }
}

/// A meta as it is stored and sent: the decoded fields, and behind them those of the client's own meta that
/// the schema does not know. `sync_payload` is the `CommSyncUL` that it came in.
pub(super) fn stored_meta(meta: &Meta, sync_payload: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(meta.encoded_len());
    meta.encode(&mut out).expect("a BytesMut grows as needed");
    if let Some(original) = last_field(sync_payload, 1) {
        for field in Fields(original) {
            if field.number > META_FIELDS {
                out.put_slice(field.raw);
            }
        }
    }
    // Copied to its exact size: what is kept must not hold a larger buffer alive.
    Bytes::copy_from_slice(&out)
}

fn sync(answer: &CommSyncDl) -> Bytes {
    let mut out = open_frame(m_sync::Command::Sync, answer.encoded_len());
    answer.encode(&mut out).expect("a BytesMut grows as needed");
    out.freeze()
}

fn frame(command: m_sync::Command, payload: &[u8]) -> Bytes {
    let mut out = open_frame(command, payload.len());
    out.put_slice(payload);
    out.freeze()
}

/// `MSync { version, command, payload }` up to the payload's first byte.
fn open_frame(command: m_sync::Command, payload_len: usize) -> BytesMut {
    let head = MSync { version: Some(0), command: Some(command as i32), ..MSync::default() };
    let len = head.encoded_len() + 1 + encoded_len_varint(payload_len as u64) + payload_len;
    let mut out = BytesMut::with_capacity(len);
    head.encode(&mut out).expect("a BytesMut grows as needed");
    encode_key(PAYLOAD, WireType::LengthDelimited, &mut out);
    encode_varint(payload_len as u64, &mut out);
    out
}

/// The last field of that number, as protobuf reads it. The bytes have been decoded before, so they are sound.
fn last_field(bytes: &[u8], number: u32) -> Option<&[u8]> {
    Fields(bytes).filter(|field| field.number == number).map(|field| field.value).last()
}

struct Field<'a> {
    number: u32,
    /// Key and value.
    raw: &'a [u8],
    /// The value of a length-delimited field; empty for the others.
    value: &'a [u8],
}

/// The fields of a message; ends at the first byte that is not one.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let mut rest = self.0;
        let key = varint(&mut rest)?;
        let number = u32::try_from(key >> 3).ok()?;
        let value: &[u8] = match key & 7 {
            0 => varint(&mut rest).map(|_| &rest[..0])?,
            1 => take(&mut rest, 8)?,
            2 => {
                let len = usize::try_from(varint(&mut rest)?).ok()?;
                take(&mut rest, len)?
            }
            5 => take(&mut rest, 4)?,
            // Groups are decoded by nobody here; a field we cannot delimit ends the walk.
            _ => return None,
        };
        let raw = &self.0[..self.0.len() - rest.len()];
        self.0 = rest;
        Some(Field { number, raw, value })
    }
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (head, tail) = rest.split_at_checked(len)?;
    *rest = tail;
    Some(head)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for (index, byte) in rest.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *rest = &rest[index + 1..];
            return Some(value);
        }
    }
    None
}
