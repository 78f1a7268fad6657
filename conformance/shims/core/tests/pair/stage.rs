//! Clients, a server, and the links between them, as values.

use std::collections::{BTreeMap, VecDeque};

use client_core::{
    AttachmentUrls, Chat, Client, Config, Content, Conversation, Door, EmojiTable, Event, HttpAnswer,
    HttpMethod, Incoming, IncomingContent, LinkId, Message, Millis, Received, Transmit, WireMessage,
};
use mock_server::control::Control;
use mock_server::machine::rest::{Method, Request};
use mock_server::machine::{self, AppKey, ConnId, Decision, Drawn, Input, Output, RequestId, Server};

use super::ledger::{Ledger, Sent};

/// A user's device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Who(pub(crate) &'static str, pub(crate) &'static str);

/// One client and its link.
struct Device {
    client: Client,
    link: Option<Link>,
}

struct Link {
    id: LinkId,
    conn: ConnId,
    up: VecDeque<WireMessage>,
    down: VecDeque<WireMessage>,
}

/// Everything.
pub(crate) struct Stage {
    now: u64,
    server: Server,
    devices: Vec<Device>,
    pub(crate) ledger: Ledger,
    /// What was fetched last.
    history: Vec<Incoming>,
    conversations: Vec<Conversation>,
    conns: u64,
    requests: u64,
    pub(crate) findings: Vec<String>,
}

/// A schedule that needs more rounds than this goes round in circles.
const ROUNDS_MAX: usize = 200_000;

impl Stage {
    /// A server that knows the users, and their devices on their way in.
    pub(crate) fn new(who: &[Who]) -> Self {
        Self::with(who, None)
    }

    /// As [`Stage::new`], the server nasty by this seed.
    pub(crate) fn with(who: &[Who], nasty: Option<u64>) -> Self {
        let app_key = AppKey::parse("pair#test").expect("two halves");
        let mut server = Server::new(machine::Config { nasty, ..machine::Config::new(app_key) });
        for Who(user, _) in who {
            let control = Control::User { name: (*user).into(), password: "pw".into() };
            server.control(machine::Millis(0), control).expect("a legal name");
        }
        let devices = who.iter().map(|&who| Device::new(who)).collect();
        let mut stage = Self {
            now: 0,
            server,
            devices,
            ledger: Ledger::new(who),
            history: Vec::new(),
            conversations: Vec::new(),
            conns: 0,
            requests: 0,
            findings: Vec::new(),
        };
        for index in 0..stage.devices.len() {
            stage.devices[index].client.login_password(Millis(0), "pw").expect("not logged in yet");
            stage.pump(index);
        }
        stage
    }

    pub(crate) fn send(&mut self, from: usize, to: &str) {
        let from = from % self.devices.len();
        let number = self.ledger.texts.len();
        let text = self.ledger.next_text(from, to);
        let message = Message::new(Chat::Single, to, Content::Text(text));
        let client = &mut self.devices[from].client;
        let local = client.send(Millis(self.now), message).expect("logged in, and it never gives up");
        self.ledger.sent(from, local, Sent::Text(number));
        self.pump(from);
    }

    /// A device takes back one of its own texts; which, the number says.
    pub(crate) fn recall(&mut self, who: usize, which: usize) {
        let who = who % self.devices.len();
        let Some(number) = pick(&self.ledger.own_texts(who), which) else { return };
        let text = &self.ledger.texts[number];
        let id = text.id.expect("one whose id is known");
        let client = &mut self.devices[who].client;
        let local = client.recall(Millis(self.now), Chat::Single, &text.to, id).expect("logged in");
        self.ledger.sent(who, local, Sent::Recall(number));
        self.pump(who);
    }

    /// A device tells that one of the texts that it was shown was read.
    pub(crate) fn read(&mut self, who: usize, which: usize) {
        let who = who % self.devices.len();
        let Some(number) = pick(&self.ledger.foreign_texts(who), which) else { return };
        let writer = self.ledger.user(self.ledger.texts[number].from);
        let id = self.ledger.id_of(number);
        let client = &mut self.devices[who].client;
        let local = client.send_read(Millis(self.now), Chat::Single, writer, id, None).expect("logged in");
        self.ledger.sent(who, local, Sent::Read(number));
        self.pump(who);
    }

    /// A device tells that everything of somebody was read.
    pub(crate) fn read_all(&mut self, who: usize, which: usize) {
        let who = who % self.devices.len();
        let Some(number) = pick(&self.ledger.foreign_texts(who), which) else { return };
        let writer = self.ledger.user(self.ledger.texts[number].from);
        let client = &mut self.devices[who].client;
        let local = client.send_channel_ack(Millis(self.now), Chat::Single, writer).expect("logged in");
        self.ledger.sent(who, local, Sent::Channel { to: writer.into() });
        self.pump(who);
    }

    /// All of the history with somebody as a device is shown it, oldest first: ids, numbers.
    pub(crate) fn history(&mut self, who: usize, with: &str) -> Vec<(String, usize)> {
        let client = &mut self.devices[who].client;
        client.fetch_history(Millis(self.now), Chat::Single, with, 10_000, None).expect("logged in");
        self.pump(who);
        let shown = std::mem::take(&mut self.history).into_iter().map(|incoming| {
            let IncomingContent::Text(text) = incoming.content else { panic!("only texts are sent") };
            (incoming.id.to_string(), text.parse().expect("only numbers are sent"))
        });
        shown.collect()
    }

    pub(crate) fn conversations(&mut self, who: usize) -> Vec<Conversation> {
        self.devices[who].client.list_conversations(Millis(self.now)).expect("logged in");
        self.pump(who);
        std::mem::take(&mut self.conversations)
    }

    /// Lets the next message of one link and direction through; which, the number says.
    pub(crate) fn deliver(&mut self, which: usize) {
        let mut waiting = Vec::new();
        for (index, device) in self.devices.iter().enumerate() {
            let Some(link) = &device.link else { continue };
            waiting.extend((!link.up.is_empty()).then_some((index, true)));
            waiting.extend((!link.down.is_empty()).then_some((index, false)));
        }
        if waiting.is_empty() {
            return;
        }
        let (index, up) = waiting[which % waiting.len()];
        let now = Millis(self.now);
        let device = &mut self.devices[index];
        let Some(link) = &mut device.link else { return };
        if up {
            if let Some(WireMessage::Binary(bytes)) = link.up.pop_front() {
                let conn = link.conn;
                self.feed(Input::Frame { conn, bytes });
            }
        } else if let Some(message) = link.down.pop_front() {
            device.client.handle(now, Received::Message { link: link.id, message });
            self.pump(index);
        }
    }

    pub(crate) fn cut(&mut self, who: usize) {
        let index = who % self.devices.len();
        let Some(link) = self.devices[index].link.take() else { return };
        self.feed(Input::Closed { conn: link.conn });
        let gone = Received::HungUp { link: link.id, reason: "cut".into() };
        self.devices[index].client.handle(Millis(self.now), gone);
        self.pump(index);
    }

    pub(crate) fn wait(&mut self, ms: u64) {
        self.now += ms;
        for index in 0..self.devices.len() {
            self.devices[index].client.handle(Millis(self.now), Received::Timeout);
            self.pump(index);
        }
        if self.server.next_deadline().is_some_and(|due| due.0 <= self.now) {
            self.feed(Input::Timeout);
        }
    }

    /// What the server has decided by itself.
    pub(crate) fn decisions(&self) -> BTreeMap<Decision, Drawn> {
        self.server.decisions()
    }

    /// Delivers all there is, and moves time to whatever falls due, until every device is in and nothing waits.
    pub(crate) fn settle(&mut self) {
        for round in 0.. {
            assert!(round < ROUNDS_MAX, "it never settles: {:?}", self.server.unfinished());
            let busy = |device: &Device| {
                device.link.as_ref().is_some_and(|link| !link.up.is_empty() || !link.down.is_empty())
            };
            if self.devices.iter().any(busy) {
                self.deliver(round);
            } else if self.devices.iter().all(|device| device.link.is_some())
                && self.server.unfinished().is_empty()
            {
                return;
            } else {
                let due = self.devices.iter().filter_map(|device| device.client.next_deadline());
                let due = due.map(|due| due.0).chain(self.server.next_deadline().map(|due| due.0)).min();
                let due = due.expect("somebody is not in and waits for nothing");
                self.wait(due.saturating_sub(self.now));
            }
        }
    }

    fn feed(&mut self, input: Input) {
        self.server.handle(machine::Millis(self.now), input);
        let mut ended = Vec::new();
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Frame { conn, bytes } => {
                    let link = self.devices.iter_mut().filter_map(|device| device.link.as_mut());
                    // A frame for a link that was cut goes where such frames go.
                    if let Some(link) = { link }.find(|link| link.conn == conn) {
                        link.down.push_back(WireMessage::Binary(bytes));
                    }
                }
                Output::Finding(finding) => {
                    self.findings.push(format!("{}: {}", finding.clause, finding.text))
                }
                Output::Close { conn, .. } => ended.push(conn),
                Output::Heartbeat { .. }
                | Output::Http { .. }
                | Output::ForgetBlob(_)
                | Output::JoinBlobs(_)
                | Output::Webhook { .. }
                | Output::LoggedIn { .. }
                | Output::Fault { .. }
                | Output::Warning(_) => {}
            }
        }
        for conn in ended {
            let on = |device: &Device| device.link.as_ref().is_some_and(|link| link.conn == conn);
            if let Some(index) = self.devices.iter().position(on) {
                self.cut(index);
            }
        }
    }

    /// Carries out what a client wants.
    fn pump(&mut self, index: usize) {
        while let Some(transmit) = self.devices[index].client.poll_transmit() {
            let now = Millis(self.now);
            match transmit {
                Transmit::Dial { link, .. } => {
                    self.conns += 1;
                    let conn = ConnId(self.conns);
                    let fresh = Link { id: link, conn, up: VecDeque::new(), down: VecDeque::new() };
                    self.devices[index].link = Some(fresh);
                    self.feed(Input::Opened { conn });
                    self.devices[index].client.handle(now, Received::Dialed { link });
                }
                Transmit::Frame { link, message } => {
                    if let Some(open) = self.devices[index].link.as_mut().filter(|open| open.id == link) {
                        open.up.push_back(message);
                    }
                }
                Transmit::HangUp { link } => {
                    if let Some(open) = self.devices[index].link.take_if(|open| open.id == link) {
                        self.feed(Input::Closed { conn: open.conn });
                    }
                }
                Transmit::Http(request) => {
                    let answer = self.ask(&request);
                    let received = Received::Http { call: request.call, answer: Ok(answer) };
                    self.devices[index].client.handle(now, received);
                }
                // Every call was answered as it was made.
                Transmit::Cancel { .. } => {}
            }
        }
        while let Some(event) = self.devices[index].client.poll_event() {
            match event {
                Event::History { messages, .. } => self.history = messages,
                Event::Conversations { conversations, .. } => self.conversations = conversations,
                event => self.ledger.hear(index, event),
            }
        }
    }

    fn ask(&mut self, request: &client_core::HttpRequest) -> HttpAnswer {
        self.requests += 1;
        let id = RequestId(self.requests);
        let path = request.url.strip_prefix("http://here/pair/test").expect("the client's own base");
        let request = Request {
            method: match request.method {
                HttpMethod::Get => Method::Get,
                HttpMethod::Post => Method::Post,
                HttpMethod::Put => Method::Put,
                HttpMethod::Delete => Method::Delete,
            },
            base: "http://here".into(),
            path: path.into(),
            query: String::new(),
            token: request.bearer.clone(),
            body: request.body.iter().flat_map(|body| body.pieces.concat()).collect::<Vec<u8>>().into(),
            upload: None,
            share_secret: None,
            restrict_access: false,
        };
        self.server.handle(machine::Millis(self.now), Input::Http { id, request: Box::new(request) });
        let mut answer = None;
        while let Some(output) = self.server.poll_output() {
            if let Output::Http { response, .. } = output {
                let body = response.body.json().expect("no attachment is asked for here").clone();
                let media_type = Some("application/json".to_owned());
                answer = Some(HttpAnswer { status: response.status, media_type, body });
            }
        }
        answer.expect("the machine answers every request at once")
    }
}

impl Device {
    fn new(who: Who) -> Self {
        let client = Client::new(Config {
            app_key: "pair#test".into(),
            username: who.0.into(),
            device: who.1.into(),
            rest: "http://here".into(),
            door: Door::WebSocket { url: "ws://here/websocket".into() },
            reconnects: 1_000,
            delivery: true,
            attachment_urls: AttachmentUrls::Ours,
            emoji: EmojiTable::default(),
        });
        Self { client, link: None }
    }
}

fn pick(numbers: &[usize], which: usize) -> Option<usize> {
    numbers.get(which.checked_rem(numbers.len())?).copied()
}
