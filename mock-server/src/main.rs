//! The `mock-server` program; see [`mock_server::shell::run`].

use std::process::ExitCode;

fn main() -> ExitCode {
    mock_server::shell::run::main()
}
