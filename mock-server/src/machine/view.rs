//! What a world is like at one moment, in numbers and names: for the control plane to show. Nothing here changes it.

use super::account::{Membership, UserIx};
use super::log::{ConvIx, ConvKey};
use super::muc::{Muc, MucKind};
use super::mutes::ChatKind;
use super::queue::Owed;
use super::session::Session;
use super::{AppKey, ConnId, Millis, Server};
use crate::control::Settings;
use crate::control_api::{
    DeviceView, MucView, OVERVIEW_MAX, OVERVIEW_QUEUES_MAX, QueueKind, QueueView, UserView,
};

/// Who is in a world, and what waits for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The first [`OVERVIEW_MAX`] names, oldest first.
    pub users: Vec<UserView>,
    /// The first [`OVERVIEW_MAX`] groups.
    pub groups: Vec<MucView>,
    /// The first [`OVERVIEW_MAX`] rooms.
    pub rooms: Vec<MucView>,
    /// How many of all three there are besides.
    pub more: usize,
}

impl Server {
    /// Who is in the world at `now`, and what waits for whom. It costs what it shows, and the counting of what waits.
    pub fn view(&self, now: Millis) -> View {
        let users =
            self.accounts.present().take(OVERVIEW_MAX).map(|user| self.user_view(now, user)).collect();
        let of = |kind| self.mucs.existing().filter(move |muc| muc.kind == kind);
        let shown = |kind| of(kind).take(OVERVIEW_MAX).map(|muc| self.muc_view(muc)).collect();
        let counts = [self.user_count(), of(MucKind::Group).count(), of(MucKind::Room).count()];
        View {
            users,
            groups: shown(MucKind::Group),
            rooms: shown(MucKind::Room),
            more: counts.into_iter().map(|count| count.saturating_sub(OVERVIEW_MAX)).sum(),
        }
    }

    /// How many names the world knows. Of users who were removed it keeps the name for who has messages of theirs, and does
    /// not count it.
    pub fn user_count(&self) -> usize {
        self.accounts.present().count()
    }

    /// Who is behind each connection that is logged in: the user, and the device by its resource.
    pub fn logged_in(&self) -> impl Iterator<Item = (ConnId, &str, &str)> {
        self.sessions.iter().filter_map(|(&conn, session)| {
            let live = session.live()?;
            Some((conn, self.accounts.name(live.reader.user), &*live.resource))
        })
    }

    /// How many of them are logged in.
    pub fn online_count(&self) -> usize {
        self.accounts.all().filter(|&user| !self.accounts.user(user).devices.is_empty()).count()
    }

    /// Whose world it is.
    pub fn app_key(&self) -> &AppKey {
        &self.app
    }

    /// The rules that hold.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    fn user_view(&self, now: Millis, user: UserIx) -> UserView {
        let state = self.accounts.user(user);
        let device = |&conn| {
            let live = self.sessions.get(&conn).and_then(Session::live)?;
            Some(DeviceView { device: live.resource.to_string(), conn })
        };
        let unread = state.conversations.values().map(|membership| u64::from(membership.unread)).sum();
        let queues = state.conversations.iter().filter_map(|(&conv, membership)| {
            let (queue, kind) = self.queue_name(user, conv)?;
            let Owed { waiting, unacknowledged } = self.owed(user, conv, membership);
            if waiting + unacknowledged == 0 {
                return None;
            }
            Some(QueueView { queue, kind, waiting, unacknowledged })
        });
        UserView {
            name: self.accounts.name(user).to_owned(),
            online: state.devices.iter().filter_map(device).collect(),
            unread,
            queues: queues.take(OVERVIEW_QUEUES_MAX).collect(),
            muted_until_ms: state.mutes.everywhere_until(now).map(|until| until.0),
        }
    }

    fn owed(&self, user: UserIx, conv: ConvIx, membership: &Membership) -> Owed {
        let devices = &self.accounts.user(user).devices;
        if devices.is_empty() {
            if self.queues.is_room(conv, &self.mucs) {
                return Owed::default();
            }
            return self.queues.owed_to_a_new_device(conv, membership.watermark, &self.newcomer(user));
        }
        let lives = devices.iter().filter_map(|conn| self.sessions.get(conn).and_then(Session::live));
        let each =
            lives.filter_map(|live| Some(self.queues.owed(conv, live.cursors.get(&conv)?, &live.reader)));
        each.max_by_key(|owed| owed.waiting + owed.unacknowledged).unwrap_or_default()
    }

    /// `None`: of a group that is gone.
    fn queue_name(&self, user: UserIx, conv: ConvIx) -> Option<(String, QueueKind)> {
        Some(match self.queues.key(conv) {
            ConvKey::Single(a, b) => {
                (self.accounts.name(if a == user { b } else { a }).to_owned(), QueueKind::User)
            }
            ConvKey::Muc(muc) => {
                let muc = self.mucs.get(muc)?;
                let kind = match muc.kind {
                    MucKind::Group => QueueKind::Group,
                    MucKind::Room => QueueKind::Room,
                    MucKind::Thread => QueueKind::Thread,
                };
                (muc.id.to_string(), kind)
            }
            ConvKey::Service(_) => (String::new(), QueueKind::Service),
        })
    }

    fn muc_view(&self, muc: &Muc) -> MucView {
        MucView {
            id: muc.id.to_string(),
            name: muc.profile.name.clone(),
            owner: self.accounts.name(muc.owner).to_owned(),
            members: self.accounts.names(muc.members.keys().copied().take(OVERVIEW_MAX)),
            more: muc.members.len().saturating_sub(OVERVIEW_MAX),
        }
    }
}

impl super::mutes::Mutes {
    /// Until when all three kinds of conversation are closed to the user.
    fn everywhere_until(&self, now: Millis) -> Option<Millis> {
        let until = ChatKind::ALL.map(|kind| self.until(kind).filter(|&until| now < until));
        until.into_iter().min().flatten()
    }
}
