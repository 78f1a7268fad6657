//! The worlds of a server: made, found and forgotten; and how many connections there may be.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::net::SocketAddr;
use std::rc::Rc;

use indexmap::IndexMap;

use super::Options;
use super::blobs::Blobs;
use super::control::Guard;
use super::doors::Doors;
use super::tapes::Tapes;
use super::tls::{Identity, Tls};
use super::world::state::{Contents, Loaded};
use super::world::{TapeBounds, World};
use crate::catalog::{Catalog, catalog};
use crate::control::Settings;
use crate::journal::{Entry, Given};
use crate::machine::state::{At, StateFault, StateFile};
use crate::machine::{AppKey, Config, Upload};
use crate::replay::Replay;

/// Every world of a server.
pub(super) struct Worlds {
    options: Options,
    worlds: RefCell<IndexMap<AppKey, Rc<World>>>,
    /// Counts the uses of all worlds.
    uses: Rc<Cell<u64>>,
    blobs: Rc<Blobs>,
    guard: Guard,
    catalog: Catalog,
    tapes: Rc<Tapes>,
    identity: Option<Identity>,
    doors: RefCell<Doors>,
    connections: Cell<usize>,
    panics: Cell<usize>,
}

/// What a world begins with that is made on purpose.
pub(super) struct Founding {
    pub(super) settings: Settings,
    /// As the server was started, where it does not say.
    pub(super) tape_rows_max: Option<usize>,
    /// Whether everything happens that the protocol leaves open, and by which seed.
    pub(super) nasty: Option<u64>,
}

/// What came of putting the worlds of a file in the place of all that were there.
pub(super) struct Replaced {
    /// Those of the file, and how many connections were cut in what stood in their place.
    pub(super) worlds: Vec<(AppKey, usize)>,
    /// Those that are gone.
    pub(super) forgotten: Vec<AppKey>,
}

/// A connection that is counted, however it ends.
pub(super) struct Admitted(Rc<Worlds>);

/// A suite may take a world for each test and never drop one: a small world costs a few KiB, and whoever debugs a
/// test of a while ago still finds its world. Of those that nobody is in, the one used longest ago goes.
const WORLDS_MAX: usize = 1_024;
/// Each costs about 10 KiB idle; a laptop bears more, but a leak in a test should show.
pub(super) const CONNECTIONS_MAX: usize = 20_000;
impl Worlds {
    pub(super) fn new(options: Options, identity: Option<Identity>) -> Self {
        let names = match &options.tls {
            Some(Tls::SelfMade { names, .. }) => &names[..],
            Some(Tls::Given { .. }) | None => &[],
        };
        let guard = Guard::new(options.control_token.clone(), names);
        Self {
            tapes: Tapes::new(options.tapes_bytes_max),
            catalog: catalog().with(&options.profiles),
            options,
            guard,
            identity,
            doors: RefCell::default(),
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
        let world = self.found(app_key, self.usual())?;
        self.stage(app_key, &world);
        Some(world)
    }

    /// Does something in the world. One that is not there is made for it, and kept if it was done: what is refused makes no
    /// world, and none has to make room for it. `None` as above; then nothing was tried.
    pub(super) fn within<T, E>(
        &self,
        app_key: &AppKey,
        act: impl FnOnce(&World) -> Result<T, E>,
    ) -> Option<Result<T, E>> {
        if let Some(world) = self.find(app_key) {
            return Some(act(&world));
        }
        if !self.has_room() {
            return None;
        }
        let world = self.made(app_key, self.usual());
        self.stage(app_key, &world);
        let done = act(&world);
        match &done {
            Ok(_) => {
                self.keep(app_key, &world).expect("there was room, and nobody else was served meanwhile")
            }
            Err(_) => world.cut(),
        }
        Some(done)
    }

    /// What a world begins with that nobody has made on purpose.
    fn usual(&self) -> Founding {
        let Options { settings, nasty, .. } = &self.options;
        Founding { settings: settings.clone(), tape_rows_max: None, nasty: *nasty }
    }

    /// An empty world in the place of the one that may be there: of what every other begins with, it has nothing.
    /// `None` as above: then there was none that could have gone.
    pub(super) fn make_anew(&self, app_key: &AppKey, founding: Founding) -> Option<Rc<World>> {
        self.forget(app_key);
        self.found(app_key, founding)
    }

    /// An empty world in the place of one that is there: its rules, its clock and how its tape is kept stay, and what
    /// every other begins with is in it if it was in that one. `None`: there is none.
    pub(super) fn reset(&self, app_key: &AppKey) -> Option<Rc<World>> {
        let before = self.find(app_key)?;
        let founding = Founding {
            settings: before.settings(),
            tape_rows_max: before.tape_rows_max(),
            nasty: before.nasty_seed(),
        };
        self.forget(app_key);
        let world = self.found(app_key, founding).expect("the place of the one that went is free");
        world.take_clock_of(&before);
        if before.is_staged() {
            self.stage(app_key, &world);
        }
        Some(world)
    }

    fn stage(&self, app_key: &AppKey, world: &World) {
        world.note_staged();
        for control in &self.options.stage {
            if let Err(error) = world.control(control.clone()) {
                tracing::warn!("world {app_key}: {error}, as it was to be staged");
            }
        }
    }

    /// Every world, by its app key.
    pub(super) fn all(&self) -> Vec<Rc<World>> {
        let worlds = self.worlds.borrow();
        let mut all: Vec<_> = worlds.iter().collect();
        all.sort_unstable_by_key(|&(app_key, _)| app_key);
        all.into_iter().map(|(_, world)| Rc::clone(world)).collect()
    }

    /// What has a name: the program's own, and what the server was started with.
    pub(super) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Who may use the control plane.
    pub(super) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// What the server shows of itself, where it speaks TLS.
    pub(super) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Door faults of the whole server.
    pub(super) fn doors(&self) -> Ref<'_, Doors> {
        self.doors.borrow()
    }

    pub(super) fn doors_mut(&self) -> RefMut<'_, Doors> {
        self.doors.borrow_mut()
    }

    /// Whether worlds that nobody has made on purpose know only the users that were made.
    /// Where clients are served, where the control plane is elsewhere.
    pub(super) fn apart(&self) -> Option<(&'static str, SocketAddr)> {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        self.options.control.map(|_| (scheme, self.options.listen))
    }

    pub(super) fn is_strict(&self) -> bool {
        self.options.settings.strict
    }

    /// The seed of the worlds that nobody has made on purpose, where they are nasty.
    pub(super) fn nasty(&self) -> Option<u64> {
        self.options.nasty
    }

    fn found(&self, app_key: &AppKey, founding: Founding) -> Option<Rc<World>> {
        if !self.has_room() {
            return None;
        }
        let world = self.made(app_key, founding);
        self.keep(app_key, &world)?;
        Some(world)
    }

    /// Whether one more can be held, be it in the place of one that is idle.
    fn has_room(&self) -> bool {
        let worlds = self.worlds.borrow();
        worlds.len() < WORLDS_MAX || worlds.values().any(|world| world.is_idle())
    }

    /// A world that nobody can find yet.
    fn made(&self, app_key: &AppKey, founding: Founding) -> Rc<World> {
        let Founding { settings, tape_rows_max, nasty } = founding;
        let config =
            Config { settings, seed: nasty.unwrap_or_default(), nasty, ..Config::new(app_key.clone()) };
        let usual = || self.options.tape.then_some(self.options.tape_rows_max);
        let tape = tape_rows_max.or_else(usual).map(|rows_max| self.tape_bounds(rows_max));
        World::new(config, tape, &self.uses, &self.blobs, &self.tapes)
    }

    /// Puts it among the others. `None`: there is no room.
    fn keep(&self, app_key: &AppKey, world: &Rc<World>) -> Option<()> {
        let mut worlds = self.worlds.borrow_mut();
        if worlds.len() >= WORLDS_MAX {
            let idle = worlds.iter().filter(|(_, world)| world.is_idle());
            let oldest = idle.min_by_key(|(_, world)| world.last_use())?.0.clone();
            if let Some(world) = worlds.shift_remove(&oldest) {
                world.cut();
            }
            tracing::warn!(
                "world {oldest} is forgotten: {WORLDS_MAX} are there, and it was idle the longest"
            );
        }
        tracing::info!("world {app_key} is new");
        worlds.insert(app_key.clone(), Rc::clone(world));
        Some(())
    }

    /// The bounds of a tape of so many rows.
    pub(super) fn tape_bounds(&self, rows_max: usize) -> TapeBounds {
        /// A small message's row and entry.
        const ROW_BYTES: usize = 800;
        let bytes_max = self.options.tape_bytes_max.max(rows_max.saturating_mul(ROW_BYTES));
        TapeBounds { rows_max, bytes_max: bytes_max.min(self.options.tapes_bytes_max) }
    }

    /// Makes a world anew, as a journal leaves it; one of that app key that is there is forgotten.
    pub(super) fn replay(&self, mut entries: Vec<Entry>) -> Result<(), String> {
        self.keep_contents(&mut entries);
        let replay = Replay::of(&entries).map_err(|error| error.to_string())?;
        let app_key = replay.app_key.clone();
        let founding = Founding {
            settings: self.options.settings.clone(),
            tape_rows_max: None,
            nasty: self.options.nasty,
        };
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

    /// Where the bytes of attachments are.
    pub(super) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// How far each world is.
    pub(super) fn mark(&self) -> Vec<(AppKey, u64)> {
        let worlds = self.worlds.borrow();
        worlds.iter().map(|(app_key, world)| (app_key.clone(), world.changes())).collect()
    }

    /// Every world as it is just now.
    pub(super) fn states(&self, contents: &mut Contents<'_>) -> StateFile {
        let worlds = self.worlds.borrow();
        StateFile::of(worlds.values().map(|world| world.state(contents)).collect())
    }

    /// Puts a world that was read in the place of the one of that app key, which is made if it is new. Says how many
    /// connections were cut; `None` when every one of [`WORLDS_MAX`] is in use.
    pub(super) fn place(&self, app_key: &AppKey, loaded: Loaded<'_>) -> Option<usize> {
        let world = match self.find(app_key) {
            Some(world) => world,
            None => {
                let founding = self.usual();
                self.found(app_key, founding)?
            }
        };
        Some(world.place(loaded))
    }

    /// Puts the worlds of a file in the place of all that are there. All or nothing.
    pub(super) fn replace_all(&self, file: &StateFile) -> Result<Replaced, StateFault> {
        if file.worlds.len() > WORLDS_MAX {
            let reason = format!("{} worlds, at most {WORLDS_MAX} are held", file.worlds.len());
            return Err(At::ROOT.field("worlds").fault(reason));
        }
        let loaded = Loaded::read_all(file, &self.blobs)?;
        let known: Vec<AppKey> = self.worlds.borrow().keys().cloned().collect();
        let stays = |app_key: &AppKey| loaded.iter().any(|(other, _)| other == app_key);
        let gone: Vec<AppKey> = known.into_iter().filter(|app_key| !stays(app_key)).collect();
        gone.iter().for_each(|app_key| self.forget(app_key));
        let placed = loaded.into_iter().map(|(app_key, loaded)| {
            let cut = self.place(&app_key, loaded).expect("WORLDS_MAX are not there");
            (app_key, cut)
        });
        Ok(Replaced { worlds: placed.collect(), forgotten: gone })
    }

    /// As [`Worlds::replace_all`], of a server that has none yet.
    pub(super) fn load_all(&self, file: &StateFile) -> Result<(), StateFault> {
        self.replace_all(file).map(drop)
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
        let worlds = Rc::new(Worlds::new(Options::default(), None));
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
