//! Scenario names by pattern: `*` for any characters, `?` for one.

/// Whether a pattern with wildcards, or an exact name, is this name.
pub fn is_match(pattern: &str, name: &str) -> bool {
    // Most entries of a client's file name one scenario.
    if !pattern.contains(['*', '?']) {
        return pattern == name;
    }
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut at, mut of) = (0, 0);
    // Where to go on when a star has to take one character more.
    let mut star: Option<(usize, usize)> = None;
    while of < name.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(c) if *c == '?' || *c == name[of] => {
                at += 1;
                of += 1;
            }
            Some(_) | None => match star {
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    (at, of) = (star_at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// Whether a filter of the command line is meant for this name: a pattern if it has a wildcard, else any part.
pub fn is_meant(filter: &str, name: &str) -> bool {
    if filter.contains(['*', '?']) { is_match(filter, name) } else { name.contains(filter) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("send/text", "send/text", true)]
    #[case("send/text", "send/text-to-user", false)]
    #[case("send/*", "send/text-to-user", true)]
    #[case("*text*user", "send/text-to-user", true)]
    #[case("*text*users", "send/text-to-user", false)]
    #[case("send/tex?", "send/text", true)]
    #[case("send/text?", "send/text", false)]
    #[case("*", "", true)]
    #[case("a*a*b", "aaab", true)]
    fn a_star_is_any_run(#[case] pattern: &str, #[case] name: &str, #[case] expected: bool) {
        assert_eq!(is_match(pattern, name), expected);
    }

    #[test]
    fn a_filter_without_a_wildcard_is_any_part() {
        assert!(is_meant("text", "send/text-to-user"));
        assert!(!is_meant("text*", "send/text-to-user"));
    }
}
