//! The folder of `--reports`: each kind of report in a file of its own. One that cannot be written leaves the others be.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use conformance::report::model::Report;
use conformance::report::{html, json, junit};

use crate::exit::{Problem, harness};

/// Makes the folder, so that one that cannot be made is told before anything runs.
pub(crate) fn prepare(folder: &Path) -> Result<(), Problem> {
    let made = std::fs::create_dir_all(folder);
    made.map_err(|error| harness(format!("--reports {}: {error}", folder.display())))
}

/// Writes them all; what could not be written.
pub(crate) fn write(folder: &Path, report: &Report) -> Vec<Problem> {
    let page = |out: &mut File| html::write(report, out);
    let files: [(&str, &dyn Fn(&mut File) -> io::Result<()>); 3] = [
        ("report.json", &|out| out.write_all(json::text(report).as_bytes())),
        ("junit.xml", &|out| out.write_all(junit::text(report).as_bytes())),
        ("report.html", &page),
    ];
    let written = files.iter().map(|(name, write)| {
        let path = folder.join(name);
        let done = File::create(&path).and_then(|mut out| write(&mut out).and_then(|()| out.flush()));
        done.map_err(|error| harness(format!("{}: {error}", path.display())))
    });
    written.filter_map(Result::err).collect()
}
