//! The line of a door fault, word by word; what is wrong is told with its column.

use std::fmt;

use super::{DoorFault, NEXT_MAX, Refusal, SLOW_MS_MAX, STATUSES, Tries};

/// A line that is no door fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorFaultError {
    /// Where, in characters from 1.
    pub column: usize,
    /// What was expected there, and what is.
    pub message: String,
    /// The line, as far as it is quoted.
    line: String,
}

/// As much of a line as is quoted: the longest fault has some 40 characters.
const LINE_CHARS_MAX: usize = 100;
const DOORS: &str = "`connections`, `info` or `upgrade`";
const HOW: &str = "`close`, `reset` or a status from 400 to 599";

pub(super) fn parse(line: &str) -> Result<DoorFault, DoorFaultError> {
    let mut words = Words::new(line);
    let fault = match words.next_lowercase().as_deref() {
        Some("refuse") => refuse(&mut words)?,
        Some("never") => {
            words.expect("open")?;
            DoorFault::NeverOpen { next: tail(&mut words, None)?.0 }
        }
        Some("slow") => {
            words.expect("open")?;
            let ms = words.duration()?;
            DoorFault::SlowOpen { ms, next: tail(&mut words, None)?.0 }
        }
        Some(_) | None => return Err(words.wrong("`refuse`, `never open` or `slow open`")),
    };
    Ok(fault)
}

fn refuse(words: &mut Words<'_>) -> Result<DoorFault, DoorFaultError> {
    let amount = match words.peek_lowercase().as_deref() {
        Some("next") => Some(Some(words.count()?)),
        Some("every") => {
            words.next_lowercase();
            Some(None)
        }
        Some(_) | None => None,
    };
    let what = match words.next_lowercase().as_deref() {
        Some("connection" | "connections") => Tries::Connections,
        Some("info") => Tries::Info,
        Some("upgrade" | "upgrades") => Tries::Upgrade,
        Some(_) | None if amount.is_some() => return Err(words.wrong(DOORS)),
        Some(_) | None => return Err(words.wrong(&format!("`next`, `every`, {DOORS}"))),
    };
    let (next, with) = tail(words, Some(amount))?;
    Ok(DoorFault::Refuse { what, with, next })
}

/// What may stand behind: how many, and, of a refusal, how. `amount` is what was said of how many before, if that may
/// have been said; `None` where there is nothing to refuse.
fn tail(
    words: &mut Words<'_>,
    amount: Option<Option<Option<u32>>>,
) -> Result<(Option<u32>, Refusal), DoorFaultError> {
    let (mut next, mut with) = (amount.flatten(), None);
    loop {
        let expected = match (next.is_none(), amount.is_some() && with.is_none()) {
            (true, true) => "`with`, `next` or the end of the line",
            (true, false) => "`next` or the end of the line",
            (false, true) => "`with` or the end of the line",
            (false, false) => "the end of the line",
        };
        match words.peek_lowercase().as_deref() {
            None => return Ok((next.flatten(), with.unwrap_or_default())),
            Some("next") if next.is_none() => next = Some(Some(words.count()?)),
            Some("with") if amount.is_some() && with.is_none() => {
                words.next_lowercase();
                with = Some(words.refusal()?);
            }
            Some(_) => {
                words.next_lowercase();
                return Err(words.wrong(expected));
            }
        }
    }
}

/// The words of a line and where each begins; the one that was read last is what an error is about.
struct Words<'a> {
    line: &'a str,
    /// Byte offsets and words, in order.
    words: Vec<(usize, &'a str)>,
    read: usize,
}

impl<'a> Words<'a> {
    fn new(line: &'a str) -> Self {
        let words = line
            .split_whitespace()
            .map(|word| (word.as_ptr() as usize - line.as_ptr() as usize, word))
            .collect();
        Self { line, words, read: 0 }
    }

    fn peek_lowercase(&self) -> Option<String> {
        self.words.get(self.read).map(|(_, word)| word.to_ascii_lowercase())
    }

    /// Past the last one it goes on by one, so that an error points behind the line.
    fn next_lowercase(&mut self) -> Option<String> {
        let word = self.peek_lowercase();
        self.read += 1;
        word
    }

    fn expect(&mut self, expected: &str) -> Result<(), DoorFaultError> {
        match self.next_lowercase() {
            Some(word) if word == expected => Ok(()),
            Some(_) | None => Err(self.wrong(&format!("`{expected}`"))),
        }
    }

    /// `next`, and a number unless it is 1.
    fn count(&mut self) -> Result<u32, DoorFaultError> {
        self.next_lowercase();
        let is_number =
            self.peek_lowercase().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        if !is_number {
            return Ok(1);
        }
        let number = self.next_lowercase().and_then(|word| word.parse::<u32>().ok());
        let number = number.filter(|number| (1..=NEXT_MAX).contains(number));
        number.ok_or_else(|| self.wrong(&format!("a number from 1 to {NEXT_MAX}")))
    }

    fn refusal(&mut self) -> Result<Refusal, DoorFaultError> {
        match self.next_lowercase().as_deref() {
            Some("close") => Ok(Refusal::Close),
            Some("reset") => Ok(Refusal::Reset),
            Some(word) => {
                let status = word.parse::<u16>().ok().filter(|status| STATUSES.contains(status));
                status.map(Refusal::Status).ok_or_else(|| self.wrong(HOW))
            }
            None => Err(self.wrong(HOW)),
        }
    }

    /// `250ms`, `2s`, `1m`.
    fn duration(&mut self) -> Result<u64, DoorFaultError> {
        let word = self.next_lowercase().unwrap_or_default();
        let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
        let (number, unit) = word.split_at(digits);
        let factor = match unit {
            "ms" => Some(1),
            "s" => Some(1_000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            _ => None,
        };
        let ms =
            number.parse::<u64>().ok().zip(factor).and_then(|(number, factor)| number.checked_mul(factor));
        ms.filter(|ms| (1..=SLOW_MS_MAX).contains(ms))
            .ok_or_else(|| self.wrong("a time of at most 1h, such as 250ms, 2s or 1m"))
    }

    /// The word that was read last is not what it should be.
    fn wrong(&self, expected: &str) -> DoorFaultError {
        let word = self.words.get(self.read - 1);
        let at = word.map_or_else(|| self.line.trim_end().len(), |(at, _)| *at);
        let found = match word {
            Some((_, word)) => format!(", not `{}`", excerpt(word)),
            None => ", and the line ends here".to_owned(),
        };
        // A line may be empty, or end: the place behind its last character, and a space where there is one.
        let behind = usize::from(word.is_none() && at > 0);
        DoorFaultError {
            column: self.line[..at].chars().count() + 1 + behind,
            message: format!("expected {expected}{found}"),
            line: excerpt(self.line),
        }
    }
}

fn excerpt(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    match text.char_indices().nth(LINE_CHARS_MAX) {
        Some((end, _)) => text[..end].chars().map(plain).chain(['…']).collect(),
        None => text.chars().map(plain).collect(),
    }
}

impl fmt::Display for DoorFaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column, message, line } = self;
        write!(f, "column {column}: {message}")?;
        // Beyond what is quoted a caret would point at nothing.
        if *column <= LINE_CHARS_MAX {
            write!(f, "\n  {line}\n  {:>column$}", '^')?;
        }
        Ok(())
    }
}

impl std::error::Error for DoorFaultError {}
