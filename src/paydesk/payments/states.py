"""The only state machine of payments: (status, move) → status. A pair that is not listed is refused.

`/docs` draws the table from this very dictionary.
"""

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
    """What happens to a payment; MEANS says it in a sentence."""

    ATTACH = "attach"
    CONFIRM = "confirm"
    CHALLENGE = "challenge"
    AUTHORISE = "authorise"
    CAPTURE = "capture"
    DECLINE = "decline"
    ABANDON = "abandon"
    NOT_SENT = "not_sent"
    CANCEL = "cancel"
    EXPIRE = "expire"


MEANS: dict[Move, str] = {
    Move.ATTACH: "The merchant says with which saved card it is to be paid.",
    Move.CONFIRM: "An attempt is recorded and the PSP about to be asked.",
    Move.CHALLENGE: "The bank wants to hear from the shopper first (3-D Secure).",
    Move.AUTHORISE: "The PSP holds the amount.",
    Move.CAPTURE: "The PSP charged the card.",
    Move.DECLINE: "The bank or the PSP said no.",
    Move.ABANDON: "The shopper never answered the bank, and the PSP let the charge go.",
    Move.NOT_SENT: "The PSP was never reached: as if it had not been tried.",
    Move.CANCEL: "The merchant wants it no more, and nothing is held.",
    Move.EXPIRE: "Its time is over, and nothing is held.",
}

TERMINAL = frozenset({Status.SUCCEEDED, Status.CANCELED})

_MOVES: dict[tuple[Status, Move], Status] = {
    (Status.REQUIRES_PAYMENT_METHOD, Move.ATTACH): Status.REQUIRES_CONFIRMATION,
    (Status.REQUIRES_PAYMENT_METHOD, Move.CONFIRM): Status.PROCESSING,
    (Status.REQUIRES_PAYMENT_METHOD, Move.CANCEL): Status.CANCELED,
    (Status.REQUIRES_PAYMENT_METHOD, Move.EXPIRE): Status.CANCELED,
    # An attempt that counted as lost took the money after all: it pays what is still open.
    (Status.REQUIRES_PAYMENT_METHOD, Move.CAPTURE): Status.SUCCEEDED,
    (Status.REQUIRES_CONFIRMATION, Move.ATTACH): Status.REQUIRES_CONFIRMATION,
    (Status.REQUIRES_CONFIRMATION, Move.CONFIRM): Status.PROCESSING,
    (Status.REQUIRES_CONFIRMATION, Move.CANCEL): Status.CANCELED,
    (Status.REQUIRES_CONFIRMATION, Move.EXPIRE): Status.CANCELED,
    (Status.REQUIRES_CONFIRMATION, Move.CAPTURE): Status.SUCCEEDED,
    # No (PROCESSING, CONFIRM): one attempt at a time, or a card is charged twice.
    # No (PROCESSING, CANCEL) and no (PROCESSING, EXPIRE): money may be moving.
    (Status.PROCESSING, Move.CHALLENGE): Status.REQUIRES_ACTION,
    (Status.PROCESSING, Move.AUTHORISE): Status.REQUIRES_CAPTURE,
    (Status.PROCESSING, Move.CAPTURE): Status.SUCCEEDED,
    (Status.PROCESSING, Move.DECLINE): Status.REQUIRES_PAYMENT_METHOD,
    (Status.PROCESSING, Move.ABANDON): Status.REQUIRES_PAYMENT_METHOD,
    (Status.PROCESSING, Move.NOT_SENT): Status.REQUIRES_PAYMENT_METHOD,
    # No (REQUIRES_ACTION, CONFIRM): the shopper may be at the bank; after the deadline the intent is free again.
    # No (REQUIRES_ACTION, EXPIRE): the deadline of the challenge comes first.
    (Status.REQUIRES_ACTION, Move.AUTHORISE): Status.REQUIRES_CAPTURE,
    (Status.REQUIRES_ACTION, Move.CAPTURE): Status.SUCCEEDED,
    (Status.REQUIRES_ACTION, Move.DECLINE): Status.REQUIRES_PAYMENT_METHOD,
    (Status.REQUIRES_ACTION, Move.ABANDON): Status.REQUIRES_PAYMENT_METHOD,
    (Status.REQUIRES_ACTION, Move.CANCEL): Status.CANCELED,
    (Status.REQUIRES_CAPTURE, Move.CAPTURE): Status.SUCCEEDED,
    (Status.REQUIRES_CAPTURE, Move.CANCEL): Status.CANCELED,
    (Status.REQUIRES_CAPTURE, Move.EXPIRE): Status.CANCELED,
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


def table() -> list[tuple[Status, list[tuple[Move, Status]]]]:
    """Every status, with the moves that lead out of it and where they lead: what the docs draw."""
    return [(one, [(how, then) for (before, how), then in _MOVES.items() if before is one]) for one in Status]
