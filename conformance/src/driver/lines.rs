//! The lines of the protocol as they come through a pipe, and the threads that carry them.
//!
//! Each thread does one blocking thing, so that nothing else ever blocks.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::process::{Child, ChildStdin};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::{Answer, Device, Event, Hello};

/// The longest line either side may write, as DRIVER.md has it: room for the largest message many times over,
/// and small enough that a child without newlines costs no memory.
pub const LINE_BYTES_MAX: usize = 1 << 20;
/// Lines read ahead of the harness. A child that writes faster waits in its own `write`, as on any pipe.
const LINES_AHEAD_MAX: usize = 64;
/// How much of the child's stderr is kept: its end, where a crash explains itself.
const STDERR_BYTES_MAX: usize = 32 << 10;

/// What the reader thread hands over.
#[derive(Debug)]
pub(crate) enum Line {
    Text(Vec<u8>),
    TooLong(Vec<u8>),
    End(Option<String>),
    /// Nothing was said: whoever waits should look whether the run is over.
    Wake,
}

/// What a line says.
pub(crate) enum Said {
    Hello(Hello),
    Answer(u64, Answer),
    Event(Device, Event),
}

impl Said {
    pub(crate) fn parse(line: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Fields {
            hello: Option<Hello>,
            id: Option<u64>,
            ok: Option<Map<String, Value>>,
            unsupported: Option<String>,
            error: Option<String>,
            user: Option<Device>,
            event: Option<Event>,
        }
        let text =
            std::str::from_utf8(line).map_err(|error| format!("a line that is not UTF-8 ({error})"))?;
        let fields: Fields =
            serde_json::from_str(text).map_err(|error| format!("not a line of the protocol ({error})"))?;
        match fields {
            Fields {
                hello: Some(hello),
                id: None,
                ok: None,
                unsupported: None,
                error: None,
                user: None,
                event: None,
            } => Ok(Self::Hello(hello)),
            Fields {
                hello: None,
                id: None,
                ok: None,
                unsupported: None,
                error: None,
                user: Some(user),
                event: Some(event),
            } => Ok(Self::Event(user, event)),
            Fields { hello: None, id: Some(id), ok, unsupported, error, user: None, event: None } => {
                match (ok, unsupported, error) {
                    (Some(ok), None, None) => Ok(Self::Answer(id, Answer::Ok(ok))),
                    (None, Some(what), None) => Ok(Self::Answer(id, Answer::Unsupported(what))),
                    (None, None, Some(why)) => Ok(Self::Answer(id, Answer::Error(why))),
                    (_, _, _) => Err("an answer has one of ok, unsupported and error".to_owned()),
                }
            }
            Fields { .. } => {
                Err("neither a hello, nor an answer (id), nor an event (user and event)".to_owned())
            }
        }
    }
}

/// The end of what was written to stderr.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    bytes: VecDeque<u8>,
    cut: bool,
}

impl Tail {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
        let over = self.bytes.len().saturating_sub(STDERR_BYTES_MAX);
        self.bytes.drain(..over);
        self.cut |= over > 0;
    }

    pub(crate) fn take(&mut self) -> String {
        let bytes: Vec<u8> = self.bytes.drain(..).collect();
        let text = String::from_utf8_lossy(&bytes);
        let mark = if std::mem::take(&mut self.cut) { "…" } else { "" };
        format!("{mark}{}", text.trim_end())
    }
}

/// The ends of a child's pipes.
pub(crate) struct Pipes {
    /// Lines for its stdin, which ends when this is dropped.
    pub(crate) requests: Sender<String>,
    /// What it writes to stdout.
    pub(crate) lines: Receiver<Line>,
    /// Where [`Line::Wake`] is given to who waits for lines.
    pub(crate) wake: SyncSender<Line>,
    /// The end of its stderr.
    pub(crate) stderr: Arc<Mutex<Tail>>,
    /// Ends with its stderr.
    pub(crate) stderr_ended: Receiver<()>,
}

impl Pipes {
    /// Of a child whose three are piped.
    pub(crate) fn of(child: &mut Child) -> Self {
        let stdin = child.stdin.take().expect("stdin was asked for");
        let stdout = child.stdout.take().expect("stdout was asked for");
        let stderr = child.stderr.take().expect("stderr was asked for");
        let (requests, to_write) = mpsc::channel();
        // A thread of its own: a child that does not read must not hang the harness in `write`.
        thread::spawn(move || write_lines(stdin, &to_write));
        let (line_read, lines) = mpsc::sync_channel(LINES_AHEAD_MAX);
        let wake = line_read.clone();
        thread::spawn(move || read_lines(BufReader::new(stdout), &line_read));
        let tail = Arc::new(Mutex::new(Tail::default()));
        let (ended, stderr_ended) = mpsc::channel();
        let kept = Arc::clone(&tail);
        thread::spawn(move || {
            keep_tail(stderr, &kept);
            drop(ended);
        });
        Self { requests, lines, wake, stderr: tail, stderr_ended }
    }
}

fn write_lines(mut stdin: ChildStdin, lines: &Receiver<String>) {
    while let Ok(line) = lines.recv() {
        if stdin.write_all(line.as_bytes()).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

fn read_lines(mut stdout: impl BufRead, lines: &SyncSender<Line>) {
    loop {
        let mut line = Vec::new();
        let limit = u64::try_from(LINE_BYTES_MAX + 1).expect("a megabyte fits");
        let read = Read::by_ref(&mut stdout).take(limit).read_until(b'\n', &mut line);
        let said = match read {
            Ok(0) => Line::End(None),
            Err(error) => Line::End(Some(error.to_string())),
            Ok(_) if line.ends_with(b"\n") => {
                line.pop();
                Line::Text(line)
            }
            Ok(count) if count > LINE_BYTES_MAX => Line::TooLong(line),
            // The pipe ended before the line did: that the process is gone is what there is to tell.
            Ok(_) if serde_json::from_slice::<IgnoredAny>(&line).is_ok() => Line::Text(line),
            Ok(_) => Line::End(Some(format!("in the middle of the line {}", excerpt(&line)))),
        };
        let last = !matches!(said, Line::Text(_));
        if lines.send(said).is_err() || last {
            return;
        }
    }
}

fn keep_tail(mut stderr: impl Read, tail: &Mutex<Tail>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = stderr.read(&mut buffer) {
        tail.lock().unwrap_or_else(PoisonError::into_inner).push(&buffer[..count]);
    }
}

pub(crate) fn excerpt(line: &[u8]) -> String {
    /// Enough to see what kind of rubbish it is.
    const EXCERPT_CHARS: usize = 120;
    let start = &line[..line.len().min(EXCERPT_CHARS * 4)];
    let text = String::from_utf8_lossy(start);
    let mut cut: String = text.chars().take(EXCERPT_CHARS).collect();
    if cut.len() < line.len() {
        cut.push('…');
    }
    cut
}
