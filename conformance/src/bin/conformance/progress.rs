//! What a run tells while it goes on, on stderr: a bar with the time left for somebody at a terminal; elsewhere a line for
//! each failure when it happens, and how far the run is now and then.

use std::io::IsTerminal as _;
use std::time::Duration;

use conformance::real_time::Stopwatch;
use conformance::report::model::VerdictWord;
use conformance::suite::Evaluated;
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::Stream;

/// How long nothing may be told where nobody can see a bar: a build server that hears nothing for minutes may give up.
const COUNT_EVERY: Duration = Duration::from_secs(15);

/// One client's run.
pub(crate) enum Progress {
    Bar(ProgressBar),
    Lines { client: String, all: usize, told: Stopwatch },
}

impl Progress {
    pub(crate) fn new(client: &str, all: usize) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines { client: client.to_owned(), all, told: Stopwatch::start() };
        }
        let bar = ProgressBar::new(u64::try_from(all).unwrap_or(u64::MAX));
        let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len}, {eta} left  {wide_msg}");
        bar.set_style(style.expect("the template is right"));
        bar.set_prefix(client.to_owned());
        Self::Bar(bar)
    }

    /// A scenario has ended.
    pub(crate) fn ended(&mut self, one: &Evaluated<'_>, left: usize) {
        let line = line(one);
        match self {
            Self::Bar(bar) => {
                if let Some(line) = line {
                    bar.suspend(|| Stream::Err.tell(format_args!("{line}\n")));
                }
                bar.set_message(one.scenario.name.clone());
                bar.inc(1);
            }
            Self::Lines { client, all, told } => {
                if let Some(line) = line {
                    Stream::Err.tell(format_args!("{client}: {line}\n"));
                }
                if told.elapsed() >= COUNT_EVERY {
                    Stream::Err.tell(format_args!("{client}: {} of {all}\n", *all - left));
                    *told = Stopwatch::start();
                }
            }
        }
    }

    /// The run is over.
    pub(crate) fn end(self) {
        match self {
            Self::Bar(bar) => bar.finish_and_clear(),
            Self::Lines { .. } => {}
        }
    }
}

/// What somebody would want to know at once.
fn line(one: &Evaluated<'_>) -> Option<String> {
    let word = match VerdictWord::from(&one.verdict) {
        VerdictWord::Failed => "FAILED",
        VerdictWord::Flaky => "FLAKY",
        VerdictWord::StaleKnownFailure => "STALE",
        VerdictWord::Passed | VerdictWord::KnownFailure | VerdictWord::Unsupported | VerdictWord::NotRun => {
            return None;
        }
    };
    Some(format!("{word} {}", one.scenario.name))
}
