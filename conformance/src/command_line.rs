//! Lines that people are told to type: words as a POSIX shell takes them, and requests by curl. Whatever prints such a
//! line has it from here, so that no name or body of a scenario can be anything but itself in it.
//!
//! Nothing is run here.

use std::borrow::Cow;

/// A word as a POSIX shell takes it for itself.
pub fn for_shell(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,#".contains(c);
    if !word.is_empty() && !word.starts_with('#') && word.chars().all(plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''")).into()
    }
}

/// Looks at an address, which is a word as the shell is to read it: [`for_shell`], or one with variables.
pub(crate) fn curl_get(address: &str) -> String {
    format!("curl -sS {address}")
}

/// Asks something of an address, with JSON and as somebody.
pub(crate) fn curl(method: &str, address: &str, token: Option<&str>, body: &str) -> String {
    let bearer = token.map(|token| format!(" -H {}", for_shell(&format!("Authorization: Bearer {token}"))));
    // A body that begins with `@` is no file.
    let body = if body.is_empty() { String::new() } else { format!(" --data-raw {}", for_shell(body)) };
    let bearer = bearer.unwrap_or_default();
    format!("curl -sS -X {method} -H 'Content-Type: application/json'{bearer}{body} {address}")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("alice", "alice")]
    #[case("", "''")]
    #[case("#1", "'#1'")]
    #[case("it's", r"'it'\''s'")]
    #[case("$HOME `id` \"x\" \\", "'$HOME `id` \"x\" \\'")]
    #[case("a\nb", "'a\nb'")]
    fn a_shell_takes_a_word_as_it_is(#[case] word: &str, #[case] quoted: &str) {
        assert_eq!(for_shell(word), quoted);
    }

    #[test]
    fn a_request_has_what_it_needs() {
        assert_eq!(
            curl("PUT", "\"$APP\"/x", Some("t"), "@it's"),
            r#"curl -sS -X PUT -H 'Content-Type: application/json' -H 'Authorization: Bearer t' --data-raw '@it'\''s' "$APP"/x"#
        );
        assert_eq!(curl("DELETE", "x", None, ""), "curl -sS -X DELETE -H 'Content-Type: application/json' x");
    }
}
