//! Whether a rule makes sense, and where it does not.

use std::fmt;

use super::words::{REQUEST_FIELDS, meant};
use super::{Action, Command, Literal, Parts, Rule, Side, Test, What, Which};
use crate::decoded::{self, Way};

/// A rule that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct RuleError {
    /// The rule's text; empty when it came as an object.
    pub text: String,
    /// Where in it, counted in characters from 1; 0 when it came as an object.
    pub column: usize,
    /// What is wrong there, and what is expected.
    pub message: String,
}

/// The part of a rule that something is wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Which,
    What,
    From,
    To,
    Condition(usize),
    Limit(&'static str),
    Action(usize),
}

/// A delay, window or wait: longer than anybody waits for, and far from where sums of ms overflow.
pub(super) const DURATION_MS_MAX: u64 = 30 * 24 * 3_600_000;
/// What a rule answers a request with, as other faults do.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// More conditions or actions than this are a slip of whatever writes them.
pub(super) const CONDITIONS_MAX: usize = 32;
/// Names, paths and values: longer than any that is real.
const WORD_BYTES_MAX: usize = 1024;

impl TryFrom<Parts> for Rule {
    type Error = RuleError;

    fn try_from(parts: Parts) -> Result<Self, RuleError> {
        match check(&parts) {
            Ok(()) => Ok(Self(parts)),
            Err((place, message)) => {
                Err(RuleError { text: String::new(), column: 0, message: format!("{place}: {message}") })
            }
        }
    }
}

impl From<Rule> for Parts {
    fn from(rule: Rule) -> Self {
        rule.0
    }
}

impl Parts {
    /// Which way it looks.
    pub(super) fn side(&self) -> Result<Side, (Place, String)> {
        if self.from.is_some() && self.to.is_some() {
            let message = "one thing goes one way: `from` is for what a client sends, `to` for what the server sends; \
                           whom a message is for, `where meta.to.name == bob` says";
            return Err((Place::To, message.to_owned()));
        }
        let of_the_answer = |path: &str| matches!(first(path), "status" | "answer");
        let answer = self
            .what
            .is_request()
            .then(|| self.conditions.iter().position(|condition| of_the_answer(&condition.path)));
        if let Some(answer) = answer {
            return match (&self.from, &self.to, answer) {
                (Some(_), _, Some(at)) => {
                    let message =
                        "there is no answer yet on the way from the client: say `to` instead of `from`";
                    Err((Place::Condition(at), message.to_owned()))
                }
                (_, Some(_), _) | (None, None, Some(_)) => Ok(Side::Down),
                (_, None, None) => Ok(Side::Up),
            };
        }
        match (self.what.way(), &self.from, &self.to) {
            (Way::Up, _, Some(_)) => Err((
                Place::To,
                "clients send these and the server does not: say `from`, or `page to …` for what a client is given"
                    .to_owned(),
            )),
            (Way::Down, Some(_), _) => {
                Err((Place::From, "the server sends these and clients do not: say `to`".to_owned()))
            }
            (Way::Both, None, None) => Err((
                Place::What,
                "these go both ways: `from alice` or `from anyone` is what clients send, `to alice` or `to anyone` \
                 what the server sends"
                    .to_owned(),
            )),
            (Way::Neither, _, _) => {
                Err((Place::What, "this is no frame; for requests say GET, POST, request or upload".to_owned()))
            }
            (Way::Up, _, None) | (Way::Both, Some(_), None) => Ok(Side::Up),
            (Way::Down, None, _) | (Way::Both, None, Some(_)) => Ok(Side::Down),
            (Way::Both, Some(_), Some(_)) => unreachable!("refused above"),
        }
    }
}

impl What {
    pub(super) fn way(&self) -> Way {
        match self {
            Self::Command(Command::Notice) => Way::Down,
            Self::Command(Command::Logout) | Self::Message => Way::Up,
            Self::Command(Command::Sync | Command::Unread | Command::Provision) | Self::Frame => Way::Both,
            Self::Request { .. } | Self::Upload { .. } => Way::Both,
            Self::Kind(kind) => kind.way(),
        }
    }
}

/// Whether all of it goes together.
pub(super) fn check(parts: &Parts) -> Result<(), (Place, String)> {
    let (Which::Next(count) | Which::Nth(count) | Which::Every(count)) = parts.which;
    if count == 0 {
        return Err((Place::Which, "it is counted from 1".to_owned()));
    }
    let side = parts.side()?;
    names(parts)?;
    if parts.conditions.len() > CONDITIONS_MAX {
        return Err((Place::Condition(CONDITIONS_MAX), format!("at most {CONDITIONS_MAX} conditions")));
    }
    for (at, condition) in parts.conditions.iter().enumerate() {
        field(parts, side, &condition.path).map_err(|message| (Place::Condition(at), message))?;
        value(&condition.test).map_err(|message| (Place::Condition(at), message))?;
    }
    limits(parts)?;
    actions(parts, side)
}

fn names(parts: &Parts) -> Result<(), (Place, String)> {
    for (place, party) in [(Place::From, &parts.from), (Place::To, &parts.to)] {
        let Some(party) = party else { continue };
        let words = [party.user.as_deref(), party.device.as_deref()];
        if words.iter().flatten().any(|word| word.is_empty() || word.len() > WORD_BYTES_MAX) {
            return Err((place, "a name has 1 to 1024 bytes".to_owned()));
        }
        if parts.what.is_request() && party.device.is_some() {
            return Err((place, "a request is a user's, by its token; its device nobody knows".to_owned()));
        }
    }
    let (What::Request { path, .. } | What::Upload { path }) = &parts.what else { return Ok(()) };
    if path.len() > WORD_BYTES_MAX || !(path.is_empty() || path.starts_with('/')) {
        return Err((Place::What, "part of a path begins with / and has at most 1024 bytes".to_owned()));
    }
    if path.contains(char::is_whitespace) || path.ends_with([':', ',']) {
        return Err((Place::What, "part of a path has no spaces, and no : or , at its end".to_owned()));
    }
    Ok(())
}

fn first(path: &str) -> &str {
    path.split('.').next().unwrap_or_default()
}

fn field(parts: &Parts, side: Side, path: &str) -> Result<(), String> {
    spelt(path)?;
    if parts.what.is_request() {
        return request_field(path);
    }
    frame_field(path, &decoded::fields_of(side == Side::Up))
}

/// Whether it is a path at all.
pub(super) fn spelt(path: &str) -> Result<(), String> {
    if path.split('.').any(str::is_empty) || path.len() > WORD_BYTES_MAX {
        return Err(format!(
            "{path:?} is no field: names with dots between them are expected, such as meta.ns"
        ));
    }
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '?');
    if !path.chars().all(plain) {
        return Err(format!("{path:?} is no field: letters, digits, _ - and dots are expected"));
    }
    Ok(())
}

/// Whether a request can have it.
pub(super) fn request_field(path: &str) -> Result<(), String> {
    let begin = first(path);
    let is_whole = |word: &str| matches!(word, "path" | "query" | "status");
    if !REQUEST_FIELDS.contains(&begin) {
        let meant = meant(begin, REQUEST_FIELDS);
        return Err(format!(
            "a request has path, query, body.FIELD, and its answer status and answer.FIELD, but no {begin:?}{meant}"
        ));
    }
    if is_whole(begin) && path != begin {
        return Err(format!("{begin} has no fields"));
    }
    Ok(())
}

/// Whether a frame can have it; `known` is what its path may begin with.
pub(super) fn frame_field(path: &str, known: &[&str]) -> Result<(), String> {
    let begin = first(path);
    if begin.starts_with('?') || known.contains(&begin) {
        return Ok(());
    }
    let meant = meant(begin, known.iter().copied());
    Err(format!("no frame that goes this way has a field {begin:?} in its payload or its envelope{meant}"))
}

/// Whether a field can be held against it.
pub(super) fn value(test: &Test) -> Result<(), String> {
    let (literal, ordered) = match test {
        Test::Is(literal) | Test::IsNot(literal) => (literal, false),
        Test::Below(literal) | Test::Above(literal) | Test::AtMost(literal) | Test::AtLeast(literal) => {
            (literal, true)
        }
        Test::Contains(literal) => {
            return match literal {
                Literal::Text(text) if text.len() <= WORD_BYTES_MAX => Ok(()),
                Literal::Text(_) => Err("a text has at most 1024 bytes".to_owned()),
                Literal::Bool(_) | Literal::Integer(_) | Literal::Decimal(_) => {
                    Err("`contains` looks for a text: put it into quotes".to_owned())
                }
            };
        }
        Test::Exists | Test::Absent => return Ok(()),
    };
    match literal {
        Literal::Decimal(number) if !number.is_finite() => Err("this is no number".to_owned()),
        Literal::Text(text) if text.len() > WORD_BYTES_MAX => Err("a text has at most 1024 bytes".to_owned()),
        Literal::Bool(_) | Literal::Text(_) if ordered => {
            Err("less and more are of numbers; == and != are of anything".to_owned())
        }
        Literal::Bool(_) | Literal::Text(_) | Literal::Integer(_) | Literal::Decimal(_) => Ok(()),
    }
}

fn limits(parts: &Parts) -> Result<(), (Place, String)> {
    if parts.times == Some(0) {
        return Err((Place::Limit("times"), "it acts 1 time at least".to_owned()));
    }
    for (name, ms) in [("within", parts.within_ms), ("after", parts.after_ms)] {
        if ms.is_some_and(|ms| ms == 0 || ms > DURATION_MS_MAX) {
            return Err((Place::Limit(name), "1ms to 720h are expected".to_owned()));
        }
    }
    if let (Some(within), Some(after)) = (parts.within_ms, parts.after_ms)
        && within <= after
    {
        return Err((Place::Limit("within"), "it is over before it begins: `after` is not less".to_owned()));
    }
    if parts.probability.is_some_and(|probability| !(probability > 0.0 && probability <= 1.0)) {
        return Err((Place::Limit("probability"), "more than 0 and at most 1 is expected".to_owned()));
    }
    if parts.seed.is_some() && parts.probability.is_none() {
        return Err((
            Place::Limit("seed"),
            "nothing is left to chance: a seed goes with a probability".to_owned(),
        ));
    }
    Ok(())
}

fn actions(parts: &Parts, side: Side) -> Result<(), (Place, String)> {
    if parts.actions.is_empty() {
        return Err((Place::Action(0), "something must be done: drop, delay 3s, cut, …".to_owned()));
    }
    for (at, action) in parts.actions.iter().enumerate() {
        let refused = |message: &str| Err((Place::Action(at), message.to_owned()));
        let before = &parts.actions[..at];
        let same = |other: &Action| std::mem::discriminant(other) == std::mem::discriminant(action);
        if before.iter().any(same) {
            return refused("this is done already");
        }
        if before.iter().any(|other| !other.combines()) {
            return refused("nothing can follow what was done before it");
        }
        let changes = |other: &&Action| !matches!(other, Action::Delay { .. });
        if !action.combines() && before.iter().any(|other| changes(&other)) {
            return refused("the frame does not go, so it cannot be doubled, cut short or flipped first");
        }
        if !before.is_empty() && matches!(action, Action::Drop | Action::HoldUntilNext) {
            return refused("what is delayed goes in the end: it cannot be lost or held as well");
        }
        if parts.what.is_request() {
            match action {
                Action::Drop
                | Action::Delay { .. }
                | Action::AnswerHttp { .. }
                | Action::Cut
                | Action::Reset => {}
                Action::Duplicate
                | Action::HoldUntilNext
                | Action::Truncate { .. }
                | Action::FlipBit { .. } => {
                    return refused("a request is not a frame: drop, delay, answer http, cut or reset it");
                }
                Action::AnswerStatus { .. } => return refused("a request is answered with `answer http`"),
                Action::Close { .. } => return refused("HTTP has no close codes: cut or reset it"),
                Action::GoSilent => return refused("`drop` leaves a request without an answer"),
            }
        }
        match action {
            Action::Delay { ms } if *ms == 0 || *ms > DURATION_MS_MAX => {
                return refused("1ms to 720h are expected");
            }
            Action::Truncate { bytes: 0 } => return refused("1 byte at least is cut off"),
            Action::AnswerStatus { code, reason } => {
                let answered = match parts.what {
                    What::Command(Command::Notice | Command::Logout) => false,
                    What::Kind(_) | What::Command(_) | What::Message | What::Frame => side == Side::Up,
                    What::Request { .. } | What::Upload { .. } => false,
                };
                if !answered {
                    return refused("only what a client sends and waits for is answered with a status");
                }
                if *code == 0 {
                    return refused("0 is success; the numbers of Status.ErrorCode begin with 1");
                }
                if reason.len() > WORD_BYTES_MAX {
                    return refused("a reason has at most 1024 bytes");
                }
            }
            Action::AnswerHttp { status, body } => {
                if !parts.what.is_request() {
                    return refused("only requests are answered with HTTP; frames with `answer status`");
                }
                // RFC 9110 §15.2: a 1xx ends no request.
                if !(200..=599).contains(status) {
                    return refused("200 to 599 are expected");
                }
                if body.len() > BODY_BYTES_MAX {
                    return refused("a body has at most 65536 bytes");
                }
            }
            // RFC 6455 §7.4: what may stand in a close frame.
            Action::Close { code } if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) => {
                return refused("1000-1003, 1007-1014 or 3000-4999 may stand in a close frame");
            }
            Action::Drop
            | Action::Delay { .. }
            | Action::Duplicate
            | Action::HoldUntilNext
            | Action::Truncate { .. }
            | Action::FlipBit { .. }
            | Action::Close { .. }
            | Action::Cut
            | Action::Reset
            | Action::GoSilent => {}
        }
    }
    Ok(())
}

impl Action {
    /// Whether others may follow.
    fn combines(&self) -> bool {
        match self {
            Self::Delay { .. } | Self::Duplicate | Self::Truncate { .. } | Self::FlipBit { .. } => true,
            Self::Drop
            | Self::HoldUntilNext
            | Self::AnswerStatus { .. }
            | Self::AnswerHttp { .. }
            | Self::Close { .. }
            | Self::Cut
            | Self::Reset
            | Self::GoSilent => false,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Which => f.write_str("which"),
            Self::What => f.write_str("what"),
            Self::From => f.write_str("from"),
            Self::To => f.write_str("to"),
            Self::Condition(at) => write!(f, "where[{at}]"),
            Self::Limit(name) => f.write_str(name),
            Self::Action(at) => write!(f, "do[{at}]"),
        }
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a rule: ")?;
        self.point(f)
    }
}

impl RuleError {
    /// What is wrong, and below it where.
    pub(crate) fn point(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.column == 0 {
            return f.write_str(&self.message);
        }
        // Tabs stay tabs, so that the caret stands below its character.
        let space = |c: char| if c == '\t' { '\t' } else { ' ' };
        let indent: String = self.text.chars().take(self.column - 1).map(space).collect();
        write!(f, "column {}: {}\n  {}\n  {indent}^", self.column, self.message, self.text)
    }
}
