//! `openapi.json`: it is what the types and the table of calls say, it is an OpenAPI 3.1 document, and its examples do what
//! they say on a live server. `MEND=1 cargo test -p mock-server --features schema --test openapi` writes it anew.
//!
//! `oas-3.1.schema.json` is the OpenAPI Initiative's own schema of such documents (2022-10-07, Apache-2.0), unchanged.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use jsonschema::Validator;
use mock_server::shell::{MockServer, Options, openapi};
use serde_json::{Map, Value, json};

fn text() -> String {
    serde_json::to_string_pretty(&openapi()).expect("it has only string keys") + "\n"
}

#[test]
fn the_committed_document_is_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    if std::env::var_os("MEND").is_some() {
        std::fs::write(&path, text()).expect("the package's folder can be written to");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default().replace('\r', "");
    assert!(
        committed == text(),
        "openapi.json is not what the code says; mend it: MEND=1 cargo test -p mock-server --features schema --test \
         openapi"
    );
}

#[test]
fn it_is_an_openapi_document_and_its_schemas_are_schemas() {
    let schema: Value =
        serde_json::from_str(include_str!("oas-3.1.schema.json")).expect("the schema is JSON");
    let validator = Validator::new(&schema).expect("the schema is one");
    let document = openapi();
    let faults: Vec<String> =
        validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    for (name, schema) in schemas {
        jsonschema::draft202012::meta::validate(schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let mut ids: Vec<&str> =
        operations(&document).map(|(_, _, call)| call["operationId"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let count = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), count, "an operation's id is its own");
}

/// Each call with its method and path.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().into_iter().flatten();
    paths.flat_map(|(path, calls)| {
        calls
            .as_object()
            .into_iter()
            .flatten()
            .map(move |(method, call)| (method.as_str(), path.as_str(), call))
    })
}

fn asked(addr: SocketAddr, method: &str, path: &str, body: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(addr).expect("the server listens");
    let head = format!(
        "{} {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: \
         {}\r\n\r\n{body}",
        method.to_uppercase(),
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("it answers in UTF-8");
    let (head, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
    (status, serde_json::from_str(body).unwrap_or_else(|error| panic!("{method} {path}: {error}: {body}")))
}

/// What stands at this place of the document as a schema of its own.
fn validator(document: &Value, schema: &Value) -> Validator {
    let whole = json!({ "allOf": [schema], "components": document["components"] });
    Validator::new(&whole).expect("a schema of the document is one")
}

#[test]
fn examples_do_what_they_say_and_answers_are_as_described() {
    let server =
        MockServer::start(Options { tape: true, ..Options::default() }).expect("a server on a free port");
    let document = openapi();
    let (status, served) = asked(server.addr(), "GET", "/_mock/openapi.json", "");
    assert!(status == 200 && served == document, "what is served is not what the code says");
    let users = json!([
        { "user": { "name": "alice", "password": "pw" } }, { "user": { "name": "bob", "password": "pw" } },
    ]);
    let mut answered = 0;
    for (method, path, call) in operations(&document) {
        let body = &call["requestBody"]["content"]["application/json"];
        let examples: Vec<String> = match body["examples"].as_object() {
            Some(examples) => examples.values().map(|example| example["value"].to_string()).collect(),
            // What takes a body and has no example is not tried; what takes none is, where its path names nothing else.
            None if body.is_object() => continue,
            None => vec![String::new()],
        };
        let at = path.replace("{org}", "org").replace("{app}", "app");
        let answer = &call["responses"]["200"]["content"]["application/json"]["schema"];
        if at.contains('{') || answer.is_null() {
            continue;
        }
        // It waits for a client, and there is none.
        if path.ends_with("/wait") {
            continue;
        }
        let answers = validator(&document, answer);
        let takes = body.is_object().then(|| validator(&document, &body["schema"]));
        for example in examples {
            let (status, _) = asked(server.addr(), "POST", "/_mock/org/app/world", "{}");
            assert_eq!(status, 200);
            let (status, _) = asked(server.addr(), "POST", "/_mock/org/app/control", &users.to_string());
            assert_eq!(status, 200);
            let (status, answer) = asked(server.addr(), method, &at, &example);
            assert_eq!(status, 200, "{method} {path} {example}: {answer}");
            let faults: Vec<String> = answers.iter_errors(&answer).map(|error| error.to_string()).collect();
            assert!(faults.is_empty(), "{method} {path} {example}: {faults:?} in {answer}");
            if let Some(takes) = &takes {
                let example = serde_json::from_str(&example).expect("an example is JSON");
                assert!(takes.is_valid(&example), "{method} {path}: {example} is not as described");
            }
            answered += 1;
        }
    }
    assert!(answered > 20, "only {answered} calls were tried");
}

#[test]
fn a_refusal_is_as_described() {
    let server = MockServer::start(Options::default()).expect("a server on a free port");
    let document = openapi();
    let refused = &document["components"]["responses"]["Refused"]["content"]["application/json"]["schema"];
    let refused = validator(&document, refused);
    for (method, path, body) in [
        ("GET", "/_mock/none/such/overview", ""),
        ("POST", "/_mock/org/app/control", r#"[{"remove_user":{"user":"nobody"}}]"#),
        ("POST", "/_mock/org/app/control", "{"),
        ("DELETE", "/_mock/org/app/control", ""),
    ] {
        let (status, answer) = asked(server.addr(), method, path, body);
        assert!(status >= 400, "{method} {path}: {answer}");
        assert!(refused.is_valid(&answer), "{method} {path}: {answer}");
    }
    assert!(!refused.is_valid(&Value::Object(Map::new())));
}
