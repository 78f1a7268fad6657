//! A journal is enough: another machine does the same with it, byte for byte, and another server goes on from there.

use mock_server::control::{Control, Fault};
use mock_server::journal::{Entry, Given};
use mock_server::machine::Millis;
use mock_server::replay::{NoJournal, replay};
use mock_server::shell::{MockServer, Options};
use mock_server::tape::Door;

use crate::attachments::{get, upload};
use crate::peer::{APP_KEY, Socket, start, start_with};

/// A little of everything that a machine is given.
fn busy(server: &MockServer) -> (Socket, Socket, String) {
    server.manual_clock(APP_KEY, Millis(1_640_908_800_000)).expect("nobody has been in it");
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let mut bob = Socket::log_in(server.addr(), Door::WebSocket, APP_KEY, "bob", "b");
    let (path, _) = upload(server, "a.txt", "text/plain", b"what the file holds", "");
    server.advance(APP_KEY, 61_000);
    alice.text(APP_KEY, "alice", "bob", "hi");
    assert_eq!(bob.notice(), "alice");
    let stopped = Control::Fault(Fault::Cut { user: "bob".into(), device: None });
    server.control(APP_KEY, stopped).expect("bob is there");
    assert!(server.control(APP_KEY, Control::RemoveUser { user: "nobody".into() }).is_err());
    bob.farewell();
    (alice, bob, path)
}

#[test]
fn a_machine_does_again_what_it_did() {
    let server = start();
    let (_alice, _bob, _path) = busy(&server);
    let journal = server.journal(APP_KEY).expect("it is whole");
    let again = replay(&journal).expect("it begins at the beginning");
    assert_eq!(again.rows, server.tape(APP_KEY));
    assert_eq!(again.findings, server.findings(APP_KEY));
    assert_eq!(again.caused_by.len(), again.rows.len());
    let json = serde_json::to_string(&journal).expect("it can be kept");
    let kept: Vec<Entry> = serde_json::from_str(&json).expect("and read");
    assert_eq!(kept, journal);
}

#[test]
fn another_server_goes_on_where_a_journal_ends() {
    let server = start();
    let (_alice, _bob, path) = busy(&server);
    let journal = server.journal(APP_KEY).expect("it is whole");
    let other = start();
    other.replay(journal.clone()).expect("it begins at the beginning");
    assert_eq!(other.tape(APP_KEY), server.tape(APP_KEY));
    assert_eq!(other.journal(APP_KEY), Some(journal));
    assert_eq!(get(&other, &path, "\r\nAuthorization: Bearer t-bob").body, b"what the file holds");
    // Alice is logged in with nobody behind: whoever comes as the same device takes her place.
    let mut alice = Socket::log_in(other.addr(), Door::SockJs, APP_KEY, "alice", "a");
    let mut bob = Socket::log_in(other.addr(), Door::WebSocket, APP_KEY, "bob", "b");
    assert_eq!(bob.texts(APP_KEY, "alice"), ["hi"]);
    alice.text(APP_KEY, "alice", "bob", "and again");
    let times: Vec<Millis> = other.tape(APP_KEY).iter().map(|row| row.at).collect();
    assert_eq!(times.last(), Some(&Millis(1_640_908_861_000)), "the clock stands where it stood");
}

#[test]
fn a_journal_without_its_beginning_is_refused() {
    let server = start();
    let (_alice, _bob, _path) = busy(&server);
    let journal = server.journal(APP_KEY).expect("it is whole");
    let [made, rest @ ..] = &journal[..] else { panic!("it holds something") };
    assert!(matches!(made.given, Given::Made { .. }));
    assert_eq!(replay(rest), Err(NoJournal::NoBeginning));
    assert_eq!(replay(&[journal.clone(), vec![made.clone()]].concat()), Err(NoJournal::NoBeginning));
    assert_eq!(server.replay(Vec::new()), Err(NoJournal::NoBeginning.to_string()));
}

#[test]
fn a_journal_that_has_become_too_long_is_given_up() {
    let server = start_with(Options { tape: true, tape_rows_max: 16, ..Options::default() });
    let mut alice = Socket::log_in(server.addr(), Door::SockJs, APP_KEY, "alice", "a");
    assert!(server.journal(APP_KEY).is_some());
    for _ in 0..16 {
        alice.text(APP_KEY, "alice", "alice", "hi");
    }
    assert_eq!(server.journal(APP_KEY), None);
    assert_eq!(server.tape(APP_KEY).len(), 16);
}
