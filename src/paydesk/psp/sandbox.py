"""The adapter of the sandbox PSP (`python -m paydesk_sandbox psp`), over HTTP with idempotency keys and time limits.

Its words stay here and in `sandbox_words.py`; what leaves is of `base.py`.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec

from paydesk.psp.base import (
    CardDetails,
    DisputeStanding,
    DisputeVerdict,
    NotFound,
    Notice,
    NotSent,
    NoVerdict,
    Place,
    Promises,
    Question,
    RefundQuestion,
    RefundStanding,
    RefundVerdict,
    Rejected,
    SavedCard,
    Standing,
    Verdict,
)
from paydesk.psp.breaker import Breakers
from paydesk.psp.sandbox_words import (
    Charge,
    Charges,
    Dispute,
    Disputes,
    NoticeBody,
    Refund,
    Refunds,
    dispute_standing,
    listed,
    listed_refund,
    refund_verdict,
    verdict_of,
)
from paydesk.world import Answer, NoAnswer, Outgoing, World
from paydesk.world import NotSent as HttpNotSent
from paydesk.world.turns import Turns

T = TypeVar("T")

NAME = "sandbox"
ANSWER_BYTES_MAX = 64 * 1024
LIST_BYTES_MAX = 64 * 1024 * 1024
CONNECT_SECONDS = 5.0
NOTICE_WINDOW_SECONDS = 300
SIGNATURE = re.compile(r"t=([0-9]{1,11}),v1=([0-9a-f]{64})", re.ASCII)


class SandboxPsp:
    """Charges at `<url>/v1/charges`, looks up by our reference.

    `at_once_max` questions at a time at one URL, twice as many at all of them: a PSP that hangs keeps others' waiting
    for nothing, and what waits for its turn is not asked yet, so no time runs for it.
    """

    def __init__(
        self,
        world: World,
        turns: Turns,
        breakers: Breakers,
        *,
        timeout_seconds: float,
        max_in_flight_seconds: int,
        at_once_max: int,
    ) -> None:
        self._world = world
        self._turns = turns
        self._breakers = breakers
        self._at_once_max = at_once_max
        self._timeout_seconds = timeout_seconds
        self.promises = Promises(
            idempotency_window_seconds=24 * 3600,
            replays_errors=True,
            max_in_flight_seconds=max_in_flight_seconds,
            look_up_reads_own_writes=True,
            partial_capture=True,
            saves_cards=True,
        )

    async def authorise(self, question: Question, means: CardDetails | SavedCard) -> Verdict:
        body = {
            "reference": question.reference,
            "order_reference": question.intent,
            "amount": question.amount_minor,
            "currency": question.currency,
            "capture": question.capture,
            "save": question.save,
            "challenge": "allow" if question.return_url else "never",
            "return_url": question.return_url,
            **_means(means),
        }
        answer = await self._post(question.place, "/v1/charges", question.key("authorise", 1), body)
        if not isinstance(answer, Answer):
            return answer
        if answer.status not in (200, 402):
            return NoVerdict(reason=f"the PSP answered {answer.status}")
        return verdict_of(question, _decoded(answer.body, Charge))

    async def capture(self, question: Question, amount_minor: int, number: int) -> Verdict | Rejected:
        path = f"/v1/charges/{question.psp_reference}/capture"
        answer = await self._post(question.place, path, question.key("capture", number), {"amount": amount_minor})
        return self._changed(question, answer)

    async def cancel(self, question: Question, number: int) -> Verdict | Rejected:
        path = f"/v1/charges/{question.psp_reference}/release"
        return self._changed(question, await self._post(question.place, path, question.key("cancel", number), {}))

    async def look_up(self, question: Question) -> Verdict:
        found = await self._read(question.place, f"/v1/charges?reference={_quoted(question.reference)}", Charges)
        if not isinstance(found, Charges):
            return found
        return verdict_of(question, found.data[0]) if found.data else NotFound()

    async def refund(self, question: RefundQuestion) -> RefundVerdict | Rejected:
        body = {"reference": question.reference, "amount": question.amount_minor}
        answer = await self._post(question.place, f"/v1/charges/{question.charge}/refunds", question.key, body)
        if not isinstance(answer, Answer):
            return answer
        return _refused(answer) or refund_verdict(question, _decoded(answer.body, Refund))

    async def look_up_refund(self, question: RefundQuestion) -> RefundVerdict:
        found = await self._read(question.place, f"/v1/refunds?reference={_quoted(question.reference)}", Refunds)
        if not isinstance(found, Refunds):
            return found
        return refund_verdict(question, found.data[0]) if found.data else NotFound()

    async def look_up_dispute(self, place: Place, psp_reference: str) -> DisputeVerdict:
        found = await self._read(place, f"/v1/disputes/{_quoted(psp_reference)}", Dispute)
        return dispute_standing(found) if isinstance(found, Dispute) else found

    async def list(self, place: Place, since_ms: int) -> Sequence[Standing] | NotSent | NoVerdict:
        found = await self._listed(place, f"/v1/charges?since_ms={since_ms}", Charges)
        if not isinstance(found, Charges):
            return found
        return [listed(charge) for charge in found.data]

    async def list_refunds(self, place: Place, since_ms: int) -> Sequence[RefundStanding] | NotSent | NoVerdict:
        found = await self._listed(place, f"/v1/refunds?since_ms={since_ms}", Refunds)
        if not isinstance(found, Refunds):
            return found
        return [
            RefundStanding(
                reference=refund.reference,
                charge=refund.charge,
                amount_minor=refund.amount,
                currency=refund.currency,
                verdict=listed_refund(refund),
                psp_reference=refund.id,
                created_ms=refund.created_ms,
            )
            for refund in found.data
        ]

    async def list_disputes(self, place: Place, since_ms: int) -> Sequence[DisputeStanding] | NotSent | NoVerdict:
        found = await self._listed(place, f"/v1/disputes?since_ms={since_ms}", Disputes)
        return [dispute_standing(dispute) for dispute in found.data] if isinstance(found, Disputes) else found

    def read_notice(self, headers: Mapping[str, str], body: bytes, secret: str, now_ms: int) -> Notice | None:
        """The signature is `t=<seconds>,v1=<hex HMAC-SHA256 of t.body>`; the time may be 300 s off."""
        form = SIGNATURE.fullmatch(headers.get("psp-signature", ""))
        if form is None:
            return None
        seconds, given = form.groups()
        expected = hmac.digest(secret.encode(), f"{seconds}.".encode() + body, "sha256").hex()
        fresh = abs(now_ms // 1000 - int(seconds)) <= NOTICE_WINDOW_SECONDS
        if not hmac.compare_digest(expected, given) or not fresh:
            return None
        said = _decoded(body, NoticeBody)
        if said is None:
            return None
        about = said.type.partition(".")[0]
        return Notice(id=said.id, about=about, reference=said.object.reference, psp_reference=said.object.id)

    def _changed(self, question: Question, answer: Answer | NotSent | NoVerdict) -> Verdict | Rejected:
        if not isinstance(answer, Answer):
            return answer
        return _refused(answer) or verdict_of(question, _decoded(answer.body, Charge))

    async def _post(
        self, place: Place, path: str, idempotency_key: str, body: Mapping[str, Any]
    ) -> Answer | NotSent | NoVerdict:
        request = self._request(place, "POST", path, key=idempotency_key, body=msgspec.json.encode(body))
        answer = await self._send(place, request)
        if isinstance(answer, Answer) and answer.status == 429:
            return NotSent(reason="the PSP is limiting requests")
        return answer

    async def _listed(self, place: Place, path: str, kind: type[T]) -> T | NotSent | NoVerdict:
        found = await self._read(place, path, kind, LIST_BYTES_MAX)
        return NoVerdict(reason="the PSP answered 404") if isinstance(found, NotFound) else found

    async def _read(
        self, place: Place, path: str, kind: type[T], bytes_max: int = ANSWER_BYTES_MAX
    ) -> T | NotSent | NotFound | NoVerdict:
        answer = await self._send(place, self._request(place, "GET", path, bytes_max=bytes_max))
        if not isinstance(answer, Answer):
            return answer
        if answer.status == 404:
            return NotFound()
        if answer.status != 200 or (found := _decoded(answer.body, kind)) is None:
            return NoVerdict(reason=f"the PSP answered {answer.status}")
        return found

    def _request(
        self,
        place: Place,
        method: str,
        path: str,
        *,
        key: str = "",
        body: bytes = b"",
        bytes_max: int = ANSWER_BYTES_MAX,
    ) -> Outgoing:
        headers = (("authorization", f"Bearer {place.key}"), ("content-type", "application/json"))
        return Outgoing(
            method=method,
            url=place.url + path,
            headers=(*headers, ("idempotency-key", key)) if key else headers,
            body=body,
            reach="anywhere",
            connect_timeout_seconds=CONNECT_SECONDS,
            total_timeout_seconds=self._timeout_seconds,
            answer_bytes_max=bytes_max,
        )

    async def _send(self, place: Place, request: Outgoing) -> Answer | NotSent | NoVerdict:
        breaker = self._breakers.of(NAME, place.url)
        async with self._turns.take((place.url, self._at_once_max), ("PSPs", 2 * self._at_once_max)):
            with breaker.question(self._world.monotonic) as question:
                answer = _by_phase(await self._world.send(request))
                question.answered = isinstance(answer, Answer) and answer.status < 500
                return answer


def _by_phase(answer: Answer | HttpNotSent | NoAnswer) -> Answer | NotSent | NoVerdict:
    """What the network did, in the words of a verdict."""
    if isinstance(answer, HttpNotSent):
        return NotSent(reason=answer.reason)
    return NoVerdict(reason=answer.reason) if isinstance(answer, NoAnswer) else answer


def _refused(answer: Answer) -> Rejected | NoVerdict | None:
    """A PSP that will not do it says so with 4xx; any other status but 200 says nothing."""
    if answer.status == 200:
        return None
    reason = f"the PSP answered {answer.status}"
    return Rejected(reason=reason) if 400 <= answer.status < 500 else NoVerdict(reason=reason)


def _means(means: CardDetails | SavedCard) -> dict[str, Any]:
    if isinstance(means, SavedCard):
        return {"token": means.token}
    card = {
        "number": means.number,
        "exp_month": means.exp_month,
        "exp_year": means.exp_year,
        "cvc": means.cvc,
        "name": means.name,
    }
    return {"card": card}


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _decoded(body: bytes, kind: type[T]) -> T | None:
    """None where it can't be read. No UTF-8, or brackets without end, are no DecodeError to msgspec."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (ValueError, RecursionError):
        return None
