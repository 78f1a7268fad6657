//! Carries out what a client wants done on sockets, and collects what comes of it. No clock, no decisions.
//!
//! Everything is polled from the one task that polls [`Io`], and every socket is read until it has no more:
//! a runner that has let its runtime look at the sockets knows, when [`Io::poll_received`] is pending, that
//! they hold nothing unread.

use std::collections::VecDeque;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::stream::Stream as _;
use futures_util::{Sink as _, SinkExt as _};
use hyper::Uri;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message as Envelope;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::http::Calls;
use crate::client::{LinkId, Received, Transmit, WireMessage};

/// The largest WebSocket message taken, in bytes: ten pages of 50 metas of 3 KiB in base64, and room.
const MESSAGE_LIMIT_BYTES: usize = 4 * 1024 * 1024;
/// How many links may be saying goodbye at once; an older one is cut. A peer need not answer a farewell.
const FAREWELLS_LIMIT: usize = 4;

/// Dials under way; leaving the list cancels one. A client has one or two at a time.
type Dials = Vec<(LinkId, Pin<Box<dyn Future<Output = Result<Socket, String>> + Send>>)>;
type Socket = WebSocketStream<TcpStream>;

/// The sockets of one client.
#[derive(Default)]
pub struct Io {
    dials: Dials,
    calls: Calls,
    links: Vec<Link>,
}

impl Io {
    /// Starts to carry something out; [`Io::poll_received`] does it. Never blocks.
    pub fn carry_out(&mut self, transmit: Transmit) {
        match transmit {
            Transmit::Dial { link, url } => {
                self.dials.push((link, Box::pin(async move { dial(&url).await })));
            }
            Transmit::Frame { link, message } => {
                if let Some(link) = self.links.iter_mut().find(|known| known.id == link) {
                    link.outgoing.push_back(match message {
                        WireMessage::Text(text) => Envelope::text(text),
                        WireMessage::Binary(bytes) => Envelope::binary(bytes),
                    });
                }
            }
            Transmit::HangUp { link } => self.hang_up(link),
            Transmit::Http(request) => self.calls.start(request),
            Transmit::Cancel { call } => self.calls.cancel(call),
        }
    }

    /// Writes as far as the sockets take it, and reads nothing. A socket that breaks over it is told of by
    /// [`Io::poll_received`].
    pub fn write(&mut self, cx: &mut Context<'_>) {
        for link in &mut self.links {
            if link.broken.is_none()
                && let Poll::Ready(Err(reason)) = link.poll_write(cx)
            {
                link.broken = Some(reason);
            }
        }
    }

    /// The next thing that happened. Pending means that every socket was written to and read as far as it
    /// would go.
    pub fn poll_received(&mut self, cx: &mut Context<'_>) -> Poll<Received> {
        if let Some((link, outcome)) = poll_any(&mut self.dials, cx) {
            return Poll::Ready(match outcome {
                Ok(socket) => {
                    self.links.push(Link::new(link, socket));
                    Received::Dialed { link }
                }
                Err(reason) => Received::HungUp { link, reason },
            });
        }
        if let Poll::Ready(received) = self.calls.poll(cx) {
            return Poll::Ready(received);
        }
        let mut place = 0;
        while let Some(link) = self.links.get_mut(place) {
            let id = link.id;
            match link.poll(cx) {
                Poll::Pending => place += 1,
                Poll::Ready(Heard::Message(message)) => {
                    return Poll::Ready(Received::Message { link: id, message });
                }
                Poll::Ready(Heard::Farewell(reason)) => {
                    return Poll::Ready(Received::HungUp { link: id, reason });
                }
                Poll::Ready(Heard::End(reason)) => {
                    let was_wanted = !link.leaving;
                    self.links.remove(place);
                    if was_wanted {
                        return Poll::Ready(Received::HungUp { link: id, reason });
                    }
                }
            }
        }
        Poll::Pending
    }

    /// As [`Io::poll_received`], to be awaited; dropping the future loses nothing.
    pub async fn received(&mut self) -> Received {
        poll_fn(|cx| self.poll_received(cx)).await
    }

    /// Whether something is still to be written: a socket that would not take more.
    pub fn is_writing(&self) -> bool {
        self.links.iter().any(|link| link.to_flush || !link.outgoing.is_empty())
    }

    fn hang_up(&mut self, id: LinkId) {
        let Some(link) = self.links.iter_mut().find(|link| link.id == id) else {
            self.dials.retain(|(dialing, _)| *dialing != id);
            return;
        };
        link.leaving = true;
        link.outgoing.push_back(Envelope::Close(None));
        if self.links.iter().filter(|link| link.leaving).count() > FAREWELLS_LIMIT
            && let Some(oldest) = self.links.iter().position(|link| link.leaving)
        {
            self.links.remove(oldest);
        }
    }
}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let links: Vec<LinkId> = self.links.iter().map(|link| link.id).collect();
        f.debug_struct("Io")
            .field("dials", &self.dials.len())
            .field("calls", &self.calls)
            .field("links", &links)
            .finish()
    }
}

/// The first that has come to its end, taken out.
fn poll_any(dials: &mut Dials, cx: &mut Context<'_>) -> Option<(LinkId, Result<Socket, String>)> {
    let mut ended =
        dials.iter_mut().enumerate().filter_map(|(place, (id, future))| match future.as_mut().poll(cx) {
            Poll::Ready(outcome) => Some((place, *id, outcome)),
            Poll::Pending => None,
        });
    let (place, id, outcome) = ended.next()?;
    drop(dials.remove(place));
    Some((id, outcome))
}

struct Link {
    id: LinkId,
    socket: Socket,
    outgoing: VecDeque<Envelope>,
    to_flush: bool,
    /// Nobody listens any more: the rest is politeness.
    leaving: bool,
    /// Why nothing more can be written, found by [`Io::write`].
    broken: Option<String>,
}

enum Heard {
    Message(WireMessage),
    /// The peer says goodbye; the socket is kept until that is answered.
    Farewell(String),
    /// The socket is of no more use.
    End(String),
}

impl Link {
    fn new(id: LinkId, socket: Socket) -> Self {
        Self { id, socket, outgoing: VecDeque::new(), to_flush: false, leaving: false, broken: None }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        if let Some(reason) = self.broken.take() {
            return Poll::Ready(Heard::End(reason));
        }
        if let Poll::Ready(Err(reason)) = self.poll_write(cx) {
            return Poll::Ready(Heard::End(reason));
        }
        loop {
            let envelope = match Pin::new(&mut self.socket).poll_next(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(Heard::End("the peer closed".to_owned())),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Heard::End(error.to_string())),
                Poll::Ready(Some(Ok(envelope))) => envelope,
            };
            match envelope {
                _ if self.leaving => {}
                Envelope::Text(text) => {
                    return Poll::Ready(Heard::Message(WireMessage::Text(text.to_string())));
                }
                Envelope::Binary(bytes) => {
                    return Poll::Ready(Heard::Message(WireMessage::Binary(bytes)));
                }
                Envelope::Close(farewell) => {
                    self.leaving = true;
                    let reason = match farewell {
                        Some(frame) => format!("the peer closed: {} {}", frame.code, frame.reason),
                        None => "the peer closed".to_owned(),
                    };
                    return Poll::Ready(Heard::Farewell(reason));
                }
                // Pongs are made and sent by the socket itself.
                Envelope::Ping(_) | Envelope::Pong(_) | Envelope::Frame(_) => {}
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), String>> {
        while !self.outgoing.is_empty() {
            match self.socket.poll_ready_unpin(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.to_string())),
                Poll::Ready(Ok(())) => {}
            }
            let Some(envelope) = self.outgoing.pop_front() else { break };
            if let Err(error) = self.socket.start_send_unpin(envelope) {
                return Poll::Ready(Err(error.to_string()));
            }
            self.to_flush = true;
        }
        if self.to_flush {
            match Pin::new(&mut self.socket).poll_flush(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error.to_string())),
                Poll::Ready(Ok(())) => self.to_flush = false,
            }
        }
        Poll::Ready(Ok(()))
    }
}

async fn dial(url: &str) -> Result<Socket, String> {
    let uri: Uri = url.parse().map_err(|error| format!("{url}: {error}"))?;
    let stream = connect(&uri, "ws").await?;
    let limits = WebSocketConfig::default()
        .max_message_size(Some(MESSAGE_LIMIT_BYTES))
        .max_frame_size(Some(MESSAGE_LIMIT_BYTES));
    match client_async_with_config(url, stream, Some(limits)).await {
        Ok((socket, _)) => Ok(socket),
        Err(error) => Err(format!("{url}: {error}")),
    }
}

/// A connection to the host of an address with this scheme.
pub(super) async fn connect(uri: &Uri, scheme: &str) -> Result<TcpStream, String> {
    if uri.scheme_str() != Some(scheme) {
        return Err(format!("{uri}: only {scheme}: addresses can be reached"));
    }
    let host = uri.host().ok_or_else(|| format!("{uri}: there is no host in it"))?;
    let port = uri.port_u16().unwrap_or(80);
    let stream = match TcpStream::connect((host, port)).await {
        Ok(stream) => stream,
        Err(error) => return Err(format!("{host}:{port}: {error}")),
    };
    // Frames are small and each waits for its answer.
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    Ok(stream)
}
