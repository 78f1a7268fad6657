//! What went over the wires, for a person to read: one lane a connection, one line a short frame, names from
//! the schema, values that differ from run to run by alias.
//!
//! `alice@easemob.com/<resource 1>` is a JID with the world's app key and these fields in the schema's order.
//!
//! What a fault rule did stands behind the frame that came before it: a frame that was lost on its way to the client
//! is nowhere else. What rules did to requests has a section of its own, since a request tells nobody's rule; so has what
//! befell clients at a door, where no connection is yet.
//!
//! Left out, for it says nothing of a scenario: heartbeats (every UNREAD after the first, and its answer) and
//! statistics with their answers. Everything else is there, field by field in the order of the wire.

mod driver;
mod http;
mod label;
mod layout;
mod order;
mod sent;

use std::collections::BTreeSet;

use mock_server::machine::ConnId;
use mock_server::tape::{Direction, Door, Event, Row};
use serde_json::Value as Json;

use crate::alias::{Aliases, Kind};
use crate::dissect::{Field, Tree, Value, dissect, hex};
use crate::driver::Device;
use crate::host::ORG;
use crate::lane::{Lane, LaneEvent, connections, requests};
use layout::{Node, WIDTH};
pub use sent::{Piece, Sent, sent};

/// Texts up to this are shown whole; of a longer one its start and its length.
const TEXT_CHARS_MAX: usize = 200;

/// The label of a connection's end, which is shown whatever else is not.
const CLOSED: &str = "closed";

/// The lanes of a tape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    lanes: Vec<Section>,
    /// What rules did to requests, in words.
    requests: Vec<String>,
    /// What befell clients at a door, in words.
    doors: Vec<String>,
}

/// One lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Section {
    /// Whose: as a step names the device, as the wire names the user otherwise; empty for somebody unknown.
    pub(crate) name: String,
    /// How a connection came in; `None`: these are HTTP requests.
    pub(crate) door: Option<Door>,
    /// Which connection of this name, from 1.
    pub(crate) ordinal: usize,
    /// The connection.
    pub(crate) conn: Option<ConnId>,
    pub(crate) entries: Vec<Entry>,
}

/// One frame, request, answer or end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Its row in the tape; a request and its answer are one row.
    pub(crate) row: usize,
    /// Which way it went; `None`: what a rule did, or the end of the connection.
    pub(crate) direction: Option<Direction>,
    /// In a word or two.
    pub(crate) label: String,
    /// All of it, without an arrow; it may have several lines.
    pub(crate) text: String,
}

impl Transcript {
    /// Reads a tape of the world of `app_key`. The first `unshown` rows are read, so that what they name keeps
    /// its name, and not shown.
    pub fn new(tape: &[Row], app_key: &str, unshown: usize) -> Self {
        Self::of_devices(tape, app_key, unshown, &[])
    }

    /// The same, with the lanes of these devices named as steps name them: `alice/phone` where a record, which says
    /// nothing of steps, has `alice`.
    pub fn of_devices(tape: &[Row], app_key: &str, unshown: usize, devices: &[&Device]) -> Self {
        let mut lanes = Writer::new(app_key, WIDTH).lanes(tape, devices);
        for lane in &mut lanes {
            lane.entries.retain(|entry| entry.row >= unshown || entry.label == CLOSED);
        }
        lanes.retain(|lane| !lane.entries.is_empty());
        let (mut requests, mut doors) = (Vec::new(), Vec::new());
        for row in tape.iter().skip(unshown) {
            match &row.event {
                Event::Fault { conn: None, text, .. } => requests.push(text.clone()),
                Event::AtDoor { text, .. } => doors.push(text.clone()),
                Event::Fault { conn: Some(_), .. }
                | Event::Opened { .. }
                | Event::LoggedIn { .. }
                | Event::Frame { .. }
                | Event::Muted { .. }
                | Event::Closed { .. }
                | Event::Http { .. } => {}
            }
        }
        Self { lanes, requests, doors }
    }

    /// The whole of it.
    pub fn text(&self) -> String {
        self.last(usize::MAX)
    }

    /// The last so many entries of each lane.
    pub fn last(&self, entries: usize) -> String {
        let mut text = String::new();
        for lane in &self.lanes {
            text.push_str(&format!("== {}\n", lane.title()));
            let left_out = lane.entries.len().saturating_sub(entries);
            if left_out > 0 {
                text.push_str(&format!("… {left_out} before\n"));
            }
            for Entry { direction, text: entry, .. } in &lane.entries[left_out..] {
                let arrow = direction.map_or("--", arrow);
                text.push_str(&format!("{arrow} {entry}\n"));
            }
        }
        let apart = [("rules of requests", "rule", &self.requests), ("at the door", "fault", &self.doors)];
        for (title, what, lines) in apart.into_iter().filter(|(_, _, lines)| !lines.is_empty()) {
            text.push_str(&format!("== {title}\n"));
            for line in &lines[lines.len().saturating_sub(entries)..] {
                text.push_str(&format!("-- {what}: {line}\n"));
            }
        }
        text
    }
}

impl Section {
    fn title(&self) -> String {
        let name = if self.name.is_empty() { "somebody" } else { &self.name };
        match self.door {
            None => format!("{name} HTTP"),
            Some(door) => format!("{name} {} ({})", self.ordinal, door_name(door)),
        }
    }
}

/// A door's name, as people write it.
pub(crate) fn door_name(door: Door) -> &'static str {
    match door {
        Door::SockJs => "SockJS",
        Door::WebSocket => "WebSocket",
    }
}

fn arrow(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => ">",
        Direction::Down => "<",
    }
}

/// Decodes what went over the wires of one world and names what differs from run to run, the same value by the same
/// name throughout.
pub(crate) struct Writer {
    aliases: Aliases,
    /// Where lines end, if they can, in characters.
    width: usize,
}

impl Writer {
    pub(crate) fn new(app_key: &str, width: usize) -> Self {
        Self { aliases: Aliases::new(app_key), width }
    }

    /// Every lane: the users' requests, then the connections, each sorted by name.
    pub(crate) fn lanes(&mut self, tape: &[Row], devices: &[&Device]) -> Vec<Section> {
        // Requests first: the tokens and the groups that they make are met again on the sockets.
        let mut lanes: Vec<Section> = requests(tape).iter().map(|lane| self.http(lane)).collect();
        let mut ordinal = 0;
        let mut before = String::new();
        for lane in connections(tape) {
            let device = devices.iter().find(|device| lane.is_of(device));
            let name = device.map_or_else(|| lane.user.clone(), ToString::to_string);
            ordinal = if name == before { ordinal + 1 } else { 1 };
            let entries = self.connection(&lane);
            let (door, conn) = (Some(lane.door), Some(lane.conn));
            before.clone_from(&name);
            lanes.push(Section { name, door, ordinal, conn, entries });
        }
        lanes
    }

    fn connection(&mut self, lane: &Lane<'_>) -> Vec<Entry> {
        let mut frames = Vec::new();
        // Each with the row of the frame that it stands behind.
        let mut faults: Vec<(Option<usize>, Entry)> = Vec::new();
        let mut end = None;
        for (row, event) in &lane.events {
            match *event {
                LaneEvent::Frame(direction, bytes) => {
                    frames.push((direction, dissect(bytes, direction), *row, bytes));
                }
                LaneEvent::Fault(what) => {
                    let (label, text) = ("fault".to_owned(), format!("rule: {what}"));
                    faults.push((None, Entry { row: *row, direction: None, label, text }));
                }
                LaneEvent::Closed(why) => {
                    let (label, text) = (CLOSED.to_owned(), format!("closed: {why}"));
                    end = Some(Entry { row: *row, direction: None, label, text });
                }
            }
        }
        let mut noise = Noise::default();
        frames.retain(|(direction, tree, _, _)| !tree.as_ref().is_ok_and(|tree| noise.is(*direction, tree)));
        for (behind, fault) in &mut faults {
            *behind = frames.iter().map(|(_, _, row, _)| *row).take_while(|row| *row < fault.row).last();
        }
        let mut take_behind = |frame: Option<usize>| -> Vec<Entry> {
            faults.extract_if(.., |(behind, _)| *behind == frame).map(|(_, fault)| fault).collect()
        };
        let order =
            order::causal(&frames.iter().map(|(d, tree, _, _)| (*d, tree.as_ref().ok())).collect::<Vec<_>>());
        let mut entries = take_behind(None);
        for index in order {
            let (direction, tree, row, bytes) = &frames[index];
            let (label, text) = match tree {
                Ok(tree) => {
                    let command = label::command(tree);
                    let word = command.map_or_else(|| label::NO_COMMAND.to_owned(), leaf);
                    let hidden =
                        |field: &&Field<'_>| !command.is_some_and(|command| std::ptr::eq(command, *field));
                    let shown = tree.fields.iter().filter(hidden);
                    let nodes = shown.map(|field| self.node(tree, field, &lane.user, *direction)).collect();
                    let frame = Node { label: word, children: nodes };
                    (label::of_frame(tree, *direction), self.laid_out(frame))
                }
                Err(why) => ("not protobuf".to_owned(), format!("(not protobuf: {why}) {}", hex(bytes))),
            };
            entries.push(Entry { row: *row, direction: Some(*direction), label, text });
            entries.extend(take_behind(Some(*row)));
        }
        entries.extend(end);
        entries
    }

    /// Which run it was on a server that others use too shows nowhere: it is another each time.
    fn laid_out(&self, frame: Node) -> String {
        let frame = match self.aliases.run() {
            Some(run) => frame.relabelled(&|label| label.replace(run, ORG)),
            None => frame,
        };
        frame.frame(self.width)
    }

    fn node(&mut self, of: &Tree<'_>, field: &Field<'_>, owner: &str, direction: Direction) -> Node {
        let label = field.label();
        if let Value::Tree(tree) = &field.value {
            if let Some(jid) = self.usual_jid(tree, direction) {
                return Node { label: format!("{label}:{jid}"), children: Vec::new() };
            }
            let children = tree.fields.iter().map(|field| self.node(tree, field, owner, direction)).collect();
            return Node { label, children };
        }
        let alias =
            Kind::of_field(of.name, field.name(), direction).and_then(|kind| self.alias(kind, field, owner));
        let mut text = alias.unwrap_or_else(|| leaf(field));
        if field.known.is_some() && !field.fits() {
            text = format!("!{text}");
        }
        Node { label: format!("{label}:{text}"), children: Vec::new() }
    }

    /// `alice@easemob.com/<resource 1>`, for a JID that holds the world's app key, name and domain, and perhaps
    /// a resource, in this order and nothing else. Any other is shown field by field.
    fn usual_jid(&mut self, tree: &Tree<'_>, direction: Direction) -> Option<String> {
        if tree.name != "JID" {
            return None;
        }
        let (app, name, domain, resource) = match &tree.fields[..] {
            [app, name, domain] => (app, name, domain, None),
            [app, name, domain, resource] => (app, name, domain, Some(resource)),
            _ => return None,
        };
        let text = |field: &Field<'_>, is: &str| match field.value {
            Value::Text(text) if field.name() == is => Some(text.to_owned()),
            _ => None,
        };
        if self.aliases.name(Kind::App, "", &text(app, "appKey")?)? != "<app>" {
            return None;
        }
        let (name, domain) = (text(name, "name")?, text(domain, "domain")?);
        let plain = |text: &str| !text.is_empty() && !text.contains(['@', '/', '<', ' ', '"', ':']);
        if !plain(&name) || !plain(&domain) {
            return None;
        }
        let name = self.aliases.known(Kind::Muc, &name).unwrap_or(name);
        match resource {
            None => Some(format!("{name}@{domain}")),
            Some(field) => {
                text(field, "clientResource").filter(|resource| !resource.is_empty())?;
                let kind = Kind::of_field("JID", "clientResource", direction)?;
                Some(format!("{name}@{domain}/{}", self.alias(kind, field, "")?))
            }
        }
    }

    fn alias(&mut self, kind: Kind, field: &Field<'_>, owner: &str) -> Option<String> {
        let value = match &field.value {
            Value::Varint(number) => number.to_string(),
            Value::Text(text) => (*text).to_owned(),
            Value::Fixed64(_)
            | Value::Fixed32(_)
            | Value::Bytes(_)
            | Value::Packed(_)
            | Value::Tree(_)
            | Value::Broken { .. } => return None,
        };
        match (kind, field.name()) {
            // Only some names are the server's, and only some devices have a random one.
            (Kind::Muc, _) | (Kind::Resource, "deviceName") => self.aliases.known(kind, &value),
            (Kind::Address, _) => Some(quoted(&self.address(&value))),
            (Kind::Token, "authToken") => Some(quoted(&self.aliases.tokens_in(&value))),
            (Kind::Token, _) => {
                let (prefix, token) = match value.strip_prefix("$t$") {
                    Some(token) => ("$t$", token),
                    None => ("", value.as_str()),
                };
                let name = self.aliases.name(Kind::Token, owner, token)?;
                Some(format!("{prefix}{name}"))
            }
            (_, _) => self.aliases.name(kind, owner, &value),
        }
    }
}

/// What is left out of a lane.
#[derive(Default)]
struct Noise {
    unread_up: bool,
    unread_down: bool,
    statistics: BTreeSet<u64>,
}

impl Noise {
    fn is(&mut self, direction: Direction, frame: &Tree<'_>) -> bool {
        let payload = frame.tree("payload");
        match (frame.number("command"), direction) {
            (Some(1), Direction::Up) => std::mem::replace(&mut self.unread_up, true),
            (Some(1), Direction::Down) => std::mem::replace(&mut self.unread_down, true),
            (Some(0), Direction::Up) => {
                let Some(meta) = payload.and_then(|payload| payload.tree("meta")) else { return false };
                let statistic = meta.number("ns") == Some(0);
                if let (true, Some(id)) = (statistic, meta.number("id")) {
                    self.statistics.insert(id);
                }
                statistic
            }
            (Some(0), Direction::Down) => {
                let answered = payload.and_then(|payload| payload.number("metaId"));
                answered.is_some_and(|id| self.statistics.contains(&id))
            }
            (_, _) => false,
        }
    }
}

fn leaf(field: &Field<'_>) -> String {
    use crate::dissect::Kind as Type;
    let kind = field.known.map(|known| known.kind);
    match &field.value {
        Value::Varint(number) => match (field.enum_name(), kind) {
            (Some(name), _) => name.to_owned(),
            (None, Some(Type::Bool)) if *number < 2 => (*number == 1).to_string(),
            (None, Some(Type::Int32 | Type::Int64)) => (*number as i64).to_string(),
            (None, _) => number.to_string(),
        },
        Value::Packed(numbers) => format!("packed{numbers:?}"),
        Value::Fixed64(bits) if kind == Some(Type::Double) => f64::from_bits(*bits).to_string(),
        Value::Fixed64(bits) => format!("fixed64 {bits:#x}"),
        Value::Fixed32(bits) if kind == Some(Type::Float) => f32::from_bits(*bits).to_string(),
        Value::Fixed32(bits) => format!("fixed32 {bits:#x}"),
        Value::Text(text) => shortened(&quoted(text)),
        Value::Bytes(bytes) => shortened(&format!("bytes {}", hex(bytes))),
        Value::Broken { bytes, why } => format!("broken ({why}) {}", hex(bytes)),
        Value::Tree(tree) => format!("{{{} fields}}", tree.fields.len()),
    }
}

fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}… ({} bytes in all)", &text[..at], text.len()),
    }
}
