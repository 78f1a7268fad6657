//! A journal given to a new machine: what went over the wires, had it happened again just so.
//!
//! No socket and no clock: time is what the journal says. Nobody is asked anything: what an app's own server answered
//! then stands in the journal.

use std::collections::{BTreeMap, BTreeSet};

use crate::journal::{Entry, Given};
use crate::machine::rest::Request;
use crate::machine::{
    AppKey, BlobId, Close, Config, ConnId, Finding, Input, Millis, Output, RequestId, Server, WebhookId,
};
use crate::tape::{Direction, Event, FINDINGS_MAX, Row};

/// What a machine did when a journal was given to it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Replayed {
    /// Its tape, as a world would have kept it.
    pub rows: Vec<Row>,
    /// For each row the journal's entry that brought it about, by index.
    pub caused_by: Vec<usize>,
    /// What the clients did wrong.
    pub findings: Vec<Finding>,
}

/// Why a journal cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoJournal {
    /// Its first entry is not the making of the world, or another one is.
    #[error("the journal does not begin with the making of its world, so what went before is not known")]
    NoBeginning,
    /// Its app key is none.
    #[error("the journal's world is called {0:?}; org#app is expected")]
    AppKey(String),
}

/// The world that a journal begins with.
fn config(entries: &[Entry]) -> Result<Config, NoJournal> {
    let Some((Entry { given: Given::Made { app_key, settings, first_id, seed, nasty }, .. }, rest)) =
        entries.split_first()
    else {
        return Err(NoJournal::NoBeginning);
    };
    if rest.iter().any(|entry| matches!(entry.given, Given::Made { .. })) {
        return Err(NoJournal::NoBeginning);
    }
    let app_key = AppKey::parse(app_key).ok_or_else(|| NoJournal::AppKey(app_key.clone()))?;
    Ok(Config { app_key, settings: (**settings).clone(), first_id: *first_id, seed: *seed, nasty: *nasty })
}

/// Gives a journal to a new machine.
pub fn replay(entries: &[Entry]) -> Result<Replayed, NoJournal> {
    Ok(Replay::of(entries)?.replayed)
}

/// A machine where a journal ends, and what its host would know by then.
#[derive(Debug)]
pub(crate) struct Replay {
    pub(crate) app_key: AppKey,
    pub(crate) machine: Server,
    pub(crate) replayed: Replayed,
    /// The connections that are open.
    pub(crate) open: BTreeSet<ConnId>,
    /// Those that were told to go and have not.
    pub(crate) leaving: BTreeSet<ConnId>,
    /// What an app's own server was asked and has not answered.
    pub(crate) unanswered: BTreeSet<WebhookId>,
    /// Requests that are not answered.
    pub(crate) asked: BTreeMap<RequestId, Box<Request>>,
    /// The number of the last request.
    pub(crate) requests: u64,
    /// What became of attachments, in order.
    pub(crate) blobs: Vec<BlobChange>,
}

/// What becomes of an attachment's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BlobChange {
    Forgotten(BlobId),
    Joined(Vec<BlobId>),
}

impl Replay {
    pub(crate) fn of(entries: &[Entry]) -> Result<Self, NoJournal> {
        let config = config(entries)?;
        let mut replay = Self {
            app_key: config.app_key.clone(),
            machine: Server::new(config),
            replayed: Replayed::default(),
            open: BTreeSet::new(),
            leaving: BTreeSet::new(),
            unanswered: BTreeSet::new(),
            asked: BTreeMap::new(),
            requests: 0,
            blobs: Vec::new(),
        };
        for (index, Entry { at, given, .. }) in entries.iter().enumerate() {
            replay.give(*at, given);
            replay.replayed.caused_by.resize(replay.replayed.rows.len(), index);
        }
        Ok(replay)
    }

    fn row(&mut self, at: Millis, event: Event) {
        self.replayed.rows.push(Row { at, event });
    }

    fn give(&mut self, at: Millis, given: &Given) {
        match given {
            Given::Stopped(_) => self.machine.clock_stands(),
            Given::Made { .. } | Given::Running | Given::Advanced { .. } => {}
            Given::Opened { conn, door } => {
                self.open.insert(*conn);
                self.row(at, Event::Opened { conn: *conn, door: *door });
                self.machine.handle(at, Input::Opened { conn: *conn });
            }
            Given::Frame { conn, bytes } => {
                let event = Event::Frame { conn: *conn, direction: Direction::Up, bytes: bytes.clone() };
                self.row(at, event);
                self.machine.handle(at, Input::Frame { conn: *conn, bytes: bytes.clone() });
            }
            Given::Closed { conn, why } => {
                self.open.remove(conn);
                self.leaving.remove(conn);
                self.row(at, Event::Closed { conn: *conn, why: why.clone() });
                self.machine.handle(at, Input::Closed { conn: *conn });
            }
            Given::Http { request, .. } => {
                self.requests += 1;
                let id = RequestId(self.requests);
                self.asked.insert(id, request.clone());
                self.machine.handle(at, Input::Http { id, request: request.clone() });
            }
            Given::Webhook { id, answer } => {
                self.unanswered.remove(id);
                self.machine.handle(at, Input::Webhook { id: *id, answer: answer.clone() });
            }
            Given::AtDoor { fault, deed, text } => {
                self.row(at, Event::AtDoor { fault: *fault, deed: *deed, text: text.clone() });
            }
            Given::Timeout => self.machine.handle(at, Input::Timeout),
            // What was refused changed nothing, then and now.
            Given::Control(control) => drop(self.machine.control(at, (**control).clone())),
        }
        self.carry_out(at);
    }

    fn carry_out(&mut self, at: Millis) {
        let mut answers = Vec::new();
        while let Some(output) = self.machine.poll_output() {
            let event = match output {
                Output::Frame { conn, bytes } => Event::Frame { conn, direction: Direction::Down, bytes },
                Output::Close { conn, how: Close::Code(_) | Close::Cut | Close::Reset } => {
                    self.leaving.extend(self.open.take(&conn));
                    continue;
                }
                Output::Close { conn, how: Close::Mute } => Event::Muted { conn },
                Output::Fault { conn, rule, deed, text } => Event::Fault { conn, rule, deed, text },
                Output::LoggedIn { conn, user, resource } => Event::LoggedIn { conn, user, resource },
                Output::Http { id, response } => {
                    answers.push((id, response));
                    continue;
                }
                Output::Finding(finding) => {
                    if self.replayed.findings.len() < FINDINGS_MAX {
                        self.replayed.findings.push(finding);
                    }
                    continue;
                }
                Output::ForgetBlob(blob) => {
                    self.blobs.push(BlobChange::Forgotten(blob));
                    continue;
                }
                Output::JoinBlobs(parts) => {
                    self.blobs.push(BlobChange::Joined(parts));
                    continue;
                }
                Output::Webhook { id, .. } => {
                    self.unanswered.insert(id);
                    continue;
                }
                Output::Warning(_) | Output::Heartbeat { .. } => continue,
            };
            self.row(at, event);
        }
        for (id, response) in answers {
            let Some(request) = self.asked.remove(&id) else { continue };
            let user = request.token.as_deref().and_then(|token| self.machine.token_user(at, token));
            let event = Event::asked(&request, user, &response);
            self.row(at, event);
        }
    }
}
