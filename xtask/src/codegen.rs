//! The schema's Rust types: runs the `codegen` package, which needs no `protoc`.

use std::process::Command;

use crate::workspace::Workspace;

/// Whether the types are written or only compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Write,
    Check,
}

/// The command that does it.
pub(crate) fn command(workspace: &Workspace, mode: Mode) -> Command {
    let mut command = workspace.cargo(&["run", "--quiet", "--package", "codegen", "--"]);
    command.args(["fixtures/proto/msync.proto", "fixtures/src/wire/generated.rs"]);
    if mode == Mode::Check {
        command.arg("--check");
    }
    command
}
