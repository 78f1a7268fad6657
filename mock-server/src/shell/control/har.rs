//! A world's requests as HAR 1.2, for browsers' tools and whatever else reads it: what the tape has, and nothing else.
//!
//! It invents nothing: the tape has no headers, no cookies and no times but the world's clock, so there are none, and
//! sizes of what is not known are -1, as the format wants it. Each entry's `comment` says whose request it was.

use hyper::StatusCode;
use serde_json::{Value as Json, json};

use crate::machine::Millis;
use crate::machine::rest::percent_decoded;
use crate::tape::{Event, Row};

/// What a request or an answer carried.
struct Body {
    /// `None`: it is not on the tape.
    size: Option<usize>,
    mime_type: String,
    text: Option<String>,
    /// Of a form and of an upload, its parts.
    params: Vec<Json>,
    comment: Option<String>,
}

/// The whole log. `base` is where the world's paths begin, such as `http://127.0.0.1:8989/org/app`.
pub(super) fn har(base: &str, rows: &[Row]) -> Json {
    let entries: Vec<Json> = rows.iter().filter_map(|row| entry(base, row)).collect();
    let creator = json!({ "name": env!("CARGO_PKG_NAME"), "version": env!("CARGO_PKG_VERSION") });
    let comment = "headers, cookies and durations are not on the tape; moments are of the world's clock";
    json!({ "log": { "version": "1.2", "creator": creator, "pages": [], "entries": entries, "comment": comment } })
}

fn entry(base: &str, row: &Row) -> Option<Json> {
    let Event::Http { method, path, user, body, status, answer } = &row.event else { return None };
    let query = path.split_once('?').map_or("", |(_, query)| query);
    let sent = sent(body);
    let got = got(answer, *status);
    let mut request = json!({
        "method": method,
        "url": format!("{base}{}", url_path(path)),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [],
        "queryString": pairs(query),
        "headersSize": -1,
        "bodySize": size(sent.size),
    });
    if !body.is_empty() {
        // Of parameters and text, the format has one or the other.
        let mut data = json!({ "mimeType": sent.mime_type });
        match sent.text {
            Some(text) => data["text"] = text.into(),
            None => data["params"] = sent.params.into(),
        }
        if let Some(comment) = sent.comment {
            data["comment"] = comment.into();
        }
        request["postData"] = data;
    }
    let mut content = json!({ "size": size(got.size), "mimeType": got.mime_type });
    if let Some(text) = got.text {
        content["text"] = text.into();
    }
    if let Some(comment) = got.comment {
        content["comment"] = comment.into();
    }
    let response = json!({
        "status": status,
        "statusText": StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason()).unwrap_or(""),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": [],
        "content": content,
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": size(got.size),
    });
    let mut entry = json!({
        "startedDateTime": iso_8601(row.at),
        "time": 0,
        "request": request,
        "response": response,
        "cache": {},
        "timings": { "send": 0, "wait": 0, "receive": 0 },
    });
    if let Some(user) = user {
        entry["comment"] = format!("asked by {user}").into();
    }
    Some(entry)
}

fn size(bytes: Option<usize>) -> i64 {
    bytes.and_then(|bytes| i64::try_from(bytes).ok()).unwrap_or(-1)
}

/// What came with a request. The server reads bodies as what they are, whatever their Content-Type says, and so does this.
fn sent(body: &[u8]) -> Body {
    let text = String::from_utf8_lossy(body).into_owned();
    let of = |mime_type: &str, text| Body {
        size: Some(body.len()),
        mime_type: mime_type.to_owned(),
        text,
        params: Vec::new(),
        comment: None,
    };
    match serde_json::from_slice::<Json>(body) {
        Ok(json) => match upload(&json) {
            Some(params) => Body {
                size: None,
                params,
                comment: Some("the file itself is not on the tape".to_owned()),
                ..of("multipart/form-data", None)
            },
            None => of("application/json", Some(text)),
        },
        Err(_) if is_form(&text) => {
            Body { params: pairs(&text), ..of("application/x-www-form-urlencoded", None) }
        }
        Err(_) => of("text/plain", Some(text)),
    }
}

/// What the tape has in place of an upload, as the parts of a form.
fn upload(json: &Json) -> Option<Vec<Json>> {
    let told = json.as_object().filter(|told| told.len() == 4)?;
    let (file, fields) = (told.get("file")?.as_str()?, told.get("fields")?.as_object()?);
    let (media_type, bytes) = (told.get("media_type")?.as_str()?, told.get("bytes")?.as_u64()?);
    let mut params = vec![
        json!({ "name": "file", "fileName": file, "contentType": media_type, "comment": format!("{bytes} bytes") }),
    ];
    params.extend(
        fields.iter().map(|(name, value)| json!({ "name": name, "value": value.as_str().unwrap_or("") })),
    );
    Some(params)
}

/// What was answered; of what is no JSON the tape has a JSON object that says what it was.
fn got(answer: &[u8], status: u16) -> Body {
    let of = |mime_type: &str, text| Body {
        size: Some(answer.len()),
        mime_type: mime_type.to_owned(),
        text,
        params: Vec::new(),
        comment: None,
    };
    let json: Json = serde_json::from_slice(answer).unwrap_or(Json::Null);
    let fields =
        json.as_object().filter(|_| status == 0 || json.as_object().is_some_and(|told| told.len() <= 2));
    let word = |name: &str| fields.and_then(|fields| fields.get(name)).and_then(Json::as_str);
    match fields.map_or(0, serde_json::Map::len) {
        1 if status == 0 => {
            let how =
                if json["reset"] == true { "the connection was reset" } else { "the connection was cut" };
            Body { size: Some(0), comment: Some(how.to_owned()), ..of("x-unknown", None) }
        }
        1 if word("text").is_some() => {
            let text = word("text").unwrap_or_default();
            Body { size: Some(text.len()), ..of("text/plain; charset=utf-8", Some(text.to_owned())) }
        }
        2 if word("file").is_some() && word("media_type").is_some() => Body {
            size: None,
            comment: Some(format!(
                "the file {:?}, which is not on the tape",
                word("file").unwrap_or_default()
            )),
            ..of(word("media_type").unwrap_or_default(), None)
        },
        _ => of("application/json", Some(String::from_utf8_lossy(answer).into_owned())),
    }
}

fn is_form(text: &str) -> bool {
    text.contains('=')
        && text.split('&').all(|pair| pair.contains('='))
        && !text.contains(char::is_whitespace)
}

/// `a=b&c=d`, decoded.
fn pairs(text: &str) -> Vec<Json> {
    let decoded = |text: &str| {
        let bytes = percent_decoded(text.replace('+', " ").as_bytes());
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            json!({ "name": decoded(name), "value": decoded(value) })
        })
        .collect()
}

/// The tape has the path decoded and the query not; a URL has neither spaces nor signs of its own in its path.
fn url_path(path: &str) -> String {
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    let mut url = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@".contains(&byte) {
            url.push(char::from(byte));
        } else {
            url.push_str(&format!("%{byte:02X}"));
        }
    }
    if let Some(query) = query {
        url.push('?');
        url.push_str(query);
    }
    url
}

/// `2021-12-31T00:00:00.000Z`. Days to dates: Howard Hinnant, "chrono-compatible low-level date algorithms".
fn iso_8601(Millis(ms): Millis) -> String {
    let (days, ms) = (ms / 86_400_000, ms % 86_400_000);
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + u64::from(month <= 2);
    let (seconds, ms) = (ms / 1_000, ms % 1_000);
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{ms:03}Z")
}
#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::first(0, "1970-01-01T00:00:00.000Z")]
    #[case::of_tests(1_640_908_800_000, "2021-12-31T00:00:00.000Z")]
    #[case::leap_day(1_709_251_199_999, "2024-02-29T23:59:59.999Z")]
    #[case::after_it(1_709_251_200_000, "2024-03-01T00:00:00.000Z")]
    fn a_moment_is_a_date(#[case] ms: u64, #[case] text: &str) {
        assert_eq!(iso_8601(Millis(ms)), text);
    }

    #[rstest]
    #[case::json(r#"{"a":1}"#, "application/json")]
    #[case::form("grant_type=password&username=a+b", "application/x-www-form-urlencoded")]
    #[case::text("a = b", "text/plain")]
    #[case::upload(
        r#"{"file":"a.png","media_type":"image/png","bytes":7,"fields":{"w":"1"}}"#,
        "multipart/form-data"
    )]
    fn a_body_is_of_the_type_that_it_is(#[case] body: &str, #[case] mime_type: &str) {
        assert_eq!(sent(body.as_bytes()).mime_type, mime_type);
    }

    #[rstest]
    #[case::json(r#"{"entities":[]}"#, 200, "application/json", 15)]
    #[case::text(r#"{"text":"busy"}"#, 503, "text/plain; charset=utf-8", 4)]
    #[case::file(r#"{"file":"a.png","media_type":"image/png"}"#, 200, "image/png", -1)]
    #[case::reset(r#"{"reset":true}"#, 0, "x-unknown", 0)]
    fn an_answer_is_what_went_over_the_wire(
        #[case] answer: &str,
        #[case] status: u16,
        #[case] mime_type: &str,
        #[case] bytes: i64,
    ) {
        let got = got(answer.as_bytes(), status);
        assert_eq!((&*got.mime_type, size(got.size)), (mime_type, bytes));
    }

    #[test]
    fn a_path_is_a_url_again() {
        assert_eq!(url_path("/users/a b?x=%20"), "/users/a%20b?x=%20");
    }
}
