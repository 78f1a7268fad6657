//! The control plane over HTTP, and what every new world starts with.

use mock_server::control::{Control, Settings};
use mock_server::control_api::{Index, IndexCall};
use mock_server::journal::Given;
use mock_server::shell::{MockServer, Options};
use mock_server::tape::Door;
use rstest::rstest;
use serde_json::json;

use crate::peer::{APP_KEY, Reply, Socket, http, start, start_with};

fn post(server: &MockServer, path: &str, body: &str) -> Reply {
    let head = format!("POST /_mock{path} HTTP/1.1\r\nContent-Type: application/json; charset=utf-8");
    http(server.addr(), &head, body.as_bytes())
}

fn look(server: &MockServer, app: &str) -> u16 {
    http(server.addr(), &format!("GET {app}/publicchatgroups HTTP/1.1"), b"").status
}

#[test]
fn a_world_is_staged_by_one_command_or_by_many() {
    let server = start();
    let one = json!({ "user": { "name": "dora", "password": "pw" } }).to_string();
    let reply = post(&server, "/new/app/control", &one);
    assert_eq!((reply.status, reply.json()), (200, json!({ "results": [{ "done": true }] })));
    let many = json!([
        { "user": { "name": "emil", "password": "pw" } },
        { "token": { "user": "emil", "token": "t-emil", "ttl_ms": 1000 } },
        { "group": { "id": "g1", "owner": "dora", "members": ["emil"] } },
        { "settings": { "recall": false } },
    ]);
    assert_eq!(post(&server, "/new/app/control", &many.to_string()).status, 200);
    let head = "GET /new/app/chatgroups/g1 HTTP/1.1\r\nAuthorization: Bearer t-emil";
    assert_eq!(http(server.addr(), head, b"").json()["data"][0]["owner"], "dora");
}

#[test]
fn a_refusal_says_the_seed_of_the_world_or_of_the_server() {
    let server = start_with(Options { nasty: Some(7), ..Options::default() });
    let made = json!({ "nasty": 8 }).to_string();
    assert_eq!(post(&server, "/org/other/world", &made).status, 200);
    let nobody = json!({ "contacts": { "user": "nobody", "with": [] } }).to_string();
    let late = json!({ "within_ms": 0, "count": 1, "user": "nobody" }).to_string();
    for (path, body, seed) in [
        ("/org/app/control", &nobody, 7),
        ("/org/other/control", &nobody, 8),
        ("/none/yet/control", &nobody, 7),
        ("/org/app/wait", &late, 7),
        ("/org/app/clock", &"{}".to_owned(), 7),
    ] {
        let refused = post(&server, path, body);
        let words = refused.json()["error_description"].as_str().expect("why").to_owned();
        assert!(words.ends_with(&format!(" (nasty seed {seed})")), "{path}: {} {words}", refused.status);
    }
}

#[test]
fn an_array_is_done_whole_or_not_at_all_and_says_what_was_refused() {
    let server = start();
    let many = json!([
        { "group": { "id": "g2", "owner": "alice", "members": ["bob"] } },
        { "group": { "id": "g1", "owner": "nobody", "members": [] } },
        { "fault": { "cut": { "user": "alice" } } },
    ]);
    for path in ["/org/app/control", "/new/app/control"] {
        let reply = post(&server, path, &many.to_string());
        let answer = reply.json();
        assert_eq!((reply.status, &answer["error"]), (400, &json!("refused")));
        let index = usize::from(path == "/org/app/control");
        let words = answer["error_description"].as_str().expect("why");
        let user = if index == 1 { "nobody" } else { "alice" };
        let begins = format!("nothing was done: command {} of 3 was refused: no user {user:?}", index + 1);
        assert!(words.starts_with(&begins), "{words}");
        let results = answer["results"].as_array().expect("one each");
        assert!(results.len() == 3 && results.iter().all(|result| result["done"] == false));
        let told: Vec<usize> = (0..3).filter(|&index| results[index]["error"].is_string()).collect();
        assert_eq!(told, [index]);
    }
    let groups = server.overview(APP_KEY).expect("it is there").groups;
    assert_eq!(groups, [], "not even the group that could have been made");
    assert!(server.overview("new#app").is_none(), "nor the world");
}

#[test]
fn a_clock_goes_forward_alone_and_runs_on_from_where_it_is() {
    let server = start();
    let at = |body: &str| post(&server, "/org/app/clock", body);
    assert_eq!(
        at(r#"{"set_ms":1640908800000}"#).json(),
        json!({ "now_ms": 1_640_908_800_000_u64, "runs": false })
    );
    // Nobody has been there yet.
    assert_eq!(at(r#"{"set_ms":1640908700000}"#).status, 200);
    let control = json!({ "token": { "user": "alice", "token": "t-alice", "ttl_ms": 1_000_000 } });
    assert_eq!(post(&server, "/org/app/control", &control.to_string()).status, 200);
    drop(Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a"));
    let back = at(r#"{"set_ms":1640908600000}"#);
    assert_eq!((back.status, back.json()["error"].clone()), (400, json!("backwards")));
    assert_eq!(
        back.json()["error_description"],
        "the world's clock is at 1640908700000 ms and cannot go back to 1640908600000 ms: time never goes backwards; a \
         world made anew may begin at any time"
    );
    assert_eq!(at(r#"{"set_ms":1640908700000}"#).status, 200, "where it is, it may be stopped");
    let runs = at(r#"{"run":{}}"#).json();
    assert!(runs["runs"] == true && runs["now_ms"].as_u64().is_some_and(|ms| ms >= 1_640_908_700_000));
    assert!(server.overview(APP_KEY).expect("it is there").clock.runs);
    let journal = server.journal(APP_KEY).expect("it is whole");
    assert!(journal.iter().any(|entry| entry.given == Given::Running));
    server.replay(journal).expect("it begins at the beginning");
    let clock = server.overview(APP_KEY).expect("it is there").clock;
    assert!(clock.runs && (1_640_908_700_000..1_700_000_000_000).contains(&clock.now_ms), "{clock:?}");
    assert_eq!(at(r#"{"advance_ms":18446744073709551615}"#).status, 400, "behind the year 9999");
}

#[test]
fn a_reset_keeps_rules_clock_and_what_the_flags_stage() {
    let users = vec!["dora".to_owned()];
    let stage = vec![Control::Known { users }];
    let options = Options { stage, tape: true, ..Options::default() };
    let server = MockServer::start(options).expect("a server on a free port");
    let many = json!([
        { "user": { "name": "alice", "password": "pw" } },
        { "group": { "id": "g1", "owner": "alice", "members": ["dora"] } },
        { "token": { "user": "alice", "token": "t-alice", "ttl_ms": 1000 } },
        { "settings": { "recall": false } },
        { "fault": { "answer_status": { "user": "dora", "code": 7, "reason": "user is mute" } } },
    ]);
    assert_eq!(post(&server, "/org/app/control", &many.to_string()).status, 200);
    assert_eq!(post(&server, "/org/app/clock", r#"{"set_ms":4102444800000}"#).status, 200);
    assert_eq!(post(&server, "/org/app/reset", r#"{"all":true}"#).status, 400);
    assert_eq!(post(&server, "/none/such/reset", "{}").status, 404);
    let reply = post(&server, "/org/app/reset", "{}");
    assert_eq!(reply.status, 200);
    let after = server.overview(APP_KEY).expect("it is there");
    let names: Vec<&str> = after.users.iter().map(|user| &*user.name).collect();
    assert_eq!((names, after.groups.len()), (vec!["dora"], 0));
    assert!(!after.settings.recall);
    assert_eq!((after.clock.now_ms, after.clock.runs), (4_102_444_800_000, false));
    assert!(server.reset(APP_KEY) && !server.reset("none#such"));
}

#[test]
fn the_next_request_is_answered_as_it_was_staged_whether_in_json_or_not() {
    let server = start();
    let answers = [("application/json", r#"{"error":"x"}"#), ("text/plain; charset=utf-8", "<html>")];
    let staged = answers.map(|(_, body)| {
        json!({ "fault": { "answer_http": { "path": "/publicchatgroups", "status": 502, "body": body } } })
    });
    assert_eq!(post(&server, "/org/app/control", &json!(staged).to_string()).status, 200);
    for (media_type, body) in answers {
        let reply = http(server.addr(), "GET /org/app/publicchatgroups HTTP/1.1", b"");
        assert_eq!((reply.status, reply.header("content-type")), (502, Some(media_type)));
        assert_eq!(reply.body, body.as_bytes());
    }
    assert_eq!(look(&server, "/org/app"), 401, "once");
}

#[test]
fn a_clock_is_stopped_and_moved() {
    let server = start();
    let at = |reply: Reply| reply.json()["now_ms"].as_u64().expect("a time");
    assert_eq!(at(post(&server, "/org/app/clock", r#"{"set_ms":1640908800000}"#)), 1_640_908_800_000);
    assert_eq!(at(post(&server, "/org/app/clock", r#"{"advance_ms":5}"#)), 1_640_908_800_005);
    let control = json!({ "token": { "user": "alice", "token": "t-alice", "ttl_ms": 10 } });
    assert_eq!(post(&server, "/org/app/control", &control.to_string()).status, 200);
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    assert_eq!(alice.unread().timestamp, Some(1_640_908_800_005));
}

#[rstest]
#[case::no_json("/new/app/control", "{", "json")]
#[case::empty("/new/app/control", "", "json")]
#[case::unknown_command("/new/app/control", r#"{"dance":{}}"#, "json")]
#[case::unknown_field("/new/app/control", r#"{"user":{"name":"a","password":"b","age":1}}"#, "json")]
#[case::one_of_many_is_bad("/new/app/control", r#"[{"known":{"users":["a"]}},{"user":{}}]"#, "json")]
#[case::too_many("/new/app/control", &format!("[{}]", vec![r#"{"known":{"users":[]}}"#; 10_001].join(",")), "too_many")]
#[case::too_large("/new/app/control", &" ".repeat(2_000_000), "body")]
#[case::no_move("/new/app/clock", "{}", "json")]
#[case::two_moves("/new/app/clock", r#"{"advance_ms":1,"set_ms":1}"#, "json")]
#[case::backwards("/new/app/clock", r#"{"advance_ms":-1}"#, "json")]
#[case::no_app("/new/%23/control", "{}", "no_app_key")]
fn a_bad_body_does_nothing_and_makes_no_world(#[case] path: &str, #[case] body: &str, #[case] error: &str) {
    let server = start();
    let reply = post(&server, path, body);
    assert_eq!((reply.status, &reply.json()["error"]), (400, &json!(error)), "{:?}", reply.json());
    assert!(reply.json()["error_description"].as_str().is_some_and(|text| !text.is_empty()));
    assert_eq!(look(&server, "/new/app"), 404);
}

#[rstest]
#[case::unknown("POST /_mock/new/app/dance", "\r\nContent-Type: application/json", 404)]
#[case::too_long("POST /_mock/new/app/control/more", "\r\nContent-Type: application/json", 404)]
#[case::too_short("POST /_mock/new", "\r\nContent-Type: application/json", 404)]
#[case::method("GET /_mock/new/app/control", "", 405)]
#[case::method_of_the_index("POST /_mock/", "\r\nContent-Type: application/json", 405)]
#[case::as_a_form_would("POST /_mock/new/app/control", "\r\nContent-Type: text/plain", 415)]
#[case::without_a_type("POST /_mock/new/app/control", "", 415)]
#[case::a_page(
    "POST /_mock/new/app/control",
    "\r\nContent-Type: application/json\r\nOrigin: http://page.test",
    403
)]
#[case::a_page_of_another_port(
    "POST /_mock/new/app/control",
    "\r\nContent-Type: application/json\r\nOrigin: http://127.0.0.1:2",
    403
)]
#[case::a_page_that_looks("GET /_mock/", "\r\nOrigin: http://page.test", 403)]
#[case::preflight("OPTIONS /_mock/new/app/control", "\r\nAccess-Control-Request-Method: POST", 405)]
#[case::preflight_of_a_page("OPTIONS /_mock/new/app/control", "\r\nOrigin: http://page.test", 403)]
fn what_is_not_for_everybody_says_so(#[case] line: &str, #[case] headers: &str, #[case] status: u16) {
    let server = start();
    let body = br#"{"known":{"users":["a"]}}"#;
    let reply = http(server.addr(), &format!("{line} HTTP/1.1{headers}"), body);
    assert_eq!(reply.status, status);
    assert!(reply.json()["error_description"].as_str().is_some_and(|text| !text.is_empty()));
    assert_eq!(reply.header("access-control-allow-origin"), None, "no page is told anything");
    assert_eq!(look(&server, "/new/app"), 404);
}

#[test]
fn the_index_says_what_there_is_and_its_examples_hold() {
    let server = start();
    let index: Index =
        serde_json::from_slice(&http(server.addr(), "GET /_mock HTTP/1.1", b"").body).expect("its type");
    assert_eq!(index.openapi, "/_mock/openapi.json");
    let mut tried = 0;
    for (call, IndexCall { examples, .. }) in &index.calls {
        let (method, path) = call.split_once(' ').expect("a method and a path");
        let path = path.replace("{org}", "new").replace("{app}", "app");
        for example in examples {
            let head = format!("{method} {path} HTTP/1.1\r\nContent-Type: application/json");
            // Each alone, in a world with those whom examples name.
            assert_eq!(post(&server, "/new/app/world", "{}").status, 200);
            let users =
                r#"[{"user":{"name":"alice","password":"pw"}},{"user":{"name":"bob","password":"pw"}}]"#;
            assert_eq!(post(&server, "/new/app/control", users).status, 200);
            let _bob = Socket::log_in(server.addr(), Door::WebSocket, "new#app", "bob", "web");
            let reply = http(server.addr(), &head, example.to_string().as_bytes());
            assert_eq!(reply.status, 200, "{call} {example}: {:?}", reply.json());
            tried += 1;
        }
    }
    assert!(tried >= 7, "only {tried} examples");
}

#[test]
fn every_new_world_starts_with_the_stage() {
    let users = vec!["alice".to_owned(), "bob".to_owned()];
    let stage = vec![
        Control::Known { users },
        Control::Group { id: "g1".into(), owner: "alice".into(), members: vec!["bob".into()] },
    ];
    let options = Options { stage, settings: Settings::default(), ..Options::default() };
    let server = MockServer::start(options).expect("a server on a free port");
    for app in ["one", "two"] {
        let grant = json!({ "grant_type": "password", "username": "bob", "password": "his own" }).to_string();
        let path = format!("POST /any/{app}/token HTTP/1.1");
        let answer = http(server.addr(), &path, grant.as_bytes()).json();
        let token = answer["access_token"].as_str().expect("any password will do");
        let head =
            format!("GET /any/{app}/users/bob/joined_chatgroups HTTP/1.1\r\nAuthorization: Bearer {token}");
        assert_eq!(http(server.addr(), &head, b"").json()["data"][0]["groupid"], "g1");
    }
}
