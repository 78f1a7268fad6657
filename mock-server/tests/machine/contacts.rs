//! Contacts: asked, answered and ended over the socket, listed and changed over REST (wire-3x §5.4, rest.md B.3, clause
//! recv.roster).

use fixtures::wire::{CommSyncDl, Jid, Meta, RosterBody, USER_DOMAIN};
use mock_server::control::Control;
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{Delete, Get, Post};
use prost::Message as _;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{APP, World, accepted, code, jid};

pub(crate) const ADD: i32 = 2;
pub(crate) const REMOVE: i32 = 3;
pub(crate) const ACCEPT: i32 = 4;
pub(crate) const DECLINE: i32 = 5;
pub(crate) const BAN: i32 = 6;
pub(crate) const ALLOW: i32 = 7;
pub(crate) const REMOTE_ACCEPT: i32 = 8;
pub(crate) const REMOTE_DECLINE: i32 = 9;

/// Alice and bob, with two devices each.
pub(crate) struct Two {
    pub(crate) world: World,
    pub(crate) alice: [ConnId; 2],
    pub(crate) bob: [ConnId; 2],
}

/// Operation, from, to, reason.
pub(crate) type News = (i32, String, String, String);

impl Two {
    pub(crate) fn new() -> Self {
        let mut world = World::strict(&["alice", "bob", "carl"]);
        let alice = [world.connect("alice", "web"), world.connect("alice", "phone")];
        let bob = [world.connect("bob", "web"), world.connect("bob", "phone")];
        Self { world, alice, bob }
    }

    /// What each device has been told since: alice's, then bob's.
    pub(crate) fn news(&mut self) -> [Vec<News>; 4] {
        let [a, b] = self.alice;
        let [c, d] = self.bob;
        [a, b, c, d].map(|conn| self.world.news(conn).iter().map(read).collect())
    }

    pub(crate) fn contacts(&mut self) -> [Value; 2] {
        ["alice", "bob"].map(|user| contacts(&mut self.world, user))
    }
}

fn read(meta: &Meta) -> News {
    assert_eq!(meta.ns, Some(3));
    let body = RosterBody::decode(meta.payload.clone().unwrap_or_default()).expect("a RosterBody");
    let name = |jid: Option<&Jid>| jid.and_then(|jid| jid.name.clone()).expect("a name, or 3.x breaks");
    let operation = body.operation.expect("an operation");
    (operation, name(body.from.as_ref()), name(body.to.first()), body.reason.unwrap_or_default())
}

pub(crate) fn said(operation: i32, from: &str, to: &str, reason: &str) -> Vec<News> {
    vec![(operation, from.into(), to.into(), reason.into())]
}

fn frame(world: &mut World, operation: i32, to: &[&str], reason: &str) -> Meta {
    let body = RosterBody {
        operation: Some(operation),
        to: to.iter().map(|name| jid(name, USER_DOMAIN)).collect(),
        reason: Some(reason.into()),
        ..RosterBody::default()
    };
    Meta {
        id: Some(world.next_local()),
        to: Some(Jid { domain: Some("@easemob.com".into()), ..Jid::default() }),
        ns: Some(3),
        payload: Some(body.encode_to_vec().into()),
        ..Meta::default()
    }
}

pub(crate) fn send(world: &mut World, conn: ConnId, operation: i32, to: &str, reason: &str) -> CommSyncDl {
    let meta = frame(world, operation, &[to], reason);
    world.send(conn, meta)
}

fn contacts(world: &mut World, user: &str) -> Value {
    let (status, answer) = world.rest(Get, &format!("/users/{user}/contacts/users"), user, &Value::Null);
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

#[test]
fn who_is_asked_is_told_once_and_says_yes() {
    let mut two = Two::new();
    accepted(&send(&mut two.world, two.alice[0], ADD, "Bob", "it is me"));
    let asked = said(ADD, "alice", "bob", "it is me");
    assert_eq!(two.news(), [vec![], vec![], asked.clone(), asked]);
    accepted(&send(&mut two.world, two.alice[1], ADD, "bob", "again"));
    assert_eq!(two.news(), [vec![], vec![], vec![], vec![]], "asked twice, told once");
    assert_eq!(two.contacts(), [json!([]), json!([])]);
    accepted(&send(&mut two.world, two.bob[0], ACCEPT, "alice", ""));
    let (agreed, added) = (said(REMOTE_ACCEPT, "bob", "alice", ""), said(ACCEPT, "bob", "alice", ""));
    assert_eq!(two.news(), [agreed.clone(), agreed, added.clone(), added]);
    assert_eq!(two.contacts(), [json!(["bob"]), json!(["alice"])]);
    accepted(&send(&mut two.world, two.bob[1], ACCEPT, "alice", ""));
    accepted(&send(&mut two.world, two.alice[0], ADD, "bob", ""));
    assert_eq!(two.news(), [vec![], vec![], vec![], vec![]], "they are contacts already");
}

#[test]
fn who_says_no_stays_as_before() {
    let mut two = Two::new();
    accepted(&send(&mut two.world, two.alice[0], ADD, "bob", ""));
    two.news();
    accepted(&send(&mut two.world, two.bob[0], DECLINE, "alice", "who?"));
    let refused = said(REMOTE_DECLINE, "bob", "alice", "who?");
    let elsewhere = said(DECLINE, "bob", "alice", "who?");
    assert_eq!(two.news(), [refused.clone(), refused, vec![], elsewhere]);
    assert_eq!(two.contacts(), [json!([]), json!([])]);
    assert_eq!(code(&send(&mut two.world, two.bob[0], ACCEPT, "alice", "")).0, 1, "it is answered");
    accepted(&send(&mut two.world, two.alice[0], ADD, "bob", ""));
    let asked = said(ADD, "alice", "bob", "");
    assert_eq!(two.news(), [vec![], vec![], asked.clone(), asked], "may be asked anew");
}

#[test]
fn either_side_ends_it_for_both() {
    let mut two = Two::new();
    two.world.control(Control::Contacts { user: "alice".into(), with: vec!["bob".into()] });
    assert_eq!(two.news(), [vec![], vec![], vec![], vec![]], "a stage is set without a word");
    assert_eq!(two.contacts(), [json!(["bob"]), json!(["alice"])]);
    accepted(&send(&mut two.world, two.bob[1], REMOVE, "alice", ""));
    let ended = said(REMOVE, "bob", "alice", "");
    assert_eq!(two.news(), [ended.clone(), ended.clone(), ended.clone(), ended]);
    assert_eq!(two.contacts(), [json!([]), json!([])]);
    accepted(&send(&mut two.world, two.bob[1], REMOVE, "alice", ""));
    assert_eq!(two.news(), [vec![], vec![], vec![], vec![]]);
}

#[test]
fn two_who_ask_each_other_need_one_yes() {
    let mut two = Two::new();
    accepted(&send(&mut two.world, two.alice[0], ADD, "bob", ""));
    accepted(&send(&mut two.world, two.bob[0], ADD, "alice", ""));
    accepted(&send(&mut two.world, two.bob[0], ACCEPT, "alice", ""));
    assert_eq!(two.contacts(), [json!(["bob"]), json!(["alice"])]);
    two.news();
    assert_eq!(code(&send(&mut two.world, two.alice[0], DECLINE, "bob", "")).0, 1, "nothing waits any more");
}

#[test]
fn an_invitation_waits_for_who_is_away() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "web");
    accepted(&send(&mut world, alice, ADD, "bob", "hello"));
    let bob = world.connect("bob", "web");
    let news: Vec<News> = world.news(bob).iter().map(read).collect();
    assert_eq!(news, said(ADD, "alice", "bob", "hello"));
}

#[rstest]
#[case::oneself(ADD, "alice", 1, "nobody is their own contact")]
#[case::who_blocked_one(ADD, "carl", 1, "blocked")]
#[case::nobody(ADD, "emil", 1, "username emil doesn't exist!")]
#[case::accept_uninvited(ACCEPT, "bob", 1, "no invitation of this user waits for an answer")]
#[case::decline_uninvited(DECLINE, "bob", 1, "no invitation of this user waits for an answer")]
#[case::what_the_server_says(REMOTE_ACCEPT, "bob", 9, "roster operation REMOTE_ACCEPT is not served")]
#[case::what_rest_gives(0, "bob", 9, "roster operation GET_ROSTER is not served")]
fn a_refused_change_is_told_to_nobody(
    #[case] operation: i32,
    #[case] to: &str,
    #[case] number: i32,
    #[case] reason: &str,
) {
    let mut two = Two::new();
    two.world.control(Control::Block { user: "carl".into(), blocked: vec!["alice".into()] });
    let answer = send(&mut two.world, two.alice[0], operation, to, "");
    assert_eq!(code(&answer), (number, reason));
    assert_eq!(two.news(), [vec![], vec![], vec![], vec![]]);
    assert_eq!(two.contacts(), [json!([]), json!([])]);
}

#[test]
fn a_reason_is_a_few_lines() {
    let mut two = Two::new();
    let long = "ö".repeat(513);
    let answer = send(&mut two.world, two.alice[0], ADD, "bob", &long);
    assert_eq!(code(&answer), (4, "roster.reason holds at most 512 characters"));
    accepted(&send(&mut two.world, two.alice[0], ADD, "bob", &long[..1024]));
    assert_eq!(two.news()[2].len(), 1);
}

#[rstest]
#[case::invitation(ADD)]
#[case::block(BAN)]
fn what_is_sent_again_after_a_lost_answer_is_answered_as_before(#[case] operation: i32) {
    let mut two = Two::new();
    let meta = frame(&mut two.world, operation, &["bob"], "");
    let first = accepted(&two.world.send(two.alice[0], meta.clone()));
    let told = two.news().map(|news| news.len());
    assert_eq!(told.iter().sum::<usize>(), 2, "two devices are told: {told:?}");
    assert_eq!(accepted(&two.world.send(two.alice[0], meta)), first);
    assert_eq!(two.news().map(|news| news.len()), [0, 0, 0, 0]);
    assert_eq!(two.world.found(), [""; 0]);
}

#[test]
fn who_is_blocked_has_asked_for_nothing() {
    let mut two = Two::new();
    accepted(&send(&mut two.world, two.alice[0], ADD, "bob", ""));
    accepted(&send(&mut two.world, two.bob[0], BAN, "alice", ""));
    assert_eq!(code(&send(&mut two.world, two.bob[0], ACCEPT, "alice", "")).0, 1);
    two.news();
    accepted(&send(&mut two.world, two.bob[0], BAN, "alice", ""));
    assert_eq!(two.news(), [vec![], vec![], vec![], vec![]], "blocked twice, told once");
}

#[test]
fn to_unblock_who_is_not_blocked_tells_nobody() {
    let mut two = Two::new();
    accepted(&send(&mut two.world, two.alice[0], ALLOW, "bob", ""));
    assert_eq!(two.news(), [vec![], vec![], vec![], vec![]]);
}

/// Users `p0`, `p1`, …
fn crowd(world: &mut World, count: usize) -> Vec<String> {
    let names: Vec<String> = (0..count).map(|number| format!("p{number}")).collect();
    names.iter().for_each(|name| world.register(name));
    names
}

#[test]
fn a_thousand_invitations_wait_and_no_more() {
    let mut world = World::strict(&["alice"]);
    let names = crowd(&mut world, 1_001);
    for (at, name) in names.iter().enumerate() {
        let conn = world.connect(name, "web");
        let answer = send(&mut world, conn, ADD, "alice", "");
        let full = (1, "too many invitations wait for an answer of this user");
        assert_eq!(code(&answer), if at < 1_000 { (0, "") } else { full });
        world.hang_up(conn);
    }
}

#[test]
fn contacts_and_block_lists_hold_three_thousand() {
    let mut world = World::strict(&["alice", "bob"]);
    let names = crowd(&mut world, 3_000);
    let with = || Control::Contacts { user: "alice".into(), with: names.clone() };
    world.control(with());
    world.control(with());
    let (status, answer) = world.rest(Post, "/users/alice/contacts/users/bob", APP, &Value::Null);
    assert_eq!(status, 403, "{answer}");
    assert_eq!(contacts(&mut world, "bob"), json!([]));
    let alice = world.connect("alice", "web");
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    for _ in 0..2 {
        let meta = frame(&mut world, BAN, &all, "");
        accepted(&world.send(alice, meta));
    }
    assert_eq!(code(&send(&mut world, alice, BAN, "bob", "")), (1, "the block list is full"));
}

#[rstest]
#[case::by_the_user("alice")]
#[case::by_the_app(APP)]
fn contacts_are_made_and_ended_over_rest(#[case] asker: &str) {
    let mut two = Two::new();
    let path = "/users/alice/contacts/users/Bob";
    let (status, answer) = two.world.rest(Post, path, asker, &Value::Null);
    assert_eq!((status, &answer["entities"][0]["username"]), (200, &json!("bob")));
    assert_eq!(two.contacts(), [json!(["bob"]), json!(["alice"])]);
    assert_eq!(two.news(), [(); 4].map(|()| said(ACCEPT, "alice", "bob", "")));
    assert_eq!(two.world.rest(Post, path, asker, &Value::Null).0, 200, "once more is no harm");
    assert_eq!(two.news(), [vec![], vec![], vec![], vec![]]);
    let (status, answer) = two.world.rest(Delete, path, asker, &Value::Null);
    assert_eq!((status, &answer["entities"][0]["username"]), (200, &json!("bob")));
    assert_eq!(two.contacts(), [json!([]), json!([])]);
    assert_eq!(two.news(), [(); 4].map(|()| said(REMOVE, "alice", "bob", "")));
    assert_eq!(two.world.rest(Delete, path, asker, &Value::Null).0, 400);
}

#[rstest]
#[case::anothers_list(Get, "/users/bob/contacts/users", "alice", 403)]
#[case::for_another(Post, "/users/bob/contacts/users/carl", "alice", 403)]
#[case::of_nobody(Get, "/users/emil/contacts/users", APP, 404)]
#[case::with_nobody(Post, "/users/alice/contacts/users/emil", "alice", 404)]
#[case::with_oneself(Post, "/users/alice/contacts/users/alice", "alice", 403)]
#[case::end_what_is_not(Delete, "/users/alice/contacts/users/bob", "alice", 400)]
#[case::unblock_who_is_not(Delete, "/users/alice/blocks/users/bob", "alice", 400)]
#[case::unblock_for_another(Delete, "/users/bob/blocks/users/alice", "alice", 403)]
fn contacts_of_others_are_not_ones_own(
    #[case] method: mock_server::machine::rest::Method,
    #[case] path: &str,
    #[case] asker: &str,
    #[case] status: u16,
) {
    let mut two = Two::new();
    let (got, answer) = two.world.rest(method, path, asker, &Value::Null);
    assert_eq!(got, status, "{answer}");
    assert_eq!(two.contacts(), [json!([]), json!([])]);
    assert_eq!(two.news(), [vec![], vec![], vec![], vec![]]);
}

#[test]
fn a_block_over_rest_is_as_good_as_over_the_socket() {
    let mut two = Two::new();
    let (status, answer) =
        two.world.rest(Post, "/users/alice/blocks/users", APP, &json!({ "usernames": ["bob", "carl"] }));
    assert_eq!((status, &answer["data"]), (200, &json!(["bob", "carl"])));
    assert_eq!(two.news(), [said(BAN, "alice", "bob", ""), said(BAN, "alice", "bob", ""), vec![], vec![]]);
    let refused = two.world.text_meta(two.bob[0], "alice", "hi");
    assert_eq!(code(&two.world.send(two.bob[0], refused)), (1, "blocked"));
    let (status, answer) = two.world.rest(Delete, "/users/alice/blocks/users/bob", "alice", &Value::Null);
    assert_eq!((status, &answer["entities"][0]["username"]), (200, &json!("bob")));
    two.world.text(two.bob[0], "alice", "hi");
}
