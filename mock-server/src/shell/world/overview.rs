//! What a world tells of itself at one moment.

use super::World;
use crate::control::Settings;
use crate::control_api::{ClockView, Overview, WorldLine};
use crate::machine::View;

impl World {
    /// What the world is like just now.
    pub(in crate::shell) fn overview(&self) -> Overview {
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        let View { users, groups, rooms, more } = state.machine.view(now);
        Overview {
            app_key: state.machine.app_key().to_string(),
            clock: ClockView { now_ms: now.0, runs: state.clock.runs() },
            settings: state.machine.settings().clone(),
            users,
            groups,
            rooms,
            more,
            rules: state.machine.rules(now).iter().filter(|rule| rule.armed).count(),
        }
    }

    /// The same in a few numbers.
    pub(in crate::shell) fn line(&self) -> WorldLine {
        let mut state = self.state.borrow_mut();
        WorldLine {
            app_key: state.machine.app_key().to_string(),
            users: state.machine.user_count(),
            online: state.machine.online_count(),
            rows: state.tape.as_ref().map_or(0, |tape| tape.length().get()),
            now_ms: state.clock.now().0,
        }
    }

    /// Whether it began with what every new world of the server begins with.
    pub(in crate::shell) fn is_staged(&self) -> bool {
        self.is_staged.get()
    }

    pub(in crate::shell) fn note_staged(&self) {
        self.is_staged.set(true);
    }

    /// The seed of its nasty mode.
    pub(in crate::shell) fn nasty_seed(&self) -> Option<u64> {
        self.state.borrow().machine.nasty_seed()
    }

    /// How many rows its tape keeps; `None`: it has none.
    pub(in crate::shell) fn tape_rows_max(&self) -> Option<usize> {
        self.state.borrow().tape.as_ref().map(|tape| tape.rows_max())
    }

    /// The rules that hold.
    pub(in crate::shell) fn settings(&self) -> Settings {
        self.state.borrow().machine.settings().clone()
    }
}
