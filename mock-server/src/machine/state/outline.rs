//! Where something stands in a state file, and what is wrong with it there.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// Why a state file is not loaded: where in it, and what is wrong there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct StateFault {
    /// Such as `worlds[0].users[3].contacts[1].user`; `.` is the whole file.
    pub path: String,
    /// In words.
    pub reason: String,
}

impl fmt::Display for StateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            WHOLE | UNKNOWN => write!(f, "the file as a whole: {}", self.reason),
            path => write!(f, "at {path}: {}", self.reason),
        }
    }
}

/// The path of the whole file, as it is told of JSON that breaks off, too.
const WHOLE: &str = ".";
/// The path of what broke off before it was known where it stands.
const UNKNOWN: &str = "?";

/// A place in a state file.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    parent: Option<&'a Self>,
    step: Step,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Field(&'static str),
    Index(usize),
}

impl At<'static> {
    /// The whole file.
    pub const ROOT: Self = Self { parent: None, step: Step::Field("") };
}

impl At<'_> {
    /// A field of what stands here.
    pub fn field<'b>(&'b self, name: &'static str) -> At<'b> {
        At { parent: Some(self), step: Step::Field(name) }
    }

    /// An item of the list that stands here, from 0.
    pub fn index<'b>(&'b self, index: usize) -> At<'b> {
        At { parent: Some(self), step: Step::Index(index) }
    }

    /// What is wrong here.
    pub fn fault(&self, reason: impl Into<String>) -> StateFault {
        StateFault { path: self.to_string(), reason: reason.into() }
    }
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else { return f.write_str(WHOLE) };
        if parent.parent.is_some() {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Field(name) if parent.parent.is_some() => write!(f, ".{name}"),
            Step::Field(name) => f.write_str(name),
            Step::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// Reads a JSON object; a fault has its path, and the line and column besides.
pub(super) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, StateFault> {
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace());
    // A list would be read as the fields in their order, which nobody means.
    if first.is_some_and(|first| *first != b'{') {
        return Err(At::ROOT.fault("a JSON object is expected, and it does not begin with {"));
    }
    let mut json = serde_json::Deserializer::from_slice(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        StateFault { path, reason: words(error.inner()) }
    })?;
    json.end().map_err(|error| At::ROOT.fault(words(&error)))?;
    Ok(value)
}

/// What a reader of JSON found, for people who know none of its types.
fn words(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof => format!("it breaks off at line {line} column {column}: the file was cut short"),
        Category::Syntax => format!("this is no JSON: {error}"),
        Category::Data | Category::Io => NUMBERS.iter().fold(error.to_string(), |text, number| {
            text.replace(&format!("expected {number} "), "expected a whole number in range ")
        }),
    }
}

/// Types of numbers that states have.
const NUMBERS: [&str; 7] = ["u8", "u16", "u32", "u64", "usize", "i32", "i64"];

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::StateFile;

    /// The beginning of each good file.
    const HEAD: &str = r#"{"format": "mock-server state", "version": 1"#;

    #[rstest]
    #[case::empty("", "the file as a whole: it breaks off at line 1 column 0: the file was cut short")]
    #[case::another_kind_of_file(
        "PK",
        "the file as a whole: a JSON object is expected, and it does not begin with {"
    )]
    #[case::a_list("[1]", "the file as a whole: a JSON object is expected, and it does not begin with {")]
    #[case::cut_short(
        r#"{HEAD, "worlds": [{"app_key""#,
        "at worlds: it breaks off at line 1 column 67: the file was cut short"
    )]
    #[case::more_behind(
        r#"{HEAD, "worlds": []} x"#,
        "the file as a whole: this is no JSON: trailing characters at line 1 column 61"
    )]
    #[case::a_comma_too_many(
        r#"{HEAD, "worlds": [],}"#,
        "the file as a whole: this is no JSON: trailing comma at line 1 column 60"
    )]
    #[case::a_version_in_words(
        r#"{"format": "mock-server state", "version": "1"}"#,
        r#"at version: invalid type: string "1", expected a whole number in range at line 1 column 46"#
    )]
    #[case::a_time_before_time(
        r#"{HEAD, "worlds": [{"app_key": "a#b", "clock": {"now_ms": -1, "runs": true}}]}"#,
        "at worlds[0].clock.now_ms: invalid value: integer `-1`, expected a whole number in range at line 1 column 98"
    )]
    fn what_cannot_be_read_is_told_in_words_for_people(#[case] text: &str, #[case] expected: &str) {
        let fault = StateFile::parse(text.replace("{HEAD", HEAD).as_bytes()).expect_err("it is no state");
        assert_eq!(fault.to_string(), expected);
    }
}
