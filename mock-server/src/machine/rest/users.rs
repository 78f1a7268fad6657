//! `POST /users`: open registration (rest.md A.2, B.2).

use serde::Deserialize;
use serde_json::{Value, json};

use super::envelope::uuid_of;
use super::{Answer, Call, Failure, Success};
use crate::machine::account::{NameFault, UserIx};
use crate::machine::{Millis, Server};

#[derive(Deserialize)]
struct Registration {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    nickname: String,
}

/// The server-side documents on registration: a password has up to 64 characters, a nickname up to 100.
const PASSWORD_CHARS_MAX: usize = 64;
const NICKNAME_CHARS_MAX: usize = 100;

pub(super) fn register(server: &mut Server, call: &Call<'_>) -> Answer {
    let registration: Registration = call.json()?;
    if !server.settings.open_registration {
        return Err(Failure::registration_closed());
    }
    if registration.username.is_empty() {
        return Err(Failure::illegal("Entity user requires a property named username"));
    }
    if registration.nickname.chars().count() > NICKNAME_CHARS_MAX {
        return Err(Failure::illegal(format!("a nickname holds at most {NICKNAME_CHARS_MAX} characters")));
    }
    let known = server.accounts.find(&registration.username);
    if known.is_some_and(|user| server.accounts.user(user).password.is_some()) {
        return Err(Failure::duplicate_user(&registration.username.to_ascii_lowercase()));
    }
    let user = make(server, call.now, &registration.username, &registration.password)?;
    server.accounts.user_mut(user).nickname = registration.nickname;
    Ok(Success::entity(entity(server, user)))
}

/// A user with a password, made or taken over from somebody's having written to the name.
pub(super) fn make(server: &mut Server, now: Millis, name: &str, password: &str) -> Result<UserIx, Failure> {
    if password.is_empty() {
        return Err(Failure::illegal("password or pin must provided"));
    }
    if password.chars().count() > PASSWORD_CHARS_MAX {
        return Err(Failure::illegal(format!("a password holds at most {PASSWORD_CHARS_MAX} characters")));
    }
    let user = server.accounts.find_or_make(now, name).map_err(|fault| match fault {
        NameFault::Illegal => Failure::illegal("username is not legal"),
        NameFault::TooMany => Failure::limit("this world holds no more users"),
    })?;
    server.accounts.user_mut(user).password = Some(password.into());
    Ok(user)
}

/// A user as the API shows one.
pub(super) fn entity(server: &Server, user: UserIx) -> Value {
    let name = server.accounts.name(user);
    let state = server.accounts.user(user);
    let mut entity = json!({
        "uuid": uuid_of(&format!("{} user {name}", server.app)),
        "type": "user",
        "created": state.created.0,
        "modified": state.created.0,
        "username": name,
        "activated": true,
    });
    if !state.nickname.is_empty() {
        entity["nickname"] = state.nickname.as_str().into();
    }
    entity
}
