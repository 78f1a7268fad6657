//! What was asked of the service, what it said to that, and what each device was shown: the book that a run is held
//! against at its end. It moves nothing.

use std::collections::{BTreeMap, BTreeSet};

use client_core::{Event, IncomingContent, LocalId, ServerId};

use super::stage::Who;

/// The number of a text, in the order in which they were sent.
pub(crate) type Number = usize;

/// Of everything that was sent, by its local id: what it was.
#[derive(Clone, Debug)]
pub(crate) enum Sent {
    Text(Number),
    Recall(Number),
    Read(Number),
    Channel { to: String },
}

/// What a device was shown, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Text(Number),
    Recall(Number),
    Read(Number),
    Delivered(Number),
    Channel { from: String },
}

/// A text, and what became of it.
#[derive(Debug)]
pub(crate) struct Text {
    /// Which device.
    pub(crate) from: usize,
    pub(crate) to: String,
    pub(crate) id: Option<ServerId>,
    is_recalled: bool,
    /// Its sender does not know its fate: three times without an answer. Or so with its recall.
    is_doubtful: bool,
    /// Read receipts of it that were taken.
    reads: usize,
    /// Nobody knows how many.
    reads_doubtful: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    devices: Vec<Page>,
    pub(crate) texts: Vec<Text>,
    numbers: BTreeMap<ServerId, Number>,
}

/// What belongs to one device.
#[derive(Debug)]
struct Page {
    who: Who,
    sent: BTreeMap<LocalId, Sent>,
    shown: Vec<Shown>,
    /// Channel receipts that were taken, by whom they went to.
    channels: BTreeMap<String, usize>,
    channels_doubtful: BTreeSet<String>,
    /// Links that went.
    losses: usize,
}

/// 503: there is no such message any more. 504: too late. Everything else leaves open what became of it.
const REFUSED: [i32; 2] = [503, 504];
const DISCONNECTED: i32 = 16;
/// What was sent three times and not answered is given up, and of a delivery receipt the client does not say so.
const LOSSES_MAX: usize = 2;

impl Ledger {
    pub(crate) fn new(who: &[Who]) -> Self {
        let page = |&who: &Who| Page {
            who,
            sent: BTreeMap::new(),
            shown: Vec::new(),
            channels: BTreeMap::new(),
            channels_doubtful: BTreeSet::new(),
            losses: 0,
        };
        Self { devices: who.iter().map(page).collect(), texts: Vec::new(), numbers: BTreeMap::new() }
    }

    pub(crate) fn user(&self, device: usize) -> &'static str {
        self.devices[device].who.0
    }

    /// The next text of all, by its content.
    pub(crate) fn next_text(&mut self, from: usize, to: &str) -> String {
        let number = self.texts.len();
        self.texts.push(Text {
            from,
            to: to.to_owned(),
            id: None,
            is_recalled: false,
            is_doubtful: false,
            reads: 0,
            reads_doubtful: false,
        });
        number.to_string()
    }

    pub(crate) fn sent(&mut self, device: usize, local: LocalId, what: Sent) {
        self.devices[device].sent.insert(local, what);
    }

    /// Texts of a device's own whose ids it knows.
    pub(crate) fn own_texts(&self, device: usize) -> Vec<Number> {
        let own = |text: &Text| text.from == device && text.id.is_some();
        (0..self.texts.len()).filter(|&number| own(&self.texts[number])).collect()
    }

    /// Texts that a device was shown and that somebody else wrote.
    pub(crate) fn foreign_texts(&self, device: usize) -> Vec<Number> {
        let user = self.user(device);
        let shown = self.devices[device].shown.iter().filter_map(|shown| match shown {
            Shown::Text(number) => Some(*number),
            Shown::Recall(_) | Shown::Read(_) | Shown::Delivered(_) | Shown::Channel { .. } => None,
        });
        { shown }.filter(|&number| self.user(self.texts[number].from) != user).collect()
    }

    /// The id of a text that somebody was shown.
    pub(crate) fn id_of(&self, number: Number) -> ServerId {
        let known = self.numbers.iter().find(|(_, known)| **known == number);
        *known.expect("somebody was shown it").0
    }

    /// Takes in what a client told.
    pub(crate) fn hear(&mut self, device: usize, event: Event) {
        let page = &mut self.devices[device];
        match event {
            Event::Message(incoming) => {
                let IncomingContent::Text(text) = incoming.content else { panic!("only texts are sent") };
                let number = text.parse().expect("only numbers are sent");
                self.numbers.insert(incoming.id, number);
                page.shown.push(Shown::Text(number));
            }
            Event::Sent { local, server } => match page.sent[&local] {
                Sent::Text(number) => {
                    self.texts[number].id = Some(server);
                    self.numbers.insert(server, number);
                }
                Sent::Recall(number) => self.texts[number].is_recalled = true,
                Sent::Read(_) | Sent::Channel { .. } => panic!("receipts have no such event"),
            },
            Event::Received { local, .. } => match &page.sent[&local] {
                Sent::Text(_) | Sent::Recall(_) => {}
                Sent::Read(number) => self.texts[*number].reads += 1,
                Sent::Channel { to } => *page.channels.entry(to.clone()).or_default() += 1,
            },
            Event::Failed { local, failure } => match &page.sent[&local] {
                Sent::Text(number) => self.texts[*number].is_doubtful = true,
                Sent::Recall(_) | Sent::Read(_) if REFUSED.contains(&failure.code) => {}
                Sent::Recall(number) => self.texts[*number].is_doubtful = true,
                Sent::Read(number) => self.texts[*number].reads_doubtful = true,
                Sent::Channel { to } => drop(page.channels_doubtful.insert(to.clone())),
            },
            Event::Recall { message, .. } => page.shown.push(Shown::Recall(self.numbers[&message])),
            Event::Read { message, .. } => page.shown.push(Shown::Read(self.numbers[&message])),
            Event::Delivered { message } => page.shown.push(Shown::Delivered(self.numbers[&message])),
            Event::Channel { from, .. } => page.shown.push(Shown::Channel { from }),
            Event::Error(failure) if failure.code == DISCONNECTED => page.losses += 1,
            // The delivery receipt of a message that was recalled meanwhile.
            Event::Error(failure) if REFUSED.contains(&failure.code) => {}
            Event::Closed => panic!("{:?} gave up", page.who),
            Event::Opened => {}
            other => panic!("{:?} was shown {other:?}", page.who),
        }
    }

    /// Everything that is not as it should be, at the end of a run in which everybody got everything.
    pub(crate) fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (device, page) in self.devices.iter().enumerate() {
            let mut say = |text: String| wrong.push(format!("{:?}: {text}", page.who));
            let (want, got) = (self.expected_at(device), self.texts_at(device));
            if want != got {
                say(format!("expected the texts {want:?}, got {got:?}"));
            }
            for (number, text) in self.texts.iter().enumerate() {
                let times = |what: Shown| page.shown.iter().filter(|shown| **shown == what).count();
                let (texts, recalls) = (times(Shown::Text(number)), times(Shown::Recall(number)));
                if texts > 1 || recalls > 1 {
                    say(format!("text {number} was shown {texts} times, its recall {recalls} times"));
                }
                if texts == 1 && text.is_recalled && !self.is_recalled_behind(page, number) {
                    say(format!("text {number} was shown, and its recall was not shown behind it"));
                }
                if recalls > 0 && !text.is_recalled && !text.is_doubtful {
                    say(format!("text {number} was not recalled, and that it was is shown"));
                }
                let (reads, delivered) = (times(Shown::Read(number)), times(Shown::Delivered(number)));
                let is_sender = self.user(text.from) == page.who.0;
                let due = if is_sender { text.reads } else { 0 };
                if reads < due || (reads > due && !(is_sender && text.reads_doubtful)) {
                    say(format!("{due} read receipts of text {number} were taken, {reads} were shown"));
                }
                let at_most = usize::from(is_sender);
                let at_least = usize::from(is_sender && self.is_delivered(number));
                if !(at_least..=at_most).contains(&delivered) {
                    say(format!("text {number} was shown as delivered {delivered} times, not {at_least}"));
                }
            }
            for other in self.devices.iter().filter(|other| other.who.0 != page.who.0) {
                let from = other.who.0;
                let fellows = || self.devices.iter().filter(|one| one.who.0 == from);
                let due: usize = fellows().filter_map(|one| one.channels.get(page.who.0)).sum();
                let got = page.shown.iter().filter(|shown| **shown == Shown::Channel { from: from.into() });
                let (got, doubtful) =
                    (got.count(), fellows().any(|one| one.channels_doubtful.contains(page.who.0)));
                if got < due || (got > due && !doubtful) {
                    say(format!("{due} channel receipts of {from} were taken, {got} were shown"));
                }
            }
        }
        wrong
    }

    /// What the history of two users is to hold, oldest first within a sender's device; texts of which nobody knows
    /// are left out.
    pub(crate) fn expected_history(&self, one: &str, other: &str) -> BTreeMap<usize, Vec<Number>> {
        let mut history: BTreeMap<usize, Vec<Number>> = BTreeMap::new();
        for (number, text) in self.texts.iter().enumerate() {
            let pair = (self.user(text.from), text.to.as_str());
            if (pair == (one, other) || pair == (other, one)) && !text.is_recalled && !text.is_doubtful {
                history.entry(text.from).or_default().push(number);
            }
        }
        history
    }

    /// The numbers of a history that came, by sender's device; texts of which nobody knows are left out.
    pub(crate) fn sorted(&self, numbers: &[Number]) -> BTreeMap<usize, Vec<Number>> {
        let mut history: BTreeMap<usize, Vec<Number>> = BTreeMap::new();
        for &number in numbers.iter().filter(|&&number| !self.texts[number].is_doubtful) {
            history.entry(self.texts[number].from).or_default().push(number);
        }
        history
    }

    /// Whether anybody's channel receipt, or anything that may have been one, went from the one to the other.
    pub(crate) fn acknowledged(&self, one: &str, other: &str) -> bool {
        let pages = self.devices.iter().filter(|page| page.who.0 == one);
        { pages }.any(|page| page.channels.contains_key(other) || page.channels_doubtful.contains(other))
    }

    pub(crate) fn writer(&self, number: Number) -> &'static str {
        self.user(self.texts[number].from)
    }

    /// Texts that a device must have been shown, by sender and conversation.
    fn expected_at(&self, device: usize) -> BTreeMap<(usize, &str), Vec<Number>> {
        let reader = self.user(device);
        let is_for =
            |text: &Text| text.from != device && (text.to == reader || self.user(text.from) == reader);
        self.by_conversation((0..self.texts.len()).filter(|&number| is_for(&self.texts[number])))
    }

    /// Those that it was shown.
    fn texts_at(&self, device: usize) -> BTreeMap<(usize, &str), Vec<Number>> {
        let shown = self.devices[device].shown.iter();
        self.by_conversation(shown.filter_map(|shown| match shown {
            Shown::Text(number) => Some(*number),
            Shown::Recall(_) | Shown::Read(_) | Shown::Delivered(_) | Shown::Channel { .. } => None,
        }))
    }

    /// Without those that may or may not be shown: recalled, or doubtful.
    fn by_conversation(&self, numbers: impl Iterator<Item = Number>) -> BTreeMap<(usize, &str), Vec<Number>> {
        let mut sorted: BTreeMap<(usize, &str), Vec<Number>> = BTreeMap::new();
        for number in numbers {
            let text = &self.texts[number];
            if !text.is_recalled && !text.is_doubtful {
                sorted.entry((text.from, &text.to)).or_default().push(number);
            }
        }
        sorted
    }

    fn is_recalled_behind(&self, page: &Page, number: Number) -> bool {
        let place = |what: &Shown| page.shown.iter().position(|shown| shown == what);
        match (place(&Shown::Text(number)), place(&Shown::Recall(number))) {
            (Some(text), Some(recall)) => text < recall,
            (None, _) | (Some(_), None) => false,
        }
    }

    /// Whether a text's recipient has certainly acknowledged it, before it may have been recalled.
    fn is_delivered(&self, number: Number) -> bool {
        let text = &self.texts[number];
        let readers = || self.devices.iter().filter(|page| page.who.0 == text.to);
        text.to != self.user(text.from)
            && !text.is_recalled
            && !text.is_doubtful
            && readers().any(|page| page.shown.contains(&Shown::Text(number)))
            && readers().all(|page| page.losses < LOSSES_MAX)
    }
}
