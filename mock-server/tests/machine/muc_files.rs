//! Files shared with a group or room: listed, opened by members, and let go of (rest.md A.10, B.5).

use std::collections::BTreeMap;

use mock_server::control::Control;
use mock_server::machine::rest::Method::{Delete, Get, Post};
use mock_server::machine::rest::{Body, Request, Response, file_part};
use mock_server::machine::{BlobId, Upload};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{World, json_of};

/// Alice's, with bob and carl in it; dora is outside.
fn hall(path: &str) -> World {
    let mut world = World::strict(&["alice", "bob", "carl", "dora"]);
    let (id, owner, members) =
        ("x".to_owned(), "alice".to_owned(), vec!["bob".to_owned(), "carl".to_owned()]);
    world.control(match path {
        "/chatgroups/x" => Control::Group { id, owner, members },
        _ => Control::Room { id, owner, members },
    });
    world
}

fn share(world: &mut World, path: &str, user: &str, blob: u64) -> Response {
    let path = format!("{path}/share_files");
    assert_eq!(file_part(Post, &path), Some("file"), "or the host would not keep the file");
    let upload = Upload::File {
        blob: BlobId(blob),
        name: "a.png".into(),
        media_type: "image/png".into(),
        bytes: 7,
        fields: BTreeMap::new(),
    };
    let token = world.token(user);
    world.ask(Request { upload: Some(upload), ..World::asks(Post, &path, token.as_deref()) })
}

#[rstest]
fn members_share_files_until_they_are_deleted(#[values("/chatgroups/x", "/chatrooms/x")] path: &str) {
    let mut world = hall(path);
    let answer = json_of(&share(&mut world, path, "bob", 5))["data"].clone();
    let id = answer["file_id"].as_str().expect("an id").to_owned();
    let file = format!("{path}/share_files/{id}");
    assert_eq!(
        answer,
        json!({
            "file_url": format!("http://127.0.0.1:1/org/app{file}"), "group_id": "x", "file_name": "a.png",
            "created": world.now.0, "file_id": id, "file_size": 7,
        })
    );
    let (_, listed) = world.rest(Get, &format!("{path}/share_files"), "carl", &Value::Null);
    assert_eq!(
        listed["data"],
        json!([{
            "file_id": id, "file_name": "a.png", "file_owner": "bob", "file_size": 7, "created": world.now.0,
        }])
    );
    let response = world.request(Get, &file, Some("t-carl"), "".into());
    let (media_type, name) = ("image/png".to_owned(), "a.png".to_owned());
    assert_eq!(response.body, Body::Blob { blob: BlobId(5), media_type, name });
    assert_eq!(world.request(Get, &file, Some("t-dora"), "".into()).status, 403);
    assert_eq!(
        world.rest(Delete, &file, "carl", &Value::Null).0,
        403,
        "it is neither carl's nor carl's group"
    );
    assert_eq!(world.forgotten, []);
    let (status, answer) = world.rest(Delete, &file, "bob", &Value::Null);
    assert_eq!((status, &answer["data"]), (200, &json!({ "group_id": "x", "file_id": id, "result": true })));
    assert_eq!(world.forgotten, [BlobId(5)]);
    assert_eq!(world.rest(Delete, &file, "bob", &Value::Null).0, 404);
    assert_eq!(world.request(Get, &file, Some("t-carl"), "".into()).status, 404);
}

#[test]
fn a_file_that_is_refused_is_let_go() {
    let mut world = hall("/chatgroups/x");
    assert_eq!(share(&mut world, "/chatgroups/x", "dora", 5).status, 403);
    assert_eq!(share(&mut world, "/chatgroups/y", "bob", 6).status, 404);
    assert_eq!(world.forgotten, [BlobId(5), BlobId(6)]);
}

#[test]
fn a_group_keeps_so_many_files_and_none_beyond_its_end() {
    let mut world = hall("/chatgroups/x");
    for blob in 0..100 {
        assert_eq!(share(&mut world, "/chatgroups/x", "bob", blob).status, 200);
    }
    assert_eq!(share(&mut world, "/chatgroups/x", "bob", 100).status, 403);
    assert_eq!(world.forgotten, [BlobId(100)]);
    assert_eq!(world.rest(Delete, "/chatgroups/x", "alice", &Value::Null).0, 200);
    assert_eq!(world.forgotten.len(), 101);
}
