//! A shim under examination: its process, its lines as they come, and a ledger of what was asked and answered.
//!
//! Unlike [`crate::driver::subprocess`] it gives nothing up: what breaks the protocol is noted, and it listens on.

use std::collections::{BTreeMap, VecDeque};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::driver::lines::{LINE_BYTES_MAX, Line, Pipes, Said, Tail, excerpt};
use crate::driver::subprocess::Program;
use crate::driver::{Answer, Device, Event, EventKind};
use crate::real_time::Deadline;

/// Events that are kept to be looked at: no check brings about more than a dozen.
const EVENTS_MAX: usize = 1_000;
/// Lines that are no lines of the protocol, as examples.
const GARBAGE_MAX: usize = 3;
/// How long it is waited between two looks at whether a process has ended.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// What came of a request.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    Answer(Answer),
    /// Nothing in time.
    Late,
    /// The process ended instead; how.
    Ended(String),
}

/// How a process left.
pub(super) struct Leaving {
    /// `None`: it had to be killed.
    pub(super) status: Option<ExitStatus>,
    /// Whether something went on holding its stdout or stderr.
    pub(super) held: bool,
}

pub(super) struct Patient {
    child: Child,
    stdin: Option<Sender<String>>,
    lines: Receiver<Line>,
    stderr: Arc<Mutex<Tail>>,
    stderr_ended: Receiver<()>,
    next_id: u64,
    /// What was asked under each id, and how often it was answered.
    ledger: BTreeMap<u64, (String, u32)>,
    /// Ids of answers that nobody asked for.
    pub(super) unasked: Vec<u64>,
    /// What else was wrong with lines, and how many there were.
    pub(super) garbage: Vec<String>,
    pub(super) garbage_lines: usize,
    pub(super) lines_heard: usize,
    events: VecDeque<(Device, Event)>,
    pub(super) events_lost: usize,
    ended: Option<String>,
}

impl Patient {
    pub(super) fn start(program: &Program) -> Result<Self, String> {
        let mut child = std::process::Command::new(&program.program)
            .args(&program.args)
            .current_dir(&program.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.program.display()))?;
        let Pipes { requests, lines, wake: _, stderr, stderr_ended } = Pipes::of(&mut child);
        Ok(Self {
            child,
            stdin: Some(requests),
            lines,
            stderr,
            stderr_ended,
            next_id: 1,
            ledger: BTreeMap::new(),
            unasked: Vec::new(),
            garbage: Vec::new(),
            garbage_lines: 0,
            lines_heard: 0,
            events: VecDeque::new(),
            events_lost: 0,
            ended: None,
        })
    }

    /// The next line as it is, for a hello that may be wrong. `Ok(None)`: not in time; `Err`: it ended, and how.
    pub(super) fn raw_line(&mut self, deadline: Deadline) -> Result<Option<Vec<u8>>, String> {
        if let Some(ended) = &self.ended {
            return Err(ended.clone());
        }
        let left = deadline.left();
        if left.is_zero() {
            // There may be lines, and always more of them.
            return Ok(None);
        }
        let line = match self.lines.recv_timeout(left) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => Line::End(None),
        };
        self.lines_heard += 1;
        match line {
            Line::Text(bytes) => Ok(Some(bytes)),
            Line::TooLong(start) => {
                self.note_garbage(format!("a line longer than {LINE_BYTES_MAX} bytes: {}", excerpt(&start)));
                // Nothing reads on behind such a line.
                Err(self.end())
            }
            Line::End(_) => {
                self.lines_heard -= 1;
                Err(self.end())
            }
            Line::Wake => unreachable!("nobody ends a doctor's patient"),
        }
    }

    pub(super) fn note_garbage(&mut self, what: String) {
        self.garbage_lines += 1;
        if self.garbage.len() < GARBAGE_MAX {
            self.garbage.push(what);
        }
    }

    /// Its stdout is closed: it is dead, or as good as.
    fn end(&mut self) -> String {
        let status = self.wait(Deadline::after(Duration::from_secs(1)));
        let mut text = match status {
            Some(status) => format!("it ended ({status})"),
            None => "it closed its stdout and went on".to_owned(),
        };
        self.child.kill().ok();
        self.child.wait().ok();
        self.stderr_ended.recv_timeout(Duration::from_secs(1)).ok();
        let last = self.remarks();
        if last.is_empty() {
            text.push_str(" and wrote nothing to stderr");
        } else {
            let last: Vec<&str> = last.lines().rev().take(3).collect();
            let last: Vec<String> = last.into_iter().rev().map(|line| excerpt(line.as_bytes())).collect();
            text.push_str(&format!("; its stderr ends:\n{}", last.join("\n")));
        }
        self.ended = Some(text.clone());
        text
    }

    fn wait(&mut self, deadline: Deadline) -> Option<ExitStatus> {
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            if deadline.left().is_zero() {
                return None;
            }
            thread::park_timeout(LOOK_EVERY);
        }
    }

    /// Writes a line as it is.
    pub(super) fn write(&mut self, line: &str) {
        if let Some(stdin) = &self.stdin {
            stdin.send(format!("{line}\n")).ok();
        }
    }

    /// Makes a request and waits for its answer; events that come before it are kept.
    pub(super) fn ask(&mut self, user: Option<&str>, command: &Value, within: Duration) -> Reply {
        let id = self.next_id;
        self.next_id += 1;
        let name = command.as_object().and_then(|object| object.keys().next()).cloned().unwrap_or_default();
        self.ledger.insert(id, (name, 0));
        let line = match user {
            Some(user) => json!({"id": id, "user": user, "command": command}),
            None => json!({"id": id, "command": command}),
        };
        self.write(&line.to_string());
        let deadline = Deadline::after(within);
        loop {
            match self.said(deadline) {
                Ok(Some(Said::Answer(answered, answer))) if answered == id => return Reply::Answer(answer),
                Ok(Some(_)) => {}
                Ok(None) => return Reply::Late,
                Err(ended) => return Reply::Ended(ended),
            }
        }
    }

    /// The next line that says something; events are kept, answers noted.
    fn said(&mut self, deadline: Deadline) -> Result<Option<Said>, String> {
        loop {
            let Some(bytes) = self.raw_line(deadline)? else { return Ok(None) };
            match Said::parse(&bytes) {
                Ok(Said::Event(device, event)) => {
                    if self.events.len() < EVENTS_MAX {
                        self.events.push_back((device.clone(), event.clone()));
                    } else {
                        self.events_lost += 1;
                    }
                    return Ok(Some(Said::Event(device, event)));
                }
                Ok(Said::Answer(id, answer)) => {
                    match self.ledger.get_mut(&id) {
                        Some((_, times)) => *times += 1,
                        None if self.unasked.len() < GARBAGE_MAX => self.unasked.push(id),
                        None => {}
                    }
                    return Ok(Some(Said::Answer(id, answer)));
                }
                Ok(Said::Hello(_)) => self.note_garbage("a second hello".to_owned()),
                Err(why) => self.note_garbage(format!("{why}: {}", excerpt(&bytes))),
            }
        }
    }

    /// Takes in what comes until then, or until the process ends.
    pub(super) fn listen(&mut self, within: Duration) {
        let deadline = Deadline::after(within);
        while let Ok(Some(_)) = self.said(deadline) {}
    }

    /// The device's next event of one of these kinds; others of the device that come before it go.
    pub(super) fn event(&mut self, user: &str, kinds: &[EventKind], within: Duration) -> Option<Event> {
        let deadline = Deadline::after(within);
        loop {
            let is_meant =
                |(of, event): &(Device, Event)| of.to_string() == user && kinds.contains(&event.kind);
            if let Some(at) = self.events.iter().position(is_meant) {
                return self.events.remove(at).map(|(_, event)| event);
            }
            match self.said(deadline) {
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return None,
            }
        }
    }

    /// What was shown and no check has taken.
    pub(super) fn take_events(&mut self) -> Vec<(Device, Event)> {
        self.events.drain(..).collect()
    }

    /// Requests that were answered more than once.
    pub(super) fn answered_twice(&self) -> Vec<String> {
        let twice = self.ledger.iter().filter(|(_, (_, times))| *times > 1);
        twice.map(|(id, (name, times))| format!("request {id} ({name}) {times} times")).collect()
    }

    pub(super) fn requests(&self) -> usize {
        self.ledger.len()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    pub(super) fn remarks(&mut self) -> String {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Ends its stdin, and sees how it leaves.
    pub(super) fn leave(&mut self, within: Duration) -> Leaving {
        self.stdin = None;
        let deadline = Deadline::after(within);
        let status = loop {
            // What it still says is read, so that it does not hang in a full pipe.
            self.listen_to_the_end(Deadline::after(LOOK_EVERY));
            match self.wait(Deadline::after(LOOK_EVERY)) {
                None if !deadline.left().is_zero() => {}
                status => break status,
            }
        };
        if status.is_none() {
            return Leaving { status, held: false };
        }
        let deadline = Deadline::after(within);
        self.listen_to_the_end(deadline);
        let stdout_ended = self.ended.is_some();
        let stderr_ended =
            self.stderr_ended.recv_timeout(deadline.left()) == Err(RecvTimeoutError::Disconnected);
        Leaving { status, held: !(stdout_ended && stderr_ended) }
    }

    fn listen_to_the_end(&mut self, deadline: Deadline) {
        while self.ended.is_none() && !deadline.left().is_zero() {
            match self.lines.recv_timeout(deadline.left()) {
                Ok(Line::Text(_) | Line::Wake) => {}
                Ok(Line::TooLong(_) | Line::End(_)) | Err(RecvTimeoutError::Disconnected) => {
                    self.ended = Some("its stdin was ended".to_owned());
                }
                Err(RecvTimeoutError::Timeout) => return,
            }
        }
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
