//! The tokio runner against a server of a few lines on real sockets: the whole way once, no more.

use std::net::{TcpListener, TcpStream};
use std::thread;

use client_core::net::Connection;
use client_core::{Chat, Config, Content, Door, Event, Message, ServerId};
use fixtures::wire::{CommSyncDl, CommSyncUl, MSync, Provision, Status};
use prost::Message as _;
use tungstenite::{Message as Envelope, WebSocket};

fn read(socket: &mut WebSocket<TcpStream>) -> MSync {
    let envelope = socket.read().expect("a message");
    MSync::decode(envelope.into_data()).expect("an MSync")
}

fn send(socket: &mut WebSocket<TcpStream>, command: i32, payload: Vec<u8>) {
    let frame = MSync { command: Some(command), payload: Some(payload.into()), ..MSync::default() };
    socket.send(Envelope::binary(frame.encode_to_vec())).expect("the client reads");
}

/// Lets a client in, takes one message, and waits for the farewell.
fn serve_once(listener: &TcpListener) {
    let (stream, _) = listener.accept().expect("the client dials");
    let mut socket = tungstenite::accept(stream).expect("a WebSocket handshake");
    assert_eq!(read(&mut socket).command, Some(3));
    let welcome = Provision { status: Some(Status::default()), ..Provision::default() };
    send(&mut socket, 3, welcome.encode_to_vec());
    assert_eq!(read(&mut socket).command, Some(1));
    let uplink = CommSyncUl::decode(read(&mut socket).payload.expect("a payload")).expect("an uplink");
    let answer = CommSyncDl {
        status: Some(Status::default()),
        meta_id: uplink.meta.and_then(|meta| meta.id),
        server_id: Some(7),
        ..CommSyncDl::default()
    };
    send(&mut socket, 0, answer.encode_to_vec());
    assert!(matches!(socket.read(), Ok(Envelope::Close(_))), "the client says goodbye");
}

fn config(address: &str, reconnects: u32) -> Config {
    Config {
        app_key: "org#app".to_owned(),
        username: "alice".to_owned(),
        device: "desk".to_owned(),
        rest: format!("http://{address}"),
        door: Door::WebSocket { url: format!("ws://{address}/websocket") },
        reconnects,
    }
}

#[tokio::test]
async fn a_program_logs_in_sends_and_leaves() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let server = thread::spawn(move || serve_once(&listener));

    let mut im = Connection::new(config(&address, 0));
    im.login_token("t").expect("a fresh client");
    assert_eq!(im.event().await, Event::Opened);
    let local =
        im.send(Message::new(Chat::Single, "bob", Content::Text("hi".to_owned()))).expect("a good message");
    let server_id = ServerId(7);
    assert_eq!(im.event().await, Event::Sent { local, server: server_id });
    assert_eq!(im.event().await, Event::Received { local, server: server_id });
    im.close();
    assert_eq!(im.event().await, Event::Closed);
    drop(im);
    server.join().expect("the server saw what it should");
}

/// Also shows that the clock moves: between the redials there is a wait, in real time.
#[tokio::test]
async fn where_nobody_listens_the_end_comes_after_the_budget() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let mut im = Connection::new(config(&address, 2));
    im.login_token("t").expect("a fresh client");
    let Event::Error(failure) = im.event().await else { panic!("an error comes first") };
    let reason = failure.detail.expect("a detail")["reason"].to_string();
    assert!(failure.code == 16 && reason.contains(&address), "{reason}");
    assert_eq!(im.event().await, Event::Closed);
}

#[tokio::test]
async fn an_address_that_cannot_be_reached_from_here_says_so() {
    let door = Door::WebSocket { url: "wss://127.0.0.1:1/websocket".to_owned() };
    let mut im = Connection::new(Config { door, ..config("127.0.0.1:1", 0) });
    im.login_token("t").expect("a fresh client");
    let Event::Error(failure) = im.event().await else { panic!("an error comes first") };
    let reason = failure.detail.expect("a detail")["reason"].to_string();
    assert!(reason.contains("only ws: addresses can be reached"), "{reason}");
}
