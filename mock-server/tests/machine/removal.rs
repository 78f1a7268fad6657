//! History that a user deletes, message by message or up to a moment: gone for that user alone (rest.md A.11).

use fixtures::wire::message_body;
use mock_server::control::Control;
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{Delete, Get, Post};
use proptest::prelude::{prop, prop_assert_eq, proptest};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::World;

const GROUP: message_body::Type = message_body::Type::Groupchat;

fn pair() -> (World, ConnId) {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    world.control(Control::Group { id: "7".into(), owner: "alice".into(), members: vec!["bob".into()] });
    let alice = world.connect("alice", "web");
    (world, alice)
}

/// The ids that the user's history of a queue has, walked page by page from either end.
fn history(world: &mut World, user: &str, queue: &str, forwards: bool) -> Vec<u64> {
    use base64::Engine as _;
    use prost::Message as _;
    let (mut ids, mut start) = (Vec::new(), json!(-1));
    for _ in 0..100 {
        let query =
            json!({ "queue": queue, "start": start, "end": -1, "pull_number": 3, "is_positive": forwards });
        let (status, answer) = world.rest(Post, &format!("/users/{user}/messageroaming"), user, &query);
        assert_eq!(status, 200, "{answer}");
        for msg in answer["data"]["msgs"].as_array().expect("msgs") {
            let bytes =
                base64::engine::general_purpose::STANDARD.decode(msg["msg"].as_str().expect("a text"));
            let meta = fixtures::wire::Meta::decode(&bytes.expect("base64")[..]).expect("a Meta");
            ids.push(meta.id.expect("an id"));
        }
        if answer["data"]["is_last"] == json!(true) {
            return ids;
        }
        start = answer["data"]["next_key"].clone();
    }
    panic!("no end");
}

fn remove(world: &mut World, user: &str, tail: &str) -> (u16, Value) {
    world.rest(Delete, &format!("/sdk/message/roaming/{tail}"), user, &Value::Null)
}

#[test]
fn ten_thousand_single_messages_of_a_conversation_and_no_more() {
    let (mut world, alice) = pair();
    let first = world.text(alice, "bob", "stays");
    for count in [10_000, 400] {
        let (from, to) = ("alice".to_owned(), "bob".to_owned());
        world.control(Control::Texts { from, to, text: "#".into(), count });
    }
    for part in 0..26 {
        let ids: Vec<String> = (1..=400).map(|number| (first + part * 400 + number).to_string()).collect();
        let tail = format!("chat/user/bob?userId=alice&msgIdList={}", ids.join(","));
        let (status, answer) = remove(&mut world, "bob", &tail);
        let expected =
            if part < 25 { (200, None) } else { (400, Some("The quantity has exceeded the limit!")) };
        assert_eq!((status, answer["error_description"].as_str()), expected, "{part}");
    }
}

#[test]
fn what_lies_behind_is_still_seen_and_the_last_of_the_list_is_the_one_before() {
    let (mut world, alice) = pair();
    let ids: Vec<u64> = (0..4).map(|number| world.text(alice, "bob", &number.to_string())).collect();
    let tail = format!("chat/user/bob?userId=alice&msgIdList={},{}&resource=r", ids[1], ids[3]);
    assert_eq!(remove(&mut world, "bob", &tail).0, 200);
    assert_eq!(history(&mut world, "bob", "alice@easemob.com", false), [ids[2], ids[0]]);
    assert_eq!(history(&mut world, "bob", "alice@easemob.com", true), [ids[0], ids[2]]);
    assert_eq!(history(&mut world, "alice", "bob@easemob.com", true), ids);
    let (_, answer) = world.rest(Get, "/sdk/user/bob/user_channels/list", "bob", &Value::Null);
    assert_eq!(answer["data"]["channel_infos"][0]["meta"]["id"], json!(ids[2].to_string()));
}

#[test]
fn a_moment_takes_what_was_sent_then_or_before() {
    let (mut world, alice) = pair();
    let first = world.muc_text(alice, GROUP, "7", "one");
    world.now.0 += 10;
    let at = world.now.0;
    let second = world.muc_text(alice, GROUP, "7", "two");
    world.now.0 += 10;
    let third = world.muc_text(alice, GROUP, "7", "three");
    let queue = "7@conference.easemob.com";
    let tail = |at: u64| format!("group/user/bob/time?groupId=7&delTime={at}&&resource=r");
    assert_eq!(remove(&mut world, "bob", &tail(at - 11)).0, 200);
    assert_eq!(history(&mut world, "bob", queue, true), [first, second, third]);
    assert_eq!(remove(&mut world, "bob", &tail(at)).0, 200);
    assert_eq!(history(&mut world, "bob", queue, true), [third]);
    assert_eq!(history(&mut world, "alice", queue, true), [first, second, third]);
}

#[test]
fn ids_of_another_conversation_or_of_nothing_are_passed_over() {
    let (mut world, alice) = pair();
    let to_carl = world.text(alice, "carl", "hi");
    let to_bob = world.text(alice, "bob", "hi");
    let tail = format!("chat/user/alice?userId=bob&msgIdList=1,{to_carl}&resource=r");
    assert_eq!(remove(&mut world, "alice", &tail).0, 200);
    assert_eq!(history(&mut world, "alice", "carl@easemob.com", true), [to_carl]);
    assert_eq!(history(&mut world, "alice", "bob@easemob.com", true), [to_bob]);
}

#[rstest]
#[case::no_ids("chat/user/bob?userId=alice", 400)]
#[case::empty("chat/user/bob?userId=alice&msgIdList=,", 400)]
#[case::no_digits("chat/user/bob?userId=alice&msgIdList=1,x", 400)]
#[case::no_peer("chat/user/bob?msgIdList=1", 404)]
#[case::nobody("chat/user/bob?userId=zoe&msgIdList=1", 404)]
#[case::no_group("group/user/bob?groupId=77&msgIdList=1", 404)]
#[case::no_time("chat/user/bob/time?userId=alice", 400)]
#[case::no_number("chat/user/bob/time?userId=alice&delTime=undefined", 400)]
#[case::not_yours("chat/user/alice?userId=bob&msgIdList=1", 403)]
fn what_makes_no_sense_is_refused(#[case] tail: &str, #[case] status: u16) {
    let (mut world, alice) = pair();
    let id = world.text(alice, "bob", "stays");
    assert_eq!(remove(&mut world, "bob", tail).0, status);
    assert_eq!(history(&mut world, "bob", "alice@easemob.com", true), [id]);
}

#[test]
fn a_url_names_so_many_and_no_more() {
    let (mut world, _) = pair();
    let ids = |count: usize| vec!["1"; count].join(",");
    let tail = |count| format!("chat/user/bob?userId=alice&msgIdList={}", ids(count));
    assert_eq!(remove(&mut world, "bob", &tail(400)).0, 200);
    assert_eq!(remove(&mut world, "bob", &tail(401)).0, 400);
}

proptest! {
    /// However it is told what is gone, exactly that is gone.
    #[test]
    fn exactly_what_was_deleted_is_gone(rounds in prop::collection::vec(prop::collection::vec(0..9_usize, 1..5), 0..5)) {
        let (mut world, alice) = pair();
        let ids: Vec<u64> = (0..9).map(|number| world.text(alice, "bob", &number.to_string())).collect();
        let mut left = ids.clone();
        for round in rounds {
            let list: Vec<String> = round.iter().map(|&at| ids[at].to_string()).collect();
            remove(&mut world, "bob", &format!("chat/user/bob?userId=alice&msgIdList={}", list.join(",")));
            left.retain(|id| !list.contains(&id.to_string()));
            prop_assert_eq!(&history(&mut world, "bob", "alice@easemob.com", true), &left);
        }
        let newest: Vec<u64> = left.iter().rev().copied().collect();
        prop_assert_eq!(history(&mut world, "bob", "alice@easemob.com", false), newest);
        prop_assert_eq!(history(&mut world, "alice", "bob@easemob.com", true), ids);
    }
}
