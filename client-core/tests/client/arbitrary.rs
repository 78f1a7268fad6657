//! Whatever comes, in whatever order: nothing panics, deadlines move on, and what is closed stays closed.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use client_core::{
    CallId, Chat, Client, Config, Content, Door, Event, Ext, File, HttpAnswer, LinkId, Listed, LocalId,
    Media, Message, Millis, OtherRooms, Received, Search, ServerId, Transmit, UploadWay, WireMessage,
};
use fixtures::wire::m_sync::Command;
use fixtures::wire::meta::NameSpace;
use fixtures::wire::{CommSyncDl, MSync, MessageBody, Meta, MucBody, message_body, muc_body, sockjs};
use proptest::prelude::*;
use prost::Message as _;

use crate::stage::{
    START, answer, config, frame, meta, notice, page, provision_answer, status, text_meta, unread,
};

#[derive(Clone, Debug)]
enum Step {
    LoginPassword,
    LoginToken,
    Close,
    Send,
    Block,
    JoinGroup,
    SendFile,
    Download,
    History(usize),
    SendRead,
    Modify,
    EnterRoom,
    LeaveRoom,
    Search,
    Page,
    React,
    Pinned,
    Progress(u64),
    Network(bool),
    Dialed,
    HungUp,
    Http(u16, Vec<u8>),
    Frame(Vec<u8>),
    Text(String),
    Binary(Vec<u8>),
    Wait(u64),
}

fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let good = prop_oneof![
        (0..20, prop::option::of("Sorry, token expired"))
            .prop_map(|(code, reason)| provision_answer(code, reason.as_deref())),
        Just(provision_answer(0, None)),
        "[a-c]".prop_map(|queue| notice(&queue)),
        "[a-c]".prop_map(|queue| unread(&[&queue])),
        ("[a-c]", 0..5_u64, prop::option::of(0..4_u64), any::<bool>())
            .prop_map(|(queue, id, key, last)| page(&queue, vec![text_meta(id, "t")], key, last)),
        (0..20).prop_map(|code| answer(375_926_400_001, code, None, 1)),
        (0..5_u64, any_notify()).prop_map(|(id, news)| page(
            "a",
            vec![meta(id, NameSpace::Notify, news)],
            None,
            true
        )),
        (0..5_u64, any_edit()).prop_map(|(id, edit)| page(
            "a",
            vec![Meta { id: Some(id), ..edit }],
            None,
            true
        )),
        (0..20, any_notify()).prop_map(|(code, info)| room_answer(code, info)),
    ];
    let good = good.prop_map(|frame| frame.encode_to_vec()).boxed();
    let bent =
        (good.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut bytes, place, byte)| {
            let place = place.index(bytes.len());
            bytes[place] = byte;
            bytes
        });
    prop_oneof![3 => good, 2 => bent, 1 => prop::collection::vec(any::<u8>(), 0..64)]
}

/// News of every kind, and some that are none.
fn any_notify() -> impl Strategy<Value = Vec<u8>> {
    let news = prop_oneof![
        Just(r#"{"type":"reaction","data":[{"messageId":"1","reactions":[{"reaction":"a"}]}]}"#.to_owned()),
        ("[a-z_]{2,11}", "[a-z0-9_]{0,6}").prop_map(|(op, ext)| {
            format!(r#"{{"type":"conv","data":{{"op":"{op}","id":"b","type":"chat","ext":"{ext}"}}}}"#)
        }),
        prop::sample::select(vec!["del", "top", "not_top", "mark", "mark_delete", "pin", "pin_delete"])
            .prop_map(|op| format!(r#"{{"type":"conv","data":{{"op":"{op}","ext":"1"}}}}"#)),
        Just(r#"{"type":"roaming_delete","data":{"to":"b"}}"#.to_owned()),
        Just(r#"{"type":"user_notification_mute","values":[{"data":{}}]}"#.to_owned()),
        Just(r#"{"alice":{"member_count":1}}"#.to_owned()),
        ".{0,20}",
    ];
    news.prop_map(String::into_bytes)
}

fn any_edit() -> impl Strategy<Value = Meta> {
    (any::<Option<u64>>(), prop::option::of(r#"\{"edit_msg":\{("count":[0-9])?\}\}|.{0,8}"#)).prop_map(
        |(of, note)| {
            let content = message_body::Content { r#type: Some(0), ..Default::default() };
            let body = MessageBody {
                r#type: Some(message_body::Type::Edit.into()),
                contents: vec![content],
                edit_message_id: of,
                meta: note,
                ..MessageBody::default()
            };
            meta(0, NameSpace::Chat, body.encode_to_vec())
        },
    )
}

/// An answer to what was sent first, with what a room says of itself.
fn room_answer(code: i32, info: Vec<u8>) -> MSync {
    let told = muc_body::Status { chatroom_info: String::from_utf8(info).ok(), ..Default::default() };
    let body = MucBody { status: Some(told), ..MucBody::default() };
    let payload = CommSyncDl {
        status: Some(status(code, None)),
        meta_id: Some(375_926_400_001),
        metas: vec![meta(6, NameSpace::Muc, body.encode_to_vec())],
        ..CommSyncDl::default()
    };
    frame(Command::Sync, payload.encode_to_vec())
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(br#"{"access_token":"t"}"#.to_vec()),
        Just(br#"{"uri":"http://127.0.0.1:1/o/a/chatfiles","entities":[{"uuid":"u","share-secret":"s"}]}"#.to_vec()),
        (0..4_u64, any::<bool>()).prop_map(|(key, last)| {
            let msg = STANDARD.encode(text_meta(key, "t").encode_to_vec());
            format!(r#"{{"data":{{"msgs":[{{"msg":"{msg}"}},{{"msg":"?"}}],"is_last":{last},"next_key":"{key}"}}}}"#)
                .into_bytes()
        }),
        Just(br#"{"data":{"channel_infos":[{"session_to":"b","session_type":"chat","marks":["mark_1"]}],"cursor":"c"}}"#.to_vec()),
        Just(br#"{"data":[{"msgId":"1","reactionList":[{"reaction":"a"}]}]}"#.to_vec()),
        Just(br#"{"data":{"msg_infos":[{"message":{"id":"1"}}]}}"#.to_vec()),
        Just(br#"{"data":[{"id":"1"},{"groupid":"2"}]}"#.to_vec()),
        prop::collection::vec(any::<u8>(), 0..32),
    ]
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        1 => Just(Step::LoginPassword),
        2 => Just(Step::LoginToken),
        1 => Just(Step::Close),
        2 => Just(Step::Send),
        1 => Just(Step::Block),
        1 => Just(Step::JoinGroup),
        2 => Just(Step::SendFile),
        1 => Just(Step::Download),
        2 => (0..4_usize).prop_map(Step::History),
        1 => Just(Step::SendRead),
        2 => Just(Step::Modify),
        2 => Just(Step::EnterRoom),
        1 => Just(Step::LeaveRoom),
        1 => Just(Step::Search),
        1 => Just(Step::Page),
        1 => Just(Step::React),
        1 => Just(Step::Pinned),
        1 => (0..500_u64).prop_map(Step::Progress),
        1 => any::<bool>().prop_map(Step::Network),
        4 => Just(Step::Dialed),
        1 => Just(Step::HungUp),
        2 => (prop_oneof![Just(200), any::<u16>()], any_body())
            .prop_map(|(status, body)| Step::Http(status, body)),
        8 => any_frame().prop_map(Step::Frame),
        1 => "[aohcm\\[\\]\"A-Z=,]{0,20}".prop_map(Step::Text),
        1 => prop::collection::vec(any::<u8>(), 0..32).prop_map(Step::Binary),
        4 => (0..60_000_u64).prop_map(Step::Wait),
    ]
}

/// What the machinery around a client knows.
struct World {
    client: Client,
    now: Millis,
    sockjs: bool,
    link: Option<LinkId>,
    call: Option<CallId>,
    asked: BTreeSet<CallId>,
    /// Calls that must end in one event.
    open: BTreeSet<CallId>,
    /// Uploads that may end in a failure, with what has gone out.
    uploads: BTreeMap<LocalId, u64>,
    may_tell: bool,
    opened: bool,
}

impl World {
    fn new(sockjs: bool) -> Self {
        let door = if sockjs {
            Door::SockJs { url: "http://127.0.0.1:1/ws".to_owned() }
        } else {
            Door::WebSocket { url: "ws://127.0.0.1:1/websocket".to_owned() }
        };
        let client = Client::new(Config { door, delivery: true, ..config() });
        Self {
            client,
            now: START,
            sockjs,
            link: None,
            call: None,
            asked: BTreeSet::new(),
            open: BTreeSet::new(),
            uploads: BTreeMap::new(),
            may_tell: false,
            opened: false,
        }
    }

    /// Logs in, so that what follows reaches the inside.
    fn open(&mut self) -> Result<(), TestCaseError> {
        let info = Step::Http(200, b"{}".to_vec());
        let steps = [Step::LoginToken, info, Step::Dialed, Step::Text("o".to_owned())];
        for step in steps.into_iter().chain([Step::Frame(provision_answer(0, None).encode_to_vec())]) {
            self.step(step);
            self.look()?;
        }
        prop_assert!(self.opened);
        Ok(())
    }

    fn step(&mut self, step: Step) {
        let received = match step {
            Step::LoginPassword => {
                self.may_tell |= self.client.login_password(self.now, "pw").is_ok();
                None
            }
            Step::LoginToken => {
                self.may_tell |= self.client.login_token(self.now, "t").is_ok();
                None
            }
            Step::Close => {
                self.client.close();
                None
            }
            Step::Send => {
                let message = Message::new(Chat::Group, "1", Content::Text("x".to_owned()));
                self.client.send(self.now, message).expect("a good message");
                None
            }
            Step::Block => {
                // Refused when not logged in: that is fine here.
                drop(self.client.block(self.now, vec!["bob".to_owned()]));
                None
            }
            Step::JoinGroup => {
                drop(self.client.join_group(self.now, "1"));
                None
            }
            Step::SendFile => {
                let file = File { name: "a".into(), media_type: "text/plain".into(), bytes: "x".into() };
                let (media, ext, way) = (Media::File, Ext::default(), UploadWay::Restricted);
                let local = self.client.send_file(self.now, Chat::Single, "bob", media, file, ext, way);
                self.uploads.insert(local.expect("a good file"), 0);
                None
            }
            Step::Download => {
                self.open.extend(self.client.download(self.now, "http://127.0.0.1:4000/f", Some("s"), None));
                None
            }
            Step::History(count) => {
                self.open.extend(self.client.fetch_history(self.now, Chat::Single, "bob", count, None));
                None
            }
            Step::SendRead => {
                let sent = self.client.send_read(self.now, Chat::Single, "bob", ServerId(1), None);
                sent.expect("a good receipt");
                None
            }
            Step::Modify => {
                let changed =
                    self.client.modify_text(self.now, Chat::Single, "bob", ServerId(1), "new", None);
                changed.expect("a good change");
                None
            }
            Step::EnterRoom => {
                self.open.extend(self.client.enter_room(self.now, "5", "", OtherRooms::Leave));
                None
            }
            Step::LeaveRoom => {
                drop(self.client.leave_room(self.now, "5"));
                None
            }
            Step::Search => {
                let search = Search::newest(Chat::Group, "9");
                self.open.extend(self.client.search_history(self.now, search));
                None
            }
            Step::Page => {
                self.open.extend(self.client.page_conversations(self.now, Listed::All, None, None));
                None
            }
            Step::React => {
                self.open.extend(self.client.add_reaction(self.now, ServerId(1), "a"));
                let listed = self.client.list_reactions(self.now, vec![ServerId(1)], Chat::Single, None);
                self.open.extend(listed);
                self.open.extend(self.client.list_reactors(self.now, ServerId(1), "a", None, None));
                None
            }
            Step::Pinned => {
                self.open.extend(self.client.list_pinned_messages(self.now, Chat::Group, "9", None, None));
                self.open.extend(self.client.list_groups(self.now, 0));
                self.open.extend(self.client.list_rooms(self.now, u32::MAX));
                None
            }
            Step::Progress(sent) => self.call.map(|call| Received::HttpProgress { call, sent }),
            Step::Network(up) => {
                self.client.network(self.now, up);
                None
            }
            Step::Dialed => self.link.map(|link| Received::Dialed { link }),
            Step::HungUp => self.link.map(|link| Received::HungUp { link, reason: String::new() }),
            Step::Http(status, body) => self.call.map(|call| Received::Http {
                call,
                answer: Ok(HttpAnswer { status, media_type: None, body: Bytes::from(body) }),
            }),
            Step::Frame(bytes) if self.sockjs => self.message(WireMessage::Text(sockjs::server_text(&bytes))),
            Step::Frame(bytes) | Step::Binary(bytes) => self.message(WireMessage::Binary(bytes.into())),
            Step::Text(text) => self.message(WireMessage::Text(text)),
            Step::Wait(ms) => {
                self.now = self.now.after(ms);
                Some(Received::Timeout)
            }
        };
        if let Some(received) = received {
            self.client.handle(self.now, received);
        }
    }

    fn message(&self, message: WireMessage) -> Option<Received> {
        self.link.map(|link| Received::Message { link, message })
    }

    fn look(&mut self) -> Result<(), TestCaseError> {
        while let Some(transmit) = self.client.poll_transmit() {
            match transmit {
                Transmit::Dial { link, .. } => self.link = Some(link),
                Transmit::Http(request) => {
                    self.call = Some(request.call);
                    self.asked.insert(request.call);
                }
                Transmit::Cancel { call } => {
                    prop_assert!(self.asked.remove(&call), "only what was asked for, and once");
                }
                Transmit::Frame { link, .. } | Transmit::HangUp { link } => {
                    prop_assert_eq!(Some(link), self.link, "only the newest link is used");
                }
            }
        }
        while let Some(event) = self.client.poll_event() {
            self.opened |= event == Event::Opened;
            match event {
                Event::Opened
                | Event::Message(_)
                | Event::Sent { .. }
                | Event::Received { .. }
                | Event::Muted { .. }
                | Event::Uploaded { .. }
                | Event::Recall { .. }
                | Event::Delivered { .. }
                | Event::Read { .. }
                | Event::Channel { .. }
                | Event::Modified(_)
                | Event::Reaction { .. }
                | Event::Pin { .. }
                | Event::Device(_)
                | Event::Statistic { .. } => {
                    prop_assert!(self.may_tell, "{event:?} after the end");
                }
                Event::UploadProgress { local, loaded, total } => {
                    let before = self.uploads.get_mut(&local);
                    let before = before.ok_or_else(|| TestCaseError::fail("progress without an upload"))?;
                    prop_assert!(*before < loaded && loaded <= total, "{before} before {loaded} of {total}");
                    *before = loaded;
                }
                Event::UploadFailed { local, .. } => {
                    prop_assert!(self.uploads.remove(&local).is_some(), "it failed before");
                }
                Event::CallFailed { call, .. }
                | Event::History { call, .. }
                | Event::Done { call }
                | Event::ConversationPage { call, .. }
                | Event::HistoryPage { call, .. }
                | Event::Reactions { call, .. }
                | Event::Reactors { call, .. }
                | Event::PinnedMessages { call, .. }
                | Event::Entered { call, .. }
                | Event::JoinedGroups { call, .. }
                | Event::JoinedRooms { call, .. }
                | Event::Downloaded { call, .. }
                | Event::DownloadFailed { call, .. } => {
                    prop_assert!(self.open.remove(&call), "{call:?} ended before");
                }
                Event::Closed => {
                    prop_assert!(self.may_tell, "closed twice");
                    self.may_tell = false;
                }
                Event::Error(_)
                | Event::Failed { .. }
                | Event::BlacklistUpdate(_)
                | Event::GroupCreated { .. }
                | Event::RoomCreated { .. }
                | Event::Presence(_)
                | Event::Roster(_)
                | Event::Conversations { .. }
                | Event::ConversationDeleted { .. }
                | Event::Readers { .. }
                | Event::Offline
                | Event::Online => {}
            }
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn nothing_that_comes_breaks_the_client(
            sockjs in any::<bool>(),
            is_open in any::<bool>(),
            steps in prop::collection::vec(any_step(), 0..60),
        ) {
        let mut world = World::new(sockjs);
        if is_open {
            world.open()?;
        }
        for step in steps {
            world.step(step);
            world.look()?;
            world.client.handle(world.now, Received::Timeout);
            world.look()?;
            prop_assert!(world.client.next_deadline().is_none_or(|deadline| deadline > world.now));
        }
        world.client.close();
        world.look()?;
        prop_assert_eq!(world.open.len(), 0, "whatever was asked for has come to an end");
    }
}
