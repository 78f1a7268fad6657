//! The rules of the house that no other tool holds: who may import whom, how a file begins and how long it is,
//! what never gets committed, that scenarios, dependencies and manifests fit together, and that pages for people hold.
//!
//! It reads and complains; it never changes a file. Each complaint names the file and the line, and says what
//! to do.

mod arrows;
mod manifests;
mod pages;
mod scenarios;
mod text;

use std::fmt;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::workspace::{Failure, Workspace, output};

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Complaint {
    /// From the root of the workspace, with `/`.
    file: String,
    /// From 1.
    line: usize,
    what: String,
}

impl Complaint {
    fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, what: what.into() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// A file that is in the repository, or would be with the next `git add`.
struct File {
    path: String,
    text: String,
}

/// Holds all rules.
pub(crate) fn run(workspace: &Workspace) -> Result<(), Failure> {
    let mut complaints = Vec::new();
    let files = files(workspace, &mut complaints)?;
    for file in &files {
        complaints.extend(text::check(file));
    }
    complaints.extend(scenarios::check(&files));
    complaints.extend(pages::check(&files));
    complaints.extend(manifests::check(&workspace.metadata, &files));
    complaints.extend(arrows::check(&workspace.metadata, &files));
    for tree in arrows::TREES {
        complaints.extend(arrows::check_tree(tree, &output(workspace.cargo(&tree.arguments()))?));
    }
    if complaints.is_empty() {
        return Ok(());
    }
    complaints.sort_unstable();
    for complaint in &complaints {
        println!("{complaint}");
    }
    Err(Failure::Told(format!("tidy: rules broken, listed above: {}", complaints.len())))
}

/// All text files, those not added yet among them. What is not UTF-8 is a picture or a sound.
fn files(workspace: &Workspace, complaints: &mut Vec<Complaint>) -> Result<Vec<File>, Failure> {
    let mut git = workspace.command("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
    let mut files = Vec::new();
    for path in output(git)?.split_terminator('\0') {
        let on_disk: PathBuf = workspace.root.join(path);
        // A file that was removed but not yet with `git rm` is no file.
        let Ok(bytes) = fs::read(&on_disk) else { continue };
        match String::from_utf8(bytes) {
            Ok(text) => files.push(File { path: path.to_owned(), text }),
            Err(_) if path.ends_with(".rs") => complaints.push(Complaint::new(path, 1, "is not UTF-8")),
            // A picture: links lead to it, and there is nothing in it to read.
            Err(_) => files.push(File { path: path.to_owned(), text: String::new() }),
        }
    }
    Ok(files)
}

/// The line, from 1, on which `needle` first stands; 1 if nowhere.
fn line_of(text: &str, needle: &str) -> usize {
    text.lines().position(|line| line.contains(needle)).map_or(1, |at| at + 1)
}

/// The members in `cargo metadata --no-deps`.
fn packages(metadata: &Value) -> &[Value] {
    metadata["packages"].as_array().map_or(&[], Vec::as_slice)
}

/// A member's manifest, from the root of the workspace.
fn manifest_path(metadata: &Value, package: &Value) -> String {
    let root = metadata["workspace_root"].as_str().unwrap_or_default();
    let path = package["manifest_path"].as_str().unwrap_or_default();
    path.strip_prefix(root).unwrap_or(path).trim_start_matches(['/', '\\']).replace('\\', "/")
}
