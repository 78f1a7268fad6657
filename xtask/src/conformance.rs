//! Builds the harness, the reference client's shim and the server's program, and runs the harness.
//!
//! It adds nothing to the harness's own arguments; for a client that needs the vendor's SDKs it installs them
//! first.

use std::process::Command;

use crate::sdk;
use crate::workspace::{Failure, Workspace, become_program, succeed};

/// How the names of clients begin that run in Node on the vendor's SDKs.
pub(crate) const NODE_CLIENT: &str = "node-";

/// Runs `conformance ARGS` and passes its exit code on.
pub(crate) fn run(workspace: &Workspace, args: &[&str]) -> Result<(), Failure> {
    succeed(build(workspace))?;
    if names_node_client(args) {
        sdk::install(workspace)?;
    }
    become_program(command(workspace, args))
}

/// Builds what [`command`] runs, and the server's program, which the node shim's tests start.
pub(crate) fn build(workspace: &Workspace) -> Command {
    let packages = ["conformance", "shim-core", "mock-server"].map(|package| ["--package", package]);
    workspace.cargo(&[&["build", "--quiet"], packages.concat().as_slice()].concat())
}

/// The environment variable by which the harness knows where to keep what runs have shown.
const RESULTS_VARIABLE: &str = "CONFORMANCE_RESULTS";

/// The built harness, told where the SDKs are and where results are kept.
pub(crate) fn command(workspace: &Workspace, args: &[&str]) -> Command {
    let mut command = workspace.command(workspace.binary("debug", "conformance"));
    command
        .args(args)
        .env(sdk::FOLDER_VARIABLE, sdk::folder(workspace))
        .env(RESULTS_VARIABLE, workspace.target.join("conformance"));
    command
}

/// `--client node-3.6.3`, `--client=node-3.6.3` or a path to that client's file.
fn names_node_client(args: &[&str]) -> bool {
    args.iter().any(|arg| {
        let value = arg.rsplit(['=', '/', '\\']).next().unwrap_or(arg);
        value.starts_with(NODE_CLIENT)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(&["--client", "node-3.6.3"], true)]
    #[case(&["--client=node-3.6.3"], true)]
    #[case(&["--client", "conformance/clients/node-3.6.3.json"], true)]
    #[case(&["--client", "core", "send/text-single"], false)]
    #[case(&[], false)]
    fn the_sdks_are_installed_for_node_clients_only(#[case] args: &[&str], #[case] needed: bool) {
        assert_eq!(names_node_client(args), needed);
    }
}
