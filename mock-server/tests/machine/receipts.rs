//! Receipts: who gets them, and how many have read what (clauses receipt.*).

use fixtures::wire::message_body::{MessageConfig, Type};
use fixtures::wire::{
    CONFERENCE_DOMAIN, Jid, KeyValue, MessageBody, Meta, StatisticsBody, USER_DOMAIN, key_value, meta,
};
use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::Get;
use prost::Message as _;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{World, accepted, body_of, jid, with_body};

fn world() -> (World, ConnId, ConnId) {
    let mut world = World::strict(&["alice", "bob", "carl", "dora"]);
    let members = ["bob", "carl", "dora"].map(str::to_owned).to_vec();
    world.control(Control::Group { id: "7".into(), owner: "alice".into(), members });
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    (world, alice, bob)
}

fn to(name: &str) -> Jid {
    jid(name, USER_DOMAIN)
}

/// A text of the group that asks for receipts.
fn asking(world: &mut World, conn: ConnId) -> Meta {
    let meta = world.muc_meta(conn, Type::Groupchat, "7", "read me");
    let msg_config = Some(MessageConfig { allow_group_ack: Some(true) });
    let body = MessageBody { msg_config, ..body_of(&meta) };
    with_body(meta, &body)
}

/// A receipt of the group as the seed writes it: `to` is the sender's name in the groups' domain (wire-3x §4.1).
fn reading(world: &mut World, conn: ConnId, to: &str, about: u64, content: &str) -> Meta {
    let meta = world.note_meta(conn, Type::ReadAck, jid(to, CONFERENCE_DOMAIN), Some(about));
    let msg_config = Some(MessageConfig { allow_group_ack: Some(true) });
    // The app's own, which the number must stand before.
    let ext = vec![KeyValue { key: Some("mine".into()), ..KeyValue::default() }];
    let body = MessageBody { msg_config, ext, ack_content: Some(content.into()), ..body_of(&meta) };
    with_body(meta, &body)
}

/// The number in a receipt, and its content.
fn count(meta: &Meta) -> (Value, String) {
    let body = body_of(meta);
    assert_eq!(body.r#type, Some(Type::ReadAck as i32));
    assert!(body.msg_config.is_some(), "3.6.3 looks for no number without it");
    let Some(KeyValue { r#type, value: Some(key_value::Value::StringValue(text)), .. }) = body.ext.first()
    else {
        panic!("{body:#?}")
    };
    assert_eq!(*r#type, Some(key_value::ValueType::JsonString as i32));
    let counts: Value = serde_json::from_str(text).expect("JSON");
    (counts, body.ack_content.unwrap_or_default())
}

#[rstest]
#[case::read(Type::ReadAck)]
#[case::delivered(Type::DeliverAck)]
fn the_sender_alone_gets_it_on_every_device(#[case] kind: Type) {
    let (mut world, alice, bob) = world();
    let (phone, bobs_phone) = (world.connect("alice", "phone"), world.connect("bob", "phone"));
    let id = world.text(alice, "bob", "hi");
    for device in [bob, bobs_phone, phone] {
        assert_eq!(world.notes(device).len(), 1);
    }
    let meta = world.note_meta(bob, kind, to("alice"), Some(id));
    let receipt = accepted(&world.send(bob, meta.clone()));
    for device in [alice, phone] {
        let metas = world.catch_up(device);
        let [got] = &metas[..] else { panic!("{metas:#?}") };
        assert_eq!((got.id, &got.payload), (Some(receipt), &meta.payload));
    }
    assert_eq!((world.notes(bob), world.notes(bobs_phone)), (vec![], vec![]));
    assert_eq!(world.server.unfinished(), [""; 0]);
    let new = world.connect("bob", "new");
    assert_eq!(world.unread(new), [], "nor a device that comes later");
}

#[test]
fn it_waits_for_a_sender_who_is_away() {
    let (mut world, alice, bob) = world();
    let id = world.text(alice, "bob", "hi");
    world.hang_up(alice);
    assert_eq!(world.note(bob, Type::ReadAck, to("alice"), id).0, 0);
    let alice = world.connect("alice", "new");
    assert_eq!(world.notes(alice), [(Type::ReadAck as i32, Some(id))]);
}

/// Ids: 0 alice's text to bob, 1 bob's to alice, 2 alice's to carl, 3 nothing, 4 a receipt.
#[rstest]
#[case::ones_own(1, "alice", "a receipt is for a message of somebody else")]
#[case::of_others(2, "alice", "message not found")]
#[case::to_another(0, "carl", "message not found")]
#[case::unknown(3, "alice", "message not found")]
#[case::a_receipt(4, "alice", "message not found")]
fn what_cannot_be_read_has_no_receipt(
    #[values(Type::ReadAck, Type::DeliverAck)] kind: Type,
    #[case] which: usize,
    #[case] name: &str,
    #[case] reason: &str,
) {
    let (mut world, alice, bob) = world();
    let (first, second) = (world.text(alice, "bob", "0"), world.text(bob, "alice", "1"));
    let third = world.text(alice, "carl", "2");
    let receipt = world.note_meta(alice, Type::ReadAck, to("bob"), Some(second));
    let receipt = accepted(&world.send(alice, receipt));
    world.notes(alice);
    world.notes(bob);
    let id = [first, second, third, 4_711, receipt][which];
    assert_eq!(world.note(bob, kind, to(name), id), (1, reason.into()));
    assert_eq!((world.notes(alice), world.notes(bob)), (vec![], vec![]));
}

/// 3.0.6 names no message, and gives one for messages of groups too (wire-3x §4.4).
#[test]
fn a_delivery_receipt_without_an_id_is_handed_on_as_it_is() {
    let (mut world, alice, bob) = world();
    world.muc_text(alice, Type::Groupchat, "7", "hi");
    let phone = world.connect("bob", "phone");
    let meta = world.note_meta(bob, Type::DeliverAck, to("alice"), None);
    accepted(&world.send(bob, meta.clone()));
    let metas = world.catch_up(alice);
    assert_eq!(metas.iter().map(|meta| &meta.payload).collect::<Vec<_>>(), [&meta.payload]);
    assert!(world.notes(phone).iter().all(|note| note.0 != Type::DeliverAck as i32));
    let nobody = world.note_meta(bob, Type::DeliverAck, to("nobody"), None);
    assert_eq!(world.status(bob, nobody), (1, "username nobody doesn't exist!".into()));
}

#[test]
fn a_groups_message_delivered_is_told_to_its_sender() {
    let (mut world, alice, bob) = world();
    let carl = world.connect("carl", "web");
    let id = world.muc_text(alice, Type::Groupchat, "7", "hi");
    world.notes(bob);
    world.notes(carl);
    assert_eq!(world.note(bob, Type::DeliverAck, to("alice"), id).0, 0);
    assert_eq!(world.notes(alice), [(Type::DeliverAck as i32, Some(id))]);
    assert_eq!(world.notes(carl), []);
}

#[rstest]
#[case::single(to("bob"), to("alice"))]
#[case::group(jid("7", CONFERENCE_DOMAIN), jid("7", CONFERENCE_DOMAIN))]
#[case::named_as_a_user(to("7"), jid("7", CONFERENCE_DOMAIN))]
fn a_conversation_read_to_its_end_is_told_to_the_others(#[case] read: Jid, #[case] queue: Jid) {
    let (mut world, alice, bob) = world();
    let phone = world.connect("alice", "phone");
    match read.name.as_deref() {
        Some("bob") => world.text(bob, "alice", "hi"),
        _ => world.muc_text(bob, Type::Groupchat, "7", "hi"),
    };
    world.notes(alice);
    world.notes(phone);
    let meta = world.note_meta(alice, Type::ChannelAck, read, None);
    accepted(&world.send(alice, meta.clone()));
    assert_eq!(world.unread(bob), [(queue, 1)]);
    let metas = world.catch_up(bob);
    assert_eq!(metas.iter().map(|meta| &meta.payload).collect::<Vec<_>>(), [&meta.payload]);
    let ack = Type::ChannelAck as i32;
    assert_eq!(world.notes(phone), [(ack, None)], "one's other devices mark it read");
    assert_eq!(world.notes(alice), []);
}

#[rstest]
#[case::nobody(to("nobody"), 1, "username nobody doesn't exist!")]
#[case::a_user_where_groups_are(jid("bob", CONFERENCE_DOMAIN), 1, "group not found")]
#[case::no_group(jid("9", CONFERENCE_DOMAIN), 1, "group not found")]
#[case::not_in(jid("8", CONFERENCE_DOMAIN), 1, "not in group or chatroom")]
#[case::never_written(to("dora"), 0, "")]
fn of_no_conversation_nobody_is_told(#[case] whose: Jid, #[case] number: i32, #[case] reason: &str) {
    let (mut world, alice, bob) = world();
    let members = vec!["dora".to_owned()];
    world.control(Control::Group { id: "8".into(), owner: "carl".into(), members });
    let dora = world.connect("dora", "web");
    let meta = world.note_meta(alice, Type::ChannelAck, whose, None);
    assert_eq!(world.status(alice, meta), (number, reason.into()));
    for device in [alice, bob, dora] {
        assert_eq!(world.notes(device), []);
    }
}

#[rstest]
#[case::as_the_seed_has_it("alice")]
#[case::to_the_group("7")]
fn the_sender_learns_how_many_have_read(#[case] name: &str) {
    let (mut world, alice, bob) = world();
    let carl = world.connect("carl", "web");
    let meta = asking(&mut world, alice);
    let id = accepted(&world.send(alice, meta));
    world.notes(bob);
    world.notes(carl);
    for (number, (reader, content)) in (1..).zip([(bob, "yes"), (carl, "me too")]) {
        let receipt = reading(&mut world, reader, name, id, content);
        let answer = accepted(&world.send(reader, receipt.clone()));
        let metas = world.catch_up(alice);
        let [got] = &metas[..] else { panic!("{metas:#?}") };
        assert_eq!((got.id, body_of(got).ack_message_id), (Some(answer), Some(id)));
        assert_eq!(got.to, receipt.to);
        assert_eq!(count(got), (json!({ id.to_string(): number }), content.into()));
        assert_eq!(body_of(got).from, body_of(&receipt).from);
    }
    let again = reading(&mut world, bob, name, id, "again");
    accepted(&world.send(bob, again));
    assert_eq!(world.notes(alice), [], "a second receipt of the same reader");
    assert_eq!((world.notes(bob), world.notes(carl)), (vec![], vec![]));
}

#[test]
fn every_device_of_the_sender_learns_of_a_reader_once() {
    let (mut world, alice, bob) = world();
    let phone = world.connect("alice", "phone");
    let meta = asking(&mut world, alice);
    let id = accepted(&world.send(alice, meta));
    world.notes(phone);
    let receipt = reading(&mut world, bob, "7", id, "");
    accepted(&world.send(bob, receipt));
    assert_eq!(world.notes(alice).len(), 1);
    assert_eq!(world.notes(phone).len(), 1);
}

#[test]
fn what_was_read_while_the_sender_was_away_comes_as_statistics() {
    let (mut world, alice, bob) = world();
    let carl = world.connect("carl", "web");
    let first = asking(&mut world, alice);
    let first = accepted(&world.send(alice, first));
    let second = asking(&mut world, alice);
    let second = accepted(&world.send(alice, second));
    world.hang_up(alice);
    for (reader, id, content) in [(bob, first, "1"), (carl, first, "2"), (bob, second, "3")] {
        let receipt = reading(&mut world, reader, "7", id, content);
        accepted(&world.send(reader, receipt));
    }
    let alice = world.connect("alice", "web");
    assert_eq!(world.take(alice), [], "it comes when it is asked for");
    let metas = world.catch_up(alice);
    let [statistic] = &metas[..] else { panic!("{metas:#?}") };
    assert_eq!(statistic.ns, Some(meta::NameSpace::Statistic as i32));
    let body = StatisticsBody::decode(statistic.payload.clone().expect("a body")).expect("a StatisticsBody");
    assert_eq!(body.operation, Some(0));
    let location: Value = serde_json::from_str(body.location.as_deref().expect("JSON")).expect("JSON");
    let at = world.now.0;
    let item = |id: u64, count, from, content| {
        json!({ "msg_id": id.to_string(), "group_id": "7", "read_count": count, "from": from,
                "content": content, "timestamp": at })
    };
    let items = [item(first, 2, "carl", "2"), item(second, 1, "bob", "3")];
    assert_eq!(location, json!({ "group_ack": items }));
    let phone = world.connect("alice", "phone");
    assert_eq!(world.catch_up(phone), [], "once");
}

#[test]
fn many_missed_receipts_come_in_more_than_one_statistic() {
    let (mut world, alice, bob) = world();
    let ids: Vec<u64> = (0..45)
        .map(|_| {
            let meta = asking(&mut world, alice);
            accepted(&world.send(alice, meta))
        })
        .collect();
    world.hang_up(alice);
    for &id in &ids {
        let receipt = reading(&mut world, bob, "7", id, "");
        accepted(&world.send(bob, receipt));
    }
    let alice = world.connect("alice", "web");
    let mut told = Vec::new();
    for meta in world.catch_up(alice) {
        let body = StatisticsBody::decode(meta.payload.expect("a body")).expect("a StatisticsBody");
        let location: Value = serde_json::from_str(&body.location.expect("JSON")).expect("JSON");
        let items = location["group_ack"].as_array().expect("a list").clone();
        assert!(items.len() <= 20);
        told.extend(items.iter().map(|item| item["msg_id"].as_str().expect("an id").to_owned()));
    }
    assert_eq!(told, ids.iter().map(u64::to_string).collect::<Vec<_>>());
}

#[test]
fn a_recalled_message_has_no_readers_any_more() {
    let (mut world, alice, bob) = world();
    let meta = asking(&mut world, alice);
    let id = accepted(&world.send(alice, meta));
    let recall = world.note_meta(alice, Type::Recall, jid("7", CONFERENCE_DOMAIN), Some(id));
    world.hang_up(alice);
    let receipt = reading(&mut world, bob, "7", id, "");
    accepted(&world.send(bob, receipt.clone()));
    let alice = world.connect("alice", "web");
    world.notes(alice);
    accepted(&world.send(alice, recall));
    let carl = world.connect("carl", "web");
    let receipt = reading(&mut world, carl, "7", id, "");
    assert_eq!(world.status(carl, receipt), (1, "message not found".into()));
    assert_eq!(world.notes(alice), []);
    let path = format!("/chatgroups/7/acks/{id}");
    assert_eq!(world.rest(Get, &path, "alice", &Value::Null).0, 404);
}

/// Away, told of nothing: the message is gone, or so is the user whose name somebody else has now.
#[rstest]
#[case::recalled(false)]
#[case::removed(true)]
fn of_what_is_gone_nothing_was_missed(#[case] removed: bool) {
    let (mut world, alice, bob) = world();
    world.control(Control::Admins { id: "7".into(), users: vec!["carl".into()] });
    let carl = world.connect("carl", "web");
    let meta = asking(&mut world, carl);
    let id = accepted(&world.send(carl, meta));
    world.hang_up(carl);
    let receipt = reading(&mut world, bob, "7", id, "");
    accepted(&world.send(bob, receipt));
    if removed {
        world.control(Control::RemoveUser { user: "carl".into() });
        world.register("carl");
    } else {
        world.patch(SettingsPatch { admins_recall: Some(true), ..SettingsPatch::default() });
        assert_eq!(world.note(alice, Type::Recall, jid("7", CONFERENCE_DOMAIN), id).0, 0);
    }
    let carl = world.connect("carl", "web");
    let metas = world.catch_up(carl);
    assert!(metas.iter().all(|meta| meta.ns != Some(meta::NameSpace::Statistic as i32)), "{metas:#?}");
    let path = format!("/chatgroups/7/acks/{id}");
    assert_eq!(world.rest(Get, &path, "alice", &Value::Null).0, 404);
}

#[test]
fn of_too_many_messages_that_asked_the_oldest_has_no_readers_any_more() {
    let (mut world, alice, bob) = world();
    world.hang_up(bob);
    let mut ids = Vec::new();
    for _ in 0..=10_000 {
        let meta = asking(&mut world, alice);
        ids.push(accepted(&world.send(alice, meta)));
    }
    let path = |id: u64| format!("/chatgroups/7/acks/{id}");
    assert_eq!(world.rest(Get, &path(ids[0]), "alice", &Value::Null).0, 404);
    assert_eq!(world.rest(Get, &path(ids[1]), "alice", &Value::Null).0, 200);
}

#[rstest]
#[case::the_message_did_not_ask(false, true, 1, "this message asks for no receipts")]
#[case::the_app_has_none(true, false, 1, "group message receipts are not enabled")]
fn a_receipt_that_nobody_asked_for_is_refused(
    #[case] asks: bool,
    #[case] on: bool,
    #[case] number: i32,
    #[case] reason: &str,
) {
    let (mut world, alice, bob) = world();
    let meta = match asks {
        true => asking(&mut world, alice),
        false => world.muc_meta(alice, Type::Groupchat, "7", "hi"),
    };
    let id = accepted(&world.send(alice, meta));
    world.patch(SettingsPatch { group_receipts: Some(on), ..SettingsPatch::default() });
    let receipt = reading(&mut world, bob, "7", id, "");
    assert_eq!(world.status(bob, receipt), (number, reason.into()));
    assert_eq!(world.notes(alice), []);
}

#[test]
fn who_is_not_in_the_group_reads_nothing_of_it() {
    let (mut world, alice, bob) = world();
    let meta = asking(&mut world, alice);
    let id = accepted(&world.send(alice, meta));
    world.control(Control::Leave { id: "7".into(), users: vec!["bob".into()] });
    let receipt = reading(&mut world, bob, "7", id, "");
    assert_eq!(world.status(bob, receipt), (1, "not in group or chatroom".into()));
    let group = jid("7", CONFERENCE_DOMAIN);
    let own = world.note(alice, Type::DeliverAck, group, id);
    assert_eq!(own, (1, "a receipt is for a message of somebody else".into()));
    let own = reading(&mut world, alice, "7", id, "");
    assert_eq!(world.status(alice, own), (1, "a receipt is for a message of somebody else".into()));
}

#[rstest]
#[case::owner("alice", true, 0, "")]
#[case::administrator("carl", true, 0, "")]
#[case::plain_member("bob", true, 1, "only the owner and administrators may ask for read receipts")]
#[case::switched_off("alice", false, 1, "group message receipts are not enabled")]
fn who_may_ask_for_receipts(#[case] who: &str, #[case] on: bool, #[case] number: i32, #[case] reason: &str) {
    let (mut world, ..) = world();
    world.control(Control::Admins { id: "7".into(), users: vec!["carl".into()] });
    world.patch(SettingsPatch { group_receipts: Some(on), ..SettingsPatch::default() });
    let (asker, dora) = (world.connect(who, "phone"), world.connect("dora", "web"));
    let meta = asking(&mut world, asker);
    assert_eq!(world.status(asker, meta), (number, reason.into()));
    assert_eq!(world.notes(dora).len(), usize::from(number == 0));
}
