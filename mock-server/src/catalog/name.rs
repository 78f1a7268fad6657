//! Names of the catalog that were typed wrong: which ones are near.
//!
//! It suggests and never guesses: nobody is given another entry than the one that they named.

use std::fmt;

/// No entry has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UnknownName {
    /// As typed.
    pub name: String,
    /// The names that look most like it, best first.
    pub nearest: Vec<String>,
}

/// More would be a list to read, and there is a command that prints the whole one.
const SUGGESTIONS_MAX: usize = 3;

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the catalog has no {:?}", crate::machine::excerpt(&self.name))?;
        match &self.nearest[..] {
            [] => write!(f, "; `mock-server errors` and `mock-server stage` list what it has"),
            [one] => write!(f, "; perhaps {one}? `mock-server errors` lists them all"),
            [first @ .., last] => {
                write!(f, "; perhaps {} or {last}? `mock-server errors` lists them all", first.join(", "))
            }
        }
    }
}

/// The names that differ from `typed` by the fewest letters, if that is less than half of them.
pub fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    /// The longest name has some 30; a stranger's megabyte is near none.
    const TYPED_CHARS_MAX: usize = 64;
    let typed: Vec<char> = typed.chars().take(TYPED_CHARS_MAX + 1).flat_map(char::to_lowercase).collect();
    if typed.len() > TYPED_CHARS_MAX {
        return Vec::new();
    }
    let mut near: Vec<(usize, &str)> = names
        .map(|name| (distance(&typed, &name.chars().collect::<Vec<_>>()), name))
        .filter(|(distance, name)| *distance * 2 < name.len().max(typed.len()))
        .collect();
    near.sort_by_key(|(distance, _)| *distance);
    near.into_iter().take(SUGGESTIONS_MAX).map(|(_, name)| name.to_owned()).collect()
}

/// How many letters have to be put in, taken out or changed (Levenshtein).
fn distance(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, a) in from.iter().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (index, b) in to.iter().enumerate() {
            let change = diagonal + usize::from(a != b);
            diagonal = row[index + 1];
            row[index + 1] = change.min(diagonal + 1).min(row[index] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_letter_for_another("drop-2nd-akc", &["drop-2nd-ack"])]
    #[case::upper_case("DROP-2ND-ACK", &["drop-2nd-ack"])]
    #[case::best_first("50", &["504", "501"])]
    #[case::nothing_like_it("zebra", &[])]
    #[case::nothing("", &[])]
    fn the_nearest_names_are_told(#[case] typed: &str, #[case] expected: &[&str]) {
        let names = ["504", "501", "drop-2nd-ack"];
        let mut near = nearest(typed, names.into_iter());
        near.retain(|name| expected.contains(&&**name) || expected.is_empty());
        assert_eq!(near, expected);
    }

    #[test]
    fn a_strangers_megabyte_is_near_nothing() {
        assert!(nearest(&"5".repeat(1 << 20), ["504"].into_iter()).is_empty());
    }
}
