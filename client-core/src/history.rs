//! Messages of the past: pages of a conversation over REST, newest first on the wire and oldest first for the
//! user, with what a page held beyond the wanted number kept for the next call (rest.md A.6).
//!
//! Reads and keeps; nothing here counts as received: no receipt is sent and nothing is taken for seen.

use std::collections::{BTreeMap, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use fixtures::wire::meta::NameSpace;
use fixtures::wire::{CONFERENCE_DOMAIN, Meta, USER_DOMAIN};
use prost::Message as _;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::calls::{Ask, Call};
use crate::client::{Client, Config, not_empty};
use crate::error::{CommandError, Failure};
use crate::event::{Event, Incoming};
use crate::incoming::{ChatMeta, read_chat};
use crate::message::Chat;
use crate::rest::{CallId, HttpAnswer, HttpMethod, Refusal, segment};
use crate::timer::Millis;

/// How many conversations are walked through at a time; what is kept of one is less than a page.
const QUEUES_LIMIT: usize = 1_000;
/// How many pages in a row may hold nothing that can be shown before the walk is given up: a server whose pages
/// never end is not asked for ever.
const FRUITLESS_LIMIT: u32 = 20;

/// A walk back through a conversation, for so many messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fetch {
    queue: String,
    count: usize,
    /// Where to begin anew, if not where the last call ended.
    start: Option<String>,
    /// The position that the request under way was made with.
    asked: Option<String>,
    fruitless: u32,
}

/// What was fetched and not yet wanted, by queue. Names are told apart by case, as the service does.
#[derive(Debug, Default)]
pub(crate) struct History {
    queues: BTreeMap<String, Walk>,
}

#[derive(Debug, Default)]
struct Walk {
    newest_first: VecDeque<Incoming>,
    is_last: bool,
    next_key: Option<String>,
}

impl Client {
    /// Asks for the `count` messages before those of the last call, at first for the newest:
    /// [`Event::History`], fewer only when there are no more. `start`, a message id, begins there instead.
    /// The name in `with` must be in lower case, or there is nothing.
    pub fn fetch_history(
        &mut self,
        now: Millis,
        chat: Chat,
        with: &str,
        count: usize,
        start: Option<&str>,
    ) -> Result<CallId, CommandError> {
        const COMMAND: &str = "fetch_history";
        let queue = queue_of(chat, &not_empty(COMMAND, with)?);
        if self.history.queues.len() >= QUEUES_LIMIT && !self.history.queues.contains_key(&queue) {
            return Err(CommandError::HistoryFull { limit: QUEUES_LIMIT });
        }
        let fetch = Fetch { queue, count, start: start.map(str::to_owned), asked: None, fruitless: 0 };
        self.call(now, COMMAND, Call::History(fetch))
    }

    /// Forgets how far each conversation was walked back: the next call begins with the newest.
    pub fn reset_history(&mut self) {
        self.history = History::default();
    }

    /// Takes a page in, and either shows what was wanted or asks for more.
    pub(crate) fn history_answered(
        &mut self,
        id: CallId,
        mut fetch: Fetch,
        answer: &HttpAnswer,
    ) -> Result<(), Refusal> {
        let page = read_page(answer, &self.config)?;
        for reason in page.unreadable {
            self.tell(Event::Error(Failure::unreadable("history", reason)));
        }
        fetch.fruitless = if page.messages.is_empty() { fetch.fruitless + 1 } else { 0 };
        let walk = self.history.queues.entry(fetch.queue.clone()).or_default();
        walk.newest_first.extend(page.messages);
        let moves_on = page.next_key.is_some() && page.next_key != fetch.asked;
        // An empty page is the end even where the server does not say so; the SDK asks for ever.
        walk.is_last = page.is_last || page.entries == 0 || !moves_on;
        walk.next_key = page.next_key;
        if fetch.fruitless >= FRUITLESS_LIMIT {
            return Err(Refusal::Unreadable(format!(
                "{FRUITLESS_LIMIT} pages held nothing that can be shown"
            )));
        }
        match self.history.begin(&mut fetch) {
            Some(messages) => self.tell(Event::History { call: id, messages }),
            None => self.calls.again(id, Call::History(fetch)),
        }
        Ok(())
    }
}

impl History {
    /// What is wanted, oldest first, if no request is needed for it; else `fetch` is ready for its request.
    pub(crate) fn begin(&mut self, fetch: &mut Fetch) -> Option<Vec<Incoming>> {
        if let Some(start) = fetch.start.take() {
            let walk = Walk { next_key: Some(start), ..Walk::default() };
            self.queues.insert(fetch.queue.clone(), walk);
        }
        let walk = self.queues.entry(fetch.queue.clone()).or_default();
        if walk.newest_first.len() < fetch.count && !walk.is_last {
            fetch.asked.clone_from(&walk.next_key);
            return None;
        }
        let wanted = fetch.count.min(walk.newest_first.len());
        let mut messages: Vec<Incoming> = walk.newest_first.drain(..wanted).collect();
        messages.reverse();
        Some(messages)
    }
}

impl Fetch {
    pub(crate) fn ask(&self, config: &Config) -> Ask {
        let path = format!("/users/{}/messageroaming", segment(&config.username));
        let start = self.asked.as_ref().map_or_else(|| json!(-1), |key| json!(key));
        let body = json!({ "queue": self.queue, "start": start, "end": -1 });
        Ask::with(HttpMethod::Post, path, body.to_string())
    }
}

/// The queue of a conversation, as the service names it there.
pub(crate) fn queue_of(chat: Chat, with: &str) -> String {
    let domain = match chat {
        Chat::Single => USER_DOMAIN,
        Chat::Group | Chat::Room => CONFERENCE_DOMAIN,
    };
    format!("{with}@{domain}")
}

/// A page as it came.
pub(crate) struct ReadPage {
    /// In the order of the service.
    pub(crate) messages: Vec<Incoming>,
    /// Why some are not there. One that cannot be read costs none of its neighbours.
    pub(crate) unreadable: Vec<String>,
    /// How many entries there were, of whatever kind.
    pub(crate) entries: usize,
    pub(crate) is_last: bool,
    pub(crate) next_key: Option<String>,
}

pub(crate) fn read_page(answer: &HttpAnswer, config: &Config) -> Result<ReadPage, Refusal> {
    let Page { msgs, is_last, next_key } = answer.read::<PageAnswer>()?.data;
    let (mut messages, mut unreadable) = (Vec::new(), Vec::new());
    for entry in &msgs {
        match read_entry(entry, config) {
            Ok(shown) => messages.extend(shown),
            Err(reason) => unreadable.push(reason),
        }
    }
    Ok(ReadPage { messages, unreadable, entries: msgs.len(), is_last, next_key })
}

#[derive(Deserialize)]
struct PageAnswer {
    data: Page,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    msgs: Vec<Entry>,
    #[serde(default)]
    is_last: bool,
    #[serde(default, deserialize_with = "key")]
    next_key: Option<String>,
}

/// `msg` is a Meta in base64.
#[derive(Deserialize)]
struct Entry {
    msg: String,
}

/// The key is opaque; a server may write it as a number.
fn key<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(key) if !key.is_empty() => Some(key),
        Value::Number(key) => Some(key.to_string()),
        Value::Null | Value::String(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    })
}

/// The messages of one entry; none of one that is no message, as the SDK does.
fn read_entry(entry: &Entry, config: &Config) -> Result<Vec<Incoming>, String> {
    let bytes = STANDARD.decode(&entry.msg).map_err(|error| error.to_string())?;
    let meta = Meta::decode(Bytes::from(bytes)).map_err(|error| error.to_string())?;
    if meta.ns != Some(NameSpace::Chat.into()) {
        return Ok(Vec::new());
    }
    let payload = meta.payload.clone().ok_or("it has no payload")?;
    Ok(match read_chat(&meta, payload, config)? {
        ChatMeta::Messages(messages) => messages,
        ChatMeta::Modified(_) | ChatMeta::Receipt(_) | ChatMeta::Nothing => Vec::new(),
    })
}
