//! `report.html`: one file that shows a run to people, from a disk or a server, with no network.
//!
//! It is made of a [`Report`] alone. Every word of it is data to the page's script, which writes it as text: nothing
//! that a scenario, a client or a frame says becomes markup. It never reads a file and never judges.

mod pack;

use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use sha2::{Digest, Sha256};

use self::pack::Packed;
use super::model::{ClauseReport, ClientReport, Report, ScenarioText, Tally, VerdictWord};

/// The page around the data, with a `{{name}}` for each part.
const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// One script in chapters, each of which uses only those before it. The first opens a function, the last closes it.
const SCRIPT: &str = concat!(
    include_str!("page/text.js"),
    include_str!("page/data.js"),
    include_str!("page/table.js"),
    include_str!("page/matrix.js"),
    include_str!("page/clauses.js"),
    include_str!("page/lanes.js"),
    include_str!("page/scenario.js"),
    include_str!("page/page.js"),
);

/// Writes the page. Of a run whose evidence is too much for a page it leaves some out, of passes first, and says so
/// on the page; `report.json` has all of it.
///
/// # Errors
///
/// Those of `out`.
pub fn write(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    let packed = Packed::of(report);
    let index = Index::of(report, &packed);
    let script = SCRIPT.trim_end();
    let style = STYLE.trim_end();
    let mut rest = PAGE;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").expect("page.html closes what it opens");
        out.write_all(before.as_bytes())?;
        match name {
            "style_hash" => out.write_all(digest(style).as_bytes())?,
            "script_hash" => out.write_all(digest(script).as_bytes())?,
            "style" => out.write_all(style.as_bytes())?,
            "script" => out.write_all(script.as_bytes())?,
            "index" => out.write_all(inert(&index).as_bytes())?,
            "scenarios" => {
                for (at, block) in packed.blocks.iter().enumerate() {
                    writeln!(out, "<script type=\"text/plain\" id=\"p{at}\">{block}</script>")?;
                }
            }
            _ => unreachable!("page.html has no part {name:?}"),
        }
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

/// What the page shows before any scenario is opened.
#[derive(Serialize)]
struct Index<'a> {
    harness: &'a str,
    program: &'a str,
    started_ms: u64,
    ms: u64,
    /// As text: a number of a script has 53 bits.
    seed: String,
    /// As the seed, and as text for the same reason.
    nasty: Option<String>,
    shard: Option<&'a str>,
    interrupted: bool,
    /// Of how many runs the page has no evidence though the report has.
    left_out: usize,
    clauses: &'a [ClauseReport],
    scenarios: Vec<Scenario<'a>>,
    clients: Vec<Client<'a>>,
}

#[derive(Serialize)]
struct Scenario<'a> {
    name: &'a str,
    path: &'a str,
    why: &'a str,
    clauses: &'a [String],
}

#[derive(Serialize)]
struct Client<'a> {
    name: &'a str,
    calls_itself: &'a str,
    version: &'a str,
    capabilities: &'a [String],
    not_started: Option<&'a str>,
    tally: Tally,
    stale: &'a [String],
    mend: Option<&'a str>,
    unexplained: &'a [String],
    file: Option<&'a str>,
    /// What became of each scenario, in their order: a letter each, [`letter`]; a blank where it was not to be run.
    verdicts: String,
}

impl<'a> Index<'a> {
    fn of(report: &'a Report, packed: &Packed) -> Self {
        let Report {
            format: _,
            harness,
            program,
            started_ms,
            ms,
            seed,
            nasty,
            shard,
            interrupted,
            clauses,
            scenarios,
            clients,
        } = report;
        Self {
            harness,
            program,
            started_ms: *started_ms,
            ms: *ms,
            seed: seed.to_string(),
            nasty: nasty.map(|seed| seed.to_string()),
            shard: shard.as_deref(),
            interrupted: *interrupted,
            left_out: packed.left_out,
            clauses,
            scenarios: scenarios.iter().map(Scenario::of).collect(),
            clients: clients.iter().map(|client| Client::of(client, scenarios)).collect(),
        }
    }
}

impl<'a> Scenario<'a> {
    fn of(text: &'a ScenarioText) -> Self {
        let ScenarioText { name, path, why, clauses, source: _ } = text;
        Self { name, path, why, clauses }
    }
}

impl<'a> Client<'a> {
    fn of(client: &'a ClientReport, scenarios: &[ScenarioText]) -> Self {
        let ended = pack::by_name(client);
        let verdicts = scenarios
            .iter()
            .map(|scenario| ended.get(&*scenario.name).map_or(' ', |one| letter(one.verdict)))
            .collect();
        Self {
            name: &client.name,
            calls_itself: &client.calls_itself,
            version: &client.version,
            capabilities: &client.capabilities,
            not_started: client.not_started.as_deref(),
            tally: client.tally,
            stale: &client.stale,
            mend: client.mend.as_deref(),
            unexplained: &client.unexplained,
            file: client.file.as_deref(),
            verdicts,
        }
    }
}

/// A verdict in the page's index; `data.js` has the same letters.
fn letter(verdict: VerdictWord) -> char {
    match verdict {
        VerdictWord::Passed => 'p',
        VerdictWord::Failed => 'f',
        VerdictWord::Flaky => 'y',
        VerdictWord::StaleKnownFailure => 's',
        VerdictWord::KnownFailure => 'k',
        VerdictWord::Unsupported => 'u',
        VerdictWord::NotRun => 'n',
    }
}

/// JSON that may stand in a page: no `<`, so it neither ends its element nor opens a comment.
fn inert(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("names, numbers and texts are JSON");
    json.replace('<', "\\u003c")
}

/// A source of the page's content security policy: only what has this digest runs.
fn digest(text: &str) -> String {
    format!("sha256-{}", BASE64_STANDARD.encode(Sha256::digest(text)))
}
