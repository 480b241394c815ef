"""What the PSP does with a request: pure rules over books in memory. No clock, no socket; time is handed in.

A caller does three things, and the waiting between them on a clock of its own (`server.py` on this machine's, the
simulator on its virtual one):

    handling = psp.meet(call, now_ms)            # does something go wrong with this arrival?
    … wait handling.act_after_ms …
    answer = psp.act(call, handling, now_ms)     # the charge is made here; None: there is nothing to answer
    … wait handling.end_after_ms …
    … handling.ending: answer, close, reset or refuse; after an answer, psp.books.answered(answer.charge, now_us) …
"""

from hashlib import sha256
from typing import Literal
from urllib.parse import parse_qs

import msgspec
from msgspec import Struct

from paydesk_sandbox.bodies import Unreadable, read
from paydesk_sandbox.psp.books import DAY_MS, Answer, Books, refused
from paydesk_sandbox.psp.cards import fault_of
from paydesk_sandbox.psp.faults import AS_USUAL, Fault, Faults, Handling, handling_of

GARBAGE = b'<html>\n<head><title>502 Bad Gateway</title></head>{"id": "ch_'
OTHER_AMOUNT_MINOR = 100
"""How far an answer with another amount is off."""


class Call(Struct, frozen=True, kw_only=True):
    """A request to /v1/…, as far as the rules look at it."""

    method: str
    path: str
    query: str = ""
    authorisation: str = ""
    """The Authorization header."""
    idempotency_key: str = ""
    body: bytes = b""

    @property
    def kind(self) -> Literal["charges", "lookups"]:
        return "charges" if self.method == "POST" else "lookups"


class _Number(Struct):
    number: str


class _Peek(Struct):
    """As much of a charge request as tells which card it is."""

    card: _Number


class Psp:
    """Books, faults, and what is answered."""

    def __init__(self, *, salt: bytes = b"", keys_kept_ms: int = DAY_MS) -> None:
        self.books = Books(salt=salt, keys_kept_ms=keys_kept_ms)
        self.faults = Faults()
        self._merchants: dict[str, str] = {}

    def order(self, fault: Fault) -> None:
        """Let it go wrong. `forget_keys` happens at once; `refuse` is counted here and done by whoever listens."""
        if fault.fault in ("forget_keys", "refuse"):
            self._strike(fault)
        else:
            self.faults.order(fault)

    def meet(self, call: Call, now_ms: int) -> Handling:
        """How this arrival is handled: an ordered fault, else the plan's, else the card's own, else as usual."""
        fault = self.faults.next(call.kind) or self._fault_of_card(call, now_ms)
        return self._strike(fault) if fault else AS_USUAL

    def act(self, call: Call, handling: Handling, now_ms: int) -> Answer | None:
        """Do what is asked, and give what shall be answered; None where nothing is."""
        answer = self._answer(call, now_ms) if handling.acts else None
        if handling.ending != "answer":
            return None
        return _shaped(answer, handling)

    def merchant_of(self, authorisation: str) -> str | None:
        """A fingerprint of the key in an Authorization header. Any key that is not empty is a merchant's."""
        if known := self._merchants.get(authorisation):
            return known
        scheme, _, key = authorisation.partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return None
        return self._merchants.setdefault(authorisation, merchant_fingerprint(key.strip()))

    def _strike(self, fault: Fault) -> Handling:
        self.faults.count(fault)
        if fault.fault == "forget_keys":
            self.books.forget_keys()
        return handling_of(fault)

    def _fault_of_card(self, call: Call, now_ms: int) -> Fault | None:
        """A repeat of what was answered in the books meets nothing: the way is clear the second time."""
        if call.kind != "charges" or not call.idempotency_key:
            return None
        merchant = self.merchant_of(call.authorisation)
        if merchant is None or self.books.knows(merchant, call.idempotency_key, now_ms):
            return None
        try:
            return fault_of(read(call.body, _Peek).card.number)
        except Unreadable:
            return None

    def _answer(self, call: Call, now_ms: int) -> Answer:
        merchant = self.merchant_of(call.authorisation)
        if merchant is None:
            return refused(401, "unauthorised", "Authorization must be a Bearer key.")
        if call.path == "/v1/charges" and call.method == "POST":
            return self._charge(merchant, call, now_ms)
        if call.method != "GET":
            return refused(405, "method_not_allowed", "There is no such method here.")
        if call.path == "/v1/charges":
            return self._list(merchant, call.query)
        return self.books.find(merchant, call.path.removeprefix("/v1/charges/"))

    def _charge(self, merchant: str, call: Call, now_ms: int) -> Answer:
        if not 1 <= len(call.idempotency_key) <= 255:
            return refused(400, "idempotency_key_missing", "An Idempotency-Key of 1 to 255 characters is required.")
        return self.books.charge(merchant, call.idempotency_key, call.body, now_ms)

    def _list(self, merchant: str, query: str) -> Answer:
        asked = {name: values[-1] for name, values in parse_qs(query, keep_blank_values=True).items()}
        since = asked.get("since_ms")
        if since is not None and not (since.isascii() and since.isdigit() and len(since) <= 16):
            return refused(400, "invalid_request", "since_ms must be milliseconds since 1970.")
        return self.books.charges(merchant, asked.get("reference"), None if since is None else int(since))


def merchant_fingerprint(key: str) -> str:
    """The first 12 hex digits of the key's SHA-256: tells merchants apart in the books without showing a key."""
    return sha256(key.encode()).hexdigest()[:12]


def _shaped(answer: Answer | None, handling: Handling) -> Answer:
    """The answer as it leaves: the books stay right, the wire does not."""
    charge = answer.charge if answer else None
    if handling.shape == "status":
        wait_seconds = 1 if handling.status in (429, 503) else None
        failed = refused(handling.status, "sandbox_fault", "The sandbox was asked to answer with this status.")
        return msgspec.structs.replace(failed, charge=charge, retry_after_seconds=wait_seconds)
    assert answer is not None
    if handling.shape == "garbage":
        return Answer(status=200, body=GARBAGE, charge=charge)
    if handling.shape == "wrong_amount":
        return msgspec.structs.replace(answer, body=_with_other_amounts(answer.body))
    return answer


def _with_other_amounts(body: bytes) -> bytes:
    whole = msgspec.json.decode(body)
    for charge in whole.get("data", [whole]):
        for field in ("amount", "amount_captured"):
            if charge.get(field):
                charge[field] += OTHER_AMOUNT_MINOR
    return msgspec.json.encode(whole)
