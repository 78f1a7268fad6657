//! Bodies that are too large, have no end or are no upload, on every route of the API.

use std::io::Write as _;

use mock_server::machine::rest::Method;
use mock_server::shell::MockServer;
use rstest::rstest;
use serde_json::json;

use crate::peer::{Reply, connect, http, start};
use crate::routes::{Row, Takes, Who, rows};

fn ask(server: &MockServer, row: &Row, headers: &str, body: &[u8]) -> Reply {
    let (method, path) = (row.method.word().to_uppercase(), row.path());
    // Nobody's token matters yet: none is looked at before the body has come.
    let name = if let Who::User(name) = row.who { name } else { "nobody" };
    let head = format!("{method} /org/app{path} HTTP/1.1\r\nAuthorization: Bearer t-{name}{headers}");
    http(server.addr(), &head, body)
}

/// Groups and rooms of the server's world, as a stranger sees them.
fn shown(server: &MockServer) -> Vec<Vec<u8>> {
    let look = |path: &str| {
        let head = format!("GET /org/app{path} HTTP/1.1\r\nAuthorization: Bearer t-alice");
        let mut answer = http(server.addr(), &head, b"").json();
        answer["timestamp"] = 0.into();
        answer.to_string().into_bytes()
    };
    ["/publicchatgroups", "/chatrooms", "/users/alice/joined_chatgroups", "/users/alice/blocks/users"]
        .map(look)
        .to_vec()
}

#[test]
fn no_route_takes_a_body_of_more_than_a_mebibyte() {
    let server = start();
    let before = shown(&server);
    let body = vec![b' '; 1024 * 1024 + 1];
    for row in rows().iter().filter(|row| row.takes != Takes::File) {
        let reply = ask(&server, row, "", &body);
        let answer = reply.json();
        assert_eq!((reply.status, &answer["error"]), (413, &json!("request_entity_too_large")), "{row:?}");
    }
    assert_eq!(shown(&server), before);
}

#[rstest]
#[case::get(Method::Get)]
#[case::post(Method::Post)]
#[case::put(Method::Put)]
#[case::delete(Method::Delete)]
fn a_body_without_an_end_is_cut(#[case] method: Method) {
    let server = start();
    let mut stream = connect(server.addr());
    let head = format!(
        "{} /org/app/chatgroups HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer t-alice\r\n\
         Transfer-Encoding: chunked\r\n\r\n",
        method.word().to_uppercase()
    );
    stream.write_all(head.as_bytes()).expect("the server reads heads");
    let mut chunk = b"f4240\r\n".to_vec();
    chunk.extend(vec![b' '; 1_000_000]);
    chunk.extend(b"\r\n");
    // It reads 32 MiB, and no more; the system's buffers take some.
    let taken = (0..1_000).take_while(|_| stream.write_all(&chunk).is_ok()).count();
    assert!((32..100).contains(&taken), "{taken} MB");
    assert_eq!(server.quiet("org#app", std::time::Duration::from_secs(30)).map(|_| ()), Ok(()));
}

#[rstest]
#[case::other_type("\r\nContent-Type: application/json", b"{}".to_vec())]
#[case::no_type("", b"x".to_vec())]
#[case::no_boundary("\r\nContent-Type: multipart/form-data", b"--b--".to_vec())]
#[case::empty("\r\nContent-Type: multipart/form-data; boundary=b", Vec::new())]
#[case::no_end("\r\nContent-Type: multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx".to_vec())]
#[case::no_file("\r\nContent-Type: multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\nx\r\n--b--\r\n".to_vec())]
fn no_upload_takes_a_body_that_is_none(#[case] headers: &str, #[case] body: Vec<u8>) {
    let server = start();
    let uploads: Vec<Row> = rows().into_iter().filter(|row| row.takes == Takes::File).collect();
    assert!(!uploads.is_empty());
    for row in uploads {
        let reply = ask(&server, &row, headers, &body);
        assert!(matches!(reply.status, 400 | 404), "{row:?} {:?}", reply.json());
        assert!(reply.json()["error_description"].is_string());
    }
}
