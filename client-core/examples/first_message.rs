//! Logs in, says hello to bob, and prints what comes.

use client_core::net::Connection;
use client_core::{Chat, CommandError, Config, Content, Door, Event, IncomingContent, Message};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), CommandError> {
    let mut im = Connection::new(Config {
        app_key: "org#app".into(),
        username: "alice".into(),
        device: "desk".into(),
        rest: "http://127.0.0.1:8989".into(),
        door: Door::WebSocket { url: "ws://127.0.0.1:8989/websocket".into() },
        reconnects: 5,
    });
    im.login_password("pw-alice")?;
    loop {
        match im.event().await {
            Event::Opened => {
                im.send(Message::new(Chat::Single, "bob", Content::Text("hello".into())))?;
            }
            Event::Message(message) => {
                if let IncomingContent::Text(text) = message.content {
                    println!("{}: {text}", message.from);
                }
            }
            Event::Failed { failure, .. } => eprintln!("not sent, {}: {}", failure.code, failure.message),
            Event::Error(failure) => eprintln!("error {}: {}", failure.code, failure.message),
            Event::Closed => return Ok(()),
            other => println!("{other:?}"),
        }
    }
}
