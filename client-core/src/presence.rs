//! Changes of contacts, groups and rooms: from the operations on the wire to the words of the 3.x Web SDK
//! (wire-3x §5.3, §5.4). Reads metas; keeps no list of its own.

use bytes::Bytes;
use fixtures::wire::muc_body::Operation as Muc;
use fixtures::wire::roster_body::Operation as Roster;
use fixtures::wire::{Jid, MucBody, RosterBody};
use prost::Message as _;

use crate::event::{Place, Presence};

/// What a roster meta calls for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RosterNews {
    Contacts(Presence),
    /// The block list changed; the new one is to be fetched.
    BlockList,
}

/// Reads a MUC meta; `None` for operations that the SDK is silent about.
pub(crate) fn read_muc(payload: Bytes) -> Result<Option<Presence>, String> {
    let body = MucBody::decode(payload).map_err(|error| error.to_string())?;
    let number = body.operation.unwrap_or_default();
    let in_room = body.is_chatroom.unwrap_or_default();
    let Some(kind) = Muc::try_from(number).ok().and_then(|operation| muc_kind(operation, in_room)) else {
        return Ok(None);
    };
    let id = name_of(body.muc_id.as_ref());
    if id.is_empty() {
        return Err(format!("{kind} names no group or room"));
    }
    let place = if in_room { Place::Room(id) } else { Place::Group(id) };
    let (from, to) = (name_of(body.from.as_ref()), name_of(body.to.first()));
    Ok(Some(Presence { kind, from, to, status: body.reason.unwrap_or_default(), place }))
}

/// Reads a roster meta; `None` for queries, which change nothing.
pub(crate) fn read_roster(payload: Bytes) -> Result<Option<RosterNews>, String> {
    let body = RosterBody::decode(payload).map_err(|error| error.to_string())?;
    let kind = match Roster::try_from(body.operation.unwrap_or_default()) {
        Ok(Roster::Add) => "subscribe",
        Ok(Roster::Accept | Roster::RemoteAccept) => "subscribed",
        Ok(Roster::Remove | Roster::Decline | Roster::RemoteDecline) => "unsubscribed",
        Ok(Roster::Ban | Roster::Allow) => return Ok(Some(RosterNews::BlockList)),
        Ok(Roster::GetRoster | Roster::GetBlacklist) | Err(_) => return Ok(None),
    };
    let (from, to) = (name_of(body.from.as_ref()), name_of(body.to.first()));
    let status = body.reason.unwrap_or_default();
    Ok(Some(RosterNews::Contacts(Presence { kind, from, to, status, place: Place::Contacts })))
}

fn muc_kind(operation: Muc, in_room: bool) -> Option<&'static str> {
    let kind = match operation {
        Muc::Destroy => "deleteGroupChat",
        Muc::Join => "join",
        Muc::Leave => "leave",
        Muc::Apply => "joinGroupNotifications",
        Muc::ApplyAccept => "joinPublicGroupSuccess",
        Muc::ApplyDecline => "joinPublicGroupDeclined",
        Muc::Invite => "invite",
        Muc::InviteAccept => "invite_accept",
        Muc::InviteDecline => "invite_decline",
        Muc::Kick => "removedFromGroup",
        Muc::GetBlacklist => "getBlackList",
        Muc::Ban => "ban",
        Muc::Allow => "allow",
        Muc::Update => "update",
        Muc::Block => "block",
        Muc::Unblock => "unblock",
        Muc::Presence if in_room => "memberJoinChatRoomSuccess",
        Muc::Presence => "memberJoinPublicGroupSuccess",
        Muc::Absence if in_room => "leaveChatRoom",
        Muc::Absence => "leaveGroup",
        Muc::DirectJoined => "direct_joined",
        Muc::AssignOwner => "changeOwner",
        Muc::AddAdmin => "addAdmin",
        Muc::RemoveAdmin => "removeAdmin",
        Muc::AddMute => "addMute",
        Muc::RemoveMute => "removeMute",
        Muc::UpdateAnnouncement => "updateAnnouncement",
        Muc::DeleteAnnouncement => "deleteAnnouncement",
        Muc::UploadFile => "uploadFile",
        Muc::DeleteFile => "deleteFile",
        Muc::AddUserWhiteList if in_room => "addUserToChatRoomWhiteList",
        Muc::AddUserWhiteList => "addUserToGroupWhiteList",
        Muc::RemoveUserWhiteList if in_room => "rmUserFromChatRoomWhiteList",
        Muc::RemoveUserWhiteList => "rmUserFromGroupWhiteList",
        Muc::BanGroup if in_room => "muteChatRoom",
        Muc::BanGroup => "muteGroup",
        Muc::RemoveBanGroup if in_room => "rmChatRoomMute",
        Muc::RemoveBanGroup => "rmGroupMute",
        // The SDK ignores CREATE; the rest came with 4.x and has no word in 3.x.
        Muc::Create
        | Muc::ThreadCreate
        | Muc::ThreadDestroy
        | Muc::ThreadJoin
        | Muc::ThreadLeave
        | Muc::ThreadKick
        | Muc::ThreadUpdate
        | Muc::ThreadPresence
        | Muc::ThreadAbsence
        | Muc::DisableGroup
        | Muc::AbleGroup
        | Muc::SetMetadata
        | Muc::DeleteMetadata
        | Muc::GroupMemberMetadataUpdate => return None,
    };
    Some(kind)
}

fn name_of(jid: Option<&Jid>) -> String {
    jid.and_then(|jid| jid.name.clone()).unwrap_or_default()
}
