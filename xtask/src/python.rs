//! A virtual environment for the Python shim, under the target folder: its one package at an exact version and checksum,
//! never committed, and nothing of the machine's own Python is changed.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::{env, fs, io};

use crate::workspace::{Failure, Workspace, shown};

const SHIM: &str = "conformance/shims/python";
/// Names the package, its version and its checksum, and no address.
const REQUIREMENTS: &str = "requirements.txt";
/// The oldest minor version of Python 3 that the shim is written for.
const MINOR_MIN: u32 = 9;
/// Holds the requirements and Python's version as they were when pip last succeeded.
const STAMP: &str = "installed";
/// Only Windows has it under another name.
const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };
const WITHOUT_PYTHON: &str = "or leave the Python client out (`cargo xtask ci --without python`)";
const HOW_TO_GET: &str =
    "install Python 3.9 or newer with its module venv (on Debian: `apt-get install python3 python3-venv`)";

/// Makes the environment unless it is there already, and gives the folder of its programs.
pub(crate) fn install(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let requirements = workspace.root.join(SHIM).join(REQUIREMENTS);
    let wanted = fs::read_to_string(&requirements).map_err(|error| at(&requirements, &error))?;
    let version = version()?;

    let folder = folder(workspace);
    let (stamp, programs) = (folder.join(STAMP), programs(workspace));
    let text = format!("{version}\n{wanted}");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == text) {
        return Ok(programs);
    }
    println!("python: pip installs what {SHIM} needs in {}", folder.display());
    // What an earlier try has left may be of another version of Python.
    match fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&folder, &error)),
        Ok(()) | Err(_) => {}
    }
    let mut venv = Command::new(PYTHON);
    venv.args(["-m", "venv"]).arg(&folder);
    let made = said(&mut venv)?;
    if !made.status.success() {
        return Err(Failure::Told(no_venv(&shown(&venv), &text_of(&made))));
    }
    let mut pip = Command::new(programs.join(PYTHON));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    pip.args(["--only-binary", ":all:", "--require-hashes", "--requirement"]).arg(&requirements);
    let installed = said(&mut pip)?;
    if !installed.status.success() {
        return Err(Failure::Told(format!(
            "`{}` failed; is the package index that pip is set up for reachable? pip says:\n{}",
            shown(&pip),
            text_of(&installed)
        )));
    }
    name_as_elsewhere(&programs)?;
    fs::write(&stamp, text).map_err(|error| at(&stamp, &error))?;
    Ok(programs)
}

/// The environment's programs first, then the caller's: `python3` in a client's file is the one that has its package.
pub(crate) fn path(workspace: &Workspace) -> Result<OsString, Failure> {
    let of_caller = env::var_os("PATH").unwrap_or_default();
    let folders = [programs(workspace)].into_iter().chain(env::split_paths(&of_caller));
    env::join_paths(folders).map_err(|error| {
        Failure::Told(format!(
            "the target folder cannot stand in PATH: {error}; choose another (CARGO_TARGET_DIR)"
        ))
    })
}

/// The tests of the shim's own parts, by the environment's Python.
pub(crate) fn tests(workspace: &Workspace) -> Command {
    let mut command = workspace.command(programs(workspace).join(PYTHON));
    command.args(["-m", "unittest", "discover", "--start-directory", SHIM]);
    command
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("python")
}

fn programs(workspace: &Workspace) -> PathBuf {
    folder(workspace).join(if cfg!(windows) { "Scripts" } else { "bin" })
}

/// On Windows an environment has no `python3`, and the client's file should say one name on every system.
fn name_as_elsewhere(programs: &Path) -> Result<(), Failure> {
    let other = programs.join(format!("python3{}", env::consts::EXE_SUFFIX));
    if !other.exists() {
        let from = programs.join(format!("{PYTHON}{}", env::consts::EXE_SUFFIX));
        fs::copy(&from, &other).map_err(|error| at(&other, &error))?;
    }
    Ok(())
}

/// What `python3 --version` says, if it is new enough.
fn version() -> Result<String, Failure> {
    let output = said(Command::new(PYTHON).arg("--version"))?;
    let version = text_of(&output);
    match minor(&version) {
        Some(found) if found >= MINOR_MIN => Ok(version),
        Some(_) => Err(Failure::Told(format!("{version} is too old: {HOW_TO_GET}, {WITHOUT_PYTHON}"))),
        None => Err(Failure::Told(format!(
            "`{PYTHON} --version` says {version:?}: {HOW_TO_GET}, {WITHOUT_PYTHON}"
        ))),
    }
}

/// Of `Python 3.11.7`.
fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("Python 3.")?.split('.').next()?.parse().ok()
}

/// Debian's Python has the module `venv` and lacks what it works with.
fn no_venv(command: &str, said: &str) -> String {
    format!("`{command}` failed: {HOW_TO_GET}, {WITHOUT_PYTHON}; Python says:\n{said}")
}

fn said(command: &mut Command) -> Result<Output, Failure> {
    command.stdin(Stdio::null()).output().map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            return Failure::Told(format!("{PYTHON} is not in the path: {HOW_TO_GET}, {WITHOUT_PYTHON}"));
        }
        Failure::Told(format!("{PYTHON} does not start: {error}"))
    })
}

fn text_of(output: &Output) -> String {
    let both = [&*output.stdout, &*output.stderr].concat();
    String::from_utf8_lossy(&both).trim().to_owned()
}

fn at(path: &Path, error: &io::Error) -> Failure {
    Failure::Told(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("Python 3.11.7", Some(11))]
    #[case("Python 3.9.0rc1", Some(9))]
    #[case("Python 2.7.18", None)]
    #[case("", None)]
    fn the_minor_version_of_python(#[case] text: &str, #[case] number: Option<u32>) {
        assert_eq!(minor(text), number);
    }

    #[test]
    fn whoever_lacks_venv_is_told_the_packages_and_the_way_round() {
        let told = no_venv("python3 -m venv target/python", "ensurepip is not available");
        assert_eq!(
            told,
            "`python3 -m venv target/python` failed: install Python 3.9 or newer with its module venv (on Debian: \
             `apt-get install python3 python3-venv`), or leave the Python client out (`cargo xtask ci --without \
             python`); Python says:\nensurepip is not available"
        );
    }
}
