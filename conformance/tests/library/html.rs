//! `report.html` as a file: what is in it, how large it becomes, and that no text of a run becomes markup. How it
//! looks and behaves is for `shims/chromium/tests/report.test.mjs`, in a browser.

mod sample;

use conformance::report::{html, model::Report};

fn page(report: &Report) -> String {
    let mut page = Vec::new();
    html::write(report, &mut page).expect("a Vec takes every write");
    String::from_utf8(page).expect("a page is text")
}

#[test]
fn a_run_of_everything_on_eight_clients_is_a_page_of_less_than_15_mb() {
    let report = sample::of_everything();
    let page = page(&report);
    // For whoever wants to look at it.
    std::fs::write(concat!(env!("CARGO_TARGET_TMPDIR"), "/report.html"), &page).expect("the folder is there");
    assert!(page.len() < 15_000_000, "{} bytes", page.len());
    assert_eq!(page.matches("<script type=\"text/plain\"").count(), report.scenarios.len());
}

#[test]
fn no_text_of_a_run_is_markup() {
    const HOSTILE: &str = "</script><script>alert(1)</script><!--<script>{{script}}";
    let mut report = sample::of_everything();
    report.scenarios.truncate(1);
    let plain = page(&report);
    HOSTILE.clone_into(&mut report.harness);
    HOSTILE.clone_into(&mut report.clauses[0].statement);
    HOSTILE.clone_into(&mut report.scenarios[0].why);
    HOSTILE.clone_into(&mut report.scenarios[0].source);
    HOSTILE.clone_into(&mut report.clients[0].name);
    report.clients[0].not_started = Some(HOSTILE.to_owned());
    let page = page(&report);
    assert!(!page.contains("alert(1)</"), "an end tag came through");
    for tag in ["<script", "</script", "<!--"] {
        assert_eq!(page.matches(tag).count(), plain.matches(tag).count(), "{tag}");
    }
}

#[test]
fn the_page_knows_the_seed_of_a_nasty_server() {
    let mut report = sample::of_everything();
    report.scenarios.clear();
    assert!(page(&report).contains(r#""nasty":null"#));
    report.nasty = Some(u64::MAX);
    assert!(
        page(&report).contains(r#""nasty":"18446744073709551615""#),
        "whole: a script's number has 53 bits"
    );
}

#[test]
fn only_the_pages_own_script_and_style_run_and_nothing_is_fetched() {
    let mut report = sample::of_everything();
    report.scenarios.clear();
    let page = page(&report);
    let policy =
        page.split("Content-Security-Policy\" content=\"").nth(1).and_then(|rest| rest.split('"').next());
    let policy = policy.expect("a policy");
    let rules: Vec<&str> = policy.split("; ").collect();
    assert_eq!(rules[0], "default-src 'none'");
    assert!(
        rules[1].starts_with("script-src 'sha256-") && rules[2].starts_with("style-src 'sha256-"),
        "{policy}"
    );
    assert_eq!(rules[3..], ["img-src data:", "base-uri 'none'", "form-action 'none'"]);
    // Addresses: of the page itself, and the name of SVG in its icon.
    assert_eq!(page.replace("http://www.w3.org/2000/svg", "").matches("://").count(), 0);
}
