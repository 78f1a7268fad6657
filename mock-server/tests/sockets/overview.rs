//! What the control plane tells of worlds at one moment.

use mock_server::control_api::{
    ClockView, DeviceView, MucView, Overview, QueueKind, QueueView, UserView, WorldLine, WorldList,
};
use mock_server::machine::ConnId;
use mock_server::shell::MockServer;
use mock_server::tape::Door;
use serde_json::{Value, json};

use crate::peer::{APP_KEY, Socket, http, start};

fn get(server: &MockServer, path: &str) -> Value {
    let reply = http(server.addr(), &format!("GET /_mock{path} HTTP/1.1"), b"");
    assert_eq!(reply.status, 200, "{path}: {:?}", reply.json());
    reply.json()
}

fn overview(server: &MockServer) -> Overview {
    serde_json::from_value(get(server, "/org/app/overview")).expect("its own type")
}

fn post(server: &MockServer, path: &str, body: Value) {
    let head = format!("POST /_mock{path} HTTP/1.1\r\nContent-Type: application/json");
    let reply = http(server.addr(), &head, body.to_string().as_bytes());
    assert_eq!(reply.status, 200, "{path} {body}: {:?}", reply.json());
}

fn user<'a>(overview: &'a Overview, name: &str) -> &'a UserView {
    overview.users.iter().find(|user| user.name == name).expect("a user of the world")
}

#[test]
fn queues_tell_what_waits_and_what_was_given() {
    let server = start();
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let mut bob = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "bob", "b");
    let nothing = overview(&server);
    assert_eq!(user(&nothing, "bob").queues, []);
    assert_eq!(user(&nothing, "bob").online, [DeviceView { device: "b".into(), conn: ConnId(2) }]);
    alice.text(APP_KEY, "alice", "bob", "hi");
    let queue = |waiting, unacknowledged| {
        [QueueView { queue: "alice".into(), kind: QueueKind::User, waiting, unacknowledged }]
    };
    let told = overview(&server);
    assert_eq!((user(&told, "bob").unread, &user(&told, "bob").queues[..]), (1, &queue(1, 0)[..]));
    assert_eq!(user(&told, "alice").queues, [], "one's own is nothing to wait for");
    assert_eq!(bob.notice(), "alice");
    bob.pull(APP_KEY, "alice", None);
    let given = overview(&server);
    assert_eq!(user(&given, "bob").queues, queue(0, 1));
    alice.text(APP_KEY, "alice", "bob", "again");
    assert_eq!(user(&overview(&server), "bob").queues, [QueueView { waiting: 1, ..queue(0, 1)[0].clone() }]);
}

#[test]
fn who_is_away_is_shown_what_a_new_device_would_get() {
    let server = start();
    post(
        &server,
        "/new/app/control",
        json!([
            { "known": { "users": ["alice", "bob"] } },
            { "group": { "id": "g1", "owner": "alice", "members": ["bob"] } },
            { "room": { "id": "r1", "owner": "bob", "members": [] } },
            { "texts": { "from": "alice", "to": "bob", "text": "#", "count": 3 } },
            { "texts": { "from": "alice", "to": "g1", "text": "#", "count": 1200 } },
            { "mute_user": { "user": "bob", "ms": 5000 } },
            { "settings": { "recall": false } },
        ]),
    );
    post(&server, "/new/app/clock", json!({ "set_ms": 1_900_000_000_000_u64 }));
    post(&server, "/new/app/control", json!({ "mute_user": { "user": "alice", "ms": 5000 } }));
    let told: Overview = serde_json::from_value(get(&server, "/new/app/overview")).expect("its own type");
    let queue =
        |queue: &str, kind, waiting| QueueView { queue: queue.into(), kind, waiting, unacknowledged: 0 };
    let bob = user(&told, "bob");
    assert_eq!(bob.queues, [queue("g1", QueueKind::Group, 1000), queue("alice", QueueKind::User, 3)]);
    assert_eq!(
        (bob.unread, bob.online.len(), bob.muted_until_ms),
        (1203, 0, None),
        "its mute is over by then"
    );
    assert_eq!(user(&told, "alice").muted_until_ms, Some(1_900_000_005_000));
    assert_eq!(told.clock, ClockView { now_ms: 1_900_000_000_000, runs: false });
    assert!(!told.settings.recall);
    let group = |id: &str, owner: &str, members: &[&str]| MucView {
        id: id.into(),
        name: id.into(),
        owner: owner.into(),
        members: members.iter().map(|&name| name.to_owned()).collect(),
        more: 0,
    };
    assert_eq!(told.groups, [group("g1", "alice", &["alice", "bob"])]);
    assert_eq!(told.rooms, [group("r1", "bob", &["bob"])]);
    assert_eq!(get(&server, "/new/app/settings")["recall"], false);
}

#[test]
fn an_overview_is_bounded_and_says_by_how_much() {
    let server = start();
    let users: Vec<String> = (0..1_005).map(|n| format!("u{n}")).collect();
    post(&server, "/new/app/control", json!({ "known": { "users": users } }));
    post(&server, "/new/app/control", json!({ "group": { "id": "g1", "owner": "u0", "members": users } }));
    let told: Overview = serde_json::from_value(get(&server, "/new/app/overview")).expect("its own type");
    assert_eq!((told.users.len(), told.more), (1_000, 5));
    assert_eq!((told.groups[0].members.len(), told.groups[0].more), (1_000, 5));
}

#[test]
fn worlds_are_listed_and_looking_makes_none() {
    let server = start();
    let list = |server: &MockServer| -> WorldList {
        serde_json::from_value(get(server, "/worlds")).expect("its own type")
    };
    let before = list(&server);
    assert_eq!(before.worlds.iter().map(|world| &*world.app_key).collect::<Vec<_>>(), [APP_KEY]);
    let reply = http(server.addr(), "GET /_mock/none/such/overview HTTP/1.1", b"");
    assert_eq!(reply.status, 404);
    post(&server, "/a/b/control", json!({ "known": { "users": ["x", "y"] } }));
    post(&server, "/a/b/clock", json!({ "set_ms": 1_900_000_000_000_u64 }));
    let after = list(&server);
    let made = WorldLine { app_key: "a#b".into(), users: 2, online: 0, rows: 0, now_ms: 1_900_000_000_000 };
    assert_eq!(after.worlds.first(), Some(&made), "by their names");
    assert_eq!(after.worlds.len(), 2);
}
