"""The codec of client.py against frames that the vendor's SDKs and scratch servers exchanged, and against damaged ones.

Nothing here has a socket. Run it in this folder with `python3 -m unittest`.
"""

from __future__ import annotations

import json
import pathlib
import unittest
from typing import Any

from client import CHAT, NOTICE, PROVISION, STATISTIC, SYNC, UNREAD, decode, encode, from_key_values, to_key_value

FRAMES = pathlib.Path(__file__).resolve().parents[3] / "fixtures/frames/easemob-websdk-4.21.1.jsonl"

# What MSync.payload is, by direction and command. UNREAD has none on its way up, and LOGOUT is not the client's.
PAYLOADS = {
    "c2s": {SYNC: "CommSyncUL", PROVISION: "Provision"},
    "s2c": {SYNC: "CommSyncDL", NOTICE: "CommNotice", PROVISION: "Provision", UNREAD: "CommUnreadDL"},
}
BODIES = {STATISTIC: "StatisticsBody", CHAT: "MessageBody"}


class CapturedFrames(unittest.TestCase):
    def setUp(self) -> None:
        self.frames = [json.loads(line) for line in FRAMES.read_text(encoding="utf-8").splitlines()]

    def again(self, kind: str, data: bytes) -> dict[Any, Any]:
        """The message, after it was seen to encode to the bytes that it came from."""
        message = decode(kind, data)
        self.assertEqual(encode(kind, message).hex(), data.hex())
        return message

    def test_decoded_and_encoded_they_are_the_same_bytes(self) -> None:
        bodies = 0
        for captured in self.frames:
            with self.subTest(captured["case"]):
                msync = self.again("MSync", bytes.fromhex(captured["hex"]))
                kind = PAYLOADS[captured["dir"]].get(msync["command"])
                if kind is None:
                    continue
                sync = self.again(kind, msync.get("payload", b""))
                metas = [sync["meta"]] if "meta" in sync else [self.again("Meta", one) for one in sync.get("metas", [])]
                for meta in metas:
                    if meta.get("ns", STATISTIC) in BODIES and "payload" in meta:
                        self.again(BODIES[meta.get("ns", STATISTIC)], meta["payload"])
                        bodies += 1
        self.assertGreater(bodies, 100)

    def test_texts_and_their_ext_are_read_as_another_reader_reads_them(self) -> None:
        texts = 0
        for captured in self.frames:
            expected = captured["decoded"].get("payload", {})
            expected = expected.get("meta", {}).get("payload", {}) if isinstance(expected, dict) else {}
            contents = expected.get("contents", [{}]) if isinstance(expected, dict) else [{}]
            if captured["dir"] != "c2s" or not contents or contents[0].get("type") != "TEXT":
                continue
            with self.subTest(captured["case"]):
                sync = decode("CommSyncUL", decode("MSync", bytes.fromhex(captured["hex"]))["payload"])
                body = decode("MessageBody", sync["meta"]["payload"])
                self.assertEqual(body["contents"][0]["text"], contents[0]["text"])
                keys = [pair["key"] for pair in expected.get("ext", [])]
                self.assertEqual([pair["key"] for pair in body.get("ext", [])], keys)
                texts += 1
        self.assertGreater(texts, 10)

    def test_of_a_frame_that_is_cut_short_nothing_but_a_value_error_comes(self) -> None:
        for captured in self.frames[:40]:
            data = bytes.fromhex(captured["hex"])
            whole = decode("MSync", data)
            for end in range(len(data)):
                try:
                    self.assertNotEqual(decode("MSync", data[:end]), whole)
                except ValueError:
                    pass


class Codec(unittest.TestCase):
    def test_bytes_that_are_no_message_are_refused(self) -> None:
        for hex in ["ffffffff", "080040004a7f0a02", "00", "0b", "ff" * 10 + "01", "1a02c328"]:
            with self.subTest(hex), self.assertRaises(ValueError):
                decode("MSync", bytes.fromhex(hex))

    def test_numbers_keep_64_bits(self) -> None:
        for number in [0, 1, 127, 128, (1 << 53) + 1, 1_160_000_000_000_000_001, (1 << 64) - 1]:
            self.assertEqual(decode("Meta", encode("Meta", {"id": number})), {"id": number})
        with self.assertRaises(ValueError):
            encode("Meta", {"id": 1 << 64})

    def test_ext_of_every_kind_of_json_comes_back_equal(self) -> None:
        ext = {
            "text": "看", "yes": True, "no": False, "none": None, "least": -(1 << 63), "more": 1 << 70,
            "fraction": -0.1, "list": [1, "2", {"three": None}], "object": {}, "": "an empty key",
        }  # fmt: skip
        body = encode("MessageBody", {"ext": [to_key_value(key, value) for key, value in ext.items()]})
        # As JSON, for to Python 1 and True are equal.
        self.assertEqual(json.dumps(from_key_values(decode("MessageBody", body)["ext"])), json.dumps(ext))


if __name__ == "__main__":
    unittest.main()
