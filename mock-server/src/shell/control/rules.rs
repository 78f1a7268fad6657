//! The rules of a world: what each has done so far, and taking one back.

use super::route::Asked;
use super::{Refusal, bad, told};
use crate::control::Control;
use crate::control_api::{Done, RuleList};
use crate::shell::content::Answer;

pub(super) fn list(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    Ok(told(200, &RuleList { rules: asked.world()?.rules() }))
}

pub(super) fn clear(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let world = asked.world()?;
    let id = asked.name("id");
    let id = id.parse().map_err(|_| bad("id", format!("a rule's number is expected, not {id:?}")))?;
    world.control(Control::ClearRule { id }).map_err(|error| bad("id", error.to_string()))?;
    Ok(told(200, &Done {}))
}
