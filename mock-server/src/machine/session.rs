//! One connection: from its first frame to its end, and the devices of a user.
//!
//! Login is PROVISION (wire-3x §2.2, wire-4x §3.2). Only PROVISION and sends name their user: everything else
//! belongs to whoever this connection logged in as.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use bytes::Bytes;
use fixtures::wire::{
    AUTH_PREFIX, Frame, Jid, MSync, Meta, Provision, StatisticsBody, Status, USER_DOMAIN, meta,
    statistics_body, status,
};
use prost::Message as _;
use serde::Deserialize;

use super::account::{GoneDevice, NameFault, TOKEN_BYTES_MAX, TokenFault, TokenOrigin, UserIx};
use super::fault::LoginFault;
use super::log::ConvIx;
use super::message::SentIds;
use super::presence::{self, Way};
use super::queue::Cursor;
use super::{CLOSE_POLICY, Close, ConnId, Millis, Output, Server, encode};
use crate::control::ExtraDevice;

/// A connection that this world was handed.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub(super) state: State,
}

#[derive(Clone, Debug)]
pub(super) enum State {
    /// Not logged in.
    Opened,
    /// A device of a user.
    Live(Box<Live>),
    /// Told to go; what still comes is not looked at.
    Closing,
}

/// A device of a user, the same over all its connections for as long as it comes back under its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct DeviceId(pub(super) NonZeroU64);

/// Who reads: all that decides whether a message is for a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    pub(super) device: DeviceId,
    pub(super) user: UserIx,
    /// The user's own messages below this id were sent before this device was first there.
    pub(super) first_own_id: u64,
}

/// A logged-in device.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) reader: Reader,
    pub(super) resource: Box<str>,
    /// The device's `JID`, encoded: the sender of every message it sends.
    pub(super) jid: Box<[u8]>,
    pub(super) cursors: BTreeMap<ConvIx, Cursor>,
    pub(super) sent: SentIds,
    /// What those who subscribed to the user's presence are shown of the device.
    pub(super) presence: u8,
    /// How often the device has come back.
    pub(super) returns: u16,
}

/// Why a device is told to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kick {
    /// Another device of the user logged in (SDKs: 206).
    OtherDevice,
    /// The user is no more (207).
    Removed,
    /// The password was changed (216).
    PasswordChanged,
    /// An operator wants it gone (217).
    Disconnected,
}

/// rest.md B.8: same-platform logins of one user.
const DEVICES_PER_USER_MAX: usize = 4;
/// A resource is a file-name-like word in every SDK; a bound on what is kept of it.
const RESOURCE_BYTES_MAX: usize = 128;
/// RFC 6455 §7.4.1.
const CLOSE_NORMAL: u16 = 1000;

impl Live {
    /// What is remembered of the device when it goes; `next_id` is the world's next message id.
    pub(super) fn leaving(&self, next_id: u64) -> GoneDevice {
        GoneDevice {
            device: self.reader.device,
            first_own_id: self.reader.first_own_id,
            sent: self.sent.clone(),
            positions: self.cursors.iter().map(|(&conv, cursor)| (conv, cursor.position())).collect(),
            next_id,
            returned: self.returns,
        }
    }
}

impl Session {
    pub(super) fn opened() -> Self {
        Self { state: State::Opened }
    }

    pub(super) fn live(&self) -> Option<&Live> {
        match &self.state {
            State::Live(live) => Some(live),
            State::Opened | State::Closing => None,
        }
    }

    pub(super) fn live_mut(&mut self) -> Option<&mut Live> {
        match &mut self.state {
            State::Live(live) => Some(live),
            State::Opened | State::Closing => None,
        }
    }

    pub(super) fn is_closing(&self) -> bool {
        matches!(self.state, State::Closing)
    }
}

/// Who may come in, and until when its token opens anything.
struct Admitted {
    user: UserIx,
    expires: Millis,
}

/// A login that was refused: the status, and the words that SDKs map to their error types (wire-4x §3.3).
struct Refusal(status::ErrorCode, &'static str);

impl Server {
    /// PROVISION: log the connection in, or refuse it and close.
    pub(super) fn provision(&mut self, now: Millis, conn: ConnId, frame: Bytes) {
        let msync = match Frame::decode(frame) {
            Ok(frame) => frame.msync,
            Err(error) => {
                self.finding(conn, "recv.bad-frame", error.to_string());
                self.refuse_sync(conn, None, status::ErrorCode::PbParserError, "not an MSync frame");
                return self.end(conn, Close::Code(CLOSE_POLICY));
            }
        };
        match self.login_fault(&msync) {
            None => {}
            Some(LoginFault::Drop) => return,
            Some(LoginFault::Refuse { code, reason }) => return self.refuse_login(conn, code, &reason),
        }
        let payload = msync.payload.clone().unwrap_or_default();
        let decoded = Provision::decode(payload).map_err(|error| {
            self.finding(conn, "recv.bad-frame", format!("payload is not a Provision: {error}"));
            Refusal(status::ErrorCode::PbParserError, "payload is not a Provision")
        });
        let outcome = decoded.and_then(|provision| {
            let Admitted { user, expires } = self.admit(now, conn, &msync, &provision)?;
            let resource = resource_of(&msync, &provision).unwrap_or_else(|| format!("webim_{}", now.0));
            if self.settings.extra_device == ExtraDevice::IsRefused && self.is_extra(conn, user, &resource) {
                // SDKs look at the code alone (wire-4x §3.3); the words are ours.
                return Err(Refusal(status::ErrorCode::TooManyDevices, "too many devices"));
            }
            // Only 4.x sends its token so, and wants to know when it ends (wire-4x §3.2, §3.3).
            let auth_token =
                provision.auth_token.is_some().then(|| format!(r#"{{"expires_in":{}}}"#, expires.0));
            let welcome = Provision {
                status: Some(encode::ok()),
                resource: Some(resource),
                auth_token,
                ..Provision::default()
            };
            Ok((user, welcome))
        });
        match outcome {
            Ok((user, welcome)) => self.log_in(now, conn, user, welcome),
            Err(Refusal(code, reason)) => self.refuse_login(conn, code as i32, reason),
        }
    }

    /// The client does not close the connection of a refused login (wire-4x §3.3), so the server does.
    pub(super) fn refuse_login(&mut self, conn: ConnId, code: i32, reason: &str) {
        let status =
            Status { error_code: Some(code), reason: Some(reason.into()), redirect_info: Vec::new() };
        self.send_provision(conn, &Provision { status: Some(status), ..Provision::default() });
        self.end(conn, Close::Code(CLOSE_POLICY));
    }

    fn login_fault(&mut self, msync: &MSync) -> Option<LoginFault> {
        let name = msync.guid.as_ref().and_then(|guid| guid.name.as_deref())?;
        self.faults.take_login(self.accounts.find(name)?)
    }

    /// LOGOUT of 4.x: the device is gone though its socket is not yet.
    pub(super) fn logout(&mut self, conn: ConnId) {
        self.end(conn, Close::Code(CLOSE_NORMAL));
    }

    /// The socket is gone.
    pub(super) fn closed(&mut self, conn: ConnId) {
        self.retire(conn);
        self.sessions.shift_remove(&conn);
    }

    /// The connection stops being a device. Kept until its socket is gone.
    pub(super) fn retire(&mut self, conn: ConnId) {
        let Some(session) = self.sessions.get_mut(&conn) else { return };
        if let State::Live(live) = std::mem::replace(&mut session.state, State::Closing) {
            self.accounts.user_mut(live.reader.user).devices.retain(|&device| device != conn);
            self.presence.moved(live.reader.user, &live.resource, Way::Went);
            let device = live.leaving(self.next_id);
            self.accounts.user_mut(live.reader.user).remember(&live.resource, device);
        }
    }

    /// Tells a device why it goes, and closes its socket: clients do not do it themselves (wire-3x §5.2).
    pub(super) fn kick(&mut self, now: Millis, conn: ConnId, why: Kick) {
        let Some(live) = self.sessions.get(&conn).and_then(Session::live) else { return };
        let jid = self.jid(live.reader.user, None);
        let operation = match why {
            Kick::OtherDevice => statistics_body::Operation::UserLoginAnotherDevice,
            Kick::Removed => statistics_body::Operation::UserRemoved,
            Kick::PasswordChanged => statistics_body::Operation::UserKickedByChangePassword,
            Kick::Disconnected => statistics_body::Operation::UserKickedByOtherDevice,
        };
        let body = StatisticsBody { operation: Some(operation as i32), ..StatisticsBody::default() };
        let meta = Meta {
            id: Some(self.allot_id()),
            from: Some(jid.clone()),
            to: Some(jid.clone()),
            timestamp: Some(now.0),
            ns: Some(meta::NameSpace::Statistic as i32),
            payload: Some(body.encode_to_vec().into()),
            ..Meta::default()
        };
        self.send(conn, encode::pushed(meta, jid));
        self.end(conn, Close::Code(CLOSE_POLICY));
    }

    /// How the server names a user, or a device.
    pub(super) fn jid(&self, user: UserIx, resource: Option<&str>) -> Jid {
        Jid {
            app_key: Some(self.app.to_string()),
            name: Some(self.accounts.name(user).to_owned()),
            domain: Some(USER_DOMAIN.into()),
            client_resource: resource.map(str::to_owned),
        }
    }

    fn admit(
        &mut self,
        now: Millis,
        conn: ConnId,
        msync: &MSync,
        provision: &Provision,
    ) -> Result<Admitted, Refusal> {
        use status::ErrorCode;
        const NO_MATCH: &str = "Sorry, token or password does not match login info";
        if !self.settings.serving {
            return Err(Refusal(ErrorCode::ImForbidden, "Server serving disabled."));
        }
        let name = msync.guid.as_ref().and_then(|guid| guid.name.as_deref()).unwrap_or_default();
        if name.is_empty() {
            return Err(Refusal(ErrorCode::WrongParameter, "guid.name is empty"));
        }
        if let Some(live) = self.sessions.get(&conn).and_then(Session::live) {
            let same = self.accounts.find(name) == Some(live.reader.user);
            self.finding(conn, "conn.login-password", "a second PROVISION on one connection".into());
            if !same {
                return Err(Refusal(ErrorCode::WrongParameter, "this connection is another user's"));
            }
        }
        let Some(token) = token_of(msync, provision) else { return Err(Refusal(ErrorCode::Fail, NO_MATCH)) };
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refusal(ErrorCode::Fail, NO_MATCH));
        }
        let known = self.accounts.find(name);
        if known.is_some_and(|user| self.accounts.user(user).deactivated) {
            return Err(Refusal(ErrorCode::Fail, "Sorry, user not activated"));
        }
        match self.accounts.token_until(now, &token) {
            Ok((user, expires)) if Some(user) == known => Ok(Admitted { user, expires }),
            Err(TokenFault::Expired) => Err(Refusal(ErrorCode::Fail, "Sorry, token expired")),
            Ok(_) if self.settings.strict || !self.accounts.is_brought(&token) => {
                Err(Refusal(ErrorCode::Fail, NO_MATCH))
            }
            Err(TokenFault::Apps) => Err(Refusal(ErrorCode::Fail, NO_MATCH)),
            Err(TokenFault::Unknown) if self.settings.strict => {
                let reason = if known.is_some() { NO_MATCH } else { "Sorry, user not found" };
                Err(Refusal(ErrorCode::Fail, reason))
            }
            Ok(_) | Err(TokenFault::Unknown) => {
                let user = self.find_or_make_user(now, name).map_err(|fault| match fault {
                    NameFault::Illegal => Refusal(ErrorCode::WrongParameter, "username is not legal"),
                    NameFault::TooMany => Refusal(ErrorCode::Fail, "Sorry, user register limit"),
                    NameFault::Mucs => Refusal(ErrorCode::WrongParameter, "username is not legal"),
                })?;
                let expires = self.take_brought_token(now, user, &token);
                Ok(Admitted { user, expires })
            }
        }
    }

    /// What a lax world does with a token that it does not know. Says when it ends.
    pub(super) fn take_brought_token(&mut self, now: Millis, user: UserIx, token: &str) -> Millis {
        let expires = Millis(now.0.saturating_add(self.settings.token_ttl_ms));
        self.accounts.add_token(user, token, expires, TokenOrigin::Brought);
        let name = self.accounts.name(user);
        self.warn(format!(
            "{}: an unknown access token is taken for user {name:?}, who brought it",
            self.app
        ));
        expires
    }

    fn log_in(&mut self, now: Millis, conn: ConnId, user: UserIx, mut welcome: Provision) {
        if let Some(live) = self.sessions.get(&conn).and_then(Session::live) {
            // The device that it is already, whatever it calls itself now.
            welcome.resource = Some((*live.resource).to_owned());
            return self.send_provision(conn, &welcome);
        }
        let resource = welcome.resource.as_deref().unwrap_or_default();
        self.make_room(now, conn, user, resource);
        self.tell_missed_readers(now, user);
        let gone = self.accounts.user_mut(user).take_gone(resource);
        let device = gone.as_ref().map_or_else(|| self.allot_device(), |gone| gone.device);
        let first_own_id = gone.as_ref().map_or(self.next_id, |gone| gone.first_own_id);
        let live = Live {
            reader: Reader { device, user, first_own_id },
            resource: resource.into(),
            jid: self.jid(user, Some(resource)).encode_to_vec().into(),
            cursors: self.initial_cursors(user, gone.as_ref()),
            returns: gone.as_ref().map_or(0, GoneDevice::returns),
            sent: gone.map(|gone| gone.sent).unwrap_or_default(),
            presence: presence::ONLINE,
        };
        let Some(session) = self.sessions.get_mut(&conn) else { return };
        session.state = State::Live(Box::new(live));
        self.accounts.user_mut(user).devices.push(conn);
        self.presence.moved(user, resource, Way::Came);
        self.outputs.push_back(Output::LoggedIn {
            conn,
            user: self.accounts.name(user).to_owned(),
            resource: resource.to_owned(),
        });
        self.send_provision(conn, &welcome);
    }

    pub(super) fn allot_device(&mut self) -> DeviceId {
        let device = DeviceId(self.next_device);
        self.next_device = self.next_device.saturating_add(1);
        device
    }

    /// Who a device of the user would be that has never been here.
    pub(super) fn newcomer(&self, user: UserIx) -> Reader {
        Reader { device: DeviceId(self.next_device), user, first_own_id: self.next_id }
    }

    /// Whether the login makes one device more than the user can have.
    fn is_extra(&self, conn: ConnId, user: UserIx, resource: &str) -> bool {
        let devices = &self.accounts.user(user).devices;
        let others = devices.iter().filter(|&&device| device != conn && !self.is_device(device, resource));
        !devices.contains(&conn) && others.count() >= self.devices_max()
    }

    fn is_device(&self, conn: ConnId, resource: &str) -> bool {
        let live = self.sessions.get(&conn).and_then(Session::live);
        live.is_some_and(|live| &*live.resource == resource)
    }

    fn devices_max(&self) -> usize {
        if self.settings.one_device { 1 } else { DEVICES_PER_USER_MAX }
    }

    /// The same device again replaces the old one silently; other devices go as the world's rules say.
    fn make_room(&mut self, now: Millis, conn: ConnId, user: UserIx, resource: &str) {
        for device in self.accounts.user(user).devices.clone() {
            if device != conn && self.is_device(device, resource) {
                self.end(device, Close::Code(CLOSE_NORMAL));
            }
        }
        let room = self.devices_max();
        let devices = self.accounts.user(user).devices.clone();
        let over = (devices.len() + 1).saturating_sub(room);
        for &device in devices.iter().take(over) {
            self.kick(now, device, Kick::OtherDevice);
        }
    }
}

/// `MSync.auth` in every SDK; 3.x repeats it in the payload, 4.x has it there as JSON.
fn token_of(msync: &MSync, provision: &Provision) -> Option<String> {
    #[derive(Deserialize)]
    struct AuthToken {
        token: String,
    }
    let json = provision.auth_token.as_deref().and_then(|text| serde_json::from_str::<AuthToken>(text).ok());
    let candidates =
        [msync.auth.as_deref(), provision.auth.as_deref(), json.as_ref().map(|json| json.token.as_str())];
    candidates
        .into_iter()
        .flatten()
        .map(|text| text.strip_prefix(AUTH_PREFIX).unwrap_or(text))
        .find(|token| !token.is_empty())
        .map(str::to_owned)
}

fn resource_of(msync: &MSync, provision: &Provision) -> Option<String> {
    let guid = msync.guid.as_ref().and_then(|guid| guid.client_resource.as_deref());
    let resource = provision.resource.as_deref().filter(|resource| !resource.is_empty()).or(guid)?;
    let ends = resource.char_indices().map(|(at, char)| at + char.len_utf8());
    let kept = &resource[..ends.take_while(|&end| end <= RESOURCE_BYTES_MAX).last().unwrap_or(0)];
    (!kept.is_empty()).then(|| kept.to_owned())
}
