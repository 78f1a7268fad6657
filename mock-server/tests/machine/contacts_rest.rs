//! Contacts and block lists as 4.x changes them, over REST: the lists and the news are those of the socket's way
//! (rest.md A.11, clauses v4.contact.*).

use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::rest::Method::{self, Delete, Get, Post, Put};
use rstest::rstest;
use serde_json::{Value, json};

use crate::contacts::{
    ACCEPT, ADD, ALLOW, BAN, DECLINE, News, REMOTE_ACCEPT, REMOTE_DECLINE, REMOVE, Two, said, send,
};
use crate::world::{accepted, code};

const NOBODY: [Vec<News>; 4] = [vec![], vec![], vec![], vec![]];

fn ask(two: &mut Two, method: Method, path: &str, user: &str, body: &Value) -> (u16, Value) {
    two.world.rest(method, path, user, body)
}

fn apply(two: &mut Two, user: &str, to: &str, reason: &str) -> (u16, Value) {
    let path = format!("/users/{user}/contacts/apply?resource=web");
    ask(two, Post, &path, user, &json!({ "usernames": [to], "reason": reason }))
}

fn answer(two: &mut Two, word: &str, user: &str, to: &str) -> u16 {
    let path = format!("/users/{user}/contacts/{word}/users/{to}?resource=web");
    ask(two, Post, &path, user, &Value::Null).0
}

#[test]
fn who_is_asked_over_rest_may_answer_over_the_socket() {
    let mut two = Two::new();
    assert_eq!(apply(&mut two, "alice", "Bob", "it is me").0, 200);
    let asked = said(ADD, "alice", "bob", "it is me");
    assert_eq!(two.news(), [vec![], vec![], asked.clone(), asked]);
    assert_eq!(apply(&mut two, "alice", "bob", "again").0, 200);
    assert_eq!(two.news(), NOBODY, "asked twice, told once");
    accepted(&send(&mut two.world, two.bob[0], ACCEPT, "alice", ""));
    let (agreed, added) = (said(REMOTE_ACCEPT, "bob", "alice", ""), said(ACCEPT, "bob", "alice", ""));
    assert_eq!(two.news(), [agreed.clone(), agreed, added.clone(), added]);
    assert_eq!(two.contacts(), [json!(["bob"]), json!(["alice"])]);
}

#[test]
fn who_is_asked_over_the_socket_may_answer_over_rest() {
    let mut two = Two::new();
    accepted(&send(&mut two.world, two.alice[0], ADD, "bob", ""));
    two.news();
    assert_eq!(answer(&mut two, "accept", "bob", "alice"), 200);
    let (agreed, added) = (said(REMOTE_ACCEPT, "bob", "alice", ""), said(ACCEPT, "bob", "alice", ""));
    assert_eq!(two.news(), [agreed.clone(), agreed, added.clone(), added]);
    assert_eq!(two.contacts(), [json!(["bob"]), json!(["alice"])]);
}

#[rstest]
#[case::by_a_device("?resource=web", vec![], said(DECLINE, "bob", "alice", ""))]
#[case::by_who_knows("", said(DECLINE, "bob", "alice", ""), said(DECLINE, "bob", "alice", ""))]
#[case::by_a_device_that_is_none(
    "?resource=x",
    said(DECLINE, "bob", "alice", ""),
    said(DECLINE, "bob", "alice", "")
)]
fn who_says_no_tells_the_asker_and_its_own_other_devices(
    #[case] query: &str,
    #[case] here: Vec<News>,
    #[case] elsewhere: Vec<News>,
) {
    let mut two = Two::new();
    assert_eq!(apply(&mut two, "alice", "bob", "").0, 200);
    two.news();
    let path = format!("/users/bob/contacts/decline/users/alice{query}");
    assert_eq!(ask(&mut two, Post, &path, "bob", &Value::Null).0, 200);
    let refused = said(REMOTE_DECLINE, "bob", "alice", "");
    assert_eq!(two.news(), [refused.clone(), refused, here, elsewhere]);
    assert_eq!(two.contacts(), [json!([]), json!([])]);
    assert_eq!(answer(&mut two, "accept", "bob", "alice"), 403, "it is answered");
}

#[test]
fn a_remark_is_ones_own_and_goes_with_the_contact() {
    let mut two = Two::new();
    let path = "/users/alice/contacts/users/Bob?resource=web";
    let (status, refusal) = ask(&mut two, Put, path, "alice", &json!({ "remark": "b" }));
    let words = "updateRemark | they are not friends, please add as a friend first.";
    assert_eq!((status, &refusal["error_description"]), (400, &json!(words)));
    two.world.control(Control::Contacts { user: "alice".into(), with: vec!["carl".into(), "bob".into()] });
    assert_eq!(ask(&mut two, Put, path, "alice", &json!({ "remark": "Bobby" })).0, 200);
    let listed = |two: &mut Two, user: &str| {
        let path = format!("/users/{user}/contacts/users?needReturnRemark=true");
        let (status, answer) = ask(two, Get, &path, user, &Value::Null);
        assert_eq!(status, 200, "{answer}");
        answer["entities"].clone()
    };
    let carl = json!({ "username": "carl", "remark": null });
    assert_eq!(listed(&mut two, "alice"), json!([carl, { "username": "bob", "remark": "Bobby" }]));
    assert_eq!(listed(&mut two, "bob"), json!([{ "username": "alice", "remark": null }]));
    let (status, refusal) = ask(&mut two, Put, path, "alice", &json!({ "remark": "b".repeat(101) }));
    let words = refusal["error_description"].as_str().expect("words");
    assert!(status == 400 && words.starts_with("remark length must less"), "{refusal}");
    assert_eq!(ask(&mut two, Put, path, "alice", &json!({ "remark": "ö".repeat(100) })).0, 200);
    assert_eq!(ask(&mut two, Put, path, "alice", &json!({ "remark": "" })).0, 200);
    assert_eq!(listed(&mut two, "alice"), json!([carl, { "username": "bob", "remark": null }]));
    assert_eq!(ask(&mut two, Put, path, "alice", &json!({ "remark": "Bobby" })).0, 200);
    two.news();
    assert_eq!(ask(&mut two, Delete, path, "alice", &Value::Null).0, 200);
    assert_eq!(two.news(), [(); 4].map(|()| said(REMOVE, "alice", "bob", "")));
    two.world.control(Control::Contacts { user: "alice".into(), with: vec!["bob".into()] });
    assert_eq!(listed(&mut two, "alice"), json!([carl, { "username": "bob", "remark": null }]));
}

#[test]
fn contacts_come_in_pages_with_their_remarks() {
    let mut two = Two::new();
    two.world.control(Control::Contacts { user: "alice".into(), with: vec!["bob".into(), "carl".into()] });
    let page = |two: &mut Two, limit: u32, cursor: &str| {
        let path = format!("/users/alice/contacts?needReturnRemark=true&limit={limit}&cursor={cursor}");
        ask(two, Get, &path, "alice", &Value::Null).1["data"].clone()
    };
    let [bob, carl] = ["bob", "carl"].map(|name| json!({ "username": name, "remark": null }));
    let first = page(&mut two, 1, "");
    assert_eq!(first["contacts"], json!([bob]));
    let cursor = first["cursor"].as_str().expect("a cursor").to_owned();
    assert_eq!(page(&mut two, 1, &cursor), json!({ "contacts": [carl], "cursor": "" }));
    assert_eq!(page(&mut two, 20, ""), json!({ "contacts": [bob, carl], "cursor": "" }));
}

#[test]
fn a_block_of_4x_stops_messages_until_it_is_taken_back() {
    let mut two = Two::new();
    let both = json!({ "usernames": ["bob", "carl"] });
    let path = "/sdk/user/alice/blocks?resource=web";
    let (status, answer) = ask(&mut two, Post, path, "alice", &both);
    assert_eq!((status, &answer["data"]), (200, &json!(["bob", "carl"])));
    assert_eq!(two.news(), [said(BAN, "alice", "bob", ""), said(BAN, "alice", "bob", ""), vec![], vec![]]);
    let refused = two.world.text_meta(two.bob[0], "alice", "hi");
    assert_eq!(code(&two.world.send(two.bob[0], refused)), (1, "blocked"));
    assert_eq!(apply(&mut two, "bob", "alice", "").0, 403, "nor may who is blocked ask");
    assert_eq!(ask(&mut two, Delete, path, "alice", &json!({ "usernames": ["bob"] })).0, 200);
    assert_eq!(
        two.news(),
        [said(ALLOW, "alice", "bob", ""), said(ALLOW, "alice", "bob", ""), vec![], vec![]]
    );
    two.world.text(two.bob[0], "alice", "hi");
    let (_, list) = ask(&mut two, Get, "/users/alice/blocks/users", "alice", &Value::Null);
    assert_eq!(list["data"], json!(["carl"]));
    assert_eq!(ask(&mut two, Delete, path, "alice", &json!({ "usernames": ["bob"] })).0, 200);
    assert_eq!(two.news(), NOBODY, "who is not on the list");
}

#[rstest]
#[case::of_who_asks("carl", "Inviter's contact max count")]
#[case::of_who_is_asked("alice", "Invitee's contact max count")]
fn a_full_list_takes_nobody(#[case] asker: &str, #[case] words: &str) {
    let mut two = Two::new();
    two.world.patch(SettingsPatch { contacts_max: Some(1), ..SettingsPatch::default() });
    two.world.control(Control::Contacts { user: "carl".into(), with: vec!["bob".into()] });
    let asked = if asker == "carl" { "alice" } else { "carl" };
    let (status, refusal) = apply(&mut two, asker, asked, "");
    assert_eq!((status, &refusal["error_description"]), (403, &json!(words)));
    assert_eq!(two.contacts(), [json!([]), json!(["carl"])]);
}

#[test]
fn a_list_that_fills_while_an_invitation_waits_takes_nobody() {
    let mut two = Two::new();
    two.world.patch(SettingsPatch { contacts_max: Some(1), ..SettingsPatch::default() });
    assert_eq!(apply(&mut two, "alice", "bob", "").0, 200);
    two.world.control(Control::Contacts { user: "alice".into(), with: vec!["carl".into()] });
    two.news();
    let accept = "/users/bob/contacts/accept/users/alice";
    let (status, refusal) = ask(&mut two, Post, accept, "bob", &Value::Null);
    assert_eq!((status, &refusal["error_description"]), (403, &json!("Inviter's contact max count")));
    assert_eq!(two.news(), NOBODY);
}

#[rstest]
#[case::oneself("alice", 403)]
#[case::nobody("emil", 404)]
fn who_cannot_be_asked(#[case] to: &str, #[case] status: u16) {
    let mut two = Two::new();
    assert_eq!(apply(&mut two, "alice", to, "").0, status);
    assert_eq!(apply(&mut two, "alice", "bob", &"r".repeat(513)).0, 400, "a reason is a few lines");
    assert_eq!(two.news(), NOBODY);
}
