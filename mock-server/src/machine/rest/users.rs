//! Users over REST: registered, listed, changed, removed (rest.md A.2, A.10, B.2).

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::envelope::uuid_of;
use super::page::parameter;
use super::{Answer, Call, Failure, Success};
use crate::machine::account::{Caller, NameFault, UserIx};
use crate::machine::{Millis, Server, excerpt};

#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    nickname: String,
}

#[derive(Deserialize)]
struct NewPassword {
    newpassword: String,
}

/// The server-side documents on registration: a password has up to 64 characters, a nickname up to 100.
const PASSWORD_CHARS_MAX: usize = 64;
const NICKNAME_CHARS_MAX: usize = 100;
/// rest.md B.2.
const REGISTRATIONS_MAX: usize = 60;
const PAGE_DEFAULT: usize = 10;
const PAGE_MAX: usize = 100;
/// Push settings of a user: a switch for each of some groups, and the token of a device. Nothing here acts upon
/// them, hence a bound of our own, as are the two below, in bytes.
const PROPERTIES_MAX: usize = 64;
const PROPERTY_NAME_BYTES_MAX: usize = 128;
const PROPERTY_BYTES_MAX: usize = 512;

/// One user, or a list of them.
pub(super) fn register(server: &mut Server, call: &Call<'_>) -> Answer {
    let is_list = call.request.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    if !server.settings.open_registration && !matches!(call.authority(server), Ok(Caller::App)) {
        return Err(Failure::registration_closed());
    }
    if is_list {
        return register_many(server, call);
    }
    let user = register_one(server, call.now, call.json()?)?;
    Ok(Success::entity(entity(server, user)))
}

/// Those who cannot be registered are told with the reason, and the others are registered all the same.
fn register_many(server: &mut Server, call: &Call<'_>) -> Answer {
    // As an object, serde alone would take a list of its fields as well.
    let list: Vec<Map<String, Value>> =
        serde_json::from_slice(&call.request.body).map_err(|error| Failure::json(&error))?;
    let mut registrations = Vec::new();
    for mut object in list {
        object.retain(|_, value| !value.is_null());
        let registration: Registration =
            serde_json::from_value(Value::Object(object)).map_err(|error| Failure::json(&error))?;
        registrations.push(registration);
    }
    if registrations.len() > REGISTRATIONS_MAX {
        return Err(Failure::illegal(format!("at most {REGISTRATIONS_MAX} users can be registered at once")));
    }
    let (mut entities, mut failed) = (Vec::new(), Vec::new());
    for registration in registrations {
        let name = registration.username.clone();
        match register_one(server, call.now, registration) {
            Ok(user) => entities.push(entity(server, user)),
            Err(failure) => {
                let taken = server.accounts.existing(&name).is_some();
                let reason = if taken {
                    format!("the {} already exists", name.to_ascii_lowercase())
                } else {
                    failure.description().to_owned()
                };
                failed.push(json!({ "username": excerpt(&name), "registerUserFailReason": reason }));
            }
        }
    }
    Ok(Success::entities(entities, None, None).with_data(failed.into()))
}

fn register_one(server: &mut Server, now: Millis, registration: Registration) -> Result<UserIx, Failure> {
    if registration.username.is_empty() {
        return Err(Failure::illegal("Entity user requires a property named username"));
    }
    nickname_fits(&registration.nickname)?;
    let known = server.accounts.find(&registration.username);
    if known.is_some_and(|user| server.accounts.user(user).password.is_some()) {
        return Err(Failure::duplicate_user(&registration.username.to_ascii_lowercase()));
    }
    let user = make(server, now, &registration.username, &registration.password)?;
    server.accounts.user_mut(user).nickname = registration.nickname;
    Ok(user)
}

/// A user with a password, made or taken over from somebody's having written to the name.
pub(super) fn make(server: &mut Server, now: Millis, name: &str, password: &str) -> Result<UserIx, Failure> {
    password_fits(password)?;
    let user = server.find_or_make_user(now, name).map_err(|fault| match fault {
        NameFault::Illegal => Failure::illegal("username is not legal"),
        NameFault::TooMany => Failure::limit("this world holds no more users"),
        NameFault::Mucs => Failure::illegal(format!("username is not legal: a group has the id {name}")),
    })?;
    let state = server.accounts.user_mut(user);
    if !state.exists() {
        state.created = now;
        state.modified = now;
    }
    state.password = Some(password.into());
    Ok(user)
}

pub(super) fn details(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    Ok(Success::entities(vec![entity(server, user)], Some(1), None))
}

pub(super) fn list(server: &mut Server, call: &Call<'_>) -> Answer {
    call.app_only(server)?;
    let (users, cursor) = page(server, call);
    let entities: Vec<Value> = users.into_iter().map(|user| entity(server, user)).collect();
    let count = entities.len();
    Ok(Success::entities(entities, Some(count), cursor))
}

/// As many as a page of the list holds.
pub(super) fn remove_many(server: &mut Server, call: &Call<'_>) -> Answer {
    call.app_only(server)?;
    let (users, cursor) = page(server, call);
    let entities: Vec<Value> = users.iter().map(|&user| entity(server, user)).collect();
    for user in users {
        server.remove_user(call.now, user);
    }
    let count = entities.len();
    Ok(Success::entities(entities, Some(count), cursor))
}

pub(super) fn remove(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.subject(server, call.first)?;
    let gone = entity(server, user);
    server.remove_user(call.now, user);
    Ok(Success::entity(gone))
}

pub(super) fn password(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.subject(server, call.first)?;
    let new: NewPassword = call.json()?;
    password_fits(&new.newpassword)?;
    server.change_password(call.now, user, &new.newpassword);
    Ok(Success::bare(call, "action", "set user password".into()))
}

/// The nickname, and push settings; 3.x wraps the switch of a group in `entities`.
pub(super) fn modify(server: &mut Server, call: &Call<'_>) -> Answer {
    #[derive(Deserialize)]
    struct Wrapped {
        entities: Vec<Map<String, Value>>,
    }
    let user = call.owner(server, call.first)?;
    let body: Map<String, Value> = call.json()?;
    let body = if body.contains_key("entities") {
        call.json::<Wrapped>()?.entities.into_iter().flatten().collect()
    } else {
        body
    };
    let mut nickname = None;
    let mut properties = server.accounts.user(user).properties.clone();
    for (key, value) in body {
        match (key.as_str(), value) {
            ("nickname", Value::String(text)) => {
                nickname_fits(&text)?;
                nickname = Some(text);
            }
            ("nickname", _) => return Err(Failure::illegal("nickname is a string")),
            // What the entity has of itself.
            ("uuid" | "type" | "created" | "modified" | "username" | "activated" | "password", _) => {
                return Err(Failure::illegal(format!("{key} is not changed by this call")));
            }
            (_, value @ (Value::Bool(_) | Value::Number(_) | Value::String(_)))
                if key.len() <= PROPERTY_NAME_BYTES_MAX && value.to_string().len() <= PROPERTY_BYTES_MAX =>
            {
                properties.insert(key, value);
            }
            (_, Value::Null) => {
                properties.remove(&key);
            }
            (
                _,
                Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_),
            ) => {
                return Err(Failure::illegal(format!(
                    "{} is not kept: a property is a boolean, a number or a string of up to \
                     {PROPERTY_BYTES_MAX} bytes, its name up to {PROPERTY_NAME_BYTES_MAX}",
                    excerpt(&key)
                )));
            }
        }
    }
    if properties.len() > PROPERTIES_MAX {
        return Err(Failure::illegal(format!("a user holds at most {PROPERTIES_MAX} properties")));
    }
    let state = server.accounts.user_mut(user);
    state.properties = properties;
    state.modified = call.now;
    if let Some(nickname) = nickname {
        state.nickname = nickname;
    }
    Ok(Success::entity(entity(server, user)))
}

/// A user as the API shows one.
pub(super) fn entity(server: &Server, user: UserIx) -> Value {
    let name = server.accounts.name(user);
    let state = server.accounts.user(user);
    let mut entity = json!({
        "uuid": uuid_of(&format!("{} user {name}", server.app)),
        "type": "user",
        "created": state.created.0,
        "modified": state.modified.0,
        "username": name,
        "activated": !state.deactivated,
    });
    if !state.nickname.is_empty() {
        entity["nickname"] = state.nickname.as_str().into();
    }
    for (key, value) in &state.properties {
        entity[key] = value.clone();
    }
    entity
}

/// A cursor is the number of the user that comes next: it stays right while others come and go.
fn page(server: &Server, call: &Call<'_>) -> (Vec<UserIx>, Option<String>) {
    let take = parameter(call, "limit").unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX);
    let first = parameter(call, "cursor").unwrap_or(0);
    let mut users = server.accounts.existing_from(first);
    let page = users.by_ref().take(take).map(|(_, user)| user).collect();
    (page, users.next().map(|(index, _)| index.to_string()))
}

fn password_fits(password: &str) -> Result<(), Failure> {
    if password.is_empty() {
        return Err(Failure::illegal("password or pin must provided"));
    }
    if password.chars().count() > PASSWORD_CHARS_MAX {
        return Err(Failure::illegal(format!("a password holds at most {PASSWORD_CHARS_MAX} characters")));
    }
    Ok(())
}

fn nickname_fits(nickname: &str) -> Result<(), Failure> {
    if nickname.chars().count() > NICKNAME_CHARS_MAX {
        return Err(Failure::illegal(format!("a nickname holds at most {NICKNAME_CHARS_MAX} characters")));
    }
    Ok(())
}
