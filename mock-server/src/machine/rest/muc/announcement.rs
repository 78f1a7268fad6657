//! The announcement of a group or room.

use serde::Deserialize;
use serde_json::json;

use super::{Asked, Rank};
use crate::machine::Server;
use crate::machine::muc::MucKind;
use crate::machine::rest::{Answer, Call, Failure, Success};

#[derive(Deserialize)]
struct Announcement {
    announcement: String,
}

/// The documents on groups: as a description.
const ANNOUNCEMENT_CHARS_MAX: usize = 512;

pub(super) fn read(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Member)?;
    Ok(Success::data(json!({ "announcement": server.mucs.muc(asked.muc).announcement })))
}

pub(super) fn write(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Admin)?;
    let Announcement { announcement } = call.json()?;
    if announcement.chars().count() > ANNOUNCEMENT_CHARS_MAX {
        return Err(Failure::illegal(format!(
            "an announcement holds at most {ANNOUNCEMENT_CHARS_MAX} characters"
        )));
    }
    server.announce(asked.act, asked.muc, &announcement);
    Ok(Success::data(json!({ "id": call.first, "result": true })))
}
