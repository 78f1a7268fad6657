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

/// Says it on stdout, in colour where that belongs. Whoever reads there may have seen enough and be gone, which is no
/// reason to leave anything else undone.
pub(crate) fn say(text: impl Display) {
    let mut out = anstream::stdout().lock();
    let _nobody_reads = write!(out, "{text}").and_then(|()| out.flush());
}
