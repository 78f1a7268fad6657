//! Users who are removed, given another password, shut out or disconnected: each device is told why and loses its
//! socket (clause conn.kicked).

use fixtures::wire::{StatisticsBody, message_body, statistics_body::Operation};
use mock_server::control::Control;
use mock_server::machine::rest::Method::{Delete, Get, Post, Put};
use mock_server::machine::{Close, ConnId};
use prost::Message as _;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{APP, Down, Login, World};

const POLICY: Close = Close::Code(1008);

/// Why the connection was told to go; it must be closed.
pub(crate) fn last_words(world: &mut World, conn: ConnId) -> Operation {
    assert_eq!(world.closed(conn), Some(POLICY));
    match world.take(conn).pop() {
        Some(Down::Sync(answer)) => {
            let payload = answer.metas[0].payload.clone().expect("a payload");
            StatisticsBody::decode(payload).expect("statistics").operation()
        }
        other => panic!("{other:?}"),
    }
}

/// What sends bob away, each by REST and by a control command.
#[rstest]
#[case::removed(Operation::UserRemoved, Control::RemoveUser { user: "Bob".into() })]
#[case::password(
    Operation::UserKickedByChangePassword,
    Control::Password { user: "bob".into(), password: "new".into() }
)]
#[case::disconnected(
    Operation::UserKickedByOtherDevice,
    Control::Disconnect { user: "bob".into(), device: None }
)]
fn every_device_is_told_why_and_closed(#[case] why: Operation, #[case] control: Control) {
    let calls = match why {
        Operation::UserRemoved => {
            vec![(Delete, "/users/bob", Value::Null), (Delete, "/users?limit=100", Value::Null)]
        }
        Operation::UserKickedByChangePassword => {
            let body = json!({ "newpassword": "new" });
            vec![(Put, "/users/bob/password", body.clone()), (Post, "/users/Bob/password", body)]
        }
        _ => vec![(Get, "/users/bob/disconnect", Value::Null), (Post, "/users/bob/deactivate", Value::Null)],
    };
    for call in std::iter::once(None).chain(calls.into_iter().map(Some)) {
        let mut world = World::strict(&["alice", "bob"]);
        let (web, phone) = (world.connect("bob", "web"), world.connect("bob", "phone"));
        world.take(web);
        world.take(phone);
        match &call {
            None => world.control(control.clone()),
            Some((method, path, body)) => assert_eq!(world.rest(*method, path, APP, body).0, 200),
        }
        assert_eq!(last_words(&mut world, web), why, "{call:?}");
        assert_eq!(last_words(&mut world, phone), why, "{call:?}");
    }
}

/// The name is kept for who has messages of it, and is nobody's.
#[test]
fn who_was_removed_is_nobody_until_the_name_is_made_or_written_to_again() {
    let mut world = World::lax();
    let alice = world.connect("alice", "web");
    world.control(Control::Known { users: vec!["bob".into()] });
    let names = |world: &World| -> Vec<String> {
        world.server.view(world.now).users.into_iter().map(|user| user.name).collect()
    };
    let again: [&dyn Fn(&mut World); 3] = [
        &|world| world.control(Control::Known { users: vec!["Bob".into()] }),
        &|world| {
            world.connect("bob", "web");
        },
        &|world| {
            world.text(alice, "bob", "come back");
        },
    ];
    for come_back in again {
        world.control(Control::RemoveUser { user: "bob".into() });
        assert_eq!((names(&world), world.server.user_count()), (vec!["alice".to_owned()], 1));
        for control in [
            Control::Contacts { user: "alice".into(), with: vec!["bob".into()] },
            Control::RemoveUser { user: "bob".into() },
        ] {
            let refused = world.try_control(control).expect_err("bob is nobody");
            assert_eq!(refused.to_string(), r#"no user "bob" in this world; make it first"#);
        }
        come_back(&mut world);
        assert_eq!(
            (names(&world), world.server.user_count()),
            (vec!["alice".to_owned(), "bob".to_owned()], 2)
        );
    }
}

#[test]
fn one_device_of_two_is_disconnected() {
    let mut world = World::strict(&["bob"]);
    let (web, phone) = (world.connect("bob", "webim_web"), world.connect("bob", "webim_phone"));
    world.control(Control::Disconnect { user: "bob".into(), device: Some("phone".into()) });
    assert_eq!(last_words(&mut world, phone), Operation::UserKickedByOtherDevice);
    assert_eq!(world.closed(web), None);
    let gone = world.try_control(Control::Disconnect { user: "bob".into(), device: Some("phone".into()) });
    assert!(gone.is_err());
}

#[test]
fn a_changed_password_ends_every_token_of_before() {
    let mut world = World::strict(&["bob"]);
    let grant = |password: &str| json!({ "grant_type": "password", "username": "bob", "password": password });
    assert_eq!(world.rest(Put, "/users/bob/password", APP, &json!({ "newpassword": "new" })).0, 200);
    assert_eq!(world.rest(Get, "/users/bob/blocks/users", "bob", &Value::Null).0, 401);
    let (_, answer) = world.log_in(Login::new("bob", "r"));
    assert_eq!(answer.status.and_then(|status| status.error_code), Some(1));
    assert_eq!(world.rest(Post, "/token", "", &grant("pw")).0, 400);
    assert_eq!(world.rest(Post, "/token", "", &grant("new")).0, 200);
}

#[test]
fn a_removed_user_is_nowhere_any_more_and_the_name_is_free() {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    let alice = world.connect("alice", "r");
    world.control(Control::Group { id: "7".into(), owner: "bob".into(), members: vec!["alice".into()] });
    world.control(Control::Group { id: "9".into(), owner: "alice".into(), members: vec!["bob".into()] });
    world.control(Control::Block { user: "alice".into(), blocked: vec!["bob".into(), "carl".into()] });
    let (status, answer) = world.rest(Delete, "/users/Bob", APP, &Value::Null);
    assert_eq!((status, &answer["entities"][0]["username"]), (200, &json!("bob")));

    assert_eq!(world.rest(Get, "/users/bob", APP, &Value::Null).0, 404);
    assert_eq!(world.rest(Delete, "/users/bob", APP, &Value::Null).0, 404);
    assert_eq!(world.rest(Get, "/users/bob/blocks/users", "bob", &Value::Null).0, 401);
    assert_eq!(world.rest(Get, "/chatgroups/7", "alice", &Value::Null).0, 404, "its owner is gone");
    let (_, answer) = world.rest(Get, "/chatgroups/9/users", "alice", &Value::Null);
    assert_eq!(answer["data"], json!([{ "owner": "alice" }]));
    let (_, answer) = world.rest(Get, "/users/alice/blocks/users", "alice", &Value::Null);
    assert_eq!(answer["data"], json!(["carl"]));
    let meta = world.text_meta(alice, "bob", "are you there?");
    let answer = world.send(alice, meta);
    assert_eq!(crate::world::code(&answer), (1, "username bob doesn't exist!"));

    world.now.0 += 1;
    let new = json!({ "username": "bob", "password": "other", "nickname": "Bob II" });
    let (status, answer) = world.rest(Post, "/users", "", &new);
    assert_eq!((status, &answer["entities"][0]["created"]), (200, &json!(world.now.0)));
    world.register("bob");
    let bob = world.connect("bob", "r");
    assert_eq!(world.texts(bob), [""; 0], "a new bob has nothing of the old one's");
    world.text(alice, "bob", "welcome");
    assert_eq!(world.texts(bob), ["welcome"]);
}

#[test]
fn what_a_removed_user_wrote_still_comes() {
    let mut world = World::strict(&["alice", "bob"]);
    let bob = world.connect("bob", "r");
    world.text(bob, "alice", "my last words");
    world.control(Control::RemoveUser { user: "bob".into() });
    let alice = world.connect("alice", "r");
    assert_eq!(world.texts(alice), ["my last words"]);
    assert_eq!(world.found(), [""; 0]);
}

#[test]
fn nobody_gets_in_who_is_deactivated() {
    let mut world = World::strict(&["alice", "bob"]);
    let (status, answer) = world.rest(Post, "/users/bob/deactivate", APP, &Value::Null);
    assert_eq!((status, &answer["action"]), (200, &json!("Deactivate user")));
    assert_eq!(answer["entities"][0]["activated"], false);
    let grant = json!({ "grant_type": "password", "username": "bob", "password": "pw" });
    let (status, answer) = world.rest(Post, "/token", "", &grant);
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
    assert_eq!(answer["error_description"], "user not activated");
    let (_, answer) = world.log_in(Login::new("bob", "r"));
    assert_eq!(answer.status.and_then(|status| status.error_code), Some(1));
    // Others may write meanwhile.
    let alice = world.connect("alice", "r");
    world.text(alice, "bob", "hi");

    let (status, answer) = world.rest(Post, "/users/bob/activate", APP, &Value::Null);
    assert_eq!((status, &answer["action"]), (200, &json!("activate user")));
    let bob = world.connect("bob", "r");
    assert_eq!(world.texts(bob), ["hi"]);
    assert_eq!(world.rest(Get, "/users/bob", APP, &Value::Null).1["entities"][0]["activated"], true);
}

#[test]
fn a_member_who_is_removed_gets_nothing_that_the_group_writes_then() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "r");
    world.control(Control::Group { id: "9".into(), owner: "alice".into(), members: vec!["bob".into()] });
    world.control(Control::RemoveUser { user: "bob".into() });
    world.muc_text(alice, message_body::Type::Groupchat, "9", "he is gone");
    world.register("bob");
    let bob = world.connect("bob", "r");
    assert_eq!(world.texts(bob), [""; 0]);
}
