//! What is told of a run: on the terminal, to GitHub, and in the folder of `--reports`.

use std::env;
use std::path::{Path, PathBuf};

use conformance::report::files::{self, Unwritten};
use conformance::report::model::Report;
use conformance::report::{github, terminal};

use crate::exit::{Problem, harness};
use crate::output::Stream;

/// Makes the folder, so that one that cannot be made is told before anything runs.
pub(crate) fn prepare(folder: &Path) -> Result<(), Problem> {
    files::prepare(folder).map_err(harness)
}

/// Writes every kind of report into the folder; what could not be written.
pub(crate) fn write(folder: &Path, report: &Report) -> Vec<Problem> {
    files::write_all(report, folder).into_iter().map(harness).collect()
}

/// Tells a person, and GitHub where it runs us; what could not be written.
pub(crate) fn tell(report: &Report, to: Stream) -> Vec<Problem> {
    let mut unwritten = Vec::new();
    let mut text = terminal::text(report);
    if env::var_os(github::VARIABLE).is_some_and(|value| value == "true") {
        to.tell(github::annotations(report));
        text = github::without_commands(&text);
        let summary = env::var_os(github::SUMMARY_VARIABLE).filter(|path| !path.is_empty());
        if let Some(path) = summary.map(PathBuf::from) {
            let appended = github::append_summary(report, &path);
            unwritten.extend(appended.map_err(|why| harness(Unwritten { path, why })).err());
        }
    }
    // Last, for it ends with the count that tools look for.
    to.tell(text);
    unwritten
}
