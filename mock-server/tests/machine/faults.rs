//! Staged faults and other control commands: each strikes once, where it was aimed, and is refused whole when it
//! cannot.

use mock_server::control::{Control, ControlError, Fault};
use mock_server::machine::{Close, ConnId};
use rstest::rstest;

use crate::world::{Down, World, accepted, code, up};

fn pair() -> (World, ConnId, ConnId) {
    let mut world = World::strict(&["alice", "bob"]);
    let (alice, bob) = (world.connect("alice", "webim_phone"), world.connect("bob", "web"));
    (world, alice, bob)
}

fn alice() -> String {
    "alice".into()
}

#[test]
fn a_dropped_answer_is_one_answer() {
    let (mut world, alice_conn, bob) = pair();
    world.control(Control::Fault(Fault::DropNextAnswer { user: alice() }));
    world.text(bob, "alice", "somebody else's message is not meant");
    world.take(alice_conn);
    let meta = world.text_meta(alice_conn, "bob", "1");
    world.frame(alice_conn, up(meta.clone()));
    assert_eq!(world.take(alice_conn), []);
    let again = world.send(alice_conn, meta);
    accepted(&again);
    world.text(alice_conn, "bob", "2");
    assert_eq!(world.texts(bob), ["1", "2"], "the message was taken all the same, and once");
}

#[test]
fn a_cut_instead_of_an_answer_loses_the_answer_alone() {
    let (mut world, alice_conn, bob) = pair();
    world.control(Control::Fault(Fault::CutInsteadOfAnswer { user: alice() }));
    let meta = world.text_meta(alice_conn, "bob", "1");
    world.frame(alice_conn, up(meta.clone()));
    assert_eq!(world.take(alice_conn), []);
    assert_eq!(world.closed(alice_conn), Some(Close::Cut));
    assert_eq!(world.texts(bob), ["1"]);
    world.hang_up(alice_conn);
    let alice_conn = world.connect("alice", "webim_phone");
    accepted(&world.send(alice_conn, meta));
    assert_eq!(world.texts(bob), [""; 0], "sent again after the tunnel, it is delivered once");
    assert_eq!(world.texts(alice_conn), [""; 0]);
}

#[test]
fn a_staged_status_refuses_one_message() {
    let (mut world, alice_conn, bob) = pair();
    let reason = "sensitive words".to_owned();
    world.control(Control::Fault(Fault::AnswerStatus { user: alice(), code: 7, reason }));
    let meta = world.text_meta(alice_conn, "bob", "1");
    let answer = world.send(alice_conn, meta.clone());
    assert_eq!((code(&answer), answer.server_id), ((7, "sensitive words"), None));
    assert_eq!(world.unread(bob), []);
    accepted(&world.send(alice_conn, meta));
    assert_eq!(world.texts(bob), ["1"], "the same local id, sent again, is a new message");
}

#[test]
fn faults_of_one_user_strike_in_their_order() {
    let (mut world, alice_conn, _) = pair();
    for number in [2, 15, 19] {
        let reason = String::new();
        world.control(Control::Fault(Fault::AnswerStatus { user: alice(), code: number, reason }));
    }
    for number in [2, 15, 19, 0] {
        let meta = world.text_meta(alice_conn, "bob", "x");
        let answer = world.send(alice_conn, meta);
        assert_eq!(code(&answer), (number, ""));
    }
}

#[rstest]
#[case::all_devices(None, [true, true])]
#[case::whole_name(Some("webim_phone"), [true, false])]
#[case::as_the_sdk_was_told(Some("phone"), [true, false])]
#[case::the_other(Some("web"), [false, true])]
fn a_cut_strikes_the_device_that_is_named(#[case] device: Option<&str>, #[case] struck: [bool; 2]) {
    let (mut world, phone, bob) = pair();
    let web = world.connect("alice", "web");
    let device = device.map(str::to_owned);
    world.control(Control::Fault(Fault::Cut { user: "Alice".into(), device }));
    assert_eq!([world.closed(phone), world.closed(web)], struck.map(|struck| struck.then_some(Close::Cut)));
    assert_eq!(world.closed(bob), None);
}

#[test]
fn a_close_has_the_code_it_was_given() {
    let (mut world, phone, _) = pair();
    world.control(Control::Fault(Fault::Close { user: alice(), device: None, code: 4_001 }));
    assert_eq!(world.closed(phone), Some(Close::Code(4_001)));
}

#[test]
fn a_mute_server_says_nothing_to_who_is_there_and_hears_nothing() {
    let (mut world, phone, bob) = pair();
    let web = world.connect("alice", "web");
    world.text(bob, "alice", "told of before");
    world.take(phone);
    world.control(Control::Fault(Fault::Mute { user: alice() }));
    assert_eq!(
        [world.closed(phone), world.closed(web), world.closed(bob)],
        [Some(Close::Mute), Some(Close::Mute), None]
    );
    world.take(web);
    let lost = world.text_meta(phone, "bob", "lost");
    world.frame(phone, up(lost.clone()));
    world.text(bob, "alice", "not told of");
    assert_eq!((world.take(phone), world.take(web), world.texts(bob)), (vec![], vec![], vec![]));
    assert_eq!(world.server.unfinished(), [""; 0], "nobody is there to wait for");
    // She notices before her old link is gone, and comes back under the same name.
    let again = world.connect("alice", "webim_phone");
    assert_eq!(world.texts(again), ["told of before", "not told of"]);
    accepted(&world.send(again, lost));
    assert_eq!(world.texts(bob), ["lost"]);
    world.hang_up(phone);
    world.text(bob, "alice", "the old link's end is not the new one's");
    assert_eq!(world.texts(again), ["the old link's end is not the new one's"]);
}

#[test]
fn raw_bytes_are_sent_as_they_are() {
    let (mut world, phone, bob) = pair();
    let web = world.connect("alice", "web");
    world.control(Control::Fault(Fault::SendRaw { user: alice(), hex: "fFfe00".into() }));
    for device in [phone, web] {
        assert_eq!(world.take(device), [Down::Rubbish(vec![0xff, 0xfe, 0x00].into())]);
    }
    assert_eq!(world.take(bob), []);
}

fn close(code: u16) -> Control {
    Control::Fault(Fault::Close { user: alice(), device: None, code })
}

fn raw(hex: &str) -> Control {
    Control::Fault(Fault::SendRaw { user: alice(), hex: hex.into() })
}

fn group(id: &str, owner: &str, members: &[&str]) -> Control {
    let members = members.iter().map(|&name| name.to_owned()).collect();
    Control::Group { id: id.into(), owner: owner.into(), members }
}

fn texts(from: &str, to: &str, count: u32) -> Control {
    Control::Texts { from: from.into(), to: to.into(), text: "#".into(), count }
}

#[rstest]
#[case::cut_of_nobody(
    Control::Fault(Fault::Cut { user: "dora".into(), device: None }),
    r#"no user "dora" in this world; make it first"#
)]
#[case::cut_of_no_device(
    Control::Fault(Fault::Cut { user: alice(), device: Some("tablet".into()) }),
    "alice/tablet has no connected device that this could happen to"
)]
#[case::mute_for_nobody(
    Control::Fault(Fault::Mute { user: "dora".into() }),
    r#"no user "dora" in this world; make it first"#
)]
#[case::drop_for_nobody(
    Control::Fault(Fault::DropNextAnswer { user: "dora".into() }),
    r#"no user "dora" in this world; make it first"#
)]
#[case::close_with_no_code(
    close(0),
    r#"code "0": 1000-1003, 1007-1014 or 3000-4999 may stand in a close frame"#
)]
#[case::close_that_never_stands_in_a_frame(
    close(1_006),
    r#"code "1006": 1000-1003, 1007-1014 or 3000-4999 may stand in a close frame"#
)]
#[case::raw_odd(raw("abc"), r#"hex "abc": pairs of 0-9 a-f"#)]
#[case::raw_no_hex(raw("zz"), r#"hex "zz": pairs of 0-9 a-f"#)]
#[case::raw_sign(raw("+1"), r#"hex "+1": pairs of 0-9 a-f"#)]
#[case::raw_not_ascii(raw("éé"), r#"hex "éé": pairs of 0-9 a-f"#)]
#[case::illegal_name(
    Control::User { name: "a b".into(), password: "pw".into() },
    r#"name "a b": 1 to 64 of a-z A-Z 0-9 _ . - are expected"#
)]
#[case::token_of_nobody(
    Control::Token { user: "dora".into(), token: "t".into(), ttl_ms: 1 },
    r#"no user "dora" in this world; make it first"#
)]
#[case::group_without_id(group("", "alice", &[]), r#"id "": it must be new and not empty"#)]
#[case::group_of_a_users_name(group("BOB", "alice", &[]), r#"id "BOB": a user has that name, and 3.x tells queues by name alone"#)]
#[case::group_of_nobody(group("1", "dora", &[]), r#"no user "dora" in this world; make it first"#)]
#[case::group_with_nobody(group("1", "alice", &["bob", "dora"]), r#"no user "dora" in this world; make it first"#)]
#[case::block_of_nobody(
    Control::Block { user: "bob".into(), blocked: vec!["alice".into(), "dora".into()] },
    r#"no user "dora" in this world; make it first"#
)]
#[case::too_many_texts(texts("alice", "bob", 10_001), r#"count "10001": at most 10000"#)]
#[case::texts_to_nobody(texts("alice", "dora", 1), r#"no user "dora" in this world; make it first"#)]
fn a_refused_command_changes_nothing(#[case] control: Control, #[case] why: &str) {
    let (mut world, alice_conn, bob) = pair();
    let refused = world.try_control(control.clone());
    assert_eq!(refused.map_err(|error| error.to_string()), Err(why.to_owned()));
    for device in [alice_conn, bob] {
        assert_eq!(world.take(device), []);
        assert_eq!(world.closed(device), None);
    }
    world.text(alice_conn, "bob", "hi");
    assert_eq!(world.texts(bob), ["hi"]);
    // An id that was refused is free still.
    if let Control::Group { id, .. } = control
        && !id.is_empty()
        && id != "BOB"
    {
        world.control(group(&id, "alice", &["bob"]));
        let taken = world.try_control(group(&id, "alice", &[]));
        let reason = "it must be new and not empty";
        assert_eq!(taken, Err(ControlError::BadValue { what: "id", value: id, reason }));
    }
}

#[test]
fn a_new_password_for_a_user_that_exists() {
    let mut world = World::strict(&["alice"]);
    world.control(Control::User { name: "ALICE".into(), password: "other".into() });
    let grant = |password: &str| serde_json::json!({ "grant_type": "password", "username": "alice", "password": password });
    let post = mock_server::machine::rest::Method::Post;
    assert_eq!(world.rest(post, "/token", "", &grant("pw")).0, 400);
    assert_eq!(world.rest(post, "/token", "", &grant("other")).0, 200);
}

#[test]
fn staged_texts_are_like_sent_ones() {
    let (mut world, alice_conn, bob) = pair();
    world.control(texts("alice", "bob", 3));
    assert_eq!(world.texts(bob), ["1", "2", "3"]);
    assert_eq!(world.texts(alice_conn), ["1", "2", "3"], "sent by none of her devices: each gets a copy");
}

#[rstest]
#[case::answers(Fault::DropNextAnswer { user: alice() })]
#[case::uploads(Fault::ResetNextUpload { user: alice() })]
#[case::slow_uploads(Fault::SlowUploads { user: alice(), bytes_per_second: 1, count: 1 })]
#[case::logins(Fault::DropNextProvision { user: alice() })]
#[case::requests(Fault::AnswerHttp { path: "/".into(), status: 400, body: "{}".into(), user: None })]
fn a_thousand_of_a_kind_wait_and_no_more(#[case] fault: Fault) {
    let mut world = World::strict(&["alice"]);
    let arm = |world: &mut World| world.try_control(Control::Fault(fault.clone()));
    for _ in 0..1_000 {
        arm(&mut world).expect("there is room");
    }
    let full = arm(&mut world).expect_err("a thousand wait");
    let why = "1000 wait already; let what they wait for come, or clear them (clear_faults)";
    assert!(full.to_string().ends_with(why), "{full}");
    world.control(Control::ClearFaults {});
    arm(&mut world).expect("there is room again");
}
