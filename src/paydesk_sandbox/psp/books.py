"""The PSP's own books: every charge, every idempotency key, the totals. In memory, without a clock.

What is kept of a card is its brand and last four digits. The same reference may be charged twice under two
idempotency keys, as at a real PSP; keeping that from happening is the caller's duty, and `charged_twice` tells
whether it did.
"""

from bisect import bisect_left
from collections import OrderedDict, defaultdict
from hashlib import blake2b
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from paydesk_sandbox.bodies import Unreadable, read
from paydesk_sandbox.psp.cards import Card, brand, decline_code

DAY_MS = 24 * 3600 * 1000


class ChargeRequest(Struct, frozen=True, kw_only=True):
    """The body of POST /v1/charges."""

    reference: Annotated[str, Meta(min_length=1, max_length=255)]
    amount: Annotated[int, Meta(gt=0, le=10**12)]
    """In the currency's minor unit."""
    currency: Annotated[str, Meta(pattern="^[a-z]{3}\\Z")]
    capture: bool = True
    card: Card


class Charge(Struct, frozen=True, kw_only=True):
    """A charge as the API shows it."""

    id: str
    object: Literal["charge"] = "charge"
    reference: str
    amount: int
    currency: str
    status: Literal["captured", "authorised", "declined"]
    amount_captured: int
    decline_code: str | None
    created_ms: int


class Entry(Struct, kw_only=True):
    """A charge as it stands in the books."""

    charge: Charge
    merchant: str
    """The fingerprint of the key it was charged with."""
    brand: str
    last4: str
    times_asked: int = 0
    """How many requests got to this charge: the one that made it, and its repeats."""
    answered_us: int | None = None
    """When the first answer to any of them was written to the socket, in microseconds since 1970; None: never."""


class Totals(Struct, kw_only=True):
    """What one currency adds up to."""

    captured_minor: int = 0
    authorised_minor: int = 0
    charges: int = 0
    """Captured ones."""
    authorised: int = 0
    declined: int = 0


class Answer(Struct, frozen=True, kw_only=True):
    """What a request is answered with."""

    status: int
    body: bytes
    charge: str | None = None
    """The id of the charge that a POST is answered with."""
    replayed: bool = False
    retry_after_seconds: int | None = None


class Kept(Struct, frozen=True):
    """What an idempotency key stands for."""

    fingerprint: bytes
    answer: Answer
    at_ms: int


class Books:
    """One PSP's books. `salt` makes the ids its own; `keys_kept_ms` is how long an idempotency key is remembered."""

    def __init__(self, *, salt: bytes, keys_kept_ms: int = DAY_MS) -> None:
        self.entries: dict[str, Entry] = {}
        self.totals: defaultdict[str, Totals] = defaultdict(Totals)
        self._salt = blake2b(salt).digest()
        self._keys_kept_ms = keys_kept_ms
        self._keys: OrderedDict[tuple[str, str], Kept] = OrderedDict()
        self._by_merchant: defaultdict[str, list[Entry]] = defaultdict(list)
        self._by_reference: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
        self._latest_ms = 0

    def charge(self, merchant: str, key: str, body: bytes, now_ms: int) -> Answer:
        """Charge once per idempotency key: 200 or 402; the same bytes for a repeat; 409 for another body."""
        self._drop_old_keys(now_ms)
        fingerprint = blake2b(body, key=self._salt, digest_size=16).digest()
        if kept := self._keys.get((merchant, key)):
            return self._repeat(kept, fingerprint)
        try:
            request = read(body, ChargeRequest)
        except Unreadable as wrong:
            return refused(400, "invalid_request", str(wrong))
        entry = self._enter(merchant, request, now_ms)
        paid = entry.charge.status != "declined"
        answer = Answer(status=200 if paid else 402, body=msgspec.json.encode(entry.charge), charge=entry.charge.id)
        self._keys[merchant, key] = Kept(fingerprint, answer, now_ms)
        return answer

    def knows(self, merchant: str, key: str, now_ms: int) -> bool:
        """Whether an answer is kept under this key."""
        self._drop_old_keys(now_ms)
        return (merchant, key) in self._keys

    def find(self, merchant: str, charge_id: str) -> Answer:
        """One charge by its id, if it is this merchant's."""
        entry = self.entries.get(charge_id)
        if entry is None or entry.merchant != merchant:
            return refused(404, "not_found", "There is no such charge.")
        return Answer(status=200, body=msgspec.json.encode(entry.charge))

    def charges(self, merchant: str, reference: str | None, since_ms: int | None) -> Answer:
        """This merchant's charges, oldest first: of one reference, or made at `since_ms` or later, or all."""
        if reference is None:
            made = self._by_merchant.get(merchant, [])
        else:
            made = self._by_reference.get((merchant, reference), [])
        first = 0 if since_ms is None else bisect_left(made, since_ms, key=lambda entry: entry.charge.created_ms)
        return Answer(status=200, body=msgspec.json.encode({"data": [entry.charge for entry in made[first:]]}))

    def forget_keys(self) -> None:
        """Forget every idempotency key, as a PSP does after its window."""
        self._keys.clear()

    def answered(self, charge_id: str, now_us: int) -> None:
        """An answer to a request for this charge was written to the socket."""
        entry = self.entries[charge_id]
        if entry.answered_us is None:
            entry.answered_us = now_us

    def charged_twice(self) -> list[str]:
        """References that took money more than once: what must never happen."""
        return [
            reference
            for (_, reference), made in self._by_reference.items()
            if sum(entry.charge.status != "declined" for entry in made) > 1
        ]

    def _drop_old_keys(self, now_ms: int) -> None:
        while self._keys and now_ms - next(iter(self._keys.values())).at_ms >= self._keys_kept_ms:
            self._keys.popitem(last=False)

    def _repeat(self, kept: Kept, fingerprint: bytes) -> Answer:
        if kept.fingerprint != fingerprint:
            return refused(409, "idempotency_key_reused", "This Idempotency-Key was used with another body.")
        if kept.answer.charge:
            self.entries[kept.answer.charge].times_asked += 1
        return msgspec.structs.replace(kept.answer, replayed=True)

    def _enter(self, merchant: str, request: ChargeRequest, now_ms: int) -> Entry:
        # A clock set back must not break the order that `charges` searches in.
        self._latest_ms = max(self._latest_ms, now_ms)
        code = decline_code(request.card, now_ms)
        charge = _charge(self._next_id(), request, code, self._latest_ms)
        card = request.card
        entry = Entry(charge=charge, merchant=merchant, brand=brand(card.number), last4=card.number[-4:], times_asked=1)
        self.entries[charge.id] = entry
        self._by_merchant[merchant].append(entry)
        self._by_reference[merchant, charge.reference].append(entry)
        add_up(self.totals[charge.currency], charge)
        return entry

    def _next_id(self) -> str:
        return "ch_" + blake2b(b"%d" % len(self.entries), key=self._salt, digest_size=12).hexdigest()


def _charge(charge_id: str, request: ChargeRequest, code: str | None, now_ms: int) -> Charge:
    taken = "captured" if request.capture else "authorised"
    return Charge(
        id=charge_id,
        reference=request.reference,
        amount=request.amount,
        currency=request.currency,
        status="declined" if code else taken,
        amount_captured=request.amount if request.capture and not code else 0,
        decline_code=code,
        created_ms=now_ms,
    )


def add_up(totals: Totals, charge: Charge) -> None:
    """Add one charge to what its currency adds up to."""
    if charge.status == "captured":
        totals.captured_minor += charge.amount_captured
        totals.charges += 1
    elif charge.status == "authorised":
        totals.authorised_minor += charge.amount
        totals.authorised += 1
    else:
        totals.declined += 1


def refused(status: int, code: str, message: str) -> Answer:
    """The PSP's own error shape."""
    return Answer(status=status, body=msgspec.json.encode({"error": {"code": code, "message": message}}))
