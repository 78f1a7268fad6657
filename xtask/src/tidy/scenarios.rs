//! Every scenario names the clauses it is about, and every clause that is named exists.
//!
//! It does not judge a scenario's steps: the harness does, when it reads them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Complaint, File, line_of};

const CLAUSES: &str = "fixtures/clauses.json";
const SCENARIOS: &str = "fixtures/scenarios/";

/// All scenarios among `files`.
pub(crate) fn check(files: &[File]) -> Vec<Complaint> {
    let Some(clauses) = files.iter().find(|file| file.path == CLAUSES) else {
        return vec![Complaint::new(CLAUSES, 1, "is missing: scenarios name its clauses")];
    };
    let known = match clause_ids(&clauses.text) {
        Ok(known) => known,
        Err(what) => return vec![Complaint::new(CLAUSES, 1, what)],
    };
    let mut complaints = Vec::new();
    let scenarios =
        files.iter().filter(|file| file.path.starts_with(SCENARIOS) && file.path.ends_with(".json"));
    for scenario in scenarios {
        complaints.extend(check_one(scenario, &known));
    }
    complaints
}

fn check_one(scenario: &File, known: &BTreeSet<String>) -> Vec<Complaint> {
    let complain = |line, what: String| Complaint::new(&scenario.path, line, what);
    let value: Value = match serde_json::from_str(&scenario.text) {
        Ok(value) => value,
        Err(error) => return vec![complain(error.line().max(1), format!("is not JSON: {error}"))],
    };
    let clauses = value["clauses"].as_array().map_or(&[][..], Vec::as_slice);
    if clauses.is_empty() {
        return vec![complain(1, format!("names no clause: list under `clauses` the ids from {CLAUSES}"))];
    }
    let mut complaints = Vec::new();
    for clause in clauses {
        let id = clause.as_str().unwrap_or_default();
        if !known.contains(id) {
            let line = line_of(&scenario.text, &clause.to_string());
            complaints.push(complain(line, format!("names the clause {clause}, which is not in {CLAUSES}")));
        }
    }
    complaints
}

fn clause_ids(text: &str) -> Result<BTreeSet<String>, String> {
    let clauses: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
    let clauses = clauses.as_array().ok_or("should be a list of clauses")?;
    let mut ids = BTreeSet::new();
    for clause in clauses {
        let id = clause["id"].as_str().ok_or_else(|| format!("has a clause without an id: {clause}"))?;
        if !ids.insert(id.to_owned()) {
            return Err(format!("has the clause `{id}` twice: an id is for ever, and for one thing"));
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    fn complaints(clauses: &str, scenario: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files = [file(CLAUSES, clauses), file("fixtures/scenarios/send/a.json", scenario)];
        check(&files).iter().map(Complaint::to_string).collect()
    }

    #[rstest]
    #[case(
        "{\n \"clauses\": [\n  \"send.one\",\n  \"send.two\"] }",
        "send/a.json:4: names the clause \"send.two\""
    )]
    #[case("{}", "send/a.json:1: names no clause")]
    #[case("{ \"clauses\": [7] }", "send/a.json:1: names the clause 7")]
    #[case("{\n\n,", "send/a.json:3: is not JSON")]
    fn a_scenario_with_a_wrong_clause_is_told(#[case] scenario: &str, #[case] begins: &str) {
        let found = complaints(r#"[{"id": "send.one"}]"#, scenario);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(begins), "{found:?}");
    }

    #[rstest]
    #[case(r#"[{"id": "send.one"}, {"id": "send.one"}]"#, "twice")]
    #[case(r#"[{"name": "send.one"}]"#, "without an id")]
    #[case("{}", "list")]
    fn a_list_of_clauses_that_is_broken_is_told(#[case] clauses: &str, #[case] words: &str) {
        let found = complaints(clauses, r#"{"clauses": ["send.one"]}"#);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(words), "{found:?}");
    }

    #[test]
    fn a_scenario_with_known_clauses_is_fine() {
        assert!(complaints(r#"[{"id": "send.one"}]"#, r#"{"clauses": ["send.one"]}"#).is_empty());
    }
}
