//! What a row of the [table](super::table) is, and which row a request is for. Nothing here knows what any of them does.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{self, HeaderMap};

use super::{Refusal, bad, known, made, no_room};
use crate::control::nasty_seed_in_words;
use crate::machine::{AppKey, excerpt};
use crate::shell::api;
use crate::shell::content::Answer;
use crate::shell::world::World;
use crate::shell::worlds::Worlds;

/// One call of the control plane: what it is for the document, and who answers it.
pub(super) struct Route {
    pub(super) method: Verb,
    /// From `/_mock` on. `{org}` and `{app}` come together, and make the app key; any other name in braces is one segment.
    pub(super) path: &'static str,
    /// What it does, in one sentence for people.
    pub(super) summary: &'static str,
    /// The parameters that its query may have; any other is refused.
    pub(super) query: &'static [Parameter],
    /// The body; `None`: it takes none.
    pub(super) takes: Option<Takes>,
    /// The body of the answer, where all went well.
    #[cfg_attr(not(feature = "schema"), expect(dead_code, reason = "only the document tells it"))]
    pub(super) answers: Answers,
    pub(super) handler: Handler,
}

/// The methods of the control plane. A HEAD is answered as the GET is, without its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Get,
    Post,
    Put,
    Delete,
}

/// A parameter of a query.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) holds: Holds,
    pub(super) about: &'static str,
}

/// What a parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// A whole number, 0 or more.
    Number,
    Text,
}

/// A body that a call takes.
pub(super) struct Takes {
    #[cfg_attr(not(feature = "schema"), expect(dead_code, reason = "only the document tells it"))]
    pub(super) shape: Shape,
    /// Bodies that do something in a world with the users alice and bob, as JSON.
    pub(super) examples: &'static [&'static str],
    /// More is refused.
    pub(super) bytes_max: usize,
}

/// What an answer is.
pub(super) enum Answers {
    Json(Shape),
    /// Of another media type than JSON.
    Other(
        #[cfg_attr(not(feature = "schema"), expect(dead_code, reason = "only the document tells it"))]
        &'static str,
    ),
}

/// Who answers.
pub(super) enum Handler {
    /// At once, from what is there.
    Look(fn(&Asked<'_>) -> Result<Answer, Refusal>),
    /// Once something has come about.
    Wait(for<'a> fn(&'a Asked<'a>) -> Waiting<'a>),
    /// At once, by what the body says.
    Do(fn(&Asked<'_>, &[u8]) -> Result<Answer, Refusal>),
    /// By what the body says, once something has come about.
    DoAndWait(for<'a> fn(&'a Asked<'a>, Bytes) -> Waiting<'a>),
}

/// An answer to come.
pub(super) type Waiting<'a> = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + 'a>>;

/// A request, as its handler sees it.
pub(super) struct Asked<'a> {
    pub(super) worlds: &'a Worlds,
    pub(super) headers: &'a HeaderMap,
    scheme: &'static str,
    query: &'a str,
    app_key: Option<AppKey>,
    /// The other names of the path.
    names: Vec<(&'static str, String)>,
}

/// The schema of a body, for the document alone.
pub(super) struct Shape {
    #[cfg(feature = "schema")]
    pub(super) schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

/// What has a schema, in a build that makes any.
#[cfg(feature = "schema")]
pub(super) trait Shaped: schemars::JsonSchema {}
#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> Shaped for T {}
#[cfg(not(feature = "schema"))]
pub(super) trait Shaped {}
#[cfg(not(feature = "schema"))]
impl<T> Shaped for T {}

/// What stands before every path of the table.
pub(super) const ROOT: &str = "/_mock";
/// Larger than the longest stage that anybody sets in one request.
const BODY_BYTES_MAX: usize = 1024 * 1024;

impl Shape {
    pub(super) const fn of<T: Shaped>() -> Self {
        Self {
            #[cfg(feature = "schema")]
            schema: schemars::SchemaGenerator::subschema_for::<T>,
        }
    }
}

impl Takes {
    pub(super) const fn json<T: Shaped>(examples: &'static [&'static str]) -> Self {
        Self { shape: Shape::of::<T>(), examples, bytes_max: BODY_BYTES_MAX }
    }
}

impl Answers {
    pub(super) const fn json<T: Shaped>() -> Self {
        Self::Json(Shape::of::<T>())
    }
}

impl Verb {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }

    pub(super) fn is(self, method: &Method) -> bool {
        method.as_str() == self.word() || (self == Self::Get && method == Method::HEAD)
    }
}

impl Route {
    /// Whether a path, as it stands behind [`ROOT`], is this one's: then what stands in the place of its names.
    pub(super) fn names<'a>(&self, path: &'a str) -> Option<Vec<(&'static str, &'a str)>> {
        let (mut pattern, mut given) = (self.path[ROOT.len()..].split('/'), path.split('/'));
        let mut names = Vec::new();
        loop {
            match (pattern.next(), given.next()) {
                (None, None) => return Some(names),
                (Some(word), Some(segment)) => match name_of(word) {
                    Some(name) => names.push((name, segment)),
                    None if word == segment => {}
                    None => return None,
                },
                (Some(_), None) | (None, Some(_)) => return None,
            }
        }
    }

    /// The names in its path, in order.
    #[cfg(feature = "schema")]
    pub(super) fn path_names(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.path.split('/').filter_map(name_of)
    }

    /// Refuses what the query may not have.
    pub(super) fn refuse_query(&self, query: &str) -> Result<(), Refusal> {
        let mut seen = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(parameter) = self.query.iter().find(|known| known.name == name) else {
                let known: Vec<&str> = self.query.iter().map(|known| known.name).collect();
                let has = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                let name = excerpt(name);
                return Err(bad("query", format!("{name:?} is no parameter of this path; it has {has}")));
            };
            let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
            if parameter.holds == Holds::Number && !(digits && value.parse::<u64>().is_ok()) {
                let value = excerpt(value);
                return Err(bad("query", format!("{name}: a whole number is expected, not {value:?}")));
            }
            if seen.contains(&name) {
                return Err(bad("query", format!("{name} is there twice")));
            }
            seen.push(name);
        }
        Ok(())
    }
}

impl<'a> Asked<'a> {
    /// Fails when `{org}` and `{app}` make no app key.
    pub(super) fn new(
        worlds: &'a Worlds,
        scheme: &'static str,
        headers: &'a HeaderMap,
        query: &'a str,
        names: &[(&'static str, &str)],
    ) -> Result<Self, Refusal> {
        let find = |wanted: &str| names.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        let app_key = match (find("org"), find("app")) {
            (Some(org), Some(app)) => {
                let text = api::percent_decoded(&format!("{org}#{app}"));
                let app_key = text.and_then(|text| AppKey::parse(&text)).ok_or_else(|| {
                    let why = "the path names no app key: /_mock/{org}/{app}/… with both halves";
                    bad("no_app_key", why.into())
                })?;
                Some(app_key)
            }
            (Some(_), None) | (None, Some(_)) | (None, None) => None,
        };
        let others = names.iter().filter(|(name, _)| !matches!(*name, "org" | "app"));
        let decoded = others.map(|&(name, value)| {
            let value = api::percent_decoded(value);
            value.map(|value| (name, value)).ok_or_else(|| bad("path", format!("{name} is not UTF-8")))
        });
        let names = decoded.collect::<Result<_, _>>()?;
        Ok(Self { worlds, scheme, headers, query, app_key, names })
    }

    /// Where clients find this server, as whoever asks would: by the same name, if the control plane is no port of its own.
    pub(super) fn clients(&self) -> String {
        let host = self.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        match self.worlds.apart() {
            None => format!("{}://{host}", self.scheme),
            Some((scheme, addr)) if !addr.ip().is_unspecified() => format!("{scheme}://{addr}"),
            Some((scheme, addr)) => {
                // The colon before the port; those of an IPv6 address stand in brackets.
                let name = host
                    .rsplit_once(':')
                    .map_or(host, |(name, port)| if port.ends_with(']') { host } else { name });
                format!("{scheme}://{name}:{}", addr.port())
            }
        }
    }

    /// Where the world's paths begin there.
    pub(super) fn base(&self) -> String {
        let app_key = self.app_key();
        format!("{}/{}/{}", self.clients(), app_key.org(), app_key.app())
    }

    /// The world that the path names.
    pub(super) fn app_key(&self) -> &AppKey {
        self.app_key.as_ref().expect("a row that asks for its world has {org} and {app} in its path")
    }

    /// A number of the query.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let value = self.parameter(name)?;
        Some(value.parse().expect("the row says that it is a number, and one that is none was refused"))
    }

    /// A parameter of the query, as it stands there.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut pairs = self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// What stands in the place of another name of the path.
    pub(super) fn name(&self, name: &str) -> &str {
        let found = self.names.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| &**value).expect("a row that asks for a name has it in its path")
    }

    /// For a message to a person: which seed it takes to see this again, where the world is nasty, or the server for want
    /// of one.
    pub(super) fn with_seed(&self, text: String) -> String {
        let world = self.app_key.as_ref().and_then(|app_key| self.worlds.find(app_key));
        let Some(seed) = world.map_or_else(|| self.worlds.nasty(), |world| world.nasty_seed()) else {
            return text;
        };
        let told = nasty_seed_in_words(seed);
        // What a world itself refused tells it already.
        if text.ends_with(&told) { text } else { text + &told }
    }

    /// The world, if it is there: looking makes none.
    pub(super) fn world(&self) -> Result<Rc<World>, Refusal> {
        known(self.worlds, self.app_key())
    }

    /// Does something in the world, made if it is new and that is done.
    pub(super) fn within<T, E>(
        &self,
        act: impl FnOnce(&World) -> Result<T, E>,
    ) -> Result<Result<T, E>, Refusal> {
        self.worlds.within(self.app_key(), act).ok_or_else(no_room)
    }

    /// The world, made if it is new.
    pub(super) fn made(&self) -> Result<Rc<World>, Refusal> {
        made(self.worlds, self.app_key())
    }
}

fn name_of(word: &'static str) -> Option<&'static str> {
    word.strip_prefix('{')?.strip_suffix('}')
}
