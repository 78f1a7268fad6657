//! A client behind stdin and stdout of a child process.
//!
//! It takes nothing on trust: a child that dies, hangs, floods or writes rubbish is an error that says so, and
//! never blocks or exhausts the harness.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TryRecvError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::real_time::Deadline;
use crate::trace::{Marked, Recorder};

use super::lines::{LINE_BYTES_MAX, Line, Pipes, Said, Tail, excerpt};
use super::process::{self, Process, locked};
use super::{Answer, Command, Device, Driver, DriverError, Event, Hello, PROTOCOL, ProcessCommand};

pub use super::process::Handle;

/// Events that no step has taken yet: the largest scenario has a few thousand.
const EVENTS_WAITING_MAX: usize = 16_384;
/// The same in bytes, so that a few thousand of the longest lines do not add up to gigabytes.
const EVENT_BYTES_WAITING_MAX: usize = 64 << 20;
/// How long a child may take to leave after its stdin has ended; then it is killed.
const LEAVE_WITHIN: Duration = Duration::from_secs(1);

/// How to start a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// The program; with a path, or to be found on `PATH`.
    pub program: OsString,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// The folder it runs in.
    pub folder: PathBuf,
}

/// How long a child is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From start to hello. DRIVER.md gives 30 s: a browser on a machine that is busy has taken 19.
    pub hello: Duration,
    /// From a request to its answer. DRIVER.md gives 5 s.
    pub answer: Duration,
}

/// A running child.
#[derive(Debug)]
pub struct Subprocess {
    process: Arc<Mutex<Process>>,
    stopped: Arc<AtomicBool>,
    wake: SyncSender<Line>,
    requests: Option<Sender<String>>,
    lines: Receiver<Line>,
    stderr: Arc<Mutex<Tail>>,
    stderr_ended: Receiver<()>,
    hello: Hello,
    limits: Limits,
    next_id: u64,
    /// Events that no step has taken yet, each with the length of its line.
    waiting: VecDeque<(Device, Event, usize)>,
    waiting_bytes: usize,
    /// Why it is of no use any more; every later call says the same.
    lost: Option<DriverError>,
    recorder: Option<Recorder>,
    /// The request whose answer tells nobody anything: the last `sync`.
    sync: Option<u64>,
}

impl Subprocess {
    /// Starts the program and waits for its hello.
    pub fn start(program: &Program, limits: Limits) -> Result<Self, DriverError> {
        Self::start_watched(program, limits, drop)
    }

    /// As [`Subprocess::start`]; `watch` is given a way to end the process even before it has said hello.
    pub fn start_watched(
        program: &Program,
        limits: Limits,
        watch: impl FnOnce(Handle),
    ) -> Result<Self, DriverError> {
        let mut command = std::process::Command::new(&program.program);
        process::apart(&mut command);
        let mut child = command
            .args(&program.args)
            .current_dir(&program.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| DriverError::Start(format!("{}: {error}", program.program.display())))?;
        let Pipes { requests, lines, wake, stderr, stderr_ended } = Pipes::of(&mut child);
        let hello = Hello {
            protocol: 0,
            name: String::new(),
            version: String::new(),
            capabilities: Default::default(),
        };
        let mut this = Self {
            process: Process::new(child),
            stopped: Arc::default(),
            wake,
            requests: Some(requests),
            lines,
            stderr,
            stderr_ended,
            hello,
            limits,
            next_id: 1,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            lost: None,
            recorder: None,
            sync: None,
        };
        watch(this.handle());
        match this.first_line() {
            Ok(hello) => this.hello = hello,
            Err(DriverError::Interrupted) => return Err(DriverError::Interrupted),
            Err(error) => {
                let mut reason = match error {
                    DriverError::Start(reason) => reason,
                    other => other.to_string(),
                };
                let remarks = this.remarks();
                if !remarks.is_empty() {
                    reason = format!("{reason}; its stderr ends:\n{remarks}");
                }
                return Err(DriverError::Start(reason));
            }
        }
        Ok(this)
    }

    /// A way to end it from another thread.
    pub fn handle(&self) -> Handle {
        Handle::new(&self.process, &self.stopped, self.wake.clone())
    }

    fn first_line(&mut self) -> Result<Hello, DriverError> {
        let Some((line, _)) = self.line(Deadline::after(self.limits.hello))? else {
            let within = self.limits.hello;
            return Err(self.lose(DriverError::Silent { what: "with a hello line".to_owned(), within }));
        };
        let hello = match line {
            Said::Hello(hello) => hello,
            Said::Answer(id, _) => {
                return Err(self.broken(format!("answered request {id} before its hello")));
            }
            Said::Event(device, event) => {
                return Err(self.broken(format!("event {event} of {device} before its hello")));
            }
        };
        if hello.protocol != PROTOCOL {
            let text = format!("it speaks version {}, this harness speaks {PROTOCOL}", hello.protocol);
            return Err(self.broken(text));
        }
        Ok(hello)
    }

    fn ask(
        &mut self,
        what: &str,
        user: Option<&Device>,
        command: impl Serialize,
    ) -> Result<Answer, DriverError> {
        #[derive(Serialize)]
        struct Request<'a, C> {
            id: u64,
            #[serde(skip_serializing_if = "Option::is_none")]
            user: Option<&'a Device>,
            command: C,
        }
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        let id = self.next_id;
        self.next_id += 1;
        let mut line =
            serde_json::to_string(&Request { id, user, command }).expect("a command has only string keys");
        if self.sync != Some(id) {
            self.note(|| Marked::Asked(line.clone()));
        }
        line.push('\n');
        // The writer is gone only when the child has closed its stdin; then reading tells why.
        if let Some(requests) = &self.requests {
            requests.send(line).ok();
        }
        let deadline = Deadline::after(self.limits.answer);
        loop {
            match self.line(deadline)? {
                Some((Said::Answer(answered, answer), _)) if answered == id => return Ok(answer),
                Some((Said::Answer(other, _), _)) => return Err(self.stray(other)),
                Some((Said::Event(device, event), bytes)) => self.keep(device, event, bytes)?,
                Some((Said::Hello(_), _)) => return Err(self.broken("a second hello".to_owned())),
                None => {
                    let within = self.limits.answer;
                    let what = format!("request {id} ({what})");
                    return Err(self.lose(DriverError::Silent { what, within }));
                }
            }
        }
    }

    fn stray(&mut self, id: u64) -> DriverError {
        if id < self.next_id && id > 0 {
            self.broken(format!("request {id} was answered twice"))
        } else {
            self.broken(format!("an answer to request {id}, which was never made"))
        }
    }

    fn keep(&mut self, device: Device, event: Event, bytes: usize) -> Result<(), DriverError> {
        self.waiting.push_back((device, event, bytes));
        self.waiting_bytes += bytes;
        if self.waiting.len() > EVENTS_WAITING_MAX || self.waiting_bytes > EVENT_BYTES_WAITING_MAX {
            return Err(self.broken(format!(
                "more than {EVENTS_WAITING_MAX} events or {EVENT_BYTES_WAITING_MAX} bytes of them wait for a step"
            )));
        }
        Ok(())
    }

    /// The next line that says something, and its length; `None` when the time is up.
    fn line(&mut self, deadline: Deadline) -> Result<Option<(Said, usize)>, DriverError> {
        let line = loop {
            if self.stopped.load(Ordering::SeqCst) {
                // It has done nothing wrong, so it is let go as at the end of any run.
                self.lost = Some(DriverError::Interrupted);
                return Err(DriverError::Interrupted);
            }
            match self.next_line(deadline.left()) {
                Some(Line::Wake) => {}
                Some(line) => break line,
                None => return Ok(None),
            }
        };
        match line {
            Line::Text(bytes) => {
                let said = Said::parse(&bytes);
                let synced = matches!(&said, Ok(Said::Answer(id, Answer::Ok(_))) if self.sync == Some(*id));
                if !synced {
                    self.note(|| Marked::Said(String::from_utf8_lossy(&bytes).into_owned()));
                }
                match said {
                    Ok(said) => Ok(Some((said, bytes.len()))),
                    Err(why) => Err(self.broken(format!("{why}: {}", excerpt(&bytes)))),
                }
            }
            Line::TooLong(start) => {
                self.note(|| Marked::Said(excerpt(&start)));
                Err(self.broken(format!("a line longer than {LINE_BYTES_MAX} bytes: {}", excerpt(&start))))
            }
            Line::End(error) => Err(self.died(error)),
            Line::Wake => unreachable!("the loop above waits on"),
        }
    }

    /// What the reader hands over next; `None` when the time is up.
    fn next_line(&self, left: Duration) -> Option<Line> {
        if left.is_zero() {
            return match self.lines.try_recv() {
                Ok(line) => Some(line),
                Err(TryRecvError::Empty) => None,
                Err(TryRecvError::Disconnected) => Some(Line::End(None)),
            };
        }
        match self.lines.recv_timeout(left) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Line::End(None)),
        }
    }

    fn note(&self, what: impl FnOnce() -> Marked) {
        if let Some(recorder) = &self.recorder {
            recorder.note(what());
        }
    }

    fn died(&mut self, error: Option<String>) -> DriverError {
        // It may have closed stdout and live on; killing what is already gone changes nothing.
        let mut text = match locked(&self.process).end() {
            Ok(status) => format!("its stdout was closed, {status}"),
            Err(error) => format!("its stdout was closed, {error}"),
        };
        if let Some(error) = error {
            text = format!("{text} ({error})");
        }
        self.lose(DriverError::Died(text))
    }

    fn broken(&mut self, text: String) -> DriverError {
        self.lose(DriverError::Protocol(text))
    }

    fn lose(&mut self, error: DriverError) -> DriverError {
        locked(&self.process).end().ok();
        // Its last words are often the reason; they are all there once the pipe has ended. A grandchild may
        // hold the pipe open, so not for ever.
        self.stderr_ended.recv_timeout(LEAVE_WITHIN).ok();
        self.lost = Some(error.clone());
        error
    }
}

impl Driver for Subprocess {
    fn hello(&self) -> &Hello {
        &self.hello
    }

    fn command(&mut self, device: &Device, command: &Command) -> Result<Answer, DriverError> {
        self.ask(command.name(), Some(device), command)
    }

    fn process(&mut self, command: ProcessCommand) -> Result<Answer, DriverError> {
        let name = match command {
            ProcessCommand::Sync {} => "sync",
            ProcessCommand::Advance { .. } => "advance",
            ProcessCommand::Reset {} => "reset",
        };
        if command == (ProcessCommand::Sync {}) {
            self.sync = Some(self.next_id);
        }
        let answer = self.ask(name, None, command)?;
        if command == (ProcessCommand::Reset {}) {
            self.waiting.clear();
            self.waiting_bytes = 0;
        }
        Ok(answer)
    }

    fn event(&mut self, within: Duration) -> Result<Option<(Device, Event)>, DriverError> {
        if let Some((device, event, bytes)) = self.waiting.pop_front() {
            self.waiting_bytes -= bytes;
            return Ok(Some((device, event)));
        }
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        match self.line(Deadline::after(within))? {
            Some((Said::Event(device, event), _)) => Ok(Some((device, event))),
            Some((Said::Answer(id, _), _)) => Err(self.stray(id)),
            Some((Said::Hello(_), _)) => Err(self.broken("a second hello".to_owned())),
            None => Ok(None),
        }
    }

    fn record(&mut self, recorder: Option<Recorder>) {
        self.recorder = recorder;
    }

    fn remarks(&mut self) -> String {
        let mut tail = self.stderr.lock().unwrap_or_else(PoisonError::into_inner);
        tail.take()
    }
}

impl Drop for Subprocess {
    fn drop(&mut self) {
        if matches!(self.lost, None | Some(DriverError::Interrupted)) {
            // End of stdin means exit; what it still says is read so that it does not hang in a full pipe.
            self.requests = None;
            let deadline = Deadline::after(LEAVE_WITHIN);
            // `recv_timeout` hands over what is there even when no time is left, and one that floods has always more.
            while !deadline.left().is_zero()
                && matches!(self.lines.recv_timeout(deadline.left()), Ok(Line::Text(_) | Line::Wake))
            {
            }
        }
        locked(&self.process).end().ok();
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { hello: Duration::from_secs(30), answer: Duration::from_secs(5) }
    }
}
