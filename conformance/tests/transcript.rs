//! A captured conversation as a record shows it.

use conformance::transcript::Transcript;
use mock_server::machine::{ConnId, Millis};
use mock_server::tape::{Direction, Door, Event, Row};
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

fn at(event: Event) -> Row {
    Row { at: Millis(0), event }
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2) && text.is_ascii(), "{text}");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}
