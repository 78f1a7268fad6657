//! The block list: changed over the socket, asked for over REST (wire-3x §5.4, clauses fail.603, recv.blacklist).

use fixtures::wire::{CommSyncDl, Jid, Meta, RosterBody, USER_DOMAIN};
use mock_server::control::Control;
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method;
use prost::Message as _;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{Down, World, accepted, code, jid};

const BAN: i32 = 6;
const ALLOW: i32 = 7;

fn pair() -> (World, ConnId, ConnId) {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    let (alice, bob) = (world.connect("alice", "phone"), world.connect("bob", "web"));
    (world, alice, bob)
}

/// As SDKs write it: to nobody in particular, at a domain that is none (wire-3x §5.4).
fn roster(world: &mut World, conn: ConnId, operation: i32, names: &[&str], both: Option<bool>) -> CommSyncDl {
    let body = RosterBody {
        operation: Some(operation),
        from: Some(jid("alice", USER_DOMAIN)),
        to: names.iter().map(|name| jid(name, USER_DOMAIN)).collect(),
        bi_direction: both,
        ..RosterBody::default()
    };
    let id = world.next_local();
    let meta = Meta {
        id: Some(id),
        from: Some(jid("alice", USER_DOMAIN)),
        to: Some(Jid { domain: Some("@easemob.com".into()), ..Jid::default() }),
        ns: Some(3),
        payload: Some(body.encode_to_vec().into()),
        ..Meta::default()
    };
    world.send(conn, meta)
}

/// What the sender of a text is told.
fn sending(world: &mut World, from: ConnId, to: &str) -> (i32, String) {
    let meta = world.text_meta(from, to, "hi");
    let answer = world.send(from, meta);
    let (number, reason) = code(&answer);
    (number, reason.to_owned())
}

fn blocks(world: &mut World, user: &str) -> Value {
    let (status, body) = world.rest(Method::Get, &format!("/users/{user}/blocks/users"), user, &Value::Null);
    assert_eq!(status, 200);
    body["data"].clone()
}

#[test]
fn a_block_stops_one_direction_until_it_is_taken_back() {
    let (mut world, alice, bob) = pair();
    accepted(&roster(&mut world, alice, BAN, &["bob"], None));
    assert_eq!(blocks(&mut world, "alice"), json!(["bob"]));
    assert_eq!(sending(&mut world, bob, "alice"), (1, "blocked".into()));
    assert_eq!(sending(&mut world, alice, "bob"), (0, String::new()));
    let carl = world.connect("carl", "web");
    assert_eq!(sending(&mut world, carl, "alice"), (0, String::new()));
    assert_eq!(world.texts(bob), ["hi"]);
    accepted(&roster(&mut world, alice, ALLOW, &["bob"], None));
    assert_eq!(blocks(&mut world, "alice"), json!([]));
    assert_eq!(sending(&mut world, bob, "alice"), (0, String::new()));
    let from_bob = world.pull_all(alice, &jid("bob", USER_DOMAIN));
    assert_eq!(from_bob.len(), 1, "what was refused meanwhile is not delivered later");
}

#[test]
fn a_block_in_both_directions_stops_both() {
    let (mut world, alice, bob) = pair();
    accepted(&roster(&mut world, alice, BAN, &["bob"], Some(true)));
    assert_eq!(sending(&mut world, bob, "alice"), (1, "blocked".into()));
    assert_eq!(sending(&mut world, alice, "bob"), (1, "blocked".into()));
    assert_eq!(blocks(&mut world, "bob"), json!([]), "it is alice's list alone");
    accepted(&roster(&mut world, alice, ALLOW, &["bob"], None));
    assert_eq!(sending(&mut world, bob, "alice"), (0, String::new()));
    assert_eq!(sending(&mut world, alice, "bob"), (0, String::new()));
}

#[test]
fn every_device_of_the_user_is_told_the_one_that_asked_as_well() {
    let (mut world, alice, bob) = pair();
    let web = world.connect("alice", "web");
    accepted(&roster(&mut world, alice, BAN, &["bob", "carl"], None));
    let service = Jid { name: None, ..jid("", USER_DOMAIN) };
    for device in [alice, web] {
        assert_eq!(world.take(device), [Down::Notice(service.clone())]);
        let metas = world.pull_all(device, &service);
        let [meta] = &metas[..] else { panic!("{metas:#?}") };
        assert_eq!(meta.ns, Some(3));
        let body = RosterBody::decode(meta.payload.clone().unwrap_or_default()).expect("a RosterBody");
        assert_eq!(body.operation, Some(BAN));
        assert_eq!(body.from, Some(jid("alice", USER_DOMAIN)));
        let to: Vec<_> = body.to.iter().map(|jid| jid.name.clone().unwrap_or_default()).collect();
        assert_eq!(to, ["bob", "carl"]);
    }
    assert_eq!(world.take(bob), [], "the blocked one does not learn of it");
    assert_eq!(world.unread(bob), []);
}

#[test]
fn news_of_the_list_wait_for_a_device_that_is_away() {
    let (mut world, alice, _) = pair();
    accepted(&roster(&mut world, alice, BAN, &["bob"], None));
    world.hang_up(alice);
    let alice = world.connect("alice", "web");
    let metas = world.catch_up(alice);
    assert_eq!(metas.iter().map(|meta| meta.ns).collect::<Vec<_>>(), [Some(3)]);
}

#[rstest]
#[case::somebody_unknown(BAN, &["bob", "dora"], 1, "username dora doesn't exist!")]
#[case::nobody_at_all(BAN, &[], 3, "roster.to names nobody")]
#[case::nobody_by_name(BAN, &[""], 1, "username  doesn't exist!")]
#[case::unblock_somebody_unknown(ALLOW, &["carl", "dora"], 1, "username dora doesn't exist!")]
#[case::no_operation(99, &["bob"], 9, "unknown roster operation")]
fn a_refused_change_changes_nothing(
    #[case] operation: i32,
    #[case] names: &[&str],
    #[case] number: i32,
    #[case] reason: &str,
) {
    let (mut world, alice, bob) = pair();
    world.control(Control::Block { user: "alice".into(), blocked: vec!["carl".into()] });
    let answer = roster(&mut world, alice, operation, names, None);
    assert_eq!(code(&answer), (number, reason));
    assert_eq!(blocks(&mut world, "alice"), json!(["carl"]));
    assert_eq!(sending(&mut world, bob, "alice"), (0, String::new()));
    assert_eq!(world.news(alice), [], "nor is anybody told of a change");
    assert_eq!(world.texts(alice), ["hi"]);
}

#[test]
fn a_roster_frame_that_is_none_is_refused() {
    let (mut world, alice, _) = pair();
    let id = world.next_local();
    let meta = Meta { id: Some(id), ns: Some(3), payload: Some(vec![0x0a].into()), ..Meta::default() };
    assert_eq!(code(&world.send(alice, meta)), (10, "meta.payload is not a RosterBody"));
    assert_eq!(world.findings.len(), 1);
}

#[test]
fn a_block_by_control_is_as_good() {
    let (mut world, _, bob) = pair();
    world.control(Control::Block { user: "ALICE".into(), blocked: vec!["Bob".into()] });
    assert_eq!(sending(&mut world, bob, "alice"), (1, "blocked".into()));
    assert_eq!(blocks(&mut world, "alice"), json!(["bob"]));
}
