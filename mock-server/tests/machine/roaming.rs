//! History over REST: pages, their order and end, and whose history it is (rest.md A.6).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fixtures::wire::{KeyValue, Meta, message_body};
use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{Delete, Post};
use proptest::prelude::{prop, prop_assert_eq, proptest};
use prost::Message as _;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{APP, World, body, text_of};

const GROUP: message_body::Type = message_body::Type::Groupchat;
const ROOM: message_body::Type = message_body::Type::Chatroom;

struct Page {
    metas: Vec<Meta>,
    is_last: bool,
    next_key: Value,
}

impl Page {
    fn texts(&self) -> Vec<String> {
        self.metas.iter().map(text_of).collect()
    }

    fn ids(&self) -> Vec<u64> {
        self.metas.iter().map(|meta| meta.id.expect("an id")).collect()
    }
}

fn ask(world: &mut World, user: &str, query: &Value) -> Page {
    let (status, answer) = world.rest(Post, &format!("/users/{user}/messageroaming"), user, query);
    assert_eq!(status, 200, "{query}: {answer}");
    let data = &answer["data"];
    let msgs = data["msgs"].as_array().expect("msgs");
    let decode = |msg: &Value| {
        let bytes = STANDARD.decode(msg["msg"].as_str().expect("a string")).expect("base64");
        let meta = Meta::decode(&bytes[..]).expect("a Meta");
        assert_eq!(meta.ns, Some(1), "SDKs drop anything else");
        assert!(meta.from.as_ref().and_then(|from| from.name.as_ref()).is_some(), "{meta:?}");
        meta
    };
    let page = Page {
        metas: msgs.iter().map(decode).collect(),
        is_last: data["is_last"].as_bool().expect("is_last"),
        next_key: data["next_key"].clone(),
    };
    assert!(page.is_last || !page.metas.is_empty(), "3.6.3 asks for ever");
    page
}

/// As 3.x asks.
fn from(queue: &str, start: Value) -> Value {
    json!({ "queue": queue, "start": start, "end": -1 })
}

/// Everything that page by page comes, newest first.
fn walk(world: &mut World, user: &str, mut query: Value) -> Vec<String> {
    let mut texts = Vec::new();
    for _ in 0..1_000 {
        let page = ask(world, user, &query);
        texts.extend(page.texts());
        if page.is_last {
            return texts;
        }
        query["start"] = page.next_key;
    }
    panic!("no end");
}

fn say(world: &mut World, conn: ConnId, to: &str, count: usize) -> Vec<u64> {
    (1..=count).map(|number| world.text(conn, to, &format!("m{number}"))).collect()
}

#[test]
fn pages_go_from_the_newest_back_and_each_begins_behind_its_key() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "r");
    let ids = say(&mut world, alice, "bob", 45);
    let newest: Vec<u64> = ids.iter().rev().copied().collect();
    for user in ["alice", "bob"] {
        let queue = if user == "alice" { "bob@easemob.com" } else { "alice@easemob.com" };
        let first = ask(&mut world, user, &from(queue, json!(-1)));
        assert_eq!((first.ids(), first.is_last), (newest[..20].to_vec(), false));
        let second = ask(&mut world, user, &from(queue, first.next_key));
        assert_eq!((second.ids(), second.is_last), (newest[20..40].to_vec(), false));
        let third = ask(&mut world, user, &from(queue, second.next_key));
        assert_eq!((third.ids(), third.is_last), (newest[40..].to_vec(), true));
        let fourth = ask(&mut world, user, &from(queue, third.next_key));
        assert_eq!((fourth.ids(), fourth.is_last), (vec![], true));
    }
    // The messages are those that were delivered, byte for byte.
    let bob = world.connect("bob", "r");
    let delivered = world.catch_up(bob);
    let mut history = ask(&mut world, "bob", &from("alice@easemob.com", json!(""))).metas;
    history.reverse();
    assert_eq!(history, delivered[25..]);
}

#[test]
fn a_page_that_holds_all_that_is_left_is_the_last() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "r");
    say(&mut world, alice, "bob", 20);
    let page = ask(&mut world, "bob", &from("alice@easemob.com", json!(-1)));
    assert_eq!((page.metas.len(), page.is_last), (20, true));
}

/// What SDKs and apps write for "from the newest".
#[rstest]
#[case::number(json!(-1))]
#[case::digits(json!("-1"))]
#[case::empty(json!(""))]
#[case::null(Value::Null)]
#[case::undefined(json!("undefined"))]
fn no_start_is_the_newest(#[case] start: Value) {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "r");
    let ids = say(&mut world, alice, "bob", 3);
    assert_eq!(ask(&mut world, "bob", &from("alice@easemob.com", start)).ids(), [ids[2], ids[1], ids[0]]);
}

#[test]
fn a_page_may_begin_at_any_message() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "r");
    let ids = say(&mut world, alice, "bob", 5);
    for start in [json!(ids[3]), json!(ids[3].to_string())] {
        let page = ask(&mut world, "bob", &from("alice@easemob.com", start));
        assert_eq!((page.ids(), page.is_last), (vec![ids[2], ids[1], ids[0]], true));
    }
}

#[rstest]
#[case::number(json!(10), 10)]
#[case::digits(json!("7"), 7)]
#[case::too_many(json!(51), 50)]
#[case::none(json!(0), 20)]
#[case::less_than_none(json!(-3), 20)]
fn a_page_holds_what_is_asked_for(#[case] number: Value, #[case] count: usize) {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "r");
    let ids = say(&mut world, alice, "bob", 60);
    let mut query = from("alice@easemob.com", json!(-1));
    query["pull_number"] = number;
    assert_eq!(
        ask(&mut world, "bob", &query).ids(),
        ids.iter().rev().take(count).copied().collect::<Vec<_>>()
    );
}

proptest! {
    #[test]
    fn pages_of_any_size_in_either_direction_miss_nothing(
        messages in 0_usize..70,
        size in 1_u64..60,
        is_positive in prop::bool::ANY,
    ) {
        let mut world = World::strict(&["alice", "bob"]);
        world.control(Control::Texts {
            from: "alice".into(), to: "bob".into(), text: "m#".into(), count: messages as u32,
        });
        let query = json!({
            "queue": "bob@easemob.com", "start": -1, "pull_number": size, "is_positive": is_positive, "end": -1,
        });
        let mut expected: Vec<String> = (1..=messages).map(|number| format!("m{number}")).collect();
        if !is_positive {
            expected.reverse();
        }
        prop_assert_eq!(walk(&mut world, "alice", query), expected);
    }
}

/// Names are kept in lower case and compared as they are: the seed's users are warned of it.
#[rstest]
#[case::mixed("Bob@easemob.com")]
#[case::upper("BOB@easemob.com")]
#[case::nobody("emil@easemob.com")]
#[case::never_spoken_to("carl@easemob.com")]
#[case::group_as_user("7@easemob.com")]
#[case::user_as_group("bob@conference.easemob.com")]
#[case::foreign_domain("bob@example.org")]
#[case::no_domain("bob")]
#[case::empty("")]
fn a_queue_that_is_not_there_is_an_empty_last_page(#[case] queue: &str) {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    let alice = world.connect("alice", "r");
    say(&mut world, alice, "bob", 1);
    world.control(Control::Group { id: "7".into(), owner: "alice".into(), members: vec![] });
    world.muc_text(alice, GROUP, "7", "hi");
    let page = ask(&mut world, "alice", &from(queue, json!(-1)));
    assert_eq!((page.ids(), page.is_last), (vec![], true));
}

#[test]
fn a_group_shows_what_was_said_since_one_came_and_a_room_all() {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    let alice = world.connect("alice", "r");
    for control in [
        Control::Group { id: "7".into(), owner: "alice".into(), members: vec!["bob".into()] },
        Control::Room { id: "8".into(), owner: "alice".into(), members: vec!["bob".into()] },
    ] {
        world.control(control);
    }
    world.muc_text(alice, GROUP, "7", "before");
    world.muc_text(alice, ROOM, "8", "before");
    for id in ["7", "8"] {
        world.control(Control::Join { id: id.into(), users: vec!["carl".into()] });
    }
    world.muc_text(alice, GROUP, "7", "after");
    world.muc_text(alice, ROOM, "8", "after");
    let texts = |world: &mut World, user: &str, id: &str| {
        ask(world, user, &from(&format!("{id}@conference.easemob.com"), json!(-1))).texts()
    };
    assert_eq!(texts(&mut world, "bob", "7"), ["after", "before"]);
    assert_eq!(texts(&mut world, "carl", "7"), ["after"]);
    assert_eq!(texts(&mut world, "carl", "8"), ["after", "before"]);
    world.control(Control::Leave { id: "7".into(), users: vec!["carl".into()] });
    assert_eq!(texts(&mut world, "carl", "7"), [""; 0], "who has left sees nothing");
}

#[test]
fn only_messages_for_people_are_history() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "r");
    world.text(alice, "bob", "one");
    let mut command = body(message_body::Type::Chat, "alice", "bob", "");
    command.contents[0] = message_body::Content {
        r#type: Some(message_body::content::Type::Command as i32),
        action: Some("run".into()),
        ..Default::default()
    };
    let mut meta = world.text_meta(alice, "bob", "");
    meta.payload = Some(command.encode_to_vec().into());
    crate::world::accepted(&world.send(alice, meta));
    world.text(alice, "bob", "two");
    assert_eq!(ask(&mut world, "bob", &from("alice@easemob.com", json!(-1))).texts(), ["two", "one"]);
}

#[test]
fn deletion_takes_the_history_of_one_user_only() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "r");
    say(&mut world, alice, "bob", 3);
    let body = json!({ "channel": "alice", "type": "chat", "delete_roam": true });
    assert_eq!(world.rest(Delete, "/user/bob/user_channel?resource=r", "bob", &body).0, 200);
    assert_eq!(ask(&mut world, "bob", &from("alice@easemob.com", json!(-1))).texts(), [""; 0]);
    assert_eq!(ask(&mut world, "alice", &from("bob@easemob.com", json!(-1))).texts(), ["m3", "m2", "m1"]);
    world.text(alice, "bob", "new");
    assert_eq!(ask(&mut world, "bob", &from("alice@easemob.com", json!(-1))).texts(), ["new"]);
}

/// Filters of 4.x (rest.md A.6).
#[rstest]
#[case::kind(json!({ "msgType": "txt" }), &["3", "2", "1"])]
#[case::kinds(json!({ "msgType": "img, txt" }), &["3", "2", "1"])]
#[case::other_kind(json!({ "msgType": "img" }), &[])]
#[case::since(json!({ "startTime": 1_640_908_801_000_u64 }), &["3", "2"])]
#[case::until(json!({ "endTime": "1640908801000" }), &["2", "1"])]
#[case::between(json!({ "startTime": 1_640_908_800_001_u64, "endTime": 1_640_908_801_999_u64 }), &["2"])]
#[case::sender(json!({ "userId": "Bob" }), &["2"])]
#[case::nobody(json!({ "userId": "nobody" }), &[])]
#[case::nothing(json!({ "msgType": "", "startTime": null, "endTime": null, "userId": null }), &["3", "2", "1"])]
fn a_page_may_be_filtered(#[case] filter: Value, #[case] texts: &[&str]) {
    let mut world = World::strict(&["alice", "bob"]);
    world.control(Control::Group { id: "7".into(), owner: "alice".into(), members: vec!["bob".into()] });
    let (alice, bob) = (world.connect("alice", "r"), world.connect("bob", "r"));
    for (conn, text) in [(alice, "1"), (bob, "2"), (alice, "3")] {
        world.muc_text(conn, GROUP, "7", text);
        world.now.0 += 1_000;
    }
    let mut query = from("7@conference.easemob.com", json!(-1));
    for (key, value) in filter.as_object().expect("an object") {
        query[key] = value.clone();
    }
    query["pull_number"] = 1.into();
    assert_eq!(walk(&mut world, "alice", query), texts);
}

#[test]
fn a_service_that_is_off_says_so() {
    let mut world = World::strict(&["alice", "bob"]);
    world.patch(SettingsPatch { roaming: Some(false), ..SettingsPatch::default() });
    let query = from("bob@easemob.com", json!(-1));
    let (status, answer) = world.rest(Post, "/users/alice/messageroaming", "alice", &query);
    assert_eq!((status, &answer["error"]), (403, &json!("forbidden_op")));
    assert_eq!(answer["error_description"], "messageroaming function not open");
}

#[rstest]
#[case::no_queue(json!({ "start": -1 }))]
#[case::queue_is_no_string(json!({ "queue": 7 }))]
#[case::start_is_no_number(json!({ "queue": "bob@easemob.com", "start": "newest" }))]
#[case::half_a_message(json!({ "queue": "bob@easemob.com", "start": 1.5 }))]
#[case::number_is_no_number(json!({ "queue": "bob@easemob.com", "pull_number": {} }))]
fn a_query_that_is_none_is_refused(#[case] query: Value) {
    let mut world = World::strict(&["alice", "bob"]);
    let (status, answer) = world.rest(Post, "/users/alice/messageroaming", "alice", &query);
    assert_eq!((status, &answer["error"]), (400, &json!("json_parse")));
}

#[test]
fn history_is_its_owners_and_the_apps() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "r");
    say(&mut world, alice, "bob", 1);
    let query = from("bob@easemob.com", json!(-1));
    assert_eq!(world.rest(Post, "/users/alice/messageroaming", "bob", &query).0, 403);
    assert_eq!(world.rest(Post, "/users/alice/messageroaming", "", &query).0, 401);
    let (status, answer) = world.rest(Post, "/users/alice/messageroaming", APP, &query);
    assert_eq!((status, answer["data"]["msgs"].as_array().map(Vec::len)), (200, Some(1)));
}

#[test]
fn what_is_too_old_is_no_history() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "r");
    say(&mut world, alice, "bob", 2);
    world.patch(SettingsPatch { kept_ms_max: Some(1_000), ..SettingsPatch::default() });
    world.now.0 += 1_001;
    let page = ask(&mut world, "bob", &from("alice@easemob.com", json!(-1)));
    assert_eq!((page.ids(), page.is_last), (vec![], true));
}

/// A message with `ext` and its session-list form are looked at in `sessions`; here, that history keeps it all.
#[test]
fn history_keeps_what_the_sender_wrote() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "r");
    let mut written = body(message_body::Type::Chat, "Alice", "bob", "hi");
    written.ext = vec![KeyValue { key: Some("k".into()), r#type: Some(7), value: None }];
    let mut meta = world.text_meta(alice, "bob", "");
    meta.payload = Some(written.encode_to_vec().into());
    crate::world::accepted(&world.send(alice, meta));
    let page = ask(&mut world, "bob", &from("alice@easemob.com", json!(-1)));
    assert_eq!(crate::world::body_of(&page.metas[0]), written);
}
