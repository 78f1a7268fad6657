//! Queues, pages, acknowledgement, and what is shown of a message (clauses recv.*, conn.offline-sync).

use bytes::Bytes;
use client_core::{Chat, Event, Ext, HttpMethod, IncomingContent, Place, Presence, ServerId};
use fixtures::wire::m_sync::Command;
use fixtures::wire::message_body::{Content, Type as BodyType};
use fixtures::wire::meta::NameSpace;
use fixtures::wire::{KeyValue, Meta, MucBody, RosterBody, key_value};
use prost::Message as _;
use rstest::rstest;
use serde_json::json;

use crate::stage::{
    START, Stage, chat_meta, frame, meta, notice, page, queue_jid, status, text_meta, unread,
};

fn pull(queue: &str, key: Option<u64>) -> (String, Option<u64>) {
    (queue.to_owned(), key)
}

fn numbered(from: u64, to: u64) -> Vec<Meta> {
    (from..to).map(|id| text_meta(id, &id.to_string())).collect()
}

#[test]
fn a_notice_is_pulled_each_page_acknowledged_and_the_queue_left_at_its_end() {
    let mut stage = Stage::open();
    stage.server(notice("bob"));
    assert_eq!(stage.pulls(), [pull("bob", None)]);
    stage.server(page("bob", numbered(1, 51), Some(100), false));
    assert_eq!(stage.pulls(), [pull("bob", Some(100))]);
    stage.server(page("bob", numbered(51, 53), Some(101), false));
    assert_eq!(stage.pulls(), [pull("bob", Some(101))]);
    stage.server(page("bob", vec![], None, true));
    assert_eq!(stage.pulls(), []);
    assert_eq!(stage.texts(), (1..53).map(|id| id.to_string()).collect::<Vec<_>>());
    assert_eq!(
        stage.client.next_deadline().map(|at| at.since(START)),
        Some(30_000),
        "only the heartbeat waits"
    );

    stage.server(notice("bob"));
    assert_eq!(stage.pulls(), [pull("bob", None)]);
}

#[test]
fn every_queue_of_an_unread_answer_is_pulled_once() {
    let mut stage = Stage::open();
    stage.server(unread(&["bob", "carol"]));
    stage.server(unread(&["bob", "carol"]));
    assert_eq!(stage.pulls(), [pull("bob", None), pull("carol", None)]);
}

#[test]
fn a_notice_during_a_pull_is_pulled_after_it_unless_a_later_pull_covers_it() {
    let mut stage = Stage::open();
    stage.server(notice("bob"));
    stage.server(notice("bob"));
    stage.frames();
    stage.server(page("bob", vec![], None, true));
    assert_eq!(stage.pulls(), [pull("bob", None)], "the empty answer was older than the notice");
    stage.server(notice("bob"));
    stage.server(page("bob", numbered(1, 2), Some(7), false));
    assert_eq!(stage.pulls(), [pull("bob", Some(7))]);
    stage.server(page("bob", vec![], None, true));
    assert_eq!(stage.pulls(), [], "the acknowledgement went out after the notice");
}

#[test]
fn a_user_and_a_group_of_one_name_are_two_queues() {
    let mut stage = Stage::open();
    stage.server(notice("123"));
    let group = fixtures::wire::Jid { domain: Some("conference.easemob.com".to_owned()), ..queue_jid("123") };
    let group = fixtures::wire::CommNotice { queue: Some(group) };
    stage.server(frame(Command::Notice, group.encode_to_vec()));
    assert_eq!(stage.pulls().len(), 2);
}

#[rstest]
#[case::last_without_a_key(None, true, vec![])]
#[case::last_with_a_key(Some(9), true, vec![pull("bob", Some(9))])]
#[case::key_and_not_last(Some(9), false, vec![pull("bob", Some(9))])]
#[case::neither(None, false, vec![])]
fn a_page_that_nobody_asked_for_is_shown_and_acknowledged_if_it_can_be(
    #[case] next_key: Option<u64>,
    #[case] is_last: bool,
    #[case] pulls: Vec<(String, Option<u64>)>,
) {
    let mut stage = Stage::open();
    stage.server(page("bob", numbered(1, 3), next_key, is_last));
    assert_eq!(stage.texts(), ["1", "2"]);
    assert_eq!(stage.pulls(), pulls);
}

#[test]
fn a_repeated_page_is_shown_once_even_after_a_reconnect() {
    let mut stage = Stage::open();
    stage.server(notice("bob"));
    stage.server(page("bob", numbered(1, 51), Some(100), false));
    stage.server(page("bob", numbered(1, 51), Some(100), false));
    assert_eq!(stage.pulls(), [pull("bob", None), pull("bob", Some(100))], "and acknowledged once");
    stage.cut();
    stage.let_in();
    stage.server(page("bob", numbered(1, 52), Some(101), false));
    assert_eq!(stage.texts().len(), 51);
}

#[test]
fn a_pull_without_an_answer_is_made_again_then_left_to_the_next_unread() {
    let mut stage = Stage::open();
    stage.server(notice("bob"));
    stage.frames();
    stage.advance(10_000);
    assert_eq!(stage.pulls(), [pull("bob", None)]);
    stage.advance(10_000);
    assert_eq!(stage.pulls(), [pull("bob", None)]);
    stage.advance(10_000);
    assert_eq!(stage.pulls(), []);
    stage.server(unread(&["bob"]));
    assert_eq!(stage.pulls(), [pull("bob", None)]);
}

#[test]
fn one_meta_that_cannot_be_read_costs_none_of_its_neighbours() {
    let mut stage = Stage::open();
    let mut bad_ext = fixtures::wire::MessageBody::default();
    bad_ext.ext.push(KeyValue {
        key: Some("k".to_owned()),
        r#type: Some(8),
        value: Some(key_value::Value::StringValue("{".to_owned())),
    });
    let metas = vec![
        text_meta(1, "first"),
        meta(2, NameSpace::Chat, vec![0xff, 0xff]),
        meta(3, NameSpace::Chat, bad_ext.encode_to_vec()),
        Meta { payload: None, ..text_meta(4, "") },
        text_meta(5, "last"),
    ];
    // A meta that is no Meta, spliced between two good ones: field 4, two bytes of rubbish.
    let mut payload = page("bob", metas, Some(8), false).payload.expect("a payload").to_vec();
    payload.extend([0x22, 0x02, 0xff, 0xff]);
    payload.extend([0x22, 0x00]);
    let more = page("bob", vec![text_meta(6, "after")], None, false).payload.expect("a payload");
    payload.extend(&more[..]);
    stage.server(frame(Command::Sync, payload));

    let events = stage.events();
    assert_eq!(crate::stage::texts_of(&events), ["first", "last", "after"]);
    let errors = events.iter().filter(|event| matches!(event, Event::Error(failure) if failure.code == 604));
    assert_eq!((errors.count(), events.len()), (5, 8));
    assert_eq!(stage.pulls(), [pull("bob", Some(8))], "the page is acknowledged");
    assert_eq!(stage.hang_ups(), []);
}

#[test]
fn a_frame_that_cannot_be_read_is_told_and_what_it_may_have_held_is_asked_for() {
    let mut stage = Stage::open();
    stage.server(notice("bob"));
    stage.frames();
    stage.server_bytes(vec![0xff; 9]);
    stage.server_bytes(vec![0xff; 9]);
    assert_eq!(stage.error_codes(), [604, 604]);
    let asked = stage.frames();
    assert_eq!(asked.len(), 1, "one UNREAD, not a storm");
    assert_eq!(asked[0].command, Some(1));
    stage.server(unread(&["bob", "carol"]));
    assert_eq!(stage.pulls(), [pull("bob", None), pull("carol", None)]);
    stage.server(page("bob", numbered(1, 2), Some(1), false));
    assert_eq!(stage.texts(), ["1"]);
}

#[rstest]
#[case::text(Content { r#type: Some(0), text: Some("hi".into()), ..Content::default() }, IncomingContent::Text("hi".into()))]
#[case::command(Content { r#type: Some(6), action: Some("act".into()), ..Content::default() }, IncomingContent::Command { action: "act".into() })]
#[case::custom(
    Content { r#type: Some(7), custom_event: Some("e".into()), custom_exts: vec![KeyValue { key: Some("a".into()), r#type: Some(7), value: Some(key_value::Value::StringValue("1".into())) }], ..Content::default() },
    IncomingContent::Custom { event: "e".into(), exts: json!({"a": "1"}).as_object().cloned().unwrap_or_default() }
)]
#[case::location(
    Content { r#type: Some(3), latitude: Some(39.9), longitude: Some(116.4), address: Some("BJ".into()), ..Content::default() },
    IncomingContent::Location { latitude: 39.9, longitude: 116.4, address: "BJ".into() }
)]
fn each_kind_is_shown_with_its_fields(#[case] content: Content, #[case] shown: IncomingContent) {
    let mut stage = Stage::open();
    stage.server(page(
        "bob",
        vec![chat_meta(1_160_000_000_000_000_001, BodyType::Chat, vec![content])],
        None,
        true,
    ));
    let events = stage.events();
    let [Event::Message(message)] = &events[..] else { panic!("one message, not {events:?}") };
    assert_eq!(message.content, shown);
    assert_eq!(message.id, ServerId(1_160_000_000_000_000_001));
    assert_eq!((message.from.as_str(), message.to.as_str()), ("Bob", "alice"), "as the body spells them");
    assert_eq!((message.chat, message.time, &message.ext), (Chat::Single, START, &Ext::default()));
}

#[rstest]
#[case::group(BodyType::Groupchat, Chat::Group)]
#[case::room(BodyType::Chatroom, Chat::Room)]
#[case::of_old(BodyType::Normal, Chat::Single)]
fn the_body_says_what_chat_it_is(#[case] kind: BodyType, #[case] chat: Chat) {
    let mut stage = Stage::open();
    stage.server(page("bob", vec![chat_meta(1, kind, vec![Content::default()])], None, true));
    let events = stage.events();
    let [Event::Message(message)] = &events[..] else { panic!("one message, not {events:?}") };
    assert_eq!(message.chat, chat);
}

#[test]
fn several_contents_are_several_messages_and_unknown_ones_none() {
    let mut stage = Stage::open();
    let text = |text: &str| Content { r#type: Some(0), text: Some(text.to_owned()), ..Content::default() };
    let unknown = Content { r#type: Some(99), ..Content::default() };
    stage.server(page(
        "bob",
        vec![chat_meta(1, BodyType::Chat, vec![text("a"), unknown, text("b")])],
        None,
        true,
    ));
    let events = stage.events();
    assert_eq!(
        (crate::stage::texts_of(&events).as_slice(), events.len()),
        (&["a".to_owned(), "b".to_owned()][..], 2)
    );
}

#[test]
fn a_meta_without_a_sender_and_one_without_an_id_are_shown() {
    let mut stage = Stage::open();
    let metas = vec![
        Meta { from: None, ..text_meta(1, "no from") },
        Meta { id: None, ..text_meta(0, "no id") },
        Meta { id: None, ..text_meta(0, "nor this") },
    ];
    stage.server(page("bob", metas, None, true));
    assert_eq!(stage.texts(), ["no from", "no id", "nor this"]);
}

#[rstest]
#[case::invite(7, false, "invite", Place::Group("9".into()))]
#[case::kick(10, false, "removedFromGroup", Place::Group("9".into()))]
#[case::destroyed(1, false, "deleteGroupChat", Place::Group("9".into()))]
#[case::joined(17, false, "memberJoinPublicGroupSuccess", Place::Group("9".into()))]
#[case::joined_room(17, true, "memberJoinChatRoomSuccess", Place::Room("9".into()))]
#[case::left(18, false, "leaveGroup", Place::Group("9".into()))]
#[case::left_room(18, true, "leaveChatRoom", Place::Room("9".into()))]
#[case::direct(19, false, "direct_joined", Place::Group("9".into()))]
#[case::muted(23, false, "addMute", Place::Group("9".into()))]
#[case::listed(29, false, "addUserToGroupWhiteList", Place::Group("9".into()))]
#[case::listed_in_room(29, true, "addUserToChatRoomWhiteList", Place::Room("9".into()))]
#[case::unlisted(30, false, "rmUserFromGroupWhiteList", Place::Group("9".into()))]
#[case::unlisted_in_room(30, true, "rmUserFromChatRoomWhiteList", Place::Room("9".into()))]
#[case::silenced(31, false, "muteGroup", Place::Group("9".into()))]
#[case::silenced_room(31, true, "muteChatRoom", Place::Room("9".into()))]
#[case::unsilenced(32, false, "rmGroupMute", Place::Group("9".into()))]
#[case::unsilenced_room(32, true, "rmChatRoomMute", Place::Room("9".into()))]
fn changes_of_groups_and_rooms_are_shown(
    #[case] operation: i32,
    #[case] is_chatroom: bool,
    #[case] kind: &'static str,
    #[case] place: Place,
) {
    let mut stage = Stage::open();
    let body = MucBody {
        muc_id: Some(queue_jid("9")),
        operation: Some(operation),
        from: Some(queue_jid("bob")),
        to: vec![queue_jid("alice")],
        is_chatroom: Some(is_chatroom),
        reason: Some("why".to_owned()),
        ..MucBody::default()
    };
    stage.server(page("", vec![meta(1, NameSpace::Muc, body.encode_to_vec())], None, true));
    let (from, to, status) = ("bob".to_owned(), "alice".to_owned(), "why".to_owned());
    assert_eq!(stage.events(), [Event::Presence(Presence { kind, from, to, status, place })]);
}

#[rstest]
#[case::created(0)]
#[case::thread(33)]
#[case::to_come(99)]
fn group_operations_without_a_word_are_silent(#[case] operation: i32) {
    let mut stage = Stage::open();
    let body = MucBody { muc_id: Some(queue_jid("9")), operation: Some(operation), ..MucBody::default() };
    stage.server(page("", vec![meta(1, NameSpace::Muc, body.encode_to_vec())], None, true));
    assert_eq!(stage.events(), []);
}

fn roster_meta(id: u64, operation: i32) -> Meta {
    let body = RosterBody {
        operation: Some(operation),
        from: Some(queue_jid("bob")),
        to: vec![queue_jid("alice")],
        ..RosterBody::default()
    };
    meta(id, NameSpace::Roster, body.encode_to_vec())
}

#[rstest]
#[case::asked(2, "subscribe")]
#[case::removed(3, "unsubscribed")]
#[case::accepted_here(4, "subscribed")]
#[case::declined_here(5, "unsubscribed")]
#[case::accepted(8, "subscribed")]
#[case::declined(9, "unsubscribed")]
fn changes_of_contacts_are_shown(#[case] operation: i32, #[case] kind: &'static str) {
    let mut stage = Stage::open();
    stage.server(page("", vec![roster_meta(1, operation)], None, true));
    let (from, to, status) = ("bob".to_owned(), "alice".to_owned(), String::new());
    let shown = Presence { kind, from, to, status, place: Place::Contacts };
    assert_eq!(stage.events(), [Event::Presence(shown)]);
}

#[rstest]
#[case::ban(6)]
#[case::allow(7)]
fn when_the_block_list_changed_the_whole_of_it_is_fetched(#[case] operation: i32) {
    let mut stage = Stage::open();
    stage.server(page("", vec![roster_meta(1, operation)], None, true));
    let request = stage.requests().pop().expect("a request");
    assert_eq!(
        (request.method, request.url.as_str(), request.bearer.as_deref()),
        (HttpMethod::Get, "http://127.0.0.1:4000/org/app/users/alice/blocks/users", Some("t"))
    );
    stage.http(request.call, 200, r#"{"data":["carol","dave"],"count":2}"#);
    assert_eq!(stage.events(), [Event::BlacklistUpdate(vec!["carol".to_owned(), "dave".to_owned()])]);
}

#[test]
fn a_refused_pull_is_told_and_the_queue_is_free_again() {
    let mut stage = Stage::open();
    stage.server(notice("bob"));
    let refusal = fixtures::wire::CommSyncDl {
        status: Some(status(1, Some("no"))),
        queue: Some(queue_jid("bob")),
        ..Default::default()
    };
    stage.server(frame(Command::Sync, refusal.encode_to_vec()));
    assert_eq!(stage.error_codes(), [604]);
    stage.frames();
    stage.server(notice("bob"));
    assert_eq!(stage.pulls(), [pull("bob", None)]);
}

#[test]
fn frames_of_a_link_that_was_left_are_not_heard() {
    let mut stage = Stage::open();
    let old = stage.link();
    stage.cut();
    stage.let_in();
    stage.events();
    let bytes = Bytes::from(page("bob", numbered(1, 2), None, true).encode_to_vec());
    let message = client_core::WireMessage::Binary(bytes);
    stage.handle(client_core::Received::Message { link: old, message });
    stage.handle(client_core::Received::HungUp { link: old, reason: "late".to_owned() });
    assert_eq!((stage.events(), stage.dials()), (vec![], vec![]));
}
