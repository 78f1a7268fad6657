//! `GET …/bundle` and `GET …/har`: what is kept of a world, to be sent to somebody. Secrets are replaced, and the file says
//! by what.
//!
//! A bundle is what `conformance replay` plays; its shape is `conformance`'s, which tests hold against it. [`har()`] has the
//! requests alone. Both are made on a thread of their own, one after the other: the server serves on meanwhile, and
//! nobody can have it make many at once.

use bytes::Bytes;
use hyper::header;
use serde::Serialize;
use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::Refusal;
use super::har;
use super::route::Asked;
use super::traffic::taped;
use crate::journal::Entry;
use crate::machine::{Finding, Millis};
use crate::redact::{Redaction, Redactor, Secrets};
use crate::shell::content::{self, Answer};
use crate::tape::{Event, Row};

/// The format of bundles that have redactions.
const BUNDLE_FORMAT: u32 = 2;

#[derive(Serialize)]
struct Bundle {
    bundle: u32,
    harness: &'static str,
    seed: u64,
    scenario: Json,
    client: Json,
    expect_ms: u64,
    quiet_ms: u64,
    ended: &'static str,
    verdict: &'static str,
    findings: Vec<Json>,
    app_key: String,
    staged: usize,
    ended_at: Option<Millis>,
    tape: Vec<Row>,
    journal: Option<Vec<Entry>>,
    marks: [(); 0],
    marks_left_out: usize,
    stderr: &'static str,
    redactions: Vec<Redaction>,
}

/// What is kept of a world at a moment. Bytes of frames and bodies are shared with the tape.
struct Kept {
    app_key: String,
    rows: Vec<Row>,
    journal: Option<Vec<Entry>>,
    findings: Vec<Finding>,
}

/// One is written at a time, in a process: each is some times as large as the tape, for as long as it is fetched.
static WRITING: Semaphore = Semaphore::const_new(1);

pub(super) async fn bundle(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let written = written(asked, Kept::bundle).await?;
    Ok(file(written, &format!("{}.bundle.json", file_name(asked))))
}

pub(super) async fn har(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let base = asked.base();
    let written = written(asked, move |mut kept| {
        kept.rows.retain(|row| matches!(row.event, Event::Http { .. }));
        let secrets = kept.secrets();
        let redactor = Redactor::new(&secrets);
        let rows: Vec<Row> = kept.rows.iter().map(|row| redactor.row(row)).collect();
        to_json(&har::har(&base, &rows))
    })
    .await?;
    Ok(file(written, &format!("{}.har", file_name(asked))))
}

/// Writes what is kept now on a thread of its own.
async fn written(
    asked: &Asked<'_>,
    write: impl FnOnce(Kept) -> Bytes + Send + 'static,
) -> Result<Answer, Refusal> {
    taped(&*asked.world()?)?;
    let _turn = WRITING.acquire().await.expect("it is never closed");
    // Again: it may have gone meanwhile.
    let world = asked.world()?;
    let (rows, journal) = taped(&world)?.look(|kept| {
        let rows = kept.rows(0).map(|seen| seen.row().clone()).collect();
        (rows, kept.journal().ok().map(<[Entry]>::to_vec))
    });
    let app_key = asked.app_key().as_str().to_owned();
    let kept = Kept { app_key, rows, journal, findings: world.findings() };
    // Whoever fetches it keeps no world alive.
    drop(world);
    let written =
        spawn_blocking(move || write(kept)).await.expect("a bug of ours in what is written of a tape");
    Ok(content::json(200, written))
}

impl Kept {
    fn secrets(&self) -> Secrets {
        Secrets::of(&self.app_key, self.rows.iter(), self.journal.as_deref().unwrap_or_default())
    }

    fn bundle(self) -> Bytes {
        let secrets = self.secrets();
        let redactor = Redactor::new(&secrets);
        let finding = |found: &Finding| json!({ "clause": found.clause, "user": found.user, "text": redactor.text(&found.text), "times": 1 });
        let app = self.app_key.split('#').next_back().unwrap_or_default();
        let bundle = Bundle {
            bundle: BUNDLE_FORMAT,
            harness: env!("CARGO_PKG_VERSION"),
            seed: 0,
            // No scenario was run and no client started: whoever it was came by itself.
            scenario: json!({ "name": format!("live/{app}"), "path": "", "source": "" }),
            client: json!({
                "name": "live",
                "command": [],
                "hello": { "protocol": 1, "name": "live", "version": "0.0.0", "capabilities": [] },
            }),
            expect_ms: 0,
            quiet_ms: 0,
            ended: "finished",
            verdict: "not_run",
            findings: self.findings.iter().map(finding).collect(),
            staged: 0,
            // Whoever was here has time of its own: when its heartbeats came was chance.
            ended_at: None,
            tape: self.rows.iter().map(|row| redactor.row(row)).collect(),
            // One that makes no sense without its secrets plays nothing: better none.
            journal: self
                .journal
                .and_then(|entries| entries.iter().map(|entry| redactor.entry(entry)).collect()),
            marks: [],
            marks_left_out: 0,
            stderr: "",
            redactions: secrets.redactions(),
            app_key: self.app_key,
        };
        to_json(&bundle)
    }
}

fn to_json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).expect("it has only string keys").into()
}

/// What an app key has that no file name should.
fn file_name(asked: &Asked<'_>) -> String {
    let letter = |char: char| if char.is_ascii_alphanumeric() || char == '-' { char } else { '-' };
    asked.app_key().as_str().chars().map(letter).collect()
}

/// Says to a browser under which name to keep it.
fn file(mut answer: Answer, name: &str) -> Answer {
    if let Ok(value) = format!("attachment; filename=\"{name}\"").parse() {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    answer
}
