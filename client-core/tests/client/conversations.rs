//! The conversation list, its deletions, and the readers of a group message (clauses session.*,
//! receipt.group.users).

use client_core::{Chat, CommandError, Event, Failure, HttpMethod, ServerId, WithHistory};
use rstest::rstest;
use serde_json::json;

use crate::stage::{Stage, body_of, only};

/// As the vendor's page has it (rest.md A.7).
const LIST: &str = r#"{"data":{"channel_infos":[
    {"channel_id":"org#app_bob@easemob.com","meta":{},"unread_num":0},
    {"channel_id":"org#app_93734273351681@conference.easemob.com","unread_num":5,"meta":{
        "from":"org#app_zdtest@easemob.com/webim_1610159114836","id":"827197124377577640",
        "payload":"{\"bodies\":[{\"msg\":\"1\",\"type\":\"txt\"}],\"ext\":{},\"from\":\"zdtest\",\"to\":\"93734273351681\"}",
        "timestamp":1610161638919,"to":"org#app_93734273351681@conference.easemob.com"}},
    {"channel_id":"other_x@easemob.com","unread_num":1,"meta":{"id":"1","payload":"{\"bodies\":[{\"type\":\"img\"}]}"}},
    {"channel_id":"org#app_y@easemob.com","unread_num":1,"meta":{"id":"2","payload":"?"}}
]}}"#;

#[test]
fn the_list_is_shown_in_the_order_of_the_service() {
    let mut stage = Stage::open();
    let call = stage.client.list_conversations(stage.now).expect("logged in");
    let request = stage.request();
    assert_eq!(
        (request.method, request.url.as_str(), request.call),
        (HttpMethod::Get, "http://127.0.0.1:4000/org/app/users/alice/user_channels", call)
    );
    stage.http(call, 200, LIST);
    let Event::Conversations { call: answered, conversations } = only(stage.events()) else {
        panic!("a list")
    };
    assert_eq!(answered, call);
    let rows: Vec<_> = conversations
        .iter()
        .map(|row| {
            let last = row.last.as_ref();
            let text = last.and_then(|last| last.text());
            (row.channel.as_str(), row.unread, last.map(|last| last.id.as_str()), text)
        })
        .collect();
    assert_eq!(
        rows,
        [
            ("bob@easemob.com", 0, None, None),
            ("93734273351681@conference.easemob.com", 5, Some("827197124377577640"), Some("1")),
            ("other_x@easemob.com", 1, Some("1"), None),
            ("y@easemob.com", 1, Some("2"), None),
        ]
    );
    let last = conversations[1].last.as_ref().expect("a message");
    assert_eq!(last.payload.as_ref().map(|payload| &payload["from"]), Some(&json!("zdtest")));
    assert_eq!(last.time.0, 1_610_161_638_919);
}

#[rstest]
#[case::single(Chat::Single, WithHistory::Keep, r#"{"channel":"bob","type":"chat","delete_roam":false}"#)]
#[case::group(Chat::Group, WithHistory::Delete, r#"{"channel":"bob","type":"groupChat","delete_roam":true}"#)]
fn a_conversation_is_deleted_as_the_sdk_does_it(
    #[case] chat: Chat,
    #[case] with_history: WithHistory,
    #[case] body: &str,
) {
    let mut stage = Stage::open();
    let call = stage.client.delete_conversation(stage.now, chat, "bob", with_history).expect("logged in");
    let request = stage.request();
    assert_eq!(
        (request.method, request.url.as_str(), body_of(&request).as_deref()),
        (
            HttpMethod::Delete,
            "http://127.0.0.1:4000/org/app/user/alice/user_channel?resource=webim_desk",
            Some(body)
        )
    );
    stage.http(call, 200, r#"{"data":{"result":"ok"}}"#);
    assert_eq!(only(stage.events()), Event::ConversationDeleted { call });
}

#[test]
fn rooms_have_no_conversations() {
    let mut stage = Stage::open();
    let refused = stage.client.delete_conversation(stage.now, Chat::Room, "2", WithHistory::Keep);
    assert_eq!(refused, Err(CommandError::NotForRooms { command: "delete_conversation" }));
}

#[rstest]
#[case::first(None, None, "limit=500", r#""is_last":false,"next_key":"k""#, Some("k"))]
#[case::next(Some(2), Some("a b"), "limit=2&key=a%20b", r#""is_last":true,"next_key":"""#, None)]
#[case::last_with_a_key(None, None, "limit=500", r#""is_last":true,"next_key":"k""#, None)]
#[case::no_key(None, None, "limit=500", r#""is_last":false,"next_key":"""#, None)]
fn readers_come_in_pages(
    #[case] limit: Option<u32>,
    #[case] key: Option<&str>,
    #[case] query: &str,
    #[case] page: &str,
    #[case] next: Option<&str>,
) {
    let mut stage = Stage::open();
    let call = stage.client.list_readers(stage.now, "9", ServerId(7), limit, key).expect("logged in");
    let request = stage.request();
    assert_eq!(request.url, format!("http://127.0.0.1:4000/org/app/chatgroups/9/acks/7?{query}"));
    stage.http(call, 200, &format!(r#"{{"data":{{"ackmid":"7",{page},"total":3,"userlist":["bob"]}}}}"#));
    let (users, next) = (vec!["bob".to_owned()], next.map(str::to_owned));
    assert_eq!(only(stage.events()), Event::Readers { call, users, total: 3, next });
}

#[test]
fn a_refusal_names_its_call_and_so_does_the_end_of_the_session() {
    let mut stage = Stage::open();
    let refused = stage.client.list_conversations(stage.now).expect("logged in");
    stage.http(refused, 403, r#"{"error_description":"service not open!"}"#);
    let Event::CallFailed { call, failure: Failure { code, message, .. } } = only(stage.events()) else {
        panic!("a failure")
    };
    assert_eq!((call, code, message.as_str()), (refused, 505, "service not open!"));

    let first = stage.client.list_conversations(stage.now).expect("logged in");
    let second = stage.client.list_readers(stage.now, "9", ServerId(7), None, None).expect("logged in");
    stage.client.close();
    let ended = stage.events().into_iter().map(|event| match event {
        Event::CallFailed { call, failure } => Some((call, failure.code)),
        _ => None,
    });
    assert_eq!(ended.collect::<Vec<_>>(), [Some((first, -2)), Some((second, -2)), None]);
    assert_eq!(stage.cancelled(), [first]);
}
