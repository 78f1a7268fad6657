//! A world and its devices, as their sockets would see it; the tests are its host.
//!
//! Whatever the machine sends is decoded at once, and what every client relies on is held against it: a status in
//! each answer, a queue in each page, no `isLast` on a page with messages (wire-3x §3).

use std::collections::BTreeMap;

use bytes::Bytes;
use fixtures::wire::{
    AUTH_PREFIX, CommNotice, CommSyncDl, CommSyncUl, CommUnreadDl, Frame, Jid, MSync, MessageBody, Meta,
    Provision, USER_DOMAIN, m_sync, message_body, meta,
};
use mock_server::control::{Control, ControlError, Settings, SettingsPatch};
use mock_server::machine::rest::{Method, Request, Response};
use mock_server::machine::{
    AppKey, BlobId, Close, Config, ConnId, Finding, Input, Millis, Output, RequestId, Server, WebhookId,
    WebhookRequest,
};
use prost::Message as _;
use serde_json::Value;

/// When every world of these tests begins: 2021-12-31.
pub(crate) const START: Millis = Millis(1_640_908_800_000);
pub(crate) const APP_KEY: &str = "org#app";
/// Who asks, where it is the app itself and no user: no user's name has this letter.
pub(crate) const APP: &str = "*";

pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) now: Millis,
    pub(crate) findings: Vec<Finding>,
    pub(crate) warnings: Vec<String>,
    /// What rules did, in words.
    pub(crate) faults: Vec<String>,
    /// Attachments whose bytes nobody will ask for any more.
    pub(crate) forgotten: Vec<BlobId>,
    /// Those that became one attachment, each time in its order.
    pub(crate) joined: Vec<Vec<BlobId>>,
    /// What the app's own server was asked since the last look.
    pub(crate) webhooks: Vec<(WebhookId, WebhookRequest)>,
    /// Frames that no client could read. Only a `send_raw` fault may send such.
    pub(crate) unreadable: usize,
    /// All that was done to the server, and all that it wanted done.
    acts: Vec<(Millis, Act)>,
    outputs: Vec<Output>,
    lanes: BTreeMap<ConnId, Lane>,
    answers: BTreeMap<u64, Response>,
    next_conn: u64,
    next_request: u64,
    next_local: u64,
}

#[derive(Clone)]
enum Act {
    Input(Input),
    Control(Box<Control>),
}

/// What went down to one connection.
#[derive(Default)]
struct Lane {
    frames: Vec<Down>,
    /// The last of them as it was on the wire.
    last: Bytes,
    closed: Option<Close>,
    device: Option<String>,
}

/// A frame from the server.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a test holds few of them")]
pub(crate) enum Down {
    Provision(Provision),
    Unread(CommUnreadDl),
    Notice(Jid),
    Sync(CommSyncDl),
    /// A `send_raw` fault may send what is no frame.
    Rubbish(Bytes),
}

/// What a login says; odd logins change it.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) msync: MSync,
    pub(crate) provision: Provision,
}

/// What a server wants done when it is told all of this.
fn tell(server: &mut Server, acts: &[(Millis, Act)]) -> Vec<Output> {
    let mut outputs = Vec::new();
    for (now, act) in acts.iter().cloned() {
        match act {
            Act::Input(input) => server.handle(now, input),
            // Refused or not, as the first time: the outputs tell.
            Act::Control(control) => drop(server.control(now, *control)),
        }
        outputs.extend(std::iter::from_fn(|| server.poll_output()));
    }
    outputs
}

impl World {
    /// A strict world in which these users are registered, each with the token `t-{name}`.
    pub(crate) fn strict(users: &[&str]) -> Self {
        Self::with(Settings { strict: true, ..Settings::default() }, users)
    }

    /// A world that takes whoever comes.
    pub(crate) fn lax() -> Self {
        Self::with(Settings::default(), &[])
    }

    pub(crate) fn with(settings: Settings, users: &[&str]) -> Self {
        Self::of(Config { settings, ..config() }, users)
    }

    pub(crate) fn of(config: Config, users: &[&str]) -> Self {
        let mut world = Self {
            server: Server::new(config),
            now: START,
            findings: Vec::new(),
            warnings: Vec::new(),
            faults: Vec::new(),
            forgotten: Vec::new(),
            joined: Vec::new(),
            webhooks: Vec::new(),
            unreadable: 0,
            acts: Vec::new(),
            outputs: Vec::new(),
            lanes: BTreeMap::new(),
            answers: BTreeMap::new(),
            next_conn: 1,
            next_request: 1,
            next_local: 1,
        };
        users.iter().for_each(|user| world.register(user));
        world
    }

    pub(crate) fn register(&mut self, user: &str) {
        self.control(Control::User { name: user.into(), password: "pw".into() });
        let token = token_of(user);
        self.control(Control::Token { user: user.into(), token, ttl_ms: 1_000_000_000 });
    }

    pub(crate) fn control(&mut self, control: Control) {
        let done = self.try_control(control.clone());
        done.unwrap_or_else(|error| panic!("{control:?}: {error}"));
    }

    pub(crate) fn try_control(&mut self, control: Control) -> Result<(), ControlError> {
        self.acts.push((self.now, Act::Control(Box::new(control.clone()))));
        let done = self.server.control(self.now, control);
        self.collect();
        done
    }

    pub(crate) fn patch(&mut self, patch: SettingsPatch) {
        self.control(Control::Settings(patch));
    }

    pub(crate) fn input(&mut self, input: Input) {
        self.acts.push((self.now, Act::Input(input.clone())));
        self.server.handle(self.now, input);
        self.collect();
    }

    /// Moves on to each moment at which something is due, and past it by nothing.
    pub(crate) fn pass(&mut self, ms: u64) {
        let until = Millis(self.now.0 + ms);
        while let Some(due) = self.server.next_deadline().filter(|due| *due <= until) {
            // What was due before anybody looked is late.
            self.now = due.max(self.now);
            self.input(Input::Timeout);
        }
        self.now = until;
    }

    fn collect(&mut self) {
        while let Some(output) = self.server.poll_output() {
            self.outputs.push(output.clone());
            match output {
                Output::Frame { conn, bytes } => {
                    let down = Down::decode(bytes.clone());
                    self.unreadable += usize::from(matches!(down, Down::Rubbish(_)));
                    let lane = self.lane(conn);
                    lane.frames.push(down);
                    lane.last = bytes;
                }
                Output::Close { conn, how } => {
                    let before = self.lane(conn).closed.replace(how);
                    assert_eq!(before, None, "{conn:?} is ended twice");
                }
                Output::Http { id, response } => {
                    let before = self.answers.insert(id.0, response);
                    assert_eq!(before, None, "{id:?} is answered twice");
                }
                Output::Webhook { id, request } => self.webhooks.push((id, request)),
                Output::LoggedIn { conn, user, resource } => {
                    self.lane(conn).device = Some(format!("{user}/{resource}"));
                }
                Output::Fault { text, .. } => self.faults.push(text),
                Output::Finding(finding) => self.findings.push(finding),
                Output::Warning(text) => self.warnings.push(text),
                Output::Heartbeat { .. } => {}
                Output::ForgetBlob(blob) => self.forgotten.push(blob),
                Output::JoinBlobs(parts) => self.joined.push(parts),
            }
        }
    }

    /// What a fresh server of this config wants done when it is told the same.
    pub(crate) fn replay(&self, config: Config) -> (Vec<Output>, &[Output]) {
        let mut server = Server::new(config);
        let outputs = tell(&mut server, &self.acts);
        (outputs, &self.outputs)
    }

    /// Every connection goes at once. What comes afterwards is what [`World::since`] gives to another server.
    pub(crate) fn part(&mut self) {
        self.server.part(self.now);
        self.collect();
        self.acts.clear();
        self.outputs.clear();
    }

    /// Puts another server in the place of this one, as a host does: every connection is gone.
    pub(crate) fn put(&mut self, server: Server, now: Millis) {
        self.part();
        (self.server, self.now) = (server, now);
        self.lanes.clear();
        self.webhooks.clear();
    }

    /// What another server wants done when it is told all that this one was told since it was parted from everybody.
    pub(crate) fn since(&self, server: &mut Server) -> (Vec<Output>, &[Output]) {
        (tell(server, &self.acts), &self.outputs)
    }

    /// The lane of a connection that was opened and is not ended yet: nothing may be sent to any other.
    fn lane(&mut self, conn: ConnId) -> &mut Lane {
        let lane = self.lanes.get_mut(&conn).unwrap_or_else(|| panic!("{conn:?} was never opened"));
        assert_eq!(lane.closed, None, "{conn:?} was told to go, and something was sent to it");
        lane
    }

    pub(crate) fn open(&mut self) -> ConnId {
        let conn = ConnId(self.next_conn);
        self.next_conn += 1;
        self.lanes.insert(conn, Lane::default());
        self.input(Input::Opened { conn });
        conn
    }

    pub(crate) fn frame(&mut self, conn: ConnId, bytes: impl Into<Bytes>) {
        self.input(Input::Frame { conn, bytes: bytes.into() });
    }

    /// The socket is gone, as sockets go: the machine is told, nobody else.
    pub(crate) fn hang_up(&mut self, conn: ConnId) {
        self.lanes.remove(&conn);
        self.input(Input::Closed { conn });
    }

    /// What came since the last look.
    pub(crate) fn take(&mut self, conn: ConnId) -> Vec<Down> {
        self.lanes.get_mut(&conn).map(|lane| std::mem::take(&mut lane.frames)).unwrap_or_default()
    }

    /// The one frame that came since the last look.
    pub(crate) fn one(&mut self, conn: ConnId) -> Down {
        let mut frames = self.take(conn);
        assert_eq!(frames.len(), 1, "{frames:#?}");
        frames.remove(0)
    }

    /// Sends a frame and gives the answer as it is on the wire.
    pub(crate) fn raw_answer(&mut self, conn: ConnId, frame: &[u8]) -> Bytes {
        self.frame(conn, frame.to_vec());
        self.one(conn);
        self.lanes.get(&conn).map(|lane| lane.last.clone()).unwrap_or_default()
    }

    /// Whether the connection's socket is still there, told to go or not.
    pub(crate) fn is_open(&self, conn: ConnId) -> bool {
        self.lanes.contains_key(&conn)
    }

    pub(crate) fn closed(&self, conn: ConnId) -> Option<Close> {
        self.lanes.get(&conn).and_then(|lane| lane.closed)
    }

    /// `user/resource`, once the connection has logged in.
    pub(crate) fn device(&self, conn: ConnId) -> Option<&str> {
        self.lanes.get(&conn).and_then(|lane| lane.device.as_deref())
    }

    /// Sends a login on a new connection and gives its answer.
    pub(crate) fn log_in(&mut self, login: Login) -> (ConnId, Provision) {
        let conn = self.open();
        self.frame(conn, login.encode());
        match self.one(conn) {
            Down::Provision(answer) => (conn, answer),
            other => panic!("{other:?} in answer to a PROVISION"),
        }
    }

    /// A device of a user with its usual token, which must be let in.
    pub(crate) fn connect(&mut self, user: &str, resource: &str) -> ConnId {
        let (conn, answer) = self.log_in(Login::new(user, resource));
        let status = answer.status.expect("a PROVISION answer has a status");
        assert_eq!(status.error_code, Some(0), "{status:?}");
        conn
    }

    pub(crate) fn next_local(&mut self) -> u64 {
        self.next_local += 1;
        self.next_local - 1
    }

    /// Sends a meta under its own id and gives the answer.
    pub(crate) fn send(&mut self, conn: ConnId, meta: Meta) -> CommSyncDl {
        let id = meta.id;
        self.frame(conn, up(meta));
        let mut answers = Vec::new();
        let lane = self.lanes.get_mut(&conn).expect("an open connection");
        lane.frames.retain(|frame| match frame {
            Down::Sync(answer) if answer.meta_id.is_some() && answer.meta_id == id => {
                answers.push(answer.clone());
                false
            }
            _ => true,
        });
        assert_eq!(answers.len(), 1, "each message is answered once");
        answers.remove(0)
    }

    /// Sends a text to a user, which must be taken; gives the server's id.
    pub(crate) fn text(&mut self, conn: ConnId, to: &str, text: &str) -> u64 {
        let meta = self.text_meta(conn, to, text);
        accepted(&self.send(conn, meta))
    }

    /// As [`World::text`], to a group or room.
    pub(crate) fn muc_text(&mut self, conn: ConnId, kind: message_body::Type, to: &str, text: &str) -> u64 {
        let meta = self.muc_meta(conn, kind, to, text);
        accepted(&self.send(conn, meta))
    }

    pub(crate) fn text_meta(&mut self, conn: ConnId, to: &str, text: &str) -> Meta {
        self.message(conn, message_body::Type::Chat, USER_DOMAIN, to, text)
    }

    pub(crate) fn muc_meta(&mut self, conn: ConnId, kind: message_body::Type, to: &str, text: &str) -> Meta {
        self.message(conn, kind, fixtures::wire::CONFERENCE_DOMAIN, to, text)
    }

    fn message(
        &mut self,
        conn: ConnId,
        kind: message_body::Type,
        domain: &str,
        to: &str,
        text: &str,
    ) -> Meta {
        let device = self.device(conn).expect("only devices send");
        let from = device.split('/').next().unwrap_or_default().to_owned();
        Meta {
            id: Some(self.next_local()),
            from: Some(jid(&from, USER_DOMAIN)),
            to: Some(jid(to, domain)),
            ns: Some(meta::NameSpace::Chat as i32),
            payload: Some(body(kind, &from, to, text).encode_to_vec().into()),
            ..Meta::default()
        }
    }

    /// A receipt or recall of the message `about`, as SDKs write it (wire-3x §4.1).
    pub(crate) fn note_meta(
        &mut self,
        conn: ConnId,
        kind: message_body::Type,
        to: Jid,
        about: Option<u64>,
    ) -> Meta {
        let name = to.name.clone().unwrap_or_default();
        let meta = self.message(conn, kind, USER_DOMAIN, &name, "");
        let body = MessageBody {
            contents: vec![message_body::Content::default()],
            ack_message_id: about,
            ..body_of(&meta)
        };
        with_body(Meta { to: Some(to), ..meta }, &body)
    }

    /// Sends one and gives its answer's status.
    pub(crate) fn note(
        &mut self,
        conn: ConnId,
        kind: message_body::Type,
        to: Jid,
        about: u64,
    ) -> (i32, String) {
        let meta = self.note_meta(conn, kind, to, Some(about));
        self.status(conn, meta)
    }

    /// Sends a meta and gives its answer's status.
    pub(crate) fn status(&mut self, conn: ConnId, meta: Meta) -> (i32, String) {
        let answer = self.send(conn, meta);
        let (number, reason) = code(&answer);
        (number, reason.to_owned())
    }

    /// The chat metas that wait for the device, as body type and `ackMessageId`; all are acknowledged.
    pub(crate) fn notes(&mut self, conn: ConnId) -> Vec<(i32, Option<u64>)> {
        let metas = self.catch_up(conn);
        let note = |meta: &Meta| (body_of(meta).r#type.unwrap_or_default(), body_of(meta).ack_message_id);
        metas.iter().filter(|meta| meta.ns == Some(meta::NameSpace::Chat as i32)).map(note).collect()
    }

    /// Asks what waits: the queues and how many each holds.
    pub(crate) fn unread(&mut self, conn: ConnId) -> Vec<(Jid, u32)> {
        self.frame(conn, msync(m_sync::Command::Unread, Vec::new()));
        match self.take(conn).pop() {
            Some(Down::Unread(answer)) => {
                let entry = |entry: fixtures::wire::MetaQueue| {
                    (entry.queue.expect("a queue"), entry.n.expect("a number"))
                };
                answer.unread.into_iter().map(entry).collect()
            }
            other => panic!("{other:?} in answer to an UNREAD"),
        }
    }

    /// Pulls one page; `key` acknowledges the one before.
    pub(crate) fn pull(&mut self, conn: ConnId, queue: &Jid, key: Option<u64>) -> CommSyncDl {
        self.frame(conn, pull(queue, key));
        match self.take(conn).pop() {
            Some(Down::Sync(page)) => {
                assert_eq!(page.queue.as_ref(), Some(queue), "a page names its queue");
                page
            }
            other => panic!("{other:?} in answer to a pull"),
        }
    }

    /// Does what an SDK does: asks, pulls what waits page by page, acknowledges all, and gives the metas in the
    /// order in which they came.
    pub(crate) fn catch_up(&mut self, conn: ConnId) -> Vec<Meta> {
        self.take(conn);
        let mut metas = Vec::new();
        for (queue, _) in self.unread(conn) {
            metas.extend(self.pull_all(conn, &queue));
        }
        metas
    }

    pub(crate) fn pull_all(&mut self, conn: ConnId, queue: &Jid) -> Vec<Meta> {
        let mut metas = Vec::new();
        let mut key = None;
        for _ in 0..1_000 {
            let page = self.pull(conn, queue, key);
            metas.extend(page.metas);
            if page.is_last == Some(true) {
                return metas;
            }
            key = page.next_key;
        }
        panic!("queue {queue:?} has no end");
    }

    /// What the texts say that wait for the device; all that waits is acknowledged.
    pub(crate) fn texts(&mut self, conn: ConnId) -> Vec<String> {
        let metas = self.catch_up(conn);
        metas.iter().filter(|meta| meta.ns == Some(meta::NameSpace::Chat as i32)).map(text_of).collect()
    }

    /// What waits for the device of news from the service (groups, contacts), which is acknowledged; messages still
    /// wait.
    pub(crate) fn news(&mut self, conn: ConnId) -> Vec<Meta> {
        self.take(conn);
        let queues = self.unread(conn);
        let service = queues.into_iter().find(|(queue, _)| queue.name.is_none());
        service.map(|(queue, _)| self.pull_all(conn, &queue)).unwrap_or_default()
    }

    /// What waits for the device of what the service tells 4.x in JSON; all of its news are acknowledged.
    pub(crate) fn notified(&mut self, conn: ConnId) -> Vec<Value> {
        let news = self.news(conn);
        let told = news.iter().filter(|meta| meta.ns == Some(meta::NameSpace::Notify as i32));
        told.map(|meta| {
            let payload = meta.payload.clone().unwrap_or_default();
            assert!(payload.iter().all(|&byte| byte >= 0x10), "4.x cannot read {payload:?}");
            serde_json::from_slice(&payload).expect("JSON")
        })
        .collect()
    }

    /// A call of a user's with its usual token, of the app's if the user is [`APP`], of nobody's if it is empty.
    pub(crate) fn rest(&mut self, method: Method, path: &str, user: &str, body: &Value) -> (u16, Value) {
        let token = self.token(user);
        let body = if body.is_null() { Bytes::new() } else { body.to_string().into() };
        let response = self.request(method, path, token.as_deref(), body);
        (response.status, json_of(&response))
    }

    /// A token of the app's.
    pub(crate) fn app_token(&mut self) -> String {
        let client = serde_json::json!({
            "grant_type": "client_credentials",
            "client_id": "mock-client-id",
            "client_secret": "mock-client-secret",
        });
        let (status, answer) = self.rest(Method::Post, "/token", "", &client);
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().expect("a token").to_owned()
    }

    /// What [`World::rest`] asks with.
    pub(crate) fn token(&mut self, user: &str) -> Option<String> {
        match user {
            "" => None,
            APP => Some(self.app_token()),
            user => Some(token_of(user)),
        }
    }

    pub(crate) fn request(
        &mut self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Bytes,
    ) -> Response {
        self.ask(Request { body, ..Self::asks(method, path, token) })
    }

    /// A request without a body.
    pub(crate) fn asks(method: Method, path: &str, token: Option<&str>) -> Request {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        Request {
            method,
            base: "http://127.0.0.1:1".into(),
            path: path.into(),
            query: query.into(),
            token: token.map(str::to_owned),
            body: Bytes::new(),
            upload: None,
            share_secret: None,
            restrict_access: false,
        }
    }

    pub(crate) fn ask(&mut self, request: Request) -> Response {
        let id = self.next_request;
        self.next_request += 1;
        self.input(Input::Http { id: RequestId(id), request: Box::new(request) });
        self.answers.remove(&id).expect("every request is answered at once")
    }

    /// Asks, and looks at no answer: with rules there may be none.
    pub(crate) fn ask_in_vain(&mut self, request: Request) {
        let id = self.next_request;
        self.next_request += 1;
        self.input(Input::Http { id: RequestId(id), request: Box::new(request) });
    }

    /// Every finding so far as `clause: text`.
    pub(crate) fn found(&self) -> Vec<String> {
        self.findings.iter().map(|finding| format!("{}: {}", finding.clause, finding.text)).collect()
    }
}

/// The body of an answer that is no attachment.
pub(crate) fn json_of(response: &Response) -> Value {
    let json = response.body.json().expect("no attachment was asked for");
    serde_json::from_slice(json).expect("every answer is JSON (rest.md 0.3)")
}

impl Login {
    /// As 3.6.3 with a device id writes it (wire-3x §2.2).
    pub(crate) fn new(user: &str, resource: &str) -> Self {
        let auth = format!("{AUTH_PREFIX}{}", token_of(user));
        let provision = Provision {
            os_type: Some(16),
            version: Some("3.6.3".into()),
            resource: Some(resource.into()),
            auth: Some(auth.clone()),
            ..Provision::default()
        };
        let guid = Jid { client_resource: Some(resource.into()), ..jid(user, USER_DOMAIN) };
        let msync = MSync {
            version: Some(0),
            guid: Some(guid),
            auth: Some(auth),
            command: Some(m_sync::Command::Provision as i32),
            ..MSync::default()
        };
        Self { msync, provision }
    }

    /// With another token in both places.
    pub(crate) fn token(mut self, token: &str) -> Self {
        let auth = Some(format!("{AUTH_PREFIX}{token}"));
        self.msync.auth.clone_from(&auth);
        self.provision.auth = auth;
        self
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let payload = self.msync.payload.clone().unwrap_or_else(|| self.provision.encode_to_vec().into());
        MSync { payload: Some(payload), ..self.msync.clone() }.encode_to_vec()
    }
}

impl Down {
    pub(crate) fn decode(bytes: Bytes) -> Self {
        let Ok(frame) = Frame::decode(bytes.clone()) else { return Self::Rubbish(bytes) };
        let msync = frame.msync;
        let payload = msync.payload.clone().unwrap_or_default();
        let command = msync.command.map(m_sync::Command::try_from);
        let down = match command {
            Some(Ok(m_sync::Command::Provision)) => Provision::decode(payload).ok().map(Self::Provision),
            Some(Ok(m_sync::Command::Unread)) => CommUnreadDl::decode(payload).ok().map(Self::Unread),
            Some(Ok(m_sync::Command::Notice)) => {
                CommNotice::decode(payload).ok().and_then(|notice| notice.queue).map(Self::Notice)
            }
            Some(Ok(m_sync::Command::Sync)) => CommSyncDl::decode(payload).ok().map(Self::Sync),
            Some(Ok(m_sync::Command::Logout) | Err(_)) | None => None,
        };
        let Some(down) = down else { return Self::Rubbish(bytes) };
        assert_eq!(msync.version, Some(0), "SDKs are sent their own version");
        down.hold();
        down
    }

    /// What every client relies on.
    fn hold(&self) {
        match self {
            Self::Provision(answer) => assert!(has_code(answer.status.as_ref()), "{answer:?}"),
            Self::Unread(answer) => assert!(has_code(answer.status.as_ref()), "{answer:?}"),
            Self::Notice(queue) => assert!(queue.domain.is_some(), "{queue:?}"),
            Self::Sync(answer) => {
                assert!(has_code(answer.status.as_ref()), "{answer:?}");
                let is_kick = answer.metas.iter().any(|meta| meta.ns == Some(0));
                // Of what a client asked for, the answer may show what has become of it.
                let is_page = !answer.metas.is_empty() && answer.meta_id.is_none();
                assert!(!is_page || answer.is_last == Some(false) || is_kick, "{answer:?}");
                assert!(!is_page || answer.queue.is_some(), "{answer:?}");
                assert!(answer.is_last != Some(true) || answer.queue.is_some(), "{answer:?}");
                assert!(answer.meta_id.is_none() || answer.is_last.is_none(), "{answer:?}");
                for meta in &answer.metas {
                    let from = meta.from.as_ref().and_then(|from| from.name.as_ref());
                    let whole = meta.id.and(meta.timestamp).is_some() && from.is_some();
                    assert!(whole && meta.ns.is_some() && meta.payload.is_some(), "{meta:?}");
                }
            }
            Self::Rubbish(_) => {}
        }
    }
}

fn has_code(status: Option<&fixtures::wire::Status>) -> bool {
    status.is_some_and(|status| status.error_code.is_some())
}

pub(crate) fn config() -> Config {
    Config::new(AppKey::parse(APP_KEY).expect("a good app key"))
}

pub(crate) fn token_of(user: &str) -> String {
    format!("t-{}", user.to_ascii_lowercase())
}

pub(crate) fn jid(name: &str, domain: &str) -> Jid {
    Jid {
        app_key: Some(APP_KEY.into()),
        name: Some(name.into()),
        domain: Some(domain.into()),
        client_resource: None,
    }
}

/// A message body with one text.
pub(crate) fn body(kind: message_body::Type, from: &str, to: &str, text: &str) -> MessageBody {
    let name = |name: &str| Some(Jid { name: Some(name.into()), ..Jid::default() });
    let content = message_body::Content {
        r#type: Some(message_body::content::Type::Text as i32),
        text: Some(text.into()),
        ..message_body::Content::default()
    };
    MessageBody {
        r#type: Some(kind as i32),
        from: name(from),
        to: name(to),
        contents: vec![content],
        ..MessageBody::default()
    }
}

pub(crate) fn body_of(meta: &Meta) -> MessageBody {
    MessageBody::decode(meta.payload.clone().unwrap_or_default()).expect("a MessageBody")
}

pub(crate) fn with_body(meta: Meta, body: &MessageBody) -> Meta {
    Meta { payload: Some(body.encode_to_vec().into()), ..meta }
}

pub(crate) fn text_of(meta: &Meta) -> String {
    body_of(meta).contents.first().and_then(|content| content.text.clone()).expect("a text")
}

pub(crate) fn msync(command: m_sync::Command, payload: Vec<u8>) -> Vec<u8> {
    let payload = (!payload.is_empty()).then(|| payload.into());
    MSync { version: Some(0), command: Some(command as i32), payload, ..MSync::default() }.encode_to_vec()
}

/// A meta on its way up.
pub(crate) fn up(meta: Meta) -> Vec<u8> {
    let sync = CommSyncUl { meta: Some(meta), ..CommSyncUl::default() };
    msync(m_sync::Command::Sync, sync.encode_to_vec())
}

pub(crate) fn pull(queue: &Jid, key: Option<u64>) -> Vec<u8> {
    let sync = CommSyncUl { queue: Some(queue.clone()), key, ..CommSyncUl::default() };
    msync(m_sync::Command::Sync, sync.encode_to_vec())
}

/// The server's id of a message that it took.
pub(crate) fn accepted(answer: &CommSyncDl) -> u64 {
    assert_eq!(code(answer), (0, ""), "{answer:?}");
    answer.server_id.expect("a taken message has an id")
}

/// The status of an answer: code and reason.
pub(crate) fn code(answer: &CommSyncDl) -> (i32, &str) {
    let status = answer.status.as_ref().expect("every answer has a status");
    (status.error_code.unwrap_or(-1), status.reason.as_deref().unwrap_or_default())
}
