//! The program: a server as the flags want it, and on stderr what to paste into an app.

use std::io::{self, IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::Parser as _;
use tokio::sync::mpsc::unbounded_channel;
use tracing_subscriber::filter::LevelFilter;

use super::flags::Flags;
use super::{Options, bind, serve};

/// Runs until the process is told to end.
pub fn main() -> ExitCode {
    let flags = Flags::parse();
    let level = match flags.verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_target(false)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
    let stage = match flags.stage() {
        Ok(stage) => stage,
        Err(error) => {
            eprintln!("mock-server: --group and --room: {error}");
            return ExitCode::FAILURE;
        }
    };
    let options = Options { listen: flags.listen, settings: flags.settings(), stage, ..Options::default() };
    let listener = match bind(flags.listen).and_then(|listener| Ok((listener.local_addr()?, listener))) {
        Ok((addr, listener)) => announce(addr, flags.strict).map(|()| listener),
        Err(error) => {
            eprintln!("mock-server: {}", cannot_listen(flags.listen, &error));
            return ExitCode::FAILURE;
        }
    };
    match listener {
        // Nobody orders anything, and nothing ends the loop but the process.
        Ok(listener) => {
            let (_orders, inbox) = unbounded_channel();
            // On the main thread: glibc gives other threads an arena that grows by a system call every 128 KiB.
            match serve::run(listener, options, inbox) {
                0 => ExitCode::SUCCESS,
                _ => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            eprintln!("mock-server: cannot write to stdout: {error}");
            ExitCode::FAILURE
        }
    }
}

fn cannot_listen(addr: SocketAddr, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "cannot listen on {addr}: another program listens there (perhaps another mock-server); \
             take another port, such as --listen {}",
            SocketAddr::new(addr.ip(), 0)
        ),
        _ => format!("cannot listen on {addr}: {error}"),
    }
}

fn announce(addr: SocketAddr, strict: bool) -> io::Result<()> {
    let host =
        if addr.ip().is_unspecified() { format!("THIS-MACHINE:{}", addr.port()) } else { addr.to_string() };
    let users = if strict { "users must be registered first" } else { "any user name and password will do" };
    eprintln!(
        "paste into the SDK's options; any app key of the form org#app will do, and {users}:\n\
         \x20 easemob-websdk 3.x   url: 'http://{host}/ws', apiUrl: 'http://{host}', isHttpDNS: false\n\
         \x20 easemob-websdk 4.x   url: 'ws://{host}/websocket', apiUrl: 'http://{host}', isHttpDNS: false\n\
         a 3.x url must begin with http: with ws:// that SDK waits for ever without a word"
    );
    if !addr.ip().is_loopback() {
        eprintln!(
            "everyone on the network can reach this server; --listen 127.0.0.1:{} keeps it yours",
            addr.port()
        );
    }
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{addr}")?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_says_what_to_do() {
        let taken = bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
        let addr = taken.local_addr().expect("it is bound");
        let error = bind(addr).expect_err("it is taken");
        assert_eq!(
            cannot_listen(addr, &error),
            format!(
                "cannot listen on {addr}: another program listens there (perhaps another mock-server); \
                 take another port, such as --listen 127.0.0.1:0"
            )
        );
    }
}
