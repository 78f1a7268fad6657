//! A rule's canonical text: whatever it was written as, the same rule has the same text.

use std::fmt::{self, Display, Write as _};

use super::words::{COMMANDS, METHODS};
use super::{Action, Condition, Literal, Party, Rule, Test, What, Which};

impl Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = &self.0;
        write!(f, "on {} {}", parts.which, parts.what)?;
        if let Some(from) = &parts.from {
            write!(f, " from {from}")?;
        }
        if let Some(to) = &parts.to {
            write!(f, " to {to}")?;
        }
        for (at, condition) in parts.conditions.iter().enumerate() {
            write!(f, " {} {condition}", if at == 0 { "where" } else { "and" })?;
        }
        if let Some(times) = parts.times {
            write!(f, " times {times}")?;
        }
        if let Some(ms) = parts.within_ms {
            write!(f, " within {}", Duration(ms))?;
        }
        if let Some(ms) = parts.after_ms {
            write!(f, " after {}", Duration(ms))?;
        }
        if let Some(probability) = parts.probability {
            write!(f, " with probability {probability}")?;
        }
        if let Some(seed) = parts.seed {
            write!(f, " seed {seed}")?;
        }
        for (at, action) in parts.actions.iter().enumerate() {
            write!(f, "{} {action}", if at == 0 { ":" } else { "," })?;
        }
        Ok(())
    }
}

impl Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Next(1) => f.write_str("next"),
            Self::Next(count) => write!(f, "next {count}"),
            Self::Nth(nth) => write!(f, "{}", Ordinal(*nth)),
            Self::Every(1) => f.write_str("every"),
            Self::Every(nth) => write!(f, "every {}", Ordinal(*nth)),
        }
    }
}

impl Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(command) => {
                let word = COMMANDS.iter().find(|(known, _)| known == command);
                f.write_str(word.expect("every command has a word").1)
            }
            Self::Kind(kind) => f.write_str(kind.word()),
            Self::Message => f.write_str("message"),
            Self::Frame => f.write_str("frame"),
            Self::Request { method, path } => {
                let word = method.and_then(|method| METHODS.iter().find(|(known, _)| *known == method));
                f.write_str(word.map_or("request", |(_, word)| word))?;
                tail(f, path)
            }
            Self::Upload { path } => {
                f.write_str("upload")?;
                tail(f, path)
            }
        }
    }
}

fn tail(f: &mut fmt::Formatter<'_>, path: &str) -> fmt::Result {
    if path.is_empty() { Ok(()) } else { write!(f, " {path}") }
}

impl Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user {
            Some(user) => write!(f, "{}", Name(user))?,
            None => f.write_str("anyone")?,
        }
        match &self.device {
            Some(device) => write!(f, "/{}", Name(device)),
            None => Ok(()),
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, test } = self;
        match test {
            Test::Is(value) => write!(f, "{path} == {value}"),
            Test::IsNot(value) => write!(f, "{path} != {value}"),
            Test::Below(value) => write!(f, "{path} < {value}"),
            Test::Above(value) => write!(f, "{path} > {value}"),
            Test::AtMost(value) => write!(f, "{path} <= {value}"),
            Test::AtLeast(value) => write!(f, "{path} >= {value}"),
            Test::Contains(value) => write!(f, "{path} contains {value}"),
            Test::Exists => write!(f, "{path} exists"),
            Test::Absent => write!(f, "{path} is absent"),
        }
    }
}

impl Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Integer(number) => write!(f, "{number}"),
            // With a point or an exponent, which a whole number has not.
            Self::Decimal(number) => write!(f, "{number:?}"),
            Self::Text(text) if is_bare(text) && Self::of_word(text) == *self => f.write_str(text),
            Self::Text(text) => write!(f, "{}", Quoted(text)),
        }
    }
}

impl Literal {
    /// What a word without quotes means.
    pub(super) fn of_word(word: &str) -> Self {
        if word.eq_ignore_ascii_case("true") {
            return Self::Bool(true);
        }
        if word.eq_ignore_ascii_case("false") {
            return Self::Bool(false);
        }
        if let Ok(number) = word.parse() {
            return Self::Integer(number);
        }
        let is_number = word.trim_start_matches('-').starts_with(|c: char| c.is_ascii_digit());
        match word.parse() {
            Ok(number) if is_number => Self::Decimal(number),
            Ok(_) | Err(_) => Self::Text(word.to_owned()),
        }
    }
}

impl Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Drop => f.write_str("drop"),
            Self::Delay { ms } => write!(f, "delay {}", Duration(*ms)),
            Self::Duplicate => f.write_str("duplicate"),
            Self::HoldUntilNext => f.write_str("hold until next"),
            Self::Truncate { bytes } => write!(f, "truncate {bytes}"),
            Self::FlipBit { bit } => write!(f, "flip bit {bit}"),
            Self::AnswerStatus { code, reason } => answered(f, "status", code, reason),
            Self::AnswerHttp { status, body } => answered(f, "http", status, body),
            Self::Close { code } => write!(f, "close {code}"),
            Self::Cut => f.write_str("cut"),
            Self::Reset => f.write_str("reset"),
            Self::GoSilent => f.write_str("go silent"),
        }
    }
}

fn answered(f: &mut fmt::Formatter<'_>, with: &str, number: &dyn Display, text: &str) -> fmt::Result {
    write!(f, "answer {with} {number}")?;
    if text.is_empty() { Ok(()) } else { write!(f, " {}", Quoted(text)) }
}

/// In the largest unit that leaves nothing over.
pub(crate) struct Duration(pub(crate) u64);

impl Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
        let (unit, word) =
            units.into_iter().find(|(unit, _)| self.0.is_multiple_of(*unit)).unwrap_or((1, "ms"));
        write!(f, "{}{word}", self.0 / unit)
    }
}

struct Ordinal(u32);

impl Display for Ordinal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ending = match (self.0 % 100, self.0 % 10) {
            (11..=13, _) => "th",
            (_, 1) => "st",
            (_, 2) => "nd",
            (_, 3) => "rd",
            (_, _) => "th",
        };
        write!(f, "{}{ending}", self.0)
    }
}

struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = is_bare(self.0) && !self.0.contains('/') && !self.0.eq_ignore_ascii_case("anyone");
        if is_plain { f.write_str(self.0) } else { write!(f, "{}", Quoted(self.0)) }
    }
}

struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}

/// Whether a text can stand without quotes.
fn is_bare(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@'))
}
