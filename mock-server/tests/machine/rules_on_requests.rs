//! Rules on requests: before they have an effect, and on their answers.

use mock_server::control::{Control, Fault};
use mock_server::machine::rest::{Body, Method, Request};
use mock_server::machine::{Input, Millis, Output, RequestId, Server};
use rstest::rstest;

use crate::world::{START, config};

/// A world in which alice has a token, and rules.
fn world(rules: &[&str]) -> Server {
    let mut server = Server::new(config());
    let controls = [
        Control::User { name: "alice".into(), password: "pw".into() },
        Control::Token { user: "alice".into(), token: "t-alice".into(), ttl_ms: 1_000_000_000 },
    ];
    let rules = rules.iter().map(|rule| Control::Fault(Fault::Rule(Box::new(rule.parse().expect("a rule")))));
    for control in controls.into_iter().chain(rules) {
        server.control(START, control).expect("each makes sense");
    }
    server
}

/// Asks something; gives the status of the answer, if there is one: 1 for a reset, 2 for a cut.
fn ask(server: &mut Server, id: u64, method: Method, path: &str, body: &str) -> Option<u16> {
    let request = Request {
        method,
        base: "http://127.0.0.1".into(),
        path: path.into(),
        query: String::new(),
        token: Some("t-alice".into()),
        body: body.to_owned().into(),
        upload: None,
        share_secret: None,
        restrict_access: false,
    };
    server.handle(START, Input::Http { id: RequestId(id), request: Box::new(request) });
    answer(server, id)
}

fn answer(server: &mut Server, id: u64) -> Option<u16> {
    let mut status = None;
    while let Some(output) = server.poll_output() {
        if let Output::Http { id: RequestId(of), response } = output {
            assert_eq!(of, id);
            status = Some(match response.body {
                Body::Reset => 1,
                Body::Cut => 2,
                Body::Json(_) | Body::Text(_) | Body::Blob { .. } => response.status,
            });
        }
    }
    status
}

const USERS: &str = r#"[{"username":"carl","password":"pw"}]"#;

fn knows_carl(server: &mut Server) -> bool {
    let befriend = Control::Contacts { user: "alice".into(), with: vec!["carl".into()] };
    server.control(START, befriend).is_ok()
}

#[test]
fn requests_that_wait_are_bounded_by_their_bytes() {
    let mut server = world(&["on every POST: delay 1h"]);
    let body = "x".repeat(1 << 20);
    let answered: Vec<u64> =
        (0..18).filter(|id| ask(&mut server, *id, Method::Post, "/users", &body).is_some()).collect();
    assert_eq!(answered, [16, 17], "16 MiB wait");
    server.handle(Millis(START.0 + 3_600_000), Input::Timeout);
    while server.poll_output().is_some() {}
    assert_eq!(ask(&mut server, 18, Method::Post, "/users", &body), None, "there is room again");
}

#[rstest]
#[case::dropped("on next POST /users from alice: drop", None, false)]
#[case::answer_dropped("on next POST /users to alice: drop", None, true)]
#[case::answered("on next POST /users: answer http 503", Some(503), false)]
#[case::answered_after("on next POST /users to alice: answer http 503 \"{}\"", Some(503), true)]
#[case::reset("on next request /users: reset", Some(1), false)]
#[case::cut("on next request /users where body.username == carl: cut", Some(2), false)]
#[case::by_status("on next request where status == 200: answer http 500", Some(500), true)]
#[case::other_status("on next request where status == 201: answer http 500", Some(200), true)]
#[case::other_method("on next PUT /users: drop", Some(200), true)]
#[case::other_user("on next POST from bob: drop", Some(200), true)]
#[case::other_body("on next POST where body.username == dora: drop", Some(200), true)]
#[case::no_upload("on next upload: drop", Some(200), true)]
fn a_rule_strikes_the_request_or_its_answer(
    #[case] rule: &str,
    #[case] status: Option<u16>,
    #[case] effect: bool,
) {
    let mut server = world(&[rule]);
    assert_eq!(ask(&mut server, 1, Method::Post, "/users", USERS), status);
    server.control(START, Control::ClearFaults {}).expect("always");
    assert_eq!(knows_carl(&mut server), effect);
}

#[rstest]
#[case::request("on next POST /users from alice: delay 3s", false, Some(200))]
#[case::answer("on next POST /users to alice: delay 3s", true, Some(200))]
#[case::late_refusal("on next POST /users: delay 3s, answer http 504", false, Some(504))]
fn a_late_request_is_answered_when_its_time_has_come(
    #[case] rule: &str,
    #[case] effect: bool,
    #[case] status: Option<u16>,
) {
    let mut server = world(&[rule]);
    assert_eq!(ask(&mut server, 1, Method::Post, "/users", USERS), None);
    assert_eq!(server.next_deadline(), Some(Millis(START.0 + 3_000)));
    assert_eq!(knows_carl(&mut server), effect);
    server.handle(Millis(START.0 + 3_000), Input::Timeout);
    assert_eq!(answer(&mut server, 1), status);
    assert_eq!(server.next_deadline(), None);
}
