//! Conditions without a rule around them, `COND {and COND}` as behind `where`: for rows of a tape that are asked for.
//!
//! Pure. Paths, signs and values are those of rules; a row is held against them when somebody asks, never as it comes.

use super::check::{CONDITIONS_MAX, frame_field, request_field, spelt, value};
use super::parse;
use super::{Condition, RuleError};
use crate::decoded::{self, Frame, Value, Way};

/// Conditions that make sense for the rows that they are asked of.
#[derive(Clone, Debug, PartialEq)]
pub struct Conditions(Vec<Condition>);

/// What rows may be that are asked for, as far as the rest of the question says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    Frames(Way),
    Requests,
    Any,
}

/// What a condition is held against.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Held<'a> {
    Frame(&'a Frame),
    Request(RequestFields<'a>),
}

/// What of a request rules can look at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestFields<'a> {
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
    /// Status and body of the answer, when there is one.
    pub(crate) answer: Option<(u16, &'a [u8])>,
}

/// What is shown of a value that is another than asked for.
const SHOWN_CHARS_MAX: usize = 100;

impl Conditions {
    /// Reads them. A field that no such row can have is refused with its place.
    pub(crate) fn parse(text: &str, among: Among) -> Result<Self, RuleError> {
        let check = |conditions: &[Condition]| {
            if conditions.len() > CONDITIONS_MAX {
                return Err((CONDITIONS_MAX, format!("at most {CONDITIONS_MAX} conditions")));
            }
            let checked = conditions.iter().enumerate().map(|(at, condition)| {
                let checked = of_rows(among, &condition.path).and_then(|()| value(&condition.test));
                checked.map_err(|message| (at, message))
            });
            checked.collect()
        };
        parse::conditions(text, check).map(Self)
    }

    /// Each by itself.
    pub(crate) fn into_each(self) -> Vec<Condition> {
        self.0
    }
}

impl Condition {
    /// Whether it is so.
    pub(crate) fn holds(&self, held: Held<'_>) -> bool {
        match held {
            Held::Frame(frame) => self.test.holds(&frame.all(&self.path)),
            Held::Request(request) => {
                let values = request.values(&self.path);
                self.test.holds(&values.iter().collect::<Vec<_>>())
            }
        }
    }

    /// What stands there, for people; `None`: nothing.
    pub(crate) fn there(&self, held: Held<'_>) -> Option<String> {
        let shown = |value: &Value| {
            let text = match value {
                Value::Text(text) => format!("{text:?}"),
                Value::Enum { name: Some(name), .. } => (*name).to_owned(),
                other => serde_json::to_string(other).expect("a value has only string keys"),
            };
            text.chars().take(SHOWN_CHARS_MAX).collect::<String>()
        };
        let shown: Vec<String> = match held {
            Held::Frame(frame) => frame.all(&self.path).into_iter().map(shown).collect(),
            Held::Request(request) => request.values(&self.path).iter().map(shown).collect(),
        };
        (!shown.is_empty()).then(|| shown.join(" and "))
    }
}

fn of_rows(among: Among, path: &str) -> Result<(), String> {
    spelt(path)?;
    let fields = |way: Way| match way {
        Way::Up => decoded::fields_of(true),
        Way::Down => decoded::fields_of(false),
        Way::Both | Way::Neither => [decoded::fields_of(true), decoded::fields_of(false)].concat(),
    };
    match among {
        Among::Requests => request_field(path),
        Among::Frames(way) => frame_field(path, &fields(way)),
        Among::Any => request_field(path).or_else(|_| frame_field(path, &fields(Way::Both))),
    }
}
