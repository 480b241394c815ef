"""The sandbox PSP as journeys use it: faults on demand, its books, and a wait for what becomes of a payment."""

from typing import Any

import httpx

from tests.stage.shopper import Shopper
from tests.stage.stage import Merchant, Stage

SETTLES_SECONDS = 30

# The sandbox's own numbers: what goes wrong on the way, and whether the card is charged.
LATE = "4000009900000103"
LOST_AFTER = "4000009900000111"
LOST_BEFORE = "4000009900000129"
UNAVAILABLE = "4000009900000137"
LIMITED = "4000009900000145"
FAILED_AFTER = "4000009900000152"
GARBAGE = "4000009900000160"
OTHER_AMOUNT = "4000009900000178"
LANDS_LATE = "4000009900000186"
RESET = "4000009900000194"


def order(stage: Stage, fault: str, **how: Any) -> None:
    """Let it go wrong with the next charge, or as `how` says."""
    assert httpx.post(f"{stage.psp}/faults", json={"fault": fault} | how).status_code == 200


def captured(stage: Stage, merchant: Merchant, intent_id: str) -> list[tuple[int, str]]:
    """Amount and currency of every charge that the PSP captured for this intent, by all of its attempts."""
    latest = merchant.client.payment_intents.retrieve(intent_id)["latest_attempt"]
    charges = stage.charges(latest) if latest else []
    return [(charge["amount_captured"], charge["currency"]) for charge in charges if charge["status"] == "captured"]


def charged_twice(stage: Stage) -> list[str]:
    return httpx.get(f"{stage.psp}/books").json()["charged_twice"]


def settled(shopper: Shopper) -> dict[str, Any]:
    """The intent as soon as it no longer is `processing`; held by the server, not asked again and again."""
    seen = shopper.status().json()
    while seen["status"] == "processing":
        after = seen["version"]
        seen = shopper.status(wait=SETTLES_SECONDS, after=after).json()
        assert seen["version"] > after, f"nothing happened for {SETTLES_SECONDS} s: {seen}"
    return seen
