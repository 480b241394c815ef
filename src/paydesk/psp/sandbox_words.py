"""The sandbox PSP's objects, as far as we read them, and what each says in the words of `base.py`."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from paydesk.psp.base import (
    Authorised,
    Canceled,
    Captured,
    ChallengeWanted,
    Declined,
    DisputeStanding,
    NoVerdict,
    Question,
    Refunded,
    RefundFailed,
    RefundPending,
    RefundQuestion,
    RefundVerdict,
    Standing,
    Verdict,
)


class Challenge(Struct, frozen=True):
    url: str


class Charge(Struct, frozen=True):
    id: str
    reference: str
    amount: int
    currency: str
    status: Literal["captured", "authorised", "declined", "challenge", "released"]
    order_reference: str | None = None
    amount_captured: int = 0
    decline_code: str | None = None
    challenge: Challenge | None = None
    token: str | None = None
    created_ms: int = 0


class Charges(Struct, frozen=True):
    data: list[Charge]


class Refund(Struct, frozen=True):
    id: str
    reference: str
    charge: str
    amount: int
    currency: str
    status: Literal["succeeded", "pending", "failed"]
    failure_reason: str | None = None
    created_ms: int = 0


class Refunds(Struct, frozen=True):
    data: list[Refund]


class Disputes(Struct, frozen=True):
    data: "list[Dispute]"


class Dispute(Struct, frozen=True):
    id: str
    reference: str
    amount: int
    currency: str
    reason: Annotated[str, Meta(max_length=200)]
    status: Literal["needs_response", "won", "lost"]


Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[!-~]+(?!\n)$")]


class Subject(Struct, frozen=True):
    id: Name
    reference: Annotated[str, Meta(max_length=200, pattern=r"^[!-~]*(?!\n)$")] = ""


class NoticeBody(Struct, frozen=True):
    id: Name
    type: Annotated[str, Meta(max_length=200)]
    """`charge.updated`, `refund.updated`, `dispute.updated`; a newer PSP may know more."""
    object: Subject


def verdict_of(question: Question, charge: Charge | None) -> Verdict:
    """What the charge says, if it is the one that was asked for; anything else is no verdict."""
    if charge is None:
        return NoVerdict(reason="the PSP's answer can't be read")
    if charge.reference != question.reference:
        return NoVerdict(reason="the PSP answered about another charge")
    if charge.status == "declined":
        return Declined(psp_reference=charge.id, decline_code=charge.decline_code or "generic_decline")
    if (charge.amount, charge.currency) != (question.amount_minor, question.currency):
        return NoVerdict(reason="the PSP names another amount or currency")
    if charge.status == "captured" and not 0 < charge.amount_captured <= question.amount_minor:
        return NoVerdict(reason="the PSP captured another amount")
    if charge.status == "captured" and question.capture and charge.amount_captured != question.amount_minor:
        return NoVerdict(reason="the PSP captured another amount")
    return listed_verdict(charge)


def listed(charge: Charge) -> Standing:
    """A charge of a list."""
    return Standing(
        reference=charge.reference,
        intent=charge.order_reference,
        amount_minor=charge.amount,
        currency=charge.currency,
        verdict=listed_verdict(charge),
        created_ms=charge.created_ms,
    )


def listed_verdict(charge: Charge) -> Verdict:
    """What a charge says of itself."""
    match charge.status:
        case "captured":
            return Captured(
                psp_reference=charge.id,
                amount_minor=charge.amount_captured,
                currency=charge.currency,
                token=charge.token,
            )
        case "authorised":
            return Authorised(
                psp_reference=charge.id, amount_minor=charge.amount, currency=charge.currency, token=charge.token
            )
        case "challenge" if charge.challenge:
            return ChallengeWanted(psp_reference=charge.id, url=charge.challenge.url)
        case "declined":
            return Declined(psp_reference=charge.id, decline_code=charge.decline_code or "generic_decline")
        case "released":
            return Canceled(psp_reference=charge.id)
        case _:
            return NoVerdict(reason="the PSP wants a challenge and names no page")


def refund_verdict(question: RefundQuestion, refund: Refund | None) -> RefundVerdict:
    """What the refund says, if it is the one that was asked for."""
    if refund is None:
        return NoVerdict(reason="the PSP's answer can't be read")
    said = (refund.reference, refund.charge, refund.amount, refund.currency)
    if said != (question.reference, question.charge, question.amount_minor, question.currency):
        return NoVerdict(reason="the PSP answered about another refund")
    return listed_refund(refund)


def listed_refund(refund: Refund) -> RefundVerdict:
    """What a refund says of itself."""
    match refund.status:
        case "succeeded":
            return Refunded(psp_reference=refund.id)
        case "pending":
            return RefundPending(psp_reference=refund.id)
        case "failed":
            return RefundFailed(psp_reference=refund.id, reason=refund.failure_reason or "unknown")


def dispute_standing(dispute: Dispute) -> DisputeStanding:
    return DisputeStanding(
        psp_reference=dispute.id,
        reference=dispute.reference,
        amount_minor=dispute.amount,
        currency=dispute.currency,
        reason=dispute.reason,
        status=dispute.status,
    )
