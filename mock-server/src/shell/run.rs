//! The program: a server as the flags want it, and on stderr what to paste into an app; or one of the commands that talk
//! to a running one.

use std::io::{self, IsTerminal as _};
use std::process::ExitCode;

use clap::Parser as _;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tracing_subscriber::filter::LevelFilter;

use super::announce::Announcement;
use super::flags::{Command, Flags, Kept};
use super::listen::Listeners;
use super::serve::{Ended, Until};
use super::state::Opening;
use super::{Options, Order, desk, record, serve};

/// What the program keeps of each world, in bytes: as many as its 20,000 rows have with small messages, with room for
/// long ones. Whoever asks for more rows gets more bytes, too.
const TAPE_BYTES_MAX: usize = 16 << 20;

/// Runs until the process is told to end, or a command is done.
pub fn main() -> ExitCode {
    let flags = Flags::parse();
    match flags.command {
        Some(Command::Errors(args)) => return desk::errors(&args),
        Some(Command::Stage(args)) => return desk::stage(&args),
        Some(Command::Record(args)) => return record::command(args.options()),
        None => {}
    }
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
    let (tape, tape_rows_max) = match flags.journal {
        Kept::Nothing => (false, Options::default().tape_rows_max),
        Kept::Rows(rows) => (true, rows),
    };
    let opening = match flags.keep().map(Opening::read).transpose() {
        Ok(opening) => opening,
        Err(error) => {
            eprintln!("mock-server: --state: {error}");
            return ExitCode::FAILURE;
        }
    };
    for note in opening.iter().flat_map(|opening| &opening.notes) {
        eprintln!("mock-server: {note}");
    }
    // Without anything to save, a signal ends the program at once.
    let until = if opening.is_some() { Until::Signalled } else { Until::Ordered };
    let mut options = Options {
        tape,
        tape_rows_max,
        tape_bytes_max: TAPE_BYTES_MAX,
        listen: flags.listen,
        settings: flags.settings(),
        stage,
        control: flags.control,
        control_token: flags.control_token.clone(),
        nasty: flags.nasty,
        tls: flags.tls(),
        profiles: flags.profile.clone(),
        ..Options::default()
    };
    let listeners = match Listeners::bind(&options) {
        Ok(listeners) => listeners,
        Err(error) => {
            eprintln!("mock-server: {error}");
            return ExitCode::FAILURE;
        }
    };
    match begin(&listeners, &mut options) {
        // Nobody orders anything, but for the end of stdin: a signal ends the loop, or the process.
        Ok(()) => {
            let (orders, inbox) = unbounded_channel();
            if flags.end_with_stdin {
                end_with_stdin(orders.clone());
            }
            // On the main thread: glibc gives other threads an arena that grows by a system call every 128 KiB.
            match serve::run(listeners, options, opening, until, inbox) {
                Ended { panics: 0, unsaved: false } => ExitCode::SUCCESS,
                Ended { .. } => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            eprintln!("mock-server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Stops the server when stdin ends: the other end of a pipe is closed with the process that has it, however that ends,
/// on every system.
fn end_with_stdin(orders: UnboundedSender<Order>) {
    std::thread::spawn(move || {
        // Reading that fails is an end, too.
        let _end = io::copy(&mut io::stdin().lock(), &mut io::sink());
        // A server that has ended by itself needs no order.
        let _gone = orders.send(Order::Stop);
    });
}

/// Sees to the token, and says that the server is there.
fn begin(listeners: &Listeners, options: &mut Options) -> io::Result<()> {
    listeners.guard(options)?;
    let announcement = Announcement {
        addr: listeners.addr()?,
        control_addr: listeners.control_addr()?,
        control_token: options.control_token.as_deref(),
        strict: options.settings.strict,
        nasty: options.nasty,
        identity: listeners.identity.as_ref(),
    };
    announcement
        .make()
        .map_err(|error| io::Error::new(error.kind(), format!("cannot write to stdout: {error}")))
}
