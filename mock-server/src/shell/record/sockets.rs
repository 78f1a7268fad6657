//! A WebSocket that goes by: its bytes are forwarded as they are, and read beside that.
//!
//! Whatever is wrong with them is no reason to stop: what cannot be read is noted, and still forwarded.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use fixtures::wire::m_sync;
use fixtures::wire::sockjs::{self, ServerText};
use fixtures::wire::view::MSyncView;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::time::timeout;
use tungstenite::error::Error;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Message, WebSocket};

use super::kept::Kept;
use crate::decoded::{Frame, Kind, Value};
use crate::machine::{AppKey, ConnId};
use crate::shell::door::hello;
use crate::tape::{Direction, Door, Event};

type Io = TokioIo<Upgraded>;

/// Reads of a socket that are forwarded at once.
const BUFFER_BYTES: usize = 16 * 1024;
/// The largest message that is read beside being forwarded; this server takes 1 MiB.
const MESSAGE_BYTES_MAX: usize = 16 << 20;
/// How long one side may go on when the other is gone.
const GOODBYE_WITHIN: Duration = Duration::from_secs(5);

/// Forwards until both sides are done.
pub(super) async fn relay(client: Upgraded, upstream: Upgraded, door: Door, kept: Rc<RefCell<Kept>>) {
    let tap = RefCell::new(Tap::new(door, kept));
    let (from_client, to_client) = split(TokioIo::new(client));
    let (from_upstream, to_upstream) = split(TokioIo::new(upstream));
    let mut up = pin!(pump(from_client, to_upstream, Direction::Up, &tap));
    let mut down = pin!(pump(from_upstream, to_client, Direction::Down, &tap));
    // The other side hears of the end, and may answer it.
    let _late = tokio::select! {
        () = &mut up => timeout(GOODBYE_WITHIN, down).await,
        () = &mut down => timeout(GOODBYE_WITHIN, up).await,
    };
}

async fn pump(mut from: ReadHalf<Io>, mut to: WriteHalf<Io>, direction: Direction, tap: &RefCell<Tap>) {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let bytes = match from.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(read) => &buffer[..read],
        };
        // Kept first: an answer then never stands before its question. It is memory alone, and waits for nothing.
        tap.borrow_mut().went(direction, bytes);
        if to.write_all(bytes).await.is_err() || to.flush().await.is_err() {
            break;
        }
    }
    tap.borrow_mut().ended(direction);
    let _gone = to.shutdown().await;
}

/// What is read of a socket.
struct Tap {
    door: Door,
    kept: Rc<RefCell<Kept>>,
    up: Reader,
    down: Reader,
    /// Known from the first frame on.
    of: Option<(AppKey, ConnId)>,
    /// User, folded, device and token of the last PROVISION.
    login: Option<(String, String, Option<String>)>,
    /// Who said goodbye first.
    goodbye: Option<Direction>,
    is_over: bool,
}

struct Reader {
    ws: WebSocket<Fed>,
    broken: bool,
}

/// Bytes that were forwarded. What tungstenite would answer goes nowhere.
#[derive(Default)]
struct Fed(VecDeque<u8>);

impl Tap {
    fn new(door: Door, kept: Rc<RefCell<Kept>>) -> Self {
        Self {
            door,
            kept,
            up: Reader::new(Role::Server),
            down: Reader::new(Role::Client),
            of: None,
            login: None,
            goodbye: None,
            is_over: false,
        }
    }

    fn went(&mut self, direction: Direction, bytes: &[u8]) {
        let reader = match direction {
            Direction::Up => &mut self.up,
            Direction::Down => &mut self.down,
        };
        let (messages, why) = reader.read(bytes);
        for message in messages {
            self.message(direction, message);
        }
        if let Some(why) = why {
            let whose = match direction {
                Direction::Up => "the client",
                Direction::Down => "the upstream",
            };
            let text = format!(
                "a socket: {whose} sends what is no WebSocket message ({why}); it is forwarded as it is, and not kept"
            );
            self.kept.borrow_mut().note(text);
        }
    }

    fn message(&mut self, direction: Direction, message: Message) {
        match (message, self.door, direction) {
            (Message::Binary(frame), Door::WebSocket, _) => self.frame(direction, frame),
            (Message::Text(text), Door::SockJs, Direction::Up) => match sockjs::parse_client(&text) {
                Ok(frames) => frames.into_iter().for_each(|frame| self.frame(direction, frame)),
                Err(error) => self.odd(direction, &error.to_string()),
            },
            (Message::Text(text), Door::SockJs, Direction::Down) => match sockjs::parse_server(&text) {
                Ok(ServerText::Messages(frames)) => {
                    frames.into_iter().for_each(|frame| self.frame(direction, frame));
                }
                Ok(ServerText::Open | ServerText::Heartbeat) => {}
                Ok(ServerText::Close { .. }) => self.goodbye = self.goodbye.or(Some(direction)),
                Err(error) => self.odd(direction, &error.to_string()),
            },
            (Message::Close(_), _, _) => self.goodbye = self.goodbye.or(Some(direction)),
            (Message::Binary(_), Door::SockJs, _) => {
                self.odd(direction, "a binary message, and SockJS is text")
            }
            (Message::Text(_), Door::WebSocket, _) => self.odd(direction, "text, and this door is binary"),
            (Message::Ping(_) | Message::Pong(_) | Message::Frame(_), _, _) => {}
        }
    }

    fn odd(&mut self, direction: Direction, why: &str) {
        let way = match direction {
            Direction::Up => "from the client",
            Direction::Down => "from the upstream",
        };
        self.kept.borrow_mut().note(format!(
            "a socket: a message {way} holds no frame ({why}); it was forwarded, and not kept"
        ));
    }

    fn frame(&mut self, direction: Direction, bytes: Bytes) {
        let Some((app_key, conn)) = self.world(direction, &bytes) else { return };
        self.kept.borrow_mut().row(&app_key, Event::Frame { conn, direction, bytes: bytes.clone() });
        // Only a login is looked into; PROVISION is few bytes, and everything else is dearer to read.
        let provision = Some(m_sync::Command::Provision as i32);
        if !MSyncView::read(&bytes).is_ok_and(|msync| msync.command == provision) {
            return;
        }
        let frame = Frame::read(&bytes, direction);
        if frame.kind != Kind::Provision {
            return;
        }
        let text = |path: &str| match frame.get(path) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        match direction {
            Direction::Up => {
                let token =
                    text("auth").map(|auth| auth.trim_start_matches(fixtures::wire::AUTH_PREFIX).to_owned());
                let user = text("guid.name").unwrap_or_default().to_lowercase();
                self.login = Some((user, text("guid.clientResource").unwrap_or_default(), token));
            }
            Direction::Down => {
                let refused = frame
                    .get("status.errorCode")
                    .is_some_and(|code| !matches!(code, Value::Enum { number: 0, .. }));
                if let Some((user, device, token)) = self.login.take().filter(|_| !refused) {
                    let mut kept = self.kept.borrow_mut();
                    if let Some(token) = token {
                        kept.token(&token, &user);
                    }
                    let resource = text("resource").filter(|name| !name.is_empty()).unwrap_or(device);
                    kept.row(&app_key, Event::LoggedIn { conn, user, resource });
                }
            }
        }
    }

    /// The world and name of this connection, which its first frame says.
    fn world(&mut self, direction: Direction, bytes: &Bytes) -> Option<(AppKey, ConnId)> {
        if self.of.is_none() && direction == Direction::Up {
            match hello(bytes.clone()).map(|hello| hello.app_key) {
                Ok(app_key) => {
                    let mut kept = self.kept.borrow_mut();
                    let conn = kept.conn();
                    kept.row(&app_key, Event::Opened { conn, door: self.door });
                    drop(kept);
                    self.of = Some((app_key, conn));
                }
                Err(turned) => {
                    let text = format!(
                        "a socket does not say its world ({}); it was forwarded, and not kept",
                        turned.why
                    );
                    self.kept.borrow_mut().note(text);
                }
            }
        }
        self.of.clone()
    }

    /// One side is gone.
    fn ended(&mut self, direction: Direction) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let why = match (self.goodbye, direction) {
            (Some(Direction::Down), _) => "closed by the server",
            (Some(Direction::Up), _) | (None, Direction::Up) => "closed by the client",
            (None, Direction::Down) => "cut by the server",
        };
        self.closed(why);
    }

    fn closed(&mut self, why: &str) {
        if let Some((app_key, conn)) = self.of.clone() {
            self.kept.borrow_mut().row(&app_key, Event::Closed { conn, why: why.to_owned() });
        }
    }
}

impl Drop for Tap {
    /// The recorder ends while it is open.
    fn drop(&mut self) {
        if !self.is_over {
            self.closed(match self.goodbye {
                Some(Direction::Down) => "closed by the server",
                Some(Direction::Up) => "closed by the client",
                None => "open when the recording ended",
            });
        }
    }
}

impl Reader {
    fn new(role: Role) -> Self {
        let config = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        Self { ws: WebSocket::from_raw_socket(Fed::default(), role, Some(config)), broken: false }
    }

    /// The messages that are whole by now; in words why there will be no more.
    fn read(&mut self, bytes: &[u8]) -> (Vec<Message>, Option<String>) {
        let mut messages = Vec::new();
        if self.broken {
            return (messages, None);
        }
        self.ws.get_mut().0.extend(bytes);
        loop {
            match self.ws.read() {
                Ok(message) => messages.push(message),
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                    return (messages, None);
                }
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => {
                    self.broken = true;
                    return (messages, None);
                }
                Err(error) => {
                    self.broken = true;
                    self.ws.get_mut().0 = VecDeque::new();
                    return (messages, Some(error.to_string()));
                }
            }
        }
    }
}

impl Read for Fed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.0.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.0.read(buffer)
    }
}

impl Write for Fed {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
