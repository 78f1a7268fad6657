//! Entries of the catalog that are chosen by nothing but a login: by the app key, the user's name or the access token.

use fixtures::wire::{AUTH_PREFIX, CommSyncUl, MSync, m_sync};
use mock_server::catalog::Profile;
use mock_server::control::{Control, Fault, Settings};
use mock_server::journal::Entry;
use mock_server::replay::replay;
use mock_server::shell::{MockServer, Options};
use mock_server::tape::{Door, Event, Row};
use prost::Message as _;
use rstest::rstest;
use serde_json::json;

use crate::peer::{
    APP_KEY, Arrival, Reply, Socket, http, jid, msync, once_a_rule_has_struck, provision, start, start_with,
};

/// The status of the answer to a text to carl.
fn answer(socket: &mut Socket, app_key: &str, from: &str) -> i32 {
    let frame = socket.text_frame(app_key, from, "carl", "hi");
    socket.send(&frame);
    socket.sync().status.and_then(|status| status.error_code).unwrap_or_default()
}

fn log_in(server: &MockServer, app_key: &str, user: &str) -> Socket {
    Socket::log_in(server.addr(), Door::WebSocket, app_key, user, "web")
}

/// The status of the answer to a login; 0: it went through.
fn refused_login(server: &MockServer, user: &str) -> i32 {
    let mut socket = Socket::open(server.addr(), Door::WebSocket);
    socket.send(&provision(APP_KEY, user, "web"));
    socket.provision().status.and_then(|status| status.error_code).unwrap_or_default()
}

fn rules(server: &MockServer, app_key: &str) -> Vec<String> {
    server.rules(app_key).into_iter().map(|rule| rule.text).collect()
}

fn token_call(server: &MockServer, user: &str) -> Reply {
    let body = json!({"grant_type": "password", "username": user, "password": "pw"}).to_string();
    http(server.addr(), "POST /org/app/token HTTP/1.1\r\nContent-Type: application/json", body.as_bytes())
}

#[rstest]
#[case::user(APP_KEY, "alice--501")]
#[case::user_in_capitals(APP_KEY, "Alice--501")]
#[case::app_key("org#app--501", "alice")]
// Sockets of these tests bring the token t-USER, so that it ends as the name does.
#[case::all_of_it("org#app--501", "alice--501")]
fn a_login_chooses_an_error_by_a_name(#[case] app_key: &str, #[case] user: &str) {
    let server = start();
    let mut alice = log_in(&server, app_key, user);
    assert_eq!(answer(&mut alice, app_key, user), 7);
    assert_eq!(answer(&mut alice, app_key, user), 0, "once");
    drop(alice);
    let mut alice = log_in(&server, app_key, user);
    assert_eq!(answer(&mut alice, app_key, user), 7, "anew at each login");
    assert_eq!(rules(&server, app_key).len(), 1, "in the place of what the last login armed");
}

#[test]
fn who_chooses_nothing_is_spared() {
    let server = start();
    let mut alice = log_in(&server, APP_KEY, "alice--501");
    let mut bob = log_in(&server, APP_KEY, "bob");
    assert_eq!(answer(&mut bob, APP_KEY, "bob"), 0);
    assert_eq!(answer(&mut alice, APP_KEY, "alice--501"), 7);
}

#[test]
fn a_login_that_is_refused_by_its_name_is_refused_each_time() {
    let server = start();
    for _ in 0..2 {
        assert_eq!(refused_login(&server, "alice--214"), 13, "too many devices");
    }
    for _ in 0..2 {
        let reply = token_call(&server, "alice--1");
        assert_eq!(
            (reply.status, reply.json()["error_description"].as_str()),
            (400, Some("invalid password"))
        );
    }
    assert_eq!(token_call(&server, "alice").status, 200);
}

#[test]
fn a_call_for_a_token_and_the_login_behind_it_arm_once() {
    let server = start();
    assert_eq!(token_call(&server, "alice--504").status, 200);
    let _alice = log_in(&server, APP_KEY, "alice--504");
    let expected = [r#"on next recall from alice--504: answer status 1 "exceed recall time limit""#];
    assert_eq!(rules(&server, APP_KEY), expected);
}

#[test]
fn a_login_leaves_the_rules_alone_of_a_state_that_was_put_in_its_worlds_place() {
    let (server, other) = (start(), start());
    drop(log_in(&server, APP_KEY, "alice--501"));
    let own = "on every text from bob: drop";
    let rule = Control::Fault(Fault::Rule(Box::new(own.parse().expect("a rule"))));
    other.control(APP_KEY, rule).expect("there is room");
    let state = http(other.addr(), "GET /_mock/org/app/state HTTP/1.1", b"").body;
    let head = "PUT /_mock/org/app/state HTTP/1.1\r\nContent-Type: application/json";
    assert_eq!(http(server.addr(), head, &state).status, 200);
    let _alice = log_in(&server, APP_KEY, "alice--501");
    let rules = rules(&server, APP_KEY);
    assert!(rules.len() == 2 && rules[0] == own, "{rules:?}");
}

#[test]
fn a_link_that_is_cut_by_name_is_cut_once_and_whoever_returns_by_itself_is_let_be() {
    let server = start();
    let mut alice = log_in(&server, APP_KEY, "alice--cut-no-frame");
    alice.unread();
    assert_eq!(alice.next(), Arrival::Gone, "behind what it asked");
    let mut back = log_in(&server, APP_KEY, "alice--cut-no-frame");
    back.unread();
    assert_eq!(
        back.text(APP_KEY, "alice--cut-no-frame", "carl", "I am back"),
        back.text(APP_KEY, "alice--cut-no-frame", "carl", "and stay") - 1
    );
    back.cut();
    // She has gone of her own accord: what comes is a login of hers.
    let mut anew = log_in(&server, APP_KEY, "alice--cut-no-frame");
    anew.unread();
    assert_eq!(anew.next(), Arrival::Gone);
}

#[test]
fn what_is_chosen_happens_in_a_nasty_world_too() {
    let server = start_with(Options { nasty: Some(7), ..Options::default() });
    let app_key = "org#app--drop-2nd-ack";
    let mut alice = log_in(&server, app_key, "alice");
    assert_eq!(rules(&server, app_key), ["on 2nd ack from alice: drop"]);
    let refused = server.control(app_key, Control::RemoveUser { user: "nobody".into() });
    assert!(refused.is_err_and(|error| error.to_string().ends_with(" (nasty seed 7)")));
    // Whatever a nasty server does with them.
    for key in [1, 2] {
        let ack = CommSyncUl { queue: Some(jid(app_key, "bob")), key: Some(key), ..CommSyncUl::default() };
        alice.send(&msync(m_sync::Command::Sync, ack.encode_to_vec()));
    }
    once_a_rule_has_struck(&server, app_key);
    assert_eq!(server.rules(app_key)[0].hits, 1);
}

/// What was chosen is in a journal as the commands that armed it: it takes neither a catalog nor the token to see it again,
/// which is replaced.
#[rstest]
#[case::at_the_login("mine--501")]
#[case::behind_it("mine--cut-no-frame")]
fn a_bundle_of_who_chose_by_a_token_plays_again(#[case] token: &str) {
    let server = start();
    let login = MSync::decode(&provision(APP_KEY, "dora", "web")[..]).expect("a frame");
    let login = MSync { auth: Some(format!("{AUTH_PREFIX}{token}")), ..login };
    let mut dora = Socket::open(server.addr(), Door::WebSocket);
    dora.send(&login.encode_to_vec());
    assert_eq!(dora.provision().status.and_then(|status| status.error_code), Some(0));
    dora.unread();
    match token {
        "mine--501" => assert_eq!(answer(&mut dora, APP_KEY, "dora"), 7),
        _ => assert_eq!(dora.next(), Arrival::Gone),
    }
    let bundle = http(server.addr(), "GET /_mock/org/app/bundle HTTP/1.1", b"").json();
    let journal: Vec<Entry> = serde_json::from_value(bundle["journal"].clone()).expect("its own type");
    let tape: Vec<Row> = serde_json::from_value(bundle["tape"].clone()).expect("its own type");
    assert!(!bundle.to_string().contains(token));
    assert_eq!(replay(&journal).expect("it has its beginning").rows, tape);
    let strikes = tape.iter().filter(|row| matches!(row.event, Event::Fault { .. } | Event::Closed { .. }));
    assert_eq!(strikes.count(), 1, "{tape:?}");
}

#[test]
fn a_kick_by_name_waits_until_somebody_is_there() {
    let server = start();
    let mut alice = log_in(&server, APP_KEY, "alice--206");
    alice.unread();
    let end = alice.farewell();
    assert!(matches!(end[..], [Arrival::Frame(_), Arrival::Close(1008, _)]), "{end:?}");
}

#[test]
fn a_profile_of_ones_own_is_chosen_staged_and_listed_as_any_other() {
    let rule = "on next text from {user}: answer status 19 \"mine\"".parse().expect("a rule");
    let profiles = vec![Profile::new("mine", vec![rule]).expect("a profile")];
    let server = start_with(Options { profiles, ..Options::default() });
    let mut bob = log_in(&server, APP_KEY, "bob--mine");
    assert_eq!(answer(&mut bob, APP_KEY, "bob--mine"), 19);
    let mut alice = log_in(&server, APP_KEY, "alice");
    let body = json!({"name": "mine", "user": "alice"}).to_string();
    let head = "POST /_mock/org/app/stage HTTP/1.1\r\nContent-Type: application/json";
    assert_eq!(http(server.addr(), head, body.as_bytes()).status, 200);
    assert_eq!(answer(&mut alice, APP_KEY, "alice"), 19);
    let catalog = http(server.addr(), "GET /_mock/catalog HTTP/1.1", b"").json();
    let profiles = catalog["profiles"].as_array().expect("a list");
    assert!(profiles.iter().any(|profile| profile["name"] == "mine"), "{catalog}");
}

#[rstest]
#[case::strict(Settings { strict: true, ..Settings::default() }, "501")]
#[case::unknown(Settings::default(), "5O1")]
fn nothing_is_chosen_in_a_strict_world_or_by_an_unknown_name(#[case] settings: Settings, #[case] name: &str) {
    let server = start_with(Options { settings, ..Options::default() });
    let user = format!("alice--{name}");
    crate::peer::register(&server, APP_KEY, &user);
    let mut alice = log_in(&server, APP_KEY, &user);
    assert_eq!(answer(&mut alice, APP_KEY, &user), 0);
    assert!(rules(&server, APP_KEY).is_empty());
}

#[test]
fn every_entry_of_the_catalog_is_staged_by_one_call_for_somebody_who_is_there() {
    let server = start();
    for (number, name) in mock_server::catalog::catalog().names().enumerate() {
        let user = format!("u{number}");
        let _there = log_in(&server, APP_KEY, &user);
        let body = json!({"name": name, "user": user}).to_string();
        let head = "POST /_mock/org/app/stage HTTP/1.1\r\nContent-Type: application/json";
        let reply = http(server.addr(), head, body.as_bytes());
        assert_eq!(reply.status, 200, "{name}: {}", String::from_utf8_lossy(&reply.body));
    }
}
