"""What a decision needs to know of a verdict: what the operator decided about payments, and who brought it."""

from typing import Generic, TypeVar

from msgspec import Struct

V = TypeVar("V")


class Terms(Struct, frozen=True, kw_only=True):
    """The times of a payment, in milliseconds, and where its shopper goes."""

    capture_within_ms: int
    """How long what is held waits for its capture."""
    challenge_within_ms: int
    """How long a shopper may take at the bank, from the moment that the bank asked."""
    challenge_page: str = ""
    """Our page for this attempt's challenge."""
    sent_back: str = ""
    """Our refund by which the PSP has sent the charge back already, where a restored database does not have it."""


class News(Struct, Generic[V], frozen=True, kw_only=True):
    """A verdict on an attempt."""

    verdict: V
    cause: str
    """Whose doing it is, as timelines say it: `psp`, `clock` …"""
    terms: Terms
