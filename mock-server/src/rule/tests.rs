//! The language: what is read, how it is written again, and what a person is told of what cannot be read.

use proptest::prelude::*;
use rstest::rstest;
use serde_json::json;

use super::*;

#[rstest]
#[case::next("on next SYNC from alice: drop")]
#[case::issue("on 2nd SYNC from alice where meta.ns == CHAT: delay 3s")]
#[case::every("on every 3rd page to bob: duplicate")]
#[case::reorder("on every text from anyone: hold until next")]
#[case::damage("on next 5 frame to alice/web: delay 250ms, truncate 7, flip bit 12")]
#[case::status("on next text from alice: answer status 7 \"sensitive words\"")]
#[case::http("on next GET /chatgroups from alice: answer http 503")]
#[case::body("on next POST /token: answer http 400 \"{\\\"error\\\":\\\"x\\\"}\"")]
#[case::late_answer("on next request to alice where status == 200 and body.type != x: delay 2m, reset")]
#[case::upload("on next upload /chatfiles from alice: reset")]
#[case::close("on next answer to alice where status.errorCode == 7: close 1011")]
#[case::limits("on every NOTICE times 3 within 10s after 5s with probability 0.3 seed 7: go silent")]
#[case::conditions("on 11th message where key > 3 and meta.to.name contains \"a b\" and meta.id exists: cut")]
#[case::absent("on next SYNC to bob where metas is absent: drop")]
fn a_rule_is_written_as_it_was_read(#[case] text: &str) {
    let rule: Rule = text.parse().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(rule.to_string(), text);
}

#[rstest]
#[case("ON Next sync FROM Alice : DROP", "on next SYNC from Alice: drop")]
#[case("on 1th text:drop", "on 1st text: drop")]
#[case("on every 1st ack : delay 3000ms ,duplicate", "on every ack: delay 3s, duplicate")]
#[case(
    "on next 1 provision from anyone where guid.name==alice: drop",
    "on next PROVISION from anyone where guid.name == alice: drop"
)]
#[case("on next text after 1h times 2: drop", "on next text times 2 after 1h: drop")]
#[case("on next text where meta.to.name == \"bob\": drop", "on next text where meta.to.name == bob: drop")]
#[case("on next text where meta.to.name == \"12\": drop", "on next text where meta.to.name == \"12\": drop")]
fn what_means_the_same_is_written_the_same(#[case] text: &str, #[case] canonical: &str) {
    let rule: Rule = text.parse().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(rule.to_string(), canonical);
}

#[rstest]
#[case::empty("", 1, "a rule begins with `on`")]
#[case::which("on netx text: drop", 4, "did you mean next?")]
#[case::what("on next txt: drop", 9, "did you mean text?")]
#[case::what_case("on next PROVISON from a: drop", 9, "did you mean PROVISION?")]
#[case::clause("on next SYNC form alice: drop", 14, "did you mean from?")]
#[case::no_action("on next text", 13, "`:` and what is done is expected here")]
#[case::action("on next text: dorp", 15, "did you mean drop?")]
#[case::zeroth("on 0th text: drop", 4, "it is counted from 1")]
#[case::both_ways("on next SYNC: drop", 9, "these go both ways")]
#[case::wrong_way("on next text to bob: drop", 14, "clients send these and the server does not")]
#[case::wrong_way_down(
    "on next page from bob: drop",
    14,
    "the server sends these and clients do not: say `to`"
)]
#[case::two_ways("on next SYNC from a to b: drop", 21, "one thing goes one way")]
#[case::field("on next text where mtea.ns == CHAT: drop", 20, "did you mean meta?")]
#[case::equals("on next text where meta.ns = CHAT: drop", 28, "did you mean ==?")]
#[case::order("on next text where meta.ns < CHAT: drop", 20, "less and more are of numbers")]
#[case::twice("on next text from a from b: drop", 21, "`from` was said before")]
#[case::lost_twice("on next text: duplicate, drop", 26, "the frame does not go")]
#[case::after_the_end("on next text: drop, duplicate", 21, "nothing can follow")]
#[case::held_and_late("on next text: delay 3s, hold until next", 25, "what is delayed goes in the end")]
#[case::doubled("on next GET /users: duplicate", 21, "a request is not a frame")]
#[case::status_of_request("on next GET /users: answer status 7", 21, "answered with `answer http`")]
#[case::http_of_frame("on next text: answer http 503", 15, "only requests are answered with HTTP")]
#[case::answer_down("on next page to bob: answer status 7", 22, "only what a client sends")]
#[case::close_code("on next text: close 1005", 15, "may stand in a close frame")]
#[case::http_status("on next GET: answer http 99", 14, "200 to 599 are expected")]
#[case::probability("on next text with probability 3: drop", 31, "more than 0 and at most 1")]
#[case::seed("on next text seed 3: drop", 19, "nothing is left to chance")]
#[case::window("on next text within 3s after 3s: drop", 21, "it is over before it begins")]
#[case::duration("on next text: delay 3 s", 21, "a time is expected here")]
#[case::endless("on next text: delay 9999999h", 21, "1ms to 720h are expected")]
#[case::open_quote("on next text where meta.to.name == \"bob: drop", 36, "has no end")]
#[case::no_answer_yet("on next GET from alice where status == 200: drop", 30, "there is no answer yet")]
#[case::request_field("on next GET where pat == x: drop", 19, "did you mean path?")]
#[case::device_of_request("on next GET from alice/web: drop", 13, "its device nobody knows")]
fn what_cannot_be_is_refused_where_it_stands(#[case] text: &str, #[case] column: usize, #[case] says: &str) {
    let error = text.parse::<Rule>().expect_err(text);
    assert!(error.message.contains(says), "{error}");
    assert_eq!(error.column, column, "{error}");
}

#[test]
fn the_place_is_pointed_at() {
    let error = "on 2nd SYNC frm alice: drop".parse::<Rule>().expect_err("frm is no word");
    insta::assert_snapshot!(error, @r"
    not a rule: column 13: `:` and what is done, or one of from, to, where, times, within, after, with, seed, is expected here; did you mean from?
      on 2nd SYNC frm alice: drop
                  ^
    ");
}

#[test]
fn text_and_object_say_the_same() {
    let text = "on next 2 answer to alice/web where status.errorCode == 7 within 10s: delay 3s, cut";
    let object = json!({
        "which": { "next": 2 }, "what": { "kind": "answer" }, "to": { "user": "alice", "device": "web" },
        "where": [{ "path": "status.errorCode", "test": { "is": 7 } }], "within_ms": 10_000,
        "do": [{ "delay": { "ms": 3_000 } }, "cut"],
    });
    let of_object: Rule = serde_json::from_value(object.clone()).expect("a rule");
    let of_text: Rule = serde_json::from_value(json!(text)).expect("a rule");
    assert_eq!(of_object, of_text);
    assert_eq!(serde_json::to_value(&of_object).expect("a text"), json!(text));
    assert_eq!(serde_json::to_value(of_text.parts()).expect("an object"), object);
}

#[rstest]
#[case(json!({ "which": { "next": 0 }, "what": "message", "do": ["drop"] }), "which: it is counted from 1")]
#[case(json!({ "which": { "next": 1 }, "what": "message", "do": [] }), "do[0]: something must be done")]
#[case(json!({ "which": { "next": 1 }, "what": "message", "do": ["drop", "cut"] }), "do[1]: nothing can follow")]
#[case(json!({ "which": { "next": 1 }, "what": "message", "doo": [] }), "unknown field `doo`")]
#[case(json!(7), "a rule: its text")]
fn an_object_that_cannot_be_is_refused_by_the_name_of_its_part(
    #[case] object: serde_json::Value,
    #[case] says: &str,
) {
    let error = serde_json::from_value::<Rule>(object).expect_err("no rule").to_string();
    assert!(error.contains(says), "{error}");
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        any::<bool>().prop_map(Literal::Bool),
        any::<i64>().prop_map(Literal::Integer),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Literal::Decimal),
        "\\PC{0,12}".prop_map(Literal::Text),
        "[a-zA-Z0-9.-]{1,8}".prop_map(Literal::Text),
    ]
}

fn party() -> impl Strategy<Value = Party> {
    let name = || proptest::option::of("[a-zA-Z0-9._/: -]{1,8}|anyone");
    (name(), name()).prop_map(|(user, device)| Party { user, device })
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        Just(Action::Drop),
        (1..100_000_u64).prop_map(|ms| Action::Delay { ms }),
        Just(Action::Duplicate),
        Just(Action::HoldUntilNext),
        (1..9_u32).prop_map(|bytes| Action::Truncate { bytes }),
        any::<u32>().prop_map(|bit| Action::FlipBit { bit }),
        (1..30, "\\PC{0,8}").prop_map(|(code, reason)| Action::AnswerStatus { code, reason }),
        (200..=599_u16, ".{0,8}").prop_map(|(status, body)| Action::AnswerHttp { status, body }),
        Just(Action::Close { code: 1011 }),
        Just(Action::Cut),
        Just(Action::Reset),
        Just(Action::GoSilent),
    ]
}

fn parts() -> impl Strategy<Value = Parts> {
    let which = prop_oneof![
        (1..200_u32).prop_map(Which::Next),
        (1..200_u32).prop_map(Which::Nth),
        (1..200_u32).prop_map(Which::Every),
    ];
    let what = prop_oneof![
        Just(What::Command(Command::Sync)),
        Just(What::Kind(Kind::Text)),
        Just(What::Kind(Kind::Page)),
        Just(What::Message),
        Just(What::Frame),
        "(/[a-z:]{1,5}[a-z])?".prop_map(|path| What::Request { method: Some(Method::Get), path }),
        "(/[a-z]{1,6})?".prop_map(|path| What::Upload { path }),
    ];
    let test = prop_oneof![
        literal().prop_map(Test::Is),
        literal().prop_map(Test::IsNot),
        literal().prop_map(Test::Below),
        literal().prop_map(Test::AtLeast),
        literal().prop_map(Test::Contains),
        Just(Test::Exists),
        Just(Test::Absent),
    ];
    let path = proptest::sample::select(vec!["meta.ns", "status", "key", "body.a", "guid.name"]);
    let conditions = proptest::collection::vec(
        (path, test).prop_map(|(path, test)| Condition { path: path.into(), test }),
        0..3,
    );
    let limits = (
        proptest::option::of(1..9_u32),
        proptest::option::of(1..9_000_000_u64),
        proptest::option::of(1..9_000_000_u64),
        proptest::option::of(0.0..=1.0),
        proptest::option::of(any::<u64>()),
    );
    let actions = proptest::collection::vec(action(), 1..3);
    let sides = (proptest::option::of(party()), proptest::option::of(party()));
    (which, what, sides, conditions, limits, actions).prop_map(
        |(which, what, (from, to), conditions, (times, within_ms, after_ms, probability, seed), actions)| {
            Parts {
                which,
                what,
                from,
                to,
                conditions,
                times,
                within_ms,
                after_ms,
                probability,
                seed,
                actions,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn every_rule_reads_back_as_it_is(parts in parts()) {
        // Most combinations make no sense, and are not rules.
        if let Ok(rule) = Rule::try_from(parts) {
            let text = rule.to_string();
            let again: Rule = text.parse().map_err(|error| TestCaseError::fail(format!("{error}")))?;
            prop_assert_eq!(&again, &rule, "{}", text);
            let object = serde_json::to_value(rule.parts()).expect("string keys");
            let of_object: Rule = serde_json::from_value(object).expect("the same rule");
            prop_assert_eq!(of_object.to_string(), text);
        }
    }

    #[test]
    fn no_text_is_too_much(text in "(on |next |every |text|SYNC|:|,|from |where |\"|\\\\|==|[a-z0-9 ]|\\PC){0,40}") {
        if let Err(error) = text.parse::<Rule>() {
            prop_assert!(error.to_string().contains("column"));
        }
    }
}

#[test]
fn chance_is_the_same_each_time_and_follows_the_seed() {
    let rule = |text: &str| text.parse::<Rule>().expect("a rule");
    let drawn = |rule: &Rule, world_seed, number| -> Vec<bool> {
        (1..=200).map(|nth| Draw { world_seed, rule: number, nth }.falls_to(rule)).collect()
    };
    let chance = rule("on every text with probability 0.3: drop");
    let first = drawn(&chance, 1, 1);
    assert_eq!(first, drawn(&chance, 1, 1));
    assert_ne!(first, drawn(&chance, 2, 1), "another world seed");
    assert_ne!(first, drawn(&chance, 1, 2), "another rule");
    let own = rule("on every text with probability 0.3 seed 9: drop");
    assert_eq!(drawn(&own, 1, 1), drawn(&own, 2, 2), "a seed of its own");
    let hits = first.iter().filter(|hit| **hit).count();
    assert!((40..=80).contains(&hits), "{hits} of 200 at 0.3");
}

/// docs/stage.md shows no rule that is none, and every action.
#[test]
fn the_guide_is_about_this_language() {
    let guide = include_str!("../../../docs/stage.md");
    let mut rules: Vec<Rule> = Vec::new();
    for line in guide.lines() {
        let Some(text) = line.strip_prefix("- `on ").and_then(|rest| rest.strip_suffix('`')) else {
            continue;
        };
        let text = format!("on {text}");
        let rule: Rule = text.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rule.to_string(), text, "the guide writes rules as they are written back");
        rules.push(rule);
    }
    let shown: Vec<&Action> = rules.iter().flat_map(|rule| &rule.parts().actions).collect();
    for word in words::ACTIONS {
        assert!(shown.iter().any(|action| action.to_string().starts_with(word)), "no example of {word}");
    }
    for (_, word) in words::COMMANDS {
        assert!(guide.contains(word), "{word}");
    }
    for (kind, word, way) in words::kinds() {
        let is_told = matches!(kind, Kind::Unknown | Kind::Sync) || guide.contains(word);
        assert!(is_told, "{kind:?} ({way:?}) is not in the guide");
    }
}
