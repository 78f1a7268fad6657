//! Control commands: how a test sets the stage. Each is refused whole or done whole.

mod muc;
mod send;

use super::account::{NameFault, TOKEN_BYTES_MAX, TokenOrigin, UserIx};
use super::contacts::Direction;
use super::fault::{AnswerFault, Faults, Full, HttpFault, LoginFault};
use super::message::StagedTo;
use super::muc::{Ban, MucKind};
use super::mutes::ChatKind;
use super::session::Kick;
use super::webhook::rule_fault;
use super::{Close, ConnId, Millis, Output, Server, excerpt};
use crate::control::{CommandsRefused, Control, ControlError, Fault, KickReason, nearest};
use muc::MemberChange;

/// A scenario of a thousand messages is the largest that clients are asked to bear; ten times that is a slip.
const STAGED_TEXTS_MAX: u32 = 10_000;
/// Larger than any refusal, and than a page of an error that a proxy shows.
const STAGED_BODY_BYTES_MAX: usize = 64 * 1024;
const STAGED_PATH_BYTES_MAX: usize = 1024;

impl From<Full> for ControlError {
    fn from(Full: Full) -> Self {
        Self::BadValue {
            what: "fault",
            value: "one more of its kind".to_owned(),
            reason: "1000 wait already; let what they wait for come, or clear them (clear_faults)",
        }
    }
}

impl Server {
    /// Does one thing to the world. What it sends to clients is in [`Server::poll_output`] afterwards.
    pub fn control(&mut self, now: Millis, control: Control) -> Result<(), ControlError> {
        let from = self.outputs.len();
        let done = self.carry_out(now, control);
        self.conclude(now, from);
        done
    }

    /// Does several things to the world, in this order and all at once, or none of them.
    pub fn control_all(&mut self, now: Millis, controls: Vec<Control>) -> Result<(), CommandsRefused> {
        let count = controls.len();
        // They are tried on a copy, which holds the same messages: what a command has done cannot be undone, since
        // clients are told of it.
        let mut trial = self.clone();
        for (index, control) in controls.into_iter().enumerate() {
            trial.control(now, control).map_err(|error| CommandsRefused { index, count, error })?;
        }
        *self = trial;
        Ok(())
    }

    fn carry_out(&mut self, now: Millis, control: Control) -> Result<(), ControlError> {
        match control {
            Control::User { name, password } => {
                let user = self.made(now, &name)?;
                self.accounts.user_mut(user).password = Some(password.into());
            }
            Control::Known { users } => {
                if let Some((name, fault)) = self.accounts.fault_of(&users, &self.mucs) {
                    return Err(bad_name(name, fault));
                }
                for name in users {
                    self.made(now, &name)?;
                }
            }
            Control::Token { user, token, ttl_ms } => {
                let user = self.known(&user)?;
                if token.len() > TOKEN_BYTES_MAX {
                    let value = excerpt(&token).into_owned();
                    return Err(ControlError::BadValue {
                        what: "token",
                        value,
                        reason: "at most 4096 bytes",
                    });
                }
                let expires = Millis(now.0.saturating_add_signed(ttl_ms));
                self.accounts.add_token(user, &token, expires, TokenOrigin::Issued);
            }
            Control::Group { id, owner, members } => {
                self.stage_muc(now, MucKind::Group, id, &owner, &members)?
            }
            Control::Room { id, owner, members } => {
                self.stage_muc(now, MucKind::Room, id, &owner, &members)?
            }
            Control::Block { user, blocked } => {
                let user = self.known(&user)?;
                for other in self.all_known(&blocked)? {
                    self.block(user, other, Direction::Theirs);
                }
            }
            Control::Texts { from, to, text, count } => {
                let from = self.known(&from)?;
                let to = match self.mucs.find(&to) {
                    Some(muc) => StagedTo::Muc(muc),
                    None => StagedTo::User(self.known(&to)?),
                };
                if count > STAGED_TEXTS_MAX {
                    let value = count.to_string();
                    return Err(ControlError::BadValue { what: "count", value, reason: "at most 10000" });
                }
                for number in 1..=count {
                    self.stage_text(now, from, to, &text.replace('#', &number.to_string()));
                }
            }
            Control::Send(sending) => {
                // On a copy, as several commands are: before a message is refused, its recipient may have been made and
                // numbers given out.
                let mut trial = self.clone();
                trial.send_as(now, *sending)?;
                *self = trial;
            }
            Control::Kick { user, device, reason } => {
                let why = match reason {
                    KickReason::OtherDevice => Kick::OtherDevice,
                    KickReason::Removed => Kick::Removed,
                    KickReason::Password => Kick::PasswordChanged,
                    KickReason::Operator => Kick::Disconnected,
                };
                for conn in self.devices(&user, device.as_deref())? {
                    self.kick(now, conn, why);
                }
            }
            Control::ExpireTokens { user, token, at_ms } => {
                let index = self.known(&user)?;
                let at = at_ms.map_or(now, Millis);
                if !self.accounts.expire_tokens(index, token.as_deref(), at) {
                    let value = token.map_or(user, |token| excerpt(&token).into_owned());
                    let reason = "the user has no such token; a login, or {\"token\":…}, makes one";
                    return Err(ControlError::BadValue { what: "token", value, reason });
                }
            }
            Control::Settings(patch) => {
                let fault = patch.webhooks.as_deref().and_then(rule_fault);
                if let Some((value, reason)) = fault {
                    return Err(ControlError::BadValue { what: "webhooks", value, reason });
                }
                self.settings.apply(patch);
            }
            Control::Fault(fault) => self.stage_fault(now, fault)?,
            Control::ClearFaults {} => {
                self.faults = Faults::default();
                self.clear_rules(now);
            }
            Control::ClearRule { id } => self.clear_rule(now, id)?,
            Control::Unblock { user, blocked } => {
                let user = self.known(&user)?;
                for other in self.all_known(&blocked)? {
                    self.unblock(user, other);
                }
            }
            Control::Contacts { user, with } => self.stage_contacts(&user, &with)?,
            Control::Join { id, users } => self.stage_members(now, &id, &users, MemberChange::Join)?,
            Control::Leave { id, users } => self.stage_members(now, &id, &users, MemberChange::Leave)?,
            Control::Remove { id, users } => self.stage_members(now, &id, &users, MemberChange::Remove)?,
            Control::Dissolve { id } => self.stage_dissolve(now, &id)?,
            Control::Admins { id, users } => self.stage_members(now, &id, &users, MemberChange::Admins)?,
            Control::Mute { id, users, ms } => {
                self.stage_members(now, &id, &users, MemberChange::Mute(ms))?;
            }
            Control::Unmute { id, users } => self.stage_members(now, &id, &users, MemberChange::Unmute)?,
            Control::MuteUser { user, ms } => {
                let user = self.known(&user)?;
                // As the service counts them (rest.md B.2).
                let seconds = ms.map_or(-1, |ms| i64::try_from(ms.div_ceil(1_000)).unwrap_or(-1));
                for kind in ChatKind::ALL {
                    self.accounts.user_mut(user).mutes.set(kind, now, seconds);
                }
            }
            Control::BanAll { id } => self.stage_ban(now, &id, Ban::On)?,
            Control::UnbanAll { id } => self.stage_ban(now, &id, Ban::Off)?,
            Control::Allow { id, users } => self.stage_members(now, &id, &users, MemberChange::Allow)?,
            Control::Disallow { id, users } => {
                self.stage_members(now, &id, &users, MemberChange::Disallow)?;
            }
            Control::RemoveUser { user } => {
                let user = self.known(&user)?;
                self.remove_user(now, user);
            }
            Control::Password { user, password } => {
                let user = self.known(&user)?;
                self.change_password(now, user, &password);
            }
            Control::Disconnect { user, device } => {
                for conn in self.devices(&user, device.as_deref())? {
                    self.kick(now, conn, Kick::Disconnected);
                }
            }
        }
        Ok(())
    }

    fn stage_fault(&mut self, now: Millis, fault: Fault) -> Result<(), ControlError> {
        match fault {
            Fault::Rule(rule) => self.arm_rule(now, *rule)?,
            Fault::Cut { user, device } => {
                for conn in self.devices(&user, device.as_deref())? {
                    self.end(conn, Close::Cut);
                }
            }
            Fault::Close { user, device, code } => {
                // RFC 6455 §7.4: what may stand in a close frame.
                if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
                    let value = code.to_string();
                    let reason = "1000-1003, 1007-1014 or 3000-4999 may stand in a close frame";
                    return Err(ControlError::BadValue { what: "code", value, reason });
                }
                for conn in self.devices(&user, device.as_deref())? {
                    self.end(conn, Close::Code(code));
                }
            }
            Fault::Mute { user } => {
                for conn in self.devices(&user, None)? {
                    self.end(conn, Close::Mute);
                }
            }
            Fault::DropNextAnswer { user } => {
                let user = self.known(&user)?;
                self.faults.arm(user, AnswerFault::Drop)?;
            }
            Fault::CutInsteadOfAnswer { user } => {
                let user = self.known(&user)?;
                self.faults.arm(user, AnswerFault::Cut)?;
            }
            Fault::SendRaw { user, hex } => {
                let Some(bytes) = unhex(&hex) else {
                    return Err(ControlError::BadValue {
                        what: "hex",
                        value: hex,
                        reason: "pairs of 0-9 a-f",
                    });
                };
                for conn in self.devices(&user, None)? {
                    self.outputs.push_back(Output::Frame { conn, bytes: bytes.clone().into() });
                }
            }
            Fault::ResetNextUpload { user } => {
                let user = self.known(&user)?;
                self.faults.arm_upload(user)?;
            }
            // Nobody at a door is in this world yet.
            Fault::Door(_) => {}
            Fault::SlowUploads { user, bytes_per_second, count } => {
                let user = self.known(&user)?;
                let none = [("bytes_per_second", bytes_per_second), ("count", count.into())];
                if let Some((what, value)) = none.into_iter().find(|(_, value)| *value == 0) {
                    let value = value.to_string();
                    return Err(ControlError::BadValue { what, value, reason: "at least 1 is expected" });
                }
                self.faults.arm_slow_uploads(user, bytes_per_second, count)?;
            }
            Fault::AnswerStatus { user, code, reason } => {
                let user = self.known(&user)?;
                self.faults.arm(user, AnswerFault::Status { code, reason })?;
            }
            Fault::RefuseLogin { user, code, reason } => {
                let user = self.known(&user)?;
                if code == 0 {
                    let reason = "0 is success; the numbers of Status.ErrorCode begin with 1";
                    return Err(ControlError::BadValue { what: "code", value: code.to_string(), reason });
                }
                self.faults.arm_login(user, LoginFault::Refuse { code, reason })?;
            }
            Fault::DropNextProvision { user } => {
                let user = self.known(&user)?;
                self.faults.arm_login(user, LoginFault::Drop)?;
            }
            Fault::AnswerHttp { path, status, body, user } => {
                self.stage_answer(path, status, body, user.as_deref())?;
            }
        }
        Ok(())
    }

    fn stage_answer(
        &mut self,
        path: String,
        status: u16,
        body: String,
        user: Option<&str>,
    ) -> Result<(), ControlError> {
        let bad = |what, value: &str, reason| {
            Err(ControlError::BadValue { what, value: excerpt(value).into_owned(), reason })
        };
        let user = user.map(|user| self.known(user)).transpose()?;
        if !path.starts_with('/') || path.len() > STAGED_PATH_BYTES_MAX {
            return bad("path", &path, "it begins with / and has at most 1024 bytes");
        }
        // RFC 9110 §15.2: a 1xx ends no request.
        if !matches!(status, 200..=599) {
            return bad("status", &status.to_string(), "200 to 599");
        }
        if body.len() > STAGED_BODY_BYTES_MAX {
            return bad("body", &body, "at most 65536 bytes");
        }
        let fault = HttpFault { path, user, status, body: body.into() };
        Ok(self.faults.arm_request(fault)?)
    }

    /// Whether a user has that name, whatever it is by now; an error that names the nearest if none has.
    pub fn require_user(&self, name: &str) -> Result<(), ControlError> {
        self.known(name).map(drop)
    }

    fn made(&mut self, now: Millis, name: &str) -> Result<UserIx, ControlError> {
        self.find_or_make_user(now, name).map_err(|fault| bad_name(name, fault))
    }

    fn known(&self, name: &str) -> Result<UserIx, ControlError> {
        self.accounts.find(name).filter(|&user| !self.accounts.user(user).is_gone()).ok_or_else(|| {
            let all = self.accounts.present().map(|user| self.accounts.name(user));
            let near = nearest(name, all).map(str::to_owned);
            ControlError::UnknownUser { name: excerpt(name).into_owned(), near }
        })
    }

    fn all_known(&self, names: &[String]) -> Result<Vec<UserIx>, ControlError> {
        names.iter().map(|name| self.known(name)).collect()
    }

    fn devices(&self, user: &str, resource: Option<&str>) -> Result<Vec<ConnId>, ControlError> {
        let index = self.known(user)?;
        let is_meant = |conn: &ConnId| {
            let live = self.sessions.get(conn).and_then(|session| session.live());
            resource.is_none_or(|resource| live.is_some_and(|live| resource_is(&live.resource, resource)))
        };
        let devices: Vec<ConnId> =
            self.accounts.user(index).devices.iter().copied().filter(is_meant).collect();
        if devices.is_empty() {
            let device = resource.map_or_else(|| user.to_owned(), |resource| format!("{user}/{resource}"));
            return Err(ControlError::NotConnected(device));
        }
        Ok(devices)
    }
}

fn bad_name(name: &str, fault: NameFault) -> ControlError {
    let reason = match fault {
        NameFault::Illegal => "1 to 64 of a-z A-Z 0-9 _ . - are expected",
        NameFault::TooMany => "the world has as many users as it can hold",
        NameFault::Mucs => "a group has that id, and 3.x tells queues by name alone",
    };
    ControlError::BadValue { what: "name", value: excerpt(name).into_owned(), reason }
}

/// SDKs put `webim_` before a device's own name, and 4.x `webim_web_` (wire-3x §2.2, wire-4x §3.2).
fn resource_is(resource: &str, device: &str) -> bool {
    resource == device || resource.strip_suffix(device).is_some_and(|before| before.ends_with('_'))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    // `from_str_radix` would take a sign for a digit.
    if !text.len().is_multiple_of(2) || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}
