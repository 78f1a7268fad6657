//! What was seen of one run of a scenario, from its trace: who took part, and what happened in the order in which it
//! did, decoded and named as a transcript has it.
//!
//! Left out is what says nothing of the scenario: heartbeats and statistics, as in a transcript. It judges nothing, and
//! it is the same for passes as for failures.

use std::collections::BTreeMap;

use mock_server::machine::ConnId;
use mock_server::tape::{Direction, Event, Row};
use serde_json::Value as Json;

use super::model::{Evidence, LaneKind, LaneReport, Moment, Way};
use crate::driver::Device;
use crate::trace::{Mark, Marked, Trace};
use crate::transcript::{Entry, Section, Writer, door_name};

/// How many moments are kept of one run: a usual one has some forty. A person reads no more, and a report of
/// thousands of runs stays a file that a browser opens.
pub const MOMENTS_MAX: usize = 400;
/// Of more than [`MOMENTS_MAX`] as many from the start, where the users come in; the others are the last.
const FIRST_MOMENTS: usize = 100;
/// How much of a moment's text is kept: a page of fifty messages has more, and its first ones show what it is.
const TEXT_BYTES_MAX: usize = 8 << 10;
/// How much of the client's stderr is kept, its end: a bundle has all that there is.
const STDERR_BYTES_MAX: usize = 8 << 10;
/// Where lines end, if they can: beside the margin and the arrow of a failure, in a terminal of 100 columns.
const WIDTH: usize = 86;

impl Evidence {
    /// Of a trace, with the lanes of these devices named as steps name them.
    pub fn of(trace: &Trace, devices: &[&Device]) -> Self {
        let mut writer = Writer::new(&trace.app_key, WIDTH);
        let sections = writer.lanes(&trace.rows, devices);
        let mut story = Story::new(writer, &sections);
        let mut entries: BTreeMap<usize, Vec<(Lane, Entry)>> = BTreeMap::new();
        for section in sections {
            let lane = Lane::of(&section);
            for entry in section.entries {
                entries.entry(entry.row).or_default().push((lane.clone(), entry));
            }
        }
        let mut marks = trace.marks.iter().peekable();
        let began = trace.rows.first().map(|row| row.at);
        for (index, row) in trace.rows.iter().enumerate() {
            while let Some(mark) = marks.next_if(|mark| mark.row <= index) {
                story.mark(mark);
            }
            story.at_ms = began.map(|began| row.at.0.saturating_sub(began.0));
            story.row(row, entries.remove(&index).unwrap_or_default());
        }
        marks.for_each(|mark| story.mark(mark));
        story.told(trace)
    }
}

/// A lane, sorted as a reader looks for it: what the harness did, the client's process, then each user's devices with
/// their connections, and the user's requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Control,
    Process,
    OfUser { user: String, part: Part },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Device { name: String, wire: Option<(usize, &'static str)> },
    Requests { of: String },
}

impl Lane {
    fn of(section: &Section) -> Self {
        let name = section.name.clone();
        let part = match section.door {
            Some(door) => Part::Device { name, wire: Some((section.ordinal, door_name(door))) },
            None => Part::Requests { of: name },
        };
        Self::OfUser { user: user_of(&section.name), part }
    }

    fn driver(device: &str) -> Self {
        Self::OfUser { user: user_of(device), part: Part::Device { name: device.to_owned(), wire: None } }
    }

    fn report(&self) -> LaneReport {
        let whose = |name: &str| if name.is_empty() { "somebody".to_owned() } else { name.to_owned() };
        let (title, kind) = match self {
            Self::Control => ("the harness".to_owned(), LaneKind::Control),
            Self::Process => ("the client's process".to_owned(), LaneKind::Driver),
            Self::OfUser { part: Part::Device { name, wire: None }, .. } => (whose(name), LaneKind::Driver),
            Self::OfUser { part: Part::Device { name, wire: Some((1, door)) }, .. } => {
                (format!("{}, {door}", whose(name)), LaneKind::Socket)
            }
            Self::OfUser { part: Part::Device { name, wire: Some((ordinal, door)) }, .. } => {
                (format!("{}, {door} {ordinal}", whose(name)), LaneKind::Socket)
            }
            Self::OfUser { part: Part::Requests { of }, .. } => {
                (format!("{}, HTTP", whose(of)), LaneKind::Http)
            }
        };
        LaneReport { title, kind }
    }
}

/// The user of a device's name, folded as the server folds it.
fn user_of(name: &str) -> String {
    name.split('/').next().unwrap_or(name).to_lowercase()
}

/// What is told so far.
struct Story {
    writer: Writer,
    lanes_of: BTreeMap<ConnId, Lane>,
    moments: Vec<(Lane, Moment)>,
    /// The requests that wait for their answers: whose, and what.
    open: BTreeMap<u64, (Lane, String)>,
    step: Option<usize>,
    /// Of the last row: the harness's own doings carry no time.
    at_ms: Option<u64>,
}

impl Story {
    fn new(writer: Writer, sections: &[Section]) -> Self {
        let lanes_of =
            sections.iter().filter_map(|section| Some((section.conn?, Lane::of(section)))).collect();
        let (moments, open) = (Vec::new(), BTreeMap::new());
        Self { writer, lanes_of, moments, open, step: None, at_ms: None }
    }

    fn tell(&mut self, lane: Lane, way: Way, label: &str, text: &str) {
        let text = cut(text);
        let moment =
            Moment { lane: 0, way, label: label.to_owned(), text, step: self.step, at_ms: self.at_ms };
        self.moments.push((lane, moment));
    }

    fn row(&mut self, row: &Row, entries: Vec<(Lane, Entry)>) {
        for (lane, Entry { direction, label, text, .. }) in entries {
            let way = match direction {
                Some(Direction::Up) => Way::Up,
                Some(Direction::Down) => Way::Down,
                None => Way::Here,
            };
            self.tell(lane, way, &label, &text);
        }
        match &row.event {
            Event::Muted { conn } => {
                if let Some(lane) = self.lanes_of.get(conn).cloned() {
                    self.tell(
                        lane,
                        Way::Here,
                        "mute",
                        "mute: what the server sends from here on is read by nobody",
                    );
                }
            }
            // Of a frame it stands in its connection's lane.
            Event::Fault { conn: None, text, .. } => {
                self.tell(Lane::Control, Way::Here, "fault", &format!("rule: {text}"));
            }
            Event::AtDoor { fault, text, .. } => {
                self.tell(Lane::Control, Way::Here, "fault", &format!("door fault {fault}: {text}"));
            }
            Event::Fault { conn: Some(_), .. }
            | Event::Opened { .. }
            | Event::LoggedIn { .. }
            | Event::Frame { .. }
            | Event::Closed { .. }
            | Event::Http { .. } => {}
        }
    }

    fn mark(&mut self, mark: &Mark) {
        self.step = mark.step;
        match &mark.what {
            Marked::Step { .. } => {}
            Marked::Asked(line) => self.asked(line),
            Marked::Said(line) => self.said(line),
            Marked::Control(line) => {
                let (word, value) =
                    named(serde_json::from_str(line).unwrap_or_else(|_| line.as_str().into()));
                let text = self.writer.said(&word, &value);
                self.tell(Lane::Control, Way::Here, &word, &text);
            }
            Marked::Advanced { ms } => {
                let text = format!("the clock moves on by {ms} ms");
                self.tell(Lane::Control, Way::Here, &format!("+{ms} ms"), &text);
            }
        }
    }

    fn asked(&mut self, line: &str) {
        let Some(Json::Object(mut fields)) = serde_json::from_str(line).ok() else {
            return self.tell(Lane::Process, Way::ToClient, "a line", line);
        };
        let lane = lane_of(fields.get("user"));
        let id = fields.get("id").and_then(Json::as_u64);
        let (word, value) = named(fields.remove("command").unwrap_or(Json::Object(fields)));
        let text = self.writer.said(&word, &value);
        self.tell(lane.clone(), Way::ToClient, &word, &text);
        if let Some(id) = id {
            self.open.insert(id, (lane, word));
        }
    }

    fn said(&mut self, line: &str) {
        let Some(Json::Object(mut fields)) = serde_json::from_str(line).ok() else {
            return self.tell(Lane::Process, Way::FromClient, "no line of the protocol", line);
        };
        if let Some(event) = fields.remove("event") {
            let (word, value) = named(event);
            let text = self.writer.said(&word, &value);
            return self.tell(lane_of(fields.get("user")), Way::FromClient, &word, &text);
        }
        let asked = fields.remove("id").and_then(|id| self.open.remove(&id.as_u64()?));
        let (word, value) = named(Json::Object(fields));
        let (lane, question) = match asked {
            None => (Lane::Process, None),
            Some((lane, question)) => (lane, Some(question)),
        };
        let text = self.writer.said(&word, &value);
        match question {
            None => self.tell(lane, Way::FromClient, &word, &text),
            Some(question) => {
                let (label, text) = (format!("{question} {word}"), format!("{question}: {text}"));
                self.tell(lane, Way::FromClient, &label, &text);
            }
        }
    }

    fn told(self, trace: &Trace) -> Evidence {
        let mut moments = self.moments;
        let over = moments.len().saturating_sub(MOMENTS_MAX);
        if over > 0 {
            moments.drain(FIRST_MOMENTS..FIRST_MOMENTS + over);
        }
        let left_out = over + trace.marks_left_out;
        let left_out_after = if over > 0 { FIRST_MOMENTS - 1 } else { 0 };
        let mut places: BTreeMap<Lane, usize> = moments.iter().map(|(lane, _)| (lane.clone(), 0)).collect();
        let mut lanes = Vec::with_capacity(places.len());
        for (lane, place) in &mut places {
            *place = lanes.len();
            lanes.push(lane.report());
        }
        let moments =
            moments.into_iter().map(|(lane, moment)| Moment { lane: places[&lane], ..moment }).collect();
        Evidence { lanes, moments, left_out, left_out_after, stderr: end_of(&trace.stderr) }
    }
}

/// `{"send_text": {…}}` as its name and what it holds; anything else has no name.
fn named(value: Json) -> (String, Json) {
    match value {
        Json::Object(fields) if fields.len() == 1 => {
            fields.into_iter().next().expect("there is one, as was just counted")
        }
        Json::String(word) => (word, Json::Object(serde_json::Map::new())),
        other => ("?".to_owned(), other),
    }
}

fn lane_of(user: Option<&Json>) -> Lane {
    user.and_then(Json::as_str).map_or(Lane::Process, Lane::driver)
}

/// A text of at most [`TEXT_BYTES_MAX`], cut at the end of a line if it can be.
fn cut(text: &str) -> String {
    if text.len() <= TEXT_BYTES_MAX {
        return text.to_owned();
    }
    let end = (0..=TEXT_BYTES_MAX).rfind(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let kept = &text[..end];
    let kept = kept.rsplit_once('\n').map_or(kept, |(lines, _)| lines);
    format!("{kept}\n… {} bytes in all", text.len())
}

fn end_of(stderr: &str) -> String {
    if stderr.len() <= STDERR_BYTES_MAX {
        return stderr.to_owned();
    }
    let from = stderr.len() - STDERR_BYTES_MAX;
    let start = (from..stderr.len()).find(|at| stderr.is_char_boundary(*at)).unwrap_or(stderr.len());
    let kept = &stderr[start..];
    format!("…{}", kept.split_once('\n').map_or(kept, |(_, lines)| lines))
}
