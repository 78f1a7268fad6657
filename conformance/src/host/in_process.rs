//! A server in this process, started for the run with strict settings and with tapes: what is asked of it cannot fail but
//! by its own panic.

use std::sync::Arc;
use std::time::Duration;

use mock_server::control::Control;
use mock_server::control_api::{ArmedDoor, RuleRow};
use mock_server::journal::Entry;
use mock_server::machine::Millis;
use mock_server::shell::{MockServer, NotQuiet, Quiet, Rest};
use mock_server::tape::{Row, TapeLength};

use super::{Addresses, Host, HostError, HostWorld, ORG, RowCount, Strangers, app_of};
use crate::judge::Finding;

struct InProcess<'a> {
    server: &'a MockServer,
    app_key: String,
}

impl Host for MockServer {
    fn addresses(&self) -> Addresses {
        Addresses::of(self.addr())
    }

    fn strangers(&self) -> Strangers {
        Strangers::Refused
    }

    fn open(&self, scenario: &str, clock: Option<Millis>) -> Result<Box<dyn HostWorld + '_>, HostError> {
        let app_key = format!("{ORG}#{}", app_of(scenario));
        self.drop_world(&app_key);
        if let Some(now) = clock {
            self.manual_clock(&app_key, now).expect("nobody has been in a world that was just dropped");
        }
        Ok(Box::new(InProcess { server: self, app_key }))
    }
}

impl HostWorld for InProcess<'_> {
    fn app_key(&self) -> &str {
        &self.app_key
    }

    fn control(&self, control: Control) -> Result<(), HostError> {
        self.server.control(&self.app_key, control).map_err(|error| HostError::Refused(error.to_string()))
    }

    fn advance(&self, ms: u64) -> Result<(), HostError> {
        self.server.advance(&self.app_key, ms);
        Ok(())
    }

    fn quiet(&self, within: Duration) -> Result<Result<Quiet, NotQuiet>, HostError> {
        Ok(self.server.quiet(&self.app_key, within))
    }

    fn rest(&self, within: Duration) -> Result<Rest, HostError> {
        Ok(self.server.rest(&self.app_key, within))
    }

    fn tape(&self) -> Result<Vec<Row>, HostError> {
        Ok(self.server.tape(&self.app_key))
    }

    fn journal(&self) -> Result<Option<Vec<Entry>>, HostError> {
        Ok(self.server.journal(&self.app_key))
    }

    fn tape_length(&self) -> Arc<dyn RowCount> {
        Arc::new(self.server.tape_len(&self.app_key))
    }

    fn findings(&self) -> Result<Vec<Finding>, HostError> {
        let found = self.server.findings(&self.app_key);
        Ok(found
            .into_iter()
            .map(|found| Finding { clause: found.clause.to_owned(), user: found.user, text: found.text })
            .collect())
    }

    fn rules(&self) -> Result<Vec<RuleRow>, HostError> {
        Ok(self.server.rules(&self.app_key))
    }

    fn doors(&self) -> Result<Vec<ArmedDoor>, HostError> {
        Ok(self.server.doors(&self.app_key))
    }

    fn forget(&self) -> Result<(), HostError> {
        self.server.drop_world(&self.app_key);
        Ok(())
    }
}

impl RowCount for TapeLength {
    fn rows(&self) -> usize {
        self.get()
    }
}
