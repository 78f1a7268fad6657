//! Rules at work: what happens to frames on their way into the world and out of it. Of requests, `rules/requests.rs`.
//!
//! A frame that one rule acts on is seen by no rule behind it. Whatever a rule did is told ([`Output::Fault`]).

mod lane;
mod requests;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use bytes::Bytes;
use fixtures::wire::{CommUnreadDl, MSync, Status, m_sync};
use prost::Message as _;

use super::{Close, ConnId, Map, Millis, Output, Server, Timers, encode};
use crate::control::ControlError;
use crate::decoded::{Frame, Kind, Value};
use crate::rule::{Action, Draw, Duration, Rule, Side, Which};
use crate::tape::{Deed, Direction};
use lane::{Lanes, Parcel};

/// A rule and what has become of it.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleState {
    /// Its number in its world, from 1; none is used twice.
    pub id: u64,
    /// What it says.
    pub rule: Rule,
    /// How often it has acted.
    pub hits: u64,
    /// How many frames or requests it has looked at.
    pub looked_at: u64,
    /// Whether it may still act.
    pub armed: bool,
}

/// Armed rules, oldest first, and what they hold back.
#[derive(Clone, Debug, Default)]
pub(super) struct Rules {
    pub(super) armed: Vec<Armed>,
    pub(super) armed_ever: u64,
    /// How many of them may still act: of those that are used up, nobody reads a frame.
    live: usize,
    /// Whose each connection is, since a device that is told to go is nobody's by the time its frames are looked at.
    claims: Map<ConnId, Claim>,
    lanes: Lanes,
    held: Vec<Held>,
    /// Frames and all else that has passed every rule.
    ready: VecDeque<Output>,
    requests_waiting: usize,
    /// What those weigh, with their answers.
    requests_bytes: usize,
}

#[derive(Clone, Debug)]
pub(super) struct Armed {
    pub(super) id: u64,
    pub(super) rule: Rule,
    pub(super) at: Millis,
    pub(super) looked_at: u64,
    /// How many of those it fitted.
    pub(super) fitted: u64,
    pub(super) hits: u64,
    /// It will not act any more. Of one whose time is over this is known once something comes.
    pub(super) spent: bool,
}

/// Who a connection is, or says that it is.
#[derive(Clone, Debug, Default)]
struct Claim {
    user: Option<String>,
    device: Option<String>,
}

/// A frame that is held until the next one goes.
#[derive(Clone, Debug)]
struct Held {
    rule: u64,
    conn: ConnId,
    side: Side,
    kind: Kind,
    bytes: Bytes,
}

/// Rules of one world, those that are used up among them until room is wanted: a scenario has a handful, and each is asked
/// about every frame.
pub(super) const RULES_MAX: usize = 1_000;
/// Frames that wait or are held, of one world; a burst of a group of a thousand fits.
pub(super) const FRAMES_HELD_MAX: usize = 10_000;
/// What they weigh, in bytes: the largest frame is 1 MiB, and usual ones are 200 bytes.
pub(super) const BYTES_HELD_MAX: usize = 16 * 1024 * 1024;

impl Server {
    /// The rules that were armed and not cleared, oldest first.
    pub fn rules(&self, now: Millis) -> Vec<RuleState> {
        let state = |armed: &Armed| RuleState {
            id: armed.id,
            rule: armed.rule.clone(),
            hits: armed.hits,
            looked_at: armed.looked_at,
            armed: !armed.is_spent(now),
        };
        self.rules.armed.iter().map(state).collect()
    }

    /// How many were ever armed, which is the number of the latest.
    pub fn rules_ever(&self) -> u64 {
        self.rules.armed_ever
    }

    pub(super) fn arm_rule(&mut self, now: Millis, rule: Rule) -> Result<(), ControlError> {
        if self.rules.armed.len() >= RULES_MAX && !self.rules.make_room(now) {
            return Err(ControlError::BadValue {
                what: "rule",
                value: rule.to_string(),
                reason: "the world has 1000 rules that may still act; clear some (clear_faults, or DELETE …/rules/{id})",
            });
        }
        for (conn, session) in &self.sessions {
            let Some(live) = session.live() else { continue };
            let user = Some(self.accounts.name(live.reader.user).to_owned());
            let claim = Claim { user, device: Some(live.resource.to_string()) };
            self.rules.claims.insert(*conn, claim);
        }
        self.rules.armed_ever += 1;
        let id = self.rules.armed_ever;
        self.rules.armed.push(Armed { id, rule, at: now, looked_at: 0, fitted: 0, hits: 0, spent: false });
        self.rules.live += 1;
        Ok(())
    }

    /// The rule of this number goes; what it holds is let go.
    pub(super) fn clear_rule(&mut self, now: Millis, id: u64) -> Result<(), ControlError> {
        let Some(at) = self.rules.armed.iter().position(|armed| armed.id == id) else {
            let (what, value) = ("id", id.to_string());
            return Err(ControlError::BadValue {
                what,
                value,
                reason: "no rule of this world has that number",
            });
        };
        let gone = self.rules.armed.remove(at);
        self.rules.live -= usize::from(!gone.spent);
        self.release(now, |held| held.rule == id);
        Ok(())
    }

    pub(super) fn clear_rules(&mut self, now: Millis) {
        self.rules.armed.clear();
        self.rules.live = 0;
        self.release(now, |_| true);
    }

    /// A frame came, and there are rules.
    pub(super) fn ruled_frame(&mut self, now: Millis, conn: ConnId, bytes: Bytes) {
        let Some(session) = self.sessions.get(&conn).filter(|session| !session.is_closing()) else { return };
        // Whose a login that is refused was, only its own frame says.
        let names_somebody = session.live().is_none() && self.rules.looks_at(Side::Down);
        if !names_somebody && !self.rules.looks_at(Side::Up) {
            return self.submit(now, conn, Side::Up, Parcel::Frame { bytes, damage: None }, 0);
        }
        let frame = Frame::read(&bytes, Direction::Up);
        if frame.kind == Kind::Provision {
            self.rules.claims.insert(conn, Claim::of(&frame));
        }
        let ruled = Ruled { conn, side: Side::Up, kind: frame.kind, meta_id: frame.number("meta.id"), bytes };
        self.rule(now, &frame, ruled);
    }

    /// What the world sends is looked at by the rules, in its order.
    pub(super) fn rule_outputs(&mut self, now: Millis) {
        let mut raw = std::mem::take(&mut self.outputs);
        loop {
            let Some(output) = raw.pop_front() else {
                // Where a rule has ended a connection, others are told.
                self.tell_moves(now);
                raw.append(&mut self.outputs);
                if raw.is_empty() {
                    break;
                }
                continue;
            };
            match output {
                Output::Frame { conn, bytes } => self.ruled_down(now, conn, bytes),
                Output::Close { conn, how: how @ Close::Code(_) } => {
                    self.submit(now, conn, Side::Down, Parcel::Close(how), 0);
                }
                Output::Close { conn, how } => {
                    self.forget_waiting(conn);
                    self.close_once(conn, how);
                }
                Output::LoggedIn { conn, user, resource } => {
                    let claim = Claim { user: Some(user.clone()), device: Some(resource.clone()) };
                    self.rules.claims.insert(conn, claim);
                    self.rules.ready.push_back(Output::LoggedIn { conn, user, resource });
                }
                other => self.rules.ready.push_back(other),
            }
            raw.append(&mut self.outputs);
        }
        self.outputs = std::mem::take(&mut self.rules.ready);
    }

    /// Every connection is gone, and every request: whatever waits for one of them is lost.
    pub(super) fn rules_part(&mut self) {
        let Rules { armed, armed_ever, .. } = std::mem::take(&mut self.rules);
        self.rules = Rules::resumed(armed, armed_ever);
        // Of frames and requests, all of them.
        self.timers = Timers::default();
    }

    /// The connection is gone: what waits for it is lost.
    pub(super) fn rules_forget(&mut self, conn: ConnId) {
        self.forget_waiting(conn);
        self.rules.lanes.gone(conn);
        self.rules.claims.shift_remove(&conn);
    }

    fn ruled_down(&mut self, now: Millis, conn: ConnId, bytes: Bytes) {
        // What was on its way when a rule ended the connection.
        if self.rules.lanes.is_ended(conn) {
            return;
        }
        if !self.rules.looks_at(Side::Down) {
            return self.submit(now, conn, Side::Down, Parcel::Frame { bytes, damage: None }, 0);
        }
        let frame = Frame::read(&bytes, Direction::Down);
        let ruled = Ruled { conn, side: Side::Down, kind: frame.kind, meta_id: None, bytes };
        self.rule(now, &frame, ruled);
    }

    fn rule(&mut self, now: Millis, frame: &Frame, ruled: Ruled) {
        let claim = self.rules.claims.get(&ruled.conn).cloned().unwrap_or_default();
        let (user, device) = (claim.user.as_deref(), claim.device.as_deref());
        let let_go = self.rules.letting_go(ruled.conn, ruled.side, |rule| rule.fits(frame, user, device));
        let seed = self.seed;
        let fits = |rule: &Rule| !rule.is_of_requests() && rule.fits(frame, user, device);
        let acts = self.rules.decide(now, seed, ruled.side, false, &let_go, fits);
        let (conn, side) = (ruled.conn, ruled.side);
        match acts {
            None => self.pass(now, ruled, 0),
            Some((id, actions)) => self.act(now, id, &actions, ruled),
        }
        if !let_go.is_empty() {
            self.release(now, |held| held.conn == conn && held.side == side && let_go.contains(&held.rule));
        }
    }

    fn act(&mut self, now: Millis, id: u64, actions: &[Action], mut ruled: Ruled) {
        let (conn, side) = (ruled.conn, ruled.side);
        let what = ruled.kind.word();
        let (mut delay_ms, mut copies, mut damage) = (0, 1, Vec::new());
        for action in actions {
            match action {
                Action::Delay { ms } => {
                    delay_ms = *ms;
                    self.told(conn, id, Deed::Delayed, format!("{what}: delayed by {}", Duration(*ms)));
                }
                Action::Duplicate => {
                    copies = 2;
                    self.told(conn, id, Deed::Doubled, format!("{what}: sent twice"));
                }
                Action::Truncate { bytes } => {
                    let cut = usize::try_from(*bytes).unwrap_or(usize::MAX).min(ruled.bytes.len());
                    ruled.bytes.truncate(ruled.bytes.len() - cut);
                    damage.push(format!("{what}: {cut} bytes cut off its end"));
                }
                Action::FlipBit { bit } => {
                    ruled.bytes = flipped(&ruled.bytes, *bit);
                    damage.push(format!("{what}: bit {bit} flipped"));
                }
                Action::Drop => return self.told(conn, id, Deed::Dropped, format!("{what}: lost")),
                Action::HoldUntilNext => return self.hold(now, id, ruled),
                Action::AnswerStatus { code, reason } => {
                    let text = format!("{what}: no effect, answered with status {code} {reason:?}");
                    self.told(conn, id, Deed::Answered, text);
                    let (kind, meta_id) = (ruled.kind, ruled.meta_id);
                    let parcel = Parcel::Refuse { kind, meta_id, code: *code, reason: reason.clone() };
                    return self.submit(now, conn, side, parcel, delay_ms);
                }
                Action::Close { code } => {
                    let text = format!("{what}: lost, and the connection closed with {code}");
                    return self.end_by_rule(now, id, conn, side, Close::Code(*code), delay_ms, text);
                }
                Action::Cut => {
                    let text = format!("{what}: lost, and the connection cut");
                    return self.end_by_rule(now, id, conn, side, Close::Cut, delay_ms, text);
                }
                Action::Reset => {
                    let text = format!("{what}: lost, and the connection reset");
                    return self.end_by_rule(now, id, conn, side, Close::Reset, delay_ms, text);
                }
                Action::GoSilent => {
                    let text = format!("{what}: lost, as all that follows on the connection");
                    return self.end_by_rule(now, id, conn, side, Close::Mute, delay_ms, text);
                }
                Action::AnswerHttp { .. } => unreachable!("a rule of frames has none"),
            }
        }
        let damage = (!damage.is_empty()).then(|| (id, damage.join("; ")));
        for _ in 0..copies {
            let parcel = Parcel::Frame { bytes: ruled.bytes.clone(), damage: damage.clone() };
            self.submit(now, conn, side, parcel, delay_ms);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what ends, how, when and why")]
    fn end_by_rule(
        &mut self,
        now: Millis,
        id: u64,
        conn: ConnId,
        side: Side,
        how: Close,
        delay_ms: u64,
        text: String,
    ) {
        self.told(conn, id, Deed::Ended, text);
        self.submit(now, conn, side, Parcel::End(how), delay_ms);
    }

    fn hold(&mut self, now: Millis, id: u64, ruled: Ruled) {
        let Ruled { conn, side, kind, bytes, .. } = ruled;
        let what = kind.word();
        if !self.rules.has_room(bytes.len()) {
            self.warn(format!(
                "rule {id}: {what} is not held: {FRAMES_HELD_MAX} frames or 16 MiB are held already"
            ));
            return self.submit(now, conn, side, Parcel::Frame { bytes, damage: None }, 0);
        }
        self.told(conn, id, Deed::Held, format!("{what}: held until the next goes"));
        self.rules.held.push(Held { rule: id, conn, side, kind, bytes });
    }

    /// Held frames go, oldest first.
    fn release(&mut self, now: Millis, which: impl Fn(&Held) -> bool) {
        let (go, stay) = std::mem::take(&mut self.rules.held).into_iter().partition(which);
        self.rules.held = stay;
        for Held { rule, conn, side, kind, bytes } in go {
            let text = format!("{}: let go", kind.word());
            self.told(conn, rule, Deed::Released, text);
            self.submit(now, conn, side, Parcel::Frame { bytes, damage: None }, 0);
        }
    }

    fn pass(&mut self, now: Millis, ruled: Ruled, delay_ms: u64) {
        let parcel = Parcel::Frame { bytes: ruled.bytes, damage: None };
        self.submit(now, ruled.conn, ruled.side, parcel, delay_ms);
    }

    /// Does what was on its way.
    fn arrive(&mut self, now: Millis, conn: ConnId, side: Side, parcel: Parcel) {
        match (parcel, side) {
            (Parcel::Frame { bytes, damage: None }, Side::Up) => self.frame(now, conn, bytes),
            (Parcel::Frame { bytes, damage: Some((rule, text)) }, Side::Up) => {
                self.told(conn, rule, Deed::Damaged, text);
                let before = self.outputs.len();
                self.frame(now, conn, bytes);
                // The client did not write what the server found wrong.
                let mut at = 0;
                self.outputs.retain(|output| {
                    at += 1;
                    at <= before || !matches!(output, Output::Finding(_))
                });
            }
            (Parcel::Frame { bytes, damage }, Side::Down) => {
                if let Some((rule, text)) = damage {
                    self.told(conn, rule, Deed::Damaged, text);
                }
                self.rules.ready.push_back(Output::Frame { conn, bytes });
            }
            (Parcel::Close(how), _) => self.close_once(conn, how),
            (Parcel::End(how), _) => {
                self.forget_waiting(conn);
                self.rules.lanes.ends(conn);
                self.end(conn, how);
            }
            (Parcel::Refuse { kind, meta_id, code, reason }, _) => {
                self.refuse_by_rule(conn, kind, meta_id, code, reason);
            }
        }
    }

    /// A connection that a rule has ended may be ended by the world, too, which does not know.
    fn close_once(&mut self, conn: ConnId, how: Close) {
        if self.rules.lanes.closes(conn) {
            self.rules.ready.push_back(Output::Close { conn, how });
        }
    }

    fn refuse_by_rule(&mut self, conn: ConnId, kind: Kind, meta_id: Option<u64>, code: i32, reason: String) {
        match kind {
            Kind::Provision => self.refuse_login(conn, code, &reason),
            Kind::Unread => {
                let status =
                    Some(Status { error_code: Some(code), reason: Some(reason), redirect_info: Vec::new() });
                let payload = CommUnreadDl { status, ..CommUnreadDl::default() }.encode_to_vec();
                let frame = MSync {
                    version: Some(0),
                    command: Some(m_sync::Command::Unread as i32),
                    payload: Some(payload.into()),
                    ..MSync::default()
                };
                self.send(conn, frame.encode_to_vec().into());
            }
            _ => self.send(conn, encode::refusal(meta_id, None, code, &reason)),
        }
    }

    fn told(&mut self, conn: ConnId, rule: u64, deed: Deed, text: String) {
        self.rules.ready.push_back(Output::Fault { conn: Some(conn), rule, deed, text });
    }
}

/// A frame that rules are asked about.
struct Ruled {
    conn: ConnId,
    side: Side,
    kind: Kind,
    /// The client's own id of what it sends.
    meta_id: Option<u64>,
    bytes: Bytes,
}

impl Rules {
    /// Rules that go on from where they were, where nothing is on its way. `armed_ever` is at least the last one's number.
    pub(super) fn resumed(armed: Vec<Armed>, armed_ever: u64) -> Self {
        let live = armed.iter().filter(|armed| !armed.spent).count();
        Self { armed, armed_ever, live, ..Self::default() }
    }

    /// Forgets the oldest rule that is used up and holds nothing. A login that chooses by its name arms rules each time.
    fn make_room(&mut self, now: Millis) -> bool {
        let holds = |id: u64| self.held.iter().any(|held| held.rule == id);
        let used_up = self.armed.iter().position(|armed| armed.is_spent(now) && !holds(armed.id));
        let Some(used_up) = used_up else { return false };
        let gone = self.armed.remove(used_up);
        self.live -= usize::from(!gone.spent);
        true
    }

    /// Whether nothing needs to be looked at: no rule may still act, and nothing waits.
    #[inline]
    pub(super) fn is_idle(&self) -> bool {
        self.live == 0 && self.held.is_empty() && self.ready.is_empty() && self.lanes.is_empty()
    }

    /// Whether a frame of this direction means anything to a rule.
    fn looks_at(&self, side: Side) -> bool {
        let looks = |armed: &Armed| !armed.spent && !armed.rule.is_of_requests() && armed.rule.side() == side;
        self.held.iter().any(|held| held.side == side) || self.armed.iter().any(looks)
    }

    /// What becomes of something, by the first rule that acts on it. Those of `letting_go` count it and leave it.
    fn decide(
        &mut self,
        now: Millis,
        world_seed: u64,
        side: Side,
        of_requests: bool,
        letting_go: &[u64],
        fits: impl Fn(&Rule) -> bool,
    ) -> Option<(u64, Vec<Action>)> {
        let mut acts = None;
        for armed in self.armed.iter_mut().filter(|armed| !armed.spent) {
            if armed.is_spent(now) {
                armed.spent = true;
                self.live -= 1;
                continue;
            }
            let looks = armed.rule.side() == side && armed.rule.is_of_requests() == of_requests;
            if !looks || !armed.has_begun(now) {
                continue;
            }
            armed.looked_at += 1;
            if !fits(&armed.rule) {
                continue;
            }
            armed.fitted += 1;
            let draw = Draw { world_seed, rule: armed.id, nth: armed.fitted };
            let is_struck = armed.is_meant() && !letting_go.contains(&armed.id) && draw.falls_to(&armed.rule);
            armed.hits += u64::from(is_struck);
            armed.spent = armed.is_spent(now);
            self.live -= usize::from(armed.spent);
            if is_struck {
                acts = Some((armed.id, armed.rule.parts().actions.clone()));
                break;
            }
        }
        acts
    }

    /// The rules that hold a frame of this direction and connection, and fit this one.
    fn letting_go(&self, conn: ConnId, side: Side, fits: impl Fn(&Rule) -> bool) -> Vec<u64> {
        let here = self.held.iter().filter(|held| held.conn == conn && held.side == side);
        let rule = |held: &Held| self.armed.iter().find(|armed| armed.id == held.rule);
        here.filter_map(rule).filter(|armed| fits(&armed.rule)).map(|armed| armed.id).collect()
    }

    fn has_room(&self, bytes: usize) -> bool {
        let held: usize = self.held.iter().map(|held| held.bytes.len()).sum();
        let frames = self.held.len() + self.lanes.frames();
        frames < FRAMES_HELD_MAX && held + self.lanes.bytes() + bytes <= BYTES_HELD_MAX
    }
}

impl Armed {
    fn is_spent(&self, now: Millis) -> bool {
        let parts = self.rule.parts();
        let used_up = parts.times.is_some_and(|times| self.hits >= u64::from(times));
        let late = parts.within_ms.is_some_and(|ms| now.0 > self.at.0.saturating_add(ms));
        let passed = match parts.which {
            Which::Next(count) | Which::Nth(count) => self.fitted >= u64::from(count),
            Which::Every(_) => false,
        };
        used_up || late || passed
    }

    fn has_begun(&self, now: Millis) -> bool {
        self.rule.parts().after_ms.is_none_or(|ms| now.0 >= self.at.0.saturating_add(ms))
    }

    /// Whether the last that fitted is one of those that it acts on.
    fn is_meant(&self) -> bool {
        match self.rule.parts().which {
            Which::Next(count) => self.fitted <= u64::from(count),
            Which::Nth(nth) => self.fitted == u64::from(nth),
            Which::Every(nth) => self.fitted.is_multiple_of(u64::from(nth)),
        }
    }
}

impl Claim {
    /// Who a login says that it is.
    fn of(frame: &Frame) -> Self {
        let text = |path: &str| match frame.get(path) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text.to_lowercase()),
            _ => None,
        };
        Self { user: text("guid.name"), device: text("guid.clientResource").or_else(|| text("resource")) }
    }
}

/// A bit past the end is counted on from the beginning, so that every frame has it.
fn flipped(bytes: &Bytes, bit: u32) -> Bytes {
    let mut flipped = bytes.to_vec();
    let bits = flipped.len() * 8;
    let Some(at) = usize::try_from(bit).unwrap_or(usize::MAX).checked_rem(bits) else { return bytes.clone() };
    flipped[at / 8] ^= 1 << (at % 8);
    flipped.into()
}
