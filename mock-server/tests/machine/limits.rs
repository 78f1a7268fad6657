//! What a world holds: messages by number and bytes, users, groups. Over the limit the oldest go, or the new is
//! refused; nothing grows for ever.

use fixtures::wire::USER_DOMAIN;
use fixtures::wire::message_body::Type;
use mock_server::control::{Control, Settings};
use mock_server::machine::rest::Method;
use serde_json::json;

use crate::world::{World, body_of, code, jid, text_of};

fn keeping(messages_max: u64) -> World {
    let settings = Settings { kept_messages_max: messages_max, ..Settings::default() };
    World::with(settings, &["alice", "bob", "carl"])
}

fn numbers(range: std::ops::RangeInclusive<u32>) -> Vec<String> {
    range.map(|number| number.to_string()).collect()
}

#[test]
fn of_too_many_messages_the_oldest_go_and_it_is_told() {
    let mut world = keeping(10);
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    for number in 1..=10 {
        world.text(alice, "bob", &number.to_string());
    }
    assert_eq!(world.warnings, [""; 0]);
    world.text(alice, "bob", "11");
    assert_eq!(world.warnings, ["org#app: 1 of the oldest messages dropped so far: the world is full"]);
    for number in 12..=25 {
        world.text(alice, "bob", &number.to_string());
    }
    assert_eq!(world.warnings.len(), 1, "not once a message");
    assert_eq!(world.unread(bob), [(jid("alice", USER_DOMAIN), 10)]);
    assert_eq!(world.texts(bob), numbers(16..=25));
}

#[test]
fn the_oldest_of_all_conversations_go_first() {
    let mut world = keeping(4);
    let (alice, carl) = (world.connect("alice", "web"), world.connect("carl", "web"));
    for number in 1..=3 {
        world.text(alice, "bob", &format!("a{number}"));
        world.text(carl, "bob", &format!("c{number}"));
    }
    let bob = world.connect("bob", "web");
    let mut texts = world.texts(bob);
    texts.sort();
    assert_eq!(texts, ["a2", "a3", "c2", "c3"]);
}

#[test]
fn of_too_many_bytes_the_oldest_go() {
    let settings = Settings { kept_bytes_max: 10_000, ..Settings::default() };
    let mut world = World::with(settings, &["alice", "bob"]);
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    for number in 1..=20 {
        world.text(alice, "bob", &format!("{number:01000}"));
    }
    let texts = world.texts(bob);
    // Each is a little over 1,000 bytes.
    assert_eq!(texts.len(), 8, "{texts:?}");
    assert!(texts[7].ends_with("20"));
    assert_eq!(world.warnings.len(), 1);
    world.text(alice, "bob", "small");
    assert_eq!(world.texts(bob), ["small"]);
}

#[test]
fn what_was_recalled_leaves_room() {
    let settings = Settings { kept_bytes_max: 3_500, ..Settings::default() };
    let mut world = World::with(settings, &["alice", "bob"]);
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    let text = |world: &mut World, number: u32| world.text(alice, "bob", &format!("{number:01000}"));
    text(&mut world, 1);
    for number in 2..=3 {
        let id = text(&mut world, number);
        assert_eq!(world.note(alice, Type::Recall, jid("bob", USER_DOMAIN), id).0, 0);
    }
    text(&mut world, 4);
    let metas = world.catch_up(bob);
    let kinds: Vec<_> = metas.iter().map(|meta| body_of(meta).r#type()).collect();
    assert_eq!(kinds, [Type::Chat, Type::Recall, Type::Recall, Type::Chat]);
    assert_eq!(world.warnings, [""; 0]);
}

#[test]
fn what_is_too_old_goes_when_somebody_looks() {
    let settings = Settings { kept_ms_max: 1_000, ..Settings::default() };
    let mut world = World::with(settings, &["alice", "bob"]);
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    world.text(alice, "bob", "1");
    world.now.0 += 600;
    world.text(alice, "bob", "2");
    world.now.0 += 400;
    assert_eq!(world.unread(bob), [(jid("alice", USER_DOMAIN), 2)], "so old, and not older");
    world.now.0 += 1;
    assert_eq!(world.unread(bob), [(jid("alice", USER_DOMAIN), 1)]);
    assert_eq!(world.texts(bob), ["2"]);
    world.now.0 += 10_000;
    world.text(alice, "bob", "3");
    assert_eq!(world.texts(bob), ["3"]);
    assert_eq!(world.warnings, [""; 0], "age is no want of room");
}

#[test]
fn what_the_service_tells_pushes_no_messages_out() {
    let mut world = keeping(3);
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    for number in 1..=3 {
        world.text(alice, "bob", &number.to_string());
    }
    for number in 0..10 {
        let id = format!("g{number}");
        world.control(Control::Group { id: id.clone(), owner: "carl".into(), members: vec!["bob".into()] });
        world.control(Control::Dissolve { id });
    }
    let texts: Vec<String> = world.pull_all(bob, &jid("alice", USER_DOMAIN)).iter().map(text_of).collect();
    assert_eq!(texts, numbers(1..=3));
}

#[test]
fn a_page_that_is_out_when_its_messages_go_is_acknowledged_all_the_same() {
    let mut world = keeping(60);
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    for number in 1..=60 {
        world.text(alice, "bob", &number.to_string());
    }
    let queue = jid("alice", USER_DOMAIN);
    let page = world.pull(bob, &queue, None);
    assert_eq!(page.metas.iter().map(text_of).collect::<Vec<_>>(), numbers(1..=50));
    // 20 more: of those that are out, 20 are dropped.
    for number in 61..=80 {
        world.text(alice, "bob", &number.to_string());
    }
    let page = world.pull(bob, &queue, page.next_key);
    assert_eq!(page.metas.iter().map(text_of).collect::<Vec<_>>(), numbers(51..=80));
    // Now all of them and more.
    for number in 81..=200 {
        world.text(alice, "bob", &number.to_string());
    }
    let page = world.pull(bob, &queue, page.next_key);
    assert_eq!(page.metas.iter().map(text_of).collect::<Vec<_>>(), numbers(141..=190));
    let page = world.pull(bob, &queue, page.next_key);
    assert_eq!(page.metas.iter().map(text_of).collect::<Vec<_>>(), numbers(191..=200));
    assert_eq!(world.pull(bob, &queue, page.next_key).is_last, Some(true));
    assert_eq!(world.found(), [""; 0]);
    assert_eq!(world.server.unfinished(), [""; 0]);
}

#[test]
fn a_device_that_comes_back_to_less_goes_on_with_that() {
    let mut world = keeping(5);
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    world.text(alice, "bob", "1");
    world.pull(bob, &jid("alice", USER_DOMAIN), None);
    world.hang_up(bob);
    for number in 2..=20 {
        world.text(alice, "bob", &number.to_string());
    }
    let bob = world.connect("bob", "web");
    assert_eq!(world.texts(bob), numbers(16..=20));
    let phone = world.connect("bob", "phone");
    assert_eq!(world.texts(phone), [""; 0]);
}

#[test]
fn a_world_that_keeps_nothing_still_answers() {
    let mut world = keeping(0);
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    world.text(alice, "bob", "1");
    assert_eq!(world.texts(bob), [""; 0]);
    world.text(alice, "bob", "2");
    let page = world.pull(bob, &jid("alice", USER_DOMAIN), None);
    assert_eq!(page.is_last, Some(true));
}

#[test]
fn an_id_is_known_again_after_its_message_has_gone() {
    let mut world = keeping(2);
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    let meta = world.text_meta(alice, "bob", "1");
    let first = world.send(alice, meta.clone());
    for number in 2..=5 {
        world.text(alice, "bob", &number.to_string());
    }
    assert_eq!(world.send(alice, meta), first);
    assert_eq!(world.texts(bob), ["4", "5"]);
}

#[test]
fn a_world_holds_so_many_users_and_no_more() {
    let mut world = World::lax();
    for number in 0..100_000 {
        let control = Control::User { name: format!("u{number}"), password: "pw".into() };
        world.server.control(world.now, control).expect("room for one more");
    }
    let one_more = Control::User { name: "one-more".into(), password: "pw".into() };
    let refused = world.server.control(world.now, one_more).map_err(|error| error.to_string());
    assert_eq!(refused, Err(r#"name "one-more": the world has as many users as it can hold"#.into()));
    let new = json!({ "username": "one-more", "password": "pw" });
    assert_eq!(world.rest(Method::Post, "/users", "", &new).0, 429);
    let (_, answer) = world.log_in(crate::world::Login::new("one-more", "web"));
    assert_eq!(answer.status.and_then(|status| status.reason).as_deref(), Some("Sorry, user register limit"));
    world.register("u1");
    let conn = world.connect("u1", "web");
    let meta = world.text_meta(conn, "one-more", "x");
    assert_eq!(code(&world.send(conn, meta)), (1, "username one-more doesn't exist!"));
    world.text(conn, "u2", "those who are there go on");
}

#[test]
fn a_world_holds_so_many_groups_and_no_more() {
    let mut world = World::strict(&["alice"]);
    let room =
        |number: usize| Control::Room { id: format!("r{number}"), owner: "alice".into(), members: vec![] };
    for number in 0..10_000 {
        world.server.control(world.now, room(number)).expect("room for one more");
    }
    assert!(world.server.control(world.now, room(10_000)).is_err());
    let (status, _) = world.rest(Method::Post, "/chatgroups", "alice", &json!({ "groupname": "g" }));
    assert_eq!(status, 429);
}

#[test]
fn a_user_keeps_so_many_tokens_and_the_oldest_goes() {
    let mut world = World::strict(&["alice"]);
    let grant = json!({ "grant_type": "password", "username": "alice", "password": "pw" });
    let tokens: Vec<String> = (0..65)
        .map(|_| {
            let (status, body) = world.rest(Method::Post, "/token", "", &grant);
            assert_eq!(status, 200);
            body["access_token"].as_str().expect("a token").to_owned()
        })
        .collect();
    assert_eq!(world.server.token_user(world.now, "t-alice"), None, "the 66th pushed out the first");
    assert_eq!(world.server.token_user(world.now, &tokens[0]), None);
    for token in &tokens[1..] {
        assert_eq!(world.server.token_user(world.now, token), Some("alice"));
    }
}

#[test]
fn a_token_that_is_anothers_now_is_not_forgotten_with_the_first_ones() {
    let mut world = World::lax();
    for name in ["emil", "carl"] {
        let (_, answer) = world.log_in(crate::world::Login::new(name, "web").token("shared"));
        assert_eq!(answer.status.and_then(|status| status.error_code), Some(0));
    }
    assert_eq!(world.server.token_user(world.now, "shared"), Some("carl"));
    for number in 0..64 {
        world.control(Control::Token { user: "emil".into(), token: number.to_string(), ttl_ms: 1_000 });
    }
    assert_eq!(world.server.token_user(world.now, "shared"), Some("carl"));
}

#[test]
fn a_token_may_be_so_long_and_no_longer() {
    let mut world = World::lax();
    let (fits, longer) = ("t".repeat(4_096), "t".repeat(4_097));
    let mut log_in = |name: &str, token: &str| {
        let (conn, answer) = world.log_in(crate::world::Login::new(name, "web").token(token));
        let status = answer.status.expect("a status");
        (status.error_code, status.reason.unwrap_or_default(), world.closed(conn).is_some())
    };
    assert_eq!(log_in("emil", &fits), (Some(0), String::new(), false));
    let why = "Sorry, token or password does not match login info".to_owned();
    assert_eq!(log_in("dora", &longer), (Some(1), why, true));
    let path = "/publicchatgroups";
    assert_eq!(world.request(Method::Get, path, Some(&fits), Vec::new().into()).status, 200);
    assert_eq!(world.request(Method::Get, path, Some(&longer), Vec::new().into()).status, 401);
    let staged = Control::Token { user: "emil".into(), token: longer, ttl_ms: 1_000 };
    let refused = world.try_control(staged).map_err(|error| error.to_string());
    assert_eq!(refused, Err(format!(r#"token "{}…": at most 4096 bytes"#, "t".repeat(300))));
}

#[test]
fn a_finding_quotes_the_beginning_of_what_a_peer_wrote() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "web");
    let endless = "ö".repeat(1_000);
    world.pull(alice, &jid(&endless, &endless), None);
    let mut meta = world.text_meta(alice, "bob", "1");
    let name = fixtures::wire::Jid { name: Some(endless.clone()), ..fixtures::wire::Jid::default() };
    let lie = fixtures::wire::MessageBody { from: Some(name), ..body_of(&meta) };
    meta.payload = Some(prost::Message::encode_to_vec(&lie).into());
    world.send(alice, meta);
    let cut = format!("{}…", "ö".repeat(300));
    assert_eq!(
        world.found(),
        [
            format!("conn.offline-sync: pull of queue {cut:?}@{cut}, of which nobody told"),
            format!(
                "build.chat-type: payload.meta.payload.from.name of a CHAT: expected \"alice\", got {cut:?}"
            ),
        ]
    );
}
