//! `GET …/traffic`: rows of a world's tape, read and chosen.

use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;

use super::live;
use super::look::no_tape;
use super::route::Asked;
use super::{Refusal, bad, parsed, told};
use crate::control_api::{Bounds, PAGE_ROWS_MAX, Unknown, WITHIN_MS_MAX, WaitFor};
use crate::machine::rest::percent_decoded;
use crate::shell::content::Answer;
use crate::shell::tapes::Tape;
use crate::shell::wait::{self, Unmet, Wanted};
use crate::shell::world::World;
use crate::tape::Direction;
use crate::traffic::{Question, Rows, Traffic, TrafficRow};

/// What frames and bodies of one answer may weigh, but for its first row: in JSON, with fields and hexadecimal, they are
/// some five times as long, and nothing else is served meanwhile.
const TRAFFIC_BYTES_MAX: usize = 1 << 20;
/// How many rows are looked at for one answer, which says how far it came: reading a frame takes some µs, and nothing else
/// is served meanwhile.
const LOOKED_AT_MAX: usize = 10_000;

pub(super) fn answer(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let limit = asked.number("limit").map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let (rows, after) = (rows_of(asked)?, after_of(asked));
    let traffic = chosen(&*asked.world()?, rows, after, limit.unwrap_or(PAGE_ROWS_MAX))?;
    Ok(told(200, &traffic))
}

fn chosen(world: &World, rows: Rows, after: Option<usize>, limit: usize) -> Result<Traffic, Refusal> {
    if limit > PAGE_ROWS_MAX {
        return Err(bad(
            "query",
            format!("limit: one answer holds at most {PAGE_ROWS_MAX} rows, not {limit}"),
        ));
    }
    let tape = taped(world)?;
    let question = question(world, rows)?;
    Ok(page(&tape, &question, after, limit))
}

/// The world's tape.
pub(super) fn taped(world: &World) -> Result<Rc<Tape>, Refusal> {
    world.taped().ok_or_else(no_tape)
}

/// What is asked of this world.
pub(super) fn question(world: &World, rows: Rows) -> Result<Question, Refusal> {
    world
        .with_users(|users| Question::new(rows, users, &CLAUSES))
        .map_err(|error| bad("query", error.to_string()))
}

/// The next rows that are asked for, as many as one answer bears.
pub(in crate::shell) fn page(
    tape: &Tape,
    question: &Question,
    after: Option<usize>,
    limit: usize,
) -> Traffic {
    tape.look(|kept| {
        let mut traffic =
            Traffic { rows_ever: kept.rows_ever(), first: kept.first(), last: None, rows: Vec::new() };
        let from = after.map_or(0, |after| after.saturating_add(1));
        let mut bytes = 0;
        for seen in kept.rows(from).take(LOOKED_AT_MAX) {
            if traffic.rows.len() == limit {
                break;
            }
            if question.holds(&seen) {
                bytes += seen.row().event.long_bytes();
                if bytes > TRAFFIC_BYTES_MAX && !traffic.rows.is_empty() {
                    break;
                }
                traffic.rows.push(TrafficRow::of(&seen));
            }
            traffic.last = Some(seen.number());
        }
        traffic
    })
}

/// The number of the row that the query goes on behind.
pub(super) fn after_of(asked: &Asked<'_>) -> Option<usize> {
    asked.number("after").map(|after| usize::try_from(after).unwrap_or(usize::MAX))
}

/// Which rows a query asks for.
pub(super) fn rows_of(asked: &Asked<'_>) -> Result<Rows, Refusal> {
    let text = |name| asked.parameter(name).map(|value| text(name, value)).transpose();
    let status = asked.number("status").map(|status| {
        u16::try_from(status).map_err(|_| bad("query", format!("status: no answer has the status {status}")))
    });
    Ok(Rows {
        user: text("user")?,
        device: text("device")?,
        kind: text("kind")?,
        direction: text("direction")?.map(|word| direction(&word)).transpose()?,
        clause: text("clause")?,
        since_ms: asked.number("since_ms"),
        until_ms: asked.number("until_ms"),
        text: text("text")?,
        method: text("method")?,
        path: text("path")?,
        status: status.transpose()?,
        conditions: text("where")?,
    })
}

/// As forms write it: `+` is a space.
fn text(name: &str, value: &str) -> Result<String, Refusal> {
    let spaced = value.replace('+', " ");
    match String::from_utf8(percent_decoded(spaced.as_bytes())) {
        Ok(text) if text.is_empty() => Err(bad("query", format!("{name} is empty; leave it out instead"))),
        Ok(text) => Ok(text),
        Err(_) => Err(bad("query", format!("{name} is not UTF-8"))),
    }
}

fn direction(value: &str) -> Result<Direction, Refusal> {
    match value {
        "up" => Ok(Direction::Up),
        "down" => Ok(Direction::Down),
        other => Err(bad("query", Unknown::new("direction", other, &["up", "down"]).to_string())),
    }
}

/// The ids of all clauses.
pub(in crate::shell) static CLAUSES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    struct Clause<'a> {
        #[serde(borrow)]
        id: &'a str,
    }
    let clauses: Vec<Clause<'static>> = serde_json::from_str(fixtures::CLAUSES_JSON)
        .expect("the list of clauses is JSON, and each has an id");
    clauses.into_iter().map(|clause| clause.id).collect()
});

/// `POST …/wait`.
pub(super) async fn wait(asked: &Asked<'_>, body: Bytes) -> Result<Answer, Refusal> {
    let wanted: WaitFor = parsed(&body)?;
    let world = asked.world()?;
    let tape = taped(&world)?;
    let wanted = self::wanted(&world, wanted)?;
    live::admit(&tape)?;
    // Who waits keeps no world alive.
    drop(world);
    match wait::wait(&tape, wanted).await {
        Ok(waited) => Ok(told(200, &waited)),
        Err(Unmet::NotInTime(mut why)) => {
            why.error_description = asked.with_seed(why.error_description);
            Ok(told(408, &why))
        }
        Err(Unmet::Gone) => {
            let description = "the world was forgotten or made anew meanwhile, and its rows with it";
            Err(Refusal { status: 410, error: "world_gone", description: description.into() })
        }
    }
}

fn wanted(world: &World, wanted: WaitFor) -> Result<Wanted, Refusal> {
    let (rows, Bounds { count, after, within_ms }) = wanted.split();
    if !(1..=PAGE_ROWS_MAX).contains(&count) {
        return Err(bad("count", format!("count: 1 to {PAGE_ROWS_MAX} can be waited for, not {count}")));
    }
    if within_ms > WITHIN_MS_MAX {
        let description =
            format!("within_ms: one request waits at most {WITHIN_MS_MAX} ms, not {within_ms}; ask again");
        return Err(bad("within_ms", description));
    }
    let question = question(world, rows)?;
    Ok(Wanted { question, after, count, within: Duration::from_millis(within_ms) })
}
