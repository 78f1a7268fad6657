//! `GET /_mock/`: who answers, and what may be asked here, for programs and for people.

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use serde_json::json;

use super::told;
use crate::control_api::{CONTROL_PROTOCOL, Hello, PAGE_ROWS_MAX, TAPE_ROWS_MAX, WITHIN_MS_MAX};
use crate::shell::content::{Answer, Content};
use crate::shell::worlds::Worlds;

const PAGE: &str = include_str!("../control.html");

pub(super) fn answer(worlds: &Worlds, headers: &HeaderMap) -> Answer {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/html") {
        let mut answer = Answer::new(Content::Whole(Bytes::from_static(PAGE.as_bytes())));
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        answer.headers_mut().insert(header::CONTENT_TYPE, html);
        return answer;
    }
    let hello = Hello {
        name: env!("CARGO_PKG_NAME").to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        control_protocol: CONTROL_PROTOCOL,
        strict: worlds.is_strict(),
    };
    let mut index = json!({
        "POST /_mock/{org}/{app}/world": {
            "does": "an empty world in the place of the one that may be there, without the rules and groups of the \
                     server's flags",
            "example": [
                { "settings": { "strict": true }, "clock_ms": 1_640_908_800_000_u64, "tape_rows_max": 200_000 },
                {},
            ],
            "tape_rows_max": TAPE_ROWS_MAX,
        },
        "DELETE /_mock/{org}/{app}/world": { "does": "forgets the world and closes its connections" },
        "POST /_mock/{org}/{app}/control": {
            "does": "one command, or an array of them, to the world of that app key; made if it is new",
            "example": [
                { "user": { "name": "alice", "password": "pw" } },
                { "user": { "name": "bob", "password": "pw" } },
                { "group": { "id": "g1", "owner": "alice", "members": ["bob"] } },
                { "settings": { "recall_window_ms": 1000 } },
                { "fault": { "cut": { "user": "alice" } } },
            ],
        },
        "POST /_mock/{org}/{app}/clock": {
            "does": "moves that world's clock, or stops it at a moment",
            "example": [{ "advance_ms": 120_000 }, { "set_ms": 1_640_908_800_000_u64 }],
        },
        "GET /_mock/{org}/{app}/clock": { "does": "what time it is there" },
        "POST /_mock/{org}/{app}/tape": {
            "does": "keeps a tape of that world from now on: every frame and request",
            "example": [{ "rows_max": 200_000 }],
            "rows_max": TAPE_ROWS_MAX,
        },
        "GET /_mock/{org}/{app}/tape": {
            "does": "a part of the tape, from row `from` on, at most `rows` of them; bytes are in base64",
            "example": ["?from=0&rows=100"],
            "rows": PAGE_ROWS_MAX,
        },
        "GET /_mock/{org}/{app}/quiet": {
            "does": "waits until every queue is pulled and acknowledged and no request is open",
            "example": ["?within_ms=1000"],
            "within_ms": WITHIN_MS_MAX,
        },
        "GET /_mock/{org}/{app}/rest": {
            "does": "waits until the server itself has nothing left to do there, whatever clients owe",
            "example": ["?within_ms=1000"],
            "within_ms": WITHIN_MS_MAX,
        },
        "GET /_mock/{org}/{app}/findings": { "does": "what clients did wrong that the server forgave" },
        "GET /_mock/{org}/{app}/journal": {
            "does": "all that the world was given since it was made, for another to be brought to the same state",
        },
        "headers": "with POST, Content-Type: application/json; no Origin",
    });
    let who = serde_json::to_value(hello).expect("it has only string keys");
    for (name, value) in who.as_object().into_iter().flatten() {
        index[name] = value.clone();
    }
    told(200, &index)
}
