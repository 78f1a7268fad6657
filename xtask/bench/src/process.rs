//! Starting a server (the real one or the relay) and the load, and ending them whatever happens.
//!
//! It knows how a server says where it listens and nothing of what it serves.

use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// One of the two servers that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    Bare,
    Real,
}

/// A server's process; dropped, it is ended.
pub(crate) struct Server {
    child: Child,
    /// Reads stderr: what a server says is shown only if it does not start.
    said: Option<JoinHandle<Vec<u8>>>,
    pub(crate) addr: SocketAddr,
}

impl Server {
    /// Starts `command` and waits for the line that says where it listens.
    pub(crate) fn start(mut command: Command) -> io::Result<Self> {
        let shown = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{shown} does not start: {error}")))?;
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = child.stderr.take().expect("stderr is piped");
        let said = thread::spawn(move || kept(stderr));
        let mut line = String::new();
        let addr = BufReader::new(stdout).read_line(&mut line).ok().and_then(|_| {
            line.trim_end().strip_prefix("listening on http://").and_then(|addr| addr.parse().ok())
        });
        if let Some(addr) = addr {
            return Ok(Self { child, said: Some(said), addr });
        }
        drop(child.kill());
        drop(child.wait());
        let said = said.join().unwrap_or_default();
        Err(io::Error::other(format!(
            "{shown} should say `listening on http://ADDRESS` first, but said {line:?}\n{}",
            String::from_utf8_lossy(&said)
        )))
    }

    /// The process whose CPU time and memory are meant.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends the server. A tracer has written its summary when this returns: it lets go of stderr last.
    pub(crate) fn end(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        if let Some(said) = self.said.take() {
            said.join().map_err(|_| io::Error::other("the thread that reads a server's stderr panicked"))?;
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Starts the server, asks it one thing over HTTP, and gives the time from exec to the first byte of the
/// answer, with the server still running.
pub(crate) fn first_answer(command: Command) -> io::Result<(Duration, Server)> {
    let started = now();
    let server = Server::start(command)?;
    let mut stream = TcpStream::connect(server.addr)?;
    stream.set_nodelay(true)?;
    stream.write_all(
        b"GET /websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
          Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    )?;
    stream.read_exact(&mut [0; 1])?;
    Ok((started.elapsed(), server))
}

/// This executable in another role.
pub(crate) fn role(name: &str) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(name);
    Ok(command)
}

/// `command`, counted by strace into `summary`. The tracer is the grandchild (`-D`), so that the process id
/// is the server's own.
pub(crate) fn counted(command: &Command, calls: &str, summary: &Path) -> Command {
    let mut strace = Command::new("strace");
    strace.args(["-D", "-f", "-c", "-e"]).arg(format!("trace={calls}")).arg("-o").arg(summary);
    strace.arg(command.get_program()).args(command.get_args());
    strace
}

/// Whether a program of this name is in the path.
pub(crate) fn installed(program: impl AsRef<OsStr>) -> bool {
    let quiet = |command: &mut Command| {
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
    };
    quiet(&mut Command::new(program)).is_ok_and(|status| status.success())
}

/// A folder for what a tracer writes; it goes with the value.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

/// The first lines of a stream; it is read to its end, so that the writer never waits.
fn kept(mut stream: impl io::Read) -> Vec<u8> {
    /// Enough for any complaint, and a server that logs each message fills no memory.
    const KEPT_BYTES: u64 = 16 * 1_024;
    let mut text = Vec::new();
    drop(stream.by_ref().take(KEPT_BYTES).read_to_end(&mut text));
    drop(io::copy(&mut stream, &mut io::sink()));
    text
}

#[expect(clippy::disallowed_methods, reason = "time is what a benchmark measures")]
fn now() -> Instant {
    Instant::now()
}
