"""A backup of a shop that goes on, its restore, and the first start after it: with real processes."""

import sqlite3
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from paydesk_client import PaydeskAuth
from tests.journeys import psp
from tests.journeys.test_commands import paydesk, sentence, shown
from tests.stage.processes import Process
from tests.stage.stage import Merchant, Stage, staged

OPENS_SECONDS = 30


@pytest.fixture
def stage(tmp_path: Path) -> Generator[Stage]:
    """Of its own: it is stopped and begun anew."""
    with staged(tmp_path / "stage") as playing:
        yield playing


def backed_up(stage: Stage, name: str) -> Path:
    file = stage.folder / name
    shown("backup", str(file), data=stage.data)
    return file


def stop(stage: Stage) -> None:
    assert stage.server
    assert stage.server.stop() == 0


def begin(stage: Stage, *more: str) -> Process:
    """`serve` on the same port, not waited for."""
    arguments = ["paydesk", "serve", "--port", str(stage.port), "--data", str(stage.data), "--json", *more]
    log = stage.folder / "paydesk"
    log.with_suffix(".out").unlink(missing_ok=True)
    log.with_suffix(".err").unlink(missing_ok=True)
    stage.server = Process(arguments, log=log, environment=stage.environment)
    return stage.server


def warned(server: Process, what: str) -> None:
    """Wait until it has logged this."""
    until = time.monotonic() + OPENS_SECONDS
    while f'"{what}"' not in server.err.read_text():
        assert time.monotonic() < until, server.err.read_text()[-3000:]
        time.sleep(0.02)


def answer(stage: Stage, path: str) -> httpx.Response:
    """As soon as somebody listens."""
    until = time.monotonic() + OPENS_SECONDS
    while True:
        try:
            return httpx.get(f"{stage.paydesk}{path}")
        except httpx.TransportError:
            assert time.monotonic() < until
            time.sleep(0.02)


def signed_twice(stage: Stage, tea: Merchant) -> httpx.Request:
    """A request that can be sent again byte by byte."""
    auth = PaydeskAuth(tea.facts["key_id"], tea.facts["secret"])
    with httpx.Client(base_url=stage.paydesk, auth=auth) as client:
        body = {"amount": 500, "currency": "usd"}
        made = client.build_request("POST", "/v1/payment_intents", json=body, headers={"Idempotency-Key": "since"})
        answered = client.send(made)
    assert answered.status_code == 200, answered.text
    return answered.request


def test_what_happened_since_the_backup_is_known_before_the_shop_opens(stage: Stage) -> None:
    """Paid before the backup, open at it and paid since, and made since; the PSP is away when the shop comes back."""
    tea = stage.merchant(receiver=False)
    paid, open_then = tea.open(), tea.open(amount=900)
    assert tea.shopper(paid).pay().status_code == 200
    file = backed_up(stage, "tea.backup")
    again = signed_twice(stage, tea)
    since = tea.open(amount=300)
    for intent in (open_then, since):
        assert tea.shopper(intent).pay().status_code == 200
    restore = ["restore", str(file)]
    assert "open in another process" in sentence(*restore, "--replace", data=stage.data)
    stop(stage)
    assert "--replace" in sentence(*restore, data=stage.data)
    facts = shown(*restore, "--replace", data=stage.data)
    assert facts["master_key"] == "fits"
    assert Path(facts["kept_aside"]).exists()
    for _ in range(3):
        psp.order(stage, "status", on="lookups")
    server = begin(stage)
    warned(server, "psp_is_waited_for")
    assert answer(stage, "/livez").status_code == 200
    for path in ("/readyz", "/v1/payment_intents", "/checkout/keys"):
        refused = answer(stage, path)
        if refused.status_code == 200:
            break  # The PSP came back while we looked.
        assert (refused.status_code, "retry-after" in refused.headers) == (503, True)
    server.wait_for("}")
    assert tea.client.payment_intents.retrieve(paid["id"])["status"] == "succeeded"
    assert tea.client.payment_intents.retrieve(open_then["id"])["status"] == "succeeded"
    charges = shown("unknown-charges", data=stage.data)
    assert [(charge["amount"], charge["may_be_of"]) for charge in charges] == [(300, "")]
    with httpx.Client() as client:  # Its nonce is forgotten: the floor refuses it.
        replayed = client.send(again)
    assert (replayed.status_code, replayed.json()["error"]["code"]) == (503, "storage_unavailable")
    assert 0 < int(replayed.headers["retry-after"]) <= 300
    assert shown("audit", "verify", data=stage.data)["holds"] is True


def test_an_operator_may_open_without_asking_and_a_stop_ends_the_waiting(stage: Stage) -> None:
    tea = stage.merchant(receiver=False)
    file = backed_up(stage, "tea.backup")
    assert tea.shopper(tea.open()).pay().status_code == 200
    stop(stage)
    shown("restore", str(file), "--replace", data=stage.data)
    for _ in range(50):
        psp.order(stage, "status", on="lookups")
    server = begin(stage)
    warned(server, "psp_is_waited_for")
    assert server.stop() == 0
    assert server.out.read_text() == ""
    server = begin(stage, "--without-asking")
    server.wait_for("}")
    warned(server, "restored_without_asking")
    assert shown("unknown-charges", data=stage.data) == []
    stop(stage)
    begin(stage).wait_for("}")  # It was said once; this is the living database now.
    last = shown("audit", "list", data=stage.data)[-1]
    assert (last["account"], last["actor"], last["action"]) == ("house", "operator", "serve --without-asking")


def test_a_backup_under_load_is_whole_and_the_shop_goes_on(stage: Stage) -> None:
    tea = stage.merchant(receiver=False)
    going = True

    def sell() -> int:
        made = 0
        while going:
            tea.open()
            made += 1
        return made

    with ThreadPoolExecutor(2) as threads:
        selling = [threads.submit(sell) for _ in range(2)]
        files = [backed_up(stage, f"tea-{number}.backup") for number in range(3)]
        going = False
        assert all(sold.result() > 0 for sold in selling)
    counts = []
    for file in files:
        assert shown("audit", "verify", "--file", str(file))["holds"] is True
        with closing(sqlite3.connect(f"{file.as_uri()}?immutable=1", uri=True)) as copy:
            assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            intents = copy.execute("SELECT count(*) FROM payment_intents").fetchone()[0]
            lines = "SELECT count(*) FROM audit_entries WHERE action = 'POST /v1/payment_intents'"
            assert copy.execute(lines).fetchone()[0] == intents
        counts.append(intents)
    assert counts == sorted(counts)
    assert "is there already" in sentence("backup", str(files[0]), data=stage.data)


def test_without_a_serve_the_folder_is_copied_itself(stage: Stage) -> None:
    stage.merchant(receiver=False)
    stop(stage)
    file = backed_up(stage, "tea.backup")
    assert file.stat().st_mode & 0o777 == 0o600
    done = paydesk("backup", str(stage.folder / "none.backup"), data=stage.folder / "none")
    assert (done.returncode, "There is no" in done.stderr) == (1, True)
    assert not (stage.folder / "none").exists()
    stage.start(stage.port)
