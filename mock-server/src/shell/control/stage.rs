//! What is done to a world as a whole: it is made anew or forgotten, its clock is moved, its tape is kept.

use super::route::Asked;
use super::{Refusal, bad, no_room, parsed, told};
use crate::control::{Control, Settings};
use crate::control_api::{CLOCK_MS_MAX, ClockMove, Done, KeepTape, NewWorld, Reset, TAPE_ROWS_MAX};
use crate::machine::{Config, Millis, Server};
use crate::shell::clock::wall_now;
use crate::shell::content::Answer;
use crate::shell::worlds::Founding;

pub(super) fn anew(asked: &Asked<'_>, body: &[u8]) -> Result<Answer, Refusal> {
    let NewWorld { settings: patch, clock_ms, tape_rows_max, nasty } = parsed(body)?;
    tape_rows_max.map_or(Ok(()), tape_rows)?;
    clock_ms.map_or(Ok(()), moment)?;
    let app_key = asked.app_key();
    let mut settings = Settings::default();
    if let Some(patch) = patch {
        // A rule that makes no sense is refused before anything is forgotten.
        let mut trial = Server::new(Config::new(app_key.clone()));
        trial
            .control(Millis(0), Control::Settings((*patch).clone()))
            .map_err(|error| bad("settings", format!("nothing was done: {error}")))?;
        settings.apply(*patch);
    }
    let founding = Founding { settings, tape_rows_max, nasty };
    let world = asked.worlds.make_anew(app_key, founding).ok_or_else(no_room)?;
    if let Some(ms) = clock_ms {
        world.set_clock(Millis(ms)).expect("nobody has been in a world that was just made");
    }
    Ok(told(200, &world.clock()))
}

pub(super) fn forget(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    asked.worlds.forget(asked.app_key());
    Ok(told(200, &Done {}))
}

pub(super) fn clock(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    Ok(told(200, &asked.world()?.clock()))
}

pub(super) fn move_clock(asked: &Asked<'_>, body: &[u8]) -> Result<Answer, Refusal> {
    let to: ClockMove = parsed(body)?;
    let world = match to {
        ClockMove::AdvanceMs(ms) => {
            let now = asked.worlds.find(asked.app_key()).map_or_else(wall_now, |world| world.now());
            moment(now.0.saturating_add(ms))?;
            let world = asked.made()?;
            world.advance(ms);
            world
        }
        ClockMove::SetMs(ms) => {
            moment(ms)?;
            let world = asked.made()?;
            world.set_clock(Millis(ms)).map_err(|error| bad("backwards", error.to_string()))?;
            world
        }
        ClockMove::Stop {} => {
            let world = asked.made()?;
            world.stop_clock();
            world
        }
        ClockMove::Run {} => {
            let world = asked.made()?;
            world.run_clock();
            world
        }
    };
    Ok(told(200, &world.clock()))
}

pub(super) fn reset(asked: &Asked<'_>, body: &[u8]) -> Result<Answer, Refusal> {
    let Reset {} = parsed(body)?;
    // Looked up first: what is not there is not made.
    asked.world()?;
    asked.worlds.reset(asked.app_key());
    Ok(told(200, &asked.world()?.overview()))
}

fn moment(ms: u64) -> Result<(), Refusal> {
    if ms <= CLOCK_MS_MAX {
        return Ok(());
    }
    let end = "the end of the year 9999";
    Err(bad("clock", format!("a clock goes to {CLOCK_MS_MAX} ms, {end}, and {ms} ms is behind it")))
}

pub(super) fn keep_tape(asked: &Asked<'_>, body: &[u8]) -> Result<Answer, Refusal> {
    let KeepTape { rows_max } = parsed(body)?;
    tape_rows(rows_max)?;
    asked.made()?.keep_tape(asked.worlds.tape_bounds(rows_max));
    Ok(told(200, &KeepTape { rows_max }))
}

fn tape_rows(rows_max: usize) -> Result<(), Refusal> {
    if (1..=TAPE_ROWS_MAX).contains(&rows_max) {
        return Ok(());
    }
    Err(bad("rows", format!("a tape keeps 1 to {TAPE_ROWS_MAX} rows, not {rows_max}")))
}
