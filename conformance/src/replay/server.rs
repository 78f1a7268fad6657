//! What a client sent, given to this build's server: no client, no socket and no waiting. Time is the record's.

use std::path::Path;

use mock_server::machine::Finding as Found;
use mock_server::replay;
use mock_server::tape::{Event, Row};

use super::{Difference, Unplayable};
use crate::bundle::Bundle;
use crate::exceptions::Exceptions;
use crate::judge::{self, Finding};
use crate::record::Records;
use crate::scenario::Scenario;
use crate::transcript::Transcript;
use crate::verdict::{Verdict, verdict};

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// The tape as it is now, no longer than the recorded one.
    pub rows: Vec<Row>,
    /// Where it is not as recorded first.
    pub difference: Option<Difference>,
    /// What the clients did wrong, as this build's server finds it.
    pub found: Vec<Found>,
}

/// Gives this build's server what the recorded one was given.
pub fn play(bundle: &Bundle) -> Result<Played, Unplayable> {
    let journal = bundle.journal.as_ref().ok_or(Unplayable::NoJournal)?;
    let again = replay::replay(journal).map_err(|error| Unplayable::Journal(error.to_string()))?;
    let mut rows = again.rows;
    let difference = Difference::first(bundle, &rows);
    // The journal was fetched after the tape: what a client sent in between is on no record.
    rows.truncate(bundle.tape.len());
    Ok(Played { rows, difference, found: again.findings })
}

/// What clients did, from the tape alone: of a recording nobody knows what its server was given, which may be none of ours.
pub fn read(bundle: &Bundle) -> Played {
    Played { rows: bundle.tape.clone(), difference: None, found: Vec::new() }
}

impl Played {
    /// How many frames and requests went over the wires.
    pub fn counts(&self) -> (usize, usize) {
        let count = |is: fn(&Event) -> bool| self.rows.iter().filter(|row| is(&row.event)).count();
        (
            count(|event| matches!(event, Event::Frame { .. })),
            count(|event| matches!(event, Event::Http { .. })),
        )
    }

    /// What this build's judge says, with these exceptions and records. How far the scenario came stands in the record.
    pub fn verdict(
        &self,
        bundle: &Bundle,
        scenario: Option<&Scenario>,
        exceptions: &Exceptions<'_>,
        records: Option<&Records>,
    ) -> Verdict {
        let server: Vec<Finding> = self
            .found
            .iter()
            .map(|found| Finding {
                clause: found.clause.to_owned(),
                user: found.user.clone(),
                text: found.text.clone(),
            })
            .collect();
        let findings = judge::everything(&self.rows, &bundle.app_key, bundle.ended_at, &server);
        let client = exceptions.client();
        let recorded = records
            .zip(scenario)
            .filter(|(_, scenario)| scenario.unrecorded.is_none() && client.records(&scenario.name));
        let record = || {
            let (records, scenario) = recorded?;
            let wire = Transcript::new(&self.rows, &bundle.app_key, bundle.staged).text();
            records.compare(scenario, &wire)
        };
        verdict(exceptions, &bundle.scenario.name, &bundle.ended.outcome(), &findings, record)
    }
}

/// The scenario of a bundle, from the text that was run; `None` when this build reads scenarios otherwise.
pub fn scenario(bundle: &Bundle) -> Option<Scenario> {
    let clauses = serde_json::from_str::<serde_json::Value>(&bundle.scenario.source).ok()?;
    let ids = clauses.get("clauses")?.as_array()?.iter();
    let ids = ids.filter_map(|id| id.as_str().map(str::to_owned)).collect();
    let of = &bundle.scenario;
    Scenario::parse(&of.source, &of.name, Path::new(&of.path), &ids).ok()
}
