//! Attachments that come in parts: bytes out equal bytes in, whatever comes first (rest.md A.4.2).

use std::time::Duration;

use mock_server::control::{Control, SettingsPatch};
use mock_server::shell::MockServer;
use rstest::rstest;
use serde_json::{Value, json};

use crate::attachments::{BOUNDARY, get, pattern};
use crate::peer::{APP_KEY, Reply, http, start};

const BEGIN: &str = "/org/app/sdk/chatfiles/part-upload";

fn ask(server: &MockServer, method: &str, path: &str) -> (u16, Value) {
    let head = format!("{method} {path} HTTP/1.1\r\nAuthorization: Bearer t-alice");
    let reply = http(server.addr(), &head, b"");
    (reply.status, reply.json())
}

fn begin(server: &MockServer) -> String {
    let (_, answer) = ask(server, "POST", BEGIN);
    format!("{BEGIN}/{}", answer["entities"][0]["uuid"].as_str().expect("a uuid"))
}

/// A part as browsers write it: a piece of a file is called `blob`, and its number comes behind it.
fn put(server: &MockServer, path: &str, file_part: &str, number: usize, content: &[u8]) -> Reply {
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{file_part}\"; filename=\"blob\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(content);
    let number = format!(
        "\r\n--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"part_number\"\r\n\r\n{number}\r\n--{BOUNDARY}--\r\n"
    );
    body.extend_from_slice(number.as_bytes());
    let head = format!(
        "PUT {path} HTTP/1.1\r\nAuthorization: Bearer t-alice\r\nrestrict-access: true\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}"
    );
    http(server.addr(), &head, &body)
}

#[rstest]
#[case::as_4_x(&[5 * 1024 * 1024, 4 * 1024 * 1024])]
#[case::small_and_odd(&[1, 65_536, 65_537, 10])]
#[case::one(&[70_000])]
fn bytes_out_are_bytes_in(#[case] sizes: &[usize]) {
    let server = start();
    let content = pattern(sizes.iter().sum());
    let path = begin(&server);
    let mut end = content.len();
    for (index, size) in sizes.iter().enumerate().rev() {
        let reply = put(&server, &path, "part_file", index + 1, &content[end - size..end]);
        assert_eq!(reply.status, 200, "{}", reply.json());
        end -= size;
    }
    let query = "restrict-access=true&chat-type=CHAT&chat-target=bob&thumbnail-width=100";
    let (status, answer) = ask(&server, "POST", &format!("{path}?{query}"));
    assert_eq!((status, &answer["uri"]), (200, &json!("http://127.0.0.1:1/org/app/chatfiles")));
    let entity = &answer["entities"][0];
    let text = |key: &str| entity[key].as_str().expect("a text").to_owned();
    let file = format!("/org/app/chatfiles/{}?share-secret={}", text("uuid"), text("share-secret"));
    let reply = get(&server, &file, "");
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/octet-stream"));
    assert_eq!(reply.header("content-length"), Some(content.len().to_string().as_str()));
    assert!(reply.body == content);
    let across = sizes[0].saturating_sub(10)..(sizes[0] + 10).min(content.len());
    let range = format!("\r\nRange: bytes={}-{}", across.start, across.end - 1);
    let part = get(&server, &file, &range);
    assert!(part.status == 206 && part.body == content[across], "a part of it, across its parts");
}

#[rstest]
#[case::another_name("file", 1, 400)]
#[case::number_0("part_file", 0, 400)]
#[case::too_large("part_file", 2, 413)]
fn a_part_that_is_refused_leaves_the_rest(
    #[case] file_part: &str,
    #[case] number: usize,
    #[case] status: u16,
) {
    let server = start();
    let patch = SettingsPatch { attachment_bytes_max: Some(150_000), ..SettingsPatch::default() };
    server.control(APP_KEY, Control::Settings(patch)).expect("good settings");
    let path = begin(&server);
    let content = pattern(100_000);
    assert_eq!(put(&server, &path, "part_file", 1, &content).status, 200);
    let reply = put(&server, &path, file_part, number, &content);
    assert_eq!(reply.status, status, "{}", reply.json());
    server.quiet(APP_KEY, Duration::from_secs(30)).expect("the request is answered");
    let (_, answer) = ask(&server, "POST", &path);
    let uuid = answer["entities"][0]["uuid"].as_str().expect("a uuid");
    let file = get(&server, &format!("/org/app/chatfiles/{uuid}"), "\r\nAuthorization: Bearer t-bob");
    assert!(file.body == content);
}

#[test]
fn an_upload_that_is_given_up_is_gone() {
    let server = start();
    let path = begin(&server);
    assert_eq!(put(&server, &path, "part_file", 1, b"content").status, 200);
    assert_eq!(ask(&server, "DELETE", &path).0, 200);
    for method in ["POST", "DELETE"] {
        assert_eq!(ask(&server, method, &path).0, 404);
    }
    assert_eq!(put(&server, &path, "part_file", 2, b"content").status, 404);
}
