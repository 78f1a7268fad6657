//! What is written on rooms and on members of groups, and who is told (rest.md A.11, B.6, clauses v4.room.attributes,
//! v4.group.attributes).

use fixtures::wire::MucBody;
use mock_server::control::Control;
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{self, Delete, Get, Post, Put};
use prost::Message as _;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{APP, World};

/// Room `r` and group `g` are alice's, bob and carl are in; dora is outside.
fn world() -> World {
    let mut world = World::strict(&["alice", "bob", "carl", "dora"]);
    let members: Vec<String> = vec!["bob".into(), "carl".into()];
    world.control(Control::Room { id: "r".into(), owner: "alice".into(), members: members.clone() });
    world.control(Control::Group { id: "g".into(), owner: "alice".into(), members });
    world
}

fn on_room(world: &mut World, method: Method, user: &str, force: &str, body: &Value) -> Value {
    let path = format!("/metadata/chatroom/r/user/{user}{force}");
    let (status, answer) = world.rest(method, &path, user, body);
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

fn of_room(world: &mut World, keys: Value) -> Value {
    let (status, answer) = world.rest(Post, "/metadata/chatroom/r", "carl", &json!({ "keys": keys }));
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

/// What a device has been told, as the operation, by whom, and its details.
fn news(world: &mut World, conn: ConnId) -> Vec<(String, String, Value)> {
    let metas = world.news(conn);
    let read = metas.iter().map(|meta| {
        let body = MucBody::decode(meta.payload.clone().unwrap_or_default()).expect("a MUCBody");
        let detail = body.event_info.clone().and_then(|info| info.ext).unwrap_or_default();
        let from = body.from.clone().unwrap_or_default();
        let device = from.client_resource.map(|resource| format!("/{resource}")).unwrap_or_default();
        let from = format!("{}{device}", from.name.unwrap_or_default());
        (body.operation().as_str_name().to_owned(), from, serde_json::from_str(&detail).unwrap_or_default())
    });
    read.collect()
}

fn texts(key: &str, value: &str) -> Value {
    json!({ "metaData": { key: value }, "autoDelete": "NO_DELETE" })
}

#[test]
fn a_room_keeps_what_is_written_and_tells_the_others() {
    let mut world = world();
    let bob = world.connect("bob", "web");
    let body = json!({ "metaData": { "topic": "cats", "seat1": "alice" }, "autoDelete": "DELETE" });
    let done = on_room(&mut world, Put, "alice", "", &body);
    assert_eq!(done, json!({ "successKeys": ["seat1", "topic"], "errorKeys": {} }));
    assert_eq!(of_room(&mut world, json!([])), json!({ "topic": "cats", "seat1": "alice" }));
    assert_eq!(of_room(&mut world, json!(["topic", "none"])), json!({ "topic": "cats" }));
    let properties = json!({ "topic": "cats", "seat1": "alice" });
    let detail =
        json!({ "result": { "successKeys": ["seat1", "topic"], "errorKeys": {} }, "properties": properties });
    assert_eq!(news(&mut world, bob), [("SET_METADATA".to_owned(), "alice".to_owned(), detail)]);
    let done = on_room(&mut world, Delete, "alice", "", &json!({ "keys": ["topic"] }));
    assert_eq!(done, json!({ "successKeys": ["topic"], "errorKeys": {} }));
    assert_eq!(of_room(&mut world, json!([])), json!({ "seat1": "alice" }));
    let detail =
        json!({ "result": { "successKeys": ["topic"], "errorKeys": {} }, "properties": { "topic": "cats" } });
    assert_eq!(news(&mut world, bob), [("DELETE_METADATA".to_owned(), "alice".to_owned(), detail)]);
}

#[test]
fn what_others_wrote_is_changed_by_force_alone() {
    let mut world = world();
    on_room(&mut world, Put, "alice", "", &texts("topic", "cats"));
    let bob = world.connect("bob", "web");
    let refused = json!({ "successKeys": [], "errorKeys": { "topic": "topic is not part of you" } });
    assert_eq!(on_room(&mut world, Put, "carl", "", &texts("topic", "dogs")), refused);
    assert_eq!(on_room(&mut world, Delete, "carl", "", &json!({ "keys": ["topic"] })), refused);
    assert_eq!(of_room(&mut world, json!([])), json!({ "topic": "cats" }));
    assert_eq!(news(&mut world, bob), [], "nothing was changed");
    on_room(&mut world, Put, "carl", "/forced", &texts("topic", "dogs"));
    assert_eq!(of_room(&mut world, json!([])), json!({ "topic": "dogs" }));
    // It is carl's now.
    on_room(&mut world, Put, "carl", "", &texts("topic", "birds"));
    on_room(&mut world, Delete, "alice", "/forced", &json!({ "keys": ["topic"] }));
    assert_eq!(of_room(&mut world, json!([])), json!({}));
}

#[rstest]
#[case::leaves(Delete, "/chatrooms/r/quit", "bob")]
#[case::put_out(Delete, "/chatrooms/r/users/bob", "alice")]
#[case::removed(Delete, "/users/bob", APP)]
fn who_goes_takes_along_what_was_to_go(#[case] method: Method, #[case] path: &str, #[case] by: &str) {
    let mut world = world();
    let body = json!({ "metaData": { "seat1": "bob" }, "autoDelete": "DELETE" });
    on_room(&mut world, Put, "bob", "", &body);
    on_room(&mut world, Put, "bob", "", &texts("topic", "cats"));
    let carl = world.connect("carl", "web");
    let (status, answer) = world.rest(method, path, by, &Value::Null);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(of_room(&mut world, json!([])), json!({ "topic": "cats" }));
    let told = news(&mut world, carl);
    let gone = told.iter().find(|(operation, ..)| operation == "DELETE_METADATA").expect("carl is told");
    assert_eq!((gone.1.as_str(), &gone.2["properties"]), ("bob", &json!({ "seat1": "bob" })));
}

#[rstest]
#[case::illegal("a b", "v", "is not Legal")]
#[case::empty("", "v", "is not Legal")]
#[case::long_key(&"k".repeat(129), "v", "is exceeding maximum limit")]
#[case::long_value("k", &"v".repeat(4_097), "is exceeding maximum limit")]
fn bad_keys_are_refused_beside_good_ones(#[case] key: &str, #[case] value: &str, #[case] words: &str) {
    let mut world = world();
    let body = json!({ "metaData": { key: value, "good": "v" } });
    let done = on_room(&mut world, Put, "alice", "", &body);
    assert_eq!(done["successKeys"], json!(["good"]));
    assert!(done["errorKeys"][key].as_str().is_some_and(|why| why.contains(words)), "{done}");
    assert_eq!(of_room(&mut world, json!([])), json!({ "good": "v" }));
}

#[test]
fn a_room_holds_a_hundred() {
    let mut world = world();
    for ten in 0..10 {
        let keys: serde_json::Map<_, _> = (0..10).map(|one| (format!("k{ten}{one}"), "v".into())).collect();
        let done = on_room(&mut world, Put, "alice", "", &json!({ "metaData": keys }));
        assert_eq!(done["errorKeys"], json!({}));
    }
    let done = on_room(&mut world, Put, "alice", "", &texts("more", "v"));
    let why = done["errorKeys"]["more"].as_str().unwrap_or_default();
    assert!(
        why.contains("size of metadata for this single chatroom exceeds the user defined limit"),
        "{done}"
    );
    let done = on_room(&mut world, Put, "alice", "", &texts("k00", "w"));
    assert_eq!(done["successKeys"], json!(["k00"]), "what is there can be changed");
}

#[rstest]
#[case::outside(Put, "/metadata/chatroom/r/user/dora", "dora", 403, "are not members of this group")]
#[case::looked_at_from_outside(Post, "/metadata/chatroom/r", "dora", 403, "are not members of this group")]
#[case::in_anothers_name(Put, "/metadata/chatroom/r/user/bob", "carl", 403, "is not yours")]
#[case::no_room(Put, "/metadata/chatroom/none/user/bob", "bob", 404, "does not exist!")]
#[case::none(Put, "/metadata/chatroom/r/user/alice", "alice", 400, "1 to 10 keys")]
fn refusals(
    #[case] method: Method,
    #[case] path: &str,
    #[case] user: &str,
    #[case] status: u16,
    #[case] words: &str,
) {
    let mut world = world();
    let (got, answer) = world.rest(method, path, user, &json!({ "metaData": {}, "keys": [] }));
    assert_eq!(got, status, "{answer}");
    assert!(answer["error_description"].as_str().is_some_and(|why| why.contains(words)), "{answer}");
}

fn of_members(world: &mut World, properties: Value) -> Value {
    let body = json!({ "targets": ["alice", "Bob", "dora"], "properties": properties });
    let (status, answer) = world.rest(Post, "/sdk/metadata/chatgroup/g/get?version=v3", "carl", &body);
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

#[test]
fn a_group_keeps_what_is_written_on_members_and_tells_the_others_and_ones_other_devices() {
    let mut world = world();
    let [web, phone] = ["web", "phone"].map(|device| world.connect("bob", device));
    let carl = world.connect("carl", "web");
    let path = "/sdk/metadata/chatgroup/g/user/bob?resource=phone&version=v3";
    let (status, _) = world.rest(Put, path, "bob", &json!({ "metaData": { "nick": "b", "seat": "1" } }));
    assert_eq!(status, 200);
    assert_eq!(of_members(&mut world, json!([])), json!({ "Bob": { "nick": "b", "seat": "1" } }));
    assert_eq!(of_members(&mut world, json!(["seat"])), json!({ "Bob": { "seat": "1" } }));
    let detail = json!({ "properties": { "nick": "b", "seat": "1" }, "username": "bob" });
    let operation = "GROUP_MEMBER_METADATA_UPDATE".to_owned();
    assert_eq!(news(&mut world, carl), [(operation.clone(), "bob".to_owned(), detail.clone())]);
    assert_eq!(news(&mut world, web), [(operation, "bob/phone".to_owned(), detail)]);
    assert_eq!(news(&mut world, phone), [], "it knows");
    let (status, _) = world.rest(Put, path, "bob", &json!({ "metaData": { "nick": "" } }));
    assert_eq!(status, 200);
    let (_, answer) = world.rest(Get, "/sdk/metadata/chatgroup/g/user/bob", "carl", &Value::Null);
    assert_eq!(answer["data"], json!({ "seat": "1" }), "an empty one is taken off");
    world.rest(Delete, "/chatgroups/g/quit", "bob", &Value::Null);
    assert_eq!(of_members(&mut world, json!([])), json!({}), "they go with the member");
}

#[rstest]
#[case::outside("bob", "dora", json!({ "k": "v" }), 404, 60_003)]
#[case::on_another("bob", "carl", json!({ "k": "v" }), 403, 60_002)]
#[case::on_who_is_outside("dora", "alice", json!({ "k": "v" }), 404, 60_003)]
#[case::long_key("bob", "bob", json!({ "kkkkkkkkkkkkkkkkk": "v" }), 400, 60_006)]
#[case::long_value("bob", "bob", json!({ "k": "v".repeat(513) }), 400, 60_010)]
#[case::too_much("bob", "bob", (0..9).map(|n| (n.to_string(), Value::from("v".repeat(512)))).collect(), 400, 60_006)]
fn what_cannot_be_written_on_a_member(
    #[case] on: &str,
    #[case] by: &str,
    #[case] texts: Value,
    #[case] status: u16,
    #[case] code: u32,
) {
    let mut world = world();
    let path = format!("/sdk/metadata/chatgroup/g/user/{on}");
    let (got, answer) = world.rest(Put, &path, by, &json!({ "metaData": texts }));
    assert_eq!((got, &answer["error_code"]), (status, &json!(code)), "{answer}");
    assert_eq!(of_members(&mut world, json!([])), json!({}));
    if on == "bob" && by == "carl" {
        let (got, _) = world.rest(Put, &path, "alice", &json!({ "metaData": texts }));
        assert_eq!(got, 200, "the owner may");
    }
}
