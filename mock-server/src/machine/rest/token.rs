//! `POST /token`: a user's password for an access token (rest.md A.3, B.1).

use serde::Deserialize;
use serde_json::json;

use super::envelope::{application_uuid, uuid_of};
use super::users::entity;
use super::{Answer, Call, Failure, Success};
use crate::machine::account::{TokenOrigin, UserIx};
use crate::machine::{Millis, Server};

#[derive(Deserialize)]
struct Grant {
    grant_type: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    /// How long the token is to live, in s; 0: for ever.
    #[serde(default)]
    ttl: Option<u64>,
}

/// What "for ever" is: beyond any clock that a test moves.
const FOR_EVER_MS: u64 = 100 * 365 * 24 * 3_600_000;

pub(super) fn password(server: &mut Server, call: &Call<'_>) -> Answer {
    let grant: Grant = call.json()?;
    if grant.grant_type != "password" {
        return Err(Failure::illegal(format!(
            "grant_type {:?} is not served; password is",
            grant.grant_type
        )));
    }
    if !server.settings.serving {
        return Err(Failure::forbidden("Server serving disabled."));
    }
    let user = login(server, call.now, &grant)?;
    let ttl_ms = match grant.ttl {
        None => server.settings.token_ttl_ms,
        Some(0) => FOR_EVER_MS,
        Some(seconds) => seconds.saturating_mul(1_000),
    };
    let expires = Millis(call.now.0.saturating_add(ttl_ms));
    let number = server.allot_id();
    // "YWMt" as every token of the service begins; the rest is new each time and the same in each run.
    let token = format!("YWMt{}", uuid_of(&format!("{} {number}", server.app)).replace('-', ""));
    server.accounts.add_token(user, &token, expires, TokenOrigin::Issued);
    Ok(Success::Bare(json!({
        "access_token": token,
        "expires_in": ttl_ms / 1_000,
        "application": application_uuid(server),
        "user": entity(server, user),
    })))
}

fn login(server: &mut Server, now: Millis, grant: &Grant) -> Result<UserIx, Failure> {
    let known = server.accounts.find(&grant.username);
    let registered = known.filter(|&user| server.accounts.user(user).password.is_some());
    if let Some(user) = registered {
        let password = server.accounts.user(user).password.as_deref();
        return if password == Some(&grant.password) { Ok(user) } else { Err(Failure::wrong_password()) };
    }
    if server.settings.strict {
        return Err(Failure::user_not_found());
    }
    let user = super::users::make(server, now, &grant.username, &grant.password)?;
    server.warn(format!(
        "{}: user {:?} is new here and gets the password it brought",
        server.app, grant.username
    ));
    Ok(user)
}
