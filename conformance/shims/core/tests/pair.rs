//! Machine against machine: the reference core and the mock server, written apart, with no socket and no clock.
//!
//! Frames wait on links until the schedule lets one through, links are cut with whatever is on them, and time
//! moves only when the schedule says so: nine tenths of what networks do, in microseconds, and the same again
//! from the same seed.

mod pair {
    pub(crate) mod ledger;
    pub(crate) mod stage;
}

use std::collections::BTreeMap;

use mock_server::machine::Decision;
use pair::stage::{Stage, Who};
use proptest::prelude::*;

/// One thing that the schedule does.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Somebody sends a text to somebody else.
    Send { from: usize, to: usize },
    /// Somebody takes back one of those that it sent.
    Recall { who: usize, which: usize },
    /// Somebody tells that one of those that it was shown was read.
    Read { who: usize, which: usize },
    /// Somebody tells that all of a conversation was read.
    ReadAll { who: usize, which: usize },
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
        1 => (0usize..4, 0usize..64).prop_map(|(who, which)| Act::Recall { who, which }),
        1 => (0usize..4, 0usize..64).prop_map(|(who, which)| Act::Read { who, which }),
        1 => (0usize..4, 0usize..64).prop_map(|(who, which)| Act::ReadAll { who, which }),
        16 => (0usize..64).prop_map(|which| Act::Deliver { which }),
        1 => (0usize..4).prop_map(|who| Act::Cut { who }),
        1 => (0u64..4_000).prop_map(|ms| Act::Wait { ms }),
    ]
}

const WHO: [Who; 4] = [Who("alice", "web"), Who("alice", "phone"), Who("bob", "web"), Who("carol", "web")];
const USERS: [&str; 3] = ["alice", "bob", "carol"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever is cut, whenever, and in whatever order frames arrive: each message reaches every device of its
    /// recipient once, and every other device of its sender, in the order in which its sender sent it there. One that
    /// was taken back is in nobody's history, list or count, and whoever was shown it is told. Each receipt reaches
    /// the devices of its message's sender once.
    #[test]
    fn nothing_is_lost_or_doubled(acts in prop::collection::vec(act(), 0..240)) {
        let mut stage = Stage::new(&WHO);
        play(&mut stage, acts);
        prop_assert_eq!(wrong(&mut stage), Vec::<String>::new());
    }

    /// The same, where the server does besides whatever the protocol leaves open.
    #[test]
    fn nothing_is_lost_or_doubled_by_a_nasty_server(
        seed in any::<u64>(),
        acts in prop::collection::vec(act(), 0..240),
    ) {
        let mut stage = Stage::with(&WHO, Some(seed));
        play(&mut stage, acts);
        prop_assert_eq!(wrong(&mut stage), Vec::<String>::new());
    }
}

fn play(stage: &mut Stage, acts: Vec<Act>) {
    stage.settle();
    for act in acts {
        match act {
            Act::Send { from, to } => stage.send(from, USERS[to]),
            Act::Recall { who, which } => stage.recall(who, which),
            Act::Read { who, which } => stage.read(who, which),
            Act::ReadAll { who, which } => stage.read_all(who, which),
            Act::Deliver { which } => stage.deliver(which),
            Act::Cut { who } => stage.cut(who),
            Act::Wait { ms } => stage.wait(ms),
        }
    }
    stage.settle();
}

/// All that is wrong at the end.
fn wrong(stage: &mut Stage) -> Vec<String> {
    let mut wrong = stage.ledger.wrong();
    wrong.extend(what_is_kept(stage));
    wrong.append(&mut stage.findings);
    wrong
}

/// A course in which every decision comes up, many times.
fn eventful(seed: u64) -> Stage {
    let mut stage = Stage::with(&WHO, Some(seed));
    stage.settle();
    for round in 0..40 {
        // Carol is away meanwhile, so that two queues wait for her.
        stage.cut(3);
        for from in 0..3 {
            stage.send(from, "carol");
            stage.send(from, USERS[round % 2]);
        }
        stage.read(2, round);
        stage.settle();
    }
    stage
}

/// The same seed decides the same, and another one otherwise, at every point where something is decided: one that
/// nothing comes to, or that does not heed the seed, is named.
#[test]
fn each_decision_heeds_the_seed_and_nothing_else() {
    let mut first = eventful(7);
    assert_eq!(first.decisions(), eventful(7).decisions());
    assert_eq!(wrong(&mut first), Vec::<String>::new());
    let other = eventful(8).decisions();
    for decision in Decision::ALL {
        let (one, two) = (first.decisions().get(&decision).copied(), other.get(&decision).copied());
        assert!(one.is_some(), "{} never came up", decision.word());
        assert_ne!(one.map(|one| one.outcomes), two.map(|two| two.outcomes), "{}", decision.word());
    }
    assert_eq!(Stage::new(&WHO).decisions(), BTreeMap::new(), "unless it is nasty");
}

/// What is wrong with histories and lists of conversations.
fn what_is_kept(stage: &mut Stage) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, who) in WHO.iter().enumerate() {
        let me = who.0;
        let conversations = stage.conversations(index);
        for other in USERS {
            let history = stage.history(index, other);
            let numbers: Vec<usize> = history.iter().map(|(_, number)| *number).collect();
            let (want, got) = (stage.ledger.expected_history(me, other), stage.ledger.sorted(&numbers));
            if want != got {
                wrong.push(format!("{who:?}: history with {other}: expected {want:?}, got {got:?}"));
            }
            let channel = format!("{other}@easemob.com");
            let Some(row) = conversations.iter().find(|row| row.channel == channel) else {
                if !history.is_empty() {
                    wrong.push(format!("{who:?}: no conversation with {other}"));
                }
                continue;
            };
            let last = row.last.as_ref().map(|last| last.id.as_str());
            if last != history.last().map(|(id, _)| id.as_str()) {
                wrong.push(format!("{who:?}: last of {other}: {last:?}, not the end of {history:?}"));
            }
            let unread = numbers.iter().filter(|&&number| stage.ledger.writer(number) != me).count() as u64;
            let is_told = stage.ledger.acknowledged(me, other);
            if row.unread > unread || (row.unread < unread && !is_told) {
                wrong.push(format!("{who:?}: {} of {other} unread, not {unread}", row.unread));
            }
        }
    }
    wrong
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
    assert_eq!(stage.ledger.wrong(), Vec::<String>::new());
    assert_eq!(stage.history(1, "bob").len(), 1_000);
}
