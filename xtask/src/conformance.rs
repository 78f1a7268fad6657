//! Builds the harness, the reference client's shim and the server's program, and runs the harness.
//!
//! It adds nothing to the harness's own arguments, but for what `watch` builds; for a client that needs the vendor's SDKs
//! or Python's environment it installs them first, and for one that runs in a browser it looks for that.

use std::process::Command;

use crate::workspace::{Failure, Workspace, become_program, succeed};
use crate::{browser, python, sdk};

/// How the names of clients begin that run in Node on the vendor's SDKs.
pub(crate) const NODE_CLIENT: &str = "node-";
/// How the names of those begin that run in a browser.
pub(crate) const BROWSER_CLIENT: &str = "chromium-";
/// How the names of those begin that are written in Python.
pub(crate) const PYTHON_CLIENT: &str = "python-";

/// Runs `conformance ARGS` and passes its exit code on.
pub(crate) fn run(workspace: &Workspace, args: &[&str]) -> Result<(), Failure> {
    if !workspace.binary("debug", "conformance").is_file() {
        // cargo says nothing here, so that a run's own output stands alone; and a first build is long.
        eprintln!(
            "building the harness, the reference client and the server: the first time takes some minutes"
        );
    }
    succeed(build(workspace))?;
    let in_browser = names_client(args, BROWSER_CLIENT);
    if in_browser || names_client(args, NODE_CLIENT) {
        sdk::install(workspace)?;
    }
    if in_browser {
        browser::require(workspace)?;
    }
    if names_client(args, PYTHON_CLIENT) {
        python::install(workspace)?;
    }
    become_program(command(workspace, &watched(args))?)
}

/// `watch` of the reference client builds its shim before each round: nobody can do that by saving a file.
fn watched<'a>(args: &[&'a str]) -> Vec<&'a str> {
    const BUILD: [&str; 6] = [
        "--build",
        "cargo build --quiet --package shim-core",
        "--also",
        "client-core/src",
        "--also",
        "conformance/shims/core/src",
    ];
    let names = args.windows(2).filter(|pair| pair[0] == "--client").map(|pair| pair[1]);
    let names: Vec<&str> = names.chain(args.iter().filter_map(|arg| arg.strip_prefix("--client="))).collect();
    let is_core = names.iter().all(|name| matches!(*name, "core" | "core-sockjs"));
    let builds = args.iter().any(|arg| *arg == "--build" || arg.starts_with("--build="));
    match args {
        ["watch", rest @ ..] if is_core && !builds => [&["watch"], BUILD.as_slice(), rest].concat(),
        _ => args.to_vec(),
    }
}

/// Builds what [`command`] runs, and the server's program, which the node shim's tests start.
pub(crate) fn build(workspace: &Workspace) -> Command {
    let packages = ["conformance", "shim-core", "mock-server"].map(|package| ["--package", package]);
    workspace.cargo(&[&["build", "--quiet"], packages.concat().as_slice()].concat())
}

/// The environment variable by which the harness knows where to keep what runs have shown.
const RESULTS_VARIABLE: &str = "CONFORMANCE_RESULTS";

/// The built harness, told where the SDKs are and where results are kept, with the environment's Python in its path.
pub(crate) fn command(workspace: &Workspace, args: &[&str]) -> Result<Command, Failure> {
    let mut command = workspace.command(workspace.binary("debug", "conformance"));
    command
        .args(args)
        .env(sdk::FOLDER_VARIABLE, sdk::folder(workspace))
        .env(RESULTS_VARIABLE, workspace.target.join("conformance"));
    if names_client(args, PYTHON_CLIENT) {
        command.env("PATH", python::path(workspace)?);
    }
    Ok(command)
}

/// `--client node-3.6.3`, `--client=node-3.6.3`, `diff core node-3.6.3` or a path to that client's file, for names that
/// begin so; `--all-clients` names each. What stands behind `--` is a command, and what it needs is its own affair.
fn names_client(args: &[&str], beginning: &str) -> bool {
    args.iter().take_while(|arg| **arg != "--").any(|arg| {
        if *arg == "--all-clients" {
            return true;
        }
        let value = arg.rsplit(['=', '/', '\\']).next().unwrap_or(arg);
        value.starts_with(beginning)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&["--client", "node-3.6.3"], [true, false, false])]
    #[case(&["--client=node-3.6.3"], [true, false, false])]
    #[case(&["--client", "conformance/clients/node-3.6.3.json"], [true, false, false])]
    #[case(&["--client", "chromium-3.6.3", "--jobs", "1"], [false, true, false])]
    #[case(&["--client=conformance/clients/chromium-4.21.1.json"], [false, true, false])]
    #[case(&["--client", "node-3.6.3", "--client=python-min"], [true, false, true])]
    #[case(&["--client", "core", "send/text-single"], [false, false, false])]
    #[case(&["diff", "core", "node-4.21.1"], [true, false, false])]
    #[case(&["run", "--client", "core", "--client", "chromium-3.6.3"], [false, true, false])]
    #[case(&["run", "--all-clients"], [true, true, true])]
    #[case(&["--", "node-shim"], [false, false, false])]
    #[case(&[], [false, false, false])]
    fn what_a_client_needs_is_seen_by_its_name(#[case] args: &[&str], #[case] needs: [bool; 3]) {
        let parts = [NODE_CLIENT, BROWSER_CLIENT, PYTHON_CLIENT];
        assert_eq!(parts.map(|beginning| names_client(args, beginning)), needs);
    }

    #[rstest]
    #[case(&["watch"], true)]
    #[case(&["watch", "send", "--client", "core"], true)]
    #[case(&["watch", "--client", "node-3.6.3"], false)]
    #[case(&["watch", "--client=node-3.6.3"], false)]
    #[case(&["watch", "--build", "make"], false)]
    #[case(&["watch", "--build=make"], false)]
    #[case(&["run", "--client", "core"], false)]
    #[case(&[], false)]
    fn the_reference_client_is_built_before_each_round(#[case] args: &[&str], #[case] built: bool) {
        let watched = watched(args);
        assert_eq!(watched.contains(&"cargo build --quiet --package shim-core"), built);
        assert_eq!(watched.first(), args.first());
    }
}
