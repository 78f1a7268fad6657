//! The judge against frames that vendor SDKs really sent: what it finds there is either a quirk of that SDK
//! that the wire notes know, or a rule that is wrong.

use conformance::judge::{findings, silences};
use mock_server::machine::{ConnId, Millis};
use mock_server::tape::{Direction, Door, Event, Row};
use rstest::rstest;
use serde_json::Value;

#[rstest]
// `undefined` in an ext has a type and no value in 3.x (wire-3x §4.3). 3.0.6 forgets the id of what it acknowledges
// (wire-3x §4.4).
#[case("easemob-websdk-3.0.6", &[
    r#"txt-ext-single: build.ext payload.meta.payload.ext["und"]: expected doubleValue for DOUBLE, got nothing"#,
    "delivery-single: receipt.delivered payload.meta.payload.ackMessageId: expected any value, got nothing",
    r#"txt-ext-group: build.ext payload.meta.payload.ext["und"]: expected doubleValue for DOUBLE, got nothing"#,
    "delivery-group: receipt.delivered payload.meta.payload.ackMessageId: expected any value, got nothing",
    "delivery-true: receipt.delivered payload.meta.payload.ackMessageId: expected any value, got nothing",
])]
// The app key of `to` comes from the constructor alone (wire-3x §1.2). These delivery receipts were built by the app, for
// a message that never came.
#[case("easemob-websdk-3.6.3", &[
    r#"txt-ext-single: build.ext payload.meta.payload.ext["und"]: expected doubleValue for DOUBLE, got nothing"#,
    "delivery-single: receipt.delivered payload.meta.payload.ackMessageId: expected the id of a message that came, got 1160000000004194305",
    r#"txt-ext-group: build.ext payload.meta.payload.ext["und"]: expected doubleValue for DOUBLE, got nothing"#,
    "delivery-group: receipt.delivered payload.meta.payload.ackMessageId: expected the id of a message that came, got 1160000000004194305",
    r#"no-appkey-in-ctor: build.kinds payload.meta.to.appKey: expected "org#app", got """#,
])]
#[case("easemob-websdk-4.21.1", &[])]
fn finds_only_known_quirks_in_captured_frames(#[case] sdk: &str, #[case] expected: &[&str]) {
    let path = format!("{}/../fixtures/frames/{sdk}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect(&path);
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    let mut found = Vec::new();
    let mut conns = Vec::new();
    // Each case is a connection of its own for each user.
    let mut tapes: Vec<Vec<Row>> = Vec::new();
    for row in &rows {
        let whose = (row["case"].as_str().expect("case"), row["user"].as_str().unwrap_or_default());
        let index = conns.iter().position(|conn| *conn == whose).unwrap_or_else(|| {
            conns.push(whose);
            tapes.push(vec![at(Event::Opened { conn: ConnId(1), door: Door::WebSocket })]);
            conns.len() - 1
        });
        let direction = if row["dir"] == "c2s" { Direction::Up } else { Direction::Down };
        let bytes = unhex(row["hex"].as_str().expect("hex")).into();
        tapes[index].push(at(Event::Frame { conn: ConnId(1), direction, bytes }));
    }
    for ((case, _), tape) in conns.iter().zip(&tapes) {
        for (finding, _times) in findings(tape, "org#app") {
            found.push(format!("{case}: {} {}", finding.clause, finding.text));
        }
    }
    assert_eq!(found, expected);
}

/// A chat message from alice to bob as 3.6.3 sends it, but for the parts that `change` has.
#[rstest]
#[case::nothing_wrong(&[], &[])]
#[case::group_to_a_user(
    &[("type", varint(1, 2))],
    &["build.chat-type payload.meta.to.domain: expected conference.easemob.com, got \"easemob.com\""]
)]
#[case::user_in_the_conference_domain(
    &[("to", [text(1, "org#app"), text(2, "bob"), text(3, "conference.easemob.com")].concat())],
    &[
        "build.chat-type payload.meta.from.domain: expected \"conference.easemob.com\", as in payload.meta.to.domain, got \"easemob.com\"",
        "build.chat-type payload.meta.to.domain: expected easemob.com, got \"conference.easemob.com\"",
    ]
)]
#[case::another_name_in_the_body(
    &[("body to", text(2, "carol"))],
    &["build.kinds payload.meta.payload.to.name: expected \"bob\", as in payload.meta.to.name, got \"carol\""]
)]
#[case::another_sender_in_the_body(
    &[("body from", text(2, "Alice"))],
    &["build.kinds payload.meta.payload.from.name: expected \"alice\", as in PROVISION, got \"Alice\""]
)]
#[case::no_id(&[("id", Vec::new())], &["send.ids payload.meta.id: expected any value, got nothing"])]
#[case::a_time_of_its_own(
    &[("id", [varint(1, 7), varint(4, 1)].concat())],
    &["send.ids payload.meta.timestamp: expected no such field, got \"1\""]
)]
#[case::a_field_that_the_schema_does_not_have(
    &[("id", [varint(1, 7), varint(12, 5)].concat())],
    &["recv.bad-frame payload.meta.?12: expected no field 12 in Meta, got 5"]
)]
#[case::a_field_of_another_wire_type(
    &[("id", text(1, "7"))],
    &["recv.bad-frame payload.meta.id: expected the field's own wire type, got \"bytes 37\""]
)]
#[case::a_type_that_nobody_sends(
    &[("type", varint(1, 0))],
    &["build.kinds payload.meta.payload.type: expected CHAT or GROUPCHAT or CHATROOM or READ_ACK or DELIVER_ACK or RECALL or CHANNEL_ACK or EDIT, got \"NORMAL\""]
)]
#[case::two_contents(
    &[("contents", [bytes(4, &text(2, "a")), bytes(4, &text(2, "b"))].concat())],
    &[
        "build.kinds payload.meta.payload.contents.type: expected any value, got nothing",
        "build.kinds payload.meta.payload.contents: expected one, got 2",
    ]
)]
#[case::a_command_without_action(
    &[("contents", bytes(4, &varint(1, 6)))],
    &["send.cmd payload.meta.payload.contents.action: expected any value in COMMAND, got nothing"]
)]
#[case::a_text_with_an_action(
    &[("contents", bytes(4, &[varint(1, 0), text(2, "hi"), text(10, "do")].concat()))],
    &["build.kinds payload.meta.payload.contents.action: expected nothing in TEXT, got \"do\""]
)]
#[case::a_number_in_the_text_field(
    &[("ext", ext("n", 2, &text(6, "5")))],
    &["build.ext payload.meta.payload.ext[\"n\"]: expected varintValue for INT, got stringValue"]
)]
#[case::text_that_is_not_json(
    &[("ext", ext("o", 8, &text(6, "{a}")))],
    &["build.ext payload.meta.payload.ext[\"o\"].stringValue: expected JSON, got \"{a}\" (key must be a string at line 1 column 2)"]
)]
#[case::a_boolean_of_two(
    &[("ext", ext("b", 1, &varint(3, 2)))],
    &["build.ext payload.meta.payload.ext[\"b\"].varintValue: expected 0 or 1 for BOOL, got 2"]
)]
#[case::a_key_twice(
    &[("ext", [ext("k", 7, &text(6, "a")), ext("k", 7, &text(6, "b"))].concat())],
    &["build.ext payload.meta.payload.ext[\"k\"]: expected once, got again"]
)]
#[case::a_value_without_type(
    &[("ext", bytes(5, &[text(1, "k"), text(6, "a")].concat()))],
    &["build.ext payload.meta.payload.ext[\"k\"].type: expected BOOL to JSON_STRING, got \"\""]
)]
fn a_wrong_message_is_found_with_field_expected_and_got(
    #[case] change: &[(&str, Vec<u8>)],
    #[case] expected: &[&str],
) {
    let part = |name: &str, usual: Vec<u8>| {
        change.iter().find(|(changed, _)| *changed == name).map_or(usual, |(_, bytes)| bytes.clone())
    };
    let to = part("to", [text(1, "org#app"), text(2, "bob"), text(3, "easemob.com")].concat());
    let body = [
        part("type", varint(1, 1)),
        bytes(2, &part("body from", text(2, "alice"))),
        bytes(3, &part("body to", text(2, "bob"))),
        part("contents", bytes(4, &[varint(1, 0), text(2, "hi")].concat())),
        part("ext", Vec::new()),
    ];
    let meta =
        [part("id", varint(1, 7)), bytes(2, &alice()), bytes(3, &to), varint(5, 1), bytes(6, &body.concat())];
    let frame = [varint(1, 0), varint(8, 0), bytes(9, &bytes(1, &meta.concat()))].concat();
    assert_eq!(found(&[(Direction::Up, provision()), (Direction::Up, frame)]), expected);
}

#[test]
fn a_login_is_judged_too() {
    let frame = [
        bytes(2, &[text(1, "org#other"), text(2, "alice"), text(3, "easemob.com"), text(4, "web")].concat()),
        text(3, "token"),
        varint(8, 3),
        bytes(9, &[varint(6, 1), text(13, "phone")].concat()),
        varint(11, 1),
    ];
    assert_eq!(
        found(&[(Direction::Up, frame.concat())]),
        [
            "conn.login-password auth: expected $t$…, got \"token\"",
            "conn.login-password guid.appKey: expected \"org#app\", got \"org#other\"",
            "conn.login-password payload.resource: expected \"web\", as in guid.clientResource, got \"phone\"",
            "recv.bad-frame encryptType: expected ENCRYPT_NONE, got \"ENCRYPT_AES_128_CBC\"",
        ]
    );
}

#[test]
fn a_page_is_acknowledged_with_a_key_that_came_with_it() {
    let page = |key| [varint(8, 0), bytes(9, &[varint(5, key), bytes(6, &text(2, "bob"))].concat())].concat();
    let pull =
        |key, queue| [varint(8, 0), bytes(9, &[varint(2, key), bytes(3, &text(2, queue))].concat())].concat();
    let given = [(Direction::Down, page(5)), (Direction::Up, pull(5, "bob"))];
    assert_eq!(found(&given), [""; 0]);
    let other = [(Direction::Down, page(5)), (Direction::Up, pull(6, "bob"))];
    assert_eq!(
        found(&other),
        ["conn.offline-sync payload.key: expected a nextKey of queue \"bob\" such as 5, got 6"]
    );
    let elsewhere = [(Direction::Down, page(5)), (Direction::Up, pull(5, "carol"))];
    assert_eq!(
        found(&elsewhere),
        ["conn.offline-sync payload.key: expected no key, for none was given for queue \"carol\", got 5"]
    );
}

#[test]
fn what_is_no_frame_is_found_once_with_its_number() {
    let rubbish = (Direction::Up, vec![0xff]);
    let tape = tape(&[rubbish.clone(), rubbish, (Direction::Down, vec![0xff])]);
    let found = findings(&tape, "org#app");
    assert_eq!(found.len(), 1, "what the server sends is not the client's: {found:?}");
    assert_eq!(found[0].0.text, "frame: expected protobuf, got ff (byte 1: ends inside a field)");
    assert_eq!(found[0].1, 2);
}

/// alice logs in at 0; what follows is at these seconds of the world's clock, the end among them.
#[rstest]
#[case::beats_every_30_s(&[(30, "up"), (60, "up"), (90, "up")], 119, "")]
#[case::never_beats(&[(30, "down"), (60, "down")], 120, "got none for 120000 ms")]
#[case::stops(&[(30, "up"), (60, "up")], 120, "got none for 60000 ms")]
#[case::late_once(&[(30, "up"), (62, "up"), (90, "up")], 91, "got none for 32000 ms")]
#[case::no_longer_there(&[(30, "up"), (45, "closed")], 900, "")]
#[case::late_before_it_went(&[(40, "closed")], 900, "got none for 40000 ms")]
#[case::within_the_slack(&[(31, "up")], 62, "")]
fn a_client_that_has_logged_in_is_never_silent_for_long(
    #[case] events: &[(u64, &str)],
    #[case] until: u64,
    #[case] said: &str,
) {
    let conn = ConnId(1);
    let (user, resource) = ("alice".to_owned(), "web".to_owned());
    let mut tape =
        vec![at(Event::Opened { conn, door: Door::WebSocket }), at(Event::LoggedIn { conn, user, resource })];
    tape.extend(events.iter().map(|(second, what)| {
        let frame = |direction| Event::Frame { conn, direction, bytes: vec![0x40, 1].into() };
        let event = match *what {
            "up" => frame(Direction::Up),
            "down" => frame(Direction::Down),
            why => Event::Closed { conn, why: why.to_owned() },
        };
        Row { at: Millis(second * 1_000), event }
    }));
    let found = silences(&tape, Millis(until * 1_000));
    let texts: Vec<&str> = found.iter().map(|(finding, _)| &*finding.text).collect();
    match said {
        "" => assert_eq!(texts, [""; 0]),
        said => assert!(texts.len() == 1 && texts[0].ends_with(said), "{texts:?}"),
    }
    assert!(found.iter().all(|(finding, _)| finding.clause == "conn.heartbeat" && finding.user == "alice"));
}

/// SYNC{payload{meta{id, from alice, to bob, ns CHAT, payload{type, from, to, contents{}, what `about` has}}}}.
fn ack(local: u64, kind: u64, domain: &str, about: &[u8]) -> (Direction, Vec<u8>) {
    let to = [text(1, "org#app"), text(2, "bob"), text(3, domain)].concat();
    let body = [
        &varint(1, kind)[..],
        &bytes(2, &text(2, "alice")),
        &bytes(3, &text(2, "bob")),
        &bytes(4, b""),
        about,
    ];
    let meta = [varint(1, local), bytes(2, &alice()), bytes(3, &to), varint(5, 1), bytes(6, &body.concat())]
        .concat();
    (Direction::Up, [varint(1, 0), varint(8, 0), bytes(9, &bytes(1, &meta))].concat())
}

/// A page with one message of this id and body type.
fn came(id: u64, from: &str, kind: u64) -> (Direction, Vec<u8>) {
    let meta = [varint(1, id), bytes(2, &text(2, from)), varint(5, 1), bytes(6, &varint(1, kind))].concat();
    (Direction::Down, [varint(8, 0), bytes(9, &bytes(4, &meta))].concat())
}

/// alice's text under this local id, to the user bob, or with a body type above 1 to the group or room bob.
fn chat(local: u64, kind: u64) -> (Direction, Vec<u8>) {
    let domain = if kind > 1 { "conference.easemob.com" } else { "easemob.com" };
    let sender = [text(1, "org#app"), text(2, "alice"), text(3, domain)].concat();
    let from = if kind > 1 { sender } else { alice() };
    let to = [text(1, "org#app"), text(2, "bob"), text(3, domain)].concat();
    let content = [varint(1, 0), text(2, "hi")].concat();
    let body = [varint(1, kind), bytes(2, &text(2, "alice")), bytes(3, &text(2, "bob")), bytes(4, &content)];
    let meta =
        [varint(1, local), bytes(2, &from), bytes(3, &to), varint(5, 1), bytes(6, &body.concat())].concat();
    (Direction::Up, [varint(1, 0), varint(8, 0), bytes(9, &bytes(1, &meta))].concat())
}

/// The answer to what was sent under this local id.
fn answered(local: u64, id: u64) -> (Direction, Vec<u8>) {
    (Direction::Down, [varint(8, 0), bytes(9, &[varint(2, local), varint(3, id)].concat())].concat())
}

const READ: u64 = 4;
const DELIVERED: u64 = 5;
const RECALL: u64 = 6;
const CHANNEL: u64 = 7;

#[rstest]
#[case::read(&[ack(1, READ, "easemob.com", &varint(6, 9))], &[])]
#[case::read_in_a_group(&[ack(1, READ, "conference.easemob.com", &[varint(6, 9), bytes(7, &varint(1, 1))].concat())], &[])]
#[case::channel(&[ack(1, CHANNEL, "easemob.com", b"")], &[])]
#[case::read_nothing(
    &[ack(1, READ, "easemob.com", b"")],
    &["receipt.read payload.meta.payload.ackMessageId: expected any value, got nothing"]
)]
#[case::recalled_nothing(
    &[ack(1, RECALL, "easemob.com", b"")],
    &["recall.single payload.meta.payload.ackMessageId: expected any value, got nothing"]
)]
#[case::channel_of_one_message(
    &[ack(1, CHANNEL, "easemob.com", &varint(6, 9))],
    &["receipt.channel.single payload.meta.payload.ackMessageId: expected no such field, got \"9\""]
)]
#[case::a_groups_receipt_to_a_user(
    &[ack(1, READ, "easemob.com", &[varint(6, 9), bytes(7, &varint(1, 1))].concat())],
    &["receipt.group.read payload.meta.to.domain: expected conference.easemob.com, got \"easemob.com\""]
)]
#[case::a_recall_that_asks(
    &[ack(1, RECALL, "easemob.com", &[varint(6, 9), bytes(7, &varint(1, 1))].concat())],
    &["receipt.group.ask payload.meta.payload.msgConfig.allowGroupAck: expected no such field, got \"1\""]
)]
#[case::delivered(&[came(9, "bob", 1), ack(1, DELIVERED, "easemob.com", &varint(6, 9))], &[])]
#[case::delivered_nothing(
    &[ack(1, DELIVERED, "easemob.com", b"")],
    &["receipt.delivered payload.meta.payload.ackMessageId: expected any value, got nothing"]
)]
#[case::delivered_what_never_came(
    &[ack(1, DELIVERED, "easemob.com", &varint(6, 9))],
    &["receipt.delivered payload.meta.payload.ackMessageId: expected the id of a message that came, got 9"]
)]
#[case::delivered_a_groups(
    &[came(9, "bob", 2), ack(1, DELIVERED, "easemob.com", &varint(6, 9))],
    &["receipt.delivered payload.meta.payload.ackMessageId: expected the id of a single message, and this is one of a GROUPCHAT, got 9"]
)]
#[case::delivered_ones_own(
    &[came(9, "alice", 1), ack(1, DELIVERED, "easemob.com", &varint(6, 9))],
    &["receipt.delivered payload.meta.payload.ackMessageId: expected the id of somebody else's message, and this is one's own, got 9"]
)]
#[case::delivered_twice(
    &[came(9, "bob", 1), ack(1, DELIVERED, "easemob.com", &varint(6, 9)), ack(2, DELIVERED, "easemob.com", &varint(6, 9))],
    &["receipt.delivered payload.meta.payload.ackMessageId: expected one receipt for each message, and this is another, got 9"]
)]
#[case::sent_again(
    &[came(9, "bob", 1), ack(1, DELIVERED, "easemob.com", &varint(6, 9)), ack(1, DELIVERED, "easemob.com", &varint(6, 9))],
    &[]
)]
#[case::recalled_what_came(&[came(9, "alice", 1), ack(1, RECALL, "easemob.com", &varint(6, 9))], &[])]
#[case::recalled_in_a_group(&[came(9, "alice", 2), ack(1, RECALL, "conference.easemob.com", &varint(6, 9))], &[])]
#[case::recalled_what_nobody_saw(&[ack(1, RECALL, "easemob.com", &varint(6, 9))], &[])]
#[case::recalled_a_groups_from_a_user(
    &[came(9, "alice", 2), ack(1, RECALL, "easemob.com", &varint(6, 9))],
    &["recall.group payload.meta.to.domain: expected conference.easemob.com, as of its message, got \"easemob.com\""]
)]
#[case::recalled_a_rooms_from_a_user(
    &[came(9, "alice", 3), ack(1, RECALL, "easemob.com", &varint(6, 9))],
    &["recall.room payload.meta.to.domain: expected conference.easemob.com, as of its message, got \"easemob.com\""]
)]
#[case::recalled_a_users_from_a_group(
    &[came(9, "alice", 1), ack(1, RECALL, "conference.easemob.com", &varint(6, 9))],
    &["recall.single payload.meta.to.domain: expected easemob.com, as of its message, got \"conference.easemob.com\""]
)]
#[case::recalled_as_sent_and_answered(
    &[chat(5, 1), answered(5, 9), ack(6, RECALL, "conference.easemob.com", &varint(6, 9))],
    &["recall.single payload.meta.to.domain: expected easemob.com, as of its message, got \"conference.easemob.com\""]
)]
#[case::channel_of_a_group_as_of_a_user(
    &[chat(5, 2), ack(6, CHANNEL, "easemob.com", b"")],
    &["receipt.channel.group payload.meta.to.domain: expected conference.easemob.com, as of its group, got \"easemob.com\""]
)]
#[case::channel_of_a_group(&[chat(5, 2), ack(6, CHANNEL, "conference.easemob.com", b"")], &[])]
fn receipts_and_recalls_say_what_they_are_about(
    #[case] frames: &[(Direction, Vec<u8>)],
    #[case] expected: &[&str],
) {
    let login = [(Direction::Up, provision())];
    assert_eq!(found(&[&login[..], frames].concat()), expected);
}

#[rstest]
#[case::with_its_secret(&text(8, "s3"), &[])]
#[case::without(b"", &["send.attachment.image payload.meta.payload.contents.secretKey: expected \"s3\", as the upload was answered, got nothing"])]
#[case::with_another(&text(8, "s4"), &["send.attachment.image payload.meta.payload.contents.secretKey: expected \"s3\", as the upload was answered, got \"s4\""])]
fn an_attachment_has_the_secret_of_its_upload(#[case] secret: &[u8], #[case] expected: &[&str]) {
    let url = text(7, "http://127.0.0.1:1/org/app/chatfiles/u-1");
    let content = [&varint(1, 1)[..], &text(6, "photo.png"), &url, secret].concat();
    let to = [text(1, "org#app"), text(2, "bob"), text(3, "easemob.com")].concat();
    let body = [varint(1, 1), bytes(2, &text(2, "alice")), bytes(3, &text(2, "bob")), bytes(4, &content)];
    let meta = [varint(1, 7), bytes(2, &alice()), bytes(3, &to), varint(5, 1), bytes(6, &body.concat())];
    let frame = [varint(1, 0), varint(8, 0), bytes(9, &bytes(1, &meta.concat()))].concat();
    let mut tape = tape(&[(Direction::Up, provision()), (Direction::Up, frame)]);
    tape.push(at(Event::Http {
        method: "POST".to_owned(),
        path: "/chatfiles".to_owned(),
        user: Some("alice".to_owned()),
        body: "{}".into(),
        status: 200,
        answer: r#"{"entities": [{"uuid": "u-1", "share-secret": "s3"}]}"#.into(),
    }));
    let found: Vec<String> = findings(&tape, "org#app")
        .iter()
        .map(|(finding, _)| format!("{} {}", finding.clause, finding.text))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn an_attachment_says_where_it_lies() {
    let content = [varint(1, 5), text(6, "notes.txt"), text(10, "open")].concat();
    let to = [text(1, "org#app"), text(2, "bob"), text(3, "easemob.com")].concat();
    let body = [varint(1, 1), bytes(2, &text(2, "alice")), bytes(3, &text(2, "bob")), bytes(4, &content)];
    let meta = [varint(1, 7), bytes(2, &alice()), bytes(3, &to), varint(5, 1), bytes(6, &body.concat())];
    let frame = [varint(1, 0), varint(8, 0), bytes(9, &bytes(1, &meta.concat()))].concat();
    assert_eq!(
        found(&[(Direction::Up, provision()), (Direction::Up, frame)]),
        [
            "send.attachment.file payload.meta.payload.contents.action: expected nothing in FILE, got \"open\"",
            "send.attachment.file payload.meta.payload.contents.remotePath: expected any value in FILE, got nothing",
        ]
    );
}

fn found(frames: &[(Direction, Vec<u8>)]) -> Vec<String> {
    let found = findings(&tape(frames), "org#app");
    found.iter().map(|(finding, _)| format!("{} {}", finding.clause, finding.text)).collect()
}

fn tape(frames: &[(Direction, Vec<u8>)]) -> Vec<Row> {
    let conn = ConnId(1);
    let opened = std::iter::once(at(Event::Opened { conn, door: Door::WebSocket }));
    let frames = frames.iter().map(|(direction, bytes)| {
        at(Event::Frame { conn, direction: *direction, bytes: bytes.clone().into() })
    });
    opened.chain(frames).collect()
}

fn alice() -> Vec<u8> {
    [text(1, "org#app"), text(2, "alice"), text(3, "easemob.com"), text(4, "web")].concat()
}

fn provision() -> Vec<u8> {
    [bytes(2, &alice()), text(3, "$t$token"), varint(8, 3), bytes(9, &text(13, "web"))].concat()
}

fn ext(key: &str, kind: u64, value: &[u8]) -> Vec<u8> {
    bytes(5, &[&text(1, key)[..], &varint(2, kind), value].concat())
}

/// Field numbers by hand: generated types could not write what is wrong.
fn varint(field: u64, value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for mut number in [field << 3, value] {
        while number > 0x7f {
            bytes.push(0x80 | (number & 0x7f) as u8);
            number >>= 7;
        }
        bytes.push(number as u8);
    }
    bytes
}

fn bytes(field: u64, value: &[u8]) -> Vec<u8> {
    let mut bytes = varint(field, value.len() as u64);
    // Each field of these tests is below 16, so its key is the first byte.
    bytes[0] |= 2;
    bytes.extend_from_slice(value);
    bytes
}

fn text(field: u64, value: &str) -> Vec<u8> {
    bytes(field, value.as_bytes())
}

fn at(event: Event) -> Row {
    Row { at: Millis(0), event }
}

fn unhex(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2) && text.is_ascii(), "{text}");
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
}
