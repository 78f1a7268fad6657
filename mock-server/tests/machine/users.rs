//! Users over REST: what the app's server does with them, and what users may do for themselves (rest.md B.2).

use bytes::Bytes;
use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::rest::Method::{self, Delete, Get, Post, Put};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{APP, World, json_of, token_of};

fn names(answer: &Value) -> Vec<&str> {
    let entities = answer["entities"].as_array().expect("entities");
    entities.iter().map(|entity| entity["username"].as_str().expect("a name")).collect()
}

#[test]
fn users_are_registered_by_the_list_and_each_failure_has_its_reason() {
    let mut world = World::strict(&["alice"]);
    let list = json!([
        { "username": "Emil", "password": "pw", "nickname": "E." },
        { "username": "ALICE", "password": "pw" },
        { "username": "a b", "password": "pw" },
        { "username": "fay", "password": "pw" },
        { "username": "gus" },
    ]);
    let (status, answer) = world.rest(Post, "/users", "", &list);
    assert_eq!((status, names(&answer)), (200, vec!["emil", "fay"]));
    assert_eq!(
        answer["data"],
        json!([
            { "username": "ALICE", "registerUserFailReason": "the alice already exists" },
            { "username": "a b", "registerUserFailReason": "username is not legal" },
            { "username": "gus", "registerUserFailReason": "password or pin must provided" },
        ])
    );
    let grant = json!({ "grant_type": "password", "username": "fay", "password": "pw" });
    assert_eq!(world.rest(Post, "/token", "", &grant).0, 200);
}

#[rstest]
#[case::too_many(json!(vec![json!({ "username": "emil", "password": "pw" }); 61]), "illegal_argument")]
#[case::not_objects(json!(["emil"]), "json_parse")]
#[case::nested(json!([["emil", "pw", ""]]), "json_parse")]
#[case::wrong_type(json!([{ "username": "emil", "password": "pw" }, { "username": 7 }]), "json_parse")]
fn a_list_that_is_none_registers_nobody(#[case] list: Value, #[case] error: &str) {
    let mut world = World::strict(&["alice"]);
    let (status, answer) = world.rest(Post, "/users", "", &list);
    assert_eq!((status, &answer["error"]), (400, &json!(error)));
    assert_eq!(world.rest(Get, "/users/emil", APP, &Value::Null).0, 404);
}

#[test]
fn only_the_app_registers_where_registration_is_closed() {
    let mut world = World::strict(&["alice"]);
    world.patch(SettingsPatch { open_registration: Some(false), ..SettingsPatch::default() });
    let new = json!({ "username": "emil", "password": "pw" });
    for user in ["", "alice"] {
        let (status, answer) = world.rest(Post, "/users", user, &new);
        assert_eq!((status, &answer["error"]), (401, &json!("unauthorized")));
    }
    assert_eq!(world.rest(Post, "/users", APP, &new).0, 200);
}

#[test]
fn the_list_of_users_has_pages_and_a_cursor_that_holds_while_users_go() {
    let mut world = World::strict(&[]);
    let all: Vec<String> = (0..25).map(|number| format!("u{number:02}")).collect();
    all.iter().for_each(|user| world.register(user));
    let (_, answer) = world.rest(Get, "/users", APP, &Value::Null);
    assert_eq!((names(&answer).len(), &answer["count"]), (10, &json!(10)));
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, answer) = world.rest(Get, &format!("/users?limit=4&cursor={cursor}"), APP, &Value::Null);
        assert_eq!(status, 200);
        seen.extend(names(&answer).into_iter().map(str::to_owned));
        // Whoever was shown first goes now.
        world.control(Control::RemoveUser { user: names(&answer)[0].to_owned() });
        match answer.get("cursor") {
            Some(next) => cursor = next.as_str().expect("a string").to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, all);
    let (_, answer) = world.rest(Delete, "/users?limit=3", APP, &Value::Null);
    assert_eq!(names(&answer), ["u01", "u02", "u03"]);
    let (_, answer) = world.rest(Get, "/users?limit=1000", APP, &Value::Null);
    assert_eq!(names(&answer).len(), 25 - 7 - 3);
    assert!(answer.get("cursor").is_none());
}

#[test]
fn names_that_were_only_written_to_are_no_users() {
    let mut world = World::lax();
    let alice = world.connect("alice", "r");
    world.text(alice, "nobody", "hello?");
    let (_, answer) = world.rest(Get, "/users", APP, &Value::Null);
    assert_eq!(names(&answer), ["alice"], "whom her own token let in");
    assert_eq!(world.rest(Get, "/users/nobody", APP, &Value::Null).0, 404);
}

#[test]
fn a_user_changes_the_own_nickname_and_push_settings() {
    let mut world = World::strict(&["alice", "bob"]);
    world.now.0 += 5;
    let (status, answer) = world.rest(Put, "/users/Alice", "alice", &json!({ "nickname": "Al" }));
    assert_eq!((status, &answer["entities"][0]["nickname"]), (200, &json!("Al")));
    assert_eq!(answer["entities"][0]["modified"], world.now.0);
    // As 3.6.3 blocks the messages of a group, and uploads a push token (rest.md A.10).
    let block = json!({ "entities": [{ "notification_ignore_7": true }] });
    assert_eq!(world.rest(Put, "/users/alice", "alice", &block).0, 200);
    let token = json!({ "device_id": "d", "device_token": "t", "notifier_name": "n" });
    let (_, answer) = world.rest(Put, "/users/alice", "alice", &token);
    let entity = &answer["entities"][0];
    assert_eq!(
        (&entity["notification_ignore_7"], &entity["device_token"], &entity["nickname"]),
        (&json!(true), &json!("t"), &json!("Al"))
    );
    for (body, words) in [
        (json!({ "nickname": 7 }), "nickname"),
        (json!({ "nickname": "n".repeat(101) }), "100"),
        (json!({ "username": "eve" }), "username"),
        (json!({ "deep": {} }), "deep"),
        (json!({ "long": "x".repeat(600) }), "long"),
    ] {
        let (status, answer) = world.rest(Put, "/users/alice", "alice", &body);
        assert_eq!((status, &answer["error"]), (400, &json!("illegal_argument")), "{body}");
        assert!(answer["error_description"].as_str().expect("words").contains(words), "{answer}");
    }
    let many: serde_json::Map<_, _> = (0..64).map(|number| (format!("p{number}"), json!(1))).collect();
    assert_eq!(world.rest(Put, "/users/alice", "alice", &many.into()).0, 400);
    assert_eq!(world.rest(Put, "/users/bob", "alice", &json!({ "nickname": "x" })).0, 403);
    let (_, answer) = world.rest(Get, "/users/alice", "alice", &Value::Null);
    assert_eq!((&answer["entities"][0], &answer["count"]), (entity, &json!(1)));
}

#[test]
fn status_follows_the_devices() {
    let mut world = World::strict(&["alice", "bob"]);
    let bob = world.connect("bob", "r");
    let body = json!({ "usernames": ["bob", "alice", "nobody"] });
    let (_, answer) = world.rest(Post, "/users/batch/status", APP, &body);
    assert_eq!(answer["action"], "get batch user status");
    assert_eq!(answer["data"], json!([{ "bob": "online" }, { "alice": "offline" }, { "nobody": "offline" }]));
    assert_eq!(world.rest(Get, "/users/bob/status", APP, &Value::Null).1["data"], json!({ "bob": "online" }));
    world.hang_up(bob);
    let (_, answer) = world.rest(Get, "/users/bob/status", "bob", &Value::Null);
    assert_eq!(answer["data"], json!({ "bob": "offline" }));
    let body = json!({ "usernames": vec!["bob"; 101] });
    assert_eq!(world.rest(Post, "/users/batch/status", APP, &body).0, 400);
    // The path of the batch does not hide a user of that name.
    world.register("batch");
    let (_, answer) = world.rest(Get, "/users/batch/status", APP, &Value::Null);
    assert_eq!(answer["data"], json!({ "batch": "offline" }));
}

#[test]
fn messages_wait_until_some_device_has_acknowledged_them() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "r");
    let ids: Vec<u64> = (0..3).map(|_| world.text(alice, "bob", "hi")).collect();
    let count = |world: &mut World| {
        let (_, answer) = world.rest(Get, "/users/Bob/offline_msg_count", APP, &Value::Null);
        answer["data"]["bob"].clone()
    };
    let status = |world: &mut World, user: &str, id: u64| {
        let path = format!("/users/{user}/offline_msg_status/{id}");
        let (status, answer) = world.rest(Get, &path, APP, &Value::Null);
        (status, answer["data"][id.to_string()].clone())
    };
    assert_eq!(count(&mut world), 3);
    assert_eq!(status(&mut world, "bob", ids[1]), (200, json!("undelivered")));
    let bob = world.connect("bob", "r");
    world.catch_up(bob);
    assert_eq!(count(&mut world), 0);
    assert_eq!(status(&mut world, "bob", ids[1]), (200, json!("delivered")));
    assert_eq!(status(&mut world, "bob", 7).0, 404);
    world.register("carl");
    assert_eq!(status(&mut world, "carl", ids[1]).0, 404, "it is none of his");
    assert_eq!(world.rest(Get, "/users/bob/offline_msg_status/x", APP, &Value::Null).0, 404);
}

#[test]
fn mutes_are_set_shown_and_run_out() {
    let mut world = World::strict(&["alice", "bob"]);
    let shown = |world: &mut World| {
        let (_, answer) = world.rest(Get, "/mutes/Bob", APP, &Value::Null);
        let data = &answer["data"];
        [&data["chat"], &data["groupchat"], &data["chatroom"]].map(|seconds| seconds.as_i64().expect("s"))
    };
    assert_eq!(shown(&mut world), [0, 0, 0]);
    let mute = json!({ "username": "bob", "chat": 60, "groupchat": -1 });
    assert_eq!(world.rest(Post, "/mutes", APP, &mute).1["data"], json!({ "result": "ok" }));
    world.now.0 += 59_001;
    assert_eq!(shown(&mut world), [1, -1, 0]);
    let (_, answer) = world.rest(Get, "/mutes", APP, &Value::Null);
    assert_eq!(
        answer["data"],
        json!({
            "data": [{ "username": "bob", "chat": 1 }, { "username": "bob", "groupchat": -1 }],
            "unixtime": world.now.0 / 1_000,
        })
    );
    let (_, answer) = world.rest(Get, "/mutes/bob", APP, &Value::Null);
    assert_eq!(answer["data"]["userid"], "org#app_bob");
    world.now.0 += 999;
    assert_eq!(shown(&mut world), [0, -1, 0]);
    assert_eq!(world.rest(Post, "/mutes", APP, &json!({ "username": "bob", "groupchat": 0 })).0, 200);
    assert_eq!(shown(&mut world), [0, 0, 0]);
    assert_eq!(world.rest(Post, "/mutes", APP, &json!({ "username": "bob", "chat": -2 })).0, 400);
    assert_eq!(world.rest(Post, "/mutes", APP, &json!({ "username": "nobody", "chat": 1 })).0, 404);
}

/// The body as SDKs and curl write it; what the attributes are then.
#[rstest]
#[case::encoded("nickname=%E5%B0%8F%E6%98%8E&avatarurl=http%3A%2F%2Fx%2Fy%3Fa%3Db&gender=1", json!({ "nickname": "小明", "avatarurl": "http://x/y?a=b", "gender": "1" }))]
#[case::as_it_is("nickname=a&b 中", json!({ "nickname": "a", "b 中": "" }))]
#[case::plus_and_percent("a=1+2&b=100%", json!({ "a": "1 2", "b": "100%" }))]
#[case::twice("a=1&&a=2", json!({ "a": "2" }))]
#[case::equals("a=b=c", json!({ "a": "b=c" }))]
fn attributes_are_read_from_forms(#[case] form: &'static str, #[case] attributes: Value) {
    let mut world = World::strict(&["alice", "bob"]);
    let token = token_of("alice");
    let response = world.request(Put, "/metadata/user/Alice", Some(&token), Bytes::from(form));
    assert_eq!((response.status, &json_of(&response)["data"]), (200, &attributes));
    let (status, answer) = world.rest(Get, "/metadata/user/alice", "bob", &Value::Null);
    assert_eq!((status, &answer["data"]), (200, &attributes));
    assert!(answer.get("organization").is_none() && answer["timestamp"].is_u64(), "{answer}");
}

#[test]
fn attributes_are_asked_for_by_name_and_taken_away() {
    let mut world = World::strict(&["alice", "bob"]);
    let put = |world: &mut World, user: &str, form: &'static str| {
        let token = token_of(user);
        world.request(Put, &format!("/metadata/user/{user}"), Some(&token), Bytes::from(form)).status
    };
    assert_eq!(put(&mut world, "alice", "nickname=Al&gender=1"), 200);
    assert_eq!(put(&mut world, "bob", "nickname=Bo"), 200);
    assert_eq!(put(&mut world, "alice", "gender=2"), 200);
    let ask = json!({ "targets": ["alice", "bob", "nobody"], "properties": ["gender", "mail"] });
    let (_, answer) = world.rest(Post, "/metadata/user/get", "bob", &ask);
    assert_eq!(answer["data"], json!({ "alice": { "gender": "2" }, "bob": {}, "nobody": {} }));
    let (_, answer) = world.rest(Get, "/metadata/user/alice,bob", "bob", &Value::Null);
    assert_eq!(
        answer["data"],
        json!({ "alice": { "nickname": "Al", "gender": "2" }, "bob": { "nickname": "Bo" } })
    );
    let (_, answer) = world.rest(Get, "/metadata/user/capacity", APP, &Value::Null);
    assert_eq!(answer["data"], 8 + 2 + 6 + 1 + 8 + 2);
    assert_eq!(world.rest(Delete, "/metadata/user/alice", "bob", &Value::Null).0, 403);
    assert_eq!(world.rest(Delete, "/metadata/user/alice", "alice", &Value::Null).1["data"], true);
    assert_eq!(world.rest(Get, "/metadata/user/alice", "bob", &Value::Null).1["data"], json!({}));
}

#[rstest]
#[case::nothing(b"".to_vec())]
#[case::not_utf8(b"a=%ff".to_vec())]
#[case::too_much(format!("a={}", "x".repeat(2_048)).into_bytes())]
fn attributes_that_cannot_be_kept_change_nothing(#[case] form: Vec<u8>) {
    let mut world = World::strict(&["alice"]);
    let token = token_of("alice");
    world.request(Put, "/metadata/user/alice", Some(&token), Bytes::from_static(b"b=1"));
    let response = world.request(Put, "/metadata/user/alice", Some(&token), form.into());
    assert_eq!((response.status, &json_of(&response)["error"]), (400, &json!("illegal_argument")));
    let (_, answer) = world.rest(Get, "/metadata/user/alice", "alice", &Value::Null);
    assert_eq!(answer["data"], json!({ "b": "1" }));
}

#[test]
fn a_page_holds_a_hundred_users_and_a_user_sixty_four_properties() {
    let mut world = World::strict(&["alice"]);
    for number in 0..100 {
        world.register(&format!("p{number}"));
    }
    let (_, answer) = world.rest(Get, "/users?limit=1000", APP, &Value::Null);
    assert_eq!((names(&answer).len(), answer["cursor"].is_string()), (100, true));
    let properties = |range: std::ops::Range<u32>| {
        let pairs = range.map(|number| (format!("k{number}"), Value::from(number)));
        Value::Object(pairs.collect())
    };
    assert_eq!(world.rest(Put, "/users/alice", "alice", &properties(0..64)).0, 200);
    assert_eq!(world.rest(Put, "/users/alice", "alice", &properties(64..65)).0, 400);
    let long = |bytes: usize| json!({ "x".repeat(bytes): true });
    assert_eq!(world.rest(Put, "/users/p0", "p0", &long(128)).0, 200);
    assert_eq!(world.rest(Put, "/users/p0", "p0", &long(129)).0, 400);
}

#[test]
fn a_password_that_is_none_changes_nothing() {
    let mut world = World::strict(&["alice"]);
    for password in ["", &"x".repeat(65)] {
        let body = json!({ "newpassword": password });
        assert_eq!(world.rest(Put, "/users/alice/password", APP, &body).0, 400);
    }
    let grant = json!({ "grant_type": "password", "username": "alice", "password": "pw" });
    assert_eq!(world.rest(Post, "/token", "", &grant).0, 200);
}

/// What is the app's alone, and what of the rest is each user's own.
#[rstest]
#[case::list(Get, "/users", json!(null))]
#[case::remove_all(Delete, "/users", json!(null))]
#[case::remove(Delete, "/users/alice", json!(null))]
#[case::password(Put, "/users/alice/password", json!({ "newpassword": "x" }))]
#[case::deactivate(Post, "/users/alice/deactivate", json!(null))]
#[case::activate(Post, "/users/alice/activate", json!(null))]
#[case::disconnect(Get, "/users/alice/disconnect", json!(null))]
#[case::statuses(Post, "/users/batch/status", json!({ "usernames": [] }))]
#[case::mute(Post, "/mutes", json!({ "username": "alice", "chat": 1 }))]
#[case::mutes(Get, "/mutes", json!(null))]
#[case::mutes_of(Get, "/mutes/alice", json!(null))]
#[case::capacity(Get, "/metadata/user/capacity", json!(null))]
#[case::anothers(Get, "/users/bob", json!(null))]
#[case::anothers_status(Get, "/users/bob/status", json!(null))]
#[case::anothers_count(Get, "/users/bob/offline_msg_count", json!(null))]
#[case::anothers_message(Get, "/users/bob/offline_msg_status/1", json!(null))]
#[case::anothers_attributes(Put, "/metadata/user/bob", json!(null))]
fn users_may_not_do_what_is_the_apps(#[case] method: Method, #[case] path: &str, #[case] body: Value) {
    let mut world = World::strict(&["alice", "bob"]);
    let (status, answer) = world.rest(method, path, "alice", &body);
    assert_eq!((status, &answer["error"]), (403, &json!("forbidden_op")));
    assert_eq!(world.rest(method, path, "", &body).0, 401);
    assert_eq!(world.rest(Get, "/users/alice", "alice", &Value::Null).1["entities"][0]["activated"], true);
}
