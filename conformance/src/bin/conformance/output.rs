//! Where the program writes: stdout, and a file that a flag names. That the file can be written is known before the run,
//! not after it.

use std::fmt::Display;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use crate::exit::{Problem, harness};

/// The file of `--report`.
pub(crate) struct Output<'p> {
    path: &'p Path,
    file: File,
}

impl<'p> Output<'p> {
    /// Makes it, empty.
    pub(crate) fn create(path: &'p Path) -> Result<Self, Problem> {
        match File::create(path) {
            Ok(file) => Ok(Self { path, file }),
            Err(error) => Err(harness(format!("--report {}: {error}", path.display()))),
        }
    }

    /// Fails where the disk is full by now.
    pub(crate) fn write(&mut self, text: &str) -> Result<(), Problem> {
        let written = self.file.write_all(text.as_bytes());
        written.map_err(|error| harness(format!("--report {}: {error}", self.path.display())))
    }
}

/// Where something is told to whoever reads along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stream {
    Out,
    /// Where stdout is for a program.
    Err,
}

impl Stream {
    /// Tells it, in colour where that belongs. Whoever reads there may have seen enough and be gone, which is no reason to
    /// leave anything else undone.
    pub(crate) fn tell(self, text: impl Display) {
        let _nobody_reads = match self {
            Self::Out => {
                let mut out = anstream::stdout().lock();
                write!(out, "{text}").and_then(|()| out.flush())
            }
            Self::Err => write!(anstream::stderr().lock(), "{text}"),
        };
    }
}

/// Tells it on stdout.
pub(crate) fn say(text: impl Display) {
    Stream::Out.tell(text);
}

/// Tells what is wrong.
pub(crate) fn complain(message: impl Display) {
    Stream::Err.tell(format_args!("error: {message}\n"));
}

/// As `print!`, for whom it is no matter that nobody reads any more.
macro_rules! tell {
    ($($words:tt)*) => { $crate::output::say(format_args!($($words)*)) };
}

/// As `println!`, likewise.
macro_rules! tell_line {
    ($($words:tt)*) => { $crate::output::say(format_args!("{}\n", format_args!($($words)*))) };
}

pub(crate) use {tell, tell_line};
