//! UNREAD, NOTICE, pages and keys: each message once, in its order, however the client pulls (wire-3x §3).

use fixtures::wire::{Jid, USER_DOMAIN};
use mock_server::control::Control;
use rstest::rstest;

use crate::world::{Down, World, jid, pull, text_of};

fn pair() -> World {
    World::strict(&["alice", "bob", "carl"])
}

/// Alice has stored so many texts for bob, `1` to `count`, while he was away.
fn with_texts(count: u32) -> World {
    let mut world = pair();
    world.control(Control::Texts { from: "alice".into(), to: "bob".into(), text: "#".into(), count });
    world
}

fn numbers(range: std::ops::RangeInclusive<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

fn from_alice() -> Jid {
    jid("alice", USER_DOMAIN)
}

#[test]
fn unread_lists_each_queue_with_its_number() {
    let mut world = with_texts(3);
    let bob = world.connect("bob", "web");
    let (alice, carl) = (world.connect("alice", "web"), world.connect("carl", "web"));
    assert_eq!(world.unread(alice), [], "one's own messages are nothing to pull");
    world.text(carl, "bob", "hi");
    world.text(bob, "carl", "hello");
    let mut queues = world.unread(bob);
    queues.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    assert_eq!(queues, [(from_alice(), 3), (jid("carl", USER_DOMAIN), 1)]);
    assert_eq!(world.texts(bob), ["1", "2", "3", "hi"]);
    assert_eq!(world.unread(bob), []);
    assert_eq!(world.server.unfinished(), ["carl/web has not pulled queue bob (1 waiting)"]);
    assert_eq!(world.texts(carl), ["hello"]);
    assert_eq!(world.server.unfinished(), [""; 0]);
}

#[test]
fn unread_tells_the_time() {
    let mut world = pair();
    let bob = world.connect("bob", "web");
    world.now.0 += 5;
    world.frame(bob, crate::world::msync(fixtures::wire::m_sync::Command::Unread, Vec::new()));
    let Down::Unread(answer) = world.one(bob) else { panic!("an UNREAD answer") };
    assert_eq!(answer.timestamp, Some(world.now.0));
}

#[test]
fn a_burst_is_one_notice() {
    let mut world = pair();
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    for number in 1..=120 {
        world.text(alice, "bob", &number.to_string());
    }
    assert_eq!(world.take(bob), [Down::Notice(from_alice())]);
    assert_eq!(world.take(alice), [], "a sender is not told of its own messages");
    let texts: Vec<String> = world.pull_all(bob, &from_alice()).iter().map(text_of).collect();
    assert_eq!(texts, numbers(1..=120));
    world.text(alice, "bob", "next");
    assert_eq!(world.take(bob), [Down::Notice(from_alice())], "the queue was pulled to its end");
}

#[test]
fn each_queue_has_its_own_notice() {
    let mut world = pair();
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    let carl = world.connect("carl", "web");
    world.text(alice, "bob", "1");
    world.text(carl, "bob", "2");
    world.text(alice, "bob", "3");
    assert_eq!(world.take(bob), [Down::Notice(from_alice()), Down::Notice(jid("carl", USER_DOMAIN))]);
}

#[test]
fn a_message_that_comes_while_a_page_is_out_needs_no_notice() {
    let mut world = pair();
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    world.text(alice, "bob", "1");
    world.take(bob);
    let page = world.pull(bob, &from_alice(), None);
    world.text(alice, "bob", "2");
    assert_eq!(world.take(bob), [], "the client comes back with the key by itself");
    let page = world.pull(bob, &from_alice(), page.next_key);
    assert_eq!(page.metas.iter().map(text_of).collect::<Vec<_>>(), ["2"]);
    let page = world.pull(bob, &from_alice(), page.next_key);
    assert_eq!((page.metas.len(), page.is_last), (0, Some(true)));
}

#[rstest]
#[case::one(1, &[1])]
#[case::a_full_page(50, &[50])]
#[case::a_page_and_one(51, &[50, 1])]
#[case::many(1_000, &[50; 20])]
fn pages_hold_at_most_fifty(#[case] count: u32, #[case] sizes: &[usize]) {
    let mut world = with_texts(count);
    let bob = world.connect("bob", "web");
    assert_eq!(world.unread(bob), [(from_alice(), count)]);
    let (mut key, mut got, mut texts) = (None, Vec::new(), Vec::new());
    let mut keys = Vec::new();
    loop {
        let page = world.pull(bob, &from_alice(), key);
        if page.is_last == Some(true) {
            assert_eq!(page.metas, [], "with metas, 3.6.3 never acknowledges them (wire-3x §3.3)");
            break;
        }
        assert_eq!(page.is_last, Some(false));
        got.push(page.metas.len());
        texts.extend(page.metas.iter().map(text_of));
        key = page.next_key;
        keys.push(key.expect("a page with metas has a key"));
    }
    assert_eq!(got, sizes);
    assert_eq!(texts, numbers(1..=count));
    assert!(keys.iter().all(|&key| key != 0) && keys.is_sorted_by(|a, b| a < b), "{keys:?}");
    assert_eq!(world.found(), [""; 0]);
}

#[test]
fn pages_of_large_messages_stay_small() {
    let mut world = pair();
    let text = "x".repeat(100_000);
    world.control(Control::Texts { from: "alice".into(), to: "bob".into(), text, count: 7 });
    let bob = world.connect("bob", "web");
    let page = world.pull(bob, &from_alice(), None);
    assert_eq!(page.metas.len(), 1);
    assert_eq!(world.pull_all(bob, &from_alice()).len(), 7, "a message larger than a page is one by itself");
}

#[test]
fn a_pull_without_a_key_gives_the_same_page_again() {
    let mut world = with_texts(60);
    let bob = world.connect("bob", "web");
    let first = world.pull(bob, &from_alice(), None);
    assert_eq!(world.pull(bob, &from_alice(), None), first);
    assert_eq!(world.pull(bob, &from_alice(), Some(0)), first, "0 is what an SDK writes for no key");
    assert_eq!(world.unread(bob), [(from_alice(), 60)], "nothing is acknowledged");
    let second = world.pull(bob, &from_alice(), first.next_key);
    assert_eq!(second.metas.iter().map(text_of).collect::<Vec<_>>(), numbers(51..=60));
    assert_eq!(world.found(), [""; 0]);
}

#[test]
fn a_key_given_back_twice_is_no_mistake() {
    let mut world = with_texts(120);
    let bob = world.connect("bob", "web");
    let first = world.pull(bob, &from_alice(), None);
    let second = world.pull(bob, &from_alice(), first.next_key);
    assert_eq!(world.pull(bob, &from_alice(), first.next_key), second);
    let third = world.pull(bob, &from_alice(), second.next_key);
    assert_eq!(third.metas.iter().map(text_of).collect::<Vec<_>>(), numbers(101..=120));
    let end = world.pull(bob, &from_alice(), third.next_key);
    assert_eq!(end.is_last, Some(true));
    assert_eq!(world.pull(bob, &from_alice(), third.next_key), end);
    assert_eq!(world.found(), [""; 0]);
}

#[rstest]
#[case::with_a_page_out(true, |key: u64| key + 1)]
#[case::a_key_far_ahead(true, |_| u64::MAX)]
#[case::with_no_page_out(false, |_| 77)]
fn a_wrong_key_is_found_and_loses_nothing(#[case] page_is_out: bool, #[case] wrong: fn(u64) -> u64) {
    let mut world = with_texts(70);
    let bob = world.connect("bob", "web");
    let key = if page_is_out { world.pull(bob, &from_alice(), None).next_key } else { None };
    world.pull(bob, &from_alice(), Some(wrong(key.unwrap_or_default())));
    assert_eq!(world.findings.len(), 1, "{:?}", world.found());
    assert_eq!((world.findings[0].clause, &*world.findings[0].user), ("conn.offline-sync", "bob/web"));
    assert!(
        world.findings[0].text.starts_with("payload.key of queue alice: expected "),
        "{:?}",
        world.found()
    );
    assert_eq!(world.texts(bob), numbers(1..=70));
}

#[test]
fn a_client_that_is_always_wrong_does_not_go_round_for_ever() {
    let mut world = with_texts(70);
    let bob = world.connect("bob", "web");
    let mut key = None;
    for _ in 0..10 {
        let page = world.pull(bob, &from_alice(), key);
        if page.is_last == Some(true) {
            // Told of the rest again with the next message: nothing is lost by its mistake.
            assert_eq!(world.texts(bob), numbers(1..=70));
            return;
        }
        key = page.next_key.map(|key| key + 1);
    }
    panic!("no last page in ten pulls");
}

#[test]
fn a_queue_of_which_nobody_told_is_empty() {
    let mut world = pair();
    let bob = world.connect("bob", "web");
    for queue in [jid("carl", USER_DOMAIN), jid("nobody", USER_DOMAIN), jid("77", "conference.easemob.com")] {
        let page = world.pull(bob, &queue, None);
        assert_eq!((page.metas.len(), page.is_last), (0, Some(true)));
    }
    assert_eq!(world.findings.len(), 3, "{:?}", world.found());
}

#[test]
fn nobody_pulls_what_others_write_to_each_other() {
    let mut world = with_texts(3);
    let carl = world.connect("carl", "web");
    for name in ["alice", "bob"] {
        assert_eq!(world.pull(carl, &jid(name, USER_DOMAIN), None).metas, []);
    }
}

#[test]
fn queues_are_named_without_regard_to_case() {
    let mut world = with_texts(1);
    let bob = world.connect("bob", "web");
    world.frame(bob, pull(&jid("ALICE", USER_DOMAIN), None));
    let Down::Sync(page) = world.one(bob) else { panic!("a page") };
    assert_eq!(page.metas.len(), 1);
}

#[test]
fn a_second_unread_before_the_pull_tells_the_same() {
    let mut world = with_texts(2);
    let bob = world.connect("bob", "web");
    let first = world.unread(bob);
    assert_eq!(world.unread(bob), first, "the heartbeat is the same frame");
    assert_eq!(world.texts(bob), ["1", "2"]);
}

/// wire-4x §4: 4.x gives up a queue whose `nextKey` is the one that it had last.
#[test]
fn a_device_that_comes_back_has_another_key_for_the_page_that_it_lost() {
    let mut world = with_texts(60);
    let bob = world.connect("bob", "web");
    let lost = world.pull(bob, &from_alice(), None);
    world.hang_up(bob);
    let bob = world.connect("bob", "web");
    let again = world.pull(bob, &from_alice(), None);
    assert_eq!(again.metas, lost.metas);
    assert_ne!(again.next_key, lost.next_key);
    let second = world.pull(bob, &from_alice(), again.next_key);
    assert_eq!(second.metas.iter().map(text_of).collect::<Vec<_>>(), numbers(51..=60));
    assert_eq!(world.found(), [""; 0]);
}
