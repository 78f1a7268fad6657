//! Asking to come in and being asked in, and the word on either.

use serde::Deserialize;
use serde_json::json;

use super::{Asked, NAMES_MAX, Names, Rank, existing_user};
use crate::machine::Server;
use crate::machine::muc::{Door, Entrance, MucFault, MucKind, Verdict};
use crate::machine::rest::{Answer, Call, Failure, Success};

#[derive(Deserialize)]
struct Application {
    #[serde(default)]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Word {
    #[serde(alias = "invitee")]
    applicant: String,
    verify_result: bool,
    #[serde(default)]
    reason: String,
}

/// As a group's announcement and description: a few lines.
const REASON_CHARS_MAX: usize = 512;

pub(super) fn apply(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    call.caller(server)?;
    let asked = Asked::of(server, call, kind, Rank::Outsider)?;
    // An empty body asks as well as one with a message.
    let message =
        if call.request.body.is_empty() { String::new() } else { call.json::<Application>()?.message };
    let message = reason(message)?;
    let muc = server.mucs.muc(asked.muc);
    let done = match kind {
        // Entering a room one is in already is no mistake: apps do it at each page load.
        MucKind::Room if muc.has(asked.by) => Ok(()),
        MucKind::Room => server.join(asked.act, asked.muc, asked.by, Entrance::Open),
        MucKind::Group | MucKind::Thread if !muc.profile.public => {
            let reason = format!("can not join this group, reason: group {} is private", call.first);
            return Err(Failure::forbidden(reason));
        }
        MucKind::Group | MucKind::Thread if muc.profile.approval => {
            server.apply(asked.act, asked.muc, &message)
        }
        MucKind::Group | MucKind::Thread => server.join(asked.act, asked.muc, asked.by, Entrance::Open),
    };
    done.map_err(|fault| asked.refused(server, fault))?;
    let user = server.accounts.name(asked.by);
    Ok(Success::data(json!({ "action": "apply", "result": true, "id": call.first, "user": user })))
}

pub(super) fn invite(server: &mut Server, call: &Call<'_>) -> Answer {
    let asked = Asked::of(server, call, MucKind::Group, Rank::Member)?;
    let profile = &server.mucs.muc(asked.muc).profile;
    if asked.rank == Rank::Member && !profile.members_invite {
        return Err(Failure::forbidden("only the owner or an administrator may invite to this group"));
    }
    let asks = profile.invite_need_confirm;
    let Names { usernames } = call.json()?;
    if usernames.len() > NAMES_MAX {
        return Err(Failure::illegal(format!("at most {NAMES_MAX} users at a time")));
    }
    let mut results = Vec::with_capacity(usernames.len());
    for name in usernames {
        let outcome = existing_user(server, &name).and_then(|user| {
            let done = if asks {
                server.invite(asked.act, asked.muc, user)
            } else {
                server.join(asked.act, asked.muc, user, Entrance::Added)
            };
            done.map_err(|fault| asked.refused(server, fault))
        });
        let mut result =
            json!({ "action": "invite", "result": outcome.is_ok(), "id": call.first, "user": name });
        if let Err(failure) = outcome {
            result["reason"] = failure.description().into();
        }
        results.push(result);
    }
    Ok(Success::list(results))
}

/// A leader's word on an application, or the invited user's own on an invitation.
pub(super) fn verify(server: &mut Server, call: &Call<'_>, door: Door) -> Answer {
    let (least, action) = match door {
        Door::Application => (Rank::Admin, "apply_verify"),
        Door::Invitation => (Rank::Outsider, "invite_verify"),
    };
    let asked = Asked::of(server, call, MucKind::Group, least)?;
    let word: Word = call.json()?;
    let user = existing_user(server, &word.applicant)?;
    if door == Door::Invitation && user != asked.by && asked.rank != Rank::App {
        return Err(Failure::forbidden(format!("the invitation of {} is not yours", word.applicant)));
    }
    let reason = reason(word.reason)?;
    let verdict = if word.verify_result { Verdict::Yes } else { Verdict::No(&reason) };
    server
        .settle(asked.act, asked.muc, user, door, verdict)
        .map_err(|fault: MucFault| asked.refused(server, fault))?;
    Ok(Success::data(json!({
        "action": action, "result": true, "groupid": call.first, "user": server.accounts.name(user),
    })))
}

fn reason(text: String) -> Result<String, Failure> {
    if text.chars().count() > REASON_CHARS_MAX {
        return Err(Failure::illegal(format!("a reason holds at most {REASON_CHARS_MAX} characters")));
    }
    Ok(text)
}
