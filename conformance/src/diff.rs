//! Two clients on the same scenarios: what one sends and the other does not, by frame and by field, and where they
//! come to different ends.
//!
//! It says what differs, never who is right. What the server sends is left out: it follows from what clients send.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::coverage::Standing;
use crate::suite::{Evaluated, Suite};
use crate::transcript::{Piece, Sent};

/// What differs between two clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diff<'a> {
    left: &'a str,
    right: &'a str,
    scenarios: Vec<Scenario<'a>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Scenario<'a> {
    name: &'a str,
    left: Standing,
    right: Standing,
    lanes: Vec<Lane>,
    /// Of the pieces that both have.
    fields: Vec<Field>,
}

/// A lane in which the two did not send the same pieces in the same order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Lane {
    lane: String,
    only_left: Vec<String>,
    only_right: Vec<String>,
    other_order: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Field {
    what: String,
    field: String,
    left: Option<String>,
    right: Option<String>,
}

/// How the two compare on a scenario, the gravest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    OtherVerdict,
    ExtraFrames,
    OtherOrder,
    OtherFields,
    SameFrames,
}

/// How long a value may be that the text shows whole.
const VALUE_CHARS_MAX: usize = 60;

impl<'a> Diff<'a> {
    /// Compares the runs of two clients on the same scenarios.
    pub fn new(left: (&'a str, &Suite<'a>), right: (&'a str, &Suite<'a>)) -> Self {
        let pairs = left.1.evaluated.iter().zip(&right.1.evaluated);
        Self {
            left: left.0,
            right: right.0,
            scenarios: pairs.map(|(one, other)| scenario(one, other)).collect(),
        }
    }

    /// For a program.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a diff has only string keys")
    }

    /// For a person: how many scenarios differ in what, then which fields, then what is particular to each scenario.
    pub fn text(&self) -> String {
        let Self { left, right, scenarios } = self;
        let mut text = format!("{left} | {right}: {} scenarios\n", scenarios.len());
        let count = |kind: Kind| scenarios.iter().filter(|one| one.kinds().contains(&kind)).count();
        for kind in
            [Kind::SameFrames, Kind::OtherFields, Kind::OtherOrder, Kind::ExtraFrames, Kind::OtherVerdict]
        {
            text.push_str(&format!("{:6}  {}\n", count(kind), kind.word()));
        }
        text.push_str(&self.fields_text());
        text.push_str("\nscenario by scenario\n");
        for one in scenarios {
            let words: Vec<&str> = one.kinds().iter().map(|kind| kind.word()).collect();
            text.push_str(&format!("  {}: {}\n", one.name, words.join(", ")));
            if one.left != one.right {
                text.push_str(&format!("      {left} {}, {right} {}\n", one.left.word(), one.right.word()));
            }
            for lane in &one.lanes {
                for (client, extra) in [(left, &lane.only_left), (right, &lane.only_right)] {
                    if !extra.is_empty() {
                        text.push_str(&format!("      only {client}, {}: {}\n", lane.lane, counted(extra)));
                    }
                }
                if lane.other_order {
                    text.push_str(&format!("      in another order: {}\n", lane.lane));
                }
            }
        }
        text
    }

    /// The fields by how many scenarios they differ in: most of them differ always, and once is enough.
    fn fields_text(&self) -> String {
        let mut fields: BTreeMap<(&str, &str), (BTreeSet<&str>, &Field)> = BTreeMap::new();
        for one in &self.scenarios {
            for field in &one.fields {
                let place = (field.what.as_str(), field.field.as_str());
                fields.entry(place).or_insert_with(|| (BTreeSet::new(), field)).0.insert(one.name);
            }
        }
        let mut text = String::new();
        let mut before = "";
        for ((what, place), (scenarios, example)) in &fields {
            if *what != before {
                text.push_str(&format!("\n{what}\n"));
                before = what;
            }
            let value = |value: &Option<String>| value.as_deref().map_or_else(|| "–".to_owned(), shortened);
            text.push_str(&format!(
                "{:6}  {place}: {} | {}\n",
                scenarios.len(),
                value(&example.left),
                value(&example.right)
            ));
        }
        if text.is_empty() {
            text
        } else {
            format!("\nfields, in how many scenarios, and the first values\n{text}")
        }
    }
}

impl Scenario<'_> {
    fn kinds(&self) -> BTreeSet<Kind> {
        let mut kinds = BTreeSet::new();
        if self.left != self.right {
            kinds.insert(Kind::OtherVerdict);
        }
        if self.lanes.iter().any(|lane| !lane.only_left.is_empty() || !lane.only_right.is_empty()) {
            kinds.insert(Kind::ExtraFrames);
        }
        if self.lanes.iter().any(|lane| lane.other_order) {
            kinds.insert(Kind::OtherOrder);
        }
        if !self.fields.is_empty() {
            kinds.insert(Kind::OtherFields);
        }
        if kinds.is_empty() {
            kinds.insert(Kind::SameFrames);
        }
        kinds
    }
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::OtherVerdict => "other verdict",
            Self::ExtraFrames => "extra frames",
            Self::OtherOrder => "other order",
            Self::OtherFields => "other fields",
            Self::SameFrames => "same frames",
        }
    }
}

fn scenario<'a>(left: &Evaluated<'a>, right: &Evaluated<'a>) -> Scenario<'a> {
    let standing = |one: &Evaluated<'_>| Standing::of(&one.verdict);
    let mut this = Scenario {
        name: &left.scenario.name,
        left: standing(left),
        right: standing(right),
        lanes: Vec::new(),
        fields: Vec::new(),
    };
    // Who lacks a call stopped before it; what the other sent tells nothing more.
    if this.left == Standing::Unsupported || this.right == Standing::Unsupported {
        return this;
    }
    let of = |sent: &[Sent], name: &str| -> Vec<Piece> {
        let lane = sent.iter().find(|one| one.lane == name);
        lane.map(|one| one.pieces.clone()).unwrap_or_default()
    };
    let names: BTreeSet<&str> = left.sent.iter().chain(&right.sent).map(|one| one.lane.as_str()).collect();
    for name in names {
        compare(name, &of(&left.sent, name), &of(&right.sent, name), &mut this);
    }
    this.fields.sort();
    this.fields.dedup();
    this
}

fn compare(name: &str, left: &[Piece], right: &[Piece], into: &mut Scenario<'_>) {
    // The nth of a kind on one side belongs to the nth on the other.
    let nth = |pieces: &[Piece]| -> Vec<(String, usize)> {
        let mut met: BTreeMap<&str, usize> = BTreeMap::new();
        let number = |piece: &Piece, times: usize| (piece.what.clone(), times);
        pieces
            .iter()
            .map(|piece| {
                let times = met.entry(&piece.what).or_default();
                *times += 1;
                number(piece, *times)
            })
            .collect()
    };
    let (left_names, right_names) = (nth(left), nth(right));
    let only = |names: &[(String, usize)], others: &[(String, usize)]| -> Vec<String> {
        names.iter().filter(|name| !others.contains(name)).map(|(what, _)| what.clone()).collect()
    };
    let (only_left, only_right) = (only(&left_names, &right_names), only(&right_names, &left_names));
    let common = |names: &[(String, usize)], others: &[(String, usize)]| -> Vec<(String, usize)> {
        names.iter().filter(|name| others.contains(name)).cloned().collect()
    };
    let other_order = common(&left_names, &right_names) != common(&right_names, &left_names);
    if other_order || !only_left.is_empty() || !only_right.is_empty() {
        into.lanes.push(Lane { lane: name.to_owned(), only_left, only_right, other_order });
    }
    for (name, one) in left_names.iter().zip(left) {
        let Some(at) = right_names.iter().position(|other| other == name) else { continue };
        into.fields.extend(differing(one, &right[at]));
    }
}

fn differing<'p>(left: &'p Piece, right: &'p Piece) -> impl Iterator<Item = Field> + 'p {
    let places: BTreeSet<&String> = left.fields.keys().chain(right.fields.keys()).collect();
    places.into_iter().filter_map(|place| {
        let (one, other) = (left.fields.get(place), right.fields.get(place));
        (one != other).then(|| Field {
            what: left.what.clone(),
            field: place.clone(),
            left: one.cloned(),
            right: other.cloned(),
        })
    })
}

/// `SYNC pull, 3 × PROVISION`.
fn counted(names: &[String]) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for name in names {
        *counts.entry(name).or_default() += 1;
    }
    let words = counts.iter().map(|(name, times)| match times {
        1 => (*name).to_owned(),
        _ => format!("{times} × {name}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", &text[..at]),
    }
}
