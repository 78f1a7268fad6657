//! The npm package and the projects that show how it is used: installed and run under the target folder, so that nothing
//! of what npm brings is ever in the tree.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use crate::workspace::{Failure, Workspace, output};
use crate::{browser, sdk};

const PACKAGE: &str = "mock-server/npm";
/// As the examples name it.
const PACKAGE_NAME: &str = "webim-mock-server";
/// Tells the package which server it starts.
const SERVER_VARIABLE: &str = "MOCK_SERVER_BIN";

/// A project that tests a small chat app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Example {
    Vitest,
    Jest,
    Playwright,
}

impl Example {
    pub(crate) const ALL: [Self; 3] = [Self::Vitest, Self::Jest, Self::Playwright];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Vitest => "Vitest",
            Self::Jest => "Jest",
            Self::Playwright => "Playwright",
        }
    }

    pub(crate) fn needs_browser(self) -> bool {
        match self {
            Self::Playwright => true,
            Self::Vitest | Self::Jest => false,
        }
    }

    fn source(self, workspace: &Workspace) -> PathBuf {
        workspace.root.join(PACKAGE).join("examples").join(self.name().to_lowercase())
    }

    fn folder(self, workspace: &Workspace) -> PathBuf {
        folder(workspace).join(self.name().to_lowercase())
    }
}

/// Where they are installed; what they share is in its `node_modules`, where node looks after their own.
fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("npm")
}

/// Puts a project and the package beside it where they can be run, as they are now.
pub(crate) fn install(workspace: &Workspace, example: Example) -> Result<(), Failure> {
    let package = folder(workspace).join("node_modules").join(PACKAGE_NAME);
    for file in ["package.json", "index.cjs", "index.mjs", "index.d.ts", "control.d.ts", "lib"] {
        copy(&workspace.root.join(PACKAGE).join(file), &package.join(file))?;
    }
    let (source, folder) = (example.source(workspace), example.folder(workspace));
    sdk::install_in(&folder, &source, &format!("the example for {}", example.name()))?;
    let mut git = workspace.command("git");
    git.args(["ls-files", "--cached", "--others", "--exclude-standard", "--"]).current_dir(&source);
    for file in output(git)?.lines() {
        copy(&source.join(file), &folder.join(file))?;
    }
    Ok(())
}

/// The tests of an installed project, as its author runs them.
pub(crate) fn tests(workspace: &Workspace, example: Example) -> Result<Command, Failure> {
    let mut command = Command::new(sdk::NPM);
    command.args(["test", "--silent"]).current_dir(example.folder(workspace));
    command.env(SERVER_VARIABLE, workspace.binary("debug", "mock-server"));
    if example.needs_browser() {
        command.env("CHROMIUM", browser::program(workspace)?);
    }
    Ok(command)
}

/// The package's own tests.
pub(crate) fn of_package(workspace: &Workspace) -> Command {
    let mut command = workspace.command("node");
    command.args(["--test", &format!("{PACKAGE}/tests/package.test.mjs")]);
    command.env(SERVER_VARIABLE, workspace.binary("debug", "mock-server"));
    command
}

/// A file, or the files of a folder.
fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let at = |path: &Path, error: io::Error| Failure::Told(format!("{}: {error}", path.display()));
    if from.is_dir() {
        for entry in fs::read_dir(from).map_err(|error| at(from, error))? {
            let name = entry.map_err(|error| at(from, error))?.file_name();
            copy(&from.join(&name), &to.join(&name))?;
        }
        return Ok(());
    }
    let folder = to.parent().expect("it stands in a folder of ours");
    fs::create_dir_all(folder).map_err(|error| at(folder, error))?;
    fs::copy(from, to).map(drop).map_err(|error| at(to, error))
}
