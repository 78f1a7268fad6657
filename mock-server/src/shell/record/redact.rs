//! What must not reach the disk: passwords, tokens, secrets and cookies. Each is learned where the protocol has it, and
//! replaced wherever it stands by one alias, `<token 1>`, so that what was equal stays equal.
//!
//! Pure. What is short, or also a name or a word of the protocol, is replaced only where the protocol has a secret: a
//! password `1` would take every other 1 with it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use aho_corasick::{AhoCorasick, MatchKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fixtures::wire::AUTH_PREFIX;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use serde_json::Value as Json;

use crate::decoded::rewrite::{rewrite, rewrite_meta};
pub(super) use crate::redact::words::What;
use crate::redact::words::{
    EVERYWHERE_BYTES_MIN, JSON_IN_JSON_MAX, PROTOCOL_WORDS, decoded, json_in, of_frame, percent_encoded,
    sensitive,
};
use crate::tape::{Event, Row};

/// What becomes of what people wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Texts {
    /// It is kept.
    #[default]
    Kept,
    /// Each letter and digit becomes an `x`.
    Redacted,
}

/// The secrets that went by, in the order in which they did.
#[derive(Clone, Debug, Default)]
pub(super) struct Secrets {
    aliases: BTreeMap<String, String>,
    counts: BTreeMap<What, usize>,
    /// Other spellings of a secret.
    forms: BTreeMap<String, String>,
    /// What is written all over a record and no secret there.
    words: BTreeSet<String>,
    bytes: usize,
}

/// Replaces what was known when it was made. A copy shares what was dear to make: how secrets are looked for.
#[derive(Clone)]
pub(super) struct Redactor<'a> {
    secrets: &'a Secrets,
    texts: Texts,
    everywhere: Option<AhoCorasick>,
    patterns: Vec<&'a str>,
    times: BTreeMap<String, usize>,
}

/// What was replaced, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redacted {
    pub(super) what: What,
    pub(super) alias: String,
    pub(super) times: usize,
}

/// All secrets together: a day of logins with tokens of 2 KB. A record that would have more ends.
const SECRETS_BYTES_MAX: usize = 4 << 20;
impl Secrets {
    /// One that stands where the protocol has secrets. False: there is no room for it.
    pub(super) fn learn(&mut self, what: What, secret: &str) -> bool {
        if secret.is_empty() || self.aliases.contains_key(secret) {
            return true;
        }
        if self.bytes + secret.len() > SECRETS_BYTES_MAX {
            return false;
        }
        self.bytes += secret.len();
        let count = self.counts.entry(what).or_default();
        *count += 1;
        let alias = format!("<{what} {count}>");
        let encoded = percent_encoded(secret);
        if encoded != secret {
            self.forms.insert(encoded.to_ascii_lowercase(), alias.clone());
            self.forms.insert(encoded, alias.clone());
        }
        self.aliases.insert(secret.to_owned(), alias);
        true
    }

    /// A name that is no secret, even if it is somebody's password.
    pub(super) fn word(&mut self, word: &str) {
        if word.len() >= EVERYWHERE_BYTES_MIN && word.len() <= 256 && self.words.len() < 100_000 {
            self.words.insert(word.to_owned());
        }
    }

    /// Of a request or an answer. None of these is written, but what is in them may stand elsewhere.
    pub(super) fn learn_headers(&mut self, headers: &HeaderMap) -> bool {
        headers.iter().all(|(name, value)| {
            let Ok(value) = value.to_str() else { return true };
            if name == AUTHORIZATION {
                self.learn_authorization(value)
            } else if name == COOKIE {
                value.split(';').all(|pair| self.learn_cookie(pair))
            } else if name == SET_COOKIE {
                // Its path, domain and the like stand behind it, and are no secrets (RFC 6265 §4.1.1).
                value.split(';').next().is_none_or(|pair| self.learn_cookie(pair))
            } else {
                // RFC 6455's own is a number for one handshake.
                match sensitive(name.as_str()).filter(|_| !name.as_str().starts_with("sec-websocket")) {
                    Some(what) => self.learn(what, value.trim()),
                    None => true,
                }
            }
        })
    }

    /// Of a row, before anything else is done with it.
    pub(super) fn learn_row(&mut self, row: &Row) -> bool {
        let mut all = true;
        match &row.event {
            Event::Frame { direction, bytes, .. } => {
                let mut learn = |name: &str, value: &[u8]| {
                    if let Some((what, secret)) = secret_of_frame(name, value) {
                        // 4.x has JSON around it; down it tells when the token ends.
                        all &= match json_in(secret) {
                            Some(json) => self.learn_json(&json, 0),
                            None => self.learn(what, secret),
                        };
                    }
                    None
                };
                rewrite(bytes, *direction, &mut learn);
            }
            Event::Http { path, body, answer, .. } => {
                if let Some((_, query)) = path.split_once('?') {
                    all &= self.learn_form(query);
                }
                for body in [body, answer] {
                    all &= match serde_json::from_slice::<Json>(body) {
                        Ok(json) => self.learn_json(&json, 0),
                        Err(_) => std::str::from_utf8(body).map_or(true, |text| self.learn_form(text)),
                    };
                }
            }
            Event::Opened { .. }
            | Event::LoggedIn { .. }
            | Event::Muted { .. }
            | Event::Fault { .. }
            | Event::AtDoor { .. }
            | Event::Closed { .. } => {}
        }
        all
    }

    /// `<password 1>` by its secret, however short that is.
    fn alias(&self, secret: &str) -> Option<&str> {
        self.aliases.get(secret).map(String::as_str)
    }

    fn learn_cookie(&mut self, pair: &str) -> bool {
        match pair.split_once('=') {
            Some((_, value)) if value.trim().len() >= EVERYWHERE_BYTES_MIN => {
                self.learn(What::Cookie, value.trim())
            }
            Some(_) | None => true,
        }
    }

    fn learn_authorization(&mut self, value: &str) -> bool {
        let (scheme, rest) = value.trim().split_once(' ').unwrap_or_else(|| ("", value.trim()));
        if scheme.eq_ignore_ascii_case("basic")
            && let Ok(decoded) = STANDARD.decode(rest.trim())
            && let Ok(pair) = String::from_utf8(decoded)
        {
            let password = pair.split_once(':').map_or("", |(_, password)| password);
            return self.learn(What::Secret, rest.trim()) && self.learn(What::Password, password);
        }
        self.learn(What::Token, rest.trim())
    }

    /// `a=b&c=d`, of a query or a form.
    fn learn_form(&mut self, text: &str) -> bool {
        text.split('&').all(|pair| {
            let Some((name, value)) = pair.split_once('=') else { return true };
            let Some(what) = sensitive(&decoded(name)) else { return true };
            let secret = decoded(value);
            let learned = self.learn(what, &secret);
            if let Some(alias) = self.aliases.get(&secret).filter(|_| secret != value) {
                self.forms.insert(value.to_owned(), alias.clone());
            }
            learned
        })
    }

    fn learn_json(&mut self, json: &Json, depth: usize) -> bool {
        match json {
            Json::Array(items) => items.iter().all(|item| self.learn_json(item, depth)),
            Json::Object(fields) => fields.iter().all(|(name, value)| match (sensitive(name), value) {
                (Some(what), Json::String(secret)) => self.learn(what, secret),
                (Some(what), Json::Number(secret)) => self.learn(what, &secret.to_string()),
                (_, value) => self.learn_json(value, depth),
            }),
            Json::String(text) => match json_in(text).filter(|_| depth < JSON_IN_JSON_MAX) {
                Some(json) => self.learn_json(&json, depth + 1),
                None => true,
            },
            Json::Null | Json::Bool(_) | Json::Number(_) => true,
        }
    }
}

impl<'a> Redactor<'a> {
    pub(super) fn new(secrets: &'a Secrets, texts: Texts) -> Self {
        let is_apart = |text: &str| {
            text.len() >= EVERYWHERE_BYTES_MIN
                && !secrets.words.contains(text)
                && !PROTOCOL_WORDS.contains(&text)
        };
        let patterns: Vec<&str> = secrets
            .aliases
            .keys()
            .chain(secrets.forms.keys())
            .map(String::as_str)
            .filter(|text| is_apart(text))
            .collect();
        let everywhere = (!patterns.is_empty()).then(|| {
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(&patterns)
                .expect("4 MB of patterns are few enough for it")
        });
        Self { secrets, texts, everywhere, patterns, times: BTreeMap::new() }
    }

    /// A row without secrets.
    pub(super) fn row(&mut self, mut row: Row) -> Row {
        match &mut row.event {
            Event::Frame { direction, bytes, .. } => {
                let mut edit = |name: &str, value: &[u8]| self.of_frame(name, value);
                if let Some(new) = rewrite(bytes, *direction, &mut edit) {
                    *bytes = new.into();
                }
                // In a damaged frame it may lie across what looks like two fields.
                if let Some(new) = self.wiped(bytes) {
                    *bytes = new.into();
                }
            }
            Event::Http { path, user, body, answer, .. } => {
                *path = self.path(path);
                if let Some(user) = user {
                    *user = self.text(user);
                }
                *body = self.body(body);
                *answer = self.body(answer);
            }
            Event::LoggedIn { user, resource, .. } => {
                *user = self.text(user);
                *resource = self.text(resource);
            }
            Event::Closed { why: text, .. } | Event::Fault { text, .. } | Event::AtDoor { text, .. } => {
                *text = self.text(text);
            }
            Event::Opened { .. } | Event::Muted { .. } => {}
        }
        row
    }

    /// Words without secrets.
    pub(super) fn text(&mut self, text: &str) -> String {
        match self.replaced(text.as_bytes()) {
            Some(new) => String::from_utf8_lossy(&new).into_owned(),
            None => text.to_owned(),
        }
    }

    /// What was replaced by now, in the order of the aliases.
    pub(super) fn redacted(&self) -> Vec<Redacted> {
        let all = [What::Password, What::Token, What::Secret, What::Cookie].into_iter();
        let aliases = all.flat_map(|what| {
            let count = self.secrets.counts.get(&what).copied().unwrap_or(0);
            (1..=count).map(move |number| (what, format!("<{what} {number}>")))
        });
        aliases
            .filter_map(|(what, alias)| {
                let times = self.times.get(&alias).copied()?;
                Some(Redacted { what, alias, times })
            })
            .collect()
    }

    fn count(&mut self, alias: &str) {
        *self.times.entry(alias.to_owned()).or_default() += 1;
    }

    fn replaced(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let everywhere = self.everywhere.as_ref()?;
        let (mut new, mut end) = (Vec::new(), 0);
        let mut found = Vec::new();
        for one in everywhere.find_iter(bytes) {
            let form = self.patterns[one.pattern()];
            let alias = self.secrets.alias(form).or_else(|| self.secrets.forms.get(form).map(String::as_str));
            let alias = alias.expect("every pattern has its alias");
            new.extend_from_slice(&bytes[end..one.start()]);
            new.extend_from_slice(alias.as_bytes());
            end = one.end();
            found.push(alias);
        }
        if found.is_empty() {
            return None;
        }
        for alias in found {
            *self.times.entry(alias.to_owned()).or_default() += 1;
        }
        new.extend_from_slice(&bytes[end..]);
        Some(new)
    }

    fn wiped(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let everywhere = self.everywhere.as_ref()?;
        let mut wiped = Cow::Borrowed(bytes);
        let mut found = Vec::new();
        for one in everywhere.find_iter(bytes) {
            wiped.to_mut()[one.range()].fill(b'x');
            found.push(self.patterns[one.pattern()]);
        }
        for form in found {
            let alias = self.secrets.alias(form).or_else(|| self.secrets.forms.get(form).map(String::as_str));
            if let Some(alias) = alias.map(str::to_owned) {
                self.count(&alias);
            }
        }
        matches!(wiped, Cow::Owned(_)).then(|| wiped.into_owned())
    }

    fn of_frame(&mut self, name: &str, value: &[u8]) -> Option<Vec<u8>> {
        if let Some((_, secret)) = secret_of_frame(name, value) {
            if let Some(mut json) = json_in(secret) {
                return self.json(&mut json, "", 0).then(|| json.to_string().into_bytes());
            }
            let alias = self.secrets.alias(secret)?.to_owned();
            self.count(&alias);
            let prefix = if value.starts_with(AUTH_PREFIX.as_bytes()) { AUTH_PREFIX } else { "" };
            return Some(format!("{prefix}{alias}").into_bytes());
        }
        let new = self.replaced(value);
        let is_text = matches!(name, "text" | "title" | "summary");
        if self.texts == Texts::Redacted && is_text {
            return Some(letters(&String::from_utf8_lossy(new.as_deref().unwrap_or(value))).into_bytes());
        }
        new
    }

    fn path(&mut self, path: &str) -> String {
        let Some((bare, query)) = path.split_once('?') else { return self.text(path) };
        let query: Vec<String> = query.split('&').map(|pair| self.pair(pair)).collect();
        format!("{}?{}", self.text(bare), query.join("&"))
    }

    fn pair(&mut self, pair: &str) -> String {
        if let Some((name, value)) = pair.split_once('=')
            && sensitive(&decoded(name)).is_some()
            && let Some(alias) = self.secrets.alias(&decoded(value)).map(str::to_owned)
        {
            self.count(&alias);
            return format!("{name}={alias}");
        }
        self.text(pair)
    }

    fn body(&mut self, body: &Bytes) -> Bytes {
        match serde_json::from_slice::<Json>(body) {
            Ok(mut json) => {
                if self.json(&mut json, "", 0) {
                    json.to_string().into()
                } else {
                    body.clone()
                }
            }
            Err(_) => match std::str::from_utf8(body) {
                Ok(text) if text.contains('=') => {
                    let pairs: Vec<String> = text.split('&').map(|pair| self.pair(pair)).collect();
                    pairs.join("&").into()
                }
                Ok(_) | Err(_) => self.replaced(body).map_or_else(|| body.clone(), Bytes::from),
            },
        }
    }

    /// Whether there was anything to replace; `name` is that of the field which holds it.
    fn json(&mut self, json: &mut Json, name: &str, depth: usize) -> bool {
        if sensitive(name).is_some() {
            let secret = match &*json {
                Json::String(text) => Some(text.clone()),
                Json::Number(number) => Some(number.to_string()),
                Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
            };
            if let Some(alias) = secret.and_then(|secret| self.secrets.alias(&secret).map(str::to_owned)) {
                self.count(&alias);
                *json = Json::String(alias);
                return true;
            }
        }
        match json {
            Json::Array(items) => {
                // Each of them, so that nothing stays behind the first that was found.
                let found = items.iter_mut().map(|item| self.json(item, name, depth));
                found.filter(|found| *found).count() > 0
            }
            Json::Object(fields) => {
                let mut found = false;
                let named: Vec<String> = fields.keys().cloned().collect();
                for old in named {
                    let new = self.text(&old);
                    if new != old
                        && let Some(value) = fields.remove(&old)
                    {
                        fields.insert(new, value);
                        found = true;
                    }
                }
                for (name, value) in fields {
                    found |= self.json(value, name, depth);
                }
                found
            }
            Json::String(text) => match self.string(text, name, depth) {
                Some(new) => {
                    *text = new;
                    true
                }
                None => false,
            },
            // A number that is somebody's token.
            Json::Number(number) => match self.replaced(number.to_string().as_bytes()) {
                Some(new) => {
                    *json = Json::String(String::from_utf8_lossy(&new).into_owned());
                    true
                }
                None => false,
            },
            Json::Null | Json::Bool(_) => false,
        }
    }

    fn string(&mut self, text: &str, name: &str, depth: usize) -> Option<String> {
        if let Some(mut json) = json_in(text).filter(|_| depth < JSON_IN_JSON_MAX) {
            return self.json(&mut json, name, depth + 1).then(|| json.to_string());
        }
        // A message of a history (rest.md A.6).
        if name == "msg"
            && let Ok(meta) = STANDARD.decode(text)
        {
            let mut edit = |name: &str, value: &[u8]| self.of_frame(name, value);
            if let Some(new) = rewrite_meta(&meta, &mut edit) {
                return Some(STANDARD.encode(new));
            }
        }
        let new = self.replaced(text.as_bytes()).map(|new| String::from_utf8_lossy(&new).into_owned());
        if self.texts == Texts::Redacted && name == "msg" {
            return Some(letters(new.as_deref().unwrap_or(text)));
        }
        new
    }
}

/// The secret of a frame's field, without what stands before it.
fn secret_of_frame<'b>(name: &str, value: &'b [u8]) -> Option<(What, &'b str)> {
    let what = of_frame(name)?;
    let text = std::str::from_utf8(value).ok()?;
    let secret = text.strip_prefix(AUTH_PREFIX).unwrap_or(text);
    (!secret.is_empty()).then_some((what, secret))
}

/// What can be read of it is how long it was.
fn letters(text: &str) -> String {
    text.chars().map(|letter| if letter.is_alphanumeric() { 'x' } else { letter }).collect()
}

#[cfg(test)]
mod tests;
