//! Rules on frames: each verb, both ways, and what happens to what is held back when its connection goes.

use fixtures::wire::m_sync;
use mock_server::control::{Control, ControlError, Fault, Settings};
use mock_server::machine::{Close, ConnId};
use rstest::rstest;

use crate::world::{Down, Login, World, accepted, code, config, msync, up};

fn pair() -> (World, ConnId, ConnId) {
    let mut world = World::strict(&["alice", "bob"]);
    let (alice, bob) = (world.connect("alice", "webim_phone"), world.connect("bob", "web"));
    (world, alice, bob)
}

fn arm(world: &mut World, rule: &str) {
    let rule = rule.parse().unwrap_or_else(|error| panic!("{error}"));
    world.control(Control::Fault(Fault::Rule(Box::new(rule))));
}

/// Sends a text and looks at no answer.
fn say(world: &mut World, from: ConnId, text: &str) {
    let meta = world.text_meta(from, "bob", text);
    world.frame(from, up(meta));
}

fn hits(world: &World) -> Vec<(u64, u64, bool)> {
    world.server.rules(world.now).iter().map(|rule| (rule.hits, rule.looked_at, rule.armed)).collect()
}

#[test]
fn a_dropped_message_was_never_sent_and_can_be_sent_again() {
    let (mut world, alice, bob) = pair();
    arm(&mut world, "on 2nd text from alice where meta.ns == CHAT: drop");
    world.text(alice, "bob", "1");
    let lost = world.text_meta(alice, "bob", "2");
    world.frame(alice, up(lost.clone()));
    assert_eq!(world.take(alice), []);
    assert_eq!(world.texts(bob), ["1"]);
    accepted(&world.send(alice, lost));
    assert_eq!(world.texts(bob), ["2"]);
    assert_eq!(hits(&world), [(1, 2, false)]);
    assert_eq!(world.faults, ["text: lost"]);
}

#[test]
fn a_dropped_answer_leaves_its_message_taken() {
    let (mut world, alice, bob) = pair();
    arm(&mut world, "on next answer to alice: drop");
    let meta = world.text_meta(alice, "bob", "1");
    world.frame(alice, up(meta.clone()));
    assert_eq!(world.take(alice), []);
    accepted(&world.send(alice, meta));
    assert_eq!(world.texts(bob), ["1"], "once, though it was sent twice");
}

#[test]
fn what_is_delayed_keeps_its_order_and_comes_at_its_time() {
    let (mut world, alice, bob) = pair();
    arm(&mut world, "on next text from alice: delay 3s");
    say(&mut world, alice, "1");
    say(&mut world, alice, "2");
    assert_eq!((world.take(alice), world.texts(bob)), (vec![], vec![]), "the second waits behind the first");
    world.pass(2_999);
    assert_eq!(world.texts(bob), [""; 0]);
    world.pass(1);
    assert_eq!(world.texts(bob), ["1", "2"]);
    assert_eq!(world.take(alice).len(), 2);
    assert_eq!(world.server.next_deadline(), None);
}

#[test]
fn an_answer_is_delayed_while_its_message_is_not() {
    let (mut world, alice, bob) = pair();
    arm(&mut world, "on next answer to alice/phone: delay 2m");
    say(&mut world, alice, "1");
    assert_eq!(world.texts(bob), ["1"]);
    assert_eq!(world.take(alice), []);
    world.pass(120_000);
    assert!(matches!(world.one(alice), Down::Sync(_)));
}

#[test]
fn a_doubled_message_is_delivered_once_and_answered_twice() {
    let (mut world, alice, bob) = pair();
    arm(&mut world, "on next text from alice: duplicate");
    say(&mut world, alice, "1");
    let [Down::Sync(first), Down::Sync(second)] = &world.take(alice)[..] else { panic!("two answers") };
    assert_eq!(first.server_id, second.server_id);
    assert_eq!(world.texts(bob), ["1"]);
    arm(&mut world, "on next NOTICE to bob: duplicate");
    say(&mut world, alice, "2");
    assert_eq!(world.take(bob).len(), 2);
}

#[test]
fn what_is_held_goes_behind_the_next() {
    let (mut world, alice, bob) = pair();
    arm(&mut world, "on next text from alice: hold until next");
    say(&mut world, alice, "1");
    assert_eq!(world.texts(bob), [""; 0]);
    world.frame(alice, msync(m_sync::Command::Unread, Vec::new()));
    assert_eq!(world.texts(bob), [""; 0], "an UNREAD is no text");
    say(&mut world, alice, "2");
    assert_eq!(world.texts(bob), ["2", "1"]);
    assert_eq!(world.server.rules(world.now)[0].hits, 1);
}

#[test]
fn every_other_one_changes_places_with_the_next() {
    let (mut world, alice, bob) = pair();
    arm(&mut world, "on every text from alice: hold until next");
    for text in ["1", "2", "3", "4"] {
        say(&mut world, alice, text);
    }
    assert_eq!(world.texts(bob), ["2", "1", "4", "3"]);
}

#[rstest]
#[case::cut_short("truncate 7")]
#[case::flipped("flip bit 3")]
fn a_frame_that_the_server_damaged_is_not_the_clients_fault(#[case] damage: &str) {
    let (mut world, alice, bob) = pair();
    arm(&mut world, &format!("on next text from alice: {damage}"));
    say(&mut world, alice, "1");
    assert_eq!(world.texts(bob), [""; 0]);
    assert_eq!(world.findings, []);
    say(&mut world, alice, "2");
    assert_eq!(world.texts(bob), ["2"]);
}

#[test]
fn a_page_is_damaged_on_its_way_and_can_be_pulled_again() {
    let (mut world, alice, bob) = pair();
    arm(&mut world, "on next page to bob: truncate 7");
    world.text(alice, "bob", "1");
    let (queue, _) = world.unread(bob)[0].clone();
    world.frame(bob, crate::world::pull(&queue, None));
    assert!(matches!(world.take(bob).pop(), Some(Down::Rubbish(_))));
    assert_eq!(world.texts(bob), ["1"]);
}

#[test]
fn a_status_is_answered_and_the_message_has_no_effect() {
    let (mut world, alice, bob) = pair();
    arm(&mut world, "on next text from alice: answer status 7 \"sensitive words\"");
    let meta = world.text_meta(alice, "bob", "1");
    let answer = world.send(alice, meta);
    assert_eq!((code(&answer), answer.server_id), ((7, "sensitive words"), None));
    assert_eq!(world.unread(bob), []);
    arm(&mut world, "on next UNREAD from alice: answer status 2 \"no\"");
    world.frame(alice, msync(m_sync::Command::Unread, Vec::new()));
    let Down::Unread(answer) = world.one(alice) else { panic!("an UNREAD is answered by one") };
    assert_eq!(answer.status.and_then(|status| status.error_code), Some(2));
}

#[test]
fn a_login_is_refused_by_who_it_says_that_it_is() {
    let mut world = World::strict(&["alice", "bob"]);
    arm(&mut world, "on next PROVISION from alice: answer status 12 \"app is not served\"");
    world.connect("bob", "web");
    let (conn, answer) = world.log_in(Login::new("alice", "web"));
    assert_eq!(answer.status.and_then(|status| status.error_code), Some(12));
    assert!(matches!(world.closed(conn), Some(Close::Code(_))));
    world.connect("alice", "web");
}

#[rstest]
#[case::close("close 1011", Close::Code(1011))]
#[case::cut("cut", Close::Cut)]
#[case::reset("reset", Close::Reset)]
#[case::silent("go silent", Close::Mute)]
fn a_connection_ends_instead_of_an_answer(#[case] action: &str, #[case] how: Close) {
    let (mut world, alice, bob) = pair();
    arm(&mut world, &format!("on next answer to alice: {action}"));
    let meta = world.text_meta(alice, "bob", "1");
    world.frame(alice, up(meta.clone()));
    assert_eq!((world.take(alice), world.closed(alice)), (vec![], Some(how)));
    assert_eq!(world.texts(bob), ["1"]);
    assert_eq!(world.server.unfinished(), [""; 0], "nobody is there to wait for");
    world.hang_up(alice);
    let alice = world.connect("alice", "webim_phone");
    accepted(&world.send(alice, meta));
    assert_eq!(world.texts(bob), [""; 0], "sent again, it is delivered once");
}

#[rstest]
#[case::close("close 4001", Close::Code(4001))]
#[case::cut("cut", Close::Cut)]
#[case::reset("reset", Close::Reset)]
#[case::silent("go silent", Close::Mute)]
fn a_connection_ends_instead_of_a_message(#[case] action: &str, #[case] how: Close) {
    let (mut world, alice, bob) = pair();
    arm(&mut world, &format!("on next text from alice: delay 1s, {action}"));
    say(&mut world, alice, "1");
    assert_eq!(world.closed(alice), None);
    world.pass(1_000);
    assert_eq!((world.closed(alice), world.texts(bob)), (Some(how), vec![]));
}

#[test]
fn what_waits_for_a_connection_goes_with_it() {
    let (mut world, alice, bob) = pair();
    arm(&mut world, "on every answer to alice: delay 3s");
    arm(&mut world, "on next text from alice: hold until next");
    say(&mut world, alice, "held");
    say(&mut world, alice, "1");
    world.hang_up(alice);
    assert_eq!(world.server.next_deadline(), None);
    world.pass(10_000);
    assert_eq!(world.texts(bob), ["1", "held"]);
    let alice = world.connect("alice", "webim_phone");
    say(&mut world, alice, "again");
    world.pass(3_000);
    assert_eq!(world.texts(bob), ["again"]);
}

#[test]
fn a_close_waits_behind_what_is_delayed() {
    let (mut world, alice, _) = pair();
    arm(&mut world, "on next page to alice: delay 1s");
    world.control(Control::Disconnect { user: "alice".into(), device: None });
    assert_eq!((world.take(alice), world.closed(alice)), (vec![], None));
    world.pass(1_000);
    assert_eq!(world.take(alice).len(), 1, "why it goes comes before it goes");
    assert!(matches!(world.closed(alice), Some(Close::Code(_))));
}

#[test]
fn the_first_rule_that_acts_is_the_only_one_to_see_a_frame() {
    let (mut world, alice, bob) = pair();
    arm(&mut world, "on next text from alice: drop");
    arm(&mut world, "on next text from alice: drop");
    for text in ["1", "2", "3"] {
        say(&mut world, alice, text);
    }
    assert_eq!(world.texts(bob), ["3"]);
    assert_eq!(hits(&world), [(1, 1, false), (1, 1, false)]);
}

#[test]
fn limits_say_when_and_how_often() {
    let (mut world, alice, bob) = pair();
    arm(&mut world, "on every text from anyone times 2 within 10s after 5s: drop");
    say(&mut world, alice, "before");
    world.pass(5_000);
    say(&mut world, alice, "lost");
    say(&mut world, alice, "lost");
    say(&mut world, alice, "used up");
    assert_eq!(world.texts(bob), ["before", "used up"]);
    arm(&mut world, "on every text from alice within 10s: drop");
    world.pass(10_001);
    say(&mut world, alice, "too late");
    assert_eq!(world.texts(bob), ["too late"]);
    assert_eq!(hits(&world), [(2, 2, false), (0, 0, false)]);
}

#[rstest]
#[case::next_two("on next 2 text from alice: drop", &["3", "4", "5", "6"])]
#[case::fourth("on 4th text from alice: drop", &["1", "2", "3", "5", "6"])]
#[case::every_third("on every 3rd text from alice: drop", &["1", "2", "4", "5"])]
#[case::another_user("on every text from bob: drop", &["1", "2", "3", "4", "5", "6"])]
#[case::device("on every text from alice/phone: drop", &[])]
#[case::another_device("on every text from alice/web: drop", &["1", "2", "3", "4", "5", "6"])]
#[case::contents("on every SYNC from anyone where meta.payload.contents.text == 5: drop", &["1", "2", "3", "4", "6"])]
#[case::contains("on every message where meta.payload.contents.text contains \"5\": drop", &["1", "2", "3", "4", "6"])]
#[case::absent("on every text where meta.to is absent: drop", &["1", "2", "3", "4", "5", "6"])]
fn a_rule_strikes_what_it_names(#[case] rule: &str, #[case] left: &[&str]) {
    let (mut world, alice, bob) = pair();
    arm(&mut world, rule.replace("text == 5", "text == \"5\"").as_str());
    for text in ["1", "2", "3", "4", "5", "6"] {
        say(&mut world, alice, text);
    }
    assert_eq!(world.texts(bob), left);
}

#[test]
fn rules_are_taken_back_one_by_one_or_all_and_what_they_hold_is_let_go() {
    let (mut world, alice, bob) = pair();
    arm(&mut world, "on next text from alice: hold until next");
    arm(&mut world, "on next text from alice: drop");
    say(&mut world, alice, "held");
    let unknown = world.try_control(Control::ClearRule { id: 3 }).expect_err("two rules");
    assert_eq!(unknown.to_string(), "id \"3\": no rule of this world has that number");
    world.control(Control::ClearRule { id: 1 });
    assert_eq!(world.texts(bob), ["held"]);
    assert_eq!(world.server.rules(world.now).iter().map(|rule| rule.id).collect::<Vec<_>>(), [2]);
    world.control(Control::Fault(Fault::DropNextAnswer { user: "alice".into() }));
    world.control(Control::ClearFaults {});
    world.text(alice, "bob", "neither lost nor unanswered");
    assert_eq!(world.server.rules(world.now), []);
}

#[test]
fn a_world_has_room_for_a_thousand_rules() {
    let mut world = World::lax();
    for _ in 0..1_000 {
        arm(&mut world, "on next frame from anyone: drop");
    }
    let rule = Box::new("on next frame from anyone: drop".parse().expect("a rule"));
    let error = world.try_control(Control::Fault(Fault::Rule(rule))).expect_err("one too many");
    assert!(matches!(&error, ControlError::BadValue { what: "rule", .. }), "{error}");
}

#[test]
fn what_is_held_back_has_a_limit_and_is_let_through_past_it() {
    let (mut world, alice, _) = pair();
    arm(&mut world, "on every UNREAD from alice: delay 1h");
    for _ in 0..10_001 {
        world.frame(alice, msync(m_sync::Command::Unread, Vec::new()));
    }
    assert_eq!(world.take(alice).len(), 1, "the last has no room to wait in");
    assert_eq!(world.warnings.len(), 1);
    world.pass(3_600_000);
    assert_eq!(world.take(alice).len(), 10_000);
}

#[test]
fn the_same_seed_loses_the_same_frames_and_another_does_not() {
    let run = |seed| {
        let config = mock_server::machine::Config {
            seed,
            settings: Settings { strict: true, ..Settings::default() },
            ..config()
        };
        let mut world = World::of(config.clone(), &["alice", "bob"]);
        let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
        arm(&mut world, "on every text from alice with probability 0.5: drop");
        for number in 0..40 {
            say(&mut world, alice, &number.to_string());
        }
        let texts = world.texts(bob);
        let (again, first) = world.replay(config);
        assert_eq!(again, first, "given the same, it does the same");
        texts
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
