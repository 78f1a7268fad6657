//! Reads a rule's text, and says of what it cannot read where it stands and what is expected there.

use std::str::FromStr;

use super::check::{DURATION_MS_MAX, Place, check};
use super::words::{ACTIONS, CLAUSES, COMMANDS, METHODS, kinds, meant, whats};
use super::{Action, Condition, Literal, Parts, Party, Rule, RuleError, Test, What, Which};

/// A rule is one line that a person reads; a body to answer with has its own limit within it.
const TEXT_BYTES_MAX: usize = 68 * 1024;

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let mut parser = Parser::new(text)?;
        let parts = parser.rule().map_err(|Fault { at, message }| refused(text, at, message))?;
        match check(&parts) {
            Ok(()) => Ok(Self(parts)),
            Err((place, message)) => Err(refused(text, parser.place(place), message)),
        }
    }
}

/// Reads `COND {and COND}`. `check` tells which of them makes no sense, and why.
pub(super) fn conditions(
    text: &str,
    check: impl FnOnce(&[Condition]) -> Result<(), (usize, String)>,
) -> Result<Vec<Condition>, RuleError> {
    let mut parser = Parser::new(text)?;
    let conditions = parser.conditions().map_err(|Fault { at, message }| refused(text, at, message))?;
    let end = parser.here();
    if end < text.len() {
        return Err(refused(
            text,
            end,
            "`and` and another condition, or the end, is expected here".to_owned(),
        ));
    }
    match check(&conditions) {
        Ok(()) => Ok(conditions),
        Err((at, message)) => Err(refused(text, parser.place(Place::Condition(at)), message)),
    }
}

fn refused(text: &str, at: usize, message: String) -> RuleError {
    RuleError {
        text: text.chars().take(SHOWN_CHARS_MAX).collect(),
        column: (text[..at].chars().count() + 1).min(SHOWN_CHARS_MAX),
        message,
    }
}

/// What is quoted of a rule that is wrong.
const SHOWN_CHARS_MAX: usize = 500;

/// What is wrong, and where: a byte of the text.
struct Fault {
    at: usize,
    message: String,
}

type Read<T> = Result<T, Fault>;

/// A test against the value that is written behind its sign.
type AgainstLiteral = fn(Literal) -> Test;

struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// Where each part begins.
    places: Vec<(Place, usize)>,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Result<Self, RuleError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(refused(text, 0, format!("a rule has at most {TEXT_BYTES_MAX} bytes")));
        }
        Ok(Self { text, at: 0, places: Vec::new() })
    }

    /// Where it begins.
    fn place(&self, place: Place) -> usize {
        self.places.iter().find(|(known, _)| *known == place).map_or(0, |(_, at)| *at)
    }

    fn rule(&mut self) -> Read<Parts> {
        self.keyword("on", "a rule begins with `on`, as in `on next text from alice: drop`")?;
        let which = self.which()?;
        let what = self.what()?;
        let mut parts = Parts {
            which,
            what,
            from: None,
            to: None,
            conditions: Vec::new(),
            times: None,
            within_ms: None,
            after_ms: None,
            probability: None,
            seed: None,
            actions: Vec::new(),
        };
        while !self.eat(':') {
            self.clause(&mut parts)?;
        }
        loop {
            let at = self.here();
            self.places.push((Place::Action(parts.actions.len()), at));
            parts.actions.push(self.action()?);
            if self.here() == self.text.len() {
                return Ok(parts);
            }
            if !self.eat(',') {
                let at = self.at;
                return Err(
                    self.fault(at, "`,` and another action, or the end of the rule, is expected here")
                );
            }
        }
    }

    fn which(&mut self) -> Read<Which> {
        let at = self.here();
        self.places.push((Place::Which, at));
        let expected = "which: next, `next 3`, 2nd, every or `every 3rd` is expected here";
        let word = self.word(expected)?;
        if word.eq_ignore_ascii_case("next") {
            let before = self.at;
            return match self.maybe_word().and_then(|word| word.parse().ok()) {
                Some(count) => Ok(Which::Next(count)),
                None => {
                    self.at = before;
                    Ok(Which::Next(1))
                }
            };
        }
        if word.eq_ignore_ascii_case("every") {
            let before = self.at;
            return match self.maybe_word().and_then(ordinal) {
                Some(nth) => Ok(Which::Every(nth)),
                None => {
                    self.at = before;
                    Ok(Which::Every(1))
                }
            };
        }
        let meant = meant(word, ["next", "every"]);
        ordinal(word).map(Which::Nth).ok_or_else(|| self.fault(at, format!("{expected}{meant}")))
    }

    fn what(&mut self) -> Read<What> {
        let at = self.here();
        self.places.push((Place::What, at));
        let word = self.word(
            "what it is about is expected here: SYNC, text, ack, page, message, frame, GET, upload, …",
        )?;
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        if is("message") {
            return Ok(What::Message);
        }
        if is("frame") {
            return Ok(What::Frame);
        }
        if is("upload") {
            return Ok(What::Upload { path: self.path() });
        }
        if is("request") {
            return Ok(What::Request { method: None, path: self.path() });
        }
        if let Some((method, _)) = METHODS.iter().find(|(_, known)| is(known)) {
            return Ok(What::Request { method: Some(*method), path: self.path() });
        }
        if let Some((command, _)) = COMMANDS.iter().find(|(_, known)| is(known)) {
            return Ok(What::Command(*command));
        }
        if let Some((kind, _, _)) = kinds().find(|(_, known, _)| is(known)) {
            return Ok(What::Kind(kind));
        }
        let known = whats();
        let meant = meant(word, known.iter().copied());
        Err(self.fault(at, format!("nothing is called {word:?}{meant} There are {}", known.join(" "))))
    }

    /// Part of a path, if there is one: up to a space, or to the `:` that begins what is done.
    fn path(&mut self) -> String {
        let at = self.here();
        if !self.text[at..].starts_with('/') {
            return String::new();
        }
        let rest = &self.text[at..];
        let path = &rest[..rest.find(char::is_whitespace).unwrap_or(rest.len())];
        let path = path.trim_end_matches([':', ',']);
        self.at = at + path.len();
        path.to_owned()
    }

    fn clause(&mut self, parts: &mut Parts) -> Read<()> {
        let at = self.here();
        let word = self.word("`:` and what is done is expected here, as in `: drop`")?;
        let twice = |is_there: bool| is_there.then(|| format!("`{}` was said before", word.to_lowercase()));
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        let doubled = if is("from") {
            let doubled = twice(parts.from.is_some());
            self.places.push((Place::From, at));
            parts.from = Some(self.party()?);
            doubled
        } else if is("to") {
            let doubled = twice(parts.to.is_some());
            self.places.push((Place::To, at));
            parts.to = Some(self.party()?);
            doubled
        } else if is("where") {
            let doubled = twice(!parts.conditions.is_empty());
            parts.conditions.extend(self.conditions()?);
            doubled
        } else if is("times") {
            let at = self.here();
            self.places.push((Place::Limit("times"), at));
            let doubled = twice(parts.times.is_some());
            parts.times = Some(self.number("how many times, a whole number, is expected here")?);
            doubled
        } else if is("within") {
            let doubled = twice(parts.within_ms.is_some());
            parts.within_ms = Some(self.duration(Some("within"))?);
            doubled
        } else if is("after") {
            let doubled = twice(parts.after_ms.is_some());
            parts.after_ms = Some(self.duration(Some("after"))?);
            doubled
        } else if is("with") {
            let doubled = twice(parts.probability.is_some());
            self.keyword(
                "probability",
                "`probability` is expected behind `with`, as in `with probability 0.3`",
            )?;
            let at = self.here();
            self.places.push((Place::Limit("probability"), at));
            parts.probability = Some(self.number("a number from 0 to 1 is expected here, such as 0.3")?);
            doubled
        } else if is("seed") {
            let doubled = twice(parts.seed.is_some());
            let at = self.here();
            self.places.push((Place::Limit("seed"), at));
            parts.seed = Some(self.number("a whole number is expected here")?);
            doubled
        } else {
            let meant = meant(word, CLAUSES.into_iter().chain(["and"]));
            let clauses = CLAUSES.join(", ");
            return Err(
                self.fault(at, format!("`:` and what is done, or one of {clauses}, is expected here{meant}"))
            );
        };
        doubled.map_or(Ok(()), |message| Err(self.fault(at, message)))
    }

    fn party(&mut self) -> Read<Party> {
        let expected = "a user is expected here, such as alice, alice/web or anyone";
        let at = self.here();
        let (user, is_quoted) = self.name(expected)?;
        let user = match user {
            user if !is_quoted && user.eq_ignore_ascii_case("anyone") => None,
            user if user.is_empty() => return Err(self.fault(at, expected)),
            user => Some(user),
        };
        let device = if self.text[self.at..].starts_with('/') {
            self.at += 1;
            let at = self.at;
            let (device, _) = self.name("a device is expected behind the `/`, such as web")?;
            if at != self.at && device.is_empty() {
                return Err(self.fault(at, "a device is expected behind the `/`, such as web"));
            }
            Some(device)
        } else {
            None
        };
        Ok(Party { user, device })
    }

    /// A name, in quotes or up to the next `/`, and whether it was in quotes.
    fn name(&mut self, expected: &str) -> Read<(String, bool)> {
        let at = self.here();
        if self.text[at..].starts_with('"') {
            return Ok((self.quoted()?, true));
        }
        let word = self.word(expected)?;
        let name = word.split('/').next().unwrap_or_default();
        self.at = at + name.len();
        Ok((name.to_owned(), false))
    }

    fn conditions(&mut self) -> Read<Vec<Condition>> {
        let mut conditions = Vec::new();
        loop {
            let at = self.here();
            self.places.push((Place::Condition(conditions.len()), at));
            let path = self.word("a field is expected here, such as meta.ns or status.errorCode")?.to_owned();
            let test = self.test()?;
            conditions.push(Condition { path, test });
            let before = self.here();
            if !self.maybe_word().is_some_and(|word| word.eq_ignore_ascii_case("and")) {
                self.at = before;
                return Ok(conditions);
            }
        }
    }

    fn test(&mut self) -> Read<Test> {
        let at = self.here();
        let rest = &self.text[at..];
        let signs: [(&str, AgainstLiteral); 6] = [
            ("==", Test::Is),
            ("!=", Test::IsNot),
            ("<=", Test::AtMost),
            (">=", Test::AtLeast),
            ("<", Test::Below),
            (">", Test::Above),
        ];
        if let Some((sign, test)) = signs.into_iter().find(|(sign, _)| rest.starts_with(sign)) {
            self.at = at + sign.len();
            return Ok(test(self.literal()?));
        }
        let expected = "==, !=, <, >, <=, >=, contains, exists or `is absent` is expected here";
        if rest.starts_with('=') {
            return Err(self.fault(at, format!("{expected}; did you mean ==?")));
        }
        let word = self.word(expected)?;
        if word.eq_ignore_ascii_case("contains") {
            return Ok(Test::Contains(self.literal()?));
        }
        if word.eq_ignore_ascii_case("exists") {
            return Ok(Test::Exists);
        }
        if word.eq_ignore_ascii_case("is") {
            self.keyword("absent", "`absent` is expected behind `is`; that something is so, `==` says")?;
            return Ok(Test::Absent);
        }
        let meant = meant(word, ["contains", "exists", "is"]);
        Err(self.fault(at, format!("{expected}{meant}")))
    }

    fn literal(&mut self) -> Read<Literal> {
        let at = self.here();
        if self.text[at..].starts_with('"') {
            return Ok(Literal::Text(self.quoted()?));
        }
        Ok(Literal::of_word(
            self.word("a value is expected here: a word, a number, \"a text\", true or false")?,
        ))
    }

    fn action(&mut self) -> Read<Action> {
        let at = self.here();
        let expected = "what is done is expected here: drop, delay 3s, duplicate, hold until next, truncate 7, flip \
                        bit 12, answer status 7 \"…\", answer http 503, close 1011, cut, reset or go silent";
        let word = self.word(expected)?;
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        Ok(if is("drop") {
            Action::Drop
        } else if is("duplicate") {
            Action::Duplicate
        } else if is("cut") {
            Action::Cut
        } else if is("reset") {
            Action::Reset
        } else if is("delay") {
            Action::Delay { ms: self.duration(None)? }
        } else if is("hold") {
            self.keyword("until", "`hold until next` is expected here")?;
            self.keyword("next", "`hold until next` is expected here")?;
            Action::HoldUntilNext
        } else if is("truncate") {
            Action::Truncate { bytes: self.number("how many bytes of its end go is expected here")? }
        } else if is("flip") {
            self.keyword("bit", "`flip bit 12` is expected here")?;
            Action::FlipBit { bit: self.number("the number of a bit is expected here, from 0")? }
        } else if is("close") {
            Action::Close { code: self.number("a close code is expected here, such as 1011")? }
        } else if is("go") {
            self.keyword("silent", "`go silent` is expected here")?;
            Action::GoSilent
        } else if is("answer") {
            let with = self.here();
            let word = self.word("`status` or `http` is expected behind `answer`")?;
            if word.eq_ignore_ascii_case("status") {
                let code = self.number("the number of a status is expected here, such as 7")?;
                Action::AnswerStatus { code, reason: self.maybe_quoted()? }
            } else if word.eq_ignore_ascii_case("http") {
                let status = self.number("an HTTP status is expected here, such as 503")?;
                Action::AnswerHttp { status, body: self.maybe_quoted()? }
            } else {
                let meant = meant(word, ["status", "http"]);
                return Err(
                    self.fault(with, format!("`status` or `http` is expected behind `answer`{meant}"))
                );
            }
        } else {
            let meant = meant(word, ACTIONS);
            return Err(self.fault(at, format!("{expected}{meant}")));
        })
    }

    fn duration(&mut self, limit: Option<&'static str>) -> Read<u64> {
        let at = self.here();
        self.places.extend(limit.map(|name| (Place::Limit(name), at)));
        let expected = "a time is expected here: 250ms, 3s, 2m or 1h";
        let word = self.word(expected)?;
        let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
        let (number, unit) = word.split_at(digits);
        let unit_ms = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(self.fault(at, expected)),
        };
        let number: u64 = number.parse().map_err(|_| self.fault(at, expected))?;
        let ms = number.checked_mul(unit_ms).filter(|ms| *ms <= DURATION_MS_MAX);
        ms.ok_or_else(|| self.fault(at, "1ms to 720h are expected"))
    }

    fn number<T: FromStr>(&mut self, expected: &str) -> Read<T> {
        let at = self.here();
        let word = self.word(expected)?;
        word.parse().map_err(|_| self.fault(at, expected))
    }

    fn maybe_quoted(&mut self) -> Read<String> {
        let at = self.here();
        if self.text[at..].starts_with('"') { self.quoted() } else { Ok(String::new()) }
    }

    fn quoted(&mut self) -> Read<String> {
        let begin = self.here();
        let mut text = String::new();
        let mut chars = self.text[begin + 1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => {
                    self.at = begin + 1 + at + 1;
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, c @ ('"' | '\\'))) => text.push(c),
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, 't')) => text.push('\t'),
                    Some(_) | None => {
                        let message = "\\\" \\\\ \\n \\r and \\t are all that a backslash may begin";
                        return Err(self.fault(begin + 1 + at, message));
                    }
                },
                other => text.push(other),
            }
        }
        Err(self.fault(begin, "the text that begins here has no end: a `\"` is missing"))
    }

    fn keyword(&mut self, keyword: &str, expected: &str) -> Read<()> {
        let at = self.here();
        match self.maybe_word() {
            Some(word) if word.eq_ignore_ascii_case(keyword) => Ok(()),
            Some(_) | None => Err(self.fault(at, expected)),
        }
    }

    fn word(&mut self, expected: &str) -> Read<&'t str> {
        let at = self.here();
        self.maybe_word().ok_or_else(|| self.fault(at, expected))
    }

    /// What stands here up to a space or a sign.
    fn maybe_word(&mut self) -> Option<&'t str> {
        let at = self.here();
        let rest = &self.text[at..];
        let ends = |c: char| c.is_whitespace() || matches!(c, ':' | ',' | '"' | '=' | '!' | '<' | '>');
        let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
        self.at = at + word.len();
        (!word.is_empty()).then_some(word)
    }

    fn eat(&mut self, sign: char) -> bool {
        let at = self.here();
        let is_there = self.text[at..].starts_with(sign);
        if is_there {
            self.at = at + sign.len_utf8();
        }
        is_there
    }

    /// Where the next thing begins.
    fn here(&mut self) -> usize {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
        self.at
    }

    fn fault(&self, at: usize, message: impl Into<String>) -> Fault {
        Fault { at, message: message.into() }
    }
}

/// `2nd`: whatever the letters, the digits say it.
fn ordinal(word: &str) -> Option<u32> {
    let lower = word.to_ascii_lowercase();
    let digits = ["st", "nd", "rd", "th"].iter().find_map(|ending| lower.strip_suffix(ending))?;
    digits.parse().ok()
}
