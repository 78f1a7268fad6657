//! The catalog over HTTP: what it has, and `stage`, by which an entry of it happens to one user of a world.

use super::route::Asked;
use super::{Refusal, bad, parsed, told};
use crate::catalog::StageError;
use crate::control_api::StageNamed;
use crate::shell::content::Answer;

pub(super) fn listing(asked: &Asked<'_>) -> Result<Answer, Refusal> {
    Ok(told(200, &asked.worlds.catalog().listing()))
}

/// Does what the entry says, or says why not: then nothing was done, and no world made.
pub(super) fn stage(asked: &Asked<'_>, body: &[u8]) -> Result<Answer, Refusal> {
    let StageNamed { name, user } = parsed(body)?;
    let staging = asked.worlds.catalog().stage(&name, &user).map_err(|error| match error {
        StageError::Unknown(unknown) => bad("no_such_entry", unknown.to_string()),
        StageError::User(_) => bad("user", error.to_string()),
    })?;
    asked
        .within(|world| world.stage(staging.armed.clone(), &user))?
        .map_err(|error| bad("refused", format!("nothing was done: {error}")))?;
    Ok(told(200, &staging))
}
