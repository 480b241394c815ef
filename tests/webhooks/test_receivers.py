"""The receivers, run as a merchant would: a process of its own, with the standard library alone."""

import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from paydesk_client import sign_webhook

WEBHOOKS = Path(__file__).parents[2] / "webhooks"
RECEIVER = WEBHOOKS / "receivers" / "python" / "receiver.py"
SECRET = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
OTHER = "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
BODY = (WEBHOOKS / "events" / "payment_intent.succeeded.sample.json").read_bytes()
EVENT = json.loads(BODY)
ALONE = [sys.executable, "-I", "-S", str(RECEIVER)]  # No site-packages: what it imports is Python's own.


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PAYDESK_")} | more


def check(path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*ALONE, "--check", str(path)], capture_output=True, text=True, env=environment(), check=False
    )


def test_it_judges_every_vector_rightly() -> None:
    ran = check(WEBHOOKS / "signatures.json")
    vectors = json.loads((WEBHOOKS / "signatures.json").read_bytes())["webhooks"]
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.endswith(f"{len(vectors)} vectors, 0 wrong\n")


@pytest.mark.parametrize("change", [{"accepted": False, "why": "invalid_signature"}, {"webhook_id": "evt_other"}])
def test_the_check_can_fail(tmp_path: Path, change: dict[str, object]) -> None:
    good = json.loads((WEBHOOKS / "signatures.json").read_bytes())["webhooks"][0]
    (tmp_path / "wrong.json").write_text(json.dumps({"webhooks": [good, good | change]}))
    ran = check(tmp_path / "wrong.json")
    assert ran.returncode == 1
    assert ran.stdout.endswith("2 vectors, 1 wrong\n")


def test_a_file_without_vectors_is_no_success(tmp_path: Path) -> None:
    (tmp_path / "empty.json").write_text('{"webhooks": []}')
    assert check(tmp_path / "empty.json").returncode == 1


@pytest.mark.parametrize("secret", ["", "whsec_", "hunter2", "whsec_****"])
def test_it_does_not_start_without_a_secret(secret: str) -> None:
    ran = subprocess.run(
        [*ALONE, "--port", "0"],
        capture_output=True,
        text=True,
        env=environment(PAYDESK_WEBHOOK_SECRET=secret),
        check=False,
    )
    assert ran.returncode == 2
    assert "PAYDESK_WEBHOOK_SECRET" in ran.stderr


class Running:
    """A receiver that listens; `lines` are the events it printed, read until it ends."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("POST", "/hooks", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def lines(self) -> list[str]:
        self.process.terminate()
        return self.process.communicate()[0].splitlines()


@contextmanager
def running(secrets: str = SECRET) -> Iterator[Running]:
    process = subprocess.Popen(
        [*ALONE, "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(PAYDESK_WEBHOOK_SECRET=secrets),
    )
    with process:
        try:
            assert process.stdout is not None
            listening = process.stdout.readline().strip()
            assert listening.startswith("listening on http://127.0.0.1:"), listening
            yield Running(process, urlsplit(listening.removeprefix("listening on ")).port or 0)
        finally:
            process.kill()


def signed(body: bytes = BODY, secret: str = SECRET) -> dict[str, str]:
    return sign_webhook(body, secret, webhook_id=EVENT["id"])


LINE = f"payment_intent.succeeded {EVENT['id']} 3 {EVENT['data']['object']['id']} succeeded"


def test_it_acts_once_however_often_an_event_comes() -> None:
    with running() as receiver:
        statuses: list[int] = []

        def send() -> None:
            statuses.append(receiver.post(BODY, signed())[0])

        threads = [Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert statuses == [204] * 4
        assert receiver.lines() == [LINE]


def test_it_refuses_what_paydesk_did_not_sign() -> None:
    with running() as receiver:
        assert receiver.post(BODY + b" ", signed()) == (400, "invalid_signature")
        assert receiver.post(BODY, signed(secret=OTHER)) == (400, "invalid_signature")
        assert receiver.post(BODY, signed() | {"webhook-timestamp": "1700000000"}) == (400, "timestamp_out_of_range")
        assert receiver.post(BODY, {}) == (400, "missing_header")
        assert receiver.lines() == []


def test_it_takes_two_secrets_while_one_is_rolled() -> None:
    with running(f"{OTHER} {SECRET}") as receiver:
        assert receiver.post(BODY, signed())[0] == 204
        assert receiver.lines() == [LINE]


def test_it_reads_no_body_beyond_its_limit() -> None:
    with running() as receiver:
        assert receiver.post(b"x", {"Content-Length": "999999999"}) == (413, "body_too_large")
        assert receiver.post(b"", {"Content-Length": "-1"}) == (413, "body_too_large")


def test_what_it_could_not_deal_with_comes_again() -> None:
    body = b'{"id":"evt_1","type":"payment_intent.succeeded"}'
    headers = sign_webhook(body, SECRET, webhook_id="evt_1")
    with running() as receiver:
        assert receiver.post(body, headers)[0] == 500
        assert receiver.post(body, headers)[0] == 500
