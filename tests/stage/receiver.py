"""A webhook receiver as a merchant has one: verifies, remembers, and can be told how to answer."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from msgspec import Struct

from paydesk_client import WebhookVerificationError, verify_webhook

WAIT_SECONDS = 30.0


class Received(Struct, frozen=True, kw_only=True):
    """One delivery as it arrived."""

    event: dict[str, Any]
    headers: dict[str, str]
    body: bytes
    received_us: int
    answered: int


class Receiver:
    """Listens on a free port of this machine. Give it the endpoint's secret before anything is sent."""

    def __init__(self) -> None:
        self.secret = ""
        self.received: list[Received] = []
        self.refused: list[str] = []
        self.answers: list[int] = []
        """The statuses of the next answers; 200 when empty."""
        self._changed = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/webhooks"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait_for(self, event_type: str, object_id: str | None = None, *, answered: int = 200) -> Received:
        """The delivery of this event, of this object or of any, that was answered so, as soon as it is there."""

        def found() -> Received | None:
            for one in self.received:
                same = object_id in (None, one.event["data"]["object"]["id"])
                if one.event["type"] == event_type and same and one.answered == answered:
                    return one
            return None

        with self._changed:
            assert self._changed.wait_for(lambda: found() is not None, WAIT_SECONDS), (
                f"{event_type} of {object_id} did not come; received {[one.event['type'] for one in self.received]}, "
                f"refused {self.refused}"
            )
            one = found()
            assert one
            return one

    def of(self, object_id: str) -> list[str]:
        """The types of this object's events, in the order in which they were first taken."""
        taken = [one for one in self.received if one.answered == 200 and one.event["data"]["object"]["id"] == object_id]
        return list(dict.fromkeys(one.event["type"] for one in taken))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status = receiver.take({name.lower(): value for name, value in self.headers.items()}, body)
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return None

        return Handler

    def take(self, headers: dict[str, str], body: bytes) -> int:
        now_us = time.time_ns() // 1000
        try:
            event = verify_webhook(body, headers, self.secret)
        except WebhookVerificationError as why:
            with self._changed:
                self.refused.append(str(why))
                self._changed.notify_all()
            return 400
        with self._changed:
            status = self.answers.pop(0) if self.answers else 200
            self.received.append(Received(event=event, headers=headers, body=body, received_us=now_us, answered=status))
            self._changed.notify_all()
        return status
