"""What Paydesk asks a PSP and what it takes for an answer.

An adapter tells apart what is known by phase: *not sent* (nothing reached the PSP), *no verdict* (sent, and the answer
is missing or can't be
read), and definitive verdicts. Only the last change a payment's status.
"""

from typing import Protocol

from msgspec import Struct


class CardDetails(Protocol):
    """What an adapter needs of a card; the vault's Card is one. Never stored, never logged."""

    @property
    def number(self) -> str: ...
    @property
    def exp_month(self) -> int: ...
    @property
    def exp_year(self) -> int: ...
    @property
    def cvc(self) -> str: ...
    @property
    def name(self) -> str | None: ...


class Question(Struct, frozen=True, kw_only=True):
    """One attempt to charge a card."""

    reference: str
    """Our reference at the PSP: the attempt's id."""
    amount_minor: int
    currency: str
    capture: bool
    """Capture at once, or authorise only."""
    url: str
    """Where the PSP is: the operator's word."""
    key: str
    """What the PSP knows the merchant by."""

    @property
    def idempotency_key(self) -> str:
        return f"{self.reference}:authorise:1"


class Captured(Struct, frozen=True, kw_only=True, tag=True):
    """The card was charged."""

    psp_reference: str
    amount_minor: int
    currency: str


class Authorised(Struct, frozen=True, kw_only=True, tag=True):
    """The amount is held on the card, to be captured."""

    psp_reference: str
    amount_minor: int
    currency: str


class Declined(Struct, frozen=True, kw_only=True, tag=True):
    """The bank or the PSP said no; nothing was charged."""

    psp_reference: str
    decline_code: str


class NotSent(Struct, frozen=True, kw_only=True, tag=True):
    """The PSP acted on nothing: it was not reached, or said that it took nothing (its 429)."""

    reason: str


class NotFound(Struct, frozen=True, kw_only=True, tag=True):
    """The PSP knows of no such charge. Definitive only after the adapter's `max_in_flight`: a late request may still
    land.
    """


class NoVerdict(Struct, frozen=True, kw_only=True, tag=True):
    """Sent, and whether it was acted upon is unknown."""

    reason: str


Verdict = Captured | Authorised | Declined | NotSent | NotFound | NoVerdict


class Promises(Struct, frozen=True, kw_only=True):
    """What an adapter declares about its PSP."""

    idempotency_window_seconds: int
    """How long the PSP tells a repeat from a new request."""
    replays_errors: bool
    """Whether a repeat of a request that failed gets the same failure."""
    max_in_flight_seconds: int
    """After so long a request that has not landed never will; until then `NotFound` says nothing."""
    look_up_reads_own_writes: bool
    """Whether a charge that was answered is found at once."""


class Psp(Protocol):
    """An adapter. Stateless; one per PSP's name."""

    @property
    def promises(self) -> Promises: ...
    async def authorise(self, question: Question, card: CardDetails) -> Verdict:
        """Charge the card, or hold the amount. Never NotFound."""
        ...

    async def look_up(self, question: Question) -> Verdict:
        """What became of it. NotSent here: the look-up itself was not sent, which says nothing about the charge."""
        ...
