//! One WebSocket: reads frames for its world, and is written to from wherever the world has something to say.
//!
//! The socket's own task reads. Whoever runs the machine writes straight into the socket of each recipient, so
//! a message crosses no queue between tasks; what a full kernel buffer refuses, the socket's task writes later.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{self, Read, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use fixtures::wire::sockjs;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tungstenite::error::{CapacityError, Error, ProtocolError};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tungstenite::{Message, Utf8Bytes, WebSocket};

use super::stream::Stream;
use crate::machine::Close;
use crate::tape::Door;

/// The largest message that is read. A message body is 3 KB by default (rest.md B.8) and a world may allow
/// more; base64 makes 4 of 3.
const MESSAGE_BYTES_MAX: usize = 1024 * 1024;
/// What a client that does not read may have waiting. It pulls pages one by one, so only NOTICEs and answers
/// pile up; a socket past this is cut.
const UNSENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Frames are small, and an idle connection holds this much for ever: 4 KiB more are 4 KiB more for each.
const READ_BUFFER_BYTES: usize = 4 * 1024;
/// What is thrown away of a message that is too large, so that its sender reads why: as much as nobody sends by
/// mistake. Past it the socket is reset.
const DISCARDED_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Large enough to be fast, and gone with the socket.
const DISCARD_BUFFER_BYTES: usize = 16 * 1024;
/// Several frames for one socket leave in one write up to here.
const WRITE_BUFFER_BYTES: usize = 4 * 1024;

/// A connection of a world.
pub(super) struct Conn {
    door: Door,
    socket: RefCell<WebSocket<Link>>,
    /// How the world wants it ended.
    ending: Cell<Option<Close>>,
    /// It has failed while somebody else wrote; its own task will see.
    failed: Cell<bool>,
    /// Something was written that is not flushed yet.
    unflushed: Cell<bool>,
    /// A message was too large: where the next one begins, nobody knows. tungstenite must not read again.
    overrun: Cell<bool>,
    /// Nothing is written any more.
    mute: Cell<bool>,
}

/// What a socket brings.
pub(super) enum Arrival {
    /// Frames, unwrapped from the door's framing.
    Frames(Vec<Bytes>),
    /// One frame, which is the rule.
    Frame(Bytes),
    /// The world wants the connection ended.
    End(Close),
    /// The peer broke the framing; close with this.
    Broken { code: u16, why: String },
    /// The socket is gone.
    Gone(String),
}

/// A stream that tungstenite can use: "not ready" is an error, and readiness wakes the socket's task.
struct Link {
    stream: Stream,
    waker: Waker,
}

impl Conn {
    /// Takes over a stream on which the upgrade was answered; `early` was read behind the request.
    pub(super) fn new(stream: Stream, early: &[u8], door: Door) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(WRITE_BUFFER_BYTES)
            .max_write_buffer_size(UNSENT_BYTES_MAX)
            .max_message_size(Some(MESSAGE_BYTES_MAX))
            .max_frame_size(Some(MESSAGE_BYTES_MAX));
        let link = Link { stream, waker: Waker::noop().clone() };
        let socket = WebSocket::from_partially_read(link, early.to_vec(), Role::Server, Some(config));
        Self {
            door,
            socket: RefCell::new(socket),
            ending: Cell::new(None),
            failed: Cell::new(false),
            unflushed: Cell::new(false),
            overrun: Cell::new(false),
            mute: Cell::new(false),
        }
    }

    pub(super) fn door(&self) -> Door {
        self.door
    }

    /// Sends one frame; it leaves with the next [`Conn::flush`]. `wrapped` keeps the SockJS text of a frame that
    /// goes to many.
    pub(super) fn send(&self, frame: Bytes, wrapped: &mut Wrapped) {
        let message = match self.door {
            Door::WebSocket => Message::Binary(frame),
            Door::SockJs => Message::Text(wrapped.text(&frame)),
        };
        self.write(message);
    }

    /// What keeps middleboxes and half-dead peers honest: SockJS says `h`, WebSocket pings.
    pub(super) fn heartbeat(&self) {
        if self.mute.get() {
            return;
        }
        self.write(match self.door {
            Door::SockJs => Message::Text(Utf8Bytes::from_static(sockjs::HEARTBEAT)),
            Door::WebSocket => Message::Ping(Bytes::new()),
        });
        self.flush();
    }

    /// The SockJS session is open: must come at once (wire-3x §1.1).
    pub(super) fn greet(&self) {
        if self.door == Door::SockJs {
            self.write(Message::Text(Utf8Bytes::from_static(sockjs::OPEN)));
            self.flush();
        }
    }

    pub(super) fn flush(&self) {
        if !self.unflushed.get() {
            return;
        }
        let flushed = self.socket.borrow_mut().flush();
        match flushed {
            Ok(()) => self.unflushed.set(false),
            // The socket's task is woken when there is room again.
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.fail(),
        }
    }

    /// Whether something is waiting for the next [`Conn::flush`].
    pub(super) fn is_unflushed(&self) -> bool {
        self.unflushed.get()
    }

    /// Asks the socket's task to end it.
    pub(super) fn end(&self, how: Close) {
        self.mute.set(self.mute.get() || how == Close::Mute);
        self.ending.set(Some(how));
        self.socket.borrow().get_ref().waker.wake_by_ref();
    }

    /// When it goes, the peer reads that it was reset; what was not written yet is lost.
    pub(super) fn reset(&self) {
        if let Err(error) = self.socket.borrow().get_ref().stream.tcp().set_zero_linger() {
            tracing::warn!("a connection is closed instead of reset: {error}");
        }
    }

    /// Waits until the peer is gone, and hears nothing of what it says: the connection has not opened.
    pub(super) async fn gone(&self) {
        loop {
            match self.next().await {
                Arrival::Frames(_) | Arrival::Frame(_) => {}
                Arrival::End(_) | Arrival::Broken { .. } | Arrival::Gone(_) => return,
            }
        }
    }

    /// The next thing that the socket brings.
    pub(super) async fn next(&self) -> Arrival {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// Says goodbye as the door does, and waits for the peer's own. Whoever asks bounds the wait.
    pub(super) async fn close(self: Rc<Self>, code: u16, why: &str) {
        if self.door == Door::SockJs {
            self.write(Message::Text(sockjs::close_text(code, why).into()));
        }
        // A close frame's reason holds at most 123 bytes (RFC 6455 §5.5); the log has the whole of it.
        let reason = if why.len() <= 123 { why.into() } else { Utf8Bytes::default() };
        let closed = self.socket.borrow_mut().close(Some(CloseFrame { code: CloseCode::from(code), reason }));
        match closed {
            Ok(()) => {}
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
        self.unflushed.set(true);
        loop {
            if self.overrun.get() {
                return self.drain().await;
            }
            match poll_fn(|cx| self.poll_socket(cx)).await {
                Arrival::Gone(_) => return,
                Arrival::Frames(_) | Arrival::Frame(_) | Arrival::End(_) | Arrival::Broken { .. } => {}
            }
        }
    }

    /// Writes out what waits, and reads past what is still coming: a peer that is still writing when its
    /// connection ends may lose the close frame that says why.
    async fn drain(&self) {
        let written = poll_fn(|cx| {
            self.wake(cx);
            self.flush();
            match (self.failed.get(), self.unflushed.get()) {
                (false, true) => Poll::Pending,
                (failed, _) => Poll::Ready(!failed),
            }
        });
        if !written.await {
            return;
        }
        // Tells the peer that it may close, which tungstenite no longer can.
        let shut = poll_fn(|cx| Pin::new(&mut self.socket.borrow_mut().get_mut().stream).poll_shutdown(cx));
        if shut.await.is_ok() {
            self.discard(DISCARDED_BYTES_MAX).await;
        }
    }

    /// Reads until the peer ends the stream or the world wants it cut, or until `bytes_max` have come.
    pub(super) async fn discard(&self, bytes_max: usize) {
        let mut discarded = 0;
        let mut buffer = vec![0; DISCARD_BUFFER_BYTES];
        while discarded < bytes_max {
            let read = poll_fn(|cx| {
                self.wake(cx);
                if self.ending.take().is_some() {
                    return Poll::Ready(Ok(0));
                }
                let mut buffer = ReadBuf::new(&mut buffer);
                let read =
                    Pin::new(&mut self.socket.borrow_mut().get_mut().stream).poll_read(cx, &mut buffer);
                read.map_ok(|()| buffer.filled().len())
            });
            match read.await {
                Ok(0) | Err(_) => return,
                Ok(bytes) => discarded += bytes,
            }
        }
    }

    fn write(&self, message: Message) {
        let written = self.socket.borrow_mut().write(message);
        match written {
            Ok(()) => {}
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return self.fail(),
        }
        self.unflushed.set(true);
    }

    /// From now on, readiness wakes the task of `cx`.
    fn wake(&self, cx: &Context<'_>) {
        let mut socket = self.socket.borrow_mut();
        let waker = &mut socket.get_mut().waker;
        if !waker.will_wake(cx.waker()) {
            waker.clone_from(cx.waker());
        }
    }

    fn fail(&self) {
        self.failed.set(true);
        self.socket.borrow().get_ref().waker.wake_by_ref();
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<Arrival> {
        if let Some(how) = self.ending.take() {
            return Poll::Ready(Arrival::End(how));
        }
        self.poll_socket(cx)
    }

    fn poll_socket(&self, cx: &mut Context<'_>) -> Poll<Arrival> {
        if self.failed.get() {
            return Poll::Ready(Arrival::Gone("could not be written to".into()));
        }
        self.wake(cx);
        self.flush();
        loop {
            let message = self.socket.borrow_mut().read();
            match message {
                Ok(Message::Text(text)) if self.door == Door::SockJs => return Poll::Ready(unwrap(&text)),
                Ok(Message::Binary(frame)) if self.door == Door::WebSocket => {
                    return Poll::Ready(Arrival::Frame(frame));
                }
                Ok(Message::Text(_) | Message::Binary(_)) => {
                    let why = match self.door {
                        Door::SockJs => "binary message: this door takes SockJS text",
                        Door::WebSocket => "text message: this door takes binary; SockJS is at /ws",
                    };
                    return Poll::Ready(Arrival::Broken {
                        code: CloseCode::Unsupported.into(),
                        why: why.into(),
                    });
                }
                // tungstenite answers pings and closes by itself, at the next flush.
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_)) => {
                    self.unflushed.set(true);
                    self.flush();
                }
                Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Poll::Pending,
                Err(Error::Capacity(error)) => {
                    self.overrun.set(true);
                    let why = match error {
                        CapacityError::MessageTooLong { size, max_size } => {
                            format!("a message of {size} bytes: at most {max_size} are read")
                        }
                        CapacityError::TooManyHeaders => error.to_string(),
                    };
                    return Poll::Ready(Arrival::Broken { code: CloseCode::Size.into(), why });
                }
                Err(Error::ConnectionClosed | Error::AlreadyClosed) => {
                    return Poll::Ready(Arrival::Gone("closed".into()));
                }
                Err(Error::Protocol(error)) if error != ProtocolError::ResetWithoutClosingHandshake => {
                    tracing::warn!("a socket does not speak WebSocket: {error}");
                    return Poll::Ready(Arrival::Gone(error.to_string()));
                }
                Err(error) => return Poll::Ready(Arrival::Gone(error.to_string())),
            }
        }
    }
}

/// The frame that was wrapped last: a burst to a group wraps it once.
#[derive(Default)]
pub(super) struct Wrapped(Option<(Bytes, Utf8Bytes)>);

impl Wrapped {
    fn text(&mut self, frame: &Bytes) -> Utf8Bytes {
        match &self.0 {
            // The clone that is kept holds the bytes alive, so the same address is the same frame.
            Some((known, text)) if known.as_ptr() == frame.as_ptr() && known.len() == frame.len() => {
                text.clone()
            }
            _ => {
                let text = Utf8Bytes::from(sockjs::server_text(frame));
                self.0 = Some((frame.clone(), text.clone()));
                text
            }
        }
    }
}

fn unwrap(text: &str) -> Arrival {
    match sockjs::parse_client(text) {
        Ok(mut frames) => match (frames.len(), frames.pop()) {
            (1, Some(frame)) => Arrival::Frame(frame),
            (_, last) => {
                frames.extend(last);
                Arrival::Frames(frames)
            }
        },
        Err(error) => Arrival::Broken { code: CloseCode::Invalid.into(), why: error.to_string() },
    }
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut cx = Context::from_waker(&self.waker);
        let mut buffer = ReadBuf::new(buffer);
        match Pin::new(&mut self.stream).poll_read(&mut cx, &mut buffer) {
            Poll::Ready(Ok(())) => Ok(buffer.filled().len()),
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Link {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let mut cx = Context::from_waker(&self.waker);
        match Pin::new(&mut self.stream).poll_write(&mut cx, buffer) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stream {
            // What is written has left.
            Stream::Plain(_) => Ok(()),
            // What is written is enciphered, and may wait for room in the socket.
            Stream::Tls(stream) => {
                match Pin::new(&mut **stream).poll_flush(&mut Context::from_waker(&self.waker)) {
                    Poll::Ready(result) => result,
                    Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
                }
            }
        }
    }
}
