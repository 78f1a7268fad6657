//! Presence of 4.x: what users say about themselves, on which devices they are, and who is told of it (wire-4x §6.3,
//! rest.md B.7).
//!
//! Whoever subscribes is told for as long as asked for: of what the other publishes, and of each device that comes or
//! goes. News that are old by the time somebody logs in are none, so only who is there is told: our guess, as that a
//! user who is away is shown with the device that went last.

use serde_json::{Map as JsonMap, Value, json};

use super::account::UserIx;
use super::session::Session;
use super::{Map, Millis, Server, Set};

/// Who is told of whom, and what is to be told yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Presence {
    /// By whom it is about: who is told, and until when.
    pub(super) watchers: Map<UserIx, Map<UserIx, Millis>>,
    /// The same by who is told.
    pub(super) watched: Map<UserIx, Set<UserIx>>,
    /// How many subscriptions that are.
    pub(super) subscriptions: usize,
    /// The devices that came and went since the last input.
    pub(super) moves: Vec<Move>,
}

/// What a user has said, and when it or the user's devices last changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    pub(super) ext: Box<str>,
    pub(super) at: Millis,
}

/// Why a presence is not published, or not subscribed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PresenceFault {
    /// More than [`EXT_BYTES_MAX`].
    TooLong,
    /// More subscriptions than the world's rules allow one user.
    TooMany,
}

#[derive(Clone, Debug)]
pub(super) struct Move {
    user: UserIx,
    resource: Box<str>,
    way: Way,
}

/// Which way a device moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Came,
    Went,
}

/// What the app made of a device: 1, online, until it says otherwise.
pub(super) const ONLINE: u8 = 1;
const OFFLINE: u8 = 0;
/// The vendor's page on presence: what is published may have 1,024 bytes.
const EXT_BYTES_MAX: usize = 1_024;
/// A bound on what strangers can make a world keep: ten for each user that a world may have.
const SUBSCRIPTIONS_MAX: usize = 1_000_000;

impl Presence {
    /// A device came or went. It is told at the end of the input: one that comes back at once was never gone.
    pub(super) fn moved(&mut self, user: UserIx, resource: &str, way: Way) {
        let back =
            |earlier: &Move| earlier.user == user && *earlier.resource == *resource && earlier.way != way;
        match self.moves.iter().position(back) {
            Some(at) => drop(self.moves.remove(at)),
            None => self.moves.push(Move { user, resource: resource.into(), way }),
        }
    }

    /// The user is no more: nobody is told of it, nor it of anybody.
    pub(super) fn forget(&mut self, user: UserIx) {
        for watcher in self.watchers.swap_remove(&user).unwrap_or_default().into_keys() {
            self.subscriptions -= 1;
            self.watched.get_mut(&watcher).map(|watched| watched.shift_remove(&user));
        }
        for about in self.watched.swap_remove(&user).unwrap_or_default() {
            self.unwatch(user, about);
        }
    }

    /// Until when `watcher` is told of `about`.
    pub(super) fn until(&self, watcher: UserIx, about: UserIx) -> Option<Millis> {
        self.watchers.get(&about)?.get(&watcher).copied()
    }

    pub(super) fn watch(&mut self, watcher: UserIx, about: UserIx, until: Millis) {
        if self.watchers.entry(about).or_default().insert(watcher, until).is_none() {
            self.subscriptions += 1;
        }
        self.watched.entry(watcher).or_default().insert(about);
    }

    fn unwatch(&mut self, watcher: UserIx, about: UserIx) {
        if let Some(watchers) = self.watchers.get_mut(&about)
            && watchers.shift_remove(&watcher).is_some()
        {
            self.subscriptions -= 1;
        }
        if let Some(watched) = self.watched.get_mut(&watcher) {
            watched.shift_remove(&about);
        }
    }

    /// Takes away what has run out of one user's subscriptions.
    fn expire(&mut self, now: Millis, watcher: UserIx) {
        let over = |about: &UserIx| self.until(watcher, *about).is_none_or(|until| until <= now);
        let watched = self.watched.get(&watcher);
        let gone: Vec<UserIx> = watched.into_iter().flatten().copied().filter(over).collect();
        gone.into_iter().for_each(|about| self.unwatch(watcher, about));
    }
}

impl Server {
    /// The user says something of itself, and what one of its devices is to be shown as.
    pub(super) fn publish_presence(
        &mut self,
        now: Millis,
        user: UserIx,
        resource: &str,
        code: u8,
        ext: &str,
    ) -> Result<(), PresenceFault> {
        if ext.len() > EXT_BYTES_MAX {
            return Err(PresenceFault::TooLong);
        }
        self.accounts.user_mut(user).presence = Said { ext: ext.into(), at: now };
        for conn in &self.accounts.user(user).devices {
            if let Some(live) = self.sessions.get_mut(conn).and_then(Session::live_mut)
                && &*live.resource == resource
            {
                live.presence = code;
            }
        }
        self.tell_presence(now, user, &[]);
        Ok(())
    }

    /// All of the others, or none; one that is subscribed to already lasts from now on.
    pub(super) fn subscribe_presence(
        &mut self,
        now: Millis,
        watcher: UserIx,
        others: &[UserIx],
        until: Millis,
    ) -> Result<(), PresenceFault> {
        self.presence.expire(now, watcher);
        let kept = self.presence.watched.get(&watcher).map_or(0, Set::len);
        let more = others.iter().filter(|&&other| self.presence.until(watcher, other).is_none()).count();
        let max = usize::try_from(self.settings.presence_subscriptions_max).unwrap_or(usize::MAX);
        if kept + more > max || self.presence.subscriptions + more > SUBSCRIPTIONS_MAX {
            return Err(PresenceFault::TooMany);
        }
        others.iter().for_each(|&other| self.presence.watch(watcher, other, until));
        Ok(())
    }

    pub(super) fn unsubscribe_presence(&mut self, watcher: UserIx, others: &[UserIx]) {
        others.iter().for_each(|&other| self.presence.unwatch(watcher, other));
    }

    /// Whom the user is told of and until when, in the order in which it subscribed.
    pub(super) fn presence_subscriptions(&mut self, now: Millis, watcher: UserIx) -> Vec<(UserIx, Millis)> {
        self.presence.expire(now, watcher);
        let watched = self.presence.watched.get(&watcher).into_iter().flatten();
        watched.filter_map(|&about| Some((about, self.presence.until(watcher, about)?))).collect()
    }

    /// A user as the API and the news show one; numbers are strings (rest.md B.7), times in s.
    pub(super) fn presence_of(&self, now: Millis, about: UserIx, watcher: UserIx) -> Value {
        self.shown_presence(now, about, watcher, &[])
    }

    /// Tells of the devices that came and went. Whoever hands the world an input calls it behind it.
    pub(super) fn tell_moves(&mut self, now: Millis) {
        if self.presence.moves.is_empty() {
            return;
        }
        let moves = std::mem::take(&mut self.presence.moves);
        let users: Set<UserIx> = moves.iter().map(|moved| moved.user).collect();
        for user in users {
            self.accounts.user_mut(user).presence.at = now;
            let went = moves.iter().filter(|moved| moved.user == user && moved.way == Way::Went);
            let went: Vec<&str> = went.map(|moved| &*moved.resource).collect();
            self.tell_presence(now, user, &went);
        }
    }

    fn tell_presence(&mut self, now: Millis, about: UserIx, went: &[&str]) {
        let Some(watchers) = self.presence.watchers.get(&about) else { return };
        let is_told = |&(&watcher, &until): &(&UserIx, &Millis)| {
            until > now && !self.accounts.user(watcher).devices.is_empty()
        };
        let told: Vec<UserIx> = watchers.iter().filter(is_told).map(|(&watcher, _)| watcher).collect();
        if !self.settings.presence {
            return;
        }
        for watcher in told {
            let value = self.shown_presence(now, about, watcher, went);
            // One user each: 4.x shows every one of a list with the devices of all (seen).
            let news = json!({ "type": "presence", "data": { "values": [value] } });
            self.notify(now, watcher, None, &news);
        }
    }

    fn shown_presence(&self, now: Millis, about: UserIx, watcher: UserIx, went: &[&str]) -> Value {
        let user = self.accounts.user(about);
        let until = self.presence.until(watcher, about).filter(|&until| until > now);
        let mut status: JsonMap<String, Value> =
            went.iter().map(|&resource| (resource.to_owned(), OFFLINE.to_string().into())).collect();
        for live in user.devices.iter().filter_map(|conn| self.sessions.get(conn).and_then(Session::live)) {
            status.insert(live.resource.to_string(), live.presence.to_string().into());
        }
        if let (true, Some(last)) = (status.is_empty(), user.last_gone()) {
            status.insert(last.to_owned(), OFFLINE.to_string().into());
        }
        json!({
            "uid": self.accounts.name(about),
            "last_time": seconds(user.presence.at).to_string(),
            "expiry": until.map_or(0, seconds).to_string(),
            "ext": user.presence.ext,
            "status": status,
        })
    }
}

/// The moment in s since 1970.
pub(super) fn seconds(at: Millis) -> u64 {
    at.0 / 1_000
}
