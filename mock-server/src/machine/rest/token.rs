//! `POST /token`: access tokens for users and for the app itself (rest.md A.3, B.1), and when a user's ends.
//!
//! A token is looked at when it comes with a login or a request. That it ends ends no connection: our guess.

use serde::Deserialize;
#[cfg(feature = "shell")]
use serde_json::Value;
use serde_json::json;

use super::envelope::{application_uuid, uuid_of};
use super::users::entity;
use super::{Answer, Call, Failure, Success};
use crate::machine::account::{TOKEN_BYTES_MAX, TokenFault, TokenOrigin, UserIx};
use crate::machine::{Millis, Server};

#[derive(Deserialize)]
struct Grant {
    grant_type: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    client_id: String,
    #[serde(default)]
    client_secret: String,
    /// A user that is not there is made.
    #[serde(default, rename = "autoCreateUser")]
    auto_create_user: bool,
    /// How long the token is to live, in s; 0: for ever.
    #[serde(default)]
    ttl: Option<u64>,
}

/// What "for ever" is: beyond any clock that a test moves.
const FOR_EVER_MS: u64 = 100 * 365 * 24 * 3_600_000;

/// Whose token a `POST` of this path and body asks for by a password; `None`: it asks for none.
#[cfg(feature = "shell")]
pub(crate) fn asked_for(path: &str, body: &[u8]) -> Option<String> {
    if path != "/token" {
        return None;
    }
    let grant: Value = serde_json::from_slice(body).ok()?;
    let is_by_password = grant.get("grant_type").and_then(Value::as_str) == Some("password");
    grant.get("username").and_then(Value::as_str).filter(|_| is_by_password).map(str::to_owned)
}

pub(super) fn grant(server: &mut Server, call: &Call<'_>) -> Answer {
    let grant: Grant = call.json()?;
    let user = match grant.grant_type.as_str() {
        "password" => {
            serving(server)?;
            Some(login(server, call.now, &grant)?)
        }
        "client_credentials" => {
            know_client(server, &grant)?;
            None
        }
        "inherit" => {
            call.app_only(server)?;
            serving(server)?;
            Some(inherit(server, call.now, &grant)?)
        }
        other => {
            return Err(Failure::illegal(format!(
                "grant_type {other:?} is not served; password, client_credentials and inherit are"
            )));
        }
    };
    let ttl_ms = match grant.ttl {
        None => server.settings.token_ttl_ms,
        Some(0) => FOR_EVER_MS,
        Some(seconds) => seconds.saturating_mul(1_000),
    };
    let expires = Millis(call.now.0.saturating_add(ttl_ms));
    let number = server.allot_id();
    // "YWMt" as every token of the service begins; the rest is new each time and the same in each run.
    let token = format!("YWMt{}", uuid_of(&format!("{} {number}", server.app)).replace('-', ""));
    match user {
        Some(user) => server.accounts.add_token(user, &token, expires, TokenOrigin::Issued),
        None => server.accounts.add_app_token(&token, expires),
    }
    let mut body = json!({
        "access_token": token,
        "expires_in": ttl_ms / 1_000,
        "application": application_uuid(server),
    });
    if let Some(user) = user {
        body["user"] = entity(server, user);
    }
    Ok(Success::Bare(body))
}

/// `GET /sdk/users/{user}/token/expires`: when the token ends that asks. 4.x asks it before it goes on with another
/// token (wire-4x §7), which nobody else is told of.
pub(super) fn expires(server: &mut Server, call: &Call<'_>) -> Answer {
    let Some(token) = call.request.token.as_deref() else { return Err(Failure::no_token()) };
    let named = server.accounts.existing(call.first);
    let expires = match (server.accounts.token_until(call.now, token), named) {
        (Ok((bearer, expires)), named) if named == Some(bearer) => expires,
        (Ok(_), _) => return Err(Failure::forbidden(format!("{} is not yours", call.request.path))),
        // Whoever may log in with a token may go on with it.
        (Err(TokenFault::Unknown), Some(user))
            if !server.settings.strict && token.len() <= TOKEN_BYTES_MAX =>
        {
            server.take_brought_token(call.now, user, token)
        }
        (Err(fault), _) => return Err(Failure::token(fault)),
    };
    Ok(Success::bare(call, "expire_timestamp", expires.0.into()))
}

/// Whether anybody is let in at all; the app still reaches its users when nobody is.
fn serving(server: &Server) -> Result<(), Failure> {
    if server.settings.serving { Ok(()) } else { Err(Failure::forbidden("Server serving disabled.")) }
}

fn login(server: &mut Server, now: Millis, grant: &Grant) -> Result<UserIx, Failure> {
    let known = server.accounts.find(&grant.username);
    let registered = known.filter(|&user| server.accounts.user(user).password.is_some());
    if let Some(user) = registered {
        let password = server.accounts.user(user).password.as_deref();
        if password != Some(&grant.password) {
            return Err(Failure::wrong_password());
        }
        return if server.accounts.user(user).deactivated { Err(deactivated()) } else { Ok(user) };
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

/// In a lax world any client is the app's: nobody at a desk knows what to write there.
fn know_client(server: &Server, grant: &Grant) -> Result<(), Failure> {
    let settings = &server.settings;
    if !settings.strict {
        return Ok(());
    }
    if grant.client_id != settings.client_id {
        return Err(Failure::invalid_grant("client_id does not match"));
    }
    if grant.client_secret != settings.client_secret {
        return Err(Failure::invalid_grant("client_secret does not match"));
    }
    Ok(())
}

/// A token for any user, without the password, asked for by the app.
fn inherit(server: &mut Server, now: Millis, grant: &Grant) -> Result<UserIx, Failure> {
    if let Some(user) = server.accounts.existing(&grant.username) {
        return if server.accounts.user(user).deactivated { Err(deactivated()) } else { Ok(user) };
    }
    if !grant.auto_create_user {
        return Err(Failure::user_not_found());
    }
    // Nobody is told the password: such a user comes in by tokens alone, until the app sets one.
    let number = server.allot_id();
    let password = uuid_of(&format!("{} password {number}", server.app));
    super::users::make(server, now, &grant.username, &password)
}

fn deactivated() -> Failure {
    Failure::invalid_grant("user not activated")
}
