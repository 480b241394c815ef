"""The adapter of the sandbox PSP (`python -m paydesk_sandbox psp`), over HTTP with idempotency keys and time limits."""

from typing import Literal, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Struct

from paydesk.psp.base import (
    Authorised,
    Captured,
    CardDetails,
    Declined,
    NotFound,
    NotSent,
    NoVerdict,
    Promises,
    Question,
    Verdict,
)
from paydesk.world import Answer, NoAnswer, Outgoing, World
from paydesk.world import NotSent as HttpNotSent
from paydesk.world.turns import Turns

T = TypeVar("T")

ANSWER_BYTES_MAX = 64 * 1024
CONNECT_SECONDS = 5.0


class Charge(Struct, frozen=True):
    """The sandbox's object, as far as we read it."""

    id: str
    reference: str
    amount: int
    currency: str
    status: Literal["captured", "authorised", "declined"]
    amount_captured: int = 0
    decline_code: str | None = None


class Charges(Struct, frozen=True):
    data: list[Charge]


class SandboxPsp:
    """Charges at `<url>/v1/charges`, looks up by our reference.

    `at_once_max` questions at a time at one URL, twice as many at all of them: a PSP that hangs keeps others' waiting
    for nothing, and what waits for its turn is not asked yet, so no time runs for it.
    """

    def __init__(
        self, world: World, turns: Turns, *, timeout_seconds: float, max_in_flight_seconds: int, at_once_max: int
    ) -> None:
        self._world = world
        self._turns = turns
        self._at_once_max = at_once_max
        self._timeout_seconds = timeout_seconds
        self.promises = Promises(
            idempotency_window_seconds=24 * 3600,
            replays_errors=True,
            max_in_flight_seconds=max_in_flight_seconds,
            look_up_reads_own_writes=True,
        )

    async def authorise(self, question: Question, card: CardDetails) -> Verdict:
        body = msgspec.json.encode(
            {
                "reference": question.reference,
                "amount": question.amount_minor,
                "currency": question.currency,
                "capture": question.capture,
                "card": {
                    "number": card.number,
                    "exp_month": card.exp_month,
                    "exp_year": card.exp_year,
                    "cvc": card.cvc,
                    "name": card.name,
                },
            }
        )
        answer = await self._send("POST", f"{question.url}/v1/charges", question, body)
        if isinstance(answer, HttpNotSent):
            return NotSent(reason=answer.reason)
        if not isinstance(answer, Answer):
            return NoVerdict(reason=answer.reason)
        if answer.status == 429:
            return NotSent(reason="the PSP is limiting requests")
        if answer.status not in (200, 402):
            return NoVerdict(reason=f"the PSP answered {answer.status}")
        return _verdict(question, _decoded(answer, Charge))

    async def look_up(self, question: Question) -> Verdict:
        url = f"{question.url}/v1/charges?reference={quote(question.reference, safe='')}"
        answer = await self._send("GET", url, question, b"")
        if isinstance(answer, HttpNotSent):
            return NotSent(reason=answer.reason)
        if not isinstance(answer, Answer):
            return NoVerdict(reason=answer.reason)
        if answer.status != 200 or (charges := _decoded(answer, Charges)) is None:
            return NoVerdict(reason=f"the PSP answered {answer.status}")
        return _verdict(question, charges.data[0]) if charges.data else NotFound()

    async def _send(self, method: str, url: str, question: Question, body: bytes) -> Answer | HttpNotSent | NoAnswer:
        request = Outgoing(
            method=method,
            url=url,
            headers=(
                ("authorization", f"Bearer {question.key}"),
                ("content-type", "application/json"),
                ("idempotency-key", question.idempotency_key),
            ),
            body=body,
            reach="anywhere",
            connect_timeout_seconds=CONNECT_SECONDS,
            total_timeout_seconds=self._timeout_seconds,
            answer_bytes_max=ANSWER_BYTES_MAX,
        )
        async with self._turns.take((question.url, self._at_once_max), ("PSPs", 2 * self._at_once_max)):
            return await self._world.send(request)


def _decoded(answer: Answer, kind: type[T]) -> T | None:
    try:
        return msgspec.json.decode(answer.body, type=kind)
    except msgspec.DecodeError:
        return None


def _verdict(question: Question, charge: Charge | None) -> Verdict:
    """What the charge says, if it is the one that was asked for; anything else is no verdict."""
    if charge is None:
        return NoVerdict(reason="the PSP's answer can't be read")
    if charge.reference != question.reference:
        return NoVerdict(reason="the PSP answered about another charge")
    if charge.status == "declined":
        return Declined(psp_reference=charge.id, decline_code=charge.decline_code or "generic_decline")
    if (charge.amount, charge.currency) != (question.amount_minor, question.currency):
        return NoVerdict(reason="the PSP names another amount or currency")
    if charge.status == "authorised":
        return Authorised(psp_reference=charge.id, amount_minor=charge.amount, currency=charge.currency)
    if charge.amount_captured != question.amount_minor:
        return NoVerdict(reason="the PSP captured another amount")
    return Captured(psp_reference=charge.id, amount_minor=charge.amount_captured, currency=charge.currency)
