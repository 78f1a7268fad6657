"""A small client of the Easemob WebIM protocol and the shim that puts it under conformance, in one file to copy.

It speaks as the 4.x SDKs do (one protobuf `MSync` in each binary WebSocket message): login by password or token, texts
in the three chat types, receipts, recalls; it acknowledges what it pulls and takes up a lost link again. It never does
more: no REST but the token call, no attachments, groups or history.

From top to bottom: how frames are spelt, what refusals are called, the client, and the shim, which turns the lines of
conformance/DRIVER.md into calls of the client and its callbacks into lines. In another language, write them in this
order, and run `send/text-to-user` as soon as it can pass. Python 3.9 or newer, and what requirements.txt names.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import random
import re
import struct
import sys
import time
import urllib.request
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Callable, NamedTuple

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

# --------------------------------------------------------------------------------------------------------------------
# Frames. Protobuf by hand, so that this stays one file, without a compiler, generated code or a second library: what a
# client of this size needs of it is one page. A bigger one generates its types from fixtures/proto/msync.proto.

# Fields by name, in the order of the wire. One that the schema below does not have is kept under its number.
Message = dict[Any, Any]

# Number, name and type of each field that is written or read here; `*`: it repeats.
SCHEMA_TEXT = """
MSync: 1 version uint, 2 guid JID, 3 auth str, 8 command uint, 9 payload bytes, 11 encryptType uint*
JID: 1 appKey str, 2 name str, 3 domain str, 4 clientResource str
Status: 1 errorCode uint, 2 reason str
Provision: 1 osType uint, 2 version str, 5 compressType uint*, 6 encryptType uint*, 8 status Status, 9 deviceUuid str, \
12 deviceName str, 13 resource str, 18 authToken str
CommSyncUL: 1 meta Meta, 2 key uint, 3 queue JID
CommSyncDL: 1 status Status, 2 metaId uint, 3 serverId uint, 4 metas bytes*, 5 nextKey uint, 6 queue JID, 7 isLast uint
CommNotice: 1 queue JID
CommUnreadDL: 2 unread MetaQueue*
MetaQueue: 1 queue JID
Meta: 1 id uint, 2 from JID, 3 to JID, 4 timestamp uint, 5 ns uint, 6 payload bytes
MessageBody: 1 type uint, 2 from JID, 3 to JID, 4 contents Content*, 5 ext KeyValue*, 6 ackMessageId uint, \
7 msgConfig MessageConfig, 8 ackContent str
Content: 1 type uint, 2 text str, 22 subType uint
MessageConfig: 1 allowGroupAck uint
KeyValue: 1 key str, 2 type uint, 3 varintValue int, 4 floatValue float, 5 doubleValue double, 6 stringValue str
StatisticsBody: 1 operation uint, 7 location str
"""


def varint(value: int) -> bytes:
    if not -(1 << 63) <= value < 1 << 64:
        raise ValueError(f"{value} does not fit into 64 bits")
    value &= (1 << 64) - 1
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(data[at : at + 10]):
        value |= (byte & 0x7F) << 7 * index
        if byte < 0x80:
            return value & (1 << 64) - 1, at + index + 1
    raise ValueError("a number without an end")


# How a type is spelt: its wire type, from what is on the wire, and back. Of a message it is bytes, too.
SCALARS: dict[str, tuple[int, Callable[[Any], Any], Callable[[Any], bytes]]] = {
    "uint": (0, int, varint),
    "int": (0, lambda raw: raw - (1 << 64) if raw >> 63 else raw, varint),
    "double": (1, lambda raw: struct.unpack("<d", raw)[0], lambda value: struct.pack("<d", value)),
    "float": (5, lambda raw: struct.unpack("<f", raw)[0], lambda value: struct.pack("<f", value)),
    "str": (2, bytes.decode, str.encode),
    "bytes": (2, bytes, bytes),
}


class Field:
    def __init__(self, number: str, name: str, type: str) -> None:
        kind = type.rstrip("*")
        self.number, self.name, self.repeated = int(number), name, type.endswith("*")
        of_message = (2, lambda raw: decode(kind, raw), lambda value: encode(kind, value))
        self.wire, self.read, self.write = SCALARS.get(kind, of_message)


SCHEMA: dict[str, dict[Any, Field]] = {}  # by number and by name
for line in SCHEMA_TEXT.strip().splitlines():
    fields = [Field(*words.split()) for words in line.split(": ")[1].split(", ")]
    SCHEMA[line.split(": ")[0]] = {key: field for field in fields for key in (field.number, field.name)}


def decode(kind: str, data: bytes) -> Message:
    """A message from its bytes; `ValueError` if they are none."""
    message: Message = {}
    at = 0
    while at < len(data):
        start: int = at
        raw: Any
        key, at = read_varint(data, at)
        if key & 7 == 0:
            raw, at = read_varint(data, at)
        else:
            size, at = read_varint(data, at) if key & 7 == 2 else ({1: 8, 5: 4}.get(key & 7, len(data)), at)
            raw, at = data[at : at + size], at + size
        if key >> 3 == 0 or at > len(data):
            raise ValueError(f"field {key >> 3} of {kind} is none or has no end")
        field = SCHEMA[kind].get(key >> 3)
        if field is None or field.wire != key & 7:
            message.setdefault(key >> 3, []).append(data[start:at])
        elif field.repeated:
            message.setdefault(field.name, []).append(field.read(raw))
        else:
            message[field.name] = field.read(raw)
    return message


def encode(kind: str, message: Message) -> bytes:
    """The bytes of a message, its fields in the order of the dict; those that are `None` are left out."""
    out = bytearray()
    for name, value in message.items():
        if isinstance(name, int):
            out += b"".join(value)
        elif value is not None:
            field = SCHEMA[kind][name]
            for one in value if field.repeated else [value]:
                raw = field.write(one)
                out += varint(field.number << 3 | field.wire)
                out += (varint(len(raw)) if field.wire == 2 else b"") + raw
    return bytes(out)


SYNC, UNREAD, NOTICE, PROVISION = range(4)  # MSync.command
STATISTIC, CHAT = 0, 1  # Meta.ns
CHAT_TYPES = {"single": 1, "group": 2, "room": 3}  # MessageBody.type of messages
READ_ACK, DELIVER_ACK, RECALL, CHANNEL_ACK = 4, 5, 6, 7  # and of all else
BOOL, INT, DOUBLE, STRING, JSON_STRING = 1, 2, 6, 7, 8  # KeyValue.type
USERS, CONFERENCE = "easemob.com", "conference.easemob.com"  # JID.domain of users, and of groups and rooms


def frame(command: int, kind: str = "", message: Message = {}, **fields: Any) -> bytes:
    payload = encode(kind, message) if kind else None
    return encode("MSync", {"version": 0, **fields, "command": command, "payload": payload, "encryptType": [0]})


def to_key_value(key: str, value: Any) -> Message:
    """JSON as the protocol keeps it: as a type of its own where there is one, else as JSON's text."""
    if isinstance(value, str):
        return {"key": key, "type": STRING, "stringValue": value}
    if isinstance(value, float):
        return {"key": key, "type": DOUBLE, "doubleValue": value}
    if isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        return {"key": key, "type": BOOL if isinstance(value, bool) else INT, "varintValue": value}
    return {"key": key, "type": JSON_STRING, "stringValue": json.dumps(value)}


def from_key_values(pairs: list[Message]) -> dict[str, Any]:
    ext = {}
    for pair in pairs:
        key, type = pair.pop("key", ""), pair.pop("type", None)
        value = next(iter(pair.values()), 0)
        ext[key] = json.loads(str(value)) if type == JSON_STRING else value != 0 if type == BOOL else value
    return ext


# --------------------------------------------------------------------------------------------------------------------
# Refusals. The service says why by a status and words; clients of 4.x show a number of their own for each. By status:
# words (all of them, the first that fit count) and the number, with words to show where they are not the service's.

Refusals = dict[int, dict[str, Any]]
OTHER = -1  # each status without a row, and none at all

LOGIN_REFUSALS: Refusals = {
    1: {
        "Sorry, user register (rate )?limit": 50, "Sorry, token expired": 56,
        "Sorry, token or password does not match login info": (28, "INVALID_TOKEN"),
        "Sorry, user not found": (204, "User not found"), ".*": (2, "Auth failed"),
    },
    2: {".*": (2, "Auth failed")}, 4: {".*": (-3, "Invalid parameter")}, 12: {".*": (57, "Server serving disabled.")},
    7: {"Sorry, the app (month live|day live|online) count limit": 50, ".*": (2, "Auth failed")},
    13: {".*": 214}, 20: {".*": (220, "user device is changed")}, OTHER: {".*": 2},
}  # fmt: skip

SEND_REFUSALS: Refusals = {
    1: {
        "blocked": 603, "group not found": 605, "not in group or chatroom": 602, "exceed recall time limit": 504,
        "message recall disabled": 505, "not in group or chatroom white list": 506, "limit directed users": 50,
        "group is disabled": 608, "can not operate this group, reason: group is disabled": 608,
        "group member list is full!": 704, "nonroster": (221, "not contact"),
        ".*grpID.*does not exist!.*": (705, "The chat room dose not exist."),  # spelt as the SDKs do
        ".*username.*doesn't exist!.*": 204, ".*moderation.*": 508, ".*auto create failed.*": 500,
        ".*can not join this group.*is in the blacklist.*": (603, "permission denied"),
        ".*group ID illegal, please check it.*": (-3, "Invalid parameter"),
        ".*has (create|joined) too many chatrooms.*": 50, ".*": 503,
    },
    7: {"sensitive words|blocked by mod_antispam": 501, "user is mute": 219, "traffic limit": 509,
        "Sorry, data is too large": 511, ".*": 604}, 19: {".*": 502}, OTHER: {".*": 604},
}  # fmt: skip

# By StatisticsBody.operation, what ends a session: user removed, another device, password changed, by an operator.
KICKS = {1: 207, 2: 206, 3: 216, 4: 217}


class Refused(Exception):
    """The service does not take a login, or ends a session: number and message."""


def refusal(table: Refusals, status: Message) -> tuple[int, str]:
    reason = status.get("reason", "")
    rows = table.get(status.get("errorCode", OTHER), table[OTHER])
    shown = next(shown for words, shown in rows.items() if re.fullmatch(words, reason, re.DOTALL))
    return shown if isinstance(shown, tuple) else (shown, reason)


# --------------------------------------------------------------------------------------------------------------------
# The client.

HTTP_SECONDS, PROVISION_SECONDS, HEARTBEAT_SECONDS, LOGIN_TRIES = 15, 10, 30, 3
RECONNECT_SECONDS, RECONNECT_SECONDS_MAX = 0.1, 10.0
SEEN_MAX = 1000  # ids kept so that nothing is shown twice: twenty pages
IDS_BEGIN_MS = 1_264_982_400_000  # local ids count ms from February 2010, as the SDKs' do

# The heartbeat is UNREAD, so no pings; frames are read as they come, for the shim's `sync`, so no queue; and nothing on
# this machine goes through a proxy that the environment names.
LINK: dict[str, Any] = dict(ping_interval=None, max_queue=None, proxy=None, compression=None, close_timeout=1)
HTTP = urllib.request.OpenerDirector()
for handler in (urllib.request.HTTPHandler(), urllib.request.HTTPSHandler()):
    HTTP.add_handler(handler)


class Pending(NamedTuple):
    frame: bytes
    handle: str | None  # None: sent by the client itself
    is_receipt: bool  # has no outcome to show


class Client:
    """One device of one user. `tell(event, fields)` is called for whatever happens, in its order.

    Calls return at once. A `handle` is the caller's name for a call, and comes back with the events it brings about.
    """

    def __init__(self, options: dict[str, Any], tell: Callable[[str, dict[str, Any]], None]) -> None:
        self.options = options  # the fields of DRIVER.md's `create`
        self.user: str = options["username"]
        self.tell = tell
        self.heard = 0  # frames
        self.asking = False  # for a token
        self._life: asyncio.Task[None] | None = None
        self._logged_in = False  # from the first `opened` to the end, also while the link is down
        self._outgoing: asyncio.Queue[bytes] | None = None  # frames, while the link is up
        self._pending: dict[int, Pending] = {}  # without an answer, by local id
        self._seen: deque[tuple[str, int]] = deque(maxlen=SEEN_MAX)
        self._last_id = 0

    # What its user calls.
    def login(self, token: str | None = None, password: str = "") -> None:
        """With a token, or without one by password: `opened` follows, or `error`."""
        if not self.user:
            self._error(0, "a user name is needed")
        elif not re.fullmatch("[^#]+#[^#]+", self.options["app_key"]):
            self._error(27, "an app key is org#app")
        elif self._logged_in:
            self._error(208, "already logged in")
        else:
            self._life = asyncio.ensure_future(self._live(self._life, token, password))

    def close(self) -> None:
        """Logs out; `closed` follows."""
        self._logged_in = False
        if self._life:
            self._life.cancel()

    def unique_ids(self, count: int) -> dict[str, Any]:
        return {"ids": [str(self._new_id()) for _ in range(count)]}

    def send_text(self, handle: str, to: str, chat: str, text: str, ext: Any = {}, ask_receipts: bool = False) -> None:
        if not isinstance(ext, dict):
            raise ValueError("ext must be an object, not null or anything else")
        pairs = [to_key_value(key, value) for key, value in ext.items()]
        config = {"allowGroupAck": True} if ask_receipts else None
        self._send(handle, to, chat, {"contents": [{"type": 0, "text": text}], "ext": pairs, "msgConfig": config})

    def recall(self, handle: str, id: str, to: str, chat: str) -> None:
        self._send(handle, to, chat, {"type": RECALL, "contents": [{}], "ackMessageId": int(id)})

    def send_read(self, handle: str, id: str, to: str, chat: str, content: str | None = None) -> None:
        config = None if chat == "single" else {"allowGroupAck": True}
        about = {"type": READ_ACK, "contents": [{}], "ackMessageId": int(id)}
        self._send(handle, to, chat, {**about, "msgConfig": config, "ackContent": content})

    def send_channel_ack(self, handle: str, to: str, chat: str) -> None:
        self._send(handle, to, chat, {"type": CHANNEL_ACK, "contents": [{}]})

    # A session, from login to its end.
    async def _live(self, before: asyncio.Task[None] | None, token: str | None, password: str) -> None:
        if before:
            await asyncio.wait([before])
        opened, tries = False, 0
        try:
            if token is None:
                self.asking = True
                token = await asyncio.to_thread(self._fetch_token, password)
                self.asking = False
            while tries <= (self.options["reconnects"] if opened else LOGIN_TRIES - 1):
                if tries > 0:
                    delay = min(RECONNECT_SECONDS * 2**tries, RECONNECT_SECONDS_MAX)
                    await asyncio.sleep(delay * random.uniform(0.5, 1))
                with suppress(OSError, ValueError, asyncio.TimeoutError, WebSocketException):
                    async with connect(self.options["websocket"], **LINK) as link:
                        await asyncio.wait_for(self._provision(link, token), PROVISION_SECONDS)
                        opened, tries = True, 0
                        await self._serve(link)
                if self._outgoing:
                    self._outgoing = None
                    self._error(16, "the link was lost")
                tries += 1
            if not opened:
                raise Refused(16, "there is no link, or no answer on it")
        except Refused as refused:
            self._error(*refused.args)
        finally:
            self.asking, self._logged_in, self._outgoing = False, False, None
            unanswered, self._pending = self._pending, {}
            for pending in unanswered.values():
                self._failed(pending, 510, "websocket disconnected")
            if opened:
                self.tell("closed", {})

    def _fetch_token(self, password: str) -> str:
        """Runs in a thread, for `urllib` waits."""
        org, app = self.options["app_key"].split("#")
        asked = {"grant_type": "password", "username": self.user, "password": password}
        body = json.dumps({**asked, "timestamp": int(time.time() * 1000)}).encode()
        url, headers = f"{self.options['rest']}/{org}/{app}/token", {"Content-Type": "application/json"}
        try:
            with HTTP.open(urllib.request.Request(url, body, headers), timeout=HTTP_SECONDS) as answer:
                told = json.load(answer)
            if answer.status == 200:
                return str(told["access_token"])
            why = "Server is busy." if answer.status in (429, 503) else str(told["error_description"])
        except Exception as error:  # whatever may come instead of an answer
            why = f"the token call had no answer of use: {error}"
        raise Refused(1, why)

    async def _provision(self, link: ClientConnection, token: str) -> None:
        resource, auth = f"webim_{self.options['device']}", f"$t${token}"
        login = {"osType": 16, "version": "4.21.1", "compressType": [0], "encryptType": [0], "deviceUuid": resource}
        login.update(deviceName="webim", resource=resource, authToken=json.dumps({"token": auth}))
        guid = {**self._jid(self.user, USERS), "clientResource": resource}
        await link.send(frame(PROVISION, "Provision", login, guid=guid, auth=auth))
        answer: Message = {}
        while answer.get("command") != PROVISION:
            answer = decode("MSync", await link.recv(decode=False))
        status = decode("Provision", answer.get("payload", b"")).get("status", {"errorCode": OTHER})
        if status.get("errorCode", 0) != 0:
            raise Refused(*refusal(LOGIN_REFUSALS, status))

    async def _serve(self, link: ClientConnection) -> None:
        """Until the link ends, or the service ends the session."""
        self._outgoing = outgoing = asyncio.Queue[bytes]()
        self._logged_in = True
        self.tell("opened", {})
        self._put(frame(UNREAD))
        # Also what the link before may have taken: under its own id the service knows it again.
        for pending in self._pending.values():
            self._put(pending.frame)
        tasks = [asyncio.ensure_future(self._write(link, outgoing)), asyncio.ensure_future(self._beat(link))]
        try:
            while True:
                data = await link.recv(decode=False)
                self.heard += 1
                self._read(self._hear, data)
        finally:
            for task in tasks:
                task.cancel()

    async def _write(self, link: ClientConnection, outgoing: asyncio.Queue[bytes]) -> None:
        with suppress(WebSocketException):
            while True:
                await link.send(await outgoing.get())

    async def _beat(self, link: ClientConnection) -> None:
        """Says that it lives, which is answered each time: a peer that says nothing until the next one is dead."""
        before = -1
        while before != self.heard:
            before = self.heard
            await asyncio.sleep(HEARTBEAT_SECONDS)
            self._put(frame(UNREAD))
        link.transport.abort()

    # What comes.
    def _read(self, take_in: Callable[[bytes], None], data: bytes) -> None:
        """Tells of what cannot be read, JSON in it that has another shape or is nested too deep among it."""
        try:
            take_in(data)
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            self._error(604, f"decode message error: {error}")

    def _hear(self, data: bytes) -> None:
        msync = decode("MSync", data)
        command, payload = msync.get("command", SYNC), msync.get("payload", b"")
        if command == SYNC:
            page = decode("CommSyncDL", payload)
            if page.get("metaId"):
                self._answered(page)
            for meta in page.get("metas", []):
                self._read(self._take_in, meta)  # each by itself: one that is bad takes no other along
            # The key given back acknowledges the page and asks for the next. Two pulls of a queue at once do no harm:
            # what comes twice is shown once.
            if "nextKey" in page and "queue" in page and not page.get("isLast"):
                self._pull(page["queue"], page["nextKey"])
        elif command == NOTICE:
            self._pull(decode("CommNotice", payload).get("queue", {}))
        elif command == UNREAD:
            for unread in decode("CommUnreadDL", payload).get("unread", []):
                self._pull(unread.get("queue", {}))

    def _pull(self, queue: Message, key: int | None = None) -> None:
        self._put(frame(SYNC, "CommSyncUL", {"key": key, "queue": queue}))

    def _take_in(self, data: bytes) -> None:
        meta = decode("Meta", data)
        namespace, payload = meta.get("ns", STATISTIC), meta.get("payload", b"")
        if not self._is_new("message", meta.get("id", 0)):
            return
        if namespace == STATISTIC:
            body = decode("StatisticsBody", payload)
            if body.get("operation") in KICKS:
                raise Refused(KICKS[body["operation"]], "the service ended the session")
            if "location" in body:
                self.tell("statistic", {"group_ack": dict(json.loads(body["location"])).get("group_ack")})
        elif namespace == CHAT:
            self._show(meta, decode("MessageBody", payload))

    def _show(self, meta: Message, body: Message) -> None:
        # The body has the names as their users typed them, the envelope as the service spells them.
        ends = {end: (body.get(end) or meta.get(end) or {}).get("name", "") for end in ("from", "to")}
        type, id, about = body.get("type", 0), meta.get("id", 0), body.get("ackMessageId", 0)
        if type in CHAT_TYPES.values():
            chat = list(CHAT_TYPES)[type - 1]
            shown = {"id": str(id), **ends, "chat": chat, "time": meta.get("timestamp", 0)}
            shown["ext"] = from_key_values(body.get("ext", []))
            for content in body.get("contents", []):
                # With a subType it is something that older clients read as a text. Other kinds are not shown.
                if content.get("type", 0) == 0 and "subType" not in content:
                    self.tell("text", {**shown, "data": content.get("text", "")})
            if self.options["delivery"] and chat == "single" and ends["from"].lower() != self.user.lower():
                self._send(None, ends["from"], chat, {"type": DELIVER_ACK, "contents": [{}], "ackMessageId": id})
        elif type == READ_ACK:
            read: Message = {"mid": str(about)}
            if "msgConfig" in body:  # of a group: how many have read it by now
                count = dict(*from_key_values(body.get("ext", [])).values()).get(str(about))
                read.update(count=count, content=body.get("ackContent", ""))
            self.tell("read", read)
        elif type == DELIVER_ACK and self._is_new("delivered", about):
            self.tell("delivered", {"mid": str(about)})
        elif type == RECALL:
            self.tell("recall", {"mid": str(about), **ends})
        elif type == CHANNEL_ACK:
            self.tell("channel", ends)

    def _is_new(self, what: str, id: int) -> bool:
        """Whether it is met for the first time: what is not acknowledged for all the service knows comes again."""
        if (what, id) in self._seen:
            return False
        self._seen.append((what, id))
        return True

    # What goes.
    def _send(self, handle: str | None, to: str, chat: str, body: Message) -> None:
        if chat not in CHAT_TYPES:
            raise ValueError(f"chat is one of {', '.join(CHAT_TYPES)}, not {chat!r}")
        ends = {"from": {"name": self.user}, "to": {"name": to}}
        body = {"type": CHAT_TYPES[chat], **ends, **body}
        id, jid = self._new_id(), self._jid(to, USERS if chat == "single" else CONFERENCE)
        meta = {"id": id, "to": jid, "ns": CHAT, "payload": encode("MessageBody", body)}
        data = frame(SYNC, "CommSyncUL", {"meta": meta})
        pending = Pending(data, handle, body["type"] in (READ_ACK, DELIVER_ACK, CHANNEL_ACK))
        if self._logged_in:
            self._pending[id] = pending
            self._put(data)
        else:
            self._failed(pending, 39, "not login")

    def _answered(self, answer: Message) -> None:
        pending = self._pending.pop(answer["metaId"], None)
        status = answer.get("status", {"errorCode": OTHER})
        if pending and status.get("errorCode") == 15 and not pending.is_receipt:  # USER_MUTED
            self.tell("muted", {"handle": pending.handle})
        elif pending and status.get("errorCode", 0) != 0:
            self._failed(pending, *refusal(SEND_REFUSALS, status))
        elif pending and pending.handle is not None:
            for event in ["received"] if pending.is_receipt else ["sent", "received"]:
                self.tell(event, {"handle": pending.handle, "id": str(answer.get("serverId", 0))})

    def _failed(self, pending: Pending, number: int, reason: str) -> None:
        if not pending.is_receipt:
            self.tell("failed", {"handle": pending.handle, "type": number, "reason": reason})
        elif pending.handle is not None:
            self._error(number, reason)

    def _error(self, number: int, message: str) -> None:
        self.tell("error", {"type": number, "message": message})

    def _put(self, data: bytes) -> None:
        if self._outgoing:
            self._outgoing.put_nowait(data)

    def _jid(self, name: str, domain: str) -> Message:
        return {"appKey": self.options["app_key"], "name": name, "domain": domain}

    def _new_id(self) -> int:
        self._last_id = max(self._last_id + 1, int(time.time() * 1000) - IDS_BEGIN_MS)
        return self._last_id


# --------------------------------------------------------------------------------------------------------------------
# The shim.

HELLO = {"protocol": 1, "name": "python-min", "version": "1.0.0", "capabilities": ["integers_64"]}
SAME_NAME = "close unique_ids send_text recall send_read send_channel_ack"
CALLS: dict[str, Callable[..., Any]] = {name: getattr(Client, name) for name in SAME_NAME.split()}
CALLS.update(login_password=Client.login, login_token=Client.login)
TURNS = 8  # of the event loop: a frame needs three, from its socket to what it brings about
TOKEN_CALL_SECONDS = 0.5  # for which `sync` waits for one: its answer may have come


class Shim:
    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        # Only lines may go to stdout: whatever else is printed goes to stderr.
        self.stdout, sys.stdout = sys.stdout.buffer, sys.stderr

    def write(self, line: dict[str, Any]) -> None:
        # ASCII, since a text may hold half a surrogate pair; no NaN, since JSON has none.
        self.stdout.write(json.dumps(line, allow_nan=False).encode() + b"\n")
        self.stdout.flush()

    async def run(self) -> None:
        # A thread, for not every system can wait for stdin and sockets at once.
        stdin, loop = ThreadPoolExecutor(1), asyncio.get_running_loop()
        self.write({"hello": HELLO})
        while True:
            line = await loop.run_in_executor(stdin, sys.stdin.buffer.readline)
            if not line:
                os._exit(0)  # at once: Python would wait for a token call that has no answer
            request = json.loads(line)
            ((name, fields),) = request["command"].items()
            try:
                answer = await self.answer(request.get("user"), name, fields)
            except (TypeError, ValueError, LookupError) as error:
                answer = {"error": str(error)}
            self.write({"id": request["id"], **answer})

    async def answer(self, user: str, name: str, fields: dict[str, Any]) -> dict[str, Any]:
        if name == "sync":
            await self.sync()
        elif name == "reset":
            for client in self.clients.values():
                client.tell = lambda event, told: None
                client.close()
            self.clients.clear()
        elif name == "create" and fields["emoji"] is None:
            self.clients[user] = Client(fields, lambda event, told: self.write({"user": user, "event": {event: told}}))
        elif name not in CALLS:
            return {"unsupported": "emoji" if name == "create" else name}
        else:
            for unknown in fields.keys() - inspect.signature(CALLS[name]).parameters.keys():
                return {"unsupported": f"{name}.{unknown}"}
            return {"ok": CALLS[name](self.clients[user], **fields) or {}}
        return {"ok": {}}

    async def sync(self) -> None:
        """Each turn reads what the sockets hold: turns until some in a row have brought nothing."""
        clients, until = self.clients.values(), time.monotonic() + TOKEN_CALL_SECONDS
        idle, before = 0, -1
        while idle < TURNS:
            asking = time.monotonic() < until and any(client.asking for client in clients)
            heard = sum(client.heard for client in clients)
            idle, before = 0 if asking or heard != before else idle + 1, heard
            await asyncio.sleep(0.001 if asking else 0)


if __name__ == "__main__":
    asyncio.run(Shim().run())
