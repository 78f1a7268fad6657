//! Names for what differs from run to run: the same value keeps its name, so that the same id coming back
//! still shows, and a run's record can be compared with another's.
//!
//! Nothing is erased. What is read off a clock has no number, though: whether two readings are alike is chance.

use std::collections::BTreeMap;

use mock_server::tape::Direction;

/// What kind of thing a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A server's message id.
    Id,
    /// A client's own message id; two clients may well choose the same.
    Local,
    /// A page's key, within its queue.
    Key,
    /// A device, as the wire names it.
    Resource,
    /// An access token.
    Token,
    /// What 4.x numbers its frames with: the time, and nobody gives it back.
    Trace,
    /// What 4.x numbers its logins with: the time, so that two clients may well choose the same.
    Session,
    /// Any other random name.
    Uuid,
    /// What opens an attachment.
    Secret,
    /// Where an attachment lies.
    Address,
    /// A group or room that the server named.
    Muc,
    /// A clock's reading.
    Time,
    /// The world's app key.
    App,
}

/// The names given so far, in the order of first sight.
#[derive(Clone, Debug)]
pub struct Aliases {
    app_key: String,
    numbers: BTreeMap<(Kind, String), usize>,
    counts: BTreeMap<Kind, usize>,
}

/// What the fields of the schema hold. What is not here is shown as it is.
const FIELDS: &[(&str, &str, Kind)] = &[
    ("MSync", "auth", Kind::Token),
    ("MSync", "traceId", Kind::Trace),
    ("JID", "appKey", Kind::App),
    ("JID", "clientResource", Kind::Resource),
    ("JID", "name", Kind::Muc),
    ("Provision", "auth", Kind::Token),
    ("Provision", "authToken", Kind::Token),
    ("Provision", "deviceUuid", Kind::Uuid),
    ("Provision", "deviceName", Kind::Resource),
    ("Provision", "resource", Kind::Resource),
    ("Provision", "sessionId", Kind::Session),
    ("Logout", "sessionId", Kind::Session),
    ("CommSyncUL", "key", Kind::Key),
    ("CommSyncDL", "metaId", Kind::Local),
    ("CommSyncDL", "serverId", Kind::Id),
    ("CommSyncDL", "nextKey", Kind::Key),
    ("CommSyncDL", "timestamp", Kind::Time),
    ("CommUnreadDL", "timestamp", Kind::Time),
    ("Meta", "timestamp", Kind::Time),
    ("MessageBody", "ackMessageId", Kind::Id),
    ("MessageBody.Content", "remotePath", Kind::Address),
    ("MessageBody.Content", "secretKey", Kind::Secret),
    ("MessageBody.Content", "thumbnailRemotePath", Kind::Address),
    ("MessageBody.Content", "thumbnailSecretKey", Kind::Secret),
];

/// The same for the members of JSON bodies.
const MEMBERS: &[(&str, Kind)] = &[
    ("access_token", Kind::Token),
    ("application", Kind::Uuid),
    ("created", Kind::Time),
    ("duration", Kind::Time),
    ("modified", Kind::Time),
    ("timestamp", Kind::Time),
    ("share-secret", Kind::Secret),
    ("uuid", Kind::Uuid),
    ("groupid", Kind::Muc),
];

impl Kind {
    /// What a field of the wire holds, if it differs from run to run.
    pub fn of_field(message: &str, field: &str, direction: Direction) -> Option<Self> {
        if (message, field) == ("Meta", "id") {
            return Some(match direction {
                Direction::Up => Self::Local,
                Direction::Down => Self::Id,
            });
        }
        FIELDS.iter().find(|(of, name, _)| *of == message && *name == field).map(|(_, _, kind)| *kind)
    }

    /// What a member of a JSON body holds, if it differs from run to run.
    pub fn of_member(name: &str) -> Option<Self> {
        MEMBERS.iter().find(|(member, _)| *member == name).map(|(_, kind)| *kind)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Local => "local",
            Self::Key => "key",
            Self::Resource => "resource",
            Self::Token => "token",
            Self::Trace => "trace",
            Self::Session => "session",
            Self::Uuid => "uuid",
            Self::Secret => "secret",
            Self::Address => "address",
            Self::Muc => "group",
            Self::Time => "time",
            Self::App => "app",
        }
    }
}

impl Aliases {
    /// No names yet, in the world of this app key.
    pub fn new(app_key: &str) -> Self {
        Self { app_key: app_key.to_owned(), numbers: BTreeMap::new(), counts: BTreeMap::new() }
    }

    /// The value's name, given now if it has none. `None`: the value is best shown itself, as 0 and "" are.
    /// `owner` is whose value it is, where two owners may choose the same by chance.
    pub fn name(&mut self, kind: Kind, owner: &str, value: &str) -> Option<String> {
        if value.is_empty() || value == "0" {
            return None;
        }
        match kind {
            Kind::App => (value == self.app_key).then(|| "<app>".to_owned()),
            Kind::Time => Some("<time>".to_owned()),
            // Shown as it is, but for its host and the ids in it: see the transcript.
            Kind::Address => None,
            Kind::Trace => Some("<trace>".to_owned()),
            Kind::Local | Kind::Session => Some(self.number(kind, &format!("{owner} {value}"))),
            Kind::Id | Kind::Key | Kind::Resource | Kind::Token | Kind::Uuid | Kind::Secret | Kind::Muc => {
                Some(self.number(kind, value))
            }
        }
    }

    /// The value's name, if it has been given one.
    pub fn known(&self, kind: Kind, value: &str) -> Option<String> {
        let number = self.numbers.get(&(kind, value.to_owned()))?;
        Some(format!("<{} {number}>", kind.word()))
    }

    /// Whether a path behind a host, without its first `/`, is in the world of this app key.
    pub fn is_of_app(&self, path: &str) -> bool {
        let tenant = self.app_key.replace('#', "/");
        path.strip_prefix(&tenant).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// What the app key of a run on a foreign server begins with, where another's begins with [`ORG`](crate::host::ORG).
    pub fn run(&self) -> Option<&str> {
        let (org, _) = self.app_key.split_once('#')?;
        let number = org.strip_prefix(crate::host::ORG)?.strip_prefix('-')?;
        let is_number = number.len() == 8 && number.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_number.then_some(org)
    }

    /// A text with every known token in it replaced by its name.
    pub fn tokens_in(&self, text: &str) -> String {
        self.replaced(Kind::Token, text)
    }

    /// A path with every group in it that the server named replaced by its name.
    pub fn groups_in(&self, path: &str) -> String {
        self.replaced(Kind::Muc, path)
    }

    fn replaced(&self, of: Kind, text: &str) -> String {
        let known = self.numbers.iter().filter(|((kind, _), _)| *kind == of);
        known.fold(text.to_owned(), |text, ((kind, value), number)| {
            text.replace(value, &format!("<{} {number}>", kind.word()))
        })
    }

    fn number(&mut self, kind: Kind, value: &str) -> String {
        let count = self.counts.entry(kind).or_default();
        let number = *self.numbers.entry((kind, value.to_owned())).or_insert_with(|| {
            *count += 1;
            *count
        });
        format!("<{} {number}>", kind.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_keeps_its_name_and_another_gets_another() {
        let mut aliases = Aliases::new("org#app");
        let mut name = |kind, owner, value| aliases.name(kind, owner, value).unwrap_or_default();
        assert_eq!(name(Kind::Id, "", "1160000000000000001"), "<id 1>");
        assert_eq!(name(Kind::Id, "", "1160000000000000002"), "<id 2>");
        assert_eq!(name(Kind::Id, "", "1160000000000000001"), "<id 1>");
        // Numbers are per kind, and a local id is its owner's.
        assert_eq!(name(Kind::Local, "alice", "7"), "<local 1>");
        assert_eq!(name(Kind::Local, "bob", "7"), "<local 2>");
        assert_eq!(name(Kind::Session, "alice", "7:"), "<session 1>");
        assert_eq!(name(Kind::Session, "bob", "7:"), "<session 2>");
        assert_eq!(name(Kind::Trace, "alice", "7"), "<trace>");
        assert_eq!(name(Kind::Id, "", "0"), "");
        assert_eq!(name(Kind::App, "", "org#app"), "<app>");
        assert_eq!(name(Kind::App, "", "org#other"), "");
        assert_eq!(aliases.known(Kind::Id, "1160000000000000002").as_deref(), Some("<id 2>"));
        assert_eq!(aliases.known(Kind::Id, "3"), None);
    }

    #[test]
    fn a_run_on_a_foreign_server_shows_in_its_app_key() {
        let run = |app_key: &str| Aliases::new(app_key).run().map(str::to_owned);
        assert_eq!(run("conformance-0a1b2c3d#send-text").as_deref(), Some("conformance-0a1b2c3d"));
        assert_eq!(run("conformance#send-text"), None);
        assert_eq!(run("conformance-mine#send-text"), None);
        assert_eq!(run("other-0a1b2c3d#send-text"), None);
    }
}
