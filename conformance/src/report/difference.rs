//! What was expected and what came, taken out of a mismatch's message field by field and set one above the other.
//!
//! It reads messages of this harness only, and what it cannot take apart stays a line as it is.

use anstyle::{AnsiColor, Style};

/// Where lines end.
pub(super) const COLUMNS: usize = 100;
/// How much of two long values is shown before the place where they begin to differ.
const SAME_CHARS: usize = 24;

const EXPECTED: Style = AnsiColor::Green.on_default();
const GOT: Style = AnsiColor::Red.on_default();

/// A mismatch's message in its parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message<'m> {
    /// The sentence at its start.
    pub(super) sentence: &'m str,
    /// The fields that differ.
    pub(super) differences: Vec<Difference<'m>>,
    /// The other lines.
    pub(super) rest: Vec<&'m str>,
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Difference<'m> {
    pub(super) field: &'m str,
    pub(super) expected: &'m str,
    pub(super) got: &'m str,
}

impl<'m> Message<'m> {
    pub(super) fn of(message: &'m str) -> Self {
        let mut lines = message.lines();
        let mut read = Self { sentence: lines.next().unwrap_or_default(), ..Self::default() };
        for line in lines {
            match Difference::of(line) {
                Some(difference) => read.differences.push(difference),
                None => read.rest.push(line),
            }
        }
        read
    }
}

impl<'m> Difference<'m> {
    /// `  field: expected E, got G`.
    fn of(line: &'m str) -> Option<Self> {
        let (field, said) = line.strip_prefix("  ")?.split_once(": expected ")?;
        if field.is_empty() || field.contains(char::is_whitespace) {
            return None;
        }
        let at = outside_strings(said, ", got ")?;
        Some(Self { field, expected: &said[..at], got: &said[at + ", got ".len()..] })
    }

    /// The two values, one above the other, each line at most [`COLUMNS`] wide behind `margin` columns.
    pub(super) fn lines(&self, field_width: usize, margin: usize) -> [String; 2] {
        const WORDS: usize = "  expected  ".len();
        let room = COLUMNS.saturating_sub(margin + field_width + WORDS).max(SAME_CHARS * 2);
        let same =
            self.expected.chars().zip(self.got.chars()).take_while(|(one, other)| one == other).count();
        let [expected, got] = [self.expected, self.got].map(|value| window(value, same, room));
        [
            format!("{:>field_width$}  expected  {EXPECTED}{expected}{EXPECTED:#}", self.field),
            format!("{:>field_width$}  received  {GOT}{got}{GOT:#}", ""),
        ]
    }
}

/// The value, or of one that has no room the part where it begins to differ.
fn window(value: &str, same: usize, room: usize) -> String {
    let length = value.chars().count();
    if length <= room {
        return value.to_owned();
    }
    let tail = format!("… ({length} characters)");
    let room = room.saturating_sub(tail.chars().count());
    // Both values of a pair are shown from the same place on, so that they can be compared.
    let from = if same + SAME_CHARS < room { 0 } else { same.saturating_sub(SAME_CHARS) };
    let head = if from == 0 { "" } else { "…" };
    let shown: String = value.chars().skip(from).take(room.saturating_sub(head.len().min(1))).collect();
    let rest = from + shown.chars().count() < length;
    let tail = if rest { tail } else { format!(" ({length} characters)") };
    format!("{head}{shown}{tail}")
}

/// A value in a few words, for a label.
pub(super) fn short(value: &str) -> String {
    /// Two of them and a word fit beside a step.
    const CHARS_MAX: usize = 24;
    match value.char_indices().nth(CHARS_MAX) {
        None => value.to_owned(),
        Some((at, _)) => format!("{}…", &value[..at]),
    }
}

/// Where `needle` stands outside the strings of JSON.
fn outside_strings(text: &str, needle: &str) -> Option<usize> {
    let (mut in_string, mut escaped) = (false, false);
    text.char_indices().find_map(|(at, c)| {
        if !in_string && text[at..].starts_with(needle) {
            return Some(at);
        }
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = in_string,
            '"' => in_string = !in_string,
            _ => {}
        }
        None
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("  data: expected \"hi\", got \"ho\"", Some(("data", "\"hi\"", "\"ho\"")))]
    #[case::words_in_a_string(
        r#"  data: expected "a, got b \", got ", got "c""#,
        Some(("data", r#""a, got b \", got ""#, "\"c\""))
    )]
    #[case::bound(
        "  id: expected $m1 = \"7\", got nothing: the field is missing",
        Some(("id", "$m1 = \"7\"", "nothing: the field is missing"))
    )]
    #[case::an_object(r#"  ext: expected {"a":1}, got {}"#, Some(("ext", r#"{"a":1}"#, "{}")))]
    #[case::another_line("  whole: text {\"data\":\"expected 1, got 2\"}", None)]
    #[case::no_end("  data: expected \"hi\"", None)]
    #[case::a_sentence("  one two: expected 1, got 2", None)]
    fn a_line_of_a_message_is_taken_apart(#[case] line: &str, #[case] parts: Option<(&str, &str, &str)>) {
        let read = Difference::of(line).map(|read| (read.field, read.expected, read.got));
        assert_eq!(read, parts);
    }

    #[test]
    fn of_long_values_the_place_is_shown_where_they_begin_to_differ() {
        let expected = format!("\"{}b{}\"", "a".repeat(200), "x".repeat(200));
        let got = format!("\"{}c\"", "a".repeat(200));
        let difference = Difference { field: "data", expected: &expected, got: &got };
        let lines = difference.lines(4, 2).map(|line| anstream::adapter::strip_str(&line).to_string());
        insta::assert_snapshot!(lines.join("\n"), @r#"
    data  expected  …aaaaaaaaaaaaaaaaaaaaaaaabxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx… (403 characters)
          received  …aaaaaaaaaaaaaaaaaaaaaaaac" (203 characters)
    "#);
        assert!(lines.iter().all(|line| line.chars().count() <= COLUMNS), "{lines:?}");
    }
}
