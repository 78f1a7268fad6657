//! Of what a failure says, the part that a known failure is known by: telling enough that another failure of the same
//! scenario is not taken for it, and the same in every run.

/// The longest part: two failures that are alike for so long are the same one.
const MESSAGE_CHARS_MAX: usize = 120;
/// The shortest: less is in too many messages.
const LETTERS_MIN: usize = 5;
/// From how many digits on a number is an id, a port or a time rather than a code of the protocol.
const VOLATILE_DIGITS_MIN: usize = 5;
/// From how many letters and digits on a word that mixes them is a digest, a key or a token.
const VOLATILE_WORD_MIN: usize = 16;
/// What the harness says where the client was never asked: no failure of the client's that a file could know.
const NOT_THE_CLIENT: [&str; 3] =
    ["not run: ", "the client could not be started: ", "the server refused the step: "];

/// The telling part of a mismatch's message; `None` if it has none, or is not about what the client did.
pub(super) fn telling(message: &str) -> Option<&str> {
    if NOT_THE_CLIENT.iter().any(|beginning| message.starts_with(beginning)) {
        return None;
    }
    let first = message.lines().next()?;
    let fields =
        message.lines().skip(1).filter(|line| line.contains(": expected ") && line.contains(", got "));
    fields.chain([first]).find_map(stable)
}

/// The longest piece of a line between what differs from run to run; of pieces that are as long, the first. One that
/// says what was expected comes before all others.
fn stable(line: &str) -> Option<&str> {
    let mut pieces: Vec<&str> =
        pieces(line).into_iter().map(shortened).filter(|piece| says_enough(piece)).collect();
    // A stable sort: the first of the longest.
    pieces.sort_by_key(|piece| std::cmp::Reverse((piece.contains("expected "), piece.chars().count())));
    pieces.first().copied()
}

fn says_enough(piece: &str) -> bool {
    piece.chars().filter(|c| c.is_alphabetic()).count() >= LETTERS_MIN
}

/// Cut to its length at the end of a word, and without what only opens something at its end.
fn shortened(piece: &str) -> &str {
    let mut piece = piece.trim();
    if let Some((end, _)) = piece.char_indices().nth(MESSAGE_CHARS_MAX) {
        let cut = &piece[..end];
        piece = cut.rfind([' ', ',']).map_or(cut, |at| &cut[..at]);
    }
    piece
        .trim_end_matches([' ', ',', ':', '=', '(', '[', '{', '"', '\'', '#'])
        .trim_start_matches([' ', ',', ')', ']', '}'])
}

/// A line without its volatile words.
fn pieces(line: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut from, mut before) = (0, "");
    for (start, word) in words(line) {
        if is_volatile(word, before) {
            pieces.push(&line[from..start]);
            from = start + word.len();
        }
        before = word;
    }
    pieces.push(&line[from..]);
    pieces
}

/// Runs of letters and digits, and where each begins.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    line.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| (word.as_ptr().addr() - line.as_ptr().addr(), word))
}

fn is_volatile(word: &str, before: &str) -> bool {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let letters = word.chars().count() - digits;
    // `within 5s`, `after 300ms`: what `--timeout` says. `request 2`: how many were made before.
    let counts = matches!(before, "within" | "after" | "request") && digits > 0;
    // One run of digits may stand for several in another run: `m1699999999999` is `m` and a time.
    counts
        || longest_run_of_digits(word) >= VOLATILE_DIGITS_MIN
        || (digits > 0 && letters > 0 && word.chars().count() >= VOLATILE_WORD_MIN)
}

fn longest_run_of_digits(word: &str) -> usize {
    word.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::a_field(
        "alice showed error and not as expected\n  type: expected 605, got 1\n  whole: error {\"id\":\"1160000000000000001\"}",
        Some("type: expected 605, got 1")
    )]
    #[case::an_id_that_is_expected(
        "alice showed sent and not as expected\n  id: expected $m1 = \"1160000000000000005\", got null",
        Some("id: expected $m1")
    )]
    #[case::an_id_that_came(
        "alice showed nothing within 5s\n  event: expected opened {}, got error {\"data\":{\"id\":\"1160000000000000005\"}}",
        Some("event: expected opened {}, got error {\"data\":{\"id")
    )]
    #[case::nothing_came(
        "bob showed nothing within 5s\n  event: expected delivered {\"mid\":\"$m1\"}, got nothing\n  the server has nothing left to do",
        Some("event: expected delivered {\"mid\":\"$m1\"}, got nothing")
    )]
    #[case::silence(
        "alice should be silent and showed delivered {\"mid\":\"1160000000000000005\"}",
        Some("alice should be silent and showed delivered {\"mid")
    )]
    #[case::a_finding(
        "alice sent what build.ext forbids, 3 times\n  payload.ext.type: expected doubleValue, got nothing",
        Some("payload.ext.type: expected doubleValue, got nothing")
    )]
    #[case::a_port(
        "alice's login was refused: \"connect 127.0.0.1:43211\"",
        Some("alice's login was refused: \"connect 127.0.0.1")
    )]
    #[case::a_time_limit(
        "the client did not answer request 2 (login_password) within 300ms",
        Some("the client did not answer request")
    )]
    #[case::the_process_ended(
        "the client's process ended: its stdout was closed",
        Some("the client's process ended: its stdout was closed")
    )]
    #[case::never_started("the client could not be started: no such file", None)]
    #[case::not_run("not run: the client could not be started 3 times in a row", None)]
    #[case::only_volatile("1160000000000000001", None)]
    #[case::of_another_script("爱丽丝什么也没有显示 1160000000000000001", Some("爱丽丝什么也没有显示"))]
    fn what_is_told_is_the_same_in_every_run(#[case] message: &str, #[case] expected: Option<&str>) {
        assert_eq!(telling(message), expected);
    }

    #[test]
    fn what_is_long_is_cut_at_a_word() {
        let message = format!("event: expected text {}, got nothing", "seven ".repeat(100));
        let message = format!("first\n  {message}");
        let told = telling(&message).expect("a part");
        assert!(told.chars().count() <= MESSAGE_CHARS_MAX && told.ends_with("seven"), "{told}");
    }

    proptest! {
        /// Another run differs in its ids, ports and times; and the part is in the message whatever it says.
        #[test]
        fn ids_do_not_matter(
            who in "[a-z]{1,9}", field in "[a-z]{1,12}", rest in "\\PC{0,150}",
            ids in proptest::array::uniform4(10_000_u64..)
        ) {
            let message = |one: u64, other: u64| {
                format!("{who} showed text {one}\n  {field}: expected \"{one}\", got {{\"id\":\"{other}\"}} {rest}")
            };
            let (one, other) = (message(ids[0], ids[1]), message(ids[2], ids[3]));
            let part = telling(&one).expect("it has a part");
            prop_assert!(one.contains(part));
            prop_assert_eq!(Some(part), telling(&other));
        }
    }
}
