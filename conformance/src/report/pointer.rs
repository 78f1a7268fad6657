//! Where in the text of a scenario's file a step stands, and where in the step a field that was not as expected.
//!
//! The text is the one that the scenario was run from; one that does not fit it gives no place, never a wrong one.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Steps<'a> {
    #[serde(borrow)]
    steps: Vec<&'a RawValue>,
}

type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The bytes of a step, counted from 1.
pub(super) fn step(source: &str, number: usize) -> Option<Range<usize>> {
    let read: Steps<'_> = serde_json::from_str(source).ok()?;
    let step = read.steps.get(number.checked_sub(1)?)?;
    Some(place(source, step))
}

/// The bytes of the line of this number, from 1, without what indents it.
pub(super) fn line(source: &str, number: usize) -> Option<Range<usize>> {
    let mut start = 0;
    for (index, line) in source.split_inclusive('\n').enumerate() {
        if index + 1 == number {
            let indent = line.len() - line.trim_start().len();
            return Some(start + indent..start + line.trim_end().len().max(indent));
        }
        start += line.len();
    }
    None
}

/// The bytes of a field of a step, its name and its value: of the expected event first of all. `event` is that event's
/// name.
pub(super) fn field(source: &str, step: &Range<usize>, name: &str) -> Option<Range<usize>> {
    let step: Members<'_> = serde_json::from_str(source.get(step.clone())?).ok()?;
    let (_, action) = step.first_key_value()?;
    let action = members(action)?;
    // What a call was refused with is told as its error.
    let name = if name == "error" && action.contains_key("refused") { "refused" } else { name };
    let event = action.get("event").and_then(|event| members(event));
    if let ("event", Some((kind, fields))) = (name, event.as_ref().and_then(|event| event.first_key_value()))
    {
        let key = format!("\"{kind}\"");
        let start = source[..place(source, fields).start].rfind(&key)?;
        return Some(start..start + key.len());
    }
    let fields = event.as_ref().and_then(|event| members(event.first_key_value()?.1));
    let value = fields.as_ref().and_then(|fields| fields.get(name)).or_else(|| action.get(name))?;
    let value = place(source, value);
    let key = format!("\"{name}\"");
    let start = source[..value.start].rfind(&key)?;
    let between = &source[start + key.len()..value.start];
    between.chars().all(|c| c == ':' || c.is_whitespace()).then_some(start..value.end)
}

fn members(value: &RawValue) -> Option<Members<'_>> {
    serde_json::from_str(value.get()).ok()
}

fn place(source: &str, value: &RawValue) -> Range<usize> {
    let start = value.get().as_ptr().addr() - source.as_ptr().addr();
    start..start + value.get().len()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SOURCE: &str = r#"{ "why": "x", "steps": [ {"silent": {"user": "é"}},
    {"expect": {"user": "bob", "event": {"text": {"user": "carol", "data" : "hi", "ext": {"data": 1}}}}},
    {"tell": {"user": "bob", "command": {"close": {}}, "refused": "not now"}}
] }"#;

    #[rstest]
    #[case::of_the_event(2, "data", Some("\"data\" : \"hi\""))]
    #[case::of_the_event_before_the_step(2, "user", Some("\"user\": \"carol\""))]
    #[case::the_event(2, "event", Some("\"text\""))]
    #[case::a_refusal(3, "error", Some("\"refused\": \"not now\""))]
    #[case::not_listed(2, "time", None)]
    #[case::no_such_step(4, "data", None)]
    #[case::no_step(0, "data", None)]
    fn a_field_is_found_in_its_step(#[case] number: usize, #[case] name: &str, #[case] found: Option<&str>) {
        let place = step(SOURCE, number).and_then(|step| field(SOURCE, &step, name));
        assert_eq!(place.map(|place| &SOURCE[place]), found);
    }

    #[rstest]
    #[case(1, Some("{ \"why\": \"x\", \"steps\": [ {\"silent\": {\"user\": \"é\"}},"))]
    #[case(3, Some(r#"{"tell": {"user": "bob", "command": {"close": {}}, "refused": "not now"}}"#))]
    #[case(9, None)]
    fn a_line_is_found_by_its_number(#[case] number: usize, #[case] found: Option<&str>) {
        assert_eq!(line(SOURCE, number).map(|place| &SOURCE[place]), found);
    }

    #[test]
    fn a_text_that_is_no_scenario_has_no_step() {
        assert_eq!(step("{", 1), None);
        assert_eq!(step("{}", 1), None);
    }
}
