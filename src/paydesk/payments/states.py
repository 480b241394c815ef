"""The only state machine of payments: (status, move) → status. A pair that is not listed is refused."""

from enum import StrEnum

from paydesk.errors import Refusal


class Status(StrEnum):
    """Stripe's seven statuses of a payment intent (https://docs.stripe.com/payments/paymentintents/lifecycle)."""

    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    PROCESSING = "processing"
    REQUIRES_CAPTURE = "requires_capture"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"


class Move(StrEnum):
    """What happens to a payment."""

    CONFIRM = "confirm"
    """An attempt is recorded and the PSP about to be asked."""
    AUTHORISE = "authorise"
    """The PSP holds the amount."""
    CAPTURE = "capture"
    """The PSP charged the card."""
    DECLINE = "decline"
    """The bank or the PSP said no."""
    NOT_SENT = "not_sent"
    """The PSP was never reached: as if it had not been tried."""


TERMINAL = frozenset({Status.SUCCEEDED, Status.CANCELED})

_MOVES: dict[tuple[Status, Move], Status] = {
    (Status.REQUIRES_PAYMENT_METHOD, Move.CONFIRM): Status.PROCESSING,
    (Status.REQUIRES_CONFIRMATION, Move.CONFIRM): Status.PROCESSING,
    # No (PROCESSING, CONFIRM): one attempt at a time, or a card is charged twice.
    (Status.PROCESSING, Move.AUTHORISE): Status.REQUIRES_CAPTURE,
    (Status.PROCESSING, Move.CAPTURE): Status.SUCCEEDED,
    (Status.PROCESSING, Move.DECLINE): Status.REQUIRES_PAYMENT_METHOD,
    (Status.PROCESSING, Move.NOT_SENT): Status.REQUIRES_PAYMENT_METHOD,
    # Nothing from SUCCEEDED or CANCELED: terminal states stay; late news becomes an object of its own.
}


def move(status: str, how: Move) -> Status:
    """The status after the move; Refusal `invalid_state` where the pair is not listed."""
    try:
        return _MOVES[Status(status), how]
    except KeyError:
        raise Refusal("invalid_state", f"A payment intent that is {status} can't {how.replace('_', ' ')}.") from None


def allowed(status: str, how: Move) -> bool:
    """Whether the pair is listed."""
    return (Status(status), how) in _MOVES
