//! Walking back through a conversation (clauses roam.*).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client_core::{CallId, Chat, Config, Event, Failure, HttpMethod, Incoming};
use fixtures::wire::meta::NameSpace;
use fixtures::wire::{Meta, message_body};
use prost::Message as _;
use rstest::rstest;
use serde_json::{Value, json};

use crate::stage::{Stage, body_of, chat_meta, config, only, text_meta, texts_of};

fn entry(meta: &Meta) -> Value {
    json!({ "msg": STANDARD.encode(meta.encode_to_vec()) })
}

/// A page of texts with these numbers, newest first as they are given.
fn page(numbers: impl IntoIterator<Item = u64>, next_key: Value, is_last: bool) -> String {
    let msgs: Vec<Value> = numbers.into_iter().map(|id| entry(&text_meta(id, &id.to_string()))).collect();
    json!({ "data": { "msgs": msgs, "next_key": next_key, "is_last": is_last } }).to_string()
}

fn fetch(stage: &mut Stage, count: usize) -> CallId {
    stage.client.fetch_history(stage.now, Chat::Single, "bob", count, None).expect("logged in")
}

fn start_of(stage: &mut Stage) -> Value {
    let request = stage.request();
    let body: Value = serde_json::from_str(&body_of(&request).expect("a body")).expect("JSON");
    body["start"].clone()
}

fn messages(stage: &mut Stage, call: CallId) -> Vec<Incoming> {
    match only(stage.events()) {
        Event::History { call: answered, messages } if answered == call => messages,
        other => panic!("the history of {call:?}, not {other:?}"),
    }
}

fn texts(stage: &mut Stage, call: CallId) -> Vec<String> {
    texts_of(&messages(stage, call).into_iter().map(Event::Message).collect::<Vec<_>>())
}

#[rstest]
#[case::single(Chat::Single, "bob@easemob.com")]
#[case::group(Chat::Group, "bob@conference.easemob.com")]
#[case::room(Chat::Room, "bob@conference.easemob.com")]
fn it_is_asked_for_by_queue(#[case] chat: Chat, #[case] queue: &str) {
    let mut stage = Stage::open();
    let call = stage.client.fetch_history(stage.now, chat, "bob", 10, None).expect("logged in");
    let request = stage.request();
    let body: Value = serde_json::from_str(&body_of(&request).expect("a body")).expect("JSON");
    assert_eq!(body, json!({ "queue": queue, "start": -1, "end": -1 }));
    assert_eq!(
        (request.method, request.url.as_str(), request.call),
        (HttpMethod::Post, "http://127.0.0.1:4000/org/app/users/alice/messageroaming", call)
    );
}

/// The run of the 3.6.3 SDK over 25 messages (rest.md A.6, item 4): the same answers, the same requests.
#[test]
fn repeated_calls_walk_back_to_the_first_message_and_ask_no_more() {
    let mut stage = Stage::open();
    let pages = [
        (json!(-1), page((16..=25).rev(), json!("1016"), false), 16..=25),
        (json!("1016"), page((6..=15).rev(), json!("1006"), false), 6..=15),
        (json!("1006"), page((1..=5).rev(), json!("1001"), true), 1..=5),
    ];
    for (start, answer, shown) in pages {
        let call = fetch(&mut stage, 10);
        assert_eq!(start_of(&mut stage), start);
        stage.http(call, 200, &answer);
        assert_eq!(texts(&mut stage, call), shown.map(|id| id.to_string()).collect::<Vec<_>>());
    }
    let call = fetch(&mut stage, 10);
    assert_eq!((stage.requests(), texts(&mut stage, call)), (vec![], vec![]));
}

#[test]
fn what_a_page_held_beyond_is_kept_for_the_next_call() {
    let mut stage = Stage::open();
    let first = fetch(&mut stage, 3);
    assert_eq!(start_of(&mut stage), json!(-1));
    stage.http(first, 200, &page([6, 5], json!("k5"), false));
    assert_eq!((stage.events(), start_of(&mut stage)), (vec![], json!("k5")), "two are not three");
    stage.http(first, 200, &page([4, 3], json!("k3"), false));
    assert_eq!(texts(&mut stage, first), ["4", "5", "6"]);
    let one = fetch(&mut stage, 1);
    assert_eq!((stage.requests(), texts(&mut stage, one)), (vec![], vec!["3".to_owned()]));
    let none = fetch(&mut stage, 0);
    assert_eq!((stage.requests(), texts(&mut stage, none)), (vec![], vec![]));
    fetch(&mut stage, 1);
    assert_eq!(start_of(&mut stage), json!("k3"));
}

#[test]
fn a_start_begins_there_and_a_reset_with_the_newest() {
    let mut stage = Stage::open();
    let call = fetch(&mut stage, 1);
    stage.requests();
    stage.http(call, 200, &page([9, 8], json!("k"), false));
    stage.events();
    let from = stage.client.fetch_history(stage.now, Chat::Single, "bob", 2, Some("5")).expect("logged in");
    assert_eq!(start_of(&mut stage), json!("5"));
    stage.http(from, 200, &page([4, 3], json!("3"), false));
    assert_eq!(texts(&mut stage, from), ["3", "4"]);
    fetch(&mut stage, 1);
    assert_eq!(start_of(&mut stage), json!("3"), "it goes on from there");
    stage.client.reset_history();
    let other = stage.client.fetch_history(stage.now, Chat::Group, "bob", 1, None).expect("logged in");
    stage.advance(15_000);
    assert_eq!(
        (start_of(&mut stage), stage.events().len()),
        (json!(-1), 1),
        "a group of that name is another"
    );
    stage.http(other, 200, &page([1], json!(null), true));
    assert_eq!(texts(&mut stage, other), ["1"]);
}

#[test]
fn only_what_was_said_is_shown_and_nothing_is_acknowledged() {
    let mut stage = Stage::new(Config { delivery: true, ..config() });
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    stage.let_in();
    stage.events();
    stage.frames();
    let call = fetch(&mut stage, 10);
    stage.requests();
    let receipt = chat_meta(4, message_body::Type::ReadAck, vec![message_body::Content::default()]);
    let notice = Meta { ns: Some(NameSpace::Muc.into()), ..text_meta(3, "notice") };
    let msgs = [
        entry(&text_meta(5, "five")),
        entry(&receipt),
        entry(&notice),
        json!({"msg": "?"}),
        entry(&text_meta(1, "one")),
    ];
    let body = json!({ "data": { "msgs": msgs, "is_last": true } }).to_string();
    stage.http(call, 200, &body);
    let mut events = stage.events();
    let Event::History { messages, .. } = events.pop().expect("an event") else {
        panic!("history: {events:?}")
    };
    let shown: Vec<_> = messages.iter().map(|message| (message.id.0, message.time)).collect();
    assert_eq!(shown, [(1, crate::stage::START), (5, crate::stage::START)]);
    assert!(
        matches!(&events[..], [Event::Error(Failure { code: 604, .. })]),
        "what cannot be read costs none of its neighbours: {events:?}"
    );
    assert_eq!(stage.frames(), []);
}

#[rstest]
#[case::no_messages(r#"{"data":{"is_last":false}}"#)]
#[case::an_empty_page(r#"{"data":{"msgs":[],"is_last":false,"next_key":"k"}}"#)]
#[case::no_next_key(r#"{"data":{"msgs":[],"is_last":false}}"#)]
fn a_server_that_forgets_to_say_so_is_at_its_end(#[case] answer: &str) {
    let mut stage = Stage::open();
    let call = fetch(&mut stage, 10);
    stage.requests();
    stage.http(call, 200, answer);
    assert_eq!((stage.requests(), texts(&mut stage, call)), (vec![], vec![]));
}

#[test]
fn a_server_whose_pages_never_end_is_not_asked_for_ever() {
    let mut stage = Stage::open();
    let same_key = fetch(&mut stage, 10);
    stage.requests();
    stage.http(same_key, 200, &page([2], json!("k"), false));
    stage.requests();
    stage.http(same_key, 200, &page([1], json!("k"), false));
    assert_eq!(texts(&mut stage, same_key), ["1", "2"], "a position that is asked for twice leads nowhere");

    stage.client.reset_history();
    let unreadable = fetch(&mut stage, 10);
    for number in 0..20 {
        assert_eq!(stage.requests().len(), 1);
        let body = json!({ "data": { "msgs": [{"msg": "?"}], "next_key": number } });
        stage.http(unreadable, 200, &body.to_string());
    }
    assert_eq!(stage.requests(), []);
    let last = stage.events().pop().expect("an event");
    assert!(matches!(last, Event::CallFailed { call, .. } if call == unreadable), "{last:?}");
}

#[rstest]
#[case::off(
    403,
    r#"{"error":"forbidden_op","error_description":"messageroaming function not open"}"#,
    505,
    "messageroaming function not open"
)]
#[case::no_data(200, "{}", -2, "missing field `data` at line 1 column 2")]
fn a_refusal_ends_the_call_and_the_next_one_is_made(
    #[case] status: u16,
    #[case] body: &str,
    #[case] code: i32,
    #[case] reason: &str,
) {
    let mut stage = Stage::open();
    let call = fetch(&mut stage, 10);
    stage.requests();
    stage.http(call, status, body);
    let Event::CallFailed { call: failed, failure } = only(stage.events()) else { panic!("a failure") };
    assert_eq!((failed, failure.code, failure.message.as_str()), (call, code, reason));
    fetch(&mut stage, 10);
    assert_eq!(start_of(&mut stage), json!(-1));
}
