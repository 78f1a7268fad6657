//! An app's own server is asked before a message is taken (rest.md B.9; clause fail.502).

use fixtures::wire::message_body::{Content, Type, content};
use fixtures::wire::{KeyValue, MessageBody, Meta, key_value, meta};
use mock_server::control::{Control, ControlError, MessageKind, SettingsPatch, Verdict, Webhook};
use mock_server::machine::{ConnId, Input, WebhookAnswer, WebhookId};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{Down, START, World, accepted, body_of, code, config, jid, text_of, up, with_body};

fn rule() -> Webhook {
    Webhook { url: "http://127.0.0.1:1/ask".into(), secret: "s3cret".into(), ..Webhook::default() }
}

fn world(rules: Vec<Webhook>) -> (World, ConnId, ConnId) {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    let members = vec!["bob".to_owned()];
    world.control(Control::Group { id: "7".into(), owner: "alice".into(), members: members.clone() });
    world.control(Control::Room { id: "8".into(), owner: "alice".into(), members });
    world.patch(SettingsPatch { webhooks: Some(rules), ..SettingsPatch::default() });
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    (world, alice, bob)
}

/// The one question that is open.
fn asked(world: &mut World) -> (WebhookId, Value) {
    assert_eq!(world.webhooks.len(), 1, "{:?}", world.webhooks);
    let (id, request) = world.webhooks.remove(0);
    (id, serde_json::from_slice(&request.body).expect("JSON"))
}

fn answer(world: &mut World, id: WebhookId, answer: &Value) {
    let body = answer.to_string().into();
    world.input(Input::Webhook { id, answer: WebhookAnswer::Answered { status: 200, body } });
}

/// Sends a text that waits for an answer.
fn send(world: &mut World, conn: ConnId, to: &str, text: &str) -> Meta {
    let meta = world.text_meta(conn, to, text);
    world.frame(conn, up(meta.clone()));
    assert_eq!(world.take(conn), [], "no answer yet");
    meta
}

/// The answers to messages that came since the last look, by local id.
fn answers(world: &mut World, conn: ConnId) -> Vec<(u64, i32, String)> {
    let frames = world.take(conn);
    let answer = |frame: &Down| match frame {
        Down::Sync(answer) => answer.meta_id.map(|id| {
            let (number, reason) = code(answer);
            (id, number, reason.to_owned())
        }),
        Down::Provision(_) | Down::Unread(_) | Down::Notice(_) | Down::Rubbish(_) => None,
    };
    frames.iter().filter_map(answer).collect()
}

#[test]
fn the_question_is_as_the_contract_says() {
    let (mut world, alice, bob) = world(vec![Webhook { timeout_ms: 1_234, ..rule() }]);
    let meta = world.text_meta(alice, "BoB", "hi");
    world.frame(alice, up(meta));
    let (_, request) = world.webhooks[0].clone();
    assert_eq!((request.url.as_str(), request.timeout_ms), ("http://127.0.0.1:1/ask", 1_234));
    let (id, question) = asked(&mut world);
    assert_eq!(world.server.unfinished().len(), 1, "a world that waits is not quiet");
    let call_id = question["callId"].as_str().expect("a call id").to_owned();
    let uuid = call_id.strip_prefix("org#app_").expect("the app key first");
    assert_eq!(uuid.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
    let msg_id = question["msg_id"].as_str().expect("an id").to_owned();
    let security = question["security"].as_str().expect("a signature").to_owned();
    assert_eq!(
        question,
        json!({
            "callId": call_id, "timestamp": START.0, "chat_type": "chat", "from": "alice", "to": "bob",
            "msg_id": msg_id, "securityVersion": "1.0.0", "security": security,
            "payload": { "bodies": [{ "type": "txt", "msg": "hi" }], "ext": {}, "from": "alice", "to": "BoB" },
        })
    );
    answer(&mut world, id, &json!({ "valid": true }));
    let Some(Down::Sync(taken)) = world.take(alice).pop() else { panic!("an answer") };
    assert_eq!(accepted(&taken).to_string(), msg_id, "it keeps the id that the app was told");
    let metas = world.catch_up(bob);
    assert_eq!(metas.iter().map(|meta| meta.id).collect::<Vec<_>>(), [taken.server_id]);
    assert_eq!(world.server.unfinished(), [""; 0]);
}

/// The signature is what md5sum says of the three, one behind another.
#[test]
fn the_signature_is_md5_of_call_id_secret_and_time() {
    let (mut world, alice, _) = world(vec![rule()]);
    send(&mut world, alice, "bob", "hi");
    let (_, question) = asked(&mut world);
    assert_eq!(question["callId"], CALL_ID);
    assert_eq!(question["security"], SECURITY);
}

const CALL_ID: &str = "org#app_57092356-0632-dd1b-59b0-e052ce9a74dd";
const SECURITY: &str = "db4fce88cc7092afeb715574a8beafcb";

#[rstest]
#[case::group(Type::Groupchat, "7", Some("7"))]
#[case::room(Type::Chatroom, "8", None)]
fn groups_and_rooms_are_groupchat(#[case] kind: Type, #[case] id: &str, #[case] group_id: Option<&str>) {
    let (mut world, alice, bob) = world(vec![rule()]);
    let meta = world.muc_meta(alice, kind, id, "hi");
    world.frame(alice, up(meta));
    let (call, question) = asked(&mut world);
    assert_eq!(question["chat_type"], "groupchat");
    assert_eq!(question.get("group_id").and_then(Value::as_str), group_id);
    assert_eq!(question["to"], id);
    answer(&mut world, call, &json!({ "valid": true }));
    assert_eq!(world.texts(bob), ["hi"]);
}

#[rstest]
#[case::with_a_code(json!({ "valid": false, "code": "not here" }), "not here")]
#[case::without(json!({ "valid": false }), "custom logic denied")]
#[case::with_an_empty_one(json!({ "valid": false, "code": "" }), "custom logic denied")]
fn a_refusal_reaches_the_sender_and_nobody_else(#[case] said: Value, #[case] reason: &str) {
    let (mut world, alice, bob) = world(vec![rule()]);
    let meta = send(&mut world, alice, "bob", "hi");
    let (id, _) = asked(&mut world);
    answer(&mut world, id, &said);
    assert_eq!(answers(&mut world, alice), [(meta.id.expect("an id"), 19, reason.into())]);
    assert_eq!(world.unread(bob), []);
    let meta = send(&mut world, alice, "bob", "again");
    let (id, _) = asked(&mut world);
    answer(&mut world, id, &json!({ "valid": true }));
    assert_eq!(answers(&mut world, alice), [(meta.id.expect("an id"), 0, String::new())]);
    assert_eq!(world.texts(bob), ["again"]);
}

#[test]
fn a_rule_that_reports_no_error_refuses_in_silence() {
    let (mut world, alice, bob) = world(vec![Webhook { report_error: false, ..rule() }]);
    let meta = send(&mut world, alice, "bob", "hi");
    let (id, _) = asked(&mut world);
    answer(&mut world, id, &json!({ "valid": false, "code": "no" }));
    assert_eq!(answers(&mut world, alice), [(meta.id.expect("an id"), 0, String::new())]);
    assert_eq!(world.unread(bob), []);
    world.frame(alice, up(meta));
    assert_eq!(answers(&mut world, alice).len(), 1, "and again the same, without a question");
    assert_eq!(world.webhooks, []);
}

fn http(status: u16, body: &str) -> WebhookAnswer {
    WebhookAnswer::Answered { status, body: body.to_owned().into() }
}

#[rstest]
#[case::silence(WebhookAnswer::TimedOut)]
#[case::nobody_there(WebhookAnswer::Failed("connection refused".into()))]
#[case::no_json(http(200, "rubbish"))]
#[case::no_verdict(http(200, "{}"))]
#[case::a_verdict_that_is_none(http(200, r#"{"valid":"yes"}"#))]
#[case::another_status(http(500, r#"{"valid":true}"#))]
#[case::a_picture_for_a_text(http(200, r#"{"valid":true,"payload":{"bodies":[{"type":"img","url":"x"}]}}"#))]
#[case::too_large(http(200, &json!({ "valid": true, "payload": { "bodies": [{ "type": "txt", "msg": "x".repeat(1_000) }] } }).to_string()))]
fn without_a_good_answer_the_rule_decides(
    #[case] said: WebhookAnswer,
    #[values(Verdict::Pass, Verdict::Refuse)] on_timeout: Verdict,
) {
    let (mut world, alice, bob) = world(vec![Webhook { on_timeout, ..rule() }]);
    let meta = send(&mut world, alice, "bob", "hi");
    let (id, _) = asked(&mut world);
    world.input(Input::Webhook { id, answer: said });
    let (number, reason, texts) = match on_timeout {
        Verdict::Pass => (0, "", vec!["hi"]),
        Verdict::Refuse => (19, "custom internal error", vec![]),
    };
    assert_eq!(answers(&mut world, alice), [(meta.id.expect("an id"), number, reason.into())]);
    assert_eq!(world.texts(bob), texts);
    assert_eq!(world.warnings.len(), 1, "the person at the desk is told why");
}

#[test]
fn a_rule_may_put_another_text() {
    let (mut world, alice, bob) = world(vec![rule()]);
    let meta = world.text_meta(alice, "bob", "darn");
    let ext = KeyValue {
        key: Some("k".into()),
        r#type: Some(key_value::ValueType::String as i32),
        value: Some(key_value::Value::StringValue("v".into())),
    };
    let body = MessageBody { ext: vec![ext], ..body_of(&meta) };
    let meta = with_body(meta, &body);
    world.frame(alice, up(meta.clone()));
    let (id, _) = asked(&mut world);
    answer(
        &mut world,
        id,
        &json!({ "valid": true, "payload": { "bodies": [{ "type": "txt", "msg": "****" }] } }),
    );
    let metas = world.catch_up(bob);
    let mut expected = body;
    expected.contents[0].text = Some("****".into());
    assert_eq!(body_of(&metas[0]), expected, "all else is as it was");
    assert_eq!(metas[0].to, meta.to);
    world.frame(alice, up(meta));
    assert_eq!(answers(&mut world, alice).len(), 2, "sent again it is known, whatever became of it");
    assert_eq!(world.unread(bob), []);
}

#[rstest]
#[case::text(content::Type::Text, true)]
#[case::image(content::Type::Image, true)]
#[case::video(content::Type::Video, true)]
#[case::location(content::Type::Location, true)]
#[case::voice(content::Type::Voice, true)]
#[case::file(content::Type::File, true)]
#[case::custom(content::Type::Custom, true)]
#[case::cmd(content::Type::Command, false)]
fn the_contract_lists_what_is_asked_about(#[case] kind: content::Type, #[case] is_asked: bool) {
    let (mut world, alice, bob) = world(vec![rule()]);
    let meta = world.text_meta(alice, "bob", "");
    let contents = vec![Content { r#type: Some(kind as i32), ..Content::default() }];
    let body = MessageBody { contents, ..body_of(&meta) };
    world.frame(alice, up(with_body(meta, &body)));
    assert_eq!(world.webhooks.len(), usize::from(is_asked));
    assert_eq!(world.unread(bob).len(), usize::from(!is_asked));
}

#[test]
fn a_rule_is_asked_about_its_kinds_only_and_receipts_are_no_messages() {
    let (mut world, alice, bob) = world(vec![Webhook { kinds: vec![MessageKind::Image], ..rule() }]);
    let id = world.text(alice, "bob", "hi");
    assert_eq!(world.note(bob, Type::ReadAck, jid("alice", fixtures::wire::USER_DOMAIN), id).0, 0);
    assert_eq!(world.note(alice, Type::Recall, jid("bob", fixtures::wire::USER_DOMAIN), id).0, 0);
    assert_eq!(world.webhooks, []);
}

#[test]
fn what_the_same_device_sends_waits_behind_it_and_others_go_on() {
    let (mut world, alice, bob) = world(vec![rule()]);
    let phone = world.connect("alice", "phone");
    let first = send(&mut world, alice, "bob", "1");
    let (one, _) = asked(&mut world);
    let second = send(&mut world, alice, "bob", "2");
    let meta = world.text_meta(alice, "bob", "");
    let contents = vec![Content { r#type: Some(6), action: Some("3".into()), ..Content::default() }];
    let third = with_body(meta.clone(), &MessageBody { contents, ..body_of(&meta) });
    world.frame(alice, up(third.clone()));
    assert_eq!(world.webhooks, [], "one at a time");
    assert_eq!(world.take(alice), [], "a command is not asked about, but it may not overtake");
    send(&mut world, phone, "bob", "from elsewhere");
    let (other, _) = asked(&mut world);
    answer(&mut world, other, &json!({ "valid": true }));
    assert_eq!(world.texts(bob), ["from elsewhere"]);
    answer(&mut world, one, &json!({ "valid": true }));
    let (two, _) = asked(&mut world);
    assert_eq!(answers(&mut world, alice).len(), 1);
    assert_eq!(world.texts(bob), ["1"]);
    answer(&mut world, two, &json!({ "valid": false }));
    let (second, third) = (second.id.expect("an id"), third.id.expect("an id"));
    let told = [(second, 19, "custom logic denied".to_owned()), (third, 0, String::new())];
    assert_eq!(answers(&mut world, alice), told);
    let metas = world.catch_up(bob);
    assert_eq!(body_of(&metas[0]).contents[0].action.as_deref(), Some("3"));
    // The first again: its answer was lost.
    world.frame(alice, up(first));
    assert_eq!(answers(&mut world, alice).len(), 1);
    assert_eq!(world.webhooks, []);
    let (again, before) = world.replay(mock_server::machine::Config {
        settings: mock_server::control::Settings { strict: true, ..Default::default() },
        ..config()
    });
    assert_eq!(&again[..], before, "the same inputs, the same outputs");
}

#[test]
fn a_message_sent_twice_while_it_waits_is_taken_once() {
    let (mut world, alice, bob) = world(vec![rule()]);
    let meta = send(&mut world, alice, "bob", "1");
    world.frame(alice, up(meta));
    let (id, _) = asked(&mut world);
    answer(&mut world, id, &json!({ "valid": true }));
    assert_eq!(answers(&mut world, alice).len(), 2);
    assert_eq!(world.webhooks, []);
    assert_eq!(world.texts(bob), ["1"]);
}

#[rstest]
#[case::stays_away(false)]
#[case::comes_back(true)]
fn a_sender_who_has_gone_has_said_it_all_the_same(#[case] back: bool) {
    let (mut world, alice, bob) = world(vec![rule()]);
    let meta = send(&mut world, alice, "bob", "1");
    send(&mut world, alice, "bob", "2");
    let (one, _) = asked(&mut world);
    world.hang_up(alice);
    let alice = back.then(|| world.connect("alice", "web"));
    answer(&mut world, one, &json!({ "valid": true }));
    let (two, _) = asked(&mut world);
    answer(&mut world, two, &json!({ "valid": true }));
    assert_eq!(world.texts(bob), ["1", "2"]);
    let alice = alice.unwrap_or_else(|| world.connect("alice", "web"));
    world.take(alice);
    world.frame(alice, up(meta));
    assert_eq!(answers(&mut world, alice).len(), 1, "sent again after the gap, it is known");
    assert_eq!((world.texts(bob), world.texts(alice)), (vec![], vec![]));
}

/// What cannot be taken is refused when its turn comes, and nobody is there to be told.
#[rstest]
#[case::no_roster_body(meta::NameSpace::Roster as i32, Some(1))]
#[case::not_served(meta::NameSpace::Muc as i32, Some(1))]
#[case::no_namespace(77, Some(1))]
#[case::no_id(meta::NameSpace::Chat as i32, None)]
fn what_waited_is_refused_to_nobody_who_has_gone(
    #[case] ns: i32,
    #[case] id: Option<u64>,
    #[values(Gone::Away, Gone::ToldToGo)] gone: Gone,
) {
    let (mut world, alice, bob) = world(vec![rule()]);
    send(&mut world, alice, "bob", "1");
    let payload = Some(vec![0xff].into());
    world.frame(alice, up(Meta { id, ns: Some(ns), payload, ..Meta::default() }));
    send(&mut world, alice, "bob", "2");
    let (one, _) = asked(&mut world);
    match gone {
        Gone::Away => world.hang_up(alice),
        Gone::ToldToGo => drop(world.connect("alice", "web")),
    }
    answer(&mut world, one, &json!({ "valid": true }));
    let (two, _) = asked(&mut world);
    answer(&mut world, two, &json!({ "valid": true }));
    assert_eq!(world.texts(bob), ["1", "2"]);
}

#[derive(Clone, Copy, Debug)]
enum Gone {
    Away,
    ToldToGo,
}

#[test]
fn what_others_said_meanwhile_is_lost_to_nobody() {
    let (mut world, alice, bob) = world(vec![Webhook { kinds: vec![MessageKind::Text], ..rule() }]);
    send(&mut world, alice, "bob", "asked");
    let (id, _) = asked(&mut world);
    // Bob's phone goes while the message waits whose id is already given out.
    let phone = world.connect("bob", "phone");
    world.hang_up(phone);
    world.control(Control::Texts { from: "alice".into(), to: "bob".into(), text: "staged".into(), count: 1 });
    answer(&mut world, id, &json!({ "valid": true }));
    let phone = world.connect("bob", "phone");
    for device in [bob, phone] {
        assert_eq!(world.texts(device), ["staged", "asked"]);
    }
}

#[test]
fn a_message_that_waited_can_be_recalled() {
    let (mut world, alice, bob) = world(vec![rule()]);
    let meta = send(&mut world, alice, "bob", "asked");
    let (call, question) = asked(&mut world);
    world.control(Control::Texts { from: "alice".into(), to: "bob".into(), text: "staged".into(), count: 3 });
    answer(&mut world, call, &json!({ "valid": true }));
    assert_eq!(answers(&mut world, alice), [(meta.id.expect("an id"), 0, String::new())]);
    let id = question["msg_id"].as_str().and_then(|id| id.parse().ok()).expect("a number");
    assert_eq!(world.note(alice, Type::Recall, jid("bob", fixtures::wire::USER_DOMAIN), id).0, 0);
    let metas = world.catch_up(bob);
    let kinds: Vec<i32> = metas.iter().filter_map(|meta| body_of(meta).r#type).collect();
    assert_eq!(kinds, [1, 1, 1, Type::Recall as i32]);
    assert_eq!(text_of(&metas[0]), "staged");
}

#[test]
fn the_world_may_have_changed_when_the_answer_comes() {
    let (mut world, alice, bob) = world(vec![rule()]);
    let meta = world.muc_meta(bob, Type::Groupchat, "7", "hi");
    world.frame(bob, up(meta.clone()));
    let (id, _) = asked(&mut world);
    world.control(Control::Dissolve { id: "7".into() });
    world.take(bob);
    answer(&mut world, id, &json!({ "valid": true }));
    assert_eq!(answers(&mut world, bob), [(meta.id.expect("an id"), 1, "group not found".into())]);
    world.catch_up(alice);
}

#[test]
fn rules_are_asked_one_after_another() {
    let url = |url: &str| Webhook { url: url.into(), ..rule() };
    let (mut world, alice, bob) = world(vec![
        url("http://a.example"),
        Webhook { kinds: vec![MessageKind::Image], ..url("http://images.example") },
        url("http://b.example"),
    ]);
    send(&mut world, alice, "bob", "darn");
    assert_eq!(world.webhooks[0].1.url, "http://a.example");
    let (id, _) = asked(&mut world);
    answer(
        &mut world,
        id,
        &json!({ "valid": true, "payload": { "bodies": [{ "type": "txt", "msg": "x" }] } }),
    );
    assert_eq!(world.webhooks[0].1.url, "http://b.example");
    let (id, question) = asked(&mut world);
    assert_eq!(question["payload"]["bodies"][0]["msg"], "x", "of what the first made of it");
    assert_eq!(world.take(alice), []);
    answer(&mut world, id, &json!({ "valid": true }));
    assert_eq!(answers(&mut world, alice).len(), 1);
    assert_eq!(world.texts(bob), ["x"]);
    send(&mut world, alice, "bob", "no");
    let (id, _) = asked(&mut world);
    answer(&mut world, id, &json!({ "valid": false }));
    assert_eq!(world.webhooks, [], "the first refusal is the last word");
}

#[test]
fn what_waits_is_bounded() {
    let (mut world, alice, bob) = world(vec![rule()]);
    send(&mut world, alice, "bob", "first");
    for _ in 0..1_000 {
        send(&mut world, alice, "bob", "behind");
    }
    let meta = world.text_meta(alice, "bob", "too many");
    assert_eq!(world.status(alice, meta), (7, "traffic limit".into()));
    let (mut id, _) = asked(&mut world);
    for _ in 0..1_000 {
        answer(&mut world, id, &json!({ "valid": true }));
        id = asked(&mut world).0;
    }
    answer(&mut world, id, &json!({ "valid": true }));
    assert_eq!(answers(&mut world, alice).len(), 1_001);
    assert_eq!(world.texts(bob).len(), 1_001);
    assert_eq!(world.server.unfinished(), [""; 0]);
}

#[test]
fn what_waits_is_bounded_in_bytes() {
    let (mut world, alice, bob) = world(vec![rule()]);
    world.patch(SettingsPatch { message_bytes_max: Some(300_000), ..SettingsPatch::default() });
    let large = "x".repeat(200_000);
    send(&mut world, alice, "bob", "first");
    for _ in 0..5 {
        send(&mut world, alice, "bob", &large);
    }
    let meta = world.text_meta(alice, "bob", &large);
    assert_eq!(world.status(alice, meta.clone()), (7, "traffic limit".into()));
    let (id, _) = asked(&mut world);
    answer(&mut world, id, &json!({ "valid": true }));
    world.take(alice);
    world.frame(alice, up(meta));
    assert_eq!(world.take(alice), [], "there is room for one again");
    for _ in 0..6 {
        let (id, _) = asked(&mut world);
        answer(&mut world, id, &json!({ "valid": true }));
    }
    assert_eq!(world.texts(bob).len(), 7);
}

/// A payload of 1,024 bytes is taken, one more is not; an empty one changes nothing.
#[rstest]
#[case::as_large_as_can_be(payload(1_024), None, 0)]
#[case::larger(payload(1_025), Some("hi"), 1)]
#[case::empty(json!({}), Some("hi"), 0)]
fn a_rewritten_text_is_bounded(
    #[case] payload: Value,
    #[case] unchanged: Option<&str>,
    #[case] warnings: usize,
) {
    let (mut world, alice, bob) = world(vec![rule()]);
    send(&mut world, alice, "bob", "hi");
    let (id, _) = asked(&mut world);
    let text = payload["bodies"][0]["msg"].as_str().unwrap_or_default().to_owned();
    answer(&mut world, id, &json!({ "valid": true, "payload": payload }));
    assert_eq!(world.texts(bob), [unchanged.map_or(text, str::to_owned)]);
    assert_eq!(world.warnings.len(), warnings);
}

fn payload(bytes: usize) -> Value {
    let of = |text: &str| json!({ "bodies": [{ "type": "txt", "msg": text }] });
    of(&"x".repeat(bytes - of("").to_string().len()))
}

#[test]
fn what_is_no_text_is_not_rewritten() {
    let (mut world, alice, bob) = world(vec![rule()]);
    let meta = world.text_meta(alice, "bob", "");
    let contents = vec![Content {
        r#type: Some(content::Type::Image as i32),
        display_name: Some("a.png".into()),
        ..Content::default()
    }];
    let body = MessageBody { contents, ..body_of(&meta) };
    world.frame(alice, up(with_body(meta, &body)));
    let (id, _) = asked(&mut world);
    answer(&mut world, id, &json!({ "valid": true, "payload": payload(100) }));
    let metas = world.catch_up(bob);
    assert_eq!(metas.iter().map(body_of).collect::<Vec<_>>(), [body]);
}

#[test]
fn a_rewritten_text_is_no_larger_than_any_other() {
    let (mut world, alice, bob) = world(vec![rule()]);
    world.patch(SettingsPatch { message_bytes_max: Some(200), ..SettingsPatch::default() });
    let meta = send(&mut world, alice, "bob", "hi");
    let (id, _) = asked(&mut world);
    answer(&mut world, id, &json!({ "valid": true, "payload": payload(500) }));
    let expected = (meta.id.expect("an id"), 7, "Sorry, data is too large".to_owned());
    assert_eq!(answers(&mut world, alice), [expected]);
    assert_eq!(world.unread(bob), []);
}

#[test]
fn an_answer_that_nobody_waits_for_is_told_of() {
    let (mut world, ..) = world(vec![]);
    answer(&mut world, WebhookId(77), &json!({ "valid": true }));
    assert_eq!(world.warnings, ["org#app: an answer to webhook 77, for which nobody waits"]);
}

#[rstest]
#[case::too_many(vec![rule(); 5], "5", "at most 4 rules")]
#[case::no_http(vec![Webhook { url: "https://x".into(), ..rule() }], "https://x", "its url must begin with http://")]
fn a_rule_that_cannot_be_is_refused(
    #[case] rules: Vec<Webhook>,
    #[case] value: &str,
    #[case] reason: &'static str,
) {
    let (mut world, ..) = world(vec![]);
    let patch = SettingsPatch { webhooks: Some(rules), strict: Some(false), ..SettingsPatch::default() };
    let refused = world.try_control(Control::Settings(patch));
    let bad = ControlError::BadValue { what: "webhooks", value: value.into(), reason };
    assert_eq!(refused, Err(bad));
}
