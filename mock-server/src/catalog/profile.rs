//! Fault profiles: rules under a name, and how a login that can say no more than a name chooses one.
//!
//! Who has a login form and no shell types the name behind `--` at the end of what the form asks for.

use serde::{Deserialize, Serialize};

use super::{Bilingual, USER, catalog, rule_for};
use crate::control::{Control, Fault};
use crate::rule::Rule;

/// Rules under a name, for whoever can choose no more than a name at a login.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Lower-case letters, digits and single hyphens; free of the errors' and situations' names.
    pub name: String,
    /// What happens, in a few words.
    pub about: Bilingual,
    /// Each as `on next text from {user}: drop`.
    pub rules: Vec<Rule>,
}

/// The longest name of a user.
const USER_BYTES_MAX: usize = 64;
/// A name ends a user's, which has something before it.
const NAME_BYTES_MAX: usize = 48;
/// As many as nobody writes by hand; each takes one of the world's thousand rules at each login that chooses it.
const RULES_MAX: usize = 100;

impl Profile {
    /// One that is no part of the catalog. Fails, in words, when nobody could choose it.
    pub fn new(name: &str, rules: Vec<Rule>) -> Result<Self, String> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let is_name = !name.is_empty() && name.bytes().all(fits) && !name.contains("--");
        if !is_name || name.starts_with('-') || name.ends_with('-') || name.len() > NAME_BYTES_MAX {
            return Err(format!(
                "{:?} is no name of a profile: expected 1 to {NAME_BYTES_MAX} of a-z 0-9 and single hyphens, such \
                 as drop-2nd-ack",
                crate::machine::excerpt(name)
            ));
        }
        if catalog().names().any(|known| known == name) {
            return Err(format!("the catalog has a {name} already: take another name"));
        }
        if rules.is_empty() || rules.len() > RULES_MAX {
            return Err(format!("{name}: expected 1 to {RULES_MAX} rules"));
        }
        // Who logs in may have a name of any legal length, and finds no rule that it does not fit in.
        let longest = "u".repeat(USER_BYTES_MAX);
        if let Some((rule, why)) = rules.iter().find_map(|rule| Some((rule, rule_for(rule, &longest).err()?)))
        {
            return Err(format!(
                "{name}: `{rule}` has no room for a user's name of {USER_BYTES_MAX} bytes in the place of {USER}: {why}"
            ));
        }
        let lines: Vec<String> = rules.iter().map(ToString::to_string).collect();
        let about = lines.join("; ");
        Ok(Self { name: name.to_owned(), about: Bilingual { en: about.clone(), zh: about }, rules })
    }

    /// What arms it, with `{user}` in the place of the user.
    pub(super) fn arm(&self) -> Vec<Control> {
        self.rules.iter().map(|rule| Control::Fault(Fault::Rule(Box::new(rule.clone())))).collect()
    }
}

/// What a part of a login chooses: what stands behind the last `--` of `alice--drop-2nd-ack`.
pub fn chosen(text: &str) -> Option<&str> {
    text.rsplit_once("--").map(|(_, name)| name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::for_user;
    use super::*;

    #[rstest]
    #[case::user("alice--drop-2nd-ack", Some("drop-2nd-ack"))]
    #[case::last_of_two("a--b--504", Some("504"))]
    #[case::ordinary("alice", None)]
    #[case::one_hyphen("alice-504", None)]
    #[case::nothing_behind("alice--", None)]
    #[case::nothing_before("--504", Some("504"))]
    #[case::nothing("", None)]
    fn a_login_chooses_what_stands_behind_two_hyphens(#[case] text: &str, #[case] name: Option<&str>) {
        assert_eq!(chosen(text), name);
    }

    #[rstest]
    #[case::upper_case("Drop", "is no name of a profile")]
    #[case::two_hyphens("a--b", "is no name of a profile")]
    #[case::hyphen_first("-a", "is no name of a profile")]
    #[case::nothing("", "is no name of a profile")]
    #[case::long(&"a".repeat(49), "expected 1 to 48")]
    #[case::an_errors("504", "the catalog has a 504 already")]
    #[case::a_situations("cut-no-frame", "the catalog has a cut-no-frame already")]
    #[case::a_profiles("drop-2nd-ack", "the catalog has a drop-2nd-ack already")]
    fn a_profile_that_nobody_could_choose_is_refused(#[case] name: &str, #[case] words: &str) {
        let rule: Rule = "on next text from {user}: drop".parse().expect("a rule");
        let why = Profile::new(name, vec![rule]).expect_err("refused");
        assert!(why.contains(words), "{why}");
    }

    #[test]
    fn a_profile_that_a_long_name_does_not_fit_in_is_refused() {
        let path = "/".to_owned() + &"{user}".repeat(30);
        let rule: Rule = format!("on next GET {path}: drop").parse().expect("a rule");
        let why = Profile::new("mine", vec![rule]).expect_err("refused");
        assert!(why.contains("has no room for a user's name of 64 bytes"), "{why}");
    }

    #[test]
    fn a_rule_without_the_word_for_the_user_stays_as_it_is() {
        let rule: Rule = "on every NOTICE to anyone: drop".parse().expect("a rule");
        let profile = Profile::new("mine", vec![rule.clone()]).expect("a profile");
        assert_eq!(profile.about.en, "on every NOTICE to anyone: drop");
        assert_eq!(for_user(&profile.arm()[0], "alice"), profile.arm()[0]);
    }

    #[test]
    fn a_user_who_is_called_as_a_word_of_rules_is_still_one_user() {
        let rule: Rule = "on next text from {user}: drop".parse().expect("a rule");
        let profile = Profile::new("mine", vec![rule]).expect("a profile");
        let Control::Fault(Fault::Rule(rule)) = for_user(&profile.arm()[0], "anyone") else {
            panic!("a rule")
        };
        assert_eq!(rule.to_string(), r#"on next text from "anyone": drop"#);
    }
}
