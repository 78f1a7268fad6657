//! One scenario that was not as expected, for a person: where in its file, what was expected and what came, what went
//! on around it, what the client had to say, and how to go on.
//!
//! The text carries colour; whoever writes it where none belongs takes that out again ([`plain`]). It is made of a
//! report alone, so it is the same on the day of the run and on any later one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use anstyle::{AnsiColor, Style};

use crate::command_line::for_shell;

use super::difference::{COLUMNS, Difference, Message, short};
use super::model::{
    ClientReport, Evidence, MismatchReport, Moment, PlaceWord, Report, ScenarioReport, ScenarioText,
    VerdictWord, Way,
};
use super::pointer;

/// How many mismatches of one scenario are told: the first ones explain the others.
const MISMATCHES_MAX: usize = 5;
/// How many lines of a mismatch are told behind its fields: of a record that differs, the first differences.
const REST_LINES_MAX: usize = 60;
/// How many moments are shown at most, and how many if there are so many.
const MOMENTS_MAX: usize = 40;
const MOMENTS_MIN: usize = 8;
/// How many lines of one moment are shown: the first ones say what it is.
const MOMENT_LINES_MAX: usize = 12;
/// How much of a client's stderr is shown, its end, and how much of one line.
const STDERR_LINES: usize = 20;
const STDERR_CHARS: usize = 400;

const BAD: Style = AnsiColor::Red.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const ODD: Style = AnsiColor::Yellow.on_default().bold();
const STRONG: Style = Style::new().bold();
const FAINT: Style = Style::new().dimmed();

/// A scenario of a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failure<'r> {
    pub(super) report: &'r Report,
    pub(super) client: &'r ClientReport,
    pub(super) scenario: &'r ScenarioReport,
}

impl<'r> Failure<'r> {
    /// Those of a client that fail it, and those that passed only when tried again.
    pub(super) fn all(report: &'r Report, client: &'r ClientReport) -> impl Iterator<Item = Self> {
        let told = |scenario: &&ScenarioReport| {
            matches!(
                scenario.verdict,
                VerdictWord::Failed | VerdictWord::StaleKnownFailure | VerdictWord::Flaky
            )
        };
        client.scenarios.iter().filter(told).map(move |scenario| Self { report, client, scenario })
    }

    /// The scenario's file, as it was run.
    pub(super) fn source(&self) -> Option<&'r ScenarioText> {
        self.report.scenarios.iter().find(|text| text.name == self.scenario.name)
    }

    /// What was not as expected first of all, in a sentence.
    pub(super) fn sentence(&self) -> &'r str {
        let first = self.scenario.mismatches.first();
        first.map_or("it was not as expected", |mismatch| Message::of(&mismatch.message).sentence)
    }

    /// What a person types to have it again.
    pub(super) fn again(&self) -> String {
        let words = self.client.again.replacen("{}", &self.scenario.name, 1);
        format!("{} run {words}", self.report.program)
    }

    /// What to type next: the run again, the server in the state just before, and where everything is kept.
    pub(super) fn next_lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("run it again", self.again())];
        if let Some(bundle) = &self.scenario.bundle {
            let step = self.scenario.mismatches.iter().find_map(|mismatch| mismatch.step);
            let until = step.map_or_else(String::new, |step| format!(" --until {step}"));
            let program = &self.report.program;
            lines.push(("stage it", format!("{program} replay {}{until} --hold", for_shell(bundle))));
            lines.push(("bundle", bundle.clone()));
        }
        lines
    }

    /// The whole of it, with colour.
    pub(super) fn text(&self) -> String {
        let (word, style) = match self.scenario.verdict {
            VerdictWord::Failed => ("FAILED", BAD),
            VerdictWord::StaleKnownFailure => ("STALE", BAD),
            VerdictWord::Flaky => ("FLAKY", ODD),
            VerdictWord::Passed => ("passed", GOOD),
            VerdictWord::KnownFailure | VerdictWord::Unsupported => ("as its file says", FAINT),
            VerdictWord::NotRun => ("not run", FAINT),
        };
        let mut text = format!("{style}{word}{style:#} {STRONG}{}{STRONG:#}", self.scenario.name);
        match (self.scenario.verdict, self.scenario.tries) {
            (VerdictWord::Flaky, tries) => write!(text, ": it passed at try {tries}"),
            (_, 0 | 1) => Ok(()),
            (_, tries) => write!(text, ", {tries} times"),
        }
        .expect("a String takes every write");
        text.push('\n');
        for (index, mismatch) in self.scenario.mismatches.iter().take(MISMATCHES_MAX).enumerate() {
            if index > 0 {
                text.push('\n');
            }
            self.mismatch(&mut text, mismatch, index == 0);
        }
        let more = self.scenario.mismatches.len().saturating_sub(MISMATCHES_MAX);
        if more > 0 {
            line(&mut text, &format!("  … and {more} more that were not as expected"));
        }
        if let Some(evidence) = &self.scenario.evidence {
            let step = self.scenario.mismatches.iter().find_map(|mismatch| mismatch.step);
            around(&mut text, evidence, step);
            stderr(&mut text, &evidence.stderr);
        }
        text.push('\n');
        for (what, how) in self.next_lines() {
            let what = format!("{what}:");
            line(&mut text, &format!("  {STRONG}{what:<13}{STRONG:#}  {how}"));
        }
        text
    }

    /// What the scenario is for is told once: with the first.
    fn mismatch(&self, text: &mut String, mismatch: &MismatchReport, first: bool) {
        let clean = clean(&mismatch.message);
        let message = Message::of(&clean);
        let mut snippet = self.snippet(mismatch, &message);
        if let Some(scenario) = self.source().filter(|_| first) {
            let why = format!("{} [{}]", scenario.why, scenario.clauses.join(" "));
            snippet = snippet.element(Level::NOTE.message(why));
        }
        let renderer = Renderer::styled().term_width(COLUMNS);
        line(text, &renderer.render(&[snippet]));
        let width = message.differences.iter().map(|one| one.field.chars().count()).max().unwrap_or_default();
        for difference in &message.differences {
            for pair in difference.lines(width, 2) {
                line(text, &format!("  {pair}"));
            }
        }
        for rest in message.rest.iter().take(REST_LINES_MAX) {
            line(text, &format!("  {rest}"));
        }
        let more = message.rest.len().saturating_sub(REST_LINES_MAX);
        if more > 0 {
            line(text, &format!("  … and {more} more lines"));
        }
    }

    /// The pointer into the scenario's file.
    fn snippet<'a>(&'a self, mismatch: &'a MismatchReport, message: &'a Message<'_>) -> Group<'a> {
        let group = Level::ERROR.primary_title(message.sentence);
        let Some(scenario) = self.source() else {
            return group.element(Origin::path(&*self.scenario.name));
        };
        let file = |note: &'static str| Level::NOTE.message(note);
        match mismatch.place {
            PlaceWord::Step => match self.annotations(scenario, mismatch, &message.differences) {
                Some(annotations) => {
                    let snippet = Snippet::source(&*scenario.source).path(&*scenario.path);
                    group.element(snippet.annotations(annotations))
                }
                None => group.element(Origin::path(&*scenario.path)),
            },
            PlaceWord::Around => group
                .element(Origin::path(&*scenario.path))
                .element(file("before the first step or after the last")),
            PlaceWord::Wire => {
                group.element(Origin::path(&*scenario.path)).element(file("on the wire, where no step looks"))
            }
            PlaceWord::Record => group
                .element(Origin::path(&*scenario.path))
                .element(file("in its record: how the client spells the scenario on the wire")),
            PlaceWord::ClientFile => {
                group.element(Origin::path(self.client.file.as_deref().unwrap_or("the command line")))
            }
        }
    }

    fn annotations<'a>(
        &self,
        scenario: &ScenarioText,
        mismatch: &MismatchReport,
        differences: &[Difference<'_>],
    ) -> Option<Vec<Annotation<'a>>> {
        let source = &scenario.source;
        let number = mismatch.step?;
        let step = pointer::step(source, number).or_else(|| pointer::line(source, mismatch.line?))?;
        let found = differences.iter().filter_map(|difference| {
            let place = pointer::field(source, &step, difference.field)?;
            let (expected, got) = (short(difference.expected), short(difference.got));
            let label = format!("expected {expected}, got {got}");
            Some(AnnotationKind::Primary.span(place).label(label))
        });
        let mut annotations: Vec<Annotation<'_>> = found.collect();
        if annotations.is_empty() {
            annotations.push(AnnotationKind::Primary.span(step).label(format!("step {number}")));
        }
        Some(annotations)
    }
}

/// What went on around a step, by lane. Without a step it is the end that is told.
fn around(text: &mut String, evidence: &Evidence, step: Option<usize>) {
    let shown = moments_around(&evidence.moments, step);
    if shown.is_empty() {
        return;
    }
    let what = step.map_or_else(|| "before it ended".to_owned(), |step| format!("around step {step}"));
    line(text, "");
    line(
        text,
        &format!(
            "  {STRONG}{what}{STRONG:#}, by lane {FAINT}(# in order; > sent, < received by the client; \
             -> told, <- shown){FAINT:#}"
        ),
    );
    let mut by_lane: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for index in shown {
        by_lane.entry(evidence.moments[index].lane).or_default().push(index);
    }
    for (lane, moments) in by_lane {
        let title = evidence.lanes.get(lane).map_or("?", |lane| &*lane.title);
        line(text, &format!("  {STRONG}{}{STRONG:#}", clean(title)));
        for index in moments {
            one_moment(text, index + 1, &evidence.moments[index], step);
        }
    }
}

/// The indices of the moments that a failure shows: from the step before on, to the end of the run or of the step.
fn moments_around(moments: &[Moment], step: Option<usize>) -> std::ops::Range<usize> {
    let (mut start, mut end) = (moments.len().saturating_sub(MOMENTS_MIN * 2), moments.len());
    if let Some(step) = step {
        let at = |moment: &Moment| moment.step.is_some_and(|of| of + 1 >= step);
        start = moments.iter().position(at).unwrap_or(end);
        // A step may turn out to be wrong long after it: the end of the run tells nothing of it then.
        if moments.iter().any(|moment| moment.step.is_some_and(|of| of > step + 1)) {
            end = moments.iter().rposition(|moment| moment.step == Some(step)).map_or(end, |last| last + 1);
        }
    }
    start = start.min(end.saturating_sub(MOMENTS_MIN)).max(end.saturating_sub(MOMENTS_MAX));
    start..end
}

fn one_moment(text: &mut String, number: usize, moment: &Moment, failing: Option<usize>) {
    let arrow = match moment.way {
        Way::ToClient => "->",
        Way::FromClient => "<-",
        Way::Up => ">",
        Way::Down => "<",
        Way::Here => "--",
    };
    let step = moment.step.map_or_else(String::new, |step| step.to_string());
    let style = if moment.step.is_some() && moment.step == failing { BAD } else { Style::new() };
    let content = clean(&moment.text);
    let lines = content.lines().count();
    for (index, part) in content.lines().take(MOMENT_LINES_MAX).enumerate() {
        if index == 0 {
            line(
                text,
                &format!("  {FAINT}#{number:<3}{FAINT:#} {style}{step:>2}{style:#} {arrow:>2} {part}"),
            );
        } else {
            line(text, &format!("             {part}"));
        }
    }
    if lines > MOMENT_LINES_MAX {
        line(text, &format!("             … {} more lines", lines - MOMENT_LINES_MAX));
    }
}

fn stderr(text: &mut String, remarks: &str) {
    let clean = clean(remarks);
    let lines: Vec<&str> = clean.lines().collect();
    if lines.is_empty() {
        return;
    }
    line(text, "");
    let first = lines.len().saturating_sub(STDERR_LINES);
    let of = if first > 0 { format!(" (its last {STDERR_LINES} lines)") } else { String::new() };
    line(text, &format!("  {STRONG}the client's stderr{STRONG:#}{of}"));
    for one in &lines[first..] {
        match one.char_indices().nth(STDERR_CHARS) {
            None => line(text, &format!("    {one}")),
            Some((at, _)) => line(text, &format!("    {}…", &one[..at])),
        }
    }
}

/// What somebody else wrote, without what would move a terminal's cursor or change its colours.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| c.is_control() && c != '\n') {
        return text.into();
    }
    let stripped = anstream::adapter::strip_str(text).to_string();
    let visible = stripped.chars().filter_map(|c| match c {
        '\n' => Some('\n'),
        '\t' => Some(' '),
        '\r' => None,
        c if c.is_control() => Some('\u{fffd}'),
        c => Some(c),
    });
    visible.collect::<String>().into()
}

/// A text without its colours.
pub(super) fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn line(text: &mut String, content: &str) {
    text.push_str(content.trim_end());
    text.push('\n');
}
