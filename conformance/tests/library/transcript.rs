//! A captured conversation as a record shows it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use conformance::transcript::Transcript;
use mock_server::machine::{ConnId, Millis};
use mock_server::tape::{Deed, Direction, Door, Event, Row};
use serde_json::Value;

#[test]
fn a_captured_conversation_reads_as_lanes_of_named_fields() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/frames/easemob-websdk-3.6.3.jsonl");
    let text = std::fs::read_to_string(path).expect(path);
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a row"));
    let mut tape = Vec::new();
    for (index, user) in ["alice", "bob"].into_iter().enumerate() {
        let conn = ConnId(index as u64);
        tape.push(at(Event::Opened { conn, door: Door::SockJs }));
        let resource = format!("webim_{user}");
        tape.push(at(Event::LoggedIn { conn, user: user.to_owned(), resource }));
    }
    for row in rows.filter(|row| row["case"] == "txt-ext-single") {
        let conn = ConnId(u64::from(row["user"] == "bob"));
        let direction = if row["dir"] == "c2s" { Direction::Up } else { Direction::Down };
        let bytes = unhex(row["hex"].as_str().expect("hex")).into();
        tape.push(at(Event::Frame { conn, direction, bytes }));
    }
    tape.push(at(Event::Closed { conn: ConnId(0), why: "the client went".to_owned() }));
    insta::assert_snapshot!(Transcript::new(&tape, "org#app", 0).text());
}

#[test]
fn heartbeats_and_statistics_are_left_out_and_the_first_unread_is_not() {
    let conn = ConnId(1);
    let frame = |direction, bytes: &[u8]| at(Event::Frame { conn, direction, bytes: bytes.to_vec().into() });
    let unread = frame(Direction::Up, &[0x40, 1]);
    let answer = frame(Direction::Down, &[0x40, 1]);
    // SYNC{meta{id 7, ns STATISTIC}} and its answer, and a message with the same number answered too.
    let statistic = frame(Direction::Up, &[0x40, 0, 0x4a, 6, 0x0a, 4, 0x08, 7, 0x28, 0]);
    let accepted = frame(Direction::Down, &[0x40, 0, 0x4a, 2, 0x10, 7]);
    let message = frame(Direction::Up, &[0x40, 0, 0x4a, 6, 0x0a, 4, 0x08, 8, 0x28, 1]);
    let tape = [
        at(Event::Opened { conn, door: Door::WebSocket }),
        unread.clone(),
        answer.clone(),
        statistic,
        accepted,
        unread,
        answer,
        message,
    ];
    insta::assert_snapshot!(Transcript::new(&tape, "org#app", 0).text(), @r"
    == somebody 1 (WebSocket)
    > UNREAD
    < UNREAD
    > SYNC payload{meta{id:<local 1> ns:CHAT}}
    ");
}

/// A frame that was lost on its way to the client is nowhere else.
#[test]
fn what_rules_did_stands_behind_what_came_before_it() {
    let conn = ConnId(1);
    let frame = |direction, bytes: &[u8]| at(Event::Frame { conn, direction, bytes: bytes.to_vec().into() });
    let fault = |conn, deed, text: &str| at(Event::Fault { conn, rule: 1, deed, text: text.to_owned() });
    let message = |id: u8| frame(Direction::Up, &[0x40, 0, 0x4a, 6, 0x0a, 4, 0x08, id, 0x28, 1]);
    let answer = |id: u8| frame(Direction::Down, &[0x40, 0, 0x4a, 2, 0x10, id]);
    let tape = [
        at(Event::Opened { conn, door: Door::WebSocket }),
        fault(Some(conn), Deed::Dropped, "NOTICE: lost"),
        message(7),
        fault(Some(conn), Deed::Dropped, "answer: lost"),
        message(8),
        fault(Some(conn), Deed::Doubled, "answer: sent twice"),
        answer(8),
        answer(8),
        fault(None, Deed::Dropped, "GET /users: lost, never answered"),
        fault(Some(conn), Deed::Ended, "text: lost, and the connection cut"),
        at(Event::Closed { conn, why: "cut".to_owned() }),
    ];
    insta::assert_snapshot!(Transcript::new(&tape, "org#app", 0).text(), @r"
    == somebody 1 (WebSocket)
    -- rule: NOTICE: lost
    > SYNC payload{meta{id:<local 1> ns:CHAT}}
    -- rule: answer: lost
    > SYNC payload{meta{id:<local 2> ns:CHAT}}
    -- rule: answer: sent twice
    < SYNC payload{metaId:<local 2>}
    < SYNC payload{metaId:<local 2>}
    -- rule: text: lost, and the connection cut
    -- closed: cut
    == rules of requests
    -- rule: GET /users: lost, never answered
    ");
    insta::assert_snapshot!(Transcript::new(&tape, "org#app", 3).last(1), @r"
    == somebody 1 (WebSocket)
    … 6 before
    -- closed: cut
    == rules of requests
    -- rule: GET /users: lost, never answered
    ");
}

#[test]
fn a_lane_is_named_by_the_device_that_a_step_names() {
    let lane = |conn: u64, resource: &str| {
        let conn = ConnId(conn);
        let (user, resource) = ("alice".to_owned(), resource.to_owned());
        let bytes = vec![0x40, 1].into();
        [
            at(Event::Opened { conn, door: Door::WebSocket }),
            at(Event::LoggedIn { conn, user, resource }),
            at(Event::Frame { conn, direction: Direction::Up, bytes }),
        ]
    };
    let tape = [lane(1, "web"), lane(2, "webim_phone"), lane(3, "webim_phone")].concat();
    let devices = ["Alice", "Alice/phone"].map(|name| name.parse().expect("a device"));
    insta::assert_snapshot!(Transcript::of_devices(&tape, "org#app", 0, &[&devices[0], &devices[1]]).text(), @r"
    == Alice 1 (WebSocket)
    > UNREAD
    == Alice/phone 1 (WebSocket)
    > UNREAD
    == Alice/phone 2 (WebSocket)
    > UNREAD
    ");
    assert!(Transcript::new(&tape, "org#app", 0).text().contains("== alice 3 (WebSocket)"));
}

#[test]
fn uploads_downloads_and_history_are_shown_by_name() {
    const UUID: &str = "8d1f0a52-4d35-11ec-81d3-0242ac130003";
    let http = |user: &str, method: &str, path: String, body: &str, answer: String| {
        at(Event::Http {
            method: method.to_owned(),
            path,
            user: Some(user.to_owned()),
            body: body.as_bytes().to_vec().into(),
            status: 200,
            answer: answer.into(),
        })
    };
    // Meta{id 1160000000000000001, from{name alice}, timestamp 5, ns CHAT, payload{type CHAT, contents{type IMAGE,
    // remotePath, secretKey}}}, in base64.
    let place = format!("http://127.0.0.1:4000/org/app/chatfiles/{UUID}");
    let content = [&[8, 1, 0x3a, place.len() as u8], place.as_bytes(), b"\x42\x02s3"].concat();
    let body = [&[8, 1, 0x22, content.len() as u8], &content[..]].concat();
    let id = [0x08, 0x81, 0x80, 0xd0, 0x9b, 0xaa, 0xbb, 0xc9, 0x8c, 0x10];
    let meta =
        [&id[..], b"\x12\x07\x12\x05alice", b"\x20\x05\x28\x01\x32", &[body.len() as u8], &body].concat();
    let page = STANDARD.encode(&meta);
    let tape = [
        http(
            "alice",
            "POST",
            "/chatfiles".to_owned(),
            r#"{"file":"photo.png","media_type":"image/png","bytes":19609,"fields":{}}"#,
            format!(
                r#"{{"uri":"http://127.0.0.1:4000/org/app/chatfiles","entities":[{{"uuid":"{UUID}","share-secret":"s3"}}]}}"#
            ),
        ),
        http(
            "bob",
            "GET",
            format!("/chatfiles/{UUID}?em-redirect=true&share-secret=s3&_v=17"),
            "",
            r#"{"file":"photo.png","media_type":"image/png"}"#.to_owned(),
        ),
        http(
            "bob",
            "POST",
            "/users/bob/messageroaming".to_owned(),
            r#"{"queue":"alice@easemob.com","start":"1160000000000000009"}"#,
            format!(
                r#"{{"data":{{"is_last":false,"next_key":"1160000000000000001","msgs":[{{"msg":"{page}"}}]}}}}"#
            ),
        ),
        http("bob", "GET", "/chatgroups/7/acks/1160000000000000001".to_owned(), "", "{}".to_owned()),
    ];
    insta::assert_snapshot!(Transcript::new(&tape, "org#app", 0).text(), @r#"
    == alice HTTP
    > POST /chatfiles bytes:19609 fields:{} file:"photo.png" media_type:"image/png"
    < 200 entities{[0]{share-secret:<secret 1> uuid:<uuid 1>}} uri:<server>/org/app/chatfiles
    == bob HTTP
    > GET /chatfiles/<uuid 1>?em-redirect=true&share-secret=<secret 1>&_v=<time>
    < 200 file:"photo.png" media_type:"image/png"
    > POST /users/bob/messageroaming queue:"alice@easemob.com" start:<id 1>
    < 200
        data
            is_last:false
            msgs
                [0]
                    msg
                        id:<id 2> from{name:"alice"} timestamp:<time> ns:CHAT
                        payload
                            type:CHAT
                            contents{type:IMAGE remotePath:"<server>/org/app/chatfiles/<uuid 1>" secretKey:<secret 1>}
            next_key:<id 2>
    > GET /chatgroups/7/acks/<id 2>
    < 200
    "#);
}

fn at(event: Event) -> Row {
    Row { at: Millis(0), event }
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2) && text.is_ascii(), "{text}");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}
