//! All devices of the process: their one virtual clock, and the loop between lines and sockets.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use client_core::{AttachmentUrls, Config, Door, EmojiTable, Millis, Received};
use serde::Serialize;
use tokio::sync::mpsc;

use crate::command::{Create, DeviceCommand};
use crate::device::Device;
use crate::line::{
    Answer, AnswerLine, BadCommand, Command, EventLine, Hello, HelloLine, NextDue, ProcessCommand, Refused,
    Request,
};

/// Where the virtual clock starts: 2021-12-31 00:00 UTC, as the worlds of clients with such a clock do.
const START: Millis = Millis(1_640_908_800_000);
/// The protocol of DRIVER.md.
const PROTOCOL: u32 = 1;
/// How many devices one process holds: a scenario needs a handful.
const DEVICES_LIMIT: usize = 1_024;

/// Which of the two addresses in `create` to use.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DoorKind {
    SockJs,
    WebSocket,
}

/// Why the process ends before stdin does.
#[derive(Debug)]
pub(crate) enum Fatal {
    BadLine(String),
    Stdout(io::Error),
}

#[derive(Debug)]
pub(crate) struct Host {
    door: DoorKind,
    now: Millis,
    devices: BTreeMap<String, Device>,
}

enum Next {
    Line(Option<Result<String, String>>),
    Received(String, Received),
}

impl Host {
    pub(crate) fn new(door: DoorKind) -> Self {
        Self { door, now: START, devices: BTreeMap::new() }
    }

    /// Says hello, and serves until the lines end.
    pub(crate) async fn run(
        mut self,
        mut lines: mpsc::Receiver<Result<String, String>>,
    ) -> Result<(), Fatal> {
        say(&HelloLine {
            hello: Hello {
                protocol: PROTOCOL,
                name: "core",
                version: env!("CARGO_PKG_VERSION"),
                capabilities: &["virtual_clock", "network", "integers_64"],
            },
        })?;
        loop {
            let next = poll_fn(|cx| match lines.poll_recv(cx) {
                Poll::Ready(line) => Poll::Ready(Next::Line(line)),
                Poll::Pending => {
                    self.poll_received(cx).map(|(user, received)| Next::Received(user, received))
                }
            });
            match next.await {
                Next::Line(None) => return Ok(()),
                Next::Line(Some(Err(reason))) => return Err(Fatal::BadLine(reason)),
                Next::Line(Some(Ok(line))) => self.request(&line).await?,
                Next::Received(user, received) => self.take_in(&user, received)?,
            }
        }
    }

    async fn request(&mut self, line: &str) -> Result<(), Fatal> {
        let request: Request = serde_json::from_str(line)
            .map_err(|error| Fatal::BadLine(format!("not a request: {error}: {}", excerpt(line))))?;
        let (id, user) = (request.id, request.user.clone());
        let outcome = match (request.read_command(), &user) {
            (Ok(Command::Process(command)), None) => self.process_command(command).await?,
            (Ok(Command::Device(command)), Some(user)) => self.device_command(user, *command),
            (Ok(Command::Process(_)), Some(_)) => {
                Err(Refused::Error("this command is for the process: leave `user` out".to_owned()))
            }
            (Ok(Command::Device(_)), None) => {
                Err(Refused::Error("this command is for a device: `user` is missing".to_owned()))
            }
            (Err(BadCommand::Unknown(name)), _) => Err(Refused::Unsupported(name)),
            (Err(BadCommand::Arguments(reason)), _) => Err(Refused::Error(reason)),
        };
        say(&AnswerLine::new(id, outcome))?;
        match user {
            Some(user) => self.report(&user),
            None => Ok(()),
        }
    }

    async fn process_command(&mut self, command: ProcessCommand) -> Result<Result<Answer, Refused>, Fatal> {
        match command {
            ProcessCommand::Sync => self.settle().await?,
            ProcessCommand::Reset => {
                self.devices.values_mut().for_each(Device::close);
                self.devices.values_mut().for_each(|device| while device.next_event().is_some() {});
                self.say_goodbye().await;
                self.devices.clear();
                // Each scenario has a new world, whose clock starts there too.
                self.now = START;
            }
            ProcessCommand::Advance(advance) => {
                self.advance(self.now.after(advance.ms)).await?;
                let next = self.earliest().map(|(deadline, _)| deadline.since(self.now));
                return Ok(Ok(Answer { next_due_ms: Some(NextDue(next)), ids: None }));
            }
        }
        Ok(Ok(Answer::default()))
    }

    fn device_command(&mut self, user: &str, command: DeviceCommand) -> Result<Answer, Refused> {
        match (self.devices.get_mut(user), command) {
            (Some(device), command) => device.command(self.now, command),
            (None, DeviceCommand::Create(create)) => self.create(user, create),
            (None, _) => Err(Refused::Error(format!("there is no device {user:?}: create it first"))),
        }
    }

    fn create(&mut self, user: &str, create: Create) -> Result<Answer, Refused> {
        if self.devices.len() >= DEVICES_LIMIT {
            return Err(Refused::Error(format!("{DEVICES_LIMIT} devices are all that fit; reset")));
        }
        let door = match self.door {
            DoorKind::SockJs => Door::SockJs { url: create.sockjs },
            DoorKind::WebSocket => Door::WebSocket { url: create.websocket },
        };
        let emoji = match create.emoji {
            Some(emoji) => EmojiTable::new(&emoji.path, emoji.map)?,
            None => EmojiTable::default(),
        };
        let device = Device::new(Config {
            app_key: create.app_key,
            username: create.username,
            device: create.device,
            rest: create.rest,
            door,
            reconnects: create.reconnects,
            delivery: create.delivery,
            attachment_urls: if create.own_upload { AttachmentUrls::AsSent } else { AttachmentUrls::Ours },
            emoji,
        });
        self.devices.insert(user.to_owned(), device);
        Ok(Answer::default())
    }

    /// Runs what falls due until `end`, in the order in which it does. What the sockets held before comes
    /// first, since it came first; what they answer to a timer's frame comes with a later `sync`, so a
    /// harness that wants the answer heard before the next timer advances to one deadline at a time.
    async fn advance(&mut self, end: Millis) -> Result<(), Fatal> {
        self.settle().await?;
        while let Some((deadline, user)) = self.earliest().filter(|(deadline, _)| *deadline <= end) {
            self.now = self.now.max(deadline);
            self.take_in(&user, Received::Timeout)?;
        }
        self.now = end;
        self.settle().await
    }

    fn earliest(&self) -> Option<(Millis, String)> {
        let deadlines =
            self.devices.iter().filter_map(|(user, device)| Some((device.next_deadline()?, user)));
        deadlines.min().map(|(deadline, user)| (deadline, user.clone()))
    }

    /// Returns when the sockets hold nothing unread and everything that was to be written has been.
    ///
    /// Each turn first reads and writes until every socket says "not now", which leaves our waker with each;
    /// then it yields, upon which the runtime, having nothing else to run, asks the system which sockets are
    /// ready and wakes those. If that woke nobody, there was nothing there when it asked, which was after we
    /// were asked to settle. (A socket that says "not now" only because tokio's budget of this turn is used up
    /// wakes us too.)
    async fn settle(&mut self) -> Result<(), Fatal> {
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        let mut cx = Context::from_waker(&waker);
        loop {
            while let Poll::Ready((user, received)) = self.poll_received(&mut cx) {
                self.take_in(&user, received)?;
            }
            tokio::task::yield_now().await;
            let quiet = !woken.0.swap(false, Ordering::AcqRel);
            if quiet && !self.devices.values().any(Device::is_writing) {
                return Ok(());
            }
        }
    }

    /// Writes the farewells of devices that are about to be forgotten, as far as that goes without waiting.
    async fn say_goodbye(&mut self) {
        poll_fn(|cx| {
            for device in self.devices.values_mut() {
                while device.poll_received(cx).is_ready() {}
            }
            Poll::Ready(())
        })
        .await;
    }

    fn poll_received(&mut self, cx: &mut Context<'_>) -> Poll<(String, Received)> {
        for (user, device) in &mut self.devices {
            if let Poll::Ready(received) = device.poll_received(cx) {
                return Poll::Ready((user.clone(), received));
            }
        }
        Poll::Pending
    }

    fn take_in(&mut self, user: &str, received: Received) -> Result<(), Fatal> {
        if let Some(device) = self.devices.get_mut(user) {
            device.handle(self.now, received);
        }
        self.report(user)
    }

    fn report(&mut self, user: &str) -> Result<(), Fatal> {
        let Some(device) = self.devices.get_mut(user) else { return Ok(()) };
        while let Some(event) = device.next_event() {
            say(&EventLine { user, event })?;
        }
        Ok(())
    }
}

/// Whether anything was woken.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}

fn say<T: Serialize>(line: &T) -> Result<(), Fatal> {
    let mut text = serde_json::to_vec(line).expect("lines are structs of strings, numbers and JSON");
    text.push(b'\n');
    let mut stdout = io::stdout().lock();
    stdout.write_all(&text).and_then(|()| stdout.flush()).map_err(Fatal::Stdout)
}

fn excerpt(line: &str) -> String {
    /// Enough to recognise the line by.
    const EXCERPT_CHARS: usize = 200;
    line.chars().take(EXCERPT_CHARS).collect()
}
