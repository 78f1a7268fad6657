//! Chromium, for the clients whose SDK runs in a page: looked for on this machine, installed from the distribution where
//! that needs no question, else asked for by the command that installs it. Never downloaded from anywhere else.
//!
//! Where it may be found is known to one place only, the shim that starts it.

use std::path::Path;
use std::process::Stdio;

use crate::sdk;
use crate::workspace::{Failure, Workspace, does_not_start, output, shown, succeed};

const SHIM: &str = "conformance/shims/chromium/shim.mjs";
/// What the shim leaves with when there is no Chromium.
const NOT_INSTALLED: i32 = 3;
const WITHOUT_BROWSER: &str = "or leave the browser out (`cargo xtask ci --without browser`)";

/// Finds Chromium, or says how to get it.
pub(crate) fn require(workspace: &Workspace) -> Result<(), Failure> {
    match look(workspace)? {
        Found::Program => Ok(()),
        Found::Nothing(said) => Err(Failure::Told(advice(&said, &Host::of_this_machine(workspace)))),
    }
}

/// The program that [`require`] has found.
pub(crate) fn program(workspace: &Workspace) -> Result<String, Failure> {
    let mut node = workspace.command("node");
    node.args([SHIM, "--chromium"]).env(sdk::FOLDER_VARIABLE, sdk::folder(workspace));
    output(node).map(|path| path.trim().to_owned())
}

/// As [`require`], and installs it where nobody needs to be asked.
pub(crate) fn require_or_install(workspace: &Workspace) -> Result<(), Failure> {
    let Found::Nothing(said) = look(workspace)? else { return Ok(()) };
    let host = Host::of_this_machine(workspace);
    let Some(commands) = installation(&said, &host) else { return Err(Failure::Told(advice(&said, &host))) };
    for arguments in commands {
        let mut command = workspace.command(arguments[0]);
        command.args(&arguments[1..]).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
        println!("browser: {}", shown(&command));
        succeed(command)?;
    }
    require(workspace)
}

/// What the shim says of this machine.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Program,
    /// Its sentence.
    Nothing(String),
}

fn look(workspace: &Workspace) -> Result<Found, Failure> {
    let mut node = workspace.command("node");
    node.args([SHIM, "--chromium"]).env(sdk::FOLDER_VARIABLE, sdk::folder(workspace));
    let output = node.output().map_err(|error| does_not_start(&node, &error))?;
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    match output.status.code() {
        Some(0) => Ok(Found::Program),
        Some(NOT_INSTALLED) => Ok(Found::Nothing(said)),
        Some(_) | None => Err(Failure::Told(format!("{}: {}: {said}", shown(&node), output.status))),
    }
}

/// What decides who may install what.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Host {
    /// As `std::env::consts::OS` names it.
    system: String,
    /// It has Debian's package tool.
    debian: bool,
    root: bool,
}

impl Host {
    fn of_this_machine(workspace: &Workspace) -> Self {
        let mut id = workspace.command("id");
        id.arg("-u").stderr(Stdio::null());
        Self {
            system: std::env::consts::OS.to_owned(),
            debian: Path::new("/etc/debian_version").exists(),
            root: cfg!(unix) && output(id).is_ok_and(|said| said.trim() == "0"),
        }
    }
}

/// The commands that install it here without a question; none where it is the user's to decide, or where the variable
/// `CHROMIUM` already names a program, which is then wrong.
fn installation(said: &str, host: &Host) -> Option<[&'static [&'static str]; 2]> {
    let may = host.debian && host.root && !is_misnamed(said);
    may.then_some([
        &["apt-get", "update", "-qq"],
        &["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
    ])
}

/// Installing would not help.
fn is_misnamed(said: &str) -> bool {
    said.contains("CHROMIUM is set")
}

/// The shim's sentence and this machine's own command.
fn advice(said: &str, host: &Host) -> String {
    let said = said.trim_start_matches("shim: ");
    let command = match (host.system.as_str(), host.debian, host.root) {
        (_, true, true) => Some("apt-get install chromium"),
        (_, true, false) => Some("sudo apt-get install chromium"),
        ("macos", ..) => Some("brew install --cask chromium"),
        ("windows", ..) => Some("winget install Google.Chrome"),
        _ => None,
    };
    let command = command.filter(|_| !is_misnamed(said));
    let here = command.map(|command| format!("; here that is `{command}`")).unwrap_or_default();
    format!("{said}{here}, {WITHOUT_BROWSER}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn host(system: &str, debian: bool, root: bool) -> Host {
        Host { system: system.to_owned(), debian, root }
    }

    const NONE: &str =
        "shim: no Chromium on this machine: install it, or set CHROMIUM to the path of its program";
    const WRONG: &str = "shim: CHROMIUM is set to /no/such, which is no program";

    #[rstest]
    #[case::root_on_debian(NONE, host("linux", true, true), true)]
    #[case::a_user_on_debian(NONE, host("linux", true, false), false)]
    #[case::root_elsewhere(NONE, host("linux", false, true), false)]
    #[case::a_mac(NONE, host("macos", false, false), false)]
    #[case::windows(NONE, host("windows", false, false), false)]
    #[case::a_wrong_variable_is_not_mended(WRONG, host("linux", true, true), false)]
    fn only_root_on_debian_is_not_asked(#[case] said: &str, #[case] host: Host, #[case] installs: bool) {
        assert_eq!(installation(said, &host).is_some(), installs);
    }

    #[rstest]
    #[case(host("linux", true, false), "`sudo apt-get install chromium`")]
    #[case(host("linux", true, true), "`apt-get install chromium`")]
    #[case(host("macos", false, false), "`brew install --cask chromium`")]
    #[case(host("windows", false, false), "`winget install Google.Chrome`")]
    fn whoever_lacks_it_is_told_the_command(#[case] host: Host, #[case] command: &str) {
        let told = advice(NONE, &host);
        assert!(told.starts_with("no Chromium on this machine"), "{told}");
        assert!(told.contains(command), "{told}");
        assert!(told.ends_with(WITHOUT_BROWSER), "{told}");
    }

    #[test]
    fn whoever_set_the_variable_is_told_of_that_alone() {
        let told = advice(WRONG, &host("linux", true, true));
        assert_eq!(told, format!("CHROMIUM is set to /no/such, which is no program, {WITHOUT_BROWSER}"));
    }

    #[test]
    fn an_unknown_system_is_told_what_the_shim_says() {
        let told = advice(NONE, &host("freebsd", false, false));
        assert_eq!(told, format!("{}, {WITHOUT_BROWSER}", NONE.trim_start_matches("shim: ")));
    }
}
