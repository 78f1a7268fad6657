//! A client's file: how it is started, and every exception that is made for it, each with its reason.
//!
//! It says nothing about whether an exception is still needed; [`crate::exceptions`] does, after a run.

mod terms;

use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

use crate::driver::subprocess::Program;
use crate::pattern::is_match;

pub use terms::{Day, Link, Versions};

/// One client under test, as `clients/<name>.json` describes it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// For editors: where the schema of client files is. Nothing reads it.
    #[serde(rename = "$schema", default)]
    _schema: Option<String>,
    /// Its name; the file is named so too.
    pub name: String,
    /// The shim and its arguments. A bare name is looked for beside this program, then on `PATH`; anything
    /// else is relative to the file's folder, where the shim runs.
    #[schemars(length(min = 1))]
    pub command: Vec<String>,
    /// Which scenarios' wire is kept and compared.
    #[serde(default)]
    pub records: Records,
    /// What it has no call or event for, each with the reason.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Reason>")]
    pub unsupported: BTreeMap<String, String>,
    /// What it gets wrong, each with the reason.
    #[serde(default)]
    pub known_failures: Vec<KnownFailure>,
    /// What it sends that is not right and does no harm, each with the reason.
    #[serde(default)]
    pub known_findings: Vec<KnownFinding>,
    /// The client whose exceptions hold for this one too.
    #[serde(default)]
    like: Option<Like>,
    /// The file; `None` for a client of the command line, which has none to declare anything in.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// The text of the file, and behind it that of the client it is like.
    #[serde(skip)]
    pub source: String,
    #[serde(skip)]
    folder: PathBuf,
}

/// The same SDK in another place makes the same mistakes: its exceptions stand in one file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Like {
    /// The client; its file lies beside this one.
    client: String,
    /// What does not hold here: a word of `unsupported`, the scenario of a known failure, the clause of a finding.
    #[serde(default)]
    but: Vec<String>,
    /// How many of each list are this client's own; the others follow them.
    #[serde(skip)]
    own: Own,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Own {
    unsupported: BTreeSet<String>,
    /// The words among them that the other client has, too.
    hidden: BTreeSet<String>,
    failures: usize,
    findings: usize,
}

/// Which scenarios have a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Records {
    /// None.
    #[default]
    None,
    /// All that do not forbid it: `"all"`.
    All,
    /// Those whose names match one of these.
    Matching(Vec<String>),
}

/// A scenario that the client does not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownFailure {
    /// A scenario's name, or a pattern with `*`.
    pub scenario: String,
    /// What the failure must say; another failure of the same scenario is not known.
    #[schemars(with = "Reason")]
    pub message: String,
    /// Why the client fails there.
    #[schemars(with = "Reason")]
    pub reason: String,
    /// Whether it always does.
    pub outcome: KnownOutcome,
    /// Where more is said of it, such as an issue of the client's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<Link>,
    /// The versions of the client that it is made for; left out: all. For another version it does not apply, and is
    /// not stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versions: Option<Versions>,
    /// The last day that it is good for; left out: for ever. After it, it fails the run until somebody has looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Day>,
}

/// How the reason of an entry begins that the harness wrote down itself: it works, and each run tells of it until
/// somebody has explained it.
pub const UNEXPLAINED: &str = "not yet explained";

/// Whether a known failure is one each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KnownOutcome {
    /// Passing makes the entry stale.
    Fails,
    /// A race in the client, traced: it may pass.
    Varies,
}

/// A finding that does not fail a scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KnownFinding {
    /// The finding's clause.
    pub clause: String,
    /// What its text must hold.
    #[schemars(with = "Reason")]
    pub text: String,
    /// The scenarios where it is known; left out: all.
    #[serde(default)]
    pub scenario: Option<String>,
    /// Why the client does so.
    #[schemars(with = "Reason")]
    pub reason: String,
}

/// For the schema: words, and not none.
#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "it is a name for a schema alone")]
struct Reason(#[schemars(regex(pattern = r"\S"))] String);

/// A client's file that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ClientError {
    /// The file.
    pub path: PathBuf,
    /// Where, from 1; 0 when it is about the file as a whole.
    pub line: usize,
    /// Where in the line, from 1: behind the wrong value, if it is one.
    pub column: usize,
    /// What is wrong, and what would be right.
    pub message: String,
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match self.line {
            0 => write!(f, "{path}: {}", self.message),
            line => write!(f, "{path}:{line}:{}: {}", self.column, self.message),
        }
    }
}

impl Client {
    /// Reads a client's file, and that of the client that it is like.
    pub fn load(path: &Path) -> Result<Self, ClientError> {
        let mut client = Self::read(path)?;
        if let Some(like) = client.like.take() {
            let other = Self::read(&path.with_file_name(format!("{}.json", like.client)))?;
            let error = |message| ClientError { path: path.to_owned(), line: 0, column: 0, message };
            client.be_like(like, other).map_err(error)?;
        }
        client.file = Some(path.to_owned());
        client.folder = path.parent().map(Path::to_owned).unwrap_or_default();
        Ok(client)
    }

    /// The file alone: what it says of another client is not followed, for that one may lead back here.
    fn read(path: &Path) -> Result<Self, ClientError> {
        let error = |message: String| ClientError { path: path.to_owned(), line: 0, column: 0, message };
        let source = std::fs::read_to_string(path).map_err(|why| error(why.to_string()))?;
        let mut client: Self = serde_json::from_str(&source).map_err(|why| {
            let said = why.to_string();
            let place = format!(" at line {} column {}", why.line(), why.column());
            let message = said.strip_suffix(&place).unwrap_or(&said).to_owned();
            ClientError { line: why.line(), column: why.column(), ..error(message) }
        })?;
        if path.file_stem().is_some_and(|stem| stem.to_string_lossy() != client.name) {
            return Err(error(format!("its \"name\" is {:?}; the file is named otherwise", client.name)));
        }
        client.check().map_err(error)?;
        client.source = source;
        Ok(client)
    }

    /// Takes over the other's exceptions, but for those that do not hold here.
    fn be_like(&mut self, mut like: Like, other: Self) -> Result<(), String> {
        if other.name == self.name {
            return Err("\"like\": no client is like itself; name another, or leave it out".to_owned());
        }
        if other.like.is_some() {
            return Err(format!("\"like\": {} is itself like another client; name that one", other.name));
        }
        like.own = Own {
            unsupported: self.unsupported.keys().cloned().collect(),
            hidden: BTreeSet::new(),
            failures: self.known_failures.len(),
            findings: self.known_findings.len(),
        };
        let mut useless: BTreeSet<&str> = like.but.iter().map(String::as_str).collect();
        let mut holds = |name: &str| {
            useless.remove(name);
            !like.but.iter().any(|but| but == name)
        };
        for (what, reason) in other.unsupported {
            if holds(&what) {
                match self.unsupported.entry(what) {
                    Slot::Occupied(own) => drop(like.own.hidden.insert(own.key().clone())),
                    Slot::Vacant(free) => drop(free.insert(reason)),
                }
            }
        }
        self.known_failures.extend(other.known_failures.into_iter().filter(|one| holds(&one.scenario)));
        self.known_findings.extend(other.known_findings.into_iter().filter(|one| holds(&one.clause)));
        if let Some(useless) = useless.first() {
            return Err(format!("\"but\": {useless:?} is no exception of {}", other.name));
        }
        self.source.push_str(&other.source);
        self.like = Some(like);
        Ok(())
    }

    /// What to do about an entry that nothing needs: it may stand in the file of the client that this one is like.
    pub fn mend_unsupported(&self, what: &str) -> String {
        self.mend(what, |own| own.unsupported.contains(what))
    }

    /// As [`Client::mend_unsupported`], for the known failure of this index.
    pub fn mend_failure(&self, index: usize) -> String {
        self.mend(&self.known_failures[index].scenario, |own| index < own.failures)
    }

    /// As [`Client::mend_unsupported`], for the known finding of this index.
    pub fn mend_finding(&self, index: usize) -> String {
        self.mend(&self.known_findings[index].clause, |own| index < own.findings)
    }

    fn mend(&self, name: &str, is_own: impl FnOnce(&Own) -> bool) -> String {
        match &self.like {
            Some(like) if !is_own(&like.own) => {
                format!("add {name:?} to \"but\" of \"like\", for it comes from {}", like.client)
            }
            Some(_) | None => "remove it".to_owned(),
        }
    }

    /// Whether the known failure of this index stands in this client's own file, not in that of the one it is like.
    pub(crate) fn owns_failure(&self, index: usize) -> bool {
        self.like.as_ref().is_none_or(|like| index < like.own.failures)
    }

    /// As [`Client::owns_failure`], for a known finding.
    pub(crate) fn owns_finding(&self, index: usize) -> bool {
        self.like.as_ref().is_none_or(|like| index < like.own.findings)
    }

    /// As [`Client::owns_failure`], for a word of `unsupported`.
    pub(crate) fn owns_unsupported(&self, what: &str) -> bool {
        self.like.as_ref().is_none_or(|like| like.own.unsupported.contains(what))
    }

    /// Whether a word of `unsupported` in this client's own file is one of the client's that it is like, too.
    pub(crate) fn hides_unsupported(&self, what: &str) -> bool {
        self.like.as_ref().is_some_and(|like| like.own.hidden.contains(what))
    }

    /// A client of which nothing is known but how to start it.
    pub fn of_command(command: Vec<String>, folder: &Path) -> Self {
        Self {
            _schema: None,
            name: "command".to_owned(),
            command,
            records: Records::None,
            unsupported: BTreeMap::new(),
            known_failures: Vec::new(),
            known_findings: Vec::new(),
            like: None,
            file: None,
            source: String::new(),
            folder: folder.to_owned(),
        }
    }

    fn check(&self) -> Result<(), String> {
        if self.command.is_empty() {
            return Err("\"command\" names no program".to_owned());
        }
        for known in &self.known_failures {
            // "" is in every message: such an entry would hide whatever comes.
            if known.message.trim().is_empty() || known.reason.trim().is_empty() {
                return Err(format!(
                    "the known failure of {} needs a \"message\" and a \"reason\"",
                    known.scenario
                ));
            }
        }
        for known in &self.known_findings {
            if known.text.trim().is_empty() || known.reason.trim().is_empty() {
                return Err(format!(
                    "the known finding of {} needs a \"text\" and a \"reason\"",
                    known.clause
                ));
            }
        }
        match self.unsupported.iter().find(|(_, reason)| reason.trim().is_empty()) {
            Some((what, _)) => Err(format!("\"unsupported\": {what:?} needs its reason")),
            None => Ok(()),
        }
    }

    /// Its file, and that of the client that it is like.
    pub fn files(&self) -> Vec<PathBuf> {
        let Some(file) = &self.file else { return Vec::new() };
        let other = self.like.as_ref().map(|like| file.with_file_name(format!("{}.json", like.client)));
        std::iter::once(file.clone()).chain(other).collect()
    }

    /// How to start it.
    pub fn program(&self) -> Program {
        let (program, args) = self.command.split_first().expect("a client has a program, as check has it");
        Program {
            program: find_program(program, &self.folder),
            args: args.iter().map(OsString::from).collect(),
            folder: if self.folder.as_os_str().is_empty() { ".".into() } else { self.folder.clone() },
        }
    }

    /// Whether a scenario's wire is kept for this client.
    pub fn records(&self, scenario: &str) -> bool {
        match &self.records {
            Records::None => false,
            Records::All => true,
            Records::Matching(patterns) => patterns.iter().any(|pattern| is_match(pattern, scenario)),
        }
    }
}

/// A shim that this workspace builds lies beside this program; nobody has to know under which target folder.
fn find_program(program: &str, folder: &Path) -> OsString {
    if Path::new(program).components().count() > 1 {
        return folder.join(program).into_os_string();
    }
    let here = std::env::current_exe().ok();
    let beside = here
        .as_deref()
        .and_then(Path::parent)
        .map(|folder| folder.join(format!("{program}{}", std::env::consts::EXE_SUFFIX)));
    match beside {
        Some(path) if path.is_file() => path.into_os_string(),
        Some(_) | None => program.into(),
    }
}

impl JsonSchema for Records {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Records".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Which scenarios have a record: \"all\", or a list of names and patterns.",
            "oneOf": [{"const": "all"}, {"type": "array", "items": {"type": "string"}}]
        })
    }
}

impl<'de> Deserialize<'de> for Records {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AllOrPatterns;
        impl<'de> Visitor<'de> for AllOrPatterns {
            type Value = Records;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"all\", or a list of scenario names and patterns")
            }

            fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<Records, E> {
                match word {
                    "all" => Ok(Records::All),
                    other => Err(E::invalid_value(serde::de::Unexpected::Str(other), &self)),
                }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Records, A::Error> {
                let mut patterns = Vec::new();
                while let Some(pattern) = list.next_element()? {
                    patterns.push(pattern);
                }
                Ok(Records::Matching(patterns))
            }
        }
        deserializer.deserialize_any(AllOrPatterns)
    }
}
