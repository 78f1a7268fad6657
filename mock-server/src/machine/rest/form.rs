//! Forms, as SDKs write the profile of a user, and the decoding of what is in them and in paths (rest.md A.10).
//!
//! SDKs encode some forms and send others as they are. What is not encoded cannot hold `&`, `=`, `+` or `%41`, and
//! nobody can tell what was meant: it is read as a form all the same.

/// The pairs of an `application/x-www-form-urlencoded` body; a key twice is there twice. `None`: not UTF-8.
pub(super) fn pairs(body: &[u8]) -> Option<Vec<(String, String)>> {
    let text = |part: &[u8]| {
        let spaced: Vec<u8> = part.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
        String::from_utf8(percent_decoded(&spaced)).ok()
    };
    body.split(|&byte| byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let at = pair.iter().position(|&byte| byte == b'=').unwrap_or(pair.len());
            Some((text(&pair[..at])?, text(pair.get(at + 1..).unwrap_or_default())?))
        })
        .collect()
}

/// `%41` is `A`; a `%` that begins no such pair stands for itself, since SDKs mostly do not encode (rest.md 0.6).
pub(crate) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let code = match rest {
            // `from_str_radix` would take a sign for a digit.
            [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                std::str::from_utf8(&[*high, *low]).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok())
            }
            _ => None,
        };
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &rest[3..] } else { tail };
    }
    bytes
}
