//! What a client sent, piece by piece, for another client's to be held against it.
//!
//! Names and values are a transcript's, less the numbers of aliases: `<local 2>` of one client and `<local 3>` of the
//! other say the same. Heartbeats and statistics are left out, as in a transcript.

use std::collections::BTreeMap;

use mock_server::tape::{Direction, Row};

use super::layout::{Node, WIDTH};
use super::{Noise, Writer, label};
use crate::dissect::{dissect, hex};
use crate::driver::Device;
use crate::lane::{LaneEvent, connections, requests};

/// All that one device sent by its sockets, one after another, or one user by HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Such as `alice/phone` or `alice HTTP`.
    pub lane: String,
    /// In the order in which it came.
    pub pieces: Vec<Piece>,
}

/// A frame or a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is, in a few words: `SYNC CHAT/TEXT`, `POST /token`.
    pub what: String,
    /// Its values by their place, such as `payload.meta.to`.
    pub fields: BTreeMap<String, String>,
}

/// The lanes of a tape of the world of `app_key`, sorted by name.
pub fn sent(tape: &[Row], app_key: &str, devices: &[&Device]) -> Vec<Sent> {
    let mut writer = Writer::new(app_key, WIDTH);
    let mut lanes: BTreeMap<String, Vec<Piece>> = BTreeMap::new();
    for lane in requests(tape) {
        let pieces =
            lane.requests.iter().map(|request| writer.request(request.method, request.path, request.body));
        let user = if lane.user.is_empty() { "somebody" } else { &lane.user };
        lanes.entry(format!("{user} HTTP")).or_default().extend(pieces.collect::<Vec<_>>());
    }
    for lane in connections(tape) {
        let device = devices.iter().find(|device| lane.is_of(device));
        let name = device.map_or_else(|| lane.user.clone(), ToString::to_string);
        let name = if name.is_empty() { "somebody".to_owned() } else { name };
        let mut noise = Noise::default();
        let pieces = lane.events.iter().filter_map(|(_, event)| match *event {
            LaneEvent::Frame(direction, bytes) => writer.frame(&mut noise, direction, bytes, &lane.user),
            LaneEvent::Fault(_) | LaneEvent::Closed(_) => None,
        });
        lanes.entry(name).or_default().extend(pieces.collect::<Vec<_>>());
    }
    lanes.into_iter().map(|(lane, pieces)| Sent { lane, pieces }).collect()
}

impl Writer {
    /// A frame of the client; one of the server only gives names to what it holds.
    fn frame(&mut self, noise: &mut Noise, direction: Direction, bytes: &[u8], owner: &str) -> Option<Piece> {
        let tree = match dissect(bytes, direction) {
            Ok(tree) => tree,
            Err(why) => {
                let fields = BTreeMap::from([("bytes".to_owned(), hex(bytes))]);
                return (direction == Direction::Up)
                    .then(|| Piece { what: format!("(not protobuf: {why})"), fields });
            }
        };
        let nodes: Vec<Node> =
            tree.fields.iter().map(|field| self.node(&tree, field, owner, direction)).collect();
        if noise.is(direction, &tree) || direction == Direction::Down {
            return None;
        }
        let mut fields = flattened(&nodes);
        fields.remove("command");
        let what = label::of_frame(&tree, direction);
        Some(Piece { what, fields })
    }

    fn request(&mut self, method: &str, path: &str, body: &[u8]) -> Piece {
        let address = unnumbered(&self.address(path));
        let (path, query) = address.split_once('?').unwrap_or((&address, ""));
        let mut fields = flattened(&self.body(body));
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.insert(format!("?{name}"), value.to_owned());
        }
        Piece { what: format!("{method} {path}"), fields }
    }
}

/// Each value by its place. Of those at one place the second is `name[2]`.
fn flattened(nodes: &[Node]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    flatten(nodes, "", &mut fields);
    fields
}

fn flatten(nodes: &[Node], prefix: &str, fields: &mut BTreeMap<String, String>) {
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    for Node { label, children } in nodes {
        let (name, value) = match label.split_once(':') {
            Some((name, value)) if children.is_empty() => (name, Some(value)),
            Some(_) | None => (label.as_str(), None),
        };
        let times = met.entry(name).or_default();
        *times += 1;
        let place = if *times == 1 { format!("{prefix}{name}") } else { format!("{prefix}{name}[{times}]") };
        match value {
            Some(value) => drop(fields.insert(place, unnumbered(value))),
            None if children.is_empty() => drop(fields.insert(place, "{}".to_owned())),
            None => flatten(children, &format!("{place}."), fields),
        }
    }
}

/// `<local 12>` as `<local>`.
fn unnumbered(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let alias = from.find('>').and_then(|end| {
            let (kind, number) = from[1..end].rsplit_once(' ')?;
            let known = kind.bytes().all(|byte| byte.is_ascii_lowercase())
                && !number.is_empty()
                && number.bytes().all(|byte| byte.is_ascii_digit());
            known.then_some((kind, end))
        });
        match alias {
            Some((kind, end)) => {
                out.push_str(&format!("<{kind}>"));
                rest = &from[end + 1..];
            }
            None => {
                out.push('<');
                rest = &from[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("<local 12>", "<local>")]
    #[case("alice@easemob.com/<resource 1>", "alice@easemob.com/<resource>")]
    #[case("\"a < b and <b 2> c\"", "\"a < b and <b> c\"")]
    #[case("<time>", "<time>")]
    #[case("<", "<")]
    #[case("<local x>", "<local x>")]
    fn an_alias_loses_its_number(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(unnumbered(text), expected);
    }

    #[test]
    fn places_are_told_apart() {
        let leaf = |label: &str| Node { label: label.to_owned(), children: Vec::new() };
        let nodes = [
            leaf("version:MSYNC_V1"),
            Node {
                label: "payload".to_owned(),
                children: vec![leaf("ext:\"a:b\""), leaf("ext:2"), leaf("empty")],
            },
        ];
        let expected = [
            ("payload.empty", "{}"),
            ("payload.ext", "\"a:b\""),
            ("payload.ext[2]", "2"),
            ("version", "MSYNC_V1"),
        ];
        let expected = expected.map(|(place, value)| (place.to_owned(), value.to_owned()));
        assert_eq!(flattened(&nodes), BTreeMap::from(expected));
    }
}
