//! Presence of 4.x: published, subscribed to, told of (rest.md A.11, B.7, clauses v4.presence.*).

use mock_server::control::{Control, Fault, SettingsPatch};
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{Delete, Get, Post};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{START, World};

/// START in s.
const START_S: u64 = START.0 / 1_000;

fn publish(world: &mut World, user: &str, resource: &str, code: u32, ext: &str) -> (u16, Value) {
    world.rest(Post, &format!("/users/{user}/presence/{resource}/{code}"), user, &json!({ "ext": ext }))
}

fn subscribe(world: &mut World, user: &str, seconds: u64, others: &[&str]) -> (u16, Value) {
    world.rest(Post, &format!("/users/{user}/presence/{seconds}"), user, &json!({ "usernames": others }))
}

/// What the device was told of presences since the last look: of each the user, the text and the devices.
fn told(world: &mut World, conn: ConnId) -> Vec<(String, String, Value)> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut told = Vec::new();
    for news in world.notified(conn) {
        assert_eq!(news["type"], "presence");
        let [value] = news["data"]["values"].as_array().expect("values").as_slice() else {
            panic!("{news}: 4.x shows each of several with the devices of all");
        };
        told.push((text(&value["uid"]), text(&value["ext"]), value["status"].clone()));
    }
    told
}

fn one(user: &str, ext: &str, status: Value) -> Vec<(String, String, Value)> {
    vec![(user.into(), ext.into(), status)]
}

#[test]
fn who_subscribed_is_told_of_what_is_published_on_every_device() {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    let [bob, carl] = ["bob", "carl"].map(|user| world.connect(user, "web"));
    let alice = [world.connect("alice", "web"), world.connect("alice", "phone")];
    let (status, answer) = subscribe(&mut world, "alice", 60, &["Bob", "carl"]);
    let expiry = (START_S + 60).to_string();
    let shown = |uid: &str| {
        let (at, status) = (START_S.to_string(), json!({ "web": "1" }));
        json!({ "uid": uid, "last_time": at, "expiry": expiry, "ext": "", "status": status })
    };
    assert_eq!((status, &answer["result"]), (200, &json!([shown("bob"), shown("carl")])), "{answer}");
    assert_eq!(answer.get("action"), None, "it has no envelope (rest.md 0.4)");
    world.now.0 += 5_000;
    assert_eq!(publish(&mut world, "bob", "web", 101, "bücher").1["result"], "ok");
    for conn in alice {
        assert_eq!(told(&mut world, conn), one("bob", "bücher", json!({ "web": "101" })));
    }
    for conn in [bob, carl] {
        assert_eq!(told(&mut world, conn), [], "who did not subscribe");
    }
    let (_, answer) = world.rest(Post, "/users/carl/presence", "carl", &json!({ "usernames": ["bob"] }));
    let bob = &answer["result"][0];
    assert_eq!([&bob["ext"], &bob["expiry"]], ["bücher", "0"], "carl has no subscription");
    assert_eq!(bob["last_time"], (START_S + 5).to_string());
}

#[test]
fn devices_that_come_and_go_are_told_of() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "web");
    subscribe(&mut world, "alice", 60, &["bob"]);
    let web = world.connect("bob", "web");
    assert_eq!(told(&mut world, alice), one("bob", "", json!({ "web": "1" })));
    let phone = world.connect("bob", "phone");
    assert_eq!(told(&mut world, alice), one("bob", "", json!({ "web": "1", "phone": "1" })));
    publish(&mut world, "bob", "phone", 7, "");
    assert_eq!(told(&mut world, alice), one("bob", "", json!({ "web": "1", "phone": "7" })));
    world.hang_up(web);
    assert_eq!(told(&mut world, alice), one("bob", "", json!({ "phone": "7", "web": "0" })));
    world.control(Control::Fault(Fault::Cut { user: "bob".into(), device: None }));
    assert_eq!(told(&mut world, alice), one("bob", "", json!({ "phone": "0" })));
    world.hang_up(phone);
    assert_eq!(told(&mut world, alice), [], "it was gone");
    let (_, answer) = world.rest(Post, "/users/alice/presence", "alice", &json!({ "usernames": ["bob"] }));
    assert_eq!(answer["result"][0]["status"], json!({ "phone": "0" }));
}

#[test]
fn a_device_that_replaces_itself_was_never_gone() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "web");
    world.connect("bob", "web");
    subscribe(&mut world, "alice", 60, &["bob"]);
    world.connect("bob", "web");
    assert_eq!(told(&mut world, alice), []);
}

#[test]
fn what_was_told_while_nobody_was_there_is_no_news() {
    let mut world = World::strict(&["alice", "bob"]);
    world.connect("bob", "web");
    subscribe(&mut world, "alice", 60, &["bob"]);
    publish(&mut world, "bob", "web", 1, "busy");
    let alice = world.connect("alice", "web");
    assert_eq!(told(&mut world, alice), []);
    publish(&mut world, "bob", "web", 1, "free");
    assert_eq!(told(&mut world, alice), one("bob", "free", json!({ "web": "1" })));
}

#[test]
fn a_subscription_lasts_as_long_as_it_says_and_may_be_made_longer() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "web");
    world.connect("bob", "web");
    subscribe(&mut world, "alice", 10, &["bob"]);
    world.now.0 += 9_999;
    publish(&mut world, "bob", "web", 1, "a");
    assert_eq!(told(&mut world, alice).len(), 1);
    subscribe(&mut world, "alice", 10, &["bob"]);
    world.now.0 += 9_999;
    publish(&mut world, "bob", "web", 1, "b");
    assert_eq!(told(&mut world, alice).len(), 1);
    let list = |world: &mut World| {
        world.rest(Get, "/users/alice/presence/sublist?pageNum=1&pageSize=20", "alice", &Value::Null).1["result"]
            .clone()
    };
    let expiry = ((START.0 + 9_999 + 10_000) / 1_000).to_string();
    assert_eq!(list(&mut world), json!({ "totalnum": "1", "sublist": [{ "uid": "bob", "expiry": expiry }] }));
    world.now.0 += 1;
    publish(&mut world, "bob", "web", 1, "c");
    assert_eq!(told(&mut world, alice), []);
    assert_eq!(list(&mut world), json!({ "totalnum": "0", "sublist": [] }));
}

#[test]
fn who_unsubscribes_is_told_no_more() {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    let alice = world.connect("alice", "web");
    for user in ["bob", "carl"] {
        world.connect(user, "web");
    }
    subscribe(&mut world, "alice", 60, &["bob", "carl"]);
    let (status, answer) = world.rest(Delete, "/users/alice/presence", "alice", &json!(["Bob"]));
    assert_eq!((status, &answer["result"]), (200, &json!("ok")));
    publish(&mut world, "bob", "web", 1, "a");
    publish(&mut world, "carl", "web", 1, "b");
    assert_eq!(told(&mut world, alice), one("carl", "b", json!({ "web": "1" })));
    let path = "/users/alice/presence/sublist?pageNum=1&pageSize=1";
    let (_, answer) = world.rest(Get, path, "alice", &Value::Null);
    assert_eq!(
        (&answer["result"]["totalnum"], &answer["result"]["sublist"][0]["uid"]),
        (&json!("1"), &json!("carl"))
    );
}

#[test]
fn who_is_removed_is_told_of_nobody_and_nobody_of_it() {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    let alice = world.connect("alice", "web");
    subscribe(&mut world, "alice", 60, &["bob", "carl"]);
    subscribe(&mut world, "bob", 60, &["alice"]);
    world.control(Control::RemoveUser { user: "bob".into() });
    world.register("bob");
    let bob = world.connect("bob", "web");
    assert_eq!(told(&mut world, alice), []);
    publish(&mut world, "alice", "web", 1, "a");
    assert_eq!(told(&mut world, bob), []);
    let (_, answer) = world.rest(Get, "/users/alice/presence/sublist", "alice", &Value::Null);
    assert_eq!(answer["result"]["totalnum"], "1");
}

#[rstest]
#[case::too_long("web", "1", &"x".repeat(1_025), 400, "ext is too big ")]
#[case::no_device("tablet", "1", "x", 404, "the user has no device tablet")]
#[case::no_status("web", "256", "x", 400, "the status of a device is 0 to 255")]
fn what_is_not_published(
    #[case] resource: &str,
    #[case] code: &str,
    #[case] ext: &str,
    #[case] status: u16,
    #[case] words: &str,
) {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "web");
    world.connect("bob", "web");
    subscribe(&mut world, "alice", 60, &["bob"]);
    let path = format!("/users/bob/presence/{resource}/{code}");
    let (got, answer) = world.rest(Post, &path, "bob", &json!({ "ext": ext }));
    assert_eq!((got, &answer["error_description"]), (status, &json!(words)));
    assert_eq!(told(&mut world, alice), []);
    assert_eq!(publish(&mut world, "bob", "web", 1, &"x".repeat(1_024)).0, 200);
}

#[rstest]
#[case::for_no_time("0", json!(["bob"]), 400)]
#[case::for_ever("2592001", json!(["bob"]), 400)]
#[case::to_nobody("60", json!([]), 400)]
#[case::to_a_crowd("60", json!(vec!["bob"; 101]), 400)]
#[case::to_who_is_not("60", json!(["bob", "emil"]), 404)]
fn what_is_not_subscribed_to(#[case] seconds: &str, #[case] others: Value, #[case] status: u16) {
    let mut world = World::strict(&["alice", "bob"]);
    let path = format!("/users/alice/presence/{seconds}");
    let (got, answer) = world.rest(Post, &path, "alice", &json!({ "usernames": others }));
    assert_eq!(got, status, "{answer}");
    let (_, answer) = world.rest(Get, "/users/alice/presence/sublist", "alice", &Value::Null);
    assert_eq!(answer["result"]["totalnum"], "0");
}

#[test]
fn subscriptions_have_a_limit_that_those_which_ran_out_do_not_count_for() {
    let mut world = World::strict(&["alice", "bob", "carl", "dora"]);
    world.patch(SettingsPatch { presence_subscriptions_max: Some(2), ..SettingsPatch::default() });
    assert_eq!(subscribe(&mut world, "alice", 10, &["bob", "carl"]).0, 200);
    let (status, answer) = subscribe(&mut world, "alice", 10, &["dora"]);
    assert_eq!((status, &answer["error_description"]), (400, &json!("The quantity has exceeded the limit!")));
    assert_eq!(subscribe(&mut world, "alice", 10, &["bob"]).0, 200, "no more than before");
    world.now.0 += 10_000;
    assert_eq!(subscribe(&mut world, "alice", 10, &["dora"]).0, 200);
}

#[test]
fn an_app_without_presence_says_so_where_4x_looks_for_it() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "web");
    world.connect("bob", "web");
    subscribe(&mut world, "alice", 60, &["bob"]);
    world.patch(SettingsPatch { presence: Some(false), ..SettingsPatch::default() });
    let (status, answer) = publish(&mut world, "bob", "web", 1, "x");
    assert_eq!((status, &answer["result"]), (400, &json!("the app not open presence")));
    assert_eq!(answer.get("error_description"), None);
    assert_eq!(subscribe(&mut world, "alice", 60, &["bob"]).0, 400);
    world.connect("bob", "phone");
    assert_eq!(told(&mut world, alice), []);
}

#[test]
fn a_list_of_subscriptions_keeps_its_order_when_somebody_is_removed() {
    let mut world = World::strict(&["alice", "bob", "carl", "dora", "erin"]);
    subscribe(&mut world, "alice", 60, &["bob", "carl", "dora", "erin"]);
    world.control(Control::RemoveUser { user: "bob".into() });
    let (_, answer) = world.rest(Get, "/users/alice/presence/sublist", "alice", &Value::Null);
    let list = answer["result"]["sublist"].as_array().expect("a list");
    assert_eq!(list.iter().map(|one| &one["uid"]).collect::<Vec<_>>(), ["carl", "dora", "erin"]);
}
