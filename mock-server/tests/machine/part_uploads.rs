//! Uploads in parts without their bytes: which blobs become one file, and which are let go of (rest.md A.4.2).

use std::collections::BTreeMap;

use mock_server::control::{Control, Fault, SettingsPatch};
use mock_server::machine::rest::Method::{Delete, Get, Post, Put};
use mock_server::machine::rest::{Body, Request, Response, file_part};
use mock_server::machine::{BlobId, Upload};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{APP, World, json_of};

const BEGIN: &str = "/sdk/chatfiles/part-upload";
/// As the machine says in its part_upload.rs.
const OPEN_OF_CALLER_MAX: usize = 16;
const OPEN_MAX: usize = 1_000;
const ABANDONED_AFTER_MS: u64 = 60 * 60 * 1000;

fn world() -> World {
    World::strict(&["alice", "bob"])
}

fn begin(world: &mut World, user: &str) -> String {
    let (status, answer) = world.rest(Post, BEGIN, user, &Value::Null);
    assert_eq!(status, 200, "{answer}");
    format!("{BEGIN}/{}", answer["entities"][0]["uuid"].as_str().expect("a uuid"))
}

/// A part of so many bytes, which the host keeps as this blob.
fn put_sized(world: &mut World, user: &str, path: &str, number: &str, blob: u64, bytes: u64) -> Response {
    assert_eq!(file_part(Put, path), Some("part_file"), "or the host would not keep it");
    let (name, media_type) = (format!("blob-{blob}"), "video/mp4".to_owned());
    let fields = BTreeMap::from([("part_number".to_owned(), number.to_owned())]);
    let upload = Upload::File { blob: BlobId(blob), name, media_type, bytes, fields };
    let token = world.token(user);
    world.ask(Request { upload: Some(upload), ..World::asks(Put, path, token.as_deref()) })
}

fn put(world: &mut World, path: &str, number: u32, blob: u64) {
    let answer = put_sized(world, "alice", path, &number.to_string(), blob, 7);
    assert_eq!(answer.status, 200, "{}", json_of(&answer));
}

fn complete(world: &mut World, path: &str) -> (u16, Value) {
    world.rest(
        Post,
        &format!("{path}?restrict-access=true&chat-type=CHAT&chat-target=bob"),
        "alice",
        &Value::Null,
    )
}

fn refusal(answer: &Value) -> &str {
    answer["error_description"].as_str().expect("a text")
}

#[test]
fn an_upload_says_how_large_parts_and_file_may_be() {
    let mut world = world();
    let (_, answer) = world.rest(Post, BEGIN, "alice", &Value::Null);
    let entity = &answer["entities"][0];
    assert_eq!(
        (&entity["file_upper_limit"], &entity["part_lower_limit"]),
        (&json!(10_485_760), &json!(5_242_880))
    );
    assert_ne!(begin(&mut world, "alice"), begin(&mut world, "alice"));
}

#[rstest]
#[case::in_order(&[1, 2, 3], &[[11, 12, 13]])]
#[case::last_first(&[3, 2, 1], &[[13, 12, 11]])]
#[case::mixed(&[2, 3, 1], &[[13, 11, 12]])]
fn parts_are_one_file_in_the_order_of_their_numbers(#[case] numbers: &[u32], #[case] joined: &[[u64; 3]]) {
    let mut world = world();
    let path = begin(&mut world, "alice");
    for (blob, number) in (11..).zip(numbers) {
        put(&mut world, &path, *number, blob);
    }
    let (status, answer) = complete(&mut world, &path);
    assert_eq!((status, &answer["uri"]), (200, &json!("http://127.0.0.1:1/org/app/chatfiles")));
    let joined: Vec<Vec<BlobId>> = joined.iter().map(|parts| parts.map(BlobId).to_vec()).collect();
    assert_eq!((&world.joined, &world.forgotten), (&joined, &Vec::new()));
    let entity = &answer["entities"][0];
    let (uuid, secret) =
        (entity["uuid"].as_str().expect("one"), entity["share-secret"].as_str().expect("one"));
    let file = format!("/chatfiles/{uuid}?share-secret={secret}");
    let blob = joined[0][0];
    let (media_type, name) = ("video/mp4".to_owned(), format!("blob-{}", blob.0));
    assert_eq!(world.request(Get, &file, None, "".into()).body, Body::Blob { blob, media_type, name });
    assert_eq!(world.request(Get, &format!("/chatfiles/{uuid}"), None, "".into()).status, 401);
}

#[test]
fn a_file_of_one_part_is_that_part_and_without_restrict_access_it_has_no_secret() {
    let mut world = world();
    let path = begin(&mut world, "alice");
    put(&mut world, &path, 1, 5);
    let (status, answer) = world.rest(Post, &path, "alice", &Value::Null);
    assert_eq!((status, answer["entities"][0].get("share-secret")), (200, None));
    assert_eq!((&world.joined, &world.forgotten), (&Vec::new(), &Vec::new()));
}

#[test]
fn of_a_part_that_comes_twice_the_last_one_counts() {
    let mut world = world();
    world.patch(SettingsPatch { attachment_bytes_max: Some(14), ..SettingsPatch::default() });
    let path = begin(&mut world, "alice");
    put(&mut world, &path, 1, 5);
    put(&mut world, &path, 2, 6);
    put(&mut world, &path, 1, 7);
    assert_eq!(world.forgotten, [BlobId(5)]);
    assert_eq!(complete(&mut world, &path).0, 200);
    assert_eq!(world.joined, [[BlobId(7), BlobId(6)]]);
}

#[test]
fn with_a_part_missing_it_may_still_come() {
    let mut world = world();
    let path = begin(&mut world, "alice");
    let (status, answer) = complete(&mut world, &path);
    assert_eq!((status, refusal(&answer)), (400, "no part of this upload has come"));
    put(&mut world, &path, 3, 13);
    for (missing, blob) in [(1, 11), (2, 12)] {
        let (status, answer) = complete(&mut world, &path);
        let why = format!("part {missing} has not come; upload it, and complete the upload then");
        assert_eq!((status, refusal(&answer)), (400, why.as_str()));
        put(&mut world, &path, missing, blob);
    }
    assert_eq!(complete(&mut world, &path).0, 200);
    assert_eq!(world.joined, [[11, 12, 13].map(BlobId)]);
    assert_eq!(world.forgotten, []);
}

/// Alice's upload is open with part 1 of 7 bytes, of 10 that an attachment may have.
#[rstest]
#[case::no_number("alice", "", 1, 400)]
#[case::no_digits("alice", "one", 1, 400)]
#[case::number_0("alice", "0", 1, 400)]
#[case::number_too_high("alice", "257", 1, 400)]
#[case::endless_number("alice", "99999999999999999999", 1, 400)]
#[case::empty("alice", "2", 0, 400)]
#[case::too_large_together("alice", "2", 4, 413)]
#[case::too_large_alone("alice", "1", 11, 413)]
#[case::as_large_as_can_be("alice", "2", u64::MAX, 413)]
#[case::another_users("bob", "2", 1, 403)]
#[case::the_apps(APP, "2", 1, 403)]
fn a_part_that_is_refused_is_let_go_and_the_others_stay(
    #[case] user: &str,
    #[case] number: &str,
    #[case] bytes: u64,
    #[case] status: u16,
) {
    let mut world = world();
    world.patch(SettingsPatch { attachment_bytes_max: Some(10), ..SettingsPatch::default() });
    let path = begin(&mut world, "alice");
    put(&mut world, &path, 1, 5);
    let answer = put_sized(&mut world, user, &path, number, 6, bytes);
    assert_eq!(answer.status, status, "{}", json_of(&answer));
    assert_eq!(world.forgotten, [BlobId(6)]);
    assert_eq!(put_sized(&mut world, "alice", &path, "256", 7, 3).status, 200, "what fits is taken");
    assert_eq!(complete(&mut world, &path).0, 400, "part 2 is missing, and no other one");
    assert_eq!(put_sized(&mut world, "alice", &path, "2", 8, 0).status, 400);
}

#[test]
fn improper_parts_are_refused_by_the_word_that_sdks_know() {
    let mut world = world();
    let path = begin(&mut world, "alice");
    world.patch(SettingsPatch { improper_uploads: Some(true), ..SettingsPatch::default() });
    let answer = put_sized(&mut world, "alice", &path, "1", 5, 7);
    assert_eq!((answer.status, &json_of(&answer)["error"]), (400, &json!("content improper")));
    assert_eq!(world.forgotten, [BlobId(5)]);
}

#[test]
fn a_staged_reset_takes_one_part_of_its_user() {
    let mut world = world();
    let path = begin(&mut world, "alice");
    world.control(Control::Fault(Fault::ResetNextUpload { user: "alice".into() }));
    assert_eq!(put_sized(&mut world, "alice", &path, "1", 5, 7).body, Body::Reset);
    assert_eq!(world.forgotten, [BlobId(5)]);
    put(&mut world, &path, 1, 6);
}

/// What ends an upload, and what is said of it afterwards.
#[rstest]
#[case::given_up(Delete, 404, "never begun, given up, or abandoned")]
#[case::complete(Post, 400, "this upload is complete, and its file lies at /chatfiles/")]
fn what_has_ended_takes_nothing_more(
    #[case] by: mock_server::machine::rest::Method,
    #[case] status: u16,
    #[case] words: &str,
) {
    let mut world = world();
    let path = begin(&mut world, "alice");
    put(&mut world, &path, 1, 5);
    put(&mut world, &path, 2, 6);
    for user in ["bob", APP] {
        assert_eq!(world.rest(by, &path, user, &Value::Null).0, 403, "it is not {user}'s");
    }
    assert_eq!(world.rest(by, &path, "alice", &Value::Null).0, 200);
    let gone = if by == Delete { vec![BlobId(5), BlobId(6)] } else { Vec::new() };
    assert_eq!(world.forgotten, gone);
    for method in [Post, Delete] {
        let (after, answer) = world.rest(method, &path, "alice", &Value::Null);
        assert_eq!(after, status);
        assert!(refusal(&answer).contains(words), "{answer}");
    }
    assert_eq!(put_sized(&mut world, "alice", &path, "3", 7, 7).status, status);
    assert_eq!(world.forgotten, [gone, vec![BlobId(7)]].concat());
}

#[test]
fn an_abandoned_upload_is_given_up_after_an_hour_without_a_part() {
    let mut world = world();
    let path = begin(&mut world, "alice");
    world.now.0 += ABANDONED_AFTER_MS - 1;
    put(&mut world, &path, 1, 5);
    world.now.0 += ABANDONED_AFTER_MS - 1;
    put(&mut world, &path, 2, 6);
    world.now.0 += ABANDONED_AFTER_MS;
    assert_eq!(put_sized(&mut world, "alice", &path, "3", 7, 7).status, 404);
    assert_eq!(complete(&mut world, &path).0, 404);
    // Anybody's next one makes its room free.
    begin(&mut world, "bob");
    assert_eq!(world.forgotten, [7, 5, 6].map(BlobId));
}

#[test]
fn a_user_has_so_many_open_and_no_more() {
    let mut world = world();
    let paths: Vec<String> = (0..OPEN_OF_CALLER_MAX).map(|_| begin(&mut world, "alice")).collect();
    let (status, answer) = world.rest(Post, BEGIN, "alice", &Value::Null);
    assert_eq!(status, 429, "{answer}");
    begin(&mut world, "bob");
    begin(&mut world, APP);
    assert_eq!(world.rest(Delete, &paths[3], "alice", &Value::Null).0, 200);
    put(&mut world, &paths[0], 1, 5);
    assert_eq!(complete(&mut world, &paths[0]).0, 200);
    begin(&mut world, "alice");
    begin(&mut world, "alice");
    assert_eq!(world.rest(Post, BEGIN, "alice", &Value::Null).0, 429);
}

#[test]
fn of_too_many_in_a_world_the_oldest_goes_with_a_warning() {
    let mut world = world();
    let path = begin(&mut world, "alice");
    put(&mut world, &path, 1, 5);
    for user in 0..OPEN_MAX.div_ceil(OPEN_OF_CALLER_MAX) {
        world.register(&format!("user{user}"));
    }
    for number in 1..OPEN_MAX {
        begin(&mut world, &format!("user{}", number / OPEN_OF_CALLER_MAX));
    }
    assert_eq!((&world.forgotten, world.warnings.len()), (&Vec::new(), 0));
    begin(&mut world, "bob");
    assert_eq!((&world.forgotten, world.warnings.len()), (&vec![BlobId(5)], 1));
}

#[test]
fn what_a_removed_user_had_open_goes_with_it() {
    let mut world = world();
    let path = begin(&mut world, "alice");
    put(&mut world, &path, 1, 5);
    let bobs = begin(&mut world, "bob");
    world.control(Control::RemoveUser { user: "alice".into() });
    assert_eq!(world.forgotten, [BlobId(5)]);
    world.register("alice");
    assert_eq!(complete(&mut world, &path).0, 404, "the name's next owner has nothing of it");
    assert_eq!(put_sized(&mut world, "bob", &bobs, "1", 6, 7).status, 200);
}
