//! A client without a network: the test plays the server, the sockets and the clock.

use bytes::Bytes;
use client_core::{
    AttachmentUrls, CallId, Client, Config, Door, EmojiTable, Event, Failure, HttpAnswer, HttpRequest,
    LinkId, Millis, Received, Transmit, WireMessage,
};
use fixtures::wire::m_sync::Command;
use fixtures::wire::meta::NameSpace;
use fixtures::wire::{
    CommNotice, CommSyncDl, CommSyncUl, CommUnreadDl, Jid, MSync, MessageBody, Meta, MetaQueue, Provision,
    Status, message_body,
};
use prost::Message as _;

pub(crate) const START: Millis = Millis(1_640_908_800_000);

pub(crate) struct Stage {
    pub(crate) client: Client,
    pub(crate) now: Millis,
    transmits: Vec<Transmit>,
    events: Vec<Event>,
    link: Option<LinkId>,
}

pub(crate) fn config() -> Config {
    Config {
        app_key: "org#app".to_owned(),
        username: "alice".to_owned(),
        device: "desk".to_owned(),
        rest: "http://127.0.0.1:4000".to_owned(),
        door: Door::WebSocket { url: "ws://127.0.0.1:4000/websocket".to_owned() },
        reconnects: 3,
        delivery: false,
        attachment_urls: AttachmentUrls::Ours,
        emoji: EmojiTable::default(),
    }
}

impl Stage {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            client: Client::new(config),
            now: START,
            transmits: Vec::new(),
            events: Vec::new(),
            link: None,
        }
    }

    /// Logged in, with the login's frames and events read already.
    pub(crate) fn open() -> Self {
        let mut stage = Self::new(config());
        stage.client.login_token(stage.now, "t").expect("a fresh client");
        stage.let_in();
        assert_eq!(stage.events(), [Event::Opened]);
        stage.frames();
        stage
    }

    /// Takes the dial that the client has asked for through to the answer of PROVISION.
    pub(crate) fn let_in(&mut self) {
        self.answer_dial();
        self.server(provision_answer(0, None));
    }

    pub(crate) fn answer_dial(&mut self) {
        let link = self.dials().pop().expect("a dial").0;
        self.handle(Received::Dialed { link });
    }

    pub(crate) fn handle(&mut self, received: Received) {
        self.client.handle(self.now, received);
        self.collect();
    }

    pub(crate) fn server(&mut self, frame: MSync) {
        self.server_bytes(frame.encode_to_vec());
    }

    pub(crate) fn server_bytes(&mut self, bytes: impl Into<Bytes>) {
        let message = WireMessage::Binary(bytes.into());
        let link = self.link();
        self.handle(Received::Message { link, message });
    }

    pub(crate) fn cut(&mut self) {
        let link = self.link();
        self.handle(Received::HungUp { link, reason: "cut".to_owned() });
    }

    /// Moves the clock, stopping at each deadline.
    pub(crate) fn advance(&mut self, ms: u64) {
        let end = self.now.after(ms);
        while let Some(deadline) = self.client.next_deadline().filter(|deadline| *deadline <= end) {
            self.now = deadline;
            self.handle(Received::Timeout);
        }
        self.now = end;
    }

    pub(crate) fn link(&mut self) -> LinkId {
        self.collect();
        self.link.expect("a dial")
    }

    pub(crate) fn collect(&mut self) {
        while let Some(transmit) = self.client.poll_transmit() {
            if let Transmit::Dial { link, .. } = &transmit {
                self.link = Some(*link);
            }
            self.transmits.push(transmit);
        }
        while let Some(event) = self.client.poll_event() {
            self.events.push(event);
        }
    }

    pub(crate) fn transmits(&mut self) -> Vec<Transmit> {
        self.collect();
        std::mem::take(&mut self.transmits)
    }

    pub(crate) fn events(&mut self) -> Vec<Event> {
        self.collect();
        std::mem::take(&mut self.events)
    }

    /// The numbers of the errors told since, with everything else dropped.
    pub(crate) fn error_codes(&mut self) -> Vec<i32> {
        let errors = self.events().into_iter().filter_map(|event| match event {
            Event::Error(Failure { code, .. }) => Some(code),
            _ => None,
        });
        errors.collect()
    }

    /// The texts of the messages shown since, with everything else dropped.
    pub(crate) fn texts(&mut self) -> Vec<String> {
        texts_of(&self.events())
    }

    /// The frames sent since; other transmits stay.
    pub(crate) fn frames(&mut self) -> Vec<MSync> {
        self.take(|transmit| match transmit {
            Transmit::Frame { message: WireMessage::Binary(bytes), .. } => {
                Some(MSync::decode(bytes.clone()).expect("our own frame"))
            }
            _ => None,
        })
    }

    /// The pulls among the frames sent since.
    pub(crate) fn pulls(&mut self) -> Vec<(String, Option<u64>)> {
        let uplinks =
            self.frames().into_iter().filter(|frame| frame.command == Some(0)).map(|frame| uplink(&frame));
        uplinks.filter_map(|uplink| Some((uplink.queue?.name?, uplink.key))).collect()
    }

    pub(crate) fn requests(&mut self) -> Vec<HttpRequest> {
        self.take(|transmit| match transmit {
            Transmit::Http(request) => Some(request.clone()),
            _ => None,
        })
    }

    pub(crate) fn cancelled(&mut self) -> Vec<CallId> {
        self.take(|transmit| match transmit {
            Transmit::Cancel { call } => Some(*call),
            _ => None,
        })
    }

    pub(crate) fn dials(&mut self) -> Vec<(LinkId, String)> {
        self.take(|transmit| match transmit {
            Transmit::Dial { link, url } => Some((*link, url.clone())),
            _ => None,
        })
    }

    /// How many dials wait for an answer; they stay.
    pub(crate) fn dials_wanted(&mut self) -> usize {
        self.collect();
        self.transmits.iter().filter(|transmit| matches!(transmit, Transmit::Dial { .. })).count()
    }

    pub(crate) fn hang_ups(&mut self) -> Vec<LinkId> {
        self.take(|transmit| match transmit {
            Transmit::HangUp { link } => Some(*link),
            _ => None,
        })
    }

    pub(crate) fn http(&mut self, call: CallId, status: u16, body: &str) {
        self.http_typed(call, status, Some("application/json"), body.to_owned());
    }

    pub(crate) fn http_typed(
        &mut self,
        call: CallId,
        status: u16,
        media_type: Option<&str>,
        body: impl Into<Bytes>,
    ) {
        let answer = HttpAnswer { status, media_type: media_type.map(str::to_owned), body: body.into() };
        self.handle(Received::Http { call, answer: Ok(answer) });
    }

    /// The one request made since.
    pub(crate) fn request(&mut self) -> HttpRequest {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }

    fn take<T>(&mut self, wanted: impl Fn(&Transmit) -> Option<T>) -> Vec<T> {
        let mut taken = Vec::new();
        let kept = self.transmits().into_iter().filter_map(|transmit| match wanted(&transmit) {
            Some(found) => {
                taken.push(found);
                None
            }
            None => Some(transmit),
        });
        self.transmits = kept.collect();
        taken
    }
}

/// The body of a request as text.
pub(crate) fn body_of(request: &HttpRequest) -> Option<String> {
    let body = request.body.as_ref()?;
    Some(body.pieces.iter().map(|piece| std::str::from_utf8(piece).expect("text")).collect())
}

/// The one event told since.
pub(crate) fn only(events: Vec<Event>) -> Event {
    let [event] = <[Event; 1]>::try_from(events).expect("one event");
    event
}

pub(crate) fn texts_of(events: &[Event]) -> Vec<String> {
    let texts = events.iter().filter_map(|event| match event {
        Event::Message(message) => match &message.content {
            client_core::IncomingContent::Text(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    });
    texts.collect()
}

pub(crate) fn uplink(frame: &MSync) -> CommSyncUl {
    CommSyncUl::decode(frame.payload.clone().expect("a payload")).expect("our own payload")
}

pub(crate) fn frame(command: Command, payload: Vec<u8>) -> MSync {
    MSync { command: Some(command.into()), payload: Some(payload.into()), ..MSync::default() }
}

pub(crate) fn status(code: i32, reason: Option<&str>) -> Status {
    Status { error_code: Some(code), reason: reason.map(str::to_owned), ..Status::default() }
}

pub(crate) fn provision_answer(code: i32, reason: Option<&str>) -> MSync {
    let payload = Provision { status: Some(status(code, reason)), ..Provision::default() };
    frame(Command::Provision, payload.encode_to_vec())
}

pub(crate) fn notice(queue: &str) -> MSync {
    frame(Command::Notice, CommNotice { queue: Some(queue_jid(queue)) }.encode_to_vec())
}

pub(crate) fn unread(queues: &[&str]) -> MSync {
    let unread = queues.iter().map(|queue| MetaQueue { queue: Some(queue_jid(queue)), n: Some(1) });
    let payload = CommUnreadDl { status: Some(status(0, None)), unread: unread.collect(), timestamp: None };
    frame(Command::Unread, payload.encode_to_vec())
}

pub(crate) fn page(queue: &str, metas: Vec<Meta>, next_key: Option<u64>, is_last: bool) -> MSync {
    let payload = CommSyncDl {
        status: Some(status(0, None)),
        metas,
        next_key,
        queue: Some(queue_jid(queue)),
        is_last: Some(is_last),
        ..CommSyncDl::default()
    };
    frame(Command::Sync, payload.encode_to_vec())
}

/// The answer to a send.
pub(crate) fn answer(local: u64, code: i32, reason: Option<&str>, server: u64) -> MSync {
    let payload = CommSyncDl {
        status: Some(status(code, reason)),
        meta_id: Some(local),
        server_id: Some(server),
        ..CommSyncDl::default()
    };
    frame(Command::Sync, payload.encode_to_vec())
}

pub(crate) fn text_meta(id: u64, text: &str) -> Meta {
    let content =
        message_body::Content { r#type: Some(0), text: Some(text.to_owned()), ..Default::default() };
    chat_meta(id, message_body::Type::Chat, vec![content])
}

pub(crate) fn chat_meta(id: u64, kind: message_body::Type, contents: Vec<message_body::Content>) -> Meta {
    let body = MessageBody {
        r#type: Some(kind.into()),
        from: Some(Jid { name: Some("Bob".to_owned()), ..Jid::default() }),
        to: Some(Jid { name: Some("alice".to_owned()), ..Jid::default() }),
        contents,
        ..MessageBody::default()
    };
    meta(id, NameSpace::Chat, body.encode_to_vec())
}

pub(crate) fn meta(id: u64, ns: NameSpace, payload: Vec<u8>) -> Meta {
    Meta {
        id: Some(id),
        from: Some(queue_jid("bob")),
        to: Some(queue_jid("alice")),
        timestamp: Some(START.0),
        ns: Some(ns.into()),
        payload: Some(payload.into()),
        ..Meta::default()
    }
}

pub(crate) fn queue_jid(name: &str) -> Jid {
    Jid {
        app_key: Some("org#app".to_owned()),
        name: Some(name.to_owned()),
        domain: Some("easemob.com".to_owned()),
        client_resource: None,
    }
}
