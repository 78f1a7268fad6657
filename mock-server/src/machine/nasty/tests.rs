//! What no world of a test comes to: more that is late than is held.

use std::collections::BTreeSet;

use fixtures::wire::{CommNotice, Jid, MSync, m_sync};
use prost::Message as _;

use super::*;

const NOW: Millis = Millis(1_640_908_800_000);

/// A NOTICE of a queue of its own, and the number in its name.
fn notice(number: usize) -> bytes::Bytes {
    let queue = Jid { name: Some(number.to_string()), ..Jid::default() };
    let payload = CommNotice { queue: Some(queue) }.encode_to_vec();
    let command = Some(m_sync::Command::Notice as i32);
    MSync { command, payload: Some(payload.into()), ..MSync::default() }.encode_to_vec().into()
}

fn frames(outputs: &VecDeque<Output>) -> Vec<bytes::Bytes> {
    let frame = |output: &Output| {
        let Output::Frame { bytes, .. } = output else { return None };
        Some(bytes.clone())
    };
    outputs.iter().filter_map(frame).collect()
}

#[test]
fn what_is_late_is_bounded_and_none_of_it_is_lost() {
    let mut nasty = Nasty::new(1, &AppKey::parse("org#app").expect("an app key"));
    let conn = ConnId(1);
    nasty.admit(conn, "alice", "web", 0);
    let mut out = Out::default();
    // One in four is late, and time stands.
    let count = 5 * LATE_FRAMES_MAX;
    let mut most = 0;
    for number in 0..count {
        nasty.decide(NOW, conn, notice(number), &mut out);
        most = most.max(nasty.held.len());
    }
    assert!((LATE_FRAMES_MAX..LATE_FRAMES_MAX + 2).contains(&most), "{most} were held");
    let left = nasty.held.take_all(conn);
    let came: BTreeSet<_> = frames(&out.outputs).into_iter().chain(left).collect();
    assert_eq!(came.len(), count, "each has come, some of them twice");
}
