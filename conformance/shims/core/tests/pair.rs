//! Machine against machine: the reference core and the mock server, written apart, with no socket and no clock.
//!
//! Frames wait on links until the schedule lets one through, links are cut with whatever is on them, and time
//! moves only when the schedule says so: nine tenths of what networks do, in microseconds, and the same again
//! from the same seed.

mod pair {
    pub(crate) mod stage;
}

use pair::stage::{Stage, Who};
use proptest::prelude::*;

/// One thing that the schedule does.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Somebody sends a text to somebody else.
    Send { from: usize, to: usize },
    /// The next message on one of the links, in one of the directions, arrives.
    Deliver { which: usize },
    /// A link is cut, and what is on it is lost.
    Cut { who: usize },
    /// Time passes.
    Wait { ms: u64 },
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        3 => (0usize..4, 0usize..3).prop_map(|(from, to)| Act::Send { from, to }),
        12 => (0usize..64).prop_map(|which| Act::Deliver { which }),
        1 => (0usize..4).prop_map(|who| Act::Cut { who }),
        1 => (0u64..4_000).prop_map(|ms| Act::Wait { ms }),
    ]
}

const WHO: [Who; 4] = [Who("alice", "web"), Who("alice", "phone"), Who("bob", "web"), Who("carol", "web")];
const USERS: [&str; 3] = ["alice", "bob", "carol"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever is cut, whenever, and in whatever order frames arrive: each message reaches every device of its
    /// recipient once, and every other device of its sender, in the order in which its sender sent it there.
    #[test]
    fn nothing_is_lost_or_doubled(acts in prop::collection::vec(act(), 0..160)) {
        let mut stage = Stage::new(&WHO);
        stage.settle();
        for act in acts {
            match act {
                Act::Send { from, to } => stage.send(from, USERS[to]),
                Act::Deliver { which } => stage.deliver(which),
                Act::Cut { who } => stage.cut(who),
                Act::Wait { ms } => stage.wait(ms),
            }
        }
        stage.settle();
        for (index, who) in WHO.iter().enumerate() {
            prop_assert_eq!(stage.shown_at(index), stage.expected_at(index), "{:?}", who);
        }
        prop_assert_eq!(&stage.findings, &Vec::<String>::new());
    }
}

/// The schedule that no clock allows in real time: a thousand messages, each with the link cut behind it.
#[test]
fn a_thousand_cuts_lose_nothing() {
    let mut stage = Stage::new(&WHO[2..]);
    stage.settle();
    for _ in 0..1_000 {
        stage.send(0, "carol");
        stage.deliver(0);
        stage.cut(0);
        stage.settle();
    }
    assert_eq!(stage.shown_at(1), stage.expected_at(1));
    assert_eq!(stage.devices[1].seen.len(), 1_000);
}
