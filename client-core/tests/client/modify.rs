//! Messages that are changed after they were sent, messages to some, and those that matter more or less (wire-4x §5, §6).

use client_core::{
    Chat, CommandError, Content, Event, Ext, IncomingContent, Message, Millis, Priority, Route, ServerId,
};
use fixtures::wire::message_body::{self, Type as Kind};
use fixtures::wire::{MessageBody, Meta};
use prost::Message as _;
use rstest::rstest;
use serde_json::json;

use crate::stage::{START, Stage, answer, chat_meta, only, page, text_meta, uplink};

fn sent_meta(stage: &mut Stage) -> Meta {
    let frames = stage.frames();
    let [frame] = &frames[..] else { panic!("one frame: {frames:?}") };
    uplink(frame).meta.expect("a message")
}

fn body_of(meta: &Meta) -> MessageBody {
    MessageBody::decode(meta.payload.clone().expect("a payload")).expect("our own body")
}

fn ext() -> Ext {
    Ext::from_json(json!({"k": "v"})).expect("an object")
}

#[rstest]
#[case::text_alone(Chat::Single, None, 1, "easemob.com")]
#[case::with_ext(Chat::Group, Some(ext()), 2, "conference.easemob.com")]
fn a_change_goes_out_as_the_sdk_spells_it(
    #[case] chat: Chat,
    #[case] ext: Option<Ext>,
    #[case] scope: i32,
    #[case] domain: &str,
) {
    let mut stage = Stage::open();
    let fields = ext.as_ref().map_or(0, |ext| ext.fields().len());
    let message = ServerId(1_160_000_000_000_000_001);
    let local = stage.client.modify_text(stage.now, chat, "bob", message, "new", ext).expect("a name");
    let meta = sent_meta(&mut stage);
    let to = meta.to.clone().expect("a recipient");
    assert_eq!((to.name.as_deref(), to.domain.as_deref()), (Some("bob"), Some(domain)));
    let body = body_of(&meta);
    assert_eq!(
        (body.r#type, body.edit_message_id, body.edit_scope, body.ext.len()),
        (Some(8), Some(message.0), Some(scope), fields)
    );
    assert_eq!(body.contents[0].text.as_deref(), Some("new"));
    stage.server(answer(local.0, 0, None, 77));
    assert_eq!(only(stage.events()), Event::Sent { local, server: message });
}

#[rstest]
#[case::too_often(1, "Sorry, edit limit reached", Some(50))]
#[case::muted(15, "", None)]
fn a_change_that_is_refused_fails_as_a_message_does(
    #[case] status: i32,
    #[case] reason: &str,
    #[case] code: Option<i32>,
) {
    let mut stage = Stage::open();
    let local =
        stage.client.modify_text(stage.now, Chat::Single, "bob", ServerId(5), "new", None).expect("a name");
    stage.server(answer(local.0, status, Some(reason), 0));
    match (only(stage.events()), code) {
        (Event::Failed { local: lost, failure }, Some(code)) => {
            assert_eq!((lost, failure.code), (local, code));
        }
        (Event::Muted { local: lost }, None) => assert_eq!(lost, local),
        (other, _) => panic!("{other:?}"),
    }
}

#[test]
fn a_change_that_the_link_took_along_goes_out_again() {
    let mut stage = Stage::open();
    let local =
        stage.client.modify_text(stage.now, Chat::Single, "bob", ServerId(5), "new", None).expect("a name");
    stage.frames();
    stage.cut();
    stage.let_in();
    let again: Vec<u64> = stage
        .frames()
        .iter()
        .filter(|frame| frame.command == Some(0))
        .filter_map(|frame| uplink(frame).meta?.id)
        .collect();
    assert_eq!(again, [local.0]);
}

fn edit(meta: Option<&str>, of: u64) -> Meta {
    let content =
        message_body::Content { r#type: Some(0), text: Some("new".to_owned()), ..Default::default() };
    let mut edit = chat_meta(50, message_body::Type::Edit, vec![content]);
    let body = MessageBody {
        edit_message_id: Some(of),
        edit_scope: Some(1),
        meta: meta.map(str::to_owned),
        ..body_of(&edit)
    };
    edit.payload = Some(body.encode_to_vec().into());
    edit
}

#[test]
fn a_change_is_shown_as_the_message_that_it_is_of() {
    let mut stage = Stage::open();
    let info = r#"{"edit_msg":{"count":2,"operator":"carol","edit_time":9,"sender":"bob","send_time":7,"chat_type":"chat:group"}}"#;
    stage.server(page("bob", vec![edit(Some(info), 5), edit(Some(info), 5)], Some(1), false));
    let Event::Modified(modified) = only(stage.events()) else { panic!("a change, once") };
    let message = modified.message;
    assert_eq!(message.content, IncomingContent::Text("new".to_owned()));
    assert_eq!(
        (message.id, message.from.as_str(), message.to.as_str(), message.chat, message.time),
        (ServerId(5), "bob", "alice", Chat::Group, Millis(7))
    );
    assert_eq!((modified.operator.as_str(), modified.edited, modified.count), ("carol", Millis(9), 2));
}

#[rstest]
#[case::no_note(None)]
#[case::an_empty_one(Some(""))]
#[case::of_something_else(Some("{}"))]
fn a_change_of_which_the_service_says_nothing_is_its_senders(#[case] note: Option<&str>) {
    let mut stage = Stage::open();
    stage.server(page("bob", vec![edit(note, 5)], Some(1), false));
    let Event::Modified(modified) = only(stage.events()) else { panic!("a change") };
    assert_eq!(
        (modified.message.id, modified.message.from.as_str(), modified.message.chat),
        (ServerId(5), "Bob", Chat::Single)
    );
    assert_eq!((modified.operator.as_str(), modified.edited, modified.count), ("Bob", START, 0));
}

#[rstest]
#[case::no_json(edit(Some("{"), 5))]
#[case::of_message_0(edit(None, 0))]
#[case::of_no_message(chat_meta(50, message_body::Type::Edit, Vec::new()))]
fn a_change_that_cannot_be_read_is_told_and_breaks_nothing(#[case] bad: Meta) {
    let mut stage = Stage::open();
    stage.server(page("bob", vec![bad, text_meta(6, "hi")], Some(1), false));
    let events = stage.events();
    assert!(
        matches!(&events[..], [Event::Error(failure), Event::Message(_)] if failure.code == 604),
        "{events:?}"
    );
}

fn text(chat: Chat) -> Message {
    Message::new(chat, "9", Content::Text("hi".to_owned()))
}

#[rstest]
#[case::plain(text(Chat::Group), None, &[], None)]
#[case::online_only(text(Chat::Single).routed(Route::OnlineOnly), Some(1), &[], None)]
#[case::directed(text(Chat::Group).routed(Route::Directed(vec!["bob".to_owned()])), Some(2), &["bob"], None)]
#[case::high(text(Chat::Room).with_priority(Priority::High), None, &[], Some(0))]
#[case::low(text(Chat::Room).with_priority(Priority::Low), None, &[], Some(2))]
fn routes_and_priorities_stand_in_the_envelope(
    #[case] message: Message,
    #[case] route: Option<i32>,
    #[case] users: &[&str],
    #[case] tag: Option<i64>,
) {
    use fixtures::wire::key_value::Value;
    let mut stage = Stage::open();
    stage.client.send(stage.now, message).expect("a good message");
    let meta = sent_meta(&mut stage);
    assert_eq!(meta.routetype, route);
    assert_eq!(meta.directed_users, users);
    let shown: Vec<_> = meta.ext.iter().map(|pair| (pair.key.as_deref(), pair.value.clone())).collect();
    let wanted = tag.map(|tag| (Some("chatroom_msg_tag"), Some(Value::VarintValue(tag))));
    assert_eq!(shown, wanted.into_iter().collect::<Vec<_>>());
}

#[rstest]
#[case::high(Kind::Chatroom, Some(0), Some(Priority::High))]
#[case::normal(Kind::Chatroom, Some(1), Some(Priority::Normal))]
#[case::low(Kind::Chatroom, Some(2), Some(Priority::Low))]
#[case::unknown(Kind::Chatroom, Some(3), Some(Priority::Normal))]
#[case::none(Kind::Chatroom, None, Some(Priority::Normal))]
#[case::no_room(Kind::Groupchat, Some(0), None)]
fn a_message_to_a_room_shows_its_priority(
    #[case] kind: Kind,
    #[case] tag: Option<i64>,
    #[case] shown: Option<Priority>,
) {
    use fixtures::wire::KeyValue;
    use fixtures::wire::key_value::Value;
    let mut stage = Stage::open();
    let other =
        KeyValue { key: Some("other".to_owned()), value: Some(Value::VarintValue(0)), ..KeyValue::default() };
    let tag = tag.map(|tag| KeyValue {
        key: Some("chatroom_msg_tag".to_owned()),
        value: Some(Value::VarintValue(tag)),
        ..KeyValue::default()
    });
    let contents = body_of(&text_meta(1, "hi")).contents;
    let meta = Meta { ext: std::iter::once(other).chain(tag).collect(), ..chat_meta(1, kind, contents) };
    stage.server(page("bob", vec![meta], None, true));
    let Event::Message(message) = only(stage.events()) else { panic!("a message") };
    assert_eq!(message.priority, shown);
}

#[rstest]
#[case::to_one(text(Chat::Single).routed(Route::Directed(vec!["bob".to_owned()])), CommandError::DirectedOutsideGroup)]
#[case::to_nobody(text(Chat::Group).routed(Route::Directed(Vec::new())), CommandError::NoUsers { command: "send" })]
#[case::no_room(text(Chat::Group).with_priority(Priority::Normal), CommandError::PriorityOutsideRoom)]
fn what_makes_no_sense_is_refused(#[case] message: Message, #[case] error: CommandError) {
    let mut stage = Stage::open();
    assert_eq!(stage.client.send(stage.now, message), Err(error));
}

#[rstest]
#[case::online(Some(&br#"{"is_online":1}"#[..]), Some(true))]
#[case::away(Some(&br#"{"is_online":0}"#[..]), Some(false))]
#[case::something_else(Some(&br#"{"x":1}"#[..]), None)]
#[case::rubbish(Some(&[0xff][..]), None)]
#[case::nothing(None, None)]
fn whether_one_was_online_is_shown_where_it_is_said(
    #[case] note: Option<&'static [u8]>,
    #[case] shown: Option<bool>,
) {
    let mut stage = Stage::open();
    let meta = Meta { meta: note.map(Into::into), ..text_meta(6, "hi") };
    stage.server(page("bob", vec![meta], Some(1), false));
    let Event::Message(message) = only(stage.events()) else { panic!("a message") };
    assert_eq!(message.was_online, shown);
}
