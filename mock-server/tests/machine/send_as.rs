//! Messages that a test sends as anyone: they are a device's in all but the device.

use mock_server::control::{Control, ControlError, KickReason, Sending, SettingsPatch, Webhook};
use mock_server::machine::{Close, Input, WebhookAnswer};
use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::world::{Login, World, body_of};

fn text(from: &str, to: &str, text: &str) -> Sending {
    Sending {
        from: from.into(),
        to: to.into(),
        chat: None,
        text: Some(text.into()),
        body: None,
        ext: Map::new(),
    }
}

fn bodied(body: Value) -> Sending {
    let Value::Object(body) = body else { panic!("{body}") };
    Sending { text: None, body: Some(body), ..text("bob", "alice", "") }
}

fn send(world: &mut World, sending: Sending) -> Result<(), ControlError> {
    world.try_control(Control::Send(Box::new(sending)))
}

fn world() -> World {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    world.control(Control::Group { id: "g1".into(), owner: "alice".into(), members: vec!["bob".into()] });
    world.control(Control::Room { id: "r1".into(), owner: "alice".into(), members: vec!["bob".into()] });
    world
}

#[rstest]
#[case::user("alice")]
#[case::group("g1")]
#[case::room("r1")]
fn it_reaches_its_reader_and_the_senders_own_devices(#[case] to: &str) {
    let mut world = world();
    let (alice, web, phone) =
        (world.connect("alice", "a"), world.connect("bob", "web"), world.connect("bob", "phone"));
    send(&mut world, text("Bob", to, "hi")).expect("bob may");
    for conn in [alice, web, phone] {
        assert_eq!(world.texts(conn), ["hi"]);
    }
    let view = world.server.view(world.now);
    let unread: Vec<u64> = view.users.iter().map(|user| user.unread).collect();
    assert_eq!(unread, [1, 0, 0], "of alice, bob and carl");
}

#[rstest]
#[case::cmd(json!({"type": "cmd", "action": "go"}))]
#[case::image(json!({"type": "img", "url": "http://127.0.0.1:1/a.png", "filename": "a.png"}))]
#[case::place(json!({"type": "loc", "lat": 1.0, "lng": 2.0, "addr": "x"}))]
#[case::custom(json!({"type": "custom", "customEvent": "gift", "customExts": {"n": "1"}}))]
fn a_body_is_any_kind_of_message(#[case] body: Value) {
    let mut world = world();
    let alice = world.connect("alice", "a");
    let ext = Map::from_iter([("k".to_owned(), json!("v"))]);
    send(&mut world, Sending { ext, ..bodied(body.clone()) }).expect("bob may");
    let metas = world.catch_up(alice);
    let got = body_of(&metas[0]);
    assert_eq!((metas.len(), got.contents.len(), got.ext.len()), (1, 1, 1));
    let shown = format!("{:?}", got.contents[0]);
    for value in body.as_object().expect("an object").iter().filter(|(key, _)| *key != "type") {
        if let Value::String(word) = value.1 {
            assert!(shown.contains(word.as_str()), "{shown}");
        }
    }
}

/// What a policy refuses it refuses here, in the words that a device gets.
#[test]
fn what_a_device_would_be_refused_is_refused() {
    let mut world = world();
    world.patch(SettingsPatch { words: Some(vec!["bad".into()]), ..SettingsPatch::default() });
    world.control(Control::Mute { id: "g1".into(), users: vec!["bob".into()], ms: None });
    let tries =
        [("bob", "alice", "a bad word"), ("carl", "g1", "hi"), ("bob", "g1", "hi"), ("bob", "nobody", "hi")];
    let refused =
        tries.map(|(from, to, words)| send(&mut world, text(from, to, words)).unwrap_err().to_string());
    insta::assert_snapshot!(refused.join("\n"), @r#"
    the message was refused as a device of bob would be told: status 7 (PERMISSION_DENIED), "sensitive words"
    the message was refused as a device of carl would be told: status 1 (FAIL), "not in group or chatroom"
    the message was refused as a device of bob would be told: status 15 (USER_MUTED), "muted"
    the message was refused as a device of bob would be told: status 1 (FAIL), "username nobody doesn't exist!"
    "#);
    let alice = world.connect("alice", "a");
    assert_eq!(world.catch_up(alice), [], "none of them came");
}

#[rstest]
#[case::unknown_sender(
    text("alcie", "bob", "hi"),
    r#"no user "alcie" in this world; make it first, or did you mean "alice"?"#
)]
#[case::both(Sending { text: Some("x".into()), ..bodied(json!({"type": "cmd", "action": "go"})) }, r#"body "x": a message has text or body, not both"#)]
#[case::neither(Sending { text: None, ..text("bob", "alice", "") }, r#"body "": a message has text or body"#)]
#[case::no_type(bodied(json!({"action": "go"})), r#"body "{\"action\":\"go\"}": type says what it is: txt, img, audio, video, file, loc, cmd or custom"#)]
#[case::unknown_type(bodied(json!({"type": "gif"})), r#"body of type "gif": type "gif" is unknown; txt, img, audio, video, file, loc, cmd and custom are known"#)]
#[case::lacks_a_field(bodied(json!({"type": "img"})), r#"body of type "img": body.url is missing"#)]
fn what_makes_no_message_says_why(#[case] sending: Sending, #[case] words: &str) {
    assert_eq!(send(&mut world(), sending).unwrap_err().to_string(), words);
}

#[test]
fn an_apps_own_server_is_asked_and_a_waiting_fault_stays_for_the_user() {
    let mut world = world();
    let rule = Webhook { url: "http://127.0.0.1:1/ask".into(), ..Webhook::default() };
    world.patch(SettingsPatch { webhooks: Some(vec![rule]), ..SettingsPatch::default() });
    let fault = mock_server::control::Fault::AnswerStatus {
        user: "bob".into(),
        code: 7,
        reason: "user is mute".into(),
    };
    world.control(Control::Fault(fault));
    let alice = world.connect("alice", "a");
    let bob = world.connect("bob", "b");
    send(&mut world, text("bob", "alice", "hi")).expect("it waits");
    assert_eq!(world.texts(alice), [] as [String; 0]);
    let (id, _) = world.webhooks.remove(0);
    let body = br#"{"valid":true}"#.as_slice().into();
    world.input(Input::Webhook { id, answer: WebhookAnswer::Answered { status: 200, body } });
    assert_eq!(world.texts(alice), ["hi"]);
    let meta = world.text_meta(bob, "alice", "mine");
    assert_eq!(world.status(bob, meta), (7, "user is mute".into()));
}

#[test]
fn a_token_ends_when_it_is_told_to() {
    let mut world = World::strict(&["alice"]);
    let refused = |world: &mut World| {
        let conn = world.open();
        world.frame(conn, Login::new("alice", "late").encode());
        world.closed(conn).is_some()
    };
    let expire = |at_ms, token: Option<&str>| Control::ExpireTokens {
        user: "alice".into(),
        token: token.map(str::to_owned),
        at_ms,
    };
    assert!(world.try_control(expire(None, Some("none"))).is_err());
    world.control(expire(Some(world.now.0 + 1_000), None));
    assert!(!refused(&mut world));
    world.now.0 += 1_000;
    assert!(refused(&mut world));
}

#[rstest]
#[case(KickReason::OtherDevice, "UserLoginAnotherDevice")]
#[case(KickReason::Removed, "UserRemoved")]
#[case(KickReason::Password, "UserKickedByChangePassword")]
#[case(KickReason::Operator, "UserKickedByOtherDevice")]
fn a_kick_tells_one_device_why_and_changes_nothing_else(#[case] reason: KickReason, #[case] operation: &str) {
    let mut world = World::strict(&["bob"]);
    let (web, phone) = (world.connect("bob", "web"), world.connect("bob", "phone"));
    world.take(web);
    world.control(Control::Kick { user: "bob".into(), device: Some("web".into()), reason });
    assert_eq!((world.closed(web), world.closed(phone)), (Some(Close::Code(1008)), None));
    assert!(format!("{:?}", crate::dismissal::last_words(&mut world, web)).contains(operation));
    world.connect("bob", "web");
    let nobody = Control::Kick { user: "bob".into(), device: Some("tv".into()), reason };
    assert_eq!(
        world.try_control(nobody).unwrap_err().to_string(),
        "bob/tv has no connected device that this could happen to"
    );
}

#[test]
fn several_commands_are_done_whole_or_not_at_all() {
    let mut world = world();
    let alice = world.connect("alice", "a");
    let before = format!("{:?}", world.server);
    let send = |from: &str| Control::Send(Box::new(text(from, "alice", "hi")));
    let refused = world
        .server
        .control_all(world.now, vec![send("bob"), Control::RemoveUser { user: "carl".into() }, send("carol")])
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        r#"nothing was done: command 3 of 3 was refused: no user "carol" in this world; make it first"#
    );
    assert_eq!(format!("{:?}", world.server), before);
    assert_eq!(world.texts(alice), [] as [String; 0]);
}
