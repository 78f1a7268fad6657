//! The catalog: every error that a client can be shown, every situation and profile that has a name, and the control
//! commands that bring each about for one user.
//!
//! It is data, read from `mock-server/catalog/*.json` as the program is built, and knows nothing of a running world. What
//! clients show (`seen.json`) is written by `cargo xtask errors --write` from runs, never by hand.

mod name;
mod profile;
mod show;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::control::{Control, Fault};
use crate::machine::{excerpt, is_legal_name};
use crate::rule::Rule;

pub use name::{UnknownName, nearest};
pub use profile::{Profile, chosen};
pub use show::Shows;

/// What stands in a catalog's commands and words for the user who is to meet them.
const USER: &str = "{user}";

/// Errors, situations and profiles, in the order of their files.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// What a client can be shown.
    pub errors: Vec<CatalogError>,
    /// What people report of networks, tokens and devices.
    pub situations: Vec<Situation>,
    /// What is chosen at a login.
    pub profiles: Vec<Profile>,
    seen: Seen,
}

/// One error, brought about on purpose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogError {
    /// Lower-case letters, digits and hyphens: the code, and a word where one code comes about in several ways.
    pub name: String,
    /// The number that the vendor's SDK of the group's generation shows; 0: it shows none.
    pub code: i32,
    /// Where in the list it stands.
    pub group: Group,
    /// The clause that is about it, of fixtures/clauses.json.
    pub clause: String,
    /// What it means.
    pub says: Bilingual,
    /// The commands that arm it, with `{user}` for the one who is to meet it.
    pub arm: Vec<Control>,
    /// What somebody has to do then.
    pub then: Bilingual,
}

/// What people report: a course of events rather than a code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Situation {
    /// Lower-case letters, digits and hyphens; free of the errors' names.
    pub name: String,
    /// In a few words.
    pub title: Bilingual,
    /// What happens, and what a client should do.
    pub about: Bilingual,
    /// As [`CatalogError::arm`].
    pub arm: Vec<Control>,
    /// What somebody has to do then.
    pub then: Bilingual,
    /// The report that it stems from.
    pub from: String,
    /// The scenarios that show it.
    pub scenarios: Vec<String>,
}

/// Where an error comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Group {
    /// The answer to a message or a recall, in every generation.
    Message,
    /// The same, where only 4.x tells it apart.
    #[serde(rename = "4.x")]
    FourX,
    /// A login.
    Login,
    /// A connection that is ended.
    Kick,
    /// An upload.
    Upload,
    /// Any other call over HTTP.
    Rest,
}

/// The same in two languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bilingual {
    /// English.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

/// Why nothing is staged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StageError {
    /// No entry has this name.
    #[error(transparent)]
    Unknown(#[from] UnknownName),
    /// Nobody can have this name.
    #[error("{0:?} is no user's name: 1 to 64 of a-z A-Z 0-9 _ . - are expected")]
    User(String),
}

/// What is to be done to a world, and by its user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Staging {
    /// The commands, in order; all or none.
    pub armed: Vec<Control>,
    /// What somebody has to do then.
    pub then: Bilingual,
}

/// By the name of an error, and by that of a client of `conformance/clients`, what it showed.
type Seen = BTreeMap<String, BTreeMap<String, String>>;

/// The whole of a catalog, for `GET /_mock/catalog`.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Listing<'a> {
    /// Every error, with what clients show.
    pub errors: Vec<ListedError<'a>>,
    /// Every situation.
    pub situations: Vec<ListedSituation<'a>>,
    /// Every profile.
    pub profiles: &'a [Profile],
}

/// An error, the line that arms it, and what clients show.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "each field is the one of the same name in CatalogError")]
pub struct ListedError<'a> {
    pub code: i32,
    pub name: &'a str,
    pub group: Group,
    pub clause: &'a str,
    pub says: &'a Bilingual,
    pub arm: &'a [Control],
    pub then: &'a Bilingual,
    /// The line that arms it for alice.
    pub command: String,
    /// By the client's version, what it showed in a run.
    pub shows: Shows,
}

/// A situation, and the line that stages it.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[expect(missing_docs, reason = "each field is the one of the same name in Situation")]
pub struct ListedSituation<'a> {
    pub name: &'a str,
    pub title: &'a Bilingual,
    pub about: &'a Bilingual,
    pub arm: &'a [Control],
    pub then: &'a Bilingual,
    pub from: &'a str,
    /// The line that stages it for alice.
    pub command: String,
}

/// This program's own.
pub fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| {
        /// Read when the program is built, so a file that is none shows in the first test of any kind.
        fn read<T: for<'de> Deserialize<'de>>(file: &str, text: &str) -> T {
            serde_json::from_str(text).unwrap_or_else(|error| panic!("mock-server/catalog/{file}: {error}"))
        }
        Catalog {
            errors: read("errors.json", include_str!("../../catalog/errors.json")),
            situations: read("situations.json", include_str!("../../catalog/situations.json")),
            profiles: read("profiles.json", include_str!("../../catalog/profiles.json")),
            seen: read("seen.json", include_str!("../../catalog/seen.json")),
        }
    });
    &CATALOG
}

impl Catalog {
    /// With these profiles, too. Of two with one name, the rules of both are one profile's.
    pub fn with(&self, profiles: &[Profile]) -> Self {
        let mut catalog = self.clone();
        for profile in profiles {
            match catalog.profiles.iter_mut().find(|known| known.name == profile.name) {
                Some(known) => known.rules.extend(profile.rules.iter().cloned()),
                None => catalog.profiles.push(profile.clone()),
            }
        }
        catalog
    }

    /// The error of this name.
    pub fn error(&self, name: &str) -> Option<&CatalogError> {
        self.errors.iter().find(|error| error.name == name)
    }

    /// The errors that a word means: the one of this name, or else all of this code.
    pub fn meant(&self, word: &str) -> Vec<&CatalogError> {
        let of_code = word.parse().ok().filter(|code| *code != 0);
        let own = self.errors.iter().filter(|error| error.name == word);
        let others = self.errors.iter().filter(|error| error.name != word && Some(error.code) == of_code);
        own.chain(others).collect()
    }

    /// What stages an error, a situation or a profile for one user.
    pub fn stage(&self, name: &str, user: &str) -> Result<Staging, StageError> {
        if !is_legal_name(user) {
            return Err(StageError::User(excerpt(user).into_owned()));
        }
        let error = self.error(name).map(|error| (Cow::Borrowed(&error.arm), &error.then));
        let situation = || {
            let found = self.situations.iter().find(|one| one.name == name);
            found.map(|one| (Cow::Borrowed(&one.arm), &one.then))
        };
        let profile = || {
            let found = self.profiles.iter().find(|one| one.name == name);
            found.map(|one| (Cow::Owned(one.arm()), &one.about))
        };
        let Some((arm, then)) = error.or_else(situation).or_else(profile) else {
            let unknown = UnknownName { name: name.to_owned(), nearest: nearest(name, self.names()) };
            return Err(unknown.into());
        };
        let armed = arm.iter().map(|control| for_user(control, user)).collect();
        let of_user = |text: &str| text.replace(USER, user);
        Ok(Staging { armed, then: Bilingual { en: of_user(&then.en), zh: of_user(&then.zh) } })
    }

    /// The names that [`Catalog::stage`] takes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let errors = self.errors.iter().map(|error| &*error.name);
        let situations = self.situations.iter().map(|situation| &*situation.name);
        errors.chain(situations).chain(self.profiles.iter().map(|profile| &*profile.name))
    }

    /// What a client of `conformance/clients` showed of an error, in the words of [`Shows`]; `None`: no run is known.
    pub fn seen(&self, name: &str, client: &str) -> Option<&str> {
        self.seen.get(name)?.get(client).map(String::as_str)
    }

    /// Whether anything is known of what this client shows.
    pub fn tells_of(&self, client: &str) -> bool {
        self.seen.values().any(|by_client| by_client.contains_key(client))
    }

    /// Everything, for whoever shows it.
    pub fn listing(&self) -> Listing<'_> {
        let errors = self.errors.iter().map(|error| self.listed(error));
        let situations = self.situations.iter().map(|situation| ListedSituation {
            name: &situation.name,
            title: &situation.title,
            about: &situation.about,
            arm: &situation.arm,
            then: &situation.then,
            from: &situation.from,
            command: format!("mock-server stage {} --user alice", situation.name),
        });
        Listing { errors: errors.collect(), situations: situations.collect(), profiles: &self.profiles }
    }

    /// One error, for whoever shows it.
    pub fn listed<'a>(&'a self, error: &'a CatalogError) -> ListedError<'a> {
        let CatalogError { name, code, group, clause, says, arm, then } = error;
        let shows = Shows::of(self.seen.get(name));
        let command = format!("mock-server errors {name} --arm --user alice");
        ListedError { code: *code, name, group: *group, clause, says, arm, then, command, shows }
    }
}

impl Group {
    /// For a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Message => "Messages and recalls, every SDK",
            Self::FourX => "Messages, recalls, changes and rooms, what 4.x alone tells apart",
            Self::Login => "Logins",
            Self::Kick => "Connections that end",
            Self::Upload => "Uploads",
            Self::Rest => "Calls over HTTP (3.x shows 17 for each)",
        }
    }
}

/// A command with a legal user's name in the place of `{user}`, wherever it stands.
fn for_user(control: &Control, user: &str) -> Control {
    if let Control::Fault(Fault::Rule(rule)) = control {
        let rule = rule_for(rule, user).expect("a profile is refused that a legal name does not fit in");
        return Control::Fault(Fault::Rule(Box::new(rule)));
    }
    let mut value = serde_json::to_value(control).expect("a control command has only string keys");
    put(&mut value, user);
    serde_json::from_value(value).expect("text stays text")
}

/// The same of a rule. Fails where the name makes it too long.
fn rule_for(rule: &Rule, user: &str) -> Result<Rule, serde_json::Error> {
    // By its parts: in its text the name could be taken for something else.
    let mut parts = serde_json::to_value(rule.parts())?;
    put(&mut parts, user);
    serde_json::from_value(parts)
}

fn put(value: &mut Value, user: &str) {
    match value {
        Value::String(text) if text.contains(USER) => *text = text.replace(USER, user),
        Value::Array(values) => values.iter_mut().for_each(|value| put(value, user)),
        Value::Object(fields) => fields.values_mut().for_each(|value| put(value, user)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::machine::{AppKey, Config, Millis, Server};

    #[test]
    fn every_name_is_one_that_a_user_name_can_end_in_and_stands_for_one_thing() {
        let mut before = BTreeSet::new();
        for name in catalog().names() {
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            assert!(!name.is_empty() && name.bytes().all(fits) && !name.contains("--"), "{name:?}");
            assert!(before.insert(name), "{name:?} stands twice");
        }
    }

    #[test]
    fn a_name_means_its_entry_and_a_code_all_of_it() {
        let names = |word: &str| -> Vec<&str> {
            catalog().meant(word).into_iter().map(|error| error.name.as_str()).collect()
        };
        assert_eq!(names("501-antispam"), ["501-antispam"]);
        assert_eq!(names("501"), ["501", "501-antispam"]);
        assert_eq!(names("-3"), ["minus-3", "minus-3-login", "minus-3-rest"]);
        assert!(names("0").is_empty() && names("999").is_empty());
    }

    #[test]
    fn the_user_is_put_wherever_the_entry_names_one() {
        let staging = catalog().stage("504", "bob").expect("it is there");
        let said = serde_json::to_string(&staging).expect("string keys");
        assert!(said.contains(" from bob") && !said.contains(USER), "{said}");
        assert!(staging.then.en.contains("bob") && staging.then.zh.contains("bob"), "{said}");
    }

    #[test]
    fn who_mistypes_a_name_is_told_the_nearest() {
        let why = catalog().stage("5O4", "alice").expect_err("a letter for a digit").to_string();
        assert_eq!(
            why,
            r#"the catalog has no "5O4"; perhaps 504 or 54? `mock-server errors` lists them all"#
        );
    }

    /// Commands of one entry may need a device or a group that a bare world lacks; none may be one that no world takes.
    #[test]
    fn a_world_takes_what_every_entry_arms() {
        for name in catalog().names() {
            let app_key = AppKey::parse("org#app").expect("one");
            let mut world = Server::new(Config::new(app_key));
            let known = Control::Known { users: vec!["alice".into()] };
            world.control(Millis(0), known).expect("a user can be made");
            for control in catalog().stage(name, "alice").expect("its own name").armed {
                match world.control(Millis(0), control) {
                    Ok(()) | Err(crate::control::ControlError::NotConnected(_)) => {}
                    Err(error) => panic!("{name}: {error}"),
                }
            }
        }
    }
}
