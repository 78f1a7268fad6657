//! Which call a path and a method are: the table of the API.
//!
//! Nothing is decided here but where a request goes.

use std::sync::LazyLock;

use super::call::Call;
use super::envelope::Failure;
use super::{
    Body, Method, Request, Response, acks, attributes, chatfiles, conversations, devices, messages, metadata,
    muc, mutes, notification, part_upload, pins, presence, reactions, reports, roaming, roster, sessions,
    status, threads, token, translate, users,
};
use crate::machine::account::Caller;
use crate::machine::conversation::Set;
use crate::machine::muc::{Force, MucKind};
use crate::machine::mutes::ChatKind;
use crate::machine::{Millis, Server};

/// What a path names; the segments in braces are in the match.
#[derive(Clone, Copy, Debug)]
enum Route {
    Token,
    TokenExpires,
    Users,
    User,
    UserPassword,
    UserStatus,
    BatchStatus,
    OfflineCount,
    OfflineStatus,
    Deactivate,
    Activate,
    Disconnect,
    Mutes,
    UserMutes,
    Metadata,
    MetadataGet,
    MetadataCapacity,
    ChatFiles,
    ChatFile,
    PartUploads,
    PartUpload,
    Send(ChatKind),
    Import(ChatKind),
    RecallMessage,
    HistoryFile,
    GroupAcks,
    Roaming,
    Sessions,
    SessionPage,
    Session,
    Conversations,
    ConversationPin,
    ConversationMarks,
    PinnedMessages,
    MarkedConversations,
    RemoveEverything,
    RemoveHistory(conversations::Of),
    RemoveHistoryUntil(conversations::Of),
    UserBlocks,
    UserBlock,
    UserContacts,
    UserContact,
    ContactPage,
    ContactApply,
    ContactAccept,
    ContactDecline,
    SdkBlocks,
    PresencePublish,
    PresenceSubscribe,
    Presence,
    PresenceSubscriptions,
    Reactions,
    ReactionDetail,
    Notification(notification::Of),
    Notifications,
    NotificationKinds,
    NotificationLanguage,
    Translate,
    Languages,
    Report,
    Devices,
    CallToken,
    CallNumbers,
    JoinedGroups,
    JoinedGroupDetails,
    JoinedGroupCount,
    JoinedRooms,
    MuteListed(MucKind),
    RoomAttributes,
    RoomAttributesOf(Force),
    MemberAttributes,
    MembersAttributes,
    PublicGroups,
    NewThread,
    Thread,
    ThreadJoin,
    ThreadQuit,
    ThreadMembers,
    ThreadMember,
    ThreadMessages,
    GroupThreads,
    GroupThreadsOf,
    ThreadsOf,
    Muc(MucKind, muc::Part),
}

/// The paths of the API, and what each names.
static ROUTES: LazyLock<(matchit::Router<Route>, Vec<String>)> = LazyLock::new(|| {
    let routes = [
        ("/token", Route::Token),
        ("/sdk/users/{user}/token/expires", Route::TokenExpires),
        ("/users", Route::Users),
        ("/users/{user}", Route::User),
        ("/users/{user}/password", Route::UserPassword),
        ("/users/{user}/status", Route::UserStatus),
        ("/users/batch/status", Route::BatchStatus),
        ("/users/{user}/offline_msg_count", Route::OfflineCount),
        ("/users/{user}/offline_msg_status/{message}", Route::OfflineStatus),
        ("/users/{user}/deactivate", Route::Deactivate),
        ("/users/{user}/activate", Route::Activate),
        ("/users/{user}/disconnect", Route::Disconnect),
        ("/mutes", Route::Mutes),
        ("/mutes/{user}", Route::UserMutes),
        ("/metadata/user/{user}", Route::Metadata),
        ("/metadata/user/get", Route::MetadataGet),
        ("/metadata/user/capacity", Route::MetadataCapacity),
        ("/chatfiles", Route::ChatFiles),
        ("/chatfiles/{uuid}", Route::ChatFile),
        ("/sdk/chatfiles/part-upload", Route::PartUploads),
        ("/sdk/chatfiles/part-upload/{uuid}", Route::PartUpload),
        ("/messages/users", Route::Send(ChatKind::Chat)),
        ("/messages/chatgroups", Route::Send(ChatKind::Groupchat)),
        ("/messages/chatrooms", Route::Send(ChatKind::Chatroom)),
        ("/messages/users/import", Route::Import(ChatKind::Chat)),
        ("/messages/chatgroups/import", Route::Import(ChatKind::Groupchat)),
        // The documents name both (rest.md B.4).
        ("/messages/msg_recall", Route::RecallMessage),
        ("/messages/recall", Route::RecallMessage),
        ("/chatmessages/{hour}", Route::HistoryFile),
        ("/chatgroups/{id}/acks/{message}", Route::GroupAcks),
        ("/users/{user}/messageroaming", Route::Roaming),
        ("/users/{user}/user_channels", Route::Sessions),
        ("/users/{user}/user_channels/page", Route::SessionPage),
        // SDKs say `user`, the server-side documents `users` (rest.md A.8).
        ("/user/{user}/user_channel", Route::Session),
        ("/users/{user}/user_channel", Route::Session),
        ("/sdk/user/{user}/user_channels/list", Route::Conversations),
        ("/sdk/user/{user}/user_channels/mark", Route::ConversationMarks),
        ("/sdk/user/{user}/user_channels/mark/search", Route::MarkedConversations),
        ("/sdk/user/{user}/user_channel/top", Route::ConversationPin),
        ("/sdk/user/{user}/user_channel/pin", Route::PinnedMessages),
        ("/sdk/message/roaming/user/{user}/delete/all", Route::RemoveEverything),
        ("/sdk/message/roaming/chat/user/{user}", Route::RemoveHistory(conversations::Of::User)),
        ("/sdk/message/roaming/group/user/{user}", Route::RemoveHistory(conversations::Of::Group)),
        ("/sdk/message/roaming/chat/user/{user}/time", Route::RemoveHistoryUntil(conversations::Of::User)),
        ("/sdk/message/roaming/group/user/{user}/time", Route::RemoveHistoryUntil(conversations::Of::Group)),
        ("/users/{user}/blocks/users", Route::UserBlocks),
        ("/users/{user}/blocks/users/{other}", Route::UserBlock),
        ("/users/{user}/contacts/users", Route::UserContacts),
        ("/users/{user}/contacts/users/{other}", Route::UserContact),
        ("/users/{user}/contacts", Route::ContactPage),
        ("/users/{user}/contacts/apply", Route::ContactApply),
        ("/users/{user}/contacts/accept/users/{other}", Route::ContactAccept),
        ("/users/{user}/contacts/decline/users/{other}", Route::ContactDecline),
        ("/sdk/user/{user}/blocks", Route::SdkBlocks),
        ("/users/{user}/presence/{resource}/{status}", Route::PresencePublish),
        ("/users/{user}/presence/{expiry}", Route::PresenceSubscribe),
        ("/users/{user}/presence", Route::Presence),
        ("/users/{user}/presence/sublist", Route::PresenceSubscriptions),
        ("/reaction/user/{user}", Route::Reactions),
        ("/reaction/user/{user}/detail", Route::ReactionDetail),
        ("/users/{user}/notification/user/{other}", Route::Notification(notification::Of::User)),
        ("/users/{user}/notification/chatgroup/{id}", Route::Notification(notification::Of::Group)),
        ("/users/{user}/notification", Route::Notifications),
        ("/users/{user}/notification/mute/type", Route::NotificationKinds),
        ("/users/{user}/notification/language", Route::NotificationLanguage),
        ("/users/{user}/translate", Route::Translate),
        ("/users/{user}/translate/support/language", Route::Languages),
        ("/user/{user}/moderation/report/message/{message}", Route::Report),
        ("/users/{user}/resources", Route::Devices),
        ("/users/{user}/token/rtc", Route::CallToken),
        ("/rtc_mapper/batch/get", Route::CallNumbers),
        ("/users/{user}/joined_chatgroups", Route::JoinedGroups),
        ("/chatgroups/user/{user}", Route::JoinedGroupDetails),
        ("/chatgroups/user/{user}/joined_count", Route::JoinedGroupCount),
        ("/users/{user}/joined_chatrooms", Route::JoinedRooms),
        ("/sdk/chatgroups/{id}/mute/{user}", Route::MuteListed(MucKind::Group)),
        ("/sdk/chatrooms/{id}/mute/{user}", Route::MuteListed(MucKind::Room)),
        ("/metadata/chatroom/{id}", Route::RoomAttributes),
        ("/metadata/chatroom/{id}/user/{user}", Route::RoomAttributesOf(Force::Spares)),
        ("/metadata/chatroom/{id}/user/{user}/forced", Route::RoomAttributesOf(Force::Overrules)),
        // SDKs say `sdk`, the server-side documents do not.
        ("/sdk/metadata/chatgroup/{id}/user/{user}", Route::MemberAttributes),
        ("/metadata/chatgroup/{id}/user/{user}", Route::MemberAttributes),
        ("/sdk/metadata/chatgroup/{id}/get", Route::MembersAttributes),
        ("/metadata/chatgroup/{id}/get", Route::MembersAttributes),
        ("/thread", Route::NewThread),
        ("/thread/{id}", Route::Thread),
        ("/thread/{id}/user/{user}/join", Route::ThreadJoin),
        ("/thread/{id}/user/{user}/quit", Route::ThreadQuit),
        ("/thread/{id}/users", Route::ThreadMembers),
        ("/thread/{id}/users/{user}", Route::ThreadMember),
        ("/thread/message", Route::ThreadMessages),
        ("/threads/chatgroups/{id}", Route::GroupThreads),
        ("/threads/chatgroups/{id}/user/{user}", Route::GroupThreadsOf),
        ("/threads/user/{user}", Route::ThreadsOf),
        ("/publicchatgroups", Route::PublicGroups),
    ];
    let mut router = matchit::Router::new();
    for (path, route) in routes {
        router.insert(path, route).expect("the table above holds no path twice");
    }
    let mut paths: Vec<String> = routes.iter().map(|(path, _)| (*path).to_owned()).collect();
    for (tail, part, kinds) in muc::PARTS {
        for &kind in kinds {
            let root = match kind {
                MucKind::Group => "/chatgroups",
                MucKind::Room => "/chatrooms",
                MucKind::Thread => unreachable!("PARTS are of groups and rooms"),
            };
            let path = format!("{root}{tail}");
            router.insert(&path, Route::Muc(kind, part)).expect("nor do the parts of a group");
            paths.push(path);
        }
    }
    (router, paths)
});

/// Every path of the API, in the spelling of its table.
pub fn paths() -> &'static [String] {
    &ROUTES.1
}

/// Where the path takes a file in a multipart body, which the host then keeps beside the request: the name of the part
/// that it is.
pub fn file_part(method: Method, path: &str) -> Option<&'static str> {
    let found = ROUTES.0.at(path).ok()?;
    match (*found.value, method) {
        (Route::ChatFiles | Route::Muc(_, muc::Part::Files), Method::Post) => Some("file"),
        (Route::PartUpload, Method::Put) => Some("part_file"),
        (_, Method::Get | Method::Post | Method::Put | Method::Delete) => None,
    }
}

/// What the call that a request names answers.
pub(super) fn routed(server: &mut Server, now: Millis, request: &Request) -> Response {
    let Ok(found) = ROUTES.0.at(&request.path) else {
        return Failure::no_such_path(&request.path).response(now);
    };
    let mut segments = found.params.iter().map(|(_, segment)| segment);
    let call = Call {
        now,
        request,
        first: segments.next().unwrap_or_default(),
        second: segments.next().unwrap_or_default(),
        third: segments.next().unwrap_or_default(),
    };
    if request.upload.is_some()
        && let Ok(Caller::User(user)) = call.authority(server)
        && server.resets_upload(user)
    {
        return Response { status: 0, body: Body::Reset };
    }
    let answer = match (*found.value, request.method) {
        (Route::Token, Method::Post) => token::grant(server, &call),
        (Route::TokenExpires, Method::Get) => token::expires(server, &call),
        (Route::Users, Method::Post) => users::register(server, &call),
        (Route::Users, Method::Get) => users::list(server, &call),
        (Route::Users, Method::Delete) => users::remove_many(server, &call),
        (Route::User, Method::Get) => users::details(server, &call),
        (Route::User, Method::Put) => users::modify(server, &call),
        (Route::User, Method::Delete) => users::remove(server, &call),
        (Route::UserPassword, Method::Put | Method::Post) => users::password(server, &call),
        (Route::UserStatus, Method::Get) => status::one(server, &call),
        // A user may have that name.
        (Route::BatchStatus, Method::Get) => status::one(server, &Call { first: "batch", ..call }),
        (Route::BatchStatus, Method::Post) => status::batch(server, &call),
        (Route::OfflineCount, Method::Get) => status::offline_count(server, &call),
        (Route::OfflineStatus, Method::Get) => status::offline_status(server, &call),
        (Route::Deactivate, Method::Post) => status::deactivate(server, &call),
        (Route::Activate, Method::Post) => status::activate(server, &call),
        (Route::Disconnect, Method::Get) => status::disconnect(server, &call),
        (Route::Mutes, Method::Get) => mutes::list(server, &call),
        (Route::Mutes, Method::Post) => mutes::set(server, &call),
        (Route::UserMutes, Method::Get) => mutes::of(server, &call),
        (Route::Metadata, Method::Get) => metadata::get(server, &call),
        (Route::Metadata, Method::Put) => metadata::set(server, &call),
        (Route::Metadata, Method::Delete) => metadata::clear(server, &call),
        (Route::MetadataGet, Method::Post) => metadata::get_many(server, &call),
        (Route::MetadataGet, Method::Get) => metadata::get(server, &Call { first: "get", ..call }),
        (Route::MetadataCapacity, Method::Get) => metadata::capacity(server, &call),
        (Route::ChatFiles, Method::Post) => chatfiles::upload(server, &call),
        (Route::ChatFile, Method::Get) => chatfiles::download(server, &call),
        (Route::PartUploads, Method::Post) => part_upload::begin(server, &call),
        (Route::PartUpload, Method::Put) => part_upload::part(server, &call),
        (Route::PartUpload, Method::Post) => part_upload::complete(server, &call),
        (Route::PartUpload, Method::Delete) => part_upload::abort(server, &call),
        (Route::Send(kind), Method::Post) => messages::send(server, &call, kind),
        (Route::Import(kind), Method::Post) => messages::import(server, &call, kind),
        (Route::RecallMessage, Method::Post) => messages::recall(server, &call),
        (Route::HistoryFile, Method::Get) => messages::history_file(server, &call),
        (Route::GroupAcks, Method::Get) => acks::list(server, &call),
        (Route::Roaming, Method::Post) => roaming::page(server, &call),
        (Route::Sessions, Method::Get) => sessions::list(server, &call),
        (Route::SessionPage, Method::Get) => sessions::page(server, &call),
        (Route::Session, Method::Delete) => sessions::delete(server, &call),
        (Route::Conversations, Method::Get) => conversations::list(server, &call),
        (Route::MarkedConversations, Method::Get) => conversations::marked(server, &call),
        (Route::ConversationMarks, Method::Post) => conversations::mark(server, &call, Set::On),
        (Route::ConversationMarks, Method::Delete) => conversations::mark(server, &call, Set::Off),
        (Route::ConversationPin, Method::Post) => conversations::pin(server, &call),
        (Route::ConversationPin, Method::Delete) => conversations::unpin(server, &call),
        (Route::PinnedMessages, Method::Post) => pins::change(server, &call, Set::On),
        (Route::PinnedMessages, Method::Delete) => pins::change(server, &call, Set::Off),
        (Route::PinnedMessages, Method::Get) => pins::list(server, &call),
        (Route::RemoveEverything, Method::Post) => conversations::remove_everything(server, &call),
        (Route::RemoveHistory(of), Method::Delete) => conversations::remove_some(server, &call, of),
        (Route::RemoveHistoryUntil(of), Method::Delete) => conversations::remove_until(server, &call, of),
        (Route::UserBlocks, Method::Get) => roster::blocks(server, &call),
        (Route::UserBlocks, Method::Post) => roster::block(server, &call),
        (Route::UserBlock, Method::Delete) => roster::unblock(server, &call),
        (Route::UserContacts, Method::Get) => roster::contacts(server, &call),
        (Route::UserContact, Method::Post) => roster::add_contact(server, &call),
        (Route::UserContact, Method::Delete) => roster::remove_contact(server, &call),
        (Route::UserContact, Method::Put) => roster::set_remark(server, &call),
        (Route::ContactPage, Method::Get) => roster::contact_page(server, &call),
        (Route::ContactApply, Method::Post) => roster::apply(server, &call),
        (Route::ContactAccept, Method::Post) => roster::accept(server, &call),
        (Route::ContactDecline, Method::Post) => roster::decline(server, &call),
        (Route::SdkBlocks, Method::Post) => roster::block(server, &call),
        (Route::SdkBlocks, Method::Delete) => roster::unblock_many(server, &call),
        (Route::PresencePublish, Method::Post) => presence::publish(server, &call),
        (Route::PresenceSubscribe, Method::Post) => presence::subscribe(server, &call),
        (Route::Presence, Method::Post) => presence::of(server, &call),
        (Route::Presence, Method::Delete) => presence::unsubscribe(server, &call),
        (Route::PresenceSubscriptions, Method::Get) => presence::subscriptions(server, &call),
        (Route::Reactions, Method::Post) => reactions::add(server, &call),
        (Route::Reactions, Method::Delete) => reactions::remove(server, &call),
        (Route::Reactions, Method::Get) => reactions::list(server, &call),
        (Route::ReactionDetail, Method::Get) => reactions::detail(server, &call),
        (Route::Notification(of), Method::Put) => notification::set(server, &call, of),
        (Route::Notification(of), Method::Get) => notification::get(server, &call, of),
        (Route::Notifications, Method::Get) => notification::get_many(server, &call),
        (Route::NotificationKinds, Method::Get) => notification::list(server, &call),
        (Route::NotificationLanguage, Method::Put) => notification::set_language(server, &call),
        (Route::NotificationLanguage, Method::Get) => notification::get_language(server, &call),
        (Route::Translate, Method::Post) => translate::translate(server, &call),
        (Route::Languages, Method::Get) => translate::languages(server, &call),
        (Route::Report, Method::Post) => reports::report(server, &call),
        (Route::Devices, Method::Get) => devices::list(server, &call),
        (Route::CallToken, Method::Get) => devices::call_token(server, &call),
        (Route::CallNumbers, Method::Post) => devices::of_numbers(server, &call),
        (Route::JoinedGroups, Method::Get) => muc::joined(server, &call),
        (Route::JoinedGroupDetails, Method::Get) => muc::joined_details(server, &call),
        (Route::JoinedGroupCount, Method::Get) => muc::joined_count(server, &call),
        (Route::JoinedRooms, Method::Get) => muc::joined_rooms(server, &call),
        (Route::MuteListed(kind), Method::Get) => muc::is_muted(server, &call, kind),
        (Route::RoomAttributes, Method::Post) => attributes::of_room(server, &call),
        (Route::RoomAttributesOf(force), Method::Put) => attributes::set_on_room(server, &call, force),
        (Route::RoomAttributesOf(force), Method::Delete) => {
            attributes::remove_from_room(server, &call, force)
        }
        (Route::MemberAttributes, Method::Get) => attributes::of_one_member(server, &call),
        (Route::MemberAttributes, Method::Put) => attributes::set_on_member(server, &call),
        (Route::MembersAttributes, Method::Post) => attributes::of_members(server, &call),
        (Route::NewThread, Method::Post) => threads::create(server, &call),
        (Route::Thread, Method::Get) => threads::details(server, &call),
        (Route::Thread, Method::Put) => threads::rename(server, &call),
        (Route::Thread, Method::Delete) => threads::end(server, &call),
        (Route::ThreadJoin, Method::Post) => threads::join(server, &call),
        (Route::ThreadQuit, Method::Delete) => threads::quit(server, &call),
        (Route::ThreadMembers, Method::Get) => threads::members(server, &call),
        (Route::ThreadMember, Method::Delete) => threads::remove(server, &call),
        (Route::ThreadMessages, Method::Post) => threads::last_messages(server, &call),
        (Route::GroupThreads, Method::Get) => threads::of_group(server, &call, threads::Whose::All),
        (Route::GroupThreadsOf, Method::Get) => threads::of_group(server, &call, threads::Whose::Users),
        (Route::ThreadsOf, Method::Get) => threads::of_user(server, &call),
        (Route::PublicGroups, Method::Get) => muc::public(server, &call),
        (Route::Muc(kind, part), _) => muc::answer(server, &call, kind, part),
        (_, method) => Err(Failure::wrong_method(method, &request.path)),
    };
    match answer {
        Ok(success) => success.response(server, &call),
        Err(failure) => failure.response(now),
    }
}
