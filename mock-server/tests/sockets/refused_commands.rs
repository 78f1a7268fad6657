//! Every command and every fault of the control plane, refused: what it says, and that nothing at all has changed.

use std::collections::BTreeSet;

use rstest::rstest;
use serde_json::Value;

use crate::refusals::refused;

/// Each behind its 400.
#[rstest]
#[case::no_json(
    "{",
    "json: nothing was done: EOF while parsing an object at line 1 column 1; GET /_mock/ shows what a body may be"
)]
#[case::nothing(
    "",
    "json: nothing was done: EOF while parsing a value at line 1 column 0; GET /_mock/ shows what a body may be"
)]
#[case::unknown_verb(
    r#"{"dance": {}}"#,
    "json: nothing was done: unknown variant `dance`, expected one of `user`, `known`, `token`, `group`, `room`, `block`, `texts`, `unblock`, `contacts`, `remove_user`, `password`, `disconnect`, `join`, `leave`, `remove`, `dissolve`, `admins`, `mute`, `unmute`, `mute_user`, `ban_all`, `unban_all`, `allow`, `disallow`, `send`, `…; GET /_mock/ shows what a body may be"
)]
#[case::two_verbs(
    r#"{"user":{"name":"a","password":"b"},"known":{"users":[]}}"#,
    "json: nothing was done: one key alone makes a command, and another comes at line 1 column 35; GET /_mock/ shows what a body may be"
)]
#[case::unknown_field(
    r#"{"user": {"name": "a", "password": "b", "age": 1}}"#,
    "json: nothing was done: user.age: unknown field `age`, expected `name` or `password` at line 1 column 45; GET /_mock/ shows what a body may be"
)]
#[case::missing_field(
    r#"{"user": {"name": "a"}}"#,
    "json: nothing was done: user: missing field `password` at line 1 column 22; GET /_mock/ shows what a body may be"
)]
#[case::wrong_type(
    r#"{"known": {"users": "dora"}}"#,
    r#"json: nothing was done: known.users: invalid type: string "dora", expected a sequence at line 1 column 26; GET /_mock/ shows what a body may be"#
)]
#[case::last_of_many(
    r#"[{"known": {"users": ["dora"]}}, {"group": {"id": "g2", "owner": "dora", "members": ["alice"]}}, {"fault": {"rule": "on every text from dora: drop"}}, {"fault": {"door": "slow open 1s"}}, {"settings": {"strict": true}}, {"send": {"from": "alice", "to": "bob", "text": "hi"}}, {"kick": {"user": "bob", "reason": "operator"}}, {"remove_user": {"user": "emil"}}]"#,
    r#"refused: nothing was done: command 8 of 8 was refused: no user "emil" in this world; make it first"#
)]
#[case::user(
    r#"{"user": {"name": "a b", "password": "pw"}}"#,
    r#"refused: nothing was done: name "a b": 1 to 64 of a-z A-Z 0-9 _ . - are expected"#
)]
#[case::user_named_as_a_group(
    r#"{"user": {"name": "g1", "password": "pw"}}"#,
    r#"refused: nothing was done: name "g1": a group has that id, and 3.x tells queues by name alone"#
)]
#[case::known(
    r#"{"known": {"users": ["dora", "a b"]}}"#,
    r#"refused: nothing was done: name "a b": 1 to 64 of a-z A-Z 0-9 _ . - are expected"#
)]
#[case::token(
    r#"{"token": {"user": "alcie", "token": "t", "ttl_ms": 1}}"#,
    r#"refused: nothing was done: no user "alcie" in this world; make it first, or did you mean "alice"?"#
)]
#[case::token_too_long(
    r#"{"token": {"user": "alice", "token": "4097 BYTES", "ttl_ms": 1}}"#,
    r#"refused: nothing was done: token "tttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttttt…": at most 4096 bytes"#
)]
#[case::group(
    r#"{"group": {"id": "g2", "owner": "alcie", "members": ["bob"]}}"#,
    r#"refused: nothing was done: no user "alcie" in this world; make it first, or did you mean "alice"?"#
)]
#[case::group_with_a_stranger(
    r#"{"group": {"id": "g2", "owner": "alice", "members": ["bob", "dora"]}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::group_twice(
    r#"{"group": {"id": "g1", "owner": "alice", "members": []}}"#,
    r#"refused: nothing was done: id "g1": it must be new and not empty"#
)]
#[case::group_named_as_a_user(
    r#"{"group": {"id": "bob", "owner": "alice", "members": []}}"#,
    r#"refused: nothing was done: id "bob": a user has that name, and 3.x tells queues by name alone"#
)]
#[case::room(
    r#"{"room": {"id": "", "owner": "alice", "members": []}}"#,
    r#"refused: nothing was done: id "": it must be new and not empty"#
)]
#[case::block(
    r#"{"block": {"user": "alice", "blocked": ["bob", "dora"]}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::unblock(
    r#"{"unblock": {"user": "alice", "blocked": ["bob", "dora"]}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::texts(
    r##"{"texts": {"from": "alice", "to": "dora", "text": "#", "count": 3}}"##,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::texts_too_many(
    r##"{"texts": {"from": "alice", "to": "bob", "text": "#", "count": 10001}}"##,
    r#"refused: nothing was done: count "10001": at most 10000"#
)]
#[case::contacts(
    r#"{"contacts": {"user": "alice", "with": ["bob", "dora"]}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::contacts_with_oneself(
    r#"{"contacts": {"user": "alice", "with": ["bob", "alice"]}}"#,
    r#"refused: nothing was done: with "alice": nobody is their own contact"#
)]
#[case::remove_user(
    r#"{"remove_user": {"user": "dora"}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::password(
    r#"{"password": {"user": "dora", "password": "pw"}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::disconnect(
    r#"{"disconnect": {"user": "alice"}}"#,
    "refused: nothing was done: alice has no connected device that this could happen to"
)]
#[case::disconnect_of_a_device(
    r#"{"disconnect": {"user": "bob", "device": "phone"}}"#,
    "refused: nothing was done: bob/phone has no connected device that this could happen to"
)]
#[case::join(
    r#"{"join": {"id": "g9", "users": ["carl"]}}"#,
    r#"refused: nothing was done: no group or room "g9" in this world; make it first"#
)]
#[case::join_of_a_member(
    r#"{"join": {"id": "g1", "users": ["carl", "bob"]}}"#,
    r#"refused: nothing was done: users "bob": is in already"#
)]
#[case::leave(
    r#"{"leave": {"id": "g1", "users": ["bob", "carl"]}}"#,
    r#"refused: nothing was done: users "carl": is not in"#
)]
#[case::leave_of_the_owner(
    r#"{"leave": {"id": "g1", "users": ["bob", "alice"]}}"#,
    r#"refused: nothing was done: users "alice": is the owner"#
)]
#[case::remove(
    r#"{"remove": {"id": "g1", "users": ["bob", "dora"]}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::dissolve(
    r#"{"dissolve": {"id": "g9"}}"#,
    r#"refused: nothing was done: no group or room "g9" in this world; make it first"#
)]
#[case::admins(
    r#"{"admins": {"id": "g1", "users": ["bob", "carl"]}}"#,
    r#"refused: nothing was done: users "carl": is not in"#
)]
#[case::mute(
    r#"{"mute": {"id": "g1", "users": ["bob", "carl"], "ms": 1000}}"#,
    r#"refused: nothing was done: users "carl": is not in"#
)]
#[case::mute_of_the_owner(
    r#"{"mute": {"id": "g1", "users": ["bob", "alice"]}}"#,
    r#"refused: nothing was done: users "alice": is the owner"#
)]
#[case::unmute(
    r#"{"unmute": {"id": "g1", "users": ["carl"]}}"#,
    r#"refused: nothing was done: users "carl": is not in"#
)]
#[case::mute_user(
    r#"{"mute_user": {"user": "dora", "ms": 1000}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::ban_all(
    r#"{"ban_all": {"id": "g9"}}"#,
    r#"refused: nothing was done: no group or room "g9" in this world; make it first"#
)]
#[case::unban_all(
    r#"{"unban_all": {"id": "g9"}}"#,
    r#"refused: nothing was done: no group or room "g9" in this world; make it first"#
)]
#[case::allow(
    r#"{"allow": {"id": "g1", "users": ["bob", "carl"]}}"#,
    r#"refused: nothing was done: users "carl": is not in"#
)]
#[case::disallow(
    r#"{"disallow": {"id": "g1", "users": ["carl"]}}"#,
    r#"refused: nothing was done: users "carl": is not in"#
)]
#[case::send(
    r#"{"send": {"from": "dora", "to": "alice", "text": "hi"}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::send_to_nobody(
    r#"{"send": {"from": "alice", "to": "g9", "chat": "group", "text": "hi"}}"#,
    r#"refused: nothing was done: the message was refused as a device of alice would be told: status 1 (FAIL), "group not found""#
)]
#[case::send_of_nothing(
    r#"{"send": {"from": "alice", "to": "bob"}}"#,
    r#"refused: nothing was done: body "": a message has text or body"#
)]
#[case::send_of_two_things(
    r#"{"send": {"from": "alice", "to": "bob", "text": "hi", "body": {"type": "cmd", "action": "go"}}}"#,
    r#"refused: nothing was done: body "hi": a message has text or body, not both"#
)]
#[case::send_of_an_unknown_type(
    r#"{"send": {"from": "alice", "to": "bob", "body": {"type": "hologram"}}}"#,
    r#"refused: nothing was done: body of type "hologram": type "hologram" is unknown; txt, img, audio, video, file, loc, cmd and custom are known"#
)]
#[case::send_by_a_stranger_of_the_group(
    r#"{"send": {"from": "carl", "to": "g1", "text": "hi"}}"#,
    r#"refused: nothing was done: the message was refused as a device of carl would be told: status 1 (FAIL), "not in group or chatroom""#
)]
#[case::kick(
    r#"{"kick": {"user": "alice", "reason": "operator"}}"#,
    "refused: nothing was done: alice has no connected device that this could happen to"
)]
#[case::kick_for_no_reason(
    r#"{"kick": {"user": "bob", "reason": "boredom"}}"#,
    "json: nothing was done: kick.reason: unknown variant `boredom`, expected one of `other_device`, `removed`, `password`, `operator` at line 1 column 44; GET /_mock/ shows what a body may be"
)]
#[case::expire_tokens(
    r#"{"expire_tokens": {"user": "alice", "token": "t-bob"}}"#,
    r#"refused: nothing was done: token "t-bob": the user has no such token; a login, or {"token":…}, makes one"#
)]
#[case::expire_tokens_of_nobody(
    r#"{"expire_tokens": {"user": "dora"}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::settings(
    r#"{"settings": {"recal": true}}"#,
    r#"json: nothing was done: settings.recal: unknown field `recal`, expected one of `strict`, `one_device`, `extra_device`, `contacts_only`, `serving`, `open_registration`, `message_bytes_max`, `token_ttl_ms`, `words`, `antispam`, `recall`, `recall_window_ms`, `admins_recall`, `modify`, `modify_count_max`, `pins`, `roaming`, `g…; did you mean "recall"?; GET /_mock/ shows what a body may be"#
)]
#[case::settings_of_another_type(
    r#"{"settings": {"recall_window_ms": -1}}"#,
    "json: nothing was done: settings.recall_window_ms: invalid value: integer `-1`, expected u64 at line 1 column 36; GET /_mock/ shows what a body may be"
)]
#[case::settings_with_a_webhook_nowhere(
    r#"{"settings": {"recall": false, "webhooks": [{"secret": "s", "on_timeout": "refuse"}]}}"#,
    r#"refused: nothing was done: webhooks "": its url must begin with http://"#
)]
#[case::settings_with_a_webhook_of_no_host(
    r#"{"settings": {"recall": false, "webhooks": [{"url": "http:///hook"}]}}"#,
    r#"refused: nothing was done: webhooks "http:///hook": its url must name a host, such as http://127.0.0.1:8000/callback"#
)]
#[case::settings_with_a_webhook_of_no_port(
    r#"{"settings": {"webhooks": [{"url": "http://127.0.0.1:hook/"}]}}"#,
    r#"refused: nothing was done: webhooks "http://127.0.0.1:hook/": the port in its url must be a number from 1 to 65535"#
)]
#[case::settings_with_a_webhook_over_tls(
    r#"{"settings": {"webhooks": [{"url": "https://127.0.0.1/"}]}}"#,
    r#"refused: nothing was done: webhooks "https://127.0.0.1/": its url must begin with http://"#
)]
#[case::settings_with_too_many_webhooks(
    r#"{"settings": {"webhooks": [{"url": "http://127.0.0.1:9/"}, {"url": "http://127.0.0.1:9/"}, {"url": "http://127.0.0.1:9/"}, {"url": "http://127.0.0.1:9/"}, {"url": "http://127.0.0.1:9/"}]}}"#,
    r#"refused: nothing was done: webhooks "5": at most 4 rules"#
)]
#[case::clear_faults(
    r#"{"clear_faults": {"user": "alice"}}"#,
    "json: nothing was done: clear_faults.user: unknown field `user`, there are no fields at line 1 column 24; GET /_mock/ shows what a body may be"
)]
#[case::clear_rule(
    r#"{"clear_rule": {"id": 9}}"#,
    r#"refused: nothing was done: id "9": no rule of this world has that number"#
)]
#[case::fault_rule_that_is_none(
    r#"{"fault": {"rule": "on next text from alice: dorp"}}"#,
    "json: nothing was done: fault.rule: not a rule: column 26: what is done is expected here: drop, delay 3s, duplicate, hold until next, truncate 7, flip bit 12, answer status 7 \"…\", answer http 503, close 1011, cut, reset or go silent; did you mean drop?\n  on next text from alice: dorp\n                           ^ at line 1 …; GET /_mock/ shows what a body may be"
)]
#[case::fault_rule_of_an_unknown_kind(
    r#"{"fault": {"rule": "on next txet from alice: drop"}}"#,
    r#"json: nothing was done: fault.rule: not a rule: column 9: nothing is called "txet"; did you mean text? There are SYNC UNREAD NOTICE PROVISION LOGOUT pull ack text image file audio video location cmd custom combine recall edit read_ack delivered_ack channel_ack roster muc statistics answer page unknown message frame request…; GET /_mock/ shows what a body may be"#
)]
#[case::fault_rule_both_ways(
    r#"{"fault": {"rule": "on next text from alice to bob: drop"}}"#,
    "json: nothing was done: fault.rule: not a rule: column 25: one thing goes one way: `from` is for what a client sends, `to` for what the server sends; whom a message is for, `where meta.to.name == bob` says\n  on next text from alice to bob: drop\n                          ^ at line 1 column 57; GET /_mock/ shows what a body may be"
)]
#[case::fault_rule_that_drops_and_delays(
    r#"{"fault": {"rule": "on next text from alice: drop, delay 3s"}}"#,
    "json: nothing was done: fault.rule: not a rule: column 32: nothing can follow what was done before it\n  on next text from alice: drop, delay 3s\n                                 ^ at line 1 column 60; GET /_mock/ shows what a body may be"
)]
#[case::fault_rule_that_ends_twice(
    r#"{"fault": {"rule": "on next text from alice: cut, close 1011"}}"#,
    "json: nothing was done: fault.rule: not a rule: column 31: nothing can follow what was done before it\n  on next text from alice: cut, close 1011\n                                ^ at line 1 column 61; GET /_mock/ shows what a body may be"
)]
#[case::fault_rule_of_no_close_code(
    r#"{"fault": {"rule": "on next text from alice: close 1006"}}"#,
    "json: nothing was done: fault.rule: not a rule: column 26: 1000-1003, 1007-1014 or 3000-4999 may stand in a close frame\n  on next text from alice: close 1006\n                           ^ at line 1 column 56; GET /_mock/ shows what a body may be"
)]
#[case::fault_rule_with_a_field_of_frames(
    r#"{"fault": {"rule": "on next GET /users where meta.ns == CHAT: drop"}}"#,
    "json: nothing was done: fault.rule: not a rule: column 26: a request has path, query, body.FIELD, and its answer status and answer.FIELD, but no \"meta\"\n  on next GET /users where meta.ns == CHAT: drop\n                           ^ at line 1 column 67; GET /_mock/ shows what a body may be"
)]
#[case::fault_rule_of_a_request_that_is_cut_short(
    r#"{"fault": {"rule": "on next GET /users: answer status 7"}}"#,
    "json: nothing was done: fault.rule: not a rule: column 21: a request is answered with `answer http`\n  on next GET /users: answer status 7\n                      ^ at line 1 column 56; GET /_mock/ shows what a body may be"
)]
#[case::fault_rule_as_an_object(
    r#"{"fault": {"rule": {"on": "next"}}}"#,
    "json: nothing was done: fault.rule.on: unknown field `on`, expected one of `which`, `what`, `from`, `to`, `where`, `times`, `within_ms`, `after_ms`, `probability`, `seed`, `do` at line 1 column 24; GET /_mock/ shows what a body may be"
)]
#[case::fault_cut(
    r#"{"fault": {"cut": {"user": "alice"}}}"#,
    "refused: nothing was done: alice has no connected device that this could happen to"
)]
#[case::fault_cut_of_a_device(
    r#"{"fault": {"cut": {"user": "bob", "device": "phone"}}}"#,
    "refused: nothing was done: bob/phone has no connected device that this could happen to"
)]
#[case::fault_close(
    r#"{"fault": {"close": {"user": "bob", "code": 1006}}}"#,
    r#"refused: nothing was done: code "1006": 1000-1003, 1007-1014 or 3000-4999 may stand in a close frame"#
)]
#[case::fault_close_of_nobody(
    r#"{"fault": {"close": {"user": "dora", "code": 1011}}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::fault_mute(
    r#"{"fault": {"mute": {"user": "alice"}}}"#,
    "refused: nothing was done: alice has no connected device that this could happen to"
)]
#[case::fault_drop_next_answer(
    r#"{"fault": {"drop_next_answer": {"user": "dora"}}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::fault_cut_instead_of_answer(
    r#"{"fault": {"cut_instead_of_answer": {"user": "dora"}}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::fault_send_raw(
    r#"{"fault": {"send_raw": {"user": "bob", "hex": "0g"}}}"#,
    r#"refused: nothing was done: hex "0g": pairs of 0-9 a-f"#
)]
#[case::fault_send_raw_to_who_is_away(
    r#"{"fault": {"send_raw": {"user": "alice", "hex": "00"}}}"#,
    "refused: nothing was done: alice has no connected device that this could happen to"
)]
#[case::fault_door(
    r#"{"fault": {"door": "refuse nobody"}}"#,
    "json: nothing was done: fault.door: column 8: expected `next`, `every`, `connections`, `info` or `upgrade`, not `nobody`\n  refuse nobody\n         ^ at line 1 column 34; GET /_mock/ shows what a body may be"
)]
#[case::fault_slow_uploads(
    r#"{"fault": {"slow_uploads": {"user": "alice", "bytes_per_second": 0, "count": 1}}}"#,
    r#"refused: nothing was done: bytes_per_second "0": at least 1 is expected"#
)]
#[case::fault_slow_uploads_of_none(
    r#"{"fault": {"slow_uploads": {"user": "alice", "bytes_per_second": 1, "count": 0}}}"#,
    r#"refused: nothing was done: count "0": at least 1 is expected"#
)]
#[case::fault_reset_next_upload(
    r#"{"fault": {"reset_next_upload": {"user": "dora"}}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::fault_answer_status(
    r#"{"fault": {"answer_status": {"user": "dora", "code": 7, "reason": "x"}}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::fault_refuse_login(
    r#"{"fault": {"refuse_login": {"user": "alice", "code": 0, "reason": "x"}}}"#,
    r#"refused: nothing was done: code "0": 0 is success; the numbers of Status.ErrorCode begin with 1"#
)]
#[case::fault_drop_next_provision(
    r#"{"fault": {"drop_next_provision": {"user": "dora"}}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::fault_answer_http(
    r#"{"fault": {"answer_http": {"path": "users", "status": 500, "body": ""}}}"#,
    r#"refused: nothing was done: path "users": it begins with / and has at most 1024 bytes"#
)]
#[case::fault_answer_http_of_no_status(
    r#"{"fault": {"answer_http": {"path": "/users", "status": 199, "body": ""}}}"#,
    r#"refused: nothing was done: status "199": 200 to 599"#
)]
#[case::fault_answer_http_to_nobody(
    r#"{"fault": {"answer_http": {"path": "/users", "status": 500, "body": "", "user": "dora"}}}"#,
    r#"refused: nothing was done: no user "dora" in this world; make it first"#
)]
#[case::fault_unknown(
    r#"{"fault": {"fire": {}}}"#,
    "json: nothing was done: fault: unknown variant `fire`, expected one of `rule`, `cut`, `close`, `mute`, `drop_next_answer`, `cut_instead_of_answer`, `send_raw`, `door`, `slow_uploads`, `reset_next_upload`, `answer_status`, `refuse_login`, `drop_next_provision`, `answer_http` at line 1 column 17; GET /_mock/ shows what a body may be"
)]
fn a_command_that_is_refused_changes_nothing(#[case] command: &str, #[case] answer: &str) {
    assert_eq!(refused("POST /org/app/control", command), format!("400 {answer}"));
}

/// By the committed document, which is held against the types.
#[test]
fn every_command_and_every_fault_is_in_the_table() {
    let document: Value = serde_json::from_str(include_str!("../../openapi.json")).expect("JSON");
    let table = include_str!("refused_commands.rs");
    let words = |schema: &str| -> BTreeSet<String> {
        let kinds = document["components"]["schemas"][schema]["oneOf"].as_array().expect("one of several");
        kinds.iter().map(|kind| kind["required"][0].as_str().expect("its word").to_owned()).collect()
    };
    // In a command alone or among several, as JSON is written.
    let lacks = |schema: &str, before: &str| -> Vec<String> {
        let is_there = |word: &String| table.contains(&format!("{before}{{\"{word}\": "));
        words(schema).into_iter().filter(|word| !is_there(word)).collect()
    };
    assert_eq!((lacks("Control", ""), lacks("Fault", "\"fault\": ")), (Vec::new(), Vec::new()));
}
