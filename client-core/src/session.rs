//! A session from login to the end: token, dial, PROVISION, heartbeats, and what happens when links break.
//!
//! Each state owns what it needs and is consumed when left. What is queued (messages, pulls, calls) lives
//! beside it and outlasts a link. Nothing here dials or waits; it says what to dial and until when.

use bytes::Bytes;
use fixtures::wire::m_sync::Command;
use fixtures::wire::provision::{CompressType, OsType};
use fixtures::wire::{AUTH_PREFIX, EncryptType, MSync, Provision};
use prost::Message as _;

use crate::client::{Client, LinkId, Transmit};
use crate::error::{CommandError, Failure};
use crate::event::Event;
use crate::message::{Identity, LocalId, bare_frame};
use crate::outbox::Outgoing;
use crate::receipt::{Kind, Receipt};
use crate::rest::{CallId, HttpAnswer, HttpMethod, HttpRequest, Refusal, read_info, read_token};
use crate::timer::{Millis, Timer};

/// How long each step of a login may take, in ms, as in 4.x (wire-4x §3.3).
pub(crate) const LOGIN_LIMIT_MS: u64 = 10_000;
/// How often UNREAD is sent, in ms: the default of every SDK (wire-3x §3.1).
const HEARTBEAT_MS: u64 = 30_000;
/// How long nothing at all may come after a heartbeat, in ms, before the peer counts as dead. Half the
/// heartbeat: a dead peer is known before the next one is due.
const SILENCE_MS: u64 = 15_000;
/// What each redial but the first waits longer than the one before, in ms (wire-3x §6.2).
const BACK_OFF_MS: u64 = 500;
/// The longest wait before a redial, in ms.
const BACK_OFF_LIMIT_MS: u64 = 10_000;
/// How long a link must have been open, in ms, before its loss is dialled again at once. A login alone proves
/// nothing: where two devices have one name, each login ends the other's link within moments. Ten steps of
/// the back-off: two that fight are soon slower than this, and a link that a person worked on was longer up.
const PROVEN_MS: u64 = 5_000;

/// Why a request failed that was given up.
const LATE: &str = "no answer in time";

#[derive(Debug, Default)]
pub(crate) enum Session {
    /// Nobody is logged in.
    #[default]
    Out,
    /// The token was asked for.
    Token { call: CallId },
    /// The SockJS door was asked whether it is there.
    Info { login: Login, call: CallId },
    /// A WebSocket is being opened, or is open and has yet to say `o`.
    Dialing { login: Login, link: LinkId, up: bool },
    /// PROVISION was sent.
    Provisioning { login: Login, link: LinkId },
    /// PROVISION was answered. `mending`: an UNREAD is out to find what an unreadable frame may have held.
    Online { login: Login, link: LinkId, me: Identity, mending: bool, proof: Proof },
    /// No link; waits for the back-off, or for the network.
    Waiting { login: Login },
}

/// What outlasts a link.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) token: String,
    /// Whether `opened` was ever told: from then on the end is told by `closed`, and messages are queued
    /// while the link is down.
    opened: bool,
    /// Redials since the last successful login: what the budget is counted in.
    redials: u32,
    /// Redials since a link last proved itself, whether a login came of them or not: what the next one waits
    /// by.
    back_off: u32,
}

/// What a link has shown of being more than a login.
#[derive(Debug)]
pub(crate) struct Proof {
    since: Millis,
    /// Whether an UNREAD was answered on it.
    pub(crate) answered: bool,
}

impl Proof {
    fn holds(&self, now: Millis) -> bool {
        self.answered && now.since(self.since) >= PROVEN_MS
    }
}

impl Login {
    pub(crate) fn new(token: String) -> Self {
        Self { token, opened: false, redials: 0, back_off: 0 }
    }

    /// For one more redial.
    fn again(self) -> Self {
        let (redials, back_off) = (self.redials.saturating_add(1), self.back_off.saturating_add(1));
        Self { redials, back_off, ..self }
    }

    /// After the loss of a link that was logged in.
    fn after(self, now: Millis, proof: &Proof) -> Self {
        let back_off = if proof.holds(now) { 0 } else { self.back_off };
        Self { back_off, ..self }
    }
}

impl Session {
    pub(crate) fn must_be_out(&self) -> Result<(), CommandError> {
        match self {
            Self::Out => Ok(()),
            _ if self.is_open() => Err(CommandError::AlreadyLoggedIn),
            _ => Err(CommandError::LoginInProgress),
        }
    }

    /// Whether commands are taken: logged in, or between two links.
    pub(crate) fn is_open(&self) -> bool {
        self.open_login().is_some()
    }

    pub(crate) fn open_login(&self) -> Option<&Login> {
        match self {
            Self::Out | Self::Token { .. } => None,
            Self::Info { login, .. }
            | Self::Dialing { login, .. }
            | Self::Provisioning { login, .. }
            | Self::Online { login, .. }
            | Self::Waiting { login } => Some(login).filter(|login| login.opened),
        }
    }

    /// The call of a login that is under way.
    pub(crate) fn login_call(&self) -> Option<CallId> {
        match self {
            Self::Token { call } | Self::Info { call, .. } => Some(*call),
            Self::Out
            | Self::Dialing { .. }
            | Self::Provisioning { .. }
            | Self::Online { .. }
            | Self::Waiting { .. } => None,
        }
    }

    pub(crate) fn link(&self) -> Option<LinkId> {
        match self {
            Self::Out | Self::Token { .. } | Self::Info { .. } | Self::Waiting { .. } => None,
            Self::Dialing { link, .. } | Self::Provisioning { link, .. } | Self::Online { link, .. } => {
                Some(*link)
            }
        }
    }
}

/// Getting in.
impl Client {
    pub(crate) fn dial(&mut self, now: Millis, login: Login) {
        self.timers.stop(Timer::Redial);
        self.start_login_timer(now);
        if let Some(url) = self.config.door.info_url(now) {
            let call = self.next_call_id();
            self.transmit(Transmit::Http(HttpRequest::new(call, HttpMethod::Get, url)));
            self.session = Session::Info { login, call };
        } else {
            self.dial_link(now, login);
        }
    }

    fn dial_link(&mut self, now: Millis, login: Login) {
        self.links += 1;
        let link = LinkId(self.links);
        let url = self.config.door.dial_url(self.dial_seed(now));
        self.transmit(Transmit::Dial { link, url });
        self.session = Session::Dialing { login, link, up: false };
    }

    /// Differs between dials, and between devices that dial at the same time.
    fn dial_seed(&self, now: Millis) -> u64 {
        let name = self.config.username.bytes().chain([0]).chain(self.config.device.bytes());
        let device = name.fold(0_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
        device.rotate_left(32) ^ now.0 ^ (self.links << 48)
    }

    pub(crate) fn dialed(&mut self, now: Millis, dialed: LinkId) {
        self.session = match std::mem::take(&mut self.session) {
            Session::Dialing { login, link, .. } if link == dialed => {
                if self.config.door.waits_for_open() {
                    Session::Dialing { login, link, up: true }
                } else {
                    self.provision(now, login, link)
                }
            }
            other => other,
        };
    }

    pub(crate) fn provision(&mut self, now: Millis, login: Login, link: LinkId) -> Session {
        self.start_login_timer(now);
        let resource = self.config.resource();
        let auth = format!("{AUTH_PREFIX}{}", login.token);
        let provision = Provision {
            os_type: Some(OsType::OsOther.into()),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            compress_type: vec![CompressType::CompressNone.into()],
            encrypt_type: vec![EncryptType::EncryptNone.into()],
            device_uuid: Some(resource.clone()),
            device_name: Some(resource.clone()),
            resource: Some(resource.clone()),
            auth: Some(auth.clone()),
            ..Provision::default()
        };
        let frame = MSync {
            guid: Some(self.identity(resource).jid()),
            auth: Some(auth),
            payload: Some(provision.encode_to_vec().into()),
            device_id: Some(0),
            ..bare_frame(Command::Provision)
        };
        self.transmit_frame(link, &frame);
        Session::Provisioning { login, link }
    }

    pub(crate) fn provision_answered(&mut self, now: Millis, payload: Bytes) {
        let (login, link) = match std::mem::take(&mut self.session) {
            Session::Provisioning { login, link } => (login, link),
            // A second answer changes nothing.
            other => {
                self.session = other;
                return;
            }
        };
        let refusal = match Provision::decode(payload) {
            Err(error) => Failure::unreadable("PROVISION", error.to_string()),
            Ok(Provision { status: None, .. }) => {
                Failure::unreadable("PROVISION", "the answer has no status")
            }
            Ok(Provision { status: Some(status), resource, .. }) => {
                if status.error_code.unwrap_or_default() == 0 {
                    let resource = resource.filter(|resource| !resource.is_empty());
                    let me = self.identity(resource.unwrap_or_else(|| self.config.resource()));
                    self.open(now, login, link, me);
                    return;
                }
                Failure::of_provision(&status)
            }
        };
        self.refuse(login.opened, Some(link), refusal);
    }

    fn open(&mut self, now: Millis, login: Login, link: LinkId, me: Identity) {
        self.timers.stop(Timer::Login);
        self.timers.set(Timer::Heartbeat, now.after(HEARTBEAT_MS));
        self.tell(Event::Opened);
        let login = Login { opened: true, redials: 0, ..login };
        let proof = Proof { since: now, answered: false };
        self.session = Session::Online { login, link, me, mending: false, proof };
        self.transmit_frame(link, &bare_frame(Command::Unread));
    }

    fn identity(&self, resource: String) -> Identity {
        Identity { app_key: self.config.app_key.clone(), username: self.config.username.clone(), resource }
    }

    pub(crate) fn http_answered(&mut self, now: Millis, id: CallId, answer: Result<HttpAnswer, String>) {
        match std::mem::take(&mut self.session) {
            Session::Token { call } if call == id => {
                let token = match &answer {
                    Ok(good) => read_token(good).map_err(|refusal| match refusal {
                        Refusal::Refused => Failure::of_token(Ok(good)),
                        Refusal::Unreadable(reason) => Failure::of_token(Err(&reason)),
                    }),
                    Err(reason) => Err(Failure::of_token(Err(reason))),
                };
                match token {
                    Ok(token) => self.dial(now, Login::new(token)),
                    Err(failure) => self.refuse(false, None, failure),
                }
            }
            Session::Info { login, call } if call == id => match answer.and_then(|answer| read_info(&answer))
            {
                Ok(()) => self.dial_link(now, login),
                Err(reason) => self.lost(now, login, false, &reason),
            },
            other => {
                self.session = other;
                if let Some(call) = self.calls.answered(id) {
                    self.call_answered(id, call, answer);
                } else if let Some(upload) = self.uploads.answered(id) {
                    self.upload_answered(upload, answer);
                } else if self.downloads.answered(id).is_some() {
                    self.download_answered(id, answer);
                }
            }
        }
    }
}

/// Losing the link, and the end.
impl Client {
    pub(crate) fn hung_up(&mut self, now: Millis, gone: LinkId, reason: &str) {
        match std::mem::take(&mut self.session) {
            Session::Dialing { login, link, up } if link == gone => self.lost(now, login, up, reason),
            Session::Provisioning { login, link } if link == gone => self.lost(now, login, true, reason),
            Session::Online { login, link, proof, .. } if link == gone => {
                self.lost(now, login.after(now, &proof), true, reason);
            }
            other => self.session = other,
        }
    }

    /// Gives up the present link, or the present attempt at one, for a reason of our own.
    pub(crate) fn abandon(&mut self, now: Millis, reason: &str) {
        match std::mem::take(&mut self.session) {
            Session::Token { call } => {
                self.transmit(Transmit::Cancel { call });
                self.refuse(false, None, Failure::of_token(Err(reason)));
            }
            Session::Info { login, call } => {
                self.transmit(Transmit::Cancel { call });
                self.lost(now, login, false, reason);
            }
            Session::Dialing { login, link, up } => {
                self.transmit(Transmit::HangUp { link });
                self.lost(now, login, up, reason);
            }
            Session::Provisioning { login, link } => {
                self.transmit(Transmit::HangUp { link });
                self.lost(now, login, true, reason);
            }
            Session::Online { login, link, proof, .. } => {
                self.transmit(Transmit::HangUp { link });
                self.lost(now, login.after(now, &proof), true, reason);
            }
            other @ (Session::Out | Session::Waiting { .. }) => self.session = other,
        }
    }

    /// There is no link. Error 16 is told for each link that was up, and for a first login that finds no
    /// way in; redials that fail are silent.
    fn lost(&mut self, now: Millis, login: Login, was_up: bool, reason: &str) {
        self.timers.stop_all();
        self.inbox.link_lost();
        let given_up = self.outbox.link_lost();
        if was_up || (!login.opened && login.redials == 0) {
            self.tell(Event::Error(Failure::disconnected(reason)));
        }
        if let Some((local, outgoing)) = given_up {
            self.fail(local, outgoing, Failure::link_lost_each_time());
        }
        if login.redials >= self.config.reconnects {
            self.end(None);
            self.tell(Event::Closed);
            return;
        }
        if self.network_up {
            self.redial(now, login);
        } else {
            self.session = Session::Waiting { login };
        }
    }

    /// The first redial after a link that proved itself is made at once, each later one waits longer.
    fn redial(&mut self, now: Millis, login: Login) {
        let wait = (BACK_OFF_MS * u64::from(login.back_off)).min(BACK_OFF_LIMIT_MS);
        if wait == 0 {
            self.dial(now, login.again());
        } else {
            self.timers.set(Timer::Redial, now.after(wait));
            self.session = Session::Waiting { login };
        }
    }

    pub(crate) fn network_changed(&mut self, now: Millis) {
        match std::mem::take(&mut self.session) {
            Session::Waiting { login } if self.network_up => {
                self.redial(now, Login { redials: 0, back_off: 0, ..login });
            }
            other => self.session = other,
        }
        if !self.network_up {
            self.timers.stop(Timer::Redial);
        } else if let Session::Online { .. } = self.session {
            self.heartbeat(now);
        }
    }

    /// A login that the server does not want. What was never open is not closed either.
    pub(crate) fn refuse(&mut self, was_open: bool, link: Option<LinkId>, failure: Failure) {
        self.tell(Event::Error(failure));
        self.end(link);
        if was_open {
            self.tell(Event::Closed);
        }
    }

    /// Leaves nothing behind of a session that has been taken out already.
    pub(crate) fn end(&mut self, link: Option<LinkId>) {
        if let Some(link) = link {
            self.transmit(Transmit::HangUp { link });
        }
        self.timers.stop_all();
        self.inbox.link_lost();
        let (call, calls) = self.calls.drain();
        let (upload, uploads) = self.uploads.drain();
        let (download, downloads) = self.downloads.drain();
        for call in [call, upload, download].into_iter().flatten() {
            self.transmit(Transmit::Cancel { call });
        }
        calls.iter().for_each(|(id, call)| self.call_dropped(*id, call));
        uploads.iter().for_each(|(_, upload)| self.upload_dropped(upload));
        downloads.iter().for_each(|(id, _)| self.download_dropped(*id));
        self.reset_history();
        for (local, outgoing) in self.outbox.drain() {
            self.fail(local, outgoing, Failure::gone());
        }
    }

    fn fail(&mut self, local: LocalId, outgoing: Outgoing, failure: Failure) {
        match outgoing {
            // Nobody asked for it, and nobody can do anything about it.
            Outgoing::Receipt(Receipt { kind: Kind::Delivered(_), .. }) => {}
            Outgoing::Message(_) | Outgoing::Receipt(_) | Outgoing::Edit(_) => {
                self.tell(Event::Failed { local, failure });
            }
            Outgoing::Roster(_) => self.tell(Event::Error(failure)),
            Outgoing::Room(going) => self.tell(going.failed(failure)),
        }
    }

    pub(crate) fn timeout(&mut self, now: Millis) {
        while let Some(timer) = self.timers.take_due(now) {
            match timer {
                Timer::Login => self.abandon(now, "the login got no answer in time"),
                Timer::Redial => self.redial_due(now),
                Timer::Heartbeat => self.heartbeat(now),
                Timer::Silence => self.abandon(now, "the peer is silent"),
            }
        }
        let overdue = self.outbox.overdue(now);
        for (local, outgoing) in overdue.given_up {
            self.fail(local, outgoing, Failure::send_timeout());
        }
        if overdue.retry {
            self.abandon(now, "a message got no answer in time");
        }
        for request in self.inbox.overdue(now) {
            self.pull(Some(request));
        }
        if let Some((id, call)) = self.calls.take_overdue(now) {
            self.transmit(Transmit::Cancel { call: id });
            self.call_answered(id, call, Err(LATE.to_owned()));
        }
        if let Some((id, upload)) = self.uploads.take_overdue(now) {
            self.transmit(Transmit::Cancel { call: id });
            self.upload_answered(upload, Err(LATE.to_owned()));
        }
        if let Some((id, _)) = self.downloads.take_overdue(now) {
            self.transmit(Transmit::Cancel { call: id });
            self.download_answered(id, Err(LATE.to_owned()));
        }
    }

    fn redial_due(&mut self, now: Millis) {
        match std::mem::take(&mut self.session) {
            Session::Waiting { login } => {
                self.dial(now, login.again());
            }
            other => self.session = other,
        }
    }

    /// Sends a heartbeat that is due, and judges nothing: for a runner that does not read at the moment.
    #[cfg(feature = "net")]
    pub(crate) fn keep_alive(&mut self, now: Millis) {
        if self.timers.take_if_due(now, Timer::Heartbeat) {
            self.heartbeat(now);
        }
    }

    fn heartbeat(&mut self, now: Millis) {
        let Some(link) = self.session.link() else { return };
        self.transmit_frame(link, &bare_frame(Command::Unread));
        self.timers.set(Timer::Heartbeat, now.after(HEARTBEAT_MS));
        if !self.timers.is_set(Timer::Silence) {
            self.timers.set(Timer::Silence, now.after(SILENCE_MS));
        }
    }
}
