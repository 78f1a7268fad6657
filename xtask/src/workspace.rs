//! Where things are, and how other programs are called.
//!
//! Every task asks cargo itself (`cargo metadata`), so a target folder set by the environment or by a
//! configuration file is respected.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, io};

use serde_json::Value;

/// The workspace that the task runs in.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
    /// `cargo metadata` of the members, without their dependencies.
    pub(crate) metadata: Value,
}

/// Why a task did not succeed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line is wrong.
    Usage(String),
    /// Something is wrong or missing; the text says what and what to do.
    Told(String),
    /// A program said all there is to say itself; its exit code is passed on.
    Passed(u8),
}

impl Failure {
    /// Says what is to be said and gives the exit code.
    pub(crate) fn report(self) -> ExitCode {
        match self {
            Self::Usage(text) => {
                eprintln!("xtask: {text}");
                ExitCode::from(2)
            }
            Self::Told(text) => {
                eprintln!("xtask: {text}");
                ExitCode::FAILURE
            }
            Self::Passed(code) => ExitCode::from(code),
        }
    }
}

impl Workspace {
    /// Asks cargo about the workspace around the current folder.
    pub(crate) fn find() -> Result<Self, Failure> {
        let mut command = Command::new(cargo_path());
        command.args(["metadata", "--no-deps", "--format-version", "1"]);
        let metadata = output(command)?;
        let metadata: Value = serde_json::from_str(&metadata)
            .map_err(|error| Failure::Told(format!("cargo metadata writes no JSON: {error}")))?;
        let path = |key: &str| {
            let text = metadata[key].as_str();
            text.map(PathBuf::from).ok_or_else(|| Failure::Told(format!("cargo metadata does not say {key}")))
        };
        Ok(Self { root: path("workspace_root")?, target: path("target_directory")?, metadata })
    }

    /// cargo, at the root of the workspace.
    pub(crate) fn cargo(&self, args: &[&str]) -> Command {
        let mut command = self.command(cargo_path());
        command.args(args);
        command
    }

    /// Another program, at the root of the workspace.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.current_dir(&self.root);
        command
    }

    /// What a build of `profile` (`debug` or `release`) made.
    pub(crate) fn binary(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }
}

/// Runs a program and waits until it has succeeded; its output is passed through.
pub(crate) fn succeed(mut command: Command) -> Result<(), Failure> {
    let status = command.status().map_err(|error| does_not_start(&command, &error))?;
    match status.code() {
        Some(0) => Ok(()),
        Some(code) => Err(Failure::Passed(u8::try_from(code).unwrap_or(1))),
        None => Err(Failure::Told(format!("{}: {status}", shown(&command)))),
    }
}

/// Becomes another program: no process is left between it and whoever sends a signal, and its exit code is
/// ours. Where a process cannot become another (Windows), it is run and waited for; the console sends Ctrl-C
/// to both.
pub(crate) fn become_program(mut command: Command) -> Result<(), Failure> {
    #[cfg(unix)]
    {
        let error = std::os::unix::process::CommandExt::exec(&mut command);
        Err(does_not_start(&command, &error))
    }
    #[cfg(not(unix))]
    succeed(command)
}

/// What a program prints; its complaints go to our stderr.
pub(crate) fn output(mut command: Command) -> Result<String, Failure> {
    command.stderr(Stdio::inherit());
    let output = command.output().map_err(|error| does_not_start(&command, &error))?;
    if !output.status.success() {
        return Err(Failure::Told(format!("{}: {}", shown(&command), output.status)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::Told(format!("{} writes something that is not UTF-8", shown(&command))))
}

/// As a person would type it in a shell, with what is set in the environment, for messages.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let set = command.get_envs().filter_map(|(name, value)| {
        Some(format!("{}={}", name.to_string_lossy(), quoted(value?.to_string_lossy().into_owned())))
    });
    let arguments = command.get_args().map(|word| quoted(word.to_string_lossy().into_owned()));
    set.chain([program]).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// The sentence for a program that could not be started.
pub(crate) fn does_not_start(command: &Command, error: &io::Error) -> Failure {
    Failure::Told(format!("{} does not start: {error}", shown(command)))
}

fn quoted(word: String) -> String {
    if word.is_empty() || word.contains(char::is_whitespace) { format!("'{word}'") } else { word }
}

/// The cargo that runs this task, so that a chosen toolchain stays chosen.
fn cargo_path() -> PathBuf {
    env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_so_that_it_can_be_repeated() {
        let mut command = Command::new(Path::new("bin").join("cargo"));
        command.args(["doc", "--quiet"]).env("FLAGS", "-D warnings").env_remove("OTHER");
        assert_eq!(shown(&command), "FLAGS='-D warnings' cargo doc --quiet");
    }
}
