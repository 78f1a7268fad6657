//! What a test is told when it asks for what cannot be.

use std::time::Duration;

use insta::assert_snapshot;
use mock_server::control::Control;
use mock_server::control_api::WaitFor;
use mock_server::shell::{MockServer, Options, WorldError};
use mock_server::traffic::Rows;

use crate::calls::{server, world};

#[tokio::test]
async fn each_refusal_says_what_to_do() {
    let server = server();
    let world = world(&server);
    let none = server.world("acme").expect_err("no app key");
    assert_snapshot!(none, @r#""acme" is no app key: org#app is expected, such as easemob#demo"#);
    world.users(&["alice"]).await.expect("a name");
    let unknown = world.send_text("alcie", "alice", "hi").await.expect_err("nobody of that name");
    assert_snapshot!(unknown, @r#"no user "alcie" in this world; make it first, or did you mean "alice"?"#);
    let twice = vec![Control::Dissolve { id: "g1".into() }, Control::ClearFaults {}];
    assert_snapshot!(world.control_all(twice).await.expect_err("no such group"), @r#"nothing was done: command 1 of 2 was refused: no group or room "g1" in this world; make it first"#);
    let rule = world.rule("on next recal from alice: drop").await.expect_err("a slip");
    assert_snapshot!(rule, @r#"
    not a rule: column 9: nothing is called "recal"; did you mean recall? There are SYNC UNREAD NOTICE PROVISION LOGOUT pull ack text image file audio video location cmd custom combine recall edit read_ack delivered_ack channel_ack roster muc statistics answer page unknown message frame request upload GET POST PUT DELETE
      on next recal from alice: drop
              ^
    "#);
    assert_snapshot!(world.stage("5O4", "alice").await.expect_err("a letter for a digit"), @r#"the catalog has no "5O4"; perhaps 504 or 54? `mock-server errors` lists them all"#);
    assert_snapshot!(world.advance(Duration::MAX).await.expect_err("no such year"), @"a clock goes to 253402300799999 ms, the end of the year 9999, and 18446744073709551615 ms is behind it");
    let nothing = world.wait(WaitFor::rows("text").count(0)).await.expect_err("nothing to wait for");
    assert_snapshot!(nothing, @"count: at least one row can be waited for, not 0");
    let kind = world.traffic(Rows::of("txet")).await.expect_err("no such kind");
    assert_snapshot!(kind, @r#"there is no kind "txet"; text there is"#);
    let armed = world.rule("on next text from alice: drop").await.expect("a rule");
    armed.clear().await.expect("it is armed");
    assert_snapshot!(armed.hits().await.expect_err("it was cleared"), @"rule 1 is not armed in this world any more: it was cleared, or the world reset");
    let elsewhere = server.world("org#other").expect("an app key");
    let saved = world.save().await.expect("no attachments");
    assert_snapshot!(elsewhere.load(&saved).await.expect_err("of another world"), @"nothing was done: a state of org#other alone is expected, and this has org#app");
}

/// Whoever reads it can see it again.
#[tokio::test]
async fn in_a_nasty_world_a_refusal_says_the_seed() {
    let options = Options { tape: true, nasty: Some(7), ..Options::default() };
    let server = MockServer::start(options).expect("a port of this machine is free");
    let world = world(&server);
    world.users(&["alice"]).await.expect("a name");
    assert_snapshot!(world.send_text("alcie", "alice", "hi").await.expect_err("nobody"), @r#"no user "alcie" in this world; make it first, or did you mean "alice"? (nasty seed 7)"#);
    let several = vec![Control::ClearFaults {}, Control::Dissolve { id: "g1".into() }];
    assert_snapshot!(world.control_all(several).await.expect_err("no such group"), @r#"nothing was done: command 2 of 2 was refused: no group or room "g1" in this world; make it first (nasty seed 7)"#);
    assert_snapshot!(world.stage("504", "alcie").await.expect_err("nobody"), @r#"no user "alcie" in this world; make it first, or did you mean "alice"? (nasty seed 7)"#);
    let late = world.wait(WaitFor::rows("text").within(Duration::ZERO)).await.expect_err("none came");
    assert_snapshot!(late, @"of 1 0 came within 0 ms of real time; nothing came that is like it (nasty seed 7)");
}

#[tokio::test]
async fn time_never_goes_backwards_where_somebody_has_been() {
    let server = server();
    let world = world(&server);
    world.set_clock(2_000).await.expect("nobody has been here");
    world.set_clock(1_000).await.expect("nobody has been here");
    let addr = server.addr();
    // Any request has been there; the reference client is not needed for one.
    let (mut asks, bytes) = (
        std::net::TcpStream::connect(addr).expect("it listens"),
        b"GET /org/app/users HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    );
    std::io::Write::write_all(&mut asks, bytes).expect("it reads");
    world.wait(WaitFor::rows("http")).await.expect("a request came");
    let back = world.set_clock(500).await.expect_err("somebody was there");
    assert_snapshot!(back, @"the world's clock is at 1000 ms and cannot go back to 500 ms: time never goes backwards; a world made anew may begin at any time");
    let late = world.wait(WaitFor::rows("text").within(Duration::ZERO)).await.expect_err("none came");
    assert_snapshot!(late, @"of 1 0 came within 0 ms of real time; nothing came that is like it");
    let near = WaitFor { status: Some(200), ..WaitFor::rows("http") }.within(Duration::ZERO);
    assert_snapshot!(world.wait(near).await.expect_err("it was refused"), @r#"
    of 1 0 came within 0 ms of real time
      near: row 0, GET /users → 401
            but status is 401, not 200
    "#);
}

#[tokio::test]
async fn what_is_not_kept_cannot_be_looked_at() {
    let server = MockServer::start(Options::default()).expect("a port of this machine is free");
    let world = world(&server);
    let no_tape = world.wait(WaitFor::rows("text")).await.expect_err("no tape");
    assert_eq!(no_tape, WorldError::NoTape);
    assert_snapshot!(no_tape, @"no tape is kept of this world: start the server with Options { tape: true, ..Options::default() }");
    server.stop().await;
    let stopped = world.overview().await.expect_err("it has stopped");
    assert_snapshot!(stopped, @"the server has stopped: keep its MockServer for as long as its worlds are used");
}

#[tokio::test]
async fn a_world_that_goes_ends_who_waits_for_it() {
    let server = server();
    let world = world(&server);
    let (waited, reset) = tokio::join!(world.wait(WaitFor::rows("text")), world.reset());
    reset.expect("it is there");
    assert_snapshot!(waited.expect_err("its rows are gone"), @"the world was forgotten or made anew meanwhile, and its rows with it");
}
