//! A world that was saved and loaded goes on as if nothing had happened, and a file that does not fit is refused with
//! the place and the reason.

use std::sync::LazyLock;

use bytes::Bytes;
use mock_server::control::{Control, Fault, SettingsPatch};
use mock_server::machine::state::{At, Number, StateFault, StateFile, WorldState};
use mock_server::machine::{BlobId, Server};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use rstest::rstest;
use serde_json::{Value, json};

use crate::arbitrary::{self, Step, Street};
use crate::world::Login;

/// The bytes of an attachment are its number here: a machine knows no more of them.
fn saved(server: &Server, now: mock_server::machine::Millis) -> WorldState {
    server.state(now, &mut |blob| Some(Bytes::copy_from_slice(&blob.0.to_be_bytes())))
}

fn loaded(state: &WorldState) -> Result<Server, StateFault> {
    let keep = &mut |bytes: Bytes| {
        let number = <[u8; 8]>::try_from(&bytes[..]).map_err(|_| "a strange attachment".to_owned())?;
        Ok(BlobId(u64::from_be_bytes(number)))
    };
    let worlds = At::ROOT.field("worlds");
    Server::from_state(state, &worlds.index(0), keep)
}

/// What makes and moves whole worlds takes more of an unoptimised build's stack than a test's thread has.
fn on_a_large_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(32 << 20).spawn(work).expect("a thread");
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Rules that strangers alone meet, some of them never, and of each no more than a handful.
fn any_rule() -> impl Strategy<Value = Step> {
    const RULES: &[&str] = &[
        "on next 2 message from mallory: drop",
        "on every 2nd message from trudy with probability 0.5: duplicate",
        "on every message from mallory times 3 within 1s: delay 30ms",
        "on every frame from trudy times 2 after 20ms: delay 50ms, flip bit 77",
        "on 2nd text from mallory: answer status 7 \"no\"",
        "on next page to mallory: hold until next",
        "on every answer to trudy with probability 0.3: delay 40ms",
        "on every NOTICE to mallory seed 7 with probability 0.4: drop",
        "on 3rd SYNC from mallory: close 1011",
        "on 4th frame to trudy: cut",
        "on 3rd request /nowhere: answer http 503",
    ];
    let rule = |text: &str| text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
    select(RULES).prop_map(move |text| Step::Control(Control::Fault(Fault::Rule(Box::new(rule(text))))))
}

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        36 => arbitrary::any_step(),
        4 => any_rule(),
        1 => Just(Step::Control(Control::ClearFaults {})),
        2 => (0..100_u64).prop_map(Step::Wait),
    ]
}

/// The life of strangers for a while; whoever was told to go is back at once. What the bystanders say is not always heard at
/// once where everything happens that the protocol leaves open.
fn live(street: &mut Street, steps: Vec<Step>) {
    let nasty = street.world.server.nasty_seed().is_some();
    for step in steps {
        let talks = |conn| street.world.device(conn).is_some() && street.world.closed(conn).is_none();
        match step {
            Step::Write | Step::Read if nasty => continue,
            Step::Write if !talks(street.anna) => continue,
            Step::Read if !talks(street.bernd) => continue,
            Step::Wait(ms) => street.world.pass(ms),
            _ => street.step(step),
        }
        for which in 0..street.strangers.len() {
            if street.world.closed(street.strangers[which]).is_some() {
                street.come_back(which);
            }
        }
    }
}

/// Everybody who was there comes again.
fn come_again(street: &mut Street) {
    for conn in [street.anna, street.bernd] {
        street.world.hang_up(conn);
    }
    street.world.patch(SettingsPatch { serving: Some(true), ..SettingsPatch::default() });
    let mut back = |user, resource| {
        let conn = street.world.open();
        street.world.frame(conn, Login::new(user, resource).encode());
        conn
    };
    (street.anna, street.bernd) = (back("anna", "a"), back("bernd", "b"));
    (0..street.strangers.len()).for_each(|which| street.come_back(which));
}

#[test]
fn a_loaded_world_goes_on_as_the_saved_one_would() {
    on_a_large_stack(|| {
        proptest!(|(mut before in vec(any_step(), 2..120),
        restart in any::<Index>(), seed in any::<u64>(), nasty in option::of(any::<u64>()))| {
        let after = before.split_off(restart.index(before.len()));
        let mut street = Street::new();
        let first = saved(&street.world.server, street.world.now);
        let first = WorldState { seed: Number(seed), nasty: nasty.map(Number), ..first };
        let server = loaded(&first).unwrap_or_else(|fault| panic!("{fault}"));
        street.world.put(server, street.world.now);
        come_again(&mut street);
        live(&mut street, before);
        let now = street.world.now;
        let among_live = saved(&street.world.server, now);
        street.world.part();
        let state = saved(&street.world.server, now);
        prop_assert_eq!(&among_live, &state, "devices that are there are written as they will be remembered");

        let text = StateFile::of(vec![state.clone()]).text();
        let file = StateFile::parse(&text).unwrap_or_else(|fault| panic!("{fault}"));
        prop_assert_eq!(&file.worlds[..], &[state][..]);
        let mut other = loaded(&file.worlds[0]).unwrap_or_else(|fault| panic!("{fault}"));
        let again = StateFile::of(vec![saved(&other, now)]).text();
        prop_assert!(again == text, "the same world, the same bytes");

        come_again(&mut street);
        live(&mut street, after);
        live(&mut street, vec![Step::Write, Step::Read]);
        let (theirs, ours) = street.world.since(&mut other);
        prop_assert_eq!(&theirs[..], ours, "the same inputs, the same outputs");
        let now = street.world.now;
        prop_assert_eq!(saved(&other, now), saved(&street.world.server, now));});
    });
}

/// A world with one of everything, as a document.
fn example() -> WorldState {
    let mut street = Street::new();
    live(&mut street, vec![Step::Write, Step::Read, Step::Write]);
    street.world.part();
    saved(&street.world.server, street.world.now)
}

fn refused(json: &Value) -> String {
    let text = serde_json::to_vec(json).expect("JSON");
    let fault = match StateFile::parse(&text) {
        Err(fault) => fault,
        Ok(file) => loaded(&file.worlds[0]).map(drop).expect_err("it does not fit"),
    };
    fault.to_string()
}

/// The example with another value somewhere.
fn with(pointer: &str, value: Value) -> Value {
    let text = StateFile::of(vec![example()]).text();
    let mut json: Value = serde_json::from_slice(&text).expect("JSON");
    let (parent, last) = pointer.rsplit_once('/').expect("a pointer");
    match json.pointer_mut(parent).unwrap_or_else(|| panic!("{parent} is in the example")) {
        Value::Object(fields) => drop(fields.insert(last.to_owned(), value)),
        other => *other.pointer_mut(&format!("/{last}")).expect("it is in the example") = value,
    }
    json
}

#[rstest]
#[case::another_format("/format", json!("x"), r#"at format: "x" is another format; "mock-server state" is expected"#)]
#[case::no_app_key("/worlds/0/app_key", json!("x"), r#"at worlds[0].app_key: "x" is no app key: org#app is expected"#)]
#[case::a_message_of_an_unknown_group(
    "/worlds/0/messages/0/in/0", json!("group:9"),
    r#"at worlds[0].messages[0].in[0]: "group:9" is not among `conversations`"#
)]
#[case::a_conversation_of_an_unknown_group(
    "/worlds/0/conversations/0/name", json!("group:9"),
    r#"at worlds[0].conversations[0].name: "9" is no group of this world"#
)]
#[case::no_conversation(
    "/worlds/0/conversations/0/name", json!("x"),
    r#"at worlds[0].conversations[0].name: "x" is no conversation: users:ONE,OTHER, group:ID, service:USER or dissolved:NUMBER is"#
)]
#[case::a_watermark_past_the_log(
    "/worlds/0/users/0/conversations/0/watermark", json!(99),
    r#"at worlds[0].users[0].conversations[0].watermark: 99 is past the end of "#
)]
#[case::a_member_who_is_no_user(
    "/worlds/0/groups/0/members/1/user", json!("nobody"),
    r#"at worlds[0].groups[0].members[1].user: "nobody" is no user of this world"#
)]
#[case::an_owner_who_left(
    "/worlds/0/groups/0/owner", json!("trudy"),
    r#"at worlds[0].groups[0].owner: "trudy" is no member, and an owner is one"#
)]
#[case::one_user_twice(
    "/worlds/0/users/1/name", json!("anna"), r#"at worlds[0].users[1].name: a user "anna" is there already"#
)]
#[case::one_id_twice(
    "/worlds/0/messages/1/id", json!("1160000000000000001"),
    "at worlds[0].messages[1].id: 1160000000000000001 is not behind the one before it, which is 1160000000000000001"
)]
#[case::ids_that_would_come_again(
    "/worlds/0/counters/next_id", json!(7),
    "at worlds[0].messages[0].id: 1160000000000000001 is not below counters.next_id, which is 7"
)]
#[case::another_text_than_the_bytes(
    "/worlds/0/messages/0/text", json!("y"),
    r#"at worlds[0].messages[0].text: the bytes of `meta` say "x", and they are what clients get: this field only shows them; change both or leave it out"#
)]
#[case::receipts_of_a_group_without_a_conversation(
    "/worlds/0/asked_receipts", json!([{ "id": "1160000000000000001", "readers": { "sender": "anna", "in": "dissolved:3" } }]),
    r#"at worlds[0].asked_receipts[0].readers.in: "dissolved:3" is not among `conversations`"#
)]
#[case::no_bytes(
    "/worlds/0/messages/0/meta", json!("?"),
    "at worlds[0].messages[0].meta: damaged base64: Invalid symbol 63, offset 0."
)]
#[case::another_type("/worlds/0/users/0/tokens", json!(7), "at worlds[0].users[0].tokens: invalid type: integer `7`, expected a sequence")]
#[case::too_many_faults_of_a_kind(
    "/worlds/0/faults", json!({ "uploads": vec!["anna"; 1_001] }),
    "at worlds[0].faults.uploads: at most 1000 faults of a kind wait"
)]
fn what_does_not_fit_is_refused_with_its_place(
    #[case] pointer: &str,
    #[case] value: Value,
    #[case] expected: &str,
) {
    let fault = refused(&with(pointer, value));
    assert!(fault.starts_with(expected), "{fault}");
}

#[test]
fn a_document_can_be_written_by_hand() {
    let text = json!({
        "format": "mock-server state", "version": 1,
        "worlds": [{
            "app_key": "org#app",
            "clock": { "now_ms": 1_640_908_800_000_u64, "runs": false },
            "counters": { "next_id": 100, "next_group_id": 100, "next_device": 1 },
            "users": [{ "name": "alice", "password": "pw" }, { "name": "bob", "contacts": [] }],
            "groups": [{
                "id": "7", "kind": "group", "owner": "alice", "members": [{ "user": "alice" }],
                "profile": { "name": "g", "users_max": 200 },
            }],
        }],
    });
    let file = StateFile::parse(text.to_string().as_bytes()).unwrap_or_else(|fault| panic!("{fault}"));
    loaded(&file.worlds[0]).unwrap_or_else(|fault| panic!("{fault}"));
}

/// A main thread of Windows has 1 MiB; this build is not optimised, and takes more than the one that people run.
#[test]
fn a_document_is_read_within_a_small_stack() {
    let text = StateFile::of(vec![example()]).text();
    let read = move || StateFile::parse(&text).map(|file| loaded(&file.worlds[0]).is_ok());
    let thread = std::thread::Builder::new().stack_size(1 << 20).spawn(read).expect("a thread");
    assert!(thread.join().expect("it fits").is_ok_and(|fits| fits));
}

/// What is done to a document: some value in it becomes another one, or one of its own that stands elsewhere.
#[derive(Clone, Debug)]
struct Slip {
    at: Index,
    how: Change,
}

#[derive(Clone, Debug)]
enum Change {
    Gone,
    Twice,
    To(Value),
    Elsewhere(Index),
}

fn any_slip() -> impl Strategy<Value = Slip> {
    let values = prop_oneof![
        any::<u64>().prop_map(Value::from),
        (0..9_u64).prop_map(Value::from),
        Just(Value::from(u64::MAX.to_string())),
        ".{0,9}".prop_map(Value::from),
        select(&["anna", "mallory", "group:7", "users:anna,bernd", "service:bernd", "dissolved:3"][..])
            .prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
    ];
    let how = prop_oneof![
        1 => Just(Change::Gone),
        1 => Just(Change::Twice),
        3 => values.prop_map(Change::To),
        2 => any::<Index>().prop_map(Change::Elsewhere),
    ];
    (any::<Index>(), how).prop_map(|(at, how)| Slip { at, how })
}

/// Every place of a document.
fn places(value: &Value, path: &str, into: &mut Vec<String>) {
    into.push(path.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{path}/{index}"), into));
        }
        Value::Object(fields) => {
            fields.iter().for_each(|(name, field)| {
                places(field, &format!("{path}/{}", name.replace('/', "~1")), into)
            });
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn slip(json: &mut Value, Slip { at, how }: Slip) {
    let mut all = Vec::new();
    places(json, "", &mut all);
    let place = at.get(&all[1..]).clone();
    let Some((parent, last)) = place.rsplit_once('/') else { return };
    match how {
        Change::To(value) => json.pointer_mut(&place).map(|old| *old = value),
        Change::Elsewhere(other) => {
            let source: &String = other.get(&all);
            let value = json.pointer(source).cloned().unwrap_or_default();
            json.pointer_mut(&place).map(|old| *old = value)
        }
        Change::Gone | Change::Twice => json.pointer_mut(parent).map(|parent| match parent {
            Value::Array(items) => {
                let index: usize = last.parse().expect("an index");
                let item = items.remove(index);
                if matches!(how, Change::Twice) {
                    items.insert(index, item.clone());
                    items.insert(index, item);
                }
            }
            Value::Object(fields) => drop(fields.remove(last)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }),
    };
}

/// A document in which much stands, and the same for every case.
static FULL: LazyLock<Value> = LazyLock::new(|| on_a_large_stack(full));

fn full() -> Value {
    let mut runner = TestRunner::deterministic();
    let steps = vec(any_step(), 300).new_tree(&mut runner).expect("steps").current();
    let mut street = Street::new();
    live(&mut street, steps);
    street.world.part();
    let text = StateFile::of(vec![saved(&street.world.server, street.world.now)]).text();
    serde_json::from_slice(&text).expect("JSON")
}

#[test]
fn a_damaged_document_is_refused_or_makes_a_world_that_works() {
    on_a_large_stack(|| {
        proptest!(|(slips in vec(any_slip(), 1..4),
        steps in vec(any_step(), 0..20))| {
        let mut json = FULL.clone();
        slips.into_iter().for_each(|one| slip(&mut json, one));
        let text = serde_json::to_vec(&json).expect("JSON");
        let Ok(file) = StateFile::parse(&text) else { return Ok(()) };
        let Some(state) = file.worlds.first() else { return Ok(()) };
        let Ok(server) = loaded(state) else { return Ok(()) };
        let mut street = Street::new();
        street.world.put(server, mock_server::machine::Millis(state.clock.now_ms));
        street.world.patch(SettingsPatch { serving: Some(true), ..SettingsPatch::default() });
        come_again(&mut street);
        for one in steps {
            // Whether what bystanders say comes through is another question: the document may say that it does not.
            if !matches!(one, Step::Write | Step::Read) {
                live(&mut street, vec![one]);
            }
        }
        street.world.part();
        let again = saved(&street.world.server, street.world.now);
        prop_assert!(loaded(&again).is_ok(), "{:?}", loaded(&again).map(drop));});
    });
}
