//! Every route of the REST API: what it answers when all is well, and what it refuses without changing anything
//! (rest.md §0, A, B).

use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::rest::Method::{self, Delete, Get, Post, Put};
use rstest::rstest;
use serde_json::{Value, json};

use crate::muc_routes;
use crate::world::{APP, World, json_of};

/// Groups that the town's REST calls made, in their order.
pub(crate) const APPROVAL: &str = "100000000000001";
pub(crate) const CONFIRM: &str = "100000000000002";
pub(crate) const PRIVATE: &str = "100000000000003";
pub(crate) const FULL: &str = "100000000000004";

/// A world with one of everything: group `7` and room `8` are alice's, and bob is in. Carl has asked to come into
/// [`APPROVAL`], and is asked into [`CONFIRM`]. In [`PRIVATE`], where alice alone invites, bob is. Dora has asked to
/// come into [`FULL`] and is asked into it, but bob took the second of its two places. Group `9` and room `10` have
/// everything: bob is an administrator, carl is muted and allowed, dora is on the block list.
pub(crate) fn town() -> World {
    let mut world = World::strict(&["alice", "bob", "carl", "dora"]);
    let members = vec!["bob".to_owned()];
    world.control(Control::Group { id: "7".into(), owner: "alice".into(), members: members.clone() });
    world.control(Control::Room { id: "8".into(), owner: "alice".into(), members });
    for (id, root) in [("9", "/chatgroups"), ("10", "/chatrooms")] {
        let (id, owner) = (id.to_owned(), "alice".to_owned());
        let members = vec!["bob".to_owned(), "carl".to_owned(), "dora".to_owned()];
        world.control(match root {
            "/chatgroups" => Control::Group { id: id.clone(), owner, members },
            _ => Control::Room { id: id.clone(), owner, members },
        });
        let carl = vec!["carl".to_owned()];
        world.control(Control::Admins { id: id.clone(), users: vec!["bob".into()] });
        world.control(Control::Mute { id: id.clone(), users: carl.clone(), ms: None });
        world.control(Control::Allow { id: id.clone(), users: carl });
        let path = format!("{root}/{id}");
        world.rest(Post, &format!("{path}/blocks/users/dora"), "alice", &Value::Null);
        world.rest(Post, &format!("{path}/announcement"), "alice", &json!({ "announcement": "welcome" }));
    }
    world.rest(Post, "/chatrooms/super_admin", APP, &json!({ "superadmin": "alice" }));
    world.control(Control::Block { user: "alice".into(), blocked: vec!["dora".into(), "carl".into()] });
    world.control(Control::Contacts { user: "alice".into(), with: vec!["dora".into()] });
    world.control(Control::Token { user: "alice".into(), token: "old".into(), ttl_ms: 0 });
    let full = json!({
        "groupname": "full", "approval": true, "allowinvites": true, "invite_need_confirm": true,
        "members": ["dora"], "maxusers": 2,
    });
    for (user, path, body) in [
        ("alice", "/chatgroups", json!({ "groupname": "approval", "approval": true })),
        (
            "alice",
            "/chatgroups",
            json!({ "groupname": "confirm", "invite_need_confirm": true, "members": ["carl"] }),
        ),
        ("alice", "/chatgroups", json!({ "groupname": "private", "public": false, "members": ["bob"] })),
        ("alice", "/chatgroups", full),
        ("carl", &format!("/chatgroups/{APPROVAL}/apply"), json!({ "message": "please" })),
        ("dora", &format!("/chatgroups/{FULL}/apply"), json!({ "message": "please" })),
        ("alice", &format!("/chatgroups/{FULL}/users"), json!({ "usernames": ["bob"] })),
    ] {
        let (status, answer) = world.rest(Post, path, user, &body);
        assert_eq!(status, 200, "{path}: {answer}");
    }
    world
}

/// Everything that the API shows of a world, and who may log in with what.
fn picture(world: &mut World) -> Vec<Value> {
    let mut shown = Vec::new();
    let mut look = |path: &str, user: &str| shown.push(world.rest(Get, path, user, &Value::Null).1);
    for user in ["alice", "bob", "carl", "dora"] {
        look(&format!("/users/{user}/blocks/users"), user);
        look(&format!("/users/{user}/contacts/users"), user);
        look(&format!("/users/{user}/joined_chatgroups"), user);
    }
    for id in ["7", APPROVAL, CONFIRM, PRIVATE, FULL] {
        look(&format!("/chatgroups/{id}"), "alice");
    }
    for path in ["/chatrooms/8", "/chatrooms", "/publicchatgroups"] {
        look(path, "alice");
    }
    for path in ["/chatgroups/9", "/chatrooms/10"] {
        look(path, "alice");
        for rest in ["admin", "mute", "blocks/users", "white/users", "announcement"] {
            look(&format!("{path}/{rest}"), "alice");
        }
    }
    look("/chatrooms/super_admin", APP);
    for user in ["alice", "bob", "carl", "dora", "emil"] {
        let grant = json!({ "grant_type": "password", "username": user, "password": "pw" });
        shown.push(world.rest(Post, "/token", "", &grant).0.into());
    }
    shown
}

/// A call that does what it is asked in [`town`].
#[derive(Clone, Debug)]
pub(crate) struct Good {
    method: Method,
    path: String,
    /// Whose token; empty where none is asked for.
    user: &'static str,
    body: Value,
    /// A field without which the body is refused.
    needs: Option<&'static str>,
    /// `data` of the answer.
    answers: Value,
}

pub(crate) fn good(method: Method, path: impl Into<String>, user: &'static str, answers: Value) -> Good {
    Good { method, path: path.into(), user, body: Value::Null, needs: None, answers }
}

impl Good {
    pub(crate) fn body(self, body: Value) -> Self {
        Self { body, ..self }
    }

    pub(crate) fn needs(self, field: &'static str) -> Self {
        Self { needs: Some(field), ..self }
    }
}

pub(crate) fn named(id: &str, name: &str) -> Value {
    json!({ "groupid": id, "groupname": name, "id": id, "name": name })
}

/// All routes, each with a call that succeeds.
fn goods() -> Vec<Good> {
    let grant = json!({ "grant_type": "password", "username": "alice", "password": "pw", "timestamp": 1 });
    let mut calls = vec![
        good(Post, "/token", "", Value::Null).body(grant).needs("grant_type"),
        good(Post, "/users", "", json!([])).body(json!({ "username": "Emil", "password": "pw" })),
        good(Get, "/users?limit=2", APP, json!([])),
        good(Delete, "/users?limit=1&cursor=3", APP, json!([])),
        good(Get, "/users/alice/blocks/users", "alice", json!(["dora", "carl"])),
        good(Post, "/users/alice/blocks/users", APP, json!(["bob"]))
            .body(json!({ "usernames": ["bob"] }))
            .needs("usernames"),
        good(Delete, "/users/alice/blocks/users/carl", APP, json!([])),
        good(Get, "/users/alice/contacts/users", "alice", json!(["dora"])),
        good(Delete, "/users/alice/contacts/users/dora", "alice", json!([])),
        good(Post, "/users/alice/contacts/users/bob", APP, json!([])),
        good(Put, "/users/alice/contacts/users/dora", "alice", json!({ "result": "ok" }))
            .body(json!({ "remark": "d" }))
            .needs("remark"),
    ];
    calls.extend(muc_routes::goods());
    calls
}

#[test]
fn every_route_answers_as_the_service_does() {
    for call in goods() {
        let mut world = town();
        let (status, answer) = world.rest(call.method, &call.path, call.user, &call.body);
        assert_eq!(status, 200, "{call:?}: {answer}");
        let path = call.path.split('?').next().expect("a path");
        if path == "/token" {
            continue;
        }
        assert_eq!(answer["data"], call.answers, "{call:?}");
        assert_eq!(answer["action"], call.method.word(), "{call:?}");
        assert_eq!(answer["organization"], "org");
        assert_eq!(answer["applicationName"], "app");
        assert_eq!(answer["application"].as_str().map(str::len), Some(36), "{answer}");
        assert_eq!(answer["path"], path);
        assert_eq!(answer["uri"], format!("http://127.0.0.1:1/org/app{path}"));
        assert_eq!(answer["timestamp"], 1_640_908_800_000_u64);
        assert_eq!(answer["duration"], 0);
        assert!(answer["entities"].is_array());
        // Where there are entities, it is they that are counted.
        if answer["entities"].as_array().is_some_and(Vec::is_empty) {
            let count = call.answers.as_array().map(Vec::len);
            assert_eq!(answer.get("count"), count.map(Value::from).as_ref(), "{call:?}");
        }
        assert!(answer.get("error").is_none());
    }
}

#[test]
fn a_token_is_answered_without_an_envelope() {
    let mut world = town();
    let grant = json!({ "grant_type": "password", "username": "Alice", "password": "pw", "timestamp": 1 });
    let (status, mut answer) = world.rest(Post, "/token", "", &grant);
    assert_eq!(status, 200);
    let token = answer["access_token"].take();
    let token = token.as_str().expect("a token");
    assert_eq!(world.server.token_user(world.now, token), Some("alice"));
    assert_eq!(answer["expires_in"], 5_184_000, "60 days, in s (rest.md B.1)");
    assert_eq!(answer["user"]["username"], "alice");
    assert_eq!(answer["user"]["activated"], true);
    let (_, again) = world.rest(Post, "/token", "", &grant);
    assert_ne!(again["access_token"], token);
    assert_eq!(again["user"]["uuid"], answer["user"]["uuid"]);
    world.now.0 += 5_184_000_000;
    assert_eq!(world.server.token_user(world.now, token), None);
}

#[rstest]
#[case::as_the_world_has_it(Value::Null, 5_184_000)]
#[case::as_asked(json!(60), 60)]
#[case::for_ever(json!(0), 100 * 365 * 24 * 3_600)]
#[case::beyond_all_clocks(json!(u64::MAX), u64::MAX / 1_000)]
fn a_token_lives_as_long_as_asked(#[case] ttl: Value, #[case] seconds: u64) {
    let mut world = town();
    let grant = json!({ "grant_type": "password", "username": "alice", "password": "pw", "ttl": ttl });
    let (status, answer) = world.rest(Post, "/token", "", &grant);
    assert_eq!((status, &answer["expires_in"]), (200, &json!(seconds)));
    world.now.0 = world.now.0.saturating_add(seconds.saturating_mul(1_000).saturating_sub(1));
    let token = answer["access_token"].as_str().expect("a token");
    assert!(world.server.token_user(world.now, token).is_some() || seconds == u64::MAX / 1_000);
}

#[test]
fn a_registered_user_is_shown_and_may_log_in() {
    let mut world = town();
    let new = json!({ "username": "Emil", "password": "secret", "nickname": "E." });
    let (status, answer) = world.rest(Post, "/users", "", &new);
    assert_eq!(status, 200);
    let entity = &answer["entities"][0];
    assert_eq!(
        (&entity["username"], &entity["nickname"], &entity["type"], &entity["activated"]),
        (&json!("emil"), &json!("E."), &json!("user"), &json!(true))
    );
    assert_eq!(entity["created"], world.now.0);
    let grant = json!({ "grant_type": "password", "username": "EMIL", "password": "secret" });
    let (status, answer) = world.rest(Post, "/token", "", &grant);
    assert_eq!((status, &answer["user"]["nickname"]), (200, &json!("E.")));
}

/// Refusals of bodies and paths that are understood.
#[rstest]
#[case::wrong_password(Post, "/token", "", json!({ "grant_type": "password", "username": "alice", "password": "x" }), 400, "invalid_grant", "invalid password")]
#[case::no_password(Post, "/token", "", json!({ "grant_type": "password", "username": "alice" }), 400, "invalid_grant", "invalid password")]
#[case::unknown_user(Post, "/token", "", json!({ "grant_type": "password", "username": "emil", "password": "x" }), 404, "service_resource_not_found", "user not found")]
#[case::other_grant(Post, "/token", "", json!({ "grant_type": "authorization_code" }), 400, "illegal_argument", "is not served")]
#[case::taken_name(Post, "/users", "", json!({ "username": "ALICE", "password": "x" }), 400, "duplicate_unique_property_exists", "value of alice exists")]
#[case::no_name(Post, "/users", "", json!({ "password": "x" }), 400, "illegal_argument", "username")]
#[case::bad_name(Post, "/users", "", json!({ "username": "a b", "password": "x" }), 400, "illegal_argument", "username is not legal")]
#[case::no_password_to_register(Post, "/users", "", json!({ "username": "emil" }), 400, "illegal_argument", "password")]
#[case::long_nickname(Post, "/users", "", json!({ "username": "emil", "password": "pw", "nickname": "n".repeat(101) }), 400, "illegal_argument", "nickname")]
#[case::long_password(Post, "/users", "", json!({ "username": "emil", "password": "p".repeat(65) }), 400, "illegal_argument", "password")]
#[case::blocks_of_another(Get, "/users/bob/blocks/users", "alice", Value::Null, 403, "forbidden_op", "bob")]
#[case::blocks_of_nobody(Get, "/users/emil/blocks/users", "alice", Value::Null, 403, "forbidden_op", "emil")]
#[case::groups_of_another(
    Get,
    "/users/bob/joined_chatgroups",
    "alice",
    Value::Null,
    403,
    "forbidden_op",
    "bob"
)]
#[case::group_with_nobody(Post, "/chatgroups", "alice", json!({ "groupname": "g", "members": ["bob", "emil"] }), 400, "illegal_argument", "emil")]
#[case::group_too_small(Post, "/chatgroups", "alice", json!({ "groupname": "g", "members": ["bob"], "maxusers": 1 }), 403, "forbidden_op", "max user size")]
#[case::group_of_none(Post, "/chatgroups", "alice", json!({ "groupname": "g", "maxusers": 0 }), 400, "illegal_argument", "maxusers")]
#[case::group_too_large(Post, "/chatgroups", "alice", json!({ "groupname": "g", "maxusers": 10_001 }), 400, "illegal_argument", "maxusers")]
#[case::long_group_name(Post, "/chatgroups", "alice", json!({ "groupname": "ö".repeat(129) }), 400, "illegal_argument", "128")]
#[case::long_description(Post, "/chatrooms", "alice", json!({ "name": "r", "description": "ö".repeat(513) }), 400, "illegal_argument", "512")]
#[case::dissolve_anothers(Delete, "/chatgroups/7", "bob", Value::Null, 403, "forbidden_op", "owner")]
#[case::dissolve_from_outside(Delete, "/chatrooms/8", "carl", Value::Null, 403, "forbidden_op", "owner")]
#[case::add_by_a_member(Post, "/chatgroups/7/users", "bob", json!({ "usernames": ["carl"] }), 403, "forbidden_op", "owner")]
#[case::add_nobody(Post, "/chatgroups/7/users", "alice", json!({ "usernames": ["carl", "emil"] }), 400, "illegal_argument", "emil")]
#[case::add_too_many(Post, format!("/chatgroups/{FULL}/users"), "alice", json!({ "usernames": ["carl"] }), 403, "forbidden_op", "group member list is full!")]
#[case::remove_by_a_member(
    Delete,
    "/chatgroups/7/users/alice",
    "bob",
    Value::Null,
    403,
    "forbidden_op",
    "owner"
)]
#[case::remove_a_stranger(
    Delete,
    "/chatgroups/7/users/carl",
    "alice",
    Value::Null,
    403,
    "forbidden_op",
    "are not members of this group"
)]
#[case::remove_nobody(
    Delete,
    "/chatgroups/7/users/emil",
    "alice",
    Value::Null,
    400,
    "illegal_argument",
    "emil"
)]
#[case::remove_some_and_nobody(
    Delete,
    "/chatgroups/7/users/bob,emil",
    "alice",
    Value::Null,
    400,
    "illegal_argument",
    "emil"
)]
#[case::remove_oneself(
    Delete,
    "/chatgroups/7/users/alice",
    "alice",
    Value::Null,
    403,
    "forbidden_op",
    "forbidden operation on group owner!"
)]
#[case::apply_twice(Post, "/chatgroups/7/apply", "bob", json!({}), 403, "forbidden_op", "already in group")]
#[case::apply_to_the_private(Post, format!("/chatgroups/{PRIVATE}/apply"), "carl", json!({}), 403, "forbidden_op", "is private")]
#[case::apply_where_one_is(Post, format!("/chatgroups/{APPROVAL}/apply"), "alice", json!({}), 403, "forbidden_op", "already in group")]
#[case::verify_by_another(Post, format!("/chatgroups/{APPROVAL}/apply_verify"), "carl", json!({ "applicant": "carl", "verifyResult": true }), 403, "forbidden_op", "owner")]
#[case::verify_who_never_asked(Post, format!("/chatgroups/{APPROVAL}/apply_verify"), "alice", json!({ "applicant": "dora", "verifyResult": true }), 403, "forbidden_op", "has not applied")]
#[case::verify_nobody(Post, format!("/chatgroups/{APPROVAL}/apply_verify"), "alice", json!({ "applicant": "emil", "verifyResult": true }), 400, "illegal_argument", "emil")]
#[case::verify_into_the_full(Post, format!("/chatgroups/{FULL}/apply_verify"), "alice", json!({ "applicant": "dora", "verifyResult": true }), 403, "forbidden_op", "group member list is full!")]
#[case::invite_from_outside(Post, "/chatgroups/7/invite", "carl", json!({ "usernames": ["dora"] }), 403, "forbidden_op", "are not members of this group")]
#[case::invite_where_only_the_owner_may(Post, format!("/chatgroups/{PRIVATE}/invite"), "bob", json!({ "usernames": ["dora"] }), 403, "forbidden_op", "only the owner")]
#[case::accept_for_another(Post, format!("/chatgroups/{CONFIRM}/invite_verify"), "dora", json!({ "invitee": "carl", "verifyResult": true }), 403, "forbidden_op", "not yours")]
#[case::accept_uninvited(Post, format!("/chatgroups/{CONFIRM}/invite_verify"), "dora", json!({ "invitee": "dora", "verifyResult": true }), 403, "forbidden_op", "not invited")]
#[case::accept_into_the_full(Post, format!("/chatgroups/{FULL}/invite_verify"), "dora", json!({ "invitee": "dora", "verifyResult": true }), 403, "forbidden_op", "group member list is full!")]
#[case::owner_quits(Delete, "/chatgroups/7/quit", "alice", Value::Null, 403, "forbidden_op", "owner")]
#[case::stranger_quits(
    Delete,
    "/chatrooms/8/quit",
    "carl",
    Value::Null,
    403,
    "forbidden_op",
    "are not members of this group"
)]
#[case::unknown_path(
    Get,
    "/chatgroup",
    "alice",
    Value::Null,
    404,
    "service_resource_not_found",
    "/chatgroup"
)]
#[case::path_with_a_slash_more(
    Get,
    "/chatgroups/7/",
    "alice",
    Value::Null,
    404,
    "service_resource_not_found",
    "/chatgroups/7/"
)]
#[case::empty_path(Get, "/", "alice", Value::Null, 404, "service_resource_not_found", "/")]
fn a_refusal_says_why_and_changes_nothing(
    #[case] method: Method,
    #[case] path: impl Into<String>,
    #[case] user: &str,
    #[case] body: Value,
    #[case] status: u16,
    #[case] error: &str,
    #[case] words: &str,
) {
    let mut world = town();
    let before = picture(&mut world);
    let (got, answer) = world.rest(method, &path.into(), user, &body);
    assert_eq!((got, answer["error"].as_str()), (status, Some(error)), "{answer}");
    hold_error_envelope(&answer);
    assert!(answer["error_description"].as_str().is_some_and(|text| text.contains(words)), "{answer}");
    assert_eq!(picture(&mut world), before);
}

/// rest.md 0.5: the SDKs parse every failure, and 4.x hangs on one that it cannot.
fn hold_error_envelope(answer: &Value) {
    let keys: Vec<&String> = answer.as_object().expect("an object").keys().collect();
    let expected = ["duration", "error", "error_description", "exception", "timestamp"];
    assert!(keys.len() == expected.len() && expected.iter().all(|key| answer.get(key).is_some()), "{answer}");
    assert_eq!(answer["timestamp"], 1_640_908_800_000_u64);
}

#[rstest]
#[case::none(None, "unauthorized", "Unable to authenticate (OAuth)")]
#[case::unknown(Some("guess"), "auth_bad_access_token", "corrupt access token")]
#[case::empty(Some(""), "auth_bad_access_token", "corrupt access token")]
#[case::expired(Some("old"), "unauthorized", "expired access token")]
fn every_route_but_two_wants_a_good_token(
    #[case] token: Option<&str>,
    #[case] error: &str,
    #[case] words: &str,
) {
    let mut world = town();
    let before = picture(&mut world);
    for call in goods().into_iter().filter(|call| !call.user.is_empty()) {
        let response = world.request(call.method, &call.path, token, call.body.to_string().into());
        let answer = json_of(&response);
        assert_eq!((response.status, answer["error"].as_str()), (401, Some(error)), "{call:?}");
        assert!(answer["error_description"].as_str().is_some_and(|text| text.contains(words)), "{answer}");
        hold_error_envelope(&answer);
    }
    assert_eq!(picture(&mut world), before);
}

/// Bodies that are not what a call takes, each made from a good one.
fn bent(body: &Value, needs: Option<&str>) -> Vec<Vec<u8>> {
    let mut bent =
        vec![b"".to_vec(), b"{".to_vec(), b"null".to_vec(), b"[[]]".to_vec(), b"\xff\xfe".to_vec()];
    if let Some(needs) = needs {
        let mut without = body.clone();
        without.as_object_mut().expect("an object").remove(needs);
        bent.push(without.to_string().into());
    }
    for (key, value) in body.as_object().expect("an object") {
        // `owner`, `timestamp` and such are not looked at.
        if key == "timestamp" {
            continue;
        }
        let mut other = body.clone();
        other[key] = if value.is_object() { json!(1) } else { json!({ "odd": [] }) };
        bent.push(other.to_string().into());
    }
    bent
}

#[test]
fn every_body_that_is_no_such_json_is_refused() {
    let mut world = town();
    let before = picture(&mut world);
    // What an applicant says to the owner is not read at all.
    let with_body = |call: &Good| call.body.is_object() && call.body.get("message").is_none();
    let mut tried = 0;
    for call in goods().iter().filter(|&call| with_body(call)) {
        for body in bent(&call.body, call.needs) {
            let token = world.token(call.user);
            let response = world.request(call.method, &call.path, token.as_deref(), body.clone().into());
            let answer = json_of(&response);
            let body = String::from_utf8_lossy(&body).into_owned();
            assert_eq!(
                (response.status, answer["error"].as_str()),
                (400, Some("json_parse")),
                "{call:?} {body}"
            );
            hold_error_envelope(&answer);
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
    assert_eq!(picture(&mut world), before);
}

#[test]
fn every_path_takes_its_own_methods_only() {
    let mut world = town();
    let before = picture(&mut world);
    let path_of = |call: &Good| call.path.split('?').next().unwrap_or_default().to_owned();
    // Which group, room or user it is makes no difference to the methods.
    let shape_of = |path: &str| {
        let is_name = |at: usize, segment: &str| at == 2 && segment != "super_admin" || at == 4 || at == 5;
        let segments = path.split('/').enumerate();
        let shape = segments.map(|(at, segment)| if is_name(at, segment) { "*" } else { segment });
        shape.collect::<Vec<_>>().join("/")
    };
    let paths: Vec<String> = goods().iter().map(path_of).collect();
    let known: Vec<(Method, String)> =
        goods().iter().map(|call| (call.method, shape_of(&path_of(call)))).collect();
    let mut tried = 0;
    for path in &paths {
        for method in [Get, Post, Put, Delete] {
            if known.contains(&(method, shape_of(path))) {
                continue;
            }
            let (status, answer) = world.rest(method, path, "alice", &json!({}));
            assert_eq!((status, &answer["error"]), (405, &json!("method_not_allowed")), "{method:?} {path}");
            hold_error_envelope(&answer);
            tried += 1;
        }
    }
    assert!(tried > 50, "{tried}");
    assert_eq!(picture(&mut world), before);
}

#[rstest]
#[case::unknown("77")]
#[case::empty_looking("%20")]
#[case::not_ascii("群")]
fn every_route_of_a_group_or_room_refuses_an_id_that_is_none(#[case] id: &str) {
    let mut world = town();
    let before = picture(&mut world);
    let mut tried = 0;
    for call in goods() {
        let mut segments: Vec<&str> = call.path.split('/').collect();
        let of_one = segments.len() > 2 && matches!(segments[1], "chatgroups" | "chatrooms");
        if !of_one || segments[2].starts_with("super_admin") || segments[2] == "user" {
            continue;
        }
        segments[2] = id;
        let (status, answer) = world.rest(call.method, &segments.join("/"), call.user, &call.body);
        assert_eq!((status, &answer["error"]), (404, &json!("service_resource_not_found")), "{call:?}");
        assert_eq!(
            answer["error_description"],
            format!("grpID {id} does not exist!"),
            "4.x looks for the words"
        );
        tried += 1;
    }
    assert!(tried > 15, "{tried}");
    assert_eq!(picture(&mut world), before);
}

#[test]
fn a_group_is_no_room_and_a_room_no_group() {
    let mut world = town();
    for path in ["/chatrooms/7", "/chatgroups/8", "/chatrooms/7/users", "/chatgroups/8/users"] {
        assert_eq!(world.rest(Get, path, "alice", &Value::Null).0, 404, "{path}");
    }
}

#[test]
fn a_lax_world_registers_whoever_logs_in() {
    let mut world = World::lax();
    let grant =
        |password: &str| json!({ "grant_type": "password", "username": "Emil", "password": password });
    assert_eq!(world.rest(Post, "/token", "", &grant("")).0, 400, "even here a password must be one");
    assert_eq!(world.rest(Post, "/token", "", &grant("first")).0, 200);
    assert_eq!(world.warnings.len(), 1, "{:?}", world.warnings);
    assert_eq!(world.rest(Post, "/token", "", &grant("second")).0, 400);
    let (_, answer) = world.rest(Post, "/token", "", &grant("first"));
    assert_eq!(answer["user"]["username"], "emil");
}

#[test]
fn registration_may_be_closed_and_an_app_not_served() {
    let mut world = town();
    let off =
        SettingsPatch { open_registration: Some(false), serving: Some(false), ..SettingsPatch::default() };
    world.patch(off);
    let (status, answer) = world.rest(Post, "/users", "", &json!({ "username": "emil", "password": "pw" }));
    assert_eq!((status, &answer["error"]), (401, &json!("unauthorized")));
    let grant = json!({ "grant_type": "password", "username": "alice", "password": "pw" });
    let (status, answer) = world.rest(Post, "/token", "", &grant);
    assert_eq!((status, &answer["error"]), (403, &json!("forbidden_op")));
}
