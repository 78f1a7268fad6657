//! Rooms entered and left over the socket, as 4.x does (wire-4x §6.1, clauses v4.room.join, v4.room.leave).

use fixtures::wire::muc_body::Operation;
use fixtures::wire::{CONFERENCE_DOMAIN, CommSyncDl, Meta, MucBody, meta};
use mock_server::control::{Control, Fault, SettingsPatch};
use mock_server::machine::ConnId;
use mock_server::machine::rest::Method::{Delete, Post, Put};
use prost::Message as _;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{World, code, jid};

/// Rooms `x` and `y` are alice's; bob is in `x` already.
fn world() -> World {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    for id in ["x", "y"] {
        world.control(Control::Room { id: id.into(), owner: "alice".into(), members: vec!["bob".into()] });
    }
    world
}

fn visit(operation: Operation, room: &str) -> MucBody {
    MucBody {
        muc_id: Some(jid(room, CONFERENCE_DOMAIN)),
        operation: Some(operation as i32),
        is_chatroom: Some(true),
        ..MucBody::default()
    }
}

fn ask(world: &mut World, conn: ConnId, body: &MucBody) -> CommSyncDl {
    let id = world.next_local();
    let meta = Meta {
        id: Some(id),
        ns: Some(meta::NameSpace::Muc as i32),
        payload: Some(body.encode_to_vec().into()),
        ..Meta::default()
    };
    world.send(conn, meta)
}

/// What the answer to an entrance shows of the room.
fn info(answer: &CommSyncDl) -> Value {
    assert_eq!(code(answer).0, 0, "{answer:?}");
    let meta = answer.metas.first().expect("it shows the room");
    let body = MucBody::decode(meta.payload.clone().unwrap_or_default()).expect("a MUCBody");
    let text = body.status.and_then(|status| status.chatroom_info).expect("what it is like");
    serde_json::from_str(&text).expect("JSON")
}

fn news(world: &mut World, conn: ConnId) -> Vec<MucBody> {
    let metas = world.news(conn);
    metas
        .iter()
        .map(|meta| MucBody::decode(meta.payload.clone().unwrap_or_default()).expect("a MUCBody"))
        .collect()
}

#[test]
fn who_enters_is_shown_the_room_and_the_others_are_told() {
    let mut world = world();
    let [alice, carl] = ["alice", "carl"].map(|user| world.connect(user, "web"));
    world.rest(Post, "/chatrooms/x/ban", "alice", &Value::Null);
    let body = MucBody { ext: Some("hello all".into()), ..visit(Operation::Join, "x") };
    let shown = info(&ask(&mut world, carl, &body));
    assert_eq!(shown["carl"]["member_count"], 3);
    assert_eq!(shown["carl"]["is_all_mute"], true);
    assert_eq!(shown["carl"]["is_in_white_list"], false);
    assert_eq!(shown["carl"]["mute_duration"], 0);
    let told = news(&mut world, alice);
    let [entered] = &told[..] else { panic!("{told:?}") };
    assert_eq!(entered.operation(), Operation::Presence);
    assert_eq!(entered.ext.as_deref(), Some("hello all"));
    assert_eq!(entered.muc_member_count, Some(3));
    assert_eq!(entered.from.as_ref().and_then(|from| from.name.as_deref()), Some("carl"));
    // Again: as good as once.
    info(&ask(&mut world, carl, &visit(Operation::Join, "x")));
    assert_eq!(news(&mut world, alice), []);
    assert_eq!(code(&ask(&mut world, carl, &visit(Operation::Leave, "x"))), (0, ""));
    let told = news(&mut world, alice);
    assert_eq!(told.iter().map(MucBody::operation).collect::<Vec<_>>(), [Operation::Absence]);
    assert_eq!(told[0].muc_member_count, Some(2));
}

#[test]
fn a_mute_is_shown_until_it_ends() {
    let mut world = world();
    let bob = world.connect("bob", "web");
    let mute = |ms| Control::Mute { id: "x".into(), users: vec!["bob".into()], ms };
    world.control(mute(Some(1_000)));
    let until = world.now.0 + 1_000;
    assert_eq!(info(&ask(&mut world, bob, &visit(Operation::Join, "x")))["bob"]["mute_duration"], until);
    world.now.0 += 1_000;
    assert_eq!(info(&ask(&mut world, bob, &visit(Operation::Join, "x")))["bob"]["mute_duration"], 0);
    world.control(mute(None));
    let for_ever = &info(&ask(&mut world, bob, &visit(Operation::Join, "x")))["bob"]["mute_duration"];
    assert!(for_ever.as_u64().is_some_and(|until| until > world.now.0), "{for_ever}");
}

#[test]
fn the_name_is_shown_as_the_client_spells_it() {
    let mut world = world();
    let carl = world.connect("carl", "web");
    let from = Some(jid("CarL", ""));
    let shown = info(&ask(&mut world, carl, &MucBody { from, ..visit(Operation::Join, "x") }));
    assert!(shown["CarL"].is_object(), "{shown}");
    let from = Some(jid("bob", ""));
    let shown = info(&ask(&mut world, carl, &MucBody { from, ..visit(Operation::Join, "x") }));
    assert!(shown["carl"].is_object(), "{shown}");
}

#[test]
fn the_other_rooms_are_left_where_it_is_asked_but_not_ones_own() {
    let mut world = world();
    world.control(Control::Room { id: "own".into(), owner: "bob".into(), members: vec!["carl".into()] });
    world.control(Control::Room { id: "z".into(), owner: "alice".into(), members: vec![] });
    let [alice, bob, carl] = ["alice", "bob", "carl"].map(|user| world.connect(user, "web"));
    let body = MucBody { leave_other_rooms: Some(true), ..visit(Operation::Join, "z") };
    info(&ask(&mut world, bob, &body));
    let told: Vec<_> = news(&mut world, alice)
        .into_iter()
        .map(|body| (body.operation(), body.muc_id.and_then(|id| id.name).unwrap_or_default()))
        .collect();
    assert_eq!(
        told,
        [
            (Operation::Absence, "x".to_owned()),
            (Operation::Absence, "y".to_owned()),
            (Operation::Presence, "z".to_owned()),
        ]
    );
    assert_eq!(news(&mut world, carl), [], "bob is still in his own");
}

#[rstest]
#[case::unknown(visit(Operation::Join, "nowhere"), 1, "grpID nowhere does not exist!")]
#[case::unnamed(MucBody { muc_id: None, ..visit(Operation::Join, "x") }, 1, "group ID illegal, please check it")]
#[case::a_group(visit(Operation::Join, "g"), 1, "grpID g does not exist!")]
#[case::full(visit(Operation::Join, "small"), 1, "group member list is full!")]
#[case::barred(
    visit(Operation::Join, "strict"),
    1,
    "can not join this group, reason:user: carl is in the blacklist of group: strict"
)]
#[case::switched_off(
    visit(Operation::Join, "off"),
    1,
    "can not operate this group, reason: group is disabled"
)]
#[case::not_in(visit(Operation::Leave, "x"), 1, "not in group or chatroom")]
#[case::ones_own(visit(Operation::Leave, "own"), 1, "forbidden operation on group owner!")]
#[case::too_many(visit(Operation::Join, "x"), 1, "user carl has joined too many chatrooms!")]
#[case::a_long_ext(
    MucBody { ext: Some("e".repeat(1_025)), ..visit(Operation::Join, "x") }, 4, "ext holds at most 1024 characters"
)]
#[case::not_served(visit(Operation::Destroy, "x"), 9, "MUC operation DESTROY is not served")]
fn refusals_have_their_words(#[case] body: MucBody, #[case] status: i32, #[case] words: &str) {
    let mut world = world();
    world.control(Control::Group { id: "g".into(), owner: "carl".into(), members: vec![] });
    for id in ["small", "strict", "off"] {
        let members = vec!["carl".into()];
        world.control(Control::Room { id: id.into(), owner: "alice".into(), members });
    }
    world.control(Control::Room { id: "own".into(), owner: "carl".into(), members: vec![] });
    let calls = [
        (Post, "/chatrooms/strict/blocks/users/carl", Value::Null),
        (Delete, "/chatrooms/small/users/carl", Value::Null),
        (Put, "/chatrooms/small", json!({ "maxusers": 1 })),
    ];
    for (method, path, body) in calls {
        assert_eq!(world.rest(method, path, "alice", &body).0, 200, "{path}");
    }
    let token = world.app_token();
    let asked = World::asks(Post, "/chatrooms/off/disable", Some(&token));
    assert_eq!(world.ask(asked).status, 200);
    if words.contains("too many") {
        world.patch(SettingsPatch { joined_rooms_max: Some(2), ..SettingsPatch::default() });
    }
    let carl = world.connect("carl", "web");
    let answer = ask(&mut world, carl, &body);
    assert_eq!(code(&answer), (status, words));
}

#[test]
fn an_answer_can_be_staged() {
    let mut world = world();
    let carl = world.connect("carl", "web");
    let fault = Fault::AnswerStatus { user: "carl".into(), code: 1, reason: "auto create failed".into() };
    world.control(Control::Fault(fault));
    assert_eq!(code(&ask(&mut world, carl, &visit(Operation::Join, "x"))), (1, "auto create failed"));
    info(&ask(&mut world, carl, &visit(Operation::Join, "x")));
}
