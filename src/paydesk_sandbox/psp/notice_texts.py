"""What a notice says and how it is signed; and the two that no honest PSP sends."""

import hmac

import msgspec

from paydesk_sandbox.psp.objects import Charge, Dispute, Refund, Told

FORGERS_SECRET = "not the secret"  # noqa: S105  It is nobody's: what is signed with it must be refused.


def body_of(notice_id: str, thing: Told, created_ms: int) -> bytes:
    """The body of a notice about this object as it stands now."""
    said = {"id": notice_id, "type": f"{thing.object}.updated", "created_ms": created_ms, "object": thing}
    return msgspec.json.encode(said)


def signature(secret: str, seconds: int, body: bytes) -> str:
    """The header `psp-signature` of a notice that is sent at `seconds` since 1970."""
    signed = hmac.digest(secret.encode(), b"%d." % seconds + body, "sha256")
    return f"t={seconds},v1={signed.hex()}"


def other(thing: Told) -> Told:
    """The same object as somebody would like it to be."""
    match thing:
        case Charge(status="captured"):
            return msgspec.structs.replace(thing, status="declined", amount_captured=0, decline_code="generic_decline")
        case Charge():
            return msgspec.structs.replace(thing, status="captured", amount_captured=thing.amount, decline_code=None)
        case Refund():
            return msgspec.structs.replace(thing, status="succeeded" if thing.status == "failed" else "failed")
        case Dispute():
            return msgspec.structs.replace(thing, status="lost" if thing.status == "won" else "won")


def invented(thing: Told, new_id: str) -> Told:
    """An object like this one that the books do not know, under a reference that nobody gave."""
    return msgspec.structs.replace(thing, id=new_id, reference=f"unknown_{new_id}")
