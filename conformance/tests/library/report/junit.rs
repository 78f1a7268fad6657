//! `junit.xml`.

use conformance::report::junit;
use conformance::report::model::Tally;

use super::sample;

#[test]
fn every_end_of_a_scenario_has_its_element() {
    insta::assert_snapshot!(junit::text(&sample::report()));
}

#[test]
fn what_fails_a_client_and_is_no_scenario_is_a_test_case_too() {
    let mut report = sample::report();
    report.clients.truncate(1);
    let client = &mut report.clients[0];
    client.not_started = Some("no such program: \"node\" <here>".to_owned());
    client.scenarios.clear();
    client.tally = Tally::default();
    insta::assert_snapshot!(junit::text(&report), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="conformance" tests="2" failures="1" errors="1" time="5.250">
        <testsuite name="node-4.21.1" tests="2" skipped="0" errors="1" failures="1" timestamp="2021-12-31T00:00:00.123+00:00" time="0.000">
            <properties>
                <property name="client" value="a client"/>
                <property name="version" value="4.21.1"/>
                <property name="capabilities" value="virtual_clock"/>
                <property name="harness" value="0.1.0"/>
                <property name="seed" value="7"/>
                <property name="shard" value="all"/>
            </properties>
            <testcase name="starts" classname="client">
                <error message="no such program: &quot;node&quot; &lt;here&gt;" type="not_started"/>
            </testcase>
            <testcase name="exceptions" classname="client">
                <failure message="1 entries of conformance/clients/node-4.21.1.json are of no use" type="stale">known_failures: &quot;send/old&quot; with message &quot;x&quot; matches no failure; remove the entry
    mend it with: cargo xtask conformance run --client node-4.21.1 --update-known-failures</failure>
            </testcase>
        </testsuite>
    </testsuites>
    "#);
}

#[test]
fn what_xml_has_no_place_for_is_taken_out() {
    let mut report = sample::report();
    report.clients.truncate(1);
    let client = &mut report.clients[0];
    client.scenarios.truncate(1);
    client.scenarios[0].mismatches[0].message =
        "a\u{0}b\u{b}c\u{fffe}d\u{ffff}e\u{1b}[1mf]]>g <skipped=\"0\">".to_owned();
    let text = junit::text(&report);
    assert!(
        !text.chars().any(|c| matches!(c, '\0' | '\u{b}' | '\u{1b}' | '\u{fffe}' | '\u{ffff}')),
        "{text:?}"
    );
    assert!(text.contains("]]&gt;g &lt;skipped="), "{text}");
}
