//! The process behind a driver, which others may end while the driver waits for it.

use std::io;
use std::process::{Child, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::lines::Line;

/// A child and whatever it has started in its group.
#[derive(Debug)]
pub(super) struct Process {
    child: Child,
    /// Waited for: its number may be another's by now.
    ended: bool,
}

/// A way to end a driver's process from another thread.
#[derive(Clone, Debug)]
pub struct Handle {
    process: Weak<Mutex<Process>>,
    stopped: Arc<AtomicBool>,
    wake: SyncSender<Line>,
}

/// Keeps a child apart from the group that a terminal's Ctrl-C goes to: it is the harness that ends it.
pub(super) fn apart(command: &mut std::process::Command) {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    #[cfg(windows)]
    {
        /// CREATE_NEW_PROCESS_GROUP
        const NEW_GROUP: u32 = 0x200;
        std::os::windows::process::CommandExt::creation_flags(command, NEW_GROUP);
    }
    #[cfg(not(any(unix, windows)))]
    let _ = command;
}

impl Process {
    pub(super) fn new(child: Child) -> Arc<Mutex<Self>> {
        Arc::new(Mutex::new(Self { child, ended: false }))
    }

    /// Ends it and its group. What is already gone is left alone.
    pub(super) fn kill(&mut self) {
        if self.ended {
            return;
        }
        #[cfg(unix)]
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw) {
            // Fails only when nobody is left in the group.
            rustix::process::kill_process_group(group, rustix::process::Signal::KILL).ok();
        }
        self.child.kill().ok();
    }

    /// As [`Self::kill`], and how it ended.
    pub(super) fn end(&mut self) -> io::Result<ExitStatus> {
        self.kill();
        let status = self.child.wait();
        self.ended = true;
        status
    }
}

pub(super) fn locked(process: &Mutex<Process>) -> MutexGuard<'_, Process> {
    process.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Handle {
    pub(super) fn new(
        process: &Arc<Mutex<Process>>,
        stopped: &Arc<AtomicBool>,
        wake: SyncSender<Line>,
    ) -> Self {
        Self { process: Arc::downgrade(process), stopped: Arc::clone(stopped), wake }
    }

    /// The driver's next call, and one that is waiting now, fails; the process is let go as at the end of any run.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Where there is no room, the driver is not waiting.
        self.wake.try_send(Line::Wake).ok();
    }

    /// Ends the process where it is.
    pub fn kill(&self) {
        if let Some(process) = self.process.upgrade() {
            locked(&process).kill();
        }
    }

    /// Whether there is no such process any more.
    pub fn is_gone(&self) -> bool {
        self.process.strong_count() == 0
    }
}
