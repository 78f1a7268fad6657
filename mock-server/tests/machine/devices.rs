//! Several devices of a user: copies, cursors and watermarks, and who has to go (clauses conn.multi-device,
//! conn.reconnect, conn.kicked).

use fixtures::wire::{StatisticsBody, USER_DOMAIN, message_body};
use mock_server::control::{Control, ExtraDevice, Settings, SettingsPatch};
use mock_server::machine::{Close, ConnId};
use prost::Message as _;
use rstest::rstest;

use crate::world::{Down, Login, World, jid};

fn world() -> World {
    World::strict(&["alice", "bob"])
}

#[test]
fn every_device_gets_each_message_and_the_senders_others_a_copy() {
    let mut world = world();
    let (phone, web) = (world.connect("alice", "phone"), world.connect("alice", "web"));
    let (bob, tablet) = (world.connect("bob", "web"), world.connect("bob", "tablet"));
    let id = world.text(phone, "bob", "hi");
    for device in [web, bob, tablet] {
        let metas = world.catch_up(device);
        assert_eq!(metas.iter().map(|meta| meta.id).collect::<Vec<_>>(), [Some(id)], "{device:?}");
        let from = metas[0].from.as_ref().expect("a sender");
        assert_eq!(from.client_resource.as_deref(), Some("phone"));
    }
    assert_eq!(world.take(phone), []);
    assert_eq!(world.unread(phone), []);
    world.text(web, "bob", "and from here");
    assert_eq!(world.texts(phone), ["and from here"]);
}

#[test]
fn a_copy_lies_in_the_queue_of_the_other_party() {
    let mut world = world();
    let (phone, web) = (world.connect("alice", "phone"), world.connect("alice", "web"));
    world.text(phone, "bob", "hi");
    assert_eq!(world.take(web), [Down::Notice(jid("bob", USER_DOMAIN))]);
}

#[test]
fn notes_to_oneself_reach_the_other_devices() {
    let mut world = world();
    let (phone, web) = (world.connect("alice", "phone"), world.connect("alice", "web"));
    world.text(phone, "alice", "milk");
    assert_eq!(world.take(phone), []);
    assert_eq!(world.take(web), [Down::Notice(jid("alice", USER_DOMAIN))]);
    assert_eq!(world.texts(web), ["milk"]);
    world.text(web, "alice", "bread");
    assert_eq!(world.texts(phone), ["bread"]);
}

#[test]
fn a_new_device_starts_where_its_user_has_acknowledged() {
    let mut world = world();
    let (bob, alice) = (world.connect("bob", "web"), world.connect("alice", "phone"));
    world.text(bob, "alice", "1");
    assert_eq!(world.texts(alice), ["1"]);
    world.text(bob, "alice", "2");
    let tablet = world.connect("alice", "tablet");
    assert_eq!(world.texts(tablet), ["2"], "1 is acknowledged, 2 is not");
    assert_eq!(world.texts(alice), ["2"], "by whomever it is acknowledged, each device gets it");
    let late = world.connect("alice", "late");
    assert_eq!(world.texts(late), [""; 0]);
}

#[test]
fn a_new_device_is_not_given_what_its_user_wrote_before() {
    let mut world = world();
    let (bob, phone) = (world.connect("bob", "web"), world.connect("alice", "phone"));
    world.text(bob, "alice", "1");
    // Behind a message that nobody has acknowledged: the watermark does not pass it.
    world.text(phone, "bob", "own");
    world.text(bob, "alice", "2");
    let tablet = world.connect("alice", "tablet");
    assert_eq!(world.unread(tablet), [(jid("bob", USER_DOMAIN), 2)]);
    assert_eq!(world.texts(tablet), ["1", "2"]);
    world.text(phone, "bob", "own, now that it is there");
    assert_eq!(world.texts(tablet), ["own, now that it is there"]);
    world.hang_up(tablet);
    world.text(phone, "bob", "own, while it was away");
    let tablet = world.connect("alice", "tablet");
    assert_eq!(world.texts(tablet), ["own, while it was away"], "it is not new any more");
}

#[test]
fn a_page_that_was_given_is_not_acknowledged() {
    let mut world = world();
    let (bob, alice) = (world.connect("bob", "web"), world.connect("alice", "phone"));
    world.text(bob, "alice", "1");
    world.pull(alice, &jid("bob", USER_DOMAIN), None);
    world.hang_up(alice);
    let again = world.connect("alice", "phone");
    assert_eq!(world.texts(again), ["1"]);
}

#[test]
fn a_device_that_comes_back_goes_on_where_it_was() {
    let mut world = world();
    let (bob, phone) = (world.connect("bob", "web"), world.connect("alice", "phone"));
    world.text(bob, "alice", "1");
    assert_eq!(world.texts(phone), ["1"]);
    world.text(bob, "alice", "2");
    world.hang_up(phone);
    world.text(bob, "alice", "3");
    let web = world.connect("alice", "web");
    assert_eq!(world.texts(web), ["2", "3"], "the watermark of the user is behind 1");
    let phone = world.connect("alice", "phone");
    assert_eq!(world.texts(phone), ["2", "3"], "that another device has had them is nothing to this one");
    world.hang_up(phone);
    let phone = world.connect("alice", "phone");
    assert_eq!(world.texts(phone), [""; 0]);
}

#[test]
fn a_device_that_comes_back_gets_what_began_while_it_was_gone() {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    let (phone, web) = (world.connect("alice", "phone"), world.connect("alice", "web"));
    world.hang_up(phone);
    let carl = world.connect("carl", "web");
    world.text(carl, "alice", "a first word");
    assert_eq!(world.texts(web), ["a first word"]);
    let phone = world.connect("alice", "phone");
    assert_eq!(world.texts(phone), ["a first word"]);
}

#[test]
fn ones_own_earlier_messages_do_not_come_back() {
    let mut world = world();
    let (alice, bob) = (world.connect("alice", "phone"), world.connect("bob", "web"));
    world.text(bob, "alice", "his");
    world.text(alice, "bob", "mine");
    world.text(bob, "alice", "his again");
    world.hang_up(alice);
    let phone = world.connect("alice", "phone");
    assert_eq!(world.texts(phone), ["his", "his again"]);
    let web = world.connect("alice", "web");
    assert_eq!(world.texts(web), [""; 0]);
    world.text(phone, "bob", "from the phone");
    assert_eq!(world.texts(web), ["from the phone"]);
}

#[test]
fn a_copy_that_waits_for_a_device_waits_over_a_reconnect() {
    let mut world = world();
    let (phone, web) = (world.connect("alice", "phone"), world.connect("alice", "web"));
    world.text(web, "bob", "from the web");
    world.hang_up(phone);
    world.text(web, "bob", "while it was gone");
    let phone = world.connect("alice", "phone");
    assert_eq!(world.texts(phone), ["from the web", "while it was gone"]);
    assert_eq!(world.texts(web), [""; 0]);
}

#[test]
fn the_same_resource_replaces_without_a_word() {
    let mut world = world();
    let (old, bob) = (world.connect("alice", "phone"), world.connect("bob", "web"));
    let new = world.connect("alice", "phone");
    assert_eq!(world.take(old), [], "no 206: it is the same device");
    assert_eq!(world.closed(old), Some(Close::Code(1000)));
    world.text(bob, "alice", "hi");
    assert_eq!(world.texts(new), ["hi"]);
    // The old socket goes only now.
    world.hang_up(old);
    world.text(bob, "alice", "still");
    assert_eq!(world.texts(new), ["still"]);
}

#[test]
fn a_message_is_pulled_by_the_connection_that_replaced() {
    let mut world = world();
    let (old, bob) = (world.connect("alice", "phone"), world.connect("bob", "web"));
    world.text(bob, "alice", "hi");
    let new = world.connect("alice", "phone");
    assert_eq!(world.closed(old), Some(Close::Code(1000)));
    assert_eq!(world.texts(new), ["hi"]);
}

#[test]
fn the_fifth_device_sends_the_oldest_away() {
    let mut world = world();
    let devices: Vec<ConnId> = (1..=5).map(|n| world.connect("alice", &format!("d{n}"))).collect();
    assert_kicked(&mut world, devices[0]);
    for &device in &devices[1..] {
        assert_eq!(world.closed(device), None);
        assert_eq!(world.take(device), []);
    }
    let bob = world.connect("bob", "web");
    world.text(bob, "alice", "hi");
    for &device in &devices[1..] {
        assert_eq!(world.texts(device), ["hi"]);
    }
}

#[test]
fn a_device_that_comes_back_takes_no_other_ones_place() {
    let mut world = world();
    let devices: Vec<ConnId> = (1..=4).map(|n| world.connect("alice", &format!("d{n}"))).collect();
    world.connect("alice", "d4");
    assert_eq!(closed(&world, &devices), [None, None, None, Some(Close::Code(1000))]);
}

#[test]
fn where_one_device_is_allowed_the_second_sends_the_first_away() {
    let settings = Settings { strict: true, one_device: true, ..Settings::default() };
    let mut world = World::with(settings, &["alice", "bob"]);
    let first = world.connect("alice", "phone");
    let bob = world.connect("bob", "web");
    let second = world.connect("alice", "web");
    assert_kicked(&mut world, first);
    assert_eq!(world.closed(second), None);
    world.text(bob, "alice", "hi");
    assert_eq!(world.texts(second), ["hi"]);
    assert_eq!(world.closed(bob), None, "another user is no other device");
}

#[test]
fn the_rule_for_one_device_strikes_at_the_next_login() {
    let mut world = world();
    let devices: Vec<ConnId> = (1..=3).map(|n| world.connect("alice", &format!("d{n}"))).collect();
    world.patch(SettingsPatch { one_device: Some(true), ..SettingsPatch::default() });
    assert_eq!(closed(&world, &devices), [None; 3]);
    world.connect("alice", "d4");
    for device in devices {
        assert_kicked(&mut world, device);
    }
}

#[rstest]
#[case::four(false, 4)]
#[case::one(true, 1)]
fn where_the_extra_device_is_refused_those_that_are_there_stay(
    #[case] one_device: bool,
    #[case] room: usize,
) {
    let extra_device = ExtraDevice::IsRefused;
    let settings = Settings { strict: true, one_device, extra_device, ..Settings::default() };
    let mut world = World::with(settings, &["alice", "bob"]);
    let devices: Vec<ConnId> = (1..=room).map(|n| world.connect("alice", &format!("d{n}"))).collect();
    let (extra, answer) = world.log_in(Login::new("alice", "extra"));
    assert_eq!(answer.status.and_then(|status| status.error_code), Some(13));
    assert_eq!(world.closed(extra), Some(Close::Code(1008)));
    assert_eq!(closed(&world, &devices), vec![None; room]);
    world.frame(devices[0], Login::new("alice", "d1").encode());
    assert_eq!(world.closed(devices[0]), None, "one that is in is not one more");
    world.connect("bob", "web");
    let again = world.connect("alice", "d1");
    assert_eq!(world.closed(devices[0]), Some(Close::Code(1000)), "it comes in its own place");
    world.hang_up(again);
    world.connect("alice", "extra");
}

#[test]
fn a_kicked_device_may_come_back() {
    let mut world = world();
    let devices: Vec<ConnId> = (1..=5).map(|n| world.connect("alice", &format!("d{n}"))).collect();
    let bob = world.connect("bob", "web");
    world.text(bob, "alice", "hi");
    for &device in &devices {
        world.take(device);
    }
    let first = world.connect("alice", "d1");
    assert_kicked(&mut world, devices[1]);
    assert_eq!(world.texts(first), ["hi"]);
}

#[test]
fn what_a_device_has_had_of_a_room_is_not_kept() {
    let mut world = world();
    world.control(Control::Room { id: "9".into(), owner: "bob".into(), members: vec!["alice".into()] });
    let (alice, bob) = (world.connect("alice", "phone"), world.connect("bob", "web"));
    world.muc_text(bob, message_body::Type::Chatroom, "9", "1");
    world.hang_up(alice);
    world.muc_text(bob, message_body::Type::Chatroom, "9", "2");
    let alice = world.connect("alice", "phone");
    assert_eq!(world.texts(alice), [""; 0]);
    world.muc_text(bob, message_body::Type::Chatroom, "9", "3");
    assert_eq!(world.texts(alice), ["3"], "a room gives what is said from now on");
}

/// Told of operation 2 (SDKs: 206) and closed, since SDKs do not close by themselves (wire-3x §5.2).
fn assert_kicked(world: &mut World, device: ConnId) {
    let frames = world.take(device);
    let [Down::Sync(answer)] = &frames[..] else { panic!("{frames:#?}") };
    let [meta] = &answer.metas[..] else { panic!("{answer:#?}") };
    assert_eq!(meta.ns, Some(0));
    let body = StatisticsBody::decode(meta.payload.clone().unwrap_or_default()).expect("a StatisticsBody");
    assert_eq!(body.operation, Some(2));
    assert_eq!(world.closed(device), Some(Close::Code(1008)));
}

fn closed(world: &World, devices: &[ConnId]) -> Vec<Option<Close>> {
    devices.iter().map(|&device| world.closed(device)).collect()
}
