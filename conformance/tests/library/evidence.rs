//! What is kept of a run as evidence: from a trace made by hand, moment by moment.

use conformance::driver::Device;
use conformance::report::evidence::MOMENTS_MAX;
use conformance::report::model::{Evidence, Way};
use conformance::trace::{Mark, Marked, Trace};
use mock_server::machine::{ConnId, Millis};
use mock_server::tape::{Direction, Door, Event, Row};
use rstest::rstest;

/// The first of the server's ids.
const ID: &str = "1160000000000000001";

/// As a person reads it: `time step  lane  way  [label] text`.
fn text(evidence: &Evidence) -> String {
    let mut text = String::new();
    for (index, lane) in evidence.lanes.iter().enumerate() {
        text.push_str(&format!("{index}: {} ({:?})\n", lane.title, lane.kind));
    }
    for moment in &evidence.moments {
        let way = match moment.way {
            Way::ToClient => "->",
            Way::FromClient => "<-",
            Way::Up => "> ",
            Way::Down => "< ",
            Way::Here => "--",
        };
        let step = moment.step.map_or_else(String::new, |step| step.to_string());
        let at = moment.at_ms.map_or_else(String::new, |ms| ms.to_string());
        text.push_str(&format!(
            "{at:>4} {step:>2} {} {way} [{}] {}\n",
            moment.lane, moment.label, moment.text
        ));
    }
    text
}

fn at(ms: u64, event: Event) -> Row {
    Row { at: Millis(1_640_908_800_000 + ms), event }
}

fn mark(row: usize, step: Option<usize>, what: Marked) -> Mark {
    Mark { row, step, what }
}

fn asked(row: usize, step: Option<usize>, line: impl Into<String>) -> Mark {
    mark(row, step, Marked::Asked(line.into()))
}

fn said(row: usize, step: Option<usize>, line: impl Into<String>) -> Mark {
    mark(row, step, Marked::Said(line.into()))
}

fn frame(conn: u64, direction: Direction, bytes: &[u8]) -> Event {
    Event::Frame { conn: ConnId(conn), direction, bytes: bytes.to_vec().into() }
}

fn opened(conn: u64, user: &str, resource: &str) -> [Event; 2] {
    let conn = ConnId(conn);
    let (user, resource) = (user.to_owned(), resource.to_owned());
    [Event::Opened { conn, door: Door::WebSocket }, Event::LoggedIn { conn, user, resource }]
}

fn devices() -> [Device; 2] {
    ["Alice/phone", "bob"].map(|name| name.parse().expect("a device"))
}

/// Two users, a text between them, a heartbeat, a cut line.
fn trace() -> Trace {
    use Direction::{Down, Up};
    let (up, down) = ([0x40, 0, 0x4a, 8, 0x0a, 6, 0x08, 7, 0x28, 1, 0x32, 0], unread());
    // SYNC{payload{metaId 7, serverId 1160000000000000001}}
    let answer = [&[0x40, 0, 0x4a, 12, 0x10, 7, 0x18][..], &id()].concat();
    // SYNC{payload{metas{id, ns CHAT}}}
    let page = [&[0x40, 0, 0x4a, 14, 0x22, 12, 0x08][..], &id(), &[0x28]].concat();
    let page = [page, vec![1]].concat();
    let login = Event::Http {
        method: "POST".to_owned(),
        path: "/token".to_owned(),
        user: None,
        body: br#"{"username":"alice","password":"pw-alice"}"#.to_vec().into(),
        status: 200,
        answer: br#"{"access_token":"YWMt-secret"}"#.to_vec().into(),
    };
    let closed = Event::Closed { conn: ConnId(1), why: "the server cut it".to_owned() };
    let mut events: Vec<(u64, Event)> = vec![(0, login)];
    events.extend(opened(1, "alice", "webim_phone").map(|event| (1, event)));
    events.extend(opened(2, "bob", "webim_web").map(|event| (1, event)));
    events.extend([
        (2, frame(1, Up, &unread())),
        (2, frame(1, Down, &down)),
        (3, frame(1, Up, &up)),
        (4, frame(1, Down, &answer)),
        (4, frame(2, Down, &page)),
        (30_004, frame(1, Up, &unread())),
        (30_004, frame(1, Down, &down)),
        (30_005, Event::Muted { conn: ConnId(2) }),
        (30_005, closed),
    ]);
    let rows: Vec<Row> = events.into_iter().map(|(ms, event)| at(ms, event)).collect();
    let (one, two, three) = (Some(1), Some(2), Some(3));
    let marks = vec![
        asked(0, None, r#"{"id":1,"user":"Alice/phone","command":{"login_token":{"token":"YWMt-secret"}}}"#),
        said(0, None, r#"{"id":1,"ok":{}}"#),
        mark(7, one, Marked::Step { line: 5 }),
        asked(
            7,
            one,
            r#"{"id":2,"user":"Alice/phone","command":{"send_text":{"handle":"m1","to":"bob","chat":"single","text":"hi"}}}"#,
        ),
        said(7, one, r#"{"id":2,"ok":{}}"#),
        mark(10, two, Marked::Step { line: 6 }),
        said(
            10,
            two,
            format!(r#"{{"user":"Alice/phone","event":{{"sent":{{"handle":"m1","id":"{ID}"}}}}}}"#),
        ),
        asked(10, two, r#"{"id":4,"command":{"advance":{"ms":30000}}}"#),
        said(10, two, r#"{"id":4,"ok":{"next_due_ms":null}}"#),
        mark(10, two, Marked::Advanced { ms: 30_000 }),
        mark(12, three, Marked::Step { line: 7 }),
        mark(12, three, Marked::Control(r#"{"cut":{"user":"alice"}}"#.to_owned())),
        asked(14, three, r#"{"id":5,"user":"bob","command":{"recall":{}}}"#),
        said(14, three, r#"{"id":5,"unsupported":"recall"}"#),
        said(14, None, "Debugger attached."),
    ];
    let stderr = "warning: slow\n".to_owned();
    Trace { app_key: "org#app".to_owned(), rows, staged: 5, marks, stderr, ..Trace::default() }
}

fn unread() -> Vec<u8> {
    vec![0x40, 1]
}

/// 1160000000000000001 as a varint.
fn id() -> [u8; 9] {
    [0x81, 0x80, 0xd0, 0x9b, 0xaa, 0xbb, 0xc9, 0x8c, 0x10]
}

#[test]
fn a_run_is_told_in_the_order_in_which_it_happened() {
    let devices = devices();
    let evidence = Evidence::of(&trace(), &devices.iter().collect::<Vec<_>>());
    assert_eq!(evidence.stderr, "warning: slow\n");
    assert_eq!((evidence.left_out, evidence.left_out_after), (0, 0));
    insta::assert_snapshot!(text(&evidence), @r#"
    0: the harness (Control)
    1: the client's process (Driver)
    2: Alice/phone (Driver)
    3: Alice/phone, WebSocket (Socket)
    4: alice, HTTP (Http)
    5: bob (Driver)
    6: bob, WebSocket (Socket)
            2 -> [login_token] login_token token:"<token 1>"
            2 <- [login_token ok] login_token: ok
       0    4 >  [POST /token] POST /token password:"pw-alice" username:"alice"
       0    4 <  [200] 200 access_token:<token 1>
       2    3 >  [UNREAD] UNREAD
       2    3 <  [UNREAD] UNREAD
       2  1 2 -> [send_text] send_text chat:"single" handle:"m1" text:"hi" to:"bob"
       2  1 2 <- [send_text ok] send_text: ok
       3  1 3 >  [SYNC CHAT] SYNC payload{meta{id:<local 1> ns:CHAT payload{}}}
       4  1 3 <  [SYNC answer] SYNC payload{metaId:<local 1> serverId:<id 1>}
       4  1 6 <  [SYNC page CHAT] SYNC payload{metas{id:<id 1> ns:CHAT}}
       4  2 2 <- [sent] sent handle:"m1" id:<id 1>
       4  2 1 -> [advance] advance ms:30000
       4  2 1 <- [advance ok] advance: ok next_due_ms:null
       4  2 0 -- [+30000 ms] the clock moves on by 30000 ms
    30004  3 0 -- [cut] cut user:"alice"
    30005  3 6 -- [mute] mute: what the server sends from here on is read by nobody
    30005  3 3 -- [closed] closed: the server cut it
    30005  3 5 -> [recall] recall
    30005  3 5 <- [recall unsupported] recall: unsupported "recall"
    30005    1 <- [no line of the protocol] Debugger attached.
    "#);
}

#[rstest]
#[case::all_that_fit(MOMENTS_MAX, 0, 0)]
#[case::one_more(MOMENTS_MAX + 1, 1, 99)]
#[case::a_flood(100_000, 100_000 - MOMENTS_MAX, 99)]
fn of_a_long_run_start_and_end_are_kept(#[case] lines: usize, #[case] left_out: usize, #[case] after: usize) {
    let line =
        |number| said(0, None, format!(r#"{{"user":"bob","event":{{"text":{{"data":"{number}"}}}}}}"#));
    let trace =
        Trace { app_key: "org#app".to_owned(), marks: (0..lines).map(line).collect(), ..Trace::default() };
    let evidence = Evidence::of(&trace, &[]);
    assert_eq!((evidence.left_out, evidence.left_out_after), (left_out, after));
    assert_eq!(evidence.moments.len(), MOMENTS_MAX);
    let shown = |index: usize| evidence.moments[index].text.clone();
    assert_eq!([shown(0), shown(99)], ["text data:\"0\"", "text data:\"99\""]);
    assert_eq!(shown(100), format!("text data:\"{}\"", 100 + left_out));
    assert_eq!(shown(MOMENTS_MAX - 1), format!("text data:\"{}\"", lines - 1));
    assert_eq!(evidence.lanes.len(), 1);
}

#[test]
fn a_lane_of_which_nothing_is_kept_is_not_there() {
    let devices = devices();
    let mut trace = trace();
    trace.rows.truncate(1);
    trace.marks.clear();
    let evidence = Evidence::of(&trace, &devices.iter().collect::<Vec<_>>());
    let titles: Vec<&str> = evidence.lanes.iter().map(|lane| &*lane.title).collect();
    assert_eq!(titles, ["alice, HTTP"]);
}

#[rstest]
#[case::ascii("x")]
#[case::two_bytes("é")]
#[case::four_bytes("🙂")]
fn what_is_long_is_cut_and_says_so(#[case] letter: &str) {
    let long = letter.repeat(40_000);
    let trace = Trace {
        app_key: "org#app".to_owned(),
        marks: vec![said(0, None, long.clone())],
        stderr: format!("first\n{long}\nthe end\n"),
        ..Trace::default()
    };
    let evidence = Evidence::of(&trace, &[]);
    let shown = &evidence.moments[0].text;
    assert!(shown.len() < 9_000 && shown.ends_with(&format!("\n… {} bytes in all", long.len())), "{shown}");
    assert!(evidence.stderr.len() < 9_000, "{} bytes", evidence.stderr.len());
    assert_eq!(evidence.stderr, "…the end\n");
}
