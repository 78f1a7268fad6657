//! Recall: who may, until when, and who learns of it (clauses recall.*, fail.503, fail.504, fail.505).

use fixtures::wire::message_body::Type;
use fixtures::wire::{CONFERENCE_DOMAIN, Jid, Meta, USER_DOMAIN};
use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::Get;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{World, body_of, jid};

const RECALL: i32 = Type::Recall as i32;
const TEXT: i32 = Type::Chat as i32;

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

fn say(world: &mut World, conn: ConnId, kind: Type, to: &str) -> u64 {
    match kind {
        Type::Chat => world.text(conn, to, "hi"),
        _ => world.muc_text(conn, kind, to, "hi"),
    }
}

#[rstest]
#[case::single(Type::Chat, to_bob())]
#[case::group(Type::Groupchat, jid("7", CONFERENCE_DOMAIN))]
#[case::room(Type::Chatroom, jid("8", CONFERENCE_DOMAIN))]
fn every_device_but_the_one_that_recalls_learns_of_it(#[case] kind: Type, #[case] to: Jid) {
    let (mut world, alice, bob) = world();
    let (phone, other) = (world.connect("bob", "phone"), world.connect("alice", "phone"));
    let id = say(&mut world, alice, kind, to.name.as_deref().expect("a name"));
    for device in [bob, phone, other] {
        assert_eq!(world.notes(device), [(kind as i32, None)]);
    }
    let meta = world.note_meta(alice, Type::Recall, to.clone(), Some(id));
    let answer = world.send(alice, meta.clone());
    let news = crate::world::accepted(&answer);
    assert!(news > id, "SDKs drop what comes under an id that they know");
    for device in [bob, phone, other] {
        let metas = world.catch_up(device);
        let [recall] = &metas[..] else { panic!("{metas:#?}") };
        assert_eq!((recall.id, recall.payload.as_ref()), (Some(news), meta.payload.as_ref()));
        assert_eq!(recall.to.as_ref(), Some(&to));
        let from = recall.from.as_ref().and_then(|from| from.name.as_deref());
        assert_eq!(from, Some("alice"));
        assert_eq!(body_of(recall).ack_message_id, Some(id));
    }
    assert_eq!(world.notes(alice), []);
    assert_eq!(world.found(), [""; 0]);
}

#[test]
fn a_recalled_message_is_not_given_to_who_was_away() {
    let (mut world, alice, _) = world();
    let first = world.text(alice, "carl", "1");
    let second = world.text(alice, "carl", "2");
    world.text(alice, "carl", "3");
    assert_eq!(world.note(alice, Type::Recall, jid("carl", USER_DOMAIN), second).0, 0);
    let carl = world.connect("carl", "web");
    assert_eq!(world.unread(carl), [(jid("alice", USER_DOMAIN), 3)]);
    let metas = world.catch_up(carl);
    let kinds: Vec<i32> = metas.iter().filter_map(|meta| body_of(meta).r#type).collect();
    assert_eq!((kinds, metas[0].id), (vec![TEXT, TEXT, RECALL], Some(first)));
    assert_eq!(world.server.unfinished(), [""; 0]);
}

#[test]
fn a_page_that_is_out_is_given_again_without_it() {
    let (mut world, alice, bob) = world();
    let queue = jid("alice", USER_DOMAIN);
    let (first, second) = (world.text(alice, "bob", "1"), world.text(alice, "bob", "2"));
    let page = world.pull(bob, &queue, None);
    assert_eq!(page.metas.len(), 2);
    assert_eq!(world.note(alice, Type::Recall, to_bob(), first).0, 0);
    let again = world.pull(bob, &queue, None);
    let ids: Vec<Option<u64>> = again.metas.iter().map(|meta| meta.id).collect();
    assert_eq!(ids[0], Some(second));
    assert_eq!(body_of(&again.metas[1]).ack_message_id, Some(first));
    assert_eq!(world.pull(bob, &queue, again.next_key).is_last, Some(true));
}

#[test]
fn members_of_a_group_share_no_page_with_a_recalled_message() {
    let (mut world, alice, bob) = world();
    let carl = world.connect("carl", "web");
    let queue = jid("7", CONFERENCE_DOMAIN);
    let first = world.muc_text(alice, Type::Groupchat, "7", "1");
    world.muc_text(alice, Type::Groupchat, "7", "2");
    assert_eq!(world.pull(bob, &queue, None).metas.len(), 2);
    assert_eq!(world.note(alice, Type::Recall, queue.clone(), first).0, 0);
    let metas = world.pull(carl, &queue, None).metas;
    assert!(metas.iter().all(|meta| meta.id != Some(first)), "{metas:#?}");
    assert_eq!(metas.len(), 2, "the second text and the news");
}

/// With the bytes of a page bounded, a page may end where it did before one of its messages was recalled.
#[test]
fn nor_one_that_ends_where_it_did() {
    let (mut world, alice, bob) = world();
    world.patch(SettingsPatch { message_bytes_max: Some(150_000), ..SettingsPatch::default() });
    let carl = world.connect("carl", "web");
    let queue = jid("7", CONFERENCE_DOMAIN);
    let large = "x".repeat(120_000);
    let ids = ["1", "2", &large, &large].map(|text| world.muc_text(alice, Type::Groupchat, "7", text));
    let of = |metas: &[Meta]| metas.iter().filter_map(|meta| meta.id).collect::<Vec<_>>();
    let page = world.pull(bob, &queue, None);
    assert_eq!(of(&page.metas), ids[..3]);
    assert_eq!(world.note(alice, Type::Recall, queue.clone(), ids[1]).0, 0);
    let again = world.pull(carl, &queue, None);
    assert_eq!((of(&again.metas), again.next_key), (vec![ids[0], ids[2]], page.next_key));
}

#[test]
fn who_recalls_has_as_much_to_read_as_before() {
    let (mut world, alice, bob) = world();
    let unread = |world: &mut World, user: &str| {
        let path = format!("/users/{user}/user_channels");
        let (_, answer) = world.rest(Get, &path, user, &Value::Null);
        answer["data"]["channel_infos"][0]["unread_num"].clone()
    };
    world.text(bob, "alice", "hi");
    let id = world.text(alice, "bob", "ho");
    assert_eq!((unread(&mut world, "alice"), unread(&mut world, "bob")), (json!(1), json!(1)));
    assert_eq!(world.note(alice, Type::Recall, to_bob(), id).0, 0);
    assert_eq!((unread(&mut world, "alice"), unread(&mut world, "bob")), (json!(1), json!(0)));
}

#[rstest]
#[case::default_window(None, 120_000)]
#[case::of_the_app(Some(1_000), 1_000)]
fn at_the_limit_it_still_works_and_past_it_no_more(#[case] setting: Option<u64>, #[case] window: u64) {
    let (mut world, alice, bob) = world();
    world.patch(SettingsPatch { recall_window_ms: setting, ..SettingsPatch::default() });
    let (first, second) = (world.text(alice, "bob", "1"), world.text(alice, "bob", "2"));
    world.now.0 += window;
    assert_eq!(world.note(alice, Type::Recall, to_bob(), first).0, 0);
    world.now.0 += 1;
    let late = world.note(alice, Type::Recall, to_bob(), second);
    assert_eq!(late, (1, "exceed recall time limit".into()));
    assert_eq!(world.notes(bob), [(TEXT, None), (RECALL, Some(first))]);
}

#[test]
fn where_the_app_has_no_recall_nothing_is_recalled() {
    let (mut world, alice, bob) = world();
    world.patch(SettingsPatch { recall: Some(false), ..SettingsPatch::default() });
    let id = world.text(alice, "bob", "1");
    let refused = world.note(alice, Type::Recall, to_bob(), id);
    assert_eq!(refused, (1, "message recall disabled".into()));
    assert_eq!(world.notes(bob), [(TEXT, None)]);
}

/// Ids: 0 is alice's text to bob, 1 her text to the group, 2 bob's text to the group, 3 the news of a recall, 4 a
/// recalled text, 5 nothing.
#[rstest]
#[case::somebody_elses(2, "7", CONFERENCE_DOMAIN, "only the sender may recall a message")]
#[case::of_another_conversation(1, "bob", USER_DOMAIN, "message not found")]
#[case::of_another_user(0, "carl", USER_DOMAIN, "message not found")]
#[case::of_another_group(1, "8", CONFERENCE_DOMAIN, "message not found")]
#[case::a_recall(3, "bob", USER_DOMAIN, "message not found")]
#[case::recalled(4, "bob", USER_DOMAIN, "message not found")]
#[case::unknown(5, "bob", USER_DOMAIN, "message not found")]
fn what_is_not_ones_own_stays(
    #[case] which: usize,
    #[case] to: &str,
    #[case] domain: &str,
    #[case] reason: &str,
) {
    let (mut world, alice, bob) = world();
    let gone = world.text(alice, "bob", "4");
    let news = world.note_meta(alice, Type::Recall, to_bob(), Some(gone));
    let news = crate::world::accepted(&world.send(alice, news));
    let text = world.text(alice, "bob", "0");
    let in_group = world.muc_text(alice, Type::Groupchat, "7", "1");
    let bobs = world.muc_text(bob, Type::Groupchat, "7", "2");
    world.notes(bob);
    world.notes(alice);
    let id = [text, in_group, bobs, news, gone, 4_711][which];
    assert_eq!(world.note(alice, Type::Recall, jid(to, domain), id), (1, reason.into()));
    assert_eq!((world.notes(alice), world.notes(bob)), (vec![], vec![]));
    world.text(alice, "bob", "the next is fine");
}

#[test]
fn a_stranger_to_a_conversation_recalls_nothing_of_it() {
    let (mut world, alice, bob) = world();
    let carl = world.connect("carl", "web");
    let id = world.text(alice, "bob", "1");
    for other in ["bob", "alice"] {
        let refused = world.note(carl, Type::Recall, jid(other, USER_DOMAIN), id);
        assert_eq!(refused, (1, "message not found".into()), "{other}");
    }
    world.control(Control::Leave { id: "7".into(), users: vec!["bob".into()] });
    let group = world.muc_text(alice, Type::Groupchat, "7", "1");
    let refused = world.note(bob, Type::Recall, jid("7", CONFERENCE_DOMAIN), group);
    assert_eq!(refused, (1, "not in group or chatroom".into()));
    assert_eq!(world.texts(bob), ["1"]);
}

#[test]
fn owner_and_administrators_recall_what_others_wrote_where_the_app_says_so() {
    let (mut world, alice, bob) = world();
    let carl = world.connect("carl", "web");
    world.control(Control::Admins { id: "7".into(), users: vec!["carl".into()] });
    let group = jid("7", CONFERENCE_DOMAIN);
    let id = world.muc_text(bob, Type::Groupchat, "7", "1");
    for leader in [alice, carl] {
        assert_eq!(world.note(leader, Type::Recall, group.clone(), id).0, 1);
    }
    world.patch(SettingsPatch { admins_recall: Some(true), ..SettingsPatch::default() });
    assert_eq!(world.note(carl, Type::Recall, group.clone(), id).0, 0);
    world.catch_up(alice);
    assert_eq!(world.notes(bob), [(RECALL, Some(id))]);
    let alices = world.muc_text(alice, Type::Groupchat, "7", "2");
    assert_eq!(world.note(bob, Type::Recall, group, alices).0, 1, "a plain member may not");
}

#[test]
fn messages_of_a_group_that_is_gone_are_nobodys() {
    let (mut world, alice, _) = world();
    let id = world.muc_text(alice, Type::Groupchat, "7", "1");
    world.control(Control::Dissolve { id: "7".into() });
    for kind in [Type::Recall, Type::ReadAck, Type::DeliverAck] {
        let refused = world.note(alice, kind, jid("7", CONFERENCE_DOMAIN), id);
        assert_eq!(refused, (1, "group not found".into()), "{kind:?}");
    }
}

#[test]
fn a_recall_is_sent_again_after_a_lost_answer_and_done_once() {
    let (mut world, alice, bob) = world();
    let id = world.text(alice, "bob", "1");
    let meta = world.note_meta(alice, Type::Recall, to_bob(), Some(id));
    let first = world.send(alice, meta.clone());
    assert_eq!(world.send(alice, meta), first);
    assert_eq!(world.notes(bob), [(RECALL, Some(id))]);
}
