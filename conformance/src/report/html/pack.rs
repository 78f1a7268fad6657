//! What a page has of each scenario beyond its index: deflated, base64, opened by the page when somebody looks.
//!
//! One block a scenario with all its clients, which have most of their words in common. It leaves out evidence of a
//! run that would make the page too large, and nothing else.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::report::failure::Failure;
use crate::report::model::{
    ClientReport, Evidence, FindingReport, MismatchReport, Report, ScenarioReport, ScenarioText, VerdictWord,
};

/// How much all blocks may have together: with the rest, a page of less than 15 MB, which a browser opens in a second
/// and a mail takes. All scenarios of seven clients need about half of it.
const BLOCKS_BYTES_MAX: usize = 13 << 20;
/// Of ten: beyond it, a block becomes hardly smaller and takes twice as long.
const DEFLATE_LEVEL: u8 = 6;

/// The blocks of a page.
pub(super) struct Packed {
    /// One a scenario, in their order: deflate without a header, base64.
    pub(super) blocks: Vec<String>,
    /// Of how many runs evidence is left out.
    pub(super) left_out: usize,
}

impl Packed {
    /// Packs what a report has.
    pub(super) fn of(report: &Report) -> Self {
        Self::within(report, BLOCKS_BYTES_MAX)
    }

    fn within(report: &Report, bytes_max: usize) -> Self {
        let clients: Vec<_> = report.clients.iter().map(|client| (client, by_name(client))).collect();
        let of = |scenario: &'_ ScenarioText, spared: Option<Spared>| {
            let runs: Vec<_> = clients
                .iter()
                .map(|(client, ended)| (*client, ended.get(&*scenario.name).copied()))
                .collect();
            block(report, scenario, &runs, spared)
        };
        let mut blocks: Vec<(String, usize)> = report.scenarios.iter().map(|one| of(one, None)).collect();
        let mut bytes: usize = blocks.iter().map(|(block, _)| block.len()).sum();
        for spared in Spared::ORDER {
            if bytes <= bytes_max {
                break;
            }
            let mut largest: Vec<usize> = (0..blocks.len()).collect();
            largest.sort_by_key(|at| std::cmp::Reverse(blocks[*at].0.len()));
            for at in largest {
                if bytes <= bytes_max {
                    break;
                }
                let smaller = of(&report.scenarios[at], Some(spared));
                bytes = bytes - blocks[at].0.len() + smaller.0.len();
                blocks[at] = smaller;
            }
        }
        let left_out = blocks.iter().map(|(_, left_out)| left_out).sum();
        Self { blocks: blocks.into_iter().map(|(block, _)| block).collect(), left_out }
    }
}

/// What became of a client's scenarios, by their names.
pub(super) fn by_name(client: &ClientReport) -> BTreeMap<&str, &ScenarioReport> {
    client.scenarios.iter().map(|one| (&*one.name, one)).collect()
}

/// Whose evidence is left out, each with those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Spared {
    Passes,
    Exceptions,
    Failures,
}

impl Spared {
    const ORDER: [Self; 3] = [Self::Passes, Self::Exceptions, Self::Failures];

    fn of(verdict: VerdictWord) -> Self {
        match verdict {
            VerdictWord::Passed | VerdictWord::NotRun => Self::Passes,
            VerdictWord::KnownFailure | VerdictWord::Unsupported => Self::Exceptions,
            VerdictWord::Failed | VerdictWord::Flaky | VerdictWord::StaleKnownFailure => Self::Failures,
        }
    }
}

#[derive(Serialize)]
struct Block<'a> {
    source: &'a str,
    /// The first and the last line of each step in `source`, from 1.
    steps: Vec<(usize, usize)>,
    /// In the order of the clients.
    runs: Vec<Option<Run<'a>>>,
}

#[derive(Serialize)]
struct Run<'a> {
    reason: Option<&'a str>,
    mismatches: &'a [MismatchReport],
    findings: &'a [FindingReport],
    ms: u64,
    tries: u32,
    /// What to type next, as it is told in a terminal: what it does, and the line.
    next: Vec<(&'static str, String)>,
    evidence: Option<&'a Evidence>,
    /// There is evidence, and this page is too small for it.
    left_out: bool,
}

/// A scenario's block, and of how many of its runs evidence is left out.
fn block(
    report: &Report,
    scenario: &ScenarioText,
    runs: &[(&ClientReport, Option<&ScenarioReport>)],
    spared: Option<Spared>,
) -> (String, usize) {
    let mut left_out = 0;
    let runs = runs
        .iter()
        .map(|(client, one)| {
            let one = (*one)?;
            let leave_out =
                one.evidence.is_some() && spared.is_some_and(|spared| Spared::of(one.verdict) <= spared);
            left_out += usize::from(leave_out);
            Some(Run {
                reason: one.reason.as_deref(),
                mismatches: &one.mismatches,
                findings: &one.findings,
                ms: one.ms,
                tries: one.tries,
                next: Failure { report, client, scenario: one }.next_lines(),
                evidence: one.evidence.as_ref().filter(|_| !leave_out),
                left_out: leave_out,
            })
        })
        .collect();
    let block = Block { source: &scenario.source, steps: step_lines(&scenario.source), runs };
    let json = serde_json::to_vec(&block).expect("names, numbers and texts are JSON");
    (BASE64_STANDARD.encode(miniz_oxide::deflate::compress_to_vec(&json, DEFLATE_LEVEL)), left_out)
}

/// The first and the last line of each step; none where the text is no scenario.
fn step_lines(source: &str) -> Vec<(usize, usize)> {
    #[derive(serde::Deserialize)]
    struct Steps<'a> {
        #[serde(borrow)]
        steps: Vec<&'a RawValue>,
    }
    let Ok(Steps { steps }) = serde_json::from_str(source) else { return Vec::new() };
    // Counted on from step to step: a long script is read once.
    let (mut read, mut line) = (0, 1);
    let mut line_at = |offset: usize| {
        line += source[read..offset].matches('\n').count();
        read = offset;
        line
    };
    let places = steps.iter().map(|step| {
        let first = step.get().as_ptr().addr() - source.as_ptr().addr();
        (line_at(first), line_at(first + step.get().len()))
    });
    places.collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::Value;

    use super::*;
    use crate::report::model::{FORMAT, Tally};

    #[rstest]
    #[case::a_line_each("{\"steps\": [\n {\"silent\": 1},\n {\"silent\": 2} ] }", vec![(2, 2), (3, 3)])]
    #[case::over_lines("{\"steps\": [{\n\"silent\":\n 1}, {}]}", vec![(1, 3), (3, 3)])]
    #[case::no_steps("{}", vec![])]
    #[case::no_scenario("rubbish", vec![])]
    fn a_step_has_its_lines(#[case] source: &str, #[case] lines: Vec<(usize, usize)>) {
        assert_eq!(step_lines(source), lines);
    }

    fn opened(block: &str) -> Value {
        let bytes = BASE64_STANDARD.decode(block).expect("base64");
        let json = miniz_oxide::inflate::decompress_to_vec(&bytes).expect("deflate");
        serde_json::from_slice(&json).expect("JSON")
    }

    /// A report of two scenarios on a client that passes the first and fails the second, of as much evidence each.
    fn report() -> Report {
        let scenario = |name: &str| ScenarioText {
            name: name.to_owned(),
            path: format!("{name}.json"),
            why: "why".to_owned(),
            clauses: Vec::new(),
            source: "{}".to_owned(),
        };
        // No two bytes that belong together: deflate finds nothing to save.
        let noise: String = (0..4000_u32).map(|at| char::from(b'!' + (at * at % 89) as u8)).collect();
        let ended = |name: &str, verdict: VerdictWord| ScenarioReport {
            name: name.to_owned(),
            verdict,
            reason: None,
            mismatches: Vec::new(),
            findings: Vec::new(),
            ms: 1,
            tries: 1,
            bundle: None,
            evidence: Some(Evidence { stderr: noise.clone(), ..Evidence::default() }),
        };
        let client = ClientReport {
            name: "core".to_owned(),
            calls_itself: String::new(),
            version: String::new(),
            capabilities: Vec::new(),
            not_started: None,
            tally: Tally::default(),
            stale: Vec::new(),
            mend: None,
            unexplained: Vec::new(),
            file: None,
            again: String::new(),
            scenarios: vec![ended("a/passes", VerdictWord::Passed), ended("a/fails", VerdictWord::Failed)],
        };
        Report {
            format: FORMAT,
            harness: String::new(),
            program: String::new(),
            started_ms: 0,
            ms: 0,
            seed: 0,
            nasty: None,
            shard: None,
            interrupted: false,
            clauses: Vec::new(),
            scenarios: vec![scenario("a/fails"), scenario("a/passes"), scenario("a/unknown-to-the-client")],
            clients: vec![client],
        }
    }

    #[test]
    fn what_is_too_much_is_left_out_of_passes_first() {
        let left_out = |packed: &Packed| -> Vec<bool> {
            packed.blocks.iter().map(|block| opened(block)["runs"][0]["left_out"] == true).collect()
        };
        let whole = Packed::of(&report());
        assert_eq!((left_out(&whole), whole.left_out), (vec![false, false, false], 0));
        let bytes: usize = whole.blocks.iter().map(String::len).sum();
        let smaller = Packed::within(&report(), bytes - 1);
        assert_eq!((left_out(&smaller), smaller.left_out), (vec![false, true, false], 1));
        let smallest = Packed::within(&report(), 0);
        assert_eq!((left_out(&smallest), smallest.left_out), (vec![true, true, false], 2));
    }

    #[test]
    fn a_scenario_that_a_client_was_not_to_run_has_no_run() {
        let packed = Packed::of(&report());
        assert_eq!(opened(&packed.blocks[2])["runs"], serde_json::json!([null]));
    }
}
