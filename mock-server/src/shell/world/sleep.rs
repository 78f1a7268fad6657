//! Waiting for a world's time: what is slow on purpose takes as long as its world's clock says.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::timeout;

use super::World;
use crate::control::{Control, ControlError, Fault};
use crate::journal::Given;
use crate::machine::Millis;
use crate::shell::doors::{Doors, Strike, Try};
use crate::tape::Event;

/// What wakes those who wait, and the door faults of the world's own path.
#[derive(Default)]
pub(super) struct Sleepers {
    moved: Notify,
    /// The world was forgotten: nobody moves its clock any more.
    gone: Cell<bool>,
    /// How many requests wait for a clock that stands still.
    standing: Cell<usize>,
    /// How often somebody tried one of the doors.
    knocks: Cell<u64>,
    doors: RefCell<Doors>,
}

/// How fast an upload is read.
pub(in crate::shell) struct Pace<'a> {
    world: &'a World,
    bytes_per_second: u64,
    began: Millis,
}

impl Pace<'_> {
    /// Waits until so many bytes have had their time.
    pub(in crate::shell) async fn keep(&self, bytes: u64) {
        let ms = bytes.saturating_mul(1_000) / self.bytes_per_second;
        self.world.request_until(Millis(self.began.0.saturating_add(ms))).await;
    }
}

impl World {
    /// How fast the upload with this token is read; `None`: as fast as it comes.
    pub(in crate::shell) fn pace(&self, token: Option<&str>) -> Option<Pace<'_>> {
        let mut state = self.state.borrow_mut();
        let began = state.clock.now();
        let bytes_per_second = state.machine.take_upload_rate(began, token)?;
        Some(Pace { world: self, bytes_per_second, began })
    }

    /// Waits until it is that late here, or the world is forgotten. A clock that stands still is waited for too.
    pub(in crate::shell) async fn until(&self, due: Millis) {
        loop {
            let moved = self.sleepers.moved.notified();
            let left = due.0.saturating_sub(self.now().0);
            if left == 0 || self.sleepers.gone.get() {
                return;
            }
            if self.clock_runs() {
                // Woken by hand, it looks again: the clock may have been stopped, or moved.
                let _moved = timeout(Duration::from_millis(left), moved).await;
            } else {
                moved.await;
            }
        }
    }

    /// As [`World::until`], of a request that is being answered: while it waits for a clock that stands still, only whoever
    /// moves that clock can help, and the server itself is at rest.
    pub(in crate::shell) async fn request_until(&self, due: Millis) {
        let _standing = (!self.clock_runs()).then(|| Standing::new(self));
        self.until(due).await;
    }

    /// The clock was moved, stopped or let run.
    pub(super) fn wake_sleepers(&self) {
        self.sleepers.moved.notify_waiters();
    }

    /// Nobody is to wait for this world any more.
    pub(super) fn end_sleepers(&self) {
        self.sleepers.gone.set(true);
        self.wake_sleepers();
    }

    /// How many requests wait for the clock to be moved.
    pub(super) fn standing_requests(&self) -> usize {
        self.sleepers.standing.get()
    }

    /// Somebody tries a door on the world's own path: what clients do here is not over yet. What befalls them is told on the
    /// tape.
    pub(in crate::shell) fn at_door(&self, tried: Try) -> Option<Strike> {
        self.sleepers.knocks.set(self.sleepers.knocks.get() + 1);
        self.tell_watchers();
        let hit = self.doors_mut().strike(tried)?;
        let mut state = self.state.borrow_mut();
        if state.tape.is_some() {
            let now = state.clock.now();
            let (deed, text) = hit.told(tried);
            state.note(now, Given::AtDoor { fault: hit.id, deed, text: text.clone() });
            state.record(now, Event::AtDoor { fault: hit.id, deed, text });
        }
        Some(hit.strike)
    }

    pub(super) fn knocks(&self) -> u64 {
        self.sleepers.knocks.get()
    }

    /// What is armed at the doors once these commands are done; `None`: they have nothing to do with doors. What befalls
    /// clients before they are in a world is no business of its machine's, which does not know of it. Fails with which of
    /// them cannot be done.
    pub(super) fn doors_after(&self, controls: &[Control]) -> Result<Option<Doors>, (usize, ControlError)> {
        let mut doors = None;
        for (index, control) in controls.iter().enumerate() {
            if let Control::Fault(Fault::Door(fault)) = control {
                if !doors.get_or_insert_with(|| self.doors().clone()).arm(vec![fault.clone()]) {
                    let reason = "more door faults are armed already than any test can mean";
                    let value = fault.to_string();
                    return Err((index, ControlError::BadValue { what: "door", value, reason }));
                }
            } else if *control == (Control::ClearFaults {}) {
                doors.get_or_insert_with(|| self.doors().clone()).clear();
            }
        }
        Ok(doors)
    }

    pub(in crate::shell) fn doors(&self) -> Ref<'_, Doors> {
        self.sleepers.doors.borrow()
    }

    pub(in crate::shell) fn doors_mut(&self) -> RefMut<'_, Doors> {
        self.has_changed();
        self.sleepers.doors.borrow_mut()
    }
}

struct Standing<'a>(&'a World);

impl<'a> Standing<'a> {
    fn new(world: &'a World) -> Self {
        world.sleepers.standing.set(world.sleepers.standing.get() + 1);
        world.tell_watchers();
        Self(world)
    }
}

impl Drop for Standing<'_> {
    fn drop(&mut self) {
        self.0.sleepers.standing.set(self.0.sleepers.standing.get() - 1);
    }
}
