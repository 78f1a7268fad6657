//! What a world's handle can do, by the world that comes of it. No client is needed for most of it.

use std::time::Duration;

use mock_server::control::{Control, KickReason, SettingsPatch};
use mock_server::control_api::WaitFor;
use mock_server::shell::{MockServer, Options, WorldHandle};
use mock_server::traffic::Rows;
use serde_json::{Value, json};

pub(crate) fn server() -> MockServer {
    MockServer::start(Options { tape: true, ..Options::default() }).expect("a port of this machine is free")
}

pub(crate) fn world(server: &MockServer) -> WorldHandle {
    server.world("org#app").expect("an app key")
}

async fn overview(world: &WorldHandle) -> Value {
    serde_json::to_value(world.overview().await.expect("it is there")).expect("string keys")
}

#[tokio::test]
async fn people_and_where_they_talk() {
    let server = server();
    let world = world(&server);
    world.user("alice", "secret").await.expect("a name");
    world.users(&["bob", "carol"]).await.expect("names");
    world.group("g1", "alice", &["bob"]).await.expect("they are there");
    world.room("r1", "bob", &["carol"]).await.expect("they are there");
    let seen = overview(&world).await;
    let names: Vec<&Value> =
        seen["users"].as_array().expect("users").iter().map(|user| &user["name"]).collect();
    assert_eq!(names, ["alice", "bob", "carol"]);
    assert_eq!((&seen["groups"][0]["id"], &seen["groups"][0]["owner"]), (&json!("g1"), &json!("alice")));
    assert_eq!((&seen["rooms"][0]["id"], &seen["rooms"][0]["owner"]), (&json!("r1"), &json!("bob")));

    world.send_text("alice", "g1", "hello").await.expect("a member may");
    assert_eq!(overview(&world).await["users"][1]["unread"], 1, "bob has it");
    world.control(Control::Dissolve { id: "g1".into() }).await.expect("it is there");
    assert_eq!(overview(&world).await["groups"], json!([]));
}

#[tokio::test]
async fn settings_and_tokens() {
    let server = server();
    let world = world(&server);
    world
        .set(SettingsPatch { recall: Some(false), ..SettingsPatch::default() })
        .await
        .expect("it makes sense");
    assert!(!world.settings().await.expect("it is there").recall);
    world.users(&["alice"]).await.expect("a name");
    world.token("alice", "t0ken", Duration::from_secs(60)).await.expect("she is there");
    world.stop_clock().await.expect("any moment does");
    world.expire_tokens("alice").await.expect("she is there");
    let saved = world.save().await.expect("no attachments");
    let now = world.clock().await.expect("it is there").now_ms;
    let saved = serde_json::to_value(&saved).expect("string keys");
    let ends = &saved["worlds"][0]["users"][0]["tokens"][0]["expires_ms"];
    assert!(ends.as_u64().is_some_and(|ends| ends <= now), "{ends} at {now}");
}

#[tokio::test]
async fn the_clock_stands_moves_and_runs() {
    let server = server();
    let world = world(&server);
    let at = world.set_clock(1_640_908_800_000).await.expect("nobody has been here");
    assert_eq!((at.now_ms, at.runs), (1_640_908_800_000, false));
    let at = world.advance(Duration::from_secs(120)).await.expect("it is not the end of time");
    assert_eq!((at.now_ms, at.runs), (1_640_908_920_000, false));
    assert_eq!(world.clock().await.expect("it is there"), at);
    let at = world.run_clock().await.expect("it is there");
    assert!(at.runs && at.now_ms >= 1_640_908_920_000, "{at:?}");
    let stands = world.stop_clock().await.expect("any moment does");
    assert!(!stands.runs && stands.now_ms >= at.now_ms, "{stands:?}");
    assert_eq!(world.clock().await.expect("it is there"), stands);
}

#[tokio::test]
async fn rules_have_handles_of_their_own() {
    let server = server();
    let world = world(&server);
    let first = world.rule("on next recall from alice: answer status 4").await.expect("a rule");
    let second = world.rule("ON NEXT text FROM alice: drop").await.expect("a rule");
    assert_eq!((first.id(), second.id()), (1, 2));
    let state = second.state().await.expect("it is armed");
    assert_eq!((&*state.text, state.hits, state.armed), ("on next text from alice: drop", 0, true));
    first.clear().await.expect("it is armed");
    let left: Vec<u64> = world.rules().await.expect("it is there").iter().map(|rule| rule.id).collect();
    assert_eq!(left, [2]);
    world.clear_faults().await.expect("it always does");
    assert_eq!(world.rules().await.expect("it is there"), []);
}

#[tokio::test]
async fn a_state_goes_and_comes_back() {
    let (one, other) = (server(), server());
    world(&one).users(&["alice"]).await.expect("a name");
    let saved = world(&one).save().await.expect("no attachments");
    let placed = world(&other).load(&saved).await.expect("it holds together");
    assert_eq!((&*placed.app_key, placed.connections_cut), ("org#app", 0));
    assert_eq!(overview(&world(&other)).await["users"][0]["name"], "alice");

    world(&one).reset().await.expect("it is there");
    assert_eq!(overview(&world(&one)).await["users"], json!([]));
    one.load(&other.save().await.expect("no attachments")).await.expect("it holds together");
    assert_eq!(overview(&world(&one)).await["users"][0]["name"], "alice");
    world(&one).forget().await.expect("it is there");
    assert_eq!(one.worlds().await.expect("it runs"), []);
    one.stop().await;
}

#[tokio::test]
async fn nothing_is_left_to_do_where_nobody_is() {
    let server = server();
    let world = world(&server);
    world.quiet(Duration::ZERO).await.expect("nobody is there");
    assert!(world.rest(Duration::ZERO).await.expect("it is there").reached);
    assert_eq!(world.traffic(Rows::default()).await.expect("a tape is kept"), []);
    world.users(&["alice"]).await.expect("a name");
    world.kick("alice", KickReason::Operator).await.expect_err("she has no device");
}

/// One thread does all: were anything blocking, neither would come to its end.
#[tokio::test(flavor = "current_thread")]
async fn who_waits_holds_nobody_up_and_may_go_away() {
    let server = server();
    let world = world(&server);
    world.users(&["alice", "bob"]).await.expect("names");
    let waits =
        world.wait(WaitFor::rows("http").with_text("nobody says this").within(Duration::from_secs(60)));
    tokio::select! {
        biased;
        waited = waits => panic!("{waited:?}"),
        sent = world.send_text("bob", "alice", "hello") => sent.expect("both are there"),
    }
    let rest = world.rest(Duration::from_secs(5)).await.expect("it is there");
    assert!(rest.reached, "{rest:?}");
}
