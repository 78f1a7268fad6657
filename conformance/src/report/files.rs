//! The files of a report, each in its own way of telling it. One that cannot be written leaves the others be, and no
//! half of a file is left behind.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::model::Report;
use super::{html, json, junit};

/// A report that could not be written.
#[derive(Debug, thiserror::Error)]
#[error("the report {} could not be written: {why}; {}", path.display(), advice(why))]
pub struct Unwritten {
    /// The file, or the folder that could not be made.
    pub path: PathBuf,
    /// What the system says.
    pub why: io::Error,
}

/// Makes the folder, if it is not there. That it can be made is best known before a run, not after it.
pub fn prepare(folder: &Path) -> Result<(), Unwritten> {
    fs::create_dir_all(folder).map_err(|why| Unwritten { path: folder.to_owned(), why })
}

/// Writes every kind of report into a folder: `junit.xml`, `report.json` and `report.html`. What could not be written
/// is told; the others are there.
pub fn write_all(report: &Report, folder: &Path) -> Vec<Unwritten> {
    let of_text = |path: &Path, text: String| write(path, |out| out.write_all(text.as_bytes()));
    let written = [
        of_text(&folder.join("report.json"), json::text(report)),
        of_text(&folder.join("junit.xml"), junit::text(report)),
        write(&folder.join("report.html"), |out| html::write(report, out)),
    ];
    written.into_iter().filter_map(Result::err).collect()
}

/// Writes one file, whole or not at all.
pub fn write(
    path: &Path,
    content: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), Unwritten> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = File::create(&part).and_then(|file| {
        let mut out = BufWriter::new(file);
        content(&mut out)?;
        out.flush()?;
        // Where a disk is full, some systems say so only now.
        out.get_ref().sync_all()?;
        fs::rename(&part, path)
    });
    written.map_err(|why| {
        // What is there of it helps nobody; that it cannot be removed either is the same trouble again.
        drop(fs::remove_file(&part));
        Unwritten { path: path.to_owned(), why }
    })
}

fn advice(why: &io::Error) -> &'static str {
    match why.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room there, or name another folder"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "allow it to be written, or name another folder"
        }
        _ => "is the folder there, and a folder?",
    }
}
