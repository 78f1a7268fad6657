//! Staged faults of logins and requests: each strikes once, whom it was aimed at, and has no other effect.

use mock_server::control::{Control, Fault};
use mock_server::machine::rest::Method::{Get, Post};
use mock_server::machine::rest::{Body, Request};
use mock_server::machine::{BlobId, Close, Upload};
use rstest::rstest;
use serde_json::json;

use crate::world::{Login, World, json_of};

fn refuse(code: i32, reason: &str) -> Control {
    Control::Fault(Fault::RefuseLogin { user: "Alice".into(), code, reason: reason.into() })
}

fn answer(path: &str, status: u16, body: &str, user: Option<&str>) -> Control {
    let user = user.map(str::to_owned);
    Control::Fault(Fault::AnswerHttp { path: path.into(), status, body: body.into(), user })
}

#[test]
fn a_staged_refusal_takes_one_login_of_its_user() {
    let mut world = World::strict(&["alice", "bob"]);
    world.control(refuse(13, "too many devices"));
    world.control(refuse(20, ""));
    world.connect("bob", "web");
    for (code, reason) in [(13, "too many devices"), (20, "")] {
        let (conn, answer) = world.log_in(Login::new("alice", "web"));
        let status = answer.status.expect("every answer has one");
        assert_eq!((status.error_code, status.reason.as_deref()), (Some(code), Some(reason)));
        assert_eq!((world.closed(conn), world.device(conn)), (Some(Close::Code(1008)), None));
    }
    world.connect("alice", "web");
}

#[test]
fn a_login_that_is_dropped_leaves_the_connection_as_it_was() {
    let mut world = World::strict(&["alice"]);
    world.control(Control::Fault(Fault::DropNextProvision { user: "alice".into() }));
    let conn = world.open();
    let login = Login::new("alice", "web").encode();
    world.frame(conn, login.clone());
    assert_eq!((world.take(conn), world.closed(conn), world.device(conn)), (vec![], None, None));
    world.frame(conn, login);
    assert_eq!(world.device(conn), Some("alice/web"), "the next one is taken");
}

#[rstest]
#[case::for_anybody_a_call(Some("t-alice"), "/users/alice/user_channels", None)]
#[case::for_anybody_no_call(Some("t-alice"), "/no/such/call", None)]
#[case::for_anybody_no_token(None, "/users/alice/user_channels", None)]
#[case::for_anybody_bad_token(Some("made up"), "/users/alice/user_channels", None)]
#[case::for_her(Some("t-alice"), "/users/alice/user_channels", Some("ALICE"))]
fn the_next_request_of_a_path_is_answered_as_staged(
    #[case] token: Option<&str>,
    #[case] path: &str,
    #[case] user: Option<&str>,
) {
    let mut world = World::strict(&["alice"]);
    let ask = |world: &mut World| world.request(Get, path, token, Default::default());
    let usual = ask(&mut world);
    let staged = r#"{"error":"x","error_code":40011}"#;
    world.control(answer("/elsewhere", 500, staged, user));
    let end = path.rfind('/').expect("a path");
    world.control(answer(&path[end..], 404, staged, user));
    let response = ask(&mut world);
    assert_eq!((response.status, response.body), (404, Body::Json(staged.into())));
    assert_eq!(ask(&mut world), usual, "once");
}

#[test]
fn a_staged_answer_for_one_user_is_not_anothers() {
    let mut world = World::strict(&["alice", "bob"]);
    world.control(answer("/user_channels", 503, "{}", Some("alice")));
    assert_eq!(world.rest(Get, "/users/bob/user_channels", "bob", &json!(null)).0, 200);
    let nobody = world.request(Get, "/users/alice/user_channels", None, Default::default());
    assert_eq!(nobody.status, 401);
    assert_eq!(world.rest(Get, "/users/alice/user_channels", "alice", &json!(null)).0, 503);
}

#[test]
fn staged_answers_of_one_path_come_in_their_order() {
    let mut world = World::strict(&["alice"]);
    for status in [400, 200, 599] {
        world.control(answer("/token", status, r#"{"access_token":"made up"}"#, None));
    }
    let grant = json!({ "grant_type": "password", "username": "alice", "password": "pw" });
    let asked = [(); 4].map(|()| world.rest(Post, "/token", "", &grant).0);
    assert_eq!(asked, [400, 200, 599, 200]);
}

#[test]
fn a_staged_answer_need_not_be_json() {
    let mut world = World::strict(&["alice"]);
    world.control(answer("/token", 502, "<html>Bad Gateway</html>", None));
    let response = world.request(Post, "/token", None, Default::default());
    assert_eq!((response.status, response.body), (502, Body::Text("<html>Bad Gateway</html>".into())));
}

#[test]
fn an_upload_that_is_answered_so_is_not_kept() {
    let mut world = World::strict(&["alice"]);
    world.control(answer("/chatfiles", 413, "{}", None));
    let upload = Upload::File {
        blob: BlobId(1),
        name: "a.png".into(),
        media_type: "image/png".into(),
        bytes: 7,
        fields: Default::default(),
    };
    let request = Request { upload: Some(upload), ..World::asks(Post, "/chatfiles", Some("t-alice")) };
    let response = world.ask(request);
    assert_eq!((response.status, json_of(&response)), (413, json!({})));
    assert_eq!(world.forgotten, [BlobId(1)]);
}

#[rstest]
#[case::login_that_succeeds(
    refuse(0, ""),
    r#"code "0": 0 is success; the numbers of Status.ErrorCode begin with 1"#
)]
#[case::path(answer("token", 400, "", None), r#"path "token": it begins with / and has at most 1024 bytes"#)]
#[case::status(answer("/", 101, "", None), r#"status "101": 200 to 599"#)]
#[case::status_above(answer("/", 600, "", None), r#"status "600": 200 to 599"#)]
#[case::nobodys(answer("/", 400, "", Some("dora")), r#"no user "dora" in this world; make it first"#)]
fn what_cannot_be_staged_is_told_why(#[case] control: Control, #[case] why: &str) {
    let mut world = World::strict(&["alice"]);
    assert_eq!(world.try_control(control).map_err(|error| error.to_string()), Err(why.to_owned()));
    assert_eq!(world.rest(Get, "/users/alice/user_channels", "alice", &json!(null)).0, 200);
    world.connect("alice", "web");
}

#[test]
fn staged_answers_are_bounded_in_size() {
    let mut world = World::strict(&[]);
    let large = "x".repeat(64 * 1024 + 1);
    assert!(world.try_control(answer("/token", 400, &large, None)).is_err());
    world.control(answer("/token", 400, &large[1..], None));
}
