//! How `given` comes about: control commands, the app's own server, and the logins of whoever is online.
//!
//! Everything in here happens before the first step; only whether the app's own server was asked is looked at after
//! the last.

use mock_server::control::Control;

use super::Stop;
use super::stage::Stage;
use super::webhook::Endpoint;
use crate::driver::{Answer, Command, Device, Event, EventKind};
use crate::scenario::World;

impl Stage<'_> {
    /// Brings about `given`, and waits until nothing of it is under way.
    pub(super) fn set_up(&mut self, given: &World) -> Result<(), Stop> {
        let mut settings = given.settings.clone();
        settings.strict.get_or_insert(true);
        if let Some(webhook) = &given.webhook {
            let endpoint = Endpoint::start(webhook.answer.clone())
                .map_err(|error| Stop::Failed(format!("given.webhook could not be served: {error}")))?;
            settings.webhooks = Some(vec![webhook.rule(endpoint.url())]);
            self.webhook = Some(endpoint);
        }
        self.control(Control::Settings(settings))?;
        for name in given.everyone() {
            self.control(Control::User { name: name.to_owned(), password: password(name) })?;
        }
        for (token, of) in &given.tokens {
            let (user, token) = (of.user.clone(), token.clone());
            self.control(Control::Token { user, token, ttl_ms: of.ttl_ms })?;
        }
        for (id, members) in &given.groups {
            let (owner, members) = owner_and_members(members);
            self.control(Control::Group { id: id.clone(), owner, members })?;
        }
        for (id, members) in &given.rooms {
            let (owner, members) = owner_and_members(members);
            self.control(Control::Room { id: id.clone(), owner, members })?;
        }
        for (id, admins) in &given.admins {
            self.control(Control::Admins { id: id.clone(), users: admins.clone() })?;
        }
        for (user, with) in &given.contacts {
            self.control(Control::Contacts { user: user.clone(), with: with.clone() })?;
        }
        for (user, blocked) in &given.blocks {
            self.control(Control::Block { user: user.clone(), blocked: blocked.clone() })?;
        }
        for stored in &given.stored {
            let (from, to) = (stored.from.clone(), stored.to.clone());
            self.control(Control::Texts { from, to, text: stored.text.clone(), count: stored.count })?;
        }
        for device in &given.online {
            self.log_in(device)?;
        }
        if !given.online.is_empty() {
            self.settle()?;
        }
        Ok(())
    }

    fn log_in(&mut self, device: &Device) -> Result<(), Stop> {
        match self.tell(device, &Command::LoginPassword { password: password(&device.user) })? {
            Answer::Ok(_) => {}
            Answer::Unsupported(what) => return Err(Stop::Unsupported(what)),
            Answer::Error(why) => {
                return Err(Stop::Failed(format!("{device} could not log in: the call was refused: {why}")));
            }
        }
        match self.next_event(device)? {
            Some(Event { kind: EventKind::Opened, .. }) => self.opened(device),
            Some(other) => Err(Stop::Failed(format!(
                "{device} could not log in: expected opened {{}}, got {other}{}",
                self.never_reached(device)
            ))),
            None => Err(Stop::Failed(format!(
                "{device} could not log in: expected opened {{}}, got nothing within {:?}{}{}",
                self.limits().expect,
                self.what_is_open(),
                self.never_reached(device)
            ))),
        }
    }

    /// At the end: what was wrong with how the app's own server was asked.
    pub(super) fn wrong_questions(&mut self) -> Option<String> {
        let (endpoint, given) = (self.webhook.as_mut()?, self.given.webhook.as_ref()?);
        let questions = endpoint.end();
        if let Some(wrong) = questions.wrong {
            return Some(format!(
                "given.webhook was asked otherwise than documented (rest.md B.9)\n  {wrong}"
            ));
        }
        let asked = questions.asked;
        match given.asked {
            None if asked == 0 => Some("given.webhook was never asked: nothing here needs it".to_owned()),
            Some(expected) if asked != expected => Some(format!(
                "given.webhook was not asked as often as expected\n  asked: expected {expected}, got {asked}"
            )),
            None | Some(_) => None,
        }
    }
}

fn password(user: &str) -> String {
    format!("pw-{}", user.to_lowercase())
}

fn owner_and_members(members: &[String]) -> (String, Vec<String>) {
    let (owner, rest) = members.split_first().expect("the scenario's check wants an owner");
    (owner.clone(), rest.to_vec())
}
