//! The block list as a list (rest.md A.10, B.3); it changes over the socket.

use super::{Answer, Call, Failure, Success, text};
use crate::machine::Server;

pub(super) fn blocks(server: &mut Server, call: &Call<'_>) -> Answer {
    let caller = call.caller(server)?;
    if server.accounts.find(call.first) != Some(caller) {
        return Err(Failure::forbidden(format!("the block list of {} is not yours", call.first)));
    }
    let blocked = server.accounts.user(caller).blocked.iter().copied();
    Ok(Success::list(server.accounts.names(blocked).iter().map(|name| text(name)).collect()))
}
