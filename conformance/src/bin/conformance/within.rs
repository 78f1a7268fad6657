//! A length of time as a person types it.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

/// More than nothing, such as `5s`, `500ms` or `2m`; in ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Within(NonZeroU64);

impl Within {
    /// So many ms.
    pub(crate) const fn ms(ms: NonZeroU64) -> Self {
        Self(ms)
    }

    pub(crate) fn duration(self) -> Duration {
        Duration::from_millis(self.0.get())
    }
}

impl FromStr for Within {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no length of time; write one such as 5s, 500ms or 2m");
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
        let unit_ms = match &text[digits..] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "" => return Err(format!("{text:?} has no unit; write {text}ms or {text}s")),
            _ => return Err(wrong()),
        };
        let ms = number.checked_mul(unit_ms).ok_or_else(wrong)?;
        NonZeroU64::new(ms).map(Self).ok_or_else(|| "nothing can come within no time; write 5s".to_owned())
    }
}

impl fmt::Display for Within {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.get();
        if ms.is_multiple_of(1_000) { write!(f, "{}s", ms / 1_000) } else { write!(f, "{ms}ms") }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("5s", 5_000, "5s")]
    #[case("500ms", 500, "500ms")]
    #[case("2m", 120_000, "120s")]
    #[case("1500ms", 1_500, "1500ms")]
    fn a_time_has_a_unit(#[case] text: &str, #[case] ms: u64, #[case] shown: &str) {
        let within: Within = text.parse().expect("a time");
        assert_eq!((within.duration(), &*within.to_string()), (Duration::from_millis(ms), shown));
    }

    #[rstest]
    #[case("5", "\"5\" has no unit; write 5ms or 5s")]
    #[case("0s", "nothing can come within no time; write 5s")]
    #[case("five", "\"five\" is no length of time; write one such as 5s, 500ms or 2m")]
    #[case("5h", "\"5h\" is no length of time; write one such as 5s, 500ms or 2m")]
    #[case("-5s", "\"-5s\" is no length of time; write one such as 5s, 500ms or 2m")]
    #[case(
        "999999999999999999999s",
        "\"999999999999999999999s\" is no length of time; write one such as 5s, 500ms or 2m"
    )]
    fn what_is_no_time_is_told(#[case] text: &str, #[case] said: &str) {
        assert_eq!(text.parse::<Within>(), Err(said.to_owned()));
    }
}
