//! `/metadata/user`: what users tell about themselves (rest.md A.10, B.2). Bodies are forms, answers have no envelope.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Answer, Call, Failure, Success, form};
use crate::machine::account::UserIx;
use crate::machine::{Server, excerpt};

#[derive(Deserialize)]
struct Query {
    targets: Vec<String>,
    /// Which attributes; left out or empty, all.
    #[serde(default)]
    properties: Vec<String>,
}

/// userprofile.md: the attributes of one user together, keys and values, in bytes.
const BYTES_PER_USER_MAX: usize = 2_048;
/// userprofile.md: how many users one call may ask for.
const TARGETS_MAX: usize = 100;

pub(super) fn set(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let pairs = form::pairs(&call.request.body)
        .ok_or_else(|| Failure::illegal("the body is no form: it is not UTF-8"))?;
    if pairs.is_empty() {
        return Err(Failure::illegal("the form has no attributes"));
    }
    let mut metadata = server.accounts.user(user).metadata.clone();
    metadata.extend(pairs);
    let bytes = bytes_of(&metadata);
    if bytes > BYTES_PER_USER_MAX {
        return Err(Failure::illegal(format!(
            "the attributes of a user hold at most {BYTES_PER_USER_MAX} bytes together; these would be {bytes}"
        )));
    }
    server.accounts.user_mut(user).metadata = metadata;
    Ok(Success::bare(call, "data", all(server, user)))
}

/// Of one user its attributes; of several, parted by commas, an object of them.
pub(super) fn get(server: &mut Server, call: &Call<'_>) -> Answer {
    call.authority(server)?;
    let names: Vec<&str> = call.first.split(',').filter(|name| !name.is_empty()).collect();
    let data = match names[..] {
        [name] => all(server, server.accounts.existing(name).ok_or_else(Failure::user_not_found)?),
        _ => several(server, &names, &[])?,
    };
    Ok(Success::bare(call, "data", data))
}

pub(super) fn get_many(server: &mut Server, call: &Call<'_>) -> Answer {
    call.authority(server)?;
    let query: Query = call.json()?;
    let data = several(server, &query.targets, &query.properties)?;
    Ok(Success::bare(call, "data", data))
}

pub(super) fn clear(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    server.accounts.user_mut(user).metadata.clear();
    Ok(Success::bare(call, "data", true.into()))
}

/// How many bytes the attributes of all users take.
pub(super) fn capacity(server: &mut Server, call: &Call<'_>) -> Answer {
    call.app_only(server)?;
    let users = server.accounts.existing_from(0);
    let bytes: usize = users.map(|(_, user)| bytes_of(&server.accounts.user(user).metadata)).sum();
    Ok(Success::bare(call, "data", bytes.into()))
}

/// Users who are not there have no attributes: a list of contacts is asked for as a whole.
fn several<S: AsRef<str>>(server: &Server, names: &[S], properties: &[String]) -> Result<Value, Failure> {
    if names.len() > TARGETS_MAX {
        return Err(Failure::illegal(format!("at most {TARGETS_MAX} users can be asked for at once")));
    }
    let of = |name: &str| match server.accounts.existing(name) {
        None => json!({}),
        Some(user) if properties.is_empty() => all(server, user),
        Some(user) => {
            let metadata = &server.accounts.user(user).metadata;
            let asked = properties.iter().filter_map(|key| metadata.get_key_value(key));
            asked.map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect::<Map<_, _>>().into()
        }
    };
    let names = names.iter().map(AsRef::as_ref);
    Ok(names.map(|name| (excerpt(name).into_owned(), of(name))).collect::<Map<_, _>>().into())
}

fn all(server: &Server, user: UserIx) -> Value {
    json!(server.accounts.user(user).metadata)
}

fn bytes_of(metadata: &BTreeMap<String, String>) -> usize {
    metadata.iter().map(|(key, value)| key.len() + value.len()).sum()
}
