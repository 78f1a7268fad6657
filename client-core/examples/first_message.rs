//! Logs in, says hello to bob once, and prints what comes. Takes the server's `ADDR:PORT`, if it is not
//! 127.0.0.1:8989.

use client_core::net::Connection;
use client_core::{
    AttachmentUrls, Chat, CommandError, Config, Content, Door, EmojiTable, Event, IncomingContent, Message,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), CommandError> {
    let server = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8989".into());
    let mut im = Connection::new(Config {
        app_key: "org#app".into(),
        username: "alice".into(),
        device: "desk".into(),
        rest: format!("http://{server}"),
        door: Door::WebSocket { url: format!("ws://{server}/websocket") },
        reconnects: 5,
        delivery: true,
        attachment_urls: AttachmentUrls::Ours,
        emoji: EmojiTable::default(),
    });
    im.login_password("pw-alice")?;
    let mut greeted = false;
    loop {
        match im.event().await {
            // Comes again after each reconnect.
            Event::Opened if !greeted => {
                greeted = true;
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
