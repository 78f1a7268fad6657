//! What the server's worlds are like just now. Looking changes nothing, and makes no world.

use super::route::Asked;
use super::{Refusal, told};
use crate::control_api::WorldList;
use crate::shell::content::Answer;

pub(super) fn worlds(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let worlds = asked.worlds.all().iter().map(|world| world.line()).collect();
    Ok(told(200, &WorldList { worlds }))
}

pub(super) fn overview(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    Ok(told(200, &asked.world()?.overview()))
}

pub(super) fn settings(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    Ok(told(200, &asked.world()?.settings()))
}
