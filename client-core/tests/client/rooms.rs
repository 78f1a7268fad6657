//! Chat rooms over the socket (wire-4x §6.1): coming in, with what the room tells of itself, and leaving.

use client_core::{
    CallId, Chat, Client, CommandError, Config, Content, Door, Event, Failure, HttpMethod, Joined, Message,
    Millis, OtherRooms, RoomInfo,
};
use fixtures::wire::m_sync::Command;
use fixtures::wire::meta::NameSpace;
use fixtures::wire::{CommSyncDl, Meta, MucBody, muc_body};
use prost::Message as _;
use rstest::rstest;

use crate::stage::{Stage, answer, body_of, config, frame, meta, only, status, uplink};

/// The local id and the body of the one move that went out.
fn sent_move(stage: &mut Stage) -> (Meta, MucBody) {
    let frames = stage.frames();
    let [frame] = &frames[..] else { panic!("one frame: {frames:?}") };
    let meta = uplink(frame).meta.expect("a move");
    let body = MucBody::decode(meta.payload.clone().expect("a payload")).expect("our own body");
    (meta, body)
}

fn enter(stage: &mut Stage) -> (CallId, u64) {
    let call = stage.client.enter_room(stage.now, "5", "", OtherRooms::Stay).expect("logged in");
    (call, sent_move(stage).0.id.expect("a local id"))
}

/// An answer with what the room says of itself.
fn answer_with(local: u64, info: &str) -> fixtures::wire::MSync {
    let status_of_room = muc_body::Status { chatroom_info: Some(info.to_owned()), ..Default::default() };
    let body = MucBody { status: Some(status_of_room), ..MucBody::default() };
    let payload = CommSyncDl {
        status: Some(status(0, None)),
        meta_id: Some(local),
        metas: vec![meta(6, NameSpace::Muc, body.encode_to_vec())],
        ..CommSyncDl::default()
    };
    frame(Command::Sync, payload.encode_to_vec())
}

type Order = fn(&mut Client, Millis) -> Result<(), CommandError>;

#[rstest]
#[case::join(|client: &mut Client, now| client.join_room(now, "5"), 2, Some(""), Some(false))]
#[case::enter(|client: &mut Client, now| client.enter_room(now, "5", "hi", OtherRooms::Leave).map(drop), 2, Some("hi"), Some(true))]
#[case::leave(|client: &mut Client, now| client.leave_room(now, "5"), 3, None, None)]
fn a_move_goes_out_as_the_sdk_spells_it(
    #[case] order: Order,
    #[case] operation: i32,
    #[case] ext: Option<&str>,
    #[case] leave_others: Option<bool>,
) {
    let mut stage = Stage::open();
    order(&mut stage.client, stage.now).expect("logged in");
    let (meta, body) = sent_move(&mut stage);
    assert_eq!(meta.ns, Some(2));
    let room = body.muc_id.expect("a room");
    assert_eq!((room.name.as_deref(), room.domain.as_deref()), (Some("5"), Some("conference.easemob.com")));
    assert_eq!(
        (body.operation, body.is_chatroom, body.ext.as_deref(), body.leave_other_rooms),
        (Some(operation), Some(true), ext, leave_others)
    );
    assert_eq!(stage.requests(), []);
}

#[rstest]
#[case::everything(
    r#"{"Alice":{"is_all_mute":true,"create_timestamp":1,"is_in_white_list":false,"member_count":3,"mute_duration":-1}}"#,
    RoomInfo { members: Some(3), all_muted: Some(true), allowed: Some(false), muted_until: None, created: Some(Millis(1)) }
)]
#[case::muted(
    r#"{"alice":{"mute_duration":1640908860000}}"#,
    RoomInfo { muted_until: Some(Millis(1_640_908_860_000)), ..RoomInfo::default() }
)]
#[case::of_another(r#"{"bob":{"member_count":3}}"#, RoomInfo::default())]
#[case::nothing("", RoomInfo::default())]
fn who_comes_in_learns_what_the_room_is_like(#[case] told: &str, #[case] info: RoomInfo) {
    let mut stage = Stage::open();
    let (call, local) = enter(&mut stage);
    stage.server(answer_with(local, told));
    assert_eq!(only(stage.events()), Event::Entered { call, room: "5".to_owned(), info });
}

#[test]
fn a_room_that_says_nothing_is_entered_all_the_same() {
    let mut stage = Stage::open();
    let (call, local) = enter(&mut stage);
    stage.server(answer(local, 0, None, 0));
    let info = RoomInfo::default();
    assert_eq!(only(stage.events()), Event::Entered { call, room: "5".to_owned(), info });

    let (_, local) = enter(&mut stage);
    stage.server(answer_with(local, "{"));
    let events = stage.events();
    assert!(
        matches!(&events[..], [Event::Error(Failure { code: 604, .. }), Event::Entered { .. }]),
        "{events:?}"
    );
}

#[test]
fn a_refusal_belongs_to_its_call_or_is_an_error() {
    let mut stage = Stage::open();
    let (asked, local) = enter(&mut stage);
    stage.server(answer(local, 1, Some("grpID 5 does not exist!"), 0));
    let Event::CallFailed { call, failure } = only(stage.events()) else { panic!("a failure") };
    assert_eq!((call, failure.code), (asked, 705));

    stage.client.join_room(stage.now, "5").expect("logged in");
    let local = sent_move(&mut stage).0.id.expect("a local id");
    stage.server(answer(local, 1, Some("group member list is full!"), 0));
    assert_eq!(stage.error_codes(), [704]);
}

#[test]
fn a_move_stands_in_line_with_messages_and_outlasts_a_link() {
    let mut stage = Stage::open();
    stage.client.join_room(stage.now, "5").expect("logged in");
    let text = Message::new(Chat::Room, "5", Content::Text("hi".to_owned()));
    stage.client.send(stage.now, text).expect("a good message");
    stage.client.leave_room(stage.now, "5").expect("logged in");
    let spaces = |stage: &mut Stage| -> Vec<i32> {
        stage
            .frames()
            .iter()
            .filter(|frame| frame.command == Some(0))
            .filter_map(|frame| uplink(frame).meta?.ns)
            .collect()
    };
    assert_eq!(spaces(&mut stage), [2, 1, 2]);
    stage.cut();
    stage.let_in();
    assert_eq!(spaces(&mut stage), [2, 1, 2]);
}

#[test]
fn what_is_under_way_ends_with_the_session() {
    let mut stage = Stage::open();
    let (asked, _) = enter(&mut stage);
    stage.client.close();
    let events = stage.events();
    assert!(
        matches!(&events[..], [Event::CallFailed { call, failure: Failure { code: 510, .. } }, Event::Closed] if *call == asked),
        "{events:?}"
    );
    let refused = stage.client.enter_room(stage.now, "5", "", OtherRooms::Stay);
    assert_eq!(refused, Err(CommandError::NotLoggedIn { command: "enter_room" }));
}

#[test]
fn the_door_of_3x_has_rooms_over_rest() {
    let mut stage =
        Stage::new(Config { door: Door::SockJs { url: "http://127.0.0.1:4000/ws".to_owned() }, ..config() });
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    let info = stage.request();
    stage.http(info.call, 200, "{}");
    let link = stage.dials().pop().expect("a dial").0;
    stage.handle(client_core::Received::Dialed { link });
    let server = |stage: &mut Stage, text: String| {
        stage.handle(client_core::Received::Message { link, message: client_core::WireMessage::Text(text) });
    };
    server(&mut stage, "o".to_owned());
    let answer = crate::stage::provision_answer(0, None).encode_to_vec();
    server(&mut stage, fixtures::wire::sockjs::server_text(&answer));
    assert_eq!(stage.events(), [Event::Opened]);
    stage.client.join_room(stage.now, "5").expect("logged in");
    let request = stage.request();
    let url = "http://127.0.0.1:4000/org/app/chatrooms/5/apply";
    assert_eq!((request.method, request.url.as_str()), (HttpMethod::Post, url));
    assert_eq!(body_of(&request).as_deref(), Some(r#"{"message":"join room"}"#));
    stage.http(request.call, 200, "{}");
    stage.client.leave_room(stage.now, "5").expect("logged in");
    let request = stage.request();
    let url = "http://127.0.0.1:4000/org/app/chatrooms/5/quit";
    assert_eq!((request.method, request.url.as_str(), request.body), (HttpMethod::Delete, url, None));
}

#[rstest]
#[case::first(0, "pagenum=0", "pagenum=1")]
#[case::third(2, "pagenum=2", "pagenum=3")]
fn the_groups_and_rooms_that_one_is_in_come_in_pages(
    #[case] number: u32,
    #[case] of_groups: &str,
    #[case] of_rooms: &str,
) {
    let mut stage = Stage::open();
    let one = |id: &str, name: &str| Joined { id: id.to_owned(), name: name.to_owned() };
    let call = stage.client.list_groups(stage.now, number).expect("logged in");
    let query = format!("{of_groups}&pagesize=20");
    assert_eq!(
        stage.request().url,
        format!("http://127.0.0.1:4000/org/app/users/alice/joined_chatgroups?{query}")
    );
    stage.http(
        call,
        200,
        r#"{"data":[{"id":"1","name":"Chess","groupid":"1"},{"groupid":"2","groupname":"Go"},{}]}"#,
    );
    assert_eq!(
        only(stage.events()),
        Event::JoinedGroups { call, groups: vec![one("1", "Chess"), one("2", "Go")] }
    );

    let call = stage.client.list_rooms(stage.now, number).expect("logged in");
    let query = format!("{of_rooms}&pagesize=20&detail=true");
    assert_eq!(
        stage.request().url,
        format!("http://127.0.0.1:4000/org/app/users/alice/joined_chatrooms?{query}")
    );
    stage.http(call, 200, r#"{"data":[{"id":"2","title":"Lobby","owner":"org#app_bob"}]}"#);
    assert_eq!(only(stage.events()), Event::JoinedRooms { call, rooms: vec![one("2", "Lobby")] });
}
