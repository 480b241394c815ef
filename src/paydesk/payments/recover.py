"""Charges and refunds of our intents that are not there: made after the backup that was restored.

The PSP's list says which intent a charge is for, so the attempt is written down anew, and the charge is asked about as
any other: its intent can't be paid a second time. The card is known to the PSP alone. A refund names its charge.
"""

from collections.abc import Iterable

from paydesk.ledger import LedgerTransaction
from paydesk.payments.confirm import owe_question
from paydesk.payments.outcome import PSP
from paydesk.payments.refund import begin
from paydesk.payments.refund_outcome import apply_refund
from paydesk.payments.rows import Attempt, Intent, Refund
from paydesk.payments.states import Move, allowed
from paydesk.payments.unknown_charges import UnknownCharge
from paydesk.psp.base import Authorised, Captured, ChallengeWanted, RefundStanding, Standing
from paydesk.store import Command, Key, Rank, Work

Charged = Captured | Authorised | ChallengeWanted
"""Verdicts that name a charge which stands, or may."""


class RecoverCharge(Command[Attempt | None], frozen=True):
    """Write the attempt down where its intent is here and can be paid still; None where it can't.

    What the charge asked for is what the intent wants now: only its merchant can have changed it since the backup. So
    is what is held, or was taken in part: its merchant captures.
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
        if isinstance(self.standing.verdict, Charged):
            yield UnknownCharge, (self.account, self.psp, self.standing.verdict.psp_reference)

    def decide(self, work: Work) -> Attempt | None:
        standing = self.standing
        intent = work.find(Intent, self.account, standing.intent) if standing.intent else None
        known = work.find(Attempt, self.account, standing.reference)
        if known or intent is None or intent.errand or not allowed(intent.status, Move.CONFIRM):
            return None
        capture_method = "manual" if _is_manual(standing) else intent.capture_method
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
                capture=int(capture_method == "automatic"),
                brand="",
                last4="",
                exp_month=0,
                exp_year=0,
                fingerprint="",
                created_ms=standing.created_ms,
            )
        )
        owe_question(
            work,
            intent,
            attempt,
            PSP,
            "recovered",
            amount_minor=standing.amount_minor,
            currency=standing.currency,
            capture_method=capture_method,
        )
        if isinstance(standing.verdict, Charged):
            known_no_more(work, self.account, self.psp, standing.verdict.psp_reference)
        return attempt


def _is_manual(standing: Standing) -> bool:
    verdict = standing.verdict
    part = isinstance(verdict, Captured) and verdict.amount_minor != standing.amount_minor
    return part or isinstance(verdict, Authorised)


def known_no_more(work: Work, account: str, psp: str, psp_reference: str) -> None:
    """An earlier asking could not write it down, and kept it: it is no stranger now."""
    if kept := work.find(UnknownCharge, account, psp, psp_reference):
        work.remove(kept)


class RecoverRefund(Command[bool], frozen=True):
    """Write down a refund of what an intent received, and how it stands; whether that could be.

    Why it was refunded, and the metadata it was given, nobody knows any more. What is disputed does not bound it: it
    was refunded, whatever a bank said before or after.
    """

    RANK = Rank.APPLY

    attempt: Attempt
    """Whose charge it is a refund of, as it was read."""
    standing: RefundStanding

    def keys(self) -> Iterable[Key]:
        attempt = self.attempt
        yield Refund, (attempt.account, self.standing.reference)
        yield Intent, (attempt.account, attempt.intent)
        yield UnknownCharge, (attempt.account, attempt.psp, self.standing.psp_reference)
        yield LedgerTransaction, self._posted

    @property
    def _posted(self) -> tuple[str, str, str, str]:
        return self.attempt.account, self.attempt.psp, self.standing.psp_reference, "refund"

    def decide(self, work: Work) -> bool:
        attempt, standing = self.attempt, self.standing
        intent = work.get(Intent, attempt.account, attempt.intent)
        known = work.find(Refund, attempt.account, standing.reference) or work.find(LedgerTransaction, *self._posted)
        ours = intent.latest_attempt == attempt.id and intent.currency == standing.currency
        left = intent.received_minor - intent.refunding_minor - intent.refunded_minor
        if known or not ours or standing.amount_minor > left:
            return False
        begun = begin(work, intent, amount_minor=standing.amount_minor, cause=PSP, refund_id=standing.reference)
        apply_refund(work, begun.refund, standing.verdict, PSP)
        known_no_more(work, attempt.account, attempt.psp, standing.psp_reference)
        return True
