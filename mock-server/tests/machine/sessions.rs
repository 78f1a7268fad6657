//! The list of conversations: who is in it, its last messages and unread counts, deletion (rest.md A.7, A.8).

use fixtures::wire::{KeyValue, key_value, message_body};
use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{Delete, Get, Post};
use prost::Message as _;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{APP, World, accepted, body};

const GROUP: message_body::Type = message_body::Type::Groupchat;
const ROOM: message_body::Type = message_body::Type::Chatroom;

/// The conversations as `channel_infos` shows them.
fn infos(world: &mut World, user: &str, path: &str) -> Vec<Value> {
    let (status, answer) = world.rest(Get, &format!("/users/{user}/{path}"), user, &Value::Null);
    assert_eq!(status, 200, "{answer}");
    answer["data"]["channel_infos"].as_array().expect("channel_infos").clone()
}

/// Names of the conversations, unread counts and the texts of the last messages.
fn list(world: &mut World, user: &str) -> Vec<(String, u64, String)> {
    let shown = |info: Value| {
        let channel = info["channel_id"].as_str().expect("channel_id");
        let payload = info["meta"]["payload"].as_str().unwrap_or(r#"{"bodies":[{"msg":"-"}]}"#);
        let payload: Value = serde_json::from_str(payload).expect("JSON in a string");
        (
            channel.strip_prefix("org#app_").expect("an app key").to_owned(),
            info["unread_num"].as_u64().expect("unread_num"),
            payload["bodies"][0]["msg"].as_str().unwrap_or_default().to_owned(),
        )
    };
    infos(world, user, "user_channels").into_iter().map(shown).collect()
}

fn row(channel: &str, unread: u64, text: &str) -> (String, u64, String) {
    (channel.into(), unread, text.into())
}

fn town() -> (World, ConnId) {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    let members = vec!["bob".to_owned()];
    world.control(Control::Group { id: "7".into(), owner: "alice".into(), members: members.clone() });
    world.control(Control::Room { id: "8".into(), owner: "alice".into(), members });
    let alice = world.connect("alice", "r");
    (world, alice)
}

#[test]
fn the_list_is_newest_first_with_the_last_message_and_what_is_unread() {
    let (mut world, alice) = town();
    assert_eq!(list(&mut world, "bob"), []);
    world.text(alice, "bob", "one");
    world.text(alice, "bob", "two");
    world.muc_text(alice, ROOM, "8", "rooms are not listed");
    assert_eq!(list(&mut world, "bob"), [row("alice@easemob.com", 2, "two")]);
    world.muc_text(alice, GROUP, "7", "three");
    assert_eq!(
        list(&mut world, "bob"),
        [row("7@conference.easemob.com", 1, "three"), row("alice@easemob.com", 2, "two")]
    );
    assert_eq!(
        list(&mut world, "alice"),
        [row("7@conference.easemob.com", 0, "three"), row("bob@easemob.com", 0, "two")],
        "one's own are read"
    );
    let bob = world.connect("bob", "r");
    world.catch_up(bob);
    world.text(bob, "alice", "four");
    assert_eq!(
        list(&mut world, "bob")[0],
        row("alice@easemob.com", 2, "four"),
        "to have pulled is not to have read"
    );
    assert_eq!(list(&mut world, "carl"), []);
}

#[test]
fn a_last_message_is_shown_as_the_seed_shows_it() {
    let (mut world, alice) = town();
    use key_value::{Value as Wire, ValueType};
    let ext = |key: &str, kind: ValueType, value| KeyValue {
        key: Some(key.into()),
        r#type: Some(kind as i32),
        value: Some(value),
    };
    let mut written = body(GROUP, "Alice", "7", "1");
    written.ext = vec![
        ext("s", ValueType::String, Wire::StringValue("é".into())),
        ext("b", ValueType::Bool, Wire::VarintValue(1)),
        ext("i", ValueType::Int, Wire::VarintValue(-3)),
        ext("d", ValueType::Double, Wire::DoubleValue(0.5)),
        ext("o", ValueType::JsonString, Wire::StringValue(r#"{"a":[1,null]}"#.into())),
        ext("broken", ValueType::JsonString, Wire::StringValue("{".into())),
    ];
    let mut meta = world.muc_meta(alice, GROUP, "7", "");
    meta.payload = Some(written.encode_to_vec().into());
    let id = accepted(&world.send(alice, meta));
    let infos = infos(&mut world, "bob", "user_channels");
    let payload = json!({
        "bodies": [{ "msg": "1", "type": "txt" }],
        "ext": { "s": "é", "b": true, "i": -3, "d": 0.5, "o": { "a": [1, null] }, "broken": "{" },
        "from": "Alice",
        "to": "7",
        "type": "groupchat",
    });
    assert_eq!(
        infos,
        [json!({
            "channel_id": "org#app_7@conference.easemob.com",
            "unread_num": 1,
            "meta": {
                "from": "org#app_alice@easemob.com/r",
                "id": id.to_string(),
                "payload": payload.to_string(),
                "timestamp": world.now.0,
                "to": "org#app_7@conference.easemob.com",
            },
        })]
    );
}

/// Contents as they are on the wire, and as JSON has them (rest.md Part D).
#[rstest]
#[case::image(
    message_body::Content {
        r#type: Some(1), remote_path: Some("http://x/y".into()), display_name: Some("a b.png".into()),
        secret_key: Some("s".into()), file_length: Some(9),
        size: Some(message_body::content::Size { width: Some(3.0), height: Some(4.5) }),
        ..Default::default()
    },
    json!({
        "type": "img", "url": "http://x/y", "filename": "a b.png", "secret": "s", "file_length": 9,
        "size": { "width": 3, "height": 4.5 },
    })
)]
#[case::video(
    message_body::Content {
        r#type: Some(2), remote_path: Some("u".into()), display_name: Some("f".into()), duration: Some(10),
        thumbnail_remote_path: Some("t".into()), thumbnail_secret_key: Some("ts".into()), ..Default::default()
    },
    json!({
        "type": "video", "url": "u", "filename": "f", "file_length": 0, "length": 10, "thumb": "t",
        "thumb_secret": "ts",
    })
)]
#[case::location(
    message_body::Content {
        r#type: Some(3), latitude: Some(39.5), longitude: Some(-0.25), address: Some("here".into()),
        ..Default::default()
    },
    json!({ "type": "loc", "lat": 39.5, "lng": -0.25, "addr": "here" })
)]
#[case::audio(
    message_body::Content {
        r#type: Some(4), remote_path: Some("u".into()), display_name: Some("f".into()), duration: Some(3),
        file_length: Some(7), ..Default::default()
    },
    json!({ "type": "audio", "url": "u", "filename": "f", "file_length": 7, "length": 3 })
)]
#[case::file(
    message_body::Content { r#type: Some(5), remote_path: Some("u".into()), ..Default::default() },
    json!({ "type": "file", "url": "u", "filename": "", "file_length": 0 })
)]
#[case::custom(
    message_body::Content {
        r#type: Some(7), custom_event: Some("gift".into()),
        custom_exts: vec![KeyValue {
            key: Some("k".into()), r#type: Some(7), value: Some(key_value::Value::StringValue("v".into())),
        }],
        ..Default::default()
    },
    // A list, as 4.x maps over it, and the object beside it.
    json!({
        "type": "custom", "customEvent": "gift", "customExts": [{ "k": "v" }], "v2:customExts": { "k": "v" },
    })
)]
fn each_kind_of_message_has_its_json(#[case] content: message_body::Content, #[case] expected: Value) {
    let (mut world, alice) = town();
    let mut written = body(message_body::Type::Chat, "alice", "bob", "");
    written.contents = vec![content];
    let mut meta = world.text_meta(alice, "bob", "");
    meta.payload = Some(written.encode_to_vec().into());
    accepted(&world.send(alice, meta));
    let infos = infos(&mut world, "bob", "user_channels");
    let payload = infos[0]["meta"]["payload"].as_str().expect("a string");
    let payload: Value = serde_json::from_str(payload).expect("JSON");
    assert_eq!(payload["bodies"], json!([expected]));
}

#[test]
fn a_name_with_capitals_finds_nothing() {
    let (mut world, alice) = town();
    world.text(alice, "bob", "hi");
    let (status, answer) = world.rest(Get, "/users/Bob/user_channels", "bob", &Value::Null);
    assert_eq!((status, &answer["data"]), (200, &json!({ "channel_infos": [] })));
    let (_, answer) = world.rest(Get, "/users/BOB/user_channels/page?pageNum=1", "bob", &Value::Null);
    assert_eq!(answer["data"]["channel_infos"], json!([]));
}

#[test]
fn the_unpaged_list_has_ten_of_the_last_week_and_pages_have_all() {
    let (mut world, alice) = town();
    world.text(alice, "bob", "long ago");
    world.now.0 += 7 * 24 * 3_600_000 + 1;
    let peers: Vec<String> = (0..12).map(|number| format!("p{number:02}")).collect();
    for peer in &peers {
        world.register(peer);
        world.text(alice, peer, "hi");
    }
    let newest: Vec<String> = peers.iter().rev().map(|peer| format!("{peer}@easemob.com")).collect();
    let channels = |rows: Vec<(String, u64, String)>| rows.into_iter().map(|row| row.0).collect::<Vec<_>>();
    assert_eq!(channels(list(&mut world, "alice")), newest[..10]);
    assert_eq!(list(&mut world, "bob"), [], "older than a week");
    let pages: Vec<usize> = (1..=4)
        .map(|page| {
            infos(&mut world, "alice", &format!("user_channels/page?pageNum={page}&pageSize=5")).len()
        })
        .collect();
    assert_eq!(pages, [5, 5, 3, 0]);
    let last = infos(&mut world, "alice", "user_channels/page?pageNum=3&pageSize=5").pop();
    assert_eq!(last.expect("one")["channel_id"], "org#app_bob@easemob.com");
    assert_eq!(infos(&mut world, "alice", "user_channels/page").len(), 13, "20 is the page's size");
}

#[test]
fn a_week_is_a_week_and_a_page_holds_twenty() {
    let (mut world, alice) = town();
    world.text(alice, "bob", "a week ago");
    world.now.0 += 7 * 24 * 3_600_000;
    assert_eq!(list(&mut world, "bob").len(), 1);
    for number in 0..21 {
        let peer = format!("p{number}");
        world.register(&peer);
        world.text(alice, &peer, "hi");
    }
    assert_eq!(infos(&mut world, "alice", "user_channels/page?pageSize=50").len(), 20);
}

#[test]
fn a_message_that_is_too_old_is_the_last_of_no_conversation() {
    let (mut world, alice) = town();
    let patch = SettingsPatch { kept_ms_max: Some(1_000), ..SettingsPatch::default() };
    world.patch(patch);
    world.text(alice, "bob", "old");
    world.now.0 += 1_001;
    assert_eq!(list(&mut world, "bob"), [row("alice@easemob.com", 1, "-")]);
}

#[test]
fn a_deletion_without_the_history_leaves_it_and_all_of_it_is_read() {
    let (mut world, alice) = town();
    let id = world.text(alice, "bob", "one");
    let single = json!({ "channel": "alice", "type": "chat" });
    assert_eq!(world.rest(Delete, "/users/bob/user_channel", "bob", &single).0, 200);
    let query = json!({ "queue": "alice@easemob.com", "start": -1 });
    let (_, answer) = world.rest(Post, "/users/bob/messageroaming", "bob", &query);
    assert_eq!(answer["data"]["msgs"].as_array().map(Vec::len), Some(1));
    world.text(alice, "bob", "two");
    let to = crate::world::jid("bob", fixtures::wire::USER_DOMAIN);
    assert_eq!(world.note(alice, message_body::Type::Recall, to, id).0, 0);
    assert_eq!(list(&mut world, "bob"), [row("alice@easemob.com", 1, "two")]);
}

#[test]
fn what_was_deleted_is_the_last_message_never_again() {
    let (mut world, alice) = town();
    world.text(alice, "bob", "deleted");
    let single = json!({ "channel": "alice", "type": "chat", "delete_roam": true });
    assert_eq!(world.rest(Delete, "/users/bob/user_channel", "bob", &single).0, 200);
    let id = world.text(alice, "bob", "recalled");
    let to = crate::world::jid("bob", fixtures::wire::USER_DOMAIN);
    assert_eq!(world.note(alice, message_body::Type::Recall, to, id).0, 0);
    assert_eq!(list(&mut world, "bob"), [row("alice@easemob.com", 0, "-")]);
    assert_eq!(list(&mut world, "alice"), [row("bob@easemob.com", 0, "deleted")], "hers is hers");
}

#[test]
fn an_old_message_that_was_imported_hides_no_other_conversation() {
    let (mut world, alice) = town();
    world.text(alice, "bob", "new");
    world.text(alice, "carl", "newer");
    let import = json!({
        "from": "alice", "target": "carl", "type": "txt", "body": { "msg": "old" }, "msg_timestamp": 1,
    });
    assert_eq!(world.rest(Post, "/messages/users/import", APP, &import).0, 200);
    assert_eq!(list(&mut world, "alice"), [row("bob@easemob.com", 0, "new")], "carl's is of 1970");
}

#[rstest]
#[case::sdk("/user/bob/user_channel?resource=r")]
#[case::documents("/users/bob/user_channel")]
fn a_deleted_conversation_comes_back_with_the_next_message(#[case] path: &str) {
    let (mut world, alice) = town();
    world.text(alice, "bob", "one");
    world.muc_text(alice, GROUP, "7", "two");
    let single = json!({ "channel": "alice", "type": "chat" });
    let (status, answer) = world.rest(Delete, path, "bob", &single);
    assert_eq!((status, &answer["data"]), (200, &json!({ "result": "ok" })));
    assert_eq!(list(&mut world, "bob"), [row("7@conference.easemob.com", 1, "two")]);
    let group = json!({ "channel": "7", "type": "groupChat", "delete_roam": true });
    assert_eq!(world.rest(Delete, path, "bob", &group).0, 200);
    assert_eq!(list(&mut world, "bob"), []);
    assert_eq!(list(&mut world, "alice").len(), 2, "hers are hers");
    assert_eq!(world.rest(Delete, path, "bob", &group).0, 200, "twice is no mistake");
    world.text(alice, "bob", "three");
    world.muc_text(alice, GROUP, "7", "four");
    assert_eq!(
        list(&mut world, "bob"),
        [row("7@conference.easemob.com", 1, "four"), row("alice@easemob.com", 1, "three")]
    );
}

#[rstest]
#[case::nobody(json!({ "channel": "emil", "type": "chat" }), 404, "service_resource_not_found")]
#[case::no_group(json!({ "channel": "77", "type": "groupchat" }), 404, "service_resource_not_found")]
#[case::room(json!({ "channel": "8", "type": "groupchat" }), 404, "service_resource_not_found")]
#[case::other_type(json!({ "channel": "alice", "type": "chatroom" }), 400, "illegal_argument")]
#[case::no_type(json!({ "channel": "alice" }), 400, "json_parse")]
#[case::no_channel(json!({ "type": "chat" }), 400, "json_parse")]
fn a_deletion_of_nothing_is_refused(#[case] body: Value, #[case] status: u16, #[case] error: &str) {
    let (mut world, alice) = town();
    world.text(alice, "bob", "one");
    let (got, answer) = world.rest(Delete, "/user/bob/user_channel", "bob", &body);
    assert_eq!((got, &answer["error"]), (status, &json!(error)), "{answer}");
    assert_eq!(list(&mut world, "bob").len(), 1);
}

#[test]
fn lists_are_their_owners_and_the_apps() {
    let (mut world, alice) = town();
    world.text(alice, "bob", "one");
    let body = json!({ "channel": "alice", "type": "chat" });
    assert_eq!(world.rest(Get, "/users/bob/user_channels", "alice", &Value::Null).0, 403);
    assert_eq!(world.rest(Get, "/users/bob/user_channels/page", "", &Value::Null).0, 401);
    assert_eq!(world.rest(Delete, "/users/bob/user_channel", "alice", &body).0, 403);
    assert_eq!(list(&mut world, "bob").len(), 1);
    assert_eq!(world.rest(Delete, "/users/bob/user_channel", APP, &body).0, 200);
    assert_eq!(list(&mut world, "bob"), []);
}

#[test]
fn a_service_that_is_off_says_so() {
    let (mut world, _) = town();
    world.patch(SettingsPatch { sessions: Some(false), ..SettingsPatch::default() });
    let body = json!({ "channel": "alice", "type": "chat" });
    for (method, path, body) in [
        (Get, "/users/bob/user_channels", Value::Null),
        (Get, "/users/bob/user_channels/page", Value::Null),
        (Delete, "/user/bob/user_channel", body),
    ] {
        let (status, answer) = world.rest(method, path, "bob", &body);
        assert_eq!((status, &answer["error_description"]), (403, &json!("service not open!")), "{path}");
    }
}
