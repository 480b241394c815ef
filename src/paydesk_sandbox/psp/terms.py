"""How long this PSP does what, and where it is."""

from msgspec import Struct

from paydesk_sandbox.psp.keys import DAY_MS


class Terms(Struct, frozen=True, kw_only=True):
    """What it would say in its documentation."""

    origin: str = "http://psp.example"
    """Where shoppers' browsers reach it: the bank's pages are below."""
    keys_kept_ms: int = DAY_MS
    """How long an idempotency key is remembered."""
    challenge_ms: int = 15 * 60 * 1000
    """How long the bank's page waits for the shopper."""
    authorised_ms: int = 7 * DAY_MS  # As most card schemes have it for shops.
    """How long an authorisation is held before it is released by itself."""
    later_ms: int = 5_000
    """How long it takes until something happens afterwards: a dispute, a refund that fails or succeeds late."""
    notice_again_ms: int | None = None
    """How long after each try a notice is sent again until it is taken; None: as `notices.RETRY_AFTER_MS` says."""
