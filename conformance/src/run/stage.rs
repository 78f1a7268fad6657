//! The world and the client of one scenario, and the few ways to act on both.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use mock_server::control::Control;
use mock_server::control_api::{ArmedDoor, RuleRow};
use mock_server::machine::Millis;

use super::evidence::{Shown, never_reached, wrong_time};
use super::progress::{Heard, Uploads};
use super::rules::door_faults;
use super::shown::ShownError;
use super::webhook::Endpoint;
use super::{Limits, Stop};
use crate::attachment::Files;
use crate::driver::{Answer, Capability, Command, Device, Driver, Event, EventKind, ProcessCommand, v4};
use crate::host::{Addresses, Host, HostWorld, Strangers};
use crate::matching::Bindings;
use crate::real_time::Deadline;
use crate::scenario::{Scenario, World};
use crate::trace::{Marked, Recorder};

/// Where a manual clock starts: 2021-12-31T00:00:00Z, so that a client which works with its host's clock or a
/// fixed year is noticed.
pub(crate) const START: Millis = Millis(1_640_908_800_000);
/// How many timers may run out in one advance: three months of heartbeats would be 260,000, and no scenario
/// means that.
const TIMERS_MAX: u32 = 10_000;
/// How long a step that begins something waits for a server that may have a reason to be busy for long.
const BREATH: Duration = Duration::from_millis(200);
/// How often in a row the server must have heard nothing new between two looks. A client that dials exchanges a
/// question and an answer up to three times before the world hears of it (the SockJS information, the upgrade,
/// PROVISION), and each look lets one of them pass.
const EXCHANGES: u32 = 4;
/// How long an event is simply waited for before anyone asks whether a clock must move for it. Too short
/// costs a few needless questions, too long slows down each reconnect: neither changes an outcome.
const PATIENCE: Duration = Duration::from_millis(10);
/// How long an event is waited for that no timer is going to bring, when both sides are at rest by all that is known:
/// what it takes a machine under load to hand over bytes that are written already.
const LAST_WORD: Duration = Duration::from_millis(500);

/// A step, its number and line, and what is wrong there.
type WrongAt = ((usize, usize), String);

pub(super) struct Stage<'a> {
    world: &'a dyn HostWorld,
    addresses: Addresses,
    strangers: Strangers,
    driver: &'a mut dyn Driver,
    pub(super) given: &'a World,
    ignore: &'a BTreeSet<EventKind>,
    limits: Limits,
    recorder: Recorder,
    virtual_clock: bool,
    now: Millis,
    bindings: Bindings,
    created: BTreeSet<Device>,
    events: BTreeMap<Device, VecDeque<Event>>,
    shown: Vec<Shown>,
    shown_errors: Vec<ShownError>,
    files: Files,
    uploads: Uploads,
    pub(super) webhook: Option<Endpoint>,
}

/// Where the clients of a scenario find the server: by their world's own path where something befalls them at the door,
/// since only there a door knows which world it leads to.
fn addresses(host: &dyn Host, world: &dyn HostWorld, scenario: &Scenario) -> Addresses {
    let Addresses { http, ws } = host.addresses();
    let has_doors = scenario.steps.iter().any(|step| !door_faults(&step.action).is_empty());
    let way = if has_doors { format!("/w/{}", world.app_key().replace('#', "~")) } else { String::new() };
    Addresses { http: format!("{http}{way}"), ws: format!("{ws}{way}") }
}

impl<'a> Stage<'a> {
    pub(super) fn new(
        host: &dyn Host,
        world: &'a dyn HostWorld,
        driver: &'a mut dyn Driver,
        scenario: &'a Scenario,
        limits: Limits,
    ) -> Self {
        let virtual_clock = driver.hello().capabilities.contains(&Capability::VirtualClock);
        let recorder = Recorder::new(world.tape_length());
        driver.record(Some(recorder.clone()));
        Self {
            world,
            addresses: addresses(host, world, scenario),
            strangers: host.strangers(),
            driver,
            given: &scenario.given,
            ignore: &scenario.ignore,
            limits,
            recorder,
            virtual_clock,
            now: START,
            bindings: Bindings::default(),
            created: BTreeSet::new(),
            events: BTreeMap::new(),
            shown: Vec::new(),
            shown_errors: Vec::new(),
            files: Files::new(scenario.given.files.clone()),
            uploads: Uploads::default(),
            webhook: None,
        }
    }

    /// Where all that happens is noted.
    pub(super) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    pub(super) fn bindings(&mut self) -> &mut Bindings {
        &mut self.bindings
    }

    pub(super) fn control(&mut self, control: Control) -> Result<(), Stop> {
        let said = serde_json::to_string(&control).expect("a control command has only string keys");
        self.recorder.note(Marked::Control(said));
        Ok(self.world.control(control)?)
    }

    /// Makes a call, making its device first if it is new.
    pub(super) fn tell(&mut self, device: &Device, command: &Command) -> Result<Answer, Stop> {
        if !self.created.contains(device) {
            let Addresses { http, ws } = &self.addresses;
            let create = Command::Create {
                app_key: self
                    .given
                    .app_key_as_typed
                    .as_deref()
                    .unwrap_or_else(|| self.world.app_key())
                    .to_owned(),
                username: self.username(device),
                device: device.name().to_owned(),
                rest: http.clone(),
                sockjs: format!("{http}/ws"),
                websocket: format!("{ws}/websocket"),
                reconnects: self.given.reconnects,
                delivery: self.given.delivery,
                own_upload: self.given.own_upload,
                emoji: self.given.emoji.clone(),
                now_ms: self.virtual_clock.then_some(self.now.0),
            };
            match self.driver.command(device, &create)? {
                Answer::Ok(_) => self.created.insert(device.clone()),
                Answer::Unsupported(what) => return Err(Stop::Unsupported(what)),
                Answer::Error(why) => {
                    return Err(Stop::Failed(format!("{device} could not be created: {why}")));
                }
            };
        }
        Ok(self.driver.command(device, command)?)
    }

    /// The device's next event, ignored ones left out; `None` when the time is up, or when both sides are at rest and
    /// no timer of the client is due in that time.
    pub(super) fn next_event(&mut self, device: &Device) -> Result<Option<Event>, Stop> {
        let deadline = Deadline::after(self.limits.expect);
        if !self.virtual_clock {
            return self.event_within(device, deadline);
        }
        if let Some(event) = self.event_within(device, Deadline::after(PATIENCE))? {
            return Ok(Some(event));
        }
        self.let_time_pass(device)?;
        if let Some(event) = self.event_within(device, Deadline::after(LAST_WORD))? {
            return Ok(Some(event));
        }
        // What came late for somebody else may bring about something here.
        self.settle_if_possible(EXCHANGES, deadline.left())?;
        self.event_within(device, Deadline::after(Duration::ZERO))
    }

    /// How long an event was waited for, in words: a clock that stands still is no time.
    pub(super) fn how_long(&self) -> String {
        let within = self.limits.expect;
        if self.virtual_clock {
            format!(
                "within {within:?} of its clock: both sides are at rest, and no timer of the client brings more"
            )
        } else {
            format!("within {within:?}")
        }
    }

    fn event_within(&mut self, device: &Device, deadline: Deadline) -> Result<Option<Event>, Stop> {
        if let Some(event) = self.events.get_mut(device).and_then(VecDeque::pop_front) {
            return Ok(Some(event));
        }
        while let Some((of, event)) = self.driver.event(deadline.left())? {
            if !self.is_for_steps(&of, &event) {
                continue;
            }
            if of == *device {
                return Ok(Some(event));
            }
            self.keep(of, event)?;
        }
        Ok(None)
    }

    /// What waiting is to a client whose clock stands still: while nothing is under way, the clocks move to
    /// its next timer, such as the one that takes up a lost link, until the device shows something. They move
    /// by no more than the time that any other client would be given.
    fn let_time_pass(&mut self, device: &Device) -> Result<(), Stop> {
        let mut left = u64::try_from(self.limits.expect.as_millis()).unwrap_or(u64::MAX);
        loop {
            self.settle_if_possible(EXCHANGES, self.limits.quiet)?;
            if self.waiting(device).is_some() {
                return Ok(());
            }
            let Some(due) = self.advance_client(0)?.filter(|due| *due <= left) else { return Ok(()) };
            let step = due.max(1);
            self.advance_world(step)?;
            self.advance_client(step)?;
            left = left.saturating_sub(step);
        }
    }

    /// Waits until neither side has anything left to do: the server is quiet, the client has read what its
    /// sockets hold, and the server heard nothing new of it.
    pub(super) fn settle(&mut self) -> Result<(), Stop> {
        let deadline = Deadline::after(self.limits.quiet);
        let mut before = self.quiet(deadline.left())?;
        let mut alike = 0;
        while alike < EXCHANGES {
            self.sync()?;
            let after = self.quiet(deadline.left())?;
            alike = if before == after { alike + 1 } else { 0 };
            if alike == 0 && deadline.left().is_zero() {
                let within = self.limits.quiet;
                return Err(Stop::Failed(format!("the client still sends something after {within:?}")));
            }
            before = after;
        }
        self.take_in()
    }

    /// Lets a step that begins something wait for what the one before it left behind.
    pub(super) fn catch_up(&mut self) -> Result<(), Stop> {
        self.settle_if_possible(1, BREATH)
    }

    /// As [`Stage::settle`], for a world that may be in the middle of a fault and have good reason never to be
    /// quiet: later steps will tell. What the server itself is busy with is waited for, what the client owes is not
    /// once it has been asked so often. `exchanges` is [`EXCHANGES`] where a client may be dialling, else 1.
    fn settle_if_possible(&mut self, exchanges: u32, within: Duration) -> Result<(), Stop> {
        let deadline = Deadline::after(within);
        let mut before = self.world.rest(deadline.left())?;
        let mut alike = 0;
        loop {
            self.sync()?;
            let after = self.world.rest(deadline.left())?;
            alike = if before.mark == after.mark { alike + 1 } else { 0 };
            let enough = if after.open.is_empty() { exchanges } else { EXCHANGES };
            if alike >= enough || deadline.left().is_zero() {
                return self.take_in();
            }
            before = after;
        }
    }

    /// Takes in what the client has shown by now.
    fn take_in(&mut self) -> Result<(), Stop> {
        while let Some((of, event)) = self.driver.event(Duration::ZERO)? {
            if self.is_for_steps(&of, &event) {
                self.keep(of, event)?;
            }
        }
        Ok(())
    }

    /// Whether any step may see it. Progress of uploads is held against its own rule as it comes.
    fn is_for_steps(&mut self, of: &Device, event: &Event) -> bool {
        match self.uploads.hear(of, event) {
            Heard::Progress => false,
            Heard::Event => !self.ignore.contains(&event.kind),
        }
    }

    /// What was wrong with the progress of an upload since this was last asked.
    pub(super) fn take_wrong_progress(&mut self) -> Option<String> {
        self.uploads.take_wrong()
    }

    fn quiet(&self, within: Duration) -> Result<mock_server::shell::Quiet, Stop> {
        self.world.quiet(within)?.map_err(|open| {
            let mut message = format!("the world is not quiet after {:?}", self.limits.quiet);
            for line in open.0 {
                message.push_str(&format!("\n  open: {line}"));
            }
            Stop::Failed(message)
        })
    }

    fn sync(&mut self) -> Result<(), Stop> {
        match self.driver.process(ProcessCommand::Sync {})? {
            Answer::Ok(_) => Ok(()),
            Answer::Unsupported(what) => {
                Err(Stop::Failed(format!("sync is not optional: unsupported {what}")))
            }
            Answer::Error(why) => Err(Stop::Failed(format!("sync was refused: {why}"))),
        }
    }

    /// Moves both clocks from one of the client's timers to the next, so that neither side ever sees the
    /// other's answer come from the past.
    pub(super) fn advance(&mut self, ms: u64) -> Result<(), Stop> {
        // What is under way now belongs to the time before.
        self.settle_if_possible(EXCHANGES, self.limits.quiet)?;
        let mut left = ms;
        let mut due = self.advance_client(0)?;
        for _ in 0..TIMERS_MAX {
            let step = due.unwrap_or(left).clamp(1, left.max(1)).min(left);
            self.advance_world(step)?;
            due = self.advance_client(step)?;
            left -= step;
            self.settle_if_possible(EXCHANGES, self.limits.quiet)?;
            if left == 0 {
                return Ok(());
            }
        }
        Err(Stop::Failed(format!(
            "more than {TIMERS_MAX} timers ran out within {ms} ms; {left} ms were left"
        )))
    }

    /// As [`Stage::advance`], of the server's clock alone where the client's cannot be moved.
    pub(super) fn elapse(&mut self, ms: u64) -> Result<(), Stop> {
        if self.virtual_clock {
            return self.advance(ms);
        }
        self.settle()?;
        self.advance_world(ms)
    }

    fn advance_world(&mut self, ms: u64) -> Result<(), Stop> {
        self.recorder.note(Marked::Advanced { ms });
        self.world.advance(ms)?;
        self.now = Millis(self.now.0.saturating_add(ms));
        Ok(())
    }

    /// The fault rules of the world.
    pub(super) fn rules(&self) -> Result<Vec<RuleRow>, Stop> {
        Ok(self.world.rules()?)
    }

    /// The door faults of the world's own path.
    pub(super) fn doors(&self) -> Result<Vec<ArmedDoor>, Stop> {
        Ok(self.world.doors()?)
    }

    /// The world's time, where the harness moves its clock.
    pub(super) fn world_time(&self) -> Option<Millis> {
        self.virtual_clock.then_some(self.now)
    }

    fn advance_client(&mut self, ms: u64) -> Result<Option<u64>, Stop> {
        match self.driver.process(ProcessCommand::Advance { ms })? {
            Answer::Ok(ok) => match ok.get("next_due_ms") {
                None | Some(serde_json::Value::Null) => Ok(None),
                Some(due) => due.as_u64().map(Some).ok_or_else(|| {
                    Stop::Failed(format!("advance: next_due_ms: expected whole ms or null, got {due}"))
                }),
            },
            Answer::Unsupported(what) => Err(Stop::Unsupported(what)),
            Answer::Error(why) => Err(Stop::Failed(format!("advance was refused: {why}"))),
        }
    }

    /// An event of this device that no step has taken, as far as is known by now.
    pub(super) fn waiting(&self, device: &Device) -> Option<&Event> {
        self.events.get(device).and_then(VecDeque::front)
    }

    /// An event of any device that no step has taken.
    pub(super) fn left_over(&self) -> Option<(&Device, &Event)> {
        self.events.iter().find_map(|(device, events)| Some((device, events.front()?)))
    }

    /// What the server waits for, for a failure to name.
    pub(super) fn what_is_open(&self) -> String {
        match self.world.quiet(Duration::ZERO) {
            Ok(Ok(_)) => "\n  the server has nothing left to do".to_owned(),
            Err(error) => format!("\n  {error}"),
            Ok(Err(open)) => open.0.iter().map(|line| format!("\n  the server waits: {line}")).collect(),
        }
    }

    /// A line for a login that did not open, if nothing of the device came; else nothing.
    pub(super) fn never_reached(&self, device: &Device) -> String {
        // A client that is given another app key than the world's should not reach it.
        if self.given.app_key_as_typed.is_some() {
            return String::new();
        }
        // A server that is gone is told of where the next thing is asked of it.
        let tape = self.world.tape().unwrap_or_default();
        let why = never_reached(&tape, self.world.app_key(), device, &self.username(device));
        why.map(|why| format!("\n  {why}")).unwrap_or_default()
    }

    /// Takes all that a device has shown by now as what it shows of an error of the catalog.
    pub(super) fn take_shown(&mut self, device: &Device, of: &str, place: (usize, usize)) {
        let events = self.events.remove(device).unwrap_or_default();
        self.shown_errors.push(ShownError::of(of, place, events.iter()));
    }

    /// What [`Stage::take_shown`] has taken.
    pub(super) fn shown_errors(&mut self) -> Vec<ShownError> {
        std::mem::take(&mut self.shown_errors)
    }

    /// Keeps a message that a step took, so that its time can be compared at the end.
    pub(super) fn took(&mut self, place: (usize, usize), device: &Device, event: &Event) {
        self.shown.extend(Shown::of(place, device, event));
    }

    /// A device opened: in its own world, as far as that is not certain. Where anybody may log in anywhere, a client in
    /// the wrong world looks well.
    pub(super) fn opened(&self, device: &Device) -> Result<(), Stop> {
        match self.strangers {
            Strangers::Refused => Ok(()),
            Strangers::LetIn => match &*self.never_reached(device) {
                "" => Ok(()),
                why => {
                    Err(Stop::Failed(format!("{device} opened, but not in the world of this scenario{why}")))
                }
            },
        }
    }

    /// An address that begins with `/` is one of this world's REST addresses.
    pub(super) fn place_url(&self, command: &mut Command) {
        if let Command::Download { url, .. } | Command::Render(v4::Render { url, .. }) = command
            && url.starts_with('/')
        {
            let tenant = self.world.app_key().replace('#', "/");
            *url = format!("{}/{tenant}{url}", self.addresses.http);
        }
    }

    /// Gives an upload the path of its file, and waits for its progress from here on.
    pub(super) fn place_file(&mut self, device: &Device, command: &mut Command) -> Result<(), Stop> {
        let Some(name) = command.file() else { return Ok(()) };
        let path = self.files.path(name).map_err(Stop::Failed)?;
        command.set_file(path);
        if let Some(handle) = command.reported_upload() {
            self.uploads.began(device, handle);
        }
        Ok(())
    }

    /// An expected event with `file:photo.png` as what that file has.
    pub(super) fn of_files(&self, event: &Event) -> Result<Event, Stop> {
        let mut event = event.clone();
        for (field, value) in &mut event.fields {
            if let Some(known) = value.as_str().and_then(|text| self.files.expected(field, text)) {
                *value = known.map_err(Stop::Failed)?;
            }
        }
        Ok(event)
    }

    /// A message that was shown with another time than it came with: its step, and what is wrong.
    pub(super) fn wrong_time(&self) -> Result<Option<WrongAt>, Stop> {
        let tape = self.world.tape()?;
        let wrong = wrong_time(&tape, &self.shown, |device| self.username(device));
        Ok(wrong.map(|(shown, text)| (shown.place, text)))
    }

    /// The user's name as the client was given it.
    fn username(&self, device: &Device) -> String {
        self.given.username_as_typed.get(&device.user).unwrap_or(&device.user).clone()
    }

    fn keep(&mut self, device: Device, event: Event) -> Result<(), Stop> {
        if !self.created.contains(&device) {
            return Err(Stop::Failed(format!("{device} showed {event}, and there is no such device")));
        }
        self.events.entry(device).or_default().push_back(event);
        Ok(())
    }
}
