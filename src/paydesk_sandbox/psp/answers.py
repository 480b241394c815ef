"""What a request is answered with."""

import msgspec
from msgspec import Struct

from paydesk_sandbox.psp.objects import Charge, Dispute, Refund


class Answer(Struct, frozen=True, kw_only=True):
    """Status, body, and what the server needs to know beside them."""

    status: int
    body: bytes
    charge: str | None = None
    """The id of the charge that a POST /v1/charges is answered with."""
    replayed: bool = False
    retry_after_seconds: int | None = None


def shown(thing: Charge | Refund | Dispute) -> Answer:
    """The object itself."""
    return Answer(status=200, body=msgspec.json.encode(thing))


def refused(status: int, code: str, message: str) -> Answer:
    """The PSP's own error shape."""
    return Answer(status=status, body=msgspec.json.encode({"error": {"code": code, "message": message}}))


def not_found(what: str) -> Answer:
    return refused(404, "not_found", f"There is no such {what}.")


def invalid_state(charge: Charge, verb: str) -> Answer:
    """A definitive refusal: the charge is not where this can be done to it."""
    return refused(409, "invalid_state", f"A charge that is {charge.status} can't be {verb}.")


def too_large(left_minor: int) -> Answer:
    """A definitive refusal: there is not so much left."""
    return refused(409, "amount_too_large", f"At most {left_minor} is left.")
