//! The program as it runs: where it listens, what it says, and how it is ended.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

/// The program, not yet started.
pub(crate) fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_mock-server"))
}

/// The program, ended with the test.
pub(crate) struct Program {
    pub(crate) addr: SocketAddr,
    child: Child,
}

impl Program {
    /// Waits until it says on a line where it listens; `announces` is what that line begins with.
    pub(crate) fn start(command: &mut Command, announces: &str) -> Self {
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        stdout.read_line(&mut line).expect("it says where it listens");
        let Some(addr) = line.trim().strip_prefix(announces) else {
            panic!("{line:?}: {}", said(&mut child))
        };
        let addr = addr.parse().expect("an address");
        Self { addr, child }
    }

    /// With no chance to do anything; what it had said.
    pub(crate) fn kill(&mut self) -> String {
        self.child.kill().expect("it runs");
        said(&mut self.child)
    }

    /// As a person or a supervisor ends it; what it said.
    #[cfg(unix)]
    pub(crate) fn terminate(&mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("there is kill").success());
        self.end()
    }

    /// Whoever holds the other end of its stdin is gone; what it said.
    pub(crate) fn close_stdin(&mut self) -> String {
        drop(self.child.stdin.take());
        self.end()
    }

    fn end(&mut self) -> String {
        let said = said(&mut self.child);
        let status = self.child.wait().expect("it was ours");
        assert!(status.success(), "{status}: {said}");
        said
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already, most often.
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// All that the program says on stderr until it ends.
fn said(child: &mut Child) -> String {
    let mut said = String::new();
    let mut stderr = child.stderr.take().expect("it is asked once");
    stderr.read_to_string(&mut said).expect("it writes UTF-8");
    said
}
