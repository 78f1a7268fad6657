//! HTTP around the API: CORS, what SockJS and HTTP DNS ask, unknown paths, bodies that are too large or broken off.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use mock_server::control::{Control, Fault};
use mock_server::tape::Door;
use rstest::rstest;
use serde_json::json;

use crate::peer::{APP_KEY, Socket, connect, http, reply, request, start};

const GRANT: &str = r#"{"grant_type":"password","username":"alice","password":"pw","timestamp":1}"#;

#[rstest]
#[case::plain("/ws/info?t=1700000000000")]
#[case::with_a_slash("/ws/info/")]
fn sockjs_is_told_to_use_a_websocket(#[case] path: &str) {
    let server = start();
    let reply = http(server.addr(), &format!("GET {path} HTTP/1.1"), b"");
    assert_eq!(reply.status, 200);
    let info = reply.json();
    assert_eq!((&info["websocket"], &info["cookie_needed"]), (&json!(true), &json!(false)));
    assert_eq!(info["origins"], json!(["*:*"]));
    assert!(info["entropy"].is_u64());
}

#[rstest]
#[case::info("GET /ws/info", Some("http://page.test"), true)]
#[case::info_of_the_same_origin("GET /ws/info", None, false)]
#[case::api("POST /org/app/token", Some("http://page.test"), false)]
#[case::unknown("GET /nothing", Some("http://page.test"), false)]
fn a_page_of_another_origin_may_read_answers(
    #[case] line: &str,
    #[case] origin: Option<&str>,
    #[case] with_credentials: bool,
) {
    let server = start();
    let origin_line = origin.map(|origin| format!("\r\nOrigin: {origin}")).unwrap_or_default();
    let reply = http(server.addr(), &format!("{line} HTTP/1.1{origin_line}"), GRANT.as_bytes());
    let allowed = if with_credentials { origin } else { Some("*") };
    assert_eq!(reply.header("access-control-allow-origin"), allowed);
    let credentials = with_credentials.then_some("true");
    assert_eq!(reply.header("access-control-allow-credentials"), credentials, "* would not do (rest.md 0.8)");
    assert_eq!(reply.header("vary"), with_credentials.then_some("Origin"));
}

#[rstest]
#[case::authorization("/org/app/users/alice/blocks/users", "authorization")]
#[case::upload("/org/app/chatfiles", "restrict-access, Authorization")]
#[case::download("/org/app/chatfiles/1", "X-Requested-With, share-secret, Authorization")]
#[case::json("/org/app/token", "content-type")]
#[case::unknown_world("/no/such/token", "content-type")]
#[case::info("/ws/info", "x-odd")]
fn preflights_are_allowed(#[case] path: &str, #[case] headers: &str) {
    let server = start();
    let head = format!(
        "OPTIONS {path} HTTP/1.1\r\nOrigin: http://page.test\r\nAccess-Control-Request-Method: DELETE\r\n\
         Access-Control-Request-Headers: {headers}"
    );
    let reply = http(server.addr(), &head, b"");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("access-control-allow-headers"), Some(headers), "* does not cover Authorization");
    let methods = reply.header("access-control-allow-methods").unwrap_or_default();
    for method in ["GET", "POST", "PUT", "DELETE"] {
        assert!(methods.contains(method), "{methods}");
    }
    assert!(reply.header("access-control-allow-origin").is_some());
    assert_eq!(reply.body, b"");
}

#[rstest]
#[case::root("GET /", 404, "service_resource_not_found")]
#[case::elsewhere("GET /favicon.ico", 404, "service_resource_not_found")]
#[case::half_a_tenant("GET /org/app", 404, "service_resource_not_found")]
#[case::no_such_world("GET /no/such/chatgroups", 404, "organization_application_not_found")]
#[case::a_world_is_not_made_by_asking("POST /no/such/chatgroups", 404, "organization_application_not_found")]
#[case::unknown_in_a_world("GET /org/app/nothing", 404, "service_resource_not_found")]
#[case::not_utf8("GET /org/app/%ff", 404, "service_resource_not_found")]
#[case::sockjs_fallback("POST /ws/1/2/xhr", 404, "organization_application_not_found")]
#[case::door_without_a_session("GET /ws//x/websocket", 404, "service_resource_not_found")]
#[case::door_with_more("GET /ws/1/2/websocket/3", 404, "organization_application_not_found")]
#[case::door_without_a_handshake("GET /websocket", 400, "illegal_argument")]
#[case::sockjs_door_without_a_handshake("GET /ws/1/2/websocket", 400, "illegal_argument")]
#[case::odd_method("PATCH /org/app/users", 405, "method_not_allowed")]
#[case::wrong_method("PUT /org/app/token", 405, "method_not_allowed")]
fn what_is_not_there_is_told_in_json(#[case] line: &str, #[case] status: u16, #[case] error: &str) {
    let server = start();
    let reply = http(server.addr(), &format!("{line} HTTP/1.1"), b"");
    assert_eq!((reply.status, reply.json()["error"].as_str()), (status, Some(error)), "{reply:?}");
    for key in ["exception", "timestamp", "duration", "error_description"] {
        assert!(reply.json().get(key).is_some(), "{reply:?}");
    }
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
}

#[rstest]
#[case::old_version(
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\nSec-WebSocket-Key: x"
)]
#[case::no_key("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13")]
#[case::no_upgrade("Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x")]
#[case::other_protocol(
    "Upgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x"
)]
fn a_handshake_that_is_none_is_refused(#[case] headers: &str) {
    let server = start();
    // `http` closes the connection by a header of its own; here that would be half a handshake.
    let reply = request(&mut connect(server.addr()), &format!("GET /websocket HTTP/1.1\r\n{headers}"), b"");
    assert_eq!((reply.status, reply.json()["error"].as_str()), (400, Some("illegal_argument")));
}

#[test]
fn http_dns_names_this_server() {
    let server = start();
    let head = "GET /easemob/server.json?app_key=org%23app&_v=1 HTTP/1.1\r\nConnection: close";
    let mut stream = connect(server.addr());
    let whole = format!("{head}\r\nHost: {}\r\n\r\n", server.addr());
    stream.write_all(whole.as_bytes()).expect("the server reads");
    let reply = reply(&mut stream);
    let host = json!({
        "protocol": "http", "domain": "127.0.0.1", "ip": "127.0.0.1", "port": server.addr().port(),
    });
    for service in ["rest", "msync-ws", "msync-wx"] {
        assert_eq!(reply.json()[service]["hosts"], json!([host]), "{service}");
    }
    assert_eq!(reply.json()["uploadinparts_enable"], "false", "SDKs compare with text (rest.md A.1)");
}

#[test]
fn an_answer_names_its_own_address_as_the_client_does() {
    let server = start();
    let head = "GET /org/app/publicchatgroups?limit=1 HTTP/1.1\r\nAuthorization: bearer t-alice";
    let reply = http(server.addr(), head, b"");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["uri"], "http://127.0.0.1:1/org/app/publicchatgroups");
}

#[rstest]
#[case::as_ever("alice", 200)]
#[case::encoded("%61lic%65", 200)]
#[case::a_sign_is_no_digit("%+1alice", 403)]
#[case::cut_short("alice%6", 403)]
fn paths_are_percent_decoded(#[case] name: &str, #[case] status: u16) {
    let server = start();
    let head = format!("GET /org/app/users/{name}/blocks/users HTTP/1.1\r\nAuthorization: Bearer t-alice");
    let reply = http(server.addr(), &head, b"");
    assert_eq!(reply.status, status);
    if status == 403 {
        let description = format!("/users/{name}/blocks/users is not yours");
        assert_eq!(reply.json()["error_description"], description, "what is no code stays as it is");
    }
}

#[rstest]
#[case::json("application/json")]
#[case::text("text/plain;charset=UTF-8")]
fn a_body_is_json_whatever_it_calls_itself(#[case] content_type: &str) {
    let server = start();
    let head = format!("POST /org/app/token HTTP/1.1\r\nContent-Type: {content_type}");
    let reply = http(server.addr(), &head, GRANT.as_bytes());
    assert_eq!(reply.status, 200, "rest.md 0.7");
    assert!(reply.json()["access_token"].is_string());
}

#[test]
fn a_connection_serves_many_requests_and_then_a_socket() {
    let server = start();
    let mut stream = connect(server.addr());
    for _ in 0..3 {
        assert_eq!(request(&mut stream, "POST /org/app/token HTTP/1.1", GRANT.as_bytes()).status, 200);
        assert_eq!(request(&mut stream, "GET /nothing HTTP/1.1", b"").status, 404);
    }
    let mut alice = Socket::upgraded(stream, server.addr(), Door::WebSocket);
    alice.send(&crate::peer::provision(APP_KEY, "alice", "a"));
    assert_eq!(alice.provision().status.and_then(|status| status.error_code), Some(0));
}

#[rstest]
#[case::by_a_byte(1024 * 1024 + 1)]
#[case::by_far(8 * 1024 * 1024)]
fn a_body_that_is_too_large_is_refused_in_words(#[case] bytes: usize) {
    let server = start();
    let reply = http(server.addr(), "POST /org/app/token HTTP/1.1", &vec![b' '; bytes]);
    assert_eq!((reply.status, reply.json()["error"].as_str()), (413, Some("request_entity_too_large")));
    assert_eq!(http(server.addr(), "POST /org/app/token HTTP/1.1", GRANT.as_bytes()).status, 200);
}

#[test]
fn a_body_at_the_limit_is_read() {
    let server = start();
    let mut body = GRANT.as_bytes().to_vec();
    body.resize(1024 * 1024, b' ');
    assert_eq!(http(server.addr(), "POST /org/app/token HTTP/1.1", &body).status, 200);
}

#[test]
fn a_body_that_breaks_off_leaves_nothing_behind() {
    let server = start();
    let mut stream = connect(server.addr());
    let head = "POST /org/app/token HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{";
    stream.write_all(head.as_bytes()).expect("the server reads");
    stream.shutdown(Shutdown::Write).expect("an open stream");
    let mut rest = Vec::new();
    // Answered or not, the connection ends.
    drop(stream.read_to_end(&mut rest));
    server.quiet(APP_KEY, std::time::Duration::from_secs(30)).expect("no request is open");
}

#[test]
fn an_unanswered_request_is_something_to_wait_for() {
    let server = start();
    let mut stream = connect(server.addr());
    let head = format!("POST /org/app/token HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", GRANT.len());
    stream.write_all(head.as_bytes()).expect("the server reads");
    // Its head is read before anything that comes after it on another connection is answered.
    Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "bob", "b");
    let waits = server.quiet(APP_KEY, std::time::Duration::from_millis(1));
    assert_eq!(waits.map_err(|waits| waits.0), Err(vec!["1 requests are not answered".to_owned()]));
    stream.write_all(GRANT.as_bytes()).expect("the server reads");
    assert_eq!(reply(&mut stream).status, 200);
    server.quiet(APP_KEY, std::time::Duration::from_secs(30)).expect("it is answered");
}

#[test]
fn no_request_at_all_ends_a_connection_without_harm() {
    let server = start();
    for rubbish in [&b"\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01\x00", b"GET / HTTP/9.9\r\n\r\n"] {
        let mut stream = connect(server.addr());
        stream.write_all(rubbish).expect("the server reads");
        stream.shutdown(Shutdown::Write).expect("an open stream");
        drop(stream.read_to_end(&mut Vec::new()));
    }
    let bob = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "bob", "b");
    server
        .control(APP_KEY, Control::Fault(Fault::Cut { user: "bob".into(), device: None }))
        .expect("bob is there");
    drop(bob);
}
