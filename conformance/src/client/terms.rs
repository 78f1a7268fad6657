//! What limits a known failure: a link to more about it, versions of the client, a last day. Each is read strictly; a
//! wrong one is an error of the file, which says what would be right.
//!
//! It reads no clock: which day it is, [`crate::real_time`] says.

use std::fmt;

use chrono::NaiveDate;
use schemars::JsonSchema;
use semver::{Prerelease, Version, VersionReq};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A day of the calendar, in UTC, written `2026-12-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema)]
pub struct Day(
    #[schemars(with = "String", regex(pattern = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$"))] NaiveDate,
);

/// An address of the web.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct Link(
    #[schemars(regex(pattern = r"^https?://[^\s/?#]\S*$"))]
    String,
);

/// A range of versions, written as Cargo's are: `>=3.0, <4`, `^4.2`, `=4.21.1`.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
pub struct Versions(#[schemars(with = "String", regex(pattern = r"^[ ,<>=^~*.0-9A-Za-z+-]+$"))] VersionReq);

impl Day {
    /// From the text of a client's file. The error says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no day; write it as YYYY-MM-DD, such as \"2027-01-31\"");
        let day = Self(NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| wrong())?);
        // "2027-1-5" sorts elsewhere than it says.
        if day.to_string() == text { Ok(day) } else { Err(wrong()) }
    }

    /// The day of a moment, given in s since 1970; the last day that is known if it is too far away.
    pub fn of_unix_s(seconds: i64) -> Self {
        Self(chrono::DateTime::from_timestamp(seconds, 0).map_or(NaiveDate::MAX, |time| time.date_naive()))
    }
}

impl Link {
    /// From the text of a client's file. The error says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
        let is_whole = host.is_some_and(|host| !host.is_empty()) && !text.contains(char::is_whitespace);
        if is_whole {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "{text:?} is no link; write the whole address, such as \"https://example.org/issues/7\""
            ))
        }
    }
}

impl Versions {
    /// From the text of a client's file. The error says what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        VersionReq::parse(text).map(Self).map_err(|error| {
            format!(
                "{text:?} is no range of versions ({error}); write such as \">=4.0, <4.22\", or \"=4.21.1\""
            )
        })
    }

    /// Whether the version of a client's hello is among them; `None` if that is no version. `1.2` is read as `1.2.0`,
    /// and `1.3.0-beta` is also where `1.3.0` is: whoever writes `>=1, <2` means its betas.
    pub fn hold(&self, version: &str) -> Option<bool> {
        let version = lenient(version)?;
        let released = Version { pre: Prerelease::EMPTY, ..version.clone() };
        Some(self.0.matches(&version) || self.0.matches(&released))
    }
}

/// People write `v4`, `4.21` and `4.21.1`.
fn lenient(version: &str) -> Option<Version> {
    let version = version.trim();
    let version = version.strip_prefix('v').unwrap_or(version);
    let numbers = version.split(['-', '+']).next().unwrap_or(version);
    let missing = 2_usize.saturating_sub(numbers.matches('.').count());
    Version::parse(&format!("{numbers}{}{}", ".0".repeat(missing), &version[numbers.len()..])).ok()
}

macro_rules! written_as_text {
    ($($of:ident)*) => { $(
        impl Serialize for $of {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $of {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }

        impl fmt::Display for $of {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )* };
}

written_as_text! { Day Link Versions }

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2027-01-31", true)]
    #[case("2028-02-29", true)]
    #[case("2027-02-29", false)]
    #[case("2027-13-01", false)]
    #[case("2027-1-5", false)]
    #[case("31.1.2027", false)]
    #[case("+2027-01-31", false)]
    #[case("", false)]
    fn a_day_is_one_of_the_calendar(#[case] text: &str, #[case] is_day: bool) {
        match Day::parse(text) {
            Ok(day) => assert!(is_day && day.to_string() == text, "{text}"),
            Err(error) => {
                assert!(!is_day, "{text}");
                assert_eq!(
                    error,
                    format!("{text:?} is no day; write it as YYYY-MM-DD, such as \"2027-01-31\"")
                );
            }
        }
    }

    #[rstest]
    #[case(0, "1970-01-01")]
    #[case(951_782_399, "2000-02-28")]
    #[case(951_782_400, "2000-02-29")]
    fn a_moment_has_its_day(#[case] seconds: i64, #[case] day: &str) {
        assert_eq!(Day::of_unix_s(seconds).to_string(), day);
    }

    #[rstest]
    #[case("https://example.org/issues/7", true)]
    #[case("http://example.org", true)]
    #[case("example.org/issues/7", false)]
    #[case("https://", false)]
    #[case("https:///x", false)]
    #[case("https://example.org/a b", false)]
    #[case("#7", false)]
    fn a_link_is_a_whole_address(#[case] text: &str, #[case] is_link: bool) {
        assert_eq!(Link::parse(text).is_ok(), is_link);
    }

    #[rstest]
    #[case(">=3, <4", "3.6.3", Some(true))]
    #[case(">=3, <4", "4.0.0", Some(false))]
    #[case(">=3, <4", "3.6.3-beta.1", Some(true))]
    #[case("<4", "4.0.0-rc.1", Some(false))]
    #[case("=4.0.0-rc.1", "4.0.0-rc.1", Some(true))]
    #[case("^4.21", "v4.21", Some(true))]
    #[case("=4.21.1", "4.21.1+build7", Some(true))]
    #[case("4", "4", Some(true))]
    #[case("4", "web", None)]
    #[case("4", "1.2.3.4", None)]
    #[case("4", "", None)]
    fn a_range_holds_the_versions_in_it(
        #[case] range: &str,
        #[case] version: &str,
        #[case] holds: Option<bool>,
    ) {
        assert_eq!(Versions::parse(range).expect("a range").hold(version), holds);
    }
}
