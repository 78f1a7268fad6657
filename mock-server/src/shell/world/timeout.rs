//! A world's time as its machine needs it: the clock is moved past no deadline unseen, and a clock that runs wakes the
//! world when something is due.

use std::cell::{Cell, RefCell, RefMut};
use std::rc::Weak;
use std::time::Duration;

use tokio::task::{AbortHandle, spawn_local};

use super::{IO_TURNS, State, World};
use crate::control::ClockBackwards;
use crate::control_api::{ClockAt, RuleRow};
use crate::journal::Given;
use crate::machine::{Input, Millis};
use crate::shell::clock::Clock;

/// The task that waits for the next deadline of a world whose clock runs: one at most.
#[derive(Default)]
pub(super) struct Timer {
    armed: RefCell<Option<(Millis, AbortHandle)>>,
    /// Whether a task waits for the world to go round.
    turns: Cell<bool>,
}

impl World {
    /// Stops the clock at this moment. What is due by then happens first, each thing at its own time. Once somebody has been
    /// in the world, that is not before its present.
    pub(in crate::shell) fn set_clock(&self, now: Millis) -> Result<(), ClockBackwards> {
        let present = self.now();
        if self.state.borrow().has_begun && now < present {
            return Err(ClockBackwards { now_ms: present.0, to_ms: now.0 });
        }
        self.move_to(now);
        self.stand_still(now);
        Ok(())
    }

    /// Has the clock stand still where it is.
    pub(in crate::shell) fn stop_clock(&self) {
        self.move_to(self.now());
        self.stand_still(self.now());
    }

    fn stand_still(&self, now: Millis) {
        self.has_changed();
        let mut state = self.state.borrow_mut();
        state.clock = Clock::Manual { now };
        state.machine.clock_stands();
        state.note(now, Given::Stopped(now));
        state.tape.iter().for_each(|tape| tape.changed());
        self.set_timer(&mut state);
        drop(state);
        self.wake_sleepers();
    }

    /// Has the clock go on by itself from where it is.
    pub(in crate::shell) fn run_clock(&self) {
        let mut state = self.state.borrow_mut();
        state.clock.run();
        let now = state.clock.now();
        state.note(now, Given::Running);
        state.tape.iter().for_each(|tape| tape.changed());
        self.set_timer(&mut state);
        drop(state);
        self.wake_sleepers();
    }

    /// The clock of a world whose place this one takes goes on here.
    pub(in crate::shell) fn take_clock_of(&self, other: &Self) {
        let mut state = self.state.borrow_mut();
        state.clock = other.state.borrow().clock;
        let now = state.clock.now();
        if !state.clock.runs() {
            state.machine.clock_stands();
            state.note(now, Given::Stopped(now));
        }
        self.set_timer(&mut state);
    }

    /// Its time, and whether it goes on by itself.
    pub(in crate::shell) fn clock(&self) -> ClockAt {
        let mut state = self.state.borrow_mut();
        ClockAt { now_ms: state.clock.now().0, runs: state.clock.runs() }
    }

    /// Moves the clock. What is due by then happens meanwhile, each thing at its own time.
    pub(in crate::shell) fn advance(&self, ms: u64) {
        let from = self.now();
        let to = Millis(from.0.saturating_add(ms));
        self.move_to(to);
        self.has_changed();
        let mut state = self.state.borrow_mut();
        // A clock that runs may have gone further than that by itself.
        let left = to.0.saturating_sub(state.clock.now().0);
        state.clock.advance(left);
        let now = state.clock.now();
        state.note(now, Given::Advanced { ms });
        state.tape.iter().for_each(|tape| tape.changed());
        self.set_timer(&mut state);
        drop(state);
        self.wake_sleepers();
    }

    /// The rules that were armed here.
    pub(in crate::shell) fn rules(&self) -> Vec<RuleRow> {
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        state.machine.rules(now).into_iter().map(RuleRow::from).collect()
    }

    /// The number of the rule that was armed last.
    pub(in crate::shell) fn rules_ever(&self) -> u64 {
        self.state.borrow().machine.rules_ever()
    }

    /// Goes from one deadline to the next, up to `to`.
    fn move_to(&self, to: Millis) {
        loop {
            let mut state = self.state.borrow_mut();
            let Some(due) = state.machine.next_deadline().filter(|due| *due <= to) else { return };
            let left = due.0.saturating_sub(state.clock.now().0);
            state.clock.advance(left);
            self.time_out(state);
        }
    }

    fn time_out(&self, mut state: RefMut<'_, State>) {
        let now = state.clock.now();
        state.note(now, Given::Timeout);
        self.feed(state, now, Input::Timeout);
    }

    /// Sees to it that the world is woken for what is due next. A clock that stands still wakes nobody.
    pub(super) fn set_timer(&self, state: &mut State) {
        self.set_turn(state);
        let due = state.machine.next_deadline().filter(|_| state.clock.runs());
        let mut timer = self.timer.armed.borrow_mut();
        if timer.as_ref().map(|(armed, _)| *armed) == due {
            return;
        }
        if let Some((_, task)) = timer.take() {
            task.abort();
        }
        let Some(due) = due else { return };
        let wait = Duration::from_millis(due.0.saturating_sub(state.clock.now().0));
        let world = Weak::clone(&self.itself);
        let task = spawn_local(async move {
            #[expect(clippy::disallowed_methods, reason = "here the shell lets time in")]
            tokio::time::sleep(wait).await;
            // A world that was forgotten meanwhile has nothing left to do.
            if let Some(world) = world.upgrade() {
                world.wake();
            }
        });
        *timer = Some((due, task.abort_handle()));
    }

    /// Where the clock stands still, what is late goes out once nothing else has come for a turn.
    fn set_turn(&self, state: &State) {
        if !state.machine.waits_for_turn() || self.timer.turns.replace(true) {
            return;
        }
        let world = Weak::clone(&self.itself);
        spawn_local(async move {
            for _ in 0..IO_TURNS {
                tokio::task::yield_now().await;
            }
            let Some(world) = world.upgrade() else { return };
            world.timer.turns.set(false);
            let state = world.state.borrow_mut();
            if state.machine.waits_for_turn() {
                world.time_out(state);
            }
        });
    }

    /// The time has come, or the clock says otherwise: then the timer is set once more.
    fn wake(&self) {
        self.timer.armed.borrow_mut().take();
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        if state.machine.next_deadline().is_some_and(|due| due <= now) {
            return self.time_out(state);
        }
        self.set_timer(&mut state);
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some((_, task)) = self.armed.get_mut().take() {
            task.abort();
        }
    }
}
