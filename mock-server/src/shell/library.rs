//! Worlds for tests in Rust: what the control plane does over HTTP, as typed calls that never block a runtime.
//!
//! Every call is carried out on the server's own thread, between two of its inputs; its caller awaits the answer, on
//! whatever runtime it has. Nothing is decided here that the control plane does not decide.

mod error;
mod wanted;

use std::future::Future;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::task::spawn_local;
use tokio::time::timeout;

use super::control::{CLAUSES, page};
use super::tapes::Tape;
use super::wait::{self, Unmet, Wanted};
use super::world::state::{Contents, Loaded};
use super::world::{World, not_quiet};
use super::worlds::{Replaced, Worlds};
use super::{MockServer, NotQuiet, Order, Quiet, Rest};
use crate::catalog::{Staging, catalog};
use crate::control::{Control, Fault, KickReason, Sending, Settings, SettingsPatch, nasty_seed_in_words};
use crate::control_api::{
    Bounds, CLOCK_MS_MAX, ClockAt, Overview, PAGE_ROWS_MAX, Placed, PlacedWorld, RuleRow, WaitFor, Waited,
    WorldLine,
};
use crate::machine::state::StateFile;
use crate::machine::{AppKey, Finding, Millis};
use crate::rule::Rule;
use crate::traffic::{Question, Rows, TrafficRow};
pub use error::WorldError;

/// One world of a [`MockServer`], for a test: everything that the control plane can do to it, as calls to be awaited.
///
/// A handle is cheap, may be cloned and sent to other tasks, and makes no world by itself: the first call does.
/// `wait` and `traffic` read the world's tape, so start the server with `Options { tape: true, .. }`.
///
/// ```no_run
#[doc = include_str!("../../tests/library/example.rs")]
/// ```
#[derive(Clone, Debug)]
pub struct WorldHandle {
    orders: UnboundedSender<Order>,
    app_key: AppKey,
}

/// A fault rule that was armed: whether it ever acted, and taking it back. Dropped, it stays armed.
#[derive(Clone, Debug)]
pub struct RuleHandle {
    world: WorldHandle,
    id: u64,
}

impl MockServer {
    /// The world of an app key, `org#app`. Fails with [`WorldError::NoAppKey`] alone.
    pub fn world(&self, app_key: &str) -> Result<WorldHandle, WorldError> {
        let none = || WorldError::NoAppKey(app_key.to_owned());
        let app_key = AppKey::parse(app_key).ok_or_else(none)?;
        Ok(WorldHandle { orders: self.orders.clone(), app_key })
    }

    /// Every world that is there, in a few numbers.
    pub async fn worlds(&self) -> Result<Vec<WorldLine>, WorldError> {
        ask(&self.orders, |worlds| worlds.all().iter().map(|world| world.line()).collect()).await
    }

    /// All worlds as a document that people can read and keep.
    pub async fn save(&self) -> Result<StateFile, WorldError> {
        ask(&self.orders, |worlds| {
            let mut contents = Contents::new(worlds.blobs());
            let file = worlds.states(&mut contents);
            whole(&contents).map(|()| file)
        })
        .await?
    }

    /// Puts the worlds of such a document in the place of all that are there, and cuts every connection; clients come
    /// again, if they do as real ones. Done whole or refused whole.
    pub async fn load(&self, state: &StateFile) -> Result<Placed, WorldError> {
        let text = state.text();
        ask(&self.orders, move |worlds| {
            let Replaced { worlds, forgotten } = worlds.replace_all(&StateFile::parse(&text)?)?;
            let worlds = worlds.into_iter().map(|(app_key, cut)| placed(&app_key, cut));
            let forgotten = forgotten.iter().map(ToString::to_string).collect();
            Ok(Placed { worlds: worlds.collect(), forgotten })
        })
        .await?
    }

    /// Stops the server, and comes back when it has: its port is free, and what was to be saved is. Panics as dropping
    /// it does.
    pub async fn stop(self) {
        let (ended, end) = oneshot::channel();
        // Joining a thread blocks, and the caller's runtime may have no other thread than this one.
        let stopping = std::thread::spawn(move || {
            drop(self);
            // Who does not wait any more needs no answer.
            let _gone = ended.send(());
        });
        if end.await.is_err()
            && let Err(panic) = stopping.join()
        {
            std::panic::resume_unwind(panic);
        }
    }
}

impl WorldHandle {
    /// `org#app`.
    pub fn app_key(&self) -> &str {
        self.app_key.as_str()
    }

    /// Does one thing to the world; what has no call of its own here is done by this one.
    pub async fn control(&self, control: Control) -> Result<(), WorldError> {
        self.act(move |world| world.control(control)).await
    }

    /// Does several things at one moment, in this order, or none of them.
    pub async fn control_all(&self, controls: Vec<Control>) -> Result<(), WorldError> {
        self.act(move |world| world.control_all(controls)).await
    }

    /// Registers a user, or gives an existing one this password.
    pub async fn user(&self, name: &str, password: &str) -> Result<(), WorldError> {
        self.control(Control::User { name: name.to_owned(), password: password.to_owned() }).await
    }

    /// Makes users that have no password yet: each gets the one of its first login.
    pub async fn users(&self, names: &[&str]) -> Result<(), WorldError> {
        self.control(Control::Known { users: owned(names) }).await
    }

    /// Makes a group; owner and members exist.
    pub async fn group(&self, id: &str, owner: &str, members: &[&str]) -> Result<(), WorldError> {
        let (id, owner) = (id.to_owned(), owner.to_owned());
        self.control(Control::Group { id, owner, members: owned(members) }).await
    }

    /// Makes a chat room; owner and members exist.
    pub async fn room(&self, id: &str, owner: &str, members: &[&str]) -> Result<(), WorldError> {
        let (id, owner) = (id.to_owned(), owner.to_owned());
        self.control(Control::Room { id, owner, members: owned(members) }).await
    }

    /// Makes an access token for a user, which lives for so long from now, in the world's time.
    pub async fn token(&self, user: &str, token: &str, lives: Duration) -> Result<(), WorldError> {
        let ttl_ms = i64::try_from(lives.as_millis()).unwrap_or(i64::MAX);
        self.control(Control::Token { user: user.to_owned(), token: token.to_owned(), ttl_ms }).await
    }

    /// Has every token of a user end now. Who is logged in stays so.
    pub async fn expire_tokens(&self, user: &str) -> Result<(), WorldError> {
        self.control(Control::ExpireTokens { user: user.to_owned(), token: None, at_ms: None }).await
    }

    /// Sends a text as anyone, to a user or to a group or room of that id.
    pub async fn send_text(&self, from: &str, to: &str, text: &str) -> Result<(), WorldError> {
        let (from, to, text) = (from.to_owned(), to.to_owned(), Some(text.to_owned()));
        let ext = serde_json::Map::new();
        self.send(Sending { from, to, chat: None, text, body: None, ext }).await
    }

    /// Sends any message as anyone, as [`Control::Send`] does.
    pub async fn send(&self, sending: Sending) -> Result<(), WorldError> {
        self.control(Control::Send(Box::new(sending))).await
    }

    /// Tells every device of a user why it goes, and closes its connection.
    pub async fn kick(&self, user: &str, reason: KickReason) -> Result<(), WorldError> {
        self.control(Control::Kick { user: user.to_owned(), device: None, reason }).await
    }

    /// What holds in the world just now.
    pub async fn settings(&self) -> Result<Settings, WorldError> {
        self.with(|world| world.settings()).await
    }

    /// Changes what the patch names.
    pub async fn set(&self, settings: SettingsPatch) -> Result<(), WorldError> {
        self.control(Control::Settings(settings)).await
    }

    /// What time it is in the world.
    pub async fn clock(&self) -> Result<ClockAt, WorldError> {
        self.with(|world| world.clock()).await
    }

    /// Has the clock stand still where it is, until it is moved.
    pub async fn stop_clock(&self) -> Result<ClockAt, WorldError> {
        self.with(|world| {
            world.stop_clock();
            world.clock()
        })
        .await
    }

    /// Has the clock stand still at a moment, in ms since 1970: once somebody has been in the world, none before its
    /// present.
    pub async fn set_clock(&self, ms: u64) -> Result<ClockAt, WorldError> {
        self.act(move |world| {
            moment(ms)?;
            world.set_clock(Millis(ms)).map(|()| world.clock()).map_err(WorldError::from)
        })
        .await
    }

    /// Moves the clock by whole milliseconds. What is due by then happens meanwhile, each thing at its own time.
    pub async fn advance(&self, by: Duration) -> Result<ClockAt, WorldError> {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.act(move |world| {
            moment(world.now().0.saturating_add(ms))?;
            world.advance(ms);
            Ok::<_, WorldError>(world.clock())
        })
        .await
    }

    /// Has the clock go on by itself from where it is.
    pub async fn run_clock(&self) -> Result<ClockAt, WorldError> {
        self.with(|world| {
            world.run_clock();
            world.clock()
        })
        .await
    }

    /// Arms a fault rule, such as `on 2nd text from alice: delay 3s`; a rule that cannot be read is refused with a
    /// pointer to the place.
    pub async fn rule(&self, rule: &str) -> Result<RuleHandle, WorldError> {
        let rule: Rule = rule.parse()?;
        let control = Control::Fault(Fault::Rule(Box::new(rule)));
        let id = self.act(move |world| world.control(control).map(|()| world.rules_ever())).await?;
        Ok(RuleHandle { world: self.clone(), id })
    }

    /// The rules that were armed, oldest first, and how often each has acted.
    pub async fn rules(&self) -> Result<Vec<RuleRow>, WorldError> {
        self.with(|world| world.rules()).await
    }

    /// Takes back every fault that waits and every rule.
    pub async fn clear_faults(&self) -> Result<(), WorldError> {
        self.control(Control::ClearFaults {}).await
    }

    /// Has an error or a situation of the catalog happen to one user: `stage("504", "alice")`. What the user has to do
    /// then is in the answer. Done whole or refused whole.
    pub async fn stage(&self, name: &str, user: &str) -> Result<Staging, WorldError> {
        let staging = catalog().stage(name, user)?;
        let (armed, user) = (staging.armed.clone(), user.to_owned());
        self.act(move |world| world.stage(armed, &user)).await?;
        Ok(staging)
    }

    /// Waits, in real time, until the rows are there. Fails with what came nearest when they do not come in time.
    pub async fn wait(&self, wanted: WaitFor) -> Result<Waited, WorldError> {
        let (rows, Bounds { count, after, within_ms }) = wanted.split();
        if count == 0 {
            return Err(WorldError::NothingWanted);
        }
        self.wait_with(move |world| {
            let (asked, seed) = (asked(&world, rows), world.nasty_seed());
            // Who waits keeps no world alive.
            drop(world);
            async move {
                let (tape, question) = asked?;
                let within = Duration::from_millis(within_ms);
                wait::wait(&tape, Wanted { question, after, count, within }).await.map_err(
                    |unmet| match unmet {
                        Unmet::NotInTime(mut why) => {
                            why.error_description += &seed.map(nasty_seed_in_words).unwrap_or_default();
                            WorldError::NotInTime(why)
                        }
                        Unmet::Gone => WorldError::Gone,
                    },
                )
            }
        })
        .await?
    }

    /// Every row of the tape that is kept and asked for, the oldest first; `Rows::default()` asks for all.
    pub async fn traffic(&self, rows: Rows) -> Result<Vec<TrafficRow>, WorldError> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let rows = rows.clone();
            // A part at a time, so that the server serves others between them.
            let part = self.with(move |world| {
                let (tape, question) = asked(world, rows)?;
                Ok::<_, WorldError>(page(&tape, &question, after, PAGE_ROWS_MAX))
            });
            let part = part.await??;
            found.extend(part.rows);
            match part.last {
                Some(last) if last + 1 < part.rows_ever => after = Some(last),
                Some(_) | None => return Ok(found),
            }
        }
    }

    /// What clients did wrong so far.
    pub async fn findings(&self) -> Result<Vec<Finding>, WorldError> {
        self.with(|world| world.findings()).await
    }

    /// Waits until every queue is pulled and acknowledged and no request is open; fails with what is left.
    pub async fn quiet(&self, within: Duration) -> Result<Quiet, WorldError> {
        self.wait_with(move |world| async move {
            timeout(within, world.quiet()).await.map_err(|_| {
                let NotQuiet(open) = not_quiet(&world);
                WorldError::NotQuiet(open)
            })
        })
        .await?
    }

    /// Waits until the server itself has nothing left to do, whatever clients owe.
    pub async fn rest(&self, within: Duration) -> Result<Rest, WorldError> {
        self.wait_with(move |world| async move {
            let reached = timeout(within, world.rest()).await.is_ok();
            Rest { mark: world.mark(), open: world.waits(), reached }
        })
        .await
    }

    /// What the world is like just now.
    pub async fn overview(&self) -> Result<Overview, WorldError> {
        self.with(|world| world.overview()).await
    }

    /// The world as a document that people can read and keep.
    pub async fn save(&self) -> Result<StateFile, WorldError> {
        let app_key = self.app_key.clone();
        ask(&self.orders, move |worlds| {
            let world = worlds.find_or_make(&app_key).ok_or(WorldError::NoRoom)?;
            let mut contents = Contents::new(worlds.blobs());
            let state = world.state(&mut contents);
            whole(&contents).map(|()| StateFile::of(vec![state]))
        })
        .await?
    }

    /// Puts the world of such a document in the place of this one, and cuts its connections. Done whole or refused
    /// whole.
    pub async fn load(&self, state: &StateFile) -> Result<PlacedWorld, WorldError> {
        let (text, app_key) = (state.text(), self.app_key.clone());
        ask(&self.orders, move |worlds| {
            let file = StateFile::parse(&text)?;
            let mut loaded = Loaded::read_all(&file, worlds.blobs())?;
            match loaded.pop() {
                Some((found, loaded_world)) if loaded.is_empty() && found == app_key => {
                    let cut = worlds.place(&app_key, loaded_world).ok_or(WorldError::NoRoom)?;
                    Ok(placed(&app_key, cut))
                }
                Some(_) | None => Err(WorldError::OtherWorld {
                    wanted: app_key.to_string(),
                    found: file.worlds.iter().map(|world| world.app_key.clone()).collect(),
                }),
            }
        })
        .await?
    }

    /// Empties the world: users, groups, messages, connections and faults go; its rules, its clock and what every world
    /// begins with stay.
    pub async fn reset(&self) -> Result<(), WorldError> {
        let app_key = self.app_key.clone();
        ask(&self.orders, move |worlds| drop(worlds.reset(&app_key))).await
    }

    /// Forgets the world and closes its connections.
    pub async fn forget(&self) -> Result<(), WorldError> {
        let app_key = self.app_key.clone();
        ask(&self.orders, move |worlds| worlds.forget(&app_key)).await
    }

    /// Does something in the world, which is made if it is new and that is done.
    async fn act<T: Send + 'static, E: Send + 'static>(
        &self,
        act: impl FnOnce(&World) -> Result<T, E> + Send + 'static,
    ) -> Result<T, WorldError>
    where
        WorldError: From<E>,
    {
        let app_key = self.app_key.clone();
        let done = ask(&self.orders, move |worlds| worlds.within(&app_key, act)).await?;
        Ok(done.ok_or(WorldError::NoRoom)??)
    }

    /// Asks something of the world, which is made if it is new.
    async fn with<T: Send + 'static>(
        &self,
        call: impl FnOnce(&World) -> T + Send + 'static,
    ) -> Result<T, WorldError> {
        let app_key = self.app_key.clone();
        ask(&self.orders, move |worlds| worlds.find_or_make(&app_key).map(|world| call(&world)))
            .await?
            .ok_or(WorldError::NoRoom)
    }

    /// Asks what takes its time. Who goes away meanwhile ends it.
    async fn wait_with<T: Send + 'static, F: Future<Output = T> + 'static>(
        &self,
        call: impl FnOnce(Rc<World>) -> F + Send + 'static,
    ) -> Result<T, WorldError> {
        let app_key = self.app_key.clone();
        let (mut answer, question) = oneshot::channel();
        order(&self.orders, move |worlds| {
            let Some(world) = worlds.find_or_make(&app_key) else {
                let _gone = answer.send(Err(WorldError::NoRoom));
                return;
            };
            let waits = call(world);
            spawn_local(async move {
                let outcome = tokio::select! {
                    outcome = waits => outcome,
                    () = answer.closed() => return,
                };
                let _gone = answer.send(Ok(outcome));
            });
        })?;
        question.await.map_err(|_| WorldError::Stopped)?
    }
}

impl RuleHandle {
    /// Its number in its world.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// What it says, and what has become of it.
    pub async fn state(&self) -> Result<RuleRow, WorldError> {
        let rules = self.world.rules().await?;
        rules.into_iter().find(|rule| rule.id == self.id).ok_or(WorldError::RuleGone(self.id))
    }

    /// How often it has acted.
    pub async fn hits(&self) -> Result<u64, WorldError> {
        self.state().await.map(|rule| rule.hits)
    }

    /// Takes it back; what it holds back is let go.
    pub async fn clear(&self) -> Result<(), WorldError> {
        self.state().await?;
        self.world.control(Control::ClearRule { id: self.id }).await
    }
}

/// Has something done on the server's thread.
fn order(
    orders: &UnboundedSender<Order>,
    call: impl FnOnce(&Rc<Worlds>) + Send + 'static,
) -> Result<(), WorldError> {
    orders.send(Order::Call(Box::new(call))).map_err(|_| WorldError::Stopped)
}

/// As [`order`], and waits for what came of it.
async fn ask<T: Send + 'static>(
    orders: &UnboundedSender<Order>,
    call: impl FnOnce(&Rc<Worlds>) -> T + Send + 'static,
) -> Result<T, WorldError> {
    let (answer, question) = oneshot::channel();
    order(orders, |worlds| {
        // Who does not wait any more needs no answer.
        let _gone = answer.send(call(worlds));
    })?;
    question.await.map_err(|_| WorldError::Stopped)
}

fn asked(world: &World, rows: Rows) -> Result<(Rc<Tape>, Question), WorldError> {
    let tape = world.taped().ok_or(WorldError::NoTape)?;
    let question = world.with_users(|users| Question::new(rows, users, &CLAUSES))?;
    Ok((tape, question))
}

fn moment(ms: u64) -> Result<(), WorldError> {
    if ms <= CLOCK_MS_MAX { Ok(()) } else { Err(WorldError::ClockTooFar(ms)) }
}

fn whole(contents: &Contents<'_>) -> Result<(), WorldError> {
    match contents.left_out {
        (0, _) => Ok(()),
        (files, bytes) => Err(WorldError::AttachmentsTooLarge { files, bytes }),
    }
}

fn placed(app_key: &AppKey, connections_cut: usize) -> PlacedWorld {
    PlacedWorld { app_key: app_key.to_string(), connections_cut }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
