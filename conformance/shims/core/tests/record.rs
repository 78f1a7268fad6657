//! client-core through a recorder: it is shown what it is shown without one, and the draft that is written of a chat passes
//! when the reference client plays it against a server that was not there.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

use client_core::net::Connection;
use client_core::{
    AttachmentUrls, Chat, Config, Content, Door, EmojiTable, Event, IncomingContent, Message, ServerId,
};
use conformance::bundle::Bundle;
use conformance::clause;
use conformance::client::Client;
use conformance::scenario::{Scenario, load};
use conformance::suite::{Plan, run_all};
use conformance::verdict::Verdict;
use mock_server::control::{Control, Settings};
use mock_server::shell::record::{RecordOptions, Recorder};
use mock_server::shell::{MockServer, Options};
use rstest::rstest;

const APP_KEY: &str = "org#app";
/// Who is there, and with what.
const PASSWORDS: [(&str, &str); 2] = [("alice", "a-word-of-alice"), ("bob", "a-word-of-bob")];

fn upstream() -> MockServer {
    let settings = Settings { strict: true, ..Settings::default() };
    let server = MockServer::start(Options { settings, ..Options::default() }).expect("a free port");
    let users =
        PASSWORDS.map(|(name, password)| Control::User { name: name.into(), password: password.into() });
    server.control_all(APP_KEY, users.to_vec()).expect("they are new");
    server
}

#[derive(Clone, Copy, Debug)]
enum By {
    SockJs,
    WebSocket,
}

fn client(addr: SocketAddr, user: &str, by: By) -> Connection {
    Connection::new(Config {
        app_key: APP_KEY.into(),
        username: user.into(),
        device: "desk".into(),
        rest: format!("http://{addr}"),
        door: match by {
            By::SockJs => Door::SockJs { url: format!("http://{addr}/ws") },
            By::WebSocket => Door::WebSocket { url: format!("ws://{addr}/websocket") },
        },
        reconnects: 0,
        delivery: false,
        attachment_urls: AttachmentUrls::Ours,
        emoji: EmojiTable::default(),
    })
}

/// What one side is shown, until it has what is waited for.
async fn until<T>(client: &mut Connection, shown: &mut Vec<String>, fits: impl Fn(&Event) -> Option<T>) -> T {
    loop {
        let event = client.event().await;
        assert!(!matches!(event, Event::Closed | Event::Error(_) | Event::Failed { .. }), "{event:?}");
        shown.push(name(&event));
        if let Some(found) = fits(&event) {
            return found;
        }
    }
}

/// An event without ids and times.
fn name(event: &Event) -> String {
    match event {
        Event::Message(incoming) => format!("message of {}: {:?}", incoming.from, incoming.content),
        other => {
            let text = format!("{other:?}");
            text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
        }
    }
}

fn sent(event: &Event) -> Option<ServerId> {
    if let Event::Sent { server, .. } = event { Some(*server) } else { None }
}

fn text(event: &Event) -> Option<String> {
    match event {
        Event::Message(incoming) => match &incoming.content {
            IncomingContent::Text(text) => Some(text.clone()),
            _ => None,
        },
        _ => None,
    }
}

/// A text each way, and one that is recalled. Gives what alice and bob were shown.
async fn chat(addr: SocketAddr, by: By) -> [Vec<String>; 2] {
    let [mut alice, mut bob] = PASSWORDS.map(|(user, _)| client(addr, user, by));
    let [mut hers, mut his] = [Vec::new(), Vec::new()];
    for (person, shown, (_, password)) in
        [(&mut alice, &mut hers, PASSWORDS[0]), (&mut bob, &mut his, PASSWORDS[1])]
    {
        person.login_password(password).expect("a fresh client");
        until(person, shown, |event| (*event == Event::Opened).then_some(())).await;
    }
    let say = |to: &str, words: &str| Message::new(Chat::Single, to, Content::Text(words.into()));
    alice.send(say("bob", "have you seen it?")).expect("a good message");
    let first = until(&mut alice, &mut hers, sent).await;
    until(&mut alice, &mut hers, |event| matches!(event, Event::Received { .. }).then_some(())).await;
    assert_eq!(until(&mut bob, &mut his, text).await, "have you seen it?");
    bob.send(say("alice", "not yet")).expect("a good message");
    until(&mut bob, &mut his, sent).await;
    until(&mut bob, &mut his, |event| matches!(event, Event::Received { .. }).then_some(())).await;
    assert_eq!(until(&mut alice, &mut hers, text).await, "not yet");
    alice.command(|client, now| client.recall(now, Chat::Single, "bob", first)).expect("she may");
    until(&mut alice, &mut hers, sent).await;
    until(&mut alice, &mut hers, |event| matches!(event, Event::Received { .. }).then_some(())).await;
    until(&mut bob, &mut his, |event| matches!(event, Event::Recall { .. }).then_some(())).await;
    [hers, his]
}

#[rstest]
#[case::sockjs(By::SockJs)]
#[case::websocket(By::WebSocket)]
fn a_chat_shows_the_same_and_its_draft_passes(#[case] by: By) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let without = runtime.block_on(chat(upstream().addr(), by));

    let server = upstream();
    let out = tempfile::tempdir().expect("a folder");
    let options = RecordOptions {
        upstream: format!("http://{}", server.addr()),
        out: out.path().to_owned(),
        ..RecordOptions::default()
    };
    let recorder = Recorder::start(options).expect("a free port");
    assert_eq!(runtime.block_on(chat(recorder.addr(), by)), without);
    let files = recorder.stop().expect("it can be written");
    drop(server);

    let notes = std::fs::read_to_string(&files[1]).expect("notes");
    let bundle = Bundle::read(&files[0]).expect("a bundle");
    for (user, password) in PASSWORDS {
        assert!(!format!("{bundle:?}{notes}").contains(password), "of {user}");
    }

    let clauses: BTreeSet<String> =
        clause::embedded().expect("they are in the program").into_iter().map(|clause| clause.id).collect();
    let drafts = load(&out.path().join("scenarios"), Path::new("scenarios"), &clauses).expect("scenarios");
    let shim = Client::of_command(vec![env!("CARGO_BIN_EXE_shim-core").into()], Path::new("."));
    let chosen: Vec<&Scenario> = drafts.iter().collect();
    let settings = Settings { strict: true, ..Settings::default() };
    let another =
        MockServer::start(Options { tape: true, settings, ..Options::default() }).expect("a free port");
    let suite = run_all(&another, Plan::new(&shim, &chosen), |_, _| {}).expect("the shim starts");
    let verdicts: Vec<_> =
        suite.evaluated.into_iter().map(|one| (one.scenario.name.clone(), one.verdict)).collect();
    let source = std::fs::read_to_string(&files[2]).expect("a draft");
    assert_eq!(verdicts, [("recorded/org-app".to_owned(), Verdict::Passed)], "{source}\n{notes}");
}
