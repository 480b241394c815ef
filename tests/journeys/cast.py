"""Who plays in a journey: merchants made over the socket of the running `serve`, and requests that the client would not
send.
"""

import asyncio
import secrets
from typing import Any

import httpx

from paydesk.assembly import control
from paydesk.assembly.operator import Request
from paydesk_client import Paydesk, PaydeskAuth
from paydesk_client.retries import Retries
from tests.stage.receiver import Receiver
from tests.stage.stage import SHOP, Merchant, Stage

TIMEOUT_SECONDS = 60.0


class Cast:
    """The merchants of one test; all of them leave when it ends."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._merchants: list[Merchant] = []
        self._clients: list[httpx.Client] = []
        self._receivers: list[Receiver] = []

    def ask(self, what: str, **arguments: Any) -> dict[str, Any]:
        """What the command of that name asks, without the second that starting Python takes."""
        answer = asyncio.run(control.ask(self.stage.data, Request(what, arguments)))
        assert answer, "no serve is running"
        return answer

    def operate(self, what: str, **arguments: Any) -> dict[str, Any]:
        """The same, where it must go well."""
        answer = self.ask(what, **arguments)
        assert "done" in answer, answer
        return answer["done"]

    def merchant(
        self,
        name: str = "Tea House",
        *,
        fee: str = "0",
        events: str = "*",
        receiver: bool = False,
        psp_url: str = "",
        origin: str = SHOP,
        notices: bool = False,
        **terms: Any,
    ) -> Merchant:
        """A new merchant, with a receiver for its events if one is wanted, and told by its PSP of every change."""
        psp_key = f"psp-{secrets.token_hex(8)}"
        facts = self.operate(
            "merchants create",
            name=name,
            origins=[origin],
            psp_url=psp_url or self.stage.psp,
            psp_key=psp_key,
            fee=fee,
            **terms,
        )
        if notices:
            self.stage.tell_psp(psp_key, facts)
        listening = self.receiver(facts["merchant_id"], events=events) if receiver else None
        made = Merchant(self.stage, facts, listening)
        made.client.close()
        made.client = Paydesk(
            self.stage.paydesk,
            facts["key_id"],
            facts["secret"],
            timeout_seconds=TIMEOUT_SECONDS,
            retries=Retries(at_most=0),
            transport=plain(),
        )
        self._merchants.append(made)
        return made

    def receiver(self, merchant: str, *, events: str = "*") -> Receiver:
        """A receiver whose endpoint the operator added."""
        listening = Receiver()
        self._receivers.append(listening)
        added = self.operate("webhooks add", merchant=merchant, url=listening.url, events=events.split(","))
        listening.secret = added["secret"]
        return listening

    def signed(self, merchant: Merchant, **auth: Any) -> httpx.Client:
        """A client that signs and does nothing else; `auth` is for PaydeskAuth: another `clock`, a `nonce` again."""
        client = httpx.Client(
            base_url=self.stage.paydesk,
            auth=PaydeskAuth(merchant.facts["key_id"], merchant.facts["secret"], **auth),
            timeout=TIMEOUT_SECONDS,
            transport=plain(),
        )
        self._clients.append(client)
        return client

    def leave(self) -> None:
        for client in self._clients:
            client.close()
        for merchant in self._merchants:
            merchant.close()
        for receiver in self._receivers:
            receiver.close()


def plain() -> httpx.HTTPTransport:
    """Without the certificates that every client would read for itself: nothing here speaks TLS."""
    return httpx.HTTPTransport(verify=False)


def error_of(answer: httpx.Response) -> dict[str, Any]:
    """The error in an answer, after a look at its one shape."""
    whole = answer.json()
    assert set(whole) <= {"error", "server_time", "payment_intent"}, whole
    error = whole["error"]
    assert set(error) >= {"type", "code", "message", "param", "doc_url", "request_id"}, error
    assert error["request_id"] == answer.headers["request-id"]
    return error


def refused(answer: httpx.Response, status: int, code: str, param: str | None = None) -> dict[str, Any]:
    """See that it was refused so; the whole answer, for what stands beside the error."""
    assert (answer.status_code, error_of(answer)["code"]) == (status, code), answer.text
    if param is not None:
        assert error_of(answer)["param"] == param, answer.text
    return answer.json()
