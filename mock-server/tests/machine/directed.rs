//! Messages for some members, and for who is there (wire-4x §5.1, clauses v4.directed, v4.online-only, v4.priority).

use fixtures::wire::message_body::Type;
use fixtures::wire::{CONFERENCE_DOMAIN, KeyValue, MessageBody, Meta, key_value, meta};
use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{Get, Post};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{APP, World, accepted, body_of, code, jid, text_of, with_body};

/// Group `g` and room `r` have all of alice, bob, carl and dora; erin is in neither.
fn world() -> World {
    let mut world = World::strict(&["alice", "bob", "carl", "dora", "erin"]);
    let members: Vec<String> = ["bob", "carl", "dora"].map(str::to_owned).into();
    world.control(Control::Group { id: "g".into(), owner: "alice".into(), members: members.clone() });
    world.control(Control::Room { id: "r".into(), owner: "alice".into(), members });
    world
}

fn directed(world: &mut World, conn: ConnId, kind: Type, to: &str, users: &[&str], text: &str) -> Meta {
    Meta {
        routetype: Some(meta::RouteType::RouteDirect as i32),
        directed_users: users.iter().map(|user| (*user).to_owned()).collect(),
        ..world.muc_meta(conn, kind, to, text)
    }
}

fn online_only(meta: Meta) -> Meta {
    Meta { routetype: Some(meta::RouteType::RouteOnline as i32), ..meta }
}

fn history(world: &mut World, user: &str, queue: &str) -> usize {
    let body = json!({ "queue": queue, "start": -1 });
    let (_, answer) = world.rest(Post, &format!("/users/{user}/messageroaming"), user, &body);
    answer["data"]["msgs"].as_array().map_or(0, Vec::len)
}

fn channels(world: &mut World, user: &str) -> Value {
    world.rest(Get, &format!("/users/{user}/user_channels"), user, &Value::Null).1["data"]["channel_infos"]
        .clone()
}

#[rstest]
#[case::group(Type::Groupchat, "g")]
#[case::room(Type::Chatroom, "r")]
fn those_named_get_it_and_ones_other_devices(#[case] kind: Type, #[case] to: &str) {
    let mut world = world();
    let [alice, phone, bob, carl] = [("alice", "web"), ("alice", "phone"), ("bob", "web"), ("carl", "web")]
        .map(|(user, device)| world.connect(user, device));
    // Names are folded, twice is once, and who is no member gets nothing.
    let meta = directed(&mut world, alice, kind, to, &["Bob", "bob", "erin"], "for bob");
    accepted(&world.send(alice, meta));
    assert_eq!(world.texts(bob), ["for bob"]);
    assert_eq!(world.texts(phone), ["for bob"]);
    assert_eq!(world.texts(carl), [""; 0]);
    world.muc_text(alice, kind, to, "for all");
    assert_eq!(world.texts(carl), ["for all"], "what is behind comes as ever");
}

#[test]
fn it_waits_for_those_named_and_is_in_their_history_alone() {
    let mut world = world();
    let alice = world.connect("alice", "web");
    let meta = directed(&mut world, alice, Type::Groupchat, "g", &["bob"], "for bob");
    accepted(&world.send(alice, meta));
    let [bob, carl] = ["bob", "carl"].map(|user| world.connect(user, "web"));
    assert_eq!(world.catch_up(bob).iter().map(text_of).collect::<Vec<_>>(), ["for bob"]);
    assert_eq!(world.unread(carl), []);
    let queue = "g@conference.easemob.com";
    let seen = ["alice", "bob", "carl"].map(|user| history(&mut world, user, queue));
    assert_eq!(seen, [1, 1, 0]);
    assert_eq!(channels(&mut world, "bob")[0]["unread_num"], 1);
    assert_eq!(channels(&mut world, "carl"), json!([]), "nobody else knows of it");
}

#[test]
fn the_last_message_of_a_list_is_one_that_its_user_may_see() {
    let mut world = world();
    let alice = world.connect("alice", "web");
    let for_all = world.muc_text(alice, Type::Groupchat, "g", "for all");
    let meta = directed(&mut world, alice, Type::Groupchat, "g", &["bob"], "for bob");
    accepted(&world.send(alice, meta));
    assert_eq!(channels(&mut world, "carl")[0]["meta"]["id"], for_all.to_string());
    assert_eq!(channels(&mut world, "carl")[0]["unread_num"], 1);
    assert_eq!(channels(&mut world, "bob")[0]["unread_num"], 2);
}

#[test]
fn its_recall_takes_nothing_from_the_counts_of_others() {
    let mut world = world();
    let alice = world.connect("alice", "web");
    world.muc_text(alice, Type::Groupchat, "g", "for all");
    let meta = directed(&mut world, alice, Type::Groupchat, "g", &["bob"], "for bob");
    let id = accepted(&world.send(alice, meta));
    let meta = world.note_meta(alice, Type::Recall, jid("g", CONFERENCE_DOMAIN), Some(id));
    accepted(&world.send(alice, meta));
    assert_eq!(channels(&mut world, "carl")[0]["unread_num"], 1);
    assert_eq!(channels(&mut world, "bob")[0]["unread_num"], 1);
}

#[test]
fn who_was_left_out_learns_nothing_of_it() {
    let mut world = world();
    world.control(Control::Admins { id: "g".into(), users: vec!["carl".into()] });
    world.patch(SettingsPatch { admins_recall: Some(true), ..SettingsPatch::default() });
    let [alice, bob, carl] = ["alice", "bob", "carl"].map(|user| world.connect(user, "web"));
    let meta = directed(&mut world, alice, Type::Groupchat, "g", &["bob"], "for bob");
    let id = accepted(&world.send(alice, meta)).to_string();
    let reaction = json!({ "msgId": id, "message": "👍" });
    let report = json!({ "reportType": "x" });
    let pin = json!({ "to": "g", "type": "groupchat", "pin_msg_id": id });
    let thread = json!({ "name": "t", "msg_id": id, "group_id": "g" });
    for (user, good) in [("carl", false), ("bob", true)] {
        for (path, body) in [
            (format!("/reaction/user/{user}"), &reaction),
            (format!("/user/{user}/moderation/report/message/{id}"), &report),
            (format!("/sdk/user/{user}/user_channel/pin"), &pin),
            ("/thread".to_owned(), &thread),
        ] {
            let (status, answer) = world.rest(Post, &path, user, body);
            assert_eq!(status == 200, good, "{path} {answer}");
        }
        let path = format!("/sdk/user/{user}/user_channel/pin?to=g&type=groupchat");
        let (_, answer) = world.rest(Get, &path, user, &Value::Null);
        assert_eq!(answer["data"]["msg_infos"].as_array().map(Vec::len), Some(usize::from(good)));
    }
    let (_, answer) =
        world.rest(Get, "/sdk/user/carl/user_channel/pin?to=g&type=groupchat", "carl", &Value::Null);
    assert_eq!(answer["data"]["msg_infos"], json!([]), "though it is pinned by now");
    let id = id.parse().ok();
    let to = || jid("g", CONFERENCE_DOMAIN);
    for kind in [Type::Recall, Type::Edit] {
        let meta = world.note_meta(carl, kind, to(), id);
        let body = MessageBody { edit_message_id: id, ..body_of(&meta) };
        let refused = world.status(carl, with_body(meta, &body));
        let unknown = ["message not found", "Sorry, message does not exist"];
        assert!(unknown.contains(&refused.1.as_str()), "{refused:?}");
    }
    for conn in [bob, carl] {
        world.catch_up(conn);
    }
    let meta = world.note_meta(alice, Type::Recall, to(), id);
    accepted(&world.send(alice, meta));
    assert_eq!(world.notes(bob), [(Type::Recall as i32, id)]);
    assert_eq!(world.notes(carl), [], "4.x would show the recall of a message that it never had");
}

#[test]
fn its_recall_by_the_app_is_for_those_named_too() {
    let mut world = world();
    let [alice, bob, carl] = ["alice", "bob", "carl"].map(|user| world.connect(user, "web"));
    let meta = directed(&mut world, alice, Type::Groupchat, "g", &["bob"], "for bob");
    let id = accepted(&world.send(alice, meta));
    let body = json!({ "msg_id": id.to_string(), "to": "g", "chat_type": "groupchat", "force": true });
    let (status, answer) = world.rest(Post, "/messages/msg_recall", APP, &body);
    assert_eq!((status, &answer["data"]["recalled"]), (200, &json!("yes")), "{answer}");
    assert_eq!(world.notes(bob), [(Type::Recall as i32, Some(id))]);
    assert_eq!(world.notes(carl), []);
}

#[test]
fn twenty_can_be_named() {
    let mut world = world();
    let alice = world.connect("alice", "web");
    for (users, expected) in [(20, (0, "")), (21, (1, "limit directed users"))] {
        let users = vec!["bob"; users];
        let meta = directed(&mut world, alice, Type::Groupchat, "g", &users, "hi");
        assert_eq!(code(&world.send(alice, meta)), expected);
    }
}

#[rstest]
#[case::single("bob", None)]
#[case::group("g", Some(Type::Groupchat))]
#[case::room("r", Some(Type::Chatroom))]
fn for_who_is_there(#[case] to: &str, #[case] kind: Option<Type>) {
    let mut world = world();
    let [alice, bob] = ["alice", "bob"].map(|user| world.connect(user, "web"));
    let meta = |world: &mut World, text| match kind {
        Some(kind) => world.muc_meta(alice, kind, to, text),
        None => world.text_meta(alice, to, text),
    };
    let first = meta(&mut world, "now");
    accepted(&world.send(alice, online_only(first)));
    assert_eq!(world.texts(bob), ["now"]);
    // Who is there but has not pulled yet is there.
    let second = meta(&mut world, "soon");
    accepted(&world.send(alice, online_only(second)));
    let late = world.connect("bob", "phone");
    assert_eq!(world.unread(late), [], "a device that comes later gets nothing");
    assert_eq!(world.texts(bob), ["soon"]);
    assert_eq!(channels(&mut world, "bob"), json!([]), "no list, and no unread count");
    let queue =
        if kind.is_some() { format!("{to}@conference.easemob.com") } else { "alice@easemob.com".into() };
    assert_eq!(history(&mut world, "bob", &queue), 0);
    let third = meta(&mut world, "as ever");
    accepted(&world.send(alice, third));
    assert_eq!(world.texts(bob), ["as ever"]);
    assert_eq!(world.texts(late), ["as ever"]);
}

#[test]
fn it_can_be_recalled() {
    let mut world = world();
    let [alice, bob] = ["alice", "bob"].map(|user| world.connect(user, "web"));
    let meta = world.text_meta(alice, "bob", "now");
    let id = accepted(&world.send(alice, online_only(meta)));
    let (status, answer) = {
        let token = world.app_token();
        let mut asked = World::asks(Post, "/messages/msg_recall", Some(&token));
        asked.body = format!(r#"{{"msg_id":"{id}","to":"bob","chat_type":"chat","force":true}}"#).into();
        let response = world.ask(asked);
        (response.status, crate::world::json_of(&response))
    };
    assert_eq!((status, &answer["data"]["recalled"]), (200, &json!("yes")), "{answer}");
    let kinds: Vec<_> = world.catch_up(bob).iter().map(|meta| body_of(meta).r#type()).collect();
    assert_eq!(kinds, [Type::Recall]);
}

#[test]
fn a_rooms_message_keeps_its_priority() {
    let mut world = world();
    let [alice, bob] = ["alice", "bob"].map(|user| world.connect(user, "web"));
    let tag = KeyValue {
        key: Some("chatroom_msg_tag".into()),
        r#type: Some(key_value::ValueType::Int as i32),
        value: Some(key_value::Value::VarintValue(2)),
    };
    let meta = Meta { ext: vec![tag.clone()], ..world.muc_meta(alice, Type::Chatroom, "r", "not urgent") };
    accepted(&world.send(alice, meta));
    let got = world.catch_up(bob);
    assert_eq!(got.iter().map(|meta| meta.ext.clone()).collect::<Vec<_>>(), [[tag]]);
}
