//! Lines for a person.

use conformance::report::model::{ClientReport, Report, Tally, VerdictWord};
use conformance::report::terminal;
use rstest::rstest;

use super::sample;

fn plain(report: &Report) -> String {
    anstream::adapter::strip_str(&terminal::text(report)).to_string()
}

#[test]
fn failures_explain_themselves() {
    insta::assert_snapshot!(plain(&sample::report()), @r#"
    FAILED conn/login
    error: the client's process ended: exit status: 1
    --> fixtures/scenarios/conn/login.json
     = note: before the first step or after the last
     = note: A text sent to a user arrives once. [send.text.single recv.received]

      run it again:  cargo xtask conformance run --client node-4.21.1 --seed 7 conn/login

    FLAKY recv/late: it passed at try 2
    error: alice showed nothing within 5s
     --> fixtures/scenarios/recv/late.json:6:44
      |
    6 |     {"expect": {"user": "alice", "event": {"sent": {"handle": "m1", "id": "$m1"}}}},
      |                                            ^^^^^^ expected sent {"handle":"m1"}, got nothing
      |
      = note: A text sent to a user arrives once. [send.text.single recv.received]
      event  expected  sent {"handle":"m1"}
             received  nothing

      run it again:  cargo xtask conformance run --client node-4.21.1 --seed 7 recv/late

    FAILED send/text
    error: bob showed text and not as expected
     --> fixtures/scenarios/send/text.json:7:94
      |
    7 | ... "bob", "chat": "single", "data": "hi"}}}},
      |            ^^^^^^^^^^^^^^^^  ^^^^^^^^^^^^ expected "hi", got "ho, <b>got \"it\"</b>"
      |            |
      |            expected "single", got nothing: the field is mi…
      |
      = note: A text sent to a user arrives once. [send.text.single recv.received]
      data  expected  "hi"
            received  "ho, <b>got \"it\"</b>"
      chat  expected  "single"
            received  nothing: the field is missing
        whole: text {"data":"ho","from":"alice","id":"1160000000000000001","to":"bob"}

    error: alice sent what send.text.single forbids, 2 times
    --> fixtures/scenarios/send/text.json
     = note: on the wire, where no step looks
      payload.meta.to  expected  bob
                       received  none

      around step 3, by lane (# in order; > sent, < received by the client; -> told, <- shown)
      alice
      #5    1 -> send_text handle:"m1" text:"hi" to:"bob"
      #8    2 <- sent handle:"m1" id:<id 1>
      alice, WebSocket
      #4       < UNREAD
      #6    1  > SYNC payload{meta{id:<local 1> ns:CHAT}}
      #7    1  < SYNC payload{metaId:<local 1> serverId:<id 1>}
      bob
      #10   3 <- text data:"ho" id:<id 1>
      bob, WebSocket
      #9    2  < SYNC
                     version:MSYNC_V1
                     payload{metas{id:<id 1> ns:CHAT}}
      #11     -- closed: the client went

      the client's stderr (its last 20 lines)
        line 3 end
        line 4 end
        line 5 end
        line 6 end
        line 7 end
        line 8 end
        line 9 end
        line 10 end
        line 11 end
        line 12 end
        line 13 end
        line 14 end
        line 15 end
        line 16 end
        line 17 end
        line 18 end
        line 19 end
        line 20 end
        line 21 end
        line 22 end

      run it again:  cargo xtask conformance run --client node-4.21.1 --seed 7 send/text
      stage it:      cargo xtask conformance replay target/conformance/bundles/node-4.21.1/send__text.bundle.json --until 3 --hold
      bundle:        target/conformance/bundles/node-4.21.1/send__text.bundle.json

    STALE send/twice
    error: it passes, and "known_failures" says that it fails
    --> conformance/clients/node-4.21.1.json
     = note: A text sent to a user arrives once. [send.text.single recv.received]
        send/twice: expected 1
        remove the entry in conformance/clients/node-4.21.1.json

      run it again:  cargo xtask conformance run --client node-4.21.1 --seed 7 send/twice

    STALE conformance/clients/node-4.21.1.json
      known_failures: "send/old" with message "x" matches no failure; remove the entry
      mend it with:  cargo xtask conformance run --client node-4.21.1 --update-known-failures

    client: a client 4.21.1 (node-4.21.1)
    0 passed, 3 failed, 0 known failures, 1 unsupported, 1 flaky

    client: a client 4.21.1 (core)
    3 passed, 0 failed, 1 known failures, 0 unsupported, 1 not run

    all 2 clients
    3 passed, 3 failed, 1 known failures, 1 unsupported, 1 flaky, 1 not run
    "#);
}

#[test]
fn nothing_is_wider_than_a_terminal() {
    let text = plain(&sample::report());
    // A command is not broken: it is to be copied.
    let command = |line: &&str| line.starts_with("  stage it:");
    let lines = text.lines().filter(|line| !command(line));
    let wide: Vec<&str> = lines.filter(|line| line.chars().count() > 100).collect();
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn colour_is_all_that_a_terminal_has_more() {
    let text = terminal::text(&sample::report());
    assert!(text.contains("\u{1b}["));
    // What a client wrote moves no cursor and rings no bell.
    assert!(!text.contains('\u{7}') && !text.contains('\t'), "{text}");
}

#[rstest]
#[case::as_ever(Tally { passed: 3, failed: 1, known_failures: 2, unsupported: 4, ..Tally::default() }, "3 passed, 1 failed, 2 known failures, 4 unsupported")]
#[case::with_what_is_rare(Tally { passed: 3, flaky: 1, not_run: 9, ..Tally::default() }, "3 passed, 0 failed, 0 known failures, 0 unsupported, 1 flaky, 9 not run")]
fn the_last_line_is_the_tally(#[case] tally: Tally, #[case] line: &str) {
    let mut report = sample::report();
    report.clients.truncate(1);
    report.clients[0].tally = tally;
    assert_eq!(plain(&report).lines().last(), Some(line));
}

/// Of reports put together where one is missing, too.
#[test]
fn a_part_is_told_as_a_part() {
    let whole = sample::report();
    let part = Report { shard: Some("1/4 3/4".to_owned()), ..whole.clone() };
    let told = "SHARD 1/4 3/4 alone: the scenarios of the others are not counted here";
    assert!(plain(&part).contains(told), "{}", plain(&part));
    assert!(!plain(&whole).contains("SHARD"));
}

#[test]
fn a_client_that_could_not_be_started_says_why() {
    let mut report = sample::report();
    report.clients.remove(0);
    report.interrupted = true;
    let client = &mut report.clients[0];
    client.not_started = Some("no such program: node".to_owned());
    client.scenarios.retain(|one| one.verdict == VerdictWord::NotRun);
    client.tally = Tally { not_run: 1, ..Tally::default() };
    insta::assert_snapshot!(plain(&report), @r"
    NOT STARTED core: no such program: node
    INTERRUPTED before 1 scenarios of core had begun
    0 passed, 0 failed, 0 known failures, 0 unsupported, 1 not run
    ");
}

#[test]
fn what_a_client_without_a_file_lacks_is_told_in_a_line() {
    let mut report = sample::report();
    report.clients.truncate(1);
    let client: &mut ClientReport = &mut report.clients[0];
    client.scenarios.retain(|one| one.verdict == VerdictWord::Unsupported);
    (client.file, client.stale, client.mend) = (None, Vec::new(), None);
    insta::assert_snapshot!(plain(&report), @r"
    unsupported v4/pin: The SDK has no such call: pin_message
    client: a client 4.21.1
    0 passed, 3 failed, 0 known failures, 1 unsupported, 1 flaky
    ");
}

/// A report that somebody else wrote need not fit itself.
#[rstest]
#[case::no_text("")]
#[case::another_text("{\"steps\": []}")]
#[case::a_text_that_ends_early("{ \"why\":\n\n\n\n\n\n \"é")]
fn a_scenario_whose_text_does_not_fit_is_told_without_a_pointer(#[case] source: &str) {
    let mut report = sample::report();
    for scenario in &mut report.scenarios {
        scenario.source = source.to_owned();
    }
    assert!(plain(&report).contains("--> fixtures/scenarios/send/text.json"));
    report.scenarios.clear();
    assert!(plain(&report).contains("bob showed text and not as expected"));
}

/// A shim says its name and its last words itself.
#[test]
fn nothing_that_a_client_says_moves_the_cursor() {
    let mut report = sample::report();
    for client in &mut report.clients {
        client.calls_itself = "core\u{1b}[2J\u{7}".to_owned();
        client.not_started = client.not_started.take().map(|why| format!("{why}\u{1b}]0;title\u{7}\r"));
    }
    report.clients[0].not_started = Some("its stderr ends:\n\u{1b}[31mError\u{1b}[0m\u{8}".to_owned());
    let text = terminal::text(&report);
    assert!(text.contains("its stderr ends:\nError"), "{text}");
    let moves = |c: char| matches!(c, '\u{7}' | '\u{8}' | '\r');
    assert!(!text.contains(moves) && !text.contains("\u{1b}[2J") && !text.contains("\u{1b}]"), "{text:?}");
}
