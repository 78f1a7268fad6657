//! Whatever rules strangers meet, and whatever they do meanwhile: the machine stands, two bystanders whom no rule names go
//! on, and the same inputs give the same outputs.

use std::panic::resume_unwind;
use std::thread;

use mock_server::control::{Control, Fault};
use mock_server::machine::rest::Request;
use mock_server::rule::Rule;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::arbitrary::{Step, Street, any_step};
use crate::arbitrary_calls::Asked;
use crate::world::{World, config};

#[derive(Clone, Debug)]
enum Deed {
    Arm(Box<Rule>),
    ClearRule(u64),
    ClearFaults,
}

/// The parts of a rule that go with what: nearly all that they make together is one.
struct Sort {
    what: &'static [&'static str],
    whose: &'static str,
    conditions: &'static [&'static str],
    actions: &'static [&'static str],
}

const FRAMES: &[&str] = &[
    "drop",
    "delay 20ms",
    "delay 1s, duplicate",
    "duplicate",
    "hold until next",
    "truncate 1",
    "truncate 900",
    "flip bit 0",
    "flip bit 77, duplicate",
    "delay 5ms, truncate 3",
    "close 1011",
    "close 4000",
    "cut",
    "reset",
    "go silent",
    "delay 50ms, reset",
    "delay 1ms, go silent",
    "delay 1ms, close 1000",
];
const REFUSALS: &[&str] = &["answer status 7 \"no\"", "delay 30ms, answer status 1", "answer status 22"];
const REQUESTS: &[&str] = &[
    "drop",
    "delay 20ms",
    "answer http 503",
    "delay 30ms, answer http 200 \"{}\"",
    "cut",
    "reset",
    "delay 9ms, reset",
];
const UP: &[&str] = &[
    "frame",
    "SYNC",
    "PROVISION",
    "UNREAD",
    "LOGOUT",
    "message",
    "text",
    "pull",
    "ack",
    "recall",
    "edit",
    "muc",
    "roster",
    "read_ack",
];
const SORTS: &[Sort] = &[
    Sort {
        what: UP,
        whose: "from",
        conditions: &[
            "",
            "",
            "where meta.ns == CHAT",
            "where guid.name exists",
            "where meta.id > 3 and key is absent",
        ],
        actions: FRAMES,
    },
    Sort {
        what: &["PROVISION", "UNREAD", "message", "text", "muc"],
        whose: "from",
        conditions: &[""],
        actions: REFUSALS,
    },
    Sort {
        what: &["frame", "SYNC", "PROVISION", "UNREAD", "NOTICE", "answer", "page"],
        whose: "to",
        conditions: &["", "", "where status.errorCode != 0", "where isLast == true"],
        actions: FRAMES,
    },
    Sort {
        what: &["request", "GET", "POST", "upload", "PUT /users", "DELETE"],
        whose: "from",
        conditions: &["", "", "where path contains users", "where body.username exists"],
        actions: REQUESTS,
    },
    Sort {
        what: &["request", "GET /users"],
        whose: "to",
        conditions: &["", "where status >= 400"],
        actions: REQUESTS,
    },
];
const WHICH: &[&str] = &["next", "next 3", "2nd", "5th", "every", "every", "every 2nd", "every 3rd"];
const WHOM: &[&str] = &["mallory", "Trudy", "alice", "bob", "mallory/m", "trudy/again"];
const LIMITS: &[&str] = &[
    "",
    "",
    "",
    "times 2",
    "within 50ms",
    "after 20ms",
    "times 3 within 2s after 10ms",
    "with probability 0.5",
    "with probability 0.3 seed 7",
];

fn any_rule() -> impl Strategy<Value = Rule> {
    let sort = (0..SORTS.len()).prop_flat_map(|sort| {
        let Sort { what, conditions, actions, .. } = &SORTS[sort];
        (Just(sort), select(*what), select(*conditions), select(*actions))
    });
    (sort, select(WHICH), select(WHOM), select(LIMITS)).prop_map(|(sort, which, whom, limits)| {
        let (sort, what, condition, action) = sort;
        let Sort { whose, actions, .. } = &SORTS[sort];
        // Whose device it is, a request does not say.
        let whom = if *actions == REQUESTS { whom.split('/').next().unwrap_or(whom) } else { whom };
        let text = format!("on {which} {what} {whose} {whom} {condition} {limits}: {action}");
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    })
}

fn any_deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        8 => any_rule().prop_map(|rule| Deed::Arm(Box::new(rule))),
        1 => (1..9_u64).prop_map(Deed::ClearRule),
        1 => Just(Deed::ClearFaults),
    ]
}

impl Street {
    fn deed(&mut self, deed: Deed) {
        match deed {
            Deed::Arm(rule) => self.world.control(Control::Fault(Fault::Rule(rule))),
            // Whether there is one of that number is not the point here.
            Deed::ClearRule(id) => drop(self.world.try_control(Control::ClearRule { id })),
            Deed::ClearFaults => self.world.control(Control::ClearFaults {}),
        }
    }

    /// A step as where there are no rules, but that requests may not be answered and what is late comes.
    fn ruled_step(&mut self, step: Step) {
        match step {
            Step::Http(Asked { method, path, token, body }) => {
                let asks = World::asks(method, &path, token.as_deref());
                self.world.ask_in_vain(Request { body: body.into(), ..asks });
            }
            Step::Wait(ms) => self.world.pass(ms),
            step => self.step(step),
        }
        // Who was told to go, or is not heard any more, is back at once.
        for which in 0..self.strangers.len() {
            if self.world.closed(self.strangers[which]).is_some() {
                self.come_back(which);
            }
        }
    }
}

proptest! {
    // Each has as many steps as those of `arbitrary.rs`, and decodes every frame.
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Each deed is done before the step of that number.
    fn any_deeds_and_steps(
        steps in vec(any_step(), 1..60),
        deeds in vec((0..60_usize, any_deed()), 1..12),
    ) {
        let mut street = Street::new();
        for (number, step) in steps.into_iter().enumerate() {
            for (_, deed) in deeds.iter().filter(|(before, _)| *before == number) {
                street.deed(deed.clone());
            }
            street.ruled_step(step);
        }
        street.world.pass(3_600_000);
        street.step(Step::Write);
        street.step(Step::Read);
        prop_assert_eq!(&street.read, &street.written, "each once, in its order");
        for conn in [street.anna, street.bernd] {
            prop_assert!(street.world.is_open(conn) && street.world.closed(conn).is_none());
        }
        let bystander = |line: &String| line.starts_with("bernd/");
        prop_assert!(!street.world.server.unfinished().iter().any(bystander));
        prop_assert_eq!(street.world.server.next_deadline(), None, "whatever was late has come, or will never");
        let (again, first) = street.world.replay(config());
        prop_assert_eq!(&again[..], first, "the same inputs, the same outputs");
    }
}

/// Without optimisation, what has so many choices takes more than the 2 MiB of a test's stack.
const STACK_BYTES: usize = 8 << 20;

#[test]
fn rules_that_strangers_meet_harm_no_bystander() {
    let test = thread::Builder::new().stack_size(STACK_BYTES).spawn(any_deeds_and_steps);
    let done = test.expect("a system has room for a thread").join();
    done.unwrap_or_else(|panic| resume_unwind(panic));
}
