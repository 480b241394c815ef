"""The PSP as a process: every fault for real, on a socket."""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from paydesk_sandbox.psp.rules import merchant_fingerprint
from paydesk_sandbox.psp.shaping import GARBAGE
from tests.sandbox.asking import PAYS, charge_body
from tests.sandbox.merchant import Merchant
from tests.sandbox.processes import Running, running, until

MARKED = "4539578763621486"


@pytest.fixture(scope="module")
def psp() -> Iterator[Running]:
    with running("psp") as started:
        yield started


@pytest.fixture
def merchant(psp: Running, request: pytest.FixtureRequest) -> Iterator[Merchant]:
    merchant = Merchant(psp, request.node.name.replace("[", "_").replace("]", ""))
    yield merchant
    merchant.http.delete("/faults")
    merchant.http.close()


def test_it_says_where_it_listens(psp: Running) -> None:
    assert psp.first_line == f"listening on http://127.0.0.1:{psp.port}\n"
    assert httpx.get(f"{psp.url}/livez").text == "ok\n"


def test_a_charge_its_repeat_and_its_look_ups(merchant: Merchant) -> None:
    before_us = time.time_ns() // 1000
    first, again = merchant.charge(), merchant.charge()
    assert first.status_code == again.status_code == 200
    assert first.content == again.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    headers = {"Authorization": f"Bearer {merchant.name}"}
    assert merchant.http.get("/v1/charges", headers=headers).json() == {"data": [first.json()]}
    assert merchant.http.get(f"/v1/charges/{first.json()['id']}", headers=headers).json() == first.json()
    (entry,) = merchant.books()
    assert before_us < entry["answered_us"] <= time.time_ns() // 1000
    assert (entry["times_asked"], entry["brand"], entry["last4"]) == (2, "visa", "4242")
    assert entry["merchant_key"] == merchant_fingerprint(merchant.name)


def test_a_decline_and_refusals(merchant: Merchant) -> None:
    declined = merchant.charge("key-1", "4000000000009995")
    assert (declined.status_code, declined.json()["decline_code"]) == (402, "insufficient_funds")
    assert merchant.charge("key-1", PAYS).status_code == 409
    assert merchant.charge("key-2", amount=0).status_code == 400
    assert merchant.http.post("/v1/charges", content=charge_body()).status_code == 401
    assert merchant.http.post("/v1/charges", content=b"x" * 70_000).status_code == 413
    assert merchant.http.get("/nowhere").status_code == 404
    assert merchant.http.delete("/books").status_code == 405
    assert [entry["status"] for entry in merchant.books()] == ["declined"]


def test_the_totals_follow_the_charges(merchant: Merchant) -> None:
    def totals() -> dict[str, int]:
        return merchant.http.get("/books").json()["totals"].get("chf", {"captured_minor": 0, "charges": 0})

    before = totals()
    merchant.charge(currency="chf", amount=250)
    after = totals()
    assert after["captured_minor"] - before["captured_minor"] == 250
    assert after["charges"] - before["charges"] == 1


@pytest.mark.parametrize("fault", ["late", "lands_late"])
def test_late_answers(merchant: Merchant, fault: str) -> None:
    merchant.order(fault=fault, delay_ms=400)
    asked_ms = time.time_ns() // 1_000_000
    assert merchant.charge().status_code == 200
    (entry,) = merchant.books()
    assert entry["answered_us"] // 1000 >= asked_ms + 400
    assert (entry["created_ms"] >= asked_ms + 400) == (fault == "lands_late")


def test_a_late_charge_lands_though_its_caller_is_gone(merchant: Merchant) -> None:
    merchant.order(fault="lands_late", delay_ms=400)
    with merchant.bare_charge():
        until(lambda: merchant.hits("lands_late"))
    (entry,) = until(merchant.books)
    assert entry["status"] == "captured"


def test_charged_and_never_answered(merchant: Merchant) -> None:
    merchant.order(fault="lost_after")
    with merchant.bare_charge() as wire:
        (entry,) = until(merchant.books)
        assert (entry["status"], entry["answered_us"]) == ("captured", None)
        wire.setblocking(False)
        with pytest.raises(BlockingIOError):
            wire.recv(1)
    repeat = merchant.charge()
    assert (repeat.status_code, repeat.headers["idempotent-replayed"]) == (200, "true")
    assert [entry["times_asked"] for entry in merchant.books()] == [2]


def test_never_charged_and_never_answered(merchant: Merchant) -> None:
    hits = merchant.hits("lost_before")
    merchant.order(fault="lost_before")
    with merchant.bare_charge() as wire:
        until(lambda: merchant.hits("lost_before") == hits + 1)
        wire.setblocking(False)
        with pytest.raises(BlockingIOError):
            wire.recv(1)
    assert merchant.books() == []


@pytest.mark.parametrize(("fault", "charges"), [("lost_after", 1), ("lost_before", 0)])
def test_the_held_connection_is_closed_in_the_end(merchant: Merchant, fault: str, charges: int) -> None:
    merchant.order(fault=fault, delay_ms=50)
    with merchant.bare_charge() as wire:
        assert wire.recv(1) == b""
    assert len(merchant.books()) == charges


@pytest.mark.parametrize(
    ("number", "status", "charges"),
    [("4000009900000137", 503, 0), ("4000009900000145", 429, 0), ("4000009900000152", 500, 1)],
)
def test_cards_that_answer_with_an_error(merchant: Merchant, number: str, status: int, charges: int) -> None:
    answer = merchant.charge(number=number)
    assert answer.status_code == status
    assert answer.headers.get("retry-after") == ("1" if status != 500 else None)
    assert len(merchant.books()) == charges


def test_an_ordered_status(merchant: Merchant) -> None:
    merchant.order(fault="status", status=502, times=2)
    assert [merchant.charge().status_code for _ in range(3)] == [502, 502, 200]


def test_garbage_and_another_amount(merchant: Merchant) -> None:
    assert merchant.charge("key-1", "4000009900000160").content == GARBAGE
    assert merchant.charge("key-2", "4000009900000178").json()["amount"] == 2099
    assert [entry["amount"] for entry in merchant.books()] == [1999, 1999]


def test_look_ups_can_fail_too(merchant: Merchant) -> None:
    merchant.order(fault="status", on="lookups")
    assert merchant.charge().status_code == 200
    headers = {"Authorization": f"Bearer {merchant.name}"}
    assert [merchant.http.get("/v1/charges", headers=headers).status_code for _ in range(2)] == [503, 200]


@pytest.mark.parametrize("by", ["order", "card"])
def test_a_reset_is_a_reset(merchant: Merchant, by: str) -> None:
    if by == "order":
        merchant.order(fault="reset")
    with (
        merchant.bare_charge("4000009900000194" if by == "card" else PAYS) as wire,
        pytest.raises(ConnectionResetError),
    ):
        wire.recv(1)
    assert merchant.books() == []


def refused(psp: Running) -> bool:
    try:
        socket.create_connection(("127.0.0.1", psp.port), timeout=20).close()
    except ConnectionRefusedError:
        return True
    return False


def test_refused_connections_are_refused_and_then_no_more(merchant: Merchant) -> None:
    merchant.charge()
    with socket.create_connection(("127.0.0.1", merchant.psp.port), timeout=20) as idle:
        idle.sendall(b"GET /livez HTTP/1.1\r\nHost: psp\r\n\r\n")
        assert idle.recv(1000).endswith(b"ok\n")  # so that it is not only on its way in
        merchant.order(fault="refuse", for_ms=1500)
        assert refused(merchant.psp)
        assert idle.recv(1) == b""  # a pooled connection would have gone round the closed door
    until(lambda: not refused(merchant.psp))
    assert len(merchant.books()) == 1
    assert merchant.hits("refuse") == 1


def test_a_planned_refusal_resets_and_closes_the_door() -> None:
    with running("psp") as psp:
        merchant = Merchant(psp, "planned")
        merchant.http.post("/faults/plan", json={"seed": 1, "rates": {"refuse": 1}, "for_ms": 1500})
        with merchant.bare_charge() as wire, pytest.raises(ConnectionResetError):
            wire.recv(1)
        assert refused(psp)
        until(lambda: not refused(psp))
        merchant.http.close()


def test_forgotten_keys(merchant: Merchant) -> None:
    merchant.charge()
    merchant.order(fault="forget_keys")
    merchant.charge()
    assert len(merchant.books()) == 2
    assert f"at_{merchant.name}" in merchant.http.get("/books").json()["charged_twice"]


def test_a_plan_and_its_counts(merchant: Merchant) -> None:
    hits = merchant.hits("status")
    plan = {"seed": 7, "rates": {"status": 0.5}}
    assert merchant.http.post("/faults/plan", json=plan).json()["plan"]["seed"] == 7
    statuses = [merchant.charge(f"key-{number}").status_code for number in range(40)]
    assert set(statuses) == {200, 503}
    assert merchant.hits("status") - hits == statuses.count(503)
    merchant.http.delete("/faults")
    assert {merchant.charge(f"more-{number}").status_code for number in range(20)} == {200}


@pytest.mark.parametrize(
    "order",
    [{"fault": "early"}, {"fault": "late", "times": 0}, {"fault": "status", "status": 200}, {"times": 1}, []],
)
def test_a_bad_order_is_refused(merchant: Merchant, order: object) -> None:
    assert merchant.http.post("/faults", json=order).status_code == 400
    assert merchant.http.post("/faults/plan", json=order).status_code == 400
    assert merchant.http.post("/faults", content=b'{"times":' + b"[" * 5000).status_code == 400
    assert merchant.http.get("/faults").json()["waiting"] == []


def test_keys_are_kept_as_long_as_was_said() -> None:
    with running("psp", "--keys-kept-seconds", "1") as psp:
        merchant = Merchant(psp, "short")
        merchant.charge()
        until(lambda: "idempotent-replayed" not in merchant.charge().headers)
        assert len(merchant.books()) == 2
        merchant.http.close()


def test_no_card_number_in_anything_it_shows_or_writes() -> None:
    with running("psp") as psp:
        merchant = Merchant(psp, "marked")
        seen = [merchant.charge("key-1", MARKED, card={"cvc": "907"}).text]
        seen += [merchant.charge("key-2", MARKED, card={"cvc": "907"}, amount=-1).text]
        seen += [merchant.charge("key-3", MARKED[:-1], card={"cvc": "907"}).text]
        seen += [merchant.http.get(path).text for path in ("/", "/books", "/faults")]
        merchant.http.close()
        code, rest = psp.end()
        everything = "".join([*seen, rest, psp.written()])
    assert code == 0
    assert "1486" in everything
    assert MARKED[:-4] not in everything.replace(" ", "")
    assert '"907"' not in everything


def test_the_page(merchant: Merchant) -> None:
    merchant.charge(number="4000000000009995")
    page = merchant.http.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src" not in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "insufficient funds" in page.text
    assert "4000 0099 0000 0111" in page.text


def test_sigterm_ends_it_at_once_though_connections_are_held() -> None:
    with running("psp") as psp:
        merchant = Merchant(psp, "held")
        merchant.order(fault="lost_after")
        with merchant.bare_charge() as wire:
            until(merchant.books)
            began = time.monotonic()
            code, rest = psp.end()
            assert time.monotonic() - began < 5  # it would be held for a minute
            assert wire.recv(1) == b""
        merchant.http.close()
    assert (code, rest) == (0, "")


def test_sigint_ends_it_too() -> None:
    with running("psp") as psp:
        psp.process.send_signal(signal.SIGINT)
        assert psp.process.wait(timeout=10) == 0


def test_a_taken_port_is_said(psp: Running) -> None:
    command = [sys.executable, "-m", "paydesk_sandbox", "psp", "--port", str(psp.port)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert str(psp.port) in done.stderr
    assert "Traceback" not in done.stderr


def test_many_at_once_are_each_charged_once(merchant: Merchant) -> None:
    bodies: list[bytes] = []

    def ask() -> None:
        with httpx.Client(base_url=merchant.psp.url, timeout=20) as http:
            headers = {"Authorization": f"Bearer {merchant.name}", "Idempotency-Key": "key-1"}
            body = charge_body(reference=f"at_{merchant.name}")
            bodies.append(http.post("/v1/charges", content=body, headers=headers).content)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(bodies)) == 1
    assert [entry["times_asked"] for entry in merchant.books()] == [8]
    assert json.loads(bodies[0])["id"] == merchant.books()[0]["id"]
