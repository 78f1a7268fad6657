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
use crate::running::Running;
use crate::workspace::{Failure, Workspace, does_not_start, output, shown};
use crate::{browser, conformance, in_your_tests, python, reports, sdk, tidy};

/// For each file of tests in Node, which take up to half a minute: one that waits for what never comes is ended
/// and fails.
const NODE_TESTS_MAX_MS: u32 = 180_000;
/// The first major version each of whose releases knows `--test-timeout`; an earlier one may refuse to start.
const NODE_WITH_TEST_LIMIT: u32 = 22;

/// What may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The clients that run in Chromium.
    Browser,
    /// The clients that need Node and npm, those in Chromium among them.
    Node,
    /// The client that is written in Python.
    Python,
}

/// What does not take part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Without(Vec<Part>);

impl Without {
    /// From `--without node --without python`; `None` where an argument is neither.
    pub(crate) fn parse(args: &[&str]) -> Option<Self> {
        let part = |pair: &[&str]| match pair {
            ["--without", "browser"] => Some(Part::Browser),
            ["--without", "node"] => Some(Part::Node),
            ["--without", "python"] => Some(Part::Python),
            _ => None,
        };
        args.chunks(2).map(part).collect::<Option<Vec<_>>>().map(Self)
    }

    fn leaves_out(&self, part: Part) -> bool {
        self.0.contains(&part) || (part == Part::Browser && self.0.contains(&Part::Node))
    }

    /// As it was typed.
    fn shown(&self) -> String {
        let word = |part: &Part| match part {
            Part::Browser => "--without browser",
            Part::Node => "--without node",
            Part::Python => "--without python",
        };
        self.0.iter().map(word).collect::<Vec<_>>().join(" ")
    }
}

/// Runs all steps.
pub(crate) fn run(workspace: &Workspace, without: &Without) -> Result<(), Failure> {
    let started = now();
    let cargo = |args: &[&str]| workspace.cargo(args);
    quiet("format", cargo(&["fmt", "--all", "--check"]))?;
    quiet("schema", codegen::command(workspace, Mode::Check))?;
    ours("tidy", || tidy::run(workspace))?;
    // Long before they are needed: whoever lacks one should not wait for the tests to hear it.
    reports::require(workspace)?;
    if !without.leaves_out(Part::Node) {
        ours("vendor SDKs", || sdk::install(workspace).map(drop))?;
    }
    if !without.leaves_out(Part::Browser) {
        ours("Chromium", || browser::require_or_install(workspace))?;
    }
    if !without.leaves_out(Part::Python) {
        ours("Python's environment", || python::install(workspace).map(drop))?;
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
    for shim in ["node", "chromium"] {
        if !takes_part(&format!("{shim}-"), without) {
            left_out.push(format!("the {shim} shim's tests and the vendor's examples there"));
            continue;
        }
        let tests = node_tests(workspace, &format!("conformance/shims/{shim}/*.test.mjs"))?;
        loud(&format!("{shim} shim"), &shown(&tests), tests)?;
        let seed = seed(workspace, shim);
        loud(&format!("the vendor's examples on 3.6.3 in {shim}"), &shown(&seed), seed)?;
    }
    if without.leaves_out(Part::Browser) {
        left_out.push("the inspector's tests".to_owned());
    } else {
        let tests = node_tests(workspace, "mock-server/inspector/*.test.mjs")?;
        loud("inspector", &shown(&tests), tests)?;
    }
    let examples = in_your_tests::Example::ALL.iter();
    for example in examples.filter(|example| !without.leaves_out(part_of(**example))) {
        let name = format!("the example for {}", example.name());
        ours(&format!("{name}, installed"), || in_your_tests::install(workspace, *example))?;
        let tests = in_your_tests::tests(workspace, *example)?;
        loud(&name, &shown(&tests), tests)?;
    }
    if without.leaves_out(Part::Node) {
        left_out.push("the npm package's tests and its examples".to_owned());
    } else {
        let tests = in_your_tests::of_package(workspace);
        loud("the npm package", &shown(&tests), tests)?;
        if without.leaves_out(Part::Browser) {
            left_out.push("the npm package's example for Playwright".to_owned());
        }
    }
    if without.leaves_out(Part::Python) {
        left_out.push("the python shim's tests".to_owned());
    } else {
        let tests = python::tests(workspace);
        loud("python shim", &shown(&tests), tests)?;
    }
    let (clients, others): (Vec<_>, Vec<_>) =
        clients(workspace)?.into_iter().partition(|client| takes_part(client, without));
    left_out.extend(others.iter().map(|client| format!("conformance of {client}")));
    for client in &clients {
        let name = format!("conformance of {client}");
        let repeat = format!("cargo xtask conformance --client {client}");
        let folder = reports::of_client(workspace, client).display().to_string();
        loud(&name, &repeat, conformance::command(workspace, &["--client", client, "--reports", &folder])?)?;
    }
    let folder = reports::of_all(workspace);
    quiet("reports put together", reports::put_together(workspace, &clients)?)?;
    quiet("junit.xml fits Jenkins' schema", reports::junit(workspace, &folder))?;
    quiet("report.json fits its schema", reports::json(workspace, &folder))?;
    if without.leaves_out(Part::Browser) {
        left_out.push("report.html in Chromium".to_owned());
    } else {
        quiet("report.html in Chromium", reports::page(workspace, &folder))?;
    }

    // Whatever a client does, a run ends and tells of it: also when clients end in the middle of anything.
    let killed = ["--client", "core", "--kill-clients", "--seed", "1"];
    quiet("conformance of core, killed at random", conformance::command(workspace, &killed)?)?;

    let server = Running::start(workspace)?;
    let name = "conformance of core, on a server already running";
    let command = server.command(workspace)?;
    loud(name, &shown(&command), command)?;
    drop(server);

    // After the clients: the table says what each of them does by now, and only the vendor's SDKs have every call.
    if without.leaves_out(Part::Node) {
        left_out.push("whether every clause is proven".to_owned());
    } else {
        quiet("every clause is proven", conformance::command(workspace, &["--coverage"])?)?;
    }

    println!("all passed in {:.0} s", started.elapsed().as_secs_f64());
    if !left_out.is_empty() {
        println!("NOT RUN ({}): {}", without.shown(), left_out.join(", "));
    }
    Ok(())
}

fn part_of(example: in_your_tests::Example) -> Part {
    if example.needs_browser() { Part::Browser } else { Part::Node }
}

/// Private items too: a maintainer reads them, and a broken link in one is as bad.
fn docs(workspace: &Workspace) -> Command {
    let mut command =
        workspace.cargo(&["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}

/// Whether what a client of that name needs is there.
fn takes_part(client: &str, without: &Without) -> bool {
    let needs = [
        (conformance::NODE_CLIENT, Part::Node),
        (conformance::BROWSER_CLIENT, Part::Browser),
        (conformance::PYTHON_CLIENT, Part::Python),
    ];
    !needs.into_iter().any(|(beginning, part)| client.starts_with(beginning) && without.leaves_out(part))
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
fn node_tests(workspace: &Workspace, pattern: &str) -> Result<Command, Failure> {
    let mut git = workspace.command("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "--", pattern]);
    let files = output(git)?;
    if files.is_empty() {
        return Err(Failure::Told(format!("{pattern}: no such file, so node would test nothing")));
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
fn seed(workspace: &Workspace, shim: &str) -> Command {
    let mut command = workspace.command("node");
    command.arg(format!("conformance/shims/{shim}/seed.mjs"));
    with_server(workspace, command)
}

/// Told where the SDKs are and where the programs of server and harness are.
fn with_server(workspace: &Workspace, mut command: Command) -> Command {
    command.env(sdk::FOLDER_VARIABLE, sdk::folder(workspace));
    command.env("MOCK_SERVER", workspace.binary("debug", "mock-server"));
    command.env("CONFORMANCE", workspace.binary("debug", "conformance"));
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

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("core", [true, true, true, true])]
    #[case("node-3.6.3", [true, true, false, true])]
    #[case("chromium-3.6.3", [true, false, false, true])]
    #[case("python-min", [true, true, true, false])]
    fn a_client_takes_part_unless_what_it_needs_is_left_out(#[case] client: &str, #[case] takes: [bool; 4]) {
        let parts = [&[][..], &["--without", "browser"], &["--without", "node"], &["--without", "python"]];
        let takes_part = parts.map(|args| takes_part(client, &Without::parse(args).expect("a part")));
        assert_eq!(takes_part, takes);
    }

    #[rstest]
    #[case(&["--without", "node", "--without", "python"], Some("--without node --without python"))]
    #[case(&[], Some(""))]
    #[case(&["--without"], None)]
    #[case(&["--without", "everything"], None)]
    #[case(&["--with", "node"], None)]
    fn several_parts_may_be_left_out(#[case] args: &[&str], #[case] shown: Option<&str>) {
        assert_eq!(Without::parse(args).map(|without| without.shown()).as_deref(), shown);
    }
}
