//! What a recorder writes is what `conformance` reads: its bundle, which `conformance replay` judges. That its draft passes
//! on a client, the tests of the reference client's shim show.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;

use conformance::bundle::Bundle;
use conformance::replay::{Unplayable, server};
use mock_server::shell::record::{RecordOptions, Recorder};
use mock_server::shell::{MockServer, Options};
use mock_server::tape::Event;

const APP_KEY: &str = "org#app";

/// Alice asks for a token.
fn ask(addr: SocketAddr) {
    let body = r#"{"grant_type":"password","username":"alice","password":"pw-of-alice"}"#;
    let mut stream = TcpStream::connect(addr).expect("the recorder listens");
    let length = body.len();
    write!(
        stream,
        "POST /org/app/token HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/json\r\nContent-Length: \
         {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .expect("it is read");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains("access_token"), "{answer}");
}

#[test]
fn a_recording_is_a_bundle_that_is_judged() {
    let upstream = MockServer::start(Options::default()).expect("a free port");
    let out = tempfile::tempdir().expect("a folder");
    let options = RecordOptions {
        upstream: format!("http://{}", upstream.addr()),
        out: out.path().to_owned(),
        ..RecordOptions::default()
    };
    let recorder = Recorder::start(options).expect("a free port");
    ask(recorder.addr());
    let files = recorder.stop().expect("it can be written");
    let bundle = Bundle::read(&files[0]).expect("a bundle");
    assert_eq!((bundle.app_key.as_str(), bundle.client.name.as_str()), (APP_KEY, "recorded"));
    assert!(bundle.tape.iter().any(|row| matches!(&row.event, Event::Http { path, .. } if path == "/token")));
    let told: Vec<&str> = bundle.redactions.iter().map(|one| one.alias.as_str()).collect();
    assert_eq!(told, ["<password 1>", "<token 1>"]);
    // Of a foreign server nobody knows what it was given.
    assert_eq!(server::play(&bundle).expect_err("no journal"), Unplayable::NoJournal);
    let replay = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
        let output = command.arg("replay").arg(&files[0]).args(more).output().expect("it was built");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let (code, told, errors) = replay(&[]);
    assert_eq!(code, Some(0), "{told}{errors}");
    assert!(
        told.ends_with(
            "0 frames and 1 requests; what the server was given is not in it, so they are read and not played\n\
             its clients did nothing wrong that this build's judge finds\n"
        ),
        "{told}"
    );
    let (code, told, errors) = replay(&["--against-client"]);
    assert_eq!((code, &*told), (Some(2), ""), "{errors}");
    assert!(errors.contains("nobody knows what its clients were asked to do"), "{errors}");
    // Nobody logged in: there is no draft, and the notes say why.
    assert!(!out.path().join("scenarios").exists());
    let notes = std::fs::read_to_string(&files[1]).expect("notes");
    assert!(notes.contains("nobody logged in, so there is no draft"), "{notes}");
}
