//! TLS: https and wss with a certificate of the server's own making, and what plain HTTP is told on such a port.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use fixtures::wire::{MSync, Provision, m_sync};
use mock_server::control::{Control, Fault};
use mock_server::shell::{MockServer, Options, Tls};
use prost::Message as _;
use rstest::rstest;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use tungstenite::Message;

use crate::peer::{connect, http, provision, reply, start_with};

type Secure = StreamOwned<ClientConnection, TcpStream>;

fn start() -> MockServer {
    let tls = Tls::SelfMade { dir: None, names: vec!["laptop.local".into()] };
    start_with(Options { tls: Some(tls), ..Options::default() })
}

/// A connection of a client that trusts what the server hands out, and calls it by this name.
fn secure(server: &MockServer, name: &str) -> Secure {
    let authority = http(server.addr(), "GET /_mock/ca.crt HTTP/1.1", b"");
    assert_eq!(authority.header("content-type"), Some("application/x-x509-ca-cert"));
    trusting(server, name, CertificateDer::from_pem_slice(&authority.body).expect("a certificate"))
}

/// As [`secure`], of a client that trusts this.
fn trusting(server: &MockServer, name: &str, authority: CertificateDer<'_>) -> Secure {
    let mut roots = RootCertStore::empty();
    roots.add(authority).expect("an authority");
    let config =
        ClientConfig::builder_with_provider(Arc::new(tokio_rustls::rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has them")
            .with_root_certificates(roots)
            .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).expect("a good name");
    let client = ClientConnection::new(Arc::new(config), name).expect("a good configuration");
    StreamOwned::new(client, connect(server.addr()))
}

/// An answer whose connection then closes.
fn ask(server: &MockServer, head: &str, body: &[u8]) -> (String, Vec<u8>) {
    let mut stream = secure(server, "127.0.0.1");
    write!(
        stream,
        "{head}\r\nHost: 127.0.0.1:1\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .expect("the server reads");
    stream.write_all(body).expect("the server reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an answer, and a word at its end");
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
    (String::from_utf8_lossy(&answer[..end]).into_owned(), answer.split_off(end))
}

#[rstest]
#[case::address("127.0.0.1")]
#[case::localhost("localhost")]
#[case::new_kind("::1")]
#[case::given("laptop.local")]
fn the_certificate_is_for_every_name_of_this_machine(#[case] name: &str) {
    let server = start();
    let mut stream = secure(&server, name);
    write!(stream, "GET /ws/info HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n")
        .expect("it is trusted");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_certificate_that_is_given_is_shown_and_no_other_handed_out() {
    let dir = tempfile::tempdir().expect("a folder");
    let (cert, key) = (dir.path().join("fullchain.pem"), dir.path().join("privkey.pem"));
    let pair = rcgen::KeyPair::generate().expect("randomness");
    let params = rcgen::CertificateParams::new(vec!["mock.test".to_owned()]).expect("a good name");
    let given = params.self_signed(&pair).expect("a good key");
    fs::write(&cert, given.pem()).expect("it is ours");
    fs::write(&key, pair.serialize_pem()).expect("it is ours");
    let server = start_with(Options { tls: Some(Tls::Given { cert, key }), ..Options::default() });
    let mut stream = trusting(&server, "mock.test", given.der().clone());
    write!(stream, "GET /_mock/ca.crt HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        .expect("it is trusted");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[test]
fn what_is_uploaded_is_handed_out_by_https() {
    let server = start();
    let content: Vec<u8> = (0..2_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut body =
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\r\n".to_vec();
    body.extend(&content);
    body.extend(b"\r\n--b--\r\n");
    let token = "Authorization: Bearer t-alice";
    let form = "Content-Type: multipart/form-data; boundary=b";
    let (_, answer) = ask(&server, &format!("POST /org/app/chatfiles HTTP/1.1\r\n{token}\r\n{form}"), &body);
    let uploaded: serde_json::Value = serde_json::from_slice(&answer).expect("JSON");
    assert_eq!(uploaded["uri"], "https://127.0.0.1:1/org/app/chatfiles");
    let id = uploaded["entities"][0]["uuid"].as_str().expect("an id");
    let (_, file) = ask(&server, &format!("GET /org/app/chatfiles/{id} HTTP/1.1\r\n{token}"), b"");
    assert!(file == content, "{} bytes", file.len());
    let (_, servers) = ask(&server, "GET /easemob/server.json HTTP/1.1", b"");
    let servers: serde_json::Value = serde_json::from_slice(&servers).expect("JSON");
    assert_eq!(servers["rest"]["hosts"][0]["protocol"], "https");
}

#[test]
fn a_socket_is_as_good_as_a_plain_one() {
    let server = start();
    let (mut ws, _) =
        tungstenite::client("wss://127.0.0.1/websocket", secure(&server, "127.0.0.1")).expect("an upgrade");
    ws.send(Message::binary(provision("org#app", "alice", "a"))).expect("it is read");
    let Message::Binary(frame) = ws.read().expect("an answer") else { panic!("the door is binary") };
    let msync = MSync::decode(frame).expect("an MSync frame");
    assert_eq!(msync.command(), m_sync::Command::Provision);
    let answer = Provision::decode(msync.payload.unwrap_or_default()).expect("a Provision");
    assert_eq!(answer.status.and_then(|status| status.error_code), Some(0));
    // More than a socket takes at once goes both ways, enciphered.
    for n in 0..50 {
        ws.send(Message::Ping(vec![n; 120].into())).expect("it is read");
    }
    for n in 0..50 {
        assert_eq!(ws.read().expect("each is answered"), Message::Pong(vec![n; 120].into()));
    }
    let close = Control::Fault(Fault::Close { user: "alice".into(), device: None, code: 4_321 });
    server.control("org#app", close).expect("alice is there");
    let Message::Close(Some(frame)) = ws.read().expect("a goodbye") else { panic!("a close was to come") };
    assert_eq!(u16::from(frame.code), 4_321);
}

#[test]
fn plain_http_is_told_where_to_go() {
    let server = start();
    let head = "GET /org/app/users HTTP/1.1\r\nHost: laptop:8989";
    let mut stream = connect(server.addr());
    write!(stream, "{head}\r\nConnection: close\r\n\r\n").expect("the server reads");
    let told = reply(&mut stream);
    let words = "this port speaks TLS: https://laptop:8989/org/app/users (and wss:// for WebSockets); what to trust \
                 first: http://laptop:8989/_mock/ca.crt\n";
    assert_eq!((told.status, &*String::from_utf8_lossy(&told.body)), (400, words));
    // The control plane is no exception, and what is neither TLS nor HTTP ends.
    assert_eq!(http(server.addr(), "GET /_mock/ HTTP/1.1", b"").status, 400);
    let mut stream = connect(server.addr());
    stream.write_all(&[22, 3, 1, 0xff, 0xff, 0, 0]).expect("the server reads");
    let _alert = stream.read_to_end(&mut Vec::new());
}

#[test]
fn a_control_port_of_this_machines_own_stays_plain() {
    let own = SocketAddr::from(([127, 0, 0, 1], 0));
    let tls = Some(Tls::SelfMade { dir: None, names: Vec::new() });
    let server = start_with(Options { tls, control: Some(own), ..Options::default() });
    assert_eq!(http(server.control_addr(), "GET /_mock/ HTTP/1.1", b"").status, 200);
}

#[test]
fn a_page_of_this_server_is_one_by_https() {
    let server = start();
    let asked = |origin: &str| {
        let head = format!("GET /_mock/worlds HTTP/1.1\r\nOrigin: {origin}\r\nSec-Fetch-Site: same-origin");
        ask(&server, &head, b"").0.split(' ').nth(1).map(str::to_owned).expect("a status")
    };
    assert_eq!((asked("https://127.0.0.1:1"), asked("http://127.0.0.1:1")), ("200".into(), "403".into()));
}
