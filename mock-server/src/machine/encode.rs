//! Frames to clients, written field by field, so that a stored message is spliced in as the bytes it is.
//!
//! What clients insist on is spelt here once: `status` in every answer, `queue` in every page, no `isLast` on
//! a page with messages (wire-3x §3.3, wire-4x §4).

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use fixtures::wire::view::{Fields, JidView, MetaView};
use fixtures::wire::{CommSyncDl, Jid, Meta, Provision, Status, m_sync, status};
use prost::Message as _;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use super::Millis;

/// `CommSyncDL.metas`
const METAS: u32 = 4;
/// `CommSyncDL.nextKey`
const NEXT_KEY: u32 = 5;
/// `MSync.payload`
const PAYLOAD: u32 = 9;
/// `CommSyncDL.status` with error code 0.
const STATUS_OK: &[u8] = &[0x0a, 0x02, 0x08, 0x00];

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
    pub(super) fn page<'a>(&self, metas: impl Iterator<Item = &'a [u8]> + Clone, next_key: u64) -> Bytes {
        let metas_len: usize =
            metas.clone().map(|meta| 1 + encoded_len_varint(meta.len() as u64) + meta.len()).sum();
        let payload_len = STATUS_OK.len() + metas_len + 1 + encoded_len_varint(next_key) + self.tail.len();
        let mut out = open_frame(m_sync::Command::Sync, payload_len);
        out.put_slice(STATUS_OK);
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
pub(super) fn accepted(meta_id: u64, server_id: u64, at: Millis) -> Bytes {
    /// The status, and three keys each with a varint.
    const ANSWER_BYTES_MAX: usize = STATUS_OK.len() + 3 * 11;
    let mut payload = [0; ANSWER_BYTES_MAX];
    let mut rest = &mut payload[..];
    rest.put_slice(STATUS_OK);
    put_varint(&mut rest, 2, meta_id);
    put_varint(&mut rest, 3, server_id);
    put_varint(&mut rest, 8, at.0);
    let unused = rest.len();
    frame(m_sync::Command::Sync, &payload[..ANSWER_BYTES_MAX - unused])
}

/// The same, with what has become of it.
pub(super) fn accepted_showing(meta_id: u64, server_id: u64, at: Millis, shown: Meta) -> Bytes {
    sync(&CommSyncDl {
        status: Some(ok()),
        meta_id: Some(meta_id),
        server_id: Some(server_id),
        metas: vec![shown],
        timestamp: Some(at.0),
        ..CommSyncDl::default()
    })
}

/// The answer to a message, or a frame, that was not.
pub(super) fn refusal(meta_id: Option<u64>, server_id: Option<u64>, code: i32, reason: &str) -> Bytes {
    let reason = (!reason.is_empty()).then(|| reason.to_owned());
    sync(&CommSyncDl {
        status: Some(Status { error_code: Some(code), reason, redirect_info: Vec::new() }),
        meta_id,
        server_id,
        ..CommSyncDl::default()
    })
}

/// A page for a queue that the server does not have: nothing, and the last.
pub(super) fn empty_last(queue: &JidView<'_>) -> Bytes {
    let mut payload = STATUS_OK.to_vec();
    put_bytes(&mut payload, 6, queue.raw);
    put_varint(&mut payload, 7, 1);
    frame(m_sync::Command::Sync, &payload)
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

/// What the server writes into a message: the rest is the sender's, byte for byte.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamp<'a> {
    pub(super) id: u64,
    /// The sender's `JID`, encoded.
    pub(super) from: &'a [u8],
    pub(super) app_key: &'a str,
    pub(super) at: Millis,
}

/// A client's meta as it is stored and sent: id, sender and time are the server's, all else is carried over as it
/// lies, fields of an unknown schema as well.
pub(super) fn stored_meta(meta: &MetaView<'_>, stamp: &Stamp<'_>) -> Arc<[u8]> {
    let to = meta.to.unwrap_or_default();
    // 3.x leaves it empty when its app key came by open() alone (wire-3x §1.2).
    let with_key = to.app_key.is_empty().then(|| with_app_key(&to, stamp.app_key));
    let to = with_key.as_deref().unwrap_or(to.raw);
    let is_kept = |number| {
        !matches!(number, meta_field::ID | meta_field::FROM | meta_field::TO | meta_field::TIMESTAMP)
    };
    let fields = || Fields::of(meta.raw).flatten().filter(|field| is_kept(field.number));
    let len = 4
        + encoded_len_varint(stamp.id)
        + encoded_len_varint(stamp.at.0)
        + encoded_len_varint(stamp.from.len() as u64)
        + stamp.from.len()
        + encoded_len_varint(to.len() as u64)
        + to.len()
        + fields().map(|field| field.raw.len()).sum::<usize>();
    // Written where it is kept: from a Vec it would be copied.
    let mut kept: Arc<[u8]> = std::iter::repeat_n(0, len).collect();
    let mut out = Arc::get_mut(&mut kept).expect("nobody else knows of it yet");
    put_varint(&mut out, meta_field::ID, stamp.id);
    put_bytes(&mut out, meta_field::FROM, stamp.from);
    put_bytes(&mut out, meta_field::TO, to);
    put_varint(&mut out, meta_field::TIMESTAMP, stamp.at.0);
    fields().for_each(|field| out.put_slice(field.raw));
    debug_assert!(out.is_empty(), "a length that is too large leaves zeros that are no field");
    kept
}

/// A stored meta with another payload.
pub(super) fn with_payload(meta: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(meta.len() + payload.len());
    for field in Fields::of(meta).flatten().filter(|field| field.number != meta_field::PAYLOAD) {
        out.extend_from_slice(field.raw);
    }
    put_bytes(&mut out, meta_field::PAYLOAD, payload);
    out
}

/// The fields of `Meta` that the server writes itself.
mod meta_field {
    pub(super) const ID: u32 = 1;
    pub(super) const FROM: u32 = 2;
    pub(super) const TO: u32 = 3;
    pub(super) const TIMESTAMP: u32 = 4;
    /// Of modified messages.
    pub(super) const PAYLOAD: u32 = 6;
}

fn with_app_key(to: &JidView<'_>, app_key: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(to.raw.len() + app_key.len() + 8);
    put_bytes(&mut out, 1, app_key.as_bytes());
    for field in Fields::of(to.raw).flatten().filter(|field| field.number != 1) {
        out.extend_from_slice(field.raw);
    }
    out
}

fn put_varint(out: &mut impl BufMut, number: u32, value: u64) {
    encode_key(number, WireType::Varint, out);
    encode_varint(value, out);
}

fn put_bytes(out: &mut impl BufMut, number: u32, bytes: &[u8]) {
    encode_key(number, WireType::LengthDelimited, out);
    encode_varint(bytes.len() as u64, out);
    out.put_slice(bytes);
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

/// `MSync { version: 0, command, payload }` up to the payload's first byte.
fn open_frame(command: m_sync::Command, payload_len: usize) -> BytesMut {
    let head = [0x08, 0x00, 0x40, command as u8];
    let mut out =
        BytesMut::with_capacity(head.len() + 1 + encoded_len_varint(payload_len as u64) + payload_len);
    out.put_slice(&head);
    encode_key(PAYLOAD, WireType::LengthDelimited, &mut out);
    encode_varint(payload_len as u64, &mut out);
    out
}
