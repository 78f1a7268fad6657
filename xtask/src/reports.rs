//! The reports of ci's runs: put together from each client's, and held against what reads them, `junit.xml` against
//! Jenkins' schema, `report.json` against ours, and `report.html` in Chromium.
//!
//! It reads no report itself.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::workspace::{Failure, Workspace, output};
use crate::{conformance, sdk};

/// Jenkins' schema of `junit.xml`.
const JUNIT_SCHEMA: &str = "conformance/schemas/junit.xsd";
/// Tells the test of the schema which report to look at, too.
const REPORT_VARIABLE: &str = "CONFORMANCE_REPORT";
/// Looks at that report: the program of tests, and the test's path in it.
const SCHEMA_TEST: (&str, &str) = ("library", "report::schema::a_report_fits_its_schema");
/// Looks at a page in Chromium, at the one that the variable names.
const PAGE_TEST: &str = "conformance/shims/chromium/tests/report.test.mjs";
const PAGE_VARIABLE: &str = "REPORT_HTML";
/// What Debian calls the package of xmllint.
const XMLLINT_PACKAGE: &str = "libxml2-utils";

/// Where the reports of a client's run are.
pub(crate) fn of_client(workspace: &Workspace, client: &str) -> PathBuf {
    reports(workspace).join(client)
}

/// Where the reports of all clients are.
pub(crate) fn of_all(workspace: &Workspace) -> PathBuf {
    reports(workspace).join("all")
}

fn reports(workspace: &Workspace) -> PathBuf {
    workspace.target.join("conformance/reports")
}

/// Puts the reports of these clients together.
pub(crate) fn put_together(workspace: &Workspace, clients: &[String]) -> Result<Command, Failure> {
    let files = clients.iter().map(|client| of_client(workspace, client).join("report.json"));
    let mut words: Vec<String> = vec!["report".to_owned()];
    words.extend(files.map(|path| path.display().to_string()));
    words.extend(["--reports".to_owned(), of_all(workspace).display().to_string()]);
    conformance::command(workspace, &words.iter().map(String::as_str).collect::<Vec<_>>())
}

/// That xmllint is there is said long before it is needed.
pub(crate) fn require(workspace: &Workspace) -> Result<(), Failure> {
    let mut xmllint = workspace.command("xmllint");
    xmllint.arg("--version");
    output(xmllint).map(drop).map_err(|_| {
        Failure::Told(format!(
            "xmllint holds junit.xml against its schema, and is not there: install {XMLLINT_PACKAGE}, or what your \
             system calls libxml2's tools"
        ))
    })
}

/// Whether build servers read the `junit.xml` in this folder.
pub(crate) fn junit(workspace: &Workspace, folder: &Path) -> Command {
    let mut command = workspace.command("xmllint");
    command.args(["--noout", "--nonet", "--schema", JUNIT_SCHEMA]).arg(folder.join("junit.xml"));
    command
}

/// Whether the `report.json` in this folder is what the schema says.
pub(crate) fn json(workspace: &Workspace, folder: &Path) -> Command {
    let mut command = workspace.cargo(&[
        "test",
        "--quiet",
        // As the step of all tests, so that nothing is built again with other features.
        "--workspace",
        "--test",
        SCHEMA_TEST.0,
        "--",
        "--exact",
        SCHEMA_TEST.1,
    ]);
    command.env(REPORT_VARIABLE, folder.join("report.json"));
    command
}

/// Whether the `report.html` in this folder works in Chromium.
pub(crate) fn page(workspace: &Workspace, folder: &Path) -> Command {
    let mut command = workspace.command("node");
    command.args(["--test", PAGE_TEST]);
    command.env(PAGE_VARIABLE, folder.join("report.html")).env(sdk::FOLDER_VARIABLE, sdk::folder(workspace));
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cargo is content with a name that no test has: it runs none of them.
    #[test]
    fn the_test_of_the_schema_stands_where_its_name_says() {
        let (program, path) = SCHEMA_TEST;
        let (modules, name) = path.rsplit_once("::").expect("a test in a module");
        let file = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../conformance/tests")
            .join(program)
            .join(modules.replace("::", "/"))
            .with_extension("rs");
        let text =
            std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(text.contains(&format!("#[test]\nfn {name}() {{")), "{} has no test {name}", file.display());
    }
}
