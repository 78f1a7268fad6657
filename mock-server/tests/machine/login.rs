//! PROVISION: who is let in, who is not, and what a connection may say before it (wire-3x §2, clauses conn.login-*).

use fixtures::wire::m_sync;
use mock_server::control::{Control, SettingsPatch};
use mock_server::machine::{Close, Input};
use rstest::rstest;

use crate::world::{Down, Login, World, code, jid, msync, pull};

const NO_MATCH: &str = "Sorry, token or password does not match login info";

fn alice() -> Login {
    Login::new("alice", "phone")
}

fn strict() -> World {
    World::strict(&["alice", "bob"])
}

fn with_serving_off() -> World {
    let mut world = strict();
    world.patch(SettingsPatch { serving: Some(false), ..SettingsPatch::default() });
    world
}

fn with_an_expired_token() -> World {
    let mut world = strict();
    world.control(Control::Token { user: "alice".into(), token: "old".into(), ttl_ms: 0 });
    world
}

fn lax_with_bob() -> World {
    let mut world = World::lax();
    world.register("bob");
    world
}

fn edited(edit: impl FnOnce(&mut Login)) -> Login {
    let mut login = alice();
    edit(&mut login);
    login
}

fn nameless() -> Login {
    edited(|login| login.msync.guid.as_mut().expect("a guid").name = Some(String::new()))
}

fn without_token() -> Login {
    edited(|login| {
        login.msync.auth = None;
        login.provision.auth = None;
    })
}

fn with_rubbish_payload() -> Login {
    edited(|login| login.msync.payload = Some(vec![0x42, 0x7f].into()))
}

#[rstest]
#[case::not_served(with_serving_off(), alice(), 12, "Server serving disabled.")]
#[case::no_guid(strict(), edited(|login| login.msync.guid = None), 4, "guid.name is empty")]
#[case::no_name(strict(), nameless(), 4, "guid.name is empty")]
#[case::no_token(strict(), without_token(), 1, NO_MATCH)]
#[case::no_token_in_a_lax_world(World::lax(), without_token(), 1, NO_MATCH)]
#[case::empty_token(strict(), alice().token(""), 1, NO_MATCH)]
#[case::wrong_token(strict(), alice().token("guess"), 1, NO_MATCH)]
#[case::token_of_another(strict(), alice().token("t-bob"), 1, NO_MATCH)]
#[case::token_of_another_in_a_lax_world(lax_with_bob(), alice().token("t-bob"), 1, NO_MATCH)]
#[case::unknown_user(strict(), Login::new("carl", "phone"), 1, "Sorry, user not found")]
#[case::unknown_user_with_a_known_token(strict(), Login::new("carl", "p").token("t-bob"), 1, NO_MATCH)]
#[case::expired(with_an_expired_token(), alice().token("old"), 1, "Sorry, token expired")]
#[case::illegal_name(World::lax(), Login::new("al ice", "phone"), 4, "username is not legal")]
#[case::long_name(World::lax(), Login::new(&"a".repeat(65), "phone"), 4, "username is not legal")]
#[case::rubbish_payload(strict(), with_rubbish_payload(), 10, "payload is not a Provision")]
fn a_login_that_is_refused_says_why_and_is_closed(
    #[case] mut world: World,
    #[case] login: Login,
    #[case] number: i32,
    #[case] reason: &str,
) {
    let (conn, answer) = world.log_in(login);
    let status = answer.status.expect("a status");
    assert_eq!((status.error_code, status.reason.as_deref()), (Some(number), Some(reason)));
    assert_eq!(world.closed(conn), Some(Close::Code(1008)), "SDKs do not close by themselves (wire-3x §2.3)");
    assert_eq!(world.device(conn), None);
    // What is under way already is not looked at: sending anything now would fail in the world.
    world.frame(conn, alice().encode());
    world.frame(conn, msync(m_sync::Command::Unread, Vec::new()));
    assert_eq!(world.take(conn), []);
    world.hang_up(conn);
    world.patch(SettingsPatch { serving: Some(true), ..SettingsPatch::default() });
    world.register("alice");
    world.connect("alice", "phone");
}

fn with_token_in_provision_only() -> Login {
    edited(|login| login.msync.auth = None)
}

fn with_token_in_json_only() -> Login {
    edited(|login| {
        login.msync.auth = None;
        login.provision.auth = None;
        login.provision.auth_token = Some(r#"{"token":"t-alice","expires_in":1}"#.into());
    })
}

fn with_resource_in_guid_only() -> Login {
    edited(|login| login.provision.resource = None)
}

#[rstest]
#[case::both_tokens(alice(), "phone")]
#[case::token_in_msync_only(edited(|login| login.provision.auth = None), "phone")]
#[case::token_in_provision_only(with_token_in_provision_only(), "phone")]
#[case::token_in_json_only(with_token_in_json_only(), "phone")]
#[case::token_without_its_prefix(edited(|login| login.msync.auth = Some("t-alice".into())), "phone")]
#[case::other_case(Login::new("ALICE", "phone"), "phone")]
#[case::resource_in_guid_only(with_resource_in_guid_only(), "phone")]
fn a_login_answers_with_its_resource(#[case] login: Login, #[case] resource: &str) {
    let mut world = strict();
    let (conn, answer) = world.log_in(login);
    assert_eq!(answer.status.and_then(|status| status.error_code), Some(0));
    assert_eq!(answer.resource.as_deref(), Some(resource));
    assert_eq!(world.device(conn), Some(&*format!("alice/{resource}")));
    assert_eq!(world.closed(conn), None);
}

#[test]
fn a_login_without_a_resource_is_given_one() {
    let mut world = strict();
    let mut login = edited(|login| login.provision.resource = Some(String::new()));
    login.msync.guid.as_mut().expect("a guid").client_resource = None;
    let (conn, answer) = world.log_in(login);
    let resource = answer.resource.expect("omitted, it would empty the client's own (wire-3x §2.3)");
    assert!(!resource.is_empty());
    assert_eq!(world.device(conn), Some(&*format!("alice/{resource}")));
}

#[test]
fn an_endless_resource_is_cut_between_two_characters() {
    let mut world = strict();
    let (_, answer) = world.log_in(Login::new("alice", &"ö".repeat(10_000)));
    let resource = answer.resource.expect("a resource");
    assert!(resource.len() <= 128 && resource.starts_with("öö"), "{} bytes", resource.len());
}

#[test]
fn a_token_lets_in_until_it_expires() {
    let mut world = strict();
    world.control(Control::Token { user: "alice".into(), token: "short".into(), ttl_ms: 1_000 });
    world.now.0 += 999;
    let (_, answer) = world.log_in(alice().token("short"));
    assert_eq!(answer.status.and_then(|status| status.error_code), Some(0));
    world.now.0 += 1;
    let (_, answer) = world.log_in(alice().token("short"));
    assert_eq!(answer.status.and_then(|status| status.reason).as_deref(), Some("Sorry, token expired"));
}

#[test]
fn a_lax_world_takes_a_user_at_its_word_and_says_so() {
    let mut world = World::lax();
    let alice = world.connect("alice", "phone");
    let bob = world.connect("Bob", "phone");
    assert_eq!(world.warnings.len(), 2, "{:?}", world.warnings);
    world.text(alice, "bob", "hi");
    assert_eq!(world.texts(bob), ["hi"]);
    // One token for all is what a prototype does.
    let (carl, answer) = world.log_in(Login::new("carl", "phone").token("t-alice"));
    assert_eq!(answer.status.and_then(|status| status.error_code), Some(0));
    assert_eq!(world.device(carl), Some("carl/phone"));
}

#[test]
fn a_second_login_on_a_connection_is_answered_and_noted() {
    let mut world = strict();
    let conn = world.connect("alice", "phone");
    world.frame(conn, alice().encode());
    let Down::Provision(answer) = world.one(conn) else { panic!("a PROVISION answer") };
    assert_eq!(answer.status.and_then(|status| status.error_code), Some(0));
    assert_eq!(answer.resource.as_deref(), Some("phone"));
    assert_eq!(world.found(), ["conn.login-password: a second PROVISION on one connection"]);
    let bob = world.connect("bob", "web");
    world.text(bob, "alice", "hi");
    assert_eq!(world.texts(conn), ["hi"]);
}

#[test]
fn a_device_keeps_its_name_whatever_it_calls_itself_later() {
    let mut world = strict();
    let conn = world.connect("alice", "phone");
    world.frame(conn, Login::new("alice", "tablet").encode());
    let Down::Provision(answer) = world.one(conn) else { panic!("a PROVISION answer") };
    assert_eq!(answer.resource.as_deref(), Some("phone"), "the client takes the name it is given");
    let tablet = world.connect("alice", "tablet");
    assert_eq!(world.closed(conn), None);
    world.text(conn, "alice", "a note");
    assert_eq!(world.texts(tablet), ["a note"]);
}

#[test]
fn a_connection_never_becomes_another_users() {
    let mut world = strict();
    let conn = world.connect("alice", "phone");
    world.frame(conn, Login::new("bob", "phone").encode());
    let Down::Provision(answer) = world.one(conn) else { panic!("a PROVISION answer") };
    let status = answer.status.expect("a status");
    assert_eq!(status.error_code, Some(4));
    assert_eq!(status.reason.as_deref(), Some("this connection is another user's"));
    assert_eq!(world.closed(conn), Some(Close::Code(1008)));
}

#[rstest]
#[case::unread(msync(m_sync::Command::Unread, Vec::new()))]
#[case::pull(pull(&jid("bob", "easemob.com"), None))]
#[case::logout(msync(m_sync::Command::Logout, Vec::new()))]
#[case::no_command(Vec::new())]
fn nothing_is_done_before_login(#[case] frame: Vec<u8>) {
    let mut world = strict();
    let conn = world.open();
    world.frame(conn, frame);
    let Down::Sync(answer) = world.one(conn) else { panic!("a SYNC answer") };
    assert_eq!(code(&answer), (2, "not logged in"));
    assert_eq!(world.closed(conn), Some(Close::Code(1008)));
    assert_eq!(world.findings.len(), 1);
    assert_eq!(world.findings[0].clause, "send.not-logged-in");
}

#[rstest]
#[case::rubbish(vec![0xff, 0xff, 0xff], Some((10, "not an MSync frame")), "recv.bad-frame: not an MSync frame: ")]
#[case::cut_short(vec![0x4a, 0x7f, 0x00], Some((10, "not an MSync frame")), "recv.bad-frame: not an MSync frame: ")]
#[case::wrong_type(vec![0x42, 0x00], Some((10, "not an MSync frame")), "recv.bad-frame: not an MSync frame: ")]
#[case::unknown_command(vec![0x40, 0x09], Some((9, "unknown command")), "recv.bad-frame: MSync.command is 9, not 0 to 4")]
#[case::notice(vec![0x40, 0x02], None, "recv.bad-frame: NOTICE goes from the server to clients only")]
#[case::sync_of_nothing(vec![0x40, 0x00], Some((3, "neither meta nor queue")), "recv.bad-frame: a SYNC with neither meta nor queue")]
#[case::sync_of_rubbish(vec![0x40, 0x00, 0x4a, 0x01, 0x0a], Some((10, "payload is not a CommSyncUL")), "recv.bad-frame: payload is not a CommSyncUL: ")]
fn a_bad_frame_costs_nothing_but_an_answer(
    #[case] frame: Vec<u8>,
    #[case] expected: Option<(i32, &str)>,
    #[case] finding: &str,
) {
    let mut world = strict();
    let (alice, bob) = (world.connect("alice", "phone"), world.connect("bob", "web"));
    world.text(bob, "alice", "before");
    world.take(alice);
    world.frame(alice, frame);
    let answers = world.take(alice);
    let codes: Vec<_> = answers
        .iter()
        .map(|answer| match answer {
            Down::Sync(answer) => code(answer),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(codes, Vec::from_iter(expected));
    assert_eq!(world.findings.len(), 1);
    assert_eq!(world.findings[0].user, "alice/phone");
    assert!(world.found()[0].starts_with(finding), "{:?}", world.found());
    world.text(bob, "alice", "after");
    assert_eq!(world.texts(alice), ["before", "after"]);
    world.text(alice, "bob", "still here");
    assert_eq!(world.texts(bob), ["still here"]);
}

#[test]
fn a_login_that_is_half_readable_is_refused_and_closed() {
    let mut world = strict();
    let conn = world.open();
    // Field 6, userAgent, is no UTF-8: the server's short look does not read it, the long one does.
    let mut frame = alice().encode();
    frame.extend([0x32, 0x01, 0xff]);
    world.frame(conn, frame);
    let Down::Sync(answer) = world.one(conn) else { panic!("a SYNC answer") };
    assert_eq!(code(&answer), (10, "not an MSync frame"));
    assert_eq!(world.closed(conn), Some(Close::Code(1008)));
    assert_eq!(world.found().len(), 1);
}

#[test]
fn logout_ends_the_device_at_once() {
    let mut world = strict();
    let (alice, bob) = (world.connect("alice", "phone"), world.connect("bob", "web"));
    world.frame(alice, msync(m_sync::Command::Logout, Vec::new()));
    assert_eq!(world.closed(alice), Some(Close::Code(1000)));
    // Its socket is not gone yet; a NOTICE to it would fail in the world.
    world.text(bob, "alice", "hi");
    world.hang_up(alice);
    let alice = world.connect("alice", "web");
    assert_eq!(world.texts(alice), ["hi"]);
}

#[test]
fn a_connection_that_goes_before_it_says_anything_is_nobody() {
    let mut world = strict();
    assert!(world.server.is_idle());
    let conn = world.open();
    assert!(!world.server.is_idle());
    world.hang_up(conn);
    assert!(world.server.is_idle());
    // Late news of a connection that is gone, or never was.
    world.input(Input::Closed { conn });
    world.frame(conn, alice().encode());
    assert!(world.server.is_idle());
}
