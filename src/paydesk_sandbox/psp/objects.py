"""The objects as the API shows them. Each change makes a new one; the books hold the latest."""

from typing import Literal

from msgspec import Struct

ChargeStatus = Literal["challenge", "authorised", "captured", "declined", "released"]
RefundStatus = Literal["pending", "succeeded", "failed"]
DisputeStatus = Literal["needs_response", "won", "lost"]


class Challenge(Struct, frozen=True, kw_only=True):
    """The bank wants to see the shopper."""

    url: str
    """The bank's page."""
    expires_ms: int


class Charge(Struct, frozen=True, kw_only=True):
    """A payment by card, whatever became of it."""

    id: str
    object: Literal["charge"] = "charge"
    reference: str
    order_reference: str | None = None
    """What several charges for one order share."""
    amount: int
    """What was asked for, in the currency's minor unit."""
    currency: str
    status: ChargeStatus
    """`challenge`: nothing is held until the bank's page was answered. `released`: nothing is held any more."""
    amount_captured: int
    amount_refunded: int = 0
    """What went back or is on its way back; a refund that fails leaves it."""
    decline_code: str | None
    challenge: Challenge | None = None
    token: str | None = None
    """Charges the same card again, without the shopper."""
    created_ms: int


class Refund(Struct, frozen=True, kw_only=True):
    """Money on its way back to a card."""

    id: str
    object: Literal["refund"] = "refund"
    charge: str
    reference: str
    amount: int
    currency: str
    status: RefundStatus
    failure_reason: str | None = None
    created_ms: int


class Dispute(Struct, frozen=True, kw_only=True):
    """A cardholder's bank takes a charge back, or tries to."""

    id: str
    object: Literal["dispute"] = "dispute"
    charge: str
    reference: str
    """The charge's."""
    amount: int
    currency: str
    reason: str
    status: DisputeStatus
    created_ms: int


Told = Charge | Refund | Dispute
"""What a notice can be about."""
