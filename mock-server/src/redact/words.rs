//! Where the protocol has secrets, by the names of its fields, parameters and headers, and how one is spelled elsewhere: the
//! same for what is taken home of a world and for a recording.
//!
//! Pure: it names places, and knows no secret.

use std::fmt;

use serde_json::Value as Json;

use crate::machine::rest::percent_decoded;

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Password,
    Token,
    Secret,
    Cookie,
}

/// What is shorter stands in too many other places: it is replaced only where the protocol has a secret.
pub(crate) const EVERYWHERE_BYTES_MIN: usize = 6;
/// How deep JSON may lie in strings of JSON: conversation lists have their last message so.
pub(crate) const JSON_IN_JSON_MAX: usize = 4;
/// Words that the protocol writes itself; who takes one for a password has it hidden where a password belongs.
pub(crate) const PROTOCOL_WORDS: [&str; 12] = [
    "password",
    "access_token",
    "username",
    "application",
    "chatfiles",
    "chatgroups",
    "chatrooms",
    "entities",
    "websocket",
    "easemob",
    "message",
    "client_credentials",
];

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password => "password",
            Self::Token => "token",
            Self::Secret => "secret",
            Self::Cookie => "cookie",
        })
    }
}

/// Of a frame's field.
pub(crate) fn of_frame(name: &str) -> Option<What> {
    match name {
        "auth" | "authToken" => Some(What::Token),
        "password" => Some(What::Password),
        "secretKey" | "thumbnailSecretKey" | "encryptKey" => Some(What::Secret),
        _ => None,
    }
}

/// Whether a field, parameter or header of this name holds a secret.
pub(crate) fn sensitive(name: &str) -> Option<What> {
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    if name.contains("password") || name.ends_with("pwd") || name == "passwd" {
        Some(What::Password)
    } else if name.ends_with("token") || name == "authorization" || name == "auth" {
        Some(What::Token)
    } else if name.contains("secret") || name == "encryptkey" || name == "apikey" {
        Some(What::Secret)
    } else if name == "cookie" || name == "setcookie" {
        Some(What::Cookie)
    } else {
        None
    }
}

/// The object or list that a text is.
pub(crate) fn json_in(text: &str) -> Option<Json> {
    let json = serde_json::from_str(text).ok().filter(|_| text.starts_with(['{', '[']));
    json.filter(|json: &Json| json.is_object() || json.is_array())
}

/// As a URL spells it.
pub(crate) fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// As a form meant it.
pub(crate) fn decoded(text: &str) -> String {
    String::from_utf8_lossy(&percent_decoded(text.replace('+', " ").as_bytes())).into_owned()
}
