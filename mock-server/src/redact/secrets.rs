//! The secrets of one world, learned from what is kept of it, and what stands in their place.
//!
//! Pure. Whatever is put in the place of a secret has its length, if that can be, and is the same wherever it stood: a
//! machine that is given the journal again refuses what it refused and finds equal what was equal.

use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fixtures::wire::AUTH_PREFIX;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::Redaction;
use super::words::{
    EVERYWHERE_BYTES_MIN, JSON_IN_JSON_MAX, PROTOCOL_WORDS, What, decoded, json_in, of_frame,
    percent_encoded, sensitive,
};
use crate::decoded::rewrite::{rewrite, rewrite_meta};
use crate::journal::{Entry, Given};
use crate::machine::WebhookAnswer;
use crate::machine::rest::Request;
use crate::tape::{Direction, Event, Row};

/// What is secret in rows and entries of one world.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    aliases: BTreeMap<String, Alias>,
    /// What the server itself gave out.
    issued: BTreeSet<String>,
    /// Names: they are all over a record, and no secrets there even if somebody has one for a password.
    names: BTreeSet<String>,
    /// Other spellings of a secret, in URLs.
    spellings: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
struct Alias {
    what: What,
    text: String,
}

/// Replaces them.
#[derive(Debug)]
pub(crate) struct Redactor<'a> {
    secrets: &'a Secrets,
    everywhere: Option<AhoCorasick>,
    /// What stands for each that is replaced everywhere.
    instead: Vec<&'a str>,
}

impl Secrets {
    /// Those of a world. What clients and tests brought is secret; what the server gave out first is not: it opens
    /// nothing elsewhere, and whoever plays the journal again gives out the same.
    pub(crate) fn of<'r>(app_key: &str, rows: impl Iterator<Item = &'r Row>, entries: &[Entry]) -> Self {
        let mut secrets = Self::default();
        secrets.names.extend(app_key.split('#').map(str::to_owned));
        let mut entries = entries.iter().peekable();
        for (number, row) in rows.enumerate() {
            // An entry stands before the rows that came of it.
            while let Some(entry) = entries.next_if(|entry| entry.row <= number) {
                secrets.learn_entry(&entry.given);
            }
            secrets.learn_row(&row.event);
        }
        entries.for_each(|entry| secrets.learn_entry(&entry.given));
        secrets
    }

    /// What was replaced, in the order in which it was found.
    pub(crate) fn redactions(&self) -> Vec<Redaction> {
        let mut all: Vec<&Alias> = self.aliases.values().collect();
        all.sort_by_key(|alias| (alias.what, alias.text.len(), &alias.text));
        all.into_iter()
            .map(|alias| Redaction { what: alias.what.to_string(), alias: alias.text.clone(), times: None })
            .collect()
    }

    fn learn(&mut self, what: What, secret: &str) {
        let secret = secret.strip_prefix(AUTH_PREFIX).unwrap_or(secret);
        if secret.is_empty() || self.issued.contains(secret) || self.aliases.contains_key(secret) {
            return;
        }
        let number = self.aliases.len() + 1;
        let mut text = format!("redacted-{what}-{number}");
        // A world bounds passwords by characters and tokens by bytes, and nobody's are anything but ASCII there.
        let long = match what {
            What::Password => secret.chars().count(),
            What::Token | What::Secret | What::Cookie => secret.len(),
        };
        // A digit would make another number of it.
        text.extend(std::iter::repeat_n('x', long.saturating_sub(text.len())));
        let encoded = percent_encoded(secret);
        if encoded != secret {
            self.spellings.insert(encoded.to_ascii_lowercase(), text.clone());
            self.spellings.insert(encoded, text.clone());
        }
        self.aliases.insert(secret.to_owned(), Alias { what, text });
    }

    fn issue(&mut self, secret: &str) {
        if !self.aliases.contains_key(secret) {
            self.issued.insert(secret.to_owned());
        }
    }

    fn name(&mut self, name: &str) {
        if name.len() >= EVERYWHERE_BYTES_MIN {
            self.names.insert(name.to_owned());
        }
    }

    fn learn_row(&mut self, event: &Event) {
        match event {
            Event::Frame { direction, bytes, .. } => self.learn_frame(bytes, *direction),
            Event::Http { path, user, body, answer, .. } => {
                let (path, query) = path.split_once('?').unwrap_or((path, ""));
                path.split('/').for_each(|name| self.name(name));
                user.iter().for_each(|user| self.name(user));
                self.learn_form(query);
                self.learn_body(body);
                if let Ok(json) = serde_json::from_slice(answer) {
                    self.walk(&json, 0, &mut |secrets, _, secret| secrets.issue(secret));
                }
            }
            Event::LoggedIn { user, resource, .. } => {
                self.name(user);
                self.name(resource);
            }
            Event::Opened { .. }
            | Event::Muted { .. }
            | Event::Fault { .. }
            | Event::AtDoor { .. }
            | Event::Closed { .. } => {}
        }
    }

    fn learn_entry(&mut self, given: &Given) {
        match given {
            Given::Frame { bytes, .. } => self.learn_frame(bytes, Direction::Up),
            Given::Http { request, .. } => {
                let Request { path, query, token, body, upload, share_secret, .. } = &**request;
                path.split('/').for_each(|name| self.name(name));
                self.learn_form(query);
                token.iter().for_each(|token| self.learn(What::Token, token));
                share_secret.iter().for_each(|secret| self.learn(What::Secret, secret));
                self.learn_body(body);
                self.learn_json(&json_of(upload));
            }
            Given::Made { settings, .. } => self.learn_json(&json_of(settings)),
            Given::Control(control) => self.learn_json(&json_of(control)),
            Given::Webhook { answer: WebhookAnswer::Answered { body, .. }, .. } => self.learn_body(body),
            Given::Webhook { answer: WebhookAnswer::TimedOut | WebhookAnswer::Failed(_), .. }
            | Given::Opened { .. }
            | Given::Closed { .. }
            | Given::AtDoor { .. }
            | Given::Timeout
            | Given::Running
            | Given::Stopped(_)
            | Given::Advanced { .. } => {}
        }
    }

    fn learn_frame(&mut self, bytes: &[u8], direction: Direction) {
        let mut learn = |name: &str, value: &[u8]| {
            if let (Some(what), Ok(text)) = (of_frame(name), std::str::from_utf8(value)) {
                // 4.x has JSON around it; down it tells when the token ends.
                match json_in(text) {
                    Some(json) => self.learn_json(&json),
                    None => self.learn(what, text),
                }
            }
            None
        };
        rewrite(bytes, direction, &mut learn);
    }

    fn learn_body(&mut self, body: &[u8]) {
        match (serde_json::from_slice(body), std::str::from_utf8(body)) {
            (Ok(json), _) => self.learn_json(&json),
            (Err(_), Ok(text)) => self.learn_form(text),
            (Err(_), Err(_)) => {}
        }
    }

    /// `a=b&c=d`, of a query or a form.
    fn learn_form(&mut self, text: &str) {
        for (name, value) in text.split('&').filter_map(|pair| pair.split_once('=')) {
            if let Some(what) = sensitive(&decoded(name)) {
                let secret = decoded(value);
                self.learn(what, &secret);
                if let Some(alias) = self.aliases.get(&secret).filter(|_| secret != value) {
                    self.spellings.insert(value.to_owned(), alias.text.clone());
                }
            }
        }
    }

    fn learn_json(&mut self, json: &Json) {
        self.walk(json, 0, &mut |secrets, what, secret| secrets.learn(what, secret));
    }

    fn walk(&mut self, json: &Json, depth: usize, found: &mut dyn FnMut(&mut Self, What, &str)) {
        match json {
            Json::Array(items) => items.iter().for_each(|item| self.walk(item, depth, found)),
            Json::Object(fields) => {
                for (name, value) in fields {
                    match (sensitive(name), value) {
                        (Some(what), Json::String(secret)) => found(self, what, secret),
                        (None, Json::String(text)) if is_name(name) => self.name(text),
                        (_, value) => self.walk(value, depth, found),
                    }
                }
            }
            Json::String(text) => {
                if let Some(json) = json_in(text).filter(|_| depth < JSON_IN_JSON_MAX) {
                    self.walk(&json, depth + 1, found);
                } else if let Some((authority, query)) = url(text) {
                    self.learn_form(query);
                    if let Some((_, password)) =
                        authority.split_once('@').and_then(|(who, _)| who.split_once(':'))
                    {
                        self.learn(What::Password, password);
                    }
                }
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => {}
        }
    }
}

impl<'a> Redactor<'a> {
    pub(crate) fn new(secrets: &'a Secrets) -> Self {
        let aliases = secrets.aliases.iter().map(|(secret, alias)| (secret, &alias.text));
        let apart: Vec<(&str, &str)> = aliases
            .chain(&secrets.spellings)
            .map(|(secret, alias)| (secret.as_str(), alias.as_str()))
            .filter(|(secret, _)| secret.len() >= EVERYWHERE_BYTES_MIN && !PROTOCOL_WORDS.contains(secret))
            .collect();
        let search = |kind: MatchKind, apart: &[(&str, &str)]| {
            let built = AhoCorasick::builder().match_kind(kind).build(apart.iter().map(|(secret, _)| secret));
            built.expect("the secrets of one tape are few enough for it")
        };
        // One that is part of a name would take the name with it, and one that is part of what was given out that.
        let all = search(MatchKind::Standard, &apart);
        let names = secrets.names.iter().chain(&secrets.issued);
        let within: BTreeSet<usize> = names
            .flat_map(|name| all.find_overlapping_iter(name.as_str()))
            .map(|found| found.pattern().as_usize())
            .collect();
        let apart: Vec<(&str, &str)> = apart
            .into_iter()
            .enumerate()
            .filter(|(index, _)| !within.contains(index))
            .map(|(_, pair)| pair)
            .collect();
        let everywhere = (!apart.is_empty()).then(|| search(MatchKind::LeftmostLongest, &apart));
        Self { secrets, everywhere, instead: apart.into_iter().map(|(_, alias)| alias).collect() }
    }

    /// A row without secrets.
    pub(crate) fn row(&self, row: &Row) -> Row {
        let mut row = row.clone();
        match &mut row.event {
            Event::Frame { direction, bytes, .. } => *bytes = self.frame(bytes, *direction),
            Event::Http { path, body, answer, .. } => {
                *path = self.path(path);
                *body = self.body(body);
                *answer = self.body(answer);
            }
            Event::Closed { why: text, .. } | Event::Fault { text, .. } | Event::AtDoor { text, .. } => {
                *text = self.text(text)
            }
            Event::LoggedIn { .. } | Event::Opened { .. } | Event::Muted { .. } => {}
        }
        row
    }

    /// An entry without secrets; `None`: it makes no sense without them.
    pub(crate) fn entry(&self, entry: &Entry) -> Option<Entry> {
        let mut entry = entry.clone();
        match &mut entry.given {
            Given::Frame { bytes, .. } => *bytes = self.frame(bytes, Direction::Up),
            Given::Http { request, content } => {
                let Request { path, query, token, body, upload, share_secret, .. } = &mut **request;
                *path = self.text(path);
                *query = self.form(query);
                *token = token.take().map(|token| self.secret(&token));
                *share_secret = share_secret.take().map(|secret| self.secret(&secret));
                *body = self.body(body);
                self.within(upload)?;
                *content = content.take().map(|content| self.wiped(&content).map_or(content, Bytes::from));
            }
            Given::Made { settings, .. } => self.within(&mut **settings)?,
            Given::Control(control) => self.within(&mut **control)?,
            Given::Closed { why, .. } => *why = self.text(why),
            Given::Webhook { answer: WebhookAnswer::Answered { body, .. }, .. } => *body = self.body(body),
            Given::Webhook { answer: WebhookAnswer::Failed(why), .. } => *why = self.text(why),
            Given::Webhook { answer: WebhookAnswer::TimedOut, .. }
            | Given::Opened { .. }
            | Given::AtDoor { .. }
            | Given::Timeout
            | Given::Running
            | Given::Stopped(_)
            | Given::Advanced { .. } => {}
        }
        Some(entry)
    }

    /// Words without secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        match self.replaced(text.as_bytes()) {
            Some(new) => String::from_utf8_lossy(&new).into_owned(),
            None => text.to_owned(),
        }
    }

    /// What stands where the protocol has a secret.
    fn secret(&self, secret: &str) -> String {
        let (prefix, bare) = match secret.strip_prefix(AUTH_PREFIX) {
            Some(bare) => (AUTH_PREFIX, bare),
            None => ("", secret),
        };
        match self.secrets.aliases.get(bare) {
            Some(alias) => format!("{prefix}{}", alias.text),
            None => self.text(secret),
        }
    }

    fn replaced(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let everywhere = self.everywhere.as_ref()?;
        let (mut new, mut end) = (Vec::new(), 0);
        for one in everywhere.find_iter(bytes) {
            new.extend_from_slice(&bytes[end..one.start()]);
            new.extend_from_slice(self.instead[one.pattern()].as_bytes());
            end = one.end();
        }
        (end > 0).then(|| {
            new.extend_from_slice(&bytes[end..]);
            new
        })
    }

    /// The same length, and nothing to be read where secrets were.
    fn wiped(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let everywhere = self.everywhere.as_ref()?;
        let found: Vec<_> = everywhere.find_iter(bytes).map(|one| one.range()).collect();
        (!found.is_empty()).then(|| {
            let mut wiped = bytes.to_vec();
            found.into_iter().for_each(|range| wiped[range].fill(b'x'));
            wiped
        })
    }

    fn frame(&self, bytes: &Bytes, direction: Direction) -> Bytes {
        let mut edit = |name: &str, value: &[u8]| self.field(name, value);
        let new = rewrite(bytes, direction, &mut edit).map_or_else(|| bytes.clone(), Bytes::from);
        // In a damaged frame it may lie across what looks like two fields.
        self.wiped(&new).map_or(new, Bytes::from)
    }

    fn field(&self, name: &str, value: &[u8]) -> Option<Vec<u8>> {
        match (of_frame(name), std::str::from_utf8(value)) {
            (Some(_), Ok(text)) => {
                let new = self.string(text, 0).unwrap_or_else(|| self.secret(text));
                (new != text).then(|| new.into_bytes())
            }
            (Some(_), Err(_)) | (None, _) => self.replaced(value),
        }
    }

    fn path(&self, path: &str) -> String {
        match path.split_once('?') {
            Some((path, query)) => format!("{}?{}", self.text(path), self.form(query)),
            None => self.text(path),
        }
    }

    fn form(&self, text: &str) -> String {
        let pair = |pair: &str| {
            if let Some((name, value)) = pair.split_once('=')
                && sensitive(&decoded(name)).is_some()
                && let Some(alias) = self.secrets.aliases.get(&decoded(value))
            {
                return format!("{name}={}", alias.text);
            }
            self.text(pair)
        };
        text.split('&').map(pair).collect::<Vec<_>>().join("&")
    }

    fn body(&self, body: &Bytes) -> Bytes {
        if let Ok(mut json) = serde_json::from_slice::<Json>(body) {
            return if self.json(&mut json, 0) { json.to_string().into() } else { body.clone() };
        }
        match std::str::from_utf8(body) {
            Ok(text) if text.contains('=') => self.form(text).into(),
            Ok(_) | Err(_) => self.replaced(body).map_or_else(|| body.clone(), Bytes::from),
        }
    }

    fn within<T: Serialize + DeserializeOwned>(&self, value: &mut T) -> Option<()> {
        let mut json = json_of(value);
        if self.json(&mut json, 0) {
            *value = serde_json::from_value(json).ok()?;
        }
        Some(())
    }

    /// Whether there was anything to replace.
    fn json(&self, json: &mut Json, depth: usize) -> bool {
        match json {
            Json::Array(items) => {
                // Each of them, so that nothing stays behind the first that was found.
                let found = items.iter_mut().map(|item| self.json(item, depth));
                found.filter(|found| *found).count() > 0
            }
            Json::Object(fields) => {
                let mut found = false;
                for name in fields.keys().cloned().collect::<Vec<_>>() {
                    let new = self.text(&name);
                    if new != name
                        && let Some(value) = fields.remove(&name)
                    {
                        fields.insert(new, value);
                        found = true;
                    }
                }
                let secret: BTreeSet<String> =
                    fields.keys().filter(|name| sensitive(name).is_some()).cloned().collect();
                for (name, value) in fields {
                    found |= match value {
                        Json::String(text) if secret.contains(name) => {
                            let new = self.secret(text);
                            let is_new = new != *text;
                            *text = new;
                            is_new
                        }
                        // No call takes a number there; it is refused as this one is.
                        Json::Number(number) if secret.contains(name) && number.as_u64() != Some(0) => {
                            *value = 0.into();
                            true
                        }
                        value => self.json(value, depth),
                    };
                }
                found
            }
            Json::String(text) => match self.string(text, depth) {
                Some(new) => {
                    *text = new;
                    true
                }
                None => false,
            },
            Json::Null | Json::Bool(_) | Json::Number(_) => false,
        }
    }

    fn string(&self, text: &str, depth: usize) -> Option<String> {
        if let Some(mut json) = json_in(text).filter(|_| depth < JSON_IN_JSON_MAX) {
            return self.json(&mut json, depth + 1).then(|| json.to_string());
        }
        if let Some((authority, query)) = url(text) {
            let mut new = text.to_owned();
            if !query.is_empty() {
                new.truncate(text.len() - query.len());
                new.push_str(&self.form(query));
            }
            if let Some((who, _)) = authority.split_once('@')
                && let Some((name, password)) = who.split_once(':')
            {
                new = new.replacen(
                    &format!("{name}:{password}@"),
                    &format!("{name}:{}@", self.secret(password)),
                    1,
                );
            }
            let new = self.text(&new);
            return (new != text).then_some(new);
        }
        // A message of a history (rest.md A.6).
        if let Ok(meta) = STANDARD.decode(text)
            && let Some(new) = rewrite_meta(&meta, &mut |name, value| self.field(name, value))
        {
            return Some(STANDARD.encode(new));
        }
        self.replaced(text.as_bytes()).map(|new| String::from_utf8_lossy(&new).into_owned())
    }
}

fn json_of<T: Serialize>(value: &T) -> Json {
    serde_json::to_value(value).expect("it has only string keys")
}

/// Whether a field of this name holds somebody's name.
fn is_name(name: &str) -> bool {
    matches!(
        name,
        "username" | "user" | "users" | "name" | "from" | "to" | "owner" | "member" | "device" | "resource"
    )
}

/// Authority and query of what is a URL.
fn url(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"))?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    Some((place.split('/').next().unwrap_or_default(), query))
}

#[cfg(test)]
mod tests;
