//! The tokio runner against a server of a few lines on real sockets: the whole way once, no more.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use client_core::net::{Connection, Io};
use client_core::{
    AttachmentUrls, Chat, Client, Config, Content, Door, EmojiTable, Event, Ext, File, IncomingContent,
    Media, Message, Millis, Received, ServerId, Transmit, UploadWay, WireMessage,
};
use fixtures::wire::{
    CommSyncDl, CommSyncUl, Jid, MSync, MessageBody, Meta, Provision, Status, message_body, meta,
};
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
        delivery: false,
        attachment_urls: AttachmentUrls::Ours,
        emoji: EmojiTable::default(),
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

fn text_meta(id: u64) -> Meta {
    let text = message_body::Content { r#type: Some(0), text: Some(id.to_string()), ..Default::default() };
    let body = MessageBody {
        r#type: Some(message_body::Type::Chat.into()),
        contents: vec![text],
        ..MessageBody::default()
    };
    Meta {
        id: Some(id),
        ns: Some(meta::NameSpace::Chat.into()),
        payload: Some(body.encode_to_vec().into()),
        ..Meta::default()
    }
}

/// Lets a client in and sends it ten pages of three messages in one go; returns the keys that came back
/// before the first message.
fn serve_pages(listener: &TcpListener) -> Vec<u64> {
    let (stream, _) = listener.accept().expect("the client dials");
    let mut socket = tungstenite::accept(stream).expect("a WebSocket handshake");
    assert_eq!(read(&mut socket).command, Some(3));
    let welcome = Provision { status: Some(Status::default()), ..Provision::default() };
    let pages = (1..=10).map(|key| CommSyncDl {
        status: Some(Status::default()),
        metas: (key * 3 - 2..=key * 3).map(text_meta).collect(),
        next_key: Some(key),
        queue: Some(Jid { name: Some("bob".to_owned()), ..Jid::default() }),
        ..CommSyncDl::default()
    });
    let frames =
        [(3, welcome.encode_to_vec())].into_iter().chain(pages.map(|page| (0, page.encode_to_vec())));
    for (command, payload) in frames {
        let frame = MSync { command: Some(command), payload: Some(payload.into()), ..MSync::default() };
        socket.write(Envelope::binary(frame.encode_to_vec())).expect("room in the buffer");
    }
    socket.flush().expect("the client reads");
    let mut keys = Vec::new();
    loop {
        let frame = read(&mut socket);
        if frame.command != Some(0) {
            continue;
        }
        let uplink = CommSyncUl::decode(frame.payload.expect("a payload")).expect("an uplink");
        if uplink.meta.is_some() {
            // The link stays until the client has read everything and leaves.
            while socket.read().is_ok() {}
            return keys;
        }
        keys.extend(uplink.key);
    }
}

#[tokio::test]
async fn a_slow_program_has_no_page_acknowledged_but_the_one_it_is_being_told() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let server = thread::spawn(move || serve_pages(&listener));

    let mut im = Connection::new(config(&address, 0));
    im.login_token("t").expect("a fresh client");
    assert_eq!(im.event().await, Event::Opened);
    let mut told = Vec::new();
    for number in 1..=30 {
        match im.event().await {
            Event::Message(message) => told.push(message.content),
            other => panic!("a message, not {other:?}"),
        }
        if number == 3 {
            im.send(Message::new(Chat::Single, "bob", Content::Text("three".to_owned())))
                .expect("a good message");
        }
    }
    let expected: Vec<_> = (1..=30).map(|id: u64| IncomingContent::Text(id.to_string())).collect();
    assert_eq!(told, expected, "held back is not lost");
    drop(im);
    assert_eq!(server.join().expect("the server saw what it should"), [1]);
}

#[tokio::test]
async fn a_call_that_is_cancelled_leaves_no_connection_behind() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let (asked, mut was_asked) = tokio::sync::mpsc::channel(1);
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the client calls");
        let mut bytes = [0; 4_096];
        while stream.read(&mut bytes).expect("the client closes properly") > 0 {
            // Full when the request comes in two pieces.
            asked.try_send(()).ok();
        }
    });

    let mut client = Client::new(config(&address, 0));
    client.login_password(Millis(0), "pw").expect("a fresh client");
    let mut io = Io::default();
    while let Some(transmit) = client.poll_transmit() {
        io.carry_out(transmit);
    }
    tokio::select! {
        received = io.received() => panic!("no answer was given, but {received:?}"),
        asked = was_asked.recv() => assert_eq!(asked, Some(())),
    }
    client.close();
    let cancel = client.poll_transmit().expect("something to carry out");
    assert!(matches!(cancel, Transmit::Cancel { .. }), "{cancel:?}");
    io.carry_out(cancel);
    server.join().expect("the connection ended");
    drop(io);
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

/// Reads a request to its end and answers it; returns its head and how long its body was.
fn answer_once(listener: &TcpListener, media_type: &str, body: &[u8]) -> (String, usize) {
    let (mut stream, _) = listener.accept().expect("the client calls");
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = stream.read(&mut buffer).expect("the client writes");
        bytes.extend_from_slice(&buffer[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        let length: usize = length.unwrap_or_default();
        if bytes.len() - end - 4 >= length {
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            // A client that has had enough hangs up before the end.
            drop(stream.write_all(answer.as_bytes()).and_then(|()| stream.write_all(body)));
            return (head, length);
        }
    }
}

/// A client that is logged in, with its link left to itself.
fn logged_in(address: &str) -> (Client, Io) {
    let mut client = Client::new(config(address, 0));
    client.login_token(Millis(0), "t").expect("a fresh client");
    let Some(Transmit::Dial { link, .. }) = client.poll_transmit() else { panic!("a dial") };
    client.handle(Millis(0), Received::Dialed { link });
    let welcome = Provision { status: Some(Status::default()), ..Provision::default() };
    let frame = MSync { command: Some(3), payload: Some(welcome.encode_to_vec().into()), ..MSync::default() };
    let message = WireMessage::Binary(frame.encode_to_vec().into());
    client.handle(Millis(0), Received::Message { link, message });
    assert_eq!(client.poll_event(), Some(Event::Opened));
    (client, Io::default())
}

/// Runs the client until it has something to tell.
async fn next_event(client: &mut Client, io: &mut Io) -> Event {
    loop {
        while let Some(transmit) = client.poll_transmit() {
            io.carry_out(transmit);
        }
        if let Some(event) = client.poll_event() {
            return event;
        }
        client.handle(Millis(0), io.received().await);
    }
}

#[tokio::test]
async fn a_large_file_goes_out_piece_by_piece() {
    const BYTES: usize = 3 << 20;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let stored = br#"{"uri":"http://h/c","entities":[{"uuid":"u","share-secret":"s"}]}"#;
    let server = thread::spawn(move || answer_once(&listener, "application/json", stored));

    let (mut client, mut io) = logged_in(&address);
    let file = File { name: "a.bin".into(), media_type: "a/b".into(), bytes: vec![7; BYTES].into() };
    let local = client
        .send_file(Millis(0), Chat::Single, "bob", Media::File, file, Ext::default(), UploadWay::Restricted)
        .expect("a good file");
    let mut steps = Vec::new();
    let uploaded = loop {
        match next_event(&mut client, &mut io).await {
            Event::UploadProgress { loaded, total, .. } => steps.push((loaded, total)),
            other => break other,
        }
    };
    assert_eq!(uploaded, Event::Uploaded { local, uuid: "u".to_owned(), secret: Some("s".to_owned()) });
    let (head, length) = server.join().expect("the server saw what it should");
    assert!(head.contains("restrict-access: true") && length > BYTES, "{head}");
    let total = length as u64;
    assert!(steps.len() >= 3, "at least one for each MiB, however fast the socket: {steps:?}");
    assert!(steps.is_sorted() && steps.iter().all(|(_, whole)| *whole == total), "{steps:?}");
    assert_eq!(steps.last(), Some(&(total, total)));
}

#[tokio::test]
async fn a_file_comes_with_its_type_and_one_that_is_too_large_does_not() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let server = thread::spawn(move || {
        let first = answer_once(&listener, "image/png", b"\0\xff\r\n").0;
        answer_once(&listener, "image/png", &vec![0; (64 << 20) + 1]);
        first
    });
    let (mut client, mut io) = logged_in(&address);
    let url = format!("http://{address}/org/app/chatfiles/u");
    let call = client.download(Millis(0), &url, Some("s"), None).expect("logged in");
    let (media_type, bytes) = ("image/png".to_owned(), b"\0\xff\r\n"[..].into());
    assert_eq!(next_event(&mut client, &mut io).await, Event::Downloaded { call, media_type, bytes });
    let call = client.download(Millis(0), &url, None, None).expect("logged in");
    let Event::DownloadFailed { call: failed, failure } = next_event(&mut client, &mut io).await else {
        panic!("a failure")
    };
    assert!(failed == call && failure.message.contains("at most 67108864 bytes"), "{failure:?}");
    let head = server.join().expect("the server saw what it should");
    for header in ["share-secret: s", "authorization: bearer t", "accept: application/octet-stream"] {
        assert!(head.contains(header), "{head}");
    }
}

#[tokio::test]
async fn a_header_that_http_does_not_allow_fails_its_request() {
    let (mut client, mut io) = logged_in("127.0.0.1:1");
    let call =
        client.download(Millis(0), "http://127.0.0.1:1/f", None, Some("a\r\nb: c")).expect("logged in");
    let event = next_event(&mut client, &mut io).await;
    assert!(matches!(event, Event::DownloadFailed { call: failed, .. } if failed == call), "{event:?}");
}
