//! Whether an event is the one that a step expects, field by field.
//!
//! It compares what is listed and says nothing of the rest; it never converts one JSON type into another.

use std::collections::BTreeMap;

use serde_json::{Number, Value};

use crate::driver::Event;

/// The values that `$names` of one scenario stand for; each is bound where it is first met.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bindings(BTreeMap<String, Value>);

/// One field that is not as expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Which one; `event` for the event's own name.
    pub field: String,
    /// What the step asks for; a bound name with its value.
    pub expected: String,
    /// What came.
    pub got: String,
}

impl Bindings {
    /// What a name stands for by now.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Compares the fields that `expected` lists with those that came. Names are bound as they are met, so an
    /// event that differs leaves bindings behind: it ends its scenario anyway.
    pub fn compare(&mut self, expected: &Event, got: &Event) -> Vec<Difference> {
        if expected.kind != got.kind {
            return vec![Difference {
                field: "event".to_owned(),
                expected: expected.to_string(),
                got: got.to_string(),
            }];
        }
        let mut differences = Vec::new();
        for (field, want) in &expected.fields {
            let came = got.fields.get(field);
            // Ids are decimal strings (DRIVER.md): a number has lost its last digits, or will.
            let is_number = |came: &Value| matches!(field.as_str(), "id" | "mid") && came.is_number();
            if !came.is_some_and(|came| !is_number(came) && self.matches(want, came)) {
                differences.push(Difference {
                    field: field.clone(),
                    expected: self.describe(want),
                    got: came.map_or_else(|| "nothing: the field is missing".to_owned(), Value::to_string),
                });
            }
        }
        differences
    }

    /// A copy of `value` with every `$name`, and every `${name}` within a text, replaced by what it stands for. The
    /// error is a name that stands for nothing yet.
    pub fn resolve(&self, value: &Value) -> Result<Value, String> {
        Ok(match value {
            Value::String(text) => match Placeholder::of(text) {
                Placeholder::Literal(text) => self.filled_in(text)?.into(),
                Placeholder::Name(name) => match self.0.get(name) {
                    Some(bound) => bound.clone(),
                    None => return Err(text.clone()),
                },
            },
            Value::Array(values) => {
                values.iter().map(|value| self.resolve(value)).collect::<Result<_, _>>()?
            }
            Value::Object(fields) => {
                let resolved = fields.iter().map(|(key, value)| Ok((key.clone(), self.resolve(value)?)));
                Value::Object(resolved.collect::<Result<_, String>>()?)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        })
    }

    /// The text with what its `${name}`s stand for.
    fn filled_in(&self, text: &str) -> Result<String, String> {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("${") {
            let Some((name, after)) = behind.split_once('}') else { break };
            filled.push_str(before);
            match self.0.get(name) {
                Some(Value::String(bound)) => filled.push_str(bound),
                Some(bound) => filled.push_str(&bound.to_string()),
                None => return Err(format!("${{{name}}}")),
            }
            rest = after;
        }
        filled.push_str(rest);
        Ok(filled)
    }

    fn matches(&mut self, want: &Value, came: &Value) -> bool {
        match (want, came) {
            (Value::String(want), came) => match Placeholder::of(want) {
                Placeholder::Literal(text) => came.as_str() == Some(text),
                Placeholder::Name(name) => match self.0.get(name) {
                    Some(bound) => same(bound, came),
                    // A name that stood for nothing at all would match nothing at all ever after.
                    None if came.is_null() => false,
                    None => {
                        self.0.insert(name.to_owned(), came.clone());
                        true
                    }
                },
            },
            (Value::Array(want), Value::Array(came)) => {
                want.len() == came.len() && want.iter().zip(came).all(|(want, came)| self.matches(want, came))
            }
            (Value::Object(want), Value::Object(came)) => {
                want.len() == came.len()
                    && want
                        .iter()
                        .all(|(key, want)| came.get(key).is_some_and(|came| self.matches(want, came)))
            }
            (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_), _) => {
                same(want, came)
            }
        }
    }

    fn describe(&self, want: &Value) -> String {
        let bound = want.as_str().and_then(|text| match Placeholder::of(text) {
            Placeholder::Literal(_) => None,
            Placeholder::Name(name) => self.0.get(name).map(|value| format!("{text} = {value}")),
        });
        bound.unwrap_or_else(|| want.to_string())
    }
}

/// Whether two values are equal, numbers by what they count: a client may show 1 as `1.0`.
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || exact(left).is_some_and(|left| Some(left) == exact(right))
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            left.len() == right.len()
                && left.iter().all(|(key, value)| right.get(key).is_some_and(|other| same(value, other)))
        }
        (left, right) => left == right,
    }
}

/// A copy of `value` with every `#` in its strings replaced by `number`: how one step stands for many.
pub fn numbered(value: &Value, number: u32) -> Value {
    match value {
        Value::String(text) => text.replace('#', &number.to_string()).into(),
        Value::Array(values) => values.iter().map(|value| numbered(value, number)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, value)| (key.clone(), numbered(value, number))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// What a string of an expected event means.
enum Placeholder<'a> {
    /// Itself; written `$$5` when it should be `$5`.
    Literal(&'a str),
    /// `$m1`: whatever stood here first.
    Name(&'a str),
}

impl<'a> Placeholder<'a> {
    fn of(text: &'a str) -> Self {
        let Some(rest) = text.strip_prefix('$') else { return Self::Literal(text) };
        if rest.starts_with('$') {
            return Self::Literal(rest);
        }
        let is_name = rest.starts_with(|c: char| c.is_ascii_alphabetic())
            && rest.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
        if is_name { Self::Name(rest) } else { Self::Literal(text) }
    }
}

/// Integers beyond 2^53 only equal themselves: as floats, two of them may look alike.
fn exact(number: &Number) -> Option<f64> {
    const EXACT_MAX: f64 = 9_007_199_254_740_992.0;
    number.as_f64().filter(|float| float.abs() < EXACT_MAX)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn event(value: Value) -> Event {
        serde_json::from_value(value).expect("an event")
    }

    #[rstest]
    #[case(json!({"text": {"data": "hi"}}), json!({"text": {"id": "5", "data": "hi"}}), "")]
    #[case(json!({"text": {"data": "hi"}}), json!({"text": {"data": "ho"}}), r#"data: "hi" / "ho""#)]
    #[case(json!({"text": {"data": "hi"}}), json!({"cmd": {}}), r#"event: text {"data":"hi"} / cmd {}"#)]
    #[case(json!({"text": {"data": "hi"}}), json!({"text": {}}), r#"data: "hi" / nothing: the field is missing"#)]
    #[case(json!({"text": {"ext": {}}}), json!({"text": {"ext": {"a": 1}}}), r#"ext: {} / {"a":1}"#)]
    #[case(json!({"text": {"ext": {"a": 1}}}), json!({"text": {"ext": {"a": 1.0}}}), "")]
    #[case(json!({"error": {"type": 16}}), json!({"error": {"type": "16"}}), r#"type: 16 / "16""#)]
    #[case(json!({"text": {"time": 9007199254740993_u64}}), json!({"text": {"time": 9007199254740992_u64}}),
           "time: 9007199254740993 / 9007199254740992")]
    #[case(json!({"text": {"data": "$$5"}}), json!({"text": {"data": "$5"}}), "")]
    #[case(json!({"text": {"data": "$ 5"}}), json!({"text": {"data": "$ 5"}}), "")]
    #[case(json!({"text": {"id": "$m"}}), json!({"text": {"id": null}}), r#"id: "$m" / null"#)]
    #[case(json!({"text": {"id": "$m"}}), json!({"text": {"id": 5}}), r#"id: "$m" / 5"#)]
    fn compares_what_is_listed(#[case] expected: Value, #[case] got: Value, #[case] said: &str) {
        let differences = Bindings::default().compare(&event(expected), &event(got));
        let text: Vec<String> =
            differences.iter().map(|d| format!("{}: {} / {}", d.field, d.expected, d.got)).collect();
        assert_eq!(text.join("; "), said);
    }

    #[test]
    fn a_name_is_bound_at_first_sight_and_must_match_after() {
        let mut bindings = Bindings::default();
        let sent = event(json!({"sent": {"id": "$m1"}}));
        assert_eq!(bindings.compare(&sent, &event(json!({"sent": {"id": "7"}}))), []);
        assert_eq!(bindings.get("m1"), Some(&json!("7")));
        let differences = bindings.compare(&sent, &event(json!({"sent": {"id": "8"}})));
        assert_eq!(differences[0].expected, r#""$m1" = "7""#.replace('"', "").replace("= 7", "= \"7\""));
    }

    #[test]
    fn a_name_in_a_call_is_what_it_stands_for() {
        let mut bindings = Bindings::default();
        let made = event(json!({"create_group": {"group": "$g"}}));
        assert_eq!(bindings.compare(&made, &event(json!({"create_group": {"group": "77"}}))), []);
        assert_eq!(
            bindings.resolve(&json!({"to": "$g", "text": "$$g $g"})),
            Ok(json!({"to": "77", "text": "$g $g"}))
        );
        assert_eq!(bindings.resolve(&json!(["$room"])), Err("$room".to_owned()));
        assert_eq!(bindings.resolve(&json!("/groups/${g}/${g}?${")), Ok(json!("/groups/77/77?${")));
        assert_eq!(bindings.resolve(&json!("/rooms/${room}")), Err("${room}".to_owned()));
    }

    #[test]
    fn a_number_stands_for_each_hash() {
        assert_eq!(
            numbered(&json!({"a#": ["m#", 1, {"b": "##"}]}), 12),
            json!({"a#": ["m12", 1, {"b": "1212"}]})
        );
    }
}
