//! Access tokens: the app's, and those that the app takes for its users (rest.md B.1).

use mock_server::control::SettingsPatch;
use mock_server::machine::rest::Method::Post;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{Login, World, json_of};

/// What a strict world's app token is asked for with, by default.
fn client() -> Value {
    json!({
        "grant_type": "client_credentials",
        "client_id": "mock-client-id",
        "client_secret": "mock-client-secret",
    })
}

fn ask(world: &mut World, token: Option<&str>, body: &Value) -> (u16, Value) {
    let response = world.request(Post, "/token", token, body.to_string().into());
    (response.status, json_of(&response))
}

fn grant(user: &str, more: Value) -> Value {
    let mut body = json!({ "grant_type": "inherit", "username": user });
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    body
}

#[test]
fn an_app_token_has_no_user_and_lives_as_long_as_asked() {
    let mut world = World::strict(&["alice"]);
    let mut body = client();
    body["ttl"] = 60.into();
    let (status, answer) = ask(&mut world, None, &body);
    assert_eq!((status, &answer["expires_in"]), (200, &json!(60)));
    assert!(answer["application"].is_string() && answer.get("user").is_none(), "{answer}");
    let token = answer["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(world.server.token_user(world.now, &token), None);
    assert_eq!(ask(&mut world, Some(&token), &grant("alice", json!({}))).0, 200);
    world.now.0 += 60_000;
    let (status, answer) = ask(&mut world, Some(&token), &grant("alice", json!({})));
    assert_eq!((status, &answer["error"]), (401, &json!("unauthorized")));
}

#[rstest]
#[case::id("client_id", "client_id does not match")]
#[case::secret("client_secret", "client_secret does not match")]
fn a_strict_world_knows_its_client(#[case] field: &str, #[case] words: &str) {
    let mut world = World::strict(&[]);
    for value in [json!("guess"), Value::Null] {
        let mut body = client();
        body[field] = value;
        let (status, answer) = ask(&mut world, None, &body);
        assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")));
        assert_eq!(answer["error_description"], words);
    }
    world.patch(SettingsPatch {
        client_id: Some("me".into()),
        client_secret: Some("hush".into()),
        ..SettingsPatch::default()
    });
    assert_eq!(ask(&mut world, None, &client()).0, 400);
    let body = json!({ "grant_type": "client_credentials", "client_id": "me", "client_secret": "hush" });
    assert_eq!(ask(&mut world, None, &body).0, 200);
}

#[test]
fn a_lax_world_takes_any_client() {
    let mut world = World::lax();
    assert_eq!(ask(&mut world, None, &json!({ "grant_type": "client_credentials" })).0, 200);
}

#[test]
fn the_app_takes_a_token_for_a_user() {
    let mut world = World::strict(&["alice"]);
    let app = world.app_token();
    let (status, answer) = ask(&mut world, Some(&app), &grant("Alice", json!({ "ttl": 0 })));
    assert_eq!((status, &answer["user"]["username"]), (200, &json!("alice")));
    let token = answer["access_token"].as_str().expect("a token");
    assert_eq!(world.server.token_user(world.now, token), Some("alice"));

    let (status, answer) = ask(&mut world, Some(&app), &grant("emil", json!({ "autoCreateUser": false })));
    assert_eq!((status, &answer["error_description"]), (404, &json!("user not found")));
    let (status, answer) = ask(&mut world, Some(&app), &grant("emil", json!({ "autoCreateUser": true })));
    assert_eq!((status, &answer["user"]["username"]), (200, &json!("emil")));
    let token = answer["access_token"].as_str().expect("a token").to_owned();
    let (_, answer) = world.log_in(Login::new("emil", "r").token(&token));
    assert_eq!(answer.status.and_then(|status| status.error_code), Some(0));
    let (status, answer) = ask(&mut world, Some(&app), &grant("a b", json!({ "autoCreateUser": true })));
    assert_eq!((status, &answer["error"]), (400, &json!("illegal_argument")));
}

#[rstest]
#[case::nobody(None, 401)]
#[case::stranger(Some("guess"), 401)]
#[case::user(Some("t-alice"), 403)]
fn nobody_but_the_app_does(#[case] token: Option<&str>, #[case] status: u16) {
    let mut world = World::strict(&["alice"]);
    assert_eq!(ask(&mut world, token, &grant("alice", json!({}))).0, status);
}

#[test]
fn an_app_token_is_no_users() {
    for mut world in [World::strict(&["alice"]), World::lax()] {
        let app = world.app_token();
        let (_, answer) = world.log_in(Login::new("alice", "r").token(&app));
        let status = answer.status.expect("a status");
        assert_eq!(status.reason.as_deref(), Some("Sorry, token or password does not match login info"));
        assert_eq!(ask(&mut world, Some(&app), &client()).0, 200, "it is still the app's");
    }
}
