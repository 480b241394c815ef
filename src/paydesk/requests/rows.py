"""What signed requests leave behind: nonces, kept answers, the floor under the nonces."""

from paydesk.store import Row, Versioned


class Nonce(Row, frozen=True, kw_only=True):
    """Burnt: no request of this key that changes something may carry it again."""

    TABLE = "nonces"
    KEY = ("account", "key_id", "nonce")
    INDEXES = (("signed_ms", "account", "key_id", "nonce"),)

    account: str
    key_id: str
    nonce: str
    signed_ms: int
    """The request's own timestamp; pruned 660 s after it."""


class NonceFloor(Versioned, frozen=True, kw_only=True):
    """The newest pruned time: nothing signed at or before it is accepted, so a clock set back opens no replay."""

    TABLE = "nonce_floor"
    KEY = ("id",)

    id: str = "floor"
    floor_ms: int = 0


class Kept(Versioned, frozen=True, kw_only=True):
    """What an idempotency key gave. Holds no secret: client secrets are put in when the answer is read."""

    TABLE = "idempotency_keys"
    KEY = ("account", "idempotency_key")
    INDEXES = (("expires_ms", "account", "idempotency_key"),)
    WIDE = True

    account: str
    idempotency_key: str
    fingerprint: str
    """Hex SHA-256 of method, path, query and body."""
    status: int
    """The HTTP status that was answered; 0 while the operation runs."""
    body: bytes
    object_id: str
    reveals: str
    """The intent whose client secret belongs into the answer; empty where none does."""
    request_id: str = ""
    """The request that the answer was made for."""
    created_ms: int
    expires_ms: int
