//! The vendor's SDKs, by npm, under the target folder: installed at exact versions, never committed, never
//! patched, and nothing of them runs at install time.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use serde_json::Value;

use crate::workspace::{Failure, Workspace, shown};

/// Tells the node shim where the packages are.
pub(crate) const FOLDER_VARIABLE: &str = "WEBIM_SDK_DIR";

const SOURCE: &str = "conformance/shims/node";
/// What npm reads: the names, the exact versions with their checksums, and its settings.
const FILES: [&str; 3] = ["package.json", "package-lock.json", ".npmrc"];
/// Holds the text of [`FILES`] as it was when npm last succeeded.
const STAMP: &str = "installed";
const WITHOUT_NODE: &str = "or leave the node clients out (`cargo xtask ci --without node`)";

/// Where the packages are once [`install`] has succeeded.
pub(crate) fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("sdk")
}

/// Installs what the manifest names unless it is there already, and gives the folder.
pub(crate) fn install(workspace: &Workspace) -> Result<PathBuf, Failure> {
    let source = workspace.root.join(SOURCE);
    let folder = folder(workspace);
    install_in(&folder, &source, "the vendor's SDKs")?;
    Ok(folder)
}

/// Installs in a folder what the manifest of another names, unless it is there already.
pub(crate) fn install_in(folder: &Path, source: &Path, what: &str) -> Result<(), Failure> {
    let wanted = FILES.map(|file| read(&source.join(file)));
    let [manifest, lock, settings] = wanted;
    let wanted = [manifest?, lock?, settings?];
    check_node(source, &wanted[0])?;

    let stamp = folder.join(STAMP);
    let text = wanted.concat();
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == text) {
        return Ok(());
    }
    println!("npm installs {what} in {}", folder.display());
    fs::create_dir_all(folder).map_err(|error| at(folder, &error))?;
    match fs::remove_file(&stamp) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&stamp, &error)),
        Ok(()) | Err(_) => {}
    }
    for (file, text) in FILES.iter().zip(&wanted) {
        let copy = folder.join(file);
        fs::write(&copy, text).map_err(|error| at(&copy, &error))?;
    }
    let mut npm = Command::new(NPM);
    // Not `ci`: it refuses a lock without the optional packages of other platforms, which not every registry has. What the
    // lock names comes by its checksum here, too.
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]);
    npm.current_dir(folder).stdin(Stdio::null());
    // npm's summary is of no use on success, and stdout is the caller's.
    let output = npm.output().map_err(|error| missing("npm", &error))?;
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        return Err(Failure::Told(format!(
            "`{}` in {} failed; is the registry that npm is set up for reachable? npm says:\n{}",
            shown(&npm),
            folder.display(),
            String::from_utf8_lossy(&said).trim_end()
        )));
    }
    fs::write(&stamp, text).map_err(|error| at(&stamp, &error))
}

/// npm is a script, which Windows starts only by its whole name.
pub(crate) const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

fn check_node(source: &Path, manifest: &str) -> Result<(), Failure> {
    let wanted = oldest_node(manifest).ok_or_else(|| {
        Failure::Told(format!(
            "{}: engines.node should be `>=` and a number, such as `>=18`",
            source.join(FILES[0]).display()
        ))
    })?;
    let found = node_major()?;
    if found >= wanted {
        return Ok(());
    }
    Err(Failure::Told(format!("node {found} is too old: install Node {wanted} or newer, {WITHOUT_NODE}")))
}

/// The major version of the Node in the path.
pub(crate) fn node_major() -> Result<u32, Failure> {
    let version = Command::new("node").arg("--version").output().map_err(|error| missing("node", &error))?;
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    let none = || Failure::Told(format!("`node --version` says {version:?}, which is no version"));
    major(&version).ok_or_else(none)
}

/// From `"engines": {"node": ">=18"}`.
fn oldest_node(manifest: &str) -> Option<u32> {
    let manifest: Value = serde_json::from_str(manifest).ok()?;
    manifest["engines"]["node"].as_str()?.strip_prefix(">=").and_then(major)
}

/// Of `v20.20.2`, `20.1` or `20`.
fn major(version: &str) -> Option<u32> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

fn missing(program: &str, error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::NotFound {
        return Failure::Told(format!(
            "{program} is not in the path: install Node 18 or newer with npm, {WITHOUT_NODE}"
        ));
    }
    Failure::Told(format!("{program} does not start: {error}"))
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| at(path, &error))
}

fn at(path: &Path, error: &io::Error) -> Failure {
    Failure::Told(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("v20.20.2", Some(20))]
    #[case("18", Some(18))]
    #[case("not a version", None)]
    #[case("", None)]
    fn the_major_version_of_node(#[case] text: &str, #[case] number: Option<u32>) {
        assert_eq!(major(text), number);
    }

    #[rstest]
    #[case(r#"{"engines":{"node":">=18"}}"#, Some(18))]
    #[case(r#"{"engines":{"node":"^18"}}"#, None)]
    #[case(r#"{}"#, None)]
    #[case("{", None)]
    fn the_oldest_node_comes_from_the_manifest(#[case] manifest: &str, #[case] number: Option<u32>) {
        assert_eq!(oldest_node(manifest), number);
    }
}
