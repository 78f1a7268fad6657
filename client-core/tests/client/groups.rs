//! Groups, rooms and contacts: what is asked for over REST and over the socket (clauses recv.roster,
//! recv.invite, recv.blacklist, recv.create-group).

use client_core::{CommandError, Event, HttpMethod, Muc, NewGroup, Verdict};
use fixtures::wire::RosterBody;
use prost::Message as _;
use rstest::rstest;

use crate::stage::{Stage, answer, body_of, only, uplink};

type Order = fn(&mut Stage) -> Result<(), CommandError>;

fn group() -> Muc {
    Muc::Group("1".to_owned())
}

fn room() -> Muc {
    Muc::Room("2".to_owned())
}

fn users() -> Vec<String> {
    vec!["bob".to_owned(), "carl".to_owned()]
}

const POST: HttpMethod = HttpMethod::Post;
const DELETE: HttpMethod = HttpMethod::Delete;

#[rstest]
#[case::create_group(
    |stage: &mut Stage| stage.client.create_group(stage.now, NewGroup { members: vec!["bob".into()], ..NewGroup::named("g") }),
    POST, "/chatgroups",
    Some(r#"{"groupname":"g","desc":"","members":["bob"],"public":true,"approval":false,"allowinvites":true,"maxusers":200,"owner":"alice","invite_need_confirm":false}"#)
)]
#[case::create_closed_group(
    |stage: &mut Stage| stage.client.create_group(stage.now, NewGroup { public: false, approval: true, confirm_invites: true, ..NewGroup::named("g") }),
    POST, "/chatgroups",
    Some(r#"{"groupname":"g","desc":"","members":[],"public":false,"approval":true,"allowinvites":true,"maxusers":200,"owner":"alice","invite_need_confirm":true}"#)
)]
#[case::join_group(|stage: &mut Stage| stage.client.join_group(stage.now, "1"), POST, "/chatgroups/1/apply", Some(r#"{"message":"join group"}"#))]
#[case::leave_group(|stage: &mut Stage| stage.client.leave_group(stage.now, "1"), DELETE, "/chatgroups/1/quit", None)]
#[case::dissolve(|stage: &mut Stage| stage.client.dissolve_group(stage.now, "1"), DELETE, "/chatgroups/1?version=v3", None)]
#[case::invite(|stage: &mut Stage| stage.client.invite_to_group(stage.now, "1", users()), POST, "/chatgroups/1/invite", Some(r#"{"usernames":["bob","carl"]}"#))]
#[case::remove(
    |stage: &mut Stage| stage.client.remove_from_group(stage.now, "1", vec!["bob".into(), "爱/丽".into()]),
    DELETE, "/chatgroups/1/users/bob,%E7%88%B1%2F%E4%B8%BD", None
)]
#[case::remove_from_room(|stage: &mut Stage| stage.client.remove_from_room(stage.now, "2", users()), DELETE, "/chatrooms/2/users/bob,carl", None)]
#[case::create_room(
    |stage: &mut Stage| stage.client.create_room(stage.now, "r", vec!["bob".into()]),
    POST, "/chatrooms", Some(r#"{"name":"r","description":"","maxusers":200,"owner":"alice","members":["bob"]}"#)
)]
#[case::accept(|stage: &mut Stage| stage.client.answer_invite(stage.now, "1", Verdict::Accept), POST, "/chatgroups/1/invite_verify", Some(r#"{"invitee":"alice","verifyResult":true}"#))]
#[case::decline(|stage: &mut Stage| stage.client.answer_invite(stage.now, "1", Verdict::Decline), POST, "/chatgroups/1/invite_verify", Some(r#"{"invitee":"alice","verifyResult":false}"#))]
#[case::let_in(
    |stage: &mut Stage| stage.client.answer_applicant(stage.now, "1", "bob", Verdict::Accept),
    POST, "/chatgroups/1/apply_verify", Some(r#"{"applicant":"bob","verifyResult":true,"reason":""}"#)
)]
#[case::turn_away(
    |stage: &mut Stage| stage.client.answer_applicant(stage.now, "1", "bob", Verdict::Decline),
    POST, "/chatgroups/1/apply_verify", Some(r#"{"applicant":"bob","verifyResult":false,"reason":""}"#)
)]
#[case::mute(|stage: &mut Stage| stage.client.mute(stage.now, group(), users(), -1000), POST, "/chatgroups/1/mute", Some(r#"{"usernames":["bob","carl"],"mute_duration":-1000}"#))]
#[case::mute_in_room(|stage: &mut Stage| stage.client.mute(stage.now, room(), users(), 60_000), POST, "/chatrooms/2/mute", Some(r#"{"usernames":["bob","carl"],"mute_duration":60000}"#))]
#[case::unmute(|stage: &mut Stage| stage.client.unmute(stage.now, &group(), vec!["bob".into()]), DELETE, "/chatgroups/1/mute/bob", None)]
#[case::ban_all(|stage: &mut Stage| stage.client.ban_all(stage.now, group()), POST, "/chatgroups/1/ban", None)]
#[case::unban_all(|stage: &mut Stage| stage.client.unban_all(stage.now, room()), DELETE, "/chatrooms/2/ban", None)]
#[case::allow(|stage: &mut Stage| stage.client.allow(stage.now, group(), users()), POST, "/chatgroups/1/white/users", Some(r#"{"usernames":["bob","carl"]}"#))]
#[case::disallow(|stage: &mut Stage| stage.client.disallow(stage.now, &room(), vec!["bob".into()]), DELETE, "/chatrooms/2/white/users/bob", None)]
#[case::set_admin(|stage: &mut Stage| stage.client.set_admin(stage.now, group(), "bob"), POST, "/chatgroups/1/admin", Some(r#"{"newadmin":"bob"}"#))]
#[case::remove_admin(|stage: &mut Stage| stage.client.remove_admin(stage.now, room(), "bob"), DELETE, "/chatrooms/2/admin/bob", None)]
#[case::owner(|stage: &mut Stage| stage.client.change_owner(stage.now, "1", "bob"), HttpMethod::Put, "/chatgroups/1", Some(r#"{"newowner":"bob"}"#))]
#[case::announce(|stage: &mut Stage| stage.client.announce(stage.now, group(), "a"), POST, "/chatgroups/1/announcement", Some(r#"{"announcement":"a"}"#))]
#[case::contacts(|stage: &mut Stage| stage.client.list_contacts(stage.now), HttpMethod::Get, "/users/alice/contacts/users", None)]
#[case::blocked(|stage: &mut Stage| stage.client.list_blocked(stage.now), HttpMethod::Get, "/users/alice/blocks/users", None)]
fn groups_and_rooms_are_rest(
    #[case] order: Order,
    #[case] method: HttpMethod,
    #[case] path: &str,
    #[case] body: Option<&str>,
) {
    let mut stage = Stage::open();
    order(&mut stage).expect("logged in");
    let request = stage.request();
    assert_eq!(request.url, format!("http://127.0.0.1:4000/org/app{path}"));
    assert_eq!((request.method, body_of(&request).as_deref()), (method, body));
    assert_eq!(request.bearer.as_deref(), Some("t"));
}

#[test]
fn what_the_sdk_can_do_to_one_only_is_done_to_each() {
    let mut stage = Stage::open();
    stage.client.unmute(stage.now, &group(), users()).expect("logged in");
    let first = stage.request();
    assert!(first.url.ends_with("/chatgroups/1/mute/bob"), "{first:?}");
    stage.http(first.call, 200, "{}");
    let second = stage.request();
    assert!(second.url.ends_with("/chatgroups/1/mute/carl"), "{second:?}");
}

#[test]
fn the_contacts_are_told_as_a_list_of_names() {
    let mut stage = Stage::open();
    stage.client.list_contacts(stage.now).expect("logged in");
    let call = stage.request().call;
    stage.http(call, 200, r#"{"data":["bob","carol"]}"#);
    assert_eq!(only(stage.events()), Event::Roster(vec!["bob".to_owned(), "carol".to_owned()]));
}

#[rstest]
#[case::add(|stage: &mut Stage| stage.client.add_contact(stage.now, "bob", "pls"), 2, Some("pls"))]
#[case::remove(|stage: &mut Stage| stage.client.remove_contact(stage.now, "bob"), 3, None)]
#[case::accept(|stage: &mut Stage| stage.client.accept_contact(stage.now, "bob"), 4, None)]
#[case::decline(|stage: &mut Stage| stage.client.decline_contact(stage.now, "bob"), 5, None)]
fn contacts_are_changed_by_a_roster_operation(
    #[case] order: Order,
    #[case] operation: i32,
    #[case] reason: Option<&str>,
) {
    let mut stage = Stage::open();
    order(&mut stage).expect("logged in");
    let meta = uplink(&stage.frames()[0]).meta.expect("a meta");
    let body = RosterBody::decode(meta.payload.clone().expect("a payload")).expect("a roster body");
    assert_eq!((body.operation, body.reason.as_deref()), (Some(operation), reason));
    assert_eq!(body.to[0].name.as_deref(), Some("bob"));
    stage.server(answer(meta.id(), 1, Some("no"), 0));
    assert_eq!(stage.error_codes(), [31]);
}

#[rstest]
#[case::no_group(|stage: &mut Stage| stage.client.ban_all(stage.now, Muc::Group(String::new())), CommandError::NoName { command: "ban_all" })]
#[case::no_users(|stage: &mut Stage| stage.client.mute(stage.now, group(), vec![], 1), CommandError::NoUsers { command: "mute" })]
#[case::no_user(|stage: &mut Stage| stage.client.set_admin(stage.now, group(), ""), CommandError::NoUsers { command: "set_admin" })]
#[case::no_contact(|stage: &mut Stage| stage.client.add_contact(stage.now, "", "pls"), CommandError::NoUsers { command: "add_contact" })]
fn what_names_nothing_is_refused(#[case] order: Order, #[case] error: CommandError) {
    let mut stage = Stage::open();
    assert_eq!(order(&mut stage), Err(error));
    assert_eq!(stage.transmits(), []);
}
