//! The conversation list of 4.x: pages, pins, marks (rest.md A.7, A.11).

use client_core::{
    CallId, Chat, CommandError, ConversationRow, Event, HttpMethod, Listed, Mark, Millis, Switch, Target,
};
use rstest::rstest;

use crate::stage::{Stage, body_of, only};

fn mark(number: u32) -> Mark {
    Mark::new(number).expect("one of the twenty")
}

fn target(chat: Chat, to: &str) -> Target {
    Target { chat, to: to.to_owned() }
}

#[rstest]
#[case::all(Listed::All, None, None, "list?limit=20&cursor=&need_mark=true&needEmptySession=false")]
#[case::next(
    Listed::All,
    Some(2),
    Some("a b"),
    "list?limit=2&cursor=a%20b&need_mark=true&needEmptySession=false"
)]
#[case::pinned(
    Listed::Pinned,
    None,
    None,
    "list?limit=20&cursor=&need_mark=true&is_top=true&needEmptySession=false"
)]
#[case::marked(
    Listed::Marked(mark(3)),
    None,
    None,
    "mark/search?limit=10&cursor=&need_mark=true&mark=mark_3"
)]
fn a_page_is_asked_for_as_the_sdk_does_it(
    #[case] listed: Listed,
    #[case] limit: Option<u32>,
    #[case] cursor: Option<&str>,
    #[case] path: &str,
) {
    let mut stage = Stage::open();
    stage.client.page_conversations(stage.now, listed, limit, cursor).expect("logged in");
    let request = stage.request();
    let url = format!("http://127.0.0.1:4000/org/app/sdk/user/alice/user_channels/{path}");
    assert_eq!((request.method, request.url, request.body), (HttpMethod::Get, url, None));
}

const PAGE: &str = r#"{"data":{"cursor":"c2","channel_infos":[
    {"session_to":"bob","session_type":"chat","is_top":true,"update_top_status_time":7,"unread_num":2,"marks":["mark_0","mark_19","mark_x"],
     "meta":{"id":"5001","from":"org#app_bob@easemob.com/res","to":"org#app_alice@easemob.com","timestamp":1700000000000,
             "payload":"{\"bodies\":[{\"msg\":\"1\",\"type\":\"txt\"}]}"}},
    {"session_to":"9","session_type":"groupchat","meta":{}}
]}}"#;

#[test]
fn a_page_is_shown_in_the_order_of_the_service() {
    let mut stage = Stage::open();
    let call = stage.client.page_conversations(stage.now, Listed::All, None, None).expect("logged in");
    stage.http(call, 200, PAGE);
    let Event::ConversationPage { rows, cursor, .. } = only(stage.events()) else { panic!("a page") };
    assert_eq!(cursor.as_deref(), Some("c2"));
    let last = rows[0].last.clone().expect("a message");
    assert_eq!((last.id.as_str(), last.text()), ("5001", Some("1")));
    let bob = ConversationRow {
        chat: Chat::Single,
        with: "bob".to_owned(),
        pinned: Some(Millis(7)),
        unread: 2,
        marks: vec![mark(0), mark(19)],
        last: Some(last),
    };
    let group = ConversationRow {
        chat: Chat::Group,
        with: "9".to_owned(),
        pinned: None,
        unread: 0,
        marks: Vec::new(),
        last: None,
    };
    assert_eq!(rows, [bob, group]);
}

#[rstest]
#[case::empty_cursor(r#"{"data":{"cursor":"","channel_infos":[]}}"#)]
#[case::no_cursor(r#"{"data":{"channel_infos":[]}}"#)]
#[case::nothing(r#"{"data":{}}"#)]
fn a_last_page_has_no_cursor(#[case] body: &str) {
    let mut stage = Stage::open();
    let call = stage.client.page_conversations(stage.now, Listed::Pinned, None, None).expect("logged in");
    stage.http(call, 200, body);
    assert_eq!(only(stage.events()), Event::ConversationPage { call, rows: Vec::new(), cursor: None });
}

type Order = fn(&mut Stage) -> Result<CallId, CommandError>;

#[rstest]
#[case::pin(
    |stage: &mut Stage| stage.client.pin_conversation(stage.now, target(Chat::Single, "bob"), Switch::On),
    HttpMethod::Post, "user_channel/top?resource=webim_desk", Some(r#"{"to":"bob","type":"chat"}"#)
)]
#[case::unpin(
    |stage: &mut Stage| stage.client.pin_conversation(stage.now, target(Chat::Group, "9"), Switch::Off),
    HttpMethod::Delete, "user_channel/top?type=groupChat&to=9&resource=webim_desk", None
)]
#[case::mark(
    |stage: &mut Stage| stage.client.mark_conversations(stage.now, vec![target(Chat::Single, "bob"), target(Chat::Group, "9")], mark(0), Switch::On),
    HttpMethod::Post, "user_channels/mark?resource=webim_desk",
    Some(r#"{"mark":"mark_0","targets":[{"to":"bob","type":"chat"},{"to":"9","type":"groupchat"}]}"#)
)]
#[case::unmark(
    |stage: &mut Stage| stage.client.mark_conversations(stage.now, vec![target(Chat::Single, "bob")], mark(1), Switch::Off),
    HttpMethod::Delete, "user_channels/mark?resource=webim_desk",
    Some(r#"{"mark":"mark_1","targets":[{"to":"bob","type":"chat"}]}"#)
)]
fn pins_and_marks_are_set_as_the_sdk_does_it(
    #[case] order: Order,
    #[case] method: HttpMethod,
    #[case] path: &str,
    #[case] body: Option<&str>,
) {
    let mut stage = Stage::open();
    let call = order(&mut stage).expect("logged in");
    let request = stage.request();
    let url = format!("http://127.0.0.1:4000/org/app/sdk/user/alice/{path}");
    assert_eq!((request.method, &request.url, body_of(&request).as_deref()), (method, &url, body));
    stage.http(call, 200, r#"{"data":{}}"#);
    assert_eq!(only(stage.events()), Event::Done { call });
}

#[test]
fn what_names_no_conversation_is_refused_before_anything_is_sent() {
    let mut stage = Stage::open();
    let (now, client) = (stage.now, &mut stage.client);
    let refused = client.pin_conversation(now, target(Chat::Room, "r"), Switch::On);
    assert_eq!(refused, Err(CommandError::NotForRooms { command: "pin_conversation" }));
    let refused = client.pin_conversation(now, target(Chat::Single, ""), Switch::On);
    assert_eq!(refused, Err(CommandError::NoName { command: "pin_conversation" }));
    let refused = client.mark_conversations(now, Vec::new(), mark(0), Switch::On);
    assert_eq!(refused, Err(CommandError::NoName { command: "mark_conversations" }));
    assert_eq!(Mark::new(20), Err(CommandError::NoSuchMark { number: 20, marks: 20 }));
    assert_eq!(stage.requests(), []);
}
