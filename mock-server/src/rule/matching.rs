//! Whether a rule fits a frame or a request, and what chance says.

use serde_json::Value as Json;

use super::conditions::{Held, RequestFields};
use super::{Command, Literal, Parts, Party, Rule, Test, What};
use crate::decoded::{Frame, Kind, Value};
use crate::machine::rest::Method;

/// A request as rules see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) method: Method,
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    /// Whose token it carries.
    pub(crate) user: Option<&'a str>,
    pub(crate) has_file: bool,
    pub(crate) body: &'a [u8],
    /// Status and body of the answer, when there is one.
    pub(crate) answer: Option<(u16, &'a [u8])>,
}

impl Rule {
    /// Whether it fits a frame that goes the way that the rule looks. `user` and `device` are the connection's.
    pub(crate) fn fits(&self, frame: &Frame, user: Option<&str>, device: Option<&str>) -> bool {
        let parts = &self.0;
        let fits = match &parts.what {
            What::Frame => true,
            What::Message => frame.kind.has_meta(),
            What::Kind(kind) => frame.kind == *kind,
            What::Command(command) => command.has(frame),
            What::Request { .. } | What::Upload { .. } => false,
        };
        fits && parts.is_of(user, device)
            && parts.conditions.iter().all(|condition| condition.holds(Held::Frame(frame)))
    }

    /// Whether it fits a request, or, on the other side, its answer.
    pub(crate) fn fits_request(&self, asked: &Asked<'_>) -> bool {
        let parts = &self.0;
        let (fits, path) = match &parts.what {
            What::Request { method, path } => (method.is_none_or(|method| method == asked.method), path),
            What::Upload { path } => (asked.has_file, path),
            What::Command(_) | What::Kind(_) | What::Message | What::Frame => return false,
        };
        fits && asked.path.contains(path.as_str())
            && parts.is_of(asked.user, None)
            && parts.conditions.iter().all(|condition| condition.holds(Held::Request(asked.fields())))
    }
}

impl Parts {
    fn is_of(&self, user: Option<&str>, device: Option<&str>) -> bool {
        self.from.as_ref().or(self.to.as_ref()).is_none_or(|party| party.is(user, device))
    }
}

impl Party {
    fn is(&self, user: Option<&str>, device: Option<&str>) -> bool {
        let is_user = |name: &str| user.is_some_and(|user| user.to_lowercase() == name.to_lowercase());
        // SDKs put `webim_` before a device's own name, and 4.x `webim_web_` (wire-3x §2.2, wire-4x §3.2).
        let is_device = |name: &str| {
            device.is_some_and(|device| {
                device == name || device.strip_suffix(name).is_some_and(|before| before.ends_with('_'))
            })
        };
        self.user.as_deref().is_none_or(is_user) && self.device.as_deref().is_none_or(is_device)
    }
}

impl Command {
    fn has(self, frame: &Frame) -> bool {
        match self {
            Self::Sync => {
                frame.kind.has_meta()
                    || matches!(frame.kind, Kind::Pull | Kind::Ack | Kind::Answer | Kind::Page | Kind::Sync)
            }
            Self::Unread => frame.kind == Kind::Unread,
            Self::Notice => frame.kind == Kind::Notice,
            Self::Provision => frame.kind == Kind::Provision,
            Self::Logout => frame.kind == Kind::Logout,
        }
    }
}

impl<'a> Asked<'a> {
    fn fields(&self) -> RequestFields<'a> {
        let Self { path, query, body, answer, .. } = *self;
        RequestFields { path, query, body, answer }
    }
}

impl RequestFields<'_> {
    /// The values at the end of a path.
    pub(super) fn values(&self, path: &str) -> Vec<Value> {
        let text = |text: &str| vec![Value::Text(text.to_owned())];
        match path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest))) {
            ("path", _) => text(self.path),
            ("query", _) if self.query.is_empty() => Vec::new(),
            ("query", _) => text(self.query),
            ("status", _) => self.answer.iter().map(|(status, _)| Value::Uint32((*status).into())).collect(),
            ("body", rest) => inside(self.body, rest),
            ("answer", rest) => self.answer.map_or_else(Vec::new, |(_, body)| inside(body, rest)),
            (_, _) => Vec::new(),
        }
    }
}

fn inside(body: &[u8], path: Option<&str>) -> Vec<Value> {
    let json = serde_json::from_slice::<Json>(body).map(|json| Value::of_json(&json));
    match (json, path) {
        (Ok(json), Some(path)) => json.all(path).into_iter().cloned().collect(),
        (_, None) if body.is_empty() => Vec::new(),
        (_, None) => vec![Value::Text(String::from_utf8_lossy(body).into_owned())],
        (Err(_), Some(_)) => Vec::new(),
    }
}

impl Test {
    pub(super) fn holds(&self, values: &[&Value]) -> bool {
        let any = |holds: &dyn Fn(&Value) -> bool| values.iter().any(|value| holds(value));
        match self {
            Self::Is(literal) => any(&|value| literal.is(value)),
            Self::IsNot(literal) => !any(&|value| literal.is(value)),
            Self::Below(literal) => any(&|value| literal.order(value).is_some_and(|order| order.is_gt())),
            Self::Above(literal) => any(&|value| literal.order(value).is_some_and(|order| order.is_lt())),
            Self::AtMost(literal) => any(&|value| literal.order(value).is_some_and(|order| order.is_ge())),
            Self::AtLeast(literal) => any(&|value| literal.order(value).is_some_and(|order| order.is_le())),
            Self::Contains(Literal::Text(part)) => {
                any(&|value| matches!(value, Value::Text(text) if text.contains(part.as_str())))
            }
            Self::Contains(Literal::Bool(_) | Literal::Integer(_) | Literal::Decimal(_)) => false,
            Self::Exists => !values.is_empty(),
            Self::Absent => values.is_empty(),
        }
    }
}

impl Literal {
    fn is(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Bool(literal), Value::Bool(value)) => literal == value,
            (Self::Text(literal), Value::Text(value)) => literal == value,
            (Self::Text(literal), Value::Enum { name: Some(name), .. }) => literal.eq_ignore_ascii_case(name),
            // 64-bit numbers are texts in JSON, and some are too large for any other number there.
            (Self::Text(literal), Value::Int64(number) | Value::Whole(number)) => {
                *literal == number.to_string()
            }
            (Self::Text(literal), Value::Uint64(number)) => *literal == number.to_string(),
            (Self::Text(literal), Value::Bytes(bytes)) => {
                literal.eq_ignore_ascii_case(&crate::decoded::hex(bytes))
            }
            (Self::Bool(_) | Self::Text(_), _) => false,
            (Self::Integer(_) | Self::Decimal(_), value) => {
                self.order(value).is_some_and(|order| order.is_eq())
            }
        }
    }

    /// How it stands to a number.
    fn order(&self, value: &Value) -> Option<std::cmp::Ordering> {
        let whole = match value {
            Value::Int32(number) | Value::Enum { number, .. } => i128::from(*number),
            Value::Uint32(number) => i128::from(*number),
            Value::Int64(number) | Value::Whole(number) => i128::from(*number),
            Value::Uint64(number) => i128::from(*number),
            Value::Double(number) => return self.decimal()?.partial_cmp(number),
            Value::Bool(_)
            | Value::Text(_)
            | Value::Bytes(_)
            | Value::Message(_)
            | Value::List(_)
            | Value::Null => return None,
        };
        match self {
            Self::Integer(literal) => Some(i128::from(*literal).cmp(&whole)),
            #[expect(clippy::cast_precision_loss, reason = "a decimal is not exact either")]
            Self::Decimal(literal) => literal.partial_cmp(&(whole as f64)),
            Self::Bool(_) | Self::Text(_) => None,
        }
    }

    fn decimal(&self) -> Option<f64> {
        match self {
            Self::Decimal(number) => Some(*number),
            #[expect(clippy::cast_precision_loss, reason = "what it is held against is no more exact")]
            Self::Integer(number) => Some(*number as f64),
            Self::Bool(_) | Self::Text(_) => None,
        }
    }
}

/// What decides where chance does: the same numbers give the same decisions, and no rule's decisions move another's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw {
    pub(crate) world_seed: u64,
    pub(crate) rule: u64,
    /// How many fitted before it.
    pub(crate) nth: u64,
}

impl Draw {
    /// Whether a rule acts this time.
    pub(crate) fn falls_to(self, rule: &Rule) -> bool {
        let Some(probability) = rule.0.probability else { return true };
        let seed = rule.0.seed.unwrap_or_else(|| mixed(self.world_seed) ^ self.rule);
        // The upper 53 bits are as many as an f64 holds.
        #[expect(clippy::cast_precision_loss, reason = "2^53 and less is exact")]
        let drawn = (mixed(mixed(seed).wrapping_add(self.nth)) >> 11) as f64 / (1_u64 << 53) as f64;
        drawn < probability
    }
}

/// The finisher of splitmix64 (Steele, Lea, Flood 2014): neighbours give numbers that have nothing to do with each other.
fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
