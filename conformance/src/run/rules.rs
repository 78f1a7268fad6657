//! Fault rules and door faults of a scenario that never acted: what it says happened there did not.

use std::collections::BTreeMap;

use mock_server::catalog::catalog;
use mock_server::control::{Control, Fault};
use mock_server::control_api::{ArmedDoor, RuleRow};
use mock_server::door_fault::DoorFault;

use super::Stop;
use super::stage::Stage;
use crate::scenario::{Action, Scenario};

/// What never acted: the step that armed it, with its line, if a step did; and what is told of it.
type Idle = (Option<Place>, String);

/// The number of a step, from 1, and its line.
type Place = (usize, usize);

/// The steps that armed something, by its line, in order.
#[derive(Default)]
struct Places(BTreeMap<String, Vec<Place>>);

impl Stage<'_> {
    /// The first rule or door fault that never acted, with the step that armed it.
    pub(super) fn idle_rule(&self, scenario: &Scenario) -> Result<Option<Idle>, Stop> {
        let (mut rules, mut doors) = (Places::default(), Places::default());
        for (index, step) in scenario.steps.iter().enumerate() {
            let place = (index + 1, step.line);
            if let Action::Fault(Fault::Rule(rule)) | Action::Control(Control::Fault(Fault::Rule(rule))) =
                &step.action
            {
                rules.add(rule.to_string(), place);
            }
            door_faults(&step.action).into_iter().for_each(|door| doors.add(door.to_string(), place));
        }
        if !rules.0.is_empty() {
            for RuleRow { text, hits, looked_at, .. } in self.rules()? {
                let place = rules.take(&text);
                if hits == 0 {
                    let what = if looked_at == 1 { "frame or request" } else { "frames or requests" };
                    let message = format!("rule `{text}` never fired (it looked at {looked_at} {what})");
                    return Ok(Some((place, message)));
                }
            }
        }
        if !doors.0.is_empty() {
            for ArmedDoor { text, hits, .. } in self.doors()? {
                let place = doors.take(&text);
                if hits == 0 {
                    let message =
                        format!("door fault `{text}` never struck: nobody tried that door after it");
                    return Ok(Some((place, message)));
                }
            }
        }
        Ok(None)
    }
}

impl Places {
    fn add(&mut self, line: String, place: Place) {
        self.0.entry(line).or_default().push(place);
    }

    /// The first step that armed this; each is named once.
    fn take(&mut self, line: &str) -> Option<Place> {
        let places = self.0.get_mut(line).filter(|places| !places.is_empty())?;
        Some(places.remove(0))
    }
}

/// What a step has befall those who come by the world's own path, by itself or by a situation of the catalog.
pub(super) fn door_faults(action: &Action) -> Vec<DoorFault> {
    let of = |control| if let Control::Fault(Fault::Door(door)) = control { Some(door) } else { None };
    match action {
        Action::Fault(fault) => of(Control::Fault(fault.clone())).into_iter().collect(),
        Action::Control(control) => of(control.clone()).into_iter().collect(),
        // A name that is unknown is told of where its step is taken.
        Action::Stage { name, user } => {
            let staging = catalog().stage(name, user);
            staging.into_iter().flat_map(|staging| staging.armed).filter_map(of).collect()
        }
        Action::Tell { .. }
        | Action::Expect { .. }
        | Action::Silent { .. }
        | Action::Advance { .. }
        | Action::Elapse { .. }
        | Action::Shows { .. } => Vec::new(),
    }
}
