//! Threads: who is told, who may do what, and what is said in them (wire-4x §6, rest.md A.11, clauses v4.thread.life,
//! v4.thread.message).

use fixtures::wire::message_body::Type;
use fixtures::wire::{CONFERENCE_DOMAIN, Meta, MucBody};
use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{self, Delete, Get, Post, Put};
use prost::Message as _;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{World, accepted, body_of, code, jid, text_of, with_body};

/// Group `g` is alice's, bob and carl are in, dora is outside; bob has written a message there.
fn world() -> (World, String) {
    let mut world = World::strict(&["alice", "bob", "carl", "dora"]);
    let members: Vec<String> = vec!["bob".into(), "carl".into()];
    world.control(Control::Group { id: "g".into(), owner: "alice".into(), members });
    let bob = world.connect("bob", "web");
    let id = world.muc_text(bob, Type::Groupchat, "g", "what about lunch?");
    world.hang_up(bob);
    (world, id.to_string())
}

fn make(world: &mut World, user: &str, message: &str) -> String {
    let body = json!({ "name": "lunch", "msg_id": message, "group_id": "g", "owner": user });
    let (status, answer) = world.rest(Post, "/thread?resource=web", user, &body);
    assert_eq!(status, 200, "{answer}");
    answer["data"]["thread_id"].as_str().expect("an id").to_owned()
}

fn call(world: &mut World, method: Method, path: &str, user: &str) -> Value {
    let (status, answer) = world.rest(method, path, user, &Value::Null);
    assert_eq!(status, 200, "{answer}");
    answer
}

fn join(world: &mut World, thread: &str, user: &str) -> Value {
    call(world, Post, &format!("/thread/{thread}/user/{user}/join?resource=web"), user)
}

/// What a device was told: of NOTIFY its operation and count, of MUC its operation.
fn news(world: &mut World, conn: ConnId) -> Vec<String> {
    let metas = world.news(conn);
    metas.iter().map(said).collect()
}

fn said(meta: &Meta) -> String {
    let payload = meta.payload.clone().unwrap_or_default();
    if meta.ns == Some(5) {
        let news: Value = serde_json::from_slice(&payload).expect("JSON");
        assert!(payload.iter().all(|&byte| byte >= 0x10), "4.x cannot read it");
        let data = &news["data"];
        return format!(
            "{} {} {} by {}",
            data["operation"], data["name"], data["message_count"], data["from"]
        );
    }
    let body = MucBody::decode(payload).expect("a MUCBody");
    assert_eq!(body.is_thread, Some(true));
    assert!(body.muc_parent_id.as_ref().is_some_and(|parent| parent.name.as_deref() == Some("g")));
    let from = body.from.clone().unwrap_or_default();
    let device = from.client_resource.map(|resource| format!("/{resource}")).unwrap_or_default();
    format!("{} by {}{device}", body.operation().as_str_name(), from.name.unwrap_or_default())
}

/// Writes in a thread, as 4.x does.
fn write(world: &mut World, conn: ConnId, thread: &str, text: &str) -> (i32, String) {
    let answer = write_answered(world, conn, thread, text);
    let (status, reason) = code(&answer);
    (status, reason.to_owned())
}

fn write_answered(world: &mut World, conn: ConnId, thread: &str, text: &str) -> fixtures::wire::CommSyncDl {
    let meta = world.muc_meta(conn, Type::Groupchat, thread, text);
    let mut body = body_of(&meta);
    body.meta = Some(r#"{"thread":{}}"#.into());
    world.send(conn, with_body(meta, &body))
}

fn history(world: &mut World, user: &str, queue: &str) -> Vec<Meta> {
    use base64::Engine as _;
    let body = json!({ "queue": format!("{queue}@conference.easemob.com"), "start": -1 });
    let (status, answer) = world.rest(Post, &format!("/users/{user}/messageroaming"), user, &body);
    assert_eq!(status, 200, "{answer}");
    let msgs = answer["data"]["msgs"].as_array().cloned().unwrap_or_default();
    let bytes = |msg: &Value| {
        let text = msg["msg"].as_str().expect("base64");
        base64::engine::general_purpose::STANDARD.decode(text).expect("base64")
    };
    msgs.iter().map(|msg| Meta::decode(&bytes(msg)[..]).expect("a Meta")).collect()
}

fn body_meta(meta: &Meta) -> Value {
    serde_json::from_str(&body_of(meta).meta.unwrap_or_default()).unwrap_or_default()
}

#[test]
fn its_life_is_told_to_the_group_and_to_ones_other_devices() {
    let (mut world, message) = world();
    let [alice, bob, carl] = ["alice", "bob", "carl"].map(|user| world.connect(user, "web"));
    let phone = world.connect("bob", "phone");
    for conn in [alice, bob, carl, phone] {
        world.catch_up(conn);
    }
    let thread = make(&mut world, "bob", &message);
    assert_eq!(news(&mut world, alice), [r#""create" "lunch" 0 by "bob""#]);
    assert_eq!(news(&mut world, carl), [r#""create" "lunch" 0 by "bob""#]);
    assert_eq!(news(&mut world, bob), [""; 0], "it knows");
    assert_eq!(news(&mut world, phone), ["THREAD_CREATE by bob/web"]);
    let joined = join(&mut world, &thread, "carl");
    assert_eq!(joined["data"]["detail"]["msgId"], message.as_str());
    let (status, _) =
        world.rest(Put, &format!("/thread/{thread}?resource=web"), "bob", &json!({ "name": "dinner" }));
    assert_eq!(status, 200);
    assert_eq!(news(&mut world, carl), [r#""update" "dinner" 0 by "bob""#]);
    assert_eq!(news(&mut world, phone), ["THREAD_UPDATE by bob/web"]);
    world.catch_up(alice);
    call(&mut world, Delete, &format!("/thread/{thread}/users/carl"), "alice");
    assert_eq!(news(&mut world, carl), ["THREAD_KICK by alice"]);
    call(&mut world, Delete, &format!("/thread/{thread}/user/bob/quit?resource=web"), "bob");
    assert_eq!(news(&mut world, phone), ["THREAD_LEAVE by bob/web"]);
    call(&mut world, Delete, &format!("/thread/{thread}"), "alice");
    for conn in [bob, carl, phone] {
        assert_eq!(news(&mut world, conn), [r#""delete" "dinner" 0 by "alice""#]);
    }
    let (status, answer) = world.rest(Get, &format!("/thread/{thread}"), "bob", &Value::Null);
    assert_eq!((status, &answer["error_code"]), (404, &json!(40_011)));
}

#[test]
fn what_is_written_reaches_its_members_alone_and_the_group_is_told_how_much() {
    let (mut world, message) = world();
    let thread = make(&mut world, "bob", &message);
    join(&mut world, &thread, "carl");
    let [alice, bob, carl] = ["alice", "bob", "carl"].map(|user| world.connect(user, "web"));
    for conn in [alice, bob, carl] {
        world.catch_up(conn);
    }
    let id = accepted(&write_answered(&mut world, bob, &thread, "soup"));
    let got = world.catch_up(carl);
    let soup = got.iter().find(|meta| meta.ns == Some(1)).expect("carl is in the thread");
    assert_eq!((text_of(soup), soup.id), ("soup".to_owned(), Some(id)));
    let shown =
        json!({ "thread": { "msg_parent_id": message, "muc_parent_id": "g", "thread_name": "lunch" } });
    assert_eq!(body_meta(soup), shown);
    assert_eq!(news(&mut world, alice), [r#""update_msg" "lunch" 1 by "bob""#], "alice is not in it");
    assert_eq!(write(&mut world, alice, &thread, "hm"), (1, "not in group or chatroom".to_owned()));
    let texts: Vec<String> = history(&mut world, "carl", &thread).iter().map(text_of).collect();
    assert_eq!(texts, ["soup"]);
    join(&mut world, &thread, "alice");
    assert_eq!(history(&mut world, "alice", &thread).len(), 1, "who comes later sees what was said");
    let parents = history(&mut world, "alice", "g");
    let overview = &body_meta(&parents[0])["thread_overview"];
    assert_eq!((&overview["id"], &overview["message_count"]), (&json!(thread), &json!(1)));
    assert_eq!(overview["last_message"]["payload"]["bodies"][0]["msg"], "soup");
    let body = json!({ "threadIds": [thread, "none"] });
    let (_, answer) = world.rest(Post, "/thread/message", "carl", &body);
    assert_eq!(answer["entities"][0]["last_message"]["id"], id.to_string());
    assert_eq!(answer["entities"].as_array().map(Vec::len), Some(1));
    // A thread is no conversation of the list, and no group of the lists.
    let (_, answer) = world.rest(Get, "/users/carl/user_channels", "carl", &Value::Null);
    assert_eq!(answer["data"]["channel_infos"].as_array().map(Vec::len), Some(1), "{answer}");
    let (_, answer) = world.rest(Get, "/users/carl/joined_chatgroups", "carl", &Value::Null);
    assert_eq!(answer["data"].as_array().map(Vec::len), Some(1), "{answer}");
}

#[test]
fn a_message_to_a_thread_that_does_not_say_so_is_to_no_group() {
    let (mut world, message) = world();
    let thread = make(&mut world, "bob", &message);
    let bob = world.connect("bob", "web");
    let meta = world.muc_meta(bob, Type::Groupchat, &thread, "soup");
    assert_eq!(code(&world.send(bob, meta)), (1, "group not found"));
    assert_eq!(
        write(&mut world, bob, "g", "soup"),
        (1, "group not found".to_owned()),
        "nor is a group a thread"
    );
}

#[test]
fn who_leaves_the_group_leaves_its_threads_and_they_end_with_it() {
    let (mut world, message) = world();
    let thread = make(&mut world, "bob", &message);
    join(&mut world, &thread, "carl");
    call(&mut world, Delete, "/chatgroups/g/quit", "carl");
    let members = call(&mut world, Get, &format!("/thread/{thread}/users"), "bob");
    assert_eq!(members["data"]["affiliations"], json!(["bob"]));
    call(&mut world, Delete, "/chatgroups/g", "alice");
    let (status, answer) = world.rest(Get, &format!("/thread/{thread}"), "bob", &Value::Null);
    assert_eq!((status, &answer["error_code"]), (404, &json!(40_011)));
    assert_eq!(call(&mut world, Get, "/threads/user/bob", "bob")["entities"], json!([]));
}

#[test]
fn lists_go_page_by_page_the_newest_first() {
    let (mut world, first) = world();
    let bob = world.connect("bob", "web");
    let second = world.muc_text(bob, Type::Groupchat, "g", "and tea?").to_string();
    let threads = [make(&mut world, "bob", &first), make(&mut world, "carl", &second)];
    let page = call(&mut world, Get, "/threads/chatgroups/g?limit=1", "alice");
    assert_eq!(page["entities"][0]["id"], threads[1].as_str());
    let cursor = page["properties"]["cursor"].as_str().expect("there is more");
    let page = call(&mut world, Get, &format!("/threads/chatgroups/g?limit=1&cursor={cursor}"), "alice");
    assert_eq!(page["entities"][0]["id"], threads[0].as_str());
    assert_eq!(page["properties"], Value::Null);
    let mine = call(&mut world, Get, "/threads/chatgroups/g/user/bob", "bob");
    assert_eq!(mine["entities"].as_array().map(Vec::len), Some(1));
    assert_eq!(mine["entities"][0]["msgId"], first.as_str());
}

#[rstest]
#[case::outside(Post, "/thread", "dora", 403, Value::Null)]
#[case::again(Post, "/thread", "carl", 400, json!(40_002))]
#[case::shown_to_an_outsider(Get, "/thread/T", "dora", 403, Value::Null)]
#[case::listed_to_an_outsider(Get, "/threads/chatgroups/g", "dora", 403, Value::Null)]
#[case::renamed_by_another(Put, "/thread/T", "carl", 404, json!(40_012))]
#[case::ended_by_its_maker(Delete, "/thread/T", "bob", 404, json!(40_012))]
#[case::put_out_by_its_maker(Delete, "/thread/T/users/bob", "bob", 404, json!(40_012))]
#[case::joined_twice(Post, "/thread/T/user/bob/join", "bob", 403, json!(40_004))]
#[case::joined_for_another(Post, "/thread/T/user/carl/join", "bob", 403, Value::Null)]
#[case::left_by_who_is_not_in(Delete, "/thread/T/user/carl/quit", "carl", 404, json!(40_012))]
#[case::none(Get, "/thread/77", "bob", 404, json!(40_011))]
fn refusals(
    #[case] method: Method,
    #[case] path: &str,
    #[case] user: &str,
    #[case] status: u16,
    #[case] error_code: Value,
) {
    let (mut world, message) = world();
    let thread = make(&mut world, "bob", &message);
    let body = json!({ "name": "x", "msg_id": message, "group_id": "g" });
    let (got, answer) = world.rest(method, &path.replace('T', &thread), user, &body);
    assert_eq!((got, &answer["error_code"]), (status, &error_code), "{answer}");
    let after = call(&mut world, Get, &format!("/thread/{thread}"), "bob");
    assert_eq!((&after["data"]["name"], &after["data"]["affiliations_count"]), (&json!("lunch"), &json!(1)));
}

#[test]
fn where_they_are_off_4_x_is_told_so() {
    let (mut world, message) = world();
    world.patch(SettingsPatch { threads: Some(false), ..SettingsPatch::default() });
    let body = json!({ "name": "x", "msg_id": message, "group_id": "g" });
    let (status, answer) = world.rest(Post, "/thread", "bob", &body);
    assert_eq!((status, &answer["error_code"]), (403, &json!(40_000)));
}

#[test]
fn a_message_that_is_not_of_the_group_bears_no_thread() {
    let (mut world, _) = world();
    let bob = world.connect("bob", "web");
    let single = world.text(bob, "carl", "psst").to_string();
    for id in [single.as_str(), "77", "no number"] {
        let body = json!({ "name": "x", "msg_id": id, "group_id": "g" });
        assert_eq!(world.rest(Post, "/thread", "bob", &body).0, 404, "{id}");
    }
}

#[test]
fn a_mute_of_the_group_holds_in_its_threads() {
    let (mut world, message) = world();
    let thread = make(&mut world, "bob", &message);
    world.control(Control::Mute { id: "g".into(), users: vec!["bob".into()], ms: None });
    let bob = world.connect("bob", "web");
    assert_eq!(write(&mut world, bob, &thread, "soup").0, 15);
}

#[test]
fn a_staged_text_is_a_message_of_the_thread() {
    let (mut world, message) = world();
    let thread = make(&mut world, "alice", &message);
    join(&mut world, &thread, "bob");
    let bob = world.connect("bob", "web");
    world.catch_up(bob);
    let to = thread.clone();
    world.control(Control::Texts { from: "alice".into(), to, text: "hi".into(), count: 1 });
    let got = world.catch_up(bob);
    let texts: Vec<&Meta> = got.iter().filter(|meta| meta.ns == Some(1)).collect();
    assert_eq!(texts.iter().map(|meta| text_of(meta)).collect::<Vec<_>>(), ["hi"]);
    assert_eq!(body_meta(texts[0])["thread"]["msg_parent_id"], message.as_str());
    assert_eq!(call(&mut world, Get, &format!("/thread/{thread}"), "bob")["data"]["message_count"], 1);
}

#[test]
fn what_is_taken_back_is_counted_no_more_and_who_is_away_is_told_of_neither() {
    let (mut world, message) = world();
    let thread = make(&mut world, "bob", &message);
    let bob = world.connect("bob", "web");
    let alice = world.connect("alice", "web");
    world.catch_up(alice);
    world.hang_up(alice);
    let id = accepted(&write_answered(&mut world, bob, &thread, "soup"));
    let count = |world: &mut World| {
        call(world, Get, &format!("/thread/{thread}"), "bob")["data"]["message_count"].clone()
    };
    assert_eq!(count(&mut world), 1);
    let recall = world.note_meta(bob, Type::Recall, jid(&thread, CONFERENCE_DOMAIN), Some(id));
    accepted(&world.send(bob, recall));
    assert_eq!(count(&mut world), 0);
    let alice = world.connect("alice", "web");
    assert_eq!(news(&mut world, alice), [""; 0]);
}

#[rstest]
#[case::empty("", 400)]
#[case::the_longest(&"x".repeat(64), 200)]
#[case::too_long(&"x".repeat(65), 400)]
fn a_name_has_its_length(#[case] name: &str, #[case] status: u16) {
    let (mut world, message) = world();
    let body = json!({ "name": name, "msg_id": message, "group_id": "g" });
    assert_eq!(world.rest(Post, "/thread", "bob", &body).0, status);
}

#[test]
fn nobody_is_put_into_a_thread_of_a_group_that_they_are_not_in() {
    let (mut world, message) = world();
    let thread = make(&mut world, "bob", &message);
    let path = format!("/thread/{thread}/user/dora/join");
    let (status, answer) = world.rest(Post, &path, "alice", &Value::Null);
    let words = json!("users [dora] are not members of this group!");
    assert_eq!((status, &answer["error_description"]), (403, &words));
}

#[test]
fn what_an_app_puts_into_the_meta_of_a_body_is_no_thread() {
    let (mut world, _) = world();
    let [alice, bob] = ["alice", "bob"].map(|user| world.connect(user, "web"));
    world.catch_up(alice);
    let meta = world.muc_meta(bob, Type::Groupchat, "g", "soup");
    let mut body = body_of(&meta);
    body.meta = Some(r#"{"x":1}"#.into());
    accepted(&world.send(bob, with_body(meta, &body)));
    assert_eq!(world.texts(alice), ["soup"]);
}
