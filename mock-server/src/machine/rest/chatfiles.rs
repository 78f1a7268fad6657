//! `/chatfiles`: attachments in and out (rest.md A.4, A.5, B.4).
//!
//! What opens a file, as SDKs and the vendor's documents have it: one that was uploaded with `restrict-access`
//! opens by its secret, in a header beside a token or in the query, which is all that an `<img>` can bring; any
//! other one opens by any token of its app, and by `em-redirect=true` in the query without one (our guess: it is
//! what SDKs put into the URL that an `<img>` is given).

use serde_json::json;

use super::envelope::uuid_of;
use super::{Answer, Body, Call, Failure, Success};
use crate::machine::Server;
use crate::machine::upload::{Attachment, BlobId, Upload};

/// The file of an upload that nothing speaks against.
pub(super) struct NewFile<'a> {
    pub(super) blob: BlobId,
    pub(super) name: &'a str,
    pub(super) media_type: &'a str,
    pub(super) bytes: u64,
}

/// What is served when nobody said what it is, and for JSON: SDKs take that for a refusal (rest.md A.5).
const OCTETS: &str = "application/octet-stream";

pub(super) fn upload(server: &mut Server, call: &Call<'_>) -> Answer {
    call.authority(server)?;
    let file = new_file(server, call)?;
    let number = server.attachments.next_number();
    let uuid = uuid_of(&format!("{} chatfile {number}", server.app));
    Ok(keep(server, call, &uuid, &file))
}

/// Makes a file of the world's, under a uuid that no other one has, and answers with it.
pub(super) fn keep(server: &mut Server, call: &Call<'_>, uuid: &str, file: &NewFile<'_>) -> Success {
    // Where no file comes with the call, the header's word stands in the query (rest.md A.4.2).
    let restricts = call.request.restrict_access || call.parameter("restrict-access") == Some("true");
    let secret = restricts.then(|| secret_of(&format!("{} secret {uuid}", server.app)));
    let mut entity = json!({ "uuid": uuid, "type": "chatfile" });
    if let Some(secret) = &secret {
        entity["share-secret"] = secret.as_str().into();
    }
    let attachment = Attachment {
        blob: file.blob,
        name: file.name.to_owned(),
        media_type: file.media_type.to_owned(),
        secret: secret.map(Into::into),
    };
    server.add_attachment(uuid, attachment);
    Success::entity(entity).at("/chatfiles")
}

pub(super) fn download(server: &mut Server, call: &Call<'_>) -> Answer {
    let from_query = call.parameter("share-secret");
    // A token that is brought must be good, even where none is needed.
    let caller = match &call.request.token {
        Some(_) => Some(call.authority(server)?),
        None => None,
    };
    let opens_without_token = from_query.is_some() || call.parameter("em-redirect") == Some("true");
    if caller.is_none() && !opens_without_token {
        return Err(Failure::no_token());
    }
    let Some(file) = server.attachments.find(call.first) else {
        return Err(Failure::no_chatfile(call.first));
    };
    let secret = match caller {
        Some(_) => call.request.share_secret.as_deref().or(from_query),
        None => from_query,
    };
    if file.secret.as_deref().is_some_and(|wanted| secret != Some(wanted)) {
        return Err(if caller.is_some() || secret.is_some_and(|secret| !secret.is_empty()) {
            Failure::no_permission()
        } else {
            Failure::no_token()
        });
    }
    if call.parameter("vframe") == Some("true") {
        return Err(Failure::no_video_frame());
    }
    Ok(Success::File(blob_of(file.blob, &file.media_type, &file.name)))
}

/// The file that came with the request, or why it is not taken.
pub(super) fn new_file<'a>(server: &Server, call: &Call<'a>) -> Result<NewFile<'a>, Failure> {
    let bytes_max = server.settings.attachment_bytes_max;
    let file = match &call.request.upload {
        Some(Upload::File { blob, name, media_type, bytes, .. }) => {
            NewFile { blob: *blob, name, media_type, bytes: *bytes }
        }
        Some(Upload::TooLarge) => return Err(Failure::attachment_too_large(bytes_max)),
        Some(Upload::Bad(why)) => return Err(Failure::bad_request(why.clone())),
        Some(Upload::Lost(why)) => return Err(Failure::lost(why)),
        None => return Err(Failure::bad_request("this call takes a multipart/form-data body with a file")),
    };
    if file.bytes > bytes_max {
        return Err(Failure::attachment_too_large(bytes_max));
    }
    if file.bytes == 0 {
        return Err(Failure::illegal("the file is empty"));
    }
    if server.settings.improper_uploads {
        return Err(Failure::content_improper());
    }
    Ok(file)
}

/// An attachment as an answer.
pub(super) fn blob_of(blob: BlobId, media_type: &str, name: &str) -> Body {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    let is_json = essence.eq_ignore_ascii_case("application/json");
    let media_type = if essence.is_empty() || is_json { OCTETS } else { media_type };
    Body::Blob { blob, media_type: media_type.to_owned(), name: name.to_owned() }
}

/// Hard to guess it is not: a world is one machine's own, and a run that is repeated gives the same secrets.
fn secret_of(name: &str) -> String {
    uuid_of(name).replace('-', "")
}
