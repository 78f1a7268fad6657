//! `report.json`: a report for a program.

use super::model::Report;

/// The text of the file.
pub fn text(report: &Report) -> String {
    let mut text = serde_json::to_string(report).expect("a report has only string keys");
    text.push('\n');
    text
}
