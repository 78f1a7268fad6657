//! A row in a short line, for people.

use std::borrow::Cow;

use super::Seen;
use super::frame::Decoded;
use crate::decoded::Kind;
use crate::tape::{Direction, Door, Event};

/// What a line has of any one text: enough to know it by.
const SHOWN_CHARS_MAX: usize = 60;
/// Of how many messages of a page it says something.
const MESSAGES_SHOWN_MAX: usize = 3;

pub(super) fn line(seen: &Seen<'_>) -> String {
    let who = seen.user().map_or_else(|| "somebody".into(), shown);
    match &seen.row.event {
        Event::Opened { conn, door } => {
            let door = match door {
                Door::SockJs => "SockJS",
                Door::WebSocket => "WebSocket",
            };
            format!("socket {} opened ({door})", conn.0)
        }
        Event::LoggedIn { user, resource, .. } => format!("{} logged in as {}", shown(user), shown(resource)),
        Event::Frame { direction, .. } => {
            let decoded = seen.decoded().expect("a frame can be read");
            match direction {
                Direction::Up => format!("{who} → {}", up(decoded)),
                Direction::Down => format!("{who} ← {}", down(decoded)),
            }
        }
        Event::Muted { .. } => format!("the server says nothing more to {who}"),
        Event::Fault { rule, text, .. } => format!("rule {rule}: {}", shown(text)),
        Event::AtDoor { fault, text, .. } => format!("door fault {fault}: {}", shown(text)),
        Event::Closed { why, .. } => format!("{who}: {}", shown(why)),
        Event::Http { method, path, status: 0, .. } => format!("{method} {} was reset", shown(path)),
        Event::Http { method, path, status, .. } => format!("{method} {} → {status}", shown(path)),
    }
}

fn up(frame: &Decoded) -> String {
    let kind = frame.kind();
    let word = kind.word();
    match kind {
        Kind::Provision => format!("logs in as {}", shown(&frame.text("resource"))),
        Kind::Pull => format!("pulls {}", shown(&frame.text("queue.name"))),
        Kind::Ack => format!("acknowledges {} up to {}", shown(&frame.text("queue.name")), frame.text("key")),
        Kind::Text => {
            let text = frame.text("meta.payload.contents.text");
            format!("{}: {word} “{}”", shown(&frame.text("meta.to.name")), shown(&text))
        }
        Kind::Muc => {
            format!("{}: {word} {}", shown(&frame.text("meta.payload.mucId.name")), operation(frame))
        }
        Kind::Roster => {
            format!("{}: {word} {}", shown(&frame.text("meta.payload.to.name")), operation(frame))
        }
        Kind::Recall | Kind::ReadAck | Kind::DeliveredAck | Kind::Edit | Kind::ChannelAck => {
            let to = frame.text("meta.to.name");
            format!(
                "{}: {word} {}",
                shown(&to),
                first(frame, &["meta.payload.ackMessageId", "meta.payload.mid"])
            )
        }
        Kind::Image
        | Kind::File
        | Kind::Audio
        | Kind::Video
        | Kind::Location
        | Kind::Cmd
        | Kind::Custom
        | Kind::Combine
        | Kind::Message => {
            let what = first(
                frame,
                &[
                    "meta.payload.contents.displayName",
                    "meta.payload.contents.action",
                    "meta.payload.contents.customEvent",
                    "meta.payload.contents.address",
                ],
            );
            format!("{}: {word} {what}", shown(&frame.text("meta.to.name")))
        }
        Kind::Unread
        | Kind::Logout
        | Kind::Statistics
        | Kind::Notice
        | Kind::Answer
        | Kind::Page
        | Kind::Sync
        | Kind::Unknown
        | Kind::Http
        | Kind::Upload
        | Kind::Opened
        | Kind::LoggedIn
        | Kind::Muted
        | Kind::Closed
        | Kind::Fault => return word.to_owned(),
    }
    .trim_end()
    .to_owned()
}

fn down(frame: &Decoded) -> String {
    let kind = frame.kind();
    let refused = || {
        let code = frame.text("status.errorCode");
        let is_refused = !matches!(&*code, "" | "OK" | "0");
        is_refused
            .then(|| format!("refused: {code} {}", shown(&frame.text("status.reason"))).trim_end().to_owned())
    };
    match kind {
        Kind::Provision => refused().unwrap_or_else(|| "let in".to_owned()),
        Kind::Notice => format!("something waits in {}", shown(&frame.text("queue.name"))),
        Kind::Answer => refused()
            .unwrap_or_else(|| format!("taken: {} is {}", frame.text("metaId"), frame.text("serverId"))),
        Kind::Page => page(frame),
        Kind::Unread => {
            let queues: Vec<String> =
                frame.texts("unread.queue.name").iter().map(|name| shown(name).into_owned()).collect();
            if queues.is_empty() {
                "nothing unread".to_owned()
            } else {
                format!("unread: {}", queues.join(", "))
            }
        }
        kind => kind.word().to_owned(),
    }
}

fn page(frame: &Decoded) -> String {
    let (queue, count) = (frame.text("queue.name"), frame.messages().len());
    if count == 0 {
        return format!("end of {}", shown(&queue)).trim_end().to_owned();
    }
    let texts = frame.texts("metas.payload.contents.text");
    let texts: Vec<String> =
        texts.iter().take(MESSAGES_SHOWN_MAX).map(|text| format!("“{}”", shown(text))).collect();
    let mut kinds: Vec<&str> = frame.messages().iter().map(|kind| kind.word()).collect();
    kinds.dedup();
    kinds.truncate(MESSAGES_SHOWN_MAX);
    let what = if texts.is_empty() { String::new() } else { format!(": {}", texts.join(", ")) };
    format!("{}: {count} of {}{what}", shown(&queue), kinds.join(", "))
}

fn operation(frame: &Decoded) -> Cow<'_, str> {
    frame.text("meta.payload.operation")
}

/// The first of these that is there.
fn first(frame: &Decoded, paths: &[&str]) -> String {
    let texts = paths.iter().map(|path| frame.text(path));
    texts.into_iter().find(|text| !text.is_empty()).map_or_else(String::new, |text| shown(&text).into_owned())
}

/// The beginning of a text, on one line.
fn shown(text: &str) -> Cow<'_, str> {
    let is_plain = text.len() <= SHOWN_CHARS_MAX && !text.contains(char::is_control);
    if is_plain {
        return text.into();
    }
    let mut chars = text.chars().map(|char| if char.is_control() { ' ' } else { char });
    let mut line: String = chars.by_ref().take(SHOWN_CHARS_MAX).collect();
    if chars.next().is_some() {
        line.push('…');
    }
    line.into()
}
