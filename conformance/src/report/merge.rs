//! Reports of several runs put together: the shards of one run, or clients that were run apart.
//!
//! It never decides between two reports that contradict each other: that is an error with the names of both.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::model::{
    ClauseReport, ClientReport, FORMAT, Report, ScenarioReport, ScenarioText, Tally, VerdictWord,
};

/// The largest report that is read. One of all our clients, with the evidence of every scenario, has 30 MB.
const REPORT_BYTES_MAX: u64 = 1 << 30;

/// A report and the file that it was read from.
pub type Named = (PathBuf, Report);

/// Why reports cannot be read or put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There is no such file, or it is not to be read.
    #[error("{}: {why}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// Nobody's report has so many bytes.
    #[error("{}: {bytes} bytes are no report of this harness: at most {REPORT_BYTES_MAX} are read", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How many it has.
        bytes: u64,
    },
    /// It is something else.
    #[error("{}: not a report.json of this harness: {why}", path.display())]
    NoReport {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        why: String,
    },
    /// It was written by another version of the harness.
    #[error("{}: a report of format {format}, and this harness reads format {FORMAT}: {advice}", path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// Which.
        format: u64,
        /// What to do.
        advice: &'static str,
    },
    /// Two of them cannot both be true.
    #[error("{} and {} cannot be put together: {what}", first.display(), second.display())]
    Contradiction {
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
        /// What they disagree on.
        what: String,
    },
}

/// Reads a report.
pub fn read(path: &Path) -> Result<Report, MergeError> {
    let unreadable =
        |error: std::io::Error| MergeError::Unreadable { path: path.to_owned(), why: error.to_string() };
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > REPORT_BYTES_MAX {
        return Err(MergeError::TooLarge { path: path.to_owned(), bytes });
    }
    parse(&fs::read(path).map_err(unreadable)?, path)
}

/// Reads a report's text; `path` is for errors.
pub fn parse(text: &[u8], path: &Path) -> Result<Report, MergeError> {
    /// What every format has.
    #[derive(Deserialize)]
    struct Head {
        format: u64,
    }
    let no_report =
        |error: serde_json::Error| MergeError::NoReport { path: path.to_owned(), why: error.to_string() };
    // The format first: of another one the fields are not those that are looked for here.
    let Head { format } = serde_json::from_slice(text).map_err(no_report)?;
    if format != u64::from(FORMAT) {
        let advice = if format > u64::from(FORMAT) {
            "put the reports together with the conformance that wrote them"
        } else {
            "run that client again with this one"
        };
        return Err(MergeError::OtherFormat { path: path.to_owned(), format, advice });
    }
    serde_json::from_slice(text).map_err(no_report)
}

/// Puts reports together, at least one: the clauses, scenarios and clients of all of them. What several runs have shown
/// of one client is added up by scenario. `ms` is the time from the first beginning to the last end; `seed` is that of
/// the first, and every client's `again` keeps its own.
pub fn merge(reports: Vec<Named>) -> Result<Report, MergeError> {
    let mut reports = reports.into_iter();
    let (first_path, mut merged) = reports.next().expect("the caller has at least one");
    let mut shards: Vec<String> = merged.shard.iter().cloned().collect();
    let mut clauses = Known::new(&first_path, &merged.clauses, |clause: &ClauseReport| &clause.id);
    let mut texts = Known::new(&first_path, &merged.scenarios, |text: &ScenarioText| &text.name);
    let mut clients: BTreeMap<String, PathBuf> =
        merged.clients.iter().map(|client| (client.name.clone(), first_path.clone())).collect();
    for (path, report) in reports {
        let contradiction = |first: &Path, what: String| MergeError::Contradiction {
            first: first.to_owned(),
            second: path.clone(),
            what,
        };
        if report.harness != merged.harness {
            let what = format!(
                "one is of version {} of the harness, the other of {}",
                merged.harness, report.harness
            );
            return Err(contradiction(&first_path, what));
        }
        clauses.add(&path, &mut merged.clauses, report.clauses, |id| {
            format!("they have different statements of the clause {id}: were the runs of one checkout?")
        })?;
        texts.add(&path, &mut merged.scenarios, report.scenarios, |name| {
            format!("they have different texts of the scenario {name}: were the runs of one checkout?")
        })?;
        for client in report.clients {
            let before = merged.clients.iter_mut().find(|before| before.name == client.name);
            match before {
                None => {
                    clients.insert(client.name.clone(), path.clone());
                    merged.clients.push(client);
                }
                Some(before) => {
                    let where_before = clients.get(&client.name).unwrap_or(&first_path);
                    add(before, client).map_err(|what| contradiction(where_before, what))?;
                }
            }
        }
        let ends = [merged.started_ms.saturating_add(merged.ms), report.started_ms.saturating_add(report.ms)];
        merged.started_ms = merged.started_ms.min(report.started_ms);
        merged.ms = ends.into_iter().max().unwrap_or_default() - merged.started_ms;
        merged.interrupted |= report.interrupted;
        match report.shard {
            Some(shard) if shards.contains(&shard) => {}
            shard => shards.extend(shard),
        }
    }
    merged.scenarios.sort_by(|one, other| one.name.cmp(&other.name));
    merged.shard = missing_shards(&shards);
    Ok(merged)
}

/// What several reports must agree on: clauses, or the texts of scenarios.
struct Known<T> {
    by_key: BTreeMap<String, (usize, PathBuf)>,
    key: fn(&T) -> &String,
}

impl<T: PartialEq> Known<T> {
    fn new(path: &Path, all: &[T], key: fn(&T) -> &String) -> Self {
        let by_key =
            all.iter().enumerate().map(|(index, one)| (key(one).clone(), (index, path.to_owned()))).collect();
        Self { by_key, key }
    }

    fn add(
        &mut self,
        path: &Path,
        all: &mut Vec<T>,
        more: Vec<T>,
        differ: impl Fn(&str) -> String,
    ) -> Result<(), MergeError> {
        for one in more {
            let key = (self.key)(&one).clone();
            match self.by_key.get(&key) {
                None => {
                    self.by_key.insert(key, (all.len(), path.to_owned()));
                    all.push(one);
                }
                Some((index, _)) if all[*index] == one => {}
                Some((_, first)) => {
                    let (first, second) = (first.clone(), path.to_owned());
                    return Err(MergeError::Contradiction { first, second, what: differ(&key) });
                }
            }
        }
        Ok(())
    }
}

/// Adds what another run has shown of a client.
fn add(to: &mut ClientReport, more: ClientReport) -> Result<(), String> {
    let name = &to.name;
    if to.not_started.is_none() && more.not_started.is_none() {
        let [one, other] = [&*to, &more].map(|client| format!("{} {}", client.calls_itself, client.version));
        if one != other {
            return Err(format!("{name} is {one:?} in the one and {other:?} in the other"));
        }
    } else if to.not_started.is_some() {
        (to.calls_itself, to.version, to.capabilities) = (more.calls_itself, more.version, more.capabilities);
    }
    to.not_started = to.not_started.take().or(more.not_started);
    let mut scenarios: BTreeMap<String, ScenarioReport> =
        std::mem::take(&mut to.scenarios).into_iter().map(|one| (one.name.clone(), one)).collect();
    for one in more.scenarios {
        let verdicts = scenarios.get(&one.name).map(|before| (before.verdict, one.verdict));
        match verdicts {
            None | Some((VerdictWord::NotRun, _)) => drop(scenarios.insert(one.name.clone(), one)),
            Some((_, VerdictWord::NotRun)) => {}
            // The same report twice, or a run repeated with the same end: the first stays.
            Some((before, now)) if before == now => {}
            Some((before, now)) => {
                let what =
                    format!("{} of {name} is {before:?} in the one and {now:?} in the other", one.name);
                return Err(format!("{what}: each scenario of a client is to be in one of them"));
            }
        }
    }
    to.scenarios = scenarios.into_values().collect();
    to.tally = Tally::of(&to.scenarios);
    for (lines, more) in [(&mut to.stale, more.stale), (&mut to.unexplained, more.unexplained)] {
        for line in more {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    to.mend = to.mend.take().or(more.mend);
    Ok(())
}

/// `None` when the shards are all there are of one division, or there were none.
fn missing_shards(shards: &[String]) -> Option<String> {
    let parts: Vec<(u32, u32)> = shards
        .iter()
        .filter_map(|shard| {
            let (part, of) = shard.split_once('/')?;
            Some((part.parse().ok()?, of.parse().ok()?))
        })
        .collect();
    let (_, of) = *parts.first()?;
    let whole = (1..=of).all(|part| parts.contains(&(part, of)));
    (!whole).then(|| shards.join(" "))
}
