//! Everything that must pass before a change is good: the README's test command, and all that CI runs.
//!
//! Steps run in order of how fast they tell something, and the first that fails ends the run with its
//! command. What is left out is said in the last line; nothing is left out quietly.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::codegen::{self, Mode};
use crate::workspace::{Failure, Workspace, does_not_start, output, shown};
use crate::{conformance, sdk, tidy};

/// For each file of the node shim's tests, which take up to half a minute: one that waits for what never comes is ended
/// and fails.
const NODE_TESTS_MAX_MS: u32 = 180_000;
/// The first major version each of whose releases knows `--test-timeout`; an earlier one may refuse to start.
const NODE_WITH_TEST_LIMIT: u32 = 22;

/// Whether the clients that need Node and npm take part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Included,
    LeftOut,
}

/// Runs all steps.
pub(crate) fn run(workspace: &Workspace, node: Node) -> Result<(), Failure> {
    let started = now();
    let cargo = |args: &[&str]| workspace.cargo(args);
    quiet("format", cargo(&["fmt", "--all", "--check"]))?;
    quiet("schema", codegen::command(workspace, Mode::Check))?;
    ours("tidy", || tidy::run(workspace))?;
    if node == Node::Included {
        // Long before they are needed: whoever has no node should not wait for the tests to hear it.
        ours("vendor SDKs", || sdk::install(workspace).map(drop))?;
    }
    quiet("lints", cargo(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    quiet("docs", docs(workspace))?;
    for package in ["mock-server", "client-core"] {
        let name = format!("{package} without sockets");
        quiet(&name, cargo(&["check", "--quiet", "--package", package, "--no-default-features"]))?;
    }
    let tests = cargo(&["test", "--workspace"]);
    loud("tests", &shown(&tests), tests)?;

    quiet("harness", conformance::build(workspace))?;
    let mut left_out = Vec::new();
    let clients = clients(workspace)?;
    let (node_clients, others): (Vec<_>, Vec<_>) =
        clients.iter().partition(|client| client.starts_with(conformance::NODE_CLIENT));
    match node {
        Node::Included => {
            let tests = node_tests(workspace)?;
            loud("node shim", &shown(&tests), tests)?;
            let seed = seed(workspace);
            loud("the vendor's examples on 3.6.3", &shown(&seed), seed)?;
        }
        Node::LeftOut => {
            left_out.push("the node shim's tests and the vendor's examples".to_owned());
            left_out.extend(node_clients.iter().map(|client| format!("conformance of {client}")));
        }
    }
    let with_node = node_clients.iter().filter(|_| node == Node::Included);
    for client in others.iter().chain(with_node) {
        let name = format!("conformance of {client}");
        let repeat = format!("cargo xtask conformance --client {client}");
        loud(&name, &repeat, conformance::command(workspace, &["--client", client]))?;
    }

    // After the clients: the table says what each of them does by now.
    quiet("every clause is proven", conformance::command(workspace, &["--coverage"]))?;

    println!("all passed in {:.0} s", started.elapsed().as_secs_f64());
    if !left_out.is_empty() {
        println!("NOT RUN (--without node): {}", left_out.join(", "));
    }
    Ok(())
}

/// Private items too: a maintainer reads them, and a broken link in one is as bad.
fn docs(workspace: &Workspace) -> Command {
    let mut command =
        workspace.cargo(&["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}

/// The names of the client files.
fn clients(workspace: &Workspace) -> Result<Vec<String>, Failure> {
    let folder = workspace.root.join("conformance/clients");
    let files = files_in(&folder)?;
    let mut names: Vec<String> = files
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .filter_map(|path| path.file_stem()?.to_str().map(str::to_owned))
        .collect();
    names.sort_unstable();
    if names.is_empty() {
        return Err(Failure::Told(format!(
            "{}: no client file, so conformance would run nothing",
            folder.display()
        )));
    }
    Ok(names)
}

/// The files are named one by one: what node does with a folder differs from version to version.
fn node_tests(workspace: &Workspace) -> Result<Command, Failure> {
    let mut git = workspace.command("git");
    git.args([
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        "conformance/shims/node/*.test.mjs",
    ]);
    let files = output(git)?;
    if files.is_empty() {
        return Err(Failure::Told(
            "conformance/shims/node: no *.test.mjs, so node would test nothing".to_owned(),
        ));
    }
    let mut command = workspace.command("node");
    command.arg("--test");
    if sdk::node_major()? >= NODE_WITH_TEST_LIMIT {
        command.arg(format!("--test-timeout={NODE_TESTS_MAX_MS}"));
    }
    command.args(files.lines());
    Ok(with_server(workspace, command))
}

/// The example code of the vendor's page on messages, as one page.
fn seed(workspace: &Workspace) -> Command {
    let mut command = workspace.command("node");
    command.arg("conformance/shims/node/seed.mjs");
    with_server(workspace, command)
}

/// Told where the SDKs are and where the server's program is.
fn with_server(workspace: &Workspace, mut command: Command) -> Command {
    command.env(sdk::FOLDER_VARIABLE, sdk::folder(workspace));
    command.env("MOCK_SERVER", workspace.binary("debug", "mock-server"));
    command
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let at = |error: io::Error| Failure::Told(format!("{}: {error}", folder.display()));
    fs::read_dir(folder).map_err(at)?.map(|entry| entry.map(|entry| entry.path()).map_err(at)).collect()
}

/// A step whose output matters only when it fails.
fn quiet(name: &str, mut command: Command) -> Result<(), Failure> {
    ours(name, || {
        let output =
            command.stdin(Stdio::null()).output().map_err(|error| does_not_start(&command, &error))?;
        if output.status.success() {
            return Ok(());
        }
        let said = [output.stdout, output.stderr].concat();
        println!("{}", String::from_utf8_lossy(&said).trim_end());
        Err(failed(name, &shown(&command)))
    })
}

/// A step whose output is the point: how many tests ran and what they were called. `repeat` is what a person
/// types to have it again.
fn loud(name: &str, repeat: &str, mut command: Command) -> Result<(), Failure> {
    println!("{name}: {repeat}");
    ours(name, || {
        let status =
            command.stdin(Stdio::null()).status().map_err(|error| does_not_start(&command, &error))?;
        if status.success() { Ok(()) } else { Err(failed(name, repeat)) }
    })
}

/// A step of our own: one line, with its time.
fn ours(name: &str, step: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    let started = now();
    let done = step();
    if done.is_ok() {
        println!("ok {:>7.1} s  {name}", started.elapsed().as_secs_f64());
        // A step is seen when it ends, also where stdout is a file.
        drop(io::stdout().flush());
    }
    done
}

fn failed(name: &str, repeat: &str) -> Failure {
    Failure::Told(format!("the step `{name}` failed; repeat it with: {repeat}"))
}

#[expect(clippy::disallowed_methods, reason = "each step is timed for the reader")]
fn now() -> Instant {
    Instant::now()
}
