//! A WebSocket client of the few things that the load needs, and the SockJS wrapping of the 3.x door.
//!
//! Hand-made so that the load stays lighter than the server it measures: one write a frame, one buffer, no
//! random mask. It never splits a message, never answers a ping and never waits for a polite close.

use std::io;
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Which of the two framings a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Door {
    /// One frame a binary message (4.x).
    Binary,
    /// Base64 in a JSON array in a text message (3.x).
    Sockjs,
}

impl Door {
    /// As it is written on the command line and in the table.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Sockjs => "sockjs",
        }
    }

    fn path(self, serial: usize) -> String {
        match self {
            Self::Binary => "/websocket".to_owned(),
            Self::Sockjs => format!("/ws/{:03}/bench{:03}/websocket", serial % 1_000, serial / 1_000),
        }
    }
}

/// The longest message that the exchange has is about 350 bytes; a server may send several at once.
const INBOX_BYTES: usize = 8 * 1_024;
const TEXT: u8 = 0x81;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
/// The example key of RFC 6455 §1.3 and the answer that belongs to it: a fixed pair needs no SHA-1 here.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// An open connection.
pub(crate) struct Socket {
    stream: TcpStream,
    door: Door,
    inbox: Box<[u8]>,
    /// `inbox[start..end]` came and was not looked at yet.
    start: usize,
    end: usize,
    /// SockJS: what is left of the current text message.
    text: std::ops::Range<usize>,
    decoded: Vec<u8>,
    outbox: Vec<u8>,
}

impl Socket {
    /// Dials, upgrades and, at the SockJS door, waits for `o`. `serial` tells connections apart in the path.
    pub(crate) async fn connect(addr: SocketAddr, door: Door, serial: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(addr).await?;
        stream.set_nodelay(true)?;
        let mut socket = Self {
            stream,
            door,
            inbox: vec![0; INBOX_BYTES].into_boxed_slice(),
            start: 0,
            end: 0,
            text: 0..0,
            decoded: Vec::with_capacity(512),
            outbox: Vec::with_capacity(512),
        };
        socket.upgrade(&door.path(serial), addr).await?;
        if door == Door::Sockjs {
            let (_, text) = socket.message().await?;
            if &socket.inbox[text.clone()] != b"o" {
                return Err(broken(format!("SockJS begins with {:?}, not o", socket.shown(text))));
            }
        }
        Ok(socket)
    }

    /// Sends one MSync frame.
    pub(crate) async fn send(&mut self, frame: &[u8]) -> io::Result<()> {
        let out = &mut self.outbox;
        out.clear();
        match self.door {
            Door::Binary => {
                header(out, BINARY, frame.len());
                out.extend_from_slice(frame);
            }
            Door::Sockjs => {
                let encoded = frame.len().div_ceil(3) * 4;
                header(out, TEXT, encoded + 4);
                out.extend_from_slice(b"[\"");
                let at = out.len();
                out.resize(at + encoded, 0);
                STANDARD.encode_slice(frame, &mut out[at..]).expect("the buffer has the length of the text");
                out.extend_from_slice(b"\"]");
            }
        }
        self.stream.write_all(out).await
    }

    /// The next MSync frame.
    pub(crate) async fn next(&mut self) -> io::Result<&[u8]> {
        match self.door {
            Door::Binary => {
                let (kind, body) = self.message().await?;
                if kind != BINARY {
                    return Err(broken(format!("a text message at the binary door: {:?}", self.shown(body))));
                }
                Ok(&self.inbox[body])
            }
            Door::Sockjs => {
                let element = loop {
                    if let Some(element) = self.element() {
                        break element;
                    }
                    let (kind, body) = self.message().await?;
                    let text = &self.inbox[body.clone()];
                    match text.first() {
                        Some(b'a') if kind == TEXT => self.text = body,
                        Some(b'h') if kind == TEXT => {}
                        _ => return Err(broken(format!("not SockJS: {:?}", self.shown(body)))),
                    }
                };
                self.decoded.clear();
                STANDARD
                    .decode_vec(&self.inbox[element], &mut self.decoded)
                    .map_err(|error| broken(format!("a SockJS element is not base64: {error}")))?;
                Ok(&self.decoded)
            }
        }
    }

    async fn upgrade(&mut self, path: &str, addr: SocketAddr) -> io::Result<()> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {addr}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).await?;
        let head = loop {
            self.fill().await?;
            if let Some(at) = self.inbox[..self.end].windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let text = String::from_utf8_lossy(&self.inbox[..head]);
        if !text.starts_with("HTTP/1.1 101 ") || !text.contains(ACCEPT) {
            let status = text.lines().next().unwrap_or_default();
            return Err(broken(format!("{path} does not upgrade to WebSocket: {status}")));
        }
        self.start = head;
        Ok(())
    }

    /// The next quoted string of the current SockJS message.
    fn element(&mut self) -> Option<std::ops::Range<usize>> {
        let text = &self.inbox[self.text.clone()];
        let open = text.iter().position(|&byte| byte == b'"')? + 1;
        let close = open + text[open..].iter().position(|&byte| byte == b'"')?;
        let base = self.text.start;
        self.text.start = base + close + 1;
        Some(base + open..base + close)
    }

    /// The next whole text or binary message: its first header byte and where its body is.
    async fn message(&mut self) -> io::Result<(u8, std::ops::Range<usize>)> {
        loop {
            if let Some((kind, body)) = parse(&self.inbox[self.start..self.end])? {
                let body = self.start + body.start..self.start + body.end;
                self.start = body.end;
                match kind {
                    TEXT | BINARY => return Ok((kind, body)),
                    CLOSE => return Err(broken(format!("the server closes: {:?}", self.shown(body)))),
                    _ => continue,
                }
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.inbox.len() {
            self.inbox.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.inbox.len() {
            return Err(broken(format!("a message of more than {INBOX_BYTES} bytes")));
        }
        let count = self.stream.read(&mut self.inbox[self.end..]).await?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        self.end += count;
        Ok(())
    }

    fn shown(&self, range: std::ops::Range<usize>) -> String {
        String::from_utf8_lossy(&self.inbox[range]).chars().take(60).collect()
    }
}

/// A client's header. The mask is zero: the server unmasks all the same, and the load need not touch each
/// byte once more.
fn header(out: &mut Vec<u8>, kind: u8, len: usize) {
    const MASKED: u8 = 0x80;
    out.push(kind);
    if len < 126 {
        out.push(MASKED | len as u8);
    } else {
        let len = u16::try_from(len).expect("the load sends no message of 64 KiB");
        out.push(MASKED | 126);
        out.extend_from_slice(&len.to_be_bytes());
    }
    out.extend_from_slice(&[0; 4]);
}

/// A server's message at the front of `bytes`, if it is whole.
fn parse(bytes: &[u8]) -> io::Result<Option<(u8, std::ops::Range<usize>)>> {
    let (kind, short) = match bytes {
        [kind, short, ..] => (*kind, *short),
        _ => return Ok(None),
    };
    let (start, len) = match short {
        0..=125 => (2, usize::from(short)),
        126 => match bytes[2..] {
            [high, low, ..] => (4, usize::from(u16::from_be_bytes([high, low]))),
            _ => return Ok(None),
        },
        _ => return Err(broken(format!("a masked frame or one of 64 KiB (second byte {short:#04x})"))),
    };
    Ok((bytes.len() >= start + len).then_some((kind, start..start + len)))
}

fn broken(what: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(0)]
    #[case(125)]
    #[case(126)]
    #[case(65_535)]
    fn a_header_says_its_length_and_a_zero_mask(#[case] len: usize) {
        let mut out = Vec::new();
        header(&mut out, BINARY, len);
        let body = out.len();
        assert_eq!(out[body - 4..], [0; 4]);
        // As the server would write it: no mask bit, no mask.
        out.truncate(body - 4);
        out[1] &= 0x7f;
        out.resize(out.len() + len, 7);
        assert_eq!(parse(&out).unwrap(), Some((BINARY, body - 4..body - 4 + len)));
        out.pop();
        if len > 0 {
            assert_eq!(parse(&out).unwrap(), None);
        }
    }
}
