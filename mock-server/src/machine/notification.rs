//! When a user wants no push notifications, and in which language: kept for every client, and acted upon by nobody
//! here, since nothing is pushed to phones (wire-4x §6.3, rest.md A.11).
//!
//! What one device sets, the user's others are told.

use std::collections::BTreeMap;

use serde_json::{Map as JsonMap, Value, json};

use super::account::UserIx;
use super::{Millis, Server, excerpt};

/// The push settings of a user.
#[derive(Clone, Debug, Default)]
pub(super) struct Notification {
    /// Of all that comes.
    pub(super) all: Silence,
    /// Of single conversations and of groups.
    pub(super) of: BTreeMap<Subject, Silence>,
    /// What pushes are to be translated into.
    pub(super) language: Option<Box<str>>,
}

/// When nothing is pushed. Each part is set by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Silence {
    pub(super) remind: Option<Remind>,
    pub(super) until: Option<Millis>,
    /// `h:m-h:m`, every day.
    pub(super) interval: Option<Box<str>>,
}

/// What is pushed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remind {
    All,
    /// What mentions the user.
    At,
    None,
}

/// A part of a [`Silence`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Setting {
    /// `None`: as if it had never been said.
    Remind(Option<Remind>),
    /// For so many ms from now.
    Duration(u64),
    Interval(Box<str>),
}

/// What a [`Silence`] is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Subject {
    All,
    /// The conversation with a user of this name.
    User(Box<str>),
    /// A group or room of this id.
    Group(Box<str>),
}

/// A bound on what a user can make a world keep: more conversations than people silence by hand.
pub(super) const CONVERSATIONS_MAX: usize = 1_000;

impl Remind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::All => "ALL",
            Self::At => "AT",
            Self::None => "NONE",
        }
    }
}

impl Silence {
    pub(super) fn remind(&self) -> Option<Remind> {
        self.remind
    }

    /// As the API shows it: what was never set, or has passed, is not there.
    pub(super) fn shown(&self, now: Millis) -> JsonMap<String, Value> {
        let mut shown = JsonMap::new();
        if let Some(remind) = self.remind {
            shown.insert("type".into(), remind.word().into());
        }
        if let Some(until) = self.until.filter(|&until| until > now) {
            shown.insert("ignoreDuration".into(), until.0.into());
        }
        if let Some(interval) = &self.interval {
            shown.insert("ignoreInterval".into(), Value::from(&**interval));
        }
        shown
    }

    fn set(&mut self, now: Millis, setting: Setting) {
        match setting {
            Setting::Remind(remind) => self.remind = remind,
            Setting::Duration(ms) => self.until = Some(Millis(now.0.saturating_add(ms))),
            Setting::Interval(interval) => self.interval = Some(interval),
        }
    }
}

impl Notification {
    /// The user or group is no more, and the name or id may be another's soon.
    pub(super) fn forget(&mut self, subject: &Subject) {
        self.of.remove(subject);
    }
}

impl Server {
    /// Sets a part of a user's push settings, and tells the user's devices but the one of that resource, which did it.
    /// False: the user has settings for [`CONVERSATIONS_MAX`] conversations.
    pub(super) fn silence(
        &mut self,
        now: Millis,
        user: UserIx,
        resource: &str,
        (subject, setting): (Subject, Setting),
    ) -> bool {
        let settings = &mut self.accounts.user_mut(user).notification;
        let silence = match &subject {
            Subject::All => &mut settings.all,
            Subject::User(_) | Subject::Group(_) => {
                if settings.of.len() >= CONVERSATIONS_MAX && !settings.of.contains_key(&subject) {
                    return false;
                }
                settings.of.entry(subject.clone()).or_default()
            }
        };
        let mut news = Silence::default();
        news.set(now, setting.clone());
        silence.set(now, setting);
        settings.of.retain(|_, silence| *silence != Silence::default());
        let mut value = json!({ "operator_resource": excerpt(resource), "data": news.shown(now) });
        match subject {
            Subject::All => value["user"] = self.accounts.name(user).into(),
            Subject::User(name) => value["user"] = Value::from(&*name),
            Subject::Group(id) => value["group"] = Value::from(&*id),
        }
        let news = json!({ "type": "user_notification_mute", "values": [value] });
        let device = self.device_of(user, resource);
        self.notify(now, user, device, &news);
        true
    }
}
