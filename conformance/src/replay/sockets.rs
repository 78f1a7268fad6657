//! The sockets of a server that only plays a record: both doors and the REST calls, on loopback, a thread a connection.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use fixtures::wire::sockjs;
use mock_server::machine::ConnId;
use mock_server::tape::Door;
use serde_json::{Value as Json, json};
use tungstenite::protocol::Role;
use tungstenite::{Error, Message, WebSocket};

use super::script::{Do, Script};

/// A request's head; SDKs send a dozen headers.
const HEAD_BYTES_MAX: usize = 64 << 10;
const HEADERS_MAX: usize = 64;
/// An upload of the largest file that a scenario makes.
const BODY_BYTES_MAX: usize = 80 << 20;
/// How often a thread that reads looks whether all is over.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A server that plays; dropped, it stops.
pub(super) struct Sockets {
    addr: SocketAddr,
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    tenant: String,
    /// How long a request waits for its turn.
    within: Duration,
    /// What downloads bring, by the last part of their path.
    contents: BTreeMap<String, Bytes>,
}

struct State {
    script: Script,
    writers: BTreeMap<ConnId, (Door, WebSocket<TcpStream>)>,
    over: bool,
}

impl Sockets {
    /// Listens where the recorded server did, if that is free, for then nothing need be written otherwise.
    pub(super) fn bind(recorded: Option<SocketAddr>) -> io::Result<TcpListener> {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        let same = recorded.filter(|addr| addr.ip().is_loopback());
        same.and_then(|addr| TcpListener::bind(addr).ok()).map_or_else(|| TcpListener::bind(free), Ok)
    }

    pub(super) fn start(
        listener: TcpListener,
        script: Script,
        app_key: &str,
        contents: BTreeMap<String, Bytes>,
        within: Duration,
    ) -> io::Result<Self> {
        let addr = listener.local_addr()?;
        let state = State { script, writers: BTreeMap::new(), over: false };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
            tenant: format!("/{}", app_key.replace('#', "/")),
            within,
            contents,
        });
        let of_thread = Arc::clone(&shared);
        thread::Builder::new().name("playback".into()).spawn(move || {
            for stream in listener.incoming() {
                if of_thread.state().over {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let shared = Arc::clone(&of_thread);
                // What goes wrong on one connection the client sees, and the script misses.
                thread::spawn(move || shared.serve(stream).ok());
            }
        })?;
        Ok(Self { addr, shared })
    }

    /// Has the script do something, and the sockets what is due then.
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut Script) -> T) -> T {
        self.shared.with(act)
    }

    /// Waits until something happens, but not for ever.
    pub(super) fn wait(&self, within: Duration) {
        let state = self.shared.state();
        drop(self.shared.changed.wait_timeout(state, within));
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.over = true;
        for (_, writer) in state.writers.values() {
            let _gone = writer.get_ref().shutdown(Shutdown::Both);
        }
        drop(state);
        self.shared.changed.notify_all();
        // It waits in `accept`; a connection wakes it.
        let _woken = TcpStream::connect(self.addr);
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, act: impl FnOnce(&mut Script) -> T) -> T {
        let mut state = self.state();
        let outcome = act(&mut state.script);
        for due in state.script.due() {
            state.carry_out(due);
        }
        drop(state);
        self.changed.notify_all();
        outcome
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LOOK_EVERY))?;
        let mut stream = stream;
        let mut bytes = Vec::new();
        loop {
            let Some(head) = self.head(&mut stream, &mut bytes)? else { return Ok(()) };
            if head.upgrade {
                return self.socket(stream, &head, &bytes);
            }
            bytes.drain(..head.length);
            let body = self.body(&mut stream, &mut bytes, &head)?;
            if !self.answer(&mut stream, &head, &body)? {
                return Ok(());
            }
        }
    }

    /// Reads on; false at the end of the stream, or of everything.
    fn more(&self, stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<bool> {
        let mut buffer = [0; 16 << 10];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return Ok(false),
                Ok(count) => {
                    bytes.extend_from_slice(&buffer[..count]);
                    return Ok(true);
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    if self.state().over {
                        return Ok(false);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn head(&self, stream: &mut TcpStream, bytes: &mut Vec<u8>) -> io::Result<Option<Head>> {
        loop {
            if let Some(head) = Head::parse(bytes)? {
                return Ok(Some(head));
            }
            if bytes.len() > HEAD_BYTES_MAX || !self.more(stream, bytes)? {
                return Ok(None);
            }
        }
    }

    fn body(&self, stream: &mut TcpStream, bytes: &mut Vec<u8>, head: &Head) -> io::Result<Vec<u8>> {
        let whole = |bytes: &[u8]| match head.body {
            Framing::Length(length) => (bytes.len() >= length).then(|| (bytes[..length].to_vec(), length)),
            Framing::Chunked => unchunked(bytes),
        };
        loop {
            if let Some((body, length)) = whole(bytes) {
                bytes.drain(..length);
                return Ok(body);
            }
            if bytes.len() > BODY_BYTES_MAX || !self.more(stream, bytes)? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }

    /// Answers a request; false: the connection is at its end.
    fn answer(&self, stream: &mut TcpStream, head: &Head, body: &[u8]) -> io::Result<bool> {
        let path = head.path.split('?').next().unwrap_or_default();
        if head.method == "OPTIONS" {
            return respond(stream, head, 200, "text/plain", b"");
        }
        if path.trim_end_matches('/') == "/ws/info" {
            let info = json!({"websocket": true, "origins": ["*:*"], "cookie_needed": false, "entropy": 1});
            return respond(stream, head, 200, "application/json", info.to_string().as_bytes());
        }
        let decoded = percent_decoded(path);
        let Some(rest) = decoded.strip_prefix(&self.tenant) else {
            let refusal =
                json!({"error": "no_such_path", "error_description": "a record is being played here"});
            return respond(stream, head, 404, "application/json", refusal.to_string().as_bytes());
        };
        let query = head.path.split_once('?').map(|(_, query)| format!("?{query}")).unwrap_or_default();
        let asked = format!("{rest}{query}");
        let compared = (!head.multipart).then_some(body);
        let Some(row) = self.with(|script| script.request(&head.method, &asked, compared)) else {
            let refusal = json!({"error": "not_in_the_record", "error_description": "the recorded client never asked this"});
            return respond(stream, head, 404, "application/json", refusal.to_string().as_bytes());
        };
        let mut state = self.state();
        let mut turned = false;
        while !state.script.is_past(row + 1) && !state.over && !turned {
            let (next, timeout) =
                self.changed.wait_timeout(state, self.within).unwrap_or_else(PoisonError::into_inner);
            state = next;
            turned = timeout.timed_out();
        }
        let recorded = state.script.answer(row).map(|(status, answer)| {
            let text = std::str::from_utf8(&answer).map(|text| state.script.renamed.text(text).into_bytes());
            (status, text.unwrap_or_else(|_| answer.to_vec()))
        });
        drop(state);
        let Some((status, answer)) = recorded else { return Ok(false) };
        let shown: Json = serde_json::from_slice(&answer).unwrap_or(Json::Null);
        if shown == json!({"reset": true}) {
            return Ok(false);
        }
        if let (Some(media_type), Some(_)) =
            (shown.get("media_type").and_then(Json::as_str), shown.get("file"))
        {
            let name = path.rsplit('/').next().unwrap_or_default();
            let content = self.contents.get(name).cloned().unwrap_or_default();
            return respond(stream, head, status, media_type, &content);
        }
        match shown.as_object().filter(|shown| shown.len() == 1).and_then(|shown| shown.get("text")?.as_str())
        {
            Some(text) => respond(stream, head, status, "text/html", text.as_bytes()),
            None => respond(stream, head, status, "application/json", &answer),
        }
    }

    fn socket(&self, mut stream: TcpStream, head: &Head, bytes: &[u8]) -> io::Result<()> {
        let Some(key) = &head.key else { return Ok(()) };
        let accept = tungstenite::handshake::derive_accept_key(key.as_bytes());
        let door = if head.path.starts_with("/ws/") { Door::SockJs } else { Door::WebSocket };
        write!(
            stream,
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        )?;
        let rest = bytes[head.length..].to_vec();
        let mut reader = WebSocket::from_partially_read(stream.try_clone()?, rest, Role::Server, None);
        let mut writer = WebSocket::from_raw_socket(stream, Role::Server, None);
        if door == Door::SockJs {
            writer.send(Message::text("o")).map_err(io::Error::other)?;
        }
        let mut writer = Some(writer);
        let mut conn = None;
        loop {
            let message = match reader.read() {
                Ok(message) => message,
                Err(Error::Io(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
                {
                    if self.state().over {
                        return Ok(());
                    }
                    continue;
                }
                Err(_) => break,
            };
            let frames = match (&message, door) {
                (Message::Binary(frame), Door::WebSocket) => vec![frame.clone()],
                (Message::Text(text), Door::SockJs) => sockjs::parse_client(text).unwrap_or_default(),
                (Message::Close(_), _) => break,
                (_, _) => continue,
            };
            for frame in frames {
                if let Some(writer) = writer.take() {
                    let mut state = self.state();
                    conn = state.script.opened(door, &frame);
                    let Some(conn) = conn else { return Ok(()) };
                    state.writers.insert(conn, (door, writer));
                }
                if let Some(conn) = conn {
                    self.with(|script| script.frame(conn, &frame));
                }
            }
        }
        if let Some(conn) = conn {
            self.state().writers.remove(&conn);
            self.with(|script| script.gone(conn));
        }
        Ok(())
    }
}

impl State {
    fn carry_out(&mut self, due: Do) {
        let (Do::Send(conn, _) | Do::Close(conn) | Do::Cut(conn)) = &due;
        let Some((door, writer)) = self.writers.get_mut(conn) else { return };
        // A client that is gone is missed by the script.
        let _gone = match (due, *door) {
            (Do::Send(_, bytes), Door::WebSocket) => writer.send(Message::Binary(bytes)),
            (Do::Send(_, bytes), Door::SockJs) => writer.send(Message::text(sockjs::server_text(&bytes))),
            (Do::Close(_), door) => {
                if door == Door::SockJs {
                    let _farewell = writer.send(Message::text(sockjs::close_text(1000, "")));
                }
                writer.close(None).and_then(|()| writer.flush())
            }
            (Do::Cut(_), _) => writer.get_ref().shutdown(Shutdown::Both).map_err(Error::Io),
        };
    }
}

/// A request's head, as far as it matters here.
struct Head {
    method: String,
    path: String,
    length: usize,
    body: Framing,
    upgrade: bool,
    key: Option<String>,
    origin: Option<String>,
    asked_headers: Option<String>,
    multipart: bool,
}

#[derive(Clone, Copy)]
enum Framing {
    Length(usize),
    Chunked,
}

impl Head {
    fn parse(bytes: &[u8]) -> io::Result<Option<Self>> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut headers);
        let malformed = |error: httparse::Error| io::Error::new(ErrorKind::InvalidData, error.to_string());
        let httparse::Status::Complete(length) = request.parse(bytes).map_err(malformed)? else {
            return Ok(None);
        };
        let value = |name: &str| {
            let header = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
            header.map(|header| String::from_utf8_lossy(header.value).into_owned())
        };
        let chunked = value("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked"));
        let bytes = value("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        Ok(Some(Self {
            method: request.method.unwrap_or_default().to_owned(),
            path: request.path.unwrap_or_default().to_owned(),
            length,
            body: if chunked { Framing::Chunked } else { Framing::Length(bytes) },
            upgrade: value("upgrade").is_some_and(|to| to.eq_ignore_ascii_case("websocket")),
            key: value("sec-websocket-key"),
            origin: value("origin"),
            asked_headers: value("access-control-request-headers"),
            multipart: value("content-type").is_some_and(|kind| kind.starts_with("multipart/")),
        }))
    }
}

/// A body in chunks, if it is whole, and how many bytes it took.
fn unchunked(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (mut body, mut at) = (Vec::new(), 0);
    loop {
        let httparse::Status::Complete((length, size)) = httparse::parse_chunk_size(&bytes[at..]).ok()?
        else {
            return None;
        };
        at += length;
        let size = usize::try_from(size).ok()?;
        let chunk = bytes.get(at..at.checked_add(size)?)?;
        body.extend_from_slice(chunk);
        at += size + 2;
        if at > bytes.len() {
            return None;
        }
        if size == 0 {
            return Some((body, at));
        }
    }
}

fn respond(stream: &mut TcpStream, head: &Head, status: u16, kind: &str, body: &[u8]) -> io::Result<bool> {
    let origin = head.origin.as_deref().unwrap_or("*");
    let headers = head.asked_headers.as_deref().unwrap_or("*");
    write!(
        stream,
        "HTTP/1.1 {status} \r\nContent-Type: {kind}\r\nContent-Length: {}\r\nAccess-Control-Allow-Origin: {origin}\r\n\
         Access-Control-Allow-Credentials: true\r\nAccess-Control-Allow-Methods: GET, POST, PUT, DELETE\r\n\
         Access-Control-Allow-Headers: {headers}\r\n\r\n",
        body.len()
    )?;
    if head.method != "HEAD" {
        stream.write_all(body)?;
    }
    Ok(true)
}

fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, more)) = rest.split_first() {
        let digits = (byte == b'%').then(|| more.get(..2)).flatten();
        let decoded =
            digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        (rest, _) = match decoded {
            Some(decoded) => (&more[2..], bytes.push(decoded)),
            None => (more, bytes.push(byte)),
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
