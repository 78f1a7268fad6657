//! Which rows somebody asks for: by user, kind, direction, clause, time, text and, of requests, method, path and status.
//! And of rows that are not what was asked for, how near they come and what is missing.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Seen, TrafficRow};
use crate::control_api::Unknown;
use crate::decoded::{Kind, Way};
use crate::rule::{self, Among, Conditions, RuleError};
use crate::tape::Direction;

/// What is asked for, in the words of a query or of a body. A field that is left out lets every row pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Rows {
    /// Whose rows: of a socket the user that logged in on it, of a request the one of its token. In any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Which device of theirs, by the resource it logged in with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// What it is, in the word of a [`Kind`]. A page that goes down is also of the kinds of the messages in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Frames that went this way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// A clause that the row offends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// From this moment of the world's time on, in ms since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since_ms: Option<u64>,
    /// Until this moment, which is among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<u64>,
    /// A text that stands anywhere in it, in any case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Requests with this method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Requests whose path, behind `/{org}/{app}`, holds this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Requests that were answered with this status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What has to be so of the frame's fields, or of the request: conditions as rules have them, joined by `and`, such as
    /// `meta.ns == CHAT and meta.to.name == bob`.
    #[serde(skip_serializing_if = "Option::is_none", rename = "where")]
    pub conditions: Option<String>,
}

/// What every row must be that is asked for; what is cheap to see comes first.
#[derive(Clone, Debug, Default)]
pub struct Question {
    conditions: Vec<Condition>,
}

/// One thing that a row must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// Its direction.
    Direction(Direction),
    /// Not before.
    Since(u64),
    /// Not after.
    Until(u64),
    /// The user, folded.
    User(String),
    /// The device.
    Device(String),
    /// The method, in capitals.
    Method(String),
    /// The answer's status.
    Status(u16),
    /// Part of the path.
    Path(String),
    /// The kind, of it or of what is in it.
    Kind(Kind),
    /// A clause it offends.
    Clause(String),
    /// A text in it, in lower case.
    Text(String),
    /// What a rule may ask of it.
    Where(rule::Condition),
}

/// A row that is nearly what was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NearMiss {
    /// It.
    pub row: TrafficRow,
    /// How many of the conditions hold.
    pub holds: usize,
    /// How many there are.
    pub of: usize,
    /// What does not hold, with what is there and what was asked for.
    pub why: String,
}

/// How many near misses are told: the rest are no nearer.
const NEAR_MAX: usize = 5;
/// Of how many rows, the latest, they are sought.
const NEAR_ROWS_MAX: usize = 5_000;

/// Why a question makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unasked {
    /// A name that nothing has.
    #[error("{0}")]
    Unknown(#[from] Unknown),
    /// A time that ends before it begins.
    #[error("since_ms is {since}, which is after until_ms, {until}: no row is between them")]
    NoTime {
        /// From when.
        since: u64,
        /// Until when.
        until: u64,
    },
    /// Conditions that cannot be.
    #[error("where: {}", Pointed(.0))]
    Where(RuleError),
}

impl Question {
    /// Reads what is asked. `users` are those of the world, `clauses` those that there are.
    pub fn new(rows: Rows, users: &[&str], clauses: &[&str]) -> Result<Self, Unasked> {
        let Rows {
            user,
            device,
            kind,
            direction,
            clause,
            since_ms,
            until_ms,
            text,
            method,
            path,
            status,
            conditions,
        } = rows;
        if let (Some(since), Some(until)) = (since_ms, until_ms)
            && since > until
        {
            return Err(Unasked::NoTime { since, until });
        }
        let user = user.map(|user| user.to_ascii_lowercase());
        let known = |what, name: &Option<String>, names: &[&str]| match name {
            Some(name) if !names.contains(&&**name) => Err(Unknown::new(what, name, names)),
            Some(_) | None => Ok(()),
        };
        known("user", &user, users)?;
        known("clause", &clause, clauses)?;
        let kind = kind.map(|word| kind_of(&word)).transpose()?;
        let of_requests = method.is_some() || path.is_some() || status.is_some();
        let wheres = conditions
            .map(|text| Conditions::parse(&text, among(kind, direction, of_requests)))
            .transpose()
            .map_err(Unasked::Where)?;
        let conditions = [
            direction.map(Condition::Direction),
            since_ms.map(Condition::Since),
            until_ms.map(Condition::Until),
            user.map(Condition::User),
            device.map(Condition::Device),
            method.map(|method| Condition::Method(method.to_ascii_uppercase())),
            status.map(Condition::Status),
            path.map(Condition::Path),
            kind.map(Condition::Kind),
            clause.map(Condition::Clause),
            text.map(|text| Condition::Text(text.to_lowercase())),
        ];
        let wheres = wheres.map(Conditions::into_each).unwrap_or_default();
        let conditions = conditions.into_iter().flatten();
        Ok(Self { conditions: conditions.chain(wheres.into_iter().map(Condition::Where)).collect() })
    }

    /// How many of what is asked for are in a row: messages, where a page has several of the kind.
    pub(crate) fn count(&self, seen: &Seen<'_>) -> usize {
        let kind = self.conditions.iter().find_map(|condition| match condition {
            Condition::Kind(kind) => Some(*kind),
            _ => None,
        });
        match (self.holds(seen), kind) {
            (false, _) => 0,
            (true, Some(kind)) => seen.count_of(kind),
            (true, None) => 1,
        }
    }

    pub(crate) fn holds(&self, seen: &Seen<'_>) -> bool {
        self.conditions.iter().all(|condition| condition.holds(seen))
    }

    /// Those of the rows that come nearest, the nearest first and of equals the latest.
    pub(crate) fn nearest<'a>(&self, rows: impl DoubleEndedIterator<Item = Seen<'a>>) -> Vec<NearMiss> {
        let mut nearest: Vec<(usize, Seen<'_>)> = Vec::with_capacity(NEAR_MAX + 1);
        for seen in rows.rev().take(NEAR_ROWS_MAX) {
            let holds = self.conditions.iter().filter(|condition| condition.holds(&seen)).count();
            let is_nearer =
                nearest.len() < NEAR_MAX || nearest.last().is_some_and(|(least, _)| holds > *least);
            // One of which nothing holds is not near; one of which all does was found.
            if holds > 0 && holds < self.conditions.len() && is_nearer {
                let place = nearest.partition_point(|(other, _)| *other >= holds);
                nearest.insert(place, (holds, seen));
                nearest.truncate(NEAR_MAX);
            }
        }
        let told = |(holds, seen): (usize, Seen<'_>)| {
            let failed = self.conditions.iter().filter(|condition| !condition.holds(&seen));
            let why: Vec<String> = failed.map(|condition| condition.why_not(&seen)).collect();
            NearMiss { row: TrafficRow::of(&seen), holds, of: self.conditions.len(), why: why.join("; ") }
        };
        nearest.into_iter().map(told).collect()
    }
}

impl Condition {
    fn holds(&self, seen: &Seen<'_>) -> bool {
        match self {
            Self::Direction(direction) => seen.direction() == Some(*direction),
            Self::Since(ms) => seen.row().at.0 >= *ms,
            Self::Until(ms) => seen.row().at.0 <= *ms,
            Self::User(user) => seen.user() == Some(user),
            Self::Device(device) => seen.device() == Some(device),
            Self::Method(method) => seen.method() == Some(method),
            Self::Status(status) => seen.status() == Some(*status),
            Self::Path(part) => seen.path().is_some_and(|path| path.contains(&**part)),
            Self::Kind(kind) => seen.count_of(*kind) > 0,
            Self::Clause(clause) => seen.clauses().contains(&&**clause),
            Self::Text(text) => seen.holds(text),
            Self::Where(condition) => seen.held().is_some_and(|held| condition.holds(held)),
        }
    }

    /// What is there instead.
    fn why_not(&self, seen: &Seen<'_>) -> String {
        let not = |what: &str, there: Option<String>, asked: &str| match there {
            Some(there) => format!("{what} is {there}, not {asked}"),
            None => format!("it has no {what}, and {asked} was asked for"),
        };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        match self {
            Self::Direction(direction) => {
                not("direction", seen.direction().map(|there| word(there).to_owned()), word(*direction))
            }
            Self::Since(ms) => format!("at_ms is {}, before since_ms, {ms}", seen.row().at.0),
            Self::Until(ms) => format!("at_ms is {}, after until_ms, {ms}", seen.row().at.0),
            Self::User(user) => not("user", owned(seen.user()), user),
            Self::Device(device) => not("device", owned(seen.device()), device),
            Self::Method(method) => not("method", owned(seen.method()), method),
            Self::Status(status) => {
                not("status", seen.status().map(|status| status.to_string()), &status.to_string())
            }
            Self::Path(part) => match seen.path() {
                Some(path) => format!("path is {path}, without {part}"),
                None => not("path", None, part),
            },
            Self::Kind(kind) => not("kind", Some(seen.kind().word().to_owned()), kind.word()),
            Self::Clause(clause) => match seen.clauses() {
                [] => format!("it offends no clause, and {clause} was asked for"),
                clauses => format!("it offends {}, not {clause}", clauses.join(" and ")),
            },
            Self::Text(text) => format!("{text:?} stands nowhere in it: {}", seen.line()),
            Self::Where(condition) => match seen.held().and_then(|held| condition.there(held)) {
                Some(there) => format!("{} is {there}, and {condition} was asked for", condition.path),
                None => format!("it has no {}, and {condition} was asked for", condition.path),
            },
        }
    }
}

/// Which rows can be meant.
fn among(kind: Option<Kind>, direction: Option<Direction>, of_requests: bool) -> Among {
    match (kind, direction) {
        (Some(Kind::Http | Kind::Upload), _) => Among::Requests,
        (None, None) if of_requests => Among::Requests,
        (_, Some(Direction::Up)) => Among::Frames(Way::Up),
        (_, Some(Direction::Down)) => Among::Frames(Way::Down),
        // A message goes up by itself and down in a page.
        (Some(kind), None) if kind.has_meta() => Among::Frames(Way::Both),
        (Some(kind), None) => Among::Frames(kind.way()),
        (None, None) => Among::Any,
    }
}

/// Where in the text something is wrong.
struct Pointed<'a>(&'a RuleError);

impl fmt::Display for Pointed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.point(f)
    }
}

fn kind_of(word: &str) -> Result<Kind, Unknown> {
    let words = Kind::ALL.map(|(_, word, _)| word);
    Kind::parse(word).ok_or_else(|| Unknown::new("kind", word, &words))
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Up => "up",
        Direction::Down => "down",
    }
}
