//! Recalls and receipts, sent and received (clauses recall.*, receipt.*, session.channel-ack).

use client_core::{Chat, CommandError, Config, Content, Event, Failure, Message, Receipts, ServerId};
use fixtures::wire::message_body::{Content as WireContent, MessageConfig, Type as BodyType};
use fixtures::wire::meta::NameSpace;
use fixtures::wire::{Jid, KeyValue, MSync, MessageBody, Meta, StatisticsBody, key_value};
use prost::Message as _;
use rstest::rstest;
use serde_json::json;

use crate::stage::{Stage, answer, chat_meta, config, meta, only, page, text_meta, uplink};

fn named(name: &str) -> Option<Jid> {
    Some(Jid { name: Some(name.to_owned()), ..Jid::default() })
}

/// A receipt of bob's about message 7.
fn receipt(id: u64, kind: BodyType) -> MessageBody {
    MessageBody {
        r#type: Some(kind.into()),
        from: named("Bob"),
        to: named("alice"),
        contents: vec![WireContent::default()],
        ack_message_id: Some(id),
        ..MessageBody::default()
    }
}

fn about(id: u64, body: &MessageBody) -> Meta {
    meta(id, NameSpace::Chat, body.encode_to_vec())
}

#[rstest]
#[case::recall(BodyType::Recall, Event::Recall { message: ServerId(7), from: "Bob".into(), to: "alice".into() })]
#[case::delivered(BodyType::DeliverAck, Event::Delivered { message: ServerId(7) })]
#[case::read(BodyType::ReadAck, Event::Read { message: ServerId(7), count: None, content: None })]
#[case::channel(BodyType::ChannelAck, Event::Channel { from: "Bob".into(), to: "alice".into() })]
fn each_receipt_has_its_event(#[case] kind: BodyType, #[case] event: Event) {
    let mut stage = Stage::open();
    stage.server(page("bob", vec![about(9, &receipt(7, kind))], None, true));
    assert_eq!(stage.events(), [event]);
}

#[rstest]
#[case::counted(Some(r#"{"7":2}"#), Some(2))]
#[case::another_message(Some(r#"{"8":2}"#), None)]
#[case::not_json(Some("{"), None)]
#[case::no_ext(None, None)]
fn a_group_receipt_has_a_count_and_a_content(#[case] ext: Option<&str>, #[case] count: Option<u64>) {
    let mut stage = Stage::open();
    let ext = ext.map(|text| KeyValue {
        key: Some("group_read_count".to_owned()),
        r#type: Some(8),
        value: Some(key_value::Value::StringValue(text.to_owned())),
    });
    let body = MessageBody {
        ext: ext.into_iter().collect(),
        msg_config: Some(MessageConfig { allow_group_ack: Some(true) }),
        ack_content: Some("{}".to_owned()),
        ..receipt(7, BodyType::ReadAck)
    };
    stage.server(page("bob", vec![about(9, &body)], None, true));
    assert_eq!(stage.events(), [Event::Read { message: ServerId(7), count, content: Some("{}".to_owned()) }]);
}

#[test]
fn one_message_is_told_delivered_once_however_many_devices_have_it() {
    let mut stage = Stage::open();
    let metas = [(9, 7), (10, 7), (11, 8)].map(|(id, of)| about(id, &receipt(of, BodyType::DeliverAck)));
    stage.server(page("bob", metas.into(), None, true));
    let delivered = |id| Event::Delivered { message: ServerId(id) };
    assert_eq!(stage.events(), [delivered(7), delivered(8)]);
}

#[rstest]
#[case::receipts(Some(r#"{"group_ack":[{"msg_id":"7","read_count":2}]}"#), Some(json!([{"msg_id": "7", "read_count": 2}])))]
#[case::none(Some("{}"), Some(json!([])))]
#[case::nothing(None, None)]
fn receipts_that_came_meanwhile_are_a_statistic(
    #[case] location: Option<&str>,
    #[case] group_ack: Option<serde_json::Value>,
) {
    let mut stage = Stage::open();
    let body = StatisticsBody {
        operation: Some(0),
        location: location.map(str::to_owned),
        ..StatisticsBody::default()
    };
    stage.server(page("", vec![meta(1, NameSpace::Statistic, body.encode_to_vec())], None, true));
    let told: Vec<Event> = group_ack.map(|group_ack| Event::Statistic { group_ack }).into_iter().collect();
    assert_eq!(stage.events(), told);
}

#[test]
fn a_statistic_that_cannot_be_read_costs_none_of_its_neighbours() {
    let mut stage = Stage::open();
    let body = StatisticsBody { location: Some("?".to_owned()), ..StatisticsBody::default() };
    let metas = vec![meta(1, NameSpace::Statistic, body.encode_to_vec()), text_meta(2, "after")];
    stage.server(page("", metas, None, true));
    let events = stage.events();
    assert!(
        matches!(&events[..], [Event::Error(Failure { code: 604, .. }), Event::Message(_)]),
        "{events:?}"
    );
}

fn acknowledging() -> Stage {
    let mut stage = Stage::new(Config { delivery: true, ..config() });
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    stage.let_in();
    stage.events();
    stage.frames();
    stage
}

/// What was acknowledged in the frames sent since: whom, and which message.
fn acknowledged(stage: &mut Stage) -> Vec<(String, u64)> {
    let metas = stage.frames().into_iter().filter(|frame| frame.command == Some(0));
    let bodies = metas.filter_map(|frame| {
        let payload = uplink(&frame).meta?.payload?;
        Some(MessageBody::decode(payload).expect("a body"))
    });
    bodies
        .map(|body| {
            assert_eq!(body.r#type(), BodyType::DeliverAck);
            (body.to.clone().expect("a recipient").name().to_owned(), body.ack_message_id())
        })
        .collect()
}

fn from(name: &str, kind: BodyType) -> MessageBody {
    let text = WireContent { r#type: Some(0), text: Some("t".to_owned()), ..WireContent::default() };
    MessageBody { from: named(name), contents: vec![text.clone(), text], ..receipt(0, kind) }
}

#[test]
fn a_message_of_another_to_me_is_acknowledged_once() {
    let mut stage = acknowledging();
    let metas = vec![
        about(1, &from("Bob", BodyType::Chat)),
        about(2, &from("ALICE", BodyType::Chat)),
        about(3, &from("Bob", BodyType::Groupchat)),
        about(4, &from("Bob", BodyType::Chatroom)),
        about(5, &receipt(7, BodyType::ReadAck)),
        about(6, &receipt(7, BodyType::DeliverAck)),
        about(7, &receipt(7, BodyType::Recall)),
    ];
    stage.server(page("bob", metas.clone(), None, true));
    assert_eq!(acknowledged(&mut stage), [("Bob".to_owned(), 1)]);
    stage.server(page("bob", metas, None, true));
    assert_eq!(acknowledged(&mut stage), [], "had before");
}

#[test]
fn what_becomes_of_a_delivery_receipt_concerns_the_user_only_if_it_is_refused() {
    let mut stage = acknowledging();
    stage.server(page("bob", vec![about(1, &from("Bob", BodyType::Chat))], None, true));
    stage.events();
    let local = uplink(&stage.frames()[0]).meta.expect("a meta").id();
    stage.server(answer(local, 0, None, 9));
    assert_eq!(stage.events(), []);

    stage.server(page("bob", vec![about(2, &from("Bob", BodyType::Chat))], None, true));
    stage.events();
    let local = uplink(&stage.frames()[0]).meta.expect("a meta").id();
    stage.server(answer(local, 1, Some("blocked"), 0));
    assert_eq!(stage.error_codes(), [603]);

    stage.server(page("bob", vec![about(3, &from("Bob", BodyType::Chat))], None, true));
    stage.events();
    stage.client.close();
    assert_eq!(stage.events(), [Event::Closed]);
}

#[test]
fn nothing_is_acknowledged_unless_that_is_wanted() {
    let mut stage = Stage::open();
    stage.server(page("bob", vec![about(1, &from("Bob", BodyType::Chat))], None, true));
    assert_eq!(acknowledged(&mut stage), []);
}

/// A delivery receipt whose answer was lost goes out again under the same id, for the server to know it by.
#[test]
fn a_delivery_receipt_outlives_the_link() {
    let mut stage = acknowledging();
    stage.server(page("bob", vec![about(1, &from("Bob", BodyType::Chat))], None, true));
    let first = uplink(&stage.frames()[0]).meta;
    stage.cut();
    stage.let_in();
    let sends: Vec<MSync> = stage.frames().into_iter().filter(|frame| frame.command == Some(0)).collect();
    assert_eq!(sends.iter().map(|frame| uplink(frame).meta).collect::<Vec<_>>(), [first]);
}

#[test]
fn recalls_and_receipts_end_as_messages_do() {
    let mut stage = Stage::open();
    let id = ServerId(7);
    let recall = stage.client.recall(stage.now, Chat::Single, "bob", id).expect("logged in");
    stage.server(answer(recall.0, 1, Some("exceed recall time limit"), 0));
    let Event::Failed { local, failure } = only(stage.events()) else { panic!("a failure") };
    assert_eq!((local, failure.code), (recall, 504));

    let read = stage.client.send_read(stage.now, Chat::Single, "bob", id, None).expect("logged in");
    stage.server(answer(read.0, 0, None, 9));
    let server = ServerId(9);
    assert_eq!(stage.events(), [Event::Received { local: read, server }]);
    let channel = stage.client.send_channel_ack(stage.now, Chat::Single, "bob").expect("logged in");
    stage.server(answer(channel.0, 0, None, 9));
    assert_eq!(stage.events(), [Event::Received { local: channel, server }]);
    let recall = stage.client.recall(stage.now, Chat::Single, "bob", id).expect("logged in");
    stage.server(answer(recall.0, 0, None, 9));
    let sent = Event::Sent { local: recall, server };
    assert_eq!(stage.events(), [sent, Event::Received { local: recall, server }]);

    stage.client.close();
    stage.events();
    let late = stage.client.send_channel_ack(stage.now, Chat::Group, "9").expect("it is told as an event");
    let Event::Failed { local, failure } = only(stage.events()) else { panic!("a failure") };
    assert_eq!((local, failure.code), (late, 32));
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut stage = Stage::open();
    let nobody = stage.client.recall(stage.now, Chat::Single, "", ServerId(7));
    assert_eq!(nobody, Err(CommandError::NoName { command: "recall" }));
    let room = stage.client.send_read(stage.now, Chat::Room, "2", ServerId(7), None);
    assert_eq!(room, Err(CommandError::NotForRooms { command: "send_read" }));
    let text = Message::new(Chat::Single, "bob", Content::Text("hi".to_owned())).asking_for_receipts();
    assert_eq!(stage.client.send(stage.now, text), Err(CommandError::ReceiptsOutsideGroup));
    assert_eq!(stage.transmits(), []);
}

#[rstest]
#[case::asked(Some(true), Receipts::Asked)]
#[case::not_so(Some(false), Receipts::NotAsked)]
#[case::nothing(None, Receipts::NotAsked)]
fn a_reader_knows_whether_to_answer(#[case] allow_group_ack: Option<bool>, #[case] receipts: Receipts) {
    let mut stage = Stage::open();
    let body = MessageBody {
        msg_config: allow_group_ack.map(|allow| MessageConfig { allow_group_ack: Some(allow) }),
        ..from("Bob", BodyType::Groupchat)
    };
    stage.server(page("9", vec![about(1, &body)], None, true));
    let Event::Message(message) = stage.events().remove(0) else { panic!("a message") };
    assert_eq!(message.receipts, receipts);
}

/// Every receipt has an empty content, which is no empty text.
#[test]
fn the_empty_content_of_a_receipt_is_no_message() {
    let mut stage = Stage::open();
    let ack = chat_meta(1, BodyType::ChannelAck, vec![WireContent::default()]);
    stage.server(page("bob", vec![ack], None, true));
    assert_eq!(stage.events(), [Event::Channel { from: "Bob".to_owned(), to: "alice".to_owned() }]);
}
