//! What those concerned are told of a group or room (wire-3x §5.3, clauses recv.presence, recv.invite).

use fixtures::wire::message_body::Type;
use fixtures::wire::{CONFERENCE_DOMAIN, Jid, Meta, MucBody};
use mock_server::control::Control;
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{self, Delete, Post, Put};
use prost::Message as _;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{World, jid};

const USERS: [&str; 5] = ["alice", "bob", "carl", "dora", "erin"];

/// Group or room `x` is alice's, bob its administrator, carl and dora members, erin outside; all are there.
struct Hall {
    world: World,
    path: String,
    kind: Type,
    conns: [ConnId; 5],
}

impl Hall {
    fn of(kind: Type) -> Self {
        let mut world = World::strict(&USERS);
        let (id, owner) = ("x".to_owned(), "alice".to_owned());
        let members = ["bob", "carl", "dora"].map(str::to_owned).to_vec();
        let (control, path) = match kind {
            Type::Groupchat => (Control::Group { id, owner, members }, "/chatgroups/x"),
            _ => (Control::Room { id, owner, members }, "/chatrooms/x"),
        };
        world.control(control);
        world.control(Control::Admins { id: "x".into(), users: vec!["bob".into()] });
        let conns = USERS.map(|user| world.connect(user, "web"));
        Self { world, path: path.into(), kind, conns }
    }

    fn call(&mut self, method: Method, rest: &str, user: &str, body: &Value) {
        let path = format!("{}{rest}", self.path);
        let (status, answer) = self.world.rest(method, &path, user, body);
        assert_eq!(status, 200, "{method:?} {path}: {answer}");
    }

    /// What each has been told since, as `reader: OPERATION from to reason`.
    fn news(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        for (user, conn) in USERS.into_iter().zip(self.conns) {
            if !self.world.is_open(conn) {
                continue;
            }
            for meta in self.world.news(conn) {
                lines.push(format!("{user}: {}", read(&meta, self.kind)));
            }
        }
        lines
    }
}

fn read(meta: &Meta, kind: Type) -> String {
    assert_eq!(meta.ns, Some(2));
    let body = MucBody::decode(meta.payload.clone().unwrap_or_default()).expect("a MUCBody");
    assert_eq!(body.muc_id, Some(jid("x", CONFERENCE_DOMAIN)), "3.x breaks without it");
    assert_eq!(body.is_chatroom, Some(kind == Type::Chatroom));
    let name = |jid: &Jid| jid.name.clone().expect("a name");
    let operation = body.operation().as_str_name().to_owned();
    let from = name(body.from.as_ref().expect("3.x breaks without it"));
    let mut words = vec![operation, from];
    words.extend(body.to.iter().map(name));
    words.extend(body.reason);
    words.join(" ")
}

#[rstest]
#[case::made_administrator(Post, "/admin", "alice", json!({ "newadmin": "carl" }),
    &["bob: ADD_ADMIN alice carl", "carl: ADD_ADMIN alice carl"])]
#[case::no_administrator_any_more(Delete, "/admin/bob", "alice", Value::Null, &["bob: REMOVE_ADMIN alice bob"])]
#[case::anothers_now(Put, "", "alice", json!({ "newowner": "carl" }), &[
    "bob: ASSIGN_OWNER alice carl", "carl: ASSIGN_OWNER alice carl", "dora: ASSIGN_OWNER alice carl",
])]
#[case::changed(Put, "", "bob", json!({ "description": "d" }),
    &["alice: UPDATE bob", "carl: UPDATE bob", "dora: UPDATE bob"])]
#[case::muted(Post, "/mute", "bob", json!({ "usernames": ["carl", "dora"], "mute_duration": 1_000 }), &[
    "alice: ADD_MUTE bob carl dora", "carl: ADD_MUTE bob carl dora", "dora: ADD_MUTE bob carl dora",
])]
#[case::unmuted(Delete, "/mute/carl", "alice", Value::Null,
    &["bob: REMOVE_MUTE alice carl", "carl: REMOVE_MUTE alice carl"])]
#[case::allowed(Post, "/white/users", "alice", json!({ "usernames": ["carl"] }),
    &["bob: ADD_USER_WHITE_LIST alice carl", "carl: ADD_USER_WHITE_LIST alice carl"])]
#[case::silenced(Post, "/ban", "alice", Value::Null,
    &["bob: BAN_GROUP alice", "carl: BAN_GROUP alice", "dora: BAN_GROUP alice"])]
#[case::announced(Post, "/announcement", "bob", json!({ "announcement": "at noon" }), &[
    "alice: UPDATE_ANNOUNCEMENT bob at noon", "carl: UPDATE_ANNOUNCEMENT bob at noon",
    "dora: UPDATE_ANNOUNCEMENT bob at noon",
])]
#[case::announcement_taken_down(Post, "/announcement", "bob", json!({ "announcement": "" }), &[
    "alice: DELETE_ANNOUNCEMENT bob", "carl: DELETE_ANNOUNCEMENT bob", "dora: DELETE_ANNOUNCEMENT bob",
])]
#[case::put_in(Post, "/users/erin", "alice", Value::Null, &[
    "bob: PRESENCE erin", "carl: PRESENCE erin", "dora: PRESENCE erin", "erin: DIRECT_JOINED alice erin",
])]
#[case::come_in(Post, "/apply", "erin", json!({}),
    &["alice: PRESENCE erin", "bob: PRESENCE erin", "carl: PRESENCE erin", "dora: PRESENCE erin"])]
#[case::gone(Delete, "/quit", "carl", Value::Null,
    &["alice: ABSENCE carl", "bob: ABSENCE carl", "dora: ABSENCE carl"])]
#[case::put_out(Delete, "/users/carl", "bob", Value::Null,
    &["alice: ABSENCE carl", "carl: KICK bob carl", "dora: ABSENCE carl"])]
#[case::barred(Post, "/blocks/users/carl", "alice", Value::Null, &[
    "bob: ABSENCE carl", "bob: BAN alice carl", "carl: KICK alice carl", "dora: ABSENCE carl",
])]
#[case::dissolved(Delete, "", "alice", Value::Null,
    &["bob: DESTROY alice", "carl: DESTROY alice", "dora: DESTROY alice"])]
fn those_concerned_are_told(
    #[values(Type::Groupchat, Type::Chatroom)] kind: Type,
    #[case] method: Method,
    #[case] rest: &str,
    #[case] user: &str,
    #[case] body: Value,
    #[case] expected: &[&str],
) {
    let mut hall = Hall::of(kind);
    hall.call(method, rest, user, &body);
    assert_eq!(hall.news(), expected);
}

#[test]
fn nothing_that_changes_nothing_is_told() {
    let mut hall = Hall::of(Type::Groupchat);
    for (method, rest, body) in [
        (Delete, "/ban", Value::Null),
        (Post, "/admin", json!({ "newadmin": "bob" })),
        (Delete, "/white/users/carl", Value::Null),
    ] {
        hall.call(method, rest, "alice", &body);
    }
    assert_eq!(hall.news(), [""; 0]);
}

#[rstest]
#[case::yes(true, &["alice: PRESENCE erin", "carl: PRESENCE erin", "dora: PRESENCE erin", "erin: APPLY_ACCEPT bob erin"])]
#[case::no(false, &["erin: APPLY_DECLINE bob erin full of bots"])]
fn who_asks_to_come_in_is_told_the_answer(#[case] verdict: bool, #[case] expected: &[&str]) {
    let mut hall = Hall::of(Type::Groupchat);
    hall.call(Put, "", "alice", &json!({ "approval": true }));
    hall.news();
    let please = json!({ "message": "please" });
    hall.call(Post, "/apply", "erin", &please);
    assert_eq!(hall.news(), ["alice: APPLY erin alice please", "bob: APPLY erin alice please"]);
    hall.call(Post, "/apply", "erin", &please);
    assert_eq!(hall.news(), [""; 0], "asked twice, told once");
    let word = json!({ "applicant": "erin", "verifyResult": verdict, "reason": "full of bots" });
    hall.call(Post, "/apply_verify", "bob", &word);
    assert_eq!(hall.news(), expected);
}

#[rstest]
#[case::yes(true, &["alice: PRESENCE erin", "bob: PRESENCE erin", "carl: INVITE_ACCEPT erin carl", "carl: PRESENCE erin", "dora: PRESENCE erin"])]
#[case::no(false, &["carl: INVITE_DECLINE erin carl no time"])]
fn who_invites_is_told_the_answer(#[case] verdict: bool, #[case] expected: &[&str]) {
    let mut hall = Hall::of(Type::Groupchat);
    hall.call(Put, "", "alice", &json!({ "invite_need_confirm": true }));
    hall.news();
    let erin = json!({ "usernames": ["erin"] });
    hall.call(Post, "/invite", "carl", &erin);
    assert_eq!(hall.news(), ["erin: INVITE carl erin"]);
    hall.call(Post, "/invite", "dora", &erin);
    assert_eq!(hall.news(), [""; 0], "it is asked already");
    let word = json!({ "invitee": "erin", "verifyResult": verdict, "reason": "no time" });
    hall.call(Post, "/invite_verify", "erin", &word);
    assert_eq!(hall.news(), expected, "the first who asked has the answer");
}

#[test]
fn what_is_done_to_one_who_is_away_is_found_later_what_others_do_is_not() {
    let mut hall = Hall::of(Type::Groupchat);
    hall.world.hang_up(hall.conns[2]);
    hall.call(Post, "/apply", "erin", &json!({}));
    hall.call(Delete, "/users/carl", "alice", &Value::Null);
    let carl = hall.world.connect("carl", "web");
    let told: Vec<String> = hall.world.news(carl).iter().map(|meta| read(meta, hall.kind)).collect();
    assert_eq!(told, ["KICK alice carl"]);
}

#[test]
fn a_room_has_no_news_for_who_is_away() {
    let mut hall = Hall::of(Type::Chatroom);
    hall.world.hang_up(hall.conns[2]);
    hall.call(Delete, "", "alice", &Value::Null);
    let carl = hall.world.connect("carl", "web");
    assert_eq!(hall.world.news(carl), []);
}

#[test]
fn a_test_that_changes_the_stage_is_heard_by_who_is_there() {
    let mut hall = Hall::of(Type::Groupchat);
    hall.world.hang_up(hall.conns[3]);
    hall.world.control(Control::Remove { id: "x".into(), users: vec!["carl".into(), "dora".into()] });
    assert_eq!(hall.news(), ["bob: ABSENCE carl", "bob: ABSENCE dora", "carl: KICK alice carl"]);
    let dora = hall.world.connect("dora", "web");
    assert_eq!(hall.world.news(dora), []);
}

#[test]
fn who_is_no_more_leaves_everything() {
    let mut hall = Hall::of(Type::Groupchat);
    hall.world.control(Control::Group { id: "y".into(), owner: "carl".into(), members: vec!["dora".into()] });
    hall.world.control(Control::RemoveUser { user: "carl".into() });
    let conns = hall.conns;
    let told: Vec<Meta> = hall.world.news(conns[3]);
    let operations: Vec<i32> = told
        .iter()
        .filter_map(|meta| MucBody::decode(meta.payload.clone().unwrap_or_default()).ok()?.operation)
        .collect();
    assert_eq!(operations, [18, 1], "carl left x, and y is dissolved");
}
