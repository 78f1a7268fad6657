//! Pages of the past with filters, and deletions (rest.md A.6, A.11).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use client_core::{
    CallId, Chat, CommandError, Direction, Event, HttpMethod, IncomingContent, Millis, Removed, Search,
    ServerId,
};
use prost::Message as _;
use rstest::rstest;
use serde_json::json;

use crate::stage::{Stage, body_of, only, text_meta};

fn newest() -> Search {
    Search::newest(Chat::Single, "bob")
}

#[rstest]
#[case::plain(newest(), r#"{"queue":"bob@easemob.com","start":-1,"pull_number":20,"is_positive":false,"msgType":"","end":-1,"startTime":null,"endTime":null,"userId":null}"#)]
#[case::everything(
    Search {
        limit: Some(10),
        cursor: Some("1160".to_owned()),
        direction: Direction::Forwards,
        kinds: vec!["txt".to_owned(), "img".to_owned()],
        from: Some("bob".to_owned()),
        since: Some(Millis(1)),
        until: Some(Millis(2)),
        ..Search::newest(Chat::Group, "9")
    },
    r#"{"queue":"9@conference.easemob.com","start":"1160","pull_number":10,"is_positive":true,"msgType":"txt,img","end":-1,"startTime":1,"endTime":2,"userId":"bob"}"#
)]
#[case::a_sender_where_there_is_but_one(Search { from: Some("bob".to_owned()), ..newest() }, r#"{"queue":"bob@easemob.com","start":-1,"pull_number":20,"is_positive":false,"msgType":"","end":-1,"startTime":null,"endTime":null,"userId":null}"#)]
fn a_page_is_asked_for_as_the_sdk_does_it(#[case] search: Search, #[case] body: &str) {
    let mut stage = Stage::open();
    stage.client.search_history(stage.now, search).expect("logged in");
    let request = stage.request();
    assert_eq!(
        (request.method, request.url.as_str(), body_of(&request).as_deref()),
        (HttpMethod::Post, "http://127.0.0.1:4000/org/app/users/alice/messageroaming", Some(body))
    );
}

#[rstest]
#[case::more(json!({"is_last": false, "next_key": "k"}), Some("k"))]
#[case::number(json!({"is_last": false, "next_key": 5}), Some("5"))]
#[case::last(json!({"is_last": true, "next_key": "k"}), None)]
#[case::no_key(json!({"is_last": false}), None)]
fn a_page_keeps_the_order_of_the_service(#[case] end: serde_json::Value, #[case] next: Option<&str>) {
    let mut stage = Stage::open();
    let asked = stage.client.search_history(stage.now, newest()).expect("logged in");
    let entry = |id| json!({ "msg": STANDARD.encode(text_meta(id, &id.to_string()).encode_to_vec()) });
    let mut data = json!({ "msgs": [entry(9), {"msg": "?"}, entry(8)] });
    data.as_object_mut().expect("an object").extend(end.as_object().expect("an object").clone());
    stage.http(asked, 200, &json!({ "data": data }).to_string());
    let events = stage.events();
    let [Event::Error(failure), Event::HistoryPage { call, messages, cursor }] = &events[..] else {
        panic!("one that cannot be read, and the page: {events:?}")
    };
    assert_eq!((failure.code, *call, cursor.as_deref()), (604, asked, next));
    let texts: Vec<_> = messages.iter().map(|message| &message.content).collect();
    let text = |text: &str| IncomingContent::Text(text.to_owned());
    assert_eq!(texts, [&text("9"), &text("8")]);
}

#[test]
fn an_empty_page_is_the_last_whatever_its_key() {
    let mut stage = Stage::open();
    let call = stage.client.search_history(stage.now, newest()).expect("logged in");
    stage.http(call, 200, r#"{"data":{"msgs":[],"is_last":false,"next_key":"k"}}"#);
    assert_eq!(only(stage.events()), Event::HistoryPage { call, messages: Vec::new(), cursor: None });
}

type Order = fn(&mut Stage) -> Result<CallId, CommandError>;

#[rstest]
#[case::some(
    |stage: &mut Stage| stage.client.remove_history(stage.now, Chat::Single, "bob", Removed::Messages(vec![ServerId(1), ServerId(2)])),
    HttpMethod::Delete, "chat/user/alice?userId=bob&msgIdList=1,2&resource=webim_desk"
)]
#[case::up_to(
    |stage: &mut Stage| stage.client.remove_history(stage.now, Chat::Group, "9", Removed::Until(Millis(7))),
    HttpMethod::Delete, "group/user/alice/time?groupId=9&delTime=7&resource=webim_desk"
)]
#[case::everything(
    |stage: &mut Stage| stage.client.remove_everything(stage.now),
    HttpMethod::Post, "user/alice/delete/all?resource=webim_desk"
)]
fn deletions_are_asked_for_as_the_sdk_does_it(
    #[case] order: Order,
    #[case] method: HttpMethod,
    #[case] path: &str,
) {
    let mut stage = Stage::open();
    let call = order(&mut stage).expect("logged in");
    let request = stage.request();
    let url = format!("http://127.0.0.1:4000/org/app/sdk/message/roaming/{path}");
    assert_eq!((request.method, request.url, request.body), (method, url, None));
    stage.http(call, 200, r#"{"data":{"result":"ok"}}"#);
    assert_eq!(only(stage.events()), Event::Done { call });
}

#[rstest]
#[case::none(0)]
#[case::too_many(21)]
fn so_many_messages_are_not_deleted_at_a_time(#[case] count: u64) {
    let mut stage = Stage::open();
    let removed = Removed::Messages((1..=count).map(ServerId).collect());
    let refused = stage.client.remove_history(stage.now, Chat::Single, "bob", removed);
    assert_eq!(refused, Err(CommandError::Deletions { limit: 20 }));
}
