//! `/sdk/chatfiles/part-upload`: large attachments, as 4.21.1 uploads them, part by part (rest.md A.4.2).

use serde_json::json;

use super::chatfiles::{self, NewFile};
use super::envelope::uuid_of;
use super::{Answer, Call, Failure, Success};
use crate::machine::Server;
use crate::machine::part_upload::{NewPart, OPEN_OF_CALLER_MAX, PART_BYTES_MIN, PARTS_MAX, PartFault};
use crate::machine::upload::Upload;

pub(super) fn begin(server: &mut Server, call: &Call<'_>) -> Answer {
    let caller = call.authority(server)?;
    let number = server.attachments.next_number();
    // The file will have it, too, which is our guess.
    let uuid = uuid_of(&format!("{} chatfile {number}", server.app));
    server.begin_part_upload(call.now, caller, &uuid).map_err(|fault| refusal(server, &uuid, fault))?;
    Ok(Success::entity(json!({
        "uuid": uuid,
        "type": "chatfile",
        "file_upper_limit": server.settings.attachment_bytes_max,
        "part_lower_limit": PART_BYTES_MIN,
    })))
}

/// SDKs read nothing of the answer; what it says is our guess.
pub(super) fn part(server: &mut Server, call: &Call<'_>) -> Answer {
    let caller = call.authority(server)?;
    let file = chatfiles::new_file(server, call)?;
    let number = part_number(call)?;
    let NewFile { blob, name, media_type, bytes } = file;
    let part = NewPart { number, blob, bytes, name, media_type };
    let added = server.add_part(call.now, caller, call.first, &part);
    added.map_err(|fault| refusal(server, call.first, fault))?;
    Ok(Success::entity(json!({ "uuid": call.first, "part_number": number })))
}

/// Answers as `POST /chatfiles` does.
pub(super) fn complete(server: &mut Server, call: &Call<'_>) -> Answer {
    let caller = call.authority(server)?;
    let joined = server.complete_part_upload(call.now, caller, call.first);
    let joined = joined.map_err(|fault| refusal(server, call.first, fault))?;
    let (name, media_type) = (joined.name.as_str(), joined.media_type.as_str());
    let file = NewFile { blob: joined.blob, name, media_type, bytes: joined.bytes };
    Ok(chatfiles::keep(server, call, call.first, &file))
}

pub(super) fn abort(server: &mut Server, call: &Call<'_>) -> Answer {
    let caller = call.authority(server)?;
    let aborted = server.abort_part_upload(call.now, caller, call.first);
    aborted.map_err(|fault| refusal(server, call.first, fault))?;
    Ok(Success::data(json!({ "uuid": call.first, "result": true })))
}

/// The text beside the part that says which it is.
fn part_number(call: &Call<'_>) -> Result<u32, Failure> {
    let said = match &call.request.upload {
        Some(Upload::File { fields, .. }) => fields.get("part_number").map(|text| text.trim()),
        Some(Upload::TooLarge | Upload::Bad(_) | Upload::Lost(_)) | None => None,
    };
    let number = said.and_then(|text| text.parse().ok()).filter(|number| (1..=PARTS_MAX).contains(number));
    number.ok_or_else(|| {
        let said = said.unwrap_or_default();
        Failure::illegal(format!("part_number is a number from 1 to {PARTS_MAX}, and not {said:?}"))
    })
}

fn refusal(server: &Server, uuid: &str, fault: PartFault) -> Failure {
    match fault {
        PartFault::Unknown => Failure::no_part_upload(uuid),
        PartFault::Complete => {
            Failure::illegal(format!("this upload is complete, and its file lies at /chatfiles/{uuid}"))
        }
        PartFault::Anothers => Failure::forbidden("this upload is somebody else's"),
        PartFault::TooMany => Failure::limit(format!(
            "{OPEN_OF_CALLER_MAX} uploads in parts are not complete; complete one, or give it up by DELETE"
        )),
        PartFault::TooLarge => Failure::attachment_too_large(server.settings.attachment_bytes_max),
        PartFault::NoParts => Failure::illegal("no part of this upload has come"),
        PartFault::Missing(number) => {
            Failure::illegal(format!("part {number} has not come; upload it, and complete the upload then"))
        }
    }
}
