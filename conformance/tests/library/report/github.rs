//! What GitHub shows.

use std::fs;

use conformance::report::github::{
    SUMMARY_BYTES_MAX, annotations, append_summary, summary, without_commands,
};
use conformance::report::model::VerdictWord;
use rstest::rstest;

use super::sample;

#[test]
fn failures_stand_beside_the_lines_of_their_scenarios() {
    insta::assert_snapshot!(annotations(&sample::report()), @r#"
    ::error file=fixtures/scenarios/conn/login.json,line=1,title=conn/login failed on node-4.21.1::the client's process ended: exit status: 1%0Arun it again: cargo xtask conformance run --client node-4.21.1 --seed 7 conn/login
    ::error file=fixtures/scenarios/send/text.json,line=7,title=send/text failed on node-4.21.1::bob showed text and not as expected%0A  data: expected "hi", got "ho, <b>got \"it\"</b>"%0A  chat: expected "single", got nothing: the field is missing%0A  whole: text {"data":"ho","from":"alice","id":"1160000000000000001","to":"bob"}%0Arun it again: cargo xtask conformance run --client node-4.21.1 --seed 7 send/text
    ::error file=conformance/clients/node-4.21.1.json,line=1,title=send/twice stale on node-4.21.1::it passes, and "known_failures" says that it fails%0A  send/twice: expected 1%0A  remove the entry in conformance/clients/node-4.21.1.json%0Arun it again: cargo xtask conformance run --client node-4.21.1 --seed 7 send/twice
    ::warning file=fixtures/scenarios/recv/late.json,line=6,title=recv/late flaky on node-4.21.1::alice showed nothing within 5s%0A  event: expected sent {"handle":"m1"}, got nothing%0Arun it again: cargo xtask conformance run --client node-4.21.1 --seed 7 recv/late
    ::warning file=conformance/clients/node-4.21.1.json,line=1,title=1 of the exceptions of node-4.21.1 are stale::known_failures: "send/old" with message "x" matches no failure; remove the entry%0Amend it with: cargo xtask conformance run --client node-4.21.1 --update-known-failures
    "#);
}

#[test]
fn nothing_that_a_client_says_is_a_command() {
    let mut report = sample::report();
    report.clients.truncate(1);
    let client = &mut report.clients[0];
    (client.stale, client.mend) = (Vec::new(), None);
    client.scenarios.truncate(1);
    client.name = "a,b:c%".to_owned();
    client.scenarios[0].mismatches[0].message = "100% :: bad\r\n::error::forged".to_owned();
    let text = annotations(&report);
    assert_eq!(text.lines().count(), 1, "{text}");
    insta::assert_snapshot!(text, @"::error file=fixtures/scenarios/conn/login.json,line=1,title=conn/login failed on a%2Cb%3Ac%25::100%25 :: bad%0D%0A::error::forged%0Arun it again: cargo xtask conformance run --client node-4.21.1 --seed 7 conn/login");
}

#[test]
fn nothing_in_a_log_is_a_command() {
    let text = "the client's stderr\n    ::stop-commands::x\n    ::error::forged\n1 passed\n";
    let log = without_commands(text);
    let (first, rest) = log.split_once('\n').expect("lines");
    let word = first.strip_prefix("::stop-commands::").expect("commands are off");
    assert_eq!(rest, format!("{text}::{word}::\n"));
    assert_ne!(log, without_commands(&text.replace("forged", word)), "nobody writes the word into the text");
    assert!(!text.contains(word));
}

#[test]
fn github_shows_ten_of_a_kind_and_the_tenth_tells_of_the_others() {
    let mut report = sample::report();
    report.clients.truncate(1);
    let client = &mut report.clients[0];
    client.scenarios = vec![client.scenarios[0].clone(); 12];
    let text = annotations(&report);
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("::error ")).collect();
    assert_eq!(errors.len(), 10);
    assert_eq!(errors[9], "::error title=conformance::3 more; GitHub shows 10: see the step's summary");
}

#[test]
fn the_summary_has_counts_failures_and_clauses() {
    insta::assert_snapshot!(summary(&sample::report(), SUMMARY_BYTES_MAX));
}

#[rstest]
#[case::a_usual_step(SUMMARY_BYTES_MAX)]
#[case::little_is_left(20_000)]
#[case::hardly_anything_is_left(1_300)]
#[case::almost_nothing_is_left(300)]
#[case::nothing_is_left(0)]
fn the_summary_keeps_to_its_room(#[case] bytes: usize) {
    let mut report = sample::report();
    let failed = report.clients[0].scenarios[2].clone();
    report.clients[0].scenarios.extend(vec![failed; 700]);
    let text = summary(&report, bytes);
    assert!(text.len() <= bytes, "{} bytes", text.len());
    if bytes > 2_000 {
        assert!(text.contains("more, for which a summary has no room"), "{}", &text[text.len() - 500..]);
        assert!(text.contains("### Clauses"));
    }
    assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
}

#[test]
fn no_text_ends_its_block() {
    let mut report = sample::report();
    report.clients[0].scenarios[0].mismatches[0].message = "```\n</details>\n# forged".to_owned();
    let text = summary(&report, SUMMARY_BYTES_MAX);
    assert!(text.contains("\n````text\nFAILED conn/login"), "{text}");
}

#[test]
fn a_summary_is_added_to_what_the_step_has_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("summary.md");
    let before = "x".repeat(SUMMARY_BYTES_MAX - 400);
    fs::write(&path, &before).expect("written");
    let mut report = sample::report();
    report.clients[0].scenarios.retain(|one| one.verdict == VerdictWord::Failed);
    append_summary(&report, &path).expect("appended");
    let text = fs::read_to_string(&path).expect("read");
    assert!(text.starts_with(&before) && text.len() <= SUMMARY_BYTES_MAX, "{} bytes", text.len());
    assert!(text.contains("There is no room for more in this step's summary."));
    assert!(append_summary(&report, &folder.path().join("no/such/folder")).is_err());
}
