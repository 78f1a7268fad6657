"""A small client of the Easemob WebIM protocol and the shim that puts it under conformance, in one file to copy.

It goes through the door of the 4.x SDKs (one protobuf `MSync` in each binary WebSocket message), logs in by password or
token, sends and shows texts in the three chat types, acknowledges what it pulls, sends and shows receipts and recalls,
and takes up a lost link again. It never does more: no REST but the token call, no attachments, groups or history.

From top to bottom: how frames are spelt, what refusals are called, the client, and the shim, which turns the lines of
conformance/DRIVER.md into calls of the client and its callbacks into lines. In another language, write them in this
order, and run `send/text-to-user` as soon as it can pass.

Needs Python 3.9 and `websockets` (requirements.txt). `mypy --strict client.py` has nothing to say.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import struct
import sys
import threading
import time
import traceback
import urllib.error
import urllib.request
from collections import deque
from contextlib import contextmanager, suppress
from typing import Any, Callable, Iterator, NamedTuple

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
CommSyncDL: 1 status Status, 2 metaId uint, 3 serverId uint, 4 metas bytes*, 5 nextKey uint, 6 queue JID, 7 isLast bool
CommNotice: 1 queue JID
CommUnreadDL: 2 unread MetaQueue*
MetaQueue: 1 queue JID
Meta: 1 id uint, 2 from JID, 3 to JID, 4 timestamp uint, 5 ns uint, 6 payload bytes, 7 routetype uint, \
8 ext KeyValue*, 10 directedUsers str*
MessageBody: 1 type uint, 2 from JID, 3 to JID, 4 contents Content*, 5 ext KeyValue*, 6 ackMessageId uint, \
7 msgConfig MessageConfig, 8 ackContent str
Content: 1 type uint, 2 text str, 22 subType uint
MessageConfig: 1 allowGroupAck bool
KeyValue: 1 key str, 2 type uint, 3 varintValue int, 4 floatValue float, 5 doubleValue double, 6 stringValue str
StatisticsBody: 1 operation uint, 7 location str
Logout: 2 reason str
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
    "bool": (0, bool, varint),
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


SYNC, UNREAD, NOTICE, PROVISION, LOGOUT = range(5)  # MSync.command
STATISTIC, CHAT = 0, 1  # Meta.ns
CHAT_TYPES = {"single": 1, "group": 2, "room": 3}  # MessageBody.type of messages
READ_ACK, DELIVER_ACK, RECALL, CHANNEL_ACK = 4, 5, 6, 7  # and of all else
BOOL, INT, DOUBLE, STRING, JSON_STRING = 1, 2, 6, 7, 8  # KeyValue.type
PRIORITIES = ["high", "normal", "low"]  # by the number of chatroom_msg_tag in Meta.ext
USERS, CONFERENCE = "easemob.com", "conference.easemob.com"  # JID.domain of users, and of groups and rooms


def frame(command: int, kind: str = "", message: Message = {}, **fields: Any) -> bytes:
    payload = encode(kind, message) if kind else None
    return encode("MSync", {"version": 0, **fields, "command": command, "payload": payload, "encryptType": [0]})


def to_key_value(key: str, value: Any) -> Message:
    """JSON as the protocol keeps it: as a type of its own where there is one, else as JSON's text."""
    type, slot = JSON_STRING, "stringValue"
    if isinstance(value, bool):
        type, slot = BOOL, "varintValue"
    elif isinstance(value, int) and -(1 << 63) <= value < 1 << 63:
        type, slot = INT, "varintValue"
    elif isinstance(value, float):
        type, slot = DOUBLE, "doubleValue"
    elif isinstance(value, str):
        type = STRING
    return {"key": key, "type": type, slot: json.dumps(value) if type == JSON_STRING else value}


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

LOGIN_REFUSALS: Refusals = {
    1: {
        "Sorry, user register (rate )?limit": 50, "Sorry, token expired": 56,
        "Sorry, token or password does not match login info": (28, "INVALID_TOKEN"),
        "Sorry, user not found": (204, "User not found"), ".*": (2, "Auth failed"),
    },
    2: {".*": (2, "Auth failed")},
    4: {".*": (-3, "Invalid parameter")},
    7: {"Sorry, the app (month live|day live|online) count limit": 50, ".*": (2, "Auth failed")},
    12: {".*": (57, "Server serving disabled.")},
    13: {".*": 214},
    20: {".*": (220, "user device is changed")},
}  # fmt: skip
LOGIN_REFUSED_OTHERWISE = 2

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
    7: {
        "sensitive words|blocked by mod_antispam": 501, "user is mute": 219, "traffic limit": 509,
        "Sorry, data is too large": 511,
    },
    19: {".*": 502},
}  # fmt: skip
SEND_REFUSED_OTHERWISE = 604
USER_MUTED = 15  # has a callback of its own

# By StatisticsBody.operation, what ends a session: user removed, another device, password changed, by an operator.
KICKS = {1: 207, 2: 206, 3: 216, 4: 217}


class Refused(Exception):
    """The service does not take a login, or ends a session: number and message."""


def refusal(table: Refusals, otherwise: int, status: Message) -> tuple[int, str]:
    reason = status.get("reason", "")
    for words, shown in table.get(status.get("errorCode", 0), {}).items():
        if re.fullmatch(words, reason, re.DOTALL):
            return shown if isinstance(shown, tuple) else (shown, reason)
    return otherwise, reason


# --------------------------------------------------------------------------------------------------------------------
# The client.

HTTP_SECONDS, PROVISION_SECONDS, LOGOUT_SECONDS, HEARTBEAT_SECONDS = 15, 10, 1, 30
LOGIN_TRIES = 3
RECONNECT_SECONDS, RECONNECT_SECONDS_MAX = 0.1, 10.0
SEEN_MAX = 1000  # ids kept so that nothing is shown twice: twenty pages
IDS_BEGIN_MS = 1_264_982_400_000  # local ids count ms from February 2010, as the SDKs' do

# The heartbeat is UNREAD, so no pings; frames are read as they come, for the shim's `sync`, so no queue; and nothing on
# this machine goes through a proxy that the environment names.
LINK: dict[str, Any] = {"open_timeout": 10, "close_timeout": 1, "ping_interval": None, "max_size": 16 << 20}
LINK.update(max_queue=None, compression=None, proxy=None)
HTTP = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Options(NamedTuple):
    app_key: str
    username: str
    device: str
    rest: str
    websocket: str
    reconnects: int
    delivery: bool


class Pending(NamedTuple):
    frame: bytes
    handle: str | None  # None: sent by the client itself
    is_receipt: bool  # has no outcome to show


class Client:
    """One device of one user. `tell(event, fields)` is called for whatever happens, in its order.

    Calls return at once. A `handle` is the caller's name for a call, and comes back with the events it brings about.
    """

    def __init__(self, options: Options, tell: Callable[[str, dict[str, Any]], None]) -> None:
        self.options = options
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

    def login_password(self, password: str) -> None:
        self._login(None, password)

    def login_token(self, token: str) -> None:
        self._login(token, "")

    def close(self) -> None:
        """Logs out; `closed` follows."""
        self._logged_in = False
        if self._life:
            self._life.cancel()

    def unique_ids(self, count: int) -> dict[str, Any]:
        return {"ids": [str(self._new_id()) for _ in range(count)]}

    def send_text(
        self, handle: str, to: str, chat: str, text: str, ext: Any = {}, ask_receipts: bool = False,
        only_for: list[str] | None = None, priority: str | None = None, online_only: bool = False,
    ) -> None:  # fmt: skip
        if not isinstance(ext, dict):
            raise ValueError("ext must be an object, not null or anything else")
        config = {"allowGroupAck": True} if ask_receipts else None
        tag = [to_key_value("chatroom_msg_tag", PRIORITIES.index(priority))] if priority else []
        pairs = [to_key_value(key, value) for key, value in ext.items()]
        body = {"contents": [{"type": 0, "text": text}], "ext": pairs, "msgConfig": config}
        route = 1 if online_only else 2 if only_for else 0
        self._send(handle, to, chat, body, routetype=route, ext=tag, directedUsers=only_for)

    def recall(self, handle: str, id: str, to: str, chat: str) -> None:
        self._send(handle, to, chat, {"type": RECALL, "contents": [{}], "ackMessageId": int(id)})

    def send_read(self, handle: str, id: str, to: str, chat: str, content: str | None = None) -> None:
        config = None if chat == "single" else {"allowGroupAck": True}
        about = {"type": READ_ACK, "contents": [{}], "ackMessageId": int(id)}
        self._send(handle, to, chat, {**about, "msgConfig": config, "ackContent": content})

    def send_channel_ack(self, handle: str, to: str, chat: str) -> None:
        self._send(handle, to, chat, {"type": CHANNEL_ACK, "contents": [{}]})

    # A session, from login to its end.

    def _login(self, token: str | None, password: str) -> None:
        if not self.options.username:
            self._error(0, "a user name is needed")
        elif not re.fullmatch("[^#]+#[^#]+", self.options.app_key):
            self._error(27, "an app key is org#app")
        elif self._logged_in:
            self._error(208, "already logged in")
        else:
            self._life = asyncio.ensure_future(self._live(self._life, token, password))

    async def _live(self, before: asyncio.Task[None] | None, token: str | None, password: str) -> None:
        if before:
            await asyncio.wait([before])
        opened, tries = False, 0
        try:
            if token is None:
                self.asking = True
                token = await asyncio.to_thread(self._fetch_token, password)
                self.asking = False
            while tries <= (self.options.reconnects if opened else LOGIN_TRIES - 1):
                if tries > 0:
                    delay = min(RECONNECT_SECONDS * 2 ** (tries - 1), RECONNECT_SECONDS_MAX)
                    await asyncio.sleep(delay * random.uniform(1, 2))
                failure = (16, "there is no link")
                with suppress(OSError, asyncio.TimeoutError, WebSocketException):
                    async with connect(self.options.websocket, **LINK) as link:
                        failure = (-1, "provision timeout")
                        await asyncio.wait_for(self._provision(link, token), PROVISION_SECONDS)
                        opened, tries = True, 0
                        await self._serve(link)
                if self._outgoing:
                    self._outgoing = None
                    self._error(16, "the link was lost")
                tries += 1
            if not opened:
                raise Refused(*failure)
        except Refused as refused:
            self._error(*refused.args)
        except Exception:  # a mistake in this file
            traceback.print_exc()
            self._error(999, "a mistake of the client, see its stderr")
        finally:
            self.asking, self._logged_in, self._outgoing = False, False, None
            unanswered, self._pending = self._pending, {}
            for pending in unanswered.values():
                self._failed(pending, 510, "websocket disconnected")
            if opened:
                self.tell("closed", {})

    def _fetch_token(self, password: str) -> str:
        """Runs in a thread, for `urllib` waits."""
        org, app = self.options.app_key.split("#")
        asked = {"grant_type": "password", "username": self.options.username, "password": password}
        body = json.dumps({**asked, "timestamp": int(time.time() * 1000)}).encode()
        url, headers = f"{self.options.rest}/{org}/{app}/token", {"Content-Type": "application/json"}
        try:
            try:
                answer = HTTP.open(urllib.request.Request(url, body, headers), timeout=HTTP_SECONDS)
            except urllib.error.HTTPError as refused:
                answer = refused  # an answer, too
            with answer:
                told = json.load(answer)
            if answer.status == 200:
                return str(told["access_token"])
            why = "Server is busy." if answer.status in (429, 503) else str(told["error_description"])
        except (OSError, ValueError, TypeError, LookupError) as error:
            why = f"the token call had no answer of use: {error}"
        raise Refused(1, why)

    async def _provision(self, link: ClientConnection, token: str) -> None:
        resource, auth = f"webim_{self.options.device}", f"$t${token}"
        login = {"osType": 16, "version": "4.21.1", "compressType": [0], "encryptType": [0], "deviceUuid": resource}
        login.update(deviceName="webim", resource=resource, authToken=json.dumps({"token": auth}))
        guid = {**self._jid(self.options.username, USERS), "clientResource": resource}
        await link.send(frame(PROVISION, "Provision", login, guid=guid, auth=auth))
        status: Message | None = None
        while status is None:
            with self._telling_of_bad_frames():
                answer = decode("MSync", await link.recv(decode=False))
                if answer.get("command") == PROVISION:
                    status = decode("Provision", answer.get("payload", b"")).get("status", {"errorCode": -1})
        if status.get("errorCode", 0) != 0:
            raise Refused(*refusal(LOGIN_REFUSALS, LOGIN_REFUSED_OTHERWISE, status))

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
                with self._telling_of_bad_frames():
                    self._hear(decode("MSync", data))
        except asyncio.CancelledError:
            self._put(frame(LOGOUT, "Logout", {"reason": "inner:logout"}))
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(outgoing.join(), LOGOUT_SECONDS)
            raise
        finally:
            for task in tasks:
                task.cancel()

    async def _write(self, link: ClientConnection, outgoing: asyncio.Queue[bytes]) -> None:
        with suppress(WebSocketException):
            while True:
                await link.send(await outgoing.get())
                outgoing.task_done()

    async def _beat(self, link: ClientConnection) -> None:
        """Says that it lives, which is answered each time: a peer that says nothing until the next one is dead."""
        before = -1
        while before != self.heard:
            before = self.heard
            await asyncio.sleep(HEARTBEAT_SECONDS)
            self._put(frame(UNREAD))
        link.transport.abort()

    # What comes.

    def _hear(self, msync: Message) -> None:
        command, payload = msync.get("command", SYNC), msync.get("payload", b"")
        if command == SYNC:
            page = decode("CommSyncDL", payload)
            if page.get("metaId"):
                self._answered(page)
            for data in page.get("metas", []):
                with self._telling_of_bad_frames():  # one that cannot be read takes no other along
                    self._take_in(decode("Meta", data))
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

    def _take_in(self, meta: Message) -> None:
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
            if chat == "room":
                shown["priority"] = PRIORITIES[from_key_values(meta.get("ext", [])).get("chatroom_msg_tag", 1)]
            for content in body.get("contents", []):
                # With a subType it is something that older clients read as a text. Other kinds are not shown.
                if content.get("type", 0) == 0 and "subType" not in content:
                    self.tell("text", {**shown, "data": content.get("text", "")})
            if self.options.delivery and chat == "single" and ends["from"].lower() != self.options.username.lower():
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
        """Whether it is met for the first time: the service delivers again what is not acknowledged for all it knows."""
        is_new = (what, id) not in self._seen
        if is_new:
            self._seen.append((what, id))
        return is_new

    # What goes.

    def _send(self, handle: str | None, to: str, chat: str, body: Message, **envelope: Any) -> None:
        if chat not in CHAT_TYPES:
            raise ValueError(f"chat is one of {', '.join(CHAT_TYPES)}, not {chat!r}")
        ends = {"from": {"name": self.options.username}, "to": {"name": to}}
        body = {"type": CHAT_TYPES[chat], **ends, **body}
        id, jid = self._new_id(), self._jid(to, USERS if chat == "single" else CONFERENCE)
        meta = {"id": id, "to": jid, "ns": CHAT, "payload": encode("MessageBody", body), **envelope}
        data = frame(SYNC, "CommSyncUL", {"meta": meta})
        pending = Pending(data, handle, body["type"] in (READ_ACK, DELIVER_ACK, CHANNEL_ACK))
        if self._logged_in:
            self._pending[id] = pending
            self._put(data)
        else:
            self._failed(pending, 39, "not login")

    def _answered(self, answer: Message) -> None:
        pending = self._pending.pop(answer["metaId"], None)
        code = answer.get("status", {"errorCode": -1}).get("errorCode", 0)
        if pending and code == USER_MUTED and not pending.is_receipt:
            self.tell("muted", {"handle": pending.handle})
        elif pending and code != 0:
            self._failed(pending, *refusal(SEND_REFUSALS, SEND_REFUSED_OTHERWISE, answer.get("status", {})))
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

    @contextmanager
    def _telling_of_bad_frames(self) -> Iterator[None]:
        try:
            yield
        # Whatever the peer writes, JSON in it that has another shape or is nested too deep among it.
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            self._error(604, f"decode message error: {error}")

    def _put(self, data: bytes) -> None:
        if self._outgoing:
            self._outgoing.put_nowait(data)

    def _jid(self, name: str, domain: str) -> Message:
        return {"appKey": self.options.app_key, "name": name, "domain": domain}

    def _new_id(self) -> int:
        self._last_id = max(self._last_id + 1, int(time.time() * 1000) - IDS_BEGIN_MS)
        return self._last_id


# --------------------------------------------------------------------------------------------------------------------
# The shim.

HELLO = {"protocol": 1, "name": "python-min", "version": "1.0.0", "capabilities": ["integers_64"]}
CALLS = ["login_password", "login_token", "close", "unique_ids", "send_text", "recall", "send_read", "send_channel_ack"]
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
        lines, loop = asyncio.Queue[bytes](), asyncio.get_running_loop()

        def read() -> None:
            for line in sys.stdin.buffer:
                loop.call_soon_threadsafe(lines.put_nowait, line)
            os._exit(0)  # at once: Python would wait for a token call that has no answer

        # A thread, for not every system can wait for stdin and sockets at once.
        threading.Thread(target=read, daemon=True).start()
        self.write({"hello": HELLO})
        while True:
            request = json.loads(await lines.get())
            ((name, fields),) = request["command"].items()
            try:
                answer = await self.answer(request.get("user"), name, fields)
            except TypeError as error:  # a field that the call does not take
                answer = {"unsupported": f"{name}: {error}"}
            except (ValueError, LookupError) as error:
                answer = {"error": repr(error)}
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
            options = Options(**{option: fields[option] for option in Options._fields})
            self.clients[user] = Client(options, lambda event, told: self.write({"user": user, "event": {event: told}}))
        elif name in CALLS:
            return {"ok": getattr(self.clients[user], name)(**fields) or {}}
        else:
            return {"unsupported": "emoji" if name == "create" else name}
        return {"ok": {}}

    async def sync(self) -> None:
        """Each turn reads what the sockets hold: turns until some in a row have brought nothing."""
        loop, clients = asyncio.get_running_loop(), self.clients.values()
        until = loop.time() + TOKEN_CALL_SECONDS
        while any(client.asking for client in clients) and loop.time() < until:
            await asyncio.sleep(0.001)
        idle, before = 0, -1
        while idle < TURNS:
            heard = sum(client.heard for client in clients)
            idle, before = idle + 1 if heard == before else 0, heard
            await asyncio.sleep(0)


if __name__ == "__main__":
    asyncio.run(Shim().run())
