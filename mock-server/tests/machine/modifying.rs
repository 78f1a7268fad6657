//! Modification: who may, how often, who learns of it and what is kept (clauses v4.modify.*; wire-4x §5.3, §6).

use fixtures::wire::message_body::{self, EditScope, Type, content};
use fixtures::wire::{CONFERENCE_DOMAIN, Jid, KeyValue, Meta, USER_DOMAIN, key_value, meta};
use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{Get, Post};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{START, World, accepted, body_of, code, jid, with_body};

/// Alice, bob and carl in group `7` and room `8`, both alice's.
fn world() -> (World, ConnId, ConnId) {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    let members = vec!["bob".to_owned(), "carl".to_owned()];
    world.control(Control::Group { id: "7".into(), owner: "alice".into(), members: members.clone() });
    world.control(Control::Room { id: "8".into(), owner: "alice".into(), members });
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    (world, alice, bob)
}

fn to_bob() -> Jid {
    jid("bob", USER_DOMAIN)
}

/// As 4.x writes it: a text under a local id of its own, with what it is about (wire-4x §6).
fn edit(world: &mut World, conn: ConnId, to: Jid, id: Option<u64>, text: &str, ext: Vec<KeyValue>) -> Meta {
    let meta = world.text_meta(conn, to.name.as_deref().unwrap_or_default(), text);
    let scope = if ext.is_empty() { EditScope::Body } else { EditScope::BodyAndExt };
    let body = fixtures::wire::MessageBody {
        r#type: Some(Type::Edit as i32),
        edit_message_id: id,
        edit_scope: Some(scope as i32),
        ext,
        ..body_of(&meta)
    };
    with_body(Meta { to: Some(to), from: None, ..meta }, &body)
}

fn ext(key: &str) -> Vec<KeyValue> {
    let value = Some(key_value::Value::VarintValue(1));
    vec![KeyValue { key: Some(key.into()), r#type: Some(2), value }]
}

fn say(world: &mut World, conn: ConnId, kind: Type, to: &str) -> u64 {
    match kind {
        Type::Chat => world.text(conn, to, "old"),
        _ => world.muc_text(conn, kind, to, "old"),
    }
}

fn news_of(meta: &Meta) -> Value {
    let body = body_of(meta);
    let told: Value = serde_json::from_str(body.meta.as_deref().expect("a meta")).expect("JSON");
    told["edit_msg"].clone()
}

fn seen(metas: &[Meta]) -> Vec<(i32, String)> {
    let row = |meta: &Meta| {
        let body = body_of(meta);
        (body.r#type.unwrap_or_default(), body.contents[0].text.clone().unwrap_or_default())
    };
    metas.iter().map(row).collect()
}

const EDIT: i32 = Type::Edit as i32;

#[rstest]
#[case::single(Type::Chat, to_bob(), "chat:user")]
#[case::group(Type::Groupchat, jid("7", CONFERENCE_DOMAIN), "chat:group")]
#[case::room(Type::Chatroom, jid("8", CONFERENCE_DOMAIN), "chat:room")]
fn every_device_but_the_one_that_modifies_learns_of_it(
    #[case] kind: Type,
    #[case] to: Jid,
    #[case] chat: &str,
) {
    let (mut world, alice, bob) = world();
    let (phone, other) = (world.connect("bob", "phone"), world.connect("alice", "phone"));
    let id = say(&mut world, alice, kind, to.name.as_deref().expect("a name"));
    for device in [bob, phone, other] {
        assert_eq!(seen(&world.catch_up(device)), [(kind as i32, "old".into())]);
    }
    world.now.0 += 5;
    let change = edit(&mut world, alice, to, Some(id), "new", Vec::new());
    let answer = world.send(alice, change);
    let fresh = accepted(&answer);
    assert!(fresh > id, "SDKs drop what comes under an id that they know");
    let expected = json!({
        "count": 1, "operator": "alice", "edit_time": START.0 + 5, "sender": "alice", "send_time": START.0,
        "chat_type": chat,
    });
    // The answer says it, too (wire-4x §6).
    let [beside] = &answer.metas[..] else { panic!("{answer:#?}") };
    let beside_news: Value =
        serde_json::from_slice(&beside.payload.clone().expect("a payload")).expect("JSON");
    assert_eq!((beside.ns, beside_news), (Some(5), json!({ "edit_msg": expected })));
    for device in [bob, phone, other] {
        let metas = world.catch_up(device);
        assert_eq!(seen(&metas), [(EDIT, "new".into())]);
        assert_eq!((metas[0].id, body_of(&metas[0]).edit_message_id), (Some(fresh), Some(id)));
        assert_eq!(news_of(&metas[0]), expected);
    }
    assert_eq!(world.unread(alice), []);
}

fn history(world: &mut World, user: &str, queue: &str) -> Vec<Meta> {
    use base64::Engine as _;
    use prost::Message as _;
    let query = json!({ "queue": queue, "start": -1, "end": -1 });
    let (_, answer) = world.rest(Post, &format!("/users/{user}/messageroaming"), user, &query);
    let decode = |msg: &Value| {
        let bytes = base64::engine::general_purpose::STANDARD.decode(msg["msg"].as_str().expect("a text"));
        Meta::decode(&bytes.expect("base64")[..]).expect("a Meta")
    };
    answer["data"]["msgs"].as_array().expect("msgs").iter().map(decode).collect()
}

#[test]
fn what_is_kept_is_changed_and_counts_no_further_unread() {
    let (mut world, alice, _) = world();
    let meta = world.text_meta(alice, "bob", "old");
    let original = fixtures::wire::MessageBody { ext: ext("kept"), ..body_of(&meta) };
    let id = accepted(&world.send(alice, with_body(meta, &original)));
    let first = edit(&mut world, alice, to_bob(), Some(id), "new", Vec::new());
    accepted(&world.send(alice, first));
    let [kept] = &history(&mut world, "bob", "alice@easemob.com")[..] else { panic!("one message") };
    let body = body_of(kept);
    assert_eq!((kept.id, kept.timestamp), (Some(id), Some(START.0)));
    assert_eq!((body.r#type, body.edit_message_id), (Some(Type::Chat as i32), None));
    assert_eq!((body.contents[0].text.as_deref(), &body.ext), (Some("new"), &ext("kept")));
    let second = edit(&mut world, alice, to_bob(), Some(id), "newer", ext("other"));
    accepted(&world.send(alice, second));
    let [kept] = &history(&mut world, "bob", "alice@easemob.com")[..] else { panic!("one message") };
    assert_eq!((body_of(kept).ext, news_of(kept)["count"].as_u64()), (ext("other"), Some(2)));
    let (_, answer) = world.rest(Get, "/sdk/user/bob/user_channels/list", "bob", &Value::Null);
    let info = &answer["data"]["channel_infos"][0];
    let payload: Value =
        serde_json::from_str(info["meta"]["payload"].as_str().expect("a text")).expect("JSON");
    assert_eq!((info["unread_num"].as_u64(), &payload["bodies"][0]["msg"]), (Some(1), &json!("newer")));
    assert_eq!(payload["meta"]["edit_msg"]["count"], json!(2));
}

#[test]
fn whoever_is_still_to_get_a_message_gets_it_as_it_is_by_now_and_nothing_more() {
    let (mut world, alice, bob) = world();
    let carl = world.connect("carl", "web");
    let id = world.muc_text(alice, Type::Groupchat, "7", "old");
    // Bob has it; carl was told and has not pulled; a phone of bob's is away.
    assert_eq!(seen(&world.catch_up(bob)), [(Type::Groupchat as i32, "old".into())]);
    let to = jid("7", CONFERENCE_DOMAIN);
    let change = edit(&mut world, alice, to.clone(), Some(id), "new", Vec::new());
    accepted(&world.send(alice, change));
    assert_eq!(seen(&world.catch_up(bob)), [(EDIT, "new".into())]);
    assert_eq!(seen(&world.catch_up(carl)), [(Type::Groupchat as i32, "new".into())]);
    assert_eq!(world.server.unfinished(), [] as [String; 0]);
    // The next one carl had, so it is told.
    let change = edit(&mut world, alice, to, Some(id), "newer", Vec::new());
    accepted(&world.send(alice, change));
    assert_eq!(seen(&world.catch_up(carl)), [(EDIT, "newer".into())]);
}

#[test]
fn a_device_that_was_away_learns_of_it_if_it_had_the_message() {
    let (mut world, alice, bob) = world();
    let had = world.text(alice, "bob", "had");
    world.catch_up(bob);
    world.hang_up(bob);
    let missed = world.text(alice, "bob", "missed");
    for id in [had, missed] {
        let change = edit(&mut world, alice, to_bob(), Some(id), "new", Vec::new());
        accepted(&world.send(alice, change));
    }
    let bob = world.connect("bob", "web");
    let metas = world.catch_up(bob);
    assert_eq!(seen(&metas), [(Type::Chat as i32, "new".into()), (EDIT, "new".into())]);
    assert_eq!((metas[0].id, body_of(&metas[1]).edit_message_id), (Some(missed), Some(had)));
}

#[test]
fn a_page_that_waits_for_its_key_was_had() {
    let (mut world, alice, bob) = world();
    let id = world.text(alice, "bob", "old");
    world.take(bob);
    let queue = world.unread(bob).remove(0).0;
    let page = world.pull(bob, &queue, None);
    assert_eq!(seen(&page.metas), [(Type::Chat as i32, "old".into())]);
    let change = edit(&mut world, alice, to_bob(), Some(id), "new", Vec::new());
    accepted(&world.send(alice, change));
    world.take(bob);
    let next = world.pull(bob, &queue, page.next_key);
    assert_eq!(seen(&next.metas), [(EDIT, "new".into())]);
}

#[rstest]
#[case::a_member(Type::Groupchat, "7", (1, "Sorry, You do not have permission"))]
#[case::the_receiver(Type::Chat, "bob", (1, "Sorry, You do not have permission"))]
fn others_may_not(#[case] kind: Type, #[case] to: &str, #[case] refused: (i32, &str)) {
    let (mut world, alice, bob) = world();
    let id = say(&mut world, alice, kind, to);
    let to = if kind == Type::Chat { jid("alice", USER_DOMAIN) } else { jid(to, CONFERENCE_DOMAIN) };
    let change = edit(&mut world, bob, to, Some(id), "new", Vec::new());
    assert_eq!(code(&world.send(bob, change)), refused);
}

#[test]
fn who_leads_a_group_may_modify_what_others_wrote_there() {
    let (mut world, alice, bob) = world();
    let id = world.muc_text(bob, Type::Groupchat, "7", "old");
    world.catch_up(bob);
    let change = edit(&mut world, alice, jid("7", CONFERENCE_DOMAIN), Some(id), "new", Vec::new());
    accepted(&world.send(alice, change));
    let news = news_of(&world.catch_up(bob)[0]);
    assert_eq!((&news["operator"], &news["sender"]), (&json!("alice"), &json!("bob")));
}

#[test]
fn who_came_into_a_group_later_learns_nothing_of_what_was_said_before() {
    let (mut world, alice, bob) = world();
    world.register("dora");
    let group = world.muc_text(alice, Type::Groupchat, "7", "old");
    let room = world.muc_text(alice, Type::Chatroom, "8", "old");
    for id in ["7", "8"] {
        world.control(Control::Join { id: id.into(), users: vec!["dora".into()] });
    }
    let dora = world.connect("dora", "web");
    for conn in [bob, dora] {
        world.catch_up(conn);
    }
    for (to, id) in [("7", group), ("8", room)] {
        let change = edit(&mut world, alice, jid(to, CONFERENCE_DOMAIN), Some(id), "new", Vec::new());
        accepted(&world.send(alice, change));
    }
    let about =
        |metas: Vec<Meta>| -> Vec<String> { metas.iter().filter_map(|meta| meta.to.clone()?.name).collect() };
    assert_eq!(about(world.catch_up(bob)), ["7", "8"]);
    assert_eq!(about(world.catch_up(dora)), ["8"], "a room shows what was said before");
}

#[rstest]
#[case::unknown(Some(1))]
#[case::of_others(None)]
fn what_the_user_may_not_know_of_does_not_exist(#[case] id: Option<u64>) {
    let (mut world, alice, bob) = world();
    let elsewhere = world.text(alice, "carl", "hi");
    let change = edit(&mut world, bob, jid("alice", USER_DOMAIN), id.or(Some(elsewhere)), "new", Vec::new());
    assert_eq!(code(&world.send(bob, change)), (1, "Sorry, message does not exist"));
}

#[rstest]
#[case::single(Type::Chat, "bob", jid("carl", USER_DOMAIN))]
#[case::group(Type::Groupchat, "7", jid("8", CONFERENCE_DOMAIN))]
fn a_message_is_modified_where_it_was_said(#[case] kind: Type, #[case] to: &str, #[case] elsewhere: Jid) {
    let (mut world, alice, _) = world();
    let id = say(&mut world, alice, kind, to);
    let change = edit(&mut world, alice, elsewhere, Some(id), "new", Vec::new());
    assert_eq!(code(&world.send(alice, change)), (1, "Sorry, message does not exist"));
}

#[test]
fn a_message_stays_of_its_kind() {
    let (mut world, alice, bob) = world();
    let id = world.text(alice, "bob", "old");
    let change = edit(&mut world, alice, to_bob(), Some(id), "new", Vec::new());
    let mut body = body_of(&change);
    body.contents[0].r#type = Some(content::Type::Custom as i32);
    let refused = world.send(alice, with_body(change, &body));
    assert_eq!(code(&refused), (1, "Sorry, format is incorrect"));
    assert_eq!(world.texts(bob), ["old"]);
}

#[test]
fn what_was_for_some_members_is_changed_for_them_alone() {
    let (mut world, alice, bob) = world();
    let carl = world.connect("carl", "web");
    let meta = Meta {
        routetype: Some(meta::RouteType::RouteDirect as i32),
        directed_users: vec!["bob".into()],
        ..world.muc_meta(alice, Type::Groupchat, "7", "old")
    };
    let id = accepted(&world.send(alice, meta));
    world.catch_up(bob);
    let change = edit(&mut world, alice, jid("7", CONFERENCE_DOMAIN), Some(id), "new", Vec::new());
    accepted(&world.send(alice, change));
    assert_eq!(seen(&world.catch_up(bob)), [(EDIT, "new".to_owned())]);
    assert_eq!(seen(&world.catch_up(carl)), []);
}

/// With the bytes of a page bounded, a page may end where it did before one of its messages was modified.
#[test]
fn members_of_a_group_share_no_page_with_a_message_as_it_was() {
    let (mut world, alice, bob) = world();
    world.patch(SettingsPatch { message_bytes_max: Some(150_000), ..SettingsPatch::default() });
    let carl = world.connect("carl", "web");
    let queue = jid("7", CONFERENCE_DOMAIN);
    let [old, new] = ["x", "y"].map(|letter| letter.repeat(120_000));
    let id = world.muc_text(alice, Type::Groupchat, "7", &old);
    world.muc_text(alice, Type::Groupchat, "7", &old);
    assert_eq!(world.pull(bob, &queue, None).metas.len(), 1);
    let change = edit(&mut world, alice, queue.clone(), Some(id), &new, Vec::new());
    accepted(&world.send(alice, change));
    assert!(seen(&world.pull(carl, &queue, None).metas) == [(Type::Groupchat as i32, new)]);
}

#[rstest]
#[case::modified_too_often(SettingsPatch { modify_count_max: Some(0), ..SettingsPatch::default() }, (1, "Sorry, edit limit reached"))]
#[case::off(SettingsPatch { modify: Some(false), ..SettingsPatch::default() }, (1, "Sorry, edit is not available"))]
#[case::a_word(SettingsPatch { words: Some(vec!["new".into()]), ..SettingsPatch::default() }, (7, "sensitive words"))]
#[case::too_large(SettingsPatch { message_bytes_max: Some(10), ..SettingsPatch::default() }, (7, "Sorry, data is too large"))]
fn the_app_may_forbid_it(#[case] patch: SettingsPatch, #[case] refused: (i32, &str)) {
    let (mut world, alice, bob) = world();
    let id = world.text(alice, "bob", "old");
    world.patch(patch);
    let change = edit(&mut world, alice, to_bob(), Some(id), "new", Vec::new());
    assert_eq!(code(&world.send(alice, change)), refused);
    assert_eq!(world.texts(bob), ["old"]);
}

#[rstest]
#[case::command(content::Type::Command, true)]
#[case::location(content::Type::Location, true)]
#[case::image_without_ext(content::Type::Image, false)]
fn not_every_kind_can_be_modified(#[case] kind: content::Type, #[case] with_ext: bool) {
    let (mut world, alice, _) = world();
    let meta = world.text_meta(alice, "bob", "");
    let contents =
        vec![message_body::Content { r#type: Some(kind as i32), ..message_body::Content::default() }];
    let written = fixtures::wire::MessageBody { contents: contents.clone(), ..body_of(&meta) };
    let id = accepted(&world.send(alice, with_body(meta, &written)));
    let added = if with_ext { ext("k") } else { Vec::new() };
    let change = edit(&mut world, alice, to_bob(), Some(id), "", added);
    let same_kind = fixtures::wire::MessageBody { contents, ..body_of(&change) };
    let change = with_body(change, &same_kind);
    assert_eq!(code(&world.send(alice, change)), (1, "Sorry, format is incorrect"));
}

#[test]
fn of_an_attachment_only_what_the_app_put_beside_it_changes() {
    let (mut world, alice, _) = world();
    let image = |path: &str| {
        vec![message_body::Content {
            r#type: Some(content::Type::Image as i32),
            remote_path: Some(path.into()),
            ..message_body::Content::default()
        }]
    };
    let meta = world.text_meta(alice, "bob", "");
    let written = fixtures::wire::MessageBody { contents: image("first"), ..body_of(&meta) };
    let id = accepted(&world.send(alice, with_body(meta, &written)));
    let change = edit(&mut world, alice, to_bob(), Some(id), "", ext("k"));
    let other = fixtures::wire::MessageBody { contents: image("second"), ..body_of(&change) };
    accepted(&world.send(alice, with_body(change, &other)));
    let [kept] = &history(&mut world, "bob", "alice@easemob.com")[..] else { panic!("one message") };
    assert_eq!((body_of(kept).contents, body_of(kept).ext), (image("first"), ext("k")));
}

#[test]
fn one_that_is_sent_again_is_answered_as_before_and_made_once() {
    let (mut world, alice, bob) = world();
    let id = world.text(alice, "bob", "old");
    world.catch_up(bob);
    let change = edit(&mut world, alice, to_bob(), Some(id), "new", Vec::new());
    let first = accepted(&world.send(alice, change.clone()));
    assert_eq!(accepted(&world.send(alice, change)), first);
    assert_eq!(world.catch_up(bob).len(), 1);
}
