//! Builds the server and the bench in release mode and runs the bench.

use std::fs;
use std::io;
use std::time::Instant;

use crate::workspace::{Failure, Workspace, become_program, shown, succeed};

/// What a clean release build of the server may take on two cores with the registry at hand.
const CLEAN_BUILD_SECONDS_MAX: f64 = 75.0;

/// Runs `bench compare ARGS` on the release build of the server.
pub(crate) fn run(workspace: &Workspace, args: &[&str]) -> Result<(), Failure> {
    let args = match args {
        ["--build", rest @ ..] => {
            clean_build(workspace)?;
            rest
        }
        args => args,
    };
    succeed(workspace.cargo(&[
        "build",
        "--quiet",
        "--release",
        "--package",
        "mock-server",
        "--package",
        "bench",
    ]))?;
    let mut command = workspace.command(workspace.binary("release", "bench"));
    command.arg("compare").arg("--mock-server").arg(workspace.binary("release", "mock-server")).args(args);
    become_program(command)
}

/// Into a target folder of its own, so that nobody's build is thrown away.
fn clean_build(workspace: &Workspace) -> Result<(), Failure> {
    let target = workspace.target.join("bench-build");
    match fs::remove_dir_all(&target) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Failure::Told(format!("{}: {error}", target.display())));
        }
        Ok(()) | Err(_) => {}
    }
    let mut command = workspace.cargo(&["build", "--quiet", "--release", "--package", "mock-server"]);
    command.arg("--target-dir").arg(&target);
    let label = shown(&command);
    let started = now();
    succeed(command)?;
    let seconds = started.elapsed().as_secs_f64();
    let met = if seconds <= CLEAN_BUILD_SECONDS_MAX { "met" } else { "MISSED" };
    println!("clean build: {seconds:.1} s, ≤ {CLEAN_BUILD_SECONDS_MAX} s: {met} ({label})");
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a build is timed here")]
fn now() -> Instant {
    Instant::now()
}
