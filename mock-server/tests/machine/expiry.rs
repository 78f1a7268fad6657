//! When a token ends: what 4.x is told at login and upon its question, and what the end does (wire-4x §3.3, §7).

use mock_server::control::{Control, Settings, SettingsPatch};
use mock_server::machine::rest::Method::Get;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{APP, Login, START, World, json_of};

const PATH: &str = "/sdk/users/alice/token/expires";

fn token(world: &mut World, token: &str, ttl_ms: i64) {
    world.control(Control::Token { user: "alice".into(), token: token.into(), ttl_ms });
}

/// As 4.x writes it: the token once more, as JSON (wire-4x §3.2).
fn login_4x(token: &str) -> Login {
    let mut login = Login::new("alice", "webim_web_1").token(token);
    login.provision.auth = None;
    login.provision.auth_token = Some(json!({ "token": format!("$t${token}") }).to_string());
    login
}

fn told(world: &mut World, login: Login) -> Option<Value> {
    let (conn, answer) = world.log_in(login);
    assert!(world.device(conn).is_some(), "{answer:?}");
    answer.auth_token.map(|json| serde_json::from_str(&json).expect("JSON in a string"))
}

fn ask(world: &mut World, token: &str) -> (u16, Value) {
    let response = world.request(Get, PATH, Some(token), Default::default());
    (response.status, json_of(&response))
}

#[test]
fn who_sends_its_token_as_json_is_told_when_it_ends() {
    let mut world = World::strict(&["alice"]);
    token(&mut world, "short", 3_000);
    world.now.0 += 1_000;
    let ends = START.0 + 3_000;
    assert_eq!(told(&mut world, login_4x("short")), Some(json!({ "expires_in": ends })));
    assert_eq!(told(&mut world, Login::new("alice", "web").token("short")), None, "3.x knows no such thing");
}

#[test]
fn a_second_provision_tells_it_of_the_second_token() {
    let mut world = World::strict(&["alice"]);
    token(&mut world, "long", 9_000);
    let (conn, _) = world.log_in(login_4x("t-alice"));
    world.frame(conn, login_4x("long").encode());
    let answer = world.one(conn);
    let crate::world::Down::Provision(answer) = answer else { panic!("{answer:?}") };
    assert_eq!(answer.auth_token, Some(json!({ "expires_in": START.0 + 9_000 }).to_string()));
    assert_eq!(answer.resource.as_deref(), Some("webim_web_1"));
}

#[test]
fn a_token_that_a_lax_world_takes_lives_as_long_as_one_from_the_token_call() {
    let settings = Settings { token_ttl_ms: 5_000, ..Settings::default() };
    let mut world = World::with(settings, &[]);
    assert_eq!(told(&mut world, login_4x("brought")), Some(json!({ "expires_in": START.0 + 5_000 })));
    assert_eq!(ask(&mut world, "brought").1["expire_timestamp"], START.0 + 5_000);
}

#[test]
fn a_token_is_told_its_own_end() {
    let mut world = World::strict(&["alice", "bob"]);
    token(&mut world, "first", 3_000);
    token(&mut world, "second", 60_000);
    for (name, ttl_ms) in [("first", 3_000), ("second", 60_000)] {
        let (status, answer) = ask(&mut world, name);
        assert_eq!((status, &answer["expire_timestamp"]), (200, &json!(START.0 + ttl_ms)));
    }
    world.now.0 += 3_000;
    let (status, answer) = ask(&mut world, "first");
    assert_eq!((status, &answer["error"]), (401, &json!("unauthorized")));
    assert_eq!(ask(&mut world, "second").0, 200);
}

#[rstest]
#[case::anothers("bob", 403)]
#[case::apps(APP, 403)]
#[case::nobodys("", 401)]
fn only_the_users_own_token_is_asked_about(#[case] who: &str, #[case] status: u16) {
    let mut world = World::strict(&["alice", "bob"]);
    assert_eq!(world.rest(Get, PATH, who, &Value::Null).0, status);
}

#[test]
fn an_unknown_token_is_taken_where_it_would_be_at_login() {
    let mut strict = World::strict(&["alice"]);
    assert_eq!(ask(&mut strict, "made up").0, 401);
    let mut lax = World::lax();
    assert_eq!(ask(&mut lax, "made up").0, 401, "alice is nobody yet");
    lax.connect("alice", "web");
    assert_eq!(ask(&mut lax, "made up").0, 200);
    assert_eq!(lax.server.token_user(lax.now, "made up"), Some("alice"));
    assert_eq!(lax.warnings.len(), 2, "{:?}", lax.warnings);
    assert_eq!(ask(&mut lax, &"x".repeat(5_000)).0, 401);
}

#[test]
fn the_end_of_a_token_ends_no_connection() {
    let mut world = World::strict(&["alice", "bob"]);
    token(&mut world, "short", 1_000);
    let (alice, _) = world.log_in(login_4x("short"));
    let bob = world.connect("bob", "web");
    world.now.0 += 1_000;
    world.text(bob, "alice", "still there?");
    assert_eq!(world.texts(alice), ["still there?"]);
    world.text(alice, "bob", "yes");
    assert_eq!(world.texts(bob), ["yes"]);
    world.hang_up(alice);
    let (_, refused) = world.log_in(login_4x("short"));
    let reason = refused.status.and_then(|status| status.reason);
    assert_eq!(reason.as_deref(), Some("Sorry, token expired"), "but nobody comes in with it");
}

#[test]
fn a_patched_life_is_that_of_tokens_to_come() {
    let mut world = World::lax();
    world.connect("alice", "web");
    world.patch(SettingsPatch { token_ttl_ms: Some(1_000), ..SettingsPatch::default() });
    assert_eq!(told(&mut world, login_4x("new")), Some(json!({ "expires_in": START.0 + 1_000 })));
}
