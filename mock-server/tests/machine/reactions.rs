//! Reactions to messages: given, taken back, listed, told of, shown in history (rest.md A.11, 0.11, clauses
//! v4.reaction.*).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fixtures::wire::{Meta, USER_DOMAIN, message_body};
use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{Delete, Get, Post};
use prost::Message as _;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{World, accepted, body_of, jid, text_of, with_body};

/// Alice, with two devices, has written to bob and to group `7`, where both are and carl is not; to room `8` too.
struct Town {
    world: World,
    alice: [ConnId; 2],
    bob: ConnId,
    single: u64,
    group: u64,
    room: u64,
}

impl Town {
    fn new() -> Self {
        let mut world = World::strict(&["alice", "bob", "carl"]);
        let members = vec!["bob".to_owned()];
        world.control(Control::Group { id: "7".into(), owner: "alice".into(), members: members.clone() });
        world.control(Control::Room { id: "8".into(), owner: "alice".into(), members });
        let alice = [world.connect("alice", "web"), world.connect("alice", "phone")];
        let bob = world.connect("bob", "web");
        let single = world.text(alice[0], "bob", "hi");
        let group = world.muc_text(alice[0], message_body::Type::Groupchat, "7", "all");
        let room = world.muc_text(alice[0], message_body::Type::Chatroom, "8", "here");
        let mut town = Self { world, alice, bob, single, group, room };
        town.told();
        town
    }

    fn add(&mut self, user: &str, id: u64, reaction: &str) -> (u16, Value) {
        let body = json!({ "msgId": id.to_string(), "message": reaction });
        self.world.rest(Post, &format!("/reaction/user/{user}"), user, &body)
    }

    fn remove(&mut self, user: &str, id: u64, reaction: &str) -> (u16, Value) {
        let path = format!("/reaction/user/{user}?msgId={id}&message={reaction}");
        self.world.rest(Delete, &path, user, &Value::Null)
    }

    fn list(&mut self, user: &str, query: &str) -> (u16, Value) {
        let (status, answer) =
            self.world.rest(Get, &format!("/reaction/user/{user}?{query}"), user, &Value::Null);
        (status, if status == 200 { answer["data"].clone() } else { answer["error_description"].clone() })
    }

    /// What alice's two devices and bob's were told of reactions since the last look.
    fn told(&mut self) -> [Vec<Value>; 3] {
        [self.alice[0], self.alice[1], self.bob].map(|conn| {
            let news = self.world.notified(conn);
            news.into_iter().map(|news| news["data"][0].clone()).collect()
        })
    }

    /// What each message of a user's history bears, the newest first.
    fn history(&mut self, user: &str, queue: &str) -> Vec<(String, Value)> {
        let path = format!("/users/{user}/messageroaming");
        let (_, answer) = self.world.rest(Post, &path, user, &json!({ "queue": queue }));
        let messages = answer["data"]["msgs"].as_array().expect("messages").iter();
        messages
            .map(|message| {
                let bytes = STANDARD.decode(message["msg"].as_str().expect("base64")).expect("base64");
                let meta = Meta::decode(&bytes[..]).expect("a Meta");
                let told =
                    body_of(&meta).meta.map(|told| serde_json::from_str::<Value>(&told).expect("JSON"));
                (text_of(&meta), told.map_or(Value::Null, |told| told["reaction"].clone()))
            })
            .collect()
    }
}

/// Nobody was told anything.
const QUIET: [Vec<Value>; 3] = [vec![], vec![], vec![]];

fn refused(words: &str) -> (u16, Value) {
    (400, json!(words))
}

fn words((status, answer): (u16, Value)) -> (u16, Value) {
    (status, answer["error_description"].clone())
}

#[test]
fn both_sides_are_told_on_every_device_and_history_shows_it() {
    let mut town = Town::new();
    let id = town.single;
    assert_eq!(town.add("bob", id, "👍").0, 200);
    let told = |mine: bool| {
        let op = json!([{ "operator": "bob", "reactionType": "create" }]);
        let one = json!({ "reaction": "👍", "count": 1, "userList": ["bob"], "state": mine, "op": op });
        vec![json!({
            "from": "bob", "to": "alice", "channel_type": "chat", "messageId": id.to_string(),
            "reactions": [one], "ts": town.world.now.0,
        })]
    };
    let expected = [told(false), told(false), told(true)];
    assert_eq!(town.told(), expected);
    assert_eq!(town.add("alice", id, "👍").0, 200);
    assert_eq!(town.add("alice", id, "🎉").0, 200);
    town.told();
    let both = json!([
        { "reaction": "👍", "count": 2, "userList": ["bob", "alice"], "state": true },
        { "reaction": "🎉", "count": 1, "userList": ["alice"], "state": false },
    ]);
    assert_eq!(town.history("bob", "alice@easemob.com"), [("hi".to_owned(), both)]);
    assert_eq!(town.remove("bob", id, "%F0%9F%91%8D").0, 200, "some browsers encode it");
    let [_, _, bob] = town.told();
    let gone = json!([{ "operator": "bob", "reactionType": "delete" }]);
    let left = json!({ "reaction": "👍", "count": 1, "userList": ["alice"], "state": false, "op": gone });
    let other = json!({ "reaction": "🎉", "count": 1, "userList": ["alice"], "state": false });
    assert_eq!(bob[0]["reactions"], json!([left, other]));
    assert_eq!(town.remove("alice", id, "👍").0, 200);
    let [_, _, bob] = town.told();
    let none = json!([{ "operator": "alice", "reactionType": "delete" }]);
    let gone = json!({ "reaction": "👍", "count": 0, "userList": [], "state": false, "op": none });
    assert_eq!(bob[0]["reactions"], json!([other, gone]));
}

#[test]
fn a_message_without_reactions_is_shown_as_the_bytes_that_came() {
    let mut town = Town::new();
    let path = "/users/bob/messageroaming";
    let query = json!({ "queue": "alice@easemob.com" });
    let before = town.world.rest(Post, path, "bob", &query).1["data"]["msgs"].clone();
    let id = town.single;
    town.add("bob", id, "a");
    let with = town.world.rest(Post, path, "bob", &query).1["data"]["msgs"].clone();
    assert_ne!(with, before);
    let decode = |messages: &Value| {
        let bytes = STANDARD.decode(messages[0]["msg"].as_str().expect("base64")).expect("base64");
        Meta::decode(&bytes[..]).expect("a Meta")
    };
    let (meta, was) = (decode(&with), decode(&before));
    let bare = fixtures::wire::MessageBody { meta: None, ..body_of(&meta) };
    assert_eq!(Meta { payload: None, ..meta }, Meta { payload: None, ..was.clone() });
    assert_eq!(bare, body_of(&was));
    town.remove("bob", id, "a");
    assert_eq!(town.world.rest(Post, path, "bob", &query).1["data"]["msgs"], before);
}

#[test]
fn a_groups_members_are_told_and_list_them_and_nobody_else() {
    let mut town = Town::new();
    let id = town.group;
    assert_eq!(town.add("bob", id, "+").0, 200);
    let [web, phone, bob] = town.told();
    for told in [&web, &phone, &bob] {
        assert_eq!((&told[0]["to"], &told[0]["channel_type"]), (&json!("7"), &json!("groupchat")));
    }
    assert_eq!(words(town.add("carl", id, "+")), refused("The user not in this group!"));
    let query = format!("msgIdList={id}&msgType=groupchat&groupId=7");
    let list = |mine: bool| {
        let id = id.to_string();
        move |answer: &Value| {
            let one = &answer[0]["reactionList"][0];
            assert_eq!(answer[0]["msgId"], id);
            let seen = (&one["reaction"], &one["userCount"], &one["state"], &one["userList"]);
            assert_eq!(seen, (&json!("+"), &json!(1), &json!(mine), &json!(["bob"])));
        }
    };
    list(false)(&town.list("alice", &query).1);
    list(true)(&town.list("bob", &query).1);
    assert_eq!(town.list("carl", &query), refused("The user not in this group!"));
    for group in ["", "&groupId=", "&groupId=null"] {
        let query = format!("msgIdList={id}&msgType=groupchat{group}");
        assert_eq!(town.list("alice", &query), refused("groupId can not be null!"));
    }
    let away = format!("msgIdList={id}&msgType=groupchat&groupId=99");
    assert_eq!(town.list("alice", &away).0, 404);
    town.world.control(Control::Leave { id: "7".into(), users: vec!["bob".into()] });
    assert_eq!(words(town.remove("bob", id, "+")), refused("The user not in this group!"));
}

#[test]
fn a_message_for_programs_bears_none() {
    let mut town = Town::new();
    let meta = town.world.text_meta(town.alice[0], "bob", "");
    let mut body = body_of(&meta);
    body.contents[0].r#type = Some(message_body::content::Type::Command as i32);
    let command = accepted(&town.world.send(town.alice[0], with_body(meta, &body)));
    assert_eq!(words(town.add("bob", command, "+")), refused("the user operation is illegal!"));
}

#[test]
fn news_and_history_name_the_first_three() {
    let users: Vec<String> = (0..5).map(|number| format!("u{number}")).collect();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let mut world = World::strict(&names);
    let members = users[1..].to_vec();
    world.control(Control::Group { id: "7".into(), owner: "u0".into(), members });
    let conn = world.connect("u0", "web");
    let id = world.muc_text(conn, message_body::Type::Groupchat, "7", "hi");
    for user in &users {
        let body = json!({ "msgId": id.to_string(), "message": "+" });
        assert_eq!(world.rest(Post, &format!("/reaction/user/{user}"), user, &body).0, 200);
    }
    let news = world.notified(conn);
    let last = &news[4]["data"][0]["reactions"][0];
    assert_eq!((&last["count"], &last["userList"]), (&json!(5), &json!(["u0", "u1", "u2"])));
}

#[test]
fn several_messages_are_listed_at_once() {
    let mut town = Town::new();
    let (a, b) = (town.single, town.world.text(town.alice[0], "bob", "two"));
    town.add("bob", b, "+");
    let (_, data) = town.list("alice", &format!("msgIdList={a},{b}&msgType=chat&groupId=null"));
    assert_eq!((&data[0]["msgId"], &data[0]["reactionList"]), (&json!(a.to_string()), &json!([])));
    assert_eq!(data[1]["reactionList"][0]["reaction"], "+");
}

#[test]
fn all_who_gave_one_are_listed_page_by_page() {
    let users: Vec<String> = (0..5).map(|number| format!("u{number}")).collect();
    let names: Vec<&str> = users.iter().map(String::as_str).collect();
    let mut world = World::strict(&names);
    world.control(Control::Group { id: "7".into(), owner: "u0".into(), members: users[1..].to_vec() });
    let conn = world.connect("u0", "web");
    let id = world.muc_text(conn, message_body::Type::Groupchat, "7", "all");
    for user in &users {
        let body = json!({ "msgId": id.to_string(), "message": "a&b" });
        assert_eq!(world.rest(Post, &format!("/reaction/user/{user}"), user, &body).0, 200);
    }
    let (_, list) = world.rest(
        Get,
        &format!("/reaction/user/u0?msgIdList={id}&msgType=groupchat&groupId=7"),
        "u0",
        &Value::Null,
    );
    let one = &list["data"][0]["reactionList"][0];
    assert_eq!(
        (&one["userCount"], &one["userList"]),
        (&json!(5), &json!(["u0", "u1", "u2"])),
        "the first three"
    );
    let page = |world: &mut World, user: &str, cursor: &str| {
        let path =
            format!("/reaction/user/{user}/detail?msgId={id}&message=a%26b&currentPage={cursor}&pageSize=2");
        let data = world.rest(Get, &path, user, &Value::Null).1["data"].clone();
        assert_eq!(
            (&data["reaction"], &data["state"], &data["userCount"]),
            (&json!("a&b"), &json!(true), &json!(5))
        );
        (data["userList"].clone(), data["cursor"].as_str().expect("a text").to_owned())
    };
    assert_eq!(page(&mut world, "u4", "null"), (json!(["u0", "u1"]), "2".into()));
    assert_eq!(page(&mut world, "u4", "2"), (json!(["u2", "u3"]), "4".into()));
    assert_eq!(page(&mut world, "u4", "4"), (json!(["u4"]), String::new()));
    let path = format!("/reaction/user/u0/detail?msgId={id}&message=none&currentPage=null&pageSize=2");
    let (_, none) = world.rest(Get, &path, "u0", &Value::Null);
    assert_eq!((&none["data"]["userCount"], &none["data"]["state"]), (&json!(0), &json!(false)));
}

#[test]
fn a_recalled_message_loses_them() {
    let mut town = Town::new();
    let id = town.single;
    town.add("bob", id, "+");
    let alice = town.alice[0];
    let answer = town.world.note(alice, message_body::Type::Recall, jid("bob", USER_DOMAIN), id);
    assert_eq!(answer, (0, String::new()));
    assert_eq!(words(town.add("bob", id, "-")), refused("the user operation is illegal!"));
    assert_eq!(
        town.list("bob", &format!("msgIdList={id}&msgType=chat")),
        refused("the user operation is illegal!")
    );
    assert_eq!(town.history("bob", "alice@easemob.com"), []);
}

#[test]
fn a_removed_user_leaves_none() {
    let mut town = Town::new();
    let id = town.group;
    town.add("alice", id, "+");
    town.add("bob", id, "+");
    town.add("bob", id, "-");
    town.world.control(Control::RemoveUser { user: "bob".into() });
    let history = town.history("alice", "7@conference.easemob.com");
    let left = json!([{ "reaction": "+", "count": 1, "userList": ["alice"], "state": true }]);
    assert_eq!(history, [("all".to_owned(), left)]);
}

#[rstest]
#[case::twice("alice", 0, "x", "the user is already operation this message")]
#[case::from_outside("carl", 0, "y", "the user operation is illegal!")]
#[case::in_a_room("alice", 1, "y", "the user operation is illegal!")]
#[case::to_nothing("alice", 2, "y", "the user operation is illegal!")]
#[case::empty("alice", 0, "", "a reaction holds 1 to 128 characters")]
#[case::too_long("alice", 0, &"ö".repeat(129), "a reaction holds 1 to 128 characters")]
fn what_is_no_reaction(
    #[case] user: &str,
    #[case] which: usize,
    #[case] reaction: &str,
    #[case] expected: &str,
) {
    let mut town = Town::new();
    let (single, room) = (town.single, town.room);
    assert_eq!(town.add("alice", single, "x").0, 200);
    town.told();
    let id = [single, room, 1][which];
    assert_eq!(words(town.add(user, id, reaction)), refused(expected));
    assert_eq!(town.told(), QUIET);
    assert_eq!(town.add("alice", single, &"ö".repeat(128)).0, 200);
}

#[test]
fn what_one_never_gave_is_not_taken_back() {
    let mut town = Town::new();
    let id = town.single;
    town.add("alice", id, "x");
    town.told();
    for reaction in ["x", "y"] {
        assert_eq!(words(town.remove("bob", id, reaction)), refused("the user operation is illegal!"));
    }
    assert_eq!(town.told(), QUIET);
}

#[test]
fn twenty_different_ones_and_no_more() {
    let mut town = Town::new();
    let id = town.single;
    for number in 0..20 {
        assert_eq!(town.add("alice", id, &format!("r{number}")).0, 200);
    }
    assert_eq!(words(town.add("bob", id, "r20")), refused("The quantity has exceeded the limit!"));
    assert_eq!(town.add("bob", id, "r19").0, 200, "one that is there");
    assert_eq!(town.remove("alice", id, "r0").0, 200);
    assert_eq!(town.add("bob", id, "r20").0, 200);
}

#[test]
fn an_app_without_them_says_so() {
    let mut town = Town::new();
    town.world.patch(SettingsPatch { reactions: Some(false), ..SettingsPatch::default() });
    let off = refused("this appKey is not open reaction service!");
    let id = town.single;
    assert_eq!(words(town.add("alice", id, "x")), off);
    assert_eq!(words(town.remove("alice", id, "x")), off);
    assert_eq!(town.list("alice", &format!("msgIdList={id}&msgType=chat")), off);
}
