//! The program: flags in, a server out, and on stderr what to paste into an app.

use std::io::{self, IsTerminal as _, Write as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::process::ExitCode;

use clap::Parser;
use tokio::sync::mpsc::unbounded_channel;
use tracing_subscriber::filter::LevelFilter;

use super::{Options, bind, serve};
use crate::control::Settings;

/// A mock server for the Easemob WebIM messaging protocol: point the vendor's own SDKs at it.
#[derive(Debug, Parser)]
#[command(version, about, after_help = AFTER_HELP)]
struct Flags {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8989", value_name = "ADDR:PORT", value_parser = address)]
    listen: SocketAddr,
    /// Refuse what a laptop forgives: unknown users, unknown tokens, messages to nobody.
    #[arg(long)]
    strict: bool,
    /// Log more: -v what worlds do, -vv what connections do.
    #[arg(short, long, action = clap::ArgAction::Count)]
    verbose: u8,
}

const AFTER_HELP: &str = "\
Prints one line on stdout when it accepts connections: listening on http://ADDR:PORT
Everything else goes to stderr.

Examples:
  mock-server                                for apps on this machine
  mock-server --listen 0.0.0.0:8989          for a phone on the same network, too
  mock-server --listen 127.0.0.1:0 --strict  for a test";

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
    let settings = Settings { strict: flags.strict, ..Settings::default() };
    let options = Options { listen: flags.listen, settings, ..Options::default() };
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

/// `127.0.0.1:8989`, or a name instead of the number. Of a name's addresses, this machine's own come first, and of
/// those the older kind, which every browser tries.
fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(addr) = text.parse() {
        return Ok(addr);
    }
    let expected = "expected ADDR:PORT, such as 127.0.0.1:8989";
    let has_port =
        text.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !has_port {
        return Err(expected.into());
    }
    let found = text.to_socket_addrs().map_err(|error| format!("{expected}; of this one: {error}"))?;
    found
        .min_by_key(|addr| (!addr.ip().is_loopback(), addr.is_ipv6()))
        .ok_or_else(|| format!("{expected}; this name has no address"))
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
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::number("127.0.0.1:8123", "127.0.0.1:8123")]
    #[case::everywhere("0.0.0.0:0", "0.0.0.0:0")]
    #[case::new_kind("[::1]:8123", "[::1]:8123")]
    fn an_address_is_taken_as_it_is(#[case] text: &str, #[case] expected: SocketAddr) {
        assert_eq!(address(text), Ok(expected));
    }

    #[test]
    fn a_name_stands_for_this_machine_where_it_can() {
        let addr = address("localhost:8123").expect("every machine knows the name");
        assert!(addr.ip().is_loopback() && addr.port() == 8123, "{addr}");
    }

    #[rstest]
    fn what_is_no_address_is_told_what_is(
        #[values("8989", "", ":", ":8989", "localhost", "localhost:", "127.0.0.1:70000", "http://127.0.0.1")]
        text: &str,
    ) {
        let refused =
            Flags::try_parse_from(["mock-server", "--listen", text]).map_err(|error| error.to_string());
        let why = refused.expect_err("no address");
        assert!(why.contains("expected ADDR:PORT, such as 127.0.0.1:8989"), "{why}");
    }

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
