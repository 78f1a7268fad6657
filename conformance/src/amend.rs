//! `--update-known-failures`: a client's file as the last run says that it should be. What nothing needs goes, what
//! is new comes, with a reason that asks for one; everything else of the text stays as it was written.
//!
//! It explains nothing: an entry that it writes is told of at the end of each run until somebody has.

mod message;
mod text;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::client::{Client, Day, KnownFailure, KnownFinding, KnownOutcome, UNEXPLAINED};
use crate::exceptions::{Entry, Exceptions, Sight, Stale, Why};
use crate::pattern::is_match;
use crate::verdict::{Mismatch, Place, Verdict};

use message::telling;
use text::{List, Text};

/// A client's file as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amendment {
    /// Its whole text; that which it was, if nothing has to be changed.
    pub text: String,
    /// What was changed, each in a line.
    pub done: Vec<String>,
    /// What no entry can mend, each in a line.
    pub left: Vec<String>,
}

/// The file of a client whose own text is `source`, after a run that showed `sight`.
pub fn amend(source: &str, exceptions: &Exceptions<'_>, sight: &Sight<'_>, today: Day) -> Amendment {
    let mut changes = Changes::new(exceptions, sight, today);
    changes.weigh_failures();
    changes.weigh_findings();
    changes.weigh_words();
    changes.write_down_what_is_new();
    changes.into_amendment(source)
}

/// Writes a file whole or not at all: whoever reads it meanwhile, or is cut off, finds the old or the new text.
pub fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    // A link stays one: what it points to is written.
    let path = fs::canonicalize(path)?;
    let folder = path.parent().expect("a whole path of a file has a folder");
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    fs::set_permissions(file.path(), fs::metadata(&path)?.permissions())?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

/// What becomes of an entry.
enum Fate {
    Keep,
    Drop,
    /// Others take its place.
    Become(Vec<KnownFailure>),
}

struct Changes<'a, 's> {
    client: &'a Client,
    exceptions: &'s Exceptions<'a>,
    sight: &'s Sight<'s>,
    today: Day,
    /// The entries that fail the run.
    stale: Vec<Stale>,
    /// The known failures that hold for this version in the end.
    hold: Vec<KnownFailure>,
    /// By index in the client's own file.
    replaced: BTreeMap<usize, Vec<KnownFailure>>,
    dropped: BTreeSet<usize>,
    added: Vec<KnownFailure>,
    findings_dropped: BTreeSet<usize>,
    findings_added: Vec<KnownFinding>,
    words_dropped: BTreeSet<String>,
    words_added: BTreeMap<String, String>,
    but: BTreeSet<String>,
    done: Vec<String>,
    left: Vec<String>,
}

impl<'a, 's> Changes<'a, 's> {
    fn new(exceptions: &'s Exceptions<'a>, sight: &'s Sight<'s>, today: Day) -> Self {
        Self {
            client: exceptions.client(),
            exceptions,
            sight,
            today,
            stale: exceptions.stale(sight, today),
            hold: Vec::new(),
            replaced: BTreeMap::new(),
            dropped: BTreeSet::new(),
            added: Vec::new(),
            findings_dropped: BTreeSet::new(),
            findings_added: Vec::new(),
            words_dropped: BTreeSet::new(),
            words_added: BTreeMap::new(),
            but: BTreeSet::new(),
            done: Vec::new(),
            left: Vec::new(),
        }
    }

    fn weigh_failures(&mut self) {
        let applies: BTreeSet<usize> = self.exceptions.all_failures().map(|(index, _)| index).collect();
        let expired: BTreeSet<usize> = self.stale(Why::Expired).filter_map(index_of_failure).collect();
        let fates: Vec<Fate> = self
            .client
            .known_failures
            .iter()
            .enumerate()
            .map(|(index, known)| match applies.contains(&index) {
                true => self.fate(known, expired.contains(&index)),
                false => Fate::Keep,
            })
            .collect();
        let is_inherited = |index: usize| !self.client.owns_failure(index);
        // To leave one out of another client's is to leave out all of that name.
        self.but.extend(
            fates
                .iter()
                .enumerate()
                .filter(|(index, fate)| is_inherited(*index) && !matches!(fate, Fate::Keep))
                .map(|(index, _)| self.client.known_failures[index].scenario.clone()),
        );
        for (index, fate) in fates.into_iter().enumerate() {
            let known = &self.client.known_failures[index];
            let inherited = is_inherited(index);
            let becomes = match fate {
                Fate::Keep if inherited && self.but.contains(&known.scenario) => {
                    self.added.push(known.clone());
                    vec![known.clone()]
                }
                Fate::Keep => vec![known.clone()],
                Fate::Drop => {
                    self.done.push(format!("removed {}", shown(known)));
                    if !inherited {
                        self.dropped.insert(index);
                    }
                    Vec::new()
                }
                Fate::Become(others) => {
                    self.done.push(format!("rewrote {}, {}", shown(known), as_what(&others)));
                    if inherited {
                        self.added.extend(others.iter().cloned());
                    } else {
                        self.replaced.insert(index, others.clone());
                    }
                    others
                }
            };
            if applies.contains(&index) {
                self.hold.extend(becomes);
            }
        }
    }

    fn fate(&self, known: &KnownFailure, expired: bool) -> Fate {
        let Some(all) = self.names(&known.scenario) else { return Fate::Keep };
        let needed = |name: &str| self.sight.seen.get(name).is_none_or(|seen| seen.needs(known));
        let needed: Vec<&str> = all.iter().copied().filter(|name| needed(name)).collect();
        let renewed = || if expired { self.renewed(known) } else { known.clone() };
        match known.outcome {
            _ if all.is_empty() => Fate::Drop,
            KnownOutcome::Fails if needed.is_empty() => Fate::Drop,
            KnownOutcome::Fails if self.sight.of(&known.scenario).any(|seen| seen.passed()) => {
                let narrowed =
                    needed.iter().map(|name| KnownFailure { scenario: (*name).to_owned(), ..renewed() });
                Fate::Become(narrowed.collect())
            }
            KnownOutcome::Fails | KnownOutcome::Varies if expired => Fate::Become(vec![renewed()]),
            KnownOutcome::Fails | KnownOutcome::Varies => Fate::Keep,
        }
    }

    /// The scenarios that a pattern means; `None` if that is not known.
    fn names(&self, pattern: &str) -> Option<Vec<&'s str>> {
        match self.sight.all {
            Some(all) => Some(all.iter().copied().filter(|name| is_match(pattern, name)).collect()),
            None => self.sight.seen.get(pattern).map(|seen| vec![seen.scenario]),
        }
    }

    /// The same without its day, and with a reason that asks for another look.
    fn renewed(&self, known: &KnownFailure) -> KnownFailure {
        let until = known.until.map(|until| until.to_string()).unwrap_or_default();
        let reason = format!("{}; it was good until {until}: {}", self.unexplained(), known.reason);
        KnownFailure { reason, until: None, ..known.clone() }
    }

    fn weigh_findings(&mut self) {
        let stale: BTreeSet<usize> = self
            .stale(Why::Unneeded)
            .filter_map(|entry| match entry {
                Entry::Finding(index) => Some(*index),
                Entry::Failure(_) | Entry::Unsupported(_) => None,
            })
            .collect();
        let known = |index: usize| &self.client.known_findings[index];
        for index in &stale {
            self.done.push(format!(
                "removed the known finding of {} with {:?}",
                known(*index).clause,
                known(*index).text
            ));
        }
        let (own, inherited): (BTreeSet<usize>, BTreeSet<usize>) =
            stale.iter().copied().partition(|index| self.client.owns_finding(*index));
        self.findings_dropped = own;
        let clauses: BTreeSet<&String> = inherited.iter().map(|index| &known(*index).clause).collect();
        let siblings = self.client.known_findings.iter().enumerate().filter(|(index, finding)| {
            !self.client.owns_finding(*index) && !stale.contains(index) && clauses.contains(&finding.clause)
        });
        self.findings_added = siblings.map(|(_, finding)| finding.clone()).collect();
        self.but.extend(clauses.into_iter().cloned());
    }

    fn weigh_words(&mut self) {
        let stale: Vec<String> = self
            .stale(Why::Unneeded)
            .filter_map(|entry| match entry {
                Entry::Unsupported(what) => Some(what.clone()),
                Entry::Failure(_) | Entry::Finding(_) => None,
            })
            .collect();
        for what in stale {
            self.done.push(format!("removed unsupported {what:?}"));
            if !self.client.owns_unsupported(&what) || self.client.hides_unsupported(&what) {
                self.but.insert(what.clone());
            }
            if self.client.owns_unsupported(&what) {
                self.words_dropped.insert(what);
            }
        }
    }

    fn write_down_what_is_new(&mut self) {
        for seen in self.sight.seen.values() {
            match seen.verdict {
                Verdict::Failed(mismatches) | Verdict::KnownFailure { mismatches, .. } => {
                    for mismatch in mismatches {
                        self.write_down(seen.scenario, mismatch);
                    }
                }
                // It passed in the end: to be found out, not to be expected.
                Verdict::Flaky(_) => {
                    self.left
                        .push(format!("{}: it is flaky; find out why before it is known", seen.scenario));
                }
                Verdict::Passed | Verdict::Unsupported { .. } | Verdict::StaleKnownFailure(_) => {}
            }
        }
    }

    fn write_down(&mut self, scenario: &str, mismatch: &Mismatch) {
        if let Some(what) = &mismatch.lacks {
            if self.words_added.insert(what.clone(), self.unexplained()).is_none() {
                self.done.push(format!("added unsupported {what:?}"));
            }
            return;
        }
        let knows = |known: &KnownFailure| {
            is_match(&known.scenario, scenario) && mismatch.message.contains(&known.message)
        };
        if self.hold.iter().any(knows) {
            return;
        }
        if mismatch.place == Place::Record {
            self.left.push(format!("{scenario}: its record differs; `conformance review` shows it"));
            return;
        }
        let Some(message) = telling(&mismatch.message) else {
            let first = mismatch.message.lines().next().unwrap_or_default();
            self.left.push(format!("{scenario}: nothing that a known failure could be known by: {first}"));
            return;
        };
        let known = KnownFailure {
            scenario: scenario.to_owned(),
            message: message.to_owned(),
            reason: self.unexplained(),
            outcome: KnownOutcome::Fails,
            link: None,
            versions: None,
            until: None,
        };
        self.done.push(format!("added {}", shown(&known)));
        self.hold.push(known.clone());
        self.added.push(known);
    }

    fn unexplained(&self) -> String {
        format!("{UNEXPLAINED}; written by --update-known-failures on {}", self.today)
    }

    fn stale(&self, why: Why) -> impl Iterator<Item = &Entry> {
        self.stale.iter().filter(move |stale| stale.why == why).map(|stale| &stale.entry)
    }

    fn into_amendment(self, source: &str) -> Amendment {
        let text = Text::of(source);
        // From the end, so that each index is still that of its entry.
        let touched: BTreeSet<usize> = self.dropped.iter().chain(self.replaced.keys()).copied().collect();
        for index in touched.into_iter().rev() {
            match self.replaced.get(&index) {
                Some(with) => text.replace(List::Failures, index, with),
                None => text.remove(List::Failures, std::iter::once(index)),
            }
        }
        text.append(List::Failures, &self.added);
        text.remove(List::Findings, self.findings_dropped.iter().copied());
        text.append(List::Findings, &self.findings_added);
        text.words(self.words_dropped.iter(), self.words_added.iter());
        text.but(self.but.iter());
        Amendment { text: text.to_string(), done: self.done, left: self.left }
    }
}

fn index_of_failure(entry: &Entry) -> Option<usize> {
    match entry {
        Entry::Failure(index) => Some(*index),
        Entry::Finding(_) | Entry::Unsupported(_) => None,
    }
}

fn shown(known: &KnownFailure) -> String {
    format!("{} with {:?}", known.scenario, known.message)
}

fn as_what(others: &[KnownFailure]) -> String {
    let names: Vec<&str> = others.iter().map(|other| &*other.scenario).collect();
    format!("now for {}", names.join(", "))
}
