//! What is read of a world: its tape, its findings, and whether it is quiet. Nothing here changes it.

use std::time::Duration;

use tokio::time::timeout;

use super::route::Asked;
use super::{Refusal, bad, told};
use crate::control_api::{
    Findings, Found, JournalAnswer, PAGE_ROWS_MAX, QuietAnswer, RestAnswer, TapePage, WITHIN_MS_MAX,
};
use crate::shell::NotQuiet;
use crate::shell::content::Answer;
use crate::shell::world::not_quiet;

/// What the frames and bodies of one answer may weigh, but for its first row: base64 makes a third more of it, and it
/// is copied while nothing else is served.
const PAGE_BYTES_MAX: usize = 4 << 20;

/// Where a tape is wanted that is not kept.
const NO_TAPE: &str =
    "no tape is kept of this world: POST {\"rows_max\":200000} to its …/tape and one is, from then on";

pub(super) fn no_tape() -> Refusal {
    Refusal { status: 404, error: "no_tape", description: NO_TAPE.to_owned() }
}

pub(super) fn tape(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let world = asked.world()?;
    let (from, rows) = (asked.number("from"), asked.number("rows"));
    let rows = rows.unwrap_or(PAGE_ROWS_MAX as u64);
    if rows > PAGE_ROWS_MAX as u64 {
        return Err(bad("query", format!("rows: one answer holds at most {PAGE_ROWS_MAX}, not {rows}")));
    }
    let from = usize::try_from(from.unwrap_or(0)).unwrap_or(usize::MAX);
    let rows_max = usize::try_from(rows).expect("it is at most PAGE_ROWS_MAX");
    let Some((rows_ever, from, rows)) = world.tape_part(from, rows_max, PAGE_BYTES_MAX) else {
        return Err(no_tape());
    };
    Ok(told(200, &TapePage { rows_ever, from, rows }))
}

pub(super) fn findings(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let world = asked.world()?;
    let found = |finding: crate::machine::Finding| Found {
        clause: finding.clause.to_owned(),
        user: finding.user,
        text: finding.text,
    };
    Ok(told(200, &Findings { findings: world.findings().into_iter().map(found).collect() }))
}

pub(super) fn journal(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let answer = match asked.world()?.journal() {
        Some(Ok(entries)) => JournalAnswer { entries: Some(entries), why_not: None },
        Some(Err(why)) => JournalAnswer { entries: None, why_not: Some(why.to_string()) },
        None => JournalAnswer { entries: None, why_not: Some(NO_TAPE.to_owned()) },
    };
    Ok(told(200, &answer))
}

pub(super) async fn quiet(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let world = asked.world()?;
    let answer = match timeout(within(asked)?, world.quiet()).await {
        Ok(quiet) => QuietAnswer { quiet: true, mark: Some(quiet.mark), open: Vec::new() },
        Err(_) => {
            let NotQuiet(open) = not_quiet(&world);
            QuietAnswer { quiet: false, mark: None, open }
        }
    };
    Ok(told(200, &answer))
}

pub(super) async fn rest(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let world = asked.world()?;
    let reached = timeout(within(asked)?, world.rest()).await.is_ok();
    Ok(told(200, &RestAnswer { reached, mark: world.mark(), open: world.waits() }))
}

/// How long is waited: not at all, unless the query says otherwise.
fn within(asked: &Asked<'_>) -> Result<Duration, Refusal> {
    let ms = asked.number("within_ms").unwrap_or(0);
    if ms > WITHIN_MS_MAX {
        let description =
            format!("within_ms: one request waits at most {WITHIN_MS_MAX} ms, not {ms}; ask again");
        return Err(bad("query", description));
    }
    Ok(Duration::from_millis(ms))
}
