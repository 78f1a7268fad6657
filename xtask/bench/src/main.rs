//! Measures the real server beside a bare relay of the same frames: `cargo xtask bench`.
//!
//! One executable in four roles: `compare` starts the other three as processes of their own, and the server's
//! binary. It never links the server: what is measured is what is shipped.

mod compare;
mod frames;
mod load;
mod meter;
mod process;
mod relay;
mod scale;
mod socket;
mod table;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::socket::Door;

/// The world that all the load's users live in; a server makes it at the first login.
const APP_KEY: &str = "bench#pairs";

#[derive(Parser)]
#[command(about = "Measures the real server beside a bare relay of the same frames", version)]
struct Arguments {
    #[command(subcommand)]
    role: Role,
}

#[derive(Subcommand)]
enum Role {
    /// Runs server and relay in turns and prints the table
    Compare(compare::Plan),
    /// Is the bare relay, until it is ended
    Relay {
        #[arg(long, default_value_t = loopback())]
        listen: SocketAddr,
        #[arg(long, value_enum, default_value = "binary")]
        door: Door,
    },
    /// Drives pairs through one server; prints one line of JSON
    Load {
        #[arg(long)]
        addr: SocketAddr,
        #[arg(long, value_enum, default_value = "binary")]
        door: Door,
        #[arg(long, default_value_t = 64)]
        pairs: usize,
        #[arg(long, default_value_t = 300)]
        warm_up_ms: u64,
        #[arg(long, default_value_t = 2_000)]
        measured_ms: u64,
        /// The server's process, whose CPU time is read
        #[arg(long)]
        server_pid: u32,
    },
    /// Logs connections in and holds them until stdin ends
    Idle {
        #[arg(long)]
        addr: SocketAddr,
        #[arg(long, value_enum, default_value = "binary")]
        door: Door,
        #[arg(long, default_value_t = 5_000)]
        connections: usize,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().role {
        Role::Compare(plan) => compare::run(&plan),
        Role::Relay { listen, door } => on_one_thread(relay::serve(listen, door)),
        Role::Idle { addr, door, connections } => on_one_thread(load::idle(addr, door, connections)),
        Role::Load { addr, door, pairs, warm_up_ms, measured_ms, server_pid } => {
            let plan = load::Plan {
                addr,
                door,
                pairs,
                warm_up: Duration::from_millis(warm_up_ms),
                measured: Duration::from_millis(measured_ms),
                server_pid,
            };
            on_one_thread(async {
                let measured = load::run(&plan).await?;
                println!("{}", serde_json::to_string(&measured)?);
                Ok(())
            })
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn on_one_thread(work: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}
