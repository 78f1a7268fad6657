//! A message from its sender to its recipient: what is answered, what is carried over, what is refused
//! (wire-3x §3.5, §7; clauses send.* and fail.*).

use fixtures::wire::view::{Fields, Value};
use fixtures::wire::{
    CONFERENCE_DOMAIN, CommSyncDl, Jid, KeyValue, MSync, MessageBody, Meta, USER_DOMAIN, key_value, m_sync,
    message_body,
};
use mock_server::control::SettingsPatch;
use mock_server::machine::ConnId;
use prost::Message as _;
use rstest::rstest;

use crate::world::{APP_KEY, Down, World, accepted, body, body_of, code, jid, msync, text_of, up};

fn pair() -> (World, ConnId, ConnId) {
    let mut world = World::strict(&["alice", "bob"]);
    let (alice, bob) = (world.connect("alice", "phone"), world.connect("bob", "web"));
    (world, alice, bob)
}

#[test]
fn a_taken_message_is_answered_with_the_servers_id() {
    let (mut world, alice, bob) = pair();
    world.now.0 += 7;
    let meta = world.text_meta(alice, "bob", "hi");
    let answer = world.send(alice, meta.clone());
    let id = accepted(&answer);
    assert_eq!(answer.meta_id, meta.id);
    assert_eq!(answer.timestamp, Some(world.now.0));
    assert_eq!(
        (answer.metas.len(), answer.is_last),
        (0, None),
        "SDKs would take it for a page (wire-3x §3.5)"
    );
    let metas = world.catch_up(bob);
    let [received] = &metas[..] else { panic!("{metas:#?}") };
    assert_eq!(received.id, Some(id), "the recipient knows it by the same id");
    assert_eq!(received.timestamp, answer.timestamp);
    let from = Jid { client_resource: Some("phone".into()), ..jid("alice", USER_DOMAIN) };
    assert_eq!(received.from, Some(from));
    assert_eq!(received.to, meta.to);
    assert_eq!(received.payload, meta.payload);
}

#[test]
fn ids_are_above_2_to_the_53_and_rise() {
    let (mut world, alice, bob) = pair();
    let ids: Vec<u64> = (0..50).map(|n| world.text(alice, "bob", &n.to_string())).collect();
    assert!(ids[0] > 1 << 53);
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    #[expect(clippy::cast_precision_loss, reason = "what a client does that keeps ids as doubles")]
    let as_doubles: Vec<f64> = ids.iter().map(|&id| id as f64).collect();
    assert!(as_doubles.windows(2).any(|pair| pair[0] == pair[1]), "such a client must be caught");
    let received: Vec<u64> = world.catch_up(bob).iter().filter_map(|meta| meta.id).collect();
    assert_eq!(received, ids);
}

#[test]
fn a_message_to_nobody_at_home_waits() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "phone");
    for text in ["1", "2"] {
        world.text(alice, "bob", text);
    }
    let bob = world.connect("bob", "web");
    assert_eq!(world.take(bob), [], "the client asks first");
    assert_eq!(world.texts(bob), ["1", "2"]);
}

#[test]
fn names_are_folded_for_routing_only() {
    let (mut world, alice, bob) = pair();
    world.text(alice, "BoB", "hi");
    let metas = world.catch_up(bob);
    let to = metas[0].to.as_ref().expect("to is kept");
    assert_eq!(to.name.as_deref(), Some("BoB"));
    assert_eq!(world.found(), [""; 0]);
}

/// Every field that stands in a meta, as it is on the wire.
fn fields(meta: &[u8]) -> Vec<(u32, Vec<u8>)> {
    Fields::of(meta).map(|field| field.expect("a good field")).map(|f| (f.number, f.raw.to_vec())).collect()
}

/// The first meta of a page, as it is on the wire.
fn raw_meta(page: &[u8]) -> Vec<u8> {
    let value = |message: &[u8], number: u32| {
        let found = Fields::of(message).flatten().find(|field| field.number == number);
        match found.map(|field| field.value) {
            Some(Value::Bytes(bytes)) => bytes.to_vec(),
            other => panic!("field {number}: {other:?}"),
        }
    };
    value(&value(page, 9), 4)
}

#[test]
fn what_the_server_does_not_know_it_hands_on_byte_for_byte() {
    let (mut world, alice, bob) = pair();
    let mut payload = body(message_body::Type::Chat, "alice", "bob", "hi").encode_to_vec();
    // A field of a later schema, and a known one in an order that no encoder here would choose.
    payload.extend([0xa2, 0x06, 0x02, b'h', b'o', 0x08, 0x01]);
    let meta = world.text_meta(alice, "bob", "");
    let local_id = meta.id.expect("an id");
    let mut meta = Meta {
        payload: Some(payload.into()),
        routetype: Some(1),
        directed_users: vec!["bob".into()],
        ..meta
    }
    .encode_to_vec();
    // Fields 100 (varint), 101 (fixed64), 102 (fixed32), 103 (bytes) of no schema that is known here; and an
    // overlong varint, which says the same in other bytes.
    meta.extend([0xa0, 0x06, 0x85, 0x00]);
    meta.extend([0xa9, 0x06, 1, 2, 3, 4, 5, 6, 7, 8]);
    meta.extend([0xb5, 0x06, 1, 2, 3, 4]);
    meta.extend([0xba, 0x06, 0x03, 0xff, 0xfe, 0xfd]);
    let mut sync = vec![0x0a, u8::try_from(meta.len() & 0x7f).expect("7 bits") | 0x80];
    sync.push(u8::try_from(meta.len() >> 7).expect("a short meta"));
    sync.extend(&meta);
    world.frame(alice, msync(m_sync::Command::Sync, sync));
    let Down::Sync(answer) = world.one(alice) else { panic!("an answer") };
    assert_eq!((answer.meta_id, code(&answer)), (Some(local_id), (0, "")));

    world.take(bob);
    let bytes = world.raw_answer(bob, &crate::world::pull(&jid("alice", USER_DOMAIN), None));
    let stored = raw_meta(&bytes);
    let carried = |raw: &[u8]| -> Vec<_> {
        fields(raw).into_iter().filter(|(number, _)| !matches!(number, 1 | 2 | 4)).collect()
    };
    let mut got = carried(&stored);
    let mut sent = carried(&meta);
    // Where the server puts `to` is its own business; all else keeps its order.
    for fields in [&mut got, &mut sent] {
        fields.sort_by_key(|(number, _)| *number != 3);
    }
    assert_eq!(got, sent);
}

#[rstest]
#[case::absent(None)]
#[case::empty(Some(""))]
fn an_empty_app_key_in_to_is_filled_in(#[case] app_key: Option<&str>) {
    let (mut world, alice, bob) = pair();
    let mut meta = world.text_meta(alice, "bob", "hi");
    meta.to.as_mut().expect("to").app_key = app_key.map(str::to_owned);
    accepted(&world.send(alice, meta));
    let metas = world.catch_up(bob);
    assert_eq!(metas[0].to, Some(jid("bob", USER_DOMAIN)));
    assert_eq!(world.found(), [""; 0], "3.x does so when its app key came by open() (wire-3x §1.2)");
}

#[test]
fn a_sender_cannot_pose_as_another() {
    let (mut world, alice, bob) = pair();
    let mut meta = world.text_meta(alice, "bob", "hi");
    meta.from = Some(Jid { client_resource: Some("x".into()), ..jid("carl", USER_DOMAIN) });
    meta.timestamp = Some(1);
    accepted(&world.send(alice, meta));
    let metas = world.catch_up(bob);
    let from = metas[0].from.as_ref().expect("from");
    assert_eq!((from.name.as_deref(), from.client_resource.as_deref()), (Some("alice"), Some("phone")));
    assert_eq!(metas[0].timestamp, Some(world.now.0));
}

#[test]
fn a_message_without_a_sender_is_given_one() {
    let (mut world, alice, bob) = pair();
    let meta = world.text_meta(alice, "bob", "hi");
    accepted(&world.send(alice, Meta { from: None, ..meta }));
    assert_eq!(world.texts(bob), ["hi"], "4.x leaves it out; a page without it breaks 3.x");
}

fn content(kind: message_body::content::Type) -> message_body::Content {
    message_body::Content { r#type: Some(kind as i32), ..message_body::Content::default() }
}

fn command() -> message_body::Content {
    message_body::Content { action: Some("run".into()), ..content(message_body::content::Type::Command) }
}

fn custom() -> message_body::Content {
    let pair = KeyValue {
        key: Some("k".into()),
        r#type: Some(7),
        value: Some(key_value::Value::StringValue("v".into())),
    };
    message_body::Content {
        custom_event: Some("gift".into()),
        custom_exts: vec![pair],
        ..content(message_body::content::Type::Custom)
    }
}

fn location() -> message_body::Content {
    message_body::Content {
        latitude: Some(39.9053),
        longitude: Some(-116.363_02),
        address: Some("天安门".into()),
        ..content(message_body::content::Type::Location)
    }
}

#[rstest]
#[case::command(command())]
#[case::custom(custom())]
#[case::location(location())]
fn each_kind_of_message_is_carried(#[case] content: message_body::Content) {
    let (mut world, alice, bob) = pair();
    let ext = KeyValue {
        key: Some("ext".into()),
        r#type: Some(8),
        value: Some(key_value::Value::StringValue(r#"{"a":[1,null]}"#.into())),
    };
    let mut sent = body(message_body::Type::Chat, "alice", "bob", "");
    sent.contents = vec![content];
    sent.ext = vec![ext];
    let mut meta = world.text_meta(alice, "bob", "");
    meta.payload = Some(sent.encode_to_vec().into());
    accepted(&world.send(alice, meta));
    let metas = world.catch_up(bob);
    assert_eq!(metas.iter().map(body_of).collect::<Vec<_>>(), [sent]);
}

#[test]
fn the_size_limit_is_exact() {
    let (mut world, alice, bob) = pair();
    let sized = |world: &mut World, len: usize| {
        let mut meta = world.text_meta(alice, "bob", "");
        let empty = body(message_body::Type::Chat, "alice", "bob", &"x".repeat(2_000)).encoded_len() - 2_000;
        let whole = body(message_body::Type::Chat, "alice", "bob", &"x".repeat(len - empty));
        assert_eq!(whole.encoded_len(), len);
        meta.payload = Some(whole.encode_to_vec().into());
        meta
    };
    let at_limit = sized(&mut world, 3_072);
    accepted(&world.send(alice, at_limit));
    let over = sized(&mut world, 3_073);
    let answer = world.send(alice, over.clone());
    assert_eq!(code(&answer), (7, "Sorry, data is too large"));
    assert_eq!(world.catch_up(bob).len(), 1);
    world.text(alice, "bob", "the connection lives on");
    assert_eq!(world.texts(bob), ["the connection lives on"]);
    world.patch(SettingsPatch { message_bytes_max: Some(4_000), ..SettingsPatch::default() });
    accepted(&world.send(alice, over));
    assert_eq!(world.catch_up(bob).len(), 1, "a refused local id was not used up");
}

#[rstest]
#[case::no_such_user(|meta: &mut Meta| meta.to = Some(jid("dora", USER_DOMAIN)), 1, "username dora doesn't exist!")]
#[case::no_recipient(|meta: &mut Meta| meta.to = None, 3, "meta.to.name is missing")]
#[case::nameless_recipient(|meta: &mut Meta| meta.to = Some(jid("", USER_DOMAIN)), 3, "meta.to.name is missing")]
#[case::rubbish_body(|meta: &mut Meta| meta.payload = Some(vec![0x0a].into()), 10, "meta.payload is not a MessageBody")]
#[case::rubbish_in_a_content(|meta: &mut Meta| meta.payload = Some(vec![0x22, 0x02, 0x12, 0x05].into()), 10, "meta.payload is not a MessageBody")]
#[case::no_body(|meta: &mut Meta| meta.payload = None, 3, "meta.payload is missing")]
#[case::unknown_body_type(|meta: &mut Meta| meta.payload = Some(vec![0x08, 0x09].into()), 4, "unknown body type")]
#[case::recall(|meta: &mut Meta| meta.payload = Some(vec![0x08, 0x06].into()), 3, "ackMessageId is missing")]
#[case::edit(|meta: &mut Meta| meta.payload = Some(vec![0x08, 0x08].into()), 3, "editMessageId is missing")]
#[case::read_ack(|meta: &mut Meta| meta.payload = Some(vec![0x08, 0x04].into()), 3, "ackMessageId is missing")]
#[case::muc_namespace(|meta: &mut Meta| meta.ns = Some(2), 10, "meta.payload is not a MUCBody")]
#[case::unknown_namespace(|meta: &mut Meta| meta.ns = Some(7), 9, "unknown namespace")]
#[case::group_of_nobody(|meta: &mut Meta| {
    meta.to = Some(jid("77", CONFERENCE_DOMAIN));
    meta.payload = Some(body(message_body::Type::Groupchat, "alice", "77", "x").encode_to_vec().into());
}, 1, "group not found")]
fn a_refused_message_reaches_nobody(#[case] edit: fn(&mut Meta), #[case] number: i32, #[case] reason: &str) {
    let (mut world, alice, bob) = pair();
    let mut meta = world.text_meta(alice, "bob", "hi");
    edit(&mut meta);
    let answer = world.send(alice, meta.clone());
    assert_eq!(code(&answer), (number, reason));
    assert_eq!((answer.meta_id, answer.server_id), (meta.id, None));
    assert_eq!(world.take(bob), []);
    assert_eq!(world.unread(bob), []);
    world.text(alice, "bob", "next");
    assert_eq!(world.texts(bob), ["next"]);
}

#[rstest]
#[case::known_field_of_another_type(&[0x3a, 0x01, 0xff])]
#[case::known_field_that_is_no_text(&[0x52, 0x01, 0xff])]
#[case::rubbish_in_an_ext(&[0x42, 0x02, 0x08, 0x01])]
#[case::key_of_more_than_32_bits(&[0x80, 0x80, 0x80, 0x80, 0x10, 0x00])]
fn a_meta_that_nobody_could_read_is_not_handed_on(#[case] field: &[u8]) {
    let (mut world, alice, bob) = pair();
    let mut meta = world.text_meta(alice, "bob", "poison").encode_to_vec();
    meta.extend(field);
    let mut sync = vec![0x0a];
    prost::encoding::encode_varint(meta.len() as u64, &mut sync);
    sync.extend(meta);
    world.frame(alice, msync(m_sync::Command::Sync, sync));
    let Down::Sync(answer) = world.one(alice) else { panic!("an answer") };
    assert_eq!(code(&answer), (10, "payload is not a CommSyncUL"));
    world.text(alice, "bob", "next");
    assert_eq!(world.texts(bob), ["next"], "in a page with the other it would be lost as well");
}

#[test]
fn a_message_without_a_local_id_cannot_be_answered_by_it() {
    let (mut world, alice, bob) = pair();
    let meta = world.text_meta(alice, "bob", "hi");
    world.frame(alice, up(Meta { id: None, ..meta }));
    let Down::Sync(answer) = world.one(alice) else { panic!("an answer") };
    assert_eq!((answer.meta_id, code(&answer)), (None, (3, "meta.id is missing")));
    assert_eq!(world.found(), ["send.ids: payload.meta.id is missing"]);
    assert_eq!(world.unread(bob), []);
}

#[test]
fn statistics_want_no_answer() {
    let (mut world, alice, _) = pair();
    let meta = Meta { id: Some(1), ns: Some(0), payload: Some(vec![0x08, 0].into()), ..Meta::default() };
    world.frame(alice, up(meta));
    assert_eq!(world.take(alice), []);
    assert_eq!(world.found(), [""; 0]);
}

#[test]
fn a_lax_world_keeps_what_is_for_somebody_unknown() {
    let mut world = World::lax();
    let alice = world.connect("alice", "phone");
    world.warnings.clear();
    world.text(alice, "dora", "hi");
    assert_eq!(world.warnings.len(), 1, "{:?}", world.warnings);
    let dora = world.connect("dora", "web");
    assert_eq!(world.texts(dora), ["hi"]);
    let meta = world.text_meta(alice, "no such name", "hi");
    assert_eq!(code(&world.send(alice, meta)), (1, "username no such name doesn't exist!"));
}

#[test]
fn a_strict_world_knows_only_the_registered() {
    let mut world = World::lax();
    let alice = world.connect("alice", "phone");
    world.text(alice, "dora", "hi");
    world.patch(SettingsPatch { strict: Some(true), ..SettingsPatch::default() });
    let meta = world.text_meta(alice, "dora", "hi");
    assert_eq!(
        code(&world.send(alice, meta)),
        (1, "username dora doesn't exist!"),
        "no password was ever set"
    );
}

#[rstest]
#[case::sender(
    |meta: &mut Meta| meta.payload = Some(body(message_body::Type::Chat, "carl", "bob", "x").encode_to_vec().into()),
    r#"payload.meta.payload.from.name of a CHAT: expected "alice", got "carl""#
)]
#[case::recipient(
    |meta: &mut Meta| meta.payload = Some(body(message_body::Type::Chat, "alice", "carl", "x").encode_to_vec().into()),
    r#"payload.meta.payload.to.name of a CHAT: expected "bob", got "carl""#
)]
#[case::domain(
    |meta: &mut Meta| meta.to = Some(jid("bob", CONFERENCE_DOMAIN)),
    r#"payload.meta.to.domain of a CHAT: expected "easemob.com", got "conference.easemob.com""#
)]
fn names_that_disagree_are_found_and_forgiven(#[case] edit: fn(&mut Meta), #[case] finding: &str) {
    let (mut world, alice, bob) = pair();
    let mut meta = world.text_meta(alice, "bob", "x");
    edit(&mut meta);
    accepted(&world.send(alice, meta));
    assert_eq!(world.catch_up(bob).len(), 1);
    assert_eq!(world.found(), [format!("build.chat-type: {finding}")]);
}

#[test]
fn a_message_sent_again_is_answered_as_before_and_delivered_once() {
    let (mut world, alice, bob) = pair();
    let meta = world.text_meta(alice, "bob", "hi");
    let first = world.send(alice, meta.clone());
    world.now.0 += 1_000;
    assert_eq!(world.send(alice, meta), first);
    assert_eq!(world.texts(bob), ["hi"]);
    assert_eq!(world.found(), [""; 0]);
}

#[test]
fn a_message_sent_again_after_a_reconnect_is_delivered_once() {
    let (mut world, alice, bob) = pair();
    let meta = world.text_meta(alice, "bob", "hi");
    let first = world.send(alice, meta.clone());
    world.hang_up(alice);
    let alice = world.connect("alice", "phone");
    assert_eq!(world.send(alice, meta.clone()), first);
    // Nor when the old connection is not known to be gone.
    let alice = world.connect("alice", "phone");
    assert_eq!(world.send(alice, meta), first);
    assert_eq!(world.texts(bob), ["hi"]);
}

#[test]
fn another_device_has_ids_of_its_own() {
    let (mut world, alice, bob) = pair();
    let meta = world.text_meta(alice, "bob", "from the phone");
    let first = accepted(&world.send(alice, meta.clone()));
    let web = world.connect("alice", "web");
    let payload = body(message_body::Type::Chat, "alice", "bob", "from the web").encode_to_vec();
    let second = accepted(&world.send(web, Meta { payload: Some(payload.into()), ..meta }));
    assert_ne!(first, second);
    assert_eq!(world.texts(bob), ["from the phone", "from the web"]);
    assert_eq!(world.found(), [""; 0]);
}

#[test]
fn an_id_used_for_two_messages_is_found() {
    let (mut world, alice, bob) = pair();
    let meta = world.text_meta(alice, "bob", "one");
    let first = world.send(alice, meta.clone());
    let payload = body(message_body::Type::Chat, "alice", "bob", "two").encode_to_vec();
    let id = meta.id.expect("an id");
    assert_eq!(world.send(alice, Meta { payload: Some(payload.into()), ..meta }), first);
    assert_eq!(
        world.found(),
        [format!("build.unique-id: payload.meta.id {id} was used before, for another message")]
    );
    assert_eq!(world.texts(bob), ["one"]);
}

/// SDKs of 4.x count them apart, so that their ids meet those of messages: neither is the other sent again.
#[rstest]
#[case::recall(message_body::Type::Recall)]
#[case::delivered(message_body::Type::DeliverAck)]
fn a_recall_or_a_delivered_ack_may_have_the_id_of_a_message(
    #[case] kind: message_body::Type,
    #[values(false, true)] before: bool,
) {
    let (mut world, alice, bob) = pair();
    let earlier = world.text(alice, "bob", "earlier");
    let text = world.text_meta(alice, "bob", "hi");
    let about = MessageBody { ack_message_id: Some(earlier), ..body(kind, "alice", "bob", "") };
    let note = Meta { payload: Some(about.encode_to_vec().into()), ..text.clone() };
    let (first, then) = if before { (&note, &text) } else { (&text, &note) };
    for meta in [first, then, first, then] {
        assert_eq!(world.send(alice, meta.clone()).meta_id, text.id);
    }
    let texts = world.texts(bob);
    assert_eq!(texts.iter().filter(|text| *text == "hi").count(), 1, "{texts:?}");
    assert_eq!(texts.contains(&"earlier".to_owned()), kind != message_body::Type::Recall, "{texts:?}");
    assert_eq!(world.found(), [""; 0]);
}

#[test]
fn ids_need_not_rise_to_be_told_apart() {
    let (mut world, alice, bob) = pair();
    for (id, text) in [(u64::MAX, "1"), (0, "2"), (7, "3"), (0, "2"), (u64::MAX, "1")] {
        let meta = world.text_meta(alice, "bob", text);
        accepted(&world.send(alice, Meta { id: Some(id), ..meta }));
    }
    assert_eq!(world.texts(bob), ["1", "2", "3"]);
    assert_eq!(world.found(), [""; 0]);
}

#[test]
fn messages_of_one_sender_keep_their_order() {
    let (mut world, alice, bob) = pair();
    let sent: Vec<String> = (0..300).map(|n| n.to_string()).collect();
    let mut got = Vec::new();
    for (index, text) in sent.iter().enumerate() {
        world.text(alice, "bob", text);
        // Now and then the recipient pulls in between.
        if index % 37 == 0 {
            got.extend(world.texts(bob));
        }
    }
    got.extend(world.texts(bob));
    assert_eq!(got, sent);
}

#[test]
fn a_page_says_nothing_that_a_send_answer_would() {
    let (mut world, alice, bob) = pair();
    world.text(alice, "bob", "hi");
    let page = world.pull(bob, &jid("alice", USER_DOMAIN), None);
    let CommSyncDl { meta_id, server_id, .. } = page;
    assert_eq!((meta_id, server_id), (None, None));
    assert_eq!(page.metas.iter().map(text_of).collect::<Vec<_>>(), ["hi"]);
}

#[test]
fn the_guid_of_a_frame_says_nothing_about_its_sender() {
    let (mut world, alice, bob) = pair();
    let meta = world.text_meta(alice, "bob", "hi");
    let sync = fixtures::wire::CommSyncUl { meta: Some(meta), ..fixtures::wire::CommSyncUl::default() };
    // A stale resource in a frame that was kept while the link was down (wire-3x §6.3).
    let guid = Jid {
        app_key: Some(APP_KEY.into()),
        name: Some("bob".into()),
        domain: Some(USER_DOMAIN.into()),
        client_resource: Some("old".into()),
    };
    let frame = MSync {
        guid: Some(guid),
        command: Some(0),
        payload: Some(sync.encode_to_vec().into()),
        ..MSync::default()
    };
    world.frame(alice, frame.encode_to_vec());
    let metas = world.catch_up(bob);
    let from = metas[0].from.as_ref().expect("from");
    assert_eq!((from.name.as_deref(), from.client_resource.as_deref()), (Some("alice"), Some("phone")));
}
