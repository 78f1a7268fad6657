//! Refusals in the numbers of 4.x: of what goes up the socket (wire-4x §5.3), and of calls over HTTP (rest.md 0.11).

use client_core::{Chat, Content, Event, Failure, Listed, Message};
use rstest::rstest;

use crate::stage::{Stage, answer, only};

#[rstest]
#[case::stranger(1, "nonroster", 221, "not contact")]
#[case::group_disabled(1, "group is disabled", 608, "group is disabled")]
#[case::directed(1, "limit directed users", 50, "limit directed users")]
#[case::edits(1, "Sorry, edit limit reached", 50, "Modify message limit reached")]
#[case::edit_of_nothing(1, "Sorry, message does not exist", 1302, "The message does not exist.")]
#[case::edit_of_another(
    1,
    "Sorry, You do not have permission",
    603,
    "You do not have the modified permission."
)]
#[case::edit_format(1, "Sorry, format is incorrect", 1303, "The modify messaged format error.")]
#[case::edit_off(1, "Sorry, edit is not available", 505, "The message modify function is not activated.")]
#[case::edit_failed(1, "Sorry, edit fail", 1304, "Modify message failed.")]
#[case::no_room(1, "grpID 5 does not exist!", 705, "The chat room dose not exist.")]
#[case::no_user(1, "username zed doesn't exist!", 204, "username zed doesn't exist!")]
#[case::room_full(1, "group member list is full!", 704, "group member list is full!")]
#[case::blocked_in_room(
    1,
    "can not join this group, reason:user is in the blacklist",
    603,
    "permission denied"
)]
#[case::disabled(
    1,
    "can not operate this group, reason: group is disabled",
    608,
    "can not operate this group, reason: group is disabled"
)]
#[case::moderation(1, "xx moderation yy", 508, "xx moderation yy")]
#[case::bad_id(1, "group ID illegal, please check it", -3, "Invalid parameter")]
#[case::too_many(1, "user has joined too many chatrooms", 50, "user has joined too many chatrooms")]
#[case::too_many_made(1, "user has create too many chatrooms", 50, "user has create too many chatrooms")]
#[case::busy(1, "auto create failed", 500, "auto create failed")]
#[case::muted_everywhere(7, "user is mute", 219, "user is mute")]
#[case::traffic(7, "traffic limit", 509, "traffic limit")]
fn a_refused_send_has_the_number_and_the_words_of_4x(
    #[case] status: i32,
    #[case] reason: &str,
    #[case] code: i32,
    #[case] shown: &str,
) {
    let mut stage = Stage::open();
    let text = Message::new(Chat::Single, "bob", Content::Text("hi".to_owned()));
    let local = stage.client.send(stage.now, text).expect("a good message");
    stage.server(answer(local.0, status, Some(reason), 0));
    let Event::Failed { failure, .. } = only(stage.events()) else { panic!("a failure") };
    assert_eq!((failure.code, failure.message.as_str()), (code, shown));
}

#[rstest]
#[case::not_open(
    400,
    r#"{"error_description":"this appKey not open message roaming"}"#,
    505,
    "this appKey not open message roaming"
)]
#[case::by_code(400, r#"{"error_code":40009,"error_description":"x"}"#, 53, "x")]
#[case::by_result(400, r#"{"result":"the app not open presence"}"#, 505, "the app not open presence")]
#[case::other_400(400, r#"{"error_description":"no such mark"}"#, 17, "no such mark")]
#[case::exact(400, r#"{"error_description":"ext is too big"}"#, 17, "ext is too big")]
#[case::no_more_than_that(
    400,
    r#"{"error_description":"your ext is too big by half"}"#,
    17,
    "your ext is too big by half"
)]
#[case::half_of_what_is_looked_for(
    403,
    r#"{"error_description":"invite users to join group failed"}"#,
    603,
    "permission denied"
)]
#[case::token(
    401,
    r#"{"error_description":"Unable to authenticate (OAuth)"}"#,
    52,
    "Unable to authenticate (OAuth)"
)]
#[case::old_token(401, r#"{"error_description":"expired access token"}"#, 17, "expired access token")]
#[case::forbidden(403, r#"{"error_description":"you may not"}"#, 603, "permission denied")]
#[case::service(403, r#"{"error_description":"service not open!"}"#, 505, "service not open!")]
#[case::no_group(
    404,
    r#"{"error_description":"do not find this group:9"}"#,
    705,
    "The chat room dose not exist."
)]
#[case::no_user(404, r#"{"error_description":"user not found"}"#, 204, "user not found")]
#[case::no_path(
    404,
    r#"{"error_description":"Service resource not found"}"#,
    17,
    "Service resource not found"
)]
#[case::no_pin(
    404,
    r#"{"error_description":"user session pin message not exist"}"#,
    51,
    "user session pin message not exist"
)]
#[case::limit(
    429,
    r#"{"error_description":"The request has reached the maximum limit"}"#,
    50,
    "The request has reached the maximum limit"
)]
#[case::busy(503, r#"{"error":"reach_limit"}"#, 500, "Server is busy.")]
#[case::broken(500, r#"{"error_code":90005,"error_description":"x"}"#, -2, "x")]
#[case::a_proxy(502, "<html>Bad gateway</html>", 17, "<html>Bad gateway</html>")]
#[case::unreadable(200, "<html>", -2, "expected value at line 1 column 1")]
fn a_refused_call_has_the_number_of_4x(
    #[case] status: u16,
    #[case] body: &str,
    #[case] code: i32,
    #[case] shown: &str,
) {
    let mut stage = Stage::open();
    let asked = stage.client.page_conversations(stage.now, Listed::All, None, None).expect("logged in");
    stage.http(asked, status, body);
    let Event::CallFailed { call, failure } = only(stage.events()) else { panic!("a failure") };
    assert_eq!((call, failure.code, failure.message.as_str()), (asked, code, shown));
}

#[rstest]
#[case::no_member(400, "users [alice] are not members of this group!", 602)]
#[case::full(403, "group member list is full!", 606)]
#[case::no_group(404, "do not find this group:9", 605)]
fn the_same_words_have_other_numbers_where_groups_are_asked_for(
    #[case] status: u16,
    #[case] words: &str,
    #[case] code: i32,
) {
    let mut stage = Stage::open();
    let asked = stage.client.list_groups(stage.now, 0).expect("logged in");
    stage.http(asked, status, &format!(r#"{{"error_description":"{words}"}}"#));
    let Event::CallFailed { failure, .. } = only(stage.events()) else { panic!("a failure") };
    assert_eq!(failure.code, code);
}

#[test]
fn a_call_without_an_answer_fails_by_itself() {
    let mut stage = Stage::open();
    let asked = stage.client.page_conversations(stage.now, Listed::All, None, None).expect("logged in");
    stage.advance(15_000);
    let events = stage.events();
    let failed = |event: &Event| matches!(event, Event::CallFailed { call, failure: Failure { code: -2, .. } } if *call == asked);
    assert!(events.iter().any(failed), "{events:?}");
    assert_eq!(stage.cancelled(), [asked]);
}
