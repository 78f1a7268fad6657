//! How users are sent away: removed, given another password, shut out, disconnected (clause conn.kicked).
//!
//! Each device is told why and loses its socket, since clients do not close it themselves (wire-3x §5.2).

use super::account::UserIx;
use super::session::Kick;
use super::{Millis, Server};

impl Server {
    /// The user is no more: the devices go, groups of its own with them, and contacts, block lists and other groups
    /// lose it. The name is free again. What it wrote stays with those it wrote to.
    pub(super) fn remove_user(&mut self, now: Millis, user: UserIx) {
        self.send_away(now, user, Kick::Removed);
        self.leave_all(now, user);
        self.receipts.forget_sender(user);
        self.reactions.forget_user(user);
        self.reports.forget_user(user);
        self.presence.forget(user);
        self.forget_part_uploads_of(user);
        self.accounts.clear(user);
    }

    /// Tokens of before open nothing any more.
    pub(super) fn change_password(&mut self, now: Millis, user: UserIx, password: &str) {
        self.accounts.end_tokens(user);
        let state = self.accounts.user_mut(user);
        state.password = Some(password.into());
        state.modified = now;
        self.send_away(now, user, Kick::PasswordChanged);
    }

    /// The user logs in nowhere until it is activated again; tokens of before still open REST, which is our guess.
    pub(super) fn deactivate(&mut self, now: Millis, user: UserIx) {
        let state = self.accounts.user_mut(user);
        state.deactivated = true;
        state.modified = now;
        self.send_away(now, user, Kick::Disconnected);
    }

    /// Ends every device of the user.
    pub(super) fn send_away(&mut self, now: Millis, user: UserIx, why: Kick) {
        for conn in self.accounts.user(user).devices.clone() {
            self.kick(now, conn, why);
        }
    }
}
