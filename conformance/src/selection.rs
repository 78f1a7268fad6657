//! Which scenarios a command line means, and in which order they are run.
//!
//! Each word must be of use: one that is mistyped would quietly run less.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::exceptions::nearest;
use crate::pattern::is_meant;
use crate::scenario::Scenario;

/// What is meant: of each kind one of its words, of several kinds all of them. Nothing said, all is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Parts of `area/name`, or patterns with `*` and `?`.
    pub filters: Vec<String>,
    /// Ids of clauses, or patterns of them: scenarios that evaluate one of these.
    pub clauses: Vec<String>,
    /// Names of areas, whole: the folders of the scenarios.
    pub areas: Vec<String>,
    /// One part of those.
    pub shard: Option<Shard>,
    /// Which order; 0: that of their names.
    pub seed: u64,
}

/// One of several parts of all scenarios. A scenario stays in its part when others are added or renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1.
    number: u64,
    /// Of how many.
    of: u64,
}

/// A word that means nothing, and those that it may have been meant for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NothingMeant(String);

impl Selection {
    /// The scenarios that are meant, in their order.
    pub fn choose<'a>(&self, all: &'a [Scenario]) -> Result<Vec<&'a Scenario>, NothingMeant> {
        if all.is_empty() {
            return Err(NothingMeant("the folder of the scenarios is empty".to_owned()));
        }
        let names: BTreeSet<&str> = all.iter().map(|one| &*one.name).collect();
        let areas: BTreeSet<&str> = all.iter().map(area).collect();
        let clauses: BTreeSet<&str> =
            all.iter().flat_map(|one| one.clauses.iter().map(String::as_str)).collect();
        for filter in &self.filters {
            each_means("scenario", filter, &names, is_meant, "conformance list")?;
        }
        for clause in &self.clauses {
            let what = "scenario evaluates a clause that";
            each_means(what, clause, &clauses, is_meant, "conformance list --clauses")?;
        }
        for wanted in &self.areas {
            each_means("area", wanted, &areas, |one, area| one == area, "conformance list")?;
        }
        let mut meant: Vec<&Scenario> = all.iter().filter(|one| self.means(one)).collect();
        if meant.is_empty() {
            return Err(NothingMeant(format!("no scenario is all of: {self}; leave one of them out")));
        }
        if let Some(shard) = self.shard {
            let before = meant.len();
            meant.retain(|one| shard.has(&one.name));
            if meant.is_empty() {
                let message = format!("the shard {shard} has none of the {before} scenarios that are meant");
                return Err(NothingMeant(message));
            }
        }
        if self.seed != 0 {
            meant.sort_by_cached_key(|one| (drawn(self.seed, "order", &one.name), &one.name));
        }
        Ok(meant)
    }

    fn means(&self, scenario: &Scenario) -> bool {
        let filters = self.filters.is_empty() || self.filters.iter().any(|one| is_meant(one, &scenario.name));
        let clauses = self.clauses.is_empty()
            || scenario.clauses.iter().any(|id| self.clauses.iter().any(|one| is_meant(one, id)));
        let areas = self.areas.is_empty() || self.areas.iter().any(|one| one == area(scenario));
        filters && clauses && areas
    }
}

/// For a message: what was asked for.
impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [("", &self.filters), ("--clause ", &self.clauses), ("--area ", &self.areas)];
        let words = kinds.iter().filter(|(_, words)| !words.is_empty());
        let kinds: Vec<String> = words.map(|(flag, words)| format!("{flag}{}", words.join(" or "))).collect();
        f.write_str(&kinds.join(", "))
    }
}

impl Shard {
    /// Whether a scenario of this name belongs to it.
    pub fn has(self, name: &str) -> bool {
        drawn(0, "shard", name) % self.of == self.number - 1
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no shard; write one such as 1/4, the first of four");
        let (number, of) = text.split_once('/').ok_or_else(wrong)?;
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let of: u64 = of.parse().map_err(|_| wrong())?;
        match (number, of) {
            (_, 0) => Err("0 shards have no scenario; write one such as 1/4".to_owned()),
            (0, _) => Err(format!("shards count from 1; the first is 1/{of}")),
            _ if number > of => Err(format!("there are {of} shards, so none is number {number}")),
            _ => Ok(Self { number, of }),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

/// A number that a seed gives a name: the same on every machine and in every version of this program. `what` keeps one
/// decision apart from another, so that a new one does not change those that there were.
pub fn drawn(seed: u64, what: &str, name: &str) -> u64 {
    let digest = Sha256::digest(format!("{seed} {what} {name}"));
    let first = digest.first_chunk().expect("a digest has 32 bytes");
    u64::from_be_bytes(*first)
}

/// The folder that a scenario lies in.
fn area(scenario: &Scenario) -> &str {
    scenario.name.split_once('/').map_or(&*scenario.name, |(area, _)| area)
}

fn each_means(
    what: &str,
    word: &str,
    of: &BTreeSet<&str>,
    means: impl Fn(&str, &str) -> bool,
    list: &str,
) -> Result<(), NothingMeant> {
    if of.iter().any(|one| means(word, one)) {
        return Ok(());
    }
    let nearest = nearest(word, of.iter().copied());
    let nearest = if nearest.is_empty() { String::new() } else { format!(" (did you mean {nearest}?)") };
    Err(NothingMeant(format!("no {what} is meant by {word:?}{nearest}; `{list}` names them")))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rstest::rstest;

    use super::*;

    fn scenarios() -> Vec<Scenario> {
        let one = |name: &str, clause: &str| {
            let source = format!(
                r#"{{"why": "It is so.", "clauses": ["{clause}"], "given": {{"online": ["a"]}}, "steps": [{{"silent": {{"user": "a"}}}}]}}"#
            );
            let known = BTreeSet::from([clause.to_owned()]);
            Scenario::parse(&source, name, Path::new("x.json"), &known).expect("a scenario")
        };
        vec![
            one("conn/login", "conn.login"),
            one("recv/text", "recv.text"),
            one("send/text-to-group", "send.text.group"),
            one("send/text-to-user", "send.text.single"),
        ]
    }

    fn names(selection: &Selection) -> Result<String, String> {
        let all = scenarios();
        let chosen = selection.choose(&all).map_err(|error| error.to_string())?;
        Ok(chosen.iter().map(|one| &*one.name).collect::<Vec<_>>().join(" "))
    }

    fn words(filters: &[&str], clauses: &[&str], areas: &[&str]) -> Selection {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let (filters, clauses, areas) = (owned(filters), owned(clauses), owned(areas));
        Selection { filters, clauses, areas, ..Selection::default() }
    }

    #[rstest]
    #[case::nothing_said(&[], &[], &[], "conn/login recv/text send/text-to-group send/text-to-user")]
    #[case::a_part(&["text-to"], &[], &[], "send/text-to-group send/text-to-user")]
    #[case::one_or_another(&["login", "*user"], &[], &[], "conn/login send/text-to-user")]
    #[case::a_clause(&[], &["recv.text"], &[], "recv/text")]
    #[case::clauses_by_pattern(&[], &["send.*"], &[], "send/text-to-group send/text-to-user")]
    #[case::areas(&[], &[], &["conn", "recv"], "conn/login recv/text")]
    #[case::all_kinds(&["text"], &["*.text*"], &["send"], "send/text-to-group send/text-to-user")]
    fn of_each_kind_one_word_is_met(
        #[case] filters: &[&str],
        #[case] clauses: &[&str],
        #[case] areas: &[&str],
        #[case] chosen: &str,
    ) {
        assert_eq!(names(&words(filters, clauses, areas)).as_deref(), Ok(chosen));
    }

    #[rstest]
    #[case(
        &["send/txet-to-user"], &[], &[],
        "no scenario is meant by \"send/txet-to-user\" (did you mean send/text-to-user, send/text-to-group, recv/text?); `conformance list` names them"
    )]
    #[case(&["xyz*"], &[], &[], "no scenario is meant by \"xyz*\"; `conformance list` names them")]
    #[case(
        &[], &["conn.logn"], &[],
        "no scenario evaluates a clause that is meant by \"conn.logn\" (did you mean conn.login?); `conformance list --clauses` names them"
    )]
    #[case(&[], &[], &["con"], "no area is meant by \"con\" (did you mean conn?); `conformance list` names them")]
    #[case(
        &["login"], &["recv.text"], &["send"],
        "no scenario is all of: login, --clause recv.text, --area send; leave one of them out"
    )]
    fn a_word_that_means_nothing_is_told(
        #[case] filters: &[&str],
        #[case] clauses: &[&str],
        #[case] areas: &[&str],
        #[case] said: &str,
    ) {
        assert_eq!(names(&words(filters, clauses, areas)), Err(said.to_owned()));
    }

    #[rstest]
    #[case("5/4", "there are 4 shards, so none is number 5")]
    #[case("0/4", "shards count from 1; the first is 1/4")]
    #[case("1/0", "0 shards have no scenario; write one such as 1/4")]
    #[case("1", "\"1\" is no shard; write one such as 1/4, the first of four")]
    #[case("a/b", "\"a/b\" is no shard; write one such as 1/4, the first of four")]
    #[case("-1/4", "\"-1/4\" is no shard; write one such as 1/4, the first of four")]
    fn a_shard_that_is_none_is_told(#[case] text: &str, #[case] said: &str) {
        assert_eq!(text.parse::<Shard>(), Err(said.to_owned()));
    }

    #[test]
    fn each_scenario_is_in_one_shard_and_stays_there() {
        let shard = |text: &str| text.parse::<Shard>().expect("a shard");
        for name in ["conn/login", "send/text", "a/b", "c/d"] {
            let of_three = ["1/3", "2/3", "3/3"].map(|text| shard(text).has(name));
            assert_eq!(of_three.iter().filter(|has| **has).count(), 1, "{name}");
        }
        // On every machine the same: several of them share the work.
        assert!(shard("3/4").has("send/text-to-user"));
    }

    #[test]
    fn a_seed_is_an_order() {
        let order = |seed| names(&Selection { seed, ..Selection::default() });
        assert_eq!(order(7), order(7));
        assert_eq!(order(0).as_deref(), Ok("conn/login recv/text send/text-to-group send/text-to-user"));
        assert!((1..20).any(|seed| order(seed) != order(0)));
    }
}
