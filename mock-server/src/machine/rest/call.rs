//! One call of the API as its handler sees it: who asks, on which device, and what the query and the body say.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::Request;
use super::envelope::{Failure, Success};
use super::form::percent_decoded;
use crate::machine::account::{Caller, UserIx};
use crate::machine::conversation::Actor;
use crate::machine::session::DeviceId;
use crate::machine::{Millis, Server};

/// What a handler is given.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) now: Millis,
    pub(super) request: &'a Request,
    /// The `{id}`, `{user}` or `{users}` of the path.
    pub(super) first: &'a str,
    pub(super) second: &'a str,
    pub(super) third: &'a str,
}

/// What a handler gives back.
pub(super) type Answer = Result<Success, Failure>;

impl Call<'_> {
    /// Who asks: the app or a user. Everything but `/token` and registration wants a token (rest.md 0.2).
    pub(super) fn authority(&self, server: &Server) -> Result<Caller, Failure> {
        let Some(token) = self.request.token.as_deref() else { return Err(Failure::no_token()) };
        server.accounts.bearer(self.now, token).map_err(Failure::token)
    }

    /// Who asks, where a call is a user's own and the app cannot stand in for one.
    pub(super) fn caller(&self, server: &Server) -> Result<UserIx, Failure> {
        let Some(token) = self.request.token.as_deref() else { return Err(Failure::no_token()) };
        server.accounts.token(self.now, token).map_err(Failure::token)
    }

    /// Who asks, where only the app may.
    pub(super) fn app_only(&self, server: &Server) -> Result<(), Failure> {
        match self.authority(server)? {
            Caller::App => Ok(()),
            Caller::User(_) => Err(Failure::forbidden("this call needs an app token")),
        }
    }

    /// The user that the path names, for a call that users make for themselves and the app for anybody.
    pub(super) fn owner(&self, server: &Server, name: &str) -> Result<UserIx, Failure> {
        let found = server.accounts.existing(name);
        match self.authority(server)? {
            Caller::App => found.ok_or_else(Failure::user_not_found),
            Caller::User(caller) if found == Some(caller) => Ok(caller),
            Caller::User(_) => Err(Failure::forbidden(format!("{} is not yours", self.request.path))),
        }
    }

    /// As [`Call::owner`], where users may not do it themselves.
    pub(super) fn subject(&self, server: &Server, name: &str) -> Result<UserIx, Failure> {
        self.app_only(server)?;
        server.accounts.existing(name).ok_or_else(Failure::user_not_found)
    }

    /// The device of the user that asks, where the call says which (`resource` of the query): 4.x does, for its other
    /// devices to be told of what it did.
    pub(super) fn device(&self, server: &Server, user: UserIx) -> Option<DeviceId> {
        server.device_of(user, self.parameter("resource")?)
    }

    /// The user that asks, and on which device.
    pub(super) fn actor(&self, server: &Server, user: UserIx) -> Actor<'_> {
        let resource = self.parameter("resource").unwrap_or_default();
        Actor { user, resource, device: self.device(server, user) }
    }

    /// The first value of a name in the query, as it stands there.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        let mut pairs = self.request.query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|&(key, _)| key == name).map(|(_, value)| value)
    }

    /// As [`Call::parameter`], decoded: what is text for people is encoded by some browsers and not by others.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let value = percent_decoded(self.parameter(name)?.as_bytes());
        Some(String::from_utf8_lossy(&value).into_owned())
    }

    /// The body as the JSON object that the call wants. Serde alone would take an array of its fields as well. A
    /// field that is `null` is as good as absent: apps send a form's empty fields that way.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice::<Map<String, Value>>(&self.request.body)
            .and_then(|mut object| {
                object.retain(|_, value| !value.is_null());
                serde_json::from_value(Value::Object(object))
            })
            .map_err(|error| Failure::json(&error))
    }
}
