//! Our frames beside those that the vendor's unmodified 3.6.3 SDK sent for the same calls: the same fields by
//! name and presence, apart from ids, versions, times and the name of the device.

use client_core::{
    Attachment, Chat, Config, Content, CustomExts, Event, Ext, File, Media, Message, Received, ServerId,
    UploadWay,
};
use fixtures::wire::{CommSyncUl, Jid, MSync, MessageBody, Meta, Provision, RosterBody, message_body};
use prost::Message as _;
use rstest::rstest;
use serde_json::{Value, json};

use crate::stage::{Stage, config, page, provision_answer, text_meta};

const FRAMES: &str = include_str!("../../../fixtures/frames/easemob-websdk-3.6.3.jsonl");

/// The frames of one case in one direction, as bytes.
fn captured(case: &str, direction: &str) -> Vec<Vec<u8>> {
    let lines = FRAMES.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
    let wanted = lines.filter(|line| line["case"] == case && line["dir"] == direction);
    let frames: Vec<Vec<u8>> = wanted.map(|line| unhex(line["hex"].as_str().expect("hex"))).collect();
    assert!(!frames.is_empty(), "no frame of {case} {direction}");
    frames
}

fn unhex(hex: &str) -> Vec<u8> {
    hex.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("ASCII"), 16).expect("hex"))
        .collect()
}

fn captured_send(case: &str) -> MSync {
    let frames = captured(case, "c2s");
    let sends = frames.iter().map(|bytes| MSync::decode(&bytes[..]).expect("a frame"));
    let mut with_meta = sends.filter(|frame| frame.command == Some(0) && payload(frame).meta.is_some());
    with_meta.next().expect("a send")
}

fn payload(frame: &MSync) -> CommSyncUl {
    CommSyncUl::decode(frame.payload.clone().unwrap_or_default()).expect("an uplink")
}

/// Everything of a send that is the same from run to run, decoded to the bottom.
#[derive(Debug, PartialEq)]
struct Spelling {
    frame: MSync,
    uplink: CommSyncUl,
    meta: Meta,
    body: Option<MessageBody>,
    roster: Option<RosterBody>,
}

fn spelling(frame: MSync) -> Spelling {
    let mut uplink = payload(&frame);
    let mut meta = uplink.meta.take().expect("a meta");
    assert!(meta.id.take().is_some_and(|id| id > 0 && id < 1 << 53));
    meta.from = meta.from.map(without_device);
    let bytes = meta.payload.take().expect("a payload");
    let (body, roster) = if meta.ns == Some(3) {
        let mut roster = RosterBody::decode(bytes).expect("a roster body");
        roster.from = roster.from.map(without_device);
        (None, Some(roster))
    } else {
        let mut body = MessageBody::decode(bytes).expect("a message body");
        // `undefined` and numbers in customExts are JavaScript's own: this core has no way to say them.
        body.ext.retain(|pair| pair.value.is_some());
        body.ext.sort_by(|one, other| one.key.cmp(&other.key));
        body.contents
            .iter_mut()
            .for_each(|content| content.custom_exts.retain(|pair| pair.r#type == Some(7)));
        (Some(body), None)
    };
    let frame = MSync { guid: frame.guid.map(without_device), payload: None, ..frame };
    Spelling { frame, uplink, meta, body, roster }
}

fn without_device(jid: Jid) -> Jid {
    Jid { client_resource: jid.client_resource.map(|_| "device".to_owned()), ..jid }
}

fn ext(json: Value) -> Ext {
    Ext::from_json(json).expect("an object")
}

const GROUP: &str = "93734273351681";
const ROOM: &str = "777000777";

fn text() -> Content {
    Content::Text("hello 你好 😀 [-_-]".to_owned())
}

fn command() -> Content {
    Content::Command { action: "action".to_owned() }
}

fn custom() -> Content {
    let exts = CustomExts::from_json(json!({"a": "1"})).expect("strings");
    Content::Custom { event: "customEvent".to_owned(), exts }
}

fn location() -> Content {
    Content::Location { latitude: 39.9, longitude: 116.4, address: "Beijing".to_owned() }
}

fn by_url() -> Content {
    Content::Attachment(Attachment {
        media: Media::Image { width: 10, height: 20 },
        url: "https://example.test/a/b.png".to_owned(),
        secret: None,
        filename: "b.png".to_owned(),
        bytes: 0,
    })
}

#[rstest]
#[case::image_by_url("urlimg-single", Message::new(Chat::Single, "bob", by_url()))]
#[case::image_by_url_to_room("urlimg-room", Message::new(Chat::Room, ROOM, by_url()))]
#[case::asking_for_receipts("group-needack", Message::new(Chat::Group, GROUP, Content::Text("need ack".to_owned())).asking_for_receipts())]
#[case::text("txt-single", Message::new(Chat::Single, "bob", text()))]
#[case::text_to_group("txt-group", Message::new(Chat::Group, GROUP, text()))]
#[case::text_to_room("txt-room", Message::new(Chat::Room, ROOM, text()))]
#[case::command("cmd-single", Message::new(Chat::Single, "bob", command()).with_ext(ext(json!({"extmsg": "extends messages"}))))]
#[case::command_to_group("cmd-group", Message::new(Chat::Group, GROUP, command()).with_ext(ext(json!({"extmsg": "extends messages"}))))]
#[case::command_to_room("cmd-room", Message::new(Chat::Room, ROOM, command()).with_ext(ext(json!({"extmsg": "extends messages"}))))]
#[case::custom_to_group("custom-group", Message::new(Chat::Group, GROUP, custom()))]
#[case::custom_to_room("custom-room", Message::new(Chat::Room, ROOM, custom()))]
#[case::location("loc-single", Message::new(Chat::Single, "bob", location()))]
#[case::location_to_group("loc-group", Message::new(Chat::Group, GROUP, location()))]
#[case::every_kind_of_ext("txt-ext-single", Message::new(Chat::Single, "bob", Content::Text("ext".to_owned())).with_ext(ext(json!({
    "s": "str", "b": true, "bf": false, "i": 42, "neg": -7, "big": 9007199254740991_i64, "f": 1.5,
    "o": {"k2": {"k3": "v"}}, "arr": [1, "a"], "nul": null, "empty": "",
}))))]
fn messages_are_spelt_as_the_sdk_spells_them(#[case] case: &str, #[case] message: Message) {
    let mut stage = Stage::open();
    stage.client.send(stage.now, message).expect("a good message");
    let ours = stage.frames().pop().expect("a frame");
    assert_eq!(spelling(ours), spelling(captured_send(case)));
}

type Command = fn(&mut Stage);

/// As the captured users call each other: alice writes, and bob answers her with receipts.
fn as_user(name: &str) -> Stage {
    let mut stage = Stage::new(Config { username: name.to_owned(), ..config() });
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    stage.let_in();
    stage.frames();
    stage
}

/// The message that the captured receipts are about.
const MESSAGE: ServerId = ServerId(1_160_000_000_004_194_305);

fn recall(stage: &mut Stage, chat: Chat, to: &str) {
    stage.client.recall(stage.now, chat, to, MESSAGE).expect("logged in");
}

fn channel(stage: &mut Stage, chat: Chat, to: &str) {
    stage.client.send_channel_ack(stage.now, chat, to).expect("logged in");
}

#[rstest]
#[case::recall("recall-single", "alice", |stage: &mut Stage| recall(stage, Chat::Single, "bob"))]
#[case::recall_from_group("recall-group", "alice", |stage: &mut Stage| recall(stage, Chat::Group, GROUP))]
#[case::recall_from_room("recall-room", "alice", |stage: &mut Stage| recall(stage, Chat::Room, ROOM))]
#[case::channel("channel-single", "alice", |stage: &mut Stage| channel(stage, Chat::Single, "bob"))]
#[case::channel_of_group("channel-group", "alice", |stage: &mut Stage| channel(stage, Chat::Group, GROUP))]
#[case::channel_of_room("channel-room", "alice", |stage: &mut Stage| channel(stage, Chat::Room, ROOM))]
#[case::read("read-single", "bob", |stage: &mut Stage| {
    stage.client.send_read(stage.now, Chat::Single, "alice", MESSAGE, None).expect("logged in");
})]
#[case::read_in_group("read-group", "bob", |stage: &mut Stage| {
    stage.client.send_read(stage.now, Chat::Group, "alice", MESSAGE, Some("{}")).expect("logged in");
})]
#[case::add("roster-send-add", "alice", |stage: &mut Stage| {
    stage.client.add_contact(stage.now, "bob", "pls").expect("logged in");
})]
#[case::remove("roster-send-remove", "alice", |stage: &mut Stage| {
    stage.client.remove_contact(stage.now, "bob").expect("logged in");
})]
#[case::ban("roster-send-ban", "alice", |stage: &mut Stage| {
    stage.client.block(stage.now, vec!["carol".to_owned(), "dave".to_owned()]).expect("logged in");
})]
fn receipts_and_contacts_are_spelt_as_the_sdk_spells_them(
    #[case] case: &str,
    #[case] user: &str,
    #[case] command: Command,
) {
    let mut stage = as_user(user);
    command(&mut stage);
    let ours = stage.frames().pop().expect("a frame");
    assert_eq!(spelling(ours), spelling(captured_send(case)));
}

/// What we send by ourselves, the SDK sends when its application says so.
#[test]
fn a_delivery_receipt_is_spelt_as_the_sdk_spells_it() {
    let mut stage = Stage::new(Config { delivery: true, ..config() });
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    stage.let_in();
    stage.frames();
    let message = Meta { payload: Some(from_bob().into()), ..text_meta(MESSAGE.0, "hi") };
    stage.server(page("bob", vec![message], None, true));
    let ours = stage.frames().pop().expect("a frame");
    assert_eq!(spelling(ours), spelling(captured_send("delivery-single")));
}

fn from_bob() -> Vec<u8> {
    let text = message_body::Content { r#type: Some(0), text: Some("hi".to_owned()), ..Default::default() };
    let bob = Jid { name: Some("bob".to_owned()), ..Jid::default() };
    MessageBody { r#type: Some(1), from: Some(bob), contents: vec![text], ..Default::default() }
        .encode_to_vec()
}

/// The uploads of the captures: ten bytes, one answer.
#[rstest]
#[case::image("img-single", Chat::Single, "bob", Media::Image { width: 100, height: 50 }, "x.png")]
#[case::image_to_room("img-room", Chat::Room, ROOM, Media::Image { width: 100, height: 50 }, "x.png")]
#[case::video("video-single", Chat::Single, "bob", Media::Video { length_ms: 3000 }, "x.mp4")]
#[case::video_to_group("video-group", Chat::Group, GROUP, Media::Video { length_ms: 3000 }, "x.mp4")]
#[case::video_to_room("video-room", Chat::Room, ROOM, Media::Video { length_ms: 3000 }, "x.mp4")]
#[case::audio_to_group("audio-group", Chat::Group, GROUP, Media::Audio { length_s: 3 }, "x.mp3")]
#[case::file_to_group("file-group", Chat::Group, GROUP, Media::File, "x.zip")]
#[case::file_to_room("file-room", Chat::Room, ROOM, Media::File, "x.zip")]
fn attachments_are_spelt_as_the_sdk_spells_them(
    #[case] case: &str,
    #[case] chat: Chat,
    #[case] to: &str,
    #[case] media: Media,
    #[case] name: &str,
) {
    let mut stage = Stage::open();
    let file = File { name: name.to_owned(), media_type: "a/b".to_owned(), bytes: "0123456789".into() };
    let (ext, way) = (ext(json!({ "file_length": 10 })), UploadWay::Restricted);
    stage.client.send_file(stage.now, chat, to, media, file, ext, way).expect("a good file");
    let call = stage.request().call;
    let stored = r#"{"uri":"http://127.0.0.1:41661/org/app/chatfiles",
        "entities":[{"uuid":"0c0ffee0-1111-2222-3333-444455556666","share-secret":"SECRET1"}]}"#;
    stage.http(call, 200, stored);
    let ours = stage.frames().pop().expect("a frame");
    assert_eq!(spelling(ours), spelling(captured_send(case)));
}

/// What the scratch server of the captures told the SDK, told to our client.
#[rstest]
#[case::read("read-group-count", Event::Read { message: MESSAGE, count: Some(2), content: Some("{}".into()) })]
#[case::statistic("stat-0-group_ack", Event::Statistic { group_ack: json!([{"msg_id": "116", "read_count": 2}]) })]
#[case::recall("recall-single", Event::Recall { message: MESSAGE, from: "alice".into(), to: "bob".into() })]
#[case::channel("channel-group", Event::Channel { from: "alice".into(), to: GROUP.into() })]
#[case::delivered("delivery-single", Event::Delivered { message: MESSAGE })]
fn what_the_sdk_was_told_is_understood(#[case] case: &str, #[case] event: Event) {
    let mut stage = Stage::open();
    for bytes in captured(case, "s2c") {
        stage.server_bytes(bytes);
    }
    assert_eq!(stage.events(), [event]);
}

#[test]
fn provision_and_unread_are_spelt_as_the_sdk_spells_them() {
    let theirs = captured("send-never-answered", "c2s");
    let mut stage = Stage::new(config());
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    stage.answer_dial();
    stage.server(provision_answer(0, None));
    let ours = stage.frames();

    let masked = |frame: MSync| {
        let mut provision = Provision::decode(frame.payload.clone().unwrap_or_default()).expect("PROVISION");
        let name_like = [&mut provision.version, &mut provision.device_uuid, &mut provision.device_name];
        for field in name_like.into_iter().chain([&mut provision.resource, &mut provision.auth]) {
            assert!(field.replace("masked".to_owned()).is_some_and(|value| !value.is_empty()));
        }
        let auth = frame.auth.as_deref().map(|auth| auth.starts_with("$t$"));
        (MSync { guid: frame.guid.map(without_device), auth: None, payload: None, ..frame }, auth, provision)
    };
    assert_eq!(masked(ours[0].clone()), masked(MSync::decode(&theirs[0][..]).expect("PROVISION")));
    assert_eq!(ours[1].encode_to_vec(), theirs[1], "UNREAD");
}

/// The server's side of a capture, played to our client: it pulls and acknowledges byte for byte alike.
#[rstest]
#[case::single("txt-single")]
#[case::group("txt-group")]
#[case::system("muc-7")]
fn pulls_are_spelt_as_the_sdk_spells_them(#[case] case: &str) {
    let theirs = captured(case, "c2s").into_iter().filter(|bytes| {
        let frame = MSync::decode(&bytes[..]).expect("a frame");
        payload(&frame).meta.is_none()
    });
    let mut stage = Stage::new(Config { username: "alice".to_owned(), ..config() });
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    stage.let_in();
    stage.frames();
    for bytes in captured(case, "s2c") {
        stage.server_bytes(bytes);
    }
    stage.handle(Received::Timeout);
    let ours: Vec<Vec<u8>> = stage.frames().iter().map(|frame| frame.encode_to_vec()).collect();
    assert_eq!(ours, theirs.collect::<Vec<_>>());
}
