//! Lines and objects of door faults: each is read back from what is written of it.

use proptest::prelude::*;
use rstest::rstest;
use serde_json::{Value, json};

use super::*;

#[rstest]
#[case::connections("refuse next 3 connections", json!({ "refuse": { "what": "connections", "with": "close", "next": 3 } }))]
#[case::one("refuse next connection", json!({ "refuse": { "what": "connections", "with": "close", "next": 1 } }))]
#[case::every("refuse every connection with 503", json!({ "refuse": { "what": "connections", "with": { "status": 503 } } }))]
#[case::reset("refuse next 2 connections with reset", json!({ "refuse": { "what": "connections", "with": "reset", "next": 2 } }))]
#[case::info("refuse info with 503 next 2", json!({ "refuse": { "what": "info", "with": { "status": 503 }, "next": 2 } }))]
#[case::closed_info("refuse info with close", json!({ "refuse": { "what": "info", "with": "close" } }))]
#[case::upgrade("refuse upgrade with 401 next 1", json!({ "refuse": { "what": "upgrade", "with": { "status": 401 }, "next": 1 } }))]
#[case::never("never open next 1", json!({ "never_open": { "next": 1 } }))]
#[case::never_at_all("never open", json!({ "never_open": {} }))]
#[case::slow("slow open 2s", json!({ "slow_open": { "ms": 2000 } }))]
#[case::slow_by_ms("slow open 250ms next 4", json!({ "slow_open": { "ms": 250, "next": 4 } }))]
#[case::slow_by_minutes("slow open 60m", json!({ "slow_open": { "ms": 3_600_000 } }))]
fn a_line_and_its_object_are_one_fault(#[case] line: &str, #[case] object: Value) {
    let fault: DoorFault = line.parse().expect("a good line");
    assert_eq!(fault.to_string(), line);
    assert_eq!(serde_json::to_value(&fault).expect("string keys"), object);
    assert_eq!(serde_json::from_value::<DoorFault>(object).expect("a good object"), fault);
    assert_eq!(serde_json::from_value::<DoorFault>(json!(line)).expect("a good line"), fault);
}

#[rstest]
#[case::no_number("refuse next connections", "refuse next connection")]
#[case::loud("  REFUSE  Next 3   Connections With RESET ", "refuse next 3 connections with reset")]
#[case::limit_behind("refuse connections with 502 next 2", "refuse next 2 connections with 502")]
#[case::limit_before("refuse next 2 upgrades with 502", "refuse upgrade with 502 next 2")]
#[case::how_is_left_out("refuse info", "refuse info with close")]
#[case::next_alone("never open next", "never open next 1")]
#[case::hours("slow open 1h", "slow open 60m")]
fn a_line_may_be_written_otherwise(#[case] line: &str, #[case] canonical: &str) {
    assert_eq!(line.parse::<DoorFault>().expect("a good line").to_string(), canonical);
}

#[rstest]
#[case::empty("", 1, "expected `refuse`, `never open` or `slow open`, and the line ends here")]
#[case::other_word("refse info", 1, "expected `refuse`, `never open` or `slow open`, not `refse`")]
#[case::no_door(
    "refuse",
    8,
    "expected `next`, `every`, `connections`, `info` or `upgrade`, and the line ends here"
)]
#[case::other_door("refuse next 3 infos", 15, "expected `connections`, `info` or `upgrade`, not `infos`")]
#[case::none("refuse next 0 connections", 13, "expected a number from 1 to 1000000, not `0`")]
#[case::too_many("never open next 1000001", 17, "expected a number from 1 to 1000000, not `1000001`")]
#[case::no_status(
    "refuse info with 200",
    18,
    "expected `close`, `reset` or a status from 400 to 599, not `200`"
)]
#[case::no_how(
    "refuse info with",
    18,
    "expected `close`, `reset` or a status from 400 to 599, and the line ends here"
)]
#[case::said_twice("refuse next 2 info next 3", 20, "expected `with` or the end of the line, not `next`")]
#[case::nothing_to_refuse("never open with 503", 12, "expected `next` or the end of the line, not `with`")]
#[case::never_what("never close", 7, "expected `open`, not `close`")]
#[case::no_time(
    "slow open",
    11,
    "expected a time of at most 1h, such as 250ms, 2s or 1m, and the line ends here"
)]
#[case::no_unit("slow open 2", 11, "expected a time of at most 1h, such as 250ms, 2s or 1m, not `2`")]
#[case::too_slow("slow open 61m", 11, "expected a time of at most 1h, such as 250ms, 2s or 1m, not `61m`")]
#[case::wide_characters(
    "refuse  ìnfo",
    9,
    "expected `next`, `every`, `connections`, `info` or `upgrade`, not `ìnfo`"
)]
fn a_line_that_makes_no_sense_says_where(#[case] line: &str, #[case] column: usize, #[case] message: &str) {
    let error = line.parse::<DoorFault>().expect_err("no sense");
    assert_eq!((error.column, &*error.message), (column, message));
    let shown = error.to_string();
    let (_, caret) = shown.rsplit_once('\n').expect("a caret");
    assert_eq!(caret.chars().count(), column + 2, "{shown}");
}

#[test]
fn an_error_points_at_the_word() {
    let error = "refuse info with 200 next 2".parse::<DoorFault>().expect_err("200 refuses nobody");
    let shown = [
        "column 18: expected `close`, `reset` or a status from 400 to 599, not `200`",
        "  refuse info with 200 next 2",
        "                   ^",
    ];
    assert_eq!(error.to_string(), shown.join("\n"));
    let endless = format!("refuse info {}", "x".repeat(100_000));
    let error = endless.parse::<DoorFault>().expect_err("no sense").to_string();
    assert!(error.len() < 500, "{} bytes", error.len());
}

#[rstest]
#[case::next(json!({ "never_open": { "next": 0 } }), "next: 1 to 1000000 is expected, not 0")]
#[case::status(json!({ "refuse": { "what": "info", "with": { "status": 302 } } }), "with: a status from 400 to 599 is expected, not 302")]
#[case::late(json!({ "slow_open": { "ms": 3_600_001 } }), "ms: 1 to 3600000 is expected, not 3600001")]
#[case::field(json!({ "never_open": { "times": 1 } }), "unknown field `times`, expected `next`")]
#[case::verb(json!({ "open": {} }), "unknown variant `open`, expected one of `refuse`, `never_open`, `slow_open`")]
#[case::line(json!("never"), "column 7: expected `open`, and the line ends here")]
#[case::number(json!(7), "a line such as \"refuse next 3 connections\"")]
fn an_object_that_makes_no_sense_says_why(#[case] object: Value, #[case] words: &str) {
    let error = serde_json::from_value::<DoorFault>(object).expect_err("no sense").to_string();
    assert!(error.contains(words), "{error}");
}

fn fault() -> impl Strategy<Value = DoorFault> {
    let next = proptest::option::of(1..=NEXT_MAX);
    let with = prop_oneof![Just(Refusal::Close), Just(Refusal::Reset), STATUSES.prop_map(Refusal::Status)];
    let what = prop_oneof![Just(Tries::Connections), Just(Tries::Info), Just(Tries::Upgrade)];
    prop_oneof![
        (what, with, next.clone()).prop_map(|(what, with, next)| DoorFault::Refuse { what, with, next }),
        next.clone().prop_map(|next| DoorFault::NeverOpen { next }),
        (1..=SLOW_MS_MAX, next).prop_map(|(ms, next)| DoorFault::SlowOpen { ms, next }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(fault in fault()) {
        prop_assert_eq!(fault.to_string().parse::<DoorFault>().expect("what is written"), fault.clone());
        let json = serde_json::to_string(&fault).expect("string keys");
        prop_assert_eq!(serde_json::from_str::<DoorFault>(&json).expect("what is written"), fault);
    }

    #[test]
    fn no_line_is_too_strange(line in "(refuse|never|slow|open|next|every|with|info|[0-9]{1,12}|[ \t]|\\PC){0,12}") {
        if let Err(error) = line.parse::<DoorFault>() {
            prop_assert!(error.column <= line.chars().count() + 2);
        }
    }
}
