//! What is read of a world: its tape, its findings, and whether it is quiet. Nothing here changes it.

use std::time::Duration;

use tokio::time::timeout;

use super::{Refusal, bad, told};
use crate::control_api::{Findings, Found, PAGE_ROWS_MAX, QuietAnswer, RestAnswer, TapePage, WITHIN_MS_MAX};
use crate::machine::excerpt;
use crate::shell::NotQuiet;
use crate::shell::content::Answer;
use crate::shell::world::{World, not_quiet};

/// What the frames and bodies of one answer may weigh, but for its first row: base64 makes a third more of it, and it
/// is copied while nothing else is served.
const PAGE_BYTES_MAX: usize = 4 << 20;

pub(super) fn tape(world: &World, query: &str) -> Result<Answer, Refusal> {
    let [from, rows] = numbers(query, ["from", "rows"])?;
    let rows = rows.unwrap_or(PAGE_ROWS_MAX as u64);
    if rows > PAGE_ROWS_MAX as u64 {
        return Err(bad("query", format!("rows: one answer holds at most {PAGE_ROWS_MAX}, not {rows}")));
    }
    let from = usize::try_from(from.unwrap_or(0)).unwrap_or(usize::MAX);
    let rows_max = usize::try_from(rows).expect("it is at most PAGE_ROWS_MAX");
    let Some((rows_ever, from, rows)) = world.tape_part(from, rows_max, PAGE_BYTES_MAX) else {
        let description = "no tape is kept of this world: POST {\"rows_max\":200000} to this path and one is, from \
                           then on";
        return Err(Refusal { status: 404, error: "no_tape", description: description.into() });
    };
    Ok(told(200, &TapePage { rows_ever, from, rows }))
}

pub(super) fn findings(world: &World) -> Answer {
    let found = |finding: crate::machine::Finding| Found {
        clause: finding.clause.to_owned(),
        user: finding.user,
        text: finding.text,
    };
    told(200, &Findings { findings: world.findings().into_iter().map(found).collect() })
}

pub(super) async fn quiet(world: &World, query: &str) -> Result<Answer, Refusal> {
    let answer = match timeout(within(query)?, world.quiet()).await {
        Ok(quiet) => QuietAnswer { quiet: true, mark: Some(quiet.mark), open: Vec::new() },
        Err(_) => {
            let NotQuiet(open) = not_quiet(world);
            QuietAnswer { quiet: false, mark: None, open }
        }
    };
    Ok(told(200, &answer))
}

pub(super) async fn rest(world: &World, query: &str) -> Result<Answer, Refusal> {
    let reached = timeout(within(query)?, world.rest()).await.is_ok();
    Ok(told(200, &RestAnswer { reached, mark: world.mark(), open: world.waits() }))
}

/// Of a path that takes no query.
pub(super) fn refuse_query(query: &str) -> Result<(), Refusal> {
    numbers(query, []).map(|[]| ())
}

/// How long is waited: not at all, unless the query says otherwise.
fn within(query: &str) -> Result<Duration, Refusal> {
    let [ms] = numbers(query, ["within_ms"])?;
    let ms = ms.unwrap_or(0);
    if ms > WITHIN_MS_MAX {
        let description =
            format!("within_ms: one request waits at most {WITHIN_MS_MAX} ms, not {ms}; ask again");
        return Err(bad("query", description));
    }
    Ok(Duration::from_millis(ms))
}

/// The numbers of a query, by the names that it may have.
fn numbers<const N: usize>(query: &str, names: [&str; N]) -> Result<[Option<u64>; N], Refusal> {
    let mut numbers = [None; N];
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let place = names.iter().position(|known| *known == name).ok_or_else(|| {
            let known = if N == 0 { "none".to_owned() } else { names.join(", ") };
            bad("query", format!("{:?} is no parameter of this path; it has {known}", excerpt(name)))
        })?;
        let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
        let number = value.parse().ok().filter(|_| digits).ok_or_else(|| {
            bad("query", format!("{name}: a whole number is expected, not {:?}", excerpt(value)))
        })?;
        if numbers[place].replace(number).is_some() {
            return Err(bad("query", format!("{name} is there twice")));
        }
    }
    Ok(numbers)
}
