//! The order of a lane's frames in a record.
//!
//! What a client sends comes in an order, and what it is sent does too. How the two interleave is chance while
//! both are under way: the answer to a first message may or may not pass the second. So a record puts each
//! frame to the client right behind the one that it answers, and everything keeps its order otherwise.

use mock_server::tape::Direction;

use crate::dissect::{Tree, Value};

/// Indices into `frames`, in the order of cause and effect. A frame that cannot be read has no cause.
pub(super) fn causal(frames: &[(Direction, Option<&Tree<'_>>)]) -> Vec<usize> {
    let mut open: Vec<(usize, Asked<'_>)> = Vec::new();
    let mut ups = Vec::new();
    let mut downs = Vec::new();
    for (index, (direction, tree)) in frames.iter().enumerate() {
        match direction {
            Direction::Up => {
                ups.push(index);
                open.extend(tree.and_then(Asked::by).map(|asked| (index, asked)));
            }
            Direction::Down => {
                let answered =
                    tree.and_then(|tree| open.iter().position(|(_, asked)| asked.answered_by(tree)));
                downs.push((index, answered.map(|at| open.remove(at).0)));
            }
        }
    }
    let mut ups = ups.into_iter().peekable();
    let mut order = Vec::with_capacity(frames.len());
    for (down, cause) in downs {
        if let Some(cause) = cause {
            while let Some(up) = ups.next_if(|up| *up <= cause) {
                order.push(up);
            }
        }
        order.push(down);
    }
    order.extend(ups);
    order
}

/// What a frame from the client asks for.
enum Asked<'a> {
    Command(u64),
    Message(u64),
    Queue(&'a [u8]),
}

impl<'a> Asked<'a> {
    fn by(frame: &Tree<'a>) -> Option<Self> {
        let payload = frame.tree("payload");
        match frame.number("command")? {
            0 => {
                let payload = payload?;
                match payload.tree("meta") {
                    Some(meta) => Some(Self::Message(meta.number("id")?)),
                    None => Some(Self::Queue(payload.tree("queue")?.bytes)),
                }
            }
            command => Some(Self::Command(command)),
        }
    }

    fn answered_by(&self, frame: &Tree<'_>) -> bool {
        let payload = frame.tree("payload");
        match (self, frame.number("command")) {
            (Self::Command(asked), Some(command)) => *asked == command,
            (Self::Message(id), Some(0)) => payload.and_then(|payload| payload.number("metaId")) == Some(*id),
            (Self::Queue(bytes), Some(0)) => {
                let queue = payload.and_then(|payload| payload.field("queue"));
                matches!(queue.map(|field| &field.value), Some(Value::Tree(queue)) if queue.bytes == *bytes)
            }
            (Self::Message(_) | Self::Queue(_) | Self::Command(_), _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dissect::dissect;

    /// MSync{command 0, payload CommSyncUL{meta{id}}} and its answer CommSyncDL{metaId}.
    fn sent(id: u8) -> Vec<u8> {
        vec![0x40, 0, 0x4a, 4, 0x0a, 2, 0x08, id]
    }
    fn answered(id: u8) -> Vec<u8> {
        vec![0x40, 0, 0x4a, 2, 0x10, id]
    }

    #[test]
    fn an_answer_stands_behind_its_question_however_they_interleaved() {
        let interleavings: [&[(Direction, Vec<u8>)]; 3] = [
            &[
                (Direction::Up, sent(1)),
                (Direction::Down, answered(1)),
                (Direction::Up, sent(2)),
                (Direction::Down, answered(2)),
            ],
            &[
                (Direction::Up, sent(1)),
                (Direction::Up, sent(2)),
                (Direction::Down, answered(1)),
                (Direction::Down, answered(2)),
            ],
            &[
                (Direction::Up, sent(1)),
                (Direction::Up, sent(2)),
                (Direction::Down, answered(2)),
                (Direction::Down, answered(1)),
            ],
        ];
        let records: Vec<Vec<&[u8]>> = interleavings
            .iter()
            .map(|rows| {
                let trees: Vec<_> =
                    rows.iter().map(|(d, bytes)| (*d, dissect(bytes, *d).expect("protobuf"))).collect();
                let frames: Vec<_> = trees.iter().map(|(d, tree)| (*d, Some(tree))).collect();
                causal(&frames).into_iter().map(|index| rows[index].1.as_slice()).collect()
            })
            .collect();
        assert_eq!(records[0], records[1]);
        // Two answers that changed places are another order, and that shows.
        assert_ne!(records[1], records[2]);
    }
}
