"""A merchant to whom everything has happened: what a path, a query or a body may name is there, in every state."""

import time
from typing import Any

import httpx

from tests.bad_input.wire import Signer
from tests.journeys import psp
from tests.journeys.bank import APPROVES
from tests.journeys.cast import Cast
from tests.journeys.test_disputes import DISPUTED
from tests.stage.shopper import VISA, Shopper
from tests.stage.stage import Stage

LIMITS = {
    "PAYDESK_HEADER_TIMEOUT_SECONDS": "1",
    "PAYDESK_BODY_TIMEOUT_SECONDS": "1",
    "PAYDESK_PSP_TIMEOUT_SECONDS": "1",
    "PAYDESK_PSP_MAX_IN_FLIGHT_SECONDS": "1",
    "PAYDESK_ENDPOINTS_MAX": "10000",
}
"""Of the server: what does not arrive is soon given up, and the first endpoints do not keep out the rest."""
LANDS_MS = 10_000  # When the attempt has ended as not sent, and its intent is canceled.
WAIT_SECONDS = 30
NOWHERE = "https://hooks.invalid/paydesk"


class Furnished:
    """Its ids by the name under which a request may give them."""

    def __init__(self, stage: Stage, cast: Cast) -> None:
        self.stage = stage
        self.merchant = cast.merchant("Furnished", notices=True, late_payments="hold")
        self.client = self.merchant.client
        self.signer = Signer(self.merchant.facts["key_id"], self.merchant.facts["secret"])
        stranger = cast.merchant("Stranger")
        self.stranger = Signer(stranger.facts["key_id"], stranger.facts["secret"])
        self.client_secrets: dict[str, str] = {}
        self.ids: dict[str, list[str]] = {}
        self._furnish()

    def open(self, **more: Any) -> str:
        """An intent that waits to be paid."""
        intent = self.client.payment_intents.create(amount=4200, currency="usd", **more)
        self.client_secrets[intent["id"]] = intent["client_secret"]
        return intent["id"]

    def paid(self, number: str = VISA, **more: Any) -> str:
        """An intent after a shopper pressed Pay."""
        intent = self.open(**more)
        assert self.shopper(intent).pay(number).status_code == 200
        return intent

    def shopper(self, intent: str) -> Shopper:
        return self.merchant.shopper({"id": intent, "client_secret": self.client_secrets[intent]})

    def endpoint(self) -> str:
        return self.client.webhook_endpoints.create(url=NOWHERE)["id"]

    def _furnish(self) -> None:
        psp.order(self.stage, "lands_late", delay_ms=LANDS_MS, times=2)
        late = [self._lost(), self._lost()]
        for intent in late:
            assert psp.settled(self.shopper(intent))["status"] == "requires_payment_method"
            self.client.payment_intents.cancel(intent)
        paid, held, challenged = self.paid(), self.paid(capture_method="manual"), self.paid(APPROVES)
        saved = self.paid(setup_future_usage="off_session")
        refunded, disputed, canceled = self.paid(), self.paid(DISPUTED), self.open()
        refund = self.client.refunds.create(payment_intent=refunded, amount=100)["id"]
        self.client.payment_intents.cancel(canceled)
        read = self.client.payment_intents.retrieve
        key = "furnished-1"
        opened = self.open(idempotency_key=key)
        self.ids = {
            "intent": [paid, held, opened, challenged, saved, refunded, disputed, canceled, *late],
            "held": [held],
            "open": [opened],
            "refund": [refund],
            "endpoint": [self.endpoint()],
            "key": [key],
            "psp": ["sandbox"],
            "account": [self.merchant.account],
            "asking": [read(challenged)["next_action"]["url"].rpartition("/")[2]],
            "state": [self._approved()],
            "payment_method": [read(saved)["payment_method"]],
            "ledger_account": [one["id"] for one in self.client.ledger.accounts()["data"]],
            "dispute": [self._first(lambda: self.client.disputes.list()["data"])],
            "late_payment": [self._late(intent) for intent in late],
        }
        self.ids["payment_intent"] = self.ids["intent"]
        self.ids["event"] = [one["id"] for one in self.client.events.list()["data"]]
        page = ("payment_intents", "refunds", "events", "disputes", "late_payments")
        self.ids["starting_after"] = [getattr(self.client, name).list()["data"][0]["id"] for name in page]
        self.ids["ending_before"] = self.ids["starting_after"]

    def _approved(self) -> str:
        """The state of a challenge that was met: the way back from it is not held any more."""
        intent = self.paid(APPROVES)
        attempt = self.client.payment_intents.retrieve(intent)
        (charge,) = self.stage.charges(attempt["latest_attempt"])
        assert httpx.post(f"{charge['challenge']['url']}/approve").status_code == 303
        state = attempt["next_action"]["url"].rpartition("/")[2]
        assert httpx.get(f"{self.stage.paydesk}/checkout/challenge/{state}/done").status_code == 200
        return state

    def _lost(self) -> str:
        """An intent whose charge will land when nobody counts on it any more."""
        intent = self.open()
        assert self.shopper(intent).pay().status_code == 202
        return intent

    def _late(self, intent: str) -> str:
        """The late payment of an intent that was lost and canceled."""
        return self._first(lambda: self.client.late_payments.list(payment_intent=intent)["data"])

    def _first(self, listed: Any) -> str:
        until = time.monotonic() + WAIT_SECONDS
        while not (found := listed()):
            assert time.monotonic() < until, "the PSP told nothing"
            time.sleep(0.05)
        return found[0]["id"]

    def card_key(self) -> dict[str, Any]:
        return httpx.get(f"{self.stage.paydesk}/checkout/keys").json()["keys"][0]
