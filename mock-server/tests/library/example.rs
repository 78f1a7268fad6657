//! A test of a chat app: what it is told when a recall is refused, and what it shows when somebody writes to it. The
//! reference client stands where the app's own code would be.

use std::error::Error;
use std::time::Duration;

use client_core::net::Connection;
use client_core::{
    AttachmentUrls, Chat, Config, Content, Door, EmojiTable, Event, IncomingContent, Message, ServerId,
};
use mock_server::control_api::WaitFor;
use mock_server::shell::{MockServer, Options};

#[tokio::test]
async fn a_recall_that_comes_too_late_is_refused() -> Result<(), Box<dyn Error>> {
    let server = MockServer::start(Options { tape: true, ..Options::default() })?;
    let world = server.world("org#app")?;
    world.users(&["alice", "bob"]).await?;
    let mut app = logged_in(&server, "alice").await?;

    // Staged by its code: the next recall of alice is refused, and the one behind it is not.
    let message = send(&mut app, "hello").await?;
    world.stage("504", "alice").await?;
    assert_eq!(recall(&mut app, &message).await, Err(504));
    assert_eq!(recall(&mut app, &message).await, Ok(()));

    // The same as it happens to people: two minutes have gone by, in the world's time.
    let message = send(&mut app, "too late").await?;
    world.advance(Duration::from_secs(121)).await?;
    assert_eq!(recall(&mut app, &message).await, Err(504));
    Ok(())
}

#[tokio::test]
async fn what_others_write_is_shown_once_however_the_link_fares() -> Result<(), Box<dyn Error>> {
    let server = MockServer::start(Options { tape: true, ..Options::default() })?;
    let world = server.world("org#app")?;
    world.users(&["alice", "bob"]).await?;
    let mut app = logged_in(&server, "alice").await?;

    // The page that has bob's message goes missing with the link, and comes again.
    let lost = world.rule("on next page to alice: cut").await?;
    world.send_text("bob", "alice", "are you there?").await?;
    let shown = loop {
        if let Event::Message(message) = app.event().await {
            break message;
        }
    };
    assert_eq!(shown.content, IncomingContent::Text("are you there?".into()));
    assert_eq!(lost.hits().await?, 1);

    // Waited for instead of slept for; without it, what came nearest is told.
    world.wait(WaitFor::rows("text").to("alice")).await?;
    assert_eq!(world.findings().await?, []);
    Ok(())
}

async fn logged_in(server: &MockServer, user: &str) -> Result<Connection, Box<dyn Error>> {
    let addr = server.addr();
    let mut app = Connection::new(Config {
        app_key: "org#app".into(),
        username: user.into(),
        device: "desk".into(),
        rest: format!("http://{addr}"),
        door: Door::WebSocket { url: format!("ws://{addr}/websocket") },
        reconnects: 5,
        delivery: false,
        attachment_urls: AttachmentUrls::Ours,
        emoji: EmojiTable::default(),
    });
    app.login_password("pw")?;
    assert_eq!(app.event().await, Event::Opened);
    Ok(app)
}

async fn send(app: &mut Connection, text: &str) -> Result<ServerId, Box<dyn Error>> {
    app.send(Message::new(Chat::Single, "bob", Content::Text(text.into())))?;
    outcome(app).await.map_err(|code| format!("the message was refused: {code}").into())
}

async fn recall(app: &mut Connection, message: &ServerId) -> Result<(), i32> {
    app.command(|client, now| client.recall(now, Chat::Single, "bob", *message)).expect("a good recall");
    outcome(app).await.map(drop)
}

/// Of what was asked last.
async fn outcome(app: &mut Connection) -> Result<ServerId, i32> {
    loop {
        match app.event().await {
            Event::Sent { server, .. } => return Ok(server),
            Event::Failed { failure, .. } => return Err(failure.code),
            _ => {}
        }
    }
}
