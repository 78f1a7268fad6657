//! The shapes of a client's frames as data: one row a rule, after wire-3x §2 to §4 and wire-4x §3 to §6.

/// One thing that must be so of a field.
pub(super) struct Rule {
    /// The clause that a client offends otherwise.
    pub(super) clause: &'static str,
    /// Applies where each of these fields is there and, unless its list is empty, holds one of these words.
    pub(super) when: &'static [(&'static str, &'static [&'static str])],
    /// The field.
    pub(super) path: &'static str,
    /// What must be so.
    pub(super) must: Must,
}

/// What may be asked of a field.
#[derive(Clone, Copy)]
pub(super) enum Must {
    /// It holds one of these words.
    Be(&'static [&'static str]),
    /// It is a text that begins so.
    Begin(&'static str),
    /// It is there.
    BeThere,
    /// It is not there.
    BeAbsent,
    /// It equals another field, if that is there.
    Equal(&'static str),
    /// It is the user's name as typed at login.
    BeOwnName,
    /// It is the world's app key.
    BeOwnApp,
}

/// What the content of a message may hold (wire-3x §4.2).
pub(super) struct Shape {
    pub(super) kind: &'static str,
    pub(super) clause: &'static str,
    pub(super) required: &'static [&'static str],
    pub(super) optional: &'static [&'static str],
}

const PROVISION: (&str, &[&str]) = ("command", &["PROVISION"]);
const CHAT_NS: (&str, &[&str]) = ("payload.meta.ns", &["CHAT"]);
const BODY: &str = "payload.meta.payload.type";
const ABOUT: &str = "payload.meta.payload.ackMessageId";
const CONFIG: &str = "payload.meta.payload.msgConfig";
const ROSTER_NS: (&str, &[&str]) = ("payload.meta.ns", &["ROSTER"]);
/// Everything that one user has another know, in a conversation.
const ANY: (&str, &[&str]) =
    (BODY, &["CHAT", "GROUPCHAT", "CHATROOM", "READ_ACK", "DELIVER_ACK", "RECALL", "CHANNEL_ACK", "EDIT"]);
const MESSAGE: (&str, &[&str]) = (BODY, &["CHAT", "GROUPCHAT", "CHATROOM"]);

pub(super) const RULES: &[Rule] = &[
    rule("recv.bad-frame", &[], "command", Must::Be(&["SYNC", "UNREAD", "PROVISION", "LOGOUT"])),
    rule("recv.bad-frame", &[("encryptType", &[])], "encryptType", Must::Be(&["ENCRYPT_NONE"])),
    // The login (wire-3x §2.2, wire-4x §3.2).
    rule("conn.login-password", &[PROVISION], "guid.appKey", Must::BeOwnApp),
    rule("conn.login-password", &[PROVISION], "guid.name", Must::BeThere),
    rule("conn.login-password", &[PROVISION], "guid.domain", Must::Be(&["easemob.com"])),
    rule("conn.login-password", &[PROVISION], "guid.clientResource", Must::BeThere),
    rule("conn.login-password", &[PROVISION], "auth", Must::Begin("$t$")),
    rule("conn.login-password", &[PROVISION], "payload.resource", Must::BeThere),
    rule("conn.login-password", &[PROVISION], "payload.resource", Must::Equal("guid.clientResource")),
    rule("conn.login-password", &[PROVISION, ("payload.auth", &[])], "payload.auth", Must::Equal("auth")),
    rule("conn.login-password", &[PROVISION], "payload.status", Must::BeAbsent),
    // Every send (wire-3x §3.5).
    rule("send.ids", &[("payload.meta", &[])], "payload.meta.id", Must::BeThere),
    rule("send.ids", &[("payload.meta", &[])], "payload.meta.ns", Must::BeThere),
    rule("send.ids", &[("payload.meta", &[])], "payload.meta.timestamp", Must::BeAbsent),
    rule("recv.bad-frame", &[("payload.meta", &[])], "payload.queue", Must::BeAbsent),
    rule("recv.bad-frame", &[("payload.key", &[])], "payload.queue", Must::BeThere),
    // A message's envelope (wire-3x §4.1; 4.x leaves Meta.from to the server).
    rule("build.kinds", &[CHAT_NS], "payload.meta.to.name", Must::BeThere),
    rule(
        "build.kinds",
        &[CHAT_NS, ("payload.meta.to.appKey", &[])],
        "payload.meta.to.appKey",
        Must::BeOwnApp,
    ),
    rule("build.kinds", &[CHAT_NS, ("payload.meta.from", &[])], "payload.meta.from.name", Must::BeOwnName),
    rule("build.kinds", &[CHAT_NS], "payload.meta.payload", Must::BeThere),
    rule(
        "build.kinds",
        &[CHAT_NS],
        BODY,
        Must::Be(&[
            "CHAT",
            "GROUPCHAT",
            "CHATROOM",
            "READ_ACK",
            "DELIVER_ACK",
            "RECALL",
            "CHANNEL_ACK",
            "EDIT",
        ]),
    ),
    rule("build.chat-type", &[(BODY, &["CHAT"])], "payload.meta.to.domain", Must::Be(&["easemob.com"])),
    rule(
        "build.chat-type",
        &[(BODY, &["GROUPCHAT", "CHATROOM"])],
        "payload.meta.to.domain",
        Must::Be(&["conference.easemob.com"]),
    ),
    rule(
        "build.chat-type",
        &[MESSAGE, ("payload.meta.from", &[])],
        "payload.meta.from.domain",
        Must::Equal("payload.meta.to.domain"),
    ),
    rule("build.kinds", &[ANY], "payload.meta.payload.from.name", Must::BeOwnName),
    rule("build.kinds", &[ANY], "payload.meta.payload.to.name", Must::Equal("payload.meta.to.name")),
    // Receipts and recalls (wire-3x §4.1): what they are about, and in which domain.
    rule("receipt.read", &[(BODY, &["READ_ACK"])], ABOUT, Must::BeThere),
    rule("receipt.delivered", &[(BODY, &["DELIVER_ACK"])], ABOUT, Must::BeThere),
    rule("recall.single", &[(BODY, &["RECALL"])], ABOUT, Must::BeThere),
    rule("v4.modify.text", &[(BODY, &["EDIT"])], "payload.meta.payload.editMessageId", Must::BeThere),
    rule("v4.modify.text", &[(BODY, &["EDIT"])], "payload.meta.payload.editScope", Must::BeThere),
    rule("receipt.channel.single", &[(BODY, &["CHANNEL_ACK"])], ABOUT, Must::BeAbsent),
    rule(
        "receipt.delivered",
        &[(BODY, &["DELIVER_ACK"])],
        "payload.meta.to.domain",
        Must::Be(&["easemob.com"]),
    ),
    rule(
        "receipt.group.read",
        &[(BODY, &["READ_ACK"]), (CONFIG, &[])],
        "payload.meta.to.domain",
        Must::Be(&["conference.easemob.com"]),
    ),
    // Only a group's messages ask for receipts, and only read receipts answer.
    rule(
        "receipt.group.ask",
        &[(BODY, &["CHAT", "CHATROOM", "DELIVER_ACK", "RECALL", "CHANNEL_ACK"]), (CONFIG, &[])],
        "payload.meta.payload.msgConfig.allowGroupAck",
        Must::BeAbsent,
    ),
    // Contacts and the block list (wire-3x §5.4).
    rule("recv.roster", &[ROSTER_NS], "payload.meta.payload.to", Must::BeThere),
    rule(
        "recv.roster",
        &[ROSTER_NS],
        "payload.meta.payload.operation",
        Must::Be(&["ADD", "REMOVE", "ACCEPT", "DECLINE", "BAN", "ALLOW"]),
    ),
];

pub(super) const CONTENTS: &[Shape] = &[
    Shape { kind: "TEXT", clause: "build.kinds", required: &["text"], optional: &[] },
    Shape {
        kind: "SUB_COMBINE",
        clause: "v4.combine",
        required: &["text", "title", "summary", "combineLevel", "displayName", "remotePath", "subType"],
        optional: &["secretKey", "fileLength"],
    },
    Shape { kind: "COMMAND", clause: "send.cmd", required: &["action"], optional: &[] },
    Shape { kind: "CUSTOM", clause: "send.custom", required: &["customEvent"], optional: &["customExts"] },
    Shape {
        kind: "LOCATION",
        clause: "send.location",
        required: &["latitude", "longitude", "address"],
        optional: &["buildingName"],
    },
    Shape {
        kind: "IMAGE",
        clause: "send.attachment.image",
        required: ATTACHMENT,
        optional: &[
            "secretKey",
            "fileLength",
            "size",
            "thumbnailRemotePath",
            "thumbnailSecretKey",
            "thumbnailDisplayName",
            "thumbnailFileLength",
            "thumbnailSize",
            "subType",
        ],
    },
    Shape {
        kind: "VIDEO",
        clause: "send.attachment.video",
        required: ATTACHMENT,
        optional: &[
            "secretKey",
            "fileLength",
            "duration",
            "size",
            "thumbnailRemotePath",
            "thumbnailSecretKey",
            "thumbnailDisplayName",
            "thumbnailFileLength",
            "thumbnailSize",
        ],
    },
    Shape {
        kind: "VOICE",
        clause: "send.attachment.audio",
        required: ATTACHMENT,
        // 3.0.6 gives a sound a size (wire-3x §4.4).
        optional: &["secretKey", "fileLength", "duration", "size", "thumbnailDisplayName"],
    },
    Shape {
        kind: "FILE",
        clause: "send.attachment.file",
        required: ATTACHMENT,
        optional: &["secretKey", "fileLength", "size", "thumbnailDisplayName"],
    },
];

/// Where it lies, and what it is called; the secret of one that lies here is held against its upload.
const ATTACHMENT: &[&str] = &["displayName", "remotePath"];

const fn rule(
    clause: &'static str,
    when: &'static [(&'static str, &'static [&'static str])],
    path: &'static str,
    must: Must,
) -> Rule {
    Rule { clause, when, path, must }
}
