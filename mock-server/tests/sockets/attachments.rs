//! Attachments over HTTP: bytes out equal bytes in, who may have them, parts of them, and what becomes of uploads
//! that are refused, broken off or reset (rest.md A.4, A.5, B.4).

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::time::Duration;

use mock_server::control::{Control, Fault, SettingsPatch};
use mock_server::shell::MockServer;
use mock_server::tape::Event;
use rstest::rstest;
use serde_json::{Value, json};

use crate::peer::{APP_KEY, Reply, connect, http, register, reply, start};

pub(crate) const BOUNDARY: &str = "----WebKitFormBoundaryabc";
const RESTRICTED: &str = "\r\nrestrict-access: true";

/// Bytes of which no two neighbourhoods are alike.
pub(crate) fn pattern(bytes: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at * 31 + at / 251) as u8).collect()
}

/// A multipart body as browsers write it.
fn form(name: &str, media_type: &str, content: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: {media_type}\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

fn head(token: &str, more: &str) -> String {
    format!(
        "POST /org/app/chatfiles HTTP/1.1\r\nAuthorization: Bearer {token}\r\nAccept: */*\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}{more}"
    )
}

/// Uploads as alice; gives the path and the secret.
pub(crate) fn upload(
    server: &MockServer,
    name: &str,
    media_type: &str,
    content: &[u8],
    more: &str,
) -> (String, String) {
    let reply = http(server.addr(), &head("t-alice", more), &form(name, media_type, content));
    let answer = reply.json();
    assert_eq!(reply.status, 200, "{answer}");
    let uri = answer["uri"].as_str().expect("3.x reads it");
    assert_eq!(uri, "http://127.0.0.1:1/org/app/chatfiles", "as the client reached the server");
    let entity = &answer["entities"][0];
    let uuid = entity["uuid"].as_str().expect("a uuid");
    let secret = entity.get("share-secret").map_or("", |secret| secret.as_str().expect("a text"));
    (format!("/org/app/chatfiles/{uuid}"), secret.to_owned())
}

pub(crate) fn get(server: &MockServer, path: &str, headers: &str) -> Reply {
    http(server.addr(), &format!("GET {path} HTTP/1.1{headers}"), b"")
}

#[rstest]
fn bytes_out_are_bytes_in(
    #[values(1, 1_000, 65_536, 65_537, 3_000_000, 10 * 1024 * 1024)] bytes: usize,
    #[values("", RESTRICTED)] restricted: &str,
) {
    let server = start();
    let content = pattern(bytes);
    let (path, secret) = upload(&server, "a b 猫.png", "image/png", &content, restricted);
    assert_eq!(secret.is_empty(), restricted.is_empty(), "a secret is for restricted files");
    let headers = format!(
        "\r\nAuthorization: Bearer t-bob\r\nshare-secret: {secret}\r\nAccept: audio/mp3\r\n\
         X-Requested-With: XMLHttpRequest\r\nOrigin: http://page.test"
    );
    let reply = get(&server, &path, &headers);
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("image/png"), "whatever Accept says");
    assert_eq!(reply.header("content-length"), Some(bytes.to_string().as_str()));
    assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
    assert_eq!(reply.header("content-disposition"), Some("inline; filename*=UTF-8''a%20b%20%E7%8C%AB.png"));
    assert!(reply.body == content);
    let by_query = get(&server, &format!("{path}?em-redirect=true&share-secret={secret}"), "");
    assert_eq!(by_query.status, 200, "as an <img> asks");
    assert!(by_query.body == content);
}

#[rstest]
#[case::restricted_header("\r\nAuthorization: Bearer t-bob\r\nshare-secret: SECRET", "", 200)]
#[case::restricted_query("", "?share-secret=SECRET", 200)]
#[case::restricted_both("\r\nAuthorization: Bearer t-bob", "?em-redirect=true&share-secret=SECRET", 200)]
#[case::thumbnail("\r\nthumbnail: true", "?em-redirect=true&share-secret=SECRET&thumbnail=true", 200)]
#[case::wrong_header("\r\nAuthorization: Bearer t-bob\r\nshare-secret: guess", "", 403)]
#[case::header_before_query(
    "\r\nAuthorization: Bearer t-bob\r\nshare-secret: SECRET",
    "?share-secret=guess",
    200
)]
#[case::wrong_query("", "?em-redirect=true&share-secret=guess", 403)]
#[case::wrong_query_with_a_token("\r\nAuthorization: Bearer t-bob", "?share-secret=guess", 403)]
#[case::no_secret("\r\nAuthorization: Bearer t-alice", "", 403)]
#[case::header_without_a_token("\r\nshare-secret: SECRET", "", 401)]
#[case::nothing("", "", 401)]
#[case::redirect_alone("", "?em-redirect=true", 401)]
#[case::empty_query("", "?em-redirect=true&share-secret=", 401)]
#[case::bad_token("\r\nAuthorization: Bearer guess\r\nshare-secret: SECRET", "", 401)]
#[case::bad_token_beside_a_query("\r\nAuthorization: Bearer guess", "?share-secret=SECRET", 401)]
#[case::a_frame_of_a_video("", "?em-redirect=true&share-secret=SECRET&vframe=true", 404)]
fn a_restricted_file_opens_by_its_secret(#[case] headers: &str, #[case] query: &str, #[case] status: u16) {
    let server = start();
    let (path, secret) = upload(&server, "a.mp4", "video/mp4", b"content", RESTRICTED);
    let path = format!("{path}{}", query.replace("SECRET", &secret));
    let reply = get(&server, &path, &headers.replace("SECRET", &secret));
    assert_eq!(reply.status, status);
    if status == 200 {
        assert_eq!(reply.body, b"content");
    } else {
        assert!(
            reply.json()["error_description"].is_string(),
            "and content type JSON, by which 3.x knows it"
        );
    }
}

#[test]
fn a_file_of_the_two_step_way_opens_by_any_token() {
    let server = start();
    register(&server, "other#app", "bob");
    let (path, secret) = upload(&server, "a.png", "image/png", b"content", "");
    assert_eq!(secret, "");
    let (_, secret) = upload(&server, "a.png", "image/png", b"content", "\r\nrestrict-access: false");
    assert_eq!(secret, "");
    assert_eq!(get(&server, &format!("{path}?em-redirect=false"), "").status, 401);
    assert_eq!(get(&server, &path, "\r\nAuthorization: Bearer t-carl").body, b"content");
    let with_nonsense = "\r\nAuthorization: Bearer t-bob\r\nshare-secret: undefined";
    assert_eq!(get(&server, &path, with_nonsense).body, b"content");
    assert_eq!(get(&server, &format!("{path}?em-redirect=true"), "").body, b"content");
    assert_eq!(get(&server, &path, "").status, 401);
    let unknown = "/org/app/chatfiles/00000000-0000-0000-0000-000000000000";
    assert_eq!(get(&server, unknown, "\r\nAuthorization: Bearer t-bob").status, 404);
    let elsewhere = path.replace("/org/", "/other/");
    assert_eq!(get(&server, &elsewhere, "\r\nAuthorization: Bearer t-bob").status, 404, "a world's own");
}

#[rstest]
#[case::json("application/json")]
#[case::json_with_a_charset("Application/JSON; charset=utf-8")]
#[case::none("")]
fn a_file_is_never_served_as_json(#[case] media_type: &str) {
    let server = start();
    let content = br#"{"error":"none"}"#;
    let body = form("a.json", media_type, content);
    let body = match media_type {
        "" => String::from_utf8(body).expect("ASCII").replace("Content-Type: \r\n", "").into_bytes(),
        _ => body,
    };
    let answer = http(server.addr(), &head("t-alice", ""), &body).json();
    let uuid = answer["entities"][0]["uuid"].as_str().expect("a uuid").to_owned();
    let reply = get(&server, &format!("/org/app/chatfiles/{uuid}"), "\r\nAuthorization: Bearer t-bob");
    assert_eq!(reply.header("content-type"), Some("application/octet-stream"));
    assert_eq!(reply.body, content);
}

#[rstest]
#[case::beginning("bytes=0-99999", 206, 0..100_000)]
#[case::across_blocks("bytes=65530-131080", 206, 65_530..131_081)]
#[case::to_the_end("bytes=150000-", 206, 150_000..200_000)]
#[case::last("bytes=-10", 206, 199_990..200_000)]
#[case::several("bytes=0-1,5-6", 200, 0..200_000)]
fn a_media_element_has_the_part_it_asks_for(
    #[case] range: &str,
    #[case] status: u16,
    #[case] expected: std::ops::Range<usize>,
) {
    let server = start();
    let content = pattern(200_000);
    let (path, secret) = upload(&server, "a.mp4", "video/mp4", &content, RESTRICTED);
    let reply = get(&server, &format!("{path}?share-secret={secret}"), &format!("\r\nRange: {range}"));
    assert_eq!((reply.status, reply.header("accept-ranges")), (status, Some("bytes")));
    let told = format!("bytes {}-{}/200000", expected.start, expected.end - 1);
    assert_eq!(reply.header("content-range"), (status == 206).then_some(told.as_str()));
    assert!(reply.body == content[expected]);
}

#[test]
fn a_part_that_is_not_there_and_a_head_alone() {
    let server = start();
    let (path, secret) = upload(&server, "a.mp3", "audio/mpeg", b"content", RESTRICTED);
    let path = format!("{path}?share-secret={secret}");
    let reply = get(&server, &path, "\r\nRange: bytes=7-");
    assert_eq!((reply.status, reply.header("content-range")), (416, Some("bytes */7")));
    assert!(reply.json()["error"].is_string());
    let mut stream = connect(server.addr());
    let ask = format!("HEAD {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    stream.write_all(ask.as_bytes()).expect("the server reads heads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(answer.to_lowercase().contains("content-length: 7"), "{answer}");
}

fn patched(patch: SettingsPatch) -> MockServer {
    let server = start();
    server.control(APP_KEY, Control::Settings(patch)).expect("good settings");
    server
}

#[rstest]
#[case::no_token(SettingsPatch::default(), "guess", pattern(2_000_000), 401, "auth_bad_access_token")]
#[case::too_large(
    SettingsPatch { attachment_bytes_max: Some(100_000), ..SettingsPatch::default() },
    "t-alice", pattern(100_001), 413, "request_entity_too_large"
)]
#[case::far_too_large(
    SettingsPatch::default(),
    "t-alice",
    pattern(25_000_000),
    413,
    "request_entity_too_large"
)]
#[case::improper(
    SettingsPatch { improper_uploads: Some(true), ..SettingsPatch::default() },
    "t-alice", pattern(100_000), 400, "content improper"
)]
#[case::empty(SettingsPatch::default(), "t-alice", Vec::new(), 400, "illegal_argument")]
fn an_upload_that_is_refused_says_why(
    #[case] patch: SettingsPatch,
    #[case] token: &str,
    #[case] content: Vec<u8>,
    #[case] status: u16,
    #[case] error: &str,
) {
    let server = patched(patch);
    let reply = http(server.addr(), &head(token, RESTRICTED), &form("a.png", "image/png", &content));
    assert_eq!((reply.status, &reply.json()["error"]), (status, &json!(error)));
    server.quiet(APP_KEY, Duration::from_secs(30)).expect("the request is answered");
    let (path, _) = upload_if_allowed(&server);
    assert!(path.is_none_or(|path| path.starts_with("/org/app/chatfiles/")), "the next one is served");
}

/// A small upload, when the world takes one.
fn upload_if_allowed(server: &MockServer) -> (Option<String>, Value) {
    let answer = http(server.addr(), &head("t-alice", ""), &form("a", "text/plain", b"x")).json();
    let uuid = answer["entities"][0]["uuid"].as_str().map(|uuid| format!("/org/app/chatfiles/{uuid}"));
    (uuid, answer)
}

#[test]
fn the_largest_attachment_is_taken_and_one_byte_more_is_not() {
    let server = patched(SettingsPatch { attachment_bytes_max: Some(70_000), ..SettingsPatch::default() });
    let status = |bytes: usize| {
        http(server.addr(), &head("t-alice", ""), &form("a", "text/plain", &pattern(bytes))).status
    };
    assert_eq!((status(70_000), status(70_001)), (200, 413));
}

#[rstest]
#[case::no_boundary("Content-Type: multipart/form-data", form("a", "text/plain", b"x"))]
#[case::other_type("Content-Type: application/json", b"{}".to_vec())]
#[case::no_type("X: y", form("a", "text/plain", b"x"))]
#[case::empty("Content-Type: multipart/form-data; boundary=b", Vec::new())]
#[case::no_end("Content-Type: multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx".to_vec())]
#[case::other_boundary("Content-Type: multipart/form-data; boundary=other", form("a", "text/plain", b"x"))]
#[case::no_file("Content-Type: multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"picture\"\r\n\r\nx\r\n--b--\r\n".to_vec())]
#[case::rubbish("Content-Type: multipart/form-data; boundary=b", pattern(100_000))]
#[case::long_name("Content-Type: multipart/form-data; boundary=----WebKitFormBoundaryabc", form(&"n".repeat(256), "text/plain", b"x"))]
fn a_body_that_is_no_upload_is_refused(#[case] content_type: &str, #[case] body: Vec<u8>) {
    let server = start();
    let head = format!("POST /org/app/chatfiles HTTP/1.1\r\nAuthorization: Bearer t-alice\r\n{content_type}");
    let reply = http(server.addr(), &head, &body);
    assert_eq!(
        (reply.status, &reply.json()["error"]),
        (400, &json!("illegal_argument")),
        "{:?}",
        reply.json()
    );
}

/// One call, one file: what else is called so is a text beside it.
#[test]
fn of_two_files_the_first_is_taken() {
    let server = start();
    let mut body = form("first", "text/plain", b"1");
    body.truncate(body.len() - format!("--{BOUNDARY}--\r\n").len());
    body.extend(form("second", "text/plain", b"22"));
    let reply = http(server.addr(), &head("t-alice", ""), &body);
    let uuid = reply.json()["entities"][0]["uuid"].as_str().expect("a uuid").to_owned();
    let path = format!("/org/app/chatfiles/{uuid}");
    assert_eq!(get(&server, &path, "\r\nAuthorization: Bearer t-bob").body, b"1");
}

#[test]
fn texts_beside_a_file_are_bounded() {
    let server = start();
    let part = |name: &str, text: &str| {
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let status = |before: String| {
        let mut body = before.into_bytes();
        body.extend(form("a", "text/plain", b"x"));
        http(server.addr(), &head("t-alice", ""), &body).status
    };
    assert_eq!(status(part("thumbnail-width", "200") + &part("thumbnail-height", "200")), 200);
    assert_eq!(status(part("long", &"x".repeat(1_025))), 400);
    assert_eq!(status(part(&"n".repeat(1_025), "x")), 400);
    let long_head = format!("--{BOUNDARY}\r\nX: {}\r\n", "x".repeat(2_000_000));
    assert_eq!(status(long_head + "Content-Disposition: form-data; name=\"x\"\r\n\r\nx\r\n"), 400);
    assert_eq!(status((0..17).map(|number| part(&number.to_string(), "x")).collect()), 400);
}

#[rstest]
#[case::file(form("a", "text/plain", b"").len() - 33)]
#[case::head_of_a_part(form("a", "text/plain", b"").len() - 35)]
fn an_endless_upload_is_answered_and_cut(#[case] keep: usize) {
    let server = start();
    let mut stream = connect(server.addr());
    let head = format!("{}\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n", head("t-alice", ""));
    stream.write_all(head.as_bytes()).expect("the server reads heads");
    let mut chunk = |bytes: &[u8]| {
        let mut whole = format!("{:x}\r\n", bytes.len()).into_bytes();
        whole.extend_from_slice(bytes);
        whole.extend_from_slice(b"\r\n");
        stream.write_all(&whole)
    };
    chunk(&form("a", "text/plain", b"")[..keep]).expect("the server reads");
    let more = pattern(1_000_000);
    // It takes 10 MiB, reads 32 MiB more at the most, and then no more; the system's buffers take some.
    let taken = (0..1_000).take_while(|_| chunk(&more).is_ok()).count();
    assert!(taken < 100, "{taken} MB");
    server.quiet(APP_KEY, Duration::from_secs(30)).expect("the request is answered");
}

#[test]
fn an_upload_that_breaks_off_leaves_the_world_quiet() {
    let server = start();
    let mut stream = connect(server.addr());
    let head = format!("{}\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n", head("t-alice", ""));
    stream.write_all(head.as_bytes()).expect("the server reads heads");
    stream.write_all(&form("a", "text/plain", &pattern(300_000))[..200_000]).expect("the server reads");
    stream.shutdown(Shutdown::Both).expect("an open stream");
    server.quiet(APP_KEY, Duration::from_secs(30)).expect("nobody waits for it");
}

#[test]
fn a_staged_fault_resets_the_next_upload_of_a_user() {
    let server = start();
    let fault = Control::Fault(Fault::ResetNextUpload { user: "alice".into() });
    server.control(APP_KEY, fault).expect("alice is there");
    let body = form("a", "text/plain", &pattern(100_000));
    assert_eq!(http(server.addr(), &head("t-bob", ""), &body).status, 200, "another user's is served");
    let mut stream = connect(server.addr());
    let whole = format!("{}\r\nHost: h\r\nContent-Length: {}\r\n\r\n", head("t-alice", ""), body.len());
    stream.write_all(whole.as_bytes()).expect("the server reads heads");
    stream.write_all(&body).expect("the server reads bodies");
    let error = stream.read(&mut [0]).expect_err("no answer, and no end");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    server.quiet(APP_KEY, Duration::from_secs(30)).expect("nobody waits for it");
    assert!(upload_if_allowed(&server).0.is_some(), "once only");
}

#[test]
fn the_tape_tells_of_files_without_their_bytes() {
    let server = start();
    let (path, secret) = upload(&server, "a.png", "image/png", &pattern(100_000), RESTRICTED);
    get(&server, &format!("{path}?share-secret={secret}"), "");
    let told: Vec<(Value, Value)> = server
        .tape(APP_KEY)
        .into_iter()
        .filter_map(|row| match row.event {
            Event::Http { body, answer, .. } => {
                let json = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or(Value::Null);
                Some((json(&body), json(&answer)))
            }
            _ => None,
        })
        .collect();
    let sent = json!({ "file": "a.png", "media_type": "image/png", "bytes": 100_000, "fields": {} });
    assert_eq!(told[0].0, sent);
    assert_eq!(told[1].1, json!({ "file": "a.png", "media_type": "image/png" }));
}

#[test]
fn a_page_elsewhere_may_upload_and_download() {
    let server = start();
    let asked = "restrict-access, share-secret, thumbnail, x-requested-with, authorization, range";
    let mut stream = connect(server.addr());
    let preflight = format!(
        "OPTIONS /org/app/chatfiles HTTP/1.1\r\nHost: h\r\nOrigin: http://page.test\r\n\
         Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: {asked}\r\n\r\n"
    );
    stream.write_all(preflight.as_bytes()).expect("the server reads heads");
    let reply = reply(&mut stream);
    assert_eq!(reply.header("access-control-allow-headers"), Some(asked));
    let exposed = reply.header("access-control-expose-headers").expect("what a page may read");
    assert!(exposed.contains("Content-Range"), "{exposed}");
}

#[test]
fn an_upload_comes_as_slowly_as_staged_by_its_worlds_clock() {
    let server = start();
    server.manual_clock(APP_KEY, mock_server::machine::Millis(4_102_444_800_000)).expect("later than now");
    let slow = |bytes_per_second, count| {
        let fault = Fault::SlowUploads { user: "alice".into(), bytes_per_second, count };
        server.control(APP_KEY, Control::Fault(fault))
    };
    assert!(slow(0, 1).is_err() && slow(1, 0).is_err(), "they would never end, or never begin");
    slow(100, 1).expect("alice is there");
    let token = Control::Token { user: "alice".into(), token: "t-slow".into(), ttl_ms: 1_000_000 };
    server.control(APP_KEY, token).expect("alice is there");
    let content = [b'x'; 1_000];
    let body = [
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n".as_slice(),
        &content,
        b"\r\n--b--\r\n",
    ]
    .concat();
    let head = "POST /org/app/chatfiles HTTP/1.1\r\nAuthorization: Bearer t-slow\r\n\
                Content-Type: multipart/form-data; boundary=b";
    let addr = server.addr();
    let upload = {
        let body = body.clone();
        std::thread::spawn(move || http(addr, head, &body).status)
    };
    // While the clock stands, the server is at rest; that the upload waits for it is told.
    let waits = "1 requests are not answered".to_owned();
    while !server.rest(APP_KEY, Duration::from_secs(30)).open.contains(&waits) {}
    server.advance(APP_KEY, 9_999);
    assert!(server.rest(APP_KEY, Duration::from_secs(30)).open.contains(&waits), "1 ms too soon");
    server.advance(APP_KEY, 1);
    assert_eq!(upload.join().expect("no panic"), 200);
    assert_eq!(http(addr, head, &body).status, 200, "the next comes as fast as it can");
}
