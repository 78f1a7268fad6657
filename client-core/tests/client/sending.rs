//! Sends and their outcomes, the block list, groups and rooms (clauses build.*, send.*, fail.*).

use client_core::{
    Chat, CommandError, Content, CustomExts, Event, Ext, Failure, LocalId, Message, NewGroup, Received,
    ServerId,
};
use fixtures::wire::{CommSyncDl, RosterBody};
use prost::Message as _;
use rstest::rstest;
use serde_json::json;

use crate::stage::{Stage, answer, frame, uplink};

fn text(to: &str) -> Message {
    Message::new(Chat::Single, to, Content::Text("hi".to_owned()))
}

#[test]
fn local_ids_rise_and_stay_below_what_javascript_can_count() {
    let mut stage = Stage::open();
    let ids: Vec<LocalId> = (0..10_000).map(|_| stage.client.unique_id(stage.now)).collect();
    assert!(ids.is_sorted_by(|one, next| one < next));
    stage.advance(5);
    let sent = stage.client.send(stage.now, text("bob")).expect("a good message");
    assert!(sent > ids[9_999] && sent.0 < 1 << 53, "{sent}");
}

#[test]
fn an_accepted_message_is_sent_then_received() {
    let mut stage = Stage::open();
    let local = stage.client.send(stage.now, text("bob")).expect("a good message");
    stage.server(answer(local.0, 0, None, 1_160_000_000_000_000_001));
    let server = ServerId(1_160_000_000_000_000_001);
    assert_eq!(stage.events(), [Event::Sent { local, server }, Event::Received { local, server }]);
    assert_eq!(stage.client.next_deadline().map(|at| at.since(stage.now)), Some(30_000));
}

#[rstest]
#[case::blocked(1, Some("blocked"), 603)]
#[case::no_group(1, Some("group not found"), 605)]
#[case::not_in_it(1, Some("not in group or chatroom"), 602)]
#[case::too_late(1, Some("exceed recall time limit"), 504)]
#[case::no_recall(1, Some("message recall disabled"), 505)]
#[case::not_listed(1, Some("not in group or chatroom white list"), 506)]
#[case::other(1, Some("x"), 503)]
#[case::case_sensitive(1, Some("Blocked"), 503)]
#[case::empty(1, None, 503)]
#[case::sensitive(7, Some("sensitive words"), 501)]
#[case::spam(7, Some("blocked by mod_antispam"), 501)]
#[case::too_large(7, Some("Sorry, data is too large"), 511)]
#[case::not_permitted(7, Some("blocked"), 604)]
#[case::intercepted(19, Some("because"), 502)]
#[case::outside_the_table(2, None, 604)]
#[case::outside_the_schema(99, None, 604)]
fn a_refused_message_fails_with_the_number_of_the_table(
    #[case] code: i32,
    #[case] reason: Option<&str>,
    #[case] shown: i32,
) {
    let mut stage = Stage::open();
    let local = stage.client.send(stage.now, text("bob")).expect("a good message");
    stage.server(answer(local.0, code, reason, 0));
    let events = stage.events();
    let [Event::Failed { local: lost, failure: Failure { code: number, message, .. } }] = &events[..] else {
        panic!("one failure, not {events:?}");
    };
    assert_eq!((*lost, *number, message.as_str()), (local, shown, reason.unwrap_or_default()));

    let next = stage.client.send(stage.now, text("bob")).expect("a good message");
    stage.server(answer(next.0, 0, None, 5));
    assert_eq!(stage.events().len(), 2, "the connection lives on");
}

#[test]
fn a_muted_sender_is_told_so_and_nothing_else() {
    let mut stage = Stage::open();
    let message = stage.client.send(stage.now, text("bob")).expect("a good message");
    stage.server(answer(message.0, 15, Some("you were muted"), 0));
    assert_eq!(stage.events(), [Event::Muted { local: message }]);
    let recall = stage.client.recall(stage.now, Chat::Single, "bob", ServerId(5)).expect("logged in");
    stage.server(answer(recall.0, 15, None, 0));
    assert_eq!(stage.events(), [Event::Muted { local: recall }]);
    assert_eq!(
        stage.client.next_deadline().map(|at| at.since(stage.now)),
        Some(30_000),
        "nothing is awaited"
    );
}

#[test]
fn an_answer_without_a_status_fails_and_one_for_nobody_is_nothing() {
    let mut stage = Stage::open();
    let local = stage.client.send(stage.now, text("bob")).expect("a good message");
    let bare = |id| {
        let payload = CommSyncDl { meta_id: Some(id), ..CommSyncDl::default() };
        frame(fixtures::wire::m_sync::Command::Sync, payload.encode_to_vec())
    };
    stage.server(bare(local.0 + 1));
    assert_eq!(stage.events(), []);
    stage.server(bare(local.0));
    assert!(matches!(&stage.events()[..], [Event::Failed { failure: Failure { code: 604, .. }, .. }]));
}

#[rstest]
#[case::nobody(text(""), CommandError::NoRecipient)]
#[case::no_action(Message::new(Chat::Single, "bob", Content::Command { action: String::new() }), CommandError::NoAction)]
#[case::no_latitude(
    Message::new(Chat::Single, "bob", Content::Location { latitude: f64::NAN, longitude: 0.0, address: String::new() }),
    CommandError::NotFinite { field: "latitude" }
)]
fn what_cannot_be_sent_is_refused_before_anything_is(#[case] message: Message, #[case] error: CommandError) {
    let mut stage = Stage::open();
    assert_eq!(stage.client.send(stage.now, message), Err(error));
    assert_eq!((stage.transmits(), stage.events()), (vec![], vec![]));
}

#[test]
fn so_many_without_an_answer_and_no_more() {
    let mut stage = Stage::open();
    for _ in 0..10_000 {
        stage.client.send(stage.now, text("bob")).expect("room for it");
    }
    assert_eq!(stage.client.send(stage.now, text("bob")), Err(CommandError::OutboxFull { limit: 10_000 }));
}

#[test]
fn ext_and_custom_exts_travel_as_they_are() {
    let mut stage = Stage::open();
    let ext = Ext::from_json(json!({"a": [1, {"b": null}], "时": "间"})).expect("an object");
    let exts = CustomExts::from_json(json!({"k": "v"})).expect("strings");
    let content = Content::Custom { event: "e".to_owned(), exts };
    stage
        .client
        .send(stage.now, Message::new(Chat::Room, "7", content).with_ext(ext.clone()))
        .expect("a good message");
    // Back down the other way: what one client sends another shows.
    let up = uplink(&stage.frames()[0]).meta.expect("a meta");
    stage.server(crate::stage::page("7", vec![fixtures::wire::Meta { id: Some(3), ..up }], None, true));
    let events = stage.events();
    let [Event::Message(message)] = &events[..] else { panic!("one message, not {events:?}") };
    assert_eq!((message.chat, &message.ext), (Chat::Room, &ext));
    assert_eq!((message.from.as_str(), message.to.as_str()), ("alice", "7"));
}

#[rstest]
#[case::block(true, 6)]
#[case::unblock(false, 7)]
fn the_block_list_is_changed_by_a_roster_operation(#[case] block: bool, #[case] operation: i32) {
    let mut stage = Stage::open();
    let users = vec!["carol".to_owned(), "dave".to_owned()];
    let made =
        if block { stage.client.block(stage.now, users) } else { stage.client.unblock(stage.now, users) };
    made.expect("logged in");
    let sent = stage.frames().pop().expect("a frame");
    assert_eq!(sent.guid, None);
    let meta = uplink(&sent).meta.expect("a meta");
    assert_eq!(meta.to.clone().unwrap_or_default().domain.as_deref(), Some("@easemob.com"));
    let body = RosterBody::decode(meta.payload.clone().expect("a payload")).expect("a roster body");
    assert_eq!((body.operation, body.to.len()), (Some(operation), 2));

    stage.server(answer(meta.id(), 0, None, 1));
    assert_eq!(stage.events(), []);
    stage.client.block(stage.now, vec!["erin".to_owned()]).expect("logged in");
    let id = uplink(&stage.frames()[0]).meta.expect("a meta").id();
    stage.server(answer(id, 1, Some("no"), 0));
    assert_eq!(stage.error_codes(), [31]);
}

type Order = fn(&mut Stage) -> Result<(), CommandError>;

#[test]
fn new_groups_and_rooms_are_told_with_their_ids() {
    let mut stage = Stage::open();
    stage.client.create_group(stage.now, NewGroup::named("g")).expect("logged in");
    let call = stage.requests().pop().expect("a request").call;
    stage.http(call, 200, r#"{"data":{"groupid":"93734273351681"}}"#);
    stage.client.create_room(stage.now, "r", vec![]).expect("logged in");
    let call = stage.requests().pop().expect("a request").call;
    stage.http(call, 200, r#"{"data":{"id":"777"}}"#);
    assert_eq!(
        stage.events(),
        [
            Event::GroupCreated { group: "93734273351681".to_owned() },
            Event::RoomCreated { room: "777".to_owned() }
        ]
    );
}

#[test]
fn rest_calls_go_out_one_at_a_time_in_their_order() {
    let mut stage = Stage::open();
    stage.client.join_group(stage.now, "1").expect("logged in");
    stage.client.leave_group(stage.now, "1").expect("logged in");
    let first = stage.requests();
    assert_eq!(first.len(), 1);
    stage.http(first[0].call, 403, r#"{"error":"forbidden_op","error_description":"no way"}"#);
    let events = stage.events();
    assert!(
        matches!(&events[..], [Event::Error(Failure { code: 603, message, .. })] if message == "permission denied"),
        "{events:?}"
    );
    let second = stage.requests();
    assert!(second[0].url.ends_with("/chatgroups/1/quit"), "{second:?}");
    stage.advance(15_000);
    assert_eq!(stage.error_codes(), [-2], "no answer in time");
    stage.handle(Received::Http { call: second[0].call, answer: Err("late".to_owned()) });
    assert_eq!(stage.events(), []);
}

#[test]
fn a_call_that_nobody_waits_for_any_more_is_cancelled() {
    let mut stage = Stage::open();
    stage.client.join_group(stage.now, "1").expect("logged in");
    let late = stage.requests().pop().expect("a request").call;
    stage.advance(15_000);
    assert_eq!(stage.cancelled(), [late], "no answer in time");
    stage.client.leave_group(stage.now, "1").expect("logged in");
    let open = stage.requests().pop().expect("a request").call;
    stage.client.close();
    assert_eq!(stage.cancelled(), [open], "the session is over");

    stage.client.login_password(stage.now, "pw").expect("closed");
    let token = stage.requests().pop().expect("the token request").call;
    stage.advance(10_000);
    assert_eq!(stage.cancelled(), [token], "the login took too long");
    stage.client.login_password(stage.now, "pw").expect("given up");
    let token = stage.requests().pop().expect("the token request").call;
    stage.client.close();
    assert_eq!(stage.cancelled(), [token], "closed while logging in");

    let mut stage = Stage::open();
    stage.client.join_group(stage.now, "1").expect("logged in");
    let answered = stage.requests().pop().expect("a request").call;
    stage.http(answered, 200, "{}");
    stage.client.close();
    assert_eq!(stage.cancelled(), [], "there is nothing to cancel");
}

#[test]
fn calls_end_with_the_session_they_were_made_in() {
    let mut stage = Stage::open();
    stage.client.create_group(stage.now, NewGroup::named("g")).expect("logged in");
    stage.client.join_group(stage.now, "1").expect("logged in");
    let call = stage.requests().pop().expect("a request").call;
    stage.client.close();
    stage.events();
    stage.client.login_token(stage.now, "t").expect("closed");
    stage.let_in();
    stage.http(call, 200, r#"{"data":{"groupid":"1"}}"#);
    assert_eq!((stage.events(), stage.requests()), (vec![Event::Opened], vec![]));
}

#[rstest]
#[case::nobody(|stage: &mut Stage| stage.client.block(stage.now, vec![]), CommandError::NoUsers { command: "block" })]
#[case::no_name(|stage: &mut Stage| stage.client.create_group(stage.now, NewGroup::named("")), CommandError::NoName { command: "create_group" })]
#[case::empty_name(
    |stage: &mut Stage| stage.client.invite_to_group(stage.now, "1", vec![String::new()]),
    CommandError::NoUsers { command: "invite_to_group" }
)]
fn calls_that_name_nothing_are_refused(#[case] order: Order, #[case] error: CommandError) {
    let mut stage = Stage::open();
    assert_eq!(order(&mut stage), Err(error));
    assert_eq!(stage.transmits(), []);
}
