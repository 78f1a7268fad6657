//! `/users/{me}/notification`: push settings of a user, for all, for one conversation or for several (rest.md A.11).

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::page::Page;
use super::{Answer, Call, Failure, Success};
use crate::machine::account::UserIx;
use crate::machine::notification::{CONVERSATIONS_MAX, Remind, Setting, Silence, Subject};
use crate::machine::{Server, excerpt};

/// Which path it is: of users or of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    User,
    Group,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    #[serde(default, rename = "type")]
    kind: Option<String>,
    /// In ms from now.
    #[serde(default)]
    ignore_duration: Option<u64>,
    /// `h:m-h:m`.
    #[serde(default)]
    ignore_interval: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Language {
    translation_language: String,
}

/// Longer than any tag of a language (RFC 5646 §4.4.1).
const LANGUAGE_BYTES_MAX: usize = 35;

pub(super) fn set(server: &mut Server, call: &Call<'_>, of: Of) -> Answer {
    let user = call.owner(server, call.first)?;
    let subject = subject(server, user, call.second, of)?;
    let change: Change = call.json()?;
    let mut settings = Vec::new();
    if let Some(kind) = change.kind {
        settings.push(Setting::Remind(remind(&kind)?));
    }
    if let Some(ms) = change.ignore_duration {
        settings.push(Setting::Duration(ms));
    }
    if let Some(interval) = change.ignore_interval {
        if !is_interval(&interval) {
            return Err(Failure::illegal("ignoreInterval is h:m-h:m, as in 21:30-8:00"));
        }
        settings.push(Setting::Interval(interval.into()));
    }
    if settings.is_empty() {
        return Err(Failure::illegal("one of type, ignoreDuration and ignoreInterval is set"));
    }
    let resource = call.parameter("resource").unwrap_or_default();
    for setting in settings {
        if !server.silence(call.now, user, resource, (subject.clone(), setting)) {
            return Err(Failure::limit(format!(
                "a user has push settings for at most {CONVERSATIONS_MAX} conversations"
            )));
        }
    }
    Ok(Success::data(shown(server, call, user, &subject)))
}

pub(super) fn get(server: &mut Server, call: &Call<'_>, of: Of) -> Answer {
    let user = call.owner(server, call.first)?;
    let subject = subject(server, user, call.second, of)?;
    Ok(Success::data(shown(server, call, user, &subject)))
}

/// Of the conversations that the query lists; one that nothing was set for has no settings.
pub(super) fn get_many(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let listed = |name: &str, subject: fn(Box<str>) -> Subject| -> Map<String, Value> {
        let names = call.text(name).unwrap_or_default();
        let names = names.split(',').filter(|name| !name.is_empty()).take(CONVERSATIONS_MAX);
        let of = |name: &str| shown(server, call, user, &subject(name.to_ascii_lowercase().into()));
        names.map(|name| (excerpt(name).into_owned(), of(name))).collect()
    };
    let data = json!({ "user": listed("user", Subject::User), "group": listed("group", Subject::Group) });
    Ok(Success::data(data))
}

/// The conversations with a `type` of their own, page by page.
pub(super) fn list(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let settings = &server.accounts.user(user).notification;
    let one = |(subject, silence): (&Subject, &Silence)| {
        let value = silence.remind()?.word();
        match subject {
            Subject::All => None,
            Subject::User(name) => Some(json!({ "user": name, "value": value })),
            Subject::Group(id) => Some(json!({ "group": id, "value": value })),
        }
    };
    let all: Vec<Value> = settings.of.iter().filter_map(one).collect();
    let page = Page::after_cursor(call);
    let cursor = page.next_cursor(all.len());
    Ok(Success::page(page.of(all.into_iter()).collect(), cursor))
}

pub(super) fn set_language(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let Language { translation_language } = call.json()?;
    if translation_language.len() > LANGUAGE_BYTES_MAX {
        return Err(Failure::illegal(format!("a language holds at most {LANGUAGE_BYTES_MAX} bytes")));
    }
    let language = (!translation_language.is_empty()).then(|| translation_language.into());
    server.accounts.user_mut(user).notification.language = language;
    get_language(server, call)
}

pub(super) fn get_language(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    Ok(Success::data(json!({ "language": server.accounts.user(user).notification.language })))
}

/// The conversation that the path names; a user's own name stands for all of them.
fn subject(server: &Server, user: UserIx, name: &str, of: Of) -> Result<Subject, Failure> {
    match of {
        Of::User => {
            let other = server.accounts.find(name).ok_or_else(Failure::user_not_found)?;
            Ok(if other == user { Subject::All } else { Subject::User(server.accounts.name(other).into()) })
        }
        Of::Group => {
            let muc = server.mucs.find(name).ok_or_else(|| Failure::no_muc(name))?;
            Ok(Subject::Group(server.mucs.muc(muc).id.clone()))
        }
    }
}

fn shown(server: &Server, call: &Call<'_>, user: UserIx, subject: &Subject) -> Value {
    let settings = &server.accounts.user(user).notification;
    let silence = match subject {
        Subject::All => Some(&settings.all),
        Subject::User(_) | Subject::Group(_) => settings.of.get(subject),
    };
    silence.map(|silence| silence.shown(call.now)).unwrap_or_default().into()
}

fn remind(word: &str) -> Result<Option<Remind>, Failure> {
    match word {
        "ALL" => Ok(Some(Remind::All)),
        "AT" => Ok(Some(Remind::At)),
        "NONE" => Ok(Some(Remind::None)),
        "DEFAULT" => Ok(None),
        other => Err(Failure::illegal(format!("type is ALL, AT, NONE or DEFAULT, not {}", excerpt(other)))),
    }
}

fn is_interval(text: &str) -> bool {
    let is_below = |number: &str, end: u32| {
        (1..=2).contains(&number.len()) && number.parse::<u32>().is_ok_and(|number| number < end)
    };
    let is_time = |time: &str| {
        time.split_once(':').is_some_and(|(hours, minutes)| is_below(hours, 24) && is_below(minutes, 60))
    };
    text.split_once('-').is_some_and(|(from, to)| is_time(from) && is_time(to))
}
