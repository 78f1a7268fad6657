//! What a client's frames must be, whatever the server makes of them: unknown fields, broken shapes, keys that
//! nobody gave.
//!
//! It reads bytes with its own eyes (`dissect`) and shares no line with the server, which has findings of its
//! own. It judges single frames and the state of one connection, never a whole scenario.

mod domains;
mod heartbeat;
mod receipts;
mod rules;
mod uploads;

use std::collections::{BTreeMap, BTreeSet};

use mock_server::machine::Millis;
use mock_server::tape::{Direction, Row};

use crate::dissect::{Field, Tree, Value, dissect, hex};
use crate::lane::{LaneEvent, connections};
pub use heartbeat::silences;
use rules::{CONTENTS, Must, RULES, Rule};
use uploads::Uploads;

/// Something that a client did wrong and got away with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The clause that it offends.
    pub clause: String,
    /// Whose connection; empty before login.
    pub user: String,
    /// The field, what was expected and what came.
    pub text: String,
}

/// Everything wrong with a run: with what clients sent, what they did not send until then, where the harness moved their
/// clocks, and what the server found. Each thing once with how often it was met.
pub fn everything(
    tape: &[Row],
    app_key: &str,
    until: Option<Millis>,
    server: &[Finding],
) -> Vec<(Finding, usize)> {
    let mut all = findings(tape, app_key);
    if let Some(until) = until {
        all.extend(silences(tape, until));
    }
    for found in server {
        match all.iter_mut().find(|(other, _)| other == found) {
            Some((_, times)) => *times += 1,
            None => all.push((found.clone(), 1)),
        }
    }
    all
}

/// Everything wrong with what clients sent, each thing once with how often it was met.
pub fn findings(tape: &[Row], app_key: &str) -> Vec<(Finding, usize)> {
    let mut found: BTreeMap<Finding, usize> = BTreeMap::new();
    let (lanes, uploads) = (connections(tape), Uploads::of(tape));
    for finding in receipts::undue(&lanes).into_iter().chain(domains::misdirected(&lanes)) {
        *found.entry(finding).or_default() += 1;
    }
    for lane in lanes {
        let mut connection =
            Connection { app_key, uploads: &uploads, name: String::new(), keys: BTreeMap::new() };
        for (_, event) in &lane.events {
            let LaneEvent::Frame(direction, bytes) = *event else { continue };
            let mut wrong = Vec::new();
            match (direction, dissect(bytes, direction)) {
                (Direction::Up, Ok(frame)) => connection.judge(&frame, &mut wrong),
                (Direction::Up, Err(why)) => {
                    wrong.push((
                        "recv.bad-frame",
                        format!("frame: expected protobuf, got {} ({why})", hex(bytes)),
                    ));
                }
                (Direction::Down, Ok(frame)) => connection.note(&frame),
                // What the server was told to send is not the client's fault.
                (Direction::Down, Err(_)) => {}
            }
            for (clause, text) in wrong {
                let finding = Finding { clause: clause.to_owned(), user: lane.user.clone(), text };
                *found.entry(finding).or_default() += 1;
            }
        }
    }
    found.into_iter().collect()
}

/// What a connection is judged by.
struct Connection<'a> {
    app_key: &'a str,
    /// What the world's uploads were answered with.
    uploads: &'a Uploads,
    /// The user's name as its PROVISION spells it.
    name: String,
    /// The keys that the server gave it, by queue name: 3.x knows queues by nothing else (wire-3x §3.4).
    keys: BTreeMap<String, BTreeSet<u64>>,
}

type Wrong = Vec<(&'static str, String)>;

impl Connection<'_> {
    fn judge(&mut self, frame: &Tree<'_>, wrong: &mut Wrong) {
        if self.name.is_empty()
            && let Some(name) = frame.tree("guid").and_then(|guid| guid.text("name"))
        {
            name.clone_into(&mut self.name);
        }
        unknown_fields(frame, "", wrong);
        for rule in RULES {
            self.apply(rule, frame, wrong);
        }
        if let Some(sync) = frame.tree("payload").filter(|payload| payload.name == "CommSyncUL") {
            self.key(sync, wrong);
            if let Some(body) = sync.tree("meta").and_then(|meta| meta.tree("payload")) {
                contents(body, self.uploads, wrong);
            }
        }
    }

    fn apply(&self, rule: &Rule, frame: &Tree<'_>, wrong: &mut Wrong) {
        for (path, words) in rule.when {
            let Some(field) = frame.at(path) else { return };
            if !words.is_empty() && !words.contains(&&*field.word()) {
                return;
            }
        }
        let got = frame.at(rule.path);
        let word = got.map(Field::word);
        let expected = match (rule.must, &word) {
            (Must::BeThere, Some(_)) | (Must::BeAbsent, None) => return,
            (Must::BeThere, None) => "any value".to_owned(),
            (Must::BeAbsent, Some(_)) => "no such field".to_owned(),
            (Must::Be(words), Some(word)) if words.contains(&&**word) => return,
            (Must::Be(words), _) => words.join(" or "),
            (Must::Begin(prefix), Some(word)) if word.starts_with(prefix) => return,
            (Must::Begin(prefix), _) => format!("{prefix}…"),
            (Must::Equal(path), word) => match (frame.at(path).map(Field::word), word) {
                (Some(other), Some(word)) if other == *word => return,
                (Some(other), _) => format!("{other:?}, as in {path}"),
                (None, _) => return,
            },
            // A message before any login: the server finds that.
            (Must::BeOwnName, _) if self.name.is_empty() => return,
            (Must::BeOwnName, Some(word)) if **word == self.name => return,
            (Must::BeOwnName, _) => format!("{:?}, as in PROVISION", self.name),
            (Must::BeOwnApp, Some(word)) if **word == *self.app_key => return,
            (Must::BeOwnApp, _) => format!("{:?}", self.app_key),
        };
        let got = word.map_or_else(|| "nothing".to_owned(), |word| format!("{word:?}"));
        wrong.push((rule.clause, format!("{}: expected {expected}, got {got}", rule.path)));
    }

    /// A pull acknowledges a page by the key that came with it, on this connection and for this queue
    /// (wire-3x §3.2).
    fn key(&self, sync: &Tree<'_>, wrong: &mut Wrong) {
        let Some(key) = sync.number("key") else { return };
        let queue = queue_name(sync);
        let given = self.keys.get(queue);
        if !given.is_some_and(|given| given.contains(&key)) {
            let expected = match given.and_then(BTreeSet::last) {
                Some(last) => format!("a nextKey of queue {queue:?} such as {last}"),
                None => format!("no key, for none was given for queue {queue:?}"),
            };
            wrong.push(("conn.offline-sync", format!("payload.key: expected {expected}, got {key}")));
        }
    }

    fn note(&mut self, frame: &Tree<'_>) {
        let Some(page) = frame.tree("payload").filter(|payload| payload.name == "CommSyncDL") else { return };
        if let Some(key) = page.number("nextKey") {
            self.keys.entry(queue_name(page).to_owned()).or_default().insert(key);
        }
    }
}

fn queue_name<'a>(sync: &Tree<'a>) -> &'a str {
    sync.tree("queue").and_then(|queue| queue.text("name")).unwrap_or_default()
}

/// Fields that the schema does not have or has otherwise, anywhere in a frame.
fn unknown_fields(tree: &Tree<'_>, path: &str, wrong: &mut Wrong) {
    for field in &tree.fields {
        let here = || if path.is_empty() { field.label() } else { format!("{path}.{}", field.label()) };
        let expected = match &field.known {
            None => format!("no field {} in {}", field.number, tree.name),
            Some(_) if !field.fits() => "the field's own wire type".to_owned(),
            Some(_) => {
                if let Value::Tree(inner) = &field.value {
                    unknown_fields(inner, &here(), wrong);
                }
                continue;
            }
        };
        wrong.push(("recv.bad-frame", format!("{}: expected {expected}, got {}", here(), field.word())));
    }
}

/// What a message is made of (wire-3x §4.2, §4.3).
fn contents(body: &Tree<'_>, uploads: &Uploads, wrong: &mut Wrong) {
    const HERE: &str = "payload.meta.payload";
    let kind = body.field("type").map(Field::word).unwrap_or_default();
    if body.name != "MessageBody" || !matches!(&*kind, "CHAT" | "GROUPCHAT" | "CHATROOM") {
        return;
    }
    key_values(body, "ext", "build.ext", &format!("{HERE}.ext"), wrong);
    let count = body.all("contents").count();
    if count != 1 {
        wrong.push(("build.kinds", format!("{HERE}.contents: expected one, got {count}")));
    }
    let Some(content) = body.tree("contents") else { return };
    let here = format!("{HERE}.contents");
    let Some(kind) = content.field("type").map(Field::word) else {
        wrong.push(("build.kinds", format!("{here}.type: expected any value, got nothing")));
        return;
    };
    // A text that says which other it is: messages forwarded as one (wire-4x §6).
    let kind = content.field("subType").filter(|_| kind == "TEXT").map_or(kind, Field::word);
    let Some(shape) = CONTENTS.iter().find(|shape| shape.kind == kind) else { return };
    for name in shape.required {
        if content.field(name).is_none() {
            wrong.push((shape.clause, format!("{here}.{name}: expected any value in {kind}, got nothing")));
        }
    }
    for field in &content.fields {
        let name = field.name();
        if name != "type" && !shape.required.contains(&name) && !shape.optional.contains(&name) {
            let got = field.word();
            wrong.push((
                shape.clause,
                format!("{here}.{}: expected nothing in {kind}, got {got:?}", field.label()),
            ));
        }
    }
    wrong.extend(uploads.wrong_secret(content).map(|text| (shape.clause, format!("{here}.{text}"))));
    key_values(content, "customExts", "send.custom", &format!("{here}.customExts"), wrong);
}

/// A typed value lies in the field of its type, once for each key.
fn key_values(of: &Tree<'_>, name: &str, clause: &'static str, here: &str, wrong: &mut Wrong) {
    let mut keys = BTreeSet::new();
    for field in of.all(name) {
        let Value::Tree(pair) = &field.value else { continue };
        let Some(key) = pair.text("key") else {
            wrong.push((clause, format!("{here}.key: expected any value, got nothing")));
            continue;
        };
        if !keys.insert(key) {
            wrong.push((clause, format!("{here}[{key:?}]: expected once, got again")));
        }
        let kind = pair.field("type").map(Field::word).unwrap_or_default();
        let expected = match &*kind {
            "BOOL" | "INT" | "UINT" | "LLINT" => "varintValue",
            "FLOAT" => "floatValue",
            "DOUBLE" => "doubleValue",
            "STRING" | "JSON_STRING" => "stringValue",
            other => {
                wrong.push((
                    clause,
                    format!("{here}[{key:?}].type: expected BOOL to JSON_STRING, got {other:?}"),
                ));
                continue;
            }
        };
        let values: Vec<&str> =
            pair.fields.iter().map(Field::name).filter(|name| name.ends_with("Value")).collect();
        if values != [expected] {
            let got = if values.is_empty() { "nothing".to_owned() } else { values.join(" and ") };
            wrong.push((clause, format!("{here}[{key:?}]: expected {expected} for {kind}, got {got}")));
            continue;
        }
        if kind == "JSON_STRING" {
            let text = pair.text("stringValue").unwrap_or_default();
            if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
                wrong.push((
                    clause,
                    format!("{here}[{key:?}].stringValue: expected JSON, got {text:?} ({error})"),
                ));
            }
        }
        if kind == "BOOL" && pair.number("varintValue").is_some_and(|value| value > 1) {
            let got = pair.number("varintValue").unwrap_or_default();
            wrong.push((clause, format!("{here}[{key:?}].varintValue: expected 0 or 1 for BOOL, got {got}")));
        }
    }
}
