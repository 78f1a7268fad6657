//! `/user/{me}/moderation/report/message/{id}`: a message that its reader finds wanting (rest.md A.11).
//!
//! The moderators of a mock server are whoever runs it: what is reported is told in its log, once.

use serde::Deserialize;
use serde_json::json;

use super::{Answer, Call, Failure, Success};
use crate::machine::{Server, excerpt};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    report_type: String,
    #[serde(default)]
    report_reason: String,
}

/// The vendor's page on reports: how long a reason may be. That of a type is as long: our guess.
const REASON_CHARS_MAX: usize = 512;

pub(super) fn report(server: &mut Server, call: &Call<'_>) -> Answer {
    let user = call.owner(server, call.first)?;
    let Report { report_type, report_reason } = call.json()?;
    if !server.settings.reports {
        // The words that 4.x looks for (rest.md 0.11).
        return Err(Failure::forbidden("message report not open"));
    }
    if [&report_type, &report_reason].iter().any(|text| text.chars().count() > REASON_CHARS_MAX) {
        return Err(Failure::illegal(format!(
            "reportType and reportReason hold at most {REASON_CHARS_MAX} characters"
        )));
    }
    let id = call.second.parse().ok().filter(|&id| server.may_see(user, id));
    let Some(id) = id else {
        // As above.
        return Err(Failure::illegal("report failed, get message by id failed"));
    };
    if server.reports.keep(user, id, &report_type, &report_reason) {
        server.warn(format!(
            "{}: {} reports message {id} as {}: {}",
            server.app,
            server.accounts.name(user),
            excerpt(&report_type),
            excerpt(&report_reason)
        ));
    }
    Ok(Success::data(json!({ "result": "ok" })))
}
