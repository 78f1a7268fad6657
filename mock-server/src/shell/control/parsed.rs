//! Bodies of requests, read into what they stand for: what does not fit is told with its place, and with the word that was
//! most likely meant.

use serde::de::{DeserializeOwned, IgnoredAny};

use super::{Refusal, bad};
use crate::control::nearest;
use crate::machine::excerpt;

pub(super) fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    let read = serde_path_to_error::deserialize(&mut reader);
    let read = read.map_err(|error| {
        let (place, mut why) = (error.path().to_string(), error.inner().to_string());
        // serde's word for the comma behind the one key of a command, which is a value where a `}` should be.
        if why.starts_with("expected value at ") && serde_json::from_slice::<IgnoredAny>(body).is_ok() {
            why = why.replacen("expected value", "one key alone makes a command, and another comes", 1);
        }
        // Of the body as a whole, and of an unknown word in it, the message alone says enough.
        if place == "." || why.contains(&format!("`{place}`")) {
            return why;
        }
        format!("{}: {why}", excerpt(&place))
    });
    let read = read.and_then(|value| reader.end().map(|()| value).map_err(|error| error.to_string()));
    read.map_err(|why| {
        let meant = meant(&why).map(|word| format!("; did you mean {word:?}?")).unwrap_or_default();
        let why = excerpt(&why);
        bad("json", format!("nothing was done: {why}{meant}; GET /_mock/ shows what a body may be"))
    })
}

/// The known word that is nearest to an unknown one, both by serde's message.
fn meant(why: &str) -> Option<&str> {
    let mut words = why.split('`').skip(1).step_by(2);
    let is_unknown = why.contains("unknown field `") || why.contains("unknown variant `");
    let unknown = words.next().filter(|_| is_unknown)?;
    nearest(unknown, words)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::control::Control;

    #[rstest]
    #[case::no_json("[", "nothing was done: EOF while parsing a list at line 1 column 1; GET /_mock/ shows")]
    #[case::command(r#"[{"uesr":{}}]"#, "did you mean \"user\"?")]
    #[case::field(
        r#"[{"known":{"users":[]}},{"user":{"nam":"x"}}]"#,
        "[1].user.nam: unknown field `nam`, expected `name` or `password` at line 1 column 38; did you mean \"name\"?"
    )]
    #[case::type_of_a_field(
        r#"[{"user":{"name":7,"password":"x"}}]"#,
        "[0].user.name: invalid type: integer `7`, expected a string"
    )]
    #[case::number(
        r##"[{"texts":{"from":"a","to":"b","text":"#","count":5000000000}}]"##,
        "[0].texts.count: invalid value: integer `5000000000`, expected u32"
    )]
    #[case::two_in_one(
        r#"[{"user":{"name":"a","password":"b"},"known":{"users":[]}}]"#,
        "[0]: one key alone makes a command, and another comes at line 1 column 36"
    )]
    #[case::more("[] []", "trailing characters")]
    fn what_does_not_fit_says_where_and_what_was_meant(#[case] body: &str, #[case] words: &str) {
        let Err(refusal) = parsed::<Vec<Control>>(body.as_bytes()) else { panic!("{body} was read") };
        assert_eq!((refusal.status, refusal.error), (400, "json"));
        assert!(refusal.description.contains(words), "{}", refusal.description);
    }
}
