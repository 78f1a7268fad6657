//! NOTIFY (namespace 5): what the service tells clients of 4.x in JSON (wire-4x §6.3).
//!
//! It goes through the user's own queue, as all that the service tells: whoever is away hears of it later. What is to
//! be told, and whom, is each topic's own. Clients of 3.x pull such metas, acknowledge them and show nothing.

use fixtures::wire::{Jid, meta};
use serde_json::Value;

use super::account::UserIx;
use super::session::{DeviceId, Session};
use super::{Millis, Server};

impl Server {
    /// Tells a user's devices. With `but`, that one knows already, and so does whatever logs in for the first time
    /// later on: it is of what one device did and its user's others are to follow.
    pub(super) fn notify(&mut self, now: Millis, user: UserIx, but: Option<DeviceId>, news: &Value) {
        let payload = payload(news);
        match but {
            None => self.tell_service(now, user, meta::NameSpace::Notify, payload),
            Some(device) => self.tell_other_devices(now, user, device, meta::NameSpace::Notify, payload),
        }
    }

    /// The same to every device of many users, kept once; `from` is whom it is about.
    pub(super) fn notify_all(&mut self, now: Millis, users: &[UserIx], from: Jid, news: &Value) {
        self.tell_service_all(now, users, from, meta::NameSpace::Notify, payload(news));
    }

    /// The user's device of that resource, live or gone.
    pub(super) fn device_of(&self, user: UserIx, resource: &str) -> Option<DeviceId> {
        let state = self.accounts.user(user);
        let live = state.devices.iter().filter_map(|conn| self.sessions.get(conn).and_then(Session::live));
        let live = live.filter(|live| &*live.resource == resource).map(|live| live.reader.device).next();
        live.or_else(|| state.gone_device(resource))
    }
}

/// Compact, and every control character escaped: 4.x cannot read a byte below 0x10 there (wire-4x §6.3).
fn payload(news: &Value) -> Vec<u8> {
    serde_json::to_vec(news).expect("a Value is always JSON")
}
