//! Door faults that are armed, and what each does to a try at a door.
//!
//! A try is a request that opens a connection of the protocol: SockJS' information, or a WebSocket handshake. REST and the
//! control plane are no doors: what is armed can be taken away again.

use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use super::world::World;
use crate::control_api::ArmedDoor;
use crate::door_fault::{DoorFault, Refusal, Tries};
use crate::machine::Millis;
use crate::machine::state::{At, COUNTER_MAX, DoorState, FaultsState, Number, StateFault};
use crate::tape::Deed;

/// The faults of a server, or of one world's own path, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Doors {
    armed: Vec<Armed>,
    last_id: u64,
}

#[derive(Clone, Debug)]
struct Armed {
    id: u64,
    fault: DoorFault,
    hits: u32,
}

/// What a client tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Try {
    /// `/ws/info`.
    Info,
    /// A WebSocket handshake, at either door.
    Handshake,
}

/// A try that a fault struck.
pub(super) struct Hit {
    /// The fault's number.
    pub(super) id: u64,
    /// Its line.
    pub(super) line: String,
    pub(super) strike: Strike,
}

/// What becomes of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Strike {
    Close,
    Reset,
    Status(u16),
    NeverOpen,
    SlowOpen { ms: u64 },
}

/// When a connection that was made opens.
pub(super) enum Opening {
    AtOnce,
    /// Once this is over.
    After(Wait),
    Never,
}

/// How long nothing happens.
pub(super) enum Wait {
    /// By the host's clock.
    Host(Duration),
    /// Until it is that late in a world.
    World(Rc<World>, Millis),
}

/// A scenario has a handful; a loop that arms without end should show.
pub(super) const DOORS_MAX: usize = 100;

impl Doors {
    /// Arms all of them, in that order, or none where they are too many beside those that are armed.
    pub(super) fn arm(&mut self, faults: Vec<DoorFault>) -> bool {
        if self.armed.iter().filter(|armed| !armed.is_used_up()).count() + faults.len() > DOORS_MAX {
            return false;
        }
        // What is used up is kept for its hits, and goes first.
        while self.armed.len() + faults.len() > DOORS_MAX {
            let used_up = self.armed.iter().position(Armed::is_used_up).expect("without those there is room");
            self.armed.remove(used_up);
        }
        for fault in faults {
            self.last_id += 1;
            self.armed.push(Armed { id: self.last_id, fault, hits: 0 });
        }
        true
    }

    /// What becomes of this try: the oldest fault that is meant for it strikes, and it alone.
    pub(super) fn strike(&mut self, tried: Try) -> Option<Hit> {
        let armed = self.armed.iter_mut().find(|armed| !armed.is_used_up() && is_for(&armed.fault, tried))?;
        armed.hits = armed.hits.saturating_add(1);
        tracing::info!("door fault {}: {} (hit {})", armed.id, armed.fault, armed.hits);
        let strike = match &armed.fault {
            DoorFault::Refuse { with: Refusal::Close, .. } => Strike::Close,
            DoorFault::Refuse { with: Refusal::Reset, .. } => Strike::Reset,
            DoorFault::Refuse { with: Refusal::Status(status), .. } => Strike::Status(*status),
            DoorFault::NeverOpen { .. } => Strike::NeverOpen,
            DoorFault::SlowOpen { ms, .. } => Strike::SlowOpen { ms: *ms },
        };
        Some(Hit { id: armed.id, line: armed.fault.to_string(), strike })
    }

    /// As a state has them: those that are armed, and how many ever were.
    pub(super) fn saved(&self) -> (Vec<DoorState>, Number) {
        let one =
            |armed: &Armed| DoorState { id: Number(armed.id), text: armed.fault.clone(), hits: armed.hits };
        (self.armed.iter().map(one).collect(), Number(self.last_id))
    }

    /// Those of a state.
    pub(super) fn resumed(state: &FaultsState, at: &At<'_>) -> Result<Self, StateFault> {
        let Number(last_id) = state.doors_ever;
        if last_id > COUNTER_MAX {
            return Err(at
                .field("doors_ever")
                .fault(format!("at most {COUNTER_MAX}, or numbers would run out")));
        }
        let at = at.field("doors");
        if state.doors.len() > DOORS_MAX {
            let reason = format!("{} door faults, and a world has at most {DOORS_MAX}", state.doors.len());
            return Err(at.fault(reason));
        }
        let (mut before, mut armed) = (0, Vec::new());
        for (index, door) in state.doors.iter().enumerate() {
            let (at, Number(id)) = (at.index(index), door.id);
            if id <= before {
                let reason = format!("{id} is not behind the one before it; they are numbered from 1");
                return Err(at.field("id").fault(reason));
            }
            if id > last_id {
                let reason = format!(
                    "{id} is above `doors_ever`, which is {last_id}: it would be given to another one, too"
                );
                return Err(at.field("id").fault(reason));
            }
            if let Some(next) = door.text.next().filter(|next| door.hits > *next) {
                return Err(at
                    .field("hits")
                    .fault(format!("{} is more than the {next} it is for", door.hits)));
            }
            before = id;
            armed.push(Armed { id, fault: door.text.clone(), hits: door.hits });
        }
        Ok(Self { armed, last_id })
    }

    pub(super) fn clear(&mut self) {
        self.armed.clear();
    }

    /// Takes one of them away; false: there is none of that number.
    pub(super) fn disarm(&mut self, id: u64) -> bool {
        let before = self.armed.len();
        self.armed.retain(|armed| armed.id != id);
        self.armed.len() < before
    }

    /// Those that were armed and not taken away, with their hits, oldest first.
    pub(super) fn list(&self) -> Vec<ArmedDoor> {
        let listed = self.armed.iter().map(|armed| ArmedDoor {
            id: armed.id,
            text: armed.fault.to_string(),
            fault: armed.fault.clone(),
            hits: armed.hits,
            armed: !armed.is_used_up(),
        });
        listed.collect()
    }
}

impl Armed {
    fn is_used_up(&self) -> bool {
        self.fault.next().is_some_and(|next| self.hits >= next)
    }
}

impl Hit {
    /// What became of that try, for the tape.
    pub(super) fn told(&self, tried: Try) -> (Deed, String) {
        let (deed, what) = match self.strike {
            Strike::Close => (Deed::Ended, "is closed without an answer".to_owned()),
            Strike::Reset => (Deed::Ended, "is reset".to_owned()),
            Strike::Status(status) => (Deed::Answered, format!("is answered {status}")),
            Strike::NeverOpen => (Deed::Ended, "leads to nothing that opens".to_owned()),
            Strike::SlowOpen { ms } => (Deed::Delayed, format!("opens {ms} ms late")),
        };
        let tried = match tried {
            Try::Info => "/ws/info",
            Try::Handshake => "a handshake",
        };
        (deed, format!("{tried} {what}: `{}`", self.line))
    }
}

impl Wait {
    pub(super) async fn over(self) {
        match self {
            #[expect(clippy::disallowed_methods, reason = "here the shell lets time in")]
            Self::Host(duration) => tokio::time::sleep(duration).await,
            Self::World(world, due) => world.until(due).await,
        }
    }
}

impl Opening {
    /// Waits until it opens, if ever.
    pub(super) async fn opened(self) {
        match self {
            Self::AtOnce => {}
            Self::After(wait) => wait.over().await,
            Self::Never => pending().await,
        }
    }
}

fn is_for(fault: &DoorFault, tried: Try) -> bool {
    match fault {
        DoorFault::Refuse { what: Tries::Connections, .. } => true,
        DoorFault::Refuse { what: Tries::Info, .. } => tried == Try::Info,
        DoorFault::Refuse { what: Tries::Upgrade, .. }
        | DoorFault::NeverOpen { .. }
        | DoorFault::SlowOpen { .. } => tried == Try::Handshake,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn armed(lines: &[&str]) -> Doors {
        let mut doors = Doors::default();
        assert!(doors.arm(lines.iter().map(|line| line.parse().expect("a good line")).collect()));
        doors
    }

    #[test]
    fn the_oldest_that_is_meant_strikes_until_it_is_used_up() {
        let mut doors = armed(&[
            "refuse info with 503 next 1",
            "refuse next 2 connections",
            "slow open 2s",
            "never open",
        ]);
        let strikes = [Try::Handshake, Try::Info, Try::Info, Try::Info, Try::Handshake, Try::Handshake]
            .map(|tried| doors.strike(tried).map(|hit| hit.strike));
        let slow = Some(Strike::SlowOpen { ms: 2_000 });
        let expected =
            [Some(Strike::Close), Some(Strike::Status(503)), Some(Strike::Close), None, slow, slow];
        assert_eq!(strikes, expected);
        let hits: Vec<_> = doors.list().iter().map(|door| (door.id, door.hits, door.armed)).collect();
        assert_eq!(hits, [(1, 1, false), (2, 2, false), (3, 2, true), (4, 0, true)]);
        doors.clear();
        assert!(doors.strike(Try::Handshake).is_none() && doors.list().is_empty());
    }

    #[test]
    fn of_too_many_none_is_armed_unless_others_are_used_up() {
        let line = |line: &str| line.parse::<DoorFault>().expect("a good line");
        let mut doors = Doors::default();
        assert!(doors.arm(vec![line("never open next 1"); DOORS_MAX]));
        assert!(!doors.arm(vec![line("never open")]));
        assert_eq!(doors.list().len(), DOORS_MAX);
        doors.strike(Try::Handshake);
        assert!(doors.arm(vec![line("never open")]));
        assert_eq!(doors.list().len(), DOORS_MAX);
    }
}
