//! Of rules that are used up nobody reads a frame, and of a direction that no rule is about neither.

use fixtures::wire::{Jid, Provision, USER_DOMAIN};
use rstest::rstest;

use super::*;
use crate::machine::{AppKey, Config, Input};

const START: Millis = Millis(1_640_908_800_000);
const CONN: ConnId = ConnId(1);

/// A world with this rule, to which a connection has sent so many UNREADs, one a second.
fn world(rule: &str, unreads: u64) -> Server {
    let mut server = Server::new(Config::new(AppKey::parse("org#app").expect("an app key")));
    let rule = rule.parse().unwrap_or_else(|error| panic!("{error}"));
    server.arm_rule(START, rule).expect("there is room");
    server.handle(START, Input::Opened { conn: CONN });
    let guid = Jid {
        app_key: Some("org#app".to_owned()),
        name: Some("alice".to_owned()),
        domain: Some(USER_DOMAIN.to_owned()),
        client_resource: Some("web".to_owned()),
    };
    let login = MSync {
        guid: Some(guid),
        auth: Some("$t$x".to_owned()),
        command: Some(m_sync::Command::Provision as i32),
        payload: Some(Provision::default().encode_to_vec().into()),
        ..MSync::default()
    };
    server.handle(START, Input::Frame { conn: CONN, bytes: login.encode_to_vec().into() });
    let is_in =
        std::iter::from_fn(|| server.poll_output()).any(|output| matches!(output, Output::LoggedIn { .. }));
    assert!(is_in, "a lax world takes whoever comes");
    let unread = MSync { command: Some(m_sync::Command::Unread as i32), ..MSync::default() }.encode_to_vec();
    for number in 0..unreads {
        let now = Millis(START.0 + number * 1_000);
        server.handle(now, Input::Frame { conn: CONN, bytes: unread.clone().into() });
        while server.poll_output().is_some() {}
    }
    server
}

#[rstest]
#[case::not_yet("on 2nd UNREAD from anyone: drop", 1, false)]
#[case::once("on 2nd UNREAD from anyone: drop", 2, true)]
#[case::times("on every UNREAD from anyone times 2: drop", 2, true)]
#[case::endless("on every UNREAD from anyone: drop", 9, false)]
#[case::in_time("on every LOGOUT from anyone within 1500ms: drop", 2, false)]
#[case::too_late("on every LOGOUT from anyone within 1500ms: drop", 3, true)]
#[case::never_drawn("on next UNREAD from anyone with probability 0.0000001: drop", 1, true)]
#[case::held("on next UNREAD from anyone: hold until next", 1, false)]
#[case::let_go("on next UNREAD from anyone: hold until next", 2, true)]
#[case::on_its_way("on next UNREAD from anyone: delay 1h", 1, false)]
#[case::ended("on next UNREAD from anyone: go silent", 1, false)]
fn a_world_is_idle_once_its_rules_are_used_up(#[case] rule: &str, #[case] unreads: u64, #[case] idle: bool) {
    assert_eq!(world(rule, unreads).rules.is_idle(), idle);
}

#[test]
fn a_world_is_idle_once_the_connection_has_gone_that_a_rule_ended() {
    let mut server = world("on next UNREAD from anyone: go silent", 1);
    assert!(!server.rules.looks_at(Side::Up) && !server.rules.looks_at(Side::Down));
    server.handle(START, Input::Closed { conn: CONN });
    assert!(server.rules.is_idle());
}

#[test]
fn a_rule_that_is_taken_back_counts_no_more() {
    let mut server = world("on every UNREAD from anyone: drop", 1);
    server.clear_rule(START, 1).expect("it is there");
    assert!(server.rules.is_idle());
    let mut server = world("on next UNREAD from anyone: drop", 1);
    server.clear_rules(START);
    assert!(server.rules.is_idle());
}

#[test]
fn a_rule_that_is_used_up_makes_room_and_one_that_may_act_does_not() {
    let mut server = world("on next UNREAD from anyone: drop", 1);
    let rule = || "on every UNREAD from anyone: drop".parse().unwrap_or_else(|error| panic!("{error}"));
    for _ in 0..RULES_MAX {
        server.arm_rule(START, rule()).expect("there is room");
    }
    let full = server.arm_rule(START, rule()).expect_err("all of them may act");
    let reason =
        "the world has 1000 rules that may still act; clear some (clear_faults, or DELETE …/rules/{id})";
    assert!(full.to_string().ends_with(reason), "{full}");
    let ids: Vec<u64> = server.rules(START).iter().map(|rule| rule.id).collect();
    assert_eq!(ids, (2..=1_001).collect::<Vec<_>>());
    server.clear_rules(START);
    assert!(server.rules.is_idle());
}

#[rstest]
#[case("on every UNREAD from anyone: drop", true, false)]
#[case("on every page to bob: drop", false, true)]
#[case("on every GET: drop", false, false)]
fn frames_are_read_where_a_rule_is_about_them(#[case] rule: &str, #[case] up: bool, #[case] down: bool) {
    let server = world(rule, 0);
    assert_eq!((server.rules.looks_at(Side::Up), server.rules.looks_at(Side::Down)), (up, down));
}
