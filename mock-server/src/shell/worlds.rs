//! The worlds of a server: made, found and forgotten; and how many connections there may be.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use indexmap::IndexMap;

use super::Options;
use super::blobs::Blobs;
use super::world::World;
use crate::control::Settings;
use crate::journal::{Entry, Given};
use crate::machine::{AppKey, Config, Upload};
use crate::replay::Replay;

/// Every world of a server.
pub(super) struct Worlds {
    options: Options,
    worlds: RefCell<IndexMap<AppKey, Rc<World>>>,
    /// Counts the uses of all worlds.
    uses: Rc<Cell<u64>>,
    blobs: Rc<Blobs>,
    connections: Cell<usize>,
    panics: Cell<usize>,
}

/// What a world begins with that is made on purpose.
pub(super) struct Founding {
    pub(super) settings: Settings,
    /// As the server was started, where it does not say.
    pub(super) tape_rows_max: Option<usize>,
}

/// A connection that is counted, however it ends.
pub(super) struct Admitted(Rc<Worlds>);

/// A suite may take a world for each test and never drop one: a small world costs a few KiB, and whoever debugs a
/// test of a while ago still finds its world. Of those that nobody is in, the one used longest ago goes.
const WORLDS_MAX: usize = 1_024;
/// Each costs about 10 KiB idle; a laptop bears more, but a leak in a test should show.
pub(super) const CONNECTIONS_MAX: usize = 20_000;
impl Worlds {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            worlds: RefCell::default(),
            uses: Rc::default(),
            blobs: Rc::default(),
            connections: Cell::new(0),
            panics: Cell::new(0),
        }
    }

    pub(super) fn find(&self, app_key: &AppKey) -> Option<Rc<World>> {
        let world = self.worlds.borrow().get(app_key).cloned()?;
        world.touch();
        Some(world)
    }

    /// The world, made if it is new. `None` when every one of [`WORLDS_MAX`] is in use.
    pub(super) fn find_or_make(&self, app_key: &AppKey) -> Option<Rc<World>> {
        if let Some(world) = self.find(app_key) {
            return Some(world);
        }
        let founding = Founding { settings: self.options.settings.clone(), tape_rows_max: None };
        let world = self.found(app_key, founding)?;
        for control in &self.options.stage {
            if let Err(error) = world.control(control.clone()) {
                tracing::warn!("world {app_key}: {error}, as it was to be staged");
            }
        }
        Some(world)
    }

    /// An empty world in the place of the one that may be there: of what every other begins with, it has nothing.
    /// `None` as above; then the one that was there is gone all the same.
    pub(super) fn make_anew(&self, app_key: &AppKey, founding: Founding) -> Option<Rc<World>> {
        self.forget(app_key);
        self.found(app_key, founding)
    }

    /// Whether worlds that nobody has made on purpose know only the users that were made.
    pub(super) fn is_strict(&self) -> bool {
        self.options.settings.strict
    }

    fn found(&self, app_key: &AppKey, founding: Founding) -> Option<Rc<World>> {
        let mut worlds = self.worlds.borrow_mut();
        if worlds.len() >= WORLDS_MAX {
            let idle = worlds.iter().filter(|(_, world)| world.is_idle());
            let oldest = idle.min_by_key(|(_, world)| world.last_use())?.0.clone();
            worlds.shift_remove(&oldest);
            tracing::warn!(
                "world {oldest} is forgotten: {WORLDS_MAX} are there, and it was idle the longest"
            );
        }
        let Founding { settings, tape_rows_max } = founding;
        let config = Config { settings, ..Config::new(app_key.clone()) };
        let usual = || self.options.tape.then_some(self.options.tape_rows_max);
        let tape_rows_max = tape_rows_max.or_else(usual);
        let world = World::new(config, tape_rows_max, &self.uses, &self.blobs);
        tracing::info!("world {app_key} is new");
        worlds.insert(app_key.clone(), Rc::clone(&world));
        Some(world)
    }

    /// Makes a world anew, as a journal leaves it; one of that app key that is there is forgotten.
    pub(super) fn replay(&self, mut entries: Vec<Entry>) -> Result<(), String> {
        self.keep_contents(&mut entries);
        let replay = Replay::of(&entries).map_err(|error| error.to_string())?;
        let app_key = replay.app_key.clone();
        let founding = Founding { settings: self.options.settings.clone(), tape_rows_max: None };
        let Some(world) = self.make_anew(&app_key, founding) else {
            return Err(format!("every one of {WORLDS_MAX} worlds that the server can hold is in use"));
        };
        world.resume(entries, replay);
        Ok(())
    }

    /// Puts the attachments of a journal among this server's, under numbers of its own.
    fn keep_contents(&self, entries: &mut [Entry]) {
        for Entry { given, .. } in entries {
            let Given::Http { request, content } = given else { continue };
            let Some(Upload::File { blob, .. }) = &mut request.upload else { continue };
            let mut draft = self.blobs.draft();
            if let Some(content) = content
                && let Err(error) = draft.write(content)
            {
                tracing::warn!("an attachment of the journal is left empty: {error:?}");
            }
            *blob = draft.keep();
        }
    }

    pub(super) fn forget(&self, app_key: &AppKey) {
        if let Some(world) = self.worlds.borrow_mut().shift_remove(app_key) {
            world.cut();
        }
    }

    pub(super) fn heartbeat(&self) {
        for world in self.worlds.borrow().values() {
            world.heartbeat();
        }
    }

    /// How many connections ended because our own code panicked.
    pub(super) fn panics(&self) -> usize {
        self.panics.get()
    }
}

impl Admitted {
    /// Counts a connection in, unless there are too many.
    pub(super) fn new(worlds: &Rc<Worlds>) -> Option<Self> {
        if worlds.connections.get() >= CONNECTIONS_MAX {
            return None;
        }
        worlds.connections.set(worlds.connections.get() + 1);
        Some(Self(Rc::clone(worlds)))
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let worlds = &self.0;
        worlds.connections.set(worlds.connections.get() - 1);
        if std::thread::panicking() {
            worlds.panics.set(worlds.panics.get() + 1);
            tracing::error!("a connection's task panicked: that is a bug of the server, please report it");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_connection_whose_task_panics_is_counted_out_and_told_of() {
        let worlds = Rc::new(Worlds::new(Options::default()));
        drop(Admitted::new(&worlds).expect("room"));
        assert_eq!((worlds.connections.get(), worlds.panics()), (0, 0));
        let task = AssertUnwindSafe(|| {
            let _admitted = Admitted::new(&worlds).expect("room");
            panic!("as a bug would");
        });
        assert!(catch_unwind(task).is_err());
        assert_eq!((worlds.connections.get(), worlds.panics()), (0, 1));
    }
}
