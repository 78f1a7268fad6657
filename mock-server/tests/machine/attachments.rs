//! Attachments without their bytes: which blobs a world keeps, and when it lets go of them.

use std::collections::BTreeMap;

use mock_server::control::{Control, Fault, SettingsPatch};
use mock_server::machine::rest::Method::Post;
use mock_server::machine::rest::{Body, Request, Response};
use mock_server::machine::{BlobId, Upload};
use rstest::rstest;

use crate::world::{World, json_of};

fn file(blob: u64, bytes: u64) -> Upload {
    let (name, media_type) = ("a.png".to_owned(), "image/png".to_owned());
    Upload::File { blob: BlobId(blob), name, media_type, bytes, fields: BTreeMap::new() }
}

fn post(world: &mut World, token: Option<&str>, upload: Upload) -> Response {
    world.ask(Request { upload: Some(upload), ..World::asks(Post, "/chatfiles", token) })
}

#[test]
fn an_attachment_that_is_taken_is_kept() {
    let mut world = World::strict(&["alice"]);
    let uuids: Vec<String> = (1..=3)
        .map(|blob| {
            let answer = json_of(&post(&mut world, Some("t-alice"), file(blob, 7)));
            answer["entities"][0]["uuid"].as_str().expect("a uuid").to_owned()
        })
        .collect();
    assert!(uuids[0] != uuids[1] && uuids[1] != uuids[2]);
    let path = format!("/chatfiles/{}", uuids[1]);
    let response = world.request(mock_server::machine::rest::Method::Get, &path, Some("t-alice"), "".into());
    let (media_type, name) = ("image/png".to_owned(), "a.png".to_owned());
    assert_eq!(response.body, Body::Blob { blob: BlobId(2), media_type, name });
    assert_eq!(world.forgotten, []);
}

#[rstest]
#[case::no_token(None, 7, SettingsPatch::default(), 401)]
#[case::unknown_token(Some("guess"), 7, SettingsPatch::default(), 401)]
#[case::empty(Some("t-alice"), 0, SettingsPatch::default(), 400)]
#[case::improper(
    Some("t-alice"), 7, SettingsPatch { improper_uploads: Some(true), ..SettingsPatch::default() }, 400
)]
#[case::too_large(
    Some("t-alice"), 7, SettingsPatch { attachment_bytes_max: Some(6), ..SettingsPatch::default() }, 413
)]
fn an_attachment_that_is_refused_is_let_go(
    #[case] token: Option<&str>,
    #[case] bytes: u64,
    #[case] patch: SettingsPatch,
    #[case] status: u16,
) {
    let mut world = World::strict(&["alice"]);
    world.patch(patch);
    let response = post(&mut world, token, file(5, bytes));
    assert_eq!(response.status, status, "{:?}", json_of(&response));
    assert_eq!(world.forgotten, [BlobId(5)]);
}

#[rstest]
#[case::too_large(Upload::TooLarge, 413, "request_entity_too_large")]
#[case::bad(Upload::Bad("no boundary".into()), 400, "illegal_argument")]
#[case::lost(Upload::Lost("disk full".into()), 500, "web_application")]
fn what_the_host_could_not_keep_is_refused(#[case] upload: Upload, #[case] status: u16, #[case] error: &str) {
    let mut world = World::strict(&["alice"]);
    let response = post(&mut world, Some("t-alice"), upload);
    assert_eq!((response.status, json_of(&response)["error"].as_str()), (status, Some(error)));
    assert_eq!(world.forgotten, []);
}

#[test]
fn a_staged_reset_takes_one_upload_of_its_user() {
    let mut world = World::strict(&["alice", "bob"]);
    world.control(Control::Fault(Fault::ResetNextUpload { user: "alice".into() }));
    assert_eq!(post(&mut world, Some("t-bob"), file(1, 7)).status, 200);
    assert_eq!(post(&mut world, Some("t-alice"), file(2, 7)).body, Body::Reset);
    assert_eq!(world.forgotten, [BlobId(2)]);
    assert_eq!(post(&mut world, Some("t-alice"), file(3, 7)).status, 200);
    let nobody = Control::Fault(Fault::ResetNextUpload { user: "nobody".into() });
    assert!(world.try_control(nobody).is_err());
}

#[test]
fn of_too_many_attachments_the_oldest_goes_with_a_warning() {
    let mut world = World::strict(&["alice"]);
    for blob in 1..=10_001 {
        assert_eq!(post(&mut world, Some("t-alice"), file(blob, 7)).status, 200);
    }
    assert_eq!(world.forgotten, [BlobId(1)]);
    assert_eq!(world.warnings.len(), 1, "{:?}", world.warnings);
}
