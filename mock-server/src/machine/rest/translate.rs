//! `/users/{me}/translate`: a translation that is none, always the same for the same text (rest.md A.11).
//!
//! Nobody is asked: the answer names the language that was asked for beside the text, so that a test can tell what an
//! app shows.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Call, Failure, Success};
use crate::machine::Server;

#[derive(Deserialize)]
struct Query {
    text: String,
    to: Vec<String>,
}

/// Code, English name and own name. The codes are those of the vendor's page on translation.
const LANGUAGES: [(&str, &str, &str); 12] = [
    ("ar", "Arabic", "العربية"),
    ("de", "German", "Deutsch"),
    ("en", "English", "English"),
    ("es", "Spanish", "Español"),
    ("fr", "French", "Français"),
    ("hi", "Hindi", "हिन्दी"),
    ("ja", "Japanese", "日本語"),
    ("ko", "Korean", "한국어"),
    ("pt", "Portuguese (Brazil)", "Português (Brasil)"),
    ("ru", "Russian", "Русский"),
    ("zh-Hans", "Chinese Simplified", "中文 (简体)"),
    ("zh-Hant", "Chinese Traditional", "繁體中文 (繁體)"),
];
/// Our guess: what a message of the default size holds, and room for another script's longer one.
const TEXT_CHARS_MAX: usize = 5_000;

pub(super) fn translate(server: &mut Server, call: &Call<'_>) -> Answer {
    opened(server, call)?;
    let Query { text, to } = call.json()?;
    if text.chars().count() > TEXT_CHARS_MAX {
        return Err(Failure::illegal("The input text is too long."));
    }
    let is_known = |language: &String| LANGUAGES.iter().any(|(code, ..)| code == language);
    if to.is_empty() || to.len() > LANGUAGES.len() || !to.iter().all(is_known) {
        return Err(Failure::illegal("The target language is not valid."));
    }
    let one = |to: &String| json!({ "text": format!("[{to}] {text}"), "to": to });
    let translations: Vec<Value> = to.iter().map(one).collect();
    // Which one it is takes somebody who can read.
    let detected = json!({ "language": "en", "score": 1.0 });
    Ok(Success::data(json!([{ "translations": translations, "detectedLanguage": detected }])))
}

pub(super) fn languages(server: &mut Server, call: &Call<'_>) -> Answer {
    opened(server, call)?;
    let one =
        |&(code, name, own): &(&str, &str, &str)| json!({ "code": code, "name": name, "nativeName": own });
    Ok(Success::list(LANGUAGES.iter().map(one).collect()))
}

fn opened(server: &Server, call: &Call<'_>) -> Result<(), Failure> {
    call.owner(server, call.first)?;
    // The words that 4.x looks for (rest.md 0.11).
    if server.settings.translation { Ok(()) } else { Err(Failure::forbidden("service not open!")) }
}
