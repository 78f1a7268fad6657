//! Worlds beside each other: what one holds no other sees; their clocks, tapes and ends, and when one is quiet.

use std::time::Duration;

use mock_server::control::{Control, ControlError};
use mock_server::machine::Millis;
use mock_server::tape::{Direction, Door, Event};
use serde_json::json;

use crate::peer::{APP_KEY, Arrival, Socket, await_here, http, register, start};

const LONG: Duration = Duration::from_secs(30);

#[test]
fn two_worlds_do_not_see_each_other() {
    let server = start();
    let worlds = ["org#one", "org#two"];
    for app_key in worlds {
        for name in ["alice", "bob"] {
            register(&server, app_key, name);
        }
    }
    let pairs = worlds.map(|app_key| {
        let log_in = |user, door| Socket::log_in(server.addr(), door, app_key, user, "same");
        (app_key, log_in("alice", Door::SockJs), log_in("bob", Door::WebSocket))
    });
    let mut ids = Vec::new();
    for (app_key, mut alice, mut bob) in pairs {
        ids.push(alice.text(app_key, "alice", "bob", app_key));
        assert_eq!(bob.notice(), "alice");
        assert_eq!(bob.texts(app_key, "alice"), [app_key]);
        server.quiet(app_key, LONG).expect("it is read");
        alice.send(&[0xff]);
        assert_eq!(alice.sync().status.and_then(|status| status.error_code), Some(10));
    }
    assert_eq!(ids[0], ids[1], "each world counts for itself");
    for app_key in worlds {
        assert_eq!(server.findings(app_key).len(), 1);
        let logins =
            server.tape(app_key).iter().filter(|row| matches!(row.event, Event::LoggedIn { .. })).count();
        assert_eq!(logins, 2);
    }
    let head =
        |app: &str| format!("GET /org/{app}/publicchatgroups HTTP/1.1\r\nAuthorization: Bearer t-carl");
    register(&server, "org#one", "carl");
    assert_eq!(http(server.addr(), &head("one"), b"").status, 200);
    assert_eq!(http(server.addr(), &head("two"), b"").status, 401, "a token opens its own world only");
}

/// The server holds so many; all of these are idle, and the oldest goes for one more.
const WORLDS_MAX: usize = 1_024;

#[test]
fn what_is_refused_in_a_new_world_takes_no_other_worlds_place() {
    let server = start();
    let known = |name: &str| Control::Known { users: vec![name.into()] };
    for number in 1..WORLDS_MAX {
        server.control(&format!("org#app{number}"), known("alice")).expect("there is room");
    }
    let nobody = json!({ "remove_user": { "user": "nobody" } }).to_string();
    let stage = json!({ "name": "504", "user": "nobody" }).to_string();
    let doors = json!(vec!["slow open 1ms"; 101]).to_string();
    for (path, body) in [("control", nobody), ("stage", stage), ("doors", doors)] {
        let head = format!("POST /_mock/new/world/{path} HTTP/1.1\r\nContent-Type: application/json");
        assert_eq!(http(server.addr(), &head, body.as_bytes()).status, 400, "{path}");
    }
    server.control("new#world", known("a b")).expect_err("no name");
    server.control_all("new#world", vec![known("a"), known("a b")]).expect_err("no name");
    let world = server.world("new#world").expect("an app key");
    await_here(world.stage("504", "nobody")).expect_err("nobody is there");
    // Looking at one world would make another the oldest.
    let is_there = |app_key: &str| {
        let worlds = await_here(server.worlds()).expect("it runs");
        worlds.iter().any(|world| world.app_key == app_key)
    };
    assert!(is_there(APP_KEY) && !is_there("new#world"), "what was refused made none, and took none's place");
    server.control("new#world", known("alice")).expect("the oldest makes room");
    assert!(!is_there(APP_KEY) && is_there("new#world"));
}

#[test]
fn a_world_is_made_by_a_login_and_not_by_a_look() {
    let server = start();
    let look = "GET /new/world/publicchatgroups HTTP/1.1";
    assert_eq!(http(server.addr(), look, b"").status, 404);
    for path in ["token", "users"] {
        assert_eq!(http(server.addr(), &format!("GET /new/world/{path} HTTP/1.1"), b"").status, 404);
        assert_eq!(http(server.addr(), look, b"").status, 404);
    }
    let new = json!({ "username": "emil", "password": "pw" }).to_string();
    assert_eq!(http(server.addr(), "POST /new/world/users HTTP/1.1", new.as_bytes()).status, 200);
    assert_eq!(http(server.addr(), look, b"").status, 401);
    Socket::log_in(server.addr(), Door::SockJs, "new#socket", "dora", "d");
    assert_eq!(http(server.addr(), "GET /new/socket/publicchatgroups HTTP/1.1", b"").status, 401);
}

#[test]
fn quiet_waits_for_what_is_not_acknowledged_and_names_it() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let mut bob = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "bob", "b");
    let waits = || server.quiet(APP_KEY, Duration::from_millis(1)).map_err(|waits| waits.0);
    let before = server.quiet(APP_KEY, LONG).expect("nothing was sent");
    alice.text(APP_KEY, "alice", "bob", "hi");
    assert_eq!(waits(), Err(vec!["bob/b has not pulled queue alice (1 waiting)".to_owned()]));
    assert_eq!(bob.notice(), "alice");
    let page = bob.pull(APP_KEY, "alice", None);
    let key = page.next_key.expect("a page has a key");
    let owed = vec![format!("bob/b has not acknowledged queue alice with key {key}")];
    assert_eq!(waits(), Err(owed.clone()));
    // The server's own part is done, however long bob takes.
    let rest = server.rest(APP_KEY, LONG);
    assert_eq!((rest.reached, rest.open), (true, owed));
    // Whoever waits is woken by the acknowledgement.
    let after = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| server.quiet(APP_KEY, LONG));
        assert_eq!(bob.pull(APP_KEY, "alice", Some(key)).is_last, Some(true));
        waiting.join().expect("it does not panic")
    });
    let after = after.expect("all is acknowledged");
    assert!(after.mark > before.mark, "something came between them");
    assert_eq!(server.quiet(APP_KEY, LONG), Ok(after), "nothing came between these");
    let rest = server.rest(APP_KEY, LONG);
    assert_eq!((rest.reached, rest.open, rest.mark), (true, Vec::new(), after.mark));
    assert_eq!(server.quiet("no#world", LONG).map(|quiet| quiet.mark), Ok(0));
    assert_eq!(server.rest("no#world", LONG).mark, 0);
}

#[test]
fn who_has_gone_is_not_waited_for() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let bob = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "bob", "b");
    alice.text(APP_KEY, "alice", "bob", "hi");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| server.quiet(APP_KEY, LONG));
        bob.cut();
        waiting.join().expect("it does not panic").expect("bob is gone");
    });
}

#[test]
fn a_manual_clock_stands_still_until_it_is_moved() {
    let server = start();
    let app_key = "org#clock";
    let start = Millis(1_640_908_800_000);
    server.manual_clock(app_key, start).expect("nobody has been in it");
    register(&server, app_key, "alice");
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, app_key, "alice", "a");
    assert_eq!(alice.unread().timestamp, Some(start.0));
    assert_eq!(alice.unread().timestamp, Some(start.0));
    server.advance(app_key, 120_000);
    assert_eq!(alice.unread().timestamp, Some(start.0 + 120_000));
    server.advance(app_key, 1_000_000);
    let mut late = Socket::open(server.addr(), Door::SockJs);
    late.send(&crate::peer::provision(app_key, "alice", "b"));
    let reason = late.provision().status.and_then(|status| status.reason);
    assert_eq!(reason.as_deref(), Some("Sorry, token expired"), "expiry follows the world's clock");
    let times: Vec<u64> = server.tape(app_key).iter().map(|row| row.at.0).collect();
    assert!(times.is_sorted() && times.first() == Some(&start.0), "{times:?}");
}

#[test]
fn a_wall_clock_goes_on_from_where_it_was_moved() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let before = alice.unread().timestamp.expect("a time");
    server.advance(APP_KEY, 1_000_000_000);
    let after = alice.unread().timestamp.expect("a time");
    assert!(after >= before + 1_000_000_000, "{after} after {before}");
}

#[test]
fn a_tape_tells_what_went_over_the_wire() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    alice.unread();
    let head = "GET /org/app/publicchatgroups?limit=2 HTTP/1.1\r\nAuthorization: Bearer t-alice";
    assert_eq!(http(server.addr(), head, b"").status, 200);
    let cut = mock_server::control::Fault::Cut { user: "alice".into(), device: None };
    server.control(APP_KEY, Control::Fault(cut)).expect("alice is there");
    assert_eq!(alice.next(), Arrival::Gone);
    let told: Vec<String> = server
        .tape(APP_KEY)
        .into_iter()
        .map(|row| match row.event {
            Event::Opened { door, .. } => format!("opened {door:?}"),
            Event::LoggedIn { user, resource, .. } => format!("{user}/{resource}"),
            Event::Frame { direction: Direction::Up, bytes, .. } => format!("up {}", bytes.len() > 3),
            Event::Frame { direction: Direction::Down, bytes, .. } => format!("down {}", bytes.len() > 3),
            Event::Closed { why, .. } => why,
            Event::Muted { .. } => "muted".into(),
            Event::Fault { text, .. } | Event::AtDoor { text, .. } => text,
            Event::Http { method, path, user, status, .. } => format!("{method} {path} {user:?} {status}"),
        })
        .collect();
    assert_eq!(
        told,
        [
            "opened SockJs",
            "up true",
            "alice/a",
            "down true",
            "up true",
            "down true",
            "GET /publicchatgroups?limit=2 Some(\"alice\") 200",
            "cut by the server",
        ]
    );
}

#[test]
fn a_tape_is_bounded() {
    let options = mock_server::shell::Options { tape_rows_max: 5, ..mock_server::shell::Options::default() };
    let server = crate::peer::start_with(options);
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    for _ in 0..10 {
        alice.unread();
    }
    assert_eq!(server.tape(APP_KEY).len(), 5);
}

#[test]
fn a_world_that_is_dropped_takes_its_sockets_along() {
    let server = start();
    register(&server, "org#other", "alice");
    let mut here = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let mut there = Socket::log_in(server.addr(), Door::SockJs, "org#other", "alice", "a");
    here.text(APP_KEY, "alice", "bob", "hi");
    server.drop_world(APP_KEY);
    assert_eq!(here.next(), Arrival::Gone);
    assert_eq!(there.unread().unread, []);
    register(&server, APP_KEY, "bob");
    let mut bob = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "bob", "b");
    assert_eq!(bob.unread().unread, [], "the new world knows nothing of the old one");
}

#[test]
fn of_too_many_worlds_the_oldest_idle_one_goes() {
    let server = start();
    let app_key = |number: usize| format!("many#{number}");
    register(&server, &app_key(0), "alice");
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, &app_key(0), "alice", "a");
    // `org#app` is idle and there before them all; world 0 has a connection, and world 1 is used again.
    for number in 1..=1_024 {
        if number == 1_000 {
            register(&server, &app_key(1), "bob");
        }
        let user = Control::User { name: "x".into(), password: "pw".into() };
        server.control(&app_key(number), user).expect("room for one more");
    }
    let status =
        |path: &str| http(server.addr(), &format!("GET {path}/publicchatgroups HTTP/1.1"), b"").status;
    assert_eq!(status("/org/app"), 404, "1,026 were made: two are gone");
    assert_eq!(status("/many/2"), 404, "of the others it was used longest ago");
    assert_eq!(status("/many/1"), 401);
    assert_eq!(status("/many/3"), 401);
    assert_eq!(status("/many/1024"), 401);
    assert_eq!(alice.unread().unread, [], "a world in use stays");
}

#[test]
fn a_command_for_no_world_is_refused() {
    let server = start();
    for app_key in ["", "org", "org#", "#app", "a#b#c", "a/b#c", " a#b"] {
        let user = Control::User { name: "x".into(), password: "pw".into() };
        let refused = server.control(app_key, user);
        assert!(matches!(refused, Err(ControlError::BadValue { what: "app_key", .. })), "{app_key:?}");
    }
}
