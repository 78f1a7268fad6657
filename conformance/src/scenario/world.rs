//! `given`: the world that a scenario starts in.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::marker::PhantomData;

use mock_server::control::SettingsPatch;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::GivenWebhook;
use crate::attachment::Files;
use crate::driver::{Device, Emoji};

/// Who and what is there when a scenario starts.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct World {
    /// Users that exist and are away.
    pub users: Vec<String>,
    /// Devices that are logged in, in this order; their users exist.
    pub online: Vec<Device>,
    /// Groups by id; the first member owns it.
    #[serde(deserialize_with = "unique")]
    pub groups: BTreeMap<String, Vec<String>>,
    /// Chat rooms by id; the first member owns it.
    #[serde(deserialize_with = "unique")]
    pub rooms: BTreeMap<String, Vec<String>>,
    /// Block lists by their owner.
    #[serde(deserialize_with = "unique")]
    pub blocks: BTreeMap<String, Vec<String>>,
    /// Administrators of groups and rooms, by id; they are members.
    #[serde(deserialize_with = "unique")]
    pub admins: BTreeMap<String, Vec<String>>,
    /// Who are whose contacts, and the other way round.
    #[serde(deserialize_with = "unique")]
    pub contacts: BTreeMap<String, Vec<String>>,
    /// Texts that wait for users who are away, or lie in a group or room.
    pub stored: Vec<Stored>,
    /// Files that are made for uploads, with their sizes in bytes; those of `fixtures/media` are there always.
    #[serde(deserialize_with = "unique")]
    pub files: BTreeMap<String, u64>,
    /// The app's own server, which is asked before a message is taken.
    pub webhook: Option<GivenWebhook>,
    /// Access tokens.
    #[serde(deserialize_with = "unique")]
    pub tokens: BTreeMap<String, Token>,
    /// Rules of the world that differ; it is strict unless they say otherwise.
    pub settings: SettingsPatch,
    /// Whether clients are made to acknowledge deliveries.
    pub delivery: bool,
    /// Whether clients are made to take uploads into their own hands, and so show an attachment's url as it came.
    pub own_upload: bool,
    /// The emoji table that clients are given.
    pub emoji: Option<Emoji>,
    /// How often clients take up a lost link again.
    pub reconnects: u32,
    /// What clients are given for an app key, where that differs from the world's.
    pub app_key_as_typed: Option<String>,
    /// What clients are given for a user's name, where that differs from the scenario's name of the user.
    #[serde(deserialize_with = "unique")]
    pub username_as_typed: BTreeMap<String, String>,
}

/// Texts sent before the scenario starts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    /// Who sent them.
    pub from: String,
    /// The user they wait for, or the group or room.
    pub to: String,
    /// What each says, `#` standing for 1, 2, ….
    pub text: String,
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
}

/// An access token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Whose.
    pub user: String,
    /// How long it lives from the start, in ms; 0: it has expired.
    pub ttl_ms: i64,
}

impl Default for World {
    fn default() -> Self {
        Self {
            users: Vec::new(),
            online: Vec::new(),
            groups: BTreeMap::new(),
            rooms: BTreeMap::new(),
            blocks: BTreeMap::new(),
            admins: BTreeMap::new(),
            contacts: BTreeMap::new(),
            stored: Vec::new(),
            files: BTreeMap::new(),
            webhook: None,
            tokens: BTreeMap::new(),
            settings: SettingsPatch::default(),
            delivery: false,
            own_upload: false,
            emoji: None,
            reconnects: 3,
            app_key_as_typed: None,
            username_as_typed: BTreeMap::new(),
        }
    }
}

impl World {
    /// Every user that exists, each once, as first spelt.
    pub fn everyone(&self) -> Vec<&str> {
        let mut seen = BTreeSet::new();
        let all =
            self.users.iter().map(String::as_str).chain(self.online.iter().map(|one| one.user.as_str()));
        all.filter(|name| seen.insert(name.to_lowercase())).collect()
    }

    /// The name that is wrong, and why.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let everyone: BTreeSet<String> = self.everyone().iter().map(|name| name.to_lowercase()).collect();
        let exists = |place: &str, name: &str| {
            if everyone.contains(&name.to_lowercase()) {
                Ok(())
            } else {
                Err((
                    name.to_owned(),
                    format!("{place}: {name:?} is in neither given.users nor given.online"),
                ))
            }
        };
        for (what, kinds) in [("groups", &self.groups), ("rooms", &self.rooms)] {
            for (id, members) in kinds {
                if members.is_empty() {
                    return Err((
                        id.clone(),
                        format!("given.{what}: {id:?} needs an owner, the first member"),
                    ));
                }
                members.iter().try_for_each(|name| exists(&format!("given.{what}.{id}"), name))?;
            }
        }
        for (owner, blocked) in &self.blocks {
            exists("given.blocks", owner)?;
            blocked.iter().try_for_each(|name| exists("given.blocks", name))?;
        }
        for (id, admins) in &self.admins {
            let Some(members) = self.groups.get(id).or_else(|| self.rooms.get(id)) else {
                let message = format!("given.admins: {id:?} is in neither given.groups nor given.rooms");
                return Err((id.clone(), message));
            };
            let is_member =
                |name: &String| members.iter().any(|one| one.to_lowercase() == name.to_lowercase());
            if let Some(name) = admins.iter().find(|name| !is_member(name)) {
                return Err((name.clone(), format!("given.admins: {name:?} is no member of {id:?}")));
            }
        }
        for (user, contacts) in &self.contacts {
            exists("given.contacts", user)?;
            contacts.iter().try_for_each(|name| exists("given.contacts", name))?;
        }
        for stored in &self.stored {
            exists("given.stored", &stored.from)?;
            if !self.groups.contains_key(&stored.to) && !self.rooms.contains_key(&stored.to) {
                exists("given.stored", &stored.to)?;
            }
        }
        Files::check(&self.files)?;
        if self.webhook.is_some() && self.settings.webhooks.is_some() {
            let message = "given.webhook sets settings.webhooks: one of the two is enough".to_owned();
            return Err(("webhooks".to_owned(), message));
        }
        for token in self.tokens.values() {
            exists("given.tokens", &token.user)?;
        }
        for name in self.username_as_typed.keys() {
            exists("given.username_as_typed", name)?;
        }
        let mut devices = BTreeSet::new();
        for device in &self.online {
            if !devices.insert(device) {
                return Err((device.to_string(), format!("given.online: {device} is there twice")));
            }
        }
        Ok(())
    }
}

fn one() -> u32 {
    1
}

/// A map whose keys differ: serde would quietly keep the last of two.
fn unique<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, V>, D::Error> {
    struct Unique<V>(PhantomData<V>);
    impl<'de, V: Deserialize<'de>> Visitor<'de> for Unique<V> {
        type Value = BTreeMap<String, V>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut values = BTreeMap::new();
            while let Some((key, value)) = map.next_entry::<String, V>()? {
                if values.insert(key.clone(), value).is_some() {
                    return Err(A::Error::custom(format_args!("{key:?} is there twice")));
                }
            }
            Ok(values)
        }
    }
    deserializer.deserialize_map(Unique(PhantomData))
}
