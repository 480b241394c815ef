"""Notices over HTTP: a real receiver hears what a real PSP tells; and what happens by itself happens on time."""

import hmac
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from tests.sandbox.merchant import Merchant
from tests.sandbox.processes import Running, running, until

SECRET = "nsec_test"


class Listener(ThreadingHTTPServer):
    """Takes notices at any path; `answers` are the statuses of the next ones, 200 when there are none."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Take)
        self.heard: list[dict[str, Any]] = []
        self.signed: list[bool] = []
        self.answers: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/notices"

    def statuses(self) -> list[str]:
        return [said["object"]["status"] for said in self.heard]


class _Take(BaseHTTPRequestHandler):
    server: Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        seconds, signature = (part.partition("=")[2] for part in self.headers["psp-signature"].split(","))
        expected = hmac.new(SECRET.encode(), seconds.encode() + b"." + body, "sha256").hexdigest()
        self.server.signed.append(signature == expected)
        self.server.heard.append(json.loads(body))
        self.send_response(self.server.answers.pop(0) if self.server.answers else 200)
        self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def listening() -> Iterator[Listener]:
    with Listener() as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.01,))
        thread.start()
        yield listener
        listener.shutdown()
        thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as one:
        yield one


@pytest.fixture(scope="module")
def psp() -> Iterator[Running]:
    with running("psp", "--later-seconds", "0.1") as started:
        yield started


@pytest.fixture
def merchant(psp: Running, listener: Listener, request: pytest.FixtureRequest) -> Iterator[Merchant]:
    with told_at(psp, request.node.name, listener.url) as merchant:
        yield merchant
        merchant.http.delete("/faults")


@contextmanager
def told_at(psp: Running, name: str, url: str) -> Iterator[Merchant]:
    """A merchant whose notices go there."""
    merchant = Merchant(psp, name)
    headers = {"Authorization": f"Bearer {name}"}
    endpoint = {"url": url, "secret": SECRET}
    assert merchant.http.post("/v1/notice_endpoint", json=endpoint, headers=headers).status_code == 200
    yield merchant
    merchant.http.close()


def states(merchant: Merchant) -> list[tuple[str, int]]:
    """What became of this merchant's notices."""
    return [(record["state"], record["tries"]) for record in merchant.all_books()["notices"]]


def test_a_charge_is_told_and_taken(merchant: Merchant, listener: Listener) -> None:
    charge = merchant.charge().json()
    until(lambda: states(merchant) == [("taken", 1)])
    assert [said["object"] for said in listener.heard] == [charge]
    assert listener.signed == [True]


def test_it_is_told_again_until_it_is_taken(merchant: Merchant, listener: Listener) -> None:
    listener.answers = [302]
    merchant.charge()
    until(lambda: states(merchant) == [("taken", 2)])
    assert listener.heard[0] == listener.heard[1]
    assert len(listener.heard) == 2  # a redirect is not followed


def test_nobody_there_is_tried_again() -> None:
    with socket.socket() as deaf, running("psp") as psp:
        deaf.bind(("127.0.0.1", 0))  # and does not listen
        with told_at(psp, "nobody", f"http://127.0.0.1:{deaf.getsockname()[1]}/") as merchant:
            merchant.charge()
            until(lambda: states(merchant) == [("waiting", 1)])


def test_the_life_of_a_payment_is_told(merchant: Merchant, listener: Listener) -> None:
    charge = merchant.charge(capture=False, amount=900).json()
    merchant.change(charge, "capture", "capture", {"amount": 800})
    refund = merchant.change(charge, "refunds", "refund", {"reference": "re_1", "amount": 300}).json()
    assert merchant.http.post(f"/refunds/{refund['id']}/fail").json()["status"] == "failed"
    dispute = merchant.http.post(f"/charges/{charge['id']}/dispute", json={"amount": 500, "reason": "duplicate"}).json()
    closed = merchant.http.post(f"/disputes/{dispute['id']}/close", json={"status": "lost"}).json()
    assert (closed["status"], merchant.look_up(f"disputes/{dispute['id']}")) == ("lost", closed)
    until(lambda: len(listener.heard) == 8)
    heard = sorted(f"{said['type']} {said['object']['status']}" for said in listener.heard)
    assert heard == [
        "charge.updated authorised",
        "charge.updated captured",
        "charge.updated captured",
        "charge.updated captured",
        "dispute.updated lost",
        "dispute.updated needs_response",
        "refund.updated failed",
        "refund.updated succeeded",
    ]
    books = merchant.all_books()
    assert [refund["failure_reason"] for refund in books["refunds"]] == ["account_closed"]
    assert [dispute["status"] for dispute in books["disputes"]] == ["lost"]


def test_what_happens_by_itself_is_told_though_nobody_asks(merchant: Merchant, listener: Listener) -> None:
    merchant.charge("disputed", "4000000000000259")
    late = merchant.charge("late", "4000009900000202").json()
    merchant.change(late, "refunds", "refund", {"reference": "re_1", "amount": 1})
    until(lambda: {"needs_response", "failed"} <= set(listener.statuses()))
    assert set(listener.signed) == {True}


def test_an_authorisation_that_ends_is_told(listener: Listener) -> None:
    with running("psp", "--authorised-seconds", "1") as psp, told_at(psp, "held", listener.url) as merchant:
        merchant.charge(capture=False)
        until(lambda: listener.statuses() == ["authorised", "released"])


def test_early_it_is_told_before_the_answer(merchant: Merchant, listener: Listener) -> None:
    merchant.order(fault="notice_early", delay_ms=60_000)
    with merchant.bare_charge() as wire:
        until(lambda: listener.statuses() == ["captured"])
        wire.setblocking(False)
        with pytest.raises(BlockingIOError):
            wire.recv(1)


@pytest.mark.parametrize(
    ("fault", "signed", "statuses"),
    [
        ("notice_twice", [True, True], ["captured", "captured"]),
        ("notice_forged", [False, True], ["captured", "declined"]),
        ("notice_unknown", [True, True], ["captured", "captured"]),
        ("notice_late", [True], ["captured"]),
        ("notice_reordered", [True], ["captured"]),
    ],
)
def test_notices_that_go_wrong(
    merchant: Merchant, listener: Listener, fault: str, signed: list[bool], statuses: list[str]
) -> None:
    merchant.order(fault=fault, delay_ms=50)
    merchant.charge()
    until(lambda: len(listener.heard) == len(signed))
    assert sorted(listener.signed) == signed
    assert sorted(listener.statuses()) == statuses


def test_a_lost_one_is_not_told(merchant: Merchant, listener: Listener) -> None:
    merchant.order(fault="notice_lost")
    merchant.charge("lost")
    merchant.charge("told")
    until(lambda: states(merchant) == [("lost", 0), ("taken", 1)])
    assert len(listener.heard) == 1


def test_one_address_for_all(listener: Listener) -> None:
    environment = os.environ | {"PSP_NOTICE_SECRET": SECRET}
    with running("psp", "--notices", listener.url, environment=environment) as psp:
        merchant = Merchant(psp, "all")
        merchant.charge()
        until(lambda: listener.signed == [True])
        merchant.http.close()


@pytest.mark.parametrize(("url", "secret"), [("http://127.0.0.1/", ""), ("nowhere", SECRET)])
def test_an_address_that_cannot_work_is_said(url: str, secret: str) -> None:
    environment = os.environ | {"PSP_NOTICE_SECRET": secret}
    command = [sys.executable, "-m", "paydesk_sandbox", "psp", "--port", "0", "--notices", url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env=environment)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_it_ends_at_once_though_it_has_something_to_tell(listener: Listener) -> None:
    environment = os.environ | {"PSP_NOTICE_SECRET": SECRET}
    with running("psp", "--notices", listener.url, environment=environment) as psp:
        merchant = Merchant(psp, "ending")
        merchant.order(fault="notice_late")
        merchant.charge()
        merchant.http.close()
        assert psp.end() == (0, "")
    assert listener.heard == []


def test_people_s_routes_refuse_what_cannot_be(merchant: Merchant) -> None:
    charge = merchant.charge().json()
    posts = [
        (f"/charges/{charge['id']}/expire", {}, 409),
        (f"/charges/{charge['id']}/dispute", {"amount": 2000}, 409),
        (f"/charges/{charge['id']}/dispute", {"amount": 0}, 400),
        ("/charges/ch_9/dispute", {}, 404),
        ("/charges/ch_9/expire", {}, 404),
        ("/disputes/dp_9/close", {"status": "won"}, 404),
        ("/disputes/dp_9/close", {"status": "open"}, 400),
        ("/refunds/re_9/fail", {}, 404),
    ]
    assert [merchant.http.post(path, json=body).status_code for path, body, _ in posts] == [code for *_, code in posts]
    assert httpx.get(f"{merchant.psp.url}/charges/ch_9/dispute").status_code == 405


def test_the_page_shows_all_of_it(merchant: Merchant) -> None:
    charge = merchant.charge().json()
    merchant.charge("bank", "4000000000003220", challenge="allow")
    merchant.change(charge, "refunds", "refund", {"reference": f"re_{merchant.name}", "amount": 300})
    merchant.http.post(f"/charges/{charge['id']}/dispute")
    page = merchant.http.get("/").text
    for heading in ("At the bank", "Charges", "Refunds", "Disputes", "Notices", "Test cards"):
        assert f"<h2>{heading}</h2>" in page
    assert f"re_{merchant.name}" in page
    assert "needs response" in page
    assert "4000 0099 0000 0202" in page
