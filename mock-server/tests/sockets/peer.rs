//! A server on a free port, and clients of it whose reads block until something comes.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use bytes::Bytes;
use fixtures::wire::sockjs::{self, ServerText};
use fixtures::wire::{
    AUTH_PREFIX, CommNotice, CommSyncDl, CommSyncUl, CommUnreadDl, Jid, MSync, MessageBody, Meta, Provision,
    USER_DOMAIN, m_sync, message_body,
};
use mock_server::control::Control;
use mock_server::control_api::WaitFor;
use mock_server::shell::{MockServer, Options};
use mock_server::tape::Door;
use prost::Message as _;
use serde_json::Value;
use tungstenite::client::IntoClientRequest as _;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Error, Message, WebSocket};

pub(crate) const APP_KEY: &str = "org#app";
/// What no read takes on a machine that works; past it, the test fails instead of hanging.
const HANG: Duration = Duration::from_secs(30);

pub(crate) fn start() -> MockServer {
    start_with(Options::default())
}

/// A server in whose world `org#app` alice, bob and carl are registered, with tapes.
pub(crate) fn start_with(options: Options) -> MockServer {
    let server = MockServer::start(Options { tape: true, ..options }).expect("a server on a free port");
    for name in ["alice", "bob", "carl"] {
        register(&server, APP_KEY, name);
    }
    server
}

/// What a call of the library's comes to, for a test that has no runtime otherwise.
pub(crate) fn await_here<T>(call: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime of one thread");
    runtime.block_on(call)
}

/// Waits until a rule of the world has struck.
pub(crate) fn once_a_rule_has_struck(server: &MockServer, app_key: &str) {
    let world = server.world(app_key).expect("an app key");
    await_here(world.wait(WaitFor::rows("fault").within(HANG))).unwrap_or_else(|error| panic!("{error}"));
}

/// A user with the token `t-{name}`.
pub(crate) fn register(server: &MockServer, app_key: &str, name: &str) {
    let user = Control::User { name: name.into(), password: "pw".into() };
    let token = Control::Token { user: name.into(), token: format!("t-{name}"), ttl_ms: 1_000_000 };
    for control in [user, token] {
        server.control(app_key, control).expect("a good name");
    }
}

pub(crate) fn connect(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(addr).expect("the server listens");
    stream.set_read_timeout(Some(HANG)).expect("a timeout above zero");
    stream.set_write_timeout(Some(HANG)).expect("a timeout above zero");
    stream
}

/// One WebSocket through one of the doors.
pub(crate) struct Socket {
    ws: WebSocket<TcpStream>,
    door: Door,
    next_local: u64,
    /// What came in one SockJS message with what was read last.
    arrived: Vec<Bytes>,
}

/// What a socket brings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Arrival {
    Frame(Bytes),
    /// A SockJS text that holds no frames.
    Text(String),
    Pong(Bytes),
    /// A close frame: its code and words.
    Close(u16, String),
    /// The end of the stream without one.
    Gone,
}

impl Socket {
    pub(crate) fn open(addr: SocketAddr, door: Door) -> Self {
        let mut socket = Self::upgraded(connect(addr), addr, door);
        if door == Door::SockJs {
            assert_eq!(socket.next(), Arrival::Text(sockjs::OPEN.into()), "at once (wire-3x §1.1)");
        }
        socket
    }

    /// Shakes hands on a stream that may have been used for HTTP.
    pub(crate) fn upgraded(stream: TcpStream, addr: SocketAddr, door: Door) -> Self {
        let path = match door {
            Door::SockJs => "ws/393/2t0gre40/websocket",
            Door::WebSocket => "websocket",
        };
        let request = format!("ws://{addr}/{path}").into_client_request().expect("a good address");
        let (ws, _) = tungstenite::client(request, stream).expect("an upgrade");
        Self { ws, door, next_local: 1, arrived: Vec::new() }
    }

    /// Shakes hands behind a path, and waits for nothing.
    pub(crate) fn upgraded_at(addr: SocketAddr, prefix: &str, door: Door) -> Self {
        let request = format!("ws://{addr}{prefix}/websocket").into_client_request().expect("a good address");
        let (ws, _) = tungstenite::client(request, connect(addr)).expect("an upgrade");
        Self { ws, door, next_local: 1, arrived: Vec::new() }
    }

    /// A device of a user, let in.
    pub(crate) fn log_in(addr: SocketAddr, door: Door, app_key: &str, user: &str, resource: &str) -> Self {
        let mut socket = Self::open(addr, door);
        socket.send(&provision(app_key, user, resource));
        let answer = socket.provision();
        assert_eq!(answer.status.and_then(|status| status.error_code), Some(0));
        socket
    }

    pub(crate) fn send(&mut self, frame: &[u8]) {
        let message = match self.door {
            Door::SockJs => Message::text(sockjs::client_text(frame)),
            Door::WebSocket => Message::binary(frame.to_vec()),
        };
        self.send_message(message);
    }

    pub(crate) fn send_message(&mut self, message: Message) {
        self.ws.send(message).expect("the socket takes it");
    }

    pub(crate) fn next(&mut self) -> Arrival {
        if !self.arrived.is_empty() {
            return Arrival::Frame(self.arrived.remove(0));
        }
        loop {
            match self.ws.read() {
                Ok(Message::Binary(frame)) => {
                    assert_eq!(self.door, Door::WebSocket, "SockJS is text");
                    return Arrival::Frame(frame);
                }
                Ok(Message::Text(text)) => {
                    assert_eq!(self.door, Door::SockJs, "the other door is binary");
                    match sockjs::parse_server(&text) {
                        Ok(ServerText::Messages(mut frames)) => {
                            let first = frames.remove(0);
                            self.arrived = frames;
                            return Arrival::Frame(first);
                        }
                        Ok(ServerText::Heartbeat) => {}
                        Ok(ServerText::Open | ServerText::Close { .. }) => {
                            return Arrival::Text(text.to_string());
                        }
                        Err(error) => panic!("{error}"),
                    }
                }
                Ok(Message::Close(Some(CloseFrame { code, reason }))) => {
                    return Arrival::Close(code.into(), reason.to_string());
                }
                Ok(Message::Close(None)) => return Arrival::Close(1005, String::new()),
                Ok(Message::Pong(payload)) => return Arrival::Pong(payload),
                Ok(Message::Ping(_) | Message::Frame(_)) => {}
                Err(Error::Io(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    panic!("nothing came within {HANG:?}");
                }
                Err(_) => return Arrival::Gone,
            }
        }
    }

    /// The close frame; frames and a SockJS farewell before it are given too.
    pub(crate) fn farewell(&mut self) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        loop {
            let arrival = self.next();
            let is_last = matches!(arrival, Arrival::Close(..) | Arrival::Gone);
            arrivals.push(arrival);
            if is_last {
                return arrivals;
            }
        }
    }

    fn frame(&mut self) -> (m_sync::Command, Bytes) {
        let Arrival::Frame(frame) = self.next() else { panic!("a frame was to come") };
        let msync = MSync::decode(frame).expect("an MSync frame");
        (msync.command(), msync.payload.unwrap_or_default())
    }

    pub(crate) fn provision(&mut self) -> Provision {
        let (command, payload) = self.frame();
        assert_eq!(command, m_sync::Command::Provision);
        Provision::decode(payload).expect("a Provision")
    }

    /// A NOTICE: the name of its queue.
    pub(crate) fn notice(&mut self) -> String {
        let (command, payload) = self.frame();
        assert_eq!(command, m_sync::Command::Notice);
        let notice = CommNotice::decode(payload).expect("a CommNotice");
        notice.queue.and_then(|queue| queue.name).expect("a queue with a name")
    }

    pub(crate) fn sync(&mut self) -> CommSyncDl {
        let (command, payload) = self.frame();
        assert_eq!(command, m_sync::Command::Sync);
        CommSyncDl::decode(payload).expect("a CommSyncDL")
    }

    pub(crate) fn unread(&mut self) -> CommUnreadDl {
        self.send(&msync(m_sync::Command::Unread, Vec::new()));
        let (command, payload) = self.frame();
        assert_eq!(command, m_sync::Command::Unread);
        CommUnreadDl::decode(payload).expect("a CommUnreadDL")
    }

    /// Sends a text and waits until it is taken; gives the server's id.
    pub(crate) fn text(&mut self, app_key: &str, from: &str, to: &str, text: &str) -> u64 {
        let frame = self.text_frame(app_key, from, to, text);
        self.send(&frame);
        let answer = self.sync();
        assert_eq!(answer.status.and_then(|status| status.error_code), Some(0));
        answer.server_id.expect("a taken message has an id")
    }

    pub(crate) fn text_frame(&mut self, app_key: &str, from: &str, to: &str, text: &str) -> Vec<u8> {
        self.next_local += 1;
        let name = |name: &str| Some(Jid { name: Some(name.into()), ..Jid::default() });
        let content = message_body::Content {
            r#type: Some(0),
            text: Some(text.into()),
            ..message_body::Content::default()
        };
        let body = MessageBody {
            r#type: Some(1),
            from: name(from),
            to: name(to),
            contents: vec![content],
            ..MessageBody::default()
        };
        let meta = Meta {
            id: Some(self.next_local),
            to: Some(jid(app_key, to)),
            ns: Some(1),
            payload: Some(body.encode_to_vec().into()),
            ..Meta::default()
        };
        let sync = CommSyncUl { meta: Some(meta), ..CommSyncUl::default() };
        msync(m_sync::Command::Sync, sync.encode_to_vec())
    }

    pub(crate) fn pull(&mut self, app_key: &str, queue: &str, key: Option<u64>) -> CommSyncDl {
        let sync = CommSyncUl { queue: Some(jid(app_key, queue)), key, ..CommSyncUl::default() };
        self.send(&msync(m_sync::Command::Sync, sync.encode_to_vec()));
        self.sync()
    }

    /// Pulls a queue to its end.
    pub(crate) fn texts(&mut self, app_key: &str, queue: &str) -> Vec<String> {
        let (mut texts, mut key) = (Vec::new(), None);
        loop {
            let page = self.pull(app_key, queue, key);
            texts.extend(page.metas.iter().map(text_of));
            if page.is_last == Some(true) {
                return texts;
            }
            key = page.next_key;
        }
    }

    /// Sends nothing any more, but still reads.
    pub(crate) fn fall_silent(&self) {
        self.ws.get_ref().shutdown(Shutdown::Write).expect("an open stream");
    }

    /// What is below the WebSocket.
    pub(crate) fn into_stream(self) -> TcpStream {
        self.ws.into_inner()
    }

    /// Cuts the link as a train tunnel does.
    pub(crate) fn cut(self) {
        self.ws.get_ref().shutdown(Shutdown::Both).expect("an open stream");
    }
}

pub(crate) fn jid(app_key: &str, name: &str) -> Jid {
    Jid {
        app_key: Some(app_key.into()),
        name: Some(name.into()),
        domain: Some(USER_DOMAIN.into()),
        client_resource: None,
    }
}

pub(crate) fn msync(command: m_sync::Command, payload: Vec<u8>) -> Vec<u8> {
    MSync { command: Some(command as i32), payload: Some(payload.into()), ..MSync::default() }.encode_to_vec()
}

pub(crate) fn provision(app_key: &str, user: &str, resource: &str) -> Vec<u8> {
    let payload = Provision { resource: Some(resource.into()), ..Provision::default() };
    MSync {
        guid: Some(jid(app_key, user)),
        auth: Some(format!("{AUTH_PREFIX}t-{user}")),
        command: Some(m_sync::Command::Provision as i32),
        payload: Some(payload.encode_to_vec().into()),
        ..MSync::default()
    }
    .encode_to_vec()
}

pub(crate) fn text_of(meta: &Meta) -> String {
    let body = MessageBody::decode(meta.payload.clone().unwrap_or_default()).expect("a MessageBody");
    body.contents.first().and_then(|content| content.text.clone()).expect("a text")
}

/// The answer to an HTTP request.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// One request on a connection of its own. `head` is everything but the length and the blank line.
pub(crate) fn http(addr: SocketAddr, head: &str, body: &[u8]) -> Reply {
    let mut stream = connect(addr);
    request(&mut stream, &format!("{head}\r\nConnection: close"), body)
}

/// One request on a connection that goes on.
pub(crate) fn request(stream: &mut TcpStream, head: &str, body: &[u8]) -> Reply {
    let whole = format!("{head}\r\nHost: 127.0.0.1:1\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(whole.as_bytes()).expect("the server reads heads");
    stream.write_all(body).expect("the server reads bodies to their end, wanted or not");
    reply(stream)
}

pub(crate) fn reply(stream: &mut TcpStream) -> Reply {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("an answer");
        head.extend(byte);
    }
    let head = String::from_utf8(head).expect("a head is ASCII");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status line");
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().expect("a number"))];
    stream.read_exact(&mut body).expect("the whole body");
    Reply { status: status.parse().expect("a number"), headers, body }
}
