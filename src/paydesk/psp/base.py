"""What Paydesk asks a PSP and what it takes for an answer.

An adapter tells apart what is known by phase: *not sent* (nothing reached the PSP), *no verdict* (sent, and the answer
is missing or can't be
read), and definitive verdicts. Only the last change a payment's status. A verdict says how the charge stands now, not
what was asked: the same words answer a question, a look-up and a notice.
"""

from collections.abc import Mapping, Sequence
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


class SavedCard(Struct, frozen=True):
    """A card that the PSP keeps under a token of its own. Charged without the shopper (off session)."""

    token: str

    def __repr__(self) -> str:
        return "SavedCard(…)"


class Place(Struct, frozen=True, kw_only=True):
    """Where an account's PSP is and what it knows the merchant by: the operator's word."""

    url: str
    key: str

    def __repr__(self) -> str:
        return f"Place({self.url})"


class Question(Struct, frozen=True, kw_only=True):
    """One attempt to charge a card, as every question about it names it."""

    place: Place
    reference: str
    """Our reference at the PSP: the attempt's id."""
    intent: str
    """What the attempt is for: the PSP keeps it, and its list says it."""
    psp_reference: str | None = None
    """The PSP's own, once it is known."""
    amount_minor: int
    currency: str
    capture: bool
    """Capture at once, or authorise only."""
    save: bool = False
    """Let the PSP keep the card, and say its token."""
    return_url: str | None = None
    """Where the bank sends the shopper back to after a challenge; None: nobody is there to be challenged."""

    def key(self, operation: str, number: int) -> str:
        """The idempotency key of one operation on this attempt: the same for every repeat of it."""
        return f"{self.reference}:{operation}:{number}"


class RefundQuestion(Struct, frozen=True, kw_only=True):
    """One refund, as every question about it names it."""

    place: Place
    reference: str
    """Our reference at the PSP: the refund's id."""
    charge: str
    """The PSP's reference of the charge that is refunded."""
    amount_minor: int
    currency: str

    @property
    def key(self) -> str:
        return f"{self.reference}:refund:1"


class Captured(Struct, frozen=True, kw_only=True, tag=True):
    """The card was charged; what was authorised beyond that is released."""

    psp_reference: str
    amount_minor: int
    currency: str
    token: str | None = None
    """What the PSP keeps the card under, where it was asked to."""


class Authorised(Struct, frozen=True, kw_only=True, tag=True):
    """The amount is held on the card, to be captured."""

    psp_reference: str
    amount_minor: int
    currency: str
    token: str | None = None


class ChallengeWanted(Struct, frozen=True, kw_only=True, tag=True):
    """The bank wants to hear from the shopper first (3-D Secure). Nothing is held yet."""

    psp_reference: str
    url: str
    """The bank's page."""


class Declined(Struct, frozen=True, kw_only=True, tag=True):
    """The bank or the PSP said no; nothing was charged."""

    psp_reference: str
    decline_code: str


class Canceled(Struct, frozen=True, kw_only=True, tag=True):
    """What was held, or waited for the shopper, is released; nothing was charged, and nothing can be."""

    psp_reference: str


class NotSent(Struct, frozen=True, kw_only=True, tag=True):
    """The PSP acted on nothing: it was not reached, or said that it took nothing (its 429)."""

    reason: str


class NotFound(Struct, frozen=True, kw_only=True, tag=True):
    """The PSP knows of no such thing. Definitive only after the adapter's `max_in_flight`: a late request may still
    land.
    """


class NoVerdict(Struct, frozen=True, kw_only=True, tag=True):
    """Sent, and whether it was acted upon is unknown."""

    reason: str


class Rejected(Struct, frozen=True, kw_only=True, tag=True):
    """The PSP read the request and will not do it, in the state the charge is in. How it stands, a look-up tells."""

    reason: str


Verdict = Captured | Authorised | ChallengeWanted | Declined | Canceled | NotSent | NotFound | NoVerdict
"""How a charge stands."""


class Refunded(Struct, frozen=True, kw_only=True, tag=True):
    """The money is on its way back to the card."""

    psp_reference: str


class RefundPending(Struct, frozen=True, kw_only=True, tag=True):
    """The PSP took the refund and will say later how it went."""

    psp_reference: str


class RefundFailed(Struct, frozen=True, kw_only=True, tag=True):
    """The bank or the PSP will not refund; may come after Refunded, when the bank sends the money back."""

    psp_reference: str
    reason: str


RefundVerdict = Refunded | RefundPending | RefundFailed | NotSent | NotFound | NoVerdict
"""How a refund stands."""


class DisputeStanding(Struct, frozen=True, kw_only=True):
    """A cardholder's dispute at its bank, as the PSP tells it."""

    psp_reference: str
    reference: str
    """Ours, of the charge that is disputed."""
    amount_minor: int
    currency: str
    reason: str
    status: str
    """`needs_response`, `won` or `lost`."""


DisputeVerdict = DisputeStanding | NotSent | NotFound | NoVerdict


class Standing(Struct, frozen=True, kw_only=True):
    """One charge of a PSP's list: what it is about, and how it stands."""

    reference: str
    """Ours: the attempt's id."""
    intent: str | None
    """Ours: the intent's id; None where the PSP does not say."""
    amount_minor: int
    """What was asked for."""
    currency: str
    verdict: Verdict
    created_ms: int


class RefundStanding(Struct, frozen=True, kw_only=True):
    """One refund of a PSP's list."""

    reference: str
    """Ours: the refund's id."""
    charge: str
    """The PSP's reference of the charge that is refunded."""
    amount_minor: int
    currency: str
    verdict: RefundVerdict
    psp_reference: str
    created_ms: int


class Notice(Struct, frozen=True, kw_only=True):
    """A PSP's call, its signature checked. It names what changed; how that stands, the PSP is asked."""

    id: str
    about: str
    """`charge`, `refund` or `dispute`; another word where it is about nothing that Paydesk keeps."""
    reference: str
    """Ours, of the charge or refund; of a dispute, that of its charge. Empty where it names none."""
    psp_reference: str


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
    partial_capture: bool = False
    """Whether less than what is authorised can be captured."""
    saves_cards: bool = False
    """Whether it keeps cards under tokens."""


class Psp(Protocol):
    """An adapter. Stateless; one per PSP's name."""

    @property
    def promises(self) -> Promises: ...
    async def authorise(self, question: Question, means: CardDetails | SavedCard) -> Verdict:
        """Charge the card, or hold the amount. Never NotFound."""
        ...

    async def capture(self, question: Question, amount_minor: int, number: int) -> Verdict | Rejected:
        """Take this much of what is held. `number` counts the operations on the attempt; a repeat has its own again."""
        ...

    async def cancel(self, question: Question, number: int) -> Verdict | Rejected:
        """Release what is held, or end a challenge."""
        ...

    async def look_up(self, question: Question) -> Verdict:
        """How the charge stands. NotSent here: the look-up itself was not sent, which says nothing about the charge."""
        ...

    async def refund(self, question: RefundQuestion) -> RefundVerdict | Rejected:
        """Send money back. Never NotFound."""
        ...

    async def look_up_refund(self, question: RefundQuestion) -> RefundVerdict:
        """How the refund stands; NotSent as for `look_up`."""
        ...

    async def look_up_dispute(self, place: Place, psp_reference: str) -> DisputeVerdict:
        """How a dispute stands."""
        ...

    async def list(self, place: Place, since_ms: int) -> Sequence[Standing] | NotSent | NoVerdict:
        """Every charge made at `since_ms` or later, oldest first."""
        ...

    async def list_refunds(self, place: Place, since_ms: int) -> Sequence[RefundStanding] | NotSent | NoVerdict:
        """The same of refunds."""
        ...

    async def list_disputes(self, place: Place, since_ms: int) -> Sequence[DisputeStanding] | NotSent | NoVerdict:
        """The same of disputes."""
        ...

    def read_notice(self, headers: Mapping[str, str], body: bytes, secret: str, now_ms: int) -> Notice | None:
        """What a PSP's call says; None where its signature or time does not hold."""
        ...
