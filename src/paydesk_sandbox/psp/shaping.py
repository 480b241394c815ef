"""The answer as a fault lets it leave: the books stay right, the wire does not."""

import msgspec

from paydesk_sandbox.psp.answers import Answer, refused
from paydesk_sandbox.psp.faults import Handling

GARBAGE = b'<html>\n<head><title>502 Bad Gateway</title></head>{"id": "ch_'
OTHER_AMOUNT_MINOR = 100
"""How far an answer with another amount is off."""
AMOUNTS = ("amount", "amount_captured", "amount_refunded")


def shaped(answer: Answer | None, handling: Handling) -> Answer:
    """What is written to the wire."""
    charge = answer.charge if answer else None
    if handling.shape == "status":
        wait_seconds = 1 if handling.status in (429, 503) else None
        failed = refused(handling.status, "sandbox_fault", "The sandbox was asked to answer with this status.")
        return msgspec.structs.replace(failed, charge=charge, retry_after_seconds=wait_seconds)
    assert answer is not None
    if handling.shape == "garbage":
        return Answer(status=200, body=GARBAGE, charge=charge)
    if handling.shape == "wrong_amount":
        return msgspec.structs.replace(answer, body=with_other_amounts(answer.body))
    return answer


def with_other_amounts(body: bytes) -> bytes:
    """The same objects, with amounts that are not zero made larger."""
    whole = msgspec.json.decode(body)
    for thing in whole.get("data", [whole]):
        for field in AMOUNTS:
            if thing.get(field):
                thing[field] += OTHER_AMOUNT_MINOR
    return msgspec.json.encode(whole)
