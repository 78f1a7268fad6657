//! Reactions and pinned messages: asked for over REST, told of by NOTIFY (rest.md A.11, wire-4x §6.3); and what other
//! devices of the user did.

use client_core::{
    CallId, Chat, CommandError, DeviceNews, DeviceOperation, Event, HttpMethod, Mark, Millis, PinnedMessage,
    Reaction, ReactionChange, ReactionNews, ServerId, Switch,
};
use fixtures::wire::meta::NameSpace;
use rstest::rstest;
use serde_json::json;

use crate::stage::{Stage, body_of, meta, only, page};

type Order = fn(&mut Stage) -> Result<CallId, CommandError>;

#[rstest]
#[case::add(
    |stage: &mut Stage| stage.client.add_reaction(stage.now, ServerId(1), "👍"),
    HttpMethod::Post, "reaction/user/alice", Some(r#"{"msgId":"1","message":"👍"}"#)
)]
#[case::remove(
    |stage: &mut Stage| stage.client.remove_reaction(stage.now, ServerId(1), "👍"),
    HttpMethod::Delete, "reaction/user/alice?msgId=1&message=%F0%9F%91%8D", None
)]
#[case::pin(
    |stage: &mut Stage| stage.client.pin_message(stage.now, Chat::Group, "9", ServerId(1), Switch::On),
    HttpMethod::Post, "sdk/user/alice/user_channel/pin?resource=webim_desk", Some(r#"{"to":"9","type":"groupchat","pin_msg_id":"1"}"#)
)]
#[case::pin_in_a_room(
    |stage: &mut Stage| stage.client.pin_message(stage.now, Chat::Room, "7", ServerId(1), Switch::On),
    HttpMethod::Post, "sdk/user/alice/user_channel/pin?resource=webim_desk", Some(r#"{"to":"7","type":"chatroom","pin_msg_id":"1"}"#)
)]
#[case::unpin(
    |stage: &mut Stage| stage.client.pin_message(stage.now, Chat::Single, "bob", ServerId(1), Switch::Off),
    HttpMethod::Delete, "sdk/user/alice/user_channel/pin?resource=webim_desk", Some(r#"{"to":"bob","type":"chat","pin_msg_id":"1"}"#)
)]
fn changes_are_asked_for_as_the_sdk_does_it(
    #[case] order: Order,
    #[case] method: HttpMethod,
    #[case] path: &str,
    #[case] body: Option<&str>,
) {
    let mut stage = Stage::open();
    let call = order(&mut stage).expect("logged in");
    let request = stage.request();
    let url = format!("http://127.0.0.1:4000/org/app/{path}");
    assert_eq!((request.method, &request.url, body_of(&request).as_deref()), (method, &url, body));
    stage.http(call, 200, "{}");
    assert_eq!(only(stage.events()), Event::Done { call });
}

#[rstest]
#[case::single(Chat::Single, None, "msgIdList=1,2&msgType=chat")]
#[case::group(Chat::Group, Some("9"), "msgIdList=1,2&msgType=groupchat&groupId=9")]
fn reactions_are_listed_by_message(#[case] chat: Chat, #[case] group: Option<&str>, #[case] query: &str) {
    let mut stage = Stage::open();
    let ids = vec![ServerId(1), ServerId(2)];
    let call = stage.client.list_reactions(stage.now, ids, chat, group).expect("logged in");
    assert_eq!(stage.request().url, format!("http://127.0.0.1:4000/org/app/reaction/user/alice?{query}"));
    let body = json!({"data": [
        {"msgId": "1", "reactionList": [
            {"reactionId": 7, "reaction": "a", "count": 2, "state": true, "userList": ["alice", "bob"]},
            {"reaction": "b", "userCount": 1},
        ]},
        {"msgId": 2, "reactionList": []},
    ]});
    stage.http(call, 200, &body.to_string());
    let users = vec!["alice".to_owned(), "bob".to_owned()];
    let first = Reaction { reaction: "a".to_owned(), count: 2, users, mine: true };
    let second = Reaction { reaction: "b".to_owned(), count: 1, users: Vec::new(), mine: false };
    let messages = vec![(ServerId(1), vec![first, second]), (ServerId(2), Vec::new())];
    assert_eq!(only(stage.events()), Event::Reactions { call, messages });
}

#[rstest]
#[case::first(None, None, "msgId=1&message=a&pageSize=20", "c", Some("c"))]
#[case::next(Some(2), Some("c d"), "msgId=1&message=a&pageSize=2&currentPage=c%20d", "", None)]
fn reactors_come_in_pages(
    #[case] limit: Option<u32>,
    #[case] cursor: Option<&str>,
    #[case] query: &str,
    #[case] told: &str,
    #[case] next: Option<&str>,
) {
    let mut stage = Stage::open();
    let call = stage.client.list_reactors(stage.now, ServerId(1), "a", limit, cursor).expect("logged in");
    let url = format!("http://127.0.0.1:4000/org/app/reaction/user/alice/detail?{query}");
    assert_eq!(stage.request().url, url);
    let data = json!({"reaction": "a", "count": 3, "state": false, "userList": ["bob"], "cursor": told});
    stage.http(call, 200, &json!({ "data": data }).to_string());
    let (users, cursor) = (vec!["bob".to_owned()], next.map(str::to_owned));
    assert_eq!(only(stage.events()), Event::Reactors { call, users, count: 3, cursor });
}

#[test]
fn pinned_messages_come_in_pages() {
    let mut stage = Stage::open();
    let asked =
        stage.client.list_pinned_messages(stage.now, Chat::Group, "9", None, None).expect("logged in");
    let url =
        "http://127.0.0.1:4000/org/app/sdk/user/alice/user_channel/pin?to=9&type=groupchat&limit=10&cursor=";
    assert_eq!(stage.request().url, url);
    let message = json!({"id": "5", "from": "bob", "to": "9", "timestamp": 1, "payload": r#"{"bodies":[{"type":"txt","msg":"hi"}]}"#});
    let infos = json!([{"message": message, "pin_opt_at": 7, "pin_operator": "carol"}, {"message": {}}]);
    stage.http(asked, 200, &json!({"data": {"msg_infos": infos, "cursor": "c"}}).to_string());
    let Event::PinnedMessages { call, messages, cursor } = only(stage.events()) else { panic!("a page") };
    let [PinnedMessage { message, operator, time }] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((call, cursor.as_deref()), (asked, Some("c")));
    assert_eq!(
        (message.id.as_str(), message.text(), operator.as_str(), time.0),
        ("5", Some("hi"), "carol", 7)
    );
}

#[test]
fn what_reacts_to_nothing_or_with_nothing_is_refused() {
    let mut stage = Stage::open();
    let (now, client) = (stage.now, &mut stage.client);
    assert_eq!(client.add_reaction(now, ServerId(1), ""), Err(CommandError::NoReaction));
    let refused = client.list_reactions(now, Vec::new(), Chat::Single, None);
    assert_eq!(refused, Err(CommandError::NoName { command: "list_reactions" }));
    let refused = client.list_reactions(now, vec![ServerId(1)], Chat::Room, None);
    assert_eq!(refused, Err(CommandError::NotForRooms { command: "list_reactions" }));
}

/// What a client shows of one NOTIFY.
fn told(news: &str) -> Vec<Event> {
    let mut stage = Stage::open();
    let notify = meta(5, NameSpace::Notify, news.as_bytes().to_vec());
    stage.server(page("alice", vec![notify], None, true));
    stage.events()
}

#[test]
fn news_of_reactions_is_an_event_for_each_message() {
    let news = r#"{"type":"reaction","data":[
        {"from":"bob","to":"alice","channel_type":"chat","messageId":"11","ts":5,"reactions":[
            {"reaction":"a","count":1,"op":[{"operator":"bob","reactionType":"create"}],"state":true,"userList":["bob"]},
            {"reaction":"b","count":0}]},
        {"from":"bob","to":"9","channel_type":"groupchat","messageId":12,"reactions":[]}]}"#;
    let change = ReactionChange { operator: "bob".to_owned(), kind: "create".to_owned() };
    let given = ReactionNews {
        reaction: "a".to_owned(),
        count: 1,
        users: vec!["bob".to_owned()],
        changes: vec![change],
    };
    let gone = ReactionNews { reaction: "b".to_owned(), count: 0, users: Vec::new(), changes: Vec::new() };
    let single = Event::Reaction {
        message: ServerId(11),
        from: "bob".to_owned(),
        to: "alice".to_owned(),
        chat: Chat::Single,
        reactions: vec![given, gone],
    };
    let group = Event::Reaction {
        message: ServerId(12),
        from: "bob".to_owned(),
        to: "9".to_owned(),
        chat: Chat::Group,
        reactions: Vec::new(),
    };
    assert_eq!(told(news), [single, group]);
}

#[rstest]
#[case::by_the_other(
    r#""op":"pin","id":"alice","type":"chat","ts":7,"res":"x","from":"bob","ext":"11""#,
    Chat::Single,
    "bob",
    "bob",
    Switch::On
)]
#[case::by_oneself_elsewhere(
    r#""op":"pin","id":"bob","type":"chat","ts":7,"res":"x","from":"Alice","ext":"11""#,
    Chat::Single,
    "bob",
    "Alice",
    Switch::On
)]
#[case::in_a_group(
    r#""op":"pin_delete","id":"9","type":"groupchat","ts":7,"res":"webim_desk","from":"bob","ext":11"#,
    Chat::Group,
    "9",
    "bob",
    Switch::Off
)]
#[case::in_a_room(
    r#""op":"pin","id":"9","type":"chatroom","ts":7,"from":"bob","ext":"11""#,
    Chat::Room,
    "9",
    "bob",
    Switch::On
)]
fn news_of_pins_names_the_conversation_from_this_side(
    #[case] data: &str,
    #[case] chat: Chat,
    #[case] with: &str,
    #[case] operator: &str,
    #[case] switch: Switch,
) {
    let (with, operator) = (with.to_owned(), operator.to_owned());
    let pin = Event::Pin { message: ServerId(11), chat, with, operator, switch, time: Millis(7) };
    assert_eq!(told(&format!(r#"{{"type":"conv","data":{{{data}}}}}"#)), [pin]);
}

fn mark(number: u32) -> Option<Mark> {
    Mark::new(number).ok()
}

fn settings() -> DeviceOperation {
    DeviceOperation::SetSilentMode([("type".to_owned(), json!("ALL"))].into_iter().collect())
}

#[rstest]
#[case::deleted(r#"{"type":"conv","data":{"op":"del","id":"bob","type":"chat","res":"x","from":"alice"}}"#, DeviceOperation::DeleteConversation, "deleteConversation", Some((Chat::Single, "bob")))]
#[case::pinned(r#"{"type":"conv","data":{"op":"top","id":"9","type":"groupChat","res":"x","from":"alice"}}"#, DeviceOperation::PinConversation, "pinnedConversation", Some((Chat::Group, "9")))]
#[case::unpinned(r#"{"type":"conv","data":{"op":"not_top","id":"9","type":"groupChat","res":"x","from":"alice"}}"#, DeviceOperation::UnpinConversation, "unpinnedConversation", Some((Chat::Group, "9")))]
#[case::marked(r#"{"type":"conv","data":{"op":"mark","id":"bob","type":"chat","res":"x","from":"alice","ext":"mark_3"}}"#, DeviceOperation::Mark(mark(3)), "markConversation", Some((Chat::Single, "bob")))]
#[case::unmarked(r#"{"type":"conv","data":{"op":"mark_delete","id":"bob","type":"chat","res":"x","from":"alice","ext":"?"}}"#, DeviceOperation::Unmark(None), "unMarkConversation", Some((Chat::Single, "bob")))]
#[case::history(r#"{"type":"roaming_delete","data":{"to":"bob","chatType":"chat","resource":"x"}}"#, DeviceOperation::DeleteHistory, "deleteRoaming", Some((Chat::Single, "bob")))]
#[case::silent_with_one(r#"{"type":"user_notification_mute","values":[{"operator_resource":"x","user":"bob","data":{"type":"ALL"}}]}"#, settings(), "setSilentModeForConversation", Some((Chat::Single, "bob")))]
#[case::loud_in_a_group(r#"{"type":"user_notification_mute","values":[{"operator_resource":"x","group":"9","data":{}}]}"#, DeviceOperation::ClearSilentMode, "removeSilentModeForConversation", Some((Chat::Group, "9")))]
#[case::silent_for_all_whoever_is_named(
    r#"{"type":"user_notification_mute","values":[{"operator_resource":"x","user":"alice","data":{"ignoreInterval":"8:00-9:00"}}]}"#,
    DeviceOperation::SetSilentMode([("ignoreInterval".to_owned(), json!("8:00-9:00"))].into_iter().collect()),
    "setSilentModeForUser",
    None
)]
#[case::silent(
    r#"{"type":"user_notification_mute","values":[{"operator_resource":"x","data":{"type":"ALL"}}]}"#,
    settings(),
    "setSilentModeForUser",
    None
)]
fn what_another_device_did_is_told_in_the_words_of_the_sdk(
    #[case] news: &str,
    #[case] operation: DeviceOperation,
    #[case] word: &str,
    #[case] target: Option<(Chat, &str)>,
) {
    let target = target.map(|(chat, id)| (chat, id.to_owned()));
    assert_eq!(operation.word(target.as_ref()), word);
    assert_eq!(told(news), [Event::Device(DeviceNews { operation, target })]);
}

#[rstest]
#[case::conversation(
    r#"{"type":"conv","data":{"op":"del","id":"bob","type":"chat","res":"webim_desk","from":"Alice"}}"#
)]
#[case::history(r#"{"type":"roaming_delete","data":{"to":"bob","chatType":"chat","resource":"webim_desk"}}"#)]
#[case::silence(r#"{"type":"user_notification_mute","values":[{"operator_resource":"webim_desk","data":{"type":"ALL"}}]}"#)]
#[case::unknown_operation(r#"{"type":"conv","data":{"op":"new"}}"#)]
#[case::of_no_use_here(r#"{"type":"presence","data":{"values":[]}}"#)]
#[case::no_type("{}")]
fn what_is_known_or_of_no_use_is_not_told(#[case] news: &str) {
    assert_eq!(told(news), []);
}

#[rstest]
#[case::no_json("{")]
#[case::no_object("[1]")]
#[case::no_data(r#"{"type":"reaction"}"#)]
#[case::no_id(r#"{"type":"reaction","data":[{"messageId":"x"}]}"#)]
#[case::a_pin_of_nothing(
    r#"{"type":"conv","data":{"op":"pin","id":"9","type":"groupchat","from":"bob","ext":""}}"#
)]
fn what_cannot_be_read_is_told_and_breaks_nothing(#[case] news: &str) {
    let events = told(news);
    assert!(matches!(&events[..], [Event::Error(failure)] if failure.code == 604), "{events:?}");
}
