//! What a login chooses by its name: an entry of the catalog that stands behind `--` in the app key, the user's name or
//! the access token is armed for that user, anew at each login. Nobody who chooses nothing pays for it.
//!
//! It is done by control commands, so the journal has it and a replay of it needs no catalog.

use indexmap::IndexMap;

use super::World;
use crate::catalog::{Catalog, Staging, chosen};
use crate::control::{Control, ControlError, Fault};
use crate::machine::{Close, ConnId, TOKEN_BYTES_MAX, is_legal_name};

/// Who has chosen something in a world, by name.
#[derive(Default)]
pub(super) struct Choices {
    by_user: IndexMap<String, Choice>,
}

/// What one user has chosen.
struct Choice {
    /// The connection of the last login; a call for a token has none.
    conn: Option<ConnId>,
    token: String,
    /// What the choice has armed and may have left.
    rules: Vec<u64>,
    /// What needs somebody who is there.
    later: Vec<(String, Staging)>,
    state: Login,
}

/// How far the login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Login {
    /// It has begun.
    Asked,
    /// The connection is a device.
    In,
    /// The link went without a good-bye. Whoever comes with the same token is the SDK by itself, and no new login.
    Lost,
}

/// Each costs some 200 bytes, and up to 4 KiB with the longest token. Of more, those that came first are forgotten: what is armed for them stays so.
const CHOOSERS_MAX: usize = 1_000;

impl Choices {
    pub(super) fn is_empty(&self) -> bool {
        self.by_user.is_empty()
    }

    pub(super) fn logged_in(&mut self, conn: ConnId) {
        if let Some(choice) = self.of(conn) {
            choice.state = Login::In;
        }
    }

    /// The server ends the connection. After a good-bye in words no SDK comes back by itself.
    pub(super) fn ended(&mut self, conn: ConnId, how: Close) {
        let is_lost = match how {
            Close::Cut | Close::Reset | Close::Mute => true,
            // Kicks and refusals have 1008, a device that is replaced 1000.
            Close::Code(code) => !matches!(code, 1000 | 1008),
        };
        if let Some(choice) = self.of(conn).filter(|choice| is_lost && choice.state == Login::In) {
            choice.state = Login::Lost;
        }
    }

    fn of(&mut self, conn: ConnId) -> Option<&mut Choice> {
        self.by_user.values_mut().find(|choice| choice.conn == Some(conn))
    }

    /// What happens behind this frame of the connection, and to whom: its first one behind the login, with which an SDK
    /// asks what waits.
    fn due(&mut self, conn: ConnId) -> Vec<(String, Staging)> {
        let is_due = |choice: &&mut Choice| choice.state == Login::In;
        self.of(conn).filter(is_due).map(|choice| std::mem::take(&mut choice.later)).unwrap_or_default()
    }
}

impl World {
    /// Somebody begins to log in: by a call for a token, which has no connection yet, or by a socket's first frame.
    pub(in crate::shell) fn login_begins(
        &self,
        catalog: &Catalog,
        conn: Option<ConnId>,
        user: &str,
        token: &str,
    ) {
        let (names, known) = {
            let mut state = self.state.borrow_mut();
            let names = names(catalog, user, state.machine.app_key().app(), token);
            if names.is_empty() || state.machine.settings().strict {
                return;
            }
            // What no world takes is kept for nobody.
            if !is_legal_name(user) || token.len() > TOKEN_BYTES_MAX {
                return;
            }
            let folded = user.to_ascii_lowercase();
            let known = state.choices.by_user.get_mut(&folded);
            if let Some(known) = known {
                let is_return = known.state == Login::Lost && conn.is_some() && known.token == token;
                if is_return {
                    known.conn = conn;
                    return;
                }
            }
            let known = state.choices.by_user.shift_remove(&folded);
            (names, known)
        };
        let is_new = known.is_none();
        self.clear(known.map(|known| known.rules).unwrap_or_default());
        let before = self.rule_ids();
        let mut later = Vec::new();
        for name in names {
            match catalog.stage(&name, user) {
                Ok(staging) if staging.armed.iter().any(needs_device) => later.push((name, staging)),
                Ok(staging) => self.arm(user, &name, staging),
                Err(error) if is_new => {
                    let app = self.app();
                    tracing::warn!(
                        "{app}: user {user:?} logs in as ever, though the name ends in --{name}: {error}"
                    );
                }
                Err(_) => {}
            }
        }
        let rules = self.rule_ids().into_iter().filter(|id| !before.contains(id)).collect();
        let choice = Choice { conn, token: token.to_owned(), rules, later, state: Login::Asked };
        let mut state = self.state.borrow_mut();
        let by_user = &mut state.choices.by_user;
        if by_user.len() >= CHOOSERS_MAX {
            by_user.shift_remove_index(0);
        }
        by_user.insert(user.to_ascii_lowercase(), choice);
    }

    /// What was chosen and waited for somebody to be there.
    pub(super) fn due_behind(&self, conn: ConnId) -> Vec<(String, Staging)> {
        let mut state = self.state.borrow_mut();
        if state.choices.is_empty() { Vec::new() } else { state.choices.due(conn) }
    }

    pub(super) fn strike(&self, conn: ConnId, due: Vec<(String, Staging)>) {
        let user = {
            let state = self.state.borrow();
            let mut all = state.choices.by_user.iter();
            all.find(|(_, choice)| choice.conn == Some(conn)).map(|(user, _)| user.clone())
        };
        // Another login of that user has taken the place of this one meanwhile.
        let Some(user) = user else { return };
        let before = self.rule_ids();
        for (name, staging) in due {
            self.arm(&user, &name, staging);
        }
        let new: Vec<u64> = self.rule_ids().into_iter().filter(|id| !before.contains(id)).collect();
        if let Some(choice) = self.state.borrow_mut().choices.by_user.get_mut(&user) {
            choice.rules.extend(new);
        }
    }

    /// Arms what is staged for a user, who has to be there unless it is about those who are not yet: a rule would wait for
    /// whoever is called so, and a slip of the pen would go unseen. All or nothing.
    pub(in crate::shell) fn stage(&self, armed: Vec<Control>, user: &str) -> Result<(), ControlError> {
        let makes_user = |control: &Control| matches!(control, Control::Known { users } if users.iter().any(|known| known == user));
        if !armed.iter().any(makes_user) {
            let state = self.state.borrow();
            state.machine.require_user(user).map_err(|error| state.refused(error))?;
        }
        self.control_all(armed).map_err(|refused| refused.error)
    }

    fn arm(&self, user: &str, name: &str, staging: Staging) {
        let app = self.app();
        match self.control_all(staging.armed) {
            Ok(()) => tracing::info!("{app}: user {user:?} has chosen {name}"),
            Err(refused) => {
                tracing::warn!("{app}: user {user:?} has chosen {name}, and it cannot be: {}", refused.error);
            }
        }
    }

    fn clear(&self, rules: Vec<u64>) {
        let there = self.rule_ids();
        for id in rules.into_iter().filter(|id| there.contains(id)) {
            self.control(Control::ClearRule { id }).expect("the rule is there");
        }
    }

    fn rule_ids(&self) -> Vec<u64> {
        let mut state = self.state.borrow_mut();
        let now = state.clock.now();
        state.machine.rules(now).into_iter().map(|rule| rule.id).collect()
    }

    fn app(&self) -> String {
        self.state.borrow().machine.app_key().to_string()
    }
}

/// What a login chooses, each once. In a token a name must be known: tokens of other makers have two hyphens by chance, and
/// what is told of an unknown name would be a part of a secret.
fn names(catalog: &Catalog, user: &str, app: &str, token: &str) -> Vec<String> {
    let of_token = chosen(token).filter(|name| catalog.names().any(|known| known == *name));
    let mut names: Vec<String> = Vec::new();
    for name in [chosen(user), chosen(app), of_token].into_iter().flatten() {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Whether it is done to a device that is there, and to nobody otherwise.
fn needs_device(control: &Control) -> bool {
    match control {
        Control::Fault(fault) => match fault {
            Fault::Cut { .. } | Fault::Close { .. } | Fault::Mute { .. } | Fault::SendRaw { .. } => true,
            Fault::Rule(_)
            | Fault::DropNextAnswer { .. }
            | Fault::CutInsteadOfAnswer { .. }
            | Fault::ResetNextUpload { .. }
            | Fault::AnswerStatus { .. }
            | Fault::RefuseLogin { .. }
            | Fault::DropNextProvision { .. }
            | Fault::AnswerHttp { .. }
            | Fault::Door(_)
            | Fault::SlowUploads { .. } => false,
        },
        Control::Kick { .. }
        | Control::Disconnect { .. }
        | Control::RemoveUser { .. }
        | Control::Password { .. } => true,
        Control::User { .. }
        | Control::Known { .. }
        | Control::Token { .. }
        | Control::Group { .. }
        | Control::Room { .. }
        | Control::Block { .. }
        | Control::Texts { .. }
        | Control::Send(_)
        | Control::ExpireTokens { .. }
        | Control::Settings(_)
        | Control::ClearFaults {}
        | Control::ClearRule { .. }
        | Control::Unblock { .. }
        | Control::Contacts { .. }
        | Control::Join { .. }
        | Control::Leave { .. }
        | Control::Remove { .. }
        | Control::Dissolve { .. }
        | Control::Admins { .. }
        | Control::Mute { .. }
        | Control::Unmute { .. }
        | Control::MuteUser { .. }
        | Control::BanAll { .. }
        | Control::UnbanAll { .. }
        | Control::Allow { .. }
        | Control::Disallow { .. } => false,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::catalog::catalog;

    #[rstest]
    #[case::everywhere_once(["alice--504", "app--504", "t--504"], &["504"])]
    #[case::each_its_own(["alice--504", "app--505", "t--502"], &["504", "505", "502"])]
    #[case::a_slip_of_the_pen(["alice--5o4", "app", "t"], &["5o4"])]
    #[case::two_hyphens_of_a_token(["alice", "app", "YWMtq--Zk3v_secret"], &[])]
    fn a_login_chooses_by_its_names(#[case] parts: [&str; 3], #[case] expected: &[&str]) {
        let [user, app, token] = parts;
        assert_eq!(names(catalog(), user, app, token), expected);
    }
}
