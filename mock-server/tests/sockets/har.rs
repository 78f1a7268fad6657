//! `GET …/har`: whatever went over HTTP, as others read it.
//!
//! `har-schema.json` holds the files of har-schema 2.0.0 (https://github.com/ahmadnassri/har-schema, ISC) under their
//! names, unchanged, and its licence.

use std::io::{Read as _, Write as _};

use mock_server::control::{Control, Fault};
use mock_server::shell::MockServer;
use serde_json::{Value, json};

use crate::peer::{APP_KEY, connect, http, start};

/// The schema of `name`, with those that it refers to in their places; a schema within has no name of its own.
fn schema(files: &Value, name: &str) -> Value {
    let mut schema = files[name].clone();
    assert!(schema.is_object(), "{name}");
    place(files, &mut schema);
    schema
}

fn place(files: &Value, schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if let Some(name) = fields.get("$ref").and_then(Value::as_str) {
                *schema = self::schema(files, name.trim_end_matches('#'));
                return;
            }
            fields.remove("$id");
            fields.values_mut().for_each(|value| place(files, value));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| place(files, item)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn faults(har: &Value) -> Vec<String> {
    let files: Value = serde_json::from_str(include_str!("har-schema.json")).expect("JSON");
    let validator = jsonschema::validator_for(&schema(&files, "har.json")).expect("a schema");
    validator.iter_errors(har).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// A world with everything in it that a request or an answer may be.
fn everything(server: &MockServer) {
    let request = |head: &str, body: &[u8]| http(server.addr(), head, body).status;
    let head = "\r\nAuthorization: Bearer t-alice";
    let grant = br#"{"grant_type":"password","username":"alice","password":"pw"}"#;
    assert_eq!(request("POST /org/app/token HTTP/1.1", grant), 200);
    assert_eq!(
        request(&format!("GET /org/app/publicchatgroups?limit=2&cursor=a%20b HTTP/1.1{head}"), b""),
        200
    );
    let form = format!(
        "PUT /org/app/metadata/user/alice HTTP/1.1{head}\r\nContent-Type: application/x-www-form-urlencoded"
    );
    assert_eq!(request(&form, b"nickname=Al+ice&phone=1"), 200);
    let file = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n\
                \x01\x02\r\n--b--\r\n";
    let upload =
        format!("POST /org/app/chatfiles HTTP/1.1{head}\r\nContent-Type: multipart/form-data; boundary=b");
    let uploaded = http(server.addr(), &upload, file.as_bytes());
    let uuid = uploaded.json()["entities"][0]["uuid"].as_str().expect("it is kept").to_owned();
    assert_eq!(request(&format!("GET /org/app/chatfiles/{uuid} HTTP/1.1{head}"), b""), 200);
    let rules = ["on next GET /busy: answer http 503 \"busy\"", "on next GET /gone: reset"];
    for rule in rules {
        let rule = rule.parse().expect("a rule");
        server.control(APP_KEY, Control::Fault(Fault::Rule(Box::new(rule)))).expect("it makes sense");
    }
    assert_eq!(request(&format!("GET /org/app/busy HTTP/1.1{head}"), b""), 503);
    let mut stream = connect(server.addr());
    stream.write_all(b"GET /org/app/gone HTTP/1.1\r\nHost: h\r\n\r\n").expect("the server reads heads");
    assert_ne!(stream.read(&mut [0]).ok(), Some(1), "not a byte");
}

#[test]
fn it_is_a_har_by_the_published_schema() {
    let server = start();
    everything(&server);
    let har = http(server.addr(), "GET /_mock/org/app/har HTTP/1.1", b"").json();
    assert_eq!(faults(&har), [""; 0], "{har}");
    let entries = har["log"]["entries"].as_array().expect("entries");
    let told: Vec<Value> = entries
        .iter()
        .map(|entry| {
            let (request, response) = (&entry["request"], &entry["response"]);
            json!([
                request["method"],
                request["postData"]["mimeType"],
                response["status"],
                response["statusText"],
                response["content"]["mimeType"],
                response["bodySize"].as_i64().is_some_and(|bytes| bytes > 0),
            ])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!(["POST", "application/json", 200, "OK", "application/json", true]),
            json!(["GET", null, 200, "OK", "application/json", true]),
            json!(["PUT", "application/x-www-form-urlencoded", 200, "OK", "application/json", true]),
            json!(["POST", "multipart/form-data", 200, "OK", "application/json", true]),
            json!(["GET", null, 200, "OK", "image/png", false]),
            json!(["GET", null, 503, "Service Unavailable", "text/plain; charset=utf-8", true]),
            json!(["GET", null, 0, "", "x-unknown", false]),
        ]
    );
    assert_eq!(entries[1]["request"]["queryString"][1], json!({ "name": "cursor", "value": "a b" }));
    assert_eq!(
        entries[2]["request"]["postData"]["params"],
        json!([{ "name": "nickname", "value": "Al ice" }, { "name": "phone", "value": "1" }])
    );
    assert_eq!(entries[3]["request"]["postData"]["params"][0]["fileName"], "a.png");
    assert_eq!(entries[5]["response"]["content"]["text"], "busy");
}

#[test]
fn the_schema_sees_what_is_missing() {
    let server = start();
    everything(&server);
    let mut har = http(server.addr(), "GET /_mock/org/app/har HTTP/1.1", b"").json();
    har["log"]["entries"][0]["request"]["headersSize"] = Value::Null;
    assert_eq!(faults(&har).len(), 1);
}
