//! Requests and answers in a transcript: members of JSON bodies by alias, history as the messages that it holds,
//! addresses without their host.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mock_server::tape::Direction;
use serde_json::Value as Json;

use super::layout::Node;
use super::{Entry, Section, Writer, quoted, shortened};
use crate::alias::Kind;
use crate::dissect::{Tree, dissect_meta};
use crate::lane::HttpLane;

/// How many digits a message's id has: the server counts up from 1,160,000,000,000,000,001.
const ID_DIGITS: usize = 19;

impl Writer {
    pub(super) fn http(&mut self, lane: &HttpLane<'_>) -> Section {
        let mut entries = Vec::new();
        for request in &lane.requests {
            // The body before the answer: what is met first is named first.
            let body = self.body(request.body);
            let answer = self.body(request.answer);
            let path = self.address(request.path);
            let asked = format!("{} {path}", request.method);
            let place = path.split_once('?').map_or(&*path, |(place, _)| place);
            for (direction, label, line, children) in [
                (Direction::Up, format!("{} {place}", request.method), asked, body),
                (Direction::Down, request.status.to_string(), request.status.to_string(), answer),
            ] {
                let text = self.laid_out(Node { label: line, children });
                entries.push(Entry { row: request.row, direction: Some(direction), label, text });
            }
        }
        Section { name: lane.user.clone(), door: None, ordinal: 1, conn: None, entries }
    }

    /// A path or a URL: the server's port is another in each run, and ids, uuids and secrets have names.
    pub(super) fn address(&mut self, address: &str) -> String {
        let (host, path) = match address.split_once("://").and_then(|(_, rest)| rest.split_once('/')) {
            // Only what is of this world goes by a name; any other address is what somebody typed.
            Some((_, path)) if self.aliases.is_of_app(path) => ("<server>/", path),
            Some(_) => return address.to_owned(),
            None => ("", address),
        };
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let segments: Vec<String> = path.split('/').map(|segment| self.random(segment)).collect();
        let mut text = format!("{host}{}", segments.join("/"));
        for (index, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            text.push(if index == 0 { '?' } else { '&' });
            let shown = match pair.split_once('=') {
                Some((name @ "share-secret", secret)) => {
                    let alias = self.aliases.name(Kind::Secret, "", secret);
                    format!("{name}={}", alias.as_deref().unwrap_or(secret))
                }
                // What SDKs put behind a path so that no cache answers.
                Some((name @ "_v", _)) => format!("{name}=<time>"),
                Some((name, value)) => format!("{name}={}", self.random(value)),
                None => pair.to_owned(),
            };
            text.push_str(&shown);
        }
        text
    }

    /// A piece of an address, by name if it is one that differs from run to run.
    fn random(&mut self, piece: &str) -> String {
        let alias = if is_uuid(piece) {
            self.aliases.name(Kind::Uuid, "", piece)
        } else if is_id(piece) {
            self.aliases.name(Kind::Id, "", piece)
        } else {
            None
        };
        alias.unwrap_or_else(|| self.aliases.groups_in(piece))
    }

    pub(super) fn body(&mut self, body: &[u8]) -> Vec<Node> {
        if body.is_empty() {
            return Vec::new();
        }
        match serde_json::from_slice::<Json>(body) {
            Ok(Json::Object(members)) => {
                members.iter().map(|(name, value)| self.member(name, name, value)).collect()
            }
            Ok(_) | Err(_) => {
                vec![Node { label: shortened(&String::from_utf8_lossy(body)), children: Vec::new() }]
            }
        }
    }

    /// A member of a JSON body; `name` is its own, `label` shows its place in an array too.
    pub(super) fn member(&mut self, name: &str, label: &str, value: &Json) -> Node {
        let text = match value {
            Json::Object(members) if !members.is_empty() => {
                let children = members.iter().map(|(name, value)| self.member(name, name, value)).collect();
                return Node { label: label.to_owned(), children };
            }
            Json::Array(values) if values.iter().any(Json::is_object) => {
                let numbered = values.iter().enumerate();
                let children =
                    numbered.map(|(at, value)| self.member(name, &format!("[{at}]"), value)).collect();
                return Node { label: label.to_owned(), children };
            }
            Json::String(text) => {
                // A page of history holds messages as they were on the wire (rest.md A.6).
                if let Some(bytes) = (name == "msg").then(|| STANDARD.decode(text).ok()).flatten()
                    && let Ok(meta) = dissect_meta(&bytes)
                {
                    return Node { label: label.to_owned(), children: self.meta(&meta) };
                }
                text.clone()
            }
            Json::Number(number) => number.to_string(),
            Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => value.to_string(),
        };
        let alias = match Kind::of_member(name) {
            Some(kind) => self.aliases.name(kind, "", &text),
            None if name == "uri" => Some(self.address(&text)),
            None if name == "path" => Some(quoted(&self.address(&text))),
            None if is_id(&text) => self.aliases.name(Kind::Id, "", &text),
            None => self.aliases.known(Kind::Muc, &text),
        };
        let shown = alias.unwrap_or_else(|| shortened(&value.to_string()));
        Node { label: format!("{label}:{shown}"), children: Vec::new() }
    }

    fn meta(&mut self, meta: &Tree<'_>) -> Vec<Node> {
        meta.fields.iter().map(|field| self.node(meta, field, "", Direction::Down)).collect()
    }
}

fn is_id(text: &str) -> bool {
    text.len() == ID_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_uuid(text: &str) -> bool {
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.split('-').all(digits)
}
