//! Who may do what in a group or room (rest.md A.10, B.5, B.6): every call with every role.

use fixtures::wire::message_body::Type;
use mock_server::control::Control;
use mock_server::machine::rest::Method::{self, Delete, Get, Post, Put};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{APP, World, code};

/// From the least to the most.
const ROLES: [(&str, &str); 5] =
    [("dora", "outsider"), ("carl", "member"), ("bob", "admin"), ("alice", "owner"), (APP, "app")];

/// A call, and who may make it at least.
type Call = (Method, &'static str, Value, &'static str);

/// `/x` is alice's; bob is its administrator; carl, erin and gina are members, gina muted and allowed; frank is on its
/// block list; dora is outside.
fn hall(kind: Type) -> (World, &'static str) {
    let mut world = World::strict(&["alice", "bob", "carl", "dora", "erin", "frank", "gina"]);
    let (id, owner) = ("x".to_owned(), "alice".to_owned());
    let members = ["bob", "carl", "erin", "frank", "gina"].map(str::to_owned).to_vec();
    let (control, root) = match kind {
        Type::Groupchat => (Control::Group { id, owner, members }, "/chatgroups"),
        _ => (Control::Room { id, owner, members }, "/chatrooms"),
    };
    world.control(control);
    let (id, gina) = ("x".to_owned(), vec!["gina".to_owned()]);
    world.control(Control::Admins { id: id.clone(), users: vec!["bob".into()] });
    world.control(Control::Mute { id: id.clone(), users: gina.clone(), ms: None });
    world.control(Control::Allow { id, users: gina });
    assert_eq!(world.rest(Post, &format!("{root}/x/blocks/users/frank"), "alice", &Value::Null).0, 200);
    (world, root)
}

fn calls() -> Vec<Call> {
    let users = json!({ "usernames": ["erin"] });
    let mute = json!({ "usernames": ["erin"], "mute_duration": 1_000 });
    vec![
        (Get, "", Value::Null, "outsider"),
        (Get, "/users", Value::Null, "outsider"),
        (Get, "/admin", Value::Null, "member"),
        (Get, "/announcement", Value::Null, "member"),
        (Get, "/share_files", Value::Null, "member"),
        (Get, "/mute", Value::Null, "admin"),
        (Get, "/blocks/users", Value::Null, "admin"),
        (Get, "/white/users", Value::Null, "admin"),
        (Get, "/white/users/gina", Value::Null, "admin"),
        (Put, "", json!({ "description": "d" }), "admin"),
        (Post, "/users/dora", Value::Null, "admin"),
        (Post, "/users", json!({ "usernames": ["dora"] }), "admin"),
        (Delete, "/users/erin", Value::Null, "admin"),
        (Delete, "/users/erin,gina", Value::Null, "admin"),
        (Post, "/mute", mute, "admin"),
        (Delete, "/mute/gina", Value::Null, "admin"),
        (Post, "/blocks/users", users.clone(), "admin"),
        (Post, "/blocks/users/erin", Value::Null, "admin"),
        (Delete, "/blocks/users/frank", Value::Null, "admin"),
        (Post, "/white/users", users, "admin"),
        (Post, "/white/users/erin", Value::Null, "admin"),
        (Delete, "/white/users/gina", Value::Null, "admin"),
        (Post, "/ban", Value::Null, "admin"),
        (Delete, "/ban", Value::Null, "admin"),
        (Post, "/announcement", json!({ "announcement": "a" }), "admin"),
        (Put, "", json!({ "newowner": "erin" }), "owner"),
        (Post, "/admin", json!({ "newadmin": "erin" }), "owner"),
        (Delete, "/admin/bob", Value::Null, "owner"),
        (Delete, "", Value::Null, "owner"),
    ]
}

#[rstest]
#[case::group(Type::Groupchat)]
#[case::room(Type::Chatroom)]
fn each_call_has_a_least_role(#[case] kind: Type) {
    for (method, rest, body, least) in calls() {
        let mut is_enough = false;
        for (user, role) in ROLES {
            is_enough |= role == least;
            let (mut world, root) = hall(kind);
            let path = format!("{root}/x{rest}");
            let (status, answer) = world.rest(method, &path, user, &body);
            let expected = if is_enough { 200 } else { 403 };
            assert_eq!(status, expected, "{method:?} {path} by the {role}: {answer}");
        }
    }
}

#[rstest]
#[case::removing(Delete, "/users/{}", Value::Null)]
#[case::muting(Post, "/mute", json!({ "usernames": ["{}"], "mute_duration": 1_000 }))]
#[case::unmuting(Delete, "/mute/{}", Value::Null)]
#[case::barring(Post, "/blocks/users/{}", Value::Null)]
fn administrators_have_no_say_over_their_like(
    #[case] method: Method,
    #[case] rest: &str,
    #[case] body: Value,
) {
    for (target, status) in [("alice", 403), ("erin", 403), ("carl", 200)] {
        let (mut world, root) = hall(Type::Groupchat);
        world.control(Control::Admins { id: "x".into(), users: vec!["erin".into()] });
        let path = format!("{root}/x{}", rest.replace("{}", target));
        let body = serde_json::from_str(&body.to_string().replace("{}", target)).expect("JSON as before");
        let (got, answer) = world.rest(method, &path, "bob", &body);
        assert_eq!(got, status, "{method:?} {path}: {answer}");
    }
}

#[test]
fn members_ask_about_themselves() {
    let (mut world, root) = hall(Type::Groupchat);
    for (user, of, status) in [("gina", "gina", 200), ("carl", "gina", 403), ("bob", "gina", 200)] {
        let path = format!("{root}/x/white/users/{of}");
        assert_eq!(world.rest(Get, &path, user, &Value::Null).0, status, "{user} about {of}");
    }
}

#[rstest]
#[case::group(Type::Groupchat)]
#[case::room(Type::Chatroom)]
fn who_is_barred_cannot_come_back_until_unbarred(#[case] kind: Type) {
    let (mut world, root) = hall(kind);
    let path = format!("{root}/x");
    let frank = json!({ "usernames": ["frank"] });
    assert_eq!(world.rest(Post, &format!("{path}/apply"), "frank", &json!({})).0, 403);
    assert_eq!(world.rest(Post, &format!("{path}/users"), "alice", &frank).0, 403);
    assert_eq!(world.rest(Delete, &format!("{path}/blocks/users/frank"), "alice", &Value::Null).0, 200);
    assert_eq!(world.rest(Delete, &format!("{path}/blocks/users/frank"), "alice", &Value::Null).0, 403);
    assert_eq!(world.rest(Post, &format!("{path}/apply"), "frank", &json!({})).0, 200);
}

#[test]
fn an_owner_before_is_a_member_and_the_new_one_owns() {
    let (mut world, root) = hall(Type::Groupchat);
    let path = format!("{root}/x");
    let give = |to: &str| json!({ "newowner": to });
    for (to, words) in [("dora", "are not members"), ("alice", "new owner and old owner are the same")] {
        let (status, answer) = world.rest(Put, &path, "alice", &give(to));
        assert_eq!(status, 403);
        assert!(answer["error_description"].as_str().is_some_and(|text| text.contains(words)), "{answer}");
    }
    let (status, answer) = world.rest(Put, &path, "alice", &give("Bob"));
    assert_eq!((status, &answer["data"]), (200, &json!({ "newowner": true })));
    assert_eq!(world.rest(Put, &path, "alice", &give("carl")).0, 403, "not alice's any more");
    assert_eq!(world.rest(Get, &format!("{path}/admin"), "bob", &Value::Null).1["data"], json!([]));
    assert_eq!(world.rest(Delete, &format!("{path}/quit"), "alice", &Value::Null).0, 200);
}

#[test]
fn a_group_that_is_switched_off_is_the_apps_alone() {
    let (mut world, root) = hall(Type::Groupchat);
    let carl = world.connect("carl", "web");
    assert_eq!(world.rest(Post, &format!("{root}/x/disable"), "alice", &Value::Null).0, 403);
    let (status, answer) = world.rest(Post, &format!("{root}/x/disable"), APP, &Value::Null);
    assert_eq!((status, &answer["data"]), (200, &json!({ "disabled": true })));
    for (user, role) in ROLES {
        let (status, answer) = world.rest(Get, &format!("{root}/x/users"), user, &Value::Null);
        assert_eq!(status, if user == APP { 200 } else { 403 }, "{role}: {answer}");
    }
    let meta = world.muc_meta(carl, Type::Groupchat, "x", "anybody?");
    assert_eq!(code(&world.send(carl, meta)), (1, "group is disabled"));
    assert_eq!(world.rest(Post, &format!("{root}/x/enable"), APP, &Value::Null).0, 200);
    world.muc_text(carl, Type::Groupchat, "x", "here I am");
}

#[test]
fn a_change_says_what_it_changed_and_no_more() {
    let (mut world, root) = hall(Type::Chatroom);
    let path = format!("{root}/x");
    let change = json!({ "groupname": "n", "description": "d", "maxusers": "100", "custom": "c" });
    let (status, answer) = world.rest(Put, &path, "alice", &change);
    let changed = json!({ "groupname": true, "description": true, "maxusers": true, "custom": true });
    assert_eq!((status, &answer["data"]), (200, &changed));
    let shown = world.rest(Get, &path, "carl", &Value::Null).1["data"][0].clone();
    for (key, value) in
        [("name", json!("n")), ("description", json!("d")), ("maxusers", json!(100)), ("custom", json!("c"))]
    {
        assert_eq!(shown[key], value, "{key}");
    }
    for (body, status, error) in [
        (json!({ "colour": "red" }), 400, "invalid_parameter"),
        (json!({ "maxusers": 3 }), 403, "forbidden_op"),
        (json!({ "groupname": "n".repeat(129) }), 400, "illegal_argument"),
        (json!({ "custom": "c".repeat(1_025) }), 400, "illegal_argument"),
    ] {
        let (got, answer) = world.rest(Put, &path, "alice", &body);
        assert_eq!((got, &answer["error"]), (status, &json!(error)), "{body}");
    }
    assert_eq!(world.rest(Get, &path, "carl", &Value::Null).1["data"][0], shown);
}

#[test]
fn a_name_is_a_users_or_a_groups() {
    let (mut world, root) = hall(Type::Groupchat);
    let register = json!({ "username": "x", "password": "pw" });
    let (status, answer) = world.rest(Post, "/users", "", &register);
    assert_eq!((status, &answer["error"]), (400, &json!("illegal_argument")), "{answer}");
    let user = Control::User { name: "x".into(), password: "pw".into() };
    assert!(world.try_control(user).is_err());
    assert_eq!(world.rest(Delete, &format!("{root}/x"), "alice", &Value::Null).0, 200);
    assert_eq!(world.rest(Post, "/users", "", &register).0, 200, "it is free again");
}
