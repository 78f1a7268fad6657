//! Files that members share with a group or room (rest.md A.10, B.5). They open with the token of a member, without
//! any secret.

use serde_json::json;

use super::{Asked, Rank};
use crate::machine::Server;
use crate::machine::muc::{MucKind, SharedFile};
use crate::machine::rest::chatfiles::{blob_of, new_file};
use crate::machine::rest::envelope::uuid_of;
use crate::machine::rest::page::Page;
use crate::machine::rest::{Answer, Call, Failure, Success};

pub(super) fn list(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Member)?;
    let files = &server.mucs.muc(asked.muc).files;
    let shown = Page::asked(call).of(files.iter()).map(|(id, file)| {
        json!({
            "file_id": &**id,
            "file_name": file.name,
            "file_owner": server.accounts.name(file.owner),
            "file_size": file.bytes,
            "created": file.created.0,
        })
    });
    Ok(Success::list(shown.collect()))
}

pub(super) fn upload(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Member)?;
    let new = new_file(server, call)?;
    let number = server.attachments.next_number();
    let id = uuid_of(&format!("{} share_file {number}", server.app));
    let file = SharedFile {
        blob: new.blob,
        name: new.name.to_owned(),
        media_type: new.media_type.to_owned(),
        bytes: new.bytes,
        owner: asked.by,
        created: call.now,
    };
    server.share_file(asked.act, asked.muc, &id, file).map_err(|fault| asked.refused(server, fault))?;
    let (base, path) = (&call.request.base, &call.request.path);
    Ok(Success::data(json!({
        "file_url": format!("{base}/{}/{}{path}/{id}", server.app.org(), server.app.app()),
        "group_id": call.first,
        "file_name": new.name,
        "created": call.now.0,
        "file_id": id,
        "file_size": new.bytes,
    })))
}

pub(super) fn download(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Member)?;
    let Some(file) = server.mucs.muc(asked.muc).files.get(call.second) else {
        return Err(Failure::no_chatfile(call.second));
    };
    Ok(Success::File(blob_of(file.blob, &file.media_type, &file.name)))
}

/// By its leaders, or by who shared it.
pub(super) fn delete(server: &mut Server, call: &Call<'_>, kind: MucKind) -> Answer {
    let asked = Asked::of(server, call, kind, Rank::Member)?;
    let Some(file) = server.mucs.muc(asked.muc).files.get(call.second) else {
        return Err(Failure::no_chatfile(call.second));
    };
    if asked.rank == Rank::Member && file.owner != asked.by {
        return Err(Failure::forbidden("only the owner, an administrator or who shared it may do this"));
    }
    server.unshare_file(asked.act, asked.muc, call.second);
    Ok(Success::data(json!({ "group_id": call.first, "file_id": call.second, "result": true })))
}
