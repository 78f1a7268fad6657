//! Calls of 4.x whose answer is all there is of them: translation, reports, devices, calls (rest.md A.11, clauses
//! v4.translate, v4.report).

use fixtures::wire::USER_DOMAIN;
use fixtures::wire::message_body::Type;
use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::rest::Method::{Get, Post};
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::{World, jid};

fn translate(world: &mut World, text: &str, to: &[&str]) -> (u16, Value) {
    let body = json!({ "text": text, "to": to });
    let (status, answer) = world.rest(Post, "/users/alice/translate", "alice", &body);
    (status, if status == 200 { answer["data"].clone() } else { answer["error_description"].clone() })
}

#[test]
fn a_translation_names_text_and_language() {
    let mut world = World::strict(&["alice"]);
    let (status, data) = translate(&mut world, "hi", &["zh-Hans", "de"]);
    assert_eq!(status, 200);
    let expected = json!([{ "text": "[zh-Hans] hi", "to": "zh-Hans" }, { "text": "[de] hi", "to": "de" }]);
    assert_eq!(data[0]["translations"], expected);
    let (_, answer) = world.rest(Get, "/users/alice/translate/support/language", "alice", &Value::Null);
    let languages = answer["data"].as_array().expect("a list");
    for language in languages {
        let code = language["code"].as_str().expect("a code");
        assert_eq!(translate(&mut world, "hi", &[code]).0, 200, "{code}");
        assert!(language["name"].is_string() && language["nativeName"].is_string());
    }
}

#[rstest]
#[case::too_long(&"ö".repeat(5_001), &["de"], 400, "The input text is too long.")]
#[case::unknown("hi", &["de", "tlh"], 400, "The target language is not valid.")]
#[case::none("hi", &[], 400, "The target language is not valid.")]
fn what_is_not_translated(#[case] text: &str, #[case] to: &[&str], #[case] status: u16, #[case] words: &str) {
    let mut world = World::strict(&["alice"]);
    assert_eq!(translate(&mut world, text, to), (status, json!(words)));
    assert_eq!(translate(&mut world, &"ö".repeat(5_000), &["de"]).0, 200);
    world.patch(SettingsPatch { translation: Some(false), ..SettingsPatch::default() });
    assert_eq!(translate(&mut world, "hi", &["de"]), (403, json!("service not open!")));
}

fn report(world: &mut World, user: &str, id: &str, reason: &str) -> (u16, Value) {
    let body = json!({ "username": user, "reportType": "adult", "reportReason": reason });
    let path = format!("/user/{user}/moderation/report/message/{id}");
    let (status, answer) = world.rest(Post, &path, user, &body);
    (status, answer["error_description"].clone())
}

#[test]
fn whoever_runs_the_server_is_told_of_a_report_once() {
    let mut world = World::strict(&["alice", "bob", "carl"]);
    let alice = world.connect("alice", "web");
    let id = world.text(alice, "bob", "hi").to_string();
    assert_eq!(report(&mut world, "bob", &id, "rude").0, 200);
    let line = format!("org#app: bob reports message {id} as adult: rude");
    assert_eq!(world.warnings, std::slice::from_ref(&line));
    assert_eq!(report(&mut world, "bob", &id, "rude").0, 200);
    assert_eq!(world.warnings, [line], "the same again");
    let unknown = (400, json!("report failed, get message by id failed"));
    for (user, id) in [("bob", "1"), ("bob", "x"), ("carl", id.as_str())] {
        assert_eq!(report(&mut world, user, id, "rude"), unknown);
    }
    assert_eq!(report(&mut world, "bob", &id, &"r".repeat(513)).0, 400);
    world.patch(SettingsPatch { reports: Some(false), ..SettingsPatch::default() });
    assert_eq!(report(&mut world, "bob", &id, "ruder"), (403, json!("message report not open")));
    assert_eq!(world.warnings.len(), 1);
}

#[test]
fn who_has_the_name_of_somebody_removed_neither_sees_nor_takes_back_what_that_one_wrote() {
    let mut world = World::strict(&["alice", "bob"]);
    let alice = world.connect("alice", "web");
    let id = world.text(alice, "bob", "hi");
    assert_eq!(report(&mut world, "alice", &id.to_string(), "rude").0, 200);
    world.control(Control::RemoveUser { user: "alice".into() });
    world.register("alice");
    let alice = world.connect("alice", "web");
    assert_eq!(report(&mut world, "alice", &id.to_string(), "rude").0, 400);
    let to = jid("bob", USER_DOMAIN);
    assert_eq!(world.note(alice, Type::Recall, to, id), (1, "message not found".to_owned()));
    let id = world.text(alice, "bob", "hi again").to_string();
    assert_eq!(report(&mut world, "alice", &id, "rude").0, 200);
    assert_eq!(world.warnings.len(), 2);
}

#[test]
fn a_user_sees_the_devices_that_are_there() {
    let mut world = World::strict(&["alice"]);
    let path = "/users/alice/resources";
    assert_eq!(world.rest(Get, path, "alice", &Value::Null).1["data"], json!([]));
    let web = world.connect("alice", "web");
    world.connect("alice", "phone");
    let (_, answer) = world.rest(Get, path, "alice", &Value::Null);
    assert_eq!(answer["data"], json!([{ "res": "web" }, { "res": "phone" }]));
    world.hang_up(web);
    assert_eq!(world.rest(Get, path, "alice", &Value::Null).1["data"], json!([{ "res": "phone" }]));
}

#[test]
fn a_number_in_a_call_is_one_users() {
    let mut world = World::strict(&["alice", "bob"]);
    let number = |world: &mut World, user: &str| {
        let path = format!("/users/{user}/token/rtc?channelName=c%201");
        let (status, answer) = world.rest(Get, &path, user, &Value::Null);
        assert_eq!((status, &answer["channel_name"]), (200, &json!("c 1")));
        assert!(answer["rtc_token"].is_string() && answer["app_id"].is_string());
        assert_eq!(answer["expires_in"], 5_184_000);
        answer["rtcUid"].as_u64().expect("a number")
    };
    let [alice, bob] = ["alice", "bob"].map(|user| number(&mut world, user));
    assert_ne!(alice, bob);
    world.control(Control::RemoveUser { user: "bob".into() });
    let body = json!({ "data": [alice, bob, 0, 99] });
    let (_, answer) = world.rest(Post, "/rtc_mapper/batch/get", "alice", &body);
    assert_eq!(answer["data"], json!({ alice.to_string(): "alice" }));
}
