//! `POST …/control`: commands to a world.

use super::route::Asked;
use super::{Refusal, bad, parsed, told};
use crate::control::{Control, Fault};
use crate::control_api::{CommandResult, CommandResults, Refused};
use crate::shell::content::Answer;

/// A stage is set in some hundred commands; a slip in a loop should show.
const COMMANDS_MAX: usize = 10_000;

pub(super) fn answer(asked: &Asked<'_>, body: &[u8]) -> Result<Answer, Refusal> {
    // Read before the world is made: what is refused leaves nothing behind.
    let commands = commands(body)?;
    let count = commands.len();
    let arms: Vec<bool> =
        commands.iter().map(|command| matches!(command, Control::Fault(Fault::Rule(_)))).collect();
    let done = asked.within(|world| {
        let rules_before = world.rules_ever();
        world.control_all(commands).map(|()| rules_before)
    })?;
    let refused = match done {
        Ok(mut number) => {
            let results = arms.into_iter().map(|arms| {
                // They are numbered as they are armed, and nothing came between.
                number += u64::from(arms);
                CommandResult { done: true, error: None, rule: arms.then_some(number) }
            });
            return Ok(told(200, &CommandResults { results: results.collect() }));
        }
        Err(refused) => refused,
    };
    let mut results = vec![CommandResult { done: false, error: None, rule: None }; count];
    results[refused.index].error = Some(refused.error.to_string());
    let refused = Refused {
        error: "refused".to_owned(),
        error_description: refused.to_string(),
        results: Some(results),
    };
    Ok(told(400, &refused))
}

/// One command, or an array of them.
fn commands(body: &[u8]) -> Result<Vec<Control>, Refusal> {
    let is_array = body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    let commands = if is_array { parsed(body)? } else { vec![parsed(body)?] };
    if commands.len() > COMMANDS_MAX {
        return Err(bad("too_many", format!("at most {COMMANDS_MAX} commands come in one request")));
    }
    Ok(commands)
}
