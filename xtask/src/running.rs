//! The reference client against a server that was already running: the harness judges there as it does beside a server of
//! its own, records included.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::conformance;
use crate::workspace::{Failure, Workspace};

/// A scenario or some of each way to look at a server: frames, requests, attachments, faults, moved clocks, an app's own
/// server.
const SCENARIOS: [&str; 6] =
    ["send/text-to-*", "send/image-to-*", "recall/*", "roam/*", "receipt/*", "alert/*"];

/// A server's program; dropped, it ends.
pub(crate) struct Running {
    child: Child,
    url: String,
}

impl Running {
    /// Starts one on a free port of this machine.
    pub(crate) fn start(workspace: &Workspace) -> Result<Self, Failure> {
        let program = workspace.binary("debug", "mock-server");
        let failed = |error: &dyn std::fmt::Display| Failure::Told(format!("{}: {error}", program.display()));
        let mut child = workspace
            .command(&program)
            .args(["--strict", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed(&error))?;
        let mut line = String::new();
        let out = child.stdout.take().expect("it is piped");
        let mut running = Self { child, url: String::new() };
        BufReader::new(out).read_line(&mut line).map_err(|error| failed(&error))?;
        match line.trim_end().strip_prefix("listening on ") {
            Some(url) => url.clone_into(&mut running.url),
            None => return Err(failed(&"it did not say where it listens")),
        }
        Ok(running)
    }

    /// The harness, with the reference client.
    pub(crate) fn command(&self, workspace: &Workspace) -> Result<Command, Failure> {
        let args = [&["--client", "core", "--server", &self.url], SCENARIOS.as_slice()].concat();
        conformance::command(workspace, &args)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _gone = self.child.kill().and_then(|()| self.child.wait());
    }
}
