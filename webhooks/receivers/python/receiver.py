"""A webhook receiver in one file, Python 3.10 or later, standard library alone: verify, remember, act once.

    PAYDESK_WEBHOOK_SECRET=whsec_… python receiver.py --port 4000      receives, one line per event
    python receiver.py --check ../../signatures.json                  tries this file against the published vectors

While you roll the secret, put both into PAYDESK_WEBHOOK_SECRET with a space between.
Read `verify` first: it is all the cryptography there is.
"""

import argparse
import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

TOLERANCE_SECONDS = 300
BODY_BYTES_MAX = 64 * 1024  # Events stay under 20 KB.
REMEMBERED_MAX = 10_000


class Refused(Exception):
    """Not from Paydesk, or not fresh. Its one word is the `why` of the published vectors."""


def verify(body: bytes, headers: Mapping[str, str], secrets: list[str], now: float) -> dict:
    """The event, if one of `secrets` signed exactly these bytes within 300 s of `now`; `headers` in lower case."""
    names = ("webhook-id", "webhook-timestamp", "webhook-signature")
    webhook_id, timestamp, signatures = (headers.get(name) or "" for name in names)
    if not (webhook_id and timestamp and signatures):
        raise Refused("missing_header")
    if not re.fullmatch("[!-~]{1,256}", webhook_id) or not re.fullmatch("[0-9]{1,15}", timestamp):
        raise Refused("malformed_header")
    if abs(int(now) - int(timestamp)) > TOLERANCE_SECONDS:
        raise Refused("timestamp_out_of_range")
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    good = [b"v1," + base64.b64encode(hmac.new(key_of(one), signed, hashlib.sha256).digest()) for one in secrets]
    given = signatures.encode("utf-8", "replace").split(b" ")
    # compare_digest takes as long for a near miss as for a far one, so its time tells nothing about the signature.
    matches = [hmac.compare_digest(ours, theirs) for ours in good for theirs in given]
    if not any(matches):
        raise Refused("invalid_signature")
    try:
        return json.loads(body)
    except ValueError:
        raise Refused("malformed_body") from None


def key_of(secret: str) -> bytes:
    """The bytes behind `whsec_`; the text itself is not the key."""
    try:
        key = base64.b64decode(secret[len("whsec_") :], validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith("whsec_") or len(key) < 24:
        raise ValueError("PAYDESK_WEBHOOK_SECRET must be the whole whsec_… that was shown when the endpoint was made")
    return key


class Seen:
    """The ids that were dealt with. A shop does better: a unique column, written in the transaction that ships."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def act_once(self, webhook_id: str, event: dict) -> None:
        """Paydesk sends again until it has a 2xx, so the same event may come twice, even at the same time."""
        with self._lock:
            if webhook_id in self._ids:
                return
            act(event)
            self._ids[webhook_id] = None
            if len(self._ids) > REMEMBERED_MAX:
                self._ids.popitem(last=False)


def act(event: dict) -> None:
    """Your part: look at `type`, then at `data.object`. If it raises, Paydesk gets a 500 and sends the event again."""
    thing = event["data"]["object"]
    print(event["type"], event["id"], event["sequence"], thing["id"], thing["status"], flush=True)


class Receiver(BaseHTTPRequestHandler):
    secrets: ClassVar[list[str]] = []
    seen: ClassVar[Seen] = Seen()
    timeout = 15  # Seconds without a byte, after which a caller is let go.

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return self._answer(413, "body_too_large")
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            event = verify(body, headers, self.secrets, time.time())  # noqa: TID251 - this runs at the merchant's
        except Refused as why:
            return self._answer(400, str(why))
        try:
            self.seen.act_once(headers["webhook-id"], event)
        except Exception as fault:
            print(f"not dealt with, will come again: {fault!r}", file=sys.stderr, flush=True)
            return self._answer(500, "failed")
        return self._answer(204)

    def _body(self) -> bytes | None:
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch("[0-9]{1,9}", length) or int(length) > BODY_BYTES_MAX:
            return None
        return self.rfile.read(int(length))

    def _answer(self, status: int, text: str = "") -> None:
        self.send_response(status)
        if status != 204:  # A 204 has no body, so it must not have a length either (RFC 9110, 8.6).
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: standard output has the events alone."""


def serve(port: int) -> None:
    secrets = os.environ.get("PAYDESK_WEBHOOK_SECRET", "").split()
    if not secrets:
        raise ValueError("set PAYDESK_WEBHOOK_SECRET to the endpoint's whsec_…")
    for secret in secrets:
        key_of(secret)
    Receiver.secrets = secrets
    with ThreadingHTTPServer(("127.0.0.1", port), Receiver) as server:
        print(f"listening on http://127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever()


def check(path: str) -> int:
    """Every vector of the file against `verify`; the number of those it judges wrongly."""
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)["webhooks"]
    wrong = 0
    for vector in vectors:
        expected = "accepted" if vector["accepted"] else vector["why"]
        got = judge(vector)
        wrong += got != expected
        print("ok   " if got == expected else "WRONG", vector["name"], "->", got)
    print(f"{len(vectors)} vectors, {wrong} wrong")
    return wrong if vectors else 1


def judge(vector: dict) -> str:
    names = ("webhook_id", "webhook_timestamp", "webhook_signature")
    headers: dict[str, str] = {name.replace("_", "-"): vector[name] for name in names if vector[name] is not None}
    try:
        verify(vector["body"].encode(), headers, vector["secrets"], vector["now"])
    except Refused as why:
        return str(why)
    return "accepted"


def main() -> int:
    parser = argparse.ArgumentParser(description="Receives Paydesk's webhooks.")
    parser.add_argument("--port", type=int, default=4000, help="on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--check", metavar="signatures.json", help="try the published vectors instead of listening")
    asked = parser.parse_args()
    try:
        if asked.check:
            return 1 if check(asked.check) else 0
        serve(asked.port)
    except ValueError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
