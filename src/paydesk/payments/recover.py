"""Charges and refunds of our intents that are not there: made after the backup that was restored.

The PSP's list says which intent a charge is for, so the attempt is written down anew, and the charge is asked about as
any other: its intent can't be paid a second time. The card is known to the PSP alone. A refund names its charge.
"""

from collections.abc import Iterable

from paydesk.payments.confirm import owe_question
from paydesk.payments.outcome import PSP
from paydesk.payments.refund import begin, refundable_minor
from paydesk.payments.refund_outcome import apply_refund
from paydesk.payments.rows import Attempt, Intent, Refund
from paydesk.payments.states import Move, allowed
from paydesk.psp.base import RefundStanding, Standing
from paydesk.store import Command, Key, Rank, Work


class RecoverCharge(Command[Attempt | None], frozen=True):
    """Write the attempt down where its intent is here and can be paid still; None where it can't.

    What the charge asked for is what the intent wants now: only its merchant can have changed it since the backup.
    """

    RANK = Rank.APPLY

    account: str
    psp: str
    psp_url: str
    standing: Standing

    def keys(self) -> Iterable[Key]:
        yield Attempt, (self.account, self.standing.reference)
        if self.standing.intent:
            yield Intent, (self.account, self.standing.intent)

    def decide(self, work: Work) -> Attempt | None:
        standing = self.standing
        intent = work.find(Intent, self.account, standing.intent) if standing.intent else None
        known = work.find(Attempt, self.account, standing.reference)
        if known or intent is None or intent.errand or not allowed(intent.status, Move.CONFIRM):
            return None
        attempt = work.add(
            Attempt(
                account=self.account,
                id=standing.reference,
                intent=intent.id,
                status="asking",
                psp=self.psp,
                psp_url=self.psp_url,
                amount_minor=standing.amount_minor,
                currency=standing.currency,
                capture=int(intent.capture_method == "automatic"),
                brand="",
                last4="",
                exp_month=0,
                exp_year=0,
                fingerprint="",
                created_ms=standing.created_ms,
            )
        )
        owe_question(
            work, intent, attempt, PSP, "recovered", amount_minor=standing.amount_minor, currency=standing.currency
        )
        return attempt


class RecoverRefund(Command[bool], frozen=True):
    """Write down a refund of what an intent received, and how it stands; whether that could be.

    Why it was refunded, and the metadata it was given, nobody knows any more.
    """

    RANK = Rank.APPLY

    charge: Attempt
    """Of which it is a refund, as it was read."""
    standing: RefundStanding

    def keys(self) -> Iterable[Key]:
        yield Refund, (self.charge.account, self.standing.reference)
        yield Intent, (self.charge.account, self.charge.intent)

    def decide(self, work: Work) -> bool:
        charge, standing = self.charge, self.standing
        intent = work.get(Intent, charge.account, charge.intent)
        known = work.find(Refund, charge.account, standing.reference)
        ours = intent.latest_attempt == charge.id and intent.currency == standing.currency
        if known or not ours or standing.amount_minor > refundable_minor(intent):
            return False
        begun = begin(work, intent, amount_minor=standing.amount_minor, cause=PSP, refund_id=standing.reference)
        return apply_refund(work, begun.refund, standing.verdict, PSP)
