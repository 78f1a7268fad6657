//! The yardstick: a bare tokio-tungstenite relay of fixed frames, on one thread.
//!
//! It does what no server of this exchange can do without (accept, read, write) and nothing else: it decodes
//! no protobuf, knows no user, and holds no state but which connection is whose partner. Connections pair up
//! in the order they come: first the sender, then its receiver.

use std::io;
use std::net::SocketAddr;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Bytes, Error, Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, accept_async_with_config};

use crate::frames::Fixed;
use crate::socket::Door;

/// As the real server has them. The library's default of 128 KiB is really touched and costs 25 to 30 % of
/// the throughput.
const BUFFER_BYTES: usize = 4 * 1_024;

/// Serves until the process is ended.
pub(crate) async fn serve(listen: SocketAddr, door: Door) -> io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let frames = Frames::new(door);
    loop {
        let (sender, _) = listener.accept().await?;
        let (hand_over, partner) = oneshot::channel();
        tokio::spawn(send_side(sender, partner, frames.clone()));
        let (receiver, _) = listener.accept().await?;
        tokio::spawn(receive_side(receiver, hand_over, frames.clone()));
    }
}

type Connection = WebSocketStream<TcpStream>;

/// A load that goes away in the middle is the end of its two connections and of nothing else.
async fn send_side(stream: TcpStream, partner: oneshot::Receiver<Connection>, frames: Frames) {
    let Ok(sender) = login(stream, &frames).await else { return };
    let Ok(receiver) = partner.await else { return };
    drop(exchange(sender, receiver, &frames).await);
}

async fn receive_side(stream: TcpStream, hand_over: oneshot::Sender<Connection>, frames: Frames) {
    let Ok(receiver) = login(stream, &frames).await else { return };
    drop(hand_over.send(receiver));
}

/// The login and the UNREAD after it.
async fn login(stream: TcpStream, frames: &Frames) -> Result<Connection, Error> {
    stream.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(BUFFER_BYTES).write_buffer_size(BUFFER_BYTES);
    let mut socket = accept_async_with_config(stream, Some(config)).await?;
    if let Some(open) = &frames.open {
        socket.send(open.clone()).await?;
    }
    heard(&mut socket).await?;
    socket.send(frames.provisioned.clone()).await?;
    heard(&mut socket).await?;
    socket.send(frames.unread.clone()).await?;
    Ok(socket)
}

/// One message after the other: send, answer, NOTICE, pull, messages, pull with key, last.
async fn exchange(mut sender: Connection, mut receiver: Connection, frames: &Frames) -> Result<(), Error> {
    loop {
        heard(&mut sender).await?;
        sender.send(frames.answer.clone()).await?;
        receiver.send(frames.notice.clone()).await?;
        heard(&mut receiver).await?;
        receiver.send(frames.page.clone()).await?;
        heard(&mut receiver).await?;
        receiver.send(frames.last.clone()).await?;
    }
}

async fn heard(socket: &mut Connection) -> Result<Message, Error> {
    socket.next().await.ok_or(Error::ConnectionClosed)?
}

/// The fixed frames, wrapped for one door.
#[derive(Clone)]
struct Frames {
    open: Option<Message>,
    provisioned: Message,
    unread: Message,
    answer: Message,
    notice: Message,
    page: Message,
    last: Message,
}

impl Frames {
    fn new(door: Door) -> Self {
        let wrap = |frame: Vec<u8>| match door {
            Door::Binary => Message::Binary(Bytes::from(frame)),
            Door::Sockjs => Message::Text(Utf8Bytes::from(fixtures::wire::sockjs::server_text(&frame))),
        };
        let fixed = Fixed::new(crate::APP_KEY);
        Self {
            open: (door == Door::Sockjs).then(|| Message::text(fixtures::wire::sockjs::OPEN)),
            provisioned: wrap(fixed.provisioned),
            unread: wrap(fixed.unread),
            answer: wrap(fixed.answer),
            notice: wrap(fixed.notice),
            page: wrap(fixed.page),
            last: wrap(fixed.last),
        }
    }
}
