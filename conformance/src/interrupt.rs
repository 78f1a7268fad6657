//! A run that is ended before its end: by a person, by a build server, or by a test that ends clients at random.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::driver::subprocess::{Handle, Subprocess};
use crate::driver::{Answer, Command, Device, Driver, DriverError, Event, Hello, ProcessCommand};
use crate::selection::drawn;
use crate::trace::Recorder;

/// Somebody wants the run to end: no scenario begins any more, and those that are under way are left where they are.
#[derive(Debug, Default)]
pub struct Interrupt {
    raised: AtomicBool,
    children: Mutex<Vec<Handle>>,
}

impl Interrupt {
    /// From now on. Children are let go as at the end of any run.
    pub fn raise(&self) {
        self.raised.store(true, Ordering::SeqCst);
        self.children().iter().for_each(Handle::stop);
    }

    /// Ends every child where it is.
    pub fn kill(&self) {
        self.raised.store(true, Ordering::SeqCst);
        self.children().iter().for_each(Handle::kill);
    }

    /// Whether somebody did.
    pub fn is_raised(&self) -> bool {
        self.raised.load(Ordering::SeqCst)
    }

    /// A child that is to be ended with the run.
    pub fn watch(&self, child: Handle) {
        let mut children = self.children();
        children.retain(|child| !child.is_gone());
        if self.is_raised() {
            child.stop();
        }
        children.push(child);
    }

    fn children(&self) -> MutexGuard<'_, Vec<Handle>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many calls of a driver there are to choose from: half of the scenarios have fewer, so that a client is ended
/// while it logs in as well as behind the last step, and some live.
const CALLS_TO_CHOOSE_FROM: u64 = 80;

/// A client whose process is ended at a moment that seed and scenario draw: before a call, during it, or after it.
pub(crate) struct Doomed<'d> {
    client: &'d mut Subprocess,
    calls_left: u64,
    when: When,
}

#[derive(Clone, Copy, Debug)]
enum When {
    Before,
    During,
    After,
}

impl<'d> Doomed<'d> {
    pub(crate) fn new(client: &'d mut Subprocess, seed: u64, scenario: &str) -> Self {
        let when = match drawn(seed, "killed when", scenario) % 3 {
            0 => When::Before,
            1 => When::During,
            _ => When::After,
        };
        let calls_left = drawn(seed, "killed at", scenario) % CALLS_TO_CHOOSE_FROM;
        Self { client, calls_left, when }
    }

    fn call<T>(&mut self, call: impl FnOnce(&mut Subprocess) -> T) -> T {
        let handle = self.client.handle();
        let now = self.calls_left == 0;
        self.calls_left = self.calls_left.wrapping_sub(1);
        match self.when {
            _ if !now => call(self.client),
            When::Before => {
                handle.kill();
                call(self.client)
            }
            When::During => thread::scope(|scope| {
                scope.spawn(|| handle.kill());
                call(self.client)
            }),
            When::After => {
                let answer = call(self.client);
                handle.kill();
                answer
            }
        }
    }
}

impl Driver for Doomed<'_> {
    fn hello(&self) -> &Hello {
        self.client.hello()
    }

    fn command(&mut self, device: &Device, command: &Command) -> Result<Answer, DriverError> {
        self.call(|client| client.command(device, command))
    }

    fn process(&mut self, command: ProcessCommand) -> Result<Answer, DriverError> {
        self.call(|client| client.process(command))
    }

    fn event(&mut self, within: Duration) -> Result<Option<(Device, Event)>, DriverError> {
        self.call(|client| client.event(within))
    }

    fn record(&mut self, recorder: Option<Recorder>) {
        self.client.record(recorder);
    }

    fn remarks(&mut self) -> String {
        self.client.remarks()
    }
}
