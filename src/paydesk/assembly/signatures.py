"""Whether a signature was made with the secret of a key of this data folder. The secret stays here."""

import hmac
from typing import Any

from paydesk.requests.signature import sign
from paydesk.web.desk import DoorDesk


async def sign_check(desk: DoorDesk, *, key_id: str, canonical: str, signature: str) -> dict[str, Any]:
    """Whether the key is active here, and whether one of the signatures over the string that is signed is its own."""
    key = await desk.directory.key(key_id)
    if key is None:
        return {"key": "not an active key of this data folder"}
    facts = {"key": f"active, of {key.account}"}
    if not signature:
        return facts
    expected = [sign(secret, canonical.encode()) for secret in key.good_at(desk.world.now_ms())]
    holds = any(hmac.compare_digest(one.encode(), sent.encode()) for one in expected for sent in signature.split(","))
    return facts | {"holds": "yes" if holds else "no"}
