"""The PSP's own books: every charge, refund and dispute, and the totals. In memory, without a clock.

What is kept of a card is its brand, last four digits and expiry, and which line of the table of test cards it is. The
same reference may be charged or refunded twice under two idempotency keys, as at a real PSP; keeping that from
happening is the caller's duty, and the books answer as the judge of it.
"""

from collections import Counter, defaultdict
from hashlib import blake2b
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Struct

from paydesk_sandbox.psp.cards import CardOnFile
from paydesk_sandbox.psp.keys import Keys
from paydesk_sandbox.psp.later import Later
from paydesk_sandbox.psp.objects import Charge, Dispute, Refund, Told
from paydesk_sandbox.psp.shelf import Shelf
from paydesk_sandbox.psp.terms import Terms
from paydesk_sandbox.psp.totals import Totals, add_up


class Entry(Struct, kw_only=True):
    """A charge as it stands in the books."""

    charge: Charge
    merchant: str
    """The fingerprint of the key it was charged with."""
    card: CardOnFile
    capture: bool
    """Whether the money is taken at once, or held."""
    return_url: str | None = None
    """Where the bank's page sends the shopper."""
    ends_ms: int | None = None
    """When the challenge or the authorisation ends by itself."""
    disputes: list[str] = []
    """The ids of its disputes."""
    times_asked: int = 0
    """How many requests got to this charge: the one that made it, and its repeats."""
    answered_us: int | None = None
    """When the first answer to any of them was written to the socket, in microseconds since 1970; None: never."""

    @property
    def brand(self) -> str:
        return self.card.brand

    @property
    def last4(self) -> str:
        return self.card.last4


class RefundEntry(Struct, kw_only=True):
    """A refund, and the charge that it gives back."""

    refund: Refund
    of: Entry


class DisputeEntry(Struct, kw_only=True):
    """A dispute, and the charge that it takes back."""

    dispute: Dispute
    of: Entry


class Books:
    """One PSP's books. `salt` makes the ids its own."""

    def __init__(self, *, salt: bytes, terms: Terms) -> None:
        self.terms = terms
        self.charges = Shelf[Entry](attrgetter("charge"))
        self.refunds = Shelf[RefundEntry](attrgetter("refund"))
        self.disputes = Shelf[DisputeEntry](attrgetter("dispute"))
        self.challenges: dict[str, Entry] = {}
        """The id in a bank page's address → whom it is about, answered or not."""
        self.tokens: dict[tuple[str, str], CardOnFile] = {}
        """Merchant and token → the card behind it."""
        self.totals: defaultdict[str, Totals] = defaultdict(Totals)
        self.later = Later()
        self.endings = Later()
        """When challenges and authorisations end; whoever looks at a charge sees to it first."""
        self.changed: list[tuple[str, Told]] = []
        """What was made or changed since somebody took this list, and whose it is."""
        self._salt = blake2b(salt).digest()
        self.keys = Keys(salt=self._salt, keys_kept_ms=terms.keys_kept_ms)
        self._made = 0
        self._latest_ms = 0

    @property
    def entries(self) -> dict[str, Entry]:
        """Every charge by its id."""
        return self.charges.all

    def new_id(self, prefix: str) -> str:
        self._made += 1
        return prefix + blake2b(b"%d" % self._made, key=self._salt, digest_size=12).hexdigest()

    def time(self, now_ms: int) -> int:
        """The time of what is made now. A clock set back must not break the order that lists are searched in."""
        self._latest_ms = max(self._latest_ms, now_ms)
        return self._latest_ms

    def enter(self, entry: Entry) -> None:
        self.charges.add(entry.merchant, entry)
        self._note(entry.merchant, None, entry.charge)

    def change(self, entry: Entry, **new: Any) -> None:
        before, entry.charge = entry.charge, msgspec.structs.replace(entry.charge, **new)
        self._note(entry.merchant, before, entry.charge)

    def enter_refund(self, entry: RefundEntry) -> None:
        self.refunds.add(entry.of.merchant, entry)
        self._note(entry.of.merchant, None, entry.refund)

    def change_refund(self, entry: RefundEntry, **new: Any) -> None:
        before, entry.refund = entry.refund, msgspec.structs.replace(entry.refund, **new)
        self._note(entry.of.merchant, before, entry.refund)

    def enter_dispute(self, entry: DisputeEntry) -> None:
        self.disputes.add(entry.of.merchant, entry)
        entry.of.disputes.append(entry.dispute.id)
        self._note(entry.of.merchant, None, entry.dispute)

    def change_dispute(self, entry: DisputeEntry, **new: Any) -> None:
        before, entry.dispute = entry.dispute, msgspec.structs.replace(entry.dispute, **new)
        self._note(entry.of.merchant, before, entry.dispute)

    def disputed_minor(self, entry: Entry) -> int:
        """What disputes hold or took of this charge."""
        disputes = [self.disputes.all[dispute].dispute for dispute in entry.disputes]
        return sum(dispute.amount for dispute in disputes if dispute.status != "won")

    def answered(self, charge_id: str, now_us: int) -> None:
        """An answer to a request for this charge was written to the socket."""
        entry = self.entries[charge_id]
        if entry.answered_us is None:
            entry.answered_us = now_us

    def charged_twice(self) -> list[str]:
        """References that took or hold money more than once: what must never happen."""
        return [
            reference
            for (_, reference), made in self.charges.by_reference.items()
            if sum(entry.charge.status in ("authorised", "captured") for entry in made) > 1
        ]

    def refunded_twice(self) -> list[str]:
        """References of refunds that gave money back more than once: what must never happen either."""
        return [
            reference
            for (_, reference), made in self.refunds.by_reference.items()
            if sum(entry.refund.status != "failed" for entry in made) > 1
        ]

    def refunded_beyond_captured(self) -> list[str]:
        """References of charges that gave back more than they took, counted anew from the refunds."""
        refunded: Counter[str] = Counter()
        for entry in self.refunds.all.values():
            if entry.refund.status != "failed":
                refunded[entry.refund.charge] += entry.refund.amount
        charges = [self.entries[charge_id].charge for charge_id in refunded]
        return [charge.reference for charge in charges if refunded[charge.id] > charge.amount_captured]

    def _note(self, merchant: str, before: Told | None, after: Told) -> None:
        totals = self.totals[after.currency]
        if before is not None:
            add_up(totals, before, -1)
        add_up(totals, after)
        self.changed.append((merchant, after))
