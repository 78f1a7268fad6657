//! Login, reconnect, heartbeat, kick and close (clauses conn.*).

use bytes::Bytes;
use client_core::{
    Chat, CommandError, Config, Content, Door, Event, Failure, Message, Received, Transmit, WireMessage,
};
use fixtures::wire::m_sync::Command;
use fixtures::wire::meta::NameSpace;
use fixtures::wire::{Provision, StatisticsBody, sockjs};
use prost::Message as _;
use rstest::rstest;

use crate::stage::{
    Stage, answer, body_of, config, frame, meta, page, provision_answer, text_meta, texts_of, unread, uplink,
};

fn hello() -> Message {
    Message::new(Chat::Single, "bob", Content::Text("hello".to_owned()))
}

fn codes(events: &[Event]) -> Vec<i32> {
    let errors = events.iter().filter_map(|event| match event {
        Event::Error(failure) => Some(failure.code),
        _ => None,
    });
    errors.collect()
}

#[test]
fn a_password_is_changed_for_a_token_and_the_token_for_a_session() {
    let mut stage = Stage::new(config());
    stage.client.login_password(stage.now, "pw").expect("a fresh client");
    let request = stage.requests().pop().expect("the token request");
    assert_eq!(request.url, "http://127.0.0.1:4000/org/app/token");
    assert_eq!(
        body_of(&request).as_deref(),
        Some(r#"{"grant_type":"password","username":"alice","password":"pw","timestamp":1640908800000}"#)
    );
    assert_eq!((request.bearer, stage.dials().len()), (None, 0));

    stage.http(request.call, 200, r#"{"access_token":"YW","expires_in":5184000}"#);
    stage.answer_dial();
    assert_eq!(stage.events(), [], "PROVISION has not been answered");
    let provision = stage.frames().pop().expect("PROVISION");
    assert_eq!(provision.auth.as_deref(), Some("$t$YW"));

    stage.server(provision_answer(0, None));
    assert_eq!(stage.events(), [Event::Opened]);
    let unread = stage.frames().pop().expect("UNREAD");
    assert_eq!(unread.encode_to_vec(), [0x08, 0x00, 0x40, 0x01, 0x58, 0x00]);

    stage.server(provision_answer(0, None));
    assert_eq!(stage.events(), [], "a second answer opens nothing");
}

#[test]
fn a_token_logs_in_without_rest_and_the_resource_is_the_servers() {
    let mut stage = Stage::new(config());
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    stage.answer_dial();
    assert_eq!(stage.requests(), []);
    let asked = Provision::decode(stage.frames()[0].payload.clone().expect("a payload")).expect("PROVISION");
    assert_eq!(asked.resource.as_deref(), Some("webim_desk"));

    let answer = Provision {
        status: Some(Default::default()),
        resource: Some("webim_other".to_owned()),
        ..Provision::default()
    };
    stage.server(frame(Command::Provision, answer.encode_to_vec()));
    stage.frames();
    stage.client.send(stage.now, hello()).expect("a good message");
    let guid = stage.frames()[0].guid.clone().expect("a guid");
    assert_eq!(guid.client_resource.as_deref(), Some("webim_other"));
}

#[test]
fn sockjs_asks_info_then_dials_and_waits_for_the_o() {
    let mut stage =
        Stage::new(Config { door: Door::SockJs { url: "http://127.0.0.1:4000/ws".to_owned() }, ..config() });
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    let info = stage.requests().pop().expect("the info request");
    assert_eq!(info.url, "http://127.0.0.1:4000/ws/info?t=1640908800000");
    stage.http(info.call, 200, "{}");
    let (link, url) = stage.dials().pop().expect("a dial");
    assert!(url.starts_with("ws://127.0.0.1:4000/ws/") && url.ends_with("/websocket"), "{url}");

    stage.handle(Received::Dialed { link });
    assert_eq!(stage.transmits(), [], "nothing before the o");
    stage.handle(Received::Message { link, message: WireMessage::Text("o".to_owned()) });
    let sent = stage.transmits();
    let [Transmit::Frame { message: WireMessage::Text(text), .. }] = &sent[..] else {
        panic!("one text message, not {sent:?}");
    };
    assert_eq!(sockjs::parse_client(text).expect("SockJS framing").len(), 1);

    let answer = sockjs::server_text(&provision_answer(0, None).encode_to_vec());
    stage.handle(Received::Message { link, message: WireMessage::Text(answer) });
    stage.handle(Received::Message { link, message: WireMessage::Text("h".to_owned()) });
    assert_eq!(stage.events(), [Event::Opened]);

    stage.handle(Received::Message { link, message: WireMessage::Text(r#"c[3000,"Go away!"]"#.to_owned()) });
    assert_eq!(stage.hang_ups(), [link]);
    assert_eq!(stage.error_codes(), [16]);
    assert_eq!(stage.requests().len(), 1, "and asks /info anew");
}

#[rstest]
#[case::refused(404, "no such thing")]
#[case::no_websocket(200, r#"{"websocket":false}"#)]
#[case::not_json(200, "<html>")]
fn a_sockjs_server_that_lets_nobody_in_is_told_once_and_given_up(#[case] status: u16, #[case] body: &str) {
    let door = Door::SockJs { url: "http://127.0.0.1:4000/ws".to_owned() };
    let mut stage = Stage::new(Config { door, reconnects: 1, ..config() });
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    for _ in 0..2 {
        let info = stage.requests().pop().expect("the info request");
        stage.http(info.call, status, body);
    }
    let events = stage.events();
    assert_eq!(codes(&events), [16]);
    assert_eq!(events.last(), Some(&Event::Closed));
}

#[rstest]
#[case::token_expired(1, Some("Sorry, token expired"), 56)]
#[case::invalid_token(1, Some("Sorry, token or password does not match login info"), 28)]
#[case::unknown_user(1, Some("Sorry, user not found"), 204)]
#[case::register_limit(1, Some("Sorry, user register limit"), 50)]
#[case::other_failure(1, Some("whatever"), 2)]
#[case::unauthorized(2, None, 2)]
#[case::wrong_parameter(4, Some("x"), -3)]
#[case::expired_by_code(6, Some("tok"), 2)]
#[case::month_limit(7, Some("Sorry, the app month live count limit"), 50)]
#[case::not_permitted(7, Some("no"), 2)]
#[case::forbidden(12, None, 57)]
#[case::too_many_devices(13, None, 214)]
#[case::resource_changed(20, None, 220)]
#[case::anything_else(3, Some("miss"), 2)]
fn a_refused_provision_is_told_with_its_cause_and_ends_the_login(
    #[case] code: i32,
    #[case] reason: Option<&str>,
    #[case] shown: i32,
) {
    let mut stage = Stage::new(config());
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    stage.answer_dial();
    let link = stage.link();
    stage.server(provision_answer(code, reason));
    let events = stage.events();
    assert_eq!(codes(&events), [shown]);
    assert_eq!(events.len(), 1, "neither opened nor closed: {events:?}");
    assert_eq!(stage.hang_ups(), [link]);
    stage.cut();
    stage.advance(60_000);
    assert_eq!((stage.dials(), stage.events()), (vec![], vec![]), "no other try");
}

#[test]
fn a_provision_answer_without_status_is_no_login() {
    let mut stage = Stage::new(config());
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    stage.answer_dial();
    stage.server(frame(Command::Provision, Vec::new()));
    assert_eq!(stage.error_codes(), [604]);
}

#[rstest]
#[case::wrong_password(
    400,
    r#"{"error":"invalid_grant","error_description":"invalid password"}"#,
    "invalid password",
    17
)]
#[case::unknown_user(404, r#"{"error":"x","error_description":"user not found"}"#, "user not found", 204)]
#[case::other_404(404, "Not Found", "Not Found", 17)]
#[case::busy(503, "<html>", "Server is busy.", 17)]
#[case::created_is_no_success(201, r#"{"access_token":"x"}"#, r#"{"access_token":"x"}"#, 17)]
fn a_refused_token_is_type_1_with_the_servers_words(
    #[case] status: u16,
    #[case] body: &str,
    #[case] message: &str,
    #[case] cause: i32,
) {
    let mut stage = Stage::new(config());
    stage.client.login_password(stage.now, "pw").expect("a fresh client");
    let request = stage.requests().pop().expect("the token request");
    stage.http(request.call, status, body);
    let events = stage.events();
    let [Event::Error(Failure { code: 1, message: shown, detail: Some(detail) })] = &events[..] else {
        panic!("one error of type 1, not {events:?}");
    };
    assert_eq!((shown.as_str(), &detail["type"]), (message, &cause.into()));
    assert_eq!(stage.dials(), []);
    stage.client.login_password(stage.now, "right").expect("another try is free");
}

#[rstest]
#[case::no_answer(Err("connection refused".to_owned()))]
#[case::no_token(Ok(r#"{"access_token":""}"#))]
#[case::no_json(Ok("hello"))]
fn a_token_that_cannot_be_had_is_type_1(#[case] outcome: Result<&str, String>) {
    let mut stage = Stage::new(config());
    stage.client.login_password(stage.now, "pw").expect("a fresh client");
    let call = stage.requests().pop().expect("the token request").call;
    match outcome {
        Ok(body) => stage.http(call, 200, body),
        Err(reason) => stage.handle(Received::Http { call, answer: Err(reason) }),
    }
    assert_eq!(stage.error_codes(), [1]);
    assert_eq!(stage.dials(), []);
}

#[rstest]
#[case::no_user("", "org#app", "t", 0)]
#[case::no_hash("alice", "org", "t", 27)]
#[case::no_org("alice", "#app", "t", 27)]
#[case::no_app("alice", "org#", "t", 27)]
#[case::two_hashes("alice", "org#app#x", "t", 27)]
#[case::no_token("alice", "org#app", "", 28)]
fn bad_input_is_refused_with_nothing_sent(
    #[case] username: &str,
    #[case] app_key: &str,
    #[case] token: &str,
    #[case] shown: i32,
) {
    let mut stage =
        Stage::new(Config { username: username.to_owned(), app_key: app_key.to_owned(), ..config() });
    stage.client.login_token(stage.now, token).expect("told by an event");
    assert_eq!(stage.error_codes(), [shown]);
    assert_eq!(stage.transmits(), []);
}

#[test]
fn a_second_login_is_refused_while_the_first_lives() {
    let mut stage = Stage::new(config());
    stage.client.login_password(stage.now, "pw").expect("a fresh client");
    assert_eq!(stage.client.login_token(stage.now, "t"), Err(CommandError::LoginInProgress));
    let mut stage = Stage::open();
    assert_eq!(stage.client.login_token(stage.now, "t"), Err(CommandError::AlreadyLoggedIn));
}

#[test]
fn close_is_told_once_and_nothing_comes_after_it() {
    let mut stage = Stage::open();
    let link = stage.link();
    let local = stage.client.send(stage.now, hello()).expect("a good message");
    stage.client.close();
    stage.client.close();
    let events = stage.events();
    assert!(
        matches!(&events[..], [Event::Failed { local: lost, failure: Failure { code: 510, .. } }, Event::Closed] if *lost == local),
        "{events:?}"
    );
    assert_eq!(stage.hang_ups(), [link]);
    stage.server(page("bob", vec![text_meta(1, "late")], Some(1), true));
    stage.cut();
    stage.advance(120_000);
    assert_eq!((stage.events(), stage.dials()), (vec![], vec![]));
    assert_eq!(stage.client.next_deadline(), None);
}

#[test]
fn a_client_logs_in_again_after_close() {
    let mut stage = Stage::open();
    stage.client.close();
    stage.events();
    stage.client.login_token(stage.now, "t").expect("closed");
    stage.let_in();
    assert_eq!(stage.events(), [Event::Opened]);
}

#[test]
fn a_lost_link_is_told_once_and_dialled_again_at_once() {
    let mut stage = Stage::open();
    stage.cut();
    assert_eq!(stage.error_codes(), [16]);
    stage.let_in();
    assert_eq!(stage.events(), [Event::Opened]);
}

#[test]
fn redials_wait_longer_each_time_and_end_with_the_budget() {
    let mut stage = Stage::open();
    stage.cut();
    let mut waits = Vec::new();
    for _ in 0..3 {
        assert_eq!(stage.dials().len(), 1);
        stage.cut();
        waits.extend(stage.client.next_deadline().map(|at| at.since(stage.now)));
        stage.advance(waits.last().copied().unwrap_or_default());
    }
    assert_eq!(waits, [500, 1000]);
    let events = stage.events();
    assert_eq!(codes(&events), [16], "only the link that was up is told");
    assert_eq!(events.last(), Some(&Event::Closed));
    assert_eq!((stage.dials(), stage.client.next_deadline()), (vec![], None));
}

#[test]
fn a_login_gives_the_whole_budget_back_but_the_waits_grow_until_a_link_has_lasted() {
    let mut stage = Stage::open();
    let mut waits = Vec::new();
    for _ in 0..10 {
        stage.server(unread(&[]));
        stage.advance(100);
        stage.cut();
        let mut wait = 0;
        if stage.dials_wanted() == 0 {
            wait = stage.client.next_deadline().expect("a redial to come").since(stage.now);
            stage.advance(wait);
        }
        waits.push(wait);
        stage.let_in();
    }
    assert_eq!(waits, [0, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500]);
    let events = stage.events();
    assert_eq!(events.iter().filter(|event| **event == Event::Opened).count(), 10);
    assert!(!events.contains(&Event::Closed));
}

#[test]
fn many_separate_losses_of_a_link_that_lasted_are_each_dialled_again_at_once() {
    let mut stage = Stage::open();
    for _ in 0..50 {
        stage.server(unread(&[]));
        stage.advance(5_000);
        stage.cut();
        // A dial is wanted without any time passing.
        stage.let_in();
    }
    assert!(!stage.events().contains(&Event::Closed));
}

#[test]
fn a_link_on_which_no_unread_was_answered_has_proved_nothing_however_long_it_was_up() {
    let mut stage = Stage::open();
    stage.cut();
    stage.let_in();
    stage.advance(29_000);
    stage.cut();
    assert_eq!(
        (stage.dials(), stage.client.next_deadline().map(|at| at.since(stage.now))),
        (vec![], Some(500))
    );
}

#[test]
fn two_devices_of_one_name_do_not_chase_each_other_without_a_pause() {
    let mut pair = [Stage::new(config()), Stage::new(config())];
    for stage in &mut pair {
        stage.client.login_token(stage.now, "t").expect("a fresh client");
    }
    let (mut dials_of_a_second, mut dials) = (0, Vec::new());
    let mut inside = None;
    for _ in 0..120_000 / 10 {
        for place in 0..2 {
            if pair[place].dials_wanted() > 0 {
                dials_of_a_second += 1;
                pair[place].let_in();
                pair[place].server(unread(&[]));
                // Whoever has the name already loses the link.
                if let Some(other) = inside.replace(place).filter(|other| *other != place) {
                    pair[other].cut();
                }
            }
            pair[place].advance(10);
        }
        if pair[0].now.0.is_multiple_of(1_000) {
            dials.push(std::mem::take(&mut dials_of_a_second));
        }
    }
    assert!(dials.iter().all(|count| *count <= 6), "{dials:?}");
    let late: u32 = dials[60..].iter().sum();
    assert!((1..=60).contains(&late), "at most one a second in the end, and neither gives up: {dials:?}");
    assert!(pair.iter_mut().all(|stage| !stage.events().contains(&Event::Closed)));
}

#[test]
fn without_a_budget_the_first_loss_is_the_end() {
    let mut stage = Stage::new(Config { reconnects: 0, ..config() });
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    stage.let_in();
    stage.events();
    stage.cut();
    let events = stage.events();
    assert!(matches!(&events[..], [Event::Error(Failure { code: 16, .. }), Event::Closed]), "{events:?}");
    assert_eq!(stage.dials(), []);
}

#[test]
fn a_login_step_without_an_answer_is_tried_again() {
    let mut stage = Stage::new(config());
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    stage.answer_dial();
    let silent = stage.link();
    stage.advance(10_000);
    assert_eq!(stage.hang_ups(), [silent]);
    stage.let_in();
    let events = stage.events();
    assert_eq!(codes(&events), [16]);
    assert_eq!(events.last(), Some(&Event::Opened));
}

#[test]
fn what_was_sent_while_down_goes_out_in_order_after_the_login_is_answered() {
    let mut stage = Stage::open();
    stage.cut();
    let locals: Vec<u64> =
        (0..3).map(|_| stage.client.send(stage.now, hello()).expect("a good message").0).collect();
    stage.answer_dial();
    let sent = stage.frames();
    assert_eq!(sent.len(), 1, "PROVISION alone: {sent:?}");
    stage.server(provision_answer(0, None));
    let sent = stage.frames();
    let ids: Vec<u64> = sent[1..].iter().map(|frame| uplink(frame).meta.expect("a meta").id()).collect();
    assert_eq!(ids, locals);
    stage.server(unread(&[]));
    assert_eq!(stage.frames(), [], "once");
}

#[test]
fn what_was_not_answered_goes_out_again_under_the_same_id() {
    let mut stage = Stage::open();
    let first = stage.client.send(stage.now, hello()).expect("a good message");
    let second = stage.client.send(stage.now, hello()).expect("a good message");
    stage.server(answer(first.0, 0, None, 77));
    stage.cut();
    stage.frames();
    stage.events();
    stage.let_in();
    let resent: Vec<u64> = stage
        .frames()
        .iter()
        .filter(|frame| frame.command == Some(0))
        .map(|frame| uplink(frame).meta.expect("a meta").id())
        .collect();
    assert_eq!(resent, [second.0]);
    stage.events();
    stage.server(answer(second.0, 0, None, 78));
    stage.server(answer(second.0, 0, None, 78));
    assert_eq!(stage.events().len(), 2, "sent and received, once");
}

#[test]
fn a_message_without_an_answer_takes_another_link_and_gives_up_after_three_tries() {
    let mut stage = Stage::open();
    let local = stage.client.send(stage.now, hello()).expect("a good message");
    for _ in 0..2 {
        stage.server(unread(&[]));
        stage.advance(15_000);
        assert_eq!(stage.hang_ups().len(), 1);
        assert_eq!(stage.error_codes(), [16]);
        stage.let_in();
        stage.events();
    }
    stage.advance(15_000);
    let events = stage.events();
    assert!(
        matches!(&events[..], [Event::Failed { local: lost, failure: Failure { code: 512, .. } }] if *lost == local),
        "{events:?}"
    );
    assert_eq!(stage.hang_ups(), [], "the link is not to blame any more");
}

#[test]
fn after_a_cut_what_was_in_flight_goes_out_in_its_order_under_the_same_ids_with_the_same_content() {
    let mut stage = Stage::open();
    for number in 0..5 {
        let message = Message::new(Chat::Single, "bob", Content::Text(number.to_string()));
        stage.client.send(stage.now, message).expect("a good message");
    }
    let sent: Vec<_> = stage.frames().iter().map(|frame| uplink(frame).meta).collect();
    assert_eq!(sent.len(), 5);
    for _ in 0..2 {
        stage.cut();
        let until = stage.client.next_deadline().map_or(0, |at| at.since(stage.now));
        if stage.dials_wanted() == 0 {
            stage.advance(until);
        }
        stage.let_in();
        let again = stage.frames();
        let again: Vec<_> =
            again.iter().filter(|frame| frame.command == Some(0)).map(|frame| uplink(frame).meta).collect();
        assert_eq!(again, sent);
    }
}

#[test]
fn a_message_on_which_the_server_closes_the_link_fails_and_those_behind_it_go_on_in_order() {
    let mut stage = Stage::open();
    let poison = stage.client.send(stage.now, hello()).expect("a good message");
    let behind: Vec<u64> =
        (0..3).map(|_| stage.client.send(stage.now, hello()).expect("a good message").0).collect();
    let mut failed = Vec::new();
    for _ in 0..3 {
        assert_eq!(failed, []);
        // The server closes as soon as it has read the first.
        stage.frames();
        stage.cut();
        if stage.dials_wanted() == 0 {
            let until = stage.client.next_deadline().expect("a redial to come").since(stage.now);
            stage.advance(until);
        }
        failed = stage.events().into_iter().filter(|event| matches!(event, Event::Failed { .. })).collect();
        stage.let_in();
    }
    let [Event::Failed { local, failure: Failure { code: 512, message, .. } }] = &failed[..] else {
        panic!("one failure of type 512, not {failed:?}");
    };
    assert_eq!(*local, poison);
    assert!(message.contains("3 times") && message.contains("link was lost"), "{message}");
    let resent = stage.frames();
    let uplinks = resent.iter().filter(|frame| frame.command == Some(0)).map(uplink);
    let ids: Vec<u64> = uplinks.map(|uplink| uplink.meta.expect("a meta").id()).collect();
    assert_eq!(ids, behind);
    stage.events();
    for local in behind {
        stage.server(answer(local, 0, None, local));
    }
    assert_eq!(stage.events().len(), 6, "each sent and received");
}

#[test]
fn a_heartbeat_is_an_unread_every_thirty_seconds() {
    let mut stage = Stage::open();
    for _ in 0..3 {
        stage.advance(29_999);
        assert_eq!(stage.frames(), []);
        stage.advance(1);
        assert_eq!(stage.frames().len(), 1);
        stage.server(unread(&[]));
    }
    assert_eq!(stage.events(), []);
}

#[test]
fn a_peer_that_is_silent_after_a_heartbeat_is_dead() {
    let mut stage = Stage::open();
    let dead = stage.link();
    stage.advance(44_999);
    assert_eq!(stage.hang_ups(), []);
    stage.advance(1);
    assert_eq!(stage.hang_ups(), [dead]);
    assert_eq!(stage.error_codes(), [16]);
    stage.let_in();
    assert_eq!(stage.events(), [Event::Opened]);
}

#[rstest]
#[case::removed(1, 207)]
#[case::another_device(2, 206)]
#[case::password_changed(3, 216)]
#[case::by_other_device(4, 217)]
fn a_kick_is_one_error_and_one_closed_without_a_redial(#[case] operation: i32, #[case] shown: i32) {
    let mut stage = Stage::open();
    let link = stage.link();
    let kick = StatisticsBody { operation: Some(operation), ..StatisticsBody::default() };
    let kick = meta(9, NameSpace::Statistic, kick.encode_to_vec());
    stage.server(page("", vec![text_meta(1, "before"), kick, text_meta(2, "beside")], Some(5), false));
    stage.cut();
    stage.advance(60_000);
    let events = stage.events();
    assert_eq!(texts_of(&events), ["before", "beside"], "its page is not lost");
    assert_eq!((codes(&events), events.last()), (vec![shown], Some(&Event::Closed)));
    assert_eq!(stage.pulls(), [(String::new(), Some(5))], "its page is acknowledged");
    assert_eq!((stage.hang_ups(), stage.dials()), (vec![link], vec![]));
}

#[test]
fn while_the_network_is_away_nobody_dials_and_when_it_comes_it_is_at_once() {
    let mut stage = Stage::open();
    stage.client.network(stage.now, false);
    stage.client.network(stage.now, false);
    stage.cut();
    let events = stage.events();
    assert!(matches!(&events[..], [Event::Offline, Event::Error(Failure { code: 16, .. })]), "{events:?}");
    stage.advance(3_600_000);
    assert_eq!(stage.dials(), []);
    stage.client.network(stage.now, true);
    stage.let_in();
    assert_eq!(stage.events(), [Event::Online, Event::Opened]);
}

#[test]
fn when_the_network_comes_a_link_that_seems_up_has_to_prove_it() {
    let mut stage = Stage::open();
    let dead = stage.link();
    stage.client.network(stage.now, false);
    stage.client.network(stage.now, true);
    assert_eq!(stage.frames().len(), 1);
    stage.advance(15_000);
    assert_eq!(stage.hang_ups(), [dead]);
}

#[rstest]
#[case::before_login(Stage::new(config()))]
#[case::while_logging_in({
    let mut stage = Stage::new(config());
    stage.client.login_token(stage.now, "t").expect("a fresh client");
    stage
})]
#[case::after_close({
    let mut stage = Stage::open();
    stage.client.close();
    stage
})]
fn a_send_when_not_logged_in_fails_and_is_not_queued(#[case] mut stage: Stage) {
    stage.transmits();
    stage.events();
    let local = stage.client.send(stage.now, hello()).expect("told by an event");
    let events = stage.events();
    assert!(
        matches!(&events[..], [Event::Failed { local: lost, failure: Failure { code: 32, .. } }] if *lost == local),
        "{events:?}"
    );
    assert_eq!(stage.transmits(), []);
    let refused = stage.client.join_group(stage.now, "1");
    assert_eq!(refused, Err(CommandError::NotLoggedIn { command: "join_group" }));
}

#[test]
fn a_plain_door_takes_no_text_and_sockjs_no_binary() {
    let mut stage = Stage::open();
    let link = stage.link();
    stage.handle(Received::Message { link, message: WireMessage::Text("o".to_owned()) });
    assert_eq!(stage.error_codes(), [604]);
    stage.handle(Received::Message { link, message: WireMessage::Binary(Bytes::new()) });
    assert_eq!(stage.error_codes(), [604], "an empty frame is none");
}
