"""What tests of refunds share: a paid intent, refunds over HTTP, and both sets of books."""

import asyncio
from collections import Counter
from typing import Any

import httpx

from paydesk.ledger import Balance
from paydesk.ledger.chart import purpose
from paydesk.payments.rows import Refund
from paydesk_sandbox.psp.faults import Fault, Kind
from tests.journeys.turned import Turned
from tests.stage.shopper import VISA

FAILS_LATER = "4000009900000202"
WAITS = "4000009900000210"
WAITS_AND_FAILS = "4000009900000228"
OPEN = ("asking", "pending")


async def paid(house: Turned, *, amount: int = 4200, number: str = VISA, key: str = "order-1") -> dict[str, Any]:
    intent = await house.open(key, amount)
    assert (await house.pay(intent, number)).status_code == 200
    return await house.read(intent)


async def refund(house: Turned, intent: dict[str, Any], key: str = "refund-1", **wanted: Any) -> httpx.Response:
    body = {"payment_intent": intent["id"], **wanted}
    return await house.send("POST", "/v1/refunds", json=body, headers={"Idempotency-Key": key})


async def refunded(house: Turned, intent: dict[str, Any], key: str = "refund-1", **wanted: Any) -> dict[str, Any]:
    answer = await refund(house, intent, key, **wanted)
    assert answer.status_code in (200, 202), answer.text
    return answer.json()


async def read_refund(house: Turned, made: dict[str, Any]) -> dict[str, Any]:
    return (await house.send("GET", f"/v1/refunds/{made['id']}")).json()


async def row_of(house: Turned, made: dict[str, Any]) -> Refund:
    row = await house.house.reader.get(Refund, house.facts["account_id"], made["id"])
    assert row is not None
    return row


async def ended(house: Turned, made: dict[str, Any]) -> dict[str, Any]:
    """The refund as soon as the PSP has said how it went; the clock turns as far as that takes."""
    for _ in range(200):
        if (await row_of(house, made)).status not in OPEN:
            return await read_refund(house, made)
        await asyncio.sleep(600)
    raise AssertionError(f"{made['id']} is still open")


async def timeline(house: Turned, intent: dict[str, Any]) -> list[str]:
    told = (await house.send("GET", f"/v1/payment_intents/{intent['id']}/timeline")).json()
    return [entry["what"] for entry in told["data"]]


async def balances(house: Turned) -> dict[str, int]:
    """By purpose, debit positive, without what is empty; seen to sum to nothing."""
    found = await house.house.reader.query(
        Balance,
        'SELECT "version", "account", "ledger_account", "currency", "amount_minor", "sequence" FROM "ledger_balances"',
        (),
    )
    sums = Counter[str]()
    for balance in found:
        sums[purpose(balance.ledger_account)] += balance.amount_minor
    assert sum(sums.values()) == 0
    return {name: amount for name, amount in sums.items() if amount}


def at_psp(house: Turned, made: dict[str, Any] | None = None) -> list[str]:
    """How the PSP's refunds stand: those of one refund of ours, or all."""
    entries = house.world.psp.books.refunds.all.values()
    return [one.refund.status for one in entries if made is None or one.refund.reference == made["id"]]


def goes_wrong(house: Turned, fault: Kind, on: Any = "refunds", **how: Any) -> None:
    house.world.psp.order(Fault(fault=fault, on=on, **how))


async def judged(house: Turned) -> None:
    """Nothing was refunded twice or beyond what was taken, and what we believe the PSP holds, it holds."""
    books = house.world.psp.books
    assert books.refunded_twice() == []
    assert books.refunded_beyond_captured() == []
    assert books.charged_twice() == []
    charges = [entry.charge for entry in books.entries.values() if entry.charge.status == "captured"]
    held = sum(charge.amount_captured for charge in charges)
    back = sum(one.refund.amount for one in books.refunds.all.values() if one.refund.status == "succeeded")
    assert (await balances(house)).get("psp_clearing", 0) == held - back
