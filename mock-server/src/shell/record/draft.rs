//! A first draft of a scenario, from what went by: who was there, what was sent, and what came of it.
//!
//! Pure. It knows texts, commands, custom messages, places, recalls and receipts, to users, groups and rooms; whatever else
//! went by it names, so that nobody takes the draft for the whole story.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::decoded::{Frame, Kind, Value};
use crate::machine::{ConnId, excerpt};
use crate::tape::{Direction, Event, Row};

/// A scenario's text, and what somebody has to do to it by hand.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Draft {
    /// None where nobody logged in: a scenario without a step is none.
    pub(super) source: Option<String>,
    pub(super) todo: Vec<String>,
}

/// A file of scenarios has at most 1 MiB; a step is some 200 bytes.
const STEPS_MAX: usize = 4_000;
/// Nobody reads more.
const TODO_MAX: usize = 500;

/// The draft of one world.
pub(super) fn of(rows: &[Row]) -> Draft {
    let mut drafter = Drafter::default();
    for row in rows {
        drafter.row(&row.event);
    }
    drafter.draft()
}

/// What was sent and waits for its answer.
struct Sent {
    handle: String,
    by: String,
    shows: Shows,
}

/// What a client shows of an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// A message: its id, twice.
    Message,
    /// A recall: that it was taken, twice.
    Recall,
    /// A receipt: that it was taken.
    Receipt,
}

/// A message, by the id that the server gave it.
#[derive(Clone)]
struct Known {
    /// `$m1`.
    name: String,
    chat: &'static str,
    from: String,
}

#[derive(Default)]
struct Drafter {
    users: Vec<String>,
    online: Vec<String>,
    devices: BTreeMap<ConnId, String>,
    /// User and device, as they said, by the scenario's name of the device.
    named: BTreeMap<(String, String), String>,
    groups: BTreeMap<String, Vec<String>>,
    rooms: BTreeMap<String, Vec<String>>,
    steps: Vec<Json>,
    clauses: BTreeSet<&'static str>,
    sent: BTreeMap<(ConnId, u64), Sent>,
    known: BTreeMap<u64, Known>,
    /// Messages that are not in the draft, by id: nobody is made to expect them.
    left_out: BTreeSet<u64>,
    delivered: BTreeSet<(String, u64)>,
    handles: usize,
    receipts: bool,
    todo: Vec<(String, usize)>,
}

impl Drafter {
    fn row(&mut self, event: &Event) {
        match event {
            Event::LoggedIn { conn, user, resource } => self.logged_in(*conn, user, resource),
            Event::Frame { conn, direction: Direction::Up, bytes } => {
                let Some(device) = self.devices.get(conn).cloned() else { return };
                self.up(*conn, &device, &Frame::read(bytes, Direction::Up));
            }
            Event::Frame { conn, direction: Direction::Down, bytes } => {
                let Some(device) = self.devices.get(conn).cloned() else { return };
                let frame = Frame::read(bytes, Direction::Down);
                self.answer(*conn, &frame);
                for meta in frame.all("metas") {
                    self.came(&device, meta);
                }
            }
            Event::Closed { conn, why } => {
                if let Some(device) = self.devices.remove(conn)
                    && why != "open when the recording ended"
                {
                    self.leave_to_do(format!(
                        "{device}: its connection ended ({why}), and what came of that is no step"
                    ));
                }
            }
            Event::Http { method, path, user, body, status, answer } => {
                self.http(method, path, user.as_deref(), body, *status, answer);
            }
            // What a server does to itself is on no recording.
            Event::Opened { .. } | Event::Muted { .. } | Event::Fault { .. } | Event::AtDoor { .. } => {}
        }
    }

    fn leave_to_do(&mut self, what: String) {
        if let Some((_, times)) = self.todo.iter_mut().find(|(known, _)| *known == what) {
            *times += 1;
        } else if self.todo.len() < TODO_MAX {
            self.todo.push((what, 1));
        }
    }

    fn step(&mut self, step: Json) {
        if self.steps.len() < STEPS_MAX {
            self.steps.push(step);
        } else {
            self.leave_to_do(format!("more than {STEPS_MAX} steps: the others are left out"));
        }
    }

    fn user(&mut self, name: &str) -> String {
        let name = name.replace('/', "-").to_lowercase();
        if !self.users.contains(&name) {
            self.users.push(name.clone());
        }
        name
    }

    fn logged_in(&mut self, conn: ConnId, user: &str, resource: &str) {
        let user = self.user(user);
        let key = (user.clone(), resource.to_owned());
        if let Some(device) = self.named.get(&key).cloned() {
            self.leave_to_do(format!("{device}: it logged in again, which is no step"));
            self.devices.insert(conn, device);
            return;
        }
        let others = self.named.keys().filter(|(of, _)| *of == user).count();
        let device = if others == 0 { user.clone() } else { format!("{user}/{}", others + 1) };
        self.named.insert(key, device.clone());
        self.devices.insert(conn, device.clone());
        if self.steps.is_empty() {
            self.online.push(device);
            return;
        }
        // Users of a scenario have these passwords.
        let password = format!("pw-{user}");
        self.clauses.insert("conn.login-password");
        self.step(
            json!({ "tell": { "user": device, "command": { "login_password": { "password": password } } } }),
        );
        self.step(json!({ "expect": { "user": device, "event": { "opened": {} } } }));
    }

    fn handle(&mut self) -> String {
        self.handles += 1;
        format!("m{}", self.handles)
    }

    fn up(&mut self, conn: ConnId, device: &str, frame: &Frame) {
        let Some(local) = number(frame.get("meta.id")) else {
            if frame.kind == Kind::Unknown {
                self.leave_to_do(format!("{device}: a frame that nobody can read"));
            }
            return;
        };
        let to = text(frame.get("meta.payload.to.name"))
            .or_else(|| text(frame.get("meta.to.name")))
            .unwrap_or_default();
        let about = number(frame.get("meta.payload.ackMessageId"));
        let chat = match number(frame.get("meta.payload.type")) {
            Some(2) => "group",
            Some(3) => "room",
            _ => "single",
        };
        match frame.kind {
            Kind::Text | Kind::Cmd | Kind::Custom | Kind::Location => {
                let Some(content) = frame.get("meta.payload.contents") else { return };
                let Some((verb, fields)) = self.content(content) else { return };
                let handle = self.handle();
                let to = self.addressee(chat, &to, device);
                let mut fields = fields;
                fields["handle"] = json!(handle);
                fields["to"] = json!(to);
                fields["chat"] = json!(chat);
                if matches!(frame.get("meta.payload.msgConfig.allowGroupAck"), Some(Value::Bool(true)))
                    && verb == "send_text"
                {
                    fields["ask_receipts"] = json!(true);
                }
                if frame.get("meta.payload.ext").is_some() {
                    self.leave_to_do(format!("{handle}: it had an ext, which is left out"));
                }
                self.clauses.insert(match (verb, chat) {
                    ("send_text", "group") => "send.text.group",
                    ("send_text", "room") => "send.text.room",
                    ("send_text", _) => "send.text.single",
                    ("send_cmd", _) => "send.cmd",
                    ("send_custom", _) => "send.custom",
                    (_, _) => "send.location",
                });
                self.tell(conn, local, device, handle, Shows::Message, verb, fields);
            }
            Kind::Recall | Kind::ReadAck => {
                let Some(known) = about.and_then(|id| self.known.get(&id)).cloned() else {
                    return self.leave_to_do(format!(
                        "{device}: a {} of a message that is not in the draft",
                        frame.kind.word()
                    ));
                };
                let handle = self.handle();
                let (verb, shows) = match frame.kind {
                    Kind::Recall => ("recall", Shows::Recall),
                    _ => ("send_read", Shows::Receipt),
                };
                let to = match (verb, known.chat) {
                    ("recall", _) | (_, "single") => self.addressee(known.chat, &to, device),
                    (_, _) => known.from.clone(),
                };
                let mut fields = json!({ "handle": handle, "id": known.name, "to": to, "chat": known.chat });
                if verb == "send_read" && known.chat == "group" {
                    fields["content"] =
                        json!(text(frame.get("meta.payload.ackContent")).unwrap_or_else(|| "{}".into()));
                }
                self.clauses.insert(match (verb, known.chat) {
                    ("recall", "group") => "recall.group",
                    ("recall", "room") => "recall.room",
                    ("recall", _) => "recall.single",
                    (_, "single") => "receipt.read",
                    (_, _) => "receipt.group.read",
                });
                self.tell(conn, local, device, handle, shows, verb, fields);
            }
            Kind::ChannelAck => {
                let chat = if self.groups.contains_key(&to) { "group" } else { "single" };
                let handle = self.handle();
                let to = self.addressee(chat, &to, device);
                self.clauses.insert(if chat == "group" {
                    "receipt.channel.group"
                } else {
                    "receipt.channel.single"
                });
                let fields = json!({ "handle": handle, "to": to, "chat": chat });
                self.tell(conn, local, device, handle, Shows::Receipt, "send_channel_ack", fields);
            }
            // Its client sends it by itself, where it is made to.
            Kind::DeliveredAck => self.receipts = true,
            Kind::Statistics => {}
            kind => self.leave_to_do(format!("{device}: a message of the kind {} is no step", kind.word())),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one step has these parts")]
    fn tell(
        &mut self,
        conn: ConnId,
        local: u64,
        device: &str,
        handle: String,
        shows: Shows,
        verb: &str,
        fields: Json,
    ) {
        // The same id again is the same message, which a client repeats when no answer comes.
        if self.sent.contains_key(&(conn, local)) {
            return self.leave_to_do(format!("{device}: a message that was sent again is one step"));
        }
        self.sent.insert((conn, local), Sent { handle, by: device.to_owned(), shows });
        self.step(json!({ "tell": { "user": device, "command": { verb: fields } } }));
    }

    /// A verb and the fields that say what is in it.
    fn content(&mut self, content: &Value) -> Option<(&'static str, Json)> {
        let get = |path: &str| content.all(path).into_iter().next();
        match number(get("type")) {
            Some(0) => {
                let words = self.words(text(get("text")).unwrap_or_default());
                Some(("send_text", json!({ "text": words })))
            }
            Some(6) => {
                let action = self.words(text(get("action")).unwrap_or_default());
                Some(("send_cmd", json!({ "action": action })))
            }
            Some(7) => {
                let event = self.words(text(get("customEvent")).unwrap_or_default());
                let (keys, values) = (content.all("customExts.key"), content.all("customExts.stringValue"));
                let pair =
                    |(key, value): (&&Value, &&Value)| Some((text(Some(*key))?, json!(text(Some(*value))?)));
                let exts: serde_json::Map<String, Json> = keys.iter().zip(&values).filter_map(pair).collect();
                Some(("send_custom", json!({ "event": event, "exts": exts })))
            }
            Some(3) => {
                let double = |path: &str| match get(path) {
                    Some(Value::Double(value)) => *value,
                    _ => 0.0,
                };
                let (lat, lng) = (double("latitude"), double("longitude"));
                let addr = self.words(text(get("address")).unwrap_or_default());
                Some(("send_location", json!({ "lat": lat, "lng": lng, "addr": addr })))
            }
            _ => None,
        }
    }

    /// A scenario would take what begins with a dollar for a name.
    fn words(&mut self, text: String) -> String {
        if text.starts_with('$') {
            self.leave_to_do("a text that begins with $ has a blank before it".to_owned());
            return format!(" {text}");
        }
        text
    }

    /// A user, or a group or room with its sender in it.
    fn addressee(&mut self, chat: &str, to: &str, device: &str) -> String {
        let owner = device.split('/').next().unwrap_or(device).to_owned();
        match chat {
            "group" => join(self.groups.entry(to.to_owned()).or_default(), owner),
            "room" => join(self.rooms.entry(to.to_owned()).or_default(), owner),
            _ => return self.user(to),
        }
        to.to_owned()
    }

    fn answer(&mut self, conn: ConnId, frame: &Frame) {
        let Some(sent) = number(frame.get("metaId")).and_then(|local| self.sent.remove(&(conn, local)))
        else {
            return;
        };
        let Sent { handle, by, shows } = sent;
        let code = number(frame.get("status.errorCode")).unwrap_or(0);
        if code != 0 {
            let reason = text(frame.get("status.reason")).unwrap_or_default();
            self.leave_to_do(format!(
                "{handle}: the upstream refused it with status {code} ({}); have the draft's world do so, too",
                excerpt(&reason)
            ));
            return self
                .step(json!({ "expect": { "user": by, "event": { "failed": { "handle": handle } } } }));
        }
        let server = number(frame.get("serverId"));
        let name = format!("${handle}");
        let mut both = json!({ "handle": handle });
        if shows == Shows::Message {
            both["id"] = json!(name);
        }
        if shows != Shows::Receipt {
            self.step(json!({ "expect": { "user": by, "event": { "sent": both } } }));
        }
        self.step(json!({ "expect": { "user": by, "event": { "received": both } } }));
        if let (Some(server), Shows::Message) = (server, shows) {
            let chat = self.steps.iter().rev().find_map(|step| chat_of(step, &handle)).unwrap_or("single");
            let from = by.split('/').next().unwrap_or(&by).to_owned();
            self.known.insert(server, Known { name, chat, from });
        }
    }

    /// A meta of a page.
    fn came(&mut self, device: &str, meta: &Value) {
        let get = |path: &str| meta.all(path).into_iter().next();
        let Some(id) = number(get("id")) else { return };
        // A page that was not acknowledged comes again, and no client shows it twice.
        if !self.delivered.insert((device.to_owned(), id)) {
            return;
        }
        if number(get("ns")) != Some(1) {
            let ns = match get("ns") {
                Some(Value::Enum { name: Some(name), .. }) => *name,
                _ => "unknown",
            };
            return self.leave_to_do(format!("{device}: a notification ({ns}) is no step"));
        }
        let about = number(get("payload.ackMessageId")).and_then(|about| self.known.get(&about)).cloned();
        let from = text(get("payload.from.name")).or_else(|| text(get("from.name"))).unwrap_or_default();
        let event = match (number(get("payload.type")), about) {
            (Some(1..=3), _) => return self.message_came(device, id, meta),
            (Some(4), Some(known)) => json!({ "read": { "mid": known.name } }),
            (Some(5), Some(known)) => json!({ "delivered": { "mid": known.name } }),
            (Some(6), Some(known)) => json!({ "recall": { "mid": known.name } }),
            (Some(7), _) => json!({ "channel": { "from": from.to_lowercase() } }),
            (Some(4..=6), None) => {
                return self.leave_to_do(format!(
                    "{device}: a receipt or recall of a message that is not in the draft"
                ));
            }
            (_, _) => {
                return self
                    .leave_to_do(format!("{device}: what came from {from} is of no kind that is a step"));
            }
        };
        self.step(json!({ "expect": { "user": device, "event": event } }));
    }

    fn message_came(&mut self, device: &str, id: u64, meta: &Value) {
        let get = |path: &str| meta.all(path).into_iter().next();
        let chat = match number(get("payload.type")) {
            Some(2) => "group",
            Some(3) => "room",
            _ => "single",
        };
        let from = text(get("payload.from.name")).or_else(|| text(get("from.name"))).unwrap_or_default();
        let to = text(get("payload.to.name")).or_else(|| text(get("to.name"))).unwrap_or_default();
        let content = get("payload.contents").cloned();
        let Some((verb, fields)) = content.and_then(|content| self.content(&content)) else {
            self.left_out.insert(id);
            return self.leave_to_do(format!(
                "{device}: a message with a file, or of a kind that is no step, from {from}"
            ));
        };
        let from = self.user(&from);
        let to = self.addressee(chat, &to, &from);
        let me = device.split('/').next().unwrap_or(device).to_owned();
        match chat {
            "group" => join(self.groups.entry(to.clone()).or_default(), me),
            "room" => join(self.rooms.entry(to.clone()).or_default(), me),
            _ => {}
        }
        let name = match self.known.get(&id) {
            Some(known) => known.name.clone(),
            None if verb == "send_text" => {
                // Whoever wrote it was not recorded, so the world itself has to.
                let name = format!("${}", self.handle());
                let words = fields["text"].clone();
                self.step(
                    json!({ "control": { "send": { "from": from, "to": to, "chat": chat, "text": words } } }),
                );
                self.leave_to_do(format!(
                    "{name}: {from} was not recorded when it was sent; the world sends it"
                ));
                self.known.insert(id, Known { name: name.clone(), chat, from: from.clone() });
                name
            }
            None => {
                return self.leave_to_do(format!(
                    "{device}: a message from {from}, who was not recorded, is no step"
                ));
            }
        };
        let event = match verb {
            "send_text" => {
                json!({ "text": { "id": name, "from": from, "to": to, "chat": chat, "data": fields["text"] } })
            }
            "send_cmd" => json!({ "cmd": { "id": name, "action": fields["action"] } }),
            "send_custom" => {
                json!({ "custom": { "id": name, "event": fields["event"], "exts": fields["exts"] } })
            }
            _ => json!({ "location": { "id": name, "addr": fields["addr"] } }),
        };
        self.step(json!({ "expect": { "user": device, "event": event } }));
    }

    fn http(
        &mut self,
        method: &str,
        path: &str,
        user: Option<&str>,
        body: &[u8],
        status: u16,
        answer: &[u8],
    ) {
        let bare = path.split('?').next().unwrap_or_default();
        let read = |bytes: &[u8]| serde_json::from_slice::<Json>(bytes).unwrap_or(Json::Null);
        if bare == "/token" || method == "OPTIONS" {
            return;
        }
        let who = user.unwrap_or("somebody").to_owned();
        for (list, is_room) in [("/chatgroups", false), ("/chatrooms", true)] {
            if method == "POST" && bare == list && status < 300 {
                let (asked, answered) = (read(body), read(answer));
                let id = answered
                    .pointer("/data/groupid")
                    .or_else(|| answered.pointer("/data/id"))
                    .and_then(Json::as_str);
                let Some(id) = id else { continue };
                let owner = asked.get("owner").and_then(Json::as_str).unwrap_or(&who).to_owned();
                let members = asked.get("members").and_then(Json::as_array).cloned().unwrap_or_default();
                let names = std::iter::once(owner)
                    .chain(members.iter().filter_map(|name| name.as_str().map(str::to_owned)));
                for name in names {
                    let name = self.user(&name);
                    join(
                        if is_room { &mut self.rooms } else { &mut self.groups }
                            .entry(id.to_owned())
                            .or_default(),
                        name,
                    );
                }
                return self.leave_to_do(format!("{who} made {id}, which the draft has from the start"));
            }
        }
        self.leave_to_do(format!("{method} {} by {who} (HTTP {status}) is no step", excerpt(bare)));
    }

    fn draft(mut self) -> Draft {
        let Some(first) = self.online.first().cloned() else {
            return Draft { source: None, todo: vec!["nobody logged in, so there is no draft".to_owned()] };
        };
        if self.steps.is_empty() {
            self.steps.push(json!({ "silent": { "user": first } }));
        }
        if self.clauses.is_empty() {
            self.clauses.insert("conn.login-password");
        }
        let is_online = |name: &String| self.online.contains(name);
        let away: Vec<&String> = self.users.iter().filter(|name| !is_online(name)).collect();
        let mut given = json!({ "online": self.online });
        if !away.is_empty() {
            given["users"] = json!(away);
        }
        for (what, mucs) in [("groups", &self.groups), ("rooms", &self.rooms)] {
            if !mucs.is_empty() {
                given[what] = json!(mucs);
            }
        }
        if self.receipts {
            given["delivery"] = json!(true);
        }
        let todo = self.todo.into_iter();
        let todo =
            todo.map(|(what, times)| if times == 1 { what } else { format!("{what} ({times} times)") });
        Draft { source: Some(source(&self.clauses, &given, &self.steps)), todo: todo.collect() }
    }
}

/// A step a line, as scenarios are written.
fn source(clauses: &BTreeSet<&str>, given: &Json, steps: &[Json]) -> String {
    let why = "A draft from a recording: what is left out is listed in its notes.";
    let steps: Vec<String> = steps.iter().map(|step| format!("    {step}")).collect();
    format!(
        "{{ \"why\": {},\n  \"clauses\": {},\n  \"given\": {given},\n  \"steps\": [\n{} ] }}\n",
        json!(why),
        json!(clauses),
        steps.join(",\n")
    )
}

fn chat_of(step: &Json, handle: &str) -> Option<&'static str> {
    let command = step.get("tell")?.get("command")?.as_object()?.values().next()?;
    if command.get("handle")?.as_str()? != handle {
        return None;
    }
    match command.get("chat")?.as_str()? {
        "group" => Some("group"),
        "room" => Some("room"),
        _ => Some("single"),
    }
}

fn join(members: &mut Vec<String>, name: String) {
    if !members.contains(&name) {
        members.push(name);
    }
}

fn number(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::Uint64(number) => Some(*number),
        Value::Uint32(number) => Some((*number).into()),
        Value::Enum { number, .. } | Value::Int32(number) => u64::try_from(*number).ok(),
        Value::Int64(number) | Value::Whole(number) => u64::try_from(*number).ok(),
        _ => None,
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}
