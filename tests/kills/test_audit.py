"""The audit finds what it is for: each kind of damage, done to a copy of a database in which all is well."""

import copy
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import Struct

from tests.kills.audit import audit
from tests.kills.promises import Promise, broken_promises
from tests.stage.shopper import DECLINED
from tests.stage.stage import Stage, staged

pytestmark = pytest.mark.xdist_group("audit")  # One run for all of them.


class Played(Struct, frozen=True, kw_only=True):
    """A stopped database, the PSP's charges, the events received, and what was promised."""

    database: Path
    charges: list[dict[str, Any]]
    received: list[dict[str, Any]]
    promises: list[Promise]


def pay(stage: Stage) -> Played:
    tea = stage.merchant(fee="1.5%+25")
    promises: list[Promise] = []
    for order in ("declined first", "paid at once"):
        answer = tea.open(metadata={"order": order})
        shopper = tea.shopper(answer)
        declines = order == "declined first" and shopper.pay(DECLINED).status_code == 402
        assert shopper.pay().status_code == 200
        promise = Promise(key=order, body=b"", paid=True, declines=int(declines))
        promise.answer = httpx.Response(200, json=answer).content
        promises.append(promise)
        tea.receiver.wait_for("payment_intent.succeeded", answer["id"])
    settle(stage.data / "paydesk.db")
    return Played(
        database=stage.data / "paydesk.db",
        charges=httpx.get(f"{stage.psp}/books").json()["charges"],
        received=[one.event for one in tea.receiver.received],
        promises=promises,
    )


def settle(database: Path) -> None:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        until = time.monotonic() + 20
        while connection.execute("SELECT count(*) FROM duties WHERE kind <> 'mature'").fetchone()[0]:
            assert time.monotonic() < until, "a duty is never done"
            time.sleep(0.01)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    with staged(tmp_path_factory.mktemp("played")) as stage:
        return pay(stage)


def damaged(played: Played, folder: Path, *statements: str) -> Path:
    """A copy of the database, with what its triggers would refuse."""
    database = folder / "copy.db"
    shutil.copy(played.database, database)
    with closing(sqlite3.connect(database)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert connection.execute(statement).rowcount > 0, statement
        connection.commit()
    return database


def test_nothing_is_found_where_all_is_well(played: Played) -> None:
    assert audit(played.database, played.charges, played.received) == []
    assert audit(played.database, played.charges, None) == []
    assert broken_promises(played.database, played.promises) == []


PAID = "(SELECT id FROM payment_intents ORDER BY id DESC LIMIT 1)"

DAMAGES: list[tuple[str, str]] = [
    ("UPDATE attempts SET status = 'asking' WHERE status = 'captured'", "is still asking"),
    (f"UPDATE payment_intents SET status = 'processing' WHERE id = {PAID}", "is still processing"),
    (f"UPDATE payment_intents SET outcome_unknown = 1 WHERE id = {PAID}", "its outcome open"),
    (
        "INSERT INTO duties (version, account, id, kind, subject, note, tries, due_ms, owner, lease, created_ms) "
        "SELECT version, account, 'ask_psp:' || id, 'ask_psp', id, '', 0, 0, '', 0, 0 FROM attempts",
        "is still owed",
    ),
    ("UPDATE idempotency_keys SET status = 0", "is still running"),
    (f"DELETE FROM payment_intents WHERE id = {PAID}", "has attempts and is not there"),
    (f"UPDATE payment_intents SET received_minor = 1 WHERE id = {PAID}", "received 1"),
    (f"UPDATE payment_intents SET status = 'requires_payment_method' WHERE id = {PAID}", "paid by ['at_"),
    (f"UPDATE payment_intents SET latest_attempt = 'at_x' WHERE id = {PAID}", "and at_x followed"),
    (f"UPDATE payment_intents SET attempts = 7 WHERE id = {PAID}", "counts 7 attempts"),
    ("DELETE FROM attempts WHERE status = 'captured'", "which nobody here knows"),
    ("UPDATE attempts SET status = 'not_sent' WHERE status = 'captured'", "and here stands ('not_sent'"),
    ("UPDATE attempts SET psp_reference = 'ch_x' WHERE status = 'declined'", "which the PSP does not have"),
    ("DELETE FROM ledger_transactions", "has 0 ledger transactions"),
    ("UPDATE ledger_transactions SET reference = reference || 'x'", "which the PSP did not capture"),
    ("UPDATE ledger_transactions SET subject = 'pi_x'", "paid another intent"),
    ("DELETE FROM ledger_transactions", "and no such transaction"),
    ("DELETE FROM ledger_postings WHERE line = '1'", "sum to {'usd': -"),
    ("DELETE FROM ledger_postings", "the 0 postings of"),
    ("UPDATE ledger_postings SET amount_minor = amount_minor * 2", "moves 8400"),
    ("UPDATE ledger_balances SET amount_minor = amount_minor + 1", "and its postings sum to"),
    ("DELETE FROM ledger_balances", "is None, and its postings sum to"),
    ("DELETE FROM events WHERE sequence = 2", "events, and has"),
    ("UPDATE events SET previous_event_id = 'evt_x' WHERE sequence = 2", "do not follow each other"),
    ("UPDATE payment_intents SET latest_event = 'evt_x'", "do not follow each other"),
    (
        "UPDATE events SET type = 'payment_intent.processing' WHERE type LIKE '%succeeded'",
        "and 0 events say that it succeeded",
    ),
    ("UPDATE event_feeds SET position = position + 1", "the feed of"),
    ("UPDATE deliveries SET status = 'dead' WHERE sequence = 2", ": dead"),
    (
        "INSERT INTO dead_duties VALUES ('a', 'ask_psp:at_x', 'ask_psp', 'at_x', '', 'KeyError', 0, 5, 5, 1, 2)",
        "parked",
    ),
    ("DELETE FROM deliveries WHERE sequence = 1", ": None"),
    ("DELETE FROM events WHERE sequence = 1", "and no such event was recorded"),
    ("UPDATE events SET body = x'7b7d' WHERE sequence = 1", "with another content"),
    ("UPDATE audit_entries SET actor = 'operator' WHERE number = 3", "does not follow line 2"),
    ("DELETE FROM audit_entries WHERE number = 2", "does not follow line 1"),
    ("UPDATE audit_heads SET number = 9", "which is not its head"),
    ("UPDATE audit_entries SET action = ''", "was opened by 0 lines"),
]


@pytest.mark.parametrize("number", range(len(DAMAGES)))
def test_damage_is_found(played: Played, tmp_path: Path, number: int) -> None:
    statement, sentence = DAMAGES[number]
    found = audit(damaged(played, tmp_path, statement), played.charges, played.received)
    assert [violation for violation in found if sentence in violation], found


def charged_again(played: Played, **other: Any) -> list[dict[str, Any]]:
    charge = next(charge for charge in played.charges if charge["status"] == "captured")
    return [*played.charges, {**charge, "id": "ch_again", **other}]


def test_a_second_charge_of_an_intent_is_found(played: Played) -> None:
    found = audit(played.database, charged_again(played), played.received)
    assert [violation for violation in found if "was charged 2 times" in violation], found


def test_a_charge_that_is_not_known_here_is_found(played: Played) -> None:
    found = audit(played.database, charged_again(played, reference="at_x"), played.received)
    assert [violation for violation in found if "of at_x, which nobody here knows" in violation], found


Wrong = Callable[[list[dict[str, Any]]], Any]
TOLD: list[tuple[Wrong, str]] = [
    (list.pop, "counts as delivered, and never arrived"),
    (list.clear, "counts as delivered, and never arrived"),
    (list.reverse, "came after number"),
    (lambda received: received[0].update(sequence=9), "with another content"),
    (lambda received: received[0].update(id="evt_x"), "no such event was recorded"),
]


@pytest.mark.parametrize("number", range(len(TOLD)))
def test_what_was_not_told_is_found(played: Played, number: int) -> None:
    make_wrong, sentence = TOLD[number]
    received = copy.deepcopy(played.received)
    make_wrong(received)
    found = audit(played.database, played.charges, received)
    assert [violation for violation in found if sentence in violation], found


def test_an_event_may_come_twice(played: Played) -> None:
    assert audit(played.database, played.charges, [*played.received, *played.received]) == []


BROKEN: list[tuple[str, str]] = [
    (f"DELETE FROM payment_intents WHERE id = {PAID}", "was acknowledged and is not there"),
    (f"UPDATE payment_intents SET amount_minor = 1 WHERE id = {PAID}", "was acknowledged as b'{"),
    (f"UPDATE payment_intents SET status = 'canceled' WHERE id = {PAID}", "acknowledged as paid and is canceled"),
    ("DELETE FROM attempts WHERE status = 'declined'", "1 declines were acknowledged, and 0 are there"),
    ('UPDATE payment_intents SET metadata = \'{"order":"paid at once"}\'', "was opened 2 times"),
]


@pytest.mark.parametrize("number", range(len(BROKEN)))
def test_a_broken_promise_is_found(played: Played, tmp_path: Path, number: int) -> None:
    statement, sentence = BROKEN[number]
    found = broken_promises(damaged(played, tmp_path, statement), played.promises)
    assert [violation for violation in found if sentence in violation], found
