//! `report.json` against its schema.

use conformance::report::json;
use conformance::schema::Name;

use super::sample;

/// Names a report.json that a run has written, which ci has looked at here too.
const VARIABLE: &str = "CONFORMANCE_REPORT";

#[test]
fn a_report_fits_its_schema() {
    let validator = jsonschema::validator_for(&Name::Report.schema()).expect("a schema");
    let mut texts = vec![("the sample".to_owned(), json::text(&sample::report()))];
    if let Some(path) = std::env::var_os(VARIABLE) {
        let path = path.to_string_lossy().into_owned();
        texts.push((path.clone(), std::fs::read_to_string(&path).expect("the file that ci names")));
    }
    for (name, text) in texts {
        let value = serde_json::from_str(&text).expect("JSON");
        let complaints: Vec<String> = validator
            .iter_errors(&value)
            .take(5)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(complaints.is_empty(), "{name}: {complaints:#?}");
    }
}
