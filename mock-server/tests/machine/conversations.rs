//! Conversations as 4.x lists and changes them: cursor, pins, marks, deletion, and what the user's other devices are
//! told of it (rest.md A.7, A.11; wire-4x §6.3, §7).

use fixtures::wire::message_body;
use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{Delete, Get, Post};
use proptest::prelude::{Just, Strategy, prop, prop_assert_eq, prop_oneof, proptest};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{START, World};

const GROUP: message_body::Type = message_body::Type::Groupchat;

/// Alice, bob, carl and dora; alice, bob and carl are in group `7`.
fn town() -> (World, ConnId) {
    let mut world = World::strict(&["alice", "bob", "carl", "dora"]);
    let members = vec!["bob".to_owned(), "carl".to_owned()];
    world.control(Control::Group { id: "7".into(), owner: "alice".into(), members });
    let alice = world.connect("alice", "web");
    (world, alice)
}

/// One page: its conversations, and the cursor of the next.
fn page(world: &mut World, user: &str, tail: &str) -> (Vec<Value>, String) {
    let (status, answer) =
        world.rest(Get, &format!("/sdk/user/{user}/user_channels/{tail}"), user, &Value::Null);
    assert_eq!(status, 200, "{answer}");
    let data = &answer["data"];
    let infos = data["channel_infos"].as_array().expect("channel_infos").clone();
    (infos, data["cursor"].as_str().expect("cursor").to_owned())
}

fn names(infos: &[Value]) -> Vec<&str> {
    infos.iter().map(|info| info["session_to"].as_str().expect("session_to")).collect()
}

fn done(
    world: &mut World,
    method: mock_server::machine::rest::Method,
    user: &str,
    tail: &str,
    body: &Value,
) -> Value {
    let (status, answer) = world.rest(method, &format!("/sdk/user/{user}/{tail}"), user, body);
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

fn bob() -> Value {
    json!({ "type": "chat", "to": "bob" })
}

#[test]
fn a_conversation_is_shown_with_all_that_4_x_reads() {
    let (mut world, alice) = town();
    world.text(alice, "bob", "one");
    world.muc_text(alice, GROUP, "7", "two");
    done(
        &mut world,
        Post,
        "bob",
        "user_channel/top?resource=web",
        &json!({ "type": "groupChat", "to": "7" }),
    );
    let marking = json!({ "mark": "mark_2", "targets": [{ "to": "alice", "type": "chat" }] });
    done(&mut world, Post, "bob", "user_channels/mark", &marking);
    let (infos, cursor) =
        page(&mut world, "bob", "list?&limit=20&cursor=&need_mark=true&needEmptySession=false");
    assert_eq!(cursor, "");
    let keys = |at: usize| {
        let info = &infos[at];
        (
            info["session_to"].as_str(),
            info["session_type"].as_str(),
            info["is_top"].as_bool(),
            info["update_top_status_time"].as_u64(),
            info["unread_num"].as_u64(),
            info["marks"].clone(),
        )
    };
    assert_eq!(keys(0), (Some("7"), Some("groupchat"), Some(true), Some(START.0), Some(1), Value::Null));
    assert_eq!(keys(1), (Some("alice"), Some("chat"), Some(false), Some(0), Some(1), json!(["mark_2"])));
    let payload: Value =
        serde_json::from_str(infos[0]["meta"]["payload"].as_str().expect("a text")).expect("JSON");
    assert_eq!((&payload["bodies"][0]["msg"], &payload["type"]), (&json!("two"), &json!("groupchat")));
}

#[test]
fn one_without_any_message_left_is_listed_where_that_is_asked_for() {
    let (mut world, alice) = town();
    let id = world.text(alice, "bob", "one");
    let path = format!("/sdk/message/roaming/chat/user/bob?userId=alice&msgIdList={id}&resource=r");
    assert_eq!(world.rest(Delete, &path, "bob", &Value::Null).0, 200);
    assert_eq!(page(&mut world, "bob", "list?needEmptySession=false").0, [] as [Value; 0]);
    for tail in ["list?needEmptySession=true", "list"] {
        let (infos, _) = page(&mut world, "bob", tail);
        assert_eq!((names(&infos), &infos[0]["meta"]), (vec!["alice"], &json!({})));
    }
}

#[test]
fn pinned_ones_are_listed_by_when_they_were_pinned_each_once() {
    let (mut world, alice) = town();
    for name in ["bob", "carl", "dora"] {
        world.text(alice, name, "hi");
    }
    // In one moment of the clock.
    for name in ["carl", "dora", "bob", "carl"] {
        done(&mut world, Post, "alice", "user_channel/top", &json!({ "type": "chat", "to": name }));
    }
    // Pinned again, one stays where it was.
    let (first, cursor) = page(&mut world, "alice", "list?is_top=true&limit=2");
    assert_eq!(names(&first), ["bob", "dora"]);
    let (second, end) = page(&mut world, "alice", &format!("list?is_top=true&limit=2&cursor={cursor}"));
    assert_eq!((names(&second), end.as_str()), (vec!["carl"], ""));
    done(&mut world, Delete, "alice", "user_channel/top?type=chat&to=dora&resource=web", &Value::Null);
    let unpinned = done(&mut world, Delete, "alice", "user_channel/top?resource=web", &bob());
    assert_eq!(unpinned["is_top"], json!(false), "the target may stand in the body");
    assert_eq!(names(&page(&mut world, "alice", "list?is_top=true").0), ["carl"]);
}

#[rstest]
#[case::never_written_to(json!({ "type": "chat", "to": "carl" }), 404, Some(91001))]
#[case::nobody(json!({ "type": "chat", "to": "zoe" }), 404, Some(91001))]
#[case::no_group(json!({ "type": "groupchat", "to": "99" }), 404, Some(91001))]
#[case::no_kind(json!({ "type": "room", "to": "7" }), 400, None)]
fn what_is_not_in_the_list_is_not_pinned(
    #[case] target: Value,
    #[case] status: u16,
    #[case] number: Option<u64>,
) {
    let (mut world, alice) = town();
    world.text(alice, "bob", "hi");
    let (got, answer) = world.rest(Post, "/sdk/user/alice/user_channel/top", "alice", &target);
    assert_eq!((got, answer["error_code"].as_u64()), (status, number), "{answer}");
    assert_eq!(page(&mut world, "alice", "list?is_top=true").0, [] as [Value; 0]);
}

#[test]
fn so_many_are_pinned_and_no_more() {
    let names: Vec<String> = (0..51).map(|number| format!("u{number}")).collect();
    let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
    all.push("alice");
    let mut world = World::strict(&all);
    let alice = world.connect("alice", "web");
    let pin = |world: &mut World, name: &str| {
        world.text(alice, name, "hi");
        let target = json!({ "type": "chat", "to": name });
        world.rest(Post, "/sdk/user/alice/user_channel/top", "alice", &target)
    };
    for name in &names[..50] {
        assert_eq!(pin(&mut world, name).0, 200);
    }
    let (status, answer) = pin(&mut world, "u50");
    assert_eq!((status, answer["error_code"].as_u64()), (403, Some(91002)));
    assert_eq!(pin(&mut world, "u49").0, 200, "one that is pinned already can be pinned again");
}

#[test]
fn marks_are_put_on_found_and_taken_off_one_by_one() {
    let (mut world, alice) = town();
    world.text(alice, "bob", "hi");
    world.text(alice, "carl", "hi");
    let targets = json!([{ "to": "bob", "type": "chat" }, { "to": "dora", "type": "chat" }, { "to": "zoe", "type": "chat" }]);
    let marking = |mark: &str| json!({ "mark": mark, "targets": targets });
    let answer = done(&mut world, Post, "alice", "user_channels/mark", &marking("mark_0"));
    let ignored = json!([{ "to": "dora", "type": "chat" }, { "to": "zoe", "type": "chat" }]);
    assert_eq!(answer["ignore"], ignored, "what is not in the list bears no mark");
    done(&mut world, Post, "alice", "user_channels/mark", &marking("mark_19"));
    let (infos, _) = page(&mut world, "alice", "mark/search?mark=mark_0");
    assert_eq!((names(&infos), &infos[0]["marks"]), (vec!["bob"], &json!(["mark_0", "mark_19"])));
    done(&mut world, Delete, "alice", "user_channels/mark", &marking("mark_0"));
    assert_eq!(page(&mut world, "alice", "mark/search?mark=mark_0").0, [] as [Value; 0]);
    assert_eq!(names(&page(&mut world, "alice", "mark/search?mark=mark_19").0), ["bob"]);
}

#[rstest]
#[case::too_high("mark_20")]
#[case::negative("mark_-1")]
#[case::signed("mark_+1")]
#[case::padded("mark_01")]
#[case::none("mark_")]
#[case::word("star")]
#[case::empty("")]
fn a_mark_is_one_of_twenty(#[case] mark: &str) {
    let (mut world, alice) = town();
    world.text(alice, "bob", "hi");
    let marking = json!({ "mark": mark, "targets": [{ "to": "bob", "type": "chat" }] });
    let (status, answer) = world.rest(Post, "/sdk/user/alice/user_channels/mark", "alice", &marking);
    let why = answer["error_description"].as_str().expect("a text");
    assert!(status == 400 && why.starts_with("param mark "), "{answer}");
    let path = format!("/sdk/user/alice/user_channels/mark/search?mark={mark}");
    assert_eq!(world.rest(Get, &path, "alice", &Value::Null).0, 400);
}

/// The operations that a device was told of, with the conversation and its `ext`.
fn told(world: &mut World, conn: ConnId) -> Vec<(String, String, String, Value)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entry = |news: Value| {
        let data = &news["data"];
        let op = if news["type"] == "conv" { text(&data["op"]) } else { text(&news["type"]) };
        let id = if data["id"].is_null() { &data["to"] } else { &data["id"] };
        let kind = if data["type"].is_null() { &data["chatType"] } else { &data["type"] };
        (op, text(id), text(kind), data["ext"].clone())
    };
    world.notified(conn).into_iter().map(entry).collect()
}

fn row(op: &str, id: &str, kind: &str, ext: Value) -> (String, String, String, Value) {
    (op.into(), id.into(), kind.into(), ext)
}

#[test]
fn the_users_other_devices_are_told_and_nobody_else() {
    let (mut world, alice) = town();
    let (phone, other) = (world.connect("alice", "phone"), world.connect("bob", "web"));
    let id = world.text(alice, "bob", "hi");
    world.muc_text(alice, GROUP, "7", "all");
    for device in [alice, phone, other] {
        world.catch_up(device);
    }
    let marking = json!({ "mark": "mark_3", "targets": [bob()] });
    done(&mut world, Post, "alice", "user_channel/top?resource=web", &bob());
    done(&mut world, Post, "alice", "user_channels/mark?resource=web", &marking);
    done(&mut world, Delete, "alice", "user_channels/mark?resource=web", &marking);
    done(&mut world, Delete, "alice", "user_channel/top?type=chat&to=bob&resource=web", &Value::Null);
    for path in [
        format!("/sdk/message/roaming/chat/user/alice?userId=bob&msgIdList={id}&resource=web"),
        "/sdk/message/roaming/group/user/alice/time?groupId=7&delTime=1&&resource=web".to_owned(),
    ] {
        assert_eq!(world.rest(Delete, &path, "alice", &Value::Null).0, 200, "{path}");
    }
    let deletion = json!({ "channel": "bob", "type": "chat", "delete_roam": true });
    assert_eq!(world.rest(Delete, "/user/alice/user_channel?resource=web", "alice", &deletion).0, 200);
    let expected = [
        row("top", "bob", "chat", Value::Null),
        row("mark", "bob", "chat", json!("mark_3")),
        row("mark_delete", "bob", "chat", json!("mark_3")),
        row("not_top", "bob", "chat", Value::Null),
        row("roaming_delete", "bob", "chat", Value::Null),
        row("roaming_delete", "7", "groupchat", Value::Null),
        row("del", "bob", "chat", Value::Null),
    ];
    assert_eq!(told(&mut world, phone), expected);
    assert_eq!(told(&mut world, alice), []);
    assert_eq!(told(&mut world, other), []);
    // A device that comes back hears what it has missed; a new one begins with the list as it is.
    world.hang_up(phone);
    done(
        &mut world,
        Post,
        "alice",
        "user_channel/top?resource=web",
        &json!({ "type": "groupchat", "to": "7" }),
    );
    let (phone, tablet) = (world.connect("alice", "phone"), world.connect("alice", "tablet"));
    assert_eq!(told(&mut world, phone), [row("top", "7", "groupchat", Value::Null)]);
    assert_eq!(told(&mut world, tablet), []);
}

#[test]
fn everything_that_was_listed_is_told_when_everything_is_deleted() {
    let (mut world, alice) = town();
    let phone = world.connect("alice", "phone");
    world.text(alice, "bob", "hi");
    world.muc_text(alice, GROUP, "7", "all");
    world.catch_up(phone);
    let path = "/sdk/message/roaming/user/alice/delete/all?resource=web";
    assert_eq!(world.rest(Post, path, "alice", &Value::Null).0, 200);
    let mut ops = told(&mut world, phone);
    ops.sort_by(|a, b| a.1.cmp(&b.1));
    assert_eq!(ops, [row("del", "7", "groupchat", Value::Null), row("del", "bob", "chat", Value::Null)]);
    assert_eq!(page(&mut world, "alice", "list").0, [] as [Value; 0]);
    assert_eq!(names(&page(&mut world, "bob", "list").0), ["7", "alice"]);
}

#[test]
fn a_conversation_that_was_deleted_comes_back_as_a_new_one() {
    let (mut world, alice) = town();
    world.text(alice, "bob", "hi");
    done(&mut world, Post, "bob", "user_channel/top", &json!({ "type": "chat", "to": "alice" }));
    let marking = json!({ "mark": "mark_3", "targets": [{ "type": "chat", "to": "alice" }] });
    done(&mut world, Post, "bob", "user_channels/mark", &marking);
    let deletion = json!({ "channel": "alice", "type": "chat" });
    assert_eq!(world.rest(Delete, "/user/bob/user_channel", "bob", &deletion).0, 200);
    world.text(alice, "bob", "again");
    let (list, _) = page(&mut world, "bob", "list");
    assert_eq!((&list[0]["is_top"], &list[0]["unread_num"]), (&json!(false), &json!(1)));
    assert_eq!(list[0].get("marks"), None);
}

#[test]
fn a_call_that_names_no_device_is_told_to_none() {
    let (mut world, alice) = town();
    let phone = world.connect("alice", "phone");
    world.text(alice, "bob", "hi");
    done(&mut world, Post, "alice", "user_channel/top", &bob());
    for device in [alice, phone] {
        assert_eq!(told(&mut world, device), []);
    }
}

#[test]
fn of_all_that_is_deleted_only_what_was_listed_is_told() {
    let (mut world, alice) = town();
    let phone = world.connect("alice", "phone");
    for to in ["bob", "dora"] {
        world.text(alice, to, "hi");
    }
    let deletion = json!({ "channel": "dora", "type": "chat" });
    assert_eq!(world.rest(Delete, "/user/alice/user_channel", "alice", &deletion).0, 200);
    let path = "/sdk/message/roaming/user/alice/delete/all?resource=web";
    assert_eq!(world.rest(Post, path, "alice", &Value::Null).0, 200);
    assert_eq!(told(&mut world, phone), [row("del", "bob", "chat", Value::Null)]);
}

#[test]
fn who_has_one_device_has_no_news_of_its_own_waiting() {
    let (mut world, alice) = town();
    world.text(alice, "bob", "hi");
    done(&mut world, Post, "alice", "user_channel/top?resource=web", &bob());
    assert_eq!(world.unread(alice), []);
}

#[test]
fn lists_that_are_off_say_so() {
    let (mut world, _) = town();
    world.patch(SettingsPatch { sessions: Some(false), ..SettingsPatch::default() });
    let (status, answer) = world.rest(Get, "/sdk/user/alice/user_channels/list", "alice", &Value::Null);
    assert_eq!((status, answer["error_description"].as_str()), (403, Some("service not open!")));
}

/// Who is written to between two pages.
fn walks() -> impl Strategy<Value = (usize, Vec<Option<usize>>)> {
    (1..4_usize, prop::collection::vec(prop_oneof![Just(None), (0..8_usize).prop_map(Some)], 0..12))
}

proptest! {
    #[test]
    fn a_walk_has_each_conversation_that_stays_as_it_is_once((limit, between) in walks()) {
        let names: Vec<String> = (0..8).map(|number| format!("u{number}")).collect();
        let mut all: Vec<&str> = names.iter().map(String::as_str).collect();
        all.push("alice");
        let mut world = World::strict(&all);
        let alice = world.connect("alice", "web");
        for name in &names {
            world.text(alice, name, "hi");
        }
        let (mut seen, mut cursor, mut between) = (Vec::new(), String::new(), between.into_iter());
        let mut moved = Vec::new();
        loop {
            let (infos, next) = page(&mut world, "alice", &format!("list?limit={limit}&cursor={cursor}"));
            seen.extend(infos.iter().map(|info| info["session_to"].as_str().unwrap_or_default().to_owned()));
            if next.is_empty() {
                break;
            }
            cursor = next;
            if let Some(Some(number)) = between.next() {
                world.text(alice, &names[number], "again");
                moved.push(names[number].clone());
            }
        }
        for name in &names {
            let times = seen.iter().filter(|other| *other == name).count();
            let expected = if moved.contains(name) { times.min(1) } else { 1 };
            prop_assert_eq!(times, expected, "{} in {:?}", name, seen);
        }
    }
}
