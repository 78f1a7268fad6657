//! Push settings: kept as they were set, and told to the user's other devices (rest.md A.11, clauses v4.silent,
//! v4.push).

use mock_server::control::Control;
use mock_server::machine::rest::Method::{Get, Put};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{START, World};

fn set(world: &mut World, tail: &str, body: &Value) -> (u16, Value) {
    let path = format!("/users/alice/notification/{tail}?resource=web");
    let (status, answer) = world.rest(Put, &path, "alice", body);
    (status, answer["data"].clone())
}

fn get(world: &mut World, tail: &str) -> Value {
    let (status, answer) =
        world.rest(Get, &format!("/users/alice/notification{tail}"), "alice", &Value::Null);
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

fn town() -> World {
    let mut world = World::strict(&["alice", "bob"]);
    world.control(Control::Group { id: "7".into(), owner: "alice".into(), members: vec![] });
    world
}

#[test]
fn each_part_is_kept_by_itself_until_it_passes() {
    let mut world = town();
    assert_eq!(get(&mut world, "/user/alice"), json!({}), "nothing was set");
    assert_eq!(set(&mut world, "user/alice", &json!({ "type": "AT" })).0, 200);
    let until = START.0 + 7_200_000;
    let both = json!({ "type": "AT", "ignoreDuration": until });
    assert_eq!(set(&mut world, "user/alice", &json!({ "ignoreDuration": 7_200_000 })), (200, both.clone()));
    assert_eq!(set(&mut world, "user/alice", &json!({ "ignoreInterval": "21:30-8:00" })).0, 200);
    let all = json!({ "type": "AT", "ignoreDuration": until, "ignoreInterval": "21:30-8:00" });
    assert_eq!(get(&mut world, "/user/Alice"), all);
    world.now.0 = until;
    assert_eq!(get(&mut world, "/user/alice"), json!({ "type": "AT", "ignoreInterval": "21:30-8:00" }));
    assert_eq!(get(&mut world, "/user/bob"), json!({}), "another conversation");
}

#[test]
fn conversations_have_their_own_and_are_listed() {
    let mut world = town();
    set(&mut world, "user/Bob", &json!({ "type": "NONE" }));
    set(&mut world, "chatgroup/7", &json!({ "type": "AT" }));
    assert_eq!(get(&mut world, "/chatgroup/7"), json!({ "type": "AT" }));
    let several =
        json!({ "user": { "bob": { "type": "NONE" }, "carl": {} }, "group": { "7": { "type": "AT" } } });
    assert_eq!(get(&mut world, "?user=bob,carl&group=7"), several);
    assert_eq!(get(&mut world, "?user=&group="), json!({ "user": {}, "group": {} }));
    let page = |world: &mut World, query: &str| {
        let path = format!("/users/alice/notification/mute/type?limit=1{query}");
        let answer = world.rest(Get, &path, "alice", &Value::Null).1;
        (answer["data"].clone(), answer.get("cursor").cloned())
    };
    let (first, cursor) = page(&mut world, "");
    assert_eq!(first, json!([{ "user": "bob", "value": "NONE" }]));
    let cursor = cursor.expect("there is another page");
    let (second, end) = page(&mut world, &format!("&cursor={}", cursor.as_str().expect("a text")));
    assert_eq!((second, end), (json!([{ "group": "7", "value": "AT" }]), None));
    set(&mut world, "user/bob", &json!({ "ignoreDuration": 1_000 }));
    set(&mut world, "user/bob", &json!({ "type": "DEFAULT" }));
    let until = START.0 + 1_000;
    assert_eq!(get(&mut world, "/user/bob"), json!({ "ignoreDuration": until }), "the other part stays");
    assert_eq!(page(&mut world, "").0, json!([{ "group": "7", "value": "AT" }]));
}

#[rstest]
#[case("user/bob", json!({ "type": "NONE" }), json!({ "user": "bob", "data": { "type": "NONE" } }))]
#[case("user/bob", json!({ "type": "DEFAULT" }), json!({ "user": "bob", "data": {} }))]
#[case("chatgroup/7", json!({ "ignoreDuration": 1_000 }), json!({ "group": "7", "data": { "ignoreDuration": START.0 + 1_000 } }))]
#[case("user/alice", json!({ "ignoreInterval": "1:2-3:4" }), json!({ "user": "alice", "data": { "ignoreInterval": "1:2-3:4" } }))]
fn the_users_other_devices_are_told(#[case] tail: &str, #[case] body: Value, #[case] told: Value) {
    let mut world = town();
    let [web, phone] = ["web", "phone"].map(|resource| world.connect("alice", resource));
    let bob = world.connect("bob", "web");
    assert_eq!(set(&mut world, tail, &body).0, 200);
    let mut told = told;
    told["operator_resource"] = "web".into();
    let news = json!({ "type": "user_notification_mute", "values": [told] });
    assert_eq!(world.notified(phone), [news]);
    assert_eq!(world.notified(web), [Value::Null; 0]);
    assert_eq!(world.notified(bob), [Value::Null; 0]);
}

#[rstest]
#[case::no_word("user/bob", json!({ "type": "LOUD" }), 400)]
#[case::nothing("user/bob", json!({}), 400)]
#[case::before_now("user/bob", json!({ "ignoreDuration": -1 }), 400)]
#[case::no_interval("user/alice", json!({ "ignoreInterval": "8-9" }), 400)]
#[case::no_hour("user/alice", json!({ "ignoreInterval": "24:00-8:00" }), 400)]
#[case::with_nobody("user/emil", json!({ "type": "NONE" }), 404)]
#[case::in_no_group("chatgroup/99", json!({ "type": "NONE" }), 404)]
fn what_is_not_set(#[case] tail: &str, #[case] body: Value, #[case] status: u16) {
    let mut world = town();
    let phone = world.connect("alice", "phone");
    assert_eq!(set(&mut world, tail, &body).0, status);
    assert_eq!(world.notified(phone), [Value::Null; 0]);
    assert_eq!(get(&mut world, "/mute/type"), json!([]));
}

#[test]
fn the_language_of_pushes_is_kept() {
    let mut world = town();
    assert_eq!(get(&mut world, "/language"), json!({ "language": null }));
    let body = json!({ "translationLanguage": "EU" });
    assert_eq!(set(&mut world, "language", &body), (200, json!({ "language": "EU" })));
    assert_eq!(get(&mut world, "/language"), json!({ "language": "EU" }));
    assert_eq!(set(&mut world, "language", &json!({ "translationLanguage": "x".repeat(36) })).0, 400);
    assert_eq!(get(&mut world, "/language"), json!({ "language": "EU" }));
}

#[test]
fn a_user_silences_a_thousand_conversations() {
    let mut world = World::strict(&["alice"]);
    for number in 0..=1_000 {
        let user = format!("u{number}");
        world.register(&user);
        let (status, _) = set(&mut world, &format!("user/{user}"), &json!({ "type": "NONE" }));
        assert_eq!(status, if number < 1_000 { 200 } else { 429 });
    }
    assert_eq!(set(&mut world, "user/u0", &json!({ "type": "AT" })).0, 200, "one that has settings");
}

#[test]
fn what_was_set_for_who_or_what_is_gone_is_not_set_for_its_successor() {
    let mut world = town();
    set(&mut world, "user/bob", &json!({ "type": "NONE" }));
    set(&mut world, "chatgroup/7", &json!({ "type": "NONE" }));
    world.control(Control::RemoveUser { user: "bob".into() });
    world.control(Control::Dissolve { id: "7".into() });
    world.register("bob");
    world.control(Control::Group { id: "7".into(), owner: "alice".into(), members: vec![] });
    for tail in ["/user/bob", "/chatgroup/7"] {
        assert_eq!(get(&mut world, tail), json!({}), "{tail}");
    }
    assert_eq!(get(&mut world, "/mute/type"), json!([]));
}
