//! A tape taken apart: one lane for each connection and one for each user's HTTP requests.
//!
//! Within a lane order is a fact; between lanes it is chance, so nothing here compares two lanes.

use std::collections::BTreeMap;

use bytes::Bytes;
use mock_server::machine::ConnId;
use mock_server::tape::{Direction, Door, Event, Row};

use crate::dissect::{Tree, dissect};
use crate::driver::Device;

/// What went over one connection.
#[derive(Clone, Debug)]
pub struct Lane<'t> {
    /// The connection.
    pub conn: ConnId,
    /// Who it logged in as, or said to be; empty if it never said so.
    pub user: String,
    /// The device that it logged in as; empty if it never did.
    pub resource: String,
    /// How it came in.
    pub door: Door,
    /// What happened, in order, each with its row in the tape.
    pub events: Vec<(usize, LaneEvent<'t>)>,
}

/// What happened on a connection.
#[derive(Clone, Copy, Debug)]
pub enum LaneEvent<'t> {
    /// A frame.
    Frame(Direction, &'t Bytes),
    /// What a rule did to a frame of this connection, in words.
    Fault(&'t str),
    /// The end, in words.
    Closed(&'t str),
}

/// The requests of one user.
#[derive(Clone, Debug)]
pub struct HttpLane<'t> {
    /// Whose token they carried, or whose name the body; empty for strangers.
    pub user: String,
    /// Them, in order.
    pub requests: Vec<Request<'t>>,
}

/// One request and its answer.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "the fields of mock_server::tape::Event::Http")]
pub struct Request<'t> {
    pub row: usize,
    pub method: &'t str,
    pub path: &'t str,
    pub body: &'t Bytes,
    pub status: u16,
    pub answer: &'t Bytes,
}

/// The connections of a tape, sorted by user and device and then by when they came.
pub fn connections(tape: &[Row]) -> Vec<Lane<'_>> {
    let mut lanes: BTreeMap<ConnId, Lane<'_>> = BTreeMap::new();
    let mut order = Vec::new();
    for (row, Row { event, .. }) in tape.iter().enumerate() {
        match event {
            Event::Opened { conn, door } => {
                order.push(*conn);
                lanes.insert(*conn, Lane::new(*conn, *door));
            }
            Event::LoggedIn { conn, user, resource } => {
                if let Some(lane) = lanes.get_mut(conn) {
                    lane.user.clone_from(user);
                    lane.resource.clone_from(resource);
                }
            }
            Event::Frame { conn, direction, bytes } => {
                if let Some(lane) = lanes.get_mut(conn) {
                    lane.events.push((row, LaneEvent::Frame(*direction, bytes)));
                }
            }
            Event::Fault { conn: Some(conn), text, .. } => {
                if let Some(lane) = lanes.get_mut(conn) {
                    lane.events.push((row, LaneEvent::Fault(text)));
                }
            }
            Event::Muted { .. } | Event::Fault { conn: None, .. } | Event::AtDoor { .. } => {}
            Event::Closed { conn, why } => {
                if let Some(lane) = lanes.get_mut(conn) {
                    lane.events.push((row, LaneEvent::Closed(why)));
                }
            }
            Event::Http { .. } => {}
        }
    }
    let mut sorted: Vec<Lane<'_>> = order.iter().filter_map(|conn| lanes.remove(conn)).collect();
    for lane in &mut sorted {
        lane.name_by_first_frame();
    }
    sorted.sort_by(|left, right| (&left.user, &left.resource).cmp(&(&right.user, &right.resource)));
    sorted
}

/// The HTTP requests of a tape, by user.
pub fn requests(tape: &[Row]) -> Vec<HttpLane<'_>> {
    let mut lanes: BTreeMap<String, Vec<Request<'_>>> = BTreeMap::new();
    for (row, Row { event, .. }) in tape.iter().enumerate() {
        if let Event::Http { method, path, user, body, status, answer } = event {
            let user = user.clone().or_else(|| named_in(body)).unwrap_or_default();
            let request = Request { row, method, path, body, status: *status, answer };
            lanes.entry(user).or_default().push(request);
        }
    }
    lanes.into_iter().map(|(user, requests)| HttpLane { user, requests }).collect()
}

impl<'t> Lane<'t> {
    /// The frames of one direction that can be read, in order.
    pub fn frames(&self, wanted: Direction) -> impl Iterator<Item = Tree<'t>> {
        self.events.iter().filter_map(move |(_, event)| match *event {
            LaneEvent::Frame(direction, bytes) if direction == wanted => dissect(bytes, direction).ok(),
            LaneEvent::Frame(..) | LaneEvent::Fault(_) | LaneEvent::Closed(_) => None,
        })
    }

    /// Whether this is a lane of the device: SDKs name it alone or with a word before or behind, as `webim_phone`
    /// and `phone_1640908800000` (wire-3x §2.2).
    pub fn is_of(&self, device: &Device) -> bool {
        self.user == device.user.to_lowercase() && self.resource.split('_').any(|word| word == device.name())
    }

    fn new(conn: ConnId, door: Door) -> Self {
        Self { conn, user: String::new(), resource: String::new(), door, events: Vec::new() }
    }

    /// A connection that was refused is still somebody's: whose, its first frame says.
    fn name_by_first_frame(&mut self) {
        if !self.user.is_empty() {
            return;
        }
        if let Some((_, LaneEvent::Frame(Direction::Up, bytes))) = self.events.first() {
            let tree = dissect(bytes, Direction::Up).ok();
            let name = tree.and_then(|tree| Some(tree.tree("guid")?.text("name")?.to_lowercase()));
            self.user = name.unwrap_or_default();
        }
    }
}

/// Login and registration carry no token, but the name of the one who asks.
fn named_in(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    Some(body.get("username")?.as_str()?.to_lowercase())
}
