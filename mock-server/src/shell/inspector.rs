//! The inspector: the page at `/_mock/` that shows a person what goes over the wires, and the files it is made of, all of
//! them in this program.
//!
//! It only hands them out. What the page does goes through the control plane like what any other program does, and the
//! policy that is sent with it keeps it from everything but this server.

use std::hash::{DefaultHasher, Hasher as _};
use std::sync::LazyLock;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::content::{Answer, Content};

/// Nothing but this server's own files and answers: no inline script or style, no other host, no frame around the page.
/// Text never becomes markup or a script, for the page holds no policy that could make it so.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// A file of the page.
struct File {
    name: &'static str,
    media_type: &'static str,
    text: &'static str,
}

macro_rules! files {
    ($($name:literal: $media_type:expr),* $(,)?) => {
        [$(File { name: $name, media_type: $media_type, text: include_str!(concat!("../../inspector/", $name)) }),*]
    };
}

static FILES: [File; 21] = files! {
    "index.html": HTML,
    "page.css": CSS,
    "traffic.css": CSS,
    "icon.svg": SVG,
    "page.js": SCRIPT,
    "words.js": SCRIPT,
    "element.js": SCRIPT,
    "server.js": SCRIPT,
    "model.js": SCRIPT,
    "line.js": SCRIPT,
    "traffic.js": SCRIPT,
    "lanes.js": SCRIPT,
    "detail.js": SCRIPT,
    "people.js": SCRIPT,
    "send.js": SCRIPT,
    "stage.js": SCRIPT,
    "armed.js": SCRIPT,
    "doors.js": SCRIPT,
    "lineform.js": SCRIPT,
    "world.js": SCRIPT,
    "connect.js": SCRIPT,
};

/// One for all files, so that a page never puts files of two programs together.
static TAG: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = DefaultHasher::new();
    for file in &FILES {
        hasher.write(file.text.as_bytes());
    }
    format!("\"{:016x}\"", hasher.finish())
});

/// What stands behind `/_mock` in this path, if it is the page's: the page itself at `/`, for whoever would rather see HTML
/// than JSON, and its files.
pub(super) fn answer(path: &str, headers: &HeaderMap) -> Option<Answer> {
    if path == "/" {
        let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        return accepts.contains("text/html").then(|| sent(&FILES[0], headers));
    }
    let name = path.strip_prefix("/inspector/")?;
    FILES.iter().skip(1).find(|file| file.name == name).map(|file| sent(file, headers))
}

fn sent(file: &File, headers: &HeaderMap) -> Answer {
    let is_known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|tags| tags.to_str().ok())
        .is_some_and(|tags| tags.split(',').any(|tag| tag.trim().trim_start_matches("W/") == *TAG));
    let text = if is_known { "" } else { file.text };
    let mut answer = Answer::new(Content::Whole(Bytes::from_static(text.as_bytes())));
    if is_known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let tag = HeaderValue::from_str(&TAG).expect("hexadecimal digits in quotes are a header's value");
    let fixed: [(HeaderName, &'static str); 5] = [
        (header::CONTENT_TYPE, file.media_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // Asked for each time, and answered in a line where nothing changed: a new program has a new page at once.
        (header::CACHE_CONTROL, "no-cache"),
    ];
    let headers = answer.headers_mut();
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::ETAG, tag);
    headers.insert(header::VARY, HeaderValue::from_static("accept"));
    answer
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use rstest::rstest;

    use super::*;

    fn asked(tags: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(tags))])
    }

    #[test]
    fn every_file_of_the_page_is_in_the_program() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("inspector");
        let there: BTreeSet<String> = fs::read_dir(folder)
            .expect("the folder is in the tree")
            .map(|entry| entry.expect("it can be read"))
            .filter(|entry| entry.path().is_file())
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        let ours: BTreeSet<String> = FILES.iter().map(|file| file.name.to_owned()).collect();
        assert_eq!(ours, there);
        assert_eq!(FILES[0].name, "index.html");
    }

    #[test]
    fn what_a_file_asks_for_is_there() {
        for file in &FILES {
            let asked = file.text.split(['"', '\'']).filter_map(|word| {
                word.strip_prefix("./").or_else(|| word.strip_prefix("/_mock/inspector/"))
            });
            for name in asked {
                assert!(FILES.iter().any(|other| other.name == name), "{} asks for {name}", file.name);
            }
        }
    }

    #[rstest]
    #[case::for_a_program("/")]
    #[case::page_by_name("/inspector/index.html")]
    #[case::elsewhere("/inspector/../main.rs")]
    #[case::nothing("/inspector/")]
    #[case::unknown("/inspector/page.mjs")]
    #[case::a_call("/worlds")]
    fn what_is_no_file_of_the_page_is_not_found(#[case] path: &str) {
        assert!(answer(path, &HeaderMap::new()).is_none());
    }

    #[test]
    fn what_is_known_is_not_sent_again() {
        let html = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("text/html,*/*;q=0.8"))]);
        let first = answer("/", &html).unwrap();
        assert_eq!(first.status(), StatusCode::OK);
        let tag: &'static str = Box::leak(first.headers()[header::ETAG].to_str().unwrap().to_owned().into());
        let again = answer("/inspector/page.js", &asked(tag)).unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers()[header::CONTENT_SECURITY_POLICY], POLICY);
        let other = answer("/inspector/page.js", &asked("\"0\"")).unwrap();
        assert_eq!(other.status(), StatusCode::OK);
    }
}
