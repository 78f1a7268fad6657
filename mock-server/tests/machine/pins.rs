//! Messages pinned in their conversation: for whom, who is told, how long (clause v4.pin; rest.md A.11, A.12).

use fixtures::wire::message_body::Type;
use fixtures::wire::{CONFERENCE_DOMAIN, USER_DOMAIN};
use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{self, Delete, Get, Post};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{START, World, jid};

/// Alice, bob and carl in group `7` and room `8`, both alice's; dora is in neither.
fn world() -> (World, ConnId, ConnId) {
    let mut world = World::strict(&["alice", "bob", "carl", "dora"]);
    let members = vec!["bob".to_owned(), "carl".to_owned()];
    world.control(Control::Group { id: "7".into(), owner: "alice".into(), members: members.clone() });
    world.control(Control::Room { id: "8".into(), owner: "alice".into(), members });
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    (world, alice, bob)
}

fn change(world: &mut World, method: Method, user: &str, to: &str, kind: &str, id: u64) -> (u16, Value) {
    let body = json!({ "to": to, "type": kind, "pin_msg_id": id.to_string() });
    world.rest(method, &format!("/sdk/user/{user}/user_channel/pin?resource=web"), user, &body)
}

fn pin(world: &mut World, user: &str, to: &str, kind: &str, id: u64) {
    let (status, answer) = change(world, Post, user, to, kind, id);
    assert_eq!(status, 200, "{answer}");
}

/// Ids and operators of one page, and its cursor.
fn list(world: &mut World, user: &str, query: &str) -> (Vec<(String, String)>, String) {
    let (status, answer) =
        world.rest(Get, &format!("/sdk/user/{user}/user_channel/pin?{query}"), user, &Value::Null);
    assert_eq!(status, 200, "{answer}");
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let infos = answer["data"]["msg_infos"].as_array().expect("msg_infos").iter();
    let rows = infos.map(|info| {
        let payload: Value =
            serde_json::from_str(&text(&info["message"]["payload"])).expect("JSON in a string");
        assert!(payload["bodies"][0]["msg"].is_string());
        (text(&info["message"]["id"]), text(&info["pin_operator"]))
    });
    (rows.collect(), text(&answer["data"]["cursor"]))
}

#[rstest]
#[case::single(Type::Chat, "bob", "chat", "alice")]
#[case::group(Type::Groupchat, "7", "groupchat", "7")]
#[case::room(Type::Chatroom, "8", "chatroom", "8")]
fn all_who_are_in_it_are_told_and_list_it(
    #[case] kind: Type,
    #[case] to: &str,
    #[case] word: &str,
    #[case] for_bob: &str,
) {
    let (mut world, alice, bob) = world();
    let phone = world.connect("alice", "phone");
    let id = match kind {
        Type::Chat => world.text(alice, to, "hi"),
        _ => world.muc_text(alice, kind, to, "hi"),
    };
    for device in [alice, bob, phone] {
        world.catch_up(device);
    }
    for (method, op) in [(Post, "pin"), (Delete, "pin_delete")] {
        let (status, answer) = change(&mut world, method, "alice", to, word, id);
        assert_eq!(status, 200, "{answer}");
        let news = json!({ "type": "conv", "data": {
            "op": op, "id": to, "type": word, "ts": START.0, "res": "web", "from": "alice", "ext": id.to_string(),
        } });
        assert_eq!(world.notified(bob), std::slice::from_ref(&news));
        assert_eq!(world.notified(phone), [news]);
        assert_eq!(world.notified(alice), [] as [Value; 0]);
        let listed = if op == "pin" { vec![(id.to_string(), "alice".to_owned())] } else { Vec::new() };
        assert_eq!(list(&mut world, "bob", &format!("to={for_bob}&type={word}")), (listed, String::new()));
    }
}

#[test]
fn pages_have_the_one_pinned_last_at_first_each_once() {
    let (mut world, alice, _) = world();
    let ids: Vec<u64> = (0..5).map(|number| world.text(alice, "bob", &number.to_string())).collect();
    for id in [ids[0], ids[1], ids[2], ids[3], ids[4], ids[1]] {
        pin(&mut world, "alice", "bob", "chat", id);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let (rows, next) = list(&mut world, "bob", &format!("to=alice&type=chat&limit=2&cursor={cursor}"));
        seen.extend(rows.into_iter().map(|(id, _)| id));
        if next.is_empty() {
            break;
        }
        cursor = next;
    }
    let expected = [ids[1], ids[4], ids[3], ids[2], ids[0]].map(|id| id.to_string());
    assert_eq!(seen, expected);
}

#[test]
fn so_many_are_pinned_and_no_more() {
    let (mut world, alice, _) = world();
    let ids: Vec<u64> = (0..21).map(|number| world.text(alice, "bob", &number.to_string())).collect();
    for &id in &ids[..20] {
        pin(&mut world, "alice", "bob", "chat", id);
    }
    let (status, answer) = change(&mut world, Post, "alice", "bob", "chat", ids[20]);
    let why = answer["error_description"].as_str();
    assert_eq!((status, why), (400, Some("The quantity has exceeded the limit!")));
    pin(&mut world, "alice", "bob", "chat", ids[3]);
    // One that is recalled makes room.
    assert_eq!(world.note(alice, Type::Recall, jid("bob", USER_DOMAIN), ids[0]).0, 0);
    pin(&mut world, "alice", "bob", "chat", ids[20]);
}

#[test]
fn a_recalled_one_and_those_of_a_group_that_is_gone_are_pinned_no_more() {
    let (mut world, alice, _) = world();
    let id = world.muc_text(alice, Type::Groupchat, "7", "hi");
    pin(&mut world, "bob", "7", "groupchat", id);
    assert_eq!(world.note(alice, Type::Recall, jid("7", CONFERENCE_DOMAIN), id).0, 0);
    assert_eq!(list(&mut world, "bob", "to=7&type=groupchat").0, []);
    world.control(Control::Dissolve { id: "7".into() });
    let (status, _) =
        world.rest(Get, "/sdk/user/bob/user_channel/pin?to=7&type=groupchat", "bob", &Value::Null);
    assert_eq!(status, 404);
}

#[test]
fn what_is_not_there_is_not_pinned() {
    let (mut world, alice, _) = world();
    let elsewhere = world.text(alice, "carl", "hi");
    for id in [1, elsewhere] {
        let (status, answer) = change(&mut world, Post, "alice", "bob", "chat", id);
        let why = answer["error_description"].as_str();
        assert_eq!((status, why), (400, Some("param pin_msg_id illegal, please check it!")));
    }
    let id = world.text(alice, "bob", "hi");
    let (status, answer) = change(&mut world, Delete, "alice", "bob", "chat", id);
    assert_eq!(
        (status, answer["error_description"].as_str()),
        (404, Some("user session pin message not exist"))
    );
}

#[rstest]
#[case::stranger("dora", "7", "groupchat", 400, "The user not in this group!")]
#[case::stranger_in_a_room("dora", "8", "chatroom", 400, "The user not in this group!")]
#[case::a_room_is_no_group("alice", "8", "groupchat", 404, "grpID 8 does not exist!")]
fn who_is_not_in_it_neither_pins_nor_lists(
    #[case] user: &str,
    #[case] to: &str,
    #[case] word: &str,
    #[case] status: u16,
    #[case] why: &str,
) {
    let (mut world, alice, _) = world();
    let id = world.muc_text(alice, Type::Groupchat, "7", "hi");
    let (got, answer) = change(&mut world, Post, user, to, word, id);
    assert_eq!((got, answer["error_description"].as_str()), (status, Some(why)));
    let path = format!("/sdk/user/{user}/user_channel/pin?to={to}&type={word}");
    assert_eq!(world.rest(Get, &path, user, &Value::Null).0, status);
}

#[test]
fn pins_that_are_off_say_so() {
    let (mut world, alice, _) = world();
    let id = world.text(alice, "bob", "hi");
    world.patch(SettingsPatch { pins: Some(false), ..SettingsPatch::default() });
    let (status, answer) = change(&mut world, Post, "alice", "bob", "chat", id);
    assert_eq!((status, answer["error_description"].as_str()), (403, Some("service not open!")));
}
