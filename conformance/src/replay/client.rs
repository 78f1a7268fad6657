//! What a server sent, given to a client: the recorded lines are asked, and a server that only plays the record answers
//! what the recorded one did. No world, no judge: it tells where the client does otherwise than the recorded one.
//!
//! Times, a client's own message ids and the names of its devices may differ. A client that does nothing more is waited
//! for only so long.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use mock_server::journal::Given;
use mock_server::tape::Event as Taped;
use serde::Deserialize;
use serde_json::Value as Json;

use super::renamed::Renamed;
use super::script::Script;
use super::sockets::Sockets;
use super::{Unplayable, server};
use crate::attachment::Files;
use crate::bundle::Bundle;
use crate::driver::lines::Said;
use crate::driver::{Answer, Command, Device, Driver, DriverError, Event, EventKind, ProcessCommand};
use crate::real_time::Deadline;
use crate::trace::Marked;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// How many lines were asked.
    pub lines: usize,
    /// How many events the client showed.
    pub events: usize,
    /// Where it did otherwise, each with what the record has.
    pub differences: Vec<String>,
}

/// A line of the record that was asked.
#[derive(Deserialize)]
struct Asked {
    id: u64,
    #[serde(default)]
    user: Option<Device>,
    command: Json,
}

/// How long one look for an event takes.
const LOOK: Duration = Duration::from_millis(10);
/// How many events more than in the record are heard: one more is a difference, and after these a client shows them
/// without end.
const EVENTS_MORE_MAX: usize = 1_000;
/// How long the client may do nothing at the end before that is the end.
const STILL: Duration = Duration::from_millis(300);

/// Plays to a client. It is waited for at most `within` whenever nothing happens.
pub fn play(bundle: &Bundle, driver: &mut dyn Driver, within: Duration) -> Result<Played, Unplayable> {
    playable(bundle)?;
    let harness = |error: std::io::Error| Unplayable::Harness(format!("the playback's server: {error}"));
    let then = authority(bundle);
    let listener = Sockets::bind(then.as_ref().and_then(|then| then.parse().ok())).map_err(harness)?;
    let now: SocketAddr = listener.local_addr().map_err(harness)?;
    let renamed = Renamed::new(then.map(|then| (then, now.to_string())));
    let lines = bundle.marks.iter().filter(|mark| matches!(mark.what, Marked::Asked(_))).map(|mark| mark.row);
    let script = Script::new(bundle.tape.clone(), lines.collect(), renamed);
    let sockets =
        Sockets::start(listener, script, &bundle.app_key, contents(bundle), within).map_err(harness)?;
    let files = server::scenario(bundle).map(|scenario| scenario.given.files).unwrap_or_default();
    let mut player = Player {
        sockets,
        driver,
        within,
        files: Files::new(files),
        answers: answers(bundle),
        shown: BTreeMap::new(),
        recorded: recorded(bundle).values().map(Vec::len).sum(),
        seen: 0,
        lines: 0,
    };
    let lost = player.go_through(bundle);
    let Player { sockets, shown, seen, lines, .. } = player;
    let mut differences = sockets.with(|script| std::mem::take(&mut script.differences));
    if let Err(error) = lost {
        differences.push(error.to_string());
    }
    differences.extend(sockets.with(|script| events(bundle, &shown, &mut script.renamed)));
    Ok(Played { lines, events: seen, differences })
}

/// Whether there is anything to ask a client, before one is started.
pub fn playable(bundle: &Bundle) -> Result<(), Unplayable> {
    if bundle.is_live() {
        return Err(Unplayable::NothingAsked);
    }
    if bundle.marks_left_out > 0 {
        let why = "the first lines of this record are not in it: there were too many";
        return Err(Unplayable::Harness(why.to_owned()));
    }
    Ok(())
}

struct Player<'a> {
    sockets: Sockets,
    driver: &'a mut dyn Driver,
    within: Duration,
    files: Files,
    /// What each line was answered in the record.
    answers: BTreeMap<u64, Answer>,
    shown: BTreeMap<String, Vec<Json>>,
    /// How many events there are in the record.
    recorded: usize,
    seen: usize,
    lines: usize,
}

impl Player<'_> {
    fn go_through(&mut self, bundle: &Bundle) -> Result<(), DriverError> {
        let mut events = 0;
        for mark in &bundle.marks {
            match &mark.what {
                Marked::Said(line) => events += usize::from(shown(line).is_some()),
                Marked::Asked(line) => {
                    if !self.reach(mark.row, events)? {
                        return Ok(());
                    }
                    self.ask(line)?;
                }
                Marked::Step { .. } | Marked::Control(_) | Marked::Advanced { .. } => {}
            }
        }
        self.reach(bundle.tape.len(), events)?;
        // What it does too much comes now.
        while self.seen < self.recorded + EVENTS_MORE_MAX
            && let Some((device, event)) = self.driver.event(STILL)?
        {
            self.keep(&device, &event);
        }
        Ok(())
    }

    /// Waits until the client has done and shown what it had by then; false when it does not, which is told.
    fn reach(&mut self, row: usize, events: usize) -> Result<bool, DriverError> {
        let mut deadline = Deadline::after(self.within);
        let mut before = (0, 0);
        loop {
            let (past, progress) = self.sockets.with(|script| (script.is_past(row), script.progress));
            if past && self.seen >= events {
                return Ok(true);
            }
            // What is not in the record is no progress: a client that goes on with it for ever is not waited for.
            let now = (progress, self.seen.min(self.recorded));
            if now != before {
                before = now;
                deadline = Deadline::after(self.within);
            }
            if deadline.left().is_zero() || self.seen >= self.recorded + EVENTS_MORE_MAX {
                let within = self.within;
                self.sockets.with(|script| {
                    let what = match script.waits_for().filter(|_| !past) {
                        Some(what) => format!("this, which is in the record: {what}"),
                        None => "an event that it showed in the record".to_owned(),
                    };
                    script.differs(format!(
                        "the client did nothing more within {within:?}, and there lacks {what}"
                    ));
                });
                return Ok(false);
            }
            match self.driver.event(LOOK)? {
                Some((device, event)) => self.keep(&device, &event),
                None => self.sockets.wait(LOOK),
            }
        }
    }

    fn ask(&mut self, line: &str) -> Result<(), DriverError> {
        let text = self.sockets.with(|script| script.renamed.text(line));
        let Ok(Asked { id, user, command }) = serde_json::from_str::<Asked>(&text) else { return Ok(()) };
        // Counted first: what it brings about may come before its answer.
        self.sockets.with(Script::line_asked);
        self.lines += 1;
        let answer = match user {
            None => match serde_json::from_value::<ProcessCommand>(command) {
                Ok(command) => self.driver.process(command)?,
                Err(_) => return Ok(()),
            },
            Some(user) => match serde_json::from_value::<Command>(command) {
                Ok(mut command) => {
                    self.place_file(&mut command);
                    self.driver.command(&user, &command)?
                }
                Err(error) => {
                    let said = format!("this build knows no such command: {error}\n  {text}");
                    self.sockets.with(|script| script.differs(said));
                    return Ok(());
                }
            },
        };
        // In whose words a call refused is the client's affair.
        let recorded = self.answers.get(&id);
        let same = match (recorded, &answer) {
            (Some(Answer::Ok(_)), Answer::Ok(_)) | (Some(Answer::Error(_)), Answer::Error(_)) => true,
            (Some(Answer::Unsupported(then)), Answer::Unsupported(now)) => then == now,
            (Some(Answer::Ok(_) | Answer::Error(_) | Answer::Unsupported(_)) | None, _) => false,
        };
        if !same {
            let recorded = recorded.map_or_else(|| "nothing".to_owned(), words);
            let now = words(&answer);
            let said = format!("answered otherwise: recorded {recorded}, now {now}\n  {text}");
            self.sockets.with(|script| script.differs(said));
        }
        Ok(())
    }

    /// The recorded file lay in a folder that is gone.
    fn place_file(&mut self, command: &mut Command) {
        let Some(name) = command.file().and_then(|path| path.rsplit(['/', '\\']).next()).map(str::to_owned)
        else {
            return;
        };
        if let Ok(path) = self.files.path(&name) {
            command.set_file(path);
        }
    }

    fn keep(&mut self, device: &Device, event: &Event) {
        if is_chance(event) {
            return;
        }
        let event = serde_json::to_value(event).expect("an event has only string keys");
        self.shown.entry(device.to_string()).or_default().push(event);
        self.seen += 1;
    }
}

/// What each line was answered, by its number.
fn answers(bundle: &Bundle) -> BTreeMap<u64, Answer> {
    let said = bundle.marks.iter().filter_map(|mark| match &mark.what {
        Marked::Said(line) => Said::parse(line.as_bytes()).ok(),
        Marked::Asked(_) | Marked::Step { .. } | Marked::Control(_) | Marked::Advanced { .. } => None,
    });
    said.filter_map(|said| match said {
        Said::Answer(id, answer) => Some((id, answer)),
        Said::Hello(_) | Said::Event(_, _) => None,
    })
    .collect()
}

/// An answer, in words.
fn words(answer: &Answer) -> String {
    match answer {
        Answer::Ok(_) => "ok".to_owned(),
        Answer::Unsupported(what) => format!("unsupported ({what})"),
        Answer::Error(why) => format!("error ({why})"),
    }
}

/// The event that a line shows, and whose it is.
fn shown(line: &str) -> Option<(Device, Event)> {
    match Said::parse(line.as_bytes()) {
        Ok(Said::Event(device, event)) if !is_chance(&event) => Some((device, event)),
        Ok(Said::Event(_, _) | Said::Hello(_) | Said::Answer(_, _)) | Err(_) => None,
    }
}

/// How often an upload tells of its progress is nobody's choice.
fn is_chance(event: &Event) -> bool {
    event.kind == EventKind::UploadProgress
}

/// What each device showed in the record.
fn recorded(bundle: &Bundle) -> BTreeMap<String, Vec<Json>> {
    let mut recorded: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for mark in &bundle.marks {
        if let Marked::Said(line) = &mark.what
            && let Some((device, event)) = shown(line)
        {
            let event = serde_json::to_value(event).expect("an event has only string keys");
            recorded.entry(device.to_string()).or_default().push(event);
        }
    }
    recorded
}

/// Where a device showed something else than in the record.
fn events(bundle: &Bundle, shown: &BTreeMap<String, Vec<Json>>, renamed: &mut Renamed) -> Vec<String> {
    let recorded = recorded(bundle);
    let mut lines = Vec::new();
    let devices: std::collections::BTreeSet<&String> = recorded.keys().chain(shown.keys()).collect();
    for device in devices {
        let told = |of: &BTreeMap<String, Vec<Json>>| of.get(device).cloned().unwrap_or_default();
        let (then, now) = (told(&recorded), told(shown));
        for index in 0..then.len().max(now.len()) {
            let line = match (then.get(index), now.get(index)) {
                (Some(then), Some(now)) => {
                    let lines = renamed.compare_json(then, now);
                    if lines.is_empty() {
                        continue;
                    }
                    format!(
                        "{device} shows another event than its {} of the record\n  {}",
                        nth(index),
                        lines.join("\n  ")
                    )
                }
                (Some(then), None) => format!("{device} does not show its {} event: {then}", nth(index)),
                (None, now) => {
                    format!(
                        "{device} shows an event more: {}",
                        now.map(ToString::to_string).unwrap_or_default()
                    )
                }
            };
            lines.push(line);
            // What follows differs because of this.
            break;
        }
    }
    lines
}

fn nth(index: usize) -> String {
    match index {
        0 => "1st".to_owned(),
        1 => "2nd".to_owned(),
        2 => "3rd".to_owned(),
        other => format!("{}th", other + 1),
    }
}

/// Where the recorded server was, as the client was told.
fn authority(bundle: &Bundle) -> Option<String> {
    bundle.marks.iter().find_map(|mark| {
        let Marked::Asked(line) = &mark.what else { return None };
        let asked: Asked = serde_json::from_str(line).ok()?;
        let rest = asked.command.get("create")?.get("rest")?.as_str()?;
        Some(rest.strip_prefix("http://")?.split('/').next()?.to_owned())
    })
}

/// What each file that was uploaded held, by the name that the server gave it.
fn contents(bundle: &Bundle) -> BTreeMap<String, Bytes> {
    let mut contents = BTreeMap::new();
    let mut held: Vec<Bytes> = bundle
        .journal
        .iter()
        .flatten()
        .filter_map(|entry| match &entry.given {
            Given::Http { content: Some(content), .. } => Some(content.clone()),
            _other => None,
        })
        .collect();
    held.reverse();
    for row in &bundle.tape {
        let Taped::Http { method, path, answer, body, .. } = &row.event else { continue };
        let is_file = serde_json::from_slice::<Json>(body).is_ok_and(|body| body.get("file").is_some());
        if method != "POST" || !path.starts_with("/chatfiles") || !is_file {
            continue;
        }
        let Some(content) = held.pop() else { break };
        let answer: Json = serde_json::from_slice(answer).unwrap_or(Json::Null);
        if let Some(uuid) = answer.pointer("/entities/0/uuid").and_then(Json::as_str) {
            contents.insert(uuid.to_owned(), content);
        }
    }
    contents
}
