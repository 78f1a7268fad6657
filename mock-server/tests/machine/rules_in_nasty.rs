//! Rules in a world of nasty mode: what either does to frames, a client that asks again has everything once and in order.

use std::collections::BTreeMap;

use fixtures::wire::{Meta, m_sync};
use mock_server::control::{Control, Fault, Settings};
use mock_server::machine::{Config, ConnId};
use proptest::prelude::*;

use crate::world::{Down, Login, World, config, msync, pull, text_of, up};

const TEXTS: usize = 20;
/// One a second of the world's time; what is late is so by a second or two.
const ROUNDS_MAX: usize = 200;

/// Those that so many texts and answers meet, whatever the seed, and two of what there may be fewer of.
const RULES: [&str; 6] = [
    "on every 3rd text from alice: duplicate",
    "on every 4th text from alice: delay 700ms",
    "on every 5th answer to alice: delay 300ms",
    "on 9th answer to alice: reset",
    "on every 2nd NOTICE to bob: drop",
    "on 3rd page to bob: truncate 3",
];
const CERTAIN: usize = 4;

/// A client as patient as the protocol asks for.
struct Client {
    user: &'static str,
    conn: ConnId,
    is_in: bool,
    /// What it has sent and has no answer to, by its own ids.
    unanswered: BTreeMap<u64, Meta>,
    /// The texts that it has, by id, and in which order they came.
    read: Vec<(u64, String)>,
}

impl Client {
    fn new(world: &mut World, user: &'static str) -> Self {
        let conn = world.open();
        world.frame(conn, Login::new(user, "web").encode());
        Self { user, conn, is_in: false, unanswered: BTreeMap::new(), read: Vec::new() }
    }

    fn say(&mut self, world: &mut World, to: &str, text: &str) {
        let meta = world.text_meta(self.conn, to, text);
        self.unanswered.insert(meta.id.expect("a message of a client has an id"), meta.clone());
        world.frame(self.conn, up(meta));
    }

    /// Reads what has come, asks for what it tells of, and comes back where the link went.
    fn turn(&mut self, world: &mut World) {
        if world.closed(self.conn).is_some() {
            world.hang_up(self.conn);
            self.is_in = false;
            self.conn = world.open();
            world.frame(self.conn, Login::new(self.user, "web").encode());
        }
        for down in world.take(self.conn) {
            match down {
                Down::Provision(_) => {
                    self.is_in = true;
                    for meta in self.unanswered.values() {
                        world.frame(self.conn, up(meta.clone()));
                    }
                }
                Down::Notice(queue) => world.frame(self.conn, pull(&queue, None)),
                Down::Unread(answer) => {
                    for queue in answer.unread.iter().filter_map(|unread| unread.queue.as_ref()) {
                        world.frame(self.conn, pull(queue, None));
                    }
                }
                Down::Sync(page) => {
                    if let Some(id) = page.meta_id {
                        self.unanswered.remove(&id);
                    }
                    for meta in &page.metas {
                        let id = meta.id.expect("a message has an id");
                        if self.read.iter().all(|(read, _)| *read != id) {
                            self.read.push((id, text_of(meta)));
                        }
                    }
                    if let (Some(queue), Some(key)) = (&page.queue, page.next_key) {
                        world.frame(self.conn, pull(queue, Some(key)));
                    }
                }
                // The next heartbeat tells of it again.
                Down::Rubbish(_) => {}
            }
        }
        if self.is_in && world.closed(self.conn).is_none() {
            world.frame(self.conn, msync(m_sync::Command::Unread, Vec::new()));
        }
    }
}

fn nasty(seed: u64) -> Config {
    let settings = Settings { strict: true, ..Settings::default() };
    Config { nasty: Some(seed), settings, ..config() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rules_and_nastiness_together_lose_nothing(seed in any::<u64>()) {
        let mut world = World::of(nasty(seed), &["alice", "bob"]);
        for rule in RULES {
            world.control(Control::Fault(Fault::Rule(Box::new(rule.parse().expect("a rule")))));
        }
        let (mut alice, mut bob) = (Client::new(&mut world, "alice"), Client::new(&mut world, "bob"));
        let mut said = 0;
        for _ in 0..ROUNDS_MAX {
            world.pass(1_000);
            for client in [&mut alice, &mut bob] {
                client.turn(&mut world);
            }
            if said < TEXTS && alice.is_in && world.closed(alice.conn).is_none() {
                alice.say(&mut world, "bob", &said.to_string());
                said += 1;
            }
            if said == TEXTS && alice.unanswered.is_empty() && bob.read.len() == TEXTS {
                break;
            }
        }
        let mut texts: Vec<usize> = bob.read.iter().map(|(_, text)| text.parse().expect("a number")).collect();
        // Sent again after a reset, a text may be taken behind later ones; none is taken twice.
        texts.sort_unstable();
        prop_assert_eq!(texts, (0..TEXTS).collect::<Vec<_>>());
        prop_assert!(bob.read.is_sorted_by_key(|(id, _)| *id), "in the order in which they were taken: {:?}", bob.read);
        prop_assert!(alice.unanswered.is_empty());
        let idle: Vec<String> =
            world.server.rules(world.now).iter().take(CERTAIN).filter(|rule| rule.hits == 0).map(|rule| rule.rule.to_string()).collect();
        prop_assert_eq!(idle, Vec::<String>::new(), "never fired");
        let (again, first) = world.replay(nasty(seed));
        prop_assert_eq!(&again[..], first, "the same seed and inputs, the same outputs");
    }
}
