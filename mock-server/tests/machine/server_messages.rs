//! What the app's server sends, imports and takes back, and whom it asks about readers (rest.md A.9, B.4).

use fixtures::wire::message_body::{Content, MessageConfig, Type};
use fixtures::wire::{CONFERENCE_DOMAIN, MessageBody, Meta};
use mock_server::control::{Control, SettingsPatch, Webhook};
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{Get, Post};
use prost::Message as _;
use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::world::{APP, World, accepted, body_of, jid, text_of, with_body};

fn town() -> (World, ConnId, ConnId) {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    let members = vec!["bob".to_owned()];
    world.control(Control::Group { id: "7".into(), owner: "alice".into(), members: members.clone() });
    world.control(Control::Room { id: "8".into(), owner: "alice".into(), members });
    let (alice, bob) = (world.connect("alice", "r"), world.connect("bob", "r"));
    (world, alice, bob)
}

fn draft(to: &str, more: &Value) -> Value {
    let mut body = json!({ "from": "alice", "to": [to], "type": "txt", "body": { "msg": "hi" } });
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    body
}

/// Sends it and gives the id that the answer has under the target's name.
fn send(world: &mut World, path: &str, to: &str, more: &Value) -> u64 {
    let (status, answer) = world.rest(Post, path, APP, &draft(to, more));
    assert_eq!(status, 200, "{answer}");
    answer["data"][to].as_str().and_then(|id| id.parse().ok()).expect("a string of digits")
}

fn listed(world: &mut World, user: &str) -> usize {
    let (_, answer) = world.rest(Get, &format!("/users/{user}/user_channels"), user, &Value::Null);
    answer["data"]["channel_infos"].as_array().expect("a list").len()
}

fn history(world: &mut World, user: &str, queue: &str) -> usize {
    let query = json!({ "queue": queue, "start": -1 });
    let (_, answer) = world.rest(Post, &format!("/users/{user}/messageroaming"), user, &query);
    answer["data"]["msgs"].as_array().expect("msgs").len()
}

#[rstest]
#[case::user("/messages/users", "bob", Type::Chat)]
#[case::group("/messages/chatgroups", "7", Type::Groupchat)]
#[case::room("/messages/chatrooms", "8", Type::Chatroom)]
fn a_message_of_the_apps_server_arrives_like_any_other(
    #[case] path: &str,
    #[case] to: &str,
    #[case] kind: Type,
) {
    let (mut world, _, bob) = town();
    let more = json!({ "ext": { "k": "v", "n": 1 }, "msg_timestamp": 1_657_254_052_191_u64 });
    let id = send(&mut world, path, to, &more);
    let metas = world.catch_up(bob);
    let [meta] = &metas[..] else { panic!("{metas:#?}") };
    assert_eq!((meta.id, meta.timestamp), (Some(id), Some(1_657_254_052_191)));
    let body = body_of(meta);
    assert_eq!((body.r#type(), text_of(meta).as_str()), (kind, "hi"));
    assert_eq!(body.from.and_then(|from| from.name).as_deref(), Some("alice"));
    let ext: Vec<_> = body.ext.iter().map(|pair| (pair.key.as_deref(), pair.r#type)).collect();
    assert_eq!(ext, [(Some("k"), Some(7)), (Some("n"), Some(2))]);
    assert_eq!(listed(&mut world, "bob"), 0, "it makes no conversation appear");
}

#[test]
fn it_is_from_admin_when_nobody_is_named_and_goes_past_webhooks_and_block_lists() {
    let (mut world, _, bob) = town();
    world.control(Control::Block { user: "bob".into(), blocked: vec!["alice".into()] });
    let rule = Webhook { url: "http://127.0.0.1:1/".into(), ..Webhook::default() };
    world.patch(SettingsPatch {
        webhooks: Some(vec![rule]),
        words: Some(vec!["hi".into()]),
        ..SettingsPatch::default()
    });
    send(&mut world, "/messages/users", "bob", &json!({}));
    let unnamed = json!({ "to": ["bob"], "type": "txt", "body": { "msg": "hi" } });
    assert_eq!(world.rest(Post, "/messages/users", APP, &unnamed).0, 200);
    let metas = world.catch_up(bob);
    let names: Vec<_> = metas.iter().map(|meta| meta.from.clone().and_then(|from| from.name)).collect();
    assert_eq!(names, [Some("alice".to_owned()), Some("admin".to_owned())]);
    assert_eq!(world.rest(Get, "/users/admin", APP, &Value::Null).0, 404, "which makes it no user");
}

#[test]
fn the_senders_devices_get_a_copy_when_asked_for() {
    let (mut world, alice, bob) = town();
    send(&mut world, "/messages/users", "bob", &json!({}));
    assert_eq!((world.texts(alice).len(), world.texts(bob).len()), (0, 1));
    send(&mut world, "/messages/users", "bob", &json!({ "sync_device": true }));
    assert_eq!((world.texts(alice).len(), world.texts(bob).len()), (1, 1));
    assert_eq!(history(&mut world, "alice", "bob@easemob.com"), 2);
}

#[rstest]
#[case::group("/messages/chatgroups", "7")]
#[case::room("/messages/chatrooms", "8")]
fn so_it_is_in_groups_and_rooms(#[case] path: &str, #[case] to: &str) {
    let (mut world, alice, bob) = town();
    send(&mut world, path, to, &json!({}));
    assert_eq!((world.texts(alice).len(), world.texts(bob).len()), (0, 1));
    send(&mut world, path, to, &json!({ "sync_device": true }));
    assert_eq!((world.texts(alice).len(), world.texts(bob).len()), (1, 1));
    assert_eq!(world.server.unfinished(), [""; 0]);
}

#[test]
fn a_message_for_those_online_does_not_wait_for_others() {
    let (mut world, _, bob) = town();
    let online = json!({ "routetype": "ROUTE_ONLINE" });
    send(&mut world, "/messages/users", "carl", &online);
    send(&mut world, "/messages/users", "bob", &online);
    let metas = world.catch_up(bob);
    assert_eq!(metas.iter().map(|meta| meta.routetype).collect::<Vec<_>>(), [Some(1)]);
    let carl = world.connect("carl", "r");
    assert_eq!(world.texts(carl), [""; 0]);
    assert_eq!(history(&mut world, "carl", "alice@easemob.com"), 0);
}

#[rstest]
#[case::img(json!({ "type": "img", "body": { "url": "u", "filename": "f", "secret": "s", "size": { "width": 3, "height": 4 } } }))]
#[case::audio(json!({ "type": "audio", "body": { "url": "u", "filename": "f", "Length": 3 } }))]
#[case::video(json!({ "type": "video", "body": { "url": "u", "length": 3, "file_length": 9, "thumb": "t" } }))]
#[case::file(json!({ "type": "file", "body": { "url": "u", "filename": "f" } }))]
#[case::loc(json!({ "type": "loc", "body": { "lat": "39.5", "lng": -3, "addr": "a" } }))]
#[case::cmd(json!({ "type": "cmd", "body": { "action": "run" } }))]
#[case::custom(json!({ "type": "custom", "body": { "customEvent": "gift/1", "customExts": { "k": "v" } } }))]
fn each_kind_is_sent(#[case] more: Value) {
    let (mut world, _, bob) = town();
    send(&mut world, "/messages/users", "bob", &more);
    let metas = world.catch_up(bob);
    let content = &body_of(&metas[0]).contents[0];
    let kinds = ["txt", "img", "video", "loc", "audio", "file", "cmd", "custom"];
    let kind = usize::try_from(content.r#type.expect("a kind")).expect("a number");
    assert_eq!(kinds[kind], more["type"]);
    let is_message = i32::from(more["type"] != "cmd");
    assert_eq!(history(&mut world, "bob", "alice@easemob.com") as i32, is_message);
}

#[rstest]
#[case::empty_from("/messages/users", json!({ "from": "" }), 400, "from can't be empty")]
#[case::null_ext("/messages/users", json!({ "ext": null }), 400, "ext")]
#[case::ext_is_a_list("/messages/users", json!({ "ext": [] }), 400, "not what this call takes")]
#[case::nobody("/messages/users", json!({ "to": [] }), 400, "600")]
#[case::too_many_users("/messages/users", json!({ "to": vec!["bob"; 601] }), 400, "600")]
#[case::too_many_groups("/messages/chatgroups", json!({ "to": vec!["7"; 4] }), 400, "3")]
#[case::too_many_rooms("/messages/chatrooms", json!({ "to": vec!["8"; 11] }), 400, "10")]
#[case::unknown_user("/messages/users", json!({ "to": ["bob", "emil"] }), 404, "user not found")]
#[case::unknown_group("/messages/chatgroups", json!({ "to": ["7", "8"] }), 404, "8")]
#[case::unknown_type("/messages/users", json!({ "type": "poem" }), 400, "poem")]
#[case::no_text("/messages/users", json!({ "body": {} }), 400, "body.msg")]
#[case::odd_event("/messages/users", json!({ "type": "custom", "body": { "customEvent": "a b" } }), 400, "customEvent")]
#[case::odd_exts("/messages/users", json!({ "type": "custom", "body": { "customEvent": "e", "customExts": { "k": 1 } } }), 400, "customExts")]
#[case::nowhere("/messages/users", json!({ "type": "loc", "body": { "lat": "north", "lng": 1, "addr": "a" } }), 400, "coordinate")]
#[case::odd_route("/messages/users", json!({ "routetype": "ROUTE_SLOW" }), 400, "ROUTE_SLOW")]
#[case::odd_level("/messages/chatrooms", json!({ "to": ["8"], "chatroom_msg_level": "loud" }), 400, "chatroom_msg_level")]
#[case::too_large("/messages/users", json!({ "body": { "msg": "x".repeat(3_073) } }), 400, "too large")]
#[case::far_too_large("/messages/users", json!({ "body": { "msg": "x".repeat(5_121) } }), 413, "5120")]
fn what_cannot_be_sent_is_refused_whole(
    #[case] path: &str,
    #[case] more: Value,
    #[case] status: u16,
    #[case] words: &str,
) {
    let (mut world, _, bob) = town();
    let to = if path.ends_with("chatgroups") { "7" } else { "bob" };
    let (got, answer) = world.rest(Post, path, APP, &draft(to, &more));
    assert_eq!(got, status, "{answer}");
    assert!(answer["error_description"].as_str().expect("words").contains(words), "{answer}");
    assert_eq!(world.texts(bob), [""; 0]);
}

/// At its limits a message is taken: 3,072 bytes of body, and 600 targets whose names alone are 38 KB.
#[test]
fn what_just_fits_is_sent() {
    let (mut world, _, bob) = town();
    let empty = body_of(&Meta { payload: Some(Default::default()), ..Meta::default() });
    let content = |text: &str| Content { r#type: Some(0), text: Some(text.into()), ..Content::default() };
    let around = MessageBody { contents: vec![content(&"x".repeat(3_000))], ..empty }.encoded_len() - 3_000;
    let text = |bytes: usize| json!({ "body": { "msg": "x".repeat(bytes - around) } });
    send(&mut world, "/messages/users", "bob", &text(3_072));
    assert_eq!(world.texts(bob).len(), 1);
    assert_eq!(world.rest(Post, "/messages/users", APP, &draft("bob", &text(3_073))).0, 400);
    let names: Vec<String> = (0..600).map(|number| format!("{number:064}")).collect();
    names.iter().for_each(|name| world.register(name));
    let (status, answer) = world.rest(Post, "/messages/users", APP, &draft("bob", &json!({ "to": names })));
    assert_eq!((status, answer["data"].as_object().map(Map::len)), (200, Some(600)));
}

#[rstest]
#[case::null_ext(json!({ "ext": null }), "ext")]
#[case::too_large(json!({ "body": { "msg": "x".repeat(3_073) } }), "too large")]
fn what_cannot_be_imported_is_refused(#[case] more: Value, #[case] words: &str) {
    let (mut world, _, bob) = town();
    let mut body = json!({ "from": "alice", "target": "bob", "type": "txt", "body": { "msg": "old" } });
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    let (status, answer) = world.rest(Post, "/messages/users/import", APP, &body);
    assert_eq!(status, 400);
    assert!(answer["error_description"].as_str().expect("words").contains(words), "{answer}");
    assert_eq!(world.texts(bob), [""; 0]);
}

#[test]
fn an_import_is_history_and_read_if_it_says_so() {
    let (mut world, alice, bob) = town();
    let body = |target: &str, more: Value| {
        let mut body = json!({ "from": "alice", "target": target, "type": "txt", "body": { "msg": "old" } });
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        body
    };
    for (path, target) in [("/messages/users/import", "bob"), ("/messages/chatgroups/import", "7")] {
        let more = json!({ "is_ack_read": true, "msg_timestamp": 1_600_000_000_000_u64 });
        let (status, answer) = world.rest(Post, path, APP, &body(target, more));
        assert_eq!(status, 200, "{answer}");
        assert!(answer["data"]["msg_id"].as_str().is_some_and(|id| id.parse::<u64>().is_ok()), "{answer}");
    }
    assert_eq!(history(&mut world, "bob", "alice@easemob.com"), 1);
    assert_eq!(history(&mut world, "bob", "7@conference.easemob.com"), 1);
    assert_eq!(world.texts(alice), ["old", "old"], "its sender's devices have it too");
    let stamps: Vec<_> = world.catch_up(bob).iter().map(|meta| meta.timestamp).collect();
    assert_eq!(stamps, [Some(1_600_000_000_000); 2]);
    // One that is read already, recalled: what is still to be read is as much as before.
    let channels = |world: &mut World| {
        world.rest(Get, "/users/bob/user_channels", "bob", &Value::Null).1["data"]["channel_infos"].clone()
    };
    world.text(alice, "bob", "new");
    let (_, answer) =
        world.rest(Post, "/messages/users/import", APP, &body("bob", json!({ "is_ack_read": true })));
    assert_eq!(channels(&mut world)[0]["unread_num"], 1);
    let unread = body("bob", json!({}));
    assert_eq!(world.rest(Post, "/messages/users/import", APP, &unread).0, 200);
    assert_eq!(channels(&mut world)[0]["unread_num"], 2);
    let recall = json!({ "msg_id": answer["data"]["msg_id"], "to": "bob", "chat_type": "chat" });
    assert_eq!(world.rest(Post, "/messages/msg_recall", APP, &recall).1["data"]["recalled"], "yes");
    assert_eq!(channels(&mut world)[0]["unread_num"], 2);
    let need = body("bob", json!({ "need_download": true }));
    assert_eq!(world.rest(Post, "/messages/users/import", APP, &need).0, 400);
}

#[rstest]
#[case::documented("/messages/msg_recall")]
#[case::other_page("/messages/recall")]
fn a_message_is_taken_back(#[case] path: &str) {
    let (mut world, alice, bob) = town();
    let id = world.text(alice, "bob", "oops");
    let late = world.text(alice, "bob", "late");
    let ask = |id: u64, more: Value| {
        let mut body = json!({ "msg_id": id.to_string(), "to": "bob", "chat_type": "chat", "from": "alice" });
        for (key, value) in more.as_object().expect("an object") {
            body[key] = value.clone();
        }
        body
    };
    let (status, answer) = world.rest(Post, path, APP, &ask(id, json!({ "force": false })));
    assert_eq!(status, 200);
    let done = json!({
        "recalled": "yes", "chattype": "chat", "from": "alice", "to": "bob", "msg_id": id.to_string(),
    });
    assert_eq!(answer["data"], done);
    assert_eq!(history(&mut world, "bob", "alice@easemob.com"), 1);
    let metas = world.catch_up(bob);
    let recalled: Vec<_> = metas.iter().filter_map(|meta| body_of(meta).ack_message_id).collect();
    assert_eq!(recalled, [id]);

    let words = |world: &mut World, body: &Value| {
        let (status, answer) = world.rest(Post, path, APP, body);
        assert_eq!(status, 200, "failures come so (rest.md B.4)");
        answer["msgs"][0]["recalled"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(words(&mut world, &ask(id, json!({}))), "not_found msg");
    assert_eq!(words(&mut world, &ask(late, json!({ "to": "carl" }))), "not_found msg");
    assert_eq!(words(&mut world, &ask(late, json!({ "to": "emil" }))), "can't find msg to");
    let in_group = world.muc_text(alice, Type::Groupchat, "7", "in the group");
    let elsewhere = json!({ "msg_id": in_group.to_string(), "to": "8", "chat_type": "chatroom" });
    assert_eq!(words(&mut world, &elsewhere), "not_found msg");
    world.catch_up(bob);
    let unnamed = json!({ "msg_id": in_group.to_string(), "to": "7", "chat_type": "groupchat" });
    let (_, answer) = world.rest(Post, path, APP, &unnamed);
    assert_eq!(answer["data"]["from"], "admin");
    let metas = world.catch_up(bob);
    assert_eq!(metas[0].from.clone().and_then(|from| from.name).as_deref(), Some("admin"));
    world.now.0 += 120_001;
    assert_eq!(words(&mut world, &ask(late, json!({}))), "exceed recall time limit");
    let (_, answer) = world.rest(Post, path, APP, &ask(late, json!({ "force": true })));
    assert_eq!(answer["data"]["recalled"], "yes");
    world.patch(SettingsPatch { recall: Some(false), ..SettingsPatch::default() });
    let (status, answer) = world.rest(Post, path, APP, &ask(late, json!({})));
    assert_eq!((status, &answer["exception"]), (403, &json!("EasemobForbiddenOpException")));
    assert_eq!(answer["error_description"], "message recall service is unopened");
}

#[rstest]
#[case::no_hour("today", 400, "illegal_argument")]
#[case::no_such_month("2021133108", 400, "illegal_argument")]
#[case::no_such_hour("2021123124", 400, "illegal_argument")]
#[case::hour("2021123108", 404, "storage_object_not_found")]
fn there_are_no_files_of_history(#[case] hour: &str, #[case] status: u16, #[case] error: &str) {
    let (mut world, ..) = town();
    let (got, answer) = world.rest(Get, &format!("/chatmessages/{hour}"), APP, &Value::Null);
    assert_eq!((got, &answer["error"]), (status, &json!(error)));
}

#[rstest]
#[case(Post, "/messages/users")]
#[case(Post, "/messages/chatgroups")]
#[case(Post, "/messages/chatrooms")]
#[case(Post, "/messages/users/import")]
#[case(Post, "/messages/chatgroups/import")]
#[case(Post, "/messages/msg_recall")]
#[case(Post, "/messages/recall")]
#[case(Get, "/chatmessages/2021123108")]
fn users_send_nothing_in_the_apps_name(
    #[case] method: mock_server::machine::rest::Method,
    #[case] path: &str,
) {
    let (mut world, _, bob) = town();
    assert_eq!(world.rest(method, path, "alice", &draft("bob", &json!({}))).0, 403);
    assert_eq!(world.rest(method, path, "", &draft("bob", &json!({}))).0, 401);
    assert_eq!(world.texts(bob), [""; 0]);
}

#[test]
fn the_readers_of_a_group_message_are_listed_in_pages() {
    let (mut world, alice, bob) = town();
    world.control(Control::Join { id: "7".into(), users: vec!["carl".into()] });
    let carl = world.connect("carl", "r");
    let config = Some(MessageConfig { allow_group_ack: Some(true) });
    let meta = world.muc_meta(alice, Type::Groupchat, "7", "read me");
    let asking = MessageBody { msg_config: config, ..body_of(&meta) };
    let id = accepted(&world.send(alice, with_body(meta, &asking)));
    let silent = world.muc_text(alice, Type::Groupchat, "7", "no need");
    let list = |world: &mut World, query: &str| {
        world.rest(Get, &format!("/chatgroups/7/acks/{id}{query}"), "alice", &Value::Null).1["data"].clone()
    };
    // As every SDK asks (rest.md A.9).
    let none = list(&mut world, "?limit=500&key=undefined&_v=1");
    let expected = json!({
        "ackmid": id.to_string(), "userlist": [], "total": 0, "is_last": true, "next_key": "",
        "timestamp": world.now.0,
    });
    assert_eq!(none, expected);
    for conn in [carl, bob] {
        let meta = world.note_meta(conn, Type::ReadAck, jid("7", CONFERENCE_DOMAIN), Some(id));
        let read = MessageBody { msg_config: config, ack_content: Some("ok".into()), ..body_of(&meta) };
        accepted(&world.send(conn, with_body(meta, &read)));
    }
    assert_eq!(list(&mut world, "?limit=500&key=undefined")["userlist"], json!(["carl", "bob"]));
    let first = list(&mut world, "?limit=1");
    assert_eq!(
        (&first["userlist"], &first["is_last"], &first["total"]),
        (&json!(["carl"]), &json!(false), &json!(2))
    );
    let key = first["next_key"].as_str().expect("a key");
    let second = list(&mut world, &format!("?limit=1&key={key}"));
    assert_eq!((&second["userlist"], &second["is_last"]), (&json!(["bob"]), &json!(true)));

    let status = |world: &mut World, user: &str, path: &str| world.rest(Get, path, user, &Value::Null).0;
    assert_eq!(status(&mut world, "alice", &format!("/chatgroups/7/acks/{silent}")), 404);
    assert_eq!(status(&mut world, "alice", "/chatgroups/7/acks/x"), 404);
    assert_eq!(status(&mut world, "alice", &format!("/chatgroups/77/acks/{id}")), 404);
    world.control(Control::Group { id: "9".into(), owner: "alice".into(), members: vec![] });
    assert_eq!(status(&mut world, "alice", &format!("/chatgroups/9/acks/{id}")), 404, "another group's");
    assert_eq!(status(&mut world, "alice", &format!("/chatgroups/8/acks/{id}")), 404, "a room");
    world.register("dora");
    assert_eq!(status(&mut world, "dora", &format!("/chatgroups/7/acks/{id}")), 403);
    assert_eq!(status(&mut world, APP, &format!("/chatgroups/7/acks/{id}")), 200);
    world.patch(SettingsPatch { group_receipts: Some(false), ..SettingsPatch::default() });
    assert_eq!(status(&mut world, "alice", &format!("/chatgroups/7/acks/{id}")), 403);
}
