//! Door faults, of the whole server and of one world's own path: armed, looked at, taken away.

use super::route::Asked;
use super::{Refusal, bad, parsed, told};
use crate::control_api::{DoorFaults, DoorList};
use crate::shell::content::Answer;
use crate::shell::doors::{DOORS_MAX, Doors};

pub(super) fn of_server(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    Ok(listed(&asked.worlds.doors()))
}

pub(super) fn arm_server(asked: &Asked<'_>, body: &[u8]) -> Result<Answer, Refusal> {
    arm(&mut asked.worlds.doors_mut(), faults(body)?)
}

pub(super) fn clear_server(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    asked.worlds.doors_mut().clear();
    Ok(listed(&asked.worlds.doors()))
}

pub(super) fn disarm_server(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    disarm(&mut asked.worlds.doors_mut(), asked.name("id"))
}

pub(super) fn of_world(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    Ok(listed(&asked.world()?.doors()))
}

pub(super) fn arm_world(asked: &Asked<'_>, body: &[u8]) -> Result<Answer, Refusal> {
    // Read before the world is made: what is refused leaves nothing behind.
    let faults = faults(body)?;
    asked.within(|world| arm(&mut world.doors_mut(), faults))?
}

pub(super) fn clear_world(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    let world = asked.world()?;
    world.doors_mut().clear();
    Ok(listed(&world.doors()))
}

pub(super) fn disarm_world(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    disarm(&mut asked.world()?.doors_mut(), asked.name("id"))
}

/// One, or an array of them.
fn faults(body: &[u8]) -> Result<DoorFaults, Refusal> {
    let is_array = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    Ok(if is_array { DoorFaults::Many(parsed(body)?) } else { DoorFaults::One(parsed(body)?) })
}

fn arm(doors: &mut Doors, faults: DoorFaults) -> Result<Answer, Refusal> {
    let faults = match faults {
        DoorFaults::One(fault) => vec![fault],
        DoorFaults::Many(faults) => faults,
    };
    if doors.arm(faults) {
        return Ok(listed(doors));
    }
    Err(bad("too_many", format!("nothing was done: at most {DOORS_MAX} door faults are armed at a time")))
}

fn disarm(doors: &mut Doors, id: &str) -> Result<Answer, Refusal> {
    let number =
        id.parse().map_err(|_| bad("id", format!("a door fault's number is expected, not {id:?}")))?;
    if doors.disarm(number) {
        return Ok(listed(doors));
    }
    Err(bad("id", format!("there is no door fault {number} here; GET …/doors lists those that are armed")))
}

fn listed(doors: &Doors) -> Answer {
    told(200, &DoorList { doors: doors.list() })
}
