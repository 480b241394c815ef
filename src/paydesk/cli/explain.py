"""`paydesk sign explain`: what the server makes of a request's bytes, without asking one."""

from paydesk.requests import signature
from paydesk.world.real import now_ms

UNSIGNED = "sha256=" + "0" * 64


def explained(
    *,
    method: str,
    target: str,
    key_id: str,
    timestamp: str,
    nonce: str,
    idempotency_key: str,
    body: bytes,
    signature_sent: str,
    secret: str,
) -> dict[str, str]:
    """The string that is signed, the digest of each of its parts, the clock's offset, and whether a given signature
    holds.
    """
    path, _, query = target.partition("?")
    headers = [
        (b"authorization", f"Bearer {key_id}".encode()),
        (b"x-request-timestamp", timestamp.encode()),
        (b"x-request-nonce", nonce.encode()),
        (b"x-signature", (signature_sent or UNSIGNED).encode()),
    ]
    if idempotency_key:
        headers.append((b"idempotency-key", idempotency_key.encode()))
    signed = signature.parse(method.upper(), path.encode(), query.encode(), headers, needs_idempotency_key=False)
    facts = signature.explain(signed, body)
    facts["clock_offset"] = f"{(signed.timestamp_ms - now_ms()) / 1000:+.0f} s from this machine's clock"
    if secret:
        facts["signature"] = signature.sign(secret, signature.canonical(signed, body))
        if signature_sent:
            facts["holds"] = "yes" if signature.holds(signed, body, [secret]) else "no"
    return facts
