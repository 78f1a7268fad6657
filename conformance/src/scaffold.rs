//! `conformance new CLAUSE`: the beginning of a scenario for a clause, in the shape that people give to scenarios by
//! hand. It parses, it runs, and it fails until somebody has said what the clause asks for.
//!
//! It proves nothing: what it expects in the end is a text that no client shows.

use serde_json::Value;

use crate::clause::Clause;

/// How the text begins that stands for what is still to be said. No scenario that has it can pass.
pub const FILL_IN: &str = "FILL IN: ";

/// A scenario's beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scaffold {
    /// `area/name`.
    pub name: String,
    /// The text of its file.
    pub text: String,
}

/// Where a message goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chat {
    Single,
    Group,
    Room,
}

/// How scenarios of some clauses begin. In its texts `TO` and `CHAT` stand for where a message goes.
struct Skeleton {
    given: Given,
    /// What is told and shown before.
    steps: Vec<&'static str>,
    /// Who should then be shown something, which event that is, and the field that is to be filled in.
    asked: (&'static str, &'static str, &'static str),
}

enum Given {
    /// Nobody is logged in.
    Away,
    /// alice and bob are.
    Online,
}

impl Scaffold {
    /// The beginning of a scenario for a clause; `name` is `area/name`, and the clause's own words if it is `None`. The
    /// error is a name that no scenario can have.
    pub fn of(clause: &Clause, name: Option<&str>) -> Result<Self, String> {
        let name = name.map_or_else(|| usual_name(&clause.id), str::to_owned);
        check_name(&name)?;
        let Skeleton { given, steps, asked: (user, event, field) } = skeleton(&clause.id);
        let chat = Chat::of(&clause.id);
        let mut steps: Vec<String> = steps.iter().map(|step| chat.filled_in(step)).collect();
        let asked = Value::from(format!("{FILL_IN}what {user} is shown"));
        steps.push(format!(
            r#"{{"expect": {{"user": "{user}", "event": {{"{event}": {{"{field}": {asked}}}}}}}}}"#
        ));
        let given = match given {
            Given::Away => r#"{"users": ["alice", "bob"]}"#.to_owned(),
            Given::Online => format!(r#"{{"online": ["alice", "bob"]{}}}"#, chat.given()),
        };
        let text = format!(
            "{{ \"why\": {},\n  \"clauses\": [{}],\n  \"given\": {given},\n  \"steps\": [\n    {} ] }}\n",
            Value::from(&*clause.statement),
            Value::from(&*clause.id),
            steps.join(",\n    ")
        );
        Ok(Self { name, text })
    }
}

/// `send.text.single` is `send/text-single`.
fn usual_name(clause: &str) -> String {
    let (area, rest) = clause.split_once('.').unwrap_or(("v4", clause));
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    format!("{area}/{}", rest.chars().map(plain).collect::<String>())
}

/// A name is a path, a part of a record's file name, and what people type.
fn check_name(name: &str) -> Result<(), String> {
    let is_word = |word: &str| {
        !word.is_empty()
            && word.starts_with(|c: char| c.is_ascii_alphanumeric())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    match name.split_once('/') {
        Some((area, rest)) if is_word(area) && is_word(rest) => Ok(()),
        Some(_) | None => Err(format!(
            "{name:?} is no scenario's name; write area/name of small letters, digits and `-`, such as send/text-to-user"
        )),
    }
}

impl Chat {
    fn of(clause: &str) -> Self {
        if clause.contains("group") {
            Self::Group
        } else if clause.contains("room") {
            Self::Room
        } else {
            Self::Single
        }
    }

    fn filled_in(self, step: &str) -> String {
        let (to, chat) = match self {
            Self::Single => ("bob", "single"),
            Self::Group => ("g1", "group"),
            Self::Room => ("r1", "room"),
        };
        step.replace("\"TO\"", &format!("\"{to}\"")).replace("\"CHAT\"", &format!("\"{chat}\""))
    }

    /// The rest of `given`.
    fn given(self) -> &'static str {
        match self {
            Self::Single => "",
            Self::Group => r#", "groups": {"g1": ["alice", "bob"]}"#,
            Self::Room => r#", "rooms": {"r1": ["alice", "bob"]}"#,
        }
    }
}

const LOG_IN: &str =
    r#"{"tell":   {"user": "alice", "command": {"login_password": {"password": "pw-alice"}}}}"#;
const CLOSE: &str = r#"{"tell":   {"user": "alice", "command": {"close": {}}}}"#;
const SEND_TEXT: &str = r#"{"tell":   {"user": "alice", "command": {"send_text": {"handle": "m1", "to": "TO", "chat": "CHAT", "text": "hi"}}}}"#;
const SEND_CMD: &str = r#"{"tell":   {"user": "alice", "command": {"send_cmd": {"handle": "m1", "to": "TO", "chat": "CHAT", "action": "go"}}}}"#;
const SEND_CUSTOM: &str = r#"{"tell":   {"user": "alice", "command": {"send_custom": {"handle": "m1", "to": "TO", "chat": "CHAT", "event": "gift", "exts": {"n": "1"}}}}}"#;
const SEND_LOCATION: &str = r#"{"tell":   {"user": "alice", "command": {"send_location": {"handle": "m1", "to": "TO", "chat": "CHAT", "lat": 1.5, "lng": 2.5, "addr": "here"}}}}"#;
const SEND_IMAGE: &str = r#"{"tell":   {"user": "alice", "command": {"send_image": {"handle": "m1", "to": "TO", "chat": "CHAT", "file": "photo.png", "filename": "photo.png", "media_type": "image/png", "width": 1, "height": 2}}}}"#;
const UPLOADED: &str = r#"{"expect": {"user": "alice", "event": {"uploaded": {"handle": "m1"}}}}"#;
const SENT: &str = r#"{"expect": {"user": "alice", "event": {"sent": {"handle": "m1", "id": "$m1"}}}}"#;
const RECEIVED: &str =
    r#"{"expect": {"user": "alice", "event": {"received": {"handle": "m1", "id": "$m1"}}}}"#;
const TEXT: &str = r#"{"expect": {"user": "bob", "event": {"text": {"id": "$m1", "from": "alice", "to": "TO", "chat": "CHAT", "data": "hi"}}}}"#;
const RECALL: &str = r#"{"tell":   {"user": "alice", "command": {"recall": {"handle": "r1", "id": "$m1", "to": "TO", "chat": "CHAT"}}}}"#;
const READ: &str = r#"{"tell":   {"user": "bob", "command": {"send_read": {"handle": "a1", "id": "$m1", "to": "alice", "chat": "CHAT"}}}}"#;
const HISTORY: &str = r#"{"tell":   {"user": "alice", "command": {"fetch_history": {"handle": "h1", "with": "TO", "chat": "CHAT", "count": 10}}}}"#;
const SESSIONS: &str = r#"{"tell":   {"user": "bob", "command": {"list_sessions": {"handle": "s1"}}}}"#;

/// The first whose beginnings fit; a text, for a clause that none fits.
fn skeleton(clause: &str) -> Skeleton {
    let begins = |beginnings: &[&str]| beginnings.iter().any(|beginning| clause.starts_with(beginning));
    let said = |steps: &[&'static str]| [&[SEND_TEXT, SENT, RECEIVED, TEXT], steps].concat();
    let (steps, asked) = if begins(&["conn.login", "v4.time.login", "v4.fail.login", "v4.token"]) {
        let asked = ("alice", "error", "message");
        return Skeleton { given: Given::Away, steps: vec![LOG_IN], asked };
    } else if begins(&["conn.closed"]) {
        (vec![CLOSE], ("alice", "error", "message"))
    } else if begins(&["fail.", "v4.fail.send", "send.not-logged-in", "send.too-large"]) {
        (vec![SEND_TEXT], ("alice", "failed", "reason"))
    } else if begins(&["send.cmd"]) {
        (vec![SEND_CMD, SENT, RECEIVED], ("bob", "cmd", "action"))
    } else if begins(&["send.custom"]) {
        (vec![SEND_CUSTOM, SENT, RECEIVED], ("bob", "custom", "event"))
    } else if begins(&["send.location"]) {
        (vec![SEND_LOCATION, SENT, RECEIVED], ("bob", "location", "addr"))
    } else if begins(&["send.attachment", "send.image", "recv.download"]) {
        (vec![SEND_IMAGE, UPLOADED, SENT, RECEIVED], ("bob", "picture", "filename"))
    } else if begins(&["recall."]) {
        (said(&[RECALL]), ("bob", "recall", "from"))
    } else if begins(&["receipt."]) {
        (said(&[READ]), ("alice", "read", "mid"))
    } else if begins(&["roam.", "v4.history"]) {
        (said(&[HISTORY]), ("alice", "history", "texts"))
    } else if begins(&["session.", "alert.", "v4.conversation"]) {
        (said(&[SESSIONS]), ("bob", "sessions", "last_texts"))
    } else {
        (vec![SEND_TEXT, SENT, RECEIVED], ("bob", "text", "data"))
    };
    Skeleton { given: Given::Online, steps, asked }
}
