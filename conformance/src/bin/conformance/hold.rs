//! `--hold`: after the first failure the world stays for a person to look at.

use std::io::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use conformance::hold::{After, Held, Holder};
use conformance::interrupt::Interrupt;

/// How often it is asked whether somebody interrupted: nobody notices so little.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Tells of the first failure's world, and waits.
#[derive(Debug)]
pub(crate) struct Holding<'a> {
    stays: Stays,
    interrupt: &'a Interrupt,
    held: AtomicBool,
}

/// How long a world stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stays {
    /// As long as this program, which has its server.
    UntilTold,
    /// On a server of its own, when this program has ended.
    Forever,
}

impl<'a> Holding<'a> {
    pub(crate) fn new(stays: Stays, interrupt: &'a Interrupt) -> Self {
        Self { stays, interrupt, held: AtomicBool::new(false) }
    }

    /// Whether there was a failure.
    pub(crate) fn has_held(&self) -> bool {
        self.held.load(Ordering::SeqCst)
    }
}

impl Holder for Holding<'_> {
    fn hold(&self, held: &Held<'_>) -> After {
        if self.held.swap(true, Ordering::SeqCst) {
            return After::Forget;
        }
        let (ends, after) = match self.stays {
            Stays::UntilTold => ("until Enter or Ctrl-C", After::Forget),
            Stays::Forever => ("on its server until somebody drops it", After::Keep),
        };
        let text = held.text(ends);
        let mut out = std::io::stdout().lock();
        // Whoever closed the pipe does not look, but may still want to connect a client.
        let _closed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        drop(out);
        if self.stays == Stays::UntilTold {
            wait(self.interrupt);
        }
        after
    }
}

/// Waits for Enter, for the end of stdin, or for an interruption.
pub(crate) fn wait(interrupt: &Interrupt) {
    let (told, entered) = channel();
    // Not joined: a read of a terminal cannot be called off.
    std::thread::spawn(move || {
        let read = std::io::stdin().read_line(&mut String::new());
        let _nobody_waits = told.send(read.is_ok());
    });
    while !interrupt.is_raised() {
        match entered.recv_timeout(LOOK_EVERY) {
            Ok(_) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}
