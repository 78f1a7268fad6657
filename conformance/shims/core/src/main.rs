//! `shim-core`: the driver protocol (`conformance/DRIVER.md`) on stdin and stdout, client-core behind it.
//!
//! One process, one thread for the clients, any number of devices. Timers run on a virtual clock that only
//! `advance` moves; sockets and HTTP are real and never wait for it. It repairs nothing that the client does.

mod command;
mod device;
mod event;
mod host;
mod line;
mod stdin;

use std::process::ExitCode;

use host::{DoorKind, Host};

/// A line that is not of the protocol, or arguments that are not ours.
const EXIT_BAD_INPUT: u8 = 2;
/// The harness is gone, or the machine failed us.
const EXIT_IO: u8 = 1;

fn main() -> ExitCode {
    let door = match door_from_arguments(std::env::args().skip(1)) {
        Ok(door) => door,
        Err(reason) => {
            eprintln!(
                "shim-core: {reason}\nusage: shim-core [--door sockjs|websocket]   (default websocket)"
            );
            return ExitCode::from(EXIT_BAD_INPUT);
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("shim-core: no runtime: {error}");
            return ExitCode::from(EXIT_IO);
        }
    };
    let lines = stdin::lines();
    match runtime.block_on(Host::new(door).run(lines)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(host::Fatal::BadLine(reason)) => {
            eprintln!("shim-core: {reason}");
            ExitCode::from(EXIT_BAD_INPUT)
        }
        Err(host::Fatal::Stdout(error)) => {
            eprintln!("shim-core: cannot write to stdout: {error}");
            ExitCode::from(EXIT_IO)
        }
    }
}

fn door_from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<DoorKind, String> {
    let mut door = DoorKind::WebSocket;
    while let Some(argument) = arguments.next() {
        if argument != "--door" {
            return Err(format!("unknown argument {argument:?}"));
        }
        door = match arguments.next().as_deref() {
            Some("sockjs") => DoorKind::SockJs,
            Some("websocket") => DoorKind::WebSocket,
            Some(other) => return Err(format!("there is no door {other:?}")),
            None => return Err("--door needs a value".to_owned()),
        };
    }
    Ok(door)
}
