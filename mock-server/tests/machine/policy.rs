//! What an app forbids: words, spam, mutes, silence for all (clauses fail.501, fail.506, fail.muted). A refused message
//! reaches nobody, and the connection lives on.

use fixtures::wire::message_body::{Content, Type, content};
use fixtures::wire::{KeyValue, MessageBody, Meta, key_value};
use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method;
use rstest::rstest;
use serde_json::json;

use crate::world::{APP, World, body_of, jid, with_body};

const SENSITIVE: (i32, &str) = (7, "sensitive words");
const SPAM: (i32, &str) = (7, "blocked by mod_antispam");
const MUTED: (i32, &str) = (15, "muted");
const SILENCED: (i32, &str) = (1, "not in group or chatroom white list");

/// Alice owns group `7` and room `8`; bob and carl are in.
fn world() -> (World, ConnId, ConnId) {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    let members = vec!["bob".to_owned(), "carl".to_owned()];
    world.control(Control::Group { id: "7".into(), owner: "alice".into(), members: members.clone() });
    world.control(Control::Room { id: "8".into(), owner: "alice".into(), members });
    let (alice, bob) = (world.connect("alice", "web"), world.connect("bob", "web"));
    (world, alice, bob)
}

fn words(world: &mut World, words: &[&str]) {
    let words = words.iter().map(|&word| word.to_owned()).collect();
    world.patch(SettingsPatch { words: Some(words), ..SettingsPatch::default() });
}

/// A message to alice with this content.
fn with_content(world: &mut World, conn: ConnId, content: Content) -> Meta {
    let meta = world.text_meta(conn, "alice", "");
    let body = MessageBody { contents: vec![content], ..body_of(&meta) };
    with_body(meta, &body)
}

#[test]
fn whom_the_app_mutes_speaks_nowhere_until_the_time_is_up() {
    let (mut world, alice, bob) = world();
    world.control(Control::MuteUser { user: "Bob".into(), ms: Some(1_500) });
    let mute = (7, "user is mute".to_owned());
    let to_all = |world: &mut World| {
        let metas = [
            world.text_meta(bob, "alice", "x"),
            world.muc_meta(bob, Type::Groupchat, "7", "x"),
            world.muc_meta(bob, Type::Chatroom, "8", "x"),
        ];
        metas.map(|meta| world.status(bob, meta))
    };
    assert_eq!(to_all(&mut world), [mute.clone(), mute.clone(), mute.clone()]);
    assert_eq!(world.unread(alice), []);
    world.now.0 += 1_999;
    assert_eq!(to_all(&mut world)[0], mute, "begun seconds are whole");
    world.now.0 += 1;
    assert_eq!(to_all(&mut world).map(|(code, _)| code), [0; 3]);
    world.control(Control::MuteUser { user: "bob".into(), ms: None });
    world.now.0 += 100 * 365 * 24 * 3_600_000;
    assert_eq!(to_all(&mut world)[0], mute);
    world.control(Control::MuteUser { user: "bob".into(), ms: Some(0) });
    assert_eq!(to_all(&mut world).map(|(code, _)| code), [0; 3]);
}

#[test]
fn where_contacts_alone_may_write_a_stranger_does_not() {
    let (mut world, alice, bob) = world();
    world.patch(SettingsPatch { contacts_only: Some(true), ..SettingsPatch::default() });
    let meta = world.text_meta(bob, "alice", "refused");
    assert_eq!(world.status(bob, meta), (1, "nonroster".to_owned()));
    world.text(bob, "bob", "a note to oneself");
    world.muc_text(bob, Type::Groupchat, "7", "in a group");
    world.control(Control::Contacts { user: "alice".into(), with: vec!["bob".into()] });
    world.text(bob, "alice", "from a contact");
    assert_eq!(world.texts(alice), ["in a group", "from a contact"]);
    world.control(Control::Block { user: "alice".into(), blocked: vec!["bob".into()] });
    let meta = world.text_meta(bob, "alice", "x");
    assert_eq!(world.status(bob, meta), (1, "blocked".to_owned()));
}

fn content(kind: content::Type) -> Content {
    Content { r#type: Some(kind as i32), ..Content::default() }
}

fn custom_ext(text: &str) -> KeyValue {
    KeyValue {
        key: Some("note".into()),
        r#type: Some(key_value::ValueType::String as i32),
        value: Some(key_value::Value::StringValue(text.into())),
    }
}

#[rstest]
#[case::text(Content { text: Some("a BaD word".into()), ..content(content::Type::Text) })]
#[case::cmd(Content { action: Some("bad".into()), ..content(content::Type::Command) })]
#[case::file(Content { display_name: Some("Bad.png".into()), ..content(content::Type::Image) })]
#[case::place(Content { address: Some("Badstraße 1".into()), ..content(content::Type::Location) })]
#[case::event(Content { custom_event: Some("bad".into()), ..content(content::Type::Custom) })]
#[case::field(Content { custom_exts: vec![custom_ext("so bad")], ..content(content::Type::Custom) })]
fn a_sensitive_word_is_found_wherever_people_see_it(#[case] content: Content) {
    let (mut world, alice, bob) = world();
    words(&mut world, &["other", "BAD", ""]);
    let meta = with_content(&mut world, bob, content);
    assert_eq!(world.status(bob, meta.clone()), (SENSITIVE.0, SENSITIVE.1.into()));
    assert_eq!(world.unread(alice), []);
    world.text(bob, "alice", "good");
    words(&mut world, &[]);
    assert_eq!(world.status(bob, meta).0, 0, "a refused message may be sent again under its id");
    assert_eq!(world.catch_up(alice).len(), 2);
}

#[test]
fn words_of_ext_and_names_are_not_meant() {
    let (mut world, alice, bob) = world();
    words(&mut world, &["bob", "note", "so bad"]);
    let meta = world.text_meta(bob, "alice", "good");
    let body = MessageBody { ext: vec![custom_ext("so bad")], ..body_of(&meta) };
    assert_eq!(world.status(bob, with_body(meta, &body)).0, 0);
    assert_eq!(world.texts(alice), ["good"]);
}

#[test]
fn the_fourth_of_the_same_within_ten_seconds_is_spam() {
    let (mut world, alice, bob) = world();
    world.patch(SettingsPatch { antispam: Some(true), ..SettingsPatch::default() });
    let say = |world: &mut World, conn, to: &str, text: &str| {
        let meta = world.text_meta(conn, to, text);
        world.status(conn, meta)
    };
    assert_eq!(say(&mut world, bob, "alice", "buy").0, 0);
    world.now.0 += 5_000;
    assert_eq!(say(&mut world, bob, "carl", "buy").0, 0, "whomever it is for");
    assert_eq!(say(&mut world, bob, "alice", "buy").0, 0);
    assert_eq!(say(&mut world, bob, "alice", "buy"), (SPAM.0, SPAM.1.into()));
    assert_eq!(say(&mut world, bob, "alice", "something else").0, 0);
    assert_eq!(say(&mut world, alice, "bob", "buy").0, 0, "each sender alone");
    world.now.0 += 5_000;
    assert_eq!(say(&mut world, bob, "alice", "buy").0, SPAM.0, "the first was 10 s ago");
    world.now.0 += 1;
    assert_eq!(say(&mut world, bob, "alice", "buy").0, 0, "and now longer");
    assert_eq!(say(&mut world, bob, "alice", "buy").0, SPAM.0);
    assert_eq!(world.texts(alice), ["buy", "buy", "something else", "buy"]);
}

#[test]
fn without_the_switch_nothing_is_spam() {
    let (mut world, alice, bob) = world();
    for _ in 0..10 {
        world.text(bob, "alice", "buy");
    }
    assert_eq!(world.texts(alice).len(), 10);
}

#[rstest]
#[case::group(Type::Groupchat, "7")]
#[case::room(Type::Chatroom, "8")]
fn a_muted_member_is_heard_by_nobody(#[case] kind: Type, #[case] id: &str) {
    let (mut world, alice, bob) = world();
    let mute = |ms| Control::Mute { id: id.into(), users: vec!["bob".into()], ms };
    world.control(mute(Some(1_000)));
    let meta = world.muc_meta(bob, kind, id, "1");
    assert_eq!(world.status(bob, meta.clone()), (MUTED.0, MUTED.1.into()));
    assert_eq!(world.unread(alice), []);
    world.text(bob, "alice", "elsewhere he may");
    world.now.0 += 1_000;
    assert_eq!(world.status(bob, meta).0, 0, "it is over");
    world.control(mute(None));
    let meta = world.muc_meta(bob, kind, id, "2");
    assert_eq!(world.status(bob, meta.clone()).0, MUTED.0);
    world.control(Control::Unmute { id: id.into(), users: vec!["bob".into()] });
    assert_eq!(world.status(bob, meta).0, 0);
    let mut texts = world.texts(alice);
    texts.sort();
    assert_eq!(texts, ["1", "2", "elsewhere he may"]);
}

/// 4.x shows 219 for it (wire-4x §5.3).
#[rstest]
#[case::chat(Type::Chat, "alice", "chat")]
#[case::group(Type::Groupchat, "7", "groupchat")]
#[case::room(Type::Chatroom, "8", "chatroom")]
fn who_is_muted_in_the_app_is_heard_by_nobody_in_that_kind_of_chat(
    #[case] kind: Type,
    #[case] to: &str,
    #[case] field: &str,
) {
    let (mut world, alice, bob) = world();
    let mute = json!({ "username": "bob", field: 60 });
    assert_eq!(world.rest(Method::Post, "/mutes", APP, &mute).0, 200);
    for (other, id) in [(Type::Chat, "alice"), (Type::Groupchat, "7"), (Type::Chatroom, "8")] {
        let meta = world.muc_meta(bob, other, id, "hi");
        let expected = if other == kind { (7, "user is mute".to_owned()) } else { (0, String::new()) };
        assert_eq!(world.status(bob, meta), expected, "{field}, a message to {id}");
    }
    assert_eq!(world.catch_up(alice).len(), 2);
    world.now.0 += 60_000;
    let meta = world.muc_meta(bob, kind, to, "again");
    assert_eq!(world.status(bob, meta).0, 0, "a minute later");
}

#[rstest]
#[case::group(Type::Groupchat, "7")]
#[case::room(Type::Chatroom, "8")]
fn silence_for_all_spares_leaders_and_the_allow_list(#[case] kind: Type, #[case] id: &str) {
    let (mut world, alice, bob) = world();
    let carl = world.connect("carl", "web");
    let say = |world: &mut World, conn| {
        let meta = world.muc_meta(conn, kind, id, "x");
        world.status(conn, meta)
    };
    world.control(Control::BanAll { id: id.into() });
    assert_eq!(say(&mut world, alice).0, 0);
    assert_eq!(say(&mut world, bob), (SILENCED.0, SILENCED.1.into()));
    world.control(Control::Admins { id: id.into(), users: vec!["carl".into()] });
    assert_eq!(say(&mut world, carl).0, 0);
    world.control(Control::Allow { id: id.into(), users: vec!["bob".into()] });
    assert_eq!(say(&mut world, bob).0, 0);
    world.control(Control::Disallow { id: id.into(), users: vec!["bob".into()] });
    assert_eq!(say(&mut world, bob).0, SILENCED.0);
    world.control(Control::UnbanAll { id: id.into() });
    assert_eq!(say(&mut world, bob).0, 0);
    assert_eq!(world.texts(alice).len(), 3, "carl's one and bob's two");
}

/// The order is ours: who may not speak at all is told so first, whatever is said.
#[test]
fn of_several_reasons_the_first_is_told() {
    let (mut world, _, bob) = world();
    words(&mut world, &["bad"]);
    world.patch(SettingsPatch { antispam: Some(true), ..SettingsPatch::default() });
    world.control(Control::BanAll { id: "7".into() });
    world.control(Control::Mute { id: "7".into(), users: vec!["bob".into()], ms: None });
    let reason = |world: &mut World| {
        let meta = world.muc_meta(bob, Type::Groupchat, "7", "bad");
        world.status(bob, meta).1
    };
    assert_eq!(reason(&mut world), MUTED.1);
    world.control(Control::Unmute { id: "7".into(), users: vec!["bob".into()] });
    assert_eq!(reason(&mut world), SILENCED.1);
    world.control(Control::UnbanAll { id: "7".into() });
    for _ in 0..5 {
        assert_eq!(reason(&mut world), SENSITIVE.1, "and is no spam");
    }
    words(&mut world, &[]);
    for _ in 0..3 {
        assert_eq!(reason(&mut world), "");
    }
    assert_eq!(reason(&mut world), SPAM.1);
    world.control(Control::Leave { id: "7".into(), users: vec!["bob".into()] });
    assert_eq!(reason(&mut world), "not in group or chatroom");
}

#[test]
fn receipts_and_recalls_are_no_speech() {
    let (mut world, alice, bob) = world();
    let id = world.muc_text(bob, Type::Groupchat, "7", "1");
    world.control(Control::Mute { id: "7".into(), users: vec!["bob".into()], ms: None });
    let group = jid("7", fixtures::wire::CONFERENCE_DOMAIN);
    assert_eq!(world.note(bob, Type::Recall, group, id).0, 0);
    assert_eq!(world.notes(alice), [(Type::Recall as i32, Some(id))]);
}
