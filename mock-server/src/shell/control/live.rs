//! `GET …/events`: a world's rows as they come, as an event stream (HTML Living Standard §9.2) that `EventSource` reads.
//!
//! A stream keeps no rows of its own: it reads the tape when its reader takes more. Who reads more slowly than rows come
//! is told how many made room meanwhile.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use serde::Serialize;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::route::Asked;
use super::traffic::{after_of, question, rows_of, taped};
use super::{Refusal, bad};
use crate::machine::excerpt;
use crate::shell::content::{Answer, Content};
use crate::shell::tapes::{Reader, Tape};
use crate::traffic::{Question, TrafficRow};

/// How often a stream says that it is still there when it has nothing to say: below what proxies cut after.
const STILL_HERE_AFTER: Duration = Duration::from_secs(15);
/// What is written at a time, but for the first row of it. A stream holds two of these at most.
const CHUNK_BYTES: usize = 64 << 10;
/// Of how many rows that nobody asked for one look goes past; others are served in between.
const PASSED_MAX: usize = 1_000;
/// How many streams and waits of one world may be open: each page that looks at it has one, and a page that opens another at each
/// slip should be noticed.
const STREAMS_MAX: usize = 64;

/// Where a stream is.
struct Position {
    /// The number of the next row.
    next: usize,
    /// How many changes without a row were told.
    changes: u64,
}

pub(super) fn answer(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    // An EventSource that comes back says where it was, and repeats its first address.
    let after = last_event_id(asked.headers)?.or_else(|| after_of(asked));
    let rows = rows_of(asked)?;
    let world = asked.world()?;
    let tape = taped(&world)?;
    let question = question(&world, rows)?;
    admit(&tape)?;
    let (sender, chunks) = channel(1);
    let reader = Reader::new(&tape);
    let next = after.map_or(0, |after| after.saturating_add(1));
    let position = Position { next, changes: tape.changes() };
    spawn_local(tell(reader, question, position, sender));
    let mut answer = Answer::new(Content::Stream(chunks));
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(answer)
}

/// Refuses one more who reads along, or waits.
pub(super) fn admit(tape: &Tape) -> Result<(), Refusal> {
    if tape.readers() >= STREAMS_MAX {
        let description =
            format!("{STREAMS_MAX} streams and waits of this world are open; close some of them");
        return Err(Refusal { status: 503, error: "too_many_streams", description });
    }
    Ok(())
}

/// Tells until the world or the reader goes.
async fn tell(reader: Reader, question: Question, mut position: Position, sender: Sender<Bytes>) {
    // At once, so that whoever opened it knows that it is open. An EventSource comes back after a second.
    let mut chunk = "retry: 1000\n: open\n\n".to_owned();
    loop {
        if !chunk.is_empty() && sender.send(chunk.into()).await.is_err() {
            return;
        }
        let tape = reader.tape();
        if tape.is_ended() {
            let _gone = sender.send(event("ended", None, &serde_json::Map::new()).into()).await;
            return;
        }
        chunk = next_chunk(tape, &question, &mut position);
        if chunk.is_empty() && position.next < tape.length().get() {
            tokio::task::yield_now().await;
        } else if chunk.is_empty() {
            let more = tape.more_than(position.next, position.changes);
            tokio::select! {
                () = sender.closed() => return,
                came = timeout(STILL_HERE_AFTER, more) => if came.is_err() {
                    ": still here\n\n".clone_into(&mut chunk);
                },
            }
        }
    }
}

/// What is to be told next; empty when the position is the end.
fn next_chunk(tape: &Rc<Tape>, question: &Question, position: &mut Position) -> String {
    #[derive(Serialize)]
    struct Lost {
        rows: usize,
        first: usize,
    }
    let mut chunk = String::new();
    if tape.changes() > position.changes {
        position.changes = tape.changes();
        chunk.push_str(&event("changed", None, &serde_json::Map::new()));
    }
    tape.look(|kept| {
        // A number from another life of the world may be beyond its end.
        position.next = position.next.min(kept.rows_ever());
        let first = kept.first();
        if position.next < first {
            let lost = Lost { rows: first - position.next, first };
            position.next = first;
            chunk.push_str(&event("lost", Some(first - 1), &lost));
        }
        for seen in kept.rows(position.next).take(PASSED_MAX) {
            position.next = seen.number() + 1;
            if question.holds(&seen) {
                chunk.push_str(&event("row", Some(seen.number()), &TrafficRow::of(&seen)));
                if chunk.len() >= CHUNK_BYTES {
                    break;
                }
            }
        }
    });
    chunk
}

fn event(name: &str, id: Option<usize>, data: &impl Serialize) -> String {
    let data = serde_json::to_string(data).expect("an event has only string keys");
    match id {
        Some(id) => format!("id: {id}\nevent: {name}\ndata: {data}\n\n"),
        None => format!("event: {name}\ndata: {data}\n\n"),
    }
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<usize>, Refusal> {
    let Some(value) = headers.get("last-event-id") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    match text.parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(bad(
            "query",
            format!("Last-Event-ID: the number of a row is expected, not {:?}", excerpt(text)),
        )),
    }
}
